//! Billing views: which part of a payer's cost somebody looks at, by ARN, and which views may be made of which others.
//!
//! Sources: the service model of AWS Billing, version 2023-09-07; AWS Billing Conductor user guide. The primary view and the views of billing groups follow from the configuration and are kept nowhere; a
//! custom view is made of others, its sources, and narrows them by a filter. How many there may be and how deep they may stand upon each other is ours.

use crate::account::AccountId;
use crate::arn::Arn;
use crate::configuration::BillingGroupId;
use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
mod tests;

/// How many custom views a payer has at most.
pub const VIEWS_MAX: usize = 1_000;
/// How many sources a view has at most.
pub const SOURCES_MAX: usize = 20;
/// How many custom views stand upon each other at most.
pub const DEPTH_MAX: usize = 5;
/// How many tags a view has at most.
pub const TAGS_MAX: usize = 200;

/// The id of the primary view.
const PRIMARY: &str = "primary";
/// How ids of views of billing groups begin.
const OF_GROUP: &str = "billing-group-";
/// How ids of custom views begin.
const CUSTOM: &str = "custom-";

/// What the ARN of a view names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ViewName {
    /// All that AWS charges the payer.
    Primary,
    /// The pro forma of a billing group.
    Group(BillingGroupId),
    /// What somebody has made of others, by the last part of its id.
    Custom(String),
}

impl ViewName {
    /// What an ARN of a payer's views names; `None` where it is another payer's, or none.
    #[must_use]
    pub fn parse(payer: &AccountId, arn: &str) -> Option<Self> {
        let id = Arn::resource(arn, "billing", payer)?.strip_prefix("billingview/")?;
        if id == PRIMARY {
            return Some(Self::Primary);
        }
        match id.strip_prefix(OF_GROUP) {
            Some(group) => BillingGroupId::parse(group).map(Self::Group),
            None => id.strip_prefix(CUSTOM).filter(|id| !id.is_empty()).map(|id| Self::Custom(id.to_owned())),
        }
    }

    /// The ARN under a payer.
    #[must_use]
    pub fn arn(&self, payer: &AccountId) -> String {
        let id = match self {
            Self::Primary => PRIMARY.to_owned(),
            Self::Group(group) => format!("{OF_GROUP}{group}"),
            Self::Custom(id) => format!("{CUSTOM}{id}"),
        };
        format!("arn:aws:billing::{payer}:billingview/{id}")
    }
}

/// By what a view narrows its sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewFilter {
    /// Lines with one of some values; `None` is every line.
    pub lines: Option<FilterLines>,
    /// The first instant, in seconds since 1970-01-01T00:00:00Z.
    pub begin_s: Option<i64>,
    /// The last instant.
    pub end_s: Option<i64>,
}

/// Which lines a view has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilterLines {
    /// Those of these accounts.
    Accounts(Vec<String>),
    /// Those with one of these values of a tag.
    Tag(String, Vec<String>),
    /// Those with one of these values of a cost category.
    CostCategory(String, Vec<String>),
}

/// A custom view, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomView {
    /// The last part of its id.
    pub id: String,
    /// Unique among those of the payer.
    pub name: String,
    /// What the operator says of it.
    pub description: Option<String>,
    /// What it is made of, at least one.
    pub sources: BTreeSet<ViewName>,
    /// By what it narrows them.
    pub filter: Option<ViewFilter>,
}

/// Why a view is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unhealthy {
    /// A view that it is made of is not there any more.
    SourceNotFound,
    /// A view that it is made of is not healthy itself.
    SourceUnhealthy,
}

impl Unhealthy {
    /// The name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SourceNotFound => "SOURCE_VIEW_NOT_FOUND",
            Self::SourceUnhealthy => "SOURCE_VIEW_UNHEALTHY",
        }
    }
}

/// Why a view may not be so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A member of the input is at fault.
    Invalid {
        /// Which.
        field: &'static str,
        /// The thing, the value and the way out.
        message: String,
    },
    /// A source is not there.
    NoSource(ViewName),
    /// A source is not healthy.
    Unhealthy(ViewName),
    /// Another view, of this id, has the name.
    NameTaken(String),
    /// There are as many as there may be.
    Quota {
        /// The quota, as programs know it.
        code: &'static str,
        /// The limit in words, and the way out.
        message: String,
    },
}

/// The views that there are: custom ones by id, and the billing groups that there are or were.
#[derive(Clone, Copy)]
pub struct Views<'a> {
    /// The custom views.
    pub custom: &'a BTreeMap<String, CustomView>,
    /// Whether there is or was a billing group.
    pub has_group: &'a dyn Fn(&BillingGroupId) -> bool,
}

