//! Rows of a day or of the month: those of a group that agree in every column of the table but their hours are one row, with the sum of their amounts.
//!
//! A row of the sum stands where the first of its rows stood, so that the order is that of the delivery. Rows are read twice, chunk by chunk: the first time a hash of what they agree in and their amounts go
//! into a file, share by share of all hashes, so that one share is in memory at a time; the second time what came of it is taken from them. Sums are exact, and each is written like every amount, with fifteen
//! digits; what that takes away goes to the residue row, which is therefore made afterwards.

mod shares;

use super::WriteError;
use super::collect::{Collector, double};
use super::group_rows::{Chunk, Column, Numbering, cut};
use super::output::Output;
use super::plan::Plan;
use super::segment::{Segment, put_texts, put_words};
use super::treatment::{Kind, Treatment};
use super::view::{Takes, class_of};
use crate::{number, timestamp};
use billing::charge_class::{Cube, KeyColumn};
use billing::instant::{instant_text, month_of};
use billing::money::{Amount, DecimalError, divide_half_away, ten_to};
use billing::rate_card::written_amount;
use export_query::Granularity;
use sha2::{Digest, Sha256};
use shares::{Row, Shares, Sum, Sums};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// How many rows are read at once: all columns of them are in memory.
const CHUNK_ROWS: usize = 8_192;
const SECONDS_OF_DAY: i64 = 86_400;

/// Columns that are added up. Every other number is a price, a factor, or a value of a whole term: rows that differ in one stay apart.
const ADDED_UP: [&str; 26] = [
    "BilledCost",
    "CommitmentDiscountQuantity",
    "ConsumedQuantity",
    "ContractedCost",
    "EffectiveCost",
    "ListCost",
    "PricingCurrencyEffectiveCost",
    "PricingQuantity",
    "line_item_blended_cost",
    "line_item_normalized_usage_amount",
    "line_item_unblended_cost",
    "line_item_usage_amount",
    "pricing_public_on_demand_cost",
    "reservation_amortized_upfront_cost_for_usage",
    "reservation_amortized_upfront_fee_for_billing_period",
    "reservation_effective_cost",
    "reservation_recurring_fee_for_usage",
    "reservation_unused_amortized_upfront_fee_for_billing_period",
    "reservation_unused_normalized_unit_quantity",
    "reservation_unused_quantity",
    "reservation_unused_recurring_fee",
    "savings_plan_amortized_upfront_commitment_for_billing_period",
    "savings_plan_recurring_commitment_for_billing_period",
    "savings_plan_savings_plan_effective_cost",
    "savings_plan_total_commitment_to_date",
    "savings_plan_used_commitment",
];
/// The one column of costs that is another one's twin.
const BLENDED: &str = "line_item_blended_cost";

/// What a column of the table is to a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Rows of a sum agree in it.
    Same,
    /// It is added up.
    Sum,
    /// The begin and the end of the row: those of its days or months.
    Start,
    End,
    /// Both of them as text.
    Interval,
    /// What the row is known by: made of what its rows agree in.
    Id,
    /// The table does not have the column.
    NotThere,
}

impl Part {
    fn of(output: &Output, plan: &Plan) -> Self {
        let key = output.key.as_str();
        let is_there = plan
            .query
            .as_ref()
            .is_none_or(|query| query.table.all_columns().iter().any(|(name, _)| *name == key));
        match (key, output.kind) {
            _ if !is_there || plan.left_out.iter().any(|name| name == key) => Self::NotThere,
            (_, Kind::Number) if ADDED_UP.contains(&key) => Self::Sum,
            ("line_item_usage_start_date" | "ChargePeriodStart", Kind::Time) => Self::Start,
            ("line_item_usage_end_date" | "ChargePeriodEnd", Kind::Time) => Self::End,
            ("identity_time_interval", Kind::Text) => Self::Interval,
            ("identity_line_item_id", Kind::Text) => Self::Id,
            _ => Self::Same,
        }
    }
}

/// The rows of sums, and what they are billed by currency.
pub(super) struct Summed {
    pub segments: Vec<Segment>,
    pub written: BTreeMap<String, Amount>,
}

/// Rows of a group, of which some are taken, that are to be summed.
pub(super) struct Summing<'a> {
    pub collector: &'a Collector<'a>,
    pub plan: &'a Plan,
    pub cube: &'a Cube,
    /// The rows, which are all of this group.
    pub segments: &'a [Segment],
    pub group: u32,
    /// Of a view: what its part takes.
    pub takes: Option<&'a Takes>,
    /// Where files without a name are made.
    pub folder: &'a Path,
}

