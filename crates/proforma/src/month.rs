//! A month of costs, wherever they come from, becomes what a run writes: for `run` and the engine of a billing desk, which read cost files, for
//! `resale`, which has what a level above charges, and for whoever prices the month of an earlier run again.

use crate::cli::READ_COST_FILES;
use crate::coverage::{self, Commitments, KnownCoverage};
use crate::failure::Failure;
use crate::price_list::{self, Listed};
use crate::pricing::{BookText, Rated, check_payer, rate};
use crate::publish::{CUBE, DAILY_CUBE, Draft, ELIGIBLE_USAGE};
use crate::reader::{Children, reading_failed};
use crate::reading_file;
use crate::report_files::{self, Results};
use anyhow::anyhow;
use billing::book::Book;
use billing::breakdown::unused_by_reports;
use billing::margin_guard::findings;
use billing::period::BillingPeriod;
use billing::reconciliation::reconcile;
use billing::{cost_report, statement};
use cost_data::reading::{Progress, Request};
use cost_data::report::Report;
use cost_data::source_file::Snapshot;
use cost_data::worker::{self, Answer, Limits};
use std::path::PathBuf;

/// What is to be read, and how.
pub struct Order<'a> {
    pub period: BillingPeriod,
    /// Cost files.
    pub cost: &'a [PathBuf],
    /// AWS's price list, where there is one.
    pub price_list: &'a [PathBuf],
    pub children: &'a Children,
    pub accept_rejects: bool,
    pub check_line_ids: bool,
    pub pin: Option<PathBuf>,
    /// Whether the month is kept by day, too.
    pub daily: bool,
    /// Whether commitments are applied inside billing groups.
    pub simulation: bool,
}

impl Order<'_> {
    /// What the reading child is asked for, and what it may take.
    pub fn request(&self, book: &Book, draft: &Draft) -> Result<(Request, Limits), Failure> {
        let limits = self.children.limits(self.cost)?;
        let request = Request {
            threads: self.children.threads(),
            accept_rejects: self.accept_rejects,
            check_line_ids: self.check_line_ids,
            pin: self.pin.clone(),
            scratch: self.children.scratch.clone(),
            dimensions: (&book.dimensions()).into(),
            daily: self.daily.then(|| draft.path(DAILY_CUBE)),
            // Also where the book shares commitments as in the real bill: a preview may share them otherwise.
            eligible: self.simulation.then(|| draft.path(ELIGIBLE_USAGE)),
            ..Request::new(self.cost.to_vec(), self.period.to_string())
        };
        Ok((request, limits))
    }
}

/// Who is told how far a month is.
pub trait Listener {
    /// How far the reading is.
    fn progress(&mut self, so_far: Progress);
    /// The reading has ended, well or not.
    fn ended(&mut self);
    /// What was read.
    fn read(&mut self, report: &Report);
    /// What the price list says.
    fn listed(&mut self, listed: &Listed);
    /// What commitments cover.
    fn simulated(&mut self, commitments: &Commitments);
}

/// A month that was read, now or by an earlier run.
pub struct Month {
    pub answer: Answer,
    pub listed: Listed,
    /// The hash of the file of what was noticed, as the mark has it.
    pub reading: String,
    /// What commitments cover in the run that has read it, where that was an earlier one.
    pub earlier: Option<KnownCoverage>,
}

/// Lets children read the cost files and the price list; what they leave is in the draft.
pub fn read(
    order: &Order<'_>,
    (request, limits): (&Request, Limits),
    book: &Book,
    draft: &Draft,
    listener: &mut dyn Listener,
) -> Result<Month, Failure> {
    let program = order.children.program()?;
    let mut progress = |so_far| listener.progress(so_far);
    let read = worker::read(&program, READ_COST_FILES, request, limits, &draft.path(CUBE), &mut progress);
    listener.ended();
    let mut answer = read.map_err(|error| reading_failed(error, request.accept_rejects))?;
    let noticed = answer.report.clone();
    answer.report.warnings.extend(unused_by_reports(&answer.cube, &book.reports));
    listener.read(&answer.report);
    check_payer(book, &answer.cube)?;
    let listed = price_list::read(order.price_list, order.children, &answer.cube, draft)?;
    listener.listed(&listed);
    let reading = reading_file::write(draft, &answer.cube, &noticed, &listed.report.warnings)?;
    Ok(Month { answer, listed, reading, earlier: None })
}

/// Applies the month's commitments, and prices it.
pub fn make(
    period: BillingPeriod,
    mut book: Book,
    month: Month,
    simulation: bool,
    draft: &Draft,
    listener: &mut dyn Listener,
) -> Result<Results, Failure> {
    let Month { mut answer, listed, reading, earlier } = month;
    let commitments = match earlier {
        Some(run) => coverage::simulate_again(&run, &answer.cube, &mut book, &mut answer.report, draft)?,
        None => coverage::simulate(&answer.cube, &mut book, &mut answer.report, simulation, draft)?,
    };
    listener.simulated(&commitments);
    let results = price(period, book, answer, listed, commitments)?;
    Ok(Results { reading: Some(reading), ..results })
}

/// Writes the book and all that was found.
pub fn write(draft: &Draft, book: &BookText<'_>, results: &Results) -> anyhow::Result<()> {
    report_files::write_book(draft, book)?;
    report_files::write(draft, results)
}

/// Writes which cost files were read, and where they are.
pub fn write_source(draft: &Draft, cost: &[PathBuf], results: &Results) -> anyhow::Result<()> {
    let inputs = cost.iter().map(|input| input.display().to_string()).collect();
    report_files::write_source(draft, &Snapshot::of(&results.report, results.period, inputs))
}

/// Everything that follows from a cube, a book and a price list.
pub fn price(
    period: BillingPeriod,
    mut book: Book,
    answer: Answer,
    listed: Listed,
    commitments: Commitments,
) -> Result<Results, Failure> {
    let Answer { cube, control, cube_sha256, report } = answer;
    let Rated { card, charges, derived } =
        rate(&cube, &mut book, &listed.prices, commitments.coverage.as_ref())?;
    let statements = statement::statements(&cube, &book, &card, &charges)?;
    let rows = cost_report::cost_report(&cube, &book, &card, &statements)?;
    let totals = cost_report::group_totals(&rows, &statements)?;
    let reconciliation = reconcile(&cube, &book, &card, &statements, &control)?;
    for (currency, of_currency) in &reconciliation.currencies {
        if !of_currency.difference.is_zero() {
            let difference = of_currency.difference;
            let error = anyhow!(
                "the classes do not sum to the cost files: {difference} {currency} differ; a fault of the program"
            );
            return Err(error.into());
        }
    }
    let guard = findings(&cube, &book, &card, &charges, &derived)?;
    let rounded_items = charges.iter().filter(|charge| charge.rounded).count() as u64;
    Ok(Results {
        period,
        book,
        cube,
        cube_sha256,
        card,
        statements,
        rows,
        totals,
        reconciliation,
        report,
        listed,
        commitments,
        derived,
        guard,
        upstream: None,
        reading: None,
        rounded_items,
    })
}
