//! The commitments of a month: what its Reserved Instances and Savings Plans promise, as far as the cost files say.
//!
//! Fees say what a commitment is; what they lack is taken from usage that it covers ([`notes`]). What cannot be told of a commitment is
//! listed with its ARN and the reason, and the commitment is left out: nothing is guessed. Numbers are exact, but for costs per
//! instance-hour, which are rounded at ten decimals ([`reservations`]).

mod notes;
mod plans;
mod reservations;

#[cfg(test)]
mod tests;

use crate::days::SECONDS_OF_HOUR;
use crate::eligible_usage::hours_of;
use crate::layout::CommitmentColumn;
use crate::timestamp;
use billing::charge_class::{ChargeClass, Cube, KeyColumn, Measure};
use billing::class_kind::line_item_type;
use billing::commitment::{Commitment, PlanKind, PlanRates, Reservation, SavingsPlan, Terms, may_cover};
use billing::cost_line::LineItemType;
use billing::money::{DecimalError, Quantity, Rate};
use billing::period::BillingPeriod;
use notes::Said;
use plans::PlanLines;
use reservations::ReservationLines;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

pub(crate) use notes::{Notes, Span, Teller};

/// The commitments of a month.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitmentInventory {
    /// Reservations, by ARN.
    pub reservations: Vec<KnownReservation>,
    /// Savings Plans, by ARN.
    pub savings_plans: Vec<KnownPlan>,
    /// Commitments that are left out, and why.
    pub untold: Vec<Remark>,
    /// What else there is to know.
    pub remarks: Vec<Remark>,
    /// Usage at several rates where one was expected; the lowest is used.
    pub conflicts: Vec<RateConflict>,
}

/// A reservation that is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownReservation {
    /// Its ARN.
    pub arn: String,
    /// The account that owns it.
    pub owner: String,
    /// The hours of the month in which it is in force.
    pub hours: Range<u32>,
    /// The service code.
    pub service: String,
    /// The usage type, of the fee or of usage that it covers.
    pub usage_type: String,
    /// The operation.
    pub operation: String,
    /// The region's code; empty where it is not known.
    pub region: String,
    /// The zone, where it is for one.
    pub zone: Option<String>,
    /// Instances in each hour.
    #[serde(with = "as_text")]
    pub instances: Quantity,
    /// The same in normalised units, 0 where they are not known.
    #[serde(with = "as_text")]
    pub normalized_units: Quantity,
    /// The monthly fee per instance and hour.
    #[serde(with = "as_text")]
    pub recurring: Rate,
    /// The payment up front per instance and hour.
    #[serde(with = "as_text")]
    pub upfront: Rate,
}

/// A Savings Plan that is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownPlan {
    /// Its ARN.
    pub arn: String,
    /// The account that owns it.
    pub owner: String,
    /// The hours of the month in which it is in force.
    pub hours: Range<u32>,
    /// The kind, by AWS's name.
    pub offering_type: String,
    /// The region of an EC2 Instance plan, else empty.
    pub region: String,
    /// The family of an EC2 Instance plan, else empty.
    pub instance_family: String,
    /// How much is paid up front.
    pub payment_option: String,
    /// One year or three.
    pub purchase_term: String,
    /// What may be spent in each hour.
    #[serde(with = "as_text")]
    pub commitment: Rate,
    /// The rates of usage that it covers in the month, in the order of what they are for.
    pub rates: Vec<KnownRate>,
}

/// What a unit of usage costs under a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownRate {
    /// The service code, or the product code where there is none.
    pub service: String,
    /// The usage type.
    pub usage_type: String,
    /// The operation.
    pub operation: String,
    /// The rate.
    #[serde(with = "as_text")]
    pub rate: Rate,
}

/// Something about a commitment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Remark {
    /// The commitment's ARN; empty where it is about several.
    pub arn: String,
    /// What there is to say.
    pub text: String,
}

/// Usage at several rates, of one plan or of plans that share their rates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateConflict {
    /// The plans with the lowest and the highest rate.
    pub plans: [String; 2],
    /// The lowest rate, with what it is for.
    pub lowest: KnownRate,
    /// The highest rate.
    #[serde(with = "as_text")]
    pub highest: Rate,
}

impl CommitmentInventory {
    /// Whether no commitment is told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.reservations.is_empty() && self.savings_plans.is_empty()
    }

    /// The ARNs of [`Self::commitments`], in their order.
    #[must_use]
    pub fn arns(&self) -> Vec<&str> {
        let reservations = self.reservations.iter().map(|known| known.arn.as_str());
        let mut arns: Vec<&str> =
            reservations.chain(self.savings_plans.iter().map(|known| known.arn.as_str())).collect();
        arns.sort_unstable();
        arns
    }

    /// The commitments as they are simulated, by ARN. A plan also has the rates of plans of the same kind, payment option and term, for usage
    /// that it does not cover itself: AWS sells them at the same rates.
    #[must_use]
    pub fn commitments(&self) -> Vec<Commitment> {
        let mut shared: BTreeMap<Pool, PlanRates> = BTreeMap::new();
        for plan in &self.savings_plans {
            let pool = shared.entry(plan.pool()).or_default();
            plan.rates.iter().for_each(|of| pool.add(&of.service, &of.usage_type, &of.operation, of.rate));
        }
        let plans = self.savings_plans.iter().map(|plan| plan.commitment(&shared[&plan.pool()]));
        let mut all: Vec<Commitment> =
            self.reservations.iter().map(KnownReservation::commitment).chain(plans).collect();
        all.sort_by(|one, other| one.arn.cmp(&other.arn));
        all
    }
}

