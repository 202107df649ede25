//! Allocation: which usage each commitment covers, hour by hour, inside one family of accounts.
//!
//! A billing group is priced as if its accounts were a family of their own: its members' commitments cover its members' usage, whatever
//! they covered in the real bill (AWS, Billing Conductor user guide). So coverage is simulated, not copied. `docs/commitments.md` has the
//! order in words. Nothing here prices anything: what leaves is who covers how much of what, in exact integers.

use crate::commitment::{Capacity, Commitment, Eligible};
use crate::money::{DecimalError, Quantity};
use std::collections::BTreeMap;

mod agenda;
mod order;
mod pools;

use agenda::Agenda;

/// Accounts that share their commitments with each other and with nobody else: their commitments and what these may cover.
#[derive(Debug, Clone, Default)]
pub struct Family<'a> {
    /// The commitments that members own.
    pub commitments: Vec<&'a Commitment>,
    /// The classes of the members' lines, by their numbers in the cube.
    pub classes: Vec<(u32, Eligible<'a>)>,
}

/// Parts commitments and classes by family. What belongs to no family is left out: a commitment that somebody outside owns covers
/// nothing inside. Commitments are their owners', classes those of whoever has their lines.
pub fn families<'a>(
    inventory: impl IntoIterator<Item = &'a Commitment>,
    classes: &[(u32, Eligible<'a>)],
    family_of_owner: impl Fn(&str) -> Option<u32>,
    family_of_class: impl Fn(u32, &Eligible<'a>) -> Option<u32>,
) -> BTreeMap<u32, Family<'a>> {
    let mut families: BTreeMap<u32, Family<'a>> = BTreeMap::new();
    for commitment in inventory {
        if let Some(family) = family_of_owner(&commitment.owner) {
            families.entry(family).or_default().commitments.push(commitment);
        }
    }
    for (number, class) in classes {
        if let Some(family) = family_of_class(*number, class) {
            families.entry(family).or_default().classes.push((*number, *class));
        }
    }
    families
}

/// The use that a commitment has of a class in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// The class, by its number in the cube.
    pub class: u32,
    /// The commitment, by its number in the family.
    pub commitment: u32,
    /// How much of the class's usage is covered, in its unit.
    pub usage: Quantity,
    /// What that takes of the commitment: instances or normalised units, or money. Exactly usage × what a unit takes.
    pub taken: Capacity,
}

/// How far a commitment that is in force was used in an hour. The two parts sum to what it has to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Utilization {
    /// The commitment, by its number in the family.
    pub commitment: u32,
    /// What covered usage took: instances or normalised units, or money.
    pub used: Capacity,
    /// The rest.
    pub unused: Capacity,
}

/// An hour of a family. Usage that no [`Use`] names stays On-Demand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HourCoverage {
    /// What is covered, in the order in which it was decided; a class and a commitment meet at most once.
    pub uses: Vec<Use>,
    /// Every commitment that is in force, in the order of its number.
    pub utilization: Vec<Utilization>,
}

/// The simulation of one family: made once, then asked for every hour.
///
/// An hour costs as much as the pairs of a pool of like commitments and a class with usage that these may cover; memory is kept between hours.
#[derive(Debug)]
pub struct Simulation<'a> {
    commitments: Vec<&'a Commitment>,
    capacity: Vec<Capacity>,
    agenda: Agenda,
    /// What each class of the agenda still has uncovered in the hour.
    uncovered: Vec<Quantity>,
    /// What each commitment still has to give in the hour; `None` where it is not in force, or has nothing left that counts.
    open: Vec<Option<Capacity>>,
    /// How many commitments at the head of each pool are not open any more.
    spent: Vec<usize>,
    /// What each commitment's uses took in the hour.
    taken: Vec<Capacity>,
}

