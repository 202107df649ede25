//! Who may do what: one pure function over one table. What is not in the table is nobody's.
//!
//! Source of the roles: AWS Billing Conductor user guide, "Visibility": the payer configures and sees everything, a primary account sees its
//! group's pro forma, a member its own.

use billing::account::AccountId;
use billing::configuration::{BillingGroupId, Configuration, Refusal, group_called_among};
use billing::period::BillingPeriod;
use std::collections::BTreeSet;

/// What a principal is to a payer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Everything of its payer.
    PayerAdmin,
    /// Reads everything; orders, documents and the news of them are its work.
    Finance,
    /// Reads everything.
    Analyst,
    /// Sees the pro forma of its own billing groups and has their purchase orders, and nothing else.
    GroupViewer,
}

impl Role {
    /// Every role with its name.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::PayerAdmin, "payer-admin"),
        (Self::Finance, "finance"),
        (Self::Analyst, "analyst"),
        (Self::GroupViewer, "group-viewer"),
    ];

    /// The role of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(role, of)| (of == name).then_some(role))
    }

    /// The name of the role.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find_map(|(role, name)| (role == self).then_some(name)).unwrap_or_default()
    }
}

/// Which of a payer's data a principal may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All of it, AWS cost and margin among them.
    Payer,
    /// The pro forma of some billing groups; of some of their accounts only, where they are named.
    Groups {
        /// The groups.
        groups: BTreeSet<BillingGroupId>,
        /// The accounts; `None` is every account of the groups.
        accounts: Option<BTreeSet<AccountId>>,
    },
}

/// Whoever asks: known by a signature, or the operator at the machine's own command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The payer account whose data it is about. It comes from the credential, from nowhere else.
    pub payer: AccountId,
    /// The principal's name.
    pub principal: String,
    /// When the principal was created, in milliseconds since 1970-01-01T00:00:00Z: somebody else may have its name later. 0 of the operator.
    pub principal_since_ms: i64,
    /// The access key; empty for the operator at the command line.
    pub access_key_id: String,
    /// Its role.
    pub role: Role,
    /// What it may see.
    pub scope: Scope,
    /// The request, for the audit.
    pub request_id: String,
    /// Now at the desk's clock, in seconds since 1970-01-01T00:00:00Z, fixed when the request arrived.
    pub now: i64,
}

/// What an operation takes of whoever asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody with a key.
    Anybody,
    /// Anybody who sees some pro forma: customers get their own part, in types that cannot hold more.
    CustomerRead,
    /// Whoever sees the whole payer.
    Read,
    /// Whoever orders, or keeps budgets and reports: the payer's own people for everybody, a customer for itself.
    Purchase,
    /// Whoever works on documents, on what is known of AWS's invoices, and on whom news of both goes to.
    Documents,
    /// Whoever configures it.
    Configure,
    /// Whoever decides who may do what.
    Administer,
}

