//! From charges to a document: sums, taxes, exchange, and every refusal.

use super::sample::{Numbers, charges, composed, currency, day, money, party, rule, settings};
use crate::invoice::check::{Problem, problems};
use crate::invoice::terms::{ExtraAdjustment, Extras, LinesBy, OrderReference, RateDay, Settings};
use crate::invoice::{AdjustmentKind, Invoice, SchemedId};
use crate::money::Amount;

fn lines(document: &Invoice) -> Vec<String> {
    let text = |line: &crate::invoice::Line| {
        let account = line.account.as_deref().unwrap_or("-");
        format!("{} {account} {}: {} × {} = {}", line.id, line.name, line.quantity, line.price, line.net)
    };
    document.lines.iter().map(text).collect()
}

fn refusals(settings: &Settings, extras: &Extras) -> Vec<String> {
    let charges = charges(&[("1", "AmazonEC2", "10"), ("1", "AmazonS3", "1")]);
    composed(settings, extras, &charges).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn a_period_becomes_a_document_that_sums() {
    let charges = charges(&[
        ("111", "AmazonEC2", "100.004"),
        ("111", "AmazonS3", "0.333"),
        ("222", "AmazonEC2", "50.004"),
        ("222", "AWSBillingConductor", "-10.001"),
        ("222", "AmazonSNS", "0"),
        ("222", "AmazonSQS", "0.001"),
    ]);
    let extras = Extras {
        purchase_order: Some(OrderReference { number: "PO-7".to_owned(), line: Some("2".to_owned()) }),
        ..Extras::default()
    };
    let of = composed(&settings(&[rule(&[], "S", "19")]), &extras, &charges).unwrap();
    let document = &of.document;
    assert_eq!(
        lines(document),
        [
            "1 - AWSBillingConductor: -1 × 10 = -10.00",
            "2 - Amazon EC2: 1 × 150.01 = 150.01",
            "3 - Amazon S3: 1 × 0.33 = 0.33"
        ]
    );
    assert_eq!(of.residue.to_string(), "0.001");
    assert_eq!(of.lines_below_a_minor_unit, 1);
    let totals = &document.totals;
    assert_eq!((totals.net.to_string(), totals.tax.to_string()), ("140.34".to_owned(), "26.66".to_owned()));
    assert_eq!((totals.gross, totals.due), (money("USD", "167"), money("USD", "167")));
    assert_eq!((document.issued, document.due), (day("2026-11-03"), Some(day("2026-12-03"))));
    assert_eq!(document.purchase_order.as_deref(), Some("PO-7"));
    assert!(document.lines.iter().all(|line| line.purchase_order_line.as_deref() == Some("2")));
    assert_eq!(problems(document), []);
    assert_eq!(of.numbered("INV-1".to_owned()).number, "INV-1");
}

#[test]
fn lines_are_told_apart_as_the_settings_say() {
    let charges = charges(&[("111", "AmazonEC2", "1"), ("222", "AmazonEC2", "2"), ("222", "AmazonS3", "4")]);
    let mut settings = settings(&[rule(&[], "S", "19")]);
    settings.lines = LinesBy::AccountAndService;
    let document = composed(&settings, &Extras::default(), &charges).unwrap().document;
    assert_eq!(
        lines(&document),
        ["1 111 Amazon EC2: 1 × 1 = 1.00", "2 222 Amazon EC2: 1 × 2 = 2.00", "3 222 Amazon S3: 1 × 4 = 4.00"]
    );
    assert_eq!(document.lines[0].description.as_deref(), Some("account 111"));
    settings.lines = LinesBy::One;
    let document = composed(&settings, &Extras::default(), &charges).unwrap().document;
    assert_eq!(lines(&document), ["1 - Cloud services: 1 × 7 = 7.00"]);
    settings.line_name = Some("Cloud, October".to_owned());
    let none = super::sample::charges(&[]);
    let document = composed(&settings, &Extras::default(), &none).unwrap().document;
    assert_eq!(lines(&document), ["1 - Cloud, October: 1 × 0 = 0.00"]);
    assert_eq!(problems(&document), []);
}

#[test]
fn tax_is_rounded_once_for_each_category_and_rate() {
    let charges = charges(&[("1", "A", "10.13"), ("1", "B", "10.13"), ("1", "C", "5.05"), ("1", "D", "7")]);
    let rules = [rule(&[], "S", "19"), rule(&["C"], "S", "7"), rule(&["D"], "AE", "0")];
    let document = composed(&settings(&rules), &Extras::default(), &charges).unwrap().document;
    let taxes = document
        .taxes
        .iter()
        .map(|of| format!("{} {}: {} of {}", of.tax.category, of.tax.rate, of.amount, of.taxable));
    // Line by line, 19 % would come to 3.84.
    assert_eq!(taxes.collect::<Vec<_>>(), ["S 7: 0.35 of 5.05", "S 19: 3.85 of 20.26", "AE 0: 0.00 of 7.00"]);
    assert_eq!(document.taxes[2].exemption_code.as_deref(), Some("VATEX-EU-AE"));
    assert_eq!(document.totals.tax, money("USD", "4.20"));
}

#[test]
fn another_currency_takes_the_rate_of_its_day_and_says_so() {
    let charges = charges(&[("1", "A", "100"), ("1", "B", "0.005")]);
    let mut settings = settings(&[rule(&[], "S", "23")]);
    settings.currency = Some(currency("EUR"));
    settings.tax_currency = Some(currency("PLN"));
    let of = composed(&settings, &Extras::default(), &charges).unwrap();
    let document = &of.document;
    assert_eq!(document.totals.net, money("EUR", "85.43"));
    assert_eq!(of.residue.to_string(), "0.0042715");
    let exchange = document.exchange.as_ref().unwrap();
    assert_eq!((exchange.rate.to_string().as_str(), exchange.date), ("0.8543", day("2026-10-30")));
    let tax = document.tax_currency.as_ref().unwrap();
    // 19.65 EUR at 4.2561.
    assert_eq!((document.totals.tax, tax.tax), (money("EUR", "19.65"), money("PLN", "83.63")));
    assert_eq!(problems(document), []);
    settings.rate_day = RateDay::Issue;
    settings.currency = Some(currency("CHF"));
    assert_eq!(
        refusals(&settings, &Extras::default()),
        [
            "there is no exchange rate from USD to CHF of 2026-11-03, nor of the 7 days before; import one, and for these two currencies \
             in this direction",
            "there is no exchange rate from CHF to PLN of 2026-11-03, nor of the 7 days before; import one, and for these two currencies \
             in this direction"
        ]
    );
}

#[test]
fn allowances_charges_prepayments_and_payable_steps_reach_what_is_due() {
    let adjustment = |kind, amount: &str| ExtraAdjustment {
        kind,
        amount: money("USD", amount),
        reason: "agreed".to_owned(),
        product: String::new(),
    };
    let mut settings = settings(&[rule(&[], "S", "10")]);
    settings.payable_step = Some(money("USD", "0.05"));
    let extras = Extras {
        adjustments: vec![
            adjustment(AdjustmentKind::Allowance, "20.04"),
            adjustment(AdjustmentKind::Charge, "5"),
        ],
        prepaid: Some(money("USD", "3.01")),
        ..Extras::default()
    };
    let document = composed(&settings, &extras, &charges(&[("1", "A", "100")])).unwrap().document;
    let totals = &document.totals;
    assert_eq!(totals.net, money("USD", "84.96"));
    assert_eq!(totals.gross, money("USD", "93.46"));
    assert_eq!((totals.rounding, totals.due), (money("USD", "0"), money("USD", "90.45")));
    let extras = Extras { prepaid: Some(money("USD", "3.03")), ..extras };
    let document = composed(&settings, &extras, &charges(&[("1", "A", "100")])).unwrap().document;
    assert_eq!(
        (document.totals.rounding, document.totals.due),
        (money("USD", "0.02"), money("USD", "90.45"))
    );
    assert_eq!(problems(&document), []);
    let extras = Extras { adjustments: vec![adjustment(AdjustmentKind::Charge, "-1")], ..Extras::default() };
    assert_eq!(
        refusals(&settings, &extras),
        ["the charge `agreed` is `-1.00`; an allowance and a charge are not below 0, make it the other one"]
    );
    let extras = Extras { prepaid: Some(money("EUR", "1")), ..Extras::default() };
    assert_eq!(refusals(&settings, &extras), ["EUR cannot be added to USD; exchange one of them first"]);
}

#[test]
fn all_that_is_missing_is_said_at_once() {
    let mut bare = settings(&[]);
    bare.tax = None;
    bare.seller = Default::default();
    bare.buyer.address.country = "France".to_owned();
    bare.currency = Some(currency("GBP"));
    assert_eq!(
        refusals(&bare, &Extras::default()),
        [
            "the seller profile has no legal name; set it before an invoice is drafted",
            "the seller profile has no address; set it before an invoice is drafted",
            "the seller profile's country is ``; write the two letters of ISO 3166-1, such as DE",
            "the buyer profile's country is `France`; write the two letters of ISO 3166-1, such as DE",
            "there is no tax profile, and no rate is assumed; set one with a category (S, Z, E, AE, K, G or O), a rate and the day from \
             which it is in force",
            "there is no exchange rate from USD to GBP of 2026-10-31, nor of the 7 days before; import one, and for these two currencies \
             in this direction",
        ]
    );
}

#[test]
fn a_category_wants_its_ids() {
    let no_ids = |rules: &[_]| {
        let mut settings = settings(rules);
        settings.seller.tax_registrations.clear();
        settings.buyer.tax_registrations.clear();
        settings
    };
    for (category, expected) in [
        (
            "Z",
            vec!["tax category Z needs a VAT id or another tax registration in the seller profile; set it"],
        ),
        (
            "O",
            vec![
                "tax category O needs a company id, for its documents name no VAT id, in the seller profile; set it",
            ],
        ),
        (
            "AE",
            vec![
                "tax category AE needs a VAT id or another tax registration in the seller profile; set it",
                "tax category AE needs a VAT id or a company id in the buyer profile; set it",
            ],
        ),
        (
            "K",
            vec![
                "tax category K needs a VAT id in the seller profile; set it",
                "tax category K needs a VAT id in the buyer profile; set it",
            ],
        ),
        ("G", vec!["tax category G needs a VAT id in the seller profile; set it"]),
    ] {
        assert_eq!(
            refusals(&no_ids(&[rule(&[], category, "0")]), &Extras::default()),
            expected,
            "{category}"
        );
    }
}

#[test]
fn a_local_registration_says_nobody_who_the_seller_is() {
    for category in ["Z", "AE"] {
        let mut local = settings(&[rule(&[], category, "0")]);
        local.seller.tax_registrations[0].scheme = "TAX".to_owned();
        let said = refusals(&local, &Extras::default());
        assert_eq!(
            said,
            [format!(
                "tax category {category} needs a VAT id, or a company id beside another tax registration, in the seller profile; set it"
            )]
        );
        local.seller.company_id = Some(SchemedId { scheme: String::new(), id: "HRB 1".to_owned() });
        assert!(composed(&local, &Extras::default(), &charges(&[("1", "A", "1")])).is_ok());
    }
}

#[test]
fn a_category_stands_where_it_may() {
    let mut outside = settings(&[rule(&[], "O", "0")]);
    outside.seller.company_id = Some(SchemedId { scheme: String::new(), id: "HRB 1".to_owned() });
    let charges = charges(&[("1", "A", "1")]);
    let document = composed(&outside, &Extras::default(), &charges).unwrap().document;
    assert_eq!(
        (document.seller.vat_id(), document.buyer.vat_id()),
        (None, None),
        "no VAT id outside the scope of VAT"
    );
    assert_eq!(
        refusals(
            &Settings {
                tax: settings(&[rule(&["AmazonS3"], "O", "0"), rule(&[], "S", "19")]).tax,
                ..outside
            },
            &Extras::default()
        ),
        [
            "tax category O cannot stand beside S on one document; bill these products apart, or under one category"
        ]
    );
    assert_eq!(
        refusals(&settings(&[rule(&["AmazonS3"], "S", "19")]), &Extras::default()),
        [
            "no tax is known for product `AmazonEC2` on 2026-10-31; set a tax profile with a category (S, Z, E, AE, K, G or O) and a rate \
          that is in force on that day"
        ]
    );
    assert_eq!(
        refusals(&settings(&[rule(&[], "S", "0")]), &Extras::default()),
        ["category S has the rate `0`; write one above 0 and up to 100, or category Z, E, AE, K, G or O"]
    );
    assert_eq!(party("A", "DE").vat_id(), Some("DE123456789"));
}

#[test]
fn whatever_the_charges_the_document_sums() {
    let rules = [rule(&[], "S", "19"), rule(&["P1"], "S", "7.7"), rule(&["P2"], "Z", "0")];
    for seed in 0..200 {
        let mut numbers = Numbers(seed);
        let mut all = charges(&[]);
        for _ in 0..numbers.below(30) {
            let (account, product) = (numbers.below(4).to_string(), format!("P{}", numbers.below(6)));
            let units =
                (i128::from(numbers.below(1 << 30)) - (1 << 29)) * i128::from(numbers.below(1 << 30)) * 7919;
            let mut leaf = charges(&[(&account, &product, "0")]).leaves.remove(0);
            leaf.amount = Amount::from_units(units).unwrap();
            all.leaves.push(leaf);
        }
        let mut settings = settings(&rules);
        settings.lines =
            [LinesBy::Service, LinesBy::AccountAndService, LinesBy::One][numbers.below(3) as usize];
        settings.currency = [None, Some(currency("EUR"))][numbers.below(2) as usize];
        settings.tax_currency =
            [None, Some(currency("PLN"))][numbers.below(2) as usize].filter(|_| settings.currency.is_some());
        let of = composed(&settings, &Extras::default(), &all).unwrap();
        assert_eq!(problems(&of.document), [], "seed {seed}");
        let half = Amount::parse("0.005").unwrap();
        assert!(of.residue <= half && of.residue >= half.negated(), "seed {seed}: {}", of.residue);
        if settings.currency.is_none() {
            let kept = of.document.totals.lines.number().to_amount().unwrap().plus(of.residue).unwrap();
            assert_eq!(
                kept,
                all.total().unwrap(),
                "seed {seed}: what is invoiced and what was taken away is all there was"
            );
        }
    }
}

#[test]
fn a_document_that_does_not_sum_says_where() {
    let charges = charges(&[("1", "A", "100"), ("1", "B", "10")]);
    let good = composed(&settings(&[rule(&[], "S", "19")]), &Extras::default(), &charges).unwrap().document;
    let said = |change: fn(&mut Invoice)| {
        let mut bad = good.clone();
        change(&mut bad);
        problems(&bad).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        said(|of| of.lines[1].net = money("USD", "11")),
        [
            "line `2` is 11.00, but its quantity times its price is 10; correct one of them",
            "the taxes are not those of the lines: 110.00 under S at 19 % is taxed, the lines come to 111.00; correct it",
            "`totals.lines` is 110.00, but it comes to 111.00; correct it",
            "`totals.net` is 110.00, but it comes to 111.00; correct it",
            "`totals.gross` is 130.90, but it comes to 131.90; correct it",
            "`totals.due` is 130.90, but it comes to 131.90; correct it",
        ]
    );
    assert_eq!(
        said(|of| of.lines[1].id = "1".to_owned()),
        ["line `1` is there twice; number the lines 1, 2, 3"]
    );
    let negative = said(|of| {
        let line = &mut of.lines[1];
        (line.price, line.quantity) = (line.price.negated(), line.quantity.negated());
    });
    assert_eq!(negative, ["line `2` has a price below 0; make the quantity negative instead"]);
    assert_eq!(
        said(|of| of.taxes[0].amount = money("USD", "20.91"))[0],
        "the tax under S at 19 % is 20.91, but it comes to 20.90; correct it"
    );
    assert_eq!(
        said(|of| of.taxes[0].tax = rule(&[], "Z", "0").tax)[..3],
        [
            "the taxes are not those of the lines: nothing has Z at 0 %; leave that tax out",
            "the tax under Z at 0 % is 20.90, but it comes to 0.00; correct it",
            "the taxes are not those of the lines: lines have S at 19 %; add that tax",
        ]
    );
    let mut empty = good.clone();
    empty.lines.clear();
    assert_eq!(problems(&empty)[0], Problem::NoLines);
    assert_eq!(problems(&empty)[0].to_string(), "the document has no lines; it needs one at least");
}
