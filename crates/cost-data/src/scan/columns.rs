//! One key column of the scan: its distinct texts and their numbers, and the loops over rows.

use super::section::{BLOCK_ROWS, BlockKeys, Field};
use super::{Key, is_null, key_text};
use crate::codes::Codes;
use crate::number;
use arrow_array::{Array, StringArray};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use billing::charge_class::KeyColumn;
use billing::commitment;
use billing::cost_line::LineItemType;
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::ops::Range;

/// All ones on the rows of a block that take part, else 0.
pub type Mask = [u64; BLOCK_ROWS];

/// The number, and the code, of the one value of a state column.
pub const STATE_CODE: u32 = 1;

/// The distinct texts of a key column, and the batch at hand. Number 0 is null.
pub struct KeyTexts {
    column: KeyColumn,
    numbers: HashMap<Box<str>, u32, FixedState>,
    texts: Vec<Box<str>>,
    /// By text: all ones where the text makes another column part of the key.
    text_marks: Vec<bool>,
    /// The dictionary that the tables below are for, held so that its address stays its own.
    dictionary: Option<StringArray>,
    /// By place in the dictionary, and at the end for rows without a value: number, mark, and code.
    numbers_by_place: Vec<u32>,
    marks: Vec<u64>,
    /// What tells the values apart in a section's keys: small numbers of the dictionary's own, or the texts' numbers; empty
    /// where places do.
    codes: Vec<u32>,
    code_max: u32,
    /// Whether codes are the texts' numbers, because dictionaries change within row groups.
    by_number: bool,
    rows: Rows,
    /// The places of a batch that has rows without a value.
    own_places: Vec<i32>,
    /// The values themselves, where the key has only their state.
    exact: Option<ExactTexts>,
}

/// The distinct values of a column that the key has only as a state. Number 0 is none.
#[derive(Default)]
struct ExactTexts {
    numbers: HashMap<Box<str>, u32, FixedState>,
    texts: Vec<Box<str>>,
    /// By place in the dictionary, and at the end for rows without a value.
    numbers_by_place: Vec<u32>,
}

