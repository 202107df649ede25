//! `GetCostAndUsage`, page by page.

use super::expression::{expression, group_by, metrics};
use super::shapes::{CostAndUsage, GetCostAndUsage, ResultByTime, ValueWithAttributes};
use super::{SERVICE, invalid, past_days};
use crate::call::{Call, json};
use back_office::cost_explorer::{CostExplorerRefusal, PageFrom};
use back_office::error::{Answer, Error};
use query::dimension::{Dimension, Key};
use query::question::{Granularity, Query, Slice};
use std::collections::{BTreeMap, BTreeSet};

/// How many groups of times a page has.
const ROWS_MAX: usize = 5_000;

/// `GetCostAndUsage`
pub(super) async fn get(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: GetCostAndUsage = call.read()?;
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
    let dimension_value_attributes = attributes(call, &query, &slices).await?;
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
        _ => Err(invalid(format!("Granularity: `{name}` is not kept; ask for DAILY or MONTHLY"))),
    }
}

/// Where a page begins. Between two pages neither the question nor what it is answered from may change.
fn position(call: &Call<'_>, token: Option<&str>, runs: &[String]) -> Answer<PageFrom> {
    let Some(token) = token else { return Ok(PageFrom::default()) };
    let after = page_after(call, token)?;
    let parts: Vec<&str> = after.split(' ').collect();
    let [day, row, known] = parts.as_slice() else { return Err(Error::internal(after)) };
    if *known != digest(runs) {
        let message =
            "the costs have been priced anew since the page before; begin again without NextPageToken";
        return Err(CostExplorerRefusal::RequestChanged(message.to_owned()).into());
    }
    let (day, row) = (day.parse().map_err(Error::internal)?, row.parse().map_err(Error::internal)?);
    Ok(PageFrom { day: Some(day), row })
}

/// The position in a token of this service.
pub(super) fn page_after(call: &Call<'_>, token: &str) -> Answer<String> {
    let page = call.page(None, Some(token), 1).map_err(|_| {
        let message = format!(
            "the token of `{SERVICE}` was not given out for this request; begin again without NextPageToken, and change nothing between pages"
        );
        Error::from(CostExplorerRefusal::InvalidNextToken(message))
    })?;
    Ok(page.after)
}

/// What the runs of an answer are known by.
pub(super) fn digest(runs: &[String]) -> String {
    back_office::audit::digest(&runs.join(" "))
}

/// The names of the accounts in an answer.
async fn attributes(call: &Call<'_>, query: &Query, slices: &[Slice]) -> Answer<Vec<ValueWithAttributes>> {
    let account = Key::Dimension(Dimension::LinkedAccount);
    let Some(at) = query.group_by.iter().position(|key| *key == account) else { return Ok(Vec::new()) };
    let rows = slices.iter().flat_map(|slice| &slice.rows);
    let accounts: BTreeSet<&String> = rows.filter_map(|row| row.keys.get(at)).collect();
    let names = call.desk.account_names(call.caller).await?;
    let named = accounts.into_iter().filter_map(|account| {
        let attributes = BTreeMap::from([("description", names.get(account)?.clone())]);
        Some(ValueWithAttributes { value: account.clone(), attributes })
    });
    Ok(named.collect())
}
