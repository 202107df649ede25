//! `cur`: AWS's operations of cost and usage reports, one function each.
//!
//! Source: the service model of AWS Cost and Usage Report Service, version 2017-01-06; docs/data-exports.md. A report is an export of all columns of a legacy report, by its name.

use crate::call::{Call, field, json};
use back_office::audit::digest;
use back_office::error::{Answer, Error};
use back_office::exports::{DataExportRow, ExportKind, NewDefinition, NewLines, Where};
use billing::instant::instant_text;
use export_query::Granularity;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json as value};

/// The name of the service in signatures.
pub const SERVICE: &str = "cur";

const KIND: ExportKind = ExportKind::Report;
/// How many definitions a page holds, as AWS has it.
const PAGE: usize = 5;

/// Performs an operation.
pub(crate) async fn perform(call: &Call<'_>, operation: &str) -> Answer<Vec<u8>> {
    match operation {
        "PutReportDefinition" => put(call).await,
        "DescribeReportDefinitions" => describe(call).await,
        "ModifyReportDefinition" => modify(call).await,
        "DeleteReportDefinition" => delete(call).await,
        "ListTagsForResource" => list_tags(call).await,
        "TagResource" => tag(call).await,
        "UntagResource" => untag(call).await,
        other => Err(Error::internal(format!("{other} is in the model and not served"))),
    }
}

/// A report definition, as requests and answers have it.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ReportDefinition {
    report_name: String,
    time_unit: String,
    format: String,
    compression: String,
    additional_schema_elements: Vec<String>,
    #[serde(rename = "S3Bucket")]
    s3_bucket: String,
    #[serde(rename = "S3Prefix")]
    s3_prefix: String,
    #[serde(rename = "S3Region")]
    s3_region: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    additional_artifacts: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_closed_reports: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report_versioning: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_view_arn: Option<String>,
}

