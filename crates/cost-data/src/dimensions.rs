//! Dimensions: the tags, cost categories and resources that a book tells lines apart by, and the parts of the month that its groups have.
//!
//! The values that a line has of them are one text, the key column `DimensionSet`: canonical JSON of kinds, names and values. Lines
//! without any have none, and without wanted dimensions nothing is read. A resource is kept only where the book names it, so that
//! classes stay few.

use crate::codes::Codes;
use crate::days::{Days, OTHER_DAY, SECONDS_OF_DAY};
use crate::layout::{Layout, snake_case};
use billing::account::AccountId;
use billing::charge_class::{ChargeClass, Cube, KeyColumn, TextId, Texts};
use billing::dimension::{self, DimensionValue, Kind};
use billing::period::date_text;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

/// The dimensions that are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dimensions {
    /// Tag keys as CUR 2.0 has them: `user_project`.
    pub tags: Vec<String>,
    /// Cost categories by name.
    pub cost_categories: Vec<String>,
    /// Resources by id: what lines of other resources have is not kept.
    #[serde(default)]
    pub resources: Vec<String>,
    /// The days on which another part of the month begins, since 1970-01-01, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cuts: Vec<i32>,
    /// The accounts whose lines are told apart by them; those of all where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cut_accounts: Vec<String>,
}

/// The kinds, with their names in a dimension set.
const KINDS: [(Kind, &str); 4] = [
    (Kind::CostCategory, "cost_category"),
    (Kind::PartOfMonth, "part_of_month"),
    (Kind::Resource, "resource"),
    (Kind::Tag, "tag"),
];

/// A kind's name in a dimension set.
const fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::CostCategory => KINDS[0].1,
        Kind::PartOfMonth => KINDS[1].1,
        Kind::Resource => KINDS[2].1,
        Kind::Tag => KINDS[3].1,
    }
}

/// The map column that holds all values of a kind, which is also how columns of one value begin; `None` where there is none.
const fn column_of(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::CostCategory => Some("cost_category"),
        Kind::PartOfMonth | Kind::Resource => None,
        Kind::Tag => Some("resource_tags"),
    }
}

impl From<&dimension::Dimensions> for Dimensions {
    fn from(wanted: &dimension::Dimensions) -> Self {
        let list = |names: &BTreeSet<String>| names.iter().cloned().collect();
        Self {
            tags: list(&wanted.tags),
            cost_categories: list(&wanted.cost_categories),
            resources: list(&wanted.resources),
            cuts: wanted.cuts.iter().copied().collect(),
            cut_accounts: wanted.cut_accounts.iter().map(ToString::to_string).collect(),
        }
    }
}

impl From<&Dimensions> for dimension::Dimensions {
    fn from(kept: &Dimensions) -> Self {
        let set = |names: &[String]| names.iter().cloned().collect();
        Self {
            tags: set(&kept.tags),
            cost_categories: set(&kept.cost_categories),
            resources: set(&kept.resources),
            cuts: kept.cuts.iter().copied().collect(),
            cut_accounts: kept.cut_accounts.iter().filter_map(|id| AccountId::parse(id)).collect(),
        }
    }
}

impl Dimensions {
    /// Every dimension once, in one order; resources are one.
    fn all(&self) -> BTreeSet<(Kind, &str)> {
        let categories = self.cost_categories.iter().map(|name| (Kind::CostCategory, name.as_str()));
        let resources = (!self.resources.is_empty()).then_some((Kind::Resource, ""));
        categories.chain(resources).chain(self.tags.iter().map(|name| (Kind::Tag, name.as_str()))).collect()
    }
}

/// Says in a cube by which dimensions it was read, and which values its lines have.
///
/// # Errors
/// A dimension set that is not one.
pub fn put_into(cube: &mut Cube, dimensions: dimension::Dimensions) -> Result<(), String> {
    let sets: BTreeSet<TextId> = cube.classes.iter().map(set_of).filter(|set| *set != TextId::NULL).collect();
    for set in sets {
        let values = values(&cube.texts, set)?;
        cube.dimension_sets.insert(set, values);
    }
    cube.dimensions = dimensions;
    Ok(())
}

const fn set_of(class: &ChargeClass) -> TextId {
    class.text(KeyColumn::DimensionSet)
}

/// Names and values by kind.
type Set = BTreeMap<String, BTreeMap<String, String>>;

/// The values in a dimension set.
fn values(texts: &Texts, set: TextId) -> Result<Vec<DimensionValue>, String> {
    let text = texts.get(set).unwrap_or_default();
    let set: Set = serde_json::from_str(text).map_err(|error| format!("dimension set `{text}`: {error}"))?;
    let mut all = Vec::new();
    for (name, values) in set {
        let kind = KINDS.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind);
        let kind = kind.ok_or_else(|| format!("dimension set `{text}`: `{name}` is no kind of dimension"))?;
        all.extend(values.into_iter().map(|(name, value)| DimensionValue { kind, name, value }));
    }
    Ok(all)
}

/// Where a dimension's values are in a file.
#[derive(Debug, Clone)]
pub struct DimensionColumn {
    pub kind: Kind,
    pub name: String,
    /// The column, and whether it is a map that holds the value under the dimension's name.
    pub place: usize,
    pub in_map: bool,
    /// The values that are kept, where not all are.
    only: Option<Arc<BTreeSet<String>>>,
}

