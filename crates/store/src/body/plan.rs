//! Pricing plans and rules.

use super::{Body, number, parsed, shape, text};
use billing::configuration::{PlanSettings, PricingRuleId, RuleSettings};
use billing::money::{Percentage, Quantity, Rate};
use billing::pricing::{CustomTiers, Pricing, Scope};
use billing::tiers::Tier;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    rules: Vec<String>,
}

impl Body for PlanSettings {
    fn write(&self) -> String {
        text(&Plan {
            name: self.name.clone(),
            description: self.description.clone(),
            rules: self.rules.iter().map(|rule| rule.as_str().to_owned()).collect(),
        })
    }

    fn read(text: &str) -> Result<Self, String> {
        let Plan { name, description, rules } = shape(text)?;
        let rules = rules.iter().map(|id| parsed("pricing rule", id, PricingRuleId::parse(id)));
        Ok(Self { name, description, rules: rules.collect::<Result<_, _>>()? })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    scope: ScopeShape,
    pricing: PricingShape,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum ScopeShape {
    Global,
    BillingEntity(String),
    Service(String),
    Sku {
        service: String,
        usage_type: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        operation: Option<String>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum PricingShape {
    Markup(String),
    Discount(String),
    CustomTiers(Vec<TierShape>),
    FreeTier { activated: bool },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TierShape {
    begin: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<String>,
    rate: String,
}

impl Body for RuleSettings {
    fn write(&self) -> String {
        let scope = match self.scope.clone() {
            Scope::Global => ScopeShape::Global,
            Scope::BillingEntity(entity) => ScopeShape::BillingEntity(entity),
            Scope::Service(service) => ScopeShape::Service(service),
            Scope::Sku { service, usage_type, operation } => {
                ScopeShape::Sku { service, usage_type, operation }
            }
        };
        let pricing = match &self.pricing {
            Pricing::Markup(percentage) => PricingShape::Markup(percentage.to_string()),
            Pricing::Discount(percentage) => PricingShape::Discount(percentage.to_string()),
            Pricing::CustomTiers(tiers) => {
                PricingShape::CustomTiers(tiers.tiers().all().iter().map(tier_shape).collect())
            }
            Pricing::FreeTier { activated } => PricingShape::FreeTier { activated: *activated },
        };
        text(&Rule { name: self.name.clone(), description: self.description.clone(), scope, pricing })
    }

    fn read(text: &str) -> Result<Self, String> {
        let Rule { name, description, scope, pricing } = shape(text)?;
        let scope = match scope {
            ScopeShape::Global => Scope::Global,
            ScopeShape::BillingEntity(entity) => Scope::BillingEntity(entity),
            ScopeShape::Service(service) => Scope::Service(service),
            ScopeShape::Sku { service, usage_type, operation } => {
                Scope::Sku { service, usage_type, operation }
            }
        };
        let percentage = |text: String| number(&text, Percentage::parse(&text));
        let pricing = match pricing {
            PricingShape::Markup(text) => Pricing::Markup(percentage(text)?),
            PricingShape::Discount(text) => Pricing::Discount(percentage(text)?),
            PricingShape::CustomTiers(tiers) => {
                let tiers = tiers.iter().map(tier).collect::<Result<_, _>>()?;
                Pricing::CustomTiers(CustomTiers::new(tiers).map_err(|mistake| mistake.to_string())?)
            }
            PricingShape::FreeTier { activated } => Pricing::FreeTier { activated },
        };
        Ok(Self { name, description, scope, pricing })
    }
}

fn tier_shape(tier: &Tier) -> TierShape {
    TierShape {
        begin: tier.begin.to_string(),
        end: tier.end.map(|end| end.to_string()),
        rate: tier.rate.to_string(),
    }
}

fn tier(shape: &TierShape) -> Result<Tier, String> {
    let quantity = |text: &String| number(text, Quantity::parse(text));
    Ok(Tier {
        begin: quantity(&shape.begin)?,
        end: shape.end.as_ref().map(quantity).transpose()?,
        rate: number(&shape.rate, Rate::parse(&shape.rate))?,
    })
}
