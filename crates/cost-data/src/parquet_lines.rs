//! Parquet cost files, row group by row group.
//!
//! Text columns are read as dictionaries, so that each distinct value of a row group is handled once; amounts may be doubles,
//! decimals, floats, whole numbers or text. Only the columns that pricing needs are decoded.

mod instants;

use crate::batch::{self, Batch, Columns, CommitmentColumns, Numbers, Place, Reject, RowNotes, Terms};
use crate::codes::{Bound, Codes};
use crate::days::Days;
use crate::dimensions::{self, DimensionColumn};
use crate::layout::{self, Layout, LayoutError};
use crate::limits::{
    BATCH_ROWS, EXPANSION_FREE_BYTES, EXPANSION_RATIO_MAX, ROWS_FREE, ROWS_PER_BYTE_MAX, TEXT_BYTES_MAX,
};
use crate::number::{self, NumberError, NumberNotes};
use crate::source::Source;
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float32Type, Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, new_null_array};
use arrow_schema::{DataType, Field, Schema};
use billing::charge_class::KeyColumn;
use foldhash::fast::FixedState;
pub use instants::each_instant;
use instants::{all_within, days, hours};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Compression;
use parquet::file::metadata::ParquetMetaData;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// How many of a column's numbers are remembered apart from all others: a power of two, at most 256.
const RECENT_NUMBERS: usize = 64;

/// A Parquet cost file whose footer has been read and checked.
pub struct ParquetFile {
    pub layout: Layout,
    /// Whether this program has written it.
    own: bool,
    metadata: ArrowReaderMetadata,
}

/// Why a Parquet file is not read.
pub enum Refused {
    /// What it holds is not what is read here.
    Layout(LayoutError),
    /// It is broken, or claims what cannot be.
    Broken(String),
}

impl ParquetFile {
    /// Reads the footer.
    pub fn open(file: &Source) -> Result<Self, Refused> {
        let broken = |error: parquet::errors::ParquetError| {
            Refused::Broken(format!("not a readable Parquet file: {error}"))
        };
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = ArrowReaderMetadata::load(file, options).map_err(broken)?;
        let bytes = file.bytes();
        let groups = metadata.metadata().row_groups().iter();
        let rows = groups.map(|group| u64::try_from(group.num_rows()).unwrap_or(u64::MAX));
        let rows = rows.fold(0, u64::saturating_add);
        if rows > ROWS_FREE.saturating_add(bytes.saturating_mul(ROWS_PER_BYTE_MAX)) {
            let reason = format!(
                "claims {rows} rows in {bytes} bytes; at most {ROWS_PER_BYTE_MAX} rows a byte are read"
            );
            return Err(Refused::Broken(reason));
        }
        check_chunks(metadata.metadata(), bytes).map_err(Refused::Broken)?;
        let header: Vec<String> =
            metadata.schema().fields().iter().map(|field| field.name().clone()).collect();
        let layout = layout::detect(&header).map_err(Refused::Layout)?;
        let created_by = metadata.metadata().file_metadata().created_by();
        let own = created_by.is_some_and(|program| program.starts_with("proforma "));
        let metadata = with_dictionaries(&metadata).map_err(broken)?;
        Ok(Self { layout, own, metadata })
    }

    pub fn row_groups(&self) -> usize {
        self.metadata.metadata().num_row_groups()
    }

    /// Columns of a type that no exact value can come from, with their types.
    pub fn unusable_columns(&self, columns: &Columns) -> Vec<String> {
        let fields = self.metadata.schema().fields();
        let check = |column: Bound, usable: &dyn Fn(&DataType) -> bool, wanted: &str| {
            let field: &Field = &fields[column.place];
            (!usable(field.data_type()))
                .then(|| format!("`{}` is {}, expected {wanted}", field.name(), type_name(field.data_type())))
        };
        let key_types = KeyColumn::ALL.iter().zip(&columns.keys).filter_map(|(column, bound)| {
            let number = matches!(
                column,
                KeyColumn::NormalizationFactor | KeyColumn::PublicRate | KeyColumn::UnblendedRateState
            );
            let usable = |kind: &DataType| is_text(kind) || (number && is_number(kind));
            check((*bound)?, &usable, if number { "text or a number" } else { "text" })
        });
        let measures = columns
            .measures
            .iter()
            .filter_map(|(_, column)| check(*column, &|kind| is_text(kind) || is_number(kind), "a number"));
        let times = [Some(columns.period_start), columns.usage_start]
            .into_iter()
            .flatten()
            .filter_map(|column| check(column, &|kind| is_text(kind) || is_time(kind), "a timestamp"));
        let texts = columns.texts().filter_map(|column| check(column, &is_text, "text"));
        let dimensions = columns.dimensions.iter().filter_map(|column| {
            let bound = Bound { name: "", place: column.place };
            check(bound, &|kind| is_text(kind) || is_map_of_texts(kind), "text or a map of texts")
        });
        key_types.chain(measures).chain(times).chain(texts).chain(dimensions).collect()
    }

