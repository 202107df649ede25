//! Billing transfers, and the billing groups that they make.

use super::{ByName, Check, Entry, unknown};
use crate::account::AccountId;
use crate::billing_group::{BillingGroup, UsageWindow};
use crate::book::{GroupDraft, ItemDraft, PASSTHROUGH_PLAN, TransferDraft};
use crate::period::BillingPeriod;
use crate::responsibility_transfer::{Phase, ResponsibilityTransfer, Status};
use std::collections::{BTreeMap, BTreeSet, HashMap};

const TABLE: &str = "responsibility_transfers";
/// How many transfers AWS lets stand in a row (AWS Billing and Cost Management user guide, quotas of billing transfer).
const CHAIN_MAX: usize = 2;

/// The way of a bill: the transfers that it passes through, and those of them that it would pass through again and again.
fn way(
    transfers: &[Option<ResponsibilityTransfer>],
    by_source: &BTreeMap<&AccountId, usize>,
    first: usize,
) -> (Vec<usize>, Vec<usize>) {
    let mut way = vec![first];
    let mut last = first;
    while let Some(next) = transfers[last].as_ref().and_then(|of| by_source.get(&of.receiver)) {
        if let Some(at) = way.iter().position(|number| number == next) {
            let circle = way[at..].to_vec();
            return (way, circle);
        }
        way.push(*next);
        last = *next;
    }
    (way, Vec::new())
}

