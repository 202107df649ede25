//! From answers of the API, made by hand, to books.

use super::*;
use crate::book;
use crate::set_up::{Item, Plan};
use aws_sdk_billingconductor::types::*;

const PAYER: &str = "999999999999";
const TRANSFER: &str =
    "arn:aws:organizations::999999999999:transfer/o-larkfield00/billing/inbound/rt-00000001";

fn arn(kind: &str, id: &str) -> String {
    format!("arn:aws:billingconductor::{PAYER}:{kind}/{id}")
}

fn month(text: &str) -> BillingPeriod {
    BillingPeriod::parse(text).expect("a period")
}

fn empty() -> SetUp {
    SetUp {
        period: month("2026-11"),
        payer: PAYER.to_owned(),
        groups: Vec::new(),
        accounts: Vec::new(),
        transferred: BTreeMap::new(),
        preferences: Vec::new(),
        rules: Vec::new(),
        plans: Vec::new(),
        items: Vec::new(),
    }
}

/// A group of two accounts under AWS's own plan, and an account of nobody.
fn small() -> SetUp {
    SetUp {
        groups: vec![group("111111111111", "harbor", "111111111111").build()],
        accounts: vec![
            member("111111111111", Some("111111111111"), Some("Harbor")),
            member("100000000000", Some("111111111111"), None),
            member("300000000000", None, Some("Nobody's")),
        ],
        ..empty()
    }
}

fn group(id: &str, name: &str, primary: &str) -> builders::BillingGroupListElementBuilder {
    let plan = "arn:aws:billingconductor::aws:pricingplan/BasicPricingPlan";
    let preference = ComputationPreference::builder().pricing_plan_arn(plan).build().expect("complete");
    BillingGroupListElement::builder()
        .arn(arn("billinggroup", id))
        .name(name)
        .primary_account_id(primary)
        .computation_preference(preference)
        .status(BillingGroupStatus::Active)
}

fn member(id: &str, group: Option<&str>, name: Option<&str>) -> AccountAssociationsListElement {
    AccountAssociationsListElement::builder()
        .account_id(id)
        .set_billing_group_arn(group.map(|id| arn("billinggroup", id)))
        .set_account_name(name.map(str::to_owned))
        .build()
}

fn rule(
    id: &str,
    name: &str,
    scope: PricingRuleScope,
    kind: PricingRuleType,
) -> builders::PricingRuleListElementBuilder {
    PricingRuleListElement::builder().arn(arn("pricingrule", id)).name(name).scope(scope).r#type(kind)
}

fn flat(id: &str, name: &str, value: Double) -> Item {
    let charge =
        ListCustomLineItemFlatChargeDetails::builder().charge_value(value).build().expect("complete");
    item(id, name, |details| details.flat(charge))
}

fn percentage(id: &str, name: &str, of: &[String]) -> Item {
    let charge =
        ListCustomLineItemPercentageChargeDetails::builder().percentage_value(2.5).build().expect("complete");
    let made = item(id, name, |details| details.percentage(charge));
    let associated = |arn: &String| {
        ListResourcesAssociatedToCustomLineItemResponseElement::builder()
            .arn(arn)
            .relationship(CustomLineItemRelationship::Child)
            .build()
    };
    Item { associated: of.iter().map(associated).collect(), ..made }
}

