//! A batch: some thousand lines of one file, column by column, in the same shape from every format.

use crate::diagnostics::{Diagnostic, excerpt};
use crate::dimensions::{self, DimensionColumn, Dimensions};
use crate::layout::{self, Layout};
use crate::number::NumberNotes;
use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::types::Int32Type;
use arrow_array::{Array, DictionaryArray, StringArray};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use billing::charge_class::{KEY_COLUMNS, KeyColumn, Measure};
use billing::period::BillingPeriod;

/// Which of a file's columns are read, by place in the file.
#[derive(Debug, Clone)]
pub struct Columns {
    pub keys: [Option<usize>; KEY_COLUMNS],
    pub payer: usize,
    pub measures: Vec<(Measure, &'static str, usize)>,
    pub period_start: usize,
    pub usage_start: Option<usize>,
    pub product_name: Option<usize>,
    pub service_name: Option<usize>,
    pub product_map: Option<usize>,
    /// The line's id and interval, when lines are checked for duplicates.
    pub identity: Option<[usize; 2]>,
    /// What the dimension set is made from.
    pub dimensions: Vec<DimensionColumn>,
}

impl Columns {
    /// The columns of a layout. `None` in a necessary place cannot be: `layout::detect` has refused it.
    pub fn new(layout: &Layout, check_line_ids: bool, dimensions: &Dimensions) -> Self {
        let place = |name| layout.column(name);
        let keys = KeyColumn::ALL.map(|column| layout::key_source(column).and_then(place));
        let sources = |measure: &Measure| {
            let measure = *measure;
            layout::measure_sources(measure)
                .iter()
                .filter_map(move |name| Some((measure, *name, place(name)?)))
        };
        let identity = place(layout::LINE_ITEM_ID).zip(place(layout::TIME_INTERVAL));
        Self {
            keys,
            payer: place(layout::PAYER).unwrap_or(0),
            measures: Measure::ALL.iter().flat_map(sources).collect(),
            period_start: place(layout::PERIOD_START).unwrap_or(0),
            usage_start: place(layout::USAGE_START),
            product_name: place(layout::PRODUCT_NAME),
            service_name: place(layout::SERVICE_NAME),
            product_map: place(layout::PRODUCT_MAP),
            identity: identity.map(|(id, interval)| [id, interval]).filter(|_| check_line_ids),
            dimensions: dimensions::columns(layout, dimensions),
        }
    }

    /// The places of all columns that are read with the lines, in the order of the file. The product map is not: it is read
    /// afterwards, for few rows.
    pub fn places(&self) -> Vec<usize> {
        let mut places: Vec<usize> = self.keys.iter().flatten().copied().collect();
        places.extend(self.measures.iter().map(|(_, _, place)| *place));
        places.extend([self.payer, self.period_start]);
        places.extend(self.usage_start.into_iter().chain(self.product_name).chain(self.service_name));
        places.extend(self.identity.into_iter().flatten());
        places.extend(self.dimensions.iter().map(|column| column.place));
        places.sort_unstable();
        places.dedup();
        places
    }
}

/// Where a batch's first row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, by number in the delivery.
    pub file: usize,
    /// The row group of a Parquet file.
    pub row_group: Option<usize>,
    /// Rows of the file (CSV) or row group before this one.
    pub row: u64,
}

impl Place {
    /// The place of a row of the batch.
    pub const fn of_row(self, row: usize) -> Self {
        Self { row: self.row + row as u64, ..self }
    }
}

/// A text column: a code per row into distinct values.
#[derive(Debug, Clone)]
pub struct Codes {
    pub keys: ScalarBuffer<i32>,
    pub nulls: Option<NullBuffer>,
    pub values: StringArray,
}

impl Codes {
    /// The codes of a dictionary column. Nulls among the values count as nulls of the rows.
    pub fn from_dictionary(array: &DictionaryArray<Int32Type>) -> Option<Self> {
        let values = array.values().as_any().downcast_ref::<StringArray>()?.clone();
        let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
        Some(Self { keys: array.keys().values().clone(), nulls, values })
    }

    /// Codes for texts row by row.
    pub fn from_texts<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> Self {
        let mut builder = StringDictionaryBuilder::<Int32Type>::new();
        texts.for_each(|text| builder.append_option(text));
        let array = builder.finish();
        let values = array.values().as_any().downcast_ref::<StringArray>().cloned();
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0).cloned();
        // The builder's values are a StringArray by its type.
        Self {
            keys: array.keys().values().clone(),
            nulls,
            values: values.unwrap_or_else(|| StringArray::new_null(0)),
        }
    }

    /// Whether a row has a value.
    pub fn is_valid(&self, row: usize) -> bool {
        self.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row))
    }

    /// The place of a row's value among the values.
    pub fn place(&self, row: usize) -> Option<usize> {
        // Keys of valid rows are indexes of values, hence not negative.
        self.is_valid(row).then(|| usize::try_from(self.keys[row]).unwrap_or(0))
    }

    /// A row's value.
    pub fn text(&self, row: usize) -> Option<&str> {
        self.place(row).map(|place| self.values.value(place))
    }
}

