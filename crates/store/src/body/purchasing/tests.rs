//! What is written is read again.

use super::*;
use billing::purchase_order::read;

fn order(buyer: &Buyer) -> PurchaseOrder {
    let address = Address {
        lines: vec!["1 Mill Lane".to_owned()],
        country: Some("GB".to_owned()),
        ..Address::default()
    };
    let line = |number: &str, tax| DraftLine {
        number: number.to_owned(),
        line_type: "ALL".to_owned(),
        start_month: "2026-01".to_owned(),
        end_month: "2026-12".to_owned(),
        balance_tracking: true,
        amount: Some("10.50".to_owned()),
        quantity: Some("2".to_owned()),
        tax,
        charge: Some("charge".to_owned()),
        ..DraftLine::default()
    };
    let draft = Draft {
        id: "PO 1".to_owned(),
        description: Some("notes".to_owned()),
        bill_from: vec!["AWS_EUROPE".to_owned(), "*".to_owned()],
        tax_registration_numbers: vec!["GB1".to_owned()],
        invoice_units: vec!["unit".to_owned()],
        ship_to: Some(address.clone()),
        bill_to: Some(address),
        payment_terms: Some("Net 30".to_owned()),
        currency: "EUR".to_owned(),
        effective_month: "2026-01".to_owned(),
        expiration_month: "2026-12".to_owned(),
        contacts: vec![Contact { name: "Ann".to_owned(), email: "ann@example.com".to_owned(), phone: None }],
        tags: vec![("key".to_owned(), "value".to_owned())],
        suspended: true,
        lines: vec![
            line("1", Some(DraftTax::Percent("19".to_owned()))),
            line("2", Some(DraftTax::Amount("1".to_owned()))),
            line("3", None),
        ],
    };
    read(&draft, buyer, 1, 2).unwrap()
}

#[test]
fn an_order_is_read_as_it_was_written() {
    for buyer in [Buyer::Payer, Buyer::BillingGroup(BillingGroupId::parse("a1B2c3D4e5").unwrap())] {
        let order = order(&buyer);
        assert_eq!(read_order(buyer_of(buyer_text(&buyer)).unwrap(), &write_order(&order)), Ok(order));
    }
    let damaged = write_order(&order(&Buyer::Payer)).replace("2026-12", "2026-13");
    assert!(read_order(Buyer::Payer, &damaged).is_err());
    assert!(buyer_of("nobody's").is_err());
}

#[test]
fn an_invoice_is_read_as_it_was_written() {
    let currency = |text| Currency::parse(text).unwrap();
    let id = |text| PurchaseOrderId::parse(text).unwrap();
    let invoice = MatchInvoice {
        id: "INV".to_owned(),
        origin: Origin::ProForma,
        buyer: Buyer::Payer,
        kind: InvoiceKind::CreditMemo,
        seller: Seller::parse("AWS_INC").unwrap(),
        period: BillingPeriod::new(2026, 10).unwrap(),
        total: Amount::parse("-100.123").unwrap(),
        currency: currency("USD"),
        exchange: Some(Exchange {
            source: currency("USD"),
            target: currency("EUR"),
            rate: Rate::parse("0.9").unwrap(),
        }),
        tax_registration_number: Some("GB1".to_owned()),
        invoice_unit: Some("unit".to_owned()),
        issued_at: 7,
        charge: Some("charge".to_owned()),
        requested: Some(RequestedOrder { id: id("PO"), line: LineNumber::parse("1"), others: vec![id("B")] }),
        original: Some("BEFORE".to_owned()),
    };
    let text = write_invoice(&invoice, Some(9));
    assert_eq!(read_invoice("INV", Buyer::Payer, &text), Ok((invoice, Some(9))));
    let damaged = text.replace("-100.123", "much");
    assert_eq!(read_invoice("INV", Buyer::Payer, &damaged), Err("`much`: not a decimal number".to_owned()));
}

#[test]
fn settings_are_read_as_they_were_written() {
    let changed = Settings {
        expiry_basis: ExpiryBasis::WallClock,
        on_insufficient_balance: OnInsufficientBalance::Hold,
        allow_number_sign: true,
        terms: Terms {
            cost: Tolerance { amount: Amount::parse("0.5").ok(), percent: Percentage::parse("1").ok() },
            require_order: true,
            approval_above: Amount::parse("5000").ok(),
            ..Terms::default()
        },
        ..Settings::default()
    };
    for settings in [Settings::default(), changed] {
        assert_eq!(Settings::read(&settings.write()), Ok(settings));
    }
}

#[test]
fn settings_of_an_earlier_version_are_read() {
    // With thresholds, which nothing was told by, and without what was settled later.
    let earlier = r#"{"prefer_invoice_unit":true,"expiry_basis":"billing_period","on_insufficient_balance":"hold",
        "marketplace_transaction_for_usage":false,"allow_number_sign":false,"line_types":["ALL"],"line_type_sellers":{},
        "balance_thresholds":["75","used_up"]}"#;
    let read = Settings::read(earlier).unwrap();
    assert_eq!(read.on_insufficient_balance, OnInsufficientBalance::Hold);
    assert_eq!(read.terms, Terms::default());
    assert!(!read.write().contains("balance_thresholds"));
}
