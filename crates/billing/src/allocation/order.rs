//! What makes one use of a commitment come before another.

use crate::commitment::{PlanKind, Reach};
use crate::money::{Quantity, Rate};
use std::cmp::Ordering;

/// The place of a use among all uses of a family. `docs/commitments.md` says the same in words.
#[derive(Debug, Clone, Copy)]
pub struct Rank<'a> {
    /// What is applied together.
    pub pass: Pass<'a>,
    /// Whether the usage is somebody else's than the owner's.
    pub of_others: bool,
    /// What the use is worth.
    pub worth: Worth,
    /// Whether the real bill shows the usage under another commitment, or none.
    pub moves: bool,
    /// The class, by its number in the cube, which is in key order.
    pub class: u32,
    /// The place of the pool's first member among all commitments, by begin and ARN.
    pub seniority: u32,
}

impl Rank<'_> {
    /// Which of two uses comes first.
    pub fn compare(&self, other: &Self) -> Ordering {
        (self.pass.compare(&other.pass))
            .then(self.of_others.cmp(&other.of_others))
            .then_with(|| self.worth.compare(&other.worth))
            .then(self.moves.cmp(&other.moves))
            .then(self.class.cmp(&other.class))
            .then(self.seniority.cmp(&other.seniority))
    }
}

/// Commitments that are applied together, first to their owners' usage and then to that of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pass<'a> {
    /// Reservations with this reach.
    Reservations(Reach),
    /// Plans of this kind.
    Plans(&'a PlanKind),
}

impl Pass<'_> {
    /// EC2 Instance plans are one pass, whatever their families and regions.
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Plans(PlanKind::Ec2Instance { .. }), Self::Plans(PlanKind::Ec2Instance { .. })) => {
                Ordering::Equal
            }
            _ => self.cmp(other),
        }
    }
}

/// What makes a use come before another one in its pass.
#[derive(Debug, Clone, Copy)]
pub enum Worth {
    /// Nothing: the reservation's own size.
    Same,
    /// The smaller size.
    Size(Quantity),
    /// The higher savings percentage; without a public rate, last.
    Saving {
        /// The plan's rate.
        rate: Rate,
        /// The public On-Demand rate.
        public: Option<Rate>,
    },
}

impl Worth {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Size(one), Self::Size(other)) => one.cmp(other),
            (Self::Saving { rate: a, public: b }, Self::Saving { rate: c, public: d }) => {
                let saving = match (b, d) {
                    (Some(b), Some(d)) => compare_ratios((a.units(), b.units()), (c.units(), d.units())),
                    _ => d.is_some().cmp(&b.is_some()),
                };
                saving.then(a.cmp(c))
            }
            // Within a pass all are of one kind.
            _ => Ordering::Equal,
        }
    }
}

/// Compares `a / b` with `c / d` exactly; a and c are not below 0, b and d above it. Products of rates may need more than 128 bits, so
/// whole parts are compared first, then the reciprocals of what is left.
fn compare_ratios((mut a, mut b): (i128, i128), (mut c, mut d): (i128, i128)) -> Ordering {
    loop {
        let (one, other) = (a % b, c % d);
        let whole = (a / b).cmp(&(c / d));
        if whole.is_ne() || one == 0 || other == 0 {
            return whole.then(one.signum().cmp(&other.signum()));
        }
        // one/b < other/d exactly where d/other < b/one.
        (a, b, c, d) = (d, other, b, one);
    }
}

#[cfg(test)]
mod tests {
    //! Ratios are compared exactly, whatever their size.

    use super::*;

    #[test]
    fn ratios_are_compared_exactly() {
        let large = crate::money::UNITS_MAX * crate::money::ten_to(10);
        assert_eq!(compare_ratios((1, 2), (2, 4)), Ordering::Equal);
        assert_eq!(compare_ratios((0, 2), (0, 4)), Ordering::Equal);
        assert_eq!(compare_ratios((0, 2), (1, 4)), Ordering::Less);
        assert_eq!(compare_ratios((2, 3), (1, 2)), Ordering::Greater);
        assert_eq!(compare_ratios((5, 3), (12, 7)), Ordering::Less);
        assert_eq!(compare_ratios((large - 1, large), (large - 2, large - 1)), Ordering::Greater);
        assert_eq!(compare_ratios((large, large - 1), (large - 1, large - 2)), Ordering::Less);
        for (a, b, c, d) in [(3, 7, 5, 11), (10, 4, 7, 3), (1, 9, 1, 8), (8, 8, 9, 9)] {
            assert_eq!(compare_ratios((a, b), (c, d)), (a * d).cmp(&(c * b)), "{a}/{b} and {c}/{d}");
        }
    }
}
