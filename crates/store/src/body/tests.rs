//! Bodies that were written stay readable: each golden file is what rows of the past hold.

use super::*;
use billing::configuration::{
    BillingGroupId, FamilyAccount, GroupSettings, ItemSettings, OtherSettings, Placement, PlanSettings,
    Preference, RuleSettings, TransferSettings,
};
use billing::group_rule::GroupRule;
use billing::organization::{Organization, OrganizationalUnit};
use std::fmt::Debug;

/// Every line of a golden file is read, and written as it is; with one more field it is refused.
fn check<T: Body + Debug + PartialEq>(golden: &str) {
    for line in golden.lines() {
        let read = T::read(line).unwrap_or_else(|problem| panic!("{line}: {problem}"));
        assert_eq!(read.write(), line);
        let other = line.replacen('{', "{\"unheard_of\":1,", 1);
        let refused = T::read(&other.replace(",}", "}")).unwrap_err();
        assert!(refused.contains("unheard_of"), "{refused}");
    }
}

#[test]
fn rows_of_the_past_are_read() {
    check::<GroupSettings>(include_str!("../../tests/golden/billing_group.jsonl"));
    check::<BillingGroupId>(include_str!("../../tests/golden/membership.jsonl"));
    check::<PlanSettings>(include_str!("../../tests/golden/pricing_plan.jsonl"));
    check::<RuleSettings>(include_str!("../../tests/golden/pricing_rule.jsonl"));
    check::<ItemSettings>(include_str!("../../tests/golden/custom_line_item.jsonl"));
    check::<FamilyAccount>(include_str!("../../tests/golden/family_account.jsonl"));
    check::<Organization>(include_str!("../../tests/golden/organization.jsonl"));
    check::<OrganizationalUnit>(include_str!("../../tests/golden/organizational_unit.jsonl"));
    check::<GroupRule>(include_str!("../../tests/golden/billing_group_rule.jsonl"));
    check::<Placement>(include_str!("../../tests/golden/placement.jsonl"));
    check::<TransferSettings>(include_str!("../../tests/golden/transfer.jsonl"));
    check::<Preference>(include_str!("../../tests/golden/transfer_preference.jsonl"));
    check::<OtherSettings>(include_str!("../../tests/golden/other.jsonl"));
    check::<Complete>(include_str!("../../tests/golden/family_is_complete.jsonl"));
    check::<ClosedThrough>(include_str!("../../tests/golden/closed_through.jsonl"));
}

#[test]
fn what_is_no_setting_is_refused() {
    for (text, said) in [
        (r#"{"name":"r","scope":"global","pricing":{"markup":"1.00001"}}"#, "more than 4 decimals"),
        (r#"{"name":"r","scope":"global","pricing":{"markup":1.5}}"#, "expected a string"),
        (r#"{"name":"r","scope":"world","pricing":{"markup":"1"}}"#, "unknown variant `world`"),
        (r#"{"name":"r","scope":"global","pricing":{"custom_tiers":[]}}"#, "1 to 10 custom tiers"),
        (
            r#"{"name":"r","scope":{"sku":{"service":"a","usage_type":"b","region":"c"}},"pricing":{"markup":"1"}}"#,
            "unknown field `region`",
        ),
        (r#"{"scope":"global","pricing":{"markup":"1"}}"#, "missing field `name`"),
    ] {
        let refused = RuleSettings::read(text).unwrap_err();
        assert!(refused.contains(said), "{text}: {refused}");
    }
}
