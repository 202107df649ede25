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
use crate::periods::{self, Late};
use crate::shown::OpenedReport;
use crate::transaction::{Attempt, State};
use crate::vault::new_resource_id;
use crate::{accounts, changes, data_directory, month_book};
use billing::account::AccountId;
use billing::configuration::Refusal;
use billing::period::BillingPeriod;
use std::collections::BTreeSet;
use std::time::Duration;
use store::{Claim, CurrentRun, StoreError, Write};

pub use store::{DoneRun, NewRun, Outcome, RunRow, RunState};

/// How often a run is tried that the same may go well for later, over some hours, and how long it rests at first; the rest is doubled each time, up
/// to a limit.
const TRIES_MAX: u64 = 100;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const PAUSES_DOUBLED: u64 = 8;
/// What a run has failed with that could not be ended: what is wrong inside is in the log alone.
const NOT_ENDED: &str = "the server could not keep it, however often it has tried; its log says why: mend that, then import the cost files again";
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
        if let Err(error) = self.match_all_run_invoices().await {
            tracing::warn!(?error, "AWS's invoices of the last runs could not be matched");
        }
        if let Err(error) = self.make_all_facts_ready().await {
            tracing::warn!(?error, "the facts of the last runs could not be made ready");
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
        let mut failed = None;
        for payer in self.0.store.payers().await.map_err(Error::internal)? {
            let payer = payer.payer;
            let claimed = self.0.store.claim_run(&payer, machine_milliseconds(), self.lease_ms()).await;
            match claimed {
                Ok(Some(claim)) => return self.carry_out(&payer, claim).await.map(|()| true),
                Ok(None) => {}
                // Somebody holds the rows of this payer: that is in the way of no other.
                Err(error) => failed = Some(Error::internal(error)),
            }
        }
        failed.map_or(Ok(false), Err)
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
        let outcome = tokio::select! {
            outcome = self.priced(payer, &run) => outcome,
            () = self.renewing(payer, claim) => return Ok(true),
        };
        let ended = match outcome {
            Ok(done) => {
                let outcome = done.map_or(Outcome::Unchanged, |done| Outcome::Done(Box::new(done)));
                self.finish_renewing(payer, claim, outcome).await.map_err(NoResult::Desk)
            }
            Err(none) => Err(none),
        };
        let Err(none) = ended else { return Ok(true) };
        let error = match none.means() {
            // Nothing can be said of the run where nothing is kept.
            Meaning::Away(error) => return Err(error),
            Meaning::TakenOver => {
                tracing::warn!(
                    run = run.id,
                    "what was priced does not count: another worker has taken the run over"
                );
                return Ok(true);
            }
            Meaning::Again(problem) if claim.token < TRIES_MAX => {
                tracing::warn!(%payer, period = %run.period, run = run.id, problem, "a run is tried again");
                return Ok(false);
            }
            Meaning::Again(error) | Meaning::Failed(error) => error,
        };
        tracing::warn!(%payer, period = %run.period, run = run.id, error, "a run has failed; the last good one goes on answering");
        self.finish_renewing(payer, claim, failed(error)).await.map(|()| true)
    }

    /// Renews the claim of a run, until another worker has it.
    async fn renewing(&self, payer: &AccountId, claim: &Claim) {
        let run = &claim.run.asked.id;
        loop {
            tokio::time::sleep(self.0.options.lease / 4).await;
            let until = machine_milliseconds().saturating_add(self.lease_ms());
            match self.0.store.extend_claim(payer, run, claim.token, until).await {
                Ok(()) => {}
                Err(error @ StoreError::StaleClaim { .. }) => {
                    tracing::warn!(%error, run, "another worker has taken the run over");
                    return;
                }
                // The end of the run asks again whether the claim has held.
                Err(error) => tracing::warn!(%error, run, "the claim of a run could not be renewed"),
            }
        }
    }

    /// Ends a run whose claim is renewed meanwhile: a large report opens slowly, and others may hold the payer's rows.
    async fn finish_renewing(&self, payer: &AccountId, claim: &Claim, outcome: Outcome) -> Answer<()> {
        let mut finished = std::pin::pin!(self.finish(payer, claim, outcome));
        tokio::select! {
            ended = &mut finished => ended,
            // It is perhaps this very end that the claim was given up by; where it is not, the end says so.
            () = self.renewing(payer, claim) => finished.await,
        }
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

    /// How long whoever works on something has it at a time.
    pub(crate) fn lease_ms(&self) -> i64 {
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
        let shown_source = current.as_ref().map(|(_, done)| done.source.clone());
        let source_id = run.reads.clone().or(shown_source).unwrap_or_default();
        let row = store.source(payer, &source_id).await.map_err(Error::internal)?;
        let must_read = run.reads.is_some();
        let earlier = current.as_ref().map(|(_, done)| self.folder(&done.folder)).filter(|_| !must_read);
        let source = row.map(|row| self.registered(payer, row));
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
                engine.run(&source.ok_or_else(no_source)?.checked()?, &order)
            })
            .await?;
        let RunOutcome { snapshot, book_hash, lines, warnings } = outcome;
        let in_period = state.configuration.groups.in_period(run.period);
        let groups = in_period.map(|(id, _, settings)| (settings.name.clone(), id.to_string())).collect();
        let folder = out.clone();
        let manifest = self.engine(move |engine| engine.manifest(&folder)).await?;
        let done = DoneRun {
            snapshot,
            source: source_id,
            book_hash,
            configuration_revision: state.head.revision,
            line_count: lines,
            folder: name,
            manifest,
            groups,
            warnings,
        };
        // The same bytes from the same place: the run that is shown is this one. No row will name the new folder. Where a closed period was adjusted
        // since, to be as it was sealed is news.
        let is_shown = current.is_some_and(|(_, shown)| {
            (&shown.manifest, &shown.source, &shown.groups) == (&done.manifest, &done.source, &done.groups)
        });
        if !is_shown {
            return Ok(Some(done));
        }
        let adjusted = store.adjustments_of(payer, run.period).await.map_err(Error::internal)?;
        Ok((!adjusted.is_empty()).then_some(done))
    }

    /// Ends a run; one that is done is what its period shows from then on, and closed periods get what differs as an adjustment.
    async fn finish(&self, payer: &AccountId, claim: &Claim, outcome: Outcome) -> Answer<()> {
        let run = &claim.run.asked;
        let report = match &outcome {
            Outcome::Done(done) => Some(self.report_of(&run.id, done).await?),
            _ => None,
        };
        let is_closed = self.state(payer).await?.configuration.is_closed(run.period);
        let late = match &report {
            Some(report) if is_closed => self.late(payer, run.period, &report.by_group).await?,
            _ => None,
        };
        let outcome = match &report {
            Some(_) if is_closed && late.is_none() => failed(periods::closed_unpriced(run.period)),
            _ => outcome,
        };
        let is_done = matches!(outcome, Outcome::Done(_));
        let (outcome, late) = (&outcome, &late);
        let ended = self
            .transaction(payer, |store, state| async move {
                if is_done && state.configuration.is_closed(run.period) != is_closed {
                    // A close waits for what is claimed. Should one ever slip in, the run is made again, and held against what was sealed.
                    let message = format!("billing period {} was closed just now", run.period);
                    return Err(Error::internal(message).into());
                }
                let mut write = store.write(payer, &state.head).await?;
                let now_ms = machine_milliseconds();
                write.finish_run(&run.id, claim.token, outcome, now_ms).await?;
                match late {
                    Some(late) => self.post(&state, &mut write, run, late).await?,
                    None if is_done => {
                        let (period, run) = (run.period, run.id.clone());
                        write.set_current_run(CurrentRun { period, run, set_at_ms: now_ms }).await?;
                    }
                    None => {}
                }
                Ok((state.commit(write, []).await?, ()))
            })
            .await;
        if let Err(error) = ended {
            // Whether it was kept may not be known: what is shown next is what the database says.
            self.desk(payer).await?.forget(run.period);
            return Err(error);
        }
        if let (Some(report), false) = (report, is_closed) {
            let OpenedReport { accounts, by_group } = report;
            self.desk(payer).await?.show(run.period, by_group);
            self.make_facts_ready(payer, vec![run.id.clone()]);
            self.0.costs_changed.notify_one();
            // The run has ended, whatever becomes of this; the next start notes them again.
            if let Err(error) = self.note_accounts(payer, run.period, &accounts).await {
                tracing::warn!(?error, run = run.id, "the accounts of a run could not be noted");
            }
            if let Err(error) = self.match_run_invoices(payer, run.period, &run.id).await {
                tracing::warn!(
                    ?error,
                    run = run.id,
                    "AWS's invoices of a run could not be matched; the next start tries again"
                );
            }
        }
        Ok(())
    }

    /// Posts what a closed period's late data charge, as far as it is not posted yet, in the current period: the month that goes on takes it, or
    /// the next one where even that is closed.
    async fn post(&self, state: &State, write: &mut Write, run: &NewRun, late: &Late) -> Result<(), Attempt> {
        let configuration = &state.configuration;
        let current = Clock::period_of(self.now());
        let current = if configuration.is_closed(current) { current.next() } else { current };
        let posted = write.adjustments_of(run.period).await?;
        let due = late.adjustments(run, posted, current)?;
        if !due.is_empty() {
            write.put_adjustments(due).await?;
            changes::queue(write, |period| period == current).await?;
        }
        Ok(())
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
        self.write_following(&request, |edit| {
            edit.note_accounts(accounts);
            let followed = edit.follow_rules(accounts);
            Ok((followed.moved.len(), followed))
        })
        .await?;
        Ok(())
    }
}

