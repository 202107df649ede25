//! What a Savings Plan is, from its hourly fees and from usage that it covers.

use super::notes::{Noted, Notes, PlanFees, Said, UsageKey};
use super::{KnownPlan, KnownRate, Month, Pool, RateConflict, agreed};
use crate::layout::CommitmentColumn as Column;
use billing::account::arn_account;
use billing::charge_class::{ChargeClass, Cube, KeyColumn};
use billing::commitment::{PlanKind, UsageType};
use billing::cost_line::LineItemType;
use billing::money::Rate;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The classes of a plan's lines.
#[derive(Default)]
pub struct PlanLines {
    account: Said,
    fees: u64,
    others: u64,
    /// The regions of usage that it covers.
    covered_region: Said,
}

impl PlanLines {
    pub fn add(&mut self, cube: &Cube, class: &ChargeClass, kind: LineItemType) {
        match kind {
            LineItemType::SavingsPlanRecurringFee => {
                self.account.note(cube.value(class, KeyColumn::UsageAccount).unwrap_or_default());
                self.fees += class.lines;
            }
            LineItemType::SavingsPlanUpfrontFee => self.others += class.lines,
            LineItemType::SavingsPlanCoveredUsage => {
                self.others += class.lines;
                self.covered_region.note(cube.value(class, KeyColumn::Region).unwrap_or_default());
            }
            _ => {}
        }
    }

    /// Whether there are lines that a plan of the month has; a refund of an old one is not.
    pub const fn tell(&self) -> bool {
        self.fees + self.others > 0
    }
}

/// What a plan is, or why it cannot be told.
pub fn tell(arn: &str, noted: Option<&Noted>, lines: &PlanLines, month: Month) -> Result<KnownPlan, String> {
    let (Some(noted), true) = (noted, lines.fees > 0) else {
        let reason =
            "it has no `SavingsPlanRecurringFee` line in the month, which would say how much it promises";
        return Err(reason.to_owned());
    };
    let owner = match arn_account(arn) {
        Some(owner) => owner,
        None => agreed(&lines.account, "account")?.ok_or("neither its ARN nor its fees name an account")?,
    };
    let text =
        |column, what| agreed(noted.said(column), what).map(|text| text.unwrap_or_default().to_owned());
    let offering_type = text(Column::OfferingType, "offering type")?;
    if offering_type.is_empty() {
        return Err("no line says its offering type".to_owned());
    }
    let mut plan = KnownPlan {
        arn: arn.to_owned(),
        owner: owner.to_owned(),
        hours: hours(noted, month)?,
        offering_type,
        region: String::new(),
        instance_family: String::new(),
        payment_option: text(Column::PaymentOption, "payment option")?,
        purchase_term: text(Column::PurchaseTerm, "purchase term")?,
        commitment: commitment(&noted.plan_fees)?,
        rates: rates(noted),
    };
    if let PlanKind::Ec2Instance { .. } = PlanKind::parse(&plan.offering_type, "", "") {
        plan.instance_family = match text(Column::InstanceFamily, "instance family")? {
            family if family.is_empty() => covered_family(&plan.rates)?,
            family => family,
        };
        plan.region = match text(Column::PlanRegion, "region")? {
            region if region.is_empty() => {
                lines.covered_region.agreed().ok().flatten().unwrap_or_default().to_owned()
            }
            region => region,
        };
    }
    Ok(plan)
}

/// The hours in which the plan is in force: those that have a fee, from the first to the last; they must be within its term, where lines
/// say it.
fn hours(noted: &Noted, month: Month) -> Result<Range<u32>, String> {
    let (start, end) = (noted.said(Column::PlanStart), noted.said(Column::PlanEnd));
    let fees = &noted.plan_fees;
    let (first, last) = (fees.hours().next(), fees.hours().last());
    if (start, end) != (&Said::Nothing, &Said::Nothing) {
        let term = month.in_force(start, end)?;
        // A plan that was returned has no fees any more, and a month that runs has none yet.
        let Some((first, last)) = first.zip(last) else { return Ok(term) };
        if first < term.start || last >= term.end {
            return Err("it has fees outside of its term".to_owned());
        }
        return Ok(first..last + 1);
    }
    let (Some(first), Some(last)) = (first, last) else {
        return Err("no line says when it begins and ends, and its fees are not hourly".to_owned());
    };
    if fees.hours().count() != (first..=last).count() {
        return Err(
            "no line says when it begins and ends, and some hours between its fees have none".to_owned()
        );
    }
    Ok(first..last + 1)
}

