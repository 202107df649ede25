//! Eligible usage as a Parquet file: every line that a commitment may cover, hour by hour.
//!
//! Commitments are applied by the hour, and usage by class and hour does not compress: there are as many rows as lines. So the lines
//! are neither in the cube nor in memory. While files are scanned each thread keeps its lines on disk by hour ([`recorder`]); at the end
//! every hour is put in order and written ([`writer`]), and a simulation reads them back hour by hour ([`stream`]).
//!
//! One row per line, in the order of hour, class, file and row: same lines, same bytes, whichever thread has read what. A class is known by
//! its number in the cost cube beside the file.

mod recorder;
mod stream;
mod writer;

#[cfg(test)]
mod tests;

use billing::period::BillingPeriod;
use serde::{Deserialize, Serialize};

pub(crate) use recorder::{Record, Recorder};
pub use stream::{Hours, StoredEligibleUsage};
pub(crate) use writer::{EligibleClasses, Part, Written, write};

/// The version of the file's layout; another version is refused.
const VERSION: &str = "1";
const HOUR: &str = "hour";
const CLASS: &str = "class";
const FILE: &str = "file";
const ROW: &str = "row";

/// What became of the eligible usage of a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EligibleUsage {
    /// It is in the file.
    Kept {
        /// The file's SHA-256, in hexadecimal.
        sha256: String,
        /// How many lines it has.
        lines: u64,
        /// How many lines of such usage it does not have, because no commitment covers them: they begin in another month, do not say when, or
        /// have amounts beyond what the file holds.
        passed_by: u64,
    },
    /// There is no file: the month's commitments are not re-simulated.
    NotKept(NotKept),
}

/// Why there is no file. The order is that in which it is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum NotKept {
    /// The format says too little.
    #[error("the cost files are of FOCUS, which does not say what commitments are")]
    Focus,
    /// There is nothing to simulate.
    #[error("the month has no commitment")]
    NoCommitment,
    /// There is nothing that can be simulated.
    #[error("none of the month's commitments can be told from the cost files, the first is `{arn}`: {why}")]
    NoneTold {
        /// A commitment.
        arn: String,
        /// What is missing.
        why: String,
    },
    /// Nothing says which hour a line is of.
    #[error(
        "`{file}` does not say when usage starts and ends: add `line_item_usage_start_date` and `line_item_usage_end_date`"
    )]
    NoInterval {
        /// The first such file.
        file: String,
    },
    /// A day's usage is not that of its hours.
    #[error(
        "the cost files are not hourly: {lines} lines of usage that commitments may cover are not of exactly one hour, the first in row {row} \
         of `{file}`"
    )]
    NotHourly {
        /// How many lines.
        lines: u64,
        /// The file of the first.
        file: String,
        /// Its row, from 1.
        row: u64,
    },
}

/// How many hours a month has; UTC has no others.
pub fn hours_of(period: BillingPeriod) -> u32 {
    let seconds = period.end_seconds() - period.start_seconds();
    // 744 at most.
    u32::try_from(seconds / crate::days::SECONDS_OF_HOUR).unwrap_or(0)
}