/// Plans that are sold at the same rates: kind, payment option, term.
type Pool = (PlanKind, String, String);

impl KnownPlan {
    fn pool(&self) -> Pool {
        let kind = PlanKind::parse(&self.offering_type, &self.instance_family, &self.region);
        (kind, self.payment_option.clone(), self.purchase_term.clone())
    }

    fn commitment(&self, shared: &PlanRates) -> Commitment {
        let mut rates = shared.clone();
        for KnownRate { service, usage_type, operation, rate } in &self.rates {
            if rates.get(service, usage_type, operation) != Some(*rate) {
                rates.set(service, usage_type, operation, *rate);
            }
        }
        let plan = SavingsPlan { kind: self.pool().0, commitment: self.commitment, rates };
        let (arn, owner) = (self.arn.clone(), self.owner.clone());
        Commitment { arn, owner, hours: self.hours.clone(), terms: Terms::SavingsPlan(plan) }
    }
}

impl KnownReservation {
    fn commitment(&self) -> Commitment {
        let reservation = Reservation {
            service: self.service.clone(),
            usage_type: self.usage_type.clone(),
            operation: self.operation.clone(),
            region: self.region.clone(),
            zone: self.zone.clone(),
            instances: self.instances,
            normalized_units: Some(self.normalized_units).filter(|units| !units.is_zero()),
            recurring: self.recurring,
            upfront: self.upfront,
        };
        let (arn, owner) = (self.arn.clone(), self.owner.clone());
        Commitment { arn, owner, hours: self.hours.clone(), terms: Terms::Reservation(reservation) }
    }
}

/// The month that commitments are in force in.
#[derive(Debug, Clone, Copy)]
struct Month {
    start: i64,
    hours: u32,
}

impl Month {
    fn of(period: BillingPeriod) -> Self {
        Self { start: period.start_seconds(), hours: hours_of(period) }
    }

    /// The hours in which a commitment is in force, by what is said of its begin and its end; where one is not said, from the begin or to
    /// the end of the month.
    ///
    /// AWS counts the hour in which a term begins and not the one in which it ends, and may write an end as the last second.
    fn in_force(self, start: &Said, end: &Said) -> Result<Range<u32>, String> {
        let instant = |said: &Said, what| {
            let Some(text) = agreed(said, what)? else { return Ok(None) };
            let unread = || format!("its {what} `{text}` is no instant");
            timestamp::seconds(text).ok_or_else(unread).map(Some)
        };
        let hour = |seconds: i64| {
            let hour = (seconds - self.start).div_euclid(SECONDS_OF_HOUR).clamp(0, self.hours.into());
            u32::try_from(hour).unwrap_or(self.hours)
        };
        let begin = instant(start, "start time")?.map_or(0, hour);
        let end = instant(end, "end time")?.map_or(self.hours, |seconds| hour(seconds + 1));
        if begin < end { Ok(begin..end) } else { Err("it is in force in no hour of the month".to_owned()) }
    }
}

/// What lines agree on; two that differ are a reason to leave the commitment out.
fn agreed<'a>(said: &'a Said, what: &str) -> Result<Option<&'a str>, String> {
    said.agreed().map_err(|[one, other]| format!("its lines differ in the {what}: `{one}` and `{other}`"))
}

/// Makes the inventory of a month from what was noted line by line and from the classes of its commitments.
pub(crate) fn build(notes: &Notes, cube: &Cube, all_tell_zones: bool) -> CommitmentInventory {
    let month = Month::of(cube.period);
    let (mut reservations, mut plans) = (BTreeMap::new(), BTreeMap::new());
    for class in &cube.classes {
        let kind = line_item_type(cube, class);
        if let Some(arn) = cube.filled(class, KeyColumn::SavingsPlanArn) {
            plans.entry(arn).or_insert_with(PlanLines::default).add(cube, class, kind);
        } else if let Some(arn) = cube.filled(class, KeyColumn::ReservationArn) {
            reservations.entry(arn).or_insert_with(ReservationLines::default).add(cube, class, kind);
        }
    }
    let mut inventory = CommitmentInventory::default();
    for (arn, lines) in reservations.iter().filter(|(_, lines)| lines.tell()) {
        match reservations::tell(arn, notes.get(arn), lines, month) {
            // Without the zones of reservations and of usage, none can be told from a regional one.
            Ok(known) => inventory
                .reservations
                .push(KnownReservation { zone: known.zone.filter(|_| all_tell_zones), ..known }),
            Err(text) => inventory.untold.push(Remark { arn: (*arn).to_owned(), text }),
        }
    }
    for (arn, lines) in plans.iter().filter(|(_, lines)| lines.tell()) {
        let told = match reservations.contains_key(arn) {
            true => Err("it is the ARN of a reservation and of a Savings Plan".to_owned()),
            false => plans::tell(arn, notes.get(arn), lines, month),
        };
        match told {
            Ok(known) => inventory.savings_plans.push(known),
            Err(text) => inventory.untold.push(Remark { arn: (*arn).to_owned(), text }),
        }
    }
    inventory.leave_out_without_rates(cube);
    inventory.conflicts = plans::conflicts(notes, &inventory.savings_plans);
    inventory.remark(notes, cube, all_tell_zones);
    inventory
}

