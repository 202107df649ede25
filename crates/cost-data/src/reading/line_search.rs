//! The rows of one line item id, found again in the files of a run.
//!
//! Ids repeat over intervals, so a line may have many rows. Only the id columns are looked through; a row group that has the id is then
//! decoded like any other, and its rows find their classes by the scan's own keys.

use super::{Content, OpenFile, Opened, Request, open_all, unless_it_panics};
use crate::batch::{Batch, Place, span};
use crate::codes::Codes;
use crate::csv_lines::{self, CsvFile};
use crate::cube_file::StoredCube;
use crate::delivery;
use crate::diagnostics::{Diagnostic, HINT_BROKEN, Refusal};
use crate::dimensions::Dimensions;
use crate::hash::hex;
use crate::scan::{Classifier, line_measures};
use crate::sources::Sources;
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use billing::charge_class::{KeyColumn, MEASURES};
use billing::period::BillingPeriod;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

/// Which rows to find, and where.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LineSearch {
    /// Folders, cost files or manifests.
    pub inputs: Vec<PathBuf>,
    /// The month, as `YYYY-MM`.
    pub period: String,
    /// The run's files: name, and SHA-256 in hexadecimal. All must be there, and nothing else is looked through.
    pub files: Vec<(String, String)>,
    /// The run's cube.
    pub cube: PathBuf,
    /// The line item id.
    pub id: String,
    /// The one interval that is wanted.
    pub interval: Option<String>,
    /// The folder that objects of a store are kept in while they are looked through.
    pub scratch: Option<PathBuf>,
    /// The tags, cost categories and resources that the run's classes are split by.
    pub dimensions: Dimensions,
}

/// A row of the line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FoundLine {
    /// The file, as the run named it.
    pub file: String,
    /// The row group of a Parquet file.
    pub row_group: Option<usize>,
    /// The row of the file (CSV) or row group, from 1.
    pub row: u64,
    /// Rows of the file before it, those of other row groups among them.
    pub row_of_file: u64,
    /// The time interval.
    pub interval: Option<String>,
    /// The row's class, by number in the cube; `None` where the run did not sum the row.
    pub class: Option<usize>,
    /// Why it did not.
    pub unsummed: Option<String>,
    /// The values of the key columns as the file has them, by column.
    pub values: BTreeMap<String, String>,
    /// The measures as plain decimals, in the order of [`billing::charge_class::Measure::ALL`].
    pub measures: [String; MEASURES],
}

/// Finds every row of a line, in the order of the run's files.
///
/// # Errors
/// A [`Refusal`]: files that are not the run's, or cannot be read.
pub fn find(search: &LineSearch) -> Result<Vec<FoundLine>, Refusal> {
    let period = BillingPeriod::parse(&search.period)
        .map_err(|error| Diagnostic::file("--period", error.to_string()))?;
    let request = Request {
        accept_rejects: true,
        check_line_ids: true,
        scratch: search.scratch.clone(),
        dimensions: search.dimensions.clone(),
        ..Request::new(search.inputs.clone(), &search.period)
    };
    let delivery = delivery::find(&search.inputs, period)?;
    let sources = Sources::open(&delivery, request.scratch.as_deref());
    let opened = open_all(&sources, delivery.passed_by, &request);
    sources.explained(opened.and_then(|opened| find_in(&opened, search, period)))
}

fn find_in(opened: &Opened, search: &LineSearch, period: BillingPeriod) -> Result<Vec<FoundLine>, Refusal> {
    let files = files_of_run(opened, search)?;
    let of_cube = |error: String| Refusal::from(Diagnostic::file(&search.cube.display().to_string(), error));
    let stored = StoredCube::open(&search.cube).map_err(|error| of_cube(error.to_string()))?;
    let (cube, _) = stored.read().map_err(|error| of_cube(error.to_string()))?;
    let (mut classifier, mut found) = (Classifier::new(&cube), Vec::new());
    for (name, file) in files {
        let (classifier, found) = (&mut classifier, &mut found);
        let mut lines = Lines { search, name, period: span(period), classifier, found };
        unless_it_panics(|| lines.of_file(file))
            .and_then(|done| done)
            .map_err(|reason| Refusal::from(Diagnostic::file(name, reason).hint(HINT_BROKEN)))?;
        if file.source.has_changed() {
            return Err(Diagnostic::file(name, "changed while it was read").into());
        }
    }
    Ok(found)
}

/// The files that the run has read, under its names; a file with other content is none of them.
fn files_of_run<'a>(
    opened: &'a Opened,
    search: &'a LineSearch,
) -> Result<Vec<(&'a str, &'a OpenFile)>, Refusal> {
    let mut by_hash = BTreeMap::new();
    for file in &opened.files {
        by_hash.extend(file.sha256(|| false)?.map(|hash| (hex(&hash), file)));
    }
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    for (name, sha256) in &search.files {
        match by_hash.get(sha256) {
            Some(file) => files.push((name.as_str(), *file)),
            None => {
                let there = opened.files.iter().any(|file| file.found.name == *name);
                let reason = match there {
                    true => "is not what the run read: its content has another SHA-256",
                    false => "was read by the run and is not there",
                };
                problems.push(
                    Diagnostic::file(name, reason).hint("give the files that the run read with --cost"),
                );
            }
        }
    }
    if problems.is_empty() { Ok(files) } else { Err(problems.into()) }
}

