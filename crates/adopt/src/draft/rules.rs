//! Pricing rules and plans.

use super::Adoption;
use crate::set_up::Plan;
use aws_sdk_billingconductor::types::{CustomTier, PricingRuleListElement, PricingRuleType};
use billing::book::{PlanDraft, RuleDraft};
use billing::tiers::Tier;

impl Adoption<'_> {
    pub(super) fn rules(&mut self) -> Vec<RuleDraft> {
        self.set_up.rules.iter().map(|rule| self.rule(rule)).collect()
    }

    fn rule(&mut self, rule: &PricingRuleListElement) -> RuleDraft {
        let name = self.rule_names.known(rule.arn.as_ref());
        let of = format!("pricing rule `{name}`");
        self.description_stays(&of, rule.description.as_ref());
        let modifier = rule.modifier_percentage.map(|it| self.number::<4>(&of, "modifier percentage", it));
        // A rule of tiers has no percentage, or one of 0 that says nothing.
        let is_tiering = rule.r#type == Some(PricingRuleType::Tiering);
        let modifier = modifier.filter(|percentage| !(is_tiering && percentage.is_zero()));
        let tiering = rule.tiering.as_ref();
        let tiers =
            tiering.and_then(|tiering| tiering.custom_tiers.as_ref()).filter(|tiers| !tiers.is_empty());
        let tiers = tiers.map(|tiers| tiers.iter().map(|tier| self.tier(&of, tier)).collect());
        RuleDraft {
            scope: rule.scope.as_ref().map(|scope| scope.as_str().to_owned()).unwrap_or_default(),
            kind: rule.r#type.as_ref().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
            service: given(rule.service.as_ref()),
            usage_type: given(rule.usage_type.as_ref()),
            operation: given(rule.operation.as_ref()),
            billing_entity: given(rule.billing_entity.as_ref()),
            modifier_percentage: modifier,
            free_tier_activated: tiering.and_then(|tiering| Some(tiering.free_tier.as_ref()?.activated)),
            custom_tiers: tiers,
            name,
        }
    }

    fn tier(&mut self, of: &str, tier: &CustomTier) -> Tier {
        Tier {
            begin: self.number(of, "begin of a tier", tier.begin_range_inclusive),
            end: tier.end_range_exclusive.map(|end| self.number(of, "end of a tier", end)),
            rate: self.number(of, "rate of a tier", tier.rate_value),
        }
    }

    pub(super) fn plans(&mut self) -> Vec<PlanDraft> {
        self.set_up.plans.iter().map(|plan| self.plan(plan)).collect()
    }

    fn plan(&mut self, plan: &Plan) -> PlanDraft {
        let name = self.plan_names.known(plan.plan.arn.as_ref());
        let of = format!("pricing plan `{name}`");
        self.description_stays(&of, plan.plan.description.as_ref());
        let mut pricing_rules = Vec::new();
        for arn in &plan.rules {
            match self.rule_names.of(arn) {
                Some(rule) => pricing_rules.push(rule.to_owned()),
                None => self.problem(format!("{of}: its rule `{arn}` is not among the pricing rules")),
            }
        }
        PlanDraft { name, pricing_rules }
    }
}

/// A text that says something.
fn given(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}
