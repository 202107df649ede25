//! The simulation of a month: every family's commitments applied to its lines, hour by hour.

use super::cut::Cut;
use super::{Coverage, CoveredOfDay, CutMeasures, EligibleLine, Utilization, stays};
use crate::allocation::{self, Simulation, families};
use crate::charge_class::{Cube, KeyColumn, TextId, TextMap};
use crate::class_kind::line_item_type;
use crate::commitment::{self, Capacity, Commitment, Eligible};
use crate::fate::Fates;
use crate::membership::Membership;
use crate::money::{DecimalError, Quantity};
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

/// Usage of a class that a commitment covers in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoveredUsage {
    /// The commitment, by number in [`Coverage::commitments`].
    pub commitment: u32,
    /// How much, in the class's unit.
    pub usage: Quantity,
    /// What that takes of the commitment: instances or normalised units, or money.
    pub taken: Capacity,
}

/// Applies the commitments of all billing groups to a month that is given hour by hour. Memory holds what is covered by class,
/// commitment and day, and one hour of lines.
#[derive(Debug)]
pub struct Simulator<'a> {
    commitments: &'a [Commitment],
    families: Vec<Family<'a>>,
    /// The family of each class that some commitment of it may cover; [`NO_FAMILY`] for all others.
    family_of: Vec<u32>,
    hours: u32,
    next_hour: u32,
    utilization: Vec<Utilization>,
    days: Vec<CoveredOfDay>,
    /// What is covered on the day of the last hour.
    today: TextMap<(u32, u32), CoveredOfDay>,
}

const NO_FAMILY: u32 = u32::MAX;
const HOURS_OF_DAY: u32 = 24;

#[derive(Debug)]
struct Family<'a> {
    simulation: Simulation<'a>,
    /// The commitments' numbers among all.
    numbers: Vec<u32>,
    /// The lines of the hour that its commitments may cover, by place.
    lines: Vec<u32>,
}

impl<'a> Simulator<'a> {
    /// A simulation of the families that billing groups are, without the sources of allocations, which are nobody's own. `commitments` are in
    /// the order of their ARNs, `hours` are those of the month.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`]: what a commitment gives in the month.
    pub fn new(
        cube: &'a Cube,
        commitments: &'a [Commitment],
        (membership, fates): (&Membership<'_>, &Fates),
        hours: u32,
    ) -> Result<Self, DecimalError> {
        let stays_covered = |number: u32| {
            let class = &cube.classes[number as usize];
            let group = membership.group(class);
            group.is_some_and(|group| stays(cube, class, commitments, membership, group))
        };
        let mut classes = Eligible::classes(cube);
        classes.retain(|(number, _)| !fates.is_source(*number as usize) && !stays_covered(*number));
        let numbers: HashMap<&str, u32> =
            (0..).zip(commitments).map(|(n, of)| (of.arn.as_str(), n)).collect();
        let mut families_of_book = Vec::new();
        let mut family_of = vec![NO_FAMILY; cube.classes.len()];
        let mut utilization = commitments.iter().map(unused).collect::<Result<Vec<_>, _>>()?;
        for mut family in families_by_currency(cube, commitments, &classes, membership) {
            family.classes.sort_unstable_by_key(|(number, _)| *number);
            let own = family.commitments.iter().map(|of| numbers[of.arn.as_str()]).collect();
            let simulation = Simulation::new(family)?;
            let number = u32::try_from(families_of_book.len()).unwrap_or(NO_FAMILY);
            simulation.classes().iter().for_each(|class| family_of[*class as usize] = number);
            families_of_book.push(Family { simulation, numbers: own, lines: Vec::new() });
        }
        for number in families_of_book.iter().flat_map(|family: &Family<'_>| &family.numbers) {
            utilization[*number as usize] = Utilization::default();
        }
        Ok(Self {
            commitments,
            families: families_of_book,
            family_of,
            hours,
            next_hour: 0,
            utilization,
            days: Vec::new(),
            today: TextMap::default(),
        })
    }

    /// Applies the commitments to an hour's lines, which are in the order of class, file and row; hours come in their order, and one without
    /// lines may be left out. The lines of every class that is covered are given to `covered`, with what covers them, in the order in which
    /// it was applied.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn add_hour(
        &mut self,
        hour: u32,
        lines: &[EligibleLine],
        mut covered: impl FnMut(&[EligibleLine], &[CoveredUsage]),
    ) -> Result<(), DecimalError> {
        self.pass_hours(hour)?;
        for (place, line) in (0..).zip(lines) {
            if let Some(family) = self.families.get_mut(self.family_of[line.class as usize] as usize) {
                family.lines.push(place);
            }
        }
        for number in 0..self.families.len() {
            self.simulate(number, hour, lines, &mut covered)?;
        }
        self.next_hour = hour + 1;
        if self.next_hour.is_multiple_of(HOURS_OF_DAY) {
            self.end_day();
        }
        Ok(())
    }

