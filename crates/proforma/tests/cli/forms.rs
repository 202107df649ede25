//! Every form in which AWS delivers a month, and the forms into which people rewrite it, give the same bills.

use crate::reports::{list, text};
use crate::support::{Done, Run};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use testkit::line::COLUMNS;
use testkit::write::{Codec, CostType, Delivery, Packing, TimeType, manifest_path};
use testkit::{Form, Line, SampleBook, SampleMonth, WriteOptions, write_month};

const PERIOD: &str = "2026-10";

static MONTH: LazyLock<SampleMonth> = LazyLock::new(|| SampleMonth::of(11, 250));
static BOOK: LazyLock<String> = LazyLock::new(|| SampleBook::of(11, &MONTH).to_toml());
/// The bills of the month from plain CSV without any delivery around it.
static BILLS: LazyLock<BTreeMap<String, Vec<u8>>> = LazyLock::new(|| {
    let options = loose(Form::LegacyCsv(Packing::Plain));
    read(|cost| drop(write_month(cost, &MONTH.lines, &options))).succeeded().bills()
});

fn loose(form: Form) -> WriteOptions {
    WriteOptions { delivery: Delivery::Loose, ..WriteOptions::new(form, PERIOD) }
}

/// Prices what is written into the cost folder.
fn read(write: impl FnOnce(&Path)) -> Done {
    Run::new(PERIOD, &BOOK, write).go()
}

/// Prices the paths that are given.
fn read_paths(write: impl FnOnce(&Path) -> Vec<PathBuf>) -> Done {
    Run::of_paths(PERIOD, &BOOK, write).go()
}

/// What is said of a file of this form: its format, and what gave it away.
fn format_of(form: Form) -> (&'static str, &'static str) {
    match form {
        Form::Cur2Parquet | Form::Cur2Csv => ("CUR 2.0", "column `product` is only in CUR 2.0"),
        Form::LegacyCsv(_) => ("legacy CUR", "column `lineItem/UsageAccountId` has a category and a slash"),
        Form::LegacyParquet => ("legacy CUR", "columns have underscores and none is only in CUR 2.0"),
        Form::Focus(_) => unreachable!("months of FOCUS are in `laws::focus_months`"),
    }
}

#[track_caller]
fn check(done: Done, form: Form, files: usize, what: &str) -> Done {
    let done = done.succeeded();
    let (format, because) = format_of(form);
    let plural = if files == 1 { "" } else { "s" };
    let line = format!("read {files} file{plural}: {format}, as {because}\n");
    assert!(done.stderr.contains(&line), "{what}: no `{line}` in:\n{}", done.stderr);
    let reconciliation = done.json("reconciliation.json");
    let read = list(&reconciliation["files"]);
    assert_eq!(read.len(), files, "{what}");
    for file in read {
        assert_eq!((text(&file["format"]), text(&file["because"])), (format, because), "{what}");
        assert_eq!(text(&file["sha256"]).len(), 64, "{what}");
    }
    assert_eq!(reconciliation["lines"]["read"].as_u64(), Some(MONTH.lines.len() as u64), "{what}");
    assert!(done.bills() == *BILLS, "{what}: other bills");
    done
}

#[test]
fn every_form_is_read_in_every_delivery() {
    for form in Form::ALL {
        for delivery in [Delivery::Loose, Delivery::Overwrite, Delivery::KeepVersions { with_older: false }] {
            let options = WriteOptions { delivery, files: 3, ..WriteOptions::new(form, PERIOD) };
            let done = read(|cost| drop(write_month(cost, &MONTH.lines, &options)));
            check(done, form, 3, &format!("{form:?} {delivery:?}"));
        }
    }
}

#[test]
fn an_older_version_beside_the_newest_is_named_and_not_read() {
    for form in Form::ALL {
        let delivery = Delivery::KeepVersions { with_older: true };
        let options = WriteOptions { delivery, files: 2, ..WriteOptions::new(form, PERIOD) };
        let done = read(|cost| drop(write_month(cost, &MONTH.lines, &options)));
        let done = check(done, form, 2, &format!("{form:?}"));
        let reconciliation = done.json("reconciliation.json");
        let passed_by = reconciliation["files_passed_by"].as_object().expect("names");
        assert_eq!(passed_by.len(), 2, "{form:?}: {passed_by:?}");
        for (name, reason) in passed_by {
            assert!(text(reason).contains("not in the manifest `"), "{form:?}: {reason}");
            let note = format!("note: `{name}` was not read: {}", text(reason));
            assert!(done.stderr.contains(&note), "{form:?}: {}", done.stderr);
        }
    }
}

