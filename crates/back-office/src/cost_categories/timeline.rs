//! What holds when: the versions of cost categories over the months.
//!
//! A version holds from a month on; of those that hold for a month, the one that was recorded last does. So a change that begins later leaves earlier months as they
//! were, and one that begins earlier goes over what was said of the months from there on.

use super::CATEGORIES_MAX;
use super::kept::KeptCategory;
use super::rule::AccountNames;
use crate::cost_explorer::CostExplorerRefusal;
use crate::error::{Answer, Error};
use crate::hash::hex;
use billing::period::BillingPeriod;
use query::cost_category::{Circle, CostCategory, in_order};
use query::dimension::Key;
use query::expression::Expression;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use store::CostCategoryRow;

/// The cost categories of a payer.
#[derive(Debug, Default)]
pub struct Definitions {
    /// As they were made.
    all: Vec<Definition>,
}

/// A cost category, through all of its versions.
#[derive(Debug)]
pub struct Definition {
    /// The last part of its ARN.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// When it was made, in seconds since 1970-01-01T00:00:00Z.
    pub created_at_s: i64,
    versions: Vec<Version>,
}

/// What a cost category says from a month on.
#[derive(Debug)]
pub struct Version {
    number: u64,
    /// The first month that it holds for.
    pub from: BillingPeriod,
    /// What it says; `None` where the cost category ends.
    pub kept: Option<KeptCategory>,
    known_by: String,
    /// The names of the cost categories that its rules look at.
    looks_at: BTreeSet<String>,
}

/// Which cost categories a question looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CategoriesAsked {
    /// All that there are.
    All,
    /// Some, by their names.
    Named(BTreeSet<String>),
}

/// The cost categories that hold for a month.
pub(crate) struct OfMonth<'a> {
    of_name: BTreeMap<&'a str, (&'a Version, &'a KeptCategory)>,
    names: &'a AccountNames<'a>,
}

/// A cost category that a question needs: one that it looks at, or that such a one looks at.
pub(crate) struct Needed<'a> {
    /// Its name.
    pub name: &'a str,
    /// What its values follow from beside a month's facts: while that is the same, so are they.
    pub known_by: String,
    kept: &'a KeptCategory,
    names: &'a AccountNames<'a>,
}

impl Definitions {
    /// What rows say: every version of each, by id and version.
    pub(super) fn of(rows: &[CostCategoryRow]) -> Answer<Self> {
        let mut all: Vec<Definition> = Vec::new();
        for of_one in rows.chunk_by(|one, other| one.id == other.id) {
            let versions = of_one.iter().map(Version::of).collect::<Answer<_>>()?;
            let Some(CostCategoryRow { id, name, tags, created_at_s, .. }) = of_one.last().cloned() else {
                continue;
            };
            all.push(Definition { id, name, tags, created_at_s, versions });
        }
        all.sort_by(|one, other| (one.created_at_s, &one.id).cmp(&(other.created_at_s, &other.id)));
        Ok(Self { all })
    }

    /// One that there is: one that was deleted is there for the months before.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Definition> {
        self.all.iter().find(|of| of.id == id)
    }

    /// The last version of each, by id: while they are the same, so is what all of them say.
    pub(crate) fn versions(&self) -> Vec<(String, u64)> {
        let last = |of: &Definition| of.versions.last().map_or(0, |version| version.number);
        self.all.iter().map(|of| (of.id.clone(), last(of))).collect()
    }

    /// Those that hold for a month, in the order in which they were made.
    pub fn holding(
        &self,
        month: BillingPeriod,
    ) -> impl Iterator<Item = (&Definition, &Version, &KeptCategory)> {
        self.all.iter().filter_map(move |of| {
            let version = of.holding(month)?;
            Some((of, version, version.kept.as_ref()?))
        })
    }

    /// Those that hold for a month, to be applied to its facts.
    pub(crate) fn of_month<'a>(&'a self, month: BillingPeriod, names: &'a AccountNames<'a>) -> OfMonth<'a> {
        let of_name = self.holding(month).map(|(of, version, kept)| (of.name.as_str(), (version, kept)));
        OfMonth { of_name: of_name.collect(), names }
    }

    /// Whether there are not too many, and names and rules fit together, in every month from one on: the first that is not so is told.
    pub(super) fn check(&self, from: BillingPeriod) -> Result<(), CostExplorerRefusal> {
        let begin = self.all.iter().flat_map(|of| &of.versions).map(|version| version.from);
        let months: BTreeSet<BillingPeriod> = begin.filter(|month| *month > from).chain([from]).collect();
        for month in months {
            let mut known: BTreeMap<&str, &str> = BTreeMap::new();
            for (of, ..) in self.holding(month) {
                if let Some(other) = known.insert(&of.name, &of.id) {
                    return Err(CostExplorerRefusal::Invalid(format!(
                        "Name: `{}` is the name of `costcategory/{other}` in {month}; take another name, or begin later",
                        of.name
                    )));
                }
            }
            if known.len() > CATEGORIES_MAX {
                return Err(CostExplorerRefusal::Quota(format!(
                    "the payer would have more than {CATEGORIES_MAX} cost categories in {month}, which has those that were deleted since; delete one, or begin with a later month"
                )));
            }
            let family = BTreeMap::new();
            let names = AccountNames::of(&family);
            if let Err(Circle(circle)) = self.of_month(month, &names).in_order(&CategoriesAsked::All) {
                let circle: Vec<_> = circle.iter().map(|name| format!("`{name}`")).collect();
                return Err(CostExplorerRefusal::Invalid(format!(
                    "Rules: in {month} a cost category would be decided by itself: {}; take one of these rules away",
                    circle.join(" looks at ")
                )));
            }
        }
        Ok(())
    }
}

