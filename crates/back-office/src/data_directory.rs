//! The data directory: what its files and folders are called. Only here.

use billing::account::AccountId;
use std::path::{Path, PathBuf};

/// The database, where it is SQLite.
pub const DATABASE: &str = "proforma.db";
/// What SQLite writes first, and takes into the database when its last connection closes.
pub const DATABASE_LOG: &str = "proforma.db-wal";
/// The key that opens secrets.
pub const MASTER_KEY: &str = "master.key";
/// The lock of the process that has the directory open.
pub const LOCK: &str = "lock";
/// The lock that readers of the folders of runs share.
pub const RUN_FOLDERS_LOCK: &str = "run-folders.lock";
/// The lock that whoever works in the directory shares.
pub const WORKING_LOCK: &str = "working.lock";
/// The folder of payers, in a backup too: in it each has a folder of its own.
pub const PAYERS: &str = "payers";
/// In a payer's folder: the runs, by period.
pub const RUNS: &str = "runs";
/// In a payer's folder: cost files that were read, named by their hashes.
pub const COST_FILES: &str = "cost-files";
/// In a payer's folder: documents of invoices, named by their hashes.
pub const DOCUMENTS: &str = "documents";
/// Where plans are tried out.
pub const SCRATCH: &str = "scratch";

/// Where a payer's cost files are kept.
#[must_use]
pub fn cost_files(data: &Path, payer: &AccountId) -> PathBuf {
    data.join(PAYERS).join(payer.as_str()).join(COST_FILES)
}

/// Where a payer's documents are kept.
#[must_use]
pub fn documents(data: &Path, payer: &AccountId) -> PathBuf {
    data.join(PAYERS).join(payer.as_str()).join(DOCUMENTS)
}

/// The folder of a payer's runs, from the data directory on.
#[must_use]
pub fn runs(payer: &AccountId) -> String {
    format!("{PAYERS}/{payer}/{RUNS}")
}
