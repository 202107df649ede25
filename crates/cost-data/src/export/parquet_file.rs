//! A group's rows as a Parquet file.

use super::chunk::{self, Leaf, Values};
use super::group_rows::{Chunk, Column, Numbering};
use super::output::Output;
use super::treatment::Kind;
use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnDescPtr, Type, TypePtr};
use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;

/// How many rows a row group has at most.
pub const ROW_GROUP_ROWS: usize = 131_072;
/// Who a file says has made it.
const CREATED_BY: &str = concat!("proforma ", env!("CARGO_PKG_VERSION"));
/// A dictionary beyond this is worth its place only if its texts repeat.
const DICTIONARY_BYTES: usize = 1 << 20;

/// A file that is being written.
pub struct ParquetFile<'o> {
    writer: SerializedFileWriter<File>,
    /// The columns and whether this file has them.
    outputs: Vec<(&'o Output, bool)>,
}

impl<'o> ParquetFile<'o> {
    /// Begins a file.
    pub fn new(file: File, outputs: Vec<(&'o Output, bool)>) -> Result<Self> {
        let fields = outputs.iter().filter(|(_, written)| *written).map(|(output, _)| field(output));
        let fields = fields.collect::<Result<Vec<TypePtr>>>()?;
        let schema = Type::group_type_builder("schema").with_fields(fields).build()?;
        let properties = WriterProperties::builder().set_created_by(CREATED_BY.to_owned()).build();
        let writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))?;
        Ok(Self { writer, outputs })
    }

    /// Writes columns as a row group: one for each of the file's.
    pub fn write_columns(&mut self, columns: &[Column<'_>]) -> Result<()> {
        let described = self.writer.schema_descr().columns().to_vec();
        let mut leaves = described.into_iter();
        let mut group = self.writer.next_row_group()?;
        for ((output, _), column) in self.outputs.iter().zip(columns) {
            write_column(&mut group, &mut leaves, output, column)?;
        }
        group.close()?;
        Ok(())
    }

    /// Writes a chunk as a row group.
    pub fn write(&mut self, chunk: &Chunk, numbering: &mut Numbering<'_>) -> Result<()> {
        let columns = self.writer.schema_descr().columns().to_vec();
        let mut leaves = columns.into_iter();
        let mut group = self.writer.next_row_group()?;
        let mut taken = chunk.columns();
        let lost = || ParquetError::General("the scratch file does not hold what was written".to_owned());
        for (output, written) in &self.outputs {
            let is_text = !matches!(output.kind, Kind::Number | Kind::Time);
            let column = taken.take(numbering, is_text).ok_or_else(lost)?;
            if *written {
                write_column(&mut group, &mut leaves, output, &column)?;
            }
        }
        group.close()?;
        Ok(())
    }

    /// Ends the file; gives its size.
    pub fn finish(self) -> Result<u64> {
        let file = self.writer.into_inner()?;
        Ok(file.metadata()?.len())
    }
}

fn field(output: &Output) -> Result<TypePtr> {
    let text = |name: &str, repetition| {
        Type::primitive_type_builder(name, Physical::BYTE_ARRAY)
            .with_repetition(repetition)
            .with_logical_type(Some(LogicalType::String))
            .build()
    };
    let number = |name: &str| {
        Type::primitive_type_builder(name, Physical::DOUBLE).with_repetition(Repetition::OPTIONAL).build()
    };
    let map = |value: Type| {
        let entry = Type::group_type_builder("key_value")
            .with_repetition(Repetition::REPEATED)
            .with_fields(vec![Arc::new(text("key", Repetition::REQUIRED)?), Arc::new(value)])
            .build()?;
        Type::group_type_builder(&output.name)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(Some(LogicalType::Map))
            .with_fields(vec![Arc::new(entry)])
            .build()
    };
    Ok(Arc::new(match output.kind {
        Kind::Text => text(&output.name, Repetition::OPTIONAL)?,
        Kind::Number => number(&output.name)?,
        Kind::Time => Type::primitive_type_builder(&output.name, Physical::INT64)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(Some(LogicalType::timestamp(false, TimeUnit::MILLIS)))
            .build()?,
        Kind::Map => map(text("value", Repetition::OPTIONAL)?)?,
        Kind::NumberMap => map(number("value")?)?,
    }))
}

type RowGroup<'a> = SerializedRowGroupWriter<'a, File>;

