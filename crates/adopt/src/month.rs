//! A month as AWS says it, in as few requests as there are ways to: Cost Explorer charges for each of them, page by page.
//!
//! Operations: AWS Cost Explorer API reference, version 2017-10-25; AWS Billing Conductor API reference, version 2021-07-30. Amounts stay the texts that AWS has written.

use adopt::connection::Connection;
use adopt::failure::explained;
use adopt::say;
use anyhow::{Context, bail};
use aws_sdk_billingconductor::types::BillingPeriodRange;
use aws_sdk_billingconductor::types::GroupByAttributeName::ProductName;
use aws_sdk_costexplorer::operation::get_cost_and_usage::GetCostAndUsageOutput;
use aws_sdk_costexplorer::types::{
    DateInterval, Granularity, GroupDefinition, GroupDefinitionType, ResultByTime,
};
use billing::period::BillingPeriod;
use serde_json::{Value, json};

/// What Cost Explorer adds up: what AWS charges, line by line.
const METRIC: &str = "UnblendedCost";
/// The largest page of groups and of cost reports.
const PAGE: i32 = 100;
/// The largest page of one group's cost report.
const REPORT_PAGE: i32 = 300;
/// After how many billing groups a line says how far it is.
const SAID_EVERY: usize = 100;

/// Reads a month of the account that the connection's credentials are of.
///
/// # Errors
/// They are of another account than `payer`, or what could not be read, and the way out.
pub async fn read(
    connection: &Connection,
    period: BillingPeriod,
    payer: Option<&str>,
) -> anyhow::Result<Value> {
    let account = connection.caller_account().await?;
    if let Some(payer) = payer.filter(|payer| *payer != account) {
        bail!(
            "the AWS credentials are of account {account}, and the month here is of payer {payer}; choose its profile with --profile"
        );
    }
    // What costs nothing goes first: a permission that is missing there shall not cost anything.
    let groups = billing_groups(&connection.billing_conductor(), period).await?;
    let mut costs = Costs { client: connection.cost_explorer(), period, requests: 0, estimated: false };
    let services = costs.by("SERVICE", "service").await?;
    let accounts = costs.by("LINKED_ACCOUNT", "account_id").await?;
    let mut month = json!({
        "billing_period": period.to_string(),
        "payer_account_id": account,
        "cost_explorer_requests": costs.requests,
        "estimated": costs.estimated,
        "services": services,
        "accounts": accounts,
    });
    for (name, rows) in groups {
        month[name] = Value::Array(rows);
    }
    Ok(month)
}

/// Cost Explorer, and what asking it comes to.
struct Costs {
    client: aws_sdk_costexplorer::Client,
    period: BillingPeriod,
    requests: u32,
    estimated: bool,
}

impl Costs {
    /// The month by a dimension, and by record type in it.
    async fn by(&mut self, dimension: &str, member: &str) -> anyhow::Result<Vec<Value>> {
        let mut rows = Vec::new();
        let mut token = None;
        loop {
            let page = self.page(dimension, token).await?;
            for result in page.results_by_time.unwrap_or_default() {
                self.estimated |= result.estimated;
                rows.extend(groups_of(result, member)?);
            }
            token = page.next_page_token.filter(|token| !token.is_empty());
            if token.is_none() {
                say!("Cost Explorer: {} rows by {dimension} and RECORD_TYPE", rows.len());
                return Ok(rows);
            }
        }
    }

    /// One page. That AWS tells its callers to slow down is waited for by the client.
    async fn page(
        &mut self,
        dimension: &str,
        token: Option<String>,
    ) -> anyhow::Result<GetCostAndUsageOutput> {
        let first_of = |period: BillingPeriod| format!("{period}-01");
        let interval =
            DateInterval::builder().start(first_of(self.period)).end(first_of(self.period.next())).build()?;
        let group =
            |key: &str| GroupDefinition::builder().r#type(GroupDefinitionType::Dimension).key(key).build();
        let call = self.client.get_cost_and_usage().time_period(interval).granularity(Granularity::Monthly);
        let call = call.metrics(METRIC).group_by(group(dimension)).group_by(group("RECORD_TYPE"));
        let call = call.set_next_page_token(token);
        self.requests += 1;
        call.send().await.map_err(|error| explained("GetCostAndUsage", error))
    }
}

