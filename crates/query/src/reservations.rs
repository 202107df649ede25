//! Reservations of a month: how many hours of them were bought, how many were used, and what of their fees that took.
//!
//! What a reservation promises is the month's inventory of commitments; what was used of it are the lines that it covers, as AWS bills them. Its fees
//! are those of its month, shared among the hours in which it is in force.

mod builder;

use crate::answer::{Month, QueryError};
use crate::dimension::{Dimension, Key};
use crate::expression::Expression;
use crate::question::Granularity;
use billing::commitment::{Capacity, Reservation};
use billing::money::{Cost, DecimalError, Quantity, Rate, divide_half_away, product, ten_to};
use std::ops::Range;

pub(crate) use builder::reservations;

const HOURS_OF_DAY: u32 = 24;

/// A reservation in a month.
#[derive(Debug)]
pub struct Reserved {
    /// Its ARN.
    pub arn: String,
    /// The last part of the ARN.
    pub id: String,
    /// The account that owns it.
    pub owner: String,
    /// What it promises.
    pub terms: Reservation,
    /// The service, as Cost Explorer names it.
    pub service: Option<String>,
    /// The instance type.
    pub instance_type: Option<String>,
    /// The operating system, of instances of EC2.
    pub platform: Option<&'static str>,
    /// The tenancy, of instances of EC2.
    pub tenancy: Option<&'static str>,
    /// What an hour of an instance costs On-Demand; `None` where no line says so.
    pub on_demand_rate: Option<Rate>,
    /// The hours of the month in which it is in force.
    hours: Range<u32>,
    /// The fees of the month: monthly, and the month's share of what was paid up front.
    recurring: Cost,
    upfront: Cost,
    /// What was used in the month, and by day; `None` where days are not known.
    of_month: Used,
    of_days: Option<Vec<Used>>,
}

/// What of a reservation was used.
#[derive(Debug, Clone, Copy, Default)]
struct Used {
    capacity: Capacity,
    /// What it took of the fees.
    effective: Cost,
    /// What it costs On-Demand.
    on_demand: Cost,
}

/// What of some reservations was bought, used and saved in some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Utilized {
    /// Hours of instances that were bought.
    pub purchased_hours: Quantity,
    /// The same in normalised units, as far as reservations have any.
    pub purchased_units: Quantity,
    /// Hours that were used.
    pub used_hours: Quantity,
    /// The same in normalised units.
    pub used_units: Quantity,
    /// What the used hours cost On-Demand.
    pub on_demand_used: Cost,
    /// What the unused hours would have; `None` where no line says what they cost.
    pub on_demand_unused: Option<Cost>,
    /// The monthly fees.
    pub recurring: Cost,
    /// The share of what was paid up front.
    pub upfront: Cost,
    /// What of both the used hours took.
    pub effective: Cost,
}

impl Default for Utilized {
    fn default() -> Self {
        Self {
            purchased_hours: Quantity::ZERO,
            purchased_units: Quantity::ZERO,
            used_hours: Quantity::ZERO,
            used_units: Quantity::ZERO,
            on_demand_used: Cost::ZERO,
            on_demand_unused: Some(Cost::ZERO),
            recurring: Cost::ZERO,
            upfront: Cost::ZERO,
            effective: Cost::ZERO,
        }
    }
}

impl Utilized {
    /// Both together.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn plus(self, other: Self) -> Result<Self, DecimalError> {
        let unused = self.on_demand_unused.zip(other.on_demand_unused);
        Ok(Self {
            purchased_hours: self.purchased_hours.plus(other.purchased_hours)?,
            purchased_units: self.purchased_units.plus(other.purchased_units)?,
            used_hours: self.used_hours.plus(other.used_hours)?,
            used_units: self.used_units.plus(other.used_units)?,
            on_demand_used: self.on_demand_used.plus(other.on_demand_used)?,
            on_demand_unused: unused.map(|(one, other)| one.plus(other)).transpose()?,
            recurring: self.recurring.plus(other.recurring)?,
            upfront: self.upfront.plus(other.upfront)?,
            effective: self.effective.plus(other.effective)?,
        })
    }
}

/// A time, and what of each reservation was bought and used in it; in the order of their ARNs.
#[derive(Debug)]
pub struct ReservedSlice<'a> {
    /// The days, counted since 1970-01-01, the last one excluded.
    pub days: Range<i32>,
    /// The reservations that are in force in it.
    pub reserved: Vec<(&'a Reserved, Utilized)>,
}

/// The reservations that a filter picks, time after time. The months are in order and have every day that is asked for.
///
/// # Errors
/// [`QueryError::Reservations`] where a month cannot tell, [`QueryError::Unknown`] where it cannot by day.
pub fn answer<'a>(
    months: &[Month<'a>],
    days: &Range<i32>,
    granularity: Granularity,
    filter: Option<&Expression>,
) -> Result<Vec<ReservedSlice<'a>>, QueryError> {
    let mut slices = Vec::new();
    for month in months {
        let day = |seconds: i64| i32::try_from(seconds / 86_400).unwrap_or(i32::MAX);
        let (first, end) = (day(month.period.start_seconds()), day(month.period.end_seconds()));
        let asked = days.start.max(first)..days.end.min(end);
        let times: Vec<Range<i32>> = match granularity {
            Granularity::Monthly => vec![asked],
            Granularity::Daily => asked.map(|day| day..day + 1).collect(),
        };
        for days in times.into_iter().filter(|days| !days.is_empty()) {
            let mut reserved = Vec::new();
            let known = match month.facts {
                None => &[][..],
                Some(facts) => facts.reservations.as_deref().ok_or(QueryError::Reservations(facts.period))?,
            };
            for of in known.iter().filter(|of| filter.is_none_or(|filter| filter.takes(&|key| of.value(key))))
            {
                let within = days.start - first..days.end - first;
                let utilized = of.utilized(&within, end - first).map_err(QueryError::Decimal)?;
                let utilized = utilized.ok_or(QueryError::without_days(month.period))?;
                reserved.extend(utilized.map(|utilized| (of, utilized)));
            }
            slices.push(ReservedSlice { days, reserved });
        }
    }
    Ok(slices)
}

