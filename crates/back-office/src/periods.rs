//! Billing periods: what each shows, closing one, and what becomes of data that comes after.
//!
//! A closed period never changes. Its sealed run stays what it shows; what arrives later is priced under the period's own book, and the difference to
//! what was charged (the sealed run and the adjustments posted since) becomes an adjustment in the current period: a flat custom line item that
//! stands outside tiers and percentages.

use crate::clock::machine_milliseconds;
use crate::cost_reports::PeriodReport;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error, refused};
use crate::vault::new_resource_id;
use billing::account::AccountId;
use billing::configuration::{BillingGroupId, Configuration};
use billing::money::{Amount, Cost, Currency};
use billing::period::BillingPeriod;
use std::collections::{BTreeMap, BTreeSet};
use store::{AdjustmentRow, CloseRow, NewRun, Outcome, RunRow, RunState};

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

    /// Closes a period, and every one before it: the run that each shows is sealed by the hash over its files, and no write reaches them any more.
    ///
    /// # Errors
    /// [`Error::Refused`] where the month has not ended, is closed, has no run, or where one up to it is still to be priced or, unless it is to be
    /// closed all the same, was to be priced last by a run that has failed.
    pub async fn close(
        &self,
        request: &WriteRequest<'_>,
        period: BillingPeriod,
        despite_failed_runs: bool,
    ) -> Answer<CloseRow> {
        let payer = &request.caller.payer;
        let _reading = self.reading().await?;
        let state = self.state(payer).await?;
        let open = open_until(&state.configuration, period);
        let store = &self.0.store;
        nothing_is_to_come(store.runs_to_come(payer).await.map_err(Error::internal)?, open)?;
        let failed = store.failed_runs(payer).await.map_err(Error::internal)?;
        nothing_has_failed(failed, |period| open(period) && !despite_failed_runs)?;
        let rows = &self.sealed(request, open).await?;
        let priced = rows.iter().map(|row| row.period).collect();
        for unpriced in unpriced(&state.configuration, period, &priced) {
            let posted = store.adjustments_in(payer, unpriced).await.map_err(Error::internal)?;
            nothing_is_on_no_bill(unpriced, &posted)?;
        }
        let Some(sealed) = rows.iter().find(|row| row.period == period) else {
            let what = if state.configuration.is_closed(period) { "is closed" } else { "has no priced run" };
            return Err(refused(format!("billing period {period} {what}")));
        };
        // Whatever period the request is for: a period is closed now.
        let now = &WriteRequest { period: None, ..*request };
        self.transaction(payer, |store, state| async move {
            let edited = now.edit(&state.configuration, |edit| edit.close(period))?;
            let mut write = store.write(payer, &state.head).await?;
            // From here on nobody publishes or queues anything: what was looked at is asked again.
            let open = open_until(&state.configuration, period);
            nothing_is_to_come(write.runs_to_come().await?, open)?;
            nothing_has_failed(write.failed_runs().await?, |period| open(period) && !despite_failed_runs)?;
            let shown = write.current_runs().await?.into_iter().filter(|shown| open(shown.period));
            let shown: BTreeSet<_> = shown.map(|shown| (shown.period, shown.run)).collect();
            let looked_at: BTreeSet<_> = rows.iter().map(|row| (row.period, row.run.clone())).collect();
            if let Some((period, _)) = shown.symmetric_difference(&looked_at).next() {
                return Err(refused(format!("{period} was priced again just now; close it again")).into());
            }
            let priced = shown.into_iter().map(|(period, _)| period).collect();
            for unpriced in unpriced(&state.configuration, period, &priced) {
                nothing_is_on_no_bill(unpriced, &write.adjustments_in(unpriced).await?)?;
            }
            for row in rows {
                write.put_close(row.clone()).await?;
            }
            edited.commit((&state, write), now, &period.to_string()).await
        })
        .await?;
        Ok(sealed.clone())
    }

    /// What some periods are sealed with: the runs that they show, whose files must be as they were written.
    async fn sealed(
        &self,
        request: &WriteRequest<'_>,
        is_meant: impl Fn(BillingPeriod) -> bool,
    ) -> Answer<Vec<CloseRow>> {
        let payer = &request.caller.payer;
        let mut rows = Vec::new();
        for shown in self.0.store.current_runs(payer).await.map_err(Error::internal)? {
            let period = shown.period;
            if !is_meant(period) {
                continue;
            }
            let Some((run, done)) = self.shown_run(payer, period).await? else { continue };
            let folder = self.folder(&done.folder);
            if self.ask_of_runs(move |engine| engine.manifest(&folder)).await? != done.manifest {
                let folder = &done.folder;
                return Err(refused(format!(
                    "`{folder}` is not as the run has written it; import the cost files again"
                )));
            }
            rows.push(CloseRow {
                period,
                run,
                manifest_hash: done.manifest,
                closed_at_ms: machine_milliseconds(),
                closed_by: request.caller.principal.clone(),
            });
        }
        Ok(rows)
    }

    /// What a report of a closed period charges beyond the run that the period is sealed with; `None` where it was never priced.
    pub(crate) async fn late(
        &self,
        payer: &AccountId,
        period: BillingPeriod,
        report: &PeriodReport,
    ) -> Answer<Option<Late>> {
        let state = self.state(payer).await?;
        let closes = self.0.store.closes(payer).await.map_err(Error::internal)?;
        if is_unsealed(&state.configuration, &closes, period) {
            return Ok(None);
        }
        let Some(sealed) = self.cost_report(payer, period).await? else { return Ok(None) };
        let charged = |cost: Cost| cost.to_amount().map_err(Error::internal);
        let mut late = Late::default();
        for (group, currency, costs) in report.all_totals().map_err(Error::internal)? {
            late.add(group, currency, charged(costs.pro_forma)?)?;
        }
        for (group, currency, costs) in sealed.all_totals().map_err(Error::internal)? {
            late.add(group, currency, charged(costs.pro_forma)?.negated())?;
        }
        Ok(Some(late))
    }
}

