//! Sums of rows by what they agree in, one share of all hashes after the other.
//!
//! Rows go into a file without a name, each into its share's blocks. A share has so few rows that its sums are in memory; they go into a second file in the order of their first rows, and are read from all shares
//! at once, in that order.

use super::{WriteError, units_of};
use billing::money::{Amount, DecimalError};
use foldhash::fast::FixedState;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// How many rows a share has, about.
const SHARE_ROWS: u64 = 65_536;
/// How many shares there are at most: of each a block is in memory.
const SHARES_MAX: u64 = 1_024;
/// How much of a share is written or read at once, about.
const BLOCK_BYTES: usize = 16_384;

/// A row as it is summed.
pub struct Row<'r> {
    /// Of what it agrees in with others.
    pub hash: [u8; 16],
    /// Its number among the rows of its group.
    pub number: u64,
    /// The columns that are added up, by the bits of their doubles.
    pub words: &'r [Option<u64>],
}

/// What rows that agree sum to.
#[derive(Debug, PartialEq, Eq)]
pub struct Sum {
    /// The number of the first of them.
    pub number: u64,
    /// The columns that are added up, in units of 10⁻²⁰; none where no row has a value.
    pub amounts: Vec<Option<i128>>,
}

/// The rows of all shares.
pub struct Shares {
    file: File,
    end: u64,
    shares: Vec<Share>,
    /// How many columns are added up.
    width: usize,
}

#[derive(Default)]
struct Share {
    /// What is not yet in the file.
    rest: Vec<u8>,
    blocks: Vec<(u64, usize)>,
}

impl Shares {
    /// Shares for so many rows with so many columns.
    pub fn new(folder: &Path, rows: u64, width: usize) -> io::Result<Self> {
        let count = (rows / SHARE_ROWS + 1).min(SHARES_MAX);
        let shares = (0..count).map(|_| Share::default()).collect();
        Ok(Self { file: tempfile::tempfile_in(folder)?, end: 0, shares, width })
    }

    /// Puts a row into its share.
    pub fn put(&mut self, row: &Row<'_>) -> io::Result<()> {
        let [one, two, three, four, ..] = row.hash;
        let count = self.shares.len();
        let share = &mut self.shares[u32::from_le_bytes([one, two, three, four]) as usize % count];
        share.rest.extend_from_slice(&row.hash);
        share.rest.extend_from_slice(&row.number.to_le_bytes());
        for word in row.words {
            share.rest.push(u8::from(word.is_some()));
            share.rest.extend_from_slice(&word.unwrap_or(0).to_le_bytes());
        }
        if share.rest.len() >= BLOCK_BYTES {
            self.file.write_all_at(&share.rest, self.end)?;
            share.blocks.push((self.end, share.rest.len()));
            self.end += share.rest.len() as u64;
            share.rest.clear();
        }
        Ok(())
    }

    /// What rows that agree sum to, by the number of their first row.
    pub fn sums(self) -> Result<Sums, WriteError> {
        let mut all = Sums {
            runs: Vec::with_capacity(self.shares.len()),
            next: BinaryHeap::new(),
            file: self.file.try_clone()?,
            width: self.width,
        };
        let mut end = self.end;
        for share in &self.shares {
            let mut summing = Summing { places: HashMap::default(), sums: Vec::new() };
            for (at, bytes) in &share.blocks {
                let mut block = vec![0; *bytes];
                self.file.read_exact_at(&mut block, *at)?;
                summing.add(&block, self.width)?;
            }
            summing.add(&share.rest, self.width)?;
            summing.sums.sort_unstable_by_key(|sum| sum.number);
            let mut content = Vec::new();
            summing.sums.iter().for_each(|sum| put_sum(sum, &mut content));
            self.file.write_all_at(&content, end)?;
            all.runs.push(Run { at: end, end: end + content.len() as u64, block: Vec::new(), from: 0 });
            end += content.len() as u64;
        }
        for run in 0..all.runs.len() {
            all.advance(run)?;
        }
        Ok(all)
    }
}

/// The sums of a share.
struct Summing {
    places: HashMap<[u8; 16], usize, FixedState>,
    sums: Vec<Sum>,
}

impl Summing {
    /// Adds the rows of a block.
    fn add(&mut self, block: &[u8], width: usize) -> Result<(), WriteError> {
        for row in block.chunks_exact(16 + 8 + 9 * width) {
            let mut hash = [0; 16];
            hash.copy_from_slice(&row[..16]);
            let number = u64_of(&row[16..24]);
            let next = self.sums.len();
            let place = *self.places.entry(hash).or_insert(next);
            if place == next {
                self.sums.push(Sum { number, amounts: vec![None; width] });
            }
            let sum = &mut self.sums[place];
            for (amount, word) in sum.amounts.iter_mut().zip(row[24..].chunks_exact(9)) {
                if word[0] == 1 {
                    let more = units_of(u64_of(&word[1..]))?;
                    let sum = amount.unwrap_or(0).checked_add(more).ok_or(DecimalError::TooLarge)?;
                    *amount = Some(Amount::from_units(sum)?.units());
                }
            }
        }
        Ok(())
    }
}

