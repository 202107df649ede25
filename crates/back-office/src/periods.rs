//! Billing periods: what each shows, closing one, and what becomes of data that comes after.
//!
//! A closed period never changes. Its sealed run stays what it shows; what arrives later is priced under the period's own book, and the difference to
//! what was charged (the sealed run and the adjustments posted since) becomes an adjustment in the current period: a flat custom line item that
//! stands outside tiers and percentages.

use crate::clock::{Clock, machine_milliseconds};
use crate::cost_reports::PeriodReport;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error, refused};
use crate::vault::new_resource_id;
use billing::account::AccountId;
use billing::configuration::BillingGroupId;
use billing::money::{Amount, Cost, Currency};
use billing::period::BillingPeriod;
use std::collections::{BTreeMap, BTreeSet};
use store::{AdjustmentRow, CloseRow, NewRun, RunRow, RunState};

/// How many runs of a period are looked at to see whether one is still to come.
const RUNS_LOOKED_AT: usize = 20;

/// A billing period as the desk has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodView {
    /// The period.
    pub period: BillingPeriod,
    /// The run that it shows.
    pub run: Option<String>,
    /// When it was closed, in milliseconds since 1970-01-01T00:00:00Z, and by whom.
    pub closed: Option<(i64, String)>,
    /// The hash over the files of its sealed run.
    pub manifest_hash: Option<String>,
    /// What was adjusted of it later, by group and currency, with the period that the adjustment stands in.
    pub adjustments: Vec<AdjustmentView>,
}

/// An adjustment of a closed period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdjustmentView {
    /// The group, by id.
    pub billing_group: String,
    /// The period that it stands in.
    pub posted_in: BillingPeriod,
    /// The currency.
    pub currency: Currency,
    /// How much: above 0 is charged, below is given back.
    pub amount: Amount,
}

