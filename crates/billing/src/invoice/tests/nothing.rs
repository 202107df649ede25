//! What comes to 0 stands on no line, and nobody needs to know its tax.

use super::sample::{charges, composed, money, rule, settings};
use crate::invoice::tax_profile::TaxRule;
use crate::invoice::terms::{Extras, LinesBy, Settings};
use crate::invoice::{Invoice, Tax};

fn document(settings: &Settings, leaves: &[(&str, &str, &str)]) -> Invoice {
    let composed = composed(settings, &Extras::default(), &charges(leaves));
    composed.unwrap_or_else(|problems| panic!("{problems:?}")).document
}

fn taxes(document: &Invoice) -> Vec<Tax> {
    document.taxes.iter().map(|of| of.tax).collect()
}

#[test]
fn a_free_service_needs_no_tax() {
    let only_computing = settings(&[rule(&["AmazonEC2"], "S", "19")]);
    let free = [
        ("1", "AmazonEC2", "100"),
        ("1", "AmazonS3", "0"),
        ("2", "AmazonSNS", "5"),
        ("3", "AmazonSNS", "-5"),
    ];
    let of = document(&only_computing, &free);
    assert_eq!((of.lines.len(), of.totals.gross), (1, money("USD", "119")));
    let mut by_account = only_computing;
    by_account.lines = LinesBy::AccountAndService;
    let refused = composed(&by_account, &Extras::default(), &charges(&free)).unwrap_err();
    assert!(refused[0].to_string().starts_with("no tax is known for product `AmazonSNS`"), "{refused:?}");
}

#[test]
fn what_is_on_no_line_stands_beside_no_category() {
    let rules =
        [rule(&[], "S", "19"), rule(&["AmazonS3", "AmazonSNS"], "O", "0"), rule(&["AmazonSQS"], "K", "0")];
    let mut of_desk = settings(&rules);
    of_desk.buyer.tax_registrations.clear();
    // Less than half a minor unit is on no line either.
    let leaves = [
        ("1", "AmazonEC2", "100"),
        ("1", "AmazonS3", "0"),
        ("1", "AmazonSNS", "0.001"),
        ("1", "AmazonSQS", "0.002"),
    ];
    let of = document(&of_desk, &leaves);
    assert_eq!(taxes(&of), [rules[0].tax]);
    assert_eq!(of.seller.vat_id(), Some("DE123456789"));
}

#[test]
fn a_document_gives_the_reasons_of_what_is_on_it() {
    let because = |rule: TaxRule, words: &str| TaxRule { exemption_reason: Some(words.to_owned()), ..rule };
    let rules = [
        because(rule(&[], "E", "0"), "education"),
        because(rule(&["AmazonS3", "AmazonSNS"], "E", "0"), "storage"),
    ];
    let leaves = [("1", "AmazonEC2", "100"), ("1", "AmazonS3", "0"), ("1", "AmazonSNS", "0.001")];
    assert_eq!(document(&settings(&rules), &leaves).taxes[0].exemption_reason.as_deref(), Some("education"));
}

#[test]
fn a_document_of_nothing_has_the_tax_of_something() {
    let only_computing = settings(&[rule(&["AmazonEC2"], "S", "19")]);
    for leaves in [vec![("1", "AmazonEC2", "0")], vec![("1", "AWSLambda", "0"), ("1", "AmazonEC2", "0")]] {
        let of = document(&only_computing, &leaves);
        assert_eq!(
            (of.lines.len(), of.totals.gross, taxes(&of)[0].rate.to_string()),
            (1, money("USD", "0"), "19".to_owned())
        );
    }
}
