//! What the desk's commands print: the operation's own answer, or for people a table of it, or comma-separated values.

mod columns;

use super::data::FirstKey;
use crate::cli::desk::DeskOutput;
use crate::failure::Failure;
use crate::report_files::as_csv;
use crate::terminal::{empty_table, print};
use billing::instant::instant_text;
use columns::Columns;
use comfy_table::ContentArrangement;
use serde_json::{Map, Value, json};

/// What stands between the texts of a list in one cell.
const BETWEEN_TEXTS: &str = "; ";

/// An operation, by its service and its name: what its answers look like is in the service's model.
pub type Operation<'a> = (&'a str, &'a str);

/// Prints the answer of an operation: as it is, or as a table of what it lists.
pub fn answer(of: Operation<'_>, answer: &Value, output: DeskOutput) -> Result<(), Failure> {
    answer_with(of, answer, output, |answer| table(&answer))
}

/// The same with a table of its own, made of the answer with its instants in words.
pub fn answer_with(
    of: Operation<'_>,
    answer: &Value,
    output: DeskOutput,
    table: impl FnOnce(Value) -> String,
) -> Result<(), Failure> {
    let columns = || Columns::of(of).ok_or_else(|| anyhow::anyhow!("{}:{} has no model", of.0, of.1));
    let text = match output {
        DeskOutput::Json => format!("{}\n", serde_json::to_string_pretty(answer)?),
        DeskOutput::Table => table(columns()?.in_words(answer)),
        DeskOutput::Csv => {
            let columns = columns()?;
            csv(columns.header(), columns.rows(&columns.in_words(answer)))?
        }
    };
    Ok(print(&text)?)
}

/// Prints what a command has found out by itself: members in their order, each of which has one value.
pub fn facts(facts: &[(&str, Value)], output: DeskOutput) -> Result<(), Failure> {
    let members: Map<String, Value> =
        facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let text = match output {
        DeskOutput::Json => format!("{}\n", serde_json::to_string_pretty(&members)?),
        DeskOutput::Table => {
            facts.iter().map(|(name, value)| format!("{name}: {}\n", shown(value))).collect()
        }
        DeskOutput::Csv => {
            let header = facts.iter().map(|(name, _)| (*name).to_owned()).collect();
            csv(header, vec![facts.iter().map(|(_, value)| Some(value.clone())).collect()])?
        }
    };
    Ok(print(&text)?)
}

/// Prints the answers to several requests of one operation, each with the file that it is about.
pub fn by_file(of: Operation<'_>, answers: &[(String, Value)], output: DeskOutput) -> Result<(), Failure> {
    let with_file = |(file, answer): &(String, Value)| {
        let mut row = Map::from_iter([("File".to_owned(), json!(file))]);
        row.extend(
            answer.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())),
        );
        Value::Object(row)
    };
    let files = json!({ "Files": answers.iter().map(with_file).collect::<Vec<_>>() });
    let text = match output {
        DeskOutput::Json => format!("{}\n", serde_json::to_string_pretty(&files)?),
        DeskOutput::Table => table(&files),
        DeskOutput::Csv => {
            let columns = Columns::of(of).ok_or_else(|| anyhow::anyhow!("{}:{} has no model", of.0, of.1))?;
            let header = std::iter::once("File".to_owned()).chain(columns.header()).collect();
            let rows = answers.iter().flat_map(|(file, answer)| {
                let with_file = |row: Vec<_>| std::iter::once(Some(json!(file))).chain(row).collect();
                columns.rows(answer).into_iter().map(with_file).collect::<Vec<Vec<_>>>()
            });
            csv(header, rows.collect())?
        }
    };
    Ok(print(&text)?)
}

/// Rows of cells as comma-separated values; nothing where nothing can be said at all.
fn csv(header: Vec<String>, rows: Vec<Vec<Option<Value>>>) -> Result<String, Failure> {
    if header.is_empty() {
        return Ok(String::new());
    }
    let cells = rows
        .iter()
        .map(|row| row.iter().map(|value| value.as_ref().map_or_else(String::new, cell)).collect());
    let all: Vec<Vec<String>> = std::iter::once(header).chain(cells).collect();
    Ok(as_csv(all.iter().map(|row| row.iter().map(String::as_str)))?)
}

/// A value as a cell. What has a shape of its own is JSON.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) if values.iter().all(Value::is_string) => {
            values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(BETWEEN_TEXTS)
        }
        other => other.to_string(),
    }
}

/// A text without anything that could steer a terminal.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// The key of a new payer, which is shown once.
pub fn first_key(first: &FirstKey, output: DeskOutput) -> Result<(), Failure> {
    if output == DeskOutput::Table {
        say!("payer {}: this key and password are shown once, now", first.payer);
    }
    let shown = [
        ("Payer", json!(first.payer.as_str())),
        ("AccessKeyId", json!(first.key.access_key_id)),
        ("SecretAccessKey", json!(first.key.secret.as_str())),
        ("ConsolePassword", json!(first.console_password)),
    ];
    facts(&shown, output)
}

/// A table of the one list that an answer has, or of its members.
pub fn table(answer: &Value) -> String {
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
    let columns = names(rows);
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
fn names(rows: &[Value]) -> Vec<&String> {
    let mut names: Vec<&String> = Vec::new();
    for row in rows.iter().filter_map(Value::as_object) {
        for name in row.keys() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// A value for people. Nothing that could steer a terminal gets through.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            let between = if values.iter().any(Value::is_object) { BETWEEN_TEXTS } else { ", " };
            values.iter().map(shown).collect::<Vec<_>>().join(between)
        }
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| format!("{name}: {}", shown(value));
            members.iter().map(member).collect::<Vec<_>>().join(", ")
        }
        Value::Null => String::new(),
        other => other.to_string(),
    };
    plain(&text)
}
