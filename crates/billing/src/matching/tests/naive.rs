//! The rules once more, naively: every candidate is collected and each rule filters them. What the matcher decides and tells must be the same.

use super::*;
use crate::matching::decide::{order_reason, used_of};
use crate::matching::{Association, LineFold, OrderTrace, PlacedBy, Trace, rank};
use crate::purchase_order::OnInsufficientBalance;
use crate::purchase_order::invoice::Exchange;
use proptest::prelude::*;
use std::cmp::Reverse;

mod purchases;

/// A line of an order, by their places, and whether its balance covers the invoice.
type Candidate = (usize, usize, u8, bool);

/// Whether the buyer gave an order for AWS Marketplace usage and the settings allow that.
fn usage_ordered(invoice: &MatchInvoice, settings: &Settings) -> bool {
    settings.marketplace_transaction_for_usage && invoice.requested.is_some()
}

/// Whether a line is for the purchase of an invoice: by the charge where both have one, else by the number that the buyer gave.
fn is_of_purchase(invoice: &MatchInvoice, order: &PurchaseOrder, line: &Line) -> bool {
    if line.charge.is_some() && invoice.charge.is_some() {
        return line.charge == invoice.charge;
    }
    let Some(requested) = &invoice.requested else { return false };
    requested.id == order.id && (requested.line.is_none() || requested.line.as_ref() == Some(&line.number))
}

fn line_reason(
    invoice: &MatchInvoice,
    order: &PurchaseOrder,
    line: &Line,
    settings: &Settings,
) -> Option<LineReason> {
    let of = line.line_type;
    let other_purchase = of == LineType::MarketplaceTransaction && !is_of_purchase(invoice, order, line);
    match () {
        () if rank(of, invoice.kind, usage_ordered(invoice, settings)).is_none() => {
            Some(LineReason::TypeNotApplicable)
        }
        () if !settings.has_type(&invoice.seller, of) => Some(LineReason::TypeEntityNotSupported),
        () if other_purchase => Some(LineReason::TransactionMismatch),
        () if !line.has_period(invoice.period) => Some(LineReason::PeriodOutsideLine),
        () if line.balance_tracking && used_of(invoice, order).unwrap().is_none() => {
            Some(LineReason::CurrencyMismatch)
        }
        () => None,
    }
}

/// The trace and the line that wins; `balance` is asked for what is left of a line.
fn naive(
    invoice: &MatchInvoice,
    orders: &[PurchaseOrder],
    settings: &Settings,
    balance: impl Fn(usize, usize) -> Amount,
) -> (Option<(usize, usize, bool)>, Trace) {
    let mut reasons: Vec<Result<Vec<Option<LineReason>>, OrderReason>> = Vec::new();
    let mut candidates: Vec<Candidate> = Vec::new();
    for (place, order) in orders.iter().enumerate() {
        if let Some(reason) = order_reason(invoice, order, settings) {
            reasons.push(Err(reason));
            continue;
        }
        let fallen: Vec<_> =
            order.lines.iter().map(|line| line_reason(invoice, order, line, settings)).collect();
        for (at, line) in order.lines.iter().enumerate().filter(|(at, _)| fallen[*at].is_none()) {
            let used = used_of(invoice, order).unwrap();
            let enough = |used: Amount| used <= Amount::ZERO || balance(place, at) >= used;
            let covers = !line.balance_tracking || used.is_some_and(enough);
            candidates.push((
                place,
                at,
                rank(line.line_type, invoice.kind, usage_ordered(invoice, settings)).unwrap(),
                covers,
            ));
        }
        reasons.push(Ok(fallen));
    }
    let all = candidates.clone();
    let names_unit = |it: &Candidate| !orders[it.0].invoice_units.is_empty();
    let preferred = settings.prefer_invoice_unit && candidates.iter().any(names_unit);
    candidates.retain(|it| !preferred || names_unit(it));
    let top = candidates.iter().map(|it| it.2).max();
    candidates.retain(|it| Some(it.2) == top);
    let covered = candidates.iter().any(|it| it.3);
    candidates.retain(|it| it.3 == covered);
    let winner = candidates.iter().min_by(|a, b| {
        let key = |it: &Candidate| (Reverse(orders[it.0].updated_at), orders[it.0].id.clone());
        let span = |it: &Candidate| (orders[it.0].lines[it.1].months(), orders[it.0].lines[it.1].end);
        let number = |it: &Candidate| orders[it.0].lines[it.1].number.clone();
        (key(a), span(a)).cmp(&(key(b), span(b))).then_with(|| number(a).natural_order(&number(b)))
    });
    let taken = covered || settings.on_insufficient_balance != OnInsufficientBalance::LeaveUnmatched;
    for it in &all {
        let Some(winner) = winner else { continue };
        let updated = (orders[it.0].updated_at, orders[winner.0].updated_at);
        let reason = match () {
            () if preferred && !names_unit(it) => LineReason::UnitPreferred,
            () if Some(it.2) < top => LineReason::LessSpecific,
            () if !it.3 && (covered || !taken) => LineReason::InsufficientBalance,
            () if it.0 != winner.0 && updated.0 < updated.1 => LineReason::UpdatedEarlier,
            () if it.0 != winner.0 => LineReason::LaterId,
            () if it.1 != winner.1 => LineReason::OtherLine,
            () => LineReason::Taken,
        };
        reasons[it.0].as_mut().unwrap()[it.1] = Some(reason);
    }
    let traces = orders.iter().zip(reasons).enumerate().map(|(place, (order, reasons))| OrderTrace {
        order: order.id.clone(),
        verdict: match reasons {
            Err(reason) => OrderVerdict::Fell(reason),
            Ok(reasons) => OrderVerdict::Lines(folded(order, &reasons, |at| balance(place, at)).into()),
        },
    });
    (winner.map(|it| (it.0, it.1, covered)), Trace { orders: traces.collect() })
}