/// Every operation that there is: its service, its name, and what it takes. A route that has no line here does not start.
pub const ACTIONS: &[(&str, &str, Access)] = &[
    ("bcm-data-exports", "CreateExport", Access::Configure),
    ("bcm-data-exports", "DeleteExport", Access::Configure),
    ("bcm-data-exports", "GetExecution", Access::Read),
    ("bcm-data-exports", "GetExport", Access::Read),
    ("bcm-data-exports", "GetTable", Access::Read),
    ("bcm-data-exports", "ListExecutions", Access::Read),
    ("bcm-data-exports", "ListExports", Access::Read),
    ("bcm-data-exports", "ListTables", Access::Read),
    ("bcm-data-exports", "ListTagsForResource", Access::Read),
    ("bcm-data-exports", "TagResource", Access::Configure),
    ("bcm-data-exports", "UntagResource", Access::Configure),
    ("bcm-data-exports", "UpdateExport", Access::Configure),
    ("billing", "AssociateSourceViews", Access::Configure),
    ("billing", "CreateBillingView", Access::Configure),
    ("billing", "DeleteBillingView", Access::Configure),
    ("billing", "DisassociateSourceViews", Access::Configure),
    ("billing", "GetBillingView", Access::CustomerRead),
    ("billing", "GetResourcePolicy", Access::CustomerRead),
    ("billing", "ListBillingViews", Access::CustomerRead),
    ("billing", "ListSourceViewsForBillingView", Access::CustomerRead),
    ("billing", "ListTagsForResource", Access::Read),
    ("billing", "TagResource", Access::Configure),
    ("billing", "UntagResource", Access::Configure),
    ("billing", "UpdateBillingView", Access::Configure),
    ("billingconductor", "AssociateAccounts", Access::Configure),
    ("billingconductor", "AssociatePricingRules", Access::Configure),
    ("billingconductor", "BatchAssociateResourcesToCustomLineItem", Access::Configure),
    ("billingconductor", "BatchDisassociateResourcesFromCustomLineItem", Access::Configure),
    ("billingconductor", "CreateBillingGroup", Access::Configure),
    ("billingconductor", "CreateCustomLineItem", Access::Configure),
    ("billingconductor", "CreatePricingPlan", Access::Configure),
    ("billingconductor", "CreatePricingRule", Access::Configure),
    ("billingconductor", "DeleteBillingGroup", Access::Configure),
    ("billingconductor", "DeleteCustomLineItem", Access::Configure),
    ("billingconductor", "DeletePricingPlan", Access::Configure),
    ("billingconductor", "DeletePricingRule", Access::Configure),
    ("billingconductor", "DisassociateAccounts", Access::Configure),
    ("billingconductor", "DisassociatePricingRules", Access::Configure),
    ("billingconductor", "GetBillingGroupCostReport", Access::CustomerRead),
    ("billingconductor", "GetBillingTransferPreference", Access::Read),
    ("billingconductor", "ListAccountAssociations", Access::CustomerRead),
    ("billingconductor", "ListBillingGroupCostReports", Access::CustomerRead),
    ("billingconductor", "ListBillingGroups", Access::CustomerRead),
    ("billingconductor", "ListCustomLineItemVersions", Access::CustomerRead),
    ("billingconductor", "ListCustomLineItems", Access::CustomerRead),
    ("billingconductor", "ListPricingPlans", Access::Read),
    ("billingconductor", "ListPricingPlansAssociatedWithPricingRule", Access::Read),
    ("billingconductor", "ListPricingRules", Access::Read),
    ("billingconductor", "ListPricingRulesAssociatedToPricingPlan", Access::Read),
    ("billingconductor", "ListResourcesAssociatedToCustomLineItem", Access::Read),
    ("billingconductor", "ListTagsForResource", Access::Read),
    ("billingconductor", "TagResource", Access::Configure),
    ("billingconductor", "UntagResource", Access::Configure),
    ("billingconductor", "UpdateBillingGroup", Access::Configure),
    ("billingconductor", "UpdateBillingTransferPreference", Access::Configure),
    ("billingconductor", "UpdateCustomLineItem", Access::Configure),
    ("billingconductor", "UpdatePricingPlan", Access::Configure),
    ("billingconductor", "UpdatePricingRule", Access::Configure),
    ("budgets", "CreateBudget", Access::Purchase),
    ("budgets", "CreateNotification", Access::Purchase),
    ("budgets", "CreateSubscriber", Access::Purchase),
    ("budgets", "DeleteBudget", Access::Purchase),
    ("budgets", "DeleteNotification", Access::Purchase),
    ("budgets", "DeleteSubscriber", Access::Purchase),
    ("budgets", "DescribeBudget", Access::CustomerRead),
    ("budgets", "DescribeBudgetNotificationsForAccount", Access::CustomerRead),
    ("budgets", "DescribeBudgetPerformanceHistory", Access::CustomerRead),
    ("budgets", "DescribeBudgets", Access::CustomerRead),
    ("budgets", "DescribeNotificationsForBudget", Access::CustomerRead),
    ("budgets", "DescribeSubscribersForNotification", Access::CustomerRead),
    ("budgets", "ListTagsForResource", Access::CustomerRead),
    ("budgets", "TagResource", Access::Purchase),
    ("budgets", "UntagResource", Access::Purchase),
    ("budgets", "UpdateBudget", Access::Purchase),
    ("budgets", "UpdateNotification", Access::Purchase),
    ("budgets", "UpdateSubscriber", Access::Purchase),
    ("ce", "CreateCostCategoryDefinition", Access::Configure),
    ("ce", "DeleteCostCategoryDefinition", Access::Configure),
    ("ce", "DescribeCostCategoryDefinition", Access::Read),
    ("ce", "GetCostAndUsage", Access::CustomerRead),
    ("ce", "GetCostAndUsageComparisons", Access::CustomerRead),
    ("ce", "GetCostAndUsageWithResources", Access::CustomerRead),
    ("ce", "GetCostCategories", Access::CustomerRead),
    ("ce", "GetCostForecast", Access::CustomerRead),
    ("ce", "GetDimensionValues", Access::CustomerRead),
    ("ce", "GetReservationCoverage", Access::Read),
    ("ce", "GetReservationUtilization", Access::Read),
    ("ce", "GetSavingsPlansCoverage", Access::Read),
    ("ce", "GetSavingsPlansUtilization", Access::Read),
    ("ce", "GetSavingsPlansUtilizationDetails", Access::Read),
    ("ce", "GetTags", Access::CustomerRead),
    ("ce", "GetUsageForecast", Access::CustomerRead),
    ("ce", "ListCostAllocationTags", Access::Read),
    ("ce", "ListCostCategoryDefinitions", Access::Read),
    ("ce", "ListCostCategoryResourceAssociations", Access::Read),
    ("ce", "ListTagsForResource", Access::Read),
    ("ce", "TagResource", Access::Configure),
    ("ce", "UntagResource", Access::Configure),
    ("ce", "UpdateCostCategoryDefinition", Access::Configure),
    ("cur", "DeleteReportDefinition", Access::Configure),
    ("cur", "DescribeReportDefinitions", Access::Read),
    ("cur", "ListTagsForResource", Access::Read),
    ("cur", "ModifyReportDefinition", Access::Configure),
    ("cur", "PutReportDefinition", Access::Configure),
    ("cur", "TagResource", Access::Configure),
    ("cur", "UntagResource", Access::Configure),
    ("invoicing", "BatchGetInvoiceProfile", Access::Read),
    ("invoicing", "CreateInvoiceUnit", Access::Configure),
    ("invoicing", "CreateProcurementPortalPreference", Access::Configure),
    ("invoicing", "DeleteInvoiceUnit", Access::Configure),
    ("invoicing", "DeleteProcurementPortalPreference", Access::Configure),
    ("invoicing", "GetInvoicePDF", Access::CustomerRead),
    ("invoicing", "GetInvoiceUnit", Access::Read),
    ("invoicing", "GetProcurementPortalPreference", Access::Read),
    ("invoicing", "ListInvoiceSummaries", Access::Read),
    ("invoicing", "ListInvoiceUnits", Access::Read),
    ("invoicing", "ListProcurementPortalPreferences", Access::Read),
    ("invoicing", "ListProcurementPortalSuppliers", Access::Read),
    ("invoicing", "ListProcurementPortals", Access::Read),
    ("invoicing", "ListTagsForResource", Access::Read),
    ("invoicing", "PutProcurementPortalPreference", Access::Configure),
    ("invoicing", "SendProcurementPortalValidation", Access::Configure),
    ("invoicing", "TagResource", Access::Configure),
    ("invoicing", "UntagResource", Access::Configure),
    ("invoicing", "UpdateInvoiceUnit", Access::Configure),
    ("invoicing", "UpdateProcurementPortalPreferenceStatus", Access::Configure),
    ("invoicing", "VerifyProcurementPortalValidation", Access::Configure),
    ("organizations", "DescribeAccount", Access::CustomerRead),
    ("organizations", "DescribeOrganization", Access::Read),
    ("organizations", "DescribeOrganizationalUnit", Access::Read),
    ("organizations", "DescribeResponsibilityTransfer", Access::Read),
    ("organizations", "ListAccounts", Access::CustomerRead),
    ("organizations", "ListAccountsForParent", Access::Read),
    ("organizations", "ListChildren", Access::Read),
    ("organizations", "ListInboundResponsibilityTransfers", Access::Read),
    ("organizations", "ListOrganizationalUnitsForParent", Access::Read),
    ("organizations", "ListParents", Access::Read),
    ("organizations", "ListRoots", Access::Read),
    ("organizations", "ListTagsForResource", Access::Read),
    ("proforma", "ApplyBook", Access::Configure),
    ("proforma", "ApplyOrganization", Access::Configure),
    ("proforma", "ApplyRematch", Access::Documents),
    ("proforma", "ApproveInvoice", Access::Documents),
    ("proforma", "AttachInvoiceDocument", Access::Documents),
    ("proforma", "CheckNotices", Access::Documents),
    ("proforma", "ClosePeriod", Access::Configure),
    ("proforma", "CreateKey", Access::Administer),
    ("proforma", "CreditInvoice", Access::Documents),
    ("proforma", "DeclareAccounts", Access::Configure),
    ("proforma", "DeleteBillingGroupRule", Access::Configure),
    ("proforma", "DeleteKey", Access::Administer),
    ("proforma", "DeleteSavedReport", Access::Purchase),
    ("proforma", "DiscardInvoiceDraft", Access::Documents),
    ("proforma", "DraftInvoice", Access::Documents),
    ("proforma", "DropMessages", Access::Documents),
    ("proforma", "ErasePersonalData", Access::Administer),
    ("proforma", "ExportBook", Access::Read),
    ("proforma", "ExportPersonalData", Access::Administer),
    ("proforma", "GetCostCategoryAllocation", Access::Read),
    ("proforma", "GetInvoice", Access::CustomerRead),
    ("proforma", "GetInvoiceDocument", Access::CustomerRead),
    ("proforma", "GetInvoiceMatch", Access::CustomerRead),
    ("proforma", "GetInvoiceSettings", Access::Read),
    ("proforma", "GetMatchingSettings", Access::Read),
    ("proforma", "GetOrganizationSync", Access::Read),
    ("proforma", "GetNotificationSettings", Access::Read),
    ("proforma", "GetProcurementPortalCode", Access::Configure),
    ("proforma", "GetPurchaseOrderForecast", Access::CustomerRead),
    ("proforma", "GetRetention", Access::Administer),
    ("proforma", "GetSavedReport", Access::CustomerRead),
    ("proforma", "GetThreeWayMatch", Access::Read),
    ("proforma", "GetWebhookSecret", Access::Administer),
    ("proforma", "ImportCostData", Access::Configure),
    ("proforma", "ImportExchangeRates", Access::Documents),
    ("proforma", "ImportInvoiceSummaries", Access::Documents),
    ("proforma", "ImportInvoices", Access::Documents),
    ("proforma", "ImportPurchaseOrders", Access::Documents),
    ("proforma", "IssueInvoice", Access::Documents),
    ("proforma", "LimitPurchaseOrders", Access::Administer),
    ("proforma", "ListAuditEvents", Access::Administer),
    ("proforma", "ListBillingGroupRules", Access::Read),
    ("proforma", "ListInvoiceDrafts", Access::Read),
    ("proforma", "ListInvoiceMatches", Access::CustomerRead),
    ("proforma", "ListInvoiceProfiles", Access::Read),
    ("proforma", "ListInvoiceSchedules", Access::Read),
    ("proforma", "ListInvoices", Access::CustomerRead),
    ("proforma", "ListKeys", Access::Administer),
    ("proforma", "ListMessages", Access::Read),
    ("proforma", "ListPeriods", Access::Read),
    ("proforma", "ListPurchaseOrderLimits", Access::Administer),
    ("proforma", "ListPurchaseOrderRevisions", Access::CustomerRead),
    ("proforma", "ListRuns", Access::Read),
    ("proforma", "ListSavedReports", Access::CustomerRead),
    ("proforma", "ListSources", Access::Read),
    ("proforma", "MoveInvoice", Access::Documents),
    ("proforma", "PlanBillingGroupRule", Access::Read),
    ("proforma", "PlanBook", Access::Read),
    ("proforma", "PlanOrganization", Access::Read),
    ("proforma", "PlanRematch", Access::Read),
    ("proforma", "PreviewInvoice", Access::Read),
    ("proforma", "PutBillingGroupRule", Access::Configure),
    ("proforma", "PutInvoiceProfile", Access::Documents),
    ("proforma", "PutInvoiceSettings", Access::Documents),
    ("proforma", "PutSavedReport", Access::Purchase),
    ("proforma", "ReconcileInvoices", Access::Read),
    ("proforma", "RecordPayment", Access::Documents),
    ("proforma", "RemoveSource", Access::Configure),
    ("proforma", "RetryMessages", Access::Documents),
    ("proforma", "RunSavedReport", Access::CustomerRead),
    ("proforma", "SendTestNotification", Access::Configure),
    ("proforma", "UpdateInvoiceSchedule", Access::Documents),
    ("proforma", "UpdateKey", Access::Administer),
    ("proforma", "UpdateMatchingSettings", Access::Documents),
    ("proforma", "UpdateNotificationSettings", Access::Documents),
    ("proforma", "UpdateOrganizationSync", Access::Configure),
    ("proforma", "UpdateRetention", Access::Administer),
    ("purchase-orders", "AddPurchaseOrder", Access::Purchase),
    ("purchase-orders", "DeletePurchaseOrder", Access::Purchase),
    ("purchase-orders", "GetPurchaseOrder", Access::CustomerRead),
    ("purchase-orders", "ListPurchaseOrderInvoices", Access::CustomerRead),
    ("purchase-orders", "ListPurchaseOrders", Access::CustomerRead),
    ("purchase-orders", "ListTagsForResource", Access::CustomerRead),
    ("purchase-orders", "TagResource", Access::Purchase),
    ("purchase-orders", "UntagResource", Access::Purchase),
    ("purchase-orders", "UpdatePurchaseOrder", Access::Purchase),
    ("purchase-orders", "UpdatePurchaseOrderStatus", Access::Purchase),
    ("sts", "GetCallerIdentity", Access::Anybody),
];

