//! What a reservation is, from its fees.

use super::notes::{Noted, ReservationFees, Said};
use super::{KnownReservation, Month, agreed, units};
use crate::layout::CommitmentColumn;
use billing::account::arn_account;
use billing::charge_class::{ChargeClass, Cube, KeyColumn, Measure};
use billing::commitment::UsageType;
use billing::cost_line::LineItemType;
use billing::money::{Amount, Quantity, Rate, divide_half_away, product, ten_to};
use std::collections::BTreeMap;

/// The classes of a reservation's lines.
#[derive(Default)]
pub struct ReservationLines {
    account: Said,
    service: Said,
    usage_type: Said,
    operation: Said,
    region: Said,
    /// Sums over the monthly fees, in units: usage, cost, payment up front.
    usage: i128,
    cost: i128,
    upfront: i128,
    fees: u64,
    /// Whether its payment up front is in the month, and covered usage.
    paid: bool,
    /// Usage types that it covers, and their normalisation factors.
    covered: BTreeMap<String, Said>,
    covered_operation: Said,
}

impl ReservationLines {
    pub fn add(&mut self, cube: &Cube, class: &ChargeClass, kind: LineItemType) {
        let text = |column| cube.value(class, column).unwrap_or_default();
        match kind {
            LineItemType::RiFee => {
                self.account.note(text(KeyColumn::UsageAccount));
                self.service.note(cube.product(class));
                self.usage_type.note(text(KeyColumn::UsageType));
                self.operation.note(text(KeyColumn::Operation));
                self.region.note(text(KeyColumn::Region));
                self.usage += units(class, Measure::Usage);
                self.cost += units(class, Measure::Unblended);
                self.upfront += units(class, Measure::AmortizedUpfront);
                self.fees += class.lines;
            }
            LineItemType::DiscountedUsage => {
                let factor = self.covered.entry(text(KeyColumn::UsageType).to_owned()).or_default();
                factor.note(text(KeyColumn::NormalizationFactor));
                self.covered_operation.note(text(KeyColumn::Operation));
            }
            LineItemType::Fee => self.paid = true,
            _ => {}
        }
    }

    /// Whether there are lines that a reservation of the month has; a refund of an old one is not.
    pub fn tell(&self) -> bool {
        self.fees > 0 || self.paid || !self.covered.is_empty()
    }

    /// The usage type: that of covered usage of the fee's instance type if there is one, for it also tells tenancy and deployment.
    fn usage_type(&self) -> Result<&str, String> {
        let of_fee = agreed(&self.usage_type, "usage type")?.ok_or("its fee has no usage type")?;
        let fee = UsageType::parse(of_fee);
        let is_own = |usage_type: &&String| {
            let used = UsageType::parse(usage_type);
            let same = (used.region_prefix, used.instance) == (fee.region_prefix, fee.instance);
            // What a Capacity Reservation holds unused is covered too, and is not what the reservation is for.
            same && fee.instance.is_some() && !used.mark.starts_with("Unused")
        };
        let mut own = self.covered.keys().filter(is_own);
        Ok(match (own.next(), own.next()) {
            (Some(only), None) => only,
            _ => of_fee,
        })
    }
}

/// What a reservation is, or why it cannot be told.
pub fn tell(
    arn: &str,
    noted: Option<&Noted>,
    lines: &ReservationLines,
    month: Month,
) -> Result<KnownReservation, String> {
    let (Some(noted), true) = (noted, lines.fees > 0) else {
        return Err("it has no `RIFee` line in the month, which would say how much it promises".to_owned());
    };
    let owner = match arn_account(arn) {
        Some(owner) => owner,
        None => agreed(&lines.account, "account")?.ok_or("neither its ARN nor its fee names an account")?,
    };
    let operation = match agreed(&lines.operation, "operation")? {
        Some(operation) => operation,
        None => agreed(&lines.covered_operation, "operation")?.ok_or("no line says its operation")?,
    };
    let of_arn = arn.split(':').nth(3).unwrap_or_default();
    let region = lines.region.agreed().ok().flatten().unwrap_or(of_arn);
    let said = |column| noted.said(column);
    let hours =
        month.in_force(said(CommitmentColumn::ReservationStart), said(CommitmentColumn::ReservationEnd))?;
    // A regional reservation has its region there, or nothing.
    let zone = agreed(said(CommitmentColumn::ReservationZone), "zone")?.filter(|zone| *zone != region);
    let usage_type = lines.usage_type()?;
    let instances = instances(&noted.reservation_fees, lines.usage, hours.end - hours.start)?;
    let too_large = |error| format!("its amounts are {error}");
    let normalized_units = match factor(noted, lines, usage_type) {
        Some(factor) => exact(product(instances, factor).map_err(too_large)?).unwrap_or_default(),
        None => Quantity::ZERO,
    };
    let instance_hours = instances.units().checked_mul((hours.end - hours.start).into());
    let instance_hours = instance_hours.ok_or("its amounts are beyond all money")?;
    Ok(KnownReservation {
        arn: arn.to_owned(),
        owner: owner.to_owned(),
        hours,
        service: agreed(&lines.service, "service")?.ok_or("its fee has no service")?.to_owned(),
        usage_type: usage_type.to_owned(),
        operation: operation.to_owned(),
        region: region.to_owned(),
        zone: zone.map(ToOwned::to_owned),
        instances,
        normalized_units,
        recurring: per_instance_hour(lines.cost, instance_hours)?.0,
        upfront: per_instance_hour(lines.upfront, instance_hours)?.0,
    })
}

