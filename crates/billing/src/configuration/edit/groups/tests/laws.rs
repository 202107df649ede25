//! What holds after any sequence of writes, refused ones among them.

use super::*;
use crate::configuration::window::Window;

/// Numbers that look random; the same seed gives the same.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u32) -> u32 {
        // Knuth's MMIX generator; its low bits are poor.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(end)) as u32
    }

    fn some(&mut self, count: u32) -> Vec<u32> {
        (0..self.below(count)).map(|_| 1 + self.below(12)).collect()
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}

fn any_change(numbers: &mut Numbers, edit: &mut Edit<'_>) -> Result<(), Refusal> {
    let some = numbers.some(5);
    let name = format!("g{}", numbers.below(6));
    let plan = ["BasicPricingPlan", "plan000001", "planended0", "Passthrough"][numbers.below(4) as usize];
    let transfer_name = format!("t{}", numbers.below(3));
    let groups: Vec<String> = edit.configuration().groups.iter().map(|(id, _)| id.to_string()).collect();
    let any = match groups.len() {
        0 => account(1).to_string(),
        count => groups[numbers.below(u32::try_from(count).unwrap()) as usize].clone(),
    };
    let automatic = [None, Some(false), Some(true)][numbers.below(3) as usize];
    match numbers.below(12) {
        0 | 1 => {
            let new = NewBillingGroup { pricing_plan: plan.into(), ..group(&name, &some) };
            edit.create_billing_group(NewBillingGroup { auto_associate: automatic, ..new }).map(drop)
        }
        2 => edit
            .create_billing_group(NewBillingGroup {
                pricing_plan: plan.into(),
                ..of_transfer(&name, &transfer_name)
            })
            .map(drop),
        3 | 4 => edit.associate_accounts(&any, &accounts(&some)).map(drop),
        5 => edit.disassociate_accounts(&any, &accounts(&some)).map(drop),
        6 => {
            let change = BillingGroupChange {
                name: numbers.coin().then_some(name),
                pricing_plan: numbers.coin().then(|| plan.to_owned()),
                auto_associate: automatic,
                ..BillingGroupChange::default()
            };
            edit.update_billing_group(&any, change).map(drop)
        }
        7 => edit.delete_billing_group(&any).map(drop),
        8 => {
            let status = [Status::Accepted, Status::Requested, Status::Declined, Status::Withdrawn];
            let status = status[numbers.below(4) as usize];
            let end = (status == Status::Withdrawn || numbers.coin()).then_some("2026-12");
            let first = 13 + 2 * numbers.below(3);
            let start = ["2026-08", "2026-10", "2026-11"][numbers.below(3) as usize];
            edit.put_transfer(
                transfer_name,
                transfer(&[first, first + 1, 1 + numbers.below(12)], status, start, end),
            )
        }
        9 => {
            edit.auto_associate(&accounts(&some));
            Ok(())
        }
        10 => {
            let there = some.iter().chain(&[1, 2, 3, 4, 5, 6, 7, 8]).map(|number| account(*number));
            edit.declare_family(there.map(|id| (id, FamilyAccount::default())).collect(), numbers.coin());
            Ok(())
        }
        _ => {
            edit.end_groups_without_primary();
            Ok(())
        }
    }
}

/// What holds in every period.
fn check(of: &Configuration) {
    let periods = ["2026-07", "2026-08", "2026-09", "2026-10", "2026-11", "2026-12", "2027-06"].map(month);
    for (account, groups) in of.memberships.iter() {
        assert!(Timeline::of(groups.spans().to_vec()).is_some(), "{account}: {groups:?}");
    }
    for (id, group) in of.groups.iter() {
        assert!(Timeline::of(group.versions.spans().to_vec()).is_some(), "{id}: {group:?}");
        for span in group.versions.spans() {
            if let PlanOf::Own(plan) = &span.value.pricing_plan {
                let versions = &of.plans.get(plan).unwrap().versions;
                assert_eq!(Window::of(span).first_gap(versions), None, "{id} has a plan in every period");
            }
            let may_pass = span.value.transfer.is_some() || span.value.pricing_plan != PlanOf::Passthrough;
            assert!(may_pass, "{id}");
        }
    }
    for period in periods {
        let (mut owned, mut names) = (BTreeMap::new(), BTreeSet::new());
        let associations = of.associations(period);
        let mut automatic = 0;
        for (id, _, settings) in of.groups_after(0, period) {
            let members = of.members(id, period);
            assert_eq!(associations.members(id), members, "{id} in {period}");
            for account in &members {
                assert_eq!(owned.insert((*account).clone(), id.clone()), None, "{account} in {period}");
                assert_eq!(associations.group_of(account), Some(id), "{account} in {period}");
            }
            if settings.transfer.is_none() {
                assert!(members.contains(&&settings.primary_account), "{id} in {period}");
                assert_eq!(id.as_str(), settings.primary_account.as_str());
            }
            assert!(of.group_status(id, period).is_some());
            assert!(names.insert(&settings.name), "`{}` twice in {period}", settings.name);
            automatic += usize::from(settings.auto_associate);
        }
        assert!(automatic <= 1, "{period}");
        for (account, groups) in of.memberships.iter() {
            // Nobody is in a group that there is not.
            assert_eq!(groups.at(period), owned.get(account).filter(|_| groups.at(period).is_some()));
        }
    }
}

#[test]
fn any_writes_keep_accounts_in_one_group_and_groups_whole() {
    let seeds = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let (mut made, mut refused) = (0, 0);
    for seed in seeds.map_or(0..120, |seed: u64| seed..seed + 1) {
        let mut numbers = Numbers(seed);
        let mut of = Configuration::new(AccountId::parse(PAYER).unwrap());
        put_plan(&mut of, "plan000001", "2026-01", None);
        put_plan(&mut of, "planended0", "2026-01", Some("2026-11"));
        for step in 0..60 {
            let period = ["2026-08", "2026-09", "2026-10", "2026-11", "2026-11"][numbers.below(5) as usize];
            let before = of.clone();
            // `write` compares what a refusal leaves with what was before.
            match write(&mut of, period, |edit| any_change(&mut numbers, edit)) {
                Ok(()) => made += 1,
                Err(_) => refused += 1,
            }
            let whole = std::panic::catch_unwind(|| check(&of));
            assert!(whole.is_ok(), "SEED={seed}, step {step}, {period}: {before:?} became {of:?}");
        }
    }
    assert!(made > 1_000 && refused > 1_000, "both happen: {made}, {refused}");
}
