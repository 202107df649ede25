//! R1 to R18.

use super::*;

fn check(orders: Vec<PurchaseOrder>, invoice: &MatchInvoice, expected: &str) -> Decision {
    let decision = matcher(orders).take(invoice).unwrap();
    assert_eq!(told(&decision), expected, "{decision:?}");
    decision
}

fn all(name: &str) -> PurchaseOrder {
    order(name, vec![line("1", LineType::All)])
}

#[test]
fn r1_only_orders_of_the_invoices_buyer_are_candidates() {
    let group = Buyer::BillingGroup(BillingGroupId::parse("abcdefghij").unwrap());
    let of_group = PurchaseOrder { buyer: group.clone(), ..all("PO-CUSTOMER") };
    let orders = vec![all("PO-PAYER"), of_group];
    check(orders.clone(), &usage("INV", "1"), "PO-PAYER/1");
    let own = MatchInvoice { buyer: group, origin: Origin::ProForma, ..usage("INV", "1") };
    let decision = check(orders, &own, "PO-CUSTOMER/1");
    assert_eq!(decision.trace.orders.len(), 1);
    let other = Buyer::BillingGroup(BillingGroupId::parse("klmnopqrst").unwrap());
    check(vec![all("A")], &MatchInvoice { buyer: other, ..usage("INV", "1") }, "NO_PURCHASE_ORDERS");
}

#[test]
fn r2_suspended_and_expired_orders_fall_with_one_reason() {
    let suspended = PurchaseOrder { suspended: true, expiration: month("2025-03"), ..all("A") };
    let expired = PurchaseOrder { expiration: month("2025-03"), bill_from: BTreeSet::new(), ..all("B") };
    let early = PurchaseOrder { effective: month("2025-05"), ..all("C") };
    let decision = check(vec![suspended, expired, early], &usage("INV", "1"), "NO_ELIGIBLE_PURCHASE_ORDER");
    assert_eq!(traced(&decision, "A"), "PO_SUSPENDED");
    assert_eq!(traced(&decision, "B"), "PO_EXPIRED");
    assert_eq!(traced(&decision, "C"), "PO_NOT_YET_EFFECTIVE");
}

#[test]
fn r3_the_order_bills_from_the_invoices_seller_or_from_every_one() {
    let europe = PurchaseOrder { bill_from: BTreeSet::from([seller("AWS_EUROPE")]), ..all("A") };
    let decision = check(vec![europe], &usage("INV", "1"), "NO_ELIGIBLE_PURCHASE_ORDER");
    assert_eq!(traced(&decision, "A"), "BILL_FROM_MISMATCH");
    let any = PurchaseOrder { bill_from: BTreeSet::from([seller("*")]), ..all("A") };
    check(vec![any], &MatchInvoice { seller: seller("A new one"), ..usage("INV", "1") }, "A/1");
}

#[test]
fn r4_tax_registration_numbers_ask_for_one_of_them() {
    let numbers = BTreeSet::from(["LU1".to_owned(), "LU2".to_owned()]);
    let bound = PurchaseOrder { tax_registration_numbers: numbers, ..all("A") };
    let with = |trn: &str| MatchInvoice { tax_registration_number: Some(trn.into()), ..usage("INV", "1") };
    check(vec![bound.clone()], &with("LU2"), "A/1");
    let decision = check(vec![bound.clone()], &with("LU3"), "NO_ELIGIBLE_PURCHASE_ORDER");
    assert_eq!(traced(&decision, "A"), "TRN_MISMATCH");
    check(vec![bound], &usage("INV", "1"), "NO_ELIGIBLE_PURCHASE_ORDER");
}

#[test]
fn a15_an_order_without_tax_numbers_serves_invoices_with_one_and_recency_decides() {
    let numbers = BTreeSet::from(["LU1".to_owned()]);
    let bound = PurchaseOrder { tax_registration_numbers: numbers, ..all("A") };
    let newer = PurchaseOrder { updated_at: bound.updated_at + 1, ..all("B") };
    let invoice = MatchInvoice { tax_registration_number: Some("LU1".into()), ..usage("INV", "1") };
    check(vec![bound, newer], &invoice, "B/1");
}

