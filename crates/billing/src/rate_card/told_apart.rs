//! Whether a month's lines can be told apart by what a book selects them by: tags, cost categories and resources.
//!
//! A filter of a tag that no line has selects nothing, silently, and its lines are billed to somebody else. So such a tag is refused by
//! name; a value that no line has is only worth a warning, for a team may well have used nothing this month.

use crate::abilities::{Ability, Feature};
use crate::book::Book;
use crate::charge_class::Cube;
use crate::dimension::{DimensionValue, Kind};
use crate::line_filter::LineFilter;
use crate::membership::Membership;
use std::collections::{BTreeMap, BTreeSet};

/// Why a level below another can select by nothing that only lines tell.
const NOT_HANDED_DOWN: &str = "the month is what a level above charges, which hands no tags, cost categories and resource ids down; select by \
                               accounts, services or usage types, or take the filter out";

/// What of a book's filters cannot be applied, and what only selects nothing; each names who selects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What cannot be applied: the month must not be priced.
    pub refused: BTreeSet<String>,
    /// What selects nothing.
    pub warnings: BTreeSet<String>,
}

/// Compares the dimensions that a book's filters name with those that a cube has.
#[must_use]
pub fn verdict(cube: &Cube, book: &Book) -> Verdict {
    let filters = book.line_filters(Some(cube.period));
    let mut verdict = days(cube, book);
    if filters.is_empty() {
        return verdict;
    }
    let carried = Carried::of(cube);
    for (who, filter) in filters {
        let refused: Vec<String> =
            named(filter).into_iter().filter_map(|named| refused(cube, &carried, &who, named)).collect();
        if refused.is_empty() {
            verdict.warnings.extend(without_lines(cube, &carried, &who, filter));
        }
        verdict.refused.extend(refused);
    }
    verdict
}

/// Groups that have not every day of a month whose lines were not told apart by days.
fn days(cube: &Cube, book: &Book) -> Verdict {
    let mut verdict = Verdict::default();
    let is_level = cube.abilities.of(Feature::Lines) == Ability::Absent;
    for group in &book.groups {
        if group.usage.within(cube.period).is_all() || group.days_are_told(&cube.dimensions) {
            continue;
        }
        let who = format!("billing group `{}`", group.name);
        if is_level {
            verdict.warnings.insert(format!(
                "{who}: `usage_from` and `usage_through` are passed over: the month is what a level above charges, which hands no days down"
            ));
        } else {
            verdict.refused.insert(format!(
                "{who} has not every day (`usage_from`, `usage_through`), by which the run was not read; run again with this book"
            ));
        }
    }
    verdict
}

/// Warnings of billing groups' filters that no line passes, although every value that they name is there.
#[must_use]
pub fn in_vain(cube: &Cube, book: &Book, membership: &Membership<'_>) -> Vec<String> {
    let in_vain = membership.filters_in_vain();
    let carried = Carried::of(cube);
    let in_vain = in_vain.into_iter().filter_map(|(group, place)| {
        let group = &book.groups[group as usize];
        let (who, filter) = (format!("billing group `{}`", group.name), &group.lines[place]);
        // Its values are warned of by themselves.
        let said = !without_lines(cube, &carried, &who, filter).is_empty();
        (!said).then(|| {
            let (place, words) = (place + 1, filter.in_words());
            format!("{who}: no line of {} passes entry {place} of its `lines`, {words}", cube.period)
        })
    });
    in_vain.chain(policies_in_vain(cube, book)).collect()
}

/// Warnings of policies' filters that no line passes, although every value that they name is there. A filter of credits, taxes and their like
/// is in vain only where there are some.
fn policies_in_vain(cube: &Cube, book: &Book) -> Vec<String> {
    let filters: Vec<(String, &LineFilter)> = book.policies.filters(Some(cube.period)).collect();
    if filters.is_empty() {
        return Vec::new();
    }
    let carried = Carried::of(cube);
    let passes = |filter: &LineFilter| cube.classes.iter().any(|class| filter.passes(cube, class));
    let in_vain = filters.into_iter().filter_map(|(who, filter)| {
        if passes(filter)
            || !passes(&filter.of_types())
            || !without_lines(cube, &carried, &who, filter).is_empty()
        {
            return None;
        }
        Some(format!("{who}: no line of {} passes its filter of {}", cube.period, filter.in_words()))
    });
    in_vain.collect()
}

/// The dimensions and values that lines have.
struct Carried<'a>(BTreeMap<(Kind, &'a str), BTreeSet<&'a str>>);

