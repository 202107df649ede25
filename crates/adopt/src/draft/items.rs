//! Custom line items: what they are in the period, with the range of the version that holds in it.

use super::{Adoption, BILLING_GROUP, period};
use crate::set_up::{Item, id_of};
use aws_sdk_billingconductor::types::{
    ComputationRuleEnum, CustomLineItemListElement, CustomLineItemVersionListElement, LineItemFilter,
    ListCustomLineItemChargeDetails, ListResourcesAssociatedToCustomLineItemResponseElement,
};
use billing::book::{FilterDraft, ItemDraft};
use billing::period::BillingPeriod;

/// The periods of an item: its first, and the first no more.
#[derive(Debug, Clone, Copy)]
struct Range {
    start: BillingPeriod,
    end: Option<BillingPeriod>,
}

impl Adoption<'_> {
    pub(super) fn items(&mut self) -> Vec<ItemDraft> {
        self.set_up.items.iter().filter_map(|item| self.item(item)).collect()
    }

    fn item(&mut self, listed: &Item) -> Option<ItemDraft> {
        let item = &listed.item;
        let name = self.item_names.known(item.arn.as_ref());
        let of = format!("custom line item `{name}`");
        let Some(group) = item.billing_group_arn.as_deref().and_then(|arn| self.group_names.of(arn)) else {
            let group = item.billing_group_arn.as_deref().unwrap_or("unknown");
            let period = self.set_up.period;
            self.notice(format!(
                "{of}: not carried over, its billing group `{group}` is not there in {period}, where it charges nothing"
            ));
            return None;
        };
        let billing_group = group.to_owned();
        let Some(details) = &item.charge_details else {
            self.problem(format!("{of}: its charge is not told"));
            return None;
        };
        let range = self.range(&of, &listed.versions);
        let mut draft = ItemDraft {
            name,
            description: item.description.clone().unwrap_or_default(),
            billing_group,
            kind: details.r#type.as_str().to_owned(),
            // Every item has a rule on the wire; in a book the other one needs no word.
            computation_rule: item
                .computation_rule
                .as_ref()
                .filter(|rule| **rule != ComputationRuleEnum::Consolidated)
                .map(|rule| rule.as_str().to_owned()),
            presentation_service: item.presentation_details.as_ref().map(|shown| shown.service.clone()),
            account_id: self.carrier(item),
            start: range.start.to_string(),
            end: range.end.map(|end| end.to_string()),
            ..ItemDraft::default()
        };
        self.charge(&of, details, &mut draft);
        if details.percentage.is_some() {
            draft.associated_values = self.base(&of, item, range, &listed.associated);
        }
        Some(draft)
    }

    fn charge(&mut self, of: &str, details: &ListCustomLineItemChargeDetails, draft: &mut ItemDraft) {
        if let Some(flat) = &details.flat {
            draft.flat_charge_value = Some(self.number(of, "charge value", flat.charge_value));
        }
        if let Some(percentage) = &details.percentage {
            draft.percentage_value = Some(self.number(of, "percentage", percentage.percentage_value));
        }
        draft.line_item_filters = details.line_item_filters.iter().flatten().map(filter).collect();
    }

    /// The account that carries the charge, where it is another than the group's primary one: the API names that one too.
    fn carrier(&self, item: &CustomLineItemListElement) -> Option<String> {
        let id = item.billing_group_arn.as_deref().map(id_of)?;
        let group = self.set_up.groups.iter().find(|group| group.arn.as_deref().map(id_of) == Some(id))?;
        item.account_id.clone().filter(|account| Some(account) != group.primary_account_id.as_ref())
    }

    /// The range of the version that holds in the period; of several, of the one that was made last.
    fn range(&mut self, of: &str, versions: &[CustomLineItemVersionListElement]) -> Range {
        let now = self.set_up.period;
        if versions.len() > 1 {
            let count = versions.len();
            self.notice(format!(
                "{of}: has {count} versions; the book has the one of {now}, for the periods that it holds in"
            ));
        }
        let mut ranges: Vec<(i64, Range)> = Vec::new();
        for version in versions {
            let start = version.start_billing_period.as_deref().and_then(period);
            let end = version.end_billing_period.as_deref().map(period);
            match (start, end) {
                (Some(start), None) => ranges.push((version.start_time, Range { start, end: None })),
                (Some(start), Some(Some(end))) => {
                    ranges.push((version.start_time, Range { start, end: Some(end) }));
                }
                _ => self.problem(format!("{of}: the periods of a version cannot be read: {version:?}")),
            }
        }
        let begun = || ranges.iter().filter(|(_, range)| range.start <= now);
        let holding = begun().filter(|(_, range)| range.end.is_none_or(|end| now < end));
        if let Some((_, range)) = holding.max_by_key(|(made, range)| (*made, range.start)) {
            return *range;
        }
        // AWS's words call the end exclusive in one place and inclusive in another.
        if let Some((_, range)) = begun().find(|(_, range)| range.end == Some(now)) {
            let end = now.next();
            self.notice(format!(
                "{of}: is listed in {now}, though its version ends at {now}; taken as the last period, so that the book ends it at {end}"
            ));
            return Range { end: Some(end), ..*range };
        }
        self.notice(format!(
            "{of}: no version tells its periods; the book has {now} without an end: compare it, so that it is not charged again"
        ));
        Range { start: now, end: None }
    }

    /// What a percentage is of. AWS has nothing that is 0 of it; a book says so with an empty list, and with none that it is of the group.
    fn base(
        &mut self,
        of: &str,
        item: &CustomLineItemListElement,
        range: Range,
        associated: &[ListResourcesAssociatedToCustomLineItemResponseElement],
    ) -> Option<Vec<String>> {
        let now = self.set_up.period;
        let group = item.billing_group_arn.as_deref().map(id_of);
        let mut values = Vec::new();
        for resource in associated {
            let Some(arn) = resource.arn.as_deref() else {
                self.problem(format!("{of}: something that it is of has no ARN"));
                continue;
            };
            let end = resource.end_billing_period.as_deref().and_then(period);
            if end.is_some_and(|end| end <= now) {
                self.notice(format!("{of}: was of `{arn}` until {now}; the book has it no more"));
                continue;
            }
            if let Some(until) = end.filter(|until| range.end.is_none_or(|end| *until < end)) {
                self.notice(format!("{of}: is of `{arn}` until {until} only; the book has no end for it"));
            }
            match self.item_names.of(arn) {
                _ if Some(id_of(arn)) == group => values.push(BILLING_GROUP.to_owned()),
                Some(flat) => values.push(flat.to_owned()),
                None => self.notice(format!(
                    "{of}: is of `{arn}`, which is not listed in {now} and adds nothing; the book leaves it out"
                )),
            }
        }
        // The group comes first, and the items in the order of the list.
        let order = |name: &String| {
            self.set_up.items.iter().position(|it| self.item_names.known(it.item.arn.as_ref()) == *name)
        };
        values.sort_by_key(order);
        let is_group_alone = values.len() == 1 && values[0] == BILLING_GROUP;
        (!is_group_alone).then_some(values)
    }
}

fn filter(filter: &LineItemFilter) -> FilterDraft {
    let values: Vec<String> = filter.values.iter().map(|value| value.as_str().to_owned()).collect();
    FilterDraft {
        attribute: filter.attribute.as_str().to_owned(),
        match_option: filter.match_option.as_str().to_owned(),
        values: Some(values).filter(|values| !values.is_empty()),
        attribute_values: filter.attribute_values.clone().filter(|values| !values.is_empty()),
    }
}
