//! The shapes of AWS Budgets, member for member, and what is kept of them.

use super::invalid;
use crate::call::Call;
use crate::cost_explorer::expression::{expression, metric};
use crate::cost_explorer::shapes::Expression;
use crate::invoicing::second;
use aws_wire::json::Number;
use back_office::budgets::cost_filters::CostTypes;
use back_office::budgets::{BudgetHealth, BudgetRow, BudgetStanding, BudgetType, KeptBudget};
use back_office::error::Answer;
use back_office::holder::Holder;
use back_office::kept_filter::KeptFilter;
use billing::budget::{LAST_DAY, TimeUnit};
use billing::invoice::Date;
use billing::money::{Cost, Currency};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// A day, in seconds.
const DAY: i64 = 86_400;

/// An amount and what it is of.
#[derive(Deserialize, Serialize, Clone)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Spend {
    pub amount: String,
    pub unit: String,
}

impl Spend {
    pub fn of(amount: Cost, unit: &str) -> Self {
        Self { amount: amount.to_string(), unit: unit.to_owned() }
    }

    /// The amount, in the form that it is kept in. AWS's may begin with the point.
    fn kept(&self, member: &str) -> Answer<String> {
        let digits =
            if self.amount.starts_with('.') { format!("0{}", self.amount) } else { self.amount.clone() };
        let amount = Cost::parse(&digits)
            .map_err(|error| invalid(format!("{member}.Amount: `{}` is {error}", self.amount)))?;
        Ok(amount.to_string())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TimePeriod {
    start: Option<Number>,
    end: Option<Number>,
}

impl TimePeriod {
    /// The day that has the start, counted since 1970-01-01.
    pub fn first(&self) -> Option<i32> {
        self.start.as_ref().map(|at| day(second(at)))
    }

    /// The first day after the end: an end within a day has that day before it.
    pub fn end(&self) -> Option<i32> {
        self.end.as_ref().map(|at| day(second(at).saturating_add(DAY - 1)))
    }
}

fn day(seconds: i64) -> i32 {
    Date::of_seconds(seconds).days()
}

/// The first second of a day.
fn midnight(day: i32) -> i64 {
    i64::from(day) * DAY
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TimePeriodOut {
    start: i64,
    end: i64,
}

impl TimePeriodOut {
    pub fn of(days: &Range<i32>) -> Self {
        Self { start: midnight(days.start), end: midnight(days.end) }
    }
}

/// `Budget`, as clients give it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BudgetIn {
    pub budget_name: String,
    budget_limit: Option<Spend>,
    planned_budget_limits: Option<BTreeMap<String, Spend>>,
    cost_filters: Option<BTreeMap<String, Vec<String>>>,
    cost_types: Option<CostTypes>,
    time_unit: String,
    time_period: Option<TimePeriod>,
    budget_type: String,
    auto_adjust_data: Option<IgnoredAny>,
    filter_expression: Option<Expression>,
    metrics: Option<Vec<String>>,
    billing_view_arn: Option<String>,
}

impl BudgetIn {
    /// The budget as it is kept, of whoever asks.
    pub fn kept(self, call: &Call<'_>) -> Answer<KeptBudget> {
        let kind = self.kind()?;
        let unit = TimeUnit::parse(&self.time_unit).ok_or_else(|| {
            let served = TimeUnit::ALL.map(|(_, name)| name).join(", ");
            invalid(format!("TimeUnit: `{}` is not served; budgets are {served}", self.time_unit))
        })?;
        if self.auto_adjust_data.is_some() {
            return Err(invalid(
                "AutoAdjustData: budgets that adjust themselves are not served; give BudgetLimit or PlannedBudgetLimits",
            ));
        }
        let (limit, planned, spend_unit) = self.limits(kind)?;
        let is_old = self.cost_filters.as_ref().is_some_and(|of| !of.is_empty()) || self.cost_types.is_some();
        if is_old && (self.filter_expression.is_some() || self.metrics.is_some()) {
            return Err(invalid(
                "CostFilters and CostTypes stand beside FilterExpression and Metrics; give the ones or the others",
            ));
        }
        if kind == BudgetType::Usage && self.cost_types.is_some() {
            return Err(invalid("CostTypes: a budget of usage has none; leave it out"));
        }
        let now = call.caller.now;
        let period = self.time_period.as_ref();
        Ok(KeptBudget {
            holder: Holder::of(call.caller),
            kind,
            time_unit: unit.name().to_owned(),
            start: period.and_then(TimePeriod::first).unwrap_or_else(|| unit.period_of(day(now)).start),
            end: period.and_then(TimePeriod::end).filter(|end| *end < LAST_DAY),
            limit,
            planned,
            unit: spend_unit,
            metric: self.metric(kind)?,
            cost_filters: self.cost_filters.unwrap_or_default(),
            cost_types: self.cost_types,
            filter: self
                .filter_expression
                .as_ref()
                .map(expression)
                .transpose()?
                .map(|of| KeptFilter::of(&of)),
            view: self.billing_view_arn,
            name: self.budget_name,
            notifications: Vec::new(),
            tags: BTreeMap::new(),
            created_at_s: now,
            updated_at_s: now,
        })
    }

    fn kind(&self) -> Answer<BudgetType> {
        match self.budget_type.as_str() {
            "COST" => Ok(BudgetType::Cost),
            "USAGE" => Ok(BudgetType::Usage),
            other => Err(invalid(format!("BudgetType: `{other}` is not served; budgets are COST or USAGE"))),
        }
    }

    /// The limit of every period, or those that are planned, and their unit.
    fn limits(&self, kind: BudgetType) -> Answer<(Option<String>, BTreeMap<i32, String>, String)> {
        // A budget that was described has both; what is planned holds.
        let planned = self.planned_budget_limits.as_ref().filter(|planned| !planned.is_empty());
        let (limit, unit, limits) = match (&self.budget_limit, planned) {
            (_, Some(planned)) => {
                let mut limits = BTreeMap::new();
                for (at, spend) in planned {
                    let seconds: i64 = at.parse().map_err(|_| {
                        invalid(format!("PlannedBudgetLimits: `{at}` is no start of a period in seconds since 1970-01-01T00:00:00Z"))
                    })?;
                    let kept = spend.kept(&format!("PlannedBudgetLimits.{at}"))?;
                    if limits.insert(day(seconds), kept).is_some() {
                        return Err(invalid(format!(
                            "PlannedBudgetLimits: the day of `{at}` is there twice"
                        )));
                    }
                }
                let unit = planned.values().next().map(|spend| spend.unit.clone()).unwrap_or_default();
                if let Some(other) = planned.values().find(|spend| spend.unit != unit) {
                    return Err(invalid(format!(
                        "PlannedBudgetLimits: `{}` stands beside `{unit}`; plan in one unit",
                        other.unit
                    )));
                }
                (None, unit, limits)
            }
            (Some(limit), None) => (Some(limit.kept("BudgetLimit")?), limit.unit.clone(), BTreeMap::new()),
            (None, None) => {
                return Err(invalid("BudgetLimit: a budget has one; give it, or PlannedBudgetLimits"));
            }
        };
        if kind == BudgetType::Cost && Currency::parse(&unit).is_none() {
            return Err(invalid(format!(
                "BudgetLimit.Unit: `{unit}` is no currency; write it in three letters, as USD"
            )));
        }
        Ok((limit, limits, unit))
    }

    fn metric(&self, kind: BudgetType) -> Answer<Option<String>> {
        let Some(name) = self.metrics.iter().flatten().next() else { return Ok(None) };
        let fits = metric(name).filter(|of| of.is_cost() == (kind == BudgetType::Cost));
        let fits = fits.ok_or_else(|| {
            invalid(format!("Metrics: `{name}` is not what a budget of type {} is of", kind.name()))
        })?;
        Ok(Some(fits.name().to_owned()))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CalculatedSpend {
    actual_spend: Spend,
    #[serde(skip_serializing_if = "Option::is_none")]
    forecasted_spend: Option<Spend>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct HealthStatus {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_reason: Option<&'static str>,
    last_updated_time: i64,
}

/// Which costs count, as budgets and their histories say it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Filters<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_filters: Option<&'a BTreeMap<String, Vec<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_types: Option<CostTypes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter_expression: Option<&'a KeptFilter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<[&'a str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_view_arn: Option<&'a str>,
}

impl<'a> Filters<'a> {
    /// What a budget says: in the older form, unless it was given the newer one.
    pub fn of(budget: &'a KeptBudget, shows_expression: bool) -> Self {
        let is_new = budget.filter.is_some() || budget.metric.is_some();
        let types = budget.kind == BudgetType::Cost && !is_new;
        Self {
            cost_filters: (!is_new).then_some(&budget.cost_filters),
            cost_types: types.then(|| budget.cost_types.unwrap_or_default()),
            filter_expression: budget.filter.as_ref().filter(|_| shows_expression),
            metrics: budget.metric.as_deref().map(|metric| [metric]),
            billing_view_arn: budget.view.as_deref(),
        }
    }
}

/// `Budget`, as it is answered.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BudgetOut<'a> {
    budget_name: &'a str,
    budget_limit: Spend,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    planned_budget_limits: BTreeMap<String, Spend>,
    time_unit: &'a str,
    time_period: TimePeriodOut,
    #[serde(skip_serializing_if = "Option::is_none")]
    calculated_spend: Option<CalculatedSpend>,
    budget_type: &'static str,
    last_updated_time: i64,
    health_status: HealthStatus,
    #[serde(flatten)]
    filters: Filters<'a>,
}

impl<'a> BudgetOut<'a> {
    /// A budget and how it stands.
    pub fn of(
        call: &Call<'_>,
        row: &'a BudgetRow,
        standing: &Result<BudgetStanding, BudgetHealth>,
        shows_expression: bool,
    ) -> Answer<Self> {
        let budget = &row.budget;
        let unit = budget.unit.as_str();
        let period = budget.span()?.period_of(day(call.caller.now));
        let planned = budget.planned.iter().map(|(day, amount)| {
            (midnight(*day).to_string(), Spend { amount: amount.clone(), unit: unit.to_owned() })
        });
        Ok(Self {
            budget_name: &budget.name,
            budget_limit: Spend::of(budget.limits()?.of(&period), unit),
            planned_budget_limits: planned.collect(),
            time_unit: &budget.time_unit,
            time_period: TimePeriodOut::of(&(budget.start..budget.end.unwrap_or(LAST_DAY))),
            calculated_spend: standing.as_ref().ok().map(|standing| CalculatedSpend {
                actual_spend: Spend::of(standing.actual, unit),
                forecasted_spend: standing.forecast.map(|forecast| Spend::of(forecast, unit)),
            }),
            budget_type: budget.kind.name(),
            last_updated_time: budget.updated_at_s,
            health_status: HealthStatus {
                status: if standing.is_ok() { "HEALTHY" } else { "UNHEALTHY" },
                status_reason: standing.as_ref().err().map(|health| health.name()),
                last_updated_time: call.caller.now,
            },
            filters: Filters::of(budget, shows_expression),
        })
    }
}