    /// Leaves out columns of commitments whose types are not read: none of them is necessary.
    pub fn keep_usable(&self, commitments: &mut CommitmentColumns) {
        let fields = self.metadata.schema().fields();
        let kind = |column: &Bound| fields[column.place].data_type();
        let is_instant = |column: &Bound| is_text(kind(column)) || is_time(kind(column));
        commitments.interval = commitments.interval.filter(|interval| interval.iter().all(is_instant));
        for term in &mut commitments.terms {
            *term = term.filter(|column| is_text(kind(column)) || is_number(kind(column)));
        }
    }

    /// Rows of the file before a row group.
    pub fn rows_before(&self, row_group: usize) -> u64 {
        let groups = self.metadata.metadata().row_groups().iter().take(row_group);
        groups.map(|group| u64::try_from(group.num_rows()).unwrap_or(0)).sum()
    }

    /// The batches of a row group.
    pub fn read(&self, file: &Source, row_group: usize, columns: &Columns) -> Result<Batches, String> {
        self.read_more(file, row_group, columns.places(), BATCH_ROWS)
    }

    /// Gives what the lines of a row group say of commitments, and rows of the row group before them.
    pub fn each_terms(
        &self,
        file: &Source,
        row_group: usize,
        columns: &CommitmentColumns,
        mut give: impl FnMut(usize, &Terms),
    ) -> Result<(), String> {
        let mut places: Vec<usize> = columns.terms.iter().flatten().map(|column| column.place).collect();
        places.sort_unstable();
        if places.is_empty() {
            return Ok(());
        }
        let reader = self.reader(file, row_group, places.iter().copied())?.with_batch_size(BATCH_ROWS);
        let mut row = 0;
        for record in reader.build().map_err(|error| error.to_string())? {
            let record = record.map_err(|error| format!("cannot be decoded: {error}"))?;
            give(row, &batch::terms(&mut Decoder::new(&record, &places, self.own), columns));
            row += record.num_rows();
        }
        Ok(())
    }

    /// The batches of a row group, of a size of their own and with more columns than pricing needs: all of `places`, in order.
    pub fn read_more(
        &self,
        file: &Source,
        row_group: usize,
        places: Vec<usize>,
        batch_rows: usize,
    ) -> Result<Batches, String> {
        let reader = self.reader(file, row_group, places.iter().copied())?.with_batch_size(batch_rows);
        let rows = self.metadata.metadata().row_group(row_group).num_rows();
        let rows_left = usize::try_from(rows).map_err(|_| format!("claims {rows} rows"))?;
        Ok(Batches {
            reader: reader.build().map_err(|error| error.to_string())?,
            rows_left,
            places,
            own: self.own,
        })
    }

    /// A reader of some columns of a row group.
    pub fn reader(
        &self,
        file: &Source,
        row_group: usize,
        columns: impl IntoIterator<Item = usize>,
    ) -> Result<ParquetRecordBatchReaderBuilder<Source>, String> {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), self.metadata.clone());
        let mask = ProjectionMask::roots(builder.parquet_schema(), columns);
        Ok(builder.with_row_groups(vec![row_group]).with_projection(mask))
    }
}

