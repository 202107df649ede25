//! `proforma explain` shows the arithmetic of an amount, and the source rows behind it.

use crate::reports::{list, text};
use crate::support::{Done, Run, book_of_acme, proforma};
use serde_json::Value;
use std::fs;
use std::path::Path;
use testkit::write::{Delivery, Packing};
use testkit::{Form, Line, WriteOptions, write_month};

const PERIOD: &str = "2026-10";
const PLAIN: Form = Form::LegacyCsv(Packing::Plain);

const BOOK: &str = book_of_acme!(
    r#"
[[custom_line_items]]
name = "rebate"
description = "Three percent"
billing_group = "acme"
type = "CREDIT"
percentage_value = "3"
presentation_service = "AmazonEC2"
start = "2026-01"
"#
);

fn named(id: &str, line: Line) -> Line {
    Line { identity_line_item_id: Some(id.to_owned()), ..line }
}

fn on_day(id: &str, day: u32, cost: &str) -> Line {
    let (start, end) = (format!("2026-10-{day:02}T00:00:00Z"), format!("2026-10-{:02}T00:00:00Z", day + 1));
    named(id, Line::usage("111111111111", "AmazonEC2", "BoxUsage:m5.large", cost).during(&start, &end))
}

fn lines() -> Vec<Line> {
    let acme = "111111111111";
    let (outside, second) = ("333333333333", "222222222222");
    vec![
        on_day("server", 1, "40"),
        on_day("server", 2, "41"),
        on_day("other", 2, "7"),
        on_day("server", 3, "42"),
        named("storage", Line::usage(acme, "AmazonS3", "TimedStorage", "9").using("150")),
        named("archive", Line::usage(second, "AmazonS3", "TimedStorage", "6").using("100")),
        named("tax", Line::charge("Tax", acme, "AmazonEC2", "19")),
        named("covered", Line::covered_usage(acme, outside, "AmazonECS", "Fargate", "12")),
        named("negation", Line::negation(acme, outside, "AmazonECS", "Fargate", "12")),
        named("nobody", Line::usage(outside, "AmazonEC2", "BoxUsage:m5.large", "5")),
        named("before", Line::usage(acme, "AmazonEC2", "BoxUsage:m5.large", "1").in_period("2026-09")),
    ]
}

fn options(form: Form) -> WriteOptions {
    WriteOptions { delivery: Delivery::Loose, ..WriteOptions::new(form, PERIOD) }
}

/// A run over small row groups in two files, or over CSV.
fn priced(form: Form) -> Done {
    let options = WriteOptions { files: 2, row_group_rows: 3, ..options(form) };
    Run::new(PERIOD, BOOK, |cost| drop(write_month(cost, &lines(), &options))).go().succeeded()
}

fn cost(done: &Done) -> String {
    done.out.parent().expect("a folder").join("cost").display().to_string()
}

fn line(done: &Done, id: &str) -> Value {
    proforma(&["explain", "--run", done.folder(), "--line", id, "--cost", &cost(done), "--output", "json"])
        .printed()
}

/// What a row came to, as `treatment | rule | base × factor | amount exported`.
fn told(row: &Value) -> String {
    let arithmetic = &row["arithmetic"];
    let part = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let base = &arithmetic["base"];
    format!(
        "{} | {} | {} {} × {} | {} {}",
        part(&arithmetic["treatment"]),
        part(&arithmetic["rule"]["name"]),
        part(&base["name"]),
        part(&base["amount"]),
        part(&arithmetic["factor"]),
        part(&arithmetic["amount"]),
        part(&row["exported_amount"]),
    )
}

