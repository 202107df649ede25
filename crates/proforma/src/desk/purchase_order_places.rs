//! Where what an operation says of its input stands in the file that the input was made of: `PurchaseOrders[0].LineItems[1].EndMonth` is a row and a column.

use crate::failure::Failure;
use std::path::Path;

/// The member with the lines of an entry.
const LINES: &str = "LineItems";

/// What a file was made into.
pub struct Places {
    file: String,
    /// The member of the input that has the entries.
    list: &'static str,
    entries: Vec<Entry>,
    column: fn(&str, bool) -> Option<String>,
}

/// An entry of the input.
pub struct Entry {
    /// What it is, as `purchase order X`.
    pub name: String,
    /// Its first row.
    pub row: usize,
    /// The rows of its lines.
    pub lines: Vec<usize>,
}

impl Places {
    /// Those of a file that is the input itself.
    pub fn as_they_are(file: &Path, list: &'static str) -> Self {
        Self::of_table(file, list, Vec::new(), |_, _| None)
    }

    /// Those of a table. `column` gives the column of a member, of an entry or of a line of it.
    pub fn of_table(
        file: &Path,
        list: &'static str,
        entries: Vec<Entry>,
        column: fn(&str, bool) -> Option<String>,
    ) -> Self {
        Self { file: file.display().to_string(), list, entries, column }
    }

    /// A failure to take the input, said of the file where it is about it.
    pub fn told(&self, failure: Failure) -> Failure {
        failure.map_problems(|problem| match problem.contains(&self.start()) {
            true => format!("`{}`: {}", self.file, self.placed(&problem)),
            false => problem,
        })
    }

    /// How every path to an entry begins.
    fn start(&self) -> String {
        format!("{}[", self.list)
    }

    /// A text with every member of the input by its row and column.
    fn placed(&self, text: &str) -> String {
        let start = self.start();
        let (mut placed, mut rest) = (String::new(), text);
        while let Some(at) = rest.find(&start) {
            let (before, from) = rest.split_at(at);
            let is_of_path = |c: char| c.is_ascii_alphanumeric() || "[]._".contains(c);
            let end = from.find(|c| !is_of_path(c)).unwrap_or(from.len());
            let path = from[..end].trim_end_matches('.');
            placed.push_str(before);
            placed.push_str(&self.place(&path[self.list.len()..]).unwrap_or_else(|| path.to_owned()));
            rest = &from[path.len()..];
        }
        placed + rest
    }

    /// The place of `[0].LineItems[1].EndMonth`.
    fn place(&self, path: &str) -> Option<String> {
        let (number, member) = indexed(path)?;
        let Entry { name, row, lines } = self.entries.get(number)?;
        let of_line = member.strip_prefix(LINES).and_then(indexed);
        let (row, member, is_line) = match of_line {
            Some((line, member)) => (*lines.get(line)?, member, true),
            None => (*row, member, false),
        };
        Some(match (self.column)(member, is_line) {
            Some(column) => format!("row {row}, column `{column}` of {name}"),
            None => format!("row {row}, {name}"),
        })
    }
}

/// The number of `[0].rest`, and the rest.
fn indexed(path: &str) -> Option<(usize, &str)> {
    let (number, rest) = path.strip_prefix('[')?.split_once(']')?;
    Some((number.parse().ok()?, rest.strip_prefix('.').unwrap_or(rest)))
}

#[cfg(test)]
mod tests {
    //! Members by their rows and columns.

    use super::*;

    #[test]
    fn a_member_is_a_row_and_a_column() {
        let column = |member: &str, is_line: bool| match (member, is_line) {
            ("EndMonth", true) => Some("line_end".to_owned()),
            ("BillFrom", false) => Some("bill_from".to_owned()),
            _ => None,
        };
        let entries = vec![Entry { name: "purchase order `A`".to_owned(), row: 2, lines: vec![2, 5] }];
        let places = Places::of_table(Path::new("x.csv"), "PurchaseOrders", entries, column);
        for (said, told) in [
            (
                "PurchaseOrders[0].LineItems[1].EndMonth: is required; PurchaseOrders[0].BillFrom: is required",
                "row 5, column `line_end` of purchase order `A`: is required; row 2, column `bill_from` of purchase order `A`: is required",
            ),
            ("PurchaseOrders[0].", "row 2, purchase order `A`."),
            ("PurchaseOrders[7].BillFrom: no", "PurchaseOrders[7].BillFrom: no"),
            ("PurchaseOrders: at least 1", "PurchaseOrders: at least 1"),
        ] {
            assert_eq!(places.placed(said), told);
        }
    }
}
