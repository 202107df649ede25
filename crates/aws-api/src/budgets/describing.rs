//! Budgets as they stand, and as they stood.

use super::shapes::{BudgetOut, Filters, Spend, TimePeriodOut};
use super::{OfBudget, page};
use crate::call::{Call, Position, json};
use back_office::error::Answer;
use serde::{Deserialize, Serialize};

/// How many budgets a page holds where nobody says how many: each is held to its costs.
const PAGE: usize = 100;
/// How many periods a page of a history holds.
const PERIODS: usize = 100;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Described<'a> {
    budget: BudgetOut<'a>,
}

/// `DescribeBudget`
pub(super) async fn one(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfBudget = call.read()?;
    let row = call.desk.budget(call.caller, &input.budget_name).await?;
    let standing = call.desk.budget_standing(call.caller, &row).await?;
    json(&Described { budget: BudgetOut::of(call, &row, &standing, input.show_filter_expression)? })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeBudgets {
    #[serde(default)]
    show_filter_expression: bool,
    max_results: Option<u32>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AllDescribed<'a> {
    budgets: Vec<BudgetOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `DescribeBudgets`
pub(super) async fn all(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: DescribeBudgets = call.read()?;
    let page = page(call, input.max_results, input.next_token.as_deref(), PAGE)?;
    let rows = call.desk.budgets(call.caller).await?;
    let entries = rows.iter().filter(|row| row.budget.name.as_str() > page.after.as_str());
    let (rows, next_token) = call.cut(&page, entries.map(|row| (row.budget.name.clone(), row)))?;
    let mut budgets = Vec::with_capacity(rows.len());
    for row in rows {
        let standing = call.desk.budget_standing(call.caller, row).await?;
        budgets.push(BudgetOut::of(call, row, &standing, input.show_filter_expression)?);
    }
    json(&AllDescribed { budgets, next_token })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Amounts {
    budgeted_amount: Spend,
    actual_amount: Spend,
    time_period: TimePeriodOut,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct History<'a> {
    budget_name: &'a str,
    budget_type: &'static str,
    time_unit: &'a str,
    budgeted_and_actual_amounts_list: Vec<Amounts>,
    #[serde(flatten)]
    filters: Filters<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct HistoryOut<'a> {
    budget_performance_history: History<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `DescribeBudgetPerformanceHistory`
pub(super) async fn history(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfBudget = call.read()?;
    let page = page(call, input.max_results, input.next_token.as_deref(), PERIODS)?;
    let row = call.desk.budget(call.caller, &input.budget_name).await?;
    let asked = input.time_period.as_ref();
    let days = (asked.and_then(|of| of.first()), asked.and_then(|of| of.end()));
    let periods = call.desk.budget_history(call.caller, &row, days).await?;
    let budget = &row.budget;
    let after = page.after_number();
    let entries = (1..).zip(&periods).filter(|(number, _)| *number > after).map(|(number, of)| {
        let amounts = Amounts {
            budgeted_amount: Spend::of(of.budgeted, &budget.unit),
            actual_amount: Spend::of(of.actual, &budget.unit),
            time_period: TimePeriodOut::of(&of.period),
        };
        (Position(number), amounts)
    });
    let (budgeted_and_actual_amounts_list, next_token) = call.cut(&page, entries)?;
    let budget_performance_history = History {
        budget_name: &budget.name,
        budget_type: budget.kind.name(),
        time_unit: &budget.time_unit,
        budgeted_and_actual_amounts_list,
        filters: Filters::of(budget, true),
    };
    json(&HistoryOut { budget_performance_history, next_token })
}
