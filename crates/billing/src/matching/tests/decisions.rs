//! D1 to D9, and the decisions where AWS's documents are silent or disagree.

use super::*;
use crate::purchase_order::invoice::Exchange;
use crate::purchase_order::{ExpiryBasis, OnInsufficientBalance};

fn check(settings: Settings, orders: Vec<PurchaseOrder>, invoice: &MatchInvoice, expected: &str) -> Decision {
    let decision = Matcher::new(settings, orders).take(invoice).unwrap();
    assert_eq!(told(&decision), expected, "{decision:?}");
    decision
}

fn all(name: &str) -> PurchaseOrder {
    order(name, vec![line("1", LineType::All)])
}

#[test]
fn d1_and_a7_an_order_expires_by_the_billing_period_or_by_the_wall_clock() {
    let april = PurchaseOrder { effective: month("2025-04"), expiration: month("2025-04"), ..all("A") };
    let invoice = usage("INV", "1");
    check(Settings::default(), vec![april.clone()], &invoice, "A/1");
    let wall = Settings { expiry_basis: ExpiryBasis::WallClock, ..Settings::default() };
    let decision = check(wall.clone(), vec![april.clone()], &invoice, "NO_ELIGIBLE_PURCHASE_ORDER");
    assert_eq!(traced(&decision, "A"), "PO_EXPIRED");
    let last = MatchInvoice { issued_at: at("2025-04-30T23:59:59Z"), ..invoice };
    check(wall.clone(), vec![april.clone()], &last, "A/1");
    let early = MatchInvoice { issued_at: at("2025-03-31T23:59:59Z"), ..last };
    let decision = check(wall, vec![april], &early, "NO_ELIGIBLE_PURCHASE_ORDER");
    assert_eq!(traced(&decision, "A"), "PO_NOT_YET_EFFECTIVE");
}

#[test]
fn d2_suspension_is_what_it_is_when_the_invoice_is_generated() {
    let mut matcher = matcher(vec![all("A")]);
    assert_eq!(told(&matcher.take(&usage("I1", "1")).unwrap()), "A/1");
    let suspended = PurchaseOrder { suspended: true, ..all("A") };
    let decision = Matcher::new(Settings::default(), [suspended]).take(&usage("I2", "1")).unwrap();
    assert_eq!(told(&decision), "NO_ELIGIBLE_PURCHASE_ORDER");
}

#[test]
fn d3_and_a10_a_line_without_tracking_always_has_enough() {
    let untracked = order("A", vec![Line { balance_tracking: false, ..tracked("1", LineType::All, "1.00") }]);
    let mut matcher = matcher(vec![untracked]);
    let decision = matcher.take(&usage("INV", "500")).unwrap();
    let Outcome::Associated(taking) = &decision.outcome else { panic!("{decision:?}") };
    assert!(!taking.out_of_balance);
    assert_eq!(taking.balance_after, Some(amount("-499")));
}

#[test]
fn d4_and_a19_ties_go_to_the_smallest_id_then_to_the_narrowest_line() {
    let decision = check(Settings::default(), vec![all("B"), all("A"), all("C")], &usage("INV", "1"), "A/1");
    assert_eq!(traced(&decision, "B"), "LATER_ID×1(1)");
    let months = |name: &str, start: &str, end: &str| Line {
        start: month(start),
        end: month(end),
        ..line(name, LineType::All)
    };
    for (lines, expected) in [
        (vec![months("1", "2025-01", "2025-12"), months("2", "2025-04", "2025-05")], "A/2"),
        (vec![months("1", "2025-04", "2025-05"), months("2", "2025-03", "2025-04")], "A/2"),
        (vec![months("10", "2025-04", "2025-05"), months("9", "2025-04", "2025-05")], "A/9"),
        (vec![months("1.10", "2025-04", "2025-05"), months("1.9", "2025-04", "2025-05")], "A/1.9"),
    ] {
        let decision = check(Settings::default(), vec![order("A", lines)], &usage("INV", "1"), expected);
        assert!(traced(&decision, "A").contains("OTHER_LINE_OF_ORDER×1"));
    }
}

