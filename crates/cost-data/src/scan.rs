//! The scan: batches of lines become charge classes.
//!
//! The kernel works column by column. Within a section, which is the batches of a row group, a row's key is its values' places in
//! their dictionaries, and finds the row's class in a hash table that compares whole keys. Across sections every distinct
//! value has a number, and a class of the month is known by its values' numbers. No value is hashed, compared or copied per row,
//! and two keys are never taken for one.

mod classify;
mod columns;
mod commitments;
mod daily;
mod merge;
mod section;

use crate::batch::{Batch, Numbers, Place, Reject, Terms};
use crate::commitment_inventory::Notes;
use crate::diagnostics::Diagnostic;
use crate::eligible_usage::Recorder;
use crate::focus::{self, OtherProviders};
use crate::layout::NECESSARY_VALUES;
use crate::limits::{CLASSES_MAX, REJECTS_LISTED_MAX};
use crate::number::{self, NumberNotes};
use crate::product_names::ProductNames;
use arrow_array::Array;
use billing::amortized::amortized_from;
use billing::charge_class::{KEY_COLUMNS, KeyColumn, MEASURES, Measure};
use billing::cost_line::LineItemType;
use billing::money::{Currency, Quantity};
use columns::{KeyTexts, Mask};
use hashbrown::HashTable;
use section::{BLOCK_ROWS, BlockKeys, NO_CLASS, NO_LINE, Section, note_rate};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

pub use classify::Classifier;
pub use commitments::Commitments;
pub use daily::{Daily, DaySums, DaysByClass, SUMS_BY_DAY};
pub use merge::{ClassNumbers, Merged, merge};

/// How many words a key has: two columns in each.
const KEY_WORDS: usize = KEY_COLUMNS.div_ceil(2);

/// The numbers of a row's values in all key columns, 32 bits each.
type Key = [u64; KEY_WORDS];

/// What one thread has read.
pub struct Scan {
    keys: Vec<KeyTexts>,
    table: HashTable<u32>,
    classes: Classes,
    pub names: ProductNames,
    /// Payer accounts, and where each was seen first.
    pub payers: BTreeMap<String, Place>,
    /// Net unblended and unblended units by currency, summed without classes.
    pub control: BTreeMap<String, (i128, i128)>,
    /// What other providers billed; their lines are no part of anything else.
    pub others: OtherProviders,
    pub counts: Counts,
    pub notes: NumberNotes,
    /// A hash of each line's id and interval, when lines are checked.
    pub identities: Vec<u128>,
    rejects_by_place: Vec<(Place, Diagnostic)>,
    /// Sums by day, where they are wanted.
    pub daily: Option<Daily>,
    /// What commitments are re-simulated from, where that is wanted.
    pub commitments: Option<Commitments>,
    section: Section,
    /// The class of every row of the batch, in the section.
    row_class: Vec<u32>,
}

/// How many lines had which fate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub read: u64,
    pub passed_by: u64,
    pub rejected: u64,
    pub usage_outside_period: u64,
}

impl Counts {
    /// Adds another count.
    pub fn absorb(&mut self, other: Self) {
        self.read += other.read;
        self.passed_by += other.passed_by;
        self.rejected += other.rejected;
        self.usage_outside_period += other.usage_outside_period;
    }
}

/// The classes; number 0 is [`NO_CLASS`].
#[derive(Default)]
struct Classes {
    keys: Vec<Key>,
    lines: Vec<u64>,
    lines_without_net: Vec<u64>,
    /// The unblended rate of all lines of a class, 0 where they differ.
    rates: Vec<u32>,
    /// Each class's sums side by side: adding a row touches one place in memory.
    sums: Vec<[i128; MEASURES]>,
}

impl Classes {
    fn push(&mut self, key: Key) -> u32 {
        let number = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        self.keys.push(key);
        self.lines.push(0);
        self.lines_without_net.push(0);
        self.rates.push(NO_LINE);
        self.sums.push([0; MEASURES]);
        number
    }

    /// The number of a class's value in a column.
    fn code(&self, class: usize, column: KeyColumn) -> u32 {
        code_in(&self.keys[class], column)
    }
}

/// The number of a column in a key.
fn code_in(key: &Key, column: KeyColumn) -> u32 {
    let (word, shift) = columns::place_in_key(column);
    (key[word] >> shift) as u32
}

