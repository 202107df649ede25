//! `proforma diff` names what was changed, each change alone, and refuses what cannot be compared.

use crate::reports::{list, text};
use crate::support::{Done, Run, book_of_acme, proforma};
use serde_json::Value;
use testkit::{Form, Line, WriteOptions, write_month};

const BOOK: &str = book_of_acme!(
    r#"
[[billing_groups]]
name = "zenith"
primary_account_id = "333333333333"
accounts = ["333333333333"]
pricing_plan = "plan"

[[custom_line_items]]
name = "desk"
description = "Service desk"
billing_group = "acme"
type = "FEE"
flat_charge_value = "100"
start = "2026-01"

[[custom_line_items]]
name = "care"
description = "Two percent"
billing_group = "acme"
type = "FEE"
percentage_value = "2"
associated_values = ["desk"]
start = "2026-01"
"#
);

fn lines() -> Vec<Line> {
    let (acme, second, zenith) = ("111111111111", "222222222222", "333333333333");
    vec![
        Line::usage(acme, "AmazonEC2", "BoxUsage:m5.large", "40").using("10"),
        Line::usage(acme, "AmazonRDS", "InstanceUsage:db.m5", "20").using("5"),
        Line::usage(acme, "AmazonS3", "TimedStorage", "9").using("150"),
        Line::usage(second, "AmazonS3", "TimedStorage", "6").using("100"),
        Line::usage(second, "AWSGlue", "Crawler", "7").using("3"),
        Line::covered_usage(acme, second, "AmazonECS", "Fargate", "12"),
        Line::negation(acme, second, "AmazonECS", "Fargate", "12"),
        Line::usage(zenith, "AmazonEC2", "BoxUsage:m5.large", "80").using("20"),
    ]
}

fn priced(book: &str, lines: &[Line]) -> Done {
    let period = lines[0].bill_billing_period_start_date.as_ref().expect("a month")[..7].to_owned();
    let write = |cost: &std::path::Path| {
        drop(write_month(cost, lines, &WriteOptions::new(Form::Cur2Parquet, &period)))
    };
    Run::new(&period, book, write).go().succeeded()
}

/// The rows of a difference as `group product difference: cause amount [usage unit]; …`.
fn rows(comparison: &Value) -> Vec<String> {
    let part = |part: &Value| {
        let usage = part["usage"].as_object().expect("usage").iter();
        let usage: String = usage.map(|(unit, more)| format!(" [{} {unit}]", text(more))).collect();
        format!("{} {}{usage}", text(&part["cause"]), text(&part["amount"]))
    };
    let row = |row: &Value| {
        let parts: Vec<String> = list(&row["parts"]).iter().map(part).collect();
        let [group, product, difference] =
            ["billing_group", "product", "difference"].map(|name| text(&row[name]));
        format!("{group} {product} {difference}: {}", parts.join("; "))
    };
    list(&comparison["rows"]).iter().map(row).collect()
}

fn compared(before: &Done, after: &Done) -> Value {
    proforma(&["diff", before.folder(), after.folder(), "--output", "json"]).printed()
}

#[track_caller]
fn check_book(from: &str, to: &str, expected: &[&str]) {
    assert!(BOOK.contains(from), "{from}");
    let (before, after) = (priced(BOOK, &lines()), priced(&BOOK.replace(from, to), &lines()));
    let comparison = compared(&before, &after);
    assert_eq!(rows(&comparison), expected);
    assert_eq!(comparison["differ"], "only the book differs, the cost files are the same");
}

#[track_caller]
fn check_lines(change: impl FnOnce(&mut Vec<Line>), expected: &[&str]) {
    let mut later = lines();
    change(&mut later);
    let comparison = compared(&priced(BOOK, &lines()), &priced(BOOK, &later));
    assert_eq!(rows(&comparison), expected);
    assert_eq!(comparison["differ"], "only the cost files differ, the book is the same");
}

#[test]
fn a_changed_rule_is_named_with_what_it_said() {
    check_book(
        "modifier_percentage = \"10\"",
        "modifier_percentage = \"12\"",
        &[
            "acme AWSGlue 0.14: rule `up` changed from +10 % to +12 % 0.14",
            "acme AmazonEC2 0.8: rule `up` changed from +10 % to +12 % 0.8",
            "acme AmazonRDS 0.4: rule `up` changed from +10 % to +12 % 0.4",
            "zenith AmazonEC2 1.6: rule `up` changed from +10 % to +12 % 1.6",
        ],
    );
}

#[test]
fn another_rule_is_named_beside_the_old_one() {
    let rule = "[[pricing_rules]]\nname = \"glue\"\nscope = \"SERVICE\"\nservice = \"AWSGlue\"\ntype = \"DISCOUNT\"\n\
                modifier_percentage = \"5\"\n\n[[pricing_plans]]";
    let book = BOOK
        .replace("[[pricing_plans]]", rule)
        .replace("[\"up\", \"tiers\"]", "[\"up\", \"tiers\", \"glue\"]");
    let comparison = compared(&priced(BOOK, &lines()), &priced(&book, &lines()));
    assert_eq!(rows(&comparison), ["acme AWSGlue -1.05: rule `up` → rule `glue` -1.05"]);
    check_book(
        "[\"up\", \"tiers\"]",
        "[\"tiers\"]",
        &[
            "acme AWSGlue -0.7: rule `up` → no rule -0.7",
            "acme AmazonEC2 -4: rule `up` → no rule -4",
            "acme AmazonRDS -2: rule `up` → no rule -2",
            "zenith AmazonEC2 -8: rule `up` → no rule -8",
        ],
    );
}

