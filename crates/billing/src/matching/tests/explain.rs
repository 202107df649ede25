//! Decisions as sentences.

use super::*;
use crate::matching::{Effect, explain};

fn all(name: &str) -> PurchaseOrder {
    order(name, vec![line("1", LineType::All)])
}

#[test]
fn an_association_is_told_with_every_order() {
    let lines = vec![
        tracked("1", LineType::MonthlyUsage, "1000.00"),
        line("2", LineType::SubscriptionPurchase),
        line("3", LineType::SubscriptionPurchase),
    ];
    let europe = PurchaseOrder { bill_from: BTreeSet::from([seller("AWS_EUROPE")]), ..all("B") };
    let expired = PurchaseOrder { expiration: month("2025-03"), ..all("C") };
    let suspended = PurchaseOrder { suspended: true, ..all("D") };
    let invoice = usage("INV", "900.5");
    let orders = vec![order("A", lines), europe, expired, suspended, all("E"), order("F", vec![])];
    let decision = matcher(orders).take(&invoice).unwrap();
    assert_eq!(
        explain(&invoice, &decision),
        [
            "Invoice `INV` (monthly usage, 2025-04, 900.5 USD from `AWS_INC`) is associated with line `1` of purchase order `A`.",
            "It takes 900.5 USD from the line, whose balance is 99.5 USD afterwards.",
            "Purchase order `A` was a candidate: 2 lines, the first of them `2`, are not for monthly usage invoices; line `1` is taken.",
            "Purchase order `B` was not a candidate: it does not bill from `AWS_INC`.",
            "Purchase order `C` was not a candidate: it expired at the end of 2025-03.",
            "Purchase order `D` was not a candidate: it is suspended.",
            "Purchase order `E` was a candidate: line `1` gives way to a more specific type.",
            "Purchase order `F` was a candidate, but it has no lines.",
        ]
    );
}

#[test]
fn what_is_not_covered_says_what_is_left() {
    let small = order("A", vec![tracked("1", LineType::All, "10.00")]);
    let invoice = usage("INV", "11");
    let decision =
        matcher(vec![small, order("B", vec![tracked("1", LineType::All, "20.00")])]).take(&invoice).unwrap();
    let said = explain(&invoice, &decision);
    assert_eq!(
        said[2],
        "Purchase order `A` was a candidate: line `1` has too little left for 11 USD (`1` has 10 left)."
    );
    let decision =
        matcher(vec![order("A", vec![tracked("1", LineType::All, "10.00")])]).take(&invoice).unwrap();
    let expected = "It takes 11 USD from the line, whose balance is -1 USD afterwards; \
                    no candidate's balance covered it, so the line is out of balance.";
    assert_eq!(explain(&invoice, &decision)[1], expected);
}

#[test]
fn purchases_say_what_they_did_to_orders() {
    let requested = RequestedOrder { id: id("NEW"), line: None, others: vec![id("X")] };
    let invoice = MatchInvoice {
        requested: Some(requested),
        ..invoice("INV", InvoiceKind::MarketplaceOutOfCycle, "5")
    };
    let decision = matcher(vec![]).take(&invoice).unwrap();
    let said = explain(&invoice, &decision);
    assert_eq!(said[2], "Purchase order `NEW` is created by the AWS Marketplace purchase, without contacts.");
    assert_eq!(
        said[3],
        "A charge on it has the number `X` as well; an invoice carries one purchase order only."
    );
    assert!(matches!(decision.effects[0], Effect::Create(_)));
}

#[test]
fn every_reason_ends_a_sentence() {
    let invoice = usage("INV", "1");
    for reason in NoOrder::ALL {
        let said = crate::matching::no_order(reason, &invoice);
        assert!(!said.ends_with('.') && said.len() > 10, "{said}");
    }
    for reason in LineReason::ALL {
        for count in [1, 2] {
            let fold = super::super::LineFold { reason, count, first: number("1"), balance: None };
            let verdict = OrderVerdict::Lines([fold].into());
            let traced = super::super::OrderTrace { order: id("A"), verdict };
            let decision = Decision {
                invoice: "INV".into(),
                outcome: Outcome::None(NoOrder::NoLineEligible),
                effects: Vec::new(),
                other_numbers: Vec::new(),
                trace: super::super::Trace { orders: vec![traced] },
            };
            let said = &explain(&invoice, &decision)[1];
            assert!(
                said.starts_with("Purchase order `A` was a candidate: ") && said.ends_with('.'),
                "{said}"
            );
        }
    }
}
