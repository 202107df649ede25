//! Custom line items.

use super::{ByName, Check, Entry, Place, unknown};
use crate::account::AccountId;
use crate::book::{FilterDraft, ItemDraft};
use crate::custom_line_item::{Charge, CustomLineItem, Filter, Kind, PercentageCharge};
use crate::money::{Cost, Currency, Percentage};
use crate::period::BillingPeriod;

impl Check<'_> {
    pub(super) fn items(&mut self, groups: &ByName<'_>) -> Vec<Option<CustomLineItem>> {
        let draft = self.draft;
        let names =
            self.by_name("custom_line_items", draft.custom_line_items.iter().map(|item| item.name.as_str()));
        let item =
            |(number, item)| self.item(Entry { table: "custom_line_items", number }, item, groups, &names);
        draft.custom_line_items.iter().enumerate().map(item).collect()
    }

    fn item(
        &mut self,
        entry: Entry,
        item: &ItemDraft,
        groups: &ByName<'_>,
        items: &ByName<'_>,
    ) -> Option<CustomLineItem> {
        let kind = match &*item.kind {
            "FEE" => Some(Kind::Fee),
            "CREDIT" => Some(Kind::Credit),
            other => self.mistake(entry.field("type"), format!("`{other}` is not a type; use FEE or CREDIT")),
        };
        let start = self.period(&item.start, entry.field("start"));
        let end = item.end.as_deref().map(|end| self.period(end, entry.field("end")));
        if let (Some(start), Some(Some(end))) = (start, end)
            && end <= start
        {
            let message =
                format!("the item ends at `{end}`, at or before its start `{start}`; the end is exclusive");
            self.mistake::<()>(entry.field("end"), message);
        }
        if item.presentation_service.as_deref() == Some("") {
            self.mistake::<()>(entry.field("presentation_service"), "is empty; name a service, or remove it");
        }
        let corrects = item.corrects.as_deref().map(|of| self.corrected(entry, of, start));
        let charge = self.charge(entry, item, items);
        let currency = self.item_currency(entry, item);
        let group = groups.get(item.billing_group.as_str()).copied();
        if group.is_none() {
            let message = unknown("billing group", &item.billing_group, groups);
            self.mistake::<()>(entry.field("billing_group"), message);
        }
        if let Some(group) = group {
            let draft = self.draft;
            self.item_of_passthrough(entry, item, &draft.billing_groups[group]);
        }
        let account = self.item_account(entry, item, group?);
        let end = end.map_or(Some(None), |end| end.map(Some));
        Some(CustomLineItem {
            name: item.name.clone(),
            description: item.description.clone(),
            billing_group: group?,
            kind: kind?,
            charge: charge?,
            currency: currency?,
            account: account?,
            presentation_service: item.presentation_service.clone(),
            start: start?,
            end: end?,
            corrects: corrects.map_or(Some(None), |of| of.map(Some))?,
            origin: None,
        })
    }

    /// The earlier period that an item corrects.
    fn corrected(&mut self, entry: Entry, of: &str, start: Option<BillingPeriod>) -> Option<BillingPeriod> {
        let place = entry.field("corrects");
        let corrects = self.period(of, place.clone())?;
        if start.is_some_and(|start| start <= corrects) {
            let message =
                format!("the item corrects `{of}` and starts no later; a correction stands in a later month");
            return self.mistake(place, message);
        }
        Some(corrects)
    }

    /// The currency of a flat item where it is not the book's.
    fn item_currency(&mut self, entry: Entry, item: &ItemDraft) -> Option<Option<Currency>> {
        let place = entry.field("currency");
        let Some(code) = &item.currency else { return Some(None) };
        if item.percentage_value.is_some() {
            let message = "a percentage is charged in the currencies of what it is taken of; remove it";
            return self.mistake(place, message);
        }
        let currency = self.currency(code, place)?;
        Some((self.draft.currency_code() != code).then_some(currency))
    }

    fn item_account(&mut self, entry: Entry, item: &ItemDraft, number: usize) -> Option<AccountId> {
        let draft = self.draft;
        let group = &draft.billing_groups[number];
        let (primary, accounts) = draft.members_of(group);
        let account = item.account_id.as_ref().unwrap_or(primary);
        let may_carry = account == primary || accounts.contains(account);
        if item.account_id.is_some() && !may_carry && !self.stands_below(number, account) {
            let message = format!("account `{account}` is not a member of billing group `{}`", group.name);
            return self.mistake(entry.field("account_id"), message);
        }
        AccountId::parse(account)
    }

    fn charge(&mut self, entry: Entry, item: &ItemDraft, items: &ByName<'_>) -> Option<Charge> {
        match (item.flat_charge_value, item.percentage_value) {
            (Some(value), None) => self.flat(entry, item, value),
            (None, Some(percentage)) => self.percentage(entry, item, percentage, items),
            _ => {
                let message = "an item has either `flat_charge_value` or `percentage_value`";
                self.mistake(entry.field("name"), message)
            }
        }
    }

    fn flat(&mut self, entry: Entry, item: &ItemDraft, value: Cost) -> Option<Charge> {
        for (field, given) in [
            ("associated_values", item.associated_values.is_some()),
            ("line_item_filters", !item.line_item_filters.is_empty()),
            ("computation_rule", item.computation_rule.as_deref() == Some("ITEMIZED")),
        ] {
            if given {
                return self
                    .mistake(entry.field(field), format!("`{field}` is for percentage items; remove it"));
            }
        }
        self.computation_rule(entry, item)?;
        if value < Cost::ZERO {
            let message =
                format!("`{value}` is negative; the type says the sign: FEE adds, CREDIT takes away");
            return self.mistake(entry.field("flat_charge_value"), message);
        }
        Some(Charge::Flat(value))
    }

    /// Whether the item is itemized.
    fn computation_rule(&mut self, entry: Entry, item: &ItemDraft) -> Option<bool> {
        match item.computation_rule.as_deref() {
            None | Some("CONSOLIDATED") => Some(false),
            Some("ITEMIZED") if item.presentation_service.is_some() => {
                let message =
                    "an ITEMIZED charge stands beside its line; it has no presentation service of its own";
                self.mistake(entry.field("presentation_service"), message)
            }
            Some("ITEMIZED") => Some(true),
            Some(other) => {
                let message = format!("`{other}` is not a computation rule; use CONSOLIDATED or ITEMIZED");
                self.mistake(entry.field("computation_rule"), message)
            }
        }
    }

    fn percentage(
        &mut self,
        entry: Entry,
        item: &ItemDraft,
        percentage: Percentage,
        items: &ByName<'_>,
    ) -> Option<Charge> {
        let itemized = self.computation_rule(entry, item);
        let filter = self.filter(entry, item);
        if percentage < Percentage::ZERO {
            let message =
                format!("`{percentage}` is negative; the type says the sign: FEE adds, CREDIT takes away");
            return self.mistake(entry.field("percentage_value"), message);
        }
        let mut of_billing_group = item.associated_values.is_none();
        let mut of_items = Vec::new();
        for (element, value) in item.associated_values.iter().flatten().enumerate() {
            let place = entry.element("associated_values", element);
            if value == "billing_group" {
                if of_billing_group {
                    return self.mistake(place, format!("`{value}` is listed twice"));
                }
                of_billing_group = true;
            } else if let Some(number) = self.associated_item(place, item, value, items) {
                if of_items.contains(&number) {
                    let place = entry.element("associated_values", element);
                    return self.mistake(place, format!("`{value}` is listed twice"));
                }
                of_items.push(number);
            }
        }
        if itemized? && !of_items.is_empty() {
            let message =
                "an ITEMIZED charge is made beside each line; flat items cannot be among its values";
            return self.mistake(entry.field("associated_values"), message);
        }
        let (itemized, filter) = (itemized?, filter?);
        Some(Charge::Percentage(PercentageCharge {
            percentage,
            of_billing_group,
            of_items,
            filter,
            itemized,
        }))
    }

    fn associated_item(
        &mut self,
        place: Place,
        item: &ItemDraft,
        value: &str,
        items: &ByName<'_>,
    ) -> Option<usize> {
        let draft = self.draft;
        let Some(&number) = items.get(value) else {
            return self.mistake(place, unknown("custom line item", value, items));
        };
        let other = &draft.custom_line_items[number];
        if other.flat_charge_value.is_none() {
            let message = format!("`{value}` is a percentage item; only flat items can be associated");
            return self.mistake(place, message);
        }
        if other.billing_group != item.billing_group {
            let message =
                format!("`{value}` belongs to billing group `{}`, not to this item's", other.billing_group);
            return self.mistake(place, message);
        }
        Some(number)
    }

    fn filter(&mut self, entry: Entry, item: &ItemDraft) -> Option<Option<Filter>> {
        let [filter] = item.line_item_filters.as_slice() else {
            if item.line_item_filters.is_empty() {
                return Some(None);
            }
            return self
                .mistake(entry.field("line_item_filters"), "an item has at most one line item filter");
        };
        let FilterDraft { attribute, match_option, values, attribute_values } = filter;
        let one = |list: &Option<Vec<String>>| match list.as_deref() {
            Some([value]) if !value.is_empty() => Some(value.clone()),
            _ => None,
        };
        let found = match (attribute.as_str(), match_option.as_str(), one(values), one(attribute_values)) {
            ("LINE_ITEM_TYPE", "NOT_EQUAL", Some(value), None) if value == "SAVINGS_PLAN_NEGATION" => {
                Filter::WithoutSavingsPlanNegation
            }
            ("SERVICE", "EQUAL", None, Some(service)) => Filter::OnlyService(service),
            ("SERVICE", "NOT_EQUAL", None, Some(service)) => Filter::WithoutService(service),
            _ => {
                let message = "a filter is LINE_ITEM_TYPE NOT_EQUAL with values [\"SAVINGS_PLAN_NEGATION\"], or SERVICE \
                               EQUAL or NOT_EQUAL with one service code in attribute_values";
                return self.mistake(entry.field("line_item_filters"), message);
            }
        };
        Some(Some(found))
    }
}