/// Whether two keys are one; in line and without branches.
#[inline]
fn is_same(a: &Key, b: &Key) -> bool {
    a.iter().zip(b).fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
}

/// Odd numbers without pattern, one per word of a key: the products do not wait for each other.
const FACTORS: [u64; KEY_WORDS] = {
    let mut factors = [0x9e37_79b9_7f4a_7c15_u64; KEY_WORDS];
    let mut word = 1;
    while word < KEY_WORDS {
        factors[word] = factors[word - 1].wrapping_mul(0xd134_2543_de82_ef95);
        word += 1;
    }
    factors
};

/// A key's hash. Equal hashes of different keys cost a comparison and nothing else.
#[inline]
fn hash_of(key: impl Iterator<Item = u64>) -> u64 {
    let products = key.zip(FACTORS).map(|(word, factor)| word.wrapping_mul(factor));
    let sum = products.fold(0_u64, u64::wrapping_add);
    let mixed = (sum ^ sum >> 32).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ mixed >> 29
}

/// The scan cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("more than {CLASSES_MAX} charge classes: no real month has so many")]
pub struct TooManyClasses;

impl Scan {
    pub fn new() -> Self {
        let mut classes = Classes::default();
        classes.push([0; KEY_WORDS]);
        Self {
            keys: KeyColumn::ALL.map(KeyTexts::new).into(),
            table: HashTable::new(),
            classes,
            names: ProductNames::default(),
            payers: BTreeMap::new(),
            control: BTreeMap::new(),
            others: OtherProviders::new(),
            counts: Counts::default(),
            notes: NumberNotes::default(),
            identities: Vec::new(),
            rejects_by_place: Vec::new(),
            daily: None,
            commitments: None,
            section: Section::new(),
            row_class: Vec::new(),
        }
    }

    /// Rejected rows, at most [`REJECTS_LISTED_MAX`] of them, with their places.
    pub fn take_rejects(&mut self) -> Vec<(Place, Diagnostic)> {
        std::mem::take(&mut self.rejects_by_place)
    }

    /// Notes what rows of a row group say of commitments.
    pub fn note_terms(&mut self, terms: &Terms, first_row: usize) {
        let known = commitments::Known { keys: &self.keys, classes: &self.classes };
        if let Some(commitments) = &mut self.commitments {
            commitments.note_terms(terms, first_row, known);
        }
    }

    /// Hands over what commitments are re-simulated from.
    pub fn take_commitments(&mut self) -> Option<(Recorder, Notes)> {
        let known = commitments::Known { keys: &self.keys, classes: &self.classes };
        Some(self.commitments.take()?.finish(known))
    }

    /// Adds a batch of a file to the classes.
    pub fn add(&mut self, mut batch: Batch, file_name: &str) -> Result<(), TooManyClasses> {
        self.counts.read += batch.rows as u64;
        self.reject_rows_without_values(&mut batch);
        let keep = self.sort_out(&mut batch, file_name);
        let net = net_unblended(&batch);
        self.prepare(&batch);
        self.find_classes(&batch, keep.as_deref())?;
        self.sum(&batch, &net);
        if let Some(commitments) = &mut self.commitments {
            let known = commitments::Known { keys: &self.keys, classes: &self.classes };
            commitments.add(&batch, &net, known, &self.section, &self.row_class);
        }
        self.control_totals(&batch, &net, keep.as_deref());
        self.notes.absorb(batch.notes);
        Ok(())
    }

    /// Rows that lack what every line must have.
    fn reject_rows_without_values(&self, batch: &mut Batch) {
        for column in NECESSARY_VALUES {
            let name = batch.vocabulary.key_name(column);
            let Some(codes) = &batch.keys[column as usize] else { continue };
            let is_currency = column == KeyColumn::Currency;
            let sound = |text: &str| !text.is_empty() && (!is_currency || Currency::parse(text).is_some());
            let all_sound = codes.nulls.is_none() && codes.values.iter().all(|text| text.is_some_and(sound));
            if all_sound {
                continue;
            }
            for row in (0..batch.rows).filter(|row| !codes.text(*row).is_some_and(sound)) {
                let reason = if is_currency { "not a currency code" } else { "empty, which no line may be" };
                batch.rejects.push(Reject::new(row, name, Some(codes.text(row).unwrap_or("")), reason));
            }
        }
    }

