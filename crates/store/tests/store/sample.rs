//! Configurations: one that has everything, and ones that chance has made. And a run.

use billing::account::AccountId;
use billing::configuration::{
    AssociatedValue, BillingGroupId, ChargeSettings, Configuration, CustomLineItemId, FamilyAccount,
    GroupSettings, ItemSettings, OtherSettings, PlacedBy, Placement, PlanOf, PlanSettings, Preference,
    PricingPlanId, PricingRuleId, Resource, RuleSettings, Timeline, Touched, TransferSettings,
};
use billing::custom_line_item::{Filter, Kind};
use billing::group_rule::{GroupRule, NamePattern, Selector, TagSelector, UnitName};
use billing::money::{Cost, Percentage, Quantity};
use billing::organization::{
    AccountDetails, AccountState, FeatureSet, JoinedMethod, Organization, OrganizationalUnit, UnitId,
};
use billing::period::BillingPeriod;
use billing::pricing::{CustomTiers, Pricing, Scope};
use billing::responsibility_transfer::Status;
use billing::tiers::Tier;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::DoneRun;

/// Numbers that look random and are the same for a seed.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below another.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn is(&mut self) -> bool {
        self.below(2) == 0
    }

    fn text(&mut self) -> String {
        const TEXTS: [&str; 6] = ["", "Acme", "Größe \"€\" 'x'", "a\u{0}b\n", "💶 {\"k\":1}", "%_\\"];
        TEXTS[usize::try_from(self.below(6)).unwrap()].to_owned()
    }

    fn maybe_text(&mut self) -> Option<String> {
        self.is().then(|| self.text())
    }

    fn month(&mut self) -> BillingPeriod {
        BillingPeriod::new(2026, u8::try_from(1 + self.below(12)).unwrap()).unwrap()
    }

    fn percentage(&mut self) -> Percentage {
        Percentage::from_units(i128::from(self.below(1_000_000))).unwrap()
    }
}

pub fn account(number: u64) -> AccountId {
    AccountId::parse(&format!("{number:012}")).unwrap()
}

fn group_id(number: u64) -> BillingGroupId {
    BillingGroupId::parse(&format!("{number:012}")).unwrap()
}

fn plan_id(number: u64) -> PricingPlanId {
    PricingPlanId::parse(&format!("plan{number:06}")).unwrap()
}

pub fn rule_id(number: u64) -> PricingRuleId {
    PricingRuleId::parse(&format!("rule{number:06}")).unwrap()
}

pub fn item_id(number: u64) -> CustomLineItemId {
    CustomLineItemId::parse(&format!("item{number:06}")).unwrap()
}

/// Changes something, whatever; what the change touches.
pub fn change(configuration: &mut Configuration, chance: &mut Chance, now: i64) -> Touched {
    let (which, number) = (chance.below(14), 1 + chance.below(6));
    match which {
        0 | 1 => {
            let (id, value) = (group_id(number), group(chance));
            let resource = resource(configuration.groups.get(&id), &mut configuration.next_number, now);
            configuration.groups.put(id.clone(), changed(resource, value, chance, now));
            Touched::Group(id)
        }
        2 => {
            let (id, value) = (plan_id(number), plan(chance));
            let resource = resource(configuration.plans.get(&id), &mut configuration.next_number, now);
            configuration.plans.put(id.clone(), changed(resource, value, chance, now));
            Touched::Plan(id)
        }
        3 => {
            let (id, value) = (rule_id(number), rule(chance));
            let resource = resource(configuration.rules.get(&id), &mut configuration.next_number, now);
            configuration.rules.put(id.clone(), changed(resource, value, chance, now));
            Touched::Rule(id)
        }
        4 => {
            let (id, value) = (item_id(number), item(chance));
            let resource = resource(configuration.items.get(&id), &mut configuration.next_number, now);
            configuration.items.put(id.clone(), changed(resource, value, chance, now));
            Touched::Item(id)
        }
        5 => {
            let members = Arc::make_mut(&mut configuration.memberships);
            let timeline = members.entry(account(number)).or_default();
            said(timeline, group_id(1 + chance.below(6)), chance, now);
            if timeline.is_empty() {
                members.remove(&account(number));
            }
            Touched::Membership(account(number))
        }
        6 => {
            let family = Arc::make_mut(&mut configuration.family);
            keep(family, account(number), family_account(chance), chance);
            Touched::Family(account(number))
        }
        7 => {
            let (name, value) = (format!("arn:transfer/{number}"), transfer(chance));
            keep(Arc::make_mut(&mut configuration.transfers), name.clone(), value, chance);
            Touched::Transfer(name)
        }
        8 => {
            let arn = format!("arn:transfer/{number}");
            let value = Preference { pricing_plan: chance.is().then(|| plan_of(chance)), modified_at: now };
            keep(Arc::make_mut(&mut configuration.preferences), arn.clone(), value, chance);
            Touched::Preference(arn)
        }
        9 => {
            let files = (0..chance.below(3)).map(|file| (format!("{file}.csv"), chance.text())).collect();
            let value = OtherSettings { book: chance.text(), files };
            said(&mut configuration.other, value, chance, now);
            Touched::Other
        }
        10 => {
            configuration.closed_through = chance.is().then(|| chance.month());
            Touched::ClosedThrough
        }
        11 | 12 => change_organization(configuration, chance, now),
        _ => {
            configuration.family_is_complete = chance.is();
            Touched::FamilyIsComplete
        }
    }
}

