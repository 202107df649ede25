//! `fixtures/po-matching.json`: orders and invoices in, associations out.

use super::json::Json;
use super::*;

fn price(line: &Json, currency: Currency) -> Price {
    let cost = |text: &str| Cost::parse(text).unwrap();
    let tax = line.get("tax").map(|tax| match (tax.text("type"), tax.text("value")) {
        (Some("PERCENT"), Some(value)) => Tax::Percent(Percentage::parse(value).unwrap()),
        (Some("AMOUNT"), Some(value)) => Tax::Amount(cost(value)),
        other => panic!("{other:?} is no tax"),
    });
    let amount = line.text("amount").map_or(Cost::ZERO, cost);
    let quantity = line.text("quantity").map_or(Quantity::ONE, |text| Quantity::parse(text).unwrap());
    Price::new(amount, quantity, tax, currency).unwrap()
}

fn read_order(of: &Json) -> PurchaseOrder {
    let currency = Currency::parse(of.text("currency").unwrap_or("USD")).unwrap();
    let texts = |key: &str| of.list(key).iter().map(|it| it.as_text().to_owned()).collect();
    let lines = of.list("lines").iter().map(|line| Line {
        line_type: LineType::parse(line.text("type").unwrap()).unwrap(),
        start: month(line.text("start").unwrap()),
        end: month(line.text("end").unwrap()),
        balance_tracking: line.flag("tracked").unwrap_or(false),
        charge: line.text("charge").map(str::to_owned),
        price: price(line, currency),
        ..super::line(line.text("number").unwrap(), LineType::All)
    });
    PurchaseOrder {
        bill_from: of.list("bill_from").iter().map(|it| seller(it.as_text())).collect(),
        tax_registration_numbers: texts("trns"),
        invoice_units: texts("units"),
        currency,
        effective: month(of.text("effective").unwrap()),
        expiration: month(of.text("expiration").unwrap()),
        suspended: of.flag("suspended").unwrap_or(false),
        updated_at: at(of.text("updated_at").unwrap()),
        ..order(of.text("id").unwrap(), lines.collect())
    }
}

fn read_invoice(of: &Json) -> MatchInvoice {
    let kind = InvoiceKind::parse(of.text("kind").unwrap()).unwrap();
    MatchInvoice {
        seller: seller(of.text("bill_from").unwrap()),
        period: month(of.text("period").unwrap()),
        currency: Currency::parse(of.text("currency").unwrap_or("USD")).unwrap(),
        tax_registration_number: of.text("trn").map(str::to_owned),
        invoice_unit: of.text("unit").map(str::to_owned),
        issued_at: of.text("issued_at").map_or(at("2025-05-03T06:00:00Z"), at),
        charge: of.text("charge").map(str::to_owned),
        requested: of.text("requested_po").map(|text| RequestedOrder {
            id: id(text),
            line: None,
            others: Vec::new(),
        }),
        original: of.text("original").map(str::to_owned),
        ..invoice(of.text("id").unwrap(), kind, of.text("total").unwrap())
    }
}

#[test]
fn every_vector_comes_out_as_it_says() {
    let vectors = Json::read(include_str!("../../../../../fixtures/po-matching.json"));
    assert_eq!(vectors.items().len(), 23);
    for vector in vectors.items() {
        let name = vector.text("id").unwrap();
        let prefer = vector.get("policy").and_then(|policy| policy.flag("prefer_invoice_unit"));
        let settings = Settings { prefer_invoice_unit: prefer.unwrap_or(true), ..Settings::default() };
        let mut matcher = Matcher::new(settings, vector.list("pos").iter().map(read_order));
        for (invoice, expected) in vector.list("invoices").iter().zip(vector.list("expect")) {
            let decision = matcher.take(&read_invoice(invoice)).unwrap();
            let place = decision.place().map(|place| (place.order.as_str(), place.line.as_str()));
            assert_eq!(place, expected.text("po").zip(expected.text("line")), "{name}: {decision:?}");
            if let Some(balance) = expected.text("balance") {
                let left = matcher.balance(&Buyer::Payer, decision.place().unwrap());
                assert_eq!(left, Some(amount(balance)), "{name}");
            }
            let flagged = matches!(&decision.outcome, Outcome::Associated(taking) if taking.out_of_balance);
            assert_eq!(flagged, expected.text("flag") == Some("OUT_OF_BALANCE"), "{name}");
        }
    }
}
