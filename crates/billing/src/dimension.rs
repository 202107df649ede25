//! Dimensions: tags, cost categories and resources, by which an operator's reports, billing groups and policies tell lines apart; and parts of
//! a month, where a billing group has not the whole of it.
//!
//! Lines with different values of a dimension that a book names are in different charge classes (the key column `DimensionSet`). What no
//! book names is not read.

use crate::account::AccountId;
use std::collections::BTreeSet;

/// A kind of dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A cost category.
    CostCategory,
    /// The part of the month in which the usage starts, by the day on which the part begins; it has no name.
    PartOfMonth,
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
            Self::PartOfMonth => "part of the month from",
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
    /// The days on which another part of the month begins, since 1970-01-01.
    pub cuts: BTreeSet<i32>,
    /// The accounts whose lines are told apart by parts of the month; those of all where there are none. What other groups are charged by line stays
    /// as it is.
    pub cut_accounts: BTreeSet<AccountId>,
}
