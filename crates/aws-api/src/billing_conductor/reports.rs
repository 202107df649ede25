//! Cost reports, for the operator and for customers: two types, so that a customer's cannot hold what AWS charges.

use super::groups::{may_see, visible};
use super::shapes::Listing;
use super::shapes::reports::{
    Attribute, CostReport, CostReportIn, CostReportResults, CostReports, CostReportsFilter,
    CustomerCostReport,
};
use crate::call::{Call, Position, json};
use back_office::authorization::Scope;
use back_office::cost_reports::{Costs, GroupBy, ResultRow, period_attribute, result_rows};
use back_office::error::{Answer, Error};
use billing::configuration::{BillingGroupId, ValidationReason};
use billing::money::Currency;
use billing::period::BillingPeriod;
use serde::Serialize;
use std::collections::BTreeSet;

/// How many rows a page of `ListBillingGroupCostReports` and of `GetBillingGroupCostReport` holds at most.
const GROUPS_PAGE: usize = 100;
const RESULTS_PAGE: usize = 300;
/// The currency of rows without costs.
const CURRENCY: &str = "USD";
/// How many months one report covers at most.
const MONTHS_MAX: usize = 12;

/// `ListBillingGroupCostReports`
pub(super) async fn list(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Listing<CostReportsFilter> = call.read()?;
    let period = call.period_or_current(input.billing_period.as_deref())?;
    let page = call.page(input.max_results, input.next_token.as_deref(), GROUPS_PAGE)?;
    let payer = &call.caller.payer;
    let configuration = call.desk.current(payer).await?;
    let report = call.desk.cost_report(payer, period).await?;
    let arns = input.filters.and_then(|filter| filter.billing_group_arns);
    let wanted: Option<BTreeSet<BillingGroupId>> = match arns {
        None => None,
        Some(arns) => {
            let ids = arns.iter().map(|arn| visible(call, &configuration, period, arn));
            Some(ids.collect::<Answer<_>>()?)
        }
    };
    // A group with charges in two currencies has two rows; a page ends between groups only where it must.
    let (after, of_currency) = page.after.split_once(' ').unwrap_or((&page.after, ""));
    let after: u64 = after.parse().unwrap_or_default();
    let first = after.saturating_sub(1);
    let nothing = nothing()?;
    let mut rows = Vec::new();
    for (id, resource, _) in configuration.groups_after(first, period) {
        if !may_see(&call.caller.scope, id) || wanted.as_ref().is_some_and(|wanted| !wanted.contains(id)) {
            continue;
        }
        let totals = report.as_ref().map(|report| report.totals(id, &call.caller.scope));
        let mut totals = totals.transpose().map_err(Error::internal)?.unwrap_or_default();
        if totals.is_empty() {
            totals.push((nothing.currency, nothing.costs));
        }
        for (currency, costs) in totals {
            if resource.number > after || currency.as_str() > of_currency {
                rows.push((format!("{} {currency}", Position(resource.number)), (id, currency, costs)));
            }
        }
        if rows.len() > page.max {
            break;
        }
    }
    let (rows, next_token) = call.cut(&page, rows)?;
    match &call.caller.scope {
        Scope::Payer => {
            let row = |(id, currency, costs): (&BillingGroupId, Currency, Costs)| {
                operators(id.arn(payer), currency, costs, None)
            };
            let billing_group_cost_reports = rows.into_iter().map(row).collect::<Answer<Vec<_>>>()?;
            json(&CostReports { billing_group_cost_reports, next_token })
        }
        Scope::Groups { .. } => {
            let row = |(id, currency, costs): (&BillingGroupId, Currency, Costs)| {
                customers(id.arn(payer), currency, costs, None)
            };
            let billing_group_cost_reports: Vec<_> = rows.into_iter().map(row).collect();
            json(&CostReports { billing_group_cost_reports, next_token })
        }
    }
}

