//! The shapes of orders, as they are on the wire. What an answer leaves out is absent, never null.

use super::{at_fault, group_arn, shown_name};
use crate::call::Call;
use back_office::error::Answer;
use back_office::purchasing::order_files::ImportedLine;
use back_office::purchasing::orders::{CURRENCY, LineView, OrderChange, OrderView};
use billing::money::Quantity;
use billing::purchase_order::{Address, Buyer, Contact as OrderContact, Draft, DraftLine, DraftTax, Tax};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The buyer that is the payer itself.
pub(crate) const PAYER: &str = "PAYER";
const BILLING_GROUP: &str = "BILLING_GROUP";

/// An address.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AddressShape {
    #[serde(skip_serializing_if = "Option::is_none")]
    company: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lines: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    district: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
}

impl AddressShape {
    pub(crate) fn address(self) -> Address {
        let Self { company, lines, district, city, state, postal_code, country } = self;
        Address { company, lines, district, city, state, postal_code, country }
    }

    fn of(address: &Address) -> Self {
        let Address { company, lines, district, city, state, postal_code, country } = address.clone();
        Self { company, lines, district, city, state, postal_code, country }
    }
}

/// Who is told.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Contact {
    #[serde(default)]
    name: String,
    email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
}

impl Contact {
    pub(crate) fn contact(self) -> OrderContact {
        OrderContact { name: self.name, email: self.email, phone: self.phone }
    }

    fn of(contact: &OrderContact) -> Self {
        let OrderContact { name, email, phone } = contact.clone();
        Self { name, email, phone }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TaxShape {
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    percentage: Option<String>,
}

/// A line as it is asked for.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct LineIn {
    number: String,
    description: Option<String>,
    #[serde(rename = "Type")]
    line_type: String,
    start_month: String,
    end_month: String,
    balance_tracking: Option<bool>,
    amount: Option<String>,
    quantity: Option<String>,
    tax: Option<TaxShape>,
    charge_id: Option<String>,
}

/// Lines as `billing` takes them; `path` is the member that has them.
pub(crate) fn draft_lines(lines: Vec<LineIn>, path: &str) -> Answer<Vec<DraftLine>> {
    Ok(imported_lines(lines, path)?.into_iter().map(|of| of.line).collect())
}

/// The same, each with whether it says that its balance is followed.
pub(crate) fn imported_lines(lines: Vec<LineIn>, path: &str) -> Answer<Vec<ImportedLine>> {
    let line = |(place, line): (usize, LineIn)| {
        let tax = match line.tax {
            None => None,
            Some(TaxShape { amount: Some(amount), percentage: None }) => Some(DraftTax::Amount(amount)),
            Some(TaxShape { amount: None, percentage: Some(percentage) }) => {
                Some(DraftTax::Percent(percentage))
            }
            Some(_) => {
                let message = "a tax is an `Amount` or a `Percentage`: give one of the two";
                return Err(at_fault(&format!("{path}[{place}].Tax"), message));
            }
        };
        let is_tracked = line.balance_tracking;
        let line = DraftLine {
            number: line.number,
            description: line.description,
            line_type: line.line_type,
            start_month: month(line.start_month),
            end_month: month(line.end_month),
            balance_tracking: is_tracked.unwrap_or(false),
            amount: line.amount,
            quantity: line.quantity,
            tax,
            charge: line.charge_id,
        };
        Ok(ImportedLine { line, is_tracked })
    };
    lines.into_iter().enumerate().map(line).collect()
}

/// A month whose number may have one digit, with two.
pub(crate) fn month(text: String) -> String {
    match text.split_once('-') {
        Some((year, month)) if month.len() == 1 => format!("{year}-0{month}"),
        _ => text,
    }
}

/// An order as it is asked for.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct OrderIn {
    pub(crate) purchase_order_id: String,
    description: Option<String>,
    bill_from: Vec<String>,
    #[serde(default)]
    tax_registration_numbers: Vec<String>,
    #[serde(default)]
    invoice_units: Vec<String>,
    ship_to: Option<AddressShape>,
    bill_to: Option<AddressShape>,
    payment_terms: Option<String>,
    currency: Option<String>,
    effective_month: String,
    expiration_month: String,
    #[serde(default)]
    contacts: Vec<Contact>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    line_items: Vec<LineIn>,
}

impl OrderIn {
    /// What it says of an order.
    pub(crate) fn draft(self) -> Answer<Draft> {
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        Ok(Draft {
            id: self.purchase_order_id,
            description: said(self.description),
            bill_from: self.bill_from,
            tax_registration_numbers: self.tax_registration_numbers,
            invoice_units: self.invoice_units,
            ship_to: self.ship_to.map(AddressShape::address),
            bill_to: self.bill_to.map(AddressShape::address),
            payment_terms: said(self.payment_terms),
            currency: self.currency.unwrap_or_else(|| CURRENCY.to_owned()),
            effective_month: month(self.effective_month),
            expiration_month: month(self.expiration_month),
            contacts: self.contacts.into_iter().map(Contact::contact).collect(),
            tags: self.tags.into_iter().collect(),
            suspended: false,
            lines: draft_lines(self.line_items, "LineItems")?,
        })
    }
}

/// An order of a file as it is asked for; what it does not say stays as it is of an order that is here.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ImportedIn {
    pub(crate) billing_group_arn: Option<String>,
    pub(crate) updated_at: String,
    pub(crate) created_at: Option<String>,
    pub(crate) suspended: Option<bool>,
    pub(crate) purchase_order_id: String,
    pub(crate) tags: Option<BTreeMap<String, String>>,
    pub(crate) line_items: Vec<LineIn>,
    #[serde(flatten)]
    pub(crate) said: Said,
}

