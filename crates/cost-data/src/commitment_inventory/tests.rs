//! Commitments are told as the lines say them; what lines do not say is listed, not guessed. Figures are made by hand.

mod plans;

use super::*;
use crate::reading::{Request, read};
use testkit::amount::amount;
use testkit::calendar::hour_of;
use testkit::line::{reservation_arn, savings_plan_arn};
use testkit::write::{CostType, Delivery, Order, Packing};
use testkit::{Form, Line, SampleMonth, WriteOptions, write_month};

const PERIOD: &str = "2026-10";
const OWNER: &str = "111111111111";
const MEMBER: &str = "222222222222";
const HOURS: i64 = 744;

fn loose(form: Form) -> WriteOptions {
    WriteOptions { delivery: Delivery::Loose, ..WriteOptions::new(form, PERIOD) }
}

fn inventory_of(lines: &[Line], options: &WriteOptions, threads: usize) -> CommitmentInventory {
    let folder = tempfile::tempdir().unwrap();
    let request = Request {
        threads,
        eligible: Some(folder.path().join("eligible")),
        ..Request::new(write_month(folder.path(), lines, options), PERIOD)
    };
    read(&request, &|_| ()).unwrap().report.commitments.unwrap()
}

fn inventory(lines: &[Line]) -> CommitmentInventory {
    inventory_of(lines, &loose(Form::Cur2Parquet), 1)
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

/// Why the only commitment is left out.
#[track_caller]
fn check_untold(lines: &[Line], reason: &str) {
    let inventory = inventory(lines);
    let texts: Vec<&str> = inventory.untold.iter().map(|remark| remark.text.as_str()).collect();
    assert_eq!(texts, [reason]);
    assert!(inventory.is_empty() && inventory.commitments().is_empty());
}

/// What is remarked.
fn remarks(inventory: &CommitmentInventory) -> Vec<&str> {
    inventory.remarks.iter().map(|remark| remark.text.as_str()).collect()
}

/// The monthly fee of three regional m5.large, as AWS writes it: 3 × 744 hours at 0.05, and 93.744 paid up front for the month.
fn fee() -> Line {
    let mut line = Line::charge("RIFee", OWNER, "AmazonEC2", "111.6").of_operation("RunInstances");
    line.line_item_usage_type = text("USW2-HeavyUsage:m5.large");
    line.product_region_code = text("us-west-2");
    line.reservation_amortized_upfront_fee_for_billing_period = Some(amount("93.744"));
    line.reservation_number_of_reservations = text("3");
    line.reservation_units_per_reservation = text("744.0");
    line.reservation_normalized_units_per_reservation = text("2976.0");
    line.reservation_total_reserved_units = text("2232.0");
    line.reservation_availability_zone = text("us-west-2");
    line.reservation_start_time = text("2026-03-09T02:56:10.000Z");
    line.reservation_end_time = text("2027-03-09T02:56:09.000Z");
    line.using("2232").of_reservation(OWNER)
}

/// An hour of usage that the reservation covers.
fn discounted(usage_type: &str) -> Line {
    let line = Line::discounted_usage(MEMBER, OWNER, "AmazonEC2", usage_type, "0.096");
    line.of_operation("RunInstances").during(&hour_of(PERIOD, 3), &hour_of(PERIOD, 4))
}

/// What [`fee`] says.
fn known() -> KnownReservation {
    KnownReservation {
        arn: reservation_arn(OWNER),
        owner: OWNER.to_owned(),
        hours: 0..744,
        service: "AmazonEC2".to_owned(),
        usage_type: "USW2-HeavyUsage:m5.large".to_owned(),
        operation: "RunInstances".to_owned(),
        region: "us-west-2".to_owned(),
        zone: None,
        instances: Quantity::parse("3").unwrap(),
        normalized_units: Quantity::parse("12").unwrap(),
        recurring: Rate::parse("0.05").unwrap(),
        upfront: Rate::parse("0.042").unwrap(),
    }
}

#[track_caller]
fn check(lines: &[Line], expected: KnownReservation) {
    let inventory = inventory(lines);
    assert_eq!(inventory.untold, []);
    assert_eq!(inventory.reservations, [expected]);
}

#[test]
fn a_fee_says_what_its_reservation_is() {
    check(&[fee()], known());
    let commitments = inventory(&[fee()]).commitments();
    let expected = Reservation {
        service: "AmazonEC2".to_owned(),
        usage_type: "USW2-HeavyUsage:m5.large".to_owned(),
        operation: "RunInstances".to_owned(),
        region: "us-west-2".to_owned(),
        zone: None,
        instances: Quantity::parse("3").unwrap(),
        normalized_units: Quantity::parse("12").ok(),
        recurring: Rate::parse("0.05").unwrap(),
        upfront: Rate::parse("0.042").unwrap(),
    };
    let commitment = Commitment {
        arn: reservation_arn(OWNER),
        owner: OWNER.to_owned(),
        hours: 0..744,
        terms: Terms::Reservation(expected),
    };
    assert_eq!(commitments, [commitment]);
}

#[test]
fn every_form_of_cost_files_says_the_same() {
    let lines = [fee(), discounted("USW2-BoxUsage:m5.large")];
    let expected = inventory(&lines);
    assert_eq!(expected.reservations.len(), 1);
    for form in [Form::Cur2Csv, Form::LegacyCsv(Packing::Plain), Form::LegacyParquet] {
        assert_eq!(inventory_of(&lines, &loose(form), 1), expected, "{form:?}");
    }
    for costs in [CostType::Text, CostType::Decimal(38, 10)] {
        let options = WriteOptions { costs, ..loose(Form::Cur2Parquet) };
        assert_eq!(inventory_of(&lines, &options, 1), expected, "{costs:?}");
    }
}

#[test]
fn a_zone_is_one_that_is_not_the_region() {
    let mut zonal = fee();
    zonal.reservation_availability_zone = text("us-west-2b");
    check(&[zonal], KnownReservation { zone: text("us-west-2b"), ..known() });
    let mut unsaid = fee();
    unsaid.reservation_availability_zone = None;
    let inventory = inventory(&[unsaid]);
    assert_eq!(inventory.reservations, [known()]);
    assert_eq!(
        remarks(&inventory),
        [
            "cost files lack `reservation_availability_zone` or `line_item_availability_zone`: reservations of one zone count as \
             regional"
        ]
    );
}

#[test]
fn covered_usage_of_its_own_size_tells_the_tenancy() {
    let with = |usage_types: &[&str]| -> Vec<Line> {
        usage_types.iter().map(|usage_type| discounted(usage_type)).chain([fee()]).collect()
    };
    let dedicated = KnownReservation { usage_type: "USW2-DedicatedUsage:m5.large".to_owned(), ..known() };
    check(&with(&["USW2-DedicatedUsage:m5.large", "USW2-DedicatedUsage:m5.xlarge"]), dedicated);
    // Of two kinds, of another size or unused: the fee's own word.
    check(&with(&["USW2-DedicatedUsage:m5.large", "USW2-BoxUsage:m5.large"]), known());
    check(&with(&["USW2-BoxUsage:m5.xlarge"]), known());
    check(&with(&["USW2-UnusedBox:m5.large"]), known());
}

#[test]
fn instances_are_unit_hours_over_hours_in_force() {
    // As older reports have it: the number and all units, but no times.
    let mut older = fee();
    older.reservation_units_per_reservation = None;
    older.reservation_normalized_units_per_reservation = None;
    older.reservation_start_time = None;
    older.reservation_end_time = None;
    check(&[older.clone()], known());
    // And older still: the usage of the fee alone.
    older.reservation_number_of_reservations = None;
    older.reservation_total_reserved_units = None;
    check(&[older.clone()], known());
    // Two lines of one reservation add up.
    let mut half = older.clone().using("744").amounting("37.2");
    half.reservation_amortized_upfront_fee_for_billing_period = Some(amount("31.248"));
    let mut rest = older.clone().using("1488").amounting("74.4");
    rest.reservation_amortized_upfront_fee_for_billing_period = Some(amount("62.496"));
    check(&[half, rest], known());
    check_untold(
        &[older.clone().using("2000")],
        "its fee is for 2000 unit-hours, which is no whole number of units in each of 744 hours",
    );
    check_untold(&[older.using("0")], "its fee does not say for how many unit-hours it is");
}

#[test]
fn a_term_may_begin_and_end_within_the_month() {
    // Bought on the 22nd at 09:23:45: the hour from 09:00 counts. 744 − 21 × 24 − 9 = 231 hours of 3.
    let begin = |units: &str| {
        let mut line = fee().using("693").amounting("34.65");
        line.reservation_amortized_upfront_fee_for_billing_period = Some(amount("29.106"));
        line.reservation_start_time = text("2026-10-22T09:23:45.000Z");
        line.reservation_end_time = text("2027-10-22T09:23:44.000Z");
        line.reservation_units_per_reservation = text(units);
        line.reservation_normalized_units_per_reservation = None;
        line.reservation_total_reserved_units = None;
        line
    };
    check(&[begin("231.0")], KnownReservation { hours: 513..744, ..known() });
    // AWS may not count the hour that has begun: the number of reservations decides, at a little more per hour of the two.
    let mut uncounted = begin("230").using("690").amounting("34.65");
    uncounted.reservation_total_reserved_units = text("690");
    check(&[uncounted], KnownReservation { hours: 513..744, ..known() });
    check_untold(
        &[begin("100").using("300")],
        "its fee is for 300 unit-hours, which is no whole number of units in each of 231 hours",
    );
    let mut ends = begin("513.0").using("1539").amounting("76.95");
    ends.reservation_amortized_upfront_fee_for_billing_period = Some(amount("64.638"));
    ends.reservation_start_time = text("2025-10-22T09:23:45.000Z");
    ends.reservation_end_time = text("2026-10-22T09:23:44.000Z");
    check(&[ends.clone()], KnownReservation { hours: 0..513, ..known() });
    ends.reservation_end_time = text("2026-09-22T09:23:44.000Z");
    check_untold(&[ends.clone()], "it is in force in no hour of the month");
    ends.reservation_end_time = text("some day");
    check_untold(&[ends], "its end time `some day` is no instant");
}

#[test]
fn normalised_units_are_those_that_lines_say() {
    let mut silent = fee();
    silent.reservation_normalized_units_per_reservation = None;
    // AWS's table has 4 for a large.
    check(&[silent.clone()], known());
    let mut total = silent.clone();
    total.reservation_total_reserved_normalized_units = text("11160");
    check(&[total.clone()], KnownReservation { normalized_units: Quantity::parse("15").unwrap(), ..known() });
    total.line_item_normalization_factor = Some(amount("2.5"));
    check(&[total], KnownReservation { normalized_units: Quantity::parse("7.5").unwrap(), ..known() });
    let mut covered = discounted("USW2-BoxUsage:m5.large");
    covered.line_item_normalization_factor = Some(amount("8"));
    check(
        &[silent.clone(), covered],
        KnownReservation {
            usage_type: "USW2-BoxUsage:m5.large".to_owned(),
            normalized_units: Quantity::parse("24").unwrap(),
            ..known()
        },
    );
    // The table is EC2's: of a database nothing is known.
    let inventory = inventory(&[silent.of_service("AmazonRDS")]);
    assert_eq!(inventory.reservations[0].normalized_units, Quantity::ZERO);
    assert_eq!(remarks(&inventory), ["its normalised units are not told: it covers its own size only"]);
}

#[test]
fn costs_per_hour_are_rounded_at_ten_decimals() {
    let mut line = fee().amounting("0.0000000001");
    line.reservation_amortized_upfront_fee_for_billing_period = Some(amount("1000"));
    // 1000 ÷ 2232 = 0.44802867383…
    let upfront = Rate::parse("0.4480286738").unwrap();
    check(&[line], KnownReservation { recurring: Rate::ZERO, upfront, ..known() });
}

#[test]
fn what_cannot_be_told_is_listed() {
    let no_fee = "it has no `RIFee` line in the month, which would say how much it promises";
    check_untold(&[discounted("USW2-BoxUsage:m5.large")], no_fee);
    check_untold(&[Line::charge("Fee", OWNER, "AmazonEC2", "900").of_reservation(OWNER)], no_fee);
    let differing = |change: &dyn Fn(&mut Line)| {
        let mut other = fee();
        change(&mut other);
        [fee(), other]
    };
    check_untold(
        &differing(&|line| line.line_item_operation = text("RunInstances:0002")),
        "its lines differ in the operation: `RunInstances` and `RunInstances:0002`",
    );
    check_untold(
        &differing(&|line| line.line_item_usage_type = text("USW2-HeavyUsage:m5.xlarge")),
        "its lines differ in the usage type: `USW2-HeavyUsage:m5.large` and `USW2-HeavyUsage:m5.xlarge`",
    );
    check_untold(
        &differing(&|line| line.reservation_start_time = text("2026-03-09T03:00:00.000Z")),
        "its lines differ in the start time: `2026-03-09T02:56:10.000Z` and `2026-03-09T03:00:00.000Z`",
    );
    let mut nameless = fee();
    nameless.line_item_operation = None;
    check_untold(&[nameless], "no line says its operation");
    // A refund alone is no commitment of the month.
    let refund = Line::charge("Refund", OWNER, "AmazonEC2", "-9").of_reservation(OWNER);
    assert_eq!(inventory(&[refund]), CommitmentInventory::default());
}

#[test]
fn a_generated_month_says_the_same_in_every_order() {
    let mut lines = SampleMonth::of(11, 3_000).lines;
    lines.extend(plans::fees("0.9"));
    lines.extend((0..50).map(|hour| plans::covered("BoxUsage:m5.large", hour, "0.06")));
    let expected = inventory(&lines);
    assert!(expected.reservations.len() >= 2 && expected.savings_plans.len() == 1, "{expected:?}");
    // Its plans have fees for the whole month.
    assert!(expected.untold.iter().any(|remark| remark.text.ends_with("its fees are not hourly")));
    for (seed, files, threads) in [(1, 1, 1), (2, 5, 3), (3, 3, 8)] {
        let options = WriteOptions {
            files,
            row_group_rows: 170,
            order: Order::Shuffled(seed),
            ..loose(Form::Cur2Parquet)
        };
        assert_eq!(inventory_of(&lines, &options, threads), expected, "order {seed}");
    }
}

#[test]
fn an_inventory_survives_being_sent() {
    let mut lines = SampleMonth::of(12, 800).lines;
    lines.extend(plans::fees("0.9"));
    lines.extend([
        plans::covered("BoxUsage:m5.large", 1, "0.06"),
        plans::covered("BoxUsage:m5.large", 2, "0.07"),
    ]);
    let inventory = inventory(&lines);
    assert_eq!(inventory.conflicts.len(), 1);
    let sent = serde_json::to_string(&inventory).unwrap();
    assert_eq!(serde_json::from_str::<CommitmentInventory>(&sent).unwrap(), inventory);
}
