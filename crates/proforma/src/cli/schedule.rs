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
    /// Say when invoices of a billing group go out by themselves. What is not named stays as the group's schedule has it.
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
    /// How many days after the close of a period; 0 for a group that has no schedule yet.
    #[arg(long, value_name = "DAYS")]
    pub days_after_close: Option<u32>,
    /// The first billing period that it is for; the current one for a group that has no schedule yet.
    #[arg(long, value_name = "YYYY-MM")]
    pub first: Option<String>,
    /// The addresses that the invoices go to, in place of those before.
    #[arg(long = "email", value_name = "ADDRESS")]
    pub emails: Vec<String>,
    /// The group has no addresses of its own any more.
    #[arg(long, conflicts_with = "emails")]
    pub no_emails: bool,
    /// The warnings of `proforma invoice preview` that stop no invoice of this group, in place of those before, by their words, as BELOW_COST: you have looked, and mean it.
    #[arg(long = "accept-warning", value_name = "WARNING")]
    pub accepted_warnings: Vec<String>,
    /// Every warning that stops an invoice stops those of this group again.
    #[arg(long, conflicts_with = "accepted_warnings")]
    pub accept_no_warning: bool,
}