/// The columns of the dimensions that a file has.
pub fn columns(layout: &Layout, dimensions: &Dimensions) -> Vec<DimensionColumn> {
    let wanted = Arc::new(dimensions.resources.iter().cloned().collect::<BTreeSet<String>>());
    let find = |(kind, name): (Kind, &str)| {
        let Some(map) = column_of(kind) else {
            let place = layout.resource_ids()?;
            let only = Some(Arc::clone(&wanted));
            return Some(DimensionColumn { kind, name: name.to_owned(), place, in_map: false, only });
        };
        // `resourceTags/user:Project`, `resource_tags_user_project` and `user_project` are one.
        let plain = |text: &str| snake_case(text).replace(":_", "_").replace(':', "_");
        let own = format!("{map}_{}", plain(name));
        let own = layout.columns().find(|(column, _)| plain(column) == own).map(|(_, place)| (place, false));
        let (place, in_map) = own.or_else(|| Some((layout.column(map)?, true)))?;
        Some(DimensionColumn { kind, name: name.to_owned(), place, in_map, only: None })
    };
    dimensions.all().into_iter().filter_map(find).collect()
}

impl DimensionColumn {
    /// Values without those that are not kept.
    pub fn kept(&self, codes: Codes) -> Codes {
        let Some(only) = &self.only else { return codes };
        let kept: Vec<Option<&str>> =
            codes.values.iter().map(|value| value.filter(|value| only.contains(*value))).collect();
        Codes::from_texts((0..codes.keys.len()).map(|row| kept[codes.place(row)?]))
    }
}

/// The parts of a month that lines are told apart by.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Stands for them in a dimension set.
    pub column: DimensionColumn,
    /// When they begin, in order.
    cuts: Vec<i32>,
    /// The accounts whose lines are told apart; those of all where there are none.
    accounts: BTreeSet<String>,
}

impl Parts {
    /// The parts that are wanted; `None` where the month is one.
    pub fn new(dimensions: &Dimensions) -> Option<Self> {
        let cuts = dimensions.cuts.clone();
        let of = DimensionColumn {
            kind: Kind::PartOfMonth,
            name: String::new(),
            place: 0,
            in_map: false,
            only: None,
        };
        let accounts = dimensions.cut_accounts.iter().cloned().collect();
        (!cuts.is_empty()).then_some(Self { column: of, cuts, accounts })
    }

    /// The parts of rows, by their accounts and days; lines that tell no day, or one outside the month, are in the part of the nearest day of the month, as they are
    /// wherever days are told apart.
    pub fn of(
        &self,
        rows: usize,
        accounts: Option<&Codes>,
        days: Option<&Days>,
        period: &Range<i64>,
    ) -> Codes {
        let is_cut = |account: Option<&str>| account.is_some_and(|account| self.accounts.contains(account));
        let cut_values: Option<Vec<bool>> = accounts
            .filter(|_| !self.accounts.is_empty())
            .map(|accounts| accounts.values.iter().map(is_cut).collect());
        let is_cut = |row: usize| match (&cut_values, accounts) {
            (Some(cut), Some(accounts)) => accounts.place(row).is_some_and(|place| cut[place]),
            _ => true,
        };
        let day = |seconds: i64| i32::try_from(seconds.div_euclid(SECONDS_OF_DAY)).unwrap_or(i32::MAX);
        let (first, last) = (day(period.start), day(period.end - 1));
        let outside: HashMap<usize, i32> =
            days.iter().flat_map(|days| days.outside.iter().copied()).collect();
        let day_of = |row: usize| match days.and_then(|days| days.of_month.get(row)) {
            Some(day) if *day != OTHER_DAY => first + i32::from(*day),
            _ => outside.get(&row).map_or(first, |day| (*day).clamp(first, last)),
        };
        let begins = |row| self.cuts.partition_point(|cut| *cut <= day_of(row));
        let texts: Vec<String> = self.cuts.iter().map(|cut| date_text(*cut)).collect();
        let part = |row| Some(texts[begins(row).checked_sub(1)?].as_str());
        Codes::from_texts((0..rows).map(|row| part(row).filter(|_| is_cut(row))))
    }
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
        set.entry(name_of(column.kind)).or_default().insert(&column.name, value);
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
        DimensionColumn { kind, name: name.to_owned(), place: 0, in_map: false, only: None }
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
        let mut texts = Texts::default();
        let set = texts.intern(both);
        let value = |kind, name: &str, value: &str| DimensionValue {
            kind,
            name: name.to_owned(),
            value: value.to_owned(),
        };
        let expected =
            vec![value(Kind::CostCategory, "Team", "a \"b\""), value(Kind::Tag, "user_project", "x")];
        assert_eq!(values(&texts, set), Ok(expected));
        let other = texts.intern(r#"{"colour":{"a":"b"}}"#);
        assert!(values(&texts, other).unwrap_err().contains("`colour` is no kind of dimension"));
    }

    #[test]
    fn only_wanted_resources_are_kept() {
        let ids = Codes::from_texts([Some("i-1"), None, Some("i-2"), Some("i-1")].into_iter());
        let only = Some(Arc::new(BTreeSet::from(["i-1".to_owned()])));
        let resources = DimensionColumn { only, ..column(Kind::Resource, "") };
        let sets = sets(4, &[(&resources, resources.kept(ids))]);
        let texts: Vec<_> = (0..4).map(|row| sets.text(row)).collect();
        let first = Some(r#"{"resource":{"":"i-1"}}"#);
        assert_eq!(texts, [first, None, None, first]);
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
            ..Dimensions::default()
        };
        let found: Vec<_> =
            columns(&layout, &wanted).into_iter().map(|column| (column.name, column.place)).collect();
        let expected = [("Team", 11), ("aws_created_by", 10), ("user_project", 9)];
        assert_eq!(found, expected.map(|(name, place)| (name.to_owned(), place)));
    }
}