fn folded(
    order: &PurchaseOrder,
    reasons: &[Option<LineReason>],
    balance: impl Fn(usize) -> Amount,
) -> Vec<LineFold> {
    let folds = LineReason::ALL.into_iter().filter_map(|reason| {
        let first = reasons.iter().position(|it| *it == Some(reason))?;
        let count = reasons.iter().filter(|it| **it == Some(reason)).count();
        let told = matches!(reason, LineReason::InsufficientBalance | LineReason::Taken);
        let number = order.lines[first].number.clone();
        let count = u32::try_from(count).unwrap();
        Some(LineFold { reason, count, first: number, balance: told.then(|| balance(first)) })
    });
    folds.collect()
}

fn euro() -> Currency {
    Currency::parse("EUR").unwrap()
}

fn any_line() -> impl Strategy<Value = Line> {
    (0..LineType::ALL.len(), 1..=12_u8, 0..12_u8, any::<bool>(), 0..40_u32, 0..4_usize).prop_map(
        |(of, start, months, track, worth, charge)| Line {
            balance_tracking: track,
            start: BillingPeriod::new(2025, start).unwrap(),
            end: BillingPeriod::new(2025, (start + months).min(12)).unwrap(),
            charge: [None, Some("c1"), Some("c2"), Some("c3")][charge].map(str::to_owned),
            ..tracked("1", LineType::ALL[of], &format!("{worth}.00"))
        },
    )
}

fn any_order() -> impl Strategy<Value = PurchaseOrder> {
    let lines = proptest::collection::vec(any_line(), 0..12);
    let bounds = (0..3_i64, 0..8_usize, 0..4_usize, 0..4_usize, 1..=6_u8, 6..=12_u8);
    (lines, bounds, any::<bool>()).prop_map(|(lines, (updated_at, odd, unit, trn, from, until), in_euro)| {
        let numbered = lines.into_iter().zip(1..);
        let lines = numbered.map(|(line, at)| Line { number: number(&format!("{at}")), ..line });
        let some = |at: usize, of: &str| (at > 1).then(|| format!("{of}-{at}")).into_iter().collect();
        let code = if odd == 1 { "*" } else { "AWS_INC" };
        PurchaseOrder {
            updated_at,
            suspended: odd == 0,
            bill_from: BTreeSet::from([seller(if odd == 2 { "AWS_EUROPE" } else { code })]),
            currency: if in_euro && odd > 4 { euro() } else { usd() },
            invoice_units: some(unit, "iu"),
            tax_registration_numbers: some(trn.saturating_sub(1), "trn"),
            effective: BillingPeriod::new(2025, from).unwrap(),
            expiration: BillingPeriod::new(2025, until).unwrap(),
            ..order("A", lines.collect())
        }
    })
}

