//! Which part of which line is covered, on its way to the child that exports lines; and how far commitments are used in each hour.
//!
//! There may be as many covered lines as lines, so they go through a file: records of one width, by file and row, in which the lines of a
//! batch are found without reading others. It has no name for longer than an export takes, and no run keeps it. The child is told
//! its hash, and checks every number that it reads: what a cut line costs follows from it.

use crate::cube_file::CubeFileError;
use crate::side_file::{Hashed, content};
use crate::source::Source;
use billing::charge_class::Cube;
use billing::commitment::Capacity;
use billing::coverage::{CoveredPartOfLine, CoveredUsage, EligibleLine, each_part};
use billing::money::{DecimalError, Quantity};
use parquet::file::reader::ChunkReader;
use serde::{Deserialize, Serialize};
use sha2::Digest;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempPath};

/// What the file begins with: the version of its layout is the last byte but one.
const MAGIC: [u8; 16] = *b"proforma lines1\n";
/// Magic; period; classes, commitments; covered parts, used hours.
const HEADER_BYTES: usize = 16 + 8 + 4 + 4 + 8 + 8;
const RECORD_BYTES: usize = 24;
/// How many records are read at once.
const RECORDS_AT_ONCE: u64 = 4_096;

/// A covered part of a line: 32 bytes.
#[derive(Debug, Clone, Copy)]
struct Kept {
    row: u64,
    /// In units of 10⁻¹⁰: eligible usage has at most eighteen digits.
    usage: i64,
    file: u32,
    commitment: u32,
    /// Its place among the parts of its class and hour, which is that of application.
    place: u32,
}

/// What is covered in a month, line by line; in memory until it is written.
#[derive(Debug, Default)]
pub struct CoveredLines {
    parts: Vec<Kept>,
    /// By commitment and hour.
    used: BTreeMap<(u32, u32), Capacity>,
}

/// A written file, which is there as long as this.
#[derive(Debug)]
pub struct CoveredLinesFile {
    path: TempPath,
    sha256: [u8; 32],
}

/// Where such a file is, and what it holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CoveredLinesPlace {
    /// The file.
    pub path: PathBuf,
    /// Its SHA-256.
    pub sha256: [u8; 32],
}

impl CoveredLines {
    /// Adds what is covered of a class in an hour: as [`billing::coverage::Simulator::add_hour`] gives it.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn add(
        &mut self,
        hour: u32,
        lines: &[EligibleLine],
        covered: &[CoveredUsage],
    ) -> Result<(), DecimalError> {
        for of in covered {
            let used = self.used.entry((of.commitment, hour)).or_default();
            *used = used.plus(of.taken)?;
        }
        let (mut place, mut beyond) = (0, false);
        each_part(lines, covered, |part| {
            let CoveredPartOfLine { file, row, commitment, usage } = part;
            let usage = i64::try_from(usage.units());
            beyond |= usage.is_err();
            self.parts.push(Kept { row, usage: usage.unwrap_or(0), file, commitment, place });
            place += 1;
        })?;
        if beyond { Err(DecimalError::TooLarge) } else { Ok(()) }
    }

    /// Writes the file into a folder, for the export of a cube's month under so many commitments.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(mut self, folder: &Path, cube: &Cube, commitments: usize) -> io::Result<CoveredLinesFile> {
        self.parts.sort_unstable_by_key(|part| (part.file, part.row, part.place));
        let file = NamedTempFile::new_in(folder)?;
        let sha256 = self.put_into(file.as_file(), cube, commitments)?;
        Ok(CoveredLinesFile { path: file.into_temp_path(), sha256 })
    }

    /// Writes the header and the records; gives their hash.
    fn put_into(&self, file: &File, cube: &Cube, commitments: usize) -> io::Result<[u8; 32]> {
        let mut writer = Hashed::new(BufWriter::new(file));
        let counts = [self.parts.len() as u64, self.used.len() as u64];
        writer.write_all(&header(cube, commitments, counts))?;
        for part in &self.parts {
            writer.write_all(&part.file.to_le_bytes())?;
            writer.write_all(&part.commitment.to_le_bytes())?;
            writer.write_all(&part.row.to_le_bytes())?;
            writer.write_all(&part.usage.to_le_bytes())?;
        }
        for ((commitment, hour), used) in &self.used {
            writer.write_all(&commitment.to_le_bytes())?;
            writer.write_all(&hour.to_le_bytes())?;
            writer.write_all(&used.units().to_le_bytes())?;
        }
        writer.flush()?;
        Ok(writer.hash.finalize().into())
    }
}

impl CoveredLinesFile {
    /// Where it is.
    #[must_use]
    pub fn place(&self) -> CoveredLinesPlace {
        CoveredLinesPlace { path: self.path.to_path_buf(), sha256: self.sha256 }
    }
}

/// The header of a file with so many covered parts and used hours.
fn header(cube: &Cube, commitments: usize, [parts, used]: [u64; 2]) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[..16].copy_from_slice(&MAGIC);
    let period = cube.period.to_string();
    // `2026-10` has seven bytes.
    bytes[16..].iter_mut().zip(period.bytes().take(8)).for_each(|(place, byte)| *place = byte);
    // A cube has at most `CLASSES_MAX` classes, and fewer commitments.
    let short = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes();
    bytes[24..28].copy_from_slice(&short(cube.classes.len()));
    bytes[28..32].copy_from_slice(&short(commitments));
    bytes[32..40].copy_from_slice(&parts.to_le_bytes());
    bytes[40..48].copy_from_slice(&used.to_le_bytes());
    bytes
}

