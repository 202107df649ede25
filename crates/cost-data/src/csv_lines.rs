//! CSV cost files, plain, gzip or zip.
//!
//! RFC 4180 by the `csv` crate, with the checks it leaves to others: quotes that do not enclose a whole field, and
//! decompression beyond measure. An empty field is null.

use crate::batch::{self, Batch, Columns, Numbers, Place, Reject, RowNotes};
use crate::codes::{Bound, Codes};
use crate::days::{Days, hour_of};
use crate::diagnostics::Diagnostic;
use crate::diagnostics::HINT_BROKEN;
use crate::dimensions::{self, DimensionColumn};
use crate::layout::{self, Layout, LayoutError};
use crate::limits::{
    BATCH_BYTES, BATCH_ROWS, EXPANSION_FREE_BYTES, EXPANSION_RATIO_MAX, RECORD_BYTES_MAX, TEXT_BYTES_MAX,
};
use crate::number;
use crate::source::{Source, SourceReader};
use crate::timestamp;
use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};
use flate2::CrcReader;
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use std::cell::Cell;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::rc::Rc;

/// A CSV cost file whose header has been read.
pub struct CsvFile {
    pub layout: Layout,
    reader: Reader<Box<dyn Read>>,
    watch: Rc<Watch>,
    header_bytes: Vec<Vec<u8>>,
    rows: u64,
}

/// Why a CSV file is not read.
pub enum Refused {
    /// What it holds is not what is read here.
    Layout(LayoutError),
    /// It has nothing at all in it.
    Empty,
    /// It is broken.
    Broken { row: Option<u64>, reason: String },
}

/// A refusal as a message.
pub fn diagnostic(refused: Refused, name: &str) -> Diagnostic {
    match refused {
        Refused::Broken { row, reason } => {
            Diagnostic { row, ..Diagnostic::file(name, reason) }.hint(HINT_BROKEN)
        }
        Refused::Layout(error) => Diagnostic::file(name, error.to_string()),
        Refused::Empty => Diagnostic::file(name, "is empty"),
    }
}

/// What is known of the bytes that the CSV parser has taken.
#[derive(Default)]
struct Watch {
    bytes: Cell<u64>,
    record_start: Cell<u64>,
}

struct Watched<R> {
    inner: R,
    watch: Rc<Watch>,
    bytes_max: u64,
    quotes: Quotes,
    /// Whether the next byte is one that no CSV file has there.
    at_stray_quote: bool,
}

/// Where quotes may stand: around a whole field, and in pairs inside.
#[derive(Default)]
struct Quotes {
    inside: bool,
    before: Option<u8>,
}

impl Quotes {
    /// Follows some bytes; the place of the first that may not stand where it does.
    fn stray(&mut self, bytes: &[u8]) -> Option<usize> {
        let ends_field = |byte: u8| matches!(byte, b',' | b'\n' | b'\r');
        let follows_quote = |byte: u8| ends_field(byte) || byte == b'"';
        let first = *bytes.first()?;
        if !self.inside && self.before == Some(b'"') && !follows_quote(first) {
            return Some(0);
        }
        let mut from = 0;
        while let Some(found) = bytes[from..].iter().position(|byte| *byte == b'"') {
            let place = from + found;
            if self.inside {
                if bytes.get(place + 1).is_some_and(|next| !follows_quote(*next)) {
                    return Some(place + 1);
                }
            } else {
                let before = place.checked_sub(1).map_or(self.before, |before| Some(bytes[before]));
                // After a quote this one makes a pair; before the first field there may be a byte order mark.
                if before.is_some_and(|before| !follows_quote(before) && before != 0xbf) {
                    return Some(place);
                }
            }
            self.inside = !self.inside;
            from = place + 1;
        }
        self.before = bytes.last().copied();
        None
    }
}

impl<R: Read> Read for Watched<R> {
    /// Hands on the bytes before a stray quote first, so that the parser fails in the very record that has it.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at_stray_quote {
            return Err(io::Error::other("a quote that does not enclose the whole field"));
        }
        let mut count = self.inner.read(buffer)?;
        if count == 0 && self.quotes.inside {
            return Err(io::Error::other("a quote that is never closed"));
        }
        if let Some(place) = self.quotes.stray(&buffer[..count]) {
            self.at_stray_quote = true;
            count = place;
        }
        let watch = &self.watch;
        watch.bytes.set(watch.bytes.get() + count as u64);
        if watch.bytes.get() > self.bytes_max {
            return Err(io::Error::other(format!("decompresses to more than {} bytes", self.bytes_max)));
        }
        if watch.bytes.get() - watch.record_start.get() > RECORD_BYTES_MAX {
            return Err(io::Error::other(format!(
                "a record of more than {RECORD_BYTES_MAX} bytes; a quote that is never closed?"
            )));
        }
        Ok(count)
    }
}

