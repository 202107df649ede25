//! Reservations: so many instances an hour, of one type or of one family.

use super::eligible::Eligible;
use super::usage_type::UsageType;
use crate::money::{Amount, Decimal, DecimalError, Quantity, Rate, product};
use crate::tier_pool::{proportion, proportion_rounded};

/// What a commitment has to give in an hour, or has given: instances or normalised units of a reservation, money of a Savings Plan.
/// Twenty decimals hold the product of a usage and what one unit of it takes.
pub type Capacity = Decimal<20>;

/// What a reservation is for.
///
/// The usage type may be that of the usage it covers (`USW2-BoxUsage:m5.large`) or that of its fee (`USW2-HeavyUsage:m5.large`). The
/// latter does not say the tenancy or the deployment: it is read as default tenancy, and as one zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// The service code: `AmazonEC2`.
    pub service: String,
    /// The usage type, of covered usage or of the fee.
    pub usage_type: String,
    /// The operation, which is the platform or the engine: `RunInstances:0002`, `CreateDBInstance:0014`.
    pub operation: String,
    /// The region's code; empty where it is not known, then the usage type's prefix alone tells.
    pub region: String,
    /// The zone; `None` for a regional reservation.
    pub zone: Option<String>,
    /// Instances (or other units) that may be covered in each hour.
    pub instances: Quantity,
    /// The same in normalised units; `None` or 0 where the reservation is for one size.
    pub normalized_units: Option<Quantity>,
    /// What an instance costs per hour by the monthly fee.
    pub recurring: Rate,
    /// What an instance costs per hour by the payment up front, spread over the term.
    pub upfront: Rate,
}

/// What used capacity of a reservation has cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EffectiveCost {
    /// Its part of the monthly fee.
    pub recurring: Amount,
    /// Its part of the payment up front.
    pub upfront: Amount,
}

/// How a reservation reaches usage. The order is that in which AWS applies reservations.
///
/// Source: EC2 user guide, "How Reserved Instance discounts are applied", scenario 4: a zonal reservation goes before a regional one,
/// even before one that the account itself owns. That exact sizes go before flexible ones is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// In its zone, its own size.
    Zonal,
    /// In its region, its own size.
    Regional,
    /// In its region, every size of its family.
    SizeFlexible,
}

impl Reservation {
    /// Whether the reservation covers all sizes of its family.
    ///
    /// - EC2: regional, Linux/UNIX (operation `RunInstances` exactly), default tenancy, and no family that AWS excepts (EC2 user guide,
    ///   "How Reserved Instance discounts are applied", "Limitations").
    /// - RDS: Aurora, Db2, MariaDB, MySQL, PostgreSQL and Oracle with one's own licence, not SQL Server and not Oracle with the licence
    ///   included (RDS user guide, "Size-flexible reserved DB instances"; an operation that is not known is not flexible).
    /// - ElastiCache and MemoryDB: every node (their guides, "Size flexible reserved nodes").
    ///
    /// Other services sell reservations of one size. And the reservation must say how many normalised units it has.
    #[must_use]
    pub fn is_size_flexible(&self) -> bool {
        let usage_type = UsageType::parse(&self.usage_type);
        let counted = self.normalized_units.is_some_and(|units| units > Quantity::ZERO);
        let sized = usage_type.size().is_some();
        counted
            && sized
            && self.zone.is_none()
            && is_flexible_kind(self.service.as_str(), usage_type, &self.operation)
    }

    /// What the reservation has to give in each hour: normalised units where it is size-flexible, else instances. Below 0 is 0.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn capacity(&self) -> Result<Capacity, DecimalError> {
        let units = self.normalized_units.filter(|_| self.is_size_flexible()).unwrap_or(self.instances);
        units.max(Quantity::ZERO).to_amount()
    }

    /// How the reservation reaches usage of a class, and how much of its capacity one unit of that usage takes: 1 for its own size, the
    /// normalisation factor where it is size-flexible. `None` where it does not reach it.
    ///
    /// Service, region, operation and tenancy must agree; whose usage it is does not matter here.
    #[must_use]
    pub fn reach(&self, class: &Eligible<'_>) -> Option<(Reach, Quantity)> {
        let (own, used) = (UsageType::parse(&self.usage_type), class.parts());
        let same_place = own.region_prefix == used.region_prefix && agree(&self.region, class.region);
        if self.service != class.service || self.operation != class.operation || !same_place {
            return None;
        }
        if self.is_size_flexible() {
            let same_family = own.family() == used.family() && marks_of_family(&self.service, used.mark);
            let factor = class.factor().filter(|_| same_family)?;
            return Some((Reach::SizeFlexible, factor));
        }
        if own.instance != used.instance || !covers_mark(own.mark, used.mark, self.zone.is_none()) {
            return None;
        }
        match &self.zone {
            None => Some((Reach::Regional, Quantity::ONE)),
            Some(zone) => (zone == class.zone).then_some((Reach::Zonal, Quantity::ONE)),
        }
    }

    /// Capacity over some hours in instance-hours.
    ///
    /// One of the named roundings: of a size-flexible reservation they are its share of all instances, half away from zero at ten decimals.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn instance_hours(&self, capacity: Capacity) -> Result<Quantity, DecimalError> {
        self.hours_of(capacity, self.instances)
    }

    /// The same in hours of normalised units; `None` where the reservation does not say how many it has.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn normalized_hours(&self, capacity: Capacity) -> Result<Option<Quantity>, DecimalError> {
        self.normalized_units.map(|units| self.hours_of(capacity, units)).transpose()
    }

    fn hours_of(&self, capacity: Capacity, of_all: Quantity) -> Result<Quantity, DecimalError> {
        let all = self.capacity()?.units().unsigned_abs();
        if all == 0 {
            return Ok(Quantity::ZERO);
        }
        let (of_all, capacity) = (of_all.units().unsigned_abs(), capacity.units().unsigned_abs());
        let units = i128::try_from(proportion_rounded(of_all, capacity, all));
        Quantity::from_units(units.map_err(|_| DecimalError::TooLarge)?)
    }

    /// What `used` capacity has cost: its share of what the reservation costs per hour, or per month where it is the use of a month.
    ///
    /// One of the named roundings: each part is cut at twenty decimals, so that uses never sum to more than the fees.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn effective_cost(&self, used: Capacity) -> Result<EffectiveCost, DecimalError> {
        let capacity = self.capacity()?.units().unsigned_abs();
        let part = |rate: Rate| {
            let hourly = product(rate, self.instances)?.units();
            if capacity == 0 {
                return Ok(Amount::ZERO);
            }
            let (cost, _) = proportion(hourly.unsigned_abs(), used.units().unsigned_abs(), capacity);
            let cost = i128::try_from(cost).map_err(|_| DecimalError::TooLarge)?;
            Amount::from_units(cost * hourly.signum())
        };
        Ok(EffectiveCost { recurring: part(self.recurring)?, upfront: part(self.upfront)? })
    }
}

