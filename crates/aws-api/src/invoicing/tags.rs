//! Tags of invoice units and portal preferences.

use super::Empty;
use super::units::{ResourceTag, tags};
use crate::call::{Call, json};
use back_office::error::Answer;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfResource {
    resource_arn: String,
    #[serde(default)]
    resource_tags: Vec<ResourceTag>,
    #[serde(default)]
    resource_tag_keys: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tags {
    resource_tags: Vec<ResourceTag>,
}

/// `ListTagsForResource`
pub(super) async fn list(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfResource = call.read()?;
    let tags = call.desk.invoicing_tags(&call.caller.payer, &input.resource_arn).await?;
    json(&Tags { resource_tags: tags.into_iter().map(|(key, value)| ResourceTag { key, value }).collect() })
}

/// `TagResource`
pub(super) async fn put(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfResource = call.read()?;
    let arn = &input.resource_arn;
    call.desk.change_invoicing_tags(&call.write(arn), arn, &tags(input.resource_tags), &[]).await?;
    json(&Empty {})
}

/// `UntagResource`
pub(super) async fn remove(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfResource = call.read()?;
    let arn = &input.resource_arn;
    call.desk.change_invoicing_tags(&call.write(arn), arn, &[], &input.resource_tag_keys).await?;
    json(&Empty {})
}
