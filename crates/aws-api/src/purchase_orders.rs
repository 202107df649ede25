//! `purchase-orders`: the operations that AWS has as IAM actions and gives no API of, one function each.
//!
//! Source of the names: AWS service authorization reference, "AWS Purchase Orders Console"; of the members: AWS Billing user guide, "Adding a purchase order" and "Reading
//! your purchase order details page". Clients get the service by `clients/botocore/purchase-orders`.

pub(crate) mod shapes;

use crate::call::{Call, Position, json};
use back_office::error::{Answer, Declined, Error};
use back_office::purchasing::orders::{Changed, ChargedInvoice, OrderChange, OrderFilter};
use billing::configuration::{ResourceType, arn};
use billing::purchase_order::invoice::InvoiceKind;
use billing::purchase_order::{Buyer, Draft, Status};
use serde::{Deserialize, Serialize};
use shapes::{AddressShape, Contact, LineIn, Order, Summary};
use std::collections::BTreeMap;

/// The name of the service in signatures.
pub const SERVICE: &str = "purchase-orders";
/// How many entries a page of a list holds at most.
const PAGE: usize = 100;

/// Performs an operation.
pub(crate) async fn perform(call: &Call<'_>, operation: &str) -> Answer<Vec<u8>> {
    match operation {
        "AddPurchaseOrder" => add(call).await,
        "GetPurchaseOrder" => get(call).await,
        "ListPurchaseOrders" => list(call).await,
        "ListPurchaseOrderInvoices" => list_invoices(call).await,
        "UpdatePurchaseOrder" => update(call).await,
        "UpdatePurchaseOrderStatus" => update_status(call).await,
        "DeletePurchaseOrder" => delete(call).await,
        "TagResource" => tag(call).await,
        "UntagResource" => untag(call).await,
        "ListTagsForResource" => list_tags(call).await,
        other => Err(Error::internal(format!("{other} is in the model and not served"))),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Add {
    billing_group_arn: Option<String>,
    #[serde(flatten)]
    order: shapes::OrderIn,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ChangedOut {
    purchase_order_arn: String,
    purchase_order_id: String,
    revision: u64,
    status: String,
    warnings: Vec<String>,
}

fn changed(changed: Changed) -> Answer<Vec<u8>> {
    json(&ChangedOut {
        purchase_order_arn: changed.arn,
        purchase_order_id: changed.id,
        revision: changed.revision,
        status: changed.status,
        warnings: changed.warnings,
    })
}

async fn add(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Add = call.read()?;
    let draft: Draft = input.order.draft()?;
    changed(call.desk.add_order(&call.write(""), input.billing_group_arn.as_deref(), &draft).await?)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    purchase_order_arn: String,
    purchase_order_id: Option<String>,
    expected_revision: Option<u64>,
    description: Option<String>,
    bill_from: Option<Vec<String>>,
    tax_registration_numbers: Option<Vec<String>>,
    invoice_units: Option<Vec<String>>,
    ship_to: Option<AddressShape>,
    bill_to: Option<AddressShape>,
    payment_terms: Option<String>,
    currency: Option<String>,
    effective_month: Option<String>,
    expiration_month: Option<String>,
    contacts: Option<Vec<Contact>>,
    line_items: Option<Vec<LineIn>>,
}

async fn update(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Update = call.read()?;
    let lines = input.line_items.map(|lines| shapes::draft_lines(lines, "LineItems")).transpose()?;
    let change = OrderChange {
        id: input.purchase_order_id,
        expected_revision: input.expected_revision,
        description: input.description,
        bill_from: input.bill_from,
        tax_registration_numbers: input.tax_registration_numbers,
        invoice_units: input.invoice_units,
        ship_to: input.ship_to.map(AddressShape::address),
        bill_to: input.bill_to.map(AddressShape::address),
        payment_terms: input.payment_terms,
        currency: input.currency,
        effective_month: input.effective_month.map(shapes::month),
        expiration_month: input.expiration_month.map(shapes::month),
        contacts: input.contacts.map(|of| of.into_iter().map(Contact::contact).collect()),
        lines,
    };
    let order = &input.purchase_order_arn;
    changed(call.desk.update_order(&call.write(order), order, &change).await?)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfOrder {
    purchase_order_arn: String,
    revision: Option<u64>,
    status: Option<String>,
    max_results: Option<u32>,
    next_token: Option<String>,
}

async fn update_status(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfOrder = call.read()?;
    let suspended = input.status.as_deref() == Some(Status::Suspended.name());
    let order = &input.purchase_order_arn;
    changed(call.desk.set_order_status(&call.write(order), order, suspended).await?)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Deleted {
    purchase_order_arn: String,
}

async fn delete(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfOrder = call.read()?;
    let order = &input.purchase_order_arn;
    let purchase_order_arn = call.desk.delete_order(&call.write(order), order).await?;
    json(&Deleted { purchase_order_arn })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Got {
    purchase_order: Order,
}

async fn get(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfOrder = call.read()?;
    let view = call.desk.order(call.caller, call.action, &input.purchase_order_arn, input.revision).await?;
    json(&Got { purchase_order: Order::of(call, &view) })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filters {
    #[serde(default)]
    statuses: Vec<String>,
    bill_from: Option<String>,
    buyer: Option<String>,
    #[serde(default)]
    billing_group_arns: Vec<String>,
    month: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListIn {
    filters: Option<Filters>,
    max_results: Option<u32>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    purchase_orders: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

async fn list(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: ListIn = call.read()?;
    let page = call.page(input.max_results, input.next_token.as_deref(), PAGE)?;
    let filter = match input.filters {
        None => OrderFilter::default(),
        Some(of) => OrderFilter {
            statuses: of.statuses.iter().filter_map(|name| Status::parse(name)).collect(),
            bill_from: of.bill_from,
            of_payer: of.buyer.map(|buyer| buyer == shapes::PAYER),
            billing_groups: of.billing_group_arns,
            month: of.month.as_deref().map(crate::call::period).transpose()?,
        },
    };
    let orders = call.desk.orders(call.caller, call.action, &filter).await?;
    let after = page.after_number();
    let entries = orders.iter().filter(|view| view.row.number > after);
    let entries = entries.map(|view| (Position(view.row.number), Summary::of(call, view)));
    let (purchase_orders, next_token) = call.cut(&page, entries)?;
    json(&Listed { purchase_orders, next_token })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct InvoiceOut {
    invoice_id: String,
    invoice_type: &'static str,
    issued_date: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_date: Option<i64>,
    billing_period: String,
    line_item_number: String,
    total_amount: String,
    currency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_invoice_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purchase_order_revision: Option<u64>,
    out_of_balance: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct InvoicesOut {
    invoices: Vec<InvoiceOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

async fn list_invoices(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfOrder = call.read()?;
    let page = call.page(input.max_results, input.next_token.as_deref(), PAGE)?;
    let charged = call.desk.order_invoices(call.caller, call.action, &input.purchase_order_arn).await?;
    let position =
        |of: &ChargedInvoice| format!("{:020} {}", of.invoice.invoice.issued_at, of.invoice.invoice.id);
    let entries = charged.iter().map(|of| (position(of), of));
    let entries = entries.filter(|(position, _)| *position > page.after);
    let entries = entries.map(|(position, of)| {
        let invoice = &of.invoice.invoice;
        let out = InvoiceOut {
            invoice_id: invoice.id.clone(),
            invoice_type: invoice_type(invoice.kind),
            issued_date: invoice.issued_at,
            due_date: of.invoice.due_at_s,
            billing_period: invoice.period.to_string(),
            line_item_number: of.line.to_string(),
            total_amount: invoice.total.to_string(),
            currency: invoice.currency.to_string(),
            original_invoice_id: invoice.original.clone(),
            purchase_order_revision: of.association.charged_to.as_ref().map(|to| to.order_revision),
            out_of_balance: of.association.flags.iter().any(|flag| flag == "OUT_OF_BALANCE"),
        };
        (position, out)
    });
    let (invoices, next_token) = call.cut(&page, entries)?;
    json(&InvoicesOut { invoices, next_token })
}

/// The type of an invoice as AWS's invoicing service names it.
pub(crate) const fn invoice_type(kind: InvoiceKind) -> &'static str {
    match kind {
        InvoiceKind::CreditMemo => "CREDIT_MEMO",
        _ => "INVOICE",
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfResource {
    resource_arn: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    tag_keys: Vec<String>,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tags {
    tags: BTreeMap<String, String>,
}

async fn tag(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfResource = call.read()?;
    let order = &input.resource_arn;
    call.desk.tag_order(&call.write(order), order, &input.tags, &[]).await?;
    json(&Empty {})
}

async fn untag(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfResource = call.read()?;
    let order = &input.resource_arn;
    call.desk.tag_order(&call.write(order), order, &BTreeMap::new(), &input.tag_keys).await?;
    json(&Empty {})
}

async fn list_tags(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfResource = call.read()?;
    let view = call.desk.order(call.caller, call.action, &input.resource_arn, None).await?;
    json(&Tags { tags: view.row.order.tags.clone() })
}

/// The ARN of the billing group that buys.
pub(crate) fn group_arn(call: &Call<'_>, buyer: &Buyer) -> Option<String> {
    match buyer {
        Buyer::Payer => None,
        Buyer::BillingGroup(id) => {
            Some(arn(call.caller.payer.as_str(), ResourceType::BillingGroup, id.as_str()))
        }
    }
}

/// A principal's name, for whoever sees the whole payer, or is it: who of the operator's people has changed an order is no customer's affair.
pub(crate) fn shown_name(call: &Call<'_>, name: String) -> Option<String> {
    (call.caller.sees_payer() || call.caller.principal == name).then_some(name)
}

/// An input of which one member is at fault.
pub(crate) fn at_fault(name: &str, message: &str) -> Error {
    let fields = vec![(name.to_owned(), message.to_owned())];
    Declined::Invalid { message: format!("{name}: {message}"), fields }.into()
}
