//! A set-up as the API tells it, and how it is read: lists only, page after page.
//!
//! Calls nothing that writes. Operations: AWS Billing Conductor API reference, `ListBillingGroups` and those beside it.

use adopt::failure::explained;
use anyhow::bail;
use aws_sdk_billingconductor::Client;
use aws_sdk_billingconductor::types::{
    AccountAssociationsListElement, BillingGroupListElement, BillingGroupType, CustomLineItemListElement,
    CustomLineItemVersionListElement, ListAccountAssociationsFilter,
    ListResourcesAssociatedToCustomLineItemResponseElement, PricingPlanListElement, PricingRuleListElement,
};
use billing::book::{BASIC_PRICING_PLAN, PASSTHROUGH_PLAN};
use billing::period::BillingPeriod;
use std::collections::{BTreeMap, BTreeSet};

/// The largest page that AWS gives.
const PAGE: i32 = 100;

/// What is configured at AWS in a period.
#[derive(Debug, Clone)]
pub struct SetUp {
    /// The period.
    pub period: BillingPeriod,
    /// The payer account.
    pub payer: String,
    /// The billing groups.
    pub groups: Vec<BillingGroupListElement>,
    /// The accounts of the payer's organization, with the groups that have them.
    pub accounts: Vec<AccountAssociationsListElement>,
    /// The accounts of each group of a billing transfer, by the group's id.
    pub transferred: BTreeMap<String, Vec<AccountAssociationsListElement>>,
    /// Whether groups are made by themselves, by billing transfer; or why that could not be read.
    pub preferences: Vec<(String, Result<bool, String>)>,
    /// The pricing rules.
    pub rules: Vec<PricingRuleListElement>,
    /// The payer's own pricing plans.
    pub plans: Vec<Plan>,
    /// The custom line items.
    pub items: Vec<Item>,
}

/// A pricing plan and the ARNs of its rules.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The plan.
    pub plan: PricingPlanListElement,
    /// Its rules.
    pub rules: Vec<String>,
}

/// A custom line item, its versions, and what a percentage is taken of.
#[derive(Debug, Clone)]
pub struct Item {
    /// The item, as it is in the period.
    pub item: CustomLineItemListElement,
    /// Its versions in all periods.
    pub versions: Vec<CustomLineItemVersionListElement>,
    /// What it is associated with in the period.
    pub associated: Vec<ListResourcesAssociatedToCustomLineItemResponseElement>,
}

/// The id in an ARN; an id is one itself.
pub fn id_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// Whether a group is that of a billing transfer.
pub fn is_of_transfer(group: &BillingGroupListElement) -> bool {
    group.billing_group_type == Some(BillingGroupType::TransferBilling) || transfer_of(group).is_some()
}

/// The ARN of the billing transfer that a group is of.
pub fn transfer_of(group: &BillingGroupListElement) -> Option<&str> {
    group.account_grouping.as_ref()?.responsibility_transfer_arn.as_deref()
}

/// Reads everything; the payer is asked for only where no ARN tells it.
///
/// # Errors
/// Whatever the API refuses, by operation and with the way out.
pub async fn read(
    client: &Client,
    period: BillingPeriod,
    caller_account: impl AsyncFnOnce() -> anyhow::Result<String>,
) -> anyhow::Result<SetUp> {
    let groups = groups(client, period).await?;
    let rules = rules(client, period).await?;
    let plans = plans(client, period).await?;
    let items = items(client, period).await?;
    let arns = (groups.iter().map(|group| &group.arn))
        .chain(rules.iter().map(|rule| &rule.arn))
        .chain(plans.iter().map(|plan| &plan.plan.arn))
        .chain(items.iter().map(|item| &item.item.arn));
    let payer = match payer_of(arns.flatten().map(String::as_str))? {
        Some(payer) => payer,
        None => caller_account().await?,
    };
    let (mut transferred, mut preferences) = (BTreeMap::new(), Vec::new());
    for group in groups.iter().filter(|group| is_of_transfer(group)) {
        if let Some(arn) = &group.arn {
            let filter = ListAccountAssociationsFilter::builder().association(arn).build();
            transferred.insert(id_of(arn).to_owned(), accounts(client, period, Some(filter)).await?);
        }
        if let Some(transfer) = transfer_of(group) {
            preferences.push((transfer.to_owned(), preference(client, transfer).await));
        }
    }
    let accounts = accounts(client, period, None).await?;
    Ok(SetUp { period, payer, groups, accounts, transferred, preferences, rules, plans, items })
}

