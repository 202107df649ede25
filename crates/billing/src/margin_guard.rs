//! The margin guard: what in a priced month may cost the operator money without anybody noticing.
//!
//! Sources of allocations and the charges that these become are left aside on both sides: they are somebody's cost, dealt out to others.

use crate::book::Book;
use crate::charge_class::{ChargeClass, Cube, KeyColumn, Measure, TextId, TextMap};
use crate::class_kind::line_item_type;
use crate::cost_line::LineItemType;
use crate::custom_line_item::{self, Origin};
use crate::derived_items::{Allocated, Derived};
use crate::money::{Amount, Cost, Currency, DecimalError};
use crate::policy::Target;
use crate::rate_card::{Entry, ItemCharge, RateCard, Treatment};
use std::collections::{BTreeMap, BTreeSet};

/// What the guard has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Accounts in no billing group, and what AWS charges for them.
    pub ungrouped: Vec<(String, Currency, Cost)>,
    /// Credits and refunds that are on no bill.
    pub credits: Vec<Unreceived>,
    /// Billing groups that are charged less than they cost, in the order of the book.
    pub groups: Vec<BelowCost>,
    /// Products of billing groups that are charged less than they cost.
    pub products: Vec<BelowCost>,
    /// Allocations without a base: by number in the book, with what the payer keeps.
    pub allocations: Vec<(usize, Currency, Cost)>,
}

/// A credit or refund that nobody received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreceived {
    /// The account that has it on the real bill.
    pub account: String,
    /// Its billing group, by number in the book.
    pub group: Option<usize>,
    /// What AWS says of it.
    pub description: String,
    /// Its currency.
    pub currency: Currency,
    /// How much; below 0.
    pub amount: Cost,
}

/// Something that is charged less than it costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BelowCost {
    /// The billing group, by number in the book.
    pub group: usize,
    /// The product; empty of a whole group.
    pub product: String,
    /// The currency.
    pub currency: Currency,
    /// What AWS charges.
    pub aws_cost: Amount,
    /// What the group is charged.
    pub pro_forma: Amount,
}

/// What a billing group's product costs and is charged, in a currency: by numbers first, for most classes share one with many others.
type Sums = TextMap<(usize, TextId, TextId), (Amount, Amount)>;

/// The same by name.
type Named<'a> = BTreeMap<(usize, &'a str, Currency), (Amount, Amount)>;

/// Looks through a priced month.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn findings(
    cube: &Cube,
    book: &Book,
    card: &RateCard,
    charges: &[ItemCharge],
    derived: &Derived,
) -> Result<Findings, DecimalError> {
    let named = |code: TextId| cube.texts.get(code).and_then(Currency::parse).unwrap_or(book.currency);
    let dealt_out = dealt_out(derived);
    let mut ungrouped: BTreeMap<(&str, Currency), Cost> = BTreeMap::new();
    let mut credits: BTreeMap<(&str, Option<usize>, &str, Currency), Cost> = BTreeMap::new();
    let mut sums = Sums::default();
    for (class, entry) in cube.classes.iter().zip(&card.entries) {
        let (net, currency) = (class.sum(Measure::NetUnblended), class.text(KeyColumn::Currency));
        let group = entry.group.map(|group| group as usize);
        let account = || cube.value(class, KeyColumn::UsageAccount).unwrap_or_default();
        if is_on_no_bill(entry, &dealt_out) && is_credit(cube, class) {
            let description = cube.value(class, KeyColumn::Description).unwrap_or_default();
            let sum = credits.entry((account(), group, description, named(currency))).or_default();
            *sum = sum.plus(net)?;
        }
        if matches!(entry.treatment, Treatment::Allocated(_))
            || entry.left_out_of_aws_cost(cube, class).is_some()
        {
            continue;
        }
        let Some(group) = group else {
            let sum = ungrouped.entry((account(), named(currency))).or_default();
            *sum = sum.plus(net)?;
            continue;
        };
        let sum = sums.entry((group, cube.product_id(class), currency)).or_default();
        sum.0 = sum.0.plus(net.to_amount()?)?;
        if entry.treatment.is_on_bill() {
            sum.1 = sum.1.plus(entry.amount)?;
        }
    }
    add_covered(cube, card, &mut sums)?;
    let mut costs = Named::new();
    for ((group, product, currency), (cost, charged)) in sums {
        let of = costs.entry((group, cube.text(product), named(currency))).or_default();
        *of = (of.0.plus(cost)?, of.1.plus(charged)?);
    }
    add_items(cube, book, charges, &mut costs)?;
    let ungrouped = ungrouped.into_iter().map(|((account, of), cost)| (account.to_owned(), of, cost));
    let credits = credits.into_iter().filter(|(_, amount)| *amount < Cost::ZERO);
    let credits = credits.map(|((account, group, description, currency), amount)| {
        let (account, description) = (account.to_owned(), description.to_owned());
        Unreceived { account, group, description, currency, amount }
    });
    let without_base = derived.allocations.iter().filter(|of| of.empty_base && !of.kept.is_zero());
    let mut found = Findings {
        ungrouped: ungrouped.collect(),
        credits: credits.collect(),
        allocations: without_base.map(|of| (of.allocation, of.currency, of.kept)).collect(),
        ..Findings::default()
    };
    add_below_cost(&costs, &mut found)?;
    Ok(found)
}

