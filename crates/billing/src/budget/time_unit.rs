//! After which time a budget begins anew.

use crate::invoice::Date;
use crate::period::BillingPeriod;
use std::ops::Range;

/// After which time a budget begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimeUnit {
    /// Each day.
    Daily,
    /// Each calendar month.
    Monthly,
    /// Each quarter of a calendar year.
    Quarterly,
    /// Each calendar year.
    Annually,
}

impl TimeUnit {
    /// Every unit with its name.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Daily, "DAILY"),
        (Self::Monthly, "MONTHLY"),
        (Self::Quarterly, "QUARTERLY"),
        (Self::Annually, "ANNUALLY"),
    ];

    /// The unit of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(unit, of)| (of == name).then_some(unit))
    }

    /// The name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find_map(|(unit, name)| (unit == self).then_some(name)).unwrap_or_default()
    }

    /// How many periods ahead limits are planned for; `None` where none are.
    #[must_use]
    pub const fn planned(self) -> Option<usize> {
        match self {
            Self::Monthly => Some(12),
            Self::Quarterly => Some(4),
            Self::Daily | Self::Annually => None,
        }
    }

    /// The days of the whole period that has a day, counted since 1970-01-01.
    #[must_use]
    pub fn period_of(self, day: i32) -> Range<i32> {
        let month = Date::of_seconds(i64::from(day) * 86_400).month();
        let months = match self {
            Self::Daily => return day..day + 1,
            Self::Monthly => 1,
            Self::Quarterly => 3,
            Self::Annually => 12,
        };
        // Months before the first of the period, which is in the same year.
        let before = (month.month() - 1) % months;
        let first = BillingPeriod::new(month.year(), month.month() - before).unwrap_or(month);
        let next = (0..months).fold(first, |period, _| period.next());
        first_day(first)..first_day(next)
    }
}

fn first_day(month: BillingPeriod) -> i32 {
    i32::try_from(month.start_seconds() / 86_400).unwrap_or(i32::MAX)
}
