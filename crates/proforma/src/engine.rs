//! The engine behind a billing desk: what `proforma run` does, without a terminal, and the months of its runs priced again.
//!
//! A run of the engine has the files and the bytes that the command line's would have, from the same cost files under the same book.

mod charges;
mod delivery;
mod facts;
mod invoicing;
mod lines;
mod manifest;
mod report;
mod reprice;

use crate::cli::READ_COST_FILES;
use crate::coverage::Commitments;
use crate::failure::Failure;
use crate::guard;
use crate::month::{self, Listener, Order};
use crate::price_list::Listed;
use crate::pricing::BookText;
use crate::publish::Draft;
use crate::reader::{reading_failed, refused};
use crate::report_files::Results;
use crate::run_folder::{self, RunFolder};
use crate::terminal::{policy_warnings, warnings};
use back_office::engine::{
    CostSource, Engine, EngineError, ExportedLines, LinesAnswered, LinesAsked, LinesOrder, PutFile,
    RunCharges, RunOrder, RunOutcome, RunReport,
};
use billing::invoice::aws::{AwsInvoices, reconstruct};
use billing::period::BillingPeriod;
use book_file::{BookFile, Finding};
use cost_data::delivery::arrivals;
use cost_data::hash::hex;
use cost_data::reading::{MonthSearch, Progress, Request};
use cost_data::report::Report;
use cost_data::worker::{self, Limits};
use query::facts::MonthFacts;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

pub use crate::reader::Children;
pub use manifest::file_sha256;

/// The name of the book's copy in a run of the engine.
const BOOK: &str = "book.toml";

/// Reads and prices months on this machine, in children of this program.
#[derive(Debug, Clone, Default)]
pub struct CostEngine {
    /// The processes that read cost files, and what each may take.
    pub children: Children,
}

impl Engine for CostEngine {
    fn run(&self, source: &CostSource, order: &RunOrder) -> Result<RunOutcome, EngineError> {
        Ok(self.read_and_price(source, order)?)
    }

    fn reprice(&self, earlier: &Path, order: &RunOrder) -> Result<Option<RunOutcome>, EngineError> {
        Ok(reprice::reprice(earlier, order, self.children.scratch.as_deref())?)
    }

    fn report(&self, run: &Path) -> Result<RunReport, EngineError> {
        Ok(report::report(run)?)
    }

    fn charges(&self, run: &Path) -> Result<RunCharges, EngineError> {
        Ok(invoicing::charges(run)?)
    }

    fn facts(&self, run: &Path) -> Result<MonthFacts, EngineError> {
        Ok(facts::facts(run)?)
    }

    fn statement(&self, run: &Path, billing_group: &str) -> Result<Option<Vec<u8>>, EngineError> {
        Ok(charges::statement(run, billing_group)?)
    }

    fn manifest(&self, run: &Path) -> Result<String, EngineError> {
        Ok(manifest::manifest(run)?)
    }

    fn aws_invoices(&self, run: &Path) -> Result<AwsInvoices, EngineError> {
        let run = run_folder::open_kept(run)?;
        reconstruct(&run.cube, run.book.currency).map_err(|error| EngineError::Failed(error.to_string()))
    }

    fn fingerprint(&self, inputs: &[PathBuf], period: BillingPeriod) -> Result<String, EngineError> {
        let hash = arrivals::fingerprint(inputs, period);
        Ok(hash.map(|hash| hex(&hash)).map_err(|problem| refused(&problem.into(), true))?)
    }

    fn periods(&self, inputs: &[PathBuf]) -> Result<Vec<BillingPeriod>, EngineError> {
        Ok(self.months(inputs)?)
    }

    fn export_lines(&self, run: &Path, order: &LinesOrder) -> Result<ExportedLines, EngineError> {
        Ok(delivery::export_lines(run, order, &self.children)?)
    }

    fn lines(&self, run: &Path, asked: &LinesAsked) -> Result<LinesAnswered, EngineError> {
        Ok(lines::lines(run, asked, &self.children)?)
    }

    fn put(&self, place: &Path, files: &[PutFile], outdated: &[String]) -> Result<(), EngineError> {
        delivery::put(place, files, outdated)
    }
}

