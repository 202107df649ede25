//! Laws over many random families: nothing is lost, order has no meaning, and a real bill made by the same rules is reproduced.

use super::*;
use crate::commitment::Reach;
use std::collections::BTreeMap;

/// A small seeded generator (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % limit).unwrap()
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u64)]
    }

    /// A number with ten decimals, below the limit and above 0.
    fn quantity(&mut self, limit: u64) -> Quantity {
        let units = 1 + self.below(limit * 10_000_000_000);
        Quantity::from_units(i128::try_from(units).unwrap()).unwrap()
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for place in (1..list.len()).rev() {
            let other = self.below(place as u64 + 1);
            list.swap(place, other);
        }
    }
}

const ACCOUNTS: [&str; 4] = ["1", "2", "3", "4"];
const USAGE_TYPES: [&str; 9] = [
    "BoxUsage:m5.large",
    "BoxUsage:m5.xlarge",
    "BoxUsage:m5.2xlarge",
    "BoxUsage:c5.large",
    "BoxUsage:g5.xlarge",
    "DedicatedUsage:m5.large",
    "InstanceUsage:db.r6g.large",
    "Fargate-vCPU-Hours:perCPU",
    "Fargate-GB-Hours",
];

fn random_classes(random: &mut Random) -> Vec<(u32, Eligible<'static>)> {
    let mut classes = Vec::new();
    for account in ACCOUNTS {
        for usage_type in USAGE_TYPES {
            let zone = random.pick(&["us-east-1a", "us-east-1b"]);
            let public_rate = (random.below(9) > 0).then(|| random.quantity(3));
            let number = u32::try_from(10 * classes.len()).unwrap();
            classes.push((number, Eligible { zone, public_rate, ..class(account, usage_type) }));
        }
    }
    classes
}

fn random_commitments(random: &mut Random) -> Vec<Commitment> {
    let arns = ["e", "b", "h", "a", "g", "c", "f", "d"];
    // Few different rates, so that there are ties; two tables, so that some plans have the same.
    let tables: [Vec<&str>; 2] =
        [0, 1].map(|_| USAGE_TYPES.map(|_| random.pick(&["0.3", "0.7", "0.0000166667", "1.9"])).to_vec());
    let mut commitments = Vec::new();
    for arn in &arns[..2 + random.below(7)] {
        let (owner, usage_type) = (random.pick(&ACCOUNTS), random.pick(&USAGE_TYPES[..7]));
        let count = i128::try_from(1 + random.below(4)).unwrap();
        let mut commitment = match random.below(5) {
            0 => zonal(arn, owner, usage_type, count),
            1 | 2 => reservation(arn, owner, usage_type, count),
            kind => {
                let kind = if kind == 3 { family_m5() } else { PlanKind::Compute };
                let rates: Vec<_> =
                    USAGE_TYPES.into_iter().zip(tables[random.below(2)].iter().copied()).collect();
                plan(arn, owner, kind, &random.quantity(4).to_string(), &rates)
            }
        };
        commitment.hours = if random.below(4) == 0 { 1..24 } else { DAY };
        commitments.push(commitment);
    }
    commitments
}

