//! What budgets came to in the periods before: planned as the budget was then, spent as the costs are now.

use super::spend::sum;
use super::{BudgetRow, SETTING};
use crate::authorization::Caller;
use crate::desk::BackOffice;
use crate::error::{Answer, Declined, Error};
use billing::budget::TimeUnit;
use billing::invoice::Date;
use billing::money::Cost;
use query::question::{Granularity, Slice};
use std::ops::Range;

/// How many periods are told where nobody says from when on.
const PERIODS: usize = 12;
/// How many days back a history goes: five years, the first days of months among them.
const DAYS_BACK: i32 = 1_780;

/// What was planned and spent in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetedAndActual {
    /// The period.
    pub period: Range<i32>,
    /// What was planned.
    pub budgeted: Cost,
    /// What was spent.
    pub actual: Cost,
}

impl BackOffice {
    /// What was planned and spent in a budget's periods of some days, or in its last twelve, the earliest first; the current one is the last. Empty where the
    /// costs cannot be told for the budget.
    ///
    /// # Errors
    /// [`Declined::Invalid`] for a budget of years, of which AWS keeps no history either.
    pub async fn budget_history(
        &self,
        caller: &Caller,
        row: &BudgetRow,
        days: (Option<i32>, Option<i32>),
    ) -> Answer<Vec<BudgetedAndActual>> {
        let budget = &row.budget;
        if budget.time_unit()? == TimeUnit::Annually {
            let message = format!(
                "budget `{}` is ANNUALLY; there is a history of DAILY, MONTHLY and QUARTERLY budgets, and DescribeBudget tells what this one has come to",
                budget.name
            );
            return Err(Declined::invalid(message).into());
        }
        let today = Date::of_seconds(caller.now).days();
        let (first, end) = (days.0.unwrap_or(i32::MIN), days.1.unwrap_or(i32::MAX));
        let mut periods = budget.span()?.periods(first.max(today - DAYS_BACK)..end.min(today + 1));
        if days.0.is_none() {
            periods.drain(..periods.len().saturating_sub(PERIODS));
        }
        let (Some(first), Some(last)) = (periods.first(), periods.last()) else { return Ok(Vec::new()) };
        let granularity = match budget.time_unit()? {
            TimeUnit::Daily => Granularity::Daily,
            _ => Granularity::Monthly,
        };
        let of_all = self.spent(caller, budget, first.start..last.end, granularity).await?;
        let Ok(slices) = of_all else { return Ok(Vec::new()) };
        let revisions = self.revisions(caller, row).await?;
        let mut history = Vec::with_capacity(periods.len());
        let mut slices = slices.as_slice();
        for period in periods {
            let (own, later) =
                slices.split_at(slices.partition_point(|slice: &Slice| slice.days.end <= period.end));
            slices = later;
            let Ok(actual) = sum(own, &budget.unit)? else { return Ok(Vec::new()) };
            // As it was at the period's end; of a period before there was a budget, as it was made.
            let then = |at: &&BudgetRow| Date::of_seconds(at.budget.updated_at_s).days() < period.end;
            let as_of = revisions.iter().rev().find(then).or_else(|| revisions.first()).unwrap_or(row);
            history.push(BudgetedAndActual { budgeted: as_of.budget.limits()?.of(&period), period, actual });
        }
        Ok(history)
    }

    /// What a budget has been, change after change, as far as it is kept.
    async fn revisions(&self, caller: &Caller, row: &BudgetRow) -> Answer<Vec<BudgetRow>> {
        let rows = self.0.store.desk_setting_revisions(&caller.payer, (SETTING, &row.id)).await;
        rows.map_err(Error::internal)?.iter().map(BudgetRow::of).collect()
    }
}
