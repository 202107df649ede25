//! What is to be delivered, out of what somebody asks for.

use crate::engine::Lines;
use crate::error::{Answer, Declined, Error};
use export_query::{Granularity, Query};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::DataExportRow;

/// How long a prefix is at most, so that no name below it is beyond what a file system takes.
const PREFIX_BYTES_MAX: usize = 200;

/// How long a name is at most, for the same reason.
const NAME_BYTES_MAX: usize = 128;

/// An export as somebody asks for it.
#[derive(Debug, Clone)]
pub struct NewDefinition {
    /// Its name.
    pub name: String,
    /// The ARN of the billing view.
    pub view: String,
    /// Which lines.
    pub lines: NewLines,
    /// Where to.
    pub to: Where,
    /// What is kept and answered, as JSON in the shape of the API.
    pub body: String,
}

/// Which lines are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NewLines {
    /// A statement over tables, each with its properties.
    Statement(String, BTreeMap<String, BTreeMap<String, String>>),
    /// A legacy report, with or without resources.
    LegacyReport(bool),
    /// The same, with lines of a day or of the month that agree in all else as one row.
    SummedReport(bool, Granularity),
}

/// Where to, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Where {
    /// What the bucket is called.
    pub bucket: String,
    /// What the names of all files begin with.
    pub prefix: String,
    /// Whether files are Parquet, or else CSV with gzip.
    pub is_parquet: bool,
    /// Whether a delivery takes the place of the one before.
    pub is_overwritten: bool,
}

/// An export that was looked at.
#[derive(Debug, Clone)]
pub struct Definition {
    /// Which lines.
    pub lines: Lines,
    /// Where to.
    pub to: Where,
}

/// What is kept beside what the API has.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    view: String,
    lines: NewLines,
    to: Where,
    shown: serde_json::Value,
    /// Of a delivery of a custom view: by what the view was known, of which other lines would be delivered if it were another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    view_known_by: Option<String>,
}

impl NewDefinition {
    /// What is kept of it; `shown` is what the API answers.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub fn new(
        name: String,
        view: String,
        lines: NewLines,
        to: Where,
        shown: serde_json::Value,
    ) -> Answer<Self> {
        let kept =
            Kept { view: view.clone(), lines: lines.clone(), to: to.clone(), shown, view_known_by: None };
        let body = serde_json::to_string(&kept).map_err(Error::internal)?;
        Ok(Self { name, view, lines, to, body })
    }

    /// What was kept.
    ///
    /// # Errors
    /// [`Error::Internal`] where it is damaged.
    pub fn kept(row: &DataExportRow) -> Answer<Self> {
        let Kept { view, lines, to, .. } = serde_json::from_str(&row.body).map_err(Error::internal)?;
        Ok(Self { name: row.name.clone(), view, lines, to, body: row.body.clone() })
    }

    /// What is kept of a delivery: what was defined, and by what its view was known.
    ///
    /// # Errors
    /// [`Error::Internal`] where it is damaged.
    pub(super) fn body_of_delivery(body: &str, view_known_by: Option<String>) -> Answer<String> {
        let kept: Kept = serde_json::from_str(body).map_err(Error::internal)?;
        serde_json::to_string(&Kept { view_known_by, ..kept }).map_err(Error::internal)
    }

    /// By what the view of a delivery was known.
    pub(super) fn view_known_by(body: &str) -> Option<String> {
        serde_json::from_str::<Kept>(body).ok()?.view_known_by
    }

    /// What the API answers of what was kept.
    ///
    /// # Errors
    /// [`Error::Internal`] where it is damaged.
    pub fn shown(body: &str) -> Answer<serde_json::Value> {
        let kept: Kept = serde_json::from_str(body).map_err(Error::internal)?;
        Ok(kept.shown)
    }
}

impl Definition {
    /// Looks at what is asked for.
    ///
    /// # Errors
    /// [`Declined`]: the statement is not understood, the prefix is none.
    pub fn of(new: &NewDefinition) -> Answer<Self> {
        check_prefix(&new.to.prefix)?;
        // It is a folder and the beginning of file names; a name that begins with a dot is hidden from whoever reads.
        if new.name.starts_with('.') || new.name.len() > NAME_BYTES_MAX {
            let message = format!(
                "name `{}` cannot be that of a folder: give up to {NAME_BYTES_MAX} letters, the first of them no dot",
                new.name
            );
            return Err(invalid("Name", message));
        }
        let lines = match &new.lines {
            NewLines::LegacyReport(with_resources) => {
                Lines::LegacyReport { with_resources: *with_resources, granularity: Granularity::Hourly }
            }
            NewLines::SummedReport(with_resources, granularity) => {
                Lines::LegacyReport { with_resources: *with_resources, granularity: *granularity }
            }
            NewLines::Statement(statement, tables) => {
                let query = Query::parse(statement, tables);
                Lines::Query(query.map_err(|error| invalid("QueryStatement", error.to_string()))?)
            }
        };
        Ok(Self { lines, to: new.to.clone() })
    }
}

/// A prefix becomes folders: none of its parts may lead elsewhere.
fn check_prefix(prefix: &str) -> Answer<()> {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || "!-_.*'()=".contains(c);
    let is_part = |part: &str| !part.is_empty() && part != "." && part != ".." && part.chars().all(is_letter);
    if prefix.len() <= PREFIX_BYTES_MAX && prefix.split('/').all(is_part) {
        return Ok(());
    }
    let message = format!(
        "prefix `{prefix}` cannot be folders: give parts of letters, digits and !-_.*'()= with one slash between them, and none at either end"
    );
    Err(invalid("S3Prefix", message))
}

pub(super) fn invalid(field: &str, message: String) -> Error {
    Declined::Invalid { message: message.clone(), fields: vec![(field.to_owned(), message)] }.into()
}

#[cfg(test)]
mod tests {
    //! Prefixes that are folders, and such as would lead elsewhere.

    use super::*;

    #[test]
    fn a_prefix_stays_below_its_place() {
        for prefix in ["a", "a/b/c=1", "cur.2026-(x)!"] {
            assert!(check_prefix(prefix).is_ok(), "{prefix}");
        }
        for prefix in ["", "/a", "a/", "a//b", "..", "a/../b", "a/./b", "a\\b", "ä", &"a".repeat(201)] {
            assert!(check_prefix(prefix).is_err(), "{prefix}");
        }
    }
}
