//! `source.json`: which cost files a run has read, where they were and where they are kept.
//!
//! It makes a snapshot readable again: from the pinned copy where there is one, else from the original place, and in both cases only
//! what has the SHA-256 that the run saw. It is the only file of a run that names places outside of it.

use crate::diagnostics::Diagnostic;
use crate::found::{Delivery, Found, Kept};
use crate::limits::MANIFEST_BYTES_MAX;
use crate::location::{Location, There};
use crate::report::{FileReport, Report};
use billing::period::BillingPeriod;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Its name in a result folder.
pub const SOURCE_FILE: &str = "source.json";
/// The version of its layout; another version is refused.
const FORMAT_VERSION: u64 = 1;

/// The cost files of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Snapshot {
    format_version: u64,
    /// The month, as `YYYY-MM`.
    pub period: String,
    /// What was given with `--cost`.
    pub inputs: Vec<String>,
    /// The files that were read, by name.
    pub files: Vec<SnapshotFile>,
    /// What was there and was not read, and why.
    pub files_passed_by: BTreeMap<String, String>,
}

/// A cost file of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SnapshotFile {
    /// Its place under what was given.
    pub name: String,
    /// The SHA-256 of its content, in hexadecimal.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// The path or URL that it was read from.
    pub read_from: String,
    /// The path or URL of its pinned copy.
    pub pinned: Option<String>,
}

/// The same of a run that prices what a run above charges: there are no cost files.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UpstreamSource {
    format_version: u64,
    /// The month, as `YYYY-MM`.
    pub period: String,
    /// The run above.
    pub upstream: UpstreamRun,
}

/// A run above.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UpstreamRun {
    /// Its folder, as it was given.
    pub run: String,
    /// The SHA-256 of its `reconciliation.json`, in hexadecimal.
    pub reconciliation: String,
    /// The account that it charges.
    pub account_id: String,
}

impl UpstreamSource {
    /// The source of a month.
    #[must_use]
    pub fn new(period: BillingPeriod, upstream: UpstreamRun) -> Self {
        Self { format_version: FORMAT_VERSION, period: period.to_string(), upstream }
    }
}

impl Snapshot {
    /// The snapshot of a reading.
    #[must_use]
    pub fn of(report: &Report, period: BillingPeriod, inputs: Vec<String>) -> Self {
        let file = |file: &FileReport| SnapshotFile {
            name: file.name.clone(),
            sha256: file.sha256.clone(),
            bytes: file.bytes,
            read_from: file.read_from.clone(),
            pinned: file.pinned.clone(),
        };
        let files = report.files.iter().map(file).collect();
        let files_passed_by = report.passed_by.iter().cloned().collect();
        Self { format_version: FORMAT_VERSION, period: period.to_string(), inputs, files, files_passed_by }
    }

    /// The same files again, as a delivery: what is read of it must have the hashes of the snapshot.
    ///
    /// # Errors
    /// Another period, and every file that is neither pinned nor in its place.
    pub fn deliver(&self, period: BillingPeriod) -> Result<Delivery, Vec<Diagnostic>> {
        if self.period != period.to_string() {
            let reason = format!("is the snapshot of {}, not of {period}", self.period);
            return Err(vec![Diagnostic::file(SOURCE_FILE, reason).hint("check --period")]);
        }
        let (mut delivery, mut problems) = (Delivery::default(), Vec::new());
        for file in &self.files {
            match file.find() {
                Ok(found) => delivery.files.push(found),
                Err(problem) => problems.push(problem),
            }
        }
        delivery.passed_by.extend(self.files_passed_by.clone());
        if problems.is_empty() { Ok(delivery) } else { Err(problems) }
    }
}

/// Reads a `source.json`.
///
/// # Errors
/// A file that cannot be read, or is not one of this version.
pub fn read(place: &Location) -> Result<Snapshot, Vec<Diagnostic>> {
    let shown = place.to_string();
    let bytes = place.read(MANIFEST_BYTES_MAX).map_err(|problem| vec![problem])?;
    let broken = |reason: String| {
        vec![Diagnostic::file(&shown, reason).hint("give the source.json that a run has written")]
    };
    let value: Value = serde_json::from_slice(&bytes)
        .map_err(|error| broken(format!("not the source file of a run: {error}")))?;
    if let Some(upstream) = value.get("upstream") {
        let run = upstream.get("run").and_then(Value::as_str).unwrap_or_default();
        let reason = format!("is of a run that prices what run `{run}` charges: it has no cost files");
        return Err(vec![Diagnostic::file(&shown, reason).hint("name that run with --upstream")]);
    }
    match value.get("format_version").and_then(Value::as_u64) {
        Some(FORMAT_VERSION) => {}
        Some(other) => {
            return Err(broken(format!(
                "has format version {other}; this version of the program reads {FORMAT_VERSION}"
            )));
        }
        None => return Err(broken("not the source file of a run: it has no `format_version`".to_owned())),
    }
    serde_json::from_value(value).map_err(|error| broken(format!("not the source file of a run: {error}")))
}

impl SnapshotFile {
    /// Where the file is now: its pinned copy, else its original place.
    fn find(&self) -> Result<Found, Diagnostic> {
        for (place, pinned) in self.pinned.iter().map(|place| (place, true)).chain([(&self.read_from, false)])
        {
            let location = Location::parse(Path::new(place))?;
            if let There::File(version) = location.look()? {
                let pinned = pinned.then(|| place.clone());
                let kept = Kept { sha256: self.sha256.clone(), read_from: self.read_from.clone(), pinned };
                let found = Found { name: self.name.clone(), location, version, named: true, kept: None };
                return match found.version.bytes == self.bytes {
                    true => Ok(Found { kept: Some(kept), ..found }),
                    false => Err(kept.changed(&found)),
                };
            }
        }
        let pinned =
            self.pinned.as_ref().map_or("was not pinned".to_owned(), |pin| format!("not at `{pin}`"));
        let reason = format!("is gone: not at `{}`, and {pinned}", self.read_from);
        Err(Diagnostic::file(&self.name, reason).hint("bring it back, or give the delivery with --cost"))
    }
}

impl Kept {
    /// What to say about a file that is not what it was.
    #[must_use]
    pub fn changed(&self, found: &Found) -> Diagnostic {
        match &self.pinned {
            Some(pin) => crate::pin::not_its_name(pin),
            None => {
                let reason = format!(
                    "is not the file that the run has read: `{}` has another content than SHA-256 {}",
                    found.location, self.sha256
                );
                Diagnostic::file(&found.name, reason)
                    .hint("the file changed since the run; pin the snapshot with --pin")
            }
        }
    }
}
