//! Invoiced amounts: whole minor units of a currency, and the table that says how many decimals a currency has.

use crate::money::{Currency, DecimalError, Quantity, UNITS_MAX, ten_to};
use std::fmt;

/// An amount on a document, in minor units of its currency: cents, yen, fils.
///
/// Not a [`crate::money::Amount`]: what is computed is exact and has twenty decimals, what is invoiced was rounded once, by
/// [`crate::invoice`]'s named functions.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Invoiced {
    currency: Currency,
    units: i128,
}

/// Why something is not an invoiced amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvoicedError {
    /// ISO 4217 has no minor unit for the currency.
    #[error("`{0}` is no currency that an invoice can be in; name one of ISO 4217, such as EUR")]
    UnknownCurrency(Currency),
    /// The text is not an amount.
    #[error("`{text}` is not an amount of {currency}: {reason}; write it with at most {digits} decimals")]
    NotAnAmount {
        /// What is written.
        text: String,
        /// The currency that it is to be in.
        currency: Currency,
        /// The decimals that the currency has.
        digits: u32,
        /// Why not.
        reason: DecimalError,
    },
    /// Two currencies in one sum.
    #[error("{0} cannot be added to {1}; exchange one of them first")]
    CurrenciesDiffer(Currency, Currency),
    /// Beyond [`UNITS_MAX`].
    #[error("an invoiced amount is beyond {UNITS_MAX}")]
    TooLarge,
}

impl From<DecimalError> for InvoicedError {
    fn from(_: DecimalError) -> Self {
        Self::TooLarge
    }
}

impl Invoiced {
    /// Nothing of a currency.
    ///
    /// # Errors
    /// [`InvoicedError::UnknownCurrency`].
    pub fn nothing(currency: Currency) -> Result<Self, InvoicedError> {
        Self::from_units(currency, 0)
    }

    /// So many minor units of a currency.
    ///
    /// # Errors
    /// [`InvoicedError::UnknownCurrency`], [`InvoicedError::TooLarge`].
    pub fn from_units(currency: Currency, units: i128) -> Result<Self, InvoicedError> {
        let digits = minor_digits(currency).ok_or(InvoicedError::UnknownCurrency(currency))?;
        if units.unsigned_abs() > (UNITS_MAX * ten_to(digits)).unsigned_abs() {
            return Err(InvoicedError::TooLarge);
        }
        Ok(Self { currency, units })
    }

    /// Reads plain decimal digits; nothing is rounded.
    ///
    /// # Errors
    /// [`InvoicedError::UnknownCurrency`], [`InvoicedError::NotAnAmount`] also for more decimals than the currency has.
    pub fn parse(currency: Currency, text: &str) -> Result<Self, InvoicedError> {
        let digits = minor_digits(currency).ok_or(InvoicedError::UnknownCurrency(currency))?;
        let refused = |reason| InvoicedError::NotAnAmount { text: text.to_owned(), currency, digits, reason };
        let number = Quantity::parse(text).map_err(|reason| match reason {
            DecimalError::TooManyDecimals(_) => refused(DecimalError::TooManyDecimals(digits)),
            other => refused(other),
        })?;
        let step = ten_to(10 - digits);
        if number.units() % step != 0 {
            return Err(refused(DecimalError::TooManyDecimals(digits)));
        }
        Self::from_units(currency, number.units() / step)
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The minor units.
    #[must_use]
    pub const fn units(self) -> i128 {
        self.units
    }

    /// Nothing, in the same currency.
    #[must_use]
    pub const fn zero(self) -> Self {
        Self { currency: self.currency, units: 0 }
    }

    /// The same with the other sign.
    #[must_use]
    pub const fn negated(self) -> Self {
        Self { currency: self.currency, units: -self.units }
    }

    /// The same, not below 0.
    #[must_use]
    pub const fn absolute(self) -> Self {
        Self { currency: self.currency, units: self.units.abs() }
    }

    /// The sum of two amounts of one currency.
    ///
    /// # Errors
    /// [`InvoicedError::CurrenciesDiffer`], [`InvoicedError::TooLarge`].
    pub fn plus(self, other: Self) -> Result<Self, InvoicedError> {
        if self.currency != other.currency {
            return Err(InvoicedError::CurrenciesDiffer(other.currency, self.currency));
        }
        // Both are far below the limit of an i128.
        Self::from_units(self.currency, self.units + other.units)
    }

    /// The difference of two amounts of one currency.
    ///
    /// # Errors
    /// [`InvoicedError::CurrenciesDiffer`], [`InvoicedError::TooLarge`].
    pub fn minus(self, other: Self) -> Result<Self, InvoicedError> {
        self.plus(other.negated())
    }

    /// The same number as a quantity or a rate, exactly.
    #[must_use]
    pub fn number(self) -> Quantity {
        let digits = minor_digits(self.currency).unwrap_or(0);
        // `from_units` has held the amount below UNITS_MAX.
        Quantity::from_units(self.units * ten_to(10 - digits)).unwrap_or_default()
    }
}

impl fmt::Display for Invoiced {
    /// Digits with all decimals of the currency and no currency: `12.30`, `-0.05`, `1200`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = minor_digits(self.currency).unwrap_or(0);
        let one = ten_to(digits).unsigned_abs();
        let mut text = (self.units.unsigned_abs() / one).to_string();
        if digits > 0 {
            let fraction = self.units.unsigned_abs() % one;
            text.push_str(&format!(".{fraction:0width$}", width = digits as usize));
        }
        f.pad_integral(self.units >= 0, "", &text)
    }
}

