//! What a billing period shows: the report of its current run.

use crate::cost_reports::PeriodReport;
use crate::desk::BackOffice;
use crate::error::{Answer, Error};
use crate::transaction::PayerDesk;
use billing::account::AccountId;
use billing::configuration::BillingGroupId;
use billing::period::BillingPeriod;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::DoneRun;

/// A run's report, by the groups of the desk.
pub(crate) struct OpenedReport {
    /// The accounts that the cost files name.
    pub accounts: Vec<AccountId>,
    pub by_group: PeriodReport,
}

impl BackOffice {
    /// What the period shows: the report of its current run, opened when it is asked for first, by one for all who ask meanwhile.
    ///
    /// # Errors
    /// [`Error::Internal`] where the run's folder is not as it was written.
    pub async fn cost_report(
        &self,
        payer: &AccountId,
        period: BillingPeriod,
    ) -> Answer<Option<Arc<PeriodReport>>> {
        let desk = self.desk(payer).await?;
        let current = || async { self.0.store.current_run(payer, period).await.map_err(Error::internal) };
        let known = || async {
            let Some(known) = desk.shown(period) else { return Ok(None) };
            let is_shown =
                !self.0.options.shared || current().await?.is_some_and(|current| current.run == known.run);
            Ok::<_, Error>(is_shown.then_some(known))
        };
        if let Some(known) = known().await? {
            return Ok(Some(known));
        }
        if current().await?.is_none() {
            return Ok(None);
        }
        let opening = desk.opening(period);
        let _opening = opening.lock().await;
        // Whoever waited here finds what the one before has opened.
        if let Some(known) = known().await? {
            return Ok(Some(known));
        }
        let _reading = self.reading().await?;
        let opened = self.newest_report(&desk, payer, period).await;
        if opened.is_err() {
            // A worker was perhaps quicker than what is shown now: whoever asks next opens it again.
            desk.forget(period);
        }
        opened
    }

    /// Opens what a period shows; the caller is the only one who does.
    async fn newest_report(
        &self,
        desk: &PayerDesk,
        payer: &AccountId,
        period: BillingPeriod,
    ) -> Answer<Option<Arc<PeriodReport>>> {
        let current = || async { self.0.store.current_run(payer, period).await.map_err(Error::internal) };
        let Some(mut shown) = current().await? else { return Ok(None) };
        loop {
            let Some(done) = self.done_run(payer, &shown.run).await? else { return Ok(None) };
            let report = desk.show(period, self.report_of(&shown.run, &done).await?.by_group);
            match current().await? {
                // A worker was quicker: its report must not stay hidden behind this one.
                Some(newer) if newer.run != shown.run => shown = newer,
                _ => return Ok(Some(report)),
            }
        }
    }

    /// The run that a period shows, and its id.
    pub(crate) async fn shown_run(
        &self,
        payer: &AccountId,
        period: BillingPeriod,
    ) -> Answer<Option<(String, DoneRun)>> {
        let current = self.0.store.current_run(payer, period).await.map_err(Error::internal)?;
        let Some(current) = current else { return Ok(None) };
        Ok(self.done_run(payer, &current.run).await?.map(|done| (current.run, done)))
    }

    /// Opens the report of a run.
    pub(crate) async fn report_of(&self, run: &str, done: &DoneRun) -> Answer<OpenedReport> {
        let folder = self.folder(&done.folder);
        let report = self.ask_of_runs(move |engine| engine.report(&folder)).await?;
        let id = |(name, id): (&String, &String)| Some((name.clone(), BillingGroupId::parse(id)?));
        let ids: BTreeMap<String, BillingGroupId> = done.groups.iter().filter_map(id).collect();
        let accounts = report.accounts.clone();
        let by_group = PeriodReport::new(run.to_owned(), report, &ids).map_err(Error::internal)?;
        Ok(OpenedReport { accounts, by_group })
    }

    pub(crate) async fn done_run(&self, payer: &AccountId, run: &str) -> Answer<Option<DoneRun>> {
        let row = self.0.store.run(payer, run).await.map_err(Error::internal)?;
        Ok(row.and_then(|row| row.done().cloned()))
    }
}