/// Checks that every column of every row group has bytes of its own, in a form that is read, and that they do not decompress beyond measure.
fn check_chunks(metadata: &ParquetMetaData, bytes: u64) -> Result<(), String> {
    check_places(metadata, bytes)?;
    let columns = metadata.row_groups().iter().flat_map(|group| group.columns());
    let sizes = columns.map(|column| u64::try_from(column.uncompressed_size()).unwrap_or(u64::MAX));
    let expanded = sizes.fold(0, u64::saturating_add);
    if expanded > EXPANSION_FREE_BYTES.saturating_add(bytes.saturating_mul(EXPANSION_RATIO_MAX)) {
        return Err(format!("decompresses to {expanded} bytes, from {bytes}"));
    }
    Ok(())
}

/// Checks that every column of every row group has bytes of its own, no more than there are, in a form that is read: the decoder panics where it has not.
pub fn check_places(metadata: &ParquetMetaData, bytes: u64) -> Result<(), String> {
    let mut chunks = Vec::new();
    for (number, group) in metadata.row_groups().iter().enumerate() {
        for column in group.columns() {
            let name = || format!("column `{}` of row group {number}", column.column_path().string());
            let start = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset());
            let (start, length) = (u64::try_from(start), u64::try_from(column.compressed_size()));
            let (Ok(start), Ok(length)) = (start, length) else {
                return Err(format!("{} has a place or a size below 0", name()));
            };
            let end = start.checked_add(length).filter(|end| *end <= bytes);
            let end = end.ok_or_else(|| format!("{} lies beyond the end of the file", name()))?;
            let codec = column.compression();
            if !matches!(
                codec,
                Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::GZIP(_) | Compression::ZSTD(_)
            ) {
                return Err(format!("{} is compressed by {codec}, which this version does not read", name()));
            }
            chunks.push((start, end, number, column));
        }
    }
    chunks.sort_unstable_by_key(|(start, end, ..)| (*start, *end));
    match chunks.windows(2).find(|pair| pair[1].0 < pair[0].1) {
        Some([(_, _, group, column), (_, _, other_group, other)]) => {
            let (column, other) = (column.column_path().string(), other.column_path().string());
            Err(format!(
                "column `{column}` of row group {group} and `{other}` of row group {other_group} share bytes"
            ))
        }
        _ => Ok(()),
    }
}

/// The same file with every text column read as a dictionary.
pub fn with_dictionaries(metadata: &ArrowReaderMetadata) -> parquet::errors::Result<ArrowReaderMetadata> {
    let field = |field: &Arc<Field>| match field.data_type() {
        DataType::Utf8 => Arc::new(field.as_ref().clone().with_data_type(text_type())),
        _ => Arc::clone(field),
    };
    let schema = Schema::new(metadata.schema().fields().iter().map(field).collect::<Vec<_>>());
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true).with_schema(Arc::new(schema));
    ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options)
}

/// Text as it is read: as a dictionary.
fn text_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// Whether a column is text, or has no value at all.
fn is_text(kind: &DataType) -> bool {
    *kind == DataType::Null || *kind == text_type()
}

fn is_map_of_texts(kind: &DataType) -> bool {
    let DataType::Map(entries, _) = kind else { return false };
    let DataType::Struct(fields) = entries.data_type() else { return false };
    fields.len() == 2 && fields.iter().all(|field| *field.data_type() == DataType::Utf8)
}

fn is_number(kind: &DataType) -> bool {
    use DataType::{Decimal128, Float32, Float64, Int32, Int64};
    matches!(kind, Float64 | Float32 | Int32 | Int64 | Decimal128(..))
}

fn is_time(kind: &DataType) -> bool {
    matches!(kind, DataType::Timestamp(..) | DataType::Date32)
}

/// A type as a message names it.
fn type_name(kind: &DataType) -> String {
    if is_text(kind) { "text".to_owned() } else { kind.to_string() }
}

/// The batches of one row group.
pub struct Batches {
    reader: ParquetRecordBatchReader,
    /// Rows that the footer promises and that have not come yet.
    rows_left: usize,
    /// The columns of the records, by their places in the file.
    places: Vec<usize>,
    /// Whether this program has written the file.
    own: bool,
}

impl Batches {
    /// The next batch.
    pub fn next(
        &mut self,
        place: Place,
        columns: &Columns,
        period: &Range<i64>,
    ) -> Option<Result<Batch, String>> {
        Some(self.next_with_record(place, columns, period)?.map(|(batch, _)| batch))
    }

