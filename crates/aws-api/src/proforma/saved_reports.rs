//! Saved reports.

use crate::call::{Call, field, json};
use crate::cost_explorer::expression::{expression, group_by, metrics};
use crate::cost_explorer::shapes::{Expression, GroupDefinition};
use back_office::error::{Answer, Error};
use back_office::holder::Holder;
use back_office::kept_filter::KeptFilter;
use back_office::saved_reports::{KeptKey, KeptReport, ReportFormat, ReportRow};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use billing::invoice::Date;
use serde::{Deserialize, Serialize};

/// How many reports a page of the list holds.
const PAGE: usize = 100;
const BARS: &str = "BAR";
const NO_CHART: &str = "NONE";

/// The operations of saved reports.
pub(super) const OPERATIONS: [&str; 5] =
    ["PutSavedReport", "GetSavedReport", "ListSavedReports", "DeleteSavedReport", "RunSavedReport"];

/// Performs one of them.
pub(super) async fn perform(call: &Call<'_>, operation: &str) -> Answer<Vec<u8>> {
    match operation {
        "PutSavedReport" => put(call).await,
        "GetSavedReport" => get(call).await,
        "ListSavedReports" => list(call).await,
        "DeleteSavedReport" => delete(call).await,
        "RunSavedReport" => run(call).await,
        other => Err(Error::internal(format!("{other} is in the model and not served"))),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutIn {
    name: String,
    description: Option<String>,
    billing_view_arn: Option<String>,
    filter: Option<Expression>,
    #[serde(default)]
    group_by: Vec<GroupDefinition>,
    granularity: Option<String>,
    #[serde(default)]
    metrics: Vec<String>,
    #[serde(default)]
    columns: Vec<String>,
    chart: Option<String>,
    time_range: String,
    schedule: Option<String>,
    #[serde(default)]
    emails: Vec<String>,
    #[serde(default)]
    formats: Vec<String>,
}

/// `PutSavedReport`
async fn put(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: PutIn = call.read()?;
    let has_chart = match input.chart.as_deref() {
        Some(BARS) => true,
        None | Some(NO_CHART) => false,
        Some(other) => {
            return Err(field("Chart", &format!("`{other}` is none; a report has {BARS} or {NO_CHART}")));
        }
    };
    // What costs are charged, where nobody says otherwise.
    let named = if input.metrics.is_empty() { vec!["UnblendedCost".to_owned()] } else { input.metrics };
    let mut formats =
        input.formats.iter().map(|name| ReportFormat::named(name)).collect::<Answer<Vec<_>>>()?;
    formats.sort();
    formats.dedup();
    if formats.is_empty() && input.schedule.is_some() {
        formats.push(ReportFormat::Pdf);
    }
    let now = call.caller.now;
    let report = KeptReport {
        name: input.name,
        holder: Holder::of(call.caller),
        description: input.description,
        view: input.billing_view_arn,
        filter: input.filter.as_ref().map(expression).transpose()?.map(|of| KeptFilter::of(&of)),
        group_by: group_by(&input.group_by)?.iter().map(KeptKey::of).collect(),
        granularity: input.granularity.unwrap_or_else(|| "MONTHLY".to_owned()),
        metrics: metrics(&named)?.into_iter().map(|metric| metric.name().to_owned()).collect(),
        columns: input.columns,
        has_chart,
        time_range: input.time_range,
        schedule: input.schedule,
        emails: input.emails,
        formats,
        scheduled_since: (Date::of_seconds(now).days(), 0),
        created_at_s: now,
        updated_at_s: now,
    };
    call.desk.put_saved_report(&call.write(&report.name), &report).await?;
    json(&Empty {})
}

#[derive(Serialize)]
struct Empty {}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfReport {
    name: String,
    format: Option<String>,
    as_of: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Report {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_view_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<KeptFilter>,
    group_by: Vec<KeptKey>,
    granularity: String,
    metrics: Vec<String>,
    columns: Vec<String>,
    chart: &'static str,
    time_range: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule: Option<String>,
    emails: Vec<String>,
    formats: Vec<&'static str>,
    created_time: i64,
    last_updated_time: i64,
}

impl Report {
    fn of(row: ReportRow) -> Self {
        let of = row.report;
        Self {
            name: of.name,
            description: of.description,
            billing_view_arn: of.view,
            filter: of.filter,
            group_by: of.group_by,
            granularity: of.granularity,
            metrics: of.metrics,
            columns: of.columns,
            chart: if of.has_chart { BARS } else { NO_CHART },
            time_range: of.time_range,
            schedule: of.schedule,
            emails: of.emails,
            formats: of.formats.into_iter().map(ReportFormat::name).collect(),
            created_time: of.created_at_s,
            last_updated_time: of.updated_at_s,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Got {
    saved_report: Report,
}

/// `GetSavedReport`
async fn get(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfReport = call.read()?;
    json(&Got { saved_report: Report::of(call.desk.saved_report(call.caller, &input.name).await?) })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListIn {
    max_results: Option<u32>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    saved_reports: Vec<Report>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `ListSavedReports`
async fn list(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: ListIn = call.read()?;
    let page = call.page(input.max_results, input.next_token.as_deref(), PAGE)?;
    let rows = call.desk.saved_reports(call.caller).await?.into_iter();
    let entries = rows.filter(|row| row.report.name.as_str() > page.after.as_str());
    let entries = entries.map(|row| (row.report.name.clone(), Report::of(row)));
    let (saved_reports, next_token) = call.cut(&page, entries)?;
    json(&Listed { saved_reports, next_token })
}

/// `DeleteSavedReport`
async fn delete(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfReport = call.read()?;
    call.desk.delete_saved_report(&call.write(&input.name), &input.name).await?;
    json(&Empty {})
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Made {
    document: String,
    file_name: String,
    media_type: &'static str,
    sha256: String,
}

/// `RunSavedReport`
async fn run(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfReport = call.read()?;
    let format = ReportFormat::named(input.format.as_deref().unwrap_or(ReportFormat::Json.name()))?;
    let as_of = input.as_of.as_deref().map(Date::parse).transpose();
    let as_of = as_of.map_err(|error| field("AsOf", &error.to_string()))?.map(Date::days);
    let made = call.desk.run_saved_report(call.caller, &input.name, format, as_of).await?;
    json(&Made {
        document: STANDARD.encode(&made.bytes),
        file_name: made.name,
        media_type: made.media_type,
        sha256: made.sha256,
    })
}