#[test]
fn a_manifest_given_by_itself_finds_its_files() {
    for form in Form::ALL {
        for delivery in [Delivery::Overwrite, Delivery::KeepVersions { with_older: true }] {
            let options = WriteOptions { delivery, files: 2, ..WriteOptions::new(form, PERIOD) };
            let done = read_paths(|cost| {
                write_month(cost, &MONTH.lines, &options);
                vec![manifest_path(cost, &options).expect("a manifest")]
            });
            check(done, form, 2, &format!("{form:?} {delivery:?}"));
        }
    }
}

#[test]
fn data_files_given_by_themselves_are_read() {
    for form in Form::ALL {
        let options = WriteOptions { files: 2, ..WriteOptions::new(form, PERIOD) };
        let done = read_paths(|cost| write_month(cost, &MONTH.lines, &options));
        check(done, form, 2, &format!("{form:?}"));
    }
}

/// A copy keeps the end of a key and little else: the longest common end tells the files.
#[test]
fn a_copied_folder_is_read_by_the_ends_of_its_keys() {
    for form in Form::ALL {
        for delivery in [Delivery::Overwrite, Delivery::KeepVersions { with_older: true }] {
            let options = WriteOptions { delivery, files: 2, ..WriteOptions::new(form, PERIOD) };
            let done = read_paths(|cost| {
                write_month(cost, &MONTH.lines, &options);
                let copy = cost.with_file_name("copy");
                fs::create_dir(&copy).expect("a folder");
                fs::rename(cost.join("exports/cost-report"), copy.join("october")).expect("a rename");
                vec![copy]
            });
            check(done, form, 2, &format!("{form:?} {delivery:?}"));
        }
    }
}

#[test]
fn of_two_months_in_one_place_the_period_chooses() {
    for form in Form::ALL {
        let other = SampleMonth::generate(&testkit::MonthOptions {
            seed: 3,
            period: "2026-09".to_owned(),
            lines: 80,
            ..testkit::MonthOptions::default()
        });
        let done = read(|cost| {
            write_month(cost, &other.lines, &WriteOptions::new(form, "2026-09"));
            write_month(cost, &MONTH.lines, &WriteOptions::new(form, PERIOD));
        });
        check(done, form, 1, &format!("{form:?}"));
    }
}

#[test]
fn what_is_no_cost_file_is_named_and_passed_by_in_a_bare_folder() {
    let done = read(|cost| {
        write_month(cost, &MONTH.lines, &loose(Form::Cur2Parquet));
        let names: ArrayRef = Arc::new(StringArray::from(vec!["one", "two"]));
        let record = RecordBatch::try_from_iter([("name", names)]).expect("a record");
        let file = File::create(cost.join("names.parquet")).expect("a file");
        let mut writer = ArrowWriter::try_new(file, record.schema(), None).expect("a writer");
        writer.write(&record).expect("rows");
        writer.close().expect("a footer");
        fs::write(cost.join("names.csv"), "name,age\none,1\n").expect("a file");
        fs::write(cost.join("readme.txt"), "not even looked at").expect("a file");
    });
    let done = check(done, Form::Cur2Parquet, 1, "bare folder");
    for name in ["names.parquet", "names.csv"] {
        let note = format!("note: `{name}` was not read: has no cost columns\n");
        assert!(done.stderr.contains(&note), "{}", done.stderr);
        assert_eq!(done.json("reconciliation.json")["files_passed_by"][name], "has no cost columns");
    }
    assert!(!done.stderr.contains("readme.txt"), "{}", done.stderr);
}

#[test]
fn results_and_links_among_the_cost_files_are_named_and_not_read() {
    let options = loose(Form::Cur2Csv);
    let first = Run::new(PERIOD, &BOOK, |cost| drop(write_month(cost, &MONTH.lines, &options)));
    let inside = first.folder.path().join("cost/october");
    let book = first.folder.path().join("book.toml").display().to_string();
    let cost = first.folder.path().join("cost").display().to_string();
    let again = || {
        let arguments = ["run", "--cost", &cost, "--book", &book, "--period", PERIOD, "--force"];
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_proforma"));
        command.args(arguments).arg("--out").arg(&inside);
        command.output().expect("the program starts")
    };
    assert!(again().status.success());
    std::os::unix::fs::symlink("/tmp", first.folder.path().join("cost/elsewhere")).expect("a link");
    let second = again();
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(second.status.success(), "{said}");
    assert!(said.contains("`october` was not read: is a result of this program"), "{said}");
    assert!(said.contains("`elsewhere` was not read: is a link"), "{said}");
}

