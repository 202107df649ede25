//! What lists of rules, plans and custom line items show beside each: how many plans have a rule, what an item is associated with, its versions.

use super::edit::{is_of, managed_plan, own_id};
use super::{
    AssociatedValue, BillingGroupId, ChargeSettings, Configuration, CustomLineItemId, GroupSettings,
    ItemSettings, PlanOf, PricingPlanId, PricingRuleId, Refusal, Resource, Span,
};
use crate::period::BillingPeriod;
use std::collections::HashMap;

/// The billing group that an ARN or an id names: of a period, or, without one, of any.
///
/// # Errors
/// [`Refusal::NotFound`], the reasons of ARNs.
pub fn group_named(
    configuration: &Configuration,
    arn: &str,
    period: Option<BillingPeriod>,
) -> Result<BillingGroupId, Refusal> {
    let id = BillingGroupId::parse(&own_id(configuration, BillingGroupId::KIND, arn)?);
    let is_there = |id: &BillingGroupId| match period {
        Some(period) => configuration.group(id, period).is_some(),
        None => configuration.groups.get(id).is_some(),
    };
    id.filter(is_there).ok_or_else(|| Refusal::NotFound { kind: BillingGroupId::KIND, id: arn.to_owned() })
}

/// The billing group that an ARN, an id or else a name means: AWS's operations take ARNs, people know their customers by name. Names are
/// unique in a period; without one, a name that two groups have had one after the other means neither.
///
/// # Errors
/// Those of [`group_named`].
pub fn group_called(
    configuration: &Configuration,
    text: &str,
    period: Option<BillingPeriod>,
) -> Result<BillingGroupId, Refusal> {
    group_called_among(configuration, |_| true, text, period)
}

/// The same among some of the groups: the others are as good as not there, by whatever they are called.
///
/// # Errors
/// Those of [`group_named`], which say nothing that would tell a group that is left out from one that is not there.
pub fn group_called_among(
    configuration: &Configuration,
    is_among: impl Fn(&BillingGroupId) -> bool,
    text: &str,
    period: Option<BillingPeriod>,
) -> Result<BillingGroupId, Refusal> {
    let not_found = || Refusal::NotFound { kind: BillingGroupId::KIND, id: text.to_owned() };
    let named = group_named(configuration, text, period);
    let named = named.and_then(|id| if is_among(&id) { Ok(id) } else { Err(not_found()) });
    named.or_else(|refusal| {
        let has_name = |id: &BillingGroupId, group: &Resource<GroupSettings>| match period {
            Some(period) => {
                configuration.group(id, period).is_some_and(|(_, settings)| settings.name == text)
            }
            None => group.versions.spans().iter().any(|span| span.value.name == text),
        };
        let mut called =
            configuration.groups.iter().filter(|(id, group)| is_among(id) && has_name(id, group));
        match (called.next(), called.next()) {
            (Some((id, _)), None) => Ok(id.clone()),
            _ => Err(refusal),
        }
    })
}

/// The pricing rule of a period that an ARN or an id names.
///
/// # Errors
/// [`Refusal::NotFound`], the reasons of ARNs.
pub fn rule_named(
    configuration: &Configuration,
    arn: &str,
    period: BillingPeriod,
) -> Result<PricingRuleId, Refusal> {
    let id = PricingRuleId::parse(&own_id(configuration, PricingRuleId::KIND, arn)?);
    id.filter(|id| configuration.rules.at(id, period).is_some())
        .ok_or_else(|| Refusal::NotFound { kind: PricingRuleId::KIND, id: arn.to_owned() })
}

/// The pricing plan of a period that an ARN or an id names: one of the payer's, or one that AWS manages.
///
/// # Errors
/// [`Refusal::NotFound`], the reasons of ARNs.
pub fn plan_named(
    configuration: &Configuration,
    arn: &str,
    period: BillingPeriod,
) -> Result<PlanOf, Refusal> {
    if let Some(managed) = managed_plan(arn) {
        return Ok(managed);
    }
    let id = PricingPlanId::parse(&own_id(configuration, PricingPlanId::KIND, arn)?);
    id.filter(|id| configuration.plans.at(id, period).is_some())
        .map(PlanOf::Own)
        .ok_or_else(|| Refusal::NotFound { kind: PricingPlanId::KIND, id: arn.to_owned() })
}

/// The custom line item that an ARN or an id names: of a period, or, without one, of any.
///
/// # Errors
/// [`Refusal::NotFound`], the reasons of ARNs.
pub fn item_named(
    configuration: &Configuration,
    arn: &str,
    period: Option<BillingPeriod>,
) -> Result<CustomLineItemId, Refusal> {
    let id = CustomLineItemId::parse(&own_id(configuration, CustomLineItemId::KIND, arn)?);
    let is_there = |id: &CustomLineItemId| {
        let versions = configuration.items.get(id).map(|item| &item.versions);
        versions.is_some_and(|versions| match period {
            Some(period) => versions.at(period).is_some(),
            None => !versions.is_empty(),
        })
    };
    id.filter(is_there).ok_or_else(|| Refusal::NotFound { kind: CustomLineItemId::KIND, id: arn.to_owned() })
}

