//! Amortized cost: fees of commitments spread over the usage that they cover, and what nothing used.
//!
//! Source: AWS, "Understanding your amortized reservation data" and "… Savings Plans data" of the Cost and Usage Report. Per line type one
//! sum of columns: covered usage costs what it took of its commitment, a fee what of it nothing has used, and what is paid up front nothing.

use crate::charge_class::{ChargeClass, Cube, KeyColumn, Measure};
use crate::class_kind::line_item_type;
use crate::cost_line::LineItemType;
use crate::money::{DecimalError, Quantity};
use crate::tier_pool::proportion_rounded;

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

/// What is unused of a commitment, net of discounts: the part that discounts leave of all of it. AWS says the latter alone.
///
/// One of the named roundings: half away from zero, at ten decimals. A net commitment that is no part of the commitment says nothing, and nothing is
/// taken off.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn net_unused(unused: Quantity, commitment: Quantity, net: Quantity) -> Result<Quantity, DecimalError> {
    if commitment.units() <= 0 || !(0..=commitment.units()).contains(&net.units()) {
        return Ok(unused);
    }
    let [of, part, all] = [unused, net, commitment].map(|quantity| quantity.units().unsigned_abs());
    let rounded = i128::try_from(proportion_rounded(of, part, all)).map_err(|_| DecimalError::TooLarge)?;
    Quantity::from_units(rounded * unused.units().signum())
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

    #[test]
    fn what_is_unused_is_discounted_as_its_commitment_is() {
        let quantity = |text: &str| Quantity::parse(text).unwrap();
        let net = |unused, all, net| {
            net_unused(quantity(unused), quantity(all), quantity(net)).unwrap().to_string()
        };
        assert_eq!(net("2", "10", "9"), "1.8");
        assert_eq!(net("0.0000000001", "10", "5"), "0.0000000001", "half a unit, away from zero");
        assert_eq!(net("-0.0000000003", "10", "5"), "-0.0000000002");
        assert_eq!(net("2", "10", "0"), "0");
        // What is no part of the commitment.
        assert_eq!(net("2", "10", "11"), "2");
        assert_eq!(net("2", "10", "-1"), "2");
        assert_eq!(net("2", "0", "0"), "2");
    }
}