impl CategoriesAsked {
    /// Those that a filter and the keys of groups name.
    #[must_use]
    pub fn of(group_by: &[Key], filter: Option<&Expression>) -> Self {
        let conditions = filter.into_iter().flat_map(Expression::conditions);
        let keys = group_by.iter().chain(conditions.map(|condition| &condition.key));
        Self::named(keys)
    }

    /// Those that some keys name.
    fn named<'k>(keys: impl Iterator<Item = &'k Key>) -> Self {
        Self::Named(keys.filter_map(category_of).map(str::to_owned).collect())
    }

    /// None.
    #[must_use]
    pub const fn none() -> Self {
        Self::Named(BTreeSet::new())
    }

    /// These and those that more filters name.
    #[must_use]
    pub fn and<'f>(self, filters: impl IntoIterator<Item = &'f Expression>) -> Self {
        let Self::Named(mut names) = self else { return self };
        let conditions = filters.into_iter().flat_map(Expression::conditions);
        names.extend(conditions.filter_map(|condition| category_of(&condition.key)).map(str::to_owned));
        Self::Named(names)
    }

    /// Whether one is among them.
    #[must_use]
    pub fn has(&self, key: &Key) -> bool {
        match (self, category_of(key)) {
            (Self::Named(names), Some(name)) => names.contains(name),
            (Self::All, _) | (_, None) => true,
        }
    }
}

/// The cost category that a key is.
fn category_of(key: &Key) -> Option<&str> {
    match key {
        Key::CostCategory(name) => Some(name),
        Key::Dimension(_) | Key::Tag(_) => None,
    }
}

impl<'a> OfMonth<'a> {
    /// Those that a question needs, in an order in which each looks at earlier ones alone.
    fn in_order(&self, asked: &CategoriesAsked) -> Result<Vec<&'a str>, Circle> {
        let find =
            |name: &str| self.of_name.get_key_value(name).map(|(name, (version, _))| (*name, *version));
        let mut next: Vec<(&'a str, &'a Version)> = match asked {
            CategoriesAsked::All => {
                self.of_name.iter().map(|(name, (version, _))| (*name, *version)).collect()
            }
            CategoriesAsked::Named(names) => names.iter().filter_map(|name| find(name)).collect(),
        };
        let mut looks_at: BTreeMap<&'a str, BTreeSet<&'a str>> = BTreeMap::new();
        while let Some((name, version)) = next.pop() {
            if looks_at.contains_key(name) {
                continue;
            }
            looks_at.insert(name, version.looks_at.iter().map(String::as_str).collect());
            next.extend(version.looks_at.iter().filter_map(|name| find(name)));
        }
        in_order(&looks_at)
    }

    /// Those that a question needs, in an order in which each looks at earlier ones alone.
    pub fn needed(&self, asked: &CategoriesAsked) -> Answer<Vec<Needed<'a>>> {
        let order = self.in_order(asked).map_err(Error::internal)?;
        let mut known: BTreeMap<&str, String> = BTreeMap::new();
        let needed = order.into_iter().filter_map(|name| {
            let (version, kept) = *self.of_name.get(name)?;
            let mut known_by = version.known_by.clone();
            if kept.looks_at_names() {
                known_by.push_str(&format!(" {:x}", self.names.known_by()));
            }
            // Files have those that are not here, and a run's files stay as they are.
            version
                .looks_at
                .iter()
                .filter_map(|name| known.get(name.as_str()))
                .for_each(|of| known_by.push_str(of));
            let known_by = hex(&Sha256::digest(known_by));
            known.insert(name, known_by.clone());
            Some(Needed { name, known_by, kept, names: self.names })
        });
        Ok(needed.collect())
    }
}

