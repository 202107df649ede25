//! Dimensions: tags, cost categories and resources, by which an operator's reports, billing groups and policies tell lines apart.
//!
//! Lines with different values of a dimension that a book names are in different charge classes (the key column `DimensionSet`). What no
//! book names is not read.

use crate::book::Reports;
use crate::charge_class::Cube;
use std::collections::BTreeSet;

/// A kind of dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A cost category.
    CostCategory,
    /// A resource, by its id; it has no name.
    Resource,
    /// A resource tag.
    Tag,
}

impl Kind {
    /// The kind's name in messages.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::CostCategory => "cost category",
            Self::Resource => "resource",
            Self::Tag => "tag",
        }
    }
}

/// What a line has of one dimension.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DimensionValue {
    /// The kind.
    pub kind: Kind,
    /// The tag key, or the name of the cost category; empty for resources.
    pub name: String,
    /// The value; never empty.
    pub value: String,
}

/// Warnings of the dimensions of reports that no line of a month has.
#[must_use]
pub fn unused_by_reports(cube: &Cube, reports: &Reports) -> Vec<String> {
    let is_used = |kind: Kind, name: &str| {
        cube.dimension_sets.values().flatten().any(|of| of.kind == kind && of.name == name)
    };
    let categories = reports.cost_categories.iter().map(|name| (Kind::CostCategory, name));
    let named: BTreeSet<_> = categories.chain(reports.tags.iter().map(|name| (Kind::Tag, name))).collect();
    let unused = named.into_iter().filter(|(kind, name)| !is_used(*kind, name));
    let warning = |(kind, name): (Kind, &String)| {
        format!("no line has the {} `{name}` that the book's `reports` name", kind.in_words())
    };
    unused.map(warning).collect()
}

/// The dimensions that a book names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dimensions {
    /// Tag keys, as cost files have them: `user_project`.
    pub tags: BTreeSet<String>,
    /// Cost categories, by name.
    pub cost_categories: BTreeSet<String>,
    /// Resources, by id: lines of other resources are not told apart.
    pub resources: BTreeSet<String>,
}