/// `GetBillingGroupCostReport`
pub(super) async fn get(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: CostReportIn = call.read()?;
    let page = call.page(input.max_results, input.next_token.as_deref(), RESULTS_PAGE)?;
    let periods = periods(call, &input)?;
    let by = GroupBy {
        product: input.group_by.iter().any(|by| by == "PRODUCT_NAME"),
        period: input.group_by.iter().any(|by| by == "BILLING_PERIOD"),
    };
    let payer = &call.caller.payer;
    let mut group = None;
    let mut months = Vec::new();
    for period in &periods {
        let configuration = call.desk.current(payer).await?;
        let Ok(id) = visible(call, &configuration, *period, &input.arn) else { continue };
        if let Some(report) = call.desk.cost_report(payer, *period).await? {
            months.push((*period, report.of_group(&id, &call.caller.scope)));
        }
        group = Some(id);
    }
    let Some(group) = group else {
        // In none of the months: the last one says so, as for a group that never was.
        let last = periods.last().copied().unwrap_or_else(|| call.current());
        let configuration = call.desk.current(payer).await?;
        visible(call, &configuration, last, &input.arn)?;
        return Err(Error::internal("a group that is there in no month"));
    };
    let rows = result_rows(months.iter().map(|(period, rows)| (*period, rows.as_slice())), by);
    let mut rows = rows.map_err(Error::internal)?;
    if rows.is_empty() && by == GroupBy::default() {
        rows.push(nothing()?);
    }
    let begin = page.after.parse().unwrap_or(0_usize);
    let entries = rows.into_iter().enumerate().skip(begin).map(|(at, row)| ((at + 1).to_string(), row));
    let (rows, next_token) = call.cut(&page, entries)?;
    match &call.caller.scope {
        Scope::Payer => {
            let row =
                |row: ResultRow| operators(group.arn(payer), row.currency, row.costs, attributes(&row, by));
            results(rows.into_iter().map(row).collect::<Answer<Vec<_>>>()?, next_token)
        }
        Scope::Groups { .. } => {
            let row =
                |row: ResultRow| customers(group.arn(payer), row.currency, row.costs, attributes(&row, by));
            results(rows.into_iter().map(row).collect::<Vec<_>>(), next_token)
        }
    }
}

/// What a group without any costs is charged: nothing, in the API's currency.
fn nothing() -> Answer<ResultRow> {
    let currency = Currency::parse(CURRENCY).ok_or_else(|| Error::internal(CURRENCY))?;
    Ok(ResultRow { period: None, product: None, currency, costs: Costs::default() })
}

fn results<R: Serialize>(
    billing_group_cost_report_results: Vec<R>,
    next_token: Option<String>,
) -> Answer<Vec<u8>> {
    json(&CostReportResults { billing_group_cost_report_results, next_token })
}

/// The months of a report: at most twelve, none that has not begun; without a range the current one.
fn periods(call: &Call<'_>, input: &CostReportIn) -> Answer<Vec<BillingPeriod>> {
    let Some(range) = &input.billing_period_range else { return Ok(vec![call.current()]) };
    let first = crate::call::period(&range.inclusive_start_billing_period)?;
    let end = crate::call::period(&range.exclusive_end_billing_period)?;
    let refused = |message: String| Error::invalid(ValidationReason::IllegalBillingPeriodRange, message);
    if end <= first {
        return Err(refused(format!("the range ends at {end}, which is not after its start {first}")));
    }
    if first > call.current() {
        return Err(refused(format!("billing period {first} has not begun")));
    }
    let months: Vec<_> = std::iter::successors(Some(first), |period| Some(period.next()))
        .take_while(|period| *period < end)
        .take(MONTHS_MAX + 1)
        .collect();
    if months.len() > MONTHS_MAX {
        return Err(refused(format!("a report covers at most {MONTHS_MAX} months")));
    }
    Ok(months.into_iter().filter(|period| *period <= call.current()).collect())
}

fn attributes(row: &ResultRow, by: GroupBy) -> Option<Vec<Attribute>> {
    let product = row.product.clone().map(|value| Attribute { key: "PRODUCT_NAME", value });
    let period =
        row.period.map(|period| Attribute { key: "BILLING_PERIOD", value: period_attribute(period) });
    (by.product || by.period).then(|| product.into_iter().chain(period).collect())
}

fn operators(
    arn: String,
    currency: Currency,
    costs: Costs,
    attributes: Option<Vec<Attribute>>,
) -> Answer<CostReport> {
    Ok(CostReport {
        arn,
        aws_cost: costs.aws.to_string(),
        proforma_cost: costs.pro_forma.to_string(),
        margin: costs.margin().map_err(Error::internal)?.to_string(),
        margin_percentage: costs.margin_percentage().map_err(Error::internal)?.to_string(),
        currency: currency.to_string(),
        attributes,
    })
}

fn customers(
    arn: String,
    currency: Currency,
    costs: Costs,
    attributes: Option<Vec<Attribute>>,
) -> CustomerCostReport {
    let (proforma_cost, currency) = (costs.pro_forma.to_string(), currency.to_string());
    CustomerCostReport { arn, proforma_cost, currency, attributes }
}
