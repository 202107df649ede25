//! Custom line items on a document: each by its name, taxed as it was supplied; and what no document may be.

use super::sample::{charges, composed, currency, day, money, october, party, rates, rule, settings};
use crate::invoice::charges::{Charge, ChargedItem, Charges};
use crate::invoice::compose::compose;
use crate::invoice::preview::{OrderOutcome, warnings};
use crate::invoice::tax_profile::TaxRule;
use crate::invoice::terms::{Extras, LinesBy};
use crate::invoice::{BankAccount, Invoice, PaymentInstructions, SchemedId};
use crate::margin_guard::Findings;
use crate::period::BillingPeriod;

fn item(product: &str, name: &str, corrects: Option<u8>, amount: &str) -> Charge {
    let [mut charge] = <[Charge; 1]>::try_from(charges(&[("1", product, amount)]).leaves).unwrap();
    let corrects = corrects.map(|month| BillingPeriod::new(2026, month).unwrap());
    charge.item =
        Some(ChargedItem { name: name.to_owned(), description: format!("{name}, in words"), corrects });
    charge
}

fn with(items: &[Charge]) -> Charges {
    let mut all = charges(&[("1", "AmazonEC2", "100")]);
    all.leaves.extend(items.iter().cloned());
    all
}

fn lines(document: &Invoice) -> Vec<String> {
    let text = |line: &crate::invoice::Line| {
        format!(
            "{} ({}) {} at {}",
            line.name,
            line.description.as_deref().unwrap_or("-"),
            line.net,
            line.tax.rate
        )
    };
    document.lines.iter().map(text).collect()
}

const OWN: &str = "AWSBillingConductor";

#[test]
fn each_item_has_a_line_and_may_have_a_tax_of_its_own() {
    let items = [
        item(OWN, "Managed-fee", None, "50"),
        item(OWN, "Goodwill", None, "-20"),
        item("AmazonEC2", "Uplift", None, "1"),
    ];
    let mut reduced = rule(&[], "S", "7");
    reduced.items = vec!["Goodwill".to_owned()];
    let mut settings = settings(&[rule(&[], "S", "19"), reduced]);
    let document = composed(&settings, &Extras::default(), &with(&items)).unwrap().document;
    assert_eq!(
        lines(&document),
        [
            "Goodwill (Goodwill, in words) -20.00 at 7",
            "Managed-fee (Managed-fee, in words) 50.00 at 19",
            "Amazon EC2 (-) 101.00 at 19"
        ]
    );
    settings.lines = LinesBy::One;
    let document = composed(&settings, &Extras::default(), &with(&items)).unwrap().document;
    assert_eq!(lines(&document), ["Cloud services (-) -20.00 at 7", "Cloud services (-) 151.00 at 19"]);
}

#[test]
fn what_came_late_is_taxed_as_in_its_own_month() {
    let (mut until, mut since) = (rule(&[], "S", "19"), rule(&[], "S", "25"));
    until.until = Some(day("2026-10-01"));
    since.from = day("2026-10-01");
    let items = [item(OWN, "Adjustment-2026-09-1", Some(9), "44")];
    for lines_by in [LinesBy::Service, LinesBy::One] {
        let mut settings = settings(&[until.clone(), since.clone()]);
        settings.lines = lines_by;
        let document = composed(&settings, &Extras::default(), &with(&items)).unwrap().document;
        let late = "Adjustment-2026-09-1 (Adjustment-2026-09-1, in words) 44.00 at 19";
        assert!(lines(&document).contains(&late.to_owned()), "{:?}", lines(&document));
        assert_eq!(document.totals.tax, money("USD", "33.36"), "8.36 of September and 25 of October");
    }
}

