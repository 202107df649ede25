//! Files of orders and invoices, as the operations take them: JSON as it is, CSV by its columns.

use super::files::{filled_text_of, header_of, json_of};
use super::purchase_order_places::{Entry, Places};
use super::purchase_order_texts::{contact, is_yes, pairs, tax};
use crate::failure::Failure;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// How a file is read by its columns: the column, and the member that it becomes.
type Columns = &'static [(&'static str, &'static str)];

/// The columns of a file of orders that are of the order; a row may leave them out where another row of the order has them.
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
/// The parts of an address, behind `ship_to_` or `bill_to_`.
const ADDRESS: Columns = &[
    ("company", "Company"),
    ("district", "District"),
    ("city", "City"),
    ("state", "State"),
    ("postal_code", "PostalCode"),
    ("country", "Country"),
];
/// The address's lines, separated by semicolons.
const ADDRESS_LINES: &str = "lines";
/// The addresses of an order: what stands before their columns, and the member.
const ADDRESSES: Columns = &[("ship_to_", "ShipTo"), ("bill_to_", "BillTo")];
/// What else is read of an order. Contacts are separated by semicolons, each an address or `Name <address>`; tags as well, each `KEY=VALUE`.
const OF_ORDER: &[&str] = &["suspended", "contacts", "tags"];
/// What else is read of a line.
const OF_LINE: &[&str] = &["line_tax", "line_balance_tracking"];
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

/// The input of `ImportPurchaseOrders` from a file, and where in the file it stands.
pub fn orders_of(path: &Path) -> Result<(Value, Places), Failure> {
    if is_json(path) {
        let input = match json_of(path)? {
            Value::Array(orders) => json!({ "PurchaseOrders": orders }),
            other => other,
        };
        return Ok((input, Places::as_they_are(path, "PurchaseOrders")));
    }
    let mut orders: Vec<OrderRows> = Vec::new();
    let mut problems = Vec::new();
    for (number, row) in rows(path, &order_columns())? {
        let key = ["id", "billing_group"].map(|name| row.get(name).cloned().unwrap_or_default());
        let place = orders.iter().position(|order| order.key == key).unwrap_or_else(|| {
            orders.push(OrderRows { key, ..OrderRows::default() });
            orders.len() - 1
        });
        if let Some(order) = orders.get_mut(place) {
            problems.extend(order.take(number, row));
        }
    }
    if !problems.is_empty() {
        let problems = problems.iter().map(|problem| format!("`{}`: {problem}", path.display())).collect();
        let hint = "what is of the order is the same in all of its rows, or stands in one of them";
        return Err(Failure::inputs(problems).hint(hint));
    }
    let entries = orders.iter().map(OrderRows::entry).collect();
    let order = |order: &OrderRows| {
        let told = |problem| {
            Failure::input(format!("`{}`: purchase order `{}`: {problem}", path.display(), order.key[0]))
        };
        order.order().map_err(told)
    };
    let orders: Vec<Value> = orders.iter().map(order).collect::<Result<_, _>>()?;
    let places = Places::of_table(path, "PurchaseOrders", entries, column_of_order);
    Ok((json!({ "PurchaseOrders": orders }), places))
}

/// The column of a member of an order, or of a line of one.
fn column_of_order(member: &str, of_line: bool) -> Option<String> {
    let mut names = member.split('.').map(|name| name.split('[').next().unwrap_or_default());
    let (first, second) = (names.next()?, names.next());
    if of_line {
        return match first {
            "Tax" => Some("line_tax".to_owned()),
            "BalanceTracking" => Some("line_balance_tracking".to_owned()),
            _ => column(LINE, first),
        };
    }
    let part = |before: &str| match second {
        Some("Lines") => Some(format!("{before}{ADDRESS_LINES}")),
        part => column(ADDRESS, part?).map(|part| format!("{before}{part}")),
    };
    match first {
        "Suspended" | "Contacts" | "Tags" => Some(first.to_ascii_lowercase()),
        _ => {
            column(ORDER, first).or_else(|| column(LISTS, first)).or_else(|| part(&column(ADDRESSES, first)?))
        }
    }
}