/// A number column, in units of 10⁻¹⁰. A null is 0 here and told apart by `nulls`.
#[derive(Debug, Clone, Default)]
pub struct Numbers {
    pub units: Vec<i64>,
    /// Values beyond `i64`, whose `units` are 0.
    pub wide: Vec<(usize, i128)>,
    pub nulls: Option<NullBuffer>,
    /// Whether every value is 0 or null: then `units` is empty.
    pub all_zero: bool,
}

impl Numbers {
    /// Puts a value at a row.
    pub fn set(&mut self, row: usize, units: i128) {
        match i64::try_from(units) {
            Ok(units) => self.units[row] = units,
            Err(_) => self.wide.push((row, units)),
        }
    }
}

/// The day of a row outside the month, and of one that tells none.
pub const OTHER_DAY: u8 = 31;

/// The days on which the usage of rows starts.
#[derive(Debug, Clone, Default)]
pub struct Days {
    /// The day of every row, the month's first being 0; else [`OTHER_DAY`].
    pub of_month: Vec<u8>,
    /// The rows that start outside the month, in order, with their days since 1970-01-01.
    pub outside: Vec<(usize, i32)>,
}

impl Days {
    /// Days for rows whose instants are given one by one, in seconds.
    pub fn from_instants(instants: impl Iterator<Item = Option<i64>>, period: &std::ops::Range<i64>) -> Self {
        let mut days = Self::default();
        for (row, seconds) in instants.enumerate() {
            let day = match seconds {
                // A month has 31 days at most, and plausible instants are within thousands of years.
                Some(seconds) if period.contains(&seconds) => {
                    ((seconds - period.start) / SECONDS_OF_DAY) as u8
                }
                Some(seconds) => {
                    days.outside.push((row, seconds.div_euclid(SECONDS_OF_DAY) as i32));
                    OTHER_DAY
                }
                None => OTHER_DAY,
            };
            days.of_month.push(day);
        }
        days
    }
}

/// How long a day is; UTC has no other.
pub const SECONDS_OF_DAY: i64 = 86_400;

/// A row that cannot be read.
#[derive(Debug, Clone)]
pub struct Reject {
    pub row: usize,
    pub column: String,
    pub value: Option<String>,
    pub reason: String,
}

impl Reject {
    pub fn new(row: usize, column: &str, value: Option<&str>, reason: impl Into<String>) -> Self {
        Self { row, column: column.to_owned(), value: value.map(excerpt), reason: reason.into() }
    }

    /// The reject as a positioned message.
    pub fn diagnostic(self, file: &str, place: Place) -> Diagnostic {
        Diagnostic {
            file: file.to_owned(),
            row_group: place.row_group,
            row: Some(place.row + self.row as u64 + 1),
            column: Some(self.column),
            value: self.value,
            reason: self.reason,
            hint: None,
        }
    }
}

/// Lines of one file.
#[derive(Debug)]
pub struct Batch {
    pub place: Place,
    pub rows: usize,
    pub keys: [Option<Codes>; KEY_COLUMNS],
    pub payer: Codes,
    pub measures: Vec<(Measure, Numbers)>,
    /// Whether each row belongs to the period that is read; `None`: all do.
    pub in_period: Option<Vec<bool>>,
    /// The days of the usage, where the file tells them.
    pub days: Option<Days>,
    pub product_name: Option<Codes>,
    pub service_name: Option<Codes>,
    /// The product map as JSON text, where the file has it as text.
    pub product_map: Option<Codes>,
    /// Whether the product's name is only in the map, which is read for one row of each product.
    pub name_in_map: bool,
    pub identity: Option<[Codes; 2]>,
    pub rejects: Vec<Reject>,
    pub notes: NumberNotes,
}

/// Notes on the numbers of a batch: those of lines that belong to the period, and of others, which nobody reads.
#[derive(Debug, Default)]
pub struct RowNotes {
    pub in_period: Option<Vec<bool>>,
    pub kept: NumberNotes,
    others: NumberNotes,
}

impl RowNotes {
    /// Notes for lines of which these belong to the period; `None`: all.
    pub fn new(in_period: Option<Vec<bool>>) -> Self {
        Self { in_period, ..Self::default() }
    }

    /// Where to note what was done to a number of a row.
    pub fn of_row(&mut self, row: usize) -> &mut NumberNotes {
        let kept = self.in_period.as_ref().is_none_or(|in_period| in_period[row]);
        if kept { &mut self.kept } else { &mut self.others }
    }
}

/// A month as half-open seconds.
pub fn span(period: BillingPeriod) -> std::ops::Range<i64> {
    period.start_seconds()..period.end_seconds()
}

/// The names that messages use for the columns that are read.
pub fn key_column_name(column: KeyColumn) -> &'static str {
    layout::key_source(column).unwrap_or_else(|| column.name())
}
