//! `price-list.json`: the prices that a run was priced with, kept in it for those who ask it later.

use billing::money::{Currency, Quantity, Rate};
use billing::price_list::{FreeQuota, ListPrice, OfferVersion, PriceList};
use billing::tiers::{Tier, Tiers};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Its name in a result folder.
pub const PRICE_LIST_FILE: &str = "price-list.json";
/// The version of its layout; another version is refused.
const FORMAT_VERSION: u64 = 1;

/// The content of the file; decimals are strings, and every list and map is in order.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    format_version: u64,
    offers: Vec<KeptOffer>,
    prices: BTreeMap<String, Vec<KeptPrice>>,
    free_quotas: Vec<KeptQuota>,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptOffer {
    service: String,
    version: String,
    published: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptPrice {
    /// The publication, by place in `offers`.
    offer: usize,
    currency: String,
    unit: String,
    tiers: Vec<KeptTier>,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptTier {
    begin: String,
    end: Option<String>,
    rate: String,
    rate_code: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptQuota {
    offer: usize,
    rate_code: String,
    quantity: String,
    skus: BTreeSet<String>,
}

/// The file's bytes.
///
/// # Errors
/// None in practice: everything in it can be written.
pub fn bytes(list: &PriceList) -> serde_json::Result<Vec<u8>> {
    let offer = |OfferVersion { service, version, published }: &OfferVersion| KeptOffer {
        service: service.clone(),
        version: version.clone(),
        published: published.clone(),
    };
    let quota = |FreeQuota { offer, rate_code, quantity, skus }: &FreeQuota| KeptQuota {
        offer: *offer,
        rate_code: rate_code.clone(),
        quantity: quantity.to_string(),
        skus: skus.clone(),
    };
    let prices =
        list.prices.iter().map(|(sku, prices)| (sku.clone(), prices.iter().map(kept_price).collect()));
    let kept = Kept {
        format_version: FORMAT_VERSION,
        offers: list.offers.iter().map(offer).collect(),
        prices: prices.collect(),
        free_quotas: list.quotas.iter().map(quota).collect(),
    };
    let mut bytes = serde_json::to_vec_pretty(&kept)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn kept_price(price: &ListPrice) -> KeptPrice {
    let tier = |(tier, rate_code): (&Tier, &String)| KeptTier {
        begin: tier.begin.to_string(),
        end: tier.end.map(|end| end.to_string()),
        rate: tier.rate.to_string(),
        rate_code: rate_code.clone(),
    };
    KeptPrice {
        offer: price.offer,
        currency: price.currency.to_string(),
        unit: price.unit.clone(),
        tiers: price.tiers.all().iter().zip(&price.rate_codes).map(tier).collect(),
    }
}

/// Reads the file of a run; gives its SHA-256 too.
///
/// # Errors
/// What is wrong with it, to stand after its name.
pub fn read(path: &Path) -> Result<(PriceList, [u8; 32]), String> {
    let bytes = fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    let hash = Sha256::digest(&bytes).into();
    let kept: Kept = serde_json::from_slice(&bytes).map_err(|error| format!("is damaged: {error}"))?;
    if kept.format_version != FORMAT_VERSION {
        return Err(format!("has format version {}, not {FORMAT_VERSION}", kept.format_version));
    }
    let known =
        |offer: usize| (offer < kept.offers.len()).then_some(offer).ok_or("names an offer that it has not");
    let mut list = PriceList::default();
    for (sku, prices) in kept.prices {
        let read = |price| read_price(price, &known).map_err(|error| format!("SKU `{sku}`: {error}"));
        let prices = prices.into_iter().map(read).collect::<Result<_, _>>()?;
        list.prices.insert(sku, prices);
    }
    for KeptQuota { offer, rate_code, quantity, skus } in kept.free_quotas {
        let quantity = Quantity::parse(&quantity).map_err(|error| format!("`{rate_code}`: {error}"))?;
        list.quotas.push(FreeQuota { offer: known(offer)?, rate_code, quantity, skus });
    }
    let offer = |KeptOffer { service, version, published }| OfferVersion { service, published, version };
    list.offers = kept.offers.into_iter().map(offer).collect();
    Ok((list, hash))
}

fn read_price(
    kept: KeptPrice,
    known: &impl Fn(usize) -> Result<usize, &'static str>,
) -> Result<ListPrice, String> {
    let currency = Currency::parse(&kept.currency).ok_or("a currency has three capital letters")?;
    let (mut tiers, mut rate_codes) = (Vec::new(), Vec::new());
    for KeptTier { begin, end, rate, rate_code } in kept.tiers {
        let quantity = |text: &str| Quantity::parse(text).map_err(|error| format!("`{text}` is {error}"));
        let end = end.as_deref().map(quantity).transpose()?;
        let rate = Rate::parse(&rate).map_err(|error| format!("`{rate}` is {error}"))?;
        tiers.push(Tier { begin: quantity(&begin)?, end, rate });
        rate_codes.push(rate_code);
    }
    let tiers = Tiers::new(tiers).map_err(|mistake| mistake.to_string())?;
    Ok(ListPrice { offer: known(kept.offer)?, currency, unit: kept.unit, tiers, rate_codes })
}
