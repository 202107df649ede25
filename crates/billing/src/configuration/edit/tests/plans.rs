//! Pricing plans and their rules.

use super::*;
use crate::configuration::{Preference, item_named, plan_named, plans_per_rule, plans_with_rule, rule_named};
use ValidationReason as Reason;

fn named(name: &str, rules: &[&str]) -> NewPlan {
    let rules = rules.iter().map(ToString::to_string).collect();
    NewPlan { name: name.to_owned(), rules, ..NewPlan::default() }
}

fn texts(rules: &[&PricingRuleId]) -> Vec<String> {
    rules.iter().map(ToString::to_string).collect()
}

#[test]
fn rules_join_and_leave_all_or_none() {
    let mut desk = Desk::new();
    let [a, b, c] = ["a", "b", "c"].map(|name| desk.rule(name));
    let plan = desk.plan("p", &[&a]);
    let rules = |desk: &Desk| desk.now.plans.at(&plan, month(6)).unwrap().1.rules.clone();
    let associate = |desk: &mut Desk, rules: &[&PricingRuleId]| {
        desk.write(|edit| edit.associate_pricing_rules(plan.as_str(), &texts(rules)))
    };
    let disassociate = |desk: &mut Desk, rules: &[&PricingRuleId]| {
        desk.write(|edit| edit.disassociate_pricing_rules(plan.as_str(), &texts(rules)))
    };
    assert_reason(associate(&mut desk, &[&b, &a]), Reason::PricingrulesAlreadyAssociated);
    assert_reason(associate(&mut desk, &[&b, &b]), Reason::DuplicatePricingruleArns);
    assert_reason(disassociate(&mut desk, &[&a, &a]), Reason::DuplicatePricingruleArns);
    assert_reason(disassociate(&mut desk, &[&a, &b]), Reason::PricingrulesNotAssociated);
    let nobody = PricingRuleId::parse("NoneOfThem").unwrap();
    assert_reason(associate(&mut desk, &[&b, &nobody]), Reason::PricingrulesNotExist);
    assert_reason(disassociate(&mut desk, &[&a, &nobody]), Reason::PricingrulesNotExist);
    assert_reason(associate(&mut desk, &vec![&b; 31]), Reason::FieldValidationFailed);
    assert_eq!(rules(&desk), BTreeSet::from([a.clone()]));
    associate(&mut desk, &[&b, &c]).unwrap();
    assert_eq!(rules(&desk).len(), 3);
    disassociate(&mut desk, &[&a, &c]).unwrap();
    assert_eq!(rules(&desk), BTreeSet::from([b.clone()]));
    let foreign = vec![format!("arn:aws:billingconductor::999999999999:pricingrule/{a}")];
    assert_reason(
        desk.write(|edit| edit.associate_pricing_rules(plan.as_str(), &foreign)),
        Reason::MismatchedPricingruleArn,
    );
    // The same rule by its ARN and by its id.
    let twice = [a.to_string(), a.arn(&desk.now.payer)];
    assert_reason(
        desk.write(|edit| edit.associate_pricing_rules(plan.as_str(), &twice)),
        Reason::DuplicatePricingruleArns,
    );
    assert_reason(
        desk.write(|edit| edit.create_pricing_plan(named("q", &["NoneOfThem"]))),
        Reason::PricingrulesNotExist,
    );
    // b is not there in May, when the plan would be.
    let mut back = desk.back_to(month(5));
    assert_reason(
        back.write(|edit| edit.create_pricing_plan(named("q", &[b.as_str()]))),
        Reason::PricingrulesNotExist,
    );
    back.write(|edit| edit.create_pricing_plan(named("q", &[]))).unwrap();
}

#[test]
fn plans_are_found_named_and_described() {
    let mut desk = Desk::new();
    let plan = desk.plan("p", &[]);
    let other = desk.plan("q", &[]);
    let create = |desk: &Desk, name: &str| desk.tried(|edit| edit.create_pricing_plan(named(name, &[])));
    let rename = |desk: &Desk, arn: &str, name: &str| {
        let change = PlanChange { name: Some(name.to_owned()), description: None };
        desk.tried(|edit| edit.update_pricing_plan(arn, change))
    };
    assert_conflict(create(&desk, "p"), ConflictReason::ResourceNameConflict, plan.as_str());
    assert_conflict(rename(&desk, other.as_str(), "p"), ConflictReason::ResourceNameConflict, plan.as_str());
    let managed = "::aws:pricingplan/Passthrough";
    assert_conflict(create(&desk, "Passthrough"), ConflictReason::ResourceNameConflict, managed);
    rename(&desk, plan.as_str(), "p").unwrap();
    create(&desk, "P").unwrap();
    assert_missing(rename(&desk, "NoneOfThem", "x"));
    let foreign = "arn:aws:billingconductor::999999999999:pricingplan/0123456789";
    assert_reason(rename(&desk, foreign, "x"), Reason::MismatchedPricingplanArn);
    let delete = |desk: &Desk, arn: &str| desk.tried(|edit| edit.delete_pricing_plan(arn));
    assert_reason(delete(&desk, "NoneOfThem"), Reason::MissingPricingplan);
    assert_reason(delete(&desk, foreign), Reason::MismatchedPricingplanArn);
    let change = PlanChange { name: None, description: Some("text".to_owned()) };
    desk.write(|edit| edit.update_pricing_plan(plan.as_str(), change)).unwrap();
    let (resource, settings) = desk.now.plans.at(&plan, month(6)).unwrap();
    assert_eq!((settings.name.as_str(), settings.description.as_deref()), ("p", Some("text")));
    assert_eq!(resource.modified_at, 7);
    desk.write(|edit| edit.delete_pricing_plan(plan.as_str())).unwrap();
    assert_reason(delete(&desk, plan.as_str()), Reason::MissingPricingplan);
    create(&desk, "p").unwrap();
}

