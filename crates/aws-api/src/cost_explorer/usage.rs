//! `GetCostAndUsage`, page by page.

use super::expression::{expression, group_by, metrics};
use super::shapes::{CostAndUsage, GetCostAndUsage, ResultByTime, ValueWithAttributes};
use super::{SERVICE, invalid, lines, past_days};
use crate::call::{Call, json};
use back_office::cost_explorer::{CostExplorerRefusal, PageFrom};
use back_office::error::{Answer, Error};
use query::dimension::{Dimension, Key};
use query::question::{Granularity, Query, Row};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// What only lines can answer: see [`lines`].
pub(super) const HOURLY: &str = "HOURLY";
/// How many groups of times a page has.
pub(super) const ROWS_MAX: usize = 5_000;

/// `GetCostAndUsage`
pub(super) async fn get(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: GetCostAndUsage = call.read()?;
    if input.granularity == HOURLY {
        return lines::hourly(call, &input).await;
    }
    let days = past_days(call, &input.time_period)?;
    let query = Query {
        days: days.clone(),
        granularity: granularity(&input.granularity)?,
        filter: input.filter.as_ref().map(expression).transpose()?,
        group_by: group_by(&input.group_by)?,
        metrics: metrics(&input.metrics)?,
    };
    let months = call.desk.months_of(call.caller, input.billing_view_arn.as_deref(), days).await?;
    let from = position(call, input.next_page_token.as_deref(), &months.runs())?;
    let (slices, next) = months.answer_from(&query, from, ROWS_MAX)?;
    let next_page_token = match next {
        Some(next) => call.next_token(Some(format!(
            "{} {} {}",
            next.day.unwrap_or(query.days.start),
            next.row,
            digest(&months.runs())
        )))?,
        None => None,
    };
    let rows = slices.iter().flat_map(|slice| &slice.rows);
    let dimension_value_attributes = attributes(call, &query.group_by, rows).await?;
    let names: Vec<&str> = query.metrics.iter().map(|metric| metric.name()).collect();
    let is_grouped = !query.group_by.is_empty();
    let results_by_time =
        slices.into_iter().map(|slice| ResultByTime::of(slice, &names, is_grouped)).collect();
    json(&CostAndUsage {
        next_page_token,
        group_definitions: &input.group_by,
        results_by_time,
        dimension_value_attributes,
    })
}

/// The granularity of a name.
pub(super) fn granularity(name: &str) -> Answer<Granularity> {
    match name {
        "DAILY" => Ok(Granularity::Daily),
        "MONTHLY" => Ok(Granularity::Monthly),
        _ => Err(invalid(format!(
            "Granularity: `{name}` is not one of this operation; ask for DAILY or MONTHLY"
        ))),
    }
}

/// Why a page does not go on where the one before has ended.
const PRICED_ANEW: &str =
    "the costs have been priced anew since the page before; begin again without NextPageToken";

/// Where a page begins. Between two pages neither the question nor what it is answered from may change.
fn position(call: &Call<'_>, token: Option<&str>, runs: &[String]) -> Answer<PageFrom> {
    let Some(token) = token else { return Ok(PageFrom::default()) };
    let after = page_after(call, token)?;
    let parts: Vec<&str> = after.split(' ').collect();
    let [day, row, known] = parts.as_slice() else { return Err(Error::internal(after)) };
    if *known != digest(runs) {
        return Err(CostExplorerRefusal::RequestChanged(PRICED_ANEW.to_owned()).into());
    }
    let (day, row) = (day.parse().map_err(Error::internal)?, row.parse().map_err(Error::internal)?);
    Ok(PageFrom { day: Some(day), row })
}

/// The position in a token of this service.
fn page_after(call: &Call<'_>, token: &str) -> Answer<String> {
    let page = call.page(None, Some(token), 1).map_err(|_| {
        let message = format!(
            "the token of `{SERVICE}` was not given out for this request; begin again without NextPageToken, and change nothing between pages"
        );
        Error::from(CostExplorerRefusal::InvalidNextToken(message))
    })?;
    Ok(page.after)
}

/// How many rows were on the pages before, in an answer of the same runs; of others it is refused as `changed` says.
pub(super) fn rows_before(
    call: &Call<'_>,
    token: Option<&str>,
    runs: &str,
    changed: fn(String) -> CostExplorerRefusal,
) -> Answer<usize> {
    let Some(token) = token else { return Ok(0) };
    match page_after(call, token)?.split_once(' ') {
        Some((place, known)) if known == runs => place.parse().map_err(Error::internal),
        _ => Err(changed(PRICED_ANEW.to_owned()).into()),
    }
}

/// The token of the page after so many rows of `count`; `None` where there is none.
pub(super) fn next_rows(call: &Call<'_>, (end, count): (usize, usize), runs: &str) -> Answer<Option<String>> {
    call.next_token((end < count).then(|| format!("{end} {runs}")))
}

/// Which of `count` rows a page of at most `rows_max` has, and the token of the next one.
pub(super) fn page_of_rows(
    call: &Call<'_>,
    token: Option<&str>,
    (count, rows_max): (usize, usize),
    (runs, changed): (&str, fn(String) -> CostExplorerRefusal),
) -> Answer<(Range<usize>, Option<String>)> {
    let begin = rows_before(call, token, runs, changed)?.min(count);
    let end = begin.saturating_add(rows_max.max(1)).min(count);
    Ok((begin..end, next_rows(call, (end, count), runs)?))
}

/// What the runs of an answer are known by.
pub(super) fn digest(runs: &[String]) -> String {
    back_office::audit::digest(&runs.join(" "))
}

/// The names of the accounts in an answer.
pub(super) async fn attributes<'a>(
    call: &Call<'_>,
    group_by: &[Key],
    rows: impl Iterator<Item = &'a Row>,
) -> Answer<Vec<ValueWithAttributes>> {
    let account = Key::Dimension(Dimension::LinkedAccount);
    let Some(at) = group_by.iter().position(|key| *key == account) else { return Ok(Vec::new()) };
    let accounts: BTreeSet<&String> = rows.filter_map(|row| row.keys.get(at)).collect();
    let names = call.desk.account_names(call.caller, accounts.iter().copied()).await?;
    let named = accounts.into_iter().filter_map(|account| {
        let attributes = BTreeMap::from([("description", names.get(account.as_str())?.clone())]);
        Some(ValueWithAttributes { value: account.clone(), attributes })
    });
    Ok(named.collect())
}
