//! Custom line items.

use super::*;
use crate::configuration::{AssociatedValue, ChargeSettings, item_versions};
use crate::custom_line_item::Filter;
use ValidationReason as Reason;

fn create(desk: &Desk, new: NewItem) -> Result<CustomLineItemId, Refusal> {
    desk.tried(|edit| edit.create_custom_line_item(new))
}

fn update(desk: &mut Desk, id: &CustomLineItemId, change: ItemChange) -> Result<CustomLineItemId, Refusal> {
    desk.write(|edit| edit.update_custom_line_item(id.as_str(), change))
}

fn to_flat(digits: &str) -> ItemChange {
    ItemChange { flat: Some(digits.to_owned()), ..ItemChange::default() }
}

/// What an item charges from March to September: a flat value, or a percentage with `%`.
fn charges(desk: &Desk, id: &CustomLineItemId) -> String {
    let item = desk.now.items.get(id).unwrap();
    let shown = |number| match item.versions.at(month(number)).map(|item| &item.charge) {
        None => "-".to_owned(),
        Some(ChargeSettings::Flat(value)) => value.to_string(),
        Some(ChargeSettings::Percentage { percentage, .. }) => format!("{percentage}%"),
    };
    (3..=9).map(shown).collect::<Vec<_>>().join(" ")
}

#[test]
fn an_item_is_charged_for_its_range() {
    let mut desk = Desk::new();
    for (given, expected) in [
        (None, "- - - 10 - - -"),
        (range(6, None), "- - - 10 10 10 10"),
        (range(5, None), "- - 10 10 10 10 10"),
        (range(5, Some(6)), "- - 10 - - - -"),
        (range(5, Some(8)), "- - 10 10 10 - -"),
    ] {
        let id = desk.item(NewItem { range: given, ..flat(&format!("{given:?}")) });
        assert_eq!(charges(&desk, &id), expected);
        assert_eq!(desk.now.items.get(&id).unwrap().created_at, 7);
    }
    // The operator has set the write back.
    let mut back = desk.back_to(month(4));
    let id = back.item(NewItem { range: None, ..flat("back") });
    assert_eq!(charges(&back, &id), "- 10 - - - - -");
    let id = back.item(NewItem { range: range(4, None), ..flat("back-on") });
    assert_eq!(charges(&back, &id), "- 10 10 10 10 10 10");

    for (given, reason) in [
        (range(7, None), Reason::IllegalBillingPeriodRange),
        (range(6, Some(6)), Reason::IllegalBillingPeriodRange),
        (range(6, Some(5)), Reason::IllegalBillingPeriodRange),
        (range(4, None), Reason::IllegalBillingPeriodRange),
        (range(3, None), Reason::IllegalBillingPeriodRange),
    ] {
        assert_reason(create(&desk, NewItem { range: given, ..flat("i") }), reason);
    }
    desk.now.closed_through = Some(month(5));
    let closed = NewItem { range: range(5, None), ..flat("i") };
    assert_reason(create(&desk, closed), Reason::InvalidBillingPeriodForOperation);
    let id = desk.item(flat("i"));
    let into_closed = ItemChange { range: range(5, None), ..to_flat("1") };
    assert_reason(update(&mut desk, &id, into_closed), Reason::InvalidBillingPeriodForOperation);
    let delete = |edit: &mut Edit<'_>| edit.delete_custom_line_item(id.as_str(), range(5, None));
    assert_reason(desk.write(delete), Reason::InvalidBillingPeriodForOperation);
}

