//! The worked examples of `fixtures/pricing.json`, run through the program from CUR 2.0 Parquet and from legacy CSV.

use crate::reports::{list, number, number_or_zero, statement_lines, text};
use crate::support::{Done, Run};
use serde_json::Value;
use testkit::oracle::Exact;
use testkit::vectors::{self, Vector};
use testkit::write::Packing;
use testkit::{Form, Line, WriteOptions, write_month};

/// What the examples expect may be spelled `131.00`.
fn expected(value: &Value) -> Exact {
    Exact::of(text(value))
}

fn run(vector: &Vector, form: Form) -> Done {
    let book = vector.book_json.to_string();
    let options = WriteOptions::new(form, &vector.period);
    let run = Run::new(&vector.period, &book, |cost| drop(write_month(cost, &vector.lines, &options)));
    let list = run.folder.path().join("price-list");
    let run = if vector.write_price_list(&list) {
        run.with(&["--price-list", list.to_str().expect("UTF-8")])
    } else {
        run
    };
    run.with(&["--output", "json"]).go().succeeded()
}

fn check(vector: &Vector, form: Form) {
    let id = format!("{} ({}), {form:?}", vector.id, vector.title);
    let done = run(vector, form);
    check_groups(vector, &done, &id);
    check_lines(vector, &done, &id);
    let charges = done.item_charges("USD");
    for (name, charge) in vector.expect["custom_line_items"].as_object().into_iter().flatten() {
        assert_eq!(charges.get(name), Some(&expected(charge)), "{id}: custom line item {name}");
    }
    let reconciliation = &done.json("reconciliation.json")["currencies"]["USD"];
    assert_eq!(reconciliation["difference"], "0", "{id}");
    let left_out = vector.expect["left_out_of_aws_cost"].as_object();
    for (name, cost) in left_out.into_iter().flatten() {
        assert_eq!(number(&reconciliation["left_out_of_aws_cost"][name]), expected(cost), "{id}: {name}");
    }
    if let Some(cost) = vector.expect["ungrouped_aws_cost"].as_str() {
        assert_eq!(number(&reconciliation["ungrouped_total"]), Exact::of(cost), "{id}: ungrouped");
        let sum: Exact = done.ungrouped().values().sum();
        assert_eq!(sum, Exact::of(cost), "{id}: rows of ungrouped accounts");
    }
}

/// The groups' numbers on standard output, in the cost report and on the statements.
fn check_groups(vector: &Vector, done: &Done, id: &str) {
    let printed: Value = serde_json::from_str(&done.stdout).expect("JSON on standard output");
    let totals = done.group_totals();
    let groups = vector.expect["groups"].as_object().expect("groups");
    for (group, measures) in groups {
        let row = list(&printed).iter().find(|row| row["billing_group"] == group.as_str());
        let row = row.unwrap_or_else(|| panic!("{id}: {group} is not on standard output"));
        for (measure, value) in measures.as_object().expect("measures") {
            let known = ["pro_forma_cost", "aws_cost", "margin", "margin_percentage"];
            assert!(known.contains(&measure.as_str()), "{id}: `{measure}` is not compared");
            assert_eq!(number(&row[measure]), expected(value), "{id}: {group} {measure}");
        }
        let total = totals.get(&(group.clone(), "USD".to_owned())).cloned().unwrap_or_default();
        assert_eq!(total.pro_forma_cost, number(&row["pro_forma_cost"]), "{id}: cost report of {group}");
        assert_eq!(total.aws_cost, number(&row["aws_cost"]), "{id}: cost report of {group}");
        assert_eq!(total.margin, number(&row["margin"]), "{id}: cost report of {group}");
        let statement = done.statement(group, "USD");
        assert_eq!(statement["total"], row["pro_forma_cost"], "{id}: statement of {group}");
    }
    for name in vector.expect.as_object().expect("an object").keys() {
        let compared =
            ["groups", "custom_line_items", "lines", "left_out_of_aws_cost", "ungrouped_aws_cost", "note"];
        assert!(compared.contains(&name.as_str()), "{id}: `{name}` is not compared");
    }
}

/// The amounts of single lines, which the examples keep apart by usage type or operation.
fn check_lines(vector: &Vector, done: &Done, id: &str) {
    let Some(amounts) = vector.expect["lines"].as_array() else { return };
    assert_eq!(amounts.len(), vector.lines.len(), "{id}");
    let statement = done.statement("acme", "USD");
    for (line, amount) in vector.lines.iter().zip(amounts) {
        let is_its_own = |(product, shown): &(&str, &Value)| is_of(line, product, shown);
        let found: Vec<_> = statement_lines(&statement).into_iter().filter(is_its_own).collect();
        let [(_, shown)] = found[..] else { panic!("{id}: {line:?} is not one line of the statement") };
        assert_eq!(number_or_zero(&shown["amount"]), expected(amount), "{id}: {line:?}");
    }
}

fn is_of(line: &Line, product: &str, shown: &Value) -> bool {
    let same = |column: &Option<String>, value: &Value| column.as_deref().unwrap_or_default() == text(value);
    line.product_servicecode.as_deref() == Some(product)
        && same(&line.line_item_usage_account_id, &shown["account_id"])
        && same(&line.line_item_usage_type, &shown["usage_type"])
        && same(&line.line_item_operation, &shown["operation"])
        && same(&line.line_item_line_item_type, &shown["line_item_type"])
}

#[test]
fn from_cur_2_parquet() {
    vectors::load().iter().for_each(|vector| check(vector, Form::Cur2Parquet));
}

#[test]
fn from_legacy_csv() {
    vectors::load().iter().for_each(|vector| check(vector, Form::LegacyCsv(Packing::Plain)));
}
