//! Reading a month: all files of a delivery, over threads, into one cube.

mod checks;
mod line_search;
mod months;
mod resimulation;
mod tasks;

use checks::{
    double_discounts, duplicate_files, duplicates, no_lines, odd_accounts, one_payer, without_identity,
};
pub use line_search::{FoundLine, LineSearch, find as find_line};
pub use months::{MonthSearch, find as find_months};
use resimulation::Taken;
pub(crate) use tasks::{Task, in_threads};

use crate::batch::{Columns, Place, span};
use crate::csv_lines::{self, CsvFile};
use crate::daily_file;
use crate::delivery;
use crate::diagnostics::{Diagnostic, HINT_BROKEN, Refusal};
use crate::dimensions::{self, Dimensions};
use crate::focus::{self, OtherProviders};
use crate::found::Found;
use crate::hash::hex;
use crate::layout::{CostFormat, Layout, LayoutError};
use crate::limits::{REJECTS_LISTED_MAX, RESTARTS_MAX};
use crate::location::Location;
use crate::number::NumberNotes;
use crate::parquet_lines::{self, ParquetFile};
use crate::pin;
use crate::report::{FileReport, Report};
use crate::scan::{self, Counts, Daily, Merged, Scan, TooManyClasses};
use crate::source::Source;
use crate::sources::Sources;
use billing::abilities::Abilities;
use billing::charge_class::{Cube, KeyColumn, Measure};
use billing::money::{Cost, Currency};
use billing::period::BillingPeriod;
use billing::reconciliation::ControlTotal;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

pub use crate::focus::OtherProvider;

/// What to read, and how.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// Folders, cost files, manifests or the source file of a run; of this machine or as `s3://bucket/key`.
    pub inputs: Vec<PathBuf>,
    /// The month, as `YYYY-MM`.
    pub period: String,
    /// How many threads read.
    pub threads: usize,
    /// Whether to go on without the rows that cannot be read.
    pub accept_rejects: bool,
    /// Whether to look for lines that come twice; takes 16 bytes of memory a line.
    pub check_line_ids: bool,
    /// Where to keep the files by content.
    pub pin: Option<PathBuf>,
    /// The folder that objects of a store are kept in while they are read; that of the system if it is not given.
    pub scratch: Option<PathBuf>,
    /// The tags, cost categories and resources that split classes.
    #[serde(default)]
    pub dimensions: Dimensions,
    /// Where to leave the daily cube, if it is wanted.
    #[serde(default)]
    pub daily: Option<PathBuf>,
    /// Where to leave the usage that commitments may cover, if the month's commitments are to be re-simulated.
    #[serde(default)]
    pub eligible: Option<PathBuf>,
}

impl Request {
    /// A month, read on one thread and with nothing that can be left out.
    #[must_use]
    pub fn new(inputs: Vec<PathBuf>, period: impl Into<String>) -> Self {
        Self {
            inputs,
            period: period.into(),
            threads: 1,
            accept_rejects: false,
            check_line_ids: false,
            pin: None,
            scratch: None,
            dimensions: Dimensions::default(),
            daily: None,
            eligible: None,
        }
    }
}

/// A month that was read.
#[derive(Debug)]
pub struct Reading {
    /// The classes.
    pub cube: Cube,
    /// Totals by currency, summed line by line.
    pub control: BTreeMap<Currency, ControlTotal>,
    /// What there is to say about it.
    pub report: Report,
}

/// How far a reading is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Bytes of files that have been read.
    pub bytes_done: u64,
    /// Bytes of all files.
    pub bytes_total: u64,
    /// Lines so far.
    pub lines: u64,
}

/// Reads a month. `progress` is called a few times a second.
///
/// # Errors
/// A [`Refusal`] that names every problem, up to a limit; nothing has been written then.
pub fn read(request: &Request, progress: &(dyn Fn(Progress) + Sync)) -> Result<Reading, Refusal> {
    let period = BillingPeriod::parse(&request.period)
        .map_err(|error| Diagnostic::file("--period", error.to_string()))?;
    for _ in 0..RESTARTS_MAX {
        let delivery = delivery::find(&request.inputs, period)?;
        let sources = Sources::open(&delivery, request.scratch.as_deref());
        let opened = open_all(&sources, delivery.passed_by.clone(), request);
        let outcome = opened.and_then(|opened| {
            let outcome = Run::new(&opened, period, progress).read(request)?;
            Ok((outcome, opened))
        });
        if sources.have_changed() || delivery::has_changed(&delivery, &request.inputs, period) {
            continue;
        }
        let reading = outcome.and_then(|(outcome, opened)| finish(outcome, opened, period, request));
        return sources.explained(reading);
    }
    let input = request.inputs.first().map(|path| path.display().to_string()).unwrap_or_default();
    let reason = format!("changed {RESTARTS_MAX} times while it was read");
    Err(Diagnostic::file(&input, reason).hint("AWS is delivering; run again when it has finished").into())
}

