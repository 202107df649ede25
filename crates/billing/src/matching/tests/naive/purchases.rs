//! Whole histories, naively: purchases that name orders (R19), credit memos (D7), and the wall clock. Balances are summed anew each time.

use super::*;
use crate::matching::converted;
use crate::purchase_order::{ExpiryBasis, month_of};

/// What there is, without any index.
struct Ledger {
    settings: Settings,
    orders: Vec<PurchaseOrder>,
    deleted: PurchaseOrderId,
    /// Every invoice so far, with its order, line and what it takes.
    invoices: Vec<(MatchInvoice, Option<Charge>)>,
}

type Charge = (PurchaseOrderId, LineNumber, Option<Amount>);

impl Ledger {
    fn order(&self, id: &PurchaseOrderId) -> Option<&PurchaseOrder> {
        self.orders.iter().find(|order| order.id == *id)
    }

    fn left(&self, order: &PurchaseOrder, line: &Line) -> Amount {
        let here = |(_, charge): &(MatchInvoice, Option<Charge>)| {
            let (id, number, used) = charge.as_ref()?;
            (*id == order.id && *number == line.number).then_some(*used)?
        };
        let used = self.invoices.iter().filter_map(here);
        used.fold(line.price.value().total, |left, used| left.minus(used).unwrap())
    }

    /// Decides by the plain rules among some orders.
    fn weigh(&self, invoice: &MatchInvoice, orders: &[PurchaseOrder]) -> (String, Option<Charge>, Trace) {
        let balance = |order: usize, line: usize| self.left(&orders[order], &orders[order].lines[line]);
        let (winner, trace) = naive(invoice, orders, &self.settings, balance);
        let Some((order, line, covered)) = winner else {
            let reason = match () {
                () if orders.is_empty() => NoOrder::NoOrders,
                () if trace.orders.iter().all(|it| matches!(it.verdict, OrderVerdict::Fell(_))) => {
                    NoOrder::NoOrderEligible
                }
                () => NoOrder::NoLineEligible,
            };
            return (reason.name().to_owned(), None, trace);
        };
        let (order, line) = (&orders[order], &orders[order].lines[line].number);
        let told = format!("{}/{line}", order.id);
        let used = used_of(invoice, order).unwrap();
        match self.settings.on_insufficient_balance {
            OnInsufficientBalance::Hold if !covered => (format!("held {told}"), None, trace),
            OnInsufficientBalance::LeaveUnmatched if !covered => {
                (NoOrder::NoBalance.name().to_owned(), None, trace)
            }
            _ => (told, Some((order.id.clone(), line.clone(), used)), trace),
        }
    }

    /// D7: to the line of its original, by whose exchange it is where it states none, with the other sign.
    fn memo(&self, memo: &MatchInvoice) -> (String, Option<Charge>, Trace) {
        let none = |reason: NoOrder| (reason.name().to_owned(), None, Trace::default());
        let Some(name) = &memo.original else { return none(NoOrder::NoOriginal) };
        let original = self.invoices.iter().find(|(invoice, _)| invoice.id == *name);
        let Some((original, Some((id, line, _)))) = original else {
            return none(NoOrder::OriginalWithoutOrder);
        };
        let order = self.order(id).unwrap();
        let absolute = if memo.total < Amount::ZERO { memo.total.negated() } else { memo.total };
        let by = |exchange| converted(absolute, memo.currency, order.currency, exchange).unwrap();
        let gives = original.kind != InvoiceKind::CreditMemo && original.total < Amount::ZERO;
        let used = by(memo.exchange).or_else(|| by(original.exchange)).map(|it| it.total);
        let used = used.map(|used| if gives { used } else { used.negated() });
        (format!("{id}/{line}"), Some((id.clone(), line.clone(), used)), Trace::default())
    }

