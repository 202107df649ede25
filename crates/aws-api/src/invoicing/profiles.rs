//! Invoice profiles, as the operator has put them in.

use super::kept;
use crate::call::{Call, json};
use aws_wire::json::Value;
use back_office::error::Answer;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchGet {
    account_ids: BTreeSet<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Profiles {
    profiles: Vec<Value>,
}

/// `BatchGetInvoiceProfile`. An account without a profile is left out.
pub(super) async fn batch_get(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: BatchGet = call.read()?;
    json(&Profiles { profiles: listed(call, Some(&input.account_ids)).await? })
}

/// The profiles of accounts, or of all, by account.
pub(crate) async fn listed(call: &Call<'_>, accounts: Option<&BTreeSet<String>>) -> Answer<Vec<Value>> {
    let profiles = call.desk.invoice_profiles(&call.caller.payer).await?;
    let wanted = profiles.iter().filter(|(account, _)| accounts.is_none_or(|of| of.contains(account)));
    wanted.map(|(_, body)| kept(body)).collect()
}
