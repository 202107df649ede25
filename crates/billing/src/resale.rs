//! Resale: what one level of a chain of billing transfers charges the next one is the next one's cost.
//!
//! A level sees the price that the level right above it has set, and nothing of how that came about (AWS Billing Conductor user guide,
//! "Best practices": billing transfer with two levels). So what its groups are charged above becomes a cube of its own, class by class, whose
//! unblended and net unblended costs are the amounts as the statements above show them; public prices stay what they are.
//! `docs/resale.md` has the rules in words.

mod keys;

use crate::abilities::{Ability, Feature};
use crate::account::AccountId;
use crate::book::Book;
use crate::breakdown::{self, BreakdownError, ChargedFor, DayOfClass, Days, Part, Source};
use crate::charge_class::{
    ChargeClass, ClassId, Cube, KEY_COLUMNS, KeyColumn, MEASURES, Measure, TextId, Texts,
};
use crate::coverage::Coverage;
use crate::money::{Cost, Currency, DecimalError, Quantity};
use crate::period::BillingPeriod;
use crate::rate_card::RateCard;
use crate::reconciliation::ControlTotal;
use crate::responsibility_transfer::{Phase, ResponsibilityTransfer};
use crate::statement::Statement;
use keys::Keys;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A month of the level above.
#[derive(Debug, Clone, Copy)]
pub struct Above<'a> {
    /// Its classes.
    pub cube: &'a Cube,
    /// Its book.
    pub book: &'a Book,
    /// What the book makes of each class.
    pub card: &'a RateCard,
    /// What its groups are charged.
    pub statements: &'a [Statement],
    /// What commitments cover, where that was simulated.
    pub coverage: Option<&'a Coverage>,
    /// The month by day, where that is known.
    pub days: Option<Days<'a>>,
}

/// What a level is charged, as its cost.
#[derive(Debug)]
pub struct Charged {
    /// By charge class; the payer is the level's account.
    pub cube: Cube,
    /// What the statements above say in all.
    pub control: BTreeMap<Currency, ControlTotal>,
    /// The classes by day, in the order of their ids, where the level above knows days.
    pub days: Option<Vec<DayOfClass>>,
}

/// Why a level's cost cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResaleError {
    /// What the groups above are charged cannot be taken apart.
    #[error(transparent)]
    Breakdown(#[from] BreakdownError),
    /// A sum is beyond what money can hold.
    #[error("an amount is {0}")]
    Decimal(#[from] DecimalError),
}

/// The groups whose bill an account receives or passes on in a period, by number in the book: those of its own transfer, and those whose bills
/// reach the payer through it.
#[must_use]
pub fn groups_of_level(book: &Book, period: BillingPeriod, account: &AccountId) -> Vec<usize> {
    let passes = |group: &usize| ways(book, period, *group).iter().any(|of| of.source == *account);
    book.groups_of(period).filter(passes).collect()
}

/// The accounts that are levels of their own in a period.
#[must_use]
pub fn levels(book: &Book, period: BillingPeriod) -> BTreeSet<&AccountId> {
    let ways = book.groups_of(period).flat_map(|group| ways(book, period, group));
    ways.map(|transfer| &transfer.source).collect()
}

/// The transfers in force that take a group's bill to the payer, the group's own first; none where the group is of no transfer in force.
fn ways(book: &Book, period: BillingPeriod, group: usize) -> Vec<&ResponsibilityTransfer> {
    let in_force = |transfer: &&ResponsibilityTransfer| transfer.phase(period) == Phase::InForce;
    let mut next = book.groups[group].transfer.map(|transfer| &book.transfers[transfer]).filter(in_force);
    let mut ways: Vec<&ResponsibilityTransfer> = Vec::new();
    while let Some(transfer) = next {
        ways.push(transfer);
        next = book.transfers.iter().filter(in_force).find(|of| of.source == transfer.receiver);
    }
    ways
}

/// What the level of an account is charged.
///
/// # Errors
/// [`ResaleError`].
pub fn charged(above: Above<'_>, account: &AccountId) -> Result<Charged, ResaleError> {
    let groups: BTreeSet<usize> =
        groups_of_level(above.book, above.cube.period, account).into_iter().collect();
    let of_level = |group: Option<usize>| group.is_some_and(|group| groups.contains(&group));
    let mut parts = breakdown::parts(above.cube, above.book, above.card, above.statements, above.days)?;
    parts.retain(|part| of_level(part.group) && part.pro_forma.is_some());
    let mut charges = Charges { keys: Keys::new(above), texts: Texts::default(), by_key: HashMap::new() };
    // The parts of one source stand together.
    for of_source in parts.chunk_by(|one, other| one.source == other.source) {
        charges.add(above, of_source)?;
    }
    let mut control: BTreeMap<Currency, ControlTotal> = BTreeMap::new();
    for statement in above.statements.iter().filter(|statement| of_level(Some(statement.group))) {
        let total = control.entry(statement.currency).or_default();
        total.net_unblended = total.net_unblended.plus(statement.total_shown)?;
        total.unblended = total.net_unblended;
    }
    charges.finish(above, account, control)
}

/// A class that a level is charged for.
struct Charge {
    class: ChargeClass,
    days: BTreeMap<Option<i32>, (Cost, ChargedFor)>,
}

/// The classes that a level is charged for, by key.
struct Charges<'a> {
    keys: Keys<'a>,
    texts: Texts,
    by_key: HashMap<[TextId; KEY_COLUMNS], Charge>,
}

