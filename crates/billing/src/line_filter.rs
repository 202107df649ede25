//! Line filters: which lines a policy, or a billing group below the account, is about.

use crate::account::AccountId;
use crate::charge_class::{ChargeClass, Cube, KeyColumn};
use crate::class_kind::line_item_type;
use crate::cost_line::{LineItemType, is_support};
use crate::dimension::{Dimensions, Kind};
use std::collections::{BTreeMap, BTreeSet};

/// Conditions on lines. All that are given must hold; of the values of one, any. A filter without conditions passes everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineFilter {
    /// The accounts that used it.
    pub accounts: Vec<AccountId>,
    /// Service codes, else product codes.
    pub services: Vec<String>,
    /// Usage types.
    pub usage_types: Vec<String>,
    /// Line item types, as AWS writes them; `Support` is whatever a support plan charges, and `Discount` every type that ends so.
    pub line_item_types: Vec<String>,
    /// Regular text that the description must hold, letter by letter but for case.
    pub descriptions: Vec<String>,
    /// Tag values by tag key.
    pub tags: BTreeMap<String, Vec<String>>,
    /// Values by cost category.
    pub cost_categories: BTreeMap<String, Vec<String>>,
    /// Resource ids.
    pub resources: Vec<String>,
    /// Tag keys of which the line must have no value.
    pub without_tags: Vec<String>,
    /// Cost categories of which the line must have no value.
    pub without_cost_categories: Vec<String>,
}

impl LineFilter {
    /// Whether the filter lets a class of lines pass.
    #[must_use]
    pub fn passes(&self, cube: &Cube, class: &ChargeClass) -> bool {
        let value = |column| cube.value(class, column).unwrap_or_default();
        let among =
            |values: &[String], text: &str| values.is_empty() || values.iter().any(|value| value == text);
        let dimension = |kind, name: &str| cube.dimension(class, kind, name);
        let has = |kind, wanted: &BTreeMap<String, Vec<String>>| {
            wanted.iter().all(|(name, values)| dimension(kind, name).is_some_and(|of| among(values, of)))
        };
        let lacks = |kind, names: &[String]| names.iter().all(|name| dimension(kind, name).is_none());
        (self.accounts.is_empty()
            || self.accounts.iter().any(|a| a.as_str() == value(KeyColumn::UsageAccount)))
            && among(&self.services, cube.product(class))
            && among(&self.usage_types, value(KeyColumn::UsageType))
            && (self.line_item_types.is_empty()
                || self.line_item_types.iter().any(|name| is_of_type(cube, class, name)))
            && self.says(cube.value(class, KeyColumn::Description))
            && has(Kind::Tag, &self.tags)
            && has(Kind::CostCategory, &self.cost_categories)
            && (self.resources.is_empty()
                || dimension(Kind::Resource, "").is_some_and(|of| among(&self.resources, of)))
            && lacks(Kind::Tag, &self.without_tags)
            && lacks(Kind::CostCategory, &self.without_cost_categories)
    }

    /// Whether a description is one of those that are wanted.
    fn says(&self, description: Option<&str>) -> bool {
        let description = || description.unwrap_or_default().to_lowercase();
        self.descriptions.is_empty()
            || self.descriptions.iter().any(|part| description().contains(&part.to_lowercase()))
    }

    /// What of the filter asks for the account and the dimensions of a line.
    #[must_use]
    pub fn of_dimensions(&self) -> Self {
        Self {
            services: Vec::new(),
            usage_types: Vec::new(),
            line_item_types: Vec::new(),
            descriptions: Vec::new(),
            ..self.clone()
        }
    }

    /// What of the filter asks for line item types.
    #[must_use]
    pub fn of_types(&self) -> Self {
        Self { line_item_types: self.line_item_types.clone(), ..Self::default() }
    }

    /// Whether the filter asks for nothing but the account and the dimensions of a line, which are the same for many classes.
    #[must_use]
    pub fn is_of_dimensions(&self) -> bool {
        let others = [&self.services, &self.usage_types, &self.line_item_types, &self.descriptions];
        others.iter().all(|values| values.is_empty())
    }

