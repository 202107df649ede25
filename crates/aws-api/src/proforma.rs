//! `proforma`: the desk's own operations, in AWS's JSON 1.0, so that any SDK can call them and the command line needs no other door.

mod aws_invoices;
mod books;
mod cost_data;
mod keys;
mod periods;

use crate::call::Call;
use back_office::error::{Answer, Error};

/// The name of the service in signatures.
pub const SERVICE: &str = "proforma";

/// Performs an operation.
pub(crate) async fn perform(call: &Call<'_>, operation: &str) -> Answer<Vec<u8>> {
    match operation {
        "CreateKey" => keys::create(call).await,
        "ListKeys" => keys::list(call).await,
        "UpdateKey" => keys::update(call).await,
        "DeleteKey" => keys::delete(call).await,
        "ListAuditEvents" => keys::list_audit_events(call).await,
        "DeclareAccounts" => cost_data::declare_accounts(call).await,
        "ImportCostData" => cost_data::import(call).await,
        "ListSources" => cost_data::list_sources(call).await,
        "RemoveSource" => cost_data::remove_source(call).await,
        "ListRuns" => periods::list_runs(call).await,
        "ListPeriods" => periods::list(call).await,
        "ClosePeriod" => periods::close(call).await,
        "ExportBook" => books::export(call).await,
        "PlanBook" => books::plan(call).await,
        "ApplyBook" => books::apply(call).await,
        "PutInvoiceProfile" => aws_invoices::put_profile(call).await,
        "ListInvoiceProfiles" => aws_invoices::list_profiles(call).await,
        "ImportInvoiceSummaries" => aws_invoices::import_summaries(call).await,
        "AttachInvoiceDocument" => aws_invoices::attach_document(call).await,
        "ReconcileInvoices" => aws_invoices::reconcile(call).await,
        "GetProcurementPortalCode" => aws_invoices::portal_code(call).await,
        other => Err(Error::internal(format!("{other} is in the model and not served"))),
    }
}