/// The files of a delivery, opened, with their formats.
pub(crate) struct Opened {
    pub files: Vec<OpenFile>,
    format: Option<CostFormat>,
    passed_by: Vec<(String, String)>,
}

pub(crate) struct OpenFile {
    pub found: Found,
    pub source: Source,
    pub layout: Layout,
    pub columns: Columns,
    pub content: Content,
}

pub(crate) enum Content {
    Parquet(ParquetFile),
    Csv,
}

/// Optional columns that prices depend on, and what happens without them.
const PRICE_COLUMNS: [(KeyColumn, &str); 5] = [
    (KeyColumn::UnblendedRateState, "usage at rate 0 is charged, and no SKU counts as tiered"),
    (KeyColumn::ServiceCode, "rules match the product code"),
    (KeyColumn::PricingTerm, "spot is told by its usage type only"),
    (KeyColumn::SavingsPlanArn, "Savings Plans count as owned by the accounts that they cover"),
    (KeyColumn::ReservationArn, "reservations count as owned by the accounts that they cover"),
];

/// A warning for every such column that a file does not have.
fn absent_columns(files: &[OpenFile]) -> Vec<String> {
    // What a file of FOCUS cannot say is told of the rules that need it.
    if files.iter().any(|file| file.columns.focus.is_some()) {
        return Vec::new();
    }
    let without = |missing: &dyn Fn(&Columns) -> bool, column: &str, then: &str| {
        let file = files.iter().find(|file| missing(&file.columns))?;
        Some(format!("`{}` has no column `{column}`: {then}", file.found.name))
    };
    let keys = PRICE_COLUMNS.iter().filter_map(|(column, then)| {
        let name = CostFormat::Cur2.vocabulary().key_name(*column);
        without(&|columns| columns.keys[*column as usize].is_none(), name, then)
    });
    let public = |columns: &Columns| !columns.measures.iter().any(|(of, ..)| *of == Measure::PublicOnDemand);
    let public =
        without(&public, "pricing_public_on_demand_cost", "lines are priced at their unblended cost");
    keys.chain(public).collect()
}

/// Opens every file and tells its format; all files of a delivery must have one.
pub(crate) fn open_all(
    sources: &Sources,
    passed_by: Vec<(String, String)>,
    request: &Request,
) -> Result<Opened, Refusal> {
    let mut opened = Opened { files: Vec::new(), format: None, passed_by };
    let mut problems = Vec::new();
    let mut formats: BTreeMap<CostFormat, String> = BTreeMap::new();
    for (found, source) in sources.iter() {
        match unless_it_panics(|| open(found, source, request)).unwrap_or_else(|reason| {
            let problem = Diagnostic::file(&found.name, reason).hint(HINT_BROKEN);
            Err(Unread::Problem(Box::new(problem)))
        }) {
            Ok((file, format)) => {
                formats.entry(format).or_insert_with(|| found.name.clone());
                opened.files.push(file);
            }
            Err(Unread::PassedBy(reason)) => opened.passed_by.push((found.name.clone(), reason)),
            Err(Unread::Problem(problem)) => problems.push(*problem),
        }
    }
    if formats.len() > 1 {
        let list: Vec<_> =
            formats.iter().map(|(format, name)| format!("{} (`{name}`)", format.name())).collect();
        let reason = format!("files of two formats in one delivery: {}", list.join(" and "));
        problems.push(Diagnostic::file(&inputs_text(request), reason).hint("give one of them with --cost"));
    }
    if opened.files.is_empty() && problems.is_empty() {
        let list: Vec<_> =
            opened.passed_by.iter().map(|(name, reason)| format!("`{name}` {reason}")).collect();
        let reason = format!("no cost file among what is there: {}", list.join("; "));
        problems.push(Diagnostic::file(&inputs_text(request), reason));
    }
    opened.format = formats.into_keys().next();
    if problems.is_empty() { Ok(opened) } else { Err(problems.into()) }
}