#[test]
fn plans_that_aws_manages_are_nobodys_to_edit() {
    let desk = Desk::new();
    for arn in [
        "BasicPricingPlan",
        "Passthrough",
        "arn:aws:billingconductor::aws:pricingplan/BasicPricingPlan",
        "arn:aws-cn:billingconductor::aws:pricingplan/Passthrough",
    ] {
        let denied = [
            desk.tried(|edit| edit.update_pricing_plan(arn, PlanChange::default())),
            desk.tried(|edit| edit.delete_pricing_plan(arn)),
            desk.tried(|edit| edit.associate_pricing_rules(arn, &["x".to_owned()])),
            desk.tried(|edit| edit.disassociate_pricing_rules(arn, &["x".to_owned()])),
        ];
        assert!(denied.iter().all(|result| matches!(result, Err(Refusal::Denied(_)))), "{arn}: {denied:?}");
    }
}

#[test]
fn a_plan_has_one_rule_for_each_selector_and_dimension() {
    let mut desk = Desk::new();
    let mut made = |name: &str, change: &dyn Fn(&mut NewRule)| {
        let mut new = rule(name);
        change(&mut new);
        desk.write(|edit| edit.create_pricing_rule(new)).unwrap()
    };
    let tiering = |new: &mut NewRule| {
        (new.kind, new.modifier_percentage, new.tiering) = (RuleType::Tiering, None, free_tier(false));
    };
    let sku = |operation: Option<&str>| {
        let operation = operation.map(str::to_owned);
        move |new: &mut NewRule| {
            new.scope = ScopeName::Sku;
            (new.service, new.usage_type) = (Some("S3".to_owned()), Some("Put".to_owned()));
            new.operation.clone_from(&operation);
        }
    };
    let global = made("global", &|_| {});
    let discount = made("discount", &|new| new.kind = RuleType::Discount);
    let free = made("free", &tiering);
    let any = made("any", &sku(None));
    let one = made("one", &sku(Some("Object")));
    let same = made("same", &sku(Some("Object")));
    let clash = ConflictReason::PricingRuleInPricingPlanConflict;
    let create = |desk: &Desk, rules: &[&PricingRuleId]| {
        let rules = texts(rules);
        desk.tried(|edit| edit.create_pricing_plan(NewPlan { rules, ..named("p", &[]) }))
    };
    create(&desk, &[&global, &free, &any, &one]).unwrap();
    assert_conflict(create(&desk, &[&global, &discount]), clash, global.as_str());
    assert_conflict(create(&desk, &[&one, &same]), clash, one.as_str());
    let plan = desk.plan("p", &[&discount, &free, &same]);
    let associate = |desk: &Desk, rule: &PricingRuleId| {
        desk.tried(|edit| edit.associate_pricing_rules(plan.as_str(), &[rule.to_string()]))
    };
    // What the plan has is in the way of what joins it.
    assert_conflict(associate(&desk, &global), clash, discount.as_str());
    assert_conflict(associate(&desk, &one), clash, same.as_str());
    associate(&desk, &any).unwrap();
    // A rule that begins to decide what another one of its plan decides.
    let turn = |desk: &Desk, id: &PricingRuleId, kind, percentage: Option<&str>, tiering| {
        let modifier_percentage = percentage.map(str::to_owned);
        let change = RuleChange { kind: Some(kind), modifier_percentage, tiering, ..RuleChange::default() };
        desk.tried(|edit| edit.update_pricing_rule(id.as_str(), change))
    };
    let to_free = turn(&desk, &discount, RuleType::Tiering, None, free_tier(true));
    assert_conflict(to_free, clash, free.as_str());
    assert_conflict(turn(&desk, &free, RuleType::Markup, Some("1"), None), clash, discount.as_str());
    turn(&desk, &discount, RuleType::Markup, Some("1"), None).unwrap();
    turn(&desk, &global, RuleType::Tiering, None, free_tier(true)).unwrap();
}

