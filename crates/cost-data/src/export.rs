//! The line export: cost files in, one file per billing group out.
//!
//! Two passes over the rows and none over the groups: [`collect`] decodes the cost files once, prices every line by its class and puts it
//! into a scratch file with the rows of its group; then each group's file is written from its own rows alone, so that
//! neither its bytes nor its size tell of another's. What a file may hold is the allow-list of `cur_columns`.

mod by_class;
mod charge;
mod chunk;
mod collect;
mod covering;
mod csv_file;
mod cur_columns;
mod focus_by_class;
mod focus_columns;
mod granularity;
mod group_rows;
pub mod line_sums;
mod output;
mod parquet_file;
pub mod plan;
pub mod reference;
mod segment;
mod selection;
mod source_rows;
mod texts;
mod treatment;
pub mod unit_prices;
mod view;

use crate::batch::{Place, span};
use crate::csv_lines;
use crate::delivery;
use crate::diagnostics::{Diagnostic, HINT_BROKEN, Refusal};
use crate::hash::hex;
use crate::layout::Layout as FileLayout;
use crate::limits::EXPORT_BATCH_ROWS;
use crate::reading::{
    Content, OpenFile, Opened, Progress, Request, Task, in_threads, open_all, unless_it_panics,
};
use crate::sources::Sources;
use billing::charge_class::{ChargeClass, Cube, KeyColumn};
use billing::money::{Amount, DecimalError};
use billing::period::BillingPeriod;
use billing::rate_card::written_amount;
use collect::{CollectError, Collected, Collector, Sums};
use covering::Covering;
use csv_file::CsvFile;
use export_query::Granularity;
use granularity::{Summed, Summing};
use group_rows::{Chunk, Numbering, cut};
use output::Output;
use parquet_file::{ParquetFile, ROW_GROUP_ROWS};
use plan::{AddedRow, FileFormat, GroupPlan, Layout, Plan, Total};
use segment::{Scratch, Segment, put_texts, put_words};
use selection::Selection;
use serde::{Deserialize, Serialize};
use source_rows::SourceRows;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use treatment::{AmountOf, Kind, Treatment, manifest_type};

/// What was exported.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ExportReport {
    /// The files, by billing group.
    pub files: Vec<ExportedFile>,
    /// What became of each column.
    pub columns: Vec<(String, String)>,
    /// Columns that the allow-list does not know; blank unless the operator allows them.
    pub unknown_columns: Vec<String>,
    /// Columns that the operator allows, and that no file can have.
    pub allowed_in_vain: Vec<String>,
    /// Values that named an account outside of their group and were left out.
    pub values_withheld: u64,
}

/// A billing group's file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ExportedFile {
    /// The group, by number in the book.
    pub group: usize,
    /// The file, below the export's folder.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// How many of them have no source line.
    pub added_rows: u64,
    /// How many are further rows of a line that has one already: commitments cover a part of it.
    pub further_rows: u64,
    /// Its size.
    pub bytes: u64,
    /// By currency: what the residue row holds, as a plain decimal.
    pub residue: BTreeMap<String, String>,
    /// Its columns in order, each with what kind of value it holds, as AWS's manifests call that.
    pub columns: Vec<(String, String)>,
}

