//! Exported lines of groups whose commitments are simulated; every figure is computed by hand.

use crate::exported::{COST, Row, exact, rows_of, totals, value};
use crate::reports::files;
use crate::support::{Done, Run, book_of_groups};
use std::fs;
use std::path::Path;
use testkit::amount::amount;
use testkit::line::{reservation_arn, savings_plan_arn};
use testkit::oracle::Exact;
use testkit::write::{Delivery, Packing};
use testkit::{Form, Line, WriteOptions, write_month};

const PERIOD: &str = "2026-10";
const ACME: &str = "111111111111";
const BETA: &str = "222222222222";
const OTHER: &str = "333333333333";

/// Acme and beta are one group and share what they own; everything else costs 10 % more.
fn book(more: &str) -> String {
    book_of_groups(&[("acme", &[ACME, BETA]), ("other", &[OTHER])], more)
}

fn instant(hour: u32) -> String {
    format!("2026-10-01T{hour:02}:00:00Z")
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// An hour of Linux on `size` instances of some number, at a public rate.
fn instances(
    id: &str,
    account: &str,
    hour: u32,
    (size, units): (&str, &str),
    rate: &str,
    cost: &str,
) -> Line {
    Line {
        identity_line_item_id: text(id),
        line_item_normalization_factor: Some(amount("4")),
        line_item_normalized_usage_amount: Some(amount(units)),
        product_region_code: text("us-east-1"),
        ..Line::usage(account, "AmazonEC2", &format!("BoxUsage:{size}.large"), cost)
            .of_operation("RunInstances")
            .of_sku(&format!("SKU{size}"), "6YS6EN2CT7")
            .at_rates(rate, rate)
            .during(&instant(hour), &instant(hour + 1))
    }
}

/// The same under acme's Savings Plan in the real bill, with its negation.
fn under_plan(line: Line, effective: &str, rate: &str) -> [Line; 2] {
    let terms = |line: Line| Line {
        savings_plan_offering_type: text("ComputeSavingsPlans"),
        savings_plan_payment_option: text("No Upfront"),
        savings_plan_purchase_term: text("1yr"),
        savings_plan_start_time: text(&instant(0)),
        savings_plan_end_time: text(&instant(2)),
        ..line.of_savings_plan(ACME)
    };
    let negation = Line {
        identity_line_item_id: line.identity_line_item_id.as_ref().map(|id| format!("{id}-negation")),
        line_item_unblended_cost: line.line_item_unblended_cost.map(|cost| -cost),
        pricing_public_on_demand_cost: None,
        ..line.clone().of_type("SavingsPlanNegation")
    };
    let covered = Line {
        savings_plan_savings_plan_effective_cost: Some(amount(effective)),
        savings_plan_savings_plan_rate: Some(amount(rate)),
        ..line.of_type("SavingsPlanCoveredUsage")
    };
    [terms(covered), terms(negation)]
}

/// Two reserved instances of beta's, at 0.1 and 0.05 an hour, and a Savings Plan of acme's of 0.3 an hour, both in force in the month's first
/// two hours.
///
/// - Hour 0: the plan covers 4 of `c` (0.24), as in the real bill, and with the 0.06 that are left 0.5 of `a`; the reservation covers 2 of the
///   4 of `a`. So 1.5 of `a` are left.
/// - Hour 1: the reservation covers `e`, and the other instance is unused; so is the plan, which covered `e` in the real bill.
/// - `f` is another customer's, and under beta's reservation in the real bill only.
fn lines() -> Vec<Line> {
    let plan_fee = |hour: u32, used: &str| {
        let [line, _] =
            under_plan(Line::charge("SavingsPlanRecurringFee", ACME, "ComputeSavingsPlans", "0.3"), "0", "0");
        Line {
            identity_line_item_id: text(&format!("plan-{hour}")),
            line_item_line_item_type: text("SavingsPlanRecurringFee"),
            savings_plan_savings_plan_effective_cost: None,
            savings_plan_savings_plan_rate: None,
            savings_plan_total_commitment_to_date: Some(amount("0.3")),
            savings_plan_used_commitment: Some(amount(used)),
            savings_plan_recurring_commitment_for_billing_period: Some(amount("0.3")),
            ..line.during(&instant(hour), &instant(hour + 1))
        }
    };
    let reservation_fee = Line {
        identity_line_item_id: text("reservation"),
        line_item_usage_type: text("HeavyUsage:m5.large"),
        line_item_operation: text("RunInstances"),
        line_item_normalization_factor: Some(amount("4")),
        product_region_code: text("us-east-1"),
        reservation_number_of_reservations: text("2"),
        reservation_units_per_reservation: text("2"),
        reservation_start_time: text(&instant(0)),
        reservation_end_time: text(&instant(2)),
        reservation_amortized_upfront_fee_for_billing_period: Some(amount("0.2")),
        reservation_unused_recurring_fee: Some(amount("0.0777")),
        ..Line::charge("RIFee", BETA, "AmazonEC2", "0.4")
            .of_reservation(BETA)
            .using("4")
            .during(&instant(0), &instant(2))
    };
    let foreign = Line {
        line_item_unblended_cost: Some(amount("0")),
        line_item_unblended_rate: text("0.0000000000"),
        pricing_term: text("Reserved"),
        reservation_effective_cost: Some(amount("0.15")),
        ..instances("f", OTHER, 0, ("m5", "4"), "0.2", "0.2").of_type("DiscountedUsage").of_reservation(BETA)
    };
    let mut lines =
        vec![instances("a", ACME, 0, ("m5", "16"), "0.2", "0.8").using("4"), reservation_fee, foreign];
    lines.extend(under_plan(instances("c", ACME, 0, ("c5", "16"), "0.1", "0.4").using("4"), "0.24", "0.06"));
    lines.extend(under_plan(instances("e", ACME, 1, ("m5", "4"), "0.2", "0.2"), "0.12", "0.12"));
    lines.extend([plan_fee(0, "0.24"), plan_fee(1, "0.12")]);
    lines
}

fn run_of(form: Form, book: &str) -> Run {
    Run::new(PERIOD, book, |cost| drop(write_month(cost, &lines(), &WriteOptions::new(form, PERIOD))))
}

fn exported(form: Form, layout: &str, more: &[&str]) -> Done {
    let done = run_of(form, &book("")).with(&["--export", layout]).with(more).go().succeeded();
    let why = &done.json("commitments.json")["why_not"];
    assert!(why.is_null(), "not simulated: {why}");
    done
}

const FORMS: [(Form, &str); 4] = [
    (Form::Cur2Parquet, "cur2"),
    (Form::Cur2Csv, "cur2"),
    (Form::LegacyCsv(Packing::Gzip), "cur"),
    (Form::LegacyParquet, "cur"),
];

/// Some columns of a row; absent ones are empty.
fn told<'a, const N: usize>(row: &'a Row, columns: [&str; N]) -> [&'a str; N] {
    columns.map(|column| row.get(column).map_or("", String::as_str))
}

