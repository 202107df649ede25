//! Invoices for which the buyer gave the number of an order (R19).
//!
//! In AWS Marketplace the number is the order's id: a known order gets a line for the purchase, an expired one is active again, an unknown one is
//! created; a suspended one gets the line, and the invoice carries no order. On other invoices the number only narrows the candidates to that order.
//!
//! Source: AWS Marketplace buyer guide, "Purchase orders"; AWS Purchase Order Management FAQ.

use super::decide::{decision, is_of_purchase, order_reason, usage_ordered, weigh};
use super::index::{Indexed, Matcher, Orders};
use super::rules::rank;
use super::trace::{OrderReason, OrderTrace, OrderVerdict, Trace};
use super::{Decision, Effect, MatchError, NoOrder, Outcome};
use crate::money::{Cost, Currency, Quantity};
use crate::period::BillingPeriod;
use crate::purchase_order::invoice::{MatchInvoice, RequestedOrder};
use crate::purchase_order::{
    ACTIVE_ORDERS_MAX, ExpiryBasis, LINES_MAX, Line, LineNumber, LineType, Price, PurchaseOrder, Status,
    month_of,
};
use std::collections::{BTreeMap, BTreeSet};

impl Matcher {
    pub(super) fn decide_requested(
        &mut self,
        invoice: &MatchInvoice,
        requested: &RequestedOrder,
    ) -> Result<Decision, MatchError> {
        let (effects, refused) = self.effects(invoice, requested);
        let (outcome, of_subject) = match self.orders.get_mut(&invoice.buyer) {
            Some(orders) if effects.is_empty() => {
                let range = orders.place(&requested.id).map_or(0..0, |place| place..place + 1);
                weigh(invoice, &self.settings, orders, range)?
            }
            _ => {
                let mut alone = Orders::default();
                self.subject(invoice, requested, &effects).into_iter().for_each(|it| alone.insert(it));
                let range = 0..alone.all.len();
                weigh(invoice, &self.settings, &mut alone, range)?
            }
        };
        let outcome = match refused {
            Some(reason) => Outcome::None(reason),
            None => outcome,
        };
        // What could not be taken leaves the order as it was, except that a suspended one has its line.
        let kept = matches!(outcome, Outcome::Associated(_) | Outcome::Held(_))
            || refused == Some(NoOrder::RequestedSuspended);
        let effects = if kept { effects } else { Vec::new() };
        // An order that is not made after all is none that could be told of.
        let is_there = self.indexed(&invoice.buyer, &requested.id).is_some() || !effects.is_empty();
        let of_subject = if is_there { of_subject } else { Trace::default() };
        let trace = self.trace_beside(invoice, requested, of_subject);
        Ok(decision(invoice, outcome, effects, trace))
    }

    /// The order that was asked for, as the effects leave it.
    fn subject(
        &self,
        invoice: &MatchInvoice,
        requested: &RequestedOrder,
        effects: &[Effect],
    ) -> Option<Indexed> {
        let created = effects.iter().find_map(|effect| match effect {
            Effect::Create(order) => Some(Indexed::new((**order).clone())),
            Effect::Revive { .. } | Effect::AddLine { .. } => None,
        });
        let there = || self.indexed(&invoice.buyer, &requested.id).map(Indexed::again);
        let subject = created.or_else(there)?;
        Some(effects.iter().fold(subject, |subject, effect| subject.changed(effect)))
    }

    /// Every other order of the buyer was not asked for.
    fn trace_beside(&self, invoice: &MatchInvoice, requested: &RequestedOrder, of_subject: Trace) -> Trace {
        let all = self.orders.get(&invoice.buyer).into_iter().flat_map(|of| &of.all);
        let ids = all.map(|indexed| &indexed.order.id);
        let others = ids.filter(|id| **id != requested.id).map(|id| OrderTrace {
            order: id.clone(),
            verdict: OrderVerdict::Fell(OrderReason::NotRequested),
        });
        let mut orders: Vec<OrderTrace> = others.chain(of_subject.orders).collect();
        orders.sort_by(|a, b| a.order.cmp(&b.order));
        Trace { orders }
    }

