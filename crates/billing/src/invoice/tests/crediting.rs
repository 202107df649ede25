//! Credit notes take back what there is, never more, and in whatever parts.

use super::sample::{Numbers, charges, composed, currency, day, money, rule, settings};
use crate::invoice::check::problems;
use crate::invoice::credit::{Credit, CreditError, credit, left_of_lines};
use crate::invoice::terms::{ExtraAdjustment, Extras};
use crate::invoice::{AdjustmentKind, Invoice, Kind, Preceding};

fn invoice(leaves: &[(&str, &str, &str)], extras: &Extras) -> Invoice {
    let mut settings = settings(&[rule(&[], "S", "19"), rule(&["Z"], "Z", "0")]);
    settings.payable_step = Some(money("EUR", "0.05"));
    settings.currency = Some(currency("EUR"));
    settings.tax_currency = Some(currency("PLN"));
    composed(&settings, extras, &charges(leaves)).unwrap().numbered("INV-1".to_owned())
}

/// So many allowances, or charges.
fn allowances(count: u64, numbers: &mut Numbers) -> Vec<ExtraAdjustment> {
    let of = |_| ExtraAdjustment {
        kind: [AdjustmentKind::Allowance, AdjustmentKind::Charge][numbers.below(2) as usize],
        amount: money("EUR", &format!("{}.{:02}", numbers.below(90), numbers.below(100))),
        reason: "agreed".to_owned(),
        product: ["", "Z"][numbers.below(2) as usize].to_owned(),
    };
    (0..count).map(of).collect()
}

/// An allowance that leaves 5.95 of 196.35: no line may be credited beyond that.
#[test]
fn a_credit_note_comes_to_no_more_than_is_left_with_what_was_allowed() {
    let mut settings = settings(&[rule(&[], "S", "19")]);
    settings.currency = None;
    let allowance = ExtraAdjustment {
        kind: AdjustmentKind::Allowance,
        amount: money("USD", "160"),
        reason: "agreed".to_owned(),
        product: String::new(),
    };
    let extras = Extras { adjustments: vec![allowance], ..Extras::default() };
    let charges = charges(&[("1", "A", "110"), ("1", "B", "55")]);
    let invoice = composed(&settings, &extras, &charges).unwrap().numbered("INV-1".to_owned());
    assert_eq!(invoice.totals.gross, money("USD", "5.95"));
    let today = day("2026-11-03");
    let first = Credit::Lines(vec![("1".to_owned(), None)]);
    let first = credit(&invoice, &[], &first, Vec::new(), today).unwrap();
    let of = |note: &Invoice| (note.totals.allowances.to_string(), note.totals.gross.to_string());
    assert_eq!(
        of(&first),
        ("106.67".to_owned(), "3.96".to_owned()),
        "two thirds of the lines, and of the allowance"
    );
    let rest = credit(&invoice, std::slice::from_ref(&first), &Credit::Rest, Vec::new(), today).unwrap();
    assert_eq!(of(&rest), ("53.33".to_owned(), "1.99".to_owned()));
    assert_eq!((problems(&first), problems(&rest)), (Vec::new(), Vec::new()));
}

#[test]
fn a_credit_note_never_charges() {
    let mut settings = settings(&[rule(&[], "S", "19")]);
    settings.currency = None;
    let charges = charges(&[("1", "A", "100"), ("1", "B", "-90")]);
    let invoice = composed(&settings, &Extras::default(), &charges).unwrap().numbered("INV-1".to_owned());
    let said = |line: &str| {
        let what = Credit::Lines(vec![(line.to_owned(), None)]);
        credit(&invoice, &[], &what, Vec::new(), day("2026-11-03")).unwrap_err().to_string()
    };
    assert_eq!(
        said("2"),
        "taking back these lines of `INV-1` would charge 107.10 instead of crediting it; name lines that come to more with them"
    );
    assert_eq!(
        said("1"),
        "the lines come to 119.00 with tax, and `INV-1` has 11.90 left to credit; credit less of them, or all that is left"
    );
}