    /// The coverage of the month, once all its hours were given.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn finish(mut self) -> Result<Coverage, DecimalError> {
        self.pass_hours(self.hours)?;
        self.end_day();
        self.days.sort_unstable_by_key(|part| (part.class, part.commitment, part.day));
        Ok(Coverage {
            commitments: self.commitments.to_vec(),
            utilization: self.utilization,
            days: self.days,
        })
    }

    /// Passes hours without lines: commitments are unused in them.
    fn pass_hours(&mut self, until: u32) -> Result<(), DecimalError> {
        while self.next_hour < until {
            for number in 0..self.families.len() {
                self.simulate(number, self.next_hour, &[], &mut |_, _| {})?;
            }
            self.next_hour += 1;
            if self.next_hour.is_multiple_of(HOURS_OF_DAY) {
                self.end_day();
            }
        }
        Ok(())
    }

    fn end_day(&mut self) {
        self.days.extend(self.today.drain().map(|(_, part)| part));
    }

    fn simulate(
        &mut self,
        family: usize,
        hour: u32,
        lines: &[EligibleLine],
        covered: &mut impl FnMut(&[EligibleLine], &[CoveredUsage]),
    ) -> Result<(), DecimalError> {
        let Family { simulation, numbers, lines: own } = &mut self.families[family];
        let line = |place: &u32| &lines[*place as usize];
        let usage: Vec<(u32, Quantity)> =
            own.iter().map(|place| (line(place).class, line(place).measures[0])).collect();
        let mut of_hour = simulation.simulate_hour(hour, &usage)?;
        for utilization in of_hour.utilization {
            let sum = &mut self.utilization[numbers[utilization.commitment as usize] as usize];
            sum.used = sum.used.plus(utilization.used)?;
            sum.unused = sum.unused.plus(utilization.unused)?;
        }
        // Within a class, in the order in which its commitments were applied.
        of_hour.uses.sort_by_key(|of| of.class);
        for uses in of_hour.uses.chunk_by(|one, other| one.class == other.class) {
            let class = uses[0].class;
            let begin = lines.partition_point(|line| line.class < class);
            let of_class = &lines[begin..begin + lines[begin..].partition_point(|line| line.class == class)];
            let mut cut = Cut::new(sums(of_class)?);
            let mut parts = Vec::with_capacity(uses.len());
            for of in uses {
                let commitment = numbers[of.commitment as usize];
                let (day, measures) = (hour / HOURS_OF_DAY, cut.take(of.usage)?);
                let part = CoveredOfDay { class, commitment, day, measures, taken: of.taken };
                match self.today.entry((class, commitment)) {
                    Entry::Vacant(place) => drop(place.insert(part)),
                    Entry::Occupied(mut sum) => *sum.get_mut() = sum.get().with(&part)?,
                }
                parts.push(CoveredUsage { commitment, usage: of.usage, taken: of.taken });
            }
            covered(of_class, &parts);
        }
        own.clear();
        Ok(())
    }
}

/// What lines have of each measure in all.
fn sums(lines: &[EligibleLine]) -> Result<CutMeasures, DecimalError> {
    let mut sums = [Quantity::ZERO; 5];
    for line in lines {
        for (sum, more) in sums.iter_mut().zip(line.measures) {
            *sum = sum.plus(more)?;
        }
    }
    Ok(sums)
}

/// The families that have commitments. Usage that is billed in another currency than a commitment's fee is nothing that it covers: its rates
/// and its worth are in its own.
fn families_by_currency<'a>(
    cube: &'a Cube,
    commitments: &'a [Commitment],
    classes: &[(u32, Eligible<'a>)],
    membership: &Membership<'_>,
) -> Vec<allocation::Family<'a>> {
    let fees = cube.classes.iter().filter(|class| line_item_type(cube, class).is_commitment_fee());
    let currencies: HashMap<&str, TextId> = fees
        .filter_map(|class| Some((commitment::arn(cube, class)?, class.text(KeyColumn::Currency))))
        .collect();
    let currency = |of: &Commitment| currencies.get(of.arn.as_str()).copied().unwrap_or_default();
    let mut all = Vec::new();
    for wanted in commitments.iter().map(currency).collect::<BTreeSet<TextId>>() {
        let counts =
            |of: &&Commitment| currency(of) == wanted && membership.group_of_owner(&of.owner).is_some();
        let of_currency: Vec<(u32, Eligible<'a>)> = classes
            .iter()
            .filter(|(number, _)| cube.classes[*number as usize].text(KeyColumn::Currency) == wanted)
            .copied()
            .collect();
        let parted = families(
            commitments.iter().filter(counts),
            &of_currency,
            |owner| membership.group_of_account(owner),
            |number, _| membership.group(&cube.classes[number as usize]),
        );
        all.extend(parted.into_values().filter(|family| !family.commitments.is_empty()));
    }
    all
}

/// What a commitment gives in the month, none of it used.
fn unused(commitment: &Commitment) -> Result<Utilization, DecimalError> {
    let units = commitment.capacity()?.units().checked_mul(commitment.hours.len() as i128);
    let unused = Capacity::from_units(units.ok_or(DecimalError::TooLarge)?)?;
    Ok(Utilization { used: Capacity::ZERO, unused })
}