#[test]
fn charges_are_flat_or_a_percentage() {
    let desk = Desk::new();
    let filter = |attribute: &str, option: &str, values: &[&str], services: &[&str]| FilterText {
        attribute: attribute.to_owned(),
        match_option: option.to_owned(),
        values: values.iter().map(ToString::to_string).collect(),
        attribute_values: services.iter().map(ToString::to_string).collect(),
    };
    let filtered = |filters: Vec<FilterText>| NewItem { filters, ..percentage("i", None) };
    let s3 = || service_filter("AmazonS3");
    let savings = &["SAVINGS_PLAN_NEGATION"];
    for (filters, expected) in [
        (vec![], None),
        (vec![s3()], Some(Filter::OnlyService("AmazonS3".to_owned()))),
        (
            vec![filter("SERVICE", "NOT_EQUAL", &[], &["AmazonS3"])],
            Some(Filter::WithoutService("AmazonS3".to_owned())),
        ),
        (vec![filter("LINE_ITEM_TYPE", "NOT_EQUAL", savings, &[])], Some(Filter::WithoutSavingsPlanNegation)),
    ] {
        let mut desk = desk.clone();
        let id = desk.item(filtered(filters));
        let charge = &desk.now.items.at(&id, month(6)).unwrap().1.charge;
        let ChargeSettings::Percentage { filter, of, .. } = charge else { panic!("a percentage") };
        assert_eq!((filter, of), (&expected, &BTreeSet::from([AssociatedValue::BillingGroup])));
    }
    let itemized = Some(true);
    let service = Some("AmazonEC2".to_owned());
    let valued = |digits: &str| NewPercentage { value: digits.to_owned(), of: None };
    for (new, reason) in [
        (NewItem { flat: None, ..flat("i") }, Reason::IllegalChargeDetails),
        (NewItem { flat: Some("1".to_owned()), ..percentage("i", None) }, Reason::IllegalChargeDetails),
        (NewItem { flat: Some("-1".to_owned()), ..flat("i") }, Reason::IllegalChargeDetails),
        (NewItem { flat: Some("1000000.01".to_owned()), ..flat("i") }, Reason::IllegalChargeDetails),
        (
            NewItem { percentage: Some(valued("10001")), flat: None, ..flat("i") },
            Reason::IllegalChargeDetails,
        ),
        (NewItem { itemized, ..flat("i") }, Reason::IllegalComputationRule),
        (
            NewItem { itemized, presentation_service: service, ..percentage("i", None) },
            Reason::IllegalComputationRule,
        ),
        (NewItem { filters: vec![s3()], ..flat("i") }, Reason::IllegalLineItemFilter),
        (filtered(vec![s3(), s3()]), Reason::IllegalLineItemFilter),
        (filtered(vec![filter("SERVICE", "EQUAL", savings, &[])]), Reason::IllegalLineItemFilter),
        (filtered(vec![filter("SERVICE", "EQUAL", &[], &[])]), Reason::IllegalLineItemFilter),
        (filtered(vec![filter("SERVICE", "EQUAL", savings, &["a"])]), Reason::IllegalLineItemFilter),
        (filtered(vec![filter("LINE_ITEM_TYPE", "EQUAL", savings, &[])]), Reason::IllegalLineItemFilter),
        (filtered(vec![filter("LINE_ITEM_TYPE", "NOT_EQUAL", &[], &["a"])]), Reason::IllegalLineItemFilter),
    ] {
        assert_reason(create(&desk, new), reason);
    }
    create(&desk, NewItem { itemized: Some(false), ..flat("i") }).unwrap();
    create(&desk, NewItem { itemized, ..percentage("i", None) }).unwrap();
}

