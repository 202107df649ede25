//! The named roundings of an invoice: the only ways from an exact amount to an invoiced one.
//!
//! Each returns what it took away, or what it added, so that nothing is lost without somebody knowing. All round half away from zero.

use super::amount::{Invoiced, InvoicedError, minor_digits};
use crate::money::{
    Amount, Currency, DecimalError, Factor, Percentage, Rate, divide_half_away, product, ten_to,
};
use std::cmp::Reverse;

/// Parts of an invoice, rounded once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rounded {
    /// The sum of the parts.
    pub total: Invoiced,
    /// The parts, in their order.
    pub parts: Vec<Invoiced>,
    /// The exact sum − the total: at most half a minor unit, of either sign.
    pub residue: Amount,
}

/// The lines of an invoice: the exact total is rounded to the minor unit, and the parts so that they sum to it.
///
/// Each part is rounded down, and the units that are then missing go to the largest remainders, ties to the earlier part. So no part is a
/// whole minor unit from its exact amount, and the total is the nearest that there is.
///
/// # Errors
/// [`InvoicedError::UnknownCurrency`], [`InvoicedError::TooLarge`].
pub fn invoiced(currency: Currency, exact: &[Amount]) -> Result<Rounded, InvoicedError> {
    let digits = minor_digits(currency).ok_or(InvoicedError::UnknownCurrency(currency))?;
    let step = ten_to(20 - digits);
    let sum = exact.iter().try_fold(Amount::ZERO, |sum, part| sum.plus(*part))?;
    let (total, _) = divide_half_away(sum.units(), step);
    let mut units: Vec<i128> = exact.iter().map(|part| part.units().div_euclid(step)).collect();
    // Rounding every part down leaves between 0 and as many units as there are parts with a remainder.
    let missing = usize::try_from(total - units.iter().sum::<i128>()).unwrap_or(0);
    if missing > 0 {
        let mut order: Vec<usize> = (0..exact.len()).collect();
        order.sort_by_key(|&i| (Reverse(exact[i].units().rem_euclid(step)), i));
        order.iter().take(missing).for_each(|&i| units[i] += 1);
    }
    let parts =
        units.into_iter().map(|units| Invoiced::from_units(currency, units)).collect::<Result<_, _>>()?;
    let residue = Amount::from_units(sum.units() - total * step)?;
    Ok(Rounded { total: Invoiced::from_units(currency, total)?, parts, residue })
}

/// An exact amount in another currency, at twenty decimals, and whether it had to be rounded to them.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn exchanged(amount: Amount, rate: Rate) -> Result<(Amount, bool), DecimalError> {
    let one = ten_to(10);
    // In two parts, for the product of the units may be beyond an i128.
    let (whole, rest) = (amount.units() / one, amount.units() % one);
    let units = whole.checked_mul(rate.units()).ok_or(DecimalError::TooLarge)?;
    let small = rest.checked_mul(rate.units()).ok_or(DecimalError::TooLarge)?;
    let (small, exact) = divide_half_away(small, one);
    Ok((Amount::from_units(units.checked_add(small).ok_or(DecimalError::TooLarge)?)?, !exact))
}

/// The tax on what is taxed under one category and rate, and the exact tax − that.
///
/// # Errors
/// [`InvoicedError::TooLarge`].
pub fn tax(taxable: Invoiced, rate: Percentage) -> Result<(Invoiced, Amount), InvoicedError> {
    // A percentage has four decimals and a factor six: p/100 has the same units.
    nearest(taxable.currency(), product(taxable.number(), Factor::from_units(rate.units())?)?)
}

/// An invoiced amount in another currency, and the exact one − that.
///
/// # Errors
/// [`InvoicedError::UnknownCurrency`], [`InvoicedError::TooLarge`].
pub fn tax_in(currency: Currency, tax: Invoiced, rate: Rate) -> Result<(Invoiced, Amount), InvoicedError> {
    nearest(currency, product(tax.number(), rate)?)
}

/// What is added to an amount so that it can be paid in whole steps, such as five hundredths of a franc; `step` is above 0.
///
/// # Errors
/// [`InvoicedError::CurrenciesDiffer`], [`InvoicedError::TooLarge`].
pub fn payable(due: Invoiced, step: Invoiced) -> Result<Invoiced, InvoicedError> {
    let (steps, _) = divide_half_away(due.units(), step.units().max(1));
    Invoiced::from_units(step.currency(), steps * step.units().max(1))?.minus(due)
}

/// The nearest invoiced amount, and what it took away.
fn nearest(currency: Currency, exact: Amount) -> Result<(Invoiced, Amount), InvoicedError> {
    let rounded = invoiced(currency, &[exact])?;
    Ok((rounded.total, rounded.residue))
}

#[cfg(test)]
mod tests {
    //! Parts sum to the rounded total, and what is taken away is known and small.

    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    fn amounts(texts: &[&str]) -> Vec<Amount> {
        texts.iter().map(|text| Amount::parse(text).unwrap()).collect()
    }

