//! Mistakes in the book: each at its line and column, all at once, with the way out. What only AWS would refuse is a warning.

mod mistakes;

use crate::support::{Done, Run};
use std::fs;
use std::path::Path;
use testkit::{Form, Line, WriteOptions, write_month};

const PERIOD: &str = "2026-10";

/// A book with an entry in every table; cases change one place of it.
pub const BOOK: &str = r#"payer_account_id = "999999999999"
currency = "USD"

[[accounts]]
id = "111111111111"
name = "acme-prod"

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
custom_tiers = [
  { begin_range_inclusive = 0, end_range_exclusive = 100, rate_value = 0.02 },
  { begin_range_inclusive = 100, rate_value = 0.01 },
]

[[pricing_plans]]
name = "gold"
pricing_rules = ["up", "tiers"]

[[billing_groups]]
name = "acme"
primary_account_id = "111111111111"
accounts = ["111111111111", "222222222222"]
pricing_plan = "gold"

[[billing_groups]]
name = "beta"
primary_account_id = "333333333333"
accounts = ["333333333333"]
pricing_plan = "BasicPricingPlan"
auto_associate = true

[[custom_line_items]]
name = "flat"
description = "flat"
billing_group = "acme"
type = "FEE"
flat_charge_value = 10
start = "2026-10"

[[custom_line_items]]
name = "share"
description = "share"
billing_group = "acme"
type = "CREDIT"
percentage_value = 5
associated_values = ["billing_group", "flat"]
start = "2026-01"
end = "2027-01"

[sharing]
commitments = "members"
"#;

/// Runs a month of one line under a book.
fn run(book: &str) -> Done {
    Run::new(PERIOD, book, |cost| {
        let lines = [Line::usage("111111111111", "AmazonEC2", "BoxUsage:t3.micro", "1")];
        write_month(cost, &lines, &WriteOptions::new(Form::Cur2Csv, PERIOD));
    })
    .go()
}

/// The messages of a refused book, without the folder that the book is in.
#[track_caller]
pub fn refused(book: &str) -> String {
    let done = run(book).refused(&[]);
    let folder = done.out.parent().expect("a folder").display().to_string();
    done.stderr.replace(&format!("{folder}/"), "")
}

fn warnings(book: &str) -> Vec<String> {
    let done = run(book).succeeded();
    let folder = done.out.parent().expect("a folder").display().to_string();
    let text = done.stderr.replace(&format!("{folder}/"), "");
    text.lines().filter_map(|line| line.strip_prefix("warning: book.")).map(str::to_owned).collect()
}

#[test]
fn the_book_of_the_cases_is_sound() {
    assert_eq!(warnings(BOOK), Vec::<String>::new());
}

const TEN_MISTAKES: &str = r#"payer_account_id = 999999999999
curency = "USD"

[[pricing_rules]]
name = "up"
scope = "GLOBEL"
type = "MARKUP"
modifier_percentage = "10 %"

[[pricing_rules]]
name = "off"
scope = "SERVICE"
service = "AmazonEC2"
type = "DISCOUNT"
modifier_percentage = 120

[[pricing_plans]]
name = "gold"
pricing_rules = ["up", "of"]

[[billing_groups]]
name = "acme"
primary_account_id = "111111111111"
accounts = ["111111111111", "222222222222"]
pricing_plan = "gold"

[[billing_groups]]
name = "beta"
primary_account_id = "222222222222"
accounts = ["222222222222"]
pricing_plan = "glod"

[[custom_line_items]]
name = "fee"
billing_group = "acme"
type = "FEE"
flat_charge_value = 10.12345678901
start = "2026-13"
end = "2026-10"

[sharing]
commitments = "pro-rata"
"#;

#[test]
fn all_mistakes_of_a_book_are_told_at_once_in_the_order_of_the_file() {
    assert_eq!(
        refused(TEN_MISTAKES),
        r#"error: book.toml:1:20: `payer_account_id`: is a number, expected text in quotes
error: book.toml:2:1: `curency`: is not a field here; expected one of payer_account_id, currency, accounts, pricing_rules, pricing_plans, responsibility_transfers, billing_groups, custom_line_items, sharing, distributions, allocations, support_fees, payer_commitments, minimums, exports, reports
error: book.toml:6:9: pricing_rules `up`: `scope`: `GLOBEL` is not a scope; use GLOBAL, SERVICE, BILLING_ENTITY or SKU
error: book.toml:8:23: pricing_rules `up`: `modifier_percentage`: `10 %` is not a decimal number like 12.5
error: book.toml:15:23: pricing_rules `off`: `modifier_percentage`: a discount of 120 % is more than all; at most 100
error: book.toml:19:24: pricing_plans `gold`: `pricing_rules`: there is no pricing rule `of`; did you mean `off`?
error: book.toml:30:13: billing_groups `beta`: `accounts`: billing group `acme` already owns account `222222222222`; remove it there first
error: book.toml:31:16: billing_groups `beta`: `pricing_plan`: there is no pricing plan `glod`; did you mean `gold`?
error: book.toml:33:1: custom_line_items `fee`: `description`: is missing
error: book.toml:37:21: custom_line_items `fee`: `flat_charge_value`: `10.12345678901` has more than 10 decimals
error: book.toml:38:9: custom_line_items `fee`: `start`: `2026-13` is not a billing period; write it as YYYY-MM, for example 2026-10
error: book.toml:42:15: sharing: `commitments`: `pro-rata` is not a sharing policy; use `members`, `real`, `pro_rata` or `keep`
nothing was written
"#
    );
}

