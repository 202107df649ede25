//! The commands of personal data.

use super::desk::DeskArguments;
use clap::{Args, Subcommand};

const PRIVACY_EXAMPLES: &str = "\
Examples:
  proforma privacy export ann@example.com 'Ann Example' --output json --endpoint http://127.0.0.1:8080
  proforma privacy erase ann@example.com 'Ann Example' ann --endpoint http://127.0.0.1:8080
  proforma privacy retention --message-days 30 --audit-days 730 --data ./desk

A running server is asked with --endpoint; --data is for when none runs.";

#[derive(Debug, Args)]
#[command(after_help = PRIVACY_EXAMPLES)]
pub struct PrivacyArguments {
    #[command(subcommand)]
    pub command: PrivacyCommand,
}

#[derive(Debug, Subcommand)]
pub enum PrivacyCommand {
    /// Print what is kept of a person, but for issued documents.
    Export(PersonArguments),
    /// Take a person out of everything but issued documents, for good.
    Erase(PersonArguments),
    /// Print how long what is kept, or change it.
    Retention(RetentionArguments),
}

#[derive(Debug, Args)]
pub struct PersonArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// What the person is called: addresses, names, names of principals. Each is looked for as a whole word.
    #[arg(value_name = "PERSON", required = true)]
    pub names: Vec<String>,
}

#[derive(Debug, Args)]
pub struct RetentionArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// How many days a message stays readable after it was sent or given up; 0 is for good. By default 90.
    #[arg(long, value_name = "DAYS")]
    pub message_days: Option<u32>,
    /// How many days an entry of the audit stays; 0 is for good, as by default.
    #[arg(long, value_name = "DAYS")]
    pub audit_days: Option<u32>,
    /// How many days it stays known what a setting of the desk said before it was changed; 0 is for good, as by default.
    #[arg(long, value_name = "DAYS")]
    pub revision_days: Option<u32>,
}
