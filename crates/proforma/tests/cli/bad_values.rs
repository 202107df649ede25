//! Values that a cost file should not have: what is refused, what is rounded, what is kept.

use crate::small_files::{
    BOOK, COLUMNS, COST, PERIOD, PERIOD_START, columns_with, csv, header, parquet, run_of_column,
    run_of_file, run_of_values,
};
use crate::support::Run;
use arrow_array::{ArrayRef, Float32Array, Float64Array, StringArray, TimestampMillisecondArray};
use parquet::file::properties::WriterProperties;
use std::fs;
use std::sync::Arc;

/// A column of doubles by their digits.
fn doubles(digits: &[&str]) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(digits.iter().map(|text| text.parse().expect("a double"))))
}

#[test]
fn costs_that_are_not_finite_are_rejected_by_row() {
    let finite = "expected digits";
    for value in ["NaN", "inf", "-inf"] {
        let words = ["lines.parquet:row group 0:row 2:line_item_unblended_cost", "is not finite"];
        run_of_column(COST, doubles(&["1", value, "2"])).go().refused(&words).said(&[&format!("`{value}`")]);
        let single = ["1", value, "2"].map(|text| text.parse().expect("a float"));
        run_of_column(COST, Arc::new(Float32Array::from_iter_values(single))).go().refused(&words);
    }
    for value in ["NaN", "Infinity", "-Infinity", "inf"] {
        let words =
            ["lines.csv:row 2:line_item_unblended_cost", &format!("`{value}` is not a number"), finite];
        run_of_values(COST, &["1", value, "2"]).go().refused(&words).said(&["--accept-rejects"]);
    }
}

#[test]
fn a_usage_amount_that_is_no_number_is_rejected_too() {
    let words = ["row 1:line_item_usage_amount", "`NaN`", "not finite"];
    run_of_column("line_item_usage_amount", doubles(&["NaN"])).go().refused(&words);
}

#[test]
fn minus_zero_is_zero() {
    for run in [
        run_of_column(COST, doubles(&["-0.0", "-0.0"])),
        run_of_values(COST, &["-0", "-0.0", "-0E-7"]),
        run_of_values(COST, &["-0.0000000000"]),
    ] {
        let done = run.go().totals("0");
        let report = fs::read_to_string(done.out.join("cost-report.json")).expect("a cost report");
        assert!(!report.contains("-0"), "{report}");
    }
}

#[test]
fn doubles_at_the_edges_are_read_exactly() {
    // Below 225,000 ten decimals; whole numbers; above, the shortest digits, which are counted.
    for (digits, total, slow) in [
        (&["224999.9999999999"][..], "224999.9999999999", 0),
        (&["225000"], "225000", 0),
        (&["225000.1"], "225000.1", 1),
        (&["262144"], "262144", 0),
        (&["262143.9999999999", "262144.0000000001"], "524288", 2),
        (&["-262144.5", "0.5"], "-262144", 1),
        (&["0.1", "0.2"], "0.3", 0),
        (&["999999999999"], "999999999999", 0),
        (&["922337203.6854775807", "922337203.75"], "1844674407.4354776", 2),
    ] {
        let done = run_of_column(COST, doubles(digits)).go().totals(total);
        assert_eq!(done.count("numbers", "slow_path"), slow, "{digits:?}");
        assert_eq!(done.stderr.contains("large amounts read by their shortest digits"), slow > 0);
    }
}

#[test]
fn doubles_beyond_any_charge_are_rejected_and_tiny_ones_rounded() {
    for value in ["1e300", "-1e300", "9007199254740993", "1000000000000"] {
        let words = ["row 1:line_item_unblended_cost", "too large", "below 1000000000000"];
        run_of_column(COST, doubles(&[value])).go().refused(&words);
    }
    // 1e-300 and the smallest double there is.
    let done = run_of_column(COST, doubles(&["1e-300", "5e-324", "1"])).go().totals("1");
    assert_eq!(done.count("numbers", "rounded_to_ten_decimals"), 2);
}

