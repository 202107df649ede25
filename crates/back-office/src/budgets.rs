//! Budgets: what somebody plans to spend, what was spent of it, and who is told when a threshold is crossed.
//!
//! A budget is a setting of the desk, with its notifications and whom they tell; each change is kept. It belongs to a [`Holder`](crate::holder::Holder), out of whose view of
//! the costs it is answered. What it comes to is asked in [`spend`], what is told looked at in [`looking`].

pub mod cost_filters;
mod history;
mod kept;
mod looking;
mod spend;
mod wording;

pub use history::BudgetedAndActual;
pub use kept::{BudgetType, KeptBudget, KeptNotification};
pub(crate) use looking::LookedAtBudgets;
pub use spend::{BudgetHealth, BudgetStanding};

use crate::authorization::Caller;
use crate::clock::machine_milliseconds;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Declined, Error};
use crate::holder::Holder;
use crate::outbox::{Channel, is_address, recipient_problem};
use crate::transaction::Attempt;
use crate::vault::new_resource_id;
use billing::account::AccountId;
use billing::budget::{Limits, Notification};
use billing::invoice::Date;
use billing::money::Cost;
use store::{DeskSettingRow, Write};

/// The kind of the setting.
pub(crate) const SETTING: &str = "budget";
/// How many budgets a holder has at most.
pub const BUDGETS_MAX: usize = 1_000;
/// How many notifications a budget has at most, as at AWS.
pub const NOTIFICATIONS_MAX: usize = 10;
/// How many addresses a notification tells at most, as at AWS.
pub const EMAILS_MAX: usize = 10;
/// How many tags a budget has at most, as at AWS.
pub const TAGS_MAX: usize = 200;

/// A budget, and what it is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetRow {
    /// Its id: another budget of the same name has another one.
    pub id: String,
    /// What it is.
    pub budget: KeptBudget,
}

impl BudgetRow {
    fn of(row: &DeskSettingRow) -> Answer<Self> {
        let budget = serde_json::from_str(&row.body).map_err(Error::internal)?;
        Ok(Self { id: row.id.clone(), budget })
    }
}

/// There is no such budget, or none of the caller's.
fn not_found(name: &str) -> Error {
    Declined::NotFound { kind: "budget", id: name.to_owned() }.into()
}

fn invalid(message: impl Into<String>) -> Error {
    Declined::invalid(message).into()
}

impl BackOffice {
    /// The caller's budgets, by name.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn budgets(&self, caller: &Caller) -> Answer<Vec<BudgetRow>> {
        let rows = self.budgets_of(&caller.payer).await?;
        Ok(of_holder(rows, &Holder::of(caller)))
    }

    /// Every budget of a payer, whoever keeps it.
    async fn budgets_of(&self, payer: &AccountId) -> Answer<Vec<BudgetRow>> {
        let rows = self.0.store.desk_settings(payer, SETTING).await.map_err(Error::internal)?;
        rows.iter().map(BudgetRow::of).collect()
    }

    /// A budget of the caller's.
    ///
    /// # Errors
    /// [`Declined::NotFound`].
    pub async fn budget(&self, caller: &Caller, name: &str) -> Answer<BudgetRow> {
        let found = self.budgets(caller).await?.into_iter().find(|row| row.budget.name == name);
        found.ok_or_else(|| not_found(name))
    }

    /// Makes a budget.
    ///
    /// # Errors
    /// [`Declined`] with what is wrong with it; [`Error::Denied`] for a billing view that the caller does not see.
    pub async fn create_budget(&self, request: &WriteRequest<'_>, new: &KeptBudget) -> Answer<()> {
        self.check_budget(request.caller, new).await?;
        self.once(request, |mut write, _| async move {
            let own = of_holder(kept_budgets(&mut write).await?, &new.holder);
            if own.iter().any(|row| row.budget.name == new.name) {
                return Err(Error::from(Declined::Conflict {
                    reason: "DUPLICATE",
                    kind: "budget",
                    id: new.name.clone(),
                    message: format!("there is a budget `{}` already; change it with UpdateBudget, or give the new one another name", new.name),
                })
                .into());
            }
            if own.len() >= BUDGETS_MAX {
                return Err(limit("budgets", &new.name, &format!("there are {} budgets, which is the most; delete some first", own.len())).into());
            }
            let id = new_resource_id().map_err(Error::internal)?;
            keep(&mut write, &id, new).await?;
            Ok((write, ()))
        })
        .await?;
        self.0.costs_changed.notify_one();
        Ok(())
    }

    /// Makes a budget of the caller's another one, as which it keeps its notifications, tags and age.
    ///
    /// # Errors
    /// [`Declined`] with what is wrong with it; [`Error::Denied`] for a billing view that the caller does not see.
    pub async fn update_budget(&self, request: &WriteRequest<'_>, new: &KeptBudget) -> Answer<()> {
        self.check_budget(request.caller, new).await?;
        self.change_budget(request, &new.name, |budget| {
            let KeptBudget { notifications, tags, created_at_s, .. } = budget.clone();
            *budget = KeptBudget { notifications, tags, created_at_s, ..new.clone() };
            Ok(())
        })
        .await
    }

    /// Deletes a budget of the caller's, with its notifications.
    ///
    /// # Errors
    /// [`Declined::NotFound`].
    pub async fn delete_budget(&self, request: &WriteRequest<'_>, name: &str) -> Answer<()> {
        let holder = &Holder::of(request.caller);
        self.once(request, |mut write, _| async move {
            let row = own_budget(&mut write, holder, name).await?;
            write.put_desk_setting((SETTING, &row.id), "", machine_milliseconds()).await?;
            Ok((write, ()))
        })
        .await
    }

    /// Changes a budget of the caller's.
    ///
    /// # Errors
    /// [`Declined::NotFound`], and what the change refuses.
    pub async fn change_budget(
        &self,
        request: &WriteRequest<'_>,
        name: &str,
        change: impl Fn(&mut KeptBudget) -> Answer<()> + Sync,
    ) -> Answer<()> {
        let (holder, change) = (&Holder::of(request.caller), &change);
        self.once(request, |mut write, _| async move {
            let BudgetRow { id, mut budget } = own_budget(&mut write, holder, name).await?;
            let before = budget.clone();
            change(&mut budget)?;
            check_notifications(&budget)?;
            if budget != before {
                budget.updated_at_s = request.caller.now;
                keep(&mut write, &id, &budget).await?;
            }
            Ok((write, ()))
        })
        .await?;
        self.0.costs_changed.notify_one();
        Ok(())
    }

    /// Holds a budget to what can be answered: its time, its limits, its filters and its view.
    async fn check_budget(&self, caller: &Caller, new: &KeptBudget) -> Answer<()> {
        if new.name.contains("/action/") || new.name.to_lowercase().contains("<script>") {
            return Err(invalid(format!(
                "BudgetName: `{}` has a part that no name may have; leave `/action/` and `<script>` out",
                crate::outbox::plain(&new.name)
            )));
        }
        if new.name.chars().any(char::is_control) {
            return Err(invalid(format!(
                "BudgetName: `{}` has control characters; leave them out",
                crate::outbox::plain(&new.name)
            )));
        }
        let span = new.span()?;
        let limits = new.limits()?;
        if let Limits::Planned(planned) = &limits {
            let today = Date::of_seconds(caller.now).days();
            span.check_planned(planned, today).map_err(|error| invalid(error.to_string()))?;
        }
        let amounts: Vec<Cost> = match limits {
            Limits::Fixed(limit) => vec![limit],
            Limits::Planned(planned) => planned.into_values().collect(),
        };
        if amounts.iter().any(|amount| *amount <= Cost::ZERO) {
            return Err(invalid("BudgetLimit: the amount of a budget is above 0"));
        }
        new.metric()?;
        new.expression()?;
        check_notifications(new)?;
        self.billing_view(caller, new.view.as_deref()).await.map(|_| ())
    }
}

