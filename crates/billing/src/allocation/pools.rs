//! Which commitments reach which classes: commitments on the same terms are looked at once, as a pool.

use super::order::{Pass, Rank, Worth};
use crate::commitment::{Commitment, Eligible, PlanKind, PlanRates, Reach, Terms, UsageType};
use crate::money::Quantity;
use std::collections::{BTreeMap, HashMap};

/// A pool may cover a class.
#[derive(Debug)]
pub struct Candidate<'a> {
    /// Its place among all.
    pub rank: Rank<'a>,
    /// The pool, by number in [`Draft::pools`].
    pub pool: u32,
    /// What a unit of usage takes of a commitment.
    pub takes: Quantity,
}

/// All pools, and the classes that they may cover, in no order.
#[derive(Debug)]
pub struct Draft<'a> {
    /// Every use that may come to be.
    pub candidates: Vec<Candidate<'a>>,
    /// Commitments by number, the eldest of each pool first.
    pub pools: Vec<Vec<u32>>,
}

impl<'a> Draft<'a> {
    /// Pools the commitments and looks up what each pool may cover.
    pub fn new(commitments: &[&'a Commitment], classes: &[(u32, Eligible<'_>)]) -> Self {
        let mut draft = Self { candidates: Vec::new(), pools: Vec::new() };
        let shelves = Shelves::new(classes);
        let mut by_seniority: Vec<u32> = (0..).take(commitments.len()).collect();
        let begin_and_arn = |number: &u32| {
            let commitment = commitments[*number as usize];
            (commitment.hours.start, commitment.arn.as_str(), *number)
        };
        by_seniority.sort_unstable_by_key(begin_and_arn);
        let mut alike: BTreeMap<Likeness<'a>, Vec<Member<'a>>> = BTreeMap::new();
        for (seniority, number) in (0..).zip(by_seniority) {
            let commitment = commitments[number as usize];
            alike.entry(Likeness::of(commitment)).or_default().push(Member { commitment, number, seniority });
        }
        for members in alike.values() {
            draft.add(members, classes, &shelves);
        }
        draft
    }

    /// Adds the uses of commitments that reach the same usage on the same terms.
    fn add(&mut self, members: &[Member<'a>], classes: &[(u32, Eligible<'_>)], shelves: &Shelves<'_>) {
        let Some(eldest) = members.first() else { return };
        let mut of_owner: BTreeMap<&str, Pool> = BTreeMap::new();
        for member in members {
            let pool =
                of_owner.entry(&member.commitment.owner).or_insert_with(|| self.pool(member.seniority));
            self.pools[pool.number as usize].push(member.number);
        }
        let everybody = self.pool(eldest.seniority);
        self.pools[everybody.number as usize].extend(members.iter().map(|member| member.number));
        let by_arn: HashMap<&str, &Member<'_>> =
            members.iter().map(|member| (member.commitment.arn.as_str(), member)).collect();
        let mut alone: HashMap<u32, Pool> = HashMap::new();

        for Reached { place, pass, worth, takes } in shelves.reached(eldest.commitment, classes) {
            let (class, eligible) = &classes[place];
            let mut push = |of_others, moves, pool: Pool| {
                let rank = Rank { pass, of_others, worth, moves, seniority: pool.seniority, class: *class };
                self.candidates.push(Candidate { rank, pool: pool.number, takes });
            };
            let own = of_owner.get(eligible.account);
            if let Some(pool) = own {
                push(false, true, *pool);
            }
            // What the owner's own pool has left uncovered, its members cannot cover among everybody's either.
            if own.is_none() || of_owner.len() > 1 {
                push(true, true, everybody);
            }
            if let Some(member) = eligible.covered_by.and_then(|arn| by_arn.get(arn)) {
                let of_others = member.commitment.owner != eligible.account;
                let pools = &mut self.pools;
                let pool = alone.entry(member.number).or_insert_with(|| {
                    pools.push(vec![member.number]);
                    Pool { number: last(pools), seniority: member.seniority }
                });
                push(of_others, false, *pool);
            }
        }
    }

    /// A new pool, empty yet.
    fn pool(&mut self, seniority: u32) -> Pool {
        self.pools.push(Vec::new());
        Pool { number: last(&self.pools), seniority }
    }
}