#[test]
fn every_type_of_amount_gives_the_same_bills() {
    for form in [Form::Cur2Parquet, Form::LegacyParquet] {
        for costs in [CostType::Double, CostType::Text, CostType::Decimal(38, 10), CostType::Decimal(18, 10)]
        {
            let options = WriteOptions { costs, row_group_rows: 60, ..loose(form) };
            let done = read(|cost| drop(write_month(cost, &MONTH.lines, &options)));
            check(done, form, 1, &format!("{form:?} {costs:?}"));
        }
    }
}

/// Types that hold fewer digits: the amounts are such that nothing is lost.
#[test]
fn short_types_give_the_same_bills_as_long_as_the_amounts_fit() {
    let fits = |line: Line| line.amounting("-0.5").at_public_cost("1024.25").using("3");
    let lines: Vec<Line> = MONTH.lines.iter().cloned().map(fits).map(without_other_numbers).collect();
    let bills = |costs: CostType| {
        let options = WriteOptions { costs, ..loose(Form::Cur2Parquet) };
        read(|cost| drop(write_month(cost, &lines, &options))).succeeded().bills()
    };
    let expected = bills(CostType::Text);
    for costs in [CostType::Double, CostType::Float, CostType::Decimal(9, 2), CostType::Decimal(18, 4)] {
        assert!(bills(costs) == expected, "{costs:?}");
    }
}

fn without_other_numbers(line: Line) -> Line {
    Line {
        reservation_effective_cost: None,
        savings_plan_savings_plan_effective_cost: None,
        savings_plan_savings_plan_rate: None,
        reservation_recurring_fee_for_usage: None,
        reservation_amortized_upfront_cost_for_usage: None,
        reservation_amortized_upfront_fee_for_billing_period: None,
        reservation_unused_recurring_fee: None,
        reservation_unused_amortized_upfront_fee_for_billing_period: None,
        savings_plan_total_commitment_to_date: None,
        savings_plan_used_commitment: None,
        savings_plan_recurring_commitment_for_billing_period: None,
        savings_plan_amortized_upfront_commitment_for_billing_period: None,
        line_item_normalized_usage_amount: None,
        split_line_item_split_usage: None,
        split_line_item_split_cost: None,
        ..line
    }
}

#[test]
fn every_type_of_time_and_every_codec_give_the_same_bills() {
    use TimeType::{Int96, Micros, Millis, Nanos, Text};
    for form in [Form::Cur2Parquet, Form::LegacyParquet] {
        for times in [Millis, Micros, Nanos, Int96, Text] {
            let options = WriteOptions { times, row_group_rows: 60, ..loose(form) };
            let done = read(|cost| drop(write_month(cost, &MONTH.lines, &options)));
            let done = check(done, form, 1, &format!("{form:?} {times:?}"));
            let outside = &done.json("reconciliation.json")["lines"]["usage_outside_period"];
            assert_eq!(outside.as_u64(), Some(0), "{times:?}");
        }
        for codec in [Codec::Snappy, Codec::Zstd, Codec::Gzip, Codec::None] {
            let options = WriteOptions { codec, ..loose(form) };
            let done = read(|cost| drop(write_month(cost, &MONTH.lines, &options)));
            check(done, form, 1, &format!("{form:?} {codec:?}"));
        }
    }
}

/// A null has no value of its own: not that of the row before, which some decoders leave in its place.
#[test]
fn a_null_amount_is_none_whatever_stands_beside_it() {
    let listed = |cost: &str| Line::usage("111111111111", "AmazonEC2", "usage", "1").at_public_cost(cost);
    let unlisted = Line { pricing_public_on_demand_cost: None, ..listed("1").of_service("AmazonConnect") };
    let lines = [listed("100"), unlisted.clone(), listed("30"), unlisted.clone(), unlisted, listed("7")];
    let book = r#"
        payer_account_id = "999999999999"
        [[billing_groups]]
        name = "acme"
        primary_account_id = "111111111111"
        accounts = ["111111111111"]
        pricing_plan = "BasicPricingPlan"
    "#;
    for form in [Form::Cur2Parquet, Form::Cur2Csv, Form::LegacyParquet] {
        for costs in [CostType::Double, CostType::Float, CostType::Decimal(18, 10), CostType::Text] {
            let options = WriteOptions { costs, ..loose(form) };
            let run = Run::new(PERIOD, book, |cost| drop(write_month(cost, &lines, &options)));
            let statement = run.go().succeeded().statement("acme", "USD");
            assert_eq!(statement["total"], "140", "{form:?} {costs:?}: {statement:#}");
        }
    }
}

