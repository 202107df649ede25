//! Every refusal of these operations, by what brings it about. That a refusal changes nothing is checked by `write`.

use super::*;
use crate::configuration::window::Window;
use ConflictReason::*;
use ValidationReason::*;

/// What a refusal is, without its words.
fn name(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Validation { reason, message, .. } => {
            assert!(!message.is_empty());
            reason.name().to_owned()
        }
        Refusal::Conflict { reason, id, .. } => format!("{} {id}", reason.name()),
        Refusal::Limit { quota, resource, .. } => format!("{} {}", quota.limit().0, resource.is_some()),
        Refusal::NotFound { kind, id } => format!("no {} {id}", kind.name()),
        Refusal::Denied(_) => "denied".to_owned(),
    }
}

/// Groups `a` and `b`, which accounts join by themselves; transfers `soon` (accounts 20, 21) with group `org`, `ended` with group `was`, and
/// `declined`; a plan that has ended and one that is new in November; account 19 has left.
fn loaded() -> Configuration {
    let mut of = payer();
    put_plan(&mut of, "planended0", "2026-01", Some("2026-11"));
    put_plan(&mut of, "plannew000", "2026-11", None);
    let gone = FamilyAccount { left: Some(month("2026-05")), ..FamilyAccount::default() };
    write(&mut of, "2026-10", |edit| {
        edit.put_transfer("ended".into(), transfer(&[24], Status::Accepted, "2026-01", None))?;
        edit.put_transfer("soon".into(), transfer(&[20, 21], Status::Accepted, "2026-12", None))?;
        edit.put_transfer("declined".into(), transfer(&[22], Status::Declined, "2026-12", None))?;
        edit.create_billing_group(of_transfer("org", "soon"))?;
        edit.create_billing_group(of_transfer("was", "ended"))?;
        let ended = transfer(&[24], Status::Withdrawn, "2026-01", Some("2026-11"));
        edit.put_transfer("ended".into(), ended)?;
        edit.declare_family([(account(19), gone)].into(), false);
        let automatic = BillingGroupChange { auto_associate: Some(true), ..BillingGroupChange::default() };
        edit.update_billing_group(id(4).as_str(), automatic)?;
        Ok(())
    })
    .unwrap();
    of
}

fn of_name(configuration: &Configuration, name: &str) -> String {
    let group = configuration.groups.iter().find(|(_, of)| of.versions.spans()[0].value.name == name);
    group.unwrap().0.to_string()
}

