//! What is wrong with a cost file, and where.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The way out where a file is not what AWS writes.
pub(crate) const HINT_BROKEN: &str = "copy the file again from where AWS delivered it";

/// A problem at a place: a file, and as much of row group, row and column as there is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Diagnostic {
    /// The file, as it was given or found.
    pub file: String,
    /// The row group of a Parquet file, from 0.
    pub row_group: Option<usize>,
    /// The row of the file (CSV: without the header) or of the row group, from 1.
    pub row: Option<u64>,
    /// The column.
    pub column: Option<String>,
    /// The value, cut to eighty characters.
    pub value: Option<String>,
    /// What is wrong with it.
    pub reason: String,
    /// The way out.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// A problem of a whole file.
    #[must_use]
    pub fn file(file: &str, reason: impl Into<String>) -> Self {
        let (row_group, row, column, value, hint) = (None, None, None, None, None);
        Self { file: file.to_owned(), row_group, row, column, value, reason: reason.into(), hint }
    }

    /// The same problem with a way out.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// Why a month was not read: the first problems in order, and how many there are.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Refusal {
    /// The problems that are shown.
    pub problems: Vec<Diagnostic>,
    /// All problems.
    pub count: u64,
}

impl From<Vec<Diagnostic>> for Refusal {
    fn from(problems: Vec<Diagnostic>) -> Self {
        Self { count: problems.len() as u64, problems }
    }
}

impl From<Diagnostic> for Refusal {
    fn from(problem: Diagnostic) -> Self {
        vec![problem].into()
    }
}

/// A value as a message shows it: at most eighty characters, control characters escaped.
#[must_use]
pub fn excerpt(value: &str) -> String {
    let mut text: String = value.chars().take(80).flat_map(char::escape_debug).collect();
    if value.chars().nth(80).is_some() {
        text.push('…');
    }
    text
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(group) = self.row_group {
            write!(f, ":row group {group}")?;
        }
        if let Some(row) = self.row {
            write!(f, ":row {row}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ":{column}")?;
        }
        write!(f, ": ")?;
        if let Some(value) = &self.value {
            write!(f, "`{value}` is ")?;
        }
        write!(f, "{}", self.reason)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n    hint: {hint}")?;
        }
        Ok(())
    }
}