/// Exports the lines of a month into `folder`, which is there and empty.
///
/// # Errors
/// A [`Refusal`]: the files are not those that were priced, or cannot be read.
pub fn export(
    request: &Request,
    plan: &Plan,
    cube: &Cube,
    folder: &Path,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<ExportReport, Refusal> {
    let period = BillingPeriod::parse(&request.period)
        .map_err(|error| Diagnostic::file("--period", error.to_string()))?;
    let delivery = delivery::find(&request.inputs, period)?;
    let sources = Sources::open(&delivery, request.scratch.as_deref());
    let opened = open_all(&sources, delivery.passed_by, request);
    sources.explained(
        opened.and_then(|opened| export_opened(&opened, (request, period), plan, cube, folder, progress)),
    )
}

fn export_opened(
    opened: &Opened,
    (request, period): (&Request, BillingPeriod),
    plan: &Plan,
    cube: &Cube,
    folder: &Path,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<ExportReport, Refusal> {
    let layouts = opened.files.iter().map(|file| &file.layout);
    let outputs = match plan.layout {
        Layout::Cur => output::of_cur(layouts, plan),
        Layout::Focus => output::of_focus(opened.files.iter().any(|file| file.columns.focus.is_some()), plan),
    };
    let failed = |error: &dyn std::fmt::Display| {
        Refusal::from(Diagnostic::file(&folder.display().to_string(), error.to_string()))
    };
    let covering = covering(plan, cube, opened)?;
    let scratch = Scratch::new(folder).map_err(|error| failed(&error))?;
    let collector = Collector::new(plan, cube, &outputs, covering.as_ref(), scratch);
    let counters = Counters::default();
    let reading = Reading { opened, takes: &collector, folder, period, progress, counters };
    let (collected, hashes) = reading.run(request.threads)?;
    check_snapshot(opened, &hashes, &plan.files)?;
    let whole = Whole::new(collected, plan, cube, covering.as_ref()).map_err(|error| failed(&error))?;
    write_files(&whole, &collector, (plan, cube), folder, request.threads).map_err(|error| failed(&error))
}

/// What commitments cover, where that was simulated.
fn covering(plan: &Plan, cube: &Cube, opened: &Opened) -> Result<Option<Covering>, Refusal> {
    let Some(of) = &plan.coverage else { return Ok(None) };
    let mut covering = Covering::new(plan, of, cube).map_err(|error| {
        Diagnostic::file(&of.lines.path.display().to_string(), format!("cannot be read: {error}"))
    })?;
    covering.know_files(plan, of, opened)?;
    Ok(Some(covering))
}

/// How far the reading is.
#[derive(Default)]
struct Counters {
    next: AtomicUsize,
    bytes: AtomicU64,
    lines: AtomicU64,
}

/// What takes the lines that are read: rows of files, or sums.
trait Takes: Sync {
    /// A thread's share.
    type Share: Send;

    /// A thread's share, empty.
    fn begin(&self) -> Self::Share;

    /// The columns that are taken, besides those that pricing reads.
    fn sources(&self) -> Vec<&str>;

    /// Whether what is left of the files plays no part any more.
    fn has_enough(&self) -> bool {
        false
    }

    /// Takes the lines of a batch of a file; `order` is the batch's place in the delivery.
    fn add(
        &self,
        share: &mut Self::Share,
        lines: (crate::batch::Batch, SourceRows),
        file: (&FileLayout, &str),
        order: (u32, u32, u32),
    ) -> Result<(), CollectError>;
}

impl Takes for Collector<'_> {
    type Share = Collected;

    fn begin(&self) -> Collected {
        Collector::begin(self)
    }

    fn sources(&self) -> Vec<&str> {
        Collector::sources(self).collect()
    }

    fn add(
        &self,
        share: &mut Collected,
        lines: (crate::batch::Batch, SourceRows),
        file: (&FileLayout, &str),
        order: (u32, u32, u32),
    ) -> Result<(), CollectError> {
        Collector::add(self, share, lines, file, order)
    }
}

/// The first pass: the tasks of the threads that read.
struct Reading<'a, T> {
    opened: &'a Opened,
    takes: &'a T,
    folder: &'a Path,
    period: BillingPeriod,
    progress: &'a (dyn Fn(Progress) + Sync),
    counters: Counters,
}

/// The shares of all threads, and the hashes of the files by number.
type WhatWasRead<S> = (Vec<S>, BTreeMap<usize, String>);
type Hashes = Mutex<BTreeMap<usize, String>>;

