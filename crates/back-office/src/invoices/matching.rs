//! Which purchase order of the customer's a document refers to: what the rules of matching say of it, and where its amount is taken from.
//!
//! A preview asks and keeps nothing. A document that is issued is matched in the transaction that issues it, so that what is printed on it is what was decided.

use super::options::DraftOptions;
use crate::error::{Answer, Error, refused};
use crate::purchasing::invoice_files::seller_named;
use crate::purchasing::matching::NewInvoice;
use crate::purchasing::state::Purchasing;
use crate::purchasing::{PurchaseEdit, Rights};
use billing::configuration::BillingGroupId;
use billing::invoice::preview::OrderOutcome;
use billing::invoice::terms::OrderReference;
use billing::invoice::{Date, Invoice, Kind};
use billing::matching::{Decision, NoOrder, OrderVerdict, Outcome, Taking, no_order, order_reason};
use billing::money::Amount;
use billing::period::BillingPeriod;
use billing::purchase_order::invoice::{Exchange, InvoiceKind, MatchInvoice, Origin, RequestedOrder};
use billing::purchase_order::{Buyer, LineNumber, PurchaseOrderId, Seller};

const DAY_SECONDS: i64 = 86_400;
/// Characters of a seller in an order.
const SELLER_CHARACTERS_MAX: usize = 100;
/// How many orders that fell a warning names.
const FALLEN_TOLD_MAX: usize = 3;

/// Whose document it is, of which period, and when it is issued.
#[derive(Clone, Copy)]
pub(super) struct Matched<'a> {
    pub billing_group: &'a str,
    pub period: BillingPeriod,
    /// Now, in seconds since 1970-01-01T00:00:00Z.
    pub now: i64,
}

/// The purchase order that a draft's document would refer to, and what a preview says of it. Orders that may not be named to whoever asks are in no reason.
pub(super) fn asked(
    purchasing: &Purchasing,
    sight: &Rights<'_>,
    options: &DraftOptions,
    document: &Invoice,
    of: Matched<'_>,
) -> Answer<(OrderOutcome, Option<OrderReference>)> {
    let new = matched(document, options, of)?;
    let decision = purchasing.decide(&new.invoice)?;
    let buyer = &new.invoice.buyer;
    let is_named =
        |id: &PurchaseOrderId| purchasing.order_ever(buyer, id).is_none_or(|row| sight.names(&row.order));
    Ok(said(purchasing, options, &new.invoice, &decision, is_named))
}

/// Matches a draft's document as it is issued, under its number, and has it refer to its purchase order.
pub(super) fn issued(
    edit: &mut PurchaseEdit<'_>,
    options: &DraftOptions,
    document: &mut Invoice,
    of: Matched<'_>,
) -> Answer<()> {
    let new = matched(document, options, of)?;
    let decision = edit.put_issued(&new)?;
    let (_, reference) = said(&edit.next, options, &new.invoice, &decision, |_| true);
    document.refer_to(reference);
    Ok(())
}

/// Matches a credit note as it is issued: it goes where its invoice is at present (D7), and refers to that order.
pub(super) fn credited(edit: &mut PurchaseEdit<'_>, note: &mut Invoice, of: Matched<'_>) -> Answer<()> {
    let new = matched(note, &DraftOptions::default(), of)?;
    if let Outcome::Associated(taking) = edit.put_issued(&new)?.outcome {
        note.refer_to(Some(reference(&taking)));
    }
    Ok(())
}

/// A document as the rules take it: its total with tax, from the seller under its legal name, at the moment of issue or the end of an earlier day of issue.
fn matched(document: &Invoice, options: &DraftOptions, of: Matched<'_>) -> Answer<NewInvoice> {
    let group = BillingGroupId::parse(of.billing_group);
    let group = group.ok_or_else(|| Error::internal(of.billing_group.to_owned()))?;
    let name = document.seller.legal_name.trim();
    let shortened: String = name.chars().take(SELLER_CHARACTERS_MAX).collect();
    let seller: Seller = seller_named(shortened.trim_end()).map_err(refused)?;
    let exchange = document.exchange.as_ref();
    let invoice = MatchInvoice {
        id: document.number.clone(),
        origin: Origin::ProForma,
        buyer: Buyer::BillingGroup(group),
        kind: match document.kind {
            Kind::Invoice => InvoiceKind::MonthlyUsage,
            Kind::CreditNote => InvoiceKind::CreditMemo,
        },
        seller,
        period: of.period,
        total: Amount::parse(&document.totals.gross.to_string()).map_err(Error::internal)?,
        currency: document.currency,
        exchange: exchange.map(|of| Exchange { source: of.from, target: of.to, rate: of.rate }),
        tax_registration_number: document.buyer.vat_id().map(ToOwned::to_owned),
        invoice_unit: None,
        issued_at: of.now.min(midnight(document.issued) + DAY_SECONDS - 1),
        charge: None,
        requested: requested(options),
        original: document.preceding.as_ref().map(|of| of.number.clone()),
    };
    Ok(NewInvoice {
        invoice,
        due_at_s: document.due.map(midnight),
        carries: None,
        says_kind: true,
        is_listed: false,
    })
}

