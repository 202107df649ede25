//! The schedules of invoices.

use crate::call::{Call, json};
use back_office::error::{Answer, Error};
use back_office::invoice_schedule::NewSchedule;
use billing::configuration::{ResourceType, arn};
use billing::invoice_schedule::Policy;
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Schedule {
    billing_group_arn: String,
    policy: &'static str,
    days_after_close: u32,
    first_billing_period: String,
    emails: Vec<String>,
    accepted_warnings: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Step {
    billing_group_arn: String,
    billing_period: String,
    step: String,
    detail: String,
    time: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Schedules {
    schedules: Vec<Schedule>,
    steps: Vec<Step>,
}

pub(super) async fn list(call: &Call<'_>) -> Answer<Vec<u8>> {
    let payer = &call.caller.payer;
    let group = |id: &str| arn(payer.as_str(), ResourceType::BillingGroup, id);
    let schedules = call.desk.invoice_schedules(payer).await?.into_iter().map(|of| Schedule {
        billing_group_arn: group(&of.billing_group),
        policy: of.schedule.policy.name(),
        days_after_close: of.schedule.days_after_close,
        first_billing_period: of.schedule.first.to_string(),
        emails: of.emails,
        accepted_warnings: of.accepted_warnings,
    });
    let steps = call.desk.schedule_steps(payer).await?.into_iter().map(|row| Step {
        billing_group_arn: group(&row.billing_group),
        billing_period: row.period.to_string(),
        step: row.step.name().to_uppercase(),
        detail: row.detail,
        time: row.at_ms / 1_000,
    });
    json(&Schedules { schedules: schedules.collect(), steps: steps.collect() })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    billing_group_arn: String,
    policy: String,
    days_after_close: Option<u32>,
    first_billing_period: Option<String>,
    emails: Option<Vec<String>>,
    accepted_warnings: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Empty {}

pub(super) async fn update(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Update = call.read()?;
    let policy = Policy::parse(&input.policy).ok_or_else(|| Error::internal(input.policy.clone()))?;
    let new = NewSchedule {
        billing_group: input.billing_group_arn,
        policy,
        days_after_close: input.days_after_close,
        first: input.first_billing_period.as_deref().map(crate::call::period).transpose()?,
        emails: input.emails,
        accepted_warnings: input.accepted_warnings,
    };
    call.desk.set_invoice_schedule(&call.write(&new.billing_group), &new).await?;
    json(&Empty {})
}
