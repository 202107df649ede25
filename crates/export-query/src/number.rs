//! Decimal numbers as texts, compared digit by digit: no number is too long, and none is rounded.

use std::cmp::Ordering;

/// A number: its sign, the place of its point, its digits without zeros at either end.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Digits {
    is_negative: bool,
    /// How many digits come before the point; below 0 where zeros follow the point first.
    point: i64,
    digits: Vec<u8>,
}

/// How large an exponent may be.
const EXPONENT_DIGITS_MAX: usize = 4;

impl Digits {
    fn parse(text: &str) -> Option<Self> {
        let (is_negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, whole(exponent)?),
            None => (rest, 0),
        };
        let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all: Vec<u8> = before.bytes().chain(after.bytes()).collect();
        if all.is_empty() || !all.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let zeros = all.iter().take_while(|digit| **digit == b'0').count();
        let mut digits = all[zeros..].to_vec();
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        if digits.is_empty() {
            return Some(Self { is_negative: false, point: 0, digits });
        }
        let point = i64::try_from(before.len()).ok()? - i64::try_from(zeros).ok()? + exponent;
        Some(Self { is_negative, point, digits })
    }

    fn size(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            // Without zeros at the end, the digits after a common point compare as texts do.
            (false, false) => self.point.cmp(&other.point).then_with(|| self.digits.cmp(&other.digits)),
        }
    }
}

fn whole(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_whole =
        (1..=EXPONENT_DIGITS_MAX).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    is_whole.then(|| text.parse().ok()).flatten()
}

/// Whether a text is a number.
#[must_use]
pub fn is_number(text: &str) -> bool {
    Digits::parse(text).is_some()
}

/// Compares two numbers; `None` where one of the texts is none.
#[must_use]
pub fn compare(one: &str, other: &str) -> Option<Ordering> {
    let (one, other) = (Digits::parse(one)?, Digits::parse(other)?);
    Some(match (one.is_negative, other.is_negative) {
        (false, false) => one.size(&other),
        (true, true) => other.size(&one),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    })
}

#[cfg(test)]
mod tests {
    //! Numbers in all their spellings.

    use super::*;

    #[test]
    fn numbers_are_compared_whatever_their_spelling() {
        use Ordering::{Equal, Greater, Less};
        for (one, other, expected) in [
            ("1", "1.0", Equal),
            ("0", "-0.00", Equal),
            ("1E-7", "0.0000001", Equal),
            ("7.32E-7", "0.000000731", Greater),
            ("10", "9.99", Greater),
            ("-10", "-9.99", Less),
            ("-1", "0.001", Less),
            ("0.1", "0", Greater),
            ("00012.50", "12.5", Equal),
            ("+3", "3", Equal),
            ("0.30000000000000000001", "0.3", Greater),
            ("12", "1.3e1", Less),
            ("123456789012345678901234567890123456789.1", "123456789012345678901234567890123456789", Greater),
        ] {
            assert_eq!(compare(one, other), Some(expected), "{one} {other}");
            assert_eq!(compare(other, one), Some(expected.reverse()), "{other} {one}");
        }
        for text in ["", ".", "-", "1e", "1e99999", "one", "1,5", " 1", "0x1"] {
            assert!(!is_number(text), "{text}");
        }
    }
}
