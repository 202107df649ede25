//! Billing groups below the account: lines that are a group's by their tags, cost categories or resources, whoever has the account.
//!
//! What a filter asks for is mostly the same for many classes: their account and their dimensions. So filters are tried once for each
//! pair of these, and a class looks its pair up. Of thousands of filters, a pair tries those that ask for a value that it has.

use crate::book::Book;
use crate::charge_class::{ChargeClass, Cube, KeyColumn, TextId, TextMap};
use crate::class_kind::{in_words, line_item_type};
use crate::commitment;
use crate::cost_line::LineItemType;
use crate::dimension::Kind;
use crate::line_filter::LineFilter;
use std::collections::{BTreeMap, HashMap};

/// The filters of all groups, by what they have to be tried on.
#[derive(Debug)]
pub(super) struct Below<'a> {
    /// Those of resources first, else in the order of the book.
    filters: Vec<OfGroup<'a>>,
    /// The filters that classes of an account and a dimension set may pass, in the same order.
    candidates: TextMap<(TextId, TextId), Vec<u32>>,
    /// Whether any line passes a filter, by place in `filters`.
    passed: Vec<bool>,
    clash: Option<Clash>,
}

/// A filter of a group.
#[derive(Debug)]
struct OfGroup<'a> {
    group: u32,
    /// Its place among the group's filters.
    place: usize,
    filter: &'a LineFilter,
    /// What of it asks for the account and the dimensions.
    of_dimensions: LineFilter,
}

impl OfGroup<'_> {
    /// A resource is more specific than what it is tagged with.
    const fn rank(&self) -> bool {
        self.filter.resources.is_empty()
    }

    fn in_words(&self, book: &Book) -> String {
        let name = &book.groups[self.group as usize].name;
        format!("billing group `{name}` (`lines`, entry {}: {})", self.place + 1, self.filter.in_words())
    }
}

/// Lines that two billing groups select.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The class, in words.
    pub class: String,
    /// The groups with their filters, as messages name them.
    pub groups: [String; 2],
}

impl<'a> Below<'a> {
    pub(super) fn new(cube: &Cube, book: &'a Book) -> Self {
        let mut filters = Vec::new();
        for (group, of) in (0..).zip(&book.groups) {
            filters.extend(of.lines.iter().enumerate().map(|(place, filter)| OfGroup {
                group,
                place,
                filter,
                of_dimensions: filter.of_dimensions(),
            }));
        }
        filters.sort_by_key(OfGroup::rank);
        let passed = vec![false; filters.len()];
        let mut below = Self { filters, candidates: TextMap::default(), passed, clash: None };
        if !below.filters.is_empty() {
            let by_value = ByValue::new(&below.filters);
            cube.classes.iter().for_each(|class| below.add_class(cube, book, &by_value, class));
        }
        below
    }

    /// Finds which filters may select a class's lines, and notes those that do, and two groups of which both do.
    fn add_class(&mut self, cube: &Cube, book: &Book, by_value: &ByValue<'_>, class: &ChargeClass) {
        let Some(pair) = pair(cube, class) else { return };
        let filters = &self.filters;
        let candidates = self.candidates.entry(pair).or_insert_with(|| {
            let mut numbers = by_value.of_pair(cube, pair);
            numbers.retain(|number| filters[*number as usize].of_dimensions.passes(cube, class));
            numbers
        });
        let mut first: Option<&OfGroup<'_>> = None;
        for number in candidates.iter().map(|number| *number as usize) {
            let of = &filters[number];
            if !of.filter.passes(cube, class) {
                continue;
            }
            self.passed[number] = true;
            match first {
                None => first = Some(of),
                Some(first) if first.group != of.group && first.rank() == of.rank() => {
                    self.clash.get_or_insert_with(|| Clash {
                        class: in_words(cube, class),
                        groups: [first.in_words(book), of.in_words(book)],
                    });
                }
                Some(_) => {}
            }
        }
    }