#[test]
fn what_is_in_use_is_not_deleted() {
    let mut desk = Desk::new().back_to(month(4));
    let kept = desk.rule("a");
    let plan = desk.plan("p", &[&kept]);
    desk.period = month(6);
    let delete_rule = |desk: &mut Desk| desk.write(|edit| edit.delete_pricing_rule(kept.as_str()));
    let in_plan = ConflictReason::PricingRuleAttachedToPricingPlanDeleteConflict;
    assert_conflict(delete_rule(&mut desk), in_plan, kept.as_str());
    desk.write(|edit| edit.disassociate_pricing_rules(plan.as_str(), &[kept.to_string()])).unwrap();
    // The plan still has it in April and May.
    assert_conflict(delete_rule(&mut desk.back_to(month(5))), in_plan, kept.as_str());
    delete_rule(&mut desk).unwrap();

    let mut grouped = desk.clone();
    grouped.group(GROUP, PlanOf::Own(plan.clone()), None, month(5));
    let delete = |desk: &Desk| desk.tried(|edit| edit.delete_pricing_plan(plan.as_str()));
    let attached = ConflictReason::PricingPlanAttachedToBillingGroupDeleteConflict;
    assert_conflict(delete(&grouped), attached, plan.as_str());
    grouped
        .now
        .groups
        .change(&BillingGroupId::parse(GROUP).unwrap(), |group| group.versions.end_at(month(6)));
    delete(&grouped).unwrap();
    assert_conflict(delete(&grouped.back_to(month(5))), attached, plan.as_str());

    let preference = Preference { pricing_plan: Some(PlanOf::Own(plan.clone())), modified_at: 0 };
    desk.now.preferences = Arc::new(BTreeMap::from([("transfer".to_owned(), preference)]));
    let referenced = ConflictReason::PricingPlanReferencedByPreferenceDeleteConflict;
    assert_conflict(delete(&desk), referenced, plan.as_str());
}

#[test]
fn quotas_of_plans() {
    let mut desk = Desk::new();
    let rules = desk.many_rules(531);
    let plan = desk.many_plans(1, &rules[..499]).remove(0);
    let associate = |desk: &mut Desk, plan: &str, rules: &[PricingRuleId]| {
        let rules: Vec<_> = rules.iter().map(ToString::to_string).collect();
        desk.write(|edit| edit.associate_pricing_rules(plan, &rules))
    };
    assert_limit(associate(&mut desk, plan.as_str(), &rules[499..501]), Quota::RulesPerPricingPlan);
    associate(&mut desk, plan.as_str(), &rules[499..500]).unwrap();
    assert_limit(associate(&mut desk, plan.as_str(), &rules[500..501]), Quota::RulesPerPricingPlan);

    let shared = rules[530].clone();
    desk.many_plans(999, std::slice::from_ref(&shared));
    let last = desk.plan("last", &[&shared]);
    let one_more = |desk: &Desk| desk.tried(|edit| edit.create_pricing_plan(named("m", &[shared.as_str()])));
    assert_limit(one_more(&desk), Quota::PlansPerPricingRule);
    let empty = desk.plan("empty", &[]);
    let full = associate(&mut desk, empty.as_str(), std::slice::from_ref(&shared));
    assert_limit(full, Quota::PlansPerPricingRule);
    assert_eq!(plans_per_rule(&desk.now, month(6)).get(&shared), Some(&1_000));
    assert_eq!(plans_per_rule(&desk.now, month(5)).get(&shared), None);
    assert_eq!(plans_with_rule(&desk.now, &shared, month(6)).last(), Some(&last));

    desk.many_plans(3_998, &[]);
    assert_limit(desk.tried(|edit| edit.create_pricing_plan(named("m", &[]))), Quota::PricingPlans);
}

#[test]
fn lists_find_what_is_there_in_their_period() {
    let mut desk = Desk::new();
    let kept = desk.rule("a");
    let plan = desk.plan("p", &[&kept]);
    let item = desk.item(NewItem { range: range(5, Some(6)), ..flat("i") });
    let (now, payer) = (&desk.now, &desk.now.payer);
    assert_eq!(rule_named(now, &kept.arn(payer), month(6)), Ok(kept.clone()));
    assert_missing(rule_named(now, kept.as_str(), month(5)));
    assert_eq!(plan_named(now, plan.as_str(), month(6)), Ok(PlanOf::Own(plan.clone())));
    assert_missing(plan_named(now, plan.as_str(), month(5)));
    let managed = "arn:aws:billingconductor::aws:pricingplan/Passthrough";
    assert_eq!(plan_named(now, managed, month(5)), Ok(PlanOf::Passthrough));
    assert_eq!(plan_named(now, "BasicPricingPlan", month(5)), Ok(PlanOf::Basic));
    let unknown = "arn:aws:billingconductor::aws:pricingplan/0123456789";
    assert_reason(plan_named(now, unknown, month(6)), Reason::MismatchedPricingplanArn);
    assert_eq!(item_named(now, item.as_str(), None), Ok(item.clone()));
    assert_eq!(item_named(now, item.as_str(), Some(month(5))), Ok(item.clone()));
    assert_missing(item_named(now, item.as_str(), Some(month(6))));
}
