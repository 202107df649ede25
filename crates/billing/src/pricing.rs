//! Pricing rules and plans, and which rule prices a class.
//!
//! Exactly one rule prices a line: the most specific scope wins and percentages never compound (AWS Billing
//! Conductor user guide, "Understanding pricing rules"). The order of rules in a plan has no meaning.

use crate::charge_class::{TextId, TextMap, Texts};
use crate::money::{Factor, Percentage};
use crate::tiers::{CUSTOM_TIERS_MAX, Tier, TierMistake, Tiers};

/// A rule that a pricing plan may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricingRule {
    /// Unique among the rules of a book.
    pub name: String,
    /// Which lines it prices.
    pub scope: Scope,
    /// How it prices them.
    pub pricing: Pricing,
}

/// Which lines a rule prices; from the widest to the most specific.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Every line.
    Global,
    /// One seller, by `bill_billing_entity`.
    BillingEntity(String),
    /// One service, by `product_servicecode`, or the product code where that is empty.
    Service(String),
    /// One usage type of a service, and one operation where it names one.
    Sku {
        /// The service code.
        service: String,
        /// The usage type.
        usage_type: String,
        /// `None` is any.
        operation: Option<String>,
    },
}

impl Scope {
    /// The API's name of the scope.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Global => "GLOBAL",
            Self::BillingEntity(_) => "BILLING_ENTITY",
            Self::Service(_) => "SERVICE",
            Self::Sku { .. } => "SKU",
        }
    }
}

/// How a rule prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pricing {
    /// Adds a percentage.
    Markup(Percentage),
    /// Takes a percentage away; at most 100.
    Discount(Percentage),
    /// Replaces the rate by own tiers on the group's own usage.
    CustomTiers(CustomTiers),
    /// Whether always-free usage stays free, as it does without a rule; switched off, it is priced at the first paid tier.
    FreeTier {
        /// Whether it stays free.
        activated: bool,
    },
}

impl Pricing {
    /// What the rule multiplies a base by; `None` for rules that are no percentage.
    #[must_use]
    pub fn factor(&self) -> Option<Factor> {
        let percent = match self {
            Self::Markup(percentage) => percentage.units(),
            Self::Discount(percentage) => -percentage.units(),
            Self::CustomTiers(_) | Self::FreeTier { .. } => return None,
        };
        // A percentage has four decimals and a factor six: p/100 has the same units.
        Factor::ONE.plus(Factor::from_units(percent).ok()?).ok()
    }
}

/// One to ten tiers that a rule has in place of a price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomTiers(Tiers);

impl CustomTiers {
    /// Checks the tiers, their number first.
    ///
    /// # Errors
    /// The first [`TierMistake`].
    pub fn new(tiers: Vec<Tier>) -> Result<Self, TierMistake> {
        if tiers.is_empty() || tiers.len() > CUSTOM_TIERS_MAX {
            return Err(TierMistake::Count(tiers.len()));
        }
        Tiers::new(tiers).map(Self)
    }

    /// The tiers.
    #[must_use]
    pub const fn tiers(&self) -> &Tiers {
        &self.0
    }
}

/// A pricing plan: the rules of the groups that use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricingPlan {
    /// Unique among the plans of a book.
    pub name: String,
    /// Numbers of rules in the book.
    pub rules: Vec<usize>,
}

/// What a class offers for a rule to match.
#[derive(Debug, Clone, Copy)]
pub struct Selector {
    /// The service code, or the product code where that is empty.
    pub service: TextId,
    /// The usage type.
    pub usage_type: TextId,
    /// The operation.
    pub operation: TextId,
    /// The seller.
    pub billing_entity: TextId,
    /// Whether custom tiers may price the class: only On-Demand usage.
    pub takes_tiers: bool,
}

/// A plan's rules by what they match, over the texts of one cube. The values are numbers of rules in the book.
#[derive(Debug, Default)]
pub struct RuleIndex {
    sku_operation: TextMap<(TextId, TextId, TextId), Candidate>,
    sku: TextMap<(TextId, TextId), Candidate>,
    service: TextMap<TextId, Candidate>,
    billing_entity: TextMap<TextId, Candidate>,
    global: Option<Candidate>,
    /// Free-tier rules by service, and that of all services.
    free_tier: TextMap<TextId, usize>,
    free_tier_of_all: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    rule: usize,
    is_tiers: bool,
}

