//! Money is never a float. Doubles live where cost files hold them, in the files of this table and nowhere else.

use super::{Tracked, assert_none, tracked};

/// Files that may name a float type, each with its reason.
const ALLOWED: &[(&str, &str)] = &[
    ("crates/adopt/src/number.rs", "the one place where a double of the AWS SDK becomes a decimal"),
    ("crates/aws-api/src/http/metrics.rs", "seconds of answers, as Prometheus has them"),
    ("crates/aws-wire/src/json/de.rs", "names the methods of serde that ask for a double; none is made"),
    ("crates/cost-data/src/number.rs", "the one place where a double of a cost file becomes a decimal"),
    ("crates/cost-data/src/parquet_lines.rs", "hands the doubles of a Parquet column to that place"),
    ("crates/documents/src/typesetting.rs", "widths of glyphs, which become whole lengths there"),
];

/// Crates whose doubles are test data or figures about a run.
const EXEMPT: &[&str] = &["crates/testkit/", "xtask/"];

fn breaches(file: &Tracked) -> Vec<String> {
    let applies = file.path.ends_with(".rs")
        && !EXEMPT.iter().any(|folder| file.path.starts_with(folder))
        && !ALLOWED.iter().any(|(path, _)| *path == file.path);
    if !applies {
        return Vec::new();
    }
    let numbered = file.text.lines().zip(1..);
    numbered
        .filter(|(line, _)| names_a_float(line))
        .map(|(_, number)| {
            format!("{}:{number}: a float outside the table ALLOWED of xtask/src/tidy/floats.rs", file.path)
        })
        .collect()
}

/// Whether the code of a line, comments left out, names `f32` or `f64`.
fn names_a_float(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|word| ["f32", "f64"].iter().any(|float| word == *float || word.ends_with(&format!("_{float}"))))
}

#[test]
fn floats_stay_in_their_files() {
    assert_none(&tracked().iter().flat_map(breaches).collect::<Vec<_>>());
}

#[test]
fn the_table_has_no_stale_row() {
    let files = tracked();
    for (path, reason) in ALLOWED {
        let file = files.iter().find(|file| file.path == *path);
        let used = file.is_some_and(|file| file.text.lines().any(names_a_float));
        assert!(used, "{path} ({reason}) names no float: take it from the table ALLOWED");
    }
}

#[test]
fn the_rule_bites() {
    for code in ["let x: f64 = y;", "x as f32", "1_f64", "f64::from(x)"] {
        assert!(names_a_float(code), "{code}");
    }
    for code in ["// an f64 here", "Float64Array", "let buf64 = 1;"] {
        assert!(!names_a_float(code), "{code}");
    }
}
