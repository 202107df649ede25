//! Dimensions: tags, cost categories and resources, by which an operator's reports, billing groups and policies tell lines apart.
//!
//! Lines with different values of a dimension that a book names are in different charge classes (the key column `DimensionSet`). What no
//! book names is not read.

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
