//! A28: late corrections.

use super::*;
use crate::matching::{Association, Correction, CorrectionRefusal as No, CorrectionWarning, Place, PlacedBy};

fn two() -> Matcher {
    let from = order("A", vec![tracked("1", LineType::All, "100.00")]);
    let to = PurchaseOrder { updated_at: 0, ..order("B", vec![tracked("1", LineType::All, "100.00")]) };
    let mut matcher = matcher(vec![from, to]);
    matcher.take(&usage("INV", "80")).unwrap();
    matcher.take(&memo()).unwrap();
    matcher
}

fn memo() -> MatchInvoice {
    MatchInvoice { original: Some("INV".into()), ..invoice("CM", InvoiceKind::CreditMemo, "30") }
}

fn place(order: &str, line: &str) -> Place {
    Place { order: id(order), line: number(line) }
}

#[test]
fn a_correction_moves_the_amount_and_its_memos_and_keeps_both_places() {
    let mut matcher = two();
    let (invoice, memos, to) = (usage("INV", "80"), [memo()], place("B", "1"));
    let asked = Correction { invoice: &invoice, memos: &memos, to: Some(&to), reason: "ordered there" };
    let corrected = matcher.correct(asked, "alice", 7).unwrap();
    assert_eq!(corrected.warnings, []);
    let places = corrected.steps.iter().map(|step| {
        let of = |it: &Option<Association>| it.as_ref().map(|it| it.place.order.to_string());
        (step.invoice.as_str(), of(&step.before), of(&step.after), step.actor.as_str(), step.at)
    });
    let (a, b) = (Some("A".to_owned()), Some("B".to_owned()));
    let expected = [("INV", a.clone(), b.clone(), "alice", 7), ("CM", a, b, "alice", 7)];
    assert_eq!(places.collect::<Vec<_>>(), expected);
    for step in &corrected.steps {
        matcher.follow(step).unwrap();
    }
    assert_eq!(matcher.balance(&Buyer::Payer, &place("A", "1")), Some(amount("100")));
    assert_eq!(matcher.balance(&Buyer::Payer, &to), Some(amount("50")));
    assert_eq!(matcher.association("INV").unwrap().by, PlacedBy::Person);
}

#[test]
fn a_correction_may_take_the_order_away() {
    let mut matcher = two();
    let (invoice, memos) = (usage("INV", "80"), [memo()]);
    let asked = Correction { invoice: &invoice, memos: &memos, to: None, reason: "disputed" };
    for step in &matcher.correct(asked, "alice", 7).unwrap().steps {
        matcher.follow(step).unwrap();
    }
    assert_eq!(matcher.correct(asked, "alice", 8), Err(No::AlreadyOff("INV".into())));
    assert_eq!((matcher.association("INV"), matcher.association("CM")), (None, None));
    assert_eq!(matcher.balance(&Buyer::Payer, &place("A", "1")), Some(amount("100")));
}

#[test]
fn refusals_come_in_their_order_and_say_the_way_out() {
    let mut euro = order("E", vec![tracked("1", LineType::All, "100.00")]);
    euro.currency = Currency::parse("EUR").unwrap();
    let mut matcher = two();
    matcher.orders.get_mut(&Buyer::Payer).unwrap().insert(super::super::index::Indexed::new(euro));
    let (invoice, memo) = (usage("INV", "80"), memo());
    let check = |invoice: &MatchInvoice, to: Option<Place>, reason, expected: No, message: &str| {
        let asked = Correction { invoice, memos: &[], to: to.as_ref(), reason };
        let refusal = matcher.correct(asked, "alice", 7).unwrap_err();
        assert_eq!((&refusal, refusal.to_string().as_str()), (&expected, message));
    };
    let name = || "INV".to_owned();
    check(
        &memo,
        Some(place("X", "1")),
        "",
        No::FollowsOriginal("CM".into()),
        "`CM` is a credit memo and follows its original; correct that one",
    );
    check(
        &invoice,
        Some(place("X", "1")),
        "",
        No::OrderUnknown(id("X")),
        "there is no purchase order `X` of the invoice's buyer; create it first",
    );
    check(
        &invoice,
        Some(place("B", "9")),
        "",
        No::LineUnknown { order: id("B"), line: number("9") },
        "purchase order `B` has no line `9`; choose one that it has",
    );
    check(
        &invoice,
        Some(place("A", "1")),
        "",
        No::AlreadyThere(name()),
        "invoice `INV` is there already; choose another line",
    );
    check(
        &invoice,
        Some(place("B", "1")),
        "  ",
        No::ReasonMissing(name()),
        "invoice `INV` is moved without a reason; say why: its history keeps it",
    );
    check(
        &invoice,
        Some(place("E", "1")),
        "why",
        No::Currency { invoice: name(), order: id("E"), line: number("1") },
        "line `1` of purchase order `E` tracks its balance in another currency than invoice `INV`; choose a line in its currency",
    );
}

#[test]
fn a_memo_whose_original_is_not_known_is_moved_like_an_invoice() {
    let (orphan, to) = (MatchInvoice { original: Some("GONE".into()), ..memo() }, place("B", "1"));
    let asked = Correction { invoice: &orphan, memos: &[], to: Some(&to), reason: "of last year" };
    let corrected = two().correct(asked, "alice", 7).unwrap();
    assert_eq!(corrected.steps[0].after.as_ref().and_then(|it| it.used), Some(amount("-30")));
}

#[test]
fn an_invoice_that_stays_takes_what_it_says_now() {
    let mut matcher = two();
    let changed = usage("INV", "95");
    assert_eq!(matcher.stay(&changed).unwrap().and_then(|it| it.used), Some(amount("95")));
    assert_eq!(matcher.balance(&Buyer::Payer, &place("A", "1")), Some(amount("35")));
    let euro = MatchInvoice { currency: Currency::parse("EUR").unwrap(), ..changed };
    assert!(matches!(matcher.stay(&euro), Err(No::Currency { .. })));
    assert_eq!(matcher.balance(&Buyer::Payer, &place("A", "1")), Some(amount("35")));
    assert!(!matcher.is_overdrawn_by("INV"));
    matcher.stay(&usage("INV", "131")).unwrap();
    assert!(matcher.is_overdrawn_by("INV") && !matcher.is_overdrawn_by("CM"));
}

#[test]
fn a_place_that_the_rules_would_not_choose_is_allowed_and_told() {
    let narrow = Line { start: month("2025-06"), ..tracked("1", LineType::SubscriptionPurchase, "10.00") };
    let odd = PurchaseOrder { suspended: true, ..order("A", vec![narrow]) };
    let (invoice, to) = (usage("INV", "80"), place("A", "1"));
    let asked = Correction { invoice: &invoice, memos: &[], to: Some(&to), reason: " agreed " };
    let corrected = matcher(vec![odd]).correct(asked, "alice", 7).unwrap();
    assert_eq!(corrected.steps[0].reason, "agreed");
    let expected = [
        CorrectionWarning::Order(OrderReason::Suspended),
        CorrectionWarning::Line(LineReason::TypeNotApplicable),
        CorrectionWarning::Line(LineReason::PeriodOutsideLine),
        CorrectionWarning::Line(LineReason::InsufficientBalance),
    ];
    assert_eq!(corrected.warnings, expected);
}