impl ReportDefinition {
    /// What is asked for.
    fn definition(self, call: &Call<'_>) -> Answer<NewDefinition> {
        let is_parquet = match (self.format.as_str(), self.compression.as_str()) {
            ("Parquet", "Parquet") => true,
            ("textORcsv", "GZIP") => false,
            (format, compression) => {
                let message = format!(
                    "{format} with {compression} is not written; give Parquet with Parquet, or textORcsv with GZIP"
                );
                return Err(field("Compression", &message));
            }
        };
        let granularity = Granularity::parse(&self.time_unit).ok_or_else(|| {
            let known = Granularity::ALL.map(Granularity::name).join(", ");
            field("TimeUnit", &format!("`{}` is not one; give {known}", self.time_unit))
        })?;
        if self.additional_schema_elements.iter().any(|of| of == "SPLIT_COST_ALLOCATION_DATA") {
            return Err(field(
                "AdditionalSchemaElements",
                "pro forma data have no SPLIT_COST_ALLOCATION_DATA; leave it out",
            ));
        }
        if let Some(artifact) = self.additional_artifacts.first() {
            let message = format!("files for {artifact} are not written; leave AdditionalArtifacts out");
            return Err(field("AdditionalArtifacts", &message));
        }
        let view = self.billing_view_arn.as_ref().ok_or_else(|| {
            field("BillingViewArn", "it is missing; what is exported here are the pro forma lines of a billing group: give the ARN of its view (ListBillingViews of the service billing)")
        })?;
        let view = match view.starts_with("arn:") {
            true => view.clone(),
            false => format!("arn:aws:billing::{}:billingview/{view}", call.caller.payer),
        };
        let to = Where {
            bucket: self.s3_bucket.clone(),
            prefix: self.s3_prefix.clone(),
            is_parquet,
            is_overwritten: self.report_versioning.as_deref() == Some("OVERWRITE_REPORT"),
        };
        let with_resources = self.additional_schema_elements.iter().any(|of| of == "RESOURCES");
        let lines = match granularity {
            Granularity::Hourly => NewLines::LegacyReport(with_resources),
            Granularity::Daily | Granularity::Monthly => NewLines::SummedReport(with_resources, granularity),
        };
        let shown = serde_json::to_value(&self).map_err(Error::internal)?;
        NewDefinition::new(self.report_name, view, lines, to, shown)
    }
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutReportDefinition {
    report_definition: ReportDefinition,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
struct Empty {}

/// `PutReportDefinition`
async fn put(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: PutReportDefinition = call.read()?;
    let new = input.report_definition.definition(call)?;
    call.desk.create_export(&call.write(&new.name), KIND, &new, &tags(input.tags)).await?;
    json(&Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ModifyReportDefinition {
    report_name: String,
    report_definition: ReportDefinition,
}

/// `ModifyReportDefinition`
async fn modify(call: &Call<'_>) -> Answer<Vec<u8>> {
    let ModifyReportDefinition { report_name, report_definition } = call.read()?;
    let new = report_definition.definition(call)?;
    call.desk.update_export(&call.write(&report_name), KIND, &report_name, &new).await?;
    json(&Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfReport {
    report_name: String,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    tag_keys: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Deleted {
    response_message: &'static str,
}

/// `DeleteReportDefinition`
async fn delete(call: &Call<'_>) -> Answer<Vec<u8>> {
    let OfReport { report_name, .. } = call.read()?;
    call.desk.delete_export(&call.write(&report_name), KIND, &report_name).await?;
    json(&Deleted { response_message: "the report definition is deleted; what it has delivered stays" })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeReportDefinitions {
    max_results: Option<u32>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ReportDefinitions {
    report_definitions: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `DescribeReportDefinitions`, in the order in which they were made.
async fn describe(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: DescribeReportDefinitions = call.read()?;
    let page = call.page(input.max_results, input.next_token.as_deref(), PAGE)?;
    let payer = &call.caller.payer;
    // A page token of this service is short, and a name need not be.
    let position = |row: &DataExportRow| format!("{:020}:{}", row.created_at_s, digest(&row.name));
    let rows = call.desk.exports(payer, KIND).await?;
    let mut rows: Vec<_> = rows.into_iter().map(|row| (position(&row), row)).collect();
    rows.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    let (rows, next_token) =
        call.cut(&page, rows.into_iter().filter(|(position, _)| *position > page.after))?;
    let mut report_definitions = Vec::with_capacity(rows.len());
    for row in rows {
        report_definitions.push(shown(call, row).await?);
    }
    json(&ReportDefinitions { report_definitions, next_token })
}

/// What was asked for, and how its deliveries went.
async fn shown(call: &Call<'_>, row: DataExportRow) -> Answer<Value> {
    let mut definition = NewDefinition::shown(&row.body)?;
    let known = call.desk.known_export(&call.caller.payer, row).await?;
    let mut status = serde_json::Map::new();
    if let Some(at_ms) = known.last_delivered_at_ms {
        let at = instant_text(at_ms.div_euclid(1_000)).replace(['-', ':'], "");
        status.insert("lastDelivery".to_owned(), value!(at));
    }
    // AWS has words for what is wrong with permissions, and for nothing else.
    let said = match known.failed.as_ref().map(|failed| failed.reason.as_deref()) {
        None => known.last_delivered_at_ms.map(|_| "SUCCESS"),
        Some(Some("INSUFFICIENT_PERMISSION")) => Some("ERROR_PERMISSIONS"),
        Some(_) => None,
    };
    status.extend(said.map(|said| ("lastStatus".to_owned(), value!(said))));
    if let Some(members) = definition.as_object_mut().filter(|_| !status.is_empty()) {
        members.insert("ReportStatus".to_owned(), status.into());
    }
    Ok(definition)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tags {
    tags: Vec<Tag>,
}

/// `ListTagsForResource`
async fn list_tags(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfReport = call.read()?;
    let known = call.desk.export(&call.caller.payer, KIND, &input.report_name).await?;
    json(&Tags { tags: known.row.tags.into_iter().map(|(key, value)| Tag { key, value }).collect() })
}

/// `TagResource`
async fn tag(call: &Call<'_>) -> Answer<Vec<u8>> {
    let OfReport { report_name, tags: given, .. } = call.read()?;
    call.desk.change_export_tags(&call.write(&report_name), (KIND, &report_name), &tags(given), &[]).await?;
    json(&Empty {})
}

/// `UntagResource`
async fn untag(call: &Call<'_>) -> Answer<Vec<u8>> {
    let OfReport { report_name, tag_keys, .. } = call.read()?;
    call.desk.change_export_tags(&call.write(&report_name), (KIND, &report_name), &[], &tag_keys).await?;
    json(&Empty {})
}

fn tags(tags: Vec<Tag>) -> Vec<(String, String)> {
    tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
}