impl Reserved {
    /// What it has in a dimension.
    #[must_use]
    pub fn value(&self, key: &Key) -> Option<&str> {
        let Key::Dimension(dimension) = key else { return None };
        match dimension {
            Dimension::Az => self.terms.zone.as_deref(),
            Dimension::InstanceType => self.instance_type.as_deref(),
            Dimension::LinkedAccount => Some(&self.owner),
            Dimension::Platform => self.platform,
            Dimension::Region => Some(self.terms.region.as_str()).filter(|region| !region.is_empty()),
            Dimension::ReservationId => Some(&self.id),
            Dimension::Service => self.service.as_deref(),
            Dimension::Tenancy => self.tenancy,
            _ => None,
        }
    }

    /// What it takes in memory, about, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let days = self.of_days.as_ref().map_or(0, Vec::len) * size_of::<Used>();
        size_of::<Self>() + days + 8 * self.arn.len()
    }

    /// What was bought and used of it in some days of a month of so many, the first being 0: `None` where days are not known, nothing where it is not in force
    /// and nothing of it was used.
    fn utilized(
        &self,
        days: &Range<i32>,
        days_of_month: i32,
    ) -> Result<Option<Option<Utilized>>, DecimalError> {
        let hour = |day: i32| u32::try_from(day.max(0)).unwrap_or(0) * HOURS_OF_DAY;
        let asked = hour(days.start)..hour(days.end);
        let hours = asked.start.max(self.hours.start)..asked.end.min(self.hours.end);
        let hours = if hours.is_empty() { self.hours.start..self.hours.start } else { hours };
        // All hours in force are not the month: usage may be dated on a day on which the reservation was not in force yet, or any more.
        let is_whole = days.start <= 0 && days.end >= days_of_month;
        let used = match &self.of_days {
            _ if is_whole => self.of_month,
            None => return Ok(None),
            Some(of_days) => {
                let asked = of_days.iter().zip(0..).filter(|(_, day)| days.contains(day));
                asked.map(|(used, _)| *used).try_fold(Used::default(), Used::plus)?
            }
        };
        if hours.is_empty() && used.capacity.is_zero() {
            return Ok(Some(None));
        }
        let terms = &self.terms;
        let times = |each: Quantity| {
            let units = each.units().checked_mul(i128::try_from(hours.len()).unwrap_or(i128::MAX));
            Quantity::from_units(units.ok_or(DecimalError::TooLarge)?)
        };
        let purchased_hours = times(terms.instances)?;
        let used_hours = terms.instance_hours(used.capacity)?;
        let unused = purchased_hours.minus(used_hours)?;
        let on_demand_unused = match self.on_demand_rate {
            Some(rate) => Some(rounded(product(rate, unused)?.units())?),
            None => unused.is_zero().then_some(Cost::ZERO),
        };
        Ok(Some(Some(Utilized {
            purchased_hours,
            purchased_units: times(terms.normalized_units.unwrap_or_default())?,
            used_hours,
            used_units: terms.normalized_hours(used.capacity)?.unwrap_or_default(),
            on_demand_used: used.on_demand,
            on_demand_unused,
            recurring: self.share(self.recurring, &hours)?,
            upfront: self.share(self.upfront, &hours)?,
            effective: used.effective,
        })))
    }

    /// What some of its hours have of a fee of the month.
    ///
    /// One of the named roundings: what the month's hours have up to the first and up to the last of these, each half away from zero at ten decimals, so
    /// that the parts of the month add up to the fee.
    fn share(&self, fee: Cost, hours: &Range<u32>) -> Result<Cost, DecimalError> {
        let all = i128::try_from(self.hours.len()).unwrap_or(1).max(1);
        let until = |hour: u32| {
            let dividend = fee.units().checked_mul((hour - self.hours.start).into());
            Ok::<_, DecimalError>(divide_half_away(dividend.ok_or(DecimalError::TooLarge)?, all).0)
        };
        Cost::from_units(until(hours.end)? - until(hours.start)?)
    }
}

impl Used {
    fn plus(self, other: Self) -> Result<Self, DecimalError> {
        Ok(Self {
            capacity: self.capacity.plus(other.capacity)?,
            effective: self.effective.plus(other.effective)?,
            on_demand: self.on_demand.plus(other.on_demand)?,
        })
    }
}

/// An amount in units of 10⁻²⁰ at ten decimals, half away from zero: one of the named roundings.
fn rounded(units: i128) -> Result<Cost, DecimalError> {
    Cost::from_units(divide_half_away(units, ten_to(10)).0)
}

#[cfg(test)]
mod tests;
