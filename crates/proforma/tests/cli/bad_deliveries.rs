//! Deliveries that are incomplete, doubled, foreign, hostile, or change while they are read.

use crate::small_files::{
    BOOK, COLUMNS, COST, PERIOD, csv, header, make_pipe, make_sparse, run_of_file, run_of_values,
};
use crate::support::Run;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use testkit::write::{Delivery, Packing, manifest_path};
use testkit::{Form, Line, WriteOptions, write_month};

const ACCOUNT: &str = "111111111111";

/// What an export with a manifest has by default.
fn options() -> WriteOptions {
    WriteOptions { files: 2, ..WriteOptions::new(Form::Cur2Csv, PERIOD) }
}

/// Two lines that cost 3 together, in two files.
fn lines() -> Vec<Line> {
    ["1", "2"].map(|cost| Line::usage(ACCOUNT, "AmazonEC2", "BoxUsage", cost)).into()
}

/// A run over an export whose manifest was edited.
fn run_of_manifest(options: &WriteOptions, edit: impl FnOnce(&Path, &mut Value)) -> Run {
    Run::new(PERIOD, BOOK, |folder| {
        write_month(folder, &lines(), options);
        let path = manifest_path(folder, options).expect("a manifest");
        let mut manifest = serde_json::from_slice(&fs::read(&path).expect("a manifest")).expect("JSON");
        edit(folder, &mut manifest);
        fs::write(&path, manifest.to_string()).expect("a manifest");
    })
}

fn data_files(manifest: &mut Value) -> &mut Vec<Value> {
    manifest["dataFiles"].as_array_mut().expect("a list of files")
}

#[test]
fn a_manifest_lists_what_is_read() {
    run_of_manifest(&options(), |_, _| {}).go().totals("3");
    let run = run_of_manifest(&options(), |folder, manifest| {
        data_files(manifest).pop();
        fs::write(folder.join("stray.csv"), csv(COST, &["50"])).expect("a file");
    });
    let done = run.go().totals("1").said(&["`stray.csv` was not read: not in the manifest"]);
    let passed_by = &done.json("reconciliation.json")["files_passed_by"];
    assert_eq!(passed_by.as_object().map(serde_json::Map::len), Some(2), "{passed_by}");
}

#[test]
fn a_folder_without_a_manifest_is_read_as_a_whole() {
    let loose = WriteOptions { delivery: Delivery::Loose, ..options() };
    let run = Run::new(PERIOD, BOOK, |folder| drop(write_month(folder, &lines(), &loose)));
    run.go().totals("3");
    let empty = Run::new(PERIOD, BOOK, |_| {});
    empty.go().refused(&["cost: has no manifest and no .csv, .gz, .zip or .parquet file", "--cost"]);
}

#[test]
fn a_listed_file_that_is_absent_is_refused() {
    let run = run_of_manifest(&options(), |_, manifest| {
        data_files(manifest).push(json!("s3://example-bucket/exports/cost-report/data/gone-00003.csv.gz"));
        data_files(manifest).push(json!("s3://example-bucket/exports/cost-report/data/gone-00004.csv.gz"));
    });
    let words = [
        "cost-report-Manifest.json: `exports/cost-report/data/gone-00003.csv.gz` is listed",
        "not there",
        "gone-00004",
        "copy the whole delivery",
    ];
    run.go().refused(&words);
}

#[test]
fn a_file_that_is_listed_twice_is_refused() {
    let run = run_of_manifest(&options(), |_, manifest| {
        let first = data_files(manifest)[0].clone();
        data_files(manifest).push(first);
    });
    run.go().refused(&["cost-report-Manifest.json", "cost-report-00001.csv.gz` is listed twice"]);
}