impl CommitmentInventory {
    /// Leaves out plans that cover usage in the real bill at rates which no line says: simulated, they would not cover it.
    fn leave_out_without_rates(&mut self, cube: &Cube) {
        let mut covered: BTreeMap<&str, BTreeSet<[&str; 3]>> = BTreeMap::new();
        for class in &cube.classes {
            if line_item_type(cube, class) == LineItemType::SavingsPlanCoveredUsage {
                let text = |column| cube.value(class, column).unwrap_or_default();
                let usage = [cube.product(class), text(KeyColumn::UsageType), text(KeyColumn::Operation)];
                covered.entry(text(KeyColumn::SavingsPlanArn)).or_default().insert(usage);
            }
        }
        let commitments = self.commitments();
        let mut left_out = Vec::new();
        for commitment in &commitments {
            let Terms::SavingsPlan(plan) = &commitment.terms else { continue };
            let of_plan = covered.get(commitment.arn.as_str()).into_iter().flatten();
            let without = of_plan.into_iter().find(|[service, usage_type, operation]| {
                plan.rates.get(service, usage_type, operation).is_none()
            });
            if let Some([_, usage_type, _]) = without {
                let text = format!("no line says its rate for usage type `{usage_type}`, which it covers");
                left_out.push(Remark { arn: commitment.arn.clone(), text });
            }
        }
        self.savings_plans.retain(|plan| !left_out.iter().any(|remark| remark.arn == plan.arn));
        self.untold.extend(left_out);
    }

    fn remark(&mut self, notes: &Notes, cube: &Cube, all_tell_zones: bool) {
        let mut about = |arn: &str, text: String| self.remarks.push(Remark { arn: arn.to_owned(), text });
        for known in &self.reservations {
            if known.normalized_units.is_zero() && reservations::has_size(&known.usage_type) {
                about(
                    &known.arn,
                    "its normalised units are not told: it covers its own size only".to_owned(),
                );
            }
        }
        let mut pools: BTreeMap<Pool, bool> = BTreeMap::new();
        for plan in &self.savings_plans {
            *pools.entry(plan.pool()).or_default() |= !plan.rates.is_empty();
        }
        for plan in &self.savings_plans {
            if !pools[&plan.pool()] {
                let text = "none of its rates is known, for it and plans like it cover nothing in the month";
                about(&plan.arn, text.to_owned());
            }
            let rounded = notes.get(&plan.arn).map_or(0, plans::rates_rounded);
            if rounded > 0 {
                about(
                    &plan.arn,
                    format!("{rounded} of its rates have more than ten decimals and were rounded"),
                );
            }
        }
        if !all_tell_zones && !self.reservations.is_empty() {
            let columns =
                [CommitmentColumn::ReservationZone.name(), KeyColumn::AvailabilityZone.name()].join("` or `");
            about("", format!("cost files lack `{columns}`: reservations of one zone count as regional"));
        }
        for usage_type in usage_types_in_part(cube) {
            let text = format!(
                "usage type `{usage_type}` is covered and not known to be sold with commitments: only what is covered is eligible"
            );
            about("", text);
        }
        self.untold.sort();
    }
}

/// Usage types of which commitments cover a part in the real bill, and the rest is not known as usage that they may cover.
fn usage_types_in_part(cube: &Cube) -> BTreeSet<&str> {
    let usage_type = |class: &ChargeClass| cube.value(class, KeyColumn::UsageType).unwrap_or_default();
    let of_kind = |covered: bool| {
        let is_it = move |class: &&ChargeClass| {
            let kind = line_item_type(cube, class);
            kind.is_metered() && (kind != LineItemType::Usage) == covered && !may_cover(usage_type(class))
        };
        cube.classes.iter().filter(is_it).map(usage_type)
    };
    let covered: BTreeSet<&str> = of_kind(true).collect();
    of_kind(false).filter(|usage_type| covered.contains(usage_type)).collect()
}

/// The sums of a class that commitments are told by, in units.
fn units(class: &ChargeClass, measure: Measure) -> i128 {
    class.sum(measure).units()
}

/// Numbers as their decimal text.
mod as_text {
    use super::{DecimalError, Quantity};
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(number: &Quantity, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(number)
    }

    pub fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<Quantity, D::Error> {
        let text = String::deserialize(from)?;
        Quantity::parse(&text).map_err(|error: DecimalError| D::Error::custom(error))
    }
}
