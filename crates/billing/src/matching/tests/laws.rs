//! What is true of any orders and invoices.

use super::*;
use crate::matching::{Association, PlacedBy, Rematch, in_order};
use proptest::prelude::*;

fn any_line() -> impl Strategy<Value = (usize, u8, u8, bool, u32)> {
    (0..LineType::ALL.len(), 1..=12_u8, 0..6_u8, any::<bool>(), 0..50_000_u32)
}

fn any_order() -> impl Strategy<Value = PurchaseOrder> {
    let lines = proptest::collection::vec(any_line(), 0..6);
    (lines, 0..4_i64, any::<bool>(), 0..3_usize, 1..=6_u8, 6..=12_u8).prop_map(
        |(lines, updated_at, suspended, unit, effective, expiration)| {
            let lines = lines.into_iter().zip(1..).map(|((of, start, months, track, cents), number)| {
                let worth = format!("{}.{:02}", cents / 100, cents % 100);
                Line {
                    balance_tracking: track,
                    start: BillingPeriod::new(2025, start).unwrap(),
                    end: BillingPeriod::new(2025, (start + months).min(12)).unwrap(),
                    ..tracked(&format!("{number}"), LineType::ALL[of], &worth)
                }
            });
            let units = [None, Some("iu-1"), Some("iu-2")][unit];
            PurchaseOrder {
                updated_at,
                // Some are suspended, most are not.
                suspended: suspended && updated_at == 0,
                invoice_units: units.into_iter().map(str::to_owned).collect(),
                effective: BillingPeriod::new(2025, effective).unwrap(),
                expiration: BillingPeriod::new(2025, expiration).unwrap(),
                ..order("A", lines.collect())
            }
        },
    )
}

fn any_orders() -> impl Strategy<Value = Vec<PurchaseOrder>> {
    proptest::collection::vec(any_order(), 0..8).prop_map(|orders| {
        let named = orders.into_iter().zip(0..);
        named.map(|(order, number)| PurchaseOrder { id: id(&format!("PO {number}")), ..order }).collect()
    })
}

/// Invoices and memos: a memo names any of them as its original, also itself or one that comes later.
fn any_invoices() -> impl Strategy<Value = Vec<MatchInvoice>> {
    let one = (0..InvoiceKind::ALL.len(), 1..=12_u8, 0..60_000_u32, 0..4_i64, 0..3_usize, 0..12_usize);
    proptest::collection::vec(one, 0..12).prop_map(|invoices| {
        let numbered = invoices.into_iter().zip(0..);
        let made = numbered.map(|((kind, period, cents, issued_at, unit, original), number): (_, usize)| {
            let total = format!("{}.{:02}", cents / 100, cents % 100);
            MatchInvoice {
                period: BillingPeriod::new(2025, period).unwrap(),
                issued_at,
                invoice_unit: [None, Some("iu-1"), Some("iu-2")][unit].map(str::to_owned),
                original: Some(format!("INV-{original}")),
                ..invoice(&format!("INV-{number}"), InvoiceKind::ALL[kind], &total)
            }
        });
        made.collect()
    })
}

fn associations(matcher: &Matcher, invoices: &[MatchInvoice]) -> Vec<Association> {
    invoices.iter().filter_map(|invoice| matcher.association(&invoice.id).cloned()).collect()
}

/// Matches invoices again that are where `current` says.
fn rematch(orders: Vec<PurchaseOrder>, invoices: &[MatchInvoice], current: &[Association]) -> Rematch {
    let mut matcher = matcher(orders);
    for association in current {
        matcher.place(association.clone()).unwrap();
    }
    matcher.rematch(invoices).unwrap()
}

