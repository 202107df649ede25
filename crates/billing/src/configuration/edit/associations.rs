//! What a percentage item is a percentage of: its billing group, and flat items of the same group.
//!
//! Associations are part of an item's version, so that each period has its own; to associate from a period on makes a version.
//!
//! Source: AWS Billing Conductor API reference, `BatchAssociateResourcesToCustomLineItem` and its counterpart.

use super::Touched;
use super::catalogue::{PeriodRange, most_at_once};
use super::charges::NewPercentage;
use super::items::is_of;
use crate::configuration::{
    AssociatedValue, BillingGroupId, ChargeSettings, CustomLineItemId, Edit, ItemSettings, Quota, Refusal,
    ResourceName, ResourceType, Timeline, ValidationReason,
};
use crate::period::BillingPeriod;

/// How many resources one call may name.
const RESOURCES_PER_CALL_MAX: usize = 30;

/// An `AssociateResourceErrorReason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AssociationReason {
    /// No ARN, or one of another payer.
    InvalidArn,
    /// As many as are allowed.
    ServiceLimitExceeded,
    /// Not there, or not to be associated.
    IllegalCustomlineitem,
    /// Not there in the periods.
    InvalidBillingPeriodRange,
}

impl AssociationReason {
    /// AWS's name of it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidArn => "INVALID_ARN",
            Self::ServiceLimitExceeded => "SERVICE_LIMIT_EXCEEDED",
            Self::IllegalCustomlineitem => "ILLEGAL_CUSTOMLINEITEM",
            Self::InvalidBillingPeriodRange => "INVALID_BILLING_PERIOD_RANGE",
        }
    }
}

/// Why one resource of a batch was not associated, or not disassociated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssociationFailure {
    /// Why.
    pub reason: AssociationReason,
    /// The thing, the value and the way out.
    pub message: String,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Associated {
    /// The item that was written to.
    pub item: CustomLineItemId,
    /// Every resource of the call, as the client wrote it and in its order.
    pub resources: Vec<(String, Result<(), AssociationFailure>)>,
}

/// Why a resource is no source of a percentage: the reason of a batch, and the refusal of a create.
struct Unfit {
    reason: AssociationReason,
    refusal: Refusal,
}

impl Unfit {
    fn new(reason: AssociationReason, refusal: ValidationReason, message: String) -> Self {
        Self { reason, refusal: Refusal::invalid(refusal, message) }
    }
}

impl From<Unfit> for AssociationFailure {
    fn from(unfit: Unfit) -> Self {
        Self { reason: unfit.reason, message: unfit.refusal.to_string() }
    }
}

