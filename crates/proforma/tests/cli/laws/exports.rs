//! The laws of exported files: they sum to the statements, hold every line of the bill once, and know nothing of other customers.

use super::{Case, PERIOD, run_with, seeds};
use crate::exported::{Row, cause, exact, rows_of, totals, value};
use crate::reports::{files, list, text};
use crate::support::{Done, Run};
use flate2::read::GzDecoder;
use std::collections::BTreeMap;
use std::io::Read;
use testkit::book::{BillingGroup, SampleBook};
use testkit::oracle::{self, Exact, Treatment};
use testkit::random::Random;
use testkit::write::{Delivery, Order};
use testkit::{Amount, Form, Line, write_month};

/// The layout of a form's own files.
pub fn layout(form: Form) -> &'static str {
    match form {
        Form::Cur2Parquet | Form::Cur2Csv => "cur2",
        Form::LegacyCsv(_) | Form::LegacyParquet => "cur",
        Form::Focus(_) => "focus",
    }
}

/// A run that exports its lines, in another format than its cost files for some seeds.
fn exported(case: &Case, more: &[&str]) -> Done {
    let format: &[&str] = match case.seed % 3 {
        0 => &["--export-format", "csv"],
        1 => &["--export-format", "parquet"],
        _ => &[],
    };
    let arguments = [&["--export", layout(case.options.form)], format, more].concat();
    run_with(&case.book, &case.month.lines, &case.options, &arguments)
}

/// Every form once, and then some.
fn cases(count: u64) -> impl Iterator<Item = Case> {
    seeds(count).map(|seed| {
        let mut case = Case::of(seed);
        if !case.has_large_amounts() {
            case.options.form = Form::ALL[usize::try_from(seed).expect("a small seed") % Form::ALL.len()];
        }
        case
    })
}

#[test]
fn every_file_sums_to_its_statement_and_holds_the_lines_of_the_bill() {
    let (mut residues, mut cut_lines) = (0, 0);
    for case in cases(12) {
        let done = exported(&case, &[]);
        let bill = oracle::price(&case.month.lines, &case.book, &case.month.period);
        for group in &case.book.billing_groups {
            let rows = rows_of(&done.exports(), &group.name);
            let mut statement = done.statement_totals(&group.name);
            statement.retain(|_, total| !total.is_zero());
            let mut of_file = totals(&rows);
            of_file.retain(|_, total| !total.is_zero());
            assert_eq!(of_file, statement, "{}", group.name);
            let mut on_bill = of_bill(&case, &bill, group);
            on_bill.retain(|line| !is_simulated_negation(&done, line));
            let (added, lines): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| cause(row).is_some());
            let further = lines.iter().filter(|row| is_further(row)).count();
            assert_eq!(lines.len() - further, on_bill.len(), "{}: lines", group.name);
            cut_lines += further;
            check_added_rows(&done, group, &added);
            residues += check_residues(&rows);
            if !case.has_large_amounts() {
                assert_eq!(usage_of_rows(&lines), usage_of_lines(&on_bill), "{}", group.name);
            }
        }
    }
    assert!(residues > 0, "no file has a residue row");
    assert!(cut_lines > 0, "no line is covered in part, or by a Savings Plan");
}

/// Whether a line is a negation of the real bill whose commitment was simulated: the covered rows have their own.
fn is_simulated_negation(done: &Done, line: &Line) -> bool {
    let arn = line.savings_plan_savings_plan_a_r_n.as_deref();
    let is_told = || {
        let told = &done.json("commitments.json");
        told["why_not"].is_null()
            && list(&told["inventory"]["savings_plans"]).iter().any(|plan| plan["arn"].as_str() == arn)
    };
    line.line_item_line_item_type.as_deref() == Some("SavingsPlanNegation") && is_told()
}

/// Whether a row is a further one of a line that commitments cover in part, or that a Savings Plan covers.
fn is_further(row: &Row) -> bool {
    let id = row.get("identity_line_item_id").map_or("", String::as_str);
    ["/covered-", "/negation-", "/rest"].iter().any(|mark| id.contains(mark))
}

/// The lines of a group that its bill has.
fn of_bill<'a>(case: &'a Case, bill: &oracle::Bill, group: &BillingGroup) -> Vec<&'a Line> {
    let is_of_group = |line: &Line| {
        let account = line.line_item_usage_account_id.as_deref().unwrap_or_default();
        case.book.group_of(account).is_some_and(|of| of.name == group.name)
    };
    let lines = case.month.lines.iter().zip(&bill.lines);
    let on_bill = lines.filter(|(line, priced)| {
        is_of_group(line) && !priced.treatment.is_dropped() && priced.treatment != Treatment::OtherPeriod
    });
    on_bill.map(|(line, _)| line).collect()
}

