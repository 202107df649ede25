//! Billing groups, accounts, transfers and periods: what each refusal takes, and what a write leaves.

mod laws;
mod refusals;

use crate::account::AccountId;
use crate::configuration::*;
use crate::period::BillingPeriod;
use crate::responsibility_transfer::Status;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const PAYER: &str = "999999999999";

pub(super) fn month(text: &str) -> BillingPeriod {
    BillingPeriod::parse(text).unwrap()
}

/// An account by number: 1 is `000000001000`.
pub(super) fn account(number: u32) -> AccountId {
    AccountId::parse(&format!("{:012}", u64::from(number) * 1_000)).unwrap()
}

pub(super) fn accounts(numbers: &[u32]) -> Vec<AccountId> {
    numbers.iter().map(|number| account(*number)).collect()
}

/// Writes in November 2026, for a period.
pub(super) fn at(period: &str) -> Moment {
    Moment { now: 1_795_000_000, current: month("2026-11"), period: month(period) }
}

/// One write for a period: the next configuration, or the same one where it is refused.
pub(super) fn write<T>(
    configuration: &mut Configuration,
    period: &str,
    change: impl FnOnce(&mut Edit<'_>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let mut next = configuration.next_number;
    let mut fresh = move || {
        next += 1;
        format!("fresh{next:05}")
    };
    let mut edit = Edit::begin(configuration, at(period), &mut fresh)?;
    let before = edit.configuration().clone();
    let changed = change(&mut edit);
    if changed.is_err() {
        assert_eq!(*edit.configuration(), before, "a refusal changes nothing");
    }
    let (after, touched) = edit.finish();
    for changed in differences(configuration, &after) {
        assert!(touched.contains(&changed), "{changed:?} is not among {touched:?}");
    }
    *configuration = after;
    changed
}

/// What is not as it was, of what these writes may change.
fn differences(before: &Configuration, after: &Configuration) -> BTreeSet<Touched> {
    fn keys<K: Ord + Clone, V: PartialEq>(one: &BTreeMap<K, V>, other: &BTreeMap<K, V>) -> Vec<K> {
        one.keys().chain(other.keys()).filter(|key| one.get(key) != other.get(key)).cloned().collect()
    }
    let groups = after.groups.iter().filter(|(id, group)| before.groups.get(id) != Some(group));
    let items = after.items.iter().filter(|(id, item)| before.items.get(id) != Some(item));
    let mut all: BTreeSet<_> = groups.map(|(id, _)| Touched::Group(id.clone())).collect();
    all.extend(items.map(|(id, _)| Touched::Item(id.clone())));
    all.extend(keys(&before.memberships, &after.memberships).into_iter().map(Touched::Membership));
    all.extend(keys(&before.family, &after.family).into_iter().map(Touched::Family));
    all.extend(keys(&before.transfers, &after.transfers).into_iter().map(Touched::Transfer));
    all.extend(keys(&before.preferences, &after.preferences).into_iter().map(Touched::Preference));
    all.extend((before.closed_through != after.closed_through).then_some(Touched::ClosedThrough));
    all.extend((before.family_is_complete != after.family_is_complete).then_some(Touched::FamilyIsComplete));
    all
}

/// A standard group of accounts, the first of which is the primary one.
pub(super) fn group(name: &str, of: &[u32]) -> NewBillingGroup {
    NewBillingGroup {
        name: name.to_owned(),
        pricing_plan: "BasicPricingPlan".to_owned(),
        primary_account: of.first().map(|number| account(*number)),
        linked_accounts: accounts(of),
        ..NewBillingGroup::default()
    }
}

pub(super) fn of_transfer(name: &str, transfer: &str) -> NewBillingGroup {
    NewBillingGroup { transfer: Some(transfer.to_owned()), ..group(name, &[]) }
}

pub(super) fn transfer(of: &[u32], status: Status, start: &str, end: Option<&str>) -> TransferSettings {
    TransferSettings {
        source: account(of[0]),
        receiver: AccountId::parse(PAYER).unwrap(),
        accounts: accounts(of).into_iter().collect(),
        status,
        start: month(start),
        end: end.map(month),
    }
}

/// A plan of the payer that is there in `[from, to)`.
pub(super) fn put_plan(configuration: &mut Configuration, id: &str, from: &str, to: Option<&str>) {
    let mut versions = Timeline::default();
    let settings = PlanSettings { name: id.to_owned(), description: None, rules: BTreeSet::new() };
    versions.set(month(from), to.map(month), settings, 0);
    let number = configuration.next_number;
    configuration.next_number += 1;
    let plan = Resource { number, created_at: 0, modified_at: 0, versions, tags: BTreeMap::new() };
    configuration.plans.put(PricingPlanId::parse(id).unwrap(), plan);
}

/// A payer with group `a` of accounts 1 to 3, group `b` of 4 to 6, and a plan.
pub(super) fn payer() -> Configuration {
    let mut configuration = Configuration::new(AccountId::parse(PAYER).unwrap());
    put_plan(&mut configuration, "plan000001", "2026-09", None);
    for (name, of) in [("a", [1, 2, 3]), ("b", [4, 5, 6])] {
        write(&mut configuration, "2026-10", |edit| edit.create_billing_group(group(name, &of))).unwrap();
    }
    configuration
}

pub(super) fn id(number: u32) -> BillingGroupId {
    BillingGroupId::parse(account(number).as_str()).unwrap()
}

/// The accounts of a standard group by their primary account's number, in a period.
pub(super) fn members(configuration: &Configuration, of: u32, period: &str) -> Vec<u32> {
    let members = configuration.members(&id(of), month(period));
    members.into_iter().map(|of| (of.as_str().parse::<u64>().unwrap() / 1_000) as u32).collect()
}

#[test]
fn an_account_that_moves_counts_its_whole_month_in_the_new_group() {
    // TV-1 of the user guide: account 3 moves from `a` to `b` in the middle of the month.
    let mut of = payer();
    write(&mut of, "2026-11", |edit| {
        edit.disassociate_accounts(id(1).as_str(), &accounts(&[3]))?;
        edit.associate_accounts(id(4).as_str(), &accounts(&[3]))
    })
    .unwrap();
    for (period, a, b) in [
        ("2026-09", vec![], vec![]),
        ("2026-10", vec![1, 2, 3], vec![4, 5, 6]),
        ("2026-11", vec![1, 2], vec![3, 4, 5, 6]),
        ("2027-01", vec![1, 2], vec![3, 4, 5, 6]),
    ] {
        assert_eq!((members(&of, 1, period), members(&of, 4, period)), (a, b), "{period}");
    }
    let associations = of.associations(month("2026-11"));
    assert_eq!((associations.size(&id(1)), associations.size(&id(4))), (2, 4));
    assert_eq!(associations.group_of(&account(3)), Some(&id(4)));
    let all: Vec<_> = associations.accounts().into_iter().map(|(account, ..)| account.clone()).collect();
    assert_eq!(all, [accounts(&[1, 2, 3, 4, 5, 6]), vec![AccountId::parse(PAYER).unwrap()]].concat());
}

#[test]
fn a_back_dated_write_holds_up_to_what_was_said_for_later_periods() {
    let mut of = payer();
    let rename = |name: &str| BillingGroupChange { name: Some(name.to_owned()), ..Default::default() };
    write(&mut of, "2026-11", |edit| edit.update_billing_group(id(1).as_str(), rename("late"))).unwrap();
    write(&mut of, "2026-10", |edit| edit.update_billing_group(id(1).as_str(), rename("early"))).unwrap();
    let name = |of: &Configuration, period| of.group(&id(1), month(period)).map(|(_, of)| of.name.clone());
    assert_eq!(name(&of, "2026-10").as_deref(), Some("early"));
    assert_eq!(name(&of, "2026-11").as_deref(), Some("late"));

    // Account 3 moves in November, and is back-dated out of `a` for October: November stays as it was said.
    write(&mut of, "2026-11", |edit| {
        edit.disassociate_accounts(id(1).as_str(), &accounts(&[3]))?;
        edit.associate_accounts(id(4).as_str(), &accounts(&[3]))
    })
    .unwrap();
    write(&mut of, "2026-10", |edit| edit.disassociate_accounts(id(1).as_str(), &accounts(&[3]))).unwrap();
    write(&mut of, "2026-09", |edit| edit.create_billing_group(group("c", &[7, 3]))).unwrap();
    assert_eq!(members(&of, 7, "2026-09"), [3, 7]);
    assert_eq!(members(&of, 7, "2026-10"), [3, 7]);
    assert_eq!((members(&of, 7, "2026-11"), members(&of, 4, "2026-11")), (vec![7], vec![3, 4, 5, 6]));
}

#[test]
fn a_group_is_created_again_as_the_same_resource() {
    let mut of = payer();
    let before = of.groups.get(&id(1)).unwrap().number;
    write(&mut of, "2026-11", |edit| edit.delete_billing_group(id(1).as_str())).unwrap();
    assert_eq!(of.group(&id(1), month("2026-11")), None);
    assert_eq!(members(&of, 1, "2026-10"), [1, 2, 3]);
    assert_eq!(of.group_of(&account(2), month("2026-11")), None);
    write(&mut of, "2026-11", |edit| edit.create_billing_group(group("again", &[1, 2]))).unwrap();
    let (again, settings) = of.group(&id(1), month("2026-12")).unwrap();
    assert!(again.number > before, "it has a new place in lists");
    assert_eq!(settings.name, "again");
    assert_eq!(of.group(&id(1), month("2026-10")).unwrap().1.name, "a");
    assert_eq!((members(&of, 1, "2026-10"), members(&of, 1, "2026-11")), (vec![1, 2, 3], vec![1, 2]));

    // Made longer into the past, it is the same in lists, and keeps what it has.
    let number = of.groups.get(&id(4)).unwrap().number;
    write(&mut of, "2026-08", |edit| edit.create_billing_group(group("b-before", &[4]))).unwrap();
    assert_eq!(of.groups.get(&id(4)).unwrap().number, number);
    assert_eq!((members(&of, 4, "2026-09"), members(&of, 4, "2026-10")), (vec![4], vec![4, 5, 6]));
}

#[test]
fn the_items_of_a_deleted_group_end() {
    let mut of = payer();
    let mut versions = Timeline::default();
    let settings = ItemSettings {
        name: "fee".to_owned(),
        description: "fee".to_owned(),
        billing_group: id(1),
        account: None,
        kind: crate::custom_line_item::Kind::Fee,
        charge: ChargeSettings::Flat(crate::money::Cost::ZERO),
        itemized: None,
        presentation_service: None,
    };
    versions.set(month("2026-10"), None, settings, 0);
    let item = CustomLineItemId::parse("item000001").unwrap();
    let resource = Resource { number: 50, created_at: 0, modified_at: 0, versions, tags: BTreeMap::new() };
    of.items.put(item.clone(), resource);
    write(&mut of, "2026-11", |edit| edit.delete_billing_group(id(1).as_str())).unwrap();
    assert!(of.items.at(&item, month("2026-10")).is_some());
    let (resource, none) = (of.items.get(&item).unwrap(), of.items.at(&item, month("2026-11")));
    assert_eq!((resource.modified_at, none), (at("2026-11").now, None));
}

#[test]
fn a_transfer_group_has_its_accounts_while_the_transfer_is_in_force() {
    let mut of = payer();
    write(&mut of, "2026-10", |edit| {
        let of = transfer(&[20, 21], Status::Withdrawn, "2026-11", Some("2027-01"));
        edit.put_transfer("t".to_owned(), of)?;
        edit.create_billing_group(NewBillingGroup {
            pricing_plan: "arn:aws:billingconductor::aws:pricingplan/Passthrough".to_owned(),
            ..of_transfer("org", "t")
        })
    })
    .unwrap();
    let group = of.groups.iter().last().unwrap().0.clone();
    assert_eq!(group.as_str().len(), 10);
    assert!(of.is_transfer(&group) && !of.is_transfer(&id(1)));
    for (period, status, size) in [
        ("2026-09", None, 0),
        ("2026-10", Some("PENDING"), 0),
        ("2026-11", Some("ACTIVE"), 2),
        ("2026-12", Some("ACTIVE"), 2),
        ("2027-01", None, 0),
    ] {
        let period = month(period);
        assert_eq!(of.group_status(&group, period), status, "{period}");
        assert_eq!(of.members(&group, period).len(), size, "{period}");
        assert_eq!(of.associations(period).size(&group), size, "{period}");
        let listed = of.groups_after(0, period).any(|(id, ..)| *id == group);
        assert_eq!(listed, status.is_some(), "{period}");
    }
    let settings = of.group(&group, month("2026-11")).unwrap().1;
    assert_eq!((&settings.primary_account, &settings.pricing_plan), (&account(20), &PlanOf::Passthrough));
}

#[test]
fn groups_are_made_of_transfers_accepted_after_the_preference() {
    let mut of = payer();
    let top = "arn:aws:organizations::999999999999:transfer/o-aaaaaaaaaa/billing/inbound/rt-00000001";
    let below = |of: &[u32], status| TransferSettings {
        receiver: account(20),
        ..transfer(of, status, "2026-12", None)
    };
    write(&mut of, "2026-11", |edit| {
        edit.put_transfer(top.to_owned(), transfer(&[20], Status::Accepted, "2026-11", None))?;
        edit.put_transfer("rt-early".to_owned(), below(&[30], Status::Accepted))?;
        edit.put_transfer("x/rt-asked".to_owned(), below(&[40], Status::Requested))?;
        edit.update_billing_transfer_preference(top, true, Some("plan000001"))?;
        assert_eq!(edit.auto_create_transfer_groups(), []);
        Ok(())
    })
    .unwrap();
    assert_eq!(of.plans_of_preferences().len(), 1);
    let made = write(&mut of, "2026-11", |edit| {
        edit.put_transfer("rt-early".to_owned(), below(&[30, 31], Status::Accepted))?;
        edit.put_transfer("x/rt-asked".to_owned(), below(&[40], Status::Accepted))?;
        Ok(edit.auto_create_transfer_groups())
    })
    .unwrap();
    let [(name, Ok(group))] = made.as_slice() else { panic!("{made:?}") };
    let (_, settings) = of.group(group, month("2026-11")).unwrap();
    assert_eq!(name, "x/rt-asked");
    assert_eq!(settings.name, "AutoCreated-000000040000-000000020000-rt-asked");
    assert_eq!(settings.pricing_plan, PlanOf::Own(PricingPlanId::parse("plan000001").unwrap()));
    assert_eq!(of.group_status(group, month("2026-11")), Some("PENDING"));

    // Disabled, the plan is free again; without the transfer there is no preference.
    write(&mut of, "2026-11", |edit| edit.update_billing_transfer_preference(top, false, None)).unwrap();
    assert!(of.plans_of_preferences().is_empty());
    write(&mut of, "2026-11", |edit| edit.remove_transfer("rt-early")).unwrap();
    assert!(!of.transfers.contains_key("rt-early"));
}

#[test]
fn accounts_in_no_group_join_by_themselves() {
    let mut of = payer();
    write(&mut of, "2026-11", |edit| {
        edit.update_billing_group(
            id(1).as_str(),
            BillingGroupChange { auto_associate: Some(true), ..Default::default() },
        )?;
        edit.put_transfer("t".to_owned(), transfer(&[20], Status::Requested, "2027-01", None))
    })
    .unwrap();
    let seen = [accounts(&[9, 5, 20, 8, 9]), vec![AccountId::parse(PAYER).unwrap()]].concat();
    let joined = write(&mut of, "2026-11", |edit| {
        edit.note_accounts(&seen);
        Ok(edit.auto_associate(&seen))
    });
    assert_eq!(joined.unwrap(), accounts(&[8, 9]));
    assert_eq!(members(&of, 1, "2026-11"), [1, 2, 3, 8, 9]);
    assert_eq!(members(&of, 1, "2026-10"), [1, 2, 3]);
    assert!(of.family.contains_key(&account(20)) && !of.family_is_complete);
    // Again, nobody is left.
    assert_eq!(write(&mut of, "2026-11", |edit| Ok(edit.auto_associate(&seen))).unwrap(), []);
}

#[test]
fn who_leaves_the_organization_leaves_its_group_unless_the_group_stands_on_it() {
    let mut of = payer();
    let named = |name: &str| FamilyAccount { name: Some(name.to_owned()), ..FamilyAccount::default() };
    let there: BTreeMap<_, _> = [(account(4), named("four")), (account(2), named("two"))].into();
    let automatic = BillingGroupChange { auto_associate: Some(true), ..BillingGroupChange::default() };
    write(&mut of, "2026-10", |edit| {
        edit.update_billing_group(id(1).as_str(), automatic)?;
        edit.declare_family(there, true);
        Ok(())
    })
    .unwrap();
    assert_eq!((members(&of, 1, "2026-10"), members(&of, 1, "2026-11")), (vec![1, 2, 3], vec![1, 2]));
    for (period, status) in [("2026-10", "PRIMARY_ACCOUNT_MISSING"), ("2026-11", "PRIMARY_ACCOUNT_MISSING")] {
        assert_eq!(of.group_status(&id(1), month(period)), Some(status));
    }
    assert_eq!(of.group_status(&id(4), month("2026-10")), Some("ACTIVE"));
    // It takes accounts in until the month ends, then it is no more.
    let joined = write(&mut of, "2026-10", |edit| Ok(edit.auto_associate(&accounts(&[8]))));
    assert_eq!(joined.unwrap(), accounts(&[8]));
    assert_eq!(write(&mut of, "2026-10", |edit| Ok(edit.end_groups_without_primary())).unwrap(), []);
    let ended = write(&mut of, "2026-11", |edit| Ok(edit.end_groups_without_primary())).unwrap();
    assert_eq!(ended, [id(1)]);
    assert_eq!((members(&of, 1, "2026-10"), members(&of, 1, "2026-11")), (vec![1, 2, 3, 8], vec![]));
    // Account 1 comes back, with what was known of it.
    write(&mut of, "2026-11", |edit| {
        edit.declare_family([(account(1), named("one"))].into(), false);
        edit.create_billing_group(group("a", &[1]))
    })
    .unwrap();
    assert_eq!(of.group_status(&id(1), month("2026-11")), Some("ACTIVE"));
    assert_eq!(of.family[&account(2)].name.as_deref(), Some("two"));
}

#[test]
fn closing_a_period_closes_those_before() {
    let mut of = payer();
    write(&mut of, "2026-11", |edit| edit.close(month("2026-09"))).unwrap();
    assert!(of.is_closed(month("2026-08")) && !of.is_closed(month("2026-10")));
    let invalid = ValidationReason::InvalidBillingPeriodForOperation;
    for (period, reason) in [
        ("2026-09", invalid),
        ("2026-01", invalid),
        ("2026-11", invalid),
        ("2026-12", ValidationReason::IllegalBillingPeriod),
    ] {
        let refused = write(&mut of, "2026-11", |edit| edit.close(month(period)));
        assert!(matches!(refused, Err(Refusal::Validation { reason: of, .. }) if of == reason), "{period}");
    }
    write(&mut of, "2026-10", |edit| edit.close(month("2026-10"))).unwrap();
    assert!(Edit::begin(&of, at("2026-10"), &mut String::new).is_err());
}
