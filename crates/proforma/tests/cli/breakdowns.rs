//! `proforma report`: by hand on small months, and its sums against the cost report.

use crate::reports::{list, text};
use crate::support::{Done, Run};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;
use testkit::{Form, Line, WriteOptions, write_month};

const PERIOD: &str = "2026-10";
const ACME: &str = "111111111111";
const OTHER: &str = "222222222222";

const BOOK: &str = r#"
payer_account_id = "999999999999"

[[pricing_rules]]
name = "up"
scope = "GLOBAL"
type = "MARKUP"
modifier_percentage = 10

[[pricing_rules]]
name = "tiers"
scope = "SKU"
type = "TIERING"
service = "AmazonS3"
usage_type = "TimedStorage-ByteHrs"
custom_tiers = [{ begin_range_inclusive = 0, rate_value = "0.1" }]

[[pricing_plans]]
name = "plan"
pricing_rules = ["up", "tiers"]

[[billing_groups]]
name = "acme"
primary_account_id = "111111111111"
accounts = ["111111111111"]
pricing_plan = "plan"

[[custom_line_items]]
name = "care"
description = "a thank you"
billing_group = "acme"
type = "CREDIT"
flat_charge_value = 5
start = "2026-01"

[reports]
tags = ["user_project"]
"#;

fn on_day(line: Line, day: u32, project: Option<&str>) -> Line {
    let mut line =
        line.during(&format!("2026-10-{day:02}T23:00:00Z"), &format!("2026-10-{:02}T00:00:00Z", day + 1));
    line.resource_tags.extend(project.map(|project| ("user_project".to_owned(), project.to_owned())));
    line.resource_tags.insert("user_else".to_owned(), "noise".to_owned());
    line
}

/// A class on three days, a tier pool on two, a day outside the month, an account of nobody, a tax.
fn lines() -> Vec<Line> {
    let compute = |cost: &str| Line::usage(ACME, "AmazonEC2", "BoxUsage:m5.large", cost);
    let storage = |usage: &str| Line::usage(ACME, "AmazonS3", "TimedStorage-ByteHrs", "1").using(usage);
    vec![
        on_day(compute("1"), 1, Some("x")),
        on_day(compute("2"), 1, Some("x")),
        on_day(compute("4"), 30, Some("x")),
        on_day(compute("8"), 30, Some("y")),
        on_day(compute("16"), 15, None),
        on_day(storage("10"), 2, None),
        on_day(storage("20"), 3, None),
        compute("32").during("2026-09-30T23:00:00Z", "2026-10-01T00:00:00Z"),
        on_day(Line::usage(OTHER, "AmazonEC2", "BoxUsage:m5.large", "64"), 1, Some("x")),
        on_day(Line::charge("Tax", ACME, "AmazonEC2", "3"), 1, None),
    ]
}

fn run_of(form: Form, more: &[&str]) -> Done {
    let write = |cost: &std::path::Path| drop(write_month(cost, &lines(), &WriteOptions::new(form, PERIOD)));
    Run::new(PERIOD, BOOK, write).with(more).go().succeeded()
}

/// Prints a report of a run.
pub fn report(done: &Done, arguments: &[&str]) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proforma"));
    command.arg("report").arg("--run").arg(&done.out).args(arguments);
    Done::of(command.output().expect("the program starts"), done.out.clone())
}

/// The rows of a report.
pub fn json(done: &Done, arguments: &[&str]) -> Vec<Value> {
    let printed = report(done, &[arguments, &["--output", "json"]].concat()).succeeded();
    list(&serde_json::from_str(&printed.stdout).expect("JSON")).to_vec()
}

/// The values of a column by those of the keys before it.
fn by_key(rows: &[Value], keys: &[&str], column: &str) -> BTreeMap<String, String> {
    let name = |row: &Value| {
        let values = keys.iter().map(|key| row[*key].as_str().unwrap_or("–").to_owned());
        values.collect::<Vec<_>>().join(" ")
    };
    rows.iter().map(|row| (name(row), text(&row[column]).to_owned())).collect()
}

#[track_caller]
fn check(done: &Done, arguments: &[&str], keys: &[&str], column: &str, expected: &[(&str, &str)]) {
    let expected = expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    assert_eq!(by_key(&json(done, arguments), keys, column), expected, "{arguments:?}");
}

#[test]
fn days_services_and_tags_of_every_format() {
    for form in Form::ALL {
        let done = run_of(form, &[]);
        // The cost files are gone: only the run's folder is left.
        std::fs::remove_dir_all(done.out.with_file_name("cost")).expect("the cost files");
        let days = [
            ("2026-09-30", "35.2"),
            ("2026-10-01", "3.3"),
            ("2026-10-02", "1"),
            ("2026-10-03", "2"),
            ("2026-10-15", "17.6"),
            ("2026-10-30", "13.2"),
            ("–", "-5"),
        ];
        check(&done, &["--by", "day"], &["day"], "pro_forma_cost", &days);
        let services = [("AWSBillingConductor", "-5"), ("AmazonEC2", "69.3"), ("AmazonS3", "3")];
        check(&done, &["--by", "service"], &["service"], "pro_forma_cost", &services);
        let aws = [("–", "64"), ("acme", "65")];
        check(&done, &["--by", "group", "--metric", "aws-cost"], &["billing_group"], "aws_cost", &aws);
        let margin = [("2026-10-30 x", "0.4"), ("2026-10-30 y", "0.8"), ("2026-10-01 x", "0.3")];
        let tagged =
            ["--by", "day,tag:user_project", "--metric", "margin", "--filter", "tag:user_project=x,y"];
        check(&done, &tagged, &["day", "tag:user_project"], "margin", &margin);
        let storage = ["--by", "day", "--metric", "usage", "--filter", "service=AmazonS3"];
        check(&done, &storage, &["day"], "usage_amount", &[("2026-10-02", "10"), ("2026-10-03", "20")]);
        let others = ["--by", "account", "--metric", "aws-cost", "--filter", "account!=111111111111"];
        check(&done, &others, &["account"], "aws_cost", &[(OTHER, "64")]);
        let of_group = ["--by", "account", "--metric", "aws-cost", "--group", "acme"];
        check(&done, &of_group, &["account"], "aws_cost", &[(ACME, "65")]);
    }
}

