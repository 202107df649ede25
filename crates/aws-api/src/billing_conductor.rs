//! `billingconductor`: AWS's operations, one function each, a file per noun.
//!
//! Source: AWS Billing Conductor API reference, version 2021-07-30. What is refused, and when, is in `billing::configuration`.

mod groups;
mod items;
mod names;
mod plans;
mod reports;
mod rules;
mod shapes;
mod tags;
mod transfers;

use crate::call::Call;
use back_office::error::{Answer, Error};

pub(crate) use groups::sees_account;

/// The name of the service in signatures.
pub const SERVICE: &str = "billingconductor";

/// Performs an operation.
pub(crate) async fn perform(call: &Call<'_>, operation: &str) -> Answer<Vec<u8>> {
    match operation {
        "CreateBillingGroup" => groups::create(call).await,
        "UpdateBillingGroup" => groups::update(call).await,
        "DeleteBillingGroup" => groups::delete(call).await,
        "ListBillingGroups" => groups::list(call).await,
        "AssociateAccounts" => groups::associate(call, true).await,
        "DisassociateAccounts" => groups::associate(call, false).await,
        "ListAccountAssociations" => groups::list_accounts(call).await,
        "CreatePricingPlan" => plans::create(call).await,
        "UpdatePricingPlan" => plans::update(call).await,
        "DeletePricingPlan" => plans::delete(call).await,
        "ListPricingPlans" => plans::list(call).await,
        "AssociatePricingRules" => plans::associate(call, true).await,
        "DisassociatePricingRules" => plans::associate(call, false).await,
        "ListPricingRulesAssociatedToPricingPlan" => plans::list_rules(call).await,
        "CreatePricingRule" => rules::create(call).await,
        "UpdatePricingRule" => rules::update(call).await,
        "DeletePricingRule" => rules::delete(call).await,
        "ListPricingRules" => rules::list(call).await,
        "ListPricingPlansAssociatedWithPricingRule" => rules::list_plans(call).await,
        "CreateCustomLineItem" => items::create(call).await,
        "UpdateCustomLineItem" => items::update(call).await,
        "DeleteCustomLineItem" => items::delete(call).await,
        "ListCustomLineItems" => items::list(call).await,
        "ListCustomLineItemVersions" => items::list_versions(call).await,
        "BatchAssociateResourcesToCustomLineItem" => items::associate(call, true).await,
        "BatchDisassociateResourcesFromCustomLineItem" => items::associate(call, false).await,
        "ListResourcesAssociatedToCustomLineItem" => items::list_associated(call).await,
        "ListBillingGroupCostReports" => reports::list(call).await,
        "GetBillingGroupCostReport" => reports::get(call).await,
        "GetBillingTransferPreference" => transfers::get(call).await,
        "UpdateBillingTransferPreference" => transfers::update(call).await,
        "ListTagsForResource" => tags::list(call).await,
        "TagResource" => tags::put(call).await,
        "UntagResource" => tags::remove(call).await,
        other => Err(Error::internal(format!("{other} is in the model and not served"))),
    }
}
