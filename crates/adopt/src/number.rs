//! The one place where a double of the API becomes a decimal.

use billing::money::{Decimal, DecimalError};

/// A number as the SDK hands it over: the API writes JSON numbers, and the SDK reads them as doubles.
pub type Double = f64;

/// The decimal that somebody has written: the shortest text that is this double, without an exponent.
///
/// # Errors
/// [`DecimalError`]: not a number, more decimals than the scale has, or too large.
pub fn decimal<const SCALE: u32>(double: Double) -> Result<Decimal<SCALE>, DecimalError> {
    Decimal::parse(&format!("{double}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(double: Double, expected: &str) {
        assert_eq!(decimal::<10>(double).map(|it| it.to_string()), Ok(expected.to_owned()));
    }

    #[test]
    fn a_double_is_read_from_its_shortest_text() {
        check(0.1, "0.1");
        check(10.25, "10.25");
        check(0.0, "0");
        check(1e-8, "0.00000001");
        check(0.0000000001, "0.0000000001");
        check(1_000_000.0, "1000000");
        check(99.9999, "99.9999");
    }

    #[test]
    fn nothing_is_rounded() {
        assert_eq!(decimal::<4>(33.33333), Err(DecimalError::TooManyDecimals(4)));
        assert_eq!(decimal::<4>(Double::NAN), Err(DecimalError::NotANumber));
        assert_eq!(decimal::<4>(Double::INFINITY), Err(DecimalError::NotANumber));
        assert_eq!(decimal::<10>(1e30), Err(DecimalError::TooLarge));
    }
}
