//! The accounts of the payer's organization, and what follows when they come and go.

use super::Edit;
use crate::account::AccountId;
use crate::configuration::window::{Window, room};
use crate::configuration::{BillingGroupId, FamilyAccount, PlacedBy, Placement, Touched};
use crate::period::BillingPeriod;
use crate::responsibility_transfer::Phase;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Edit<'_> {
    /// Says which accounts are of the organization in the period of the write. What is not said of a known account stays, except that it
    /// has left: who is named is there again. Where they are all of them, the others leave the organization with the month; they are free
    /// from the month after, unless they are the primary account of their group.
    pub fn declare_family(&mut self, accounts: BTreeMap<AccountId, FamilyAccount>, complete: bool) {
        let mut said = accounts;
        let known = &self.next.family;
        for (account, said) in &mut said {
            let Some(known) = known.get(account).cloned() else { continue };
            said.name = said.name.take().or(known.name);
            said.email = said.email.take().or(known.email);
            said.joined = said.joined.or(known.joined);
            said.details = said.details.take().or(known.details);
        }
        if complete {
            let left = Some(self.moment.period.next());
            let members = self.next.memberships.iter();
            let members = members.filter(|(_, groups)| groups.lasts_to(self.moment.period));
            let others = known.keys().chain(members.map(|(account, _)| account));
            for account in others.filter(|account| **account != self.next.payer) {
                if !said.contains_key(account) {
                    let mut gone = known.get(account).cloned().unwrap_or_default();
                    if let Some(details) = &mut gone.details {
                        details.left_at = details.left_at.or(Some(self.moment.now));
                    }
                    gone.left = gone.left.or(left);
                    said.insert(account.clone(), gone);
                }
            }
        }
        for (account, said) in said {
            if let Some(left) = said.left {
                self.leave_organization(&account, left.max(self.moment.period));
            }
            self.put_family(account, said);
        }
        if self.next.family_is_complete != complete {
            self.next.family_is_complete = complete;
            self.touched.insert(Touched::FamilyIsComplete);
        }
    }

    /// Adds accounts that cost files name to those that are known. It does not follow that they are all.
    pub fn note_accounts(&mut self, accounts: &[AccountId]) {
        for account in accounts {
            if !self.next.family.contains_key(account) {
                self.put_family(account.clone(), FamilyAccount::default());
            }
        }
    }

    /// Puts the accounts that are in no group in the period of the write into the group that accounts join by themselves, as long as it has
    /// room: all but the payer, accounts that have left the organization, those of organizations that transfer their bill, and those that the
    /// rule of a group wants. Returns those that joined.
    ///
    /// A group whose primary account is missing goes on taking accounts in until it ends (AWS Billing Conductor user guide, "Best
    /// practices").
    pub fn auto_associate(&mut self, accounts: &[AccountId]) -> Vec<AccountId> {
        let period = self.moment.period;
        let mut groups = self.next.groups_after(0, period);
        let Some(id) = groups.find(|(.., group)| group.auto_associate).map(|(id, ..)| id.clone()) else {
            return Vec::new();
        };
        drop(groups);
        let life = self.life(&id);
        let there = self.next.transfers.values().filter(|transfer| transfer.phase(period) != Phase::Gone);
        let transferred: BTreeSet<&AccountId> = there.flat_map(|transfer| &transfer.accounts).collect();
        let rules = self.next.rules_in_force(period);
        let mut joining = Vec::new();
        for account in accounts.iter().collect::<BTreeSet<_>>() {
            let known = self.next.family.get(account);
            let is_other = *account == self.next.payer || transferred.contains(account);
            let is_wanted = known.is_some_and(|known| !self.next.wanting(&rules, account, known).is_empty());
            if is_other || is_wanted || known.is_some_and(|known| !known.is_there(period)) {
                continue;
            }
            let groups = self.next.memberships.get(account);
            let free = groups.map_or(Some(life), |groups| room(groups, period));
            joining.extend(free.and_then(|free| free.common(life)).map(|free| (account.clone(), free)));
        }
        // Whoever has room with more beside it has room with fewer: the most that have it are looked for by halves.
        let (mut fits, mut too_many) = (0, joining.len() + 1);
        while too_many - fits > 1 {
            let tried = usize::midpoint(fits, too_many);
            match self.accounts_have_room(&id, life, &joining[..tried]) {
                Ok(()) => fits = tried,
                Err(_) => too_many = tried,
            }
        }
        joining.truncate(fits);
        let joined: Vec<AccountId> = joining.iter().map(|(account, _)| account.clone()).collect();
        if !joined.is_empty() {
            self.join(&id, joining);
            self.touch_group(&id);
            for account in &joined {
                self.place(account, Placement { group: id.clone(), by: PlacedBy::AutoAssociate });
            }
        }
        joined
    }

    /// Ends the standard groups whose primary account is no more of the organization in the period of the write, as AWS does in the month
    /// after it has left, also those that accounts join by themselves. Returns them.
    pub fn end_groups_without_primary(&mut self) -> Vec<BillingGroupId> {
        let period = self.moment.period;
        let groups = self.next.groups_after(0, period).filter(|(.., group)| {
            let primary = self.next.family.get(&group.primary_account);
            let has_left = primary.and_then(|account| account.left).is_some_and(|left| left <= period);
            has_left && group.transfer.is_none()
        });
        let ended: Vec<BillingGroupId> = groups.map(|(id, ..)| id.clone()).collect();
        for id in &ended {
            self.end_group(id, self.life(id));
        }
        ended
    }

    fn put_family(&mut self, account: AccountId, said: FamilyAccount) {
        if self.next.family.get(&account) != Some(&said) {
            Arc::make_mut(&mut self.next.family).insert(account.clone(), said);
            self.touched.insert(Touched::Family(account));
        }
    }

    /// Ends the membership of an account that leaves the organization, unless its group stands on it.
    fn leave_organization(&mut self, account: &AccountId, left: BillingPeriod) {
        let spans = self.next.memberships.get(account).map(|groups| groups.spans()).unwrap_or_default();
        let later = spans.iter().filter_map(|span| {
            let common = Window::of(span).common(Window { from: left, to: None })?;
            Some((span.value.clone(), common))
        });
        for (id, window) in later.collect::<Vec<_>>() {
            if !self.is_primary(account, &id, window) {
                self.leave(account, &id, window);
                self.touch_group(&id);
            }
        }
    }
}
