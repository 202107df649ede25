//! Dimensions: the tags and cost categories that the operator's reports keep apart.
//!
//! The values that a line has of them are one text, the key column `DimensionSet`: canonical JSON of kinds, names and values. Lines
//! without any have none, and without wanted dimensions nothing is read.

use crate::batch::Codes;
use crate::layout::{Layout, snake_case};
use billing::book::Reports;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The dimensions that are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dimensions {
    /// Tag keys as CUR 2.0 has them: `user_project`.
    pub tags: Vec<String>,
    /// Cost categories by name.
    pub cost_categories: Vec<String>,
}

/// A kind of dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A cost category.
    CostCategory,
    /// A resource tag.
    Tag,
}

impl Kind {
    /// The kind's name in a dimension set.
    const fn name(self) -> &'static str {
        match self {
            Self::CostCategory => "cost_category",
            Self::Tag => "tag",
        }
    }

    /// The map column that holds all values of the kind, which is also how columns of one value begin.
    const fn column(self) -> &'static str {
        match self {
            Self::CostCategory => "cost_category",
            Self::Tag => "resource_tags",
        }
    }
}

impl From<&Reports> for Dimensions {
    fn from(reports: &Reports) -> Self {
        Self { tags: reports.tags.clone(), cost_categories: reports.cost_categories.clone() }
    }
}

impl Dimensions {
    /// Every dimension once, in one order.
    fn all(&self) -> BTreeSet<(Kind, &str)> {
        let categories = self.cost_categories.iter().map(|name| (Kind::CostCategory, name.as_str()));
        categories.chain(self.tags.iter().map(|name| (Kind::Tag, name.as_str()))).collect()
    }

    /// Warnings of the dimensions that no line has, by the dimension sets that there are.
    pub(crate) fn unused<'a>(&self, sets: impl Iterator<Item = &'a str>) -> Vec<String> {
        let sets: Vec<Set> = sets.filter_map(|set| serde_json::from_str(set).ok()).collect();
        let is_used = |kind: Kind, name: &str| {
            sets.iter().any(|set| set.get(kind.name()).is_some_and(|values| values.contains_key(name)))
        };
        let unused = self.all().into_iter().filter(|(kind, name)| !is_used(*kind, name));
        unused
            .map(|(kind, name)| {
                format!(
                    "no line has the {} `{name}` that the book's `reports` name",
                    match kind {
                        Kind::CostCategory => "cost category",
                        Kind::Tag => "tag",
                    }
                )
            })
            .collect()
    }
}

/// Names and values by kind.
type Set = BTreeMap<String, BTreeMap<String, String>>;

/// The value of a dimension in a dimension set.
#[must_use]
pub fn value(set: &str, kind: Kind, name: &str) -> Option<String> {
    let mut set: Set = serde_json::from_str(set).ok()?;
    set.get_mut(kind.name())?.remove(name)
}

/// Where a dimension's values are in a file.
#[derive(Debug, Clone)]
pub struct DimensionColumn {
    pub kind: Kind,
    pub name: String,
    /// The column, and whether it is a map that holds the value under the dimension's name.
    pub place: usize,
    pub in_map: bool,
}

/// The columns of the dimensions that a file has.
pub fn columns(layout: &Layout, dimensions: &Dimensions) -> Vec<DimensionColumn> {
    let find = |(kind, name): (Kind, &str)| {
        // `resourceTags/user:Project`, `resource_tags_user_project` and `user_project` are one.
        let plain = |text: &str| snake_case(text).replace(":_", "_").replace(':', "_");
        let own = format!("{}_{}", kind.column(), plain(name));
        let own = layout.columns().find(|(column, _)| plain(column) == own).map(|(_, place)| (place, false));
        let (place, in_map) = own.or_else(|| Some((layout.column(kind.column())?, true)))?;
        Some(DimensionColumn { kind, name: name.to_owned(), place, in_map })
    };
    dimensions.all().into_iter().filter_map(find).collect()
}

/// The values of map columns whose maps are JSON texts.
pub fn from_json_maps(maps: &Codes, name: &str) -> Codes {
    let value = |text: Option<&str>| {
        let map: HashMap<String, Option<String>> = serde_json::from_str(text?).ok()?;
        map.get(name).cloned().flatten()
    };
    let values: Vec<Option<String>> = maps.values.iter().map(value).collect();
    let row = |row: usize| {
        let place = maps.place(row)?;
        values[place].as_deref()
    };
    Codes::from_texts((0..maps.keys.len()).map(row))
}

