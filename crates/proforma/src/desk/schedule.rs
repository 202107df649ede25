//! The commands of the schedules of invoices: `proforma schedule`.

use super::command::{ask, asked};
use super::output;
use crate::cli::desk::DeskArguments;
use crate::cli::schedule::{ScheduleArguments, ScheduleCommand, SetScheduleArguments};
use crate::failure::Failure;
use aws_api::proforma::SERVICE;
use serde_json::json;

/// `proforma schedule`
pub fn schedule(arguments: &ScheduleArguments) -> Result<(), Failure> {
    match &arguments.command {
        ScheduleCommand::List(of) => ask(&of.desk, "ListInvoiceSchedules", &json!({})),
        ScheduleCommand::Set(of) => set(of),
    }
}

fn set(arguments: &SetScheduleArguments) -> Result<(), Failure> {
    let SetScheduleArguments {
        desk,
        billing_group,
        policy,
        days_after_close,
        first,
        emails,
        no_emails,
        accepted_warnings,
        accept_no_warning,
    } = arguments;
    let mut input = json!({
        "BillingGroupArn": billing_group,
        "Policy": policy.to_uppercase().replace('-', "_"),
    });
    // What is not named stays as it is.
    if *no_emails || !emails.is_empty() {
        input["Emails"] = json!(emails);
    }
    if *accept_no_warning || !accepted_warnings.is_empty() {
        input["AcceptedWarnings"] = json!(accepted_warnings);
    }
    if let Some(days) = days_after_close {
        input["DaysAfterClose"] = json!(days);
    }
    if let Some(first) = first {
        input["FirstBillingPeriod"] = json!(first);
    }
    asked(desk, "UpdateInvoiceSchedule", &input)?;
    schedules_now(desk)
}

/// Prints the schedules that hold now, without what became of each period.
fn schedules_now(desk: &DeskArguments) -> Result<(), Failure> {
    let mut answer = asked(desk, "ListInvoiceSchedules", &json!({}))?;
    if let Some(members) = answer.as_object_mut() {
        members.remove("Steps");
    }
    output::answer((SERVICE, "ListInvoiceSchedules"), &answer, desk.output)
}
