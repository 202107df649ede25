//! What Cost Explorer calls the parts of a charge class: its service, platform, tenancy and way of purchase.
//!
//! Sources: the EC2 user guide, "AMI billing information fields", for platforms; the Cost Explorer user guide for the rest. AWS publishes no table of
//! the service names; EC2 is the one service that Cost Explorer splits.

use billing::charge_class::{ChargeClass, Cube, KeyColumn};
use billing::class_kind::{is_spot, line_item_type};
use billing::commitment::UsageType;
use billing::cost_line::LineItemType;

const EC2: [&str; 2] = ["AmazonEC2", "Amazon Elastic Compute Cloud"];
const EC2_COMPUTE: &str = "Amazon Elastic Compute Cloud - Compute";
const EC2_OTHER: &str = "EC2 - Other";
const TAX: &str = "Tax";
/// The marks of usage types that are hours of instances and hosts, used or reserved.
const COMPUTE_MARKS: [&str; 13] = [
    "BoxUsage",
    "SpotUsage",
    "DedicatedUsage",
    "HostUsage",
    "HostBoxUsage",
    "ReservedHostUsage",
    "SchedUsage",
    "HeavyUsage",
    "UnusedBox",
    "UnusedDed",
    "DedicatedRes",
    "Reservation",
    "EC2SP",
];
/// Usage operations of EC2 and what runs there.
const PLATFORMS: [(&str, &str); 19] = [
    ("RunInstances", "Linux/UNIX"),
    ("RunInstances:00g0", "Red Hat BYOL Linux"),
    ("RunInstances:0010", "Red Hat Enterprise Linux"),
    ("RunInstances:1010", "Red Hat Enterprise Linux with HA"),
    ("RunInstances:1014", "Red Hat Enterprise Linux with SQL Server Standard and HA"),
    ("RunInstances:1110", "Red Hat Enterprise Linux with SQL Server Enterprise and HA"),
    ("RunInstances:0014", "Red Hat Enterprise Linux with SQL Server Standard"),
    ("RunInstances:0210", "Red Hat Enterprise Linux with SQL Server Web"),
    ("RunInstances:0110", "Red Hat Enterprise Linux with SQL Server Enterprise"),
    ("RunInstances:0100", "SQL Server Enterprise"),
    ("RunInstances:0004", "SQL Server Standard"),
    ("RunInstances:0200", "SQL Server Web"),
    ("RunInstances:000g", "SUSE Linux"),
    ("RunInstances:0g00", "Ubuntu Pro"),
    ("RunInstances:0002", "Windows"),
    ("RunInstances:0800", "Windows BYOL"),
    ("RunInstances:0102", "Windows with SQL Server Enterprise"),
    ("RunInstances:0006", "Windows with SQL Server Standard"),
    ("RunInstances:0202", "Windows with SQL Server Web"),
];

/// The service of a class: the name of its product, EC2's in two; tax is a service of its own.
#[must_use]
pub fn service<'a>(cube: &'a Cube, class: &ChargeClass) -> Option<&'a str> {
    if line_item_type(cube, class) == LineItemType::Tax {
        return Some(TAX);
    }
    let product = cube.filled(class, KeyColumn::ProductCode);
    let product = product.or_else(|| cube.filled(class, KeyColumn::ServiceCode))?;
    service_of(cube, product, UsageType::parse(cube.value(class, KeyColumn::UsageType).unwrap_or_default()))
}

/// The service of usage of a product.
#[must_use]
pub fn service_of<'a>(cube: &'a Cube, product: &'a str, usage_type: UsageType<'_>) -> Option<&'a str> {
    if EC2.contains(&product) {
        let is_compute = COMPUTE_MARKS.iter().any(|mark| usage_type.mark.starts_with(mark));
        return Some(if is_compute { EC2_COMPUTE } else { EC2_OTHER });
    }
    Some(cube.product_names.get(product).map_or(product, String::as_str)).filter(|name| !name.is_empty())
}

/// The operating system of an instance of EC2; `None` of everything else.
#[must_use]
pub fn platform(cube: &Cube, class: &ChargeClass) -> Option<&'static str> {
    platform_of(cube.filled(class, KeyColumn::Operation)?)
}

/// The operating system of instances that are used by an operation.
#[must_use]
pub fn platform_of(operation: &str) -> Option<&'static str> {
    // Spot adds where it ran: `RunInstances:SV001` is Linux.
    let operation = if operation.starts_with("RunInstances:SV") { "RunInstances" } else { operation };
    PLATFORMS.iter().find_map(|(of, platform)| (*of == operation).then_some(*platform))
}

/// The tenancy of an instance of EC2; `None` of everything else.
#[must_use]
pub fn tenancy(cube: &Cube, class: &ChargeClass) -> Option<&'static str> {
    tenancy_of(UsageType::parse(cube.filled(class, KeyColumn::UsageType)?))
}

/// The tenancy of instances of a usage type.
#[must_use]
pub fn tenancy_of(usage_type: UsageType<'_>) -> Option<&'static str> {
    match usage_type.mark {
        "BoxUsage" | "SpotUsage" | "HeavyUsage" | "UnusedBox" => Some("Shared"),
        "DedicatedUsage" | "UnusedDed" | "DedicatedRes" => Some("Dedicated"),
        "HostUsage" | "HostBoxUsage" | "ReservedHostUsage" => Some("Host"),
        _ => None,
    }
}

/// How a class is purchased, by a line item type that coverage may have given it; `None` of what is no purchase of usage.
#[must_use]
pub fn purchase_type(
    cube: &Cube,
    class: &ChargeClass,
    kind: LineItemType,
    has_terms: bool,
) -> Option<&'static str> {
    match kind {
        LineItemType::SavingsPlanCoveredUsage
        | LineItemType::SavingsPlanNegation
        | LineItemType::SavingsPlanRecurringFee
        | LineItemType::SavingsPlanUpfrontFee => Some("Savings Plans"),
        // Cost files do not say in a class which reservations can be exchanged.
        LineItemType::DiscountedUsage | LineItemType::RiFee => Some("Standard Reserved Instances"),
        LineItemType::Fee if cube.filled(class, KeyColumn::ReservationArn).is_some() => {
            Some("Standard Reserved Instances")
        }
        LineItemType::Usage if is_spot(cube, class, has_terms) => Some("Spot Instances"),
        LineItemType::Usage => Some("On Demand Instances"),
        _ => None,
    }
}

/// The id of a reservation: the last part of its ARN.
#[must_use]
pub fn reservation_id(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
