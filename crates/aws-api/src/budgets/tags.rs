//! Tags of budgets.

use super::{Empty, invalid};
use crate::call::{Call, json};
use back_office::error::{Answer, Declined};
use billing::arn::Arn;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    key: String,
    value: String,
}

#[derive(Deserialize)]
struct OfResource {
    #[serde(rename = "ResourceARN")]
    arn: String,
    #[serde(rename = "ResourceTags", default)]
    tags: Vec<Tag>,
    #[serde(rename = "ResourceTagKeys", default)]
    keys: Vec<String>,
}

/// The name in a budget's ARN; what is another payer's is not there.
fn name<'a>(call: &Call<'_>, arn: &'a str) -> Answer<&'a str> {
    let name = Arn::resource(arn, "budgets", &call.caller.payer);
    let name = name.and_then(|resource| resource.strip_prefix("budget/"));
    name.ok_or_else(|| Declined::NotFound { kind: "budget", id: arn.to_owned() }.into())
}

/// Adds tags to those that are there; those of the same keys are replaced.
pub(super) fn add(tags: &mut BTreeMap<String, String>, new: Vec<Tag>) -> Answer<()> {
    let mut given = BTreeMap::new();
    for Tag { key, value } in new {
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid(format!("ResourceTags: key `{key}` begins with `aws:`, which is reserved")));
        }
        if given.contains_key(&key) {
            return Err(invalid(format!("ResourceTags: key `{key}` is given twice")));
        }
        given.insert(key, value);
    }
    tags.extend(given);
    Ok(())
}

/// `TagResource`
pub(super) async fn put(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfResource = call.read()?;
    let mut new = BTreeMap::new();
    add(&mut new, input.tags)?;
    let change = |budget: &mut back_office::budgets::KeptBudget| {
        budget.tags.extend(new.clone());
        Ok(())
    };
    call.desk.change_budget(&call.write(&input.arn), name(call, &input.arn)?, change).await?;
    json(&Empty {})
}

/// `UntagResource`
pub(super) async fn remove(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfResource = call.read()?;
    let change = |budget: &mut back_office::budgets::KeptBudget| {
        budget.tags.retain(|key, _| !input.keys.contains(key));
        Ok(())
    };
    call.desk.change_budget(&call.write(&input.arn), name(call, &input.arn)?, change).await?;
    json(&Empty {})
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tags {
    resource_tags: Vec<Tag>,
}

/// `ListTagsForResource`
pub(super) async fn list(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfResource = call.read()?;
    let row = call.desk.budget(call.caller, name(call, &input.arn)?).await?;
    let resource_tags = row.budget.tags.into_iter().map(|(key, value)| Tag { key, value }).collect();
    json(&Tags { resource_tags })
}
