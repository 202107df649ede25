//! `GetDimensionValues`, and what it has in common with tags: the values of a key, searched, sorted and in pages.

use super::expression::{dimension, expression, metric};
use super::shapes::{Search, SortDefinition, ValueWithAttributes};
use super::usage::{digest, page_of_rows};
use super::{invalid, past_days};
use crate::call::{Call, json};
use back_office::cost_explorer::{CostExplorerRefusal, Months};
use back_office::error::Answer;
use billing::money::Cost;
use query::dimension::{Dimension, Key};
use query::expression::{Expression, Matching};
use query::facts::Metric;
use query::question::{Granularity, Query};
use serde::Serialize;

/// How many values a page has.
pub(super) const PAGE: usize = 1_000;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DimensionValues {
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
    dimension_values: Vec<ValueWithAttributes>,
    return_size: usize,
    total_size: usize,
}

/// `GetDimensionValues`
pub(super) async fn get(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Search = call.read()?;
    let of = dimension(input.dimension.as_deref().unwrap_or_default(), "Dimension")?;
    if input.dimension_key.as_deref().is_some_and(|key| !key.is_empty()) {
        return Err(invalid(
            "DimensionKey: it belongs to PRODUCT_ATTRIBUTE, which is not in charge classes; leave it out",
        ));
    }
    let asked = Asked::of(call, &input, context(input.context.as_deref())?).await?;
    let values = asked.values(&Key::Dimension(of))?;
    let cut = asked.cut(call, values)?;
    let accounts: &[String] = if of == Dimension::LinkedAccount { &cut.values } else { &[] };
    let names = call.desk.account_names(call.caller, accounts).await?;
    let value = |value: &String| {
        let name = names.get(value.as_str()).map(|name| ("description", name.clone()));
        ValueWithAttributes { value: value.clone(), attributes: name.into_iter().collect() }
    };
    let dimension_values: Vec<_> = cut.values.iter().map(value).collect();
    json(&DimensionValues {
        next_page_token: cut.next_page_token,
        return_size: dimension_values.len(),
        total_size: cut.total,
        dimension_values,
    })
}

/// The lines that a context is about.
fn context(name: Option<&str>) -> Answer<Option<Expression>> {
    let purchase = match name {
        None | Some("COST_AND_USAGE") => return Ok(None),
        Some("RESERVATIONS") => "Standard Reserved Instances",
        Some("SAVINGS_PLANS") => "Savings Plans",
        Some(other) => {
            return Err(invalid(format!(
                "Context: `{other}` is not one; give COST_AND_USAGE, RESERVATIONS or SAVINGS_PLANS"
            )));
        }
    };
    Ok(Some(Expression::is(Key::Dimension(Dimension::PurchaseType), [purchase], Matching::Equals)))
}

/// A search for values, with the months that it is about.
pub(super) struct Asked<'a> {
    input: &'a Search,
    pub months: Months,
    query: Query,
    sort: Option<Sort>,
}

#[derive(Clone, Copy)]
struct Sort {
    metric: Metric,
    is_descending: bool,
}

/// A page of values.
pub(super) struct Cut {
    pub values: Vec<String>,
    pub next_page_token: Option<String>,
    pub total: usize,
}

impl<'a> Asked<'a> {
    /// What a request searches, of the lines of a context.
    pub async fn of(call: &Call<'_>, input: &'a Search, context: Option<Expression>) -> Answer<Self> {
        let days = past_days(call, &input.time_period)?;
        let sort = sort(&input.sort_by)?;
        if sort.is_some() && (input.next_page_token.is_some() || input.search_string.is_some()) {
            return Err(invalid(
                "SortBy: NextPageToken and SearchString are not supported with it; leave them out",
            ));
        }
        if sort.is_some() && context.is_some() {
            return Err(invalid("SortBy: the Context must be COST_AND_USAGE with it"));
        }
        if let Some(max) = input.max_results.filter(|max| *max as usize > PAGE) {
            return Err(invalid(format!("MaxResults: {max} is too many; give at most {PAGE}")));
        }
        let given = input.filter.as_ref().map(expression).transpose()?;
        let filter = match (given, context) {
            (Some(given), Some(context)) => Some(Expression::And(vec![context, given])),
            (given, context) => given.or(context),
        };
        let query = Query {
            days: days.clone(),
            granularity: Granularity::Monthly,
            filter,
            group_by: Vec::new(),
            metrics: sort.iter().map(|sort| sort.metric).collect(),
        };
        let months = call.desk.months_of(call.caller, input.billing_view_arn.as_deref(), days).await?;
        Ok(Self { input, months, query, sort })
    }

    /// The values of a key, in the order that was asked for.
    pub fn values(&self, key: &Key) -> Answer<Vec<String>> {
        let query = Query { group_by: vec![key.clone()], ..self.query.clone() };
        let mut found = self.months.values(&query)?;
        if let Some(Sort { is_descending, .. }) = self.sort {
            let sum = |(_, sum): &(String, Option<Cost>)| sum.unwrap_or_default();
            found.sort_by_key(|of| sum(of));
            if is_descending {
                found.reverse();
            }
        }
        Ok(found.into_iter().map(|(value, _)| value).collect())
    }

    /// A page of what has the text that is searched for, whichever its case.
    pub fn cut(&self, call: &Call<'_>, mut values: Vec<String>) -> Answer<Cut> {
        if let Some(text) = &self.input.search_string {
            let text = text.to_lowercase();
            values.retain(|value| value.to_lowercase().contains(&text));
        }
        let total = values.len();
        if self.sort.is_some() {
            values.truncate(self.input.max_results.map_or(PAGE, |max| max as usize));
            return Ok(Cut { values, next_page_token: None, total });
        }
        let runs = digest(&self.months.runs());
        let token = self.input.next_page_token.as_deref();
        let changed = CostExplorerRefusal::RequestChanged;
        let (page, next_page_token) = page_of_rows(call, token, (total, PAGE), (&runs, changed))?;
        let values = values.drain(page).collect();
        Ok(Cut { values, next_page_token, total })
    }
}

/// By what values are sorted.
fn sort(given: &[SortDefinition]) -> Answer<Option<Sort>> {
    let of = match given {
        [] => return Ok(None),
        [of] => of,
        _ => return Err(invalid("SortBy: values are sorted by one metric; give one")),
    };
    let metric = metric(&of.key).ok_or_else(|| invalid(format!("SortBy: `{}` is not a metric", of.key)))?;
    let is_descending = match of.sort_order.as_deref() {
        None | Some("ASCENDING") => false,
        Some("DESCENDING") => true,
        Some(other) => {
            return Err(invalid(format!("SortBy: `{other}` is no order; give ASCENDING or DESCENDING")));
        }
    };
    Ok(Some(Sort { metric, is_descending }))
}
