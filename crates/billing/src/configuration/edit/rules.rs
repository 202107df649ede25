//! Pricing rules: what a rule may say, and where it stands in the way.
//!
//! Source: AWS Billing Conductor user guide, "Creating pricing rules"; API reference, `CreatePricingRule` and `UpdatePricingRule`. What only a
//! price list knows is not asked: which services, usage types and operations there are (so `INVALID_SKU_COMBO` is never raised), how many
//! tiers a SKU has, and what twice its rate is.

use super::Touched;
use super::catalogue::{
    PeriodRange, all_spans, check_tags, first_with, most_at_once, name_taken, not_found, own_id,
};
use super::numbers::{exact, modifier_percentage};
use crate::configuration::{
    ConflictReason, Edit, PricingRuleId, Quota, Refusal, ResourceType, RuleSettings, ValidationReason,
};
use crate::money::{Percentage, Quantity};
use crate::pricing::{CustomTiers, Pricing, Scope};
use crate::tiers::Tier;
use std::collections::BTreeMap;

const KIND: ResourceType = ResourceType::PricingRule;

/// A `PricingRuleScope`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeName {
    /// `GLOBAL`
    Global,
    /// `SERVICE`
    Service,
    /// `BILLING_ENTITY`
    BillingEntity,
    /// `SKU`
    Sku,
}

/// A `PricingRuleType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleType {
    /// `MARKUP`
    Markup,
    /// `DISCOUNT`
    Discount,
    /// `TIERING`: a free-tier switch, or custom tiers.
    Tiering,
}

impl RuleType {
    /// The API's name of it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Markup => "MARKUP",
            Self::Discount => "DISCOUNT",
            Self::Tiering => "TIERING",
        }
    }

    /// The type of a rule that prices so.
    #[must_use]
    pub const fn of(pricing: &Pricing) -> Self {
        match pricing {
            Pricing::Markup(_) => Self::Markup,
            Pricing::Discount(_) => Self::Discount,
            Pricing::CustomTiers(_) | Pricing::FreeTier { .. } => Self::Tiering,
        }
    }
}

/// A `CreateTieringInput`: one of the two.
#[derive(Debug, Clone, Default)]
pub struct Tiering {
    /// `FreeTier.Activated`
    pub free_tier: Option<bool>,
    /// `CustomTiers`
    pub custom_tiers: Option<Vec<TierText>>,
}

/// A `CustomTier`, in the digits of the client.
#[derive(Debug, Clone)]
pub struct TierText {
    /// `BeginRangeInclusive`; without it the tier begins where the one before ends.
    pub begin: Option<String>,
    /// `EndRangeExclusive`
    pub end: Option<String>,
    /// `RateValue`
    pub rate: String,
}

/// What `CreatePricingRule` says.
#[derive(Debug, Clone)]
pub struct NewRule {
    /// Unique among the rules of a period.
    pub name: String,
    /// Free text for the operator.
    pub description: Option<String>,
    /// How much it selects.
    pub scope: ScopeName,
    /// How it prices.
    pub kind: RuleType,
    /// The digits of the percentage.
    pub modifier_percentage: Option<String>,
    /// The service code, of `SERVICE` and `SKU`.
    pub service: Option<String>,
    /// The seller, of `BILLING_ENTITY`.
    pub billing_entity: Option<String>,
    /// The usage type, of `SKU`.
    pub usage_type: Option<String>,
    /// The operation, of `SKU` where it names one.
    pub operation: Option<String>,
    /// Of `TIERING`.
    pub tiering: Option<Tiering>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// What `UpdatePricingRule` says; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct RuleChange {
    /// Unique among the rules of a period.
    pub name: Option<String>,
    /// Free text for the operator.
    pub description: Option<String>,
    /// How it prices.
    pub kind: Option<RuleType>,
    /// The digits of the percentage.
    pub modifier_percentage: Option<String>,
    /// Of `TIERING`.
    pub tiering: Option<Tiering>,
}

