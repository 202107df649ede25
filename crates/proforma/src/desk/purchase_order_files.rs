//! Files of orders and invoices, as the operations take them: JSON as it is, CSV by its columns.

use super::purchase_orders::{is_yes, tax};
use crate::failure::Failure;
use anyhow::Context;
use serde_json::{Map, Value, json};
use std::path::Path;

/// How a file is read by its columns: the column, and the member that it becomes.
type Columns = &'static [(&'static str, &'static str)];

/// The columns of a file of orders that are of the order; they are read from its first row.
const ORDER: Columns = &[
    ("id", "PurchaseOrderId"),
    ("billing_group", "BillingGroupArn"),
    ("description", "Description"),
    ("payment_terms", "PaymentTerms"),
    ("currency", "Currency"),
    ("effective", "EffectiveMonth"),
    ("expiration", "ExpirationMonth"),
    ("updated_at", "UpdatedAt"),
    ("created_at", "CreatedAt"),
];
/// Lists in one column, separated by semicolons.
const LISTS: Columns = &[
    ("bill_from", "BillFrom"),
    ("tax_registration_numbers", "TaxRegistrationNumbers"),
    ("invoice_units", "InvoiceUnits"),
];
/// The columns of a line.
const LINE: Columns = &[
    ("line_number", "Number"),
    ("line_description", "Description"),
    ("line_type", "Type"),
    ("line_start", "StartMonth"),
    ("line_end", "EndMonth"),
    ("line_amount", "Amount"),
    ("line_quantity", "Quantity"),
    ("line_charge", "ChargeId"),
];
/// What is read from other columns, by hand.
const OTHERS: &[&str] =
    &["suspended", "ship_to_company", "ship_to_country", "contacts", "line_tax", "line_balance_tracking"];
/// The columns of a file of invoices.
const INVOICE: Columns = &[
    ("invoice_id", "InvoiceId"),
    ("billing_group", "BillingGroupArn"),
    ("kind", "Kind"),
    ("bill_from", "BillFrom"),
    ("billing_period", "BillingPeriod"),
    ("total", "TotalAmount"),
    ("currency", "Currency"),
    ("exchange_source", "ExchangeSource"),
    ("exchange_target", "ExchangeTarget"),
    ("exchange_rate", "ExchangeRate"),
    ("tax_registration_number", "TaxRegistrationNumber"),
    ("invoice_unit", "InvoiceUnit"),
    ("issued", "IssuedDate"),
    ("due", "DueDate"),
    ("charge", "ChargeId"),
    ("requested_order", "RequestedPurchaseOrderId"),
    ("requested_line", "RequestedLineItemNumber"),
    ("original_invoice", "OriginalInvoiceId"),
    ("purchase_order", "PurchaseOrderNumber"),
];

/// The input of `ImportPurchaseOrders` from a file.
pub fn orders_of(path: &Path) -> Result<Value, Failure> {
    if is_json(path) {
        let value: Value = serde_json::from_str(&text_of(path)?).map_err(|error| no_json(path, &error))?;
        return Ok(match value {
            Value::Array(orders) => json!({ "PurchaseOrders": orders }),
            other => other,
        });
    }
    let mut orders: Vec<Map<String, Value>> = Vec::new();
    for row in rows(path, &[ORDER, LISTS, LINE], OTHERS)? {
        let of = |name: &str| row.iter().find(|(column, _)| column == name).map(|(_, value)| value.as_str());
        let key = |name: &str| of(name).unwrap_or_default().to_owned();
        let is_same = |order: &Map<String, Value>| {
            order.get("PurchaseOrderId") == Some(&json!(key("id")))
                && order.get("BillingGroupArn").and_then(Value::as_str).unwrap_or_default()
                    == key("billing_group")
        };
        let place = match orders.iter().position(is_same) {
            Some(place) => place,
            None => {
                let mut order = members(&row, ORDER);
                for (column, member) in LISTS {
                    if let Some(texts) = of(column) {
                        let texts: Vec<&str> = texts.split(';').map(str::trim).collect();
                        order.insert((*member).to_owned(), json!(texts));
                    }
                }
                order.insert("Suspended".to_owned(), json!(is_yes(of("suspended").unwrap_or_default())?));
                let ship_to = [("ship_to_company", "Company"), ("ship_to_country", "Country")];
                let ship_to = members(&row, &ship_to);
                if !ship_to.is_empty() {
                    order.insert("ShipTo".to_owned(), Value::Object(ship_to));
                }
                if let Some(contacts) = of("contacts") {
                    let contacts = contacts.split(';').map(|email| json!({ "Email": email.trim() }));
                    order.insert("Contacts".to_owned(), contacts.collect());
                }
                order.insert("LineItems".to_owned(), json!([]));
                orders.push(order);
                orders.len() - 1
            }
        };
        let mut line = members(&row, LINE);
        if let Some(text) = of("line_tax") {
            line.insert("Tax".to_owned(), tax(text));
        }
        let is_tracked = is_yes(of("line_balance_tracking").unwrap_or_default())?;
        line.insert("BalanceTracking".to_owned(), json!(is_tracked));
        if let Some(Value::Array(lines)) = orders.get_mut(place).and_then(|order| order.get_mut("LineItems"))
        {
            lines.push(Value::Object(line));
        }
    }
    Ok(json!({ "PurchaseOrders": orders }))
}