#[test]
fn d5_and_a14_an_order_of_the_unit_comes_before_orders_without_units() {
    let units = BTreeSet::from(["iu-eu".to_owned()]);
    let bound = PurchaseOrder { invoice_units: units, ..all("A") };
    let free = order("B", vec![line("1", LineType::MonthlyUsage)]);
    let free = PurchaseOrder { updated_at: at("2025-04-01"), ..free };
    let invoice = MatchInvoice { invoice_unit: Some("iu-eu".into()), ..usage("INV", "1") };
    let decision = check(Settings::default(), vec![bound.clone(), free.clone()], &invoice, "A/1");
    assert_eq!(traced(&decision, "B"), "INVOICE_UNIT_PREFERRED×1(1)");
    let strict = Settings { prefer_invoice_unit: false, ..Settings::default() };
    check(strict, vec![bound.clone(), free.clone()], &invoice, "B/1");
    check(Settings::default(), vec![free.clone()], &invoice, "B/1");
    // An order of the unit without a line for the invoice prefers nothing.
    let idle = PurchaseOrder { lines: vec![line("1", LineType::SubscriptionPurchase)], ..bound };
    check(Settings::default(), vec![idle, free], &invoice, "B/1");
}

#[test]
fn d6_and_a4_totals_with_tax_are_compared_with_values_with_tax() {
    let percent = Percentage::parse("20").unwrap();
    let cost = Cost::parse("100.00").unwrap();
    let price = Price::new(cost, Quantity::ONE, Some(Tax::Percent(percent)), usd()).unwrap();
    let taxed = order("A", vec![Line { price, ..tracked("1", LineType::All, "1.00") }]);
    let decision = check(Settings::default(), vec![taxed], &usage("INV", "120"), "A/1");
    let Outcome::Associated(taking) = decision.outcome else { panic!() };
    assert!(!taking.out_of_balance);
    assert_eq!(taking.balance_after, Some(amount("0")));
}

fn memo(original: Option<&str>) -> MatchInvoice {
    MatchInvoice { original: original.map(str::to_owned), ..invoice("CM", InvoiceKind::CreditMemo, "30") }
}

#[test]
fn d7_a_credit_memo_follows_its_original_whatever_has_become_of_the_order() {
    let lines = || vec![tracked("1", LineType::All, "100.00")];
    let first = matcher(vec![order("A", lines())]).take(&usage("INV", "80")).unwrap();
    let gone = PurchaseOrder { suspended: true, expiration: month("2025-02"), ..order("A", lines()) };
    let better = PurchaseOrder { updated_at: at("2025-04-01"), ..all("B") };
    let mut later = matcher(vec![gone, better]);
    let used = Some(amount("80"));
    let (buyer, by) = (Buyer::Payer, super::super::PlacedBy::Rules);
    let place = first.place().unwrap().clone();
    let placed = super::super::Association { invoice: "INV".into(), buyer, place: place.clone(), used, by };
    later.place(placed).unwrap();
    let negative = MatchInvoice { total: amount("-30"), id: "CM2".into(), ..memo(Some("INV")) };
    for (memo, left) in [(memo(Some("INV")), "50"), (negative, "80")] {
        assert_eq!(told(&later.take(&memo).unwrap()), "A/1");
        assert_eq!(later.balance(&Buyer::Payer, &place), Some(amount(left)));
    }
}

#[test]
fn a17_a_credit_memo_without_original_or_of_one_without_order_has_none() {
    let mut matcher = matcher(vec![all("A")]);
    for (original, reason) in [(None, NoOrder::NoOriginal), (Some("UNKNOWN"), NoOrder::OriginalWithoutOrder)]
    {
        assert_eq!(told(&matcher.take(&memo(original)).unwrap()), reason.name());
    }
    // Associated later, the original takes its memo along when that is decided again.
    matcher.take(&usage("INV", "80")).unwrap();
    assert_eq!(told(&matcher.take(&memo(Some("INV"))).unwrap()), "A/1");
}

#[test]
fn d8_and_a11_what_is_not_covered_is_associated_held_or_left() {
    let short = || vec![order("A", vec![tracked("1", LineType::All, "10.00")])];
    let with = |on| Settings { on_insufficient_balance: on, ..Settings::default() };
    check(with(OnInsufficientBalance::Associate), short(), &usage("INV", "11"), "A/1");
    let decision = check(with(OnInsufficientBalance::Hold), short(), &usage("INV", "11"), "held A/1");
    assert_eq!((decision.place(), traced(&decision, "A")), (None, "TAKEN×1(1)".into()));
    let leave = with(OnInsufficientBalance::LeaveUnmatched);
    let decision = check(leave.clone(), short(), &usage("INV", "11"), NoOrder::NoBalance.name());
    assert_eq!(traced(&decision, "A"), "INSUFFICIENT_BALANCE×1(1)");
    check(leave, short(), &usage("INV", "10"), "A/1");
    let mut holding = Matcher::new(with(OnInsufficientBalance::Hold), short());
    holding.take(&usage("INV", "11")).unwrap();
    let place = super::super::Place { order: id("A"), line: number("1") };
    assert_eq!(holding.balance(&Buyer::Payer, &place), Some(amount("10")));
}

