//! The shapes of answers.

use serde::Serialize;

/// A list of policies: this desk has none.
type NoPolicies = [(); 0];

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OrganizationAnswer {
    pub organization: OrganizationOut,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OrganizationOut {
    pub id: String,
    pub arn: String,
    pub feature_set: &'static str,
    pub master_account_arn: String,
    pub master_account_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub master_account_email: Option<String>,
    pub available_policy_types: NoPolicies,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Roots {
    pub roots: Vec<Root>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Root {
    pub id: String,
    pub arn: String,
    pub name: String,
    pub policy_types: NoPolicies,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Accounts {
    pub accounts: Vec<Account>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccountAnswer {
    pub account: Account,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Account {
    pub id: String,
    pub arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub status: &'static str,
    pub state: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joined_method: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joined_timestamp: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Units {
    pub organizational_units: Vec<Unit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UnitAnswer {
    pub organizational_unit: Unit,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Unit {
    pub id: String,
    pub arn: String,
    pub name: String,
    pub path: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Parents {
    pub parents: [Parent; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Parent {
    pub id: String,
    #[serde(rename = "Type")]
    pub kind: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Children {
    pub children: Vec<Child>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Child {
    pub id: String,
    #[serde(rename = "Type")]
    pub kind: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tags {
    pub tags: Vec<Tag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    pub key: String,
    pub value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Transfers {
    pub responsibility_transfers: Vec<Transfer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TransferAnswer {
    pub responsibility_transfer: Transfer,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Transfer {
    pub arn: String,
    pub name: String,
    pub id: String,
    #[serde(rename = "Type")]
    pub kind: &'static str,
    pub status: &'static str,
    pub source: Participant,
    pub target: Participant,
    pub start_timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_timestamp: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Participant {
    pub management_account_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub management_account_email: Option<String>,
}