#[test]
fn the_group_is_there_and_its_member_carries_the_charge() {
    let mut desk = Desk::new();
    desk.group("777777777777", PlanOf::Basic, None, month(6));
    desk.now.groups.change(&BillingGroupId::parse(OTHER_GROUP).unwrap(), |group| {
        group.versions.end_at(month(6));
    });
    let of = |group: &str, range| NewItem { billing_group: group.to_owned(), range, ..flat("i") };
    let arn = |payer: &str| format!("arn:aws:billingconductor::{payer}:billinggroup/{GROUP}");
    create(&desk, of(&arn("111111111111"), None)).unwrap();
    create(&desk, of(OTHER_GROUP, range(5, Some(6)))).unwrap();
    for (new, reason) in [
        (of(&arn("999999999999"), None), Reason::MismatchedBillinggroupArn),
        (of("not-an-id", None), Reason::InvalidArn),
        (of("888888888888", None), Reason::MissingBillinggroup),
        (of(OTHER_GROUP, None), Reason::IllegalEndedBillinggroup),
        (of(OTHER_GROUP, range(5, None)), Reason::IllegalEndedBillinggroup),
        (of("777777777777", range(5, None)), Reason::InvalidBillingGroup),
    ] {
        assert_reason(create(&desk, new), reason);
    }
    let by = |member: &str, range| NewItem { account: Some(member.to_owned()), range, ..flat("i") };
    create(&desk, by("444444444444", range(5, None))).unwrap();
    create(&desk, by(GROUP, None)).unwrap();
    // It left in June.
    create(&desk, by("555555555555", range(5, Some(6)))).unwrap();
    for (member, range) in [
        ("555555555555", None),
        ("555555555555", range(5, None)),
        (OTHER_GROUP, None),
        ("999999999999", None),
        ("nobody", None),
    ] {
        assert_reason(create(&desk, by(member, range)), Reason::IllegalAccountId);
    }
}

#[test]
fn plans_that_aws_manages_show_plain_items_only() {
    let mut desk = Desk::new();
    let own = PlanOf::Own(desk.plan("p", &[]));
    for (id, plan, transfer, shows) in [
        (GROUP, PlanOf::Basic, None, true),
        ("Transfer01", PlanOf::Basic, Some("t"), false),
        ("Transfer02", PlanOf::Passthrough, Some("t"), false),
        ("Transfer03", own, Some("t"), true),
    ] {
        desk.group(id, plan, transfer, month(1));
        let of = |new: NewItem| NewItem { billing_group: id.to_owned(), ..new };
        create(&desk, of(flat("i"))).unwrap();
        create(&desk, of(percentage("i", None))).unwrap();
        let service = Some("AmazonEC2".to_owned());
        for shown in [
            of(NewItem { presentation_service: service, ..flat("i") }),
            of(NewItem { itemized: Some(true), ..percentage("i", None) }),
        ] {
            match shows {
                true => drop(create(&desk, shown).unwrap()),
                false => assert_reason(create(&desk, shown), Reason::IllegalBillingGroupPricingPlan),
            }
        }
    }
}

#[test]
fn an_update_makes_a_version() {
    // D-7 of the project's notes on AWS: from January on, 12 instead of 10 from March on.
    let mut desk = Desk::new();
    desk.now.closed_through = None;
    let mut january = desk.back_to(month(1));
    let id = january.item(NewItem { range: range(1, None), ..flat("i") });
    desk = january.back_to(month(3));
    update(&mut desk, &id, ItemChange { range: range(3, None), ..to_flat("12") }).unwrap();
    let versions = |start, end| {
        let shown = |span: &crate::configuration::Span<ItemSettings>| {
            let ChargeSettings::Flat(value) = &span.value.charge else { panic!("flat") };
            (span.from, span.to, value.to_string())
        };
        item_versions(&desk.now, &id, start, end).map(shown).collect::<Vec<_>>()
    };
    let first = (month(1), Some(month(3)), "10".to_owned());
    let second = (month(3), None, "12".to_owned());
    assert_eq!(versions(None, None), [first.clone(), second.clone()]);
    assert_eq!(versions(Some(month(3)), None), [second]);
    assert_eq!(versions(None, Some(month(3))), [first]);
}

