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

    /// The first month that there is.
    #[must_use]
    pub const fn first() -> Self {
        Self { year: 1, month: 1 }
    }

    /// The month before this one; the first has none.
    #[must_use]
    pub const fn previous(self) -> Option<Self> {
        match (self.year, self.month) {
            (1, 1) => None,
            (year, 1) => Some(Self { year: year - 1, month: 12 }),
            (year, month) => Some(Self { year, month: month - 1 }),
        }
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

    /// The first day of the month, counted since 1970-01-01.
    #[must_use]
    pub const fn first_day(self) -> i32 {
        // Years have four digits.
        (self.start_seconds() / 86_400) as i32
    }

    /// The last day of the month, counted since 1970-01-01.
    #[must_use]
    pub const fn last_day(self) -> i32 {
        (self.end_seconds() / 86_400) as i32 - 1
    }
}

/// A day, counted since 1970-01-01, as `YYYY-MM-DD`.
#[must_use]
pub fn date_text(day: i32) -> String {
    // Eras of 400 years, and within one the days since a 1 March, so that the leap day is the last of its year.
    let day = i64::from(day) + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let since_march = (5 * of_year + 2) / 153;
    let date = of_year - (153 * since_march + 2) / 5 + 1;
    let month = if since_march < 10 { since_march + 3 } else { since_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{date:02}")
}

/// The day that [`date_text`] has written, counted since 1970-01-01; `None` for anything else, and for a day that its month does not have.
#[must_use]
pub fn day_of(text: &str) -> Option<i32> {
    let (month, day) = text.rsplit_once('-')?;
    let month = BillingPeriod::parse(month).ok()?;
    let digits = day.len() == 2 && day.bytes().all(|b| b.is_ascii_digit());
    let day = day.parse::<i32>().ok().filter(|day| digits && *day >= 1)?;
    let (first, last) = (month.first_day(), month.last_day());
    first.checked_add(day - 1).filter(|day| *day <= last)
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
            assert_eq!(month.next().previous(), Some(month));
            month = month.next();
        }
        // A hundred years from 2000 hold 25 leap days (2000 is one, 2100 is not yet reached), and one December.
        assert_eq!(days, 36_525 + 31);
    }

    #[test]
    fn days_have_dates() {
        let first_day = |year, month| {
            i32::try_from(BillingPeriod::new(year, month).unwrap().start_seconds() / 86_400).unwrap()
        };
        for (day, text) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (first_day(2026, 10) + 30, "2026-10-31"),
            (first_day(2000, 3) - 1, "2000-02-29"),
            (first_day(2100, 3) - 1, "2100-02-28"),
            (first_day(2028, 1) - 1, "2027-12-31"),
        ] {
            assert_eq!(date_text(day), text);
        }
    }
}
