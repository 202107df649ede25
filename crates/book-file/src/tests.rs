//! Values become what their digits and letters say; every value of another kind is a finding with its place.

use super::*;
use billing::money::{Cost, Percentage};
use billing::period::BillingPeriod;
use billing::pricing::Pricing;

fn no_file(name: &str) -> Result<String, String> {
    Err(format!("no file `{name}` here"))
}

fn toml(text: &str) -> Result<BookFile, Vec<String>> {
    parse(Path::new("book.toml"), text, &no_file)
        .map_err(|found| found.iter().map(ToString::to_string).collect::<Vec<_>>())
}

fn json(text: &str) -> Result<BookFile, Vec<String>> {
    parse(Path::new("book.JSON"), text, &no_file)
        .map_err(|found| found.iter().map(ToString::to_string).collect::<Vec<_>>())
}

/// A TOML book with one rule, which has these fields beside its name and scope.
fn with_rule(fields: &str) -> String {
    format!(
        "payer_account_id = \"999999999999\"\n[[pricing_rules]]\nname = \"rule\"\nscope = \"GLOBAL\"\n{fields}\n"
    )
}

/// A TOML book with one group and one item, which has these fields beside its name, description and group.
fn with_item(fields: &str) -> String {
    format!(
        "payer_account_id = \"999999999999\"\n[[billing_groups]]\nname = \"acme\"\n\
         primary_account_id = \"111111111111\"\naccounts = [\"111111111111\"]\npricing_plan = \"BasicPricingPlan\"\n\
         [[custom_line_items]]\nname = \"item\"\ndescription = \"item\"\nbilling_group = \"acme\"\n{fields}\n"
    )
}

