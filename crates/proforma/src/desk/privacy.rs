//! The commands of personal data: `proforma privacy`.

use super::command::ask;
use crate::cli::privacy::{PrivacyArguments, PrivacyCommand, RetentionArguments};
use crate::failure::Failure;
use serde_json::{Map, Value, json};

/// `proforma privacy`
pub fn privacy(arguments: &PrivacyArguments) -> Result<(), Failure> {
    match &arguments.command {
        PrivacyCommand::Export(of) => ask(&of.desk, "ExportPersonalData", &json!({ "Names": of.names })),
        PrivacyCommand::Erase(of) => ask(&of.desk, "ErasePersonalData", &json!({ "Names": of.names })),
        PrivacyCommand::Retention(of) => retention(of),
    }
}

fn retention(arguments: &RetentionArguments) -> Result<(), Failure> {
    let RetentionArguments { desk, message_days, audit_days, revision_days } = arguments;
    let said = [("MessageDays", message_days), ("AuditDays", audit_days), ("RevisionDays", revision_days)];
    let said = said.into_iter().filter_map(|(name, days)| Some((name.to_owned(), json!((*days)?))));
    let input: Map<String, Value> = said.collect();
    let operation = if input.is_empty() { "GetRetention" } else { "UpdateRetention" };
    ask(desk, operation, &Value::Object(input))
}
