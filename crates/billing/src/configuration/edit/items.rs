//! Custom line items: for which periods, on which group, and what may change.
//!
//! A version of an item holds for the periods that it is charged for, which may end after the current one. So what an update says goes on, where
//! it names no end, as long as what it changes stays what it was; what was said for later periods stays.
//!
//! Source: AWS Billing Conductor user guide, "Creating custom line items" and "Editing custom line items".

use super::Touched;
use super::catalogue::{
    PeriodRange, all_spans, check_tags, first_with, most_at_once, name_taken, not_found, own_id,
};
use super::charges::{ChargeChange, FilterText, NewPercentage, charge_changes, new_charge};
use crate::account::AccountId;
use crate::configuration::{
    BillingGroupId, ChargeSettings, CustomLineItemId, Edit, GroupSettings, ItemSettings, PlanOf, Quota,
    Refusal, ResourceType, Timeline, ValidationReason,
};
use crate::custom_line_item::Kind;
use crate::period::BillingPeriod;
use std::collections::BTreeMap;

const KIND: ResourceType = ResourceType::CustomLineItem;

/// What `CreateCustomLineItem` says.
#[derive(Debug, Clone)]
pub struct NewItem {
    /// What the operator calls it; unique among the items of a period, as a book has it.
    pub name: String,
    /// What the customer reads beside the charge.
    pub description: String,
    /// The ARN or id of the billing group.
    pub billing_group: String,
    /// The member that carries the charge; `None` is the primary account.
    pub account: Option<String>,
    /// What it is charged for; `None` is the one period of the write.
    pub range: Option<PeriodRange>,
    /// Whether it adds or takes away.
    pub kind: Kind,
    /// The digits of a flat charge.
    pub flat: Option<String>,
    /// A percentage.
    pub percentage: Option<NewPercentage>,
    /// What narrows a percentage.
    pub filters: Vec<FilterText>,
    /// `ComputationRule`: whether it is `ITEMIZED`; `None` was not said.
    pub itemized: Option<bool>,
    /// The service it is shown under.
    pub presentation_service: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// What `UpdateCustomLineItem` says; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct ItemChange {
    /// What the operator calls it.
    pub name: Option<String>,
    /// What the customer reads beside the charge.
    pub description: Option<String>,
    /// The digits of a flat charge.
    pub flat: Option<String>,
    /// The digits of a percentage.
    pub percentage: Option<String>,
    /// What narrows a percentage; an empty list removes it.
    pub filters: Option<Vec<FilterText>>,
    /// From which period on; `None` is the one of the write.
    pub range: Option<PeriodRange>,
}

/// One member of an item, changed.
enum Change {
    Name(String),
    Description(String),
    Charge(ChargeChange),
}