    /// Counts and lists what is not summed; gives which rows are, `None` for all.
    fn sort_out(&mut self, batch: &mut Batch, file_name: &str) -> Option<Vec<bool>> {
        let mut keep = batch.in_period.take();
        let of_period = |keep: &Option<Vec<bool>>, row: usize| keep.as_ref().is_none_or(|keep| keep[row]);
        let passed_by = keep.iter().flatten().filter(|kept| !**kept).count();
        let of_others: u64 = batch.others.values().map(|(lines, _)| lines).sum();
        self.counts.passed_by += passed_by as u64 - of_others;
        focus::add_others(&mut self.others, std::mem::take(&mut batch.others));
        let mut rejects = std::mem::take(&mut batch.rejects);
        rejects.retain(|reject| of_period(&keep, reject.row));
        rejects.sort_by_key(|reject| reject.row);
        for reject in rejects {
            let keep = keep.get_or_insert_with(|| vec![true; batch.rows]);
            if std::mem::replace(&mut keep[reject.row], false) {
                self.counts.rejected += 1;
            }
            if self.rejects_by_place.len() < REJECTS_LISTED_MAX {
                let place = batch.place.of_row(reject.row);
                self.rejects_by_place.push((place, reject.diagnostic(file_name, batch.place)));
            }
        }
        let outside = batch.days.iter().flat_map(|days| &days.outside);
        self.counts.usage_outside_period += outside.filter(|(row, _)| of_period(&keep, *row)).count() as u64;
        self.note_payers(batch, keep.as_deref());
        self.note_identities(batch, keep.as_deref());
        keep
    }

    fn note_payers(&mut self, batch: &Batch, keep: Option<&[bool]>) {
        let payer = &batch.payer;
        let note = |payers: &mut BTreeMap<String, Place>, text: &str, place| {
            if let Some(first) = payers.get_mut(text) {
                *first = (*first).min(place);
            } else {
                payers.insert(text.to_owned(), place);
            }
        };
        if keep.is_none() && payer.nulls.is_none() && payer.values.len() == 1 {
            note(&mut self.payers, payer.values.value(0), batch.place);
            return;
        }
        for row in (0..batch.rows).filter(|row| keep.is_none_or(|keep| keep[*row])) {
            note(&mut self.payers, payer.text(row).unwrap_or(""), batch.place.of_row(row));
        }
    }

    fn note_identities(&mut self, batch: &Batch, keep: Option<&[bool]>) {
        let Some([id, interval]) = &batch.identity else { return };
        for row in (0..batch.rows).filter(|row| keep.is_none_or(|keep| keep[*row])) {
            self.identities.push(columns::identity_hash(id.text(row), interval.text(row)));
        }
    }

    /// Numbers the batch's dictionaries; where they are others than before, a new section begins.
    fn prepare(&mut self, batch: &Batch) {
        let (texts, within) = (self.keys.iter_mut().zip(&batch.keys), batch.place.row > 0);
        let other_codes =
            texts.fold(false, |other, (texts, codes)| texts.take(codes.as_ref(), within) | other);
        if other_codes || self.section.classes.is_empty() {
            self.end_section();
        }
    }

    /// Adds the sums of the section's classes to the month's, and begins another.
    fn end_section(&mut self) {
        for (class, sums) in self.section.sums() {
            let number = class.number as usize;
            self.classes.lines[number] += class.lines;
            self.classes.lines_without_net[number] += class.lines_without_net;
            note_rate(&mut self.classes.rates[number], class.rate);
            for (sum, more) in self.classes.sums[number].iter_mut().zip(sums) {
                *sum += i128::from(*more);
            }
        }
        for (class, measure, units) in self.section.beyond.drain(..).filter(|(class, ..)| *class != NO_CLASS)
        {
            let number = self.section.classes[class as usize].number as usize;
            self.classes.sums[number][measure as usize] += units;
        }
        self.section.begin(self.keys.iter().map(KeyTexts::code_bits));
    }