#[test]
fn a_json_book_is_told_alike() {
    let book = r#"{
  "payer_account_id": "999999999999",
  "pricing_rules": [
    { "name": "up", "scope": "GLOBAL", "type": "MARKUP", "modifier_percentage": 1e1 },
    { "name": "free", "scope": "GLOBAL", "type": "TIERING", "free_tier_activated": false }
  ],
  "pricing_plans": [{ "name": "gold", "pricing_rules": ["up", "fee"], "note": "" }],
  "billing_groups": [
    { "name": "größe", "primary_account_id": "111111111111", "accounts": ["222222222222"], "pricing_plan": "gold" }
  ],
  "sharing": { "commitments": "pro-rata" }
}"#;
    assert_eq!(
        refused(book),
        r#"error: book.json:4:81: pricing_rules `up`: `modifier_percentage`: `1e1` is not a decimal number like 12.5
error: book.json:7:63: pricing_plans `gold`: `pricing_rules`: there is no pricing rule `fee`; did you mean `free`?
error: book.json:7:71: pricing_plans `gold`: `note`: is not a field here; expected one of name, pricing_rules
error: book.json:9:46: billing_groups `größe`: `primary_account_id`: the primary account `111111111111` must be among `accounts`
error: book.json:11:31: sharing: `commitments`: `pro-rata` is not a sharing policy; use `members`, `real`, `pro_rata` or `keep`
nothing was written
"#
    );
}

#[test]
fn the_example_book_is_accepted() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/example-book.toml");
    let book = fs::read_to_string(path).expect("the example book");
    assert!(book.contains("free_tier_activated = false"));
    assert_eq!(warnings(&book), Vec::<String>::new());
}

#[test]
fn what_aws_would_refuse_is_a_warning() {
    let change = |from: &str, to: &str| {
        assert!(BOOK.contains(from), "{from}");
        warnings(&BOOK.replace(from, to))
    };
    assert_eq!(
        change("flat_charge_value = 10", "flat_charge_value = 1000000.01"),
        ["toml:47:21: custom_line_items `flat`: `flat_charge_value`: AWS allows at most 1,000,000"]
    );
    assert_eq!(
        change("percentage_value = 5", "percentage_value = 10000.01"),
        ["toml:55:20: custom_line_items `share`: `percentage_value`: AWS allows at most 10,000 %"]
    );
    assert_eq!(
        change("\"333333333333\"", "\"3333\""),
        [
            "toml:37:22: billing_groups `beta`: `primary_account_id`: account id `3333` does not have AWS's twelve digits",
            "toml:38:13: billing_groups `beta`: `accounts`: account id `3333` does not have AWS's twelve digits",
        ]
    );
    let many = |count: usize, name: &str| {
        (0..count).map(|number| format!("\"{name}{number:04}\"")).collect::<Vec<_>>().join(", ")
    };
    let accounts = change("\"222222222222\"]", &format!("{}]", many(1_000, "22222222")));
    assert_eq!(
        accounts,
        [
            "toml:32:12: billing_groups `acme`: `accounts`: AWS allows at most 1,000 accounts in a billing group"
        ]
    );
    assert_eq!(change("flat_charge_value = 10", "flat_charge_value = 1000000"), Vec::<String>::new());
}

