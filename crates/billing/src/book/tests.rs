//! Every mistake of a book, at its place, all at once.

use super::*;
use crate::money::{Cost, Percentage};
use crate::pricing::Pricing;

fn group(name: &str, accounts: &[&str]) -> GroupDraft {
    GroupDraft {
        name: name.to_owned(),
        primary_account_id: accounts[0].to_owned(),
        accounts: accounts.iter().map(ToString::to_string).collect(),
        pricing_plan: "gold".to_owned(),
        ..GroupDraft::default()
    }
}

fn rule(name: &str, scope: &str, percentage: &str) -> RuleDraft {
    RuleDraft {
        name: name.to_owned(),
        scope: scope.to_owned(),
        kind: "MARKUP".to_owned(),
        modifier_percentage: Percentage::parse(percentage).ok(),
        ..RuleDraft::default()
    }
}

fn item(name: &str, flat: Option<&str>, percentage: Option<&str>) -> ItemDraft {
    ItemDraft {
        name: name.to_owned(),
        billing_group: "acme".to_owned(),
        kind: "FEE".to_owned(),
        flat_charge_value: flat.map(|value| Cost::parse(value).unwrap()),
        percentage_value: percentage.map(|value| Percentage::parse(value).unwrap()),
        start: "2026-10".to_owned(),
        ..ItemDraft::default()
    }
}

fn draft() -> Draft {
    Draft {
        payer_account_id: "999999999999".to_owned(),
        pricing_rules: vec![rule("up", "GLOBAL", "10")],
        pricing_plans: vec![PlanDraft { name: "gold".to_owned(), pricing_rules: vec!["up".to_owned()] }],
        billing_groups: vec![
            group("acme", &["111111111111", "222222222222"]),
            group("beta", &["333333333333"]),
        ],
        custom_line_items: vec![item("flat", Some("10"), None), item("share", None, Some("5"))],
        ..Draft::default()
    }
}

/// The places and messages of a changed draft's mistakes.
fn mistakes(change: impl FnOnce(&mut Draft)) -> Vec<(String, String)> {
    let mut draft = draft();
    change(&mut draft);
    let place = |place: Place| {
        let element = place.element.map(|e| format!("[{e}]")).unwrap_or_default();
        format!("{}[{}].{}{element}", place.table, place.entry, place.field)
    };
    let found = draft.check().book.expect_err("the draft has mistakes");
    found.into_iter().map(|mistake| (place(mistake.place), mistake.message)).collect()
}

#[track_caller]
fn check(change: impl FnOnce(&mut Draft), place: &str, words: &str) {
    let found = mistakes(change);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].0, place);
    assert!(found[0].1.contains(words), "{}", found[0].1);
}

#[test]
fn a_flat_item_has_the_currency_that_it_names() {
    let (mut written, mut other) = (draft(), draft());
    written.custom_line_items[0].currency = Some("USD".into());
    other.custom_line_items[0].currency = Some("EUR".into());
    let book = |draft: Draft| draft.check().book.unwrap();
    let (plain, written, other) = (book(draft()), book(written), book(other));
    assert_eq!(plain, written);
    assert_eq!(other.items[0].currency, Currency::parse("EUR"));
    let period = BillingPeriod::parse("2026-10").unwrap();
    assert_ne!(plain.hash(period), other.hash(period));
    let item = "custom_line_items[0].currency";
    check(
        |draft| draft.custom_line_items[0].currency = Some("eur".into()),
        item,
        "`eur` is not a currency code",
    );
    let share = "custom_line_items[1].currency";
    check(|draft| draft.custom_line_items[1].currency = Some("EUR".into()), share, "a percentage is charged");
}

#[test]
fn a_sound_draft_is_a_book() {
    let book = draft().check().book.unwrap();
    assert_eq!(book.groups[0].pricing_plan, Plan::Own(0));
    assert_eq!(book.rules[0].pricing, Pricing::Markup(Percentage::parse("10").unwrap()));
    assert_eq!(book.items[1].account.as_str(), "111111111111");
}

#[test]
fn references_must_hold() {
    check(
        |d| d.billing_groups[0].pricing_plan = "golt".into(),
        "billing_groups[0].pricing_plan",
        "did you mean `gold`?",
    );
    check(
        |d| d.pricing_plans[0].pricing_rules.push("down".into()),
        "pricing_plans[0].pricing_rules[1]",
        "no pricing rule `down`",
    );
    check(
        |d| d.custom_line_items[0].billing_group = "nobody".into(),
        "custom_line_items[0].billing_group",
        "no billing group",
    );
    check(
        |d| d.custom_line_items[1].associated_values = Some(vec!["share".into()]),
        "custom_line_items[1].associated_values[0]",
        "only flat items",
    );
    check(
        |d| d.custom_line_items[0].account_id = Some("333333333333".into()),
        "custom_line_items[0].account_id",
        "not a member",
    );
}

