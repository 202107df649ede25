//! A column of a file, and what a text column says row by row.

use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::types::Int32Type;
use arrow_array::{Array, DictionaryArray, StringArray};
use arrow_buffer::{NullBuffer, ScalarBuffer};

/// A column of a file: its name in messages, and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    pub name: &'static str,
    pub place: usize,
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

    /// A row's value that is not empty.
    pub fn filled(&self, row: usize) -> Option<&str> {
        self.text(row).filter(|text| !text.is_empty())
    }

    /// The number of a row's value among the values.
    pub fn key(&self, row: usize) -> Option<i32> {
        self.is_valid(row).then(|| self.keys[row])
    }
}
