//! What is expected to be spent by the end of a budget's period: what was spent, and for every day to come what such a day has cost of late.
//!
//! The mean is of four weeks, so that each day of the week weighs the same. First days of months have a mean of their own: what has no day (fees, custom
//! line items, tax) is on them, and would be carried on to every other day.

use crate::money::{Cost, DecimalError, divide_half_away};
use crate::period::date_text;
use std::ops::Range;

/// How many days the mean is of; with fewer there is no forecast.
pub const DAYS_NEEDED: usize = 28;
/// How many first days of months theirs is of, at most.
pub const FIRST_DAYS: usize = 3;

/// What was spent on days that follow each other, up to the last one that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The first of them, counted since 1970-01-01.
    pub first: i32,
    /// What was spent on each.
    pub days: Vec<Cost>,
}

impl History {
    /// The first day that is not known.
    #[must_use]
    pub fn end(&self) -> i32 {
        self.first.saturating_add(i32::try_from(self.days.len()).unwrap_or(i32::MAX))
    }

    /// The last so many days that are the first of their month, or are not.
    fn last(&self, are_first: bool, most: usize) -> Vec<Cost> {
        let numbered = (self.first..self.end()).rev().zip(self.days.iter().rev());
        let of_kind = numbered.filter(|(day, _)| is_first_of_month(*day) == are_first);
        of_kind.take(most).map(|(_, spent)| *spent).collect()
    }
}

fn is_first_of_month(day: i32) -> bool {
    date_text(day).ends_with("-01")
}

/// What a period comes to, `spent` of it so far; `None` where too few days are known. Each of the two means times its days is rounded half away from zero at
/// ten decimals.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn forecast(history: &History, spent: Cost, period: &Range<i32>) -> Result<Option<Cost>, DecimalError> {
    let rest = history.end().max(period.start)..period.end;
    if rest.is_empty() {
        return Ok(Some(spent));
    }
    let ordinary = history.last(false, DAYS_NEEDED);
    if ordinary.len() < DAYS_NEEDED {
        return Ok(None);
    }
    let first = history.last(true, FIRST_DAYS);
    let firsts_to_come = rest.clone().filter(|day| is_first_of_month(*day)).count();
    let (firsts, others) = match first.is_empty() {
        // Of no first day anything is known.
        true => (0, rest.len()),
        false => (firsts_to_come, rest.len() - firsts_to_come),
    };
    let expected = carried_on(&ordinary, others)?.plus(carried_on(&first, firsts)?)?;
    Ok(Some(spent.plus(expected)?))
}

/// The mean of some days, so many times.
fn carried_on(days: &[Cost], times: usize) -> Result<Cost, DecimalError> {
    if times == 0 || days.is_empty() {
        return Ok(Cost::ZERO);
    }
    let sum = days.iter().try_fold(Cost::ZERO, |sum, day| sum.plus(*day))?;
    let whole = |count: usize| i128::try_from(count).map_err(|_| DecimalError::TooLarge);
    let all = sum.units().checked_mul(whole(times)?).ok_or(DecimalError::TooLarge)?;
    Cost::from_units(divide_half_away(all, whole(days.len())?).0)
}

#[cfg(test)]
mod tests {
    //! What is carried on, and what is not.

    use super::*;
    use crate::invoice::Date;

    fn cost(text: &str) -> Cost {
        Cost::parse(text).unwrap()
    }

    fn day(text: &str) -> i32 {
        Date::parse(text).unwrap().days()
    }

    /// A fee of 100 on each first day, and 3 on every other.
    fn history(first: &str, end: &str) -> History {
        let days = day(first)..day(end);
        let spent = |day| if is_first_of_month(day) { cost("100") } else { cost("3") };
        History { first: days.start, days: days.map(spent).collect() }
    }

    #[test]
    fn fees_of_first_days_are_not_carried_on_to_others() {
        let history = history("2026-09-01", "2026-11-11");
        // Ten days are known: 100 + 9 × 3; twenty of 3 are to come.
        let month = day("2026-11-01")..day("2026-12-01");
        assert_eq!(forecast(&history, cost("127"), &month), Ok(Some(cost("187"))));
        // Of the quarter December is to come, too, with its own first day.
        let quarter = day("2026-10-01")..day("2027-01-01");
        assert_eq!(forecast(&history, cost("317"), &quarter), Ok(Some(cost("567"))));
    }

    #[test]
    fn four_weeks_are_enough_and_a_day_less_is_not() {
        let month = day("2026-11-01")..day("2026-12-01");
        assert_eq!(forecast(&history("2026-10-12", "2026-11-10"), cost("1"), &month), Ok(Some(cost("64"))));
        assert_eq!(forecast(&history("2026-10-13", "2026-11-10"), cost("1"), &month), Ok(None));
        // What is over needs no forecast.
        let october = day("2026-10-01")..day("2026-11-01");
        assert_eq!(forecast(&history("2026-11-01", "2026-11-02"), cost("1"), &october), Ok(Some(cost("1"))));
    }

    #[test]
    fn a_mean_is_rounded_once() {
        let days = vec![cost("1"); 27].into_iter().chain([cost("0")]).collect();
        let history = History { first: day("2026-10-02"), days };
        // 27 / 28 × 2 days.
        let period = day("2026-10-29")..day("2026-11-01");
        assert_eq!(forecast(&history, Cost::ZERO, &period), Ok(Some(cost("1.9285714286"))));
    }
}
