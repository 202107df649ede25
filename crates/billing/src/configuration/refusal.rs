//! Why a write is refused: the errors of the AWS API, by their names, without HTTP.
//!
//! Source: AWS Billing Conductor API reference, `ValidationException` and `ConflictException`. AWS documents the names and not when each is
//! raised; docs/api.md says when it is here.

use super::ResourceType;
use crate::account::AccountId;

/// An enum whose variants have AWS's names.
macro_rules! reasons {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`")] $variant,)*
        }

        impl $name {
            /// Every reason.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// AWS's name of it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

reasons! {
    /// Why an input is not valid.
    ValidationReason {
        UnknownOperation = "UNKNOWN_OPERATION",
        CannotParse = "CANNOT_PARSE",
        FieldValidationFailed = "FIELD_VALIDATION_FAILED",
        Other = "OTHER",
        PrimaryNotAssociated = "PRIMARY_NOT_ASSOCIATED",
        PrimaryCannotDisassociate = "PRIMARY_CANNOT_DISASSOCIATE",
        AccountsNotAssociated = "ACCOUNTS_NOT_ASSOCIATED",
        AccountsAlreadyAssociated = "ACCOUNTS_ALREADY_ASSOCIATED",
        IllegalPrimaryAccount = "ILLEGAL_PRIMARY_ACCOUNT",
        IllegalAccounts = "ILLEGAL_ACCOUNTS",
        MismatchedBillinggroupArn = "MISMATCHED_BILLINGGROUP_ARN",
        MissingBillinggroup = "MISSING_BILLINGGROUP",
        MismatchedCustomlineitemArn = "MISMATCHED_CUSTOMLINEITEM_ARN",
        IllegalBillingPeriod = "ILLEGAL_BILLING_PERIOD",
        IllegalBillingPeriodRange = "ILLEGAL_BILLING_PERIOD_RANGE",
        TooManyAccountsInRequest = "TOO_MANY_ACCOUNTS_IN_REQUEST",
        DuplicateAccount = "DUPLICATE_ACCOUNT",
        InvalidBillingGroupStatus = "INVALID_BILLING_GROUP_STATUS",
        MismatchedPricingplanArn = "MISMATCHED_PRICINGPLAN_ARN",
        MissingPricingplan = "MISSING_PRICINGPLAN",
        MismatchedPricingruleArn = "MISMATCHED_PRICINGRULE_ARN",
        DuplicatePricingruleArns = "DUPLICATE_PRICINGRULE_ARNS",
        MissingCostcategory = "MISSING_COSTCATEGORY",
        IllegalExpression = "ILLEGAL_EXPRESSION",
        IllegalScope = "ILLEGAL_SCOPE",
        IllegalService = "ILLEGAL_SERVICE",
        PricingrulesNotExist = "PRICINGRULES_NOT_EXIST",
        PricingrulesAlreadyAssociated = "PRICINGRULES_ALREADY_ASSOCIATED",
        PricingrulesNotAssociated = "PRICINGRULES_NOT_ASSOCIATED",
        InvalidTimeRange = "INVALID_TIME_RANGE",
        InvalidBillingviewArn = "INVALID_BILLINGVIEW_ARN",
        MismatchedBillingviewArn = "MISMATCHED_BILLINGVIEW_ARN",
        IllegalCustomlineitem = "ILLEGAL_CUSTOMLINEITEM",
        MissingCustomlineitem = "MISSING_CUSTOMLINEITEM",
        IllegalCustomlineitemUpdate = "ILLEGAL_CUSTOMLINEITEM_UPDATE",
        TooManyCustomlineitemsInRequest = "TOO_MANY_CUSTOMLINEITEMS_IN_REQUEST",
        IllegalChargeDetails = "ILLEGAL_CHARGE_DETAILS",
        IllegalUpdateChargeDetails = "ILLEGAL_UPDATE_CHARGE_DETAILS",
        InvalidArn = "INVALID_ARN",
        IllegalResourceArns = "ILLEGAL_RESOURCE_ARNS",
        IllegalCustomlineitemModification = "ILLEGAL_CUSTOMLINEITEM_MODIFICATION",
        MissingLinkedAccountIds = "MISSING_LINKED_ACCOUNT_IDS",
        MultipleLinkedAccountIds = "MULTIPLE_LINKED_ACCOUNT_IDS",
        MissingPricingPlanArn = "MISSING_PRICING_PLAN_ARN",
        MultiplePricingPlanArn = "MULTIPLE_PRICING_PLAN_ARN",
        IllegalChildAssociateResource = "ILLEGAL_CHILD_ASSOCIATE_RESOURCE",
        CustomLineItemAssociationExists = "CUSTOM_LINE_ITEM_ASSOCIATION_EXISTS",
        InvalidBillingGroup = "INVALID_BILLING_GROUP",
        InvalidBillingPeriodForOperation = "INVALID_BILLING_PERIOD_FOR_OPERATION",
        IllegalBillingEntity = "ILLEGAL_BILLING_ENTITY",
        IllegalModifierPercentage = "ILLEGAL_MODIFIER_PERCENTAGE",
        IllegalType = "ILLEGAL_TYPE",
        IllegalBillingGroupType = "ILLEGAL_BILLING_GROUP_TYPE",
        IllegalBillingGroupPricingPlan = "ILLEGAL_BILLING_GROUP_PRICING_PLAN",
        IllegalEndedBillinggroup = "ILLEGAL_ENDED_BILLINGGROUP",
        IllegalTieringInput = "ILLEGAL_TIERING_INPUT",
        IllegalOperation = "ILLEGAL_OPERATION",
        IllegalUsageType = "ILLEGAL_USAGE_TYPE",
        InvalidSkuCombo = "INVALID_SKU_COMBO",
        InvalidFilter = "INVALID_FILTER",
        TooManyAutoAssociateBillingGroups = "TOO_MANY_AUTO_ASSOCIATE_BILLING_GROUPS",
        CannotDeleteAutoAssociateBillingGroup = "CANNOT_DELETE_AUTO_ASSOCIATE_BILLING_GROUP",
        IllegalAccountId = "ILLEGAL_ACCOUNT_ID",
        BillingGroupAlreadyExistInCurrentBillingPeriod = "BILLING_GROUP_ALREADY_EXIST_IN_CURRENT_BILLING_PERIOD",
        IllegalComputationRule = "ILLEGAL_COMPUTATION_RULE",
        IllegalLineItemFilter = "ILLEGAL_LINE_ITEM_FILTER",
    }
}

reasons! {
    /// What an input is in conflict with.
    ConflictReason {
        ResourceNameConflict = "RESOURCE_NAME_CONFLICT",
        PricingRuleInPricingPlanConflict = "PRICING_RULE_IN_PRICING_PLAN_CONFLICT",
        PricingPlanAttachedToBillingGroupDeleteConflict = "PRICING_PLAN_ATTACHED_TO_BILLING_GROUP_DELETE_CONFLICT",
        PricingPlanReferencedByPreferenceDeleteConflict = "PRICING_PLAN_REFERENCED_BY_PREFERENCE_DELETE_CONFLICT",
        PricingRuleAttachedToPricingPlanDeleteConflict = "PRICING_RULE_ATTACHED_TO_PRICING_PLAN_DELETE_CONFLICT",
        WriteConflictRetry = "WRITE_CONFLICT_RETRY",
    }
}

/// What a payer may have at most.
///
/// Source: AWS Billing Conductor user guide, "Quotas and restrictions".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quota {
    /// Billing groups per payer.
    BillingGroups,
    /// Accounts per billing group.
    AccountsPerBillingGroup,
    /// Pricing plans per payer.
    PricingPlans,
    /// Pricing rules per payer.
    PricingRules,
    /// Pricing rules per pricing plan.
    RulesPerPricingPlan,
    /// Pricing plans per pricing rule.
    PlansPerPricingRule,
    /// Custom line items per payer.
    CustomLineItems,
    /// What a percentage item may be a percentage of.
    SourcesPerPercentageItem,
    /// Percentage items that may be taken of one flat item.
    PercentagesPerFlatItem,
    /// Custom line items with a line item filter per billing group.
    FilteredItemsPerBillingGroup,
    /// Itemized custom line items per billing group.
    ItemizedItemsPerBillingGroup,
}

impl Quota {
    /// Every quota with its `LimitCode`, and what it allows.
    pub const ALL: [(Self, &'static str, usize); 11] = [
        (Self::BillingGroups, "BILLING_GROUPS_PER_PAYER", 5_000),
        (Self::AccountsPerBillingGroup, "ACCOUNTS_PER_BILLING_GROUP", 1_000),
        (Self::PricingPlans, "PRICING_PLANS_PER_PAYER", 5_000),
        (Self::PricingRules, "PRICING_RULES_PER_PAYER", 50_000),
        (Self::RulesPerPricingPlan, "PRICING_RULES_PER_PRICING_PLAN", 500),
        (Self::PlansPerPricingRule, "PRICING_PLANS_PER_PRICING_RULE", 1_000),
        (Self::CustomLineItems, "CUSTOM_LINE_ITEMS_PER_PAYER", 50_000),
        (Self::SourcesPerPercentageItem, "SOURCES_PER_PERCENTAGE_CUSTOM_LINE_ITEM", 100),
        (Self::PercentagesPerFlatItem, "PERCENTAGE_CUSTOM_LINE_ITEMS_PER_FLAT", 100),
        (Self::FilteredItemsPerBillingGroup, "FILTERED_CUSTOM_LINE_ITEMS_PER_BILLING_GROUP", 10),
        (Self::ItemizedItemsPerBillingGroup, "ITEMIZED_CUSTOM_LINE_ITEMS_PER_BILLING_GROUP", 5),
    ];

    /// The `LimitCode`, and what is allowed.
    #[must_use]
    pub fn limit(self) -> (&'static str, usize) {
        let of = Self::ALL.into_iter().find(|(quota, ..)| *quota == self);
        of.map_or(("", 0), |(_, code, limit)| (code, limit))
    }
}

/// Why a write is refused. Nothing is changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The input is not valid.
    #[error("{message}")]
    Validation {
        /// Why.
        reason: ValidationReason,
        /// The thing, the value and the way out.
        message: String,
        /// The members of the input that are at fault, each with what is wrong.
        fields: Vec<(String, String)>,
    },
    /// The payer has as many as it may.
    #[error("{message}")]
    Limit {
        /// Of what.
        quota: Quota,
        /// What cannot have more, by kind and id.
        resource: Option<(ResourceType, String)>,
        /// The limit in words.
        message: String,
    },
    /// Nobody may do that: what AWS manages is not edited.
    #[error("{0}")]
    Denied(String),
    /// There is no such resource in the period.
    #[error("there is no {} `{id}` in the billing period", .kind.words())]
    NotFound {
        /// Its kind.
        kind: ResourceType,
        /// Its id or ARN, as the caller wrote it.
        id: String,
    },
    /// The input is in conflict with what is there.
    #[error("{message}")]
    Conflict {
        /// With what.
        reason: ConflictReason,
        /// The kind of the resource in use: of a deletion the one that was to be deleted.
        kind: ResourceType,
        /// Its ARN.
        id: String,
        /// The thing, the value and the way out.
        message: String,
    },
}

impl Refusal {
    /// An input that is not valid, without naming members.
    #[must_use]
    pub fn invalid(reason: ValidationReason, message: impl Into<String>) -> Self {
        Self::Validation { reason, message: message.into(), fields: Vec::new() }
    }

    /// A quota that is used up.
    #[must_use]
    pub fn limit(quota: Quota, resource: Option<(ResourceType, String)>) -> Self {
        let (code, limit) = quota.limit();
        Self::Limit { quota, resource, message: format!("at most {limit} are allowed: {code}") }
    }

    /// A resource that is in the way.
    #[must_use]
    pub fn conflict(
        reason: ConflictReason,
        payer: &AccountId,
        (kind, id): (ResourceType, &str),
        message: impl Into<String>,
    ) -> Self {
        Self::Conflict { reason, kind, id: super::arn(payer.as_str(), kind, id), message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    //! Every reason once.

    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn reasons_have_names_of_their_own() {
        let names: BTreeSet<_> = ValidationReason::ALL.iter().map(|reason| reason.name()).collect();
        assert_eq!((names.len(), ValidationReason::ALL.len()), (66, 66));
        assert_eq!(ConflictReason::ALL.len(), 6);
    }
}