/// What a file says of an order's own fields.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Said {
    description: Option<String>,
    bill_from: Vec<String>,
    tax_registration_numbers: Option<Vec<String>>,
    invoice_units: Option<Vec<String>>,
    ship_to: Option<AddressShape>,
    bill_to: Option<AddressShape>,
    payment_terms: Option<String>,
    currency: Option<String>,
    effective_month: String,
    expiration_month: String,
    contacts: Option<Vec<Contact>>,
}

impl Said {
    pub(crate) fn change(self) -> OrderChange {
        OrderChange {
            description: self.description,
            bill_from: Some(self.bill_from),
            tax_registration_numbers: self.tax_registration_numbers,
            invoice_units: self.invoice_units,
            ship_to: self.ship_to.map(AddressShape::address),
            bill_to: self.bill_to.map(AddressShape::address),
            payment_terms: self.payment_terms,
            currency: self.currency,
            effective_month: Some(month(self.effective_month)),
            expiration_month: Some(month(self.expiration_month)),
            contacts: self.contacts.map(|of| of.into_iter().map(Contact::contact).collect()),
            ..OrderChange::default()
        }
    }
}

/// A line as it is shown.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LineOut {
    number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(rename = "Type")]
    line_type: &'static str,
    start_month: String,
    end_month: String,
    balance_tracking: bool,
    amount: String,
    quantity: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax: Option<TaxShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    charge_id: Option<String>,
    net_value: String,
    tax_value: String,
    total_value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoiced_amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_balance: Option<String>,
    out_of_balance: bool,
}

impl LineOut {
    fn of(view: &LineView) -> Self {
        let line = &view.line;
        let value = line.price.value();
        let tax = line.price.tax().map(|tax| match tax {
            Tax::Amount(amount) => TaxShape { amount: Some(amount.to_string()), percentage: None },
            Tax::Percent(percent) => TaxShape { amount: None, percentage: Some(percent.to_string()) },
        });
        let quantity: Quantity = line.price.quantity();
        Self {
            number: line.number.to_string(),
            description: line.description.clone(),
            line_type: line.line_type.name(),
            start_month: line.start.to_string(),
            end_month: line.end.to_string(),
            balance_tracking: line.balance_tracking,
            amount: line.price.amount().to_string(),
            quantity: quantity.to_string(),
            tax,
            charge_id: line.charge.clone(),
            net_value: value.net.to_string(),
            tax_value: value.tax.to_string(),
            total_value: value.total.to_string(),
            invoiced_amount: view.invoiced.map(|amount| amount.to_string()),
            current_balance: view.balance.map(|amount| amount.to_string()),
            out_of_balance: view.is_out_of_balance(),
        }
    }
}

/// An order as it is shown.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Order {
    #[serde(flatten)]
    summary: Summary,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tax_registration_numbers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    invoice_units: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ship_to: Option<AddressShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bill_to: Option<AddressShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_terms: Option<String>,
    contacts: Vec<Contact>,
    tags: BTreeMap<String, String>,
    line_items: Vec<LineOut>,
    revision: u64,
    created_on: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_by: Option<String>,
}

impl Order {
    pub(crate) fn of(call: &Call<'_>, view: &OrderView) -> Self {
        let (row, order) = (&view.row, &view.row.order);
        Self {
            summary: Summary::of(call, view),
            description: order.description.clone(),
            tax_registration_numbers: order.tax_registration_numbers.iter().cloned().collect(),
            invoice_units: order.invoice_units.iter().cloned().collect(),
            ship_to: order.ship_to.as_ref().map(AddressShape::of),
            bill_to: order.bill_to.as_ref().map(AddressShape::of),
            payment_terms: order.payment_terms.clone(),
            contacts: order.contacts.iter().map(Contact::of).collect(),
            tags: order.tags.clone(),
            line_items: view.lines.iter().map(LineOut::of).collect(),
            revision: row.revision,
            created_on: order.created_at,
            updated_by: shown_name(call, row.recorded_by.clone()),
        }
    }
}

/// An order as it is listed.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Summary {
    purchase_order_arn: String,
    purchase_order_id: String,
    buyer: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_group_arn: Option<String>,
    bill_from: Vec<String>,
    currency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoiced_amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance_amount: Option<String>,
    out_of_balance: bool,
    effective_month: String,
    expiration_month: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    starts_in_month: Option<String>,
    updated_on: i64,
}

impl Summary {
    pub(crate) fn of(call: &Call<'_>, view: &OrderView) -> Self {
        let order = &view.row.order;
        Self {
            purchase_order_arn: view.arn.clone(),
            purchase_order_id: order.id.to_string(),
            buyer: match order.buyer {
                Buyer::Payer => PAYER,
                Buyer::BillingGroup(_) => BILLING_GROUP,
            },
            billing_group_arn: group_arn(call, &order.buyer),
            bill_from: order.bill_from.iter().map(ToString::to_string).collect(),
            currency: order.currency.to_string(),
            total_amount: view.value.map(|amount| amount.to_string()),
            invoiced_amount: view.invoiced.map(|amount| amount.to_string()),
            balance_amount: view.balance.map(|amount| amount.to_string()),
            out_of_balance: view.out_of_balance,
            effective_month: order.effective.to_string(),
            expiration_month: order.expiration.to_string(),
            status: view.status.name(),
            starts_in_month: view.starts_later.map(|month| month.to_string()),
            updated_on: order.updated_at,
        }
    }
}