    /// The group that selects a class's lines.
    pub(super) fn group(&self, cube: &Cube, class: &ChargeClass) -> Option<u32> {
        if self.candidates.is_empty() {
            return None;
        }
        let candidates = self.candidates.get(&pair(cube, class)?)?;
        let mut filters = candidates.iter().map(|number| &self.filters[*number as usize]);
        let found = filters.find(|of| of.filter.is_of_dimensions() || of.filter.passes(cube, class));
        found.map(|of| of.group)
    }

    /// Lines that two groups select, if there are any: their month must not be priced.
    pub(super) const fn clash(&self) -> Option<&Clash> {
        self.clash.as_ref()
    }

    /// The filters that no line passes: the group, and which of its filters.
    pub(super) fn in_vain(&self) -> impl Iterator<Item = (u32, usize)> + '_ {
        let filters = self.filters.iter().zip(&self.passed);
        filters.filter(|(_, passed)| !**passed).map(|(of, _)| (of.group, of.place))
    }
}

/// A value that the lines of a filter must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Wanted<'a> {
    /// The account that used it.
    Account(&'a str),
    /// A value of a dimension, by kind and name.
    Value(Kind, &'a str, &'a str),
}

impl<'a> Wanted<'a> {
    /// What a filter asks for by value: of each condition, any will do.
    fn conditions(filter: &'a LineFilter) -> Vec<Vec<Self>> {
        let values = |kind, name: &'a str, values: &'a [String]| {
            values.iter().map(|value| Self::Value(kind, name, value)).collect::<Vec<_>>()
        };
        let by_name = |kind, of: &'a BTreeMap<String, Vec<String>>| {
            of.iter().map(move |(name, wanted)| values(kind, name, wanted))
        };
        let mut conditions = vec![
            values(Kind::Resource, "", &filter.resources),
            filter.accounts.iter().map(|account| Self::Account(account.as_str())).collect(),
        ];
        conditions.extend(by_name(Kind::Tag, &filter.tags));
        conditions.extend(by_name(Kind::CostCategory, &filter.cost_categories));
        conditions.retain(|condition| !condition.is_empty());
        conditions
    }
}

/// The numbers of filters by the values of one of their conditions: the one whose values the fewest filters ask for.
struct ByValue<'a> {
    numbers: HashMap<Wanted<'a>, Vec<u32>>,
    /// Filters that ask for no value.
    others: Vec<u32>,
}

impl<'a> ByValue<'a> {
    fn new(filters: &[OfGroup<'a>]) -> Self {
        let conditions: Vec<_> = filters.iter().map(|of| Wanted::conditions(of.filter)).collect();
        let mut asking: HashMap<Wanted<'a>, usize> = HashMap::new();
        conditions.iter().flatten().flatten().for_each(|wanted| *asking.entry(*wanted).or_default() += 1);
        let mut by_value = Self { numbers: HashMap::new(), others: Vec::new() };
        for (number, conditions) in (0..).zip(conditions) {
            let together =
                |condition: &Vec<Wanted<'_>>| condition.iter().map(|wanted| asking[wanted]).sum::<usize>();
            match conditions.into_iter().min_by_key(together) {
                None => by_value.others.push(number),
                Some(condition) => {
                    for wanted in condition {
                        by_value.numbers.entry(wanted).or_default().push(number);
                    }
                }
            }
        }
        by_value
    }

    /// The filters that a pair may pass, in order.
    fn of_pair(&self, cube: &Cube, (account, set): (TextId, TextId)) -> Vec<u32> {
        let mut numbers = self.others.clone();
        let mut add = |wanted| numbers.extend(self.numbers.get(&wanted).into_iter().flatten());
        add(Wanted::Account(cube.text(account)));
        for of in cube.dimension_sets.get(&set).into_iter().flatten() {
            add(Wanted::Value(of.kind, &of.name, &of.value));
        }
        numbers.sort_unstable();
        // A filter may list a value twice.
        numbers.dedup();
        numbers
    }
}

/// What a class is looked up by; none where no filter can select it. A commitment stays with the account that has bought it, and so does
/// what it costs, whatever tags its fees have.
fn pair(cube: &Cube, class: &ChargeClass) -> Option<(TextId, TextId)> {
    let set = class.text(KeyColumn::DimensionSet);
    if set == TextId::NULL {
        return None;
    }
    let stays = match line_item_type(cube, class) {
        LineItemType::RiFee | LineItemType::SavingsPlanRecurringFee | LineItemType::SavingsPlanUpfrontFee => {
            true
        }
        LineItemType::Fee => commitment::arn(cube, class).is_some(),
        _ => false,
    };
    (!stays).then(|| (class.text(KeyColumn::UsageAccount), set))
}

#[cfg(test)]
mod tests {
    //! The index finds what trying every filter finds.

