//! Derived items: the custom line items that policies of the book make from a priced month, and the arithmetic behind each.
//!
//! Allocations come first, step by step, then support fees and shares of payer commitments, and last minimums, which look at all that is on a
//! bill by then. `docs/policies.md` has the rules in words.

mod allocations;
mod commitments;
mod lines;
mod minimums;
mod support;
mod weights;

use crate::account::AccountId;
use crate::book::Book;
use crate::charge_class::Cube;
use crate::custom_line_item::{Charge, Computed, CustomLineItem, Kind, Origin};
use crate::fate::Fates;
use crate::money::{Amount, Cost, Currency, DecimalError, Percentage, Quantity};
use crate::policy::Target;
use crate::rate_card::{PricingError, RateCard};
use lines::OwnLines;

/// What the policies of a book come to in a month.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Derived {
    /// The custom line items, in the order in which they were made.
    pub items: Vec<CustomLineItem>,
    /// What became of the source of each allocation in force, by step and name, and currency; where there was nothing to deal out, of nothing.
    pub allocations: Vec<Allocated>,
    /// The support fees, by name and group.
    pub support_fees: Vec<SupportCharge>,
    /// Who stands for payer commitments, by name and group.
    pub shortfalls: Vec<Shortfall>,
    /// The minimums, by group.
    pub minimums: Vec<ToppedUp>,
}

/// What became of an allocation's source in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocated {
    /// The allocation, by number in the book.
    pub allocation: usize,
    /// The currency.
    pub currency: Currency,
    /// The source, with what other allocations have fed into it.
    pub source: Cost,
    /// The parts, in the order in which they are dealt out; they sum to the source, but for what the payer keeps.
    pub parts: Vec<Part>,
    /// Whether there was nothing to weigh by.
    pub empty_base: bool,
    /// What nobody is charged for want of a base.
    pub kept: Cost,
}

/// What a target has of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Who.
    pub target: Target,
    /// What it weighs, as measured: below 0 counts as 0.
    pub weight: Amount,
    /// Its weight in percent of all, half away from zero at four decimals.
    pub share: Percentage,
    /// Its part of the source.
    pub amount: Cost,
}

/// A support fee of a billing group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportCharge {
    /// The fee, by number in the book.
    pub fee: usize,
    /// The group, by number in the book.
    pub group: usize,
    /// What it is worked out from.
    pub spend: Amount,
    /// What the tiers come to.
    pub by_tiers: Amount,
    /// What is charged: no less than the minimum.
    pub amount: Amount,
}

/// What a billing group, or the payer, is short of its share of a payer commitment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortfall {
    /// The commitment, by number in the book.
    pub commitment: usize,
    /// The group, by number in the book; `None` for the payer and all who have no share.
    pub group: Option<usize>,
    /// Its share, in percent.
    pub percentage: Percentage,
    /// What that comes to.
    pub share: Amount,
    /// What it spent.
    pub spent: Quantity,
    /// What it is short of its share; not below 0.
    pub short: Amount,
    /// What it is charged: of the payer, what it bears.
    pub charged: Amount,
}

/// A minimum of a billing group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToppedUp {
    /// The minimum, by number in the book.
    pub minimum: usize,
    /// What the group pays at least.
    pub floor: Amount,
    /// What is on its bill without that.
    pub charged: Amount,
    /// What is missing; not below 0.
    pub missing: Amount,
}

/// Why policies cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A target that the month does not have.
    #[error("allocation `{allocation}`: {why}")]
    Target {
        /// The allocation.
        allocation: String,
        /// What is wrong, naming the target and the way out.
        why: String,
    },
    /// Usage in two units cannot be weighed.
    #[error(
        "allocation `{allocation}`: the usage that it is weighed by is in `{one}` and in `{other}`; narrow `weigh_lines` to usage in one unit"
    )]
    Units {
        /// The allocation.
        allocation: String,
        /// A pricing unit.
        one: String,
        /// Another.
        other: String,
    },
    /// Nothing to weigh by, where the book says that this must not be.
    #[error(
        "allocation `{allocation}`: nothing weighs anything, and {source_cost} {currency} cannot be dealt out; its `empty_base` is `fail`"
    )]
    EmptyBase {
        /// The allocation.
        allocation: String,
        /// What cannot be dealt out.
        source_cost: Cost,
        /// Its currency.
        currency: Currency,
    },
    /// A sum is beyond what money can hold.
    #[error("{what}: an amount is {source}")]
    TooLarge {
        /// The policy.
        what: String,
        /// The cap.
        source: DecimalError,
    },
    /// Custom line items cannot be charged.
    #[error(transparent)]
    Pricing(#[from] PricingError),
}

/// Works out what the policies of a book come to in a priced month.
///
/// # Errors
/// [`PolicyError`].
pub fn derive(cube: &Cube, book: &Book, card: &RateCard) -> Result<Derived, PolicyError> {
    let mut derived = Derived::default();
    if book.policies.is_empty() {
        return Ok(derived);
    }
    let own = OwnLines::new(cube, book, card);
    allocations::make(&own, &mut derived)?;
    support::charge(&own, &mut derived)?;
    commitments::charge(&own, &mut derived)?;
    minimums::charge(&own, &mut derived)?;
    Ok(derived)
}

/// The fates of the classes, which the card has.
impl<'a> OwnLines<'a> {
    fn fates(&self) -> &'a Fates {
        &self.card.fates
    }
}

/// Where a derived charge stands.
struct Place<'a> {
    origin: Origin,
    group: usize,
    account: &'a AccountId,
    service: Option<&'a String>,
}

/// How a charge is told: to the customer, and to the operator, who may read what AWS charges.
struct Told {
    description: String,
    arithmetic: String,
}

impl Told {
    /// The same to both.
    fn to_all(text: String) -> Self {
        Self { description: text.clone(), arithmetic: text }
    }
}

/// The custom line item of a charge: a fee, or below 0 a credit; none of 0.
fn item(
    own: &OwnLines<'_>,
    place: Place<'_>,
    name: String,
    told: Told,
    (amount, currency): (Amount, Currency),
) -> Option<CustomLineItem> {
    // On a bill that is passed through AWS lets nothing stand under another service.
    let passes_through = u32::try_from(place.group).is_ok_and(|group| own.book.passes_through(group));
    let kind = if amount < Amount::ZERO { Kind::Credit } else { Kind::Fee };
    let amount = if kind == Kind::Credit { amount.negated() } else { amount };
    let Told { description, arithmetic } = told;
    (!amount.is_zero()).then(|| CustomLineItem {
        name,
        description,
        billing_group: place.group,
        kind,
        charge: Charge::Computed(Computed { amount, currency, arithmetic }),
        currency: None,
        account: place.account.clone(),
        presentation_service: place.service.filter(|_| !passes_through).cloned(),
        start: own.cube.period,
        end: Some(own.cube.period.next()),
        corrects: None,
        origin: Some(place.origin),
    })
}
