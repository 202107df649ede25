//! Billing periods: calendar months in UTC.

use std::fmt;

/// A calendar month in UTC, `[first instant, first instant of the next month)`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BillingPeriod {
    year: u16,
    month: u8,
}

/// Why a text is not a billing period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a billing period; write it as YYYY-MM, for example 2026-10")]
pub struct NotABillingPeriod(String);

impl BillingPeriod {
    /// The month `1..=12` of a year `1..=9999`.
    #[must_use]
    pub fn new(year: u16, month: u8) -> Option<Self> {
        ((1..=9999).contains(&year) && (1..=12).contains(&month)).then_some(Self { year, month })
    }

    /// Reads `YYYY-MM`.
    ///
    /// # Errors
    /// [`NotABillingPeriod`] for anything else.
    pub fn parse(text: &str) -> Result<Self, NotABillingPeriod> {
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        text.split_once('-')
            .filter(|(year, month)| year.len() == 4 && month.len() == 2 && digits(year) && digits(month))
            .and_then(|(year, month)| Self::new(year.parse().ok()?, month.parse().ok()?))
            .ok_or_else(|| NotABillingPeriod(text.to_owned()))
    }

    /// The month after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        match self.month {
            12 => Self { year: self.year + 1, month: 1 },
            month => Self { year: self.year, month: month + 1 },
        }
    }

    /// The year.
    #[must_use]
    pub const fn year(self) -> u16 {
        self.year
    }

    /// The month, `1..=12`.
    #[must_use]
    pub const fn month(self) -> u8 {
        self.month
    }

    /// The first instant of the month, in seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn start_seconds(self) -> i64 {
        // Days from the civil calendar, counted from a March so that the leap day is the last of its year.
        let (year, month) = (self.year as i64, self.month as i64);
        let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
        let day_of_year = (153 * month + 2) / 5;
        let days =
            365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year;
        (days - 719_468) * 86_400
    }

    /// The first instant after the month, in seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn end_seconds(self) -> i64 {
        self.next().start_seconds()
    }
}

impl fmt::Display for BillingPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl fmt::Debug for BillingPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    //! Months tile time.

    use super::*;

    #[test]
    fn months_are_read_and_written_alike() {
        assert_eq!(BillingPeriod::parse("2026-10").unwrap().to_string(), "2026-10");
        for text in ["2026-13", "2026-00", "2026-1", "26-10", "2026/10", "2026-10-01", "+026-10", ""] {
            assert!(BillingPeriod::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn months_tile_time_through_leap_years_and_year_ends() {
        assert_eq!(BillingPeriod::new(1970, 1).unwrap().start_seconds(), 0);
        assert_eq!(BillingPeriod::new(2026, 10).unwrap().start_seconds(), 1_790_812_800);
        let mut month = BillingPeriod::new(1999, 12).unwrap();
        let mut days = 0;
        for _ in 0..1201 {
            days += (month.end_seconds() - month.start_seconds()) / 86_400;
            assert_eq!(month.end_seconds(), month.next().start_seconds());
            month = month.next();
        }
        // A hundred years from 2000 hold 25 leap days (2000 is one, 2100 is not yet reached), and one December.
        assert_eq!(days, 36_525 + 31);
    }
}