    /// The next batch, and the record with all of its columns.
    pub fn next_with_record(
        &mut self,
        place: Place,
        columns: &Columns,
        period: &Range<i64>,
    ) -> Option<Result<(Batch, RecordBatch), String>> {
        let Some(record) = self.reader.next() else {
            let missing = std::mem::take(&mut self.rows_left);
            return (missing > 0).then(|| Err(format!("holds {missing} rows less than its footer says")));
        };
        let record = match record {
            Ok(record) => record,
            Err(error) => return Some(Err(format!("cannot be decoded: {error}"))),
        };
        let Some(rows_left) = self.rows_left.checked_sub(record.num_rows()) else {
            return Some(Err("holds more rows than its footer says".to_owned()));
        };
        self.rows_left = rows_left;
        let mut decoder = Decoder::new(&record, &self.places, self.own);
        Some(Ok((batch::assemble(&mut decoder, place, columns, period), record)))
    }
}

struct Decoder {
    rows: usize,
    /// Whether doubles are read as this program has written them.
    own: bool,
    /// The columns by their place in the file.
    by_place: HashMap<usize, ArrayRef>,
    rejects: Vec<Reject>,
    notes: RowNotes,
}

impl batch::Lines for Decoder {
    const ALL_AT_HAND: bool = false;

    fn rows(&self) -> usize {
        self.rows
    }

    fn in_period(&mut self, column: Bound, period: &Range<i64>) -> Option<Vec<bool>> {
        self.period_mask(&self.array(column), column.name, period)
    }

    fn days(&self, column: Bound, period: &Range<i64>) -> Days {
        days(&self.array(column), period)
    }

    fn hours(&self, interval: [Bound; 2], period: &Range<i64>) -> Vec<u16> {
        let [start, end] = interval.map(|column| self.array(column));
        hours(&start, &end, period)
    }

    fn dimension(&mut self, column: &DimensionColumn) -> Codes {
        self.values_of(&self.array(Bound { name: "", place: column.place }), column)
    }

    fn texts(&mut self, column: Bound) -> Codes {
        self.codes(&self.array(column), column.name)
    }

    fn amounts(&mut self, column: Bound) -> Numbers {
        self.numbers(&self.array(column), column.name)
    }

    fn note_in(&mut self, notes: RowNotes) {
        self.notes = notes;
    }

    fn findings(&mut self) -> (Vec<Reject>, RowNotes) {
        (std::mem::take(&mut self.rejects), std::mem::take(&mut self.notes))
    }
}

impl Decoder {
    /// The columns of a record, which keeps the file's order.
    fn new(record: &RecordBatch, places: &[usize], own: bool) -> Self {
        let by_place = places.iter().copied().zip(record.columns().iter().cloned()).collect();
        Self { rows: record.num_rows(), own, by_place, rejects: Vec::new(), notes: RowNotes::default() }
    }

    /// A column. One without any value may have no type: then it is text without a value.
    fn array(&self, column: Bound) -> ArrayRef {
        let array = &self.by_place[&column.place];
        match array.data_type() {
            DataType::Null => new_null_array(&text_type(), self.rows),
            _ => Arc::clone(array),
        }
    }

    /// The values of a dimension: a text column, or the values of a key in a map column.
    fn values_of(&mut self, array: &ArrayRef, column: &DimensionColumn) -> Codes {
        let Some(maps) = array.as_map_opt() else {
            let codes = self.codes(array, &column.name);
            return if column.in_map { dimensions::from_json_maps(&codes, &column.name) } else { codes };
        };
        let (keys, values) = (maps.keys().as_string_opt::<i32>(), maps.values().as_string_opt::<i32>());
        let value = |row: usize| {
            let (keys, values) = keys.zip(values).filter(|_| maps.is_valid(row))?;
            let entries = maps.value_offsets()[row] as usize..maps.value_offsets()[row + 1] as usize;
            let found = entries.into_iter().find(|entry| keys.value(*entry) == column.name)?;
            values.is_valid(found).then(|| values.value(found))
        };
        let codes = Codes::from_texts((0..maps.len()).map(value));
        self.reject_long_texts(&codes, &column.name);
        codes
    }

    /// A text column, or the texts of a number column.
    fn codes(&mut self, array: &ArrayRef, name: &str) -> Codes {
        if let Some(codes) = array.as_dictionary_opt::<Int32Type>().and_then(Codes::from_dictionary) {
            self.reject_long_texts(&codes, name);
            return codes;
        }
        number_codes(array, name, &mut self.rejects)
    }

