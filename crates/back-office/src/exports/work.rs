//! Who delivers what is due: of each export, the lines of the run that each period shows, once for each definition.
//!
//! Nothing is queued. What is due follows from the definitions, the runs that are shown, and what was delivered; whoever delivers says so in a row until a time, so that nobody else does, and whoever was killed
//! is followed by the next one when that time is over.

use super::layout::Delivery;
use super::quiet::AsOf;
use super::views::ViewsNow;
use super::{Definition, ExportKind, NewDefinition, bucket};
use crate::billing_views::View;
use crate::clock::machine_milliseconds;
use crate::cost_categories::{AccountNames, Needed};
use crate::data_directory::SCRATCH;
use crate::desk::BackOffice;
use crate::disk::on_disk;
use crate::engine::{Content, EngineError, ExportedLines, LinesOf, LinesOrder, PutFile};
use crate::error::{Answer, Error};
use crate::transaction::Attempt;
use crate::vault::new_request_id;
use billing::account::AccountId;
use billing::period::BillingPeriod;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use store::{CurrentRun, DataExportRow, DoneRun, ExecutionRow, PayerRow, StoreError};

/// How long a worker waits until it looks again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How often a delivery is tried that the same may go well for later, and how long it rests at first; the rest is doubled each time.
const TRIES_MAX: u32 = 8;
const FIRST_PAUSE_MS: i64 = 30_000;
/// What was abandoned rests, from the second time on, as long as a claim holds, and twice as long each time, up to this: a delivery may be what ends its server.
const ABANDONED_PAUSE_MAX_MS: i64 = 3_600_000;

/// States of a delivery.
const QUERYING: &str = "QUERY_IN_PROCESS";
const DELIVERING: &str = "DELIVERY_IN_PROCESS";
const DELIVERED: &str = "DELIVERY_SUCCESS";
const QUERY_FAILED: &str = "QUERY_FAILURE";
const DELIVERY_FAILED: &str = "DELIVERY_FAILURE";
/// Reasons: the same may go well later.
const INTERNAL: &str = "INTERNAL_FAILURE";
const NO_PERMISSION: &str = "INSUFFICIENT_PERMISSION";

/// What is said of a delivery that a server had begun and did not end, by which it is told from one that has failed: a server that is killed time after time uses up no tries, and comes to everything
/// else first.
const ABANDONED: &str = "whoever delivered it has not been heard of any more";
/// What is said of a delivery that was put after another server had it: what lies there may be of either, and is delivered anew.
const LATE: &str = "a server that was away for longer than it had the delivery has put files of it; the month is delivered once more";
/// How often a server tries to say that.
const LATE_TRIES_MAX: u32 = 60;

/// What is to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Due {
    export: DataExportRow,
    period: BillingPeriod,
    run: String,
    /// What its view is made of, or why nothing can be delivered of it.
    view: Result<View, String>,
    /// By what a custom view is known: of another one other lines are due.
    view_known_by: Option<String>,
    /// How often a server has begun it and did not end.
    abandoned: usize,
}

/// What there was for a worker to take.
enum Claimed {
    One(Box<(Due, ExecutionRow)>),
    /// Nothing but what servers have not come to the end of before: it waits until nobody has anything else.
    OnlyAbandoned,
    Nothing,
}

/// When it is, and how long a claim holds.
#[derive(Clone, Copy)]
struct Moment {
    now_ms: i64,
    lease_ms: i64,
}

/// A delivery on its way.
struct UnderWay {
    execution: ExecutionRow,
    /// Whether files of it may be where they are wanted.
    has_put: bool,
}

/// Why something was not delivered.
struct NotDelivered {
    status: &'static str,
    /// None where the same would come of it again.
    reason: Option<&'static str>,
    problem: String,
}

