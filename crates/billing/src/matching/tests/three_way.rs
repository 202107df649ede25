//! Order, invoice and cost data held against each other.

use super::*;
use crate::matching::three_way::{
    Against, Difference, Direction, Exception, Terms, ThreeWay, Tolerance, three_way,
};

fn outcome(worth: &str, total: &str) -> Outcome {
    let order = order("A", vec![tracked("1", LineType::All, worth)]);
    matcher(vec![order]).take(&usage("INV", total)).unwrap().outcome
}

fn check(worth: &str, total: &str, cost: Option<&str>, terms: Terms) -> ThreeWay {
    let cost = cost.map(|cost| (amount(cost), usd()));
    three_way(&usage("INV", total), &outcome(worth, total), true, cost, terms).unwrap()
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
    let none = Outcome::None(NoOrder::NoOrders);
    let cost = Some((amount("80"), usd()));
    assert_eq!(three_way(&invoice, &none, false, cost, Terms::default()), Ok(ThreeWay::Unmatched));
    let terms = Terms { require_order: true, ..Terms::default() };
    let expected = ThreeWay::Exception(vec![Exception::NoOrder]);
    assert_eq!(three_way(&invoice, &none, false, cost, terms), Ok(expected));
    let euro = Currency::parse("EUR").unwrap();
    let found =
        three_way(&invoice, &outcome("100.00", "80"), true, Some((amount("80"), euro)), Terms::default());
    assert_eq!(found, Ok(ThreeWay::Exception(vec![Exception::CurrencyMismatch(euro)])));
}
