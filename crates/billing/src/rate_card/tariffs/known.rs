//! What is known of AWS's tiers in a month, as a price list: for whoever prices a part of the month and cannot see it there.

use super::{SkuPrice, Tariffs, TierSource};
use crate::charge_class::{Cube, TextId};
use crate::class_kind::has_terms;
use crate::money::Currency;
use crate::price_list::{FreeQuota, ListPrice, OfferVersion, PriceList};
use std::collections::{BTreeMap, BTreeSet};

/// What stands for an offer where the tiers were told from cost files.
const FROM_COST_FILES: &str = "as cost files show it";

/// The public prices of some SKUs: those of the price list, and the tiers and free quotas that the month's cost files show.
#[must_use]
pub fn known_prices(cube: &Cube, prices: &PriceList, skus: &BTreeSet<&str>) -> PriceList {
    let tariffs = Tariffs::new(cube, prices, has_terms(cube));
    let mut known = PriceList { offers: prices.offers.clone(), ..PriceList::default() };
    let of_list = prices.prices.iter().filter(|(sku, _)| skus.contains(sku.as_str()));
    known.prices.extend(of_list.map(|(sku, prices)| (sku.clone(), prices.clone())));
    for quota in &prices.quotas {
        let of_quota: BTreeSet<String> =
            quota.skus.iter().filter(|sku| skus.contains(sku.as_str())).cloned().collect();
        if !of_quota.is_empty() {
            known.quotas.push(FreeQuota { skus: of_quota, ..quota.clone() });
        }
    }
    let offer = known.offers.len();
    let shown: Vec<(&str, ListPrice)> = tariffs.shown(cube, offer);
    for (sku, price) in shown.into_iter().filter(|(sku, _)| skus.contains(sku)) {
        known.prices.entry(sku.to_owned()).or_default().push(price);
    }
    known.quotas.extend(tariffs.shown_quotas(cube, prices.quotas.len(), offer, skus));
    let is_used = known.prices.values().flatten().any(|price| price.offer == offer)
        || known.quotas.iter().any(|quota| quota.offer == offer);
    if is_used {
        let [service, published, version] = ["-", FROM_COST_FILES, "-"].map(ToOwned::to_owned);
        known.offers.push(OfferVersion { service, published, version });
    }
    known
}

impl Tariffs {
    /// The tiers that cost files show, by SKU, in one order.
    fn shown<'a>(&self, cube: &'a Cube, offer: usize) -> Vec<(&'a str, ListPrice)> {
        let mut all = BTreeMap::new();
        for (key, price) in &self.by_price {
            let SkuPrice::Tiers(number) = price else { continue };
            let tariff = self.tariff(*number);
            let currency = Currency::parse(cube.text(key.currency));
            let (TierSource::CostFiles, Some(currency)) = (tariff.source, currency) else { continue };
            let [sku, rate, unit] = [key.sku, key.public_rate, key.unit].map(|id: TextId| cube.text(id));
            let rate_codes = vec![String::new(); tariff.tiers.all().len()];
            let price =
                ListPrice { offer, currency, unit: unit.to_owned(), tiers: tariff.tiers.clone(), rate_codes };
            all.insert((sku, rate, unit, currency), price);
        }
        all.into_iter().map(|((sku, ..), price)| (sku, price)).collect()
    }

    /// The free quotas that cost files show, for some SKUs; the first ones are those of the price list.
    fn shown_quotas(
        &self,
        cube: &Cube,
        of_list: usize,
        offer: usize,
        skus: &BTreeSet<&str>,
    ) -> Vec<FreeQuota> {
        let mut by_quota: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
        for (sku, quota) in &self.quota_by_sku {
            let sku = cube.text(*sku);
            if let Some(quota) = quota.filter(|quota| *quota as usize >= of_list && skus.contains(sku)) {
                by_quota.entry(quota).or_default().insert(sku.to_owned());
            }
        }
        let terms = |(number, skus): (u32, BTreeSet<String>)| {
            let quantity = self.quota_terms(number).quantity?;
            Some(FreeQuota { offer, rate_code: String::new(), quantity, skus })
        };
        by_quota.into_iter().filter_map(terms).collect()
    }
}