impl Edit<'_> {
    /// Creates a pricing rule, from the period of the write on.
    ///
    /// # Errors
    /// The `ILLEGAL_` reasons of rules, a name that is taken, [`Quota::PricingRules`].
    pub fn create_pricing_rule(&mut self, new: NewRule) -> Result<PricingRuleId, Refusal> {
        check_tags(&BTreeMap::new(), &new.tags)?;
        let scope = scope(&new)?;
        let pricing =
            pricing(&scope, new.kind, new.modifier_percentage.as_deref(), new.tiering.as_ref(), None)?;
        let range = self.here_on();
        self.rule_name_is_free(&new.name, range, None)?;
        if most_at_once(range, all_spans(&self.next.rules)) >= Quota::PricingRules.limit().1 {
            return Err(Refusal::limit(Quota::PricingRules, None));
        }
        let (id, mut resource) = self.made(PricingRuleId::parse, |of| &of.rules, new.tags);
        let settings = RuleSettings { name: new.name, description: new.description, scope, pricing };
        resource.versions.set_from(range.start, settings, self.moment.now);
        self.next.rules.put(id.clone(), resource);
        self.touched.insert(Touched::Rule(id.clone()));
        Ok(id)
    }

    /// Changes a pricing rule, and so every plan that holds it, from the period of the write on.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], the `ILLEGAL_` reasons of rules, a name that is taken, and
    /// [`ConflictReason::PricingRuleInPricingPlanConflict`] where a plan would have two rules for the same lines.
    pub fn update_pricing_rule(&mut self, arn: &str, change: RuleChange) -> Result<PricingRuleId, Refusal> {
        let id = self.rule_of(arn)?;
        let period = self.moment.period;
        let resource = id.as_ref().and_then(|id| self.next.rules.get(id));
        let (Some(id), Some(span)) = (id.as_ref(), resource.and_then(|it| it.versions.span_at(period)))
        else {
            return Err(not_found(KIND, arn));
        };
        let before = &span.value;
        let range = PeriodRange { start: period, end: span.to };
        let RuleChange { name, description, kind, modifier_percentage, tiering } = change;
        let pricing = pricing(
            &before.scope,
            kind.unwrap_or_else(|| RuleType::of(&before.pricing)),
            modifier_percentage.as_deref(),
            tiering.as_ref(),
            Some(&before.pricing),
        )?;
        let after = RuleSettings {
            name: name.unwrap_or_else(|| before.name.clone()),
            description: description.or_else(|| before.description.clone()),
            scope: before.scope.clone(),
            pricing,
        };
        if after.name != before.name {
            self.rule_name_is_free(&after.name, range, Some(id))?;
        }
        if is_free_tier(&after) != is_free_tier(before) {
            self.stands_alone_in_plans(id, &after, range)?;
        }
        let now = self.moment.now;
        self.next.rules.change(id, |resource| {
            resource.versions.change(range.start, range.end, now, |_| Some(after.clone()));
            resource.modified_at = now;
        });
        self.touched.insert(Touched::Rule(id.clone()));
        Ok(id.clone())
    }

    /// Deletes a pricing rule: there is none from the period of the write on.
    ///
    /// # Errors
    /// [`ValidationReason::PricingrulesNotExist`], [`ConflictReason::PricingRuleAttachedToPricingPlanDeleteConflict`].
    pub fn delete_pricing_rule(&mut self, arn: &str) -> Result<PricingRuleId, Refusal> {
        let range = self.here_on();
        let id = self.rule_of(arn)?.filter(|id| self.next.rules.at(id, range.start).is_some());
        let Some(id) = id else {
            let message = format!("there is no pricing rule `{arn}` in {}", range.start);
            return Err(Refusal::invalid(ValidationReason::PricingrulesNotExist, message));
        };
        if let Some(plan) = first_with(&self.next.plans, range, None, |plan| plan.rules.contains(&id)) {
            return Err(Refusal::conflict(
                ConflictReason::PricingRuleAttachedToPricingPlanDeleteConflict,
                &self.next.payer,
                (KIND, id.as_str()),
                format!("pricing rule `{id}` is in pricing plan `{plan}`; disassociate it there first"),
            ));
        }
        let now = self.moment.now;
        self.next.rules.change(&id, |resource| {
            resource.versions.end_at(range.start);
            resource.modified_at = now;
        });
        self.touched.insert(Touched::Rule(id.clone()));
        Ok(id)
    }

    /// The id of the payer's rule that an ARN or an id names; `None` where nothing can have it.
    pub(super) fn rule_of(&self, arn: &str) -> Result<Option<PricingRuleId>, Refusal> {
        Ok(PricingRuleId::parse(&own_id(&self.next, KIND, arn)?))
    }

    fn rule_name_is_free(
        &self,
        name: &str,
        range: PeriodRange,
        but: Option<&PricingRuleId>,
    ) -> Result<(), Refusal> {
        match first_with(&self.next.rules, range, but, |rule| rule.name == name) {
            Some(other) => Err(name_taken(&self.next, (KIND, other.as_str()), name)),
            None => Ok(()),
        }
    }

    /// Whether no plan that holds a rule in a range holds another one that prices the same lines as it will.
    fn stands_alone_in_plans(
        &self,
        id: &PricingRuleId,
        after: &RuleSettings,
        range: PeriodRange,
    ) -> Result<(), Refusal> {
        for (plan, resource) in self.next.plans.iter() {
            for held in resource.versions.spans().iter().filter(|span| span.value.rules.contains(id)) {
                let Some(range) = range.and(PeriodRange::of(held)) else { continue };
                let clashes = |other: &&PricingRuleId| {
                    let versions = self.next.rules.get(other).map(|other| other.versions.spans());
                    let same = |rule: &RuleSettings| lines_of(rule) == lines_of(after);
                    *other != id
                        && versions.into_iter().flatten().any(|span| same(&span.value) && range.meets(span))
                };
                if let Some(other) = held.value.rules.iter().find(clashes) {
                    return Err(Refusal::conflict(
                        ConflictReason::PricingRuleInPricingPlanConflict,
                        &self.next.payer,
                        (KIND, other.as_str()),
                        format!(
                            "pricing plan `{plan}` holds rule `{other}`, which prices the same lines; disassociate one of \
                             the two first"
                        ),
                    ));
                }
            }
        }
        Ok(())
    }
}