#[test]
fn a_line_item_without_a_day_and_without_a_tag_is_filtered_by_an_empty_value() {
    let done = run_of(Form::Cur2Csv, &[]);
    let untagged = ["--by", "service", "--filter", "tag:user_project="];
    let expected = [("AWSBillingConductor", "-5"), ("AmazonEC2", "52.8"), ("AmazonS3", "3")];
    check(&done, &untagged, &["service"], "pro_forma_cost", &expected);
}

#[test]
fn tables_have_bars_and_csv_has_none() {
    let done = run_of(Form::Cur2Parquet, &[]);
    let table = report(&done, &["--by", "service"]).succeeded().stdout;
    assert!(table.contains("│█") && table.contains("█│"), "{table}");
    assert!(table.ends_with("total 67.3 USD\n"), "{table}");
    let two_keys = report(&done, &["--by", "service,account"]).succeeded().stdout;
    assert!(!two_keys.contains('█'), "{two_keys}");
    let csv = report(&done, &["--by", "day", "--filter", "day=2026-10-15", "--output", "csv"]).succeeded();
    assert_eq!(csv.stdout, "day,pro_forma_cost,currency\n2026-10-15,17.6,USD\n");
    let nothing = report(&done, &["--by", "service", "--filter", "region=nowhere"]).succeeded();
    assert!(nothing.stderr.contains("nothing of this run is in the report"), "{}", nothing.stderr);
}

#[test]
fn what_a_report_cannot_say_is_refused_with_the_way_out() {
    let done = run_of(Form::Cur2Parquet, &["--no-daily"]);
    assert!(!done.out.join("cost-cube-daily.parquet").exists());
    assert_eq!(done.json("reconciliation.json")["cost_cube_daily"], Value::Null);
    assert_eq!(json(&done, &["--by", "service"]).len(), 3);
    let cases: [(&[&str], &[&str]); 7] = [
        (&["--by", "day"], &["no daily cube", "without --no-daily"]),
        (&["--by", "service", "--filter", "day=2026-10-01"], &["no daily cube"]),
        (&["--by", "colour"], &["`colour` is no key", "usage-type"]),
        (&["--by", "tag:user_else"], &["not kept the tag `user_else`", "[reports] tags = [\"user_else\"]"]),
        (&["--by", "service,service"], &["`service` twice"]),
        (&["--by", "service", "--filter", "AmazonEC2"], &["`AmazonEC2` is no filter", "KEY=VALUE"]),
        (&["--by", "service", "--group", "nobody"], &["no billing group `nobody`", "acme"]),
    ];
    for (arguments, words) in cases {
        let refused = report(&done, arguments);
        assert_eq!(refused.status, 2, "{arguments:?}: {}", refused.stderr);
        for word in words {
            assert!(refused.stderr.contains(word), "{arguments:?}: {}", refused.stderr);
        }
    }
}

#[test]
fn a_damaged_daily_cube_is_refused() {
    let done = run_of(Form::Cur2Parquet, &[]);
    let path = done.out.join("cost-cube-daily.parquet");
    let other = run_of(Form::Cur2Parquet, &["--accept-rejects"]);
    assert_eq!(
        std::fs::read(&path).unwrap(),
        std::fs::read(other.out.join("cost-cube-daily.parquet")).unwrap()
    );
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[10] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let refused = report(&done, &["--by", "day"]);
    assert_eq!(refused.status, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("cost-cube-daily.parquet"), "{}", refused.stderr);
    assert_eq!(json(&done, &["--by", "service"]).len(), 3);
}

#[test]
fn a_tag_that_no_line_has_is_warned_of() {
    let book = BOOK.replace("tags = [", "cost_categories = [\"Team\"]\ntags = [\"user_nobody\", ");
    let write = |cost: &std::path::Path| {
        drop(write_month(cost, &lines(), &WriteOptions::new(Form::LegacyParquet, PERIOD)));
    };
    let done = Run::new(PERIOD, &book, write).go().succeeded();
    assert!(done.stderr.contains("no line has the tag `user_nobody`"), "{}", done.stderr);
    assert!(done.stderr.contains("no line has the cost category `Team`"), "{}", done.stderr);
    assert!(!done.stderr.contains("`user_project`"), "{}", done.stderr);
}

#[test]
fn a_mistake_in_the_reports_of_a_book_has_its_place() {
    let book = BOOK.replace("tags = [\"user_project\"]", "tag = [\"user_project\"]");
    let done = Run::new(PERIOD, &book, |_| ()).go();
    done.refused(&["book.toml:", "`tag`"]);
}
