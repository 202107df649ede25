//! What the desk's commands print: the operation's own answer, or a table of it.

use super::data::FirstKey;
use crate::cli::desk::DeskOutput;
use crate::failure::Failure;
use crate::terminal::print;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value, json};

/// Prints an answer: as it is, or as a table of what it lists.
pub fn answer(answer: &Value, output: DeskOutput) -> Result<(), Failure> {
    match output {
        DeskOutput::Json => print(&format!("{}\n", serde_json::to_string_pretty(answer)?)),
        DeskOutput::Table => print(&table(answer)),
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

/// An instant of RFC 3339 in UTC, in seconds since 1970-01-01T00:00:00Z.
pub fn instant(text: &str) -> Result<i64, Failure> {
    let refused =
        || Failure::input(format!("`{text}` is no instant")).hint("write it as 2026-11-10T12:00:00Z, in UTC");
    let (date, time) = text.strip_suffix('Z').and_then(|text| text.split_once('T')).ok_or_else(refused)?;
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<i64>().ok()).flatten()
    };
    let parts = |text: &str, by: char| text.split(by).map(number).collect::<Option<Vec<i64>>>();
    let (Some(date), Some(time)) = (parts(date, '-'), parts(time, ':')) else { return Err(refused()) };
    let ([year, month, day], [hour, minute, second]) = (date.as_slice(), time.as_slice()) else {
        return Err(refused());
    };
    let month = u16::try_from(*year).ok().zip(u8::try_from(*month).ok());
    let month = month
        .and_then(|(year, month)| billing::period::BillingPeriod::new(year, month))
        .ok_or_else(refused)?;
    let in_day = (0..24).contains(hour) && (0..60).contains(minute) && (0..60).contains(second);
    let at = month.start_seconds() + (day - 1) * 86_400 + hour * 3_600 + minute * 60 + second;
    (in_day && *day >= 1 && at < month.end_seconds()).then_some(at).ok_or_else(refused)
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
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(columns.iter().map(|name| name.as_str()));
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

#[cfg(test)]
mod tests {
    //! Instants.

    use super::instant;

    #[test]
    fn an_instant_is_read_to_the_second() {
        assert_eq!(instant("1970-01-01T00:00:01Z").unwrap(), 1);
        assert_eq!(instant("2026-11-10T12:00:00Z").unwrap(), 1_794_312_000);
        for text in
            ["2026-11-31T00:00:00Z", "2026-11-10 12:00:00Z", "2026-11-10T24:00:00Z", "2026-11-10T12:00Z", ""]
        {
            assert!(instant(text).is_err(), "{text}");
        }
    }
}
