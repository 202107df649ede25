//! `proforma preview` over several months and between two books, with amounts that were worked out by hand.

use crate::reports::list;
use crate::support::{Done, Run, book_of_acme, proforma};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;
use testkit::{Form, Line, WriteOptions, write_month};

/// A service desk of 100 from November on.
const BOOK: &str = book_of_acme!(
    r#"
[[custom_line_items]]
name = "desk"
description = "Service desk"
billing_group = "acme"
type = "FEE"
flat_charge_value = "100"
start = "2026-11"
"#
);
const HEADER: &str =
    "period,kind,billing_group,product,before,after,difference,difference_percentage,currency,only_in\n";

fn markup(percentage: &str) -> String {
    BOOK.replace("modifier_percentage = \"10\"", &format!("modifier_percentage = \"{percentage}\""))
}

fn used(period: &str, cost: &str) -> Line {
    Line::usage("111111111111", "AmazonEC2", "BoxUsage:m5.large", cost).in_period(period)
}

fn priced(book: &str, line: Line) -> Done {
    let period = line.bill_billing_period_start_date.as_ref().expect("a month")[..7].to_owned();
    let write = |cost: &std::path::Path| {
        drop(write_month(cost, &[line], &WriteOptions::new(Form::Cur2Parquet, &period)))
    };
    Run::new(&period, book, write).go().succeeded()
}

/// October with 40 of EC2 and November with 60, at 10 % more.
fn two_months() -> [Done; 2] {
    [priced(BOOK, used("2026-10", "40")), priced(BOOK, used("2026-11", "60"))]
}

/// Books in a folder of their own.
struct Books(TempDir);

