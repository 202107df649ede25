//! The commands of what leaves the desk: messages, and whom they go to.

use super::desk::DeskArguments;
use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub struct OutboxArguments {
    #[command(subcommand)]
    pub command: OutboxCommand,
}

#[derive(Debug, Subcommand)]
pub enum OutboxCommand {
    /// List messages, the newest first: what was sent, what waits, what was given up and why.
    List(ListMessagesArguments),
    /// Queue messages anew: those that are named, or with --dead all that were given up.
    Retry(MessagesArguments),
    /// Give messages up for good: those that are named, or with --dead all that were given up.
    Drop(MessagesArguments),
}

#[derive(Debug, Args)]
pub struct ListMessagesArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// Only messages in this state.
    #[arg(long, value_name = "STATE", value_parser = ["queued", "sending", "sent", "unconfirmed", "dead", "expired", "dropped"])]
    pub state: Option<String>,
}

#[derive(Debug, Args)]
pub struct MessagesArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    #[command(flatten)]
    pub which: WhichMessages,
}

/// One group of arguments, so that the line of usage and the refusal name both ways.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct WhichMessages {
    /// The messages, by their ids.
    #[arg(value_name = "MESSAGE_ID")]
    pub message_ids: Vec<String>,
    /// All messages that were given up.
    #[arg(long)]
    pub dead: bool,
}

const NOTIFY_EXAMPLES: &str = "\
Examples:
  proforma notify settings --email ap@example.com --threshold 50 --threshold 10 --endpoint http://127.0.0.1:8080
  proforma notify test --email ap@example.com --endpoint http://127.0.0.1:8080
  proforma notify secret --data ./desk

What is queued is sent by a server (`proforma serve --smtp-url …`). While one runs, it is asked with --endpoint; --data is for when none does.";

#[derive(Debug, Args)]
#[command(after_help = NOTIFY_EXAMPLES)]
pub struct NotifyArguments {
    #[command(subcommand)]
    pub command: NotifyCommand,
}

#[derive(Debug, Subcommand)]
pub enum NotifyCommand {
    /// Print whom news goes to, and what of it; or change what is said.
    Settings(Box<NotifySettingsArguments>),
    /// Queue a message that says that messages arrive.
    Test(NotifyTestArguments),
    /// Look at the purchase orders now, and queue what is due; a server does so every minute.
    Check(super::desk::ListArguments),
    /// Print the secret by which receivers of webhooks know that a request is this desk's.
    Secret(super::desk::ListArguments),
}

#[derive(Debug, Args)]
pub struct NotifySettingsArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The addresses that get all news, in place of those before.
    #[arg(long = "email", value_name = "ADDRESS")]
    pub emails: Vec<String>,
    /// No address gets all news any more.
    #[arg(long, conflicts_with = "emails")]
    pub no_emails: bool,
    /// The receivers that are sent all news, in place of those before.
    #[arg(long = "webhook", value_name = "URL")]
    pub webhooks: Vec<String>,
    /// No receiver is sent all news any more.
    #[arg(long, conflicts_with = "webhooks")]
    pub no_webhooks: bool,
    /// Whether the contacts of a purchase order are told what concerns it.
    #[arg(long, value_name = "BOOL")]
    pub to_contacts: Option<bool>,
    /// Percentages of a line's value below which a balance is news, in place of those before. By default 75, 25, 10 and 0.
    #[arg(long = "threshold", value_name = "PERCENT")]
    pub thresholds: Vec<u32>,
    /// Kinds of news that nobody is told, in place of those before.
    #[arg(long = "mute", value_name = "KIND")]
    pub muted: Vec<String>,
    /// All kinds of news are told.
    #[arg(long, conflicts_with = "muted")]
    pub mute_nothing: bool,
}

#[derive(Debug, Args)]
pub struct NotifyTestArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The address that it goes to.
    #[arg(long, value_name = "ADDRESS", required_unless_present = "webhook")]
    pub email: Option<String>,
    /// The receiver that it goes to.
    #[arg(long, value_name = "URL", conflicts_with = "email")]
    pub webhook: Option<String>,
}
