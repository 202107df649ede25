//! What percentage items are percentages of.

use super::*;
use crate::configuration::{
    AssociatedValue, AssociationSizes, ChargeSettings, Relationship, associated_resources,
};
use AssociationReason as Why;
use ValidationReason as Reason;

/// What an item is a percentage of from May to August: `g` the group, else the item's place among some.
fn shown(desk: &Desk, id: &CustomLineItemId, items: &[&CustomLineItemId]) -> String {
    let of = |number| match desk.now.items.at(id, month(number)).map(|(_, item)| &item.charge) {
        None => "-".to_owned(),
        Some(ChargeSettings::Flat(_)) => "flat".to_owned(),
        Some(ChargeSettings::Percentage { of, .. }) => of
            .iter()
            .map(|value| match value {
                AssociatedValue::BillingGroup => "g".to_owned(),
                AssociatedValue::Item(id) => items.iter().position(|other| *other == id).unwrap().to_string(),
            })
            .collect(),
    };
    (5..=8).map(of).collect::<Vec<_>>().join(",")
}

fn batch(
    desk: &mut Desk,
    target: &CustomLineItemId,
    resources: &[&str],
    range: Option<PeriodRange>,
) -> Result<Vec<Option<Why>>, Refusal> {
    let resources: Vec<_> = resources.iter().map(ToString::to_string).collect();
    let done = desk.write(|edit| edit.associate_to_custom_line_item(target.as_str(), &resources, range))?;
    Ok(partition(&resources, done))
}

fn take_out(
    desk: &mut Desk,
    target: &CustomLineItemId,
    resources: &[&str],
    range: Option<PeriodRange>,
) -> Result<Vec<Option<Why>>, Refusal> {
    let resources: Vec<_> = resources.iter().map(ToString::to_string).collect();
    let done =
        desk.write(|edit| edit.disassociate_from_custom_line_item(target.as_str(), &resources, range))?;
    Ok(partition(&resources, done))
}

/// The reasons, once it is sure that every resource is there, in order.
fn partition(resources: &[String], done: Associated) -> Vec<Option<Why>> {
    let (named, results): (Vec<_>, Vec<_>) = done.resources.into_iter().unzip();
    assert_eq!(named, resources);
    results.into_iter().map(|result| result.err().map(|failure| failure.reason)).collect()
}

#[test]
fn a_new_percentage_is_taken_of_what_it_names() {
    let mut desk = Desk::new();
    let fee = desk.item(NewItem { range: range(5, None), ..flat("fee") });
    let short = desk.item(NewItem { range: range(5, Some(7)), ..flat("short") });
    let once = desk.item(NewItem { range: range(5, Some(6)), ..flat("once") });
    let other = desk.item(NewItem { billing_group: OTHER_GROUP.to_owned(), ..flat("other") });
    let share = desk.item(percentage("share", None));
    let items = [&fee, &short];
    let group = BillingGroupId::parse(GROUP).unwrap().arn(&desk.now.payer);
    for (name, of, expected) in [
        ("default", None, "-,g,g,g"),
        ("nothing", Some(vec![]), "-,,,"),
        ("group", Some(vec![group.as_str()]), "-,g,g,g"),
        ("both", Some(vec![GROUP, fee.as_str()]), "-,g0,g0,g0"),
        // A flat item is a part of it for as long as it is there.
        ("short", Some(vec![fee.as_str(), short.as_str()]), "-,01,0,0"),
    ] {
        let id = desk.item(percentage(&format!("of-{name}"), of.as_deref()));
        assert_eq!(shown(&desk, &id, &items), expected, "{name}");
    }
    let foreign = |kind: &str| format!("arn:aws:billingconductor::999999999999:{kind}/0123456789");
    let (foreign_item, foreign_group) = (foreign("customlineitem"), foreign("billinggroup"));
    let own_group = |id: &str| format!("arn:aws:billingconductor::111111111111:billinggroup/{id}");
    let other_group = own_group(OTHER_GROUP);
    let rule = "arn:aws:billingconductor::111111111111:pricingrule/0123456789";
    let fee_arn = fee.arn(&desk.now.payer);
    for (of, reason) in [
        (vec!["nonsense!"], Reason::InvalidArn),
        (vec![rule], Reason::InvalidArn),
        (vec![foreign_item.as_str()], Reason::MismatchedCustomlineitemArn),
        (vec![foreign_group.as_str()], Reason::MismatchedBillinggroupArn),
        (vec!["NoneOfThem"], Reason::MissingCustomlineitem),
        (vec![other_group.as_str()], Reason::IllegalChildAssociateResource),
        (vec![other.as_str()], Reason::IllegalChildAssociateResource),
        (vec![share.as_str()], Reason::IllegalChildAssociateResource),
        (vec![once.as_str()], Reason::IllegalChildAssociateResource),
        (vec![fee.as_str(), fee_arn.as_str()], Reason::IllegalResourceArns),
        (vec![GROUP, group.as_str()], Reason::IllegalResourceArns),
    ] {
        let new = percentage("refused", Some(&of));
        assert_reason(desk.write(|edit| edit.create_custom_line_item(new)), reason);
    }
    let itemized = NewItem { itemized: Some(true), ..percentage("refused", Some(&[fee.as_str()])) };
    let refused = desk.write(|edit| edit.create_custom_line_item(itemized));
    assert_reason(refused, Reason::IllegalChildAssociateResource);
}