impl<T: Takes> Reading<'_, T> {
    fn run(&self, threads: usize) -> Result<WhatWasRead<T::Share>, Refusal> {
        let tasks = Task::all(self.opened);
        let (hashes, problems) = (Hashes::default(), Mutex::new(Vec::new()));
        let work = |_| {
            let mut collected = self.takes.begin();
            while !self.takes.has_enough()
                && let Some(task) = tasks.get(self.counters.next.fetch_add(1, Ordering::Relaxed))
            {
                let done = unless_it_panics(|| self.work(&mut collected, *task, &hashes));
                let done = done.unwrap_or_else(|reason| {
                    Err(Diagnostic::file(&self.opened.files[task.file()].found.name, reason))
                });
                if let Err(problem) = done {
                    problems.lock().unwrap_or_else(PoisonError::into_inner).push(problem);
                    break;
                }
            }
            collected
        };
        let collected = in_threads(threads.max(1), work, || (self.progress)(self.how_far()));
        let mut problems = problems.into_inner().unwrap_or_else(PoisonError::into_inner);
        problems.sort();
        match collected {
            Some(collected) if problems.is_empty() => {
                Ok((collected, hashes.into_inner().unwrap_or_else(PoisonError::into_inner)))
            }
            Some(_) => Err(problems.into()),
            None => {
                Err(Diagnostic::file("the export", "a thread failed; this is a fault of the program").into())
            }
        }
    }

    fn how_far(&self) -> Progress {
        Progress {
            bytes_done: self.counters.bytes.load(Ordering::Relaxed),
            bytes_total: self.opened.files.iter().map(|file| file.source.bytes()).sum(),
            lines: self.counters.lines.load(Ordering::Relaxed),
        }
    }

    fn work(&self, collected: &mut T::Share, task: Task, hashes: &Hashes) -> Result<(), Diagnostic> {
        match task {
            Task::RowGroup(number, group) => self.row_group(collected, number, group),
            Task::Csv(number) => self.csv(collected, number),
            Task::Hash(number) => {
                let hash = self.opened.files[number].sha256(|| false)?;
                let mut hashes = hashes.lock().unwrap_or_else(PoisonError::into_inner);
                hashes.insert(number, hash.map(|hash| hex(&hash)).unwrap_or_default());
                Ok(())
            }
        }
    }

    /// The places of the columns that are exported or priced by, in the order of the file.
    fn places(&self, file: &OpenFile) -> Vec<usize> {
        let exported = self.takes.sources().into_iter().filter_map(|name| file.layout.column(name));
        let places: BTreeSet<usize> = file.columns.places().into_iter().chain(exported).collect();
        places.into_iter().collect()
    }

    fn row_group(&self, collected: &mut T::Share, number: usize, group: usize) -> Result<(), Diagnostic> {
        let file = &self.opened.files[number];
        let Content::Parquet(parquet) = &file.content else { return Ok(()) };
        let name = &file.found.name;
        let broken = |reason| {
            Diagnostic { row_group: Some(group), ..Diagnostic::file(name, reason) }.hint(HINT_BROKEN)
        };
        let places = self.places(file);
        let mut batches =
            parquet.read_more(&file.source, group, places.clone(), EXPORT_BATCH_ROWS).map_err(broken)?;
        let mut place = Place { file: number, row_group: Some(group), row: 0 };
        let mut order = (short(number), short(group), 0);
        let rows_before = parquet.rows_before(group);
        while !self.takes.has_enough()
            && let Some(next) = batches.next_with_record(place, &file.columns, &span(self.period))
        {
            let (mut batch, record) = next.map_err(broken)?;
            batch.row_of_file += rows_before;
            place.row += batch.rows as u64;
            self.add(collected, file, (batch, SourceRows::Parquet(record, places.clone())), order)?;
            order.2 += 1;
        }
        let groups = parquet.row_groups().max(1) as u64;
        self.counters.bytes.fetch_add(file.source.bytes() / groups, Ordering::Relaxed);
        Ok(())
    }

    fn csv(&self, collected: &mut T::Share, number: usize) -> Result<(), Diagnostic> {
        let file = &self.opened.files[number];
        let of_refusal = |refused| csv_lines::diagnostic(refused, &file.found.name);
        let mut csv = csv_lines::CsvFile::open(&file.source).map_err(of_refusal)?;
        let mut order = (short(number), 0, 0);
        while !self.takes.has_enough()
            && let Some(next) = csv.next_with_records(number, &file.columns, &span(self.period))
        {
            let (batch, lines) = next.map_err(of_refusal)?;
            self.add(collected, file, (batch, SourceRows::Csv(lines)), order)?;
            order.2 += 1;
        }
        self.counters.bytes.fetch_add(file.source.bytes(), Ordering::Relaxed);
        Ok(())
    }

    fn add(
        &self,
        collected: &mut T::Share,
        file: &OpenFile,
        lines: (crate::batch::Batch, SourceRows),
        order: (u32, u32, u32),
    ) -> Result<(), Diagnostic> {
        self.counters.lines.fetch_add(lines.0.rows as u64, Ordering::Relaxed);
        let name = &file.found.name;
        self.takes.add(collected, lines, (&file.layout, name), order).map_err(|error| match error {
            CollectError::Scratch(_) => {
                Diagnostic::file(&self.folder.display().to_string(), error.to_string())
            }
            _ => Diagnostic::file(name, error.to_string()),
        })
    }
}

