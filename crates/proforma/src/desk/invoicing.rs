//! `proforma invoice`, as far as it is about AWS's own invoices.

use super::command::{ask, asked};
use super::files::{bytes_of, json_of, text_of};
use super::output;
use crate::cli::invoicing::{
    AttachArguments, ImportSummariesArguments, InvoicingCommand, ProfileCommand, ProfileFileArguments,
};
use crate::failure::Failure;
use aws_api::proforma::SERVICE;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

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
    let value = json_of(&arguments.file)?;
    let profiles = match value.get("Profiles").unwrap_or(&value) {
        Value::Array(profiles) => profiles.clone(),
        one => vec![one.clone()],
    };
    let print = |count: usize| output::facts(&[("Profiles", json!(count))], arguments.desk.output);
    for (number, profile) in profiles.iter().enumerate() {
        let Err(failure) = asked(&arguments.desk, "PutInvoiceProfile", profile) else { continue };
        let account = profile.get("AccountId").and_then(Value::as_str).unwrap_or_default();
        let failure = failure.about(&format!("profile {} (`{account}`)", number + 1));
        if number == 0 {
            return Err(failure);
        }
        print(number)?;
        return Err(failure.after("the profiles before it were taken, those from it on were not".to_owned()));
    }
    print(profiles.len())
}

/// Each file is a request of its own: those before one that is refused are kept. All of them are read before any is sent.
fn import(arguments: &ImportSummariesArguments) -> Result<(), Failure> {
    const OPERATION: &str = "ImportInvoiceSummaries";
    let mut texts = Vec::new();
    for file in &arguments.files {
        texts.push((file.display().to_string(), text_of(file)?));
    }
    let print = |answers: &[_]| output::by_file((SERVICE, OPERATION), answers, arguments.desk.output);
    let mut answers = Vec::new();
    for (file, text) in texts {
        match asked(&arguments.desk, OPERATION, &json!({ "Summaries": text })) {
            Ok(answer) => answers.push((file, answer)),
            Err(failure) if answers.is_empty() => return Err(failure.about(&format!("`{file}`"))),
            Err(failure) => {
                print(&answers)?;
                let failure = failure.about(&format!("`{file}`"));
                return Err(
                    failure.after(format!("the files before `{file}` were taken, those from it on were not"))
                );
            }
        }
    }
    print(&answers)
}

fn attach(arguments: &AttachArguments) -> Result<(), Failure> {
    let AttachArguments { desk, invoice_id, file, kind, id } = arguments;
    let bytes = bytes_of(file)?;
    let mut input = json!({ "InvoiceId": invoice_id, "Document": STANDARD.encode(bytes) });
    if let (Some(kind), Some(id)) = (kind, id) {
        input["DocumentType"] = json!(kind);
        input["DocumentId"] = json!(id);
    }
    ask(desk, "AttachInvoiceDocument", &input)
}
