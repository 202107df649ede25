//! Tags.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The inputs of the tag operations.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OfResource {
    pub resource_arn: String,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    #[serde(default)]
    pub tag_keys: Vec<String>,
}

/// The output of `ListTagsForResource`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tags {
    pub tags: BTreeMap<String, String>,
}
