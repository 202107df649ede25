//! Pricing rules and plans of a book.

use super::{Changes, Reach, Said, by_name, say};
use crate::configuration::{Edit, PlanSettings, PricingPlanId, PricingRuleId, RuleSettings, Touched};
use crate::pricing::{PricingPlan, PricingRule};
use std::collections::HashSet;

impl Edit<'_> {
    /// The ids of the book's rules, in its order.
    pub(super) fn rules_of_book(
        &mut self,
        rules: &[PricingRule],
        reach: Reach,
    ) -> (Vec<PricingRuleId>, Changes) {
        let known = by_name(&self.next.rules, reach, |rule| &rule.name);
        let (mut ids, mut changes) = (Vec::with_capacity(rules.len()), Changes::default());
        for rule in rules {
            let same = known.get(&rule.name).filter(|(_, settings)| settings.scope == rule.scope);
            let id = match same {
                Some((id, _)) => id.clone(),
                None => {
                    let id = self.fresh_id(PricingRuleId::parse, |of, id| of.rules.get(id).is_some());
                    let blank = self.blank();
                    self.next.rules.put(id.clone(), blank);
                    id
                }
            };
            let settings = RuleSettings {
                name: rule.name.clone(),
                // A book has no words for it.
                description: same.and_then(|(_, settings)| settings.description.clone()),
                scope: rule.scope.clone(),
                pricing: rule.pricing.clone(),
            };
            let said = say(&mut self.next.rules, &id, Some(settings), reach);
            self.note_rule(&id, &rule.name, said, &mut changes);
            ids.push(id);
        }
        let kept: HashSet<&PricingRuleId> = ids.iter().collect();
        let gone: Vec<(PricingRuleId, String)> = (self.next.rules.in_period(reach.from))
            .filter(|(id, ..)| !kept.contains(id))
            .map(|(id, _, rule)| (id.clone(), rule.name.clone()))
            .collect();
        for (id, name) in gone {
            let said = say(&mut self.next.rules, &id, None, reach);
            self.note_rule(&id, &name, said, &mut changes);
        }
        (ids, changes)
    }

    fn note_rule(&mut self, id: &PricingRuleId, name: &str, said: Said, changes: &mut Changes) {
        changes.add(name, said);
        if said != Said::Nothing {
            self.touched.insert(Touched::Rule(id.clone()));
        }
    }

    /// The ids of the book's plans, in its order.
    pub(super) fn plans_of_book(
        &mut self,
        plans: &[PricingPlan],
        rules: &[PricingRuleId],
        reach: Reach,
    ) -> (Vec<PricingPlanId>, Changes) {
        let known = by_name(&self.next.plans, reach, |plan| &plan.name);
        let (mut ids, mut changes) = (Vec::with_capacity(plans.len()), Changes::default());
        for plan in plans {
            let same = known.get(&plan.name);
            let id = match same {
                Some((id, _)) => id.clone(),
                None => {
                    let id = self.fresh_id(PricingPlanId::parse, |of, id| of.plans.get(id).is_some());
                    let blank = self.blank();
                    self.next.plans.put(id.clone(), blank);
                    id
                }
            };
            let settings = PlanSettings {
                name: plan.name.clone(),
                description: same.and_then(|(_, settings)| settings.description.clone()),
                rules: plan.rules.iter().map(|rule| rules[*rule].clone()).collect(),
            };
            let said = say(&mut self.next.plans, &id, Some(settings), reach);
            self.note_plan(&id, &plan.name, said, &mut changes);
            ids.push(id);
        }
        let kept: HashSet<&PricingPlanId> = ids.iter().collect();
        let gone: Vec<(PricingPlanId, String)> = (self.next.plans.in_period(reach.from))
            .filter(|(id, ..)| !kept.contains(id))
            .map(|(id, _, plan)| (id.clone(), plan.name.clone()))
            .collect();
        for (id, name) in gone {
            let said = say(&mut self.next.plans, &id, None, reach);
            self.note_plan(&id, &name, said, &mut changes);
        }
        (ids, changes)
    }

    fn note_plan(&mut self, id: &PricingPlanId, name: &str, said: Said, changes: &mut Changes) {
        changes.add(name, said);
        if said != Said::Nothing {
            self.touched.insert(Touched::Plan(id.clone()));
        }
    }
}