impl Needed<'_> {
    /// Its rules.
    pub fn category(&self) -> Answer<CostCategory> {
        self.kept.category(self.name, self.names).map_err(Error::internal)
    }
}

impl Definition {
    /// The version that holds for a month; where it ends, what it holds is nothing.
    #[must_use]
    pub fn holding(&self, month: BillingPeriod) -> Option<&Version> {
        self.versions.iter().rev().find(|version| version.from <= month)
    }

    /// The first month for which something else holds than a version of it says.
    #[must_use]
    pub fn end_of(&self, version: &Version) -> Option<BillingPeriod> {
        let begin: BTreeSet<BillingPeriod> = self.versions.iter().map(|other| other.from).collect();
        // A change of tags says the same again, and so may any other version.
        let is_other = |month: &BillingPeriod| {
            *month > version.from
                && self.holding(*month).is_none_or(|other| other.known_by != version.known_by)
        };
        begin.into_iter().find(is_other)
    }

    /// Whether it was deleted.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.versions.last().is_none_or(|version| version.kept.is_none())
    }
}

impl Version {
    fn of(row: &CostCategoryRow) -> Answer<Self> {
        let damaged = |error| Error::internal(format!("cost category `{}`: {error}", row.id));
        let kept: Option<KeptCategory> = match row.is_deleted {
            true => None,
            false => Some(serde_json::from_str(&row.body).map_err(damaged)?),
        };
        let known_by = hex(&Sha256::digest(format!("{} {} {}", row.is_deleted, row.name, row.body)));
        let looks_at = kept.as_ref().map(KeptCategory::looks_at).unwrap_or_default();
        Ok(Self { number: row.version, from: row.effective_from, kept, known_by, looks_at })
    }
}

#[cfg(test)]
mod tests {
    //! Which version holds when.

    use super::*;

    fn month(number: u8) -> BillingPeriod {
        BillingPeriod::new(2026, number).unwrap()
    }

    fn rule(value: &str, looks_at: &str) -> String {
        let name = if looks_at.is_empty() { "files" } else { looks_at };
        format!(
            r#"{{"Rules":[{{"Value":"{value}","Rule":{{"CostCategories":{{"Key":"{name}","Values":["x"]}}}},"Type":"REGULAR"}}]}}"#
        )
    }

    /// A cost category by its id, and its versions: the month of each, its value, or none where it ends, and what it looks at.
    type Said<'a> = (&'a str, &'a [(u8, &'a str, &'a str)]);

