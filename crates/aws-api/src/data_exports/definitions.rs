//! What exports are defined as.

use super::{KIND, PAGE, arn, id, invalid, written};
use crate::call::{Call, json};
use back_office::error::{Answer, Error};
use back_office::exports::{KnownExport, NewDefinition, NewLines, Where};
use export_query::Table;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// An export, as requests and answers have it.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Export {
    #[serde(skip_serializing_if = "Option::is_none")]
    export_arn: Option<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    data_query: DataQuery,
    destination_configurations: Destinations,
    refresh_cadence: RefreshCadence,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct DataQuery {
    query_statement: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    table_configurations: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Deserialize, Serialize)]
struct Destinations {
    #[serde(rename = "S3Destination")]
    s3: S3Destination,
}

#[derive(Deserialize, Serialize)]
struct S3Destination {
    #[serde(rename = "S3Bucket")]
    bucket: String,
    #[serde(rename = "S3BucketOwner", skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(rename = "S3Prefix")]
    prefix: String,
    #[serde(rename = "S3Region")]
    region: String,
    #[serde(rename = "S3OutputConfigurations")]
    output: S3Output,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct S3Output {
    output_type: String,
    format: String,
    compression: String,
    overwrite: String,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct RefreshCadence {
    frequency: String,
}

impl Export {
    /// What is asked for.
    fn definition(mut self) -> Answer<NewDefinition> {
        self.export_arn = None;
        let tables = &self.data_query.table_configurations;
        let mut view = None;
        for (name, properties) in tables {
            let Some(table) = Table::parse(name) else {
                let known = Table::ALL.map(Table::name).join(" and ");
                return Err(invalid(
                    "TableConfigurations",
                    &format!("there is no table `{name}`; there are {known}"),
                ));
            };
            view =
                table.check(properties).map_err(|problem| invalid("TableConfigurations", &problem))?.or(view);
        }
        if tables.len() > 1 {
            return Err(invalid(
                "TableConfigurations",
                "more than one table is configured; an export is of one table",
            ));
        }
        let view = view.map(str::to_owned).ok_or_else(|| {
            let message = "no table is configured with BILLING_VIEW_ARN; what is exported here are the pro forma lines of a billing group: give the ARN of its view (ListBillingViews of the service billing)";
            invalid("TableConfigurations", message)
        })?;
        let output = &self.destination_configurations.s3.output;
        let is_parquet = match (output.format.as_str(), output.compression.as_str()) {
            ("PARQUET", "PARQUET") => true,
            ("TEXT_OR_CSV", "GZIP") => false,
            (format, compression) => {
                let message = format!(
                    "{format} with compression {compression} is not written; give PARQUET with PARQUET, or TEXT_OR_CSV with GZIP"
                );
                return Err(invalid("S3OutputConfigurations", &message));
            }
        };
        if output.output_type != "CUSTOM" {
            let message = format!("output type {} is not written; give CUSTOM", output.output_type);
            return Err(invalid("S3OutputConfigurations", &message));
        }
        let to = Where {
            bucket: self.destination_configurations.s3.bucket.clone(),
            prefix: self.destination_configurations.s3.prefix.clone(),
            is_parquet,
            is_overwritten: output.overwrite == "OVERWRITE_REPORT",
        };
        let lines = NewLines::Statement(self.data_query.query_statement.clone(), tables.clone());
        let shown = serde_json::to_value(&self).map_err(Error::internal)?;
        NewDefinition::new(self.name, view, lines, to, shown)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateExport {
    export: Export,
    #[serde(default)]
    resource_tags: Vec<ResourceTag>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResourceTag {
    key: String,
    value: String,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct OfExport {
    export_arn: String,
}

/// `CreateExport`
pub(super) async fn create(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: CreateExport = call.read()?;
    let new = input.export.definition()?;
    let id = call.desk.create_export(&call.write(""), KIND, &new, &tags(input.resource_tags)).await?;
    json(&OfExport { export_arn: arn(&call.caller.payer, &id) })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateExport {
    export_arn: String,
    export: Export,
}

/// `UpdateExport`
pub(super) async fn update(call: &Call<'_>) -> Answer<Vec<u8>> {
    let UpdateExport { export_arn, export } = call.read()?;
    let new = export.definition()?;
    call.desk.update_export(&call.write(&export_arn), KIND, id(call, &export_arn), &new).await?;
    json(&OfExport { export_arn })
}

/// `DeleteExport`
pub(super) async fn delete(call: &Call<'_>) -> Answer<Vec<u8>> {
    let OfExport { export_arn } = call.read()?;
    call.desk.delete_export(&call.write(&export_arn), KIND, id(call, &export_arn)).await?;
    json(&OfExport { export_arn })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ExportStatus {
    status_code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_reason: Option<String>,
    created_at: String,
    last_updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_refreshed_at: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ShownExport {
    export: Value,
    export_status: ExportStatus,
}

/// `GetExport`
pub(super) async fn get(call: &Call<'_>) -> Answer<Vec<u8>> {
    let OfExport { export_arn } = call.read()?;
    let payer = &call.caller.payer;
    let known = call.desk.export(payer, KIND, id(call, &export_arn)).await?;
    let export = shown(&arn(payer, &known.row.id), &known.row.body)?;
    json(&ShownExport { export, export_status: status(&known) })
}

/// What was asked for, with its ARN.
pub(super) fn shown(arn: &str, body: &str) -> Answer<Value> {
    let mut export = NewDefinition::shown(body)?;
    if let Some(members) = export.as_object_mut() {
        members.insert("ExportArn".to_owned(), arn.into());
    }
    Ok(export)
}

fn status(known: &KnownExport) -> ExportStatus {
    let instant = |seconds: i64| written(seconds.saturating_mul(1_000));
    ExportStatus {
        status_code: if known.failed.is_none() { "HEALTHY" } else { "UNHEALTHY" },
        status_reason: known.failed.as_ref().and_then(|failed| failed.reason.clone()),
        created_at: instant(known.row.created_at_s),
        last_updated_at: instant(known.row.recorded_at_s),
        last_refreshed_at: known.last_delivered_at_ms.map(written),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListExports {
    max_results: Option<u32>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ExportReference {
    export_arn: String,
    export_name: String,
    export_status: ExportStatus,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Exports {
    exports: Vec<ExportReference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `ListExports`
pub(super) async fn list(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: ListExports = call.read()?;
    let page = call.page(input.max_results, input.next_token.as_deref(), PAGE)?;
    let payer = &call.caller.payer;
    let rows = call
        .desk
        .exports(payer, KIND)
        .await?
        .into_iter()
        .filter(|row| row.name.as_str() > page.after.as_str());
    let (rows, next_token) = call.cut(&page, rows.map(|row| (row.name.clone(), row)))?;
    let mut exports = Vec::with_capacity(rows.len());
    for row in rows {
        let (export_arn, export_name) = (arn(payer, &row.id), row.name.clone());
        let known = call.desk.known_export(payer, row).await?;
        exports.push(ExportReference { export_arn, export_name, export_status: status(&known) });
    }
    json(&Exports { exports, next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfResource {
    resource_arn: String,
    #[serde(default)]
    resource_tags: Vec<ResourceTag>,
    #[serde(default)]
    resource_tag_keys: Vec<String>,
    max_results: Option<u32>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResourceTags {
    resource_tags: Vec<ResourceTag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
struct Empty {}

/// `ListTagsForResource`
pub(super) async fn list_tags(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfResource = call.read()?;
    let page = call.page(input.max_results, input.next_token.as_deref(), PAGE)?;
    let known = call.desk.export(&call.caller.payer, KIND, id(call, &input.resource_arn)).await?;
    let tags = known.row.tags.into_iter().filter(|(key, _)| key.as_str() > page.after.as_str());
    let (resource_tags, next_token) =
        call.cut(&page, tags.map(|(key, value)| (key.clone(), ResourceTag { key, value })))?;
    json(&ResourceTags { resource_tags, next_token })
}

/// `TagResource`
pub(super) async fn tag(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfResource = call.read()?;
    let of = (KIND, id(call, &input.resource_arn));
    call.desk
        .change_export_tags(&call.write(&input.resource_arn), of, &tags(input.resource_tags), &[])
        .await?;
    json(&Empty {})
}

/// `UntagResource`
pub(super) async fn untag(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfResource = call.read()?;
    let of = (KIND, id(call, &input.resource_arn));
    call.desk.change_export_tags(&call.write(&input.resource_arn), of, &[], &input.resource_tag_keys).await?;
    json(&Empty {})
}

fn tags(tags: Vec<ResourceTag>) -> Vec<(String, String)> {
    tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
}
