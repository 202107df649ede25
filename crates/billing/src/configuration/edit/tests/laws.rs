//! Laws over random writes: whatever is asked in whatever order, what is kept fits together, and what is refused changes nothing.

use super::*;
use crate::configuration::{AssociatedValue, ChargeSettings};
use std::collections::HashSet;

/// A small seeded generator (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    fn range(&mut self) -> Option<PeriodRange> {
        let start = u8::try_from(4 + self.below(4)).unwrap();
        let end = u8::try_from(self.below(5)).unwrap();
        (!self.one_in(3))
            .then(|| PeriodRange { start: month(start), end: (end > 1).then(|| month(start + end - 1)) })
    }

    /// Ids of things that are there, deleted, or never were.
    fn ids(&mut self, from: &[String], most: usize) -> Vec<String> {
        (0..self.below(most + 1)).map(|_| self.pick(from)).collect()
    }
}

/// The ids that were ever made, and one that never was.
fn made<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<String> {
    ids.map(str::to_owned).chain(["NoneOfThem".to_owned()]).collect()
}

/// One random write; whether it was made.
fn step(desk: &mut Desk, random: &mut Random) -> bool {
    desk.period = month(u8::try_from(4 + random.below(3)).unwrap());
    if random.one_in(2) { catalogue_step(desk, random) } else { item_step(desk, random) }
}

fn catalogue_step(desk: &mut Desk, random: &mut Random) -> bool {
    let rules = made(desk.now.rules.iter().map(|(id, _)| id.as_str()));
    let plans = made(desk.now.plans.iter().map(|(id, _)| id.as_str()));
    let (name, digits) = (format!("n{}", random.below(30)), random.below(120).to_string());
    let (rule_id, plan) = (random.pick(&rules), random.pick(&plans));
    let some_rules = random.ids(&rules, 3);
    match random.below(9) {
        0 | 1 => {
            let service = random.one_in(2).then(|| random.pick(&["S3", "EC2", "RDS"]).to_owned());
            let scope = if service.is_some() { ScopeName::Service } else { ScopeName::Global };
            let mut new = NewRule { scope, service, modifier_percentage: Some(digits), ..rule(&name) };
            if random.one_in(3) {
                (new.kind, new.modifier_percentage) = (RuleType::Tiering, None);
                new.tiering = free_tier(false);
            }
            desk.write(|edit| edit.create_pricing_rule(new)).is_ok()
        }
        2 => {
            let mut change = RuleChange { name: Some(name), ..RuleChange::default() };
            match random.below(3) {
                0 => (change.kind, change.tiering) = (Some(RuleType::Tiering), free_tier(true)),
                1 => change.modifier_percentage = Some(digits),
                _ => (change.kind, change.modifier_percentage) = (Some(RuleType::Discount), Some(digits)),
            }
            desk.write(|edit| edit.update_pricing_rule(&rule_id, change)).is_ok()
        }
        3 => desk.write(|edit| edit.delete_pricing_rule(&rule_id)).is_ok(),
        4 => {
            let new = NewPlan { name, rules: some_rules, ..NewPlan::default() };
            desk.write(|edit| edit.create_pricing_plan(new)).is_ok()
        }
        5 => {
            let change = PlanChange { name: Some(name), description: None };
            desk.write(|edit| edit.update_pricing_plan(&plan, change)).is_ok()
        }
        6 | 7 => desk.write(|edit| edit.associate_pricing_rules(&plan, &some_rules)).is_ok(),
        _ if random.one_in(3) => desk.write(|edit| edit.delete_pricing_plan(&plan)).is_ok(),
        _ => desk.write(|edit| edit.disassociate_pricing_rules(&plan, &some_rules)).is_ok(),
    }
}