    /// Cost categories whose ids are their names.
    fn definitions(of: &[Said<'_>]) -> Definitions {
        let mut rows = Vec::new();
        for (id, versions) in of {
            for (number, (from, value, looks_at)) in versions.iter().enumerate() {
                rows.push(CostCategoryRow {
                    id: (*id).to_owned(),
                    version: number as u64 + 1,
                    recorded_at_s: 0,
                    created_at_s: 0,
                    is_deleted: value.is_empty(),
                    effective_from: month(*from),
                    name: id.trim_end_matches('2').to_owned(),
                    body: rule(value, looks_at),
                    tags: BTreeMap::new(),
                });
            }
        }
        Definitions::of(&rows).unwrap()
    }

    fn held(of: &Definitions, number: u8) -> Vec<String> {
        of.holding(month(number)).map(|(_, _, kept)| kept.values().join(" ")).collect()
    }

    #[test]
    fn of_what_holds_the_last_that_was_said_does() {
        let of = definitions(&[("a", &[(3, "one", ""), (6, "two", ""), (5, "three", ""), (9, "", "")])]);
        let expected = [
            (2, vec![]),
            (3, vec!["one"]),
            (4, vec!["one"]),
            (5, vec!["three"]),
            (8, vec!["three"]),
            (9, vec![]),
        ];
        for (number, values) in expected {
            assert_eq!(held(&of, number), values, "{number}");
        }
        let one = of.get("a").unwrap();
        assert!(one.is_deleted());
        assert_eq!(one.end_of(one.holding(month(4)).unwrap()), Some(month(5)));
        assert_eq!(one.end_of(one.holding(month(6)).unwrap()), Some(month(9)));
    }

    #[test]
    fn months_are_checked_each_by_itself() {
        let check = |of: &Definitions, from| of.check(month(from)).map_err(|refusal| refusal.to_string());
        let twice = definitions(&[("a", &[(3, "x", ""), (6, "", "")]), ("a2", &[(5, "x", "")])]);
        assert!(check(&twice, 5).unwrap_err().contains("in 2026-05"));
        assert_eq!(check(&twice, 6), Ok(()));
        // Each looks at the other, in different months.
        let apart =
            definitions(&[("a", &[(3, "x", "b"), (6, "x", "")]), ("b", &[(3, "x", ""), (6, "x", "a")])]);
        assert_eq!(check(&apart, 3), Ok(()));
        let circle = definitions(&[("a", &[(3, "x", "b")]), ("b", &[(3, "x", ""), (6, "x", "a")])]);
        let message = check(&circle, 3).unwrap_err();
        assert!(
            message.contains("in 2026-06") && message.contains("`a` looks at `b` looks at `a`"),
            "{message}"
        );
    }

    #[test]
    fn what_is_said_again_has_not_ended_in_between() {
        let of = definitions(&[("a", &[(3, "one", ""), (6, "two", ""), (6, "one", ""), (9, "two", "")])]);
        let one = of.get("a").unwrap();
        assert_eq!(held(&of, 7), ["one"]);
        for number in [4, 7] {
            assert_eq!(one.end_of(one.holding(month(number)).unwrap()), Some(month(9)), "{number}");
        }
        let of = definitions(&[("a", &[(3, "one", ""), (6, "", ""), (5, "one", "")])]);
        let one = of.get("a").unwrap();
        assert_eq!(one.end_of(one.holding(month(3)).unwrap()), None);
    }

    #[test]
    fn as_many_as_are_allowed_hold_for_a_past_month_too() {
        let ids: Vec<String> = (0..=CATEGORIES_MAX).map(|number| format!("c{number}c")).collect();
        // All of them held for the months 3 and 4; most have ended since.
        let versions: [(u8, &str, &str); 2] = [(3, "x", ""), (5, "", "")];
        let ended: Vec<Said<'_>> = ids.iter().map(|id| (id.as_str(), &versions[..])).collect();
        let of = definitions(&ended);
        let refused = of.check(month(4)).unwrap_err();
        assert!(
            matches!(&refused, CostExplorerRefusal::Quota(of) if of.contains("more than 50 cost categories in 2026-04")),
            "{refused}"
        );
        assert_eq!(of.check(month(5)), Ok(()));
        assert_eq!(definitions(&ended[1..]).check(month(3)), Ok(()));
    }

    #[test]
    fn a_question_needs_what_it_names_and_what_that_looks_at() {
        let family = BTreeMap::new();
        let names = AccountNames::of(&family);
        let asked = |of: &[&str]| CategoriesAsked::Named(of.iter().map(|name| (*name).to_owned()).collect());
        let needed = |of: &Definitions, asked: &CategoriesAsked| {
            let needed = of.of_month(month(4), &names).needed(asked).unwrap().into_iter();
            needed.map(|of| (of.name.to_owned(), of.known_by)).collect::<Vec<_>>()
        };
        let of = definitions(&[("a", &[(3, "x", "b")]), ("b", &[(3, "x", "")]), ("c", &[(3, "x", "")])]);
        let of_names =
            |found: &[(String, String)]| found.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert!(needed(&of, &CategoriesAsked::none()).is_empty());
        assert!(needed(&of, &asked(&["files"])).is_empty());
        assert_eq!(of_names(&needed(&of, &asked(&["a"]))), ["b", "a"]);
        assert_eq!(of_names(&needed(&of, &CategoriesAsked::All)), ["b", "a", "c"]);
        // What is looked at being another, so are the values; of others nothing changes.
        let other = definitions(&[("a", &[(3, "x", "b")]), ("b", &[(3, "y", "")]), ("c", &[(3, "z", "")])]);
        assert_ne!(needed(&of, &asked(&["a"]))[1], needed(&other, &asked(&["a"]))[1]);
        let only_c = definitions(&[("a", &[(3, "x", "b")]), ("b", &[(3, "x", "")]), ("c", &[(3, "z", "")])]);
        assert_eq!(needed(&of, &asked(&["a"])), needed(&only_c, &asked(&["a"])));
    }
}