/// A count of files, row groups or batches, of which there are far fewer.
fn short(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The files that were read must be the files that were priced.
fn check_snapshot(
    opened: &Opened,
    hashes: &BTreeMap<usize, String>,
    priced: &[String],
) -> Result<(), Refusal> {
    let priced: BTreeSet<&str> = priced.iter().map(String::as_str).collect();
    let hint = "run the month again; --pin keeps the cost files that a run has priced";
    let mut problems = Vec::new();
    for (number, hash) in hashes.iter().filter(|(_, hash)| !priced.contains(hash.as_str())) {
        let reason = format!("is not a file that was priced: its SHA-256 is {hash}");
        problems.push(Diagnostic::file(&opened.files[*number].found.name, reason).hint(hint));
    }
    let read: BTreeSet<&str> = hashes.values().map(String::as_str).collect();
    if problems.is_empty() && read != priced {
        let missing: Vec<&str> = priced.difference(&read).copied().collect();
        let reason = format!("files that were priced are not there: {}", missing.join(", "));
        problems.push(Diagnostic::file("the delivery", reason).hint(hint));
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.into()) }
}

/// What all threads collected.
#[derive(Default)]
struct Whole {
    /// By group and then by place in the delivery.
    segments: Vec<Segment>,
    /// What the written lines of each group and currency sum to.
    written: BTreeMap<(u32, String), Amount>,
    filled: BTreeMap<u32, Vec<bool>>,
    /// Rows beyond the first of their lines, by group.
    further: BTreeMap<u32, u64>,
    /// What rows that are taken by class and day are billed.
    of_days: view::OfDay,
    withheld: u64,
}

/// Why the files cannot be written.
#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error("{0}")]
    TooLarge(#[from] DecimalError),
    #[error(
        "class {0} was priced with {1} lines, but {2} were found; the files are not those that were priced"
    )]
    Lines(usize, u64, u64),
    #[error(
        "commitments cover other lines than those that were priced; the files are not those that were priced"
    )]
    Covered,
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Parquet(#[from] parquet::errors::ParquetError),
    #[error("a thread failed; this is a fault of the program")]
    Thread,
}

impl Whole {
    fn new(
        collected: Vec<Collected>,
        plan: &Plan,
        cube: &Cube,
        covering: Option<&Covering>,
    ) -> Result<Self, WriteError> {
        let made = covering.map_or(&[][..], |covering| &covering.made);
        let mut whole = Self::default();
        let mut sums = vec![Sums::default(); cube.classes.len() + made.len()];
        for of_thread in collected {
            whole.segments.extend(of_thread.segments);
            whole.withheld += of_thread.withheld;
            for (sum, more) in sums.iter_mut().zip(of_thread.sums) {
                sum.lines += more.lines;
                sum.amount = sum.amount.plus(more.amount)?;
                sum.covered += more.covered;
            }
            for (group, filled) in of_thread.filled {
                let known = whole.filled.entry(group).or_insert_with(|| vec![false; filled.len()]);
                known.iter_mut().zip(filled).for_each(|(known, filled)| *known |= filled);
            }
            for (place, amount) in of_thread.of_days {
                let sum = whole.of_days.entry(place).or_default();
                *sum = sum.plus(amount)?;
            }
            for (group, further) in of_thread.further {
                *whole.further.entry(group).or_default() += further;
            }
        }
        whole.segments.sort_unstable();
        for (number, (class, of_plan)) in cube.classes.iter().zip(&plan.classes).enumerate() {
            let Some((group, _)) = of_plan.exported(plan, cube, class) else { continue };
            let Sums { lines, amount, .. } = sums[number];
            if lines != class.lines {
                return Err(WriteError::Lines(number, class.lines, lines));
            }
            whole.add(cube, class, group, amount)?;
        }
        for (made, sums) in made.iter().zip(&sums[cube.classes.len()..]) {
            if sums.covered != made.usage {
                return Err(WriteError::Covered);
            }
            whole.add(cube, &made.class, made.group, sums.amount)?;
        }
        Ok(whole)
    }