#[test]
fn a_batch_does_what_it_can() {
    let mut desk = Desk::new();
    let fee = desk.item(NewItem { range: range(5, None), ..flat("fee") });
    let short = desk.item(NewItem { range: range(5, Some(7)), ..flat("short") });
    let once = desk.item(NewItem { range: range(5, Some(6)), ..flat("once") });
    let other = desk.item(NewItem { billing_group: OTHER_GROUP.to_owned(), ..flat("other") });
    let share = desk.item(NewItem { range: range(5, None), ..percentage("share", None) });
    let items = [&fee, &short, &once];
    let fee_arn = fee.arn(&desk.now.payer);
    let foreign = format!("arn:aws:billingconductor::999999999999:customlineitem/{fee}");
    let named = [
        fee.as_str(),
        "nonsense!",
        &fee_arn,
        &foreign,
        "NoneOfThem",
        share.as_str(),
        other.as_str(),
        OTHER_GROUP,
        once.as_str(),
        short.as_str(),
        GROUP,
    ];
    let illegal = Some(Why::IllegalCustomlineitem);
    let (invalid, not_then) = (Some(Why::InvalidArn), Some(Why::InvalidBillingPeriodRange));
    assert_eq!(
        batch(&mut desk, &share, &named, None).unwrap(),
        [None, invalid, illegal, invalid, illegal, illegal, illegal, illegal, not_then, None, None]
    );
    assert_eq!(shown(&desk, &share, &items), "g,g01,g0,g0");
    assert_eq!(desk.now.items.get(&share).unwrap().modified_at, 7);
    // A range with an end says that the item is there up to it.
    assert_eq!(batch(&mut desk, &share, &[short.as_str()], range(6, Some(8))).unwrap(), [not_then]);
    assert_eq!(
        batch(&mut desk, &share, &[short.as_str(), once.as_str()], range(5, Some(6))).unwrap(),
        [None, None]
    );
    assert_eq!(shown(&desk, &share, &items), "g12,g01,g0,g0");
    // What is there already is no mistake, what is not there is one.
    assert_eq!(batch(&mut desk, &share, &[fee.as_str()], None).unwrap(), [None]);
    assert_eq!(
        take_out(&mut desk, &share, &[once.as_str(), GROUP, GROUP, "nonsense!"], None).unwrap(),
        [illegal, None, illegal, invalid]
    );
    assert_eq!(shown(&desk, &share, &items), "g12,01,0,0");
    assert_eq!(take_out(&mut desk, &share, &[GROUP, fee.as_str()], range(5, Some(7))).unwrap(), [None, None]);
    assert_eq!(shown(&desk, &share, &items), "12,1,0,0");
    // Nothing is changed where nothing succeeds.
    let before = desk.now.clone();
    assert_eq!(take_out(&mut desk, &share, &[GROUP], None).unwrap(), [illegal]);
    assert_eq!(desk.now, before);
}

#[test]
fn an_association_goes_on_beside_those_that_end() {
    let mut desk = Desk::new();
    let fee = desk.item(flat("fee"));
    let short = desk.item(NewItem { range: None, ..flat("short") });
    let share = desk.item(percentage("share", Some(&[])));
    batch(&mut desk, &share, &[short.as_str()], None).unwrap();
    batch(&mut desk, &share, &[fee.as_str()], None).unwrap();
    assert_eq!(shown(&desk, &share, &[&fee, &short]), "-,01,0,0");
    let change = ItemChange { percentage: Some("20".to_owned()), ..ItemChange::default() };
    desk.write(|edit| edit.update_custom_line_item(share.as_str(), change)).unwrap();
    let value = |number| match &desk.now.items.at(&share, month(number)).unwrap().1.charge {
        ChargeSettings::Percentage { percentage, .. } => percentage.to_string(),
        ChargeSettings::Flat(_) => String::new(),
    };
    assert_eq!([value(6), value(7), value(8)], ["20", "20", "20"]);
    take_out(&mut desk, &share, &[fee.as_str()], None).unwrap();
    assert_eq!(shown(&desk, &share, &[&fee, &short]), "-,1,,");
}

#[test]
fn what_refuses_a_whole_batch() {
    let mut desk = Desk::new();
    let fee = desk.item(flat("fee"));
    let once = desk.item(NewItem { range: range(5, Some(6)), ..percentage("once", None) });
    let share = desk.item(percentage("share", None));
    assert_reason(batch(&mut desk, &fee, &[GROUP], None), Reason::IllegalCustomlineitem);
    assert_reason(take_out(&mut desk, &fee, &[GROUP], None), Reason::IllegalCustomlineitem);
    assert_reason(batch(&mut desk, &once, &[GROUP], None), Reason::IllegalCustomlineitemModification);
    assert_reason(batch(&mut desk, &share, &[GROUP], range(5, None)), Reason::IllegalCustomlineitemUpdate);
    assert_reason(batch(&mut desk, &share, &[GROUP], range(7, None)), Reason::IllegalBillingPeriodRange);
    assert_reason(batch(&mut desk, &share, &[GROUP; 31], None), Reason::TooManyCustomlineitemsInRequest);
    let nobody = CustomLineItemId::parse("NoneOfThem").unwrap();
    assert_missing(batch(&mut desk, &nobody, &[GROUP], None));
    let thirty = batch(&mut desk, &share, &[GROUP; 30], None).unwrap();
    assert_eq!(thirty.iter().filter(|result| result.is_none()).count(), 1);
}

