//! Exchange rates that the operator has imported: which one a document takes.
//!
//! A rate is never computed from others: the inverse of a rate, or one by way of a third currency, is another number than the one
//! that was published, so a missing rate is an error that names the pair and the day.

use super::Exchange;
use super::date::Date;
use crate::money::{Currency, Rate};
use std::collections::BTreeMap;

/// How many days a rate is old at most when a document takes it: banks publish none on weekends and holidays.
pub const RATE_DAYS_MAX: u32 = 7;

/// The rates that were imported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateTable {
    rates: BTreeMap<(Currency, Currency), BTreeMap<Date, (Rate, String)>>,
}

/// Why a rate is not taken in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RateRefusal {
    /// A currency against itself.
    #[error("a rate from {0} to {0} says nothing; leave it out")]
    SameCurrency(Currency),
    /// Not above 0.
    #[error("the rate from {from} to {to} of {date} is `{rate}`; a rate is above 0")]
    NotAboveZero {
        /// The currency that is exchanged.
        from: Currency,
        /// The currency that results.
        to: Currency,
        /// Its day.
        date: Date,
        /// The rate.
        rate: Rate,
    },
    /// Another rate of the same pair and day.
    #[error(
        "the rate from {from} to {to} of {date} is `{known}` already, and `{rate}` is another; documents may have taken the \
         first one. If none has, correct it (`Correct`, --correct); else import a rate of another day"
    )]
    AnotherRate {
        /// The currency that is exchanged.
        from: Currency,
        /// The currency that results.
        to: Currency,
        /// The day.
        date: Date,
        /// What is known.
        known: Rate,
        /// What is given.
        rate: Rate,
    },
}

/// No rate is known that a document could take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no exchange rate from {from} to {to} of {date}, nor of the {RATE_DAYS_MAX} days before; import one, and for these \
     two currencies in this direction"
)]
pub struct NoRate {
    /// The currency that is to be exchanged.
    pub from: Currency,
    /// The currency that is to result.
    pub to: Currency,
    /// The day.
    pub date: Date,
}

impl RateTable {
    /// Takes in a rate; one that is known already is no other.
    ///
    /// # Errors
    /// [`RateRefusal`], in the order of its variants.
    pub fn add(&mut self, rate: Exchange) -> Result<(), RateRefusal> {
        let Exchange { from, to, rate, source, date } = rate;
        if from == to {
            return Err(RateRefusal::SameCurrency(from));
        }
        if rate <= Rate::ZERO {
            return Err(RateRefusal::NotAboveZero { from, to, date, rate });
        }
        let of_pair = self.rates.entry((from, to)).or_default();
        match of_pair.get(&date) {
            Some((known, _)) if *known != rate => {
                Err(RateRefusal::AnotherRate { from, to, date, known: *known, rate })
            }
            Some(_) => Ok(()),
            None => {
                of_pair.insert(date, (rate, source));
                Ok(())
            }
        }
    }

    /// The rate that a document takes: the latest of the day or of the [`RATE_DAYS_MAX`] days before it.
    ///
    /// # Errors
    /// [`NoRate`].
    pub fn rate(&self, from: Currency, to: Currency, date: Date) -> Result<Exchange, NoRate> {
        let latest = self.rates.get(&(from, to)).and_then(|of_pair| of_pair.range(..=date).next_back());
        match latest {
            Some((day, (rate, source))) if day.plus_days(RATE_DAYS_MAX) >= date => {
                Ok(Exchange { from, to, rate: *rate, source: source.clone(), date: *day })
            }
            _ => Err(NoRate { from, to, date }),
        }
    }
}

#[cfg(test)]
mod tests {
    //! A document takes a published rate of its day, or none.

    use super::*;

    fn rate(from: &str, to: &str, rate: &str, date: &str) -> Exchange {
        Exchange {
            from: Currency::parse(from).unwrap(),
            to: Currency::parse(to).unwrap(),
            rate: Rate::parse(rate).unwrap(),
            source: "ECB".to_owned(),
            date: Date::parse(date).unwrap(),
        }
    }

    #[test]
    fn the_latest_rate_of_a_week_is_taken() {
        let mut table = RateTable::default();
        for (value, date) in [("0.92", "2026-10-29"), ("0.93", "2026-10-30"), ("0.95", "2026-11-09")] {
            table.add(rate("USD", "EUR", value, date)).unwrap();
        }
        let (dollar, euro) = (Currency::parse("USD").unwrap(), Currency::parse("EUR").unwrap());
        let taken = |date: &str| {
            let exchange = table.rate(dollar, euro, Date::parse(date).unwrap());
            exchange.map(|of| format!("{} of {}", of.rate, of.date)).map_err(|error| error.to_string())
        };
        assert_eq!(taken("2026-10-31").unwrap(), "0.93 of 2026-10-30");
        assert_eq!(taken("2026-10-29").unwrap(), "0.92 of 2026-10-29");
        assert_eq!(taken("2026-11-06").unwrap(), "0.93 of 2026-10-30");
        let missing = "there is no exchange rate from USD to EUR of 2026-11-07, nor of the 7 days before; import one, and for these \
                       two currencies in this direction";
        assert_eq!(taken("2026-11-07").unwrap_err(), missing);
        assert!(table.rate(euro, dollar, Date::parse("2026-10-30").unwrap()).is_err(), "no rate is inverted");
    }

    #[test]
    fn a_rate_that_documents_may_have_taken_stays() {
        let mut table = RateTable::default();
        table.add(rate("USD", "EUR", "0.92", "2026-10-30")).unwrap();
        table.add(rate("USD", "EUR", "0.9200", "2026-10-30")).unwrap();
        for (refused, said) in [
            (rate("EUR", "EUR", "1", "2026-10-30"), "a rate from EUR to EUR says nothing; leave it out"),
            (
                rate("USD", "EUR", "0", "2026-10-30"),
                "the rate from USD to EUR of 2026-10-30 is `0`; a rate is above 0",
            ),
            (
                rate("USD", "EUR", "0.93", "2026-10-30"),
                "the rate from USD to EUR of 2026-10-30 is `0.92` already, and `0.93` is another; documents may have taken the \
                 first one. If none has, correct it (`Correct`, --correct); else import a rate of another day",
            ),
        ] {
            assert_eq!(table.add(refused).unwrap_err().to_string(), said);
        }
    }
}
