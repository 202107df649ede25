//! Support fees: by tiers of a billing group's own spend.

use super::lines::OwnLines;
use super::{Derived, Place, PolicyError, SupportCharge, Told, item};
use crate::custom_line_item::Origin;
use crate::money::{Amount, DecimalError, percentage_of};
use crate::policy::{CostMeasure, SupportFee};
use std::collections::BTreeMap;

pub(super) fn charge(own: &OwnLines<'_>, derived: &mut Derived) -> Result<(), PolicyError> {
    let mut fees: Vec<(usize, &SupportFee)> = own.book.policies.support_fees.iter().enumerate().collect();
    fees.retain(|(_, fee)| fee.in_force.contains(own.cube.period));
    fees.sort_by_key(|(_, fee)| fee.name.as_str());
    for (number, fee) in fees {
        let failed = |source| PolicyError::TooLarge { what: format!("support fee `{}`", fee.name), source };
        let spends = spends(own, fee).map_err(failed)?;
        let mut groups: Vec<usize> =
            if fee.groups.is_empty() { own.present().keys().copied().collect() } else { fee.groups.clone() };
        groups.retain(|group| own.is_in_force(*group));
        groups.sort_by_key(|group| own.book.groups[*group].name.as_str());
        for group in groups {
            let spend = spends.get(&group).copied().unwrap_or_default();
            let by_tiers = by_tiers(fee, spend).map_err(failed)?;
            let amount = by_tiers.max(fee.minimum.to_amount().map_err(failed)?);
            let place = Place {
                origin: Origin::SupportFee(number),
                group,
                account: &own.book.groups[group].primary_account,
                service: fee.presentation_service.as_ref(),
            };
            let about = fee.description.as_ref().unwrap_or(&fee.name);
            let arithmetic = format!("{about}: on a spend of {spend} {}", own.book.currency);
            // What AWS charges is not the customer's to read.
            let is_told = matches!(fee.of, CostMeasure::ProForma);
            let description = if is_told { arithmetic.clone() } else { about.clone() };
            let told = Told { description, arithmetic };
            let of = item(own, place, fee.name.clone(), told, (amount, own.book.currency));
            derived.items.extend(of);
            derived.support_fees.push(SupportCharge { fee: number, group, spend, by_tiers, amount });
        }
    }
    Ok(())
}

/// What the groups spend, in the book's currency.
fn spends(own: &OwnLines<'_>, fee: &SupportFee) -> Result<BTreeMap<usize, Amount>, DecimalError> {
    let mut spends: BTreeMap<usize, Amount> = BTreeMap::new();
    for ((group, _, currency), cost) in own.costs(fee.of, &[])? {
        if currency == own.book.currency {
            let sum = spends.entry(group).or_default();
            *sum = sum.plus(cost)?;
        }
    }
    Ok(spends)
}

/// Each tier's percentage of the part of a spend that lies in it; a spend below 0 counts as 0.
fn by_tiers(fee: &SupportFee, spend: Amount) -> Result<Amount, DecimalError> {
    let mut begin = Amount::ZERO;
    let mut sum = Amount::ZERO;
    for tier in &fee.tiers {
        let end = tier.up_to.map(|end| end.to_amount()).transpose()?;
        let within = end.map_or(spend, |end| spend.min(end)).minus(begin)?.max(Amount::ZERO);
        sum = sum.plus(percentage_of(within, tier.percentage)?.0)?;
        begin = end.unwrap_or(begin);
    }
    Ok(sum)
}
