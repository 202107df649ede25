//! Parquet files, written column by column: the only way to all the types that cost files have, INT96 included.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{ByteArray, FixedLenByteArray, Int96};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::cell::{Cell, FieldKind};
use super::fields::Field;
use super::text::with_millis;
use super::{Codec, CostType, TimeType, WriteOptions};
use crate::amount::{Amount, divide_half_away};
use crate::calendar::epoch_seconds;
use crate::line::Line;

type Result<T> = std::result::Result<T, ParquetError>;

/// Writes one Parquet file.
pub(super) fn write(path: &Path, fields: &[Field], rows: &[&Line], options: &WriteOptions) {
    try_write(path, fields, rows, options)
        .expect("the test folder can be written and the types suit the values");
}

fn try_write(path: &Path, fields: &[Field], rows: &[&Line], options: &WriteOptions) -> Result<()> {
    let columns: String = fields.iter().map(|field| declaration(field, options)).collect();
    let schema = Arc::new(parse_message_type(&format!("message cost_and_usage_report {{ {columns} }}"))?);
    let properties = WriterProperties::builder()
        .set_compression(compression(options.codec))
        .set_max_row_group_row_count(Some(options.row_group_rows))
        .set_created_by("parquet-mr".to_owned())
        .build();
    let mut writer = SerializedFileWriter::new(File::create(path)?, schema, Arc::new(properties))?;
    for group in rows.chunks(options.row_group_rows) {
        let mut row_group = writer.next_row_group()?;
        for field in fields {
            let cells: Vec<Cell<'_>> = group.iter().map(|line| field.cell(line)).collect();
            write_field(&mut row_group, field, &cells, options)?;
        }
        row_group.close()?;
    }
    writer.close().map(drop)
}

fn compression(codec: Codec) -> Compression {
    match codec {
        Codec::Snappy => Compression::SNAPPY,
        Codec::Zstd => Compression::ZSTD(ZstdLevel::default()),
        Codec::Gzip => Compression::GZIP(GzipLevel::default()),
        Codec::None => Compression::UNCOMPRESSED,
    }
}

fn declaration(field: &Field, options: &WriteOptions) -> String {
    let name = &field.name;
    let physical = match field.kind {
        FieldKind::Map => {
            return format!(
                "OPTIONAL GROUP {name} (MAP) {{ REPEATED GROUP key_value {{ \
                 REQUIRED BYTE_ARRAY key (STRING); OPTIONAL BYTE_ARRAY value (STRING); }} }} "
            );
        }
        FieldKind::Text => return format!("OPTIONAL BYTE_ARRAY {name} (STRING); "),
        FieldKind::Time => match options.times {
            TimeType::Millis => ("INT64", " (TIMESTAMP(MILLIS,true))".to_owned()),
            TimeType::Micros => ("INT64", " (TIMESTAMP(MICROS,true))".to_owned()),
            TimeType::Nanos => ("INT64", " (TIMESTAMP(NANOS,true))".to_owned()),
            TimeType::Int96 => ("INT96", String::new()),
            TimeType::Text => ("BYTE_ARRAY", " (STRING)".to_owned()),
        },
        FieldKind::Number => match options.costs {
            CostType::Double => ("DOUBLE", String::new()),
            CostType::Float => ("FLOAT", String::new()),
            CostType::Text => ("BYTE_ARRAY", " (STRING)".to_owned()),
            CostType::Decimal(precision, scale) => {
                let physical = match precision {
                    ..=9 => "INT32",
                    10..=18 => "INT64",
                    19.. => "FIXED_LEN_BYTE_ARRAY (16)",
                };
                (physical, format!(" (DECIMAL({precision},{scale}))"))
            }
        },
    };
    format!("OPTIONAL {} {name}{}; ", physical.0, physical.1)
}

