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
        DeskOutput::Csv => Ok(print(&csv(answer)?)?),
    }
}

/// The one list that an answer has as comma-separated values, or its members as one row.
fn csv(answer: &Value) -> Result<String, Failure> {
    let of = answer.as_object();
    let listed = of.and_then(|members| members.values().find(|value| is_rows(value)).cloned());
    let rows = listed.unwrap_or_else(|| Value::Array(vec![answer.clone()]));
    let rows = rows.as_array().map_or(&[][..], Vec::as_slice);
    let columns = columns(rows);
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns.iter().map(|name| name.as_str())).map_err(anyhow::Error::from)?;
    for row in rows.iter().filter_map(Value::as_object) {
        let cell = |name: &&String| row.get(name.as_str()).map_or_else(String::new, cell);
        writer.write_record(columns.iter().map(cell)).map_err(anyhow::Error::from)?;
    }
    let bytes = writer.into_inner().map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A value as a cell that no spreadsheet takes for a formula.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Object(_) => value.to_string(),
        Value::Array(values) if values.iter().any(Value::is_object) => value.to_string(),
        other => shown(other),
    };
    let is_number = text.strip_prefix('-').is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    });
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number {
        true => format!("'{text}"),
        false => text,
    }
}

/// A text without anything that could steer a terminal.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
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
    let columns = columns(rows);
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

/// The members that any of some rows has, in the order in which they come.
fn columns(rows: &[Value]) -> Vec<&String> {
    let mut columns: Vec<&String> = Vec::new();
    for row in rows.iter().filter_map(Value::as_object) {
        for name in row.keys() {
            if !columns.contains(&name) {
                columns.push(name);
            }
        }
    }
    columns
}

/// A value for people. Nothing that could steer a terminal gets through.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    plain(&text)
}
