//! A Parquet column chunk from values that are numbered already.
//!
//! The library's own writer hashes every value of every row to find its dictionary. Here the rows come with the numbers of their
//! values in a dictionary that holds those values and no others, so a row costs a few bits. Pages are data pages of
//! version 1, snappy, as AWS writes them; there are no statistics. Same values, same bytes.

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

/// How many rows a page has at most.
const PAGE_ROWS: usize = 32_768;

/// The values of a leaf column that are there, in order.
pub enum Values<'a> {
    /// Numbers into distinct texts, in the order of their first use.
    Numbered { numbers: &'a [u32], distinct: &'a [&'a [u8]] },
    /// Texts that seldom repeat.
    Texts(&'a [&'a [u8]]),
    /// Eight bytes each: doubles by their bits, or milliseconds.
    Words(&'a [u64]),
}

/// A leaf column of some rows.
pub struct Leaf<'a> {
    /// How deep each entry is in repeated fields; empty where nothing repeats: then every entry is a row.
    pub repetition: &'a [u32],
    /// How much of each entry's path is there; below the column's maximum there is no value.
    pub definition: &'a [u32],
    /// The values of the entries that have one.
    pub values: Values<'a>,
}

/// Encodes a column chunk.
///
/// # Errors
/// A page beyond what Parquet can hold.
pub fn encode(column: &ColumnDescPtr, leaf: &Leaf<'_>) -> Result<(Bytes, ColumnCloseResult)> {
    let mut sink = TrackedWrite::new(Vec::new());
    let mut writer =
        ChunkWriter { pages: SerializedPageWriter::new(&mut sink), uncompressed: 0, compressed: 0 };
    let mut dictionary_offset = None;
    if let Values::Numbered { distinct, .. } = &leaf.values {
        dictionary_offset = Some(writer.dictionary(distinct)?);
    }
    let (maximum, repeats) = (u32::try_from(column.max_def_level()).unwrap_or(0), column.max_rep_level() > 0);
    let (mut first_page, mut entry, mut value) = (None, 0, 0);
    // A column without rows still has a page, so that its offset names one.
    while entry < leaf.definition.len() || first_page.is_none() {
        let end = page_end(leaf, entry);
        let definition = &leaf.definition[entry..end];
        let values = value..value + definition.iter().filter(|level| **level == maximum).count();
        let mut content = Vec::new();
        if repeats {
            put_levels(&leaf.repetition[entry..end], column.max_rep_level(), &mut content);
        }
        if maximum > 0 {
            put_levels(definition, column.max_def_level(), &mut content);
        }
        let encoding = put_values(&leaf.values, values.clone(), &mut content);
        let offset = writer.data(content, definition.len(), encoding)?;
        first_page.get_or_insert(offset);
        (entry, value) = (end, values.end);
    }
    let (uncompressed, compressed) = (writer.uncompressed, writer.compressed);
    let encodings = match leaf.values {
        Values::Numbered { .. } => vec![Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY],
        _ => vec![Encoding::PLAIN, Encoding::RLE],
    };
    let metadata = ColumnChunkMetaData::builder(column.clone())
        .set_compression(Compression::SNAPPY)
        .set_encodings(encodings)
        .set_total_compressed_size(compressed)
        .set_total_uncompressed_size(uncompressed)
        .set_num_values(i64::try_from(leaf.definition.len()).unwrap_or(i64::MAX))
        .set_data_page_offset(first_page.unwrap_or(0))
        .set_dictionary_page_offset(dictionary_offset)
        .build()?;
    let rows = if repeats { starts(leaf.repetition) } else { leaf.definition.len() };
    let close = ColumnCloseResult {
        bytes_written: u64::try_from(compressed).unwrap_or(0),
        rows_written: rows as u64,
        metadata,
        bloom_filter: None,
        column_index: None,
        offset_index: None,
    };
    Ok((sink.into_inner()?.into(), close))
}

/// How many rows begin in some entries.
fn starts(repetition: &[u32]) -> usize {
    repetition.iter().filter(|level| **level == 0).count()
}

/// The entry after the last of the page that begins at `entry`: a page has whole rows.
fn page_end(leaf: &Leaf<'_>, entry: usize) -> usize {
    let all = leaf.definition.len();
    if leaf.repetition.is_empty() {
        return all.min(entry + PAGE_ROWS);
    }
    let rest = leaf.repetition[entry..].iter().enumerate().filter(|(_, level)| **level == 0);
    rest.map(|(place, _)| entry + place).nth(PAGE_ROWS).unwrap_or(all)
}

struct ChunkWriter<'a> {
    pages: SerializedPageWriter<'a, Vec<u8>>,
    uncompressed: i64,
    compressed: i64,
}

