//! Answers: the facts of months, filtered, grouped and summed.

use crate::dimension::{Dimension, Key};
use crate::expression::Expression;
use crate::facts::{Metric, Missing, MonthFacts, Table, Whose};
use crate::question::{Granularity, NO_UNIT, Query, Row, Slice, Value};
use billing::charge_class::{TextId, TextMap};
use billing::money::{Cost, DecimalError};
use billing::period::BillingPeriod;
use std::collections::BTreeSet;
use std::ops::Range;

/// What of a month whoever asks sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Whose cost it is.
    pub cost: Costs,
    /// The accounts; `None` is all of them.
    pub accounts: Option<BTreeSet<String>>,
    /// What lines must have beside what is asked for: the filters of a custom view.
    pub filter: Option<Expression>,
    /// The days, counted since 1970-01-01 and the last one excluded; `None` is all of them.
    pub days: Option<Range<i32>>,
}

/// Whose cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Costs {
    /// What AWS charges the payer.
    Aws,
    /// What some billing groups are charged, by number in the facts: pro forma in every metric.
    ProForma(BTreeSet<u32>),
}

/// A month that is asked.
#[derive(Debug, Clone, Copy)]
pub struct Month<'a> {
    /// The month.
    pub period: BillingPeriod,
    /// Its facts; `None` where there are none yet.
    pub facts: Option<&'a MonthFacts>,
    /// What of it is seen: the sum of these, each by itself. Several are the parts of a custom view.
    pub scopes: &'a [Scope],
    /// Whether it may still change.
    pub estimated: bool,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A metric that the month does not have.
    #[error("{} is not known of {period}: {why}", metric.name())]
    Unknown {
        /// The metric.
        metric: Metric,
        /// The month.
        period: BillingPeriod,
        /// Why, and the way out.
        why: &'static str,
    },
    /// Reservations that the month cannot tell.
    #[error(
        "the cost files of {0} do not say what reservations are: they are FOCUS, or the bill of a level above; ask for months that were read from cost and usage reports"
    )]
    Reservations(BillingPeriod),
    /// More sums of lines than are told.
    #[error(
        "the answer for {0} has more sums than are told; ask for fewer hours, or filter by LINKED_ACCOUNT, SERVICE or RESOURCE_ID"
    )]
    TooManySums(BillingPeriod),
    /// Currencies that cannot be added.
    #[error(
        "costs in {0} and {1} cannot be added; filter by LINKED_ACCOUNT, INVOICING_ENTITY or BILLING_ENTITY, or group by one of them, so that each sum is of one \
         currency"
    )]
    Currencies(String, String),
    /// A sum is beyond what money can hold.
    #[error("a sum is {0}")]
    Decimal(#[from] DecimalError),
}

const NO_BLENDED: &str = "its cost files have no blended cost: FOCUS has none, and an export may leave out `line_item_blended_cost`; ask for UnblendedCost";
const NO_NORMALIZED: &str = "a billing group's bill has no normalised units; ask for UsageQuantity";
const NO_NET_AMORTIZED: &str = "its cost files have net costs, but lack columns of those of commitments (`reservation_net_…`, `savings_plan_net_…`, and for unused Savings Plans \
                                `savings_plan_recurring_commitment_for_billing_period` and `savings_plan_amortized_upfront_commitment_for_billing_period`); add them to the export, \
                                or ask for AmortizedCost or NetUnblendedCost";
const NO_AMORTIZED: &str = "its cost files have lines of commitments, but lack columns of what usage took of them or of what was left (`reservation_effective_cost`, \
                            `savings_plan_savings_plan_effective_cost`, `reservation_unused_recurring_fee`, `reservation_unused_amortized_upfront_fee_for_billing_period`, \
                            `savings_plan_total_commitment_to_date`, `savings_plan_used_commitment`); add them to the export, or ask for UnblendedCost or NetUnblendedCost";