fn inputs_text(request: &Request) -> String {
    request.inputs.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

enum Unread {
    PassedBy(String),
    Problem(Box<Diagnostic>),
}

fn open(
    found: &Found,
    source: &Result<Source, String>,
    request: &Request,
) -> Result<(OpenFile, CostFormat), Unread> {
    let problem = |reason: String| Unread::Problem(Box::new(Diagnostic::file(&found.name, reason)));
    let broken =
        |reason: String| Unread::Problem(Box::new(Diagnostic::file(&found.name, reason).hint(HINT_BROKEN)));
    let of_layout = |error: LayoutError| match error {
        LayoutError::NotCost if !found.named => Unread::PassedBy("has no cost columns".to_owned()),
        error => {
            let problem = Diagnostic::file(&found.name, error.to_string()).hint(error.way_out());
            Unread::Problem(Box::new(problem))
        }
    };
    let source = source.clone().map_err(problem)?;
    let is_parquet = found.name.ends_with(".parquet")
        || source.head(4).map_err(|error| problem(format!("cannot be read: {error}")))? == b"PAR1";
    let (layout, content) = if is_parquet {
        let file = ParquetFile::open(&source).map_err(|refused| match refused {
            parquet_lines::Refused::Layout(error) => of_layout(error),
            parquet_lines::Refused::Broken(reason) => broken(reason),
        })?;
        (file.layout.clone(), Content::Parquet(file))
    } else {
        let file = CsvFile::open(&source).map_err(|refused| match refused {
            csv_lines::Refused::Layout(error) => of_layout(error),
            csv_lines::Refused::Empty if !found.named => Unread::PassedBy("is empty".to_owned()),
            csv_lines::Refused::Empty => problem("is empty, without even a header".to_owned()),
            csv_lines::Refused::Broken { reason, .. } => broken(reason),
        })?;
        (file.layout, Content::Csv)
    };
    let mut columns = Columns::new(&layout, request.check_line_ids, &request.dimensions);
    if request.eligible.is_some() {
        columns = columns.with_commitments(&layout);
    }
    if let Content::Parquet(file) = &content {
        if let Some(commitments) = &mut columns.commitments {
            file.keep_usable(commitments);
        }
        let unusable = file.unusable_columns(&columns);
        if !unusable.is_empty() {
            let reason = format!("columns of types that no exact value comes from: {}", unusable.join("; "));
            let problem = Diagnostic::file(&found.name, reason).hint("give the file as AWS delivered it");
            return Err(Unread::Problem(Box::new(problem)));
        }
    }
    let format = layout.format;
    Ok((OpenFile { found: found.clone(), source, layout, columns, content }, format))
}

/// The result of some work on a file, or what it says when it panics: decoders do, on files made for that.
pub(crate) fn unless_it_panics<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|_| "cannot be decoded: the decoder failed on its content".to_owned())
}

/// What the threads share while they read.
struct Run<'a> {
    opened: &'a Opened,
    month: BillingPeriod,
    period: Range<i64>,
    tasks: Vec<Task>,
    /// What every thread has left to take, by place in `tasks`.
    left: Mutex<Vec<Range<usize>>>,
    stop: AtomicBool,
    /// Whether there is a problem: then nobody asks for hashes any more.
    failed: AtomicBool,
    lines: AtomicU64,
    /// Lines of each file.
    file_lines: Vec<AtomicU64>,
    bytes: AtomicU64,
    hashing_nanoseconds: AtomicU64,
    hashes: Mutex<BTreeMap<usize, [u8; 32]>>,
    problems: Mutex<Vec<Diagnostic>>,
    progress: &'a (dyn Fn(Progress) + Sync),
}

/// What the threads have made.
struct Outcome {
    scans: Vec<Scan>,
    hashes: BTreeMap<usize, [u8; 32]>,
    file_lines: Vec<u64>,
    hashing_nanoseconds: u64,
}

impl<'a> Run<'a> {
    fn new(opened: &'a Opened, period: BillingPeriod, progress: &'a (dyn Fn(Progress) + Sync)) -> Self {
        Self {
            opened,
            month: period,
            period: span(period),
            tasks: Task::all(opened),
            left: Mutex::default(),
            stop: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            lines: AtomicU64::new(0),
            file_lines: opened.files.iter().map(|_| AtomicU64::new(0)).collect(),
            bytes: AtomicU64::new(0),
            hashing_nanoseconds: AtomicU64::new(0),
            hashes: Mutex::default(),
            problems: Mutex::default(),
            progress,
        }
    }

