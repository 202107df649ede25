//! The lines of a batch with all their columns, whatever file they come from.

use super::treatment::Kind;
use crate::batch::Reject;
use crate::codes::Codes;
use crate::number;
use crate::parquet_lines;
use crate::timestamp;
use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type};
use arrow_array::{Array, ArrayRef, MapArray, RecordBatch, StringArray};
use arrow_buffer::NullBuffer;
use csv::ByteRecord;
use foldhash::fast::FixedState;
use std::collections::{BTreeMap, HashMap};

/// Lines as they were decoded.
pub enum SourceRows {
    /// A record of some columns of a Parquet file, and which they are.
    Parquet(RecordBatch, Vec<usize>),
    /// Records of a CSV file.
    Csv(Vec<ByteRecord>),
}

/// A column's values, row by row.
pub enum Values {
    /// Texts, maps as JSON.
    Text(Codes),
    /// Doubles by their bits, or milliseconds; and which rows have one.
    Words(Vec<u64>, Option<NullBuffer>),
}

impl SourceRows {
    /// The values of a column of the file as a kind. A value that is not of the kind is none.
    pub fn values(&self, place: usize, kind: Kind) -> Option<Values> {
        match self {
            Self::Parquet(record, places) => {
                let array = record.column(places.binary_search(&place).ok()?);
                parquet_values(array, kind)
            }
            Self::Csv(lines) => Some(csv_values(lines, place, kind)),
        }
    }
}

fn csv_values(lines: &[ByteRecord], place: usize, kind: Kind) -> Values {
    let text = |line: &ByteRecord| -> Option<String> {
        let field = line.get(place).filter(|field| !field.is_empty())?;
        Some(String::from_utf8_lossy(field).into_owned())
    };
    match kind {
        Kind::Text | Kind::Map | Kind::NumberMap => {
            let field = |line| -> Option<&str> {
                let field: &[u8] = ByteRecord::get(line, place)?;
                std::str::from_utf8(field).ok().filter(|text| !text.is_empty())
            };
            Values::Text(Codes::from_texts(lines.iter().map(field)))
        }
        Kind::Number => words(lines.len(), |row| number::bits_of_text(&text(&lines[row])?)),
        Kind::Time => words(lines.len(), |row| milliseconds(timestamp::seconds(&text(&lines[row])?)?)),
    }
}

fn milliseconds(seconds: i64) -> Option<u64> {
    Some(seconds.checked_mul(1_000)?.cast_unsigned())
}

fn words(rows: usize, word: impl Fn(usize) -> Option<u64>) -> Values {
    let found: Vec<Option<u64>> = (0..rows).map(word).collect();
    let nulls = found.iter().any(Option::is_none).then(|| found.iter().map(Option::is_some).collect());
    Values::Words(found.into_iter().map(|word| word.unwrap_or(0)).collect(), nulls)
}

fn parquet_values(array: &ArrayRef, kind: Kind) -> Option<Values> {
    match kind {
        Kind::Text => Some(Values::Text(text_codes(array)?)),
        Kind::Map | Kind::NumberMap => Some(Values::Text(match array.as_map_opt() {
            Some(map) => map_codes(map)?,
            None => text_codes(array)?,
        })),
        Kind::Number => {
            if let Some(doubles) = array.as_primitive_opt::<Float64Type>() {
                let words = doubles.values().iter().map(|x| x.to_bits()).collect();
                let nulls = doubles.nulls().filter(|nulls| nulls.null_count() > 0).cloned();
                return Some(Values::Words(words, nulls));
            }
            let codes = text_codes(array)?;
            let bits: Vec<Option<u64>> =
                codes.values.iter().map(|text| text.and_then(number::bits_of_text)).collect();
            Some(words(array.len(), |row| bits[codes.place(row)?]))
        }
        Kind::Time => {
            let mut found = vec![None; array.len()];
            parquet_lines::each_instant(array, |row, instant| {
                found[row] = instant.ok().and_then(milliseconds);
            });
            Some(words(array.len(), |row| found[row]))
        }
    }
}

/// A text column, or the texts of a column of numbers.
fn text_codes(array: &ArrayRef) -> Option<Codes> {
    if let Some(codes) = array.as_dictionary_opt::<Int32Type>() {
        return Codes::from_dictionary(codes);
    }
    if array.as_map_opt().is_some() {
        return None;
    }
    let mut rejects: Vec<Reject> = Vec::new();
    Some(parquet_lines::number_codes(array, "", &mut rejects))
}

/// Maps as canonical JSON texts: each distinct map is written once.
fn map_codes(maps: &MapArray) -> Option<Codes> {
    let (keys, values) = (maps.keys().as_string_opt::<i32>()?, maps.values().as_string_opt::<i32>()?);
    let offsets = maps.value_offsets();
    let mut known: HashMap<Vec<u8>, i32, FixedState> = HashMap::with_hasher(FixedState::with_seed(0));
    let mut texts: Vec<String> = Vec::new();
    let (mut numbers, mut raw) = (Vec::with_capacity(maps.len()), Vec::new());
    for row in 0..maps.len() {
        let entries = usize::try_from(offsets[row]).ok()?..usize::try_from(offsets[row + 1]).ok()?;
        if maps.is_null(row) {
            numbers.push(None);
            continue;
        }
        raw.clear();
        for entry in entries.clone() {
            for text in [keys.value(entry), if values.is_null(entry) { "\u{0}" } else { values.value(entry) }]
            {
                raw.extend_from_slice(&(text.len() as u64).to_le_bytes());
                raw.extend_from_slice(text.as_bytes());
            }
        }
        let number = match known.get(raw.as_slice()) {
            Some(number) => *number,
            None => {
                let map: BTreeMap<&str, Option<&str>> = entries
                    .map(|entry| (keys.value(entry), values.is_valid(entry).then(|| values.value(entry))))
                    .collect();
                texts.push(serde_json::to_string(&map).ok()?);
                let number = i32::try_from(texts.len() - 1).ok()?;
                known.insert(raw.clone(), number);
                number
            }
        };
        numbers.push(Some(number));
    }
    let nulls = numbers.iter().any(Option::is_none).then(|| numbers.iter().map(Option::is_some).collect());
    let keys: Vec<i32> = numbers.into_iter().map(|number| number.unwrap_or(0)).collect();
    Some(Codes { keys: keys.into(), nulls, values: StringArray::from(texts) })
}

/// The same texts with each changed, or left out.
pub fn changed(codes: &Codes, mut change: impl FnMut(&str) -> Option<String>) -> Codes {
    let mut builder = StringDictionaryBuilder::<Int32Type>::new();
    let values: Vec<Option<String>> = codes.values.iter().map(|text| text.and_then(&mut change)).collect();
    for row in 0..codes.keys.len() {
        builder.append_option(codes.place(row).and_then(|place| values[place].as_deref()));
    }
    let array = builder.finish();
    Codes::from_dictionary(&array).unwrap_or_else(|| codes.clone())
}
