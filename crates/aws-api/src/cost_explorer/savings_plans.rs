//! `GetSavingsPlansUtilization` and `GetSavingsPlansUtilizationDetails`: how much of what was committed has been used, as AWS bills it.
//!
//! All of it follows from amortized cost: covered usage costs what it took of its plan, and a plan's fee what of it nothing has used. Only the payer
//! asks: what plans cover on a billing group's bill is the run's own coverage (docs/commitments.md).

use super::shapes::{DateInterval, Expression, SortDefinition};
use super::sorting::{Sorting, sorted};
use super::usage::{digest, granularity, page_of_rows};
use super::{invalid, past_days};
use crate::call::{Call, json};
use back_office::cost_explorer::CostExplorerRefusal;
use back_office::error::{Answer, Error};
use billing::account::arn_account;
use billing::money::{Cost, percentage_shown};
use query::dimension::{Dimension, Key};
use query::expression::{Expression as Asked, Matching};
use query::facts::Metric;
use query::question::{Granularity, Query, Slice};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many plans a page has, unless it is said.
const PAGE: usize = 20;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    time_period: DateInterval,
    #[serde(default)]
    granularity: Option<String>,
    #[serde(default)]
    filter: Option<Expression>,
    #[serde(default)]
    data_type: Vec<String>,
    #[serde(default)]
    sort_by: Option<SortDefinition>,
    #[serde(default)]
    max_results: Option<usize>,
    #[serde(default)]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Utilizations {
    #[serde(skip_serializing_if = "Option::is_none")]
    savings_plans_utilizations_by_time: Option<Vec<ByTime>>,
    total: Aggregates,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ByTime {
    time_period: DateInterval,
    #[serde(flatten)]
    of: Aggregates,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Details {
    savings_plans_utilization_details: Vec<Detail>,
    total: Aggregates,
    time_period: DateInterval,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Detail {
    savings_plan_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<BTreeMap<&'static str, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    utilization: Option<Utilization>,
    #[serde(skip_serializing_if = "Option::is_none")]
    savings: Option<Savings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amortized_commitment: Option<AmortizedCommitment>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Aggregates {
    utilization: Utilization,
    savings: Savings,
    amortized_commitment: AmortizedCommitment,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Utilization {
    total_commitment: String,
    used_commitment: String,
    unused_commitment: String,
    utilization_percentage: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Savings {
    net_savings: String,
    on_demand_cost_equivalent: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AmortizedCommitment {
    amortized_recurring_commitment: String,
    amortized_upfront_commitment: String,
    total_amortized_commitment: String,
}

/// What is summed of one or more plans.
#[derive(Clone, Copy, Default)]
struct Sums {
    used: Cost,
    unused: Cost,
    /// What the covered usage would cost On-Demand.
    on_demand: Cost,
    /// The hourly fees.
    recurring: Cost,
}

impl Sums {
    fn plus(self, other: Self) -> Answer<Self> {
        let sum = |one: Cost, other: Cost| one.plus(other).map_err(Error::internal);
        Ok(Self {
            used: sum(self.used, other.used)?,
            unused: sum(self.unused, other.unused)?,
            on_demand: sum(self.on_demand, other.on_demand)?,
            recurring: sum(self.recurring, other.recurring)?,
        })
    }

    /// What a sort asks for, in units; `None` of another name, and of sums that are too large.
    fn sorted_by(&self, key: &str) -> Option<i128> {
        let total = self.used.plus(self.unused).ok()?;
        match key {
            "UtilizationPercentage" => Some(percentage_shown(self.used, total).units()),
            "TotalCommitment" => Some(total.units()),
            "UsedCommitment" => Some(self.used.units()),
            "UnusedCommitment" => Some(self.unused.units()),
            "NetSavings" => self.on_demand.minus(total).ok().map(Cost::units),
            "AmortizedRecurringCommitment" => Some(self.recurring.units()),
            "AmortizedUpfrontCommitment" => total.minus(self.recurring).ok().map(Cost::units),
            _ => None,
        }
    }

    fn aggregates(self) -> Answer<Aggregates> {
        let total = self.used.plus(self.unused).map_err(Error::internal)?;
        let less = |one: Cost, other: Cost| one.minus(other).map_err(Error::internal);
        Ok(Aggregates {
            utilization: Utilization {
                total_commitment: total.to_string(),
                used_commitment: self.used.to_string(),
                unused_commitment: self.unused.to_string(),
                utilization_percentage: percentage_shown(self.used, total).to_string(),
            },
            savings: Savings {
                net_savings: less(self.on_demand, total)?.to_string(),
                on_demand_cost_equivalent: self.on_demand.to_string(),
            },
            amortized_commitment: AmortizedCommitment {
                amortized_recurring_commitment: self.recurring.to_string(),
                // What is committed and not paid by the hour was paid up front.
                amortized_upfront_commitment: less(total, self.recurring)?.to_string(),
                total_amortized_commitment: total.to_string(),
            },
        })
    }
}

/// `GetSavingsPlansUtilization`
pub(super) async fn utilization(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Input = call.read()?;
    let by_time = input.granularity.as_deref().map(granularity).transpose()?;
    let sorting = sorting(&input)?;
    let plans = Plans::of(input.filter.as_ref())?;
    let (slices, _) = asked(call, &input, by_time.unwrap_or(Granularity::Monthly)).await?;
    let mut total = Sums::default();
    let mut times = Vec::with_capacity(slices.len());
    for slice in &slices {
        let mut of_time = Sums::default();
        for sums in plans.sums(slice)?.into_values() {
            of_time = of_time.plus(sums)?;
        }
        total = total.plus(of_time)?;
        times.push((DateInterval::of(&slice.days), of_time));
    }
    let times = sorted(times, &sorting, |(_, sums), key| sums.sorted_by(key)).into_iter();
    let times = times.map(|(time_period, sums)| Ok(ByTime { time_period, of: sums.aggregates()? }));
    let savings_plans_utilizations_by_time = by_time.map(|_| times.collect::<Answer<_>>()).transpose()?;
    json(&Utilizations { savings_plans_utilizations_by_time, total: total.aggregates()? })
}

/// `GetSavingsPlansUtilizationDetails`
pub(super) async fn details(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Input = call.read()?;
    let sorting = sorting(&input)?;
    let wants = |part: &str| input.data_type.is_empty() || input.data_type.iter().any(|of| of == part);
    let plans = Plans::of(input.filter.as_ref())?;
    let (slices, runs) = asked(call, &input, Granularity::Monthly).await?;
    let mut by_plan: BTreeMap<String, Sums> = BTreeMap::new();
    for slice in &slices {
        for (plan, sums) in plans.sums(slice)? {
            let known = by_plan.entry(plan).or_default();
            *known = known.plus(sums)?;
        }
    }
    let total = by_plan.values().try_fold(Sums::default(), |total, sums| total.plus(*sums))?;
    let rows: Vec<(String, Sums)> = by_plan.into_iter().collect();
    let rows = sorted(rows, &sorting, |(_, sums), key| sums.sorted_by(key));
    let runs = digest(&runs);
    let (token, rows_max) = (input.next_token.as_deref(), input.max_results.unwrap_or(PAGE));
    let changed = CostExplorerRefusal::InvalidNextToken;
    let (page, next_token) = page_of_rows(call, token, (rows.len(), rows_max), (&runs, changed))?;
    let details = rows.into_iter().skip(page.start).take(page.len()).map(|(savings_plan_arn, sums)| {
        let owner = arn_account(&savings_plan_arn).map(ToOwned::to_owned);
        let attributes = owner.into_iter().map(|owner| ("AccountId", owner)).collect();
        let Aggregates { utilization, savings, amortized_commitment } = sums.aggregates()?;
        Ok(Detail {
            savings_plan_arn,
            attributes: Some(attributes).filter(|_| wants("ATTRIBUTES")),
            utilization: Some(utilization).filter(|_| wants("UTILIZATION")),
            savings: Some(savings).filter(|_| wants("SAVINGS")),
            amortized_commitment: Some(amortized_commitment).filter(|_| wants("AMORTIZED_COMMITMENT")),
        })
    });
    let details = details.collect::<Answer<_>>()?;
    let time_period = DateInterval { start: input.time_period.start, end: input.time_period.end };
    json(&Details {
        savings_plans_utilization_details: details,
        total: total.aggregates()?,
        time_period,
        next_token,
    })
}

/// How plans or times are sorted.
fn sorting(input: &Input) -> Answer<Sorting<'_>> {
    let sorting = Sorting::of(input.sort_by.as_ref())?;
    let is_known = |key: &str| Sums::default().sorted_by(key).is_some();
    sorting.check(is_known, "figures of this operation, as UtilizationPercentage")?;
    Ok(sorting)
}

/// What plans cost and cover, time after time, by plan and line item type; and the runs that say so.
async fn asked(
    call: &Call<'_>,
    input: &Input,
    granularity: Granularity,
) -> Answer<(Vec<Slice>, Vec<String>)> {
    let days = past_days(call, &input.time_period)?;
    let of_plans = Asked::is(Key::Dimension(Dimension::PurchaseType), ["Savings Plans"], Matching::Equals);
    let query = Query {
        days: days.clone(),
        granularity,
        filter: Some(of_plans),
        group_by: vec![Key::Dimension(Dimension::SavingsPlanArn), Key::Dimension(Dimension::RecordType)],
        metrics: vec![Metric::AmortizedCost, Metric::UnblendedCost],
    };
    let months = call.desk.months_of(call.caller, None, days).await?;
    let slices = months.answer(&query)?;
    if slices.iter().all(|slice| slice.rows.is_empty()) {
        let message = "no Savings Plan has cost or covered anything in the time period; ask for another one";
        return Err(CostExplorerRefusal::DataUnavailable(message.to_owned()).into());
    }
    Ok((slices, months.runs()))
}

/// Which plans are asked about: those that every condition takes.
#[derive(Default)]
struct Plans {
    arns: Vec<Vec<String>>,
    owners: Vec<Vec<String>>,
}

impl Plans {
    /// Plans by their ARNs and by the accounts that own them; `And` of both.
    fn of(filter: Option<&Expression>) -> Answer<Self> {
        let mut plans = Self::default();
        let Some(filter) = filter else { return Ok(plans) };
        // The shape is checked as everywhere.
        super::expression::expression(filter)?;
        let parts = filter.and.as_deref().unwrap_or(std::slice::from_ref(filter));
        for part in parts {
            let of = part.dimensions.as_ref();
            match of.map(|of| (of.key.as_deref().unwrap_or_default(), &of.values)) {
                Some(("SAVINGS_PLAN_ARN", values)) => plans.arns.push(values.clone()),
                Some(("LINKED_ACCOUNT", values)) => plans.owners.push(values.clone()),
                _ => {
                    return Err(invalid(
                        "Filter: plans are chosen by the dimensions SAVINGS_PLAN_ARN and LINKED_ACCOUNT, which owns them, and by And of both",
                    ));
                }
            }
        }
        Ok(plans)
    }

    fn has(&self, arn: &str) -> bool {
        let is_owned =
            |owners: &Vec<String>| arn_account(arn).is_some_and(|owner| owners.iter().any(|of| of == owner));
        self.arns.iter().all(|arns| arns.iter().any(|of| of == arn)) && self.owners.iter().all(is_owned)
    }

    /// The sums of a time by plan.
    fn sums(&self, slice: &Slice) -> Answer<BTreeMap<String, Sums>> {
        let mut by_plan: BTreeMap<String, Sums> = BTreeMap::new();
        for row in &slice.rows {
            let [arn, kind] = row.keys.as_slice() else { continue };
            let [amortized, unblended] = row.values.as_slice() else { continue };
            if !self.has(arn) {
                continue;
            }
            let sums = match kind.as_str() {
                "SavingsPlanCoveredUsage" => {
                    Sums { used: amortized.amount, on_demand: unblended.amount, ..Sums::default() }
                }
                "SavingsPlanRecurringFee" => {
                    Sums { unused: amortized.amount, recurring: unblended.amount, ..Sums::default() }
                }
                _ => Sums::default(),
            };
            let known = by_plan.entry(arn.clone()).or_default();
            *known = known.plus(sums)?;
        }
        Ok(by_plan)
    }
}