/// Why a run has not ended.
#[derive(Debug)]
enum NoResult {
    /// The desk says so.
    Desk(Error),
    /// The engine does.
    Engine(EngineError),
}

/// What that means for the run.
enum Meaning {
    /// The store is away: it goes on when the store is back, however long that takes.
    Away(Error),
    /// Another worker has it.
    TakenOver,
    /// The same may go well a little later.
    Again(String),
    /// The same would come of it again.
    Failed(String),
}

impl NoResult {
    fn means(self) -> Meaning {
        let error = match self {
            Self::Engine(EngineError::Disk(problem)) => return Meaning::Again(problem),
            Self::Engine(error) => return Meaning::Failed(error.to_string()),
            Self::Desk(error) => error,
        };
        match error {
            Error::Refused(conflict @ Refusal::Conflict { .. }) => Meaning::Again(conflict.to_string()),
            Error::Refused(refusal) => Meaning::Failed(refusal.to_string()),
            Error::Declined(declined) => Meaning::Failed(declined.message()),
            Error::Invoicing(refusal) => Meaning::Failed(refusal.to_string()),
            Error::CostExplorer(refusal) => Meaning::Failed(refusal.to_string()),
            Error::Denied => Meaning::Failed("the desk may not price it".to_owned()),
            Error::Unavailable(_) => Meaning::Away(error),
            Error::Internal(cause) => {
                match cause.of() {
                    Some(EngineError::Disk(problem)) => return Meaning::Again(problem.clone()),
                    // A run's folder is not as it was written: nor will it be.
                    Some(error @ EngineError::Input(_)) => return Meaning::Failed(error.to_string()),
                    _ => {}
                }
                match cause.of::<StoreError>() {
                    Some(store) if store.is_away() => Meaning::Away(Error::Internal(cause)),
                    Some(StoreError::StaleClaim { .. }) => Meaning::TakenOver,
                    _ => {
                        tracing::error!(?cause, "a run cannot be ended");
                        Meaning::Again(NOT_ENDED.to_owned())
                    }
                }
            }
        }
    }
}

fn failed(error: String) -> Outcome {
    Outcome::Failed { error, warnings: Vec::new() }
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
    format!("{}/{}/{}-{attempt}", data_directory::runs(payer), run.period, run.id)
}

#[cfg(test)]
mod tests;
