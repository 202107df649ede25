//! What is due to be told, and that it is told once.

use super::*;
use crate::matching::forecast::forecast_line;
use crate::matching::notices::{BalanceStep, InvoiceState, News, OrderState, due};

fn state<'a>(order: &'a PurchaseOrder, balances: &[&str]) -> OrderState<'a> {
    let steps = balances.iter().map(|left| BalanceStep { balance: amount(left), value: amount("100") });
    let steps = BTreeMap::from([(number("1"), steps.collect())]);
    OrderState { order, balances: steps, forecasts: BTreeMap::new() }
}

fn one() -> PurchaseOrder {
    order("A", vec![tracked("1", LineType::All, "100.00")])
}

fn keys(states: &[OrderState<'_>], invoices: &[InvoiceState<'_>], now: &str) -> Vec<String> {
    let found = due(states, invoices, &Settings::default(), at(now)).unwrap();
    found.into_iter().map(|notice| notice.key).collect()
}

#[test]
fn a_balance_is_told_of_once_per_crossing_and_again_after_it_rose() {
    let order = one();
    let key = |threshold: &str, crossing: u8| format!("payer/A/line:1/balance:{threshold}/{crossing}");
    for (steps, expected) in [
        (vec!["100"], vec![]),
        (vec!["100", "75"], vec![]),
        (vec!["100", "74.99"], vec![key("75", 1)]),
        (vec!["100", "74", "60"], vec![key("75", 1)]),
        (vec!["100", "74", "80"], vec![]),
        (vec!["100", "74", "80", "70"], vec![key("75", 2)]),
        (vec!["100", "9"], vec![key("10", 1), key("25", 1), key("75", 1)]),
        (vec!["100", "0"], vec![key("10", 1), key("25", 1), key("75", 1), key("used-up", 1)]),
    ] {
        assert_eq!(keys(&[state(&order, &steps)], &[], "2025-03-01"), expected, "{steps:?}");
    }
    let untracked = PurchaseOrder { lines: vec![line("1", LineType::All)], ..one() };
    assert_eq!(keys(&[state(&untracked, &["100", "1"])], &[], "2025-03-01"), [""; 0]);
}

#[test]
fn a12_the_threshold_is_what_is_left_and_may_be_set() {
    let order = one();
    let half = crate::purchase_order::Threshold::Below(Percentage::parse("50").unwrap());
    let settings = Settings { balance_thresholds: BTreeSet::from([half]), ..Settings::default() };
    let found = due(&[state(&order, &["100", "49"])], &[], &settings, at("2025-03-01")).unwrap();
    assert_eq!(found.len(), 1);
    let News::Balance { balance, value, .. } = &found[0].news else { panic!() };
    assert_eq!((*balance, *value), (amount("49"), amount("100")));
}

#[test]
fn a13_expiry_is_told_of_cumulatively_and_only_on_dates_after_creation() {
    let order = one();
    let key = |ahead: &str| vec![format!("payer/A/expiry:2025-12/{ahead}")];
    for (now, expected) in [
        ("2025-10-30T23:59:59Z", vec![]),
        ("2025-10-31", key("TWO_MONTHS")),
        // The month before December ends on the 30th.
        ("2025-11-30", key("ONE_MONTH")),
        ("2025-12-24", key("SEVEN_DAYS")),
        ("2025-12-31", key("TODAY")),
        ("2026-01-15", key("TODAY")),
        ("2026-03-01", vec![]),
    ] {
        assert_eq!(keys(&[state(&order, &["100"])], &[], now), expected, "{now}");
    }
    let young = PurchaseOrder { created_at: at("2025-11-15"), ..one() };
    assert_eq!(keys(&[state(&young, &["100"])], &[], "2025-11-20"), [""; 0]);
    assert_eq!(keys(&[state(&young, &["100"])], &[], "2025-11-30"), key("ONE_MONTH"));
    let suspended = PurchaseOrder { suspended: true, ..one() };
    assert_eq!(keys(&[state(&suspended, &["100"])], &[], "2025-12-31"), [""; 0]);
}

#[test]
fn invoices_out_of_balance_and_without_order_are_told_of() {
    let small = order("A", vec![tracked("1", LineType::All, "10.00")]);
    let invoice = usage("INV", "11");
    let decisions = [matcher(vec![small.clone()]), matcher(vec![])].map(|mut of| of.take(&invoice).unwrap());
    let states: Vec<_> = decisions
        .iter()
        .map(|decision| InvoiceState {
            invoice: &invoice.id,
            buyer: &invoice.buyer,
            kind: invoice.kind,
            period: invoice.period,
            outcome: &decision.outcome,
            seller: &invoice.seller,
        })
        .collect();
    let found = keys(&[state(&small, &["100"])], &states, "2025-04-20");
    assert_eq!(found, ["payer/invoice:INV/out-of-balance", "payer/invoice:INV/without-order"]);
}

#[test]
fn forecasts_are_told_of_before_the_end_month() {
    let order = one();
    let taken = [("2025-03", "20"), ("2025-04", "20")];
    let taken = taken.iter().map(|(period, taken)| (month(period), amount(taken))).collect();
    let forecast = forecast_line(&order.lines[0], &taken, month("2025-05")).unwrap();
    let with = OrderState { forecasts: BTreeMap::from([(number("1"), forecast)]), ..state(&order, &["100"]) };
    assert_eq!(keys(&[with], &[], "2025-05-10"), ["payer/A/line:1/runs-out:2025-08"]);
    let taken = [("2025-03", "45"), ("2025-04", "45")];
    let taken = taken.iter().map(|(period, taken)| (month(period), amount(taken))).collect();
    let forecast = forecast_line(&order.lines[0], &taken, month("2025-05")).unwrap();
    let with = OrderState { forecasts: BTreeMap::from([(number("1"), forecast)]), ..state(&order, &["100"]) };
    assert_eq!(keys(&[with], &[], "2025-05-10"), ["payer/A/line:1/month-above-balance:2025-05"]);
}

#[test]
fn an_order_that_is_needed_next_month_is_told_of() {
    let order = PurchaseOrder { created_at: at("2025-12-10"), ..one() };
    let invoice = MatchInvoice { period: month("2025-11"), ..usage("INV", "1") };
    let decision = matcher(vec![order.clone()]).take(&invoice).unwrap();
    let of = |period: &str| InvoiceState {
        invoice: &invoice.id,
        buyer: &invoice.buyer,
        kind: invoice.kind,
        period: month(period),
        outcome: &decision.outcome,
        seller: &invoice.seller,
    };
    let states = [state(&order, &["100"])];
    let expected = ["payer/needed:MONTHLY_USAGE:AWS_INC:2026-01"];
    assert_eq!(keys(&states, &[of("2025-11")], "2025-12-12"), expected);
    assert_eq!(keys(&states, &[of("2025-08")], "2025-12-12"), [""; 0]);
    assert_eq!(keys(&states, &[of("2025-10")], "2025-11-12"), [""; 0]);
}
