//! What the desk's commands print: the operation's own answer, or a table of it.

use super::data::FirstKey;
use crate::cli::desk::DeskOutput;
use crate::failure::Failure;
use crate::terminal::{empty_table, print};
use comfy_table::ContentArrangement;
use serde_json::{Value, json};

/// Prints an answer: as it is, or as a table of what it lists.
pub fn answer(answer: &Value, output: DeskOutput) -> Result<(), Failure> {
    match output {
        DeskOutput::Json => Ok(print(&format!("{}\n", serde_json::to_string_pretty(answer)?))?),
        DeskOutput::Table => Ok(print(&table(answer))?),
    }
}

/// The key of a new payer, which is shown once.
pub fn first_key(first: &FirstKey, output: DeskOutput) -> Result<(), Failure> {
    let shown = json!({
        "Payer": first.payer.as_str(),
        "AccessKeyId": first.key.access_key_id,
        "SecretAccessKey": first.key.secret.as_str(),
        "ConsolePassword": first.console_password,
    });
    if output == DeskOutput::Table {
        say!("payer {}: this key and password are shown once, now", first.payer);
    }
    answer(&shown, output)
}

/// A table of the one list that an answer has, or of its members.
fn table(answer: &Value) -> String {
    let Some(members) = answer.as_object() else { return format!("{answer}\n") };
    let mut text = String::new();
    let single: Vec<(&String, &Value)> = members.iter().filter(|(_, value)| !is_rows(value)).collect();
    for (name, value) in &single {
        text.push_str(&format!("{name}: {}\n", shown(value)));
    }
    for (name, value) in members.iter().filter(|(_, value)| is_rows(value)) {
        if members.len() > 1 {
            text.push_str(&format!("{name}:\n"));
        }
        text.push_str(&rows(value));
    }
    text
}

fn is_rows(value: &Value) -> bool {
    value.as_array().is_some_and(|rows| rows.iter().all(Value::is_object))
}

fn rows(value: &Value) -> String {
    let rows = value.as_array().map_or(&[][..], Vec::as_slice);
    let mut columns: Vec<&String> = Vec::new();
    for row in rows.iter().filter_map(Value::as_object) {
        for name in row.keys() {
            if !columns.contains(&name) {
                columns.push(name);
            }
        }
    }
    if columns.is_empty() {
        return "none\n".to_owned();
    }
    let header: Vec<&str> = columns.iter().map(|name| name.as_str()).collect();
    let mut table = empty_table(&header, 0..0);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    for row in rows {
        table.add_row(columns.iter().map(|name| row.get(name.as_str()).map_or_else(String::new, shown)));
    }
    format!("{table}\n")
}

/// A value for people. Nothing that could steer a terminal gets through.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}