fn write_column(
    group: &mut RowGroup<'_>,
    leaves: &mut impl Iterator<Item = ColumnDescPtr>,
    output: &Output,
    column: &Column<'_>,
) -> Result<()> {
    let mut append = |leaf: &Leaf<'_>| {
        let descriptor =
            leaves.next().ok_or_else(|| ParquetError::General("a column too many".to_owned()))?;
        let (bytes, close) = chunk::encode(&descriptor, leaf)?;
        group.append_column(&bytes, close)
    };
    match column {
        Column::Words(words) => {
            let there: Vec<u64> = words.iter().flatten().copied().collect();
            let definition: Vec<u32> = words.iter().map(|word| u32::from(word.is_some())).collect();
            append(&Leaf { repetition: &[], definition: &definition, values: Values::Words(&there) })
        }
        Column::Texts { distinct, places } if matches!(output.kind, Kind::Map | Kind::NumberMap) => {
            write_map(&mut append, output.kind, distinct, places)
        }
        Column::Texts { distinct, places } => {
            let numbers: Vec<u32> = places.iter().flatten().copied().collect();
            let definition: Vec<u32> = places.iter().map(|place| u32::from(place.is_some())).collect();
            let bytes: usize = distinct.iter().map(|text| text.len()).sum();
            let repeats = distinct.len() * 2 <= numbers.len() || bytes <= DICTIONARY_BYTES;
            if repeats && !output.unrepeated {
                let values = Values::Numbered { numbers: &numbers, distinct };
                return append(&Leaf { repetition: &[], definition: &definition, values });
            }
            let texts: Vec<&[u8]> = numbers.iter().map(|number| distinct[*number as usize]).collect();
            append(&Leaf { repetition: &[], definition: &definition, values: Values::Texts(&texts) })
        }
    }
}

/// How much of an entry's path is there: the map, an entry, its value.
const NO_MAP: u32 = 0;
const NO_ENTRY: u32 = 1;
const ENTRY: u32 = 2;
const VALUE: u32 = 3;

/// Writes maps from their JSON: each distinct map is read once.
fn write_map(
    append: &mut impl FnMut(&Leaf<'_>) -> Result<()>,
    kind: Kind,
    distinct: &[&[u8]],
    places: &[Option<u32>],
) -> Result<()> {
    let read = |json: &&[u8]| -> BTreeMap<String, Option<String>> {
        // What is no map of texts is an empty map.
        serde_json::from_slice(json).unwrap_or_default()
    };
    let maps: Vec<_> = distinct.iter().map(read).collect();
    let mut texts: BTreeMap<&str, u32> = BTreeMap::new();
    for text in maps.iter().flatten().flat_map(|(key, value)| [Some(key), value.as_ref()]).flatten() {
        let next = texts.len() as u32;
        texts.entry(text.as_str()).or_insert(next);
    }
    let (mut repetition, mut key_levels, mut value_levels) = (Vec::new(), Vec::new(), Vec::new());
    let (mut keys, mut values) = (Vec::new(), Vec::new());
    let empty = BTreeMap::new();
    for place in places {
        let map = place.map_or(&empty, |place| &maps[place as usize]);
        if map.is_empty() {
            let level = if place.is_some() { NO_ENTRY } else { NO_MAP };
            repetition.push(0);
            key_levels.push(level);
            value_levels.push(level);
        }
        for (number, (key, value)) in map.iter().enumerate() {
            repetition.push(u32::from(number > 0));
            key_levels.push(ENTRY);
            keys.push(texts[key.as_str()]);
            value_levels.push(if value.is_some() { VALUE } else { ENTRY });
            values.extend(value.as_ref().map(|value| texts[value.as_str()]));
        }
    }
    let (key_numbers, key_texts) = first_uses(&keys, &texts);
    append(&Leaf {
        repetition: &repetition,
        definition: &key_levels,
        values: Values::Numbered { numbers: &key_numbers, distinct: &key_texts },
    })?;
    let (value_numbers, value_texts) = first_uses(&values, &texts);
    let values = match kind {
        Kind::NumberMap => Values::Words(&[]),
        _ => Values::Numbered { numbers: &value_numbers, distinct: &value_texts },
    };
    append(&Leaf { repetition: &repetition, definition: &value_levels, values })
}

/// The same numbers by the order of their first use, and their texts.
fn first_uses<'a>(numbers: &[u32], texts: &BTreeMap<&'a str, u32>) -> (Vec<u32>, Vec<&'a [u8]>) {
    let mut by_number = vec![&[][..]; texts.len()];
    texts.iter().for_each(|(text, number)| by_number[*number as usize] = text.as_bytes());
    let mut places = vec![u32::MAX; texts.len()];
    let mut used = Vec::new();
    let renumbered = numbers.iter().map(|number| {
        let place = &mut places[*number as usize];
        if *place == u32::MAX {
            *place = used.len() as u32;
            used.push(by_number[*number as usize]);
        }
        *place
    });
    (renumbered.collect(), used)
}