/// What a rule decides, and of which lines: a plan has one rule for each.
pub(super) const fn lines_of(rule: &RuleSettings) -> (&Scope, bool) {
    (&rule.scope, is_free_tier(rule))
}

const fn is_free_tier(rule: &RuleSettings) -> bool {
    matches!(rule.pricing, Pricing::FreeTier { .. })
}

/// The scope, whose members are all there and no others.
fn scope(new: &NewRule) -> Result<Scope, Refusal> {
    let NewRule { scope, service, billing_entity, usage_type, operation, .. } = new;
    let of_service = matches!(scope, ScopeName::Service | ScopeName::Sku);
    let refused = |reason, message: &str| Err(Refusal::invalid(reason, message));
    if service.is_some() && !of_service {
        return refused(ValidationReason::IllegalScope, "only scopes SERVICE and SKU have a `Service`");
    }
    if billing_entity.is_some() && *scope != ScopeName::BillingEntity {
        let message = "only scope BILLING_ENTITY has a `BillingEntity`";
        return refused(ValidationReason::IllegalBillingEntity, message);
    }
    if usage_type.is_some() && *scope != ScopeName::Sku {
        return refused(ValidationReason::IllegalUsageType, "only scope SKU has a `UsageType`");
    }
    if operation.is_some() && *scope != ScopeName::Sku {
        return refused(ValidationReason::IllegalOperation, "only scope SKU has an `Operation`");
    }
    let service = service.clone().filter(|text| !text.is_empty());
    if of_service && service.is_none() {
        return refused(ValidationReason::IllegalService, "scopes SERVICE and SKU need a `Service`");
    }
    let service = service.unwrap_or_default();
    match scope {
        ScopeName::Global => Ok(Scope::Global),
        ScopeName::Service => Ok(Scope::Service(service)),
        ScopeName::BillingEntity => match billing_entity.clone().filter(|text| !text.is_empty()) {
            Some(entity) => Ok(Scope::BillingEntity(entity)),
            None => refused(
                ValidationReason::IllegalBillingEntity,
                "scope BILLING_ENTITY needs a `BillingEntity`",
            ),
        },
        ScopeName::Sku => match usage_type.clone().filter(|text| !text.is_empty()) {
            Some(usage_type) => {
                let operation = operation.clone().filter(|text| !text.is_empty());
                Ok(Scope::Sku { service, usage_type, operation })
            }
            None => refused(ValidationReason::IllegalUsageType, "scope SKU needs a `UsageType`"),
        },
    }
}

