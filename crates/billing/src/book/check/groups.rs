//! Billing groups: whose account is whose.

use super::{ByName, Check, Entry, unknown};
use crate::account::AccountId;
use crate::billing_group::{BillingGroup, Plan, UsageWindow};
use crate::book::{BASIC_PRICING_PLAN, GroupDraft, PASSTHROUGH_PLAN};
use crate::line_filter::LineFilter;
use crate::period::day_of;
use std::collections::HashMap;

impl Check<'_> {
    pub(super) fn groups(&mut self, plans: &ByName<'_>, transfers: &ByName<'_>) -> Vec<Option<BillingGroup>> {
        let draft = self.draft;
        let mut members: HashMap<&str, usize> = HashMap::new();
        let mut automatic: Option<usize> = None;
        let (mut groups, mut lines) = (Vec::new(), Vec::new());
        for (number, group) in draft.billing_groups.iter().enumerate() {
            let entry = Entry { table: "billing_groups", number };
            for (element, account) in group.accounts.iter().enumerate() {
                if let Some(owner) = members.insert(account, number) {
                    members.insert(account, owner);
                    let message = if owner == number {
                        format!("account `{account}` is listed twice")
                    } else {
                        let owner = &draft.billing_groups[owner].name;
                        format!(
                            "billing group `{owner}` already owns account `{account}`; remove it there first"
                        )
                    };
                    self.mistake::<()>(entry.element("accounts", element), message);
                }
            }
            if group.auto_associate
                && let Some(first) = automatic.replace(number)
            {
                let first = &draft.billing_groups[first].name;
                let message =
                    format!("billing group `{first}` already has auto_associate; only one group may");
                self.mistake::<()>(entry.field("auto_associate"), message);
            }
            self.group_rule(entry, group);
            let filters = self.lines(entry, group);
            groups.push(match &group.responsibility_transfer {
                Some(transfer) => self.transfer_group(entry, group, (transfer, transfers), plans),
                None => self.group(entry, group, &filters, plans),
            });
            lines.push(filters);
        }
        self.lines_once(&lines);
        self.groups_against_transfers();
        groups
    }

    fn group(
        &mut self,
        entry: Entry,
        group: &GroupDraft,
        lines: &[Option<LineFilter>],
        plans: &ByName<'_>,
    ) -> Option<BillingGroup> {
        let primary_account = self.account(&group.primary_account_id, entry.field("primary_account_id"));
        let accounts: Vec<Option<AccountId>> = (group.accounts.iter().enumerate())
            .map(|(element, account)| self.account(account, entry.element("accounts", element)))
            .collect();
        // A group below the account has lines of accounts that may be another's: whom its own charges name is the operator's choice.
        let is_member = group.accounts.contains(&group.primary_account_id);
        if lines.is_empty() && !is_member && !self.is_only_parent(group) {
            let message =
                format!("the primary account `{}` must be among `accounts`", group.primary_account_id);
            self.mistake::<()>(entry.field("primary_account_id"), message);
        }
        if group.primary_account_id == self.draft.payer_account_id {
            let message = "the payer account may be a member, but not the primary account";
            self.mistake::<()>(entry.field("primary_account_id"), message);
        }
        let pricing_plan = self.plan_of_group(entry, group, plans);
        let usage = self.usage_window(entry, group);
        Some(BillingGroup {
            name: group.name.clone(),
            description: group.description.clone(),
            primary_account: primary_account?,
            accounts: accounts.into_iter().collect::<Option<_>>()?,
            transfer: None,
            lines: lines.iter().cloned().collect::<Option<_>>()?,
            pricing_plan: pricing_plan?,
            auto_associate: group.auto_associate,
            parent: None,
            usage: usage?,
        })
    }

    /// The days whose usage a group has.
    fn usage_window(&mut self, entry: Entry, group: &GroupDraft) -> Option<UsageWindow> {
        let mut day = |field, text: &Option<String>| match text {
            None => Some(None),
            Some(text) => match day_of(text) {
                Some(day) => Some(Some(day)),
                None => self.mistake(
                    entry.field(field),
                    format!("`{text}` is not a date; write it as YYYY-MM-DD, for example 2026-10-15"),
                ),
            },
        };
        let from = day("usage_from", &group.usage_from);
        let through = day("usage_through", &group.usage_through);
        let window = UsageWindow { from: from?, through: through? };
        if window.through.is_some_and(|through| Some(through) < window.from) {
            return self.mistake(
                entry.field("usage_through"),
                "is before `usage_from`: the group has no day at all",
            );
        }
        Some(window)
    }

    /// The pricing plan that a group names.
    pub(super) fn plan_of_group(
        &mut self,
        entry: Entry,
        group: &GroupDraft,
        plans: &ByName<'_>,
    ) -> Option<Plan> {
        let place = entry.field("pricing_plan");
        match plans.get(group.pricing_plan.as_str()) {
            Some(plan) => Some(Plan::Own(*plan)),
            None if group.pricing_plan == BASIC_PRICING_PLAN => Some(Plan::Basic),
            None if group.pricing_plan != PASSTHROUGH_PLAN => {
                self.mistake(place, unknown("pricing plan", &group.pricing_plan, plans))
            }
            None if group.responsibility_transfer.is_some() => Some(Plan::Passthrough),
            None => {
                let message = "`Passthrough` is for groups of a billing transfer: name one in `responsibility_transfer`, or \
                               choose another plan";
                self.mistake(place, message)
            }
        }
    }
}