#[test]
fn keys_that_leave_the_delivery_are_refused() {
    for key in [
        "../../../etc/passwd",
        "s3://example-bucket/exports/../../secret.csv.gz",
        "s3://example-bucket/exports//double.csv.gz",
        "exports/./here.csv.gz",
        "exports\\windows.csv.gz",
        "s3://bucket-without-key",
        "file:///etc/passwd",
        "nul\0.csv.gz",
        "",
    ] {
        let run = run_of_manifest(&options(), |_, manifest| data_files(manifest).push(json!(key)));
        let words = [
            "cost-report-Manifest.json: `",
            "is a key that leaves the delivery's own folders",
            "do not use it",
        ];
        run.go().refused(&words);
    }
    // A report with an empty prefix has such keys; it is looked for below the given folder like any other.
    let run = run_of_manifest(&options(), |_, manifest| data_files(manifest).push(json!("/etc/passwd")));
    run.go().refused(&["`etc/passwd` is listed in the manifest, but not there"]);
    let run = run_of_manifest(&options(), |_, manifest| data_files(manifest).push(json!(7)));
    run.go().refused(&["cost-report-Manifest.json", "lists a key that is not text"]);
}

#[test]
fn the_bucket_of_a_key_does_not_matter_to_a_copy_of_it() {
    let run = run_of_manifest(&options(), |_, manifest| {
        for key in data_files(manifest) {
            *key = json!(key.as_str().expect("a key").replace("example-bucket", "another-bucket"));
        }
    });
    run.go().totals("3");
}

#[test]
fn a_manifest_that_is_not_complete_is_refused() {
    let whole = json!({ "exportName": "cost-report", "dataFiles": ["a.csv"] }).to_string();
    let utf_16: Vec<u8> = whole.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let half = whole.as_bytes()[..whole.len() / 2].to_vec();
    let contents = [
        half,
        utf_16,
        Vec::new(),
        b"[]".to_vec(),
        b"{}".to_vec(),
        b"{\"dataFiles\": 1}".to_vec(),
        b"\xff\xfe".to_vec(),
    ];
    for content in contents {
        let run = Run::new(PERIOD, BOOK, |folder| {
            fs::write(folder.join("cost-report-Manifest.json"), &content).expect("a manifest");
            fs::write(folder.join("a.csv"), csv(COST, &["1"])).expect("a cost file");
        });
        let words =
            ["cost-report-Manifest.json: ", "hint: AWS writes it last; wait until the delivery is complete"];
        let done = run.go().refused(&words);
        let reasons = ["not a complete JSON manifest", "has neither `reportKeys` nor `dataFiles`"];
        assert!(reasons.iter().any(|reason| done.stderr.contains(reason)), "{}", done.stderr);
    }
}

#[test]
fn a_manifest_of_more_files_than_are_read_is_refused() {
    let run = run_of_manifest(&options(), |_, manifest| {
        data_files(manifest).extend((0..1_000_000).map(|number| json!(format!("d/{number}.csv.gz"))));
    });
    run.go().refused(&["cost-report-Manifest.json: lists 1000002 files; at most 100000 are read", "hint: "]);
}

#[test]
fn a_manifest_for_another_month_is_refused() {
    let run = run_of_manifest(&WriteOptions { period: "2026-09".to_owned(), ..options() }, |_, _| {});
    run.go().refused(&["cost: has no manifest for 2026-10, only for 2026-09", "check --period"]);
    let by_itself = Run::of_paths(PERIOD, BOOK, |folder| {
        let options = WriteOptions { period: "2026-09".to_owned(), ..options() };
        write_month(folder, &lines(), &options);
        vec![manifest_path(folder, &options).expect("a manifest")]
    });
    by_itself.go().refused(&["is the manifest of 2026-09, not of 2026-10", "check --period"]);
}

