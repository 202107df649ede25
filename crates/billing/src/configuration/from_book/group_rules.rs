//! The rules of a book's groups, and which accounts they have put there.

use super::{Reach, write};
use crate::account::AccountId;
use crate::book::Draft;
use crate::configuration::{BillingGroupId, Configuration, Edit, PlacedBy, Placement, Timeline, Touched};
use crate::group_rule::GroupRule;
use crate::period::BillingPeriod;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Edit<'_> {
    /// Gives the book's groups, whose ids come in its order, the rules that it says, and takes away those that it does not. An account that the book says a rule has put
    /// into its group is one that rules may move again; any other one of the group, somebody has put there. The answer is the groups, by name, of which something else is said.
    pub(super) fn group_rules_of_book(
        &mut self,
        draft: &Draft,
        ids: &[BillingGroupId],
        reach: Reach,
    ) -> Vec<String> {
        let period = self.moment.period;
        let mut members: BTreeMap<BillingGroupId, Vec<AccountId>> = BTreeMap::new();
        for (account, groups) in &*self.next.memberships {
            if let Some(group) = groups.at(period) {
                members.entry(group.clone()).or_default().push(account.clone());
            }
        }
        let mut changed = Vec::new();
        for (group, id) in draft.billing_groups.iter().zip(ids) {
            // The book was checked: what is not a rule is none.
            let rule = group.rule().ok().flatten();
            let by_rule: BTreeSet<AccountId> =
                group.rule_accounts.iter().filter_map(|id| AccountId::parse(id)).collect();
            let has_rule = self.rule_of_book(id, rule.as_ref(), reach);
            let members = members.remove(id).unwrap_or_default();
            let has_placed = self.placements_of_book((id, members), (rule.as_ref(), &by_rule), reach);
            changed.extend((has_rule || has_placed).then(|| group.name.clone()));
        }
        changed
    }

    /// Says the rule of a group; whether it was another one.
    fn rule_of_book(&mut self, id: &BillingGroupId, rule: Option<&GroupRule>, reach: Reach) -> bool {
        let none = Timeline::default();
        if reach.all(self.next.group_rules.get(id).unwrap_or(&none), |of| of == rule) {
            return false;
        }
        let rules = Arc::make_mut(&mut self.next.group_rules).entry(id.clone()).or_default();
        write(rules, reach, rule.cloned());
        self.touched.insert(Touched::GroupRule(id.clone()));
        true
    }

    /// Says why each account is in a group; whether it was otherwise.
    fn placements_of_book(
        &mut self,
        (id, members): (&BillingGroupId, Vec<AccountId>),
        (rule, by_rule): (Option<&GroupRule>, &BTreeSet<AccountId>),
        reach: Reach,
    ) -> bool {
        let is_by_rule = |of: Option<&Placement>| {
            of.is_some_and(|of| of.group == *id && matches!(of.by, PlacedBy::Rule(_)))
        };
        let none = Timeline::default();
        let mut changed = false;
        for account in members {
            let placed = self.next.placements.get(&account).unwrap_or(&none);
            match (by_rule.contains(&account), rule) {
                (true, Some(rule)) if !reach.all(placed, is_by_rule) => {
                    let all = rule.selectors.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
                    let placement = Placement { group: id.clone(), by: PlacedBy::Rule(all) };
                    self.place_within(&account, placement, reach.window());
                    changed = true;
                }
                (false, _) if !reach.all(placed, |of| !is_by_rule(of)) => {
                    self.unplace(&account, reach.window());
                    changed = true;
                }
                _ => {}
            }
        }
        changed
    }
}

/// The periods in which a book says another rule of a group than in the month before, or otherwise whom its rule has put there.
pub(super) fn changes(of: &Configuration) -> Vec<BillingPeriod> {
    let rule = |id: &BillingGroupId, period| of.group_rule(id, period).cloned();
    let by_rule = |account: &AccountId, period| {
        let placed = of.placed(account, period).filter(|of| matches!(of.by, PlacedBy::Rule(_)));
        placed.map(|of| of.group.clone())
    };
    let rules = of.group_rules.iter().flat_map(|(id, rules)| {
        rules.changes().filter(move |change| is_new(*change, &|period| rule(id, period)))
    });
    let placements = of.placements.iter().flat_map(|(account, placements)| {
        placements.changes().filter(move |change| is_new(*change, &|period| by_rule(account, period)))
    });
    rules.chain(placements).collect()
}

/// Whether something is otherwise in a period than in the month before.
fn is_new<T: PartialEq>(period: BillingPeriod, said: &dyn Fn(BillingPeriod) -> Option<T>) -> bool {
    said(period) != period.previous().and_then(said)
}