/// The values of a column that the rows have, as exact numbers; the order is that of the rows.
fn numbers(rows: &[Row], column: &str) -> Vec<(String, Exact)> {
    let there = rows.iter().filter(|row| row.contains_key(column));
    there.map(|row| (value(row, "identity_line_item_id").to_owned(), exact(row, column))).collect()
}

#[track_caller]
fn check_numbers(rows: &[Row], column: &str, expected: &[(&str, &str)]) {
    let expected: Vec<(String, Exact)> =
        expected.iter().map(|(id, number)| ((*id).to_owned(), Exact::of(number))).collect();
    assert_eq!(numbers(rows, column), expected, "{column}");
}

#[test]
fn a_line_is_cut_into_what_is_covered_and_what_is_left() {
    for (form, layout) in FORMS {
        for format in ["parquet", "csv"] {
            let done = exported(form, layout, &["--export-format", format]);
            let rows = rows_of(&done.exports(), "acme");
            let columns = ["identity_line_item_id", "line_item_line_item_type", "pricing_term"];
            let found: Vec<[&str; 3]> = rows.iter().map(|row| told(row, columns)).collect();
            let expected = [
                ["a", "DiscountedUsage", "Reserved"],
                ["a/covered-2", "SavingsPlanCoveredUsage", "OnDemand"],
                ["a/negation-2", "SavingsPlanNegation", "OnDemand"],
                ["a/rest", "Usage", "OnDemand"],
                ["reservation", "RIFee", ""],
                ["c", "SavingsPlanCoveredUsage", "OnDemand"],
                ["c/negation-1", "SavingsPlanNegation", "OnDemand"],
                ["e", "DiscountedUsage", "Reserved"],
                ["plan-0", "SavingsPlanRecurringFee", ""],
                ["plan-1", "SavingsPlanRecurringFee", ""],
            ];
            assert_eq!(found, expected, "{form:?}, {format}");
            let mut of_line = done.statement_totals("acme");
            // 1.5 × 0.2 × 1.1, and the fees: 0.4 + 2 × 0.3.
            assert_eq!(of_line.remove("USD"), Some(Exact::of("1.33")));
            assert_eq!(totals(&rows)["USD"], Exact::of("1.33"));
            check_amounts(&rows);
        }
    }
}