    /// R19: the order that was asked for as the purchase leaves it, or why there is none.
    fn subject(&self, invoice: &MatchInvoice, requested: &RequestedOrder) -> Result<PurchaseOrder, NoOrder> {
        let purchase = match invoice.kind {
            InvoiceKind::MarketplaceOutOfCycle => true,
            InvoiceKind::MarketplaceMonthly => self.settings.marketplace_transaction_for_usage,
            _ => false,
        };
        let has_type = self.settings.has_type(&invoice.seller, LineType::MarketplaceTransaction);
        let by_clock = self.settings.expiry_basis == ExpiryBasis::WallClock;
        let issued = if by_clock { month_of(invoice.issued_at).unwrap() } else { invoice.period };
        let (from, until) = (invoice.period.min(issued), invoice.period.max(issued));
        let Some(order) = self.order(&requested.id) else {
            return match () {
                () if requested.id == self.deleted => Err(NoOrder::RequestedDeleted),
                () if !purchase || !has_type => Err(NoOrder::RequestedUnknown),
                () => Ok(PurchaseOrder {
                    currency: invoice.currency,
                    bill_from: BTreeSet::from([invoice.seller.clone()]),
                    effective: from,
                    expiration: until,
                    created_at: invoice.issued_at,
                    updated_at: invoice.issued_at,
                    ..order(requested.id.as_str(), vec![bought(invoice, requested, invoice.currency, &[])])
                }),
            };
        };
        let mut awake = PurchaseOrder { suspended: false, ..order.clone() };
        let reason = order_reason(invoice, &awake, &self.settings);
        if purchase && matches!(reason, Some(OrderReason::Expired(_))) {
            awake.expiration = until.max(order.expiration);
        }
        if !purchase || order_reason(invoice, &awake, &self.settings).is_some() {
            return Ok(order.clone());
        }
        let has_line = awake.lines.iter().any(|line| {
            line.line_type == LineType::MarketplaceTransaction
                && line.has_period(invoice.period)
                && is_of_purchase(invoice, order, line)
        });
        if has_type && !has_line {
            awake.lines.push(bought(invoice, requested, order.currency, &order.lines));
        }
        Ok(PurchaseOrder { suspended: order.suspended, ..awake })
    }

    fn requested(
        &mut self,
        invoice: &MatchInvoice,
        requested: &RequestedOrder,
    ) -> (String, Option<Charge>, Trace) {
        let others: Vec<PurchaseOrderId> =
            self.orders.iter().map(|order| order.id.clone()).filter(|id| *id != requested.id).collect();
        let beside = |of: Trace| {
            let fell = |order: &PurchaseOrderId| OrderTrace {
                order: order.clone(),
                verdict: OrderVerdict::Fell(OrderReason::NotRequested),
            };
            let mut orders: Vec<OrderTrace> = others.iter().map(fell).chain(of.orders).collect();
            orders.sort_by(|a, b| a.order.cmp(&b.order));
            Trace { orders }
        };
        let subject = match self.subject(invoice, requested) {
            Ok(subject) => subject,
            Err(reason) => return (reason.name().to_owned(), None, beside(Trace::default())),
        };
        let (mut told, mut charge, trace) = self.weigh(invoice, std::slice::from_ref(&subject));
        if subject.suspended {
            (told, charge) = (NoOrder::RequestedSuspended.name().to_owned(), None);
        }
        if charge.is_some() || told.starts_with("held ") || subject.suspended {
            self.orders.retain(|order| order.id != subject.id);
            self.orders.push(subject);
            self.orders.sort_by(|a, b| a.id.cmp(&b.id));
        }
        (told, charge, beside(trace))
    }

    fn take(&mut self, invoice: &MatchInvoice) -> (String, Trace) {
        let usage = invoice.kind == InvoiceKind::MarketplaceMonthly;
        let asks = !usage || self.settings.marketplace_transaction_for_usage;
        let (told, charge, trace) = match &invoice.requested {
            _ if invoice.kind == InvoiceKind::CreditMemo => self.memo(invoice),
            Some(requested) if asks => self.requested(invoice, requested),
            _ => self.weigh(invoice, &self.orders),
        };
        self.invoices.push((invoice.clone(), charge));
        (told, trace)
    }
}

