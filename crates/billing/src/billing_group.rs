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
    /// The account that carries custom line items by default: a member, unless the group has `lines`; of a billing transfer its source.
    pub primary_account: AccountId,
    /// The members, the primary account among them; none need be where the group has `lines`, or is only a parent of others, whose accounts
    /// have the primary one among them. Those of a billing transfer are in the group only while it is in force
    /// ([`Book::group_by_account`](crate::book::Book::group_by_account)).
    pub accounts: Vec<AccountId>,
    /// The billing transfer that makes the group a `TRANSFER_BILLING` group, by number in the book.
    pub transfer: Option<usize>,
    /// Lines that are the group's, whoever has the account: those that pass any of the filters.
    pub lines: Vec<LineFilter>,
    /// Its pricing plan.
    pub pricing_plan: Plan,
    /// Whether accounts that no group names join this one.
    pub auto_associate: bool,
    /// The number in the book of the group that is written to be above it; no group is above itself. What is above the group of a billing
    /// transfer may follow from that, and depends on the period: [`Hierarchy::of`](crate::hierarchy::Hierarchy::of) has both.
    pub parent: Option<usize>,
}

/// The pricing plan of a billing group: one that AWS manages, or one of the book's.
///
/// Source: AWS Billing Conductor user guide, "Pricing plans".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// `BasicPricingPlan`: public prices, no rules.
    Basic,
    /// `Passthrough`: what the level above is invoiced, no rules. For groups of a billing transfer only.
    Passthrough,
    /// A plan of the book, by number there.
    Own(usize),
}

impl Plan {
    /// The number of the plan in the book; none of one that AWS manages.
    #[must_use]
    pub const fn own(self) -> Option<usize> {
        match self {
            Self::Own(number) => Some(number),
            Self::Basic | Self::Passthrough => None,
        }
    }
}
