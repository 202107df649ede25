//! The billing groups' totals, as `proforma run` prints them: a row per group and currency, those of a parent with rows of its subtree.

use super::Results;
use crate::group_tree::{SUBTREE, indented};
use billing::cost_report::Owner;
use billing::hierarchy::{Hierarchy, Totals};
use billing::money::{Cost, Currency, percentage_shown};
use billing::responsibility_transfer::Phase;
use serde::Serialize;
use std::collections::BTreeMap;

/// A billing group's totals as they are printed; the accounts without a group are the row without a name.
#[derive(Debug, Serialize)]
pub struct GroupRow {
    /// Whose total it is, where the book has parents: else every row is a group's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<Kind>,
    pub billing_group: Option<String>,
    /// The group above, where the book has parents; nothing inside at the top.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<Option<String>>,
    pub aws_cost: String,
    pub pro_forma_cost: Option<String>,
    pub margin: Option<String>,
    pub margin_percentage: Option<String>,
    pub currency: String,
    /// How many groups are above this one.
    #[serde(skip)]
    depth: usize,
}

/// What a row sums. Rows of the same kind, but `subtree`, have no amount in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// A group without those below it.
    Group,
    /// A parent with all that is below it.
    Subtree,
    /// Accounts in no group.
    Ungrouped,
}

impl GroupRow {
    /// The group's name for reading, under that of its parent.
    pub fn label(&self) -> String {
        let what = if self.kind == Some(Kind::Subtree) { SUBTREE } else { "" };
        indented(self.depth, self.billing_group.as_deref().unwrap_or("(no billing group)"), what)
    }
}

/// The groups' totals in the order of the book, parents before their children, then what is in no group.
pub fn group_rows(results: &Results) -> anyhow::Result<Vec<GroupRow>> {
    let groups = &results.book.groups;
    let hierarchy = Hierarchy::of(&results.book, results.period);
    let with_parents = !hierarchy.is_flat();
    let mut totals: Totals<2> = vec![BTreeMap::new(); groups.len()];
    for total in &results.totals {
        totals[total.group].insert(total.currency, [total.aws_cost, total.pro_forma_cost]);
    }
    let subtrees = if with_parents { hierarchy.roll_up(totals.clone())? } else { Vec::new() };
    let mut rows = Vec::new();
    // A group that waits for its billing transfer stands in no tree.
    let in_force = |group: &&usize| results.book.phase(**group, results.period) == Phase::InForce;
    for group in hierarchy.order().iter().filter(|group| !with_parents || in_force(group)) {
        let is_parent = !hierarchy.children(*group).is_empty();
        let own = totals[*group].iter().map(|sums| (Kind::Group, sums));
        let subtree = subtrees.get(*group).filter(|_| is_parent).into_iter().flatten();
        for (kind, (currency, [aws_cost, pro_forma_cost])) in own.chain(subtree.map(|s| (Kind::Subtree, s))) {
            let margin = pro_forma_cost.minus(*aws_cost)?;
            let parent = hierarchy.parent(*group).map(|parent| groups[parent].name.clone());
            rows.push(GroupRow {
                kind: with_parents.then_some(kind),
                billing_group: Some(groups[*group].name.clone()),
                parent: with_parents.then_some(parent),
                aws_cost: aws_cost.to_string(),
                pro_forma_cost: Some(pro_forma_cost.to_string()),
                margin: Some(margin.to_string()),
                margin_percentage: Some(percentage_shown(margin, *pro_forma_cost).to_string()),
                currency: currency.to_string(),
                depth: hierarchy.depth(*group),
            });
        }
    }
    rows.extend(ungrouped(results)?.into_iter().map(|(currency, aws_cost)| GroupRow {
        kind: with_parents.then_some(Kind::Ungrouped),
        billing_group: None,
        parent: with_parents.then_some(None),
        aws_cost: aws_cost.to_string(),
        pro_forma_cost: None,
        margin: None,
        margin_percentage: None,
        currency: currency.to_string(),
        depth: 0,
    }));
    Ok(rows)
}

/// What AWS charges for accounts in no group.
fn ungrouped(results: &Results) -> anyhow::Result<BTreeMap<Currency, Cost>> {
    let mut sums: BTreeMap<Currency, Cost> = BTreeMap::new();
    for row in results.rows.iter().filter(|row| matches!(row.owner, Owner::Ungrouped(_))) {
        let sum = sums.entry(row.currency).or_default();
        *sum = sum.plus(row.aws_cost)?;
    }
    Ok(sums)
}