fn random_usage(random: &mut Random, classes: &[(u32, Eligible<'_>)]) -> Vec<(u32, Quantity)> {
    let mut usage = Vec::new();
    for (number, _) in classes {
        match random.below(3) {
            0 => usage.push((*number, decimal(random.pick(&["1", "2", "0.5"])))),
            1 => usage.push((*number, random.quantity(3))),
            _ => {}
        }
    }
    usage
}

fn simulate(
    commitments: &[Commitment],
    classes: &[(u32, Eligible<'_>)],
    hour: u32,
    usage: &[(u32, Quantity)],
) -> HourCoverage {
    let family = Family { commitments: commitments.iter().collect(), classes: classes.to_vec() };
    Simulation::new(family).unwrap().simulate_hour(hour, usage).unwrap()
}

/// A family and the usage of one of its hours, and the generator that made them.
struct Month {
    random: Random,
    commitments: Vec<Commitment>,
    classes: Vec<(u32, Eligible<'static>)>,
    usage: Vec<(u32, Quantity)>,
}

fn random_month(seed: u64) -> Month {
    let mut random = Random(seed);
    let classes = random_classes(&mut random);
    let commitments = random_commitments(&mut random);
    let usage = random_usage(&mut random, &classes);
    Month { random, commitments, classes, usage }
}

#[test]
fn nothing_is_covered_twice_and_nothing_is_lost() {
    for seed in 0..500 {
        let Month { commitments, classes, usage, .. } = random_month(seed);
        let coverage = simulate(&commitments, &classes, 1, &usage);
        let mut uncovered: BTreeMap<u32, Quantity> = usage.iter().copied().collect();
        let mut taken = vec![Capacity::ZERO; commitments.len()];
        for part in &coverage.uses {
            let rest = uncovered.get_mut(&part.class).unwrap();
            *rest = rest.minus(part.usage).unwrap();
            assert!(part.usage > Quantity::ZERO && *rest >= Quantity::ZERO, "seed {seed}: {part:?}");
            let taken = &mut taken[part.commitment as usize];
            *taken = taken.plus(part.taken).unwrap();
        }
        assert_eq!(coverage.utilization.len(), commitments.len(), "seed {seed}");
        for (part, commitment) in coverage.utilization.iter().zip(&commitments) {
            assert_eq!(part.used, taken[part.commitment as usize], "seed {seed}");
            assert_eq!(part.used.plus(part.unused).unwrap(), commitment.capacity().unwrap(), "seed {seed}");
            assert!(part.unused >= Capacity::ZERO, "seed {seed}: {part:?}");
        }
    }
}

#[test]
fn order_has_no_meaning() {
    for seed in 0..300 {
        let Month { mut random, mut commitments, mut classes, mut usage } = random_month(seed);
        let by_arn = |commitments: &[Commitment], coverage: HourCoverage| {
            let arn = |number: u32| commitments[number as usize].arn.clone();
            let uses: Vec<_> = coverage
                .uses
                .iter()
                .map(|used| (used.class, arn(used.commitment), used.usage, used.taken))
                .collect();
            let utilization: BTreeMap<_, _> = coverage
                .utilization
                .iter()
                .map(|part| (arn(part.commitment), (part.used, part.unused)))
                .collect();
            (uses, utilization)
        };
        let hour = u32::try_from(seed % 2).unwrap();
        let expected = by_arn(&commitments, simulate(&commitments, &classes, hour, &usage));
        random.shuffle(&mut commitments);
        random.shuffle(&mut classes);
        random.shuffle(&mut usage);
        assert_eq!(
            by_arn(&commitments, simulate(&commitments, &classes, hour, &usage)),
            expected,
            "seed {seed}"
        );
    }
}

#[test]
fn an_hour_does_not_remember_another() {
    for seed in 0..100 {
        let Month { mut random, commitments, classes, usage } = random_month(seed);
        let family = Family { commitments: commitments.iter().collect(), classes: classes.clone() };
        let mut simulation = Simulation::new(family).unwrap();
        for hour in 0..3 {
            let other = random_usage(&mut random, &classes);
            simulation.simulate_hour(hour, &other).unwrap();
            let again = simulation.simulate_hour(1, &usage).unwrap();
            assert_eq!(again, simulate(&commitments, &classes, 1, &usage), "seed {seed}");
        }
    }
}

/// The order in words, taken literally: every pair of a commitment and a class, sorted, one after the other.
fn pair_by_pair(
    commitments: &[Commitment],
    classes: &[(u32, Eligible<'_>)],
    usage: &[(u32, Quantity)],
) -> Vec<(u32, u32, Quantity)> {
    let seniority = |commitment: &Commitment| (commitment.hours.start, commitment.arn.clone());
    let mut pairs = Vec::new();
    for (number, commitment) in (0_u32..).zip(commitments) {
        for (class, eligible) in classes {
            let (pass, takes, saving, eldest) = match &commitment.terms {
                Terms::Reservation(terms) => match terms.reach(eligible) {
                    Some((reach, takes)) => (reach as u8, takes, (false, 0, 0), seniority(commitment)),
                    None => continue,
                },
                Terms::SavingsPlan(plan) => {
                    let Some(rate) = plan.rate(eligible) else { continue };
                    let alike = |other: &&Commitment| match &other.terms {
                        Terms::SavingsPlan(other) => (&other.kind, &other.rates) == (&plan.kind, &plan.rates),
                        Terms::Reservation(_) => false,
                    };
                    let eldest = commitments.iter().filter(alike).map(seniority).min().unwrap();
                    let pass = if plan.kind == PlanKind::Compute { 5 } else { 4 };
                    // The part of the public rate that is left, finer than any two of the rates here differ.
                    let left = eligible
                        .public_rate
                        .map(|public| rate.units() * crate::money::ten_to(25) / public.units());
                    (pass, rate, (left.is_none(), left.unwrap_or_default(), 0), eldest)
                }
            };
            let others = eligible.account != commitment.owner;
            let size = if pass == Reach::SizeFlexible as u8 { takes } else { Quantity::ZERO };
            let rate = if pass > 3 { takes } else { Quantity::ZERO };
            let key = (pass, others, size, saving, rate, *class, eldest, seniority(commitment));
            pairs.push((key, number, *class, takes));
        }
    }
    pairs.sort();
    let mut uncovered: BTreeMap<u32, i128> =
        usage.iter().map(|(class, usage)| (*class, usage.units())).collect();
    let mut left: Vec<Option<i128>> =
        commitments.iter().map(|commitment| Some(commitment.capacity().unwrap().units())).collect();
    let mut uses = Vec::new();
    for (_, number, class, takes) in pairs {
        let (Some(open), Some(rest)) = (left[number as usize], uncovered.get_mut(&class)) else { continue };
        let covered = (*rest).min(open / takes.units());
        if covered > 0 {
            *rest -= covered;
            let open = open - covered * takes.units();
            left[number as usize] = Some(open).filter(|open| *open >= takes.units());
            uses.push((class, number, Quantity::from_units(covered).unwrap()));
        }
    }
    uses
}

#[test]
fn pools_do_what_their_members_would_do_one_by_one() {
    for seed in 0..500 {
        let Month { commitments, classes, usage, .. } = random_month(seed);
        let coverage = simulate(&commitments, &classes, 1, &usage);
        let uses: Vec<_> =
            coverage.uses.iter().map(|used| (used.class, used.commitment, used.usage)).collect();
        assert_eq!(uses, pair_by_pair(&commitments, &classes, &usage), "seed {seed}");
    }
}

/// One family that holds everything: what it covers is written into a bill as AWS would, each covered part a class of its own, in any
/// order of classes. From that bill the same comes out, to the last digit, part by part.
#[test]
fn a_real_bill_by_the_same_rules_is_reproduced() {
    for seed in 0..500 {
        let Month { mut random, commitments, classes, usage } = random_month(seed);
        let first = simulate(&commitments, &classes, 1, &usage);
        let mut uncovered: BTreeMap<u32, Quantity> = usage.iter().copied().collect();
        let mut parts: Vec<(u32, Option<u32>, Quantity)> = Vec::new();
        for part in &first.uses {
            let rest = uncovered.get_mut(&part.class).unwrap();
            *rest = rest.minus(part.usage).unwrap();
            parts.push((part.class, Some(part.commitment), part.usage));
        }
        parts.extend(uncovered.into_iter().map(|(class, rest)| (class, None, rest)));
        random.shuffle(&mut parts);
        let by_number: BTreeMap<u32, Eligible<'_>> = classes.into_iter().collect();
        let bill: Vec<(u32, Eligible<'_>)> = (0..)
            .zip(&parts)
            .map(|(number, (class, commitment, _))| {
                let covered_by = commitment.map(|number| commitments[number as usize].arn.as_str());
                (number, Eligible { covered_by, ..by_number[class] })
            })
            .collect();
        let billed: Vec<(u32, Quantity)> = (0..).zip(parts.iter().map(|part| part.2)).collect();
        let second = simulate(&commitments, &bill, 1, &billed);
        assert_eq!(second.utilization, first.utilization, "seed {seed}");
        let mut seen: Vec<_> =
            second.uses.iter().map(|used| (used.class, used.commitment, used.usage)).collect();
        let mut expected: Vec<_> = (0..)
            .zip(&parts)
            .filter_map(|(number, (_, commitment, usage))| Some((number, (*commitment)?, *usage)))
            .collect();
        seen.sort_unstable();
        expected.sort_unstable();
        assert_eq!(seen, expected, "seed {seed}");
    }
}
