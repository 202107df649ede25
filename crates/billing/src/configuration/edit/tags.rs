//! Tags of the four kinds of resources. They have no versions: a tag is there, or it is not.

use super::Touched;
use super::catalogue::{check_tags, not_found, own_id};
use crate::configuration::{
    BillingGroupId, Configuration, CustomLineItemId, Edit, PricingPlanId, PricingRuleId, Refusal, Resource,
    ResourceName, ResourceType, Table,
};
use crate::period::BillingPeriod;
use std::collections::BTreeMap;

type Tags = BTreeMap<String, String>;

impl Edit<'_> {
    /// Adds tags to a resource, in place of those of the same keys.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], the `MISMATCHED_` reasons, and [`FieldValidationFailed`](super::super::ValidationReason::FieldValidationFailed)
    /// for keys that AWS reserves and for more than 200 tags.
    pub fn tag_resource(&mut self, arn: &str, tags: &Tags) -> Result<(), Refusal> {
        let (touched, before) = tagged(&self.next, arn, self.moment.period)?;
        check_tags(before, tags)?;
        self.change_tags(touched, |of| {
            of.extend(tags.iter().map(|(key, value)| (key.clone(), value.clone())))
        });
        Ok(())
    }

    /// Removes tags from a resource; keys that it does not have are no mistake.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], the `MISMATCHED_` reasons.
    pub fn untag_resource(&mut self, arn: &str, keys: &[String]) -> Result<(), Refusal> {
        let (touched, _) = tagged(&self.next, arn, self.moment.period)?;
        self.change_tags(touched, |of| of.retain(|key, _| !keys.contains(key)));
        Ok(())
    }

    fn change_tags(&mut self, of: Touched, change: impl Fn(&mut Tags)) {
        fn both<S>(resource: &mut Resource<S>, now: i64, change: impl Fn(&mut Tags)) {
            change(&mut resource.tags);
            resource.modified_at = now;
        }
        let now = self.moment.now;
        match &of {
            Touched::Group(id) => drop(self.next.groups.change(id, |it| both(it, now, change))),
            Touched::Plan(id) => drop(self.next.plans.change(id, |it| both(it, now, change))),
            Touched::Rule(id) => drop(self.next.rules.change(id, |it| both(it, now, change))),
            Touched::Item(id) => drop(self.next.items.change(id, |it| both(it, now, change))),
            _ => return,
        }
        self.touched.insert(of);
    }
}

impl Configuration {
    /// The tags of a resource that an ARN names; an item may also be named by its id.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] where it is not there in a period or later, the `MISMATCHED_` reasons.
    pub fn tags_of(&self, arn: &str, period: BillingPeriod) -> Result<&Tags, Refusal> {
        tagged(self, arn, period).map(|(_, tags)| tags)
    }
}

/// The resource of an ARN, and its tags. An item that has ended can still be tagged: it is on the bills of its periods.
fn tagged<'c>(
    configuration: &'c Configuration,
    arn: &str,
    period: BillingPeriod,
) -> Result<(Touched, &'c Tags), Refusal> {
    fn there<I: Ord + Clone, S: Clone + PartialEq>(
        table: &Table<I, S>,
        id: Option<I>,
        period: Option<BillingPeriod>,
    ) -> Option<(I, &Tags)> {
        let id = id?;
        let resource = table.get(&id).filter(|it| !it.versions.is_empty())?;
        period.is_none_or(|period| resource.versions.lasts_to(period)).then_some((id, &resource.tags))
    }
    let owner = ResourceName::parse(arn).and_then(|name| name.owner);
    let kind = owner.map_or(ResourceType::CustomLineItem, |(_, kind)| kind);
    let id = own_id(configuration, kind, arn)?;
    let now = Some(period);
    let found = match kind {
        ResourceType::BillingGroup => there(&configuration.groups, BillingGroupId::parse(&id), now)
            .map(|(id, tags)| (Touched::Group(id), tags)),
        ResourceType::PricingPlan => there(&configuration.plans, PricingPlanId::parse(&id), now)
            .map(|(id, tags)| (Touched::Plan(id), tags)),
        ResourceType::PricingRule => there(&configuration.rules, PricingRuleId::parse(&id), now)
            .map(|(id, tags)| (Touched::Rule(id), tags)),
        ResourceType::CustomLineItem => there(&configuration.items, CustomLineItemId::parse(&id), None)
            .map(|(id, tags)| (Touched::Item(id), tags)),
    };
    found.ok_or_else(|| not_found(kind, arn))
}
