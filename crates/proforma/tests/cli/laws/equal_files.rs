//! Files that mean the same month give the same bills, byte for byte.

use super::{Case, PERIOD, run, run_with, seeds};
use crate::reports::{files, list};
use crate::support::{Done, Run};
use serde_json::Value;
use std::collections::BTreeMap;
use testkit::calendar::shift_period;
use testkit::line::{COLUMNS, Kind};
use testkit::random::Random;
use testkit::write::{CostType, Delivery, Order, Packing};
use testkit::{Amount, Form, Line, MonthOptions, SampleMonth, WriteOptions, write_month};

/// The bills as text, so that a difference can be read.
fn assert_same_bills(a: &Done, b: &Done, what: &str) {
    assert_same_files(&a.bills(), &b.bills(), what);
    assert_eq!(a.stdout, b.stdout, "{what}: standard output");
}

fn assert_same_files(a: &BTreeMap<String, Vec<u8>>, b: &BTreeMap<String, Vec<u8>>, what: &str) {
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>(), "{what}");
    for (name, bytes) in a {
        let (bytes, others) = (String::from_utf8_lossy(bytes), String::from_utf8_lossy(&b[name]));
        let lines = bytes.lines().zip(others.lines()).enumerate();
        let differing = lines.filter(|(_, (one, other))| one != other).take(5).collect::<Vec<_>>();
        assert!(bytes == others, "{what}: {name} differs: {differing:#?}");
    }
}

/// The reconciliation without what names the files.
fn reconciliation(done: &Done) -> Value {
    let mut file = done.json("reconciliation.json");
    let object = file.as_object_mut().expect("an object");
    for of_files in ["snapshot", "files", "files_passed_by", "reading"] {
        assert!(object.remove(of_files).is_some(), "no {of_files}");
    }
    // It says where lines stand.
    object["commitments"].as_object_mut().expect("an object").remove("eligible_usage");
    file
}

#[test]
fn the_same_run_again_has_the_same_bytes_on_any_number_of_threads() {
    for seed in seeds(4) {
        let case = Case::of(seed);
        let first = case.run();
        // The months lie in different folders, and `source.json` says where.
        let without_places = |done: &Done| {
            let mut files = files(&done.out);
            assert!(files.remove("source.json").is_some(), "{:?}", files.keys());
            files
        };
        let expected = without_places(&first);
        for cube in ["cost-cube.parquet", "cost-cube-daily.parquet"] {
            assert!(expected.contains_key(cube), "{:?}", expected.keys());
        }
        for threads in ["1", "2", "3", "1"] {
            let again = run_with(&case.book, &case.month.lines, &case.options, &["--threads", threads]);
            let again_files = without_places(&again);
            assert_eq!(again_files["cost-cube.parquet"], expected["cost-cube.parquet"], "{threads} threads");
            assert_same_files(&again_files, &expected, &format!("{threads} threads"));
            assert_eq!(again.stdout, first.stdout, "{threads} threads");
        }
    }
}

#[test]
fn rows_in_another_order_and_other_files_change_nothing() {
    for seed in seeds(6) {
        let case = Case::of(seed);
        let base = case.run_of(&case.month.lines);
        let mut random = Random::new(seed);
        for (files, row_group_rows) in [(1, 100_000), (2, 7), (7, 64)] {
            let order = Order::Shuffled(random.draw());
            let options = WriteOptions { files, row_group_rows, order, ..case.options.clone() };
            let other = run(&case.book, &case.month.lines, &options);
            let what = format!("{files} files, {:?}", options.form);
            assert_same_bills(&base, &other, &what);
            assert_eq!(reconciliation(&base), reconciliation(&other), "{what}");
            let count = list(&other.json("reconciliation.json")["files"]).len();
            assert_eq!(count, files, "{what}");
        }
    }
}

#[test]
fn every_form_of_a_month_gives_the_same_bills() {
    for seed in seeds(3) {
        let case = Case::of_plain_amounts(seed);
        let base = run(&case.book, &case.month.lines, &WriteOptions::new(Form::Cur2Parquet, PERIOD));
        for form in Form::ALL {
            let options = WriteOptions { form, ..case.options.clone() };
            let other = run(&case.book, &case.month.lines, &options);
            assert_same_bills(&base, &other, &format!("{form:?}"));
            assert_eq!(reconciliation(&base)["currencies"], reconciliation(&other)["currencies"], "{form:?}");
            assert_eq!(reconciliation(&base)["lines"], reconciliation(&other)["lines"], "{form:?}");
        }
    }
}

#[test]
fn a_line_split_in_two_changes_nothing() {
    for seed in seeds(4) {
        let case = Case::of(seed);
        let mut random = Random::new(seed);
        let mut lines = Vec::new();
        for line in &case.month.lines {
            let halves = if random.percent(40) { split(line, &mut random) } else { None };
            match halves {
                Some((one, other)) => lines.extend([one, other]),
                None => lines.push(line.clone()),
            }
        }
        let more = (lines.len() - case.month.lines.len()) as u64;
        assert!(more > 50, "only {more} lines could be split");
        let (base, split) = (case.run(), case.run_of(&lines));
        assert_same_bills(&base, &split, "split lines");
        let (before, after) = (reconciliation(&base), reconciliation(&split));
        assert_eq!(after["lines"]["read"].as_u64(), before["lines"]["read"].as_u64().map(|read| read + more));
        assert_eq!(after["currencies"], before["currencies"]);
    }
}

