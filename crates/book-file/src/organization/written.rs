//! A draft as JSON that is read again.

use billing::instant::instant_text;
use billing::organization::{AccountDraft, InboundTransfer, OrganizationDraft, UnitDraft};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// An organization as a JSON object: what [`read`](super::read) makes the same draft of.
#[must_use]
pub fn write(draft: &OrganizationDraft) -> String {
    let mut organization = Map::new();
    put(&mut organization, "id", draft.id.clone());
    put(
        &mut organization,
        "management_account_id",
        draft.management_account.as_ref().map(ToString::to_string),
    );
    put(&mut organization, "management_account_email", draft.management_email.clone());
    put(&mut organization, "feature_set", draft.features.map(|of| of.name().to_owned()));
    let units = draft.units.iter().map(|(id, UnitDraft { name, parent, tags })| {
        let mut unit = Map::new();
        put(&mut unit, "id", Some(id.to_string()));
        put(&mut unit, "name", Some(name.clone()));
        put(&mut unit, "parent_id", parent.as_ref().map(ToString::to_string));
        put_tags(&mut unit, tags);
        Value::Object(unit)
    });
    let accounts = draft.accounts.iter().map(|(id, AccountDraft { name, email, details })| {
        let mut account = Map::new();
        put(&mut account, "account_id", Some(id.to_string()));
        put(&mut account, "account_name", name.clone());
        put(&mut account, "email", email.clone());
        put(&mut account, "organizational_unit_id", Some(details.unit.to_string()));
        put(&mut account, "status", Some(details.state.name().to_owned()));
        put(&mut account, "joined_timestamp", details.joined_at.map(instant_text));
        put(&mut account, "joined_method", details.joined_method.map(|of| of.name().to_owned()));
        put(&mut account, "left_timestamp", details.left_at.map(instant_text));
        put_tags(&mut account, &details.tags);
        Value::Object(account)
    });
    let mut whole = Map::from_iter([
        ("organization".to_owned(), Value::Object(organization)),
        ("organizational_units".to_owned(), units.collect()),
        ("accounts".to_owned(), accounts.collect()),
    ]);
    if let Some(transfers) = &draft.transfers {
        whole.insert("responsibility_transfers".to_owned(), transfers.iter().map(transfer).collect());
    }
    let mut text = serde_json::to_string_pretty(&Value::Object(whole)).unwrap_or_default();
    text.push('\n');
    text
}

fn transfer(of: &InboundTransfer) -> Value {
    let InboundTransfer { arn, source, status, start, end } = of;
    json!({
        "arn": arn,
        "source_account_id": source.to_string(),
        "status": status.name(),
        "start": start.to_string(),
        "end": end.map(|end| end.to_string()),
    })
}

fn put(object: &mut Map<String, Value>, name: &str, text: Option<String>) {
    if let Some(text) = text {
        object.insert(name.to_owned(), Value::String(text));
    }
}

fn put_tags(object: &mut Map<String, Value>, tags: &BTreeMap<String, String>) {
    if !tags.is_empty() {
        object.insert("tags".to_owned(), json!(tags));
    }
}
