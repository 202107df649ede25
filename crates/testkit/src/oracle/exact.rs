//! Numbers that never round unless asked: 40 decimals, any size.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub};

use num_bigint::{BigInt, Sign};

use crate::amount::Amount;

/// Ten decimals of a cost or ten of a usage and ten of a rate, six of a factor, six of a percentage: 32 at most.
const DECIMALS: u32 = 40;

/// An exact decimal number.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exact(BigInt);

fn ten_to(power: u32) -> BigInt {
    BigInt::from(10).pow(power)
}

impl Exact {
    /// Reads plain decimal text.
    ///
    /// # Panics
    /// When the text is no plain decimal.
    pub fn of(text: &str) -> Self {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let places = u32::try_from(decimals.len()).expect("a short text");
        let units: BigInt =
            format!("{whole}{decimals}").parse().unwrap_or_else(|_| panic!("`{text}` is no decimal"));
        let value = units * ten_to(DECIMALS - places);
        Self(if text.starts_with('-') { -value } else { value })
    }

    /// Returns the product.
    ///
    /// # Panics
    /// When the product has more decimals than this type: it must never round by itself.
    pub fn times(&self, other: &Self) -> Self {
        let product = &self.0 * &other.0;
        let quotient = &product / ten_to(DECIMALS);
        assert!(&quotient * ten_to(DECIMALS) == product, "a product has more than {DECIMALS} decimals");
        Self(quotient)
    }

    /// Returns the product with a percentage, a hundredth each.
    pub fn percent(&self, percentage: &Self) -> Self {
        self.times(percentage).times(&Self::of("0.01"))
    }

    /// Returns the number rounded half away from zero to so many decimals.
    pub fn rounded(&self, decimals: u32) -> Self {
        let unit = ten_to(DECIMALS - decimals);
        let (sign, magnitude) = (self.0.sign(), BigInt::from(self.0.magnitude().clone()));
        let units: BigInt = (magnitude + &unit / 2) / &unit;
        let value: BigInt = units * unit;
        Self(if sign == Sign::Minus { -value } else { value })
    }

    /// Returns this number as a percentage of another, half away from zero at four decimals; 0 of nothing.
    pub fn percentage_of(&self, whole: &Self) -> Self {
        if whole.is_zero() {
            return Self::default();
        }
        // Units of a ten-thousandth percent, plus a half: floor((2n + d) / 2d) of the magnitudes.
        let is_negative = self.is_negative() != whole.is_negative();
        let part = BigInt::from(self.0.magnitude().clone()) * BigInt::from(1_000_000);
        let whole = BigInt::from(whole.0.magnitude().clone());
        let quotient: BigInt = (part * 2 + &whole) / (whole * 2);
        let magnitude = Self(quotient * ten_to(DECIMALS - 4));
        if is_negative { -magnitude } else { magnitude }
    }

    /// Returns whether this is nothing.
    pub fn is_zero(&self) -> bool {
        self.0.sign() == Sign::NoSign
    }

    /// Returns whether this is below nothing.
    pub fn is_negative(&self) -> bool {
        self.0.sign() == Sign::Minus
    }
}

impl From<Amount> for Exact {
    fn from(amount: Amount) -> Self {
        Self(BigInt::from(amount.0) * ten_to(DECIMALS - 10))
    }
}

/// Prints a plain decimal without an exponent and without zeros at its end.
impl fmt::Display for Exact {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:0>41}", self.0.magnitude().to_string());
        let (whole, decimals) = digits.split_at(digits.len() - 40);
        let sign = if self.is_negative() { "-" } else { "" };
        let text = format!("{sign}{whole}.{decimals}");
        formatter.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl Add<&Self> for Exact {
    type Output = Self;
    fn add(self, other: &Self) -> Self {
        Self(self.0 + &other.0)
    }
}

impl Sub<&Self> for Exact {
    type Output = Self;
    fn sub(self, other: &Self) -> Self {
        Self(self.0 - &other.0)
    }
}

impl Neg for Exact {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign<&Self> for Exact {
    fn add_assign(&mut self, other: &Self) {
        self.0 += &other.0;
    }
}

impl<'a> Sum<&'a Self> for Exact {
    fn sum<I: Iterator<Item = &'a Self>>(numbers: I) -> Self {
        numbers.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_rounding_and_shares() {
        assert_eq!(Exact::of("-0.50").to_string(), "-0.5");
        assert_eq!(Exact::of("1200").to_string(), "1200");
        assert_eq!(Exact::of("0.00000000015").rounded(10), Exact::of("0.0000000002"));
        assert_eq!(Exact::of("-0.00000000015").rounded(10), Exact::of("-0.0000000002"));
        assert_eq!(Exact::of("20").percentage_of(&Exact::of("100")), Exact::of("20"));
        assert_eq!(Exact::of("1").percentage_of(&Exact::of("3")), Exact::of("33.3333"));
        assert_eq!(Exact::of("-1").percentage_of(&Exact::of("3")), Exact::of("-33.3333"));
        assert_eq!(Exact::of("0.0000005").percentage_of(&Exact::of("1")), Exact::of("0.0001"));
        assert_eq!(Exact::of("0.0000005").percentage_of(&Exact::of("-1")), Exact::of("-0.0001"));
        assert_eq!(Exact::of("-0.0000004").percentage_of(&Exact::of("-1")), Exact::default());
        assert_eq!(Exact::of("11").percent(&Exact::of("12.5")), Exact::of("1.375"));
    }
}
