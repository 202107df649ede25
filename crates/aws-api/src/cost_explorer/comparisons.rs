//! `GetCostAndUsageComparisons`: two months beside each other, what changed most first.

use super::expression::{expression, group_by, metric};
use super::shapes::{DateInterval, Expression, GroupDefinition};
use super::usage::{digest, page_of_rows};
use super::{invalid, past_days};
use crate::call::{Call, json};
use back_office::clock::Clock;
use back_office::cost_explorer::CostExplorerRefusal;
use back_office::error::{Answer, Error};
use billing::invoice::Date;
use billing::money::Cost;
use query::dimension::Key;
use query::facts::Metric;
use query::question::{Granularity, NO_UNIT, Query};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many groups a page has, unless it is said.
const PAGE: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Asked {
    #[serde(default)]
    billing_view_arn: Option<String>,
    baseline_time_period: DateInterval,
    comparison_time_period: DateInterval,
    metric_for_comparison: String,
    #[serde(default)]
    filter: Option<Expression>,
    #[serde(default)]
    group_by: Vec<GroupDefinition>,
    #[serde(default)]
    max_results: Option<usize>,
    #[serde(default)]
    next_page_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Comparisons<'a> {
    cost_and_usage_comparisons: Vec<Comparison<'a>>,
    total_cost_and_usage: BTreeMap<&'a str, Compared>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Comparison<'a> {
    cost_and_usage_selector: BTreeMap<&'static str, Selector>,
    metrics: BTreeMap<&'a str, Compared>,
}

/// What a group is told from others by: one key, or two.
#[derive(Serialize)]
#[serde(untagged)]
enum Selector {
    One(Selected),
    Both(Vec<BTreeMap<&'static str, Selected>>),
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Selected {
    key: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<String>,
    match_options: Vec<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Compared {
    baseline_time_period_amount: String,
    comparison_time_period_amount: String,
    difference: String,
    unit: String,
}

/// Both months' sums of a group, and their units.
#[derive(Default)]
struct Both {
    amounts: [Cost; 2],
    units: [Option<String>; 2],
}

/// `GetCostAndUsageComparisons`
pub(super) async fn get(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Asked = call.read()?;
    let metric = metric(&input.metric_for_comparison).ok_or_else(|| {
        invalid(format!("MetricForComparison: `{}` is not a metric", input.metric_for_comparison))
    })?;
    let keys = group_by(&input.group_by)?;
    let filter = input.filter.as_ref().map(expression).transpose()?;
    let mut groups: BTreeMap<Vec<String>, Both> = BTreeMap::new();
    let (mut total, mut runs) = (Both::default(), Vec::new());
    for (place, period) in
        [&input.baseline_time_period, &input.comparison_time_period].into_iter().enumerate()
    {
        let days = past_days(call, period)?;
        let month = Clock::period_of_day(days.start);
        if days != (Date::first_of(month).days()..Date::first_of(month.next()).days()) {
            let message =
                format!("`{}` to `{}` is not one whole month; compare months", period.start, period.end);
            return Err(invalid(message));
        }
        let months =
            call.desk.months_of(call.caller, input.billing_view_arn.as_deref(), days.clone()).await?;
        runs.extend(months.runs());
        let query = |group_by| Query {
            days: days.clone(),
            granularity: Granularity::Monthly,
            filter: filter.clone(),
            group_by,
            metrics: vec![metric],
        };
        total.add(place, &months.answer(&query(Vec::new()))?);
        for slice in if keys.is_empty() { Vec::new() } else { months.answer(&query(keys.clone()))? } {
            for row in &slice.rows {
                let group = groups.entry(row.keys.clone()).or_default();
                group.add_row(place, row);
            }
        }
    }
    let mut rows: Vec<(Vec<String>, Both)> = groups.into_iter().collect();
    rows.sort_by_key(|(_, of)| {
        std::cmp::Reverse(of.change().map_or(0, |change| change.units().unsigned_abs()))
    });
    let runs = digest(&runs);
    let token = input.next_page_token.as_deref();
    let rows_max = input.max_results.unwrap_or(PAGE);
    let changed = CostExplorerRefusal::InvalidNextToken;
    let (page, next_page_token) = page_of_rows(call, token, (rows.len(), rows_max), (&runs, changed))?;
    let compared = rows[page].iter().map(|(values, of)| {
        Ok(Comparison { cost_and_usage_selector: selector(&keys, values), metrics: of.compared(metric)? })
    });
    json(&Comparisons {
        cost_and_usage_comparisons: compared.collect::<Answer<_>>()?,
        total_cost_and_usage: total.compared(metric)?,
        next_page_token,
    })
}

impl Both {
    fn add(&mut self, place: usize, slices: &[query::question::Slice]) {
        for row in slices.iter().flat_map(|slice| &slice.rows) {
            self.add_row(place, row);
        }
    }

    fn add_row(&mut self, place: usize, row: &query::question::Row) {
        if let Some(value) = row.values.first() {
            self.amounts[place] = value.amount;
            self.units[place] = Some(value.unit.clone());
        }
    }

    fn change(&self) -> Answer<Cost> {
        self.amounts[1].minus(self.amounts[0]).map_err(Error::internal)
    }

    fn compared(&self, metric: Metric) -> Answer<BTreeMap<&'static str, Compared>> {
        let known: Vec<&String> = self.units.iter().flatten().filter(|unit| *unit != NO_UNIT).collect();
        let unit = match known.as_slice() {
            [one] => (*one).clone(),
            [one, other] if one == other => (*one).clone(),
            _ => NO_UNIT.to_owned(),
        };
        let compared = Compared {
            baseline_time_period_amount: self.amounts[0].to_string(),
            comparison_time_period_amount: self.amounts[1].to_string(),
            difference: self.change()?.to_string(),
            unit,
        };
        Ok(BTreeMap::from([(metric.name(), compared)]))
    }
}

/// The expression that picks a group's lines.
fn selector(keys: &[Key], values: &[String]) -> BTreeMap<&'static str, Selector> {
    let selected = |(key, value): (&Key, &String)| {
        let (root, name, value) = match key {
            Key::Dimension(dimension) => ("Dimensions", dimension.name().to_owned(), value.clone()),
            Key::Tag(name) | Key::CostCategory(name) => {
                let value = value.strip_prefix(&format!("{name}$")).unwrap_or_default().to_owned();
                (if matches!(key, Key::Tag(_)) { "Tags" } else { "CostCategories" }, name.clone(), value)
            }
        };
        let is_absent = value.is_empty();
        let values = if is_absent { Vec::new() } else { vec![value] };
        let match_options = vec![if is_absent { "ABSENT" } else { "EQUALS" }];
        (root, Selected { key: name, values, match_options })
    };
    let mut parts: Vec<(&'static str, Selected)> = keys.iter().zip(values).map(selected).collect();
    match (parts.pop(), parts.pop()) {
        (Some((root, one)), None) => BTreeMap::from([(root, Selector::One(one))]),
        (Some(second), Some(first)) => {
            let both = [first, second].map(|(root, of)| BTreeMap::from([(root, of)]));
            BTreeMap::from([("And", Selector::Both(both.into()))])
        }
        _ => BTreeMap::new(),
    }
}