fn euro() -> Currency {
    Currency::parse("EUR").unwrap()
}

#[test]
fn d9_a_tracked_line_in_another_currency_needs_the_invoices_own_exchange() {
    let in_euro =
        PurchaseOrder { currency: euro(), ..order("A", vec![tracked("1", LineType::All, "100.00")]) };
    let decision =
        check(Settings::default(), vec![in_euro.clone()], &usage("INV", "110"), "NO_ELIGIBLE_LINE");
    assert_eq!(traced(&decision, "A"), "CURRENCY_MISMATCH×1(1)");
    let rate = |text: &str| crate::money::Rate::parse(text).unwrap();
    for (source, target, of, taken) in
        [(usd(), euro(), "0.9", "99"), (euro(), usd(), "1.1", "100"), (euro(), usd(), "1.0999", "100.01")]
    {
        let exchange = Some(Exchange { source, target, rate: rate(of) });
        let invoice = MatchInvoice { exchange, ..usage("INV", "110") };
        let decision = check(Settings::default(), vec![in_euro.clone()], &invoice, "A/1");
        let Outcome::Associated(taking) = decision.outcome else { panic!() };
        assert_eq!(taking.used, Some(amount(taken)));
    }
    let other = Exchange { source: usd(), target: Currency::parse("GBP").unwrap(), rate: rate("1") };
    let invoice = MatchInvoice { exchange: Some(other), ..usage("INV", "110") };
    check(Settings::default(), vec![in_euro], &invoice, "NO_ELIGIBLE_LINE");
}

#[test]
fn d9_a_line_without_tracking_takes_any_currency_and_its_balance_stays() {
    let in_euro = PurchaseOrder { currency: euro(), ..all("A") };
    let decision = check(Settings::default(), vec![in_euro], &usage("INV", "110"), "A/1");
    let Outcome::Associated(taking) = decision.outcome else { panic!() };
    assert_eq!((taking.used, taking.balance_after), (None, Some(Amount::ZERO)));
}

#[test]
fn a_converted_total_and_its_residue_are_the_exact_product() {
    let rate = crate::money::Rate::parse("0.91237").unwrap();
    let exchange = Some(Exchange { source: usd(), target: euro(), rate });
    let found = super::super::converted(amount("123.45"), usd(), euro(), exchange).unwrap().unwrap();
    assert_eq!(found.total, amount("112.63"));
    assert_eq!(found.total.plus(found.residue), Ok(amount("112.6320765")));
    let back = super::super::converted(amount("1"), euro(), usd(), exchange).unwrap().unwrap();
    assert_eq!(back.total, amount("1.1"));
    let yen = Currency::parse("JPY").unwrap();
    let exchange =
        Some(Exchange { source: usd(), target: yen, rate: crate::money::Rate::parse("150.5").unwrap() });
    let found = super::super::converted(amount("1"), usd(), yen, exchange).unwrap().unwrap();
    assert_eq!((found.total, found.residue), (amount("151"), amount("-0.5")));
}

#[test]
fn a8_the_invoice_decides_what_kind_it_is() {
    use InvoiceKind as K;
    assert_eq!(K::of(false, false, true), K::MonthlyUsage);
    assert_eq!(K::of(false, false, false), K::Subscription);
    assert_eq!(K::of(false, true, true), K::MarketplaceMonthly);
    assert_eq!(K::of(false, true, false), K::MarketplaceOutOfCycle);
    assert_eq!(K::of(true, true, false), K::CreditMemo);
    for kind in K::ALL {
        assert_eq!(K::parse(kind.name()), Some(kind));
    }
}

#[test]
fn a9_a_line_of_type_all_takes_every_kind_of_invoice() {
    for kind in InvoiceKind::ALL.into_iter().filter(|kind| *kind != InvoiceKind::CreditMemo) {
        check(Settings::default(), vec![all("A")], &invoice("INV", kind, "1"), "A/1");
    }
}