#[test]
fn quotas_of_items_and_rules_are_warnings() {
    let item = |number: usize, more: &str| {
        format!(
            "[[custom_line_items]]\nname = \"i{number}\"\ndescription = \"i\"\nbilling_group = \"acme\"\ntype = \"FEE\"\n\
             start = \"2026-10\"\n{more}\n\n"
        )
    };
    let with = |count: usize, more: &str| {
        let items: String = (0..count).map(|number| item(number, more)).collect();
        warnings(&BOOK.replace("[sharing]", &format!("{items}[sharing]")))
    };
    let filter = "percentage_value = 1\nline_item_filters = [{ attribute = \"SERVICE\", match_option = \"EQUAL\", attribute_values = [\"AmazonS3\"] }]";
    assert_eq!(with(10, filter), Vec::<String>::new());
    assert_eq!(
        with(11, filter),
        [
            "toml:30:8: billing_groups `acme`: `name`: AWS allows at most 10 custom line items with filters in a billing group"
        ]
    );
    let itemized = "percentage_value = 1\ncomputation_rule = \"ITEMIZED\"";
    assert_eq!(with(5, itemized), Vec::<String>::new());
    assert_eq!(
        with(6, itemized),
        [
            "toml:30:8: billing_groups `acme`: `name`: AWS allows at most 5 itemized custom line items in a billing group"
        ]
    );
    let names: Vec<String> = (0..101).map(|number| format!("\"i{number}\"")).collect();
    let flats: String = (0..101).map(|number| item(number, "flat_charge_value = 1")).collect();
    let book = BOOK.replace("[\"billing_group\", \"flat\"]", &format!("[{}]", names.join(", ")));
    assert_eq!(
        warnings(&book.replace("[sharing]", &format!("{flats}[sharing]"))),
        [
            "toml:56:21: custom_line_items `share`: `associated_values`: AWS allows at most 100 associated values"
        ]
    );
    let rules: String = (0..501)
        .map(|number| {
            format!(
                "[[pricing_rules]]\nname = \"r{number}\"\nscope = \"SERVICE\"\nservice = \"S{number}\"\ntype = \"MARKUP\"\n\
                 modifier_percentage = 1\n\n"
            )
        })
        .collect();
    let names: Vec<String> = (0..501).map(|number| format!("\"r{number}\"")).collect();
    let book = BOOK.replace("[\"up\", \"tiers\"]", &format!("[{}]", names.join(", ")));
    assert_eq!(
        warnings(&book.replace("[sharing]", &format!("{rules}[sharing]"))),
        ["toml:27:17: pricing_plans `gold`: `pricing_rules`: AWS allows at most 500 rules in a pricing plan"]
    );
}

#[test]
fn a_tier_above_twice_the_list_rate_is_a_warning() {
    let line = Line::usage("111111111111", "AmazonS3", "TimedStorage-ByteHrs", "2.3").using("100");
    let with_rate = |rate: &str| {
        let lines = [line.clone().at_rates("0.023", "0.023")];
        let book = BOOK.replace("rate_value = 0.02 ", &format!("rate_value = {rate} "));
        let run = Run::new(PERIOD, &book, |cost| {
            drop(write_month(cost, &lines, &WriteOptions::new(Form::Cur2Csv, PERIOD)));
        });
        run.go().succeeded().stderr
    };
    let warning =
        "warning: rule `tiers` has a rate above twice the list rate 0.023, which AWS would refuse\n";
    assert!(with_rate("0.0460000001").contains(warning));
    assert!(!with_rate("0.046").contains("AWS would refuse"));
}

#[test]
fn a_rule_that_prices_nothing_is_a_warning() {
    let done = run(BOOK).succeeded();
    assert!(done.stderr.contains("warning: pricing rule `tiers` prices no line of this month\n"));
    assert!(!done.stderr.contains("`up` prices no line"));
    assert_eq!(done.json("reconciliation.json")["rules_without_lines"], serde_json::json!(["tiers"]));
}

#[test]
fn a_book_that_cannot_be_read_is_named() {
    let run = Run::new(PERIOD, BOOK, |_| {});
    let book = run.folder.path().join("book.toml");
    fs::write(&book, b"payer_account_id = \"\xff\"").expect("a file");
    let shown = book.display();
    assert_eq!(
        run.go().refused(&[]).stderr,
        format!(
            "error: book `{shown}` is not UTF-8 text: byte 20 begins no character\nnothing was written\n"
        )
    );
    fs::remove_file(&book).expect("a file");
    let message = run.go().refused(&[]).stderr;
    assert!(message.starts_with(&format!("error: book `{shown}` cannot be read: No such file")), "{message}");
    assert!(message.ends_with("hint: give the book file with --book\nnothing was written\n"), "{message}");
}

#[test]
fn what_is_no_period_is_refused() {
    for period in ["2026-13", "2026-1", "October", "2026-10-01", ""] {
        let done = Run::new(period, BOOK, |_| {}).go().refused(&[]);
        let message = format!(
            "error: `{period}` is not a billing period; write it as YYYY-MM, for example 2026-10\nnothing was written\n"
        );
        assert_eq!(done.stderr, message);
    }
}

#[test]
fn files_of_another_payer_are_refused() {
    let done = run(&BOOK.replace("999999999999", "888888888888")).refused(&[]);
    let message = "error: the cost files are of payer account `999999999999`, the book of `888888888888`\n\
                   hint: check --cost, --book and the book's payer_account_id\nnothing was written\n";
    assert!(done.stderr.ends_with(message), "{}", done.stderr);
}
