//! `proforma run`: a month of cost files becomes statements, a cost report and a reconciliation.

use crate::book_file;
use crate::cli::{ExportLayout, READ_COST_FILES, RunArguments};
use crate::export::{self, Priced, Wanted};
use crate::failure::Failure;
use crate::price_list::{self, Listed};
use crate::publish::{CUBE, DAILY_CUBE, Draft};
use crate::report_files::{self, Results};
use crate::terminal::{self, ReadingBar};
use anyhow::{Context, anyhow};
use billing::book::Book;
use billing::charge_class::Cube;
use billing::period::BillingPeriod;
use billing::price_list::PriceList;
use billing::rate_card::{ItemCharge, PricingError, RateCard, item_charges, rate_card};
use billing::reconciliation::reconcile;
use billing::{cost_report, statement};
use cost_data::dimensions::Dimensions;
use cost_data::export::ExportReport;
use cost_data::reading::{Refusal, Request};
use cost_data::source_file::Snapshot;
use cost_data::worker::{self, Answer, Limits, WorkerError};
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Reads, prices, writes and prints.
pub fn run(arguments: &RunArguments) -> Result<(), Failure> {
    let started = Instant::now();
    let period =
        BillingPeriod::parse(&arguments.period).map_err(|error| Failure::input(error.to_string()))?;
    let (book, book_text) = read_book(&arguments.book)?;
    let draft = Draft::begin(&arguments.out, arguments.force, arguments.scratch.as_deref())?;
    let (mut request, limits) = request(arguments)?;
    request.dimensions = (&book.reports).into();
    request.daily = (!arguments.no_daily).then(|| draft.path(DAILY_CUBE));
    let answer = read_cost_files(&request, limits, &draft)?;
    let read = started.elapsed();
    terminal::print_reading(&answer.report);
    check_payer(&book, &answer.cube)?;
    let listed = price_list::read(arguments, &answer.cube, &draft)?;
    terminal::print_price_list(&listed);
    let results = price(period, book, answer, listed)?;
    let priced = started.elapsed();
    draft.write(book_file::stored_name(&arguments.book), book_text.as_bytes())?;
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
        for (part, time) in
            [("reading", read), ("pricing", priced - read), ("writing", started.elapsed() - priced)]
        {
            say!("timing {part}_wall_seconds={}.{:06}", time.as_secs(), time.subsec_micros());
        }
    }
    Ok(())
}

/// Reads and checks a book; its warnings are said. Also gives its text.
pub fn read_book(path: &Path) -> Result<(Book, String), Failure> {
    let shown = path.display();
    let bytes = fs::read(path).map_err(|error| {
        Failure::input(format!("book `{shown}` cannot be read: {error}"))
            .hint("give the book file with --book")
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::input(format!("book `{shown}` is not UTF-8 text: byte {at} begins no character"))
    })?;
    let parsed = book_file::parse(path, &text).map_err(|mistakes| {
        Failure::inputs(mistakes.into_iter().map(|mistake| format!("{shown}:{mistake}")).collect())
    })?;
    for warning in parsed.warnings {
        say!("warning: {shown}:{warning}");
    }
    Ok((parsed.book, text))
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
        files: files.iter().map(|file| (file.name.as_str(), file.sha256.as_str())).collect(),
        format: export::format_of(files),
    };
    let wanted = Wanted { layout: arguments.export, format: arguments.export_format, groups: &[] };
    let plan = export::plan(&priced, &wanted)?;
    export::with_run(draft, request, limits, plan).map(Some)
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

/// What the child is asked to read, and what it may take.
fn request(arguments: &RunArguments) -> Result<(Request, Limits), Failure> {
    let threads = threads(arguments.threads);
    let limits = limits(&arguments.cost, threads, arguments.worker_memory, arguments.worker_cpu)?;
    let request = Request {
        inputs: arguments.cost.clone(),
        period: arguments.period.clone(),
        threads,
        accept_rejects: arguments.accept_rejects,
        check_line_ids: arguments.check_line_ids,
        pin: arguments.pin.clone(),
        scratch: arguments.scratch.clone(),
        dimensions: Dimensions::default(),
        daily: None,
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

/// Whether a book may price a cube: they are of one payer.
pub fn check_payer(book: &Book, cube: &Cube) -> Result<(), Failure> {
    match &cube.payer {
        Some(payer) if *payer != book.payer => {
            let problem =
                format!("the cost files are of payer account `{payer}`, the book of `{}`", book.payer);
            Err(Failure::input(problem).hint("check --cost, --book and the book's payer_account_id"))
        }
        _ => Ok(()),
    }
}

/// The rate card of a cube under a book, and the charges of its custom line items.
pub fn rate(cube: &Cube, book: &Book, prices: &PriceList) -> Result<(RateCard, Vec<ItemCharge>), Failure> {
    let card = rate_card(cube, book, prices).map_err(not_priced)?;
    let charges = item_charges(cube, book, &card).map_err(not_priced)?;
    Ok((card, charges))
}

/// Why a month cannot be priced.
pub fn not_priced(error: PricingError) -> Failure {
    Failure::input(error.to_string())
}

/// Everything that follows from a cube, a book and a price list.
fn price(period: BillingPeriod, book: Book, answer: Answer, listed: Listed) -> Result<Results, Failure> {
    let Answer { cube, control, cube_sha256, report } = answer;
    let (card, charges) = rate(&cube, &book, &listed.prices)?;
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
        rounded_items,
    })
}