#[test]
fn a27_an_invoice_of_nothing_is_matched_and_takes_nothing() {
    let orders = vec![order("A", vec![tracked("1", LineType::All, "0")])];
    let decision = check(Settings::default(), orders, &usage("INV", "0"), "A/1");
    let Outcome::Associated(taking) = decision.outcome else { panic!() };
    assert_eq!((taking.out_of_balance, taking.balance_after), (false, Some(Amount::ZERO)));
}

#[test]
fn a29_an_invoice_of_the_operator_finds_the_customers_order_by_the_operators_name() {
    let group = Buyer::BillingGroup(BillingGroupId::parse("abcdefghij").unwrap());
    let issuer = seller("Reseller Ltd");
    let own = PurchaseOrder { buyer: group.clone(), bill_from: BTreeSet::from([issuer.clone()]), ..all("A") };
    let invoice =
        MatchInvoice { buyer: group, seller: issuer, origin: Origin::ProForma, ..usage("INV", "1") };
    check(Settings::default(), vec![own], &invoice, "A/1");
}

#[test]
fn d7_a_memo_without_an_exchange_is_exchanged_as_its_original_was() {
    use crate::money::Rate;
    use crate::purchase_order::invoice::Exchange;
    let (eur, rate) = (Currency::parse("EUR").unwrap(), Rate::parse("1.1").unwrap());
    let stated = Some(Exchange { source: eur, target: usd(), rate });
    let memo = || MatchInvoice {
        currency: eur,
        original: Some("INV".into()),
        ..invoice("CM", InvoiceKind::CreditMemo, "50")
    };
    let mut of_euro = matcher(vec![order("A", vec![tracked("1", LineType::All, "1000.00")])]);
    of_euro.take(&MatchInvoice { currency: eur, exchange: stated, ..usage("INV", "100") }).unwrap();
    let Outcome::Associated(taking) = of_euro.take(&memo()).unwrap().outcome else { panic!("not followed") };
    assert_eq!((taking.used, taking.balance_after), (Some(amount("-55")), Some(amount("945"))));
    assert!(!taking.lacks_exchange);
    // Nobody states how many dollars these euros are.
    let mut of_dollars = matcher(vec![order("A", vec![tracked("1", LineType::All, "1000.00")])]);
    of_dollars.take(&usage("INV", "100")).unwrap();
    let decision = of_dollars.take(&memo()).unwrap();
    let Outcome::Associated(taking) = &decision.outcome else { panic!("not followed") };
    assert!(taking.lacks_exchange && taking.used.is_none());
    let said = crate::matching::explain(&memo(), &decision);
    assert_eq!(
        said[1],
        "It gives nothing back, although the line's balance is tracked: neither it nor its original states an exchange to USD."
    );
}

#[test]
fn d7_a_memo_of_an_invoice_below_zero_takes_what_that_has_given() {
    for total in ["20", "-20"] {
        let mut matcher = matcher(vec![order("A", vec![tracked("1", LineType::All, "100.00")])]);
        matcher.take(&usage("INV", "-50")).unwrap();
        let memo =
            MatchInvoice { original: Some("INV".into()), ..invoice("CM", InvoiceKind::CreditMemo, total) };
        let Outcome::Associated(taking) = matcher.take(&memo).unwrap().outcome else {
            panic!("not followed")
        };
        assert_eq!((taking.used, taking.balance_after), (Some(amount("20")), Some(amount("130"))));
    }
}

#[test]
fn a27_what_takes_nothing_is_covered_by_an_overdrawn_line() {
    let settings = Settings { on_insufficient_balance: OnInsufficientBalance::Hold, ..Settings::default() };
    let overdrawn = order("A", vec![tracked("1", LineType::All, "10.00")]);
    let mut matcher = Matcher::new(settings, [overdrawn]);
    let place = crate::matching::Place { order: id("A"), line: number("1") };
    let by = crate::matching::PlacedBy::Person;
    let used = Some(amount("30"));
    let (buyer, before) = (Buyer::Payer, "BEFORE".to_owned());
    matcher.place(crate::matching::Association { invoice: before, buyer, place, used, by }).unwrap();
    for total in ["0", "-5"] {
        assert_eq!(told(&matcher.take(&usage(total, total)).unwrap()), "A/1");
    }
    assert_eq!(told(&matcher.take(&usage("INV", "1")).unwrap()), "held A/1");
}
