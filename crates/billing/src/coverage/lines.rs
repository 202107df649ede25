//! Which part of which line is covered.
//!
//! Commitments are applied to the usage of a class in an hour; which of its lines that is has no meaning for a price. Where lines are shown,
//! what is covered is laid on them from the first on, so at most one line is split for each commitment.

use super::{CoveredUsage, EligibleLine};
use crate::money::{DecimalError, Quantity};

/// Usage of a line that a commitment covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoveredPartOfLine {
    /// The line's file, by number in the delivery.
    pub file: u32,
    /// Rows of the file before the line.
    pub row: u64,
    /// The commitment, by number in [`super::Coverage::commitments`].
    pub commitment: u32,
    /// How much, in the class's unit; above 0.
    pub usage: Quantity,
}

/// Gives the parts of a class's lines in an hour that are covered. `lines` are in the order of file and row, `covered` in that of application;
/// lines without usage, or with less than none, are passed by. The parts of a line come one after the other.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn each_part(
    lines: &[EligibleLine],
    covered: &[CoveredUsage],
    mut give: impl FnMut(CoveredPartOfLine),
) -> Result<(), DecimalError> {
    let used = lines.iter().map(|line| (line, line.measures[0]));
    let mut lines = used.filter(|(_, usage)| *usage > Quantity::ZERO);
    let mut open = lines.next();
    for of in covered {
        let mut rest = of.usage;
        while rest > Quantity::ZERO {
            // No more is covered than there is.
            let Some((line, free)) = open else { return Ok(()) };
            let usage = rest.min(free);
            let (file, row, commitment) = (line.file, line.row, of.commitment);
            give(CoveredPartOfLine { file, row, commitment, usage });
            rest = rest.minus(usage)?;
            let left = free.minus(usage)?;
            open = if left > Quantity::ZERO { Some((line, left)) } else { lines.next() };
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    //! What is covered goes to the lines in their order, and none is covered twice.

    use super::*;
    use crate::commitment::Capacity;

    #[track_caller]
    fn check(lines: &[&str], covered: &[&str], expected: &[(u64, u32, &str)]) {
        let quantity = |text: &str| Quantity::parse(text).unwrap();
        let line = |(row, usage): (u64, &&str)| EligibleLine {
            class: 0,
            file: 0,
            row,
            measures: [quantity(usage); 5],
        };
        let lines: Vec<EligibleLine> = (0..).zip(lines).map(line).collect();
        let covered: Vec<CoveredUsage> = (0..)
            .zip(covered)
            .map(|(commitment, usage)| CoveredUsage {
                commitment,
                usage: quantity(usage),
                taken: Capacity::ZERO,
            })
            .collect();
        let mut parts = Vec::new();
        each_part(&lines, &covered, |part| parts.push((part.row, part.commitment, part.usage))).unwrap();
        let expected: Vec<(u64, u32, Quantity)> =
            expected.iter().map(|(row, commitment, usage)| (*row, *commitment, quantity(usage))).collect();
        assert_eq!(parts, expected);
    }

    #[test]
    fn lines_are_covered_from_the_first_on() {
        check(&["1", "1", "1"], &["1.5"], &[(0, 0, "1"), (1, 0, "0.5")]);
        check(&["1", "1", "1"], &["0.25", "1"], &[(0, 0, "0.25"), (0, 1, "0.75"), (1, 1, "0.25")]);
        check(&["2"], &["0.5", "0.5", "1"], &[(0, 0, "0.5"), (0, 1, "0.5"), (0, 2, "1")]);
        check(&["1", "1"], &["1", "1"], &[(0, 0, "1"), (1, 1, "1")]);
        check(&["1", "1"], &[], &[]);
    }

    #[test]
    fn lines_without_usage_are_passed_by() {
        check(&["0", "-1", "3"], &["2"], &[(2, 0, "2")]);
    }
}
