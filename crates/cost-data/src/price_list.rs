//! AWS's price list: from offer files, as the bulk API serves them, to the prices that a month needs.
//!
//! Offer files are untrusted and may have gigabytes, so they are read in a process of their own ([`crate::worker`]), as streams: what is kept are
//! the SKUs of the month and the quotas that are free to them. [`files`] finds the files and chooses among their versions, [`offer_json`] and
//! [`offer_csv`] read one, [`ranges`] makes tiers of its ranges, and [`merge`] says what holds in the month. What is kept goes
//! into the run as a file of its own, [`kept`]. `docs/price-lists.md` has the rules in words.

pub mod kept;
mod needs;

mod files;
mod versions;

mod header;
mod offer_csv;
mod offer_json;
mod ranges;

mod merge;

pub use needs::Needs;

use crate::diagnostics::Diagnostic;
use crate::diagnostics::Refusal;
use crate::found::{Delivery, Found};
use crate::reading::{in_threads, unless_it_panics};
use crate::source::Source;
use crate::sources::Sources;
use billing::period::BillingPeriod;
use billing::price_list::PriceList;
use ranges::Offered;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Which prices to read, and from where.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PriceRequest {
    /// Folders and offer files; of this machine or as `s3://bucket/key`.
    pub places: Vec<PathBuf>,
    /// What the month needs.
    pub needs: Needs,
    /// How many threads read.
    pub threads: usize,
    /// The folder that objects of a store are kept in while they are read; that of the system if it is not given.
    pub scratch: Option<PathBuf>,
}

/// What there is to say about reading a price list.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct PriceReport {
    /// How many offer files were read.
    pub files: usize,
    /// What was there and is no offer file, and why.
    pub ignored: Vec<(String, String)>,
    /// What the operator should know.
    pub warnings: Vec<String>,
}

/// How many offer files are open, or on their way from a store, at once.
const OPEN_FILES_MAX: usize = 64;

/// Reads the prices that a month needs.
///
/// # Errors
/// A [`Refusal`]: places without offer files, files that are damaged, or that contradict each other.
pub fn read(request: &PriceRequest) -> Result<(PriceList, PriceReport), Refusal> {
    let period = BillingPeriod::parse(&request.needs.period)
        .map_err(|error| Diagnostic::file("--period", error.to_string()))?;
    let files::Choice { files, effective, ignored } = files::choose(request, period)?;
    let mut offered = Vec::new();
    for some in files.chunks(OPEN_FILES_MAX) {
        let delivery = Delivery { files: some.to_vec(), ..Delivery::default() };
        let sources = Sources::open(&delivery, request.scratch.as_deref());
        offered.extend(sources.explained(read_files(&sources, request))?);
        if sources.have_changed() {
            let problem = Diagnostic::file("--price-list", "an offer file changed while it was read");
            return Err(problem.hint("run again when the files are complete").into());
        }
    }
    let (prices, warnings) = merge::merge(offered, &effective, &request.needs, period)?;
    Ok((prices, PriceReport { files: files.len(), ignored, warnings }))
}

/// Reads all files, over threads; gives what they offer in the order of the files, each with its name.
fn read_files(sources: &Sources, request: &PriceRequest) -> Result<Vec<(String, Offered)>, Refusal> {
    let files: Vec<_> = sources.iter().collect();
    let next = AtomicUsize::new(0);
    let work = |_| {
        let mut read = Vec::new();
        while let Some((found, source)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            read.push((found.name.clone(), read_file(found, source.as_ref(), &request.needs)));
        }
        read
    };
    let threads = request.threads.clamp(1, files.len().max(1));
    let read = in_threads(threads, work, || ())
        .ok_or_else(|| Diagnostic::file("--price-list", "a thread failed while it read"))?;
    let (mut offered, mut problems) = (Vec::new(), Vec::new());
    for (name, outcome) in read.into_iter().flatten() {
        match outcome {
            Ok(of_file) => offered.push((name, of_file)),
            Err(problem) => problems.push(problem),
        }
    }
    problems.sort();
    offered.sort_by(|(one, _), (other, _)| one.cmp(other));
    if problems.is_empty() { Ok(offered) } else { Err(problems.into()) }
}

fn read_file(found: &Found, source: Result<&Source, &String>, needs: &Needs) -> Result<Offered, Diagnostic> {
    let name = &found.name;
    let source = source.map_err(|reason| Diagnostic::file(name, reason.clone()))?;
    let text = header::text_of(source).map_err(|reason| Diagnostic::file(name, reason))?;
    unless_it_panics(|| match text {
        header::Text::Json(text) => offer_json::read(text, name, needs),
        header::Text::Csv(text) => offer_csv::read(text, name, needs),
    })
    .map_err(|reason| Diagnostic::file(name, reason))?
}

#[cfg(test)]
mod tests;
