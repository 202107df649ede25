//! One key column of the scan: its distinct texts, their numbers and hashes, and the loops over rows.

use super::{is_null, key_text};
use crate::batch::Codes;
use arrow_array::{Array, StringArray};
use billing::charge_class::KeyColumn;
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::hash::BuildHasher;

/// All ones on the rows that take part, else 0.
pub type Mask = Vec<u64>;

/// The number of the one value of a state column.
pub const STATE_CODE: u32 = 1;

/// The distinct texts of a key column. Number 0 is null, whose hash is 0.
pub struct KeyTexts {
    column: KeyColumn,
    hasher: FixedState,
    numbers: HashMap<Box<str>, u32, FixedState>,
    texts: Vec<Box<str>>,
    /// The dictionary that `codes` and `hashes` are for, held so that its address stays its own.
    dictionary: Option<StringArray>,
    /// By dictionary key: number and hash; nulls of the rows have a place of their own at the end.
    codes: Vec<u32>,
    hashes: Vec<u64>,
}

impl KeyTexts {
    pub fn new(column: KeyColumn) -> Self {
        let hasher = FixedState::with_seed(column as u64 + 1);
        let mut texts = Self {
            column,
            hasher,
            numbers: HashMap::with_hasher(FixedState::with_seed(0)),
            texts: Vec::new(),
            dictionary: None,
            codes: Vec::new(),
            hashes: Vec::new(),
        };
        if column == KeyColumn::PublicCostState {
            texts.number("+");
        }
        texts
    }

    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        self.texts.push(text.into());
        // One text per row at most, and a column of a batch has fewer rows than u32 holds.
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.numbers.insert(text.into(), number);
        number
    }

    fn hash(&self, number: u32) -> u64 {
        self.text(number).map_or(0, |text| self.hasher.hash_one(text))
    }

    /// How many distinct texts there are.
    pub fn count(&self) -> usize {
        self.texts.len()
    }

    pub fn text(&self, number: u32) -> Option<&str> {
        self.texts.get((number as usize).checked_sub(1)?).map(AsRef::as_ref)
    }

    /// Numbers the values of a dictionary, unless it is the one of the batch before.
    pub fn renumber(&mut self, codes: &Codes) {
        let values = &codes.values;
        if self.dictionary.as_ref().is_some_and(|known| same(known, values)) {
            return;
        }
        self.codes.clear();
        self.hashes.clear();
        for value in values {
            let number = match value {
                Some(value) if !is_null(self.column, value) => self.number(&key_text(self.column, value)),
                _ => 0,
            };
            self.codes.push(number);
            let hash = self.hash(number);
            self.hashes.push(hash);
        }
        self.codes.push(0);
        self.hashes.push(0);
        self.dictionary = Some(values.clone());
    }

    /// A row's number.
    pub fn code(&self, codes: &Codes, row: usize) -> u32 {
        if codes.is_valid(row) { self.codes[place(codes.keys[row])] } else { 0 }
    }

    /// The one number of every row, where the column is constant.
    fn constant(&self, codes: &Codes) -> Option<usize> {
        (codes.nulls.is_none() && codes.values.len() == 1).then_some(0)
    }

    pub fn add_hashes(&self, codes: &Codes, rows: &mut [u64]) {
        if let Some(only) = self.constant(codes) {
            let hash = self.hashes[only];
            rows.iter_mut().for_each(|row| *row = row.wrapping_add(hash));
            return;
        }
        match &codes.nulls {
            None => {
                for (row, key) in rows.iter_mut().zip(codes.keys.iter()) {
                    *row = row.wrapping_add(self.hashes[place(*key)]);
                }
            }
            Some(nulls) if nulls.null_count() == rows.len() => {}
            Some(nulls) => {
                for ((row, key), valid) in rows.iter_mut().zip(codes.keys.iter()).zip(nulls.iter()) {
                    let place = if valid { place(*key) } else { self.hashes.len() - 1 };
                    *row = row.wrapping_add(self.hashes[place]);
                }
            }
        }
    }

    pub fn add_hashes_where(&self, codes: &Codes, mask: &Mask, rows: &mut [u64]) {
        for (row, hash) in rows.iter_mut().enumerate() {
            if mask[row] != 0 && codes.is_valid(row) {
                *hash = hash.wrapping_add(self.hashes[place(codes.keys[row])]);
            }
        }
    }

    pub fn add_state_hash(&self, mask: &Mask, rows: &mut [u64]) {
        let state = self.hash(STATE_CODE);
        for (row, mask) in rows.iter_mut().zip(mask) {
            *row = row.wrapping_add(state & mask);
        }
    }

    /// Rows whose number is not that of their class.
    pub fn differing(
        &self,
        codes: &Codes,
        mask: Option<&Mask>,
        classes: &[u32],
        of_class: &[u32],
    ) -> Vec<usize> {
        let number = |row: usize| match mask {
            Some(mask) if mask[row] == 0 => 0,
            _ => self.code(codes, row),
        };
        let differs = |row: usize| classes[row] != 0 && of_class[classes[row] as usize] != number(row);
        let any = match (&codes.nulls, mask) {
            (None, None) => {
                let rows = classes.iter().zip(codes.keys.iter());
                rows.fold(false, |any, (class, key)| {
                    any | ((*class != 0) & (of_class[*class as usize] != self.codes[place(*key)]))
                })
            }
            (Some(nulls), None) if nulls.null_count() < classes.len() => {
                let null = self.codes.len() - 1;
                let rows = classes.iter().zip(codes.keys.iter()).zip(nulls.iter());
                rows.fold(false, |any, ((class, key), valid)| {
                    let place = if valid { place(*key) } else { null };
                    any | ((*class != 0) & (of_class[*class as usize] != self.codes[place]))
                })
            }
            _ => (0..classes.len()).any(differs),
        };
        if any { (0..classes.len()).filter(|row| differs(*row)).collect() } else { Vec::new() }
    }

    /// Which rows have a value that fits; `None` where no row has.
    pub fn mask(&self, codes: &Codes, rows: usize, fits: impl Fn(&str) -> bool) -> Option<Mask> {
        let by_key: Vec<u64> = (self.codes.iter())
            .map(|number| if self.text(*number).is_some_and(&fits) { u64::MAX } else { 0 })
            .collect();
        if by_key.iter().all(|mask| *mask == 0) {
            return None;
        }
        let null = self.codes.len() - 1;
        let key = |row: usize| if codes.is_valid(row) { place(codes.keys[row]) } else { null };
        Some((0..rows).map(|row| by_key[key(row)]).collect())
    }
}

/// A dictionary key as an index; keys of valid rows are not negative.
#[inline]
fn place(key: i32) -> usize {
    key as u32 as usize
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

/// Rows whose class does not have the state that the mask says.
pub fn differing_state(mask: &Mask, classes: &[u32], of_class: &[u32]) -> Vec<usize> {
    let number = |row: usize| if mask[row] != 0 { STATE_CODE } else { 0 };
    (0..classes.len())
        .filter(|row| classes[*row] != 0 && of_class[classes[*row] as usize] != number(*row))
        .collect()
}

/// Rows whose class has a value where they have none.
pub fn differing_null(classes: &[u32], of_class: &[u32]) -> Vec<usize> {
    (0..classes.len()).filter(|row| of_class[classes[*row] as usize] != 0).collect()
}

/// A line's id and interval as 128 bits.
pub fn identity_hash(id: Option<&str>, interval: Option<&str>) -> u128 {
    let half = |seed| u128::from(FixedState::with_seed(seed).hash_one((id, interval)));
    half(1) << 64 | half(2)
}
