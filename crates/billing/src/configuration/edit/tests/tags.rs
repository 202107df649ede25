//! Tags.

use super::*;
use ValidationReason as Reason;

fn tags(keys: &[&str]) -> BTreeMap<String, String> {
    keys.iter().map(|key| ((*key).to_owned(), "value".to_owned())).collect()
}

#[test]
fn all_four_kinds_have_tags() {
    let mut desk = Desk::new();
    let kept = desk.rule("a");
    let plan = desk.plan("p", &[]);
    let item = desk.item(flat("i"));
    let payer = desk.now.payer.clone();
    let group = BillingGroupId::parse(GROUP).unwrap();
    for arn in [
        kept.arn(&payer),
        plan.arn(&payer),
        item.arn(&payer),
        group.arn(&payer),
        // Of items the API takes the bare id too.
        item.to_string(),
    ] {
        desk.write(|edit| edit.tag_resource(&arn, &tags(&["a", "b"]))).unwrap();
        let mut other = tags(&["b"]);
        other.insert("c".to_owned(), String::new());
        desk.write(|edit| edit.tag_resource(&arn, &other)).unwrap();
        desk.write(|edit| edit.untag_resource(&arn, &["a".to_owned(), "nothing".to_owned()])).unwrap();
        let kept: Vec<_> = desk.now.tags_of(&arn, month(6)).unwrap().keys().collect();
        assert_eq!(kept, ["b", "c"], "{arn}");
    }
    assert_missing(
        desk.now
            .tags_of(&plan.arn(&payer), month(6))
            .and(desk.now.tags_of("arn:aws:billingconductor::111111111111:pricingplan/NoneOfThem", month(6))),
    );
    assert_missing(desk.tried(|edit| edit.tag_resource(plan.as_str(), &tags(&["a"]))));
    for (kind, reason) in [
        ("billinggroup", Reason::MismatchedBillinggroupArn),
        ("pricingplan", Reason::MismatchedPricingplanArn),
        ("pricingrule", Reason::MismatchedPricingruleArn),
        ("customlineitem", Reason::MismatchedCustomlineitemArn),
    ] {
        let arn = format!("arn:aws:billingconductor::999999999999:{kind}/0123456789");
        assert_reason(desk.tried(|edit| edit.untag_resource(&arn, &[])), reason);
    }
    desk.write(|edit| edit.delete_pricing_plan(plan.as_str())).unwrap();
    assert_missing(desk.tried(|edit| edit.tag_resource(&plan.arn(&payer), &tags(&["a"]))));
}

#[test]
fn two_hundred_tags_and_none_of_aws() {
    let mut desk = Desk::new();
    let keys: Vec<_> = (0..200).map(|number| format!("key-{number}")).collect();
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    let new = NewRule { tags: tags(&keys), ..rule("a") };
    let id = desk.write(|edit| edit.create_pricing_rule(new)).unwrap();
    let arn = id.arn(&desk.now.payer);
    let tag = |keys: &[&str]| desk.tried(|edit| edit.tag_resource(&arn, &tags(keys)));
    tag(&["key-0", "key-199"]).unwrap();
    assert_reason(tag(&["key-0", "key-200"]), Reason::FieldValidationFailed);
    for key in ["aws:x", "AWS:x", "Aws:"] {
        assert_reason(tag(&[key]), Reason::FieldValidationFailed);
        let tags = tags(&[key]);
        let create = [
            desk.tried(|edit| edit.create_pricing_rule(NewRule { tags: tags.clone(), ..rule("b") })).err(),
            desk.tried(|edit| edit.create_custom_line_item(NewItem { tags: tags.clone(), ..flat("b") }))
                .err(),
            desk.tried(|edit| edit.create_pricing_plan(NewPlan { tags, ..NewPlan::default() })).err(),
        ];
        for refusal in create {
            assert_reason(Err::<(), _>(refusal.unwrap()), Reason::FieldValidationFailed);
        }
    }
    let mut desk = Desk::new();
    let id = desk.rule("a");
    // `äaw` begins with no whole four bytes of ASCII.
    for key in ["awsx", "äaws:", "é", "my:aws:key"] {
        desk.write(|edit| edit.tag_resource(&id.arn(&desk_payer()), &tags(&[key]))).unwrap();
    }
}

fn desk_payer() -> AccountId {
    account("111111111111")
}
