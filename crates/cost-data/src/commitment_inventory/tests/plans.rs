//! Savings Plans.

use super::*;

/// A line of the owner's plan with what every such line says.
fn of_plan(mut line: Line, owner: &str) -> Line {
    line.savings_plan_offering_type = text("ComputeSavingsPlans");
    line.savings_plan_payment_option = text("No Upfront");
    line.savings_plan_purchase_term = text("1yr");
    line.of_savings_plan(owner)
}

/// The fee of an hour.
fn fee_of(owner: &str, hour: i64, commitment: &str) -> Line {
    let line = Line::charge("SavingsPlanRecurringFee", owner, "ComputeSavingsPlans", commitment);
    let mut line = of_plan(line, owner).during(&hour_of(PERIOD, hour), &hour_of(PERIOD, hour + 1));
    line.savings_plan_total_commitment_to_date = Some(amount(commitment));
    line
}

/// The fees of every hour of the month.
pub fn fees(commitment: &str) -> Vec<Line> {
    (0..HOURS).map(|hour| fee_of(OWNER, hour, commitment)).collect()
}

/// An hour of usage that a plan covers at a rate.
fn covered_by(owner: &str, usage_type: &str, hour: i64, rate: &str) -> Line {
    let line =
        Line::covered_usage(MEMBER, owner, "AmazonEC2", usage_type, "0.096").of_operation("RunInstances");
    let mut line = of_plan(line, owner).during(&hour_of(PERIOD, hour), &hour_of(PERIOD, hour + 1));
    line.savings_plan_savings_plan_rate = Some(amount(rate));
    line
}

pub fn covered(usage_type: &str, hour: i64, rate: &str) -> Line {
    covered_by(OWNER, usage_type, hour, rate)
}

fn rate(usage_type: &str, rate: &str) -> KnownRate {
    KnownRate {
        service: "AmazonEC2".to_owned(),
        usage_type: usage_type.to_owned(),
        operation: "RunInstances".to_owned(),
        rate: Rate::parse(rate).unwrap(),
    }
}

fn known() -> KnownPlan {
    KnownPlan {
        arn: savings_plan_arn(OWNER),
        owner: OWNER.to_owned(),
        hours: 0..744,
        offering_type: "ComputeSavingsPlans".to_owned(),
        region: String::new(),
        instance_family: String::new(),
        payment_option: "No Upfront".to_owned(),
        purchase_term: "1yr".to_owned(),
        commitment: Rate::parse("0.9").unwrap(),
        rates: vec![rate("BoxUsage:m5.large", "0.06")],
    }
}

#[track_caller]
fn check(lines: &[Line], expected: KnownPlan) {
    let inventory = inventory(lines);
    assert_eq!(inventory.untold, []);
    assert_eq!(inventory.savings_plans, [expected]);
}

#[test]
fn hourly_fees_say_what_a_plan_is() {
    let mut lines = fees("0.9");
    lines.push(covered("BoxUsage:m5.large", 5, "0.06"));
    check(&lines, known());
    let commitments = inventory(&lines).commitments();
    let [Commitment { arn, owner, hours, terms: Terms::SavingsPlan(plan) }] = commitments.as_slice() else {
        panic!("{commitments:?}")
    };
    assert_eq!((arn, owner.as_str(), hours), (&savings_plan_arn(OWNER), OWNER, &(0..744)));
    assert_eq!((&plan.kind, plan.commitment), (&PlanKind::Compute, Rate::parse("0.9").unwrap()));
    assert_eq!(
        plan.rates.get("AmazonEC2", "BoxUsage:m5.large", "RunInstances"),
        Some(Rate::parse("0.06").unwrap())
    );
}

#[test]
fn a_plan_is_in_force_by_its_term_or_by_its_fees() {
    let term = |hours: Range<usize>, start: &str, end: &str| -> Vec<Line> {
        let mut lines = fees("0.9")[hours].to_vec();
        for line in &mut lines {
            line.savings_plan_start_time = text(start);
            line.savings_plan_end_time = text(end);
        }
        lines
    };
    let plan = |hours| KnownPlan { hours, rates: Vec::new(), ..known() };
    // AWS writes the end as the last second.
    check(&term(110..744, "2026-10-05T14:00:00.000Z", "2027-10-05T13:59:59.000Z"), plan(110..744));
    check(&term(0..110, "2025-10-05T14:00:00.000Z", "2026-10-05T13:59:59.000Z"), plan(0..110));
    check(&term(0..110, "2025-10-05T14:00:00.000Z", "2026-10-05T14:00:00.000Z"), plan(0..110));
    // It was returned, or the month is not over.
    check(&term(0..300, "2025-10-05T14:00:00.000Z", "2027-10-05T14:00:00.000Z"), plan(0..300));
    for hours in [0..111, 109..110] {
        let outside = term(hours, "2026-10-05T14:00:00.000Z", "2027-10-05T13:59:59.000Z");
        check_untold(&outside, "it has fees outside of its term");
    }
    // Without times, the hours that have a fee.
    check(&fees("0.9")[100..200], plan(100..200));
    let mut gap = fees("0.9");
    gap.remove(7);
    check_untold(&gap, "no line says when it begins and ends, and some hours between its fees have none");
}

