//! Budgets: for which time an amount is planned, and when what was spent has crossed a threshold of it. Pure; whose costs are looked at, and who is told,
//! is the desk's affair.
//!
//! Source: AWS Budgets API reference, `Budget`, `TimePeriod` and `Notification`. What AWS leaves open is decided in docs/budgets.md.

mod forecast;
mod notification;
mod time_unit;

pub use forecast::{DAYS_NEEDED, FIRST_DAYS, History, forecast};
pub use notification::{Comparison, Notification, NotificationKind, State, ThresholdKind, changed};
pub use time_unit::TimeUnit;

use crate::money::Cost;
use crate::period::date_text;
use std::collections::BTreeMap;
use std::ops::Range;

/// The day on which a budget ends that names no end: 2087-06-15, as AWS has it.
pub const LAST_DAY: i32 = 42_899;

/// What is planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Limits {
    /// The same amount for every period.
    Fixed(Cost),
    /// An amount per period, by its first day; the last one holds for all periods after it.
    Planned(BTreeMap<i32, Cost>),
}

impl Limits {
    /// The amount that is planned for a period.
    #[must_use]
    pub fn of(&self, period: &Range<i32>) -> Cost {
        match self {
            Self::Fixed(limit) => *limit,
            Self::Planned(limits) => {
                let begun = limits.range(..=period.start).next_back();
                begun.or_else(|| limits.iter().next()).map(|(_, limit)| *limit).unwrap_or_default()
            }
        }
    }
}

/// For which time a budget is. Days are counted since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// After which time it begins anew.
    pub unit: TimeUnit,
    /// The first day that counts.
    pub start: i32,
    /// The first day that does not count any more.
    pub end: i32,
}

/// Why a budget cannot be for a time, or limits not for a budget.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BudgetError {
    /// It ends before it begins.
    #[error("TimePeriod: Start {} is not before End {}; a budget has one day at least", date_text(*.0), date_text(*.1))]
    EndsFirst(i32, i32),
    /// Limits are planned by month and quarter.
    #[error(
        "PlannedBudgetLimits: a budget of TimeUnit {} has none; plan MONTHLY or QUARTERLY, or give BudgetLimit", .0.name()
    )]
    NotPlanned(TimeUnit),
    /// A limit is of no period.
    #[error(
        "PlannedBudgetLimits: {} is not planned for what the budget covers; its keys are the first seconds of {wanted} periods, one after the other: {}", date_text(*found), first_days(expected)
    )]
    OtherPeriods {
        /// The first day that is not among those, or is not there.
        found: i32,
        /// How many there are to be.
        wanted: usize,
        /// Their first days.
        expected: Vec<i32>,
    },
}

fn first_days(days: &[i32]) -> String {
    days.iter().map(|day| date_text(*day)).collect::<Vec<_>>().join(", ")
}

impl Span {
    /// A time.
    ///
    /// # Errors
    /// [`BudgetError::EndsFirst`].
    pub fn new(unit: TimeUnit, start: i32, end: i32) -> Result<Self, BudgetError> {
        if start >= end {
            return Err(BudgetError::EndsFirst(start, end));
        }
        Ok(Self { unit, start, end })
    }

    /// The period that has a day: of calendar days, months, quarters or years, cut where the budget begins and ends. A day before or after the budget is in
    /// its first or last period.
    #[must_use]
    pub fn period_of(&self, day: i32) -> Range<i32> {
        let whole = self.unit.period_of(day.clamp(self.start, self.end - 1));
        whole.start.max(self.start)..whole.end.min(self.end)
    }

    /// The periods of some days that the budget has begun by then, the first one first.
    #[must_use]
    pub fn periods(&self, days: Range<i32>) -> Vec<Range<i32>> {
        let mut periods = Vec::new();
        let mut day = days.start.max(self.start);
        while day < days.end.min(self.end) {
            let period = self.period_of(day);
            day = period.end;
            periods.push(period);
        }
        periods
    }

    /// The periods that may have crossed a threshold on a day: the one that has it, and the one before, whose last costs come days after its end. What was
    /// over before somebody thought of the budget is no news.
    #[must_use]
    pub fn periods_looked_at(&self, today: i32, created: i32) -> Vec<Range<i32>> {
        if today < self.start {
            return Vec::new();
        }
        let current = self.period_of(today);
        let before = (current.start > self.start).then(|| self.period_of(current.start - 1));
        before.into_iter().filter(|before| before.end > created).chain([current]).collect()
    }

