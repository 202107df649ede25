//! What lines say of commitments, noted while they are scanned. Whichever line or thread comes first, the notes are the same.

use crate::batch::Terms;
use crate::days::OTHER_HOUR;
use crate::layout::{COMMITMENT_COLUMNS, CommitmentColumn};
use crate::number::{self, NumberNotes};
use billing::charge_class::KeyColumn;
use billing::money::{Amount, Quantity, product};
use foldhash::fast::FixedState;
use std::collections::{BTreeMap, HashMap};

/// How many bytes of a text are noted: no column of a commitment has longer ones.
const TEXT_BYTES_MAX: usize = 256;
/// Bits for the hours of a month.
const HOUR_WORDS: usize = 12;

/// A kind of line that tells of a commitment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Teller {
    /// A reservation's monthly fee.
    ReservationFee,
    /// A reservation's payment up front.
    ReservationUpfront,
    /// A Savings Plan's hourly fee.
    PlanFee,
    /// A Savings Plan's payment up front.
    PlanUpfront,
    /// Usage that a Savings Plan covers.
    PlanCovered,
}

use CommitmentColumn as Column;

impl Teller {
    /// The column of the commitment's ARN.
    pub const fn arn_column(self) -> KeyColumn {
        match self {
            Self::ReservationFee | Self::ReservationUpfront => KeyColumn::ReservationArn,
            Self::PlanFee | Self::PlanUpfront | Self::PlanCovered => KeyColumn::SavingsPlanArn,
        }
    }

    /// The columns that say what the commitment is.
    const fn terms(self) -> &'static [Column] {
        match self {
            Self::ReservationFee | Self::ReservationUpfront => {
                &[Column::ReservationZone, Column::ReservationStart, Column::ReservationEnd]
            }
            _ => &[
                Column::OfferingType,
                Column::PaymentOption,
                Column::PurchaseTerm,
                Column::PlanRegion,
                Column::InstanceFamily,
                Column::PlanStart,
                Column::PlanEnd,
            ],
        }
    }

    /// Whether it says anything in a column.
    pub fn says(self, column: Column) -> bool {
        let units = [
            Column::Reservations,
            Column::UnitsEach,
            Column::Units,
            Column::NormalizedUnitsEach,
            Column::NormalizedUnits,
        ];
        let of_its_own = match self {
            Self::ReservationFee => units.contains(&column),
            Self::PlanCovered => column == Column::PlanRate,
            _ => false,
        };
        of_its_own || self.terms().contains(&column)
    }

    /// Whether two rows of a class say the same of their commitment.
    pub fn says_the_same(self, terms: &Terms, row: usize, other: usize) -> bool {
        let rate = (self == Self::PlanCovered).then_some(Column::PlanRate);
        self.terms().iter().copied().chain(rate).all(|column| {
            let codes = terms[column as usize].as_ref();
            codes.is_none_or(|codes| codes.key(row) == codes.key(other))
        })
    }
}

/// What lines say in one column: nothing, one text, or several, of which the least and the greatest are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Said {
    #[default]
    Nothing,
    One(Box<str>),
    Several(Box<[Box<str>; 2]>),
}

impl Said {
    /// Notes what a line says; empty text says nothing.
    pub fn note(&mut self, text: &str) {
        if text.is_empty() || text.len() > TEXT_BYTES_MAX {
            return;
        }
        match self {
            Self::Nothing => *self = Self::One(text.into()),
            Self::One(known) if **known == *text => {}
            Self::One(known) => {
                let mut pair = [std::mem::take(known), text.into()];
                pair.sort_unstable();
                *self = Self::Several(Box::new(pair));
            }
            Self::Several(ends) => {
                if *text < *ends[0] {
                    ends[0] = text.into();
                } else if *text > *ends[1] {
                    ends[1] = text.into();
                }
            }
        }
    }

    fn absorb(&mut self, other: &Self) {
        match other {
            Self::Nothing => {}
            Self::One(text) => self.note(text),
            Self::Several(ends) => ends.iter().for_each(|text| self.note(text)),
        }
    }

    /// The text, if all lines that say any say the same.
    ///
    /// # Errors
    /// Two that differ.
    pub fn agreed(&self) -> Result<Option<&str>, [&str; 2]> {
        match self {
            Self::Nothing => Ok(None),
            Self::One(text) => Ok(Some(text)),
            Self::Several(ends) => Err([&ends[0], &ends[1]]),
        }
    }
}