#[test]
fn two_exports_of_one_month_are_refused() {
    let run = Run::new(PERIOD, BOOK, |folder| {
        for name in ["daily", "hourly"] {
            write_month(folder, &lines(), &WriteOptions { name: name.to_owned(), ..options() });
        }
    });
    let words = [
        "several exports cover 2026-10",
        "daily-Manifest.json`",
        "hourly-Manifest.json`",
        "count cost twice",
        "give one manifest with --cost",
    ];
    run.go().refused(&words);
    let of_two_folders = Run::of_paths(PERIOD, BOOK, |folder| {
        let export = |name: &str| {
            write_month(&folder.join(name), &lines(), &WriteOptions { name: name.to_owned(), ..options() });
            folder.join(name)
        };
        vec![export("daily"), export("hourly")]
    });
    of_two_folders.go().refused(&["daily-Manifest.json", "covers 2026-10, and so does", "give one export"]);
}

#[test]
fn an_older_version_beside_the_newest_is_not_read() {
    for form in [Form::Cur2Csv, Form::LegacyCsv(Packing::Gzip)] {
        let delivery = Delivery::KeepVersions { with_older: true };
        let kept = WriteOptions { form, delivery, ..options() };
        let run = Run::new(PERIOD, BOOK, |folder| drop(write_month(folder, &lines(), &kept)));
        run.go().totals("3").said(&["was not read: not in the manifest"]);
    }
}

#[test]
fn the_same_delivery_twice_is_refused() {
    let text = csv(COST, &["1", "2"]);
    let copies = Run::new(PERIOD, BOOK, |folder| {
        fs::write(folder.join("a.csv"), &text).expect("a cost file");
        fs::write(folder.join("b.csv"), &text).expect("a cost file");
    });
    copies.go().refused(&[
        "b.csv: has the same content as `a.csv`",
        "count cost twice",
        "remove one of them",
    ]);
    let twice = Run::of_paths(PERIOD, BOOK, |folder| {
        fs::write(folder.join("a.csv"), &text).expect("a cost file");
        vec![folder.to_owned(), folder.join("a.csv")]
    });
    twice.go().refused(&["a.csv: is given twice", "name each cost file or folder once"]);
    let through_link = Run::of_paths(PERIOD, BOOK, |folder| {
        fs::write(folder.join("a.csv"), &text).expect("a cost file");
        std::os::unix::fs::symlink(folder.join("a.csv"), folder.join("z.csv")).expect("a link");
        vec![folder.join("a.csv"), folder.join("z.csv")]
    });
    through_link.go().refused(&["is given twice"]);
    let unpacked = Run::new(PERIOD, BOOK, |folder| {
        fs::write(folder.join("a.csv"), &text).expect("a cost file");
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(text.as_bytes()).expect("a packed file");
        fs::write(folder.join("a.csv.gz"), packed.finish().expect("a packed file")).expect("a cost file");
    });
    unpacked.go().refused(&["a.csv.gz: is `a.csv` in another packing", "count cost twice"]);
}

#[test]
fn lines_of_another_payer_are_refused() {
    let payer = "bill_payer_account_id";
    let words =
        ["lines of several payer accounts: `888888888888` (first in `lines.csv`), `999999999999`", "--cost"];
    run_of_values(payer, &["999999999999", "888888888888"]).go().refused(&words);
    let words = [
        "the cost files are of payer account `888888888888`, the book of `999999999999`",
        "payer_account_id",
    ];
    run_of_values(payer, &["888888888888"]).go().refused(&words);
    let words = ["lines.csv:row 1:bill_payer_account_id: `me` is not an account id"];
    run_of_values(payer, &["me", "me"]).go().refused(&words);
    run_of_values(payer, &["999999999999", ""])
        .go()
        .refused(&["several payer accounts: `` (first in `lines.csv`)"]);
    let two_files = Run::new(PERIOD, BOOK, |folder| {
        fs::write(folder.join("a.csv"), csv(payer, &["999999999999"])).expect("a cost file");
        fs::write(folder.join("b.csv"), csv(payer, &["888888888888"])).expect("a cost file");
    });
    two_files.go().refused(&["`888888888888` (first in `b.csv`)", "`999999999999` (first in `a.csv`)"]);
}

