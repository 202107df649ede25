//! Numbers of cost files become decimals with ten digits after the point.
//!
//! The only home of `f64`. AWS writes amounts as doubles (Parquet) or as text (CSV); third parties rewrite them as
//! decimals. All three give the same decimal. A double is read by one rule: a whole number below 2⁵³ exactly; below
//! 225,000 rounded at ten decimals, half away from zero (`x × 10¹⁰` is right there: two roundings of 2⁻⁵³ stay under
//! half a unit); anything else by its shortest text, which is counted.
#![allow(clippy::float_arithmetic)]

use crate::limits::NUMBER_UNITS_MAX;

/// Below this a double holds ten decimals.
const TEN_DECIMALS_BELOW: f64 = 225_000.0;
/// 2⁵³: below it every whole double is the number that was written.
const WHOLE_BELOW: f64 = 9_007_199_254_740_992.0;
const SCALE: i64 = 10;
const ONE: i128 = 10_000_000_000;
/// Residues are kept at thirty decimals.
const RESIDUE_DIGITS: usize = 20;

/// What was done to numbers that do not fit ten decimals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NumberNotes {
    /// Doubles read by their shortest text.
    pub slow_path: u64,
    /// Numbers with more than ten decimals, rounded half away from zero.
    pub rounded: u64,
    /// The sum of what rounding took away (original − rounded), at thirty decimals.
    pub residue: i128,
}

impl NumberNotes {
    /// Adds another count.
    pub fn absorb(&mut self, other: Self) {
        self.slow_path += other.slow_path;
        self.rounded += other.rounded;
        self.residue += other.residue;
    }