/// The least and the greatest of some numbers, in units of 10⁻¹⁰.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub least: i128,
    pub most: i128,
    /// Whether one had more decimals, and was rounded.
    pub rounded: bool,
}

impl Span {
    /// The span of one number.
    pub const fn of(units: i128) -> Self {
        Self { least: units, most: units, rounded: false }
    }

    /// The rate of a text. Null and 0 both mean none.
    pub fn of_rate(text: &str) -> Option<Self> {
        let mut notes = NumberNotes::default();
        let units = number::units_of_text(text, &mut notes).ok().filter(|units| *units > 0)?;
        Some(Self { rounded: notes.rounded > 0, ..Self::of(units) })
    }

    /// The span of both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            least: self.least.min(other.least),
            most: self.most.max(other.most),
            rounded: self.rounded | other.rounded,
        }
    }
}

/// The monthly fees of a reservation. Sums are `None` once a line does not say its part, or says what cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReservationFees {
    pub lines: u64,
    /// Number of reservations, over all lines.
    pub reservations: Option<Amount>,
    /// Number of reservations × units of each.
    pub unit_hours: Option<Amount>,
    /// The units of all.
    pub total_units: Option<Amount>,
    /// Number of reservations × normalised units of each.
    pub normalized_unit_hours: Option<Amount>,
    /// The normalised units of all.
    pub total_normalized_units: Option<Amount>,
}

const NO_FEES: ReservationFees = ReservationFees {
    lines: 0,
    reservations: Some(Amount::ZERO),
    unit_hours: Some(Amount::ZERO),
    total_units: Some(Amount::ZERO),
    normalized_unit_hours: Some(Amount::ZERO),
    total_normalized_units: Some(Amount::ZERO),
};

impl ReservationFees {
    fn absorb(&mut self, other: Self) {
        let sum = |a: Option<Amount>, b: Option<Amount>| a?.plus(b?).ok();
        *self = Self {
            lines: self.lines + other.lines,
            reservations: sum(self.reservations, other.reservations),
            unit_hours: sum(self.unit_hours, other.unit_hours),
            total_units: sum(self.total_units, other.total_units),
            normalized_unit_hours: sum(self.normalized_unit_hours, other.normalized_unit_hours),
            total_normalized_units: sum(self.total_normalized_units, other.total_normalized_units),
        };
    }
}

/// The hourly fees of a Savings Plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlanFees {
    /// Units of the total commitment of a line.
    pub commitment: Option<Span>,
    /// A bit for every hour with a fee.
    hours: [u64; HOUR_WORDS],
    /// Lines that are not of one hour.
    pub not_hourly: u64,
    /// Whether an hour has two fees.
    pub twice_an_hour: bool,
}

impl PlanFees {
    fn absorb(&mut self, other: &Self) {
        self.commitment = self.commitment.into_iter().chain(other.commitment).reduce(Span::with);
        for (hours, more) in self.hours.iter_mut().zip(other.hours) {
            self.twice_an_hour |= *hours & more != 0;
            *hours |= more;
        }
        self.not_hourly += other.not_hourly;
        self.twice_an_hour |= other.twice_an_hour;
    }

    /// The hours with a fee, in order.
    pub fn hours(&self) -> impl Iterator<Item = u32> {
        let has = |hour: &u32| self.hours[*hour as usize / 64] >> (hour % 64) & 1 == 1;
        (0..64 * HOUR_WORDS as u32).filter(has)
    }
}

/// A usage as the rates of plans know it: service, usage type, operation.
pub type UsageKey = (Box<str>, Box<str>, Box<str>);

/// What lines say of one commitment.
#[derive(Debug, Clone)]
pub struct Noted {
    /// What its fees say, and what usage that it covers says, by place in [`CommitmentColumn::ALL`].
    fees: [Said; COMMITMENT_COLUMNS],
    covered: [Said; COMMITMENT_COLUMNS],
    pub reservation_fees: ReservationFees,
    /// The normalisation factor of its fees.
    pub factor: Said,
    pub plan_fees: PlanFees,
    /// The rates of usage that it covers.
    pub rates: BTreeMap<UsageKey, Span>,
}

impl Default for Noted {
    fn default() -> Self {
        Self {
            fees: Default::default(),
            covered: Default::default(),
            reservation_fees: NO_FEES,
            factor: Said::Nothing,
            plan_fees: PlanFees::default(),
            rates: BTreeMap::new(),
        }
    }
}