#[test]
fn the_commitment_must_be_the_same_each_hour() {
    let mut differing = fees("0.9");
    differing[500] = fee_of(OWNER, 500, "0.8");
    check_untold(&differing, "its commitment differs from hour to hour, from 0.8 to 0.9");
    let mut twice = fees("0.9");
    twice.push(fee_of(OWNER, 3, "0.9"));
    check_untold(&twice, "it has several fees in an hour");
    let daily = fee_of(OWNER, 0, "21.6").during(&hour_of(PERIOD, 0), &hour_of(PERIOD, 24));
    check_untold(&[daily], "no line says when it begins and ends, and its fees are not hourly");
    let mut timed = fees("0.9");
    timed[9] = timed[9].clone().during(&hour_of(PERIOD, 9), &hour_of(PERIOD, 11));
    timed[9].savings_plan_start_time = text("2026-01-01T00:00:00.000Z");
    check_untold(&timed, "1 of its fees are not of exactly one hour of the month");
    let mut silent = fees("0.9");
    silent.iter_mut().for_each(|line| line.savings_plan_total_commitment_to_date = None);
    check_untold(&silent, "its fees do not say its commitment");
}

#[test]
fn what_a_plan_is_must_be_said_alike() {
    let no_fee =
        "it has no `SavingsPlanRecurringFee` line in the month, which would say how much it promises";
    check_untold(&[covered("BoxUsage:m5.large", 1, "0.06")], no_fee);
    let mut unnamed = fees("0.9");
    unnamed.iter_mut().for_each(|line| line.savings_plan_offering_type = None);
    check_untold(&unnamed, "no line says its offering type");
    // What fees do not say, usage that the plan covers says.
    unnamed.push(covered("BoxUsage:m5.large", 1, "0.06"));
    check(&unnamed, known());
    let mut differing = fees("0.9");
    differing[3].savings_plan_payment_option = text("All Upfront");
    check_untold(&differing, "its lines differ in the payment option: `All Upfront` and `No Upfront`");
}

#[test]
fn an_instance_plan_has_a_family() {
    let of_kind = |mut lines: Vec<Line>, family: Option<&str>, region: Option<&str>| {
        for line in &mut lines {
            line.savings_plan_offering_type = text("EC2InstanceSavingsPlans");
            line.savings_plan_instance_type_family = family.map(ToOwned::to_owned);
            line.savings_plan_region = region.map(ToOwned::to_owned);
            if line.line_item_line_item_type.as_deref() == Some("SavingsPlanCoveredUsage") {
                line.product_region_code = text("eu-west-1");
            }
        }
        lines
    };
    let with = |usage: &[&str]| -> Vec<Line> {
        fees("0.9").into_iter().chain(usage.iter().map(|usage| covered(usage, 1, "0.06"))).collect()
    };
    let plan = |family: &str, region: &str, usage: &[&str]| KnownPlan {
        offering_type: "EC2InstanceSavingsPlans".to_owned(),
        instance_family: family.to_owned(),
        region: region.to_owned(),
        rates: usage.iter().map(|usage| rate(usage, "0.06")).collect(),
        ..known()
    };
    check(&of_kind(with(&[]), Some("m5"), Some("us-east-1")), plan("m5", "us-east-1", &[]));
    // Reports without these columns: what is covered says it.
    let usage = ["BoxUsage:m5.large", "BoxUsage:m5.xlarge"];
    check(&of_kind(with(&usage), None, None), plan("m5", "eu-west-1", &usage));
    let several = with(&["BoxUsage:m5.large", "BoxUsage:r5.large"]);
    let untold = "no line says its instance family, nor does the usage that it covers";
    check_untold(&of_kind(several, None, None), untold);
    check_untold(&of_kind(with(&[]), None, None), untold);
}

