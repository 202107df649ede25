//! CSV files that are not as AWS writes them, what they are packed in, and files that hold nothing or far too much.

use crate::small_files::{BOOK, COLUMNS, COST, PERIOD, csv, header, run_of_file};
use crate::support::Run;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs;
use std::io::{Cursor, Write};
use zip::write::{SimpleFileOptions, ZipWriter};

/// A line without the end of its line.
fn line() -> String {
    COLUMNS.map(|(_, usual)| usual).join(",")
}

/// Three lines that cost 3, with `\n` at the end of each.
fn three() -> String {
    csv(COST, &["1", "1", "1"])
}

#[test]
fn a_file_without_lines_is_an_empty_month() {
    for text in [format!("{}\n", header()), header()] {
        let done = run_of_file("lines.csv", text).go().succeeded();
        assert_eq!(done.json("cost-report.json"), serde_json::json!([]));
        assert_eq!((done.count("lines", "read"), done.count("lines", "rated")), (0, 0));
        done.said(&["warning: the cost files have no line of 2026-10: all totals are 0"]);
    }
    let bytes = crate::small_files::parquet(crate::small_files::columns(0), Default::default());
    run_of_file("lines.parquet", bytes)
        .go()
        .succeeded()
        .said(&["warning: the cost files have no line of 2026-10"]);
    let others = csv("bill_billing_period_start_date", &["2026-09-01", "2026-11-01"]);
    let done = run_of_file("lines.csv", others).go().succeeded();
    assert_eq!(done.count("lines", "passed_by"), 2);
    done.said(&["warning: the cost files have no line of 2026-10, only 2 of other months"]);
}

#[test]
fn a_file_without_a_header_is_refused_when_it_is_named_and_passed_by_in_a_folder() {
    let run = Run::of_paths(PERIOD, BOOK, |folder| {
        fs::write(folder.join("empty.csv"), "").expect("a file");
        vec![folder.join("empty.csv")]
    });
    run.go().refused(&["empty.csv: is empty, without even a header"]);
    run_of_file("empty.csv", "").go().refused(&["no cost file among what is there", "`empty.csv` is empty"]);
    let run = Run::new(PERIOD, BOOK, |folder| {
        fs::write(folder.join("empty.csv"), "").expect("a file");
        fs::write(folder.join("lines.csv"), three()).expect("a cost file");
    });
    run.go().totals("3").said(&["note: `empty.csv` was not read: is empty"]);
}

#[test]
fn ends_of_lines_may_be_of_any_kind() {
    let rows = [header(), line(), line(), line()];
    for text in [
        rows.join("\n"),
        rows.join("\r\n"),
        rows.join("\r"),
        rows.join("\n") + "\n\r\n\n",
        [rows[..2].join("\n"), rows[2..].join("\r\n")].join("\r\n"),
        format!("\u{feff}{}", three()),
        format!("\u{feff}\"{}", three().replacen(',', "\",", 1)),
    ] {
        run_of_file("lines.csv", text).go().totals("3");
    }
}

#[test]
fn quotes_enclose_commas_lines_and_quotes() {
    let texts = ["two\nlines", "two\r\nlines", "a \"quoted\" word", "\"", "\"\"\n,", "a,b;c\td", ""];
    let done = run_of_file("lines.csv", csv("line_item_product_code", &texts)).go().totals("7");
    let report = done.json("cost-report.json");
    let mut products: Vec<_> =
        report.as_array().expect("rows").iter().filter_map(|row| row["product"].as_str()).collect();
    products.sort_unstable();
    let mut expected = texts;
    expected.sort_unstable();
    assert_eq!(products, expected);
}

#[test]
fn a_quote_that_is_never_closed_is_refused_with_the_row_where_it_began() {
    let broken = |place: &str| {
        let bad = line().replacen(place, &format!("\"{place}"), 1);
        [header(), line(), bad, line(), line()].join("\n")
    };
    for place in ["999999999999", "Usage", "USD"] {
        let words = ["lines.csv:row 2: a quote that is never closed", "hint: copy the file again"];
        run_of_file("lines.csv", broken(place)).go().refused(&words);
    }
    let header = header().replacen("line_item", "\"line_item", 1);
    run_of_file("lines.csv", format!("{header}\n{}", line())).go().refused(&["a quote that is never closed"]);
}