/// The bytes of the text inside whatever wraps it.
pub fn text_of(source: &Source) -> Result<(Box<dyn Read>, bool), String> {
    let failed = |error: io::Error| format!("cannot be read: {error}");
    let mut file = source.reader();
    let mut magic = [0; 4];
    let mut filled = 0;
    while filled < magic.len() {
        match file.read(&mut magic[filled..]).map_err(failed)? {
            0 => break,
            count => filled += count,
        }
    }
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    if magic.starts_with(&[0x1f, 0x8b]) {
        return Ok((Box::new(MultiGzDecoder::new(BufReader::new(file))), true));
    }
    if &magic == b"PK\x03\x04" {
        return Ok((Box::new(zip_entry(source)?), true));
    }
    Ok((Box::new(BufReader::new(file)), false))
}

/// The one file of a zip archive, decompressed as it is read and checked against its sum at the end.
fn zip_entry(source: &Source) -> Result<ZipEntry, String> {
    let broken = |error: zip::result::ZipError| format!("not a readable zip archive: {error}");
    let failed = |error: io::Error| format!("cannot be read: {error}");
    let mut archive = zip::ZipArchive::new(BufReader::new(source.reader())).map_err(broken)?;
    let mut entries = Vec::new();
    for number in 0..archive.len() {
        let entry = archive.by_index_raw(number).map_err(broken)?;
        if entry.encrypted() {
            return Err("an encrypted zip archive".to_owned());
        }
        if entry.is_file() {
            let start = entry.data_start().ok_or_else(|| "not a readable zip archive: no data".to_owned())?;
            entries.push((start, entry.compressed_size(), entry.crc32(), entry.compression()));
        }
    }
    let [(start, bytes, crc, compression)] = entries.as_slice() else {
        return Err(format!("a zip archive with {} files; AWS puts one CSV file into one", entries.len()));
    };
    let mut content: BufReader<SourceReader> = BufReader::new(source.reader());
    content.seek(SeekFrom::Start(*start)).map_err(failed)?;
    let content = content.take(*bytes);
    let inner: Box<dyn Read> = match *compression {
        zip::CompressionMethod::Stored => Box::new(content),
        zip::CompressionMethod::Deflated => Box::new(DeflateDecoder::new(content)),
        other => return Err(format!("a zip archive compressed by {other}, which is not read")),
    };
    Ok(ZipEntry { inner: CrcReader::new(inner), crc: *crc })
}

struct ZipEntry {
    inner: CrcReader<Box<dyn Read>>,
    crc: u32,
}

impl Read for ZipEntry {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if count == 0 && !buffer.is_empty() && self.inner.crc().sum() != self.crc {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the zip archive's checksum does not fit",
            ));
        }
        Ok(count)
    }
}

/// A problem of the file's bytes as a refusal.
fn broken(reason: impl Into<String>) -> Refused {
    Refused::Broken { row: None, reason: reason.into() }
}

impl CsvFile {
    /// Reads the header.
    pub fn open(file: &Source) -> Result<Self, Refused> {
        let (text, compressed) = text_of(file).map_err(broken)?;
        let allowed = EXPANSION_FREE_BYTES.saturating_add(file.bytes().saturating_mul(EXPANSION_RATIO_MAX));
        let bytes_max = if compressed { allowed } else { u64::MAX };
        let watch = Rc::new(Watch::default());
        let watched: Box<dyn Read> = Box::new(Watched {
            inner: text,
            watch: Rc::clone(&watch),
            bytes_max,
            quotes: Quotes::default(),
            at_stray_quote: false,
        });
        let mut reader = ReaderBuilder::new().has_headers(false).from_reader(watched);
        let mut header = ByteRecord::new();
        let more = reader.read_byte_record(&mut header).map_err(|error| broken(csv_reason(&error)))?;
        if !more {
            return Err(Refused::Empty);
        }
        let mut names: Vec<String> =
            header.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        if let Some(first) = names.first_mut() {
            *first = first.trim_start_matches('\u{feff}').to_owned();
        }
        let layout = layout::detect(&names).map_err(Refused::Layout)?;
        let header_bytes = header.iter().map(<[u8]>::to_vec).collect();
        Ok(Self { layout, reader, watch, header_bytes, rows: 0 })
    }

    /// The next batch; `None` at the end.
    pub fn next(
        &mut self,
        file: usize,
        columns: &Columns,
        period: &Range<i64>,
    ) -> Option<Result<Batch, Refused>> {
        Some(self.next_with_records(file, columns, period)?.map(|(batch, _)| batch))
    }

