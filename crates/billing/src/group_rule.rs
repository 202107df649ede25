//! Rules that say which accounts of the organization a billing group has: by organizational unit, by tag, by name.

use crate::account::AccountId;
use crate::configuration::FamilyAccount;
use crate::organization::{UnitId, UnitTree};
use std::collections::BTreeSet;
use std::fmt;

/// How many selectors a rule may have.
pub const SELECTORS_MAX: usize = 50;

/// A rule of a billing group: the accounts that one of its selectors matches, without those that it excepts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupRule {
    /// One of them has to match.
    pub selectors: Vec<Selector>,
    /// The accounts that it takes in no case.
    pub except: BTreeSet<AccountId>,
}

/// What an account has to be: all that is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    /// In this unit, or anywhere below.
    pub unit: Option<UnitName>,
    /// With a tag of this key.
    pub tag: Option<TagSelector>,
    /// Of a name that fits.
    pub name: Option<NamePattern>,
}

/// How a unit is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnitName {
    /// By its id, whatever it is called.
    Id(UnitId),
    /// By the names from the root on.
    Path(Vec<String>),
}

/// A tag of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagSelector {
    /// Its key.
    pub key: String,
    /// Its values; empty is any.
    pub values: BTreeSet<String>,
}

/// A pattern of names: `*` stands for any text, `?` for one character; all else is itself, letter for letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePattern(String);

impl UnitName {
    /// A unit as somebody writes it: `ou-…`, `r-…`, or a path such as `Root/Customers/Harbor`. `None` for a path with an empty part.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(id) = UnitId::parse(text) {
            return Some(Self::Id(id));
        }
        let names: Vec<String> = text.split('/').map(|name| name.trim().to_owned()).collect();
        names.iter().all(|name| !name.is_empty()).then_some(Self::Path(names))
    }

    /// Whether a unit is the one that is named, or below it.
    #[must_use]
    pub fn has<'a>(&self, tree: &UnitTree<'a>, unit: &'a UnitId) -> bool {
        match self {
            Self::Id(id) => tree.upwards(unit).any(|(above, _)| above == id),
            Self::Path(names) => {
                let path = tree.path(unit);
                path.len() >= names.len() && path.iter().zip(names).all(|(at, name)| at == name)
            }
        }
    }

    /// Whether there is such a unit.
    #[must_use]
    pub fn is_there(
        &self,
        units: &std::collections::BTreeMap<UnitId, crate::organization::OrganizationalUnit>,
    ) -> bool {
        let tree = UnitTree::of(units);
        let there = units.iter().filter(|(_, unit)| unit.gone_at.is_none());
        match self {
            Self::Id(id) => tree.get(id).is_some(),
            Self::Path(names) => there.into_iter().any(|(id, _)| tree.path(id) == *names),
        }
    }
}

impl fmt::Display for UnitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Path(names) => f.write_str(&names.join("/")),
        }
    }
}

impl NamePattern {
    /// A pattern; `None` for an empty one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a name fits.
    #[must_use]
    pub fn fits(&self, name: &str) -> bool {
        let (pattern, name): (Vec<char>, Vec<char>) = (self.0.chars().collect(), name.chars().collect());
        let (mut p, mut n) = (0, 0);
        // Where the last `*` was, and how much of the name it has taken.
        let mut star: Option<(usize, usize)> = None;
        while n < name.len() {
            match pattern.get(p) {
                Some('*') => {
                    star = Some((p, n));
                    p += 1;
                }
                Some(&c) if c == '?' || c == name[n] => {
                    p += 1;
                    n += 1;
                }
                _ => {
                    let Some((at, taken)) = star else { return false };
                    star = Some((at, taken + 1));
                    p = at + 1;
                    n = taken + 1;
                }
            }
        }
        pattern[p..].iter().all(|c| *c == '*')
    }
}

impl Selector {
    /// Whether it says anything.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.unit.is_none() && self.tag.is_none() && self.name.is_none()
    }

    /// Whether it matches an account.
    #[must_use]
    pub fn matches<'a>(&self, tree: &UnitTree<'a>, account: &'a FamilyAccount) -> bool {
        let details = account.details.as_deref();
        let in_unit = |of: &UnitName| details.is_some_and(|details| of.has(tree, &details.unit));
        let tagged = |of: &TagSelector| {
            let value = details.and_then(|details| details.tags.get(&of.key));
            value.is_some_and(|value| of.values.is_empty() || of.values.contains(value))
        };
        let named = |of: &NamePattern| account.name.as_deref().is_some_and(|name| of.fits(name));
        !self.is_empty()
            && self.unit.as_ref().is_none_or(in_unit)
            && self.tag.as_ref().is_none_or(tagged)
            && self.name.as_ref().is_none_or(named)
    }
}

impl fmt::Display for Selector {
    /// What it asks for, in words that name no account.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = Vec::new();
        said.extend(self.unit.as_ref().map(|unit| format!("organizational unit `{unit}`")));
        said.extend(self.tag.as_ref().map(|tag| match tag.values.is_empty() {
            true => format!("tag `{}`", tag.key),
            false => {
                let values: Vec<_> = tag.values.iter().map(|value| format!("`{value}`")).collect();
                format!("tag `{}` = {}", tag.key, values.join(" or "))
            }
        }));
        said.extend(self.name.as_ref().map(|name| format!("name `{}`", name.0)));
        f.write_str(&said.join(" and "))
    }
}

impl GroupRule {
    /// The first selector that matches an account.
    #[must_use]
    pub fn matching<'a>(
        &self,
        tree: &UnitTree<'a>,
        id: &AccountId,
        account: &'a FamilyAccount,
    ) -> Option<&Selector> {
        if self.except.contains(id) {
            return None;
        }
        self.selectors.iter().find(|selector| selector.matches(tree, account))
    }
}

#[cfg(test)]
mod tests {
    //! Patterns, and what selectors ask for.

    use super::*;

    #[test]
    fn patterns_fit_whole_names() {
        for (pattern, name, fits) in [
            ("harbor-*", "harbor-prod", true),
            ("harbor-*", "the harbor-prod", false),
            ("*-prod", "harbor-prod", true),
            ("*-prod", "harbor-prod-2", false),
            ("h?rbor*", "härbor", true),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "ab", true),
            ("a*b*c", "abbc-c", true),
            ("a*b*c", "abbc-", false),
            ("harbor", "Harbor", false),
            ("*", "", true),
            ("?", "", false),
        ] {
            assert_eq!(NamePattern::parse(pattern).unwrap().fits(name), fits, "{pattern} {name}");
        }
        assert_eq!(NamePattern::parse(""), None);
    }

    #[test]
    fn a_selector_says_what_it_asks_for() {
        let selector = Selector {
            unit: UnitName::parse("Root/ Customers /Harbor"),
            tag: Some(TagSelector {
                key: "Customer".to_owned(),
                values: ["a".to_owned(), "b".to_owned()].into(),
            }),
            name: NamePattern::parse("h*"),
        };
        let said =
            "organizational unit `Root/Customers/Harbor` and tag `Customer` = `a` or `b` and name `h*`";
        assert_eq!(selector.to_string(), said);
        assert_eq!(UnitName::parse("Root//A"), None);
        assert!(matches!(UnitName::parse("ou-ab12-abcd1234"), Some(UnitName::Id(_))));
    }
}
