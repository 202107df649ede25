//! What was delivered of exports.

use super::definitions::shown;
use super::{KIND, PAGE, arn, id, written};
use crate::call::{Call, json};
use back_office::error::{Answer, Declined};
use back_office::exports::ExecutionRow;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListExecutions {
    export_arn: String,
    max_results: Option<u32>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    status_code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_reason: Option<String>,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<String>,
    last_updated_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Reference {
    execution_id: String,
    execution_status: Status,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Executions {
    executions: Vec<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn status(row: &ExecutionRow) -> Status {
    Status {
        status_code: row.status.clone(),
        status_reason: row.reason.clone(),
        created_at: written(row.created_at_ms),
        completed_at: row.ended_at_ms.map(written),
        last_updated_at: written(row.updated_at_ms),
    }
}

/// `ListExecutions`, the newest first.
pub(super) async fn list(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: ListExecutions = call.read()?;
    let page = call.page(input.max_results, input.next_token.as_deref(), PAGE)?;
    let payer = &call.caller.payer;
    let id = id(call, &input.export_arn);
    call.desk.export(payer, KIND, id).await?;
    let rows = call.desk.executions(payer, id).await?;
    let position = |row: &ExecutionRow| format!("{:020}:{}", row.created_at_ms, row.id);
    let rows = rows.into_iter().filter(|row| page.after.is_empty() || position(row) < page.after);
    let entries = rows.map(|row| {
        let execution_status = status(&row);
        (position(&row), Reference { execution_id: row.id, execution_status })
    });
    let (executions, next_token) = call.cut(&page, entries)?;
    json(&Executions { executions, next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetExecution {
    export_arn: String,
    execution_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Execution {
    execution_id: String,
    export: Value,
    execution_status: Status,
}

/// `GetExecution`, with the export as it was then.
pub(super) async fn get(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: GetExecution = call.read()?;
    let payer = &call.caller.payer;
    let id = id(call, &input.export_arn);
    call.desk.export(payer, KIND, id).await?;
    let rows = call.desk.executions(payer, id).await?;
    let row = rows.into_iter().find(|row| row.id == input.execution_id);
    let row = row.ok_or(Declined::NotFound { kind: "execution", id: input.execution_id })?;
    let execution_status = status(&row);
    json(&Execution { export: shown(&arn(payer, id), &row.body)?, execution_id: row.id, execution_status })
}