#[test]
fn lines_of_other_months_are_passed_by_and_counted() {
    let start = "bill_billing_period_start_date";
    let months = ["2026-10-01", "2026-09-01", "2026-11-01", "2025-10-01", "2026-10-01"];
    let done = run_of_values(start, &months).go().totals("2");
    assert_eq!((done.count("lines", "read"), done.count("lines", "passed_by")), (5, 3));
    done.said(&["note: 3 lines of other billing periods passed by"]);
    // What is wrong with a line of another month is not this month's matter.
    let other = csv(COST, &["1"])
        + &line_with(&[(start, "2026-09-01"), (COST, "oops"), ("bill_payer_account_id", "1")]);
    run_of_file("lines.csv", other).go().totals("1");
}

/// A line with some other values.
fn line_with(others: &[(&str, &str)]) -> String {
    let value = |name: &str| others.iter().find(|(other, _)| *other == name).map(|(_, value)| *value);
    COLUMNS.map(|(name, usual)| value(name).unwrap_or(usual)).join(",") + "\n"
}

#[test]
fn odd_intervals_are_kept_in_their_billing_period() {
    let text = format!("{},line_item_usage_start_date,line_item_usage_end_date\n", header());
    let line = line_with(&[]).trim_end().to_owned();
    let intervals = [
        ("2026-10-31T00:00:00Z", "2026-10-01T00:00:00Z"),
        ("2026-09-01T00:00:00Z", "2026-09-30T00:00:00Z"),
        ("2027-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("2026-10-01T00:00:00Z", "2026-10-01T00:00:00Z"),
        ("", ""),
        ("never", "ever"),
    ];
    let lines: String = intervals.iter().map(|(start, end)| format!("{line},{start},{end}\n")).collect();
    let done = run_of_file("lines.csv", text + &lines).go().totals("6");
    assert_eq!(done.count("lines", "usage_outside_period"), 2);
    done.said(&["note: 2 lines of the period whose usage starts outside of it, kept"]);
}

#[test]
fn a_period_that_is_none_is_refused() {
    for period in
        ["2026-13", "2026-00", "2026-1", "2026", "26-10", "2026-10-01", "october", "", "2026/10", "२०२६-१०"]
    {
        let run = Run::new(period, BOOK, |folder| {
            fs::write(folder.join("lines.csv"), csv(COST, &["1"])).expect("a cost file");
        });
        run.go().refused(&[&format!("`{period}`"), "YYYY-MM"]);
    }
}

#[test]
fn lines_that_come_twice_are_counted_and_summed_as_aws_does() {
    let text = format!("{},identity_line_item_id,identity_time_interval\n", header());
    let line = line_with(&[]).trim_end().to_owned();
    let interval = |hour: u8| format!("2026-10-01T{hour:02}:00:00Z/2026-10-01T{:02}:00:00Z", hour + 1);
    let ids = [("a", 1), ("a", 2), ("b", 1), ("a", 1), ("a", 1)];
    let lines: String = ids.iter().map(|(id, hour)| format!("{line},{id},{}\n", interval(*hour))).collect();
    let text = text + &lines;
    let done = run_of_file("lines.csv", &text).with(&["--check-line-ids"]).go().totals("5");
    assert_eq!(done.count("lines", "duplicates"), 2);
    done.said(&["note: 2 lines whose id and interval come twice, kept"]);
    let unchecked = run_of_file("lines.csv", &text).go().totals("5");
    assert!(unchecked.json("reconciliation.json")["lines"]["duplicates"].is_null());
    let without_ids =
        run_of_file("lines.csv", csv(COST, &["1", "1"])).with(&["--check-line-ids"]).go().totals("2");
    without_ids.said(&["warning: `lines.csv` has no line ids and intervals", "duplicates"]);
}

#[test]
fn lines_of_an_unknown_type_are_kept_apart_and_named() {
    let done = run_of_values("line_item_line_item_type", &["Usage", "QuantumSurcharge", "QuantumSurcharge"])
        .go()
        .totals("3");
    let found = &done.json("reconciliation.json")["unknown_line_item_types"]["QuantumSurcharge"];
    assert_eq!(found, &json!({ "lines": 2, "cost": "2" }));
    done.said(&[
        "warning: line item type `QuantumSurcharge` is unknown: 2 lines of 2 are on no pro forma bill",
    ]);
}

#[test]
fn a_discount_that_is_told_twice_is_warned_of() {
    let run = |discount: Line, currency: &str| {
        let usage = Line::usage(ACCOUNT, "AmazonEC2", "BoxUsage", "100").netting("90").in_currency(currency);
        let lines = [usage, Line::usage(ACCOUNT, "AmazonEC2", "BoxUsage", "1").netting("1"), discount];
        Run::new(PERIOD, BOOK, |folder| {
            drop(write_month(folder, &lines, &WriteOptions::new(Form::Cur2Parquet, PERIOD)))
        })
    };
    let discount = || Line::charge("EdpDiscount", ACCOUNT, "AmazonEC2", "-10");
    let warning = "warning: discount lines of -10";
    run(discount(), "USD")
        .go()
        .totals("81")
        .said(&[&format!("{warning} USD have no net cost while other lines have")]);
    let euro = run(discount().in_currency("EUR"), "EUR").go().totals("1");
    euro.said(&[&format!("{warning} EUR")]);
    // With a net cost of its own, or without net columns, the discount is told once.
    let once = run(discount().netting("0"), "USD").go().totals("91");
    assert!(!once.stderr.contains(warning), "{}", once.stderr);
}

#[test]
fn only_regular_files_are_read() {
    let of_path = |make: &dyn Fn(&Path) -> PathBuf| Run::of_paths(PERIOD, BOOK, |folder| vec![make(folder)]);
    let pipe = |folder: &Path| {
        make_pipe(&folder.join("pipe.csv"));
        folder.join("pipe.csv")
    };
    of_path(&pipe).go().refused(&["pipe.csv: is not a regular file"]);
    of_path(&|_| PathBuf::from("/dev/zero")).go().refused(&["/dev/zero: is not a regular file"]);
    of_path(&|folder| folder.join("nowhere.csv")).go().refused(&["nowhere.csv: cannot be read", "--cost"]);
    of_path(&|_| PathBuf::from("gs://bucket/cur"))
        .go()
        .refused(&["`gs://` locations are not read", "copy the delivery"]);
    // In a folder: passed by, and said so.
    let run = Run::new(PERIOD, BOOK, |folder| {
        let elsewhere = folder.parent().expect("a parent").join("elsewhere.csv");
        fs::write(&elsewhere, csv(COST, &["40"])).expect("a cost file");
        std::os::unix::fs::symlink(&elsewhere, folder.join("link.csv")).expect("a link");
        std::os::unix::fs::symlink(folder, folder.join("loop.csv")).expect("a link");
        pipe(folder);
        fs::create_dir(folder.join("folder.csv")).expect("a folder");
        fs::write(folder.join("folder.csv/lines.csv"), csv(COST, &["2"])).expect("a cost file");
    });
    let done = run.go().totals("2");
    done.said(&[
        "`link.csv` was not read",
        "`loop.csv` was not read",
        "`pipe.csv` was not read",
        "link, a pipe or a device",
    ]);
    // A link that is named is followed to its file.
    let run = Run::of_paths(PERIOD, BOOK, |folder| {
        fs::write(folder.join("lines.csv"), csv(COST, &["2"])).expect("a cost file");
        std::os::unix::fs::symlink(folder.join("lines.csv"), folder.join("link.csv")).expect("a link");
        vec![folder.join("link.csv")]
    });
    run.go().totals("2");
}

#[test]
fn a_file_of_a_tebibyte_of_nothing_is_refused_soon() {
    for (name, start) in
        [("lines.csv", csv(COST, &["1"])), ("lines.csv", String::new()), ("lines.parquet", "PAR1".to_owned())]
    {
        let run = Run::new(PERIOD, BOOK, |folder| make_sparse(&folder.join(name), &start, 1 << 40));
        let done = run.with(&["--worker-memory", "512", "--worker-cpu", "20"]).go();
        done.refused(&[name, "hint: copy the file again"]);
    }
}

/// Runs over files that another thread keeps changing.
fn go_while(run: &Run, change: impl Fn(u64) + Sync) -> crate::support::Done {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| (0..).take_while(|_| !stop.load(Ordering::Relaxed)).for_each(&change));
        let done = run.go();
        stop.store(true, Ordering::Relaxed);
        done
    })
}