#[test]
fn a16_an_invoice_without_tax_number_is_not_for_an_order_that_lists_some() {
    let numbers = BTreeSet::from(["LU1".to_owned()]);
    let bound = PurchaseOrder { tax_registration_numbers: numbers, ..all("A") };
    let decision = check(vec![bound], &usage("INV", "1"), "NO_ELIGIBLE_PURCHASE_ORDER");
    assert_eq!(traced(&decision, "A"), "TRN_MISMATCH");
}

#[test]
fn r5_invoice_units_ask_for_one_of_them() {
    let bound = PurchaseOrder { invoice_units: BTreeSet::from(["iu-eu".to_owned()]), ..all("A") };
    let of = |unit: &str| MatchInvoice { invoice_unit: Some(unit.into()), ..usage("INV", "1") };
    check(vec![bound.clone()], &of("iu-eu"), "A/1");
    let decision = check(vec![bound.clone()], &of("iu-us"), "NO_ELIGIBLE_PURCHASE_ORDER");
    assert_eq!(traced(&decision, "A"), "INVOICE_UNIT_MISMATCH");
    check(vec![bound], &usage("INV", "1"), "NO_ELIGIBLE_PURCHASE_ORDER");
}

#[test]
fn r6_the_billing_period_is_within_the_lines_months() {
    let months = |name: &str, start: &str, end: &str| Line {
        start: month(start),
        end: month(end),
        ..line(name, LineType::All)
    };
    let lines = vec![months("1", "2025-01", "2025-03"), months("2", "2025-05", "2025-06")];
    let decision = check(vec![order("A", lines)], &usage("INV", "1"), "NO_ELIGIBLE_LINE");
    assert_eq!(traced(&decision, "A"), "PERIOD_OUTSIDE_LINE×2(1)");
    check(vec![order("A", vec![months("1", "2025-04", "2025-04")])], &usage("INV", "1"), "A/1");
}

#[test]
fn r7_and_4_3_which_type_takes_which_invoice() {
    use InvoiceKind as K;
    use LineType as T;
    let table = [
        (K::MonthlyUsage, vec![(T::All, 10), (T::MonthlyUsage, 20)]),
        (K::Subscription, vec![(T::All, 10), (T::SubscriptionPurchase, 20)]),
        (K::MarketplaceMonthly, vec![(T::All, 10), (T::MarketplaceBlanketUsage, 20)]),
        (
            K::MarketplaceOutOfCycle,
            vec![(T::All, 10), (T::MarketplaceTransaction, 30), (T::MarketplaceBlanketUsage, 20)],
        ),
        (K::ProfessionalServicesTraining, vec![(T::All, 10), (T::ProfessionalServicesAndTraining, 20)]),
        (K::CreditMemo, vec![]),
    ];
    for (kind, expected) in table {
        let ranks = T::ALL.into_iter().filter_map(|of| Some((of, super::super::rank(of, kind, false)?)));
        assert_eq!(ranks.collect::<Vec<_>>(), expected, "{kind:?}");
    }
    assert_eq!(super::super::rank(T::MarketplaceTransaction, K::MarketplaceMonthly, true), Some(30));
}

#[test]
fn r8_the_most_specific_type_wins_before_balance_and_recency() {
    let specific = order("A", vec![tracked("1", LineType::MonthlyUsage, "1.00")]);
    let newer = PurchaseOrder { updated_at: at("2025-04-01"), ..all("B") };
    let decision = check(vec![specific, newer], &usage("INV", "500"), "A/1");
    assert_eq!(traced(&decision, "B"), "LESS_SPECIFIC_TYPE×1(1)");
}

#[test]
fn r9_balances_that_cover_come_before_recency() {
    let covers = order("A", vec![tracked("1", LineType::All, "500.00")]);
    let newer = order("B", vec![tracked("1", LineType::All, "499.99")]);
    let newer = PurchaseOrder { updated_at: at("2025-04-01"), ..newer };
    let decision = check(vec![covers, newer], &usage("INV", "500"), "A/1");
    assert_eq!(traced(&decision, "B"), "INSUFFICIENT_BALANCE×1(1)");
    let OrderVerdict::Lines(folds) = &decision.trace.orders[1].verdict else { panic!() };
    assert_eq!(folds[0].balance, Some(amount("499.99")));
}