/// Those of a holder, by name.
fn of_holder(mut rows: Vec<BudgetRow>, holder: &Holder) -> Vec<BudgetRow> {
    rows.retain(|row| row.budget.holder == *holder);
    rows.sort_by(|one, other| one.budget.name.cmp(&other.budget.name));
    rows
}

async fn kept_budgets(write: &mut Write) -> Result<Vec<BudgetRow>, Attempt> {
    let rows = write.desk_settings(SETTING).await?;
    Ok(rows.iter().map(BudgetRow::of).collect::<Answer<_>>()?)
}

async fn own_budget(write: &mut Write, holder: &Holder, name: &str) -> Result<BudgetRow, Attempt> {
    let own = of_holder(kept_budgets(write).await?, holder);
    let found = own.into_iter().find(|row| row.budget.name == name);
    found.ok_or_else(|| not_found(name).into())
}

async fn keep(write: &mut Write, id: &str, budget: &KeptBudget) -> Result<(), Attempt> {
    let body = serde_json::to_string(budget).map_err(Error::internal)?;
    Ok(write.put_desk_setting((SETTING, id), &body, machine_milliseconds()).await?)
}

fn limit(kind: &'static str, id: &str, message: &str) -> Error {
    Declined::Limit { code: "LIMIT", kind, id: id.to_owned(), message: message.to_owned() }.into()
}

/// What holds of notifications and whom they tell, however they came about.
fn check_notifications(budget: &KeptBudget) -> Answer<()> {
    let name = &budget.name;
    if budget.notifications.len() > NOTIFICATIONS_MAX {
        let message = format!(
            "budget `{name}` would have {} notifications; it has {NOTIFICATIONS_MAX} at most",
            budget.notifications.len()
        );
        return Err(limit("budget", name, &message));
    }
    let mut known: Vec<Notification> = Vec::new();
    for (notification, emails) in budget.notifications()? {
        if known.contains(&notification) {
            return Err(duplicate(name, &format!("has the notification {notification} already")));
        }
        known.push(notification);
        if emails.is_empty() {
            return Err(invalid(format!(
                "notification {notification} of budget `{name}` would tell nobody; give it a subscriber, or delete the notification"
            )));
        }
        if emails.len() > EMAILS_MAX {
            let message = format!(
                "notification {notification} of budget `{name}` would tell {} addresses; it tells {EMAILS_MAX} at most",
                emails.len()
            );
            return Err(limit("notification", name, &message));
        }
        for (place, email) in emails.iter().enumerate() {
            // Who was taken out of the desk's data stays so.
            if !is_address(email) {
                let problem = recipient_problem(Channel::Email, email).unwrap_or_default();
                return Err(invalid(format!("Subscriber: {problem}")));
            }
            if emails[..place].iter().any(|other| other.eq_ignore_ascii_case(email)) {
                return Err(duplicate(name, &format!("tells this address of {notification} already")));
            }
        }
    }
    if budget.tags.len() > TAGS_MAX {
        let message =
            format!("budget `{name}` would have {} tags; it has {TAGS_MAX} at most", budget.tags.len());
        return Err(limit("tags", name, &message));
    }
    Ok(())
}

fn duplicate(name: &str, what: &str) -> Error {
    let message = format!("budget `{name}` {what}; each is there once");
    Declined::Conflict { reason: "DUPLICATE", kind: "budget", id: name.to_owned(), message }.into()
}