proptest! {
    #[test]
    fn the_order_in_which_orders_and_invoices_are_stored_does_not_matter(
        orders in any_orders(), invoices in any_invoices(), by in any::<u64>(),
    ) {
        let mut one = matcher(orders.clone());
        let first = one.take_all(&invoices).unwrap();
        let turn = |length: usize| usize::try_from(by).unwrap_or(7) % length.max(1);
        let (mut orders, mut turned) = (orders, invoices.clone());
        orders.reverse();
        let by = turn(turned.len());
        turned.rotate_left(by);
        let mut other = matcher(orders);
        prop_assert_eq!(first, other.take_all(&turned).unwrap());
    }

    #[test]
    fn law_8_a_lines_balance_is_its_value_less_its_invoices_plus_their_memos(
        orders in any_orders(), invoices in any_invoices(),
    ) {
        let mut matcher = matcher(orders.clone());
        matcher.take_all(&invoices).unwrap();
        for order in &orders {
            for line in &order.lines {
                let mut expected = line.price.value().total;
                for invoice in &invoices {
                    let here = matcher.association(&invoice.id).map(|it| &it.place);
                    if here.is_some_and(|it| it.order == order.id && it.line == line.number) {
                        let memo = invoice.kind == InvoiceKind::CreditMemo;
                        let change = if memo { invoice.total } else { invoice.total.negated() };
                        expected = expected.plus(change).unwrap();
                    }
                }
                let place = super::super::Place { order: order.id.clone(), line: line.number.clone() };
                prop_assert_eq!(matcher.balance(&Buyer::Payer, &place), Some(expected));
            }
        }
    }

    #[test]
    fn matching_again_changes_nothing_where_nothing_has_changed(
        orders in any_orders(), invoices in any_invoices(), held in 0..12_usize,
    ) {
        let mut matcher = matcher(orders.clone());
        matcher.take_all(&invoices).unwrap();
        let mut current = associations(&matcher, &invoices);
        if let Some(association) = current.get_mut(held) {
            association.by = PlacedBy::Person;
        }
        let again = rematch(orders, &invoices, &current);
        prop_assert_eq!(again.changes, vec![]);
        let sorted = |mut of: Vec<Association>| { of.sort_by(|a, b| a.invoice.cmp(&b.invoice)); of };
        prop_assert_eq!(sorted(again.associations), sorted(current));
    }

    #[test]
    fn every_invoice_is_decided_once_and_every_line_is_traced_once(
        orders in any_orders(), invoices in any_invoices(),
    ) {
        let sorted = in_order(&invoices);
        let names: BTreeSet<&str> = sorted.iter().map(|invoice| invoice.id.as_str()).collect();
        prop_assert_eq!((sorted.len(), names.len()), (invoices.len(), invoices.len()));
        for decision in matcher(orders.clone()).take_all(&invoices).unwrap() {
            if decision.trace.orders.is_empty() {
                continue;
            }
            prop_assert_eq!(decision.trace.orders.len(), orders.len());
            let mut taken = 0;
            for (traced, order) in decision.trace.orders.iter().zip(&orders) {
                if let OrderVerdict::Lines(folds) = &traced.verdict {
                    let counted: u32 = folds.iter().map(|fold| fold.count).sum();
                    prop_assert_eq!(counted as usize, order.lines.len());
                    taken += folds.iter().filter(|fold| fold.reason == LineReason::Taken).count();
                }
            }
            prop_assert_eq!(taken, usize::from(decision.place().is_some()));
        }
    }
}

#[test]
fn d10_invoices_are_decided_by_issue_time_then_by_id_and_memos_after_their_originals() {
    let at = |name: &str, issued_at| MatchInvoice { issued_at, ..usage(name, "1") };
    let memo = |name: &str, issued_at, of: &str| MatchInvoice {
        kind: InvoiceKind::CreditMemo,
        original: Some(of.into()),
        ..at(name, issued_at)
    };
    let invoices =
        [at("B", 2), at("C", 1), at("A", 2), memo("A-CM", 2, "B"), memo("0", 0, "0"), memo("1", 1, "X")];
    let names: Vec<_> = in_order(&invoices).into_iter().map(|invoice| invoice.id.as_str()).collect();
    assert_eq!(names, ["1", "C", "A", "B", "A-CM", "0"]);
}

#[test]
fn d12_editing_an_order_moves_nothing_and_a_rematch_says_what_would_move() {
    let all = |name: &str| order(name, vec![line("1", LineType::All)]);
    let invoices = [usage("I1", "1"), usage("I2", "1")];
    let mut before = matcher(vec![all("A")]);
    before.take_all(&invoices).unwrap();
    let mut current = associations(&before, &invoices);
    current[1].by = PlacedBy::Person;
    let newer = PurchaseOrder { updated_at: at("2025-04-01"), ..all("B") };
    let found = rematch(vec![all("A"), newer], &invoices, &current);
    let place = |name: &str| Some(super::super::Place { order: id(name), line: number("1") });
    let change = super::super::Change { invoice: "I1".into(), before: place("A"), after: place("B") };
    assert_eq!(found.changes, [change]);
    assert_eq!(found.decisions.len(), 1);
}