#[test]
fn an_update_goes_on_up_to_what_was_said_for_later() {
    let mut desk = Desk::new().back_to(month(4));
    let id = desk.item(NewItem { range: range(4, None), ..flat("i") });
    desk.period = month(6);
    update(&mut desk, &id, to_flat("12")).unwrap();
    assert_eq!(charges(&desk, &id), "- 10 10 12 12 12 12");
    update(&mut desk, &id, ItemChange { range: range(5, None), ..to_flat("11") }).unwrap();
    assert_eq!(charges(&desk, &id), "- 10 11 12 12 12 12");
    update(&mut desk, &id, ItemChange { range: range(6, Some(8)), ..to_flat("9") }).unwrap();
    assert_eq!(charges(&desk, &id), "- 10 11 9 9 12 12");
    update(&mut desk, &id, to_flat("8")).unwrap();
    assert_eq!(charges(&desk, &id), "- 10 11 8 8 12 12");
    // A name goes on through versions that differ in the charge only.
    let rename = ItemChange {
        name: Some("j".to_owned()),
        description: Some("new".to_owned()),
        range: range(5, None),
        ..ItemChange::default()
    };
    update(&mut desk, &id, rename).unwrap();
    assert_eq!(charges(&desk, &id), "- 10 11 8 8 12 12");
    let name = |number| desk.now.items.at(&id, month(number)).unwrap().1.name.clone();
    assert_eq!([name(4), name(5), name(9)], ["i", "j", "j"]);
}

#[test]
fn what_an_update_may_not_change() {
    let mut desk = Desk::new();
    let fee = desk.item(flat("fee"));
    let share = desk.item(percentage("share", None));
    let once = desk.item(NewItem { range: range(5, Some(6)), ..flat("once") });
    let short = desk.item(NewItem { range: range(6, Some(8)), ..flat("short") });
    let share_of = |digits: &str| ItemChange { percentage: Some(digits.to_owned()), ..ItemChange::default() };
    let filters = |filters| ItemChange { filters: Some(filters), ..ItemChange::default() };
    let within = |range, change| ItemChange { range, ..change };
    for (id, change, reason) in [
        (&fee, share_of("1"), Reason::IllegalUpdateChargeDetails),
        (&share, to_flat("1"), Reason::IllegalUpdateChargeDetails),
        (
            &fee,
            ItemChange { flat: Some("1".to_owned()), ..share_of("1") },
            Reason::IllegalUpdateChargeDetails,
        ),
        (&fee, to_flat("1000001"), Reason::IllegalUpdateChargeDetails),
        (&share, share_of("-1"), Reason::IllegalUpdateChargeDetails),
        (&fee, filters(vec![service_filter("S3")]), Reason::IllegalLineItemFilter),
        (&share, filters(vec![FilterText::default()]), Reason::IllegalLineItemFilter),
        (&once, to_flat("1"), Reason::IllegalCustomlineitemModification),
        (&fee, within(range(5, None), to_flat("1")), Reason::IllegalCustomlineitemUpdate),
        (&short, within(range(6, Some(9)), to_flat("1")), Reason::IllegalCustomlineitemUpdate),
        (&fee, within(range(7, None), to_flat("1")), Reason::IllegalBillingPeriodRange),
        (&fee, within(range(4, None), to_flat("1")), Reason::IllegalBillingPeriodRange),
    ] {
        assert_reason(update(&mut desk, id, change), reason);
    }
    let foreign = format!("arn:aws:billingconductor::999999999999:customlineitem/{fee}");
    assert_reason(
        desk.tried(|edit| edit.update_custom_line_item(&foreign, to_flat("1"))),
        Reason::MismatchedCustomlineitemArn,
    );
    assert_missing(desk.tried(|edit| edit.update_custom_line_item("NoneOfThem", to_flat("1"))));
    let rename = ItemChange { name: Some("share".to_owned()), ..ItemChange::default() };
    let taken = update(&mut desk, &fee, rename.clone());
    assert_conflict(taken, ConflictReason::ResourceNameConflict, share.as_str());
    // In May nothing else had the name.
    update(&mut desk, &once, within(range(5, None), rename)).unwrap();

    update(
        &mut desk,
        &share,
        ItemChange { percentage: Some("2".to_owned()), ..filters(vec![service_filter("S3")]) },
    )
    .unwrap();
    update(&mut desk, &share, ItemChange::default()).unwrap();
    let item = &desk.now.items.at(&share, month(9)).unwrap().1;
    assert!(matches!(&item.charge, ChargeSettings::Percentage { filter: Some(_), .. }));
    update(&mut desk, &share, filters(Vec::new())).unwrap();
    assert_eq!(charges(&desk, &share), "- - - 2% 2% 2% 2%");
    let item = &desk.now.items.at(&share, month(9)).unwrap().1;
    assert!(matches!(&item.charge, ChargeSettings::Percentage { filter: None, .. }));
}

