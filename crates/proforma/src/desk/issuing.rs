//! The commands about the operator's own invoices.

use super::command::{ask, asked, at_desk};
use super::door::Door;
use super::files::text_of;
use super::output;
use crate::cli::desk::{DeskArguments, DeskOutput};
use crate::cli::issuing::{
    CreditArguments, DraftArguments, GetInvoiceArguments, InvoiceDocumentArguments, InvoiceSettingsArguments,
    IssuingCommand, ListInvoicesArguments, PayArguments, PreviewInvoiceArguments,
};
use crate::failure::Failure;
use crate::terminal::print;
use anyhow::Context as _;
use aws_api::proforma::SERVICE;
use back_office::clock::Clock;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use billing::invoice::Date;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;

/// How much of a hash tells one payment from another.
const TOKEN_BYTES: usize = 16;

/// `proforma invoice`, of the operator's own.
pub fn own_invoices(command: &IssuingCommand) -> Result<(), Failure> {
    match command {
        IssuingCommand::Settings(of) => settings(of),
        IssuingCommand::Rates(of) => {
            let mut input = json!({ "Rates": text_of(&of.file)? });
            if of.correct {
                input["Correct"] = json!(true);
            }
            ask(&of.desk, "ImportExchangeRates", &input)
        }
        IssuingCommand::Draft(of) => draft(of),
        IssuingCommand::Drafts(of) => ask(&of.desk, "ListInvoiceDrafts", &json!({})),
        IssuingCommand::Discard(of) => ask(&of.desk, "DiscardInvoiceDraft", &json!({ "DraftId": of.draft })),
        IssuingCommand::Preview(of) => preview(of),
        IssuingCommand::Issue(of) => {
            let input = input([("DraftId", Some(&of.draft)), ("IssueDate", of.date.as_ref())]);
            ask(&of.desk, "IssueInvoice", &Value::Object(input))
        }
        IssuingCommand::Credit(of) => credit(of),
        IssuingCommand::Pay(of) => pay(of),
        IssuingCommand::List(of) => list(of),
        IssuingCommand::Get(of) => get(of),
        IssuingCommand::Document(of) => document(of),
    }
}

/// The members that have a text.
fn input<const N: usize>(members: [(&str, Option<&String>); N]) -> Map<String, Value> {
    let member = |(name, text): (&str, Option<&String>)| Some((name.to_owned(), json!(text?)));
    members.into_iter().filter_map(member).collect()
}

fn settings(of: &InvoiceSettingsArguments) -> Result<(), Failure> {
    if let Some(file) = &of.file {
        let text = text_of(file)?;
        let input = input([
            ("Settings", Some(&text)),
            ("BillingGroup", of.group.as_ref()),
            ("FromBillingPeriod", of.from.as_ref()),
        ]);
        return ask(&of.desk, "PutInvoiceSettings", &Value::Object(input));
    }
    let input = input([("BillingGroup", of.group.as_ref()), ("BillingPeriod", of.month.as_ref())]);
    let answer = asked(&of.desk, "GetInvoiceSettings", &Value::Object(input))?;
    match of.desk.output {
        // Settings are their own best table.
        DeskOutput::Table => {
            let text = answer.get("Settings").and_then(Value::as_str).unwrap_or("{}");
            let settings: Value = serde_json::from_str(text)?;
            Ok(print(&format!("{}\n", serde_json::to_string_pretty(&settings)?))?)
        }
        other => output::answer((SERVICE, "GetInvoiceSettings"), &answer, other),
    }
}

fn draft(of: &DraftArguments) -> Result<(), Failure> {
    let mut input = input([
        ("BillingGroup", Some(&of.group)),
        ("BillingPeriod", Some(&of.period)),
        ("PurchaseOrderNumber", of.purchase_order.as_ref()),
        ("PurchaseOrderLine", of.purchase_order_line.as_ref()),
        ("PrepaidAmount", of.prepaid.as_ref()),
        ("Currency", of.currency.as_ref()),
    ]);
    if !of.note.is_empty() {
        input.insert("Notes".to_owned(), json!(of.note));
    }
    let mut adjustments = Vec::new();
    for (kind, texts) in [("allowance", &of.allowance), ("charge", &of.charge)] {
        for text in texts {
            let (amount, reason) = text.split_once('=').ok_or_else(|| {
                Failure::input(format!("--{kind}: `{text}` has no reason"))
                    .hint("write it as 10.00=agreed discount")
            })?;
            adjustments.push(json!({ "Kind": kind, "Amount": amount, "Reason": reason }));
        }
    }
    if !adjustments.is_empty() {
        input.insert("Adjustments".to_owned(), json!(adjustments));
    }
    ask(&of.desk, "DraftInvoice", &Value::Object(input))
}

