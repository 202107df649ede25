//! What a month needs of a price list.

use billing::charge_class::{Cube, KeyColumn};
use billing::cost_line::LineItemType;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a month needs of a price list: nothing else of it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    /// The month, as `YYYY-MM`.
    pub period: String,
    /// The SKUs of its usage.
    pub skus: BTreeSet<String>,
    /// The currencies of its lines.
    pub currencies: BTreeSet<String>,
    /// By service or product code, the regions of its usage.
    pub services: BTreeMap<String, BTreeSet<String>>,
    /// Whether some usage names its service in words, as FOCUS may: then every offer may be one that is needed.
    pub any_service: bool,
}

impl Needs {
    /// What the metered lines of a month need.
    #[must_use]
    pub fn of(cube: &Cube) -> Self {
        let mut needs = Self { period: cube.period.to_string(), ..Self::default() };
        for class in &cube.classes {
            let filled = |column| cube.filled(class, column);
            let kind = filled(KeyColumn::LineItemType).map(LineItemType::parse);
            let Some(sku) = filled(KeyColumn::Sku).filter(|_| kind.is_some_and(LineItemType::is_metered))
            else {
                continue;
            };
            if !needs.skus.contains(sku) {
                needs.skus.insert(sku.to_owned());
            }
            for currency in [KeyColumn::Currency, KeyColumn::PricingCurrency].into_iter().filter_map(filled) {
                if !needs.currencies.contains(currency) {
                    needs.currencies.insert(currency.to_owned());
                }
            }
            let region = filled(KeyColumn::Region).unwrap_or_default();
            // Offers are of services, but some products are in the offer of the product that is billed.
            let codes = [KeyColumn::ServiceCode, KeyColumn::ProductCode].map(filled);
            needs.any_service |= codes == [None, None];
            for code in codes.into_iter().flatten() {
                needs.any_service |= code.contains(' ');
                let regions = needs.services.entry(code.to_owned()).or_default();
                if !regions.contains(region) {
                    regions.insert(region.to_owned());
                }
            }
        }
        needs
    }

    /// Whether the offer of a service may have something that is needed.
    #[must_use]
    pub fn has_service(&self, service: &str) -> bool {
        self.any_service || self.services.contains_key(service)
    }
}
