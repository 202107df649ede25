//! From a priced month to its reservations.

use super::{Reserved, Used};
use crate::facts::{FactsError, Priced};
use crate::naming;
use billing::breakdown::DayOfClass;
use billing::charge_class::{ChargeClass, ClassId, Cube, KeyColumn, Measure};
use billing::class_kind::{has_terms, line_item_type};
use billing::commitment::{Capacity, Commitment, Eligible, Reservation, Terms, UsageType};
use billing::cost_line::LineItemType;
use billing::money::{Cost, DecimalError, Quantity, Rate, product};
use std::collections::{BTreeMap, HashMap};

/// The reservations of a month, in the order of their ARNs; `None` where its cost files do not say what they are.
pub fn reservations(month: &Priced<'_>) -> Result<Option<Vec<Reserved>>, FactsError> {
    let Some(commitments) = month.commitments else { return Ok(None) };
    let mut all: BTreeMap<&str, Building<'_>> = BTreeMap::new();
    for commitment in commitments {
        if let Terms::Reservation(terms) = &commitment.terms {
            all.insert(&commitment.arn, Building::new(month, commitment, terms));
        }
    }
    let mut days_of: HashMap<ClassId, &[DayOfClass]> = HashMap::new();
    for of_class in month.days.into_iter().flat_map(|days| days.classes.chunk_by(|a, b| a.class == b.class)) {
        days_of.insert(of_class[0].class, of_class);
    }
    for class in &month.cube.classes {
        let arn = month.cube.filled(class, KeyColumn::ReservationArn);
        let Some(building) = arn.and_then(|arn| all.get_mut(arn)) else { continue };
        match line_item_type(month.cube, class) {
            LineItemType::RiFee => {
                building.reserved.recurring =
                    building.reserved.recurring.plus(class.sum(Measure::Unblended))?;
                building.reserved.upfront =
                    building.reserved.upfront.plus(class.sum(Measure::AmortizedUpfront))?;
            }
            LineItemType::DiscountedUsage => {
                let days = days_of.get(&month.cube.class_id(class)).copied().unwrap_or_default();
                building.add_use(month, class, days)?;
            }
            _ => {}
        }
    }
    let month_has_terms = has_terms(month.cube);
    for class in &month.cube.classes {
        let Some(eligible) = Eligible::of(month.cube, class, month_has_terms) else { continue };
        let Some(rate) = eligible.public_rate else { continue };
        // Reservations are few, and reach little.
        all.values_mut().for_each(|building| building.note_rate(&eligible, rate, class.sum(Measure::Usage)));
    }
    Ok(Some(all.into_values().map(Building::finish).collect()))
}

/// A reservation on its way.
struct Building<'a> {
    commitment: &'a Commitment,
    reserved: Reserved,
    /// The rate of the most usage of its own instance type that it may cover: what it covers itself first.
    rate: Option<(bool, Quantity, Rate)>,
}

impl<'a> Building<'a> {
    fn new(month: &Priced<'_>, commitment: &'a Commitment, terms: &Reservation) -> Self {
        let Commitment { arn, owner, hours, .. } = commitment;
        let usage_type = UsageType::parse(&terms.usage_type);
        let has_beyond = |day: &DayOfClass| day.beyond_prices.is_some();
        let days = month.days.filter(|days| days.classes.iter().all(has_beyond));
        let count = (month.cube.period.end_seconds() - month.cube.period.start_seconds()) / 86_400;
        let reserved = Reserved {
            arn: arn.clone(),
            id: naming::reservation_id(arn).to_owned(),
            owner: owner.clone(),
            terms: terms.clone(),
            service: naming::service_of(month.cube, &terms.service, usage_type).map(ToOwned::to_owned),
            instance_type: usage_type.instance.map(ToOwned::to_owned),
            platform: naming::platform_of(&terms.operation),
            tenancy: naming::tenancy_of(usage_type),
            on_demand_rate: None,
            hours: hours.clone(),
            recurring: Cost::ZERO,
            upfront: Cost::ZERO,
            of_month: Used::default(),
            of_days: days.map(|_| vec![Used::default(); usize::try_from(count).unwrap_or(31)]),
        };
        Self { commitment, reserved, rate: None }
    }

    /// Adds usage that it covers, by day where days are known: those outside the month are on the nearest of it, as everywhere.
    fn add_use(
        &mut self,
        month: &Priced<'_>,
        class: &ChargeClass,
        days: &[DayOfClass],
    ) -> Result<(), DecimalError> {
        let first_day = i32::try_from(month.cube.period.start_seconds() / 86_400).unwrap_or(0);
        let takes = self.takes(month.cube, class);
        let used = |usage, normalized: Quantity, effective, on_demand| {
            let capacity = match takes {
                Some(takes) => product(usage, takes)?,
                None => normalized.to_amount()?,
            };
            Ok::<_, DecimalError>(Used {
                capacity: Capacity::from_units(capacity.units())?,
                effective,
                on_demand,
            })
        };
        let sum = |measure| class.sum(measure);
        let of_month = used(
            sum(Measure::Usage),
            sum(Measure::NormalizedUsage),
            sum(Measure::ReservationEffective),
            sum(Measure::PublicOnDemand),
        )?;
        self.reserved.of_month = self.reserved.of_month.plus(of_month)?;
        let Some(of_days) = &mut self.reserved.of_days else { return Ok(()) };
        for day in days {
            let beyond = day.beyond_prices.map(|of| (of.normalized_usage, of.amortized)).unwrap_or_default();
            let place = day.date.map_or(0, |date| date.saturating_sub(first_day)).max(0);
            let place = usize::try_from(place).unwrap_or(0).min(of_days.len() - 1);
            let of_day = used(day.usage, beyond.0, beyond.1, day.public_on_demand)?;
            of_days[place] = of_days[place].plus(of_day)?;
        }
        Ok(())
    }

    /// What a unit of usage that AWS has covered takes of the capacity. `None` where only normalised units can say: usage of another size.
    fn takes(&self, cube: &Cube, class: &ChargeClass) -> Option<Quantity> {
        let eligible = Eligible::of(cube, class, true)?;
        let flexible = self.reserved.terms.is_size_flexible();
        self.commitment.takes(&eligible).or((!flexible).then_some(Quantity::ONE))
    }

    fn note_rate(&mut self, eligible: &Eligible<'_>, rate: Rate, usage: Quantity) {
        let is_own_size = eligible.parts().instance == self.reserved.instance_type.as_deref();
        if is_own_size && self.reserved.terms.reach(eligible).is_some() {
            let is_covered = eligible.covered_by == Some(&self.reserved.arn);
            let noted = (is_covered, usage, rate);
            self.rate = Some(self.rate.map_or(noted, |known| known.max(noted)));
        }
    }

    fn finish(self) -> Reserved {
        Reserved { on_demand_rate: self.rate.map(|(.., rate)| rate), ..self.reserved }
    }
}
