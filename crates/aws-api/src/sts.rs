//! `sts`: the one operation that people type first, to see that their key works.

use crate::call::{Call, json};
use back_office::error::{Answer, Error};
use serde::Serialize;

/// The output of `GetCallerIdentity`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CallerIdentity<'a> {
    user_id: &'a str,
    account: &'a str,
    arn: String,
}

/// Performs the operation.
pub(crate) fn perform(call: &Call<'_>, operation: &str) -> Answer<Vec<u8>> {
    if operation != "GetCallerIdentity" {
        return Err(Error::internal(operation.to_owned()));
    }
    let caller = call.caller;
    let payer = caller.payer.as_str();
    json(&CallerIdentity {
        user_id: &caller.access_key_id,
        account: payer,
        arn: format!("arn:aws:iam::{payer}:user/{}", caller.principal),
    })
}
