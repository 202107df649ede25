//! The margin guard: what in a priced month may cost the operator money without anybody noticing.
//!
//! Sources of allocations and the charges that these become are left aside on both sides: they are somebody's cost, dealt out to others.

use crate::book::Book;
use crate::charge_class::{ChargeClass, Cube, KeyColumn, Measure};
use crate::class_kind::line_item_type;
use crate::cost_line::LineItemType;
use crate::custom_line_item::{self, Origin};
use crate::derived_items::{Allocated, Derived};
use crate::money::{Amount, Cost, Currency, DecimalError};
use crate::policy::Target;
use crate::rate_card::{ItemCharge, RateCard, Treatment};
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

impl Findings {
    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
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

/// A billing group, one of its products, and a currency.
type Key<'a> = (usize, &'a str, Currency);

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
    let mut found = Findings::default();
    let dealt_out = dealt_out(derived);
    let currency_of = |class: &ChargeClass| {
        cube.value(class, KeyColumn::Currency).and_then(Currency::parse).unwrap_or(book.currency)
    };
    let mut ungrouped: BTreeMap<(&str, Currency), Cost> = BTreeMap::new();
    let mut credits: BTreeMap<(&str, Option<usize>, &str, Currency), Cost> = BTreeMap::new();
    let mut costs: BTreeMap<Key<'_>, (Amount, Amount)> = BTreeMap::new();
    for (number, (class, entry)) in cube.classes.iter().zip(&card.entries).enumerate() {
        let (net, currency) = (class.sum(Measure::NetUnblended), currency_of(class));
        let group = entry.group.map(|group| group as usize);
        let account = cube.value(class, KeyColumn::UsageAccount).unwrap_or_default();
        let is_off = match entry.treatment {
            Treatment::Dropped(_) | Treatment::Ungrouped => true,
            Treatment::Allocated(allocation) => !dealt_out.contains(&(allocation as usize)),
            _ => false,
        };
        if is_off && matches!(line_item_type(cube, class), LineItemType::Credit | LineItemType::Refund) {
            let description = cube.value(class, KeyColumn::Description).unwrap_or_default();
            let sum = credits.entry((account, group, description, currency)).or_default();
            *sum = sum.plus(net)?;
        }
        if matches!(entry.treatment, Treatment::Allocated(_))
            || entry.left_out_of_aws_cost(cube, class).is_some()
        {
            continue;
        }
        let Some(group) = group else {
            let sum = ungrouped.entry((account, currency)).or_default();
            *sum = sum.plus(net)?;
            continue;
        };
        let of = costs.entry((group, cube.product(class), currency)).or_default();
        let charged = if entry.treatment.is_on_bill() { card.entries[number].amount } else { Amount::ZERO };
        *of = (of.0.plus(net.to_amount()?)?, of.1.plus(charged)?);
    }
    add_covered(cube, card, currency_of, &mut costs)?;
    add_items(cube, book, charges, &mut costs)?;
    found.ungrouped = ungrouped
        .into_iter()
        .map(|((account, currency), cost)| (account.to_owned(), currency, cost))
        .collect();
    found.credits = (credits.into_iter().filter(|(_, amount)| *amount < Cost::ZERO))
        .map(|((account, group, description, currency), amount)| {
            let (account, description) = (account.to_owned(), description.to_owned());
            Unreceived { account, group, description, currency, amount }
        })
        .collect();
    add_below_cost(&costs, &mut found)?;
    let without_base = derived.allocations.iter().filter(|of| of.empty_base && !of.kept.is_zero());
    found.allocations = without_base.map(|of| (of.allocation, of.currency, of.kept)).collect();
    Ok(found)
}

/// The allocations of which somebody has a part that is a charge, or goes on to another allocation.
fn dealt_out(derived: &Derived) -> BTreeSet<usize> {
    let has_part =
        |of: &&Allocated| of.parts.iter().any(|part| part.target != Target::Payer && !part.amount.is_zero());
    derived.allocations.iter().filter(has_part).map(|of| of.allocation).collect()
}

fn add_covered<'a>(
    cube: &'a Cube,
    card: &RateCard,
    currency_of: impl Fn(&ChargeClass) -> Currency,
    costs: &mut BTreeMap<Key<'a>, (Amount, Amount)>,
) -> Result<(), DecimalError> {
    for part in &card.covered {
        let class = part.class(cube);
        let of = costs.entry((part.group as usize, cube.product(class), currency_of(class))).or_default();
        for leaf in part.lines(cube) {
            of.1 = of.1.plus(leaf.amount)?;
        }
    }
    Ok(())
}

/// Adds what custom line items charge, but for those that deal out a shared cost.
fn add_items<'a>(
    cube: &'a Cube,
    book: &'a Book,
    charges: &[ItemCharge],
    costs: &mut BTreeMap<Key<'a>, (Amount, Amount)>,
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
fn add_below_cost(
    costs: &BTreeMap<Key<'_>, (Amount, Amount)>,
    found: &mut Findings,
) -> Result<(), DecimalError> {
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
