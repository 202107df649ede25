//! Questions that only lines can answer: by the hour, and by resource.
//!
//! Classes decide all that they can: a question is worked out on the facts of a month up to what each class's lines add to which group ([`plan`]), whoever
//! reads the lines adds them up by hour and resource, and [`Finishing`] makes the answer of these sums. What is charged without lines, as a custom line item is, is
//! added there, at the first hour of its month.

mod finish;
mod seen;

use crate::answer::{Costs, QueryError, Scope, columns};
use crate::dimension::{Dimension, Key};
use crate::expression::{Condition, Expression};
use crate::facts::{Metric, MonthFacts, Sources};
use crate::question::{Query, Row};
use billing::amortized::{self, Sign};
use billing::breakdown::Source;
use billing::charge_class::{ChargeClass, Cube, Measure, TextId};
use billing::class_kind::line_item_type;
use billing::cost_line::LineItemType;
use billing::period::BillingPeriod;
use billing::statement::usage_is_shown;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

pub use finish::{Finishing, LineSum, Summed, without_facts};
pub use seen::{ChargeSeen, LinesSeen, seen};

/// How long the times are that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// Hours.
    Hourly,
    /// Days.
    Daily,
    /// Calendar months, cut by the range that is asked for.
    Monthly,
}

/// What is asked of lines. [`Dimension::ResourceId`] is a key like any other here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineQuery {
    /// The hours, counted since 1970-01-01, the last one excluded.
    pub hours: Range<i64>,
    /// How long the times are.
    pub times: Times,
    /// Which lines; all of them where nothing is said.
    pub filter: Option<Expression>,
    /// What they are told apart by: at most two keys.
    pub group_by: Vec<Key>,
    /// What is summed.
    pub metrics: Vec<Metric>,
}

/// A time, and what was in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineSlice {
    /// The hours, counted since 1970-01-01, the last one excluded.
    pub hours: Range<i64>,
    /// A row per group that has anything in that time, in the order of their keys; the one row of all where nothing is told apart.
    pub rows: Vec<Row>,
}

/// The answer of a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineAnswer {
    /// Time after time.
    pub slices: Vec<LineSlice>,
    /// Whether the cost files tell usage by the hour.
    pub is_hourly: bool,
}

/// A part of a metric of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Term {
    /// What the line is charged.
    Price,
    /// A measure.
    Plus(Measure),
    /// A measure that is taken away.
    Minus(Measure),
}

/// What the lines of a class add to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picked {
    /// The group, by number in the plan.
    pub group: u32,
    /// By what holds of the conditions on resources, the first being the lowest bit: whether a line is asked for.
    pub takes: u64,
    /// How they are summed, by number in the plan.
    pub sums: u32,
}

/// A question worked out on the facts of a month.
#[derive(Debug)]
pub struct LinePlan {
    /// The hours of the month that are asked for and seen, the first being 0.
    pub hours: Range<u32>,
    /// Conditions on the resource: the ids that each takes, the empty one being that of lines without one.
    pub resources: Vec<BTreeSet<String>>,
    /// Ways to sum: of each metric its terms.
    pub sums: Vec<Vec<Vec<Term>>>,
    /// What is asked of the lines of each class of the cube.
    pub classes: Vec<Option<Picked>>,
    /// What is asked of what commitments cover and of its negation, in the order of the rate card.
    pub covered: Vec<[Option<Picked>; 2]>,
    /// What is asked without lines: a class of the facts.
    items: Vec<(Picked, usize)>,
    groups: Vec<LineGroup>,
}

/// What lines have in common that are summed together: the keys but for the resource, and their units.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct LineGroup {
    values: [TextId; 2],
    currency: TextId,
    unit: TextId,
}

impl LineQuery {
    /// Whether resources are told apart.
    #[must_use]
    pub fn tells_resources(&self) -> bool {
        self.group_by.contains(&Key::Dimension(Dimension::ResourceId))
    }

    /// The conditions on resources, in the order in which the filter has them.
    #[must_use]
    pub fn resource_conditions(&self) -> Vec<&Condition> {
        let conditions = self.filter.iter().flat_map(Expression::conditions);
        conditions.filter(|of| of.key == Key::Dimension(Dimension::ResourceId)).collect()
    }

