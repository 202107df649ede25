//! Policies: what becomes of credits, shared costs, support, commitments to AWS and minimum fees. None of it is AWS's; `docs/policies.md` has
//! the rules in words.
//!
//! This is what a book says; [`crate::fate`] says which line has which policy, and [`crate::derived_items`] what they charge.

use crate::account::AccountId;
use crate::line_filter::LineFilter;
use crate::money::{Cost, Percentage, Quantity};
use crate::period::BillingPeriod;

/// All policies of a book.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policies {
    /// What becomes of credits, refunds, discounts, tax and support.
    pub distributions: Vec<Distribution>,
    /// Shared costs.
    pub allocations: Vec<CostAllocation>,
    /// Support fees by tiers.
    pub support_fees: Vec<SupportFee>,
    /// What the payer has promised AWS to spend, and who stands for it.
    pub payer_commitments: Vec<PayerCommitment>,
    /// Minimum fees.
    pub minimums: Vec<Minimum>,
}

impl Policies {
    /// Every filter, of the policies in force in a period if one is given, with what it belongs to in words: ``distribution `x` ``.
    pub fn filters(&self, period: Option<BillingPeriod>) -> impl Iterator<Item = (String, &LineFilter)> {
        let counts = move |(_, in_force, _): &(String, InForce, &LineFilter)| {
            period.is_none_or(|period| in_force.contains(period))
        };
        self.with_periods().filter(counts).map(|(name, _, filter)| (name, filter))
    }

    fn with_periods(&self) -> impl Iterator<Item = (String, InForce, &LineFilter)> {
        let distributions = self.distributions.iter().flat_map(|of| {
            let name = format!("distribution `{}`", of.name);
            of.lines.iter().map(move |filter| (name.clone(), of.in_force, filter))
        });
        let allocations = self.allocations.iter().flat_map(|of| {
            let weighed = match &of.method {
                Method::ProportionalToCost(_, lines) | Method::ProportionalToUsage(lines) => lines.as_slice(),
                Method::Even | Method::Fixed(_) | Method::Weights(_) => &[],
            };
            let name = format!("allocation `{}`", of.name);
            of.source.iter().chain(weighed).map(move |filter| (name.clone(), of.in_force, filter))
        });
        let commitments = self.payer_commitments.iter().flat_map(|of| {
            let name = format!("payer commitment `{}`", of.name);
            of.spend.iter().map(move |filter| (name.clone(), of.in_force, filter))
        });
        distributions.chain(allocations).chain(commitments)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The periods in which a policy counts: `[start, end)`, open where there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InForce {
    /// The first period.
    pub start: Option<BillingPeriod>,
    /// The first period in which it counts no more.
    pub end: Option<BillingPeriod>,
}

impl InForce {
    /// Whether the policy counts in a period.
    #[must_use]
    pub fn contains(&self, period: BillingPeriod) -> bool {
        self.start.is_none_or(|start| start <= period) && self.end.is_none_or(|end| period < end)
    }

    /// Whether the two count in a period that is the same.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        let before = |end: Option<BillingPeriod>, start: Option<BillingPeriod>| matches!((end, start), (Some(end), Some(start)) if end <= start);
        !before(self.end, other.start) && !before(other.end, self.start)
    }
}

/// What becomes of lines that AWS leaves out of pro forma bills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// Unique among distributions.
    pub name: String,
    /// The lines, by line item type and more.
    pub lines: Vec<LineFilter>,
    /// What becomes of them.
    pub treatment: Distributed,
    /// When.
    pub in_force: InForce,
}

/// What becomes of the lines of a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distributed {
    /// They are on no bill, as AWS has it.
    Drop,
    /// Who has them on the real bill has them on the pro forma bill.
    Keep,
    /// They are source of an allocation, by number in the book.
    Allocate(usize),
}

/// A shared cost and who bears it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CostAllocation {
    /// Unique among allocations; the name of its charges.
    pub name: String,
    /// What customers read beside the charges; the name, if absent.
    pub description: Option<String>,
    /// Allocations of lower steps are made first, and may feed this one.
    pub step: u32,
    /// The lines that are allocated.
    pub source: Vec<LineFilter>,
    /// Whether the payer's own usage is source.
    pub payer_usage: bool,
    /// Whether what nobody has used of commitments is source.
    pub unused_commitments: bool,
    /// What a line of the source amounts to.
    pub cost: SourceCost,
    /// Who bears it.
    pub targets: Targets,
    /// In which proportions.
    pub method: Method,
    /// What happens where there is nothing to weigh by.
    pub empty_base: EmptyBase,
    /// Whether every product of the source is a charge of its own.
    pub itemized: bool,
    /// The service that its charges are shown under.
    pub presentation_service: Option<String>,
    /// When.
    pub in_force: InForce,
}

