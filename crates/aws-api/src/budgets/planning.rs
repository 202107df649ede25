//! Budgets as they are made, changed and deleted.

use super::notifications::{NotificationIn, Subscriber};
use super::shapes::BudgetIn;
use super::tags::{self, Tag};
use super::{Empty, OfBudget};
use crate::call::{Call, json};
use back_office::budgets::KeptNotification;
use back_office::error::Answer;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WithSubscribers {
    notification: NotificationIn,
    subscribers: Vec<Subscriber>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateBudget {
    budget: BudgetIn,
    #[serde(default)]
    notifications_with_subscribers: Vec<WithSubscribers>,
    #[serde(default)]
    resource_tags: Vec<Tag>,
}

/// `CreateBudget`
pub(super) async fn create(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: CreateBudget = call.read()?;
    let mut budget = input.budget.kept(call)?;
    for of in input.notifications_with_subscribers {
        let emails = of.subscribers.into_iter().map(Subscriber::email).collect::<Answer<_>>()?;
        budget.notifications.push(KeptNotification::new(of.notification.notification()?, emails));
    }
    tags::add(&mut budget.tags, input.resource_tags)?;
    call.desk.create_budget(&call.write(&budget.name), &budget).await?;
    json(&Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateBudget {
    new_budget: BudgetIn,
}

/// `UpdateBudget`
pub(super) async fn update(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: UpdateBudget = call.read()?;
    let budget = input.new_budget.kept(call)?;
    call.desk.update_budget(&call.write(&budget.name), &budget).await?;
    json(&Empty {})
}

/// `DeleteBudget`
pub(super) async fn delete(call: &Call<'_>) -> Answer<Vec<u8>> {
    let OfBudget { budget_name, .. } = call.read()?;
    call.desk.delete_budget(&call.write(&budget_name), &budget_name).await?;
    json(&Empty {})
}
