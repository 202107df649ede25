//! The rules of matching, each by its name in docs/purchase-orders.md.

mod correction;
mod decisions;
mod explain;
mod heading;
mod json;
mod laws;
mod marketplace;
mod naive;
mod notices;
mod rules;
mod three_way;
mod vectors;

use super::{Decision, LineReason, Matcher, NoOrder, OrderReason, OrderVerdict, Outcome};
use crate::configuration::BillingGroupId;
use crate::money::{Amount, Cost, Currency, Percentage, Quantity};
use crate::period::BillingPeriod;
use crate::purchase_order::invoice::{InvoiceKind, MatchInvoice, Origin, RequestedOrder};
use crate::purchase_order::{
    Buyer, Line, LineNumber, LineType, Price, PurchaseOrder, PurchaseOrderId, Seller, Settings, Tax,
    parse_instant,
};
use std::collections::{BTreeMap, BTreeSet};

pub(in crate::matching) fn month(text: &str) -> BillingPeriod {
    BillingPeriod::parse(text).unwrap()
}

pub(in crate::matching) fn amount(text: &str) -> Amount {
    Amount::parse(text).unwrap()
}

pub(in crate::matching) fn usd() -> Currency {
    Currency::parse("USD").unwrap()
}

pub(in crate::matching) fn id(text: &str) -> PurchaseOrderId {
    PurchaseOrderId::parse(text).unwrap()
}

pub(in crate::matching) fn number(text: &str) -> LineNumber {
    LineNumber::parse(text).unwrap()
}

pub(in crate::matching) fn seller(text: &str) -> Seller {
    Seller::parse(text).unwrap()
}

pub(in crate::matching) fn at(text: &str) -> i64 {
    parse_instant(text).unwrap()
}

/// An order of the payer to AWS Inc. for 2025 in USD, with these lines.
pub(in crate::matching) fn order(name: &str, lines: Vec<Line>) -> PurchaseOrder {
    PurchaseOrder {
        id: id(name),
        buyer: Buyer::Payer,
        description: None,
        bill_from: BTreeSet::from([seller("AWS_INC")]),
        tax_registration_numbers: BTreeSet::new(),
        invoice_units: BTreeSet::new(),
        ship_to: None,
        bill_to: None,
        payment_terms: None,
        currency: usd(),
        effective: month("2025-01"),
        expiration: month("2025-12"),
        contacts: Vec::new(),
        tags: BTreeMap::new(),
        suspended: false,
        created_at: at("2025-01-02T00:00:00Z"),
        updated_at: at("2025-01-02T00:00:00Z"),
        lines,
    }
}

/// A line for 2025 without balance tracking.
pub(in crate::matching) fn line(name: &str, line_type: LineType) -> Line {
    Line {
        number: number(name),
        description: None,
        line_type,
        start: month("2025-01"),
        end: month("2025-12"),
        balance_tracking: false,
        charge: None,
        price: Price::default(),
    }
}

/// A line for 2025 that tracks a balance in USD.
pub(in crate::matching) fn tracked(name: &str, line_type: LineType, worth: &str) -> Line {
    let price = Price::new(Cost::parse(worth).unwrap(), Quantity::ONE, None, usd()).unwrap();
    Line { balance_tracking: true, price, ..line(name, line_type) }
}

/// An invoice of AWS Inc. for 2025-04 in USD.
pub(in crate::matching) fn invoice(name: &str, kind: InvoiceKind, total: &str) -> MatchInvoice {
    MatchInvoice {
        id: name.to_owned(),
        origin: Origin::Provider,
        buyer: Buyer::Payer,
        kind,
        seller: seller("AWS_INC"),
        period: month("2025-04"),
        total: amount(total),
        currency: usd(),
        exchange: None,
        tax_registration_number: None,
        invoice_unit: None,
        issued_at: at("2025-05-03T06:00:00Z"),
        charge: None,
        requested: None,
        original: None,
    }
}

fn usage(name: &str, total: &str) -> MatchInvoice {
    invoice(name, InvoiceKind::MonthlyUsage, total)
}

fn matcher(orders: Vec<PurchaseOrder>) -> Matcher {
    Matcher::new(Settings::default(), orders)
}

/// `PO/line` or the reason's name.
pub(in crate::matching) fn told(decision: &Decision) -> String {
    match &decision.outcome {
        Outcome::Associated(taking) => format!("{}/{}", taking.place.order, taking.place.line),
        Outcome::Held(taking) => format!("held {}/{}", taking.place.order, taking.place.line),
        Outcome::None(reason) => reason.name().to_owned(),
    }
}

/// The trace of an order in short: its reason, or `REASON×count(first)` of its lines.
fn traced(decision: &Decision, name: &str) -> String {
    let trace = decision.trace.orders.iter().find(|it| it.order.as_str() == name).unwrap();
    match &trace.verdict {
        OrderVerdict::Fell(reason) => reason.name().to_owned(),
        OrderVerdict::Lines(folds) => {
            let text = folds.iter().map(|it| format!("{}×{}({})", it.reason.name(), it.count, it.first));
            text.collect::<Vec<_>>().join(" ")
        }
    }
}
