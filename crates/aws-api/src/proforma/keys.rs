//! Access keys, and the audit.

use crate::call::{Call, json};
use back_office::audit::AuditRow;
use back_office::authorization::Role;
use back_office::error::{Answer, Error};
use back_office::principals::{ListedKey, NewPrincipal};
use billing::account::AccountId;
use serde::{Deserialize, Serialize};

const AUDIT_PAGE: usize = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateKey {
    principal_name: String,
    role: String,
    #[serde(default)]
    billing_groups: Vec<String>,
    #[serde(default)]
    accounts: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Key {
    principal_name: String,
    role: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    billing_groups: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accounts: Vec<String>,
    access_key_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_access_key: Option<String>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    creation_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_time: Option<i64>,
}

pub(super) async fn create(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: CreateKey = call.read()?;
    let role = Role::parse(&input.role).ok_or_else(|| Error::internal(input.role.clone()))?;
    let account = |text: &String| AccountId::parse(text).ok_or_else(|| Error::internal(text.clone()));
    let new = NewPrincipal {
        name: input.principal_name.clone(),
        role,
        billing_groups: input.billing_groups.clone(),
        accounts: input.accounts.iter().map(account).collect::<Answer<_>>()?,
    };
    let key = call.desk.create_key(&call.write(""), &new).await?;
    json(&Key {
        principal_name: input.principal_name,
        role: input.role,
        billing_groups: input.billing_groups,
        accounts: input.accounts,
        access_key_id: key.access_key_id,
        secret_access_key: Some(key.secret.to_string()),
        status: "Active",
        creation_time: None,
        last_used_time: None,
    })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Keys {
    keys: Vec<Key>,
}

pub(super) async fn list(call: &Call<'_>) -> Answer<Vec<u8>> {
    let key = |listed: ListedKey| Key {
        principal_name: listed.principal,
        role: listed.role,
        billing_groups: listed.billing_groups,
        accounts: listed.accounts,
        access_key_id: listed.access_key_id,
        secret_access_key: None,
        status: if listed.is_active { "Active" } else { "Inactive" },
        creation_time: Some(listed.created_at_ms / 1_000),
        last_used_time: listed.last_used_at_ms.map(|at| at / 1_000),
    };
    let keys = call.desk.keys(&call.caller.payer).await?.into_iter().map(key).collect();
    json(&Keys { keys })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OneKey {
    access_key_id: String,
    status: Option<String>,
}

#[derive(Serialize)]
struct Empty {}

pub(super) async fn update(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OneKey = call.read()?;
    let active = input.status.as_deref() == Some("Active");
    call.desk.set_key_standing(&call.write(&input.access_key_id), &input.access_key_id, active).await?;
    json(&Empty {})
}

pub(super) async fn delete(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OneKey = call.read()?;
    call.desk.delete_key(&call.write(&input.access_key_id), &input.access_key_id).await?;
    json(&Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AuditIn {
    max_results: Option<u32>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AuditEvent {
    sequence: u64,
    time: i64,
    principal: String,
    action: String,
    resource: String,
    decision: String,
    request_id: String,
    detail: String,
    hash: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AuditEvents {
    audit_events: Vec<AuditEvent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// An entry of the audit as it is answered.
pub(super) fn audit_event(row: AuditRow) -> AuditEvent {
    AuditEvent {
        sequence: row.sequence,
        time: row.at_ms / 1_000,
        principal: row.principal,
        action: row.action,
        resource: row.resource,
        decision: row.decision,
        request_id: row.request_id,
        detail: row.detail,
        hash: row.hash,
    }
}

pub(super) async fn list_audit_events(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: AuditIn = call.read()?;
    let page = call.page(input.max_results, input.next_token.as_deref(), AUDIT_PAGE)?;
    let rows = call.desk.audit_page(&call.caller.payer, page.after_number(), page.max + 1).await?;
    let events = rows.into_iter().map(|row| (row.sequence.to_string(), audit_event(row)));
    let (audit_events, next_token) = call.cut(&page, events)?;
    json(&AuditEvents { audit_events, next_token })
}
