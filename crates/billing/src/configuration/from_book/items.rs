//! Custom line items of a book: each has a range of its own, which is written as far as its months are open.

use super::{Changes, Reach, Said, write};
use crate::account::AccountId;
use crate::book::{Book, Draft};
use crate::configuration::{
    AssociatedValue, BillingGroupId, ChargeSettings, CustomLineItemId, Edit, GroupSettings, ItemSettings,
    PlanOf, Span, Timeline, Touched,
};
use crate::custom_line_item::{Charge, CustomLineItem};
use crate::money::Cost;
use crate::period::BillingPeriod;
use std::collections::{BTreeSet, HashMap, HashSet};

/// An item of the configuration as the book of the period shows it.
pub(super) type Shown = (CustomLineItemId, Span<ItemSettings>);

/// What is known of the months before the book's.
struct Earlier {
    /// The items of each name in any month, with the months.
    by_name: HashMap<String, Vec<(CustomLineItemId, BillingPeriod, Option<BillingPeriod>)>>,
    /// The last period up to the book's in which what a book alone can say was changed: policies make charges whose names may be an item's.
    other: Option<BillingPeriod>,
}

impl Earlier {
    fn of_name(
        &self,
        name: &str,
    ) -> impl Iterator<Item = &(CustomLineItemId, BillingPeriod, Option<BillingPeriod>)> {
        self.by_name.get(name).into_iter().flatten()
    }
}

