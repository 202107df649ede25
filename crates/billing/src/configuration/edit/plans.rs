//! Pricing plans, and which rules they hold. The plans that AWS manages are nobody's to edit.

use super::Touched;
use super::catalogue::{
    PeriodRange, all_spans, check_tags, field_failed, first_with, most_at_once, name_taken, not_found, own_id,
};
use super::rules::lines_of;
use crate::book::{BASIC_PRICING_PLAN, PASSTHROUGH_PLAN};
use crate::configuration::{
    ConflictReason, Edit, PlanOf, PlanSettings, PricingPlanId, PricingRuleId, Quota, Refusal, ResourceName,
    ResourceType, ValidationReason, arn,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

const KIND: ResourceType = ResourceType::PricingPlan;
/// How many rules one call may name.
const RULES_PER_CALL_MAX: usize = 30;

/// What `CreatePricingPlan` says.
#[derive(Debug, Clone, Default)]
pub struct NewPlan {
    /// Unique among the plans of a period.
    pub name: String,
    /// Free text for the operator.
    pub description: Option<String>,
    /// The ARNs or ids of its rules.
    pub rules: Vec<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// What `UpdatePricingPlan` says; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct PlanChange {
    /// Unique among the plans of a period.
    pub name: Option<String>,
    /// Free text for the operator.
    pub description: Option<String>,
}

impl Edit<'_> {
    /// Creates a pricing plan, from the period of the write on.
    ///
    /// # Errors
    /// Those of [`associate_pricing_rules`](Self::associate_pricing_rules), a name that is taken, [`Quota::PricingPlans`].
    pub fn create_pricing_plan(&mut self, new: NewPlan) -> Result<PricingPlanId, Refusal> {
        check_tags(&BTreeMap::new(), &new.tags)?;
        let range = self.here_on();
        let rules: BTreeSet<_> = self.named_rules(&new.rules)?.into_iter().collect();
        self.rules_last(&rules, range)?;
        self.plan_name_is_free(&new.name, range, None)?;
        self.rules_agree(rules.iter(), range)?;
        if most_at_once(range, all_spans(&self.next.plans)) >= Quota::PricingPlans.limit().1 {
            return Err(Refusal::limit(Quota::PricingPlans, None));
        }
        self.rules_have_room(&rules, range)?;
        let (id, mut resource) = self.made(PricingPlanId::parse, |of| &of.plans, new.tags);
        let settings = PlanSettings { name: new.name, description: new.description, rules };
        resource.versions.set_from(range.start, settings, self.moment.now);
        self.next.plans.put(id.clone(), resource);
        self.touched.insert(Touched::Plan(id.clone()));
        Ok(id)
    }

    /// Renames a pricing plan or describes it anew, from the period of the write on.
    ///
    /// # Errors
    /// [`Refusal::Denied`] for a plan that AWS manages, [`Refusal::NotFound`], a name that is taken.
    pub fn update_pricing_plan(&mut self, arn: &str, change: PlanChange) -> Result<PricingPlanId, Refusal> {
        let (id, before, range) = self.plan_here(arn)?;
        if let Some(name) = change.name.as_ref().filter(|name| **name != before.name) {
            self.plan_name_is_free(name, range, Some(&id))?;
        }
        let after = PlanSettings {
            name: change.name.unwrap_or(before.name),
            description: change.description.or(before.description),
            rules: before.rules,
        };
        self.put_plan(&id, range, &after);
        Ok(id)
    }

    /// Deletes a pricing plan: there is none from the period of the write on.
    ///
    /// # Errors
    /// [`Refusal::Denied`] for a plan that AWS manages, [`ValidationReason::MissingPricingplan`], and conflicts with groups that have it and
    /// preferences that name it.
    pub fn delete_pricing_plan(&mut self, arn: &str) -> Result<PricingPlanId, Refusal> {
        let id = match self.plan_here(arn) {
            Ok((id, ..)) => id,
            Err(Refusal::NotFound { .. }) => {
                let message = format!("there is no pricing plan `{arn}` in {}", self.moment.period);
                return Err(Refusal::invalid(ValidationReason::MissingPricingplan, message));
            }
            Err(refusal) => return Err(refusal),
        };
        let range = self.here_on();
        let own = PlanOf::Own(id.clone());
        if let Some(group) = first_with(&self.next.groups, range, None, |group| group.pricing_plan == own) {
            return Err(Refusal::conflict(
                ConflictReason::PricingPlanAttachedToBillingGroupDeleteConflict,
                &self.next.payer,
                (KIND, id.as_str()),
                format!("billing group `{group}` has pricing plan `{id}`; give it another plan first"),
            ));
        }
        let names_it = |(transfer, preference): (&'_ String, _)| {
            let preference: &crate::configuration::Preference = preference;
            (preference.pricing_plan.as_ref() == Some(&own)).then(|| transfer.clone())
        };
        if let Some(transfer) = self.next.preferences.iter().find_map(names_it) {
            return Err(Refusal::conflict(
                ConflictReason::PricingPlanReferencedByPreferenceDeleteConflict,
                &self.next.payer,
                (KIND, id.as_str()),
                format!(
                    "the preference of billing transfer `{transfer}` names pricing plan `{id}`; change it first"
                ),
            ));
        }
        let now = self.moment.now;
        self.next.plans.change(&id, |resource| {
            resource.versions.end_at(range.start);
            resource.modified_at = now;
        });
        self.touched.insert(Touched::Plan(id.clone()));
        Ok(id)
    }

    /// Puts rules into a plan, all or none, from the period of the write on.
    ///
    /// # Errors
    /// [`Refusal::Denied`] for a plan that AWS manages, [`Refusal::NotFound`], the reasons of `PRICINGRULES`, two rules for the same lines,
    /// [`Quota::RulesPerPricingPlan`] and [`Quota::PlansPerPricingRule`].
    pub fn associate_pricing_rules(&mut self, arn: &str, rules: &[String]) -> Result<PricingPlanId, Refusal> {
        let (id, mut plan, range) = self.plan_here(arn)?;
        let added: BTreeSet<_> = self.named_rules(rules)?.into_iter().collect();
        self.rules_last(&added, range)?;
        if let Some(rule) = added.iter().find(|rule| plan.rules.contains(rule)) {
            let message = format!("pricing rule `{rule}` is already in pricing plan `{id}`");
            return Err(Refusal::invalid(ValidationReason::PricingrulesAlreadyAssociated, message));
        }
        self.rules_agree(plan.rules.iter().chain(&added), range)?;
        plan.rules.extend(added.iter().cloned());
        if plan.rules.len() > Quota::RulesPerPricingPlan.limit().1 {
            return Err(Refusal::limit(Quota::RulesPerPricingPlan, Some((KIND, id.to_string()))));
        }
        self.rules_have_room(&added, range)?;
        self.put_plan(&id, range, &plan);
        Ok(id)
    }

    /// Takes rules out of a plan, all or none, from the period of the write on.
    ///
    /// # Errors
    /// [`Refusal::Denied`] for a plan that AWS manages, [`Refusal::NotFound`], the reasons of `PRICINGRULES`.
    pub fn disassociate_pricing_rules(
        &mut self,
        arn: &str,
        rules: &[String],
    ) -> Result<PricingPlanId, Refusal> {
        let (id, mut plan, range) = self.plan_here(arn)?;
        let removed = self.named_rules(rules)?;
        if let Some(rule) = removed.iter().find(|rule| self.next.rules.get(rule).is_none()) {
            return Err(no_rule(rule, range));
        }
        if let Some(rule) = removed.iter().find(|rule| !plan.rules.contains(rule)) {
            let message = format!("pricing rule `{rule}` is not in pricing plan `{id}`");
            return Err(Refusal::invalid(ValidationReason::PricingrulesNotAssociated, message));
        }
        plan.rules.retain(|rule| !removed.contains(rule));
        self.put_plan(&id, range, &plan);
        Ok(id)
    }

    /// A plan of the payer's to write to: its id, its version of the period, and until when that holds.
    fn plan_here(&self, arn: &str) -> Result<(PricingPlanId, PlanSettings, PeriodRange), Refusal> {
        if managed_plan(arn).is_some() {
            return Err(Refusal::Denied(format!(
                "pricing plan `{arn}` is managed by AWS and cannot be changed; create one of your own"
            )));
        }
        let id = PricingPlanId::parse(&own_id(&self.next, KIND, arn)?);
        let start = self.moment.period;
        let versions = id.as_ref().and_then(|id| self.next.plans.get(id)).map(|plan| &plan.versions);
        let span = versions.and_then(|versions| versions.span_at(start));
        let (Some(id), Some(span)) = (id, span) else { return Err(not_found(KIND, arn)) };
        Ok((id, span.value.clone(), PeriodRange { start, end: span.to }))
    }

    fn put_plan(&mut self, id: &PricingPlanId, range: PeriodRange, settings: &PlanSettings) {
        let now = self.moment.now;
        self.next.plans.change(id, |resource| {
            resource.versions.change(range.start, range.end, now, |_| Some(settings.clone()));
            resource.modified_at = now;
        });
        self.touched.insert(Touched::Plan(id.clone()));
    }

    fn plan_name_is_free(
        &self,
        name: &str,
        range: PeriodRange,
        but: Option<&PricingPlanId>,
    ) -> Result<(), Refusal> {
        if name == BASIC_PRICING_PLAN || name == PASSTHROUGH_PLAN {
            return Err(Refusal::Conflict {
                reason: ConflictReason::ResourceNameConflict,
                kind: KIND,
                id: arn("aws", KIND, name),
                message: format!("`{name}` is the name of a plan that AWS manages; choose another name"),
            });
        }
        match first_with(&self.next.plans, range, but, |plan| plan.name == name) {
            Some(other) => Err(name_taken(&self.next, (KIND, other.as_str()), name)),
            None => Ok(()),
        }
    }

    /// The rules that a call names, each once.
    fn named_rules(&self, rules: &[String]) -> Result<Vec<PricingRuleId>, Refusal> {
        if rules.len() > RULES_PER_CALL_MAX {
            let message = format!("one call names at most {RULES_PER_CALL_MAX} rules, not {}", rules.len());
            return Err(field_failed("PricingRuleArns", message));
        }
        let mut named = Vec::with_capacity(rules.len());
        for text in rules {
            let Some(id) = self.rule_of(text)? else { return Err(no_rule(text, self.here_on())) };
            if named.contains(&id) {
                let message = format!("pricing rule `{text}` is named twice");
                return Err(Refusal::invalid(ValidationReason::DuplicatePricingruleArns, message));
            }
            named.push(id);
        }
        Ok(named)
    }

    /// Whether rules are there in every period of a range.
    fn rules_last(&self, rules: &BTreeSet<PricingRuleId>, range: PeriodRange) -> Result<(), Refusal> {
        let lasts = |rule: &&PricingRuleId| {
            let rule = self.next.rules.get(rule);
            rule.is_some_and(|rule| range.lasts(rule.versions.holds_until(range.start, |_| true)))
        };
        rules.iter().find(|rule| !lasts(rule)).map_or(Ok(()), |rule| Err(no_rule(rule, range)))
    }

    /// Whether no two rules of a plan decide the same of the same lines in a period. The first of the two is in the way.
    fn rules_agree<'r>(
        &'r self,
        rules: impl Iterator<Item = &'r PricingRuleId>,
        range: PeriodRange,
    ) -> Result<(), Refusal> {
        let mut seen: HashMap<_, Vec<(PeriodRange, &PricingRuleId)>> = HashMap::new();
        for rule in rules {
            let versions = self.next.rules.get(rule).map(|rule| rule.versions.spans());
            for span in versions.into_iter().flatten() {
                let Some(range) = range.and(PeriodRange::of(span)) else { continue };
                let same = seen.entry(lines_of(&span.value)).or_default();
                let other = same.iter().find(|(other, id)| *id != rule && other.and(range).is_some());
                if let Some((_, other)) = other {
                    return Err(Refusal::conflict(
                        ConflictReason::PricingRuleInPricingPlanConflict,
                        &self.next.payer,
                        (ResourceType::PricingRule, other.as_str()),
                        format!("rules `{other}` and `{rule}` price the same lines; a plan has one of them"),
                    ));
                }
                same.push((range, rule));
            }
        }
        Ok(())
    }

    /// Whether rules may be in one more plan.
    fn rules_have_room(&self, rules: &BTreeSet<PricingRuleId>, range: PeriodRange) -> Result<(), Refusal> {
        for rule in rules {
            let holding = all_spans(&self.next.plans).filter(|plan| plan.value.rules.contains(rule));
            if most_at_once(range, holding) >= Quota::PlansPerPricingRule.limit().1 {
                let resource = (ResourceType::PricingRule, rule.to_string());
                return Err(Refusal::limit(Quota::PlansPerPricingRule, Some(resource)));
            }
        }
        Ok(())
    }
}

/// The plan that AWS manages and an ARN or an id names.
pub(in crate::configuration) fn managed_plan(text: &str) -> Option<PlanOf> {
    let ResourceName { owner, id } = ResourceName::parse(text)?;
    if owner.is_some_and(|(account, kind)| account != "aws" || kind != KIND) {
        return None;
    }
    match id.as_str() {
        BASIC_PRICING_PLAN => Some(PlanOf::Basic),
        PASSTHROUGH_PLAN => Some(PlanOf::Passthrough),
        _ => None,
    }
}

fn no_rule(rule: impl std::fmt::Display, range: PeriodRange) -> Refusal {
    let message = format!("there is no pricing rule `{rule}` in {} and later", range.start);
    Refusal::invalid(ValidationReason::PricingrulesNotExist, message)
}
