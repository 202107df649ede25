//! Billing groups: accounts, or lines below accounts, that share a bill.

use crate::account::AccountId;
use crate::line_filter::LineFilter;

/// A set of accounts of one payer that is billed together.
///
/// Source: AWS Billing Conductor user guide, "Creating billing groups". An account is in at most one group in a
/// period; the primary account is a member and is never the payer. Groups below the account, which have lines by their tags, cost
/// categories or resources, are beyond AWS: `docs/billing-groups.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillingGroup {
    /// Unique among the groups of a book.
    pub name: String,
    /// Free text for the operator.
    pub description: Option<String>,
    /// The account that carries custom line items by default: a member, unless the group has `lines`.
    pub primary_account: AccountId,
    /// The members, the primary account among them; none need be where the group has `lines`, or is only a parent of others, whose accounts
    /// have the primary one among them.
    pub accounts: Vec<AccountId>,
    /// Lines that are the group's, whoever has the account: those that pass any of the filters.
    pub lines: Vec<LineFilter>,
    /// The number of its pricing plan in the book; `None` for the managed plan `BasicPricingPlan`, which has no rules.
    pub pricing_plan: Option<usize>,
    /// Whether accounts that no group names join this one.
    pub auto_associate: bool,
    /// The number of the group above it in the book; `None` at the top. No group is above itself.
    pub parent: Option<usize>,
}
