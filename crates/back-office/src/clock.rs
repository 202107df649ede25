//! What time it is at the desk: the machine's, or one that is fixed for a demo or a test.
//!
//! Only billing goes by it: which period is the current one, and what is written beside a setting. Signatures, leases and time-outs go by the
//! machine's clock.

use billing::instant::month_of;
use billing::period::BillingPeriod;
use std::time::{SystemTime, UNIX_EPOCH};

/// A clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The machine's.
    Machine,
    /// Always the same instant, in seconds since 1970-01-01T00:00:00Z.
    Fixed(i64),
}

impl Clock {
    /// Now, in seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn now(self) -> i64 {
        match self {
            Self::Fixed(now) => now,
            Self::Machine => machine_seconds(),
        }
    }

    /// The billing period that has an instant, in UTC.
    #[must_use]
    pub fn period_of(seconds: i64) -> BillingPeriod {
        // An instant outside the years 1 to 9999 is no time of a bill.
        month_of(seconds).unwrap_or_else(BillingPeriod::first)
    }

    /// The billing period that has a day, counted since 1970-01-01.
    #[must_use]
    pub fn period_of_day(day: i32) -> BillingPeriod {
        Self::period_of(i64::from(day) * 86_400)
    }
}

/// The machine's clock, in seconds since 1970-01-01T00:00:00Z.
#[must_use]
pub fn machine_seconds() -> i64 {
    machine_milliseconds() / 1_000
}

/// The machine's clock, in milliseconds since 1970-01-01T00:00:00Z.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the clock: everybody else is given the time")]
pub fn machine_milliseconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    //! Months of instants.

    use super::*;

    #[test]
    fn a_month_ends_with_its_last_second() {
        let november = BillingPeriod::new(2026, 11).unwrap();
        let first = november.start_seconds();
        for (instant, expected) in
            [(first - 1, "2026-10"), (first, "2026-11"), (november.end_seconds() - 1, "2026-11")]
        {
            assert_eq!(Clock::period_of(instant).to_string(), expected);
        }
    }
}