/// Columns that no price, treatment or document looks at.
const UNUSED: [&str; 17] = [
    "identity_line_item_id",
    "identity_time_interval",
    "bill_payer_account_name",
    "bill_billing_period_end_date",
    "line_item_usage_account_name",
    "line_item_usage_start_date",
    "line_item_usage_end_date",
    "line_item_resource_id",
    "line_item_blended_rate",
    "line_item_blended_cost",
    "line_item_tax_type",
    "line_item_net_unblended_rate",
    "product_product_family",
    "product_instance_type",
    "reservation_subscription_id",
    "savings_plan_purchase_term",
    "resource_tags",
];

/// Columns without which no line can be priced.
const NECESSARY: [&str; 9] = [
    "bill_billing_period_start_date",
    "bill_payer_account_id",
    "line_item_usage_account_id",
    "line_item_line_item_type",
    "line_item_product_code",
    "line_item_usage_type",
    "line_item_usage_amount",
    "line_item_unblended_cost",
    "line_item_currency_code",
];

/// Columns by which a rule of the book matches: without them the rule is refused, never silently unmatched.
const RULED_BY: [(&str, &str); 2] = [
    ("bill_billing_entity", "the files name no seller"),
    ("line_item_operation", "the files have no operation"),
];

/// A book with a rule by each of [`RULED_BY`].
const RULED: &str = r#"
payer_account_id = "999999999999"
[[pricing_rules]]
name = "by-seller"
scope = "BILLING_ENTITY"
billing_entity = "AWS"
type = "MARKUP"
modifier_percentage = "1"
[[pricing_rules]]
name = "by-operation"
scope = "SKU"
service = "AmazonEC2"
usage_type = "BoxUsage"
operation = "RunInstances"
type = "MARKUP"
modifier_percentage = "1"
[[pricing_plans]]
name = "plan"
pricing_rules = ["by-seller", "by-operation"]
[[billing_groups]]
name = "acme"
primary_account_id = "111111111111"
accounts = ["111111111111"]
pricing_plan = "plan"
"#;

#[test]
fn rules_by_columns_that_files_lack_are_refused_by_name() {
    for (name, reason) in RULED_BY {
        let options = WriteOptions { leave_out: vec![name.to_owned()], ..loose(Form::Cur2Csv) };
        let write = |cost: &Path| drop(write_month(cost, &MONTH.lines, &options));
        let done = Run::new(PERIOD, RULED, write).go();
        done.refused(&["pricing rule `", "cannot be applied: ", reason]);
    }
}

#[test]
fn files_may_lack_every_column_that_is_not_necessary() {
    // Without the columns that tell hours and commitments, none is simulated.
    let without = |leave_out: Vec<String>, form: Form| {
        let options = WriteOptions { leave_out, ..loose(form) };
        let run = Run::new(PERIOD, &BOOK, |cost| drop(write_month(cost, &MONTH.lines, &options)));
        run.with(&["--no-simulation"]).go().succeeded()
    };
    let bills = without(Vec::new(), Form::Cur2Csv).bills();
    for name in UNUSED {
        let done = without(vec![name.to_owned()], Form::Cur2Csv);
        assert!(done.bills() == bills, "without {name}: other bills");
    }
    let is_ruled_by = |name: &&str| RULED_BY.iter().any(|(column, _)| column == name);
    let is_optional = |name: &&str| !NECESSARY.contains(name) && !is_ruled_by(name);
    let optional: Vec<&str> = COLUMNS.iter().map(|column| column.name).filter(is_optional).collect();
    for name in optional.iter().filter(|name| !UNUSED.contains(name)) {
        check_conserved(&without(vec![(*name).to_owned()], Form::Cur2Csv), name);
    }
    let all: Vec<String> =
        optional.iter().chain(&["product", "resource_tags"]).map(ToString::to_string).collect();
    for form in [Form::Cur2Parquet, Form::Cur2Csv, Form::LegacyCsv(Packing::Plain), Form::LegacyParquet] {
        check_conserved(&without(all.clone(), form), "all that is optional");
    }
}

/// Whatever is not known of the lines, their cost is accounted for.
fn check_conserved(done: &Done, without: &str) {
    let reconciliation = done.json("reconciliation.json");
    let expected = MONTH.lines.iter().map(Line::unblended_cost).sum::<testkit::Amount>().to_string();
    let usd = &reconciliation["currencies"]["USD"];
    assert_eq!(text(&usd["cost_files_total"]), expected, "without {without}");
    assert_eq!(usd["difference"], "0", "without {without}");
    assert_eq!(reconciliation["lines"]["rejected"].as_u64(), Some(0), "without {without}");
}
