//! The agenda of a family: which commitments may cover which class, in the order in which AWS applies them.
//!
//! The order depends on no hour, so it is made once. An hour marks the steps of the classes that have usage and walks the marked ones.
//! Commitments that reach the same usage on the same terms are one pool, so that a thousand reservations of one family take no more steps
//! than one.

use super::pools::{Candidate, Draft};
use crate::commitment::{Commitment, Eligible};
use crate::money::Quantity;

/// A pool of commitments may cover a class.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// The pool, by number in [`Agenda::pools`].
    pub pool: u32,
    /// The class, by its place in [`Agenda::classes`].
    pub place: u32,
}

/// All steps in order, and the marks of an hour.
#[derive(Debug)]
pub struct Agenda {
    /// The classes that have a step, ascending.
    pub classes: Vec<u32>,
    /// Commitments by their numbers in the family, each pool in the order in which its members are used.
    pub pools: Vec<Vec<u32>>,
    steps: Vec<Step>,
    /// By step, what a unit of usage takes of a commitment: 1, a normalisation factor, or a plan's rate. Never below 0.
    takes: Vec<Quantity>,
    /// The steps of each class, by number: those of place `p` are at `begins[p]..begins[p + 1]`.
    steps_of_place: Vec<u32>,
    begins: Vec<usize>,
    /// A bit per step, so that an hour's steps are walked in order without sorting.
    marks: Vec<u64>,
}

impl Agenda {
    /// The agenda of commitments and classes. The same in whatever order they are given, but for the numbers that name commitments.
    pub fn new(commitments: &[&Commitment], classes: &[(u32, Eligible<'_>)]) -> Self {
        let Draft { mut candidates, pools } = Draft::new(commitments, classes);
        candidates.sort_by(|one, other| one.rank.compare(&other.rank));
        let mut numbers: Vec<u32> = candidates.iter().map(|candidate| candidate.rank.class).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let steps: Vec<Step> = candidates
            .iter()
            .map(|Candidate { rank, pool, .. }| {
                let place = numbers.partition_point(|number| *number < rank.class);
                // Fewer places than classes, whose numbers are of this type.
                Step { pool: *pool, place: u32::try_from(place).unwrap_or(u32::MAX) }
            })
            .collect();
        let mut steps_of_place: Vec<u32> = (0..).take(steps.len()).collect();
        let place = |step: &u32| steps[*step as usize].place as usize;
        steps_of_place.sort_by_key(place);
        let begins = (0..=numbers.len())
            .map(|from| steps_of_place.partition_point(|step| place(step) < from))
            .collect();
        let takes = candidates.iter().map(|candidate| candidate.takes).collect();
        let marks = vec![0; steps.len().div_ceil(64)];
        Self { classes: numbers, pools, steps, takes, steps_of_place, begins, marks }
    }

    /// The place of a class that has a step.
    pub fn place(&self, class: u32) -> Option<usize> {
        self.classes.binary_search(&class).ok()
    }

    /// Marks the steps of a class.
    pub fn mark(&mut self, place: usize) {
        for step in &self.steps_of_place[self.begins[place]..self.begins[place + 1]] {
            self.marks[*step as usize / 64] |= 1 << (step % 64);
        }
    }

    /// The marked steps, in order, by number.
    pub fn marked(&self) -> impl Iterator<Item = usize> {
        self.marks.iter().enumerate().flat_map(|(word, marks)| {
            let mut left = *marks;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros();
                left &= left.checked_sub(1)?;
                Some(word * 64 + bit as usize)
            })
        })
    }

    /// A step by its number.
    pub fn step(&self, number: usize) -> Step {
        self.steps[number]
    }

    /// What a unit of usage takes of a commitment in a step.
    pub fn takes(&self, number: usize) -> Quantity {
        self.takes[number]
    }

    /// Takes all marks away.
    pub fn clear(&mut self) {
        self.marks.fill(0);
    }
}
