//! Sharing a pool's amount among its classes, exactly.

use crate::money::{Amount, Decimal, DecimalError, Quantity};

/// Splits an amount in proportion to |weight|, the parts summing to it exactly.
///
/// One of the named roundings: a quotient. Each part is cut at twenty decimals; the units that are then missing go to the
/// largest remainders, ties to the earlier part (parts are in key order). Without any weight the first part takes all.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn share(amount: Amount, weights: &[Quantity]) -> Result<Vec<Amount>, DecimalError> {
    let weights: Vec<u128> = weights.iter().map(|weight| weight.units().unsigned_abs()).collect();
    share_units(amount.units(), &weights)?.into_iter().map(Amount::from_units).collect()
}

/// Splits a quantity in proportion to the weights that are above 0, the parts summing to it exactly: as [`share`], at ten decimals.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn share_quantity<const SCALE: u32>(
    quantity: Quantity,
    weights: &[Decimal<SCALE>],
) -> Result<Vec<Quantity>, DecimalError> {
    let weights: Vec<u128> = weights.iter().map(|weight| weight.units().max(0).unsigned_abs()).collect();
    share_units(quantity.units(), &weights)?.into_iter().map(Quantity::from_units).collect()
}

fn share_units(units: i128, weights: &[u128]) -> Result<Vec<i128>, DecimalError> {
    let total: u128 = weights.iter().sum();
    if total == 0 {
        let mut parts = vec![0; weights.len()];
        if let Some(first) = parts.first_mut() {
            *first = units;
        }
        return Ok(parts);
    }
    let whole = units.unsigned_abs();
    let mut parts: Vec<(u128, u128)> =
        weights.iter().map(|&weight| proportion(whole, weight, total)).collect();
    let given: u128 = parts.iter().map(|(part, _)| part).sum();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(parts[i].1), i));
    // Cutting n parts loses less than n units.
    for &i in order.iter().take(usize::try_from(whole - given).map_err(|_| DecimalError::TooLarge)?) {
        parts[i].0 += 1;
    }
    let signed = |part: u128| i128::try_from(part).map_err(|_| DecimalError::TooLarge);
    parts.into_iter().map(|(part, _)| Ok(signed(part)? * units.signum())).collect()
}

/// `whole × weight / total` and the remainder; where the product needs more than 128 bits, by long multiplication.
///
/// Digit by digit from the top: at every step the running remainder is below `total`, which is below 2¹¹⁸.
pub(crate) fn proportion(whole: u128, weight: u128, total: u128) -> (u128, u128) {
    if let Some(product) = whole.checked_mul(weight) {
        return (product / total, product % total);
    }
    let (mut quotient, mut rest) = (0_u128, 0_u128);
    for bit in (0..128).rev() {
        quotient <<= 1;
        rest <<= 1;
        if whole >> bit & 1 == 1 {
            rest += weight;
        }
        // `rest` is below 2 × total + weight, hence at most two subtractions.
        while rest >= total {
            rest -= total;
            quotient += 1;
        }
    }
    (quotient, rest)
}

/// `whole × weight / total`, half away from zero.
pub(crate) fn proportion_rounded(whole: u128, weight: u128, total: u128) -> u128 {
    let (quotient, rest) = proportion(whole, weight, total);
    quotient + u128::from(rest >= total.div_ceil(2))
}

#[cfg(test)]
mod tests {
    //! Parts sum to their whole.

    use super::*;

    fn parts(amount: &str, weights: &[&str]) -> Vec<String> {
        let weights: Vec<Quantity> = weights.iter().map(|w| Quantity::parse(w).unwrap()).collect();
        share(Amount::parse(amount).unwrap(), &weights).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn exact_shares_are_exact() {
        assert_eq!(parts("8.5", &["150", "100"]), ["5.1", "3.4"]);
        assert_eq!(parts("8.5", &["-150", "100", "0"]), ["5.1", "3.4", "0"]);
        assert_eq!(parts("-8.5", &["150", "100"]), ["-5.1", "-3.4"]);
    }

    #[test]
    fn the_largest_remainder_takes_the_missing_unit() {
        assert_eq!(
            parts("1", &["1", "1", "1"]),
            ["0.33333333333333333334", "0.33333333333333333333", "0.33333333333333333333"]
        );
        assert_eq!(parts("1", &["1", "2"]), ["0.33333333333333333333", "0.66666666666666666667"]);
    }

    #[test]
    fn nothing_to_weigh_by_goes_to_the_first() {
        assert_eq!(parts("2", &["0", "0"]), ["2", "0"]);
        assert!(parts("2", &[]).is_empty());
    }

    #[test]
    fn large_amounts_do_not_overflow() {
        let shares = parts("999999999999999", &["999999999999999", "999999999999998"]);
        assert_eq!(shares.len(), 2);
    }
}