impl fmt::Debug for Invoiced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} {}", self.currency)
    }
}

/// How many decimals the minor unit of a currency has; `None` where ISO 4217 has no such currency, or no minor unit (gold).
///
/// Source: ISO 4217, table A.1, funds codes without those that are no money to pay with.
#[must_use]
pub fn minor_digits(currency: Currency) -> Option<u32> {
    let code = currency.as_str();
    let listed = |codes: &str| codes.split(' ').any(|listed| listed == code);
    MINOR_DIGITS.iter().find(|(_, codes)| listed(codes)).map(|(digits, _)| *digits)
}

/// The currencies by the decimals of their minor unit.
const MINOR_DIGITS: [(u32, &str); 4] = [
    (
        2,
        "EUR USD GBP CHF SEK NOK DKK PLN CZK HUF RON BGN CAD AUD NZD SGD HKD CNY INR BRL MXN ZAR TRY ILS AED SAR THB \
         MYR IDR PHP TWD \
         AFN ALL AMD ANG AOA ARS AWG AZN BAM BBD BDT BMD BND BOB BSD BTN BWP BYN BZD CDF COP CRC CUP CVE DOP DZD EGP \
         ERN ETB FJD FKP GEL GHS GIP GMD GTQ GYD HNL HTG IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL \
         MGA MKD MMK MNT MOP MRU MUR MVR MWK MZN NAD NGN NIO NPR PAB PEN PGK PKR QAR RSD RUB SBD SCR SDG SHP SLE SOS \
         SRD SSP STN SVC SYP SZL TJS TMT TOP TTD TZS UAH UYU UZS VED VES WST XCD XCG YER ZMW ZWG",
    ),
    (0, "JPY KRW VND CLP ISK BIF DJF GNF KMF PYG RWF UGX VUV XAF XOF XPF"),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "CLF UYW"),
];

#[cfg(test)]
mod tests {
    //! Amounts have their currency's decimals, and no two currencies are added.

    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    fn read(code: &str, text: &str) -> Result<String, String> {
        Invoiced::parse(currency(code), text).map(|amount| amount.to_string()).map_err(|e| e.to_string())
    }

    #[test]
    fn amounts_have_their_currencys_decimals() {
        assert_eq!(read("EUR", "12.3").unwrap(), "12.30");
        assert_eq!(read("EUR", "-0.05").unwrap(), "-0.05");
        assert_eq!(read("JPY", "1200").unwrap(), "1200");
        assert_eq!(read("KWD", "1.5").unwrap(), "1.500");
        assert_eq!(
            read("EUR", "1.005").unwrap_err(),
            "`1.005` is not an amount of EUR: more than 2 decimals; write it with at most 2 decimals"
        );
        assert_eq!(
            read("JPY", "1.123456789012").unwrap_err(),
            "`1.123456789012` is not an amount of JPY: more than 0 decimals; write it with at most 0 decimals"
        );
        assert_eq!(
            read("EUR", "1,00").unwrap_err(),
            "`1,00` is not an amount of EUR: not a decimal number; write it with at most 2 decimals"
        );
        assert_eq!(
            read("XAU", "1").unwrap_err(),
            "`XAU` is no currency that an invoice can be in; name one of ISO 4217, such as EUR"
        );
    }

    #[test]
    fn unlike_currencies_are_not_added() {
        let euro = Invoiced::parse(currency("EUR"), "1").unwrap();
        let dollar = Invoiced::parse(currency("USD"), "1").unwrap();
        let said = euro.plus(dollar).unwrap_err().to_string();
        assert_eq!(said, "USD cannot be added to EUR; exchange one of them first");
        let most = Invoiced::from_units(currency("EUR"), UNITS_MAX * 100).unwrap();
        assert_eq!(most.plus(euro).unwrap_err(), InvoicedError::TooLarge);
        assert_eq!(euro.number().to_string(), "1");
    }

    #[test]
    fn every_currency_is_listed_once() {
        let all: Vec<&str> = MINOR_DIGITS.iter().flat_map(|(_, codes)| codes.split(' ')).collect();
        let distinct: std::collections::BTreeSet<&str> = all.iter().copied().collect();
        assert_eq!(all.len(), distinct.len());
        assert!(all.iter().all(|code| Currency::parse(code).is_some()), "{all:?}");
        assert_eq!(minor_digits(currency("AAA")), None);
    }
}
