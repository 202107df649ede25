//! Billing groups of a book, and whose account is whose.

use super::{Changes, Reach, Said, say};
use crate::account::AccountId;
use crate::billing_group::{BillingGroup, Plan};
use crate::book::Book;
use crate::configuration::{BillingGroupId, Edit, GroupSettings, PlanOf, PricingPlanId, Touched};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

impl Edit<'_> {
    /// The ids of the book's groups, in its order.
    pub(super) fn groups_of_book(
        &mut self,
        book: &Book,
        plans: &[PricingPlanId],
        reach: Reach,
    ) -> (Vec<BillingGroupId>, Changes) {
        let ids = self.group_ids(book, reach);
        let moved = self.members_of_book(book, &ids, reach);
        let mut changes = Changes::default();
        for (group, id) in book.groups.iter().zip(&ids) {
            let settings = GroupSettings {
                name: group.name.clone(),
                description: group.description.clone(),
                primary_account: group.primary_account.clone(),
                pricing_plan: match group.pricing_plan {
                    Plan::Basic => PlanOf::Basic,
                    Plan::Passthrough => PlanOf::Passthrough,
                    Plan::Own(plan) => PlanOf::Own(plans[plan].clone()),
                },
                auto_associate: group.auto_associate,
                transfer: group.transfer.map(|transfer| book.transfers[transfer].name.clone()),
            };
            if self.next.groups.get(id).is_none() {
                let blank = self.blank();
                self.next.groups.put(id.clone(), blank);
            }
            let said = say(&mut self.next.groups, id, Some(settings), reach);
            if said != Said::Nothing {
                self.touched.insert(Touched::Group(id.clone()));
            }
            let has_moved = said == Said::Nothing && moved.contains(id);
            changes.add(&group.name, if has_moved { Said::Changed } else { said });
        }
        let kept: HashSet<&BillingGroupId> = ids.iter().collect();
        let gone: Vec<(BillingGroupId, String)> = (self.next.groups.in_period(reach.from))
            .filter(|(id, ..)| !kept.contains(id))
            .map(|(id, _, group)| (id.clone(), group.name.clone()))
            .collect();
        for (id, name) in gone {
            changes.add(&name, say(&mut self.next.groups, &id, None, reach));
            self.touched.insert(Touched::Group(id));
        }
        (ids, changes)
    }

    /// Which group is which: first those that are there, then new ones by their primary account, where no other group has it.
    fn group_ids(&mut self, book: &Book, reach: Reach) -> Vec<BillingGroupId> {
        let mut ids = self.known_groups(book, reach);
        let mut taken: HashSet<BillingGroupId> = ids.iter().flatten().cloned().collect();
        for number in by_rank(book) {
            if ids[number].is_some() {
                continue;
            }
            let group = &book.groups[number];
            let of_account = BillingGroupId::parse(group.primary_account.as_str())
                .filter(|id| group.transfer.is_none() && !taken.contains(id))
                .filter(|id| self.next.groups.at(id, reach.from).is_none());
            let id = of_account.unwrap_or_else(|| {
                self.fresh_id(BillingGroupId::parse, |of, id| {
                    of.groups.get(id).is_some() || taken.contains(id)
                })
            });
            taken.insert(id.clone());
            ids[number] = Some(id);
        }
        ids.into_iter().flatten().collect()
    }

    /// The groups of the period that the book's groups are: by billing transfer, or by primary account and, where several have it, by name.
    fn known_groups(&self, book: &Book, reach: Reach) -> Vec<Option<BillingGroupId>> {
        let groups = &self.next.groups;
        let later = reach.until.into_iter().flat_map(|until| groups.in_period(until));
        let later = later.filter(|(_, resource, _)| resource.versions.at(reach.from).is_none());
        let mut by_transfer: HashMap<&str, &BillingGroupId> = HashMap::new();
        for (id, _, group) in later.chain(groups.in_period(reach.from)) {
            by_transfer.extend(group.transfer.as_deref().map(|transfer| (transfer, id)));
        }
        let mut by_account: HashMap<&AccountId, Vec<(&BillingGroupId, &str)>> = HashMap::new();
        for (id, _, group) in groups.in_period(reach.from).filter(|(.., group)| group.transfer.is_none()) {
            by_account.entry(&group.primary_account).or_default().push((id, &group.name));
        }
        for (account, groups) in &mut by_account {
            groups.sort_by_key(|(id, _)| id.as_str() != account.as_str());
        }
        let mut ids: Vec<Option<BillingGroupId>> = vec![None; book.groups.len()];
        let order = by_rank(book);
        for by_its_name in [true, false] {
            for number in &order {
                let group = &book.groups[*number];
                if ids[*number].is_some() {
                    continue;
                }
                if let Some(transfer) = group.transfer {
                    let name = book.transfers[transfer].name.as_str();
                    ids[*number] = by_transfer.get(name).map(|id| (*id).clone());
                    continue;
                }
                let Some(there) = by_account.get_mut(&group.primary_account) else { continue };
                let found = there.iter().position(|(_, name)| !by_its_name || *name == group.name);
                ids[*number] = found.map(|at| there.remove(at).0.clone());
            }
        }
        ids
    }

    /// Puts accounts into the book's groups, and others out of any. The answer is the groups that have others than before.
    fn members_of_book(
        &mut self,
        book: &Book,
        ids: &[BillingGroupId],
        reach: Reach,
    ) -> HashSet<BillingGroupId> {
        let standard = book.groups.iter().zip(ids).filter(|(group, _)| group.transfer.is_none());
        let said: HashMap<&AccountId, &BillingGroupId> = standard
            .flat_map(|(group, id)| group.accounts.iter().map(move |account| (account, id)))
            .collect();
        let there = self.next.memberships.iter().filter(|(_, of)| of.at(reach.from).is_some());
        let accounts: BTreeSet<AccountId> =
            there.map(|(account, _)| account).chain(said.keys().copied()).cloned().collect();
        let mut moved = HashSet::new();
        for account in accounts {
            let before = self.next.group_of(&account, reach.from).cloned();
            let after = said.get(&account).copied().cloned();
            if before == after {
                continue;
            }
            moved.extend(before);
            moved.extend(after.clone());
            let timeline = Arc::make_mut(&mut self.next.memberships).entry(account.clone()).or_default();
            super::write(timeline, reach, after);
            self.unplace(&account, reach.window());
            self.touched.insert(Touched::Membership(account));
        }
        moved
    }
}

/// The groups in the order in which they have a claim to their primary account: first those that it is a member of.
fn by_rank(book: &Book) -> Vec<usize> {
    let is_member = |group: &BillingGroup| group.accounts.contains(&group.primary_account);
    let mut order: Vec<usize> = (0..book.groups.len()).collect();
    order.sort_by_key(|number| !is_member(&book.groups[*number]));
    order
}