/// The line of a purchase: under the number that was given, or the lowest one that is free.
fn bought(invoice: &MatchInvoice, requested: &RequestedOrder, currency: Currency, beside: &[Line]) -> Line {
    let is_free = |number: &LineNumber| beside.iter().all(|line| line.number != *number);
    let wanted = requested.line.clone().filter(is_free).or_else(|| (1..).map(LineNumber::of).find(is_free));
    let total = Cost::parse(&invoice.total.to_string()).unwrap();
    let price = Price::new(total, Quantity::ONE, None, currency).ok();
    Line {
        start: invoice.period,
        end: invoice.period,
        charge: invoice.charge.clone(),
        price: price.filter(|_| invoice.currency == currency).unwrap_or_default(),
        ..line(wanted.unwrap().as_str(), LineType::MarketplaceTransaction)
    }
}

/// An invoice that may ask for an order, be below 0, or be a memo of one before it.
fn any_asking() -> impl Strategy<Value = MatchInvoice> {
    let asks = (0..14_usize, 0..3_usize, 1..=12_u8);
    (any_invoice(), asks, 0..24_usize, any::<bool>()).prop_map(
        |(of, (asked, line, issued), original, odd)| {
            let id_of = |at: usize| if at == 9 { id("GONE") } else { id(&format!("PO {at}")) };
            let named = |at: usize| RequestedOrder {
                id: id_of(at),
                line: [None, Some("1"), Some("7")][line].map(number),
                others: Vec::new(),
            };
            let is_memo = original < 8;
            MatchInvoice {
                kind: if is_memo { InvoiceKind::CreditMemo } else { of.kind },
                original: is_memo.then(|| format!("INV-{original}")),
                total: if odd { of.total.negated() } else { of.total },
                requested: (asked < 10).then(|| named(asked)),
                issued_at: at(&format!("2025-{issued:02}-03T06:00:00Z")),
                ..of
            }
        },
    )
}

proptest! {
    #[test]
    fn whole_histories_are_as_the_naive_ledger_has_them(
        orders in proptest::collection::vec(any_order(), 0..6),
        invoices in proptest::collection::vec(any_asking(), 1..24),
        on in 0..3_usize, flags in any::<[bool; 3]>(),
    ) {
        use OnInsufficientBalance as On;
        let [prefer, usage, by_clock] = flags;
        let settings = Settings {
            prefer_invoice_unit: prefer,
            marketplace_transaction_for_usage: usage,
            expiry_basis: if by_clock { ExpiryBasis::WallClock } else { ExpiryBasis::BillingPeriod },
            on_insufficient_balance: [On::Associate, On::Hold, On::LeaveUnmatched][on],
            ..Settings::default()
        };
        let named = orders.into_iter().zip(0..);
        let orders: Vec<_> =
            named.map(|(it, at)| PurchaseOrder { id: id(&format!("PO {at}")), ..it }).collect();
        let mut matcher = Matcher::new(settings.clone(), orders.clone());
        matcher.reserve(Buyer::Payer, id("GONE"));
        let mut ledger = Ledger { settings, orders, deleted: id("GONE"), invoices: Vec::new() };
        for (invoice, at) in invoices.into_iter().zip(0..) {
            let invoice = MatchInvoice { id: format!("INV-{at}"), ..invoice };
            let (expected, trace) = ledger.take(&invoice);
            let decision = matcher.take(&invoice).unwrap();
            prop_assert_eq!(told(&decision), expected);
            prop_assert_eq!(&decision.trace, &trace);
            prop_assert!(matcher.orders().eq(&ledger.orders));
            for order in &ledger.orders {
                for line in &order.lines {
                    let place =
                        crate::matching::Place { order: order.id.clone(), line: line.number.clone() };
                    prop_assert_eq!(matcher.balance(&Buyer::Payer, &place), Some(ledger.left(order, line)));
                }
            }
        }
    }
}