#[test]
fn text_numbers_have_one_grammar() {
    let read = ["1e-7", "1E5", "-12.5", "7.32E-7", "0.0104000000", "1e+2", "007", ""];
    let total = "100094.5104008320";
    let total = total.trim_end_matches('0');
    run_of_values(COST, &read).go().totals(total);
    run_of_column(COST, Arc::new(StringArray::from(read.to_vec()))).go().totals(total);
    let long = "9".repeat(400);
    let refused = [
        "+1", " 1", "1 ", "1,000.00", "1_000", "1.23abc", ".5", "5.", "0x10", "१", "-", "--1", "1e",
        "1e1000", "$1", "(1)",
    ];
    for value in refused {
        let words =
            ["row 2:line_item_unblended_cost", &format!("`{value}` is not a number"), "--accept-rejects"];
        run_of_values(COST, &["1", value]).go().refused(&words);
    }
    let columns = |value: &str| -> ArrayRef { Arc::new(StringArray::from(vec!["1", value])) };
    run_of_column(COST, columns("1,5")).go().refused(&["row group 0:row 2", "`1,5` is not a number"]);
    run_of_values(COST, &[&long]).go().refused(&["row 1", "too large", "999…"]);
}

#[test]
fn more_than_ten_decimals_are_rounded_counted_and_the_residue_kept() {
    let values = ["0.123456789012345678", "0.00000000005", "-0.00000000005", "1.00000000000000000000"];
    let done = run_of_values(COST, &values).go().totals("1.123456789");
    assert_eq!(done.count("numbers", "rounded_to_ten_decimals"), 3);
    let numbers = &done.json("reconciliation.json")["numbers"];
    assert_eq!(numbers["rounding_residue"], "0.000000000012345678");
    done.said(&["3 numbers have more than ten decimals", "0.000000000012345678"]);
}

#[test]
fn sums_near_the_ceiling_are_exact_and_beyond_it_an_error() {
    let largest = "999999999999.9999999999";
    let negative = format!("-{largest}");
    run_of_values(COST, &[largest, largest, &negative]).go().totals(largest);
    run_of_values(COST, &[largest; 1000]).go().totals("999999999999999.9999999");
    run_of_values(COST, &[largest; 1001]).go().refused(&["cost", "a class's sum is beyond 1000000000000000"]);
    run_of_values(COST, &["1000000000000"]).go().refused(&["row 1", "too large"]);
    // Around the largest 64-bit integer of ten decimals.
    run_of_values(COST, &["922337203.6854775807", "0.0000000001"]).go().totals("922337203.6854775808");
    run_of_values(COST, &["922337203.6854775808", "-922337203.6854775809"]).go().totals("-0.0000000001");
}

#[test]
fn a_total_over_several_classes_beyond_the_ceiling_is_refused() {
    let line = |usage_type: &str| {
        let fields = COLUMNS.map(|(name, usual)| match name {
            "line_item_unblended_cost" => "999999999999",
            "line_item_usage_type" => usage_type,
            _ => usual,
        });
        fields.join(",") + "\n"
    };
    let text = csv(COST, &[]) + &line("a").repeat(600) + &line("b").repeat(600);
    run_of_file("lines.csv", text).go().refused(&["cost", "the sum of all USD is beyond 1000000000000000"]);
}

#[test]
fn invalid_text_is_rejected_by_row_and_any_valid_text_is_kept() {
    let product = "line_item_product_code";
    let invalid: [&[u8]; 5] = [
        b"\xff",
        b"a\x80",
        b"\xed\xa0\x80", /* lone surrogate */
        b"\xc0\xaf",     /* overlong */
        b"\xf8\x88\x80\x80\x80",
    ];
    for bytes in invalid {
        let (before, after) = csv(product, &["fine", "MARK"]).split_once("MARK").map(owned).expect("a mark");
        let content = [before.as_bytes(), bytes, after.as_bytes()].concat();
        let run = run_of_file("lines.csv", content);
        run.go().refused(&["row 2:line_item_product_code", "not valid UTF-8", "--accept-rejects"]);
        run.with(&["--accept-rejects"]).go().totals("1");
    }
    let combining = format!("e{}", "\u{301}".repeat(1_000));
    let texts =
        ["nul\0", "mark \u{feff} inside", "\u{202e}desrever", &combining, "🧾🚀", "a,\"b\"\nc", " spaces "];
    for text in texts {
        let from_csv = run_of_values(product, &[text]).go().totals("1");
        let column: ArrayRef = Arc::new(StringArray::from(vec![text]));
        let from_parquet = run_of_column(product, column).go().totals("1");
        for done in [from_csv, from_parquet] {
            assert_eq!(done.json("cost-report.json")[0]["product"], text);
        }
    }
}

