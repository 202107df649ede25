//! Custom line items: fees and credits that the operator adds to a group's bill.

use crate::account::AccountId;
use crate::money::{Amount, Cost, Currency, Percentage};
use crate::period::BillingPeriod;

/// The product that a custom line item stands under unless it names a presentation service.
pub const PRODUCT: &str = "AWSBillingConductor";
/// That product's name.
pub const PRODUCT_NAME: &str = "AWS Billing Conductor";

/// A fee or credit of one billing group.
///
/// Source: AWS Billing Conductor user guide, "Creating custom line items".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomLineItem {
    /// Unique among the items of a book.
    pub name: String,
    /// What the customer reads beside the charge.
    pub description: String,
    /// The number of its billing group in the book.
    pub billing_group: usize,
    /// Whether it adds or takes away.
    pub kind: Kind,
    /// How much.
    pub charge: Charge,
    /// The currency of a flat charge where it is not the book's.
    pub currency: Option<Currency>,
    /// The member that carries the charge; ignored by itemized items.
    pub account: AccountId,
    /// The service it is shown under.
    pub presentation_service: Option<String>,
    /// The first period.
    pub start: BillingPeriod,
    /// The first period no more charged; `None` recurs.
    pub end: Option<BillingPeriod>,
    /// The earlier period that it corrects, where it is what came late to a month that was closed: tax is that of then.
    pub corrects: Option<BillingPeriod>,
    /// The policy of the book that has made it from the month; of items that the book lists, none.
    pub origin: Option<Origin>,
}

/// A policy that makes custom line items, by number in the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// What the payer's commitments have saved, pro rata.
    Sharing,
    /// A shared cost.
    Allocation(usize),
    /// A support fee.
    SupportFee(usize),
    /// What is missing of a payer commitment.
    PayerCommitment(usize),
    /// What is missing to a minimum.
    Minimum(usize),
}

/// Whether an item adds to the bill or takes away from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Adds.
    Fee,
    /// Takes away.
    Credit,
}

/// How an item's charge comes about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Charge {
    /// A fixed amount, in full for every period.
    Flat(Cost),
    /// What a policy of the book has made of the month, in a currency of the month.
    Computed(Computed),
    /// A percentage of other charges.
    Percentage(PercentageCharge),
}

/// A charge that a policy has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computed {
    /// How much.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// How it comes about, for the operator: it may say what AWS charges.
    pub arithmetic: String,
}

/// A percentage of a group's priced lines and flat items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PercentageCharge {
    /// The percentage.
    pub percentage: Percentage,
    /// Whether the group's own priced lines are in the base.
    pub of_billing_group: bool,
    /// The numbers of the flat items in the base.
    pub of_items: Vec<usize>,
    /// What narrows the group's lines.
    pub filter: Option<Filter>,
    /// Whether each class gets a charge of its own.
    pub itemized: bool,
}

/// A line item filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// `LINE_ITEM_TYPE NOT_EQUAL SAVINGS_PLAN_NEGATION`: leaves the Savings Plans discount out of the base.
    WithoutSavingsPlanNegation,
    /// `SERVICE EQUAL`: only this service.
    OnlyService(String),
    /// `SERVICE NOT_EQUAL`: all but this service.
    WithoutService(String),
}

impl CustomLineItem {
    /// Whether the item is charged in a period: `[start, end)`.
    #[must_use]
    pub fn is_active(&self, period: BillingPeriod) -> bool {
        self.start <= period && self.end.is_none_or(|end| period < end)
    }
}
