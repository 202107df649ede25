//! Pricing rules and the plans that hold them.

use super::{ByName, Check, Entry, unknown};
use crate::book::{BASIC_PRICING_PLAN, RuleDraft};
use crate::money::Percentage;
use crate::pricing::{CustomTiers, Pricing, PricingPlan, PricingRule, Scope};
use std::collections::HashMap;

impl Check<'_> {
    pub(super) fn rules(&mut self) -> Vec<Option<PricingRule>> {
        let draft = self.draft;
        let rule = |(number, rule)| self.rule(Entry { table: "pricing_rules", number }, rule);
        draft.pricing_rules.iter().enumerate().map(rule).collect()
    }

    fn rule(&mut self, entry: Entry, rule: &RuleDraft) -> Option<PricingRule> {
        let scope = self.scope(entry, rule);
        let pricing = self.pricing(entry, rule);
        let name = rule.name.clone();
        Some(PricingRule { name, scope: scope?, pricing: pricing? })
    }

    fn scope(&mut self, entry: Entry, rule: &RuleDraft) -> Option<Scope> {
        let RuleDraft { service, usage_type, operation, billing_entity, .. } = rule;
        let fields = [
            ("service", service, matches!(&*rule.scope, "SERVICE" | "SKU")),
            ("usage_type", usage_type, rule.scope == "SKU"),
            ("operation", operation, rule.scope == "SKU"),
            ("billing_entity", billing_entity, rule.scope == "BILLING_ENTITY"),
        ];
        if !matches!(&*rule.scope, "GLOBAL" | "SERVICE" | "BILLING_ENTITY" | "SKU") {
            let message =
                format!("`{}` is not a scope; use GLOBAL, SERVICE, BILLING_ENTITY or SKU", rule.scope);
            return self.mistake(entry.field("scope"), message);
        }
        let mut sound = true;
        for (field, value, belongs) in fields {
            if value.is_some() && !belongs {
                let message = format!("a rule of scope {} has no `{field}`; remove it", rule.scope);
                self.mistake::<()>(entry.field(field), message);
                sound = false;
            } else if belongs && value.as_deref().is_none_or(str::is_empty) && field != "operation" {
                let message = format!("a rule of scope {} needs `{field}`", rule.scope);
                self.mistake::<()>(entry.field(field), message);
                sound = false;
            }
        }
        if !sound {
            return None;
        }
        Some(match &*rule.scope {
            "GLOBAL" => Scope::Global,
            "SERVICE" => Scope::Service(service.clone()?),
            "BILLING_ENTITY" => Scope::BillingEntity(billing_entity.clone()?),
            _ => {
                let (service, usage_type) = (service.clone()?, usage_type.clone()?);
                Scope::Sku {
                    service,
                    usage_type,
                    operation: operation.clone().filter(|text| !text.is_empty()),
                }
            }
        })
    }

    fn pricing(&mut self, entry: Entry, rule: &RuleDraft) -> Option<Pricing> {
        match &*rule.kind {
            "MARKUP" | "DISCOUNT" => self.percentage_pricing(entry, rule),
            "TIERING" => self.tiering(entry, rule),
            other => {
                let message = format!("`{other}` is not a rule type; use MARKUP, DISCOUNT or TIERING");
                self.mistake(entry.field("type"), message)
            }
        }
    }

    fn percentage_pricing(&mut self, entry: Entry, rule: &RuleDraft) -> Option<Pricing> {
        for (field, given) in [
            ("custom_tiers", rule.custom_tiers.is_some()),
            ("free_tier_activated", rule.free_tier_activated.is_some()),
        ] {
            if given {
                let message = format!("a {} rule has no `{field}`; it needs type TIERING", rule.kind);
                return self.mistake(entry.field(field), message);
            }
        }
        let Some(percentage) = rule.modifier_percentage else {
            let message = format!("a {} rule needs `modifier_percentage`", rule.kind);
            return self.mistake(entry.field("modifier_percentage"), message);
        };
        let place = entry.field("modifier_percentage");
        if percentage < Percentage::ZERO {
            let message = format!(
                "`{percentage}` is negative; the type says the sign: MARKUP adds, DISCOUNT takes away"
            );
            return self.mistake(place, message);
        }
        if rule.kind == "MARKUP" {
            return Some(Pricing::Markup(percentage));
        }
        if percentage.units() > 100 * Percentage::ONE.units() {
            return self
                .mistake(place, format!("a discount of {percentage} % is more than all; at most 100"));
        }
        Some(Pricing::Discount(percentage))
    }

    fn tiering(&mut self, entry: Entry, rule: &RuleDraft) -> Option<Pricing> {
        if rule.modifier_percentage.is_some() {
            let message = "a TIERING rule has no `modifier_percentage`; use type MARKUP or DISCOUNT";
            return self.mistake(entry.field("modifier_percentage"), message);
        }
        match (&rule.custom_tiers, rule.free_tier_activated) {
            (Some(_), Some(_)) | (None, None) => {
                let message = "a TIERING rule has either `custom_tiers` or `free_tier_activated`";
                self.mistake(entry.field("type"), message)
            }
            (Some(_), None) if rule.scope != "SKU" => {
                self.mistake(entry.field("custom_tiers"), "custom tiers need scope SKU")
            }
            (Some(tiers), None) => match CustomTiers::new(tiers.clone()) {
                Ok(tiers) => Some(Pricing::CustomTiers(tiers)),
                Err(mistake) => self.mistake(entry.field("custom_tiers"), mistake.to_string()),
            },
            (None, Some(_)) if !matches!(&*rule.scope, "GLOBAL" | "SERVICE") => self.mistake(
                entry.field("free_tier_activated"),
                "a free-tier rule needs scope GLOBAL or SERVICE",
            ),
            (None, Some(activated)) => Some(Pricing::FreeTier { activated }),
        }
    }

    pub(super) fn plans(&mut self, rules: &ByName<'_>, checked: &[Option<PricingRule>]) -> Vec<PricingPlan> {
        let draft = self.draft;
        let mut plans = Vec::new();
        for (number, plan) in draft.pricing_plans.iter().enumerate() {
            let entry = Entry { table: "pricing_plans", number };
            if plan.name == BASIC_PRICING_PLAN || plan.name == "Passthrough" {
                let message =
                    format!("`{}` is the name of a plan that AWS manages; choose another", plan.name);
                self.mistake::<()>(entry.field("name"), message);
            }
            let mut numbers = Vec::new();
            for (element, name) in plan.pricing_rules.iter().enumerate() {
                let place = entry.element("pricing_rules", element);
                match rules.get(name.as_str()) {
                    None => self.mistake(place, unknown("pricing rule", name, rules)).unwrap_or_default(),
                    Some(rule) if numbers.contains(rule) => {
                        self.mistake(place, format!("rule `{name}` is listed twice")).unwrap_or_default()
                    }
                    Some(rule) => numbers.push(*rule),
                }
            }
            self.one_rule_per_selector(entry, &numbers, checked);
            plans.push(PricingPlan { name: plan.name.clone(), rules: numbers });
        }
        plans
    }

    /// Two rules of one plan that would price the same lines: nothing says which one wins.
    fn one_rule_per_selector(&mut self, entry: Entry, rules: &[usize], checked: &[Option<PricingRule>]) {
        let mut seen: HashMap<(&Scope, bool), &str> = HashMap::new();
        for rule in rules.iter().filter_map(|number| checked[*number].as_ref()) {
            let of_rates = !matches!(rule.pricing, Pricing::FreeTier { .. });
            if let Some(first) = seen.insert((&rule.scope, of_rates), &rule.name) {
                let message = format!(
                    "rules `{first}` and `{}` both price {} {}; a plan has one rule per selector",
                    rule.name,
                    rule.scope.name(),
                    selector_text(&rule.scope),
                );
                self.mistake::<()>(entry.field("pricing_rules"), message);
            }
        }
    }
}

/// What a scope selects, as a person would say it.
fn selector_text(scope: &Scope) -> String {
    match scope {
        Scope::Global => "everything".to_owned(),
        Scope::BillingEntity(name) | Scope::Service(name) => format!("`{name}`"),
        Scope::Sku { service, usage_type, operation } => {
            format!("`{service}` `{usage_type}` `{}`", operation.as_deref().unwrap_or("any operation"))
        }
    }
}