#[test]
fn a_manifest_that_changes_while_the_month_is_read_is_never_mixed() {
    let many = vec![Line::usage(ACCOUNT, "AmazonEC2", "BoxUsage", "1"); 4_000];
    let run = Run::new(PERIOD, BOOK, |folder| drop(write_month(folder, &many, &options())));
    let cost = run.folder.path().join("cost");
    let draft = run.folder.path().join("draft");
    let path = manifest_path(&cost, &options()).expect("a manifest");
    let manifest: Value = serde_json::from_slice(&fs::read(&path).expect("a manifest")).expect("JSON");
    let done = go_while(&run, |number| {
        let mut newer = manifest.clone();
        newer["executionId"] = json!(format!("execution-{number}"));
        fs::write(&draft, newer.to_string()).and_then(|()| fs::rename(&draft, &path)).expect("a manifest");
    });
    done.refused(&[
        "cost: changed 3 times while it was read",
        "AWS is delivering; run again when it has finished",
    ]);
}

#[test]
fn a_file_that_changes_while_it_is_read_is_refused() {
    let run = run_of_file("lines.csv", csv(COST, &["1"; 4_000]));
    let path = run.folder.path().join("cost/lines.csv");
    let done = go_while(&run, |_| {
        use std::io::Write;
        let mut file = fs::File::options().append(true).open(&path).expect("the cost file");
        file.write_all(line_with(&[]).as_bytes()).expect("room for a line");
        std::thread::sleep(std::time::Duration::from_millis(1));
    });
    done.refused(&["changed 3 times while it was read", "run again when it has finished"]);
}

