//! A database is never asked for the time: several servers would judge by one clock and write by another.

use super::{Tracked, assert_none, tracked};

/// What asks PostgreSQL or SQLite for the time.
const ASKS: &[&str] = &[
    "now(",
    "clock_timestamp(",
    "statement_timestamp(",
    "transaction_timestamp(",
    "current_timestamp",
    "current_date",
    "current_time",
    "localtimestamp",
    "localtime",
    "unixepoch(",
    "datetime(",
    "julianday(",
    "strftime(",
];

fn breaches(file: &Tracked) -> Vec<String> {
    if !file.path.starts_with("crates/store/src/") && !file.path.starts_with("crates/store/migrations/") {
        return Vec::new();
    }
    let numbered = file.text.lines().zip(1..);
    numbered
        .filter_map(|(line, number)| {
            let line = line.to_lowercase();
            let asked = ASKS.iter().find(|asked| line.contains(**asked))?;
            Some(format!("{}:{number}: `{asked}` is the clock of the database; take the server's", file.path))
        })
        .collect()
}

#[test]
fn the_database_is_not_asked_for_the_time() {
    let files = tracked();
    assert!(
        files.iter().any(|file| file.path.starts_with("crates/store/migrations/")),
        "the folder has moved"
    );
    assert_none(&files.iter().flat_map(breaches).collect::<Vec<_>>());
}

#[test]
fn the_rule_bites() {
    let file = |path: &str, text: &str| Tracked { path: path.into(), text: text.into() };
    let sql = "UPDATE runs SET claimed_until = NOW() WHERE id = $1";
    assert_eq!(breaches(&file("crates/store/src/run.rs", sql)).len(), 1);
    let sql = "at BIGINT NOT NULL DEFAULT CURRENT_TIMESTAMP";
    assert_eq!(breaches(&file("crates/store/migrations/9.sql", sql)).len(), 1);
    assert!(breaches(&file("crates/store/src/run.rs", "claimed_until_ms < $1")).is_empty());
    assert!(breaches(&file("crates/back-office/src/clock.rs", "Utc::now()")).is_empty());
}