    /// Holds planned limits to what AWS takes: from the period that has today on, or the budget's first, twelve months or four quarters without a gap, fewer
    /// where the budget ends before.
    ///
    /// # Errors
    /// [`BudgetError`].
    pub fn check_planned(&self, limits: &BTreeMap<i32, Cost>, today: i32) -> Result<(), BudgetError> {
        let most = self.unit.planned().ok_or(BudgetError::NotPlanned(self.unit))?;
        let mut expected = Vec::with_capacity(most);
        let mut day = today.clamp(self.start, self.end - 1);
        while expected.len() < most && day < self.end {
            let whole = self.unit.period_of(day);
            expected.push(whole.start);
            day = whole.end;
        }
        let given = || limits.keys().copied();
        let missing = expected.iter().copied().find(|day| !limits.contains_key(day));
        match given().find(|day| !expected.contains(day)).or(missing) {
            Some(found) => Err(BudgetError::OtherPeriods { found, wanted: expected.len(), expected }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    //! Periods of budgets, and what is planned for them.

    use super::*;
    use crate::invoice::Date;

    fn day(text: &str) -> i32 {
        Date::parse(text).unwrap().days()
    }

    fn shown(period: Range<i32>) -> String {
        format!("{}..{}", date_text(period.start), date_text(period.end))
    }

    #[test]
    fn a_budget_that_names_no_end_ends_as_aws_has_it() {
        assert_eq!(date_text(LAST_DAY), "2087-06-15");
    }

    #[test]
    fn periods_are_of_the_calendar_and_cut_by_the_budget() {
        let (start, end) = (day("2026-02-10"), day("2027-05-20"));
        for (unit, of, expected) in [
            (TimeUnit::Daily, "2026-03-01", "2026-03-01..2026-03-02"),
            (TimeUnit::Monthly, "2026-03-01", "2026-03-01..2026-04-01"),
            (TimeUnit::Monthly, "2026-02-28", "2026-02-10..2026-03-01"),
            (TimeUnit::Quarterly, "2026-12-31", "2026-10-01..2027-01-01"),
            (TimeUnit::Annually, "2026-07-01", "2026-02-10..2027-01-01"),
            (TimeUnit::Annually, "2027-01-01", "2027-01-01..2027-05-20"),
            // Before and after the budget.
            (TimeUnit::Monthly, "2020-01-01", "2026-02-10..2026-03-01"),
            (TimeUnit::Monthly, "2040-01-01", "2027-05-01..2027-05-20"),
        ] {
            let span = Span::new(unit, start, end).unwrap();
            assert_eq!(shown(span.period_of(day(of))), expected, "{unit:?} {of}");
        }
        assert!(Span::new(TimeUnit::Daily, end, end).is_err());
    }

    #[test]
    fn periods_of_some_days_follow_each_other() {
        let span = Span::new(TimeUnit::Quarterly, day("2026-02-10"), day("2027-05-20")).unwrap();
        let periods = span.periods(day("2025-01-01")..day("2026-08-01"));
        let periods: Vec<String> = periods.into_iter().map(shown).collect();
        assert_eq!(periods, ["2026-02-10..2026-04-01", "2026-04-01..2026-07-01", "2026-07-01..2026-10-01"]);
    }

    #[test]
    fn the_period_before_is_looked_at_where_the_budget_was_there() {
        let span = Span::new(TimeUnit::Monthly, day("2026-01-01"), LAST_DAY).unwrap();
        let looked = |today: &str, created: &str| -> Vec<String> {
            span.periods_looked_at(day(today), day(created)).into_iter().map(shown).collect()
        };
        assert_eq!(looked("2026-11-10", "2026-11-09"), ["2026-11-01..2026-12-01"]);
        assert_eq!(looked("2026-11-10", "2026-10-31"), ["2026-10-01..2026-11-01", "2026-11-01..2026-12-01"]);
        assert_eq!(looked("2026-01-31", "2025-10-31"), ["2026-01-01..2026-02-01"]);
        assert!(looked("2025-12-31", "2025-10-31").is_empty());
    }

    #[test]
    fn planned_limits_are_of_the_periods_to_come() {
        let span = Span::new(TimeUnit::Quarterly, day("2026-01-01"), day("2027-07-01")).unwrap();
        let limits = |days: &[&str]| -> BTreeMap<i32, Cost> {
            days.iter().map(|text| (day(text), Cost::ONE)).collect()
        };
        let today = day("2026-11-10");
        assert!(span.check_planned(&limits(&["2026-10-01", "2027-01-01", "2027-04-01"]), today).is_ok());
        for (days, named) in [
            (&["2026-10-01", "2027-01-01"][..], "2027-04-01 is not planned"),
            (&["2026-10-01", "2027-01-02", "2027-04-01"], "2027-01-02 is not planned"),
            (&["2026-07-01", "2026-10-01", "2027-01-01", "2027-04-01"], "2026-07-01 is not planned"),
        ] {
            let error = span.check_planned(&limits(days), today).unwrap_err().to_string();
            assert!(error.contains(named) && error.contains("3 periods"), "{error}");
        }
        let daily = Span::new(TimeUnit::Daily, 0, LAST_DAY).unwrap();
        assert_eq!(daily.check_planned(&limits(&[]), today), Err(BudgetError::NotPlanned(TimeUnit::Daily)));
    }

    #[test]
    fn the_last_planned_limit_goes_on() {
        let limit = |units: i128| Cost::from_units(units).unwrap();
        let planned = Limits::Planned(BTreeMap::from([(10, limit(1)), (20, limit(2))]));
        for (start, expected) in [(0, 1), (10, 1), (19, 1), (20, 2), (1_000, 2)] {
            assert_eq!(planned.of(&(start..start + 1)), limit(expected));
        }
        assert_eq!(Limits::Fixed(limit(7)).of(&(0..1)), limit(7));
    }
}
