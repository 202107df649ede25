//! What the values of a cost category come to once its split charges are dealt out: what AWS shows on the cost category's own page, and nowhere else.

use super::{cost_category_arn, id_in};
use crate::authorization::Caller;
use crate::cost_explorer::CostExplorerRefusal;
use crate::desk::BackOffice;
use crate::error::{Answer, Error};
use billing::invoice::Date;
use billing::money::Cost;
use billing::period::BillingPeriod;
use billing::split_charge::{Allocated, Dealt, allocate};
use query::dimension::Key;
use query::facts::Metric;
use query::question::{Granularity, NO_UNIT, Query, Slice};
use std::collections::{BTreeMap, BTreeSet};

/// What is asked.
#[derive(Debug, Clone)]
pub struct AllocationQuestion {
    /// The cost category, by its ARN or its name.
    pub category: String,
    /// The ARN of a billing view; `None` is the caller's own.
    pub billing_view: Option<String>,
    /// The first month and the last one.
    pub months: (BillingPeriod, BillingPeriod),
    /// What is dealt out.
    pub metric: Metric,
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Allocation {
    /// The cost category's name.
    pub name: String,
    /// Its ARN; `None` of one that only cost files have.
    pub arn: Option<String>,
    /// Month after month.
    pub months: Vec<MonthAllocated>,
}

/// A month of it.
#[derive(Debug, Clone)]
pub struct MonthAllocated {
    /// The month.
    pub month: BillingPeriod,
    /// Whether it may still change.
    pub is_estimated: bool,
    /// The currency.
    pub currency: String,
    /// What every value comes to, in the order of texts; the empty one is of lines without a value.
    pub values: Vec<Allocated>,
    /// Which part of which source every target has.
    pub dealt: Vec<Dealt>,
}

impl BackOffice {
    /// What the values of a cost category cost in some months, before and after its split charges.
    ///
    /// # Errors
    /// [`CostExplorerRefusal`].
    pub async fn cost_category_allocation(
        &self,
        caller: &Caller,
        question: &AllocationQuestion,
    ) -> Answer<Allocation> {
        let (payer, metric) = (&caller.payer, question.metric);
        if !metric.is_cost() {
            let message = format!("Metric: {} is no cost; costs are dealt out, ask for one", metric.name());
            return Err(CostExplorerRefusal::Invalid(message).into());
        }
        let (first, last) = question.months;
        if last < first {
            let message = format!("LastBillingPeriod: {last} is before {first}; exchange the two");
            return Err(CostExplorerRefusal::Invalid(message).into());
        }
        let days = Date::first_of(first).days()..Date::first_of(last.next()).days();
        let known = self.cost_categories(payer).await?;
        let is_by_arn = question.category.starts_with("arn:");
        let definition = match is_by_arn {
            true => known.get(id_in(payer, &question.category)?),
            // Of those that have had a name one after the other, the last that holds for any of the months.
            false => std::iter::successors(Some(last), |month| month.previous())
                .take_while(|month| *month >= first)
                .find_map(|month| known.holding(month).find(|(of, ..)| of.name == question.category))
                .map(|(of, ..)| of),
        };
        let months = self.months_of(caller, question.billing_view.as_deref(), days.clone()).await?;
        let name = match definition {
            Some(definition) => definition.name.clone(),
            None if months.cost_categories().contains(&question.category) => question.category.clone(),
            None => {
                let message = format!(
                    "there is no cost category `{}` in {first} to {last}; name one by its name or its ARN",
                    question.category
                );
                return Err(CostExplorerRefusal::NotFound(message).into());
            }
        };
        let query = Query {
            days,
            granularity: Granularity::Monthly,
            filter: None,
            group_by: vec![Key::CostCategory(name.clone())],
            metrics: vec![metric],
        };
        // Definitions may have had the name one after the other: the rules of each month are those of the one that holds for it.
        let of_month = |month| match is_by_arn {
            true => definition,
            false => known.holding(month).find(|(of, ..)| of.name == name).map(|(of, ..)| of),
        };
        let priced: BTreeSet<BillingPeriod> = months.known().collect();
        let mut allocated = Vec::new();
        for slice in months.answer(&query)? {
            let month = crate::clock::Clock::period_of_day(slice.days.start);
            let held = of_month(month).and_then(|of| of.holding(month)?.kept.as_ref());
            if !priced.contains(&month) || is_by_arn && held.is_none() {
                continue;
            }
            let splits = held.map(|kept| kept.splits()).transpose().map_err(Error::internal)?;
            let (costs, currency) = costs(&name, &slice)?;
            let (values, dealt) = allocate(&costs, &splits.unwrap_or_default()).map_err(Error::internal)?;
            allocated.push(MonthAllocated { month, is_estimated: slice.estimated, currency, values, dealt });
        }
        let arn = definition.map(|of| cost_category_arn(payer, &of.id));
        Ok(Allocation { name, arn, months: allocated })
    }
}

/// What every value costs, and the currency of all of them.
fn costs(name: &str, slice: &Slice) -> Answer<(BTreeMap<String, Cost>, String)> {
    let mut costs = BTreeMap::new();
    let mut currency: Option<&str> = None;
    for row in &slice.rows {
        let (Some(key), Some(value)) = (row.keys.first(), row.values.first()) else { continue };
        let of_value = key.strip_prefix(name).and_then(|rest| rest.strip_prefix('$')).unwrap_or_default();
        if let Some(other) = currency.replace(&value.unit).filter(|other| *other != value.unit) {
            let message = format!(
                "costs in {other} and {} cannot be dealt out among each other; ask with a billing view of one currency",
                value.unit
            );
            return Err(CostExplorerRefusal::Invalid(message).into());
        }
        costs.insert(of_value.to_owned(), value.amount);
    }
    Ok((costs, currency.unwrap_or(NO_UNIT).to_owned()))
}