/// How a rule prices that is given a type, a percentage and a tiering, of which an update may leave out what stays.
fn pricing(
    scope: &Scope,
    kind: RuleType,
    percentage: Option<&str>,
    tiering: Option<&Tiering>,
    before: Option<&Pricing>,
) -> Result<Pricing, Refusal> {
    if kind == RuleType::Tiering && matches!(scope, Scope::BillingEntity(_)) {
        let message = "a rule of scope BILLING_ENTITY has type MARKUP or DISCOUNT, not TIERING";
        return Err(Refusal::invalid(ValidationReason::IllegalType, message));
    }
    let was_tiering = before.map(|before| RuleType::of(before) == RuleType::Tiering);
    let turns = was_tiering.is_some_and(|was| was != (kind == RuleType::Tiering));
    let has_body = if kind == RuleType::Tiering { tiering.is_some() } else { percentage.is_some() };
    if turns && !has_body {
        let body = if kind == RuleType::Tiering { "`Tiering`" } else { "`ModifierPercentage`" };
        let message = format!("a rule that becomes a {} rule needs {body}", kind.name());
        return Err(Refusal::invalid(ValidationReason::IllegalType, message));
    }
    match kind {
        RuleType::Tiering => {
            if percentage.is_some() {
                let message = "a TIERING rule has no `ModifierPercentage`";
                return Err(Refusal::invalid(ValidationReason::IllegalModifierPercentage, message));
            }
            match (tiering, before) {
                (None, Some(before)) => Ok(before.clone()),
                (tiering, _) => read_tiering(scope, tiering),
            }
        }
        RuleType::Markup | RuleType::Discount => {
            if tiering.is_some() {
                let message = format!("a {} rule has no `Tiering`; use type TIERING", kind.name());
                return Err(Refusal::invalid(ValidationReason::IllegalTieringInput, message));
            }
            let before = before.and_then(|before| match before {
                Pricing::Markup(percentage) | Pricing::Discount(percentage) => Some(*percentage),
                Pricing::CustomTiers(_) | Pricing::FreeTier { .. } => None,
            });
            read_percentage(kind, percentage.map(modifier_percentage).transpose()?.or(before))
        }
    }
}

fn read_percentage(kind: RuleType, percentage: Option<Percentage>) -> Result<Pricing, Refusal> {
    let refused = |message| Err(Refusal::invalid(ValidationReason::IllegalModifierPercentage, message));
    match (percentage, kind) {
        (None, _) => refused(format!("a {} rule needs `ModifierPercentage`", kind.name())),
        (Some(percentage), RuleType::Discount) if percentage.units() > 100 * Percentage::ONE.units() => {
            refused(format!("a discount of {percentage} % is more than all; at most 100"))
        }
        (Some(percentage), RuleType::Discount) => Ok(Pricing::Discount(percentage)),
        (Some(percentage), _) => Ok(Pricing::Markup(percentage)),
    }
}

fn read_tiering(scope: &Scope, tiering: Option<&Tiering>) -> Result<Pricing, Refusal> {
    let refused = |message: String| Refusal::invalid(ValidationReason::IllegalTieringInput, message);
    let is_sku = matches!(scope, Scope::Sku { .. });
    match tiering.map(|tiering| (tiering.free_tier, &tiering.custom_tiers)) {
        Some((Some(activated), None)) if !is_sku => Ok(Pricing::FreeTier { activated }),
        Some((Some(_), None)) => {
            Err(refused("`FreeTier` needs scope GLOBAL or SERVICE; use `CustomTiers` for a SKU".to_owned()))
        }
        Some((None, Some(tiers))) if is_sku => {
            let tiers = read_tiers(tiers).map_err(&refused)?;
            CustomTiers::new(tiers).map(Pricing::CustomTiers).map_err(|mistake| refused(mistake.to_string()))
        }
        Some((None, Some(_))) => Err(refused("`CustomTiers` need scope SKU".to_owned())),
        Some((Some(_), Some(_))) | Some((None, None)) | None => {
            Err(refused("a TIERING rule has either `FreeTier` or `CustomTiers`".to_owned()))
        }
    }
}

fn read_tiers(tiers: &[TierText]) -> Result<Vec<Tier>, String> {
    let mut reached = Quantity::ZERO;
    let mut read = Vec::with_capacity(tiers.len());
    for (number, tier) in (1..).zip(tiers) {
        let decimal = |field: &str, digits: &str| {
            exact::<10>(digits)
                .map_err(|error| format!("`{digits}` as `{field}` of tier {number} is refused: {error}"))
        };
        let begin = tier.begin.as_deref().map(|digits| decimal("BeginRangeInclusive", digits));
        let begin = begin.transpose()?.unwrap_or(reached);
        let end = tier.end.as_deref().map(|digits| decimal("EndRangeExclusive", digits)).transpose()?;
        reached = end.unwrap_or(reached);
        read.push(Tier { begin, end, rate: decimal("RateValue", &tier.rate)? });
    }
    Ok(read)
}
