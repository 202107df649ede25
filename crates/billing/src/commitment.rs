//! Reservations and Savings Plans: where they may apply, and whose they are.

use crate::account::arn_account;
use crate::charge_class::{ChargeClass, Cube, KeyColumn};

/// Usage-type marks of the usage that a reservation or a Savings Plan can cover.
///
/// Source: AWS, "Savings Plans" (EC2, Fargate, Lambda, SageMaker) and the services that sell reserved capacity (EC2, RDS,
/// ElastiCache, OpenSearch, Redshift, MemoryDB, DynamoDB).
const COVERABLE: [&str; 13] = [
    "BoxUsage",
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
