//! Credits, shared costs, support, commitments to AWS and minimums; every expectation is computed by hand.

mod allocations;
mod fees;
mod guard;
mod mistakes;

use crate::support::{Done, Run, book_of_groups};
use std::collections::BTreeMap;
use testkit::line::PAYER;
use testkit::{Form, Line, WriteOptions, write_month};

const PERIOD: &str = "2026-10";
const ACME: &str = "111111111111";
const ACME_TOO: &str = "222222222222";
const BETA: &str = "333333333333";
/// In no billing group.
const SHARED: &str = "444444444444";

/// Two groups that pay 10 % more than On-Demand: acme with two accounts, beta with one. What follows is added.
fn book(more: &str) -> String {
    book_of_groups(&[("acme", &[ACME, ACME_TOO]), ("beta", &[BETA])], more)
}

/// Acme uses 60 and 10, beta 30: on their bills 77 and 33.
fn usage() -> Vec<Line> {
    vec![
        Line::usage(ACME, "AmazonEC2", "BoxUsage:c5.large", "60"),
        Line::usage(ACME_TOO, "AmazonS3", "Requests-Tier1", "10"),
        Line::usage(BETA, "AmazonEC2", "BoxUsage:c5.large", "30"),
    ]
}

fn run(lines: &[Line], book: &str) -> Run {
    Run::new(PERIOD, book, |cost| {
        write_month(cost, lines, &WriteOptions::new(Form::Cur2Parquet, PERIOD));
    })
}

fn priced(lines: &[Line], book: &str) -> Done {
    run(lines, book).go().succeeded()
}

/// Usage, and more lines.
fn usage_and(more: impl IntoIterator<Item = Line>) -> Vec<Line> {
    usage().into_iter().chain(more).collect()
}

/// What a group is charged in all.
fn total(done: &Done, group: &str) -> String {
    statement(done, group)["statements"][0]["total"].as_str().unwrap_or_default().to_owned()
}

fn statement(done: &Done, group: &str) -> serde_json::Value {
    done.json(&format!("statements/{group}.json"))
}

/// Its custom line items: name, account, product, line item type and amount.
fn items(done: &Done, group: &str) -> Vec<[String; 5]> {
    let statement = statement(done, group);
    let items = statement["statements"][0]["custom_line_items"].as_array().cloned().unwrap_or_default();
    let item = |item: serde_json::Value| {
        ["name", "account_id", "product", "line_item_type", "amount"]
            .map(|field| item[field].as_str().unwrap_or_default().to_owned())
    };
    items.into_iter().map(item).collect()
}

/// What they are described as, by name.
fn descriptions(done: &Done, group: &str) -> BTreeMap<String, String> {
    let statement = statement(done, group);
    let items = statement["statements"][0]["custom_line_items"].as_array().cloned().unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    items.iter().map(|item| (text(&item["name"]), text(&item["description"]))).collect()
}

fn credit(account: &str, service: &str, amount: &str, description: &str) -> Line {
    Line {
        line_item_line_item_description: Some(description.to_owned()),
        ..Line::charge("Credit", account, service, amount)
    }
}

/// A charge of the cost report: its AWS cost, what is charged, and the margin.
fn reported(done: &Done, group: Option<&str>, product: &str) -> [String; 3] {
    let rows = done.json("cost-report.json");
    let row = rows
        .as_array()
        .into_iter()
        .flatten()
        .find(|row| row["billing_group"].as_str() == group && row["product"] == product);
    let text = |field: &str| row.and_then(|row| row[field].as_str()).unwrap_or("-").to_owned();
    [text("aws_cost"), text("pro_forma_cost"), text("margin")]
}

#[test]
fn credits_are_dropped_unless_the_book_keeps_them() {
    let lines = usage_and([
        credit(ACME, "AmazonEC2", "-5", "PROMO-1 for October"),
        credit(ACME, "AmazonS3", "-2", "Courtesy"),
        Line::charge("Refund", BETA, "AmazonEC2", "-3"),
        Line::charge("EdpDiscount", BETA, "AmazonEC2", "-4"),
    ]);
    assert_eq!(
        [total(&priced(&lines, &book("")), "acme"), total(&priced(&lines, &book("")), "beta")],
        ["77", "33"]
    );
    let keeping = book(
        r#"
        [[distributions]]
        name = "credits"
        lines = [{ line_item_types = ["Credit", "Refund"] }]
        treatment = "keep"
        [[distributions]]
        name = "no promotions"
        lines = [{ line_item_types = ["Credit"], descriptions = ["promo-1"] }]
        treatment = "drop"
        [[distributions]]
        name = "discounts"
        lines = [{ line_item_types = ["Discount"] }]
        treatment = "keep"
        "#,
    );
    let done = priced(&lines, &keeping);
    // The courtesy of 2 is passed on; the promotion is not, for a filter that says more goes first.
    assert_eq!([total(&done, "acme"), total(&done, "beta")], ["75", "26"]);
    assert_eq!(reported(&done, Some("acme"), "AmazonS3"), ["8", "9", "1"]);
    let ec2 = reported(&done, Some("beta"), "AmazonEC2");
    assert_eq!(ec2, ["23", "26", "3"]);
}

