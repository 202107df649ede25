//! `proforma run`: a month of cost files becomes statements, a cost report and a reconciliation.

use crate::cli::{ExportLayout, RunArguments};
use crate::coverage::{self, Commitments};
use crate::export::{self, Priced, Wanted};
use crate::failure::Failure;
use crate::month::{self, Listener, Order};
use crate::price_list::Listed;
use crate::pricing::{BookText, ReadBook, read_book};
use crate::publish::{Draft, ELIGIBLE_USAGE};
use crate::report_files::Results;
use crate::resale;
use crate::terminal::{self, ReadingBar};
use billing::period::BillingPeriod;
use cost_data::export::ExportReport;
use cost_data::reading::{Progress, Request};
use cost_data::report::Report;
use cost_data::worker::Limits;
use std::time::{Duration, Instant};

/// Reads, prices, writes and prints.
pub fn run(arguments: &RunArguments) -> Result<(), Failure> {
    if let Some(upstream) = &arguments.upstream {
        return resale::run(arguments, upstream);
    }
    let started = Instant::now();
    let month = arguments.period.as_deref().unwrap_or_default();
    let period = BillingPeriod::parse(month).map_err(|error| Failure::input(error.to_string()))?;
    let ReadBook { book, text, files } = read_book(&arguments.book)?;
    let draft = Draft::begin(&arguments.out, arguments.force, arguments.scratch.as_deref())?;
    let children = arguments.children();
    let order = Order {
        period,
        cost: &arguments.cost,
        price_list: &arguments.price_list,
        children: &children,
        accept_rejects: arguments.accept_rejects,
        check_line_ids: arguments.check_line_ids,
        pin: arguments.pin.clone(),
        daily: !arguments.no_daily,
        simulation: !arguments.no_simulation,
    };
    let (request, limits) = order.request(&book, &draft)?;
    let mut told = Told::new(started);
    let month = month::read(&order, (&request, limits), &book, &draft, &mut told)?;
    let results = month::make(period, book, month, order.simulation, &draft, &mut told)?;
    let priced = started.elapsed();
    let exported = export_lines(arguments, &request, limits, &draft, &results)?;
    month::write(&draft, &BookText { path: &arguments.book, text: &text, files: &files }, &results)?;
    month::write_source(&draft, order.cost, &results)?;
    draft.publish()?;
    exported.iter().for_each(export::print);
    terminal::print_results(&results, arguments.output)?;
    if arguments.timings {
        let hashing = results.report.hashing_nanoseconds / 1_000;
        say!("timing hashing_cpu_seconds={}.{:06}", hashing / 1_000_000, hashing % 1_000_000);
        for (part, time) in [
            ("reading", told.read),
            ("simulation", told.simulated - told.listed),
            ("pricing", priced - told.simulated),
            ("writing", started.elapsed() - priced),
        ] {
            say!("timing {part}_wall_seconds={}.{:06}", time.as_secs(), time.subsec_micros());
        }
    }
    Ok(())
}

/// The terminal, told how far a month is, and when it was.
struct Told {
    bar: ReadingBar,
    started: Instant,
    read: Duration,
    listed: Duration,
    simulated: Duration,
}

impl Told {
    fn new(started: Instant) -> Self {
        let never = Duration::ZERO;
        Self { bar: ReadingBar::new(), started, read: never, listed: never, simulated: never }
    }
}

impl Listener for Told {
    fn progress(&mut self, so_far: Progress) {
        self.bar.show(so_far);
    }

    fn ended(&mut self) {
        self.bar.finish();
    }

    fn read(&mut self, report: &Report) {
        self.read = self.started.elapsed();
        terminal::print_reading(report);
    }

    fn listed(&mut self, listed: &Listed) {
        terminal::print_price_list(listed);
        self.listed = self.started.elapsed();
    }

    fn simulated(&mut self, commitments: &Commitments) {
        terminal::print_commitments(commitments);
        self.simulated = self.started.elapsed();
    }
}

/// Exports the lines of the billing groups into the draft, if that is wanted.
fn export_lines(
    arguments: &RunArguments,
    request: &Request,
    limits: Limits,
    draft: &Draft,
    results: &Results,
) -> Result<Option<ExportReport>, Failure> {
    if arguments.export == ExportLayout::None {
        return Ok(None);
    }
    let files = &results.report.files;
    let priced = Priced {
        cube: &results.cube,
        book: &results.book,
        card: &results.card,
        statements: &results.statements,
        coverage: results.commitments.coverage.as_ref(),
        files: files.iter().map(|file| (file.name.as_str(), file.sha256.as_str())).collect(),
        format: export::format_of(files),
    };
    let wanted = Wanted { layout: arguments.export, format: arguments.export_format, groups: &[] };
    let commitments = &results.commitments;
    let simulated = commitments.coverage.as_ref().map(|coverage| {
        let (path, told) = (draft.path(ELIGIBLE_USAGE), &coverage.commitments);
        let lines = coverage::lines_of_file(&path, &results.cube, &results.book, told, None)?;
        Ok::<_, Failure>((commitments.inventory.clone(), lines))
    });
    export::with_run(draft, (request, limits), &priced, &wanted, simulated.transpose()?).map(Some)
}
