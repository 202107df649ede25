//! A payer's book as plain data: written as TOML or JSON under the names of the book file, read back from JSON, or
//! made up from a seed.

mod sample;
mod text;

#[cfg(test)]
mod tests;

pub use sample::BookOptions;

/// The plan without rules that every book has.
pub const BASIC_PRICING_PLAN: &str = "BasicPricingPlan";

/// A book; decimals are text, as in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleBook {
    /// The management account.
    pub payer_account_id: String,
    /// The currency of flat charges.
    pub currency: String,
    /// Account names: id and name.
    pub accounts: Vec<(String, String)>,
    /// The rules that plans name.
    pub pricing_rules: Vec<PricingRule>,
    /// The plans that groups name.
    pub pricing_plans: Vec<PricingPlan>,
    /// The groups.
    pub billing_groups: Vec<BillingGroup>,
    /// The charges beside the lines.
    pub custom_line_items: Vec<CustomLineItem>,
}

/// A pricing rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricingRule {
    /// The name that plans use.
    pub name: String,
    /// Which lines it selects.
    pub scope: Scope,
    /// What it does to them.
    pub rate: Rate,
}

/// Which lines a rule selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All.
    Global,
    /// Those of a seller.
    BillingEntity(String),
    /// Those of a service code.
    Service(String),
    /// Those of a usage type.
    Sku {
        /// The service code.
        service: String,
        /// The usage type.
        usage_type: String,
        /// The operation; none means any.
        operation: Option<String>,
    },
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rate {
    /// Adds this percentage.
    Markup(String),
    /// Takes off this percentage.
    Discount(String),
    /// Replaces the price by tiers on the group's usage.
    CustomTiers(Vec<CustomTier>),
    /// Switches the free tier.
    FreeTier(bool),
}

/// One tier, `[begin, end)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomTier {
    /// The first quantity.
    pub begin: String,
    /// The quantity after the last; none means unbounded.
    pub end: Option<String>,
    /// The price of one unit.
    pub rate: String,
}

/// A pricing plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricingPlan {
    /// The name that groups use.
    pub name: String,
    /// The names of its rules.
    pub pricing_rules: Vec<String>,
}

/// A billing group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillingGroup {
    /// The name that custom line items use.
    pub name: String,
    /// The account that custom line items fall on.
    pub primary_account_id: String,
    /// All its accounts.
    pub accounts: Vec<String>,
    /// The name of its plan.
    pub pricing_plan: String,
}

/// A custom line item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomLineItem {
    /// The name.
    pub name: String,
    /// The text on the bill.
    pub description: String,
    /// The group that pays.
    pub billing_group: String,
    /// Whether it is a `CREDIT`; else it is a `FEE`.
    pub is_credit: bool,
    /// The amount or how to get at it.
    pub charge: Charge,
    /// Which of the group's lines count; at most one.
    pub filter: Option<Filter>,
    /// The service under which it is shown.
    pub presentation_service: Option<String>,
    /// The first period.
    pub start: String,
    /// The period after the last.
    pub end: Option<String>,
    /// The account that carries it; none means the primary account.
    pub account_id: Option<String>,
}

/// How much a custom line item charges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Charge {
    /// An amount in the book's currency.
    Flat(String),
    /// A percentage of other amounts.
    Percentage {
        /// The percentage.
        value: String,
        /// `billing_group` or names of flat items; none means `billing_group` alone.
        associated_values: Option<Vec<String>>,
        /// Whether each line has its own charge.
        is_itemized: bool,
    },
}

/// Which lines of a group a percentage is taken of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// All but `SavingsPlanNegation`.
    WithoutSavingsPlanNegation,
    /// Those of the service.
    Service(String),
    /// All but those of the service.
    OtherServices(String),
}

impl SampleBook {
    /// Returns the group of an account.
    pub fn group_of(&self, account: &str) -> Option<&BillingGroup> {
        self.billing_groups.iter().find(|group| group.accounts.iter().any(|member| member == account))
    }

    /// Returns the rules of a group's plan.
    pub fn rules_of(&self, group: &BillingGroup) -> Vec<&PricingRule> {
        let plan = self.pricing_plans.iter().find(|plan| plan.name == group.pricing_plan);
        let names = plan.map_or(&[][..], |plan| &plan.pricing_rules);
        let rule = |name: &String| self.pricing_rules.iter().find(|rule| rule.name == *name);
        names.iter().filter_map(rule).collect()
    }
}