#[test]
fn an_account_is_in_one_group() {
    check(
        |d| d.billing_groups[1].accounts.push("222222222222".into()),
        "billing_groups[1].accounts[1]",
        "`acme` already owns account `222222222222`",
    );
    check(
        |d| d.billing_groups[0].primary_account_id = "444444444444".into(),
        "billing_groups[0].primary_account_id",
        "must be among",
    );
    check(
        |d| d.billing_groups[1] = group("beta", &["999999999999"]),
        "billing_groups[1].primary_account_id",
        "not the primary account",
    );
    check(
        |d| d.billing_groups[0].accounts[1] = "12-34".into(),
        "billing_groups[0].accounts[1]",
        "not an account id",
    );
}

#[test]
fn names_are_unique() {
    check(
        |d| d.pricing_rules.push(rule("up", "GLOBAL", "1")),
        "pricing_rules[1].name",
        "already the name of entry 1",
    );
    check(|d| d.billing_groups[1].name = " ".into(), "billing_groups[1].name", "not empty");
}

#[test]
fn a_plan_has_one_rule_per_selector() {
    let two = |d: &mut Draft| {
        d.pricing_rules.push(rule("more", "GLOBAL", "20"));
        d.pricing_plans[0].pricing_rules.push("more".into());
    };
    check(two, "pricing_plans[0].pricing_rules", "rules `up` and `more` both price GLOBAL everything");
}

#[test]
fn rules_have_the_fields_of_their_scope_and_type() {
    check(
        |d| d.pricing_rules[0].scope = "REGION".into(),
        "pricing_rules[0].scope",
        "`REGION` is not a scope",
    );
    check(|d| d.pricing_rules[0].scope = "SERVICE".into(), "pricing_rules[0].service", "needs `service`");
    check(|d| d.pricing_rules[0].service = Some("AmazonS3".into()), "pricing_rules[0].service", "remove it");
    check(|d| d.pricing_rules[0].kind = "UP".into(), "pricing_rules[0].type", "MARKUP, DISCOUNT or TIERING");
    check(|d| d.pricing_rules[0].modifier_percentage = None, "pricing_rules[0].modifier_percentage", "needs");
    check(
        |d| d.pricing_rules[0].modifier_percentage = Percentage::parse("-1").ok(),
        "pricing_rules[0].modifier_percentage",
        "negative",
    );
    let discount = |d: &mut Draft| {
        d.pricing_rules[0].kind = "DISCOUNT".into();
        d.pricing_rules[0].modifier_percentage = Percentage::parse("100.005").ok();
    };
    check(discount, "pricing_rules[0].modifier_percentage", "at most 100");
}

#[test]
fn a_sharing_policy_is_one_of_four() {
    check(|d| d.sharing_commitments = Some("all".into()), "sharing[0].commitments", "not a sharing policy");
}

#[test]
fn items_charge_one_way() {
    check(
        |d| d.custom_line_items[0].percentage_value = Percentage::parse("1").ok(),
        "custom_line_items[0].name",
        "either",
    );
    check(|d| d.custom_line_items[0].kind = "TAX".into(), "custom_line_items[0].type", "FEE or CREDIT");
    check(|d| d.custom_line_items[0].end = Some("2026-10".into()), "custom_line_items[0].end", "exclusive");
    check(|d| d.custom_line_items[0].start = "10/2026".into(), "custom_line_items[0].start", "YYYY-MM");
    check(
        |d| d.custom_line_items[0].computation_rule = Some("ITEMIZED".into()),
        "custom_line_items[0].computation_rule",
        "percentage items",
    );
    check(
        |d| d.custom_line_items[0].flat_charge_value = Cost::parse("-1").ok(),
        "custom_line_items[0].flat_charge_value",
        "negative",
    );
    let two_places = |d: &mut Draft| {
        d.custom_line_items[1].computation_rule = Some("ITEMIZED".into());
        d.custom_line_items[1].presentation_service = Some("AmazonEC2".into());
    };
    check(two_places, "custom_line_items[1].presentation_service", "beside its line");
    let filter = |d: &mut Draft| d.custom_line_items[1].line_item_filters = vec![FilterDraft::default()];
    check(filter, "custom_line_items[1].line_item_filters", "SAVINGS_PLAN_NEGATION");
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let found = mistakes(|d| {
        d.payer_account_id = "payer".into();
        d.currency = Some("dollars".into());
        d.pricing_rules[0].scope = "ALL".into();
        d.billing_groups[0].pricing_plan = "silver".into();
        d.custom_line_items[1].start = String::new();
    });
    assert_eq!(found.len(), 5, "{found:#?}");
}

