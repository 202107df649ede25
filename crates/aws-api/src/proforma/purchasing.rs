//! What the desk does with purchase orders and invoices beyond AWS's actions: taking both in, matching, moving, explaining.

use crate::call::{Call, json};
use crate::purchase_orders::shapes::{ImportedIn, imported_lines};
use crate::purchase_orders::{at_fault, group_arn, invoice_type};
use back_office::clock::Clock;
use back_office::error::{Answer, Error};
use back_office::purchasing::NewLimits;
use back_office::purchasing::invoice_files::{read_summaries, seller_named};
use back_office::purchasing::matching::{
    AssociationRow, Decided, How, InvoiceFilter, InvoiceRow, InvoiceSource, NewInvoice, RematchChange,
};
use back_office::purchasing::order_files::ImportedOrder;
use billing::configuration::{BillingGroupId, ResourceType, arn};
use billing::instant::parse_instant;
use billing::money::{Amount, Currency, Rate};
use billing::purchase_order::invoice::{Exchange, InvoiceKind, MatchInvoice, Origin, RequestedOrder};
use billing::purchase_order::{Buyer, LineNumber, PurchaseOrderId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How many invoices a page has at most.
pub(super) const PAGE: usize = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ImportOrders {
    purchase_orders: Vec<ImportedIn>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ImportedOrdersOut {
    added: u64,
    changed: u64,
    unchanged: u64,
    warnings: Vec<String>,
}

fn instant(name: &str, text: &str) -> Answer<i64> {
    let message = || format!("`{text}` is no instant; write it as 2026-11-03T00:00:00Z, in UTC");
    parse_instant(text).ok_or_else(|| at_fault(name, &message()))
}

pub(super) async fn import_orders(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: ImportOrders = call.read()?;
    let mut orders = Vec::with_capacity(input.purchase_orders.len());
    for (place, of) in input.purchase_orders.into_iter().enumerate() {
        let at = |name: &str| format!("PurchaseOrders[{place}].{name}");
        orders.push(ImportedOrder {
            billing_group: of.billing_group_arn,
            id: of.purchase_order_id,
            said: of.said.change(),
            tags: of.tags,
            suspended: of.suspended,
            lines: imported_lines(of.line_items, &at("LineItems"))?,
            created_at: of.created_at.as_deref().map(|text| instant(&at("CreatedAt"), text)).transpose()?,
            updated_at: instant(&at("UpdatedAt"), &of.updated_at)?,
        });
    }
    let done = call.desk.import_orders(&call.write(""), &orders).await?;
    json(&ImportedOrdersOut {
        added: done.added,
        changed: done.changed,
        unchanged: done.unchanged,
        warnings: done.warnings,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ImportInvoices {
    content: Option<String>,
    invoices: Option<Vec<InvoiceIn>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InvoiceIn {
    invoice_id: String,
    billing_group_arn: Option<String>,
    kind: String,
    bill_from: String,
    billing_period: String,
    total_amount: String,
    currency: String,
    exchange_source: Option<String>,
    exchange_target: Option<String>,
    exchange_rate: Option<String>,
    tax_registration_number: Option<String>,
    invoice_unit: Option<String>,
    issued_date: String,
    due_date: Option<String>,
    charge_id: Option<String>,
    requested_purchase_order_id: Option<String>,
    requested_line_item_number: Option<String>,
    #[serde(default)]
    other_requested_purchase_order_ids: Vec<String>,
    original_invoice_id: Option<String>,
    purchase_order_number: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ImportedInvoices {
    new: u64,
    changed: u64,
    unchanged: u64,
    matched: u64,
    warnings: Vec<String>,
}

pub(super) async fn import_invoices(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: ImportInvoices = call.read()?;
    let mut read = match &input.content {
        Some(content) => read_summaries(content)?,
        None => Default::default(),
    };
    if input.content.is_none() && input.invoices.is_none() {
        let message = "there is nothing to import: give answers of AWS as `Content`, or `Invoices`";
        return Err(at_fault("Content", message));
    }
    if input.invoices.as_ref().is_some_and(Vec::is_empty) {
        read.warnings.push("it lists no invoices: nothing was taken".to_owned());
    }
    for (place, invoice) in input.invoices.unwrap_or_default().into_iter().enumerate() {
        read.invoices.push(new_invoice(call, invoice, place).await?);
    }
    let request = call.write("");
    let taken =
        call.desk.take_invoices(&request, InvoiceSource::Imported, &read.invoices, &read.warnings).await?;
    json(&ImportedInvoices {
        new: taken.new,
        changed: taken.changed,
        unchanged: taken.unchanged,
        matched: taken.matched,
        warnings: taken.warnings,
    })
}

async fn new_invoice(call: &Call<'_>, of: InvoiceIn, place: usize) -> Answer<NewInvoice> {
    let wrong = |name: &str, message: String| at_fault(&format!("Invoices[{place}].{name}"), &message);
    let currency = |name: &str, text: &str| {
        Currency::parse(text).ok_or_else(|| wrong(name, format!("`{text}` is no currency")))
    };
    let id = |name: &str, text: &String| {
        let parsed = PurchaseOrderId::parse(text);
        parsed.ok_or_else(|| wrong(name, format!("`{text}` is no number of a purchase order")))
    };
    let line = |text: &String| {
        let message = format!("`{text}` is no number of a line");
        LineNumber::parse(text).ok_or_else(|| wrong("RequestedLineItemNumber", message))
    };
    let exchange = match (&of.exchange_source, &of.exchange_target, &of.exchange_rate) {
        (None, None, None) => None,
        (Some(source), Some(target), Some(rate)) => Some(Exchange {
            source: currency("ExchangeSource", source)?,
            target: currency("ExchangeTarget", target)?,
            rate: Rate::parse(rate).map_err(|error| wrong("ExchangeRate", format!("`{rate}`: {error}")))?,
        }),
        _ => {
            let message = "an exchange has `ExchangeSource`, `ExchangeTarget` and `ExchangeRate`";
            return Err(wrong("ExchangeRate", message.to_owned()));
        }
    };
    let others = of.other_requested_purchase_order_ids.iter();
    let others = others.map(|text| id("OtherRequestedPurchaseOrderIds", text)).collect::<Answer<Vec<_>>>()?;
    let requested = match &of.requested_purchase_order_id {
        None if !others.is_empty() => {
            let message = "`OtherRequestedPurchaseOrderIds` are beside the one that the invoice carries; name that one as `RequestedPurchaseOrderId`";
            return Err(wrong("OtherRequestedPurchaseOrderIds", message.to_owned()));
        }
        None => None,
        Some(text) => Some(RequestedOrder {
            id: id("RequestedPurchaseOrderId", text)?,
            line: of.requested_line_item_number.as_ref().map(line).transpose()?,
            others,
        }),
    };
    let invoice = MatchInvoice {
        origin: if of.billing_group_arn.is_some() { Origin::ProForma } else { Origin::Provider },
        buyer: buyer(call, of.billing_group_arn.as_deref()).await?,
        kind: InvoiceKind::parse(&of.kind).ok_or_else(|| Error::internal(of.kind.clone()))?,
        seller: seller_named(&of.bill_from).map_err(|problem| wrong("BillFrom", problem))?,
        period: crate::call::period(&of.billing_period)?,
        total: Amount::parse(&of.total_amount)
            .map_err(|error| wrong("TotalAmount", format!("`{}`: {error}", of.total_amount)))?,
        currency: currency("Currency", &of.currency)?,
        exchange,
        tax_registration_number: of.tax_registration_number,
        invoice_unit: of.invoice_unit,
        issued_at: instant(&format!("Invoices[{place}].IssuedDate"), &of.issued_date)?,
        charge: of.charge_id,
        requested,
        original: of.original_invoice_id,
        id: of.invoice_id,
    };
    let due = |text: &String| instant(&format!("Invoices[{place}].DueDate"), text);
    let due_at_s = of.due_date.as_ref().map(due).transpose()?;
    Ok(NewInvoice { invoice, due_at_s, carries: of.purchase_order_number, says_kind: true, is_listed: false })
}

/// The buyer that a request names by a billing group, or the payer.
async fn buyer(call: &Call<'_>, group: Option<&str>) -> Answer<Buyer> {
    let Some(group) = group else { return Ok(Buyer::Payer) };
    let configuration = call.desk.current(&call.caller.payer).await?;
    let period = Clock::period_of(call.caller.now);
    Ok(Buyer::BillingGroup(call.caller.billing_group(&configuration, group, Some(period))?))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Filter {
    billing_group_arn: Option<String>,
    only_payer: Option<bool>,
    billing_period: Option<String>,
    matched: Option<bool>,
    pub max_results: Option<u32>,
    pub next_token: Option<String>,
    invoice_ids: Option<BTreeSet<String>>,
}

impl Filter {
    pub(super) async fn filter(&self, call: &Call<'_>) -> Answer<InvoiceFilter> {
        let buyer = match (&self.billing_group_arn, self.only_payer) {
            (Some(group), _) => Some(buyer(call, Some(group)).await?),
            (None, Some(true)) => Some(Buyer::Payer),
            (None, _) => None,
        };
        let period = self.billing_period.as_deref().map(crate::call::period).transpose()?;
        Ok(InvoiceFilter { buyer, period, matched: self.matched })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct InvoiceMatch {
    invoice_id: String,
    invoice_type: &'static str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_group_arn: Option<String>,
    bill_from: String,
    billing_period: String,
    issued_date: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_date: Option<i64>,
    total_amount: String,
    currency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_invoice_id: Option<String>,
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    purchase_order_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_item_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    used_amount: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    flags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    how: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_time: Option<i64>,
    /// Of a decision of the history: why, in sentences, and every order that was a candidate.
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    candidates: Option<serde_json::Value>,
}

impl InvoiceMatch {
    fn of(call: &Call<'_>, row: &InvoiceRow, association: Option<&AssociationRow>) -> Self {
        let invoice = &row.invoice;
        let to = association.and_then(|of| of.charged_to.as_ref());
        Self {
            invoice_id: invoice.id.clone(),
            invoice_type: invoice_type(invoice.kind),
            kind: invoice.kind.name(),
            billing_group_arn: group_arn(call, &invoice.buyer),
            bill_from: invoice.seller.to_string(),
            billing_period: invoice.period.to_string(),
            issued_date: invoice.issued_at,
            due_date: row.due_at_s,
            total_amount: invoice.total.to_string(),
            currency: invoice.currency.to_string(),
            original_invoice_id: invoice.original.clone(),
            source: row.source.name(),
            purchase_order_id: to.map(|to| to.order.to_string()),
            line_item_number: to.map(|to| to.line.to_string()),
            used_amount: association.and_then(|of| of.used).map(|used| used.to_string()),
            flags: association.map(|of| of.flags.clone()).unwrap_or_default(),
            how: association.map(|of| of.how.name().to_uppercase()),
            // Nor are their words.
            reason: association
                .filter(|of| of.how != How::Moved || call.caller.sees_payer())
                .map(|of| of.reason.clone()),
            // Whose people have decided is the operator's affair.
            decided_by: association.filter(|_| call.caller.sees_payer()).map(|of| of.recorded_by.clone()),
            decided_time: association.map(|of| of.recorded_at_s),
            explanation: None,
            candidates: None,
        }
    }

    /// A decision of an invoice's history.
    fn decided(call: &Call<'_>, row: &InvoiceRow, decided: &Decided) -> Self {
        Self {
            explanation: Some(decided.explanation.clone()),
            candidates: Some(decided.candidates.clone()),
            ..Self::of(call, row, Some(&decided.row))
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct InvoiceMatches {
    invoice_matches: Vec<InvoiceMatch>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn list_matches(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Filter = call.read()?;
    let page = call.page(input.max_results, input.next_token.as_deref(), PAGE)?;
    let found = call.desk.matches(call.caller, call.action, &input.filter(call).await?).await?;
    let entries = found.iter().map(|of| (position(&of.invoice), of));
    let entries = entries
        .filter(|(position, _)| *position > page.after)
        .map(|(position, of)| (position, InvoiceMatch::of(call, &of.invoice, of.association.as_deref())));
    let (invoice_matches, next_token) = call.cut(&page, entries)?;
    json(&InvoiceMatches { invoice_matches, next_token })
}

/// Where an invoice is in a list.
pub(super) fn position(row: &InvoiceRow) -> String {
    format!("{:020} {}", row.invoice.issued_at, row.invoice.id)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OneInvoice {
    invoice_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Explained {
    invoice_match: InvoiceMatch,
    explanation: Vec<String>,
    candidates: serde_json::Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance_after: Option<String>,
    history: Vec<InvoiceMatch>,
}

pub(super) async fn explain(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OneInvoice = call.read()?;
    let found = call.desk.explain_invoice(call.caller, call.action, &input.invoice_id).await?;
    // An invoice may have come again with another total: each decision is shown of the content that it was of.
    let contents = call.desk.decided_contents(&call.caller.payer, &found.invoice).await?;
    let last = found.history.last();
    let candidates = last.map(|of| of.candidates.clone());
    json(&Explained {
        invoice_match: InvoiceMatch::of(call, &found.invoice, last.map(|of| &of.row)),
        explanation: last.map(|of| of.explanation.clone()).unwrap_or_default(),
        // What the rules have seen stays true of a decision of theirs; a person's has no candidates.
        candidates: candidates.unwrap_or_else(|| serde_json::Value::Array(Vec::new())),
        balance_after: last.and_then(|of| of.balance_after.clone()),
        history: found
            .history
            .iter()
            .map(|of| {
                let content = contents.get(&of.row.sequence).unwrap_or(&found.invoice);
                InvoiceMatch::decided(call, content, of)
            })
            .collect(),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Move {
    invoice_id: String,
    purchase_order_arn: Option<String>,
    line_item_number: Option<String>,
    reason: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Moved {
    invoice_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    purchase_order_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_item_number: Option<String>,
    warnings: Vec<String>,
}

pub(super) async fn move_invoice(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Move = call.read()?;
    let to = match (&input.purchase_order_arn, &input.line_item_number) {
        (None, None) => None,
        (Some(order), Some(line)) => Some((order.as_str(), line.as_str())),
        _ => {
            let message = "name the order and its line, or neither to take the invoice off its order";
            return Err(at_fault("LineItemNumber", message));
        }
    };
    let request = call.write(&input.invoice_id);
    let moved = call.desk.move_invoice(&request, &input.invoice_id, to, &input.reason).await?;
    json(&Moved {
        invoice_id: input.invoice_id.clone(),
        purchase_order_id: moved.place.as_ref().map(|place| place.order.clone()),
        line_item_number: moved.place.map(|place| place.line),
        warnings: moved.warnings,
    })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    invoice_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_group_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_purchase_order_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_line_item_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_purchase_order_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_line_item_number: Option<String>,
    reason: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Changes {
    changes: Vec<Change>,
    warnings: Vec<String>,
}

fn changes(call: &Call<'_>, changes: Vec<RematchChange>) -> Answer<Vec<u8>> {
    let payer = call.caller.payer.as_str();
    let warnings = changes.iter().filter_map(|of| of.warning.clone()).collect();
    let change = |of: RematchChange| {
        let group = BillingGroupId::parse(&of.billing_group);
        let (from, to) = (of.before, of.after);
        Change {
            invoice_id: of.invoice,
            billing_group_arn: group.map(|id| arn(payer, ResourceType::BillingGroup, id.as_str())),
            from_purchase_order_id: from.as_ref().map(|place| place.order.clone()),
            from_line_item_number: from.map(|place| place.line),
            to_purchase_order_id: to.as_ref().map(|place| place.order.clone()),
            to_line_item_number: to.map(|place| place.line),
            reason: of.reason,
        }
    };
    json(&Changes { changes: changes.into_iter().map(change).collect(), warnings })
}

pub(super) async fn plan_rematch(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Filter = call.read()?;
    let planned = call.desk.plan_rematch(call.caller, call.action, &input.filter(call).await?).await?;
    changes(call, planned)
}

pub(super) async fn apply_rematch(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Filter = call.read()?;
    let filter = input.filter(call).await?;
    let done = call.desk.apply_rematch(&call.write(""), &filter, input.invoice_ids.as_ref()).await?;
    changes(call, done)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OfOrder {
    pub purchase_order_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Revision {
    revision: u64,
    time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    action: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_amount: Option<String>,
    currency: String,
    effective_month: String,
    expiration_month: String,
    line_item_count: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Revisions {
    revisions: Vec<Revision>,
}

pub(super) async fn list_revisions(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfOrder = call.read()?;
    let rows = call.desk.order_revisions(call.caller, call.action, &input.purchase_order_arn).await?;
    let mut revisions = Vec::with_capacity(rows.len());
    for row in rows {
        let order = &row.order;
        revisions.push(Revision {
            revision: row.revision,
            time: row.recorded_at_s,
            // Each row is of its own time: an order that has expired since was active then.
            status: order.status(row.recorded_at_s).name(),
            total_amount: order.value().ok().map(|value| value.to_string()),
            currency: order.currency.to_string(),
            effective_month: order.effective.to_string(),
            expiration_month: order.expiration.to_string(),
            line_item_count: order.lines.len() as u64,
            by: crate::purchase_orders::shown_name(call, row.recorded_by.clone()),
            action: row.action,
        });
    }
    json(&Revisions { revisions })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LimitIn {
    principal_name: String,
    #[serde(default)]
    actions: Vec<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    tag_keys: Option<Vec<String>>,
    #[serde(default)]
    no_limits: bool,
}

#[derive(Serialize)]
struct Empty {}

pub(super) async fn limit(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: LimitIn = call.read()?;
    let new = NewLimits {
        principal: input.principal_name.clone(),
        actions: input.actions,
        tags: input.tags,
        tag_keys: input.tag_keys,
        none: input.no_limits,
    };
    call.desk.limit_orders(&call.write(&input.principal_name), &new).await?;
    json(&Empty {})
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Limit {
    principal_name: String,
    actions: Vec<String>,
    tags: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag_keys: Option<Vec<String>>,
    time: i64,
    by: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Limits {
    limits: Vec<Limit>,
}

pub(super) async fn list_limits(call: &Call<'_>) -> Answer<Vec<u8>> {
    let limit = |row: back_office::purchasing::Limits| Limit {
        principal_name: row.principal,
        actions: row.actions,
        tags: row.tags,
        tag_keys: row.tag_keys,
        time: row.recorded_at_s,
        by: row.recorded_by,
    };
    let rows = call.desk.order_limits(&call.caller.payer).await?;
    json(&Limits { limits: rows.into_iter().map(limit).collect() })
}
