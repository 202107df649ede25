//! AWS's public On-Demand prices of a month: tiers by SKU, and the quantities that several SKUs have free together.
//!
//! Cost files show one public rate of a SKU, that of the dearest tier. What the other tiers cost and where they begin is in the
//! price list alone (AWS, "Getting price list files"; ranges are cumulative quantities of a month).

use crate::money::{Currency, Quantity};
use crate::tiers::Tiers;
use std::collections::{BTreeMap, BTreeSet};

/// The prices that a month needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PriceList {
    /// The versions of offers that the prices are of, in the order of service and publication.
    pub offers: Vec<OfferVersion>,
    /// By SKU: the prices in force in the month, the earliest first. More than one where AWS has changed a price within the month.
    pub prices: BTreeMap<String, Vec<ListPrice>>,
    /// Quantities that are free each month, whoever's SKU it is used by.
    pub quotas: Vec<FreeQuota>,
}

/// One publication of a service's price list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OfferVersion {
    /// The offer code, which is the service code: `AmazonS3`.
    pub service: String,
    /// When AWS published it, as the file says: `2026-09-28T17:04:05Z`.
    pub published: String,
    /// The version, as the file says.
    pub version: String,
}

/// The On-Demand price of a SKU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPrice {
    /// The publication, by number in [`PriceList::offers`].
    pub offer: usize,
    /// The currency of the rates.
    pub currency: Currency,
    /// The unit that ranges and rates count in.
    pub unit: String,
    /// The tiers of a family's usage in a month.
    pub tiers: Tiers,
    /// The rate codes of the tiers, in their order.
    pub rate_codes: Vec<String>,
}

/// A quantity that is free each month, of the usage of several SKUs together: AWS's Always Free Tier across regions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeQuota {
    /// The publication, by number in [`PriceList::offers`].
    pub offer: usize,
    /// The rate code of free usage, `SKU.TERM.TIER` of the quota's own SKU.
    pub rate_code: String,
    /// How much is free.
    pub quantity: Quantity,
    /// Whose usage counts.
    pub skus: BTreeSet<String>,
}

impl PriceList {
    /// The price of a SKU in a currency: of the versions in force the latest that agrees with what is known of a line.
    ///
    /// `None` where the list does not have the SKU in the currency, or no version agrees.
    #[must_use]
    pub fn price(
        &self,
        sku: &str,
        currency: Currency,
        agrees: impl Fn(&ListPrice) -> bool,
    ) -> Option<&ListPrice> {
        let in_currency = self.prices.get(sku)?.iter().filter(|price| price.currency == currency);
        in_currency.rev().find(|price| agrees(price))
    }
}