    fn texts(rounded: &Rounded) -> Vec<String> {
        rounded.parts.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn parts_sum_to_the_rounded_total() {
        let third = "0.33333333333333333333";
        let rounded = invoiced(currency("EUR"), &amounts(&[third, third, third])).unwrap();
        assert_eq!(
            (rounded.total.to_string(), texts(&rounded)),
            ("1.00".into(), vec!["0.34".into(), "0.33".into(), "0.33".to_owned()])
        );
        assert_eq!(rounded.residue.to_string(), "-0.00000000000000000001");
        let rounded = invoiced(currency("JPY"), &amounts(&["10.4", "-0.5", "0.2"])).unwrap();
        assert_eq!((rounded.total.to_string(), rounded.residue.to_string()), ("10".into(), "0.1".into()));
        assert_eq!(texts(&rounded), ["10", "0", "0"]);
        let rounded = invoiced(currency("KWD"), &[]).unwrap();
        assert_eq!((rounded.total.to_string(), rounded.parts.len()), ("0.000".into(), 0));
    }

    #[test]
    fn halves_of_a_total_go_away_from_zero() {
        for (exact, total) in [("0.005", "0.01"), ("-0.005", "-0.01"), ("0.00499999999999999999", "0.00")] {
            let rounded = invoiced(currency("EUR"), &amounts(&[exact])).unwrap();
            assert_eq!(
                (rounded.total.to_string().as_str(), rounded.parts[0]),
                (total, rounded.total),
                "{exact}"
            );
        }
    }

    /// Numbers without a pattern, the same in every run.
    fn numbers(seed: u64) -> impl Iterator<Item = i128> {
        std::iter::successors(Some(seed), |x| {
            Some(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
        })
        .map(|x| i128::from(x >> 20))
    }

    #[test]
    fn lines_sum_to_the_total_and_the_residue_is_at_most_half_a_unit() {
        for seed in 0..300 {
            let mut numbers = numbers(seed);
            let count = usize::try_from(numbers.next().unwrap() % 40).unwrap();
            let exact: Vec<Amount> = (0..count)
                .map(|_| {
                    Amount::from_units(
                        (numbers.next().unwrap() - (1 << 42)) * (numbers.next().unwrap() % 1_000_003),
                    )
                    .unwrap()
                })
                .collect();
            for code in ["EUR", "JPY", "KWD", "CLF"] {
                let rounded = invoiced(currency(code), &exact).unwrap();
                let half = ten_to(20 - minor_digits(currency(code)).unwrap()) / 2;
                let sum =
                    rounded.parts.iter().try_fold(rounded.total.zero(), |sum, part| sum.plus(*part)).unwrap();
                assert_eq!(sum, rounded.total, "seed {seed}");
                assert!(rounded.residue.units().abs() <= half, "seed {seed}: {}", rounded.residue);
                for (part, exact) in rounded.parts.iter().zip(&exact) {
                    let off = part.number().to_amount().unwrap().minus(*exact).unwrap();
                    assert!(off.units().abs() < 2 * half, "seed {seed}: {part} for {exact}");
                }
            }
        }
    }

    #[test]
    fn an_exchange_is_exact_to_twenty_decimals() {
        let rate = |text: &str| Rate::parse(text).unwrap();
        let (euros, rounded) = exchanged(amounts(&["123.45"])[0], rate("0.9231")).unwrap();
        assert_eq!((euros.to_string().as_str(), rounded), ("113.956695", false));
        let (euros, rounded) = exchanged(amounts(&["-0.00000000000000000005"])[0], rate("0.5")).unwrap();
        assert_eq!((euros.to_string().as_str(), rounded), ("-0.00000000000000000003", true));
        assert_eq!(exchanged(amounts(&["999999999999999"])[0], rate("10")), Err(DecimalError::TooLarge));
    }

    #[test]
    fn tax_is_rounded_once_and_says_by_how_much() {
        let taxable = Invoiced::parse(currency("EUR"), "10.13").unwrap();
        let (amount, residue) = tax(taxable, Percentage::parse("19").unwrap()).unwrap();
        assert_eq!((amount.to_string(), residue.to_string()), ("1.92".into(), "0.0047".into()));
        let (amount, _) = tax(taxable.negated(), Percentage::parse("19").unwrap()).unwrap();
        assert_eq!(amount.to_string(), "-1.92");
        let (pounds, residue) = tax_in(currency("GBP"), amount, Rate::parse("0.8512").unwrap()).unwrap();
        assert_eq!((pounds.to_string(), residue.to_string()), ("-1.63".into(), "-0.004304".into()));
    }

    #[test]
    fn what_is_due_can_be_made_payable() {
        let francs = |text| Invoiced::parse(currency("CHF"), text).unwrap();
        for (due, added) in [("10.02", "-0.02"), ("10.03", "0.02"), ("10.05", "0.00"), ("-10.03", "-0.02")] {
            assert_eq!(payable(francs(due), francs("0.05")).unwrap().to_string(), added, "{due}");
        }
        assert!(payable(francs("1"), Invoiced::parse(currency("EUR"), "0.05").unwrap()).is_err());
    }
}
