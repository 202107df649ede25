//! Rules, plans, items and tags: every reason and quota once, and laws over random writes.

mod associations;
mod items;
mod laws;
mod plans;
mod rules;
mod tags;

use super::*;
use crate::configuration::{
    ConflictReason, FamilyAccount, GroupSettings, ItemSettings, PlanOf, PlanSettings, Quota, Resource,
    RuleSettings, Timeline,
};
use crate::custom_line_item::Kind;
use crate::money::Percentage;
use crate::pricing::{Pricing, Scope};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

/// A month of 2026. The current one is June; May is the previous one, and what is before April is closed.
fn month(number: u8) -> BillingPeriod {
    BillingPeriod::new(2026, number).unwrap()
}

fn account(digits: &str) -> AccountId {
    AccountId::parse(digits).unwrap()
}

const GROUP: &str = "222222222222";
const OTHER_GROUP: &str = "333333333333";

/// A payer's desk: what it has, and how ids are made.
#[derive(Clone)]
struct Desk {
    now: Configuration,
    made: u64,
    period: BillingPeriod,
}

impl Desk {
    /// Two groups since January: of 222222222222, with 444444444444 as a member, and of 333333333333.
    fn new() -> Self {
        let mut now = Configuration::new(account("111111111111"));
        now.closed_through = Some(month(3));
        let family = [GROUP, OTHER_GROUP, "444444444444", "555555555555"];
        now.family = Arc::new(family.map(|id| (account(id), FamilyAccount::default())).into());
        let mut memberships = BTreeMap::new();
        for (member, group) in
            [(GROUP, GROUP), ("444444444444", GROUP), ("555555555555", GROUP), (OTHER_GROUP, OTHER_GROUP)]
        {
            let mut of = Timeline::default();
            of.set_from(month(1), BillingGroupId::parse(group).unwrap(), 0);
            if member == "555555555555" {
                of.end_at(month(6));
            }
            memberships.insert(account(member), of);
        }
        now.memberships = Arc::new(memberships);
        let mut desk = Self { now, made: 0, period: month(6) };
        desk.group(GROUP, PlanOf::Basic, None, month(1));
        desk.group(OTHER_GROUP, PlanOf::Basic, None, month(1));
        desk
    }

    fn group(&mut self, id: &str, pricing_plan: PlanOf, transfer: Option<&str>, from: BillingPeriod) {
        let settings = GroupSettings {
            name: format!("group-{id}"),
            description: None,
            primary_account: account(if id.len() == 12 { id } else { "666666666666" }),
            pricing_plan,
            auto_associate: false,
            transfer: transfer.map(str::to_owned),
        };
        let mut versions = Timeline::default();
        versions.set_from(from, settings, 0);
        let resource = self.resource(versions);
        self.now.groups.put(BillingGroupId::parse(id).unwrap(), resource);
    }

    fn resource<S>(&mut self, versions: Timeline<S>) -> Resource<S> {
        let number = self.now.next_number;
        self.now.next_number += 1;
        Resource { number, created_at: 0, modified_at: 0, versions, tags: BTreeMap::new() }
    }

