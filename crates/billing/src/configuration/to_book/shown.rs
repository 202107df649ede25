//! What of the configuration a period's book can show where that is not just what holds in it: custom line items with ranges of their own, and
//! billing transfers, which have no versions.

use crate::account::AccountId;
use crate::configuration::{
    AssociatedValue, ChargeSettings, Configuration, CustomLineItemId, ItemSettings, PlanOf, Span,
    TransferSettings,
};
use crate::period::BillingPeriod;
use crate::responsibility_transfer::{Phase, ResponsibilityTransfer};
use std::collections::{BTreeMap, BTreeSet};

impl TransferSettings {
    /// The transfer as a book has it.
    #[must_use]
    pub fn named(&self, name: &str) -> ResponsibilityTransfer {
        ResponsibilityTransfer {
            name: name.to_owned(),
            source: self.source.clone(),
            receiver: self.receiver.clone(),
            accounts: self.accounts.iter().cloned().collect(),
            status: self.status,
            start: self.start,
            end: self.end,
        }
    }
}

impl Configuration {
    /// The custom line items of a period's book: each with the version that holds, or with the first one that begins later. A flat item that
    /// is over is there with its last version as long as a percentage of it is. What does not hold is left out where the group or the account
    /// that it names is not there, or another item has its name.
    pub(in crate::configuration) fn shown_items(
        &self,
        period: BillingPeriod,
    ) -> Vec<(&CustomLineItemId, &Span<ItemSettings>)> {
        let has_group =
            |span: &&Span<ItemSettings>| self.groups.at(&span.value.billing_group, period).is_some();
        let mut names: BTreeSet<&str> =
            self.items.in_period(period).map(|(.., item)| item.name.as_str()).collect();
        let (mut shown, mut later) = (BTreeMap::new(), Vec::new());
        for (id, resource) in self.items.iter() {
            if let Some(now) = resource.versions.span_at(period) {
                shown.extend(Some(now).filter(has_group).map(|now| (resource.number, (id, now))));
                continue;
            }
            let next = resource.versions.spans().iter().find(|span| period < span.from);
            let next = next.filter(|span| self.fits(&span.value, period));
            later.extend(next.map(|next| (resource.number, (id, next))));
        }
        // Of those that will have a name one after another, the first.
        later.sort_by_key(|(_, (_, span))| span.from);
        shown.extend(later.into_iter().filter(|(_, (_, span))| names.insert(&span.value.name)));
        let mut flat_items: BTreeSet<&CustomLineItemId> = BTreeSet::new();
        for (_, span) in shown.values() {
            flat_items.extend(span.value.associated_items());
        }
        for id in flat_items {
            let Some(resource) = self.items.get(id).filter(|of| !shown.contains_key(&of.number)) else {
                continue;
            };
            let last = resource.versions.spans().last().filter(|span| span.from <= period);
            let last = last.filter(|of| self.fits(&of.value, period) && names.insert(&of.value.name));
            shown.extend(last.map(|span| (resource.number, (id, span))));
        }
        shown.into_values().collect()
    }

    /// Whether an item of other periods could be of this one.
    fn fits(&self, item: &ItemSettings, period: BillingPeriod) -> bool {
        let Some((_, group)) = self.groups.at(&item.billing_group, period) else { return false };
        let carries = |account: &AccountId| {
            let transfer = group.transfer.as_ref().and_then(|name| self.transfers.get(name));
            *account == group.primary_account
                || self.group_of(account, period) == Some(&item.billing_group)
                || transfer.is_some_and(|of| of.accounts.contains(account))
        };
        let is_plain = item.presentation_service.is_none() && item.itemized != Some(true);
        item.account.as_ref().is_none_or(carries) && (is_plain || group.pricing_plan != PlanOf::Passthrough)
    }

    /// The billing transfers of a period's book, by name. Those of the period's groups come first: no account is of two organizations in the
    /// same months, nor of one and of a group, and a transfer whose source is another's is not there.
    pub(in crate::configuration) fn shown_transfers(
        &self,
        period: BillingPeriod,
    ) -> BTreeMap<String, TransferSettings> {
        let named: BTreeSet<&String> =
            self.groups.in_period(period).filter_map(|(.., group)| group.transfer.as_ref()).collect();
        let mut order: Vec<(&String, &TransferSettings)> = self.transfers.iter().collect();
        order.sort_by_key(|(name, transfer)| {
            (!named.contains(name), transfer.named(name).phase(period) == Phase::Gone)
        });
        let mut organizations: BTreeMap<&AccountId, Vec<ResponsibilityTransfer>> = BTreeMap::new();
        let mut shown: BTreeMap<String, TransferSettings> = BTreeMap::new();
        for (name, transfer) in order {
            let mut transfer = transfer.clone();
            if transfer.status.takes_effect() {
                transfer.accounts.retain(|account| self.group_of(account, period).is_none());
            }
            let whole = ResponsibilityTransfer { accounts: Vec::new(), ..transfer.named(name) };
            transfer.accounts.retain(|account| {
                let others = organizations.get(account).into_iter().flatten();
                !others.into_iter().any(|of: &ResponsibilityTransfer| of.overlaps(&whole))
            });
            if !transfer.accounts.contains(&transfer.source) {
                continue;
            }
            // The keys live as long as the configuration, which has the same accounts.
            let of_configuration = self.transfers[name].accounts.iter();
            for account in of_configuration.filter(|account| transfer.accounts.contains(account)) {
                organizations.entry(account).or_default().push(whole.clone());
            }
            shown.insert(name.clone(), transfer);
        }
        self.without_unreceived(shown)
    }

    /// The transfers whose bill somebody receives: the payer, or the source of another of them.
    fn without_unreceived(
        &self,
        mut shown: BTreeMap<String, TransferSettings>,
    ) -> BTreeMap<String, TransferSettings> {
        if shown.len() == self.transfers.len() {
            return shown;
        }
        loop {
            let sources: BTreeSet<AccountId> = shown.values().map(|of| of.source.clone()).collect();
            let before = shown.len();
            shown.retain(|_, of| of.receiver == self.payer || sources.contains(&of.receiver));
            if shown.len() == before {
                return shown;
            }
        }
    }
}

impl ItemSettings {
    /// The flat items that it is a percentage of.
    pub(in crate::configuration) fn associated_items(&self) -> impl Iterator<Item = &CustomLineItemId> {
        let of = match &self.charge {
            ChargeSettings::Flat(_) => None,
            ChargeSettings::Percentage { of, .. } => Some(of),
        };
        of.into_iter().flatten().filter_map(|value| match value {
            AssociatedValue::BillingGroup => None,
            AssociatedValue::Item(id) => Some(id),
        })
    }

    /// Whether it may be one of the items that another one is a percentage of.
    pub(in crate::configuration) fn is_flat_item_beside(&self, other: &Self) -> bool {
        self.billing_group == other.billing_group && matches!(self.charge, ChargeSettings::Flat(_))
    }

    /// Whether two settings are of one item, of which the AWS API could make one from the other: the group, the type, and whether the charge
    /// is flat never change.
    pub(in crate::configuration) fn is_same_item(&self, other: &Self) -> bool {
        let is_flat = |item: &Self| matches!(item.charge, ChargeSettings::Flat(_));
        self.billing_group == other.billing_group
            && self.kind == other.kind
            && is_flat(self) == is_flat(other)
    }
}