impl Edit<'_> {
    /// Creates a custom line item.
    ///
    /// # Errors
    /// The reasons of custom line items, a name that is taken, and the quotas of items.
    pub fn create_custom_line_item(&mut self, new: NewItem) -> Result<CustomLineItemId, Refusal> {
        check_tags(&BTreeMap::new(), &new.tags)?;
        let period = self.moment.period;
        let range = new.range.unwrap_or(PeriodRange { start: period, end: Some(period.next()) });
        self.range_is_open(range)?;
        let billing_group = self.group_of_item(&new.billing_group, range)?;
        let mut charge = new_charge(new.flat.as_deref(), new.percentage.as_ref(), &new.filters)?;
        check_computation(&new, &charge)?;
        let account = new.account.as_deref().map(|it| self.carrier(it, &billing_group, range)).transpose()?;
        self.group_shows(&new, &billing_group, range)?;
        let sources = match &new.percentage {
            Some(percentage) => self.first_sources(percentage, &billing_group, new.itemized, range)?,
            None => Vec::new(),
        };
        if let ChargeSettings::Percentage { of, .. } = &mut charge {
            of.extend(sources.iter().map(|(value, _)| value.clone()));
        }
        self.item_name_is_free(&new.name, range, None)?;
        let settings = ItemSettings {
            name: new.name,
            description: new.description,
            billing_group,
            account,
            kind: new.kind,
            charge,
            itemized: new.itemized.filter(|itemized| *itemized),
            presentation_service: new.presentation_service,
        };
        self.items_have_room(&settings, range)?;
        self.sources_have_room(sources.iter().map(|(value, _)| value), range)?;

        let now = self.moment.now;
        let (id, mut resource) = self.made(CustomLineItemId::parse, |of| &of.items, new.tags);
        resource.versions.set(range.start, range.end, settings, now);
        for (value, until) in sources {
            // A flat item that ends earlier is a part of the percentage for as long as it is there.
            if let Some(until) = until {
                resource.versions.change(until, range.end, now, |item| Some(without(item, &value)));
            }
        }
        self.next.items.put(id.clone(), resource);
        self.touched.insert(Touched::Item(id.clone()));
        Ok(id)
    }

    /// Changes a custom line item from a period on, which makes a version of it.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], [`ValidationReason::IllegalCustomlineitemModification`] after its end,
    /// [`ValidationReason::IllegalCustomlineitemUpdate`] for periods that are not its own, the reasons of charges, a name that is taken.
    pub fn update_custom_line_item(
        &mut self,
        arn: &str,
        change: ItemChange,
    ) -> Result<CustomLineItemId, Refusal> {
        let range = change.range.unwrap_or_else(|| self.here_on());
        self.range_is_open(range)?;
        let (id, versions) = self.item_here(arn, range.start)?;
        let ends = versions.holds_until(range.start, |_| true);
        if range.end.is_some() && !range.lasts(ends) {
            let message = format!("custom line item `{arn}` ends before {range}; its periods do not change");
            return Err(Refusal::invalid(ValidationReason::IllegalCustomlineitemUpdate, message));
        }
        let Some(before) = versions.at(range.start) else { return Err(not_found(KIND, arn)) };
        let charge = charge_changes(
            &before.charge,
            change.flat.as_deref(),
            change.percentage.as_deref(),
            change.filters.as_deref(),
        )?;
        let mut changes: Vec<_> = charge.into_iter().map(Change::Charge).collect();
        changes.extend(change.name.filter(|name| *name != before.name).map(Change::Name));
        changes.extend(change.description.map(Change::Description));
        let changes: Vec<_> = changes
            .into_iter()
            .map(|change| {
                let goes_on = || versions.holds_until(range.start, |item| change.is_alike(item, before));
                let end = range.end.or_else(|| goes_on().flatten());
                (PeriodRange { end, ..range }, change)
            })
            .collect();
        for (range, change) in &changes {
            match change {
                Change::Name(name) => self.item_name_is_free(name, *range, Some(&id))?,
                Change::Charge(ChargeChange::Filter(Some(_))) => self.may_be_filtered(&id, before, *range)?,
                Change::Charge(_) | Change::Description(_) => {}
            }
        }
        let now = self.moment.now;
        self.next.items.change(&id, |resource| {
            for (range, change) in &changes {
                resource.versions.change(range.start, range.end, now, |item| Some(change.of(item)));
            }
            resource.modified_at = now;
        });
        self.touched.insert(Touched::Item(id.clone()));
        Ok(id)
    }

    /// Deletes a custom line item from a period on; where the range has an end, for the periods of the range only.
    ///
    /// # Errors
    /// [`ValidationReason::MissingCustomlineitem`], and [`ValidationReason::CustomLineItemAssociationExists`] while percentages are taken of it.
    pub fn delete_custom_line_item(
        &mut self,
        arn: &str,
        range: Option<PeriodRange>,
    ) -> Result<CustomLineItemId, Refusal> {
        let range = range.unwrap_or_else(|| self.here_on());
        self.range_is_open(range)?;
        let id = CustomLineItemId::parse(&own_id(&self.next, KIND, arn)?).filter(|id| {
            let spans = self.next.items.get(id).map(|item| item.versions.spans());
            spans.is_some_and(|spans| spans.iter().any(|span| range.meets(span)))
        });
        let Some(id) = id else {
            let message = format!("there is no custom line item `{arn}` in {range}");
            return Err(Refusal::invalid(ValidationReason::MissingCustomlineitem, message));
        };
        if let Some(parent) = first_with(&self.next.items, range, None, |item| is_of(item, &id)) {
            let message = format!(
                "custom line item `{parent}` is a percentage of `{id}`; disassociate it there first, from {} on",
                range.start
            );
            return Err(Refusal::invalid(ValidationReason::CustomLineItemAssociationExists, message));
        }
        let now = self.moment.now;
        self.next.items.change(&id, |resource| {
            resource.versions.change(range.start, range.end, now, |_| None);
            resource.modified_at = now;
        });
        self.touched.insert(Touched::Item(id.clone()));
        Ok(id)
    }

    /// Whether items may be written for a range: it begins in the current period or the one before, or where the operator has set the write.
    pub(super) fn range_is_open(&self, range: PeriodRange) -> Result<(), Refusal> {
        let PeriodRange { start, end } = range;
        let current = self.moment.current;
        let refused = |message| Err(Refusal::invalid(ValidationReason::IllegalBillingPeriodRange, message));
        if let Some(end) = end.filter(|end| *end <= start) {
            return refused(format!(
                "the range ends at {end}, at or before its start {start}; the end is exclusive"
            ));
        }
        if start > current {
            return refused(format!("{start} has not begun; start in {current} or the period before"));
        }
        if start.next() < current && start < self.moment.period {
            return refused(format!("{start} is too long ago; start in {current} or the period before"));
        }
        if self.next.is_closed(start) {
            let message = format!("billing period {start} is closed; what it says does not change any more");
            return Err(Refusal::invalid(ValidationReason::InvalidBillingPeriodForOperation, message));
        }
        Ok(())
    }

    /// An item to write to that is there in a period, with all its versions.
    pub(super) fn item_here(
        &self,
        arn: &str,
        period: BillingPeriod,
    ) -> Result<(CustomLineItemId, Timeline<ItemSettings>), Refusal> {
        let id = CustomLineItemId::parse(&own_id(&self.next, KIND, arn)?);
        let Some((id, item)) = id.and_then(|id| Some((id.clone(), self.next.items.get(&id)?))) else {
            return Err(not_found(KIND, arn));
        };
        let versions = item.versions.clone();
        if versions.at(period).is_some() {
            return Ok((id, versions));
        }
        match versions.spans() {
            [] => Err(not_found(KIND, arn)),
            [first, ..] if period < first.from => Err(Refusal::invalid(
                ValidationReason::IllegalCustomlineitemUpdate,
                format!(
                    "custom line item `{arn}` begins in {}; it is not charged for {period}, and its periods do not change",
                    first.from
                ),
            )),
            _ => Err(Refusal::invalid(
                ValidationReason::IllegalCustomlineitemModification,
                format!(
                    "custom line item `{arn}` has ended before {period}; name a period that it is charged for"
                ),
            )),
        }
    }

    /// The group of a new item, which has to be there as long as the item.
    fn group_of_item(&self, text: &str, range: PeriodRange) -> Result<BillingGroupId, Refusal> {
        let id = BillingGroupId::parse(&own_id(&self.next, ResourceType::BillingGroup, text)?);
        let found = id.and_then(|id| Some((id.clone(), &self.next.groups.get(&id)?.versions)));
        let Some((id, versions)) = found.filter(|(_, versions)| !versions.is_empty()) else {
            let message = format!("there is no billing group `{text}`");
            return Err(Refusal::invalid(ValidationReason::MissingBillinggroup, message));
        };
        if range.lasts(versions.holds_until(range.start, |_| true)) {
            return Ok(id);
        }
        if versions.spans().first().is_some_and(|first| range.start < first.from) {
            let message =
                format!("billing group `{text}` begins after {}; start the item with it", range.start);
            return Err(Refusal::invalid(ValidationReason::InvalidBillingGroup, message));
        }
        let message = format!("billing group `{text}` has ended; the item is charged for {range}");
        Err(Refusal::invalid(ValidationReason::IllegalEndedBillinggroup, message))
    }

    /// What a group is in the periods of a range.
    fn group_in(
        &self,
        group: &BillingGroupId,
        range: PeriodRange,
    ) -> impl Iterator<Item = (PeriodRange, &GroupSettings)> {
        let spans = self.next.groups.get(group).map(|group| group.versions.spans());
        let part = move |span| Some((range.and(PeriodRange::of(span))?, &span.value));
        spans.into_iter().flatten().filter_map(part)
    }

    /// The member of a group that carries the charge: it has to be one in every period of the item.
    fn carrier(&self, text: &str, group: &BillingGroupId, range: PeriodRange) -> Result<AccountId, Refusal> {
        let is_member = |account: &AccountId| {
            self.group_in(group, range).all(|(range, settings)| {
                let membership = self.next.memberships.get(account);
                let stays =
                    || membership.and_then(|of| of.holds_until(range.start, |member_of| member_of == group));
                let transfer = settings.transfer.as_ref().and_then(|name| self.next.transfers.get(name));
                settings.primary_account == *account
                    || transfer.is_some_and(|transfer| transfer.accounts.contains(account))
                    || range.lasts(stays())
            })
        };
        AccountId::parse(text).filter(is_member).ok_or_else(|| {
            let message = format!("account `{text}` is not a member of billing group `{group}` in {range}");
            Refusal::invalid(ValidationReason::IllegalAccountId, message)
        })
    }

    /// Whether the group's plan lets an item be shown under a service or beside each line.
    fn group_shows(&self, new: &NewItem, group: &BillingGroupId, range: PeriodRange) -> Result<(), Refusal> {
        if new.presentation_service.is_none() && new.itemized != Some(true) {
            return Ok(());
        }
        for (_, settings) in self.group_in(group, range) {
            let plan = match &settings.pricing_plan {
                PlanOf::Passthrough => "Passthrough",
                PlanOf::Basic if settings.transfer.is_some() => "BasicPricingPlan",
                PlanOf::Basic | PlanOf::Own(_) => continue,
            };
            let message = format!(
                "billing group `{group}` has the plan `{plan}`, with which items are CONSOLIDATED charges under the Billing \
                 Conductor only: leave out the service and ITEMIZED, or give the group a plan of your own"
            );
            return Err(Refusal::invalid(ValidationReason::IllegalBillingGroupPricingPlan, message));
        }
        Ok(())
    }

    fn item_name_is_free(
        &self,
        name: &str,
        range: PeriodRange,
        but: Option<&CustomLineItemId>,
    ) -> Result<(), Refusal> {
        match first_with(&self.next.items, range, but, |item| item.name == name) {
            Some(other) => Err(name_taken(&self.next, (KIND, other.as_str()), name)),
            None => Ok(()),
        }
    }

    /// Whether the payer and the group may have one more item.
    fn items_have_room(&self, new: &ItemSettings, range: PeriodRange) -> Result<(), Refusal> {
        if most_at_once(range, all_spans(&self.next.items)) >= Quota::CustomLineItems.limit().1 {
            return Err(Refusal::limit(Quota::CustomLineItems, None));
        }
        if is_filtered(new) {
            self.group_has_room(None, new, Quota::FilteredItemsPerBillingGroup, range, is_filtered)?;
        }
        if is_itemized(new) {
            self.group_has_room(None, new, Quota::ItemizedItemsPerBillingGroup, range, is_itemized)?;
        }
        Ok(())
    }

    fn may_be_filtered(
        &self,
        id: &CustomLineItemId,
        item: &ItemSettings,
        range: PeriodRange,
    ) -> Result<(), Refusal> {
        self.group_has_room(Some(id), item, Quota::FilteredItemsPerBillingGroup, range, is_filtered)
    }

    fn group_has_room(
        &self,
        but: Option<&CustomLineItemId>,
        item: &ItemSettings,
        quota: Quota,
        range: PeriodRange,
        counts: impl Fn(&ItemSettings) -> bool,
    ) -> Result<(), Refusal> {
        let others = self.next.items.iter().filter(|(id, _)| Some(*id) != but);
        let spans = others.flat_map(|(_, resource)| resource.versions.spans());
        let of_group = |other: &ItemSettings| other.billing_group == item.billing_group && counts(other);
        if most_at_once(range, spans.filter(|span| of_group(&span.value))) >= quota.limit().1 {
            let resource = (ResourceType::BillingGroup, item.billing_group.to_string());
            return Err(Refusal::limit(quota, Some(resource)));
        }
        Ok(())
    }
}