#[test]
fn every_row_of_a_repeated_id_is_explained_with_its_place() {
    for form in [Form::Cur2Parquet, Form::Cur2Csv, PLAIN, Form::LegacyParquet] {
        let done = priced(form);
        let rows = line(&done, "server");
        let rows = list(&rows);
        let intervals: Vec<&str> = rows.iter().map(|row| &text(&row["interval"])[..10]).collect();
        assert_eq!(intervals, ["2026-10-01", "2026-10-02", "2026-10-03"], "{form:?}");
        let amounts: Vec<String> = rows.iter().map(told).collect();
        let expected = |cost: &str, amount: &str| {
            format!("priced | up | public On-Demand cost {cost} × 1.1 | {amount} {amount}")
        };
        assert_eq!(amounts, [expected("40", "44"), expected("41", "45.1"), expected("42", "46.2")]);
        for row in rows {
            let file = text(&row["file"]);
            let known = done.json("reconciliation.json");
            assert!(list(&known["files"]).iter().any(|one| one["name"] == file), "{file}");
            assert_eq!(row["row_group"].is_null(), [Form::Cur2Csv, PLAIN].contains(&form), "{row:#}");
            assert_eq!(row["billing_group"], "acme");
            assert_eq!(row["values"]["line_item_usage_type"], "BoxUsage:m5.large");
        }
        let second = "2026-10-02T00:00:00Z/2026-10-03T00:00:00Z";
        let arguments = ["--line", "server", "--interval", second, "--output", "json"];
        let one = proforma(
            &[&["explain", "--run", done.folder(), "--cost", &cost(&done)], &arguments[..]].concat(),
        );
        assert_eq!(list(&one.printed()).len(), 1, "{form:?}");
    }
}

#[test]
fn a_row_is_where_the_explanation_says() {
    let done = priced(PLAIN);
    for row in list(&line(&done, "server")) {
        let path = Path::new(&cost(&done)).join(text(&row["file"]));
        let content = fs::read_to_string(path).expect("a CSV file");
        let number = usize::try_from(row["row"].as_u64().expect("a row")).expect("small");
        let of_file = content.lines().nth(number).expect("the row");
        assert!(of_file.contains("server") && of_file.contains(text(&row["interval"])), "{of_file}");
    }
}

#[test]
fn a_line_that_no_bill_has_says_why() {
    let done = priced(Form::Cur2Parquet);
    let told = |id: &str| told(&list(&line(&done, id))[0]);
    assert_eq!(told("tax"), "not on the bill: tax | - | - - × - | 0 -");
    assert_eq!(told("nobody"), "on no bill: its account is in no billing group | - | - - × - | 0 -");
    assert_eq!(
        told("negation"),
        "not on the bill: of a commitment that is owned outside the billing group | - | - - × - | 0 -"
    );
    assert_eq!(
        told("covered"),
        "priced On-Demand: account `333333333333` outside the group owns the commitment | up | \
         public On-Demand cost 12 × 1.1 | 13.2 13.2"
    );
    let before = line(&done, "before");
    assert_eq!(before[0]["unsummed"], "it is of another billing period");
    assert!(before[0]["arithmetic"].is_null());
}

#[test]
fn a_rejected_line_says_why() {
    let write = |cost: &Path| {
        for path in write_month(cost, &lines(), &options(PLAIN)) {
            let content = fs::read_to_string(&path).expect("text");
            let spoil = |line: &str| {
                if line.contains("other") { line.replace(",7.", ",seven.") } else { line.to_owned() }
            };
            let spoiled: Vec<String> = content.lines().map(|line| spoil(line) + "\n").collect();
            fs::write(path, spoiled.concat()).expect("a file");
        }
    };
    let done = Run::new(PERIOD, BOOK, write).with(&["--accept-rejects"]).go().succeeded();
    let rejected = line(&done, "other");
    let why = text(&rejected[0]["unsummed"]);
    assert!(why.starts_with("it was rejected: ") && why.contains("seven"), "{why}");
}

#[test]
fn a_line_of_a_tier_pool_has_its_share() {
    let done = priced(Form::Cur2Parquet);
    // 250 GB cost 100 × 0.04 + 150 × 0.03 = 8.5.
    assert_eq!(told(&list(&line(&done, "storage"))[0]), "priced | tiers | usage 150 × - | 5.1 5.1");
    let product = ["--group", "acme", "--product", "AmazonS3", "--output", "json"];
    let explanation = proforma(&[&["explain", "--run", done.folder()], &product[..]].concat()).printed();
    let class = &explanation[0]["classes"][1];
    assert_eq!(class["tier_pool"]["usage_amount"], "250");
    assert_eq!(class["tier_pool"]["amount"], "8.5");
    assert_eq!(class["rule"]["modifier"], "tiers 0–100 at 0.04, from 100 at 0.03");
    assert_eq!(class["amount"], "3.4");
    assert_eq!(explanation[0]["amount"], "8.5");
}

