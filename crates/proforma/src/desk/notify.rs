//! The commands of what leaves the desk: `proforma outbox` and `proforma notify`.

use super::command::{ask, at_desk};
use super::door::Door;
use super::output;
use crate::cli::notify::{
    ListMessagesArguments, MessagesArguments, NotifyArguments, NotifyCommand, NotifySettingsArguments,
    NotifyTestArguments, OutboxArguments, OutboxCommand,
};
use crate::failure::Failure;
use serde_json::{Map, Value, json};

/// `proforma outbox`
pub fn outbox(arguments: &OutboxArguments) -> Result<(), Failure> {
    match &arguments.command {
        OutboxCommand::List(of) => list(of),
        OutboxCommand::Retry(of) => change(of, "RetryMessages"),
        OutboxCommand::Drop(of) => change(of, "DropMessages"),
    }
}

/// Every page of the messages.
fn list(arguments: &ListMessagesArguments) -> Result<(), Failure> {
    let ListMessagesArguments { desk, state } = arguments;
    let messages = at_desk(async {
        let door = Door::open(desk).await?;
        let mut messages = Vec::new();
        let mut input = Map::new();
        if let Some(state) = state {
            input.insert("State".to_owned(), json!(state.to_uppercase()));
        }
        let listed = loop {
            let page = match door.ask("ListMessages", &Value::Object(input.clone())).await {
                Ok(page) => page,
                Err(failure) => break Err(failure),
            };
            messages.extend(page.get("Messages").and_then(Value::as_array).cloned().unwrap_or_default());
            match page.get("NextToken") {
                Some(token) => input.insert("NextToken".to_owned(), token.clone()),
                None => break Ok(()),
            };
        };
        door.close().await?;
        listed.map(|()| messages)
    })?;
    let messages = json!({ "Messages": messages });
    output::answer((aws_api::proforma::SERVICE, "ListMessages"), &messages, desk.output)
}

fn change(arguments: &MessagesArguments, operation: &str) -> Result<(), Failure> {
    ask(&arguments.desk, operation, &json!({ "MessageIds": arguments.which.message_ids }))
}

/// `proforma notify`
pub fn notify(arguments: &NotifyArguments) -> Result<(), Failure> {
    match &arguments.command {
        NotifyCommand::Settings(of) => settings(of),
        NotifyCommand::Test(of) => test(of),
        NotifyCommand::Check(of) => ask(&of.desk, "CheckNotices", &json!({})),
        NotifyCommand::Secret(of) => ask(&of.desk, "GetWebhookSecret", &json!({})),
    }
}

fn settings(arguments: &NotifySettingsArguments) -> Result<(), Failure> {
    let mut input = Map::new();
    let mut list = |member: &str, said: Value, is_said: bool| {
        if is_said {
            input.insert(member.to_owned(), said);
        }
    };
    let NotifySettingsArguments { emails, webhooks, thresholds, muted, .. } = arguments;
    list("Emails", json!(emails), !emails.is_empty() || arguments.no_emails);
    list("Webhooks", json!(webhooks), !webhooks.is_empty() || arguments.no_webhooks);
    list("BalancePercent", json!(thresholds), !thresholds.is_empty());
    list("Muted", json!(muted), !muted.is_empty() || arguments.mute_nothing);
    list("ToContacts", json!(arguments.to_contacts), arguments.to_contacts.is_some());
    let operation = if input.is_empty() { "GetNotificationSettings" } else { "UpdateNotificationSettings" };
    ask(&arguments.desk, operation, &Value::Object(input))
}

fn test(arguments: &NotifyTestArguments) -> Result<(), Failure> {
    let (channel, recipient) = match (&arguments.email, &arguments.webhook) {
        (_, Some(url)) => ("WEBHOOK", url.as_str()),
        (address, None) => ("EMAIL", address.as_deref().unwrap_or_default()),
    };
    ask(&arguments.desk, "SendTestNotification", &json!({ "Channel": channel, "Recipient": recipient }))
}
