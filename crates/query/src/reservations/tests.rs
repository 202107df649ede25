//! A reservation of two instances, in force from noon of the second day on.

use super::*;

fn reserved(of_days: Option<Vec<Used>>) -> Reserved {
    let number = |text: &str| Quantity::parse(text).unwrap();
    let used = |hours: &str| Used {
        capacity: Capacity::parse(hours).unwrap(),
        effective: number("1"),
        on_demand: number("10"),
    };
    Reserved {
        arn: "arn:aws:ec2:us-east-1:111111111111:reserved-instances/abc".to_owned(),
        id: "abc".to_owned(),
        owner: "111111111111".to_owned(),
        terms: Reservation {
            service: "AmazonEC2".to_owned(),
            usage_type: "BoxUsage:m5.large".to_owned(),
            operation: "RunInstances:0002".to_owned(),
            region: "us-east-1".to_owned(),
            zone: None,
            instances: number("2"),
            normalized_units: Some(number("8")),
            recurring: number("0.1"),
            upfront: Quantity::ZERO,
        },
        service: None,
        instance_type: Some("m5.large".to_owned()),
        platform: Some("Windows"),
        tenancy: Some("Shared"),
        on_demand_rate: Some(number("0.5")),
        hours: 36..744,
        recurring: number("100"),
        upfront: Quantity::ZERO,
        of_month: used("1000"),
        of_days,
    }
}

fn days(hours: &[(usize, &str)]) -> Vec<Used> {
    let mut days = vec![Used::default(); 31];
    for (day, text) in hours {
        days[*day].capacity = Capacity::parse(text).unwrap();
    }
    days
}

#[test]
fn hours_are_bought_from_the_first_one_in_force() {
    let reserved = reserved(Some(days(&[(1, "20"), (2, "48")])));
    let of = |days: Range<i32>| reserved.utilized(&days, 31).unwrap().unwrap();
    assert_eq!(of(0..1), None, "it is not in force");
    let second = of(1..2).unwrap();
    assert_eq!(
        (second.purchased_hours.to_string(), second.used_hours.to_string()),
        ("24".to_owned(), "20".to_owned())
    );
    assert_eq!(
        (second.purchased_units.to_string(), second.used_units.to_string()),
        ("96".to_owned(), "80".to_owned())
    );
    assert_eq!(second.on_demand_unused, Some(Cost::parse("2").unwrap()), "four hours at 0.5");
    let month = of(0..31).unwrap();
    assert_eq!(
        (month.purchased_hours.to_string(), month.used_hours.to_string()),
        ("1416".to_owned(), "1000".to_owned())
    );
}

#[test]
fn days_of_a_reservation_of_one_day_add_up_to_its_month() {
    // In force on the third day alone, with usage of the fourth that its hours still cover, as AWS dates some.
    let whole = Reserved {
        hours: 48..72,
        of_month: Used { capacity: Capacity::parse("50").unwrap(), ..Used::default() },
        ..reserved(Some(days(&[(2, "48"), (3, "2")])))
    };
    let used = |days: Range<i32>| {
        let of = whole.utilized(&days, 31).unwrap().unwrap();
        of.map_or(Quantity::ZERO, |of| of.used_hours)
    };
    assert_eq!(used(2..3).to_string(), "48", "not the month's");
    let sum = (0..31).map(|day| used(day..day + 1)).try_fold(Quantity::ZERO, Quantity::plus).unwrap();
    assert_eq!(sum, used(0..31));
    // Nor is every day the month of one whose hours are not of the month at all.
    let elsewhere = Reserved { hours: 0..0, ..whole };
    assert_eq!(elsewhere.utilized(&(5..6), 31).unwrap(), Some(None));
}

#[test]
fn fees_of_days_add_up_to_the_month_s() {
    let reserved = reserved(Some(days(&[])));
    let parts =
        (1..31).map(|day| reserved.utilized(&(day..day + 1), 31).unwrap().unwrap().unwrap().recurring);
    let sum = parts.fold(Cost::ZERO, |sum, part| sum.plus(part).unwrap());
    assert_eq!(sum, Cost::parse("100").unwrap());
    let third = reserved.utilized(&(2..3), 31).unwrap().unwrap().unwrap().recurring;
    assert_eq!(third.to_string(), "3.3898305085", "24 of 708 hours, rounded");
}

#[test]
fn without_days_whole_months_are_told_and_days_are_not() {
    let reserved = reserved(None);
    assert!(reserved.utilized(&(0..31), 31).unwrap().unwrap().is_some());
    assert_eq!(reserved.utilized(&(2..3), 31).unwrap(), None);
}

#[test]
fn what_is_unknown_of_one_is_unknown_of_all() {
    let unknown = Utilized { on_demand_unused: None, ..Utilized::default() };
    assert_eq!(Utilized::default().plus(unknown).unwrap().on_demand_unused, None);
}