    /// The segments of a group.
    fn of_group(&self, group: u32) -> &[Segment] {
        let start = self.segments.partition_point(|segment| segment.group < group);
        let end = self.segments.partition_point(|segment| segment.group <= group);
        &self.segments[start..end]
    }

    /// What the lines of a group sum to, as they are written, by currency.
    fn written_of(&self, group: u32) -> BTreeMap<String, Amount> {
        let of_group = self.written.iter().filter(|((of, _), _)| *of == group);
        of_group.map(|((_, currency), sum)| (currency.clone(), *sum)).collect()
    }

    /// Whether rows of a group fill an output.
    fn is_filled(&self, group: u32, output: usize) -> bool {
        self.filled.get(&group).is_some_and(|filled| filled[output])
    }

    /// Adds what the rows of a class sum to.
    fn add(
        &mut self,
        cube: &Cube,
        class: &ChargeClass,
        group: u32,
        amount: Amount,
    ) -> Result<(), WriteError> {
        let currency = cube.value(class, KeyColumn::Currency).unwrap_or_default();
        let total = self.written.entry((group, currency.to_owned())).or_default();
        *total = total.plus(amount)?;
        Ok(())
    }
}

/// The second pass: each group's file from its own rows.
fn write_files(
    whole: &Whole,
    collector: &Collector<'_>,
    (plan, cube): (&Plan, &Cube),
    folder: &Path,
    threads: usize,
) -> Result<ExportReport, WriteError> {
    let texts = std::mem::take(&mut *collector.texts.lock().unwrap_or_else(PoisonError::into_inner));
    let next = AtomicUsize::new(0);
    let work = |_| {
        let mut numbering = Numbering::new(&texts);
        if let Some(parts) = &plan.view {
            if next.fetch_add(1, Ordering::Relaxed) > 0 {
                return Ok(Vec::new());
            }
            return Ok(vec![view::write(whole, collector, (plan, parts), cube, folder, &mut numbering)?]);
        }
        let mut files = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(group) = plan.groups.get(number) else { return Ok(files) };
            if let Some(of_group) = &group.folder {
                fs::create_dir(folder.join(of_group))?;
                let of = (number, group);
                files.push(write_file(whole, collector, (plan, cube), of, folder, &mut numbering)?);
            }
        }
    };
    let written = in_threads(threads.max(1), work, || {}).ok_or(WriteError::Thread)?;
    let mut files: Vec<ExportedFile> =
        written.into_iter().collect::<Result<Vec<_>, WriteError>>()?.into_iter().flatten().collect();
    files.sort_by_key(|file| file.group);
    let outputs = collector.outputs();
    let unknown = outputs.iter().filter(|output| output.is_unknown()).map(|output| output.name.clone());
    Ok(ExportReport {
        files,
        columns: outputs.iter().map(|output| (output.name.clone(), output.treated().to_owned())).collect(),
        unknown_columns: unknown.collect(),
        allowed_in_vain: allowed_in_vain(outputs, plan),
        values_withheld: whole.withheld,
    })
}

/// Allowed columns of CUR files that no cost file has, or that no file may hold.
fn allowed_in_vain(outputs: &[Output], plan: &Plan) -> Vec<String> {
    let copied = |name: &&String| {
        outputs.iter().any(|output| {
            (output.name == **name || output.key == **name) && output.treatment == Treatment::Copied
        })
    };
    let of_cur = plan.allowed_columns.iter().filter(|_| plan.layout == Layout::Cur);
    of_cur.filter(|name| !copied(name)).cloned().collect()
}

