//! One key column of the scan: its distinct texts and their numbers, and the loops over rows.

use super::{Key, is_null, key_text};
use crate::batch::Codes;
use arrow_array::{Array, StringArray};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use billing::charge_class::KeyColumn;
use billing::commitment;
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::ops::Range;

/// All ones on the rows that take part, else 0.
pub type Mask = Vec<u64>;

/// The number of the one value of a state column.
pub const STATE_CODE: u32 = 1;

/// The distinct texts of a key column, and the batch at hand. Number 0 is null.
pub struct KeyTexts {
    column: KeyColumn,
    numbers: HashMap<Box<str>, u32, FixedState>,
    texts: Vec<Box<str>>,
    /// By text: all ones where the text makes another column part of the key.
    text_marks: Mask,
    /// The dictionary that the tables below are for, held so that its address stays its own.
    dictionary: Option<StringArray>,
    /// By place in the dictionary, and at the end for rows without a value: number and mark.
    codes: Vec<u32>,
    marks: Mask,
    rows: Rows,
    /// The places of a batch that has rows without a value.
    own_places: Vec<i32>,
}

/// The places of a batch's rows in the tables.
enum Rows {
    /// The file does not have the column: no row has a value.
    Absent,
    /// Every row has this one.
    Same(usize),
    /// Those of the batch's own keys.
    Keys(ScalarBuffer<i32>),
    /// Those in `own_places`.
    Own,
}

/// Whether a value makes conditional columns part of the key of its line.
fn is_mark(column: KeyColumn, text: &str) -> bool {
    match column {
        KeyColumn::UsageType => commitment::may_cover(text),
        KeyColumn::UnblendedRateState => text == "0",
        KeyColumn::LineItemType => text == "Fee",
        _ => false,
    }
}

impl KeyTexts {
    pub fn new(column: KeyColumn) -> Self {
        let mut texts = Self {
            column,
            numbers: HashMap::with_hasher(FixedState::with_seed(0)),
            texts: Vec::new(),
            text_marks: Vec::new(),
            dictionary: None,
            codes: Vec::new(),
            marks: Vec::new(),
            rows: Rows::Absent,
            own_places: Vec::new(),
        };
        if column == KeyColumn::PublicCostState {
            texts.number("+");
        }
        texts
    }

    /// The number of a text in its canonical form, given on first sight.
    pub fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        self.texts.push(text.into());
        self.text_marks.push(if is_mark(self.column, text) { u64::MAX } else { 0 });
        // One text per row at most, and a column of a batch has fewer rows than u32 holds.
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.numbers.insert(text.into(), number);
        number
    }

    /// How many distinct texts there are.
    pub fn count(&self) -> usize {
        self.texts.len()
    }

    pub fn text(&self, number: u32) -> Option<&str> {
        self.texts.get((number as usize).checked_sub(1)?).map(AsRef::as_ref)
    }

    /// Takes a batch's column, `None` where the file has none.
    pub fn take(&mut self, codes: Option<&Codes>) {
        let Some(codes) = codes else {
            self.rows = Rows::Absent;
            return;
        };
        if !self.dictionary.as_ref().is_some_and(|known| same(known, &codes.values)) {
            self.number_dictionary(&codes.values);
        }
        let null = self.codes.len() - 1;
        self.rows = match &codes.nulls {
            Some(nulls) if nulls.null_count() == nulls.len() => Rows::Same(null),
            Some(nulls) => {
                fill_places(&mut self.own_places, &codes.keys, nulls, null);
                Rows::Own
            }
            None if codes.values.len() == 1 => Rows::Same(0),
            None => Rows::Keys(codes.keys.clone()),
        };
    }

    fn number_dictionary(&mut self, values: &StringArray) {
        self.codes.clear();
        self.marks.clear();
        for value in values.iter().chain([None]) {
            let number = match value {
                Some(value) if !is_null(self.column, value) => self.number(&key_text(self.column, value)),
                _ => 0,
            };
            self.codes.push(number);
            self.marks.push((number as usize).checked_sub(1).map_or(0, |text| self.text_marks[text]));
        }
        self.dictionary = Some(values.clone());
    }

    /// The places of the rows, where they are not all one.
    fn places(&self) -> &[i32] {
        match &self.rows {
            Rows::Keys(keys) => keys,
            Rows::Own => &self.own_places,
            Rows::Absent | Rows::Same(_) => &[],
        }
    }

    /// The number that every row of the batch has, where it is one.
    pub fn same_code(&self) -> Option<u32> {
        match self.rows {
            Rows::Absent => Some(0),
            Rows::Same(only) => Some(self.codes[only]),
            _ => None,
        }
    }

    /// Puts the numbers of some rows into their keys.
    pub fn put_codes(&self, rows: Range<usize>, keys: &mut [Key]) {
        let (word, shift) = place_in_key(self.column);
        for (key, at) in keys.iter_mut().zip(&self.places()[rows]) {
            key[word] |= u64::from(self.codes[place(*at)]) << shift;
        }
    }

    /// Puts the numbers of the rows that the mask says into their keys.
    pub fn put_codes_where(&self, mask: &[u64], rows: Range<usize>, keys: &mut [Key]) {
        let (word, shift) = place_in_key(self.column);
        match self.same_code() {
            Some(code) => {
                for (key, mask) in keys.iter_mut().zip(mask) {
                    key[word] |= (u64::from(code) & mask) << shift;
                }
            }
            None => {
                for ((key, at), mask) in keys.iter_mut().zip(&self.places()[rows]).zip(mask) {
                    key[word] |= (u64::from(self.codes[place(*at)]) & mask) << shift;
                }
            }
        }
    }

    /// Which rows have a value that makes other columns part of the key; `None` where no row has.
    pub fn marked(&self, rows: usize) -> Option<Mask> {
        match self.rows {
            Rows::Absent => None,
            Rows::Same(only) => (self.marks[only] != 0).then(|| vec![u64::MAX; rows]),
            _ if self.marks.iter().all(|mark| *mark == 0) => None,
            _ => Some(self.places().iter().map(|key| self.marks[place(*key)]).collect()),
        }
    }
}

