//! The months that cost files have lines of, by the lines themselves: nothing else of a file is kept.

use super::{Content, OpenFile, Request, open_all, unless_it_panics};
use crate::batch::span;
use crate::csv_lines::{self, CsvFile};
use crate::days::SECONDS_OF_DAY;
use crate::delivery;
use crate::diagnostics::{Diagnostic, HINT_BROKEN, Refusal};
use crate::parquet_lines::each_instant;
use crate::sources::Sources;
use crate::timestamp;
use billing::period::{BillingPeriod, date_text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Where to look for months.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MonthSearch {
    /// Folders, cost files or manifests that say no month.
    pub inputs: Vec<PathBuf>,
    /// The folder that objects of a store are kept in while they are looked through.
    pub scratch: Option<PathBuf>,
}

/// The months of all lines, as `YYYY-MM`.
///
/// # Errors
/// A [`Refusal`]: files that cannot be read.
pub fn find(search: &MonthSearch) -> Result<BTreeSet<String>, Refusal> {
    // Only a manifest could be of another month, and these say none.
    let none =
        BillingPeriod::parse("1970-01").map_err(|error| Diagnostic::file("1970-01", error.to_string()))?;
    let request =
        Request { scratch: search.scratch.clone(), ..Request::new(search.inputs.clone(), none.to_string()) };
    let delivery = delivery::find(&search.inputs, none)?;
    let sources = Sources::open(&delivery, request.scratch.as_deref());
    let opened = open_all(&sources, delivery.passed_by, &request);
    sources.explained(opened.and_then(|opened| {
        let mut months = BTreeSet::new();
        for file in &opened.files {
            let found = unless_it_panics(|| of_file(file, none)).and_then(|done| done);
            months.extend(found.map_err(|reason| {
                Refusal::from(Diagnostic::file(&file.found.name, reason).hint(HINT_BROKEN))
            })?);
        }
        Ok(months)
    }))
}

fn of_file(file: &OpenFile, none: BillingPeriod) -> Result<BTreeSet<String>, String> {
    // Lines of one month stand together, in nearly every file.
    let mut starts = BTreeSet::new();
    let place = file.columns.period_start.place;
    match &file.content {
        Content::Parquet(parquet) => {
            for group in 0..parquet.row_groups() {
                let reader = parquet.reader(&file.source, group, [place])?;
                for batch in reader.build().map_err(|error| error.to_string())? {
                    let batch = batch.map_err(|error| format!("cannot be decoded: {error}"))?;
                    each_instant(batch.column(0), |_, instant| starts.extend(instant.ok()));
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
            while let Some(lines) = csv.next_with_records(0, &file.columns, &span(none)) {
                let (_, records) = lines.map_err(refused)?;
                let text = |record: &csv::ByteRecord| {
                    timestamp::seconds(std::str::from_utf8(record.get(place)?).ok()?)
                };
                starts.extend(records.iter().filter_map(text));
            }
        }
    }
    let month = |seconds: i64| {
        let day = date_text(i32::try_from(seconds.div_euclid(SECONDS_OF_DAY)).ok()?);
        Some(day.get(..7)?.to_owned())
    };
    Ok(starts.into_iter().filter_map(month).collect())
}