#[test]
fn custom_line_items_that_come_go_or_change_are_named() {
    check_book(
        "flat_charge_value = \"100\"",
        "flat_charge_value = \"110\"",
        &[
            "acme AWSBillingConductor 10.2: custom line item `care`: what it is a percentage of 0.2; custom line item `desk` changed 10",
        ],
    );
    check_book(
        "\"desk\"",
        "\"bench\"",
        &[
            "acme AWSBillingConductor 0: custom line item `desk` removed -100; custom line item `bench` added 100",
        ],
    );
}

#[test]
fn an_account_that_moves_is_named_on_both_sides() {
    check_book(
        "[\"111111111111\", \"222222222222\"]",
        "[\"111111111111\"]",
        &[
            "acme AWSGlue -7.7: moved to no group -7.7 [-3 Hrs]",
            // The pool of 250 GB cost 8.5 and had 60 % of it in the first account; now the 150 GB of that cost 5.5.
            "acme AmazonECS 13.2: commitment now outside the group 13.2",
            "acme AmazonS3 -3: other usage under the tiers of rule `tiers` 0.4; moved to no group -3.4 [-100 Hrs]",
        ],
    );
}

#[test]
fn usage_is_told_from_price() {
    check_lines(
        |lines| lines[0] = lines[0].clone().amounting("60").at_public_cost("60").using("15"),
        &["acme AmazonEC2 22: usage or cost changed 22 [5 Hrs]"],
    );
    let mut later = lines();
    later[0] = later[0].clone().amounting("60").at_public_cost("60").using("15");
    let dearer = BOOK.replace("modifier_percentage = \"10\"", "modifier_percentage = \"12\"");
    let comparison = compared(&priced(BOOK, &lines()), &priced(&dearer, &later));
    let of_ec2 =
        "acme AmazonEC2 23.2: usage or cost changed 22 [5 Hrs]; rule `up` changed from +10 % to +12 % 1.2";
    assert!(rows(&comparison).contains(&of_ec2.to_owned()), "{:#?}", rows(&comparison));
    assert_eq!(comparison["differ"], "the cost files and the book differ");
}

#[test]
fn lines_of_one_run_alone_are_named() {
    check_lines(|lines| drop(lines.remove(1)), &["acme AmazonRDS -22: lines only in A -22 [-5 Hrs]"]);
    check_lines(
        |lines| lines.push(Line::usage("333333333333", "AWSGlue", "Crawler", "5")),
        &["zenith AWSGlue 5.5: lines only in B 5.5 [1 Hrs]"],
    );
}

#[test]
fn a_month_that_becomes_final_is_compared_line_by_line() {
    check_lines(
        |lines| lines.iter_mut().for_each(|line| line.bill_invoice_id = Some("4711".to_owned())),
        &[],
    );
    let final_lines = |lines: &mut Vec<Line>| {
        lines.iter_mut().for_each(|line| line.bill_invoice_id = Some("4711".to_owned()));
        lines[1] = lines[1].clone().using("6");
        lines[1].pricing_public_on_demand_cost =
            lines[1].pricing_public_on_demand_cost.map(|cost| cost + cost);
    };
    check_lines(final_lines, &["acme AmazonRDS 22: usage or cost changed 22 [1 Hrs]"]);
}

#[test]
fn two_months_are_compared_and_said_to_be_two() {
    let november: Vec<Line> = lines().into_iter().map(|line| line.in_period("2026-11")).collect();
    let comparison = compared(&priced(BOOK, &lines()), &priced(BOOK, &november));
    assert_eq!(
        comparison["differ"],
        "the runs are of two months, 2026-10 and 2026-11; only the cost files differ, the book is the same"
    );
    assert_eq!(rows(&comparison), [""; 0]);
}

#[test]
fn nothing_in_common_is_refused_by_name() {
    let base = priced(BOOK, &lines());
    let other_payer = BOOK.replace("999999999999", "888888888888");
    let paid = |line: Line| Line { bill_payer_account_id: Some("888888888888".to_owned()), ..line };
    let other = priced(&other_payer, &lines().into_iter().map(paid).collect::<Vec<_>>());
    proforma(&["diff", base.folder(), other.folder()]).says_no(&[
        "two payer accounts",
        "`999999999999`",
        "`888888888888`",
        "hint: compare runs of one payer",
    ]);
    let euros: Vec<Line> = lines().into_iter().map(|line| line.in_currency("EUR")).collect();
    let book = BOOK
        .replace("[[pricing_rules]]\nname = \"up\"", "currency = \"EUR\"\n[[pricing_rules]]\nname = \"up\"");
    proforma(&["diff", base.folder(), priced(&book, &euros).folder()])
        .says_no(&["no currency in common: USD and EUR"]);
}

#[test]
fn a_difference_is_a_table_and_csv_too() {
    let (before, after) = (priced(BOOK, &lines()), priced(&BOOK.replace("\"10\"", "\"12\""), &lines()));
    let table = proforma(&["diff", before.folder(), after.folder()]);
    assert_eq!(table.status, 0, "{}", table.stderr);
    assert!(table.stdout.contains("0.14  rule `up` changed from +10 % to +12 %"), "{}", table.stdout);
    assert!(table.stderr.contains("note: only the book differs"), "{}", table.stderr);
    let csv = proforma(&["diff", before.folder(), after.folder(), "--output", "csv"]).stdout;
    let expected = "part,acme,AWSGlue,USD,7.7,7.84,0.14,rule `up` changed from +10 % to +12 %,0.14";
    assert!(csv.lines().any(|line| line == expected), "{csv}");
    let same = proforma(&["diff", before.folder(), before.folder()]);
    assert_eq!(same.stdout, "no amount differs\n");
}
