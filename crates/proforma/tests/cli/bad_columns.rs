//! Columns that are missing, doubled, of another type, or more than anybody needs.

use crate::small_files::{
    BOOK, COLUMNS, COST, PERIOD, PERIOD_START, columns, columns_with, csv, header, parquet, run_of_column,
    run_of_file,
};
use crate::support::Run;
use arrow_array::builder::{MapBuilder, StringBuilder};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array, Float32Array,
    Int32Array, Int64Array, LargeStringArray, ListArray, NullArray, StringArray, StructArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
};
use arrow_schema::{DataType, Field};
use parquet::file::properties::WriterProperties;
use std::fs;
use std::sync::Arc;
use testkit::write::{CostType, Delivery, TimeType};
use testkit::{Form, Line, WriteOptions, write_month};

/// The file with its usual content.
fn usual() -> String {
    csv(COST, &["1", "1"])
}

#[test]
fn all_missing_columns_are_named_at_once() {
    let text = usual()
        .replacen("bill_payer_account_id", "payer", 1)
        .replacen("line_item_usage_amount", "line_item_quantity", 1)
        .replacen(COST, "line_item_cost", 1);
    let words = [
        "lines.csv: necessary columns are missing",
        "`bill_payer_account_id`, `line_item_usage_amount`, `line_item_unblended_cost`",
    ];
    run_of_file("lines.csv", text).go().refused(&words);
    let mut columns = columns(2);
    columns.retain(|(name, _)| name != COST && name != "line_item_currency_code");
    let bytes = parquet(columns, WriterProperties::default());
    let words = ["lines.parquet: necessary", "`line_item_unblended_cost`, `line_item_currency_code`"];
    run_of_file("lines.parquet", bytes).go().refused(&words);
}

#[test]
fn names_are_matched_exactly() {
    let other_case = usual().replacen(COST, "line_item_Unblended_Cost", 1);
    run_of_file("lines.csv", other_case).go().refused(&["missing: `line_item_unblended_cost`"]);
    let upper = usual().replacen(&header(), &header().to_uppercase(), 1);
    run_of_file("lines.csv", upper).go().refused(&["no cost file", "`lines.csv` has no cost columns"]);
}

#[test]
fn two_columns_of_one_name_are_refused_where_they_are_read() {
    let twice = |name: &str| {
        let lines = usual().lines().map(|line| format!("{line},1")).collect::<Vec<_>>().join("\n");
        lines.replacen(&format!("{},1", header()), &format!("{},{name}", header()), 1)
    };
    run_of_file("lines.csv", twice(COST)).go().refused(&["two columns named `line_item_unblended_cost`"]);
    let tags = twice("resource_tags_user_a,resource_tags_user_a").replace(",1\n", ",1,1\n") + ",1\n";
    run_of_file("lines.csv", tags).go().totals("2");
}

#[test]
fn columns_of_two_formats_in_one_header_are_refused() {
    let text = usual().replacen("line_item_usage_type", "lineItem/UsageType", 1);
    run_of_file("lines.csv", text).go().refused(&[
        "columns of two formats",
        "`lineItem/UsageType`",
        "`line_item_",
    ]);
}

#[test]
fn other_files_are_refused_by_what_they_are() {
    let run = run_of_file("lines.csv", "name,price\nbread,2\n");
    run.go().refused(&["no cost file among what is there", "`lines.csv` has no cost columns"]);
    let named = Run::of_paths(PERIOD, BOOK, |folder| {
        fs::write(folder.join("lines.csv"), "name,price\n").expect("a file");
        vec![folder.join("lines.csv")]
    });
    named.go().refused(&["lines.csv: not a cost file", "`line_item_…`", "`BilledCost`"]);
}

#[test]
fn costs_of_any_exact_type_give_the_same_total() {
    let decimals: [i128; 2] = [1_500_000_000_000_000_000, -250_000_000_000_000_000];
    let arrays: [(ArrayRef, &str); 6] = [
        (Arc::new(StringArray::from(vec!["1.5", "-0.25"])), "1.25"),
        (Arc::new(LargeStringArray::from(vec!["1.5", "-0.25"])), "1.25"),
        (decimal(&decimals, 38, 18), "1.25"),
        (
            Arc::new(Float32Array::from_iter_values(["1.5", "-0.25"].map(|x| x.parse().expect("a float")))),
            "1.25",
        ),
        (Arc::new(Int32Array::from(vec![3, -1])), "2"),
        (Arc::new(Int64Array::from(vec![Some(3), None])), "3"),
    ];
    for (array, total) in arrays {
        run_of_column(COST, array).go().totals(total);
    }
    for costs in [CostType::Double, CostType::Decimal(18, 10), CostType::Decimal(38, 18), CostType::Text] {
        let options = WriteOptions { costs, ..WriteOptions::new(Form::Cur2Parquet, PERIOD) };
        run_of_options(&options).go().totals("100.125");
    }
}