/// Every custom charge of the statement is a row, and nothing else is but residues.
fn check_added_rows(done: &Done, group: &BillingGroup, added: &[&Row]) {
    let file = done.json(&format!("statements/{}.json", group.name));
    let items = list(&file["statements"]).iter().flat_map(|one| list(&one["custom_line_items"]));
    let mut expected: Vec<String> =
        items.map(|item| format!("customlineitem/{}", text(&item["name"]))).collect();
    let mut found: Vec<String> = added.iter().filter_map(|row| cause(row)).map(str::to_owned).collect();
    found.retain(|cause| *cause != format!("residue/{PERIOD}"));
    expected.sort();
    found.sort();
    assert_eq!(found, expected, "{}", group.name);
    for row in added {
        assert_eq!(
            value(row, "line_item_resource_id"),
            format!("arn:aws:billingconductor:::{}", cause(row).expect("one"))
        );
        assert!(group.accounts.contains(&value(row, "line_item_usage_account_id").to_owned()), "{row:?}");
    }
}

/// A written amount is within half a unit of its fifteenth digit or fourteenth decimal, whichever is coarser: at most
/// 5 × 10⁻¹⁵ × max(1, |amount|). A share of a pool adds 5 × 10⁻²¹, and the total as shown 5 × 10⁻¹¹. Where commitments are simulated, a
/// statement is cut by hour and class and a file by line: 10⁻¹⁰ for each row that is cut.
fn check_residues(rows: &[Row]) -> usize {
    let (mut bounds, mut residues) = (BTreeMap::new(), 0);
    for row in rows.iter().filter(|row| !is_residue(row)) {
        let amount = exact(row, "line_item_unblended_cost");
        let amount = if amount.is_negative() { -amount } else { amount };
        let cut = Exact::of(if is_further(row) { "0.0000000001" } else { "0" });
        let of_row = Exact::of("0.00000000000000500001").times(&(Exact::of("1") + &amount)) + &cut;
        let bound =
            bounds.entry(value(row, "line_item_currency_code")).or_insert_with(|| Exact::of("0.00000000005"));
        *bound += &of_row;
    }
    for row in rows.iter().filter(|row| is_residue(row)) {
        let residue = exact(row, "line_item_unblended_cost");
        assert!(!residue.is_zero(), "a residue row of nothing");
        let currency = value(row, "line_item_currency_code");
        let bound = bounds.remove(currency).expect("lines, and one residue row at most for a currency");
        for beyond in [bound.clone() - &residue, bound + &residue] {
            assert!(!beyond.is_negative(), "a residue of {residue} {currency}");
        }
        residues += 1;
    }
    residues
}

fn is_residue(row: &Row) -> bool {
    cause(row).is_some_and(|cause| cause.starts_with("residue/"))
}

/// Account, usage type, operation, interval.
type UsageKey = [Option<String>; 4];

const METERED: [&str; 3] = ["Usage", "DiscountedUsage", "SavingsPlanCoveredUsage"];

fn usage_of_lines(lines: &[&Line]) -> BTreeMap<UsageKey, Exact> {
    let mut sums: BTreeMap<UsageKey, Exact> = BTreeMap::new();
    for line in lines {
        if METERED.contains(&line.line_item_line_item_type.as_deref().unwrap_or_default()) {
            let key = [
                line.line_item_usage_account_id.clone(),
                line.line_item_usage_type.clone(),
                line.line_item_operation.clone(),
                line.identity_time_interval.clone(),
            ];
            *sums.entry(key).or_default() += &line.line_item_usage_amount.unwrap_or_default().into();
        }
    }
    sums
}

fn usage_of_rows(rows: &[&Row]) -> BTreeMap<UsageKey, Exact> {
    let columns = [
        "line_item_usage_account_id",
        "line_item_usage_type",
        "line_item_operation",
        "identity_time_interval",
    ];
    let mut sums: BTreeMap<UsageKey, Exact> = BTreeMap::new();
    for row in rows {
        if METERED.contains(&value(row, "line_item_line_item_type")) {
            let key = columns.map(|column| row.get(column).cloned());
            *sums.entry(key).or_default() += &exact(row, "line_item_usage_amount");
        }
    }
    sums
}

