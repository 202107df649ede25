//! Minimums: what is missing on a bill.

use super::lines::OwnLines;
use super::{Derived, Place, PolicyError, ToppedUp, item};
use crate::book::Book;
use crate::custom_line_item::Origin;
use crate::money::{Amount, DecimalError, percentage_of};
use crate::policy::{CostMeasure, Minimum};
use crate::rate_card::Treatment;
use crate::rate_card::item_charges;
use crate::statement;

pub(super) fn charge(own: &OwnLines<'_>, derived: &mut Derived) -> Result<(), PolicyError> {
    let mut all: Vec<(usize, &Minimum)> = own.book.policies.minimums.iter().enumerate().collect();
    all.retain(|(_, of)| of.in_force.contains(own.cube.period));
    if all.is_empty() {
        return Ok(());
    }
    all.sort_by_key(|(_, of)| own.book.groups[of.group].name.as_str());
    let mut book: Book = own.book.clone();
    book.items.extend(derived.items.iter().cloned());
    let charges = item_charges(own.cube, &book, own.card)?;
    let failed =
        |of: &Minimum, source| PolicyError::TooLarge { what: format!("minimum `{}`", of.name), source };
    for (number, of) in all {
        let totals =
            statement::totals(own.cube, &book, own.card, &charges).map_err(|error| failed(of, error))?;
        let charged = totals.iter().find(|total| total.group == of.group && total.currency == book.currency);
        let charged = charged.map_or(Amount::ZERO, |total| total.amount);
        let floor = floor(own, of).map_err(|error| failed(of, error))?;
        let missing = floor.minus(charged).map_err(|error| failed(of, error))?.max(Amount::ZERO);
        let place = Place {
            origin: Origin::Minimum(number),
            group: of.group,
            account: &own.book.groups[of.group].primary_account,
            service: of.presentation_service.as_ref(),
        };
        let about = of.description.as_ref().unwrap_or(&of.name);
        let currency = own.book.currency;
        let description = format!("{about}: at least {floor} {currency}, charged {charged}");
        derived.items.extend(item(own.cube, place, of.name.clone(), description, (missing, currency)));
        derived.minimums.push(ToppedUp { minimum: number, floor, charged, missing });
    }
    Ok(())
}

/// What a group pays at least: the amount, or the percentage of what its lines cost, whichever is more.
fn floor(own: &OwnLines<'_>, of: &Minimum) -> Result<Amount, DecimalError> {
    let amount = of.amount.unwrap_or_default().to_amount()?;
    let Some(percentage) = of.percentage else { return Ok(amount) };
    let mut base = Amount::ZERO;
    for line in own.all() {
        let is_own = line.group == Some(of.group) && line.currency == own.book.currency && !line.is_source();
        if is_own && (!line.is_left_out() || line.treatment == Treatment::PassedOn) {
            // What is passed on has no price but AWS's.
            let measure = if line.treatment == Treatment::PassedOn { CostMeasure::Aws } else { of.of };
            base = base.plus(own.cost(measure, &line)?.to_amount()?)?;
        }
    }
    Ok(amount.max(percentage_of(base, percentage)?.0))
}