impl BackOffice {
    /// Delivers what is due, one delivery after the other, until `stop`.
    pub async fn work_exports(&self, stop: tokio::sync::watch::Receiver<bool>) {
        while !*stop.borrow() {
            match self.deliver_once().await {
                Ok(true) => {}
                Ok(false) => tokio::time::sleep(LOOK_AGAIN).await,
                Err(error) => {
                    tracing::error!(?error, "exports could not be delivered");
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
            }
        }
    }

    /// Delivers one thing that is due; `false` where nothing is.
    ///
    /// # Errors
    /// [`Error::Internal`] where the store does not answer. A delivery that fails is no error: it is kept with its reason.
    pub async fn deliver_once(&self) -> Answer<bool> {
        let mut failed = None;
        let mut abandoned = Vec::new();
        for payer in self.0.store.payers().await.map_err(Error::internal)? {
            match self.claim_delivery(&payer, false).await {
                Ok(Claimed::One(claimed)) => {
                    return self.deliver(&payer.payer, *claimed).await.map(|()| true);
                }
                Ok(Claimed::OnlyAbandoned) => abandoned.push(payer),
                Ok(Claimed::Nothing) => {}
                // What is wrong with one payer is in the way of no other.
                Err(error) => failed = Some(error),
            }
        }
        for payer in abandoned {
            match self.claim_delivery(&payer, true).await {
                Ok(Claimed::One(claimed)) => {
                    return self.deliver(&payer.payer, *claimed).await.map(|()| true);
                }
                Ok(Claimed::OnlyAbandoned | Claimed::Nothing) => {}
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(false), Err)
    }

    /// Takes the first delivery that is due, and says so.
    async fn claim_delivery(&self, of: &PayerRow, abandoned_too: bool) -> Answer<Claimed> {
        let payer = &of.payer;
        let lease_ms = self.lease_ms();
        let runs = self.0.store.current_runs(payer).await.map_err(Error::internal)?;
        let as_of = AsOf { head: of.head.clone(), runs };
        if self.0.quiet_exports.holds(payer, &as_of, machine_milliseconds()) {
            return Ok(Claimed::Nothing);
        }
        let runs = &as_of.runs;
        let exports = self.0.store.data_exports(payer).await.map_err(Error::internal)?;
        let executions = self.0.store.current_executions(payer).await.map_err(Error::internal)?;
        let views = &self.views_of_exports(payer, &exports, runs).await?;
        let moment = Moment { now_ms: machine_milliseconds(), lease_ms };
        let due = |at| all_due((&exports, views), runs, &executions, at);
        let Some(first) = self.first_due(payer, due(moment), &executions).await? else {
            let some_time = Moment { now_ms: i64::MAX, lease_ms };
            // What was begun of an export that is gone by now is nobody's to take over.
            let is_there = |id: &str| exports.iter().any(|export| !export.is_deleted && export.id == id);
            let is_under_way = executions.iter().any(|of| of.ended_at_ms.is_none() && is_there(&of.export));
            if !is_under_way && self.first_due(payer, due(some_time), &executions).await?.is_none() {
                self.0.quiet_exports.note(payer, as_of, moment.now_ms);
            }
            return Ok(Claimed::Nothing);
        };
        if first.abandoned > 0 && !abandoned_too {
            return Ok(Claimed::OnlyAbandoned);
        }
        self.claim(payer, views).await
    }

    /// Takes the first delivery that is due as rows are now, of views that were looked up before.
    async fn claim(&self, payer: &AccountId, views: &ViewsNow) -> Answer<Claimed> {
        let lease_ms = self.lease_ms();
        self.transaction(payer, |store, state| async move {
            let now_ms = machine_milliseconds();
            let mut write = store.write(payer, &state.head).await?;
            let (exports, runs) = (write.data_exports().await?, write.current_runs().await?);
            let executions = write.current_executions().await?;
            let all = all_due((&exports, views), &runs, &executions, Moment { now_ms, lease_ms });
            let Some(due) = self.first_due(payer, all, &executions).await? else {
                return Ok((state, Claimed::Nothing));
            };
            for left in executions
                .iter()
                .filter(|of| of.ended_at_ms.is_none() && is_of(of, (&due.export.id, due.period)))
            {
                let problem = ABANDONED.to_owned();
                write
                    .put_execution(&ended(
                        left,
                        &NotDelivered { status: DELIVERY_FAILED, reason: Some(INTERNAL), problem },
                        now_ms,
                    ))
                    .await?;
            }
            let execution = ExecutionRow {
                export: due.export.id.clone(),
                id: new_request_id().map_err(Error::internal)?,
                definition: due.export.definition,
                period: due.period,
                run: due.run.clone(),
                status: QUERYING.to_owned(),
                reason: None,
                problem: None,
                body: NewDefinition::body_of_delivery(&due.export.body, due.view_known_by.clone())?,
                created_at_ms: now_ms,
                updated_at_ms: now_ms,
                ended_at_ms: None,
                claim_expires_at_ms: Some(now_ms.saturating_add(lease_ms)),
            };
            write.put_execution(&execution).await?;
            Ok::<_, Attempt>((state.commit(write, []).await?, Claimed::One(Box::new((due, execution)))))
        })
        .await
    }

    /// The first of what is due that is of a run which knows a billing group of the view. What was delivered of a month stands there as what is charged: of a run that does not know the group any more, a
    /// file without rows takes its place.
    async fn first_due(
        &self,
        payer: &AccountId,
        all: Vec<Due>,
        executions: &[ExecutionRow],
    ) -> Answer<Option<Due>> {
        let mut opened: BTreeMap<String, Option<DoneRun>> = BTreeMap::new();
        for due in all {
            if !opened.contains_key(&due.run) {
                opened.insert(due.run.clone(), self.done_run(payer, &due.run).await?);
            }
            let Some(done) = opened.get(&due.run).and_then(Option::as_ref) else { continue };
            // Why a view has no lines is told of every month that there is.
            let is_known = due.view.as_ref().map_or(true, |view| {
                view.groups().iter().any(|group| done.groups.values().any(|id| id == group.as_str()))
            });
            let mut of_month = executions.iter().filter(|of| is_of(of, (&due.export.id, due.period)));
            if is_known || of_month.any(|of| of.ended_at_ms.is_some() && of.problem.is_none()) {
                return Ok(Some(due));
            }
        }
        Ok(None)
    }

    /// Delivers what was claimed, and keeps what came of it.
    async fn deliver(&self, payer: &AccountId, (due, mut execution): (Due, ExecutionRow)) -> Answer<()> {
        let (export, period) = (&due.export.name, due.period);
        tracing::info!(%payer, export, %period, "delivering an export");
        let mut under_way = UnderWay { execution: execution.clone(), has_put: false };
        // Nothing is broken off where the claim is lost: files that are on their way would go on without anybody who knows of them.
        let outcome = tokio::select! {
            outcome = self.delivered(payer, &due, &mut under_way) => outcome,
            never = self.renewing_delivery(payer, &execution) => match never {},
        };
        let now_ms = machine_milliseconds();
        execution = match outcome {
            Ok(rows) => {
                tracing::info!(%payer, export, %period, rows, "an export is delivered");
                let ended_at_ms = Some(now_ms);
                ExecutionRow {
                    status: DELIVERED.to_owned(),
                    updated_at_ms: now_ms,
                    ended_at_ms,
                    claim_expires_at_ms: None,
                    ..execution
                }
            }
            Err(not) => {
                tracing::warn!(%payer, export, %period, problem = not.problem, "an export could not be delivered");
                ended(&execution, &not, now_ms)
            }
        };
        if self.keep_execution(payer, &execution).await? {
            return Ok(());
        }
        tracing::warn!(export, %period, "what was delivered does not count: somebody else has taken it over");
        if under_way.has_put { self.say_late(payer, &execution).await } else { Ok(()) }
    }

    /// Says that files were put which are perhaps over those of whoever has taken the delivery over: then the month is due once more.
    async fn say_late(&self, payer: &AccountId, execution: &ExecutionRow) -> Answer<()> {
        let not = NotDelivered { status: DELIVERY_FAILED, reason: Some(INTERNAL), problem: LATE.to_owned() };
        let id = new_request_id().map_err(Error::internal)?;
        let mut tries = 0;
        loop {
            let late = ExecutionRow { id: id.clone(), ..ended(execution, &not, machine_milliseconds()) };
            tries += 1;
            match self.keep_execution(payer, &late).await.map(drop) {
                Err(error) if tries < LATE_TRIES_MAX => {
                    tracing::warn!(?error, "that files were put late could not be said yet");
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                said => return said,
            }
        }
    }

    /// Keeps how far a delivery is; `false` where it has ended: somebody else has taken it over.
    async fn keep_execution(&self, payer: &AccountId, execution: &ExecutionRow) -> Answer<bool> {
        self.transaction(payer, |store, state| async move {
            let mut write = store.write(payer, &state.head).await?;
            let is_kept = write.put_execution(execution).await?;
            Ok::<_, Attempt>((state.commit(write, []).await?, is_kept))
        })
        .await
    }

    /// Says that files are about to be put, and takes the time for it: who has lost a delivery in the meantime puts nothing over what its successor does.
    async fn still_delivering(
        &self,
        payer: &AccountId,
        execution: &mut ExecutionRow,
    ) -> Result<(), NotDelivered> {
        let now_ms = machine_milliseconds();
        execution.status = DELIVERING.to_owned();
        execution.updated_at_ms = now_ms;
        execution.claim_expires_at_ms = Some(now_ms.saturating_add(self.lease_ms()));
        match self.keep_execution(payer, execution).await.map_err(inside)? {
            true => Ok(()),
            false => Err(NotDelivered {
                status: DELIVERY_FAILED,
                reason: Some(INTERNAL),
                problem: "somebody else has taken it over".to_owned(),
            }),
        }
    }

    /// Says again and again that a delivery goes on, until somebody else has it.
    async fn renewing_delivery(&self, payer: &AccountId, execution: &ExecutionRow) -> Infallible {
        let of = (execution.export.as_str(), execution.id.as_str());
        loop {
            tokio::time::sleep(self.0.options.lease / 4).await;
            let until = machine_milliseconds().saturating_add(self.lease_ms());
            match self.0.store.extend_execution(payer, of, until).await {
                Ok(true) => {}
                Ok(false) => return std::future::pending().await,
                Err(error) => tracing::warn!(%error, "the claim of a delivery could not be renewed"),
            }
        }
    }

    /// Exports the lines and puts them where they are wanted; how many rows.
    async fn delivered(
        &self,
        payer: &AccountId,
        due: &Due,
        under_way: &mut UnderWay,
    ) -> Result<u64, NotDelivered> {
        let new = NewDefinition::kept(&due.export).map_err(inside)?;
        let definition = Definition::of(&new).map_err(|error| refused(&error, QUERY_FAILED, None))?;
        let view = due.view.as_ref().map_err(|problem| NotDelivered {
            status: QUERY_FAILED,
            reason: Some(NO_PERMISSION),
            problem: problem.clone(),
        })?;
        let place = bucket::place(&self.0.options.export_buckets, payer, &definition.to);
        let place = place.map_err(|error| refused(&error, DELIVERY_FAILED, Some(NO_PERMISSION)))?;
        if let Some(problem) = self.root_is_another_s(payer, &due.export).await.map_err(inside)? {
            return Err(NotDelivered { status: DELIVERY_FAILED, reason: Some(NO_PERMISSION), problem });
        }
        let scratch = self.0.options.data.join(SCRATCH).join(format!("export-{}", under_way.execution.id));
        let made = scratch.clone();
        on_disk(move || fs::create_dir_all(&made)).await.map_err(|error| disk(&error))?;
        let delivered =
            self.exported_and_put(payer, (due, view), &definition, (place, scratch.clone()), under_way).await;
        // What cannot be removed now goes when a server begins to work here.
        let _ = on_disk(move || fs::remove_dir_all(&scratch)).await;
        delivered
    }

    async fn exported_and_put(
        &self,
        payer: &AccountId,
        (due, view): (&Due, &View),
        definition: &Definition,
        (place, scratch): (PathBuf, PathBuf),
        under_way: &mut UnderWay,
    ) -> Result<u64, NotDelivered> {
        let reading = self.reading().await.map_err(inside)?;
        let done = self.done_run(payer, &due.run).await.map_err(inside)?;
        let done = done.ok_or_else(|| inside(Error::internal(due.run.clone())))?;
        let of = self.lines_of(payer, due, (view, &done)).await.map_err(inside)?;
        let is_parquet = definition.to.is_parquet;
        let order = LinesOrder { of, lines: definition.lines.clone(), is_parquet, folder: scratch };
        let folder = self.folder(&done.folder);
        let exported = self.engine(move |engine| engine.export_lines(&folder, &order)).await;
        let ExportedLines { file, rows, columns } = exported.map_err(|error| match error {
            EngineError::Input(problems) => {
                NotDelivered { status: QUERY_FAILED, reason: None, problem: problems.join("; ") }
            }
            other => {
                NotDelivered { status: QUERY_FAILED, reason: Some(INTERNAL), problem: other.to_string() }
            }
        })?;
        drop(reading);
        let UnderWay { execution, has_put } = under_way;
        self.still_delivering(payer, execution).await?;
        let delivery = Delivery {
            payer,
            kind: if due.export.is_report { ExportKind::Report } else { ExportKind::Export },
            export: (&due.export.id, &due.export.name),
            to: &definition.to,
            period: due.period,
            execution: &execution.id.clone(),
            began_at_s: execution.created_at_ms / 1_000,
        };
        let data = vec![PutFile { name: delivery.data(), content: Content::File(file) }];
        let manifests = delivery.manifests(&columns).into_iter();
        let manifests = manifests.map(|(name, text)| PutFile { name, content: Content::Bytes(text) });
        let (manifests, outdated): (Vec<_>, _) = (manifests.collect(), delivery.outdated());
        *has_put = true;
        self.put(place.clone(), data, Vec::new()).await?;
        // A manifest makes a delivery of files: only who still has it writes one.
        self.still_delivering(payer, execution).await?;
        self.put(place, manifests, outdated).await.map(|()| rows)
    }

    /// Whose lines a view has in a run.
    async fn lines_of(
        &self,
        payer: &AccountId,
        due: &Due,
        (view, done): (&View, &DoneRun),
    ) -> Answer<LinesOf> {
        if let View::BillingGroups { groups, .. } = view {
            let group = done.groups.iter().find(|(_, id)| groups.iter().any(|of| of.as_str() == *id));
            // A run that does not know the group has nothing of it, as a view without parts.
            let none = || LinesOf::View { scopes: Vec::new(), categories: Vec::new() };
            return Ok(group.map_or_else(none, |(name, _)| LinesOf::BillingGroup(name.clone())));
        }
        let definitions = self.cost_categories(payer).await?;
        let current = self.current(payer).await?;
        let names = AccountNames::of(&current.family);
        let needed = definitions.of_month(due.period, &names).needed(&view.categories_asked())?;
        let categories = needed.iter().map(Needed::category).collect::<Answer<_>>()?;
        let facts = self.facts_of_run(payer, &due.run).await?;
        let facts = facts.ok_or_else(|| Error::internal(due.run.clone()))?;
        Ok(LinesOf::View { scopes: view.seen(&facts), categories })
    }

    async fn put(
        &self,
        place: PathBuf,
        files: Vec<PutFile>,
        outdated: Vec<String>,
    ) -> Result<(), NotDelivered> {
        let put = self.engine(move |engine| engine.put(&place, &files, &outdated)).await;
        put.map_err(|error| {
            let reason = if matches!(error, EngineError::Input(_)) { NO_PERMISSION } else { INTERNAL };
            NotDelivered { status: DELIVERY_FAILED, reason: Some(reason), problem: error.to_string() }
        })
    }
}

/// Everything that is due, as far as rows say it: what servers did not come to the end of last.
fn all_due(
    (exports, views): (&[DataExportRow], &ViewsNow),
    runs: &[CurrentRun],
    executions: &[ExecutionRow],
    Moment { now_ms, lease_ms }: Moment,
) -> Vec<Due> {
    let mut all = Vec::new();
    for export in exports.iter().filter(|export| !export.is_deleted) {
        let Some(view) = views.of(&export.id) else { continue };
        for CurrentRun { period, run, .. } in runs {
            let view_known_by = views.known_by(&export.id, *period);
            let of_month = || executions.iter().filter(|of| is_of(of, (&export.id, *period)));
            let is_held = of_month().any(|of| of.claim_expires_at_ms.is_some_and(|until| until > now_ms));
            let is_same = |of: &ExecutionRow| {
                of.problem.as_deref() != Some(LATE)
                    && of.run == *run
                    && of.definition == export.definition
                    && NewDefinition::view_known_by(&of.body) == view_known_by
            };
            // What was delivered before something else was lies under it: a view may become again what it was.
            let other = of_month().filter(|of| !is_same(of)).filter_map(|of| of.ended_at_ms).max();
            let same =
                || of_month().filter(|of| is_same(of) && other.is_none_or(|other| of.created_at_ms >= other));
            let rests = same().any(|of| of.ended_at_ms.is_some() && !may_go_well(of));
            let was_tried = |of: &&ExecutionRow| of.ended_at_ms.is_some() && !is_abandoned(of);
            let tried = same().filter(was_tried).count();
            let tried = u32::try_from(tried).unwrap_or(u32::MAX);
            let last = same().filter(was_tried).filter_map(|of| of.ended_at_ms).max();
            let pause = FIRST_PAUSE_MS << tried.saturating_sub(1).min(TRIES_MAX);
            let pauses = last.is_some_and(|last| now_ms < last.saturating_add(pause));
            // One whose claim is over without a word of its server is abandoned, too, whether or not somebody has said so.
            let was_left = |of: &&ExecutionRow| of.ended_at_ms.is_none() || is_abandoned(of);
            let abandoned = same().filter(was_left).count();
            let left =
                same().filter(was_left).filter_map(|of| of.ended_at_ms.or(of.claim_expires_at_ms)).max();
            let waits =
                left.is_some_and(|left| now_ms < left.saturating_add(abandoned_pause(abandoned, lease_ms)));
            if !is_held && !rests && !pauses && !waits && tried < TRIES_MAX {
                let (export, run, view) = (export.clone(), run.clone(), view.view.clone());
                all.push(Due { export, period: *period, run, view, view_known_by, abandoned });
            }
        }
    }
    all.sort_by_key(|due| due.abandoned);
    all
}

/// How long what was abandoned so often rests after the last time: the first time a server was stopped, or killed, it may have been for any reason.
fn abandoned_pause(abandoned: usize, lease_ms: i64) -> i64 {
    // A pause of twenty doublings is beyond the longest one, whatever a claim's time.
    let doublings = abandoned.checked_sub(2).map(|more| more.min(20));
    doublings.map_or(0, |doublings| (lease_ms << doublings).min(ABANDONED_PAUSE_MAX_MS))
}

/// Whether a delivery is of the same month of the same export.
fn is_of(execution: &ExecutionRow, (export, period): (&str, BillingPeriod)) -> bool {
    execution.export == export && execution.period == period
}

/// Whether a server has begun it and did not end it.
fn is_abandoned(ended: &ExecutionRow) -> bool {
    ended.problem.as_deref() == Some(ABANDONED)
}

/// Whether what has ended may go well later without anything being otherwise. A view that has no lines has none until it is another.
fn may_go_well(ended: &ExecutionRow) -> bool {
    let is_of_view = ended.status == QUERY_FAILED && ended.reason.as_deref() == Some(NO_PERMISSION);
    ended.problem.is_some() && ended.reason.is_some() && !is_of_view
}

fn ended(execution: &ExecutionRow, not: &NotDelivered, now_ms: i64) -> ExecutionRow {
    ExecutionRow {
        status: not.status.to_owned(),
        reason: not.reason.map(str::to_owned),
        problem: Some(not.problem.clone()),
        updated_at_ms: now_ms,
        ended_at_ms: Some(now_ms),
        claim_expires_at_ms: None,
        ..execution.clone()
    }
}

fn refused(error: &Error, status: &'static str, reason: Option<&'static str>) -> NotDelivered {
    let problem = match error {
        Error::Declined(declined) => declined.message(),
        other => format!("{other:?}"),
    };
    NotDelivered { status, reason, problem }
}

fn inside(error: Error) -> NotDelivered {
    let problem = match &error {
        Error::Internal(cause) if cause.is_unanswered() => "the database does not answer".to_owned(),
        Error::Internal(cause) => match cause.of::<StoreError>() {
            Some(store) => store.to_string(),
            None => format!("{cause:?}"),
        },
        Error::Unavailable(reason) => (*reason).to_owned(),
        other => format!("{other:?}"),
    };
    NotDelivered { status: DELIVERY_FAILED, reason: Some(INTERNAL), problem }
}

fn disk(error: &std::io::Error) -> NotDelivered {
    let problem = format!("the data directory cannot be written: {error}");
    NotDelivered { status: QUERY_FAILED, reason: Some(INTERNAL), problem }
}

#[cfg(test)]
mod tests {
    //! What is due of which rows.

    use super::super::views::ViewNow;
    use super::super::{NewLines, Where};
    use super::*;

    fn export(definition: u64) -> DataExportRow {
        DataExportRow {
            id: "e".to_owned(),
            version: definition,
            definition,
            recorded_at_s: 0,
            created_at_s: 0,
            is_deleted: false,
            is_report: false,
            name: "n".to_owned(),
            body: "{}".to_owned(),
            tags: BTreeMap::new(),
        }
    }

    fn month(number: u8) -> BillingPeriod {
        BillingPeriod::new(2026, number).unwrap()
    }

    fn execution(
        run: &str,
        definition: u64,
        ended_at_ms: Option<i64>,
        failed: Option<Option<&str>>,
    ) -> ExecutionRow {
        ExecutionRow {
            export: "e".to_owned(),
            id: format!("{run}-{definition}"),
            definition,
            period: month(10),
            run: run.to_owned(),
            status: DELIVERED.to_owned(),
            reason: failed.flatten().map(str::to_owned),
            problem: failed.map(|_| "something".to_owned()),
            body: "{}".to_owned(),
            created_at_ms: 0,
            updated_at_ms: 0,
            ended_at_ms,
            claim_expires_at_ms: ended_at_ms.is_none().then_some(1_000),
        }
    }

    fn views(made_of: Option<&str>) -> ViewsNow {
        let made_of = made_of.map(str::to_owned);
        let now = ViewNow { view: Ok(View::Primary), made_of, categories: BTreeMap::new() };
        ViewsNow { of_export: [("e".to_owned(), now)].into() }
    }

    const LEASE_MS: i64 = 60_000;

    fn at(now_ms: i64) -> Moment {
        Moment { now_ms, lease_ms: LEASE_MS }
    }

    #[test]
    fn a_run_is_delivered_once_for_each_definition() {
        let runs = [CurrentRun { period: month(10), run: "r2".to_owned(), set_at_ms: 0 }];
        let due = |definition, executions: &[ExecutionRow], now_ms| {
            all_due((&[export(definition)], &views(None)), &runs, executions, at(now_ms)).len()
        };
        assert_eq!(due(1, &[], 0), 1);
        assert_eq!(due(1, &[execution("r1", 1, Some(5), None)], 10), 1);
        // What another run has written over is delivered anew.
        let again = [execution("r2", 1, Some(5), None), execution("r1", 1, Some(7), None)];
        assert_eq!(due(1, &again, 10), 1);
        assert_eq!(due(1, &[execution("r2", 1, Some(5), None)], 10), 0);
        assert_eq!(due(2, &[execution("r2", 1, Some(5), None)], 10), 1);
        // Somebody works on it, on whichever run; then its time is over.
        assert_eq!(due(1, &[execution("r1", 1, None, None)], 999), 0);
        assert_eq!(due(1, &[execution("r1", 1, None, None)], 1_000), 1);
        // What would fail again is left; what may go well later is tried after a while, and not for ever.
        assert_eq!(due(1, &[execution("r2", 1, Some(5), Some(None))], 1_000_000), 0);
        let failed = execution("r2", 1, Some(5), Some(Some(INTERNAL)));
        assert_eq!(due(1, std::slice::from_ref(&failed), 10), 0);
        assert_eq!(due(1, std::slice::from_ref(&failed), 5 + FIRST_PAUSE_MS), 1);
        assert_eq!(due(1, &vec![failed.clone(); 8], i64::MAX), 0);
        // Whoever was killed has tried nothing, however often; but it rests.
        let abandoned = ExecutionRow { problem: Some(ABANDONED.to_owned()), ..failed.clone() };
        assert_eq!(due(1, &vec![abandoned.clone(); 20], 5 + ABANDONED_PAUSE_MAX_MS), 1);
        assert_eq!(due(1, &[abandoned, failed.clone()], 10), 0);
        // What was put late lies over what was delivered before it, and under what is delivered after it.
        let late = ExecutionRow { problem: Some(LATE.to_owned()), ended_at_ms: Some(9), ..failed.clone() };
        let well = |at| ExecutionRow { created_at_ms: at, ..execution("r2", 1, Some(at + 1), None) };
        assert_eq!(due(1, &[well(5), late.clone()], 10), 1);
        assert_eq!(due(1, &[well(5), late, well(9)], 20), 0);
        let gone = DataExportRow { is_deleted: true, ..export(1) };
        assert!(all_due((&[gone], &views(None)), &runs, &[], at(0)).is_empty());
    }

    #[test]
    fn what_is_abandoned_rests_and_comes_last() {
        let runs = [9, 10].map(|of| CurrentRun { period: month(of), run: "r".to_owned(), set_at_ms: 0 });
        let due = |executions: &[ExecutionRow], now_ms| -> Vec<BillingPeriod> {
            let all = all_due((&[export(1)], &views(None)), &runs, executions, at(now_ms));
            all.into_iter().map(|due| due.period).collect()
        };
        let left = |ended_at_ms| {
            let of = execution("r", 1, ended_at_ms, ended_at_ms.map(|_| Some(INTERNAL)));
            let problem = ended_at_ms.map(|_| ABANDONED.to_owned());
            ExecutionRow { period: month(9), problem, ..of }
        };
        assert_eq!(due(&[], 0), [month(9), month(10)]);
        // Whoever has it is heard of no more from 1,000 on.
        assert_eq!(due(&[left(None)], 999), [month(10)]);
        assert_eq!(due(&[left(None)], 1_000), [month(10), month(9)]);
        // A second time, and a third: each pause is twice as long as the one before.
        let twice = [left(Some(500)), left(None)];
        assert_eq!(due(&twice, 999 + LEASE_MS), [month(10)]);
        assert_eq!(due(&twice, 1_000 + LEASE_MS), [month(10), month(9)]);
        let thrice = [left(Some(400)), left(Some(500)), left(None)];
        assert_eq!(due(&thrice, 999 + 2 * LEASE_MS), [month(10)]);
        assert_eq!(due(&thrice, 1_000 + 2 * LEASE_MS), [month(10), month(9)]);
        assert_eq!(abandoned_pause(9, LEASE_MS), ABANDONED_PAUSE_MAX_MS);
        assert_eq!(abandoned_pause(usize::MAX, LEASE_MS), ABANDONED_PAUSE_MAX_MS);
    }

    #[test]
    fn another_view_is_another_delivery() {
        let runs = [CurrentRun { period: month(10), run: "r".to_owned(), set_at_ms: 0 }];
        let due = |known_by, executions: &[ExecutionRow]| {
            all_due((&[export(1)], &views(Some(known_by))), &runs, executions, at(i64::MAX)).len()
        };
        let of = |known_by: &str, at, failed| {
            let to = Where {
                bucket: "b".to_owned(),
                prefix: "p".to_owned(),
                is_parquet: true,
                is_overwritten: true,
            };
            let lines = NewLines::LegacyReport(true);
            let new = NewDefinition::new("n".to_owned(), "v".to_owned(), lines, to, serde_json::Value::Null);
            let body = NewDefinition::body_of_delivery(&new.unwrap().body, Some(known_by.to_owned()));
            let status = if failed { QUERY_FAILED } else { DELIVERED }.to_owned();
            let execution = execution("r", 1, Some(at), failed.then_some(Some(NO_PERMISSION)));
            ExecutionRow { status, body: body.unwrap(), created_at_ms: at, ..execution }
        };
        assert_eq!(due("a", &[]), 1);
        assert_eq!(due("a", &[of("a", 5, false)]), 0);
        assert_eq!(due("b", &[of("a", 5, false)]), 1);
        // It is again what it was: what lies there is of the other one.
        assert_eq!(due("a", &[of("a", 5, false), of("b", 7, false)]), 1);
        assert_eq!(due("a", &[of("a", 5, false), of("b", 7, false), of("a", 9, false)]), 0);
        // A view that has no lines is not asked again until it is another.
        assert_eq!(due("gone", &[of("gone", 5, true)]), 0);
        assert_eq!(due("a", &[of("a", 3, false), of("gone", 5, true)]), 1);
    }
}
