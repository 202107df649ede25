//! The columns of the exported files, from the columns of the cost files and the allow-list.

use super::cur_columns::{COLUMNS, Family, Kind, Treatment, UNREPEATED};
use super::plan::{FileFormat, Plan};
use crate::layout::canonical_name;
use std::collections::BTreeSet;

/// A column that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its name in the file.
    pub name: String,
    /// Its name in CUR 2.0's spelling, by which cost files and added rows have it.
    pub canonical: String,
    /// What it holds.
    pub kind: Kind,
    /// Where its values come from.
    pub treatment: Treatment,
    /// Whether a file has it only if its own rows fill it.
    pub only_if_filled: bool,
    /// Whether its texts seldom repeat.
    pub unrepeated: bool,
}

/// The columns of CUR files with these headers, in the order of their first use.
pub fn of_cur<'a>(headers: impl IntoIterator<Item = &'a [String]>, plan: &Plan) -> Vec<Output> {
    let mut seen = BTreeSet::new();
    let mut outputs = Vec::new();
    for name in headers.into_iter().flatten() {
        let canonical = canonical_name(name);
        if seen.insert(canonical.clone()) {
            outputs.extend(output(name, canonical, plan));
        }
    }
    outputs
}

fn output(name: &str, canonical: String, plan: &Plan) -> Option<Output> {
    let allowed = plan.allowed_columns.iter().any(|column| column == name || *column == canonical);
    let of_table = COLUMNS.binary_search_by_key(&canonical.as_str(), |(name, ..)| name).ok();
    let (kind, treatment, only_if_filled) = match (of_table, Family::of(&canonical)) {
        (Some(place), _) => {
            let (_, kind, treatment) = COLUMNS[place];
            (kind, if treatment == Treatment::Ask && allowed { Treatment::Copied } else { treatment }, false)
        }
        (None, Some(family)) => (Kind::Text, of_family(family, &canonical, allowed, plan)?, true),
        // Unknown: blank, unless the operator allows it.
        (None, None) => (Kind::Text, if allowed { Treatment::Copied } else { Treatment::Blank }, false),
    };
    let name = match plan.format {
        FileFormat::Parquet => canonical.clone(),
        FileFormat::Csv => name.to_owned(),
    };
    let unrepeated = UNREPEATED.contains(&canonical.as_str());
    Some(Output { name, canonical, kind, treatment, only_if_filled, unrepeated })
}

fn of_family(family: Family, canonical: &str, allowed: bool, plan: &Plan) -> Option<Treatment> {
    let key = canonical.strip_prefix("resource_tags_").unwrap_or(canonical);
    let copied = match family {
        Family::Product => true,
        Family::Tag => allowed || plan.allowed_tags.iter().any(|tag| tag == key),
        Family::CostCategory => allowed,
        Family::Discount => false,
    };
    copied.then_some(Treatment::Copied)
}

impl Output {
    /// What became of the column, in a word.
    pub const fn treated(&self) -> &'static str {
        match self.treatment {
            Treatment::Copied => "copied",
            Treatment::OwnCommitment | Treatment::OwnReservation => "copied where the owner is in the group",
            Treatment::Cost | Treatment::Rate | Treatment::Class(_) => "computed",
            Treatment::Tags => "allowed keys",
            Treatment::Ask | Treatment::Blank => "blank",
        }
    }

    /// Whether the allow-list does not know the column.
    pub fn is_unknown(&self) -> bool {
        let known = COLUMNS.binary_search_by_key(&self.canonical.as_str(), |(name, ..)| name).is_ok();
        !known && Family::of(&self.canonical).is_none()
    }
}

#[cfg(test)]
mod tests {
    //! The allow-list can be searched.

    use super::COLUMNS;

    #[test]
    fn the_table_is_in_order() {
        assert!(COLUMNS.is_sorted_by(|a, b| a.0 < b.0));
    }
}