    /// Finds every row's class by its key, making those that are new.
    fn find_classes(&mut self, batch: &Batch, keep: Option<&[bool]>) -> Result<(), TooManyClasses> {
        self.row_class.clear();
        let masks = MaskSources::new(&self.keys, batch);
        let mut common = [0; KEY_WORDS];
        let mut varying = Vec::with_capacity(KEY_COLUMNS);
        for column in KeyColumn::ALL {
            let (texts, field) = (&self.keys[column as usize], self.section.fields[column as usize]);
            match (masks.of(column), texts.same_code()) {
                (Takes::Always, Some(code)) => common[field.word] |= code << field.shift,
                (Takes::Never, _) => {}
                (takes, _) => varying.push((column, field, takes)),
            }
        }
        let mut keys: BlockKeys = [[0; BLOCK_ROWS]; KEY_WORDS];
        for start in (0..batch.rows).step_by(BLOCK_ROWS) {
            let rows = start..batch.rows.min(start + BLOCK_ROWS);
            let masks = masks.block(&self.keys, rows.clone());
            self.section.fill(&mut keys, &common);
            for (column, field, takes) in &varying {
                let texts = &self.keys[*column as usize];
                match takes {
                    Takes::Always => texts.put_codes(*field, rows.clone(), &mut keys),
                    Takes::Where(mask) => {
                        texts.put_codes_where(&masks[*mask as usize], *field, rows.clone(), &mut keys);
                    }
                    Takes::State(mask) => columns::put_state(&masks[*mask as usize], *field, &mut keys),
                    Takes::Never => {}
                }
            }
            for (at, row) in rows.enumerate() {
                let class = match keep {
                    Some(keep) if !keep[row] => NO_CLASS,
                    _ => {
                        let hash = self.section.hash(&keys, at);
                        match self.section.find(&keys, at, hash) {
                            Some(class) => class,
                            None => {
                                let number = self.month_class(&masks.map(|mask| mask[at]), batch, row)?;
                                self.section.insert(&keys, at, hash, number)
                            }
                        }
                    }
                };
                self.row_class.push(class);
            }
        }
        Ok(())
    }

    /// The month's class of a row, new on first sight.
    #[cold]
    fn month_class(
        &mut self,
        masks: &[u64; MASKS],
        batch: &Batch,
        row: usize,
    ) -> Result<u32, TooManyClasses> {
        let mut key: Key = [0; KEY_WORDS];
        for column in KeyColumn::ALL {
            let number = match takes(column) {
                Takes::Always => self.keys[column as usize].number_at(row),
                Takes::Where(mask) if masks[mask as usize] != 0 => self.keys[column as usize].number_at(row),
                Takes::State(mask) if masks[mask as usize] != 0 => columns::STATE_CODE,
                _ => 0,
            };
            columns::put(column, number, &mut key);
        }
        let hash = hash_of(key.iter().copied()) & self.section.hash_mask;
        if let Some(class) = self.table.find(hash, |class| is_same(&self.classes.keys[*class as usize], &key))
        {
            return Ok(*class);
        }
        if self.classes.keys.len() > CLASSES_MAX {
            return Err(TooManyClasses);
        }
        let class = self.classes.push(key);
        let (keys, mask) = (&self.classes.keys, self.section.hash_mask);
        let rehash = |class: &u32| hash_of(keys[*class as usize].iter().copied()) & mask;
        self.table.insert_unique(hash, class, rehash);
        let text = |column: KeyColumn| self.keys[column as usize].text(code_in(&key, column)).unwrap_or("");
        let (service, product) = (text(KeyColumn::ServiceCode), text(KeyColumn::ProductCode));
        self.names.note(service, product, batch, row);
        Ok(class)
    }

