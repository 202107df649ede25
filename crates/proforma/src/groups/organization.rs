//! The accounts of an organization with their units, from CSV or JSON, or every mistake with file, line, value and way out.

use crate::failure::Failure;
use billing::account::AccountId;
use book_file::node::{self, Node, Value};
use book_file::{line_of, position};
use cost_data::diagnostics::excerpt;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The columns, or fields of an object; all but the last are needed.
const COLUMNS: [&str; 4] = ["account_id", "account_name", "organizational_unit", "status"];
/// The statuses and states of accounts in AWS Organizations.
const STATUSES: [&str; 5] = ["ACTIVE", "SUSPENDED", "PENDING_CLOSURE", "PENDING_ACTIVATION", "CLOSED"];

/// An account of the organization.
#[derive(Debug, Clone)]
pub struct Account {
    pub id: AccountId,
    /// Empty where it has none.
    pub name: String,
    /// The names of its units from the root on.
    pub unit: Vec<String>,
    /// What AWS says of it where that is not `ACTIVE`, in small letters.
    pub status: Option<String>,
}

/// A row as it is written: its line, and its values in the order of [`COLUMNS`].
struct Written {
    line: usize,
    values: [Option<String>; 4],
}

/// Reads a file; its name's ending says whether it is JSON, else it is CSV.
///
/// # Errors
/// Every mistake, in the order of the file.
pub fn read(path: &Path) -> Result<Vec<Account>, Failure> {
    let shown = path.display();
    let bytes = fs::read(path).map_err(|error| {
        Failure::input(format!("`{shown}` cannot be read: {error}"))
            .hint("give the organization's accounts with --organization")
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::input(format!("`{shown}` is not UTF-8 text: byte {at} begins no character"))
    })?;
    // Spreadsheets write a mark before UTF-8.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut mistakes = Vec::new();
    let is_json = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    let rows = if is_json { json_rows(text, &mut mistakes) } else { csv_rows(text, &mut mistakes) };
    let accounts = accounts(&rows, &mut mistakes);
    if mistakes.is_empty() && accounts.is_empty() {
        mistakes.push((1, "no account is in it; write a row for each".to_owned()));
    }
    if mistakes.is_empty() {
        return Ok(accounts);
    }
    mistakes.sort();
    let placed = |(line, message)| format!("{shown}:{line}: {message}");
    Err(Failure::inputs(mistakes.into_iter().map(placed).collect()))
}

fn csv_rows(text: &str, mistakes: &mut Vec<(usize, String)>) -> Vec<Written> {
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => {
            mistakes.push((1, format!("is not valid CSV: {error}")));
            return Vec::new();
        }
    };
    let places = COLUMNS.map(|column| header.iter().position(|name| name.eq_ignore_ascii_case(column)));
    for (column, _) in COLUMNS.iter().zip(places).take(3).filter(|(_, place)| place.is_none()) {
        let found: Vec<String> = header.iter().map(|name| format!("`{}`", excerpt(name))).collect();
        let message = format!("there is no column `{column}`; the header has {}", found.join(", "));
        mistakes.push((1, message));
    }
    if !mistakes.is_empty() {
        return Vec::new();
    }
    let line_at = |position: &csv::Position| usize::try_from(line_of(text, position)).unwrap_or(usize::MAX);
    let mut rows = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(1, line_at);
                let value = |place: Option<usize>| place.and_then(|at| record.get(at)).map(ToOwned::to_owned);
                rows.push(Written { line, values: places.map(value) });
            }
            Err(error) => {
                let line = error.position().map_or(1, line_at);
                mistakes.push((line, format!("is not valid CSV: {error}")));
            }
        }
    }
    rows
}