/// The hourly commitment, which every fee must say alike.
fn commitment(fees: &PlanFees) -> Result<Rate, String> {
    if fees.not_hourly > 0 {
        return Err(format!("{} of its fees are not of exactly one hour of the month", fees.not_hourly));
    }
    if fees.twice_an_hour {
        return Err("it has several fees in an hour".to_owned());
    }
    let shown = |units| Rate::from_units(units).map_err(|error| format!("its commitment is {error}"));
    match fees.commitment {
        Some(span) if span.least == span.most && span.least > 0 => shown(span.least),
        Some(span) if span.least == span.most => Err("its fees do not say its commitment".to_owned()),
        Some(span) => Err(format!(
            "its commitment differs from hour to hour, from {} to {}",
            shown(span.least)?,
            shown(span.most)?
        )),
        None => Err("its fees do not say its commitment".to_owned()),
    }
}

/// The rates of usage that it covers; of several for one usage the lowest.
fn rates(noted: &Noted) -> Vec<KnownRate> {
    noted.rates.iter().filter_map(|(usage, span)| known_rate(usage, span.least)).collect()
}

fn known_rate((service, usage_type, operation): &UsageKey, units: i128) -> Option<KnownRate> {
    let rate = Rate::from_units(units).ok()?;
    let [service, usage_type, operation] = [service, usage_type, operation].map(ToString::to_string);
    Some(KnownRate { service, usage_type, operation, rate })
}

/// The one family of all usage that an EC2 Instance plan covers.
fn covered_family(rates: &[KnownRate]) -> Result<String, String> {
    let families = rates.iter().map(|rate| UsageType::parse(&rate.usage_type).family().unwrap_or_default());
    let mut families = families.collect::<BTreeSet<&str>>().into_iter();
    match (families.next(), families.next()) {
        (Some(family), None) if !family.is_empty() => Ok(family.to_owned()),
        _ => Err("no line says its instance family, nor does the usage that it covers".to_owned()),
    }
}

/// How many rates of a plan were rounded.
pub fn rates_rounded(noted: &Noted) -> usize {
    noted.rates.values().filter(|rates| rates.rounded).count()
}

/// Usage at several rates: of one plan, and of plans that share their rates where one of them has none of its own.
pub fn conflicts(notes: &Notes, plans: &[KnownPlan]) -> Vec<RateConflict> {
    let mut conflicts = Vec::new();
    for plan in plans {
        let rates = notes.get(&plan.arn).into_iter().flat_map(|noted| &noted.rates);
        for (usage, span) in rates.filter(|(_, span)| span.least != span.most) {
            let (lowest, highest) = (known_rate(usage, span.least), Rate::from_units(span.most));
            conflicts.extend(lowest.zip(highest.ok()).map(|(lowest, highest)| RateConflict {
                plans: [plan.arn.clone(), plan.arn.clone()],
                lowest,
                highest,
            }));
        }
    }
    let mut pools: BTreeMap<Pool, Vec<&KnownPlan>> = BTreeMap::new();
    plans.iter().for_each(|plan| pools.entry(plan.pool()).or_default().push(plan));
    for plans in pools.values().filter(|plans| plans.len() > 1) {
        conflicts.extend(conflicts_between(plans));
    }
    conflicts
}

/// Usage that some of the plans have at several rates, and some have no rate for.
fn conflicts_between(plans: &[&KnownPlan]) -> Vec<RateConflict> {
    let mut by_usage: BTreeMap<[&str; 3], Vec<(&KnownRate, &str)>> = BTreeMap::new();
    for plan in plans {
        for known in &plan.rates {
            let usage = [&known.service, &known.usage_type, &known.operation].map(String::as_str);
            by_usage.entry(usage).or_default().push((known, &plan.arn));
        }
    }
    let by_rate = |(known, arn): &&(&KnownRate, &str)| (known.rate, (*arn).to_owned());
    let conflict = |rates: &Vec<(&KnownRate, &str)>| {
        let (lowest, highest) = (rates.iter().min_by_key(by_rate)?, rates.iter().max_by_key(by_rate)?);
        let matters = lowest.0.rate != highest.0.rate && rates.len() < plans.len();
        matters.then(|| RateConflict {
            plans: [lowest.1.to_owned(), highest.1.to_owned()],
            lowest: lowest.0.clone(),
            highest: highest.0.rate,
        })
    };
    by_usage.values().filter_map(conflict).collect()
}