/// The columns of a chunk, in the order of the outputs, with the places of its rows.
struct Read<'c> {
    columns: Vec<Column<'c>>,
    places: Vec<Option<u64>>,
    /// The texts of intervals, as those of days or months.
    intervals: Vec<Cow<'c, str>>,
}

impl Summing<'_> {
    /// Sums them.
    pub fn summed(&self, numbering: &mut Numbering<'_>) -> Result<Summed, WriteError> {
        let outputs = self.collector.outputs();
        let parts: Vec<Part> = outputs.iter().map(|output| Part::of(output, self.plan)).collect();
        let added_up = parts.iter().filter(|part| **part == Part::Sum).count();
        let rows = self.segments.iter().map(|segment| u64::from(segment.rows)).sum();
        let mut shares = Shares::new(self.folder, rows, added_up)?;
        let tags: Vec<[u8; 32]> = outputs.iter().map(|of| Sha256::digest(&of.key).into()).collect();
        let mut first = 0;
        for pieces in cut(self.segments, CHUNK_ROWS) {
            let chunk = Chunk::read(&self.collector.scratch, &pieces)?;
            self.put_into(&mut shares, &self.read(&chunk, &parts, numbering)?, (&parts, &tags), first)?;
            first += chunk.rows() as u64;
        }
        self.taken_from(shares.sums()?, (&parts, &tags), numbering)
    }

    fn read<'c, 't: 'c>(
        &self,
        chunk: &'c Chunk,
        parts: &[Part],
        numbering: &mut Numbering<'t>,
    ) -> Result<Read<'c>, WriteError> {
        let lost = || io::Error::other("the scratch file does not hold what was written");
        let mut taken = chunk.columns();
        let mut columns = Vec::with_capacity(parts.len());
        for output in self.collector.outputs() {
            let is_text = !matches!(output.kind, Kind::Number | Kind::Time);
            columns.push(taken.take(numbering, is_text).ok_or_else(lost)?);
        }
        let Some(Column::Words(places)) = taken.take(numbering, false) else { return Err(lost().into()) };
        let mut intervals = Vec::new();
        for (column, part) in columns.iter_mut().zip(parts) {
            match (column, part) {
                (Column::Words(words), Part::Start) => self.at_times(words, Self::first_of),
                (Column::Words(words), Part::End) => self.at_times(words, Self::end_of),
                (Column::Texts { distinct, .. }, Part::Interval) => {
                    let text = |bytes: &'c [u8]| self.interval(String::from_utf8_lossy(bytes));
                    intervals = distinct.iter().copied().map(text).collect();
                }
                _ => {}
            }
        }
        Ok(Read { columns, places, intervals })
    }

    /// Puts the rows that are taken into the shares; `first` is the number of the chunk's first row.
    fn put_into(
        &self,
        shares: &mut Shares,
        read: &Read<'_>,
        (parts, tags): (&[Part], &[[u8; 32]]),
        first: u64,
    ) -> Result<(), WriteError> {
        let hashed = Hashed::of(read, parts, tags);
        let amounts: Vec<&[Option<u64>]> = (read.columns.iter().zip(parts))
            .filter_map(|(column, part)| match (column, part) {
                (Column::Words(words), Part::Sum) => Some(words.as_slice()),
                _ => None,
            })
            .collect();
        let mut words = Vec::with_capacity(amounts.len());
        for (row, place) in read.places.iter().enumerate() {
            if self.takes.is_some_and(|takes| !takes.has(*place)) {
                continue;
            }
            words.clear();
            words.extend(amounts.iter().map(|of| of[row]));
            shares.put(&Row { hash: hashed.row(row), number: first + row as u64, words: &words })?;
        }
        Ok(())
    }

    /// Writes each sum with what the first of its rows says.
    fn taken_from(
        &self,
        mut sums: Sums,
        (parts, tags): (&[Part], &[[u8; 32]]),
        numbering: &mut Numbering<'_>,
    ) -> Result<Summed, WriteError> {
        let mut summed = Summed { segments: Vec::new(), written: BTreeMap::new() };
        let (mut first, mut next) = (0, sums.next()?);
        for pieces in cut(self.segments, CHUNK_ROWS) {
            let rows: u64 = pieces.iter().map(|(_, rows)| rows.len() as u64).sum();
            let mut of_chunk: Vec<(usize, Sum)> = Vec::new();
            while let Some(sum) = next.take_if(|sum| sum.number < first + rows) {
                // A chunk has few rows.
                of_chunk.push((usize::try_from(sum.number - first).unwrap_or(usize::MAX), sum));
                next = sums.next()?;
            }
            first += rows;
            if of_chunk.is_empty() {
                continue;
            }
            let chunk = Chunk::read(&self.collector.scratch, &pieces)?;
            let read = self.read(&chunk, parts, numbering)?;
            self.write(&mut summed, &read, (parts, tags), &of_chunk)?;
        }
        Ok(summed)
    }

    fn write(
        &self,
        summed: &mut Summed,
        read: &Read<'_>,
        (parts, tags): (&[Part], &[[u8; 32]]),
        sums: &[(usize, Sum)],
    ) -> Result<(), WriteError> {
        let hashed = Hashed::of(read, parts, tags);
        let (mut content, mut nth) = (Vec::new(), 0);
        for ((output, column), part) in self.collector.outputs().iter().zip(&read.columns).zip(parts) {
            match (column, part) {
                (_, Part::NotThere) => put_words([None].into_iter(), &mut content),
                (_, Part::Sum) => {
                    let is_billed = output.treatment == Treatment::Cost && output.key != BLENDED;
                    let mut words = Vec::with_capacity(sums.len());
                    for (row, sum) in sums {
                        let amount =
                            sum.amounts[nth].map(Amount::from_units).transpose()?.map(written_amount);
                        words.push(amount.map(double));
                        if let Some(amount) = amount.filter(|_| is_billed) {
                            let of = summed.written.entry(self.currency(read.places[*row])).or_default();
                            *of = of.plus(amount.amount())?;
                        }
                    }
                    nth += 1;
                    put_words(words.into_iter(), &mut content);
                }
                (_, Part::Id) => {
                    let ids: Vec<String> =
                        sums.iter().map(|(row, _)| crate::hash::hex(&hashed.row(*row))).collect();
                    put_texts(ids.iter().map(|id| Some(id.as_str())), &mut content);
                }
                (Column::Words(words), _) => {
                    put_words(sums.iter().map(|(row, _)| words[*row]), &mut content);
                }
                (Column::Texts { places, .. }, Part::Interval) => {
                    let text =
                        |(row, _): &(usize, Sum)| Some(read.intervals[places[*row]? as usize].as_ref());
                    put_texts(sums.iter().map(text), &mut content);
                }
                (Column::Texts { distinct, places }, _) => {
                    // Texts were checked when they were read.
                    let text =
                        |(row, _): &(usize, Sum)| std::str::from_utf8(distinct[places[*row]? as usize]).ok();
                    put_texts(sums.iter().map(text), &mut content);
                }
            }
        }
        put_words(sums.iter().map(|(row, _)| read.places[*row]), &mut content);
        let order = sums.first().map_or(0, |(_, sum)| sum.number);
        // Segments are in the order in which they are written.
        let order = (u32::try_from(order >> 32).unwrap_or(u32::MAX), order as u32, 0);
        let places = [(self.group, super::short(sums.len()), content.len())];
        summed.segments.extend(self.collector.scratch.append(order, &content, &places)?);
        Ok(())
    }

    /// The currency of a row, by its class.
    fn currency(&self, place: Option<u64>) -> String {
        let class = place.and_then(|place| class_of(place, self.cube, self.collector));
        class.and_then(|class| self.cube.value(class, KeyColumn::Currency)).unwrap_or_default().to_owned()
    }

    /// Takes instants, in milliseconds, to those of their days or months. Most of a chunk are the same few.
    fn at_times(&self, words: &mut [Option<u64>], at: fn(&Self, i64) -> i64) {
        let mut known: BTreeMap<u64, u64> = BTreeMap::new();
        for word in words.iter_mut().flatten() {
            let seconds = word.cast_signed().div_euclid(1_000);
            *word = *known.entry(*word).or_insert_with(|| (at(self, seconds) * 1_000).cast_unsigned());
        }
    }

    /// The first instant of the day or the month of an instant, in seconds.
    fn first_of(&self, seconds: i64) -> i64 {
        let day = seconds.div_euclid(SECONDS_OF_DAY) * SECONDS_OF_DAY;
        match self.plan.granularity {
            Granularity::Monthly => month_of(seconds).map_or(day, |month| month.start_seconds()),
            Granularity::Daily | Granularity::Hourly => day,
        }
    }

    /// The end of the last day or month that ends with an instant, in seconds: fees end a second before the hour.
    fn end_of(&self, seconds: i64) -> i64 {
        let first = self.first_of(seconds);
        match self.plan.granularity {
            _ if first == seconds => seconds,
            Granularity::Monthly => month_of(seconds).map_or(first, |month| month.end_seconds()),
            Granularity::Daily | Granularity::Hourly => first + SECONDS_OF_DAY,
        }
    }

    /// An interval as that of its days or months; what is none stays as it is.
    fn interval<'c>(&self, text: Cow<'c, str>) -> Cow<'c, str> {
        let ends = text.split_once('/').and_then(|(start, end)| {
            Some((self.first_of(timestamp::seconds(start)?), self.end_of(timestamp::seconds(end)?)))
        });
        match ends {
            Some((start, end)) => Cow::Owned(format!("{}/{}", instant_text(start), instant_text(end))),
            None => text,
        }
    }
}

