//! What has to be priced again after a change of the configuration: the open periods that it reaches, and that have cost files.

use crate::clock::machine_milliseconds;
use crate::error::{Answer, Error};
use crate::transaction::Attempt;
use crate::vault::new_resource_id;
use billing::configuration::{Configuration, Table, Timeline, Touched};
use billing::period::BillingPeriod;
use std::collections::BTreeSet;
use store::{NewRun, Write};

/// The open periods, up to the current one, in which a change may make a difference to what is charged.
pub(crate) fn changed_periods(
    before: &Configuration,
    after: &Configuration,
    touched: &BTreeSet<Touched>,
    current: BillingPeriod,
) -> Vec<BillingPeriod> {
    let first = touched.iter().filter_map(|what| first_difference(before, after, what)).min();
    let mut period = match first {
        // What has no dates may matter in every month that is open.
        Some(Difference::Everywhere) => after.closed_through.map_or(current, BillingPeriod::next),
        Some(Difference::From(period)) => period,
        None => return Vec::new(),
    };
    let mut periods = Vec::new();
    while period <= current {
        if !after.is_closed(period) {
            periods.push(period);
        }
        period = period.next();
    }
    periods
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Difference {
    Everywhere,
    From(BillingPeriod),
}

fn first_difference(before: &Configuration, after: &Configuration, what: &Touched) -> Option<Difference> {
    let period = match what {
        Touched::Group(id) => first_apart_of(&before.groups, &after.groups, id),
        Touched::Plan(id) => first_apart_of(&before.plans, &after.plans, id),
        Touched::Rule(id) => first_apart_of(&before.rules, &after.rules, id),
        Touched::Item(id) => first_apart_of(&before.items, &after.items, id),
        Touched::Membership(account) => {
            first_apart(before.memberships.get(account), after.memberships.get(account))
        }
        Touched::Other => first_apart(Some(&before.other), Some(&after.other)),
        Touched::Family(_) | Touched::Transfer(_) => return Some(Difference::Everywhere),
        Touched::FamilyIsComplete | Touched::Preference(_) | Touched::ClosedThrough => None,
    };
    period.map(Difference::From)
}

/// The first period in which a resource is not what it was.
fn first_apart_of<I: Ord + Clone, S: Clone + PartialEq>(
    before: &Table<I, S>,
    after: &Table<I, S>,
    id: &I,
) -> Option<BillingPeriod> {
    first_apart(
        before.get(id).map(|resource| &resource.versions),
        after.get(id).map(|resource| &resource.versions),
    )
}

/// The first period in which two timelines say different things.
fn first_apart<T: Clone + PartialEq>(
    one: Option<&Timeline<T>>,
    other: Option<&Timeline<T>>,
) -> Option<BillingPeriod> {
    let at =
        |timeline: Option<&Timeline<T>>, period| timeline.and_then(|timeline| timeline.at(period)).cloned();
    let spans = one.iter().chain(other.iter()).flat_map(|timeline| timeline.spans());
    let edges: BTreeSet<_> = spans.flat_map(|span| [Some(span.from), span.to]).flatten().collect();
    edges.into_iter().find(|period| at(one, *period) != at(other, *period))
}

/// Queues runs of those of the periods that have cost files.
pub(crate) async fn queue(write: &mut Write, periods: &[BillingPeriod]) -> Result<(), Attempt> {
    if periods.is_empty() {
        return Ok(());
    }
    let current = write.current_runs().await?;
    let known: BTreeSet<_> = current.into_iter().map(|current| current.period).collect();
    for period in periods.iter().filter(|period| known.contains(period)) {
        write.queue_run(new_run(*period, None)?).await?;
    }
    Ok(())
}

/// A run that is asked for; of a source where its files must be read.
pub(crate) fn new_run(period: BillingPeriod, reads: Option<String>) -> Answer<NewRun> {
    let id = new_resource_id().map_err(Error::internal)?;
    Ok(NewRun { id, period, reads, created_at_ms: machine_milliseconds() })
}
