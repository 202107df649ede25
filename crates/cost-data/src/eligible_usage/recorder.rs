//! What one thread keeps of eligible lines while it scans: records of one width in a file without a name, by the hour.
//!
//! An hour's records fill a segment of some 1 KiB in memory, which then goes to the end of the scratch file. So a thread holds one open
//! segment an hour, 0.8 MB in all, however many lines there are.

use crate::days::OTHER_HOUR;
use billing::coverage::CUT_MEASURES;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Amounts must be below this, in units of 10⁻¹⁰, to be stored in 64 bits as eighteen digits.
pub const UNITS_BEYOND: u64 = 1_000_000_000_000_000_000;

const AMOUNTS: usize = CUT_MEASURES.len();
const RECORD_BYTES: usize = 4 + 4 + 8 + 8 * AMOUNTS;
/// How many records are written at once.
const SEGMENT_BYTES: usize = RECORD_BYTES * (1_024 / RECORD_BYTES);

/// A line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Its class: while lines are scanned that of the scan, in order that of the cube.
    pub class: u32,
    pub file: u32,
    /// Rows of the file before it.
    pub row: u64,
    /// Units of [`CUT_MEASURES`].
    pub units: [i64; AMOUNTS],
}

impl Record {
    fn to_bytes(self) -> [u8; RECORD_BYTES] {
        let mut bytes = [0; RECORD_BYTES];
        bytes[..4].copy_from_slice(&self.class.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.file.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.row.to_le_bytes());
        for (place, units) in bytes[16..].chunks_exact_mut(8).zip(self.units) {
            place.copy_from_slice(&units.to_le_bytes());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8; RECORD_BYTES]) -> Self {
        let word = |at: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[at..at + 8]);
            word
        };
        let first = u64::from_le_bytes(word(0));
        let mut units = [0; AMOUNTS];
        units.iter_mut().zip(0..).for_each(|(units, n)| *units = i64::from_le_bytes(word(16 + 8 * n)));
        // The low half and the high half.
        Self { class: first as u32, file: (first >> 32) as u32, row: u64::from_le_bytes(word(8)), units }
    }
}

/// Where a line is: its file and the rows before it.
pub type LinePlace = (u32, u64);

/// Lines of a class that cannot be kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unkept {
    /// Lines that are not of one hour of the month.
    pub not_hourly: u64,
    /// The first of them.
    pub first: Option<LinePlace>,
    /// Lines that begin in another month, do not say when, or have amounts beyond what the file holds: no commitment covers them.
    pub passed_by: u64,
}

impl Unkept {
    /// Adds what other lines are.
    pub fn absorb(&mut self, other: Self) {
        self.not_hourly += other.not_hourly;
        self.passed_by += other.passed_by;
        self.first = self.first.into_iter().chain(other.first).min();
    }
}

/// An hour's records: those that are on disk, by the numbers of their segments, and those that are not yet.
#[derive(Default)]
struct Hour {
    segments: Vec<u32>,
    open: Vec<u8>,
}

/// The eligible lines that one thread has met.
pub struct Recorder {
    scratch: File,
    segments: u32,
    hours: Vec<Hour>,
    unkept: HashMap<u32, Unkept>,
    /// The first failure; nothing is kept after it.
    failed: Option<io::Error>,
}

impl Recorder {
    /// A recorder for a month of so many hours, whose scratch file is in a folder.
    pub fn new(folder: &Path, hours: u32) -> io::Result<Self> {
        let hours = (0..hours).map(|_| Hour::default()).collect();
        let scratch = tempfile::tempfile_in(folder)?;
        Ok(Self { scratch, segments: 0, hours, unkept: HashMap::new(), failed: None })
    }

    /// Keeps a line of an hour; [`OTHER_HOUR`] and [`crate::days::OUTSIDE_HOUR`] are none.
    #[inline]
    pub fn keep(&mut self, hour: u16, record: Record) {
        let fits = record.units.iter().all(|units| units.unsigned_abs() < UNITS_BEYOND);
        let Some(of_hour) = self.hours.get_mut(usize::from(hour)).filter(|_| fits) else {
            self.note_unkept(hour, record);
            return;
        };
        if of_hour.open.capacity() == 0 {
            of_hour.open.reserve_exact(SEGMENT_BYTES);
        }
        of_hour.open.extend_from_slice(&record.to_bytes());
        if of_hour.open.len() == SEGMENT_BYTES {
            self.spill(hour);
        }
    }

    /// Notes a line that no commitment covers: of another month, or with amounts that are more than 64 bits hold.
    #[cold]
    pub fn pass_by(&mut self, class: u32) {
        self.unkept.entry(class).or_default().passed_by += 1;
    }

    #[cold]
    fn note_unkept(&mut self, hour: u16, record: Record) {
        if hour != OTHER_HOUR {
            self.pass_by(record.class);
            return;
        }
        let not_hourly = Unkept { not_hourly: 1, first: Some((record.file, record.row)), passed_by: 0 };
        self.unkept.entry(record.class).or_default().absorb(not_hourly);
    }

    /// Writes an hour's open segment to the end of the scratch file.
    #[cold]
    fn spill(&mut self, hour: u16) {
        let of_hour = &mut self.hours[usize::from(hour)];
        let offset = u64::from(self.segments) * SEGMENT_BYTES as u64;
        match (&self.failed, self.segments.checked_add(1)) {
            (None, Some(next)) => match self.scratch.write_all_at(&of_hour.open, offset) {
                Ok(()) => {
                    of_hour.segments.push(self.segments);
                    self.segments = next;
                }
                Err(error) => self.failed = Some(error),
            },
            (None, None) => self.failed = Some(io::Error::other("more eligible usage than any month has")),
            (Some(_), _) => {}
        }
        of_hour.open.clear();
    }

    /// Whether every line could be kept.
    pub fn take_failure(&mut self) -> io::Result<()> {
        self.failed.take().map_or(Ok(()), Err)
    }

    /// The lines that were not kept, by class of the scan.
    pub fn unkept(&self) -> impl Iterator<Item = (u32, Unkept)> {
        self.unkept.iter().map(|(class, unkept)| (*class, *unkept))
    }

    /// Gives every record of an hour, in no particular order.
    pub fn each(&self, hour: u32, mut give: impl FnMut(Record)) -> io::Result<()> {
        let Some(of_hour) = self.hours.get(hour as usize) else { return Ok(()) };
        let mut segment = [0; SEGMENT_BYTES];
        let mut give_all = |bytes: &[u8]| {
            let (records, _) = bytes.as_chunks();
            records.iter().for_each(|record| give(Record::from_bytes(record)));
        };
        for number in &of_hour.segments {
            self.scratch.read_exact_at(&mut segment, u64::from(*number) * SEGMENT_BYTES as u64)?;
            give_all(&segment);
        }
        give_all(&of_hour.open);
        Ok(())
    }
}