const NO_AMORTIZED_LEVEL: &str = "it is what a level above charges, with lines of commitments of which it does not tell what they cover; ask for UnblendedCost";
const EARLIER_RUN: &str = "its run was made before this metric was kept; import the month's cost files again (`proforma import --cost … --period …`), or ask for UnblendedCost or \
                           AmortizedCost";
const NO_DAYS: &str = "its run was priced without days; price the month again, or ask for whole months";
const NO_AMORTIZED_DAYS: &str = "its run was made before this metric was kept by day; import the month's cost files again (`proforma import --cost … --period …`), or ask for whole \
                                 months";

impl QueryError {
    /// Amortized costs of days of a month that has none.
    pub(crate) const fn without_days(period: BillingPeriod) -> Self {
        Self::Unknown { metric: Metric::AmortizedCost, period, why: NO_AMORTIZED_DAYS }
    }
}

impl Scope {
    /// The table that is asked.
    pub(crate) fn table<'a>(&self, facts: &'a MonthFacts) -> &'a Table {
        facts.table(self.whose())
    }

    /// Whose costs are asked for.
    pub(crate) const fn whose(&self) -> Whose {
        match self.cost {
            Costs::Aws => Whose::Aws,
            Costs::ProForma(_) => Whose::ProForma,
        }
    }

    /// Which column answers a metric: all costs of a billing group are what it is charged.
    pub(crate) fn metric(&self, metric: Metric) -> Metric {
        match self.cost {
            Costs::ProForma(_) if metric.is_cost() => Metric::UnblendedCost,
            _ => metric,
        }
    }

    /// Which classes are seen and asked for.
    pub(crate) fn mask(&self, facts: &MonthFacts, filter: Option<&Expression>) -> Vec<bool> {
        let table = self.table(facts);
        let mut mask = match &self.cost {
            Costs::Aws => vec![true; table.len()],
            Costs::ProForma(groups) => table.group.iter().map(|group| groups.contains(group)).collect(),
        };
        if let Some(accounts) = &self.accounts {
            let own: BTreeSet<TextId> =
                accounts.iter().filter_map(|account| facts.texts.find(account)).collect();
            let accounts = &table.dimensions[Dimension::LinkedAccount as usize];
            mask.iter_mut().zip(accounts).for_each(|(mask, account)| *mask &= own.contains(account));
        }
        for filter in self.filter.iter().chain(filter) {
            mask.iter_mut().zip(filter.picked(facts, self.whose())).for_each(|(mask, of)| *mask &= of);
        }
        mask
    }
}

