//! Minimums: what is missing on a bill.

use super::lines::OwnLines;
use super::{Derived, Place, PolicyError, Told, ToppedUp, item};
use crate::book::Book;
use crate::custom_line_item::Origin;
use crate::money::{Amount, DecimalError, percentage_of};
use crate::policy::{CostMeasure, Minimum};
use crate::rate_card::{Treatment, item_charges};
use crate::statement;
use std::collections::HashMap;

pub(super) fn charge(own: &OwnLines<'_>, derived: &mut Derived) -> Result<(), PolicyError> {
    let mut all: Vec<(usize, &Minimum)> = own.book.policies.minimums.iter().enumerate().collect();
    all.retain(|(_, of)| of.in_force.contains(own.cube.period) && own.is_in_force(of.group));
    if all.is_empty() {
        return Ok(());
    }
    all.sort_by_key(|(_, of)| own.book.groups[of.group].name.as_str());
    let mut book: Book = own.book.clone();
    book.items.extend(derived.items.iter().cloned());
    let charges = item_charges(own.cube, &book, own.card)?;
    let of_all = |source| PolicyError::TooLarge { what: "the minimums".to_owned(), source };
    let totals = statement::totals(own.cube, &book, own.card, &charges).map_err(of_all)?;
    let in_currency = totals.iter().filter(|total| total.currency == book.currency);
    let totals: HashMap<usize, Amount> = in_currency.map(|total| (total.group, total.amount)).collect();
    let bases = bases(own, &all).map_err(of_all)?;
    for (number, of) in all {
        let failed = |source| PolicyError::TooLarge { what: format!("minimum `{}`", of.name), source };
        let charged = totals.get(&of.group).copied().unwrap_or_default();
        let floor = floor(of, bases.get(&of.group).copied().unwrap_or_default()).map_err(failed)?;
        let missing = floor.minus(charged).map_err(failed)?.max(Amount::ZERO);
        let place = Place {
            origin: Origin::Minimum(number),
            group: of.group,
            account: &own.book.groups[of.group].primary_account,
            service: of.presentation_service.as_ref(),
        };
        let about = of.description.as_ref().unwrap_or(&of.name);
        let currency = own.book.currency;
        let told = Told::to_all(format!("{about}: at least {floor} {currency}, charged {charged}"));
        derived.items.extend(item(own, place, of.name.clone(), told, (missing, currency)));
        derived.minimums.push(ToppedUp { minimum: number, floor, charged, missing });
    }
    Ok(())
}

/// What the lines of every group with a percentage cost, by its measure; a group has one minimum in a period.
fn bases(own: &OwnLines<'_>, minimums: &[(usize, &Minimum)]) -> Result<HashMap<usize, Amount>, DecimalError> {
    let measures: HashMap<usize, CostMeasure> =
        minimums.iter().filter(|(_, of)| of.percentage.is_some()).map(|(_, of)| (of.group, of.of)).collect();
    let mut bases: HashMap<usize, Amount> = HashMap::new();
    for line in own.all() {
        let is_own = line.currency == own.book.currency && !line.is_source();
        let counts = is_own && (!line.is_left_out() || line.treatment == Treatment::PassedOn);
        let Some(group) = line.group.filter(|_| counts) else { continue };
        let Some(measure) = measures.get(&group) else { continue };
        // What is passed on has no price but AWS's.
        let measure = if line.treatment == Treatment::PassedOn { CostMeasure::Aws } else { *measure };
        let sum = bases.entry(group).or_default();
        *sum = sum.plus(own.cost(measure, line)?.to_amount()?)?;
    }
    Ok(bases)
}

/// What a group pays at least: the amount, or the percentage of what its lines cost, whichever is more.
fn floor(of: &Minimum, base: Amount) -> Result<Amount, DecimalError> {
    let amount = of.amount.unwrap_or_default().to_amount()?;
    match of.percentage {
        Some(percentage) => Ok(amount.max(percentage_of(base, percentage)?.0)),
        None => Ok(amount),
    }
}