    /// What the filter asks for, as messages show it: ``tag `user_team` = `payments` ``.
    #[must_use]
    pub fn in_words(&self) -> String {
        let by_name = |of: &BTreeMap<String, Vec<String>>, kind: Kind| {
            let one = |(name, values): (&String, &Vec<String>)| {
                format!("{} `{name}` = `{}`", kind.in_words(), values.join("`, `"))
            };
            of.iter().map(one).collect::<Vec<_>>()
        };
        let mut parts = by_name(&self.tags, Kind::Tag);
        parts.extend(by_name(&self.cost_categories, Kind::CostCategory));
        let accounts: Vec<String> = self.accounts.iter().map(ToString::to_string).collect();
        let lists = [
            ("resource", &self.resources),
            ("account", &accounts),
            ("service", &self.services),
            ("usage type", &self.usage_types),
            ("line item type", &self.line_item_types),
            ("description", &self.descriptions),
            ("no tag", &self.without_tags),
            ("no cost category", &self.without_cost_categories),
        ];
        let given = lists.into_iter().filter(|(_, values)| !values.is_empty());
        parts.extend(given.map(|(what, values)| format!("{what} `{}`", values.join("`, `"))));
        parts.join(", ")
    }

    /// Adds the dimensions that the filter tells lines apart by.
    pub fn add_dimensions(&self, to: &mut Dimensions) {
        to.tags.extend(self.tags.keys().chain(&self.without_tags).cloned());
        to.cost_categories.extend(self.cost_categories.keys().chain(&self.without_cost_categories).cloned());
        to.resources.extend(self.resources.iter().cloned());
    }

    /// Whether the filter asks for tags, cost categories or resources that lines have.
    #[must_use]
    pub fn names_dimensions(&self) -> bool {
        !(self.tags.is_empty() && self.cost_categories.is_empty() && self.resources.is_empty())
    }
}

/// The name that filters have for whatever a support plan charges.
pub const SUPPORT: &str = "Support";
/// The name that filters have for discounts of any programme.
pub const DISCOUNT: &str = "Discount";

/// Whether a class is of a line item type as filters name them.
#[must_use]
pub fn is_of_type(cube: &Cube, class: &ChargeClass, name: &str) -> bool {
    let kind = line_item_type(cube, class);
    let support =
        kind != LineItemType::Tax && cube.value(class, KeyColumn::ProductCode).is_some_and(is_support);
    match name {
        SUPPORT => support,
        // What a support plan charges is support, whatever its type.
        _ if support => false,
        DISCOUNT => kind == LineItemType::Discount,
        _ => cube.value(class, KeyColumn::LineItemType) == Some(name),
    }
}

/// Filters in their canonical form and one order: lines pass any of them.
#[must_use]
pub fn sorted(filters: &[LineFilter]) -> Vec<LineFilter> {
    let mut filters: Vec<LineFilter> = filters.iter().map(canonical).collect();
    filters.sort_by_cached_key(|filter| format!("{filter:?}"));
    filters
}

/// Every value once, in one order.
#[must_use]
pub fn canonical(filter: &LineFilter) -> LineFilter {
    fn once<T: Ord + Clone>(values: &[T]) -> Vec<T> {
        values.iter().cloned().collect::<BTreeSet<T>>().into_iter().collect()
    }
    let each = |of: &BTreeMap<String, Vec<String>>| {
        of.iter().map(|(name, values)| (name.clone(), once(values))).collect()
    };
    LineFilter {
        accounts: once(&filter.accounts),
        services: once(&filter.services),
        usage_types: once(&filter.usage_types),
        line_item_types: once(&filter.line_item_types),
        descriptions: once(&filter.descriptions),
        tags: each(&filter.tags),
        cost_categories: each(&filter.cost_categories),
        resources: once(&filter.resources),
        without_tags: once(&filter.without_tags),
        without_cost_categories: once(&filter.without_cost_categories),
    }
}
