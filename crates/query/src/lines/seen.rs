//! What of a month's lines a part of a view has: whoever exports them takes these and no others.

use super::{LineQuery, Times, check, hours_seen};
use crate::answer::{Costs, QueryError, Scope, columns};
use crate::facts::{Metric, MonthFacts, Sources};
use crate::question::{Granularity, Query};
use billing::breakdown::Source;
use std::ops::Range;

/// The lines of a part of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinesSeen {
    /// The days of the month, the first being 0.
    pub days: Range<u32>,
    /// What is charged on them, in the order of the facts.
    pub charges: Vec<ChargeSeen>,
}

/// A class of the facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeSeen {
    /// What it is made from.
    pub source: Source,
    /// The billing group, by number in the facts; `u32::MAX` of none.
    pub group: u32,
    /// The currency.
    pub currency: String,
    /// What is charged on the days that are seen, in units of 10⁻¹⁰: what a question about costs sums.
    pub units: i128,
}

/// What a part of a view has of a month, by the rule that answers questions about costs.
///
/// # Errors
/// [`QueryError::Unknown`] where the part has some days, and the month is not known by day.
pub fn seen(facts: &MonthFacts, sources: &Sources, scope: &Scope) -> Result<LinesSeen, QueryError> {
    let (period, metrics) = (facts.period, vec![Metric::UnblendedCost]);
    let of_hour = |seconds: i64| seconds / 3_600;
    let query = LineQuery {
        hours: of_hour(period.start_seconds())..of_hour(period.end_seconds()),
        times: Times::Monthly,
        filter: None,
        group_by: Vec::new(),
        metrics: metrics.clone(),
    };
    check(facts, scope, &query)?;
    let hours = hours_seen(period, scope, &query);
    let is_whole = i64::from(hours.end - hours.start) == query.hours.end - query.hours.start;
    let of_days = Query {
        days: i32::MIN..i32::MAX,
        granularity: Granularity::Daily,
        filter: None,
        group_by: Vec::new(),
        metrics,
    };
    // A view has whole days.
    let days = hours.start / 24..hours.end / 24;
    if days.is_empty() {
        return Ok(LinesSeen { days, charges: Vec::new() });
    }
    let of = columns(scope, facts, &of_days, !is_whole)?;
    let table = scope.table(facts);
    let mask = scope.mask(facts, None);
    let mut charges = Vec::new();
    for class in mask.into_iter().enumerate().filter_map(|(class, is_seen)| is_seen.then_some(class)) {
        let mut units = 0;
        for column in &of {
            if is_whole {
                column.each(class..class + 1, |_, value| units += value);
                continue;
            }
            let rows = table.rows(class);
            let begin = rows.start;
            column.each(rows, |at, value| {
                if days.contains(&u32::from(table.day[begin + at])) {
                    units += value;
                }
            });
        }
        let source = match scope.cost {
            Costs::Aws => Source::Class(sources.aws[class]),
            Costs::ProForma(_) => sources.pro_forma[class],
        };
        // What has no day is on the first of the month.
        if matches!(source, Source::Item(..)) && !days.contains(&0) {
            continue;
        }
        let currency = facts.texts.get(table.currency[class]).unwrap_or_default().to_owned();
        charges.push(ChargeSeen { source, group: table.group[class], currency, units });
    }
    Ok(LinesSeen { days, charges })
}
