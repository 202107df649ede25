//! Reservations and Savings Plans: what they are, what they can cover, and whose they are.
//!
//! In which order they are applied is decided in [`crate::allocation`]; `docs/commitments.md` has the rules in words and their sources.

use crate::account::arn_account;
use crate::charge_class::{ChargeClass, Cube, KeyColumn};
use crate::money::{DecimalError, Quantity};
use std::ops::Range;

mod eligible;
mod reservation;
mod savings_plan;
mod usage_type;
pub use eligible::Eligible;
pub use reservation::{Capacity, EffectiveCost, Reach, Reservation};
pub use savings_plan::{PlanKind, PlanRates, SavingsPlan};
pub use usage_type::UsageType;

/// A reservation or a Savings Plan in a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commitment {
    /// Its ARN, or whatever else names it.
    pub arn: String,
    /// The account that owns it.
    pub owner: String,
    /// The hours of the month in which it is in force, counted from 0.
    pub hours: Range<u32>,
    /// What it promises.
    pub terms: Terms,
}

/// What a commitment promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Terms {
    /// Instances.
    Reservation(Reservation),
    /// Money.
    SavingsPlan(SavingsPlan),
}

impl Commitment {
    /// What the commitment has to give in each hour in which it is in force: instances or normalised units, or money. Below 0 is 0.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn capacity(&self) -> Result<Capacity, DecimalError> {
        match &self.terms {
            Terms::Reservation(reservation) => reservation.capacity(),
            Terms::SavingsPlan(plan) => Ok(plan.commitment.to_amount()?.max(Capacity::ZERO)),
        }
    }

    /// What one unit of a class's usage takes of the commitment: 1 or its normalised units, or what it costs under the plan. `None` where the
    /// commitment does not cover the class.
    #[must_use]
    pub fn takes(&self, class: &Eligible<'_>) -> Option<Quantity> {
        match &self.terms {
            Terms::Reservation(reservation) => reservation.reach(class).map(|(_, takes)| takes),
            Terms::SavingsPlan(plan) => plan.rate(class),
        }
    }

    /// What capacity that was used, or was not, has cost: of a reservation its share of the fee and of the payment up front, of a Savings Plan
    /// the money itself.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn effective_cost(&self, capacity: Capacity) -> Result<EffectiveCost, DecimalError> {
        match &self.terms {
            Terms::Reservation(reservation) => reservation.effective_cost(capacity),
            Terms::SavingsPlan(_) => Ok(EffectiveCost { recurring: capacity, upfront: Capacity::ZERO }),
        }
    }
}

/// Usage-type marks of the usage that a reservation or a Savings Plan can cover.
///
/// What a Capacity Reservation holds unused is among it. Source: AWS, "Savings Plans" (EC2, Fargate, Lambda, SageMaker) and the services
/// that sell reserved capacity (EC2, RDS, ElastiCache, OpenSearch, Redshift, MemoryDB, DynamoDB).
const COVERABLE: [&str; 15] = [
    "BoxUsage",
    "UnusedBox",
    "UnusedDed",
    "DedicatedUsage",
    "HostUsage",
    "Fargate",
    "Lambda-GB-Second",
    "Lambda-Provisioned",
    "InstanceUsage",
    "Multi-AZUsage",
    "NodeUsage",
    "ESInstance",
    "Node:",
    ":ml.",
    "CapacityUnit-Hrs",
];

/// Whether a commitment may cover usage of this type, so that zone and size matter.
#[must_use]
pub fn may_cover(usage_type: &str) -> bool {
    COVERABLE.iter().any(|mark| usage_type.contains(mark))
}

/// The ARN of the commitment that covers or charges a class's lines.
#[must_use]
pub fn arn<'a>(cube: &'a Cube, class: &ChargeClass) -> Option<&'a str> {
    cube.filled(class, KeyColumn::SavingsPlanArn).or_else(|| cube.filled(class, KeyColumn::ReservationArn))
}

/// The account that owns the commitment: the one in its ARN, or the line's own where there is no ARN.
#[must_use]
pub fn owner<'a>(cube: &'a Cube, class: &ChargeClass) -> &'a str {
    arn(cube, class)
        .and_then(arn_account)
        .or_else(|| cube.value(class, KeyColumn::UsageAccount))
        .unwrap_or("")
}