/// The first second of a day, in seconds since 1970-01-01T00:00:00Z.
fn midnight(day: Date) -> i64 {
    i64::from(day.days()) * DAY_SECONDS
}

/// The order that the operator has named (R19); none where the text is not a number that an order can have.
fn requested(options: &DraftOptions) -> Option<RequestedOrder> {
    let id = PurchaseOrderId::parse(options.purchase_order.as_deref()?)?;
    let line = options.purchase_order_line.as_deref().and_then(LineNumber::parse);
    Some(RequestedOrder { id, line, others: Vec::new() })
}

/// What was decided, as a preview says it, naming some orders in its reasons, and as the document refers to it.
fn said(
    purchasing: &Purchasing,
    options: &DraftOptions,
    invoice: &MatchInvoice,
    decision: &Decision,
    is_named: impl Fn(&PurchaseOrderId) -> bool,
) -> (OrderOutcome, Option<OrderReference>) {
    // What the operator has named is printed also where no such order is kept here: customers may keep their orders to themselves.
    let named = options
        .purchase_order
        .as_ref()
        .map(|number| OrderReference { number: number.clone(), line: options.purchase_order_line.clone() });
    let reason = match &decision.outcome {
        Outcome::Associated(taking) => {
            let reference = reference(taking);
            let (number, taken) = (reference.number.clone(), taking.place.line.to_string());
            let outcome = match &options.purchase_order_line {
                Some(named) if named.trim() != taken => {
                    OrderOutcome::OtherLine { number, named: named.clone(), taken }
                }
                _ => OrderOutcome::Found(number),
            };
            return (outcome, Some(reference));
        }
        Outcome::Held(Taking { place, .. }) if !is_named(&place.order) => {
            "an order has too little left, and such invoices wait for a person".to_owned()
        }
        Outcome::Held(Taking { place, .. }) => format!(
            "line `{}` of `{}` has too little left, and such invoices wait for a person",
            place.line, place.order
        ),
        Outcome::None(reason) => because(*reason, invoice, decision, is_named),
    };
    // One that is kept here and refused is not printed: the customer's own ledger says that the invoice has none (R19).
    let named = named.filter(|named| {
        let id = PurchaseOrderId::parse(&named.number);
        !id.is_some_and(|id| purchasing.has_order(&invoice.buyer, &id))
    });
    let outcome = match &named {
        _ if purchasing.has_orders(&invoice.buyer) => OrderOutcome::None(reason),
        Some(named) => OrderOutcome::Found(named.number.clone()),
        None => OrderOutcome::NotAsked,
    };
    (outcome, named)
}

fn reference(taking: &Taking) -> OrderReference {
    OrderReference { number: taking.place.order.to_string(), line: Some(taking.place.line.to_string()) }
}

/// Why there is no order, with the reasons of the first orders that fell.
fn because(
    reason: NoOrder,
    invoice: &MatchInvoice,
    decision: &Decision,
    is_named: impl Fn(&PurchaseOrderId) -> bool,
) -> String {
    let mut said = no_order(reason, invoice);
    let fell =
        decision.trace.orders.iter().filter(|of| is_named(&of.order)).filter_map(|of| match &of.verdict {
            OrderVerdict::Fell(reason) => Some(format!("`{}`: {}", of.order, order_reason(*reason, invoice))),
            OrderVerdict::Lines(_) => None,
        });
    let fell: Vec<String> = fell.collect();
    if reason == NoOrder::NoOrderEligible && !fell.is_empty() {
        let more = fell.len().saturating_sub(FALLEN_TOLD_MAX);
        let told = fell.into_iter().take(FALLEN_TOLD_MAX).collect::<Vec<_>>().join("; ");
        let more = if more == 0 { String::new() } else { format!("; and of {more} more") };
        said = format!("{said} ({told}{more})");
    }
    said
}
