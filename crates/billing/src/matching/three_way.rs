//! Three-way match: purchase order, invoice and cost data, held against each other.
//!
//! Cloud usage has no goods receipt; what was metered under the invoice's id stands for it. Tolerances classify and never choose: which order an
//! invoice is associated with is decided before, without them.

use super::converted;
use crate::money::{Amount, Currency, DecimalError, Percentage, times};
use crate::purchase_order::invoice::{InvoiceKind, MatchInvoice};

/// How far two amounts may be apart. Where both are set, both must hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tolerance {
    /// An absolute amount, in the currency of what is compared.
    pub amount: Option<Amount>,
    /// A percentage of what was expected.
    pub percent: Option<Percentage>,
}

/// What the operator asks of a match.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Terms {
    /// How far the invoice may be from the cost data.
    pub cost: Tolerance,
    /// How far the invoice may exceed what is left of its line.
    pub line: Tolerance,
    /// Whether an invoice without an order is an exception.
    pub require_order: bool,
    /// Invoices above this amount, in their currency, need an approval.
    pub approval_above: Option<Amount>,
}

/// Which way an amount is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// The invoice is above what was expected.
    Above,
    /// The invoice is below what was expected.
    Below,
}

/// What is compared with the invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Against {
    /// The lines of the cost data that have the invoice's id.
    CostData,
    /// What a billing group is charged for the month.
    Statement,
    /// What is left of the order's line for the invoice at present.
    LineBalance,
}

/// Two amounts that are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// What the invoice was compared with.
    pub against: Against,
    /// What was expected.
    pub expected: Amount,
    /// What the invoice says.
    pub found: Amount,
    /// By how much they are apart, 0 or more.
    pub by: Amount,
    /// Which way.
    pub direction: Direction,
}

/// Why a match is an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exception {
    /// The invoice has no order and must have one.
    NoOrder,
    /// It is held because no balance covers it.
    Held,
    /// The cost data has no line with the invoice's id, or the month shows no charges of the billing group.
    NoCostData,
    /// The cost data is in another currency than the invoice, and the invoice states no exchange between them.
    CurrencyMismatch(Currency),
    /// Amounts are further apart than tolerated.
    BeyondTolerance(Difference),
    /// The invoice is above the amount from which a person approves, and nobody has.
    NeedsApproval,
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ThreeWay {
    /// Everything agrees to the last digit.
    Matched,
    /// Amounts are apart, and within what is tolerated.
    WithinTolerance(Vec<Difference>),
    /// A person must look: every reason.
    Exception(Vec<Exception>),
    /// The invoice has no order, and none is required.
    Unmatched,
}

impl ThreeWay {
    /// The name on the wire.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Matched => "MATCHED",
            Self::WithinTolerance(_) => "MATCHED_WITHIN_TOLERANCE",
            Self::Exception(_) => "EXCEPTION",
            Self::Unmatched => "UNMATCHED",
        }
    }
}

/// Where an invoice is charged to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charged {
    /// To no order.
    Nowhere,
    /// To none yet: it is held because no balance covers it.
    Held,
    /// To a line whose balance is not followed.
    Untracked,
    /// To a line whose balance is followed; both in the order's currency.
    Tracked {
        /// What it takes; below 0 for a credit memo.
        used: Amount,
        /// What is left of the line, as it is worth now, after this invoice and those that were issued before it.
        left: Amount,
    },
}

/// What there is to compare an invoice with, beside its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Where that comes from.
    pub against: Against,
    /// The sum, tax included; below 0 of what gives back.
    pub amount: Amount,
    /// Its currency.
    pub currency: Currency,
}

