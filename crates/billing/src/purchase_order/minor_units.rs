//! How many decimals an amount of an order may have.

use crate::invoice::amount::minor_digits;
use crate::money::Currency;

/// The decimals of a currency's minor unit. An order may be in a currency of which ISO 4217 knows nothing: its amounts have 2.
#[must_use]
pub fn minor_units(currency: Currency) -> u32 {
    minor_digits(currency).unwrap_or(2)
}
