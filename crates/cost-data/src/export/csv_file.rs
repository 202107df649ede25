//! A group's rows as a CSV file, gzip.

use super::group_rows::{Chunk, Column, Numbering};
use super::output::Output;
use super::treatment::Kind;
use crate::number;
use chrono::DateTime;
use csv::Writer;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter};

/// How many rows are put together at once.
pub const CHUNK_ROWS: usize = 16_384;

/// A file that is being written. Its gzip header has no time and no name, so the same rows have the same bytes.
pub struct CsvFile<'o> {
    writer: Writer<GzEncoder<BufWriter<File>>>,
    /// The columns and whether this file has them.
    outputs: Vec<(&'o Output, bool)>,
}

impl<'o> CsvFile<'o> {
    /// Begins a file with its header.
    pub fn new(file: File, outputs: Vec<(&'o Output, bool)>) -> io::Result<Self> {
        let mut writer = Writer::from_writer(GzEncoder::new(BufWriter::new(file), Compression::default()));
        let header = outputs.iter().filter(|(_, written)| *written).map(|(output, _)| output.name.as_str());
        writer.write_record(header)?;
        Ok(Self { writer, outputs })
    }

    /// Writes a chunk.
    pub fn write(&mut self, chunk: &Chunk, numbering: &mut Numbering<'_>) -> io::Result<()> {
        let rows = chunk.rows();
        let mut taken = chunk.columns();
        let mut columns: Vec<Vec<Cow<'_, str>>> = Vec::new();
        for (output, written) in &self.outputs {
            let is_text = !matches!(output.kind, Kind::Number | Kind::Time);
            let lost = || io::Error::other("the scratch file does not hold what was written");
            let column = taken.take(numbering, is_text).ok_or_else(lost)?;
            if *written {
                columns.push(fields(output.kind, column));
            }
        }
        self.write_fields(rows, &columns)
    }

    /// Writes some rows of columns: one for each of the file's.
    pub fn write_columns(&mut self, rows: usize, columns: Vec<Column<'_>>) -> io::Result<()> {
        let outputs = self.outputs.iter().map(|(output, _)| output);
        let columns: Vec<_> =
            outputs.zip(columns).map(|(output, column)| fields(output.kind, column)).collect();
        self.write_fields(rows, &columns)
    }

    fn write_fields(&mut self, rows: usize, columns: &[Vec<Cow<'_, str>>]) -> io::Result<()> {
        for row in 0..rows {
            self.writer.write_record(columns.iter().map(|column| column[row].as_bytes()))?;
        }
        Ok(())
    }

    /// Ends the file; gives its size.
    pub fn finish(self) -> io::Result<u64> {
        let packed = self.writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
        let file = packed.finish()?.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
        Ok(file.metadata()?.len())
    }
}

/// A column's fields; no value is an empty field.
fn fields<'a>(kind: Kind, column: Column<'a>) -> Vec<Cow<'a, str>> {
    match column {
        Column::Texts { distinct, places } => {
            let text = |place: Option<u32>| {
                place.map_or(Cow::Borrowed(""), |place| {
                    // Texts were checked when they were read.
                    String::from_utf8_lossy(distinct[place as usize])
                })
            };
            places.into_iter().map(text).collect()
        }
        Column::Words(words) => {
            let mut known: BTreeMap<u64, String> = BTreeMap::new();
            let mut field = |word: u64| match known.get(&word) {
                Some(text) => text.clone(),
                None => {
                    let text = if kind == Kind::Time { instant(word) } else { number::text_of_bits(word) };
                    if known.len() < 64 {
                        known.insert(word, text.clone());
                    }
                    text
                }
            };
            words.into_iter().map(|word| word.map_or(Cow::Borrowed(""), |word| field(word).into())).collect()
        }
    }
}

/// An instant as AWS writes it: `2026-10-01T00:00:00.000Z`.
fn instant(milliseconds: u64) -> String {
    let instant = DateTime::from_timestamp_millis(milliseconds.cast_signed());
    instant.map(|at| at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()).unwrap_or_default()
}
