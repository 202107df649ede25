//! From sums of lines to an answer.

use super::{LinePlan, LineQuery, LineSlice, Picked, Times, hours_of_month};
use crate::answer::{QueryError, Scope};
use crate::dimension::{Dimension, Key};
use crate::facts::{Metric, MonthFacts, Table};
use crate::question::{NO_UNIT, Row, Value};
use billing::charge_class::TextId;
use billing::money::{Cost, divide_half_away, ten_to};
use billing::period::BillingPeriod;
use std::collections::BTreeMap;
use std::ops::Range;

/// A sum of lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineSum {
    /// The group, by number in the plan.
    pub group: u32,
    /// The time, by number from the begin of the month.
    pub time: u32,
    /// The resource, where resources are told apart and there is one.
    pub resource: Option<String>,
    /// The metrics, in units of 10⁻²⁰.
    pub units: Vec<i128>,
}

impl Times {
    /// How many hours a time has; `None` of all that is asked for of a month.
    #[must_use]
    pub const fn hours(self) -> Option<u32> {
        match self {
            Self::Hourly => Some(1),
            Self::Daily => Some(24),
            Self::Monthly => None,
        }
    }
}

/// What is in a time, by its keys.
type OfTime = BTreeMap<Vec<String>, Cell>;

/// Sums of a group and time, and what they are in.
#[derive(Default)]
struct Cell {
    units: Vec<i128>,
    currencies: Vec<TextId>,
    usage_units: Vec<TextId>,
}

/// What the lines of a part of a view have summed to.
#[derive(Debug)]
pub struct Summed<'a> {
    /// The part.
    pub scope: &'a Scope,
    /// What was asked of the lines.
    pub plan: LinePlan,
    /// What they have summed to.
    pub sums: Vec<LineSum>,
}

/// The answer of a month on its way: the sum of the parts of a view, one after the other.
pub struct Finishing<'a> {
    facts: &'a MonthFacts,
    query: &'a LineQuery,
    times: BTreeMap<u32, OfTime>,
}

impl<'a> Finishing<'a> {
    /// The sum of no parts.
    #[must_use]
    pub const fn new(facts: &'a MonthFacts, query: &'a LineQuery) -> Self {
        Self { facts, query, times: BTreeMap::new() }
    }

    /// Adds what the lines of a part have summed to. What has the same keys as that of another part is one row with it.
    pub fn add(&mut self, part: Summed<'_>) {
        let Summed { scope, plan, sums } = part;
        let Self { facts, query, times } = self;
        for LineSum { group, time, resource, units } in sums {
            add(times, &plan, facts, query, ((group, time), resource.as_deref(), &units));
        }
        for (picked, row) in &plan.items {
            if let Some(time) = plan.time_of_items(query, picked) {
                let units = units_of_item(scope.table(facts), scope, query, *row);
                add(times, &plan, facts, query, ((picked.group, time), None, &units));
            }
        }
    }

    /// How many rows it has by now.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.times.values().map(BTreeMap::len).sum()
    }

    /// The answer.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn finish(self) -> Result<Vec<LineSlice>, QueryError> {
        let Self { facts, query, mut times } = self;
        let first = facts.period.start_seconds() / 3_600;
        let asked = hours_of_month(facts.period, &query.hours);
        let slices = each_time(&asked, query.times).map(|(number, hours)| {
            let mut of_time = times.remove(&number).unwrap_or_default();
            if query.group_by.is_empty() {
                // The sum of nothing is 0.
                of_time.entry(Vec::new()).or_default();
            }
            let rows = of_time.into_iter().map(|(keys, cell)| cell.row(keys, facts, query));
            let hours = first + i64::from(hours.start)..first + i64::from(hours.end);
            Ok(LineSlice { hours, rows: rows.collect::<Result<_, QueryError>>()? })
        });
        slices.collect()
    }
}

/// The answer of a month that has no facts: nothing, in every time.
#[must_use]
pub fn without_facts(period: BillingPeriod, query: &LineQuery) -> Vec<LineSlice> {
    let first = period.start_seconds() / 3_600;
    // Of a month without facts nobody has said a currency; Cost Explorer's is the dollar.
    let unit = |metric: &Metric| if metric.is_cost() { "USD" } else { NO_UNIT };
    let nothing = |metric| Value { amount: Cost::ZERO, unit: unit(metric).to_owned() };
    let total = || Row { keys: Vec::new(), values: query.metrics.iter().map(nothing).collect() };
    let slice = |(_, hours): (u32, Range<u32>)| LineSlice {
        hours: first + i64::from(hours.start)..first + i64::from(hours.end),
        rows: if query.group_by.is_empty() { vec![total()] } else { Vec::new() },
    };
    each_time(&hours_of_month(period, &query.hours), query.times).map(slice).collect()
}

