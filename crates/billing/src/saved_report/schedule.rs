//! When a report goes out by itself.

use crate::invoice::Date;
use crate::period::BillingPeriod;
use std::fmt;

/// The days of a week, Monday first.
pub const WEEKDAYS: [&str; 7] =
    ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];
/// What stands before the day of a month.
const DAY: &str = "DAY_";
const AFTER_CLOSE: &str = "AFTER_CLOSE";

/// When it goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// On a day of each month; in a month that has it not, on its last one.
    DayOfMonth(u8),
    /// On a day of each week, 0 is Monday.
    Weekly(u8),
    /// When a billing period was closed.
    AfterClose,
}

impl Schedule {
    /// Reads a schedule: `DAY_3`, `MONDAY`, `AFTER_CLOSE`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == AFTER_CLOSE {
            return Some(Self::AfterClose);
        }
        if let Some(at) = WEEKDAYS.iter().position(|day| *day == text) {
            return u8::try_from(at).ok().map(Self::Weekly);
        }
        let digits = text.strip_prefix(DAY).filter(|rest| !rest.starts_with(['0', '+']))?;
        digits.parse().ok().filter(|day| (1..=31).contains(day)).map(Self::DayOfMonth)
    }

    /// The last day up to today on which it goes out, and not before `since`; days are counted since 1970-01-01. `None` where it has not come yet, or goes by
    /// closes. Of several that nobody has looked at, the last one says it all.
    #[must_use]
    pub fn last_due(self, since: i32, today: i32) -> Option<i32> {
        let due = match self {
            Self::AfterClose => return None,
            // 1970-01-01 was a Thursday.
            Self::Weekly(weekday) => today - (today + 3 - i32::from(weekday)).rem_euclid(7),
            Self::DayOfMonth(day) => {
                let month = Date::of_seconds(i64::from(today) * 86_400).month();
                let of = |month: BillingPeriod| {
                    let (first, last) = (Date::first_of(month).days(), Date::last_of(month).days());
                    (first + i32::from(day) - 1).min(last)
                };
                let own = of(month);
                if own <= today { own } else { of(month.previous().unwrap_or(month)) }
            }
        };
        (due >= since).then_some(due)
    }

    /// As of which day a report is made that goes out when a period was closed: the first one after it, so that the month before is that period.
    #[must_use]
    pub fn day_after(period: BillingPeriod) -> i32 {
        Date::first_of(period.next()).days()
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AfterClose => f.write_str(AFTER_CLOSE),
            Self::DayOfMonth(day) => write!(f, "{DAY}{day}"),
            Self::Weekly(day) => f.write_str(WEEKDAYS.get(usize::from(*day)).copied().unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    //! When it is due.

    use super::*;
    use crate::period::date_text;

    fn due(schedule: &str, since: &str, today: &str) -> Option<String> {
        let day = |text: &str| Date::parse(text).unwrap().days();
        let schedule = Schedule::parse(schedule).unwrap();
        schedule.last_due(day(since), day(today)).map(date_text)
    }

    #[test]
    fn a_report_is_due_on_its_days() {
        for (schedule, since, today, expected) in [
            ("DAY_3", "2026-11-01", "2026-11-02", None),
            ("DAY_3", "2026-11-01", "2026-11-03", Some("2026-11-03")),
            ("DAY_3", "2026-01-01", "2026-11-02", Some("2026-10-03")),
            ("DAY_31", "2026-01-01", "2026-02-28", Some("2026-02-28")),
            ("DAY_31", "2026-01-01", "2026-02-27", Some("2026-01-31")),
            // The 9th is a Monday.
            ("MONDAY", "2026-01-01", "2026-11-09", Some("2026-11-09")),
            ("MONDAY", "2026-01-01", "2026-11-15", Some("2026-11-09")),
            ("SUNDAY", "2026-01-01", "2026-11-15", Some("2026-11-15")),
            ("SUNDAY", "2026-11-09", "2026-11-14", None),
            ("AFTER_CLOSE", "2026-01-01", "2026-11-14", None),
        ] {
            assert_eq!(due(schedule, since, today).as_deref(), expected, "{schedule} {today}");
        }
    }

    #[test]
    fn a_schedule_is_read_as_it_is_written() {
        for text in ["DAY_1", "DAY_31", "MONDAY", "SUNDAY", "AFTER_CLOSE"] {
            assert_eq!(Schedule::parse(text).map(|of| of.to_string()).as_deref(), Some(text));
        }
        for text in ["DAY_0", "DAY_32", "DAY_03", "DAY_", "Monday", ""] {
            assert_eq!(Schedule::parse(text), None, "{text}");
        }
        assert_eq!(date_text(Schedule::day_after(BillingPeriod::new(2026, 12).unwrap())), "2027-01-01");
    }
}