impl CostEngine {
    fn read_and_price(&self, source: &CostSource, order: &RunOrder) -> Result<RunOutcome, Failure> {
        let written = Written::of(order)?;
        let draft = Draft::begin(&order.out, false, self.children.scratch.as_deref())?;
        let price_list: Vec<PathBuf> = source.price_list.iter().cloned().collect();
        let reading = Order {
            period: order.period,
            cost: &source.inputs,
            price_list: &price_list,
            children: &self.children,
            accept_rejects: source.accept_rejects,
            check_line_ids: false,
            pin: source.pin.clone(),
            daily: true,
            simulation: true,
        };
        let Written { text, read: BookFile { book, warnings, files } } = written;
        let mut heard = Heard::of_book(warnings);
        let (request, limits) = reading.request(&book, &draft)?;
        let month = month::read(&reading, (&request, limits), &book, &draft, &mut heard)?;
        let results = month::make(order.period, book, month, reading.simulation, &draft, &mut heard)?;
        month::write(&draft, &BookText { path: Path::new(BOOK), text: &text, files: &files }, &results)?;
        month::write_source(&draft, reading.cost, &results)?;
        draft.publish()?;
        Ok(outcome(&results, heard))
    }

    fn months(&self, inputs: &[PathBuf]) -> Result<Vec<BillingPeriod>, Failure> {
        let arrived = arrivals::periods(inputs).map_err(|problem| refused(&problem.into(), true))?;
        let mut periods = arrived.periods;
        if !arrived.unnamed.is_empty() {
            let (program, limits) = (self.children.program()?, self.children.limits(&arrived.unnamed)?);
            let search = MonthSearch { inputs: arrived.unnamed, scratch: self.children.scratch.clone() };
            let inside = worker::months(&program, READ_COST_FILES, search, limits);
            periods.extend(inside.map_err(|error| reading_failed(error, true))?);
        }
        Ok(periods.into_iter().collect())
    }
}

/// Does the same to each of many files, on all processors; the results are in the order of the files. The first failure is told.
fn every<T: Sync, R: Send>(
    files: &[T],
    work: impl Fn(&T) -> Result<R, Failure> + Sync,
) -> Result<Vec<R>, Failure> {
    let next = AtomicUsize::new(0);
    let mut made: Vec<(usize, Result<R, Failure>)> = thread::scope(|scope| {
        let some = || {
            // Files are of all sizes: who is done takes the next one.
            let place = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|place| *place < files.len());
            let places = std::iter::from_fn(place);
            places.map(|place| (place, work(&files[place]))).collect::<Vec<_>>()
        };
        let threads = thread::available_parallelism().map_or(1, usize::from).min(files.len());
        let started: Vec<_> = (0..threads).map(|_| scope.spawn(some)).collect();
        let joined =
            started.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        joined.flatten().collect()
    });
    made.sort_unstable_by_key(|(place, _)| *place);
    made.into_iter().map(|(_, result)| result).collect()
}

/// The order's book as it goes into the run, and as it reads.
struct Written {
    text: String,
    read: BookFile,
}

impl Written {
    /// Writes the book and reads it again: what is in the run is what prices it.
    fn of(order: &RunOrder) -> Result<Self, Failure> {
        let text = book_file::write(&order.book);
        let file = |name: &str| {
            order.book_files.get(name).cloned().ok_or_else(|| "there is no such file".to_owned())
        };
        match book_file::parse(Path::new(BOOK), &text, &file) {
            Ok(read) => Ok(Self { text, read }),
            Err(mistakes) => Err(Failure::inputs(mistakes.iter().map(sentence).collect())),
        }
    }
}

/// A finding without its place: nobody has written this text.
fn sentence(finding: &Finding) -> String {
    let Finding { what, message, .. } = finding;
    if what.is_empty() { message.clone() } else { format!("{what}: {message}") }
}

/// What an operator should know, in the order in which it turned out.
struct Heard(Vec<String>);

impl Heard {
    fn of_book(warnings: Vec<Finding>) -> Self {
        Self(warnings.iter().map(sentence).collect())
    }
}

impl Listener for Heard {
    fn progress(&mut self, _: Progress) {}

    fn ended(&mut self) {}

    fn read(&mut self, report: &Report) {
        self.0.extend(report.warnings.clone());
    }

    fn listed(&mut self, listed: &Listed) {
        self.0.extend(listed.report.warnings.clone());
    }

