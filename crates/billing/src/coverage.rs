//! Coverage: what commitments cover inside billing groups in a month, and what they leave On-Demand.
//!
//! [`crate::allocation`] decides hour by hour how much of which class a commitment covers; here that is cut from the sums of the hour
//! ([`Simulator`]) and summed by class, commitment and day. Pricing sees the sums alone: of a class in part covered, what is left is
//! priced as On-Demand usage, and the rest is at cost. `docs/commitments.md` has the rules in words.

mod cut;
mod lines;
mod simulator;

pub use cut::Cut;
pub use lines::{CoveredPartOfLine, each_part};
pub use simulator::{CoveredUsage, Simulator};

use crate::charge_class::{ChargeClass, Cube, KeyColumn, Measure, TextMap};
use crate::class_kind::line_item_type;
use crate::commitment::{self, Capacity, Commitment, EffectiveCost, Eligible, Terms};
use crate::cost_line::LineItemType;
use crate::fate::Fates;
use crate::membership::Membership;
use crate::money::{DecimalError, Quantity};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// The measures of usage that are cut with it; the others are about the coverage of the real bill.
pub const CUT_MEASURES: [Measure; 5] = [
    Measure::Usage,
    Measure::NormalizedUsage,
    Measure::Unblended,
    Measure::NetUnblended,
    Measure::PublicOnDemand,
];

/// What usage has of each measure, in the order of [`CUT_MEASURES`].
pub type CutMeasures = [Quantity; CUT_MEASURES.len()];

/// A line of usage that a commitment may cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EligibleLine {
    /// Its class, by number in the cube.
    pub class: u32,
    /// Its file, by number in the delivery.
    pub file: u32,
    /// Rows of the file before it.
    pub row: u64,
    /// What it has of each measure.
    pub measures: CutMeasures,
}

/// What a commitment covers of a class on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoveredOfDay {
    /// The class, by number in the cube.
    pub class: u32,
    /// The commitment, by number in [`Coverage::commitments`].
    pub commitment: u32,
    /// The day of the month (UTC), from 0.
    pub day: u32,
    /// What the covered usage has of each measure.
    pub measures: CutMeasures,
    /// What that took of the commitment: instances or normalised units, or money.
    pub taken: Capacity,
}

/// How far a commitment was used in the month, in what it gives: instance-hours or hours of normalised units, or money.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Utilization {
    /// What covered usage took.
    pub used: Capacity,
    /// The rest of what the commitment gives in its hours.
    pub unused: Capacity,
}

/// What all commitments cover in a month, in the families of one book.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The commitments whose coverage was simulated, in the order of their ARNs; those of nobody's group among them, which cover nothing.
    pub commitments: Vec<Commitment>,
    /// How far each was used.
    pub utilization: Vec<Utilization>,
    /// What they cover, in the order of class, commitment and day.
    pub days: Vec<CoveredOfDay>,
}

impl Coverage {
    /// Whether a commitment was simulated: nothing of it is as in the real bill.
    #[must_use]
    pub fn simulates(&self, arn: &str) -> bool {
        is_told(&self.commitments, arn)
    }

    /// What covered usage has cost: of a reservation its share of the fee and of the payment up front, of a Savings Plan what it took.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn effective_cost(&self, covered: &CoveredOfDay) -> Result<EffectiveCost, DecimalError> {
        self.commitments[covered.commitment as usize].effective_cost(covered.taken)
    }

    /// The coverage of the month by class and commitment: the days of each summed, and standing on day 0.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn of_month(&self) -> Result<Vec<CoveredOfDay>, DecimalError> {
        let same = |one: &CoveredOfDay, other: &CoveredOfDay| {
            (one.class, one.commitment) == (other.class, other.commitment)
        };
        self.days
            .chunk_by(same)
            .map(|days| {
                let (first, rest) = (CoveredOfDay { day: 0, ..days[0] }, &days[1..]);
                rest.iter().try_fold(first, |sum, day| sum.with(day))
            })
            .collect()
    }
}

impl CoveredOfDay {
    /// How much usage is covered, in the class's unit.
    #[must_use]
    pub const fn usage(&self) -> Quantity {
        self.measures[0]
    }

    /// What the covered usage has of a measure; nothing of one that is about the coverage of the real bill.
    #[must_use]
    pub fn measure(&self, measure: Measure) -> Quantity {
        let place = CUT_MEASURES.iter().position(|of| *of == measure);
        place.map_or(Quantity::ZERO, |place| self.measures[place])
    }