/// Holds an invoice against its line and against what it should come to: for an invoice of AWS the cost that was metered under its id, taxes and credits
/// included, for a customer's the statement of its billing group. `None` is nothing to compare with. Whoever `is_approved` was looked at by a person.
///
/// A tracked line's balance is a bound from above, so that only an invoice above it is apart from it.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn three_way(
    invoice: &MatchInvoice,
    charged: Charged,
    expected: Option<Expected>,
    terms: Terms,
    is_approved: bool,
) -> Result<ThreeWay, DecimalError> {
    let mut exceptions = Vec::new();
    let mut differences = Vec::new();
    match charged {
        Charged::Nowhere if !terms.require_order => return Ok(ThreeWay::Unmatched),
        Charged::Nowhere => exceptions.push(Exception::NoOrder),
        Charged::Held => exceptions.push(Exception::Held),
        Charged::Tracked { used, left } => {
            let apart = above_balance(used, left)?;
            sort_out(apart, terms.line, &mut differences, &mut exceptions)?;
        }
        Charged::Untracked => {}
    }
    let total = signed(invoice);
    match expected {
        None => exceptions.push(Exception::NoCostData),
        Some(Expected { against, amount, currency }) => {
            // As whoever issued it did: what was metered, exchanged by the rate that the invoice states.
            match converted(amount, currency, invoice.currency, invoice.exchange)? {
                None => exceptions.push(Exception::CurrencyMismatch(currency)),
                Some(expected) => {
                    let apart = apart(against, expected.total, total)?;
                    sort_out(apart, terms.cost, &mut differences, &mut exceptions)?;
                }
            }
        }
    }
    if !is_approved && terms.approval_above.is_some_and(|most| magnitude(total) > most) {
        exceptions.push(Exception::NeedsApproval);
    }
    Ok(match () {
        () if !exceptions.is_empty() => ThreeWay::Exception(exceptions),
        () if !differences.is_empty() => ThreeWay::WithinTolerance(differences),
        () => ThreeWay::Matched,
    })
}

/// An invoice's total; below 0 of a credit memo, whichever sign it is listed with.
fn signed(invoice: &MatchInvoice) -> Amount {
    match invoice.kind {
        InvoiceKind::CreditMemo => magnitude(invoice.total).negated(),
        _ => invoice.total,
    }
}

/// By how much an invoice exceeds what its line has for it.
fn above_balance(used: Amount, left: Amount) -> Result<Option<Difference>, DecimalError> {
    let apart = apart(Against::LineBalance, left.plus(used)?, used)?;
    Ok(apart.filter(|it| it.direction == Direction::Above && used > Amount::ZERO))
}

fn apart(against: Against, expected: Amount, found: Amount) -> Result<Option<Difference>, DecimalError> {
    let by = found.minus(expected)?;
    let direction = if by > Amount::ZERO { Direction::Above } else { Direction::Below };
    let difference = Difference { against, expected, found, by: magnitude(by), direction };
    Ok((!by.is_zero()).then_some(difference))
}

fn sort_out(
    apart: Option<Difference>,
    tolerance: Tolerance,
    differences: &mut Vec<Difference>,
    exceptions: &mut Vec<Exception>,
) -> Result<(), DecimalError> {
    let Some(difference) = apart else { return Ok(()) };
    if is_tolerated(&difference, tolerance)? {
        differences.push(difference);
    } else {
        exceptions.push(Exception::BeyondTolerance(difference));
    }
    Ok(())
}

/// Whether a difference is within every bound that is set; without a bound none is tolerated.
fn is_tolerated(difference: &Difference, tolerance: Tolerance) -> Result<bool, DecimalError> {
    let by_amount = tolerance.amount.map(|most| difference.by <= most);
    let by_percent = match tolerance.percent {
        // A percentage has four decimals and a factor six: p/100 has the same units.
        Some(percent) => {
            let (most, _) =
                times(magnitude(difference.expected), crate::money::Factor::from_units(percent.units())?)?;
            Some(difference.by <= most)
        }
        None => None,
    };
    let bounds = [by_amount, by_percent];
    Ok(bounds.iter().any(Option::is_some) && bounds.iter().flatten().all(|holds| *holds))
}

/// The amount without its sign.
fn magnitude(amount: Amount) -> Amount {
    if amount < Amount::ZERO { amount.negated() } else { amount }
}