#[test]
fn r10_the_most_recently_updated_order_wins() {
    let newer = PurchaseOrder { updated_at: at("2025-04-01"), ..all("B") };
    let decision = check(vec![all("A"), newer, all("C")], &usage("INV", "1"), "B/1");
    assert_eq!(traced(&decision, "A"), "UPDATED_EARLIER×1(1)");
    assert_eq!(traced(&decision, "B"), "TAKEN×1(1)");
}

#[test]
fn r11_an_invoice_has_one_order_and_other_numbers_are_told() {
    let requested = RequestedOrder { id: id("A"), line: None, others: vec![id("B")] };
    let invoice = MatchInvoice {
        requested: Some(requested),
        ..invoice("INV", InvoiceKind::MarketplaceOutOfCycle, "1")
    };
    let decision = check(vec![all("A"), all("B")], &invoice, "A/2");
    assert_eq!(decision.other_numbers, [id("B")]);
}

#[test]
fn r12_an_invoice_reduces_the_balance_of_its_line_and_order() {
    let lines = vec![tracked("1", LineType::MonthlyUsage, "100.00"), tracked("2", LineType::All, "50.00")];
    let mut matcher = matcher(vec![order("A", lines)]);
    let decision = matcher.take(&usage("INV", "30.5")).unwrap();
    let Outcome::Associated(taking) = &decision.outcome else { panic!("{decision:?}") };
    assert_eq!((taking.used, taking.balance_after), (Some(amount("30.5")), Some(amount("69.5"))));
    assert_eq!(matcher.balance(&Buyer::Payer, &taking.place), Some(amount("69.5")));
    let other = super::super::Place { line: number("2"), ..taking.place.clone() };
    assert_eq!(matcher.balance(&Buyer::Payer, &other), Some(amount("50")), "the order has 119.5 left");
}

#[test]
fn r13_an_order_out_of_balance_keeps_being_associated_and_flagged() {
    let mut matcher = matcher(vec![order("A", vec![tracked("1", LineType::All, "100.00")])]);
    for (name, flagged, left) in [("I1", false, "20"), ("I2", true, "-60"), ("I3", true, "-140")] {
        let decision = matcher.take(&usage(name, "80")).unwrap();
        let Outcome::Associated(taking) = &decision.outcome else { panic!("{decision:?}") };
        assert_eq!((taking.out_of_balance, taking.balance_after), (flagged, Some(amount(left))), "{name}");
    }
}

#[test]
fn r14_a_purchase_with_a_line_of_its_own_does_not_touch_the_blanket_line() {
    let own = Line { charge: Some("charge-1".into()), ..line("1", LineType::MarketplaceTransaction) };
    let blanket = order("B", vec![line("1", LineType::MarketplaceBlanketUsage)]);
    let blanket = PurchaseOrder { updated_at: at("2025-04-01"), ..blanket };
    let orders = vec![order("A", vec![own]), blanket];
    let of = |charge: &str| MatchInvoice {
        charge: Some(charge.into()),
        ..invoice("INV", InvoiceKind::MarketplaceOutOfCycle, "1")
    };
    let decision = check(orders.clone(), &of("charge-1"), "A/1");
    assert_eq!(traced(&decision, "B"), "LESS_SPECIFIC_TYPE×1(1)");
    let decision = check(orders, &of("charge-2"), "B/1");
    assert_eq!(traced(&decision, "A"), "TRANSACTION_MISMATCH×1(1)");
}

#[test]
fn r15_types_exist_for_some_sellers_only() {
    let canada = BTreeSet::from([seller("AWS_CANADA")]);
    let lines =
        vec![line("1", LineType::MarketplaceBlanketUsage), line("2", LineType::MarketplaceTransaction)];
    let bound = PurchaseOrder { bill_from: canada, ..order("A", lines) };
    let invoice = MatchInvoice {
        seller: seller("AWS_CANADA"),
        ..invoice("INV", InvoiceKind::MarketplaceOutOfCycle, "1")
    };
    let decision = check(vec![bound.clone()], &invoice, "NO_ELIGIBLE_LINE");
    assert_eq!(traced(&decision, "A"), "TYPE_ENTITY_NOT_SUPPORTED×2(1)");
    let mut settings = Settings::default();
    let of = settings.line_type_sellers.get_mut(&LineType::MarketplaceBlanketUsage).unwrap();
    of.insert(seller("AWS_CANADA"));
    let decision = Matcher::new(settings, [bound]).take(&invoice).unwrap();
    assert_eq!(told(&decision), "A/1");
}

