//! The columns of the exported files, from the columns of the cost files and the allow-list.

use super::cur_columns::{self, Family, UNREPEATED};
use super::focus_columns;
use super::plan::{FileFormat, Plan};
use super::treatment::{Kind, Treatment};
use crate::layout::{CostFormat, Layout, canonical_name};
use std::collections::BTreeSet;

/// A column that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its name in the file.
    pub name: String,
    /// Its name in the layout, however the file spells it: how added rows have it.
    pub key: String,
    /// The column of cost files that it is made from, if it is.
    pub source: String,
    /// What it holds.
    pub kind: Kind,
    /// Where its values come from.
    pub treatment: Treatment,
    /// Whether a file has it only if its own rows fill it.
    pub only_if_filled: bool,
    /// Whether its texts seldom repeat.
    pub unrepeated: bool,
}

/// The columns of CUR files of these layouts, in the order of their first use.
pub fn of_cur<'a>(layouts: impl IntoIterator<Item = &'a Layout>, plan: &Plan) -> Vec<Output> {
    let mut seen = BTreeSet::new();
    let mut outputs = Vec::new();
    for layout in layouts {
        for name in &layout.header {
            let canonical = canonical_name(name);
            if seen.insert(canonical.clone()) {
                outputs.extend(output(name, canonical, layout.format, plan));
            }
        }
    }
    outputs
}

/// The columns of FOCUS files, made from cost files of this kind.
pub fn of_focus(from_focus: bool, plan: &Plan) -> Vec<Output> {
    let output = |(name, kind, treatment, of_cur, of_focus): &focus_columns::Column| Output {
        name: (*name).to_owned(),
        key: (*name).to_owned(),
        source: (if from_focus { *of_focus } else { *of_cur }).to_owned(),
        kind: *kind,
        treatment: unless_idle(*treatment, plan),
        only_if_filled: false,
        unrepeated: *name == "ResourceId",
    };
    focus_columns::COLUMNS.iter().map(output).collect()
}

/// The treatment; blank where it would read every line's tags and allow none, or where no use was simulated.
fn unless_idle(treatment: Treatment, plan: &Plan) -> Treatment {
    match treatment {
        Treatment::Tags if plan.allowed_tags.is_empty() => Treatment::Blank,
        Treatment::Use(_) if plan.coverage.is_none() => Treatment::Blank,
        treatment => treatment,
    }
}

fn output(name: &str, canonical: String, format: CostFormat, plan: &Plan) -> Option<Output> {
    let allowed = plan.allowed_columns.iter().any(|column| column == name || *column == canonical);
    let of_table = cur_columns::COLUMNS.binary_search_by_key(&canonical.as_str(), |(name, ..)| name).ok();
    let (kind, treatment, only_if_filled) = match (of_table, Family::of(&canonical)) {
        (Some(place), _) => {
            let (_, kind, treatment) = cur_columns::COLUMNS[place];
            let only_if_filled = is_there_by_chance(&canonical, treatment, format);
            let treatment = match treatment {
                Treatment::Ask if allowed => Treatment::Copied,
                treatment => unless_idle(treatment, plan),
            };
            (kind, treatment, only_if_filled)
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
    let (key, source) = (canonical.clone(), canonical);
    Some(Output { name, key, source, kind, treatment, only_if_filled, unrepeated })
}

/// Whether a report has a documented column only because some customer's lines fill it: legacy reports gain the columns of
/// commitments, discounts and split costs that way. Pro forma reports never have split costs.
fn is_there_by_chance(canonical: &str, treatment: Treatment, format: CostFormat) -> bool {
    let of_lines = matches!(
        treatment,
        Treatment::Blank | Treatment::OwnCommitment | Treatment::OwnReservation | Treatment::Use(_)
    );
    let always = canonical == "bill_invoice_id";
    canonical.starts_with("split_line_item_") || (format == CostFormat::LegacyCur && of_lines && !always)
}

fn of_family(family: Family, canonical: &str, allowed: bool, plan: &Plan) -> Option<Treatment> {
    let key =
        canonical.strip_prefix("resource_tags").map_or(canonical, |key| key.trim_start_matches(['_', '.']));
    let copied = match family {
        Family::Product => true,
        Family::Tag => allowed || plan.allowed_tags.iter().any(|tag| tag == key),
        Family::Named => allowed,
        Family::Discount => false,
    };
    copied.then_some(Treatment::Copied)
}

impl Output {
    /// What became of the column, in a word.
    pub const fn treated(&self) -> &'static str {
        match self.treatment {
            Treatment::Copied
            | Treatment::End
            | Treatment::Zone
            | Treatment::AccountName
            | Treatment::PricingQuantity
            | Treatment::ConsumedQuantity => "copied",
            Treatment::OwnCommitment | Treatment::OwnReservation | Treatment::ReservationStatus => {
                "copied where the owner is in the group"
            }
            Treatment::Cost
            | Treatment::Amount(_)
            | Treatment::Rate
            | Treatment::UnitPrice(_)
            | Treatment::PricingAmount(_)
            | Treatment::PricingUnitPrice(_)
            | Treatment::Class(_)
            | Treatment::Group(_)
            | Treatment::Use(_)
            | Treatment::ResourceType => "computed",
            Treatment::Tags => "allowed keys",
            Treatment::Ask | Treatment::Blank => "blank",
        }
    }

    /// Whether its texts may not name accounts outside of the group: only the payer may, where the operator allows the column.
    pub fn withholds(&self) -> bool {
        self.key != "bill_payer_account_id"
    }

    /// Whether the allow-list does not know the column.
    pub fn is_unknown(&self) -> bool {
        let of_cur = cur_columns::COLUMNS.binary_search_by_key(&self.key.as_str(), |(name, ..)| name);
        let of_focus = focus_columns::COLUMNS.iter().any(|(name, ..)| *name == self.name);
        of_cur.is_err() && !of_focus && Family::of(&self.key).is_none()
    }
}

#[cfg(test)]
mod tests {
    //! The allow-list can be searched.

    use super::cur_columns;

    #[test]
    fn the_table_is_in_order() {
        assert!(cur_columns::COLUMNS.is_sorted_by(|a, b| a.0 < b.0));
    }
}
