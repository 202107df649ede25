//! The daily cube as a Parquet file: of every charge class and day of usage, the sums that prices start from, and those that are only asked for.
//!
//! The second version of the layout has the first of the latter, normalised usage and amortized cost; the third one has blended and net amortized cost,
//! too. Files of every version are read, and lack what later ones have.
//!
//! One row per class and day, in the order of class ids and days; the class is known by its id, as in the cost cube beside it. A
//! null day is that of lines which tell none. Same lines, same bytes, whichever thread has read what.

use crate::cube_file::CubeFileError;
use crate::scan::{DaySums, DaysByClass, SUMS_BY_DAY, Scan};
use crate::side_file;
use arrow_array::builder::{Date32Builder, Int64Builder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, Decimal128Array, DictionaryArray, Int32Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use billing::breakdown::{BeyondPrices, BlendedAndNet, DayOfClass};
use billing::charge_class::ClassId;
use billing::money::Quantity;
use billing::period::BillingPeriod;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::{KeyValue, ParquetMetaData};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// The version of the file's layout; a later one is refused.
const VERSION: &str = "3";
/// The versions of the layout, and how many of the sums each has: the first one none that no price starts from.
const VERSIONS: [(&str, usize); 3] = [("1", SUMS_OF_FIRST_VERSION), ("2", 6), (VERSION, SUMS_BY_DAY.len())];
/// How many sums prices start from.
const SUMS_OF_FIRST_VERSION: usize = 4;
/// Few: it is written while all scans are held.
const ROWS_PER_BATCH: usize = 8_192;
/// How many rows a row group has.
const ROWS_PER_GROUP: usize = 1 << 18;
/// Digits of a decimal that is stored in 64 bits, which is several times faster to write than one of 128.
const NARROW_DIGITS: u8 = 18;
const WIDE_DIGITS: u8 = 38;
/// Ids of as many classes as a row group has rows fit a dictionary.
const DICTIONARY_BYTES: usize = 16 << 20;
const CLASS_ID: &str = "class_id";
const DATE: &str = "usage_date";
const LINES: &str = "lines";

/// Writes the daily sums of some scans, waits until they are on the disk, and gives the file's hash.
///
/// # Errors
/// [`CubeFileError`].
pub fn write(path: &Path, scans: &[Scan], period: BillingPeriod) -> Result<[u8; 32], CubeFileError> {
    // A month begins at a midnight within thousands of years.
    let first_day = i32::try_from(period.start_seconds() / crate::days::SECONDS_OF_DAY).unwrap_or(i32::MAX);
    let days = DaysByClass::new(scans, first_day);
    let mut rows = Rows::new(path, period, &digits(&days)?)?;
    days.each(|class, days| rows.push(class, days))?;
    rows.finish()?.sync_all()?;
    Ok(Sha256::digest(std::fs::read(path)?).into())
}

/// The same of days that are known, in the order of classes and days.
///
/// # Errors
/// [`CubeFileError`].
pub fn write_days(
    path: &Path,
    days: &[DayOfClass],
    period: BillingPeriod,
) -> Result<[u8; 32], CubeFileError> {
    // What is not known of every day is left out, as the layout has it that was written before it was kept.
    let has =
        |of: fn(&BeyondPrices) -> bool| days.iter().all(|day| day.beyond_prices.as_ref().is_some_and(of));
    let columns = match (has(|of| of.blended_and_net.is_some()), has(|_| true)) {
        (true, _) => SUMS_BY_DAY.len(),
        (false, true) => SUMS_BY_DAY.len() - 2,
        (false, false) => SUMS_OF_FIRST_VERSION,
    };
    let sums = |day: &DayOfClass| {
        let [normalized_usage, amortized] =
            day.beyond_prices.map(|of| [of.normalized_usage, of.amortized]).unwrap_or_default();
        let later = day.beyond_prices.and_then(|of| of.blended_and_net);
        let [blended, net_amortized] = later.map(|of| [of.blended, of.net_amortized]).unwrap_or_default();
        let DayOfClass { usage, unblended, net_unblended, public_on_demand, .. } = *day;
        let of_prices = [usage, unblended, net_unblended, public_on_demand];
        let beyond = [normalized_usage, amortized, blended, net_amortized];
        let mut sums = [Quantity::ZERO; SUMS_BY_DAY.len()];
        sums.iter_mut().zip(of_prices.into_iter().chain(beyond)).for_each(|(sum, of)| *sum = of);
        DaySums {
            date: day.date,
            lines: i64::try_from(day.lines).unwrap_or(i64::MAX),
            units: sums.map(Quantity::units),
        }
    };
    let mut most = [0; SUMS_BY_DAY.len()];
    days.iter().for_each(|day| sums(day).add_to_most(&mut most));
    let digits = most.map(digits_of);
    let mut rows = Rows::new(path, period, &digits[..columns])?;
    for of_class in days.chunk_by(|one, other| one.class == other.class) {
        rows.push(of_class[0].class, &of_class.iter().map(sums).collect::<Vec<_>>())?;
    }
    rows.finish()?.sync_all()?;
    Ok(Sha256::digest(std::fs::read(path)?).into())
}

/// Begins a file whose sums have so many digits.
fn begin(
    path: &Path,
    period: BillingPeriod,
    digits: &[u8],
) -> Result<(ArrowWriter<File>, Arc<Schema>), CubeFileError> {
    let text = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let mut fields = vec![
        Field::new(CLASS_ID, text, false),
        Field::new(DATE, DataType::Date32, true),
        Field::new(LINES, DataType::Int64, false),
    ];
    for (name, digits) in SUMS_BY_DAY.into_iter().zip(digits) {
        fields.push(Field::new(name, DataType::Decimal128(*digits, 10), false));
    }
    let of_columns = VERSIONS.iter().find(|(_, columns)| *columns == digits.len());
    let version = of_columns.map_or(VERSION, |(version, _)| version);
    let schema = Arc::new(Schema::new(fields));
    let entries = [("proforma.version", version.to_owned()), ("proforma.period", period.to_string())];
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
        .set_key_value_metadata(Some(
            entries.map(|(key, value)| KeyValue::new(key.to_owned(), value)).into(),
        ));
    for name in &SUMS_BY_DAY[..SUMS_OF_FIRST_VERSION] {
        // Amounts hardly repeat; what is beyond prices is 0 on most lines.
        properties = properties.set_column_dictionary_enabled((*name).into(), false);
    }
    let writer = ArrowWriter::try_new(File::create(path)?, Arc::clone(&schema), Some(properties.build()))?;
    Ok((writer, schema))
}

/// How many digits every sum's column has.
fn digits(days: &DaysByClass<'_>) -> Result<[u8; SUMS_BY_DAY.len()], CubeFileError> {
    let mut most = [0_u128; SUMS_BY_DAY.len()];
    days.each(|_, days| {
        days.iter().for_each(|day| day.add_to_most(&mut most));
        Ok::<_, CubeFileError>(())
    })?;
    Ok(most.map(digits_of))
}

/// How many digits a column has whose largest sum is this.
const fn digits_of(most: u128) -> u8 {
    if most < 10_u128.pow(NARROW_DIGITS as u32) { NARROW_DIGITS } else { WIDE_DIGITS }
}

impl DaySums {
    fn add_to_most(&self, most: &mut [u128; SUMS_BY_DAY.len()]) {
        most.iter_mut().zip(self.units).for_each(|(most, units)| *most = (*most).max(units.unsigned_abs()));
    }
}

/// Rows on their way into the file.
struct Rows {
    writer: ArrowWriter<File>,
    schema: Arc<Schema>,
    digits: Vec<u8>,
    batch: Columns,
}

/// The columns of a batch.
#[derive(Default)]
struct Columns {
    ids: Vec<String>,
    classes: Vec<i32>,
    dates: Date32Builder,
    lines: Int64Builder,
    sums: [Vec<i128>; SUMS_BY_DAY.len()],
}

impl Rows {
    fn new(path: &Path, period: BillingPeriod, digits: &[u8]) -> Result<Self, CubeFileError> {
        let (writer, schema) = begin(path, period, digits)?;
        Ok(Self { writer, schema, digits: digits.to_vec(), batch: Columns::default() })
    }

    fn push(&mut self, class: ClassId, days: &[DaySums]) -> Result<(), CubeFileError> {
        // A batch has far fewer rows than an i32 counts.
        let number = i32::try_from(self.batch.ids.len()).unwrap_or(i32::MAX);
        self.batch.ids.push(class.to_string());
        for day in days {
            self.batch.classes.push(number);
            self.batch.dates.append_option(day.date);
            self.batch.lines.append_value(day.lines);
            self.batch.sums.iter_mut().zip(day.units).for_each(|(sums, units)| sums.push(units));
        }
        if self.batch.classes.len() >= ROWS_PER_BATCH { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), CubeFileError> {
        let Columns { ids, classes, mut dates, mut lines, sums } = std::mem::take(&mut self.batch);
        let ids: ArrayRef = Arc::new(StringArray::from(ids));
        let mut columns: Vec<ArrayRef> =
            vec![Arc::new(DictionaryArray::<Int32Type>::try_new(Int32Array::from(classes), ids)?)];
        columns.push(Arc::new(dates.finish()));
        columns.push(Arc::new(lines.finish()));
        for (sums, digits) in sums.into_iter().zip(&self.digits) {
            columns.push(Arc::new(Decimal128Array::from(sums).with_precision_and_scale(*digits, 10)?));
        }
        Ok(self.writer.write(&RecordBatch::try_new(Arc::clone(&self.schema), columns)?)?)
    }

    fn finish(mut self) -> Result<File, CubeFileError> {
        if !self.batch.classes.is_empty() {
            self.write()?;
        }
        Ok(self.writer.into_inner()?)
    }
}

/// Reads what [`write`] wrote, and the file's hash.
///
/// # Errors
/// [`CubeFileError`].
pub fn read(path: &Path) -> Result<(Vec<DayOfClass>, [u8; 32]), CubeFileError> {
    let file = bytes::Bytes::from(std::fs::read(path)?);
    let hash = Sha256::digest(&file).into();
    let metadata = side_file::metadata(&file)?;
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
    let version = version_of(builder.metadata());
    let known = VERSIONS.iter().find(|(of, _)| Some(*of) == version);
    let (_, columns) =
        *known.ok_or_else(|| CubeFileError::Content("its layout has another version".to_owned()))?;
    let mut days = Vec::new();
    for batch in builder.with_batch_size(ROWS_PER_BATCH).build()? {
        read_rows(&batch?, &SUMS_BY_DAY[..columns], &mut days)?;
    }
    Ok((days, hash))
}

/// The version that a file says it has.
fn version_of(metadata: &ParquetMetaData) -> Option<&str> {
    let entries = metadata.file_metadata().key_value_metadata();
    let version = entries.into_iter().flatten().find(|entry| entry.key == "proforma.version");
    version.and_then(|entry| entry.value.as_deref())
}

/// Whether a file has the layout that is written today; only its footer is read.
///
/// # Errors
/// [`CubeFileError`].
pub fn is_newest(path: &Path) -> Result<bool, CubeFileError> {
    let metadata = side_file::metadata(&File::open(path)?)?;
    Ok(version_of(metadata.metadata()) == Some(VERSION))
}

fn read_rows(batch: &RecordBatch, sums: &[&str], days: &mut Vec<DayOfClass>) -> Result<(), CubeFileError> {
    let column = |name: &str| {
        let missing = || CubeFileError::Content(format!("it has no column `{name}`"));
        batch.column_by_name(name).ok_or_else(missing)
    };
    let wrong = || CubeFileError::Content("a column is of another type".to_owned());
    let classes = column(CLASS_ID)?.as_dictionary_opt::<Int32Type>().ok_or_else(wrong)?;
    let ids = classes.values().as_string_opt::<i32>().ok_or_else(wrong)?;
    let not_an_id = || CubeFileError::Content("a class id is none".to_owned());
    let ids = ids.iter().map(|text| text.and_then(ClassId::parse).ok_or_else(not_an_id));
    let ids = ids.collect::<Result<Vec<_>, _>>()?;
    let dates = column(DATE)?.as_primitive_opt::<Date32Type>().ok_or_else(wrong)?;
    let lines = column(LINES)?.as_primitive_opt::<Int64Type>().ok_or_else(wrong)?;
    let sums = sums.iter().map(|name| column(name)?.as_primitive_opt::<Decimal128Type>().ok_or_else(wrong));
    let sums: Vec<&Decimal128Array> = sums.collect::<Result<_, _>>()?;
    let [usage, unblended, net, public, beyond @ ..] = sums.as_slice() else { return Err(wrong()) };
    for row in 0..batch.num_rows() {
        let sum = |values: &Decimal128Array| {
            Quantity::from_units(values.value(row))
                .map_err(|error| CubeFileError::Content(format!("a sum is {error}")))
        };
        let class = classes.keys().value(row);
        days.push(DayOfClass {
            class: *usize::try_from(class).ok().and_then(|class| ids.get(class)).ok_or_else(not_an_id)?,
            date: dates.is_valid(row).then(|| dates.value(row)),
            lines: u64::try_from(lines.value(row)).unwrap_or(0),
            usage: sum(usage)?,
            unblended: sum(unblended)?,
            net_unblended: sum(net)?,
            public_on_demand: sum(public)?,
            beyond_prices: match beyond {
                [normalized, amortized, later @ ..] => Some(BeyondPrices {
                    normalized_usage: sum(normalized)?,
                    amortized: sum(amortized)?,
                    blended_and_net: match later {
                        [blended, net] => {
                            Some(BlendedAndNet { blended: sum(blended)?, net_amortized: sum(net)? })
                        }
                        _ => None,
                    },
                }),
                _ => None,
            },
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    //! Every layout is read, each with what it has.

    use super::*;

    fn days(beyond_prices: Option<BeyondPrices>) -> Vec<DayOfClass> {
        let quantity = |text: &str| Quantity::parse(text).unwrap();
        let day = |date| DayOfClass {
            class: ClassId([7; 16]),
            date,
            lines: 3,
            usage: quantity("1.5"),
            unblended: quantity("-2"),
            // Wider than 64 bits.
            net_unblended: quantity("900000000000"),
            public_on_demand: quantity("0"),
            beyond_prices,
        };
        vec![day(None), day(Some(20_727))]
    }

    #[test]
    fn what_is_beyond_prices_is_kept_where_it_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("days.parquet");
        let period = BillingPeriod::new(2026, 10).unwrap();
        let quantity = |text: &str| Quantity::parse(text).unwrap();
        let blended_and_net = Some(BlendedAndNet { blended: quantity("-3"), net_amortized: quantity("0.5") });
        let known = BeyondPrices {
            normalized_usage: quantity("12"),
            amortized: quantity("-0.0000000001"),
            blended_and_net,
        };
        let second = BeyondPrices { blended_and_net: None, ..known };
        for (beyond, newest) in [(Some(known), true), (Some(second), false), (None, false)] {
            let written = days(beyond);
            let hash = write_days(&path, &written, period).unwrap();
            assert_eq!(read(&path).unwrap(), (written, hash));
            assert_eq!(is_newest(&path).unwrap(), newest, "an earlier run's is read again, not taken over");
        }
    }
}
