//! The shapes of Cost Explorer's requests and answers, member for member.

use billing::period::date_text;
use query::question::{Row, Slice, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DateInterval {
    pub start: String,
    pub end: String,
}

impl DateInterval {
    /// The interval of some hours, counted since 1970-01-01.
    pub fn of_hours(hours: &std::ops::Range<i64>) -> Self {
        let text = |hour: i64| {
            let day = i32::try_from(hour.div_euclid(24)).unwrap_or(i32::MAX);
            format!("{}T{:02}:00:00Z", date_text(day), hour.rem_euclid(24))
        };
        Self { start: text(hours.start), end: text(hours.end) }
    }

    /// The interval of some days.
    pub fn of(days: &std::ops::Range<i32>) -> Self {
        Self { start: date_text(days.start), end: date_text(days.end) }
    }
}

#[derive(Deserialize, Serialize, Clone)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GroupDefinition {
    #[serde(default = "dimension")]
    pub r#type: String,
    #[serde(default)]
    pub key: String,
}

fn dimension() -> String {
    "DIMENSION".to_owned()
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Expression {
    pub or: Option<Vec<Expression>>,
    pub and: Option<Vec<Expression>>,
    pub not: Option<Box<Expression>>,
    pub dimensions: Option<Values>,
    pub tags: Option<Values>,
    pub cost_categories: Option<Values>,
    pub product_attributes: Option<Values>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Values {
    pub key: Option<String>,
    pub values: Vec<String>,
    pub match_options: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SortDefinition {
    pub key: String,
    #[serde(default)]
    pub sort_order: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetCostAndUsage {
    pub time_period: DateInterval,
    pub granularity: String,
    #[serde(default)]
    pub filter: Option<Expression>,
    #[serde(default)]
    pub metrics: Vec<String>,
    #[serde(default)]
    pub group_by: Vec<GroupDefinition>,
    #[serde(default)]
    pub billing_view_arn: Option<String>,
    #[serde(default)]
    pub next_page_token: Option<String>,
}

/// `GetDimensionValues`, `GetTags` and `GetCostCategories`: what is searched for differs alone.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Search {
    pub time_period: DateInterval,
    #[serde(default)]
    pub search_string: Option<String>,
    #[serde(default)]
    pub dimension: Option<String>,
    #[serde(default)]
    pub dimension_key: Option<String>,
    #[serde(default)]
    pub context: Option<String>,
    #[serde(default)]
    pub tag_key: Option<String>,
    #[serde(default)]
    pub cost_category_name: Option<String>,
    #[serde(default)]
    pub filter: Option<Expression>,
    #[serde(default)]
    pub sort_by: Vec<SortDefinition>,
    #[serde(default)]
    pub billing_view_arn: Option<String>,
    #[serde(default)]
    pub max_results: Option<u32>,
    #[serde(default)]
    pub next_page_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CostAndUsage<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub group_definitions: &'a [GroupDefinition],
    pub results_by_time: Vec<ResultByTime<'a>>,
    pub dimension_value_attributes: Vec<ValueWithAttributes>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ResultByTime<'a> {
    pub time_period: DateInterval,
    pub total: BTreeMap<&'a str, MetricValue>,
    pub groups: Vec<Group<'a>>,
    pub estimated: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Group<'a> {
    pub keys: Vec<String>,
    pub metrics: BTreeMap<&'a str, MetricValue>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MetricValue {
    pub amount: String,
    pub unit: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ValueWithAttributes {
    pub value: String,
    pub attributes: BTreeMap<&'static str, String>,
}

impl<'a> ResultByTime<'a> {
    /// A time as it is answered: its total, or its groups.
    pub fn of(slice: Slice, metrics: &[&'a str], is_grouped: bool) -> Self {
        let time_period = DateInterval::of(&slice.days);
        Self::of_rows(time_period, slice.rows, slice.estimated, metrics, is_grouped)
    }

    /// The same of the rows of a time.
    pub fn of_rows(
        time_period: DateInterval,
        rows: Vec<Row>,
        estimated: bool,
        metrics: &[&'a str],
        is_grouped: bool,
    ) -> Self {
        let named = |values: Vec<Value>| -> BTreeMap<&'a str, MetricValue> {
            let value = |value: Value| MetricValue { amount: value.amount.to_string(), unit: value.unit };
            metrics.iter().copied().zip(values.into_iter().map(value)).collect()
        };
        let mut rows = rows.into_iter().map(|row| (row.keys, named(row.values)));
        if is_grouped {
            let groups = rows.map(|(keys, metrics)| Group { keys, metrics }).collect();
            return Self { time_period, total: BTreeMap::new(), groups, estimated };
        }
        let total = rows.next().map(|(_, total)| total).unwrap_or_default();
        Self { time_period, total, groups: Vec::new(), estimated }
    }
}