fn any_invoice() -> impl Strategy<Value = MatchInvoice> {
    let kinds = InvoiceKind::ALL.len() - 1;
    (0..kinds, 1..=12_u8, 0..60_u32, 0..4_usize, 0..4_usize, 0..4_usize, any::<[bool; 3]>()).prop_map(
        |(kind, period, total, unit, trn, charge, [rate, europe, in_euro])| {
            let rate = rate.then(|| crate::money::Rate::parse("0.9").unwrap());
            MatchInvoice {
                seller: seller(if europe { "AWS_EUROPE" } else { "AWS_INC" }),
                period: BillingPeriod::new(2025, period).unwrap(),
                currency: if in_euro { euro() } else { usd() },
                exchange: rate.map(|rate| Exchange { source: usd(), target: euro(), rate }),
                invoice_unit: (unit > 1).then(|| format!("iu-{unit}")),
                tax_registration_number: (trn > 0).then(|| format!("trn-{trn}")),
                charge: [None, Some("c1"), Some("c2"), Some("c4")][charge].map(str::to_owned),
                ..invoice("INV", InvoiceKind::ALL[kind], &total.to_string())
            }
        },
    )
}

proptest! {
    #[test]
    fn the_matcher_decides_and_tells_what_the_naive_rules_do(
        orders in proptest::collection::vec(any_order(), 0..8),
        invoices in proptest::collection::vec(any_invoice(), 1..16),
        on in 0..3_usize, prefer in any::<bool>(),
    ) {
        use OnInsufficientBalance as On;
        let on = [On::Associate, On::Hold, On::LeaveUnmatched][on];
        let settings =
            Settings { prefer_invoice_unit: prefer, on_insufficient_balance: on, ..Settings::default() };
        let named = orders.into_iter().zip(0..);
        let orders: Vec<_> =
            named.map(|(it, at)| PurchaseOrder { id: id(&format!("PO {at}")), ..it }).collect();
        let place = |order: usize, line: usize| super::super::Place {
            order: orders[order].id.clone(),
            line: orders[order].lines[line].number.clone(),
        };
        let mut matcher = Matcher::new(settings.clone(), orders.clone());
        for (invoice, at) in invoices.into_iter().zip(0..) {
            let invoice = MatchInvoice { id: format!("INV-{at}"), ..invoice };
            let balance = |order, line| matcher.balance(&Buyer::Payer, &place(order, line)).unwrap();
            let (winner, trace) = naive(&invoice, &orders, &settings, balance);
            let decision = matcher.take(&invoice).unwrap();
            prop_assert_eq!(&decision.trace, &trace);
            let expected = winner.map(|(order, line, covered)| (place(order, line), covered));
            let found = match decision.outcome {
                Outcome::Associated(taking) => Some((taking.place, !taking.out_of_balance)),
                Outcome::Held(taking) => { prop_assert_eq!(on, On::Hold); Some((taking.place, false)) }
                Outcome::None(NoOrder::NoBalance) => {
                    prop_assert_eq!(on, On::LeaveUnmatched);
                    expected.clone().filter(|(_, covered)| !covered)
                }
                Outcome::None(_) => None,
            };
            prop_assert_eq!(found, expected);
        }
        // What was kept of earlier answers is of no other balances: an order that gives everything back is as it was.
        let kept: Vec<Association> = matcher.placed.values().cloned().collect();
        for association in kept {
            matcher.place(Association { used: None, by: PlacedBy::Person, ..association }).unwrap();
        }
        for (order, at) in orders.iter().zip(0..) {
            for (line, of) in order.lines.iter().zip(0..) {
                let left = matcher.balance(&Buyer::Payer, &place(at, of));
                prop_assert_eq!(left, Some(line.price.value().total));
            }
        }
    }
}
