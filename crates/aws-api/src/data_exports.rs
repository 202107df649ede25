//! `bcm-data-exports`: AWS's operations of data exports, one function each.
//!
//! Source: the service model of AWS Billing and Cost Management Data Exports, version 2023-11-26; docs/data-exports.md.

mod definitions;
mod executions;
mod tables;

use crate::call::{Call, field};
use back_office::error::{Answer, Error};
use back_office::exports::ExportKind;
use billing::account::AccountId;
use billing::arn::Arn;
use billing::instant::instant_text;

/// The name of the service in signatures.
pub const SERVICE: &str = "bcm-data-exports";

const KIND: ExportKind = ExportKind::Export;
/// How many entries a page holds at most.
const PAGE: usize = 300;

/// Performs an operation.
pub(crate) async fn perform(call: &Call<'_>, operation: &str) -> Answer<Vec<u8>> {
    match operation {
        "CreateExport" => definitions::create(call).await,
        "GetExport" => definitions::get(call).await,
        "ListExports" => definitions::list(call).await,
        "UpdateExport" => definitions::update(call).await,
        "DeleteExport" => definitions::delete(call).await,
        "ListTagsForResource" => definitions::list_tags(call).await,
        "TagResource" => definitions::tag(call).await,
        "UntagResource" => definitions::untag(call).await,
        "GetExecution" => executions::get(call).await,
        "ListExecutions" => executions::list(call).await,
        "GetTable" => tables::get(call),
        "ListTables" => tables::list(call),
        other => Err(Error::internal(format!("{other} is in the model and not served"))),
    }
}

/// The ARN of an export: in the region that AWS has the service in.
fn arn(payer: &AccountId, id: &str) -> String {
    format!("arn:aws:bcm-data-exports:us-east-1:{payer}:export/{id}")
}

/// The id in the ARN of an export of the caller's payer; of another's, what nobody has.
fn id<'a>(call: &Call<'_>, arn: &'a str) -> &'a str {
    let of = || {
        // Whichever region it is in.
        let arn = Arn::parse(arn)?;
        let is_of_payer = arn.service == "bcm-data-exports" && arn.account == call.caller.payer.as_str();
        arn.resource.strip_prefix("export/").filter(|_| is_of_payer)
    };
    of().unwrap_or(arn)
}

/// An instant as this service writes it.
fn written(milliseconds: i64) -> String {
    instant_text(milliseconds.div_euclid(1_000))
}

/// A member that is at fault.
fn invalid(name: &str, message: &str) -> Error {
    field(name, message)
}
