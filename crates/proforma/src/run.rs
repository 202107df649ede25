//! `proforma run`: a month of cost files becomes statements, a cost report and a reconciliation.

use crate::cli::{ExportLayout, READ_COST_FILES, RunArguments};
use crate::coverage;
use crate::export::{self, Priced, Wanted};
use crate::failure::Failure;
use crate::month::price;
use crate::price_list;
use crate::pricing::{ReadBook, check_payer, read_book};
use crate::publish::{CUBE, DAILY_CUBE, Draft, ELIGIBLE_USAGE};
use crate::reader::{limits, reading_failed, threads};
use crate::report_files::{self, Results};
use crate::resale;
use crate::terminal::{self, ReadingBar};
use anyhow::Context;
use billing::breakdown::unused_by_reports;
use billing::period::BillingPeriod;
use cost_data::export::ExportReport;
use cost_data::reading::Request;
use cost_data::source_file::Snapshot;
use cost_data::worker::{self, Answer, Limits};
use std::time::Instant;

/// Reads, prices, writes and prints.
pub fn run(arguments: &RunArguments) -> Result<(), Failure> {
    if let Some(upstream) = &arguments.upstream {
        return resale::run(arguments, upstream);
    }
    let started = Instant::now();
    let month = arguments.period.as_deref().unwrap_or_default();
    let period = BillingPeriod::parse(month).map_err(|error| Failure::input(error.to_string()))?;
    let ReadBook { mut book, text: book_text, files: book_files } = read_book(&arguments.book)?;
    let draft = Draft::begin(&arguments.out, arguments.force, arguments.scratch.as_deref())?;
    let (mut request, limits) = request(arguments, month)?;
    request.dimensions = (&book.dimensions()).into();
    request.daily = (!arguments.no_daily).then(|| draft.path(DAILY_CUBE));
    // Also where the book shares commitments as in the real bill: a preview may share them otherwise.
    request.eligible = (!arguments.no_simulation).then(|| draft.path(ELIGIBLE_USAGE));
    let mut answer = read_cost_files(&request, limits, &draft)?;
    let read = started.elapsed();
    answer.report.warnings.extend(unused_by_reports(&answer.cube, &book.reports));
    terminal::print_reading(&answer.report);
    check_payer(&book, &answer.cube)?;
    let listed = price_list::read(arguments, &answer.cube, &draft)?;
    terminal::print_price_list(&listed);
    let begun = started.elapsed();
    let wanted = !arguments.no_simulation;
    let commitments = coverage::simulate(&answer.cube, &mut book, &mut answer.report, wanted, &draft)?;
    terminal::print_commitments(&commitments);
    let simulated = started.elapsed();
    let results = price(period, book, answer, listed, commitments)?;
    let priced = started.elapsed();
    report_files::write_book(&draft, &arguments.book, &book_text, &book_files)?;
    let exported = export_lines(arguments, &request, limits, &draft, &results)?;
    report_files::write(&draft, &results)?;
    let inputs = arguments.cost.iter().map(|input| input.display().to_string()).collect();
    report_files::write_source(&draft, &Snapshot::of(&results.report, period, inputs))?;
    draft.publish()?;
    exported.iter().for_each(export::print);
    terminal::print_results(&results, arguments.output)?;
    if arguments.timings {
        let hashing = results.report.hashing_nanoseconds / 1_000;
        say!("timing hashing_cpu_seconds={}.{:06}", hashing / 1_000_000, hashing % 1_000_000);
        for (part, time) in [
            ("reading", read),
            ("simulation", simulated - begun),
            ("pricing", priced - simulated),
            ("writing", started.elapsed() - priced),
        ] {
            say!("timing {part}_wall_seconds={}.{:06}", time.as_secs(), time.subsec_micros());
        }
    }
    Ok(())
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

/// What the child is asked to read, and what it may take.
fn request(arguments: &RunArguments, month: &str) -> Result<(Request, Limits), Failure> {
    let threads = threads(arguments.threads);
    let limits = limits(&arguments.cost, threads, arguments.worker_memory, arguments.worker_cpu)?;
    let request = Request {
        threads,
        accept_rejects: arguments.accept_rejects,
        check_line_ids: arguments.check_line_ids,
        pin: arguments.pin.clone(),
        scratch: arguments.scratch.clone(),
        ..Request::new(arguments.cost.clone(), month)
    };
    Ok((request, limits))
}

/// Lets a child read the cost files; the cube lands in the draft.
fn read_cost_files(request: &Request, limits: Limits, draft: &Draft) -> Result<Answer, Failure> {
    let program = std::env::current_exe().context("cannot find this program to start its reading child")?;
    let bar = ReadingBar::new();
    let read = worker::read(&program, READ_COST_FILES, request, limits, &draft.path(CUBE), &mut |so_far| {
        bar.show(so_far);
    });
    bar.finish();
    read.map_err(|error| reading_failed(error, request.accept_rejects))
}