fn write_field(
    row_group: &mut SerializedRowGroupWriter<'_, File>,
    field: &Field,
    cells: &[Cell<'_>],
    options: &WriteOptions,
) -> Result<()> {
    if field.kind == FieldKind::Map {
        let entries = MapEntries::of(cells);
        write_bytes(row_group, &entries.keys, &entries.key_levels, Some(&entries.repetitions))?;
        return write_bytes(row_group, &entries.values, &entries.value_levels, Some(&entries.repetitions));
    }
    let is_filled = |cell: &Cell<'_>| matches!(cell, Cell::Text(Some(_)) | Cell::Number(Some(_)));
    let levels: Vec<i16> = cells.iter().map(|cell| i16::from(is_filled(cell))).collect();
    let mut column = row_group.next_column()?.expect("the schema has a column per field");
    match column.untyped() {
        ColumnWriter::ByteArrayColumnWriter(writer) => {
            let values: Vec<ByteArray> = texts(cells, field.kind == FieldKind::Time);
            writer.write_batch(&values, Some(&levels), None)?;
        }
        ColumnWriter::DoubleColumnWriter(writer) => {
            let values: Vec<f64> = numbers(cells).map(Amount::to_double).collect();
            writer.write_batch(&values, Some(&levels), None)?;
        }
        ColumnWriter::FloatColumnWriter(writer) => {
            let values: Vec<f32> = numbers(cells).map(to_float).collect();
            writer.write_batch(&values, Some(&levels), None)?;
        }
        ColumnWriter::Int96ColumnWriter(writer) => {
            let values: Vec<Int96> = instants(cells).map(to_int96).collect();
            writer.write_batch(&values, Some(&levels), None)?;
        }
        ColumnWriter::Int64ColumnWriter(writer) => {
            let values: Vec<i64> = if field.kind == FieldKind::Time {
                instants(cells).map(|seconds| seconds * units_per_second(options.times)).collect()
            } else {
                decimals(cells, options.costs).map(|value| fitting(i64::try_from(value))).collect()
            };
            writer.write_batch(&values, Some(&levels), None)?;
        }
        ColumnWriter::Int32ColumnWriter(writer) => {
            let values: Vec<i32> =
                decimals(cells, options.costs).map(|value| fitting(i32::try_from(value))).collect();
            writer.write_batch(&values, Some(&levels), None)?;
        }
        ColumnWriter::FixedLenByteArrayColumnWriter(writer) => {
            let bytes = decimals(cells, options.costs).map(|value| value.to_be_bytes().to_vec());
            let values: Vec<FixedLenByteArray> = bytes.map(FixedLenByteArray::from).collect();
            writer.write_batch(&values, Some(&levels), None)?;
        }
        ColumnWriter::BoolColumnWriter(_) => unreachable!("no cost column is a flag"),
    }
    column.close()
}

fn write_bytes(
    row_group: &mut SerializedRowGroupWriter<'_, File>,
    values: &[ByteArray],
    definitions: &[i16],
    repetitions: Option<&[i16]>,
) -> Result<()> {
    let mut column = row_group.next_column()?.expect("a map has a column of keys and one of values");
    if let ColumnWriter::ByteArrayColumnWriter(writer) = column.untyped() {
        writer.write_batch(values, Some(definitions), repetitions)?;
    }
    column.close()
}

/// The maps of a column as Parquet nests them: level 1 is an empty map, 2 a key, 3 a value.
#[derive(Default)]
struct MapEntries {
    keys: Vec<ByteArray>,
    values: Vec<ByteArray>,
    key_levels: Vec<i16>,
    value_levels: Vec<i16>,
    repetitions: Vec<i16>,
}

impl MapEntries {
    fn of(cells: &[Cell<'_>]) -> Self {
        let mut entries = Self::default();
        for cell in cells {
            let Cell::Map(map) = cell else { unreachable!("a map column holds maps") };
            if map.is_empty() {
                entries.key_levels.push(1);
                entries.value_levels.push(1);
                entries.repetitions.push(0);
            }
            for (index, (key, value)) in map.iter().enumerate() {
                entries.keys.push(ByteArray::from(*key));
                entries.values.push(ByteArray::from(*value));
                entries.key_levels.push(2);
                entries.value_levels.push(3);
                entries.repetitions.push(i16::from(index > 0));
            }
        }
        entries
    }
}

fn texts(cells: &[Cell<'_>], are_instants: bool) -> Vec<ByteArray> {
    let text = |cell: &Cell<'_>| match cell {
        Cell::Text(Some(instant)) if are_instants => Some(ByteArray::from(with_millis(instant).as_str())),
        Cell::Text(text) => text.map(ByteArray::from),
        Cell::Number(number) => number.map(|number| ByteArray::from(number.to_string().as_str())),
        Cell::Map(_) => None,
    };
    cells.iter().filter_map(text).collect()
}

fn numbers(cells: &[Cell<'_>]) -> impl Iterator<Item = Amount> {
    cells.iter().filter_map(|cell| if let Cell::Number(number) = cell { *number } else { None })
}

fn instants(cells: &[Cell<'_>]) -> impl Iterator<Item = i64> {
    cells
        .iter()
        .filter_map(|cell| if let Cell::Text(instant) = cell { instant.map(epoch_seconds) } else { None })
}

fn decimals(cells: &[Cell<'_>], costs: CostType) -> impl Iterator<Item = i128> {
    let CostType::Decimal(_, scale) = costs else { unreachable!("only decimals are stored as integers") };
    numbers(cells).map(move |number| match scale {
        10.. => number.0 * 10_i128.pow(u32::from(scale) - 10),
        ..10 => divide_half_away(number.0, 10_i128.pow(10 - u32::from(scale))),
    })
}

fn fitting<T, E: std::fmt::Display>(value: std::result::Result<T, E>) -> T {
    value.unwrap_or_else(|error| panic!("an amount exceeds the precision of the test's decimal: {error}"))
}

fn to_float(number: Amount) -> f32 {
    number.to_string().parse().expect("a plain decimal is a float")
}

fn units_per_second(times: TimeType) -> i64 {
    match times {
        TimeType::Millis => 1_000,
        TimeType::Micros => 1_000_000,
        _ => 1_000_000_000,
    }
}

/// Nanoseconds of the day in the first two words, the Julian day in the third.
fn to_int96(seconds: i64) -> Int96 {
    const JULIAN_DAY_OF_EPOCH: i64 = 2_440_588;
    let nanos = seconds.rem_euclid(86_400) * 1_000_000_000;
    let day = seconds.div_euclid(86_400) + JULIAN_DAY_OF_EPOCH;
    let word = |value: i64| u32::try_from(value).expect("a word of an INT96");
    let mut int96 = Int96::new();
    int96.set_data(word(nanos & 0xFFFF_FFFF), word(nanos >> 32), word(day));
    int96
}
