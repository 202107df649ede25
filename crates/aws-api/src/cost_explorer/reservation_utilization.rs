//! `GetReservationUtilization`: what was bought with reservations, what of it was used, and what that has saved, as AWS bills it.
//!
//! Only the payer asks: what reservations cover on a billing group's bill is the run's own coverage (docs/commitments.md).

use super::expression::expression;
use super::reservations::EC2;
use super::shapes::{DateInterval, Expression, GroupDefinition, SortDefinition};
use super::sorting::{Sorting, sorted};
use super::usage::{digest, granularity, page_of_rows};
use super::{invalid, past_days};
use crate::call::{Call, json};
use back_office::cost_explorer::CostExplorerRefusal;
use back_office::error::{Answer, Error};
use billing::money::{Cost, Percentage, Quantity, percentage_shown};
use query::dimension::{Dimension, Key};
use query::expression::{Condition, Expression as Asked, Matching};
use query::question::Granularity;
use query::reservations::{Reserved, Utilized};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// By what utilization is grouped.
const SUBSCRIPTION: &str = "SUBSCRIPTION_ID";
/// What it is filtered by.
const FILTERS: [Dimension; 7] = [
    Dimension::Az,
    Dimension::InstanceType,
    Dimension::LinkedAccount,
    Dimension::Platform,
    Dimension::Region,
    Dimension::Service,
    Dimension::Tenancy,
];
/// How many groups or times a page has, unless it is said.
const PAGE: usize = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    time_period: DateInterval,
    #[serde(default)]
    group_by: Vec<GroupDefinition>,
    #[serde(default)]
    granularity: Option<String>,
    #[serde(default)]
    filter: Option<Expression>,
    #[serde(default)]
    sort_by: Option<SortDefinition>,
    #[serde(default)]
    max_results: Option<usize>,
    #[serde(default)]
    next_page_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Utilizations {
    utilizations_by_time: Vec<ByTime>,
    total: Aggregates,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ByTime {
    time_period: DateInterval,
    groups: Vec<Group>,
    total: Aggregates,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Group {
    key: &'static str,
    value: String,
    attributes: BTreeMap<&'static str, String>,
    utilization: Aggregates,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Aggregates {
    utilization_percentage: String,
    utilization_percentage_in_units: String,
    purchased_hours: String,
    purchased_units: String,
    total_actual_hours: String,
    total_actual_units: String,
    unused_hours: String,
    unused_units: String,
    #[serde(rename = "OnDemandCostOfRIHoursUsed")]
    on_demand_cost_used: String,
    #[serde(rename = "NetRISavings")]
    net_savings: String,
    /// Left out, as what is unrealized, where nothing says what unused hours cost On-Demand.
    #[serde(rename = "TotalPotentialRISavings", skip_serializing_if = "Option::is_none")]
    potential_savings: Option<String>,
    amortized_upfront_fee: String,
    amortized_recurring_fee: String,
    total_amortized_fee: String,
    #[serde(rename = "RICostForUnusedHours")]
    cost_of_unused: String,
    realized_savings: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    unrealized_savings: Option<String>,
}

/// What follows from what was bought and used.
struct Figures {
    of: Utilized,
    percentage: Percentage,
    percentage_in_units: Percentage,
    unused_hours: Quantity,
    unused_units: Quantity,
    fee: Cost,
    unused_fee: Cost,
    net: Cost,
    realized: Cost,
    unrealized: Option<Cost>,
    potential: Option<Cost>,
}

impl Figures {
    fn new(of: Utilized) -> Answer<Self> {
        let less = |one: Cost, other: Cost| one.minus(other).map_err(Error::internal);
        let fee = of.recurring.plus(of.upfront).map_err(Error::internal)?;
        let unused_fee = less(fee, of.effective)?;
        let realized = less(of.on_demand_used, of.effective)?;
        let unrealized = of.on_demand_unused.map(|cost| less(cost, unused_fee)).transpose()?;
        let plus_realized = |more: Cost| realized.plus(more).map_err(Error::internal);
        Ok(Self {
            percentage: percentage_shown(of.used_hours, of.purchased_hours),
            percentage_in_units: percentage_shown(of.used_units, of.purchased_units),
            unused_hours: less(of.purchased_hours, of.used_hours)?,
            unused_units: less(of.purchased_units, of.used_units)?,
            net: less(of.on_demand_used, fee)?,
            potential: unrealized.map(plus_realized).transpose()?,
            fee,
            unused_fee,
            realized,
            unrealized,
            of,
        })
    }

    fn aggregates(&self) -> Aggregates {
        let of = &self.of;
        Aggregates {
            utilization_percentage: self.percentage.to_string(),
            utilization_percentage_in_units: self.percentage_in_units.to_string(),
            purchased_hours: of.purchased_hours.to_string(),
            purchased_units: of.purchased_units.to_string(),
            total_actual_hours: of.used_hours.to_string(),
            total_actual_units: of.used_units.to_string(),
            unused_hours: self.unused_hours.to_string(),
            unused_units: self.unused_units.to_string(),
            on_demand_cost_used: of.on_demand_used.to_string(),
            net_savings: self.net.to_string(),
            potential_savings: self.potential.map(|cost| cost.to_string()),
            amortized_upfront_fee: of.upfront.to_string(),
            amortized_recurring_fee: of.recurring.to_string(),
            total_amortized_fee: self.fee.to_string(),
            cost_of_unused: self.unused_fee.to_string(),
            realized_savings: self.realized.to_string(),
            unrealized_savings: self.unrealized.map(|cost| cost.to_string()),
        }
    }

    /// What a sort asks for, in units; `None` of another name.
    fn sorted_by(&self, key: &str) -> Option<i128> {
        let of = &self.of;
        Some(match key {
            "UtilizationPercentage" => self.percentage.units(),
            "UtilizationPercentageInUnits" => self.percentage_in_units.units(),
            "PurchasedHours" => of.purchased_hours.units(),
            "PurchasedUnits" => of.purchased_units.units(),
            "TotalActualHours" => of.used_hours.units(),
            "TotalActualUnits" => of.used_units.units(),
            "UnusedHours" => self.unused_hours.units(),
            "UnusedUnits" => self.unused_units.units(),
            "OnDemandCostOfRIHoursUsed" => of.on_demand_used.units(),
            "NetRISavings" => self.net.units(),
            "TotalPotentialRISavings" => self.potential.map_or(i128::MIN, Cost::units),
            "AmortizedUpfrontFee" => of.upfront.units(),
            "AmortizedRecurringFee" => of.recurring.units(),
            "TotalAmortizedFee" => self.fee.units(),
            "RICostForUnusedHours" => self.unused_fee.units(),
            "RealizedSavings" => self.realized.units(),
            "UnrealizedSavings" => self.unrealized.map_or(i128::MIN, Cost::units),
            _ => return None,
        })
    }
}

/// `GetReservationUtilization`
pub(super) async fn utilization(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Input = call.read()?;
    let days = past_days(call, &input.time_period)?;
    let is_grouped = is_grouped(&input)?;
    let by_time = match input.granularity.as_deref() {
        Some(name) => granularity(name)?,
        // Without groups AWS answers by day, with groups in one.
        None if is_grouped => Granularity::Monthly,
        None => Granularity::Daily,
    };
    let sorting = Sorting::of(input.sort_by.as_ref())?;
    let known = Figures::new(Utilized::default())?;
    sorting
        .check(|key| known.sorted_by(key).is_some(), "figures of this operation, as UtilizationPercentage")?;
    let filter = picked(input.filter.as_ref())?;
    let months = call.desk.months_of(call.caller, None, days.clone()).await?;
    let slices = months.reservations(&days, by_time, Some(&filter))?;
    if slices.iter().all(|slice| slice.reserved.is_empty()) {
        let message = "no reservation that is asked for is in force in the time period; ask for another time, or another SERVICE";
        return Err(CostExplorerRefusal::DataUnavailable(message.to_owned()).into());
    }
    let mut total = Utilized::default();
    let mut times: Vec<(Range<i32>, Figures)> = Vec::new();
    let mut by_arn: BTreeMap<&str, (&Reserved, Utilized)> = BTreeMap::new();
    for slice in &slices {
        let mut of_time = Utilized::default();
        for (reserved, utilized) in &slice.reserved {
            of_time = of_time.plus(*utilized).map_err(Error::internal)?;
            let known = by_arn.entry(&reserved.arn).or_insert((reserved, Utilized::default()));
            *known = (reserved, known.1.plus(*utilized).map_err(Error::internal)?);
        }
        total = total.plus(of_time).map_err(Error::internal)?;
        times.push((slice.days.clone(), Figures::new(of_time)?));
    }
    let runs = digest(&months.runs());
    let page = |count: usize| {
        let (token, rows_max) = (input.next_page_token.as_deref(), input.max_results.unwrap_or(PAGE));
        page_of_rows(call, token, (count, rows_max), (&runs, CostExplorerRefusal::InvalidNextToken))
    };
    let total = Figures::new(total)?.aggregates();
    if !is_grouped {
        let (rows, next_page_token) = page(times.len())?;
        let times = sorted(times, &sorting, |(_, figures), key| figures.sorted_by(key));
        let times = times.into_iter().skip(rows.start).take(rows.len()).map(|(days, figures)| ByTime {
            time_period: DateInterval::of(&days),
            groups: Vec::new(),
            total: figures.aggregates(),
        });
        return json(&Utilizations { utilizations_by_time: times.collect(), total, next_page_token });
    }
    let groups = by_arn.into_values().map(|(reserved, of)| Ok((reserved, Figures::new(of)?)));
    let groups: Vec<(&Reserved, Figures)> = groups.collect::<Answer<_>>()?;
    let (rows, next_page_token) = page(groups.len())?;
    let groups = sorted(groups, &sorting, |(_, figures), key| figures.sorted_by(key));
    let groups = &groups[rows];
    let names =
        call.desk.account_names(call.caller, groups.iter().map(|(reserved, _)| &reserved.owner)).await?;
    let groups = groups.iter().map(|(reserved, figures)| Group {
        key: SUBSCRIPTION,
        value: reserved.id.clone(),
        attributes: attributes(reserved, names.get(reserved.owner.as_str())),
        utilization: figures.aggregates(),
    });
    let of_all =
        ByTime { time_period: DateInterval::of(&days), groups: groups.collect(), total: total.clone() };
    json(&Utilizations { utilizations_by_time: vec![of_all], total, next_page_token })
}

/// Whether reservations are told apart.
fn is_grouped(input: &Input) -> Answer<bool> {
    match input.group_by.as_slice() {
        [] => Ok(false),
        [of] if of.key == SUBSCRIPTION && of.r#type == "DIMENSION" && input.granularity.is_none() => Ok(true),
        [of] if of.key == SUBSCRIPTION && of.r#type == "DIMENSION" => {
            Err(invalid("Granularity: it cannot be set with GroupBy; leave one of them out"))
        }
        given => {
            let keys: Vec<&str> = given.iter().map(|of| of.key.as_str()).collect();
            let keys = keys.join(", ");
            Err(invalid(format!(
                "GroupBy: `{keys}` is not how utilization is grouped; group by the dimension {SUBSCRIPTION}"
            )))
        }
    }
}

/// The reservations that are asked for: of EC2, unless the filter names another service.
fn picked(given: Option<&Expression>) -> Answer<Asked> {
    let given = given.map(expression).transpose()?;
    let conditions: Vec<&Condition> = given.iter().flat_map(Asked::conditions).collect();
    for condition in &conditions {
        let is_known = matches!(&condition.key, Key::Dimension(of) if FILTERS.contains(of));
        if !is_known {
            let known = FILTERS.map(Dimension::name).join(", ");
            return Err(invalid(format!(
                "Filter: reservations are not told apart by {}; filter by {known}",
                condition.key
            )));
        }
    }
    let service = Key::Dimension(Dimension::Service);
    if conditions.iter().any(|of| of.key == service) {
        return Ok(Asked::And(given.into_iter().collect()));
    }
    let of_ec2 = Asked::is(service, [EC2], Matching::Equals);
    Ok(Asked::And([of_ec2].into_iter().chain(given).collect()))
}

/// What a reservation is, in the names that AWS has for it.
fn attributes(of: &Reserved, account_name: Option<&String>) -> BTreeMap<&'static str, String> {
    let terms = &of.terms;
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let is_flexible = terms.is_size_flexible();
    let known = [
        ("accountId", text(&of.owner)),
        ("accountName", account_name.cloned()),
        ("availabilityZone", terms.zone.clone()),
        ("averageOnDemandHourlyRate", of.on_demand_rate.map(|rate| rate.to_string())),
        ("hourlyRecurringFee", Some(terms.recurring.to_string())),
        ("instanceType", of.instance_type.clone()),
        ("leaseId", text(&of.id)),
        ("numberOfInstances", Some(terms.instances.to_string())),
        ("platform", of.platform.map(ToOwned::to_owned)),
        ("region", text(&terms.region)),
        ("reservationARN", text(&of.arn)),
        ("scope", text(if terms.zone.is_some() { "Availability Zone" } else { "Region" })),
        ("service", of.service.clone()),
        ("sizeFlexibility", is_flexible.then(|| "FlexRI".to_owned())),
        ("subscriptionId", text(&of.id)),
        ("tenancy", of.tenancy.map(ToOwned::to_owned)),
    ];
    known.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