fn lines(what: &[(&str, Option<&str>)]) -> Credit {
    let line = |(id, amount): &(&str, Option<&str>)| ((*id).to_owned(), amount.map(|of| money("EUR", of)));
    Credit::Lines(what.iter().map(line).collect())
}

#[test]
fn the_whole_is_taken_back() {
    let adjustment = ExtraAdjustment {
        kind: AdjustmentKind::Allowance,
        amount: money("EUR", "1.11"),
        reason: "agreed".to_owned(),
        product: String::new(),
    };
    let extras = Extras { adjustments: vec![adjustment], ..Extras::default() };
    let invoice = invoice(&[("1", "A", "100"), ("1", "B", "-3"), ("1", "Z", "7.77")], &extras);
    let note =
        credit(&invoice, &[], &Credit::Rest, vec!["wrong customer".to_owned()], day("2026-11-05")).unwrap();
    assert_eq!((note.kind, note.due, note.issued), (Kind::CreditNote, None, day("2026-11-05")));
    assert_eq!(note.preceding, Some(Preceding { number: "INV-1".to_owned(), issued: invoice.issued }));
    assert_eq!((&note.lines, &note.taxes, note.totals), (&invoice.lines, &invoice.taxes, invoice.totals));
    assert_eq!((&note.tax_currency, &note.exchange), (&invoice.tax_currency, &invoice.exchange));
    assert_eq!(note.notes, ["wrong customer"]);
    assert_eq!(problems(&note), []);
    let again = credit(&invoice, &[note], &Credit::Rest, Vec::new(), day("2026-11-05")).unwrap_err();
    assert_eq!(again.to_string(), "nothing of `INV-1` is left to credit; it is cancelled already");
}

#[test]
fn a_part_of_a_line_is_taken_back_with_its_tax() {
    let invoice = invoice(&[("1", "A", "100"), ("1", "B", "-10")], &Extras::default());
    let note = credit(&invoice, &[], &lines(&[("1", Some("40.01"))]), Vec::new(), day("2026-11-03")).unwrap();
    assert_eq!(note.totals.gross, money("EUR", "47.61"));
    assert_eq!(problems(&note), []);
    let left = left_of_lines(&invoice, &[note]).unwrap();
    assert_eq!(
        left.into_iter().collect::<Vec<_>>(),
        [("1", money("EUR", "45.42")), ("2", money("EUR", "-8.54"))]
    );
}

#[test]
fn what_cannot_be_taken_back_says_why() {
    let invoice = invoice(&[("1", "A", "100"), ("1", "B", "-10")], &Extras::default());
    let first = credit(&invoice, &[], &lines(&[("1", Some("75"))]), Vec::new(), day("2026-11-03")).unwrap();
    let said = |what: Credit, date: &str| {
        credit(&invoice, std::slice::from_ref(&first), &what, Vec::new(), day(date)).unwrap_err().to_string()
    };
    let today = "2026-11-03";
    for (said, expected) in [
        (said(lines(&[("3", None)]), today), "`INV-1` has no line `3`; its lines are 1 to 2"),
        (
            said(lines(&[("1", Some("10.44"))]), today),
            "line `1` of `INV-1` has 10.43 left to credit, not 10.44; credit at most that, with its sign",
        ),
        (
            said(lines(&[("1", Some("-1"))]), today),
            "line `1` of `INV-1` has 10.43 left to credit, not -1.00; credit at most that, with its sign",
        ),
        (
            said(lines(&[("2", Some("1"))]), today),
            "line `2` of `INV-1` has -8.54 left to credit, not 1.00; credit at most that, with its sign",
        ),
        (
            said(lines(&[("1", Some("1")), ("1", Some("1"))]), today),
            "line `1` is to be credited twice; name it once, with the sum",
        ),
        (said(lines(&[]), today), "no line of `INV-1` is named; name those to credit, or credit the rest"),
        (
            said(Credit::Rest, "2026-11-02"),
            "`INV-1` is of 2026-11-03, so its credit note may not be of 2026-11-02; date it 2026-11-03 or later",
        ),
    ] {
        assert_eq!(said, expected);
    }
    let mut note = first.clone();
    note.number = "CN-1".to_owned();
    let said = credit(&note, &[], &Credit::Rest, Vec::new(), day(today)).unwrap_err().to_string();
    assert_eq!(said, "`CN-1` is a credit note; issue a new invoice instead of crediting it");
}