/// The dimension sets of rows by the values of every dimension; empty values are none.
pub fn sets(rows: usize, columns: &[(&DimensionColumn, Codes)]) -> Codes {
    let mut texts: Vec<Option<String>> = Vec::new();
    let mut known: HashMap<Vec<Option<usize>>, usize> = HashMap::new();
    let mut of_rows = Vec::with_capacity(rows);
    let mut places = Vec::with_capacity(columns.len());
    for row in 0..rows {
        places.clear();
        places.extend(columns.iter().map(|(_, codes)| codes.place(row)));
        let number = match known.get(&places) {
            Some(number) => *number,
            None => {
                texts.push(set_text(columns.iter().filter_map(|(column, codes)| {
                    Some((*column, codes.text(row).filter(|value| !value.is_empty())?))
                })));
                known.insert(places.clone(), texts.len() - 1);
                texts.len() - 1
            }
        };
        of_rows.push(number);
    }
    Codes::from_texts(of_rows.into_iter().map(|number| texts[number].as_deref()))
}

fn set_text<'a>(values: impl Iterator<Item = (&'a DimensionColumn, &'a str)>) -> Option<String> {
    let mut set: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for (column, value) in values {
        set.entry(column.kind.name()).or_default().insert(&column.name, value);
    }
    // Maps of texts always have a JSON form.
    (!set.is_empty()).then(|| serde_json::to_string(&set).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    //! Values of tags and categories, whatever column they come from.

    use super::*;
    use crate::layout;

    fn column(kind: Kind, name: &str) -> DimensionColumn {
        DimensionColumn { kind, name: name.to_owned(), place: 0, in_map: false }
    }

    #[test]
    fn sets_have_one_text() {
        let (team, project) = (column(Kind::CostCategory, "Team"), column(Kind::Tag, "user_project"));
        let teams = Codes::from_texts([Some("a \"b\""), None, None, Some("")].into_iter());
        let projects = Codes::from_texts([Some("x"), Some("y"), None, None].into_iter());
        let sets = sets(4, &[(&project, projects), (&team, teams)]);
        let texts: Vec<_> = (0..4).map(|row| sets.text(row)).collect();
        let both = r#"{"cost_category":{"Team":"a \"b\""},"tag":{"user_project":"x"}}"#;
        assert_eq!(texts, [Some(both), Some(r#"{"tag":{"user_project":"y"}}"#), None, None]);
        assert_eq!(value(both, Kind::CostCategory, "Team").as_deref(), Some("a \"b\""));
        assert_eq!(value(both, Kind::Tag, "Team"), None);
    }

    #[test]
    fn legacy_columns_are_found_by_their_tags() {
        let necessary = ["lineItem/UsageAmount", "bill/BillingPeriodStartDate", "bill/PayerAccountId"];
        let necessary = necessary.into_iter().chain([
            "lineItem/UsageAccountId",
            "lineItem/LineItemType",
            "lineItem/ProductCode",
            "lineItem/UsageType",
            "lineItem/UnblendedCost",
            "lineItem/CurrencyCode",
        ]);
        let header: Vec<String> = necessary
            .chain(["resourceTags/user:Project", "resourceTags/aws:createdBy", "costCategory/Team"])
            .map(ToOwned::to_owned)
            .collect();
        let layout = layout::detect(&header).unwrap();
        let wanted = Dimensions {
            tags: ["user_project", "aws_created_by", "user_none"].map(ToOwned::to_owned).into(),
            cost_categories: vec!["Team".to_owned()],
        };
        let found: Vec<_> =
            columns(&layout, &wanted).into_iter().map(|column| (column.name, column.place)).collect();
        let expected = [("Team", 11), ("aws_created_by", 10), ("user_project", 9)];
        assert_eq!(found, expected.map(|(name, place)| (name.to_owned(), place)));
    }

    #[test]
    fn what_no_line_has_is_warned_of() {
        let wanted =
            Dimensions { tags: vec!["user_project".to_owned()], cost_categories: vec!["Team".to_owned()] };
        let warnings = wanted.unused([r#"{"tag":{"user_project":"y"}}"#].into_iter());
        assert_eq!(warnings, ["no line has the cost category `Team` that the book's `reports` name"]);
    }
}