impl Check<'_> {
    pub(super) fn transfers(&mut self) -> Vec<Option<ResponsibilityTransfer>> {
        let drafts = &self.draft.responsibility_transfers;
        let transfers: Vec<_> = (drafts.iter().enumerate())
            .map(|(number, draft)| self.transfer(Entry { table: TABLE, number }, draft))
            .collect();
        self.accounts_of_two(&transfers);
        self.chains(&transfers);
        transfers
    }

    fn transfer(&mut self, entry: Entry, draft: &TransferDraft) -> Option<ResponsibilityTransfer> {
        let source = self.account(&draft.source_account_id, entry.field("source_account_id"));
        let receiver = self.account(&draft.receiver_account_id, entry.field("receiver_account_id"));
        self.receiver(entry, draft);
        let accounts: Vec<Option<AccountId>> = (draft.accounts.iter().enumerate())
            .map(|(element, account)| self.account(account, entry.element("accounts", element)))
            .collect();
        let mut seen = BTreeSet::new();
        for (element, account) in draft.accounts.iter().enumerate() {
            let place = entry.element("accounts", element);
            if !seen.insert(account) {
                self.mistake::<()>(place, format!("account `{account}` is listed twice"));
            } else if *account == self.draft.payer_account_id {
                let message =
                    "the payer account receives the bill: it is in no organization that transfers it";
                self.mistake::<()>(place, message);
            }
        }
        if !draft.accounts.contains(&draft.source_account_id) {
            let message =
                format!("the source account `{}` must be among `accounts`", draft.source_account_id);
            self.mistake::<()>(entry.field("source_account_id"), message);
        }
        let status = Status::parse(&draft.status).or_else(|| {
            let names = Status::ALL.map(|(_, name)| name).join(", ");
            let message = format!("`{}` is not a status of a transfer; use one of {names}", draft.status);
            self.mistake(entry.field("status"), message)
        });
        let start = self.period(&draft.start, entry.field("start"));
        let end = draft.end.as_deref().map(|end| self.period(end, entry.field("end")));
        if let (Some(start), Some(Some(end))) = (start, end)
            && end <= start
        {
            let message = format!(
                "the transfer ends at `{end}`, at or before its start `{start}`; the end is exclusive"
            );
            self.mistake::<()>(entry.field("end"), message);
        }
        if status == Some(Status::Withdrawn) && end.is_none() {
            let message = "a withdrawn transfer goes on until its end: write it into `end`";
            self.mistake::<()>(entry.field("status"), message);
        }
        Some(ResponsibilityTransfer {
            name: draft.name.clone(),
            source: source?,
            receiver: receiver?,
            accounts: accounts.into_iter().collect::<Option<_>>()?,
            status: status?,
            start: start?,
            end: end.map_or(Some(None), |end| end.map(Some))?,
        })
    }

    /// Whether somebody is there to receive a bill.
    fn receiver(&mut self, entry: Entry, draft: &TransferDraft) {
        let (book, receiver) = (self.draft, &draft.receiver_account_id);
        let sources = || book.responsibility_transfers.iter().map(|transfer| &transfer.source_account_id);
        if *receiver != book.payer_account_id && !sources().any(|source| source == receiver) {
            let message = format!(
                "`{receiver}` receives no bill here: the receiver is the payer account `{}`, or the source account of another transfer",
                book.payer_account_id
            );
            self.mistake::<()>(entry.field("receiver_account_id"), message);
        }
    }

    /// No account may be in two transfers that are in force together.
    fn accounts_of_two(&mut self, transfers: &[Option<ResponsibilityTransfer>]) {
        let mut known: HashMap<&AccountId, Vec<usize>> = HashMap::new();
        for (number, transfer) in transfers.iter().enumerate() {
            let Some(transfer) = transfer else { continue };
            for (element, account) in transfer.accounts.iter().enumerate() {
                let earlier = known.entry(account).or_default();
                let other = earlier.iter().find_map(|other| {
                    transfers[*other].as_ref().filter(|of| *other != number && of.overlaps(transfer))
                });
                if let Some(other) = other {
                    let message = format!(
                        "billing transfer `{}` already has account `{account}` in the same months; remove it there first, or end that \
                         transfer before this one starts",
                        other.name
                    );
                    let place = Entry { table: TABLE, number }.element("accounts", element);
                    self.mistake::<()>(place, message);
                }
                earlier.push(number);
            }
        }
    }

    /// Follows every bill to the payer, in every month in which something begins: nobody receives its own.
    fn chains(&mut self, transfers: &[Option<ResponsibilityTransfer>]) {
        let months: BTreeSet<BillingPeriod> = transfers.iter().flatten().map(|of| of.start).collect();
        let (mut circles, mut long) = (BTreeMap::new(), BTreeSet::new());
        for month in months {
            let mut by_source: BTreeMap<&AccountId, usize> = BTreeMap::new();
            for (number, transfer) in transfers.iter().enumerate() {
                let in_force = transfer.as_ref().filter(|of| of.phase(month) == Phase::InForce);
                by_source.extend(in_force.map(|of| (&of.source, number)));
            }
            for first in by_source.values() {
                let (way, circle) = way(transfers, &by_source, *first);
                if way.len() > CHAIN_MAX {
                    long.insert(*first);
                }
                // Known by its first transfer in the book, wherever one comes into it.
                if let Some(least) = circle.iter().min().copied() {
                    circles.insert(least, circle);
                }
            }
        }
        for (least, circle) in circles {
            let name = |number: usize| format!("`{}`", self.draft.responsibility_transfers[number].name);
            let message = format!(
                "a bill comes back to its own source: billing transfers {} receive each other's; one of them must go to the payer",
                circle.into_iter().map(name).collect::<Vec<_>>().join(", ")
            );
            let place = Entry { table: TABLE, number: least }.field("receiver_account_id");
            self.mistake::<()>(place, message);
        }
        for number in long {
            let place = Entry { table: TABLE, number }.field("receiver_account_id");
            self.warn(place, "AWS allows at most two transfers in a row");
        }
    }

    /// A group that a billing transfer makes: whose accounts it has follows from that.
    pub(super) fn transfer_group(
        &mut self,
        entry: Entry,
        group: &GroupDraft,
        (name, transfers): (&str, &ByName<'_>),
        plans: &ByName<'_>,
    ) -> Option<BillingGroup> {
        for (field, given) in [
            ("primary_account_id", !group.primary_account_id.is_empty()),
            ("accounts", !group.accounts.is_empty()),
            ("lines", !group.lines.is_empty()),
            ("auto_associate", group.auto_associate),
            ("usage_from", group.usage_from.is_some()),
            ("usage_through", group.usage_through.is_some()),
        ] {
            if given {
                let message = "follows from the billing transfer: remove it here";
                self.mistake::<()>(entry.field(field), message);
            }
        }
        let draft = self.draft;
        let place = entry.field("responsibility_transfer");
        let others = &draft.billing_groups[..entry.number];
        if let Some(other) =
            others.iter().find(|other| other.responsibility_transfer.as_deref() == Some(name))
        {
            let message = format!(
                "billing transfer `{name}` already makes billing group `{}`; a transfer makes one group",
                other.name
            );
            self.mistake::<()>(place.clone(), message);
        }
        let pricing_plan = self.plan_of_group(entry, group, plans);
        let Some(number) = transfers.get(name).copied() else {
            return self.mistake(place, unknown("billing transfer", name, transfers));
        };
        // What is wrong with the transfer is said there.
        let transfer = &draft.responsibility_transfers[number];
        let accounts = transfer.accounts.iter().map(|account| AccountId::parse(account));
        Some(BillingGroup {
            name: group.name.clone(),
            description: group.description.clone(),
            primary_account: AccountId::parse(&transfer.source_account_id)?,
            accounts: accounts.collect::<Option<_>>()?,
            transfer: Some(number),
            lines: Vec::new(),
            pricing_plan: pricing_plan?,
            auto_associate: false,
            parent: None,
            usage: UsageWindow::default(),
        })
    }

    /// No account of a group of one's own is in an organization that transfers its bill.
    pub(super) fn groups_against_transfers(&mut self) {
        let draft = self.draft;
        let effective =
            |transfer: &&TransferDraft| Status::parse(&transfer.status).is_none_or(Status::takes_effect);
        let mut transfer_of: HashMap<&str, &str> = HashMap::new();
        for transfer in draft.responsibility_transfers.iter().filter(effective) {
            transfer_of
                .extend(transfer.accounts.iter().map(|account| (account.as_str(), transfer.name.as_str())));
        }
        for (number, group) in draft.billing_groups.iter().enumerate() {
            if group.responsibility_transfer.is_some() {
                continue;
            }
            for (element, account) in group.accounts.iter().enumerate() {
                if let Some(transfer) = transfer_of.get(account.as_str()) {
                    let message = format!(
                        "billing transfer `{transfer}` has account `{account}`: an account is in one group; remove it there or here"
                    );
                    let place = Entry { table: "billing_groups", number }.element("accounts", element);
                    self.mistake::<()>(place, message);
                }
            }
        }
    }

    /// What AWS refuses of custom line items where a bill is passed through.
    pub(super) fn item_of_passthrough(&mut self, entry: Entry, item: &ItemDraft, group: &GroupDraft) {
        let own_plan = self.draft.pricing_plans.iter().any(|plan| plan.name == group.pricing_plan);
        if group.pricing_plan != PASSTHROUGH_PLAN || own_plan {
            return;
        }
        for (field, given) in [
            ("presentation_service", item.presentation_service.is_some()),
            ("computation_rule", item.computation_rule.as_deref() == Some("ITEMIZED")),
        ] {
            if given {
                let message = format!(
                    "billing group `{}` has the plan `{PASSTHROUGH_PLAN}`, whose items AWS shows as CONSOLIDATED charges under the \
                     Billing Conductor only (ILLEGAL_BILLING_GROUP_PRICING_PLAN): remove it, or give the group another plan",
                    group.name
                );
                self.mistake::<()>(entry.field(field), message);
            }
        }
    }
}
