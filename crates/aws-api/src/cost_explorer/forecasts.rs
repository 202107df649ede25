//! `GetCostForecast` and `GetUsageForecast`: what months to come will be, from the whole months before this one.

use super::expression::expression;
use super::shapes::{DateInterval, Expression, MetricValue};
use super::usage::granularity;
use super::{days, invalid};
use crate::call::{Call, json};
use back_office::clock::Clock;
use back_office::cost_categories::CategoriesAsked;
use back_office::cost_explorer::CostExplorerRefusal;
use back_office::error::{Answer, Error};
use billing::invoice::Date;
use billing::money::{Cost, divide_half_away};
use billing::period::BillingPeriod;
use query::facts::Metric;
use query::forecast::{ForecastError, LEVELS, MONTHS_MAX, Past, Span, forecast};
use query::question::{Granularity, NO_UNIT, Query};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ops::Range;

/// How far ahead days and months are forecast, in days: three months, and eighteen.
const DAYS_AHEAD: i32 = 93;
const DAYS_OF_MONTHS_AHEAD: i32 = 549;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Asked {
    time_period: DateInterval,
    metric: String,
    granularity: String,
    #[serde(default)]
    filter: Option<Expression>,
    #[serde(default)]
    billing_view_arn: Option<String>,
    #[serde(default)]
    prediction_interval_level: Option<u8>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answered {
    total: MetricValue,
    forecast_results_by_time: Vec<Forecast>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Forecast {
    time_period: DateInterval,
    mean_value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    prediction_interval_lower_bound: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prediction_interval_upper_bound: Option<String>,
}

/// `GetCostForecast`, or `GetUsageForecast` where `is_cost` is not.
pub(super) async fn get(call: &Call<'_>, is_cost: bool) -> Answer<Vec<u8>> {
    let input: Asked = call.read()?;
    let days = days(&input.time_period)?;
    let granularity = granularity(&input.granularity)?;
    check_days(call, &days, granularity)?;
    let metric = super::expression::metric(&input.metric).filter(|metric| metric.is_cost() == is_cost);
    let metric = metric.ok_or_else(|| {
        let operation = if is_cost { "GetUsageForecast" } else { "GetCostForecast" };
        invalid(format!("Metric: `{}` is not one of this operation; ask {operation} for it", input.metric))
    })?;
    if let Some(level) = input.prediction_interval_level.filter(|level| !LEVELS.contains(level)) {
        return Err(invalid(format!("PredictionIntervalLevel: {level} is not from 51 to 99")));
    }
    let filter = input.filter.as_ref().map(expression).transpose()?;
    let (past, unit) = past(call, input.billing_view_arn.as_deref(), filter, metric).await?;
    let times = times(&days, granularity);
    let spans: Vec<Span> = times.iter().map(span).collect();
    let forecasts =
        forecast(&past, &spans, input.prediction_interval_level).map_err(|error| match error {
            ForecastError::TooFew(_) => {
                let message = format!(
                    "{error}; import the cost files of whole months before {}",
                    Clock::period_of(call.caller.now)
                );
                CostExplorerRefusal::DataUnavailable(message).into()
            }
            ForecastError::Decimal(error) => Error::internal(error),
        })?;
    let mut total = Cost::ZERO;
    for of in &forecasts {
        total = total.plus(of.mean).map_err(Error::internal)?;
    }
    let result = |(days, of): (&Range<i32>, &query::forecast::Forecast)| Forecast {
        time_period: DateInterval::of(days),
        mean_value: of.mean.to_string(),
        prediction_interval_lower_bound: of.interval.map(|(lower, _)| lower.to_string()),
        prediction_interval_upper_bound: of.interval.map(|(_, upper)| upper.to_string()),
    };
    json(&Answered {
        total: MetricValue { amount: total.to_string(), unit },
        forecast_results_by_time: times.iter().zip(&forecasts).map(result).collect(),
    })
}

fn check_days(call: &Call<'_>, days: &Range<i32>, granularity: Granularity) -> Answer<()> {
    let today = Date::of_seconds(call.caller.now).days();
    if days.start < today {
        let day = DateInterval::of(&(days.start..today));
        let message = format!(
            "TimePeriod.Start: `{}` is in the past; a forecast begins today, {}, or later",
            day.start, day.end
        );
        return Err(invalid(message));
    }
    let (most, words) = match granularity {
        Granularity::Daily => (DAYS_AHEAD, "three months of DAILY"),
        Granularity::Monthly => (DAYS_OF_MONTHS_AHEAD, "eighteen months of MONTHLY"),
    };
    if days.end - today > most {
        return Err(invalid(format!("TimePeriod.End: there are {words} forecasts; ask for fewer")));
    }
    Ok(())
}

/// The whole months before this one that have been priced, and the unit that they are measured in.
async fn past(
    call: &Call<'_>,
    view: Option<&str>,
    filter: Option<query::expression::Expression>,
    metric: Metric,
) -> Answer<(Vec<Past>, String)> {
    let current = Clock::period_of(call.caller.now);
    let mut first = current;
    for _ in 0..MONTHS_MAX {
        first = first.previous().unwrap_or(first);
    }
    let days = Date::first_of(first).days()..Date::first_of(current).days();
    let categories = CategoriesAsked::of(&[], filter.as_ref());
    let months = call.desk.months_of(call.caller, view, days.clone(), categories).await?;
    let query = |granularity| {
        let (days, filter) = (days.clone(), filter.clone());
        Query { days, granularity, filter, group_by: Vec::new(), metrics: vec![metric] }
    };
    // Some months tell no days of a metric: their first day is like the others then.
    let slices = match months.answer(&query(Granularity::Daily)).await {
        Ok(slices) => slices,
        Err(_) => months.answer(&query(Granularity::Monthly)).await?,
    };
    let (mut past, mut units): (Vec<Past>, Vec<String>) = (Vec::new(), Vec::new());
    let known: BTreeSet<BillingPeriod> = months.known().collect();
    for slice in slices {
        let month = Clock::period_of_day(slice.days.start);
        let Some(value) = slice.rows.first().and_then(|row| row.values.first()) else { continue };
        if !known.contains(&month) {
            continue;
        }
        if !value.amount.is_zero() || value.unit != NO_UNIT {
            units.push(value.unit.clone());
        }
        let days = slice.days.end - slice.days.start;
        match past.last_mut().filter(|past| past.month == number(month)) {
            Some(past) => {
                past.days += days;
                past.sum = past.sum.plus(value.amount).map_err(Error::internal)?;
            }
            None => {
                let (first_day, _) = divide_half_away(value.amount.units(), i128::from(days));
                let first_day = Cost::from_units(first_day).map_err(Error::internal)?;
                past.push(Past { month: number(month), days, sum: value.amount, first_day });
            }
        }
    }
    units.sort_unstable();
    units.dedup();
    match units.as_slice() {
        [unit] if metric.is_cost() || unit != NO_UNIT => Ok((past, unit.clone())),
        [] => Ok((past, NO_UNIT.to_owned())),
        _ => {
            let message =
                "what is asked for is measured in several units; filter by USAGE_TYPE, so that it has one";
            Err(CostExplorerRefusal::UnresolvableUnit(message.to_owned()).into())
        }
    }
}

/// The number of a month: of the next one it is one more.
fn number(month: BillingPeriod) -> i32 {
    i32::from(month.year()) * 12 + i32::from(month.month())
}

/// The days, or the months that they are of.
fn times(days: &Range<i32>, granularity: Granularity) -> Vec<Range<i32>> {
    match granularity {
        Granularity::Daily => days.clone().map(|day| day..day + 1).collect(),
        Granularity::Monthly => {
            let mut times = Vec::new();
            let mut begin = days.start;
            while begin < days.end {
                let month = Clock::period_of_day(begin);
                let end = Date::first_of(month.next()).days().min(days.end);
                times.push(begin..end);
                begin = end;
            }
            times
        }
    }
}

fn span(days: &Range<i32>) -> Span {
    let month = Clock::period_of_day(days.start);
    let has_first_day = Date::first_of(month).days() == days.start;
    Span { month: number(month), days: days.end - days.start, has_first_day }
}