    use super::*;
    use crate::account::AccountId;
    use crate::charge_class::{KEY_COLUMNS, MEASURES, Texts};
    use crate::dimension::DimensionValue;
    use crate::money::Quantity;
    use crate::period::BillingPeriod;

    const ACCOUNTS: [&str; 3] = ["111111111111", "222222222222", "333333333333"];

    /// A class of every account with every set of two teams, two stages, and a resource or none.
    fn cube() -> Cube {
        let mut texts = Texts::default();
        let class = |account, set| {
            let mut key = [TextId::NULL; KEY_COLUMNS];
            key[KeyColumn::UsageAccount as usize] = account;
            key[KeyColumn::DimensionSet as usize] = set;
            let sums = [Quantity::ZERO; MEASURES];
            ChargeClass { key, lines: 1, lines_without_net: 0, unblended_rate: TextId::NULL, sums }
        };
        let ids = (0..8).map(|set| texts.intern(&format!("set {set}"))).collect::<Vec<_>>();
        let accounts = ACCOUNTS.map(|account| texts.intern(account));
        let classes =
            accounts.iter().flat_map(|account| ids.iter().map(|set| class(*account, *set))).collect();
        let period = BillingPeriod::parse("2026-10").unwrap();
        let mut cube = Cube::new(period, None, texts, classes, BTreeMap::new());
        for set in 0..8_u32 {
            let value =
                |kind, name: &str, value: String| DimensionValue { kind, name: name.to_owned(), value };
            let mut values = vec![
                value(Kind::Tag, "team", format!("v{}", set & 1)),
                value(Kind::CostCategory, "stage", format!("v{}", set >> 1 & 1)),
            ];
            if set >= 4 {
                values.push(value(Kind::Resource, "", "i-1".to_owned()));
            }
            let id = cube.texts.find(&format!("set {set}")).unwrap();
            cube.dimension_sets.insert(id, values);
        }
        cube
    }

    #[test]
    fn a_pair_tries_every_filter_that_it_passes_and_few_others() {
        let values = |bits: usize| (0..2).filter(|n| bits >> n & 1 == 1).map(|n| format!("v{n}")).collect();
        let filters: Vec<LineFilter> = (0..128)
            .map(|bits: usize| LineFilter {
                accounts: if bits & 1 == 1 { vec![AccountId::parse(ACCOUNTS[0]).unwrap()] } else { vec![] },
                // Every value there is where a filter has the name alone.
                tags: if bits & 2 == 2 {
                    [("team".to_owned(), values(bits >> 3))].into()
                } else {
                    BTreeMap::new()
                },
                cost_categories: [("stage".to_owned(), values(bits >> 5))].into(),
                resources: if bits & 4 == 4 { vec!["i-1".to_owned(); 2] } else { vec![] },
                ..LineFilter::default()
            })
            .collect();
        let of = |(place, filter)| OfGroup {
            group: 0,
            place,
            filter,
            of_dimensions: LineFilter::of_dimensions(filter),
        };
        let filters: Vec<OfGroup<'_>> = filters.iter().enumerate().map(of).collect();
        let (cube, by_value) = (cube(), ByValue::new(&filters));
        let mut fewer = 0;
        for class in &cube.classes {
            let passes = |number: &u32| filters[*number as usize].of_dimensions.passes(&cube, class);
            let tried = by_value.of_pair(&cube, pair(&cube, class).unwrap());
            fewer += filters.len() - tried.len();
            let found: Vec<u32> = tried.into_iter().filter(passes).collect();
            assert_eq!(found, (0..128).filter(passes).collect::<Vec<u32>>());
            assert!(!found.is_empty());
        }
        assert!(fewer > 24 * 32, "{fewer} filters are not tried");
    }
}
