//! The operator's invoices. A customer gets its own issued documents, in the same shape: a document holds nothing that its receiver may not see.

use crate::call::{Call, json, period};
use back_office::error::Answer;
use back_office::invoices::{
    AdjustmentOption, DraftOptions, DraftState, InvoiceDraftRow, InvoiceQuery, InvoiceView, NewCredit,
    NewDraft, NewPayment, NewSettings,
};
use billing::invoice::state::Standing;
use serde::{Deserialize, Serialize};

/// How many documents a page has at most.
const PAGE_MAX: usize = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutSettings {
    billing_group: Option<String>,
    from_billing_period: Option<String>,
    settings: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SettingsPut {
    from_billing_period: String,
}

pub(super) async fn put_settings(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: PutSettings = call.read()?;
    let new = NewSettings {
        billing_group: input.billing_group,
        from: input.from_billing_period.as_deref().map(period).transpose()?,
        settings: input.settings,
    };
    let from = call.desk.put_invoice_settings(&call.write(""), &new).await?;
    json(&SettingsPut { from_billing_period: from.to_string() })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetSettings {
    billing_group: Option<String>,
    billing_period: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SettingsVersion {
    billing_group: String,
    from_billing_period: String,
    version: u64,
    recorded_time: i64,
    recorded_by: String,
    settings: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Settings {
    settings: String,
    versions: Vec<SettingsVersion>,
}

pub(super) async fn get_settings(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: GetSettings = call.read()?;
    let month = input.billing_period.as_deref().map(period).transpose()?.unwrap_or_else(|| call.current());
    let found = call.desk.invoice_settings(&call.caller.payer, input.billing_group.as_deref(), month).await?;
    let version = |row: back_office::invoices::InvoiceSettingsRow| SettingsVersion {
        billing_group: row.billing_group,
        from_billing_period: row.from.to_string(),
        version: row.version,
        recorded_time: row.recorded_at_s,
        recorded_by: row.recorded_by,
        settings: row.body,
    };
    json(&Settings { settings: found.settings, versions: found.history.into_iter().map(version).collect() })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ImportRates {
    rates: String,
    correct: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RatesImported {
    new_count: u64,
    known_count: u64,
    /// Where corrections were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    corrected_count: Option<u64>,
}

pub(super) async fn import_rates(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: ImportRates = call.read()?;
    let corrects = input.correct.unwrap_or(false);
    let done = call.desk.import_exchange_rates(&call.write(""), &input.rates, corrects).await?;
    json(&RatesImported {
        new_count: done.new_count,
        known_count: done.known_count,
        corrected_count: corrects.then_some(done.corrected_count),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Adjustment {
    kind: String,
    amount: String,
    reason: String,
    product: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Draft {
    billing_group: String,
    billing_period: String,
    purchase_order_number: Option<String>,
    purchase_order_line: Option<String>,
    notes: Option<Vec<String>>,
    adjustments: Option<Vec<Adjustment>>,
    prepaid_amount: Option<String>,
    currency: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Drafted {
    draft_ids: Vec<String>,
}

pub(super) async fn draft(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Draft = call.read()?;
    let adjustment = |of: Adjustment| AdjustmentOption {
        kind: of.kind,
        amount: of.amount,
        reason: of.reason,
        product: of.product.unwrap_or_default(),
    };
    let options = DraftOptions {
        purchase_order: input.purchase_order_number,
        purchase_order_line: input.purchase_order_line,
        notes: input.notes.unwrap_or_default(),
        adjustments: input.adjustments.unwrap_or_default().into_iter().map(adjustment).collect(),
        prepaid: input.prepaid_amount,
    };
    let new = NewDraft {
        billing_group: input.billing_group,
        period: period(&input.billing_period)?,
        currency: input.currency,
        options,
    };
    json(&Drafted { draft_ids: call.desk.draft_invoice(&call.write(""), &new).await? })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfDraft {
    draft_id: String,
    issue_date: Option<String>,
}

#[derive(Serialize)]
struct Empty {}

pub(super) async fn discard(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfDraft = call.read()?;
    call.desk.discard_invoice_draft(&call.write(&input.draft_id), &input.draft_id).await?;
    json(&Empty {})
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DraftShown {
    draft_id: String,
    billing_group: String,
    billing_period: String,
    currency: String,
    run_id: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice_number: Option<String>,
    creation_time: i64,
    created_by: String,
}

impl DraftShown {
    fn of(row: InvoiceDraftRow) -> Self {
        let (status, invoice_number) = match row.state {
            DraftState::Open => ("OPEN", None),
            DraftState::Issued(number) => ("ISSUED", Some(number)),
            DraftState::Discarded => ("DISCARDED", None),
        };
        Self {
            draft_id: row.id,
            billing_group: row.billing_group,
            billing_period: row.period.to_string(),
            currency: row.currency,
            run_id: row.run,
            status,
            invoice_number,
            creation_time: row.created_at_s,
            created_by: row.created_by,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Drafts {
    drafts: Vec<DraftShown>,
}

pub(super) async fn list_drafts(call: &Call<'_>) -> Answer<Vec<u8>> {
    let rows = call.desk.invoice_drafts(&call.caller.payer).await?;
    json(&Drafts { drafts: rows.into_iter().map(DraftShown::of).collect() })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Warning {
    code: &'static str,
    message: String,
    stops: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Preview {
    draft_id: String,
    issue_date: String,
    currency: String,
    total_amount: String,
    tax_amount: String,
    due_amount: String,
    residue: String,
    warnings: Vec<Warning>,
    document: String,
}

pub(super) async fn preview(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfDraft = call.read()?;
    let issued = input.issue_date.as_deref();
    let found = call.desk.preview_invoice(&call.write(&input.draft_id), &input.draft_id, issued).await?;
    let document = &found.composed.document;
    let warning = |of: &billing::invoice::preview::Warning| Warning {
        code: of.code(),
        message: of.to_string(),
        stops: of.stops(),
    };
    json(&Preview {
        draft_id: found.draft.id,
        issue_date: document.issued.to_string(),
        currency: document.currency.to_string(),
        total_amount: document.totals.gross.to_string(),
        tax_amount: document.totals.tax.to_string(),
        due_amount: document.totals.due.to_string(),
        residue: found.composed.residue.to_string(),
        warnings: found.warnings.iter().map(warning).collect(),
        document: back_office::invoices::document_text(document),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Numbered {
    invoice_number: String,
}

pub(super) async fn issue(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfDraft = call.read()?;
    let issued = input.issue_date.as_deref();
    let invoice_number = call.desk.issue_invoice(&call.write(""), &input.draft_id, issued).await?;
    json(&Numbered { invoice_number })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreditLine {
    line: String,
    amount: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Credit {
    invoice_number: String,
    lines: Option<Vec<CreditLine>>,
    reason: Option<String>,
    issue_date: Option<String>,
}

pub(super) async fn credit(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Credit = call.read()?;
    let lines = |lines: Vec<CreditLine>| lines.into_iter().map(|of| (of.line, of.amount)).collect();
    let new = NewCredit {
        invoice: input.invoice_number,
        lines: input.lines.map(lines),
        reason: input.reason,
        issued: input.issue_date,
    };
    json(&Numbered { invoice_number: call.desk.credit_invoice(&call.write(""), &new).await? })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Payment {
    invoice_number: String,
    date: Option<String>,
    amount: String,
    reference: Option<String>,
}

pub(super) async fn record_payment(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Payment = call.read()?;
    let Payment { invoice_number: invoice, date, amount, reference } = input;
    let new = NewPayment { invoice, date, amount, reference };
    let view = call.desk.record_payment(&call.write(""), &new).await?;
    json(&Shown::of(&view))
}

/// A document as lists show it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    invoice_number: String,
    kind: &'static str,
    status: &'static str,
    billing_group: String,
    billing_period: String,
    issue_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_date: Option<String>,
    currency: String,
    net_amount: String,
    tax_amount: String,
    total_amount: String,
    due_amount: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    open_amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overpaid_amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purchase_order_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_invoice_number: Option<String>,
}

impl Shown {
    fn of(view: &InvoiceView) -> Self {
        let (document, totals) = (&view.document, &view.document.totals);
        let overpaid = match view.standing {
            Some(Standing::Paid { overpaid, .. }) if overpaid.units() != 0 => Some(overpaid.to_string()),
            Some(Standing::Cancelled { paid, .. }) if paid.units() != 0 => Some(paid.to_string()),
            _ => None,
        };
        Self {
            invoice_number: document.number.clone(),
            kind: if view.standing.is_some() { "INVOICE" } else { "CREDIT_NOTE" },
            status: view.status(),
            billing_group: view.row.billing_group.clone(),
            billing_period: view.row.period.to_string(),
            issue_date: document.issued.to_string(),
            due_date: document.due.map(|date| date.to_string()),
            currency: document.currency.to_string(),
            net_amount: totals.net.to_string(),
            tax_amount: totals.tax.to_string(),
            total_amount: totals.gross.to_string(),
            due_amount: totals.due.to_string(),
            open_amount: view.open().map(|open| open.to_string()),
            overpaid_amount: overpaid,
            purchase_order_number: document.purchase_order.clone(),
            original_invoice_number: view.row.original.clone(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    billing_group: Option<String>,
    billing_period: Option<String>,
    status: Option<String>,
    max_results: Option<u32>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    invoices: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn list(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: List = call.read()?;
    let page = call.page(input.max_results, input.next_token.as_deref(), PAGE_MAX)?;
    let query = InvoiceQuery {
        billing_group: input.billing_group,
        period: input.billing_period.as_deref().map(period).transpose()?,
        status: input.status,
    };
    // One more tells whether there is a next page.
    let views = call.desk.invoices(call.caller, &query, page.after_number(), page.max + 1).await?;
    let entries = views.iter().map(|view| (crate::call::Position(view.row.place), Shown::of(view)));
    let (invoices, next_token) = call.cut(&page, entries)?;
    json(&Listed { invoices, next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OneInvoice {
    invoice_number: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PaymentShown {
    date: String,
    amount: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Got {
    invoice: Shown,
    payments: Vec<PaymentShown>,
    credit_note_numbers: Vec<String>,
    document: String,
    sha256: String,
}

pub(super) async fn get(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OneInvoice = call.read()?;
    let view = call.desk.invoice(call.caller, &input.invoice_number).await?;
    let invoice = Shown::of(&view);
    let payment = |row: back_office::invoices::InvoicePaymentRow| PaymentShown {
        date: row.paid_on,
        amount: row.amount,
        reference: row.reference,
    };
    json(&Got {
        invoice,
        payments: view.payments.into_iter().map(payment).collect(),
        credit_note_numbers: view.credit_notes,
        document: view.row.document,
        sha256: view.row.sha256,
    })
}
