//! The numbers of a write: the digits that a client wrote become exact decimals. The three roundings of the AWS API are here, each by name.

use crate::configuration::{Refusal, ValidationReason};
use crate::money::{Cost, Decimal, DecimalError, Percentage, ten_to};

/// The largest flat charge.
const FLAT_MAX: i128 = 1_000_000;
/// The largest percentage of a custom line item.
const PERCENTAGE_MAX: i128 = 10_000;

/// The `ModifierPercentage` of a pricing rule: rounded half up to two decimals, as AWS documents it (AWS Billing Conductor API reference,
/// `CreatePricingRule`); how it rounds a half is not documented. A book's percentages have up to four.
///
/// # Errors
/// [`ValidationReason::IllegalModifierPercentage`] for a number below 0 or beyond all amounts, and for what is none.
pub fn modifier_percentage(digits: &str) -> Result<Percentage, Refusal> {
    let refused = |why: &str| {
        let message = format!("`{digits}` is not a modifier percentage: {why}");
        Refusal::invalid(ValidationReason::IllegalModifierPercentage, message)
    };
    match Number::parse(digits).and_then(|number| number.rounded(2)) {
        Ok(percentage) if percentage < Percentage::ZERO || is_negative(digits) => {
            Err(refused("it is negative; the type says the sign, MARKUP adds and DISCOUNT takes away"))
        }
        Ok(percentage) => Ok(percentage),
        Err(error) => Err(refused(&error.to_string())),
    }
}

/// The `ChargeValue` of a flat custom line item, from 0 to 1,000,000: rounded half up to the ten decimals that every cost has. AWS takes a
/// double and names no number of decimals; its own samples send sixteen.
///
/// # Errors
/// `reason` for a number that is not in the range, and for what is none.
pub fn flat_charge_value(digits: &str, reason: ValidationReason) -> Result<Cost, Refusal> {
    within(digits, FLAT_MAX, 10, reason)
}

/// The `PercentageValue` of a custom line item, from 0 to 10,000: rounded half up to the four decimals that every percentage has. AWS takes a
/// double and names no number of decimals.
///
/// # Errors
/// `reason` for a number that is not in the range, and for what is none.
pub fn percentage_value(digits: &str, reason: ValidationReason) -> Result<Percentage, Refusal> {
    within(digits, PERCENTAGE_MAX, 4, reason)
}

fn within<const SCALE: u32>(
    digits: &str,
    most: i128,
    decimals: u32,
    reason: ValidationReason,
) -> Result<Decimal<SCALE>, Refusal> {
    let refused = |why: &str| Refusal::invalid(reason, format!("`{digits}` is not a charge value: {why}"));
    let number = Number::parse(digits).and_then(|number| number.rounded(decimals));
    let number: Decimal<SCALE> = number.map_err(|error| refused(&error.to_string()))?;
    if is_negative(digits) {
        return Err(refused("it is negative; the type says the sign, FEE adds and CREDIT takes away"));
    }
    if number.units() > most * ten_to(SCALE) {
        return Err(refused(&format!("at most {most} is allowed")));
    }
    Ok(number)
}

/// The number of a JSON text, without rounding.
///
/// # Errors
/// [`DecimalError`], in the order of its variants.
pub(super) fn exact<const SCALE: u32>(digits: &str) -> Result<Decimal<SCALE>, DecimalError> {
    let number = Number::parse(digits)?;
    if number.point + i64::from(SCALE) < i64::try_from(number.digits.len()).unwrap_or(i64::MAX) {
        return Err(DecimalError::TooManyDecimals(SCALE));
    }
    number.rounded(SCALE)
}

/// Whether a text that is a number is below 0; `-0` is not.
fn is_negative(digits: &str) -> bool {
    Number::parse(digits).is_ok_and(|number| number.negative && !number.digits.is_empty())
}

/// A number as JSON writes it: `0.DIGITS × 10^point`. The digits begin and end with none that is 0.
struct Number {
    negative: bool,
    digits: Vec<u8>,
    point: i64,
}