    /// The next batch, and the records with all of their fields.
    pub fn next_with_records(
        &mut self,
        file: usize,
        columns: &Columns,
        period: &Range<i64>,
    ) -> Option<Result<(Batch, Vec<ByteRecord>), Refused>> {
        let mut lines = Vec::with_capacity(BATCH_ROWS);
        let place = Place { file, row_group: None, row: self.rows };
        let mut bytes = 0;
        while lines.len() < BATCH_ROWS && bytes < BATCH_BYTES {
            let mut line = ByteRecord::new();
            self.watch.record_start.set(self.watch.bytes.get());
            match self.reader.read_byte_record(&mut line) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    return Some(Err(Refused::Broken {
                        row: Some(self.rows + 1),
                        reason: csv_reason(&error),
                    }));
                }
            }
            self.rows += 1;
            if line.iter().eq(self.header_bytes.iter().map(Vec::as_slice)) {
                let reason = "the header again: two files in one".to_owned();
                return Some(Err(Refused::Broken { row: Some(self.rows), reason }));
            }
            bytes += line.as_slice().len();
            lines.push(line);
        }
        if lines.is_empty() {
            return None;
        }
        let mut lines = Lines { lines, rejects: Vec::new(), notes: RowNotes::default() };
        Some(Ok((batch::assemble(&mut lines, place, columns, period), lines.lines)))
    }
}

fn csv_reason(error: &csv::Error) -> String {
    match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} fields where the header has {expected_len}")
        }
        ErrorKind::Io(error) => error.to_string(),
        _ => error.to_string(),
    }
}

struct Lines {
    lines: Vec<ByteRecord>,
    rejects: Vec<Reject>,
    notes: RowNotes,
}

impl batch::Lines for Lines {
    const ALL_AT_HAND: bool = true;

    fn rows(&self) -> usize {
        self.lines.len()
    }

    fn in_period(&mut self, column: Bound, period: &Range<i64>) -> Option<Vec<bool>> {
        self.period_mask(column, period)
    }

    fn days(&self, column: Bound, period: &Range<i64>) -> Days {
        Days::from_instants((0..self.lines.len()).map(|row| self.instant(column.place, row)), period)
    }

    fn hours(&self, [start, end]: [Bound; 2], period: &Range<i64>) -> Vec<u16> {
        let instant = |column: Bound, row| self.instant(column.place, row);
        (0..self.lines.len()).map(|row| hour_of(instant(start, row), instant(end, row), period)).collect()
    }

    fn dimension(&mut self, column: &DimensionColumn) -> Codes {
        let codes = self.codes(column.place, &column.name);
        if column.in_map { dimensions::from_json_maps(&codes, &column.name) } else { codes }
    }

    fn texts(&mut self, column: Bound) -> Codes {
        self.codes(column.place, column.name)
    }

    fn amounts(&mut self, column: Bound) -> Numbers {
        self.numbers(column.place, column.name)
    }

    fn note_in(&mut self, notes: RowNotes) {
        self.notes = notes;
    }

    fn findings(&mut self) -> (Vec<Reject>, RowNotes) {
        (std::mem::take(&mut self.rejects), std::mem::take(&mut self.notes))
    }
}

impl Lines {
    fn field(&self, at: usize, row: usize) -> &[u8] {
        self.lines[row].get(at).unwrap_or_default()
    }

    fn codes(&mut self, at: usize, name: &str) -> Codes {
        for row in 0..self.lines.len() {
            let field = self.field(at, row);
            let text = String::from_utf8_lossy(field);
            let reason = if field.len() > TEXT_BYTES_MAX {
                format!("longer than {TEXT_BYTES_MAX} bytes")
            } else if std::str::from_utf8(field).is_err() {
                "not valid UTF-8".to_owned()
            } else {
                continue;
            };
            let reject = Reject::new(row, name, Some(&text), reason);
            self.rejects.push(reject);
        }
        let text = |row| std::str::from_utf8(self.field(at, row)).ok().filter(|text| !text.is_empty());
        Codes::from_texts((0..self.lines.len()).map(text))
    }

    fn numbers(&mut self, at: usize, name: &str) -> Numbers {
        let mut numbers = Numbers { units: vec![0; self.lines.len()], ..Numbers::default() };
        let valid: Vec<bool> = (0..self.lines.len()).map(|row| !self.field(at, row).is_empty()).collect();
        for row in (0..self.lines.len()).filter(|row| valid[*row]) {
            let text = String::from_utf8_lossy(self.lines[row].get(at).unwrap_or_default());
            match number::units_of_text(&text, self.notes.of_row(row)) {
                Ok(units) => numbers.set(row, units),
                Err(error) => self.rejects.push(Reject::new(row, name, Some(&text), error.to_string())),
            }
        }
        numbers.nulls = valid.contains(&false).then(|| valid.into());
        numbers
    }

    fn instant(&self, at: usize, row: usize) -> Option<i64> {
        timestamp::seconds(std::str::from_utf8(self.field(at, row)).ok()?)
    }

    fn period_mask(&mut self, column: Bound, period: &Range<i64>) -> Option<Vec<bool>> {
        let mut mask = Vec::with_capacity(self.lines.len());
        for row in 0..self.lines.len() {
            let instant = self.instant(column.place, row);
            if instant.is_none() {
                let text = String::from_utf8_lossy(self.field(column.place, row)).into_owned();
                let reason = "not a readable billing period start";
                self.rejects.push(Reject::new(row, column.name, Some(&text), reason));
            }
            mask.push(instant.is_none_or(|seconds| period.contains(&seconds)));
        }
        Some(mask)
    }
}
