//! R19, and what AWS Marketplace purchases do to orders.

use super::super::Effect;
use super::*;
use crate::purchase_order::{ACTIVE_ORDERS_MAX, ExpiryBasis};

fn purchase(order: &str) -> MatchInvoice {
    let requested = RequestedOrder { id: id(order), line: None, others: Vec::new() };
    MatchInvoice {
        requested: Some(requested),
        charge: Some("charge-1".into()),
        ..invoice("INV", InvoiceKind::MarketplaceOutOfCycle, "500")
    }
}

fn all(name: &str) -> PurchaseOrder {
    order(name, vec![line("1", LineType::All)])
}

#[test]
fn r19_a_known_order_gets_a_line_for_the_purchase() {
    let mut matcher = matcher(vec![all("A"), all("B")]);
    let decision = matcher.take(&purchase("A")).unwrap();
    assert_eq!(told(&decision), "A/2");
    assert_eq!(traced(&decision, "B"), "PO_NOT_REQUESTED");
    let [Effect::AddLine { line, .. }] = decision.effects.as_slice() else { panic!("{decision:?}") };
    assert_eq!((line.line_type, line.balance_tracking), (LineType::MarketplaceTransaction, false));
    assert_eq!(line.price.value().total, amount("500"));
    // The next instalment finds the line that is there.
    let next = MatchInvoice { id: "INV-2".into(), ..purchase("A") };
    let decision = matcher.take(&next).unwrap();
    assert_eq!((told(&decision), decision.effects.len()), ("A/2".into(), 0));
    let orders: Vec<_> = matcher.orders().filter(|order| order.id == id("A")).collect();
    assert_eq!((orders[0].lines.len(), orders[0].updated_at), (2, all("A").updated_at));
}

#[test]
fn r19_an_unknown_number_creates_an_order_without_contacts() {
    let mut matcher = matcher(vec![all("A")]);
    let decision = matcher.take(&purchase("NEW")).unwrap();
    assert_eq!(told(&decision), "NEW/1");
    let [Effect::Create(created)] = decision.effects.as_slice() else { panic!("{decision:?}") };
    assert_eq!((created.contacts.len(), created.lines.len()), (0, 1));
    assert_eq!(matcher.orders().count(), 2);
    let place = decision.place().unwrap();
    assert_eq!(matcher.balance(&Buyer::Payer, place), Some(Amount::ZERO));
}

#[test]
fn r19_an_expired_order_is_active_again_until_the_lines_end() {
    let expired = PurchaseOrder { expiration: month("2025-02"), ..all("A") };
    let mut matcher = matcher(vec![expired]);
    let decision = matcher.take(&purchase("A")).unwrap();
    assert_eq!(told(&decision), "A/2");
    let revived = Effect::Revive { order: id("A"), expiration: month("2025-04") };
    assert_eq!(decision.effects[0], revived);
    assert_eq!(matcher.orders().next().unwrap().expiration, month("2025-04"));
}

#[test]
fn r19_a_suspended_order_gets_the_line_and_the_invoice_no_order() {
    let suspended = PurchaseOrder { suspended: true, ..all("A") };
    let mut matcher = matcher(vec![suspended]);
    let decision = matcher.take(&purchase("A")).unwrap();
    assert_eq!(told(&decision), NoOrder::RequestedSuspended.name());
    assert!(matches!(decision.effects.as_slice(), [Effect::AddLine { .. }]));
    assert_eq!(traced(&decision, "A"), "PO_SUSPENDED");
    assert_eq!(matcher.orders().next().unwrap().lines.len(), 2);
}

#[test]
fn r19_limits_stand_against_new_lines_and_orders() {
    let full = (1..=100).map(|number| line(&number.to_string(), LineType::SubscriptionPurchase)).collect();
    let decision = matcher(vec![order("A", full)]).take(&purchase("A")).unwrap();
    assert_eq!((told(&decision), decision.effects.len()), (NoOrder::RequestedLimit.name().into(), 0));
    let many = (0..ACTIVE_ORDERS_MAX).map(|number| all(&format!("PO {number}"))).collect();
    let decision = matcher(many).take(&purchase("NEW")).unwrap();
    assert_eq!((told(&decision), decision.effects.len()), (NoOrder::RequestedLimit.name().into(), 0));
}

#[test]
fn r19_a_number_on_another_kind_of_invoice_narrows_and_creates_nothing() {
    let newer = PurchaseOrder { updated_at: at("2025-04-01"), ..all("B") };
    let asking = MatchInvoice { kind: InvoiceKind::MonthlyUsage, charge: None, ..purchase("A") };
    let decision = matcher(vec![all("A"), newer.clone()]).take(&asking).unwrap();
    assert_eq!((told(&decision), decision.effects.len()), ("A/1".into(), 0));
    let decision = matcher(vec![newer]).take(&asking).unwrap();
    assert_eq!((told(&decision), decision.effects.len()), (NoOrder::RequestedUnknown.name().into(), 0));
}