    /// The residue as a plain decimal.
    #[must_use]
    pub fn residue_text(&self) -> String {
        let one = 10_u128.pow(30);
        let (whole, fraction) = (self.residue.unsigned_abs() / one, self.residue.unsigned_abs() % one);
        let sign = if self.residue < 0 { "-" } else { "" };
        let text = format!("{sign}{whole}.{fraction:030}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// Why a number cannot be an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Not of the form that cost files use.
    #[error("not a number; expected digits like `-12.5` or `7.32E-7`")]
    NotANumber,
    /// NaN or infinite.
    #[error("not finite")]
    NotFinite,
    /// Beyond any real charge.
    #[error("too large: amounts must be below {NUMBER_UNITS_MAX}")]
    TooLarge,
}

/// Adding it to a double below 2⁵¹ leaves the nearest whole number in the low bits.
const MAGIC: f64 = 6_755_399_441_055_744.0;

/// The fast path of doubles: units of 10⁻¹⁰ of numbers that have at most ten decimals and are below 225,000.
///
/// Fills `units` and tells whether all numbers were such; where one was not, [`fast_units`] says which. Without branches, so
/// that the loop is vectorised.
pub fn fill_fast_units(numbers: &[f64], units: &mut Vec<i64>) -> bool {
    let mut all = true;
    units.extend(numbers.iter().map(|x| {
        let (number, fits) = nearest_units(*x);
        all &= fits;
        number
    }));
    all
}

/// The units nearest to a number, and whether they are the number.
///
/// A tie would go to the even neighbour here, but a tie has eleven decimals and does not fit. The quotient is the double
/// nearest to the decimal: equal to `x` exactly if `x` was written with at most ten decimals.
#[inline]
fn nearest_units(x: f64) -> (i64, bool) {
    let shifted = x * 1e10 + MAGIC;
    let rounded = shifted - MAGIC;
    let fits = (x.abs() < TEN_DECIMALS_BELOW) & (rounded / 1e10 == x);
    ((shifted.to_bits() as i64).wrapping_sub(MAGIC.to_bits() as i64), fits)
}

/// Units of 10⁻¹⁰, if the double is a number with at most ten decimals below 225,000.
#[inline]
#[must_use]
pub fn fast_units(x: f64) -> Option<i64> {
    let (units, fits) = nearest_units(x);
    fits.then_some(units)
}

/// `x` rounded at ten decimals, half away from zero, where a double can tell: below 225,000.
#[inline]
fn ten_decimals(x: f64) -> Option<i64> {
    if x.is_nan() || x.abs() >= TEN_DECIMALS_BELOW {
        return None;
    }
    // |x × 10¹⁰| is below 2⁵¹, so neither cast below loses anything.
    let scaled = x * 1e10;
    let whole = scaled as i64;
    let rest = scaled - whole as f64;
    Some(whole + i64::from(rest >= 0.5) - i64::from(rest <= -0.5))
}

/// A double as units of 10⁻¹⁰.
///
/// # Errors
/// [`NumberError`].
pub fn units_of_double(x: f64, notes: &mut NumberNotes) -> Result<i128, NumberError> {
    if let Some(units) = fast_units(x) {
        return Ok(i128::from(units));
    }
    if !x.is_finite() {
        return Err(NumberError::NotFinite);
    }
    if x.abs() < WHOLE_BELOW && x.trunc() == x {
        return in_range(i128::from(x as i64) * ONE);
    }
    // Rust prints the shortest digits that read back as the same double.
    let text = format!("{x}");
    if let Some(units) = ten_decimals(x) {
        let exact = decimal(&text)?;
        notes.rounded += 1;
        notes.residue += exact.residue + (exact.units - i128::from(units)) * 10_i128.pow(20);
        return Ok(i128::from(units));
    }
    notes.slow_path += 1;
    units_of_text(&text, notes)
}

/// A double of a file that this program has written: its shortest text is the decimal that was written.
///
/// # Errors
/// [`NumberError`].
pub fn units_of_own_double(x: f64, notes: &mut NumberNotes) -> Result<i128, NumberError> {
    match fast_units(x) {
        Some(units) => Ok(i128::from(units)),
        None if !x.is_finite() => Err(NumberError::NotFinite),
        None => units_of_text(&format!("{x}"), notes),
    }
}

/// A single-precision number by its shortest text.
///
/// # Errors
/// [`NumberError`].
pub fn units_of_float(x: f32, notes: &mut NumberNotes) -> Result<i128, NumberError> {
    if !x.is_finite() {
        return Err(NumberError::NotFinite);
    }
    units_of_text(&format!("{x}"), notes)
}

/// A double as its shortest decimal text, for keys; `NaN` and `inf` stay what they are.
#[must_use]
pub fn text_of_double(x: f64) -> String {
    format!("{x}")
}

/// The double nearest to `digits × 10⁻ᵈᵉᶜⁱᵐᵃˡˢ`, by its bits, for up to fifteen digits and fourteen decimals.
///
/// Digits and power of ten are whole doubles, so their quotient is the nearest double, and its shortest text is the
/// decimal again.
#[must_use]
pub fn bits_of_decimal(digits: i64, decimals: u32) -> u64 {
    (digits as f64 / 10_i64.pow(decimals) as f64).to_bits()
}

/// The double nearest to a number's text, by its bits; `None` for what is no number.
#[must_use]
pub fn bits_of_text(text: &str) -> Option<u64> {
    text.parse::<f64>().ok().filter(|x| x.is_finite()).map(f64::to_bits)
}

/// The shortest decimal text of a double given by its bits.
#[must_use]
pub fn text_of_bits(bits: u64) -> String {
    text_of_double(f64::from_bits(bits))
}

/// Digits as units of 10⁻¹⁰: `-?digits(.digits)?([eE][-+]?d{1,3})?`.
///
/// # Errors
/// [`NumberError`].
pub fn units_of_text(text: &str, notes: &mut NumberNotes) -> Result<i128, NumberError> {
    let Exact { units, residue, more_decimals } = decimal(text)?;
    if more_decimals {
        notes.rounded += 1;
        notes.residue += residue;
    }
    Ok(units)
}

/// A scaled integer (a Parquet or Arrow decimal) as units of 10⁻¹⁰.
///
/// # Errors
/// [`NumberError`].
pub fn units_of_scaled(value: i128, scale: i8, notes: &mut NumberNotes) -> Result<i128, NumberError> {
    units_of_text(&format!("{value}E{}", -i32::from(scale)), notes)
}

struct Exact {
    units: i128,
    residue: i128,
    more_decimals: bool,
}

fn decimal(text: &str) -> Result<Exact, NumberError> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = match digits.find(['e', 'E']) {
        Some(at) => (&digits[..at], exponent(&digits[at + 1..])?),
        None => (digits, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let plain = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !plain(whole) || !plain(fraction) {
        return Err(NumberError::NotANumber);
    }
    let all: Vec<u8> =
        whole.bytes().chain(fraction.bytes()).map(|b| b - b'0').skip_while(|d| *d == 0).collect();
    let skipped = whole.len() + fraction.len() - all.len();
    // How many digits of `all` stand before the cut at ten decimals; may be negative or beyond the end.
    let kept = whole.len() as i64 + exponent + SCALE - skipped as i64;
    if all.is_empty() {
        return Ok(Exact { units: 0, residue: 0, more_decimals: false });
    }
    if kept > 38 {
        return Err(NumberError::TooLarge);
    }
    let digit =
        |place: i64| usize::try_from(place).ok().and_then(|place| all.get(place)).copied().unwrap_or(0);
    let mut units =
        (0..kept).fold(0_i128, |sum, place| sum.saturating_mul(10).saturating_add(digit(place).into()));
    let mut residue =
        (0..RESIDUE_DIGITS as i64).fold(0_i128, |sum, i| sum * 10 + i128::from(digit(kept + i)));
    let more_decimals = (all.len() as i64) > kept
        && all.iter().rposition(|d| *d != 0).is_some_and(|last| last as i64 >= kept);
    if digit(kept) >= 5 {
        units += 1;
        residue -= 10_i128.pow(RESIDUE_DIGITS as u32);
    }
    in_range(units)?;
    let sign = if negative { -1 } else { 1 };
    Ok(Exact { units: units * sign, residue: residue * sign, more_decimals })
}

fn exponent(text: &str) -> Result<i64, NumberError> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || digits.len() > 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NumberError::NotANumber);
    }
    let value: i64 = digits.parse().map_err(|_| NumberError::NotANumber)?;
    Ok(if text.starts_with('-') { -value } else { value })
}