#[test]
fn a_quote_in_the_middle_of_a_field_is_refused_with_its_row() {
    for bad in
        ["Amazon\"EC2", "Amazon\"EC2\"", "\"Amazon\"EC2", " \"AmazonEC2\"", "\"AmazonEC2\" ", "\"a\"\"\"b\""]
    {
        let row = line().replacen("AmazonEC2", bad, 1);
        let text = [header(), line(), line(), row, line()].join("\n");
        let words = ["lines.csv:row 3: a quote that does not enclose the whole field"];
        run_of_file("lines.csv", text).go().refused(&words);
    }
    // Far behind the first bytes that are read at once.
    let text = format!("{}\n{}{}\n", header(), (line() + "\n").repeat(1_000), line().replacen('U', "U\"", 1));
    run_of_file("lines.csv", text).go().refused(&["row 1001: a quote"]);
}

#[test]
fn rows_of_another_length_are_refused() {
    for (row, reason) in [
        (line() + ",", "10 fields where the header has 9"),
        (line() + ",more,fields", "11 fields where the header has 9"),
        (line().rsplit_once(',').expect("a comma").0.to_owned(), "8 fields where the header has 9"),
        ("total".to_owned(), "1 fields where the header has 9"),
    ] {
        let text = [header(), line(), row, line()].join("\n");
        run_of_file("lines.csv", text).go().refused(&["lines.csv:row 2: ", reason]);
    }
}

#[test]
fn other_separators_are_no_cost_file() {
    for text in [
        three().replace(',', ";"),
        three().replace(',', "\t"),
        format!("sep=,\n{}", three()),
        format!("# exported\n{}", three()),
    ] {
        let run = run_of_file("lines.csv", text).go();
        assert_eq!(run.status, 2, "{}", run.stderr);
        assert!(
            ["missing", "no cost columns"].iter().any(|word| run.stderr.contains(word)),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn the_header_again_is_refused_for_it_is_two_files_in_one() {
    let text = three() + &three();
    run_of_file("lines.csv", text).go().refused(&["lines.csv:row 4: the header again: two files in one"]);
}

/// A gzip member.
fn gzip(content: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content.as_ref()).and_then(|()| encoder.finish()).expect("gzip")
}

#[test]
fn gzip_of_several_members_is_read_and_damaged_gzip_refused() {
    let whole = gzip(three());
    run_of_file("lines.csv.gz", &whole).go().totals("3");
    let text = three();
    let (start, rest) = text.split_at(text.len() / 2);
    run_of_file("lines.csv.gz", [gzip(start), gzip(rest), gzip("")].concat()).go().totals("3");
    // The name does not decide.
    run_of_file("lines.csv", &whole).go().totals("3");
    let cut = |bytes: usize| whole[..whole.len() - bytes].to_vec();
    let mut wrong_sum = whole.clone();
    let at = whole.len() - 6;
    wrong_sum[at] ^= 1;
    let mut wrong_length = whole.clone();
    *wrong_length.last_mut().expect("bytes") ^= 1;
    for bytes in [
        cut(1),
        cut(8),
        cut(9),
        cut(whole.len() / 2),
        cut(whole.len() - 12),
        wrong_sum,
        wrong_length,
        [&whole[..], b"garbage"].concat(),
        [&whole[..], b"\0"].concat(),
        [&whole[..], &whole[..20]].concat(),
    ] {
        run_of_file("lines.csv.gz", bytes).go().refused(&["lines.csv.gz", "hint: copy the file again"]);
    }
}

#[test]
fn gzip_in_gzip_is_no_cost_file() {
    let nested = (0..10).fold(gzip(three()), |inner, _| gzip(inner));
    run_of_file("lines.csv.gz", nested).go().refused(&["lines.csv.gz", "no cost"]);
}

/// A file of 90 MB that packs into a thousandth.
fn wide() -> String {
    let row = format!("{},{}\n", line(), "x".repeat(10_000));
    format!("{},resource_tags\n{}", header(), row.repeat((90 << 20) / row.len()))
}

#[test]
fn decompression_beyond_measure_is_refused() {
    let bomb = gzip(wide());
    assert!(bomb.len() < 120_000, "{} bytes", bomb.len());
    let run = run_of_file("lines.csv.gz", &bomb).with(&["--worker-memory", "512"]);
    run.go().refused(&["lines.csv.gz:row ", "decompresses to more than", "bytes"]);
    let one_record = gzip(format!("{}\n{}", header(), "x".repeat(80 << 20)));
    let run = run_of_file("lines.csv.gz", one_record).with(&["--worker-memory", "512"]);
    run.go().refused(&["lines.csv.gz:row 1: ", "bytes"]);
}

#[test]
fn a_reader_that_takes_too_long_is_ended() {
    let row = line() + "\n";
    let text = format!("{}\n{}", header(), row.repeat((60 << 20) / row.len()));
    let run = run_of_file("lines.csv.gz", gzip(text)).with(&["--worker-cpu", "1"]);
    let words =
        ["the reader was stopped", "more than 1 s of CPU time", "--worker-cpu", "nothing was written"];
    run.go().refused(&words);
}

/// A zip archive of these files.
fn zip(files: &[(&str, &str)], options: SimpleFileOptions) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        archive.start_file(*name, options).expect("an entry");
        archive.write_all(content.as_bytes()).expect("its content");
    }
    archive.finish().expect("an archive").into_inner()
}