impl Edit<'_> {
    /// The items that a book which is written now would take the place of, as the period's book shows them.
    pub(super) fn own_shown_items(&self, reach: Reach) -> Vec<Shown> {
        let shown = self.next.shown_items(reach.from);
        let by_id: HashMap<&CustomLineItemId, &ItemSettings> =
            shown.iter().map(|(id, span)| (*id, &span.value)).collect();
        let as_shown = |(id, span): &(&CustomLineItemId, &Span<ItemSettings>)| {
            let mut span = (*span).clone();
            let item = span.value.clone();
            if let ChargeSettings::Percentage { of, .. } = &mut span.value.charge {
                of.retain(|value| match value {
                    AssociatedValue::BillingGroup => true,
                    AssociatedValue::Item(id) => {
                        by_id.get(id).is_some_and(|flat| flat.is_flat_item_beside(&item))
                    }
                });
            }
            ((*id).clone(), span)
        };
        shown.iter().map(as_shown).collect()
    }

    pub(super) fn items_of_book(
        &mut self,
        draft: &Draft,
        book: &Book,
        groups: &[BillingGroupId],
        shown: &[Shown],
        reach: Reach,
    ) -> Changes {
        let earlier = self.earlier(reach);
        let given = draft.custom_line_items.iter().zip(&book.items);
        // What a percentage is of is not known before every item has its id, and tells no item from another.
        let mut settings: Vec<ItemSettings> =
            given.map(|(draft, item)| settings_of(item, draft.account_id.as_deref(), groups)).collect();
        let ids = self.item_ids(&settings, shown, &earlier);
        let begins = self.begins(&ids, &settings, book, &earlier, reach);
        for (settings, item) in settings.iter_mut().zip(&book.items) {
            if let (ChargeSettings::Percentage { of, .. }, Charge::Percentage(charge)) =
                (&mut settings.charge, &item.charge)
            {
                // An item that is over before the first open month is none.
                let items = charge.of_items.iter().map(|item| &ids[*item]);
                let there = items.filter(|id| self.next.items.get(id).is_some());
                of.extend(there.map(|id| AssociatedValue::Item(id.clone())));
            }
        }
        let mut changes = Changes::default();
        let shown_by_id: HashMap<&CustomLineItemId, &Span<ItemSettings>> =
            shown.iter().map(|(id, span)| (id, span)).collect();
        for (((id, value), item), from) in ids.iter().zip(settings).zip(&book.items).zip(begins) {
            let span = Span { from, to: item.end, value, recorded_at: reach.now };
            let is_shown =
                shown_by_id.get(id).is_some_and(|shown| is_shown_as(shown, &span, item.start, reach));
            let said = if is_shown { Said::Nothing } else { self.write_item(id, span, reach) };
            changes.add(&item.name, said);
        }
        for (id, name) in self.items_gone(&ids, groups, shown, reach) {
            self.next.items.change(&id, |item| {
                write(&mut item.versions, reach, None);
                item.modified_at = reach.now;
            });
            self.touched.insert(Touched::Item(id));
            changes.add(&name, Said::Ended);
        }
        changes
    }

    /// The items that the book does not have: those that the period's book shows, and those that it cannot show because the group or the account
    /// is not there any more, if the group is one of this book's. Of one that begins later for an
    /// account below a group without accounts, one cannot tell.
    fn items_gone(
        &self,
        ids: &[CustomLineItemId],
        groups: &[BillingGroupId],
        shown: &[Shown],
        reach: Reach,
    ) -> Vec<(CustomLineItemId, String)> {
        let kept: HashSet<&CustomLineItemId> = ids.iter().collect();
        let shown: HashSet<&CustomLineItemId> = shown.iter().map(|(id, _)| id).collect();
        let groups: HashSet<&BillingGroupId> = groups.iter().collect();
        let with_accounts: HashSet<&BillingGroupId> =
            self.next.memberships.values().filter_map(|of| of.at(reach.from)).collect();
        let is_hidden = |span: &Span<ItemSettings>| {
            let Span { value: item, .. } = span;
            let is_sure = item.account.is_none() || with_accounts.contains(&item.billing_group);
            groups.contains(&item.billing_group) && (is_sure || span.holds(reach.from))
        };
        let mut gone = Vec::new();
        for (id, item) in self.next.items.iter().filter(|(id, _)| !kept.contains(id)) {
            let span = item.versions.spans().iter().find(|span| reach.meets(span));
            let span = span.filter(|span| shown.contains(id) || is_hidden(span));
            gone.extend(span.map(|span| (id.clone(), span.value.name.clone())));
        }
        gone
    }

    /// Which item is which: the one of its name in the period, else the last one that had the name; unless it is another charge altogether.
    fn item_ids(
        &mut self,
        settings: &[ItemSettings],
        shown: &[Shown],
        earlier: &Earlier,
    ) -> Vec<CustomLineItemId> {
        let now: HashMap<&str, &Shown> =
            shown.iter().map(|shown| (shown.1.value.name.as_str(), shown)).collect();
        let mut ids: Vec<Option<CustomLineItemId>> = (settings.iter())
            .map(|item| {
                let of_name = now.get(item.name.as_str()).filter(|(_, span)| span.value.is_same_item(item));
                of_name.map(|(id, _)| id.clone())
            })
            .collect();
        let mut taken: HashSet<CustomLineItemId> = shown.iter().map(|(id, _)| id.clone()).collect();
        for (id, item) in ids.iter_mut().zip(settings) {
            if id.is_some() {
                continue;
            }
            let same = |id: &CustomLineItemId| {
                let spans = self.next.items.get(id).map_or(&[][..], |resource| resource.versions.spans());
                !taken.contains(id) && spans.iter().all(|span| span.value.is_same_item(item))
            };
            let of_name = earlier.of_name(&item.name).filter(|(id, ..)| same(id));
            let last = of_name.max_by_key(|(_, from, _)| *from).map(|(id, ..)| id.clone());
            let id = id.insert(last.unwrap_or_else(|| {
                self.fresh_id(CustomLineItemId::parse, |of, id| of.items.get(id).is_some())
            }));
            taken.insert(id.clone());
        }
        ids.into_iter().flatten().collect()
    }

    fn earlier(&self, reach: Reach) -> Earlier {
        let mut by_name: HashMap<String, Vec<_>> = HashMap::new();
        for (id, item) in self.next.items.iter() {
            for span in item.versions.spans() {
                let of_name = by_name.entry(span.value.name.clone()).or_default();
                of_name.push((id.clone(), span.from, span.to));
            }
        }
        Earlier { by_name, other: self.next.other.changes().filter(|change| *change <= reach.from).max() }
    }

    /// The first periods that the items are written to. New ones that are written to any are there from now on, in the book's order.
    fn begins(
        &mut self,
        ids: &[CustomLineItemId],
        settings: &[ItemSettings],
        book: &Book,
        earlier: &Earlier,
        reach: Reach,
    ) -> Vec<BillingPeriod> {
        let mut begins = Vec::with_capacity(ids.len());
        for ((id, settings), item) in ids.iter().zip(settings).zip(&book.items) {
            let begin = self.begin_of(id, settings, item.start, earlier, reach);
            let is_written = reach.end_of(item.end).is_none_or(|end| begin < end);
            if is_written && self.next.items.get(id).is_none() {
                let blank = self.blank();
                self.next.items.put(id.clone(), blank);
            }
            begins.push(begin);
        }
        begins
    }

    /// The first period that an item is written to. Where the book says an earlier one than its own, the item is charged from there on, as long
    /// as months are open, the group and the account are as they are in the book's period, and nothing else may have the name: no other item,
    /// nor, where policies were others, any of those.
    fn begin_of(
        &self,
        id: &CustomLineItemId,
        item: &ItemSettings,
        start: BillingPeriod,
        earlier: &Earlier,
        reach: Reach,
    ) -> BillingPeriod {
        if reach.from <= start {
            return start;
        }
        let open = reach.closed.map_or(start, |closed| start.max(closed.next()));
        let Some(group) = self.next.groups.get(&item.billing_group) else { return reach.from };
        let Some(now) = group.versions.at(reach.from) else { return reach.from };
        // Where there is no group, the item is in nobody's book.
        let passes = |group: &GroupSettings| group.pricing_plan == PlanOf::Passthrough;
        let is_like =
            |of: &GroupSettings| now.primary_account == of.primary_account && passes(now) == passes(of);
        let before = group.versions.spans().iter().filter(|span| span.from < reach.from);
        let last_other = before.rev().find(|span| !is_like(&span.value)).and_then(|span| span.to);
        let mut begin = last_other.unwrap_or(open).max(open);
        let is_older_than = |period| group.versions.spans().iter().any(|span| span.from < period);
        let own_account = |account: &&AccountId| **account != now.primary_account && now.transfer.is_none();
        if let Some(account) = item.account.as_ref().filter(own_account) {
            let member = self.next.memberships.get(account);
            let member = member.filter(|of| of.at(reach.from) == Some(&item.billing_group));
            let joined = member.map_or(reach.from, |of| joined_at(of, reach.from));
            begin = if is_older_than(joined) { begin.max(joined) } else { begin };
        }
        if let Some(changed) = earlier.other.filter(|changed| begin < *changed && is_older_than(*changed)) {
            let own = earlier.of_name(&item.name).filter(|(other, ..)| other == id);
            let own = own.map(|(_, from, to)| (*from, *to)).collect::<Vec<_>>();
            begin = begin.max(covered_to(&own, changed));
        }
        for (_, from, to) in earlier.of_name(&item.name).filter(|(other, ..)| other != id) {
            let is_in_way = *from < reach.from && to.is_none_or(|to| begin < to);
            if is_in_way {
                begin = begin.max(to.unwrap_or(reach.from));
            }
        }
        begin.min(reach.from)
    }

    /// Writes what a book says of an item, if that is not what is there.
    fn write_item(&mut self, id: &CustomLineItemId, span: Span<ItemSettings>, reach: Reach) -> Said {
        let Some(resource) = self.next.items.get(id) else { return Said::Nothing };
        let mut versions = resource.versions.clone();
        let was_there = versions.lasts_to(reach.from);
        let Span { from, to, value, recorded_at } = span;
        let to = reach.end_of(to);
        versions.clear(reach.from, reach.until);
        if to.is_none_or(|to| from < to) {
            versions.set(from, to, value, recorded_at);
        }
        versions.join();
        let holds = versions.lasts_to(reach.from);
        if says_the_same(&versions, &resource.versions) {
            return Said::Nothing;
        }
        self.next.items.change(id, |item| {
            item.versions = versions;
            item.modified_at = reach.now;
        });
        self.touched.insert(Touched::Item(id.clone()));
        match (was_there, holds) {
            (false, _) => Said::Created,
            (true, true) => Said::Changed,
            (true, false) => Said::Ended,
        }
    }
}