    /// The keys that classes tell.
    fn keys(&self) -> Vec<&Key> {
        let of_lines = Key::Dimension(Dimension::ResourceId);
        self.group_by.iter().filter(|key| **key != of_lines).collect()
    }
}

/// Whether a month can tell what is asked of a part of a view.
///
/// # Errors
/// [`QueryError::Unknown`].
pub fn check(facts: &MonthFacts, scope: &Scope, query: &LineQuery) -> Result<(), QueryError> {
    let metrics = query.metrics.clone();
    let days = i32::MIN..i32::MAX;
    let granularity = crate::question::Granularity::Monthly;
    let of_months = Query { days, granularity, filter: None, group_by: Vec::new(), metrics };
    columns(scope, facts, &of_months, false).map(drop)
}

/// Works a question out on the facts of a month, which has these hours of it.
///
/// # Errors
/// [`QueryError::Unknown`].
pub fn plan(
    cube: &Cube,
    covered: usize,
    (facts, sources): (&MonthFacts, &Sources),
    scope: &Scope,
    query: &LineQuery,
) -> Result<LinePlan, QueryError> {
    check(facts, scope, query)?;
    let table = scope.table(facts);
    let conditions = query.resource_conditions();
    let mut takes = vec![0_u64; table.len()];
    for held in 0..1_u64 << conditions.len() {
        let mut place = 0;
        let filter = query.filter.as_ref().map(|filter| filter.where_it_holds(held, &mut place));
        let mask = scope.mask(facts, filter.as_ref());
        takes.iter_mut().zip(mask).for_each(|(takes, of)| *takes |= u64::from(of) << held);
    }
    let of_lines = |condition: &&Condition| {
        let named = |value: &String| (*value != Dimension::ResourceId.absent()).then(|| value.clone());
        condition.values.iter().map(|value| named(value).unwrap_or_default()).collect()
    };
    let mut plan = LinePlan {
        hours: hours_seen(facts.period, scope, query),
        resources: conditions.iter().map(of_lines).collect(),
        sums: Vec::new(),
        classes: vec![None; cube.classes.len()],
        covered: vec![[None; 2]; covered],
        items: Vec::new(),
        groups: Vec::new(),
    };
    let columns: Vec<Option<&[TextId]>> =
        query.keys().into_iter().map(|key| facts.column(scope.whose(), key)).collect();
    let mut groups: HashMap<LineGroup, u32> = HashMap::new();
    let mut sums: BTreeMap<Vec<Vec<Term>>, u32> = BTreeMap::new();
    for (row, takes) in takes.into_iter().enumerate().filter(|(_, takes)| *takes != 0) {
        let mut values = [TextId::NULL; 2];
        values.iter_mut().zip(&columns).for_each(|(value, column)| {
            *value = column.map_or(TextId::NULL, |column| column[row]);
        });
        let group = LineGroup { values, currency: table.currency[row], unit: table.unit[row] };
        let source = match scope.cost {
            Costs::Aws => Source::Class(sources.aws[row]),
            Costs::ProForma(_) => sources.pro_forma[row],
        };
        let terms = query.metrics.iter().map(|metric| terms(cube, &scope.cost, source, *metric)).collect();
        let next = u32::try_from(groups.len()).unwrap_or(u32::MAX);
        let group = *groups.entry(group.clone()).or_insert_with(|| {
            plan.groups.push(group);
            next
        });
        let next = u32::try_from(sums.len()).unwrap_or(u32::MAX);
        let picked = Picked { group, takes, sums: *sums.entry(terms).or_insert(next) };
        match source {
            Source::Class(number) => plan.classes[number] = Some(picked),
            Source::Covered(number) => plan.covered[number][0] = Some(picked),
            Source::Negation(number) => plan.covered[number][1] = Some(picked),
            Source::Item(..) => plan.items.push((picked, row)),
        }
    }
    let mut by_number: Vec<(u32, Vec<Vec<Term>>)> =
        sums.into_iter().map(|(terms, number)| (number, terms)).collect();
    by_number.sort_unstable_by_key(|(number, _)| *number);
    plan.sums = by_number.into_iter().map(|(_, terms)| terms).collect();
    Ok(plan)
}