/// The answer, time after time; the months are in order and have every day of the query.
///
/// # Errors
/// [`QueryError`].
pub fn answer(months: &[Month<'_>], query: &Query) -> Result<Vec<Slice>, QueryError> {
    let mut slices = Vec::new();
    for month in months {
        slices.extend(of_month(month, query)?);
    }
    Ok(slices)
}

/// The values that a key has in the months, of lines that a query picks, each with the sum of the first metric that is asked for; in the order of texts.
///
/// # Errors
/// [`QueryError`].
pub fn values_of(months: &[Month<'_>], query: &Query) -> Result<Vec<(String, Option<Cost>)>, QueryError> {
    let mut sums: std::collections::BTreeMap<String, Option<Cost>> = std::collections::BTreeMap::new();
    for slice in answer(months, query)? {
        for row in slice.rows {
            let key = row.keys.into_iter().next().unwrap_or_default();
            let sum = sums.entry(key).or_default();
            if let Some(value) = row.values.first() {
                *sum = Some(sum.unwrap_or_default().plus(value.amount)?);
            }
        }
    }
    Ok(sums.into_iter().collect())
}

/// The days of a month that a query is about.
fn days_asked(period: BillingPeriod, query: &Query) -> Range<i32> {
    let day = |seconds: i64| i32::try_from(seconds / 86_400).unwrap_or(i32::MAX);
    let (first, end) = (day(period.start_seconds()), day(period.end_seconds()));
    query.days.start.max(first)..query.days.end.min(end)
}

fn of_month(month: &Month<'_>, query: &Query) -> Result<Vec<Slice>, QueryError> {
    let days = days_asked(month.period, query);
    if days.is_empty() {
        return Ok(Vec::new());
    }
    let times: Vec<Range<i32>> = match query.granularity {
        Granularity::Monthly => vec![days.clone()],
        Granularity::Daily => days.clone().map(|day| day..day + 1).collect(),
    };
    let slice = |days: Range<i32>, rows| Slice { days, estimated: month.estimated, rows };
    let Some(facts) = month.facts else {
        // Of a month without facts nobody has said a currency; Cost Explorer's is the dollar.
        let unit = |metric: &Metric| if metric.is_cost() { "USD" } else { NO_UNIT };
        let nothing = |metric| Value { amount: Cost::ZERO, unit: unit(metric).to_owned() };
        let total = || Row { keys: Vec::new(), values: query.metrics.iter().map(nothing).collect() };
        let rows = || if query.group_by.is_empty() { vec![total()] } else { Vec::new() };
        return Ok(times.into_iter().map(|days| slice(days, rows())).collect());
    };
    let sums = Sums::of(month.scopes, facts, query, days)?;
    let mut slices = Vec::with_capacity(times.len());
    for (time, days) in times.into_iter().enumerate() {
        slices.push(slice(days, sums.rows(facts, query, time)?));
    }
    Ok(slices)
}

/// The sums of a month: of every group and time, the metrics beside each other.
struct Sums {
    /// The keys of the groups, in the order of their texts.
    groups: Vec<Group>,
    times: usize,
    cells: Vec<Cell>,
    amounts: Vec<i128>,
}

struct Group {
    /// Its number among the cells.
    number: usize,
    keys: Vec<String>,
}

/// What is known of a group and time beside its sums.
#[derive(Clone, Copy, Default)]
struct Cell {
    is_there: bool,
    currency: Units,
    unit: Units,
}

/// The units of what was added.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Units {
    #[default]
    None,
    One(TextId),
    Several(TextId, TextId),
}

impl Units {
    fn add(&mut self, unit: TextId) {
        *self = match *self {
            Self::None => Self::One(unit),
            Self::One(known) if known != unit => Self::Several(known, unit),
            known => known,
        };
    }
}

/// Scopes, each once, with how often it stands there: a custom view may lead to the same in many ways.
fn each_once(scopes: &[Scope]) -> Vec<(&Scope, i128)> {
    let mut once: Vec<(&Scope, i128)> = Vec::new();
    for scope in scopes {
        match once.iter_mut().find(|(known, _)| *known == scope) {
            Some((_, times)) => *times += 1,
            None => once.push((scope, 1)),
        }
    }
    once
}

/// What one scope adds to the sums of a month.
struct Part<'a> {
    table: &'a Table,
    columns: Vec<&'a crate::values::Values>,
    /// The classes that are seen and asked for, each with the number of its group.
    classes: Vec<(usize, usize)>,
    /// The days of the month, from 0; `None` is the whole month, of which no day is looked at.
    days: Option<Range<i32>>,
    /// How many scopes are this one: ways of a custom view that lead to the same.
    times: i128,
}

impl<'a> Part<'a> {
    /// What a scope adds, of some days of the month counted from 0; `None` where it has none of them.
    fn of(
        (scope, times): (&Scope, i128),
        facts: &'a MonthFacts,
        query: &Query,
        (month, days): (&Range<i32>, &Range<i32>),
        groups: &mut Groups,
    ) -> Result<Option<Self>, QueryError> {
        let own = scope.days.as_ref().unwrap_or(days);
        let days = days.start.max(own.start)..days.end.min(own.end);
        if days.is_empty() {
            return Ok(None);
        }
        let by_month = days == *month && query.granularity == Granularity::Monthly;
        let table = scope.table(facts);
        let columns = columns(scope, facts, query, !by_month)?;
        let mask = scope.mask(facts, query.filter.as_ref());
        let classes = groups.classes(facts, scope.whose(), &query.group_by, &mask);
        let days = (!by_month).then(|| days.start - month.start..days.end - month.start);
        Ok(Some(Self { table, columns, classes, days, times }))
    }
}