#[test]
fn credit_notes_sum_back_to_their_invoice_in_whatever_parts() {
    for seed in 0..150 {
        let mut numbers = Numbers(seed);
        let amounts: Vec<String> = (0..1 + numbers.below(5))
            .map(|_| format!("{}.{:03}", numbers.below(300) as i64 - 60, numbers.below(1000)))
            .collect();
        let leaves: Vec<(&str, String, &str)> = amounts
            .iter()
            .zip(0..)
            .map(|(of, i)| ("1", ["Z".to_owned(), format!("P{i}")][usize::from(i > 0)].clone(), of.as_str()))
            .collect();
        let leaves: Vec<(&str, &str, &str)> = leaves.iter().map(|(a, p, of)| (*a, p.as_str(), *of)).collect();
        let adjustments = allowances(numbers.below(3), &mut numbers);
        let invoice = invoice(&leaves, &Extras { adjustments, ..Extras::default() });
        let mut notes: Vec<Invoice> = Vec::new();
        for _ in 0..numbers.below(5) {
            let left = left_of_lines(&invoice, &notes).unwrap();
            let some: Vec<_> = left.iter().filter(|(_, left)| left.units() != 0).collect();
            let Some((line, left)) = some.get(numbers.below(some.len().max(1) as u64) as usize) else {
                break;
            };
            let part = 1 + i128::from(numbers.below(left.units().unsigned_abs() as u64));
            let amount =
                crate::invoice::Invoiced::from_units(currency("EUR"), part * left.units().signum()).unwrap();
            let what = Credit::Lines(vec![((**line).to_owned(), Some(amount))]);
            match credit(&invoice, &notes, &what, Vec::new(), day("2026-11-04")) {
                Ok(note) => {
                    assert_eq!(problems(&note), [], "seed {seed}");
                    let side = note.totals.gross.units() * invoice.totals.gross.units().signum();
                    assert!(side >= 0, "seed {seed}: a credit note that charges {}", note.totals.gross);
                    notes.push(note);
                }
                // A line may come to more than what is left of the whole, where others are of the other sign.
                Err(CreditError::Charges { .. } | CreditError::MoreThanLeftOfAll { .. }) => {}
                Err(error) => panic!("seed {seed}: {error}"),
            }
        }
        match credit(&invoice, &notes, &Credit::Rest, Vec::new(), day("2026-11-04")) {
            Ok(note) => notes.push(note),
            Err(error) => assert!(error.to_string().contains("is left to credit"), "seed {seed}: {error}"),
        }
        let sum = |of: fn(&Invoice) -> crate::invoice::Invoiced| {
            notes.iter().map(of).reduce(|sum, more| sum.plus(more).unwrap()).unwrap()
        };
        assert_eq!(sum(|of| of.totals.net), invoice.totals.net, "seed {seed}");
        assert_eq!(sum(|of| of.totals.tax), invoice.totals.tax, "seed {seed}");
        assert_eq!(sum(|of| of.totals.due), invoice.totals.due, "seed {seed}");
        let of_office = sum(|of| of.tax_currency.as_ref().unwrap().tax);
        assert_eq!(of_office, invoice.tax_currency.as_ref().unwrap().tax, "seed {seed}");
    }
}
