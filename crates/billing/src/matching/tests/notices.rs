//! What is due to be told, and that it is told once.

use super::*;
use crate::matching::forecast::Expected;
use crate::matching::forecast::forecast_line;
use crate::matching::notices::{BalanceStep, InvoiceState, News, OrderState, Threshold, due};

fn state<'a>(order: &'a PurchaseOrder, balances: &[&str]) -> OrderState<'a> {
    let steps = balances.iter().map(|left| BalanceStep { balance: amount(left), value: amount("100") });
    let steps = BTreeMap::from([(number("1"), steps.collect())]);
    OrderState { order, balances: steps, forecasts: BTreeMap::new() }
}

fn below(percent: &str) -> Threshold {
    Threshold::Below(Percentage::parse(percent).unwrap())
}

fn thresholds() -> BTreeSet<Threshold> {
    BTreeSet::from([below("75"), below("25"), below("10"), Threshold::UsedUp])
}

fn one() -> PurchaseOrder {
    order("A", vec![tracked("1", LineType::All, "100.00")])
}

fn keys(states: &[OrderState<'_>], invoices: &[InvoiceState<'_>], now: &str) -> Vec<String> {
    let found = due(states, invoices, &Settings::default(), &thresholds(), at(now)).unwrap();
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
        // Of several that one step has crossed, the lowest says it all; also once the balance has risen above that one.
        (vec!["100", "9"], vec![key("10", 1)]),
        (vec!["100", "0"], vec![key("used-up", 1)]),
        (vec!["100", "9", "30"], vec![]),
        (vec!["100", "74", "9"], vec![key("10", 1), key("75", 1)]),
        (vec!["100", "9", "30", "24"], vec![key("25", 2)]),
    ] {
        assert_eq!(keys(&[state(&order, &steps)], &[], "2025-03-01"), expected, "{steps:?}");
    }
    let untracked = PurchaseOrder { lines: vec![line("1", LineType::All)], ..one() };
    assert_eq!(keys(&[state(&untracked, &["100", "1"])], &[], "2025-03-01"), [""; 0]);
    // What has expired, or is suspended, is not in use: nobody is to raise its amount.
    assert_eq!(keys(&[state(&order, &["100", "1"])], &[], "2026-03-01"), [""; 0]);
    let suspended = PurchaseOrder { suspended: true, ..one() };
    assert_eq!(keys(&[state(&suspended, &["100", "1"])], &[], "2025-03-01"), [""; 0]);
}

#[test]
fn a12_the_threshold_is_what_is_left_and_may_be_set() {
    let order = one();
    let (half, settings) = (BTreeSet::from([below("50")]), Settings::default());
    let found = due(&[state(&order, &["100", "49"])], &[], &settings, &half, at("2025-03-01")).unwrap();
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

fn expected_in(line: &Line, taken: &[(&str, &str)], open: &str) -> Expected {
    let taken = taken.iter().map(|(period, taken)| (month(period), amount(taken))).collect();
    forecast_line(line, &taken, month(open)).unwrap().expected.unwrap()
}

#[test]
fn a_month_whose_invoice_is_still_to_come_is_no_month_of_nothing() {
    let line = tracked("1", LineType::All, "1000.00");
    let taken = [("2025-08", "120"), ("2025-09", "120"), ("2025-10", "120")];
    let Expected::Forecast { rate, runs_out, balance_at_end, .. } = expected_in(&line, &taken, "2025-12")
    else {
        panic!()
    };
    // 640 are left, and November and December are still to come.
    assert_eq!((rate, runs_out, balance_at_end), (amount("120"), None, amount("400")));
    // A month later it is known that November was without one.
    let Expected::Forecast { rate, .. } =
        expected_in(&Line { end: month("2026-12"), ..line }, &taken, "2026-01")
    else {
        panic!()
    };
    assert_eq!(rate, amount("80"));
}

#[test]
fn a_line_that_ends_in_thousands_of_years_is_reckoned_at_once() {
    let line = Line { end: month("9999-12"), ..tracked("1", LineType::All, "900000000000000") };
    let taken = [("2025-03", "100000000000000"), ("2025-04", "100000000000000")];
    let Expected::Forecast { runs_out, balance_at_end, .. } = expected_in(&line, &taken, "2025-05") else {
        panic!()
    };
    assert_eq!(runs_out, Some(month("2025-12")));
    assert_eq!(balance_at_end, amount("-1000000000000000"));
    // In no month where the balance does not shrink.
    let taken = [("2025-03", "0"), ("2025-04", "0")];
    let Expected::Forecast { runs_out, .. } = expected_in(&line, &taken, "2025-05") else { panic!() };
    assert_eq!(runs_out, None);
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
