//! Where cost files come from, and which accounts there are.

use crate::call::{Call, json};
use back_office::error::{Answer, Error};
use back_office::sources::NewSource;
use billing::account::AccountId;
use billing::configuration::FamilyAccount;
use billing::period::BillingPeriod;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeclaredAccount {
    account_id: String,
    name: Option<String>,
    email: Option<String>,
    joined: Option<String>,
    left: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeclareAccounts {
    accounts: Vec<DeclaredAccount>,
    complete: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DeclaredAccounts {
    account_count: u64,
}

pub(super) async fn declare_accounts(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: DeclareAccounts = call.read()?;
    let mut accounts = BTreeMap::new();
    for account in input.accounts {
        let id = AccountId::parse(&account.account_id).ok_or_else(|| Error::internal(account.account_id))?;
        let month = |text: Option<String>| text.as_deref().map(crate::call::period).transpose();
        let settings = FamilyAccount {
            name: account.name,
            email: account.email,
            joined: month(account.joined)?,
            left: month(account.left)?,
            details: None,
        };
        accounts.insert(id, settings);
    }
    let complete = input.complete.unwrap_or(true);
    let account_count = accounts.len() as u64;
    let declared = call.change("", |edit| {
        edit.declare_family(accounts.clone(), complete);
        Ok(())
    });
    declared.await?;
    json(&DeclaredAccounts { account_count })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ImportCostData {
    cost_files: Vec<String>,
    price_list: Option<String>,
    billing_period: Option<String>,
    watch: Option<bool>,
    immutable: Option<bool>,
    accept_rejects: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Imported {
    source_id: String,
    billing_periods: Vec<String>,
}

pub(super) async fn import(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: ImportCostData = call.read()?;
    let new = NewSource {
        inputs: input.cost_files.into_iter().map(PathBuf::from).collect(),
        price_list: input.price_list.map(PathBuf::from),
        period: input.billing_period.as_deref().map(crate::call::period).transpose()?,
        is_watched: input.watch.unwrap_or(false),
        is_immutable: input.immutable.unwrap_or(false),
        accept_rejects: input.accept_rejects.unwrap_or(false),
    };
    let (source_id, periods) = call.desk.import(&call.write(""), new).await?;
    let billing_periods = periods.iter().map(BillingPeriod::to_string).collect();
    json(&Imported { source_id, billing_periods })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Source {
    source_id: String,
    cost_files: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price_list: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_period: Option<String>,
    watch: bool,
    immutable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_checked_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Sources {
    sources: Vec<Source>,
}

pub(super) async fn list_sources(call: &Call<'_>) -> Answer<Vec<u8>> {
    let rows = call.desk.sources(&call.caller.payer).await?;
    let source = |row: back_office::sources::SourceRow| Source {
        source_id: row.id,
        cost_files: row.inputs,
        price_list: row.price_list,
        billing_period: row.period.map(|period| period.to_string()),
        watch: row.is_watched,
        immutable: row.is_immutable,
        last_checked_time: row.checked_at_ms.map(|at| at / 1_000),
        problem: row.problem,
    };
    json(&Sources { sources: rows.into_iter().map(source).collect() })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OneSource {
    source_id: String,
}

#[derive(Serialize)]
struct Empty {}

pub(super) async fn remove_source(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OneSource = call.read()?;
    call.desk.remove_source(&call.write(&input.source_id), &input.source_id).await?;
    json(&Empty {})
}
