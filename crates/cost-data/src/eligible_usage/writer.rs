//! The lines of all threads become one file, an hour at a time.

use super::recorder::{LinePlace, Record, Recorder, Unkept};
use super::{CLASS, FILE, HOUR, ROW, VERSION, hours_of};
use crate::cube_file::CubeFileError;
use crate::scan::ClassNumbers;
use crate::side_file::{self, Hashed, content};
use billing::charge_class::Cube;
use billing::class_kind::has_terms;
use billing::commitment::{Eligible, may_cover};
use billing::coverage::CUT_MEASURES;
use parquet::basic::{Compression, Encoding, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{DataType, Int32Type, Int64Type};
use parquet::errors::Result as ParquetResult;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;
use sha2::Digest;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// How many rows a row group has: its columns are in memory until they are full.
const ROWS_PER_GROUP: usize = 1 << 16;
/// Digits of an amount that is stored in 64 bits.
const DIGITS: i32 = 18;

/// What one thread has kept, and which of its classes are which of the cube's.
pub struct Part {
    pub recorder: Recorder,
    pub numbers: ClassNumbers,
}

/// Which classes of a cube are eligible.
pub struct EligibleClasses(Vec<bool>);

impl EligibleClasses {
    /// The classes that [`Eligible`] takes, of a usage type that is sold with commitments or covered by one in the real bill: most other
    /// usage is metered too, and no commitment is sold for it.
    pub fn of(cube: &Cube) -> Self {
        let month_has_terms = has_terms(cube);
        let is_eligible = |class| {
            let eligible = Eligible::of(cube, class, month_has_terms);
            eligible.is_some_and(|usage| usage.covered_by.is_some() || may_cover(usage.usage_type))
        };
        Self(cube.classes.iter().map(is_eligible).collect())
    }

    pub fn has(&self, class: u32) -> bool {
        self.0.get(class as usize).copied().unwrap_or(false)
    }

    /// How many lines of each eligible class no commitment covers.
    fn passed_by(&self, parts: &[Part], classes: usize) -> Vec<u64> {
        let mut passed_by = vec![0; classes];
        for Part { recorder, numbers } in parts {
            for (class, unkept) in recorder.unkept() {
                if let Some(class) = numbers.get(class).filter(|class| self.has(*class)) {
                    passed_by[class as usize] += unkept.passed_by;
                }
            }
        }
        passed_by
    }

    /// The lines of eligible classes that were not kept.
    pub fn unkept(&self, parts: &[Part]) -> Unkept {
        let mut all = Unkept::default();
        for Part { recorder, numbers } in parts {
            for (class, unkept) in recorder.unkept() {
                if numbers.get(class).is_some_and(|class| self.has(class)) {
                    all.absorb(unkept);
                }
            }
        }
        all
    }
}

/// A file of eligible usage.
#[derive(Debug)]
pub struct Written {
    pub sha256: [u8; 32],
    pub lines: u64,
    /// Lines of eligible classes that it does not have, for no commitment covers them.
    pub passed_by: u64,
}

/// Writes the eligible lines, and waits until they are on the disk.
///
/// # Errors
/// [`CubeFileError`]; that the lines are not those of the cube is a fault of the program.
pub fn write(
    path: &Path,
    cube: &Cube,
    eligible: &EligibleClasses,
    parts: &[Part],
) -> Result<Written, CubeFileError> {
    let mut rows = Rows::new(File::create(path)?, cube)?;
    let (mut of_hour, mut lines) = (Vec::new(), vec![0_u64; cube.classes.len()]);
    let passed_by = eligible.passed_by(parts, cube.classes.len());
    for hour in 0..hours_of(cube.period) {
        of_hour.clear();
        for Part { recorder, numbers } in parts {
            recorder.each(hour, |mut record| {
                if let Some(class) = numbers.get(record.class).filter(|class| eligible.has(*class)) {
                    record.class = class;
                    of_hour.push(record);
                }
            })?;
        }
        of_hour.sort_unstable_by_key(|record: &Record| (record.class, place(record)));
        for record in &of_hour {
            lines[record.class as usize] += 1;
            rows.push(hour, record)?;
        }
    }
    let known = lines.iter().zip(&passed_by).map(|(kept, passed_by)| kept + passed_by);
    let lost = (cube.classes.iter().zip(known).zip(0..))
        .find(|((class, lines), number)| eligible.has(*number) && class.lines != *lines);
    if let Some(((class, lines), number)) = lost {
        let wanted = class.lines;
        return Err(content(format!(
            "class {number} has {wanted} eligible lines, of which {lines} were kept"
        )));
    }
    Ok(Written { sha256: rows.finish()?, lines: lines.iter().sum(), passed_by: passed_by.iter().sum() })
}

fn place(record: &Record) -> LinePlace {
    (record.file, record.row)
}

/// Rows on their way into the file.
struct Rows {
    writer: SerializedFileWriter<Hashed<File>>,
    hours: Vec<i32>,
    classes: Vec<i32>,
    files: Vec<i32>,
    rows: Vec<i64>,
    amounts: [Vec<i64>; CUT_MEASURES.len()],
}

impl Rows {
    fn new(file: File, cube: &Cube) -> Result<Self, CubeFileError> {
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
            .set_statistics_enabled(EnabledStatistics::None)
            .set_key_value_metadata(Some(side_file::entries(VERSION, cube)));
        for name in [CLASS, ROW] {
            properties = properties
                .set_column_dictionary_enabled(name.into(), false)
                .set_column_encoding(name.into(), Encoding::DELTA_BINARY_PACKED);
        }
        let writer =
            SerializedFileWriter::new(Hashed::new(file), Arc::new(schema()?), Arc::new(properties.build()))?;
        Ok(Self {
            writer,
            hours: Vec::new(),
            classes: Vec::new(),
            files: Vec::new(),
            rows: Vec::new(),
            amounts: CUT_MEASURES.map(|_| Vec::new()),
        })
    }

    fn push(&mut self, hour: u32, record: &Record) -> Result<(), CubeFileError> {
        let beyond = |_| content("a number is beyond what the file holds");
        self.hours.push(i32::try_from(hour).map_err(beyond)?);
        self.classes.push(i32::try_from(record.class).map_err(beyond)?);
        self.files.push(i32::try_from(record.file).map_err(beyond)?);
        self.rows.push(i64::try_from(record.row).map_err(beyond)?);
        self.amounts.iter_mut().zip(record.units).for_each(|(amounts, units)| amounts.push(units));
        if self.hours.len() == ROWS_PER_GROUP { Ok(self.write_group()?) } else { Ok(()) }
    }

    fn write_group(&mut self) -> ParquetResult<()> {
        let mut group = self.writer.next_row_group()?;
        for values in [&mut self.hours, &mut self.classes, &mut self.files] {
            write_column::<Int32Type>(&mut group, values)?;
        }
        for values in [&mut self.rows].into_iter().chain(&mut self.amounts) {
            write_column::<Int64Type>(&mut group, values)?;
        }
        group.close().map(drop)
    }

    fn finish(mut self) -> Result<[u8; 32], CubeFileError> {
        if !self.hours.is_empty() {
            self.write_group()?;
        }
        let Hashed { to: file, hash } = self.writer.into_inner()?;
        file.sync_all()?;
        Ok(hash.finalize().into())
    }
}

/// Writes a column of a row group and empties it.
fn write_column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Hashed<File>>,
    values: &mut Vec<T::T>,
) -> ParquetResult<()> {
    let missing = || parquet::errors::ParquetError::General("a column too many".to_owned());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(values, None, None)?;
    values.clear();
    column.close()
}

/// Numbers, and amounts as decimals with ten digits after the point.
fn schema() -> ParquetResult<Type> {
    let number = |name: &str, kind| {
        Type::primitive_type_builder(name, kind).with_repetition(Repetition::REQUIRED).build().map(Arc::new)
    };
    let amount = |name: &str| {
        Type::primitive_type_builder(name, Physical::INT64)
            .with_repetition(Repetition::REQUIRED)
            .with_logical_type(Some(LogicalType::decimal(10, DIGITS)))
            .with_precision(DIGITS)
            .with_scale(10)
            .build()
            .map(Arc::new)
    };
    let places = [HOUR, CLASS, FILE].map(|name| number(name, Physical::INT32));
    let amounts = CUT_MEASURES.map(|measure| amount(measure.name()));
    let fields = places.into_iter().chain([number(ROW, Physical::INT64)]).chain(amounts);
    Type::group_type_builder("eligible_usage").with_fields(fields.collect::<Result<_, _>>()?).build()
}