/// What an operation takes, if it is one.
#[must_use]
pub fn access(service: &str, operation: &str) -> Option<Access> {
    let is_it = |(of, name, _): &&(&str, &str, Access)| *of == service && *name == operation;
    ACTIONS.iter().find(is_it).map(|(.., access)| *access)
}

/// Whether an operation only reads, by its verb.
#[must_use]
pub fn is_read(operation: &str) -> bool {
    ["List", "Get", "Describe", "BatchGet", "Export", "Plan", "Preview", "Reconcile", "RunSaved"]
        .iter()
        .any(|verb| operation.starts_with(verb))
}

/// Whether a role may do what takes this.
#[must_use]
pub const fn allows(role: Role, access: Access) -> bool {
    match access {
        Access::Anybody | Access::CustomerRead => true,
        Access::Read => matches!(role, Role::PayerAdmin | Role::Finance | Role::Analyst),
        Access::Purchase => matches!(role, Role::PayerAdmin | Role::Finance | Role::GroupViewer),
        Access::Documents => matches!(role, Role::PayerAdmin | Role::Finance),
        Access::Configure | Access::Administer => matches!(role, Role::PayerAdmin),
    }
}

impl Caller {
    /// Whether the caller sees the whole payer.
    #[must_use]
    pub const fn sees_payer(&self) -> bool {
        matches!(self.scope, Scope::Payer)
    }

