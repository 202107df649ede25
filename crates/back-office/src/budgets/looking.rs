//! The look at the budgets: which thresholds were crossed, and who is to be told.
//!
//! Looked at when a run lands, when a budget changes, and every minute by each server. A crossing is a row of the same transaction as its messages, numbered
//! within the period: whichever server notes it, and however often it is looked at, it is told once, and told again when the amount has come back in between.

use super::spend::BudgetStanding;
use super::{BudgetRow, SETTING, wording};
use crate::clock::machine_milliseconds;
use crate::cost_categories::AccountNames;
use crate::desk::BackOffice;
use crate::error::{Answer, Error};
use crate::notifications::{self, NotificationSettings};
use crate::outbox::{self, Audience};
use crate::transaction::Attempt;
use billing::account::AccountId;
use billing::budget::{Notification, NotificationKind, State, changed};
use billing::invoice::Date;
use billing::money::Cost;
use billing::period::date_text;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use store::BudgetCrossingRow;

/// As of what the budgets of each payer were looked at last: the version of each budget, cost category and custom view, the names of accounts, the run of each
/// period, and the day.
#[derive(Debug, Default)]
pub(crate) struct LookedAtBudgets(Mutex<BTreeMap<AccountId, AsOf>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct AsOf {
    budgets: Vec<(String, u64)>,
    cost_categories: Vec<(String, u64)>,
    views: Vec<(String, u64)>,
    names_known_by: u64,
    runs: Vec<String>,
    day: i32,
}

impl LookedAtBudgets {
    fn has(&self, payer: &AccountId, as_of: &AsOf) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(payer) == Some(as_of)
    }

    fn note(&self, payer: &AccountId, as_of: AsOf) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(payer.clone(), as_of);
    }
}

/// How a notification stands in a period.
struct Seen<'a> {
    notification: Notification,
    emails: &'a [String],
    standing: &'a BudgetStanding,
    state: State,
    amount: Cost,
}

impl Seen<'_> {
    /// What was noted of it last.
    fn noted<'n>(&self, budget: &str, noted: &'n [BudgetCrossingRow]) -> Option<&'n BudgetCrossingRow> {
        let (notification, period) = (self.notification.to_string(), date_text(self.standing.period.start));
        noted
            .iter()
            .find(|row| row.budget == budget && row.notification == notification && row.period == period)
    }

    /// What is to be noted of it, if anything.
    fn crossing(&self, budget: &str, noted: &[BudgetCrossingRow]) -> Option<BudgetCrossingRow> {
        let last = self.noted(budget, noted);
        let state = changed(last.map(|row| row.state), self.state)?;
        Some(BudgetCrossingRow {
            budget: budget.to_owned(),
            notification: self.notification.to_string(),
            period: date_text(self.standing.period.start),
            sequence: last.map_or(0, |row| row.sequence) + 1,
            state,
            amount: self.amount.to_string(),
            at_ms: machine_milliseconds(),
        })
    }
}

impl BackOffice {
    /// Waits until costs may have changed, or what is planned of them.
    pub async fn costs_changed(&self) {
        self.0.costs_changed.notified().await;
    }

    /// Looks at the budgets of every payer, and queues what is to be told. What is wrong with one payer is in the way of no other.
    ///
    /// # Errors
    /// [`Error::Internal`] of the last payer whose budgets could not be looked at.
    pub async fn look_at_budgets(&self) -> Answer<()> {
        let mut looked = Ok(());
        for payer in self.0.store.payers().await.map_err(Error::internal)? {
            if let Err(error) = self.look_at_budgets_of(&payer.payer).await {
                tracing::warn!(payer = %payer.payer, ?error, "the budgets of a payer could not be looked at");
                looked = Err(error);
            }
        }
        looked
    }

