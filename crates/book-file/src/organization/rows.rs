//! What is written in a file, value by value with its place: the same from CSV and JSON.

use super::{Mistakes, excerpt};
use crate::node::{self, Node, Value};
use crate::{line_of, position};
use std::collections::BTreeMap;

/// The columns of a list, or fields of an account; tags are columns `tag:KEY`, or a field `tags`.
pub const COLUMNS: [&str; 9] = [
    "account_id",
    "account_name",
    "organizational_unit",
    "status",
    "email",
    "joined_timestamp",
    "joined_method",
    "left_timestamp",
    "organizational_unit_id",
];
/// How many of them a list must have.
const NEEDED: usize = 3;
const TAG: &str = "tag:";

/// A line and a column: of CSV, the number of the column.
pub type At = (usize, usize);

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Given {
    pub at: At,
    pub text: String,
}

/// An entry of a list.
#[derive(Debug, Clone)]
pub struct Written {
    pub at: At,
    fields: BTreeMap<&'static str, Given>,
    /// Where a field of the list stands, if it is empty.
    places: BTreeMap<&'static str, At>,
    pub tags: BTreeMap<String, String>,
}

impl Written {
    /// A value that is there and not empty.
    pub fn get(&self, column: &str) -> Option<&Given> {
        self.fields.get(column)
    }

    /// A value that must be there: an empty one where it is not.
    pub fn needed(&self, column: &str) -> Given {
        let at = self.places.get(column).copied().unwrap_or(self.at);
        self.get(column).cloned().unwrap_or(Given { at, text: String::new() })
    }
}

/// Everything that is written in a file.
#[derive(Debug, Default)]
pub struct Rows {
    pub accounts: Vec<Written>,
    /// Units with their ids; `None` where the paths of accounts tell them.
    pub units: Option<Vec<Written>>,
    pub transfers: Option<Vec<Written>>,
    /// What is said of the organization itself.
    pub organization: BTreeMap<&'static str, Given>,
}

pub fn of_csv(text: &str, mistakes: &mut Mistakes) -> Rows {
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => {
            mistakes.add((1, 1), format!("is not valid CSV: {error}"));
            return Rows::default();
        }
    };
    let places = COLUMNS.map(|column| header.iter().position(|name| name.eq_ignore_ascii_case(column)));
    let tags = header.iter().enumerate().filter_map(|(at, name)| Some((at, name.strip_prefix(TAG)?.trim())));
    let tags: Vec<(usize, &str)> = tags.filter(|(_, key)| !key.is_empty()).collect();
    for (column, _) in COLUMNS.iter().zip(places).take(NEEDED).filter(|(_, place)| place.is_none()) {
        let found: Vec<String> = header.iter().map(|name| format!("`{}`", excerpt(name))).collect();
        let message = format!("there is no column `{column}`; the header has {}", found.join(", "));
        mistakes.add((1, 1), message);
    }
    if !mistakes.0.is_empty() {
        return Rows::default();
    }
    let line_at = |position: &csv::Position| usize::try_from(line_of(text, position)).unwrap_or(usize::MAX);
    let mut accounts = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(1, line_at);
                let at = |place: usize| (line, place + 1);
                let there = COLUMNS.iter().zip(places).filter_map(|(column, place)| Some((*column, place?)));
                let value = |place: usize| record.get(place).filter(|text| !text.is_empty());
                let fields = there.clone().filter_map(|(column, place)| {
                    Some((column, Given { at: at(place), text: value(place)?.to_owned() }))
                });
                let tags = tags
                    .iter()
                    .filter_map(|(place, key)| Some(((*key).to_owned(), value(*place)?.to_owned())));
                accounts.push(Written {
                    at: (line, 1),
                    fields: fields.collect(),
                    places: there.map(|(column, place)| (column, at(place))).collect(),
                    tags: tags.collect(),
                });
            }
            Err(error) => {
                let line = error.position().map_or(1, line_at);
                mistakes.add((line, 1), format!("is not valid CSV: {error}"));
            }
        }
    }
    Rows { accounts, ..Rows::default() }
}

