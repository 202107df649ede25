//! What leaves the desk: messages, and whom they go to.

use crate::call::{Call, json};
use back_office::error::{Answer, Error};
use back_office::notifications::NotificationSettings;
use back_office::outbox::{Channel, MessageRow, MessageState};
use serde::{Deserialize, Serialize};

/// How many messages a page has at most.
const PAGE: usize = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListMessages {
    state: Option<String>,
    max_results: Option<u32>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    message_id: String,
    state: String,
    kind: String,
    channel: String,
    recipient: String,
    subject: String,
    attempts: u64,
    created_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    key: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Messages {
    messages: Vec<Message>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn message(row: MessageRow) -> Message {
    let (next, ended) = match row.state {
        MessageState::Queued { next_attempt_at_ms } => (Some(next_attempt_at_ms), None),
        MessageState::Sending { .. } => (None, None),
        MessageState::Sent { at_ms }
        | MessageState::Unconfirmed { at_ms }
        | MessageState::Dead { at_ms }
        | MessageState::Expired { at_ms }
        | MessageState::Dropped { at_ms } => (None, Some(at_ms)),
    };
    let said = row.message;
    Message {
        message_id: said.id,
        state: row.state.name().to_uppercase(),
        kind: said.kind,
        channel: said.channel.name().to_uppercase(),
        recipient: said.recipient,
        subject: said.subject,
        attempts: row.attempts,
        created_time: said.created_at_ms / 1_000,
        next_attempt_time: next.map(|at| at / 1_000),
        ended_time: ended.map(|at| at / 1_000),
        last_error: row.last_error.filter(|error| !error.is_empty()),
        key: said.dedupe_key,
    }
}

pub(super) async fn list(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: ListMessages = call.read()?;
    let page = call.page(input.max_results, input.next_token.as_deref(), PAGE)?;
    let state = input.state.map(|state| state.to_lowercase());
    // A page begins after a message: when that was written, and its id.
    let before = page.after.split_once('|').map(|(at, id)| (at.parse().unwrap_or(i64::MAX), id));
    let asked = (call.caller, call.action);
    let rows = call.desk.messages(asked, state.as_deref(), before, page.max + 1).await?;
    let positioned = rows.into_iter().map(|row| {
        let at = format!("{}|{}", row.message.created_at_ms, row.message.id);
        (at, message(row))
    });
    let (messages, next_token) = call.cut(&page, positioned)?;
    json(&Messages { messages, next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MessageIds {
    #[serde(default)]
    message_ids: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Counted {
    message_count: u64,
}

pub(super) async fn retry(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: MessageIds = call.read()?;
    let count = call.desk.retry_messages(&call.write(""), &input.message_ids).await?;
    json(&Counted { message_count: count as u64 })
}

pub(super) async fn drop_them(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: MessageIds = call.read()?;
    let count = call.desk.drop_messages(&call.write(""), &input.message_ids).await?;
    json(&Counted { message_count: count as u64 })
}

pub(super) async fn check_notices(call: &Call<'_>) -> Answer<Vec<u8>> {
    json(&Counted { message_count: call.desk.check_notices(&call.write("")).await? as u64 })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendTest {
    channel: String,
    recipient: String,
}

pub(super) async fn send_test(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: SendTest = call.read()?;
    let channel = Channel::parse(&input.channel.to_lowercase());
    let channel = channel.ok_or_else(|| Error::internal(input.channel.clone()))?;
    let count = call.desk.send_test(&call.write(""), channel, &input.recipient).await?;
    json(&Counted { message_count: count as u64 })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Settings {
    emails: Vec<String>,
    webhooks: Vec<String>,
    to_contacts: bool,
    balance_percent: Vec<u32>,
    muted: Vec<String>,
}

impl From<NotificationSettings> for Settings {
    fn from(settings: NotificationSettings) -> Self {
        let NotificationSettings { emails, webhooks, to_contacts, balance_percent, muted } = settings;
        Self { emails, webhooks, to_contacts, balance_percent, muted }
    }
}

pub(super) async fn settings(call: &Call<'_>) -> Answer<Vec<u8>> {
    json(&Settings::from(call.desk.notification_settings(call.caller, call.action).await?))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ChangedSettings {
    emails: Option<Vec<String>>,
    webhooks: Option<Vec<String>>,
    to_contacts: Option<bool>,
    balance_percent: Option<Vec<u32>>,
    muted: Option<Vec<String>>,
}

pub(super) async fn change_settings(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: ChangedSettings = call.read()?;
    let request = call.write("");
    let changed = call.desk.change_notifications(&request, |settings| {
        let NotificationSettings { emails, webhooks, to_contacts, balance_percent, muted } = settings;
        put(emails, &input.emails);
        put(webhooks, &input.webhooks);
        put(to_contacts, &input.to_contacts);
        put(balance_percent, &input.balance_percent);
        put(muted, &input.muted);
    });
    json(&Settings::from(changed.await?))
}

/// What is not said stays as it is.
fn put<T: Clone>(setting: &mut T, said: &Option<T>) {
    if let Some(said) = said {
        setting.clone_from(said);
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WebhookSecret<'a> {
    secret: &'a str,
}

pub(super) fn webhook_secret(call: &Call<'_>) -> Answer<Vec<u8>> {
    json(&WebhookSecret { secret: &call.desk.webhook_secret(&call.caller.payer) })
}
