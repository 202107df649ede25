//! Months as FOCUS tells them: to the last digit what the second pricer says, and the bills that CUR files give.

use super::agreement::check_agreement;
use super::{AS_BILLED, Case, PERIOD, run, run_with, seeds};
use crate::reports::text;
use crate::support::{Done, Run};
use std::collections::BTreeSet;
use testkit::book::Filter;
use testkit::focus::{as_told, without_tiers};
use testkit::oracle::{self, Exact};
use testkit::write::{Delivery, manifest_path};
use testkit::{Form, MonthOptions, SampleMonth, WriteOptions, write_month};

/// A case whose month is told by FOCUS, and whose book has nothing that FOCUS cannot serve.
fn focus_case(seed: u64, form: Form) -> Case {
    let mut case = Case::of(seed);
    case.month.lines = as_told(&case.month.lines);
    case.options.form = form;
    without_negation_filters(&mut case);
    case
}

fn without_negation_filters(case: &mut Case) {
    for item in &mut case.book.custom_line_items {
        if matches!(item.filter, Some(Filter::WithoutSavingsPlanNegation)) {
            item.filter = None;
        }
    }
}

#[test]
fn every_number_of_a_focus_month_agrees_with_the_second_pricer() {
    for seed in seeds(12) {
        let forms = Form::FOCUS.len() as u64;
        let form = Form::FOCUS[usize::try_from(seed % forms).expect("a small number")];
        let case = focus_case(seed, form);
        let bill = oracle::price(&without_tiers(&case.month.lines), &case.book, &case.month.period);
        check_agreement(&case, &bill, &case.run());
    }
}

#[test]
fn every_form_of_a_focus_month_gives_the_same_bills() {
    let case = focus_case(5, Form::FOCUS[0]);
    let files = |form| WriteOptions { form, ..case.options.clone() };
    let base = run(&case.book, &case.month.lines, &files(Form::FOCUS[0]));
    for form in Form::FOCUS {
        for delivery in [Delivery::Loose, Delivery::Overwrite, Delivery::KeepVersions { with_older: true }] {
            let options = WriteOptions { delivery, ..files(form) };
            let other = run(&case.book, &case.month.lines, &options);
            assert_eq!(base.bills(), other.bills(), "{options:?}");
        }
    }
    let options = WriteOptions { delivery: Delivery::Overwrite, ..files(Form::FOCUS[1]) };
    let by_manifest = Run::of_paths(PERIOD, &case.book.to_toml(), |cost| {
        write_month(cost, &case.month.lines, &options);
        vec![manifest_path(cost, &options).expect("a manifest")]
    });
    assert_eq!(base.bills(), by_manifest.go().succeeded().bills(), "by the manifest");
}

/// With the coverage of the real bill, for FOCUS does not say what commitments are; without discounts, for a FOCUS file has them in the billed costs of lines and CUR has lines of discounts.
#[test]
fn a_group_pays_the_same_whether_aws_delivers_cur_or_focus() {
    for seed in seeds(6) {
        let mut case = Case::of(seed);
        let options = MonthOptions { seed, lines: 350, large_amounts: false, ..MonthOptions::default() };
        case.month = SampleMonth::generate(&options);
        case.book = testkit::SampleBook::of(seed, &case.month);
        without_negation_filters(&mut case);
        let options = WriteOptions::new(Form::Cur2Parquet, PERIOD);
        let cur = run_with(&case.book, &case.month.lines, &options, &[AS_BILLED]);
        let told = as_told(&case.month.lines);
        let totals = |done: &Done| -> Vec<((String, String), Exact)> {
            let totals = done.group_totals().into_iter();
            totals
                .map(|(group, costs)| (group, costs.pro_forma_cost))
                .filter(|(_, cost)| !cost.is_zero())
                .collect()
        };
        let expected = totals(&cur);
        assert!(expected.len() > 1, "too few groups with a bill");
        for form in Form::FOCUS {
            let focus = run(&case.book, &told, &WriteOptions::new(form, PERIOD));
            assert_eq!(totals(&focus), expected, "{form:?}");
        }
    }
}

#[test]
fn rows_that_cur_does_not_have_are_on_the_fee_side_of_their_commitment() {
    let case = focus_case(2, Form::FOCUS[1]);
    let unused = |line: &&testkit::Line| line.savings_plan_total_commitment_to_date.is_some();
    let lines = case.month.lines.iter().filter(unused).count();
    assert!(lines > 0, "the month has no unused commitment");
    let kinds: BTreeSet<&str> = (case.month.lines.iter().filter(unused))
        .filter_map(|line| line.line_item_line_item_type.as_deref())
        .collect();
    assert_eq!(kinds, BTreeSet::from(["SavingsPlanRecurringFee"]));
    let done = case.run();
    assert_eq!(text(&done.json("reconciliation.json")["files"][0]["format"]), "FOCUS 1.2");
}