/// What rows of a chunk agree in, hashed: each text once, and of each row those of its values.
struct Hashed<'r> {
    columns: Vec<HashedColumn<'r>>,
}

enum HashedColumn<'r> {
    Texts { tag: [u8; 8], hashes: Vec<[u8; 16]>, places: &'r [Option<u32>] },
    Words { tag: [u8; 8], words: &'r [Option<u64>] },
}

impl<'r> Hashed<'r> {
    fn of(read: &'r Read<'_>, parts: &[Part], tags: &[[u8; 32]]) -> Self {
        let mut columns = Vec::new();
        for ((column, part), tag) in read.columns.iter().zip(parts).zip(tags) {
            if matches!(part, Part::Sum | Part::Id | Part::NotThere) {
                continue;
            }
            let tag = front(tag);
            columns.push(match column {
                Column::Words(words) => HashedColumn::Words { tag, words },
                Column::Texts { distinct, places } => {
                    let hash = |text: &[u8]| front(&Sha256::digest(text).into());
                    let hashes = match part {
                        Part::Interval => read.intervals.iter().map(|text| hash(text.as_bytes())).collect(),
                        _ => distinct.iter().map(|text| hash(text)).collect(),
                    };
                    HashedColumn::Texts { tag, hashes, places }
                }
            });
        }
        Self { columns }
    }

    /// Of a row: equal values have equal hashes, and no others, as far as SHA-256 tells texts apart.
    fn row(&self, row: usize) -> [u8; 16] {
        let mut hash = Sha256::new();
        for column in &self.columns {
            match column {
                HashedColumn::Texts { tag, hashes, places } => {
                    if let Some(place) = places[row] {
                        hash.update(tag);
                        hash.update(hashes[place as usize]);
                    }
                }
                HashedColumn::Words { tag, words } => {
                    if let Some(word) = words[row] {
                        hash.update(tag);
                        hash.update(word.to_le_bytes());
                    }
                }
            }
        }
        front(&hash.finalize().into())
    }
}

/// The first bytes of a hash.
fn front<const N: usize>(hash: &[u8; 32]) -> [u8; N] {
    let mut front = [0; N];
    front.copy_from_slice(&hash[..N]);
    front
}

/// The number of a cost file or of a price, given by the bits of its double, in units of 10⁻²⁰. A copied number with more decimals is rounded, half away from zero; no amount has more.
fn units_of(bits: u64) -> Result<i128, DecimalError> {
    let text = number::text_of_bits(bits);
    let Some((whole, fraction)) = text.split_once('.').filter(|(_, fraction)| fraction.len() > 20) else {
        return Amount::parse(&text).map(Amount::units);
    };
    let (kept, next) = fraction.split_at(20);
    let units = Amount::parse(&format!("{whole}.{kept}"))?.units();
    let (more, _) = divide_half_away(i128::from(next.as_bytes()[0] - b'0'), ten_to(1));
    Ok(if text.starts_with('-') { units - more } else { units + more })
}

#[cfg(test)]
mod tests {
    //! What is added up was decided of every column.

    use super::super::{cur_columns, focus_columns};
    use super::*;

    /// Numbers that keep rows apart.
    const KEPT_APART: [&str; 7] = [
        "ContractedUnitPrice",
        "ListUnitPrice",
        "PricingCurrencyContractedUnitPrice",
        "PricingCurrencyListUnitPrice",
        "line_item_normalization_factor",
        "reservation_upfront_value",
        "savings_plan_savings_plan_rate",
    ];

    #[test]
    fn every_number_is_added_up_or_keeps_rows_apart() {
        let of_cur = cur_columns::COLUMNS.iter().map(|(name, kind, treatment)| (*name, *kind, *treatment));
        let of_focus = focus_columns::COLUMNS.iter().map(|(name, kind, of, ..)| (*name, *kind, *of));
        // One that nobody fills has nothing to add up.
        let numbers = of_cur.chain(of_focus).filter(|(_, kind, _)| *kind == Kind::Number);
        let mut numbers: Vec<&str> =
            numbers.filter(|(.., treatment)| *treatment != Treatment::Blank).map(|(name, ..)| name).collect();
        let mut decided = [&ADDED_UP[..], &KEPT_APART].concat();
        numbers.sort_unstable();
        decided.sort_unstable();
        assert_eq!(numbers, decided);
    }
}
