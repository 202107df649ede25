//! `ce`: the operations of AWS Cost Explorer, one function each, a file per noun.
//!
//! Source: the service model of AWS Cost Explorer, version 2017-10-25, and its documentation. What is answered from, and what is not told, is in
//! docs/cost-explorer.md.

mod categories;
mod comparisons;
pub(crate) mod errors;
pub(crate) mod expression;
mod forecasts;
mod lines;
mod reservation_utilization;
mod reservations;
mod savings_plans;
mod savings_plans_coverage;
pub(crate) mod shapes;
mod sorting;
mod tags;
mod usage;
mod values;

use crate::call::Call;
use back_office::cost_explorer::CostExplorerRefusal;
use back_office::error::{Answer, Error};
use billing::invoice::Date;
use std::ops::Range;

/// The name of the service in signatures.
pub const SERVICE: &str = "ce";

/// Performs an operation.
pub(crate) async fn perform(call: &Call<'_>, operation: &str) -> Answer<Vec<u8>> {
    match operation {
        "CreateCostCategoryDefinition" => categories::create(call).await,
        "DeleteCostCategoryDefinition" => categories::delete(call).await,
        "DescribeCostCategoryDefinition" => categories::describe(call).await,
        "GetCostAndUsage" => usage::get(call).await,
        "GetCostAndUsageWithResources" => lines::with_resources(call).await,
        "GetCostAndUsageComparisons" => comparisons::get(call).await,
        "GetCostCategories" => tags::cost_categories(call).await,
        "GetCostForecast" => forecasts::get(call, true).await,
        "GetDimensionValues" => values::get(call).await,
        "GetReservationCoverage" => reservations::coverage(call).await,
        "GetReservationUtilization" => reservation_utilization::utilization(call).await,
        "GetSavingsPlansCoverage" => savings_plans_coverage::coverage(call).await,
        "GetSavingsPlansUtilization" => savings_plans::utilization(call).await,
        "GetSavingsPlansUtilizationDetails" => savings_plans::details(call).await,
        "GetTags" => tags::get(call).await,
        "GetUsageForecast" => forecasts::get(call, false).await,
        "ListCostAllocationTags" => tags::list(call).await,
        "ListCostCategoryDefinitions" => categories::list(call).await,
        "ListCostCategoryResourceAssociations" => categories::associations(call).await,
        "ListTagsForResource" => categories::list_tags(call).await,
        "TagResource" | "UntagResource" => categories::tag(call).await,
        "UpdateCostCategoryDefinition" => categories::update(call).await,
        other => Err(Error::internal(format!("{other} is in the model and not served"))),
    }
}

/// What cannot be asked so.
fn invalid(message: impl Into<String>) -> Error {
    CostExplorerRefusal::Invalid(message.into()).into()
}

/// The days of a time period, counted since 1970-01-01, the last one excluded.
fn days(period: &shapes::DateInterval) -> Answer<Range<i32>> {
    let day = |name: &str, text: &str| {
        if text.contains('T') {
            let message = format!(
                "TimePeriod.{name}: `{text}` has a time of day, which only HOURLY data have; write it as YYYY-MM-DD"
            );
            return Err(invalid(message));
        }
        Date::parse(text).map(Date::days).map_err(|error| invalid(format!("TimePeriod.{name}: {error}")))
    };
    let (start, end) = (day("Start", &period.start)?, day("End", &period.end)?);
    if start >= end {
        let message = format!(
            "Start date (and hour) should be before end date (and hour): `{}` is not before `{}`",
            period.start, period.end
        );
        return Err(invalid(message));
    }
    Ok(start..end)
}

/// The same of what has happened: nothing is known of days that begin later than today.
fn past_days(call: &Call<'_>, period: &shapes::DateInterval) -> Answer<Range<i32>> {
    let days = days(period)?;
    if days.start > Date::of_seconds(call.caller.now).days() {
        let message =
            format!("TimePeriod.Start: `{}` is in the future; ask for a day up to today", period.start);
        return Err(invalid(message));
    }
    Ok(days)
}