fn item_step(desk: &mut Desk, random: &mut Random) -> bool {
    let items = made(desk.now.items.iter().map(|(id, _)| id.as_str()));
    let (name, digits) = (format!("n{}", random.below(30)), random.below(120).to_string());
    let (item, range) = (random.pick(&items), random.range());
    let mut sources = items;
    sources.extend([GROUP, OTHER_GROUP].map(str::to_owned));
    let sources = random.ids(&sources, 3);
    let any = |done: Associated| done.resources.iter().any(|(_, result)| result.is_ok());
    match random.below(8) {
        0..3 => {
            let mut new = if random.one_in(2) { flat(&name) } else { percentage(&name, None) };
            if let Some(percentage) = &mut new.percentage {
                percentage.of = random.one_in(2).then_some(sources);
                new.itemized = Some(random.one_in(4));
                new.filters.extend(random.one_in(4).then(|| service_filter("S3")));
            }
            let group = if random.one_in(4) { OTHER_GROUP } else { GROUP }.to_owned();
            let new = NewItem { billing_group: group, range, ..new };
            desk.write(|edit| edit.create_custom_line_item(new)).is_ok()
        }
        3 => {
            let mut change = ItemChange { range, ..ItemChange::default() };
            change.name = random.one_in(3).then_some(name);
            change.percentage = random.one_in(2).then_some(digits);
            change.filters = random.one_in(3).then(|| vec![service_filter("EC2")]);
            desk.write(|edit| edit.update_custom_line_item(&item, change)).is_ok()
        }
        4 => desk.write(|edit| edit.delete_custom_line_item(&item, range)).is_ok(),
        5 => {
            desk.write(|edit| edit.disassociate_from_custom_line_item(&item, &sources, range)).is_ok_and(any)
        }
        _ => desk.write(|edit| edit.associate_to_custom_line_item(&item, &sources, range)).is_ok_and(any),
    }
}

/// What has to be true of every period.
fn check(configuration: &Configuration, period: BillingPeriod) {
    let Configuration { rules, plans, items, .. } = configuration;
    let mut names = HashSet::new();
    let each = rules.in_period(period).map(|(_, _, rule)| ("rule", &rule.name));
    let each = each.chain(plans.in_period(period).map(|(_, _, plan)| ("plan", &plan.name)));
    for name in each.chain(items.in_period(period).map(|(_, _, item)| ("item", &item.name))) {
        assert!(names.insert(name), "{name:?} twice in {period}");
    }
    for (id, _, plan) in plans.in_period(period) {
        let mut lines = HashSet::new();
        for rule in &plan.rules {
            let (_, rule) =
                rules.at(rule, period).unwrap_or_else(|| panic!("{id}: no rule {rule} in {period}"));
            let is_free_tier = matches!(rule.pricing, Pricing::FreeTier { .. });
            assert!(lines.insert((&rule.scope, is_free_tier)), "{id} has two rules for {:?}", rule.scope);
        }
    }
    let mut of_groups: BTreeMap<_, [usize; 2]> = BTreeMap::new();
    for (id, _, item) in items.in_period(period) {
        let ChargeSettings::Percentage { of, filter, .. } = &item.charge else { continue };
        for value in of {
            let AssociatedValue::Item(source) = value else { continue };
            let (_, source) =
                items.at(source, period).unwrap_or_else(|| panic!("{id}: no {source} in {period}"));
            assert!(matches!(source.charge, ChargeSettings::Flat(_)));
            assert_eq!(source.billing_group, item.billing_group);
            assert_ne!(item.itemized, Some(true));
        }
        let [filtered, itemized] = of_groups.entry(&item.billing_group).or_default();
        *filtered += usize::from(filter.is_some());
        *itemized += usize::from(item.itemized == Some(true));
    }
    assert!(of_groups.values().all(|[filtered, itemized]| *filtered <= 10 && *itemized <= 5));
}

#[test]
fn random_writes_keep_what_fits_together() {
    let mut written = [0_usize; 2];
    for seed in 0..24 {
        let mut random = Random(seed);
        let mut desk = Desk::new();
        for _ in 0..150 {
            let before = desk.now.clone();
            let is_done = step(&mut desk, &mut random);
            written[usize::from(is_done)] += 1;
            // `write` itself checks that a refusal changes nothing; a closed period never changes.
            for closed in 1..=3 {
                let rules = |of: &Configuration| of.rules.in_period(month(closed)).count();
                let items = |of: &Configuration| of.items.in_period(month(closed)).count();
                assert_eq!((rules(&desk.now), items(&desk.now)), (rules(&before), items(&before)));
            }
            for period in 3..=12 {
                check(&desk.now, month(period));
            }
        }
    }
    let [refused, done] = written;
    assert!(refused > 1_000 && done > 1_000, "{refused} refused, {done} made");
}
