//! Parents of billing groups: they exist, and no group is above itself.

use super::{ByName, Check, Entry, unknown};
use crate::billing_group::BillingGroup;
use crate::book::GroupDraft;

/// The table that all of this is about.
const TABLE: &str = "billing_groups";

impl Check<'_> {
    /// Checks the parents that groups name, and sets them.
    pub(super) fn hierarchy(&mut self, names: &ByName<'_>, groups: &mut [Option<BillingGroup>]) {
        let parents = self.parents(names);
        self.cycles(&parents);
        for (group, parent) in groups.iter_mut().zip(&parents) {
            group.iter_mut().for_each(|group| group.parent = *parent);
        }
        self.only_parents();
    }

    /// The number of each group's parent; none where it names none that exists.
    fn parents(&mut self, names: &ByName<'_>) -> Vec<Option<usize>> {
        let draft = self.draft;
        let mut parents = Vec::with_capacity(draft.billing_groups.len());
        for (number, group) in draft.billing_groups.iter().enumerate() {
            let place = Entry { table: TABLE, number }.field("parent");
            let receiver = self.receiving_group(number);
            parents.push(match &group.parent {
                None => receiver,
                Some(_) if receiver.is_some() => {
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

    /// The group that receives the bill of a transfer's group, where that is not the payer: it stands above it.
    fn receiving_group(&self, number: usize) -> Option<usize> {
        let draft = self.draft;
        let transfer = |group: &GroupDraft| {
            let name = group.responsibility_transfer.as_ref()?;
            draft.responsibility_transfers.iter().find(|transfer| transfer.name == *name)
        };
        let receiver = &transfer(&draft.billing_groups[number])?.receiver_account_id;
        let receives =
            |group: &GroupDraft| transfer(group).is_some_and(|of| of.source_account_id == *receiver);
        draft.billing_groups.iter().position(receives).filter(|group| *group != number)
    }

    /// Groups that are above themselves: each says so at its own place, and names all that are in the circle.
    fn cycles(&mut self, parents: &[Option<usize>]) {
        let draft = self.draft;
        // The walk that has come by each group first, by the number of the group that it began at.
        let mut seen: Vec<Option<usize>> = vec![None; parents.len()];
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

    /// Whether an account stands below a group that has none of its own: the account carries the group's custom line items.
    pub(super) fn stands_below(&self, number: usize, account: &str) -> bool {
        let groups = &self.draft.billing_groups;
        if !self.is_only_parent(&groups[number]) {
            return false;
        }
        let above = |group: &usize| {
            let parent = groups[*group].parent.as_deref()?;
            groups.iter().position(|other| other.name == parent)
        };
        let owner = groups.iter().position(|group| group.accounts.iter().any(|member| member == account));
        // As many steps as there are groups: what is wrong may go round in a circle.
        std::iter::successors(owner, above).take(groups.len()).any(|group| group == number)
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