/// A line as two with the same sums; none where an amount is too small to be shared.
fn split(line: &Line, random: &mut Random) -> Option<(Line, Line)> {
    let (mut one, mut other) = (line.clone(), line.clone());
    for (part, rest) in additive(&mut one).into_iter().zip(additive(&mut other)) {
        let Some(whole) = *part else { continue };
        if whole.0.unsigned_abs() == 1 {
            return None;
        }
        let share = random.between(1, 9) * whole.0 / 10;
        let share = if share == 0 && whole.0 != 0 { whole.0.signum() } else { share };
        (*part, *rest) = (Some(Amount(share)), Some(Amount(whole.0 - share)));
    }
    other.identity_line_item_id = line.identity_line_item_id.as_ref().map(|id| format!("{id}-2"));
    Some((one, other))
}

/// The columns of a line whose values add up.
fn additive(line: &mut Line) -> [&mut Option<Amount>; 19] {
    [
        &mut line.line_item_usage_amount,
        &mut line.line_item_normalized_usage_amount,
        &mut line.line_item_unblended_cost,
        &mut line.line_item_blended_cost,
        &mut line.line_item_net_unblended_cost,
        &mut line.pricing_public_on_demand_cost,
        &mut line.reservation_amortized_upfront_cost_for_usage,
        &mut line.reservation_amortized_upfront_fee_for_billing_period,
        &mut line.reservation_effective_cost,
        &mut line.reservation_recurring_fee_for_usage,
        &mut line.reservation_unused_amortized_upfront_fee_for_billing_period,
        &mut line.reservation_unused_recurring_fee,
        &mut line.savings_plan_amortized_upfront_commitment_for_billing_period,
        &mut line.savings_plan_recurring_commitment_for_billing_period,
        &mut line.savings_plan_savings_plan_effective_cost,
        &mut line.savings_plan_total_commitment_to_date,
        &mut line.savings_plan_used_commitment,
        &mut line.split_line_item_split_usage,
        &mut line.split_line_item_split_cost,
    ]
}

#[test]
fn the_period_chooses_its_lines_from_two_months() {
    for seed in seeds(3) {
        let case = Case::of(seed);
        let next = shift_period(PERIOD, 1);
        let options = MonthOptions {
            seed,
            period: next.clone(),
            lines: 200,
            accounts: case.month.accounts.len(),
            ..MonthOptions::default()
        };
        let later = SampleMonth::generate(&options).lines;
        let own: Vec<Line> = (case.month.lines.iter())
            .filter(|line| {
                line.bill_billing_period_start_date.as_deref().is_some_and(|start| start.starts_with(PERIOD))
            })
            .cloned()
            .collect();
        let both = [own.clone(), later.clone()].concat();
        let options = WriteOptions { delivery: Delivery::Loose, ..case.options.clone() };
        let price = |period: &str, lines: &[Line]| {
            let run = Run::new(period, &case.book.to_toml(), |cost| drop(write_month(cost, lines, &options)));
            run.with(&["--output", "json"]).go().succeeded()
        };
        assert_same_bills(&price(PERIOD, &own), &price(PERIOD, &both), "the first month");
        let of_both = price(&next, &both);
        assert_same_bills(&price(&next, &later), &of_both, "the second month");
        let lines = &of_both.json("reconciliation.json")["lines"];
        assert_eq!(lines["passed_by"].as_u64(), Some(own.len() as u64));
    }
}

#[test]
fn ten_times_the_cost_is_ten_times_the_bill() {
    for seed in seeds(4) {
        let case = Case::of(seed);
        let mut lines = case.month.lines.clone();
        for line in &mut lines {
            for cost in costs(line) {
                *cost = cost.map(|cost| cost * 10);
            }
        }
        let book = super::equal_books::ten_times(&case.book);
        let options = WriteOptions { costs: CostType::Decimal(38, 10), ..case.options.clone() };
        let (base, scaled) = (run(&case.book, &case.month.lines, &options), run(&book, &lines, &options));
        super::equal_books::assert_ten_times(&base, &scaled);
    }
}

/// The columns of a line that are money.
fn costs(line: &mut Line) -> [&mut Option<Amount>; 6] {
    [
        &mut line.line_item_unblended_cost,
        &mut line.line_item_blended_cost,
        &mut line.line_item_net_unblended_cost,
        &mut line.pricing_public_on_demand_cost,
        &mut line.reservation_effective_cost,
        &mut line.savings_plan_savings_plan_effective_cost,
    ]
}

/// Splitting a line must not forget a column that adds up.
#[test]
fn every_number_column_is_split_or_is_a_rate() {
    let numbers = COLUMNS.iter().filter(|column| column.kind == Kind::Number);
    let rates = ["savings_plan_savings_plan_rate", "line_item_normalization_factor"];
    assert_eq!(
        numbers.filter(|column| !rates.contains(&column.name)).count(),
        additive(&mut Line::default()).len()
    );
}

/// Plain CSV as a spreadsheet would show it: the same numbers in AWS's two spellings.
#[test]
fn numbers_in_either_spelling_are_the_same() {
    let case = Case::of(seeds(1).next().expect("a seed"));
    let bills = [testkit::write::Numbers::Java, testkit::write::Numbers::Fixed].map(|numbers| {
        let form = Form::LegacyCsv(Packing::Plain);
        run(&case.book, &case.month.lines, &WriteOptions { form, numbers, ..case.options.clone() })
    });
    assert_same_bills(&bills[0], &bills[1], "two spellings");
}
