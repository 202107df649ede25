//! What reading children may take, and why they have not read.

use crate::failure::Failure;
use cost_data::reading::Refusal;
use cost_data::worker::{Limits, WorkerError};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// How many threads read: as many as are asked for, else one for every processor.
pub fn threads(asked: Option<NonZeroUsize>) -> usize {
    asked.map_or_else(|| std::thread::available_parallelism().map_or(1, Into::into), Into::into)
}

/// What a reading child may take: as many mebibytes and CPU seconds as are given, else what its files and threads ask for.
pub fn limits(
    inputs: &[PathBuf],
    threads: usize,
    mebibytes: Option<u64>,
    cpu_seconds: Option<u64>,
) -> Result<Limits, Failure> {
    let limits = Limits::for_reading(inputs, threads).map_err(|refusal| refused(&refusal, true))?;
    Ok(Limits {
        memory_bytes: mebibytes.map_or(limits.memory_bytes, |mebibytes| mebibytes.saturating_mul(1 << 20)),
        cpu_seconds: cpu_seconds.unwrap_or(limits.cpu_seconds),
    })
}

/// Why a child has not read the cost files.
pub fn reading_failed(error: WorkerError, accepts_rejects: bool) -> Failure {
    match error {
        WorkerError::Refused(refusal) => refused(&refusal, accepts_rejects),
        WorkerError::Stopped(why) => {
            Failure::input(format!("the cost files cannot be read: the reader was stopped: {why}"))
        }
        other => Failure::Other(other.into()),
    }
}

/// Problems of files that a child has read.
pub fn refused(refusal: &Refusal, accepts_rejects: bool) -> Failure {
    let problems: Vec<String> = refusal.problems.iter().map(ToString::to_string).collect();
    let of_rows = refusal.problems.iter().all(|problem| problem.row.is_some() && problem.column.is_some());
    let failure = Failure::Input { problems, count: refusal.count, hint: None };
    match of_rows && !accepts_rejects {
        true => failure.hint("add --accept-rejects to go on without these rows"),
        false => failure,
    }
}