/// The search through one file.
struct Lines<'a> {
    search: &'a LineSearch,
    name: &'a str,
    period: Range<i64>,
    classifier: &'a mut Classifier,
    found: &'a mut Vec<FoundLine>,
}

impl Lines<'_> {
    fn of_file(&mut self, file: &OpenFile) -> Result<(), String> {
        let Some(identity) = file.columns.identity else { return Ok(()) };
        match &file.content {
            Content::Parquet(parquet) => {
                for group in 0..parquet.row_groups() {
                    let reader = parquet.reader(&file.source, group, identity.map(|column| column.place))?;
                    let ids = reader.build().map_err(|error| error.to_string())?;
                    if !self.has_id(ids, identity[0].place > identity[1].place)? {
                        continue;
                    }
                    let mut batches = parquet.read(&file.source, group, &file.columns)?;
                    let mut place = Place { file: 0, row_group: Some(group), row: 0 };
                    while let Some(batch) = batches.next(place, &file.columns, &self.period) {
                        let mut batch = batch?;
                        batch.row_of_file += parquet.rows_before(group);
                        place.row += batch.rows as u64;
                        self.of_batch(batch)?;
                    }
                }
            }
            Content::Csv => {
                let refused = |refused| match refused {
                    csv_lines::Refused::Broken { reason, .. } => reason,
                    csv_lines::Refused::Layout(error) => error.to_string(),
                    csv_lines::Refused::Empty => "is empty".to_owned(),
                };
                let mut csv = CsvFile::open(&file.source).map_err(refused)?;
                while let Some(batch) = csv.next(0, &file.columns, &self.period) {
                    self.of_batch(batch.map_err(refused)?)?;
                }
            }
        }
        Ok(())
    }

    /// Whether a row group has the id; the interval is looked at later.
    fn has_id(
        &self,
        batches: impl Iterator<Item = Result<arrow_array::RecordBatch, arrow_schema::ArrowError>>,
        id_is_second: bool,
    ) -> Result<bool, String> {
        for batch in batches {
            let batch = batch.map_err(|error| format!("cannot be decoded: {error}"))?;
            let column = batch.column(usize::from(id_is_second));
            let codes = column.as_dictionary_opt::<Int32Type>().and_then(Codes::from_dictionary);
            let has =
                codes.is_some_and(|codes| codes.values.iter().any(|id| id == Some(self.search.id.as_str())));
            if has {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn of_batch(&mut self, mut batch: Batch) -> Result<(), String> {
        let Some([ids, intervals]) = batch.identity.clone() else { return Ok(()) };
        let wanted = |row: &usize| {
            let interval = self.search.interval.as_deref();
            ids.text(*row) == Some(self.search.id.as_str())
                && interval.is_none_or(|interval| intervals.text(*row) == Some(interval))
        };
        let rows: Vec<usize> = (0..batch.rows).filter(wanted).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let in_period = batch.in_period.clone();
        let measures: Vec<_> = rows.iter().map(|row| line_measures(&batch, *row)).collect();
        let classes: Vec<Option<usize>> =
            self.classifier.classify(&mut batch, self.name).map_err(|error| error.to_string())?.collect();
        let rejects = self.classifier.take_rejects();
        for (row, measures) in rows.into_iter().zip(measures) {
            let place = batch.place.of_row(row);
            let unsummed = || {
                if in_period.as_ref().is_some_and(|in_period| !in_period[row]) {
                    return "it is of another billing period".to_owned();
                }
                let reject = rejects.iter().find(|(of, _)| *of == place);
                reject.map_or_else(
                    || "it is of no charge class of the run".to_owned(),
                    |(_, reject)| format!("it was rejected: {reject}"),
                )
            };
            let value = |column: KeyColumn| {
                let text = batch.keys[column as usize].as_ref()?.text(row)?;
                Some(((batch.vocabulary.key)(column)[0]?.to_owned(), text.to_owned()))
            };
            self.found.push(FoundLine {
                file: self.name.to_owned(),
                row_group: place.row_group,
                row: place.row + 1,
                row_of_file: batch.row_of_file + row as u64,
                interval: intervals.text(row).map(ToOwned::to_owned),
                class: classes[row],
                unsummed: classes[row].is_none().then(unsummed),
                values: KeyColumn::ALL.into_iter().filter_map(value).collect(),
                measures: measures.map(|measure| measure.to_string()),
            });
        }
        Ok(())
    }
}
