//! The part of a book that the AWS API has no words for. It names billing groups as a book does, so what the API does to a group is carried
//! into it here.

use super::{Edit, Moment, OtherSettings, Touched};
use crate::book::{AllocationDraft, Draft, GroupDraft, ShareDraft};
use std::collections::BTreeSet;

impl Edit<'_> {
    /// Says what only a book can say, from the period of the write on.
    pub fn set_other(&mut self, other: OtherSettings) {
        let Moment { period, now, .. } = self.moment;
        self.next.other.set_from(period, other, now);
        self.touched.insert(Touched::Other);
    }
}

/// The part of a book that [`OtherSettings`](super::OtherSettings) keeps: policies, exports, reports, the currency, and of billing groups the
/// name with their `lines` and `parent`.
#[must_use]
pub fn split(draft: &Draft) -> Draft {
    let is_more = |group: &&GroupDraft| !group.lines.is_empty() || group.parent.is_some();
    let more = |group: &GroupDraft| GroupDraft {
        name: group.name.clone(),
        lines: group.lines.clone(),
        parent: group.parent.clone(),
        ..GroupDraft::default()
    };
    let mut billing_groups: Vec<GroupDraft> = draft.billing_groups.iter().filter(is_more).map(more).collect();
    // The order of groups is that of their creation, and none of theirs here.
    billing_groups.sort_by(|one, other| one.name.cmp(&other.name));
    Draft {
        currency: draft.currency.clone(),
        billing_groups,
        sharing_commitments: draft.sharing_commitments.clone(),
        distributions: draft.distributions.clone(),
        allocations: draft.allocations.clone(),
        support_fees: draft.support_fees.clone(),
        payer_commitments: draft.payer_commitments.clone(),
        minimums: draft.minimums.clone(),
        exports: draft.exports.clone(),
        reports: draft.reports.clone(),
        ..Draft::default()
    }
}

/// Gives a billing group another name wherever the policies and the hierarchy name it. The answer is the files of weights that still have the
/// old name: their text is the caller's.
#[must_use]
pub fn rename_group(other: &mut Draft, from: &str, to: &str) -> Vec<String> {
    for group in &mut other.billing_groups {
        rename(std::iter::once(&mut group.name).chain(&mut group.parent), from, to);
    }
    for allocation in &mut other.allocations {
        if let Some(targets) = &mut allocation.targets {
            rename(targets.billing_groups.iter_mut().chain(&mut targets.except_billing_groups), from, to);
        }
        rename_shares(&mut allocation.shares, from, to);
    }
    for fee in &mut other.support_fees {
        rename(fee.billing_groups.iter_mut(), from, to);
    }
    for commitment in &mut other.payer_commitments {
        rename_shares(&mut commitment.shares, from, to);
    }
    rename(other.minimums.iter_mut().map(|minimum| &mut minimum.billing_group), from, to);
    weight_files(other, from)
}

fn rename<'a>(names: impl Iterator<Item = &'a mut String>, from: &str, to: &str) {
    names.filter(|name| *name == from).for_each(|name| to.clone_into(name));
}

fn rename_shares(shares: &mut [ShareDraft], from: &str, to: &str) {
    rename(shares.iter_mut().filter_map(|share| share.billing_group.as_mut()), from, to);
}

/// The files of weights that have a row for a name.
fn weight_files(other: &Draft, name: &str) -> Vec<String> {
    let names = |of: &&AllocationDraft| of.weight_rows.iter().any(|row| row.target == name);
    let files: BTreeSet<&String> =
        other.allocations.iter().filter(names).filter_map(|of| of.weights.as_ref()).collect();
    files.into_iter().cloned().collect()
}

/// What refers to a billing group, in the words of a message: whatever keeps it from being deleted. Its own `lines` and `parent` do not.
#[must_use]
pub fn names_in_other(other: &Draft, group: &str) -> Vec<String> {
    let is_group = |name: &String| name == group;
    let shared = |shares: &[ShareDraft]| shares.iter().any(|of| of.billing_group.as_deref() == Some(group));
    let mut found = Vec::new();
    let children = other.billing_groups.iter().filter(|of| of.parent.as_deref() == Some(group));
    found.extend(children.map(|of| format!("billing group `{}`, whose parent it is", of.name)));
    for of in &other.allocations {
        let mut of_targets = of
            .targets
            .iter()
            .flat_map(|targets| targets.billing_groups.iter().chain(&targets.except_billing_groups));
        if of_targets.any(is_group) || shared(&of.shares) {
            found.push(format!("allocation `{}`", of.name));
        }
    }
    let fees = other.support_fees.iter().filter(|of| of.billing_groups.iter().any(is_group));
    found.extend(fees.map(|of| format!("support fee `{}`", of.name)));
    let commitments = other.payer_commitments.iter().filter(|of| shared(&of.shares));
    found.extend(commitments.map(|of| format!("payer commitment `{}`", of.name)));
    let minimums = other.minimums.iter().filter(|of| is_group(&of.billing_group));
    found.extend(minimums.map(|of| format!("minimum `{}`", of.name)));
    found.extend(weight_files(other, group).into_iter().map(|file| format!("file of weights `{file}`")));
    found
}

/// Forgets the `lines` and the `parent` of a group that is deleted: the next group of its name has none of them. Whether there were any.
pub fn remove_group(other: &mut Draft, group: &str) -> bool {
    let before = other.billing_groups.len();
    other.billing_groups.retain(|of| of.name != group);
    other.billing_groups.len() != before
}