/// The groups of an answer, as the rows of a month.
fn groups_of(result: ResultByTime, member: &str) -> anyhow::Result<Vec<Value>> {
    let row = |group: aws_sdk_costexplorer::types::Group| {
        let keys = group.keys.unwrap_or_default();
        let [of, record_type] = keys.as_slice() else {
            bail!("GetCostAndUsage: a group has {} keys, and two were asked for", keys.len());
        };
        let amount = group.metrics.as_ref().and_then(|metrics| metrics.get(METRIC));
        let amount = amount
            .with_context(|| format!("GetCostAndUsage: group `{of}`, `{record_type}` has no {METRIC}"))?;
        Ok(
            json!({ member: of, "record_type": record_type, "amount": amount.amount, "currency": amount.unit }),
        )
    };
    result.groups.unwrap_or_default().into_iter().map(row).collect()
}

/// The billing groups, what each comes to, and that by product.
async fn billing_groups(
    client: &aws_sdk_billingconductor::Client,
    period: BillingPeriod,
) -> anyhow::Result<[(&'static str, Vec<Value>); 2]> {
    let pages = client.list_billing_groups().billing_period(period.to_string()).into_paginator();
    let all = pages.page_size(PAGE).items().send().collect::<Result<Vec<_>, _>>().await;
    let all = all.map_err(|error| explained("ListBillingGroups", error))?;
    let name_of = |arn: Option<&str>| {
        all.iter().find(|group| group.arn.as_deref() == arn).and_then(|group| group.name.clone())
    };
    let pages = client.list_billing_group_cost_reports().billing_period(period.to_string()).into_paginator();
    let reports = pages.page_size(PAGE).items().send().collect::<Result<Vec<_>, _>>().await;
    let reports = reports.map_err(|error| explained("ListBillingGroupCostReports", error))?;
    let (mut groups, mut products) = (Vec::new(), Vec::new());
    for (number, report) in reports.iter().enumerate() {
        let arn = report.arn.as_deref().context("ListBillingGroupCostReports: a report has no ARN")?;
        groups.push(json!({
            "arn": arn,
            "name": name_of(Some(arn)),
            "aws_cost": report.aws_cost,
            "pro_forma_cost": report.proforma_cost,
            "margin": report.margin,
            "currency": report.currency,
        }));
        products.extend(by_product(client, arn, period).await?);
        if (number + 1) % SAID_EVERY == 0 {
            say!("cost reports of {} of {} billing groups", number + 1, reports.len());
        }
    }
    say!("Billing Conductor: {} billing groups", reports.len());
    Ok([("billing_groups", groups), ("products", products)])
}

/// A group's report by product.
async fn by_product(
    client: &aws_sdk_billingconductor::Client,
    arn: &str,
    period: BillingPeriod,
) -> anyhow::Result<Vec<Value>> {
    let range = BillingPeriodRange::builder()
        .inclusive_start_billing_period(period.to_string())
        .exclusive_end_billing_period(period.next().to_string())
        .build()?;
    let call = client.get_billing_group_cost_report().arn(arn).billing_period_range(range);
    let pages = call.group_by(ProductName).into_paginator().page_size(REPORT_PAGE).items().send();
    let rows = pages.collect::<Result<Vec<_>, _>>().await;
    let rows = rows.map_err(|error| explained("GetBillingGroupCostReport", error))?;
    let row = |row: aws_sdk_billingconductor::types::BillingGroupCostReportResultElement| {
        let attributes = row.attributes.unwrap_or_default();
        let product = attributes.into_iter().find(|of| of.key.as_deref() == Some("PRODUCT_NAME"));
        let product = product
            .and_then(|of| of.value)
            .with_context(|| format!("GetBillingGroupCostReport: a row of `{arn}` has no PRODUCT_NAME"))?;
        Ok(json!({
            "arn": arn,
            "product": product,
            "aws_cost": row.aws_cost,
            "pro_forma_cost": row.proforma_cost,
            "margin": row.margin,
            "currency": row.currency,
        }))
    };
    rows.into_iter().map(row).collect()
}