impl BackOffice {
    /// Every period that has a run or is closed, the latest first.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn periods(&self, payer: &AccountId) -> Answer<Vec<PeriodView>> {
        let store = &self.0.store;
        let current = store.current_runs(payer).await.map_err(Error::internal)?;
        let closes = store.closes(payer).await.map_err(Error::internal)?;
        let periods: BTreeSet<BillingPeriod> = current
            .iter()
            .map(|current| current.period)
            .chain(closes.iter().map(|close| close.period))
            .collect();
        let mut views = Vec::new();
        for period in periods.into_iter().rev() {
            let close = closes.iter().find(|close| close.period == period);
            let adjustments = match close {
                Some(_) => store.adjustments_of(payer, period).await.map_err(Error::internal)?,
                None => Vec::new(),
            };
            let view = |row: AdjustmentRow| AdjustmentView {
                billing_group: row.billing_group.unwrap_or_default(),
                posted_in: row.posted_in,
                currency: row.currency,
                amount: row.amount,
            };
            views.push(PeriodView {
                period,
                run: current
                    .iter()
                    .find(|current| current.period == period)
                    .map(|current| current.run.clone()),
                closed: close.map(|close| (close.closed_at_ms, close.closed_by.clone())),
                manifest_hash: close.map(|close| close.manifest_hash.clone()),
                adjustments: adjustments.into_iter().map(view).collect(),
            });
        }
        Ok(views)
    }

    /// Closes a period: its current run is sealed by the hash over its files, and no write reaches the period any more.
    ///
    /// # Errors
    /// [`Error::Refused`] where the month has not ended, is closed, has no run, or has one that is still to be priced.
    pub async fn close(&self, request: &WriteRequest<'_>, period: BillingPeriod) -> Answer<CloseRow> {
        let payer = &request.caller.payer;
        let store = &self.0.store;
        let mut rows = Vec::new();
        let _reading = self.reading().await?;
        for earlier in self.open_with_runs(payer, period).await? {
            let runs = store.runs_page(payer, Some(earlier), None, RUNS_LOOKED_AT).await;
            let runs = runs.map_err(Error::internal)?;
            let is_to_come = |run: &&RunRow| matches!(run.state, RunState::Queued | RunState::Running { .. });
            if let Some(run) = runs.iter().find(is_to_come) {
                let id = &run.asked.id;
                return Err(refused(format!(
                    "run `{id}` of {earlier} is still to be priced; wait for it first"
                )));
            }
            let Some((id, done)) = self.shown_run(payer, earlier).await? else { continue };
            let folder = self.folder(&done.folder);
            if self.ask_engine(move |engine| engine.manifest(&folder)).await? != done.manifest {
                let folder = &done.folder;
                return Err(refused(format!(
                    "`{folder}` is not as the run has written it; import the cost files again"
                )));
            }
            rows.push(CloseRow {
                period: earlier,
                run: id,
                manifest_hash: done.manifest,
                closed_at_ms: machine_milliseconds(),
                closed_by: request.caller.principal.clone(),
            });
        }
        let Some(sealed) = rows.iter().find(|row| row.period == period).cloned() else {
            let state = self.state(payer).await?;
            let what = if state.configuration.is_closed(period) { "is closed" } else { "has no priced run" };
            return Err(refused(format!("billing period {period} {what}")));
        };
        let rows = &rows;
        // Whatever period the request is for: a period is closed now.
        let now = &WriteRequest { period: None, ..*request };
        self.transaction(payer, |store, state| async move {
            let edited = now.edit(&state.configuration, |edit| edit.close(period))?;
            let mut write = store.write(payer, &state.head).await?;
            let shown = write.current_runs().await?;
            for row in rows {
                // A run that was published since is not what was looked at.
                if !shown.iter().any(|shown| (shown.period, &shown.run) == (row.period, &row.run)) {
                    let period = row.period;
                    return Err(refused(format!("{period} was priced again just now; close it again")).into());
                }
                write.put_close(row.clone()).await?;
            }
            edited.commit((&state, write), now, &period.to_string()).await
        })
        .await?;
        Ok(sealed)
    }

    /// The open periods up to one that have a run.
    async fn open_with_runs(&self, payer: &AccountId, last: BillingPeriod) -> Answer<Vec<BillingPeriod>> {
        let state = self.state(payer).await?;
        let current = self.0.store.current_runs(payer).await.map_err(Error::internal)?;
        let periods = current.into_iter().map(|current| current.period);
        Ok(periods.filter(|period| *period <= last && !state.configuration.is_closed(*period)).collect())
    }

    /// What a run of a closed period charges otherwise than was charged: adjustments for the current period.
    pub(crate) async fn adjustments(
        &self,
        payer: &AccountId,
        run: &NewRun,
        report: &PeriodReport,
    ) -> Answer<Vec<AdjustmentRow>> {
        let store = &self.0.store;
        let mut due: BTreeMap<(BillingGroupId, Currency), Amount> = BTreeMap::new();
        let mut add = |key: (BillingGroupId, Currency), amount: Amount| -> Answer<()> {
            let sum = due.entry(key).or_default();
            *sum = sum.plus(amount).map_err(Error::internal)?;
            Ok(())
        };
        let charged = |cost: Cost| cost.to_amount().map_err(Error::internal);
        for (group, currency, costs) in report.all_totals().map_err(Error::internal)? {
            add((group, currency), charged(costs.pro_forma)?)?;
        }
        if let Some(sealed) = self.cost_report(payer, run.period).await? {
            for (group, currency, costs) in sealed.all_totals().map_err(Error::internal)? {
                add((group, currency), charged(costs.pro_forma)?.negated())?;
            }
        }
        for posted in store.adjustments_of(payer, run.period).await.map_err(Error::internal)? {
            if let Some(group) = posted.billing_group.as_deref().and_then(BillingGroupId::parse) {
                add((group, posted.currency), posted.amount.negated())?;
            }
        }
        let state = self.state(payer).await?;
        let current = Clock::period_of(self.now());
        // The month that goes on takes it; where even that is closed, the next one.
        let posted_in = if state.configuration.is_closed(current) { current.next() } else { current };
        let row = |((group, currency), amount): ((BillingGroupId, Currency), Amount)| {
            Ok(AdjustmentRow {
                id: new_resource_id().map_err(Error::internal)?,
                period: run.period,
                posted_in,
                run: run.id.clone(),
                billing_group: Some(group.to_string()),
                currency,
                amount,
                detail: format!("late cost data of {}", run.period),
                created_at_ms: machine_milliseconds(),
            })
        };
        due.into_iter().filter(|(_, amount)| !amount.is_zero()).map(row).collect()
    }
}