/// Many changes, so that everything is there.
pub fn changes(configuration: &mut Configuration, chance: &mut Chance, count: usize) -> BTreeSet<Touched> {
    (1..).take(count).map(|now| change(configuration, chance, now)).collect()
}

fn keep<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: V, chance: &mut Chance) {
    match chance.below(4) {
        0 => drop(map.remove(&key)),
        _ => drop(map.insert(key, value)),
    }
}

fn resource<S: Clone + PartialEq>(
    there: Option<&Resource<S>>,
    next_number: &mut u64,
    now: i64,
) -> Resource<S> {
    there.cloned().unwrap_or_else(|| {
        *next_number += 1;
        Resource {
            number: *next_number - 1,
            created_at: now,
            modified_at: now,
            versions: Timeline::default(),
            tags: BTreeMap::new(),
        }
    })
}

fn changed<S: Clone + PartialEq>(
    mut resource: Resource<S>,
    value: S,
    chance: &mut Chance,
    now: i64,
) -> Resource<S> {
    said(&mut resource.versions, value, chance, now);
    resource.modified_at = now;
    if chance.is() {
        resource.tags.insert(chance.text(), chance.text());
    }
    resource
}

fn said<S: Clone + PartialEq>(timeline: &mut Timeline<S>, value: S, chance: &mut Chance, now: i64) {
    let from = chance.month();
    match chance.below(5) {
        0 => timeline.end_at(from),
        1 => timeline.set(from, Some(from.next().next()), value, now),
        _ => timeline.set_from(from, value, now),
    }
}

fn plan_of(chance: &mut Chance) -> PlanOf {
    match chance.below(3) {
        0 => PlanOf::Basic,
        1 => PlanOf::Passthrough,
        _ => PlanOf::Own(plan_id(chance.below(6))),
    }
}

fn group(chance: &mut Chance) -> GroupSettings {
    GroupSettings {
        name: chance.text(),
        description: chance.maybe_text(),
        primary_account: account(chance.below(9)),
        pricing_plan: plan_of(chance),
        auto_associate: chance.is(),
        transfer: chance.maybe_text(),
    }
}

fn plan(chance: &mut Chance) -> PlanSettings {
    let rules = (0..chance.below(4)).map(|_| rule_id(chance.below(9))).collect();
    PlanSettings { name: chance.text(), description: chance.maybe_text(), rules }
}

pub fn rule(chance: &mut Chance) -> RuleSettings {
    let quantity = |text: &str| Quantity::parse(text).unwrap();
    let tiers = vec![
        Tier { begin: Quantity::ZERO, end: Some(quantity("10.5")), rate: quantity("0.0000000001") },
        Tier { begin: quantity("10.5"), end: None, rate: quantity("999999999999.5") },
    ];
    let scope = match chance.below(4) {
        0 => Scope::Global,
        1 => Scope::BillingEntity(chance.text()),
        2 => Scope::Service(chance.text()),
        _ => {
            let (service, usage_type, operation) = (chance.text(), chance.text(), chance.maybe_text());
            Scope::Sku { service, usage_type, operation }
        }
    };
    let pricing = match chance.below(4) {
        0 => Pricing::Markup(chance.percentage()),
        1 => Pricing::Discount(chance.percentage()),
        2 => Pricing::CustomTiers(CustomTiers::new(tiers).unwrap()),
        _ => Pricing::FreeTier { activated: chance.is() },
    };
    RuleSettings { name: chance.text(), description: chance.maybe_text(), scope, pricing }
}

