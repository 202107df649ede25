//! The net amortized cost of lines that fees of commitments are spread over: the one measure that is made of several columns.
//!
//! AWS fills the net columns where a discount programme applies. A null is no discount: the column without `net` holds. Of what is unused of a Savings
//! Plan there is no net column at all, but of the whole commitment: see [`billing::amortized::net_unused`].

use crate::batch::{Batch, Numbers};
use crate::codes::{Bound, Codes};
use crate::layout::NetColumn;
use billing::abilities::Feature;
use billing::amortized::{Sign, amortized_from, net_unused};
use billing::charge_class::{KeyColumn, Measure};
use billing::cost_line::LineItemType;
use billing::money::Quantity;

/// How many columns there are.
const NET_COLUMNS: usize = NetColumn::ALL.len();

impl NetColumn {
    /// The column's name, and what files without it cannot say.
    pub const fn needed_for(self) -> (&'static str, Feature) {
        let feature = match self {
            Self::ReservationEffective | Self::UnusedRecurring | Self::UnusedUpfront => {
                Feature::NetReservations
            }
            Self::PlanEffective | Self::PlanRecurring | Self::PlanUpfront | Self::GrossPlanRecurring => {
                Feature::NetSavingsPlans
            }
        };
        (self.name(), feature)
    }
}

/// Where a file has the columns; `None` of those that it does not have.
#[derive(Debug, Clone, Copy)]
pub struct NetColumns([Option<Bound>; NET_COLUMNS]);

/// Their numbers in a batch; none where it has no lines that need them.
#[derive(Default)]
pub struct NetNumbers([Option<Numbers>; NET_COLUMNS]);

impl NetColumns {
    /// The columns by their names, but for those that only stand beside net ones.
    pub fn new(bound: impl Fn(&'static str) -> Option<Bound>) -> Self {
        let mut columns = NetColumn::ALL.map(|column| bound(column.name()));
        let is_there = |column: NetColumn| columns[column as usize].is_some();
        if !is_there(NetColumn::PlanRecurring) && !is_there(NetColumn::PlanUpfront) {
            columns[NetColumn::GrossPlanRecurring as usize] = None;
        }
        Self(columns)
    }

    /// All that are there.
    pub fn all(&self) -> impl Iterator<Item = Bound> {
        self.0.into_iter().flatten()
    }

    /// Reads them, by what reads a number column.
    pub fn read(&self, mut amounts: impl FnMut(Bound) -> Numbers) -> NetNumbers {
        NetNumbers(self.0.map(|column| column.map(&mut amounts)))
    }
}

impl NetNumbers {
    /// A row's number; `None` where it is null or the file has no such column.
    fn of(&self, column: NetColumn, row: usize) -> Option<i128> {
        let numbers = self.0[column as usize].as_ref()?;
        numbers.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)).then(|| numbers.value(row))
    }

    /// What a measure is net of discounts, where the row says so.
    fn of_measure(&self, measure: Measure, row: usize) -> Option<i128> {
        let column = match measure {
            Measure::ReservationEffective => NetColumn::ReservationEffective,
            Measure::SavingsPlanEffective => NetColumn::PlanEffective,
            Measure::UnusedReservationRecurring => NetColumn::UnusedRecurring,
            Measure::UnusedReservationUpfront => NetColumn::UnusedUpfront,
            _ => return None,
        };
        self.of(column, row)
    }

    /// A Savings Plan's commitment in the hour of a row, before and after discounts, by what of it was paid up front. A net part whose gross part the row does not say is none
    /// of the commitment: it would be a discount of less than nothing.
    fn commitment(&self, upfront: i128, row: usize) -> (i128, i128) {
        let recurring = self.of(NetColumn::GrossPlanRecurring, row).unwrap_or(0);
        let of_net = |column, gross| self.of(column, row).filter(|_| gross != 0).unwrap_or(gross);
        let net = of_net(NetColumn::PlanRecurring, recurring) + of_net(NetColumn::PlanUpfront, upfront);
        (recurring + upfront, net)
    }
}

/// Whether a line of a type has fees of commitments spread over it.
fn is_spread_over(kind: LineItemType) -> bool {
    amortized_from(kind, false, false).is_some_and(|terms| !terms.is_empty())
}

/// Whether there are such lines by the types of a batch's; most months have few, and nothing more is read of the other batches.
pub fn has_commitments(types: &Codes) -> bool {
    types.values.iter().flatten().any(|text| is_spread_over(LineItemType::parse(text)))
}

/// Adds the measure to a batch whose rows have the line item types of CUR, where there is anything in it.
pub fn add(batch: &mut Batch, net: &NetNumbers) {
    let types = batch.keys[KeyColumn::LineItemType as usize].as_ref();
    let Some(codes) = types.filter(|types| has_commitments(types)) else { return };
    let kinds: Vec<LineItemType> =
        codes.values.iter().map(|text| LineItemType::parse(text.unwrap_or_default())).collect();
    let mut numbers = Numbers { units: vec![0; batch.rows], ..Numbers::default() };
    for row in 0..batch.rows {
        let Some(kind) = codes.place(row).map(|place| kinds[place]).filter(|kind| is_spread_over(*kind))
        else {
            continue;
        };
        numbers.set(row, of_row(batch, net, kind, row));
    }
    batch.measures.push((Measure::NetAmortized, numbers));
}

/// The net amortized cost of a row of a type that fees are spread over.
fn of_row(batch: &Batch, net: &NetNumbers, kind: LineItemType, row: usize) -> i128 {
    let terms = amortized_from(kind, false, false).unwrap_or_default();
    let gross = |measure| -> i128 {
        let of = batch.measures.iter().filter(|(of, _)| *of == measure);
        of.map(|(_, numbers)| numbers.value(row)).sum()
    };
    let signed = |sign: Sign, units: i128| match sign {
        Sign::Plus => units,
        Sign::Minus => -units,
    };
    let sum = |value: &dyn Fn(Measure) -> i128| -> i128 {
        terms.iter().map(|(measure, sign)| signed(*sign, value(*measure))).sum()
    };
    if kind != LineItemType::SavingsPlanRecurringFee {
        return sum(&|measure| net.of_measure(measure, row).unwrap_or_else(|| gross(measure)));
    }
    let unused = sum(&gross);
    let (commitment, of_net) = net.commitment(gross(Measure::AmortizedUpfront), row);
    let [quantity, commitment, of_net] = [unused, commitment, of_net].map(Quantity::from_units);
    // Beyond all money: such a row is rejected for the number that is.
    let discounted = quantity.and_then(|unused| net_unused(unused, commitment?, of_net?));
    discounted.map_or(unused, Quantity::units)
}