/// The account that ARNs name.
pub fn payer_of<'a>(arns: impl Iterator<Item = &'a str>) -> anyhow::Result<Option<String>> {
    let accounts: BTreeSet<&str> =
        arns.filter_map(|arn| arn.split(':').nth(4)).filter(|account| !account.is_empty()).collect();
    match accounts.len() {
        0 | 1 => Ok(accounts.first().map(|account| (*account).to_owned())),
        _ => bail!("the ARNs name several payer accounts: {}", Vec::from_iter(accounts).join(", ")),
    }
}

async fn groups(client: &Client, period: BillingPeriod) -> anyhow::Result<Vec<BillingGroupListElement>> {
    let pages = client.list_billing_groups().billing_period(period.to_string()).into_paginator();
    let all = pages.page_size(PAGE).items().send().collect::<Result<_, _>>().await;
    all.map_err(|error| explained("ListBillingGroups", error))
}

async fn accounts(
    client: &Client,
    period: BillingPeriod,
    filter: Option<ListAccountAssociationsFilter>,
) -> anyhow::Result<Vec<AccountAssociationsListElement>> {
    let call = client.list_account_associations().billing_period(period.to_string()).set_filters(filter);
    let all = call.into_paginator().items().send().collect::<Result<_, _>>().await;
    all.map_err(|error| explained("ListAccountAssociations", error))
}

async fn rules(client: &Client, period: BillingPeriod) -> anyhow::Result<Vec<PricingRuleListElement>> {
    let pages = client.list_pricing_rules().billing_period(period.to_string()).into_paginator();
    let all = pages.page_size(PAGE).items().send().collect::<Result<_, _>>().await;
    all.map_err(|error| explained("ListPricingRules", error))
}

/// The payer's own plans: whether those that AWS manages are listed among them, AWS does not say.
async fn plans(client: &Client, period: BillingPeriod) -> anyhow::Result<Vec<Plan>> {
    let pages = client.list_pricing_plans().billing_period(period.to_string()).into_paginator();
    let all = pages.page_size(PAGE).items().send().collect::<Result<Vec<_>, _>>().await;
    let mut plans = Vec::new();
    for plan in all.map_err(|error| explained("ListPricingPlans", error))? {
        let Some(arn) = plan.arn.clone() else { bail!("ListPricingPlans: a pricing plan has no ARN") };
        if matches!(id_of(&arn), BASIC_PRICING_PLAN | PASSTHROUGH_PLAN) {
            continue;
        }
        let call = client.list_pricing_rules_associated_to_pricing_plan().pricing_plan_arn(arn);
        let pages = call.billing_period(period.to_string()).into_paginator().page_size(PAGE);
        let rules = pages.items().send().collect::<Result<_, _>>().await;
        let rules = rules.map_err(|error| explained("ListPricingRulesAssociatedToPricingPlan", error))?;
        plans.push(Plan { plan, rules });
    }
    Ok(plans)
}

async fn items(client: &Client, period: BillingPeriod) -> anyhow::Result<Vec<Item>> {
    let pages = client.list_custom_line_items().billing_period(period.to_string()).into_paginator();
    let all = pages.page_size(PAGE).items().send().collect::<Result<Vec<_>, _>>().await;
    let mut items = Vec::new();
    for item in all.map_err(|error| explained("ListCustomLineItems", error))? {
        let Some(arn) = item.arn.clone() else { bail!("ListCustomLineItems: a custom line item has no ARN") };
        let pages = client.list_custom_line_item_versions().arn(&arn).into_paginator().page_size(PAGE);
        let versions = pages.items().send().collect::<Result<_, _>>().await;
        let versions = versions.map_err(|error| explained("ListCustomLineItemVersions", error))?;
        // Only a percentage is of something. AWS documents no meaning of the relationship, so it is not asked by it.
        let mut associated = Vec::new();
        if item.charge_details.as_ref().is_some_and(|details| details.percentage.is_some()) {
            let call = client.list_resources_associated_to_custom_line_item().arn(arn);
            let pages = call.billing_period(period.to_string()).into_paginator().page_size(PAGE);
            let all = pages.items().send().collect::<Result<_, _>>().await;
            associated = all.map_err(|error| explained("ListResourcesAssociatedToCustomLineItem", error))?;
        }
        items.push(Item { item, versions, associated });
    }
    Ok(items)
}

/// Whether groups are made by themselves for transfers behind this one. A book has no words for it, so no answer is no failure.
async fn preference(client: &Client, transfer: &str) -> Result<bool, String> {
    let answer = client.get_billing_transfer_preference().responsibility_transfer_arn(transfer).send().await;
    let answer = answer.map_err(|error| explained("GetBillingTransferPreference", error).to_string())?;
    Ok(answer.auto_billing_transfer_billing_group_creation.is_some_and(|preference| preference.enabled))
}
