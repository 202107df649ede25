//! Runs: what has to be priced again, who prices it, and which result a period shows.
//!
//! A change of the configuration queues a run of every open period that it reaches and that has cost files; what is queued of a period is one
//! run. A worker claims it for a while and goes on claiming while it works, so that one that dies gives it back; what a worker has made whose
//! claim passed to another is refused. The last good run answers until the next one is complete.

use crate::audit;
use crate::authorization::Caller;
use crate::clock::{Clock, machine_milliseconds};
use crate::cost_reports::PeriodReport;
use crate::desk::{BackOffice, WriteRequest};
use crate::engine::{CostSource, EngineError, RunOrder, RunOutcome};
use crate::error::{Answer, Error};
use crate::vault::new_resource_id;
use billing::account::AccountId;
use billing::configuration::{BillingGroupId, Configuration, Timeline, Touched};
use billing::period::BillingPeriod;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::{Claim, CurrentRun, Store, StoreError, Write};

pub use store::{DoneRun, NewRun, Outcome, RunRow, RunState, SourceRow};

/// How long a worker has a run before another may take it, and how often it says that it still works.
const LEASE: Duration = Duration::from_secs(60);
const STILL_WORKING: Duration = Duration::from_secs(15);
/// How often a run is tried whose disk fails, over some hours, and how long it rests at first; the rest is doubled each time, up to a limit.
const TRIES_MAX: u64 = 100;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const PAUSES_DOUBLED: u64 = 8;
/// How long a worker waits at most before it looks whether another process has queued something.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How many runs of a list are read at once.
const PAGE: usize = 200;

