//! Purchase orders and the invoices that are matched with them.

use super::{Body, number, parsed, shape, text};
use billing::configuration::BillingGroupId;
use billing::matching::three_way::{Terms, Tolerance};
use billing::money::{Amount, Currency, Percentage, Rate};
use billing::period::BillingPeriod;
use billing::purchase_order::invoice::{Exchange, InvoiceKind, MatchInvoice, Origin, RequestedOrder};
use billing::purchase_order::{
    Address, Buyer, Contact, Draft, DraftLine, DraftTax, ExpiryBasis, LineNumber, LineType,
    OnInsufficientBalance, PurchaseOrder, PurchaseOrderId, Seller, Settings,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The buyer as a column has it: empty for the payer, else the id of the billing group.
pub(crate) fn buyer_text(buyer: &Buyer) -> &str {
    match buyer {
        Buyer::Payer => "",
        Buyer::BillingGroup(id) => id.as_str(),
    }
}

/// The buyer of a column.
pub(crate) fn buyer_of(text: &str) -> Result<Buyer, String> {
    match text {
        "" => Ok(Buyer::Payer),
        id => parsed("billing group", id, BillingGroupId::parse(id)).map(Buyer::BillingGroup),
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AddressShape {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    company: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lines: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    district: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    city: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    postal_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    country: Option<String>,
}

impl AddressShape {
    fn of(address: &Address) -> Self {
        let Address { company, lines, district, city, state, postal_code, country } = address.clone();
        Self { company, lines, district, city, state, postal_code, country }
    }

    fn address(self) -> Address {
        let Self { company, lines, district, city, state, postal_code, country } = self;
        Address { company, lines, district, city, state, postal_code, country }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContactShape {
    name: String,
    email: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LineShape {
    number: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    line_type: String,
    start: String,
    end: String,
    #[serde(default)]
    balance_tracking: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quantity: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tax: Option<TaxShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    charge: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TaxShape {
    Amount(String),
    Percent(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderShape {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    bill_from: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tax_registration_numbers: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    invoice_units: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ship_to: Option<AddressShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bill_to: Option<AddressShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment_terms: Option<String>,
    currency: String,
    effective: String,
    expiration: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    contacts: Vec<ContactShape>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    suspended: bool,
    created_at_s: i64,
    updated_at_s: i64,
    lines: Vec<LineShape>,
}

/// The JSON of an order. Whose it is stands beside it.
pub(crate) fn write_order(order: &PurchaseOrder) -> String {
    let draft = Draft::of(order);
    let contact = |Contact { name, email, phone }: Contact| ContactShape { name, email, phone };
    text(&OrderShape {
        id: draft.id,
        description: draft.description,
        bill_from: draft.bill_from,
        tax_registration_numbers: draft.tax_registration_numbers,
        invoice_units: draft.invoice_units,
        ship_to: draft.ship_to.as_ref().map(AddressShape::of),
        bill_to: draft.bill_to.as_ref().map(AddressShape::of),
        payment_terms: draft.payment_terms,
        currency: draft.currency,
        effective: draft.effective_month,
        expiration: draft.expiration_month,
        contacts: draft.contacts.into_iter().map(contact).collect(),
        tags: draft.tags.into_iter().collect(),
        suspended: draft.suspended,
        created_at_s: order.created_at,
        updated_at_s: order.updated_at,
        lines: draft.lines.into_iter().map(line_shape).collect(),
    })
}

fn line_shape(line: DraftLine) -> LineShape {
    LineShape {
        number: line.number,
        description: line.description,
        line_type: line.line_type,
        start: line.start_month,
        end: line.end_month,
        balance_tracking: line.balance_tracking,
        amount: line.amount,
        quantity: line.quantity,
        tax: line.tax.map(|tax| match tax {
            DraftTax::Amount(amount) => TaxShape::Amount(amount),
            DraftTax::Percent(percent) => TaxShape::Percent(percent),
        }),
        charge: line.charge,
    }
}

/// The order of a buyer that JSON says.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn read_order(buyer: Buyer, json: &str) -> Result<PurchaseOrder, String> {
    let order: OrderShape = shape(json)?;
    let (created_at, updated_at) = (order.created_at_s, order.updated_at_s);
    let contact = |ContactShape { name, email, phone }: ContactShape| Contact { name, email, phone };
    let line = |line: LineShape| DraftLine {
        number: line.number,
        description: line.description,
        line_type: line.line_type,
        start_month: line.start,
        end_month: line.end,
        balance_tracking: line.balance_tracking,
        amount: line.amount,
        quantity: line.quantity,
        tax: line.tax.map(|tax| match tax {
            TaxShape::Amount(amount) => DraftTax::Amount(amount),
            TaxShape::Percent(percent) => DraftTax::Percent(percent),
        }),
        charge: line.charge,
    };
    let draft = Draft {
        id: order.id,
        description: order.description,
        bill_from: order.bill_from,
        tax_registration_numbers: order.tax_registration_numbers,
        invoice_units: order.invoice_units,
        ship_to: order.ship_to.map(AddressShape::address),
        bill_to: order.bill_to.map(AddressShape::address),
        payment_terms: order.payment_terms,
        currency: order.currency,
        effective_month: order.effective,
        expiration_month: order.expiration,
        contacts: order.contacts.into_iter().map(contact).collect(),
        tags: order.tags.into_iter().collect(),
        suspended: order.suspended,
        lines: order.lines.into_iter().map(line).collect(),
    };
    // Settings may have become narrower since it was kept.
    billing::purchase_order::read(&draft, &buyer, created_at, updated_at)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InvoiceShape {
    origin: OriginShape,
    kind: String,
    seller: String,
    period: String,
    total: String,
    currency: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exchange: Option<ExchangeShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tax_registration_number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invoice_unit: Option<String>,
    issued_at_s: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_at_s: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    charge: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    requested: Option<RequestedShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    original: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OriginShape {
    Provider,
    ProForma,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExchangeShape {
    source: String,
    target: String,
    rate: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestedShape {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    others: Vec<String>,
}

/// The JSON of an invoice; its id and its buyer stand beside it.
pub(crate) fn write_invoice(invoice: &MatchInvoice, due_at_s: Option<i64>) -> String {
    text(&InvoiceShape {
        origin: match invoice.origin {
            Origin::Provider => OriginShape::Provider,
            Origin::ProForma => OriginShape::ProForma,
        },
        kind: invoice.kind.name().to_owned(),
        seller: invoice.seller.to_string(),
        period: invoice.period.to_string(),
        total: invoice.total.to_string(),
        currency: invoice.currency.to_string(),
        exchange: invoice.exchange.map(|exchange| ExchangeShape {
            source: exchange.source.to_string(),
            target: exchange.target.to_string(),
            rate: exchange.rate.to_string(),
        }),
        tax_registration_number: invoice.tax_registration_number.clone(),
        invoice_unit: invoice.invoice_unit.clone(),
        issued_at_s: invoice.issued_at,
        due_at_s,
        charge: invoice.charge.clone(),
        requested: invoice.requested.as_ref().map(|requested| RequestedShape {
            id: requested.id.to_string(),
            line: requested.line.as_ref().map(ToString::to_string),
            others: requested.others.iter().map(ToString::to_string).collect(),
        }),
        original: invoice.original.clone(),
    })
}

fn currency(text: &str) -> Result<Currency, String> {
    parsed("currency", text, Currency::parse(text))
}

fn order_id(text: &str) -> Result<PurchaseOrderId, String> {
    parsed("number of a purchase order", text, PurchaseOrderId::parse(text))
}

/// The invoice of a buyer that JSON says, and when it is due.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn read_invoice(
    id: &str,
    buyer: Buyer,
    json: &str,
) -> Result<(MatchInvoice, Option<i64>), String> {
    let of: InvoiceShape = shape(json)?;
    let exchange = |of: ExchangeShape| {
        let (source, target) = (currency(&of.source)?, currency(&of.target)?);
        Ok::<_, String>(Exchange { source, target, rate: number(&of.rate, Rate::parse(&of.rate))? })
    };
    let requested = |of: RequestedShape| {
        let line = |text: &String| parsed("number of a line", text, LineNumber::parse(text));
        Ok::<_, String>(RequestedOrder {
            id: order_id(&of.id)?,
            line: of.line.as_ref().map(line).transpose()?,
            others: of.others.iter().map(|id| order_id(id)).collect::<Result<_, _>>()?,
        })
    };
    let invoice = MatchInvoice {
        id: id.to_owned(),
        origin: match of.origin {
            OriginShape::Provider => Origin::Provider,
            OriginShape::ProForma => Origin::ProForma,
        },
        buyer,
        kind: parsed("kind of invoice", &of.kind, InvoiceKind::parse(&of.kind))?,
        seller: parsed("seller", &of.seller, Seller::parse(&of.seller))?,
        period: number(&of.period, BillingPeriod::parse(&of.period))?,
        total: number(&of.total, Amount::parse(&of.total))?,
        currency: currency(&of.currency)?,
        exchange: of.exchange.map(exchange).transpose()?,
        tax_registration_number: of.tax_registration_number,
        invoice_unit: of.invoice_unit,
        issued_at: of.issued_at_s,
        charge: of.charge,
        requested: of.requested.map(requested).transpose()?,
        original: of.original,
    };
    Ok((invoice, of.due_at_s))
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsShape {
    prefer_invoice_unit: bool,
    expiry_basis: ExpiryShape,
    on_insufficient_balance: InsufficientShape,
    marketplace_transaction_for_usage: bool,
    allow_number_sign: bool,
    line_types: Vec<String>,
    line_type_sellers: BTreeMap<String, Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cost_tolerance_amount: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cost_tolerance_percentage: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line_tolerance_amount: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line_tolerance_percentage: Option<String>,
    #[serde(default)]
    require_order: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approval_above: Option<String>,
    /// Notification settings have them by now; earlier versions wrote them here as well, and nothing was told by them.
    #[serde(default, skip_serializing, rename = "balance_thresholds")]
    _balance_thresholds: serde::de::IgnoredAny,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ExpiryShape {
    BillingPeriod,
    WallClock,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum InsufficientShape {
    Associate,
    Hold,
    LeaveUnmatched,
}

impl Body for Settings {
    fn write(&self) -> String {
        let sellers = |(of, sellers): (&LineType, &std::collections::BTreeSet<Seller>)| {
            (of.name().to_owned(), sellers.iter().map(ToString::to_string).collect())
        };
        let amount = |of: Option<Amount>| of.map(|of| of.to_string());
        let percent = |of: Option<Percentage>| of.map(|of| of.to_string());
        let Terms { cost, line, require_order, approval_above } = self.terms;
        text(&SettingsShape {
            prefer_invoice_unit: self.prefer_invoice_unit,
            expiry_basis: match self.expiry_basis {
                ExpiryBasis::BillingPeriod => ExpiryShape::BillingPeriod,
                ExpiryBasis::WallClock => ExpiryShape::WallClock,
            },
            on_insufficient_balance: match self.on_insufficient_balance {
                OnInsufficientBalance::Associate => InsufficientShape::Associate,
                OnInsufficientBalance::Hold => InsufficientShape::Hold,
                OnInsufficientBalance::LeaveUnmatched => InsufficientShape::LeaveUnmatched,
            },
            marketplace_transaction_for_usage: self.marketplace_transaction_for_usage,
            allow_number_sign: self.allow_number_sign,
            line_types: self.line_types.iter().map(|of| of.name().to_owned()).collect(),
            line_type_sellers: self.line_type_sellers.iter().map(sellers).collect(),
            cost_tolerance_amount: amount(cost.amount),
            cost_tolerance_percentage: percent(cost.percent),
            line_tolerance_amount: amount(line.amount),
            line_tolerance_percentage: percent(line.percent),
            require_order,
            approval_above: amount(approval_above),
            _balance_thresholds: serde::de::IgnoredAny,
        })
    }

    fn read(text: &str) -> Result<Self, String> {
        let of: SettingsShape = shape(text)?;
        let line_type = |name: &String| parsed("type of line", name, LineType::parse(name));
        let sellers = |(name, codes): (String, Vec<String>)| {
            let codes = codes.iter().map(|code| parsed("seller", code, Seller::parse(code)));
            Ok::<_, String>((line_type(&name)?, codes.collect::<Result<_, _>>()?))
        };
        Ok(Self {
            prefer_invoice_unit: of.prefer_invoice_unit,
            expiry_basis: match of.expiry_basis {
                ExpiryShape::BillingPeriod => ExpiryBasis::BillingPeriod,
                ExpiryShape::WallClock => ExpiryBasis::WallClock,
            },
            on_insufficient_balance: match of.on_insufficient_balance {
                InsufficientShape::Associate => OnInsufficientBalance::Associate,
                InsufficientShape::Hold => OnInsufficientBalance::Hold,
                InsufficientShape::LeaveUnmatched => OnInsufficientBalance::LeaveUnmatched,
            },
            marketplace_transaction_for_usage: of.marketplace_transaction_for_usage,
            allow_number_sign: of.allow_number_sign,
            line_types: of.line_types.iter().map(line_type).collect::<Result<_, _>>()?,
            line_type_sellers: of.line_type_sellers.into_iter().map(sellers).collect::<Result<_, _>>()?,
            terms: Terms {
                cost: tolerance(&of.cost_tolerance_amount, &of.cost_tolerance_percentage)?,
                line: tolerance(&of.line_tolerance_amount, &of.line_tolerance_percentage)?,
                require_order: of.require_order,
                approval_above: optional_amount(&of.approval_above)?,
            },
        })
    }
}

fn optional_amount(text: &Option<String>) -> Result<Option<Amount>, String> {
    text.as_ref().map(|text| number(text, Amount::parse(text))).transpose()
}

fn tolerance(amount: &Option<String>, percent: &Option<String>) -> Result<Tolerance, String> {
    let percent = percent.as_ref().map(|text| number(text, Percentage::parse(text)));
    Ok(Tolerance { amount: optional_amount(amount)?, percent: percent.transpose()? })
}

#[cfg(test)]
mod tests;
