//! FOCUS, the FinOps Open Cost and Usage Specification: its columns in the places of CUR's, and its versions.
//!
//! A FOCUS line is translated to CUR's vocabulary while it is read, so that nothing behind this knows a second format: columns
//! that say the same are read in CUR's place ([`vocabulary`]); what FOCUS says in several columns (the kind of a charge, whose
//! commitment it is) becomes CUR's value in [`translation`]. `docs/focus.md` has the tables in words.

pub mod charge;
pub mod translation;
pub mod vocabulary;

use crate::codes::{Bound, Codes};
use crate::layout::Layout;
use billing::money::Cost;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use vocabulary::{FREQUENCY, PROVIDERS};

/// The columns that only FOCUS has.
#[derive(Debug, Clone)]
pub struct FocusColumns {
    provider: Bound,
    charge_class: Bound,
    commitment_type: Bound,
    commitment_status: Bound,
    frequency: Option<Bound>,
}

impl FocusColumns {
    /// The columns of a layout. `None` where it is not one of FOCUS; necessary columns are there.
    #[must_use]
    pub fn new(layout: &Layout) -> Option<Self> {
        let bound = |name| layout.column(name).map(|place| Bound { name, place });
        let provider = PROVIDERS.into_iter().find_map(bound)?;
        Some(Self {
            provider,
            charge_class: bound("ChargeClass")?,
            commitment_type: bound("CommitmentDiscountType")?,
            commitment_status: bound("CommitmentDiscountStatus")?,
            frequency: bound(FREQUENCY),
        })
    }

    /// All of them, to be read.
    pub fn all(&self) -> impl Iterator<Item = Bound> {
        let Self { provider, charge_class, commitment_type, commitment_status, frequency } = self;
        [*provider, *charge_class, *commitment_type, *commitment_status].into_iter().chain(*frequency)
    }

    /// Reads them, by what reads a text column.
    pub fn read(&self, mut texts: impl FnMut(Bound) -> Codes) -> FocusTexts {
        FocusTexts {
            provider_name: self.provider.name,
            provider: texts(self.provider),
            charge_class: texts(self.charge_class),
            commitment_type: texts(self.commitment_type),
            commitment_status: texts(self.commitment_status),
            frequency: self.frequency.map(texts),
        }
    }
}

/// What a batch says in these columns.
pub struct FocusTexts {
    provider_name: &'static str,
    provider: Codes,
    charge_class: Codes,
    commitment_type: Codes,
    commitment_status: Codes,
    frequency: Option<Codes>,
}

/// What a provider that is not AWS billed in a currency; no part of any other total.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherProvider {
    /// Its name.
    pub provider: String,
    /// The currency.
    pub currency: String,
    /// How many lines.
    pub lines: u64,
    /// Their billed cost, as a plain decimal.
    pub billed_cost: String,
}

/// What another provider billed: by provider and currency, lines and units of billed cost.
pub type OtherProviders = BTreeMap<(String, String), (u64, i128)>;

/// Adds what was counted elsewhere.
pub fn add_others(others: &mut OtherProviders, more: OtherProviders) {
    for (of, (lines, units)) in more {
        let sum = others.entry(of).or_default();
        *sum = (sum.0 + lines, sum.1 + units);
    }
}

/// The same as a report tells it.
///
/// # Errors
/// Which sum is beyond all money.
pub fn other_providers(others: OtherProviders) -> Result<Vec<OtherProvider>, String> {
    let others = others.into_iter().map(|((provider, currency), (lines, units))| {
        let billed_cost = Cost::from_units(units)
            .map_err(|error| format!("the sum of all {currency} of {provider} is {error}"))?;
        Ok(OtherProvider { provider, currency, lines, billed_cost: billed_cost.to_string() })
    });
    others.collect()
}

#[cfg(test)]
mod tests;