fn is_credit(cube: &Cube, class: &ChargeClass) -> bool {
    matches!(line_item_type(cube, class), LineItemType::Credit | LineItemType::Refund)
}

/// Whether nobody is charged for a class, nor has a part of it.
fn is_on_no_bill(entry: &Entry, dealt_out: &BTreeSet<usize>) -> bool {
    match entry.treatment {
        Treatment::Dropped(_) | Treatment::Ungrouped => true,
        Treatment::Allocated(allocation) => !dealt_out.contains(&(allocation as usize)),
        _ => false,
    }
}

/// Adds what commitments cover, and what negates that.
fn add_covered(cube: &Cube, card: &RateCard, sums: &mut Sums) -> Result<(), DecimalError> {
    for part in &card.covered {
        let class = part.class(cube);
        let key = (part.group as usize, cube.product_id(class), class.text(KeyColumn::Currency));
        let sum = sums.entry(key).or_default();
        for leaf in part.lines(cube) {
            sum.1 = sum.1.plus(leaf.amount)?;
        }
    }
    Ok(())
}

/// The allocations of which somebody has a part that is a charge, or goes on to another allocation.
fn dealt_out(derived: &Derived) -> BTreeSet<usize> {
    let has_part =
        |of: &&Allocated| of.parts.iter().any(|part| part.target != Target::Payer && !part.amount.is_zero());
    derived.allocations.iter().filter(has_part).map(|of| of.allocation).collect()
}

/// Adds what custom line items charge, but for those that deal out a shared cost.
fn add_items<'a>(
    cube: &'a Cube,
    book: &'a Book,
    charges: &[ItemCharge],
    costs: &mut Named<'a>,
) -> Result<(), DecimalError> {
    for charge in charges {
        let item = &book.items[charge.item];
        if matches!(item.origin, Some(Origin::Allocation(_))) {
            continue;
        }
        let product = match charge.class {
            Some(class) => cube.product(&cube.classes[class]),
            None => item.presentation_service.as_deref().unwrap_or(custom_line_item::PRODUCT),
        };
        let of = costs.entry((item.billing_group, product, charge.currency)).or_default();
        of.1 = of.1.plus(charge.amount)?;
    }
    Ok(())
}

/// Groups, and products that AWS charges something for, whose charges are less than that.
fn add_below_cost(costs: &Named<'_>, found: &mut Findings) -> Result<(), DecimalError> {
    let mut groups: BTreeMap<(usize, Currency), (Amount, Amount)> = BTreeMap::new();
    for ((group, product, currency), (aws_cost, pro_forma)) in costs {
        let of = groups.entry((*group, *currency)).or_default();
        *of = (of.0.plus(*aws_cost)?, of.1.plus(*pro_forma)?);
        if *aws_cost > Amount::ZERO && pro_forma < aws_cost {
            let (aws_cost, pro_forma) = (*aws_cost, *pro_forma);
            let product = (*product).to_owned();
            found.products.push(BelowCost {
                group: *group,
                product,
                currency: *currency,
                aws_cost,
                pro_forma,
            });
        }
    }
    let below = groups.into_iter().filter(|(_, (aws_cost, pro_forma))| pro_forma < aws_cost);
    found.groups = below
        .map(|((group, currency), (aws_cost, pro_forma))| BelowCost {
            group,
            product: String::new(),
            currency,
            aws_cost,
            pro_forma,
        })
        .collect();
    Ok(())
}
