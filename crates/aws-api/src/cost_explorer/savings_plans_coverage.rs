//! `GetSavingsPlansCoverage`: how much of what Savings Plans may cover they do cover, at what it costs On-Demand, as AWS bills it.
//!
//! Source of what they may cover: Savings Plans user guide, "What are Savings Plans?": instances and hosts of EC2, Fargate, the duration and provisioned
//! concurrency of Lambda, and SageMaker. Plans of other kinds cover usage of other types: what a month's plans cover any of counts as well.

use super::expression::expression;
use super::reservations::{EC2, ON_DEMAND};
use super::shapes::{DateInterval, Expression, GroupDefinition, SortDefinition};
use super::sorting::{Sorting, sorted};
use super::usage::{digest, granularity, page_of_rows};
use super::{invalid, past_days};
use crate::call::{Call, json};
use back_office::cost_explorer::{CostExplorerRefusal, Months};
use back_office::error::{Answer, Error};
use billing::money::{Cost, Percentage, percentage_shown};
use query::dimension::{Dimension, Key};
use query::expression::{Expression as Asked, Matching};
use query::facts::Metric;
use query::question::{Granularity, Query};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// The only metric that there is.
const METRIC: &str = "SpendCoveredBySavingsPlans";
/// By what coverage is grouped, and what lines are told apart by then.
const GROUPS: [(&str, Dimension); 3] = [
    ("INSTANCE_FAMILY", Dimension::InstanceTypeFamily),
    ("REGION", Dimension::Region),
    ("SERVICE", Dimension::Service),
];
/// The marks of usage types that plans may cover, besides the hours of instances and hosts of EC2.
const MARKS: [&str; 4] = ["Fargate-", "Lambda-GB-Second", "Lambda-Provisioned-", ":ml."];
/// How many rows a page has, unless it is said.
const PAGE: usize = 20;

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
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Coverages {
    savings_plans_coverages: Vec<Coverage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Coverage {
    attributes: BTreeMap<&'static str, String>,
    coverage: Figures,
    time_period: DateInterval,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Figures {
    spend_covered_by_savings_plans: String,
    on_demand_cost: String,
    total_cost: String,
    coverage_percentage: String,
}

/// What is covered of a time or group, and what is not.
#[derive(Clone, Copy, Default)]
struct Sums {
    covered: Cost,
    on_demand: Cost,
}

impl Sums {
    fn total(&self) -> Answer<Cost> {
        self.covered.plus(self.on_demand).map_err(Error::internal)
    }

    fn percentage(&self) -> Answer<Percentage> {
        Ok(percentage_shown(self.covered, self.total()?))
    }

    fn figures(&self) -> Answer<Figures> {
        Ok(Figures {
            spend_covered_by_savings_plans: self.covered.to_string(),
            on_demand_cost: self.on_demand.to_string(),
            total_cost: self.total()?.to_string(),
            coverage_percentage: self.percentage()?.to_string(),
        })
    }
}

/// A row of the answer: its days, the values of what it is grouped by, its sums.
type Row = (Range<i32>, Vec<String>, Sums);

/// `GetSavingsPlansCoverage`
pub(super) async fn coverage(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Input = call.read()?;
    let days = past_days(call, &input.time_period)?;
    if let Some(other) = input.metrics.iter().find(|metric| *metric != METRIC) {
        return Err(invalid(format!(
            "Metrics: `{other}` is not one of this operation; the only one is {METRIC}"
        )));
    }
    let by = grouped(&input)?;
    let by_time = input.granularity.as_deref().map(granularity).transpose()?;
    let sorting = Sorting::of(input.sort_by.as_ref())?;
    let names = "SpendCoveredBySavingsPlan, OnDemandCost, CoveragePercentage, TotalCost, InstanceFamily, Region, Service";
    sorting.check(|key| names.split(", ").any(|name| name == key), names)?;
    let given = filter(input.filter.as_ref())?;
    let months = call.desk.months_of(call.caller, None, days.clone()).await?;
    let query = |kind: Asked| Query {
        days: days.clone(),
        granularity: by_time.unwrap_or(Granularity::Monthly),
        filter: Some(Asked::And(std::iter::once(kind).chain(given.clone()).collect())),
        group_by: by.iter().map(|(_, dimension)| Key::Dimension(*dimension)).collect(),
        metrics: vec![Metric::UnblendedCost],
    };
    let mut rows: BTreeMap<(i32, Vec<String>), Row> = BTreeMap::new();
    let both =
        [query(covered()), query(Asked::And(vec![at_on_demand_rates(), may_be_covered(&months, &days)?]))];
    for (query, is_covered) in both.iter().zip([true, false]) {
        for slice in months.answer(query)? {
            // Without a granularity all times are one.
            let time = if by_time.is_some() { slice.days } else { days.clone() };
            for row in slice.rows {
                let place = (time.start, row.keys.clone());
                let (.., sums) =
                    rows.entry(place).or_insert_with(|| (time.clone(), row.keys.clone(), Sums::default()));
                let sum = if is_covered { &mut sums.covered } else { &mut sums.on_demand };
                let more = row.values.first().map_or(Cost::ZERO, |value| value.amount);
                *sum = sum.plus(more).map_err(Error::internal)?;
            }
        }
    }
    let rows: Vec<Row> = rows.into_values().collect();
    let rows = sorted(rows, &sorting, |row, key| sorted_by(row, key, &by));
    page(call, &input, &months, (rows, by))
}

/// What is shown of the rows.
fn page(
    call: &Call<'_>,
    input: &Input,
    months: &Months,
    (rows, by): (Vec<Row>, Vec<(&'static str, Dimension)>),
) -> Answer<Vec<u8>> {
    let runs = digest(&months.runs());
    let (token, rows_max) = (input.next_token.as_deref(), input.max_results.unwrap_or(PAGE));
    let changed = CostExplorerRefusal::InvalidNextToken;
    let (page, next_token) = page_of_rows(call, token, (rows.len(), rows_max), (&runs, changed))?;
    let shown = rows.into_iter().skip(page.start).take(page.len()).map(|(days, values, sums)| {
        Ok(Coverage {
            attributes: by.iter().map(|(name, _)| *name).zip(values).collect(),
            coverage: sums.figures()?,
            time_period: DateInterval::of(&days),
        })
    });
    json(&Coverages { savings_plans_coverages: shown.collect::<Answer<_>>()?, next_token })
}

/// What a row is sorted by: a number, or one of its values.
fn sorted_by(row: &Row, key: &str, by: &[(&'static str, Dimension)]) -> (Option<i128>, Option<String>) {
    let (_, values, sums) = row;
    let value = |name: &str| {
        let at = by.iter().position(|(of, _)| *of == name)?;
        values.get(at).cloned()
    };
    match key {
        "SpendCoveredBySavingsPlan" => (Some(sums.covered.units()), None),
        "OnDemandCost" => (Some(sums.on_demand.units()), None),
        "CoveragePercentage" => (sums.percentage().ok().map(Percentage::units), None),
        "TotalCost" => (sums.total().ok().map(Cost::units), None),
        "InstanceFamily" => (None, value("INSTANCE_FAMILY")),
        "Region" => (None, value("REGION")),
        _ => (None, value("SERVICE")),
    }
}

/// What coverage is grouped by.
fn grouped(input: &Input) -> Answer<Vec<(&'static str, Dimension)>> {
    if !input.group_by.is_empty() && input.granularity.is_some() {
        return Err(invalid("Granularity: it cannot be set with GroupBy; leave one of them out"));
    }
    let mut by = Vec::new();
    for of in &input.group_by {
        let found =
            GROUPS.into_iter().find(|(name, dimension)| of.key == *name || of.key == dimension.name());
        let known = || GROUPS.map(|(name, _)| name).join(", ");
        let found = found
            .filter(|_| of.r#type == "DIMENSION")
            .ok_or_else(|| invalid(format!("GroupBy: `{}` is none of the dimensions {}", of.key, known())))?;
        if by.contains(&found) || by.len() == 2 {
            return Err(invalid(format!("GroupBy: name at most two of {}, each once", known())));
        }
        by.push(found);
    }
    Ok(by)
}

/// The lines that a filter picks.
fn filter(given: Option<&Expression>) -> Answer<Option<Asked>> {
    let given = given.map(expression).transpose()?;
    for condition in given.iter().flat_map(Asked::conditions) {
        let is_known = match &condition.key {
            Key::Dimension(Dimension::LinkedAccount) | Key::CostCategory(_) => true,
            Key::Dimension(dimension) => GROUPS.iter().any(|(_, of)| of == dimension),
            Key::Tag(_) => false,
        };
        if !is_known {
            return Err(invalid(format!(
                "Filter: coverage is not filtered by {}; filter by LINKED_ACCOUNT, REGION, SERVICE, INSTANCE_TYPE_FAMILY or a cost category",
                condition.key
            )));
        }
    }
    Ok(given)
}

fn named(dimension: Dimension, value: &str) -> Asked {
    Asked::is(Key::Dimension(dimension), [value], Matching::Equals)
}

/// Usage that plans cover.
fn covered() -> Asked {
    named(Dimension::RecordType, "SavingsPlanCoveredUsage")
}

/// Usage that nothing covers.
fn at_on_demand_rates() -> Asked {
    let is_marketplace = named(Dimension::BillingEntity, "AWS Marketplace");
    Asked::And(vec![
        named(Dimension::RecordType, "Usage"),
        named(Dimension::PurchaseType, ON_DEMAND),
        Asked::Not(Box::new(is_marketplace)),
    ])
}

/// What plans may cover: by its usage type, or because they cover some of it.
fn may_be_covered(months: &Months, days: &Range<i32>) -> Answer<Asked> {
    let has_instance =
        Asked::Not(Box::new(named(Dimension::InstanceTypeFamily, Dimension::InstanceTypeFamily.absent())));
    let usage_type = || Key::Dimension(Dimension::UsageType);
    let mut any = vec![
        Asked::And(vec![named(Dimension::Service, EC2), has_instance]),
        Asked::is(usage_type(), MARKS, Matching::Contains),
    ];
    let query = Query {
        days: days.clone(),
        granularity: Granularity::Monthly,
        filter: Some(covered()),
        group_by: [Dimension::Service, Dimension::UsageType].map(Key::Dimension).into(),
        metrics: vec![Metric::UnblendedCost],
    };
    let mut usage_types: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in months.answer(&query)?.into_iter().flat_map(|slice| slice.rows) {
        if let [service, usage_type] = row.keys.as_slice() {
            usage_types.entry(service.clone()).or_default().push(usage_type.clone());
        }
    }
    any.extend(usage_types.into_iter().map(|(service, of_service)| {
        Asked::And(vec![
            named(Dimension::Service, &service),
            Asked::is(usage_type(), of_service, Matching::Equals),
        ])
    }));
    Ok(Asked::Or(any))
}