impl<'a> Simulation<'a> {
    /// Decides once, for all hours, in which order the family's commitments reach its classes.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn new(family: Family<'a>) -> Result<Self, DecimalError> {
        let Family { commitments, classes } = family;
        let capacity: Vec<Capacity> =
            commitments.iter().map(|commitment| commitment.capacity()).collect::<Result<_, _>>()?;
        let agenda = Agenda::new(&commitments, &classes);
        Ok(Self {
            uncovered: vec![Quantity::ZERO; agenda.classes.len()],
            open: vec![None; commitments.len()],
            spent: vec![0; agenda.pools.len()],
            taken: vec![Capacity::ZERO; commitments.len()],
            commitments,
            capacity,
            agenda,
        })
    }

    /// The family's commitments, by number.
    #[must_use]
    pub fn commitments(&self) -> &[&'a Commitment] {
        &self.commitments
    }

    /// The classes, in the order of their numbers, that any of the commitments may cover: the usage of others need not be given.
    #[must_use]
    pub fn classes(&self) -> &[u32] {
        &self.agenda.classes
    }

    /// Applies the commitments to an hour's usage. The hour counts from 0, the month's first.
    ///
    /// Usage of a class that is given several times adds up; the order has no meaning. Usage of 0 or below is not covered. What is covered
    /// of a class that a commitment cannot cover whole is rounded down at ten decimals, one of the named roundings; of a commitment, what is
    /// too little for 10⁻¹⁰ of the class it has just covered stays unused.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`]; the simulation can then be asked for other hours.
    pub fn simulate_hour(
        &mut self,
        hour: u32,
        usage: &[(u32, Quantity)],
    ) -> Result<HourCoverage, DecimalError> {
        for (number, commitment) in self.commitments.iter().enumerate() {
            let capacity = Some(self.capacity[number]).filter(|capacity| !capacity.is_zero());
            self.open[number] = capacity.filter(|_| commitment.hours.contains(&hour));
            self.taken[number] = Capacity::ZERO;
        }
        self.spent.fill(0);
        let added = self.add_usage(usage);
        let uses = added.and_then(|()| self.apply());
        for (class, _) in usage {
            if let Some(place) = self.agenda.place(*class) {
                self.uncovered[place] = Quantity::ZERO;
            }
        }
        self.agenda.clear();
        Ok(HourCoverage { uses: uses?, utilization: self.utilization(hour)? })
    }

    fn add_usage(&mut self, usage: &[(u32, Quantity)]) -> Result<(), DecimalError> {
        for (class, quantity) in usage {
            if let Some(place) = self.agenda.place(*class) {
                self.uncovered[place] = self.uncovered[place].plus(*quantity)?;
                self.agenda.mark(place);
            }
        }
        Ok(())
    }

    fn apply(&mut self) -> Result<Vec<Use>, DecimalError> {
        let mut uses = Vec::new();
        let Self { agenda, uncovered, open, taken, spent, .. } = self;
        for number in agenda.marked() {
            let step = agenda.step(number);
            let (place, pool) = (step.place as usize, step.pool as usize);
            if uncovered[place] <= Quantity::ZERO {
                continue;
            }
            let (members, takes) = (&agenda.pools[pool], agenda.takes(number));
            while members.get(spent[pool]).is_some_and(|eldest| open[*eldest as usize].is_none()) {
                spent[pool] += 1;
            }
            for &commitment in &members[spent[pool]..] {
                let (at, rest) = (commitment as usize, uncovered[place]);
                if rest <= Quantity::ZERO {
                    break;
                }
                let Some(left) = open[at] else { continue };
                let (usage, took) = cover(rest, left, takes)?;
                if usage.is_zero() {
                    continue;
                }
                let left = left.minus(took)?;
                uncovered[place] = rest.minus(usage)?;
                taken[at] = taken[at].plus(took)?;
                // 10⁻¹⁰ of a unit takes as many units of 10⁻²⁰ as a whole unit takes of 10⁻¹⁰.
                open[at] = Some(left).filter(|left| left.units() >= takes.units().max(1));
                uses.push(Use { class: agenda.classes[place], commitment, usage, taken: took });
            }
        }
        Ok(uses)
    }

    fn utilization(&self, hour: u32) -> Result<Vec<Utilization>, DecimalError> {
        let in_force =
            (0_u32..).zip(&self.commitments).filter(|(_, commitment)| commitment.hours.contains(&hour));
        in_force
            .map(|(commitment, _)| {
                let used = self.taken[commitment as usize];
                let unused = self.capacity[commitment as usize].minus(used)?;
                Ok(Utilization { commitment, used, unused })
            })
            .collect()
    }
}

/// How much of some usage what is left of a commitment covers, and what that takes of it.
fn cover(uncovered: Quantity, left: Capacity, takes: Quantity) -> Result<(Quantity, Capacity), DecimalError> {
    let whole = uncovered.units().checked_mul(takes.units()).ok_or(DecimalError::TooLarge)?;
    if whole <= left.units() {
        return Ok((uncovered, Capacity::from_units(whole)?));
    }
    // Twenty decimals by ten leave ten; `takes` is above 0, else `whole` were 0.
    let units = left.units() / takes.units();
    Ok((Quantity::from_units(units)?, Capacity::from_units(units * takes.units())?))
}

#[cfg(test)]
mod tests;
