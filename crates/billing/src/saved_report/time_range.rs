//! For which days a report is: fixed ones, or those before the day on which it is made.

use crate::invoice::Date;
use crate::period::BillingPeriod;
use std::fmt;
use std::ops::Range;

/// For which days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeRange {
    /// From a day until before another one, counted since 1970-01-01.
    Fixed(i32, i32),
    /// So many whole months before the one that has the day.
    LastMonths(u16),
    /// So many days before the day.
    LastDays(u16),
    /// The quarter before the one that has the day.
    LastQuarter,
    /// The month that has the day, up to it.
    MonthToDate,
    /// The quarter that has the day, up to it.
    QuarterToDate,
    /// The year that has the day, up to it.
    YearToDate,
}

/// Why a text is no time range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no time of a report; it is LAST_MONTH, LAST_n_MONTHS (n from 1 to 36), LAST_n_DAYS (n from 1 to 366), LAST_QUARTER, MONTH_TO_DATE, QUARTER_TO_DATE, YEAR_TO_DATE, or two days as 2026-01-01/2026-04-01, the second not included"
)]
pub struct NotATimeRange(pub String);

const MONTHS_MAX: u16 = 36;
const DAYS_MAX: u16 = 366;

impl TimeRange {
    /// Reads a range.
    ///
    /// # Errors
    /// [`NotATimeRange`].
    pub fn parse(text: &str) -> Result<Self, NotATimeRange> {
        let bad = || NotATimeRange(text.to_owned());
        if let Some((first, end)) = text.split_once('/') {
            let day = |text: &str| Date::parse(text).map(Date::days).map_err(|_| bad());
            let (first, end) = (day(first)?, day(end)?);
            return if first < end { Ok(Self::Fixed(first, end)) } else { Err(bad()) };
        }
        let count = |rest: &str, most: u16| {
            let is_plain = !rest.starts_with('0') && rest.bytes().all(|byte| byte.is_ascii_digit());
            rest.parse().ok().filter(|count| is_plain && (1..=most).contains(count)).ok_or_else(bad)
        };
        match text {
            "LAST_MONTH" => Ok(Self::LastMonths(1)),
            "LAST_QUARTER" => Ok(Self::LastQuarter),
            "MONTH_TO_DATE" => Ok(Self::MonthToDate),
            "QUARTER_TO_DATE" => Ok(Self::QuarterToDate),
            "YEAR_TO_DATE" => Ok(Self::YearToDate),
            _ => {
                let rest = text.strip_prefix("LAST_").ok_or_else(bad)?;
                match (rest.strip_suffix("_MONTHS"), rest.strip_suffix("_DAYS")) {
                    (Some(months), _) => count(months, MONTHS_MAX).map(Self::LastMonths),
                    (None, Some(days)) => count(days, DAYS_MAX).map(Self::LastDays),
                    (None, None) => Err(bad()),
                }
            }
        }
    }

    /// The days of it, as of one: that day itself is not over, and not among them. A month, quarter or year that begins with it is the one before.
    #[must_use]
    pub fn days(self, today: i32) -> Range<i32> {
        let month = |day: i32| Date::of_seconds(i64::from(day) * 86_400).month();
        match self {
            Self::Fixed(first, end) => first..end,
            Self::LastDays(count) => today.saturating_sub(i32::from(count))..today,
            Self::LastMonths(count) => {
                let current = month(today);
                first_day(before(current, count))..first_day(current)
            }
            Self::LastQuarter => {
                let current = quarter(month(today));
                first_day(before(current, 3))..first_day(current)
            }
            Self::MonthToDate => first_day(month(today - 1))..today,
            Self::QuarterToDate => first_day(quarter(month(today - 1)))..today,
            Self::YearToDate => {
                let current = month(today - 1);
                first_day(before(current, u16::from(current.month()) - 1))..today
            }
        }
    }
}

impl fmt::Display for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(first, end) => {
                write!(f, "{}/{}", crate::period::date_text(*first), crate::period::date_text(*end))
            }
            Self::LastMonths(1) => f.write_str("LAST_MONTH"),
            Self::LastMonths(count) => write!(f, "LAST_{count}_MONTHS"),
            Self::LastDays(count) => write!(f, "LAST_{count}_DAYS"),
            Self::LastQuarter => f.write_str("LAST_QUARTER"),
            Self::MonthToDate => f.write_str("MONTH_TO_DATE"),
            Self::QuarterToDate => f.write_str("QUARTER_TO_DATE"),
            Self::YearToDate => f.write_str("YEAR_TO_DATE"),
        }
    }
}

fn first_day(month: BillingPeriod) -> i32 {
    Date::first_of(month).days()
}

/// The first month of the quarter that has a month.
fn quarter(month: BillingPeriod) -> BillingPeriod {
    before(month, u16::from((month.month() - 1) % 3))
}

fn before(month: BillingPeriod, count: u16) -> BillingPeriod {
    (0..count).fold(month, |month, _| month.previous().unwrap_or(month))
}

#[cfg(test)]
mod tests {
    //! Ranges, as of a day.

    use super::*;
    use crate::period::date_text;

    fn days(text: &str, today: &str) -> String {
        let range = TimeRange::parse(text).unwrap();
        assert_eq!(range.to_string(), text);
        let days = range.days(Date::parse(today).unwrap().days());
        format!("{} {}", date_text(days.start), date_text(days.end))
    }

    #[test]
    fn a_range_is_as_of_a_day() {
        for (text, today, expected) in [
            ("LAST_MONTH", "2026-11-10", "2026-10-01 2026-11-01"),
            ("LAST_3_MONTHS", "2026-01-01", "2025-10-01 2026-01-01"),
            ("LAST_7_DAYS", "2026-11-03", "2026-10-27 2026-11-03"),
            ("LAST_QUARTER", "2026-11-10", "2026-07-01 2026-10-01"),
            ("LAST_QUARTER", "2026-01-01", "2025-10-01 2026-01-01"),
            ("MONTH_TO_DATE", "2026-11-10", "2026-11-01 2026-11-10"),
            ("MONTH_TO_DATE", "2026-11-01", "2026-10-01 2026-11-01"),
            ("QUARTER_TO_DATE", "2026-11-10", "2026-10-01 2026-11-10"),
            ("YEAR_TO_DATE", "2026-11-10", "2026-01-01 2026-11-10"),
            ("YEAR_TO_DATE", "2027-01-01", "2026-01-01 2027-01-01"),
            ("2026-01-01/2026-04-01", "2030-01-01", "2026-01-01 2026-04-01"),
        ] {
            assert_eq!(days(text, today), expected, "{text} {today}");
        }
    }

    #[test]
    fn what_is_no_range_is_named() {
        for text in [
            "LAST_0_MONTHS",
            "LAST_37_MONTHS",
            "LAST_03_DAYS",
            "LAST_YEAR",
            "",
            "2026-04-01/2026-01-01",
            "2026-04",
        ] {
            assert!(
                TimeRange::parse(text).unwrap_err().to_string().starts_with(&format!("`{text}`")),
                "{text}"
            );
        }
    }
}