    fn simulated(&mut self, commitments: &Commitments) {
        self.0.extend(commitments.warnings.clone());
    }
}

fn outcome(results: &Results, heard: Heard) -> RunOutcome {
    let Heard(mut said) = heard;
    said.extend(warnings(&results.card, &results.reconciliation));
    said.extend(policy_warnings(&results.book, &results.derived));
    said.extend(guard::sentence(&results.guard));
    RunOutcome {
        snapshot: hex(&results.report.snapshot()),
        book_hash: hex(&results.book.hash(results.period)),
        lines: results.report.lines_read,
        warnings: said,
    }
}

/// Flags of the command line, and the members of `ImportCostData` that say the same.
const MEMBERS: [(&str, &str); 4] = [
    ("--accept-rejects", "`AcceptRejects`"),
    ("--cost", "`CostFiles`"),
    ("--period", "`BillingPeriod`"),
    ("--price-list", "`PriceList`"),
];

/// A sentence for whoever imports, through the API or at the command line: a flag is named with the member of the operation.
fn at_both_doors(sentence: String) -> String {
    MEMBERS.iter().fold(sentence, |text, (flag, member)| {
        let mut parts = text.split(flag);
        let mut told = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            // A longer flag begins like this one.
            let is_whole = !part.starts_with(|next: char| next == '-' || next.is_ascii_alphanumeric());
            told.push_str(&if is_whole { format!("{member} ({flag})") } else { (*flag).to_owned() });
            told.push_str(part);
        }
        told
    })
}

/// The errors of a disk that is full or fails: EIO, ENOSPC, EROFS, EDQUOT.
const OF_DISK: [i32; 4] = [5, 28, 30, 122];

/// Whether a message tells of the disk. It may come from the child that reads, as text; the number is how the standard library ends such a message.
fn is_of_disk(message: &str) -> bool {
    OF_DISK.iter().any(|number| message.contains(&format!("(os error {number})")))
}

impl From<Failure> for EngineError {
    fn from(failure: Failure) -> Self {
        match of_failure(failure) {
            Self::Input(problems) if problems.iter().any(|problem| is_of_disk(problem)) => {
                Self::Disk(problems.join("; "))
            }
            Self::Failed(problem) if is_of_disk(&problem) => Self::Disk(problem),
            other => other,
        }
    }
}

/// The cost files of a run as a child reads them once more, and what it may take.
fn rereading(run: &RunFolder, children: &Children) -> Result<(Request, Limits), Failure> {
    let request = Request {
        threads: children.threads(),
        accept_rejects: run.accepted_rejects,
        scratch: children.scratch.clone(),
        dimensions: (&run.cube.dimensions).into(),
        ..Request::new(run.cost(&[]), run.period.to_string())
    };
    let limits = children.limits(&request.inputs)?;
    Ok((request, limits))
}

fn of_failure(failure: Failure) -> EngineError {
    match failure {
        Failure::Input { mut problems, count, hint } => {
            let more = count.saturating_sub(problems.len() as u64);
            if more > 0 {
                problems.push(format!("and {more} more"));
            }
            problems.extend(hint);
            EngineError::Input(problems.into_iter().map(at_both_doors).collect())
        }
        Failure::Partly { why, .. } => of_failure(*why),
        Failure::Other(error) => EngineError::Failed(at_both_doors(format!("{error:#}"))),
        Failure::Said(status) => EngineError::Failed(format!("a program has ended with status {status}")),
    }
}

#[cfg(test)]
mod tests {
    //! What is said to whoever imports.

    use super::*;

    #[test]
    fn a_flag_is_named_with_its_member() {
        for (said, told) in [
            ("add --accept-rejects to go on", "add `AcceptRejects` (--accept-rejects) to go on"),
            ("give one export with --cost", "give one export with `CostFiles` (--cost)"),
            (
                "check --cost, --period and --book",
                "check `CostFiles` (--cost), `BillingPeriod` (--period) and --book",
            ),
            (
                "--price-list, --cost-roots, --periodic",
                "`PriceList` (--price-list), --cost-roots, --periodic",
            ),
            ("nothing", "nothing"),
        ] {
            assert_eq!(at_both_doors(said.to_owned()), told);
        }
    }
}
