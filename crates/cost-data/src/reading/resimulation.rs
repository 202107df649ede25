//! What commitments are re-simulated from, put together from what the threads have taken: the inventory, and the file of eligible usage.

use super::{CostFormat, OpenFile, Opened};
use crate::commitment_inventory::{self, CommitmentInventory, Notes, Remark};
use crate::diagnostics::Diagnostic;
use crate::eligible_usage::{
    self, EligibleClasses, EligibleUsage, NotKept, Part, Recorder, Written, hours_of,
};
use crate::hash::hex;
use crate::layout::CommitmentColumn;
use crate::parquet_lines::ParquetFile;
use crate::report::Report;
use crate::scan::{ClassNumbers, Commitments, Scan};
use billing::charge_class::{Cube, KeyColumn};
use billing::period::BillingPeriod;
use std::path::Path;

/// What a thread begins with, for a file at this path: its lines wait beside it.
pub fn begin(path: &Path, period: BillingPeriod) -> Result<Commitments, Diagnostic> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let recorder = Recorder::new(folder, hours_of(period)).map_err(|error| unwritten(path, error))?;
    Ok(Commitments::new(recorder))
}

/// Reads what the lines of a row group say of commitments, if some of them tell of any: most columns are empty in most row groups.
pub fn read_terms(
    scan: &mut Scan,
    file: &OpenFile,
    parquet: &ParquetFile,
    row_group: usize,
) -> Result<(), String> {
    let wanted = scan.commitments.as_ref().zip(file.columns.commitments.as_ref());
    if let Some(columns) = wanted.and_then(|(commitments, columns)| commitments.wanted(columns)) {
        parquet.each_terms(&file.source, row_group, &columns, |row, terms| scan.note_terms(terms, row))?;
    }
    scan.commitments.iter_mut().for_each(Commitments::have_told);
    Ok(())
}

fn unwritten(path: &Path, error: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::file(&path.display().to_string(), format!("cannot be written: {error}"))
}

/// What all threads have taken.
pub struct Taken {
    notes: Notes,
    parts: Vec<(Recorder, ClassNumbers)>,
}

impl Taken {
    /// Takes it from scans whose classes have gone to these places.
    pub fn from(scans: &mut [Scan], places: Vec<ClassNumbers>) -> Self {
        let mut taken = Self { notes: Notes::default(), parts: Vec::new() };
        for (scan, places) in scans.iter_mut().zip(places) {
            if let Some((recorder, notes)) = scan.take_commitments() {
                taken.notes.absorb(notes);
                taken.parts.push((recorder, places));
            }
        }
        taken
    }

    /// Makes the inventory, and leaves the eligible usage at the path where it can be re-simulated; `numbers` are those of the cube's
    /// classes by place.
    pub fn finish(
        self,
        path: &Path,
        numbers: &[u32],
        cube: &Cube,
        opened: &Opened,
        report: &mut Report,
    ) -> Result<(), Diagnostic> {
        if let Some(CostFormat::Focus(_)) = opened.format {
            report.eligible_usage = Some(EligibleUsage::NotKept(NotKept::Focus));
            return Ok(());
        }
        let tells_zone = |file: &OpenFile| {
            let columns = file.columns.commitments.as_ref();
            let of_reservation = columns
                .is_some_and(|columns| columns.terms[CommitmentColumn::ReservationZone as usize].is_some());
            of_reservation && file.layout.column(KeyColumn::AvailabilityZone.name()).is_some()
        };
        let inventory = commitment_inventory::build(&self.notes, cube, opened.files.iter().all(tells_zone));
        let mut parts = Vec::new();
        for (mut recorder, places) in self.parts {
            recorder.take_failure().map_err(|error| unwritten(path, error))?;
            parts.push(Part { recorder, numbers: places.after(numbers) });
        }
        let eligible = EligibleClasses::of(cube);
        let usage = match not_kept(&inventory, opened, &eligible, &parts) {
            Some(reason) => EligibleUsage::NotKept(reason),
            None => {
                let written = eligible_usage::write(path, cube, &eligible, &parts);
                let Written { sha256, lines, passed_by } = written.map_err(|error| unwritten(path, error))?;
                EligibleUsage::Kept { sha256: hex(&sha256), lines, passed_by }
            }
        };
        report.commitments = Some(inventory);
        report.eligible_usage = Some(usage);
        Ok(())
    }
}

/// Why the month's commitments cannot be re-simulated.
fn not_kept(
    inventory: &CommitmentInventory,
    opened: &Opened,
    eligible: &EligibleClasses,
    parts: &[Part],
) -> Option<NotKept> {
    if inventory.is_empty() && inventory.untold.is_empty() {
        return Some(NotKept::NoCommitment);
    }
    let says_hours =
        |file: &OpenFile| file.columns.commitments.as_ref().is_some_and(|columns| columns.interval.is_some());
    if let Some(file) = opened.files.iter().find(|file| !says_hours(file)) {
        return Some(NotKept::NoInterval { file: file.found.name.clone() });
    }
    if let Some(Remark { arn, text }) = inventory.untold.first().filter(|_| inventory.is_empty()) {
        return Some(NotKept::NoneTold { arn: arn.clone(), why: text.clone() });
    }
    let name = |file: u32| opened.files[file as usize].found.name.clone();
    let unkept = eligible.unkept(parts);
    let (file, row) = unkept.first?;
    Some(NotKept::NotHourly { lines: unkept.not_hourly, file: name(file), row: row + 1 })
}