#[test]
fn a_zip_archive_holds_one_file() {
    let (options, text) = (SimpleFileOptions::default(), three());
    run_of_file("lines.csv.zip", zip(&[("lines.csv", &text)], options)).go().totals("3");
    run_of_file("lines.csv.zip", zip(&[("lines.csv", &text)], options.large_file(true))).go().totals("3");
    let two = zip(&[("a.csv", &text), ("b.csv", &text)], options);
    run_of_file("lines.csv.zip", two)
        .go()
        .refused(&["lines.csv.zip: a zip archive with 2 files", "one CSV file"]);
    run_of_file("lines.csv.zip", zip(&[], options)).go().refused(&["lines.csv.zip"]);
}

#[test]
fn names_inside_a_zip_archive_lead_nowhere() {
    let run =
        run_of_file("lines.csv.zip", zip(&[("../../slipped.csv", &three())], SimpleFileOptions::default()));
    let done = run.go().totals("3");
    let outside = run.folder.path().parent().expect("a parent");
    for folder in [run.folder.path(), outside, &done.out, &run.folder.path().join("cost")] {
        assert!(!folder.join("slipped.csv").exists());
    }
}

#[test]
fn damaged_and_encrypted_zip_archives_are_refused() {
    let whole = zip(&[("lines.csv", &three())], SimpleFileOptions::default());
    let directory = whole.windows(4).position(|window| window == b"PK\x01\x02").expect("a directory");
    let changed = |edit: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = whole.clone();
        edit(&mut bytes);
        bytes
    };
    let encrypted = changed(&|bytes| {
        bytes[6] |= 1;
        bytes[directory + 8] |= 1;
    });
    run_of_file("lines.csv.zip", encrypted).go().refused(&["lines.csv.zip: an encrypted zip archive"]);
    let wrong_sum = changed(&|bytes| bytes[directory + 16] ^= 1);
    run_of_file("lines.csv.zip", wrong_sum).go().refused(&["lines.csv.zip", "checksum does not fit"]);
    for bytes in [
        whole[..whole.len() - 1].to_vec(),
        whole[..directory].to_vec(),
        changed(&|bytes| bytes[50] ^= 0x55),
        changed(&|bytes| bytes[directory + 20] = 1),
        changed(&|bytes| bytes[directory + 42] = 200),
        changed(&|bytes| bytes[directory + 10] = 99),
    ] {
        run_of_file("lines.csv.zip", bytes).go().refused(&["lines.csv.zip", "hint: copy the file again"]);
    }
}

#[test]
fn a_zip_archive_that_unfolds_beyond_measure_is_refused() {
    let bomb = zip(&[("lines.csv", &wide())], SimpleFileOptions::default());
    let run = run_of_file("lines.csv.zip", bomb).with(&["--worker-memory", "512"]);
    run.go().refused(&["lines.csv.zip:row ", "decompresses to more than"]);
}