    fn reject_long_texts(&mut self, codes: &Codes, name: &str) {
        let all_bytes = codes.values.value_data().len();
        if all_bytes <= TEXT_BYTES_MAX
            || codes.values.offsets().lengths().all(|bytes| bytes <= TEXT_BYTES_MAX)
        {
            return;
        }
        for row in 0..codes.keys.len() {
            if let Some(text) = codes.text(row).filter(|text| text.len() > TEXT_BYTES_MAX) {
                let reason = format!("longer than {TEXT_BYTES_MAX} bytes");
                self.rejects.push(Reject::new(row, name, Some(text), reason));
            }
        }
    }

    fn numbers(&mut self, array: &ArrayRef, name: &str) -> Numbers {
        if let Some(doubles) = array.as_primitive_opt::<Float64Type>() {
            let nulls = doubles.nulls().filter(|nulls| nulls.null_count() > 0);
            return self.doubles(doubles.values(), nulls, name);
        }
        let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
        let mut numbers = Numbers { units: vec![0; array.len()], nulls, ..Numbers::default() };
        for row in (0..array.len()).filter(|row| !array.is_null(*row)) {
            if numbers.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                continue;
            }
            match number_units(array, row, self.notes.of_row(row)) {
                Ok(units) => numbers.set(row, units),
                Err((error, text)) => {
                    self.rejects.push(Reject::new(row, name, Some(&text), error.to_string()))
                }
            }
        }
        numbers
    }

    /// The common case, kept tight: most amount columns of most batches are all 0.
    fn doubles(&mut self, values: &[f64], nulls: Option<&arrow_buffer::NullBuffer>, name: &str) -> Numbers {
        let nulls = nulls.cloned();
        if values.iter().fold(0, |bits, x| bits | (x.to_bits() << 1)) == 0 {
            return Numbers { nulls, all_zero: true, ..Numbers::default() };
        }
        let mut numbers = Numbers { units: Vec::with_capacity(values.len()), nulls, ..Numbers::default() };
        let all_fast = number::fill_fast_units(values, &mut numbers.units);
        if let Some(nulls) = &numbers.nulls {
            // The decoder leaves values of other rows where there is none.
            let chunks = nulls.inner().bit_chunks();
            for (bits, units) in chunks.iter_padded().zip(numbers.units.chunks_mut(64)) {
                match bits {
                    u64::MAX => {}
                    0 => units.fill(0),
                    _ => units.iter_mut().enumerate().for_each(|(i, units)| {
                        *units &= ((bits >> i & 1) as i64).wrapping_neg();
                    }),
                }
            }
        }
        if all_fast {
            return numbers;
        }
        let slow = (0..values.len()).filter(|row| number::fast_units(values[*row]).is_none());
        for row in slow {
            numbers.units[row] = 0;
            if numbers.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                continue;
            }
            let units = if self.own { number::units_of_own_double } else { number::units_of_double };
            match units(values[row], self.notes.of_row(row)) {
                Ok(units) => numbers.set(row, units),
                Err(error) => {
                    let text = values[row].to_string();
                    self.rejects.push(Reject::new(row, name, Some(&text), error.to_string()));
                }
            }
        }
        numbers
    }

    /// Which rows belong to the period; a row without a readable one is rejected.
    fn period_mask(&mut self, array: &ArrayRef, name: &str, period: &Range<i64>) -> Option<Vec<bool>> {
        if all_within(array, period) {
            return None;
        }
        let mut mask = None;
        each_instant(array, |row, instant| match instant {
            Ok(seconds) if period.contains(&seconds) => {}
            Ok(_) => mask.get_or_insert_with(|| vec![true; array.len()])[row] = false,
            Err(text) => {
                let reason = "not a readable billing period start";
                self.rejects.push(Reject::new(row, name, Some(&text), reason));
            }
        });
        mask
    }
}