    /// What the purchase does to orders, and why the invoice carries none whatever they are then.
    fn effects(&self, invoice: &MatchInvoice, requested: &RequestedOrder) -> (Vec<Effect>, Option<NoOrder>) {
        let ordered = usage_ordered(invoice, &self.settings);
        let purchase = rank(LineType::MarketplaceTransaction, invoice.kind, ordered).is_some();
        let has_type = self.settings.has_type(&invoice.seller, LineType::MarketplaceTransaction);
        let Some(indexed) = self.indexed(&invoice.buyer, &requested.id) else {
            return match () {
                () if self.is_reserved(&invoice.buyer, &requested.id) => {
                    (Vec::new(), Some(NoOrder::RequestedDeleted))
                }
                () if !purchase || !has_type => (Vec::new(), Some(NoOrder::RequestedUnknown)),
                () if self.active(invoice) >= ACTIVE_ORDERS_MAX => {
                    (Vec::new(), Some(NoOrder::RequestedLimit))
                }
                () => (vec![Effect::Create(Box::new(self.new_order(invoice, requested)))], None),
            };
        };
        let order = &indexed.order;
        let suspended = order.suspended.then_some(NoOrder::RequestedSuspended);
        let mut effects = Vec::new();
        let mut seen = PurchaseOrder { suspended: false, ..order.clone() };
        if purchase && matches!(order_reason(invoice, &seen, &self.settings), Some(OrderReason::Expired(_))) {
            let revived = self.months(invoice).1.max(order.expiration);
            if self.active(invoice) >= ACTIVE_ORDERS_MAX && suspended.is_none() {
                return (Vec::new(), Some(NoOrder::RequestedLimit));
            }
            effects.push(Effect::Revive { order: order.id.clone(), expiration: revived });
            seen.expiration = revived;
        }
        let passes = order_reason(invoice, &seen, &self.settings).is_none();
        let is_line = |at: usize| {
            let line = &order.lines[at];
            line.line_type == LineType::MarketplaceTransaction
                && line.has_period(invoice.period)
                && is_of_purchase(invoice, order, at)
        };
        if purchase && passes && has_type && !(0..order.lines.len()).any(is_line) {
            if order.lines.len() >= LINES_MAX {
                return (Vec::new(), suspended.or(Some(NoOrder::RequestedLimit)));
            }
            let line = Box::new(new_line(invoice, requested, order.currency, &order.lines));
            effects.push(Effect::AddLine { order: order.id.clone(), line });
        }
        if !passes {
            effects.clear();
        }
        (effects, suspended)
    }

    /// The first and the last month of an order that a purchase makes, the last one also of an order that it revives: those of its line, which is
    /// for the invoice's month. By the wall clock they have the month as well in which the invoice is issued.
    fn months(&self, invoice: &MatchInvoice) -> (BillingPeriod, BillingPeriod) {
        let issued = match self.settings.expiry_basis {
            ExpiryBasis::BillingPeriod => invoice.period,
            ExpiryBasis::WallClock => month_of(invoice.issued_at).unwrap_or(invoice.period),
        };
        (issued.min(invoice.period), issued.max(invoice.period))
    }

    /// How many active orders the buyer has when the invoice is issued.
    fn active(&self, invoice: &MatchInvoice) -> usize {
        let orders = self.orders.get(&invoice.buyer).into_iter().flat_map(|of| &of.all);
        orders.filter(|it| it.order.status(invoice.issued_at) == Status::Active).count()
    }

    /// The order that AWS Marketplace creates for an unknown number: default information and no contacts.
    fn new_order(&self, invoice: &MatchInvoice, requested: &RequestedOrder) -> PurchaseOrder {
        let (effective, expiration) = self.months(invoice);
        PurchaseOrder {
            id: requested.id.clone(),
            buyer: invoice.buyer.clone(),
            description: None,
            bill_from: BTreeSet::from([invoice.seller.clone()]),
            tax_registration_numbers: BTreeSet::new(),
            invoice_units: BTreeSet::new(),
            ship_to: None,
            bill_to: None,
            payment_terms: None,
            currency: invoice.currency,
            effective,
            expiration,
            contacts: Vec::new(),
            tags: BTreeMap::new(),
            suspended: false,
            created_at: invoice.issued_at,
            updated_at: invoice.issued_at,
            lines: vec![new_line(invoice, requested, invoice.currency, &[])],
        }
    }
}

/// The line that AWS Marketplace adds for a purchase: of the invoice's month and total, without balance tracking.
fn new_line(invoice: &MatchInvoice, requested: &RequestedOrder, currency: Currency, beside: &[Line]) -> Line {
    let is_free = |number: &LineNumber| beside.iter().all(|line| line.number != *number);
    let wanted = requested.line.clone().unwrap_or_else(|| LineNumber::of(1));
    let numbers = std::iter::once(wanted).chain((1..=beside.len()).map(LineNumber::of));
    let number = numbers.into_iter().find(is_free).unwrap_or_else(|| LineNumber::of(beside.len() + 1));
    let same = invoice.currency == currency;
    let total = Cost::parse(&invoice.total.to_string()).ok().filter(|_| same);
    let price = total.and_then(|total| Price::new(total, Quantity::ONE, None, currency).ok());
    Line {
        number,
        description: None,
        line_type: LineType::MarketplaceTransaction,
        start: invoice.period,
        end: invoice.period,
        balance_tracking: false,
        charge: invoice.charge.clone(),
        price: price.unwrap_or_default(),
    }
}
