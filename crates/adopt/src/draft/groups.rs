//! Billing groups, their accounts, and the billing transfers that make some of them.

use super::{Adoption, managed_plan};
use crate::set_up::{id_of, is_of_transfer, transfer_of};
use aws_sdk_billingconductor::types::{BillingGroupListElement, BillingGroupStatus};
use billing::book::{GroupDraft, TransferDraft};
use std::collections::BTreeSet;

impl Adoption<'_> {
    pub(super) fn groups(&mut self) -> Vec<GroupDraft> {
        let set_up = self.set_up;
        let groups = set_up.groups.iter().map(|group| self.group(group)).collect();
        for account in &set_up.accounts {
            if let Some(arn) =
                account.billing_group_arn.as_ref().filter(|arn| self.group_names.of(arn).is_none())
            {
                let account = account.account_id.as_deref().unwrap_or_default();
                self.problem(format!("account `{account}` is in billing group `{arn}`, which is not listed"));
            }
        }
        groups
    }

    fn group(&mut self, group: &BillingGroupListElement) -> GroupDraft {
        let name = self.group_names.known(group.arn.as_ref());
        let of = format!("billing group `{name}`");
        let grouping = group.account_grouping.as_ref();
        let mut draft = GroupDraft {
            name,
            description: group.description.clone().filter(|text| !text.is_empty()),
            pricing_plan: self.plan_of(&of, group),
            auto_associate: grouping.and_then(|grouping| grouping.auto_associate).unwrap_or_default(),
            ..GroupDraft::default()
        };
        if is_of_transfer(group) {
            match transfer_of(group) {
                Some(transfer) => draft.responsibility_transfer = Some(transfer.to_owned()),
                None => self.problem(format!("{of}: its billing transfer is not told")),
            }
            return draft;
        }
        draft.primary_account_id = group.primary_account_id.clone().unwrap_or_default();
        draft.accounts = self.members(group);
        self.all_accounts(&of, group, draft.accounts.len());
        if !draft.accounts.contains(&draft.primary_account_id) {
            let primary = &draft.primary_account_id;
            let status = group.status.as_ref().map_or("unknown", BillingGroupStatus::as_str);
            self.notices.push(format!(
                "{of}: its primary account `{primary}` is no member any more (status {status}); a book has it as one"
            ));
            draft.accounts.insert(0, draft.primary_account_id.clone());
        }
        draft
    }

    /// The accounts of a group, its primary one first.
    fn members(&self, group: &BillingGroupListElement) -> Vec<String> {
        let id = group.arn.as_deref().map(id_of);
        let of_group =
            self.set_up.accounts.iter().filter(|it| it.billing_group_arn.as_deref().map(id_of) == id);
        let accounts: BTreeSet<String> = of_group.filter_map(|it| it.account_id.clone()).collect();
        let mut accounts = Vec::from_iter(accounts);
        accounts.sort_by_key(|account| Some(account) != group.primary_account_id.as_ref());
        accounts
    }

    /// Says so where the API counts more accounts than it names.
    fn all_accounts(&mut self, of: &str, group: &BillingGroupListElement, named: usize) {
        let size = group.size;
        if usize::try_from(size).is_ok_and(|size| size > named) {
            self.notice(format!(
                "{of}: has {size} accounts, of which the API names {named}; add the others to the book, or their lines are in no group"
            ));
        }
    }

    fn plan_of(&mut self, of: &str, group: &BillingGroupListElement) -> String {
        let Some(preference) = &group.computation_preference else {
            self.problem(format!("{of}: its pricing plan is not told"));
            return String::new();
        };
        let arn = &preference.pricing_plan_arn;
        if let Some(name) = managed_plan(arn).or(self.plan_names.of(arn)) {
            return name.to_owned();
        }
        self.problem(format!("{of}: its pricing plan `{arn}` is not among the pricing plans"));
        String::new()
    }

    /// The billing transfers that groups are of, as far as the API tells.
    pub(super) fn transfers(&mut self) -> Vec<TransferDraft> {
        let set_up = self.set_up;
        let of_transfers = set_up.groups.iter().filter_map(|group| Some((group, transfer_of(group)?)));
        let transfers = of_transfers.map(|(group, transfer)| self.transfer(group, transfer)).collect();
        for (transfer, preference) in &set_up.preferences {
            match preference {
                Ok(false) => {}
                Ok(true) => self.notice(format!(
                    "billing transfer `{transfer}`: groups are made by themselves for the transfers behind it; a book has no words for \
                     that"
                )),
                Err(problem) => self.notice(format!(
                    "billing transfer `{transfer}`: whether groups are made by themselves is not known: {problem}"
                )),
            }
        }
        transfers
    }

    fn transfer(&mut self, group: &BillingGroupListElement, transfer: &str) -> TransferDraft {
        let (of, period) = (format!("billing transfer `{transfer}`"), self.set_up.period);
        let is_pending = group.status == Some(BillingGroupStatus::Pending);
        let start = if is_pending { period.next() } else { period };
        self.notice(format!(
            "{of}: the API tells neither its receiver, status nor dates; the book has the payer, ACCEPTED, and {start} without an end: \
             compare it with the billing transfers of the account"
        ));
        let source = group.primary_account_id.clone().unwrap_or_default();
        if source.is_empty() {
            self.problem(format!("{of}: its source account is not told"));
        }
        let members = group.arn.as_deref().and_then(|arn| self.set_up.transferred.get(id_of(arn)));
        let accounts: BTreeSet<String> =
            members.into_iter().flatten().filter_map(|it| it.account_id.clone()).collect();
        let mut accounts = Vec::from_iter(accounts);
        // The source is of its own organization, whether it is listed or not.
        if !accounts.contains(&source) {
            accounts.push(source.clone());
        }
        self.all_accounts(&of, group, accounts.len());
        accounts.sort_by_key(|account| *account != source);
        TransferDraft {
            name: transfer.to_owned(),
            source_account_id: source,
            receiver_account_id: self.set_up.payer.clone(),
            accounts,
            status: "ACCEPTED".to_owned(),
            start: start.to_string(),
            end: None,
        }
    }
}
