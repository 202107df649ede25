//! The reading child: cost files are untrusted, so they are read in a process of their own.
//!
//! A Parquet file of 532 bytes can make a reader reserve gigabytes and abort the process. Here that ends the child, under limits of
//! address space and CPU time that it sets on itself, and the parent says so. They talk in lines of JSON: the request on
//! the child's standard input, progress and one answer on its standard output; the cube goes through a file.

use crate::cube_file::{self, StoredCube};
use crate::diagnostics::Diagnostic;
use crate::diagnostics::Refusal;
use crate::export::line_sums::{self, LineQuestion, LineSums};
use crate::export::plan::Plan;
use crate::export::{self, ExportReport};
use crate::limits::{
    WORKER_BASE_BYTES, WORKER_BASE_SECONDS, WORKER_FETCH_BYTES, WORKER_MESSAGE_BYTES, WORKER_SECONDS_PER_MIB,
    WORKER_THREAD_BYTES,
};
use crate::location::Location;
use crate::price_list::{self, PriceReport, PriceRequest, kept};
use crate::reading::{self, FoundLine, LineSearch, MonthSearch, Progress, Reading, Request};
use crate::report::Report;
use crate::source_file::{self, SOURCE_FILE};
use billing::charge_class::Cube;
use billing::money::Currency;
use billing::period::BillingPeriod;
use billing::price_list::PriceList;
use billing::reconciliation::ControlTotal;
use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Mutex;

/// What the parent asks for.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    work: Work,
    memory_bytes: u64,
    cpu_seconds: u64,
}

#[derive(Debug, Serialize, Deserialize)]
enum Work {
    /// To read a month, and to leave its cube there.
    Read(Request, PathBuf),
    /// To find the rows of a line.
    Find(LineSearch),
    /// To export the lines of a month.
    Export(Box<ExportOrder>),
    /// To sum lines.
    Sum(Box<LineSumsOrder>),
    /// To find the months that there are lines of.
    Months(MonthSearch),
    /// To read the prices that a month needs, and to leave them there.
    Prices(Box<PriceRequest>, PathBuf),
}

/// What to export, and where to.
#[derive(Debug, Serialize, Deserialize)]
pub struct ExportOrder {
    /// The cost files, which must be those that were priced.
    pub request: Request,
    /// The month's cube.
    pub cube: PathBuf,
    /// What becomes of the lines.
    pub plan: Plan,
    /// An empty folder for the files.
    pub folder: PathBuf,
}

/// Which lines to sum.
#[derive(Debug, Serialize, Deserialize)]
pub struct LineSumsOrder {
    /// The cost files, which must be those that were priced.
    pub request: Request,
    /// The month's cube.
    pub cube: PathBuf,
    /// What is asked of them.
    pub question: LineQuestion,
    /// A folder for what is needed meanwhile.
    pub folder: PathBuf,
}

/// What the child says.
#[derive(Debug, Serialize, Deserialize)]
enum Message {
    Progress(Progress),
    Done(Box<Report>),
    Found(Vec<FoundLine>),
    Months(BTreeSet<String>),
    Exported(Box<ExportReport>),
    Summed(LineSums),
    Listed(PriceReport),
    Refused(Refusal),
}

/// Limits of the child.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Address space, in bytes.
    pub memory_bytes: u64,
    /// CPU time, in seconds.
    pub cpu_seconds: u64,
}

impl Limits {
    /// What a reading of these files by so many threads may take.
    ///
    /// # Errors
    /// An object store that cannot be asked for sizes, and a source file that cannot be read.
    pub fn for_reading(inputs: &[PathBuf], threads: usize) -> Result<Self, Refusal> {
        let (mut bytes, mut fetches) = (0, false);
        for input in inputs {
            let place = Location::parse(input)?;
            fetches |= place.is_object() || place.name() == SOURCE_FILE;
            bytes += match place.name() == SOURCE_FILE {
                true => source_file::read(&place)?.files.iter().map(|file| file.bytes).sum(),
                false => place.bytes_below()?,
            };
        }
        Ok(Self {
            memory_bytes: (threads as u64)
                .saturating_mul(WORKER_THREAD_BYTES)
                .saturating_add(WORKER_BASE_BYTES + if fetches { WORKER_FETCH_BYTES } else { 0 }),
            cpu_seconds: WORKER_BASE_SECONDS + (bytes >> 20) * WORKER_SECONDS_PER_MIB,
        })
    }
}