    /// The line item type of what the commitment covers.
    #[must_use]
    pub fn kind(&self, commitments: &[Commitment]) -> LineItemType {
        match commitments[self.commitment as usize].terms {
            Terms::Reservation(_) => LineItemType::DiscountedUsage,
            Terms::SavingsPlan(_) => LineItemType::SavingsPlanCoveredUsage,
        }
    }

    fn with(mut self, more: &Self) -> Result<Self, DecimalError> {
        self.taken = self.taken.plus(more.taken)?;
        for (sum, more) in self.measures.iter_mut().zip(more.measures) {
            *sum = sum.plus(more)?;
        }
        Ok(self)
    }
}

/// Whether an inventory in the order of ARNs has a commitment.
fn is_told(commitments: &[Commitment], arn: &str) -> bool {
    commitments.binary_search_by(|commitment| commitment.arn.as_str().cmp(arn)).is_ok()
}

/// Whether covered usage stays under its commitment as in the real bill, although others are simulated: the commitment is of the class's
/// group, but the cost files do not tell what it is.
pub(crate) fn stays(
    cube: &Cube,
    class: &ChargeClass,
    commitments: &[Commitment],
    membership: &Membership<'_>,
    group: u32,
) -> bool {
    let covered = matches!(
        line_item_type(cube, class),
        LineItemType::DiscountedUsage | LineItemType::SavingsPlanCoveredUsage
    );
    let told = commitment::arn(cube, class).is_some_and(|arn| is_told(commitments, arn));
    covered && !told && membership.owns(class, group)
}

/// What is left of classes that commitments cover in part or in whole: the class without the covered parts, by its number in the cube.
pub type Remainders = TextMap<u32, ChargeClass>;

/// Takes what is covered from its classes.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn remainders(cube: &Cube, covered: &[CoveredOfDay]) -> Result<Remainders, DecimalError> {
    let mut remainders = Remainders::default();
    for part in covered {
        let class = &cube.classes[part.class as usize];
        let left = remainders.entry(part.class).or_insert_with(|| class.clone());
        for (measure, taken) in CUT_MEASURES.into_iter().zip(part.measures) {
            let sum = &mut left.sums[measure as usize];
            *sum = sum.minus(taken)?;
        }
    }
    Ok(remainders)
}

/// Whether nothing is left of a class.
#[must_use]
pub fn is_nothing(remainder: &ChargeClass) -> bool {
    CUT_MEASURES.iter().all(|measure| remainder.sum(*measure).is_zero())
}

/// What the covered part of a class costs On-Demand, which a Savings Plan's negation takes away again: its public cost; where the class
/// has none, its unblended cost.
#[must_use]
pub fn on_demand_cost(cube: &Cube, part: &CoveredOfDay) -> Quantity {
    part.measure(on_demand_measure(cube, &cube.classes[part.class as usize]))
}

/// The measure of what a class costs On-Demand: see [`on_demand_cost`].
#[must_use]
pub fn on_demand_measure(cube: &Cube, class: &ChargeClass) -> Measure {
    let listed = cube.value(class, KeyColumn::PublicCostState).is_some();
    if listed { Measure::PublicOnDemand } else { Measure::Unblended }
}

/// What commitments cover in a month follows from this: which lines are whose, and which of them are the source of an allocation.
#[must_use]
pub fn families(cube: &Cube, membership: &Membership<'_>, fates: &Fates) -> [u8; 32] {
    let families = membership.families();
    if fates.is_empty() {
        return families;
    }
    let is_source = |(number, _): &(u32, Eligible<'_>)| {
        let number = *number as usize;
        fates.is_source(number) && membership.group(&cube.classes[number]).is_some()
    };
    let mut sources = Eligible::classes(cube).into_iter().filter(is_source).peekable();
    if sources.peek().is_none() {
        return families;
    }
    let mut hash = Sha256::new_with_prefix(families);
    sources.for_each(|(number, _)| hash.update(cube.class_id(&cube.classes[number as usize]).0));
    hash.finalize().into()
}

/// The ARNs of the real bill's commitments that belong to a billing group and of which the cost files tell too little.
#[must_use]
pub fn as_in_the_real_bill<'a>(
    cube: &'a Cube,
    commitments: &[Commitment],
    membership: &Membership<'_>,
) -> BTreeSet<&'a str> {
    let stays = |class: &&ChargeClass| {
        let group = membership.group(class);
        group.is_some_and(|group| stays(cube, class, commitments, membership, group))
    };
    cube.classes.iter().filter(stays).filter_map(|class| commitment::arn(cube, class)).collect()
}

#[cfg(test)]
mod tests;
