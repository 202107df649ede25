//! Cost categories that somebody defines: `CreateCostCategoryDefinition` and what goes with it.

use super::invalid;
use crate::call::{Call, json};
use back_office::clock::Clock;
use back_office::cost_categories::{
    Definition, KeptCategory, KeptRule, KeptSplit, NewCostCategory, Version, cost_category_arn,
};
use back_office::cost_explorer::CostExplorerRefusal;
use back_office::error::{Answer, Error};
use billing::instant::{instant_text, printed_instant};
use billing::period::BillingPeriod;
use serde::{Deserialize, Serialize};

/// How many entries a page has at most.
const PAGE: usize = 100;
/// The one form of rules that there is.
const RULE_VERSION: &str = "CostCategoryExpression.v1";
/// What a cost category may be used by: filters of billing views name it.
const RESOURCE_TYPES: [&str; 1] = ["billing:billingview"];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    name: String,
    #[serde(default)]
    effective_start: Option<String>,
    #[serde(flatten)]
    kept: KeptCategory,
    #[serde(default)]
    resource_tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    cost_category_arn: String,
    #[serde(default)]
    effective_start: Option<String>,
    #[serde(flatten)]
    kept: KeptCategory,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfArn {
    cost_category_arn: String,
    #[serde(default)]
    effective_on: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Changed<'a> {
    cost_category_arn: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_start: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_end: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Described<'a> {
    cost_category: CostCategory<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CostCategory<'a> {
    cost_category_arn: String,
    effective_start: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_end: Option<String>,
    name: &'a str,
    rule_version: &'static str,
    rules: &'a [KeptRule],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    split_charge_rules: &'a [KeptSplit],
    processing_status: [ProcessingStatus; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    default_value: Option<&'a str>,
}

/// Rules are applied where costs are asked for, so that they always are.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ProcessingStatus {
    component: &'static str,
    status: &'static str,
}

const APPLIED: [ProcessingStatus; 1] = [ProcessingStatus { component: "COST_EXPLORER", status: "APPLIED" }];

/// `CreateCostCategoryDefinition`
pub(super) async fn create(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Create = call.read()?;
    let from = start(call, input.effective_start.as_deref())?;
    let tags = input.resource_tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    let new = NewCostCategory { name: input.name, from, kept: input.kept, tags };
    let arn = call.desk.create_cost_category(&call.write(""), &new).await?;
    json(&Changed {
        cost_category_arn: &arn,
        effective_start: Some(first_instant(from)),
        effective_end: None,
    })
}

/// `UpdateCostCategoryDefinition`
pub(super) async fn update(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Update = call.read()?;
    let arn = &input.cost_category_arn;
    let from = start(call, input.effective_start.as_deref())?;
    call.desk.update_cost_category(&call.write(arn), arn, (from, &input.kept)).await?;
    json(&Changed { cost_category_arn: arn, effective_start: Some(first_instant(from)), effective_end: None })
}

/// `DeleteCostCategoryDefinition`
pub(super) async fn delete(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfArn = call.read()?;
    let arn = &input.cost_category_arn;
    let end = call.desk.delete_cost_category(&call.write(arn), arn).await?;
    json(&Changed { cost_category_arn: arn, effective_start: None, effective_end: Some(last_instant(end)) })
}