impl ExactTexts {
    fn number_dictionary(&mut self, values: &StringArray) {
        self.numbers_by_place.clear();
        for value in values.iter().chain([None]) {
            let number = value.map_or(0, |value| self.number(&number::canonical_rate(value)));
            self.numbers_by_place.push(number);
        }
    }

    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        self.texts.push(text.into());
        // As in `KeyTexts::number`.
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.numbers.insert(text.into(), number);
        number
    }
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
        KeyColumn::LineItemType => LineItemType::parse(text).is_told_by_description(),
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
            numbers_by_place: Vec::new(),
            marks: Vec::new(),
            codes: Vec::new(),
            code_max: 0,
            by_number: false,
            rows: Rows::Absent,
            own_places: Vec::new(),
            exact: (column == KeyColumn::UnblendedRateState).then(ExactTexts::default),
        };
        if column == KeyColumn::PublicCostState {
            texts.number("+");
            texts.code_max = STATE_CODE;
        }
        texts
    }

    /// The number of a text in its canonical form, given on first sight.
    pub fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        self.texts.push(text.into());
        self.text_marks.push(is_mark(self.column, text));
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

    /// Takes a batch's column, `None` where the file has none. Tells whether it has other codes than before, so that a section
    /// must end. A batch `within` a row group should have the dictionary that the one before had.
    pub fn take(&mut self, column: Option<&Codes>, within: bool) -> bool {
        let Some(column) = column else {
            self.rows = Rows::Absent;
            return self.dictionary.take().is_some() && !self.by_number;
        };
        let mut other_codes = false;
        if !self.dictionary.as_ref().is_some_and(|known| same(known, &column.values)) {
            let becomes_by_number = within && !self.by_number;
            self.by_number |= within;
            self.number_dictionary(&column.values);
            other_codes = self.make_codes() | becomes_by_number;
        }
        let null = self.numbers_by_place.len() - 1;
        self.rows = match &column.nulls {
            Some(nulls) if nulls.null_count() == nulls.len() => Rows::Same(null),
            Some(nulls) => {
                fill_places(&mut self.own_places, &column.keys, nulls, null);
                Rows::Own
            }
            None if column.values.len() == 1 => Rows::Same(0),
            None => Rows::Keys(column.keys.clone()),
        };
        other_codes
    }

    fn number_dictionary(&mut self, values: &StringArray) {
        if let Some(exact) = &mut self.exact {
            exact.number_dictionary(values);
        }
        self.numbers_by_place.clear();
        self.marks.clear();
        for value in values.iter().chain([None]) {
            let number = match value {
                Some(value) if !is_null(self.column, value) => self.number(&key_text(self.column, value)),
                _ => 0,
            };
            self.numbers_by_place.push(number);
            let is_marked = (number as usize).checked_sub(1).is_some_and(|text| self.text_marks[text]);
            self.marks.push(u64::from(is_marked).wrapping_neg());
        }
        self.dictionary = Some(values.clone());
    }

    /// Makes the codes of a dictionary; tells whether they differ from those before.
    fn make_codes(&mut self) -> bool {
        self.codes.clear();
        if self.by_number {
            self.codes.extend(&self.numbers_by_place);
            let has_room = self.texts.len() <= self.code_max as usize;
            if !has_room {
                // Room for as many again: numbers only grow.
                self.code_max = u32::try_from(2 * self.texts.len()).unwrap_or(u32::MAX).max(15);
            }
            return !has_room;
        }
        let mut code_of: HashMap<u32, u32, FixedState> = HashMap::with_hasher(FixedState::with_seed(0));
        for number in &self.numbers_by_place {
            // At most as many as numbers.
            let next = u32::try_from(code_of.len()).unwrap_or(u32::MAX);
            self.codes.push(*code_of.entry(*number).or_insert(next));
        }
        self.code_max = u32::try_from(code_of.len() - 1).unwrap_or(u32::MAX);
        if code_of.len() == self.codes.len() {
            self.codes.clear();
        }
        true
    }

    /// How many bits of a key the batch's codes take.
    pub fn code_bits(&self) -> u32 {
        u32::BITS - self.code_max.leading_zeros()
    }

    /// The places of the rows, where they are not all one.
    fn places(&self) -> &[i32] {
        match &self.rows {
            Rows::Keys(keys) => keys,
            Rows::Own => &self.own_places,
            Rows::Absent | Rows::Same(_) => &[],
        }
    }

    fn code(&self, at: usize) -> u64 {
        // A place has 31 bits at most.
        u64::from(self.codes.get(at).copied().unwrap_or(at as u32))
    }

    /// The code that every row of the batch has, where it is one.
    pub fn same_code(&self) -> Option<u64> {
        match self.rows {
            Rows::Absent => Some(0),
            Rows::Same(only) => Some(self.code(only)),
            _ => None,
        }
    }

    /// The number of a row's value.
    pub fn number_at(&self, row: usize) -> u32 {
        match self.rows {
            Rows::Absent => 0,
            Rows::Same(only) => self.numbers_by_place[only],
            _ => self.numbers_by_place[place(self.places()[row])],
        }
    }

    /// The numbers of the rows' exact values, 0 for none, in a column that the key has as a state.
    pub fn exact_numbers(&self, rows: usize) -> impl Iterator<Item = u32> + '_ {
        let numbers = self.exact.as_ref().map_or(&[][..], |exact| &exact.numbers_by_place);
        let same = match self.rows {
            Rows::Absent => Some(0),
            Rows::Same(only) => Some(numbers.get(only).copied().unwrap_or(0)),
            _ => None,
        };
        let own = self.places().iter().map(|at| numbers[place(*at)]);
        let same = same.into_iter().flat_map(move |same| std::iter::repeat_n(same, rows));
        own.chain(same)
    }

    /// The exact value of a number.
    pub fn exact_text(&self, number: u32) -> Option<&str> {
        self.exact.as_ref()?.texts.get((number as usize).checked_sub(1)?).map(AsRef::as_ref)
    }

    /// Puts the codes of some rows into their keys.
    pub fn put_codes(&self, field: Field, rows: Range<usize>, keys: &mut BlockKeys) {
        let (keys, places) = (&mut keys[field.word], &self.places()[rows]);
        if self.codes.is_empty() {
            for (key, at) in keys.iter_mut().zip(places) {
                *key |= u64::from(*at as u32) << field.shift;
            }
        } else {
            for (key, at) in keys.iter_mut().zip(places) {
                *key |= u64::from(self.codes[place(*at)]) << field.shift;
            }
        }
    }

    /// Puts the codes of the rows that the mask says into their keys.
    pub fn put_codes_where(&self, mask: &Mask, field: Field, rows: Range<usize>, keys: &mut BlockKeys) {
        let keys = keys[field.word].iter_mut().zip(mask);
        match self.same_code() {
            Some(code) => keys.for_each(|(key, mask)| *key |= (code & mask) << field.shift),
            None => {
                for ((key, mask), at) in keys.zip(&self.places()[rows]) {
                    *key |= (self.code(place(*at)) & mask) << field.shift;
                }
            }
        }
    }

    /// Adds the rows that have a value that makes other columns part of the key.
    pub fn mark(&self, rows: Range<usize>, mask: &mut Mask) {
        match self.rows {
            Rows::Absent => {}
            Rows::Same(only) => mask.iter_mut().for_each(|mask| *mask |= self.marks[only]),
            _ => {
                for (mask, at) in mask.iter_mut().zip(&self.places()[rows]) {
                    *mask |= self.marks[place(*at)];
                }
            }
        }
    }

    /// Whether any value makes other columns part of the key.
    pub fn has_marks(&self) -> bool {
        match self.rows {
            Rows::Absent => false,
            Rows::Same(only) => self.marks[only] != 0,
            _ => self.marks.iter().any(|mark| *mark != 0),
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
            // Without branches: what the decoder leaves where there is no value is masked away.
            _ => places.extend(keys.iter().enumerate().map(|(i, key)| {
                let has_value = ((bits >> i & 1) as i32).wrapping_neg();
                key & has_value | null & !has_value
            })),
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

/// Puts a state column's code into the keys of the rows that the mask says.
pub fn put_state(mask: &Mask, field: Field, keys: &mut BlockKeys) {
    for (key, mask) in keys[field.word].iter_mut().zip(mask) {
        *key |= (u64::from(STATE_CODE) & mask) << field.shift;
    }
}

/// Whether two dictionaries are one: in memory, or because both are empty.
fn same(a: &StringArray, b: &StringArray) -> bool {
    if a.is_empty() && b.is_empty() {
        return true;
    }
    a.len() == b.len()
        && a.value_data().as_ptr() == b.value_data().as_ptr()
        && a.value_offsets().as_ptr() == b.value_offsets().as_ptr()
}

/// A line's id and interval as 128 bits.
pub fn identity_hash(id: Option<&str>, interval: Option<&str>) -> u128 {
    let half = |seed| u128::from(FixedState::with_seed(seed).hash_one((id, interval)));
    half(1) << 64 | half(2)
}
