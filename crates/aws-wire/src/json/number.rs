//! A number as its digits.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A JSON number, as it was written: `1e-08` stays `1e-08`.
///
/// `==` compares the text; [`Number::compare`] compares what it says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Number(String);

/// A number that is not what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NumberError {
    #[error("`{0}` is not a JSON number")]
    Form(String),

    #[error("`{number}` has {digits} digits as a plain decimal, at most {digits_max} are read")]
    TooLong { number: String, digits: u64, digits_max: u64 },
}

/// Sign, digits without zeros at either end, and the power of ten of the first digit plus one: 0.DIGITS × 10^point.
struct Parts {
    negative: bool,
    digits: String,
    point: i128,
}

impl Number {
    /// The text as it came.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A whole number that fits; `1e2` and `100.0` are 100.
    pub fn to_i64(&self) -> Option<i64> {
        self.whole()?.parse().ok()
    }

    /// A whole number that fits.
    pub fn to_u64(&self) -> Option<u64> {
        self.whole()?.parse().ok()
    }

    /// The plain decimal of the same value: no exponent, no zeros at the end of the fraction, no sign of a zero. `digits_max` bounds the
    /// digits on both sides of the point, so that `1e999999999` costs nothing.
    pub fn decimal(&self, digits_max: u64) -> Result<String, NumberError> {
        let parts = self.parts();
        let length = parts.digits.len() as i128;
        if length == 0 {
            return Ok("0".to_owned());
        }
        let whole = parts.point.max(1);
        let fraction = (length - parts.point).max(0);
        let digits = whole + fraction;
        if digits > i128::from(digits_max) {
            let digits = u64::try_from(digits).unwrap_or(u64::MAX);
            return Err(NumberError::TooLong { number: self.0.clone(), digits, digits_max });
        }
        let zeros = |count: i128| "0".repeat(usize::try_from(count).unwrap_or(0));
        let mut text = if parts.negative { "-".to_owned() } else { String::new() };
        if parts.point <= 0 {
            text += &format!("0.{}{}", zeros(-parts.point), parts.digits);
        } else if length <= parts.point {
            text += &format!("{}{}", parts.digits, zeros(parts.point - length));
        } else {
            let (before, after) = parts.digits.split_at(usize::try_from(parts.point).unwrap_or(0));
            text += &format!("{before}.{after}");
        }
        Ok(text)
    }

    /// By value, exactly, whatever the exponents.
    pub fn compare(&self, other: &Self) -> Ordering {
        let (a, b) = (self.parts(), other.parts());
        let sign = |parts: &Parts| match (parts.digits.is_empty(), parts.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let (sign_a, sign_b) = (sign(&a), sign(&b));
        if sign_a != sign_b || sign_a == 0 {
            return sign_a.cmp(&sign_b);
        }
        // Digits without zeros at the end compare as text: a prefix is the smaller.
        let size = a.point.cmp(&b.point).then_with(|| a.digits.cmp(&b.digits));
        if sign_a < 0 { size.reverse() } else { size }
    }

    /// Whether a double can hold it without becoming infinite: below 10^308.
    pub(crate) fn is_in_range_of_a_double(&self) -> bool {
        let parts = self.parts();
        parts.digits.is_empty() || parts.point <= 308
    }

    /// The digits of a whole number with its sign. 40 digits are more than any integer type here has.
    fn whole(&self) -> Option<String> {
        self.decimal(40).ok().filter(|text| !text.contains('.'))
    }

    fn parts(&self) -> Parts {
        let (negative, unsigned) = match self.0.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, self.0.as_str()),
        };
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        // An exponent of more digits than `i64` has is as good as its bounds: no mantissa is that long.
        let bound = if exponent.starts_with('-') { i64::MIN } else { i64::MAX };
        let exponent: i64 = exponent.parse().unwrap_or(bound);
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let significant = all.trim_start_matches('0');
        let leading = all.len() - significant.len();
        let point = whole.len() as i128 - leading as i128 + i128::from(exponent);
        Parts { negative, digits: significant.trim_end_matches('0').to_owned(), point }
    }
}

/// Whether text has the form of a JSON number (RFC 8259, section 6).
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|it| digits(it.strip_prefix(['+', '-']).unwrap_or(it)))
}

impl FromStr for Number {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        if is_number(text) { Ok(Self(text.to_owned())) } else { Err(NumberError::Form(text.to_owned())) }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self(value.to_string())
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self(value.to_string())
    }
}