    fn read(self, request: &Request) -> Result<Outcome, Refusal> {
        let threads = request.threads.clamp(1, self.tasks.len().max(1));
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = shares(self.tasks.len(), threads);
        let work = |thread| self.work(thread, request);
        let scans = in_threads(threads, work, || (self.progress)(self.how_far()));
        (self.progress)(self.how_far());
        let Some(scans) = scans else {
            return Err(Diagnostic::file(
                &inputs_text(request),
                "the reader failed; this is a fault of the program",
            )
            .into());
        };
        let mut problems = self.problems.into_inner().unwrap_or_else(PoisonError::into_inner);
        if !problems.is_empty() {
            problems.sort();
            return Err(problems.into());
        }
        let hashes = self.hashes.into_inner().unwrap_or_else(PoisonError::into_inner);
        let file_lines = self.file_lines.into_iter().map(AtomicU64::into_inner).collect();
        Ok(Outcome { scans, hashes, file_lines, hashing_nanoseconds: self.hashing_nanoseconds.into_inner() })
    }

    fn how_far(&self) -> Progress {
        Progress {
            bytes_done: self.bytes.load(Ordering::Relaxed),
            bytes_total: self.opened.files.iter().map(|file| file.source.bytes()).sum(),
            lines: self.lines.load(Ordering::Relaxed),
        }
    }

    /// Takes a task of the thread's own share, or the last one of the thread that has most left.
    ///
    /// Files are often sorted by account: a thread that reads neighbouring row groups meets fewer classes, and no class is kept
    /// by two threads that only one of them need have met.
    fn take(&self, thread: usize) -> Option<Task> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let task = match left[thread].next() {
            Some(task) => Some(task),
            None => left.iter_mut().max_by_key(|share| share.len())?.next_back(),
        };
        task.map(|task| self.tasks[task])
    }

    /// Takes tasks until there are no more.
    fn work(&self, thread: usize, request: &Request) -> Scan {
        let mut scan = Scan::new();
        scan.daily = request.daily.as_ref().map(|_| Daily::default());
        match request.eligible.as_ref().map(|path| resimulation::begin(path, self.month)).transpose() {
            Ok(commitments) => scan.commitments = commitments,
            Err(problem) => self.fail(problem),
        }
        while let Some(task) = self.take(thread) {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let file = task.file();
            let done = unless_it_panics(|| match task {
                Task::RowGroup(_, group) => self.row_group(&mut scan, file, group),
                Task::Csv(_) => self.csv(&mut scan, file),
                Task::Hash(_) => self.hash(file),
            });
            // What a panic leaves in the scan is of no use, but nobody uses it: there is a problem.
            let done = done.unwrap_or_else(|reason| {
                Err(Diagnostic::file(&self.opened.files[file].found.name, reason).hint(HINT_BROKEN))
            });
            if let Err(problem) = done {
                self.fail(problem);
            }
        }
        scan
    }

    fn fail(&self, problem: Diagnostic) {
        self.failed.store(true, Ordering::Relaxed);
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).push(problem);
    }

    fn too_many_classes(&self, name: &str, error: &TooManyClasses) -> Diagnostic {
        self.stop.store(true, Ordering::Relaxed);
        Diagnostic::file(name, error.to_string())
    }

    fn row_group(&self, scan: &mut Scan, number: usize, group: usize) -> Result<(), Diagnostic> {
        let file = &self.opened.files[number];
        let Content::Parquet(parquet) = &file.content else { return Ok(()) };
        let name = &file.found.name;
        let broken = |reason| {
            Diagnostic { row_group: Some(group), ..Diagnostic::file(name, reason) }.hint(HINT_BROKEN)
        };
        let mut batches = parquet.read(&file.source, group, &file.columns).map_err(broken)?;
        let mut place = Place { file: number, row_group: Some(group), row: 0 };
        let rows_before = parquet.rows_before(group);
        while let Some(batch) = batches.next(place, &file.columns, &self.period) {
            let mut batch = batch.map_err(broken)?;
            batch.row_of_file += rows_before;
            let rows = batch.rows as u64;
            place.row += rows;
            scan.add(batch, name).map_err(|error| self.too_many_classes(name, &error))?;
            self.lines.fetch_add(rows, Ordering::Relaxed);
            self.file_lines[number].fetch_add(rows, Ordering::Relaxed);
        }
        resimulation::read_terms(scan, file, parquet, group).map_err(broken)?;
        let groups = parquet.row_groups().max(1) as u64;
        self.bytes.fetch_add(file.source.bytes() / groups, Ordering::Relaxed);
        Ok(())
    }

    fn csv(&self, scan: &mut Scan, number: usize) -> Result<(), Diagnostic> {
        let file = &self.opened.files[number];
        let name = &file.found.name;
        let of_refusal = |refused| csv_lines::diagnostic(refused, name);
        let mut csv = CsvFile::open(&file.source).map_err(of_refusal)?;
        while let Some(batch) = csv.next(number, &file.columns, &self.period) {
            let batch = batch.map_err(of_refusal)?;
            let rows = batch.rows as u64;
            scan.add(batch, name).map_err(|error| self.too_many_classes(name, &error))?;
            self.lines.fetch_add(rows, Ordering::Relaxed);
            self.file_lines[number].fetch_add(rows, Ordering::Relaxed);
        }
        self.bytes.fetch_add(file.source.bytes(), Ordering::Relaxed);
        Ok(())
    }

    fn hash(&self, number: usize) -> Result<(), Diagnostic> {
        let file = &self.opened.files[number];
        let before = thread_nanoseconds();
        let hash = file.sha256(|| self.failed.load(Ordering::Relaxed));
        self.hashing_nanoseconds.fetch_add(thread_nanoseconds() - before, Ordering::Relaxed);
        let mut hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        hashes.extend(hash?.map(|hash| (number, hash)));
        Ok(())
    }
}