const ORGANIZATION: [&str; 4] = ["id", "management_account_id", "management_account_email", "feature_set"];
const UNIT: [&str; 3] = ["id", "name", "parent_id"];
const TRANSFER: [&str; 5] = ["arn", "source_account_id", "status", "start", "end"];

pub fn of_json(text: &str, mistakes: &mut Mistakes) -> Rows {
    let root = match node::json(text) {
        Ok(root) => root,
        Err((offset, message)) => {
            mistakes.add(position(text, offset), message);
            return Rows::default();
        }
    };
    let mut json = Json { text, mistakes };
    if root.list().is_some() {
        return Rows { accounts: json.list(&root, &COLUMNS, "one per account"), ..Rows::default() };
    }
    let Some(accounts) = root.get("accounts") else {
        let message = format!("is {}, expected a list of objects, one per account", root.kind());
        json.mistakes.add((1, 1), message);
        return Rows::default();
    };
    let organization = root.get("organization").map(|node| json.object(node, &ORGANIZATION).fields);
    Rows {
        accounts: json.list(accounts, &COLUMNS, "one per account"),
        units: root.get("organizational_units").map(|node| json.list(node, &UNIT, "one per unit")),
        transfers: root
            .get("responsibility_transfers")
            .map(|node| json.list(node, &TRANSFER, "one per transfer")),
        organization: organization.unwrap_or_default(),
    }
}

struct Json<'a, 'm> {
    text: &'a str,
    mistakes: &'m mut Mistakes,
}

impl Json<'_, '_> {
    fn at(&self, node: &Node) -> At {
        position(self.text, node.offset)
    }

    /// The sound objects of a list.
    fn list(&mut self, node: &Node, columns: &[&'static str], what: &str) -> Vec<Written> {
        let Some(nodes) = node.list() else {
            let at = self.at(node);
            self.mistakes.add(at, format!("is {}, expected a list of objects, {what}", node.kind()));
            return Vec::new();
        };
        let mut rows = Vec::new();
        for node in nodes {
            if !matches!(node.value, Value::Table(_)) {
                let at = self.at(node);
                self.mistakes.add(at, format!("is {}, expected an object", node.kind()));
                continue;
            }
            let said = self.mistakes.0.len();
            let row = self.object(node, columns);
            // What a slip already explains needs no second message.
            if self.mistakes.0.len() == said {
                rows.push(row);
            }
        }
        rows
    }

    fn object(&mut self, node: &Node, columns: &[&'static str]) -> Written {
        let mut fields = BTreeMap::new();
        for column in columns {
            let Some(of) = node.get(column) else { continue };
            if let Some(text) = self.value(column, of) {
                fields.insert(*column, Given { at: self.at(of), text });
            }
        }
        let mut tags = BTreeMap::new();
        if let Some(of) = node.get("tags") {
            match &of.value {
                Value::Table(entries) => {
                    for entry in entries {
                        let value = match &entry.node.value {
                            Value::Text(text) => Some(text.clone()),
                            _ => self.value(&entry.key, &entry.node),
                        };
                        tags.extend(value.map(|value| (entry.key.clone(), value)));
                    }
                }
                Value::Other("null") => {}
                _ => {
                    let at = self.at(of);
                    self.mistakes.add(at, format!("`tags` is {}, expected an object of texts", of.kind()));
                }
            }
        }
        Written { at: self.at(node), fields, places: BTreeMap::new(), tags }
    }

    /// A text that is not empty.
    fn value(&mut self, column: &str, of: &Node) -> Option<String> {
        match &of.value {
            Value::Text(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Value::Other("null") => None,
            _ => {
                let at = self.at(of);
                let message = format!("`{}` is {}, expected text in quotes", excerpt(column), of.kind());
                self.mistakes.add(at, message);
                None
            }
        }
    }
}
