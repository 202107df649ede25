//! What reading children may take, and why they have not read.

use crate::failure::Failure;
use anyhow::Context;
use cost_data::diagnostics::Refusal;
use cost_data::worker::{Limits, WorkerError};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// The processes that read cost files and price lists, and what each may take.
#[derive(Debug, Clone, Default)]
pub struct Children {
    /// The program that reads; this one if it is not given.
    pub program: Option<PathBuf>,
    /// How many threads read; one for every processor if it is not given.
    pub threads: Option<NonZeroUsize>,
    /// Memory, in mebibytes; what the files and threads ask for if it is not given.
    pub memory_mebibytes: Option<u64>,
    /// CPU time, in seconds; the same.
    pub cpu_seconds: Option<u64>,
    /// The folder for what is read from and written to object stores; that of the system if it is not given.
    pub scratch: Option<PathBuf>,
}

impl Children {
    /// The program.
    pub fn program(&self) -> anyhow::Result<PathBuf> {
        let this = || std::env::current_exe().context("cannot find this program to start its reading child");
        self.program.clone().map_or_else(this, Ok)
    }

    /// How many threads read.
    pub fn threads(&self) -> usize {
        threads(self.threads)
    }

    /// What the reading of these files may take.
    pub fn limits(&self, inputs: &[PathBuf]) -> Result<Limits, Failure> {
        limits(inputs, self.threads(), self.memory_mebibytes, self.cpu_seconds)
    }
}

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
