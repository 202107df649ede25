//! Who has a part of an allocation, and what each weighs.

use super::PolicyError;
use super::lines::{Line, OwnLines};
use crate::account::AccountId;
use crate::charge_class::{KeyColumn, Measure};
use crate::line_filter::LineFilter;
use crate::membership::Membership;
use crate::money::{Amount, Cost, Currency, DecimalError, Quantity};
use crate::policy::{CostAllocation, Method, Target};
use std::collections::{BTreeMap, BTreeSet};

/// One who may have a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recipient {
    pub target: Target,
    /// The billing group that is charged: of groups and accounts.
    pub group: Option<usize>,
}

/// What every recipient weighs: its own lines, by currency where these count.
pub(super) struct Weights<'a> {
    own: OwnLines<'a>,
    of: &'a CostAllocation,
    costs: BTreeMap<(usize, &'a str, Currency), Amount>,
    usage: BTreeMap<(Option<usize>, Option<usize>, &'a str), Quantity>,
}

/// The recipients of an allocation in the month, in the order in which missing units are dealt out: billing groups, accounts, allocations and the
/// payer, by name.
pub(super) fn recipients(
    own: &OwnLines<'_>,
    membership: &Membership<'_>,
    of: &CostAllocation,
) -> Result<Vec<Recipient>, PolicyError> {
    let present = own.present();
    let targets = match &of.method {
        Method::Fixed(shares) => shares.iter().map(|(target, _)| target.clone()).collect(),
        Method::Weights(file) if of.targets.named.is_empty() => {
            let rows =
                file.rows.iter().filter(|row| row.period.is_none_or(|period| period == own.cube.period));
            rows.filter_map(|row| row.target.clone().ok()).collect::<BTreeSet<Target>>().into_iter().collect()
        }
        _ if of.targets.named.is_empty() => present.keys().map(|group| Target::Group(*group)).collect(),
        _ => of.targets.named.clone(),
    };
    let mut recipients = Vec::new();
    for target in targets {
        add(own, membership, of, &present, target, &mut recipients)?;
    }
    recipients.sort_by_cached_key(|recipient| order(own, recipient));
    recipients.dedup();
    Ok(recipients)
}

fn add(
    own: &OwnLines<'_>,
    membership: &Membership<'_>,
    of: &CostAllocation,
    present: &BTreeMap<usize, BTreeSet<&str>>,
    target: Target,
    to: &mut Vec<Recipient>,
) -> Result<(), PolicyError> {
    let excepted = |account: &AccountId| of.targets.except_accounts.contains(account);
    match target {
        Target::Group(group) if of.targets.except_groups.contains(&group) => {}
        Target::Group(group) if of.targets.by_account => {
            let primary = || vec![own.book.groups[group].primary_account.clone()];
            let with_lines = |accounts: &BTreeSet<&str>| {
                accounts.iter().filter_map(|account| AccountId::parse(account)).collect()
            };
            let accounts: Vec<AccountId> = present.get(&group).map_or_else(primary, with_lines);
            let accounts = accounts.into_iter().filter(|account| !excepted(account));
            to.extend(
                accounts.map(|account| Recipient { target: Target::Account(account), group: Some(group) }),
            );
        }
        Target::Group(group) => to.push(Recipient { target, group: Some(group) }),
        Target::Account(ref account) if excepted(account) => {}
        Target::Account(ref account) => {
            let Some(group) = membership.group_of_account(account.as_str()) else {
                let why = format!(
                    "target account `{account}` is in no billing group in {}; put it into one, or take it out",
                    own.cube.period
                );
                return Err(PolicyError::Target { allocation: of.name.clone(), why });
            };
            to.push(Recipient { target, group: Some(group as usize) });
        }
        Target::Allocation(number) => {
            let next = &own.book.policies.allocations[number];
            if !next.in_force.contains(own.cube.period) {
                let why = format!(
                    "target allocation `{}` is not in force in {}; give both the same `start` and `end`",
                    next.name, own.cube.period
                );
                return Err(PolicyError::Target { allocation: of.name.clone(), why });
            }
            to.push(Recipient { target, group: None });
        }
        Target::Payer => to.push(Recipient { target, group: None }),
    }
    Ok(())
}

fn order(own: &OwnLines<'_>, recipient: &Recipient) -> (u8, String, Option<String>) {
    let name = |group: &Option<usize>| group.map(|group| own.book.groups[group].name.clone());
    match &recipient.target {
        Target::Group(group) => (0, own.book.groups[*group].name.clone(), None),
        Target::Account(account) => (1, account.to_string(), name(&recipient.group)),
        Target::Allocation(number) => (2, own.book.policies.allocations[*number].name.clone(), None),
        Target::Payer => (3, String::new(), None),
    }
}

impl<'a> Weights<'a> {
    /// What the lines of the month weigh for an allocation.
    pub fn of(
        own: OwnLines<'a>,
        of: &'a CostAllocation,
        recipients: &[Recipient],
    ) -> Result<Self, PolicyError> {
        let mut weights = Self { own, of, costs: BTreeMap::new(), usage: BTreeMap::new() };
        match &of.method {
            Method::ProportionalToCost(measure, lines) => {
                weights.costs = own.costs(*measure, lines).map_err(|error| weights.too_large(error))?;
            }
            Method::ProportionalToUsage(lines) => weights.add_usage(lines, recipients)?,
            Method::Weights(file) => {
                let in_month = |period: Option<_>| period.is_none_or(|period| period == own.cube.period);
                for row in file.rows.iter().filter(|row| in_month(row.period)) {
                    let is_target = |target: &Target| recipients.iter().any(|of| of.target == *target);
                    let why = match &row.target {
                        Ok(target) if is_target(target) => continue,
                        Ok(target) => format!(
                            "`{}`, line {}: {} is no target of it this month; take the row out, or name the target",
                            file.name,
                            row.line,
                            own.book.target_text(target)
                        ),
                        Err(why) => why.clone(),
                    };
                    return Err(PolicyError::Target { allocation: of.name.clone(), why });
                }
            }
            Method::Even | Method::Fixed(_) => {}
        }
        Ok(weights)
    }

    /// Sums usage by source and owner, in one unit.
    fn add_usage(&mut self, filters: &[LineFilter], recipients: &[Recipient]) -> Result<(), PolicyError> {
        let mut unit: Option<&str> = None;
        let fates = self.own.fates();
        let counts = |line: &Line<'_>| {
            let source = match fates.of_class(line.number) {
                Some(crate::fate::Fate::Source(source)) => Some(source.allocation),
                _ => None,
            };
            let fed = |number| recipients.iter().any(|of| of.target == Target::Allocation(number));
            let charged = |group| recipients.iter().any(|of| of.group == Some(group));
            match (source, line.group) {
                (Some(number), _) => fed(number).then_some((source, None)),
                (None, Some(group)) => charged(group).then_some((None, Some(group))),
                (None, None) => None,
            }
        };
        for line in self.own.all() {
            if !line.kind.is_metered() || line.repeats() || !self.own.passes(filters, &line) {
                continue;
            }
            let Some((source, group)) = counts(&line) else { continue };
            let of_line = self.own.cube.value(line.class, KeyColumn::PricingUnit).unwrap_or_default();
            if let Some(known) = unit.replace(of_line).filter(|known| *known != of_line) {
                let (one, other) = (known.to_owned(), of_line.to_owned());
                return Err(PolicyError::Units { allocation: self.of.name.clone(), one, other });
            }
            let account = if source.is_some() { "" } else { line.account };
            let sum = self.usage.entry((source, group, account)).or_default();
            *sum = sum.plus(line.class.sum(Measure::Usage)).map_err(|source| PolicyError::TooLarge {
                what: format!("allocation `{}`", self.of.name),
                source,
            })?;
        }
        Ok(())
    }

    /// What a recipient weighs for a source in a currency; `sources` say what other allocations come to by now.
    pub fn weight(
        &self,
        recipient: &Recipient,
        currency: Currency,
        source: impl Fn(usize, Currency) -> Result<Cost, DecimalError>,
    ) -> Result<Amount, DecimalError> {
        match (&self.of.method, &recipient.target) {
            (Method::Even, _) => Ok(Amount::ONE),
            (Method::Fixed(shares), target) => {
                let share = shares.iter().find(|(of, _)| of == target);
                share.map_or(Ok(Amount::ZERO), |(_, percentage)| percentage.to_amount())
            }
            (Method::Weights(file), target) => {
                let of_month = |period: Option<_>| period.is_none_or(|of| of == self.own.cube.period);
                let rows =
                    file.rows.iter().filter(|row| of_month(row.period) && row.target.as_ref() == Ok(target));
                rows.map(|row| row.weight).try_fold(Quantity::ZERO, Quantity::plus)?.to_amount()
            }
            (Method::ProportionalToCost(..), Target::Allocation(number)) => {
                source(*number, currency)?.to_amount()
            }
            (Method::ProportionalToCost(..), target) => {
                let of_target = self.costs.iter().filter(|((group, account, of), _)| {
                    *of == currency && owns(recipient, target, Some(*group), account)
                });
                of_target.map(|(_, cost)| *cost).try_fold(Amount::ZERO, Amount::plus)
            }
            (Method::ProportionalToUsage(_), target) => {
                let of_target = self.usage.iter().filter(|((source, group, account), _)| match target {
                    Target::Allocation(number) => *source == Some(*number),
                    target => source.is_none() && owns(recipient, target, *group, account),
                });
                of_target.map(|(_, usage)| *usage).try_fold(Quantity::ZERO, Quantity::plus)?.to_amount()
            }
        }
    }

    fn too_large(&self, source: DecimalError) -> PolicyError {
        PolicyError::TooLarge { what: format!("allocation `{}`", self.of.name), source }
    }
}

/// Whether lines of a group and account are a recipient's own.
fn owns(recipient: &Recipient, target: &Target, group: Option<usize>, account: &str) -> bool {
    recipient.group.is_some()
        && recipient.group == group
        && match target {
            Target::Account(own) => own.as_str() == account,
            _ => true,
        }
}