impl Sums {
    /// Sums what some scopes and a query pick of some days of the month.
    fn of(scopes: &[Scope], facts: &MonthFacts, query: &Query, days: Range<i32>) -> Result<Self, QueryError> {
        let month = days_asked(facts.period, &Query { days: i32::MIN..i32::MAX, ..query.clone() });
        let mut groups = Groups::default();
        let part = |scope| Part::of(scope, facts, query, (&month, &days), &mut groups).transpose();
        let parts = each_once(scopes).into_iter().filter_map(part).collect::<Result<Vec<_>, _>>()?;
        let groups = groups.in_order(facts, &query.group_by);
        let by_day = query.granularity == Granularity::Daily;
        let times = if by_day { (days.end - days.start) as usize } else { 1 };
        let mut sums = Self {
            times,
            cells: vec![Cell::default(); groups.len() * times],
            amounts: vec![0; groups.len() * times * query.metrics.len()],
            groups,
        };
        for part in &parts {
            sums.add(part, by_day.then_some(days.start - month.start));
        }
        Ok(sums)
    }

    /// Adds a part: by day from a first one on, or all of its days together.
    fn add(&mut self, part: &Part<'_>, by_day: Option<i32>) {
        let Part { table, columns, classes, days, times: ways } = part;
        let (metrics, times) = (columns.len(), self.times);
        for (class, group) in classes.iter().copied() {
            let (currency, unit) = (table.currency[class], table.unit[class]);
            let Some(days) = &days else {
                self.cells[group].note(currency, unit);
                for (metric, column) in columns.iter().enumerate() {
                    let amount = &mut self.amounts[group * metrics + metric];
                    column.each(class..class + 1, |_, value| *amount += value * ways);
                }
                continue;
            };
            let rows = table.rows(class);
            // The place of each row's time; none where it is not asked for.
            let place = |at: usize| {
                let day = i32::from(table.day[at]);
                days.contains(&day).then(|| group * times + by_day.map_or(0, |first| (day - first) as usize))
            };
            for row in rows.clone() {
                if let Some(place) = place(row) {
                    self.cells[place].note(currency, unit);
                }
            }
            for (metric, column) in columns.iter().enumerate() {
                let begin = rows.start;
                column.each(rows.clone(), |at, value| {
                    if let Some(place) = place(begin + at) {
                        // 2⁶⁴ rows of 63 bits fit; wider ones were held to what money can be when they were read.
                        self.amounts[place * metrics + metric] += value * ways;
                    }
                });
            }
        }
    }

    /// The rows of a time.
    fn rows(&self, facts: &MonthFacts, query: &Query, time: usize) -> Result<Vec<Row>, QueryError> {
        let metrics = query.metrics.len();
        let mut rows = Vec::new();
        for Group { number, keys } in &self.groups {
            let place = number * self.times + time;
            let cell = &self.cells[place];
            if !cell.is_there && !query.group_by.is_empty() {
                continue;
            }
            let values = query.metrics.iter().enumerate().map(|(at, metric)| {
                let unit = cell.unit(facts, *metric)?;
                Ok(Value { amount: Cost::from_units(self.amounts[place * metrics + at])?, unit })
            });
            rows.push(Row { keys: keys.clone(), values: values.collect::<Result<_, QueryError>>()? });
        }
        Ok(rows)
    }
}

impl Cell {
    fn note(&mut self, currency: TextId, unit: TextId) {
        self.is_there = true;
        self.currency.add(currency);
        if unit != TextId::NULL {
            self.unit.add(unit);
        }
    }