impl Change {
    /// Whether two versions are alike in what this changes.
    fn is_alike(&self, one: &ItemSettings, other: &ItemSettings) -> bool {
        match self {
            Self::Name(_) => one.name == other.name,
            Self::Description(_) => one.description == other.description,
            Self::Charge(change) => change.is_alike(&one.charge, &other.charge),
        }
    }

    /// A version with the change made.
    fn of(&self, item: &ItemSettings) -> ItemSettings {
        let mut changed = item.clone();
        match self {
            Self::Name(name) => changed.name.clone_from(name),
            Self::Description(description) => changed.description.clone_from(description),
            Self::Charge(change) => change.apply(&mut changed.charge),
        }
        changed
    }
}

/// Whether an item is a percentage of a flat one.
pub(in crate::configuration) fn is_of(item: &ItemSettings, flat: &CustomLineItemId) -> bool {
    use crate::configuration::AssociatedValue;
    match &item.charge {
        ChargeSettings::Percentage { of, .. } => of.contains(&AssociatedValue::Item(flat.clone())),
        ChargeSettings::Flat(_) => false,
    }
}

/// A version that is no percentage of a value.
fn without(item: &ItemSettings, value: &crate::configuration::AssociatedValue) -> ItemSettings {
    let mut item = item.clone();
    if let ChargeSettings::Percentage { of, .. } = &mut item.charge {
        of.remove(value);
    }
    item
}

fn is_filtered(item: &ItemSettings) -> bool {
    matches!(&item.charge, ChargeSettings::Percentage { filter: Some(_), .. })
}

fn is_itemized(item: &ItemSettings) -> bool {
    item.itemized == Some(true)
}

fn check_computation(new: &NewItem, charge: &ChargeSettings) -> Result<(), Refusal> {
    let refused = |message| Err(Refusal::invalid(ValidationReason::IllegalComputationRule, message));
    match (new.itemized, charge) {
        (Some(true), ChargeSettings::Flat(_)) => {
            refused("a flat charge is one amount; ITEMIZED is for percentages")
        }
        (Some(true), _) if new.presentation_service.is_some() => {
            refused("an ITEMIZED charge stands beside its line; it has no presentation service of its own")
        }
        _ => Ok(()),
    }
}
