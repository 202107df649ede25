//! Pricing rules.

use super::*;
use ValidationReason as Reason;

fn tier(begin: &str, end: Option<&str>, rate: &str) -> TierText {
    TierText { begin: Some(begin.to_owned()), end: end.map(str::to_owned), rate: rate.to_owned() }
}

fn tiers(tiers: &[TierText]) -> Option<Tiering> {
    Some(Tiering { free_tier: None, custom_tiers: Some(tiers.to_vec()) })
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn of_service(name: &str) -> NewRule {
    NewRule { scope: ScopeName::Service, service: text("AmazonEC2"), ..rule(name) }
}

fn of_entity() -> NewRule {
    NewRule { scope: ScopeName::BillingEntity, billing_entity: text("AWS Marketplace"), ..rule("a") }
}

fn of_sku() -> NewRule {
    let usage_type = text("BoxUsage:t3.micro");
    NewRule { scope: ScopeName::Sku, usage_type, ..of_service("a") }
}

fn tiering(of: NewRule, tiering: Option<Tiering>) -> NewRule {
    NewRule { kind: RuleType::Tiering, modifier_percentage: None, tiering, ..of }
}

#[test]
fn every_cell_of_the_matrix() {
    let discount = |of: NewRule| NewRule { kind: RuleType::Discount, ..of };
    let one = [tier("0", None, "0.04")];
    let allowed = [
        rule("a"),
        discount(rule("a")),
        tiering(rule("a"), free_tier(false)),
        of_service("a"),
        discount(of_service("a")),
        tiering(of_service("a"), free_tier(true)),
        of_entity(),
        discount(of_entity()),
        of_sku(),
        NewRule { operation: text("RunInstances"), ..of_sku() },
        discount(of_sku()),
        tiering(of_sku(), tiers(&one)),
    ];
    for new in allowed {
        let shown = format!("{new:?}");
        Desk::new().write(|edit| edit.create_pricing_rule(new)).expect(&shown);
    }
    let refused = [
        (NewRule { service: text("AmazonEC2"), ..rule("a") }, Reason::IllegalScope),
        (NewRule { service: text("AmazonEC2"), ..of_entity() }, Reason::IllegalScope),
        (NewRule { billing_entity: text("AWS"), ..rule("a") }, Reason::IllegalBillingEntity),
        (NewRule { billing_entity: text("AWS"), ..of_sku() }, Reason::IllegalBillingEntity),
        (NewRule { billing_entity: None, ..of_entity() }, Reason::IllegalBillingEntity),
        (NewRule { usage_type: text("x"), ..of_service("a") }, Reason::IllegalUsageType),
        (NewRule { usage_type: None, ..of_sku() }, Reason::IllegalUsageType),
        (NewRule { operation: text("x"), ..of_service("a") }, Reason::IllegalOperation),
        (NewRule { service: None, ..of_service("a") }, Reason::IllegalService),
        (NewRule { service: None, ..of_sku() }, Reason::IllegalService),
        (tiering(of_entity(), free_tier(false)), Reason::IllegalType),
        (NewRule { modifier_percentage: None, ..rule("a") }, Reason::IllegalModifierPercentage),
        (NewRule { modifier_percentage: text("-1"), ..rule("a") }, Reason::IllegalModifierPercentage),
        (
            NewRule { modifier_percentage: text("100.01"), ..discount(rule("a")) },
            Reason::IllegalModifierPercentage,
        ),
        (
            NewRule { modifier_percentage: text("0"), ..tiering(rule("a"), free_tier(true)) },
            Reason::IllegalModifierPercentage,
        ),
        (NewRule { tiering: free_tier(true), ..rule("a") }, Reason::IllegalTieringInput),
        (tiering(rule("a"), None), Reason::IllegalTieringInput),
        (tiering(rule("a"), Some(Tiering::default())), Reason::IllegalTieringInput),
        (tiering(rule("a"), tiers(&one)), Reason::IllegalTieringInput),
        (tiering(of_sku(), free_tier(true)), Reason::IllegalTieringInput),
        (
            tiering(of_sku(), Some(Tiering { free_tier: Some(true), ..tiers(&one).unwrap() })),
            Reason::IllegalTieringInput,
        ),
    ];
    for (new, reason) in refused {
        assert_reason(Desk::new().write(|edit| edit.create_pricing_rule(new)), reason);
    }
}

#[test]
fn custom_tiers_cover_all_usage() {
    for refused in [
        vec![],
        vec![tier("1", None, "1")],
        vec![tier("0", Some("5"), "1")],
        vec![tier("0", Some("5"), "1"), tier("6", None, "1")],
        vec![tier("0", Some("5"), "1"), tier("4", None, "1")],
        vec![tier("0", None, "1"), tier("5", None, "1")],
        vec![tier("0", None, "0.12345678901")],
        vec![tier("0", Some("0.00000000001"), "1"), tier("0.00000000001", None, "1")],
        vec![tier("0", None, "-1")],
        vec![tier("0", None, "many")],
        (0..11)
            .map(|n| tier(&n.to_string(), (n < 10).then(|| (n + 1).to_string()).as_deref(), "1"))
            .collect(),
    ] {
        let new = tiering(of_sku(), tiers(&refused));
        assert_reason(Desk::new().write(|edit| edit.create_pricing_rule(new)), Reason::IllegalTieringInput);
    }
    let open = TierText { begin: None, end: None, rate: "3e-2".to_owned() };
    let new = tiering(of_sku(), tiers(&[tier("0", Some("1e2"), "0.0400000000"), open]));
    let mut desk = Desk::new();
    let id = desk.write(|edit| edit.create_pricing_rule(new)).unwrap();
    let Pricing::CustomTiers(tiers) = &desk.now.rules.at(&id, month(6)).unwrap().1.pricing else {
        panic!("custom tiers")
    };
    let bounds: Vec<_> = tiers.tiers().all().iter().map(|tier| (tier.begin, tier.rate)).collect();
    assert_eq!(format!("{bounds:?}"), "[(0, 0.04), (100, 0.03)]");
}

#[test]
fn a_percentage_is_rounded_before_it_is_kept() {
    let mut desk = Desk::new();
    let new = NewRule { modifier_percentage: text("12.345"), ..rule("a") };
    let id = desk.write(|edit| edit.create_pricing_rule(new)).unwrap();
    let pricing = |desk: &Desk| desk.now.rules.at(&id, month(6)).unwrap().1.pricing.clone();
    assert_eq!(pricing(&desk), Pricing::Markup(Percentage::parse("12.35").unwrap()));
    let change = RuleChange { kind: Some(RuleType::Discount), ..RuleChange::default() };
    desk.write(|edit| edit.update_pricing_rule(id.as_str(), change)).unwrap();
    assert_eq!(pricing(&desk), Pricing::Discount(Percentage::parse("12.35").unwrap()));
}

#[test]
fn a_rule_keeps_its_kind_unless_it_is_given_another_with_a_body() {
    let to = |kind, modifier_percentage: Option<&str>, tiering| RuleChange {
        kind,
        modifier_percentage: modifier_percentage.map(str::to_owned),
        tiering,
        ..RuleChange::default()
    };
    let (markup, tiering_kind) = (Some(RuleType::Markup), Some(RuleType::Tiering));
    let one = tiers(&[tier("0", None, "1")]);
    let cases = [
        (rule("a"), to(None, Some("5"), None), None),
        (rule("a"), to(Some(RuleType::Discount), None, None), None),
        (rule("a"), to(tiering_kind, None, free_tier(false)), None),
        (rule("a"), to(tiering_kind, None, None), Some(Reason::IllegalType)),
        (rule("a"), to(tiering_kind, None, one.clone()), Some(Reason::IllegalTieringInput)),
        (rule("a"), to(None, None, free_tier(false)), Some(Reason::IllegalTieringInput)),
        (rule("a"), to(tiering_kind, Some("5"), free_tier(false)), Some(Reason::IllegalModifierPercentage)),
        (of_entity(), to(tiering_kind, None, free_tier(false)), Some(Reason::IllegalType)),
        (of_sku(), to(tiering_kind, None, one.clone()), None),
        (tiering(rule("a"), free_tier(true)), to(None, None, free_tier(false)), None),
        (tiering(rule("a"), free_tier(true)), to(markup, Some("5"), None), None),
        (tiering(rule("a"), free_tier(true)), to(markup, None, None), Some(Reason::IllegalType)),
        (
            tiering(rule("a"), free_tier(true)),
            to(None, Some("5"), None),
            Some(Reason::IllegalModifierPercentage),
        ),
        (tiering(of_sku(), one.clone()), to(None, None, one.clone()), None),
        (tiering(of_sku(), one), to(None, None, free_tier(true)), Some(Reason::IllegalTieringInput)),
        (
            NewRule { modifier_percentage: text("150"), ..rule("a") },
            to(Some(RuleType::Discount), None, None),
            Some(Reason::IllegalModifierPercentage),
        ),
    ];
    for (new, change, expected) in cases {
        let mut desk = Desk::new();
        let shown = format!("{new:?} {change:?}");
        let id = desk.write(|edit| edit.create_pricing_rule(new)).unwrap();
        let result = desk.write(|edit| edit.update_pricing_rule(id.as_str(), change));
        match expected {
            None => assert!(result.is_ok(), "{shown}: {result:?}"),
            Some(reason) => assert_reason(result, reason),
        }
    }
}

#[test]
fn names_are_unique_among_what_is_there() {
    let mut desk = Desk::new();
    let first = desk.rule("a");
    let second = desk.rule("b");
    let again = || NewRule { service: text("AmazonS3"), ..of_service("a") };
    let create = |desk: &Desk| desk.tried(|edit| edit.create_pricing_rule(again()));
    assert_conflict(create(&desk), ConflictReason::ResourceNameConflict, first.as_str());
    let rename = |name: &str| RuleChange { name: text(name), ..RuleChange::default() };
    assert_conflict(
        desk.tried(|edit| edit.update_pricing_rule(second.as_str(), rename("a"))),
        ConflictReason::ResourceNameConflict,
        first.as_str(),
    );
    desk.tried(|edit| edit.update_pricing_rule(second.as_str(), rename("A"))).unwrap();
    desk.tried(|edit| edit.update_pricing_rule(second.as_str(), rename("b"))).unwrap();
    // A back-dated rule would have the name in June too.
    assert_conflict(create(&desk.back_to(month(4))), ConflictReason::ResourceNameConflict, first.as_str());
    desk.write(|edit| edit.delete_pricing_rule(first.as_str())).unwrap();
    create(&desk).unwrap();
}

#[test]
fn arns_name_what_there_is_of_the_payer() {
    let mut desk = Desk::new();
    let id = desk.rule("a");
    let update =
        |desk: &Desk, arn: &str| desk.tried(|edit| edit.update_pricing_rule(arn, RuleChange::default()));
    let delete = |desk: &Desk, arn: &str| desk.tried(|edit| edit.delete_pricing_rule(arn));
    update(&desk, &id.arn(&desk.now.payer)).unwrap();
    update(&desk, &format!("arn:aws-cn:billingconductor::111111111111:pricingrule/{id}")).unwrap();
    let foreign = format!("arn:aws:billingconductor::999999999999:pricingrule/{id}");
    assert_reason(update(&desk, &foreign), Reason::MismatchedPricingruleArn);
    assert_reason(delete(&desk, &foreign), Reason::MismatchedPricingruleArn);
    let other_kind = format!("arn:aws:billingconductor::111111111111:pricingplan/{id}");
    assert_reason(update(&desk, &other_kind), Reason::InvalidArn);
    assert_reason(update(&desk, "arn:aws:s3:::bucket"), Reason::InvalidArn);
    assert_missing(update(&desk, "NoneOfThem"));
    assert_reason(delete(&desk, "NoneOfThem"), Reason::PricingrulesNotExist);
    // Not there yet in April, and no more once it is deleted.
    assert_missing(update(&desk.back_to(month(4)), id.as_str()));
    desk.write(|edit| edit.delete_pricing_rule(id.as_str())).unwrap();
    assert_missing(update(&desk, id.as_str()));
    assert_reason(delete(&desk, id.as_str()), Reason::PricingrulesNotExist);
    assert!(desk.now.rules.get(&id).unwrap().versions.is_empty());
}

#[test]
fn a_write_for_an_earlier_period_holds_up_to_what_was_said_later() {
    let mut desk = Desk::new().back_to(month(4));
    let id = desk.rule("a");
    let to = |percentage: &str| RuleChange { modifier_percentage: text(percentage), ..RuleChange::default() };
    desk.period = month(6);
    desk.write(|edit| edit.update_pricing_rule(id.as_str(), to("6"))).unwrap();
    desk.period = month(5);
    desk.write(|edit| edit.update_pricing_rule(id.as_str(), to("5"))).unwrap();
    let resource = desk.now.rules.get(&id).unwrap();
    let shown = |number| match &resource.versions.at(month(number))?.pricing {
        Pricing::Markup(percentage) => Some(percentage.to_string()),
        _ => None,
    };
    assert_eq!((3..=7).map(shown).collect::<Vec<_>>(), [None, text("10"), text("5"), text("6"), text("6")]);
    assert_eq!(resource.modified_at, 7);
    desk.period = month(3);
    let closed = desk.write(|edit| edit.create_pricing_rule(rule("b")));
    assert_reason(closed, Reason::InvalidBillingPeriodForOperation);
}

#[test]
fn fifty_thousand_rules() {
    let mut desk = Desk::new();
    desk.many_rules(49_999);
    desk.rule("last");
    let one_more = |desk: &Desk| desk.tried(|edit| edit.create_pricing_rule(rule("more")));
    assert_limit(one_more(&desk), Quota::PricingRules);
    assert_limit(one_more(&desk.back_to(month(4))), Quota::PricingRules);
}