/// The column that becomes a member.
fn column(columns: Columns, member: &str) -> Option<String> {
    columns.iter().find(|(_, name)| *name == member).map(|(column, _)| (*column).to_owned())
}

/// Every column of a file of orders.
fn order_columns() -> Vec<String> {
    let of = [ORDER, LISTS, LINE].into_iter().flatten().map(|(column, _)| (*column).to_owned());
    let others = OF_ORDER.iter().chain(OF_LINE).map(|column| (*column).to_owned());
    let parts = || ADDRESS.iter().map(|(part, _)| *part).chain([ADDRESS_LINES]);
    let addresses =
        ADDRESSES.iter().flat_map(|(before, _)| parts().map(move |part| format!("{before}{part}")));
    of.chain(others).chain(addresses).collect()
}

/// An order of a file: what its rows say of it, and its lines.
#[derive(Default)]
struct OrderRows {
    /// Its id and its billing group.
    key: [String; 2],
    /// What is said of the order by column, with the number of the row that says it first.
    said: BTreeMap<String, (usize, String)>,
    lines: Vec<(usize, Row)>,
}

impl OrderRows {
    /// Where the order stands.
    fn entry(&self) -> Entry {
        let lines: Vec<usize> = self.lines.iter().map(|(number, _)| *number).collect();
        let row = lines.first().copied().unwrap_or_default();
        Entry { name: format!("purchase order `{}`", self.key[0]), row, lines }
    }

    /// Takes a row of the order; where it says something else than a row before it.
    fn take(&mut self, number: usize, row: Row) -> Vec<String> {
        let (line, of_order): (Row, Row) =
            row.into_iter().partition(|(column, _)| column.starts_with("line_"));
        let mut problems = Vec::new();
        for (column, value) in of_order {
            let (first, said) = self.said.entry(column.clone()).or_insert_with(|| (number, value.clone()));
            if *said != value {
                let id = &self.key[0];
                problems.push(format!(
                    "row {number} has `{value}` as `{column}` of purchase order `{id}`, and row {first} has `{said}`"
                ));
            }
        }
        self.lines.push((number, line));
        problems
    }

    fn of(&self, column: &str) -> Option<&str> {
        self.said.get(column).map(|(_, value)| value.as_str())
    }

    /// The order as the operation takes it. A cell without anything says nothing: what is here stays.
    fn order(&self) -> Result<Value, String> {
        let said: Row =
            self.said.iter().map(|(column, (_, value))| (column.clone(), value.clone())).collect();
        let mut order = members(&said, ORDER);
        for (column, member) in LISTS {
            if let Some(texts) = self.of(column) {
                order.insert((*member).to_owned(), json!(listed(texts)));
            }
        }
        for (before, member) in ADDRESSES {
            let address = self.address(before);
            if !address.is_empty() {
                order.insert((*member).to_owned(), Value::Object(address));
            }
        }
        if let Some(text) = self.of("suspended") {
            order.insert("Suspended".to_owned(), json!(is_yes(text)?));
        }
        if let Some(texts) = self.of("contacts") {
            order.insert("Contacts".to_owned(), listed(texts).into_iter().map(contact).collect());
        }
        if let Some(texts) = self.of("tags") {
            let texts: Vec<String> = listed(texts).into_iter().map(str::to_owned).collect();
            order.insert("Tags".to_owned(), pairs(&texts)?);
        }
        let of_row =
            |(number, row): &(usize, Row)| line(row).map_err(|problem| format!("row {number}: {problem}"));
        let lines = self.lines.iter().map(of_row).collect::<Result<Vec<_>, _>>()?;
        order.insert("LineItems".to_owned(), json!(lines));
        Ok(Value::Object(order))
    }

