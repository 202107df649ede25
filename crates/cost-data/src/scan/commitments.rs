//! What commitments are re-simulated from, taken while lines are summed: lines that a commitment may cover, and what commitments are.
//!
//! Which lines these are follows from their classes, so a row costs one look at its class.

use super::columns::KeyTexts;
use super::section::Section;
use super::{Classes, NO_CLASS};
use crate::batch::{Batch, CommitmentColumns, CommitmentValues, Numbers, Terms};
use crate::commitment_inventory::{Notes, Span, Teller};
use crate::days::OTHER_HOUR;
use crate::eligible_usage::{Record, Recorder};
use crate::layout::CommitmentColumn;
use billing::charge_class::{KeyColumn, Measure};
use billing::commitment::may_cover;
use billing::cost_line::LineItemType;
use billing::coverage::CUT_MEASURES;
use foldhash::fast::FixedState;
use std::collections::{BTreeSet, HashMap};

/// The texts and classes of the scan.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub keys: &'a [KeyTexts],
    pub classes: &'a Classes,
}

impl<'a> Known<'a> {
    /// A class's value in a key column, empty where it has none.
    fn text(self, class: usize, column: KeyColumn) -> &'a str {
        self.keys[column as usize].text(self.classes.code(class, column)).unwrap_or_default()
    }
}

/// What the lines of a class are to commitments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Role {
    /// Whether a commitment may cover them, as far as one line can tell; the whole month tells spot and free usage.
    eligible: bool,
    /// What they tell of a commitment.
    tells: Option<Teller>,
}

impl Role {
    fn of(known: Known<'_>, class: usize) -> Self {
        let text = |column| known.text(class, column);
        let kind = LineItemType::parse(text(KeyColumn::LineItemType));
        let covered = kind.is_metered() && kind != LineItemType::Usage;
        let usage = kind.is_metered() && (covered || may_cover(text(KeyColumn::UsageType)));
        let split = !text(KeyColumn::SplitFlag).is_empty();
        let eligible = usage && !split && text(KeyColumn::BillingEntity) != "AWS Marketplace";
        let has = |column| !text(column).is_empty();
        let tells = match kind {
            LineItemType::RiFee => Some(Teller::ReservationFee),
            LineItemType::Fee => Some(Teller::ReservationUpfront),
            LineItemType::SavingsPlanRecurringFee => Some(Teller::PlanFee),
            LineItemType::SavingsPlanUpfrontFee => Some(Teller::PlanUpfront),
            LineItemType::SavingsPlanCoveredUsage => Some(Teller::PlanCovered),
            _ => None,
        };
        Self { eligible, tells: tells.filter(|teller| has(teller.arn_column())) }
    }
}

/// What one thread has taken.
pub struct Commitments {
    /// By class of the scan.
    roles: Vec<Role>,
    recorder: Recorder,
    notes: Notes,
    /// The rates of covered usage, by class of the scan.
    rates: HashMap<usize, Span, FixedState>,
    /// The rows that tell of commitments, in order, until their terms are read.
    telling: Vec<Telling>,
}

/// A row that tells of a commitment.
struct Telling {
    row: u64,
    class: u32,
    teller: Teller,
}

impl Commitments {
    pub fn new(recorder: Recorder) -> Self {
        let rates = HashMap::with_hasher(FixedState::with_seed(0));
        Self { roles: Vec::new(), recorder, notes: Notes::default(), rates, telling: Vec::new() }
    }

    /// Adds a batch whose rows have these classes of a section.
    pub(super) fn add(
        &mut self,
        batch: &Batch,
        net: &Numbers,
        known: Known<'_>,
        section: &Section,
        row_class: &[u32],
    ) {
        let Some(values) = &batch.commitments else { return };
        let of_month = self.roles.len()..known.classes.keys.len();
        self.roles.extend(of_month.map(|class| match class == NO_CLASS as usize {
            true => Role::default(),
            false => Role::of(known, class),
        }));
        let roles: Vec<Role> =
            section.classes.iter().map(|class| self.roles[class.number as usize]).collect();
        let usage = Usage::of(batch, net, values);
        // Rows of a batch whose terms are read afterwards are known by their place in the row group.
        let first_row = if values.terms.is_some() { 0 } else { batch.place.row };
        for (row, class) in row_class.iter().enumerate() {
            let role = roles[*class as usize];
            if role.eligible {
                usage.keep(row, section.classes[*class as usize].number, &mut self.recorder);
            }
            if let Some(teller) = role.tells {
                let number = section.classes[*class as usize].number;
                self.telling.push(Telling { row: first_row + row as u64, class: number, teller });
                self.note_fee(teller, batch, values, row, known.text(number as usize, teller.arn_column()));
            }
        }
        if let Some(terms) = &values.terms {
            self.note_terms(terms, 0, known);
            self.telling.clear();
        }
    }

    /// Notes what a fee says in columns that all lines are read with.
    fn note_fee(&mut self, teller: Teller, batch: &Batch, values: &CommitmentValues, row: usize, arn: &str) {
        if teller == Teller::ReservationFee {
            let factor = batch.keys[KeyColumn::NormalizationFactor as usize].as_ref();
            self.notes.of(arn).note_factor(factor.and_then(|factor| factor.filled(row)).unwrap_or_default());
        }
        if teller == Teller::PlanFee {
            let total = batch.numbers(Measure::SavingsPlanTotalCommitment);
            let total = total.map_or(0, |numbers| numbers.value(row));
            let hour = values.hours.as_ref().map_or(OTHER_HOUR, |hours| hours[row]);
            self.notes.of(arn).note_plan_fee(hour, total);
        }
    }