    /// The billing group that a request names by ARN, id or name: of a period, or, without one, of any. For a customer there are none but its own: another's is
    /// answered word for word like one that is not there.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], the reasons of ARNs.
    pub fn billing_group(
        &self,
        configuration: &Configuration,
        text: &str,
        period: Option<BillingPeriod>,
    ) -> Result<BillingGroupId, Refusal> {
        let is_seen = |id: &BillingGroupId| match &self.scope {
            Scope::Payer => true,
            Scope::Groups { groups, .. } => groups.contains(id),
        };
        group_called_among(configuration, is_seen, text, period)
    }

    /// Whether the caller may do an operation at all; on what, its [`Scope`] says.
    #[must_use]
    pub fn may(&self, service: &str, operation: &str) -> bool {
        access(service, operation).is_some_and(|access| allows(self.role, access))
    }
}

#[cfg(test)]
mod tests {
    //! Every operation for every role.

    use super::*;

    #[test]
    fn every_role_may_do_what_the_table_says_and_nothing_else() {
        for (service, operation, access) in ACTIONS {
            let writes = !is_read(operation);
            for (role, name) in Role::ALL {
                let may = allows(role, *access);
                if role == Role::PayerAdmin {
                    assert!(may, "{name} {service}:{operation}");
                } else {
                    let is_own_work = match access {
                        Access::Purchase => matches!(role, Role::Finance | Role::GroupViewer),
                        Access::Documents => role == Role::Finance,
                        _ => false,
                    };
                    assert_eq!(writes && may, is_own_work, "{name} {service}:{operation}");
                    assert!(!(may && operation.contains("Key")), "{name} {operation}");
                }
                if role == Role::GroupViewer && may {
                    let is_for_customers =
                        matches!(access, Access::CustomerRead | Access::Anybody | Access::Purchase);
                    assert!(is_for_customers, "{operation}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_in_the_table_is_nobodys() {
        assert_eq!(access("billingconductor", "DropEverything"), None);
        assert_eq!(access("proforma", "ListBillingGroups"), None);
        let names: BTreeSet<_> = ACTIONS.iter().map(|(service, operation, _)| (service, operation)).collect();
        assert_eq!(names.len(), ACTIONS.len());
        let of_aws = ACTIONS.iter().filter(|(service, ..)| *service == "billingconductor").count();
        assert_eq!(of_aws, 34);
    }
}