#[test]
fn names_are_unique_in_a_period() {
    let mut desk = Desk::new();
    let first = desk.item(NewItem { range: range(5, Some(6)), ..flat("i") });
    // The month after, the name is free again.
    desk.item(NewItem { range: range(6, Some(7)), ..flat("i") });
    desk.tried(|edit| edit.create_custom_line_item(NewItem { range: range(6, None), ..flat("I") })).unwrap();
    let taken = create(&desk, NewItem { range: range(5, None), ..flat("i") });
    assert_conflict(taken, ConflictReason::ResourceNameConflict, first.as_str());
}

#[test]
fn a_deleted_item_is_charged_no_more() {
    let mut desk = Desk::new();
    let id = desk.item(NewItem { range: range(5, None), ..flat("i") });
    let delete = |desk: &mut Desk, range| desk.write(|edit| edit.delete_custom_line_item(id.as_str(), range));
    let mut within = desk.clone();
    delete(&mut within, range(6, Some(7))).unwrap();
    assert_eq!(charges(&within, &id), "- - 10 - 10 10 10");
    let mut all = desk.clone();
    delete(&mut all, range(5, None)).unwrap();
    assert_eq!(charges(&all, &id), "- - - - - - -");
    assert_missing(update(&mut all, &id, to_flat("1")));
    delete(&mut desk, None).unwrap();
    assert_eq!(charges(&desk, &id), "- - 10 - - - -");
    assert_reason(delete(&mut desk, None), Reason::MissingCustomlineitem);
    assert_reason(update(&mut desk, &id, to_flat("1")), Reason::IllegalCustomlineitemModification);
    let nobody = |arn: &'static str| move |edit: &mut Edit<'_>| edit.delete_custom_line_item(arn, None);
    assert_reason(desk.write(nobody("NoneOfThem")), Reason::MissingCustomlineitem);
    let foreign = "arn:aws:billingconductor::999999999999:customlineitem/0123456789";
    assert_reason(desk.write(nobody(foreign)), Reason::MismatchedCustomlineitemArn);
    assert_reason(delete(&mut desk, range(7, None)), Reason::IllegalBillingPeriodRange);
}

#[test]
fn quotas_of_items() {
    let mut desk = Desk::new();
    let filtered = || NewItem { filters: vec![service_filter("S3")], ..percentage("filtered", None) };
    let itemized = || NewItem { itemized: Some(true), ..percentage("itemized", None) };
    let elsewhere = |new: NewItem| NewItem { billing_group: OTHER_GROUP.to_owned(), ..new };
    let first = desk.item(filtered());
    desk.many_items(9, &first);
    let more = |new: NewItem| NewItem { name: "more".to_owned(), ..new };
    assert_limit(create(&desk, more(filtered())), Quota::FilteredItemsPerBillingGroup);
    create(&desk, more(elsewhere(filtered()))).unwrap();
    create(&desk, NewItem { range: range(5, Some(6)), ..more(filtered()) }).unwrap();
    let plain = desk.item(percentage("plain", None));
    let filter = || ItemChange { filters: Some(vec![service_filter("S3")]), ..ItemChange::default() };
    let full = update(&mut desk, &plain, filter());
    assert_limit(full, Quota::FilteredItemsPerBillingGroup);
    update(&mut desk, &first, filter()).unwrap();

    let first = desk.item(itemized());
    desk.many_items(4, &first);
    assert_limit(create(&desk, more(itemized())), Quota::ItemizedItemsPerBillingGroup);
    create(&desk, more(elsewhere(itemized()))).unwrap();

    let fee = desk.item(flat("fee"));
    let there = desk.now.items.count(month(6));
    desk.many_items(49_999 - there, &fee);
    desk.item(flat("last"));
    assert_limit(create(&desk, flat("more")), Quota::CustomLineItems);
    create(&desk, NewItem { range: range(5, Some(6)), ..flat("more") }).unwrap();
}
