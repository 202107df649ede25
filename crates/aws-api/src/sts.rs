//! `sts`: the one operation that people type first, to see that their key works.

use crate::call::{Call, json};
use aws_wire::query::caller_identity;
use back_office::authorization::Caller;
use back_office::error::{Answer, Error};
use serde::Serialize;

/// The version of the service that clients name.
pub(crate) const VERSION: &str = "2011-06-15";

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
    json(&CallerIdentity { user_id: &caller.access_key_id, account: caller.payer.as_str(), arn: arn(caller) })
}

/// The answer as the query protocol writes it.
pub(crate) fn xml(caller: &Caller, request_id: &str) -> http::Response<Vec<u8>> {
    caller_identity(&arn(caller), &caller.access_key_id, caller.payer.as_str(), request_id)
}

fn arn(caller: &Caller) -> String {
    format!("arn:aws:iam::{}:user/{}", caller.payer, caller.principal)
}
