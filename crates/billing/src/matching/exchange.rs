//! An invoice's total in an order's currency.

use crate::money::{Amount, Cost, Currency, DecimalError, divide_half_away, product, ten_to};
use crate::purchase_order::invoice::Exchange;
use crate::purchase_order::minor_units;

/// A total in another currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Converted {
    /// The total, at the decimals of the currency's minor unit where it was exchanged.
    pub total: Amount,
    /// The exact product less `total`; 0 where nothing was exchanged. Of a quotient it is what was left over, times nothing.
    pub residue: Amount,
}

/// A total in an order's currency: the same where the currencies are; else by the invoice's own exchange, where its pair fits in either
/// direction; else `None`.
///
/// One of the named roundings: an exchanged total is rounded half away from zero at the currency's minor unit.
///
/// # Errors
/// [`DecimalError`] where the total has more than ten decimals or the result is too large.
pub fn converted(
    total: Amount,
    from: Currency,
    to: Currency,
    exchange: Option<Exchange>,
) -> Result<Option<Converted>, DecimalError> {
    if from == to {
        return Ok(Some(Converted { total, residue: Amount::ZERO }));
    }
    let Some(exchange) = exchange.filter(|exchange| exchange.rate.units() > 0) else { return Ok(None) };
    let step = ten_to(20 - minor_units(to));
    if (exchange.source, exchange.target) == (from, to) {
        let exact = product(cost(total)?, exchange.rate)?;
        let rounded = Amount::from_units(divide_half_away(exact.units(), step).0 * step)?;
        return Ok(Some(Converted { total: rounded, residue: exact.minus(rounded)? }));
    }
    if (exchange.source, exchange.target) == (to, from) {
        let digits = minor_units(to);
        let (dividend, divisor) = (cost(total)?.units() * ten_to(digits), exchange.rate.units());
        let units = divide_half_away(dividend, divisor).0.checked_mul(step).ok_or(DecimalError::TooLarge)?;
        let rounded = Amount::from_units(units)?;
        // The quotient may have no end: its residue is told at twenty decimals, rounded as well.
        let rest = dividend - units / step * divisor;
        let residue = rest.checked_mul(step).map_or(0, |rest| divide_half_away(rest, divisor).0);
        return Ok(Some(Converted { total: rounded, residue: Amount::from_units(residue)? }));
    }
    Ok(None)
}

/// The total at ten decimals, exactly.
fn cost(total: Amount) -> Result<Cost, DecimalError> {
    if total.units() % ten_to(10) != 0 {
        return Err(DecimalError::TooManyDecimals(10));
    }
    Cost::from_units(total.units() / ten_to(10))
}