fn owned((before, after): (&str, &str)) -> (String, String) {
    (before.to_owned(), after.to_owned())
}

#[test]
fn a_parquet_text_that_is_not_utf_8_is_refused_with_its_file() {
    let column: ArrayRef = Arc::new(StringArray::from(vec!["BoxUsage:marked"]));
    let columns = columns_with(1, vec![("line_item_usage_type", column)]);
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_statistics_enabled(parquet::file::properties::EnabledStatistics::None);
    let mut bytes = parquet(columns, properties.build());
    let at = bytes.windows(6).position(|window| window == b"marked").expect("the text");
    bytes[at] = 0xff;
    run_of_file("lines.parquet", bytes).go().refused(&[
        "lines.parquet:row group 0",
        "cannot be decoded",
        "UTF",
    ]);
}

#[test]
fn a_message_escapes_what_a_terminal_would_obey() {
    let run = run_of_values(COST, &["\u{1b}[31m1\u{202e}\u{7}"]).go().refused(&["is not a number"]);
    assert!(!run.stderr.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{:?}", run.stderr);
}

#[test]
fn texts_have_a_longest_length() {
    let usage_type = "line_item_usage_type";
    let (longest, too_long) = ("k".repeat(65_536), "k".repeat(65_537));
    run_of_values(usage_type, &[&longest]).go().totals("1");
    let words = ["row 2:line_item_usage_type", "longer than 65536 bytes", "kkk…"];
    run_of_values(usage_type, &["a", &too_long]).go().refused(&words);
    let column: ArrayRef = Arc::new(StringArray::from(vec!["a", &too_long]));
    run_of_column(usage_type, column).go().refused(&words);
    // In a column that is not read nothing is too long.
    let ten_megabytes = "x".repeat(10 << 20);
    run_of_values("resource_tags", &[&ten_megabytes]).with(&["--worker-memory", "512"]).go().totals("1");
}

#[test]
fn account_ids_are_text() {
    let account = "line_item_usage_account_id";
    let ids = ["11111111111", "1111111111111", "000111111111", "111111111111"];
    let done = run_of_values(account, &ids).go().totals("4");
    assert_eq!((done.count("lines", "rated"), done.count("lines", "ungrouped")), (1, 3));
    let report = done.json("cost-report.json");
    let accounts: Vec<_> =
        report.as_array().expect("rows").iter().filter_map(|row| row["account_id"].as_str()).collect();
    assert_eq!(accounts, ["000111111111", "11111111111", "1111111111111"]);
    run_of_values(account, &["1", ""]).go().refused(&["row 2:line_item_usage_account_id", "empty"]);
}

#[test]
fn an_account_id_with_spaces_is_no_account_of_a_group() {
    let run =
        run_of_values("line_item_usage_account_id", &[" 111111111111", "111111111111 ", "111111111111"]);
    let done =
        run.go().totals("3").said(&["warning: ` 111111111111` is not an account id", "`111111111111 `"]);
    assert_eq!((done.count("lines", "rated"), done.count("lines", "ungrouped")), (1, 2));
}

#[test]
fn each_currency_is_summed_by_itself() {
    let done = run_of_values("line_item_currency_code", &["USD", "JPY", "KWD", "JPY"]).go().totals("1");
    let currencies = &done.json("reconciliation.json")["currencies"];
    let total = |code: &str| currencies[code]["cost_files_total"].clone();
    assert_eq!((total("JPY"), total("KWD")), ("2".into(), "1".into()));
    let groups = done.json("cost-report.json");
    assert_eq!(groups.as_array().map(Vec::len), Some(3), "{groups}");
}

#[test]
fn a_currency_that_is_none_is_rejected() {
    for code in ["", "usd", "US", "USDX", "$", "12A"] {
        let words = ["row 2:line_item_currency_code", "not a currency code"];
        run_of_values("line_item_currency_code", &["USD", code]).go().refused(&words);
    }
}

#[test]
fn an_amount_that_would_mix_currencies_is_refused() {
    let text = csv("pricing_currency", &["CNY"])
        .replace("pricing_currency", "pricing_currency,pricing_public_on_demand_cost");
    let text = text.replace("\"CNY\"", "CNY,7");
    let words =
        ["billed in USD", "list price is in CNY", "mix currencies", "Take account `111111111111` out"];
    run_of_file("lines.csv", text).go().refused(&words);
    let tiers = r#"
[[pricing_rules]]
name = "tiers"
scope = "SKU"
service = "AmazonEC2"
usage_type = "BoxUsage:m5.large"
type = "TIERING"
custom_tiers = [{ begin_range_inclusive = "0", rate_value = "2" }]

[[pricing_plans]]
name = "tiered"
pricing_rules = ["tiers"]
"#;
    let book = BOOK.replace("BasicPricingPlan", "tiered") + tiers;
    let run = Run::new(PERIOD, &book, |folder| {
        let text = csv("line_item_currency_code", &["USD", "EUR"]);
        fs::write(folder.join("lines.csv"), text).expect("a cost file");
    });
    run.go().refused(&["billed in EUR", "rule `tiers`", "currency USD", "mix currencies"]);
}

#[test]
fn instants_in_any_zone_are_the_same_instant() {
    let of_october = [
        "2026-10-01T00:00:00Z",
        "2026-10-01T00:00:00.000Z",
        "2026-10-01T00:00:00+00:00",
        "2026-10-01T05:30:00+05:30",
        "2026-09-30T19:00:00-05:00",
        "2026-10-01T00:00:00",
        "2026-10-01 00:00:00",
        "2026-10-01",
        "2026-10-31T23:59:59.999Z",
        "2026-10-31T23:59:60Z",
        // The day on which clocks in Europe are set back.
        "2026-10-25T02:30:00+01:00",
    ];
    let of_others = ["2026-10-01T00:00:00+05:30", "2026-10-31T23:00:00-05:00", "2026-09-30T23:59:59.999Z"];
    let texts = [&of_october[..], &of_others].concat();
    let count = |count: usize| u64::try_from(count).expect("few");
    let done = run_of_values(PERIOD_START, &texts).go().totals(&of_october.len().to_string());
    assert_eq!(done.count("lines", "passed_by"), count(of_others.len()));
    let column: ArrayRef = Arc::new(StringArray::from(texts));
    let done = run_of_column(PERIOD_START, column).go().totals(&of_october.len().to_string());
    assert_eq!(done.count("lines", "passed_by"), count(of_others.len()));
}

#[test]
fn a_billing_period_that_is_no_instant_is_rejected() {
    let odd = [
        "",
        "0001-01-01T00:00:00Z",
        "9999-12-31T00:00:00Z",
        "2026-13-01",
        "2026-10-32",
        "01/10/2026",
        "1790812800",
    ];
    for text in odd {
        let words = [
            "row 2:bill_billing_period_start_date",
            "not a readable billing period start",
            "--accept-rejects",
        ];
        run_of_values(PERIOD_START, &["2026-10-01", text]).go().refused(&words).said(&[&format!("`{text}`")]);
    }
    let instants =
        TimestampMillisecondArray::from(vec![Some(1_790_812_800_000), Some(i64::MAX), Some(i64::MIN), None]);
    let words = ["row group 0:row 2", "seconds` is not a readable", "row 3", "row 4"];
    run_of_column(PERIOD_START, Arc::new(instants)).go().refused(&words);
}

#[test]
fn lines_belong_to_their_billing_period_in_every_month() {
    // Two years with a leap day, and a February of 2100, which has none.
    let months: Vec<(u16, u8)> = (0..24)
        .map(|n| (2023 + (10 + n) / 12, (10 + n) % 12 + 1))
        .chain([(2100, 2), (2100, 3)])
        .map(|(year, month)| (year, u8::try_from(month).expect("a month")))
        .collect();
    let name = |(year, month): (u16, u8)| format!("{year}-{month:02}");
    let mut text = format!("{},line_item_usage_start_date\n", header());
    for (cost, month) in (1..).zip(&months) {
        // A month costs two lines of its number: one of the first hour, one of the last second with a fee of the next month.
        for start in [
            format!("{}-01T00:00:00Z", name(*month)),
            format!("{}-{}T23:59:59Z", name(*month), days_in(*month)),
        ] {
            let (cost, next) = (cost.to_string(), "2199-01-01T00:00:00Z");
            let fields = COLUMNS.map(|(column, usual)| match column {
                PERIOD_START => start.as_str(),
                COST => cost.as_str(),
                _ => usual,
            });
            text += &format!("{},{next}\n", fields.join(","));
        }
    }
    for (cost, month) in (1..).zip(&months) {
        let run = Run::new(&name(*month), BOOK, |folder| {
            fs::write(folder.join("lines.csv"), &text).expect("a cost file")
        });
        let done = run.go().totals(&(cost * 2).to_string());
        assert_eq!((done.count("lines", "rated"), done.count("lines", "passed_by")), (2, 50));
        assert_eq!(done.count("lines", "usage_outside_period"), 2);
    }
}

fn days_in((year, month): (u16, u8)) -> u8 {
    match month {
        2 if year == 2024 => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[test]
fn rejected_rows_are_left_out_and_listed_when_they_are_accepted() {
    let values: Vec<String> =
        (0..150).map(|n| if n % 3 == 0 { "1".to_owned() } else { format!("x{n}") }).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let done = run_of_values(COST, &values).with(&["--accept-rejects"]).go().totals("50");
    assert_eq!((done.count("lines", "read"), done.count("lines", "rejected")), (150, 100));
    let list = fs::read_to_string(done.out.join("rejected-lines.csv")).expect("a list of rejected lines");
    assert_eq!(list.lines().count(), 101);
    assert_eq!(list.lines().next(), Some("file,row_group,row,column,value,reason"));
    let first =
        "lines.csv,,2,line_item_unblended_cost,x1,not a number; expected digits like `-12.5` or `7.32E-7`";
    assert_eq!(list.lines().nth(1), Some(first));
    done.said(&["100 lines rejected, listed in rejected-lines.csv"]);
    let clean = run_of_values(COST, &["1"]).with(&["--accept-rejects"]).go().totals("1");
    assert!(!clean.out.join("rejected-lines.csv").exists());
}

#[test]
fn many_problems_are_shown_at_once_up_to_a_limit() {
    let bad = vec!["bad"; 250];
    let done = run_of_values(COST, &bad).go().refused(&["row 1:", "row 100:", "… and 150 more"]);
    assert_eq!(done.stderr.matches("error: lines.csv:row").count(), 100);
    assert!(!done.stderr.contains("row 101:"));
    // Two problems on each row.
    let text = csv(COST, &["bad"; 60]).replace(",1,\"bad\"", ",worse,\"bad\"");
    run_of_file("lines.csv", text).go().refused(&["`worse`", "… and 20 more"]);
}

/// A run of one line under the book with more in it.
fn run_of_book(more: &str) -> Run {
    Run::new(PERIOD, &format!("{BOOK}{more}"), |folder| {
        fs::write(folder.join("lines.csv"), csv(COST, &["1"])).expect("a cost file");
    })
}

#[test]
fn percentages_outside_their_limits_are_refused() {
    for (kind, percentage, reason) in [
        ("MARKUP", "NaN", "`NaN`"),
        ("MARKUP", "-1", "`-1` is negative"),
        ("MARKUP", "100.00005", "more than 4 decimals"),
        ("MARKUP", "1e9", "`1e9`"),
        ("DISCOUNT", "100.005", "at most 100"),
    ] {
        let rule = format!(
            "\n[[pricing_rules]]\nname = \"r\"\nscope = \"GLOBAL\"\ntype = \"{kind}\"\n\
             modifier_percentage = \"{percentage}\"\n"
        );
        run_of_book(&rule).go().refused(&["book.toml:", "modifier_percentage", reason]);
    }
}

#[test]
fn charges_beyond_what_aws_allows_are_warned_of() {
    for (charge, warning) in [
        ("percentage_value = \"10001\"", "AWS allows at most 10,000 %"),
        ("flat_charge_value = \"1000000.01\"", "AWS allows at most 1,000,000"),
    ] {
        let item = format!(
            "\n[[custom_line_items]]\nname = \"fee\"\ndescription = \"fee\"\nbilling_group = \"acme\"\n\
             type = \"FEE\"\nstart = \"2026-01\"\n{charge}\n"
        );
        run_of_book(&item).go().totals("1").said(&["warning: ", "book.toml:", warning]);
    }
}