pub fn item(chance: &mut Chance) -> ItemSettings {
    let charge = match chance.is() {
        true => ChargeSettings::Flat(Cost::from_units(i128::from(chance.below(1 << 60))).unwrap().negated()),
        false => {
            let mut of: BTreeSet<AssociatedValue> =
                (0..chance.below(3)).map(|_| AssociatedValue::Item(item_id(chance.below(9)))).collect();
            if chance.is() {
                of.insert(AssociatedValue::BillingGroup);
            }
            let filter = match chance.below(4) {
                0 => None,
                1 => Some(Filter::WithoutSavingsPlanNegation),
                2 => Some(Filter::OnlyService(chance.text())),
                _ => Some(Filter::WithoutService(chance.text())),
            };
            ChargeSettings::Percentage { percentage: chance.percentage(), of, filter }
        }
    };
    ItemSettings {
        name: chance.text(),
        description: chance.text(),
        billing_group: group_id(chance.below(6)),
        account: chance.is().then(|| account(chance.below(9))),
        kind: if chance.is() { Kind::Fee } else { Kind::Credit },
        charge,
        itemized: [None, Some(true), Some(false)][usize::try_from(chance.below(3)).unwrap()],
        presentation_service: chance.maybe_text(),
    }
}

fn family_account(chance: &mut Chance) -> FamilyAccount {
    FamilyAccount {
        name: chance.maybe_text(),
        email: chance.maybe_text(),
        joined: chance.is().then(|| chance.month()),
        left: chance.is().then(|| chance.month()),
        details: chance.is().then(|| Box::new(details(chance))),
    }
}

fn unit_id(number: u64) -> UnitId {
    UnitId::parse(&format!("ou-ab12-{number:08}")).unwrap()
}

fn details(chance: &mut Chance) -> AccountDetails {
    AccountDetails {
        unit: unit_id(chance.below(6)),
        state: if chance.is() { AccountState::Active } else { AccountState::Closed },
        joined_at: chance.is().then_some(1_790_000_000),
        joined_method: chance.is().then_some(JoinedMethod::Invited),
        left_at: chance.is().then_some(1_795_000_000),
        tags: (0..chance.below(3)).map(|number| (format!("k{number}"), chance.text())).collect(),
    }
}

fn group_rule(chance: &mut Chance) -> GroupRule {
    let selector = Selector {
        unit: chance.is().then(|| UnitName::Id(unit_id(chance.below(6)))),
        tag: Some(TagSelector { key: "k".to_owned(), values: [chance.text()].into() }),
        name: NamePattern::parse(&chance.text()),
    };
    let path = Selector { unit: UnitName::parse("Root/Größe"), ..Selector::default() };
    GroupRule { selectors: vec![selector, path], except: (0..chance.below(3)).map(account).collect() }
}

/// Changes something of the organization, or of what follows it.
fn change_organization(configuration: &mut Configuration, chance: &mut Chance, now: i64) -> Touched {
    let number = 1 + chance.below(6);
    match chance.below(4) {
        0 => {
            let id = unit_id(number);
            let parent = chance.is().then(|| unit_id(chance.below(6)));
            let gone_at = chance.is().then_some(now);
            let unit = OrganizationalUnit { name: chance.text(), parent, tags: BTreeMap::new(), gone_at };
            keep(Arc::make_mut(&mut configuration.units), id.clone(), unit, chance);
            Touched::Unit(id)
        }
        1 => {
            let rules = Arc::make_mut(&mut configuration.group_rules);
            let timeline = rules.entry(group_id(number)).or_default();
            said(timeline, group_rule(chance), chance, now);
            if timeline.is_empty() {
                rules.remove(&group_id(number));
            }
            Touched::GroupRule(group_id(number))
        }
        2 => {
            let by = if chance.is() { PlacedBy::Rule(chance.text()) } else { PlacedBy::AutoAssociate };
            let placements = Arc::make_mut(&mut configuration.placements);
            let timeline = placements.entry(account(number)).or_default();
            said(timeline, Placement { group: group_id(1 + chance.below(6)), by }, chance, now);
            if timeline.is_empty() {
                placements.remove(&account(number));
            }
            Touched::Placement(account(number))
        }
        _ => {
            let organization = Organization {
                id: "o-abcdefghij".to_owned(),
                management_account: account(9),
                management_email: chance.maybe_text(),
                features: FeatureSet::All,
                root: UnitId::parse("r-ab12").unwrap(),
            };
            configuration.organization = chance.is().then(|| Arc::new(organization));
            Touched::Organization
        }
    }
}

fn transfer(chance: &mut Chance) -> TransferSettings {
    TransferSettings {
        source: account(chance.below(9)),
        receiver: account(chance.below(9)),
        accounts: (0..chance.below(4)).map(account).collect(),
        status: Status::ALL[usize::try_from(chance.below(6)).unwrap()].0,
        start: chance.month(),
        end: chance.is().then(|| chance.month()),
    }
}

/// What a run has come to.
pub fn done_run() -> DoneRun {
    DoneRun {
        snapshot: "s1".to_owned(),
        source: "cur".to_owned(),
        book_hash: "b".to_owned(),
        configuration_revision: 3,
        line_count: 10_000_000_000,
        folder: "runs/r1".to_owned(),
        manifest: "m".to_owned(),
        groups: BTreeMap::new(),
        warnings: vec![],
    }
}