/// So many tasks in shares that are alike and lie together.
fn shares(tasks: usize, threads: usize) -> Vec<Range<usize>> {
    (0..threads).map(|thread| tasks * thread / threads..tasks * (thread + 1) / threads).collect()
}

/// CPU time of this thread.
pub(crate) fn thread_nanoseconds() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec).unwrap_or(0)
}

/// Puts together what the threads made, and checks what only the whole can show.
fn finish(
    outcome: Outcome,
    opened: Opened,
    period: BillingPeriod,
    request: &Request,
) -> Result<Reading, Refusal> {
    let Outcome { mut scans, hashes, file_lines, hashing_nanoseconds } = outcome;
    let format = opened.format.unwrap_or(CostFormat::Cur2);
    let mut report = Report { hashing_nanoseconds, passed_by: opened.passed_by.clone(), ..Report::default() };
    report.warnings.extend(absent_columns(&opened.files));
    report.files =
        opened.files.iter().enumerate().map(|(n, file)| file.report(hashes.get(&n), format)).collect();
    let mut problems = duplicate_files(&report.files, &file_lines);
    problems.extend(opened.files.iter().zip(&report.files).filter_map(|(file, report)| {
        let kept = file.found.kept.as_ref().filter(|kept| kept.sha256 != report.sha256);
        kept.map(|kept| kept.changed(&file.found))
    }));
    let mut totals = Totals::default();
    for scan in &mut scans {
        totals.absorb(scan);
    }
    let payer = one_payer(&totals.payers, &opened, request).unwrap_or_else(|problem| {
        problems.push(problem);
        None
    });
    if !problems.is_empty() {
        return Err(problems.into());
    }
    totals.rejects.sort_by_key(|(place, _)| *place);
    // A row may have several problems; beyond the limit only rows are counted.
    let problems = totals.counts.rejected.max(totals.rejects.len() as u64);
    totals.rejects.truncate(REJECTS_LISTED_MAX);
    let rejects: Vec<Diagnostic> = totals.rejects.into_iter().map(|(_, reject)| reject).collect();
    if totals.counts.rejected > 0 && !request.accept_rejects {
        return Err(Refusal { count: problems, problems: rejects });
    }
    report.rejects = rejects;
    report.duplicate_lines = request.check_line_ids.then(|| duplicates(totals.identities));
    if let Some(path) = &request.daily {
        let failed =
            |error| Diagnostic::file(&path.display().to_string(), format!("cannot be written: {error}"));
        report.daily_sha256 = Some(hex(&daily_file::write(path, &scans, period).map_err(failed)?));
        // Before the classes of all threads become one cube, which takes as much memory again.
        scans.iter_mut().for_each(|scan| scan.daily = None);
    }
    let Merged { texts, classes, places } = scan::merge(&mut scans)
        .map_err(|error| Diagnostic::file(&inputs_text(request), format!("a class's sum is {error}")))?;
    let taken = Taken::from(&mut scans, places);
    drop(scans);
    let names = totals.names.resolve(|number| match &opened.files[number] {
        OpenFile { content: Content::Parquet(parquet), source, .. } => Some((source, parquet)),
        _ => None,
    });
    let (mut cube, numbers) = Cube::numbered(period, payer, texts, classes, names);
    let able = opened.files.iter().map(|file| file.layout.abilities());
    cube.abilities = able.fold(Abilities::ALL_TOLD, Abilities::and);
    dimensions::put_into(&mut cube, (&request.dimensions).into())
        .map_err(|reason| Diagnostic::file(&inputs_text(request), reason))?;
    if let Some(path) = &request.eligible {
        taken.finish(path, &numbers, &cube, &opened, &mut report)?;
    }
    report.other_providers = focus::other_providers(totals.others)
        .map_err(|reason| Diagnostic::file(&inputs_text(request), reason))?;
    report.add_counts(totals.counts, totals.notes);
    report.warnings.extend(no_lines(&report, period));
    report.warnings.extend(opened.files.iter().filter_map(|file| without_identity(file, request)));
    report.warnings.extend(double_discounts(&cube));
    report.warnings.extend(odd_accounts(&cube));
    let control =
        control_totals(totals.control).map_err(|reason| Diagnostic::file(&inputs_text(request), reason))?;
    if let Some(pins) = &request.pin {
        pin_all(&opened, &mut report, &pin::folder(pins)?)?;
    }
    Ok(Reading { control, cube, report })
}

