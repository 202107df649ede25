//! What a run writes and prints: its shape, its sums, and what a customer must never see.

use crate::reports::{Costs, files, list, number, number_or_zero, statement_lines, text};
use crate::support::{Done, Run};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use testkit::book::BookOptions;
use testkit::oracle::Exact;
use testkit::{Form, Line, MonthOptions, SampleBook, SampleMonth, WriteOptions, write_month};

const PERIOD: &str = "2026-10";

fn run(book: &str, lines: &[Line]) -> Run {
    Run::new(PERIOD, book, |cost| drop(write_month(cost, lines, &WriteOptions::new(Form::Cur2Csv, PERIOD))))
}

fn csv_rows(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headers = reader.headers().expect("a header").clone();
    let row = |record: csv::StringRecord| {
        headers.iter().zip(record.iter()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    reader.records().map(|record| row(record.expect("a record"))).collect()
}

fn csv_file(done: &Done, name: &str) -> Vec<BTreeMap<String, String>> {
    csv_rows(&std::fs::read_to_string(done.out.join(name)).expect("a CSV file"))
}

fn header(done: &Done, name: &str) -> String {
    let text = std::fs::read_to_string(done.out.join(name)).expect("a CSV file");
    text.lines().next().unwrap_or_default().to_owned()
}

#[track_caller]
fn assert_keys(value: &Value, keys: &[&str]) {
    let found: BTreeSet<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(found, keys.iter().copied().collect(), "{value:#}");
}

/// Two customers, an account of nobody, and a stranger whose Savings Plan covers usage of the first.
const BOOK: &str = r#"
payer_account_id = "999999999999"
currency = "USD"

[[accounts]]
id = "111111111111"
name = "acme-prod"

[[pricing_rules]]
name = "secret-markup"
scope = "GLOBAL"
type = "MARKUP"
modifier_percentage = 10

[[pricing_plans]]
name = "hidden-plan"
pricing_rules = ["secret-markup"]

[[billing_groups]]
name = "acme"
primary_account_id = "111111111111"
accounts = ["111111111111", "222222222222"]
pricing_plan = "hidden-plan"

[[billing_groups]]
name = "rival"
primary_account_id = "333333333333"
accounts = ["333333333333"]
pricing_plan = "BasicPricingPlan"

[[billing_groups]]
name = "idle"
primary_account_id = "777777777777"
accounts = ["777777777777"]
pricing_plan = "hidden-plan"

[[custom_line_items]]
name = "support"
description = "Our support"
billing_group = "acme"
type = "FEE"
flat_charge_value = "12.50"
start = "2026-10"

[[custom_line_items]]
name = "thanks"
description = "For your loyalty"
billing_group = "acme"
type = "CREDIT"
percentage_value = 5
presentation_service = "AmazonEC2"
account_id = "222222222222"
start = "2026-10"
"#;

/// Amounts that only the operator may see; no sum of others gives them.
const SECRET_AMOUNTS: [&str; 6] =
    ["31.4159265358", "27.1828182845", "14.1421356237", "17.3205080756", "22.3606797749", "26.4575131106"];

fn lines() -> Vec<Line> {
    let usage = |account: &str, cost: &str, public: &str| {
        let line = Line::usage(account, "AmazonEC2", "BoxUsage:m5.large", cost).of_operation("RunInstances");
        Line { product_name: Some("Amazon Elastic Compute Cloud".to_owned()), ..line }.at_public_cost(public)
    };
    vec![
        usage("111111111111", SECRET_AMOUNTS[0], "100"),
        usage("222222222222", "50", "50").netting(SECRET_AMOUNTS[1]),
        usage("333333333333", SECRET_AMOUNTS[2], SECRET_AMOUNTS[2]),
        usage("444444444444", SECRET_AMOUNTS[3], "99"),
        Line::charge("Credit", "111111111111", "AmazonEC2", &format!("-{}", SECRET_AMOUNTS[4])),
        Line::charge("Tax", "111111111111", "AmazonEC2", SECRET_AMOUNTS[5]),
        Line::covered_usage("111111111111", "555555555555", "AmazonEC2", "BoxUsage:c5.large", "30"),
        Line::negation("111111111111", "555555555555", "AmazonEC2", "BoxUsage:c5.large", "30"),
        Line::charge("SavingsPlanRecurringFee", "555555555555", "ComputeSavingsPlans", "21")
            .of_savings_plan("555555555555"),
    ]
}

#[test]
fn the_cost_report_has_a_row_per_group_or_account_and_product() {
    let done = run(BOOK, &lines()).go().succeeded();
    let columns = [
        "billing_group",
        "account_id",
        "product",
        "product_name",
        "aws_cost",
        "pro_forma_cost",
        "margin",
        "margin_percentage",
        "currency",
    ];
    assert_eq!(header(&done, "cost-report.csv"), columns.join(","));
    let report = done.json("cost-report.json");
    let csv = csv_file(&done, "cost-report.csv");
    assert_eq!(list(&report).len(), csv.len());
    for (row, record) in list(&report).iter().zip(&csv) {
        assert_keys(row, &columns);
        for column in columns {
            assert_eq!(row[column].as_str().unwrap_or_default(), record[column], "{column} of {row}");
        }
    }
    let shown: Vec<String> = (list(&report).iter())
        .map(|row| columns.map(|column| row[column].as_str().unwrap_or("-")).join(" | "))
        .collect();
    let ec2 = "AmazonEC2 | Amazon Elastic Compute Cloud";
    assert_eq!(
        shown,
        [
            "acme | - | AWSBillingConductor | AWS Billing Conductor | 0 | 12.5 | 12.5 | 100 | USD".to_owned(),
            // 110 + 55 + 33 and a credit of 5 %, beside what AWS charges: net costs, credit and negation.
            format!("acme | - | {ec2} | 36.2380650454 | 188.1 | 151.8619349546 | 80.7347 | USD"),
            format!("rival | - | {ec2} | 14.1421356237 | 14.1421356237 | 0 | 0 | USD"),
            format!("- | 444444444444 | {ec2} | 17.3205080756 | - | - | - | USD"),
            "- | 555555555555 | ComputeSavingsPlans | - | 21 | - | - | - | USD".to_owned(),
        ]
    );
}

#[test]
fn a_statement_has_totals_and_services() {
    let done = run(BOOK, &lines()).go().succeeded();
    let file = done.json("statements/acme.json");
    assert_keys(&file, &["billing_group", "period", "statements"]);
    assert_eq!((text(&file["billing_group"]), text(&file["period"])), ("acme", PERIOD));
    let statement = done.statement("acme", "USD");
    assert_keys(
        &statement,
        &[
            "currency",
            "total",
            "services_total",
            "custom_line_items_total",
            "services",
            "accounts",
            "custom_line_items",
        ],
    );
    let totals = ["total", "services_total", "custom_line_items_total"].map(|name| text(&statement[name]));
    // The credit takes 5 % of 198: custom line items are no part of its base.
    assert_eq!(totals, ["200.6", "198", "2.6"]);
    for service in list(&statement["services"]) {
        assert_keys(service, &["product", "product_name", "amount", "usage_types"]);
    }
    let line_columns = [
        "account_id",
        "usage_type",
        "operation",
        "region",
        "line_item_type",
        "usage_amount",
        "pricing_unit",
        "amount",
    ];
    let shown: Vec<String> = (statement_lines(&statement).into_iter())
        .map(|(product, line)| {
            assert_keys(line, &line_columns);
            format!("{product} {}", line_columns.map(|column| line[column].as_str().unwrap_or("-")).join("|"))
        })
        .collect();
    // Usage that a stranger's plan covers is usage like any other.
    assert_eq!(
        shown,
        [
            "AmazonEC2 111111111111|BoxUsage:c5.large|||Usage|1|Hrs|33",
            "AmazonEC2 111111111111|BoxUsage:m5.large|RunInstances||Usage|1|Hrs|110",
            "AmazonEC2 222222222222|BoxUsage:m5.large|RunInstances||Usage|1|Hrs|55",
        ]
    );
}

#[test]
fn a_statement_has_accounts_and_custom_line_items_beside_its_services() {
    let done = run(BOOK, &lines()).go().succeeded();
    let statement = done.statement("acme", "USD");
    let accounts = list(&statement["accounts"]).iter().map(|account| {
        assert_keys(account, &["account_id", "account_name", "amount"]);
        ["account_id", "account_name", "amount"]
            .map(|column| account[column].as_str().unwrap_or("-"))
            .join(" ")
    });
    assert_eq!(accounts.collect::<Vec<_>>(), ["111111111111 acme-prod 155.5", "222222222222 - 45.1"]);
    let item_columns = ["name", "description", "line_item_type", "account_id", "product", "amount"];
    let items = list(&statement["custom_line_items"]).iter().map(|item| {
        assert_keys(item, &item_columns);
        item_columns.map(|column| text(&item[column])).join("|")
    });
    assert_eq!(
        items.collect::<Vec<_>>(),
        [
            "support|Our support|Fee|111111111111|AWSBillingConductor|12.5",
            "thanks|For your loyalty|Proforma_Credit|222222222222|AmazonEC2|-9.9",
        ]
    );
    assert_eq!(
        header(&done, "statements/acme.csv"),
        "kind,account_id,account_name,product,product_name,line_item_type,usage_type,operation,region,name,description,\
         usage_amount,pricing_unit,amount,currency"
    );
    let kinds: Vec<String> =
        csv_file(&done, "statements/acme.csv").into_iter().map(|row| row["kind"].clone()).collect();
    assert_eq!(kinds, ["line", "line", "line", "custom line item", "custom line item"]);
}

#[test]
fn a_customer_sees_no_cost_no_margin_and_nobody_else_in_any_byte() {
    let done = run(BOOK, &lines()).go().succeeded();
    let others = ["rival", "333333333333", "444444444444", "555555555555", "777777777777", "999999999999"];
    let words =
        ["arn:", "margin", "aws_cost", "secret-markup", "hidden-plan", "savingsplan", "Credit for", "Tax"];
    for name in ["statements/acme.json", "statements/acme.csv"] {
        let bytes = std::fs::read_to_string(done.out.join(name)).expect("a statement");
        for secret in SECRET_AMOUNTS.iter().chain(&others).chain(&words) {
            assert!(!bytes.contains(secret), "{name} shows `{secret}`");
        }
        assert!(bytes.contains("188.1") || bytes.contains("110"), "{name} shows the charges");
    }
    // The operator's files do show them, so the search above can find what it looks for.
    let report = std::fs::read_to_string(done.out.join("cost-report.json")).expect("a report");
    let reconciliation = std::fs::read_to_string(done.out.join("reconciliation.json")).expect("a file");
    for shown in [SECRET_AMOUNTS[2], SECRET_AMOUNTS[3], "rival", "444444444444", "margin"] {
        assert!(report.contains(shown), "{shown}");
    }
    assert!(reconciliation.contains(SECRET_AMOUNTS[5]) && reconciliation.contains("999999999999"));
}

#[test]
fn a_statement_does_not_depend_on_what_others_use() {
    let statement = |lines: &[Line]| {
        let done = run(BOOK, lines).go().succeeded();
        let bills = files(&done.out).into_iter().filter(|(name, _)| name.starts_with("statements/acme."));
        bills.collect::<Vec<_>>()
    };
    let base = statement(&lines());
    assert_eq!(base.len(), 2);
    let is_of_acme = |line: &Line| {
        matches!(line.line_item_usage_account_id.as_deref(), Some("111111111111" | "222222222222"))
    };
    let mut others = lines();
    for line in others.iter_mut().filter(|line| !is_of_acme(line)) {
        *line = line.clone().amounting("4711.0815").at_public_cost("9000");
    }
    others.extend((0..5).map(|_| Line::usage("333333333333", "AmazonS3", "Requests-Tier1", "3")));
    assert!(statement(&others) == base, "other accounts' costs change a statement");
    let alone: Vec<Line> = lines().into_iter().filter(is_of_acme).collect();
    assert!(statement(&alone) == base, "other accounts' lines change a statement");
}

#[test]
fn the_reconciliation_names_what_was_read() {
    let run = run(BOOK, &lines());
    let done = run.go().succeeded();
    let file = done.json("reconciliation.json");
    assert_keys(
        &file,
        &[
            "period",
            "accounts_without_lines",
            "payer_account_id",
            "program_version",
            "run_format",
            "snapshot",
            "book",
            "cost_cube",
            "price_list",
            "commitments",
            "cost_cube_daily",
            "cost_report",
            "reading",
            "currencies",
            "statements",
            "lines",
            "numbers",
            "zero_rate_classes",
            "tiered_classes_on_unblended_cost",
            "tiered_classes_on_public_cost",
            "unknown_line_item_types",
            "other_providers",
            "rules_without_lines",
            "auto_associated_accounts",
            "files",
            "files_passed_by",
            "statements",
            "warnings",
        ],
    );
    assert_eq!((text(&file["period"]), text(&file["payer_account_id"])), (PERIOD, "999999999999"));
    assert_eq!(text(&file["program_version"]), env!("CARGO_PKG_VERSION"));
    for hash in ["snapshot", "book", "cost_cube", "cost_cube_daily", "cost_report", "reading"] {
        let digits = text(&file[hash]).strip_prefix("sha256:").expect("the kind of hash");
        assert!(digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{digits}");
    }
    let [read] = list(&file["files"]) else { panic!("not one file: {file:#}") };
    assert_keys(read, &["name", "sha256", "bytes", "format", "because"]);
    let bytes =
        std::fs::read(run.folder.path().join("cost").join(text(&read["name"]))).expect("the cost file");
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((text(&read["sha256"]), read["bytes"].as_u64()), (digest.as_str(), Some(bytes.len() as u64)));
    assert_keys(
        &file["currencies"]["USD"],
        &[
            "cost_files_total",
            "groups_total",
            "ungrouped_total",
            "left_out_of_aws_cost",
            "difference",
            "dropped_from_pro_forma",
            "pro_forma_total",
            "fallen_back_total",
            "cost_files_unblended_total",
        ],
    );
    for statement in list(&file["statements"]) {
        assert_keys(statement, &["billing_group", "total", "currency"]);
    }
    let total = |statement: &Value| {
        [&statement["billing_group"], &statement["total"]].map(|value| text(value).to_owned())
    };
    let totals: Vec<_> = list(&file["statements"]).iter().map(total).collect();
    assert_eq!(totals, [["acme", "200.6"], ["rival", "14.1421356237"], ["idle", "0"]]);
}

/// The groups as they are printed, by format.
fn printed(done: &Done, format: &str) -> Vec<[String; 6]> {
    let columns = ["billing_group", "aws_cost", "pro_forma_cost", "margin", "margin_percentage", "currency"];
    match format {
        "json" => {
            let rows: Value = serde_json::from_str(&done.stdout).expect("JSON and nothing else");
            let row = |row: &Value| {
                assert_keys(row, &columns);
                columns.map(|column| row[column].as_str().unwrap_or_default().to_owned())
            };
            list(&rows).iter().map(row).collect()
        }
        "csv" => {
            assert_eq!(done.stdout.lines().next(), Some(columns.join(",").as_str()));
            csv_rows(&done.stdout).iter().map(|row| columns.map(|column| row[column].clone())).collect()
        }
        _ => panic!("`{format}` has no rows"),
    }
}

#[test]
fn the_groups_are_printed_as_json_csv_and_a_table() {
    let run = |format: &str| run(BOOK, &lines()).with(&["--output", format]).go().succeeded();
    let expected = [
        ["acme", "36.2380650454", "200.6", "164.3619349546", "81.9352", "USD"],
        ["rival", "14.1421356237", "14.1421356237", "0", "0", "USD"],
        ["idle", "0", "0", "0", "0", "USD"],
        ["", "38.3205080756", "", "", "", "USD"],
    ];
    assert_eq!(printed(&run("json"), "json"), expected);
    assert_eq!(printed(&run("csv"), "csv"), expected);
    let table = run("table");
    let cells: Vec<String> =
        table.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let shown: Vec<&String> = cells.iter().filter(|line| line.contains("USD")).collect();
    assert_eq!(
        shown,
        [
            "acme 36.2380650454 200.6 164.3619349546 81.9352 USD",
            "rival 14.1421356237 14.1421356237 0 0 USD",
            "idle 0 0 0 0 USD",
            "(no billing group) 38.3205080756 USD",
        ]
    );
    assert!(cells.contains(&"billing group AWS cost pro forma margin margin % currency".to_owned()));
    // Messages go to the other stream, whatever is printed.
    assert!(table.stderr.contains("read 9 lines\n"), "{}", table.stderr);
    assert!(!table.stdout.contains("read 9 lines"));
}

#[test]
fn a_group_without_lines_has_a_statement_of_nothing() {
    let done = run(BOOK, &lines()).go().succeeded();
    let statement = done.statement("idle", "USD");
    assert_eq!(text(&statement["total"]), "0");
    for name in ["services", "accounts", "custom_line_items"] {
        assert!(list(&statement[name]).is_empty(), "{name}");
    }
    assert_eq!(list(&done.json("statements/idle.json")["statements"]).len(), 1);
    assert!(csv_file(&done, "statements/idle.csv").is_empty());
}

#[test]
fn what_costs_more_than_it_brings_has_a_negative_margin() {
    let book = BOOK.replace("\"MARKUP\"", "\"DISCOUNT\"").replace("= 10\n", "= 75\n");
    let lines = [Line::usage("111111111111", "AmazonS3", "storage", "100")];
    let without_items = &book[..book.find("[[custom_line_items]]").expect("items")];
    let done = run(without_items, &lines).with(&["--output", "csv"]).go().succeeded();
    assert_eq!(printed(&done, "csv")[0], ["acme", "100", "25", "-75", "-300", "USD"]);
    let report = done.json("cost-report.json");
    let row = &list(&report)[0];
    assert_eq!((text(&row["margin"]), text(&row["margin_percentage"])), ("-75", "-300"));
}

#[test]
fn each_currency_has_a_statement_of_its_own() {
    let mut lines = lines();
    lines.push(Line::usage("222222222222", "AmazonEC2", "BoxUsage:m5.large", "7").in_currency("EUR"));
    lines.push(Line::usage("444444444444", "AmazonEC2", "BoxUsage:m5.large", "3").in_currency("EUR"));
    let done = run(BOOK, &lines).with(&["--output", "json"]).go().succeeded();
    let file = done.json("statements/acme.json");
    let shown: Vec<(&str, &str)> = (list(&file["statements"]).iter())
        .map(|statement| (text(&statement["currency"]), text(&statement["total"])))
        .collect();
    // The percentage item charges in each; the flat one in the book's alone.
    assert_eq!(shown, [("EUR", "7.315"), ("USD", "200.6")]);
    let rows = printed(&done, "json");
    let of = |group: &str| {
        rows.iter().filter(|row| row[0] == group).map(|row| row[5].as_str()).collect::<Vec<_>>()
    };
    assert_eq!((of("acme"), of("rival"), of("")), (vec!["EUR", "USD"], vec!["USD"], vec!["EUR", "USD"]));
    let currencies = &done.json("reconciliation.json")["currencies"];
    assert_eq!(text(&currencies["EUR"]["groups_total"]), "7");
    assert_eq!(text(&currencies["EUR"]["ungrouped_total"]), "3");
}

#[test]
fn any_group_name_makes_a_file_in_the_statements_folder() {
    let names =
        ["../../etc/passwd", ".hidden", "Größe & Söhne", "a/b", "a%2Fb", "con", "x,y;\"z\"", "=1+1", "日本"];
    let mut book = "payer_account_id = \"999999999999\"\n".to_owned();
    for (number, name) in names.iter().enumerate() {
        let (name, account) = (Value::from(*name), format!("{:012}", number + 1));
        book.push_str(&format!(
            "[[billing_groups]]\nname = {name}\nprimary_account_id = \"{account}\"\naccounts = [\"{account}\"]\n\
             pricing_plan = \"BasicPricingPlan\"\n"
        ));
    }
    let lines: Vec<Line> =
        (1..=names.len()).map(|number| Line::usage(&format!("{number:012}"), "AmazonS3", "u", "1")).collect();
    let done = run(&book, &lines).go().succeeded();
    let mut found = BTreeSet::new();
    for (file, bytes) in files(&done.out.join("statements")) {
        assert!(!file.starts_with('.') && !file.contains([' ', '/', '\\']), "{file}");
        if file.ends_with(".json") {
            let content: Value = serde_json::from_slice(&bytes).expect("JSON");
            found.insert(text(&content["billing_group"]).to_owned());
        }
    }
    assert_eq!(found, names.iter().map(ToString::to_string).collect());
    assert_eq!(files(&done.out.join("statements")).len(), 2 * names.len());
}

/// An empty text and none are one thing to a customer: two rows of the files, one row of the statement.
#[test]
fn an_empty_operation_and_none_are_one_line() {
    let line = || Line::usage("111111111111", "AmazonS3", "storage", "10");
    let lines = [line(), line().of_operation("")];
    let done = Run::new(PERIOD, BOOK, |cost| {
        drop(write_month(cost, &lines, &WriteOptions::new(Form::Cur2Parquet, PERIOD)));
    });
    let statement = done.go().succeeded().statement("acme", "USD");
    let [(_, line)] = statement_lines(&statement)[..] else { panic!("{statement:#}") };
    assert_eq!((text(&line["amount"]), text(&line["usage_amount"])), ("22", "2"));
}

/// Sums of everything that is shown, over made-up months with all kinds of charges, in one or two currencies.
#[test]
fn every_surface_shows_the_same_sums() {
    for (seed, currencies) in [(1, &["USD"][..]), (2, &["USD", "EUR"]), (3, &["USD"]), (4, &["EUR", "USD"])] {
        let options = MonthOptions {
            seed,
            lines: 300,
            net_columns: seed % 2 == 0,
            currencies: currencies.iter().map(ToString::to_string).collect(),
            ..MonthOptions::default()
        };
        let month = SampleMonth::generate(&options);
        let book = BookOptions { seed, custom_tiers: currencies.len() == 1, ..BookOptions::default() };
        let book = SampleBook::generate(&book, &month).to_toml();
        let formats = ["json", "csv", "table"]
            .map(|format| run(&book, &month.lines).with(&["--output", format]).go().succeeded());
        assert_eq!(printed(&formats[0], "json"), printed(&formats[1], "csv"));
        let done = &formats[0];
        let totals = done.group_totals();
        let mut pro_forma: BTreeMap<String, Exact> = BTreeMap::new();
        for row in printed(done, "json").iter().filter(|row| !row[0].is_empty()) {
            let total = totals.get(&(row[0].clone(), row[5].clone())).cloned().unwrap_or_default();
            check_printed(row, &total, &formats[2].stdout);
            *pro_forma.entry(row[5].clone()).or_default() += &total.pro_forma_cost;
            check_statement(done, &row[0], &row[5], &total);
        }
        for (currency, total) in pro_forma {
            let found = &done.json("reconciliation.json")["currencies"][&currency]["pro_forma_total"];
            assert_eq!(number(found), total, "{currency}");
        }
    }
}

fn check_printed(row: &[String; 6], total: &Costs, table: &str) {
    let [group, aws_cost, pro_forma_cost, margin, _, currency] = row;
    assert_eq!(Exact::of(aws_cost), total.aws_cost, "{group} {currency}");
    assert_eq!(Exact::of(pro_forma_cost), total.pro_forma_cost, "{group} {currency}");
    assert_eq!(Exact::of(margin), total.margin, "{group} {currency}");
    let is_it = |line: &&str| line.split_whitespace().eq(row.iter().map(String::as_str));
    assert_eq!(table.lines().filter(is_it).count(), 1, "{row:?} in:\n{table}");
}

/// Lines, services, accounts and items of a statement, in JSON and CSV, are its total.
fn check_statement(done: &Done, group: &str, currency: &str, total: &Costs) {
    let statement = done.statement(group, currency);
    let sum =
        |amounts: &mut dyn Iterator<Item = Exact>| amounts.fold(Exact::default(), |sum, more| sum + &more);
    let sum_of = |name: &str| sum(&mut list(&statement[name]).iter().map(|entry| number(&entry["amount"])));
    assert_eq!(number(&statement["total"]), total.pro_forma_cost, "{group} {currency}");
    assert_eq!(sum_of("accounts"), total.pro_forma_cost, "{group} {currency}");
    assert_eq!(sum_of("services"), number(&statement["services_total"]), "{group} {currency}");
    assert_eq!(sum_of("custom_line_items"), number(&statement["custom_line_items_total"]), "{group}");
    assert_eq!(sum_of("services") + &sum_of("custom_line_items"), total.pro_forma_cost, "{group} {currency}");
    for service in list(&statement["services"]) {
        let lines = sum(&mut list(&service["usage_types"]).iter().map(|line| number(&line["amount"])));
        assert_eq!(lines, number(&service["amount"]), "{group} {service}");
        list(&service["usage_types"]).iter().for_each(|line| drop(number_or_zero(&line["usage_amount"])));
    }
    let rows = csv_file(done, &format!("statements/{group}.csv"));
    let of_currency = || rows.iter().filter(|row| row["currency"] == currency);
    assert_eq!(sum(&mut of_currency().map(|row| Exact::of(&row["amount"]))), total.pro_forma_cost, "{group}");
    let lines = statement_lines(&statement).len() + list(&statement["custom_line_items"]).len();
    assert_eq!(of_currency().count(), lines, "{group} {currency}");
}

#[test]
fn nobody_listening_does_not_undo_a_run() {
    let run = run(BOOK, &lines());
    let mut command = run.command();
    let mut child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("a start");
    drop((child.stdout.take(), child.stderr.take()));
    assert!(child.wait().expect("an end").success());
    assert!(run.folder.path().join("out/reconciliation.json").is_file());
}

#[test]
fn a_percentage_may_be_larger_than_any_amount() {
    let line = Line::usage("111111111111", "AmazonS3", "u", "20000").at_public_cost("0.0000000001");
    let book = "payer_account_id = \"999999999999\"\n[[billing_groups]]\nname = \"acme\"\n\
                primary_account_id = \"111111111111\"\naccounts = [\"111111111111\"]\npricing_plan = \"BasicPricingPlan\"\n";
    let rows = run(book, &[line]).go().succeeded().json("cost-report.json");
    assert_eq!(text(&rows[0]["margin_percentage"]), "-19999999999999900");
}
