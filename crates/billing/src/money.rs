//! Exact decimal amounts.
//!
//! Every number of a bill is an integer at a fixed scale: inputs have ten decimals ([`Cost`], [`Quantity`]), money has
//! twenty ([`Amount`]). Sums and products are exact; what does not fit is an error, never a wrap or a silent
//! rounding. Only the functions whose name says so round, and each returns or counts what it took away.

use std::fmt;

/// The largest sum, in whole units of a currency, that any amount may reach.
pub const UNITS_MAX: i128 = 1_000_000_000_000_000;

/// A number with exactly `SCALE` decimals.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal<const SCALE: u32>(i128);

/// A cost as a cost file states it: ten decimals of the line's currency.
pub type Cost = Decimal<10>;
/// A usage quantity, in the line's pricing unit.
pub type Quantity = Decimal<10>;
/// A price per unit, in a currency.
pub type Rate = Decimal<10>;
/// An unrounded amount of money: twenty decimals hold every product of a cost and a factor, or a quantity and a rate.
pub type Amount = Decimal<20>;
/// A percentage with at most four decimals.
pub type Percentage = Decimal<4>;
/// What a percentage rule multiplies by: 1 + p/100 or 1 − p/100.
pub type Factor = Decimal<6>;

/// Why a number is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// The text is not a plain decimal number.
    #[error("not a decimal number")]
    NotANumber,
    /// The text has more decimals than the scale holds.
    #[error("more than {0} decimals")]
    TooManyDecimals(u32),
    /// The number, or a sum, is beyond [`UNITS_MAX`].
    #[error("beyond {UNITS_MAX}")]
    TooLarge,
}

/// The power of ten of a scale.
#[must_use]
pub const fn ten_to(scale: u32) -> i128 {
    10_i128.pow(scale)
}

impl<const SCALE: u32> Decimal<SCALE> {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One whole unit.
    pub const ONE: Self = Self(ten_to(SCALE));

    /// The number with this many units of the last decimal, if it is within [`UNITS_MAX`].
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub const fn from_units(units: i128) -> Result<Self, DecimalError> {
        if units.unsigned_abs() > (UNITS_MAX * ten_to(SCALE)).unsigned_abs() {
            return Err(DecimalError::TooLarge);
        }
        Ok(Self(units))
    }

    /// How many units of the last decimal.
    #[must_use]
    pub const fn units(self) -> i128 {
        self.0
    }

    /// Reads `-?digits(.digits)?`. Nothing is rounded: more decimals than the scale, other than zeros, are refused.
    ///
    /// # Errors
    /// [`DecimalError`], in the order of its variants.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !plain(whole) || !plain(fraction) {
            return Err(DecimalError::NotANumber);
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > SCALE as usize {
            return Err(DecimalError::TooManyDecimals(SCALE));
        }
        let padding = std::iter::repeat_n(b'0', SCALE as usize - fraction.len());
        let mut units: i128 = 0;
        for digit in whole.bytes().chain(fraction.bytes()).chain(padding) {
            units = units
                .checked_mul(10)
                .and_then(|u| u.checked_add(i128::from(digit - b'0')))
                .ok_or(DecimalError::TooLarge)?;
        }
        Self::from_units(if text.starts_with('-') { -units } else { units })
    }

    /// The exact sum.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn plus(self, other: Self) -> Result<Self, DecimalError> {
        Self::from_units(self.0.checked_add(other.0).ok_or(DecimalError::TooLarge)?)
    }

    /// The exact difference.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn minus(self, other: Self) -> Result<Self, DecimalError> {
        self.plus(other.negated())
    }

    /// The same number with the other sign.
    #[must_use]
    pub const fn negated(self) -> Self {
        Self(-self.0)
    }

    /// Whether this is 0.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The same number as an [`Amount`].
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn to_amount(self) -> Result<Amount, DecimalError> {
        product(self, Decimal::<0>::ONE)
    }
}

/// The exact product of two numbers whose decimals together fit an [`Amount`]; checked when it is compiled.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn product<const A: u32, const B: u32>(a: Decimal<A>, b: Decimal<B>) -> Result<Amount, DecimalError> {
    const { assert!(A + B <= 20, "a product of these scales would have to be rounded") };
    let units = a.0.checked_mul(b.0).and_then(|u| u.checked_mul(ten_to(20 - A - B)));
    Amount::from_units(units.ok_or(DecimalError::TooLarge)?)
}

/// A percentage of an amount, rounded half away from zero at twenty decimals, and whether it had to be.
///
/// One of the named roundings: a percentage item on a base that already uses its decimals (a custom tier, a rule
/// with four decimals). The percentage of a cost times a factor with two decimals each is exact.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn percentage_of(base: Amount, percentage: Percentage) -> Result<(Amount, bool), DecimalError> {
    // A percentage has four decimals and a factor six: p/100 has the same units.
    times(base, Decimal(percentage.0))
}