#[test]
fn kept_tax_and_support_are_cost_of_who_has_them() {
    let lines = usage_and([
        Line::charge("Tax", ACME, "AmazonEC2", "7"),
        Line::charge("Fee", BETA, "AWSSupportBusiness", "11"),
        Line::charge("Tax", SHARED, "AmazonEC2", "1"),
    ]);
    let keeping = book(
        r#"
        [[distributions]]
        name = "tax and support"
        lines = [{ line_item_types = ["Tax"] }, { line_item_types = ["Support"] }]
        treatment = "keep"
        "#,
    );
    let done = priced(&lines, &keeping);
    assert_eq!([total(&done, "acme"), total(&done, "beta")], ["84", "44"]);
    assert_eq!(reported(&done, Some("beta"), "AWSSupportBusiness"), ["11", "11", "0"]);
    let account = &done.json("reconciliation.json")["currencies"]["USD"];
    // The tax of an account in no group is still nobody's.
    assert_eq!(account["groups_total"], "118");
    assert_eq!(account["left_out_of_aws_cost"]["Tax"], "1");
    assert_eq!(account["difference"], "0");
}

#[test]
fn a_percentage_item_is_not_taken_of_what_is_kept() {
    let lines = usage_and([credit(BETA, "AmazonEC2", "-3", "x")]);
    let more = format!(
        r#"
        [[distributions]]
        name = "credits"
        lines = [{{ line_item_types = ["Credit"] }}]
        treatment = "keep"
        [[custom_line_items]]
        name = "fee"
        description = "fee"
        billing_group = "beta"
        type = "FEE"
        percentage_value = 10
        start = "{PERIOD}"
        "#
    );
    // 33 − 3 + 3.3
    assert_eq!(total(&priced(&lines, &book(&more)), "beta"), "33.3");
}

#[test]
fn policies_count_from_their_start_to_their_end() {
    let lines = usage_and([credit(BETA, "AmazonEC2", "-3", "x")]);
    let within = |dates: &str| {
        let more = format!(
            "[[distributions]]\nname = \"credits\"\nlines = [{{ line_item_types = [\"Credit\"] }}]\ntreatment = \"keep\"\n{dates}\n"
        );
        total(&priced(&lines, &book(&more)), "beta")
    };
    assert_eq!(within("start = \"2026-10\"\nend = \"2026-11\""), "30");
    assert_eq!(within("end = \"2026-10\""), "33");
    assert_eq!(within("start = \"2026-11\""), "33");
}

#[test]
fn what_a_run_says_of_policies_preview_explain_diff_and_report_say_too() {
    let lines = usage_and([
        credit(PAYER, "AmazonEC2", "-9", "x"),
        Line::usage(SHARED, "AmazonVPC", "TransitGateway-Hours", "12"),
    ]);
    let more = r#"
        [[distributions]]
        name = "credits"
        lines = [{ line_item_types = ["Credit"] }]
        treatment = "allocate"
        allocation = "credits"
        [[allocations]]
        name = "credits"
        method = "even"
        [[allocations]]
        name = "network"
        description = "Transit gateway"
        source = [{ accounts = ["444444444444"] }]
        method = "proportional_to_cost"
        presentation_service = "AmazonVPC"
        [[minimums]]
        name = "least"
        billing_group = "beta"
        amount = "50"
        "#;
    let done = priced(&lines, &book(more));
    // 77 − 4.5 + 8.4; 33 − 4.5 + 3.6 + 17.9 = 50.
    assert_eq!([total(&done, "acme"), total(&done, "beta")], ["80.9", "50"]);
    let preview = |book_text: &str| {
        let draft = done.out.parent().expect("a folder").join("draft.toml");
        std::fs::write(&draft, book_text).expect("a draft");
        let arguments = [
            "preview",
            "--run",
            done.folder(),
            "--book",
            draft.to_str().expect("a path"),
            "--output",
            "json",
        ];
        crate::support::proforma(&arguments).printed()
    };
    let same = preview(&book(more));
    assert!(same.as_array().expect("rows").iter().all(|row| row["difference"] == "0"), "{same}");
    let without = preview(&book(""));
    assert_eq!(without[0]["after"], "77");
    let explained = crate::support::proforma(&[
        "explain",
        "--run",
        done.folder(),
        "--group",
        "acme",
        "--product",
        "AmazonVPC",
        "--output",
        "json",
    ]);
    let explained = explained.printed();
    assert_eq!(explained[0]["custom_line_items"][0]["amount"], "8.4");
    let charge = explained[0]["custom_line_items"][0]["charge"].as_str().unwrap_or_default().to_owned();
    assert_eq!(charge, "allocation `network`: Transit gateway: 70 % of 12 USD, a fee");
    let report =
        crate::support::proforma(&["report", "--run", done.folder(), "--by", "group", "--output", "json"]);
    let report = report.printed().to_string();
    assert!(report.contains("80.9") && report.contains("50"), "{report}");
    let other = priced(&lines, &book(""));
    let diff = crate::support::proforma(&["diff", done.folder(), other.folder(), "--output", "json"])
        .printed()
        .to_string();
    assert!(diff.contains("custom line item `network` removed"), "{diff}");
    assert!(diff.contains("custom line item `least` removed"), "{diff}");
}
