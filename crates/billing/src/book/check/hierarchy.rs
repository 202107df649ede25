//! Parents of billing groups: they exist, and no group is above itself.

use super::{ByName, Check, Entry, unknown};
use crate::billing_group::BillingGroup;
use crate::book::{GroupDraft, TransferDraft};
use crate::hierarchy::receiving_groups;
use crate::period::BillingPeriod;
use crate::responsibility_transfer::{Phase, ResponsibilityTransfer};
use std::collections::{BTreeSet, HashMap};

/// The table that all of this is about.
const TABLE: &str = "billing_groups";

/// The circles among parents, each from its lowest group on.
fn circles(parents: &[Option<usize>]) -> Vec<Vec<usize>> {
    // The walk that has come by each group first, by the number of the group that it began at.
    let mut seen: Vec<Option<usize>> = vec![None; parents.len()];
    let mut circles = Vec::new();
    for begin in 0..parents.len() {
        let mut at = Some(begin);
        while let Some(group) = at.filter(|group| seen[*group].is_none()) {
            seen[group] = Some(begin);
            at = parents[group];
        }
        // A walk that comes back to itself has found a circle; one that comes to another's way has not.
        let Some(first) = at.filter(|group| seen[*group] == Some(begin)) else { continue };
        let above = |group: &usize| parents[*group].filter(|parent| *parent != first);
        let mut circle: Vec<usize> = std::iter::successors(Some(first), above).collect();
        let lowest = (0..circle.len()).min_by_key(|place| circle[*place]).unwrap_or(0);
        circle.rotate_left(lowest);
        circles.push(circle);
    }
    circles
}

