//! `proforma invoice`, as far as it is about AWS's own invoices.

use super::command::{ask, asked};
use super::output;
use crate::cli::invoicing::{
    AttachArguments, ImportSummariesArguments, InvoicingCommand, ProfileCommand, ProfileFileArguments,
};
use crate::failure::Failure;
use aws_api::proforma::SERVICE;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// `proforma invoice`
pub fn invoicing(command: &InvoicingCommand) -> Result<(), Failure> {
    match command {
        InvoicingCommand::Profile(of) => match &of.command {
            ProfileCommand::Put(of) => put_profiles(of),
            ProfileCommand::List(of) => {
                let answer = asked(&of.desk, "ListInvoiceProfiles", &json!({}))?;
                let table = |answer| output::table(&with_flat_addresses(answer));
                output::answer_with((SERVICE, "ListInvoiceProfiles"), &answer, of.desk.output, table)
            }
        },
        InvoicingCommand::Import(of) => import(of),
        InvoicingCommand::Attach(of) => attach(of),
        InvoicingCommand::Reconcile(of) => {
            let mut input = json!({ "BillingPeriod": of.period });
            if let Some(tolerance) = &of.tolerance {
                input["Tolerance"] = json!(tolerance);
            }
            ask(&of.desk, "ReconcileInvoices", &input)
        }
        InvoicingCommand::PortalCode(of) => {
            ask(&of.desk, "GetProcurementPortalCode", &json!({ "ProcurementPortalPreferenceArn": of.arn }))
        }
    }
}

/// Addresses in one line each, as a table has them.
fn with_flat_addresses(mut answer: Value) -> Value {
    let profiles = answer.get_mut("Profiles").and_then(Value::as_array_mut);
    for address in profiles.into_iter().flatten().filter_map(|profile| profile.get_mut("ReceiverAddress")) {
        let lines = address.as_object().into_iter().flat_map(|members| members.values());
        *address = json!(lines.filter_map(Value::as_str).collect::<Vec<_>>().join(", "));
    }
    answer
}

/// Each profile is a request of its own: those before one that is refused are kept.
fn put_profiles(arguments: &ProfileFileArguments) -> Result<(), Failure> {
    let file = &arguments.file;
    let value: Value = serde_json::from_str(&text(file)?)
        .map_err(|error| Failure::input(format!("`{}` is no JSON: {error}", file.display())))?;
    let profiles = match value.get("Profiles").unwrap_or(&value) {
        Value::Array(profiles) => profiles.clone(),
        one => vec![one.clone()],
    };
    for profile in &profiles {
        asked(&arguments.desk, "PutInvoiceProfile", profile)?;
    }
    output::facts(&[("Profiles", json!(profiles.len()))], arguments.desk.output)
}

fn import(arguments: &ImportSummariesArguments) -> Result<(), Failure> {
    const OPERATION: &str = "ImportInvoiceSummaries";
    let mut answers = Vec::new();
    for file in &arguments.files {
        let shown = file.display().to_string();
        let answer = asked(&arguments.desk, OPERATION, &json!({ "Summaries": text(file)? }));
        let answer = answer.map_err(|failure| failure.about(&shown))?;
        answers.push((shown, answer));
    }
    output::by_file((SERVICE, OPERATION), &answers, arguments.desk.output)
}

fn attach(arguments: &AttachArguments) -> Result<(), Failure> {
    let AttachArguments { desk, invoice_id, file, kind, id } = arguments;
    let bytes = fs::read(file).map_err(|error| unreadable(file, &error))?;
    let mut input = json!({ "InvoiceId": invoice_id, "Document": STANDARD.encode(bytes) });
    if let (Some(kind), Some(id)) = (kind, id) {
        input["DocumentType"] = json!(kind);
        input["DocumentId"] = json!(id);
    }
    ask(desk, "AttachInvoiceDocument", &input)
}

fn text(file: &Path) -> Result<String, Failure> {
    let bytes = fs::read(file).map_err(|error| unreadable(file, &error))?;
    // A mark of the byte order, as spreadsheets write one, is none of the text.
    let text =
        String::from_utf8(bytes).map_err(|_| Failure::input(format!("`{}` is not UTF-8", file.display())))?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::input(format!("`{}` cannot be read: {error}", file.display()))
}