impl Charges<'_> {
    /// Adds what a level is charged for a class, for what is covered of it, or for a custom line item.
    fn add(&mut self, above: Above<'_>, parts: &[Part]) -> Result<(), DecimalError> {
        let source = parts[0].source;
        let mut total = Cost::ZERO;
        for part in parts {
            total = total.plus(part.pro_forma.unwrap_or_default())?;
        }
        let key = self.keys.of(source, total);
        let key = key.map(|value| value.map_or(TextId::NULL, |text| self.texts.intern(&text)));
        let (normalized, rate) = match source {
            Source::Class(number) => {
                let left = above.card.class(above.cube, number);
                let same = total == left.sum(Measure::Unblended);
                let rate = above.cube.texts.get(left.unblended_rate).filter(|_| same);
                (left.sum(Measure::NormalizedUsage), rate)
            }
            Source::Covered(number) => {
                (above.card.covered[number].covered.measure(Measure::NormalizedUsage), None)
            }
            Source::Negation(_) | Source::Item(..) => (Quantity::ZERO, None),
        };
        let mut class = ChargeClass {
            key,
            lines: 0,
            lines_without_net: 0,
            unblended_rate: rate.map_or(TextId::NULL, |rate| self.texts.intern(rate)),
            sums: [Quantity::ZERO; MEASURES],
        };
        class.sums[Measure::NormalizedUsage as usize] = normalized;
        // Nobody averages what a level is charged: its blended cost is what it is charged.
        for measure in [Measure::Unblended, Measure::NetUnblended, Measure::Blended] {
            class.sums[measure as usize] = total;
        }
        for part in parts {
            let ChargedFor { lines, usage, public_on_demand } = part.charged;
            class.lines += lines;
            for (measure, more) in [(Measure::Usage, usage), (Measure::PublicOnDemand, public_on_demand)] {
                let sum = &mut class.sums[measure as usize];
                *sum = sum.plus(more)?;
            }
        }
        let days = match self.by_key.entry(key) {
            std::collections::hash_map::Entry::Occupied(known) => {
                let charge = known.into_mut();
                charge.class.absorb(&class)?;
                &mut charge.days
            }
            std::collections::hash_map::Entry::Vacant(new) => {
                &mut new.insert(Charge { class, days: BTreeMap::new() }).days
            }
        };
        for part in parts {
            let (cost, of_day) = days.entry(part.date).or_default();
            *cost = cost.plus(part.pro_forma.unwrap_or_default())?;
            of_day.lines += part.charged.lines;
            of_day.usage = of_day.usage.plus(part.charged.usage)?;
            of_day.public_on_demand = of_day.public_on_demand.plus(part.charged.public_on_demand)?;
        }
        Ok(())
    }

    fn finish(
        self,
        above: Above<'_>,
        account: &AccountId,
        control: BTreeMap<Currency, ControlTotal>,
    ) -> Result<Charged, ResaleError> {
        let (mut classes, mut days) = (Vec::new(), Vec::new());
        for charge in self.by_key.into_values() {
            classes.push(charge.class);
            days.push(charge.days);
        }
        let Cube { period, abilities, product_names, .. } = above.cube;
        let (mut cube, numbers) =
            Cube::numbered(*period, Some(account.clone()), self.texts, classes, BTreeMap::new());
        let products: BTreeSet<&str> = cube.classes.iter().map(|class| cube.product(class)).collect();
        let names = product_names.iter().filter(|(product, _)| products.contains(product.as_str()));
        cube.product_names = names.map(|(product, name)| (product.clone(), name.clone())).collect();
        cube.abilities = abilities.with(Feature::BlendedCost, Ability::Told);
        for feature in [
            Feature::TiersOfFamily,
            Feature::ReservationEffectiveCost,
            Feature::SavingsPlanEffectiveCost,
            Feature::UnusedReservations,
            Feature::UnusedSavingsPlans,
            Feature::NetReservations,
            Feature::NetSavingsPlans,
            Feature::Tags,
            Feature::CostCategories,
            Feature::Resources,
            Feature::Lines,
        ] {
            cube.abilities = cube.abilities.with(feature, Ability::Absent);
        }
        let mut by_class: BTreeMap<(ClassId, Option<i32>), DayOfClass> = BTreeMap::new();
        for (number, of_class) in numbers.into_iter().zip(days) {
            let class = cube.class_id(&cube.classes[number as usize]);
            let rows = of_class.into_iter().map(|(date, (cost, of_day))| {
                let ChargedFor { lines, usage, public_on_demand } = of_day;
                let (unblended, net_unblended) = (cost, cost);
                let day = DayOfClass {
                    class,
                    date,
                    lines,
                    usage,
                    unblended,
                    net_unblended,
                    public_on_demand,
                    // What covered usage took of its commitment is not told to the level below.
                    beyond_prices: None,
                };
                ((class, date), day)
            });
            by_class.extend(rows);
        }
        let days = above.days.map(|_| by_class.into_values().collect());
        Ok(Charged { cube, control, days })
    }
}

/// The SKUs of a cube.
#[must_use]
pub fn skus(cube: &Cube) -> BTreeSet<&str> {
    cube.classes.iter().filter_map(|class| cube.filled(class, KeyColumn::Sku)).collect()
}