/// What a line of a source amounts to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SourceCost {
    /// Its AWS cost: net unblended.
    #[default]
    Aws,
    /// Its public On-Demand cost, its AWS cost where it has none.
    Public,
}

/// Whom a source may go to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets {
    /// The targets that are named; none: every billing group with lines of its own.
    pub named: Vec<Target>,
    /// Billing groups that are none, by number.
    pub except_groups: Vec<usize>,
    /// Accounts that are none.
    pub except_accounts: Vec<AccountId>,
    /// Whether the accounts of billing groups stand in their place.
    pub by_account: bool,
}

/// One who has a part of a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A billing group, by number in the book.
    Group(usize),
    /// An account, on the bill of its group.
    Account(AccountId),
    /// Another allocation, by number, of a later step.
    Allocation(usize),
    /// The payer: nobody is charged.
    Payer,
}

/// How a source is divided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// Alike.
    Even,
    /// By what own lines cost, as far as filters pass them.
    ProportionalToCost(CostMeasure, Vec<LineFilter>),
    /// By own usage that filters pass, in one unit.
    ProportionalToUsage(Vec<LineFilter>),
    /// By percentages that sum to 100; they name the targets.
    Fixed(Vec<(Target, Percentage)>),
    /// By measurements of a file.
    Weights(WeightFile),
}

/// What is weighed, or stands as spend.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CostMeasure {
    /// The pro forma bill before custom line items.
    #[default]
    ProForma,
    /// AWS cost: net unblended.
    Aws,
    /// Unblended.
    Unblended,
    /// Public On-Demand cost, unblended where there is none.
    Public,
}

/// A file of measurements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightFile {
    /// As the book names it.
    pub name: String,
    /// Its rows.
    pub rows: Vec<Weight>,
}

impl WeightFile {
    /// The rows that count in a period.
    pub fn rows_of(&self, period: BillingPeriod) -> impl Iterator<Item = &Weight> {
        self.rows.iter().filter(move |row| row.period.is_none_or(|of| of == period))
    }
}

/// A measurement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weight {
    /// Its line in the file, from 1, for messages.
    pub line: u64,
    /// The month it is of; every month if absent.
    pub period: Option<BillingPeriod>,
    /// Of whom, or why that is nobody: wrong only in its own month.
    pub target: Result<Target, String>,
    /// How much; not below 0 in its own month.
    pub weight: Quantity,
}

/// What happens to a source that nothing says how to divide.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EmptyBase {
    /// The payer keeps it, and the margin guard says so.
    #[default]
    Payer,
    /// All targets have the same part.
    Even,
    /// The month is not priced.
    Fail,
}

/// A support plan's fee, worked out from a billing group's own spend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportFee {
    /// Unique among support fees; the name of its charges.
    pub name: String,
    /// What customers read beside the charges.
    pub description: Option<String>,
    /// The groups that pay it, by number; none: every group with lines of its own.
    pub groups: Vec<usize>,
    /// The spend; [`CostMeasure::ProForma`] or [`CostMeasure::Aws`].
    pub of: CostMeasure,
    /// The tiers of the spend, ascending; the last has no end.
    pub tiers: Vec<SupportTier>,
    /// The least it comes to, in the book's currency.
    pub minimum: Cost,
    /// The service that it is shown under.
    pub presentation_service: Option<String>,
    /// When.
    pub in_force: InForce,
}

/// A tier of a support fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SupportTier {
    /// Where it ends; `None`: nowhere.
    pub up_to: Option<Cost>,
    /// The fee, in percent of the spend in the tier.
    pub percentage: Percentage,
}

/// What the payer has promised AWS to spend in a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayerCommitment {
    /// Unique among payer commitments; the name of its charges.
    pub name: String,
    /// How much, in the book's currency.
    pub amount: Cost,
    /// What counts as spend; not [`CostMeasure::ProForma`].
    pub of: CostMeasure,
    /// Which lines count; none: all but tax, support, credits and refunds.
    pub spend: Vec<LineFilter>,
    /// Who stands for which part, by number of the group; the rest is the payer's.
    pub shares: Vec<(usize, Percentage)>,
    /// Whether what is missing in all is shared; else every group pays what it is short of.
    pub shared: bool,
    /// The service that its charges are shown under.
    pub presentation_service: Option<String>,
    /// When.
    pub in_force: InForce,
}

/// What a billing group pays at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minimum {
    /// Unique among minimums; the name of its charge.
    pub name: String,
    /// What the customer reads beside the charge.
    pub description: Option<String>,
    /// The group, by number.
    pub group: usize,
    /// An amount, in the book's currency.
    pub amount: Option<Cost>,
    /// A percentage of what its lines cost.
    pub percentage: Option<Percentage>,
    /// Of that; [`CostMeasure::Aws`] or [`CostMeasure::Public`].
    pub of: CostMeasure,
    /// The service that it is shown under.
    pub presentation_service: Option<String>,
    /// When.
    pub in_force: InForce,
}
