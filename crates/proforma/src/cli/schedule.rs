//! The commands of the schedules of invoices.

use super::desk::{DeskArguments, ListArguments};
use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  proforma schedule set 111111111111 --policy after-approval --days-after-close 2 --email ap@customer.example --data ./desk
  proforma schedule list --data ./desk";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ScheduleArguments {
    #[command(subcommand)]
    pub command: ScheduleCommand,
}

#[derive(Debug, Subcommand)]
pub enum ScheduleCommand {
    /// List the schedules, and what became of each period.
    List(ListArguments),
    /// Say when invoices of a billing group go out by themselves.
    Set(SetScheduleArguments),
}

#[derive(Debug, Args)]
pub struct SetScheduleArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The billing group: ARN or id.
    #[arg(value_name = "BILLING_GROUP")]
    pub billing_group: String,
    /// manual: nothing goes out by itself. after-approval: drafts appear, and what is issued of them is sent. automatic: invoices are issued and sent, unless the checks warn of something.
    #[arg(long, value_name = "POLICY", value_parser = ["manual", "after-approval", "automatic"])]
    pub policy: String,
    /// How many days after the close of a period; by default 0.
    #[arg(long, value_name = "DAYS")]
    pub days_after_close: Option<u32>,
    /// The first billing period that it is for; by default the current one.
    #[arg(long, value_name = "YYYY-MM")]
    pub first: Option<String>,
    /// An address that the invoices go to.
    #[arg(long = "email", value_name = "ADDRESS")]
    pub emails: Vec<String>,
    /// A warning of `proforma invoice preview` that stops no invoice of this group, by its word, as BELOW_COST: you have looked, and mean it.
    #[arg(long = "accept-warning", value_name = "WARNING")]
    pub accepted_warnings: Vec<String>,
}
