//! `proforma`: the desk's own operations, in AWS's JSON 1.0, so that any SDK can call them and the command line needs no other door.

mod books;
mod cost_data;
mod invoices;
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
        "PutInvoiceSettings" => invoices::put_settings(call).await,
        "GetInvoiceSettings" => invoices::get_settings(call).await,
        "ImportExchangeRates" => invoices::import_rates(call).await,
        "DraftInvoice" => invoices::draft(call).await,
        "ListInvoiceDrafts" => invoices::list_drafts(call).await,
        "PreviewInvoice" => invoices::preview(call).await,
        "DiscardInvoiceDraft" => invoices::discard(call).await,
        "IssueInvoice" => invoices::issue(call).await,
        "CreditInvoice" => invoices::credit(call).await,
        "RecordPayment" => invoices::record_payment(call).await,
        "ListInvoices" => invoices::list(call).await,
        "GetInvoice" => invoices::get(call).await,
        other => Err(Error::internal(format!("{other} is in the model and not served"))),
    }
}
