//! What commitments cover as a Parquet file: of every class, commitment and day, what the simulation of a run has found.
//!
//! One row each, in that order; classes are known by their numbers in the cost cube beside it, commitments by their place in the
//! inventory. So whoever prices the month again with the same billing groups need not simulate it again.

use crate::cube_file::CubeFileError;
use crate::side_file::{self, column, content};
use arrow_array::types::{Decimal128Type, Int32Type};
use arrow_array::{ArrayRef, Decimal128Array, Int32Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use billing::charge_class::Cube;
use billing::commitment::Capacity;
use billing::coverage::{CUT_MEASURES, CoveredOfDay};
use billing::money::Quantity;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;

/// The version of the file's layout; another version is refused.
const VERSION: &str = "1";
const ROWS_PER_BATCH: usize = 8_192;
const DIGITS: u8 = 38;
const CLASS: &str = "class";
const COMMITMENT: &str = "commitment";
const DAY: &str = "day";
const TAKEN: &str = "taken";

/// Writes what is covered in a cube's month, and gives the file's hash.
///
/// # Errors
/// [`CubeFileError`].
pub fn write(path: &Path, cube: &Cube, days: &[CoveredOfDay]) -> Result<[u8; 32], CubeFileError> {
    let number = |name: &str, kind| Field::new(name, kind, false);
    let mut fields: Vec<Field> =
        [CLASS, COMMITMENT, DAY].into_iter().map(|name| number(name, DataType::Int32)).collect();
    fields.extend(CUT_MEASURES.map(|measure| number(measure.name(), DataType::Decimal128(DIGITS, 10))));
    fields.push(number(TAKEN, DataType::Decimal128(DIGITS, 20)));
    let schema = Arc::new(Schema::new(fields));
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_key_value_metadata(Some(side_file::entries(VERSION, cube)));
    let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties.build()))?;
    for rows in days.chunks(ROWS_PER_BATCH) {
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), columns(rows)?)?)?;
    }
    let bytes = writer.into_inner()?;
    std::fs::write(path, &bytes)?;
    Ok(Sha256::digest(&bytes).into())
}

fn columns(rows: &[CoveredOfDay]) -> Result<Vec<ArrayRef>, CubeFileError> {
    // A cube has fewer classes, and a month fewer commitments and days, than an i32 counts.
    let numbers = |of: fn(&CoveredOfDay) -> u32| -> ArrayRef {
        Arc::new(rows.iter().map(|row| i32::try_from(of(row)).unwrap_or(i32::MAX)).collect::<Int32Array>())
    };
    let decimals = |scale, of: &dyn Fn(&CoveredOfDay) -> i128| -> Result<ArrayRef, CubeFileError> {
        let values: Decimal128Array = rows.iter().map(of).collect::<Vec<_>>().into();
        Ok(Arc::new(values.with_precision_and_scale(DIGITS, scale)?))
    };
    let mut columns = vec![numbers(|row| row.class), numbers(|row| row.commitment), numbers(|row| row.day)];
    for measure in 0..CUT_MEASURES.len() {
        columns.push(decimals(10, &|row| row.measures[measure].units())?);
    }
    columns.push(decimals(20, &|row| row.taken.units())?);
    Ok(columns)
}

/// Reads what [`write`] wrote for a cube and so many commitments, and the file's hash.
///
/// # Errors
/// [`CubeFileError`]: not such a file, of another cube, or not in order.
pub fn read(
    path: &Path,
    cube: &Cube,
    commitments: usize,
) -> Result<(Vec<CoveredOfDay>, [u8; 32]), CubeFileError> {
    let file = bytes::Bytes::from(std::fs::read(path)?);
    let hash = Sha256::digest(&file).into();
    let metadata = side_file::metadata(&file)?;
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
    side_file::check(builder.metadata(), VERSION, cube)?;
    let mut days = Vec::new();
    for batch in builder.with_batch_size(ROWS_PER_BATCH).build()? {
        read_rows(&batch?, &mut days)?;
    }
    let known = |row: &CoveredOfDay| {
        (row.class as usize) < cube.classes.len() && (row.commitment as usize) < commitments
    };
    let place = |row: &CoveredOfDay| (row.class, row.commitment, row.day);
    if !days.iter().all(known) || !days.windows(2).all(|pair| place(&pair[0]) < place(&pair[1])) {
        return Err(content("its rows are not those of the month's classes and commitments"));
    }
    Ok((days, hash))
}

fn read_rows(batch: &RecordBatch, days: &mut Vec<CoveredOfDay>) -> Result<(), CubeFileError> {
    let numbers = |name| column::<Int32Type>(batch, name);
    let decimals = |name| column::<Decimal128Type>(batch, name);
    let (classes, commitments, of_days) = (numbers(CLASS)?, numbers(COMMITMENT)?, numbers(DAY)?);
    let measures = CUT_MEASURES.map(|measure| decimals(measure.name()));
    let [usage, normalized, unblended, net, public] = measures;
    let (measures, taken) = ([usage?, normalized?, unblended?, net?, public?], decimals(TAKEN)?);
    for row in 0..batch.num_rows() {
        let below_0 = |_| content("a number is below 0");
        let large = |error| content(format!("an amount is {error}"));
        let mut of_row = [Quantity::ZERO; CUT_MEASURES.len()];
        for (sum, values) in of_row.iter_mut().zip(measures) {
            *sum = Quantity::from_units(values.value(row)).map_err(large)?;
        }
        days.push(CoveredOfDay {
            class: classes.value(row).try_into().map_err(below_0)?,
            commitment: commitments.value(row).try_into().map_err(below_0)?,
            day: of_days.value(row).try_into().map_err(below_0)?,
            measures: of_row,
            taken: Capacity::from_units(taken.value(row)).map_err(large)?,
        });
    }
    Ok(())
}
