//! What has to be priced again after a change of the configuration: the open periods that it reaches, and that have cost files.

use crate::clock::machine_milliseconds;
use crate::error::{Answer, Error};
use crate::transaction::Attempt;
use crate::vault::new_resource_id;
use billing::account::AccountId;
use billing::configuration::{Configuration, Table, Timeline, Touched};
use billing::instant::month_of;
use billing::period::BillingPeriod;
use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use store::{NewRun, Write};

/// Which periods a change may make a difference to. The one that is less has all that the other one has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// Every one: what has no dates may matter in each.
    Everywhere,
    /// One, and those after it.
    From(BillingPeriod),
}

impl Reach {
    fn has(self, period: BillingPeriod) -> bool {
        match self {
            Self::Everywhere => true,
            Self::From(first) => first <= period,
        }
    }
}

/// How far a change reaches; `None` where nothing is charged otherwise.
pub(crate) fn reach(
    before: &Configuration,
    after: &Configuration,
    touched: &BTreeSet<Touched>,
) -> Option<Reach> {
    let primaries = LazyCell::new(|| primary_accounts(before).chain(primary_accounts(after)).collect());
    touched.iter().filter_map(|what| first_difference(before, after, what, &primaries)).min()
}

/// The primary accounts of groups, whenever they are there.
fn primary_accounts(of: &Configuration) -> impl Iterator<Item = &AccountId> {
    of.groups
        .iter()
        .flat_map(|(_, group)| group.versions.spans().iter().map(|span| &span.value.primary_account))
}

fn first_difference<'a>(
    before: &'a Configuration,
    after: &'a Configuration,
    what: &Touched,
    primaries: &LazyCell<HashSet<&'a AccountId>, impl FnOnce() -> HashSet<&'a AccountId>>,
) -> Option<Reach> {
    let period = match what {
        Touched::Group(id) => first_apart_of(&before.groups, &after.groups, id),
        Touched::Plan(id) => first_apart_of(&before.plans, &after.plans, id),
        Touched::Rule(id) => first_apart_of(&before.rules, &after.rules, id),
        Touched::Item(id) => first_apart_of(&before.items, &after.items, id),
        Touched::Membership(account) => {
            first_apart(before.memberships.get(account), after.memberships.get(account))
        }
        Touched::Other => first_apart(Some(&before.other), Some(&after.other)),
        // Whoever comes or goes has a membership that says so.
        Touched::Family(account) => {
            let name = |of: &Configuration| of.family.get(account).and_then(|known| known.name.clone());
            if name(before) != name(after) {
                return Some(Reach::Everywhere);
            }
            first_other_days(before, after, account).filter(|_| primaries.contains(account))
        }
        Touched::Transfer(_) => return Some(Reach::Everywhere),
        // What rules move has a membership that says so.
        Touched::Organization | Touched::Unit(_) | Touched::GroupRule(_) | Touched::Placement(_) => None,
        Touched::FamilyIsComplete | Touched::Preference(_) | Touched::ClosedThrough => None,
    };
    period.map(Reach::From)
}

/// The first period of which groups of a primary account would have other days.
fn first_other_days(
    before: &Configuration,
    after: &Configuration,
    primary: &AccountId,
) -> Option<BillingPeriod> {
    let details = |of: &Configuration| of.family.get(primary).and_then(|known| known.details.clone());
    let months: BTreeSet<BillingPeriod> = [details(before), details(after)]
        .into_iter()
        .flatten()
        .flat_map(|of| [of.joined_at, of.left_at])
        .flatten()
        .filter_map(month_of)
        .collect();
    let days = |of: &Configuration, period| of.usage_window(primary, period);
    months.into_iter().find(|period| days(before, *period) != days(after, *period))
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

/// Queues runs of the open periods that a change reaches and that have cost files.
pub(crate) async fn queue_reached(
    write: &mut Write,
    after: &Configuration,
    reach: Option<Reach>,
) -> Result<(), Attempt> {
    let Some(reach) = reach else { return Ok(()) };
    queue(write, |period| reach.has(period) && !after.is_closed(period)).await
}

/// Queues runs of those of some periods that have cost files.
pub(crate) async fn queue(
    write: &mut Write,
    is_meant: impl Fn(BillingPeriod) -> bool,
) -> Result<(), Attempt> {
    // In this order: a run that ends between the two is shown by then.
    let to_come = write.runs_to_come().await?;
    let current = write.current_runs().await?;
    let mut known: BTreeMap<BillingPeriod, Option<String>> =
        // Whoever prices a month for the first time has read the configuration before this change: its files are to be read again.
        to_come.into_iter().map(|run| (run.asked.period, run.asked.reads)).collect();
    known.extend(current.into_iter().map(|current| (current.period, None)));
    // Files that could not be read are not forgotten by pricing the ones before them again: they are tried once more.
    let unread = write.failed_readings().await?;
    known.extend(unread.into_iter().map(|run| (run.asked.period, run.asked.reads)));
    for (period, reads) in known.into_iter().filter(|(period, _)| is_meant(*period)) {
        write.queue_run(new_run(period, reads)?).await?;
    }
    Ok(())
}

/// A run that is asked for; of a source where its files must be read.
pub(crate) fn new_run(period: BillingPeriod, reads: Option<String>) -> Answer<NewRun> {
    let id = new_resource_id().map_err(Error::internal)?;
    Ok(NewRun { id, period, reads, created_at_ms: machine_milliseconds() })
}