/// In how many plans each rule is, in a period; a rule that is in none is not there. Made once for a list.
#[must_use]
pub fn plans_per_rule(configuration: &Configuration, period: BillingPeriod) -> HashMap<PricingRuleId, usize> {
    let mut counts = HashMap::new();
    for (_, _, plan) in configuration.plans.in_period(period) {
        for rule in &plan.rules {
            *counts.entry(rule.clone()).or_default() += 1;
        }
    }
    counts
}

/// The plans that a rule is in, in a period, in the order of creation.
pub fn plans_with_rule<'c>(
    configuration: &'c Configuration,
    rule: &'c PricingRuleId,
    period: BillingPeriod,
) -> impl Iterator<Item = &'c PricingPlanId> {
    let plans = configuration.plans.in_period(period);
    plans.filter(|(_, _, plan)| plan.rules.contains(rule)).map(|(id, ..)| id)
}

/// How many resources are associated with each custom line item of a period. Made once for a list.
#[derive(Debug)]
pub struct AssociationSizes {
    /// How many percentages are taken of a flat item.
    of_flat: HashMap<CustomLineItemId, usize>,
}

impl AssociationSizes {
    /// Counts for a period.
    #[must_use]
    pub fn new(configuration: &Configuration, period: BillingPeriod) -> Self {
        let mut of_flat = HashMap::new();
        for (_, _, item) in configuration.items.in_period(period) {
            let ChargeSettings::Percentage { of, .. } = &item.charge else { continue };
            for value in of {
                if let AssociatedValue::Item(flat) = value {
                    *of_flat.entry(flat.clone()).or_default() += 1;
                }
            }
        }
        Self { of_flat }
    }

    /// The `AssociationSize` of an item: of a percentage what it is taken of, of a flat item the percentages.
    #[must_use]
    pub fn of(&self, id: &CustomLineItemId, item: &ItemSettings) -> usize {
        match &item.charge {
            ChargeSettings::Percentage { of, .. } => of.len(),
            ChargeSettings::Flat(_) => self.of_flat.get(id).copied().unwrap_or_default(),
        }
    }
}

/// How an associated resource stands to an item.
///
/// AWS does not say which is which; CloudFormation calls what a percentage is taken of its `ChildAssociatedResources`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relationship {
    /// What the percentage is taken of.
    Child,
    /// A percentage that is taken of the flat item.
    Parent,
}

impl Relationship {
    /// AWS's name of it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Child => "CHILD",
            Self::Parent => "PARENT",
        }
    }
}

/// What is associated with a custom line item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssociatedResource {
    /// The ARN of a billing group or a custom line item.
    pub arn: String,
    /// Which of the two is a percentage of the other.
    pub relationship: Relationship,
    /// The first period in which they are no more associated; `None` goes on.
    pub end: Option<BillingPeriod>,
}

/// What is associated with an item in a period: of a percentage its group and then flat items by id, of a flat item the percentages in the order
/// of creation. `None` where there is no such item in the period.
#[must_use]
pub fn associated_resources(
    configuration: &Configuration,
    id: &CustomLineItemId,
    period: BillingPeriod,
) -> Option<Vec<AssociatedResource>> {
    let payer = &configuration.payer;
    let (resource, item) = configuration.items.at(id, period)?;
    let ChargeSettings::Percentage { of, .. } = &item.charge else {
        let parent = |(parent, resource): (&CustomLineItemId, &Resource<ItemSettings>)| {
            let end = resource.versions.holds_until(period, |item| is_of(item, id))?;
            Some(AssociatedResource { arn: parent.arn(payer), relationship: Relationship::Parent, end })
        };
        return Some(configuration.items.iter().filter_map(parent).collect());
    };
    let child = |value: &AssociatedValue| {
        let has = |item: &ItemSettings| match &item.charge {
            ChargeSettings::Percentage { of, .. } => of.contains(value),
            ChargeSettings::Flat(_) => false,
        };
        AssociatedResource {
            arn: match value {
                AssociatedValue::BillingGroup => item.billing_group.arn(payer),
                AssociatedValue::Item(flat) => flat.arn(payer),
            },
            relationship: Relationship::Child,
            end: resource.versions.holds_until(period, has).flatten(),
        }
    };
    Some(of.iter().map(child).collect())
}

/// The versions of an item that have some period of `[start, end)`, either of which may be open, the earliest first.
pub fn item_versions<'c>(
    configuration: &'c Configuration,
    id: &CustomLineItemId,
    start: Option<BillingPeriod>,
    end: Option<BillingPeriod>,
) -> impl Iterator<Item = &'c Span<ItemSettings>> {
    let spans = configuration.items.get(id).map(|item| item.versions.spans());
    spans.into_iter().flatten().filter(move |span| {
        end.is_none_or(|end| span.from < end) && start.is_none_or(|start| span.to.is_none_or(|to| start < to))
    })
}