/// A commitment of a family.
struct Member<'a> {
    commitment: &'a Commitment,
    number: u32,
    seniority: u32,
}

#[derive(Clone, Copy)]
struct Pool {
    number: u32,
    seniority: u32,
}

/// The number of the last pool; there are at most three by commitment, far from `u32::MAX`.
fn last(pools: &[Vec<u32>]) -> u32 {
    u32::try_from(pools.len() - 1).unwrap_or(u32::MAX)
}

/// What commitments have alike that reach the same usage and take the same for it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Likeness<'a> {
    /// Of a size-flexible reservation neither mark nor instance type matter beyond the family.
    Reservation {
        shelf: Shelf<'a>,
        region: &'a str,
        zone: Option<&'a str>,
        exactly: Option<(&'a str, Option<&'a str>)>,
    },
    Plan(&'a PlanKind, &'a PlanRates),
}

impl<'a> Likeness<'a> {
    fn of(commitment: &'a Commitment) -> Self {
        match &commitment.terms {
            Terms::Reservation(terms) => {
                let parts = UsageType::parse(&terms.usage_type);
                Self::Reservation {
                    shelf: shelf(&terms.service, parts, &terms.operation),
                    region: &terms.region,
                    zone: terms.zone.as_deref(),
                    exactly: (!terms.is_size_flexible()).then_some((parts.mark, parts.instance)),
                }
            }
            Terms::SavingsPlan(plan) => Self::Plan(&plan.kind, &plan.rates),
        }
    }
}

/// Where usage can be looked for: service, region, instance family or mark, operation.
type Shelf<'a> = (&'a str, &'a str, &'a str, &'a str);

fn shelf<'a>(service: &'a str, usage_type: UsageType<'a>, operation: &'a str) -> Shelf<'a> {
    (service, usage_type.region_prefix, usage_type.family().unwrap_or(usage_type.mark), operation)
}

/// The classes of a family by what commitments ask for, so that not every commitment is held against every class.
struct Shelves<'a> {
    of_reservations: HashMap<Shelf<'a>, Vec<usize>>,
    of_plans: HashMap<(&'a str, &'a str, &'a str), Vec<usize>>,
}

/// A class, by its place in the family's list, that a commitment may cover.
struct Reached<'a> {
    place: usize,
    pass: Pass<'a>,
    worth: Worth,
    takes: Quantity,
}

impl<'a> Shelves<'a> {
    fn new(classes: &[(u32, Eligible<'a>)]) -> Self {
        let mut shelves = Self { of_reservations: HashMap::new(), of_plans: HashMap::new() };
        for (place, (_, class)) in classes.iter().enumerate() {
            let shelf = shelf(class.service, class.parts(), class.operation);
            shelves.of_reservations.entry(shelf).or_default().push(place);
            let usage = (class.service, class.usage_type, class.operation);
            shelves.of_plans.entry(usage).or_default().push(place);
        }
        shelves
    }

    fn reached<'c>(&self, commitment: &'c Commitment, classes: &[(u32, Eligible<'_>)]) -> Vec<Reached<'c>> {
        let mut reached = Vec::new();
        match &commitment.terms {
            Terms::Reservation(terms) => {
                let shelf = shelf(&terms.service, UsageType::parse(&terms.usage_type), &terms.operation);
                for &place in self.of_reservations.get(&shelf).into_iter().flatten() {
                    let Some((reach, takes)) = terms.reach(&classes[place].1) else { continue };
                    let worth = if reach == Reach::SizeFlexible { Worth::Size(takes) } else { Worth::Same };
                    reached.push(Reached { place, pass: Pass::Reservations(reach), worth, takes });
                }
            }
            Terms::SavingsPlan(plan) => {
                for (service, usage_type, operation, rate) in plan.rates.iter() {
                    let places = self.of_plans.get(&(service, usage_type, operation));
                    for &place in places.into_iter().flatten() {
                        let class = &classes[place].1;
                        if plan.rate(class).is_some() {
                            let worth = Worth::Saving { rate, public: class.public_rate };
                            reached.push(Reached {
                                place,
                                pass: Pass::Plans(&plan.kind),
                                worth,
                                takes: rate,
                            });
                        }
                    }
                }
            }
        }
        reached
    }
}