impl ChunkWriter<'_> {
    /// Writes the dictionary page; gives its offset.
    fn dictionary(&mut self, distinct: &[&[u8]]) -> Result<i64> {
        let mut content = Vec::with_capacity(distinct.iter().map(|text| text.len() + 4).sum());
        distinct.iter().for_each(|text| put_text(text, &mut content));
        let num_values = entries(distinct.len())?;
        self.write(content, |buf| Page::DictionaryPage {
            buf,
            num_values,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        })
    }

    /// Writes a data page; gives its offset.
    fn data(&mut self, content: Vec<u8>, count: usize, encoding: Encoding) -> Result<i64> {
        let num_values = entries(count)?;
        self.write(content, |buf| Page::DataPage {
            buf,
            num_values,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        })
    }

    fn write(&mut self, content: Vec<u8>, page: impl FnOnce(Bytes) -> Page) -> Result<i64> {
        let failed =
            |error: snap::Error| ParquetError::General(format!("a page cannot be compressed: {error}"));
        let packed = snap::raw::Encoder::new().compress_vec(&content).map_err(failed)?;
        let spec = self.pages.write_page(CompressedPage::new(page(packed.into()), content.len()))?;
        self.uncompressed += spec.uncompressed_size as i64;
        self.compressed += spec.compressed_size as i64;
        Ok(i64::try_from(spec.offset).unwrap_or(i64::MAX))
    }
}

fn entries(count: usize) -> Result<u32> {
    let too_many = |_| ParquetError::General(format!("{count} values in one page"));
    i32::try_from(count).map(i32::unsigned_abs).map_err(too_many)
}

fn put_text(text: &[u8], content: &mut Vec<u8>) {
    // A text of a cost file is far below 4 GiB.
    content.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
    content.extend_from_slice(text);
}

/// Puts some values into a page; gives how.
fn put_values(values: &Values<'_>, range: std::ops::Range<usize>, content: &mut Vec<u8>) -> Encoding {
    match values {
        Values::Numbered { numbers, distinct } => {
            // One bit at least: some readers stumble over none.
            let width = bits(distinct.len().saturating_sub(1)).max(1);
            content.push(width);
            put_hybrid(&numbers[range], width, content);
            return Encoding::RLE_DICTIONARY;
        }
        Values::Texts(texts) => texts[range].iter().for_each(|text| put_text(text, content)),
        Values::Words(words) => {
            content.reserve(8 * range.len());
            words[range].iter().for_each(|word| content.extend_from_slice(&word.to_le_bytes()));
        }
    }
    Encoding::PLAIN
}

/// How many bits a number needs.
fn bits(number: usize) -> u8 {
    // At most 64.
    (usize::BITS - number.leading_zeros()) as u8
}

/// Levels with their length before them.
fn put_levels(levels: &[u32], maximum: i16, content: &mut Vec<u8>) {
    let at = content.len();
    content.extend_from_slice(&[0; 4]);
    put_hybrid(levels, bits(maximum.unsigned_abs().into()), content);
    let length = u32::try_from(content.len() - at - 4).unwrap_or(u32::MAX);
    content[at..at + 4].copy_from_slice(&length.to_le_bytes());
}

/// From how many equal numbers on they are written as a run.
const RUN: usize = 8;

/// Parquet's hybrid of runs and bit packing.
fn put_hybrid(numbers: &[u32], width: u8, content: &mut Vec<u8>) {
    let (mut packed_from, mut at) = (0, 0);
    while at < numbers.len() {
        let number = numbers[at];
        let run = numbers[at..].iter().take_while(|other| **other == number).count();
        // Packed numbers come in eights: those before the run borrow from it.
        let borrowed = (at - packed_from).next_multiple_of(8) - (at - packed_from);
        if run >= borrowed + RUN {
            put_packed(&numbers[packed_from..at + borrowed], width, content);
            put_varint((run - borrowed) << 1, content);
            content.extend_from_slice(&number.to_le_bytes()[..usize::from(width).div_ceil(8)]);
            packed_from = at + run;
        }
        at += run;
    }
    put_packed(&numbers[packed_from..], width, content);
}

fn put_packed(numbers: &[u32], width: u8, content: &mut Vec<u8>) {
    if numbers.is_empty() {
        return;
    }
    put_varint(numbers.len().div_ceil(8) << 1 | 1, content);
    let (mut word, mut filled) = (0_u64, 0_u32);
    let mut put = |number: u32, content: &mut Vec<u8>| {
        word |= u64::from(number) << filled;
        filled += u32::from(width);
        while filled >= 8 {
            content.push((word & 0xff) as u8);
            word >>= 8;
            filled -= 8;
        }
    };
    numbers.iter().for_each(|number| put(*number, content));
    // Eight numbers fill whole bytes.
    (numbers.len()..numbers.len().next_multiple_of(8)).for_each(|_| put(0, content));
}

fn put_varint(mut number: usize, content: &mut Vec<u8>) {
    while number >= 0x80 {
        content.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    content.push(number as u8);
}
