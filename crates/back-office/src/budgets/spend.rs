//! What a budget comes to: the one place where budgets ask what was spent.

use super::{BudgetRow, KeptBudget};
use crate::authorization::Caller;
use crate::cost_categories::CategoriesAsked;
use crate::cost_explorer::{CostExplorerRefusal, Months};
use crate::desk::BackOffice;
use crate::error::{Answer, Error};
use billing::budget::{History, forecast};
use billing::invoice::Date;
use billing::money::Cost;
use query::facts::Metric;
use query::question::{Granularity, NO_UNIT, Query, Slice};
use std::ops::Range;
use std::sync::Arc;

/// How many days before today a forecast looks back: three first days of months, and four weeks, are among them.
const DAYS_BACK: i32 = 100;

/// Why it is not known what a budget comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetHealth {
    /// Its costs are in another currency than its limit, or its usage in other units, or its filter names what the costs cannot tell.
    FilterInvalid,
    /// Its billing view is not there any more.
    NoAccess,
    /// A view that its billing view is made of is not there any more.
    ViewUnhealthy,
}

impl BudgetHealth {
    /// The reason in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FilterInvalid => "FILTER_INVALID",
            Self::NoAccess => "BILLING_VIEW_NO_ACCESS",
            Self::ViewUnhealthy => "BILLING_VIEW_UNHEALTHY",
        }
    }
}

/// What was spent of a budget in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetStanding {
    /// The period.
    pub period: Range<i32>,
    /// What is planned for it.
    pub limit: Cost,
    /// What was spent so far.
    pub actual: Cost,
    /// What is expected by its end; `None` with too few days.
    pub forecast: Option<Cost>,
}

/// What is known, or why it is not.
pub(super) type Known<T> = Result<T, BudgetHealth>;

impl BackOffice {
    /// What was spent of a budget in the period that a caller's day is in.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn budget_standing(
        &self,
        caller: &Caller,
        row: &BudgetRow,
    ) -> Answer<Result<BudgetStanding, BudgetHealth>> {
        let today = Date::of_seconds(caller.now).days();
        self.standing_in(caller, &row.budget, row.budget.span()?.period_of(today)).await
    }

    /// What was spent of a budget in a period.
    pub(super) async fn standing_in(
        &self,
        caller: &Caller,
        budget: &KeptBudget,
        period: Range<i32>,
    ) -> Answer<Known<BudgetStanding>> {
        let slices = match self.spent(caller, budget, period.clone(), Granularity::Monthly).await? {
            Ok(slices) => slices,
            Err(health) => return Ok(Err(health)),
        };
        let actual = match sum(&slices, &budget.unit)? {
            Ok(actual) => actual,
            Err(health) => return Ok(Err(health)),
        };
        let limit = budget.limits()?.of(&period);
        let forecast = self.forecast(caller, budget, actual, &period).await?;
        Ok(Ok(BudgetStanding { period, limit, actual, forecast }))
    }

    /// What was spent, time after time. Months that nobody has priced are 0.
    pub(super) async fn spent(
        &self,
        caller: &Caller,
        budget: &KeptBudget,
        days: Range<i32>,
        granularity: Granularity,
    ) -> Answer<Known<Vec<Slice>>> {
        let query = query(budget, days.clone(), granularity)?;
        let categories = CategoriesAsked::of(&query.group_by, query.filter.as_ref());
        known(match self.months_of(caller, budget.view.as_deref(), days, categories).await {
            Ok(months) => months.answer(&query).await,
            Err(error) => Err(error),
        })
    }

    /// What is expected by the end of a period.
    async fn forecast(
        &self,
        caller: &Caller,
        budget: &KeptBudget,
        actual: Cost,
        period: &Range<i32>,
    ) -> Answer<Option<Cost>> {
        let today = Date::of_seconds(caller.now).days();
        let categories = CategoriesAsked::of(&[], budget.expression()?.as_ref());
        let days = today - DAYS_BACK..today;
        let asked = self.months_of(caller, budget.view.as_deref(), days, categories).await;
        let Ok(Some(months)) = known(asked.map(Some))? else { return Ok(None) };
        let Some(history) = history(&months, budget, today).await? else { return Ok(None) };
        forecast(&history, actual, period).map_err(Error::internal)
    }
}

fn query(budget: &KeptBudget, days: Range<i32>, granularity: Granularity) -> Answer<Query> {
    let (filter, metrics) = (budget.expression()?, vec![budget.metric()?]);
    Ok(Query { days, granularity, filter, group_by: Vec::new(), metrics })
}

/// What was asked for, nothing where no month is priced, or what is wrong with the budget by now.
fn known<T: Default>(asked: Answer<T>) -> Answer<Known<T>> {
    match asked {
        Ok(answer) => Ok(Ok(answer)),
        Err(Error::CostExplorer(CostExplorerRefusal::DataUnavailable(_))) => Ok(Ok(T::default())),
        Err(Error::CostExplorer(CostExplorerRefusal::NotFound(_)) | Error::Denied) => {
            Ok(Err(BudgetHealth::NoAccess))
        }
        Err(Error::CostExplorer(CostExplorerRefusal::UnhealthyView(_))) => {
            Ok(Err(BudgetHealth::ViewUnhealthy))
        }
        Err(Error::CostExplorer(_)) => Ok(Err(BudgetHealth::FilterInvalid)),
        Err(error) => Err(error),
    }
}

/// The sum of slices, where all that is not 0 is in a unit.
pub(super) fn sum(slices: &[Slice], unit: &str) -> Answer<Known<Cost>> {
    let mut sum = Cost::ZERO;
    for value in slices.iter().flat_map(|slice| &slice.rows).flat_map(|row| &row.values) {
        let is_of_unit = value.unit != NO_UNIT && value.unit.eq_ignore_ascii_case(unit);
        if !value.amount.is_zero() && !is_of_unit {
            return Ok(Err(BudgetHealth::FilterInvalid));
        }
        sum = sum.plus(value.amount).map_err(Error::internal)?;
    }
    Ok(Ok(sum))
}

/// What a budget's costs were, day after day, as far as they are known without a gap: months before one that nobody has priced say nothing, and neither do days
/// after the last one that has any cost in the view, nor today, which is not over.
async fn history(months: &Arc<Months>, budget: &KeptBudget, today: i32) -> Answer<Option<History>> {
    let days = today - DAYS_BACK..today;
    let all = Query {
        days: days.clone(),
        granularity: Granularity::Daily,
        filter: None,
        group_by: Vec::new(),
        metrics: vec![Metric::UnblendedCost],
    };
    let Ok(of_view) = known(months.answer(&all).await)? else { return Ok(None) };
    let has_cost =
        |slice: &&Slice| slice.rows.iter().flat_map(|row| &row.values).any(|value| !value.amount.is_zero());
    let Some(end) = of_view.iter().rev().find(has_cost).map(|slice| slice.days.end) else { return Ok(None) };
    let Ok(own) = known(months.answer(&query(budget, days, Granularity::Daily)?).await)? else {
        return Ok(None);
    };
    let known: Vec<_> = months.known().collect();
    let is_known =
        |slice: &Slice| known.contains(&Date::of_seconds(i64::from(slice.days.start) * 86_400).month());
    let mut history = History { first: end, days: Vec::new() };
    for slice in own.iter().rev().filter(|slice| slice.days.end <= end) {
        let Ok(spent) = sum(std::slice::from_ref(slice), &budget.unit)? else { return Ok(None) };
        if !is_known(slice) {
            break;
        }
        history.first = slice.days.start;
        history.days.push(spent);
    }
    history.days.reverse();
    Ok(Some(history))
}
