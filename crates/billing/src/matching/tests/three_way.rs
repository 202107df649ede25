//! Order, invoice and cost data held against each other.

use super::*;
use crate::matching::three_way::{
    Against, Charged, Difference, Direction, Exception, Expected, Terms, ThreeWay, Tolerance, three_way,
};
use crate::money::Rate;
use crate::purchase_order::invoice::Exchange;

fn metered(cost: &str, currency: &str) -> Option<Expected> {
    let currency = Currency::parse(currency).unwrap();
    Some(Expected { against: Against::CostData, amount: amount(cost), currency })
}

/// An invoice on a line that is worth so much, with nothing else on it.
fn check(worth: &str, total: &str, cost: Option<&str>, terms: Terms) -> ThreeWay {
    let left = amount(worth).minus(amount(total)).unwrap();
    let charged = Charged::Tracked { used: amount(total), left };
    let cost = cost.and_then(|cost| metered(cost, "USD"));
    three_way(&usage("INV", total), charged, cost, terms, false).unwrap()
}

fn within(amount_most: Option<&str>, percent: Option<&str>) -> Tolerance {
    let percent = percent.map(|text| Percentage::parse(text).unwrap());
    Tolerance { amount: amount_most.map(amount), percent }
}

#[test]
fn equal_amounts_match() {
    assert_eq!(check("100.00", "80", Some("80"), Terms::default()), ThreeWay::Matched);
    assert_eq!(ThreeWay::Matched.name(), "MATCHED");
}

#[test]
fn a_difference_is_tolerated_where_every_bound_that_is_set_holds() {
    let difference = |direction, found: &str, by: &str| Difference {
        against: Against::CostData,
        expected: amount("80"),
        found: amount(found),
        by: amount(by),
        direction,
    };
    let above = difference(Direction::Above, "80.5", "0.5");
    for (tolerance, tolerated) in [
        (within(None, None), false),
        (within(Some("0.5"), None), true),
        (within(Some("0.49"), None), false),
        (within(None, Some("0.625")), true),
        (within(None, Some("0.624")), false),
        (within(Some("0.5"), Some("0.624")), false),
        (within(Some("0.49"), Some("5")), false),
        (within(Some("1"), Some("1")), true),
    ] {
        let terms = Terms { cost: tolerance, ..Terms::default() };
        let expected = if tolerated {
            ThreeWay::WithinTolerance(vec![above])
        } else {
            ThreeWay::Exception(vec![Exception::BeyondTolerance(above)])
        };
        assert_eq!(check("100.00", "80.5", Some("80"), terms), expected, "{tolerance:?}");
    }
    let below = difference(Direction::Below, "79", "1");
    let expected = ThreeWay::Exception(vec![Exception::BeyondTolerance(below)]);
    assert_eq!(check("100.00", "79", Some("80"), Terms::default()), expected);
}

#[test]
fn an_invoice_above_its_line_is_apart_from_it_and_one_below_is_not() {
    let above = Difference {
        against: Against::LineBalance,
        expected: amount("78"),
        found: amount("80"),
        by: amount("2"),
        direction: Direction::Above,
    };
    let expected = ThreeWay::Exception(vec![Exception::BeyondTolerance(above)]);
    assert_eq!(check("78.00", "80", Some("80"), Terms::default()), expected);
    let terms = Terms { line: within(None, Some("3")), ..Terms::default() };
    assert_eq!(check("78.00", "80", Some("80"), terms), ThreeWay::WithinTolerance(vec![above]));
}

#[test]
fn what_is_missing_is_an_exception_and_tolerance_chooses_nothing() {
    let terms = Terms { approval_above: Some(amount("50")), ..Terms::default() };
    let expected = ThreeWay::Exception(vec![Exception::NoCostData, Exception::NeedsApproval]);
    assert_eq!(check("100.00", "80", None, terms), expected);
    let invoice = usage("INV", "80");
    let of = |charged, terms, approved| three_way(&invoice, charged, metered("80", "USD"), terms, approved);
    assert_eq!(of(Charged::Nowhere, Terms::default(), false), Ok(ThreeWay::Unmatched));
    let required = Terms { require_order: true, ..Terms::default() };
    let expected = ThreeWay::Exception(vec![Exception::NoOrder]);
    assert_eq!(of(Charged::Nowhere, required, false), Ok(expected));
    // What waits for a person is none of those that nobody waits for.
    let held = ThreeWay::Exception(vec![Exception::Held]);
    assert_eq!(of(Charged::Held, Terms::default(), false), Ok(held));
    assert_eq!(of(Charged::Untracked, terms, true), Ok(ThreeWay::Matched));
    let waits = ThreeWay::Exception(vec![Exception::NeedsApproval]);
    assert_eq!(of(Charged::Untracked, terms, false), Ok(waits));
}

#[test]
fn an_invoice_in_another_currency_goes_by_the_exchange_that_it_states() {
    let euro = Currency::parse("EUR").unwrap();
    let mut invoice = MatchInvoice { currency: euro, ..usage("INV", "30.45") };
    let check = |invoice: &MatchInvoice| {
        three_way(invoice, Charged::Untracked, metered("33.33", "USD"), Terms::default(), false).unwrap()
    };
    assert_eq!(check(&invoice), ThreeWay::Exception(vec![Exception::CurrencyMismatch(usd())]));
    invoice.exchange = Some(Exchange { source: usd(), target: euro, rate: Rate::parse("0.9137").unwrap() });
    assert_eq!(check(&invoice), ThreeWay::Matched);
    invoice.total = amount("30.46");
    assert!(matches!(check(&invoice), ThreeWay::Exception(_)));
}

#[test]
fn a_credit_memo_gives_back_whichever_sign_it_is_listed_with() {
    for total in ["30", "-30"] {
        let memo = MatchInvoice { kind: InvoiceKind::CreditMemo, ..usage("MEMO", total) };
        let charged = Charged::Tracked { used: amount("-30"), left: amount("100") };
        let found = three_way(&memo, charged, metered("-30", "USD"), Terms::default(), false);
        assert_eq!(found, Ok(ThreeWay::Matched), "{total}");
    }
}