impl Views<'_> {
    /// Whether a view is there.
    #[must_use]
    pub fn has(&self, name: &ViewName) -> bool {
        match name {
            ViewName::Primary => true,
            ViewName::Group(group) => (self.has_group)(group),
            ViewName::Custom(id) => self.custom.contains_key(id),
        }
    }

    /// What is wrong with a view that is there; nothing where it is healthy. What is derived always is.
    #[must_use]
    pub fn unhealthy(&self, name: &ViewName) -> BTreeSet<Unhealthy> {
        let Some(view) = self.custom_of(name) else { return BTreeSet::new() };
        self.unhealthy_among(name, &self.whole_of(&self.within(view)))
    }

    /// The same where it is known which custom views are whole, by id.
    #[must_use]
    pub fn unhealthy_among(&self, name: &ViewName, whole: &BTreeSet<String>) -> BTreeSet<Unhealthy> {
        let sources = self.custom_of(name).into_iter().flat_map(|view| &view.sources);
        let wrong = |source: &ViewName| match (self.has(source), source) {
            (false, _) => Some(Unhealthy::SourceNotFound),
            (true, ViewName::Custom(id)) if !whole.contains(id) => Some(Unhealthy::SourceUnhealthy),
            (true, _) => None,
        };
        sources.filter_map(wrong).collect()
    }

    /// The custom views of which every part is there, by id.
    #[must_use]
    pub fn whole(&self) -> BTreeSet<String> {
        self.whole_of(&self.bottom_up())
    }

    /// The same of some, each standing behind those that it is made of.
    fn whole_of(&self, order: &[&CustomView]) -> BTreeSet<String> {
        let mut whole = BTreeSet::new();
        for view in order {
            let is_whole = |source: &ViewName| match source {
                ViewName::Custom(id) => whole.contains(id),
                derived => self.has(derived),
            };
            if view.sources.iter().all(is_whole) {
                whole.insert(view.id.clone());
            }
        }
        whole
    }

    /// The custom view of a name.
    fn custom_of(&self, name: &ViewName) -> Option<&CustomView> {
        match name {
            ViewName::Custom(id) => self.custom.get(id),
            ViewName::Primary | ViewName::Group(_) => None,
        }
    }

    /// The custom views that have a view as their source, by id.
    #[must_use]
    pub fn derived(&self, name: &ViewName) -> Vec<&CustomView> {
        self.custom.values().filter(|view| view.sources.contains(name)).collect()
    }

    /// What a view is made of in the end: the primary view, billing groups. `None` where a part of it is gone.
    #[must_use]
    pub fn leaves(&self, name: &ViewName) -> Option<BTreeSet<ViewName>> {
        let Some(view) = self.custom_of(name) else { return self.has(name).then(|| [name.clone()].into()) };
        let within = self.within(view);
        let sources = || within.iter().flat_map(|view| &view.sources);
        let is_custom = |source: &&ViewName| matches!(source, ViewName::Custom(_));
        sources()
            .all(|source| self.has(source))
            .then(|| sources().filter(|of| !is_custom(of)).cloned().collect())
    }

    /// The custom views that a view is made of by way of others, itself among them: each once, behind those that it is made of.
    #[must_use]
    pub fn within<'v>(&'v self, view: &'v CustomView) -> Vec<&'v CustomView> {
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        self.place(view, &mut seen, &mut found);
        found
    }

    /// All custom views, each behind those that it is made of.
    #[must_use]
    pub fn bottom_up(&self) -> Vec<&CustomView> {
        let (mut found, mut seen) = (Vec::with_capacity(self.custom.len()), BTreeSet::new());
        self.custom.values().for_each(|view| self.place(view, &mut seen, &mut found));
        found
    }

    /// Places a view behind those that it is made of. Those that were seen are not looked into again: a few views may lead to each other in millions of ways.
    fn place<'v>(
        &'v self,
        view: &'v CustomView,
        seen: &mut BTreeSet<&'v str>,
        found: &mut Vec<&'v CustomView>,
    ) {
        if !seen.insert(&view.id) {
            return;
        }
        view.sources
            .iter()
            .filter_map(|source| self.custom_of(source))
            .for_each(|of| self.place(of, seen, found));
        found.push(view);
    }

    /// How many ways a view has down to what is charged.
    #[must_use]
    pub fn ways(&self, name: &ViewName) -> usize {
        let sum = |one: usize, other: usize| one.saturating_add(other);
        self.counted(name, |sources| sources.into_iter().fold(0, sum), 1)
    }

    /// How many custom views stand upon each other up to this one.
    fn depth(&self, name: &ViewName) -> usize {
        self.counted(name, |sources| 1 + sources.into_iter().max().unwrap_or_default(), 0)
    }

    /// A number of a view that follows from those of its sources; `derived` is that of what is not custom.
    fn counted(&self, name: &ViewName, of: impl Fn(Vec<usize>) -> usize, derived: usize) -> usize {
        let Some(view) = self.custom_of(name) else { return derived };
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        for view in self.within(view) {
            let source = |source: &ViewName| match source {
                ViewName::Custom(id) => known.get(id.as_str()).copied().unwrap_or_default(),
                ViewName::Primary | ViewName::Group(_) => derived,
            };
            let number = of(view.sources.iter().map(source).collect());
            known.insert(&view.id, number);
        }
        known.get(view.id.as_str()).copied().unwrap_or_default()
    }

    /// How many custom views stand upon a view.
    fn height(&self, name: &ViewName) -> usize {
        let mut level = BTreeSet::from([name.clone()]);
        for height in 0..=self.custom.len() {
            let above = self.custom.values().filter(|view| !view.sources.is_disjoint(&level));
            level = above.map(|view| ViewName::Custom(view.id.clone())).collect();
            if level.is_empty() {
                return height;
            }
        }
        self.custom.len()
    }

    /// Whether a new view may stand beside those that there are.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check_new(&self, new: &CustomView) -> Result<(), Refusal> {
        if self.custom.len() >= VIEWS_MAX {
            let message = format!(
                "the payer has {VIEWS_MAX} custom billing views, the most that are allowed; delete one first"
            );
            return Err(Refusal::Quota { code: "MAX_CUSTOM_BILLING_VIEWS", message });
        }
        self.check_name(new)?;
        self.check_filter(new)?;
        self.check_sources(new, &new.sources)
    }

    /// Whether a view may have another name, description or filter.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check_changed(&self, changed: &CustomView) -> Result<(), Refusal> {
        let name = ViewName::Custom(changed.id.clone());
        if !self.unhealthy(&name).is_empty() {
            return Err(Refusal::Unhealthy(name));
        }
        self.check_name(changed)?;
        self.check_filter(changed)
    }

    fn check_name(&self, view: &CustomView) -> Result<(), Refusal> {
        let other = self.custom.values().find(|other| other.name == view.name && other.id != view.id);
        other.map_or(Ok(()), |other| Err(Refusal::NameTaken(other.id.clone())))
    }

    fn check_filter(&self, view: &CustomView) -> Result<(), Refusal> {
        let Some(filter) = &view.filter else { return Ok(()) };
        let invalid = |message: String| Err(Refusal::Invalid { field: "dataFilterExpression", message });
        if filter.lines.is_none() && filter.begin_s.is_none() && filter.end_s.is_none() {
            return invalid(
                "the filter is empty; give dimensions, tags, costCategories or timeRange, or leave it out"
                    .to_owned(),
            );
        }
        if let (Some(begin), Some(end)) = (filter.begin_s, filter.end_s)
            && end < begin
        {
            return invalid(format!(
                "timeRange ends at {end}, before it begins at {begin}; exchange the two"
            ));
        }
        if let Some(FilterLines::Accounts(accounts)) = &filter.lines {
            let is_account = |text: &&String| AccountId::parse(text).is_some_and(|of| of.has_twelve_digits());
            if let Some(text) = accounts.iter().find(|text| !is_account(text)) {
                return invalid(format!("LINKED_ACCOUNT `{text}` is no account id, which has twelve digits"));
            }
        }
        Ok(())
    }

    /// Whether a view may be made of some views beside those that it is made of already.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check_sources(&self, view: &CustomView, added: &BTreeSet<ViewName>) -> Result<(), Refusal> {
        let invalid = |message: String| Err(Refusal::Invalid { field: "sourceViews", message });
        let own = ViewName::Custom(view.id.clone());
        for source in added {
            if !self.has(source) {
                return Err(Refusal::NoSource(source.clone()));
            }
            if !self.unhealthy(source).is_empty() {
                return Err(Refusal::Unhealthy(source.clone()));
            }
            let is_within = |name: &ViewName| {
                let ViewName::Custom(id) = name else { return false };
                self.custom.get(id).is_some_and(|of| self.within(of).iter().any(|part| part.id == view.id))
            };
            if *source == own || is_within(source) {
                return invalid(
                    "the billing view would be made of itself; leave out what is made of it".to_owned(),
                );
            }
            let depth = self.depth(source) + 1 + self.height(&own);
            if depth > DEPTH_MAX {
                return invalid(format!(
                    "{depth} custom billing views would stand upon each other, at most {DEPTH_MAX} may; take a view that is nearer to the billing groups"
                ));
            }
        }
        let count = view.sources.union(added).count();
        if count > SOURCES_MAX {
            let message = format!(
                "the billing view would have {count} source views, at most {SOURCES_MAX} are allowed; make a view of some of them first"
            );
            return Err(Refusal::Quota { code: "MAX_SOURCE_VIEWS", message });
        }
        Ok(())
    }
}
