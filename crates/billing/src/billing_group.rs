//! Billing groups: accounts, or lines below accounts, that share a bill.

use crate::account::AccountId;
use crate::dimension::Dimensions;
use crate::line_filter::LineFilter;
use crate::period::BillingPeriod;

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
    /// The days whose usage is the group's.
    pub usage: UsageWindow,
}

impl BillingGroup {
    /// Whether it may have lines of accounts that it does not name.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.auto_associate || !self.lines.is_empty()
    }

    /// Whether lines are told apart by the days that it has.
    #[must_use]
    pub fn days_are_told(&self, by: &Dimensions) -> bool {
        let of_all = by.cut_accounts.is_empty();
        self.usage.cuts().all(|cut| by.cuts.contains(&cut))
            && (of_all
                || !self.is_open() && self.accounts.iter().all(|account| by.cut_accounts.contains(account)))
    }
}

/// The days whose usage a group has: all of a month, but where its primary account joins or leaves the organization within it.
///
/// Source: AWS Billing Conductor user guide, "Best practices": the date on which the primary account joined the organization is the earliest one whose
/// usage the whole group is shown, and the one on which it left the last, for accounts that were there all month as well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsageWindow {
    /// The first day, since 1970-01-01; `None` where there is no first one.
    pub from: Option<i32>,
    /// The last day; `None` where there is no last one.
    pub through: Option<i32>,
}

impl UsageWindow {
    /// Whether it has every day.
    #[must_use]
    pub const fn is_all(self) -> bool {
        self.from.is_none() && self.through.is_none()
    }

    /// The days on which it begins, and is over.
    pub fn cuts(self) -> impl Iterator<Item = i32> {
        self.from.into_iter().chain(self.over())
    }

    /// The first day that it has no more.
    fn over(self) -> Option<i32> {
        self.through.map(|day| day.saturating_add(1))
    }

    /// Whether it has the days of a part of a month; `None` is the part before every cut. Parts are cut at its own days at least, so that it has all
    /// days of one or none.
    #[must_use]
    pub fn has_part(self, begins: Option<i32>) -> bool {
        // Nothing begins before everything.
        self.from.is_none_or(|from| begins >= Some(from))
            && self.over().is_none_or(|over| begins < Some(over))
    }

    /// What of it matters to a month.
    #[must_use]
    pub fn within(self, period: BillingPeriod) -> Self {
        Self {
            from: self.from.filter(|day| period.first_day() < *day),
            through: self.through.filter(|day| *day < period.last_day()),
        }
    }
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