/// The texts of a number column; numbers that are not finite are rejected.
pub fn number_codes(array: &ArrayRef, name: &str, rejects: &mut Vec<Reject>) -> Codes {
    let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
    let mut distinct: HashMap<u64, i32, FixedState> = HashMap::with_hasher(FixedState::with_seed(0));
    let mut texts: Vec<String> = Vec::new();
    let mut keys = Vec::with_capacity(array.len());
    // The numbers of a column are few and alternate: most rows find theirs here.
    let mut recent = [(None, 0); RECENT_NUMBERS];
    let doubles = array.as_primitive_opt::<Float64Type>().map(|doubles| doubles.values().as_ref());
    for row in 0..array.len() {
        let bits = match (doubles, &nulls) {
            (_, Some(nulls)) if nulls.is_null(row) => None,
            (Some(doubles), _) => Some(doubles[row].to_bits()),
            (None, _) => Some(number_bits(array, row)),
        };
        let Some(bits) = bits else {
            keys.push(0);
            continue;
        };
        let slot = bits.wrapping_mul(0x9e37_79b9_7f4a_7c15) as usize >> (64 - 8) & (RECENT_NUMBERS - 1);
        if recent[slot].0 != Some(bits) {
            let key = *distinct.entry(bits).or_insert_with(|| {
                texts.push(number_text(array, row));
                i32::try_from(texts.len() - 1).unwrap_or(i32::MAX)
            });
            recent[slot] = (Some(bits), key);
        }
        keys.push(recent[slot].1);
    }
    let finite = |text: &String| text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    if texts.iter().all(finite) {
        return Codes { keys: keys.into(), nulls, values: texts.into() };
    }
    for (row, key) in keys.iter().enumerate().filter(|(row, _)| array.is_valid(*row)) {
        let text = &texts[usize::try_from(*key).unwrap_or(0)];
        if !finite(text) {
            rejects.push(Reject::new(row, name, Some(text), NumberError::NotFinite.to_string()));
        }
    }
    Codes { keys: keys.into(), nulls, values: texts.into() }
}

/// A number of a column that is not of doubles.
fn number_units(
    array: &ArrayRef,
    row: usize,
    notes: &mut NumberNotes,
) -> Result<i128, (NumberError, String)> {
    match array.data_type() {
        DataType::Float32 => {
            let x = array.as_primitive::<Float32Type>().value(row);
            number::units_of_float(x, notes).map_err(|error| (error, x.to_string()))
        }
        DataType::Decimal128(_, scale) => {
            let value = array.as_primitive::<Decimal128Type>().value(row);
            number::units_of_scaled(value, *scale, notes)
                .map_err(|error| (error, format!("{value}E{}", -scale)))
        }
        DataType::Int32 | DataType::Int64 => {
            let value = whole(array, row);
            number::units_of_scaled(value, 0, notes).map_err(|error| (error, value.to_string()))
        }
        _ => {
            let codes = array.as_dictionary_opt::<Int32Type>().and_then(Codes::from_dictionary);
            let text = codes.as_ref().and_then(|codes| codes.text(row)).unwrap_or_default();
            if text.is_empty() {
                return Ok(0);
            }
            number::units_of_text(text, notes).map_err(|error| (error, text.to_owned()))
        }
    }
}

fn whole(array: &ArrayRef, row: usize) -> i128 {
    match array.data_type() {
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).into(),
        _ => array.as_primitive::<Int64Type>().value(row).into(),
    }
}

/// What tells one number of a column from another.
fn number_bits(array: &ArrayRef, row: usize) -> u64 {
    match array.data_type() {
        DataType::Float32 => array.as_primitive::<Float32Type>().value(row).to_bits().into(),
        // Rates and factors are far below 64 bits of any scale; a number that is not has a key of its own row.
        DataType::Decimal128(..) => {
            let value = array.as_primitive::<Decimal128Type>().value(row);
            u64::try_from(value).unwrap_or(u64::MAX - row as u64)
        }
        _ => whole(array, row) as u64,
    }
}

/// A number as the text it has in a key.
fn number_text(array: &ArrayRef, row: usize) -> String {
    match array.data_type() {
        DataType::Float64 => number::text_of_double(array.as_primitive::<Float64Type>().value(row)),
        DataType::Float32 => array.as_primitive::<Float32Type>().value(row).to_string(),
        DataType::Decimal128(_, scale) => {
            let digits = format!("{}E{}", array.as_primitive::<Decimal128Type>().value(row), -scale);
            number::canonical_rate(&digits)
        }
        _ => whole(array, row).to_string(),
    }
}