#[track_caller]
fn percentage(book: Result<BookFile, Vec<String>>) -> Percentage {
    match book.expect("a book").book.rules[0].pricing {
        Pricing::Markup(percentage) => percentage,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn toml_numbers_are_read_from_their_digits() {
    for (written, expected) in [
        ("10", "10"),
        ("0.1", "0.1"),
        ("1_000.5", "1000.5"),
        ("\"12.3456\"", "12.3456"),
        // The nearest double is 999999999999.0000999…: digits are not rounded on the way.
        ("999999999999.0001", "999999999999.0001"),
        ("7.1000000000000000000000000", "7.1"),
        ("0.0", "0"),
    ] {
        let book = toml(&with_rule(&format!("type = \"MARKUP\"\nmodifier_percentage = {written}")));
        assert_eq!(percentage(book), Percentage::parse(expected).expect("a percentage"), "{written}");
    }
}

#[test]
fn json_numbers_are_read_from_their_digits() {
    for (written, expected) in [("10", "10"), ("999999999999.0001", "999999999999.0001"), ("\"0.3\"", "0.3")]
    {
        let book = format!(
            "{{\"payer_account_id\": \"999999999999\", \"pricing_rules\": [{{\"name\": \"rule\", \"scope\": \"GLOBAL\", \
             \"type\": \"MARKUP\", \"modifier_percentage\": {written}}}]}}"
        );
        assert_eq!(percentage(json(&book)), Percentage::parse(expected).expect("a percentage"), "{written}");
    }
}

#[test]
fn other_numbers_are_findings() {
    for (written, message) in [
        ("1e2", "`1e2` is not a decimal number like 12.5"),
        ("inf", "`inf` is not a decimal number like 12.5"),
        ("+5", "`+5` is not a decimal number like 12.5"),
        ("0x10", "is a number that is not decimal, expected a decimal number"),
        ("\"1,5\"", "`1,5` is not a decimal number like 12.5"),
        ("\"\"", "`` is not a decimal number like 12.5"),
        ("0.00001", "`0.00001` has more than 4 decimals"),
        ("2026-10-01", "is a date, expected a decimal number"),
        ("[1]", "is a list, expected a decimal number"),
        ("{ value = 1 }", "is a table, expected a decimal number"),
    ] {
        let found = toml(&with_rule(&format!("type = \"MARKUP\"\nmodifier_percentage = {written}")));
        let expected = format!("6:23: pricing_rules `rule`: `modifier_percentage`: {message}");
        assert_eq!(found.err(), Some(vec![expected]), "{written}");
    }
}

#[test]
fn an_amount_has_ten_decimals_and_a_period_is_text() {
    let book = toml(&with_item("type = \"FEE\"\nflat_charge_value = 0.1234567891\nstart = \"2026-10\""));
    let book = book.expect("a book").book;
    let period = |text: &str| BillingPeriod::parse(text).expect("a period");
    let billing::custom_line_item::Charge::Flat(value) = book.items[0].charge else { panic!("{book:?}") };
    assert_eq!(value, Cost::parse("0.1234567891").expect("a cost"));
    assert!(book.items[0].is_active(period("2026-10")) && book.items[0].is_active(period("2030-01")));
    assert!(!book.items[0].is_active(period("2026-09")));
    for (start, message) in [
        ("2026-10-01", "is a date, expected text in quotes"),
        ("\"2026-10-01\"", "`2026-10-01` is not a billing period; write it as YYYY-MM, for example 2026-10"),
        ("202610", "is a number, expected text in quotes"),
    ] {
        let found = toml(&with_item(&format!("type = \"FEE\"\nflat_charge_value = 1\nstart = {start}")));
        let expected = format!("13:9: custom_line_items `item`: `start`: {message}");
        assert_eq!(found.err(), Some(vec![expected]), "{start}");
    }
}

#[test]
fn what_stands_twice_is_a_finding() {
    let found = toml("payer_account_id = \"1\"\ncurrency = \"USD\"\npayer_account_id = \"2\"\n").err();
    let found = found.expect("a finding");
    assert!(found.len() == 1 && found[0].starts_with("3:1: not valid TOML: "), "{found:?}");
    let found = json("{\"currency\": \"USD\",\n  \"currency\": \"EUR\"}").err();
    let expected = "2:3: not valid JSON: `currency` stands twice in one object".to_owned();
    assert_eq!(found, Some(vec![expected]));
}

#[test]
fn json_is_strict() {
    for text in [
        "",
        "{\"payer_account_id\": \"1\",}",
        "{payer_account_id: \"1\"}",
        "{\"a\": 1} {}",
        "{\"a\": 01}",
        "// x\n{}",
    ] {
        let found = json(text).err().unwrap_or_default();
        assert!(found.len() == 1 && found[0].contains(": not valid JSON: "), "{text}: {found:?}");
    }
    let found = json("[]").err();
    assert_eq!(found, Some(vec!["1:1: is a list, expected a table".to_owned()]));
    let found = json("{\"payer_account_id\": null}").err();
    assert_eq!(found, Some(vec!["1:22: `payer_account_id`: is null, expected text in quotes".to_owned()]));
}

#[test]
fn tables_and_lists_of_another_kind_are_findings() {
    let payer = "payer_account_id = \"999999999999\"\n";
    for (text, expected) in [
        ("accounts = 5", "2:12: `accounts`: is a number, expected a list of tables"),
        ("accounts = [5]", "2:13: accounts[1]: is a number, expected a table"),
        ("[accounts]\nid = \"1\"", "2:1: `accounts`: is a table, expected a list of tables"),
        ("sharing = true", "2:11: sharing: is true or false, expected a table"),
        (
            "[[pricing_plans]]\nname = \"p\"\npricing_rules = [[]]",
            "4:18: pricing_plans `p`: `pricing_rules`: holds a list, expected text in quotes",
        ),
        (
            "[[pricing_plans]]\nname = 5\npricing_rules = []",
            "3:8: pricing_plans[1]: `name`: is a number, expected text in quotes",
        ),
    ] {
        assert_eq!(toml(&format!("{payer}{text}\n")).err(), Some(vec![expected.to_owned()]), "{text}");
    }
}

#[test]
fn a_value_that_cannot_be_read_is_one_finding_and_not_also_what_follows_from_it() {
    for fields in [
        "type = \"FEE\"\nflat_charge_value = \"a lot\"\nstart = \"2026-10\"",
        "type = \"FEE\"\npercentage_value = true\nstart = \"2026-10\"",
        "type = 5\nflat_charge_value = 1\nstart = \"2026-10\"",
        "type = \"FEE\"\npercentage_value = 1\nstart = \"2026-10\"\nline_item_filters = [5]",
    ] {
        let found = toml(&with_item(fields)).err().unwrap_or_default();
        assert_eq!(found.len(), 1, "{fields}: {found:?}");
    }
    // But other mistakes of the same entry are told at once.
    let found = toml(&with_item("type = \"LOAN\"\nflat_charge_value = \"a lot\"\nstart = \"soon\"")).err();
    assert_eq!(found.map(|found| found.len()), Some(3));
}

#[test]
fn columns_count_characters() {
    let found = toml("payer_account_id = \"999999999999\"\n[[billing_groups]]\nname = \"größe\" #").err();
    let found = found.unwrap_or_default();
    assert!(found.iter().all(|finding| finding.starts_with("2:1: billing_groups `größe`: ")), "{found:?}");
    let found = json("{\"größe\": 1, \"x\": 2, \"payer_account_id\": \"999999999999\"}").err();
    let places: Vec<String> =
        found.unwrap_or_default().iter().map(|finding| finding[..5].to_owned()).collect();
    assert_eq!(places, ["1:2: ", "1:14:"]);
}

#[test]
fn a_minimal_book_has_defaults() {
    let book = toml("payer_account_id = \"999999999999\"").expect("a book");
    assert_eq!((book.book.currency.as_str(), book.book.groups.len()), ("USD", 0));
    assert!(book.warnings.is_empty());
}