impl Books {
    fn of(books: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        books.iter().for_each(|(name, book)| fs::write(folder.path().join(name), book).expect("a book"));
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A preview of these runs under these books of the folder.
    fn preview(&self, runs: &[&Done], books: &[&str], more: &[&str]) -> Done {
        let mut arguments = vec!["preview".to_owned()];
        for run in runs {
            arguments.extend(["--run".to_owned(), run.folder().to_owned()]);
        }
        for book in books {
            arguments.extend(["--book".to_owned(), self.path(book).display().to_string()]);
        }
        arguments.extend(more.iter().map(ToString::to_string));
        proforma(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

#[test]
fn months_come_in_order_with_their_totals_and_the_total_of_all() {
    let [october, november] = two_months();
    let books = Books::of(&[("draft.toml", &markup("20"))]);
    let months = books.preview(&[&november, &october], &["draft.toml"], &["--output", "csv"]).succeeded();
    let expected = "2026-10,group,acme,,44,48,4,9.0909,USD,\n\
                    2026-10,total,,,44,48,4,9.0909,USD,\n\
                    2026-11,group,acme,,166,172,6,3.6145,USD,\n\
                    2026-11,total,,,166,172,6,3.6145,USD,\n\
                    ,grand_total,,,210,220,10,4.7619,USD,\n";
    assert_eq!(months.stdout, format!("{HEADER}{expected}"));
    assert!(
        months.stderr.contains("warning: 2026-10: pricing rule `tiers` prices no line"),
        "{}",
        months.stderr
    );
    let one = books.preview(&[&october], &["draft.toml"], &["--output", "csv"]).succeeded();
    let of_october: String = expected.lines().take(2).map(|line| format!("{line}\n")).collect();
    assert_eq!(one.stdout, format!("{HEADER}{of_october}"));
    assert!(one.stderr.contains("warning: pricing rule `tiers` prices no line"), "{}", one.stderr);
    let table = books.preview(&[&october, &november], &["draft.toml"], &[]).succeeded().stdout;
    let last = table.lines().rev().find(|line| line.contains("(all)")).expect("a total of all");
    let words: Vec<&str> = last.split_whitespace().collect();
    assert_eq!(words, ["(all)", "(total)", "210", "220", "10", "4.7619", "USD"]);
}

#[test]
fn two_books_are_compared_with_each_other() {
    let [october, november] = two_months();
    let other = markup("30").replace("\"acme\"", "\"zenith\"");
    let books =
        Books::of(&[("one.toml", &markup("20")), ("more.toml", &markup("30")), ("other.toml", &other)]);
    let csv = ["--output", "csv"];
    let compared = books.preview(&[&october, &november], &["one.toml", "more.toml"], &csv).succeeded();
    let expected = "2026-10,group,acme,,48,52,4,8.3333,USD,\n\
                    2026-10,total,,,48,52,4,8.3333,USD,\n\
                    2026-11,group,acme,,172,178,6,3.4884,USD,\n\
                    2026-11,total,,,172,178,6,3.4884,USD,\n\
                    ,grand_total,,,220,230,10,4.5455,USD,\n";
    assert_eq!(compared.stdout, format!("{HEADER}{expected}"));
    for book in ["one.toml", "more.toml"] {
        let warning = format!("2026-11: {}: pricing rule `tiers` prices no line", books.path(book).display());
        assert!(compared.stderr.contains(&warning), "{}", compared.stderr);
    }
    let renamed = books.preview(&[&october], &["one.toml", "other.toml"], &csv).succeeded();
    let expected = "2026-10,group,zenith,,,52,52,,USD,second\n\
                    2026-10,group,acme,,48,,-48,-100,USD,first\n\
                    2026-10,total,,,48,52,4,8.3333,USD,\n";
    assert_eq!(renamed.stdout, format!("{HEADER}{expected}"));
    let table = books.preview(&[&october], &["one.toml", "other.toml"], &[]).succeeded().stdout;
    assert!(table.contains("only in the second book") && table.contains("only in the first book"), "{table}");
}

#[test]
fn products_of_every_month_are_shown() {
    let [october, november] = two_months();
    let books = Books::of(&[("draft.toml", &markup("20"))]);
    let arguments = ["--by-product", "--output", "json"];
    let rows = books.preview(&[&october, &november], &["draft.toml"], &arguments).printed();
    let rows: Vec<String> = (list(&rows).iter())
        .map(|row| {
            let part = |name: &str| row[name].as_str().unwrap_or("-");
            ["period", "kind", "product", "before", "after"].map(part).join(" ")
        })
        .collect();
    assert_eq!(
        rows,
        [
            "2026-10 product AmazonEC2 44 48",
            "2026-10 total - 44 48",
            "2026-11 product AWSBillingConductor 100 100",
            "2026-11 product AmazonEC2 66 72",
            "2026-11 total - 166 172",
            "- grand_total - 210 220",
        ]
    );
}

#[test]
fn currencies_have_totals_of_their_own() {
    let euros = used("2026-11", "60").in_currency("EUR");
    let (october, november) = (priced(BOOK, used("2026-10", "40")), priced(BOOK, euros));
    let books = Books::of(&[("draft.toml", &markup("20"))]);
    let rows = books.preview(&[&october, &november], &["draft.toml"], &["--output", "json"]).printed();
    let totals: Vec<String> = (list(&rows).iter().filter(|row| row["billing_group"].is_null()))
        .map(|row| {
            let part = |name: &str| row[name].as_str().unwrap_or("-");
            ["period", "currency", "before", "after", "difference"].map(part).join(" ")
        })
        .collect();
    assert_eq!(
        totals,
        [
            "2026-10 USD 44 48 4",
            "2026-11 EUR 66 72 6",
            "2026-11 USD 100 100 0",
            "- EUR 66 72 6",
            "- USD 144 148 4",
        ]
    );
}

#[test]
fn runs_that_do_not_go_together_are_refused_by_name() {
    let [october, november] = two_months();
    let again = priced(&markup("20"), used("2026-10", "40"));
    let books = Books::of(&[("draft.toml", &markup("20")), ("strange.toml", &strange(BOOK))]);
    books.preview(&[&october, &november, &again], &["draft.toml"], &[]).says_no(&[
        &format!("`{}` and `{}` are two runs of 2026-10", october.folder(), again.folder()),
        "hint: give one run of each month",
    ]);
    let other = Line { bill_payer_account_id: Some("888888888888".to_owned()), ..used("2026-09", "5") };
    let other = priced(&strange(BOOK), other);
    books.preview(&[&october, &other], &["draft.toml"], &[]).says_no(&[
        &format!("run `{}` is of payer account `999999999999`", october.folder()),
        &format!("run `{}` of `888888888888`", other.folder()),
        "hint: give runs of one payer",
    ]);
    books.preview(&[&october], &["draft.toml", "strange.toml"], &[]).says_no(&[
        &format!("run `{}` is of payer account `999999999999`", october.folder()),
        "strange.toml` of `888888888888`",
    ]);
    books
        .preview(&[&october], &["draft.toml", "draft.toml", "draft.toml"], &[])
        .says_no(&["3 books are given", "hint: give one to compare"]);
    let folder = tempfile::tempdir().expect("a folder");
    let none = folder.path().to_str().expect("a path in UTF-8");
    books.preview(&[&october], &["draft.toml"], &["--run", none]).says_no(&["is not a run: it has no"]);
}

/// A book of another payer.
fn strange(book: &str) -> String {
    book.replace("999999999999", "888888888888")
}

#[test]
fn a_month_that_a_book_cannot_price_is_named() {
    let storage = Line::usage("111111111111", "AmazonS3", "TimedStorage", "9").in_period("2026-11");
    let untiered = BOOK.replace("[\"up\", \"tiers\"]", "[\"up\"]");
    let october = priced(&untiered, used("2026-10", "40"));
    let november = priced(&untiered, storage.in_currency("EUR"));
    let books = Books::of(&[("draft.toml", BOOK), ("untiered.toml", &untiered)]);
    books
        .preview(&[&october, &november], &["draft.toml"], &[])
        .says_no(&["error: 2026-11: account `111111111111`", "billed in EUR, but rule `tiers`"]);
    books
        .preview(&[&november], &["draft.toml", "untiered.toml"], &[])
        .says_no(&["draft.toml: account `111111111111`"]);
}
