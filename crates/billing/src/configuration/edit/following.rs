//! Billing groups follow the organization: accounts go to the group whose rule wants them.
//!
//! Where somebody has put an account, it stays. What a rule moves, it moves for the whole month, as AWS does with an account that is moved (AWS
//! Billing Conductor user guide, "Best practices").

use super::Edit;
use crate::account::AccountId;
use crate::configuration::window::{Window, stay};
use crate::configuration::{BillingGroupId, Configuration, PlacedBy, Placement, Quota, Timeline, Touched};
use crate::period::BillingPeriod;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// An account that has been moved because of a rule, or because its group takes what no other has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The account.
    pub account: AccountId,
    /// The group that it was in.
    pub from: Option<BillingGroupId>,
    /// The group that it is in now.
    pub to: Option<BillingGroupId>,
    /// Why, in words that name no account.
    pub why: String,
}

/// What somebody should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flag {
    /// Rules of several groups want an account: it stays where it is.
    Contested {
        /// The account.
        account: AccountId,
        /// The groups, each with what of its rule matches.
        groups: Vec<(BillingGroupId, String)>,
    },
    /// A group has as many accounts as it may have: the account stays where it is.
    Full {
        /// The account.
        account: AccountId,
        /// The group.
        group: BillingGroupId,
    },
    /// An account leaves the organization, and its group with the month.
    Leaving {
        /// The account.
        account: AccountId,
        /// Its group.
        group: BillingGroupId,
        /// The first period without it.
        from: BillingPeriod,
        /// Whether the group stands on it, and ends with it.
        ends_group: bool,
    },
    /// A rule names a unit that the organization does not have.
    NoUnit {
        /// The group of the rule.
        group: BillingGroupId,
        /// The unit, as the rule names it.
        unit: String,
    },
}

/// What came of following the rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Followed {
    /// The accounts that are elsewhere than before.
    pub moved: Vec<Moved>,
    /// The groups that have ended, because their primary account is of the organization no more.
    pub ended: Vec<BillingGroupId>,
    /// What somebody should look at.
    pub flags: Vec<Flag>,
}

/// How much room groups have, as far as that has been asked for while rules were followed.
#[derive(Debug, Default)]
struct Rooms {
    /// How many accounts a group has at once, at most.
    at_most: BTreeMap<BillingGroupId, usize>,
    /// The groups that have no room, until somebody leaves.
    full: BTreeSet<BillingGroupId>,
}