#[test]
fn a6_the_sellers_of_marketplace_types_are_both_lists() {
    let settings = Settings::default();
    for code in ["AWS_INC", "AWS_EUROPE", "AWS_AUSTRALIA", "AWS_NEW_ZEALAND", "AWS_KOREA", "AWS_JAPAN"] {
        assert!(settings.has_type(&seller(code), LineType::MarketplaceTransaction), "{code}");
    }
    assert!(!settings.has_type(&seller("AWS_KOREA"), LineType::MarketplaceBlanketUsage));
    assert!(!settings.has_type(&seller("AWS_EUROPE"), LineType::ProfessionalServicesAndTraining));
    assert!(settings.has_type(&seller("ANYONE"), LineType::MonthlyUsage));
}

#[test]
fn r16_professional_services_and_transaction_lines_take_nothing_of_the_monthly_cycle() {
    let lines = vec![
        line("1", LineType::ProfessionalServicesAndTraining),
        line("2", LineType::MarketplaceTransaction),
    ];
    let orders = vec![order("A", lines)];
    let decision = check(orders.clone(), &usage("INV", "1"), "NO_ELIGIBLE_LINE");
    assert_eq!(traced(&decision, "A"), "TYPE_NOT_APPLICABLE×2(1)");
    check(orders, &invoice("INV", InvoiceKind::MarketplaceMonthly, "1"), "NO_ELIGIBLE_LINE");
}

#[test]
fn r17_a_credit_memo_is_among_the_invoices_of_its_order() {
    let mut matcher = matcher(vec![order("A", vec![tracked("1", LineType::All, "100.00")])]);
    matcher.take(&usage("INV", "80")).unwrap();
    let memo = MatchInvoice { original: Some("INV".into()), ..invoice("CM", InvoiceKind::CreditMemo, "30") };
    let decision = matcher.take(&memo).unwrap();
    assert_eq!(told(&decision), "A/1");
    let association = matcher.association("CM").unwrap();
    assert_eq!(association.used, Some(amount("-30")));
    assert_eq!(matcher.balance(&Buyer::Payer, &association.place), Some(amount("50")));
}

#[test]
fn r18_nothing_eligible_leaves_the_invoice_without_order() {
    assert_eq!(told(&matcher(vec![]).take(&usage("INV", "1")).unwrap()), NoOrder::NoOrders.name());
    let suspended = PurchaseOrder { suspended: true, ..all("A") };
    let decision = check(vec![suspended], &usage("INV", "1"), NoOrder::NoOrderEligible.name());
    assert_eq!(decision.place(), None);
    check(vec![order("A", vec![])], &usage("INV", "1"), NoOrder::NoLineEligible.name());
}

#[test]
fn lines_with_the_same_reason_are_one_entry_with_a_count() {
    let many = (1..=97).map(|number| line(&number.to_string(), LineType::SubscriptionPurchase));
    let lines = many.chain([line("98", LineType::All), line("99", LineType::MonthlyUsage)]).collect();
    let decision = check(vec![order("A", lines)], &usage("INV", "1"), "A/99");
    assert_eq!(traced(&decision, "A"), "TYPE_NOT_APPLICABLE×97(1) LESS_SPECIFIC_TYPE×1(98) TAKEN×1(99)");
}

#[test]
fn reasons_have_names_that_are_read_again() {
    for reason in LineReason::ALL {
        assert_eq!(LineReason::parse(reason.name()), Some(reason));
    }
    for reason in NoOrder::ALL {
        assert_eq!(NoOrder::parse(reason.name()), Some(reason));
    }
    let april = month("2025-04");
    for reason in [OrderReason::Suspended, OrderReason::Expired(april), OrderReason::NotYetEffective(april)] {
        assert_eq!(OrderReason::parse(reason.name(), reason.month()), Some(reason));
    }
}