fn check<T: std::fmt::Debug>(
    case: &str,
    expected: &str,
    change: impl FnOnce(&mut Edit<'_>) -> Result<T, Refusal>,
) {
    let refused = write(&mut loaded(), "2026-11", change).expect_err(case);
    assert_eq!(name(&refused), expected, "{case}: {refused}");
}

#[test]
fn standard_groups_that_cannot_be_created() {
    let base = || group("c", &[10, 11]);
    let primary = |number: u32| Some(account(number));
    let payer = AccountId::parse(PAYER).unwrap();
    let short = AccountId::parse("12345").unwrap();
    let plan = |plan: &str| NewBillingGroup { pricing_plan: plan.to_owned(), ..base() };
    let many: Vec<u32> = (10..41).collect();
    let cases: Vec<(&str, NewBillingGroup, ValidationReason)> = vec![
        ("31 accounts", group("c", &many), TooManyAccountsInRequest),
        ("twice", group("c", &[10, 11, 10]), DuplicateAccount),
        ("no primary", NewBillingGroup { primary_account: None, ..base() }, PrimaryNotAssociated),
        (
            "primary not linked",
            NewBillingGroup { primary_account: primary(12), ..base() },
            PrimaryNotAssociated,
        ),
        ("no accounts", NewBillingGroup { linked_accounts: Vec::new(), ..base() }, MissingLinkedAccountIds),
        (
            "payer",
            NewBillingGroup { primary_account: Some(payer.clone()), linked_accounts: vec![payer], ..base() },
            IllegalPrimaryAccount,
        ),
        (
            "no twelve digits",
            NewBillingGroup { primary_account: Some(short.clone()), linked_accounts: vec![short], ..base() },
            IllegalPrimaryAccount,
        ),
        ("primary has left", group("c", &[19]), IllegalPrimaryAccount),
        ("primary is transferred", group("c", &[20]), IllegalPrimaryAccount),
        ("member has left", group("c", &[10, 19]), IllegalAccounts),
        ("member is transferred", group("c", &[10, 21]), IllegalAccounts),
        ("there is one", group("c", &[1]), BillingGroupAlreadyExistInCurrentBillingPeriod),
        ("member of another", group("c", &[10, 5]), AccountsAlreadyAssociated),
        ("primary is member of another", group("c", &[5]), AccountsAlreadyAssociated),
        ("no such plan", plan("plan000009"), MissingPricingplan),
        ("ended plan", plan("planended0"), MissingPricingplan),
        ("no plan of AWS", plan("arn:aws:billingconductor::aws:pricingplan/plan000001"), MissingPricingplan),
        (
            "plan of AWS as own",
            plan("arn:aws:billingconductor::999999999999:pricingplan/Passthrough"),
            MissingPricingplan,
        ),
        (
            "plan of another payer",
            plan("arn:aws:billingconductor::111111111111:pricingplan/plan000001"),
            MismatchedPricingplanArn,
        ),
        ("a rule", plan("arn:aws:billingconductor::999999999999:pricingrule/plan000001"), InvalidArn),
        ("no ARN", plan("arn:aws:iam::1:role/x"), InvalidArn),
        ("passthrough", plan("Passthrough"), IllegalBillingGroupPricingPlan),
        (
            "second auto-associate",
            NewBillingGroup { auto_associate: Some(true), ..base() },
            TooManyAutoAssociateBillingGroups,
        ),
    ];
    for (case, new, reason) in cases {
        check(case, reason.name(), |edit| edit.create_billing_group(new));
    }
    let conflict = format!(
        "{} arn:aws:billingconductor::{PAYER}:billinggroup/{}",
        ResourceNameConflict.name(),
        account(1)
    );
    check("name", &conflict, |edit| edit.create_billing_group(group("a", &[10])));
    // Names differ by case; that of a group that has ended is free.
    for name in ["A", "was"] {
        write(&mut loaded(), "2026-11", |edit| edit.create_billing_group(group(name, &[10]))).unwrap();
    }
}

#[test]
fn transfer_groups_that_cannot_be_created() {
    let base = |transfer: &str| of_transfer("c", transfer);
    let cases: Vec<(&str, NewBillingGroup, ValidationReason)> = vec![
        (
            "primary",
            NewBillingGroup { primary_account: Some(account(20)), ..base("soon") },
            IllegalBillingGroupType,
        ),
        (
            "accounts",
            NewBillingGroup { linked_accounts: accounts(&[20]), ..base("soon") },
            IllegalBillingGroupType,
        ),
        (
            "auto-associate",
            NewBillingGroup { auto_associate: Some(true), ..base("soon") },
            IllegalBillingGroupType,
        ),
        ("unknown", base("nothing"), InvalidArn),
        ("declined", base("declined"), IllegalEndedBillinggroup),
        ("ended", base("ended"), IllegalEndedBillinggroup),
        ("there is one", base("soon"), BillingGroupAlreadyExistInCurrentBillingPeriod),
        (
            "no such plan",
            NewBillingGroup { pricing_plan: "plan000009".into(), ..base("soon") },
            BillingGroupAlreadyExistInCurrentBillingPeriod,
        ),
    ];
    for (case, new, reason) in cases {
        check(case, reason.name(), |edit| edit.create_billing_group(new));
    }
    // Received by an account whose own bill goes elsewhere.
    let mut of = loaded();
    write(&mut of, "2026-11", |edit| {
        let below =
            TransferSettings { receiver: account(22), ..transfer(&[30], Status::Accepted, "2026-11", None) };
        edit.put_transfer("below".into(), below)
    })
    .unwrap();
    let refused = write(&mut of, "2026-11", |edit| edit.create_billing_group(base("below"))).unwrap_err();
    assert_eq!(name(&refused), InvalidArn.name());
}

#[test]
fn groups_that_cannot_be_changed_or_deleted() {
    let none = BillingGroupChange::default;
    let named = |name: &str| BillingGroupChange { name: Some(name.into()), ..none() };
    let automatic = || BillingGroupChange { auto_associate: Some(true), ..none() };
    let plan = |plan: &str| BillingGroupChange { pricing_plan: Some(plan.into()), ..none() };
    let (a, b) = (account(1).to_string(), account(4).to_string());
    let org = of_name(&loaded(), "org");
    let was = of_name(&loaded(), "was");
    let arn = |payer: &str, kind: &str| format!("arn:aws:billingconductor::{payer}:{kind}/{a}");
    let conflict =
        format!("{} arn:aws:billingconductor::{PAYER}:billinggroup/{b}", ResourceNameConflict.name());
    let unknown = account(7).to_string();
    let not_found = format!("no billinggroup {unknown}");
    let cases: Vec<(&str, String, BillingGroupChange, &str)> = vec![
        ("missing", unknown.clone(), named("c"), &not_found),
        ("another payer", arn("111111111111", "billinggroup"), none(), MismatchedBillinggroupArn.name()),
        ("another kind", arn(PAYER, "pricingplan"), none(), InvalidArn.name()),
        ("ended", was.clone(), named("c"), IllegalEndedBillinggroup.name()),
        ("name", a.clone(), named("b"), &conflict),
        ("second auto-associate", a.clone(), automatic(), TooManyAutoAssociateBillingGroups.name()),
        ("auto-associate of a transfer", org.clone(), automatic(), IllegalBillingGroupType.name()),
        ("passthrough", a.clone(), plan("Passthrough"), IllegalBillingGroupPricingPlan.name()),
        ("no such plan", a.clone(), plan("plan000009"), MissingPricingplan.name()),
        (
            "status",
            a.clone(),
            BillingGroupChange { status: Some("PENDING".into()), ..none() },
            InvalidBillingGroupStatus.name(),
        ),
        (
            "transfer",
            org.clone(),
            BillingGroupChange { transfer: Some("ended".into()), ..none() },
            IllegalBillingGroupType.name(),
        ),
        (
            "transfer of a standard group",
            a.clone(),
            BillingGroupChange { transfer: Some("soon".into()), ..none() },
            IllegalBillingGroupType.name(),
        ),
    ];
    for (case, arn, change, expected) in cases {
        check(case, expected, |edit| edit.update_billing_group(&arn, change));
    }
    for (case, arn, expected) in [
        ("missing", unknown, MissingBillinggroup),
        ("too long", "BasicPricingPlan".to_owned(), MissingBillinggroup),
        ("another payer", arn("111111111111", "billinggroup"), MismatchedBillinggroupArn),
        ("another kind", arn(PAYER, "customlineitem"), InvalidArn),
        ("auto-associate", b, CannotDeleteAutoAssociateBillingGroup),
    ] {
        check(case, expected.name(), |edit| edit.delete_billing_group(&arn));
    }
    // What is allowed: the status and transfer that there are, and to delete what has ended.
    write(&mut loaded(), "2026-11", |edit| {
        edit.update_billing_group(
            &org,
            BillingGroupChange {
                status: Some("PENDING".into()),
                transfer: Some("soon".into()),
                description: Some(String::new()),
                ..plan("Passthrough")
            },
        )?;
        edit.delete_billing_group(&was)
    })
    .unwrap();
}

#[test]
fn a_change_is_checked_in_every_period_that_it_holds_in() {
    let mut of = payer();
    put_plan(&mut of, "plannew000", "2026-11", None);
    let rename = |name: &str| BillingGroupChange { name: Some(name.into()), ..Default::default() };
    // In November `a` is called `late`, and account 7 is in `b`.
    write(&mut of, "2026-11", |edit| {
        edit.update_billing_group(id(1).as_str(), rename("late"))?;
        edit.associate_accounts(id(4).as_str(), &accounts(&[7]))
    })
    .unwrap();
    let mut refused = |change: &dyn Fn(&mut Edit<'_>) -> Result<BillingGroupId, Refusal>| {
        name(&write(&mut of, "2026-10", |edit| change(edit)).unwrap_err())
    };
    let conflict =
        format!("{} arn:aws:billingconductor::{PAYER}:billinggroup/{}", ResourceNameConflict.name(), id(1));
    assert_eq!(refused(&|edit| edit.update_billing_group(id(4).as_str(), rename("late"))), conflict);
    assert_eq!(refused(&|edit| edit.create_billing_group(group("late", &[8]))), conflict);
    // The primary account would leave its group in November.
    let associated = AccountsAlreadyAssociated.name();
    assert_eq!(refused(&|edit| edit.create_billing_group(group("c", &[7]))), associated);
    let new = || NewBillingGroup { pricing_plan: "plannew000".into(), ..group("c", &[8]) };
    assert_eq!(refused(&|edit| edit.create_billing_group(new())), MissingPricingplan.name());
    // The name that `a` has in October only is taken there only.
    write(&mut of, "2026-11", |edit| edit.create_billing_group(group("a", &[8]))).unwrap();
}

fn declare(of: &mut Configuration, accounts: BTreeMap<AccountId, FamilyAccount>) {
    let declared = write(of, "2026-11", |edit| {
        edit.declare_family(accounts, true);
        Ok(())
    });
    declared.unwrap();
}

#[test]
fn accounts_that_cannot_come_or_go() {
    let (a, b) = (account(1).to_string(), account(4).to_string());
    let (org, was) = (of_name(&loaded(), "org"), of_name(&loaded(), "was"));
    let unknown = account(7).to_string();
    let not_found = format!("no billinggroup {unknown}");
    let many: Vec<u32> = (30..61).collect();
    let cases: Vec<(&str, &str, &[u32], &str)> = vec![
        ("missing", &unknown, &[30], &not_found),
        ("ended", &was, &[30], IllegalEndedBillinggroup.name()),
        ("31 accounts", &a, &many, TooManyAccountsInRequest.name()),
        ("twice", &a, &[30, 30], DuplicateAccount.name()),
        ("transfer group", &org, &[30], IllegalBillingGroupType.name()),
    ];
    for (case, arn, of, expected) in cases {
        check(case, expected, |edit| edit.associate_accounts(arn, &accounts(of)));
        check(case, expected, |edit| edit.disassociate_accounts(arn, &accounts(of)));
    }
    for (case, arn, of, expected) in [
        ("in another", &a, &[30, 5][..], AccountsAlreadyAssociated),
        ("in this one", &a, &[2], AccountsAlreadyAssociated),
        ("has left", &a, &[19], IllegalAccounts),
        ("is transferred", &a, &[21], IllegalAccounts),
    ] {
        check(case, expected.name(), |edit| edit.associate_accounts(arn, &accounts(of)));
    }
    for (case, arn, of, expected) in [
        ("primary", &a, &[2, 1][..], PrimaryCannotDisassociate),
        ("in none", &a, &[2, 30], AccountsNotAssociated),
        ("in another", &b, &[2], AccountsNotAssociated),
    ] {
        check(case, expected.name(), |edit| edit.disassociate_accounts(arn, &accounts(of)));
    }
    // Where the family is known to be whole, nobody else is of it; the payer always is.
    let mut of = payer();
    let all = accounts(&[1, 2, 3, 4, 5, 6]).into_iter().map(|account| (account, FamilyAccount::default()));
    declare(&mut of, all.collect());
    let mut associate =
        |account: AccountId| write(&mut of, "2026-11", |edit| edit.associate_accounts(&a, &[account]));
    assert_eq!(name(&associate(account(30)).unwrap_err()), IllegalAccounts.name());
    associate(AccountId::parse(PAYER).unwrap()).unwrap();
    // Nothing is added to a group that has lost its primary account.
    let left = accounts(&[2, 4]).into_iter().map(|account| (account, FamilyAccount::default()));
    declare(&mut of, left.collect());
    let refused = write(&mut of, "2026-11", |edit| edit.associate_accounts(&a, &[])).unwrap_err();
    assert_eq!(name(&refused), InvalidBillingGroupStatus.name());
    let automatic = BillingGroupChange { auto_associate: Some(true), ..BillingGroupChange::default() };
    let refused = write(&mut of, "2026-11", |edit| edit.update_billing_group(&a, automatic)).unwrap_err();
    assert_eq!(name(&refused), InvalidBillingGroupStatus.name());
}

#[test]
fn quotas_hold_in_every_period() {
    let mut of = payer();
    let a = account(1).to_string();
    write(&mut of, "2026-11", |edit| {
        for first in (100..1_097).step_by(30) {
            let some: Vec<u32> = (first..1_097.min(first + 30)).collect();
            edit.associate_accounts(&a, &accounts(&some))?;
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(of.members(&id(1), month("2026-11")).len(), 1_000);
    for period in ["2026-11", "2026-10"] {
        let refused = write(&mut of, period, |edit| edit.associate_accounts(&a, &accounts(&[2_000])));
        assert_eq!(name(&refused.unwrap_err()), "ACCOUNTS_PER_BILLING_GROUP true", "{period}");
    }
    let automatic = BillingGroupChange { auto_associate: Some(true), ..BillingGroupChange::default() };
    let joined = write(&mut of, "2026-11", |edit| {
        edit.disassociate_accounts(&a, &accounts(&[100]))?;
        edit.update_billing_group(&a, automatic)?;
        Ok(edit.auto_associate(&accounts(&[2_000, 2_001])))
    });
    assert_eq!(joined.unwrap().len(), 1, "as long as there is room");

    // 5,000 groups, two of which are there already.
    write(&mut of, "2026-11", |edit| {
        for number in 10_000..14_998 {
            let (name, settings) = (format!("g{number}"), account(number));
            let window = Window { from: month("2026-11"), to: None };
            let settings = GroupSettings {
                name,
                description: None,
                primary_account: settings,
                pricing_plan: PlanOf::Basic,
                auto_associate: false,
                transfer: None,
            };
            edit.put_group(&id(number), settings, window, BTreeMap::new());
        }
        Ok(())
    })
    .unwrap();
    for period in ["2026-11", "2026-10"] {
        let refused = write(&mut of, period, |edit| edit.create_billing_group(group("more", &[9])));
        assert_eq!(name(&refused.unwrap_err()), "BILLING_GROUPS_PER_PAYER false", "{period}");
    }
    write(&mut of, "2026-11", |edit| {
        edit.delete_billing_group(id(4).as_str())?;
        edit.create_billing_group(group("more", &[9]))
    })
    .unwrap();
}

#[test]
fn transfers_that_cannot_be() {
    let base = || transfer(&[50, 51], Status::Accepted, "2026-11", None);
    let cases: Vec<(&str, &str, TransferSettings, &str)> = vec![
        ("no source", "t", TransferSettings { source: account(52), ..base() }, "FIELD_VALIDATION_FAILED"),
        (
            "payer among them",
            "t",
            TransferSettings { accounts: [account(50), AccountId::parse(PAYER).unwrap()].into(), ..base() },
            "FIELD_VALIDATION_FAILED",
        ),
        (
            "no months",
            "t",
            TransferSettings { end: Some(month("2026-11")), ..base() },
            "FIELD_VALIDATION_FAILED",
        ),
        (
            "withdrawn",
            "t",
            TransferSettings { status: Status::Withdrawn, ..base() },
            "FIELD_VALIDATION_FAILED",
        ),
        ("receiver", "t", TransferSettings { receiver: account(60), ..base() }, "FIELD_VALIDATION_FAILED"),
        ("of two", "t", transfer(&[50, 21], Status::Accepted, "2026-11", None), "FIELD_VALIDATION_FAILED"),
        (
            "in a group",
            "t",
            transfer(&[50, 2], Status::Accepted, "2026-11", None),
            "ACCOUNTS_ALREADY_ASSOCIATED",
        ),
        (
            "another source",
            "soon",
            transfer(&[21, 20], Status::Accepted, "2026-12", None),
            "FIELD_VALIDATION_FAILED",
        ),
    ];
    for (case, name, settings, expected) in cases {
        check(case, expected, |edit| edit.put_transfer(name.to_owned(), settings));
    }
    let mut of = loaded();
    let many: Vec<u32> = (20..21).chain(3_000..4_000).collect();
    let many = transfer(&many, Status::Accepted, "2026-12", None);
    let refused = write(&mut of, "2026-11", |edit| edit.put_transfer("soon".into(), many.clone()));
    assert_eq!(name(&refused.unwrap_err()), "ACCOUNTS_PER_BILLING_GROUP true");
    let refused = write(&mut of, "2026-11", |edit| {
        edit.put_transfer("big".into(), TransferSettings { source: account(3_000), ..many })?;
        edit.create_billing_group(of_transfer("big", "big"))
    });
    assert!(refused.is_err());
    // A circle, once each receives the other's bill.
    let mut of = loaded();
    write(&mut of, "2026-11", |edit| edit.put_transfer("t".into(), base())).unwrap();
    let below =
        |receiver| TransferSettings { receiver, ..transfer(&[60], Status::Accepted, "2026-11", None) };
    write(&mut of, "2026-11", |edit| edit.put_transfer("u".into(), below(account(50)))).unwrap();
    let circle = TransferSettings { receiver: account(60), ..base() };
    let refused = write(&mut of, "2026-11", |edit| edit.put_transfer("t".into(), circle)).unwrap_err();
    assert_eq!(name(&refused), "FIELD_VALIDATION_FAILED");
    for gone in ["t", "soon", "nothing"] {
        let refused = write(&mut of, "2026-11", |edit| edit.remove_transfer(gone)).unwrap_err();
        assert_eq!(name(&refused), "FIELD_VALIDATION_FAILED", "{gone}");
    }
}

#[test]
fn a_closed_month_keeps_its_transfers_and_a_name_is_not_taken_twice() {
    let mut of = loaded();
    write(&mut of, "2026-11", |edit| {
        edit.create_billing_group(group("was", &[10]))?;
        edit.close(month("2026-09"))
    })
    .unwrap();
    let mut put = |start, end| {
        let again = transfer(&[24], Status::Withdrawn, start, Some(end));
        write(&mut of, "2026-11", |edit| edit.put_transfer("ended".into(), again)).map_err(|of| name(&of))
    };
    let closed = "INVALID_BILLING_PERIOD_FOR_OPERATION".to_owned();
    assert_eq!(put("2026-02", "2026-11"), Err(closed.clone()));
    assert_eq!(put("2026-01", "2026-09"), Err(closed));
    assert!(put("2026-01", "2026-12").unwrap_err().starts_with("RESOURCE_NAME_CONFLICT"));
    assert_eq!(put("2026-01", "2026-10"), Ok(()));
}

#[test]
fn preferences_that_cannot_be() {
    for (case, arn, enabled, plan, expected) in [
        ("unknown", "nothing", true, Some("plan000001"), FieldValidationFailed),
        ("without plan", "soon", true, None, MissingPricingPlanArn),
        ("disabled with plan", "soon", false, Some("plan000001"), FieldValidationFailed),
        ("no such plan", "soon", true, Some("plan000009"), MissingPricingplan),
        ("ended plan", "soon", true, Some("planended0"), MissingPricingplan),
    ] {
        check(case, expected.name(), |edit| edit.update_billing_transfer_preference(arn, enabled, plan));
    }
}