impl RuleIndex {
    /// The rules of a plan. Rules that name a text which the cube does not have can match nothing and are left out.
    #[must_use]
    pub fn new(plan: &PricingPlan, rules: &[PricingRule], texts: &Texts) -> Self {
        let mut index = Self::default();
        for &number in &plan.rules {
            let rule = &rules[number];
            match (&rule.pricing, &rule.scope) {
                (Pricing::FreeTier { .. }, Scope::Service(service)) => {
                    index.free_tier.extend(texts.find(service).map(|service| (service, number)));
                }
                (Pricing::FreeTier { .. }, _) => index.free_tier_of_all = Some(number),
                _ => drop(index.insert(rule, number, texts)),
            }
        }
        index
    }

    fn insert(&mut self, rule: &PricingRule, number: usize, texts: &Texts) -> Option<()> {
        let candidate = Candidate { rule: number, is_tiers: matches!(rule.pricing, Pricing::CustomTiers(_)) };
        match &rule.scope {
            Scope::Global => self.global = Some(candidate),
            Scope::BillingEntity(entity) => drop(self.billing_entity.insert(texts.find(entity)?, candidate)),
            Scope::Service(service) => drop(self.service.insert(texts.find(service)?, candidate)),
            Scope::Sku { service, usage_type, operation: None } => {
                self.sku.insert((texts.find(service)?, texts.find(usage_type)?), candidate);
            }
            Scope::Sku { service, usage_type, operation: Some(operation) } => {
                let key = (texts.find(service)?, texts.find(usage_type)?, texts.find(operation)?);
                self.sku_operation.insert(key, candidate);
            }
        }
        Some(())
    }

    /// The rule that says whether a service's always-free usage stays free: one of the service before one of all.
    #[must_use]
    pub fn free_tier(&self, service: TextId) -> Option<usize> {
        self.free_tier.get(&service).copied().or(self.free_tier_of_all)
    }

    /// The rule that prices a class: the most specific scope that matches.
    #[must_use]
    pub fn resolve(&self, class: Selector) -> Option<usize> {
        let Selector { service, usage_type, operation, billing_entity, takes_tiers } = class;
        [
            self.sku_operation.get(&(service, usage_type, operation)),
            self.sku.get(&(service, usage_type)),
            self.service.get(&service),
            self.billing_entity.get(&billing_entity),
            self.global.as_ref(),
        ]
        .into_iter()
        .flatten()
        .find(|candidate| takes_tiers || !candidate.is_tiers)
        .map(|candidate| candidate.rule)
    }
}

#[cfg(test)]
mod tests {
    //! Tiers that cover all usage, and their prices.

    use super::*;
    use crate::money::Quantity;

    fn tier(begin: &str, end: Option<&str>, rate: &str) -> Tier {
        let number = |text: &str| Quantity::parse(text).unwrap();
        Tier { begin: number(begin), end: end.map(number), rate: number(rate) }
    }

    #[test]
    fn tiers_cover_all_usage_exactly_once() {
        let refused = |tiers: &[Tier]| CustomTiers::new(tiers.to_vec()).unwrap_err().to_string();
        assert!(refused(&[]).contains("this one has 0"));
        assert!(refused(&[tier("1", None, "1")]).contains("begins at 0"));
        assert!(refused(&[tier("0", Some("5"), "1"), tier("6", None, "1")]).contains("tiers must touch"));
        assert!(
            refused(&[tier("0", Some("5"), "1"), tier("5", Some("5"), "1"), tier("5", None, "1")])
                .contains("tier 2")
        );
        assert!(refused(&[tier("0", None, "1"), tier("0", None, "1")]).contains("no end"));
        assert!(refused(&[tier("0", Some("5"), "1")]).contains("last tier"));
        assert!(refused(&[tier("0", None, "-1")]).contains("negative"));
    }

    #[test]
    fn a_pool_fills_its_tiers_in_order() {
        let tiers =
            CustomTiers::new(vec![tier("0", Some("100"), "0.04"), tier("100", None, "0.03")]).unwrap();
        for (quantity, expected) in
            [("250", "8.5"), ("100", "4"), ("0", "0"), ("-10", "-0.4"), ("100.0000000001", "4.000000000003")]
        {
            assert_eq!(
                tiers.tiers().price(Quantity::parse(quantity).unwrap()).unwrap().to_string(),
                expected
            );
        }
    }
}
