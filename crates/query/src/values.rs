//! Columns of exact numbers: one value per class and day, as narrow as they fit.
//!
//! A month of ten million lines has a million class-days; twelve of them with six measures in 128 bits each would be more than a gigabyte. Nearly all
//! fit 64 bits, and many columns are 0 throughout or equal to another one, which is kept once.

use std::sync::Arc;

/// A column; the numbers are units of 10⁻¹⁰.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values {
    /// All are 0.
    Zero,
    /// All fit 64 bits.
    Narrow(Arc<[i64]>),
    /// One does not.
    Wide(Arc<[i128]>),
}

impl Values {
    /// A column of these numbers.
    #[must_use]
    pub fn new(values: &[i128]) -> Self {
        if values.iter().all(|value| *value == 0) {
            return Self::Zero;
        }
        let narrow: Option<Arc<[i64]>> = values.iter().map(|value| i64::try_from(*value).ok()).collect();
        narrow.map_or_else(|| Self::Wide(values.into()), Self::Narrow)
    }

    /// The same numbers, kept where another column has them already.
    #[must_use]
    pub fn shared<'a>(self, others: impl IntoIterator<Item = &'a Self>) -> Self {
        others.into_iter().find(|other| **other == self).cloned().unwrap_or(self)
    }

    /// Gives every number of some rows with its place among them.
    #[inline]
    pub fn each(&self, rows: std::ops::Range<usize>, mut give: impl FnMut(usize, i128)) {
        match self {
            Self::Zero => {}
            Self::Narrow(values) => {
                values[rows].iter().enumerate().for_each(|(at, value)| give(at, i128::from(*value)));
            }
            Self::Wide(values) => values[rows].iter().enumerate().for_each(|(at, value)| give(at, *value)),
        }
    }

    /// What it takes in memory, and where: what is shared is counted by whoever asks, once.
    #[must_use]
    pub fn bytes(&self) -> (usize, usize) {
        match self {
            Self::Zero => (0, 0),
            Self::Narrow(values) => (values.as_ptr().addr(), size_of_val(&values[..])),
            Self::Wide(values) => (values.as_ptr().addr(), size_of_val(&values[..])),
        }
    }
}

#[cfg(test)]
mod tests {
    //! Columns are as narrow as they may be.

    use super::*;

    #[test]
    fn a_column_is_as_narrow_as_its_numbers() {
        assert_eq!(Values::new(&[0, 0]), Values::Zero);
        assert!(matches!(Values::new(&[0, i128::from(i64::MAX)]), Values::Narrow(_)));
        let wide = Values::new(&[1, i128::from(i64::MAX) + 1]);
        assert!(matches!(wide, Values::Wide(_)));
        let mut seen = Vec::new();
        wide.each(1..2, |at, value| seen.push((at, value)));
        assert_eq!(seen, [(0, i128::from(i64::MAX) + 1)]);
    }

    #[test]
    fn equal_columns_are_kept_once() {
        let one = Values::new(&[1, 2]);
        let other = Values::new(&[1, 2]).shared([&one]);
        assert_eq!(one.bytes(), other.bytes());
        assert_ne!(one.bytes().0, Values::new(&[1, 3]).shared([&one]).bytes().0);
    }
}
