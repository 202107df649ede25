//! The amount of one line, and the decimal that an exported file holds of it.
//!
//! A line's amount is a function of that line and its class's entry alone, so any line can be priced on any machine.

use super::{Entry, Operation};
use crate::charge_class::{ChargeClass, Measure};
use crate::money::{Amount, DecimalError, Factor, Quantity, divide_half_away, product, ten_to};

/// How every line of a class is priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinePrice {
    /// A measure of the line times a factor, exactly.
    Scale(Measure, Factor),
    /// The line's part of what its class has of a tier pool: the class's amount by the class's usage.
    Share(Amount, Quantity),
    /// What nobody has used of a commitment, by the fee's own measures, exactly.
    Unused,
}

impl LinePrice {
    /// How the lines of a class are priced; `None` where the pro forma bill does not have them.
    #[must_use]
    pub fn of(class: &ChargeClass, entry: &Entry) -> Option<Self> {
        match (entry.treatment, entry.operation) {
            (_, Operation::Drop) => None,
            (_, Operation::Keep(measure)) => Some(Self::Scale(measure, Factor::ONE)),
            (_, Operation::Scale(measure, factor)) => Some(Self::Scale(measure, factor)),
            (_, Operation::KeepUnused) => Some(Self::Unused),
            (_, Operation::Rate(_)) => Some(Self::Share(entry.amount, class.sum(Measure::Usage))),
        }
    }

    /// A line's amount from its measures.
    ///
    /// A share is rounded half away from zero at twenty decimals, one of the named roundings; where the class's usage
    /// sums to 0 there is nothing to share by, and the class's amount stays with the residue.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn amount(&self, measure: impl Fn(Measure) -> Quantity) -> Result<Amount, DecimalError> {
        match *self {
            Self::Scale(of, factor) => product(measure(of), factor),
            Self::Share(amount, usage) => share_of_class(amount, measure(Measure::Usage), usage),
            Self::Unused => unused(measure)?.to_amount(),
        }
    }
}

/// What a commitment's fee pays for and nobody has used: of a reservation the unused parts of its month, of a Savings Plan what was not used of
/// what it commits to (AWS, "Understanding your reservations", "Understanding Savings Plans" in the Cost and Usage Report guide).
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn unused(measure: impl Fn(Measure) -> Quantity) -> Result<Quantity, DecimalError> {
    let of_reservation =
        measure(Measure::UnusedReservationRecurring).plus(measure(Measure::UnusedReservationUpfront))?;
    let of_plan =
        measure(Measure::SavingsPlanTotalCommitment).minus(measure(Measure::SavingsPlanUsedCommitment))?;
    of_reservation.plus(of_plan)
}

/// `amount × part / whole`, half away from zero.
fn share_of_class(amount: Amount, part: Quantity, whole: Quantity) -> Result<Amount, DecimalError> {
    if whole.is_zero() {
        return Ok(Amount::ZERO);
    }
    let negative = (amount.units() < 0) ^ (part.units() < 0) ^ (whole.units() < 0);
    let (part, whole) = (part.units().unsigned_abs(), whole.units().unsigned_abs());
    // A part may exceed the whole where other lines of the class are negative.
    let (times, rest) = (part / whole, part % whole);
    let rounded = crate::tier_pool::proportion_rounded(amount.units().unsigned_abs(), rest, whole);
    let units = amount.units().unsigned_abs().checked_mul(times).and_then(|units| units.checked_add(rounded));
    let units = units.and_then(|units| i128::try_from(units).ok()).ok_or(DecimalError::TooLarge)?;
    Amount::from_units(if negative { -units } else { units })
}

/// How many decimals an exported amount has at most.
pub const WRITTEN_DECIMALS_MAX: u32 = 14;
/// How many digits it has at most: as many as the shortest text of a double always keeps.
const WRITTEN_DIGITS_MAX: i128 = ten_to(15);

/// A decimal that a double holds and gives back: `digits × 10⁻ᵈᵉᶜⁱᵐᵃˡˢ`, with `|digits| < 10¹⁵`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The digits, signed.
    pub digits: i64,
    /// How many of them are decimals, at most [`WRITTEN_DECIMALS_MAX`].
    pub decimals: u32,
}

impl Written {
    /// The same decimal as an amount.
    #[must_use]
    pub fn amount(self) -> Amount {
        // At most 10¹⁵ × 10²⁰ units, and no more than the amount that was written, rounded.
        Amount::from_units(i128::from(self.digits) * ten_to(20 - self.decimals)).unwrap_or_default()
    }
}

/// The decimal that an exported file holds of an amount: at most fourteen decimals and fifteen digits, half away from zero.
///
/// One of the named roundings. Fifteen digits survive a double, so the shortest text of the double in the file is this
/// decimal, and a file's amounts can be added up exactly. What rounding takes away goes to the file's residue row.
#[must_use]
pub fn written_amount(amount: Amount) -> Written {
    let mut decimals = WRITTEN_DECIMALS_MAX;
    loop {
        let (digits, _) = divide_half_away(amount.units(), ten_to(20 - decimals));
        // An amount is at most 10¹⁵: with no decimal left it has fifteen digits, or is 10¹⁵ itself.
        if digits.abs() < WRITTEN_DIGITS_MAX || decimals == 0 {
            let digits = i64::try_from(digits).unwrap_or(i64::MAX);
            return Written { digits, decimals };
        }
        decimals -= 1;
    }
}

#[cfg(test)]
mod tests {
    //! Written decimals, and shares of lines.

    use super::*;

    fn written(text: &str) -> String {
        written_amount(Amount::parse(text).unwrap()).amount().to_string()
    }

    #[test]
    fn written_amounts_have_fourteen_decimals_and_fifteen_digits() {
        for (amount, expected) in [
            ("0", "0"),
            ("1.05", "1.05"),
            ("0.00000000000000499999", "0"),
            ("0.000000000000005", "0.00000000000001"),
            ("-0.000000000000005", "-0.00000000000001"),
            ("9.99999999999999", "9.99999999999999"),
            ("9.999999999999995", "10"),
            ("123.45678901234567", "123.456789012346"),
            ("999999999999999", "999999999999999"),
            ("1000000000000000", "1000000000000000"),
        ] {
            assert_eq!(written(amount), expected, "{amount}");
        }
    }

    #[test]
    fn a_line_of_a_pool_has_its_share() {
        let share = |amount: &str, part: &str, whole: &str| {
            let parse = |text| Quantity::parse(text).unwrap();
            let price = LinePrice::Share(Amount::parse(amount).unwrap(), parse(whole));
            price.amount(|_| parse(part)).unwrap().to_string()
        };
        assert_eq!(share("8.5", "150", "250"), "5.1");
        assert_eq!(share("8.5", "-150", "250"), "-5.1");
        assert_eq!(share("1", "2", "3"), "0.66666666666666666667");
        assert_eq!(share("1", "300", "100"), "3");
        assert_eq!(share("1", "5", "0"), "0");
    }
}
