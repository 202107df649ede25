//! Amortized cost: fees of commitments spread over the usage that they cover, and what nothing used.
//!
//! Source: AWS, "Understanding your amortized reservation data" and "… Savings Plans data" of the Cost and Usage Report. Per line type one
//! sum of columns: covered usage costs what it took of its commitment, a fee what of it nothing has used, and what is paid up front nothing.

use crate::charge_class::{ChargeClass, Cube, KeyColumn, Measure};
use crate::class_kind::line_item_type;
use crate::cost_line::LineItemType;
use crate::money::{DecimalError, Quantity};

/// Whether a measure is added or taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Added.
    Plus,
    /// Taken away.
    Minus,
}

/// What the amortized cost of a line is the sum of; `None` where it is the unblended cost.
#[must_use]
pub const fn amortized_from(
    kind: LineItemType,
    is_of_reservation: bool,
    is_of_savings_plan: bool,
) -> Option<&'static [(Measure, Sign)]> {
    use Measure::{
        ReservationEffective, SavingsPlanEffective, SavingsPlanTotalCommitment, SavingsPlanUsedCommitment,
        UnusedReservationRecurring, UnusedReservationUpfront,
    };
    match kind {
        LineItemType::DiscountedUsage => Some(&[(ReservationEffective, Sign::Plus)]),
        LineItemType::SavingsPlanCoveredUsage => Some(&[(SavingsPlanEffective, Sign::Plus)]),
        LineItemType::SavingsPlanNegation | LineItemType::SavingsPlanUpfrontFee => Some(&[]),
        LineItemType::SavingsPlanRecurringFee => {
            Some(&[(SavingsPlanTotalCommitment, Sign::Plus), (SavingsPlanUsedCommitment, Sign::Minus)])
        }
        LineItemType::RiFee => {
            Some(&[(UnusedReservationUpfront, Sign::Plus), (UnusedReservationRecurring, Sign::Plus)])
        }
        // What is paid up front is spread over what it covers; a payment that is given back is spread over nothing.
        LineItemType::Fee if is_of_reservation => Some(&[]),
        LineItemType::Refund if is_of_savings_plan => Some(&[]),
        _ => None,
    }
}

/// What the amortized cost of a class is the sum of, as [`amortized_from`].
#[must_use]
pub fn of_class(cube: &Cube, class: &ChargeClass) -> Option<&'static [(Measure, Sign)]> {
    let has = |column| cube.filled(class, column).is_some();
    amortized_from(
        line_item_type(cube, class),
        has(KeyColumn::ReservationArn),
        has(KeyColumn::SavingsPlanArn),
    )
}

/// The amortized cost of a class.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn amortized_cost(cube: &Cube, class: &ChargeClass) -> Result<Quantity, DecimalError> {
    let Some(terms) = of_class(cube, class) else { return Ok(class.sum(Measure::Unblended)) };
    terms.iter().try_fold(Quantity::ZERO, |sum, (measure, sign)| match sign {
        Sign::Plus => sum.plus(class.sum(*measure)),
        Sign::Minus => sum.minus(class.sum(*measure)),
    })
}

#[cfg(test)]
mod tests {
    //! The table of AWS's documentation.

    use super::*;

    #[test]
    fn fees_are_spread_over_what_they_cover() {
        use LineItemType as Kind;
        assert_eq!(amortized_from(Kind::Usage, false, false), None);
        assert_eq!(amortized_from(Kind::Tax, true, true), None);
        assert_eq!(amortized_from(Kind::SavingsPlanNegation, false, true), Some(&[][..]));
        assert_eq!(amortized_from(Kind::Fee, true, false), Some(&[][..]), "a payment up front");
        assert_eq!(amortized_from(Kind::Fee, false, false), None, "a domain");
        assert_eq!(amortized_from(Kind::Refund, false, true), Some(&[][..]));
        assert_eq!(amortized_from(Kind::Refund, true, false), None);
        let waste = amortized_from(Kind::SavingsPlanRecurringFee, false, true).unwrap();
        assert_eq!(waste.iter().map(|(_, sign)| *sign).collect::<Vec<_>>(), [Sign::Plus, Sign::Minus]);
    }
}
