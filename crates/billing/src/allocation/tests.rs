//! Commitments are applied in the order that AWS documents; figures are computed by hand, AWS's own scenarios among them.

use super::*;
use crate::commitment::{PlanKind, PlanRates, Reservation, SavingsPlan, Terms, UsageType};
use crate::money::Rate;

mod laws;

/// The hours of a day, in which most cases play.
const DAY: std::ops::Range<u32> = 0..24;

pub(super) fn decimal(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

/// EC2 or other usage in us-east-1a at a public rate of 1; the service follows from the usage type.
pub(super) fn class<'a>(account: &'a str, usage_type: &'a str) -> Eligible<'a> {
    let parts = UsageType::parse(usage_type);
    let (service, operation) = match parts.mark {
        mark if mark.starts_with("Fargate") => ("AmazonECS", "FargateTask"),
        "NodeUsage" => ("AmazonElastiCache", "CreateCacheCluster:0002"),
        mark if mark.contains("InstanceUsage") || mark.contains("Multi-AZ") => {
            ("AmazonRDS", "CreateDBInstance:0014")
        }
        _ => ("AmazonEC2", "RunInstances"),
    };
    Eligible {
        account,
        service,
        usage_type,
        operation,
        sku: "",
        region: "us-east-1",
        zone: "us-east-1a",
        normalization_factor: parts.normalized_units(),
        public_rate: Some(Rate::ONE),
        covered_by: None,
    }
}

/// A regional reservation of a class's kind; `count` instances, and as many normalised units as these have.
pub(super) fn reservation(arn: &str, owner: &str, usage_type: &str, count: i128) -> Commitment {
    let like = class(owner, usage_type);
    let instances = Quantity::from_units(count * Quantity::ONE.units()).unwrap();
    let units =
        like.parts().normalized_units().map(|units| Quantity::from_units(units.units() * count).unwrap());
    let terms = Reservation {
        service: like.service.into(),
        usage_type: usage_type.into(),
        operation: like.operation.into(),
        region: "us-east-1".into(),
        zone: None,
        instances,
        normalized_units: units,
        recurring: decimal("0.06"),
        upfront: decimal("0.02"),
    };
    Commitment { arn: arn.into(), owner: owner.into(), hours: DAY, terms: Terms::Reservation(terms) }
}

fn zonal(arn: &str, owner: &str, usage_type: &str, count: i128) -> Commitment {
    let mut commitment = reservation(arn, owner, usage_type, count);
    if let Terms::Reservation(terms) = &mut commitment.terms {
        terms.zone = Some("us-east-1a".into());
    }
    commitment
}

/// A plan with rates by usage type, for what [`class`] makes of them.
pub(super) fn plan(
    arn: &str,
    owner: &str,
    kind: PlanKind,
    commitment: &str,
    rates: &[(&str, &str)],
) -> Commitment {
    let mut plan = SavingsPlan { kind, commitment: decimal(commitment), rates: PlanRates::default() };
    for (usage_type, rate) in rates {
        let like = class(owner, usage_type);
        plan.rates.add(like.service, usage_type, like.operation, decimal(rate));
    }
    Commitment { arn: arn.into(), owner: owner.into(), hours: DAY, terms: Terms::SavingsPlan(plan) }
}

fn family_m5() -> PlanKind {
    PlanKind::parse("EC2InstanceSavingsPlans", "m5", "us-east-1")
}

/// A family's hour in words: every use, then what was used and unused of every commitment in force.
fn hour(hour: u32, commitments: &[Commitment], usage: &[(Eligible<'_>, &str)]) -> Vec<String> {
    let classes: Vec<_> = (0..).zip(usage.iter().map(|(class, _)| *class)).collect();
    let family = Family { commitments: commitments.iter().collect(), classes };
    let quantities: Vec<_> = (0..).zip(usage.iter().map(|(_, quantity)| decimal(quantity))).collect();
    let mut simulation = Simulation::new(family).unwrap();
    in_words(&simulation.simulate_hour(hour, &quantities).unwrap(), commitments, usage)
}

fn in_words(
    coverage: &HourCoverage,
    commitments: &[Commitment],
    usage: &[(Eligible<'_>, &str)],
) -> Vec<String> {
    let uses = coverage.uses.iter().map(|used| {
        let class = &usage[used.class as usize].0;
        let arn = &commitments[used.commitment as usize].arn;
        format!("{arn} covers {} of {} {}", used.usage, class.account, class.usage_type)
    });
    let utilization = coverage.utilization.iter().map(|part| {
        let arn = &commitments[part.commitment as usize].arn;
        format!("{arn}: {} used, {} unused", part.used, part.unused)
    });
    uses.chain(utilization).collect()
}

/// Checks the first hour of a family.
#[track_caller]
fn check(commitments: &[Commitment], usage: &[(Eligible<'_>, &str)], expected: &[&str]) {
    assert_eq!(hour(0, commitments, usage), expected);
}

/// The five cases of AWS's sample "sp-ri-benefit-utility": billing group 1 has accounts 1, 2 and 3; account 9 is in group 2, the payer in none.
mod what_a_group_sees {
    use super::*;

    const PAYER: &str = "0";

    fn group(account: &str) -> Option<u32> {
        match account {
            "1" | "2" | "3" => Some(1),
            "9" => Some(2),
            _ => None,
        }
    }

    /// The groups' first hours.
    #[track_caller]
    fn check(commitments: &[Commitment], usage: &[(Eligible<'_>, &str)], expected: &[(u32, &[&str])]) {
        let classes: Vec<_> = (0..).zip(usage.iter().map(|(class, _)| *class)).collect();
        let quantities: Vec<_> = (0..).zip(usage.iter().map(|(_, quantity)| decimal(quantity))).collect();
        let seen: Vec<(u32, Vec<String>)> =
            families(commitments, &classes, group, |_, class| group(class.account))
                .into_iter()
                .map(|(group, family)| {
                    let own: Vec<Commitment> =
                        family.commitments.iter().map(|commitment| (*commitment).clone()).collect();
                    let mut simulation = Simulation::new(family).unwrap();
                    (group, in_words(&simulation.simulate_hour(0, &quantities).unwrap(), &own, usage))
                })
                .collect();
        let seen: Vec<(u32, Vec<&str>)> =
            seen.iter().map(|(group, lines)| (*group, lines.iter().map(String::as_str).collect())).collect();
        let expected: Vec<(u32, Vec<&str>)> =
            expected.iter().map(|(group, lines)| (*group, lines.to_vec())).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_nothing_of_a_plan_of_the_payer() {
        let plan = plan("plan", PAYER, PlanKind::Compute, "10", &[("BoxUsage:m5.large", "0.7")]);
        check(&[plan], &[(class("1", "BoxUsage:m5.large"), "4")], &[(1, &[])]);
    }

    #[test]
    fn b_nothing_of_a_commitment_of_somebody_else_even_if_it_really_covers() {
        let plan = plan("plan", "9", PlanKind::Compute, "10", &[("BoxUsage:m5.large", "0.7")]);
        let covered = Eligible { covered_by: Some("plan"), ..class("1", "BoxUsage:m5.large") };
        check(&[plan], &[(covered, "4")], &[(1, &[]), (2, &["plan: 0 used, 10 unused"])]);
    }

    #[test]
    fn c_a_member_s_own_reservation() {
        let reservation = reservation("ri", "1", "BoxUsage:m5.large", 2);
        let covered = Eligible { covered_by: Some("ri"), ..class("1", "BoxUsage:m5.large") };
        let expected: &[&str] = &["ri covers 2 of 1 BoxUsage:m5.large", "ri: 8 used, 0 unused"];
        check(&[reservation], &[(covered, "2")], &[(1, expected)]);
    }

    #[test]
    fn d_a_member_s_reservation_that_really_helps_an_outsider_is_unused() {
        let reservation = reservation("ri", "2", "BoxUsage:m5.large", 2);
        let covered = Eligible { covered_by: Some("ri"), ..class("9", "BoxUsage:m5.large") };
        check(&[reservation], &[(covered, "2")], &[(1, &["ri: 0 used, 8 unused"]), (2, &[])]);
    }

    #[test]
    fn e_and_is_used_where_another_member_has_usage() {
        let reservation = reservation("ri", "2", "BoxUsage:m5.large", 2);
        let covered = Eligible { covered_by: Some("ri"), ..class("9", "BoxUsage:m5.large") };
        let expected: &[&str] = &["ri covers 1.5 of 3 BoxUsage:m5.large", "ri: 6 used, 2 unused"];
        let usage = [(covered, "2"), (class("3", "BoxUsage:m5.large"), "1.5")];
        check(&[reservation], &usage, &[(1, expected), (2, &[])]);
    }
}

/// EC2 user guide, "How Reserved Instance discounts are applied", the scenarios by number.
mod scenarios_of_the_ec2_user_guide {
    use super::*;

    #[test]
    fn scenario_1_zonal_and_size_flexible() {
        let commitments = [
            zonal("m3", "A", "BoxUsage:m3.large", 4),
            reservation("m4", "A", "BoxUsage:m4.large", 4),
            reservation("c4", "A", "BoxUsage:c4.large", 1),
        ];
        let usage = [
            (class("A", "BoxUsage:m3.large"), "4"),
            (Eligible { zone: "us-east-1b", ..class("A", "BoxUsage:m4.xlarge") }, "2"),
            (Eligible { zone: "us-east-1c", ..class("A", "BoxUsage:c4.xlarge") }, "1"),
        ];
        let expected = [
            "m3 covers 4 of A BoxUsage:m3.large",
            "m4 covers 2 of A BoxUsage:m4.xlarge",
            "c4 covers 0.5 of A BoxUsage:c4.xlarge",
            "m3: 4 used, 0 unused",
            "m4: 16 used, 0 unused",
            "c4: 4 used, 0 unused",
        ];
        check(&commitments, &usage, &expected);
    }

    #[test]
    fn scenario_2_smallest_size_first() {
        let usage = [
            (class("A", "BoxUsage:m3.xlarge"), "2"),
            (Eligible { zone: "us-east-1b", ..class("A", "BoxUsage:m3.large") }, "2"),
        ];
        let expected = [
            "m3 covers 2 of A BoxUsage:m3.large",
            "m3 covers 1 of A BoxUsage:m3.xlarge",
            "m3: 16 used, 0 unused",
        ];
        check(&[reservation("m3", "A", "BoxUsage:m3.2xlarge", 1)], &usage, &expected);
    }

    #[test]
    fn scenario_3_the_owner_s_larger_sizes_before_others_smaller_ones() {
        let usage = [
            (class("A", "BoxUsage:m4.xlarge"), "2"),
            (Eligible { zone: "us-east-1b", ..class("A", "BoxUsage:m4.2xlarge") }, "1"),
            (class("B", "BoxUsage:m4.xlarge"), "2"),
        ];
        let expected = [
            "m4 covers 2 of A BoxUsage:m4.xlarge",
            "m4 covers 1 of A BoxUsage:m4.2xlarge",
            "m4: 32 used, 0 unused",
        ];
        check(&[reservation("m4", "A", "BoxUsage:m4.xlarge", 4)], &usage, &expected);
    }

    #[test]
    fn scenario_4_zonal_of_another_account_before_regional_of_one_s_own() {
        let commitments = [
            reservation("regional", "A", "BoxUsage:m4.xlarge", 1),
            zonal("zonal", "C", "BoxUsage:m4.xlarge", 1),
        ];
        let usage = [
            (class("A", "BoxUsage:m4.xlarge"), "1"),
            (Eligible { zone: "us-east-1b", ..class("B", "BoxUsage:m4.xlarge") }, "1"),
        ];
        let expected = [
            "zonal covers 1 of A BoxUsage:m4.xlarge",
            "regional covers 1 of B BoxUsage:m4.xlarge",
            "regional: 8 used, 0 unused",
            "zonal: 1 used, 0 unused",
        ];
        check(&commitments, &usage, &expected);
    }
}

mod what_a_reservation_reaches {
    use super::*;

    /// How much of one instance hour of a class a reservation of one instance covers.
    #[track_caller]
    fn check(change: impl Fn(&mut Reservation), own: &str, used: Eligible<'_>, covered: Option<&str>) {
        let mut commitment = reservation("ri", "A", own, 1);
        if let Terms::Reservation(terms) = &mut commitment.terms {
            change(terms);
        }
        let family = Family { commitments: vec![&commitment], classes: vec![(7, used)] };
        let coverage = Simulation::new(family).unwrap().simulate_hour(0, &[(7, Quantity::ONE)]).unwrap();
        let covers: Vec<String> = coverage.uses.iter().map(|used| used.usage.to_string()).collect();
        assert_eq!(covers, covered.into_iter().collect::<Vec<_>>(), "{own} for {used:?}");
    }

    #[test]
    fn platform_tenancy_region_and_family_must_agree() {
        let own = "BoxUsage:m5.large";
        let same = |_: &mut Reservation| {};
        let used = class("A", "BoxUsage:m5.xlarge");
        check(same, own, used, Some("0.5"));
        check(same, "HeavyUsage:m5.large", used, Some("0.5"));
        check(same, own, Eligible { operation: "RunInstances:0002", ..used }, None);
        check(same, own, Eligible { region: "us-east-2", ..used }, None);
        check(same, own, Eligible { region: "", ..used }, Some("0.5"));
        check(same, own, Eligible { usage_type: "USE2-BoxUsage:m5.xlarge", region: "", ..used }, None);
        check(same, own, class("A", "DedicatedUsage:m5.large"), None);
        check(same, own, class("A", "BoxUsage:m5d.large"), None);
        check(same, own, class("A", "UnusedBox:m5.large"), Some("1"));
        check(same, own, Eligible { service: "AmazonECS", ..used }, None);
    }

    #[test]
    fn other_platforms_and_tenancies_have_one_size() {
        let windows = |terms: &mut Reservation| terms.operation = "RunInstances:0002".into();
        let used = |usage_type| Eligible { operation: "RunInstances:0002", ..class("A", usage_type) };
        check(windows, "BoxUsage:m5.large", used("BoxUsage:m5.large"), Some("1"));
        check(windows, "BoxUsage:m5.large", used("BoxUsage:m5.xlarge"), None);
        let same = |_: &mut Reservation| {};
        check(same, "DedicatedUsage:m5.large", class("A", "DedicatedUsage:m5.large"), Some("1"));
        check(same, "DedicatedUsage:m5.large", class("A", "DedicatedUsage:m5.xlarge"), None);
        check(same, "BoxUsage:g5.xlarge", class("A", "BoxUsage:g5.xlarge"), Some("1"));
        check(same, "BoxUsage:g5.2xlarge", class("A", "BoxUsage:g5.xlarge"), None);
        let uncounted = |terms: &mut Reservation| terms.normalized_units = None;
        check(uncounted, "BoxUsage:m5.large", class("A", "BoxUsage:m5.xlarge"), None);
    }

    #[test]
    fn a_zone_is_one_zone_and_one_size() {
        let in_zone = |terms: &mut Reservation| terms.zone = Some("us-east-1b".into());
        let used = class("A", "BoxUsage:m5.large");
        check(in_zone, "BoxUsage:m5.large", used, None);
        check(in_zone, "BoxUsage:m5.large", Eligible { zone: "us-east-1b", ..used }, Some("1"));
        let larger = class("A", "BoxUsage:m5.xlarge");
        check(in_zone, "BoxUsage:m5.large", Eligible { zone: "us-east-1b", ..larger }, None);
    }

    #[test]
    fn databases_and_caches() {
        let same = |_: &mut Reservation| {};
        let two_zones =
            Eligible { normalization_factor: Some(decimal("8")), ..class("A", "Multi-AZUsage:db.r6g.large") };
        let optimised = Eligible {
            normalization_factor: Some(decimal("5.2")),
            ..class("A", "InstanceUsageIOOptimized:db.r6g.large")
        };
        check(same, "HeavyUsage:db.r6g.large", two_zones, None);
        let of_rds = |terms: &mut Reservation| {
            terms.service = "AmazonRDS".into();
            terms.operation = "CreateDBInstance:0014".into();
        };
        check(of_rds, "HeavyUsage:db.r6g.large", two_zones, Some("0.5"));
        check(of_rds, "InstanceUsage:db.r6g.large", optimised, Some("0.7692307692"));
        check(of_rds, "InstanceUsage:db.r6gd.large", two_zones, None);
        let sql_server = |terms: &mut Reservation| {
            of_rds(terms);
            terms.operation = "CreateDBInstance:0012".into();
        };
        let engine = |class| Eligible { operation: "CreateDBInstance:0012", ..class };
        check(
            sql_server,
            "InstanceUsage:db.r6g.large",
            engine(class("A", "InstanceUsage:db.r6g.large")),
            Some("1"),
        );
        check(sql_server, "InstanceUsage:db.r6g.large", engine(two_zones), None);
        let cache = class("A", "NodeUsage:cache.r6g.xlarge");
        check(same, "NodeUsage:cache.r6g.large", cache, Some("0.5"));
    }

    #[test]
    fn nothing_is_covered_outside_its_hours() {
        let commitment = Commitment { hours: 5..6, ..reservation("ri", "A", "BoxUsage:m5.large", 1) };
        let usage = [(class("A", "BoxUsage:m5.large"), "1")];
        assert!(hour(4, std::slice::from_ref(&commitment), &usage).is_empty());
        let expected = ["ri covers 1 of A BoxUsage:m5.large", "ri: 4 used, 0 unused"];
        assert_eq!(hour(5, std::slice::from_ref(&commitment), &usage), expected);
        assert!(hour(6, &[commitment], &usage).is_empty());
    }
}

#[test]
fn owner_first_then_others_in_key_order() {
    let usage = [
        (class("A", "BoxUsage:m5.large"), "1"),
        (class("B", "BoxUsage:m5.large"), "1"),
        (class("C", "BoxUsage:m5.large"), "1"),
    ];
    let expected =
        ["ri covers 1 of C BoxUsage:m5.large", "ri covers 1 of A BoxUsage:m5.large", "ri: 8 used, 0 unused"];
    check(&[reservation("ri", "C", "BoxUsage:m5.large", 2)], &usage, &expected);
}

#[test]
fn several_of_a_kind_by_begin_and_then_by_arn() {
    let later = Commitment { hours: 3..24, ..reservation("a", "A", "BoxUsage:m5.large", 1) };
    let commitments =
        [later, reservation("c", "A", "BoxUsage:m5.large", 1), reservation("b", "A", "BoxUsage:m5.large", 1)];
    let usage = [(class("A", "BoxUsage:m5.large"), "2.5")];
    let expected = [
        "b covers 1 of A BoxUsage:m5.large",
        "c covers 1 of A BoxUsage:m5.large",
        "a covers 0.5 of A BoxUsage:m5.large",
        "a: 2 used, 2 unused",
        "c: 4 used, 0 unused",
        "b: 4 used, 0 unused",
    ];
    assert_eq!(hour(3, &commitments, &usage), expected);
}

#[test]
fn among_equals_usage_stays_with_the_commitment_that_really_covers_it() {
    let commitments =
        [reservation("a", "A", "BoxUsage:m5.large", 1), reservation("b", "A", "BoxUsage:m5.large", 1)];
    let covered = |arn| Eligible { covered_by: Some(arn), ..class("A", "BoxUsage:m5.large") };
    let usage = [(covered("b"), "1"), (class("A", "BoxUsage:m5.large"), "1"), (covered("a"), "1")];
    let expected = [
        "b covers 1 of A BoxUsage:m5.large",
        "a covers 1 of A BoxUsage:m5.large",
        "a: 4 used, 0 unused",
        "b: 4 used, 0 unused",
    ];
    check(&commitments, &usage, &expected);
    let classes: Vec<_> = (0..).zip(usage.map(|(class, _)| class)).collect();
    let mut simulation =
        Simulation::new(Family { commitments: commitments.iter().collect(), classes }).unwrap();
    let coverage =
        simulation.simulate_hour(0, &[(0, Quantity::ONE), (1, Quantity::ONE), (2, Quantity::ONE)]).unwrap();
    assert_eq!(coverage.uses.iter().map(|used| used.class).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn reservations_before_plans_and_ec2_instance_plans_before_compute_plans() {
    let rates = [("BoxUsage:m5.large", "0.6")];
    let commitments = [
        plan(
            "compute",
            "A",
            PlanKind::Compute,
            "0.5",
            &[("BoxUsage:m5.large", "0.1"), ("BoxUsage:c5.large", "0.7")],
        ),
        plan("instance", "A", family_m5(), "0.6", &rates),
        reservation("ri", "B", "BoxUsage:m5.large", 1),
    ];
    let usage = [(class("A", "BoxUsage:m5.large"), "2.5"), (class("A", "BoxUsage:c5.large"), "1")];
    let expected = [
        "ri covers 1 of A BoxUsage:m5.large",
        "instance covers 1 of A BoxUsage:m5.large",
        "compute covers 0.5 of A BoxUsage:m5.large",
        // 0.45 are left, at 0.7 an hour.
        "compute covers 0.6428571428 of A BoxUsage:c5.large",
        "compute: 0.49999999996 used, 0.00000000004 unused",
        "instance: 0.6 used, 0 unused",
        "ri: 4 used, 0 unused",
    ];
    check(&commitments, &usage, &expected);
}

#[test]
fn an_ec2_instance_plan_keeps_to_its_family_and_region() {
    let rates = [("BoxUsage:m5.large", "0.6"), ("BoxUsage:c5.large", "0.6")];
    let other_region = PlanKind::parse("EC2InstanceSavingsPlan", "m5", "eu-west-1");
    let named_region = PlanKind::parse("EC2InstanceSavingsPlan", "m5", "US East (N. Virginia)");
    let usage = [(class("A", "BoxUsage:m5.large"), "1"), (class("A", "BoxUsage:c5.large"), "1")];
    check(&[plan("plan", "A", other_region, "9", &rates)], &usage, &["plan: 0 used, 9 unused"]);
    let expected = ["plan covers 1 of A BoxUsage:m5.large", "plan: 0.6 used, 8.4 unused"];
    check(&[plan("plan", "A", named_region, "9", &rates)], &usage, &expected);
}

/// The example of the Savings Plans user guide, "Understanding how Savings Plans apply to your AWS usage" (its first edition): on demand
/// 4.00, 10.00, 1.50 and 2.00, under a Compute plan 2.00 (50 %), 8.00 (20 %), 1.00 (33.3 %) and 1.00 (50 %).
#[test]
fn highest_savings_first_and_then_the_lower_rate() {
    let rates = [
        ("BoxUsage:c5.9xlarge", "2"),
        ("BoxUsage:c5.24xlarge", "8"),
        ("Fargate-vCPU-Hours:perCPU", "1"),
        ("Fargate-GB-Hours", "1"),
    ];
    let at = |usage_type, rate| Eligible { public_rate: Some(decimal(rate)), ..class("A", usage_type) };
    let usage = [
        (at("BoxUsage:c5.9xlarge", "4"), "1"),
        (at("BoxUsage:c5.24xlarge", "10"), "1"),
        (at("Fargate-vCPU-Hours:perCPU", "1.5"), "10"),
        (at("Fargate-GB-Hours", "2"), "5"),
    ];
    let plan = |commitment| [plan("plan", "A", PlanKind::Compute, commitment, &rates)];
    let mut expected = vec![
        "plan covers 5 of A Fargate-GB-Hours",
        "plan covers 1 of A BoxUsage:c5.9xlarge",
        "plan covers 10 of A Fargate-vCPU-Hours:perCPU",
        "plan covers 1 of A BoxUsage:c5.24xlarge",
        "plan: 25 used, 0 unused",
    ];
    check(&plan("25"), &usage, &expected);
    expected.truncate(2);
    expected.extend(["plan covers 3 of A Fargate-vCPU-Hours:perCPU", "plan: 10 used, 0 unused"]);
    check(&plan("10"), &usage, &expected);
}

#[test]
fn plans_of_a_kind_go_together_first_to_their_owners() {
    let usage = [
        (class("A", "BoxUsage:m5.large"), "1"),
        (class("A", "BoxUsage:c5.large"), "1"),
        (class("B", "BoxUsage:m5.large"), "1"),
    ];
    let commitments = [
        plan(
            "three",
            "A",
            PlanKind::Compute,
            "0.8",
            &[("BoxUsage:m5.large", "0.5"), ("BoxUsage:c5.large", "0.6")],
        ),
        plan(
            "one",
            "A",
            PlanKind::Compute,
            "0.7",
            &[("BoxUsage:m5.large", "0.7"), ("BoxUsage:c5.large", "0.4")],
        ),
    ];
    let expected = [
        "one covers 1 of A BoxUsage:c5.large",
        "three covers 1 of A BoxUsage:m5.large",
        "three covers 0.6 of B BoxUsage:m5.large",
        "one covers 0.4 of B BoxUsage:m5.large",
        "three: 0.8 used, 0 unused",
        "one: 0.68 used, 0.02 unused",
    ];
    check(&commitments, &usage, &expected);
}

#[test]
fn what_a_plan_covers_is_rounded_down_and_the_rest_is_unused() {
    let rates = [("BoxUsage:m5.large", "0.3"), ("BoxUsage:t3.nano", "0.0000000001")];
    // Without a public rate the second one comes last. The rest would cover a tenth of it, but the plan is at its end.
    let cheap = Eligible { public_rate: None, ..class("A", "BoxUsage:t3.nano") };
    let usage = [(class("A", "BoxUsage:m5.large"), "9"), (cheap, "1")];
    // 1 / 0.3 is 3.33…; 0.3 × 3.3333333333 is 0.99999999999.
    let expected =
        ["plan covers 3.3333333333 of A BoxUsage:m5.large", "plan: 0.99999999999 used, 0.00000000001 unused"];
    check(&[plan("plan", "A", PlanKind::Compute, "1", &rates)], &usage, &expected);
}

#[test]
fn a_plan_passes_by_what_it_cannot_cover_the_least_of() {
    let rates = [("BoxUsage:m5.large", "200"), ("BoxUsage:c5.large", "1")];
    let dear = Eligible { public_rate: Some(decimal("999")), ..class("A", "BoxUsage:m5.large") };
    let usage = [(dear, "1"), (class("A", "BoxUsage:c5.large"), "1")];
    let plan = plan("plan", "A", PlanKind::Compute, "0.0000000150", &rates);
    let expected = ["plan covers 0.000000015 of A BoxUsage:c5.large", "plan: 0.000000015 used, 0 unused"];
    check(&[plan], &usage, &expected);
}

#[test]
fn a_rate_of_zero_covers_all_and_takes_nothing() {
    let free = plan(
        "plan",
        "A",
        PlanKind::SageMaker,
        "1",
        &[("BoxUsage:m5.large", "0"), ("BoxUsage:c5.large", "1")],
    );
    let usage = [(class("A", "BoxUsage:m5.large"), "9"), (class("A", "BoxUsage:c5.large"), "1")];
    let expected = [
        "plan covers 9 of A BoxUsage:m5.large",
        "plan covers 1 of A BoxUsage:c5.large",
        "plan: 1 used, 0 unused",
    ];
    check(&[free], &usage, &expected);
}

#[test]
fn usage_without_a_public_rate_comes_last() {
    let rates = [("BoxUsage:c5.large", "0.1"), ("BoxUsage:m5.large", "2")];
    let unknown = Eligible { public_rate: None, ..class("A", "BoxUsage:c5.large") };
    let usage = [(unknown, "1"), (class("A", "BoxUsage:m5.large"), "1")];
    let expected = [
        "plan covers 1 of A BoxUsage:m5.large",
        "plan covers 1 of A BoxUsage:c5.large",
        "plan: 2.1 used, 0.9 unused",
    ];
    check(&[plan("plan", "A", PlanKind::Compute, "3", &rates)], &usage, &expected);
}

/// From sums of a day a plan of 1 an hour would look fully used by 24 of usage in twelve hours.
#[test]
fn an_hour_cannot_lend_its_commitment_to_another() {
    let plan = plan("plan", "A", PlanKind::Compute, "1", &[("BoxUsage:m5.large", "0.5")]);
    let family = Family { commitments: vec![&plan], classes: vec![(0, class("A", "BoxUsage:m5.large"))] };
    let mut simulation = Simulation::new(family).unwrap();
    let (mut covered, mut used, mut unused) = (Quantity::ZERO, Capacity::ZERO, Capacity::ZERO);
    for hour in DAY {
        let quantity = if hour < 12 { "4" } else { "0" };
        let coverage = simulation.simulate_hour(hour, &[(0, decimal(quantity))]).unwrap();
        for part in &coverage.uses {
            covered = covered.plus(part.usage).unwrap();
        }
        used = used.plus(coverage.utilization[0].used).unwrap();
        unused = unused.plus(coverage.utilization[0].unused).unwrap();
    }
    assert_eq!([covered.to_string(), used.to_string(), unused.to_string()], ["24", "12", "12"]);
}

#[test]
fn usage_of_a_class_adds_up_and_below_zero_is_not_covered() {
    let ri = reservation("ri", "A", "BoxUsage:m5.large", 1);
    let classes = vec![(3, class("A", "BoxUsage:m5.large")), (4, class("A", "BoxUsage:m5.xlarge"))];
    let mut simulation = Simulation::new(Family { commitments: vec![&ri], classes }).unwrap();
    assert_eq!((simulation.classes(), simulation.commitments().len()), ([3, 4].as_slice(), 1));
    let mut covered = |usage: &[(u32, &str)]| {
        let usage: Vec<_> = usage.iter().map(|(class, quantity)| (*class, decimal(quantity))).collect();
        let coverage = simulation.simulate_hour(0, &usage).unwrap();
        coverage.uses.iter().map(|used| (used.class, used.usage.to_string())).collect::<Vec<_>>()
    };
    assert_eq!(covered(&[(3, "0.5"), (9, "7"), (3, "-0.1")]), [(3, "0.4".to_owned())]);
    assert_eq!(covered(&[(3, "-1"), (4, "1")]), [(4, "0.5".to_owned())]);
    assert_eq!(covered(&[]), []);
}

#[test]
fn used_capacity_has_its_share_of_the_fees() {
    let Terms::Reservation(own) = reservation("ri", "A", "BoxUsage:m5.large", 3).terms else {
        unreachable!()
    };
    let cost = |used| {
        let cost = own.effective_cost(Capacity::parse(used).unwrap()).unwrap();
        [cost.recurring.to_string(), cost.upfront.to_string()]
    };
    // 12 normalised units an hour cost 0.18 and 0.06.
    assert_eq!(cost("12"), ["0.18", "0.06"]);
    assert_eq!(cost("5"), ["0.075", "0.025"]);
    assert_eq!(cost("8928"), ["133.92", "44.64"], "a month of 744 hours");
    assert_eq!(cost("0"), ["0", "0"]);
    let none = Reservation { instances: Quantity::ZERO, normalized_units: None, ..own };
    assert_eq!(none.effective_cost(Capacity::ONE).unwrap().recurring, Capacity::ZERO);
}

#[test]
fn too_much_usage_is_an_error_and_leaves_nothing_behind() {
    let ri = reservation("ri", "A", "BoxUsage:m5.large", 1);
    let classes = vec![(0, class("A", "BoxUsage:m5.large"))];
    let mut simulation = Simulation::new(Family { commitments: vec![&ri], classes }).unwrap();
    let most = decimal("1000000000000000");
    assert_eq!(simulation.simulate_hour(0, &[(0, most), (0, most)]), Err(DecimalError::TooLarge));
    let coverage = simulation.simulate_hour(0, &[(0, decimal("0.5"))]).unwrap();
    assert_eq!(coverage.uses[0].usage, decimal("0.5"));
}

#[test]
fn capacity_of_a_reservation_is_so_many_instance_hours() {
    let hours = |normalized: Option<&str>, capacity: &str| {
        let Terms::Reservation(mut own) = reservation("ri", "owner", "BoxUsage:m5.large", 3).terms else {
            panic!("no reservation")
        };
        own.normalized_units = normalized.map(|units| Quantity::parse(units).unwrap());
        let capacity = Capacity::parse(capacity).unwrap();
        let normalized = own.normalized_hours(capacity).unwrap().map(|hours| hours.to_string());
        (own.instance_hours(capacity).unwrap().to_string(), normalized)
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(hours(Some("12"), "8928"), ("2232".to_owned(), text("8928")));
    assert_eq!(hours(Some("12"), "1"), ("0.25".to_owned(), text("1")));
    assert_eq!(hours(Some("7"), "1"), ("0.4285714286".to_owned(), text("1")));
    assert_eq!(hours(None, "5.5"), ("5.5".to_owned(), None));
}