    fn address(&self, before: &str) -> Map<String, Value> {
        let part = |(part, member): &(&str, &str)| {
            Some(((*member).to_owned(), json!(self.of(&format!("{before}{part}"))?)))
        };
        let mut address: Map<String, Value> = ADDRESS.iter().filter_map(part).collect();
        if let Some(lines) = self.of(&format!("{before}{ADDRESS_LINES}")) {
            address.insert("Lines".to_owned(), json!(listed(lines)));
        }
        address
    }
}

fn line(row: &Row) -> Result<Value, String> {
    let mut line = members(row, LINE);
    if let Some(text) = row.get("line_tax") {
        line.insert("Tax".to_owned(), tax(text));
    }
    if let Some(text) = row.get("line_balance_tracking") {
        line.insert("BalanceTracking".to_owned(), json!(is_yes(text)?));
    }
    Ok(Value::Object(line))
}

/// The texts of a cell that has several.
fn listed(texts: &str) -> Vec<&str> {
    texts.split(';').map(str::trim).filter(|text| !text.is_empty()).collect()
}

/// The input of `ImportInvoices` from a file, JSON as AWS answers it or CSV, and where in the file it stands.
pub fn invoices_of(path: &Path) -> Result<(Value, Places), Failure> {
    if is_json(path) {
        return Ok((json!({ "Content": filled_text_of(path)? }), Places::as_they_are(path, "Invoices")));
    }
    let columns: Vec<String> = INVOICE.iter().map(|(column, _)| (*column).to_owned()).collect();
    let rows = rows(path, &columns)?;
    let invoices: Vec<Value> = rows.iter().map(|(_, row)| invoice_of(row)).collect();
    let entry = |(number, row): &(usize, Row)| {
        let id = row.get("invoice_id").map(String::as_str).unwrap_or_default();
        Entry { name: format!("invoice `{id}`"), row: *number, lines: Vec::new() }
    };
    let places = Places::of_table(path, "Invoices", rows.iter().map(entry).collect(), |member, _| {
        column(INVOICE, member)
    });
    Ok((json!({ "Invoices": invoices }), places))
}

/// An invoice of a row. Where its charges have several numbers of orders, they are separated by `;`: it carries the first one.
fn invoice_of(row: &Row) -> Value {
    let mut invoice = members(row, INVOICE);
    let numbers = row.get("requested_order");
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

/// The values of a row by column, those that are there.
type Row = BTreeMap<String, String>;

/// The rows of a file, each with its number; the first row has the names.
fn rows(path: &Path, columns: &[String]) -> Result<Vec<(usize, Row)>, Failure> {
    let failed = |problem: String| Failure::input(format!("`{}`: {problem}", path.display()));
    let text = filled_text_of(path)?;
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let headers = header_of(&mut reader, path)?;
    if let Some(name) = headers.iter().find(|name| !columns.iter().any(|column| column == name)) {
        let all = columns.join(", ");
        return Err(failed(format!("column `{name}` is not known")).hint(format!("there are {all}")));
    }
    let is_twice = |(at, name): &(usize, &str)| headers.iter().take(*at).any(|before| before == *name);
    if let Some((_, name)) = headers.iter().enumerate().find(is_twice) {
        return Err(failed(format!("column `{name}` is there twice; leave one of them")));
    }
    let mut rows = Vec::new();
    for (row, number) in reader.records().zip(2..) {
        let row = row.map_err(|error| failed(error.to_string()))?;
        let values = headers.iter().zip(row.iter()).filter(|(_, value)| !value.is_empty());
        rows.push((number, values.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()));
    }
    Ok(rows)
}

fn members(row: &Row, columns: &[(&str, &str)]) -> Map<String, Value> {
    let member = |(column, member): &(&str, &str)| Some(((*member).to_owned(), json!(row.get(*column)?)));
    columns.iter().filter_map(member).collect()
}