fn item(
    id: &str,
    name: &str,
    charge: impl FnOnce(
        builders::ListCustomLineItemChargeDetailsBuilder,
    ) -> builders::ListCustomLineItemChargeDetailsBuilder,
) -> Item {
    let details = charge(ListCustomLineItemChargeDetails::builder().r#type(CustomLineItemType::Fee));
    let item = CustomLineItemListElement::builder()
        .arn(arn("customlineitem", id))
        .name(name)
        .description("Managed service")
        .billing_group_arn(arn("billinggroup", "111111111111"))
        .currency_code(CurrencyCode::Usd)
        .account_id("111111111111")
        .charge_details(details.build().expect("complete"))
        .build();
    Item { item, versions: vec![version("2026-11", None, 1)], associated: Vec::new() }
}

fn version(start: &str, end: Option<&str>, made: i64) -> CustomLineItemVersionListElement {
    CustomLineItemVersionListElement::builder()
        .start_billing_period(start)
        .set_end_billing_period(end.map(str::to_owned))
        .start_time(made)
        .build()
}

/// The book's tables, without its heading; the notices but the one that is always there.
#[track_caller]
fn check(set_up: &SetUp, expected: &str, notices: &[&str]) {
    let (text, told, warnings) = book::write(set_up, set_up.period).expect("a sound book");
    let tables = text.split_once("\n\n").map(|(_, tables)| tables.trim()).expect("a heading and tables");
    assert_eq!(tables, expected.trim());
    assert_eq!(told.split_last().map(|(last, rest)| (last.as_str(), rest)), Some((NOT_READ, &*own(notices))));
    assert_eq!(warnings, Vec::<String>::new());
}

fn own(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[track_caller]
fn check_refused(set_up: &SetUp, expected: &[&str]) {
    assert_eq!(book::write(set_up, set_up.period).expect_err("refused"), expected);
}

/// The items of a set-up, as the draft has them.
#[track_caller]
fn adopted_items(set_up: &SetUp) -> (Vec<billing::book::ItemDraft>, Vec<String>) {
    let adopted = adopted(set_up).expect("no problem");
    (adopted.draft.custom_line_items, adopted.notices)
}

#[test]
fn groups_have_their_accounts_the_primary_one_first() {
    check(
        &small(),
        r#"
payer_account_id = "999999999999"
accounts = [
  { id = "111111111111", name = "Harbor" },
  { id = "300000000000", name = "Nobody's" },
]

[[billing_groups]]
name = "harbor"
primary_account_id = "111111111111"
accounts = ["111111111111", "100000000000"]
pricing_plan = "BasicPricingPlan"
"#,
        &[],
    );
}

#[test]
fn a_set_up_without_anything_is_a_book() {
    check(&empty(), r#"payer_account_id = "999999999999""#, &[]);
}

#[test]
fn a_group_whose_primary_account_has_left_keeps_it() {
    let mut set_up = small();
    set_up.accounts.remove(0);
    let adopted = adopted(&set_up).expect("no problem");
    assert_eq!(adopted.draft.billing_groups[0].accounts, ["111111111111", "100000000000"]);
    assert!(
        adopted.notices[0].starts_with("billing group `harbor`: its primary account"),
        "{:?}",
        adopted.notices
    );
}

/// A rule of every kind.
fn rules_of_every_kind() -> Vec<PricingRuleListElement> {
    let tier = |begin, end, rate| {
        CustomTier::builder()
            .begin_range_inclusive(begin)
            .set_end_range_exclusive(end)
            .rate_value(rate)
            .build()
            .expect("complete")
    };
    let tiers = Tiering::builder()
        .custom_tiers(tier(0.0, Some(1000.0), 0.023))
        .custom_tiers(tier(1000.0, None, 1e-8))
        .build();
    let free = Tiering::builder()
        .free_tier(FreeTierConfig::builder().activated(false).build().expect("complete"))
        .build();
    vec![
        rule("global0000", "all", PricingRuleScope::Global, PricingRuleType::Markup)
            .modifier_percentage(12.75)
            .build(),
        rule("service000", "s3", PricingRuleScope::Service, PricingRuleType::Discount)
            .service("AmazonS3")
            .modifier_percentage(0.1)
            .description("kept at AWS only")
            .build(),
        rule("entity0000", "market", PricingRuleScope::BillingEntity, PricingRuleType::Markup)
            .billing_entity("AWS Marketplace")
            .modifier_percentage(0.0)
            .build(),
        rule("sku0000000", "bytes", PricingRuleScope::Sku, PricingRuleType::Tiering)
            .service("AmazonS3")
            .usage_type("TimedStorage-ByteHrs")
            .operation("StandardStorage")
            .modifier_percentage(0.0)
            .tiering(tiers)
            .build(),
        rule("free000000", "no-free", PricingRuleScope::Global, PricingRuleType::Tiering)
            .tiering(free)
            .build(),
    ]
}

#[test]
fn rules_of_every_kind_and_their_plans() {
    let of = ["free000000", "sku0000000", "global0000"].map(|id| arn("pricingrule", id)).to_vec();
    let plan = PricingPlanListElement::builder().arn(arn("pricingplan", "gold000000")).name("gold").build();
    let set_up = SetUp { rules: rules_of_every_kind(), plans: vec![Plan { plan, rules: of }], ..empty() };
    check(
        &set_up,
        r#"
payer_account_id = "999999999999"

[[pricing_rules]]
name = "all"
scope = "GLOBAL"
type = "MARKUP"
modifier_percentage = "12.75"

[[pricing_rules]]
name = "s3"
scope = "SERVICE"
type = "DISCOUNT"
service = "AmazonS3"
modifier_percentage = "0.1"

[[pricing_rules]]
name = "market"
scope = "BILLING_ENTITY"
type = "MARKUP"
billing_entity = "AWS Marketplace"
modifier_percentage = "0"

[[pricing_rules]]
name = "bytes"
scope = "SKU"
type = "TIERING"
service = "AmazonS3"
usage_type = "TimedStorage-ByteHrs"
operation = "StandardStorage"
custom_tiers = [
  { begin_range_inclusive = "0", end_range_exclusive = "1000", rate_value = "0.023" },
  { begin_range_inclusive = "1000", rate_value = "0.00000001" },
]

[[pricing_rules]]
name = "no-free"
scope = "GLOBAL"
type = "TIERING"
free_tier_activated = false

[[pricing_plans]]
name = "gold"
pricing_rules = ["no-free", "bytes", "all"]
"#,
        &["pricing rule `s3`: its description is not carried over, a book has none"],
    );
}

#[test]
fn items_are_of_what_they_are_associated_with() {
    let group = arn("billinggroup", "111111111111");
    let fee = arn("customlineitem", "fee0000000");
    let items = vec![
        flat("fee0000000", "fee", 99.5),
        percentage("group00000", "of-group", std::slice::from_ref(&group)),
        percentage("both000000", "of-both", &[fee, group]),
        percentage("nothing000", "of-nothing", &[]),
    ];
    let (items, _) = adopted_items(&SetUp { items, ..small() });
    assert_eq!(items[0].flat_charge_value.map(|it| it.to_string()).as_deref(), Some("99.5"));
    assert_eq!(items[0].account_id, None, "the primary account carries it anyway");
    assert_eq!(items[1].associated_values, None);
    assert_eq!(items[2].associated_values, Some(own(&["billing_group", "fee"])));
    assert_eq!(items[3].associated_values, Some(Vec::new()));
}

#[test]
fn filters_account_and_presentation_are_carried_over() {
    let filter = LineItemFilter::builder()
        .attribute(LineItemFilterAttributeName::LineItemType)
        .match_option(MatchOption::NotEqual)
        .values(LineItemFilterValue::SavingsPlanNegation)
        .build()
        .expect("complete");
    let mut listed = percentage("pct0000000", "support", &[arn("billinggroup", "111111111111")]);
    let details = listed.item.charge_details.as_mut().expect("a charge");
    details.line_item_filters = Some(vec![filter]);
    listed.item.account_id = Some("100000000000".to_owned());
    listed.item.computation_rule = Some(ComputationRuleEnum::Consolidated);
    listed.item.presentation_details =
        Some(PresentationObject::builder().service("AmazonEC2").build().expect("complete"));
    let mut set_up = small();
    set_up.items = vec![listed];
    let (text, ..) = book::write(&set_up, set_up.period).expect("a sound book");
    let (_, item) = text.split_once("[[custom_line_items]]").expect("an item");
    let expected = r#"
name = "support"
description = "Managed service"
billing_group = "harbor"
type = "FEE"
percentage_value = "2.5"
presentation_service = "AmazonEC2"
line_item_filters = [
  { attribute = "LINE_ITEM_TYPE", match_option = "NOT_EQUAL", values = ["SAVINGS_PLAN_NEGATION"] },
]
account_id = "100000000000"
start = "2026-11"
"#;
    assert_eq!(item.trim(), expected.trim());
}

#[test]
fn an_item_has_the_range_of_the_version_of_the_period() {
    let check = |versions: Vec<CustomLineItemVersionListElement>,
                 expected: (&str, Option<&str>),
                 notice: Option<&str>| {
        let items = vec![Item { versions, ..flat("fee0000000", "fee", 1.0) }];
        let (items, notices) = adopted_items(&SetUp { items, ..small() });
        assert_eq!((items[0].start.as_str(), items[0].end.as_deref()), expected);
        match notice {
            Some(start) => assert!(notices.iter().any(|it| it.contains(start)), "{notices:?}"),
            None => assert_eq!(notices, [NOT_READ]),
        }
    };
    check(vec![version("2026-2", None, 1)], ("2026-02", None), None);
    check(vec![version("2026-11", Some("2026-12"), 1)], ("2026-11", Some("2026-12")), None);
    let changed = vec![version("2026-10", Some("2026-11"), 1), version("2026-11", None, 2)];
    check(changed, ("2026-11", None), Some("has 2 versions"));
    let replaced = vec![version("2026-10", None, 1), version("2026-10", Some("2026-12"), 2)];
    check(replaced, ("2026-10", Some("2026-12")), Some("has 2 versions"));
    check(
        vec![version("2026-10", Some("2026-11"), 1)],
        ("2026-10", Some("2026-12")),
        Some("taken as the last period"),
    );
    check(Vec::new(), ("2026-11", None), Some("no version tells its periods"));
}

#[test]
fn names_that_come_twice_get_a_number() {
    let items = vec![
        flat("a000000000", "fee", 1.0),
        flat("b000000000", "fee", 2.0),
        flat("c000000000", "fee-2", 3.0),
    ];
    let (items, notices) = adopted_items(&SetUp { items, ..small() });
    let names: Vec<&str> = items.iter().map(|item| item.name.as_str()).collect();
    assert_eq!(names, ["fee", "fee-3", "fee-2"]);
    assert_eq!(notices[0], "custom line item `fee` (b000000000) is `fee-3` in the book: the name is taken");
}

#[test]
fn an_association_that_is_over_or_unlisted_is_told() {
    let mut listed = percentage("pct0000000", "support", &[arn("customlineitem", "gone000000")]);
    let over = ListResourcesAssociatedToCustomLineItemResponseElement::builder()
        .arn(arn("billinggroup", "111111111111"))
        .end_billing_period("2026-11")
        .build();
    listed.associated.push(over);
    let (items, notices) = adopted_items(&SetUp { items: vec![listed], ..small() });
    assert_eq!(items[0].associated_values, Some(Vec::new()));
    assert!(notices[0].contains("which is not listed in 2026-11"), "{notices:?}");
    assert!(notices[1].contains("the book has it no more"), "{notices:?}");
}

#[test]
fn a_group_of_a_billing_transfer_brings_its_transfer() {
    let grouping = ListBillingGroupAccountGrouping::builder().responsibility_transfer_arn(TRANSFER).build();
    let made = group("transfer01", "larkfield", "222222222222").account_grouping(grouping).build();
    let accounts = ["200000000000", "222222222222"].map(|id| member(id, Some("transfer01"), None)).to_vec();
    let set_up = SetUp {
        groups: vec![made],
        transferred: BTreeMap::from([("transfer01".to_owned(), accounts)]),
        preferences: vec![(TRANSFER.to_owned(), Ok(true))],
        ..empty()
    };
    let expected = format!(
        r#"
payer_account_id = "999999999999"

[[responsibility_transfers]]
name = "{TRANSFER}"
source_account_id = "222222222222"
receiver_account_id = "999999999999"
accounts = ["222222222222", "200000000000"]
status = "ACCEPTED"
start = "2026-11"

[[billing_groups]]
name = "larkfield"
responsibility_transfer = "{TRANSFER}"
pricing_plan = "BasicPricingPlan"
"#
    );
    let unknown = format!(
        "billing transfer `{TRANSFER}`: the API tells neither its receiver, status nor dates; the book has the payer, ACCEPTED, and \
         2026-11 without an end: compare it with the billing transfers of the account"
    );
    let preference = format!(
        "billing transfer `{TRANSFER}`: groups are made by themselves for the transfers behind it; a book has no words for that"
    );
    check(&set_up, &expected, &[&unknown, &preference]);
}

#[test]
fn accounts_that_are_counted_and_not_named_are_told() {
    let grouping = ListBillingGroupAccountGrouping::builder().responsibility_transfer_arn(TRANSFER).build();
    let transferred =
        group("transfer01", "larkfield", "222222222222").account_grouping(grouping).size(3).build();
    let mut set_up = small();
    set_up.groups[0].size = 5;
    set_up.groups.push(transferred);
    let adopted = adopted(&set_up).expect("no problem");
    assert_eq!(adopted.draft.responsibility_transfers[0].accounts, ["222222222222"]);
    let end = "; add the others to the book, or their lines are in no group";
    let of_transfer = format!("billing transfer `{TRANSFER}`: has 3 accounts, of which the API names 1{end}");
    let of_group = format!("billing group `harbor`: has 5 accounts, of which the API names 2{end}");
    assert_eq!(adopted.notices[1..3], [of_transfer, of_group]);
}

#[test]
fn what_would_change_an_amount_makes_no_book() {
    let mut set_up = small();
    set_up.plans = vec![Plan {
        plan: PricingPlanListElement::builder().arn(arn("pricingplan", "gold000000")).name("gold").build(),
        rules: vec![arn("pricingrule", "absent0000")],
    }];
    let preference =
        ComputationPreference::builder().pricing_plan_arn(arn("pricingplan", "absent0000")).build();
    set_up.groups[0].computation_preference = Some(preference.expect("complete"));
    set_up.items = vec![flat("fee0000000", "fee", 0.00000000001)];
    set_up.accounts.push(member("400000000000", Some("444444444444"), None));
    let plan = arn("pricingplan", "absent0000");
    let rule = arn("pricingrule", "absent0000");
    let absent = arn("billinggroup", "444444444444");
    check_refused(
        &set_up,
        &[
            &format!("pricing plan `gold`: its rule `{rule}` is not among the pricing rules"),
            &format!("billing group `harbor`: its pricing plan `{plan}` is not among the pricing plans"),
            &format!("account `400000000000` is in billing group `{absent}`, which is not listed"),
            "custom line item `fee`: charge value 0.00000000001: more than 10 decimals",
        ],
    );
}

#[test]
fn a_draft_that_does_not_check_makes_no_book() {
    let unselected = rule("sku0000000", "by-operation", PricingRuleScope::Sku, PricingRuleType::Markup)
        .service("AmazonS3")
        .operation("StandardStorage")
        .modifier_percentage(1.0);
    let set_up = SetUp { rules: vec![unselected.build()], ..empty() };
    check_refused(
        &set_up,
        &["pricing_rules `by-operation`: `usage_type`: a rule of scope SKU needs `usage_type`"],
    );
}

#[test]
fn two_currencies_make_no_book_and_another_one_is_the_books() {
    let mut yuan = flat("b000000000", "yuan", 1.0);
    yuan.item.currency_code = Some(CurrencyCode::Cny);
    let mut set_up = SetUp { items: vec![yuan], ..small() };
    assert_eq!(adopted(&set_up).expect("one currency").draft.currency.as_deref(), Some("CNY"));
    set_up.items.push(flat("a000000000", "dollar", 1.0));
    check_refused(&set_up, &["custom line items are in CNY and USD, but a book has one currency"]);
}

#[test]
fn a_name_with_a_line_break_makes_no_book() {
    let mut set_up = SetUp { items: vec![flat("a000000000", "fee", 1.0)], ..small() };
    set_up.items[0].item.name = Some("one\ntwo".to_owned());
    check_refused(
        &set_up,
        &["custom_line_items[1]: `name`: a name is not empty and has no control characters"],
    );
}

#[test]
fn a_notice_is_one_line_of_the_heading() {
    let set_up = SetUp { preferences: vec![("rt-1".to_owned(), Err("one\ntwo".to_owned()))], ..small() };
    let (text, ..) = book::write(&set_up, set_up.period).expect("a sound book");
    let note = "# - billing transfer `rt-1`: whether groups are made by themselves is not known: one?two";
    assert_eq!(text.lines().nth(1), Some(note));
}

#[test]
fn an_earlier_period_says_what_it_lacks() {
    let (_, notices, _) = book::write(&small(), month("2026-12")).expect("a sound book");
    let expected = "what begins after 2026-11 is not in the book; leave out --period to read 2026-12";
    assert_eq!(notices, [NOT_READ, expected]);
}
