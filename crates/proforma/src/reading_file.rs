//! `reading.json`: what was noticed while the cost files were read, so that a month can be priced again as if they had been read again.
//!
//! It names no place outside of the run, and nothing that another file of the run has: those are the commitments, and rejected rows.

use crate::failure::{Failure, damaged};
use crate::publish::{Draft, READING, as_marked};
use crate::report_files::json;
use billing::charge_class::Cube;
use cost_data::report::{FileReport, Report};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;

/// The content of the file.
#[derive(Serialize, Deserialize)]
pub struct ReadingFile {
    /// The accounts that the cost files name.
    pub accounts: Vec<String>,
    /// What an operator should know of the price list.
    pub price_list_warnings: Vec<String>,
    /// What there is to say about the cost files.
    pub report: Report,
}

/// Writes what a reading has noticed, before anything is added that follows from a book; gives the hash of the file as the mark has it.
pub fn write(
    draft: &Draft,
    cube: &Cube,
    report: &Report,
    price_list_warnings: &[String],
) -> anyhow::Result<String> {
    let file = |file: &FileReport| FileReport { read_from: String::new(), pinned: None, ..file.clone() };
    let content = ReadingFile {
        accounts: cube.accounts().into_keys().map(ToOwned::to_owned).collect(),
        price_list_warnings: price_list_warnings.to_vec(),
        report: Report {
            files: report.files.iter().map(file).collect(),
            rejects: Vec::new(),
            commitments: None,
            hashing_nanoseconds: 0,
            ..report.clone()
        },
    };
    let text = json(&content)?;
    draft.write(READING, &text)?;
    Ok(as_marked(&Sha256::digest(&text)))
}

/// Reads the file of a run, which must have the hash that the run's mark says.
pub fn read(folder: &Path, expected: &str) -> Result<ReadingFile, Failure> {
    let unread =
        |error: &dyn std::fmt::Display| damaged(folder, format!("`{READING}` cannot be read: {error}"));
    let text = fs::read(folder.join(READING)).map_err(|error| unread(&error))?;
    crate::publish::check_hash(folder, READING, &Sha256::digest(&text), expected)?;
    serde_json::from_slice(&text).map_err(|error| unread(&error))
}
