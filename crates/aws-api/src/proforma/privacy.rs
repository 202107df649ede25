//! Personal data: what is kept of somebody, taking it out, and how long what is kept.

use super::keys::audit_event;
use crate::call::{Call, json};
use back_office::error::Answer;
use back_office::privacy::Retention;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Person {
    names: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Principal {
    principal_name: String,
    role: String,
    status: &'static str,
    creation_time: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Text {
    table: &'static str,
    column: &'static str,
    key: Vec<String>,
    purpose: &'static str,
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PersonalData {
    principals: Vec<Principal>,
    texts: Vec<Text>,
    audit_events: Vec<super::keys::AuditEvent>,
}

pub(super) async fn export(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Person = call.read()?;
    let found = call.desk.personal_data(&call.caller.payer, &input.names).await?;
    let principals = found.principals.into_iter().map(|row| Principal {
        principal_name: row.name,
        role: row.role,
        status: if row.standing == back_office::principals::Standing::Active { "Active" } else { "Inactive" },
        creation_time: row.created_at_ms / 1_000,
    });
    let texts = found.rows.into_iter().map(|row| Text {
        table: row.field.table,
        column: row.field.column,
        key: row.key,
        purpose: row.field.what,
        text: row.text,
    });
    json(&PersonalData {
        principals: principals.collect(),
        texts: texts.collect(),
        audit_events: found.entries.into_iter().map(audit_event).collect(),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Erased {
    replacement: String,
    texts: u64,
    audit_events: u64,
    principals: u64,
    filters: u64,
}

pub(super) async fn erase(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Person = call.read()?;
    let erased = call.desk.erase_person(&call.write(""), &input.names).await?;
    json(&Erased {
        replacement: erased.instead,
        texts: erased.texts,
        audit_events: erased.entries as u64,
        principals: erased.principals as u64,
        filters: erased.filters,
    })
}

/// Days; 0 is for good.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Days {
    message_days: Option<u32>,
    audit_days: Option<u32>,
    revision_days: Option<u32>,
}

fn days(retention: Retention) -> Days {
    let shown = |days: Option<u32>| Some(days.unwrap_or_default());
    Days {
        message_days: shown(retention.messages),
        audit_days: shown(retention.audit),
        revision_days: shown(retention.revisions),
    }
}

pub(super) async fn retention(call: &Call<'_>) -> Answer<Vec<u8>> {
    json(&days(call.desk.retention(&call.caller.payer).await?))
}

pub(super) async fn change_retention(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Days = call.read()?;
    let said =
        |said: Option<u32>, before: Option<u32>| said.map_or(before, |days| (days > 0).then_some(days));
    let request = call.write("");
    let changed = call.desk.change_retention(&request, |before| Retention {
        messages: said(input.message_days, before.messages),
        audit: said(input.audit_days, before.audit),
        revisions: said(input.revision_days, before.revisions),
    });
    json(&days(changed.await?))
}