impl<'a> Carried<'a> {
    fn of(cube: &'a Cube) -> Self {
        let mut carried: BTreeMap<(Kind, &str), BTreeSet<&str>> = BTreeMap::new();
        for DimensionValue { kind, name, value } in cube.dimension_sets.values().flatten() {
            carried.entry((*kind, name)).or_default().insert(value);
        }
        Self(carried)
    }

    fn has(&self, kind: Kind, name: &str, value: &str) -> bool {
        self.0.get(&(kind, name)).is_some_and(|values| values.contains(value))
    }
}

/// A dimension that a filter names; of resources all that it names, of which a line must have one.
#[derive(Clone, Copy)]
enum Named<'a> {
    Tag(&'a str),
    CostCategory(&'a str),
    Resources(&'a [String]),
}

fn named(filter: &LineFilter) -> Vec<Named<'_>> {
    let tags = filter.tags.keys().chain(&filter.without_tags).map(|name| Named::Tag(name));
    let categories = filter.cost_categories.keys().chain(&filter.without_cost_categories);
    let resources = (!filter.resources.is_empty()).then_some(Named::Resources(&filter.resources));
    tags.chain(categories.map(|name| Named::CostCategory(name))).chain(resources).collect()
}

/// Why a dimension cannot be selected by, if it cannot.
fn refused(cube: &Cube, carried: &Carried<'_>, who: &str, named: Named<'_>) -> Option<String> {
    let (feature, absent) = match named {
        Named::Tag(_) => (Feature::Tags, "tags are not read from FOCUS files; price CUR files of the month"),
        Named::CostCategory(_) => (
            Feature::CostCategories,
            "cost categories are not read from FOCUS files; price CUR files of the month",
        ),
        Named::Resources(_) => (
            Feature::Resources,
            "the files have no resource ids (`line_item_resource_id`; FOCUS: `ResourceId`); let AWS deliver them",
        ),
    };
    let (kind, name, is_read, is_carried) = match named {
        Named::Tag(name) => {
            let is_carried = carried.0.contains_key(&(Kind::Tag, name));
            (Kind::Tag, name, cube.dimensions.tags.contains(name), is_carried)
        }
        Named::CostCategory(name) => {
            let is_carried = carried.0.contains_key(&(Kind::CostCategory, name));
            (Kind::CostCategory, name, cube.dimensions.cost_categories.contains(name), is_carried)
        }
        Named::Resources(ids) => {
            let unread = ids.iter().find(|id| !cube.dimensions.resources.contains(*id));
            let is_carried = ids.iter().any(|id| carried.has(Kind::Resource, "", id));
            let first = ids.first().map_or("", String::as_str);
            (Kind::Resource, unread.map_or(first, String::as_str), unread.is_none(), is_carried)
        }
    };
    let what = format!("{} `{name}`", kind.in_words());
    let is_level = cube.abilities.of(Feature::Lines) == Ability::Absent;
    let absent = if is_level { NOT_HANDED_DOWN } else { absent };
    if cube.abilities.of(feature) == Ability::Absent {
        return Some(format!("{who} names {what}, by which lines cannot be selected: {absent}"));
    }
    if !is_read {
        return Some(format!("{who} names {what}, by which the run was not read; run again with this book"));
    }
    let way_out = match kind {
        Kind::PartOfMonth => "no filter names days",
        Kind::Resource => "name its id as the cost files have it, or take it out",
        Kind::CostCategory => "write its name as the cost files have it, or take it out",
        Kind::Tag => {
            "write its key as CUR 2.0 has it (`user_team`), see that it is activated for cost allocation, or take it out"
        }
    };
    (!is_carried).then(|| format!("{who} names {what}, which no line of {} carries: {way_out}", cube.period))
}

/// Warnings of the values that no line has.
fn without_lines(cube: &Cube, carried: &Carried<'_>, who: &str, filter: &LineFilter) -> Vec<String> {
    let by_name = |kind: Kind, of: &BTreeMap<String, Vec<String>>| {
        let one = move |name: &String, value: &String| (kind, name.clone(), value.clone());
        of.iter().flat_map(|(name, values)| values.iter().map(|value| one(name, value))).collect::<Vec<_>>()
    };
    let mut values = by_name(Kind::Tag, &filter.tags);
    values.extend(by_name(Kind::CostCategory, &filter.cost_categories));
    values.extend(filter.resources.iter().map(|id| (Kind::Resource, String::new(), id.clone())));
    values.retain(|(kind, name, value)| !carried.has(*kind, name, value));
    let warning = |(kind, name, value): (Kind, String, String)| match kind {
        Kind::Resource => format!("{who}: no line of {} is of resource `{value}`", cube.period),
        kind => format!("{who}: no line of {} has {} `{name}` = `{value}`", cube.period, kind.in_words()),
    };
    values.into_iter().map(warning).collect()
}