/// The periods up to one that are open.
fn open_until(configuration: &Configuration, last: BillingPeriod) -> impl Fn(BillingPeriod) -> bool + Copy {
    move |period| period <= last && !configuration.is_closed(period)
}

/// Refuses as long as one of the runs to come is of some periods.
fn nothing_is_to_come(to_come: Vec<RunRow>, is_meant: impl Fn(BillingPeriod) -> bool) -> Answer<()> {
    let Some(NewRun { id, period, .. }) =
        to_come.into_iter().map(|run| run.asked).find(|run| is_meant(run.period))
    else {
        return Ok(());
    };
    Err(refused(format!("run `{id}` of {period} is still to be priced; wait for it first")))
}

/// The months up to one that would be closed unpriced, as far as anything can be posted in them: that is after a closed one.
fn unpriced(
    configuration: &Configuration,
    last: BillingPeriod,
    priced: &BTreeSet<BillingPeriod>,
) -> Vec<BillingPeriod> {
    let first = configuration.closed_through.map(BillingPeriod::next);
    std::iter::successors(first, |period| Some(period.next()))
        .take_while(|period| *period <= last)
        .filter(|period| !priced.contains(period))
        .collect()
}

/// Refuses to close a month unpriced whose bill would have had an adjustment: nobody would ever be charged it.
fn nothing_is_on_no_bill(unpriced: BillingPeriod, posted: &[AdjustmentRow]) -> Answer<()> {
    let mut sums: BTreeMap<(&Option<String>, Currency), Amount> = BTreeMap::new();
    for row in posted {
        let sum = sums.entry((&row.billing_group, row.currency)).or_default();
        *sum = sum.plus(row.amount).map_err(Error::internal)?;
    }
    let due = sums.into_iter().filter(|(_, amount)| !amount.is_zero());
    let due: Vec<String> = due
        .map(|((group, currency), amount)| {
            format!("{amount} {currency} of billing group `{}`", group.as_deref().unwrap_or_default())
        })
        .collect();
    if due.is_empty() {
        return Ok(());
    }
    Err(refused(format!(
        "billing period {unpriced} was never priced, and adjustments of closed periods stand in it that no bill would have: {}; import its cost \
         files first",
        due.join(", ")
    )))
}

/// Refuses as long as one of the last runs that have failed is of some periods: what they show is not what was asked for last.
fn nothing_has_failed(failed: Vec<RunRow>, is_meant: impl Fn(BillingPeriod) -> bool) -> Answer<()> {
    for RunRow { asked: NewRun { id, period, .. }, state, .. } in failed {
        if is_meant(period)
            && let RunState::Ended { outcome: Outcome::Failed { error, .. }, .. } = state
        {
            return Err(refused(format!(
                "run `{id}` of {period} has failed: {error}; mend that and import the cost files again, or close the period as it is with \
                 `--despite-failed-runs`"
            )));
        }
    }
    Ok(())
}

/// Whether a period is closed without a run: what comes of it now cannot be held against anything.
pub(crate) fn is_unsealed(configuration: &Configuration, closes: &[CloseRow], period: BillingPeriod) -> bool {
    configuration.is_closed(period) && !closes.iter().any(|close| close.period == period)
}

/// Why cost files of such a period are not priced, and what to do instead.
pub(crate) fn closed_unpriced(period: BillingPeriod) -> String {
    format!(
        "billing period {period} was closed before it was ever priced, so that there is nothing to adjust; price it with `proforma run` under \
         the book of `proforma book export --period {period}`, and charge it with custom line items of an open period"
    )
}

/// What a run of a closed period charges beyond the one that the period is sealed with, by group and currency.
#[derive(Debug, Clone, Default)]
pub(crate) struct Late(BTreeMap<(BillingGroupId, Currency), Amount>);

impl Late {
    fn add(&mut self, group: BillingGroupId, currency: Currency, amount: Amount) -> Answer<()> {
        let sum = self.0.entry((group, currency)).or_default();
        *sum = sum.plus(amount).map_err(Error::internal)?;
        Ok(())
    }

    /// The adjustments that make up for it, beside those that are posted already.
    pub fn adjustments(
        &self,
        run: &NewRun,
        posted: Vec<AdjustmentRow>,
        posted_in: BillingPeriod,
    ) -> Answer<Vec<AdjustmentRow>> {
        let mut due = self.clone();
        for posted in posted {
            if let Some(group) = posted.billing_group.as_deref().and_then(BillingGroupId::parse) {
                due.add(group, posted.currency, posted.amount.negated())?;
            }
        }
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
        due.0.into_iter().filter(|(_, amount)| !amount.is_zero()).map(row).collect()
    }
}