/// A month that a child has read.
pub struct Answer {
    /// The classes.
    pub cube: Cube,
    /// Totals by currency, summed line by line.
    pub control: BTreeMap<Currency, ControlTotal>,
    /// The SHA-256 of the cube file.
    pub cube_sha256: [u8; 32],
    /// What there is to say about it.
    pub report: Report,
}

/// Why there is no reading.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The files are not what can be read.
    #[error("the cost files cannot be read")]
    Refused(Refusal),
    /// The child was stopped.
    #[error("the process that reads the cost files was stopped: {0}")]
    Stopped(String),
    /// The child could not be started or understood.
    #[error("the process that reads the cost files: {0}")]
    Failed(#[from] std::io::Error),
    /// The cube that it left cannot be read.
    #[error("the cost cube: {0}")]
    Cube(#[from] cube_file::CubeFileError),
    /// The prices that it left cannot be read.
    #[error("the price list that was kept {0}")]
    Prices(String),
}

/// Reads a month in a child, `program` with `argument`, which must call [`serve`]; leaves the cube at `cube`.
///
/// # Errors
/// [`WorkerError`].
pub fn read(
    program: &Path,
    argument: &str,
    request: &Request,
    limits: Limits,
    cube: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Answer, WorkerError> {
    let work = Work::Read(request.clone(), cube.to_owned());
    let (message, stopped) = converse(program, argument, work, limits, progress)?;
    match message {
        Some(Message::Done(report)) => {
            let stored = StoredCube::open(cube)?;
            let (cube, control) = stored.read()?;
            Ok(Answer { cube, control, cube_sha256: stored.sha256(), report: *report })
        }
        Some(Message::Refused(refusal)) => Err(WorkerError::Refused(refusal)),
        _ => Err(WorkerError::Stopped(stopped)),
    }
}

/// Finds the rows of a line in a child, as [`read`] reads a month.
///
/// # Errors
/// [`WorkerError`].
pub fn find_line(
    program: &Path,
    argument: &str,
    search: LineSearch,
    limits: Limits,
) -> Result<Vec<FoundLine>, WorkerError> {
    let (message, stopped) = converse(program, argument, Work::Find(search), limits, &mut |_| ())?;
    match message {
        Some(Message::Found(lines)) => Ok(lines),
        Some(Message::Refused(refusal)) => Err(WorkerError::Refused(refusal)),
        _ => Err(WorkerError::Stopped(stopped)),
    }
}

/// Finds the months that there are lines of, in a child, as [`read`] reads one of them.
///
/// # Errors
/// [`WorkerError`].
pub fn months(
    program: &Path,
    argument: &str,
    search: MonthSearch,
    limits: Limits,
) -> Result<BTreeSet<BillingPeriod>, WorkerError> {
    let (message, stopped) = converse(program, argument, Work::Months(search), limits, &mut |_| ())?;
    match message {
        Some(Message::Months(months)) => {
            Ok(months.iter().filter_map(|month| BillingPeriod::parse(month).ok()).collect())
        }
        Some(Message::Refused(refusal)) => Err(WorkerError::Refused(refusal)),
        _ => Err(WorkerError::Stopped(stopped)),
    }
}

/// Exports the lines of a month in a child, as [`read`] reads it.
///
/// # Errors
/// [`WorkerError`].
pub fn export(
    program: &Path,
    argument: &str,
    order: ExportOrder,
    limits: Limits,
    progress: &mut dyn FnMut(Progress),
) -> Result<ExportReport, WorkerError> {
    let (message, stopped) = converse(program, argument, Work::Export(Box::new(order)), limits, progress)?;
    match message {
        Some(Message::Exported(report)) => Ok(*report),
        Some(Message::Refused(refusal)) => Err(WorkerError::Refused(refusal)),
        _ => Err(WorkerError::Stopped(stopped)),
    }
}

/// Sums the lines of a month in a child, as [`read`] reads it.
///
/// # Errors
/// [`WorkerError`].
pub fn sum_lines(
    program: &Path,
    argument: &str,
    order: LineSumsOrder,
    limits: Limits,
) -> Result<LineSums, WorkerError> {
    let (message, stopped) = converse(program, argument, Work::Sum(Box::new(order)), limits, &mut |_| ())?;
    match message {
        Some(Message::Summed(sums)) => Ok(sums),
        Some(Message::Refused(refusal)) => Err(WorkerError::Refused(refusal)),
        _ => Err(WorkerError::Stopped(stopped)),
    }
}

/// Prices that a child has read.
pub struct Prices {
    /// What the month needs.
    pub list: PriceList,
    /// The SHA-256 of the file that they were left in.
    pub sha256: [u8; 32],
    /// What there is to say about them.
    pub report: PriceReport,
}

/// Reads a price list in a child, as [`read`] reads a month; leaves what is kept of it in the file `kept`.
///
/// # Errors
/// [`WorkerError`].
pub fn read_prices(
    program: &Path,
    argument: &str,
    request: &PriceRequest,
    limits: Limits,
    kept: &Path,
) -> Result<Prices, WorkerError> {
    let work = Work::Prices(Box::new(request.clone()), kept.to_owned());
    let (message, stopped) = converse(program, argument, work, limits, &mut |_| ())?;
    match message {
        Some(Message::Listed(report)) => {
            let (list, sha256) = kept::read(kept).map_err(WorkerError::Prices)?;
            Ok(Prices { list, sha256, report })
        }
        Some(Message::Refused(refusal)) => Err(WorkerError::Refused(refusal)),
        _ => Err(WorkerError::Stopped(stopped)),
    }
}

/// Lets a child work; gives its answer, and how it ended where it gave none. A result of a child that failed afterwards is none.
fn converse(
    program: &Path,
    argument: &str,
    work: Work,
    limits: Limits,
    progress: &mut dyn FnMut(Progress),
) -> std::io::Result<(Option<Message>, String)> {
    let Limits { memory_bytes, cpu_seconds } = limits;
    let order = Order { work, memory_bytes, cpu_seconds };
    let mut child = Command::new(program)
        .arg(argument)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let order = serde_json::to_vec(&order).map_err(std::io::Error::other)?;
    // A child that is gone already says why by its status.
    let _ = child.stdin.take().map(|mut pipe| pipe.write_all(&order));
    let errors = child.stderr.take();
    let errors = std::thread::spawn(move || {
        let mut text = String::new();
        errors.map(|pipe| pipe.take(65_536).read_to_string(&mut text));
        text
    });
    let answer = answer(child.stdout.take(), progress);
    if answer.is_none() {
        // Whatever it says next is not listened to. One that has ended already has its own status.
        let _ = child.kill();
    }
    let status = child.wait()?;
    let errors = errors.join().unwrap_or_default();
    let believed = |message: &Message| matches!(message, Message::Refused(_)) || status.success();
    Ok((answer.filter(believed), how_stopped(status, &errors, limits)))
}

/// The child's answer; progress on the way. What it says is as little trusted as the files that it reads.
fn answer(pipe: Option<impl Read>, progress: &mut dyn FnMut(Progress)) -> Option<Message> {
    let mut pipe = BufReader::new(pipe?);
    let mut line = Vec::new();
    loop {
        line.clear();
        pipe.by_ref().take(WORKER_MESSAGE_BYTES).read_until(b'\n', &mut line).ok()?;
        match serde_json::from_slice(&line).ok()? {
            Message::Progress(so_far) => progress(so_far),
            answer => return Some(answer),
        }
    }
}

/// Sent by the system when CPU time is used up.
const SIGXCPU: i32 = 24;
const SIGKILL: i32 = 9;

fn how_stopped(status: ExitStatus, errors: &str, limits: Limits) -> String {
    let memory = errors.contains("memory allocation") || errors.contains("capacity overflow");
    let panicked = errors.lines().skip_while(|line| !line.contains("panicked at")).nth(1);
    let last = panicked.or_else(|| errors.lines().next_back()).unwrap_or("it gave no answer");
    let Limits { memory_bytes, cpu_seconds } = limits;
    match status.signal() {
        _ if memory => format!(
            "it asked for more than {} MiB of memory; a file claims more than it holds, or the limit is too small (`proforma run --worker-memory`)",
            memory_bytes >> 20
        ),
        Some(SIGXCPU) => {
            format!(
                "it took more than {cpu_seconds} s of CPU time; a file holds more than it should, or the limit is too small (`proforma run --worker-cpu`)"
            )
        }
        Some(SIGKILL) => "it was killed; the machine may be out of memory, or somebody ended it".to_owned(),
        Some(signal) => format!("signal {signal}: {last}"),
        None => last.to_owned(),
    }
}

/// The child: reads an order from standard input, carries it out under its limits, answers on standard output.
///
/// # Errors
/// I/O errors of the pipes and limits that cannot be set.
pub fn serve(input: impl Read, output: impl Write + Send) -> std::io::Result<()> {
    // A parent that is killed takes its child along.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let order: Order = serde_json::from_reader(input).map_err(std::io::Error::other)?;
    limit(Resource::As, order.memory_bytes, 0)?;
    limit(Resource::Cpu, order.cpu_seconds, 1)?;
    limit(Resource::Core, 0, 0)?;
    let output = Mutex::new(output);
    let say = |message: &Message| -> std::io::Result<()> {
        let mut output =
            output.lock().map_err(|_| std::io::Error::other("a thread failed while it answered"))?;
        serde_json::to_writer(&mut *output, message).map_err(std::io::Error::other)?;
        output.write_all(b"\n")?;
        output.flush()
    };
    // A parent that is gone ends the child at its answer; progress may be lost.
    let progress = |so_far| drop(say(&Message::Progress(so_far)));
    let answer = match &order.work {
        Work::Read(request, cube) => read_month(request, cube, &progress),
        Work::Find(search) => reading::find_line(search).map(Message::Found),
        Work::Months(search) => reading::find_months(search).map(Message::Months),
        Work::Export(order) => export_lines(order, &progress),
        Work::Sum(order) => sum_of_lines(order, &progress),
        Work::Prices(request, kept) => list_prices(request, kept),
    };
    let answer = answer.unwrap_or_else(|refusal| Message::Refused(shortened(refusal)));
    say(&answer)
}

/// Reads a month and leaves its cube where it is wanted.
fn read_month(
    request: &Request,
    cube_path: &Path,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Message, Refusal> {
    let Reading { cube, control, report } = reading::read(request, progress)?;
    cube_file::write(cube_path, &cube, &control).map_err(|error| {
        let reason = format!("cannot be written: {error}");
        Diagnostic::file(&cube_path.display().to_string(), reason)
    })?;
    Ok(Message::Done(Box::new(report)))
}

/// The cube of a month that was priced.
fn cube_of(path: &Path) -> Result<Cube, Diagnostic> {
    let unread = |error: cube_file::CubeFileError| {
        Diagnostic::file(&path.display().to_string(), format!("cannot be read: {error}"))
    };
    let stored = StoredCube::open(path).map_err(|error| unread(error.into()))?;
    Ok(stored.read().map_err(unread)?.0)
}

/// Sums the lines of a month.
fn sum_of_lines(order: &LineSumsOrder, progress: &(dyn Fn(Progress) + Sync)) -> Result<Message, Refusal> {
    let LineSumsOrder { request, cube, question, folder } = order;
    Ok(Message::Summed(line_sums::sum(request, question, &cube_of(cube)?, folder, progress)?))
}

/// Exports the lines of a month.
fn export_lines(order: &ExportOrder, progress: &(dyn Fn(Progress) + Sync)) -> Result<Message, Refusal> {
    let cube = cube_of(&order.cube)?;
    let report = export::export(&order.request, &order.plan, &cube, &order.folder, progress)?;
    Ok(Message::Exported(Box::new(report)))
}

/// Reads a price list and leaves what is needed of it where it is wanted.
fn list_prices(request: &PriceRequest, path: &Path) -> Result<Message, Refusal> {
    let (list, report) = price_list::read(request)?;
    let written = kept::bytes(&list).map_err(std::io::Error::from).and_then(|bytes| fs::write(path, bytes));
    written.map_err(|error| {
        Diagnostic::file(&path.display().to_string(), format!("cannot be written: {error}"))
    })?;
    Ok(Message::Listed(report))
}

fn shortened(mut refusal: Refusal) -> Refusal {
    refusal.problems.truncate(crate::limits::DIAGNOSTICS_SHOWN_MAX);
    refusal
}

/// Lowers a limit of this process; one that is lower already stays. Beyond `value` there is a signal that says why, beyond
/// `grace` more only the end.
fn limit(resource: Resource, value: u64, grace: u64) -> std::io::Result<()> {
    let maximum = rustix::process::getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let limit =
        Rlimit { current: Some(maximum.min(value)), maximum: Some(maximum.min(value.saturating_add(grace))) };
    setrlimit(resource, limit).map_err(Into::into)
}

#[cfg(test)]
mod tests;
