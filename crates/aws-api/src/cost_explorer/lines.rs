//! `GetCostAndUsageWithResources`, and `GetCostAndUsage` by the hour: what classes cannot tell, of the last 14 days.

use super::expression::{expression, expression_of_lines, group_by, group_by_of_lines, metrics};
use super::shapes::{CostAndUsage, DateInterval, GetCostAndUsage, ResultByTime};
use super::usage::{HOURLY, ROWS_MAX, attributes, digest, next_rows, rows_before};
use super::{invalid, past_days};
use crate::call::{Call, json};
use back_office::cost_explorer::CostExplorerRefusal;
use back_office::error::Answer;
use billing::instant::parse_instant;
use billing::invoice::Date;
use query::dimension::Dimension;
use query::lines::{LineQuery, LineSlice, Times};
use std::ops::Range;

/// How many days back lines are told: as at AWS.
const DAYS_BACK: i32 = 14;
const HOURS_OF_DAY: i64 = 24;
const SECONDS_OF_HOUR: i64 = 3_600;

/// `GetCostAndUsageWithResources`
pub(super) async fn with_resources(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: GetCostAndUsage = call.read()?;
    let (times, hours) = match input.granularity.as_str() {
        HOURLY => (Times::Hourly, hours(call, &input.time_period)?),
        "DAILY" => (Times::Daily, hours_of_days(call, &input.time_period)?),
        "MONTHLY" => (Times::Monthly, hours_of_days(call, &input.time_period)?),
        other => {
            return Err(invalid(format!("Granularity: `{other}` is not one; give HOURLY, DAILY or MONTHLY")));
        }
    };
    let query = LineQuery {
        hours,
        times,
        filter: input.filter.as_ref().map(expression_of_lines).transpose()?,
        group_by: group_by_of_lines(&input.group_by)?,
        metrics: metrics(&input.metrics)?,
    };
    if !query.tells_resources() && query.resource_conditions().is_empty() {
        return Err(invalid(format!(
            "GroupBy, Filter: neither names {}; group or filter by it, or ask GetCostAndUsage",
            Dimension::ResourceId.name()
        )));
    }
    answered(call, &input, query).await
}

/// `GetCostAndUsage` by the hour.
pub(super) async fn hourly(call: &Call<'_>, input: &GetCostAndUsage) -> Answer<Vec<u8>> {
    let query = LineQuery {
        hours: hours(call, &input.time_period)?,
        times: Times::Hourly,
        filter: input.filter.as_ref().map(expression).transpose()?,
        group_by: group_by(&input.group_by)?,
        metrics: metrics(&input.metrics)?,
    };
    answered(call, input, query).await
}

/// The page of an answer that is asked for.
async fn answered(call: &Call<'_>, input: &GetCostAndUsage, query: LineQuery) -> Answer<Vec<u8>> {
    let answer = call.desk.cost_of_lines(call.caller, input.billing_view_arn.as_deref(), &query).await?;
    let runs = digest(&answer.runs);
    let token = input.next_page_token.as_deref();
    let begin = rows_before(call, token, &runs, CostExplorerRefusal::RequestChanged)?;
    let (slices, next) = page(answer.slices(), begin);
    let next_page_token = next_rows(call, next, &runs)?;
    let rows = slices.iter().flat_map(|(slice, _)| &slice.rows);
    let dimension_value_attributes = attributes(call, &query.group_by, rows).await?;
    let names: Vec<&str> = query.metrics.iter().map(|metric| metric.name()).collect();
    let is_grouped = !query.group_by.is_empty();
    let by_time = slices.into_iter().map(|(LineSlice { hours, rows }, estimated)| {
        let time_period = match query.times {
            Times::Hourly => DateInterval::of_hours(&hours),
            Times::Daily | Times::Monthly => DateInterval::of(&days_of(&hours)),
        };
        ResultByTime::of_rows(time_period, rows, estimated, &names, is_grouped)
    });
    json(&CostAndUsage {
        next_page_token,
        group_definitions: &input.group_by,
        results_by_time: by_time.collect(),
        dimension_value_attributes,
    })
}

/// The page after so many rows, and how many rows there are up to its end and in all. A time without rows takes the room of one.
fn page<'a>(
    slices: impl Iterator<Item = (&'a LineSlice, bool)>,
    begin: usize,
) -> (Vec<(LineSlice, bool)>, (usize, usize)) {
    let (mut place, end) = (0, begin.saturating_add(ROWS_MAX));
    let mut shown = Vec::new();
    for (LineSlice { hours, rows }, estimated) in slices {
        let of_time = place..place + rows.len().max(1);
        place = of_time.end;
        let within = begin.max(of_time.start)..end.min(of_time.end);
        if within.is_empty() {
            continue;
        }
        let of_page = rows.iter().skip(within.start - of_time.start).take(within.len());
        shown.push((LineSlice { hours: hours.clone(), rows: of_page.cloned().collect() }, estimated));
    }
    (shown, (end.min(place), place))
}

/// The hours of a time period in days.
fn hours_of_days(call: &Call<'_>, period: &DateInterval) -> Answer<Range<i64>> {
    let days = past_days(call, period)?;
    let hours = i64::from(days.start) * HOURS_OF_DAY..i64::from(days.end) * HOURS_OF_DAY;
    recent(call, &hours, period)?;
    Ok(hours)
}

/// The hours of a time period in hours; a date is its first one.
fn hours(call: &Call<'_>, period: &DateInterval) -> Answer<Range<i64>> {
    let hour = |name: &str, text: &str| {
        let unread = || {
            invalid(format!("TimePeriod.{name}: `{text}` is no instant; write it as 2026-11-01T05:00:00Z"))
        };
        let seconds = parse_instant(text).ok_or_else(unread)?;
        match seconds.rem_euclid(SECONDS_OF_HOUR) {
            0 => Ok(seconds.div_euclid(SECONDS_OF_HOUR)),
            _ => Err(invalid(format!("TimePeriod.{name}: `{text}` is within an hour; give a full one"))),
        }
    };
    let hours = hour("Start", &period.start)?..hour("End", &period.end)?;
    if hours.is_empty() {
        return Err(invalid(format!(
            "Start date (and hour) should be before end date (and hour): `{}` is not before `{}`",
            period.start, period.end
        )));
    }
    if hours.start * SECONDS_OF_HOUR > call.caller.now {
        let message =
            format!("TimePeriod.Start: `{}` is in the future; ask for an hour up to now", period.start);
        return Err(invalid(message));
    }
    recent(call, &hours, period)?;
    // Nothing has happened in hours that have yet to begin.
    let begun = call.caller.now.div_euclid(SECONDS_OF_HOUR) + 1;
    Ok(hours.start..hours.end.min(begun))
}

/// Lines are told of the last days only.
fn recent(call: &Call<'_>, hours: &Range<i64>, period: &DateInterval) -> Answer<()> {
    let first = Date::of_seconds(call.caller.now).days() - DAYS_BACK;
    if hours.start < i64::from(first) * HOURS_OF_DAY {
        let first = DateInterval::of(&(first..first)).start;
        return Err(invalid(format!(
            "TimePeriod.Start: `{}` is more than {DAYS_BACK} days ago, and hours and resources are told from {first} on; ask for later ones, or for DAILY or MONTHLY costs of GetCostAndUsage",
            period.start
        )));
    }
    Ok(())
}

/// The days of whole days in hours.
fn days_of(hours: &Range<i64>) -> Range<i32> {
    let day = |hour: i64| i32::try_from(hour.div_euclid(HOURS_OF_DAY)).unwrap_or(i32::MAX);
    day(hours.start)..day(hours.end)
}