#[test]
fn rates_are_those_of_covered_usage() {
    let mut lines = fees("0.9");
    lines.push(covered("BoxUsage:m5.large", 1, "0.0600000001"));
    lines.push(covered("BoxUsage:m5.xlarge", 1, "0.12"));
    // None is said, by 0 or by null.
    lines.push(covered("BoxUsage:m5.large", 2, "0"));
    let mut silent = covered("BoxUsage:m5.large", 3, "1");
    silent.savings_plan_savings_plan_rate = None;
    lines.push(silent);
    let mut without_code = covered("BoxUsage:c5.large", 4, "0.05");
    without_code.product_servicecode = None;
    lines.push(without_code);
    let rates = vec![
        rate("BoxUsage:c5.large", "0.05"),
        rate("BoxUsage:m5.large", "0.0600000001"),
        rate("BoxUsage:m5.xlarge", "0.12"),
    ];
    check(&lines, KnownPlan { rates, ..known() });
}

#[test]
fn two_rates_of_one_usage_are_named_and_the_lower_is_used() {
    let mut lines = fees("0.9");
    lines.extend([covered("BoxUsage:m5.large", 1, "0.07"), covered("BoxUsage:m5.large", 2, "0.06")]);
    let inventory = inventory(&lines);
    let conflict = RateConflict {
        plans: [savings_plan_arn(OWNER), savings_plan_arn(OWNER)],
        lowest: rate("BoxUsage:m5.large", "0.06"),
        highest: Rate::parse("0.07").unwrap(),
    };
    assert_eq!((inventory.conflicts, inventory.savings_plans), (vec![conflict], vec![known()]));
}

#[test]
fn plans_sold_alike_share_their_rates() {
    let third = "333333333333";
    let mut lines = fees("0.9");
    lines.extend((0..HOURS).flat_map(|hour| [fee_of(MEMBER, hour, "0.5"), fee_of(third, hour, "0.5")]));
    lines.extend([
        covered_by(OWNER, "BoxUsage:m5.large", 1, "0.06"),
        covered_by(MEMBER, "BoxUsage:m5.large", 1, "0.07"),
        covered_by(MEMBER, "BoxUsage:m5.xlarge", 1, "0.14"),
    ]);
    let inventory = inventory(&lines);
    let rates: Vec<Vec<String>> = (inventory.commitments().iter())
        .map(|commitment| match &commitment.terms {
            Terms::SavingsPlan(plan) => {
                plan.rates.iter().map(|(_, usage, _, rate)| format!("{usage} {rate}")).collect()
            }
            Terms::Reservation(_) => Vec::new(),
        })
        .collect();
    // Its own rate goes first; of two of others the lower.
    assert_eq!(
        rates,
        [
            ["BoxUsage:m5.large 0.06", "BoxUsage:m5.xlarge 0.14"],
            ["BoxUsage:m5.large 0.07", "BoxUsage:m5.xlarge 0.14"],
            ["BoxUsage:m5.large 0.06", "BoxUsage:m5.xlarge 0.14"],
        ]
    );
    let conflict = RateConflict {
        plans: [savings_plan_arn(OWNER), savings_plan_arn(MEMBER)],
        lowest: rate("BoxUsage:m5.large", "0.06"),
        highest: Rate::parse("0.07").unwrap(),
    };
    assert_eq!(inventory.conflicts, [conflict]);
}

#[test]
fn plans_of_another_term_share_nothing() {
    let mut lines = fees("0.9");
    lines.extend((0..HOURS).map(|hour| fee_of(MEMBER, hour, "0.5")));
    lines.push(covered("BoxUsage:m5.large", 1, "0.06"));
    for line in lines.iter_mut().filter(|line| line.line_item_usage_account_id.as_deref() == Some(MEMBER)) {
        if line.line_item_line_item_type.as_deref() == Some("SavingsPlanRecurringFee") {
            line.savings_plan_purchase_term = text("3yr");
        }
    }
    let inventory = inventory(&lines);
    let remark = Remark {
        arn: savings_plan_arn(MEMBER),
        text: "none of its rates is known, for it and plans like it cover nothing in the month".to_owned(),
    };
    assert_eq!(inventory.remarks, [remark]);
}

#[test]
fn covered_usage_that_is_not_known_to_be_sold_so_is_named() {
    let mut lines = fees("0.9");
    lines.push(covered("Aurora:ServerlessV2Usage", 1, "0.06"));
    assert_eq!(remarks(&inventory(&lines)), [""; 0]);
    lines.push(Line::usage(MEMBER, "AmazonRDS", "Aurora:ServerlessV2Usage", "0.12"));
    assert_eq!(
        remarks(&inventory(&lines)),
        [
            "usage type `Aurora:ServerlessV2Usage` is covered and not known to be sold with commitments: only what is covered is eligible"
        ]
    );
}
