//! FOCUS's unit prices: a cost is its quantity times its price.
//!
//! A price is the rate where there is one and its product with the quantity is the cost, to within what AWS's own rounding
//! of a line's cost leaves. Else it is the cost by the quantity. No amount is made from a price.

use super::by_class::RateOf;
use super::plan::Price;
use billing::charge_class::{ChargeClass, Cube, KeyColumn, Measure};
use billing::money::{Amount, Rate, divide_half_away, ten_to};
use billing::rate_card::LinePrice;

/// How far a rate's product with the quantity may be from the cost, in units of 10⁻²⁰: 10⁻⁹, as AWS rounds the hours of a day.
const TOLERANCE: u128 = 100_000_000_000;
/// What an amount has of units more than a number of a file.
const MORE_DECIMALS: i128 = 10_000_000_000;

/// AWS's public rate of a class, in units of 10⁻²⁰.
#[must_use]
pub fn public_rate(cube: &Cube, class: &ChargeClass) -> Option<i128> {
    let rate = Rate::parse(cube.filled(class, KeyColumn::PublicRate)?).ok()?;
    rate.units().checked_mul(MORE_DECIMALS)
}

/// The operator's rate of a class with all of its decimals, in units of 10⁻²⁰, where its lines have one in common.
pub(super) fn class_rate(public: Option<i128>, price: Price, rate: &RateOf) -> Option<i128> {
    match (price.line_price()?, rate) {
        (LinePrice::Scale(Measure::PublicOnDemand, factor), RateOf::Class(_)) => {
            Some(divide_half_away(public?.checked_mul(factor.units())?, ten_to(6)).0)
        }
        (_, RateOf::Class(Some(rate))) => Rate::parse(rate).ok()?.units().checked_mul(MORE_DECIMALS),
        _ => None,
    }
}

/// What a unit costs, in units of 10⁻²⁰, if `quantity`, in units of 10⁻¹⁰, costs this much.
#[must_use]
pub fn unit_price(rate: Option<i128>, quantity: i128, cost: Amount) -> Option<i128> {
    let is_product = |rate: &i128| {
        let product = rate.checked_mul(quantity).map(|product| divide_half_away(product, MORE_DECIMALS).0);
        product.is_some_and(|product| product.abs_diff(cost.units()) <= TOLERANCE)
    };
    rate.filter(is_product).or_else(|| {
        if quantity == 0 {
            return cost.is_zero().then_some(0);
        }
        let sign = quantity.signum();
        let dividend = cost.units().checked_mul(MORE_DECIMALS * sign)?;
        Some(divide_half_away(dividend, quantity * sign).0)
    })
}

#[cfg(test)]
mod tests {
    //! Rates, and costs by quantities.

    use super::*;

    fn check(rate: Option<&str>, quantity: &str, cost: &str, expected: Option<&str>) {
        let units = |text: &str| Amount::parse(text).unwrap().units();
        let price =
            unit_price(rate.map(units), units(quantity) / MORE_DECIMALS, Amount::parse(cost).unwrap());
        assert_eq!(price, expected.map(units), "{rate:?} × {quantity} = {cost}");
    }

    #[test]
    fn a_price_times_its_quantity_is_the_cost() {
        check(Some("0.0000143999"), "3", "0.0000431998", Some("0.0000143999"));
        check(Some("0.09"), "10", "0.85", Some("0.085"));
        check(None, "1488", "109.368", Some("0.0735"));
        check(None, "-2", "-5", Some("2.5"));
        check(None, "0", "0", Some("0"));
        check(None, "0", "1", None);
        check(Some("0.25"), "0", "0", Some("0.25"));
    }
}