#[test]
fn a_file_that_is_replaced_while_it_is_read_is_read_as_one_of_both() {
    // Both files cost as much as they have lines, and each has its own hash.
    let texts = [vec!["1"; 3_000], vec!["1"; 5_000]].map(|values| csv(COST, &values));
    let run = run_of_file("lines.csv", &texts[0]);
    let known = [("3000", &texts[0]), ("5000", &texts[1])].map(|(total, text)| {
        let done = run_of_file("lines.csv", text).go().totals(total);
        (total, done.json("reconciliation.json")["files"][0]["sha256"].as_str().expect("a hash").to_owned())
    });
    let path = run.folder.path().join("cost/lines.csv");
    let draft = run.folder.path().join("draft");
    let run = run.with(&["--force"]);
    let done = go_while(&run, |number| {
        let text = &texts[usize::try_from(number % 2).expect("0 or 1")];
        fs::write(&draft, text).and_then(|()| fs::rename(&draft, &path)).expect("a cost file");
    });
    let done = done.succeeded();
    let found = done.json("reconciliation.json");
    let total = found["currencies"]["USD"]["cost_files_total"].as_str().expect("a total").to_owned();
    let hash = found["files"][0]["sha256"].as_str().expect("a hash").to_owned();
    assert!(known.contains(&(total.as_str(), hash)), "{found}");
}