fn u64_of(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_le_bytes)
}

fn put_sum(sum: &Sum, content: &mut Vec<u8>) {
    content.extend_from_slice(&sum.number.to_le_bytes());
    for amount in &sum.amounts {
        content.push(u8::from(amount.is_some()));
        content.extend_from_slice(&amount.unwrap_or(0).to_le_bytes());
    }
}

/// The sums of all shares, in the order of their first rows.
pub struct Sums {
    file: File,
    width: usize,
    runs: Vec<Run>,
    /// The number of the next sum of each share.
    next: BinaryHeap<Reverse<(u64, usize)>>,
}

/// The sums of a share that were not yet given.
struct Run {
    at: u64,
    end: u64,
    block: Vec<u8>,
    from: usize,
}

impl Sums {
    /// The next one.
    pub fn next(&mut self) -> Result<Option<Sum>, WriteError> {
        let Some(Reverse((number, run))) = self.next.pop() else { return Ok(None) };
        let bytes = self.bytes();
        let of_run = &mut self.runs[run];
        let content = &of_run.block[of_run.from + 8..of_run.from + bytes];
        let amount =
            |word: &[u8]| (word[0] == 1).then(|| word[1..].try_into().map_or(0, i128::from_le_bytes));
        let amounts = content.chunks_exact(17).map(amount).collect();
        of_run.from += bytes;
        self.advance(run)?;
        Ok(Some(Sum { number, amounts }))
    }

    /// How long a sum is.
    const fn bytes(&self) -> usize {
        8 + 17 * self.width
    }

    /// Looks at the next sum of a share, where there is one.
    fn advance(&mut self, run: usize) -> Result<(), WriteError> {
        let bytes = self.bytes();
        let of_run = &mut self.runs[run];
        if of_run.from == of_run.block.len() {
            let whole = (BLOCK_BYTES / bytes).max(1) * bytes;
            let left = usize::try_from(of_run.end - of_run.at).unwrap_or(usize::MAX);
            of_run.block.resize(whole.min(left), 0);
            of_run.from = 0;
            self.file.read_exact_at(&mut of_run.block, of_run.at)?;
            of_run.at += of_run.block.len() as u64;
        }
        if of_run.from < of_run.block.len() {
            let number = u64_of(&of_run.block[of_run.from..of_run.from + 8]);
            self.next.push(Reverse((number, run)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    //! Sums of many rows are those that a map of all of them has.

    use super::*;
    use crate::number::bits_of_text;
    use std::collections::BTreeMap;

    #[test]
    fn sums_come_in_the_order_of_their_first_rows() {
        let folder = tempfile::TempDir::new().unwrap();
        let rows = 3 * SHARE_ROWS;
        let mut shares = Shares::new(folder.path(), rows, 2).unwrap();
        let mut naive: BTreeMap<u64, (u64, i128)> = BTreeMap::new();
        let mut random = 7_u64;
        for number in 0..rows {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let key = (random >> 33) % 50_000;
            let mut hash = [0; 16];
            hash[..8].copy_from_slice(&key.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
            hash[8..].copy_from_slice(&key.to_le_bytes());
            let cents = i128::from(random >> 50);
            let word = bits_of_text(&format!("{}.{:02}", cents / 100, cents % 100));
            shares.put(&Row { hash, number, words: &[word, None] }).unwrap();
            naive.entry(key).or_insert((number, 0)).1 += cents;
        }
        let mut expected: Vec<(u64, i128)> = naive.into_values().collect();
        expected.sort_unstable();
        let mut sums = shares.sums().unwrap();
        for (number, cents) in expected {
            let amounts = vec![Some(cents * billing::money::ten_to(18)), None];
            assert_eq!(sums.next().unwrap(), Some(Sum { number, amounts }));
        }
        assert_eq!(sums.next().unwrap(), None);
    }

    #[test]
    fn what_has_more_decimals_than_money_is_rounded() {
        let units = |text: &str| units_of(bits_of_text(text).unwrap()).unwrap();
        assert_eq!(units("0.1"), billing::money::ten_to(19));
        assert_eq!(units("-1.5"), -15 * billing::money::ten_to(19));
        assert_eq!(units("0.0000000012345678901234"), 123_456_789_012);
        assert_eq!(units("-0.0000000012345678906"), -123_456_789_060);
        assert_eq!(units("0.0000000000000000000051"), 1);
        assert_eq!(units("1000000000000"), 1_000_000_000_000 * billing::money::ten_to(20));
        assert!(units_of(bits_of_text("1e300").unwrap()).is_err());
    }
}
