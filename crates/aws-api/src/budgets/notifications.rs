//! Notifications of budgets, and their subscribers.

use super::{Empty, OfBudget, invalid, page};
use crate::call::{Call, Position, json};
use aws_wire::json::Number;
use back_office::budgets::{BudgetRow, KeptBudget, KeptNotification};
use back_office::error::{Answer, Declined, Error};
use billing::budget::{Comparison, Notification, NotificationKind, State, ThresholdKind};
use billing::money::Cost;
use serde::{Deserialize, Serialize, Serializer};

/// How many digits of a threshold are read.
const DIGITS: u64 = 40;
const PAGE: usize = 100;
/// How many budgets a page of all notifications holds where nobody says how many: each is held to its costs.
const BUDGETS: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NotificationIn {
    notification_type: String,
    comparison_operator: String,
    threshold: Number,
    threshold_type: Option<String>,
}

impl NotificationIn {
    pub fn notification(&self) -> Answer<Notification> {
        let unknown = |member: &str, value: &str| invalid(format!("{member}: `{value}` is not served"));
        let of = self.threshold_type.as_deref().unwrap_or(ThresholdKind::Percentage.name());
        let digits = self.threshold.decimal(DIGITS).unwrap_or_else(|_| self.threshold.as_str().to_owned());
        let threshold = Cost::parse(&digits)
            .map_err(|error| invalid(format!("Threshold: `{}` is {error}", self.threshold.as_str())))?;
        Ok(Notification {
            kind: NotificationKind::parse(&self.notification_type)
                .ok_or_else(|| unknown("NotificationType", &self.notification_type))?,
            comparison: Comparison::parse(&self.comparison_operator)
                .ok_or_else(|| unknown("ComparisonOperator", &self.comparison_operator))?,
            threshold,
            of: ThresholdKind::parse(of).ok_or_else(|| unknown("ThresholdType", of))?,
        })
    }
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Subscriber {
    subscription_type: String,
    address: String,
}

impl Subscriber {
    /// The address of mail that is told.
    pub fn email(self) -> Answer<String> {
        match self.subscription_type.as_str() {
            "EMAIL" => Ok(self.address),
            other => Err(invalid(format!(
                "Subscriber: {other} is not sent to; name an address of mail (EMAIL) here, and a webhook for all of the payer's news with `proforma notify settings --webhook URL`"
            ))),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfNotification {
    budget_name: String,
    #[serde(alias = "OldNotification")]
    notification: NotificationIn,
    new_notification: Option<NotificationIn>,
    #[serde(default)]
    subscribers: Vec<Subscriber>,
    #[serde(alias = "OldSubscriber")]
    subscriber: Option<Subscriber>,
    new_subscriber: Option<Subscriber>,
    max_results: Option<u32>,
    next_token: Option<String>,
}

/// `CreateNotification`
pub(super) async fn create(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfNotification = call.read()?;
    let emails = input.subscribers.into_iter().map(Subscriber::email).collect::<Answer<_>>()?;
    let new = KeptNotification::new(input.notification.notification()?, emails);
    change(call, &input.budget_name, |budget| {
        budget.notifications.push(new.clone());
        Ok(())
    })
    .await
}

/// `UpdateNotification`
pub(super) async fn update(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfNotification = call.read()?;
    let old = input.notification.notification()?;
    let new = given(input.new_notification, "NewNotification")?.notification()?;
    change(call, &input.budget_name, |budget| {
        let emails = found(budget, &old)?.emails.clone();
        *found(budget, &old)? = KeptNotification::new(new, emails);
        Ok(())
    })
    .await
}

/// `DeleteNotification`
pub(super) async fn delete(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfNotification = call.read()?;
    let old = input.notification.notification()?;
    change(call, &input.budget_name, |budget| {
        let place = place(budget, &old)?;
        budget.notifications.remove(place);
        Ok(())
    })
    .await
}

/// `CreateSubscriber`
pub(super) async fn create_subscriber(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfNotification = call.read()?;
    let of = input.notification.notification()?;
    let email = given(input.subscriber, "Subscriber")?.email()?;
    change(call, &input.budget_name, |budget| {
        found(budget, &of)?.emails.push(email.clone());
        Ok(())
    })
    .await
}

/// `UpdateSubscriber`
pub(super) async fn update_subscriber(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfNotification = call.read()?;
    let of = input.notification.notification()?;
    let old = given(input.subscriber, "OldSubscriber")?.email()?;
    let new = given(input.new_subscriber, "NewSubscriber")?.email()?;
    change(call, &input.budget_name, |budget| {
        let emails = &mut found(budget, &of)?.emails;
        let place = subscribed(emails, &old)?;
        emails[place].clone_from(&new);
        Ok(())
    })
    .await
}

/// `DeleteSubscriber`
pub(super) async fn delete_subscriber(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfNotification = call.read()?;
    let of = input.notification.notification()?;
    let old = given(input.subscriber, "Subscriber")?.email()?;
    change(call, &input.budget_name, |budget| {
        let emails = &mut found(budget, &of)?.emails;
        let place = subscribed(emails, &old)?;
        emails.remove(place);
        Ok(())
    })
    .await
}

async fn change(
    call: &Call<'_>,
    name: &str,
    change: impl Fn(&mut KeptBudget) -> Answer<()> + Sync,
) -> Answer<Vec<u8>> {
    call.desk.change_budget(&call.write(name), name, change).await?;
    json(&Empty {})
}

/// A member that the model requires.
fn given<T>(member: Option<T>, name: &str) -> Answer<T> {
    member.ok_or_else(|| Error::internal(format!("{name} is required by the model and not there")))
}

/// The place of a notification among those of a budget.
fn place(budget: &KeptBudget, notification: &Notification) -> Answer<usize> {
    let known = budget.notifications()?;
    let place = known.iter().position(|(of, _)| of == notification);
    place.ok_or_else(|| {
        let id = format!("{notification}` of budget `{}", budget.name);
        Declined::NotFound { kind: "notification", id }.into()
    })
}

fn found<'a>(budget: &'a mut KeptBudget, notification: &Notification) -> Answer<&'a mut KeptNotification> {
    let place = place(budget, notification)?;
    Ok(&mut budget.notifications[place])
}

fn subscribed(emails: &[String], email: &str) -> Answer<usize> {
    let place = emails.iter().position(|of| of.eq_ignore_ascii_case(email));
    place.ok_or_else(|| Declined::NotFound { kind: "subscriber", id: email.to_owned() }.into())
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NotificationOut {
    notification_type: &'static str,
    comparison_operator: &'static str,
    #[serde(serialize_with = "as_number")]
    threshold: String,
    threshold_type: &'static str,
    notification_state: &'static str,
}

/// A decimal as a number of JSON, digit by digit.
fn as_number<S: Serializer>(digits: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let number: Number = digits.parse().map_err(serde::ser::Error::custom)?;
    number.serialize(serializer)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Notifications {
    notifications: Vec<NotificationOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// How the notifications of a budget stand now. What cannot be told is no alarm.
async fn standing(call: &Call<'_>, row: &BudgetRow) -> Answer<Vec<NotificationOut>> {
    let known = row.budget.notifications()?;
    if known.is_empty() {
        return Ok(Vec::new());
    }
    let standing = call.desk.budget_standing(call.caller, row).await?;
    let notifications = known.into_iter().map(|(of, _)| {
        let state = standing.as_ref().ok().and_then(|standing| {
            let amount = match of.kind {
                NotificationKind::Actual => Some(standing.actual),
                NotificationKind::Forecasted => standing.forecast,
            };
            amount.map(|amount| of.state(amount, standing.limit))
        });
        NotificationOut {
            notification_type: of.kind.name(),
            comparison_operator: of.comparison.name(),
            threshold: of.threshold.to_string(),
            threshold_type: of.of.name(),
            notification_state: state.unwrap_or(State::Ok).name(),
        }
    });
    Ok(notifications.collect())
}

/// `DescribeNotificationsForBudget`
pub(super) async fn of_budget(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfBudget = call.read()?;
    let page = page(call, input.max_results, input.next_token.as_deref(), PAGE)?;
    let row = call.desk.budget(call.caller, &input.budget_name).await?;
    let after = page.after_number();
    let entries = (1..).zip(standing(call, &row).await?).filter(|(number, _)| *number > after);
    let entries = entries.map(|(number, of)| (Position(number), of));
    let (notifications, next_token) = call.cut(&page, entries)?;
    json(&Notifications { notifications, next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfAccount {
    max_results: Option<u32>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OfOneBudget {
    budget_name: String,
    notifications: Vec<NotificationOut>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OfAccountOut {
    budget_notifications_for_account: Vec<OfOneBudget>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `DescribeBudgetNotificationsForAccount`
pub(super) async fn of_account(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfAccount = call.read()?;
    let page = page(call, input.max_results, input.next_token.as_deref(), BUDGETS)?;
    let rows = call.desk.budgets(call.caller).await?;
    let entries = rows.iter().filter(|row| row.budget.name.as_str() > page.after.as_str());
    let (rows, next_token) = call.cut(&page, entries.map(|row| (row.budget.name.clone(), row)))?;
    let mut budget_notifications_for_account = Vec::with_capacity(rows.len());
    for row in rows {
        let notifications = standing(call, row).await?;
        let of_budget = OfOneBudget { budget_name: row.budget.name.clone(), notifications };
        budget_notifications_for_account.push(of_budget);
    }
    json(&OfAccountOut { budget_notifications_for_account, next_token })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Subscribers {
    subscribers: Vec<Subscriber>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `DescribeSubscribersForNotification`
pub(super) async fn subscribers(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfNotification = call.read()?;
    let page = page(call, input.max_results, input.next_token.as_deref(), PAGE)?;
    let mut row = call.desk.budget(call.caller, &input.budget_name).await?;
    let emails = found(&mut row.budget, &input.notification.notification()?)?.emails.clone();
    let after = page.after_number();
    let entries = (1..).zip(emails).filter(|(number, _)| *number > after).map(|(number, address)| {
        (Position(number), Subscriber { subscription_type: "EMAIL".to_owned(), address })
    });
    let (subscribers, next_token) = call.cut(&page, entries)?;
    json(&Subscribers { subscribers, next_token })
}
