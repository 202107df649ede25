//! Calendar days: a document has dates, not instants.

use crate::period::{BillingPeriod, date_text, day_of};
use std::fmt;

/// A day of the Gregorian calendar, counted since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i32);

/// Why a text is not a day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a date; write it as YYYY-MM-DD, for example 2026-11-03")]
pub struct NotADate(String);

/// The last day that there is: 9999-12-31.
const LAST: i32 = 2_932_896;
/// The first day that there is: 0001-01-01.
const FIRST: i32 = -719_162;

impl Date {
    /// Reads `YYYY-MM-DD`.
    ///
    /// # Errors
    /// [`NotADate`] for anything else, and for a day that its month does not have.
    pub fn parse(text: &str) -> Result<Self, NotADate> {
        day_of(text).map(Self).ok_or_else(|| NotADate(text.to_owned()))
    }

    /// The day that an instant is on in UTC; `seconds` since 1970-01-01T00:00:00Z. Instants beyond the years 1 to 9999 give the nearest day.
    #[must_use]
    pub fn of_seconds(seconds: i64) -> Self {
        let day = seconds.div_euclid(86_400).clamp(FIRST.into(), LAST.into());
        Self(i32::try_from(day).unwrap_or(LAST))
    }

    /// The first day of a month.
    #[must_use]
    pub fn first_of(month: BillingPeriod) -> Self {
        Self::of_seconds(month.start_seconds())
    }

    /// The last day of a month.
    #[must_use]
    pub fn last_of(month: BillingPeriod) -> Self {
        Self::of_seconds(month.end_seconds() - 1)
    }

    /// The day this many days later, at most 9999-12-31.
    #[must_use]
    pub fn plus_days(self, days: u32) -> Self {
        let day = i32::try_from(days).ok().and_then(|days| self.0.checked_add(days));
        Self(day.unwrap_or(LAST).min(LAST))
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn days(self) -> i32 {
        self.0
    }

    /// The month that the day is in.
    #[must_use]
    pub fn month(self) -> BillingPeriod {
        // The text of a day between FIRST and LAST starts with its month.
        BillingPeriod::parse(&self.to_string()[..7]).unwrap_or(BillingPeriod::first())
    }

    /// The year.
    #[must_use]
    pub fn year(self) -> u16 {
        self.month().year()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&date_text(self.0))
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    //! Days are read and written alike.

    use super::*;

    #[test]
    fn days_are_read_and_written_alike() {
        for text in ["2026-11-03", "2028-02-29", "0001-01-01", "9999-12-31", "1970-01-01"] {
            assert_eq!(Date::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Date::parse("0001-01-01").unwrap().days(), FIRST);
        assert_eq!(Date::parse("9999-12-31").unwrap().days(), LAST);
        for text in
            ["2026-02-29", "2026-11-31", "2026-11-00", "2026-11-3", "2026-11", "03-11-2026", "2026-11-+3", ""]
        {
            let said = Date::parse(text).unwrap_err().to_string();
            let expected = format!("`{text}` is not a date; write it as YYYY-MM-DD, for example 2026-11-03");
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn a_day_knows_its_month_and_those_after_it() {
        let date = Date::parse("2026-12-31").unwrap();
        assert_eq!(date.month(), BillingPeriod::new(2026, 12).unwrap());
        assert_eq!(date, Date::last_of(date.month()));
        assert_eq!(date.plus_days(30).to_string(), "2027-01-30");
        assert_eq!(date.plus_days(u32::MAX).to_string(), "9999-12-31");
        assert_eq!(Date::of_seconds(-1).to_string(), "1969-12-31");
        assert_eq!(Date::of_seconds(i64::MAX).to_string(), "9999-12-31");
    }
}