impl Number {
    /// Reads `-?digits(.digits)?([eE][+-]?digits)?`.
    fn parse(text: &str) -> Result<Self, DecimalError> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let unsigned = mantissa.strip_prefix('-').unwrap_or(mantissa);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        let plain = |s: &str| !s.is_empty() && s.bytes().all(|byte| byte.is_ascii_digit());
        let power = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if !plain(whole) || !plain(fraction) || !plain(power) {
            return Err(DecimalError::NotANumber);
        }
        // An exponent of more digits than fit is as good as the largest: the number is 0, or beyond all amounts.
        let power = power.parse().unwrap_or(i64::from(i32::MAX)).min(i64::from(i32::MAX));
        let power = if exponent.starts_with('-') { -power } else { power };
        let all = || whole.bytes().chain(fraction.bytes());
        let zeros = all().take_while(|byte| *byte == b'0').count();
        let mut digits: Vec<u8> = all().skip(zeros).map(|byte| byte - b'0').collect();
        digits.truncate(digits.iter().rposition(|digit| *digit != 0).map_or(0, |last| last + 1));
        let length = |count: usize| i64::try_from(count).unwrap_or(i64::MAX / 4);
        Ok(Self {
            negative: mantissa.starts_with('-'),
            digits,
            point: length(whole.len()) - length(zeros) + power,
        })
    }

    /// Rounds half away from zero at a number of decimals, at most those of the scale.
    fn rounded<const SCALE: u32>(&self, decimals: u32) -> Result<Decimal<SCALE>, DecimalError> {
        let kept = self.point + i64::from(decimals);
        if self.digits.is_empty() || kept < 0 {
            return Ok(Decimal::ZERO);
        }
        // More digits than any amount has.
        let kept = usize::try_from(kept).ok().filter(|kept| *kept <= 38).ok_or(DecimalError::TooLarge)?;
        let mut units: i128 = 0;
        for digit in self.digits.iter().chain(std::iter::repeat(&0)).take(kept) {
            let next = units.checked_mul(10).and_then(|units| units.checked_add(i128::from(*digit)));
            units = next.ok_or(DecimalError::TooLarge)?;
        }
        if self.digits.get(kept).is_some_and(|digit| *digit >= 5) {
            units += 1;
        }
        let units = units.checked_mul(ten_to(SCALE - decimals)).ok_or(DecimalError::TooLarge)?;
        Decimal::from_units(if self.negative { -units } else { units })
    }
}

#[cfg(test)]
mod tests {
    //! Digits, exponents and halves.

    use super::*;

    #[test]
    fn a_modifier_has_two_decimals_rounded_half_up() {
        for (digits, expected) in [
            ("10", "10"),
            ("100.005", "100.01"),
            ("100.0049999999999999999999999999999999999999", "100"),
            ("0.005", "0.01"),
            ("0.0049", "0"),
            ("12.345678", "12.35"),
            ("1e9", "1000000000"),
            ("1.5E+1", "15"),
            ("125e-1", "12.5"),
            ("5e-3", "0.01"),
            ("1e-400", "0"),
            ("1e-99999999999999999999", "0"),
            ("-0", "0"),
            ("0e400", "0"),
        ] {
            assert_eq!(modifier_percentage(digits).unwrap().to_string(), expected, "{digits}");
        }
        for digits in ["-1", "-0.001", "1e400", "1e99999999999999999999", "NaN", "", "1.", ".5", "1e", "0x1"]
        {
            assert!(
                matches!(
                    modifier_percentage(digits),
                    Err(Refusal::Validation { reason: ValidationReason::IllegalModifierPercentage, .. })
                ),
                "{digits}"
            );
        }
    }

    #[test]
    fn charges_keep_what_a_cost_and_a_percentage_hold() {
        let reason = ValidationReason::IllegalChargeDetails;
        let flat = |digits| flat_charge_value(digits, reason).map(|value| value.to_string());
        assert_eq!(flat("1.3174041197333335").unwrap(), "1.3174041197");
        assert_eq!(flat("0.00000000005").unwrap(), "0.0000000001");
        assert_eq!(flat("1000000").unwrap(), "1000000");
        for digits in ["1000000.01", "1000000.0000000001", "-1", "-0.00000000001", "NaN"] {
            assert!(flat(digits).is_err(), "{digits}");
        }
        let percentage = |digits| percentage_value(digits, reason).map(|value| value.to_string());
        assert_eq!(percentage("38.88888888888889").unwrap(), "38.8889");
        assert_eq!(percentage("1e4").unwrap(), "10000");
        assert!(percentage("10001").is_err() && percentage("10000.0001").is_err());
    }

    #[test]
    fn exact_numbers_are_not_rounded() {
        assert_eq!(exact::<10>("1e-10").unwrap().to_string(), "0.0000000001");
        assert_eq!(exact::<10>("0.12345678900000").unwrap().to_string(), "0.123456789");
        assert_eq!(exact::<10>("1e-11"), Err(DecimalError::TooManyDecimals(10)));
        assert_eq!(exact::<10>("0.00000000001e1").unwrap().to_string(), "0.0000000001");
        assert_eq!(exact::<10>("1e15").unwrap().to_string(), "1000000000000000");
        assert_eq!(exact::<10>("1e16"), Err(DecimalError::TooLarge));
        assert_eq!(exact::<10>("one"), Err(DecimalError::NotANumber));
    }
}