impl Check<'_> {
    /// Checks the parents that groups name, and sets them.
    pub(super) fn hierarchy(
        &mut self,
        names: &ByName<'_>,
        transfers: &[Option<ResponsibilityTransfer>],
        groups: &mut [Option<BillingGroup>],
    ) {
        let parents = self.parents(names);
        self.cycles(&parents, transfers, groups);
        for (group, parent) in groups.iter_mut().zip(&parents) {
            group.iter_mut().for_each(|group| group.parent = *parent);
        }
        self.only_parents();
    }

    /// The number of the parent that each group names; none where it names none that exists.
    fn parents(&mut self, names: &ByName<'_>) -> Vec<Option<usize>> {
        let draft = self.draft;
        let received = self.receiving_groups();
        let mut parents = Vec::with_capacity(draft.billing_groups.len());
        for (number, group) in draft.billing_groups.iter().enumerate() {
            let place = Entry { table: TABLE, number }.field("parent");
            parents.push(match &group.parent {
                None => None,
                Some(_) if !received[number].is_empty() => {
                    let message = "follows from the receiver of the billing transfer: remove it here";
                    self.mistake(place, message)
                }
                Some(parent) if *parent == group.name => {
                    let message = format!(
                        "`{parent}` cannot be its own parent; name the group above it, or remove `parent`"
                    );
                    self.mistake(place, message)
                }
                Some(parent) => match names.get(parent.as_str()) {
                    Some(parent) => Some(*parent),
                    None => self.mistake(place, unknown("billing group", parent, names)),
                },
            });
        }
        parents
    }

    /// The groups that receive the bill of each transfer's group in some month, where that is not the payer: they stand above it.
    fn receiving_groups(&self) -> Vec<Vec<usize>> {
        let draft = self.draft;
        let by_name: HashMap<&str, &TransferDraft> =
            draft.responsibility_transfers.iter().map(|of| (of.name.as_str(), of)).collect();
        let transfer = |group: &GroupDraft| by_name.get(group.responsibility_transfer.as_deref()?).copied();
        let mut by_source: HashMap<&str, Vec<usize>> = HashMap::new();
        for (number, group) in draft.billing_groups.iter().enumerate() {
            if let Some(of) = transfer(group) {
                by_source.entry(&of.source_account_id).or_default().push(number);
            }
        }
        let received = |group: &GroupDraft| {
            let receiver = transfer(group).map(|of| of.receiver_account_id.as_str());
            let receiver = receiver.filter(|receiver| *receiver != draft.payer_account_id);
            receiver.and_then(|receiver| by_source.get(receiver)).cloned().unwrap_or_default()
        };
        draft.billing_groups.iter().map(received).collect()
    }

    /// Groups that are above themselves, in any month in which a billing transfer begins: each says so at its own place, and names all that
    /// are in the circle.
    fn cycles(
        &mut self,
        parents: &[Option<usize>],
        transfers: &[Option<ResponsibilityTransfer>],
        groups: &[Option<BillingGroup>],
    ) {
        let mut circles: BTreeSet<Vec<usize>> = circles(parents).into_iter().collect();
        // Transfers that never are in force together take no bill round.
        let months: BTreeSet<BillingPeriod> = transfers.iter().flatten().map(|of| of.start).collect();
        let payer = &self.draft.payer_account_id;
        for month in months {
            let in_force: Vec<Option<&ResponsibilityTransfer>> = groups
                .iter()
                .map(|group| transfers[group.as_ref()?.transfer?].as_ref())
                .map(|of| of.filter(|of| of.phase(month) == Phase::InForce))
                .collect();
            let received = receiving_groups(payer, &in_force);
            // A circle of transfers alone is said of the transfers.
            let is_of_parents = |circle: &Vec<usize>| circle.iter().any(|group| received[*group].is_none());
            let above: Vec<Option<usize>> =
                received.iter().zip(parents).map(|(received, parent)| received.or(*parent)).collect();
            circles.extend(self::circles(&above).into_iter().filter(is_of_parents));
        }
        for circle in circles {
            let draft = self.draft;
            let named = |group: &usize| {
                format!("`{}` (entry {} of `{TABLE}`)", draft.billing_groups[*group].name, group + 1)
            };
            let names: Vec<String> = circle.iter().chain(circle.first()).map(named).collect();
            let message = format!(
                "parents go round in a circle, {}; remove one `parent` of these",
                names.join(", whose parent is ")
            );
            for group in &circle {
                let place = Entry { table: TABLE, number: *group }.field("parent");
                self.mistake::<()>(place, message.clone());
            }
        }
    }

    /// A group without accounts of its own that others name as their parent.
    pub(super) fn is_only_parent(&self, group: &GroupDraft) -> bool {
        let is_child = |other: &GroupDraft| {
            other.parent.as_deref() == Some(group.name.as_str()) && other.name != group.name
        };
        let has_none =
            group.accounts.is_empty() && group.lines.is_empty() && group.responsibility_transfer.is_none();
        has_none && self.draft.billing_groups.iter().any(is_child)
    }

    /// Whether an account stands below a group that has none of its own, in some month: the account carries the group's custom line items. A
    /// group of lines stands there with its primary account.
    pub(super) fn stands_below(&self, number: usize, account: &str) -> bool {
        let groups = &self.draft.billing_groups;
        if !self.is_only_parent(&groups[number]) {
            return false;
        }
        let numbers: HashMap<&str, usize> =
            groups.iter().enumerate().rev().map(|(number, group)| (group.name.as_str(), number)).collect();
        let received = self.receiving_groups();
        let owns = |group: &GroupDraft| {
            let (primary, members) = self.draft.members_of(group);
            members.iter().any(|member| member == account) || (!group.lines.is_empty() && primary == account)
        };
        let mut waiting: Vec<usize> = (0..groups.len()).filter(|group| owns(&groups[*group])).collect();
        // What is wrong may go round in a circle.
        let mut seen: BTreeSet<usize> = BTreeSet::new();
        while let Some(group) = waiting.pop() {
            if seen.insert(group) {
                let parent = groups[group].parent.as_deref().and_then(|parent| numbers.get(parent));
                waiting.extend(parent.into_iter().chain(&received[group]));
            }
        }
        seen.contains(&number)
    }

    /// The primary account of a group that is only a parent is one of those below it; percentages of its lines are of nothing.
    fn only_parents(&mut self) {
        let draft = self.draft;
        for (number, group) in draft.billing_groups.iter().enumerate() {
            if !self.is_only_parent(group) {
                continue;
            }
            if !self.stands_below(number, &group.primary_account_id)
                && group.primary_account_id != draft.payer_account_id
            {
                let message = format!(
                    "the primary account `{}` must be an account of a group below: this group has none of its own",
                    group.primary_account_id
                );
                let place = Entry { table: TABLE, number }.field("primary_account_id");
                self.mistake::<()>(place, message);
            }
            for (number, item) in draft.custom_line_items.iter().enumerate() {
                let of_lines = item
                    .associated_values
                    .as_ref()
                    .is_none_or(|values| values.iter().any(|v| v == "billing_group"));
                if item.billing_group == group.name && item.percentage_value.is_some() && of_lines {
                    let message = format!(
                        "a percentage is of a group's own lines, and `{}` has no accounts of its own: this charges 0 of them",
                        group.name
                    );
                    self.warn(
                        Entry { table: "custom_line_items", number }.field("percentage_value"),
                        message,
                    );
                }
            }
        }
    }
}
