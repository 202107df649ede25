//! Which columns an operation's answer has as comma-separated values. They follow from its shape in the model, never from what an answer holds.
//!
//! The entries of its lists are the rows, one list under the other. What the answer says beside them stands on each row, and on one row of its own where
//! the lists are empty and it says anything. A member of a member is a column `Name.Name`; of a
//! list in a row it has all of them, separated by semicolons. Columns are in the order of their names, those of the lists last.

use super::{BETWEEN_TEXTS, Operation, cell, instant_text};
use aws_wire::model::{Member, Service, Shape};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What no table shows: pages are gathered before they are printed, and a document goes to a file, or is had as JSON. So is a filter, whose parts stand in each other
/// ([`is_within_itself`]).
const NOT_SHOWN: &[&str] = &["NextToken", "Document"];
/// Lists that are one cell of what they stand in: who is told of an order has no part in its lines.
const IN_ONE_CELL: &[&str] = &["Contacts"];

/// The columns of an operation's answer.
pub struct Columns {
    service: &'static Service,
    output: &'static str,
    /// The one member that the answer is, where it is that and nothing else.
    root: Option<&'static str>,
    said_once: Vec<Path>,
    lists: Vec<List>,
}

/// A list and what its entries say.
struct List {
    name: &'static str,
    columns: Vec<Path>,
}

/// A member of a member of an answer.
type Path = Vec<&'static str>;

impl Columns {
    /// The columns of an operation; `None` where there is no such operation.
    pub fn of((service, operation): Operation<'_>) -> Option<Self> {
        let (service, operation) = aws_api::services::all().operation(service, operation).ok()?;
        let output = operation.output.as_deref()?;
        let (root, members) = root(service, members_of(service, output)?);
        let mut columns = Self { service, output, root, said_once: Vec::new(), lists: Vec::new() };
        for (name, member) in shown(service, members) {
            match entries(service, &member.shape) {
                Some(entry) if !IN_ONE_CELL.contains(&name.as_str()) => {
                    columns.lists.push(List { name, columns: leaves(service, entry) });
                }
                _ => columns.said_once.extend(below(service, name, member)),
            }
        }
        Some(columns)
    }

    /// The names of the columns. Those of a list have its name before them, where the answer says anything else, too.
    pub fn header(&self) -> Vec<String> {
        let is_all = self.said_once.is_empty() && self.lists.len() == 1;
        let once = self.said_once.iter().map(|path| path.join("."));
        let listed = self.lists.iter().flat_map(|list| {
            let name = move |path: &Path| match is_all {
                true => path.join("."),
                false => format!("{}.{}", list.name, path.join(".")),
            };
            list.columns.iter().map(name)
        });
        once.chain(listed).collect()
    }

    /// The rows of an answer, each with a cell or none for every column.
    pub fn rows(&self, answer: &Value) -> Vec<Vec<Option<Value>>> {
        let answer = self.root.map_or(Some(answer), |name| answer.get(name)).unwrap_or(&Value::Null);
        let cells = |of: &Value, paths: &[Path]| -> Vec<Option<Value>> {
            paths.iter().map(|path| at(of, path)).collect()
        };
        let once = cells(answer, &self.said_once);
        let nothing = |lists: &[List]| vec![None; lists.iter().map(|list| list.columns.len()).sum()];
        let mut rows = Vec::new();
        for (place, list) in self.lists.iter().enumerate() {
            let entries = answer.get(list.name).and_then(Value::as_array).into_iter().flatten();
            rows.extend(entries.map(|entry| {
                let (before, after) = (&self.lists[..place], &self.lists[place + 1..]);
                [once.clone(), nothing(before), cells(entry, &list.columns), nothing(after)].concat()
            }));
        }
        let says_something = once.iter().flatten().any(|value| !is_nothing(value));
        if rows.is_empty() && says_something {
            rows.push([once, nothing(&self.lists)].concat());
        }
        rows
    }

    /// The answer with every instant as RFC 3339 has it, in UTC, in place of its seconds since 1970.
    pub fn in_words(&self, answer: &Value) -> Value {
        in_words(self.service, self.output, answer)
    }
}

type Members = &'static BTreeMap<String, Member>;