/// `DescribeCostCategoryDefinition`
pub(super) async fn describe(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfArn = call.read()?;
    let (arn, payer) = (&input.cost_category_arn, &call.caller.payer);
    let month = on(call, input.effective_on.as_deref())?;
    let known = call.desk.cost_categories(payer).await?;
    let found = known.holding(month).find(|(of, ..)| cost_category_arn(payer, &of.id) == *arn);
    let (definition, version, kept) = found.ok_or_else(|| {
        Error::from(CostExplorerRefusal::NotFound(format!(
            "there is no cost category `{arn}` in {month}; ListCostCategoryDefinitions has those that there are, EffectiveOn another month"
        )))
    })?;
    json(&Described {
        cost_category: CostCategory {
            cost_category_arn: arn.clone(),
            effective_start: first_instant(version.from),
            effective_end: end(definition, version),
            name: &definition.name,
            rule_version: RULE_VERSION,
            rules: &kept.rules,
            split_charge_rules: &kept.split_charge_rules,
            processing_status: APPLIED,
            default_value: kept.default_value.as_deref(),
        },
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    #[serde(default)]
    effective_on: Option<String>,
    #[serde(default)]
    supported_resource_types: Vec<String>,
    #[serde(default)]
    cost_category_arn: Option<String>,
    #[serde(default)]
    next_token: Option<String>,
    #[serde(default)]
    max_results: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed<'a> {
    cost_category_references: Vec<Reference<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Reference<'a> {
    cost_category_arn: String,
    name: &'a str,
    effective_start: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_end: Option<String>,
    number_of_rules: usize,
    processing_status: [ProcessingStatus; 1],
    values: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_value: Option<&'a str>,
    supported_resource_types: [&'static str; 1],
}

/// `ListCostCategoryDefinitions`: those that hold for a month, in the order of their names.
pub(super) async fn list(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: List = call.read()?;
    let payer = &call.caller.payer;
    let month = on(call, input.effective_on.as_deref())?;
    let page = page(call, &input)?;
    let known = call.desk.cost_categories(payer).await?;
    let is_asked = input.supported_resource_types.iter().all(|of| RESOURCE_TYPES.contains(&of.as_str()));
    let mut holding: Vec<_> = known.holding(month).filter(|_| is_asked).collect();
    holding.sort_by(|one, other| one.0.name.cmp(&other.0.name));
    let entries = holding.into_iter().filter(|(of, ..)| of.name > page.after).map(|(of, version, kept)| {
        let reference = Reference {
            cost_category_arn: cost_category_arn(payer, &of.id),
            name: &of.name,
            effective_start: first_instant(version.from),
            effective_end: end(of, version),
            number_of_rules: kept.rules.len(),
            processing_status: APPLIED,
            values: kept.values(),
            default_value: kept.default_value.as_deref(),
            supported_resource_types: RESOURCE_TYPES,
        };
        (of.name.clone(), reference)
    });
    let (cost_category_references, next_token) = call.cut(&page, entries)?;
    json(&Listed { cost_category_references, next_token })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Associations {
    cost_category_resource_associations: Vec<Association>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Association {
    resource_arn: String,
    cost_category_name: String,
    cost_category_arn: String,
}

/// `ListCostCategoryResourceAssociations`: the custom billing views that filter by a cost category which holds now.
pub(super) async fn associations(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: List = call.read()?;
    let payer = &call.caller.payer;
    let page = page(call, &input)?;
    let known = call.desk.cost_categories(payer).await?;
    let views = call.desk.views_by_cost_category(call.caller).await?;
    let mut found = Vec::new();
    for (of, ..) in known.holding(call.current()) {
        let arn = cost_category_arn(payer, &of.id);
        if input.cost_category_arn.as_ref().is_some_and(|asked| *asked != arn) {
            continue;
        }
        for resource_arn in views.get(&of.name).into_iter().flatten() {
            let position = format!("{} {resource_arn}", of.id);
            let resource_arn = resource_arn.clone();
            let (cost_category_name, cost_category_arn) = (of.name.clone(), arn.clone());
            found.push((position, Association { resource_arn, cost_category_name, cost_category_arn }));
        }
    }
    if let Some(asked) = &input.cost_category_arn {
        let is_asked =
            |(of, ..): (&Definition, &Version, &KeptCategory)| cost_category_arn(payer, &of.id) == *asked;
        if !known.holding(call.current()).any(is_asked) {
            return Err(CostExplorerRefusal::NotFound(format!("there is no cost category `{asked}`")).into());
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    let entries = found.into_iter().filter(|(position, _)| *position > page.after);
    let (cost_category_resource_associations, next_token) = call.cut(&page, entries)?;
    json(&Associations { cost_category_resource_associations, next_token })
}

fn page(call: &Call<'_>, input: &List) -> Answer<crate::call::Page> {
    call.page(input.max_results, input.next_token.as_deref(), PAGE)
        .map_err(|_| invalid("NextToken: it was not given out for this list; begin again without one"))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfResource {
    resource_arn: String,
    #[serde(default)]
    resource_tags: Vec<Tag>,
    #[serde(default)]
    resource_tag_keys: Vec<String>,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tags {
    resource_tags: Vec<Tag>,
}

/// `TagResource` and `UntagResource`
pub(super) async fn tag(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfResource = call.read()?;
    let arn = &input.resource_arn;
    let added: Vec<_> = input.resource_tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    call.desk.change_cost_category_tags(&call.write(arn), arn, &added, &input.resource_tag_keys).await?;
    json(&Empty {})
}

/// `ListTagsForResource`
pub(super) async fn list_tags(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfResource = call.read()?;
    let tags = call.desk.cost_category_tags(call.caller, &input.resource_arn).await?;
    json(&Tags { resource_tags: tags.into_iter().map(|(key, value)| Tag { key, value }).collect() })
}

/// The month that a definition begins with: its first instant, or, where none is given, the month that has now.
fn start(call: &Call<'_>, text: Option<&str>) -> Answer<BillingPeriod> {
    let Some(text) = text else { return Ok(call.current()) };
    let instant = printed_instant(text);
    let month = instant.map(Clock::period_of).filter(|month| instant == Some(month.start_seconds()));
    month.ok_or_else(|| {
        invalid(format!(
            "EffectiveStart: `{text}` is not the first instant of a month; write it as {}",
            first_instant(call.current())
        ))
    })
}

/// The month that has an instant, or now.
fn on(call: &Call<'_>, text: Option<&str>) -> Answer<BillingPeriod> {
    let Some(text) = text else { return Ok(call.current()) };
    let instant = printed_instant(text).ok_or_else(|| {
        invalid(format!("EffectiveOn: `{text}` is no instant; write it as 2026-10-01T00:00:00Z"))
    })?;
    Ok(Clock::period_of(instant))
}

fn end(definition: &Definition, version: &Version) -> Option<String> {
    definition.end_of(version).map(last_instant)
}

fn first_instant(month: BillingPeriod) -> String {
    instant_text(month.start_seconds())
}

/// The last instant before a month.
fn last_instant(before: BillingPeriod) -> String {
    instant_text(before.start_seconds() - 1)
}