fn preview(of: &PreviewInvoiceArguments) -> Result<(), Failure> {
    let input = input([("DraftId", Some(&of.draft)), ("IssueDate", of.date.as_ref())]);
    let answer = asked(&of.desk, "PreviewInvoice", &Value::Object(input))?;
    with_document("PreviewInvoice", &answer, of.document.as_deref(), &of.desk)
}

/// Records a payment. Its token is made of what it says and of today, so that the command that is given again, because its answer was lost, records
/// nothing twice; a second payment of the same amount on one day tells itself apart by its reference.
fn pay(of: &PayArguments) -> Result<(), Failure> {
    let mut input = input([
        ("InvoiceNumber", Some(&of.number)),
        ("Amount", Some(&of.amount)),
        ("Date", of.date.as_ref()),
        ("Reference", of.reference.as_ref()),
    ]);
    let said = format!("{}\n{}", Date::of_seconds(Clock::Machine.now()), Value::Object(input.clone()));
    let token: String =
        Sha256::digest(said).iter().take(TOKEN_BYTES).map(|byte| format!("{byte:02x}")).collect();
    input.insert("ClientToken".to_owned(), json!(format!("pay-{token}")));
    ask(&of.desk, "RecordPayment", &Value::Object(input))
}

fn credit(of: &CreditArguments) -> Result<(), Failure> {
    let mut input = input([
        ("InvoiceNumber", Some(&of.number)),
        ("Reason", of.reason.as_ref()),
        ("IssueDate", of.date.as_ref()),
    ]);
    if !of.line.is_empty() {
        let line = |text: &String| match text.split_once('=') {
            Some((line, amount)) => json!({ "Line": line, "Amount": amount }),
            None => json!({ "Line": text }),
        };
        input.insert("Lines".to_owned(), of.line.iter().map(line).collect());
    }
    ask(&of.desk, "CreditInvoice", &Value::Object(input))
}

/// All pages of the list.
fn list(of: &ListInvoicesArguments) -> Result<(), Failure> {
    let asked = input([
        ("BillingGroup", of.group.as_ref()),
        ("BillingPeriod", of.period.as_ref()),
        ("Status", of.status.as_ref()),
    ]);
    let answer = at_desk(async {
        let door = Door::open(&of.desk).await?;
        let all = pages(&door, asked).await;
        door.close().await?;
        all
    })?;
    output::answer((SERVICE, "ListInvoices"), &answer, of.desk.output)
}

async fn pages(door: &Door, mut input: Map<String, Value>) -> Result<Value, Failure> {
    let mut all = Vec::new();
    loop {
        let mut answer = door.ask("ListInvoices", &Value::Object(input.clone())).await?;
        if let Some(Value::Array(invoices)) = answer.get_mut("Invoices").map(Value::take) {
            all.extend(invoices);
        }
        match answer.get("NextToken") {
            Some(token) => input.insert("NextToken".to_owned(), token.clone()),
            None => return Ok(json!({ "Invoices": all })),
        };
    }
}

fn get(of: &GetInvoiceArguments) -> Result<(), Failure> {
    let answer = asked(&of.desk, "GetInvoice", &json!({ "InvoiceNumber": of.number }))?;
    with_document("GetInvoice", &answer, of.document.as_deref(), &of.desk)
}

/// Writes what the desk has made; the rest of the answer is printed.
fn document(of: &InvoiceDocumentArguments) -> Result<(), Failure> {
    let asked_for = json!({ "InvoiceNumber": of.number, "Format": of.format.name() });
    let mut answer = asked(&of.desk, "GetInvoiceDocument", &asked_for)?;
    let made = answer.as_object_mut().and_then(|members| members.remove("Document"));
    let text = made.as_ref().and_then(Value::as_str).context("the answer has no document")?;
    let bytes = STANDARD.decode(text).context("the document is not in base64")?;
    fs::write(&of.out, bytes)
        .map_err(|error| Failure::input(format!("`{}` cannot be written: {error}", of.out.display())))?;
    output::answer((SERVICE, "GetInvoiceDocument"), &answer, of.desk.output)
}

/// Writes the document to a file, where one is named; what else there is is printed, and the document with it as JSON only.
fn with_document(
    operation: &str,
    answer: &Value,
    to: Option<&Path>,
    desk: &DeskArguments,
) -> Result<(), Failure> {
    if let Some(path) = to {
        let text = answer.get("Document").and_then(Value::as_str).unwrap_or_default();
        fs::write(path, text)
            .map_err(|error| Failure::input(format!("`{}` cannot be written: {error}", path.display())))?;
    }
    let table = |mut answer: Value| {
        if let Some(members) = answer.as_object_mut() {
            members.remove("Document");
            if let Some(Value::Object(invoice)) = members.remove("Invoice") {
                members.extend(invoice);
            }
        }
        output::table(&answer)
    };
    output::answer_with((SERVICE, operation), answer, desk.output, table)
}