/// What a metric of the lines of a source is the sum of.
fn terms(cube: &Cube, costs: &Costs, source: Source, metric: Metric) -> Vec<Term> {
    if *costs == Costs::Aws {
        let Source::Class(number) = source else { return Vec::new() };
        return terms_of_aws(cube, &cube.classes[number], metric);
    }
    if metric.is_cost() {
        return vec![Term::Price];
    }
    let has_usage = match source {
        Source::Class(number) => usage_is_shown(line_item_type(cube, &cube.classes[number])),
        Source::Covered(_) => true,
        Source::Negation(_) | Source::Item(..) => false,
    };
    if has_usage { vec![Term::Plus(Measure::Usage)] } else { Vec::new() }
}

/// The same of what AWS charges: as the facts have it, a line instead of a class.
fn terms_of_aws(cube: &Cube, class: &ChargeClass, metric: Metric) -> Vec<Term> {
    let kind: LineItemType = line_item_type(cube, class);
    let metered = |measure| if kind.is_metered() { vec![Term::Plus(measure)] } else { Vec::new() };
    let term = |(measure, sign): &(Measure, Sign)| match sign {
        Sign::Plus => Term::Plus(*measure),
        Sign::Minus => Term::Minus(*measure),
    };
    match metric {
        Metric::UnblendedCost => vec![Term::Plus(Measure::Unblended)],
        Metric::BlendedCost => vec![Term::Plus(Measure::Blended)],
        Metric::NetUnblendedCost => vec![Term::Plus(Measure::NetUnblended)],
        Metric::AmortizedCost => match amortized::of_class(cube, class) {
            None => vec![Term::Plus(Measure::Unblended)],
            Some(terms) => terms.iter().map(term).collect(),
        },
        Metric::NetAmortizedCost => match amortized::of_class(cube, class) {
            None => vec![Term::Plus(Measure::NetUnblended)],
            Some([]) => Vec::new(),
            Some(_) => vec![Term::Plus(Measure::NetAmortized)],
        },
        Metric::UsageQuantity => metered(Measure::Usage),
        Metric::NormalizedUsageAmount => metered(Measure::NormalizedUsage),
    }
}

/// The hours of a month that are asked for, the first of the month being 0.
fn hours_of_month(period: BillingPeriod, hours: &Range<i64>) -> Range<u32> {
    let (first, end) = (period.start_seconds() / 3_600, period.end_seconds() / 3_600);
    let of_month = |hour: i64| u32::try_from(hour.clamp(first, end) - first).unwrap_or(0);
    of_month(hours.start)..of_month(hours.end)
}

/// The same, of those days that a view has.
fn hours_seen(period: BillingPeriod, scope: &Scope, query: &LineQuery) -> Range<u32> {
    let asked = hours_of_month(period, &query.hours);
    let Some(days) = &scope.days else { return asked };
    let seen = hours_of_month(period, &(i64::from(days.start) * 24..i64::from(days.end) * 24));
    let start = asked.start.max(seen.start);
    start..asked.end.min(seen.end).max(start)
}

impl Expression {
    /// The same where some conditions on resources hold and the others do not: by bits, the first condition being the lowest.
    fn where_it_holds(&self, held: u64, place: &mut u32) -> Self {
        match self {
            Self::And(parts) => {
                Self::And(parts.iter().map(|part| part.where_it_holds(held, place)).collect())
            }
            Self::Or(parts) => Self::Or(parts.iter().map(|part| part.where_it_holds(held, place)).collect()),
            Self::Not(part) => Self::Not(Box::new(part.where_it_holds(held, place))),
            Self::Is(condition) if condition.key == Key::Dimension(Dimension::ResourceId) => {
                let holds = held >> *place & 1 == 1;
                *place += 1;
                // All of nothing is everything, any of nothing is nothing.
                if holds { Self::And(Vec::new()) } else { Self::Or(Vec::new()) }
            }
            Self::Is(_) => self.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
