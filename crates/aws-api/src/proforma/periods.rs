//! Periods and their runs.

use super::OfPeriod;
use crate::call::{Call, json};
use back_office::error::Answer;
use back_office::runs::{Outcome, RunRow, RunState};
use billing::configuration::{ResourceType, arn};
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Run {
    run_id: String,
    billing_period: String,
    status: &'static str,
    is_current: bool,
    reads_cost_files: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    book_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_count: Option<u64>,
    creation_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files_removed_time: Option<i64>,
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Runs {
    runs: Vec<Run>,
}

pub(super) async fn list_runs(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfPeriod = call.read()?;
    let period = input.billing_period.as_deref().map(crate::call::period).transpose()?;
    let runs = call.desk.runs(&call.caller.payer, period).await?;
    json(&Runs { runs: runs.into_iter().map(|(run, is_current)| shown(&run, is_current)).collect() })
}

fn shown(run: &RunRow, is_current: bool) -> Run {
    let done = run.done();
    let mut shown = Run {
        run_id: run.asked.id.clone(),
        billing_period: run.asked.period.to_string(),
        status: "QUEUED",
        is_current,
        reads_cost_files: run.asked.reads.is_some(),
        snapshot: done.map(|done| done.snapshot.clone()),
        book_hash: done.map(|done| done.book_hash.clone()),
        line_count: done.map(|done| done.line_count),
        creation_time: run.asked.created_at_ms / 1_000,
        start_time: None,
        end_time: None,
        files_removed_time: run.files_removed_at_ms.map(|at_ms| at_ms / 1_000),
        warnings: done.map(|done| done.warnings.clone()).unwrap_or_default(),
        error: None,
    };
    match &run.state {
        RunState::Queued => {}
        RunState::Running { started_at_ms, .. } => {
            shown.status = "RUNNING";
            shown.start_time = Some(started_at_ms / 1_000);
        }
        RunState::Ended { started_at_ms, finished_at_ms, outcome } => {
            shown.start_time = Some(started_at_ms / 1_000);
            shown.end_time = Some(finished_at_ms / 1_000);
            shown.status = match outcome {
                Outcome::Done(_) => "DONE",
                Outcome::Unchanged => "UNCHANGED",
                Outcome::Failed { error, .. } => {
                    shown.error = Some(error.clone());
                    "FAILED"
                }
            };
        }
    }
    shown
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Adjustment {
    billing_group_arn: String,
    posted_in: String,
    currency: String,
    amount: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Period {
    billing_period: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest_hash: Option<String>,
    adjustments: Vec<Adjustment>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Periods {
    periods: Vec<Period>,
}

pub(super) async fn list(call: &Call<'_>) -> Answer<Vec<u8>> {
    let payer = &call.caller.payer;
    let views = call.desk.periods(payer).await?;
    let period = |view: back_office::periods::PeriodView| Period {
        billing_period: view.period.to_string(),
        run_id: view.run,
        closed_time: view.closed.as_ref().map(|(at, _)| at / 1_000),
        closed_by: view.closed.map(|(_, by)| by),
        manifest_hash: view.manifest_hash,
        adjustments: view
            .adjustments
            .into_iter()
            .map(|row| Adjustment {
                billing_group_arn: arn(payer.as_str(), ResourceType::BillingGroup, &row.billing_group),
                posted_in: row.posted_in.to_string(),
                currency: row.currency.to_string(),
                amount: row.amount.to_string(),
            })
            .collect(),
    };
    json(&Periods { periods: views.into_iter().map(period).collect() })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ToClose {
    billing_period: String,
    despite_failed_runs: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Closed {
    billing_period: String,
    run_id: String,
    manifest_hash: String,
    closed_time: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

pub(super) async fn close(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: ToClose = call.read()?;
    let period = crate::call::period(&input.billing_period)?;
    let despite_failed_runs = input.despite_failed_runs.unwrap_or_default();
    let row = call.desk.close(&call.write(&input.billing_period), period, despite_failed_runs).await?;
    json(&Closed {
        billing_period: period.to_string(),
        run_id: row.run,
        manifest_hash: row.manifest_hash,
        closed_time: row.closed_at_ms / 1_000,
        warnings: call.desk.adjustments_on_no_bill(&call.caller.payer, period).await?,
    })
}