/// The members of an answer: where it has but one, which has members itself, those of that one.
fn root(service: &'static Service, members: Members) -> (Option<&'static str>, Members) {
    let mut all = shown(service, members);
    let inner = |(name, member): (&'static String, &'static Member)| {
        Some((Some(name.as_str()), members_of(service, &member.shape)?))
    };
    match (all.next(), all.next()) {
        (Some(only), None) => inner(only).unwrap_or((None, members)),
        _ => (None, members),
    }
}

fn members_of(service: &'static Service, shape: &str) -> Option<Members> {
    match service.shape(shape)? {
        Shape::Structure { members, .. } => Some(members),
        _ => None,
    }
}

fn shown(
    service: &'static Service,
    members: Members,
) -> impl Iterator<Item = (&'static String, &'static Member)> {
    members.iter().filter(move |(name, member)| {
        !NOT_SHOWN.contains(&name.as_str()) && !is_within_itself(service, &member.shape)
    })
}

/// Whether a shape can stand in itself, so that it has no end of columns.
fn is_within_itself(service: &'static Service, shape: &'static str) -> bool {
    let (mut to_look, mut seen) = (vec![shape], BTreeSet::new());
    while let Some(next) = to_look.pop() {
        let inner: Vec<&'static str> = match service.shape(next) {
            Some(Shape::Structure { members, .. }) => {
                members.values().map(|member| member.shape.as_str()).collect()
            }
            Some(Shape::List { member, .. }) => vec![member],
            _ => Vec::new(),
        };
        for of in inner {
            if of == shape {
                return true;
            }
            if seen.insert(of) {
                to_look.push(of);
            }
        }
    }
    false
}

/// The shape of the entries of a list of structures.
fn entries(service: &'static Service, shape: &str) -> Option<&'static str> {
    match service.shape(shape)? {
        Shape::List { member, .. } => members_of(service, member).map(|_| member.as_str()),
        _ => None,
    }
}

/// The columns of a structure.
fn leaves(service: &'static Service, shape: &str) -> Vec<Path> {
    let members = members_of(service, shape).into_iter().flat_map(|members| shown(service, members));
    members.flat_map(|(name, member)| below(service, name, member)).collect()
}

/// The columns of a member: its own, or those of what it is made of, also of what the entries of a list in a row are made of.
fn below(service: &'static Service, name: &'static str, member: &Member) -> Vec<Path> {
    let entry = entries(service, &member.shape).filter(|_| !IN_ONE_CELL.contains(&name));
    let structure = members_of(service, &member.shape).map(|_| member.shape.as_str());
    let Some(inner) = entry.or(structure) else { return vec![vec![name]] };
    let inner = leaves(service, inner).into_iter();
    inner.map(|path| std::iter::once(name).chain(path).collect()).collect()
}

/// Whether a value fills no cell.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        _ => false,
    }
}

/// The member of a member of a value. Of the entries of a list all have it, one behind the other, those without it as nothing.
fn at(value: &Value, path: &[&str]) -> Option<Value> {
    match (path, value) {
        ([], value) => Some(value.clone()),
        (_, Value::Array(entries)) if entries.is_empty() => None,
        (_, Value::Array(entries)) => {
            let cell = |entry| at(entry, path).map_or_else(String::new, |value| cell(&value));
            Some(Value::String(entries.iter().map(cell).collect::<Vec<_>>().join(BETWEEN_TEXTS)))
        }
        ([name, inner @ ..], value) => at(value.get(name)?, inner),
    }
}

fn in_words(service: &Service, shape: &str, value: &Value) -> Value {
    match (service.shape(shape), value) {
        (Some(Shape::Timestamp), value) => {
            value.as_i64().map_or_else(|| value.clone(), |seconds| Value::String(instant_text(seconds)))
        }
        (Some(Shape::List { member, .. }), Value::Array(values)) => {
            values.iter().map(|value| in_words(service, member, value)).collect()
        }
        (Some(Shape::Structure { members, .. }), Value::Object(of)) => {
            let member = |(name, value): (&String, &Value)| {
                let shape = members.get(name).map_or("", |member| member.shape.as_str());
                (name.clone(), in_words(service, shape, value))
            };
            Value::Object(of.iter().map(member).collect())
        }
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests;