impl Edit<'_> {
    /// Puts every account where the rules want it in the period of the write, and ends the groups whose primary account has gone. Accounts that
    /// somebody has put into a group stay there; those that several rules want stay where they are. Of `new` accounts, what no rule wants joins
    /// the group that accounts join by themselves.
    pub fn follow_rules(&mut self, new: &[AccountId]) -> Followed {
        let mut followed = Followed { ended: self.end_groups_without_primary(), ..Followed::default() };
        let mut free = new.to_vec();
        let mut rooms = Rooms::default();
        for (account, wanting) in self.wanted() {
            let left = followed.moved.len();
            self.follow(&account, wanting, (&mut rooms, &mut followed));
            let is_out = followed.moved[left..].iter().any(|moved| moved.to.is_none());
            free.extend(is_out.then_some(account));
        }
        for account in self.auto_associate(&free) {
            let to = self.next.group_of(&account, self.moment.period).cloned();
            let earlier = followed.moved.iter_mut().find(|moved| moved.account == account);
            let why = "it is in no group, and the group takes such accounts by itself".to_owned();
            match earlier {
                Some(moved) => (moved.to, moved.why) = (to, why),
                None => followed.moved.push(Moved { account, from: None, to, why }),
            }
        }
        followed.flags.extend(self.next.flags(self.moment.period));
        followed
    }

    /// The accounts that rules may move and that nobody has put where they are, each with the groups whose rules want it.
    fn wanted(&self) -> Vec<(AccountId, Vec<(BillingGroupId, String)>)> {
        let (of, period) = (&self.next, self.moment.period);
        let rules = of.rules_in_force(period);
        let movable = of.movable(period).filter(|(id, _)| {
            let is_placed = || of.placed(id, period).is_some();
            // Without rules, only what a rule has placed before is of interest.
            (!rules.is_empty() || is_placed()) && (of.group_of(id, period).is_none() || is_placed())
        });
        let wanting = |(id, account)| {
            let groups = of.wanting(&rules, id, account).into_iter();
            (id.clone(), groups.map(|(group, why)| (group.clone(), why)).collect())
        };
        movable.map(wanting).collect()
    }

    /// Puts one account where the rules want it.
    fn follow(
        &mut self,
        account: &AccountId,
        wanting: Vec<(BillingGroupId, String)>,
        (rooms, followed): (&mut Rooms, &mut Followed),
    ) {
        let period = self.moment.period;
        let from = self.next.group_of(account, period).cloned();
        let by_rule = self.next.placed(account, period).is_some_and(|of| matches!(of.by, PlacedBy::Rule(_)));
        let mut wanting = wanting.into_iter();
        match (wanting.next(), wanting.next()) {
            (None, _) => {
                let Some(group) = from.filter(|_| by_rule) else { return };
                self.take_out(account, &group);
                rooms.full.remove(&group);
                let why = "its group's rule does not match it any more".to_owned();
                followed.moved.push(Moved { account: account.clone(), from: Some(group), to: None, why });
            }
            (Some((group, why)), None) => {
                let placement = Placement { group: group.clone(), by: PlacedBy::Rule(why.clone()) };
                if from.as_ref() == Some(&group) {
                    return self.place(account, placement);
                }
                if !self.has_room_for(account, &group, rooms) {
                    followed.flags.push(Flag::Full { account: account.clone(), group });
                    return;
                }
                if let Some(from) = &from {
                    self.take_out(account, from);
                    rooms.full.remove(from);
                }
                let life = self.life(&group);
                // The account is in no group now: there is a window, up to where it is said to be elsewhere.
                if let Ok(joining) = self.free_accounts(std::slice::from_ref(account), life) {
                    self.join(&group, joining);
                    self.touch_group(&group);
                }
                self.place(account, placement);
                followed.moved.push(Moved { account: account.clone(), from, to: Some(group), why });
            }
            // What several want is told with the other flags.
            (Some(_), Some(_)) => {}
        }
    }

    /// Whether a group may have one account more, which is counted as if it came. All accounts are looked through once a group, and not once for each that comes.
    fn has_room_for(&self, account: &AccountId, group: &BillingGroupId, rooms: &mut Rooms) -> bool {
        if rooms.full.contains(group) {
            return false;
        }
        let life = self.life(group);
        let at_most = rooms.at_most.entry(group.clone()).or_insert_with(|| self.most_accounts(group, life));
        *at_most += 1;
        if *at_most <= Quota::AccountsPerBillingGroup.limit().1 {
            return true;
        }
        // Some may have left since they were counted.
        let has_room = self.accounts_have_room(group, life, &[(account.clone(), life)]).is_ok();
        if has_room {
            rooms.at_most.remove(group);
        } else {
            rooms.full.insert(group.clone());
        }
        has_room
    }

    /// Takes an account out of the group that it is in, from the period of the write on, for as long as it would have stayed.
    pub(super) fn take_out(&mut self, account: &AccountId, group: &BillingGroupId) {
        let period = self.moment.period;
        let groups = self.next.memberships.get(account);
        let here = groups.and_then(|groups| stay(groups, period, |of| of == group));
        let here = here.unwrap_or(Window { from: period, to: None });
        self.leave(account, group, here);
        self.touch_group(group);
        self.unplace(account, here);
    }

    /// Notes why an account is in its group from the period of the write on, up to what was said of it for later ones.
    pub(super) fn place(&mut self, account: &AccountId, placement: Placement) {
        let period = self.moment.period;
        let there = self.next.placements.get(account).and_then(|of| of.at(period));
        if there != Some(&placement) {
            let to = self.next_said(account);
            self.place_within(account, placement, Window { from: period, to });
        }
    }

    /// The first period after that of the write for which somebody, or a rule, has said where an account is, or why.
    fn next_said(&self, account: &AccountId) -> Option<BillingPeriod> {
        fn bounds<T: Clone + PartialEq>(of: Option<&Timeline<T>>) -> impl Iterator<Item = BillingPeriod> {
            let spans = of.map(Timeline::spans).unwrap_or_default().iter();
            spans.flat_map(|span| std::iter::once(span.from).chain(span.to))
        }
        let said =
            bounds(self.next.memberships.get(account)).chain(bounds(self.next.placements.get(account)));
        said.filter(|bound| *bound > self.moment.period).min()
    }

    /// Notes why an account is in its group in the periods of a window.
    pub(in crate::configuration) fn place_within(
        &mut self,
        account: &AccountId,
        placement: Placement,
        window: Window,
    ) {
        let placements = Arc::make_mut(&mut self.next.placements).entry(account.clone()).or_default();
        placements.set(window.from, window.to, placement, self.moment.now);
        self.touched.insert(Touched::Placement(account.clone()));
    }

    /// Notes that in the periods of a window an account is in no group, or where somebody has put it.
    pub(in crate::configuration) fn unplace(&mut self, account: &AccountId, window: Window) {
        let placements = self.next.placements.get(account).map(Timeline::spans).unwrap_or_default();
        if placements.iter().any(|span| Window::of(span).meets(window)) {
            if let Some(of) = Arc::make_mut(&mut self.next.placements).get_mut(account) {
                of.clear(window.from, window.to);
            }
            self.touched.insert(Touched::Placement(account.clone()));
        }
    }
}