/// The numbers of acme's rows.
fn check_amounts(rows: &[Row]) {
    check_numbers(
        rows,
        COST,
        &[
            ("a", "0"),
            ("a/covered-2", "0.1"),
            ("a/negation-2", "-0.1"),
            ("a/rest", "0.33"),
            ("reservation", "0.4"),
            ("c", "0.4"),
            ("c/negation-1", "-0.4"),
            ("e", "0"),
            ("plan-0", "0.3"),
            ("plan-1", "0.3"),
        ],
    );
    let usage: [(&str, &str, &str); 7] = [
        ("a", "2", "8"),
        ("a/covered-2", "0.5", "2"),
        ("a/negation-2", "0.5", "2"),
        ("a/rest", "1.5", "6"),
        ("c", "4", "16"),
        ("c/negation-1", "4", "16"),
        ("e", "1", "4"),
    ];
    let of_usage: Vec<Row> =
        rows.iter().filter(|row| row.contains_key("line_item_normalized_usage_amount")).cloned().collect();
    check_numbers(&of_usage, "line_item_usage_amount", &usage.map(|(id, plain, _)| (id, plain)));
    check_numbers(rows, "line_item_normalized_usage_amount", &usage.map(|(id, _, units)| (id, units)));
    let public = [("a", "0.4"), ("a/covered-2", "0.1"), ("a/rest", "0.3"), ("c", "0.4"), ("e", "0.2")];
    check_numbers(rows, "pricing_public_on_demand_cost", &public);
    check_numbers(rows, "reservation_effective_cost", &[("a", "0.3"), ("e", "0.15")]);
    check_numbers(rows, "reservation_recurring_fee_for_usage", &[("a", "0.2"), ("e", "0.1")]);
    check_numbers(rows, "reservation_amortized_upfront_cost_for_usage", &[("a", "0.1"), ("e", "0.05")]);
    check_numbers(
        rows,
        "savings_plan_savings_plan_effective_cost",
        &[("a/covered-2", "0.06"), ("c", "0.24")],
    );
    check_numbers(rows, "savings_plan_savings_plan_rate", &[("a/covered-2", "0.12"), ("c", "0.06")]);
    // What the real bill says of use is in no file: 0.0777, 0.24, 0.12.
    check_numbers(rows, "savings_plan_used_commitment", &[("plan-0", "0.3"), ("plan-1", "0")]);
    check_numbers(rows, "reservation_unused_recurring_fee", &[("reservation", "0.1")]);
    let upfront = "reservation_unused_amortized_upfront_fee_for_billing_period";
    check_numbers(rows, upfront, &[("reservation", "0.05")]);
}

#[test]
fn a_covered_row_names_its_commitment_and_another_customers_names_none() {
    let done = exported(Form::Cur2Parquet, "cur2", &[]);
    let rows = rows_of(&done.exports(), "acme");
    let (plan, reservation) = (savings_plan_arn(ACME), reservation_arn(BETA));
    let of_plan = ["ComputeSavingsPlans", "No Upfront", "1yr"];
    for row in &rows {
        let found = told(row, ["reservation_reservation_a_r_n", "savings_plan_savings_plan_a_r_n"]);
        let terms = told(
            row,
            ["savings_plan_offering_type", "savings_plan_payment_option", "savings_plan_purchase_term"],
        );
        match value(row, "line_item_line_item_type") {
            "DiscountedUsage" => assert_eq!((found, terms), ([reservation.as_str(), ""], [""; 3])),
            "SavingsPlanCoveredUsage" | "SavingsPlanNegation" => {
                assert_eq!((found, terms), (["", plan.as_str()], of_plan));
            }
            "Usage" => assert_eq!((found, terms), ([""; 2], [""; 3])),
            _ => {}
        }
    }
    let rows = rows_of(&done.exports(), "other");
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(told(row, ["identity_line_item_id", "line_item_line_item_type"]), ["f", "Usage"]);
    assert_eq!(exact(row, COST), Exact::of("0.22"));
    let said = format!("{row:?}");
    assert!(!said.contains(BETA) && !said.contains("reserved-instances"), "{said}");
}