#[test]
fn r19_another_sellers_order_is_left_as_it_is() {
    let europe = PurchaseOrder { bill_from: BTreeSet::from([seller("AWS_EUROPE")]), ..all("A") };
    let decision = matcher(vec![europe]).take(&purchase("A")).unwrap();
    assert_eq!((told(&decision), decision.effects.len()), (NoOrder::NoOrderEligible.name().into(), 0));
    assert_eq!(traced(&decision, "A"), "BILL_FROM_MISMATCH");
}

#[test]
fn r19_the_buyers_line_number_is_kept_where_it_is_free() {
    let mut with_line = purchase("A");
    with_line.requested.as_mut().unwrap().line = Some(number("7.1"));
    assert_eq!(told(&matcher(vec![all("A")]).take(&with_line).unwrap()), "A/7.1");
    let empty = order("A", vec![line("5", LineType::All)]);
    assert_eq!(told(&matcher(vec![empty]).take(&purchase("A")).unwrap()), "A/1");
}

#[test]
fn a5_monthly_marketplace_usage_takes_a_transaction_line_only_where_that_is_set_and_asked_for() {
    let lines =
        vec![line("1", LineType::MarketplaceBlanketUsage), line("2", LineType::MarketplaceTransaction)];
    let usage = MatchInvoice { kind: InvoiceKind::MarketplaceMonthly, charge: None, ..purchase("A") };
    let orders = || vec![order("A", lines.clone())];
    assert_eq!(told(&matcher(orders()).take(&usage).unwrap()), "A/1");
    let allowed = Settings { marketplace_transaction_for_usage: true, ..Settings::default() };
    assert_eq!(told(&Matcher::new(allowed.clone(), orders()).take(&usage).unwrap()), "A/2");
    let unasked = MatchInvoice { requested: None, ..usage };
    assert_eq!(told(&Matcher::new(allowed, orders()).take(&unasked).unwrap()), "A/1");
}

#[test]
fn a23_other_numbers_on_an_invoice_are_told() {
    let mut invoice = purchase("A");
    invoice.requested.as_mut().unwrap().others = vec![id("C")];
    let decision = matcher(vec![all("A")]).take(&invoice).unwrap();
    assert_eq!(decision.other_numbers, [id("C")]);
}

#[test]
fn a20_the_number_of_a_deleted_order_makes_none() {
    let mut matcher = matcher(vec![]);
    matcher.reserve(Buyer::Payer, id("GONE"));
    let requested = RequestedOrder { id: id("GONE"), line: None, others: Vec::new() };
    let asked = invoice("INV", InvoiceKind::MarketplaceOutOfCycle, "5");
    let asked = MatchInvoice { requested: Some(requested), ..asked };
    let decision = matcher.take(&asked).unwrap();
    assert_eq!(told(&decision), "REQUESTED_PURCHASE_ORDER_DELETED");
    assert!(decision.effects.is_empty() && decision.trace.orders.is_empty());
    // Another buyer's order of that number is another one.
    let group = Buyer::BillingGroup(BillingGroupId::parse("abcdefghij").unwrap());
    let other = MatchInvoice { buyer: group, ..asked };
    assert_eq!(told(&matcher.take(&other).unwrap()), "GONE/1");
}

#[test]
fn r19_by_the_wall_clock_a_new_order_has_the_month_in_which_its_invoice_is_issued() {
    let settings = Settings { expiry_basis: ExpiryBasis::WallClock, ..Settings::default() };
    let requested = RequestedOrder { id: id("NEW"), line: None, others: Vec::new() };
    let asked = invoice("INV", InvoiceKind::MarketplaceOutOfCycle, "5");
    let asked = MatchInvoice { requested: Some(requested), ..asked };
    let early = MatchInvoice { issued_at: at("2025-02-03T06:00:00Z"), ..asked.clone() };
    assert_eq!(told(&Matcher::new(settings.clone(), []).take(&early).unwrap()), "NEW/1");
    let mut matcher = Matcher::new(settings, []);
    assert_eq!(told(&matcher.take(&asked).unwrap()), "NEW/1");
    let made = matcher.orders().next().unwrap();
    assert_eq!((made.effective, made.expiration), (month("2025-04"), month("2025-05")));
    assert_eq!((made.lines[0].start, made.lines[0].end), (month("2025-04"), month("2025-04")));
}