fn in_range(units: i128) -> Result<i128, NumberError> {
    if units.unsigned_abs() >= (NUMBER_UNITS_MAX * ONE).unsigned_abs() {
        return Err(NumberError::TooLarge);
    }
    Ok(units)
}

/// The sign of a rate as text: `None` for no number, else whether it is above 0.
#[must_use]
pub fn is_positive(text: &str) -> Option<bool> {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    decimal(text).ok()?;
    Some(!text.starts_with('-') && mantissa.bytes().any(|b| (b'1'..=b'9').contains(&b)))
}

/// A rate as canonical text: plain digits, no trailing zeros. Text that is no number stays as it is.
#[must_use]
pub fn canonical_rate(text: &str) -> String {
    if decimal(text).is_err() {
        return text.to_owned();
    }
    let (mantissa, exponent_text) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let Ok(exponent) = exponent(exponent_text) else { return text.to_owned() };
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let point = whole.len() as i64 + exponent;
    let digit = |place: i64| {
        usize::try_from(place).ok().and_then(|place| digits.as_bytes().get(place)).map_or('0', |b| *b as char)
    };
    let whole: String = (point.min(0)..point).map(digit).collect();
    let fraction: String = (point..digits.len() as i64).map(digit).collect();
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let whole = if whole.is_empty() { "0" } else { whole };
    let sign = if whole == "0" && fraction.is_empty() { "" } else { sign };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    //! Doubles, decimals and text give the same decimal; what does not fit is counted.

    use super::*;

    fn double(x: f64) -> (Result<i128, NumberError>, NumberNotes) {
        let mut notes = NumberNotes::default();
        (units_of_double(x, &mut notes), notes)
    }

    fn text(text: &str) -> (Result<i128, NumberError>, NumberNotes) {
        let mut notes = NumberNotes::default();
        (units_of_text(text, &mut notes), notes)
    }

    #[test]
    fn doubles_and_text_agree() {
        for digits in
            ["0", "1", "-1", "0.1", "24.0", "7.32E-7", "-7.0E-10", "0.0104000000", "224999.9999999999", "1e5"]
        {
            assert_eq!(double(digits.parse().unwrap()).0, text(digits).0, "{digits}");
            assert_eq!(double(digits.parse().unwrap()).1, NumberNotes::default());
        }
    }

    #[test]
    fn minus_zero_is_zero() {
        assert_eq!(double(-0.0).0, Ok(0));
        assert_eq!(text("-0.0").0, Ok(0));
    }

    #[test]
    fn large_doubles_take_the_slow_path_and_whole_ones_do_not() {
        assert_eq!(
            double(225_000.1),
            (Ok(2_250_001_000_000_000), NumberNotes { slow_path: 1, ..Default::default() })
        );
        assert_eq!(double(262_144.0), (Ok(2_621_440_000_000_000), NumberNotes::default()));
        assert_eq!(double(9_007_199_254_740_993.0).0, Err(NumberError::TooLarge));
        assert_eq!(double(1e11), (Ok(ONE * 100_000_000_000), NumberNotes::default()));
    }

    #[test]
    fn what_is_no_amount_is_an_error() {
        for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(double(x).0, Err(NumberError::NotFinite));
        }
        assert_eq!(double(1e300).0, Err(NumberError::TooLarge));
        let refused = [
            "+1", " 1", "1,000.00", "1_000", "1.23abc", ".5", "5.", "0x10", "१", "", "-", "1e", "1e1000",
            "NaN", "--1",
        ];
        for digits in refused {
            assert_eq!(text(digits).0, Err(NumberError::NotANumber), "{digits:?}");
        }
        assert_eq!(text(&"9".repeat(400)).0, Err(NumberError::TooLarge));
        assert_eq!(text("1e999").0, Err(NumberError::TooLarge));
    }

    #[test]
    fn more_than_ten_decimals_are_rounded_half_away_and_counted() {
        let (units, notes) = text("0.00000000005");
        assert_eq!((units, notes.rounded, notes.residue_text().as_str()), (Ok(1), 1, "-0.00000000005"));
        let (units, notes) = text("-0.123456789049");
        assert_eq!((units, notes.residue_text().as_str()), (Ok(-1_234_567_890), "-0.000000000049"));
        let (units, notes) = double(0.003_775_547_077_058_32);
        assert_eq!((units, notes.rounded), (Ok(37_755_471), 1));
        assert_eq!(notes.residue_text(), "-0.00000000002294168");
        assert_eq!(double(1e-300).0, Ok(0));
        assert_eq!(double(f64::from_bits(1)).1.rounded, 1);
    }

    #[test]
    fn scaled_integers_are_exact() {
        let mut notes = NumberNotes::default();
        assert_eq!(units_of_scaled(12_345, 2, &mut notes), Ok(1_234_500_000_000));
        assert_eq!(units_of_scaled(-5, -3, &mut notes), Ok(-50_000_000_000_000));
        assert_eq!(notes.rounded, 0);
        assert_eq!(units_of_scaled(123_456_789_012_345_678, 18, &mut notes), Ok(1_234_567_890));
        assert_eq!(notes.rounded, 1);
    }

    #[test]
    fn rates_have_one_spelling() {
        for (given, canonical) in [
            ("0.0104000000", "0.0104"),
            ("4.0E-7", "0.0000004"),
            ("0", "0"),
            ("0.000", "0"),
            ("1e3", "1000"),
            ("-2.50", "-2.5"),
            ("12", "12"),
            ("free", "free"),
        ] {
            assert_eq!(canonical_rate(given), canonical);
        }
        assert_eq!(is_positive("0.0000000000"), Some(false));
        assert_eq!(is_positive("4E-7"), Some(true));
        assert_eq!(is_positive(""), None);
    }
}