impl Configuration {
    /// What somebody should look at in a period, whatever has just been done.
    #[must_use]
    pub fn flags(&self, period: BillingPeriod) -> Vec<Flag> {
        let of = self;
        let rules = of.rules_in_force(period);
        let mut flags = Vec::new();
        for (id, account) in of.movable(period) {
            let group = of.group_of(id, period);
            if let (Some(group), Some(left)) = (group, account.left.filter(|left| *left == period.next())) {
                let primary = of.groups.at(group, period).map(|(_, group)| &group.primary_account);
                let ends_group = primary == Some(id);
                flags.push(Flag::Leaving {
                    account: id.clone(),
                    group: group.clone(),
                    from: left,
                    ends_group,
                });
            }
            let is_ours = group.is_none() || of.placed(id, period).is_some();
            let wanting =
                if rules.is_empty() || !is_ours { Vec::new() } else { of.wanting(&rules, id, account) };
            if wanting.len() > 1 {
                let groups = wanting.into_iter().map(|(group, why)| (group.clone(), why)).collect();
                flags.push(Flag::Contested { account: id.clone(), groups });
            }
        }
        if of.organization.is_some() {
            for (group, rule) in rules {
                let units = rule.selectors.iter().filter_map(|selector| selector.unit.as_ref());
                let missing = units.filter(|unit| !unit.is_there(&of.units));
                flags.extend(
                    missing.map(|unit| Flag::NoUnit { group: group.clone(), unit: unit.to_string() }),
                );
            }
        }
        flags
    }
}

impl Flag {
    /// The account that it is about, where it is about one.
    #[must_use]
    pub const fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Contested { account, .. } | Self::Full { account, .. } | Self::Leaving { account, .. } => {
                Some(account)
            }
            Self::NoUnit { .. } => None,
        }
    }

    /// What it is called.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Contested { .. } => "SEVERAL_RULES_MATCH",
            Self::Full { .. } => "BILLING_GROUP_IS_FULL",
            Self::Leaving { .. } => "LEAVES_THE_ORGANIZATION",
            Self::NoUnit { .. } => "NO_SUCH_ORGANIZATIONAL_UNIT",
        }
    }

    /// What it says: the thing, the value and the way out. Groups are named as in a period.
    #[must_use]
    pub fn message(&self, of: &Configuration, period: BillingPeriod) -> String {
        let name = |id: &BillingGroupId| {
            let group = of.groups.at(id, period).map(|(_, group)| group.name.clone());
            group.unwrap_or_else(|| id.to_string())
        };
        match self {
            Self::Contested { account, groups } => {
                let said: Vec<_> = groups.iter().map(|(id, why)| format!("`{}` ({why})", name(id))).collect();
                format!(
                    "account `{account}` matches the rules of billing groups {} and stays where it is; except it from all rules but one, or \
                     associate it with a group yourself",
                    said.join(" and ")
                )
            }
            Self::Full { account, group } => format!(
                "billing group `{}` has {} accounts, which is all that it may have: account `{account}` stays where it is, though the rule matches it",
                name(group),
                Quota::AccountsPerBillingGroup.limit().1
            ),
            Self::Leaving { account, group, from, ends_group: false } => {
                format!(
                    "account `{account}` has left the organization and leaves billing group `{}` with {from}",
                    name(group)
                )
            }
            Self::Leaving { account, group, from, ends_group: true } => format!(
                "account `{account}` has left the organization; it is the primary account of billing group `{}`, which ends with {from}: create \
                 another one for its accounts",
                name(group)
            ),
            Self::NoUnit { group, unit } => format!(
                "the rule of billing group `{}` names organizational unit `{unit}`, which the organization does not have: it matches nothing",
                name(group)
            ),
        }
    }
}
