//! Line filters: of billing groups below the account, and of policies.

use super::{Check, Place};
use crate::book::LineFilterDraft;
use crate::line_filter::LineFilter;

impl Check<'_> {
    /// A filter with at least one condition; no value of a condition is empty.
    pub(super) fn line_filter(&mut self, draft: &LineFilterDraft, place: &Place) -> Option<LineFilter> {
        let accounts: Vec<_> =
            draft.accounts.iter().map(|account| self.account(account, place.clone())).collect();
        let texts = [
            &draft.services,
            &draft.usage_types,
            &draft.line_item_types,
            &draft.descriptions,
            &draft.resources,
            &draft.without_tags,
            &draft.without_cost_categories,
        ];
        let by_name = || draft.tags.iter().chain(&draft.cost_categories);
        let names = by_name().map(|(name, _)| name);
        if texts
            .into_iter()
            .flatten()
            .chain(names)
            .chain(by_name().flat_map(|(_, values)| values))
            .any(String::is_empty)
        {
            return self.mistake(place.clone(), "a condition is empty; name what lines must have, or use `without_tags` for those that have nothing");
        }
        if let Some((name, _)) = by_name().find(|(_, values)| values.is_empty()) {
            return self
                .mistake(place.clone(), format!("`{name}` has no values; name those that lines must have"));
        }
        if accounts.is_empty() && by_name().next().is_none() && texts.iter().all(|list| list.is_empty()) {
            return self.mistake(place.clone(), "has no condition: it would select every line of the month; name accounts, services, line item types, tags, cost categories or resources");
        }
        Some(LineFilter {
            accounts: accounts.into_iter().collect::<Option<_>>()?,
            services: draft.services.clone(),
            usage_types: draft.usage_types.clone(),
            line_item_types: draft.line_item_types.clone(),
            descriptions: draft.descriptions.clone(),
            tags: draft.tags.clone(),
            cost_categories: draft.cost_categories.clone(),
            resources: draft.resources.clone(),
            without_tags: draft.without_tags.clone(),
            without_cost_categories: draft.without_cost_categories.clone(),
        })
    }
}
