//! The demo month: October 2026 of an invented reseller, as AWS would deliver it.
//!
//! `cargo run -p xtask -- demo-month` writes `fixtures/demo/cost`, the folder of a bucket with CUR 2.0 in Parquet; with `--check`
//! it only says whether that folder is up to date. Every figure comes from the tables of the modules below, so
//! that a statement reads like one: no clock, no chance, same bytes every time. The book beside it is written by hand.

mod accounts;
mod charges;
mod commitments;
mod lines;
mod price_list;
#[cfg(test)]
mod tests;
mod usage;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use testkit::write::Form;
use testkit::{Line, WriteOptions, write_month};

/// Writes the cost files, or with `--check` compares them with the committed ones.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err("usage: demo-month [--check]".to_owned()),
    };
    let committed = folder();
    let shown = committed.display();
    if check {
        let differing = differing()?;
        return if differing.is_empty() {
            eprintln!("{shown} is up to date");
            Ok(())
        } else {
            Err(format!(
                "{shown} is out of date, run `cargo run -p xtask -- demo-month`: {}",
                differing.join(", ")
            ))
        };
    }
    match fs::remove_dir_all(&committed) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(format!("{shown}: {error}")),
        _ => {}
    }
    let lines = demo_lines();
    write_month(&committed, &lines, &options());
    eprintln!("{} lines written to {shown}", lines.len());
    Ok(())
}

/// Where the cost files lie.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("fixtures/demo/cost")
}

fn options() -> WriteOptions {
    let mut options = WriteOptions::new(Form::Cur2Parquet, lines::PERIOD);
    options.name = "larkfield-cur2".to_owned();
    options.bucket = "larkfield-billing".to_owned();
    options.files = 2;
    options
}

/// Every line of the month: usage day by day, then fees, then charges.
fn demo_lines() -> Vec<Line> {
    let mut lines = usage::lines();
    let fees = commitments::fee_lines(&lines);
    lines.extend(usage::marketplace_lines());
    let charges = charges::lines(&lines, &fees);
    lines.extend(fees);
    lines.extend(charges);
    lines
}

/// The names of files that are not as `demo-month` writes them.
fn differing() -> Result<Vec<String>, String> {
    let written = std::env::temp_dir().join(format!("proforma-demo-month-{}", std::process::id()));
    write_month(&written, &demo_lines(), &options());
    let (ours, theirs) = (files_below(&written), files_below(&folder()));
    let removed = fs::remove_dir_all(&written);
    let read = |error: io::Error| format!("the demo's cost files cannot be compared: {error}");
    let (ours, theirs) = (ours.map_err(read)?, theirs.map_err(read)?);
    removed.map_err(read)?;
    let names = ours.keys().chain(theirs.keys()).filter(|name| ours.get(*name) != theirs.get(*name));
    Ok(names.cloned().collect::<std::collections::BTreeSet<_>>().into_iter().collect())
}

/// The content of every file below a folder, by path.
fn files_below(root: &Path) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
                files.insert(name, fs::read(&path)?);
            }
        }
    }
    Ok(files)
}