impl Noted {
    /// What is said in a column: by fees, or, where they say nothing, by covered usage.
    pub fn said(&self, column: Column) -> &Said {
        match &self.fees[column as usize] {
            Said::Nothing => &self.covered[column as usize],
            said => said,
        }
    }

    /// Notes what a line says the commitment is.
    pub fn note_terms<'a>(&mut self, teller: Teller, value: impl Fn(Column) -> Option<&'a str>) {
        let said = if teller == Teller::PlanCovered { &mut self.covered } else { &mut self.fees };
        for column in teller.terms() {
            said[*column as usize].note(value(*column).unwrap_or_default());
        }
    }

    /// Notes what a monthly fee is for.
    pub fn note_reservation_fee<'a>(&mut self, value: impl Fn(Column) -> Option<&'a str>) {
        let number = |column| quantity(value(column)?);
        let reservations = number(Column::Reservations);
        let times = |each: Option<Quantity>| product(reservations?, each?).ok();
        let whole = |number: Option<Quantity>| number?.to_amount().ok();
        self.reservation_fees.absorb(ReservationFees {
            lines: 1,
            reservations: whole(reservations),
            unit_hours: times(number(Column::UnitsEach)),
            total_units: whole(number(Column::Units)),
            normalized_unit_hours: times(number(Column::NormalizedUnitsEach)),
            total_normalized_units: whole(number(Column::NormalizedUnits)),
        });
    }

    /// Notes the normalisation factor of a monthly fee. Null and 0 both mean none.
    pub fn note_factor(&mut self, factor: &str) {
        let factor = number::canonical_rate(factor);
        self.factor.note(if factor == "0" { "" } else { &factor });
    }

    /// Notes an hourly fee.
    pub fn note_plan_fee(&mut self, hour: u16, commitment: i128) {
        let mut fees = PlanFees { commitment: Some(Span::of(commitment)), ..PlanFees::default() };
        match fees.hours.get_mut(usize::from(hour) / 64).filter(|_| hour != OTHER_HOUR) {
            Some(word) => *word |= 1 << (hour % 64),
            None => fees.not_hourly = 1,
        }
        self.plan_fees.absorb(&fees);
    }

    /// Notes the rates of usage that the plan covers.
    pub fn note_rates(&mut self, usage: UsageKey, rates: Span) {
        self.rates.entry(usage).and_modify(|known| *known = known.with(rates)).or_insert(rates);
    }

    fn absorb(&mut self, other: Self) {
        for (said, more) in
            self.fees.iter_mut().chain(&mut self.covered).zip(other.fees.iter().chain(&other.covered))
        {
            said.absorb(more);
        }
        self.reservation_fees.absorb(other.reservation_fees);
        self.factor.absorb(&other.factor);
        self.plan_fees.absorb(&other.plan_fees);
        other.rates.into_iter().for_each(|(usage, rates)| self.note_rates(usage, rates));
    }
}

/// A number of a text column, exactly; `None` for what is none, or is below 0.
fn quantity(text: &str) -> Option<Quantity> {
    let mut notes = NumberNotes::default();
    let units = number::units_of_text(text, &mut notes).ok()?;
    Quantity::from_units(units).ok().filter(|number| notes.rounded == 0 && *number >= Quantity::ZERO)
}

/// What lines say of commitments, by ARN.
#[derive(Default)]
pub struct Notes {
    places: HashMap<Box<str>, usize, FixedState>,
    all: Vec<Noted>,
}

impl Notes {
    /// The notes of a commitment.
    pub fn of(&mut self, arn: &str) -> &mut Noted {
        let place = match self.places.get(arn) {
            Some(place) => *place,
            None => {
                self.places.insert(arn.into(), self.all.len());
                self.all.push(Noted::default());
                self.all.len() - 1
            }
        };
        &mut self.all[place]
    }

    /// Joins what another thread has noted.
    pub fn absorb(&mut self, mut other: Self) {
        for (arn, place) in other.places {
            self.of(&arn).absorb(std::mem::take(&mut other.all[place]));
        }
    }

    /// What is noted of a commitment.
    pub fn get(&self, arn: &str) -> Option<&Noted> {
        self.places.get(arn).map(|place| &self.all[*place])
    }
}