#[test]
fn a_product_is_explained_class_by_class_to_the_cost_report() {
    let done = priced(Form::Cur2Parquet);
    let explained =
        proforma(&["explain", "--run", done.folder(), "--group", "acme", "--product", "AmazonEC2"]);
    assert_eq!(explained.status, 0, "{}", explained.stderr);
    // 3 % of 143 of EC2, 8.5 of S3 and 13.2 of ECS.
    for words in [
        "acme, AmazonEC2, 2026-10, in USD",
        "4 lines, 4 Hrs, AWS cost 130; class ",
        "rule `up`: GLOBAL, +10 %",
        "public On-Demand cost 130 × 1.1\n    = 143\n",
        "not on the bill: tax",
        "custom line item `rebate`",
        "3 % of the group's lines, a credit, of 164.7\n    = -4.941\n",
        "cost report             138.059 USD",
    ] {
        assert!(explained.stdout.contains(words), "no `{words}` in:\n{}", explained.stdout);
    }
    let row =
        done.group_rows().into_iter().find(|((_, product, _), _)| product == "AmazonEC2").expect("a row");
    assert_eq!(row.1.pro_forma_cost.to_string(), "138.059");
    let narrowed =
        ["--group", "acme", "--product", "AmazonS3", "--account", "222222222222", "--output", "json"];
    let narrowed = proforma(&[&["explain", "--run", done.folder()], &narrowed[..]].concat()).printed();
    assert_eq!((&narrowed[0]["amount"], &narrowed[0]["whole_product"]), (&"3.4".into(), &false.into()));
}

#[test]
fn what_is_not_there_is_named_with_what_is() {
    let done = priced(Form::Cur2Parquet);
    let explain = |arguments: &[&str]| proforma(&[&["explain", "--run", done.folder()], arguments].concat());
    explain(&["--group", "nobody", "--product", "AmazonEC2"])
        .says_no(&["no billing group `nobody`", "hint: it has `acme`"]);
    explain(&["--group", "acme", "--product", "AmazonRDS"])
        .says_no(&["nothing of product `AmazonRDS`", "`AmazonEC2`, `AmazonECS`, `AmazonS3`"]);
    explain(&["--group", "acme", "--product", "AmazonEC2", "--usage-type", "None"])
        .says_no(&["with usage type `None`", "hint: leave out"]);
    explain(&["--line", "unknown", "--cost", &cost(&done)]).says_no(&["line item id `unknown`", "hint: "]);
}

#[test]
fn a_line_is_found_only_in_the_files_that_the_run_read() {
    let done = priced(Form::Cur2Parquet);
    let explain =
        |cost: &str| proforma(&["explain", "--run", done.folder(), "--line", "server", "--cost", cost]);
    let path = Path::new(&cost(&done)).to_owned();
    let names: Vec<_> = fs::read_dir(&path).expect("a folder").flatten().map(|entry| entry.path()).collect();
    let first =
        names.iter().find(|path| path.extension().is_some_and(|ending| ending == "parquet")).expect("a file");
    let name = first.file_name().expect("a name").to_string_lossy().into_owned();
    // A file of the same name with other content.
    let kept = fs::read(first).expect("a file");
    let other = tempfile::tempdir().expect("a folder");
    let others = write_month(other.path(), &lines()[..2], &options(Form::Cur2Parquet));
    fs::copy(&others[0], first).expect("a copy");
    explain(&cost(&done)).says_no(&[&name, "is not what the run read", "SHA-256"]);
    fs::remove_file(first).expect("it goes");
    explain(&cost(&done)).says_no(&[&name, "is not there", "hint: "]);
    // Under another name it is still the file.
    fs::write(path.join("renamed.parquet"), kept).expect("a file");
    let found = explain(&cost(&done));
    assert_eq!(found.status, 0, "{}", found.stderr);
    assert!(found.stdout.contains("3 rows") && !found.stdout.contains("renamed"), "{}", found.stdout);
    fs::remove_dir_all(&path).expect("they go");
    explain(&cost(&done)).says_no(&["hint: "]);
}