#[test]
fn focus_has_no_negation_and_a_row_for_what_was_unused() {
    let done = exported(Form::Cur2Parquet, "focus", &[]);
    let rows = rows_of(&done.exports(), "acme");
    let found: Vec<[&str; 9]> = rows
        .iter()
        .map(|row| {
            told(
                row,
                [
                    "ChargeCategory",
                    "CommitmentDiscountType",
                    "CommitmentDiscountStatus",
                    "BilledCost",
                    "EffectiveCost",
                    "ContractedCost",
                    "ListCost",
                    "PricingQuantity",
                    "CommitmentDiscountQuantity",
                ],
            )
        })
        .collect();
    let (plan, reservation) = ("Savings Plan", "Reserved Instance");
    let expected = [
        ["Usage", reservation, "Used", "0", "0.3", "0.4", "0.4", "2", "2"],
        ["Usage", plan, "Used", "0", "0.06", "0.1", "0.1", "0.5", "0.06"],
        ["Usage", "", "", "0.33", "0.33", "0.33", "0.3", "1.5", ""],
        ["Purchase", reservation, "", "0.4", "0", "0.4", "0.4", "4", "4"],
        ["Usage", plan, "Used", "0", "0.24", "0.4", "0.4", "4", "0.24"],
        ["Usage", reservation, "Used", "0", "0.15", "0.2", "0.2", "1", "1"],
        ["Purchase", plan, "", "0.3", "0", "0.3", "0.3", "1", "0.3"],
        ["Purchase", plan, "", "0.3", "0", "0.3", "0.3", "1", "0.3"],
        // An instance-hour of two reservations' two, and an hour of the plan's two.
        ["Usage", reservation, "Unused", "0", "0.15", "0.15", "0.15", "1", "1"],
        ["Usage", plan, "Unused", "0", "0.3", "0.3", "0.3", "0.3", "0.3"],
    ];
    assert_eq!(found, expected);
    let billed = rows.iter().fold(Exact::default(), |sum, row| sum + &exact(row, "BilledCost"));
    assert_eq!(billed, done.statement_totals("acme")["USD"]);
}

#[test]
fn a_simulated_export_has_the_same_bytes_later_and_on_any_number_of_threads() {
    for (form, layout) in FORMS.into_iter().chain([(Form::Cur2Parquet, "focus")]) {
        let run = run_of(form, &book("")).with(&["--export", layout]);
        let done = run.go().succeeded();
        let expected = done.exported_files();
        assert_eq!(expected.len(), 3, "what the child was told is left behind: {:?}", expected.keys());
        assert_eq!(run.with(&["--force", "--threads", "4"]).go().succeeded().exported_files(), expected);
        let (cost, out) = (done.out.with_file_name("cost"), done.out.with_file_name("later"));
        let later = done.export(&cost, &out, &["--export", layout]).succeeded();
        assert_eq!(files(&later.out), expected);
        let group = done.export(&cost, &out, &["--force", "--group", "acme", "--export", layout]);
        assert_eq!(group.status, 2, "it would remove the other's");
        let alone = done.out.with_file_name("alone");
        let mut of_group =
            files(&done.export(&cost, &alone, &["--group", "acme", "--export", layout]).succeeded().out);
        of_group.remove("export.json");
        let mut own = expected.clone();
        own.retain(|name, _| name.starts_with("acme/"));
        assert_eq!(of_group, own);
    }
}

#[test]
fn lines_are_found_where_the_files_have_other_names_and_another_order() {
    let options = |name: &str| WriteOptions {
        files: 2,
        delivery: Delivery::Loose,
        name: name.to_owned(),
        ..WriteOptions::new(Form::Cur2Csv, PERIOD)
    };
    let run = Run::new(PERIOD, &book(""), |cost| drop(write_month(cost, &lines(), &options("month"))));
    let done = run.with(&["--export", "cur2"]).go().succeeded();
    let elsewhere = done.out.with_file_name("elsewhere");
    fs::create_dir(&elsewhere).expect("a folder");
    let mut found = files(&done.out.with_file_name("cost")).into_iter().rev();
    for name in ["1.csv.gz", "2.csv.gz"] {
        fs::write(elsewhere.join(name), found.next().expect("two files").1).expect("a file");
    }
    let later = done.export(&elsewhere, &done.out.with_file_name("later"), &[]).succeeded();
    let sorted = |export: &Path| {
        let mut rows = rows_of(export, "acme");
        rows.sort();
        rows
    };
    assert_eq!(sorted(&later.out), sorted(&done.exports()));
}

