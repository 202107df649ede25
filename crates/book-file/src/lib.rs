//! The book file: TOML or JSON becomes a [`Book`], or every mistake with line and column; and a draft becomes TOML again ([`write`]).
//!
//! Knows no folder: whoever reads a book hands in its text, and how the files that it names are read.

mod decode;
mod encode;
pub mod node;
pub mod organization;
mod records;
mod weights;

pub use encode::write;
pub use records::line_of;

use billing::book::{Book, Draft, Mistake, Place};
use decode::Slip;
use node::Node;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Component, Path};

/// A book, and what AWS would not allow of it.
#[derive(Debug)]
pub struct BookFile {
    /// The checked configuration.
    pub book: Book,
    /// Positioned warnings.
    pub warnings: Vec<Finding>,
    /// The texts of the files that the book names, by name.
    pub files: BTreeMap<String, String>,
}

/// How a file that a book names is read: its text, or why there is none.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// A mistake or a warning, positioned in the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
    /// What stands there.
    pub what: String,
    /// What is wrong with it and what was expected.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if !self.what.is_empty() {
            write!(f, "{}: ", self.what)?;
        }
        f.write_str(&self.message)
    }
}

/// The names of a book's copy: the ending says how it is written.
pub const BOOKS: [&str; 2] = ["book.toml", "book.json"];

/// Whether a file's name says that it is JSON; else it is TOML.
fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"))
}

/// The name of a book's copy.
#[must_use]
pub fn stored_name(path: &Path) -> &'static str {
    BOOKS[usize::from(is_json(path))]
}

/// Reads a book from its text; the name's ending says whether it is TOML or JSON.
///
/// # Errors
/// Every mistake, in the order of the file.
pub fn parse(path: &Path, text: &str, read: ReadFile<'_>) -> Result<BookFile, Vec<Finding>> {
    parse_with_draft(path, text, read).map(|(file, _)| file)
}

/// Reads a book as [`parse`] does; with it the draft that it was checked from.
///
/// # Errors
/// Every mistake, in the order of the file.
pub fn parse_with_draft(
    path: &Path,
    text: &str,
    read: ReadFile<'_>,
) -> Result<(BookFile, Draft), Vec<Finding>> {
    let root = root(path, text)?;
    let (mut draft, slips) = decode::draft(&root);
    let (files, unread) = read_weights(&mut draft, read);
    let checked = draft.check();
    let mut findings: Vec<Finding> =
        slips.iter().map(|slip| finding(text, slip.offset, &slip.what, slip.message.clone())).collect();
    // What a slip already explains needs no second message.
    let explained = |place: &Place| slips.iter().any(|slip| explains(slip, place));
    let placed = |mistake: Mistake| {
        let (offset, what) = locate(&root, &mistake.place);
        finding(text, offset, &what, mistake.message)
    };
    findings.extend(unread.into_iter().map(placed));
    let warnings = checked.warnings.into_iter().map(placed).collect();
    match checked.book {
        Ok(book) if findings.is_empty() => Ok((BookFile { book, warnings, files }, draft)),
        Ok(_) => {
            findings.sort();
            Err(findings)
        }
        Err(mistakes) => {
            findings.extend(mistakes.into_iter().filter(|mistake| !explained(&mistake.place)).map(placed));
            findings.sort();
            Err(findings)
        }
    }
}

/// The draft in a text, as [`parse`] reads it before anything of it is checked; [`read_weights`] reads the files that it names.
///
/// # Errors
/// Every value of a wrong shape, in the order of the file.
pub fn draft(path: &Path, text: &str) -> Result<Draft, Vec<Finding>> {
    let (draft, slips) = decode::draft(&root(path, text)?);
    let found = slips.into_iter().map(|slip| finding(text, slip.offset, &slip.what, slip.message));
    let mut findings: Vec<Finding> = found.collect();
    findings.sort();
    if findings.is_empty() { Ok(draft) } else { Err(findings) }
}

/// The top of a file.
fn root(path: &Path, text: &str) -> Result<Node, Vec<Finding>> {
    let root = if is_json(path) { node::json(text) } else { node::toml(text) };
    root.map_err(|(offset, message)| vec![finding(text, offset, "", message)])
}

/// Reads the files of weights that a draft names into it: their texts, and what cannot be read, a mistake at its name.
pub fn read_weights(draft: &mut Draft, read: ReadFile<'_>) -> (BTreeMap<String, String>, Vec<Mistake>) {
    let mut files = BTreeMap::new();
    let mut mistakes = Vec::new();
    for (entry, allocation) in draft.allocations.iter_mut().enumerate() {
        let Some(name) = &allocation.weights else { continue };
        let is_beside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        let read = |name: &str| match is_beside {
            true => read(name),
            false => Err("it does not stand beside the book".to_owned()),
        };
        let rows = read(name).map_err(|why| vec![format!("cannot be read: {why}")]).and_then(|text| {
            let rows = weights::parse(&text);
            files.insert(name.clone(), text);
            rows
        });
        match rows {
            Ok(rows) => allocation.weight_rows = rows,
            Err(messages) => mistakes.extend(messages.into_iter().map(|message| Mistake {
                place: Place { table: "allocations", entry, field: "weights", element: None },
                message: format!("`{name}`: {message}"),
            })),
        }
    }
    (files, mistakes)
}

/// Whether a slip is the cause of what is wrong at a place: the same field, or the entry or book that it is in is none.
fn explains(slip: &Slip, place: &Place) -> bool {
    let same = |field: &str| slip.field.is_empty() || slip.field == field;
    match slip.entry {
        Some(entry) => entry == (place.table, place.entry) && same(place.field),
        None => same(place.table),
    }
}

/// Line and column, both from 1, of an offset in a text.
#[must_use]
pub fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

fn finding(text: &str, offset: usize, what: &str, message: String) -> Finding {
    let (line, column) = position(text, offset);
    Finding { line, column, what: what.to_owned(), message }
}

/// An entry of a table by its name, or by its number where it has none that can be shown.
fn entry_name(table: &str, number: usize, entry: &Node) -> String {
    match entry.get("name").and_then(Node::text) {
        Some(name) if !name.chars().any(char::is_control) => format!("{table} `{name}`"),
        _ => format!("{table}[{}]", number + 1),
    }
}

/// Where a place is in the file, and how it is called there; as near as the file has it.
fn locate(root: &Node, place: &Place) -> (usize, String) {
    let Place { table, entry, field, element } = place;
    let Some(mut node) = root.get(table) else { return (root.offset, (*table).to_owned()) };
    let mut what = (*table).to_owned();
    if field.is_empty() && node.list().is_none() {
        what = format!("`{table}`");
    }
    if let Some(entries) = node.list() {
        what = entry_name(table, *entry, entries.get(*entry).unwrap_or(node));
        node = entries.get(*entry).unwrap_or(node);
    }
    if !field.is_empty() {
        what = format!("{what}: `{field}`");
        node = node.get(field).unwrap_or(node);
        node = element.and_then(|element| node.list()?.get(element)).unwrap_or(node);
    }
    (node.offset, what)
}

#[cfg(test)]
mod tests;