fn json_rows(text: &str, mistakes: &mut Vec<(usize, String)>) -> Vec<Written> {
    let line = |offset| position(text, offset).0;
    let root = match node::json(text) {
        Ok(root) => root,
        Err((offset, message)) => {
            mistakes.push((line(offset), message));
            return Vec::new();
        }
    };
    let Some(nodes) = root.list() else {
        mistakes.push((1, format!("is {}, expected a list of objects, one per account", root.kind())));
        return Vec::new();
    };
    let mut rows = Vec::new();
    for node in nodes {
        if !matches!(node.value, Value::Table(_)) {
            mistakes.push((line(node.offset), format!("is {}, expected an object", node.kind())));
            continue;
        }
        let said = mistakes.len();
        let mut value = |column: &str| {
            let of: &Node = node.get(column)?;
            match &of.value {
                Value::Text(text) => Some(text.trim().to_owned()),
                Value::Other("null") => None,
                _ => {
                    let message = format!("`{column}` is {}, expected text in quotes", of.kind());
                    mistakes.push((line(of.offset), message));
                    None
                }
            }
        };
        let values = COLUMNS.map(&mut value);
        // What a slip already explains needs no second message.
        if mistakes.len() == said {
            rows.push(Written { line: line(node.offset), values });
        }
    }
    rows
}

/// The accounts as far as they are sound; each is listed once and all are of one root.
fn accounts(rows: &[Written], mistakes: &mut Vec<(usize, String)>) -> Vec<Account> {
    let mut accounts: Vec<Account> = Vec::new();
    let mut lines: BTreeMap<AccountId, usize> = BTreeMap::new();
    for Written { line, values: [id, name, unit, status] } in rows {
        let given = |value: &Option<String>| value.clone().unwrap_or_default();
        let id = account_id(&given(id)).map_err(|message| mistakes.push((*line, message))).ok();
        let unit = self::unit(&given(unit)).map_err(|message| mistakes.push((*line, message))).ok();
        let status = self::status(&given(status)).map_err(|message| mistakes.push((*line, message))).ok();
        let (Some(id), Some(unit), Some(status)) = (id, unit, status) else { continue };
        if let Some(first) = lines.insert(id.clone(), *line) {
            mistakes.push((
                *line,
                format!("account `{id}` is listed twice, in line {first} first; an account is in one unit"),
            ));
            continue;
        }
        if let Some(root) = accounts.first().map(|account| &account.unit[0]).filter(|root| **root != unit[0])
        {
            let message = format!(
                "`organizational_unit`: `{}` does not begin at `{}`, as the first account's does; write every path from the organization's root on",
                excerpt(&unit.join("/")),
                excerpt(root)
            );
            mistakes.push((*line, message));
            continue;
        }
        accounts.push(Account { id, name: name.clone().unwrap_or_default(), unit, status });
    }
    accounts
}

/// An account id as AWS has it.
pub fn account_id(text: &str) -> Result<AccountId, String> {
    match AccountId::parse(text).filter(AccountId::has_twelve_digits) {
        Some(id) => Ok(id),
        None => Err(format!(
            "`account_id`: `{}` is not an account id of twelve digits; spreadsheets drop zeros in front, so keep the column as text",
            excerpt(text)
        )),
    }
}

/// The units of a path.
pub fn unit(path: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = path.split('/').map(|name| name.trim().to_owned()).collect();
    let sound = |name: &String| !name.is_empty() && !name.chars().any(char::is_control);
    if names.iter().all(sound) {
        return Ok(names);
    }
    Err(format!(
        "`organizational_unit`: `{}` has a part that is empty or has control characters; write it as Root/Prod/Team A",
        excerpt(path)
    ))
}

fn status(text: &str) -> Result<Option<String>, String> {
    match text {
        "" | "ACTIVE" => Ok(None),
        known if STATUSES.contains(&known) => Ok(Some(known.to_ascii_lowercase().replace('_', " "))),
        other => Err(format!(
            "`status`: `{}` is none of {}; or leave it empty",
            excerpt(other),
            STATUSES.join(", ")
        )),
    }
}