/// A written file as the child reads it: a batch of lines at a time, on any number of threads.
pub struct StoredCoveredLines {
    source: Source,
    parts: u64,
    commitments: u32,
    /// By commitment and hour, in that order.
    used: Vec<UsedHour>,
}

/// A commitment and an hour, and what was used.
type UsedHour = ((u32, u32), Capacity);

impl StoredCoveredLines {
    /// Opens the file of a cube's month and so many commitments, and checks all of it.
    ///
    /// # Errors
    /// [`CubeFileError`]: it is not the file that was written.
    pub fn open(place: &CoveredLinesPlace, cube: &Cube, commitments: usize) -> Result<Self, CubeFileError> {
        let source = Source::open(&place.path).map_err(content)?;
        if source.sha256(|| false)? != Some(place.sha256) {
            return Err(content("it is not the file that was written"));
        }
        let head = source.head(HEADER_BYTES)?;
        let count =
            |from: usize| head.get(from..from + 8).map_or(0, |bytes| u64::from_le_bytes(array(bytes)));
        let counts = [count(32), count(40)];
        let bytes = counts[0].checked_add(counts[1]).and_then(|count| count.checked_mul(RECORD_BYTES as u64));
        let bytes = bytes.and_then(|bytes| bytes.checked_add(HEADER_BYTES as u64));
        if head != header(cube, commitments, counts) || bytes != Some(source.bytes()) {
            return Err(content("it belongs to another cost cube"));
        }
        let commitments = u32::try_from(commitments).unwrap_or(u32::MAX);
        let mut stored = Self { source, parts: counts[0], commitments, used: Vec::new() };
        stored.used = stored.read_used(counts[1])?;
        Ok(stored)
    }

    fn read_used(&self, count: u64) -> Result<Vec<UsedHour>, CubeFileError> {
        let mut used: Vec<UsedHour> = Vec::new();
        self.each_record(self.parts..self.parts + count, |record| {
            let place = (u32::from_le_bytes(array(&record[..4])), u32::from_le_bytes(array(&record[4..8])));
            let taken = Capacity::from_units(i128::from_le_bytes(array(&record[8..])));
            let taken = taken.map_err(|error| content(format!("an amount is {error}")))?;
            let follows = used.last().is_none_or(|(last, _)| *last < place);
            if place.0 >= self.commitments || taken < Capacity::ZERO || !follows {
                return Err(content("its hours are not in order"));
            }
            used.push((place, taken));
            Ok(())
        })?;
        Ok(used)
    }

    /// The covered parts of some rows of a file, by row and then in the order in which they were covered.
    ///
    /// # Errors
    /// [`CubeFileError`].
    pub fn of_rows(&self, file: u32, rows: Range<u64>) -> Result<Vec<CoveredPartOfLine>, CubeFileError> {
        let begin = self.first_at((file, rows.start))?;
        let end = self.first_at((file, rows.end))?;
        let mut parts: Vec<CoveredPartOfLine> = Vec::new();
        self.each_record(begin..end, |record| {
            let usage = i64::from_le_bytes(array(&record[16..]));
            let part = CoveredPartOfLine {
                file: u32::from_le_bytes(array(&record[..4])),
                row: u64::from_le_bytes(array(&record[8..16])),
                commitment: u32::from_le_bytes(array(&record[4..8])),
                usage: Quantity::from_units(i128::from(usage)).unwrap_or_default(),
            };
            let follows = parts.last().is_none_or(|last| last.row <= part.row);
            let is_of_rows = part.file == file && rows.contains(&part.row);
            if part.commitment >= self.commitments || usage <= 0 || !follows || !is_of_rows {
                return Err(content("its lines are not in order"));
            }
            parts.push(part);
            Ok(())
        })?;
        Ok(parts)
    }

    /// How far a commitment is used in some hours of the month.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn used(&self, commitment: u32, hours: &Range<u32>) -> Result<Capacity, DecimalError> {
        let begin = self.used.partition_point(|(place, _)| *place < (commitment, hours.start));
        let of_hours = self.used[begin..].iter().take_while(|(place, _)| *place < (commitment, hours.end));
        of_hours.map(|(_, used)| *used).try_fold(Capacity::ZERO, Capacity::plus)
    }

    /// The first covered part of a row of a file or of a later one, by number.
    fn first_at(&self, place: (u32, u64)) -> Result<u64, CubeFileError> {
        let (mut low, mut high) = (0, self.parts);
        while low < high {
            let middle = low + (high - low) / 2;
            let record = self.source.get_bytes(offset(middle), RECORD_BYTES)?;
            let of_record =
                (u32::from_le_bytes(array(&record[..4])), u64::from_le_bytes(array(&record[8..16])));
            (low, high) = if of_record < place { (middle + 1, high) } else { (low, middle) };
        }
        Ok(low)
    }

    fn each_record(
        &self,
        records: Range<u64>,
        mut give: impl FnMut(&[u8; RECORD_BYTES]) -> Result<(), CubeFileError>,
    ) -> Result<(), CubeFileError> {
        let mut from = records.start;
        while from < records.end {
            let count = (records.end - from).min(RECORDS_AT_ONCE);
            // Some thousand records.
            let bytes = self.source.get_bytes(offset(from), count as usize * RECORD_BYTES)?;
            bytes.as_chunks().0.iter().try_for_each(&mut give)?;
            from += count;
        }
        Ok(())
    }
}

const fn offset(record: u64) -> u64 {
    HEADER_BYTES as u64 + record * RECORD_BYTES as u64
}

/// Bytes of a record or the header as a number's; all zero where there are not as many.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().unwrap_or([0; N])
}

#[cfg(test)]
mod tests;