/// The input of `ImportInvoices` from a file: JSON as AWS answers it, or CSV.
pub fn invoices_of(path: &Path) -> Result<Value, Failure> {
    if is_json(path) {
        return Ok(json!({ "Content": text_of(path)? }));
    }
    let rows = rows(path, &[INVOICE], &[])?;
    let invoices: Vec<Value> = rows.iter().map(invoice_of).collect();
    Ok(json!({ "Invoices": invoices }))
}

/// An invoice of a row. Where its charges have several numbers of orders, they are separated by `;`: it carries the first one.
fn invoice_of(row: &Row) -> Value {
    let mut invoice = members(row, INVOICE);
    let numbers = row.iter().find(|(column, _)| column == "requested_order").map(|(_, value)| value);
    let mut numbers =
        numbers.into_iter().flat_map(|of| of.split(';')).map(str::trim).filter(|of| !of.is_empty());
    if let Some(first) = numbers.next() {
        invoice.insert("RequestedPurchaseOrderId".to_owned(), json!(first));
        let others: Vec<&str> = numbers.collect();
        if !others.is_empty() {
            invoice.insert("OtherRequestedPurchaseOrderIds".to_owned(), json!(others));
        }
    }
    Value::Object(invoice)
}

fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

fn no_json(path: &Path, error: &serde_json::Error) -> Failure {
    Failure::input(format!("`{}` is no JSON: {error}", path.display()))
}

fn text_of(path: &Path) -> Result<String, Failure> {
    Ok(std::fs::read_to_string(path).with_context(|| format!("`{}`", path.display()))?)
}

/// The values of a row by column, those that are there.
type Row = Vec<(String, String)>;

fn rows(path: &Path, columns: &[Columns], others: &[&str]) -> Result<Vec<Row>, Failure> {
    let failed = |problem: String| Failure::input(format!("`{}`: {problem}", path.display()));
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(path)
        .map_err(|error| failed(error.to_string()))?;
    let headers = reader.headers().map_err(|error| failed(error.to_string()))?.clone();
    let known = |name: &str| {
        columns.iter().any(|of| of.iter().any(|(column, _)| *column == name)) || others.contains(&name)
    };
    if let Some(name) = headers.iter().find(|name| !known(name)) {
        let all = columns.iter().flat_map(|of| of.iter().map(|(column, _)| *column));
        let all = all.chain(others.iter().copied()).collect::<Vec<_>>().join(", ");
        return Err(failed(format!("column `{name}` is not known")).hint(format!("there are {all}")));
    }
    let mut rows = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| failed(error.to_string()))?;
        let values = headers.iter().zip(row.iter()).filter(|(_, value)| !value.is_empty());
        rows.push(values.map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
    }
    Ok(rows)
}

fn members(row: &Row, columns: &[(&str, &str)]) -> Map<String, Value> {
    let member = |(name, value): &(String, String)| {
        let (_, member) = columns.iter().find(|(column, _)| column == name)?;
        Some(((*member).to_owned(), json!(value)))
    };
    row.iter().filter_map(member).collect()
}