#[test]
fn caps_of_aws_are_warnings() {
    let mut draft = draft();
    draft.custom_line_items[0].flat_charge_value = Cost::parse("1000000.01").ok();
    draft.custom_line_items[1].percentage_value = Percentage::parse("10001").ok();
    let checked = draft.check();
    assert!(checked.book.is_ok());
    assert_eq!(checked.warnings.len(), 2);
}

#[test]
fn the_hash_is_that_of_the_period_and_of_no_order() {
    let period = |text: &str| BillingPeriod::parse(text).unwrap();
    let book = draft().check().book.unwrap();
    let mut other = draft();
    other.billing_groups.reverse();
    other.custom_line_items.push(ItemDraft { start: "2027-01".into(), ..item("later", Some("1"), None) });
    let other = other.check().book.unwrap();
    assert_eq!(book.hash(period("2026-10")), other.hash(period("2026-10")));
    assert_ne!(book.hash(period("2027-01")), other.hash(period("2027-01")));
    assert_ne!(book.hash(period("2026-10")), book.hash(period("2026-11")));
}

/// `acme` below `top`, which has no accounts; `beta` is by itself.
fn with_parents(d: &mut Draft) {
    let mut top = group("top", &["111111111111"]);
    top.accounts.clear();
    d.billing_groups.push(top);
    d.billing_groups[0].parent = Some("top".into());
}

#[test]
fn a_group_has_a_parent_that_exists() {
    let mut sound = draft();
    with_parents(&mut sound);
    let book = sound.check().book.unwrap();
    assert_eq!(book.groups.iter().map(|group| group.parent).collect::<Vec<_>>(), [Some(2), None, None]);
    let period = BillingPeriod::parse("2026-10").unwrap();
    let mut other = sound.clone();
    other.billing_groups[1].parent = Some("top".into());
    assert_ne!(book.hash(period), other.check().book.unwrap().hash(period));
    let place = "billing_groups[0].parent";
    check(|d| d.billing_groups[0].parent = Some("bet".into()), place, "did you mean `beta`?");
    check(|d| d.billing_groups[0].parent = Some("acme".into()), place, "cannot be its own parent");
}

#[test]
fn parents_that_go_round_say_so_at_each_place() {
    let found = mistakes(|d| {
        d.billing_groups.push(group("gamma", &["444444444444"]));
        d.billing_groups.push(group("delta", &["555555555555"]));
        for (number, parent) in [(0, "gamma"), (1, "acme"), (2, "beta"), (3, "acme")] {
            d.billing_groups[number].parent = Some(parent.into());
        }
    });
    let places: Vec<&str> = found.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places, ["billing_groups[0].parent", "billing_groups[2].parent", "billing_groups[1].parent"]);
    let circle = "`acme` (entry 1 of `billing_groups`), whose parent is `gamma` (entry 3 of `billing_groups`), whose parent is `beta` \
                  (entry 2 of `billing_groups`), whose parent is `acme` (entry 1 of `billing_groups`);";
    assert!(found.iter().all(|(_, message)| message.contains(circle)), "{found:#?}");
}

#[test]
fn only_a_parent_may_be_without_accounts() {
    let place = "billing_groups[2].primary_account_id";
    check(|d| (with_parents(d), d.billing_groups[0].parent = None).1, place, "must be among `accounts`");
    let primary = |id: &'static str| {
        move |d: &mut Draft| {
            with_parents(d);
            d.billing_groups[2].primary_account_id = id.into();
        }
    };
    check(primary("333333333333"), place, "must be an account of a group below");
    check(primary("999999999999"), place, "not the primary account");
    let item_on = |account: &'static str| {
        move |d: &mut Draft| {
            with_parents(d);
            d.custom_line_items[0].billing_group = "top".into();
            d.custom_line_items[0].account_id = Some(account.into());
        }
    };
    check(item_on("333333333333"), "custom_line_items[0].account_id", "not a member of billing group `top`");
    let mut sound = draft();
    item_on("222222222222")(&mut sound);
    sound.custom_line_items[1].billing_group = "top".into();
    let checked = sound.check();
    let [warning] = checked.warnings.as_slice() else { panic!("{:?}", checked.warnings) };
    assert!(warning.message.contains("this charges 0"), "{warning}");
    assert_eq!(checked.book.unwrap().items[0].account.as_str(), "222222222222");
}