fn decimal(units: &[i128], precision: u8, scale: i8) -> ArrayRef {
    let array = Decimal128Array::from(units.to_vec()).with_precision_and_scale(precision, scale);
    Arc::new(array.expect("a precision"))
}

/// A run of two lines written with these options.
fn run_of_options(options: &WriteOptions) -> Run {
    let lines = ["100", "0.125"].map(|cost| Line::usage("111111111111", "AmazonEC2", "BoxUsage", cost));
    Run::new(PERIOD, BOOK, |folder| drop(write_month(folder, &lines, options)))
}

/// What other tools write for a column in which no row has a value.
#[test]
fn a_column_without_values_and_type_is_null() {
    let nothing = || -> ArrayRef { Arc::new(NullArray::new(2)) };
    for name in ["pricing_public_on_demand_rate", "savings_plan_savings_plan_a_r_n", "product_product_name"] {
        run_of_column(name, nothing()).go().totals("2");
    }
    run_of_column(COST, nothing()).go().totals("0");
    run_of_column(PERIOD_START, nothing()).go().refused(&["`` is not a readable billing period start"]);
}

#[test]
fn decimals_with_more_digits_than_costs_have_are_rounded_and_counted() {
    let done =
        run_of_column(COST, decimal(&[100_000_000_050_000_000, 1], 38, 18)).go().totals("0.1000000001");
    assert_eq!(done.count("numbers", "rounded_to_ten_decimals"), 2);
}

#[test]
fn costs_of_other_types_are_refused_with_the_type() {
    let decimals = Decimal256Array::from_iter_values([1.into()]).with_precision_and_scale(76, 10);
    let list = ListArray::from_iter_primitive::<arrow_array::types::Int64Type, _, _>([Some([Some(1)])]);
    let arrays: [(ArrayRef, &str); 5] = [
        (Arc::new(BooleanArray::from(vec![true])), "Boolean"),
        (Arc::new(BinaryArray::from(vec![b"1".as_slice()])), "Binary"),
        (Arc::new(Date32Array::from(vec![1])), "Date32"),
        (Arc::new(decimals.expect("a precision")), "Decimal256"),
        (Arc::new(list), "List"),
    ];
    for (array, kind) in arrays {
        let words =
            ["lines.parquet: columns of types", "`line_item_unblended_cost` is", kind, "expected a number"];
        run_of_column(COST, array).go().refused(&words);
    }
}

#[test]
fn all_columns_of_unusable_types_are_named_at_once() {
    let flags = || -> ArrayRef { Arc::new(BooleanArray::from(vec![true])) };
    let others = vec![(COST, flags()), ("line_item_usage_type", flags()), (PERIOD_START, flags())];
    let bytes = parquet(columns_with(1, others), WriterProperties::default());
    let words = [
        "`line_item_unblended_cost` is Boolean, expected a number",
        "`line_item_usage_type` is Boolean",
        "`bill_billing_period_start_date` is Boolean, expected a timestamp",
    ];
    run_of_file("lines.parquet", bytes).go().refused(&words);
}

#[test]
fn instants_of_any_type_give_the_same_month() {
    let seconds = 1_790_812_800_i64;
    let arrays: [ArrayRef; 6] = [
        Arc::new(TimestampMillisecondArray::from(vec![seconds * 1_000])),
        Arc::new(TimestampMicrosecondArray::from(vec![seconds * 1_000_000]).with_timezone("UTC")),
        Arc::new(TimestampNanosecondArray::from(vec![seconds * 1_000_000_000])),
        Arc::new(Date32Array::from(vec![20_727])),
        Arc::new(StringArray::from(vec!["2026-10-01T00:00:00.000Z"])),
        Arc::new(StringArray::from(vec!["2026-10-01"])),
    ];
    for array in arrays {
        run_of_column(PERIOD_START, array).go().totals("1");
    }
    for times in [TimeType::Millis, TimeType::Micros, TimeType::Nanos, TimeType::Int96, TimeType::Text] {
        let options = WriteOptions { times, ..WriteOptions::new(Form::Cur2Parquet, PERIOD) };
        run_of_options(&options).go().totals("100.125");
    }
    let words = ["`bill_billing_period_start_date` is Int64, expected a timestamp"];
    run_of_column(PERIOD_START, Arc::new(Int64Array::from(vec![seconds]))).go().refused(&words);
}

