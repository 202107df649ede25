//! The commands of the organization: reading it, and the rules by which billing groups follow it.

use super::desk::DeskArguments;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct SyncArguments {
    #[command(subcommand)]
    pub command: SyncCommand,
}

#[derive(Debug, Subcommand)]
pub enum SyncCommand {
    /// Read accounts, units, tags and dates of the organization, and let billing groups follow.
    Organization(Box<SyncOrganizationArguments>),
    /// Say how often a server reads the organization by itself; without --every, print it.
    Schedule(Box<SyncScheduleArguments>),
}

const SYNC_EXAMPLES: &str = "\
Reads through the AWS SDK with the credentials that it finds (profile, SSO, environment), and changes nothing at AWS; or reads a file. What was read is taken
over whole, or not at all. A reading that was broken off goes on where it was, within the hour.

Examples:
  proforma sync organization --data ./desk
  proforma sync organization --data ./desk --profile payer-one --profile payer-two --dry-run
  proforma sync organization --endpoint http://127.0.0.1:8080 --file accounts.csv";

#[derive(Debug, Args)]
#[command(after_help = SYNC_EXAMPLES)]
pub struct SyncOrganizationArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// A file in place of AWS: CSV or JSON with the accounts and the paths of their units.
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Print what would change, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// The AWS profile to read with; one for each payer of the data directory. The payer is the organization's management account.
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    pub profile: Vec<String>,
    /// Another place that answers the API of AWS Organizations.
    #[arg(long, value_name = "URL", conflicts_with = "file")]
    pub organization_endpoint: Option<String>,
}

#[derive(Debug, Args)]
pub struct SyncScheduleArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// Every so many hours, at most 168; 0 is never.
    #[arg(long, value_name = "HOURS")]
    pub every: Option<u32>,
}

const RULE_EXAMPLES: &str = "\
Examples:
  proforma rules set Harbor --unit Root/Customers/Harbor --plan --data ./desk
  proforma rules set Harbor --unit Root/Customers/Harbor --tag Customer=harbor --name 'harbor-*' --data ./desk
  proforma rules set Harbor --tag Customer=harbor --period 2026-10 --data ./desk
  proforma rules list --data ./desk";

#[derive(Debug, Args)]
#[command(after_help = RULE_EXAMPLES)]
pub struct RulesArguments {
    #[command(subcommand)]
    pub command: RulesCommand,
}

#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// List the rules of billing groups with the accounts that each has put there, and what somebody should look at.
    List(RulesListArguments),
    /// Give a billing group a rule, in place of the one that it has: an account that one of the conditions matches is put there.
    Set(SetRuleArguments),
    /// Take the rule of a billing group away; its accounts stay.
    Delete(DeleteRuleArguments),
}

#[derive(Debug, Args)]
pub struct RulesListArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The billing period; by default the current one.
    #[arg(long, value_name = "YYYY-MM")]
    pub period: Option<String>,
}

#[derive(Debug, Args)]
pub struct SetRuleArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The billing group: ARN, id or name.
    #[arg(value_name = "BILLING_GROUP")]
    pub billing_group: String,
    /// An organizational unit, with all below: its id, or its path as Root/Customers/Harbor.
    #[arg(long, value_name = "UNIT")]
    pub unit: Vec<String>,
    /// A tag of accounts: a key, or a key with a value.
    #[arg(long, value_name = "KEY[=VALUE]")]
    pub tag: Vec<String>,
    /// A pattern of names, in which * stands for any text and ? for one character.
    #[arg(long, value_name = "PATTERN")]
    pub name: Vec<String>,
    /// Only accounts that match all of --unit, --tag and --name, in place of any of them.
    #[arg(long)]
    pub all: bool,
    /// An account that the rule does not take.
    #[arg(long, value_name = "ACCOUNT_ID")]
    pub except: Vec<String>,
    /// The billing period from which on it holds, up to what was said for later ones; by default the current one.
    #[arg(long, value_name = "YYYY-MM")]
    pub period: Option<String>,
    /// Print which accounts would move, and change nothing.
    #[arg(long)]
    pub plan: bool,
}

#[derive(Debug, Args)]
pub struct DeleteRuleArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The billing group: ARN, id or name.
    #[arg(value_name = "BILLING_GROUP")]
    pub billing_group: String,
    /// The billing period from which on there is none, up to what was said for later ones; by default the current one.
    #[arg(long, value_name = "YYYY-MM")]
    pub period: Option<String>,
}
