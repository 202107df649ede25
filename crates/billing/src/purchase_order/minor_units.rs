//! How many decimals a currency's smallest unit has.
//!
//! Source: ISO 4217, list one, column "Minor unit".

use crate::money::Currency;

/// Currencies without a minor unit.
const NONE: [&str; 16] = [
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF",
    "XPF",
];
/// Currencies whose minor unit is a thousandth.
const THREE: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];
/// Units of account whose minor unit is a ten-thousandth.
const FOUR: [&str; 2] = ["CLF", "UYW"];

/// The decimals of a currency's minor unit: 2 for all but the few that ISO 4217 gives others.
#[must_use]
pub fn minor_units(currency: Currency) -> u32 {
    let code = currency.as_str();
    match () {
        () if NONE.contains(&code) => 0,
        () if THREE.contains(&code) => 3,
        () if FOUR.contains(&code) => 4,
        () => 2,
    }
}