/// A place as an index; places are not negative.
#[inline]
fn place(key: i32) -> usize {
    key as u32 as usize
}

/// The keys of rows with a value, and `null` for the others.
fn fill_places(places: &mut Vec<i32>, keys: &[i32], nulls: &NullBuffer, null: usize) {
    // A dictionary has at most as many values as an i32 key reaches.
    let null = i32::try_from(null).unwrap_or(i32::MAX);
    places.clear();
    let chunks = nulls.inner().bit_chunks();
    for (bits, keys) in chunks.iter_padded().zip(keys.chunks(64)) {
        match bits {
            u64::MAX => places.extend_from_slice(keys),
            0 => places.resize(places.len() + keys.len(), null),
            _ => places
                .extend(keys.iter().enumerate().map(|(i, key)| if bits >> i & 1 == 1 { *key } else { null })),
        }
    }
}

/// Where a column's number is in a key: the word, and how far from its low end.
pub fn place_in_key(column: KeyColumn) -> (usize, u32) {
    let number = column as usize;
    (number / 2, if number.is_multiple_of(2) { 0 } else { 32 })
}

/// Puts one number into a key.
pub fn put(column: KeyColumn, code: u32, key: &mut Key) {
    let (word, shift) = place_in_key(column);
    key[word] |= u64::from(code) << shift;
}

/// Puts a state column's number into the keys of the rows that the mask says.
pub fn put_state(column: KeyColumn, mask: &[u64], keys: &mut [Key]) {
    let (word, shift) = place_in_key(column);
    for (key, mask) in keys.iter_mut().zip(mask) {
        key[word] |= (u64::from(STATE_CODE) & mask) << shift;
    }
}

/// Whether two dictionaries are one, in memory.
fn same(a: &StringArray, b: &StringArray) -> bool {
    a.len() == b.len()
        && a.value_data().as_ptr() == b.value_data().as_ptr()
        && a.value_offsets().as_ptr() == b.value_offsets().as_ptr()
}

/// Rows that either mask has.
pub fn either(a: Option<Mask>, b: Option<Mask>) -> Option<Mask> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.into_iter().zip(b).map(|(a, b)| a | b).collect()),
        (mask, None) | (None, mask) => mask,
    }
}

/// A line's id and interval as 128 bits.
pub fn identity_hash(id: Option<&str>, interval: Option<&str>) -> u128 {
    let half = |seed| u128::from(FixedState::with_seed(seed).hash_one((id, interval)));
    half(1) << 64 | half(2)
}