impl Edit<'_> {
    /// Makes a percentage item a percentage of more, from a period on: of each resource that can be, whatever of the others.
    ///
    /// Without an end an association lasts as long as the flat item, up to where it was said before.
    ///
    /// # Errors
    /// For the call as a whole: [`Refusal::NotFound`], [`ValidationReason::IllegalCustomlineitem`] for a flat item,
    /// [`ValidationReason::TooManyCustomlineitemsInRequest`], and the reasons of ranges.
    pub fn associate_to_custom_line_item(
        &mut self,
        arn: &str,
        resources: &[String],
        range: Option<PeriodRange>,
    ) -> Result<Associated, Refusal> {
        self.each(arn, resources, range, Self::associate)
    }

    /// Makes a percentage item no more a percentage of resources, from a period on.
    ///
    /// # Errors
    /// Those of [`associate_to_custom_line_item`](Self::associate_to_custom_line_item).
    pub fn disassociate_from_custom_line_item(
        &mut self,
        arn: &str,
        resources: &[String],
        range: Option<PeriodRange>,
    ) -> Result<Associated, Refusal> {
        self.each(arn, resources, range, Self::disassociate)
    }

    /// Does one thing to each resource of a batch; the second naming of a resource fails.
    fn each(
        &mut self,
        arn: &str,
        resources: &[String],
        range: Option<PeriodRange>,
        act: impl Fn(
            &mut Self,
            &CustomLineItemId,
            &AssociatedValue,
            PeriodRange,
        ) -> Result<(), AssociationFailure>,
    ) -> Result<Associated, Refusal> {
        if resources.len() > RESOURCES_PER_CALL_MAX {
            return Err(Refusal::invalid(
                ValidationReason::TooManyCustomlineitemsInRequest,
                format!("one call names at most {RESOURCES_PER_CALL_MAX} resources, not {}", resources.len()),
            ));
        }
        let range = range.unwrap_or_else(|| self.here_on());
        self.range_is_open(range)?;
        let (item, versions) = self.item_here(arn, range.start)?;
        let group = match versions.at(range.start) {
            Some(ItemSettings { charge: ChargeSettings::Percentage { .. }, billing_group, .. }) => {
                billing_group.clone()
            }
            _ => {
                let message = format!("custom line item `{arn}` is flat; only percentages have associations");
                return Err(Refusal::invalid(ValidationReason::IllegalCustomlineitem, message));
            }
        };
        let mut seen: Vec<AssociatedValue> = Vec::new();
        let mut results = Vec::with_capacity(resources.len());
        for text in resources {
            let value = self.value_of(text, &group).map_err(AssociationFailure::from);
            let result = value.and_then(|value| {
                if seen.contains(&value) {
                    return Err(named_twice(text).into());
                }
                seen.push(value.clone());
                act(self, &item, &value, range)
            });
            results.push((text.clone(), result));
        }
        if results.iter().any(|(_, result)| result.is_ok()) {
            let now = self.moment.now;
            self.next.items.change(&item, |resource| resource.modified_at = now);
            self.touched.insert(Touched::Item(item.clone()));
        }
        Ok(Associated { item, resources: results })
    }

    fn associate(
        &mut self,
        id: &CustomLineItemId,
        value: &AssociatedValue,
        range: PeriodRange,
    ) -> Result<(), AssociationFailure> {
        let Some(versions) = self.next.items.get(id).map(|item| &item.versions) else { return Ok(()) };
        let Some(target) = versions.at(range.start) else { return Ok(()) };
        let until = self.source(value, &target.billing_group, target.itemized, range)?;
        let free = |item: &ItemSettings| !has(item, value);
        let end = match range.end {
            // Where it is there already, there is nothing to do up to where it is not.
            None => {
                let Some(free_until) = versions.holds_until(range.start, free) else { return Ok(()) };
                match (until, free_until) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                }
            }
            Some(end) => {
                let ends = versions.holds_until(range.start, |_| true).flatten();
                let end = ends.map_or(end, |ends| ends.min(end));
                if until.is_some_and(|until| until < end) {
                    let message = format!("{} ends before {range} does", named(value));
                    let reason = AssociationReason::InvalidBillingPeriodRange;
                    return Err(AssociationFailure { reason, message });
                }
                Some(end)
            }
        };
        let range = PeriodRange { end, ..range };
        let most = most_sources(versions, value, range);
        if most >= Quota::SourcesPerPercentageItem.limit().1 {
            let quota = Refusal::limit(Quota::SourcesPerPercentageItem, None);
            let reason = AssociationReason::ServiceLimitExceeded;
            return Err(AssociationFailure { reason, message: quota.to_string() });
        }
        if let AssociatedValue::Item(flat) = value {
            self.flat_has_room(flat, Some(id), range).map_err(|quota| AssociationFailure {
                reason: AssociationReason::ServiceLimitExceeded,
                message: quota.to_string(),
            })?;
        }
        self.set_sources(id, range, |of| {
            of.insert(value.clone());
        });
        Ok(())
    }

    fn disassociate(
        &mut self,
        id: &CustomLineItemId,
        value: &AssociatedValue,
        range: PeriodRange,
    ) -> Result<(), AssociationFailure> {
        let Some(versions) = self.next.items.get(id).map(|item| &item.versions) else { return Ok(()) };
        let within = match range.end {
            None => versions
                .holds_until(range.start, |item| has(item, value))
                .map(|end| PeriodRange { end, ..range }),
            Some(_) => {
                let there = versions.spans().iter().any(|span| range.meets(span) && has(&span.value, value));
                there.then_some(range)
            }
        };
        let Some(within) = within else {
            let message = format!("{} is not associated with `{id}` in {range}", named(value));
            return Err(AssociationFailure { reason: AssociationReason::IllegalCustomlineitem, message });
        };
        self.set_sources(id, within, |of| {
            of.remove(value);
        });
        Ok(())
    }

    fn set_sources(
        &mut self,
        id: &CustomLineItemId,
        range: PeriodRange,
        set: impl Fn(&mut std::collections::BTreeSet<AssociatedValue>),
    ) {
        let now = self.moment.now;
        let changed = |item: &ItemSettings| {
            let mut item = item.clone();
            if let ChargeSettings::Percentage { of, .. } = &mut item.charge {
                set(of);
            }
            Some(item)
        };
        self.next.items.change(id, |resource| resource.versions.change(range.start, range.end, now, changed));
    }

    /// What a new item is a percentage of, each with its end where that is before the item's.
    pub(super) fn first_sources(
        &self,
        percentage: &NewPercentage,
        group: &BillingGroupId,
        itemized: Option<bool>,
        range: PeriodRange,
    ) -> Result<Vec<(AssociatedValue, Option<BillingPeriod>)>, Refusal> {
        let Some(of) = &percentage.of else { return Ok(vec![(AssociatedValue::BillingGroup, None)]) };
        let mut sources: Vec<(AssociatedValue, Option<BillingPeriod>)> = Vec::new();
        for text in of {
            let value = self.value_of(text, group).map_err(|unfit| unfit.refusal)?;
            if sources.iter().any(|(other, _)| *other == value) {
                return Err(named_twice(text).refusal);
            }
            let until = self.source(&value, group, itemized, range).map_err(|unfit| unfit.refusal)?;
            sources.push((value, until.filter(|until| range.end.is_none_or(|end| *until < end))));
        }
        Ok(sources)
    }

    /// Whether a new item may be a percentage of all that.
    pub(super) fn sources_have_room<'v>(
        &self,
        sources: impl Iterator<Item = &'v AssociatedValue> + Clone,
        range: PeriodRange,
    ) -> Result<(), Refusal> {
        if sources.clone().count() > Quota::SourcesPerPercentageItem.limit().1 {
            return Err(Refusal::limit(Quota::SourcesPerPercentageItem, None));
        }
        for value in sources {
            if let AssociatedValue::Item(flat) = value {
                self.flat_has_room(flat, None, range)?;
            }
        }
        Ok(())
    }

    /// Whether one more percentage, or `but` again, may be taken of a flat item.
    fn flat_has_room(
        &self,
        flat: &CustomLineItemId,
        but: Option<&CustomLineItemId>,
        range: PeriodRange,
    ) -> Result<(), Refusal> {
        let others = self.next.items.iter().filter(|(id, _)| Some(*id) != but);
        let spans = others.flat_map(|(_, resource)| resource.versions.spans());
        let most = most_at_once(range, spans.filter(|span| is_of(&span.value, flat)));
        if most >= Quota::PercentagesPerFlatItem.limit().1 {
            let resource = (ResourceType::CustomLineItem, flat.to_string());
            return Err(Refusal::limit(Quota::PercentagesPerFlatItem, Some(resource)));
        }
        Ok(())
    }

    /// The value that an ARN or an id names, whether it is there or not.
    fn value_of(&self, text: &str, group: &BillingGroupId) -> Result<AssociatedValue, Unfit> {
        use AssociationReason::{IllegalCustomlineitem, InvalidArn};
        let Some(ResourceName { owner, id }) = ResourceName::parse(text) else {
            let message = format!("`{text}` is the ARN of neither a billing group nor a custom line item");
            return Err(Unfit::new(InvalidArn, ValidationReason::InvalidArn, message));
        };
        let kind = owner.as_ref().map(|(_, kind)| *kind);
        if let Some((account, _)) = owner.filter(|(account, _)| account != self.next.payer.as_str()) {
            let refusal = match kind {
                Some(ResourceType::BillingGroup) => ValidationReason::MismatchedBillinggroupArn,
                _ => ValidationReason::MismatchedCustomlineitemArn,
            };
            let message =
                format!("`{text}` belongs to account `{account}`; name a resource of `{}`", self.next.payer);
            return Err(Unfit::new(InvalidArn, refusal, message));
        }
        // A bare id is the group's where the group has it: items have ids of their own.
        let names_group = kind == Some(ResourceType::BillingGroup) || kind.is_none() && id == group.as_str();
        match (kind, CustomLineItemId::parse(&id)) {
            _ if names_group && id == group.as_str() => Ok(AssociatedValue::BillingGroup),
            (None | Some(ResourceType::CustomLineItem), Some(id)) => Ok(AssociatedValue::Item(id)),
            (Some(ResourceType::BillingGroup), _) => {
                let message =
                    format!("`{text}` is not the item's own billing group, which is `{group}`; name that");
                let refusal = ValidationReason::IllegalChildAssociateResource;
                Err(Unfit::new(IllegalCustomlineitem, refusal, message))
            }
            _ => {
                let message = format!("`{text}` names neither a billing group nor a custom line item");
                Err(Unfit::new(InvalidArn, ValidationReason::InvalidArn, message))
            }
        }
    }

    /// Until when a value can be a source of a group's percentage that begins with a range: a flat item's end.
    fn source(
        &self,
        value: &AssociatedValue,
        group: &BillingGroupId,
        itemized: Option<bool>,
        range: PeriodRange,
    ) -> Result<Option<BillingPeriod>, Unfit> {
        use AssociationReason::{IllegalCustomlineitem, InvalidBillingPeriodRange};
        let AssociatedValue::Item(id) = value else { return Ok(None) };
        let versions = self.next.items.get(id).map(|item| &item.versions);
        let Some((versions, first)) =
            versions.and_then(|versions| Some((versions, &versions.spans().first()?.value)))
        else {
            let message = format!("there is no custom line item `{id}`");
            return Err(Unfit::new(IllegalCustomlineitem, ValidationReason::MissingCustomlineitem, message));
        };
        let illegal = |message| {
            let refusal = ValidationReason::IllegalChildAssociateResource;
            Err(Unfit::new(IllegalCustomlineitem, refusal, message))
        };
        // Group and kind of charge are the same in all versions.
        if matches!(first.charge, ChargeSettings::Percentage { .. }) {
            return illegal(format!("`{id}` is a percentage item; only flat items can be associated"));
        }
        if first.billing_group != *group {
            return illegal(format!(
                "`{id}` belongs to billing group `{}`, not to this item's",
                first.billing_group
            ));
        }
        if itemized == Some(true) {
            return illegal(format!("an ITEMIZED charge is made beside each line; `{id}` has no lines"));
        }
        versions.holds_until(range.start, |_| true).ok_or_else(|| {
            let message = format!("custom line item `{id}` is not charged for {}", range.start);
            Unfit::new(InvalidBillingPeriodRange, ValidationReason::IllegalChildAssociateResource, message)
        })
    }
}

/// How many sources, without `value`, some version of a range has, at most.
fn most_sources(versions: &Timeline<ItemSettings>, value: &AssociatedValue, range: PeriodRange) -> usize {
    let count = |item: &ItemSettings| match &item.charge {
        ChargeSettings::Percentage { of, .. } => of.len() - usize::from(of.contains(value)),
        ChargeSettings::Flat(_) => 0,
    };
    let within = versions.spans().iter().filter(|span| range.meets(span));
    within.map(|span| count(&span.value)).max().unwrap_or_default()
}

fn has(item: &ItemSettings, value: &AssociatedValue) -> bool {
    matches!(&item.charge, ChargeSettings::Percentage { of, .. } if of.contains(value))
}

fn named(value: &AssociatedValue) -> String {
    match value {
        AssociatedValue::BillingGroup => "the billing group".to_owned(),
        AssociatedValue::Item(id) => format!("custom line item `{id}`"),
    }
}

fn named_twice(text: &str) -> Unfit {
    let message = format!("`{text}` is named twice");
    Unfit::new(AssociationReason::IllegalCustomlineitem, ValidationReason::IllegalResourceArns, message)
}
