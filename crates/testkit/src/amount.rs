//! The exact number of a cost file: ten decimals, no more, never a float.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Neg, Sub};
use std::str::FromStr;

/// One, in units of an [`Amount`].
pub const ONE: i128 = 10_000_000_000;

/// A fixed-point number with ten decimals; the field counts units of 1e-10.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(pub i128);

/// A text that is no decimal of at most ten places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAnAmount(pub String);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Returns a whole number as an amount.
    pub const fn whole(value: i128) -> Self {
        Self(value * ONE)
    }

    /// Returns the text with all ten decimals, as AWS writes rates: `0.0104000000`.
    pub fn to_fixed(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let units = self.0.unsigned_abs();
        let one = ONE.unsigned_abs();
        format!("{sign}{}.{:010}", units / one, units % one)
    }

    /// Returns the nearest double, as Parquet files hold it.
    pub fn to_double(self) -> f64 {
        self.to_string().parse().expect("a plain decimal is a double")
    }

    /// Returns quantity times rate, rounded half away from zero to ten decimals.
    pub fn times(self, rate: Self) -> Self {
        Self(divide_half_away(self.0 * rate.0, ONE))
    }
}

/// Divides by a positive number, rounding half away from zero.
pub fn divide_half_away(dividend: i128, divisor: i128) -> i128 {
    let quotient = dividend / divisor;
    let rest = (dividend % divisor).abs();
    if rest * 2 >= divisor { quotient + dividend.signum() } else { quotient }
}

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fixed = self.to_fixed();
        formatter.write_str(fixed.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl FromStr for Amount {
    type Err = NotAnAmount;

    fn from_str(text: &str) -> Result<Self, NotAnAmount> {
        let refuse = || NotAnAmount(text.to_owned());
        let (sign, digits) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text),
        };
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || decimals.len() > 10 || !is_number(whole) || !is_number(decimals) {
            return Err(refuse());
        }
        let units: i128 = format!("{whole}{decimals:0<10}").parse().map_err(|_| refuse())?;
        Ok(Self(sign * units))
    }
}

/// Reads an amount that the caller wrote down.
///
/// # Panics
/// When the text is no decimal of at most ten places: a mistake in the test.
pub fn amount(text: &str) -> Amount {
    text.parse().unwrap_or_else(|NotAnAmount(text)| panic!("`{text}` is no decimal of at most ten places"))
}

impl Add for Amount {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Amount {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Amount {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Mul<i128> for Amount {
    type Output = Self;
    fn mul(self, factor: i128) -> Self {
        Self(self.0 * factor)
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        for (text, printed, fixed) in [
            ("24", "24", "24.0000000000"),
            ("24.0000000000", "24", "24.0000000000"),
            ("-0.0000000001", "-0.0000000001", "-0.0000000001"),
            ("100.5", "100.5", "100.5000000000"),
            ("0", "0", "0.0000000000"),
        ] {
            assert_eq!(amount(text).to_string(), printed);
            assert_eq!(amount(text).to_fixed(), fixed);
        }
        for text in ["", "1e3", "0.00000000001", "1.2.3", "+1", ".5"] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
    }

    #[test]
    fn products_round_half_away_from_zero() {
        assert_eq!(amount("0.0000000001").times(amount("0.5")), Amount(1));
        assert_eq!(amount("-0.0000000001").times(amount("0.5")), Amount(-1));
        assert_eq!(amount("0.0000000001").times(amount("0.49")), Amount(0));
    }
}
