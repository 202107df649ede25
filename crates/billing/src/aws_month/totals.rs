//! What a month comes to on both sides: amounts that each differ by little may differ by much together.

use super::{Part, Row};
use crate::money::{Amount, DecimalError, ten_to};
use std::collections::BTreeMap;

/// The last digit that answers have, the tenth decimal.
const LAST_DIGIT_UNITS: i128 = ten_to(10);

/// What all amounts of a kind come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// [`Part::Service`] is what the payer is charged, [`Part::BillingGroup`] a figure of all billing groups.
    pub part: Part,
    /// The figure of billing groups; of what the payer is charged, nothing.
    pub of: String,
    /// The currency.
    pub currency: String,
    /// What AWS says.
    pub aws: Amount,
    /// What is here.
    pub here: Amount,
    /// AWS's less what is here.
    pub difference: Amount,
    /// Whether the difference is within the tolerance, or no more than a last digit of each amount.
    pub agrees: bool,
}

/// The totals of what was compared, by currency. Products are in the figures of their group, accounts in the services.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn totals(rows: &[Row], tolerance: Amount) -> Result<Vec<Total>, DecimalError> {
    let mut sums: BTreeMap<(Part, &str, &str), ([Amount; 3], i128)> = BTreeMap::new();
    for row in rows {
        let of = match row.cell.part {
            Part::Service => "",
            Part::BillingGroup if !row.cell.currency.is_empty() => row.cell.of.as_str(),
            _ => continue,
        };
        let (sums, count) = sums.entry((row.cell.part, of, &row.cell.currency)).or_default();
        for (sum, amount) in sums.iter_mut().zip([row.aws, row.here, row.difference]) {
            *sum = sum.plus(amount)?;
        }
        *count += 1;
    }
    let total = |((part, of, currency), ([aws, here, difference], count)): (
        (Part, &str, &str),
        ([Amount; 3], i128),
    )| {
        let digits = LAST_DIGIT_UNITS.saturating_mul(count).unsigned_abs();
        let within = tolerance.units().unsigned_abs().max(digits);
        let agrees = difference.units().unsigned_abs() <= within;
        Total { part, of: of.to_owned(), currency: currency.to_owned(), aws, here, difference, agrees }
    };
    Ok(sums.into_iter().map(total).collect())
}
