//! Who has a part of an allocation, and what each weighs.

use super::PolicyError;
use super::lines::OwnLines;
use crate::account::AccountId;
use crate::charge_class::{KeyColumn, Measure};
use crate::fate::Fate;
use crate::line_filter::LineFilter;
use crate::membership::Membership;
use crate::money::{Amount, Cost, Currency, DecimalError, Quantity};
use crate::policy::{CostAllocation, Method, Target, WeightFile};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// One who may have a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recipient {
    pub target: Target,
    /// The billing group that is charged: of groups and accounts.
    pub group: Option<usize>,
}

/// What every recipient weighs: its own lines, by currency where these count.
pub(super) struct Weights<'a> {
    own: &'a OwnLines<'a>,
    of: &'a CostAllocation,
    costs: HashMap<(Whose<'a>, Currency), Amount>,
    usage: HashMap<Whose<'a>, Quantity>,
    rows: BTreeMap<&'a Target, Quantity>,
}

/// Whose lines are summed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Whose<'a> {
    Group(usize),
    Account(usize, Cow<'a, str>),
    Source(usize),
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
            let rows = file.rows_of(own.cube.period);
            rows.filter_map(|row| row.target.clone().ok()).collect::<BTreeSet<Target>>().into_iter().collect()
        }
        _ if of.targets.named.is_empty() => present.keys().map(|group| Target::Group(*group)).collect(),
        _ => of.targets.named.clone(),
    };
    let mut recipients = Vec::new();
    for target in targets {
        add(own, membership, of, present, target, &mut recipients)?;
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
        Target::Group(group) if !own.is_in_force(group) => {
            let (group, period) = (&own.book.groups[group].name, own.cube.period);
            let why = format!(
                "target billing group `{group}` is not there in {period}: its billing transfer is not in force; take it out, or \
                 give the allocation a `start` and an `end`"
            );
            return Err(PolicyError::Target { allocation: of.name.clone(), why });
        }
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
                    "{}target account `{account}` is in no billing group in {}; put it into one, or take it out",
                    place_of(own, of, &target),
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

/// Where a file of weights names a target: of other targets nothing.
fn place_of(own: &OwnLines<'_>, of: &CostAllocation, target: &Target) -> String {
    let Method::Weights(file) = &of.method else { return String::new() };
    let row = file.rows_of(own.cube.period).find(|row| row.target.as_ref() == Ok(target));
    row.map(|row| format!("`{}`, line {}: ", file.name, row.line)).unwrap_or_default()
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
        own: &'a OwnLines<'a>,
        of: &'a CostAllocation,
        recipients: &[Recipient],
    ) -> Result<Self, PolicyError> {
        let mut weights =
            Self { own, of, costs: HashMap::new(), usage: HashMap::new(), rows: BTreeMap::new() };
        let too_large = |source| PolicyError::TooLarge { what: format!("allocation `{}`", of.name), source };
        match &of.method {
            Method::ProportionalToCost(measure, lines) => {
                for ((group, account, currency), cost) in own.costs(*measure, lines).map_err(too_large)? {
                    for whose in [Whose::Group(group), Whose::Account(group, account.into())] {
                        let sum = weights.costs.entry((whose, currency)).or_default();
                        *sum = sum.plus(cost).map_err(too_large)?;
                    }
                }
            }
            Method::ProportionalToUsage(lines) => weights.add_usage(lines, recipients)?,
            Method::Weights(file) => weights.add_rows(file, recipients)?,
            Method::Even | Method::Fixed(_) => {}
        }
        Ok(weights)
    }

    /// Sums the rows of the month; each weighs one recipient.
    fn add_rows(&mut self, file: &'a WeightFile, recipients: &[Recipient]) -> Result<(), PolicyError> {
        let mut known: BTreeMap<&Target, u32> = BTreeMap::new();
        for recipient in recipients {
            *known.entry(&recipient.target).or_default() += 1;
        }
        let name = &self.of.name;
        let too_large = |source| PolicyError::TooLarge { what: format!("allocation `{name}`"), source };
        for row in file.rows_of(self.own.cube.period) {
            let place = || format!("`{}`, line {}", file.name, row.line);
            let named = |target| self.own.book.target_text(target);
            let why = match &row.target {
                Ok(target) => match known.get(target) {
                    Some(1) => {
                        let sum = self.rows.entry(target).or_default();
                        *sum = sum.plus(row.weight).map_err(too_large)?;
                        continue;
                    }
                    Some(_) => format!(
                        "{}: {} has lines in several billing groups, and each would weigh as much; weigh the groups",
                        place(),
                        named(target)
                    ),
                    None => format!(
                        "{}: {} is no target of it this month; take the row out, or name the target",
                        place(),
                        named(target)
                    ),
                },
                Err(why) => why.clone(),
            };
            return Err(PolicyError::Target { allocation: self.of.name.clone(), why });
        }
        Ok(())
    }

    /// Sums usage by source and owner, in one unit.
    fn add_usage(&mut self, filters: &[LineFilter], recipients: &[Recipient]) -> Result<(), PolicyError> {
        let mut unit: Option<&str> = None;
        let name = &self.of.name;
        let too_large = |source| PolicyError::TooLarge { what: format!("allocation `{name}`"), source };
        let fates = self.own.fates();
        let charged: BTreeSet<usize> = recipients.iter().filter_map(|of| of.group).collect();
        let is_fed = |of: &Recipient| match of.target {
            Target::Allocation(number) => Some(number),
            _ => None,
        };
        let fed: BTreeSet<usize> = recipients.iter().filter_map(is_fed).collect();
        for line in self.own.all() {
            if !line.kind.is_metered() || line.repeats() || !self.own.passes(filters, line) {
                continue;
            }
            let source = match fates.of_class(line.number) {
                Some(Fate::Source(source)) => Some(source.allocation),
                _ => None,
            };
            let whose: Vec<Whose<'_>> = match (source, line.group) {
                (Some(number), _) if fed.contains(&number) => vec![Whose::Source(number)],
                (None, Some(group)) if charged.contains(&group) => {
                    vec![Whose::Group(group), Whose::Account(group, line.account.into())]
                }
                _ => continue,
            };
            let of_line = self.own.cube.value(line.class, KeyColumn::PricingUnit).unwrap_or_default();
            if let Some(known) = unit.replace(of_line).filter(|known| *known != of_line) {
                let (one, other) = (known.to_owned(), of_line.to_owned());
                return Err(PolicyError::Units { allocation: self.of.name.clone(), one, other });
            }
            for whose in whose {
                let sum = self.usage.entry(whose).or_default();
                *sum = sum.plus(line.class.sum(Measure::Usage)).map_err(too_large)?;
            }
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
        let whose = || match (&recipient.target, recipient.group) {
            (Target::Account(account), Some(group)) => {
                Some(Whose::Account(group, account.as_str().to_owned().into()))
            }
            (Target::Group(_), Some(group)) => Some(Whose::Group(group)),
            (Target::Allocation(number), _) => Some(Whose::Source(*number)),
            _ => None,
        };
        match (&self.of.method, &recipient.target) {
            (Method::Even, _) => Ok(Amount::ONE),
            (Method::Fixed(shares), target) => {
                let share = shares.iter().find(|(of, _)| of == target);
                share.map_or(Ok(Amount::ZERO), |(_, percentage)| percentage.to_amount())
            }
            (Method::Weights(_), target) => self.rows.get(target).copied().unwrap_or_default().to_amount(),
            (Method::ProportionalToCost(..), Target::Allocation(number)) => {
                source(*number, currency)?.to_amount()
            }
            (Method::ProportionalToCost(..), _) => {
                let cost = whose().and_then(|whose| self.costs.get(&(whose, currency)));
                Ok(cost.copied().unwrap_or_default())
            }
            (Method::ProportionalToUsage(_), _) => {
                whose().and_then(|whose| self.usage.get(&whose)).copied().unwrap_or_default().to_amount()
            }
        }
    }
}