#[test]
fn what_is_not_simulated_is_exported_as_in_the_real_bill() {
    let rows = |more: &[&str], book: &str| {
        let run = run_of(Form::Cur2Parquet, book).with(&["--export", "cur2"]).with(more);
        rows_of(&run.go().succeeded().exports(), "acme")
    };
    let kinds = |rows: &[Row]| -> Vec<String> {
        rows.iter().map(|row| value(row, "line_item_line_item_type").to_owned()).collect()
    };
    let without = rows(&["--no-simulation"], &book(""));
    let expected = [
        "Usage",
        "RIFee",
        "SavingsPlanCoveredUsage",
        "SavingsPlanNegation",
        "SavingsPlanCoveredUsage",
        "SavingsPlanNegation",
        "SavingsPlanRecurringFee",
        "SavingsPlanRecurringFee",
    ];
    assert_eq!(kinds(&without), expected);
    assert!(without.iter().all(|row| !row.contains_key("savings_plan_used_commitment")));
    let real = rows(&[], &book("[sharing]\ncommitments = \"real\""));
    assert!(real.iter().all(|row| !row.contains_key("savings_plan_used_commitment")));
    assert_eq!(numbers(&real, COST).len(), 6, "no negations");
}

#[test]
fn residues_of_cuts_are_in_the_tenth_decimal() {
    // Thirds: the reservation covers 2 of 3, whose costs have ten decimals.
    let mut lines = lines();
    lines[0] = instances("a", ACME, 0, ("m5", "12"), "0.0333333333", "0.1").using("3").at_public_cost("0.1");
    let write = |cost: &Path| {
        drop(write_month(cost, &lines, &WriteOptions::new(Form::Cur2Csv, PERIOD)));
    };
    let done = Run::new(PERIOD, &book(""), write).with(&["--export", "cur2"]).go().succeeded();
    let rows = rows_of(&done.exports(), "acme");
    assert_eq!(totals(&rows)["USD"], done.statement_totals("acme")["USD"]);
    let of_line: Exact = (rows.iter())
        .filter(|row| value(row, "identity_line_item_id").starts_with('a'))
        .fold(Exact::default(), |sum, row| sum + &exact(row, "pricing_public_on_demand_cost"));
    assert_eq!(of_line, Exact::of("0.1"), "the parts of a line are the line");
}

#[test]
fn usage_that_cancels_out_in_a_covered_class_costs_nothing() {
    let mut lines = lines();
    lines[0] = instances("a", ACME, 0, ("m5", "8"), "0.2", "0.4").using("2");
    let corrected = [("b", "8", "0.4", "2"), ("b-corrected", "-4", "-0.2", "-1")];
    lines.extend(
        corrected
            .map(|(id, units, cost, usage)| instances(id, ACME, 1, ("m5", units), "0.2", cost).using(usage)),
    );
    let write = |cost: &Path| {
        drop(write_month(cost, &lines, &WriteOptions::new(Form::Cur2Parquet, PERIOD)));
    };
    let done = Run::new(PERIOD, &book(""), write).with(&["--export", "cur2"]).go().succeeded();
    let rows = rows_of(&done.exports(), "acme");
    // Hour 1 has one instance-hour of `b` and one of `e`, and two are reserved.
    let of_b: Vec<Row> =
        (rows.iter()).filter(|row| value(row, "identity_line_item_id").starts_with('b')).cloned().collect();
    check_numbers(&of_b, "line_item_usage_amount", &[("b", "1"), ("b/rest", "1"), ("b-corrected", "-1")]);
    check_numbers(&of_b, COST, &[("b", "0"), ("b/rest", "0"), ("b-corrected", "0")]);
    assert_eq!(totals(&rows)["USD"], Exact::of("1"));
    assert_eq!(done.statement_totals("acme")["USD"], Exact::of("1"));
}