#[test]
fn a_flat_item_stays_while_percentages_are_taken_of_it() {
    let mut desk = Desk::new();
    let fee = desk.item(NewItem { range: range(5, None), ..flat("fee") });
    let share = desk.item(NewItem { range: range(5, None), ..percentage("share", Some(&[fee.as_str()])) });
    let delete = |desk: &mut Desk, id: &CustomLineItemId, range| {
        desk.write(|edit| edit.delete_custom_line_item(id.as_str(), range))
    };
    let exists = Reason::CustomLineItemAssociationExists;
    assert_reason(delete(&mut desk, &fee, None), exists);
    take_out(&mut desk, &share, &[fee.as_str()], None).unwrap();
    assert_reason(delete(&mut desk, &fee, range(5, None)), exists);
    delete(&mut desk.clone(), &fee, None).unwrap();
    delete(&mut desk, &share, range(5, None)).unwrap();
    delete(&mut desk, &fee, range(5, None)).unwrap();
    // A percentage that begins later is in the way of what ends for good, and not of what ends before it.
    let fee = desk.item(NewItem { range: range(5, None), ..flat("fee") });
    desk.item(percentage("later", Some(&[fee.as_str()])));
    assert_reason(delete(&mut desk, &fee, range(5, None)), exists);
    delete(&mut desk, &fee, range(5, Some(6))).unwrap();
}

#[test]
fn quotas_of_associations() {
    let mut desk = Desk::new();
    let fee = desk.item(flat("fee"));
    let fees = desk.many_items(100, &fee);
    let full = desk.item(percentage("full", None));
    let names: Vec<_> = fees.iter().map(CustomLineItemId::as_str).collect();
    for some in names.chunks(30) {
        batch(&mut desk, &full, some, None).unwrap();
    }
    let limit = Some(Why::ServiceLimitExceeded);
    // The group is one of the hundred.
    assert_eq!(batch(&mut desk, &full, &names[98..], None).unwrap(), [None, limit]);
    take_out(&mut desk, &full, &[GROUP], None).unwrap();
    assert_eq!(batch(&mut desk, &full, &[names[99], GROUP], None).unwrap(), [None, limit]);

    let share = desk.item(percentage("share", Some(&[fee.as_str()])));
    desk.many_items(99, &share);
    let none = desk.item(percentage("none", None));
    assert_eq!(batch(&mut desk, &none, &[fee.as_str(), names[0]], None).unwrap(), [limit, None]);
    let new = percentage("more", Some(&[fee.as_str()]));
    assert_limit(desk.write(|edit| edit.create_custom_line_item(new)), Quota::PercentagesPerFlatItem);
    let sizes = AssociationSizes::new(&desk.now, month(6));
    let size = |id: &CustomLineItemId| sizes.of(id, desk.now.items.at(id, month(6)).unwrap().1);
    assert_eq!([size(&fee), size(&full), size(&none), size(&fees[0])], [100, 100, 2, 2]);
}

#[test]
fn a_list_shows_both_sides_and_the_end() {
    let mut desk = Desk::new();
    let fee = desk.item(flat("fee"));
    let short = desk.item(NewItem { range: range(6, Some(8)), ..flat("short") });
    let share = desk.item(percentage("share", Some(&[GROUP, fee.as_str(), short.as_str()])));
    let last = desk.item(NewItem { range: None, ..percentage("last", Some(&[fee.as_str()])) });
    let payer = desk.now.payer.clone();
    let listed = |id: &CustomLineItemId, number| {
        let resources = associated_resources(&desk.now, id, month(number))?;
        let shown = resources.into_iter().map(|of| (of.arn, of.relationship, of.end));
        Some(shown.collect::<Vec<_>>())
    };
    let (child, parent) = (Relationship::Child, Relationship::Parent);
    let group = BillingGroupId::parse(GROUP).unwrap().arn(&payer);
    assert_eq!(
        listed(&share, 6).unwrap(),
        [
            (group.clone(), child, None),
            (fee.arn(&payer), child, None),
            (short.arn(&payer), child, Some(month(8)))
        ]
    );
    assert_eq!(listed(&share, 8).unwrap(), [(group, child, None), (fee.arn(&payer), child, None)]);
    assert_eq!(
        listed(&fee, 6).unwrap(),
        [(share.arn(&payer), parent, None), (last.arn(&payer), parent, Some(month(7)))]
    );
    assert_eq!(listed(&fee, 7).unwrap().len(), 1);
    assert_eq!(listed(&fee, 5), None);
}