fn write_file(
    whole: &Whole,
    collector: &Collector<'_>,
    (plan, cube): (&Plan, &Cube),
    (number, group): (usize, &GroupPlan),
    folder: &Path,
    numbering: &mut Numbering<'_>,
) -> Result<ExportedFile, WriteError> {
    let of_group = short(number);
    let lines = whole.of_group(of_group);
    let summing = Summing { collector, plan, cube, segments: lines, group: of_group, takes: None, folder };
    let Summed { mut segments, written } = match plan.granularity {
        Granularity::Hourly => Summed { segments: lines.to_vec(), written: whole.written_of(of_group) },
        Granularity::Daily | Granularity::Monthly => summing.summed(numbering)?,
    };
    let (added, residue) = added_rows(&written, group)?;
    segments.extend(added_segment(collector, of_group, &added)?);
    let outputs: Vec<(&Output, bool)> = (collector.outputs().iter().enumerate())
        .map(|(place, output)| {
            let filled = || whole.is_filled(of_group, place);
            (output, (!output.only_if_filled || filled()) && !plan.left_out.contains(&output.key))
        })
        .collect();
    let of_group_folder = group.folder.as_deref().unwrap_or_default();
    let name = format!("{of_group_folder}/{}.{}", plan.file_name, plan.format.ending());
    let file = File::create_new(folder.join(&name))?;
    let of_file = Rows { segments: &segments, collector, format: plan.format };
    let Written { rows, bytes, columns } = match &plan.query {
        Some(query) => {
            let selection = Selection::new(query, collector.outputs());
            let chunks =
                cut(of_file.segments, selection::CHUNK_ROWS).into_iter().map(|pieces| (pieces, None));
            of_file.write_selected(file, selection, chunks, numbering)?
        }
        None => of_file.write_all(file, outputs, numbering)?,
    };
    // What is summed is a row whatever number of rows it was.
    let is_hourly = plan.granularity == Granularity::Hourly;
    let further = whole.further.get(&of_group).copied().filter(|_| is_hourly);
    let (added_rows, further_rows) = (added.len() as u64, further.unwrap_or_default());
    Ok(ExportedFile { group: number, name, rows, added_rows, further_rows, bytes, residue, columns })
}

/// Some rows of a segment.
type Piece = (Segment, std::ops::Range<usize>);

/// The rows of a group's file, in their order.
struct Rows<'a> {
    segments: &'a [Segment],
    collector: &'a Collector<'a>,
    format: FileFormat,
}

/// What was written of them.
struct Written {
    rows: u64,
    bytes: u64,
    columns: Vec<(String, String)>,
}

fn described<'o>(outputs: impl Iterator<Item = &'o Output>) -> Vec<(String, String)> {
    outputs.map(|output| (output.name.clone(), manifest_type(output.kind).to_owned())).collect()
}

impl Rows<'_> {
    /// Writes all of them, and the columns that are marked.
    fn write_all(
        &self,
        file: File,
        outputs: Vec<(&Output, bool)>,
        numbering: &mut Numbering<'_>,
    ) -> Result<Written, WriteError> {
        let columns = described(outputs.iter().filter(|(_, written)| *written).map(|(output, _)| *output));
        let scratch = &self.collector.scratch;
        let bytes = match self.format {
            FileFormat::Parquet => {
                let mut file = ParquetFile::new(file, outputs)?;
                for pieces in cut(self.segments, ROW_GROUP_ROWS) {
                    file.write(&Chunk::read(scratch, &pieces)?, numbering)?;
                }
                file.finish()?
            }
            FileFormat::Csv => {
                let mut file = CsvFile::new(file, outputs)?;
                for pieces in cut(self.segments, csv_file::CHUNK_ROWS) {
                    file.write(&Chunk::read(scratch, &pieces)?, numbering)?;
                }
                file.finish()?
            }
        };
        let rows = self.segments.iter().map(|segment| u64::from(segment.rows)).sum();
        Ok(Written { rows, bytes, columns })
    }

    /// Writes what a selection takes of chunks, and of some what a part of a view takes.
    fn write_selected<'p>(
        &self,
        file: File,
        mut selection: Selection<'_>,
        chunks: impl Iterator<Item = (Vec<Piece>, Option<&'p view::Takes>)>,
        numbering: &mut Numbering<'_>,
    ) -> Result<Written, WriteError> {
        let outputs = selection.outputs.clone();
        let written: Vec<(&Output, bool)> = outputs.iter().map(|output| (output, true)).collect();
        let lost = || std::io::Error::other("the scratch file does not hold what was written");
        let mut rows = 0;
        let mut target = match self.format {
            FileFormat::Parquet => Target::Parquet(Box::new(ParquetFile::new(file, written)?)),
            FileFormat::Csv => Target::Csv(Box::new(CsvFile::new(file, written)?)),
        };
        for (pieces, part) in chunks {
            let chunk = Chunk::read(&self.collector.scratch, &pieces)?;
            let taken = selection.take(&chunk, numbering, part).ok_or_else(lost)?;
            let columns = selection.written(&taken);
            match &mut target {
                Target::Parquet(file) if taken.rows() > 0 => file.write_columns(&columns)?,
                Target::Parquet(_) => {}
                Target::Csv(file) => file.write_columns(taken.rows(), columns)?,
            }
            rows += taken.rows() as u64;
            if selection.is_done() {
                break;
            }
        }
        let bytes = match target {
            Target::Parquet(file) => file.finish()?,
            Target::Csv(file) => file.finish()?,
        };
        Ok(Written { rows, bytes, columns: described(outputs.iter()) })
    }
}

