//! The month of an earlier run under another book: a whole run again, without the cost files.

use super::{BOOK, Heard, Written, outcome};
use crate::failure::{Failure, damaged};
use crate::month::{self, Listener, Month};
use crate::price_list;
use crate::pricing::{BookText, check_payer};
use crate::publish::{CUBE, DAILY_CUBE, Draft, ELIGIBLE_USAGE, READING, REJECTED_LINES};
use crate::reading_file::{self, ReadingFile};
use crate::run_folder::{self, RunFolder};
use anyhow::anyhow;
use back_office::engine::{RunOrder, RunOutcome};
use billing::book::Book;
use billing::breakdown::unused_by_reports;
use book_file::BookFile;
use cost_data::eligible_usage::EligibleUsage;
use cost_data::price_list::kept::PRICE_LIST_FILE;
use cost_data::report::Report;
use cost_data::source_file::SOURCE_FILE;
use cost_data::worker::Answer;
use std::path::Path;

/// Prices the month again; `None` where the earlier run cannot serve, and the cost files must be read.
pub fn reprice(
    earlier: &Path,
    order: &RunOrder,
    scratch: Option<&Path>,
) -> Result<Option<RunOutcome>, Failure> {
    if !run_folder::is_of_this_version(earlier)? {
        return Ok(None);
    }
    // A large book takes as long to write and read as the cube to decode.
    let (written, run) = std::thread::scope(|scope| {
        let written = scope.spawn(|| Written::of(order));
        let run = run_folder::open(earlier);
        (written.join(), run)
    });
    let written = written.map_err(|_| anyhow!("the book could not be read"))??;
    let run = run?;
    let Some(reading) = reading_of(&run, order, &written.read.book)? else { return Ok(None) };
    let Written { text, read: BookFile { book, warnings, files } } = written;
    let mut heard = Heard::of_book(warnings);
    let draft = Draft::begin(&order.out, false, scratch)?;
    take_over(&draft, &run, &reading.report)?;
    let month = month_of(run, reading, &book, &mut heard)?;
    let results = month::make(order.period, book, month, true, &draft, &mut heard)?;
    month::write(&draft, &BookText { path: Path::new(BOOK), text: &text, files: &files }, &results)?;
    draft.publish()?;
    Ok(Some(outcome(&results, heard)))
}

/// What the run has noticed while it read, if its cube and its other files are what a reading for this order would leave.
fn reading_of(run: &RunFolder, order: &RunOrder, book: &Book) -> Result<Option<ReadingFile>, Failure> {
    let is_whole = !run.is_of_upstream && run.has_days() && run.period == order.period;
    let Some(reading) = run.reading.as_ref().filter(|_| is_whole) else { return Ok(None) };
    if run.book.dimensions() != book.dimensions() || !run.days_are_newest()? {
        return Ok(None);
    }
    let reading = reading_file::read(&run.path, reading)?;
    // Without eligible usage nobody has asked for it.
    Ok(reading.report.eligible_usage.is_some().then_some(reading))
}

/// Takes the files over that only the cost files decide.
fn take_over(draft: &Draft, run: &RunFolder, report: &Report) -> Result<(), Failure> {
    let mut names = vec![CUBE, DAILY_CUBE, READING, SOURCE_FILE];
    if let Some(EligibleUsage::Kept { .. }) = report.eligible_usage {
        names.push(ELIGIBLE_USAGE);
    }
    if run.price_list.is_some() {
        names.push(PRICE_LIST_FILE);
    }
    if report.lines_rejected > 0 {
        names.push(REJECTED_LINES);
    }
    for name in names {
        if !run.path.join(name).is_file() {
            return Err(damaged(&run.path, format!("it has no `{name}`")));
        }
        draft.take_over(&run.path, name)?;
    }
    Ok(())
}

/// The month as its reading left it.
fn month_of(run: RunFolder, reading: ReadingFile, book: &Book, heard: &mut Heard) -> Result<Month, Failure> {
    let ReadingFile { mut report, price_list_warnings, .. } = reading;
    report.commitments = run.inventory()?.cloned();
    report.warnings.extend(unused_by_reports(&run.cube, &book.reports));
    heard.read(&report);
    check_payer(book, &run.cube)?;
    let prices_sha256 = run.price_list.as_deref().map(|hash| hash.trim_start_matches("sha256:").to_owned());
    let reading = run.reading.clone().unwrap_or_default();
    let ((cube, control, cube_sha256), prices, earlier) = run.into_parts();
    let listed = price_list::of_run(&cube, prices, prices_sha256, price_list_warnings);
    heard.listed(&listed);
    let answer = Answer { cube, control, cube_sha256, report };
    Ok(Month { answer, listed, reading, earlier: Some(earlier) })
}
