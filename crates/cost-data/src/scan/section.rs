//! A section: batches in a row whose key columns share their dictionaries, as those of a row group do.
//!
//! Within a section a value is known by its place in its dictionary, so a key is a few bits per column, two or three words in
//! all, and is made without looking anything up. A section has few classes, so its table and its sums stay in the near
//! caches; when it ends they are added to the month's classes.

use super::{KEY_WORDS, hash_of};
use billing::charge_class::{KEY_COLUMNS, MEASURES, Measure};
use hashbrown::HashTable;

/// The class of rows that are not summed: of another period, or rejected.
pub const NO_CLASS: u32 = 0;

/// How many rows have their keys and sums made at once, so that what they touch stays in the nearest cache.
pub const BLOCK_ROWS: usize = 64;

/// The keys of a block of rows, word by word, so that a column's loop over the rows has no gaps.
pub type BlockKeys = [[u64; BLOCK_ROWS]; KEY_WORDS];

/// Where a column's code is in the keys of a section.
#[derive(Debug, Clone, Copy, Default)]
pub struct Field {
    pub word: usize,
    pub shift: u32,
}

/// The classes of a section. Number 0 is [`NO_CLASS`].
#[derive(Default)]
pub struct Section {
    pub fields: [Field; KEY_COLUMNS],
    /// How many words its keys have.
    words: usize,
    table: HashTable<u32>,
    /// The classes' keys, one after the other.
    keys: Vec<u64>,
    pub classes: Vec<SectionClass>,
    sums: Vec<[i64; MEASURES]>,
    /// What the sums could not hold: class, measure, units.
    pub beyond: Vec<(u32, Measure, i128)>,
    /// What the hash keeps of its 64 bits; tests keep few, so that collisions happen.
    pub hash_mask: u64,
}

/// The rate of a class before its first line.
pub const NO_LINE: u32 = u32::MAX;

/// A class of a section, but for its sums.
pub struct SectionClass {
    /// Its number among the month's classes.
    pub number: u32,
    pub lines: u64,
    pub lines_without_net: u64,
    /// The number of the unblended rate that all lines have, 0 where they differ.
    pub rate: u32,
}

impl SectionClass {
    const fn new(number: u32) -> Self {
        Self { number, lines: 0, lines_without_net: 0, rate: NO_LINE }
    }

    /// Counts a line at a rate.
    #[inline]
    pub fn add_line(&mut self, rate: u32) {
        self.lines += 1;
        note_rate(&mut self.rate, rate);
    }
}

/// Takes note of more lines' rate: that of the lines before, or there is no one rate.
#[inline]
pub fn note_rate(known: &mut u32, rate: u32) {
    if *known != rate {
        *known = if *known == NO_LINE { rate } else { 0 };
    }
}

impl Section {
    /// A section that has yet to begin.
    pub fn new() -> Self {
        Self { hash_mask: u64::MAX, ..Self::default() }
    }

    /// Forgets all classes, and gives every column as many bits of a key as its codes take.
    pub fn begin(&mut self, code_bits: impl Iterator<Item = u32>) {
        let (mut word, mut shift) = (0, 0);
        for (field, bits) in self.fields.iter_mut().zip(code_bits) {
            if shift + bits > u64::BITS {
                (word, shift) = (word + 1, 0);
            }
            // A column of one code takes no bits, and may come where a word is full.
            *field = Field { word, shift: shift.min(u64::BITS - 1) };
            shift += bits;
        }
        self.words = word + 1;
        self.table.clear();
        self.keys.clear();
        self.keys.resize(self.words, 0);
        self.classes.clear();
        self.classes.push(SectionClass::new(NO_CLASS));
        self.sums.clear();
        self.sums.push([0; MEASURES]);
        self.beyond.clear();
    }

    /// Gives all keys of a block the bits that they have in common.
    pub fn fill(&self, keys: &mut BlockKeys, common: &[u64; KEY_WORDS]) {
        keys.iter_mut().zip(common).take(self.words).for_each(|(keys, word)| keys.fill(*word));
    }

    /// The hash of a row's key.
    #[inline]
    pub fn hash(&self, keys: &BlockKeys, row: usize) -> u64 {
        hash_of(keys[..self.words].iter().map(|word| word[row])) & self.hash_mask
    }

    /// The class of a row's key.
    #[inline]
    pub fn find(&self, keys: &BlockKeys, row: usize, hash: u64) -> Option<u32> {
        let is_same = |class: &u32| {
            let known = &self.keys[*class as usize * self.words..][..self.words];
            known.iter().zip(keys).fold(0, |differing, (known, word)| differing | (known ^ word[row])) == 0
        };
        self.table.find(hash, is_same).copied()
    }

    /// Makes the class of a row's key, which has none yet.
    pub fn insert(&mut self, keys: &BlockKeys, row: usize, hash: u64, number: u32) -> u32 {
        let class = u32::try_from(self.classes.len()).unwrap_or(u32::MAX);
        self.keys.extend(keys[..self.words].iter().map(|word| word[row]));
        self.classes.push(SectionClass::new(number));
        self.sums.push([0; MEASURES]);
        let (known, words, mask) = (&self.keys, self.words, self.hash_mask);
        let rehash = |class: &u32| hash_of(known[*class as usize * words..][..words].iter().copied()) & mask;
        self.table.insert_unique(hash, class, rehash);
        class
    }

    /// Adds rows' units of a measure to the rows' classes.
    #[inline]
    pub fn add(&mut self, classes: &[u32], measure: Measure, units: &[i64]) {
        for (class, units) in classes.iter().zip(units) {
            let sum = &mut self.sums[*class as usize][measure as usize];
            match sum.checked_add(*units) {
                Some(more) => *sum = more,
                None => self.beyond.push((*class, measure, i128::from(*units))),
            }
        }
    }

    /// The sums of every class.
    pub fn sums(&self) -> impl Iterator<Item = (&SectionClass, &[i64; MEASURES])> {
        self.classes.iter().zip(&self.sums).skip(1)
    }
}