#[test]
fn every_reason_why_no_tax_is_charged_is_said() {
    let exempt = |product: &str, reason: Option<&str>, code: Option<&str>| {
        let mut rule = rule(&[product], "E", "0");
        rule.exemption_reason = reason.map(ToOwned::to_owned);
        rule.exemption_code = code.map(ToOwned::to_owned);
        rule
    };
    let charges = charges(&[("1", "A", "1"), ("1", "B", "2")]);
    let of = |one, other| {
        let document = composed(&settings(&[one, other]), &Extras::default(), &charges).unwrap().document;
        let [tax] = &document.taxes[..] else { panic!("one tax") };
        (tax.exemption_reason.clone().unwrap_or_default(), tax.exemption_code.clone().unwrap_or_default())
    };
    let said = of(exempt("A", Some("training"), None), exempt("B", Some("insurance"), None));
    assert_eq!(said, ("training; insurance".to_owned(), String::new()));
    let said =
        of(exempt("A", Some("training"), Some("VATEX-EU-132")), exempt("B", None, Some("VATEX-EU-143")));
    assert_eq!(said, ("training; VATEX-EU-143".to_owned(), String::new()));
    let said = of(exempt("A", Some("training"), None), exempt("B", Some("training"), None));
    assert_eq!(said, ("training".to_owned(), String::new()));
}

#[test]
fn a_prepayment_is_no_more_than_what_it_pays() {
    let settings = settings(&[rule(&[], "S", "19")]);
    let charges = charges(&[("1", "A", "165")]);
    let of = |prepaid: &str| {
        let extras = Extras { prepaid: Some(money("USD", prepaid)), ..Extras::default() };
        composed(&settings, &extras, &charges).map_err(|problems| problems[0].to_string())
    };
    for prepaid in ["-500", "5000", "196.36"] {
        let said = of(prepaid).unwrap_err();
        let prepaid = money("USD", prepaid);
        assert_eq!(
            said,
            format!(
                "{prepaid} USD was paid before, and the document comes to 196.35; a prepayment is 0 or above and no more than that"
            )
        );
    }
    let all = of("196.35").unwrap().document;
    let warned = warnings(&all, 0, (0, currency("USD")), &Findings::default(), &OrderOutcome::NotAsked);
    assert_eq!(
        warned.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "the document comes to more than 0, and 0.00 USD is due; look at what was paid before, and at `payable_step`"
        ]
    );
}

#[test]
fn nothing_is_issued_before_it_was_supplied() {
    let settings = settings(&[rule(&[], "S", "19")]);
    let of = |issued: &str| {
        compose(&settings, &Extras::default(), october(), &charges(&[("1", "A", "1")]), &rates(), day(issued))
    };
    assert!(of("2026-10-31").is_ok());
    let said = of("2026-01-02").unwrap_err();
    assert_eq!(
        said[0].to_string(),
        "the document would be of 2026-01-02, and what it charges is supplied until 2026-10-31; issue it on 2026-10-31 or later"
    );
}