#[test]
fn unknown_columns_are_ignored_up_to_a_ceiling() {
    let with = |count: usize| {
        let names: String = (0..count).map(|n| format!(",resource_tags_user_{n}")).collect();
        let line = COLUMNS.map(|(_, usual)| usual).join(",") + &",v".repeat(count);
        format!("{}{names}\n{line}\n{line}\n", header())
    };
    run_of_file("lines.csv", with(2_000)).go().totals("2");
    run_of_file("lines.csv", with(10_000 - COLUMNS.len())).go().totals("2");
    for count in [10_001, 100_000] {
        let words = ["lines.csv: ", &format!("{count} columns"), "at most 10000 are read"];
        run_of_file("lines.csv", with(count - COLUMNS.len())).go().refused(&words);
    }
    let tag: ArrayRef = Arc::new(StringArray::from(vec!["v"; 2]));
    let names: Vec<String> = (0..2_000).map(|n| format!("resource_tags_user_{n}")).collect();
    let others = names.iter().map(|name| (name.as_str(), Arc::clone(&tag))).collect();
    let bytes = parquet(columns_with(2, others), WriterProperties::default());
    run_of_file("lines.parquet", bytes).go().totals("2");
}

#[test]
fn nested_columns_where_flat_ones_are_expected_are_refused() {
    let field = Arc::new(Field::new("value", DataType::Utf8, true));
    let text: ArrayRef = Arc::new(StringArray::from(vec!["BoxUsage"]));
    let nested: ArrayRef = Arc::new(StructArray::from(vec![(field, text)]));
    for name in
        ["line_item_usage_type", "bill_payer_account_id", "product_product_name", "product_servicename"]
    {
        let words = ["lines.parquet", &format!("`{name}` is Struct"), "expected text"];
        run_of_column(name, Arc::clone(&nested)).go().refused(&words);
    }
    let both =
        vec![("identity_line_item_id", Arc::clone(&nested)), ("identity_time_interval", Arc::clone(&nested))];
    let bytes = parquet(columns_with(1, both), WriterProperties::default());
    let run = run_of_file("lines.parquet", bytes);
    run.go().totals("1");
    let checked = run.with(&["--check-line-ids", "--force"]).go();
    assert_eq!(checked.status, 2, "{}", checked.stderr);
    checked.said(&["`identity_line_item_id` is Struct"]);
}

#[test]
fn a_broken_product_map_leaves_the_cost_and_takes_the_name() {
    for json in ["{broken", "[]", "{\"product_name\": 7}", "null", "\"text\""] {
        let done = run_of_file("lines.csv", csv("product", &[json, json])).go().totals("2");
        assert!(done.json("cost-report.json")[0]["product_name"].is_null(), "{json}");
    }
    let done = run_of_file("lines.csv", csv("product", &["{\"product_name\": \"EC2\"}"])).go().totals("1");
    assert_eq!(done.json("cost-report.json")[0]["product_name"], "EC2");
    // In Parquet: another type than a map, and a map with a key twice.
    let done = run_of_column("product", Arc::new(Int64Array::from(vec![1, 2]))).go().totals("2");
    assert!(done.json("cost-report.json")[0]["product_name"].is_null());
    let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for (key, value) in [("product_name", Some("first")), ("product_name", Some("second")), ("other", None)] {
        map.keys().append_value(key);
        map.values().append_option(value);
    }
    map.append(true).expect("as many keys as values");
    map.append(false).expect("a null");
    let done = run_of_column("product", Arc::new(map.finish())).go().totals("2");
    assert_eq!(done.json("cost-report.json")[0]["product_name"], "first");
}

#[test]
fn broken_tags_do_not_matter_to_the_cost() {
    let done = run_of_file("lines.csv", csv("resource_tags", &["{broken", "", "[1]"])).go().totals("3");
    assert_eq!(done.count("lines", "rejected"), 0);
}

#[test]
fn files_of_one_delivery_may_order_their_columns_differently() {
    let mut reversed: Vec<(&str, &str)> = COLUMNS.into();
    reversed.reverse();
    let join = |fields: Vec<&str>| fields.join(",");
    let names = join(reversed.iter().map(|(name, _)| *name).collect());
    let values =
        join(reversed.iter().map(|(name, usual)| if *name == COST { "41" } else { *usual }).collect());
    let run = Run::new(PERIOD, BOOK, |folder| {
        fs::write(folder.join("a.csv"), usual()).expect("a cost file");
        fs::write(folder.join("b.csv"), format!("{names}\n{values}\n")).expect("a cost file");
    });
    run.go().totals("43");
}

#[test]
fn files_of_two_formats_in_one_delivery_are_refused() {
    let lines = [Line::usage("111111111111", "AmazonEC2", "BoxUsage", "1")];
    let run = Run::new(PERIOD, BOOK, |folder| {
        for (form, name) in [(Form::Cur2Parquet, "two"), (Form::LegacyParquet, "legacy")] {
            let name = name.to_owned();
            let options = WriteOptions { name, delivery: Delivery::Loose, ..WriteOptions::new(form, PERIOD) };
            write_month(folder, &lines, &options);
        }
    });
    let words = [
        "two formats in one delivery",
        "legacy CUR (`legacy-",
        "CUR 2.0 (`two-",
        "give one of them with --cost",
    ];
    run.go().refused(&words);
}
