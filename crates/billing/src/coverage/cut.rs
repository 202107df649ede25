//! Cutting usage at the edges of commitments.

use super::CutMeasures;
use crate::money::{DecimalError, Quantity};
use crate::tier_pool::proportion_rounded;

/// Usage from which parts are taken, from its begin on: that of a class in an hour, or a line's.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    whole: CutMeasures,
    /// What was taken, the usage first.
    taken: CutMeasures,
}

impl Cut {
    /// Usage of which nothing is taken yet.
    pub const fn new(whole: CutMeasures) -> Self {
        Self { whole, taken: [Quantity::ZERO; 5] }
    }

    /// How much is left; 0 where there is none, or less: that is never covered.
    pub fn left(&self) -> Quantity {
        self.whole[0].minus(self.taken[0]).unwrap_or_default().max(Quantity::ZERO)
    }

    /// Takes this much of the usage that is left; gives what it has of each measure.
    ///
    /// One of the named roundings: the first x of the usage has, of each measure, the measure × x / usage, half away from zero at ten
    /// decimals. A part has the difference of two of these, so parts sum to the whole, and the last part has what is left.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn take(&mut self, usage: Quantity) -> Result<CutMeasures, DecimalError> {
        let end = self.taken[0].plus(usage)?;
        let whole = self.whole[0];
        let mut part = [Quantity::ZERO; 5];
        for ((of_part, taken), of_whole) in part.iter_mut().zip(&mut self.taken).zip(self.whole) {
            let until = first_of(of_whole, end, whole)?;
            *of_part = until.minus(*taken)?;
            *taken = until;
        }
        Ok(part)
    }
}

/// `measure × part / whole`, half away from zero; `part` is from 0 to `whole`, which is above 0.
fn first_of(measure: Quantity, part: Quantity, whole: Quantity) -> Result<Quantity, DecimalError> {
    if part == whole || measure.is_zero() {
        return Ok(measure);
    }
    let (size, part, whole) = (measure.units().unsigned_abs(), part.units(), whole.units());
    let (part, whole) = (part.unsigned_abs(), whole.unsigned_abs());
    let units = proportion_rounded(size, part, whole);
    let units = i128::try_from(units).map_err(|_| DecimalError::TooLarge)?;
    Quantity::from_units(units * measure.units().signum())
}

#[cfg(test)]
mod tests {
    //! Parts sum to their whole, whatever is cut.

    use super::*;

    fn quantities(texts: [&str; 5]) -> CutMeasures {
        texts.map(|text| Quantity::parse(text).unwrap())
    }

    #[test]
    fn a_part_has_its_share_of_every_measure() {
        let mut line = Cut::new(quantities(["1", "4", "0.096", "-0.096", "0.1"]));
        assert_eq!(line.left(), Quantity::ONE);
        let part = line.take(Quantity::parse("0.25").unwrap()).unwrap();
        assert_eq!(part, quantities(["0.25", "1", "0.024", "-0.024", "0.025"]));
        let rest = line.take(Quantity::parse("0.75").unwrap()).unwrap();
        assert_eq!(rest, quantities(["0.75", "3", "0.072", "-0.072", "0.075"]));
        assert!(line.left().is_zero());
    }

    #[test]
    fn what_rounding_leaves_goes_to_later_parts() {
        let mut line = Cut::new(quantities(["3", "0.0000000001", "0.0000000002", "0", "0.0000000001"]));
        let parts = [(); 3].map(|()| line.take(Quantity::ONE).unwrap());
        assert_eq!(parts[0], quantities(["1", "0", "0.0000000001", "0", "0"]));
        assert_eq!(parts[1], quantities(["1", "0.0000000001", "0", "0", "0.0000000001"]));
        assert_eq!(parts[2], quantities(["1", "0", "0.0000000001", "0", "0"]));
    }

    #[test]
    fn usage_below_0_is_never_taken() {
        assert!(Cut::new(quantities(["-1", "0", "0", "0", "0"])).left().is_zero());
    }

    #[test]
    fn large_measures_do_not_overflow() {
        let mut line =
            Cut::new(quantities(["999999999999", "999999999999999", "-999999999999999", "0", "1"]));
        let half = line.take(Quantity::parse("499999999999.5").unwrap()).unwrap();
        assert_eq!(half[1], Quantity::parse("499999999999999.5").unwrap());
        assert_eq!(half[2], Quantity::parse("-499999999999999.5").unwrap());
    }
}