/// An amount times a factor, rounded half away from zero at twenty decimals, and whether it had to be.
///
/// One of the named roundings: a percentage on an amount that already uses its decimals, as that of a tier does.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn times(base: Amount, factor: Factor) -> Result<(Amount, bool), DecimalError> {
    const DIVISOR: i128 = ten_to(6);
    let (whole, rest) = (base.0 / DIVISOR, base.0 % DIVISOR);
    let units = whole.checked_mul(factor.0).ok_or(DecimalError::TooLarge)?;
    let small = rest.checked_mul(factor.0).ok_or(DecimalError::TooLarge)?;
    let (rounded, exact) = divide_half_away(small, DIVISOR);
    let units = units.checked_add(rounded).ok_or(DecimalError::TooLarge)?;
    Ok((Amount::from_units(units)?, !exact))
}

/// `part / whole × 100`, half away from zero at four decimals; 0 of a whole of 0.
///
/// One of the named roundings, for showing only. The quotient of two costs may be larger than any amount of money.
#[must_use]
pub fn percentage_shown(part: Cost, whole: Cost) -> Percentage {
    if whole.is_zero() {
        return Decimal(0);
    }
    // A cost has at most 10²⁵ units, so there is room for six more digits.
    let sign = whole.0.signum();
    Decimal(divide_half_away(part.0 * 1_000_000 * sign, whole.0 * sign).0)
}

/// `dividend / divisor`, half away from zero, and whether nothing was left over. `divisor` is above 0.
#[must_use]
pub const fn divide_half_away(dividend: i128, divisor: i128) -> (i128, bool) {
    let (quotient, rest) = (dividend / divisor, dividend % divisor);
    if rest.unsigned_abs() >= divisor.unsigned_abs().div_ceil(2) {
        return (quotient + rest.signum(), false);
    }
    (quotient, rest == 0)
}

/// What a report shows of a total and its parts: at most ten decimals, the shown parts summing to the shown total.
///
/// The one rule by which an unrounded amount becomes text. The total is rounded half away from zero; each part is
/// rounded down and the units that are then missing go to the largest remainders, ties to the earlier part. So
/// no part is shown more than 10⁻¹⁰ from its exact value, and every surface shows the same total.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn shown(parts: &[Amount]) -> Result<(Cost, Vec<Cost>), DecimalError> {
    let total = parts.iter().try_fold(Amount::ZERO, |sum, part| sum.plus(*part))?;
    let (total, _) = divide_half_away(total.0, SHOWN_STEP);
    Ok((Decimal(total), shown_within(Decimal(total), parts)?))
}

/// The units of an amount in the last decimal that is shown.
const SHOWN_STEP: i128 = ten_to(10);

/// What a report shows of the parts of something whose total is shown as `total`, by the rule of [`shown`].
///
/// `total` must be the parts' exact sum rounded, down or up.
///
/// # Errors
/// [`DecimalError::TooLarge`], also when `total` is not the parts'.
pub fn shown_within(total: Cost, parts: &[Amount]) -> Result<Vec<Cost>, DecimalError> {
    let mut units: Vec<i128> = parts.iter().map(|part| part.0.div_euclid(SHOWN_STEP)).collect();
    let missing = total.0 - units.iter().sum::<i128>();
    // Rounding every part down leaves between 0 and as many units as there are parts with a remainder.
    let missing = usize::try_from(missing).ok().filter(|missing| *missing <= parts.len());
    let missing = missing.ok_or(DecimalError::TooLarge)?;
    if missing != 0 {
        let mut order: Vec<usize> = (0..parts.len()).collect();
        order.sort_by_key(|&i| (std::cmp::Reverse(parts[i].0.rem_euclid(SHOWN_STEP)), i));
        order.iter().take(missing).for_each(|&i| units[i] += 1);
    }
    Ok(units.into_iter().map(Decimal).collect())
}

impl<const SCALE: u32> fmt::Display for Decimal<SCALE> {
    /// Plain digits, no exponent, no trailing zeros, never `-0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = ten_to(SCALE).unsigned_abs();
        let (whole, fraction) = (self.0.unsigned_abs() / one, self.0.unsigned_abs() % one);
        let mut text = whole.to_string();
        if fraction != 0 {
            let fraction = format!("{fraction:0width$}", width = SCALE as usize);
            text.push('.');
            text.push_str(fraction.trim_end_matches('0'));
        }
        f.pad_integral(self.0 >= 0, "", &text)
    }
}

impl<const SCALE: u32> fmt::Debug for Decimal<SCALE> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An ISO 4217 currency code: three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Reads a code; `None` when it is not three capital letters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let code: [u8; 3] = text.as_bytes().try_into().ok()?;
        code.iter().all(u8::is_ascii_uppercase).then_some(Self(code))
    }

    /// The three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII letters pass `parse`.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