#[test]
fn an_export_has_the_same_bytes_with_the_run_later_and_on_any_number_of_threads() {
    for case in cases(4) {
        let first = exported(&case, &["--threads", "1"]);
        let expected = first.exported_files();
        assert!(expected.len() > case.book.billing_groups.len(), "{:?}", expected.keys());
        for threads in ["2", "4"] {
            assert_same(&exported(&case, &["--threads", threads]).exported_files(), &expected, threads);
        }
        let format = if expected.keys().any(|name| name.ends_with(".parquet")) { "parquet" } else { "csv" };
        let folder = tempfile::tempdir().expect("a folder");
        let cost = folder.path().join("cost");
        write_month(&cost, &case.month.lines, &case.options);
        let later = |out: &str, more: &[&str]| {
            let more = [&["--export-format", format], more].concat();
            files(&first.export(&cost, &folder.path().join(out), &more).succeeded().out)
        };
        assert_same(&later("later", &[]), &expected, "later");
        for (number, group) in case.book.billing_groups.iter().enumerate() {
            let mut own = expected.clone();
            own.retain(|name, _| name.starts_with(&format!("{}/", group.name)));
            let mut of_group = later(&format!("group-{number}"), &["--group", &group.name]);
            assert!(of_group.remove("export.json").is_some());
            assert_same(&of_group, &own, &group.name);
        }
    }
}

fn assert_same(found: &BTreeMap<String, Vec<u8>>, expected: &BTreeMap<String, Vec<u8>>, what: &str) {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{what}");
    for (name, bytes) in found {
        let (one, other) = (shown(bytes), shown(&expected[name]));
        let differing = one.iter().zip(&other).find(|(one, other)| one != other);
        assert!(*bytes == expected[name], "{what}: {name} differs: {differing:#?}");
    }
}

/// The lines of a CSV file, so that a difference can be read.
fn shown(bytes: &[u8]) -> Vec<String> {
    let mut text = String::new();
    let unpacked = GzDecoder::new(bytes).read_to_string(&mut text);
    if unpacked.is_ok() { text.lines().map(str::to_owned).collect() } else { Vec::new() }
}

/// Another customer's lines, accounts, prices and tags change, come and go: not a byte of a group's own file does.
///
/// No SKU is tiered here: without a price list, all lines of a month show the tiers, and that is a rule of pricing and not of exports.
#[test]
fn a_groups_file_does_not_depend_on_other_customers() {
    for mut case in cases(9) {
        for line in &mut case.month.lines {
            line.pricing_rate_code = None;
        }
        case.options.delivery = Delivery::Overwrite;
        case.options.order = Order::AsGiven;
        let mut random = Random::new(case.seed ^ 0x150_1A7E);
        random.shuffle(&mut case.month.lines);
        let group = random.pick(&case.book.billing_groups).clone();
        let is_own =
            |line: &Line| group.accounts.contains(line.line_item_usage_account_id.as_ref().expect("one"));
        let file = |lines: &[Line], book: &SampleBook| {
            let arguments = ["--export", layout(case.options.form)];
            let run = Run::new(PERIOD, &book.to_toml(), |cost| drop(write_month(cost, lines, &case.options)));
            let mut files = run.with(&arguments).go().succeeded().exported_files();
            files.retain(|name, _| name.starts_with(&format!("{}/", group.name)));
            files
        };
        let expected = file(&case.month.lines, &case.book);
        assert_eq!(expected.len(), 1);
        let own: Vec<Line> = case.month.lines.iter().filter(|line| is_own(line)).cloned().collect();
        let alone = only_group(&case.book, &group);
        assert_same(&file(&own, &alone), &expected, "alone");
        let changed: Vec<Line> =
            case.month.lines.iter().flat_map(|line| change(line, is_own(line), &mut random)).collect();
        assert_same(&file(&changed, &case.book), &expected, "other lines");
        assert_same(&file(&changed, &alone), &expected, "other lines in no group");
    }
}

/// The book without any other group and what is theirs.
fn only_group(book: &SampleBook, group: &BillingGroup) -> SampleBook {
    let mut book = book.clone();
    book.billing_groups.retain(|other| other.name == group.name);
    book.custom_line_items.retain(|item| item.billing_group == group.name);
    book.accounts.retain(|(account, _)| group.accounts.contains(account));
    book
}

/// Another customer's line: left out, doubled, or with other costs, tags, products and names.
fn change(line: &Line, own: bool, random: &mut Random) -> Vec<Line> {
    if own || random.percent(20) {
        return vec![line.clone()];
    }
    let mut other = line.clone();
    other.line_item_unblended_cost = line.line_item_unblended_cost.map(|cost| Amount(cost.0 / 3));
    other.line_item_net_unblended_cost = Some(Amount(7));
    other.line_item_usage_amount = line.line_item_usage_amount.map(|usage| Amount(usage.0 / 7));
    other.line_item_resource_id = Some(format!("i-{}", random.code(12)));
    other.resource_tags.insert(format!("user_{}", random.code(5).to_lowercase()), random.code(9));
    other.product.insert(format!("attribute{}", random.code(3).to_lowercase()), random.code(9));
    match random.index(3) {
        0 => vec![],
        1 => vec![line.clone(), other],
        _ => vec![other],
    }
}
