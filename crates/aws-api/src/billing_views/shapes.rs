//! The shapes of views on the wire.

use crate::call::field;
use aws_wire::json::Number;
use back_office::error::Answer;
use billing::billing_view::{FilterLines, ViewFilter};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ActiveTimeRange {
    pub active_after_inclusive: Number,
    pub active_before_inclusive: Number,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StringSearch {
    pub search_value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListBillingViews {
    pub active_time_range: Option<ActiveTimeRange>,
    #[serde(default)]
    pub arns: Vec<String>,
    #[serde(default)]
    pub billing_view_types: Vec<String>,
    #[serde(default)]
    pub names: Vec<StringSearch>,
    pub owner_account_id: Option<String>,
    pub source_account_id: Option<String>,
    pub max_results: Option<u32>,
    pub next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ViewList {
    pub billing_views: Vec<ViewElement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct View {
    pub billing_view: ViewElement,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Health {
    pub status_code: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub status_reasons: Vec<&'static str>,
}

/// `BillingViewElement`, and without what only that has `BillingViewListElement`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ViewElement {
    pub arn: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub billing_view_type: &'static str,
    pub owner_account_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_account_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_filter_expression: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub derived_view_count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_view_count: Option<usize>,
    pub health_status: Health,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OfArn {
    pub arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListSources {
    pub arn: String,
    pub max_results: Option<u32>,
    pub next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SourceViews {
    pub source_views: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OfResource {
    pub resource_arn: String,
    #[serde(default)]
    pub resource_tags: Vec<ResourceTag>,
    #[serde(default)]
    pub resource_tag_keys: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResourceArn {
    pub resource_arn: String,
}

/// A tag; one without a value has an empty one.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResourceTag {
    pub key: String,
    pub value: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResourceTags {
    pub resource_tags: Vec<ResourceTag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateBillingView {
    pub name: String,
    pub description: Option<String>,
    pub source_views: Vec<String>,
    pub data_filter_expression: Option<Expression>,
    #[serde(default)]
    pub resource_tags: Vec<ResourceTag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpdateBillingView {
    pub arn: String,
    pub name: Option<String>,
    pub description: Option<String>,
    pub data_filter_expression: Option<Expression>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeleteBillingView {
    pub arn: String,
    pub force: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SourcesOf {
    pub arn: String,
    pub source_views: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Created {
    pub arn: String,
    pub created_at: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Updated {
    pub arn: String,
    pub updated_at: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ArnOut {
    pub arn: String,
}

#[derive(Serialize)]
pub(super) struct Empty {}

#[derive(Deserialize)]
struct KeyValues {
    key: String,
    values: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TimeRange {
    begin_date_inclusive: Option<Number>,
    end_date_inclusive: Option<Number>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Expression {
    dimensions: Option<KeyValues>,
    tags: Option<KeyValues>,
    cost_categories: Option<KeyValues>,
    time_range: Option<TimeRange>,
}

impl Expression {
    /// The filter that is meant; one that says nothing is none.
    ///
    /// # Errors
    /// More than one root, an instant beyond the calendar.
    pub(super) fn filter(self) -> Answer<Option<ViewFilter>> {
        const NAME: &str = "dataFilterExpression";
        let Self { dimensions, tags, cost_categories, time_range } = self;
        let roots = [
            dimensions.map(|of| FilterLines::Accounts(of.values)),
            tags.map(|of| FilterLines::Tag(of.key, of.values)),
            cost_categories.map(|of| FilterLines::CostCategory(of.key, of.values)),
        ];
        let mut roots = roots.into_iter().flatten();
        let lines = roots.next();
        if roots.next().is_some() {
            let message = "the expression has more than one root; give one of dimensions, tags and costCategories, with or without timeRange";
            return Err(field(NAME, message));
        }
        let instant = |of: Option<Number>| match of {
            None => Ok(None),
            Some(number) => seconds(&number)
                .map(Some)
                .ok_or_else(|| field(NAME, "an instant of timeRange is beyond the calendar")),
        };
        let (begin_s, end_s) = match time_range {
            Some(range) => (instant(range.begin_date_inclusive)?, instant(range.end_date_inclusive)?),
            None => (None, None),
        };
        let filter = ViewFilter { lines, begin_s, end_s };
        let is_empty = filter.lines.is_none() && begin_s.is_none() && end_s.is_none();
        Ok((!is_empty).then_some(filter))
    }
}

/// The years that instants may be of.
const SECONDS_MAX: i64 = 253_402_300_799;

/// The whole second of an instant of the calendar.
pub(super) fn seconds(instant: &Number) -> Option<i64> {
    Some(crate::invoicing::second(instant)).filter(|seconds| (0..=SECONDS_MAX).contains(seconds))
}
