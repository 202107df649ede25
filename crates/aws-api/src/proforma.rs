//! `proforma`: the desk's own operations, in AWS's JSON 1.0, so that any SDK can call them and the command line needs no other door.

mod allocations;
mod aws_invoices;
mod books;
mod cost_data;
mod documents;
mod invoices;
mod keys;
mod matching_settings;
mod messages;
mod organization;
mod outlook;
mod periods;
mod privacy;
mod purchasing;
mod saved_reports;
mod schedules;
mod three_way;

use crate::call::Call;
use back_office::error::Answer;
use serde::Deserialize;

/// The name of the service in signatures.
pub const SERVICE: &str = "proforma";

/// What is asked of a billing period, or of the current one.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfPeriod {
    billing_period: Option<String>,
}

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
        "GetInvoiceDocument" => documents::get(call).await,
        "ImportPurchaseOrders" => purchasing::import_orders(call).await,
        "ImportInvoices" => purchasing::import_invoices(call).await,
        "ListInvoiceMatches" => purchasing::list_matches(call).await,
        "GetInvoiceMatch" => purchasing::explain(call).await,
        "MoveInvoice" => purchasing::move_invoice(call).await,
        "PlanRematch" => purchasing::plan_rematch(call).await,
        "ApplyRematch" => purchasing::apply_rematch(call).await,
        "ListPurchaseOrderRevisions" => purchasing::list_revisions(call).await,
        "LimitPurchaseOrders" => purchasing::limit(call).await,
        "ListPurchaseOrderLimits" => purchasing::list_limits(call).await,
        "GetPurchaseOrderForecast" => outlook::forecast(call).await,
        "GetThreeWayMatch" => three_way::three_way(call).await,
        "ApproveInvoice" => three_way::approve(call).await,
        "GetMatchingSettings" => matching_settings::get(call).await,
        "UpdateMatchingSettings" => matching_settings::update(call).await,
        "ListMessages" => messages::list(call).await,
        "RetryMessages" => messages::retry(call).await,
        "DropMessages" => messages::drop_them(call).await,
        "SendTestNotification" => messages::send_test(call).await,
        "GetNotificationSettings" => messages::settings(call).await,
        "UpdateNotificationSettings" => messages::change_settings(call).await,
        "CheckNotices" => messages::check_notices(call).await,
        "GetWebhookSecret" => messages::webhook_secret(call),
        "GetCostCategoryAllocation" => allocations::get(call).await,
        "ListInvoiceSchedules" => schedules::list(call).await,
        "UpdateInvoiceSchedule" => schedules::update(call).await,
        of if saved_reports::OPERATIONS.contains(&of) => saved_reports::perform(call, of).await,
        "ExportPersonalData" => privacy::export(call).await,
        "ErasePersonalData" => privacy::erase(call).await,
        "GetRetention" => privacy::retention(call).await,
        "UpdateRetention" => privacy::change_retention(call).await,
        "PutInvoiceProfile" => aws_invoices::put_profile(call).await,
        "ListInvoiceProfiles" => aws_invoices::list_profiles(call).await,
        "ImportInvoiceSummaries" => aws_invoices::import_summaries(call).await,
        "AttachInvoiceDocument" => aws_invoices::attach_document(call).await,
        "ReconcileInvoices" => aws_invoices::reconcile(call).await,
        "GetProcurementPortalCode" => aws_invoices::portal_code(call).await,
        other => organization::perform(call, other).await,
    }
}