    /// Adds every row's numbers to its class.
    fn sum(&mut self, batch: &Batch, net: &Numbers) {
        let section = &mut self.section;
        let rates = self.keys[KeyColumn::UnblendedRateState as usize].exact_numbers(batch.rows);
        for (class, rate) in self.row_class.iter().zip(rates) {
            section.classes[*class as usize].add_line(rate);
        }
        for (class, valid) in net.nulls.iter().flat_map(|nulls| self.row_class.iter().zip(nulls.iter())) {
            section.classes[*class as usize].lines_without_net += u64::from(!valid);
        }
        let others = batch.measures.iter().filter(|(measure, _)| *measure != Measure::NetUnblended);
        let others = others.map(|(measure, numbers)| (*measure, numbers));
        let columns: Vec<(Measure, &Numbers)> = others.chain([(Measure::NetUnblended, net)]).collect();
        for (start, classes) in (0..).step_by(BLOCK_ROWS).zip(self.row_class.chunks(BLOCK_ROWS)) {
            for (measure, numbers) in columns.iter().filter(|(_, numbers)| !numbers.units.is_empty()) {
                section.add(classes, *measure, &numbers.units[start..start + classes.len()]);
            }
        }
        if let Some(daily) = &mut self.daily {
            let classes = self.row_class.iter().map(|class| section.classes[*class as usize].number);
            let (keys, known) = (&self.keys, &self.classes);
            let terms = |class: u32| {
                let text = |column: KeyColumn| {
                    let text = keys[column as usize].text(known.code(class as usize, column));
                    text.unwrap_or_default()
                };
                let kind = LineItemType::parse(text(KeyColumn::LineItemType));
                let has = |column| !text(column).is_empty();
                amortized_from(kind, has(KeyColumn::ReservationArn), has(KeyColumn::SavingsPlanArn))
            };
            daily.add(classes, batch.days.as_ref(), &columns, terms);
        }
        for (measure, numbers) in columns {
            let wide = numbers.wide.iter().map(|(row, units)| (self.row_class[*row], measure, *units));
            section.beyond.extend(wide);
        }
    }

    /// Sums what the reconciliation compares the classes with, without looking at the classes.
    fn control_totals(&mut self, batch: &Batch, net: &Numbers, keep: Option<&[bool]>) {
        let Some(currency) = &batch.keys[KeyColumn::Currency as usize] else { return };
        let unblended = batch.numbers(Measure::Unblended);
        let texts = &self.keys[KeyColumn::Currency as usize];
        if keep.is_none() && texts.same_code().is_some() && batch.rows > 0 {
            let sum = |numbers: &Numbers| {
                let narrow = numbers.units.iter().map(|units| i128::from(*units)).sum::<i128>();
                narrow + numbers.wide.iter().map(|(_, units)| units).sum::<i128>()
            };
            let code = texts.text(texts.number_at(0)).unwrap_or_default();
            let total = self.control.entry(code.to_owned()).or_default();
            total.0 += sum(net);
            total.1 += unblended.map_or(0, sum);
            return;
        }
        let mut sums: HashMap<i32, (i128, i128)> = HashMap::new();
        for row in (0..batch.rows).filter(|row| keep.is_none_or(|keep| keep[*row])) {
            let sum = sums.entry(currency.keys[row]).or_default();
            sum.0 += net.value(row);
            sum.1 += unblended.map_or(0, |numbers| numbers.value(row));
        }
        for (key, (net, unblended)) in sums {
            let Ok(key) = usize::try_from(key) else { continue };
            let total = self.control.entry(currency.values.value(key).to_owned()).or_default();
            total.0 += net;
            total.1 += unblended;
        }
    }
}

impl Batch {
    /// The numbers of a measure that has one source.
    pub fn numbers(&self, measure: Measure) -> Option<&Numbers> {
        self.measures.iter().find(|(of, _)| *of == measure).map(|(_, numbers)| numbers)
    }
}

/// A row's measures, as the scan adds them to its class; a number beyond all money counts as 0, as in a rejected row.
pub fn line_measures(batch: &Batch, row: usize) -> [Quantity; MEASURES] {
    let net = net_unblended(batch);
    Measure::ALL.map(|measure| {
        let own = batch.measures.iter().filter(|(of, _)| *of == measure).map(|(_, numbers)| numbers);
        let units = match measure {
            Measure::NetUnblended => net.value(row),
            _ => own.map(|numbers| numbers.value(row)).sum(),
        };
        Quantity::from_units(units).unwrap_or_default()
    })
}

/// The net unblended cost, a line's unblended cost where it has no net; `nulls` says where.
fn net_unblended(batch: &Batch) -> Numbers {
    let unblended = batch.numbers(Measure::Unblended).cloned().unwrap_or_default();
    let absent = || vec![false; batch.rows].into();
    let Some(net) = batch.numbers(Measure::NetUnblended) else {
        return Numbers { nulls: Some(absent()), ..unblended };
    };
    let Some(nulls) = &net.nulls else { return net.clone() };
    if nulls.null_count() == batch.rows {
        return Numbers { nulls: Some(nulls.clone()), ..unblended };
    }
    let mut filled = Numbers { units: vec![0; batch.rows], nulls: Some(nulls.clone()), ..Numbers::default() };
    for row in 0..batch.rows {
        filled.set(row, if nulls.is_valid(row) { net.value(row) } else { unblended.value(row) });
    }
    filled
}

