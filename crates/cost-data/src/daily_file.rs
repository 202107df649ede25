//! The daily cube as a Parquet file: of every charge class and day of usage, the sums that prices start from.
//!
//! One row per class and day, in the order of class ids and days; the class is known by its id, as in the cost cube beside it. A
//! null day is that of lines which tell none. Same lines, same bytes, whichever thread has read what.

use crate::cube_file::CubeFileError;
use crate::scan::{DaySums, DaysByClass, MEASURES_BY_DAY, Scan};
use crate::side_file;
use arrow_array::builder::{Date32Builder, Int64Builder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, Decimal128Array, DictionaryArray, Int32Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use billing::breakdown::DayOfClass;
use billing::charge_class::ClassId;
use billing::money::Quantity;
use billing::period::BillingPeriod;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// The version of the file's layout; another version is refused.
const VERSION: &str = "1";
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
    let first_day = i32::try_from(period.start_seconds() / crate::batch::SECONDS_OF_DAY).unwrap_or(i32::MAX);
    let days = DaysByClass::new(scans, first_day);
    let mut rows = Rows::new(path, period, digits(&days)?)?;
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
    let sums = |day: &DayOfClass| DaySums {
        date: day.date,
        lines: i64::try_from(day.lines).unwrap_or(i64::MAX),
        units: [day.usage, day.unblended, day.net_unblended, day.public_on_demand].map(Quantity::units),
    };
    let mut most = [0; MEASURES_BY_DAY.len()];
    days.iter().for_each(|day| sums(day).add_to_most(&mut most));
    let mut rows = Rows::new(path, period, most.map(digits_of))?;
    for of_class in days.chunk_by(|one, other| one.class == other.class) {
        rows.push(of_class[0].class, &of_class.iter().map(sums).collect::<Vec<_>>())?;
    }
    rows.finish()?.sync_all()?;
    Ok(Sha256::digest(std::fs::read(path)?).into())
}

/// Begins a file whose measures have so many digits.
fn begin(
    path: &Path,
    period: BillingPeriod,
    digits: [u8; MEASURES_BY_DAY.len()],
) -> Result<(ArrowWriter<File>, Arc<Schema>), CubeFileError> {
    let text = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let mut fields = vec![
        Field::new(CLASS_ID, text, false),
        Field::new(DATE, DataType::Date32, true),
        Field::new(LINES, DataType::Int64, false),
    ];
    for (measure, digits) in MEASURES_BY_DAY.into_iter().zip(digits) {
        fields.push(Field::new(measure.name(), DataType::Decimal128(digits, 10), false));
    }
    let schema = Arc::new(Schema::new(fields));
    let entries = [("proforma.version", VERSION.to_owned()), ("proforma.period", period.to_string())];
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
        .set_key_value_metadata(Some(
            entries.map(|(key, value)| KeyValue::new(key.to_owned(), value)).into(),
        ));
    for measure in MEASURES_BY_DAY {
        // Amounts hardly repeat.
        properties = properties.set_column_dictionary_enabled(measure.name().into(), false);
    }
    let writer = ArrowWriter::try_new(File::create(path)?, Arc::clone(&schema), Some(properties.build()))?;
    Ok((writer, schema))
}

/// How many digits every measure's column has.
fn digits(days: &DaysByClass<'_>) -> Result<[u8; MEASURES_BY_DAY.len()], CubeFileError> {
    let mut most = [0_u128; MEASURES_BY_DAY.len()];
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
    fn add_to_most(&self, most: &mut [u128; MEASURES_BY_DAY.len()]) {
        most.iter_mut().zip(self.units).for_each(|(most, units)| *most = (*most).max(units.unsigned_abs()));
    }
}

/// Rows on their way into the file.
struct Rows {
    writer: ArrowWriter<File>,
    schema: Arc<Schema>,
    digits: [u8; MEASURES_BY_DAY.len()],
    batch: Columns,
}

/// The columns of a batch.
#[derive(Default)]
struct Columns {
    ids: Vec<String>,
    classes: Vec<i32>,
    dates: Date32Builder,
    lines: Int64Builder,
    sums: [Vec<i128>; MEASURES_BY_DAY.len()],
}

impl Rows {
    fn new(
        path: &Path,
        period: BillingPeriod,
        digits: [u8; MEASURES_BY_DAY.len()],
    ) -> Result<Self, CubeFileError> {
        let (writer, schema) = begin(path, period, digits)?;
        Ok(Self { writer, schema, digits, batch: Columns::default() })
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
        for (sums, digits) in sums.into_iter().zip(self.digits) {
            columns.push(Arc::new(Decimal128Array::from(sums).with_precision_and_scale(digits, 10)?));
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
    let entries = builder.metadata().file_metadata().key_value_metadata();
    let version = entries.into_iter().flatten().find(|entry| entry.key == "proforma.version");
    if version.and_then(|entry| entry.value.as_deref()) != Some(VERSION) {
        return Err(CubeFileError::Content("its layout has another version".to_owned()));
    }
    let mut days = Vec::new();
    for batch in builder.with_batch_size(ROWS_PER_BATCH).build()? {
        read_rows(&batch?, &mut days)?;
    }
    Ok((days, hash))
}

fn read_rows(batch: &RecordBatch, days: &mut Vec<DayOfClass>) -> Result<(), CubeFileError> {
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
    let sums = MEASURES_BY_DAY
        .map(|measure| column(measure.name())?.as_primitive_opt::<Decimal128Type>().ok_or_else(wrong));
    let [usage, unblended, net_unblended, public_on_demand] = sums;
    let (usage, unblended, net, public) = (usage?, unblended?, net_unblended?, public_on_demand?);
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
        });
    }
    Ok(())
}
