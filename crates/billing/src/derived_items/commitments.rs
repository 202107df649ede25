//! What the payer has promised AWS to spend: who stands for which part of it, and who pays for what is missing.

use super::lines::OwnLines;
use super::{Derived, Place, PolicyError, Shortfall, Told, item};
use crate::cost_line::LineItemType;
use crate::custom_line_item::Origin;
use crate::line_filter::LineFilter;
use crate::money::{Amount, DecimalError, Percentage, Quantity, percentage_of};
use crate::policy::{CostMeasure, PayerCommitment};
use crate::tier_pool;
use std::collections::BTreeMap;

pub(super) fn charge(own: &OwnLines<'_>, derived: &mut Derived) -> Result<(), PolicyError> {
    let mut all: Vec<(usize, &PayerCommitment)> =
        own.book.policies.payer_commitments.iter().enumerate().collect();
    all.retain(|(_, of)| of.in_force.contains(own.cube.period));
    all.sort_by_key(|(_, of)| of.name.as_str());
    for (number, of) in all {
        let failed =
            |source| PolicyError::TooLarge { what: format!("payer commitment `{}`", of.name), source };
        let mut shortfalls = shortfalls(own, number, of).map_err(failed)?;
        let missing = if of.shared { Some(deal_out(of, &mut shortfalls).map_err(failed)?) } else { None };
        for shortfall in &shortfalls {
            let Some(group) = shortfall.group else { continue };
            let place = Place {
                origin: Origin::PayerCommitment(number),
                group,
                account: &own.book.groups[group].primary_account,
                service: of.presentation_service.as_ref(),
            };
            let told = in_words(own, of, shortfall, missing);
            let amount = (shortfall.charged, own.book.currency);
            derived.items.extend(item(own, place, of.name.clone(), told, amount));
        }
        derived.shortfalls.extend(shortfalls);
    }
    Ok(())
}

/// What everybody is short of, by name of the group, the payer last; each is charged that.
fn shortfalls(
    own: &OwnLines<'_>,
    commitment: usize,
    of: &PayerCommitment,
) -> Result<Vec<Shortfall>, DecimalError> {
    let spends = spends(own, of)?;
    let mut shares = of.shares.clone();
    shares.retain(|(group, _)| own.is_in_force(*group));
    shares.sort_by_key(|(group, _)| own.book.groups[*group].name.as_str());
    let given = shares.iter().map(|(_, percentage)| percentage.units()).sum::<i128>();
    let rest = Percentage::from_units(100 * Percentage::ONE.units() - given)?;
    let mut spent_by_shares = Quantity::ZERO;
    let mut total = Quantity::ZERO;
    for (group, spent) in &spends {
        total = total.plus(*spent)?;
        if group.is_some_and(|group| shares.iter().any(|(of, _)| *of == group)) {
            spent_by_shares = spent_by_shares.plus(*spent)?;
        }
    }
    let groups = shares.into_iter().map(|(group, percentage)| (Some(group), percentage));
    groups
        .chain([(None, rest)])
        .map(|(group, percentage)| {
            let spent = match group {
                Some(_) => spends.get(&group).copied().unwrap_or_default(),
                None => total.minus(spent_by_shares)?,
            };
            let share = percentage_of(of.amount.to_amount()?, percentage)?.0;
            let short = share.minus(spent.to_amount()?)?.max(Amount::ZERO);
            Ok(Shortfall { commitment, group, percentage, share, spent, short, charged: short })
        })
        .collect()
}

/// What is spent by the lines of every group, and of no group, in the book's currency.
fn spends(
    own: &OwnLines<'_>,
    of: &PayerCommitment,
) -> Result<BTreeMap<Option<usize>, Quantity>, DecimalError> {
    use LineItemType::{Credit, Refund};
    let mut spends: BTreeMap<Option<usize>, Quantity> = BTreeMap::new();
    for line in own.all().filter(|line| line.currency == own.book.currency) {
        let counts_by_itself = line.left_out.is_none() && !matches!(line.kind, Credit | Refund);
        let passes = |filter: &LineFilter| {
            (counts_by_itself || !filter.line_item_types.is_empty()) && filter.passes(own.cube, line.class)
        };
        let counts = if of.spend.is_empty() { counts_by_itself } else { of.spend.iter().any(passes) };
        if counts {
            let sum = spends.entry(line.group).or_default();
            *sum = sum.plus(own.cost(of.of, line)?)?;
        }
    }
    Ok(spends)
}

/// Sets what all spend against the whole promise, and deals out what is missing, which it returns, among those who are short.
fn deal_out(of: &PayerCommitment, shortfalls: &mut [Shortfall]) -> Result<Quantity, DecimalError> {
    let spent = shortfalls.iter().try_fold(Quantity::ZERO, |sum, of| sum.plus(of.spent))?;
    let missing = of.amount.minus(spent)?.max(Quantity::ZERO);
    let weights: Vec<Amount> = shortfalls.iter().map(|of| of.short).collect();
    for (shortfall, part) in shortfalls.iter_mut().zip(tier_pool::share_quantity(missing, &weights)?) {
        shortfall.charged = part.to_amount()?;
    }
    Ok(missing)
}

fn in_words(
    own: &OwnLines<'_>,
    of: &PayerCommitment,
    shortfall: &Shortfall,
    shared: Option<Quantity>,
) -> Told {
    let Shortfall { percentage, share, spent, short, charged, .. } = shortfall;
    let (name, amount) = (&of.name, of.amount);
    let promised = format!("{name}: {percentage} % of {amount} is {share}");
    let mut arithmetic = format!("{promised}, spent {spent}, short {short}");
    if let Some(missing) = shared {
        arithmetic += &format!(", {charged} of {missing} {}", own.book.currency);
    }
    // What AWS charges is not the customer's to read.
    let is_told = matches!(of.of, CostMeasure::Public);
    Told { description: if is_told { arithmetic.clone() } else { promised }, arithmetic }
}