    /// The unit of a metric's sum.
    fn unit(&self, facts: &MonthFacts, metric: Metric) -> Result<String, QueryError> {
        let text = |id| facts.texts.get(id).unwrap_or_default().to_owned();
        match (metric.is_cost(), self.currency) {
            (true, Units::Several(one, other)) => Err(QueryError::Currencies(text(one), text(other))),
            (true, Units::One(currency)) => Ok(text(currency)),
            (true, Units::None) => Ok(facts.currency.clone()),
            (false, _) => match self.unit {
                Units::One(unit) => Ok(text(unit)),
                Units::None | Units::Several(..) => Ok(NO_UNIT.to_owned()),
            },
        }
    }
}

/// The columns that answer a query.
pub(crate) fn columns<'a>(
    scope: &Scope,
    facts: &'a MonthFacts,
    query: &Query,
    by_day: bool,
) -> Result<Vec<&'a crate::values::Values>, QueryError> {
    let table = scope.table(facts);
    let column = |metric: &Metric| {
        let unknown = |why| QueryError::Unknown { metric: *metric, period: facts.period, why };
        let measured = table.measured(scope.metric(*metric)).ok_or_else(|| {
            unknown(match (table.why_missing(*metric), metric) {
                (Some(Missing::EarlierRun), _) => EARLIER_RUN,
                (Some(Missing::Commitments), _) => NO_AMORTIZED,
                (Some(Missing::OfLevel), _) => NO_AMORTIZED_LEVEL,
                (Some(Missing::Column), Metric::BlendedCost) => NO_BLENDED,
                (Some(Missing::Column), _) => NO_NET_AMORTIZED,
                (None, _) => NO_NORMALIZED,
            })
        })?;
        match by_day {
            false => Ok(&measured.months),
            true if !facts.has_days => Err(unknown(NO_DAYS)),
            true => measured.days.as_ref().ok_or_else(|| unknown(NO_AMORTIZED_DAYS)),
        }
    };
    query.metrics.iter().map(column).collect()
}

/// The groups that classes fall into, numbered as they are met.
#[derive(Default)]
struct Groups {
    numbers: TextMap<u64, u32>,
    values: Vec<[TextId; 2]>,
}

impl Groups {
    /// The classes of a table that are picked, each with the number of its group.
    fn classes(
        &mut self,
        facts: &MonthFacts,
        whose: Whose,
        keys: &[Key],
        mask: &[bool],
    ) -> Vec<(usize, usize)> {
        let columns: Vec<Option<&[TextId]>> = keys.iter().map(|key| facts.column(whose, key)).collect();
        let mut classes = Vec::new();
        for class in (0..mask.len()).filter(|class| mask[*class]) {
            let mut of_class = [TextId::NULL; 2];
            for (value, column) in of_class.iter_mut().zip(&columns) {
                *value = column.map_or(TextId::NULL, |column| column[class]);
            }
            let key = u64::from(of_class[0].0) << 32 | u64::from(of_class[1].0);
            let number = *self.numbers.entry(key).or_insert_with(|| {
                self.values.push(of_class);
                u32::try_from(self.values.len() - 1).unwrap_or(u32::MAX)
            });
            classes.push((class, number as usize));
        }
        classes
    }

    /// The groups in the order of their keys.
    fn in_order(mut self, facts: &MonthFacts, keys: &[Key]) -> Vec<Group> {
        if keys.is_empty() && self.values.is_empty() {
            // The sum of nothing is 0.
            self.values.push([TextId::NULL; 2]);
        }
        let group = |(number, values): (usize, &[TextId; 2])| {
            let shown = keys.iter().zip(values).map(|(key, value)| facts.shown(key, *value));
            Group { number, keys: shown.collect() }
        };
        let mut groups: Vec<Group> = self.values.iter().enumerate().map(group).collect();
        groups.sort_by(|one, other| one.keys.cmp(&other.keys));
        groups
    }
}

#[cfg(test)]
pub(crate) mod tests;
