//! What holds when: the versions of cost categories over the months.
//!
//! A version holds from a month on; of those that hold for a month, the one that was recorded last does. So a change that begins later leaves earlier months as they
//! were, and one that begins earlier goes over what was said of the months from there on.

use super::kept::KeptCategory;
use super::rule::AccountNames;
use crate::error::{Answer, Error};
use crate::hash::hex;
use billing::period::BillingPeriod;
use query::cost_category::{Circle, CostCategory, in_order};
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
}

/// The cost categories that hold for a month, and what they are known by: while that is the same, so are they.
pub(crate) struct OfMonth<'a> {
    pub known_by: String,
    holding: Vec<(&'a Definition, &'a KeptCategory)>,
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
        let mut known_by = String::new();
        let mut holding = Vec::new();
        for (definition, version, kept) in self.holding(month) {
            known_by.push_str(&version.known_by);
            if kept.looks_at_names() {
                known_by.push_str(&format!(" {:x}", names.known_by()));
            }
            known_by.push('\n');
            holding.push((definition, kept));
        }
        OfMonth { known_by, holding, names }
    }

    /// Whether names and rules fit together in every month from one on: the first that does not is told.
    pub(super) fn check(&self, from: BillingPeriod, names: &AccountNames<'_>) -> Result<(), String> {
        let begin = self.all.iter().flat_map(|of| &of.versions).map(|version| version.from);
        let months: BTreeSet<BillingPeriod> = begin.filter(|month| *month > from).chain([from]).collect();
        for month in months {
            let mut known: BTreeMap<&str, &str> = BTreeMap::new();
            for (of, ..) in self.holding(month) {
                if let Some(other) = known.insert(&of.name, &of.id) {
                    return Err(format!(
                        "Name: `{}` is the name of `costcategory/{other}` in {month}; take another name, or begin later",
                        of.name
                    ));
                }
            }
            let of_month = self.of_month(month, names);
            if let Err(Circle(circle)) = in_order(of_month.by_name()?) {
                let circle: Vec<_> = circle.iter().map(|name| format!("`{name}`")).collect();
                return Err(format!(
                    "Rules: in {month} a cost category would be decided by itself: {}; take one of these rules away",
                    circle.join(" looks at ")
                ));
            }
        }
        Ok(())
    }
}

impl OfMonth<'_> {
    /// By name, so that a circle is told alike whenever it is met.
    fn by_name(&self) -> Result<Vec<CostCategory>, String> {
        let named: BTreeMap<&str, &KeptCategory> =
            self.holding.iter().map(|(of, kept)| (of.name.as_str(), *kept)).collect();
        named.into_iter().map(|(name, kept)| kept.category(name, self.names)).collect()
    }

    /// The cost categories, in an order in which each looks at earlier ones alone.
    pub fn categories(&self) -> Answer<Vec<CostCategory>> {
        let categories = self.by_name().map_err(Error::internal)?;
        in_order(categories).map_err(Error::internal)
    }
}

impl Definition {
    /// The version that holds for a month; where it ends, what it holds is nothing.
    #[must_use]
    pub fn holding(&self, month: BillingPeriod) -> Option<&Version> {
        self.versions.iter().rev().find(|version| version.from <= month)
    }

    /// The first month for which a version of it does not hold any more.
    #[must_use]
    pub fn end_of(&self, version: &Version) -> Option<BillingPeriod> {
        let later = self.versions.iter().filter(|other| other.number > version.number);
        // A change of tags says the same again.
        let other = later.filter(|other| other.from > version.from && other.known_by != version.known_by);
        other.map(|other| other.from).min()
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
        let kept = match row.is_deleted {
            true => None,
            false => Some(serde_json::from_str(&row.body).map_err(damaged)?),
        };
        let known_by = hex(&Sha256::digest(format!("{} {} {}", row.is_deleted, row.name, row.body)));
        Ok(Self { number: row.version, from: row.effective_from, kept, known_by })
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
        let family = BTreeMap::new();
        let check = |of: &Definitions, from| of.check(month(from), &AccountNames::of(&family));
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
}
