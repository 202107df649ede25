//! The commands of saved reports: `proforma saved-report`.

use super::command::{ask, asked};
use super::files::json_of;
use super::output;
use crate::cli::saved_reports::{
    PutSavedReportArguments, RunSavedReportArguments, SavedReportArguments, SavedReportCommand,
};
use crate::failure::Failure;
use anyhow::Context;
use aws_api::proforma::SERVICE;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::fs;
use std::io::Write as _;

/// `proforma saved-report`
pub fn saved_report(arguments: &SavedReportArguments) -> Result<(), Failure> {
    match &arguments.command {
        SavedReportCommand::Put(of) => put(of),
        SavedReportCommand::List(of) => ask(&of.desk, "ListSavedReports", &json!({})),
        SavedReportCommand::Get(of) => ask(&of.desk, "GetSavedReport", &json!({ "Name": of.name })),
        SavedReportCommand::Run(of) => run(of),
        SavedReportCommand::Delete(of) => ask(&of.desk, "DeleteSavedReport", &json!({ "Name": of.name })),
    }
}

fn put(of: &PutSavedReportArguments) -> Result<(), Failure> {
    let mut input = json!({
        "Name": of.name,
        "TimeRange": of.time_range,
        "Granularity": of.granularity.to_uppercase(),
        "GroupBy": of.group_by.iter().map(|key| group(key)).collect::<Vec<_>>(),
        "Metrics": of.metrics,
        "Columns": of.columns,
        "Chart": of.chart.to_uppercase(),
        "Emails": of.emails,
        "Formats": of.formats.iter().map(|format| format.to_uppercase()).collect::<Vec<_>>(),
    });
    let schedule = of.schedule.as_ref().map(|schedule| schedule.to_uppercase().replace('-', "_"));
    for (member, value) in
        [("Description", &of.description), ("BillingViewArn", &of.billing_view), ("Schedule", &schedule)]
    {
        if let Some(value) = value {
            input[member] = json!(value);
        }
    }
    if let Some(path) = &of.filter {
        input["Filter"] = json_of(path)?;
    }
    asked(&of.desk, "PutSavedReport", &input)?;
    ask(&of.desk, "GetSavedReport", &json!({ "Name": of.name }))
}

/// A key as Cost Explorer names it.
fn group(key: &str) -> Value {
    let of = |kind: &str, key: &str| json!({ "Type": kind, "Key": key });
    match (key.strip_prefix("tag:"), key.strip_prefix("cost-category:")) {
        (Some(tag), _) => of("TAG", tag),
        (None, Some(name)) => of("COST_CATEGORY", name),
        (None, None) => of("DIMENSION", key),
    }
}

/// Writes what the desk has made into a file, and prints what else it says; without a file the report itself is printed.
fn run(of: &RunSavedReportArguments) -> Result<(), Failure> {
    let mut input = json!({ "Name": of.name, "Format": of.format.to_uppercase() });
    if let Some(day) = &of.as_of {
        input["AsOf"] = json!(day);
    }
    let mut answer = asked(&of.desk, "RunSavedReport", &input)?;
    let made = answer.as_object_mut().and_then(|members| members.remove("Document"));
    let text = made.as_ref().and_then(Value::as_str).context("the answer has no document")?;
    let bytes = STANDARD.decode(text).context("the document is not in base64")?;
    match &of.out {
        Some(path) => {
            fs::write(path, bytes).map_err(|error| {
                Failure::input(format!("`{}` cannot be written: {error}", path.display()))
            })?;
            output::answer((SERVICE, "RunSavedReport"), &answer, of.desk.output)
        }
        None => Ok(std::io::stdout().lock().write_all(&bytes)?),
    }
}
