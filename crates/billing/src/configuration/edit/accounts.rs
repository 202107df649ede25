//! Which accounts are in which group.
//!
//! An account that is moved leaves its group from the period of the write on and joins the other from the same period on: its whole month
//! counts there (AWS Billing Conductor user guide, "Best practices").

use super::Edit;
use super::lookup::{Missing, distinct_accounts};
use crate::account::AccountId;
use crate::configuration::window::{Window, most_at_once, room, stay};
use crate::configuration::{
    BillingGroupId, GroupSettings, PlacedBy, Quota, Refusal, ResourceType, Touched, ValidationReason,
};
use std::sync::Arc;

impl Edit<'_> {
    /// Puts accounts into a standard group from the period of the write on: as long as there is the group, and up to the first later period
    /// in which the account is in another. What a rule has put elsewhere, or here, is moved, and stays: somebody goes before rules.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] where there is no such group in the period; the input is not valid: see docs/api.md for each reason;
    /// [`Refusal::Limit`] where the group has 1,000 accounts.
    pub fn associate_accounts(
        &mut self,
        arn: &str,
        accounts: &[AccountId],
    ) -> Result<BillingGroupId, Refusal> {
        distinct_accounts(accounts)?;
        let (id, settings) = self.group(arn, Missing::NotFound)?;
        is_standard(settings)?;
        self.has_primary(&id, settings)?;
        self.are_of_family(accounts, ValidationReason::IllegalAccounts)?;
        let life = self.life(&id);
        let (configuration, touched) = (self.next.clone(), self.touched.clone());
        self.release(accounts);
        let joined = self.free_accounts(accounts, life).and_then(|joining| {
            self.accounts_have_room(&id, life, &joining)?;
            self.join(&id, joining);
            Ok(())
        });
        if let Err(refusal) = joined {
            (self.next, self.touched) = (configuration, touched);
            return Err(refusal);
        }
        self.touch_group(&id);
        Ok(id)
    }

    /// Takes accounts out of the groups that rules have put them into.
    fn release(&mut self, accounts: &[AccountId]) {
        for account in accounts {
            let placed = self.next.placed(account, self.moment.period);
            let of_rule = placed.filter(|of| matches!(of.by, PlacedBy::Rule(_)));
            if let Some(group) = of_rule.map(|of| of.group.clone()) {
                self.take_out(account, &group);
            }
        }
    }

    /// Takes accounts out of a standard group from the period of the write on, as long as they would have stayed.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] where there is no such group in the period; the input is not valid: see docs/api.md for each reason.
    pub fn disassociate_accounts(
        &mut self,
        arn: &str,
        accounts: &[AccountId],
    ) -> Result<BillingGroupId, Refusal> {
        distinct_accounts(accounts)?;
        let (id, settings) = self.group(arn, Missing::NotFound)?;
        is_standard(settings)?;
        let group = settings.name.clone();
        let mut stays = Vec::new();
        for account in accounts {
            let groups = self.next.memberships.get(account);
            let here = groups.and_then(|groups| stay(groups, self.moment.period, |group| *group == id));
            let Some(here) = here else {
                let message = format!("account `{account}` is not in billing group `{group}`");
                return Err(Refusal::invalid(ValidationReason::AccountsNotAssociated, message));
            };
            let placed = self.next.placed(account, self.moment.period);
            if let Some(PlacedBy::Rule(why)) = placed.map(|of| &of.by) {
                let message = format!(
                    "account `{account}` is in billing group `{group}` by its rule ({why}) and would come back: except it from the rule, or associate \
                     it with another group"
                );
                return Err(Refusal::invalid(ValidationReason::IllegalAccounts, message));
            }
            if self.is_primary(account, &id, here) {
                let message = format!(
                    "account `{account}` is the primary account of billing group `{group}`; delete the group to free it"
                );
                return Err(Refusal::invalid(ValidationReason::PrimaryCannotDisassociate, message));
            }
            stays.push((account, here));
        }
        for (account, here) in stays {
            self.leave(account, &id, here);
            self.unplace(account, here);
        }
        self.touch_group(&id);
        Ok(id)
    }

    /// The periods from that of the write on in which there is a group, without a gap.
    pub(super) fn life(&self, id: &BillingGroupId) -> Window {
        let from = self.moment.period;
        let group = self.next.groups.get(id);
        let life = group.and_then(|group| stay(&group.versions, from, |_| true));
        life.unwrap_or(Window { from, to: None })
    }

    /// Whether an account stands for a group in some period of a window.
    pub(super) fn is_primary(&self, account: &AccountId, id: &BillingGroupId, window: Window) -> bool {
        let mut spans = self.next.groups.get(id).into_iter().flat_map(|group| group.versions.spans());
        spans.any(|span| span.value.primary_account == *account && Window::of(span).meets(window))
    }

    /// Refuses to add to a group whose primary account has left: AWS deletes it soon.
    pub(super) fn has_primary(&self, id: &BillingGroupId, settings: &GroupSettings) -> Result<(), Refusal> {
        match self.next.group_status(id, self.moment.period) {
            Some(status @ "PRIMARY_ACCOUNT_MISSING") => {
                let message = format!(
                    "billing group `{}` is {status}; create another one for its accounts",
                    settings.name
                );
                Err(Refusal::invalid(ValidationReason::InvalidBillingGroupStatus, message))
            }
            _ => Ok(()),
        }
    }

    /// Refuses accounts that are known to be outside the payer's organization in the period of the write, and those whose bill is
    /// transferred from another.
    pub(super) fn are_of_family(
        &self,
        accounts: &[AccountId],
        reason: ValidationReason,
    ) -> Result<(), Refusal> {
        let (of, period) = (&self.next, self.moment.period);
        for account in accounts.iter().filter(|account| **account != of.payer) {
            let there = of.family.get(account).map_or(!of.family_is_complete, |known| known.is_there(period));
            if !there {
                let message = format!(
                    "account `{account}` is not of the organization of payer account `{}` in billing period {period}",
                    of.payer
                );
                return Err(Refusal::invalid(reason, message));
            }
            if let Some(name) = self.transfer_with(account) {
                let message =
                    format!("account `{account}` is of the organization of billing transfer `{name}`");
                return Err(Refusal::invalid(reason, message));
            }
        }
        Ok(())
    }

    /// The billing transfer that has, or will have, an account in the period of the write or later.
    fn transfer_with(&self, account: &AccountId) -> Option<&str> {
        let lasting = self.next.transfers.iter().find(|(_, transfer)| {
            let lasts = transfer.end.is_none_or(|end| self.moment.period < end);
            lasts && transfer.status.takes_effect() && transfer.accounts.contains(account)
        });
        lasting.map(|(name, _)| name.as_str())
    }

    /// The periods of a window for which accounts may join a group: up to what was said for later ones.
    pub(super) fn free_accounts(
        &self,
        accounts: &[AccountId],
        window: Window,
    ) -> Result<Vec<(AccountId, Window)>, Refusal> {
        let mut free = Vec::with_capacity(accounts.len());
        for account in accounts {
            let groups = self.next.memberships.get(account);
            let until = groups.map_or(Some(window), |groups| room(groups, window.from));
            let Some(window) = until.and_then(|until| until.common(window)) else {
                let group = self.next.group_of(account, window.from);
                let (_, settings) = group.and_then(|group| self.next.groups.at(group, window.from)).unzip();
                let name = settings.map_or("", |group| group.name.as_str());
                let message = format!(
                    "billing group `{name}` has account `{account}` in billing period {}; disassociate it there first",
                    window.from
                );
                return Err(Refusal::invalid(ValidationReason::AccountsAlreadyAssociated, message));
            };
            free.push((account.clone(), window));
        }
        Ok(free)
    }

    /// Refuses more accounts than a group may have in some period.
    pub(super) fn accounts_have_room(
        &self,
        id: &BillingGroupId,
        life: Window,
        joining: &[(AccountId, Window)],
    ) -> Result<(), Refusal> {
        let all = self.members(id, life).chain(joining.iter().map(|(_, window)| *window));
        let quota = Quota::AccountsPerBillingGroup;
        if most_at_once(all) > quota.limit().1 {
            return Err(Refusal::limit(quota, Some((ResourceType::BillingGroup, id.to_string()))));
        }
        Ok(())
    }

    /// How many accounts a group has at once, at most.
    pub(super) fn most_accounts(&self, id: &BillingGroupId, life: Window) -> usize {
        most_at_once(self.members(id, life))
    }

    /// When accounts are in a group.
    fn members<'a>(&'a self, id: &'a BillingGroupId, life: Window) -> impl Iterator<Item = Window> + 'a {
        let spans = self.next.memberships.values().flat_map(|groups| groups.spans());
        let members = spans.filter(move |span| span.value == *id);
        members.filter_map(move |span| Window::of(span).common(life))
    }

    /// Puts accounts into a group for periods in which they are in none. Why they were in one before is forgotten: whoever puts them says why.
    pub(super) fn join(&mut self, id: &BillingGroupId, joining: Vec<(AccountId, Window)>) {
        let now = self.moment.now;
        for (account, window) in joining {
            let groups = Arc::make_mut(&mut self.next.memberships).entry(account.clone()).or_default();
            groups.set(window.from, window.to, id.clone(), now);
            self.unplace(&account, window);
            self.touched.insert(Touched::Membership(account));
        }
    }

    /// Takes an account out of a group for the periods of a window in which it is there.
    pub(super) fn leave(&mut self, account: &AccountId, id: &BillingGroupId, window: Window) {
        let Some(groups) = Arc::make_mut(&mut self.next.memberships).get_mut(account) else { return };
        let here = groups.spans().iter().filter(|span| span.value == *id);
        let here: Vec<_> = here.filter_map(|span| Window::of(span).common(window)).collect();
        for part in here {
            groups.clear(part.from, part.to);
        }
        self.touched.insert(Touched::Membership(account.clone()));
    }
}

/// Refuses the group of a billing transfer, whose accounts follow from that.
fn is_standard(settings: &GroupSettings) -> Result<(), Refusal> {
    if settings.transfer.is_none() {
        return Ok(());
    }
    let message = format!("billing group `{}` has its accounts from a billing transfer", settings.name);
    Err(Refusal::invalid(ValidationReason::IllegalBillingGroupType, message))
}
