//! Runs: who prices what is queued, and which result its period shows from then on.
//!
//! A change of the configuration queues a run of every open period that it reaches and that has cost files; what is queued of a period is one
//! run. A worker claims it for a while and goes on claiming while it works, so that one that dies gives it back; what a worker has made whose
//! claim passed to another is refused. The last good run answers until the next one is complete.

use crate::authorization::Caller;
use crate::clock::{Clock, machine_milliseconds};
use crate::desk::{BackOffice, WriteRequest};
use crate::engine::{EngineError, RunOrder, RunOutcome};
use crate::error::{Answer, Error};
use crate::shown::OpenedReport;
use crate::vault::new_resource_id;
use crate::{accounts, changes, month_book};
use billing::account::AccountId;
use billing::period::BillingPeriod;
use std::collections::BTreeSet;
use std::time::Duration;
use store::{Claim, CurrentRun, StoreError};

pub use store::{DoneRun, NewRun, Outcome, RunRow, RunState};

/// How often a run is tried whose disk fails, over some hours, and how long it rests at first; the rest is doubled each time, up to a limit.
const TRIES_MAX: u64 = 100;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const PAUSES_DOUBLED: u64 = 8;
/// How long a worker waits at most before it looks whether another process has queued something.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How many runs of a list are read at once.
const PAGE: usize = 200;

impl BackOffice {
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
            let claimed = self.0.store.claim_run(&payer, machine_milliseconds(), self.lease_ms()).await;
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
        let mut working = tokio::time::interval(self.0.options.lease / 4);
        working.tick().await;
        let mut priced = std::pin::pin!(self.priced(payer, &run));
        let outcome = loop {
            tokio::select! {
                outcome = &mut priced => break outcome,
                _ = working.tick() => {
                    let until = machine_milliseconds().saturating_add(self.lease_ms());
                    match self.0.store.extend_claim(payer, &run.id, claim.token, until).await {
                        Ok(()) => {}
                        Err(error @ StoreError::StaleClaim { .. }) => {
                            tracing::warn!(%error, run = run.id, "another worker has taken the run over");
                            return Ok(true);
                        }
                        // The end of the run asks again whether the claim has held.
                        Err(error) => tracing::warn!(%error, run = run.id, "the claim of a run could not be renewed"),
                    }
                }
            }
        };
        let outcome = match outcome {
            Ok(Some(done)) => Outcome::Done(Box::new(done)),
            Ok(None) => Outcome::Unchanged,
            Err(NoResult::Desk(error)) => return Err(error),
            Err(NoResult::Engine(EngineError::Disk(problem))) if claim.token < TRIES_MAX => {
                tracing::warn!(%payer, period = %run.period, run = run.id, problem, "a run is tried again: the disk has failed, or is full");
                return Ok(false);
            }
            Err(NoResult::Engine(error)) => {
                Outcome::Failed { error: error.to_string(), warnings: Vec::new() }
            }
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
        for _ in 0..self.0.options.lease.as_secs() {
            let until = machine_milliseconds() + pause_ms;
            match self.0.store.extend_claim(payer, &claim.run.asked.id, claim.token, until).await {
                Ok(()) | Err(StoreError::StaleClaim { .. }) => return,
                Err(error) => tracing::warn!(%error, "a run could not be given back yet"),
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    fn lease_ms(&self) -> i64 {
        i64::try_from(self.0.options.lease.as_millis()).unwrap_or(i64::MAX)
    }

    /// Prices a run, if anything about it is other than the run that the period shows.
    async fn priced(&self, payer: &AccountId, run: &NewRun) -> Result<Option<DoneRun>, NoResult> {
        let state = self.state(payer).await?;
        let store = &self.0.store;
        let current = self.shown_run(payer, run.period).await?;
        let (book, book_files) =
            month_book::with_adjustments(store, &state.configuration, run.period).await?;
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
            (Some(report), true) => self.adjustments(payer, run, &report.by_group).await?,
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
                changes::queue(&mut write, posted).await?;
                Ok((state.commit(write, []).await?, ()))
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
                if let Some((run, done)) = self.shown_run(&payer, current.period).await? {
                    let accounts = self.report_of(&run, &done).await?.accounts;
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
            || !accounts::has_news(&state.configuration, period, accounts)
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
}

/// Why there is no result.
enum NoResult {
    /// The desk cannot go on; the run is tried again when its claim has passed.
    Desk(Error),
    /// The run has failed.
    Engine(EngineError),
}

impl From<Error> for NoResult {
    fn from(error: Error) -> Self {
        Self::Desk(error)
    }
}

impl From<EngineError> for NoResult {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

/// The name of a run's folder in the data directory. A worker that died may have left one of the same run: each attempt has its own.
fn folder_name(payer: &AccountId, run: &NewRun) -> String {
    let attempt = new_resource_id().unwrap_or_default();
    format!("payers/{payer}/runs/{}/{}-{attempt}", run.period, run.id)
}