/// The times of some hours of a month by number, each with those of its hours that are asked for.
fn each_time(hours: &Range<u32>, times: Times) -> impl Iterator<Item = (u32, Range<u32>)> + use<> {
    let (begin, end) = (hours.start, hours.end);
    let length = times.hours().unwrap_or(end.max(1));
    let first = if times == Times::Monthly { 0 } else { begin / length };
    let last = if begin >= end {
        first
    } else if times == Times::Monthly {
        1
    } else {
        end.div_ceil(length)
    };
    (first..last).map(move |time| {
        let of_time = if times == Times::Monthly { begin..end } else { time * length..(time + 1) * length };
        (time, of_time.start.max(begin)..of_time.end.min(end))
    })
}

impl LinePlan {
    /// The time that charges without lines are in, the first of the month; `None` where it is not asked for, or asked of resources alone.
    fn time_of_items(&self, query: &LineQuery, picked: &Picked) -> Option<u32> {
        let held = query.resource_conditions().into_iter().enumerate();
        let held: u32 = held.map(|(bit, condition)| u32::from(condition.takes(None)) << bit).sum();
        (self.hours.contains(&0) && picked.takes >> held & 1 == 1).then_some(0)
    }
}

/// What a charge without lines has of each metric.
fn units_of_item(table: &Table, scope: &Scope, query: &LineQuery, row: usize) -> Vec<i128> {
    let of = |metric: &Metric| {
        let mut units = 0;
        if let Some(measured) = table.measured(scope.metric(*metric)) {
            measured.months.each(row..row + 1, |_, value| units += value);
        }
        units * ten_to(10)
    };
    query.metrics.iter().map(of).collect()
}

/// Adds sums to what has the same keys.
fn add(
    times: &mut BTreeMap<u32, OfTime>,
    plan: &LinePlan,
    facts: &MonthFacts,
    query: &LineQuery,
    ((group, time), resource, units): ((u32, u32), Option<&str>, &[i128]),
) {
    let Some(group) = plan.groups.get(group as usize) else { return };
    let mut values = group.values.iter();
    let keys = query.group_by.iter().map(|key| match key {
        Key::Dimension(Dimension::ResourceId) => {
            resource.unwrap_or(Dimension::ResourceId.absent()).to_owned()
        }
        key => facts.shown(key, values.next().copied().unwrap_or(TextId::NULL)),
    });
    let cell = times.entry(time).or_default().entry(keys.collect()).or_default();
    cell.units.resize(query.metrics.len(), 0);
    cell.units.iter_mut().zip(units).for_each(|(sum, more)| *sum += more);
    if !cell.currencies.contains(&group.currency) {
        cell.currencies.push(group.currency);
    }
    if group.unit != TextId::NULL && !cell.usage_units.contains(&group.unit) {
        cell.usage_units.push(group.unit);
    }
}

impl Cell {
    fn row(self, keys: Vec<String>, facts: &MonthFacts, query: &LineQuery) -> Result<Row, QueryError> {
        let text = |id: TextId| facts.texts.get(id).unwrap_or_default().to_owned();
        let values = query.metrics.iter().enumerate().map(|(place, metric)| {
            let unit = match (metric.is_cost(), self.currencies.as_slice(), self.usage_units.as_slice()) {
                (true, [], _) => facts.currency.clone(),
                (true, [one], _) => text(*one),
                (true, [one, other, ..], _) => {
                    let mut pair = [text(*one), text(*other)];
                    pair.sort_unstable();
                    let [one, other] = pair;
                    return Err(QueryError::Currencies(one, other));
                }
                (false, _, [one]) => text(*one),
                (false, ..) => NO_UNIT.to_owned(),
            };
            // One of the named roundings: a sum of line prices, which have up to twenty decimals, at ten, half away from zero.
            let units = self.units.get(place).copied().unwrap_or(0);
            Ok(Value { amount: Cost::from_units(divide_half_away(units, ten_to(10)).0)?, unit })
        });
        let values = values.collect::<Result<_, _>>()?;
        Ok(Row { keys, values })
    }
}