    async fn look_at_budgets_of(&self, payer: &AccountId) -> Answer<()> {
        let store = &self.0.store;
        let rows = store.desk_settings(payer, SETTING).await.map_err(Error::internal)?;
        if rows.is_empty() {
            return Ok(());
        }
        let runs = store.current_runs(payer).await.map_err(Error::internal)?;
        let views = store.billing_views(payer).await.map_err(Error::internal)?;
        let as_of = AsOf {
            budgets: rows.iter().map(|row| (row.id.clone(), row.revision)).collect(),
            cost_categories: self.cost_categories(payer).await?.versions(),
            views: views.into_iter().map(|view| (view.id, view.version)).collect(),
            names_known_by: AccountNames::of(&self.current(payer).await?.family).known_by(),
            runs: runs.into_iter().map(|current| current.run).collect(),
            day: Date::of_seconds(self.now()).days(),
        };
        if self.0.looked_at_budgets.has(payer, &as_of) {
            return Ok(());
        }
        let holders = self.holders(payer).await?;
        let mut looked = Ok(());
        for row in &rows {
            let row = BudgetRow::of(row)?;
            if row.budget.notifications.is_empty() || !holders.contains(&row.budget.holder) {
                continue;
            }
            if let Err(error) = self.look_at_budget(payer, &row, as_of.day).await {
                tracing::warn!(%payer, budget = row.id, ?error, "a budget could not be looked at");
                looked = Err(error);
            }
        }
        looked.map(|()| self.0.looked_at_budgets.note(payer, as_of))
    }

    /// Looks at a budget's period, and at the one before while its last costs come.
    async fn look_at_budget(&self, payer: &AccountId, row: &BudgetRow, today: i32) -> Answer<()> {
        let budget = &row.budget;
        let caller = budget.holder.caller(self, payer)?;
        let created = Date::of_seconds(budget.created_at_s).days();
        let mut standings = Vec::new();
        for period in budget.span()?.periods_looked_at(today, created) {
            match self.standing_in(&caller, budget, period).await? {
                Ok(standing) => standings.push(standing),
                // Whoever reads the budget is told so; the other period is held to its costs all the same.
                Err(health) => {
                    tracing::info!(%payer, budget = row.id, ?health, "a budget cannot be held to its costs");
                }
            }
        }
        let mut seen = Vec::new();
        for standing in &standings {
            seen.extend(how_it_stands(row, standing)?);
        }
        let noted = self.0.store.budget_crossings(payer).await.map_err(Error::internal)?;
        if seen.iter().all(|seen| seen.crossing(&row.id, &noted).is_none()) {
            return Ok(());
        }
        self.note_crossings(payer, row, &seen).await
    }

    async fn note_crossings(&self, payer: &AccountId, row: &BudgetRow, seen: &[Seen<'_>]) -> Answer<()> {
        let queued = self
            .transaction(payer, |store, state| async move {
                let mut write = store.write(payer, &state.head).await?;
                let settings = NotificationSettings::of(&write.desk_settings(notifications::SETTING).await?)?;
                let noted = write.budget_crossings().await?;
                let mut queued = 0;
                for seen in seen {
                    let Some(crossing) = seen.crossing(&row.id, &noted) else { continue };
                    if crossing.state == State::Alarm && settings.tells(wording::KIND) {
                        let news = wording::news(row, &seen.notification, seen.standing, &crossing);
                        queued += outbox::queue(&mut write, &news, &audience(row, seen, &settings)).await?;
                    }
                    write.put_budget_crossing(crossing).await?;
                }
                Ok::<_, Attempt>((state.commit(write, []).await?, queued))
            })
            .await?;
        if queued > 0 {
            tracing::info!(%payer, budget = row.id, queued, "alerts of a budget are to be sent");
            self.0.outgoing.notify_waiters();
        }
        Ok(())
    }
}

/// How the notifications of a budget stand. One of what is expected says nothing where nothing can be expected.
fn how_it_stands<'a>(row: &'a BudgetRow, standing: &'a BudgetStanding) -> Answer<Vec<Seen<'a>>> {
    let mut seen = Vec::new();
    for (notification, emails) in row.budget.notifications()? {
        let amount = match notification.kind {
            NotificationKind::Actual => Some(standing.actual),
            NotificationKind::Forecasted => standing.forecast,
        };
        let Some(amount) = amount else { continue };
        let state = notification.state(amount, standing.limit);
        seen.push(Seen { notification, emails, standing, state, amount });
    }
    Ok(seen)
}

/// Who is told: the subscribers, and of the payer's own budgets whom the payer has named for all of its news. What a customer plans is not the operator's news.
fn audience(row: &BudgetRow, seen: &Seen<'_>, settings: &NotificationSettings) -> Audience {
    let mut audience = match row.budget.holder.is_payer() {
        true => settings.audience([]),
        false => Audience::default(),
    };
    // One address in two spellings is told once.
    for email in seen.emails {
        if !audience.emails.iter().any(|known| known.eq_ignore_ascii_case(email)) {
            audience.emails.insert(email.clone());
        }
    }
    audience
}
