//! The benefit of the payer's commitments, spread over all billing groups: `[sharing] commitments = "pro_rata"`, a policy beyond AWS.
//!
//! What a commitment has saved in the real bill, net of all that it cost, is a credit of the groups in proportion to the usage of each that
//! the commitment could cover; where it was not worth its cost, a fee. AWS has a sample that makes such custom line items once a month; here
//! they follow from the month. `docs/commitments.md` has the rule in words.

use crate::book::Book;
use crate::charge_class::{ChargeClass, Cube, KeyColumn, Measure};
use crate::class_kind::line_item_type;
use crate::commitment::{self, Commitment, Eligible, Terms};
use crate::cost_line::LineItemType;
use crate::coverage::{Coverage, Remainders, on_demand_measure, remainders, stays};
use crate::custom_line_item::{Charge, CustomLineItem, Kind, Origin};
use crate::fate::Fates;
use crate::membership::Membership;
use crate::money::{Amount, Currency, DecimalError, Quantity, product};
use crate::rate_card::unused;
use crate::sharing::Sharing;
use crate::tier_pool;
use std::collections::{BTreeMap, HashMap};

/// What a commitment of the payer has saved in the real bill, and what each group has of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Benefit {
    /// The commitment, by number in the inventory.
    pub commitment: usize,
    /// What the usage that it covered costs On-Demand.
    pub on_demand: Quantity,
    /// What the commitment cost, its unused part among it.
    pub cost: Quantity,
    /// `on_demand` − `cost`: below 0 where the commitment was not worth it.
    pub saved: Quantity,
    /// The groups with usage that the commitment could cover, in the order of the book: they sum to what was saved. Without any, the payer
    /// keeps it.
    pub parts: Vec<Part>,
}

/// What a billing group has of a benefit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The group, by number in the book.
    pub group: u32,
    /// Its weight: usage that the commitment could cover and that no commitment of the group covers, in instances or normalised units of a
    /// reservation, at On-Demand cost for a Savings Plan.
    pub eligible: Amount,
    /// Its part of what was saved.
    pub saved: Quantity,
}

/// The benefits of the payer's commitments in the order of the inventory; none under another policy.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn benefits(
    cube: &Cube,
    book: &Book,
    (commitments, fates): (&[Commitment], &Fates),
    coverage: Option<&Coverage>,
) -> Result<Vec<Benefit>, DecimalError> {
    let of_payer = |(_, commitment): &(usize, &Commitment)| commitment.owner == book.payer.as_str();
    if book.sharing != Sharing::ProRata || !commitments.iter().enumerate().any(|of| of_payer(&of)) {
        return Ok(Vec::new());
    }
    let real = RealBill::of(cube, book)?;
    let eligible = eligible(cube, book, (commitments, fates), coverage)?;
    let mut benefits = Vec::new();
    for (number, commitment) in commitments.iter().enumerate().filter(of_payer) {
        let Some(&(on_demand, cost)) = real.0.get(commitment.arn.as_str()) else { continue };
        let saved = on_demand.minus(cost)?;
        let mut weights: BTreeMap<u32, Amount> = BTreeMap::new();
        for usage in &eligible {
            if let Some(weight) = usage.weight(commitment)? {
                let sum = weights.entry(usage.group).or_default();
                *sum = sum.plus(weight)?;
            }
        }
        let (groups, weights): (Vec<u32>, Vec<Amount>) =
            weights.into_iter().filter(|(_, weight)| !weight.is_zero()).unzip();
        let shares = tier_pool::share_quantity(saved, &weights)?;
        let parts = groups.into_iter().zip(weights).zip(shares);
        let parts = parts.map(|((group, eligible), saved)| Part { group, eligible, saved }).collect();
        benefits.push(Benefit { commitment: number, on_demand, cost, saved, parts });
    }
    Ok(benefits)
}

/// What usage under each commitment costs On-Demand, and what the commitment cost, by ARN.
struct RealBill<'a>(HashMap<&'a str, (Quantity, Quantity)>);

impl<'a> RealBill<'a> {
    fn of(cube: &'a Cube, book: &Book) -> Result<Self, DecimalError> {
        let membership = Membership::new(cube, book);
        let has_its_part =
            |class: &ChargeClass| membership.group(class).is_some_and(|group| book.passes_through(group));
        let mut sums: HashMap<&str, (Quantity, Quantity)> = HashMap::new();
        for class in cube.classes.iter().filter(|class| !has_its_part(class)) {
            let Some(arn) = commitment::arn(cube, class) else { continue };
            let (on_demand, cost) = on_the_real_bill(cube, class)?;
            let sum = sums.entry(arn).or_default();
            *sum = (sum.0.plus(on_demand)?, sum.1.plus(cost)?);
        }
        Ok(Self(sums))
    }
}