/// A file that is being written.
enum Target<'o> {
    Parquet(Box<ParquetFile<'o>>),
    Csv(Box<CsvFile<'o>>),
}

/// A group's rows without source lines: those of the plan, and what the written lines differ from the statement.
fn added_rows(
    written: &BTreeMap<String, Amount>,
    group: &GroupPlan,
) -> Result<(Vec<AddedRow>, BTreeMap<String, String>), WriteError> {
    let left = residues(written, &group.added, &group.totals)?;
    let mut amounts = BTreeMap::new();
    for row in &left {
        amounts.insert(row.currency.clone(), Amount::from_units(row.amount)?.to_string());
    }
    Ok((group.added.iter().cloned().chain(left).collect(), amounts))
}

/// The rows that take what written lines and added rows differ from the totals.
fn residues(
    lines: &BTreeMap<String, Amount>,
    added: &[AddedRow],
    totals: &[Total],
) -> Result<Vec<AddedRow>, WriteError> {
    let mut rows = Vec::new();
    for total in totals {
        let currency = &total.residue.currency;
        let mut written = lines.get(currency).copied().unwrap_or_default();
        for row in added.iter().filter(|row| row.currency == *currency) {
            written = written.plus(written_amount(Amount::from_units(row.amount)?).amount())?;
        }
        let residue = Amount::from_units(total.amount)?.minus(written)?;
        if !residue.is_zero() {
            rows.push(AddedRow { amount: residue.units(), ..total.residue.clone() });
        }
    }
    Ok(rows)
}

/// The rows as a segment after all others of the group.
fn added_segment(
    collector: &Collector<'_>,
    group: u32,
    rows: &[AddedRow],
) -> Result<Option<Segment>, WriteError> {
    if rows.is_empty() {
        return Ok(None);
    }
    let amounts = rows.iter().map(|row| Ok(collect::double(written_amount(Amount::from_units(row.amount)?))));
    let amounts: Vec<u64> = amounts.collect::<Result<_, DecimalError>>()?;
    let mut content = Vec::new();
    for output in collector.outputs() {
        let asked = output.treatment == Treatment::Ask;
        let text = |row: &AddedRow| row.values.get(&output.key).filter(|_| !asked).cloned();
        match output.kind {
            Kind::Number
                if matches!(
                    output.treatment,
                    Treatment::Cost | Treatment::Amount(_) | Treatment::PricingAmount(_)
                ) =>
            {
                let own = |row: &AddedRow| text(row).and_then(|text| crate::number::bits_of_text(&text));
                let is_amount = output.treatment != Treatment::Amount(AmountOf::CommitmentQuantity);
                let word = |(row, amount): (&AddedRow, &u64)| own(row).or(is_amount.then_some(*amount));
                let words: Vec<Option<u64>> = rows.iter().zip(&amounts).map(word).collect();
                put_words(words.into_iter(), &mut content);
            }
            Kind::Text | Kind::Map | Kind::NumberMap => {
                let texts: Vec<Option<String>> = rows.iter().map(text).collect();
                put_texts(texts.iter().map(Option::as_deref), &mut content);
            }
            Kind::Number => {
                let words: Vec<Option<u64>> =
                    rows.iter().map(|row| crate::number::bits_of_text(&text(row)?)).collect();
                put_words(words.into_iter(), &mut content);
            }
            Kind::Time => {
                let word = |row| Some((crate::timestamp::seconds(&text(row)?)? * 1_000).cast_unsigned());
                let words: Vec<Option<u64>> = rows.iter().map(word).collect();
                put_words(words.into_iter(), &mut content);
            }
        }
    }
    if collector.by_class_and_day {
        put_words(rows.iter().map(|_| None), &mut content);
    }
    let last = (u32::MAX, u32::MAX, u32::MAX);
    let places = [(group, short(rows.len()), content.len())];
    Ok(collector.scratch.append(last, &content, &places)?.pop())
}