/// The settings of a book's item; flat items that a percentage is of are not among them yet.
fn settings_of(item: &CustomLineItem, account: Option<&str>, groups: &[BillingGroupId]) -> ItemSettings {
    let (charge, itemized) = match &item.charge {
        Charge::Flat(value) => (ChargeSettings::Flat(*value), false),
        // Only policies compute charges, and no book lists those.
        Charge::Computed(_) => (ChargeSettings::Flat(Cost::ZERO), false),
        Charge::Percentage(charge) => {
            let of: BTreeSet<AssociatedValue> =
                charge.of_billing_group.then_some(AssociatedValue::BillingGroup).into_iter().collect();
            let filter = charge.filter.clone();
            (ChargeSettings::Percentage { percentage: charge.percentage, of, filter }, charge.itemized)
        }
    };
    ItemSettings {
        name: item.name.clone(),
        description: item.description.clone(),
        billing_group: groups[item.billing_group].clone(),
        account: account.and_then(AccountId::parse),
        kind: item.kind,
        charge,
        itemized: itemized.then_some(true),
        presentation_service: item.presentation_service.clone(),
    }
}

/// Whether the book shows an item as it is: what it says of months before its own may be less than what is there.
fn is_shown_as(
    shown: &Span<ItemSettings>,
    said: &Span<ItemSettings>,
    start: BillingPeriod,
    reach: Reach,
) -> bool {
    let has_begun = shown.from <= said.from && said.from <= reach.from;
    shown.value == said.value && shown.to == said.to && (shown.from == start || has_begun)
}

/// The period from which on an account is, without a gap, in the group that it is in.
fn joined_at(groups: &Timeline<BillingGroupId>, period: BillingPeriod) -> BillingPeriod {
    let mut joined = period;
    for span in groups.spans().iter().rev().filter(|span| span.from <= period) {
        if Some(&span.value) != groups.at(period) || span.to.is_some_and(|to| to < joined) {
            break;
        }
        joined = span.from;
    }
    joined
}

/// The first of the periods up to one that ranges in order have without a gap.
fn covered_to(ranges: &[(BillingPeriod, Option<BillingPeriod>)], period: BillingPeriod) -> BillingPeriod {
    let mut first = period;
    for (from, to) in ranges.iter().rev().filter(|(from, _)| *from < period) {
        if to.is_some_and(|to| to < first) {
            break;
        }
        first = *from;
    }
    first
}

/// Whether two timelines say the same in every period, whenever it was said.
fn says_the_same(one: &Timeline<ItemSettings>, other: &Timeline<ItemSettings>) -> bool {
    let mut other = other.clone();
    other.join();
    let same = |(one, other): (&Span<ItemSettings>, &Span<ItemSettings>)| {
        (one.from, one.to) == (other.from, other.to) && one.value == other.value
    };
    one.spans().len() == other.spans().len() && one.spans().iter().zip(other.spans()).all(same)
}
