//! `GetReservationCoverage`: how many of the hours of instances ran under reservations, and how many On-Demand, as AWS bills it.
//!
//! Counted are instance hours that a reservation covers and those at On-Demand rates. Spot and what Savings Plans cover are neither.

use super::expression::expression;
use super::shapes::{DateInterval, Expression, GroupDefinition, SortDefinition};
use super::sorting::{Sorting, sorted};
use super::usage::{digest, granularity, page_of_rows};
use super::{invalid, past_days};
use crate::call::{Call, json};
use back_office::cost_explorer::CostExplorerRefusal;
use back_office::error::{Answer, Error};
use billing::money::{Cost, Quantity, percentage_shown};
use query::dimension::{Dimension, Key};
use query::expression::{Expression as Asked, Matching};
use query::facts::Metric;
use query::question::{Granularity, Query, Row};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// What is covered, and what reservations of it are about, unless the filter names another service.
pub(super) const EC2: &str = "Amazon Elastic Compute Cloud - Compute";
pub(super) const ON_DEMAND: &str = "On Demand Instances";
const RESERVED: &str = "Standard Reserved Instances";
/// By how many dimensions coverage is grouped at once.
const GROUPS_MAX: usize = 2;
/// What sorts times by themselves.
const TIME: &str = "Time";
/// How many groups a page has, unless it is said.
const PAGE: usize = 1_000;
/// What coverage is grouped by, and what an answer calls it.
const ATTRIBUTES: [(Dimension, &str); 7] = [
    (Dimension::Az, "availabilityZone"),
    (Dimension::InstanceType, "instanceType"),
    (Dimension::InvoicingEntity, "invoicingEntity"),
    (Dimension::LinkedAccount, "linkedAccount"),
    (Dimension::Platform, "platform"),
    (Dimension::Region, "region"),
    (Dimension::Tenancy, "tenancy"),
];

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
    metrics: Vec<String>,
    #[serde(default)]
    sort_by: Option<SortDefinition>,
    #[serde(default)]
    max_results: Option<usize>,
    #[serde(default)]
    next_page_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Covered {
    coverages_by_time: Vec<ByTime>,
    total: Coverage,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ByTime {
    time_period: DateInterval,
    groups: Vec<Group>,
    total: Coverage,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Group {
    attributes: BTreeMap<&'static str, String>,
    coverage: Coverage,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Coverage {
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage_hours: Option<CoverageHours>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage_normalized_units: Option<CoverageNormalizedUnits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage_cost: Option<CoverageCost>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CoverageHours {
    on_demand_hours: String,
    reserved_hours: String,
    total_running_hours: String,
    coverage_hours_percentage: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CoverageNormalizedUnits {
    on_demand_normalized_units: String,
    reserved_normalized_units: String,
    total_running_normalized_units: String,
    coverage_normalized_units_percentage: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CoverageCost {
    on_demand_cost: String,
}

/// Which parts of a coverage are asked for.
#[derive(Clone, Copy)]
struct Parts {
    hours: bool,
    units: bool,
    cost: bool,
}

impl Parts {
    fn of(metrics: &[String]) -> Answer<Self> {
        if let Some(other) = metrics.iter().find(|of| !["Hour", "Unit", "Cost"].contains(&of.as_str())) {
            return Err(invalid(format!(
                "Metrics: `{other}` is not one of this operation; give Hour, Unit or Cost"
            )));
        }
        let has = |name: &str| metrics.is_empty() || metrics.iter().any(|of| of == name);
        Ok(Self { hours: has("Hour"), units: has("Unit"), cost: has("Cost") })
    }
}

/// The sums of a group, On-Demand and reserved.
#[derive(Clone, Copy, Default)]
struct Sums {
    hours: [Quantity; 2],
    units: [Quantity; 2],
    on_demand_cost: Cost,
}

impl Sums {
    /// Adds a row of a purchase type.
    fn add(&mut self, row: &Row, purchase: &str) -> Answer<()> {
        let [hours, units, cost] = row.values.as_slice() else {
            return Err(Error::internal("a coverage has three metrics"));
        };
        let place = usize::from(purchase == RESERVED);
        let plus = |sum: Cost, more: Cost| sum.plus(more).map_err(Error::internal);
        self.hours[place] = plus(self.hours[place], hours.amount)?;
        self.units[place] = plus(self.units[place], units.amount)?;
        if place == 0 {
            self.on_demand_cost = plus(self.on_demand_cost, cost.amount)?;
        }
        Ok(())
    }

    /// What a sort asks for, in units; `None` of another name, and of sums that are too large.
    fn sorted_by(&self, key: &str) -> Option<i128> {
        let total = |[on_demand, reserved]: [Quantity; 2]| on_demand.plus(reserved).ok();
        let share = |of: [Quantity; 2]| Some(percentage_shown(of[1], total(of)?).units());
        match key {
            "OnDemandCost" => Some(self.on_demand_cost.units()),
            "CoverageHoursPercentage" => share(self.hours),
            "OnDemandHours" => Some(self.hours[0].units()),
            "ReservedHours" => Some(self.hours[1].units()),
            "TotalRunningHours" => total(self.hours).map(Quantity::units),
            "CoverageNormalizedUnitsPercentage" => share(self.units),
            "OnDemandNormalizedUnits" => Some(self.units[0].units()),
            "ReservedNormalizedUnits" => Some(self.units[1].units()),
            "TotalRunningNormalizedUnits" => total(self.units).map(Quantity::units),
            _ => None,
        }
    }

    fn coverage(&self, parts: Parts) -> Answer<Coverage> {
        let texts = |[on_demand, reserved]: [Quantity; 2]| {
            let total = on_demand.plus(reserved).map_err(Error::internal)?;
            let percentage = percentage_shown(reserved, total).to_string();
            Ok::<_, Error>([on_demand.to_string(), reserved.to_string(), total.to_string(), percentage])
        };
        let [on_demand_hours, reserved_hours, total_running_hours, coverage_hours_percentage] =
            texts(self.hours)?;
        let [
            on_demand_normalized_units,
            reserved_normalized_units,
            total_running_normalized_units,
            coverage_normalized_units_percentage,
        ] = texts(self.units)?;
        let hours =
            CoverageHours { on_demand_hours, reserved_hours, total_running_hours, coverage_hours_percentage };
        let units = CoverageNormalizedUnits {
            on_demand_normalized_units,
            reserved_normalized_units,
            total_running_normalized_units,
            coverage_normalized_units_percentage,
        };
        let cost = CoverageCost { on_demand_cost: self.on_demand_cost.to_string() };
        Ok(Coverage {
            coverage_hours: parts.hours.then_some(hours),
            coverage_normalized_units: parts.units.then_some(units),
            coverage_cost: parts.cost.then_some(cost),
        })
    }
}

/// `GetReservationCoverage`
pub(super) async fn coverage(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Input = call.read()?;
    let days = past_days(call, &input.time_period)?;
    let parts = Parts::of(&input.metrics)?;
    let sorting = Sorting::of(input.sort_by.as_ref())?;
    let known = "figures of this operation, as OnDemandCost, nor Time";
    sorting.check(|key| key == TIME || Sums::default().sorted_by(key).is_some(), known)?;
    let by = grouped(&input)?;
    let by_time = input.granularity.as_deref().map(granularity).transpose()?;
    let months = call.desk.months_of(call.caller, None, days.clone()).await?;
    let mut by_day: BTreeMap<i32, Time> = BTreeMap::new();
    let mut total = Sums::default();
    for purchase in [ON_DEMAND, RESERVED] {
        let query = Query {
            days: days.clone(),
            granularity: by_time.unwrap_or(Granularity::Monthly),
            filter: Some(of_instances(input.filter.as_ref(), purchase)?),
            group_by: by.iter().map(|(by, _)| Key::Dimension(*by)).collect(),
            metrics: vec![Metric::UsageQuantity, Metric::NormalizedUsageAmount, Metric::UnblendedCost],
        };
        for slice in months.answer(&query)? {
            // Without a granularity all times are one.
            let time = if by_time.is_some() { slice.days } else { days.clone() };
            let (_, of_time, groups) =
                by_day.entry(time.start).or_insert((time, Sums::default(), BTreeMap::new()));
            for row in &slice.rows {
                total.add(row, purchase)?;
                of_time.add(row, purchase)?;
                if !by.is_empty() {
                    groups.entry(row.keys.clone()).or_default().add(row, purchase)?;
                }
            }
        }
    }
    let runs = digest(&months.runs());
    let times = in_order(by_day.into_values(), &sorting);
    let (coverages_by_time, next_page_token) = page(call, &input, (parts, &by), &runs, times)?;
    json(&Covered { coverages_by_time, total: total.coverage(parts)?, next_page_token })
}

/// The dimensions that coverage is grouped by.
fn grouped(input: &Input) -> Answer<Vec<(Dimension, &'static str)>> {
    if !input.group_by.is_empty() && input.granularity.is_some() {
        return Err(invalid("Granularity: it cannot be set with GroupBy; leave one of them out"));
    }
    let known = || ATTRIBUTES.map(|(of, _)| of.name()).join(", ");
    let mut by = Vec::new();
    for of in &input.group_by {
        let found = ATTRIBUTES.into_iter().find(|(by, _)| by.name() == of.key && of.r#type == "DIMENSION");
        let found = found.ok_or_else(|| invalid(format!("GroupBy: `{}` is none of {}", of.key, known())))?;
        if by.contains(&found) || by.len() == GROUPS_MAX {
            let message = format!("GroupBy: name at most {GROUPS_MAX} of {}, each once", known());
            return Err(invalid(message));
        }
        by.push(found);
    }
    Ok(by)
}

/// The lines that coverage is about: hours of instances of a purchase type, of EC2 unless the filter names another service.
fn of_instances(given: Option<&Expression>, purchase: &str) -> Answer<Asked> {
    let is = |dimension: Dimension, values: &[&str]| {
        Asked::is(Key::Dimension(dimension), values.iter().copied(), Matching::Equals)
    };
    let mut all = vec![
        is(Dimension::RecordType, &["Usage", "DiscountedUsage"]),
        is(Dimension::PurchaseType, &[purchase]),
        Asked::Not(Box::new(is(Dimension::InstanceType, &[Dimension::InstanceType.absent()]))),
    ];
    let given = given.map(expression).transpose()?;
    let names_service =
        given.iter().flat_map(Asked::conditions).any(|of| of.key == Key::Dimension(Dimension::Service));
    if !names_service {
        all.push(is(Dimension::Service, &[EC2]));
    }
    all.extend(given);
    Ok(Asked::And(all))
}

/// A time with its sums, and those of its groups.
type Time = (Range<i32>, Sums, BTreeMap<Vec<String>, Sums>);
/// The same with its groups in the order that is asked for.
type Ordered = (Range<i32>, Sums, Vec<(Vec<String>, Sums)>);

/// The groups in the order that is asked for, or else the times: there is one time where there are groups.
fn in_order(times: impl Iterator<Item = Time>, sorting: &Sorting<'_>) -> Vec<Ordered> {
    let groups_in_order = |(days, sums, groups): Time| {
        let groups = sorted(groups.into_iter().collect(), sorting, |(_, sums), key| sums.sorted_by(key));
        (days, sums, groups)
    };
    let times = times.map(groups_in_order).collect();
    sorted(times, sorting, |(days, sums, _), key| match key {
        TIME => Some(days.start.into()),
        key => sums.sorted_by(key),
    })
}

/// The page of times, and the token of the next one; of groups, where there are any, for then there is one time.
fn page(
    call: &Call<'_>,
    input: &Input,
    (parts, by): (Parts, &[(Dimension, &'static str)]),
    runs: &str,
    times: Vec<Ordered>,
) -> Answer<(Vec<ByTime>, Option<String>)> {
    let token = input.next_page_token.as_deref();
    let is_grouped = !by.is_empty();
    let count = if is_grouped { times.iter().map(|(.., groups)| groups.len()).sum() } else { times.len() };
    let rows_max = input.max_results.unwrap_or(PAGE);
    let changed = CostExplorerRefusal::InvalidNextToken;
    let (rows, next) = page_of_rows(call, token, (count, rows_max), (runs, changed))?;
    let is_on_page = |place: usize| rows.contains(&place);
    let mut coverages = Vec::new();
    for (place, (days, sums, groups)) in times.into_iter().enumerate() {
        let mut shown = Vec::new();
        for (_, (values, sums)) in groups.into_iter().enumerate().filter(|(place, _)| is_on_page(*place)) {
            let attributes = by.iter().map(|(_, name)| *name).zip(values).collect();
            shown.push(Group { attributes, coverage: sums.coverage(parts)? });
        }
        if is_grouped || is_on_page(place) {
            let time_period = DateInterval::of(&days);
            coverages.push(ByTime { time_period, groups: shown, total: sums.coverage(parts)? });
        }
    }
    Ok((coverages, next))
}
