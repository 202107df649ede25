//! What there is to say about a month that was read.

use crate::commitment_inventory::CommitmentInventory;
use crate::diagnostics::Diagnostic;
use crate::eligible_usage::EligibleUsage;
use crate::focus::OtherProvider;
use crate::layout::CostFormat;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// What was read, and what was noticed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Report {
    /// The files, by name.
    pub files: Vec<FileReport>,
    /// What was there and was not read, and why.
    pub passed_by: Vec<(String, String)>,
    /// Lines in the files.
    pub lines_read: u64,
    /// Lines of other billing periods.
    pub lines_passed_by: u64,
    /// Lines that could not be read.
    pub lines_rejected: u64,
    /// Lines of the period whose usage starts outside of it.
    pub lines_usage_outside_period: u64,
    /// Doubles read by their shortest text.
    pub numbers_slow_path: u64,
    /// Numbers with more than ten decimals.
    pub numbers_rounded: u64,
    /// What their rounding took away, as a plain decimal.
    pub rounding_residue: String,
    /// Rejected lines, up to a limit.
    pub rejects: Vec<Diagnostic>,
    /// What other providers billed in the period: files of FOCUS may hold lines of several.
    pub other_providers: Vec<OtherProvider>,
    /// Lines that came more than once, when that was checked.
    pub duplicate_lines: Option<u64>,
    /// The SHA-256 of the daily cube, in hexadecimal, where there is one.
    pub daily_sha256: Option<String>,
    /// The month's commitments, where they were asked for and the format says what they are.
    pub commitments: Option<CommitmentInventory>,
    /// What became of the usage that they may cover, where it was asked for.
    pub eligible_usage: Option<EligibleUsage>,
    /// What the operator should know.
    pub warnings: Vec<String>,
    /// CPU time that hashing the files took, in nanoseconds.
    pub hashing_nanoseconds: u64,
}

/// A cost file that was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FileReport {
    /// Its place under the given root.
    pub name: String,
    /// The SHA-256 of its content, in hexadecimal.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// Its format.
    pub format: CostFormat,
    /// What gave the format away.
    pub because: String,
    /// The path or URL that it was read from, at first.
    pub read_from: String,
    /// The path or URL of its pinned copy.
    pub pinned: Option<String>,
}

impl Report {
    /// Lines of other providers.
    #[must_use]
    pub fn lines_of_other_providers(&self) -> u64 {
        self.other_providers.iter().map(|other| other.lines).sum()
    }

    /// The identity of the set of files: the hash of their hashes, whatever their names and order.
    #[must_use]
    pub fn snapshot(&self) -> [u8; 32] {
        let hashes: BTreeSet<&str> = self.files.iter().map(|file| file.sha256.as_str()).collect();
        Sha256::digest(hashes.into_iter().collect::<Vec<_>>().join("\n")).into()
    }
}