/// How many instances are reserved in each hour: unit-hours of the month over hours in force, a whole number.
///
/// The first of these that gives one: number × units of each, all units, the usage of the fee. Where a term begins or ends within an hour,
/// AWS may count it or not: then the number of reservations decides.
fn instances(fees: &ReservationFees, usage: i128, hours: u32) -> Result<Quantity, String> {
    let usage = Quantity::from_units(usage).ok().and_then(|usage| usage.to_amount().ok());
    let sources = [fees.unit_hours, fees.total_units, usage];
    let told = || sources.iter().flatten().filter(|units| **units > Amount::ZERO);
    let hours = i128::from(hours);
    let whole = |units: &Amount| {
        let instances = units.units() / (hours * ten_to(20));
        (instances * hours * ten_to(20) == units.units()).then_some(instances)
    };
    let by_number = |units: &Amount| {
        let number = fees.reservations?.units();
        let within =
            [hours - 1, hours + 1].iter().any(|hours| number.checked_mul(*hours) == Some(units.units()));
        (within && number % ten_to(20) == 0).then_some(number / ten_to(20))
    };
    let found = told().find_map(whole).or_else(|| told().find_map(by_number));
    let instances = found.and_then(|whole| Quantity::from_units(whole.checked_mul(ten_to(10))?).ok());
    instances.ok_or_else(|| match told().next() {
        None => "its fee does not say for how many unit-hours it is".to_owned(),
        Some(units) => {
            let shown = exact(*units).map_or_else(|| units.to_string(), |units| units.to_string());
            format!("its fee is for {shown} unit-hours, which is no whole number of units in each of {hours} hours")
        }
    })
}

/// Normalised units per unit: as its fees say, as usage of its own size says, or by AWS's table for EC2.
fn factor(noted: &Noted, lines: &ReservationLines, usage_type: &str) -> Option<Quantity> {
    let of_text = |said: &Said| said.agreed().ok().flatten().and_then(|text| Quantity::parse(text).ok());
    let fees = &noted.reservation_fees;
    let ratio = |normalized: Option<Amount>, units: Option<Amount>| {
        let (normalized, units) = (normalized?.units(), units?.units());
        let quotient = normalized.checked_mul(ten_to(10))?.checked_div(units)?;
        let exact = quotient.checked_mul(units) == normalized.checked_mul(ten_to(10));
        Quantity::from_units(quotient).ok().filter(|_| exact)
    };
    let own = UsageType::parse(usage_type);
    let covered = lines.covered.iter().find(|(used, _)| UsageType::parse(used).instance == own.instance);
    let of_table = || {
        let is_ec2 = lines.service.agreed() == Ok(Some("AmazonEC2"));
        own.normalized_units().filter(|_| is_ec2)
    };
    [
        of_text(&noted.factor),
        ratio(fees.normalized_unit_hours, fees.unit_hours),
        ratio(fees.total_normalized_units, fees.total_units),
        covered.and_then(|(_, factor)| of_text(factor)),
    ]
    .into_iter()
    .flatten()
    .find(|factor| *factor > Quantity::ZERO)
    .or_else(of_table)
}

/// A cost of the month per instance and hour, and what rounding took away, in units of 10⁻¹⁰ of the cost.
///
/// One of the named roundings: half away from zero at ten decimals. A fee that is a rate of ten decimals times a quantity gives that rate.
fn per_instance_hour(cost: i128, instance_hours: i128) -> Result<(Rate, i128), String> {
    let too_large = || "its fees are beyond all money".to_owned();
    let dividend = cost.checked_mul(ten_to(10)).ok_or_else(too_large)?;
    if instance_hours <= 0 {
        return Err("it promises nothing".to_owned());
    }
    let (rate, _) = divide_half_away(dividend, instance_hours);
    let given = rate.checked_mul(instance_hours).ok_or_else(too_large)? / ten_to(10);
    Ok((Rate::from_units(rate).map_err(|_| too_large())?, cost - given))
}

/// The same number with ten decimals, if it has no more.
fn exact(amount: Amount) -> Option<Quantity> {
    let units = amount.units();
    (units % ten_to(10) == 0).then(|| Quantity::from_units(units / ten_to(10)).ok()).flatten()
}

/// Whether a usage type names an instance of some size.
pub fn has_size(usage_type: &str) -> bool {
    UsageType::parse(usage_type).size().is_some()
}