/// Families that AWS excepts from size flexibility.
///
/// Source: EC2 user guide, "How Reserved Instance discounts are applied", "Limitations".
const ONE_SIZE_FAMILIES: [&str; 15] = [
    "g4ad", "g4dn", "g5", "g5g", "g6", "g6e", "g6f", "gr6", "gr6f", "hpc7a", "p5", "inf1", "inf2", "u7i-6tb",
    "u7i-8tb",
];

/// The operations of RDS engines whose reservations are size-flexible: MySQL, Oracle with one's own licence (SE1, SE, EE), PostgreSQL,
/// Aurora MySQL, MariaDB, Oracle SE2 with one's own licence, Aurora PostgreSQL, and Db2 (four).
///
/// Source: RDS user guide, "Size-flexible reserved DB instances"; the codes are those of the price list.
const FLEXIBLE_ENGINES: [&str; 13] = [
    "CreateDBInstance:0002",
    "CreateDBInstance:0003",
    "CreateDBInstance:0004",
    "CreateDBInstance:0005",
    "CreateDBInstance:0014",
    "CreateDBInstance:0016",
    "CreateDBInstance:0018",
    "CreateDBInstance:0019",
    "CreateDBInstance:0021",
    "CreateDBInstance:0028",
    "CreateDBInstance:0029",
    "CreateDBInstance:0034",
    "CreateDBInstance:0035",
];

fn is_flexible_kind(service: &str, usage_type: UsageType<'_>, operation: &str) -> bool {
    match service {
        "AmazonEC2" => {
            let default_tenancy = matches!(usage_type.mark, "BoxUsage" | "HeavyUsage");
            let excepted = usage_type.family().is_some_and(|family| ONE_SIZE_FAMILIES.contains(&family));
            default_tenancy && operation == "RunInstances" && !excepted
        }
        "AmazonRDS" => FLEXIBLE_ENGINES.contains(&operation),
        "AmazonElastiCache" | "AmazonMemoryDB" => true,
        _ => false,
    }
}

/// Whether usage of this mark counts for a size-flexible reservation of its family.
///
/// RDS: one zone, several zones and I/O-optimised alike; their normalisation factors differ (RDS user guide, "Size-flexible reserved DB
/// instances"; Aurora user guide, "Aurora DB cluster configuration flexibility").
fn marks_of_family(service: &str, mark: &str) -> bool {
    match service {
        "AmazonEC2" => matches!(mark, "BoxUsage" | "UnusedBox"),
        "AmazonRDS" => mark.starts_with("InstanceUsage") || mark.starts_with("Multi-AZ"),
        _ => mark.starts_with("NodeUsage"),
    }
}

/// Whether a reservation with this mark covers usage with that one. `HeavyUsage`, the mark of fees, stands for default tenancy; what a
/// Capacity Reservation holds unused counts as running for regional reservations (EC2 user guide, "Capacity Reservation pricing and
/// billing").
fn covers_mark(own: &str, used: &str, regional: bool) -> bool {
    let plain = matches!(used, "BoxUsage" | "InstanceUsage" | "NodeUsage" | "Node" | "ESInstance");
    let held = match used {
        "UnusedBox" => matches!(own, "BoxUsage" | "HeavyUsage"),
        "UnusedDed" => own == "DedicatedUsage",
        _ => false,
    };
    own == used || (own == "HeavyUsage" && plain) || (held && regional)
}

/// Whether two names agree, of which either may not be known.
fn agree(one: &str, other: &str) -> bool {
    one.is_empty() || other.is_empty() || one == other
}