/// How many conditions there are on which key columns take part.
const MASKS: usize = 3;

/// A condition on which key columns take part.
#[derive(Clone, Copy)]
enum Condition {
    CommitmentMayApply,
    ZeroRateFeeOrCredit,
    HasPublicCost,
}

/// How a key column takes part in a batch.
enum Takes {
    Always,
    Where(Condition),
    /// The column is a state that the condition is.
    State(Condition),
    Never,
}

/// How a key column takes part in a key.
fn takes(column: KeyColumn) -> Takes {
    use billing::charge_class::When;
    match column.when() {
        _ if column == KeyColumn::PublicCostState => Takes::State(Condition::HasPublicCost),
        When::Always => Takes::Always,
        When::CommitmentMayApply => Takes::Where(Condition::CommitmentMayApply),
        When::ZeroRateFeeOrCredit => Takes::Where(Condition::ZeroRateFeeOrCredit),
    }
}

/// Where the conditions of a batch's rows come from; `None` where no row fulfils one.
struct MaskSources<'a> {
    /// Columns whose values make others part of the key.
    marks: Vec<(Condition, KeyColumn)>,
    public_cost: Option<&'a Numbers>,
}

impl<'a> MaskSources<'a> {
    fn new(keys: &[KeyTexts], batch: &'a Batch) -> Self {
        let marks = [
            (Condition::CommitmentMayApply, KeyColumn::UsageType),
            (Condition::ZeroRateFeeOrCredit, KeyColumn::UnblendedRateState),
            (Condition::ZeroRateFeeOrCredit, KeyColumn::LineItemType),
        ];
        let marks = marks.into_iter().filter(|(_, column)| keys[*column as usize].has_marks()).collect();
        let public_cost = batch.numbers(Measure::PublicOnDemand).filter(|cost| !cost.all_zero);
        Self { marks, public_cost }
    }

    /// How a column takes part in this batch.
    fn of(&self, column: KeyColumn) -> Takes {
        let may_be = |condition: Condition| match condition {
            Condition::HasPublicCost => self.public_cost.is_some(),
            other => self.marks.iter().any(|(condition, _)| *condition as usize == other as usize),
        };
        match takes(column) {
            Takes::Where(condition) | Takes::State(condition) if !may_be(condition) => Takes::Never,
            takes => takes,
        }
    }

    /// The masks of a block of rows, by condition.
    fn block(&self, keys: &[KeyTexts], rows: Range<usize>) -> [Mask; MASKS] {
        let mut masks = [[0; BLOCK_ROWS]; MASKS];
        for (condition, column) in &self.marks {
            keys[*column as usize].mark(rows.clone(), &mut masks[*condition as usize]);
        }
        let Some(cost) = self.public_cost else { return masks };
        let mask = &mut masks[Condition::HasPublicCost as usize];
        for (mask, units) in mask.iter_mut().zip(&cost.units[rows.clone()]) {
            *mask = u64::from(*units != 0).wrapping_neg();
        }
        for (row, _) in cost.wide.iter().filter(|(row, _)| rows.contains(row)) {
            mask[row - rows.start] = u64::MAX;
        }
        masks
    }
}

/// What a key column keeps of a value: the value itself, a state, or canonical digits.
fn key_text(column: KeyColumn, value: &str) -> std::borrow::Cow<'_, str> {
    match column {
        KeyColumn::UnblendedRateState => match number::is_positive(value) {
            Some(true) => "+".into(),
            Some(false) => "0".into(),
            None if value.is_empty() => "".into(),
            None => "?".into(),
        },
        KeyColumn::PublicRate | KeyColumn::NormalizationFactor => number::canonical_rate(value).into(),
        KeyColumn::SplitFlag if !value.is_empty() => "split".into(),
        _ => value.into(),
    }
}

/// Whether a value of a column is as good as none.
fn is_null(column: KeyColumn, value: &str) -> bool {
    value.is_empty()
        && matches!(column, KeyColumn::UnblendedRateState | KeyColumn::SplitFlag | KeyColumn::PublicRate)
}

#[cfg(test)]
mod tests;