/// What a class of a commitment adds to what was covered, at On-Demand cost, and to what the commitment cost.
fn on_the_real_bill(cube: &Cube, class: &ChargeClass) -> Result<(Quantity, Quantity), DecimalError> {
    let on_demand = class.sum(on_demand_measure(cube, class));
    Ok(match line_item_type(cube, class) {
        LineItemType::DiscountedUsage => (on_demand, class.sum(Measure::ReservationEffective)),
        LineItemType::SavingsPlanCoveredUsage => (on_demand, class.sum(Measure::SavingsPlanEffective)),
        LineItemType::RiFee | LineItemType::SavingsPlanRecurringFee => {
            (Quantity::ZERO, unused(|measure| class.sum(measure))?)
        }
        _ => (Quantity::ZERO, Quantity::ZERO),
    })
}

/// Usage of a group that no commitment of it covers.
struct Usage<'a> {
    group: u32,
    class: Eligible<'a>,
    usage: Quantity,
    on_demand: Quantity,
}

impl Usage<'_> {
    /// How much of it a commitment could cover.
    fn weight(&self, commitment: &Commitment) -> Result<Option<Amount>, DecimalError> {
        let takes = commitment.takes(&self.class);
        let weight = takes.map(|takes| match commitment.terms {
            Terms::Reservation(_) => product(self.usage, takes),
            Terms::SavingsPlan(_) => self.on_demand.to_amount(),
        });
        weight.transpose()
    }
}

/// The usage of all groups that commitments may cover and that none of the group's own covers.
fn eligible<'a>(
    cube: &'a Cube,
    book: &Book,
    (commitments, fates): (&[Commitment], &Fates),
    coverage: Option<&Coverage>,
) -> Result<Vec<Usage<'a>>, DecimalError> {
    let membership = Membership::new(cube, book);
    let told: &[Commitment] = if coverage.is_some() { commitments } else { &[] };
    let left: Remainders = match coverage {
        Some(coverage) => remainders(cube, &coverage.of_month()?)?,
        None => Remainders::default(),
    };
    let mut all = Vec::new();
    for (number, class) in Eligible::classes(cube) {
        let whole = &cube.classes[number as usize];
        // A group that shows what the level above is invoiced has its part of the real bill.
        let group = membership.group(whole).filter(|group| !book.passes_through(*group));
        // What is dealt out is nobody's own usage.
        let Some(group) = group.filter(|_| !fates.is_source(number as usize)) else { continue };
        // The benefit is in the book's currency, like the commitments.
        if cube.value(whole, KeyColumn::Currency).and_then(Currency::parse) != Some(book.currency) {
            continue;
        }
        let left = left.get(&number).unwrap_or(whole);
        let usage = left.sum(Measure::Usage);
        if usage > Quantity::ZERO && !stays(cube, whole, told, &membership, group) {
            let on_demand = left.sum(on_demand_measure(cube, whole)).max(Quantity::ZERO);
            all.push(Usage { group, class, usage, on_demand });
        }
    }
    Ok(all)
}

/// The custom line items that the benefits are for the groups: of each kind of commitment one, in the order of the book. What cancels out, or is
/// in another currency than the book, is none.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn items(
    cube: &Cube,
    book: &Book,
    commitments: &[Commitment],
    benefits: &[Benefit],
) -> Result<Vec<CustomLineItem>, DecimalError> {
    let mut sums: BTreeMap<(u32, &'static str), Quantity> = BTreeMap::new();
    for benefit in benefits {
        let name = match commitments[benefit.commitment].terms {
            Terms::Reservation(_) => "Reserved Instances, pro rata",
            Terms::SavingsPlan(_) => "Savings Plans, pro rata",
        };
        for part in &benefit.parts {
            let sum = sums.entry((part.group, name)).or_default();
            *sum = sum.plus(part.saved)?;
        }
    }
    let of_sum = |((group, name), saved): ((u32, &'static str), Quantity)| {
        let kind = if saved < Quantity::ZERO { Kind::Fee } else { Kind::Credit };
        let value = if kind == Kind::Fee { saved.negated() } else { saved };
        CustomLineItem {
            name: name.to_owned(),
            description: DESCRIPTION.to_owned(),
            billing_group: group as usize,
            kind,
            charge: Charge::Flat(value),
            currency: None,
            account: book.groups[group as usize].primary_account.clone(),
            presentation_service: None,
            start: cube.period,
            end: Some(cube.period.next()),
            corrects: None,
            origin: Some(Origin::Sharing),
        }
    };
    Ok(sums.into_iter().filter(|(_, saved)| !saved.is_zero()).map(of_sum).collect())
}

/// What the customer reads beside it.
const DESCRIPTION: &str = "What shared commitments have saved, by the usage that they could cover";

/// Whether commitments are billed in another currency than the book's, in which their benefit would stand.
#[must_use]
pub fn is_in_another_currency(cube: &Cube, book: &Book) -> bool {
    let other = |class: &ChargeClass| {
        let currency = cube.value(class, KeyColumn::Currency).and_then(Currency::parse);
        currency.is_some_and(|currency| currency != book.currency)
    };
    cube.classes.iter().any(|class| commitment::arn(cube, class).is_some() && other(class))
}
