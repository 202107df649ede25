//! `invoicing`: the operations of AWS Invoicing, one function each, a file per noun.
//!
//! Source: the service model of AWS Invoicing, version 2024-12-01. What is kept and what is not done is in docs/invoicing.md: procurement portals are
//! kept, and nothing is exchanged with them.

pub(crate) mod errors;
mod links;
mod portal_shapes;
mod portals;
pub(crate) mod private;
mod profiles;
mod reconstructed;
mod summaries;
mod summary_file;
mod tags;
mod units;

use crate::call::{Call, Page};
use aws_wire::json::{self, Limits, Number, Value};
use back_office::error::{Answer, Error};
use back_office::invoicing::{InvoicingReason, InvoicingRefusal};
use serde::Serialize;

pub use links::{LINK_PATH, LinkedFile, opened};
pub(crate) use profiles::listed as listed_profiles;
pub(crate) use summaries::{all as all_summaries, list_of};
pub(crate) use summary_file::read as read_summaries;

/// The name of the service in signatures.
pub const SERVICE: &str = "invoicing";

/// Performs an operation.
pub(crate) async fn perform(call: &Call<'_>, operation: &str) -> Answer<Vec<u8>> {
    match operation {
        "BatchGetInvoiceProfile" => profiles::batch_get(call).await,
        "CreateInvoiceUnit" => units::create(call).await,
        "GetInvoiceUnit" => units::get(call).await,
        "UpdateInvoiceUnit" => units::update(call).await,
        "DeleteInvoiceUnit" => units::delete(call).await,
        "ListInvoiceUnits" => units::list(call).await,
        "ListTagsForResource" => tags::list(call).await,
        "TagResource" => tags::put(call).await,
        "UntagResource" => tags::remove(call).await,
        "CreateProcurementPortalPreference" => portals::create(call).await,
        "GetProcurementPortalPreference" => portals::get(call).await,
        "PutProcurementPortalPreference" => portals::put(call).await,
        "UpdateProcurementPortalPreferenceStatus" => portals::update_status(call).await,
        "DeleteProcurementPortalPreference" => portals::delete(call).await,
        "ListProcurementPortalPreferences" => portals::list(call).await,
        "SendProcurementPortalValidation" => portals::send_validation(call).await,
        "VerifyProcurementPortalValidation" => portals::verify_validation(call).await,
        "ListProcurementPortals" => portals::list_portals(call),
        "ListProcurementPortalSuppliers" => portals::list_suppliers(call),
        "ListInvoiceSummaries" => summaries::list(call).await,
        "GetInvoicePDF" => links::get_pdf(call).await,
        other => Err(Error::internal(format!("{other} is in the model and not served"))),
    }
}

/// The page that a request asks for, in the words of this service.
fn page(call: &Call<'_>, max_results: Option<u32>, token: Option<&str>, most: usize) -> Answer<Page> {
    call.page(max_results, token, most).map_err(|error| match error {
        Error::Refused(refusal) => {
            let reason = InvoicingReason::InvalidNextToken;
            InvoicingRefusal::of(reason, "NextToken", refusal.to_string()).into()
        }
        other => other,
    })
}

/// A member that is at fault.
fn field(name: &str, message: impl Into<String>) -> Error {
    InvoicingRefusal::field(name, message).into()
}

/// JSON that was kept.
fn kept(text: &str) -> Answer<Value> {
    json::parse(text.as_bytes(), Limits::of_size(text.len())).map_err(Error::internal)
}

/// The whole second that an instant is in, in seconds since 1970-01-01T00:00:00Z; the first or last that there is for one that is beyond.
pub(crate) fn second(instant: &Number) -> i64 {
    if let Some(whole) = instant.to_i64() {
        return whole;
    }
    let text = instant.decimal(40).unwrap_or_default();
    let is_negative = instant.as_str().starts_with('-');
    let whole = text.split('.').next().and_then(|whole| whole.parse::<i64>().ok());
    match whole {
        // The second before: -0.5 is in the one that begins at -1.
        Some(whole) if is_negative => whole.saturating_sub(1),
        Some(whole) => whole,
        None if is_negative && !text.is_empty() => i64::MIN,
        // An exponent below zero is an instant of 1970; one above is beyond all times.
        None if instant.as_str().contains("e-") || instant.as_str().contains("E-") => 0,
        None => i64::MAX,
    }
}

/// An answer that is the ARN of an invoice unit.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct UnitArn {
    invoice_unit_arn: String,
}

/// An answer that is the ARN of a portal preference.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PreferenceArn {
    procurement_portal_preference_arn: String,
}

#[derive(Serialize)]
struct Empty {}

#[cfg(test)]
mod tests {
    //! Instants as clients write them.

    use super::*;

    #[test]
    fn an_instant_is_in_a_second() {
        for (text, expected) in [
            ("1794312000", 1_794_312_000),
            ("1794312000.75", 1_794_312_000),
            ("1.794312e9", 1_794_312_000),
            ("-0.5", -1),
            ("1e-300", 0),
            ("1e300", i64::MAX),
        ] {
            assert_eq!(second(&text.parse().unwrap()), expected, "{text}");
        }
    }
}