    /// Makes a write. One that is refused changes nothing, and none changes a closed period.
    fn write<T>(&mut self, write: impl FnOnce(&mut Edit<'_>) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let made = &mut self.made;
        let mut fresh = || {
            *made += 1;
            format!("{made:010}")
        };
        let moment = Moment { now: 7, current: month(6), period: self.period };
        let mut edit = Edit::begin(&self.now, moment, &mut fresh)?;
        let result = write(&mut edit);
        let (next, touched) = edit.finish();
        if result.is_err() {
            assert_eq!(next, self.now);
            assert_eq!(touched, BTreeSet::new());
        }
        self.now = next;
        result
    }

    /// The same on a copy.
    fn tried<T>(&self, write: impl FnOnce(&mut Edit<'_>) -> Result<T, Refusal>) -> Result<T, Refusal> {
        self.clone().write(write)
    }

    /// A write for an earlier period.
    fn back_to(&self, period: BillingPeriod) -> Self {
        Self { period, ..self.clone() }
    }

    fn rule(&mut self, name: &str) -> PricingRuleId {
        let service = Some(format!("Service{name}"));
        let new = NewRule { scope: ScopeName::Service, service, ..rule(name) };
        self.write(|edit| edit.create_pricing_rule(new)).unwrap()
    }

    fn plan(&mut self, name: &str, rules: &[&PricingRuleId]) -> PricingPlanId {
        let rules = rules.iter().map(ToString::to_string).collect();
        let new = NewPlan { name: name.to_owned(), rules, ..NewPlan::default() };
        self.write(|edit| edit.create_pricing_plan(new)).unwrap()
    }

    fn item(&mut self, new: NewItem) -> CustomLineItemId {
        self.write(|edit| edit.create_custom_line_item(new)).unwrap()
    }

    /// Many rules, plans or items that only their ids and names tell apart.
    fn many_rules(&mut self, count: usize) -> Vec<PricingRuleId> {
        (0..count)
            .map(|number| {
                let id = PricingRuleId::parse(&format!("R{number:09}")).unwrap();
                let settings = RuleSettings {
                    name: format!("many-{number}"),
                    description: None,
                    scope: Scope::Service(format!("S{number}")),
                    pricing: Pricing::Markup(Percentage::ONE),
                };
                let mut versions = Timeline::default();
                versions.set_from(month(6), settings, 0);
                let resource = self.resource(versions);
                self.now.rules.put(id.clone(), resource);
                id
            })
            .collect()
    }

    fn many_plans(&mut self, count: usize, rules: &[PricingRuleId]) -> Vec<PricingPlanId> {
        let first = self.now.next_number;
        let plan = |number| {
            let settings = PlanSettings {
                name: format!("many-{number}"),
                description: None,
                rules: rules.iter().cloned().collect(),
            };
            let mut versions = Timeline::default();
            versions.set_from(month(6), settings, 0);
            let id = PricingPlanId::parse(&format!("P{number:09}")).unwrap();
            let resource = self.resource(versions);
            self.now.plans.put(id.clone(), resource);
            id
        };
        (first..).take(count).map(plan).collect()
    }

    fn many_items(&mut self, count: usize, like: &CustomLineItemId) -> Vec<CustomLineItemId> {
        let versions = self.now.items.get(like).unwrap().versions.clone();
        let first = self.now.next_number;
        (first..)
            .take(count)
            .map(|number| {
                let mut versions = versions.clone();
                let renamed = |item: &ItemSettings| {
                    Some(ItemSettings { name: format!("many-{number}"), ..item.clone() })
                };
                versions.change(month(1), None, 0, renamed);
                let id = CustomLineItemId::parse(&format!("I{number:09}")).unwrap();
                let resource = self.resource(versions);
                self.now.items.put(id.clone(), resource);
                id
            })
            .collect()
    }
}

fn rule(name: &str) -> NewRule {
    NewRule {
        name: name.to_owned(),
        description: None,
        scope: ScopeName::Global,
        kind: RuleType::Markup,
        modifier_percentage: Some("10".to_owned()),
        service: None,
        billing_entity: None,
        usage_type: None,
        operation: None,
        tiering: None,
        tags: BTreeMap::new(),
    }
}

fn free_tier(activated: bool) -> Option<Tiering> {
    Some(Tiering { free_tier: Some(activated), custom_tiers: None })
}

/// A flat item of 10 that begins in June and recurs.
fn flat(name: &str) -> NewItem {
    NewItem {
        name: name.to_owned(),
        description: "a fee".to_owned(),
        billing_group: GROUP.to_owned(),
        account: None,
        range: range(6, None),
        kind: Kind::Fee,
        flat: Some("10".to_owned()),
        percentage: None,
        filters: Vec::new(),
        itemized: None,
        presentation_service: None,
        tags: BTreeMap::new(),
    }
}

/// A percentage of 10 of some resources, or of the group, that begins in June and recurs.
fn percentage(name: &str, of: Option<&[&str]>) -> NewItem {
    let of = of.map(|of| of.iter().map(ToString::to_string).collect());
    let percentage = NewPercentage { value: "10".to_owned(), of };
    NewItem { flat: None, percentage: Some(percentage), ..flat(name) }
}

fn service_filter(service: &str) -> FilterText {
    FilterText {
        attribute: "SERVICE".to_owned(),
        match_option: "EQUAL".to_owned(),
        values: Vec::new(),
        attribute_values: vec![service.to_owned()],
    }
}

#[expect(clippy::unnecessary_wraps, reason = "every range of an operation is optional")]
fn range(start: u8, end: Option<u8>) -> Option<PeriodRange> {
    Some(PeriodRange { start: month(start), end: end.map(month) })
}

#[track_caller]
fn assert_reason<T: Debug>(result: Result<T, Refusal>, expected: ValidationReason) {
    match result {
        Err(Refusal::Validation { reason, message, .. }) => assert_eq!(reason, expected, "{message}"),
        other => panic!("{} is expected, not {other:?}", expected.name()),
    }
}

#[track_caller]
fn assert_conflict<T: Debug>(result: Result<T, Refusal>, expected: ConflictReason, with: &str) {
    match result {
        Err(Refusal::Conflict { reason, id, message, .. }) => {
            assert_eq!(reason, expected, "{message}");
            assert!(id.ends_with(with), "{id} does not end with {with}");
        }
        other => panic!("{} is expected, not {other:?}", expected.name()),
    }
}

#[track_caller]
fn assert_limit<T: Debug>(result: Result<T, Refusal>, expected: Quota) {
    match result {
        Err(Refusal::Limit { quota, .. }) => assert_eq!(quota, expected),
        other => panic!("{expected:?} is expected, not {other:?}"),
    }
}

#[track_caller]
fn assert_missing<T: Debug>(result: Result<T, Refusal>) {
    assert!(matches!(result, Err(Refusal::NotFound { .. })), "{result:?}");
}

#[test]
fn ids_that_are_taken_or_none_are_asked_again() {
    let desk = Desk::new();
    let mut ids = ["short", "0123456789", "0123456789", "9876543210"].map(str::to_owned).into_iter();
    let mut fresh = || ids.next().unwrap();
    let moment = Moment { now: 7, current: month(6), period: month(6) };
    let mut edit = Edit::begin(&desk.now, moment, &mut fresh).unwrap();
    assert_eq!(edit.create_pricing_rule(rule("a")).unwrap().as_str(), "0123456789");
    assert_eq!(edit.create_pricing_rule(rule("b")).unwrap().as_str(), "9876543210");
    let touched = ["0123456789", "9876543210"].map(|id| Touched::Rule(PricingRuleId::parse(id).unwrap()));
    assert_eq!(edit.finish().1, BTreeSet::from(touched));
}
