//! What a preview warns of, word for word.

use super::sample::{charges, composed, currency, rule, settings};
use crate::invoice::preview::{OrderOutcome, warnings};
use crate::invoice::terms::Extras;
use crate::margin_guard::{BelowCost, Findings, Unreceived};
use crate::money::{Amount, Cost};

fn said(amount: &str, found: &Findings, order: &OrderOutcome) -> Vec<String> {
    let charges = charges(&[("1", "A", amount), ("1", "B", "0.001")]);
    let of = composed(&settings(&[rule(&[], "S", "19")]), &Extras::default(), &charges).unwrap();
    let found = warnings(&of.document, of.lines_below_a_minor_unit, (1, currency("USD")), found, order);
    found.iter().map(|of| format!("{}: {of}", of.code())).collect()
}

#[test]
fn a_preview_warns_of_what_loses_money() {
    let below = |group, product: &str| BelowCost {
        group,
        product: product.to_owned(),
        currency: currency("USD"),
        aws_cost: Amount::parse("12.5").unwrap(),
        pro_forma: Amount::parse("10").unwrap(),
    };
    let credit = |group| Unreceived {
        account: "111".to_owned(),
        group,
        description: "AWS Activate".to_owned(),
        currency: currency("USD"),
        amount: Cost::parse("-5").unwrap(),
    };
    let found = Findings {
        ungrouped: vec![("333".to_owned(), currency("USD"), Cost::parse("7").unwrap())],
        credits: vec![
            credit(Some(0)),
            credit(Some(1)),
            credit(None),
            Unreceived { currency: currency("CNY"), ..credit(Some(1)) },
        ],
        groups: vec![below(0, ""), below(1, ""), BelowCost { currency: currency("CNY"), ..below(1, "") }],
        products: vec![below(1, "AmazonS3"), below(2, "AmazonS3")],
        allocations: Vec::new(),
    };
    let none = OrderOutcome::None("`PO-7` is suspended".to_owned());
    assert_eq!(
        said("100", &found, &none),
        [
            "BELOW_COST: the whole is charged at 10 USD and costs 12.5; look at its pricing rules",
            "BELOW_COST: `AmazonS3` is charged at 10 USD and costs 12.5; look at its pricing rules",
            "CREDIT_NOT_PASSED_ON: AWS gave account `111` -5 USD (`AWS Activate`) that is on no bill; pass it on with a policy or a \
             custom line item, or mean to keep it",
            "ACCOUNT_IN_NO_GROUP: account `333` is in no billing group and costs 7 USD; nobody is charged for it",
            "NO_PURCHASE_ORDER: no purchase order: `PO-7` is suspended; the customer may not be able to pay without one",
            "LINES_LEFT_OUT: lines that come to less than half a minor unit are not on the document: 1",
        ]
    );
    let found_order = OrderOutcome::Found("PO-7".to_owned());
    assert_eq!(
        said("-1", &Findings::default(), &found_order)[0],
        "BELOW_ZERO: the document comes to -1.19 USD: the operator owes it to the customer"
    );
    let other_line =
        OrderOutcome::OtherLine { number: "PO-7".to_owned(), named: "3".to_owned(), taken: "1".to_owned() };
    assert_eq!(
        said("1", &Findings::default(), &other_line)[0],
        "OTHER_PURCHASE_ORDER_LINE: line `3` of purchase order `PO-7` is named, and the rules take line `1`: the document says `1`; where \
         that is wrong, change the order's lines before it is issued"
    );
    assert_eq!(
        said("0", &Findings::default(), &OrderOutcome::NotAsked)[0],
        "NOTHING_TO_PAY: the document comes to 0; it need not be issued"
    );
}
