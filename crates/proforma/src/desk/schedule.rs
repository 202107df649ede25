//! The commands of the schedules of invoices: `proforma schedule`.

use super::command::ask;
use crate::cli::schedule::{ScheduleArguments, ScheduleCommand, SetScheduleArguments};
use crate::failure::Failure;
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
        accepted_warnings,
    } = arguments;
    let mut input = json!({
        "BillingGroupArn": billing_group,
        "Policy": policy.to_uppercase().replace('-', "_"),
        "Emails": emails,
        "AcceptedWarnings": accepted_warnings,
    });
    if let Some(days) = days_after_close {
        input["DaysAfterClose"] = json!(days);
    }
    if let Some(first) = first {
        input["FirstBillingPeriod"] = json!(first);
    }
    ask(desk, "UpdateInvoiceSchedule", &input)
}