#[test]
fn what_no_e_invoice_may_have_is_refused() {
    let vat = |id: &str| vec![SchemedId { scheme: "VAT".to_owned(), id: id.to_owned() }];
    let payment = |code: &str, accounts: &[&str]| {
        let account = |id: &&str| BankAccount { id: (*id).to_owned(), name: None, bank: None };
        let accounts = accounts.iter().map(account).collect();
        Some(PaymentInstructions { means_code: code.to_owned(), remittance: None, accounts })
    };
    let said = |change: &dyn Fn(&mut crate::invoice::terms::Settings)| {
        let mut of = settings(&[rule(&[], "AE", "0")]);
        change(&mut of);
        let problems = composed(&of, &Extras::default(), &charges(&[("1", "A", "1")])).unwrap_err();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    for (said, expected) in [
        (said(&|of| of.buyer.tax_registrations = vat("")), "the buyer profile's tax registration is blank"),
        (
            said(&|of| of.buyer.tax_registrations = vat("")),
            "tax category AE needs a VAT id or a company id in the buyer profile",
        ),
        (
            said(&|of| of.seller.tax_registrations = vat("123456789")),
            "the seller profile's VAT id is `123456789`; write its country before it",
        ),
        (said(&|of| of.buyer.address.country = "ZZ".to_owned()), "the buyer profile's country is `ZZ`"),
        (
            said(&|of| of.buyer.legal_name = "\u{202e}\u{200f}".to_owned()),
            "the buyer profile's legal name is blank",
        ),
        (
            said(&|of| {
                of.buyer.electronic_address =
                    Some(SchemedId { scheme: "EMAIL".to_owned(), id: "a@b.example".to_owned() })
            }),
            "the buyer profile's electronic address has the scheme `EMAIL`",
        ),
        (
            said(&|of| of.payment = payment("58", &[])),
            "the means of payment is a credit transfer (`58`), which needs an account",
        ),
        (said(&|of| of.payment = payment("XX", &["DE02"])), "the means of payment is `XX`"),
    ] {
        assert!(said.contains(expected), "{said}");
    }
    let mut fine = settings(&[rule(&[], "AE", "0")]);
    fine.payment = payment("10", &[]);
    fine.buyer = party("Acme", "GR");
    fine.buyer.tax_registrations = vat("EL123456789");
    assert!(composed(&fine, &Extras::default(), &charges(&[("1", "A", "1")])).is_ok());
}

#[test]
fn an_unlikely_tax_is_asked_about() {
    for (category, from, to, is_likely) in [
        ("K", "DE", "FR", true),
        ("K", "DE", "DE", false),
        ("K", "DE", "US", false),
        ("AE", "DE", "DE", false),
        ("AE", "DE", "FR", true),
        ("G", "DE", "DE", false),
        ("G", "DE", "FR", false),
        ("G", "DE", "US", true),
        ("S", "DE", "DE", true),
    ] {
        let mut settings = settings(&[rule(&[], category, if category == "S" { "19" } else { "0" })]);
        (settings.seller, settings.buyer) = (party("Reseller GmbH", from), party("Acme", to));
        let document =
            composed(&settings, &Extras::default(), &charges(&[("1", "A", "1")])).unwrap().document;
        let warned =
            warnings(&document, 0, (0, currency("USD")), &Findings::default(), &OrderOutcome::NotAsked);
        assert_eq!(
            warned.iter().all(|of| of.code() != "UNLIKELY_TAX"),
            is_likely,
            "{category} from {from} to {to}"
        );
    }
}

#[test]
fn what_came_late_says_whose_tax_it_has_where_products_differ() {
    let late = |rules: &[TaxRule]| {
        let leaves = vec![item(OWN, "Adjustment-2026-09-1", Some(9), "44"), item(OWN, "Fee", None, "5")];
        let of = Charges { currency: currency("USD"), leaves };
        let composed = composed(&settings(rules), &Extras::default(), &of).unwrap();
        let said = composed
            .late_taxes
            .into_iter()
            .map(|of| format!("{} {} {} {}", of.item, of.month, of.net, of.tax.category));
        said.collect::<Vec<_>>()
    };
    let rest = || rule(&[], "S", "19");
    let free = || rule(&["AmazonS3"], "Z", "0");
    assert_eq!(late(&[rest(), free()]), ["Adjustment-2026-09-1 2026-09 44.00 S"]);
    assert_eq!(late(&[rest()]), Vec::<String>::new(), "one tax for all");
    assert_eq!(late(&[rest(), rule(&["AmazonS3"], "S", "19")]), Vec::<String>::new(), "the same tax for all");
    let later = TaxRule { from: day("2026-10-01"), ..free() };
    assert_eq!(late(&[rest(), later]), Vec::<String>::new(), "one tax for all of that month");
    let named = TaxRule { items: vec!["Adjustment-2026-09-1".to_owned()], ..free() };
    assert_eq!(late(&[rest(), named]), Vec::<String>::new(), "somebody has looked");
}