/// Keeps every file by its content, and notes where.
fn pin_all(opened: &Opened, report: &mut Report, pins: &Location) -> Result<(), Diagnostic> {
    for (file, report) in opened.files.iter().zip(&mut report.files) {
        report.pinned = Some(pin::keep(&file.source, &report.name, &report.sha256, pins)?);
    }
    pin::finish(pins)
}

impl OpenFile {
    fn report(&self, hash: Option<&[u8; 32]>, format: CostFormat) -> FileReport {
        let kept = self.found.kept.as_ref();
        let place = || self.found.location.canonical().to_string();
        FileReport {
            name: self.found.name.clone(),
            sha256: hash.map(|hash| hex(hash)).unwrap_or_default(),
            bytes: self.source.bytes(),
            format,
            because: self.layout.because.clone(),
            read_from: kept.map_or_else(place, |kept| kept.read_from.clone()),
            pinned: kept.and_then(|kept| kept.pinned.clone()),
        }
    }
}

fn control_totals(units: BTreeMap<String, (i128, i128)>) -> Result<BTreeMap<Currency, ControlTotal>, String> {
    let mut control = BTreeMap::new();
    for (code, (net, unblended)) in units {
        let cost =
            |units| Cost::from_units(units).map_err(|error| format!("the sum of all {code} is {error}"));
        let total = ControlTotal { net_unblended: cost(net)?, unblended: cost(unblended)? };
        // Lines of a code that is none were rejected.
        control.extend(Currency::parse(&code).map(|currency| (currency, total)));
    }
    Ok(control)
}

/// What all threads found, added up.
#[derive(Default)]
struct Totals {
    others: OtherProviders,
    counts: Counts,
    notes: NumberNotes,
    payers: BTreeMap<String, Place>,
    control: BTreeMap<String, (i128, i128)>,
    rejects: Vec<(Place, Diagnostic)>,
    identities: Vec<u128>,
    names: crate::product_names::ProductNames,
}

impl Totals {
    fn absorb(&mut self, scan: &mut Scan) {
        self.counts.absorb(scan.counts);
        self.notes.absorb(scan.notes);
        for (payer, place) in std::mem::take(&mut scan.payers) {
            let first = self.payers.entry(payer).or_insert(place);
            *first = (*first).min(place);
        }
        for (currency, (net, unblended)) in std::mem::take(&mut scan.control) {
            let total = self.control.entry(currency).or_default();
            *total = (total.0 + net, total.1 + unblended);
        }
        focus::add_others(&mut self.others, std::mem::take(&mut scan.others));
        self.rejects.extend(scan.take_rejects());
        self.identities.append(&mut scan.identities);
        self.names.absorb(std::mem::take(&mut scan.names));
    }
}

impl Report {
    fn add_counts(&mut self, counts: Counts, notes: NumberNotes) {
        self.lines_read = counts.read;
        self.lines_passed_by = counts.passed_by;
        self.lines_rejected = counts.rejected;
        self.lines_usage_outside_period = counts.usage_outside_period;
        self.numbers_slow_path = notes.slow_path;
        self.numbers_rounded = notes.rounded;
        self.rounding_residue = notes.residue_text();
    }
}
