//! The commands of personal data: `proforma privacy`.

use super::command::{ask, asked};
use super::output;
use crate::cli::privacy::{PersonArguments, PrivacyArguments, PrivacyCommand, RetentionArguments};
use crate::failure::Failure;
use aws_api::proforma::SERVICE;
use serde_json::{Map, Value, json};

/// `proforma privacy`
pub fn privacy(arguments: &PrivacyArguments) -> Result<(), Failure> {
    match &arguments.command {
        PrivacyCommand::Export(of) => ask(&of.desk, "ExportPersonalData", &json!({ "Names": of.names })),
        PrivacyCommand::Erase(of) => erase(of),
        PrivacyCommand::Retention(of) => retention(of),
    }
}

/// Somebody of whom nothing is known was most likely called by another name: that is no success.
fn erase(arguments: &PersonArguments) -> Result<(), Failure> {
    let PersonArguments { desk, names } = arguments;
    let answer = asked(desk, "ErasePersonalData", &json!({ "Names": names }))?;
    output::answer((SERVICE, "ErasePersonalData"), &answer, desk.output)?;
    let found = ["Texts", "AuditEvents", "Principals"].into_iter().filter_map(|of| answer.get(of)?.as_u64());
    if found.sum::<u64>() > 0 {
        return Ok(());
    }
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    Err(Failure::input(format!("nothing here says {}: nothing was taken out", names.join(" or ")))
        .hint("`proforma privacy export` shows what is kept under which names; a name is looked for as a whole word"))
}

fn retention(arguments: &RetentionArguments) -> Result<(), Failure> {
    let RetentionArguments { desk, message_days, audit_days, revision_days } = arguments;
    let said = [("MessageDays", message_days), ("AuditDays", audit_days), ("RevisionDays", revision_days)];
    let said = said.into_iter().filter_map(|(name, days)| Some((name.to_owned(), json!((*days)?))));
    let input: Map<String, Value> = said.collect();
    let operation = if input.is_empty() { "GetRetention" } else { "UpdateRetention" };
    ask(desk, operation, &Value::Object(input))
}