/// The open periods, up to the current one, in which a write may have changed what is charged.
pub(crate) fn changed_periods(
    before: &Configuration,
    after: &Configuration,
    touched: &BTreeSet<Touched>,
    request: &WriteRequest<'_>,
) -> Vec<BillingPeriod> {
    let first = touched.iter().filter_map(|what| first_difference(before, after, what)).min();
    let current = Clock::period_of(request.caller.now);
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
    let of = |period: Option<BillingPeriod>| period.map(Difference::From);
    match what {
        Touched::Group(id) => of(first_apart(
            before.groups.get(id).map(|resource| &resource.versions),
            after.groups.get(id).map(|resource| &resource.versions),
        )),
        Touched::Plan(id) => of(first_apart(
            before.plans.get(id).map(|resource| &resource.versions),
            after.plans.get(id).map(|resource| &resource.versions),
        )),
        Touched::Rule(id) => of(first_apart(
            before.rules.get(id).map(|resource| &resource.versions),
            after.rules.get(id).map(|resource| &resource.versions),
        )),
        Touched::Item(id) => of(first_apart(
            before.items.get(id).map(|resource| &resource.versions),
            after.items.get(id).map(|resource| &resource.versions),
        )),
        Touched::Membership(account) => {
            of(first_apart(before.memberships.get(account), after.memberships.get(account)))
        }
        Touched::Other => of(first_apart(Some(&before.other), Some(&after.other))),
        Touched::Family(_) | Touched::Transfer(_) => Some(Difference::Everywhere),
        Touched::FamilyIsComplete | Touched::Preference(_) | Touched::ClosedThrough => None,
    }
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
pub(crate) async fn queue(
    store: &Store,
    write: &mut Write,
    payer: &AccountId,
    periods: &[BillingPeriod],
) -> Result<(), crate::desk::Attempt> {
    if periods.is_empty() {
        return Ok(());
    }
    let known: BTreeSet<_> =
        store.current_runs(payer).await?.into_iter().map(|current| current.period).collect();
    for period in periods.iter().filter(|period| known.contains(period)) {
        write.queue_run(new_run(*period, None)?).await?;
    }
    Ok(())
}

fn new_run(period: BillingPeriod, reads: Option<String>) -> Answer<NewRun> {
    let id = new_resource_id().map_err(Error::internal)?;
    Ok(NewRun { id, period, reads, created_at_ms: machine_milliseconds() })
}

/// Cost files that somebody registers.
#[derive(Debug, Clone)]
pub struct NewSource {
    /// Where they are.
    pub inputs: Vec<PathBuf>,
    /// AWS's price list for them.
    pub price_list: Option<PathBuf>,
    /// Only this period of them; `None` is every period that the place has.
    pub period: Option<BillingPeriod>,
    /// Whether the place is looked at again and again.
    pub is_watched: bool,
    /// Whether the place never changes what it has.
    pub is_immutable: bool,
    /// Whether rows that cannot be read are left out.
    pub accept_rejects: bool,
}

impl BackOffice {
    /// Registers cost files and queues a run of each of their periods. The answer names the source and the periods.
    ///
    /// # Errors
    /// [`Error::Refused`] where there are no cost files, or a request may not name the place.
    pub async fn import(
        &self,
        request: &WriteRequest<'_>,
        new: NewSource,
    ) -> Answer<(String, Vec<BillingPeriod>)> {
        for place in new.inputs.iter().chain(&new.price_list) {
            self.check_place(place)?;
        }
        let periods = match new.period {
            Some(period) => vec![period],
            None => {
                let inputs = new.inputs.clone();
                self.blocking(move |engine| engine.periods(&inputs)).await?
            }
        };
        if periods.is_empty() {
            return Err(crate::periods::refused("the place has no cost files of any billing period"));
        }
        let id = source_id(&new);
        let payer = &request.caller.payer;
        let row = SourceRow {
            id: id.clone(),
            inputs: new.inputs.iter().map(|input| input.display().to_string()).collect(),
            price_list: new.price_list.as_ref().map(|place| place.display().to_string()),
            is_watched: new.is_watched,
            is_immutable: new.is_immutable,
            accepts_rejects: new.accept_rejects,
            period: new.period,
            fingerprint: None,
            checked_at_ms: None,
            problem: None,
            created_at_ms: machine_milliseconds(),
        };
        let (row, source, asked) = (&row, &id, &periods);
        self.transaction(payer, |store, state| async move {
            let mut write = store.write(payer, &state.head).await?;
            write.put_source(row.clone()).await?;
            for period in asked {
                write.queue_run(new_run(*period, Some(source.clone()))?).await?;
            }
            write.audit(&audit::rows(&state.head.audit, [request.done(source)])).await?;
            Ok((state.at(write.commit().await?), ()))
        })
        .await?;
        self.0.wake.notify_one();
        Ok((id, periods))
    }

    /// The registered places of a payer's cost files.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn sources(&self, payer: &AccountId) -> Answer<Vec<SourceRow>> {
        self.0.store.sources(payer).await.map_err(Error::internal)
    }

    /// Forgets a place. What was read from it stays.
    ///
    /// # Errors
    /// [`Error::Refused`] where it is not registered.
    pub async fn remove_source(&self, request: &WriteRequest<'_>, id: &str) -> Answer<()> {
        let payer = &request.caller.payer;
        self.transaction(payer, |store, state| async move {
            let mut write = store.write(payer, &state.head).await?;
            if !write.remove_source(id).await? {
                return Err(crate::periods::refused(format!("there is no source `{id}`")).into());
            }
            write.audit(&audit::rows(&state.head.audit, [request.done(id)])).await?;
            Ok((state.at(write.commit().await?), ()))
        })
        .await
    }

    /// Whether a request may name a place. The operator's own command line may name any.
    fn check_place(&self, place: &Path) -> Answer<()> {
        let Some(roots) = &self.0.options.cost_roots else { return Ok(()) };
        let text = place.to_string_lossy();
        let goes_up = place.components().any(|part| matches!(part, std::path::Component::ParentDir));
        let is_below = |root: &PathBuf| {
            let root_text = root.to_string_lossy();
            match root_text.contains("://") {
                true => {
                    text == root_text || text.starts_with(&format!("{}/", root_text.trim_end_matches('/')))
                }
                // A link must not lead out of the root.
                false => std::fs::canonicalize(place)
                    .ok()
                    .zip(std::fs::canonicalize(root).ok())
                    .is_some_and(|(place, root)| place.starts_with(root)),
            }
        };
        if !goes_up && roots.iter().any(is_below) {
            return Ok(());
        }
        Err(crate::periods::refused(format!(
            "`{text}` is below none of the server's cost roots; start it with --cost-roots, or import with --data"
        )))
    }

    /// Looks at the places that are watched; what has changed since is queued to be read. What it finds wrong is kept beside the source.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn look_at_sources(&self) -> Answer<()> {
        for payer in self.0.store.payers().await.map_err(Error::internal)? {
            let payer = payer.payer;
            let sources = self.0.store.sources(&payer).await.map_err(Error::internal)?;
            for source in sources.into_iter().filter(|source| source.is_watched) {
                self.look_at(&payer, &source).await?;
            }
        }
        Ok(())
    }

    async fn look_at(&self, payer: &AccountId, source: &SourceRow) -> Answer<()> {
        let inputs: Vec<PathBuf> = source.inputs.iter().map(PathBuf::from).collect();
        let only = source.period;
        let found = self
            .blocking(move |engine| {
                let periods = match only {
                    Some(period) => vec![period],
                    None => engine.periods(&inputs)?,
                };
                let mut prints = BTreeMap::new();
                for period in periods {
                    prints.insert(period, engine.fingerprint(&inputs, period)?);
                }
                Ok(prints)
            })
            .await;
        let now = machine_milliseconds();
        let prints = match found {
            Ok(prints) => prints,
            Err(error) => {
                let problem = format!("{error:?}");
                let noted = self.0.store.note_source_checked(payer, &source.id, Err(&problem), now).await;
                return noted.map_err(Error::internal);
            }
        };
        let print_text = |print: (&BillingPeriod, &String)| format!("{} {}", print.0, print.1);
        let text = prints.iter().map(print_text).collect::<Vec<_>>().join("\n");
        let known: BTreeSet<&str> = source.fingerprint.as_deref().unwrap_or_default().lines().collect();
        let changed: Vec<BillingPeriod> = prints
            .iter()
            .filter(|print| !known.contains(print_text((print.0, print.1)).as_str()))
            .map(|(period, _)| *period)
            .collect();
        if !changed.is_empty() {
            let changed = &changed;
            self.transaction(payer, |store, state| async move {
                let mut write = store.write(payer, &state.head).await?;
                for period in changed {
                    write.queue_run(new_run(*period, Some(source.id.clone()))?).await?;
                }
                Ok((state.at(write.commit().await?), ()))
            })
            .await?;
            self.0.wake.notify_one();
        }
        self.0.store.note_source_checked(payer, &source.id, Ok(&text), now).await.map_err(Error::internal)
    }

    /// The runs of a payer, the newest first.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn runs(
        &self,
        payer: &AccountId,
        period: Option<BillingPeriod>,
    ) -> Answer<Vec<(RunRow, bool)>> {
        let runs = self.0.store.runs_page(payer, period, None, PAGE).await.map_err(Error::internal)?;
        let current = self.0.store.current_runs(payer).await.map_err(Error::internal)?;
        let current: BTreeSet<_> = current.into_iter().map(|current| current.run).collect();
        Ok(runs.into_iter().map(|run| (run.clone(), current.contains(&run.asked.id))).collect())
    }

    /// Prices what is queued, one run after the other, until `stop`.
    pub async fn work(&self, stop: tokio::sync::watch::Receiver<bool>) {
        self.remove_drafts().await;
        if let Err(error) = self.note_all_accounts().await {
            tracing::warn!(?error, "the accounts of the last runs could not be noted");
        }
        let mut is_tidy = false;
        while !*stop.borrow() {
            let worked = self.work_once().await;
            if !is_tidy || matches!(worked, Ok(true)) {
                is_tidy = self.remove_superseded().await;
            }
            match worked {
                Ok(true) => {}
                Ok(false) => {
                    let _ = tokio::time::timeout(LOOK_AGAIN, self.0.wake.notified()).await;
                }
                Err(error) => {
                    tracing::error!(?error, "the worker could not go on");
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
            }
        }
    }

    /// Prices one queued run; `false` where nothing is queued.
    ///
    /// # Errors
    /// [`Error::Internal`] where the store does not answer. A run that fails is no error: it is kept with its reason.
    pub async fn work_once(&self) -> Answer<bool> {
        for payer in self.0.store.payers().await.map_err(Error::internal)? {
            let payer = payer.payer;
            let lease_ms = i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
            let claimed = self.0.store.claim_run(&payer, machine_milliseconds(), lease_ms).await;
            if let Some(claim) = claimed.map_err(Error::internal)? {
                self.carry_out(&payer, claim).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn carry_out(&self, payer: &AccountId, claim: Claim) -> Answer<()> {
        let ended = self.carried_out(payer, &claim).await;
        if !matches!(ended, Ok(true)) {
            self.give_back(payer, &claim).await;
        }
        ended.map(|_| ())
    }

    /// Makes a run that is claimed; `false` where it has not ended, and is to be tried again.
    async fn carried_out(&self, payer: &AccountId, claim: &Claim) -> Answer<bool> {
        let run = claim.run.asked.clone();
        tracing::info!(%payer, period = %run.period, run = run.id, reads = run.reads.is_some(), "pricing");
        let mut working = tokio::time::interval(STILL_WORKING);
        working.tick().await;
        let mut priced = std::pin::pin!(self.priced(payer, &run));
        let outcome = loop {
            tokio::select! {
                outcome = &mut priced => break outcome,
                _ = working.tick() => {
                    let until = machine_milliseconds() + i64::try_from(LEASE.as_millis()).unwrap_or_default();
                    self.0.store.extend_claim(payer, &run.id, claim.token, until).await.map_err(Error::internal)?;
                }
            }
        };
        let outcome = match outcome {
            Ok(Some(done)) => Outcome::Done(Box::new(done)),
            Ok(None) => Outcome::Unchanged,
            Err(Priced::Desk(error)) => return Err(error),
            Err(Priced::Engine(EngineError::Disk(problem))) if claim.token < TRIES_MAX => {
                tracing::warn!(%payer, period = %run.period, run = run.id, problem, "a run is tried again: the disk has failed, or is full");
                return Ok(false);
            }
            Err(Priced::Engine(error)) => Outcome::Failed { error: error.to_string(), warnings: Vec::new() },
        };
        if let Outcome::Failed { error, .. } = &outcome {
            tracing::warn!(%payer, period = %run.period, run = run.id, error, "a run has failed; the last good one goes on answering");
        }
        self.finish(payer, claim, outcome).await
    }

    /// Lets the claim of a run that came to nothing pass soon, each time a little later: the same may go well then. A store that takes nothing
    /// now is asked again; in the end the claim passes by itself.
    async fn give_back(&self, payer: &AccountId, claim: &Claim) {
        let pause_ms = FIRST_PAUSE.as_millis() << claim.token.min(PAUSES_DOUBLED);
        let pause_ms = i64::try_from(pause_ms).unwrap_or_default();
        for _ in 0..LEASE.as_secs() {
            let until = machine_milliseconds() + pause_ms;
            match self.0.store.extend_claim(payer, &claim.run.asked.id, claim.token, until).await {
                Ok(()) | Err(StoreError::StaleClaim { .. }) => return,
                Err(error) => tracing::warn!(%error, "a run could not be given back yet"),
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Prices a run, if anything about it is other than the run that the period shows.
    async fn priced(&self, payer: &AccountId, run: &NewRun) -> Result<Option<DoneRun>, Priced> {
        let state = self.state(payer).await?;
        let store = &self.0.store;
        let current = current_done(store, payer, run.period).await?;
        let (book, book_files) = self.book_with_adjustments(payer, &state.configuration, run.period).await?;
        let name = folder_name(payer, run);
        let out = self.folder(&name);
        let order = RunOrder { period: run.period, book, book_files, out: out.clone() };
        let source = match &run.reads {
            Some(id) => Some(id.clone()),
            None => current.as_ref().map(|(_, done)| done.source.clone()),
        };
        let row = match &source {
            Some(id) => store.source(payer, id).await.map_err(Error::internal)?,
            None => None,
        };
        let must_read = run.reads.is_some();
        let earlier = current.as_ref().map(|(_, done)| self.folder(&done.folder)).filter(|_| !must_read);
        let source = row.map(|row| self.cost_source(payer, row));
        let outcome = self
            .engine(move |engine| {
                if let Some(earlier) = earlier
                    && let Some(outcome) = engine.reprice(&earlier, &order)?
                {
                    return Ok(outcome);
                }
                let no_source = || {
                    EngineError::Input(vec![
                        "the cost files of the period are not registered any more".to_owned(),
                    ])
                };
                engine.run(&source.ok_or_else(no_source)?, &order)
            })
            .await?;
        let RunOutcome { snapshot, book_hash, lines, warnings } = outcome;
        let in_period = state.configuration.groups.in_period(run.period);
        let groups = in_period.map(|(id, _, settings)| (settings.name.clone(), id.to_string())).collect();
        if let Some((_, done)) = &current
            && (&done.snapshot, &done.book_hash, &done.groups) == (&snapshot, &book_hash, &groups)
        {
            // The same files under the same book are the same bytes: the run that is shown is this one. No row will name the new folder.
            return Ok(None);
        }
        let folder = out.clone();
        let manifest = self.engine(move |engine| engine.manifest(&folder)).await?;
        let done = DoneRun {
            snapshot,
            source: run.reads.clone().or(current.map(|(_, done)| done.source)).unwrap_or_default(),
            book_hash,
            configuration_revision: state.head.revision,
            line_count: lines,
            folder: name,
            manifest,
            groups,
            warnings,
        };
        Ok(Some(done))
    }

    /// The folder of a run, from its name in the data directory: the directory may be restored elsewhere.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.0.options.data.join(name)
    }

    pub(crate) fn cost_source(&self, payer: &AccountId, row: SourceRow) -> CostSource {
        let pins = self.0.options.data.join("payers").join(payer.as_str()).join("cost-files");
        CostSource {
            inputs: row.inputs.into_iter().map(PathBuf::from).collect(),
            price_list: row.price_list.map(PathBuf::from),
            pin: (!row.is_immutable).then_some(pins),
            accept_rejects: row.accepts_rejects,
        }
    }

    /// Ends a run; one that is done is what its period shows from then on, and closed periods get what differs as an adjustment. `false` where
    /// it does not count.
    async fn finish(&self, payer: &AccountId, claim: &Claim, outcome: Outcome) -> Answer<bool> {
        let run = &claim.run.asked;
        let report = match &outcome {
            Outcome::Done(done) => Some(self.report_of(&run.id, done).await?),
            _ => None,
        };
        let state = self.state(payer).await?;
        let is_closed = state.configuration.is_closed(run.period);
        let adjusted = match (&report, is_closed) {
            (Some(report), true) => self.adjustments(payer, run, report).await?,
            _ => Vec::new(),
        };
        let posted: BTreeSet<BillingPeriod> = adjusted.iter().map(|row| row.posted_in).collect();
        let (posted, adjusted) = (&posted.into_iter().collect::<Vec<_>>(), &adjusted);
        let (outcome, is_current) = (&outcome, report.is_some() && !is_closed);
        let finished = self
            .transaction(payer, |store, state| async move {
                let mut write = store.write(payer, &state.head).await?;
                write.finish_run(&run.id, claim.token, outcome, machine_milliseconds()).await?;
                if is_current {
                    let set_at_ms = machine_milliseconds();
                    write
                        .set_current_run(CurrentRun { period: run.period, run: run.id.clone(), set_at_ms })
                        .await?;
                }
                write.put_adjustments(adjusted.clone()).await?;
                queue(&store, &mut write, payer, posted).await?;
                Ok((state.at(write.commit().await?), ()))
            })
            .await;
        if let Err(error) = finished {
            tracing::warn!(?error, run = run.id, "what was priced does not count");
            // Whether it was kept may not be known: what is shown next is what the database says.
            self.desk(payer).await?.forget(run.period);
            return Ok(false);
        }
        if let (Some(report), false) = (report, is_closed) {
            let OpenedReport { accounts, by_group } = report;
            self.desk(payer).await?.show(run.period, by_group);
            self.note_accounts(payer, run.period, &accounts).await?;
        }
        Ok(true)
    }

    /// Notes the accounts of the runs that open periods show: whoever published one may have been killed before it came to that.
    async fn note_all_accounts(&self) -> Answer<()> {
        for payer in self.0.store.payers().await.map_err(Error::internal)? {
            let (payer, _reading) = (payer.payer, self.reading().await?);
            for current in self.0.store.current_runs(&payer).await.map_err(Error::internal)? {
                if self.state(&payer).await?.configuration.is_closed(current.period) {
                    continue;
                }
                let row = self.0.store.run(&payer, &current.run).await.map_err(Error::internal)?;
                if let Some(done) = row.as_ref().and_then(RunRow::done) {
                    let accounts = self.report_of(&current.run, done).await?.accounts;
                    self.note_accounts(&payer, current.period, &accounts).await?;
                }
            }
        }
        Ok(())
    }

    /// Accounts that cost files name are of the organization; those in no group join the group that takes them.
    async fn note_accounts(
        &self,
        payer: &AccountId,
        period: BillingPeriod,
        accounts: &[AccountId],
    ) -> Answer<()> {
        let state = self.state(payer).await?;
        if state.configuration.is_closed(period) {
            return Ok(());
        }
        let caller = Caller { principal: "proforma".to_owned(), ..self.operator(payer, String::new()) };
        let names = accounts.iter().map(AccountId::as_str).collect::<Vec<_>>().join(" ");
        let request = WriteRequest {
            caller: &caller,
            action: "proforma:NoteAccounts",
            token: None,
            input: &names,
            resource: "",
            period: Some(period),
        };
        if period > Clock::period_of(caller.now)
            || !crate::accounts::has_news(&state.configuration, period, accounts)
        {
            return Ok(());
        }
        self.write(&request, |edit| {
            edit.note_accounts(accounts);
            Ok(edit.auto_associate(accounts).len())
        })
        .await?;
        Ok(())
    }

    /// What the period shows: the report of its current run, opened when it is asked for first.
    ///
    /// # Errors
    /// [`Error::Internal`] where the run's folder is not as it was written.
    pub async fn cost_report(
        &self,
        payer: &AccountId,
        period: BillingPeriod,
    ) -> Answer<Option<Arc<PeriodReport>>> {
        let desk = self.desk(payer).await?;
        let known = desk.shown(period);
        if known.is_some() && !self.0.options.shared {
            return Ok(known);
        }
        let current = || async { self.0.store.current_run(payer, period).await.map_err(Error::internal) };
        if let Some(known) = known
            && current().await?.is_some_and(|current| current.run == known.run)
        {
            return Ok(Some(known));
        }
        let _reading = self.reading().await?;
        let Some(mut shown) = current().await? else { return Ok(None) };
        loop {
            let row = self.0.store.run(payer, &shown.run).await.map_err(Error::internal)?;
            let Some(done) = row.as_ref().and_then(RunRow::done) else { return Ok(None) };
            let report = desk.show(period, self.report_of(&shown.run, done).await?.by_group);
            match current().await? {
                // A worker was quicker: its report must not stay hidden behind this one.
                Some(newer) if newer.run != shown.run => shown = newer,
                _ => return Ok(Some(report)),
            }
        }
    }

    async fn report_of(&self, run: &str, done: &DoneRun) -> Answer<OpenedReport> {
        let folder = self.folder(&done.folder);
        let report = self.blocking(move |engine| engine.report(&folder)).await?;
        let id = |(name, id): (&String, &String)| Some((name.clone(), BillingGroupId::parse(id)?));
        let ids: BTreeMap<String, BillingGroupId> = done.groups.iter().filter_map(id).collect();
        let accounts = report.accounts.clone();
        let by_group = PeriodReport::new(run.to_owned(), report, &ids).map_err(Error::internal)?;
        Ok(OpenedReport { accounts, by_group })
    }

    /// Asks the engine something, off the threads that answer requests.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn crate::engine::Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> Answer<T> {
        self.engine(ask).await.map_err(|error| match error {
            Priced::Desk(error) => error,
            Priced::Engine(EngineError::Input(problems)) => crate::periods::refused(problems.join("; ")),
            Priced::Engine(error) => Error::internal(error),
        })
    }

    async fn engine<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn crate::engine::Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, Priced> {
        let engine = self.0.engine.clone();
        let asked = tokio::task::spawn_blocking(move || ask(engine.as_ref())).await;
        asked.map_err(|error| Priced::Engine(EngineError::Failed(error.to_string())))?.map_err(Priced::Engine)
    }
}

/// A run's report, by the groups of the desk.
pub(crate) struct OpenedReport {
    pub accounts: Vec<AccountId>,
    pub by_group: PeriodReport,
}

/// Why there is no result.
enum Priced {
    /// The desk cannot go on; the run is tried again when its claim has passed.
    Desk(Error),
    /// The run has failed.
    Engine(EngineError),
}

impl From<Error> for Priced {
    fn from(error: Error) -> Self {
        Self::Desk(error)
    }
}

/// The run that a period shows.
async fn current_done(
    store: &Store,
    payer: &AccountId,
    period: BillingPeriod,
) -> Answer<Option<(String, DoneRun)>> {
    let found = async {
        let Some(current) = store.current_run(payer, period).await? else { return Ok(None) };
        let run = store.run(payer, &current.run).await?;
        Ok::<_, StoreError>(run.and_then(|run| Some((current.run, run.done()?.clone()))))
    };
    found.await.map_err(Error::internal)
}

/// The name of a run's folder in the data directory. A worker that died may have left one of the same run: each attempt has its own.
fn folder_name(payer: &AccountId, run: &NewRun) -> String {
    let attempt = new_resource_id().unwrap_or_default();
    format!("payers/{payer}/runs/{}/{}-{attempt}", run.period, run.id)
}

/// The same places are the same source.
fn source_id(new: &NewSource) -> String {
    let period = new.period.map(|period| period.to_string()).unwrap_or_default();
    let places = new.inputs.iter().map(|input| input.display().to_string()).collect::<Vec<_>>().join("\n");
    crate::desk::hash_of(&format!("{period}\n{places}"))[..16].to_owned()
}