    /// The columns that must be read afterwards, for what some rows tell; `None` where there are no such rows.
    pub fn wanted(&self, columns: &CommitmentColumns) -> Option<CommitmentColumns> {
        let mut tellers: Vec<Teller> = Vec::new();
        for Telling { teller, .. } in &self.telling {
            if !tellers.contains(teller) {
                tellers.push(*teller);
            }
        }
        let mut wanted = columns.clone();
        for (column, bound) in CommitmentColumn::ALL.into_iter().zip(&mut wanted.terms) {
            *bound = bound.filter(|_| tellers.iter().any(|teller| teller.says(column)));
        }
        (!tellers.is_empty()).then_some(wanted)
    }

    /// Forgets the rows whose columns have been read.
    pub fn have_told(&mut self) {
        self.telling.clear();
    }

    /// Notes what rows tell of their commitments, from those after `first_row` on as many as there are. Rows of a class mostly say the same:
    /// what was said by the one before is not said again.
    pub(super) fn note_terms(&mut self, terms: &Terms, first_row: usize, known: Known<'_>) {
        let Some(rows) = terms.iter().flatten().map(|codes| codes.keys.len()).max() else { return };
        let Self { telling, notes, rates, .. } = self;
        let begin = telling.partition_point(|telling| telling.row < first_row as u64);
        let end = telling.partition_point(|telling| telling.row < (first_row + rows) as u64);
        let mut said: HashMap<u32, usize, FixedState> = HashMap::with_hasher(FixedState::with_seed(0));
        for Telling { row, class, teller } in &telling[begin..end] {
            // Within the batch.
            let row = (*row - first_row as u64) as usize;
            let before = said.insert(*class, row);
            let repeats = before.is_some_and(|before| teller.says_the_same(terms, row, before));
            if repeats && *teller != Teller::ReservationFee {
                continue;
            }
            let commitment = notes.of(known.text(*class as usize, teller.arn_column()));
            let value = |column: CommitmentColumn| terms[column as usize].as_ref()?.filled(row);
            if *teller == Teller::ReservationFee {
                commitment.note_reservation_fee(value);
            }
            if repeats {
                continue;
            }
            commitment.note_terms(*teller, value);
            if *teller == Teller::PlanCovered
                && let Some(of_row) = value(CommitmentColumn::PlanRate).and_then(Span::of_rate)
            {
                let known = rates.entry(*class as usize).or_insert(of_row);
                *known = known.with(of_row);
            }
        }
    }

    /// What was taken, the rates by what they are for.
    pub(super) fn finish(mut self, known: Known<'_>) -> (Recorder, Notes) {
        for (class, rates) in self.rates {
            let text = |column| known.text(class, column);
            let service = match text(KeyColumn::ServiceCode) {
                "" => text(KeyColumn::ProductCode),
                service => service,
            };
            let usage = (service, text(KeyColumn::UsageType), text(KeyColumn::Operation));
            let commitment = self.notes.of(text(KeyColumn::SavingsPlanArn));
            commitment.note_rates((usage.0.into(), usage.1.into(), usage.2.into()), rates);
        }
        (self.recorder, self.notes)
    }
}

/// The eligible usage of a batch, column by column.
struct Usage<'a> {
    file: u32,
    row_of_file: u64,
    hours: Option<&'a [u16]>,
    /// By place in [`CUT_MEASURES`]; empty where all are 0.
    units: [&'a [i64]; CUT_MEASURES.len()],
    /// Rows with a number beyond 64 bits, in order.
    wide: Vec<usize>,
}

impl<'a> Usage<'a> {
    fn of(batch: &'a Batch, net: &'a Numbers, values: &'a CommitmentValues) -> Self {
        let numbers = CUT_MEASURES.map(|measure| match measure {
            Measure::NetUnblended => Some(net),
            other => batch.numbers(other),
        });
        let wide = numbers.iter().flatten().flat_map(|numbers| numbers.wide.iter().map(|(row, _)| *row));
        Self {
            // A delivery has at most `FILES_MAX` files.
            file: u32::try_from(batch.place.file).unwrap_or(u32::MAX),
            row_of_file: batch.row_of_file,
            hours: values.hours.as_deref(),
            units: numbers.map(|numbers| numbers.map_or(&[][..], |numbers| &numbers.units)),
            wide: wide.collect::<BTreeSet<usize>>().into_iter().collect(),
        }
    }

    #[inline]
    fn keep(&self, row: usize, class: u32, recorder: &mut Recorder) {
        let place = (self.file, self.row_of_file + row as u64);
        if !self.wide.is_empty() && self.wide.binary_search(&row).is_ok() {
            recorder.pass_by(class);
            return;
        }
        let units = self.units.map(|units| units.get(row).copied().unwrap_or(0));
        let hour = self.hours.map_or(OTHER_HOUR, |hours| hours[row]);
        recorder.keep(hour, Record { class, file: place.0, row: place.1, units });
    }
}
