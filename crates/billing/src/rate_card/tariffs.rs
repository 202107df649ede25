//! AWS's tiers and free quantities of the month's SKUs: from the price list, or as far as the cost files themselves show them.
//!
//! A family fills its tiers in the order of time, so what the whole family has used at a tier that it has left is the tier's size, and
//! no group of it can use more than the family. Where that cannot be told, nothing is guessed: the classes keep what AWS charged,
//! and the reconciliation lists them. `docs/pricing.md` has the same in words.

mod known;

pub use known::known_prices;

use crate::abilities::{Ability, Feature};
use crate::charge_class::{ChargeClass, Cube, KeyColumn, Measure, TextHasher, TextId, TextMap};
use crate::class_kind::{Free, free_offer, is_spot, left_out_of_aws_cost, line_item_type};
use crate::cost_line::LineItemType;
use crate::money::{Currency, Quantity, Rate, ten_to};
use crate::price_list::{ListPrice, PriceList};
use crate::tiers::{Tier, Tiers};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::BuildHasherDefault;

/// The tier part of a rate code whose price is the only one, or the base one, of its SKU.
const BASE_TIER: &str = "6YS6EN2CT7";
/// The offer part of a rate code that is an On-Demand price.
const ON_DEMAND_OFFER: &str = "JRTCKXETXF";
/// How many SKUs a warning names.
const NAMED_MAX: usize = 5;

/// Where AWS's tiers are known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TierSource {
    /// A rule has tiers of its own.
    Rule(u32),
    /// The price list, an offer by number in [`PriceList::offers`].
    PriceList(usize),
    /// The family's own lines.
    CostFiles,
}

/// How the price of a SKU depends on the quantity.
#[derive(Debug, Clone)]
pub struct Tariff {
    /// The tiers, of what no quota makes free.
    pub tiers: Tiers,
    /// Where they are known from.
    pub source: TierSource,
}

/// What is known of a SKU's tiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkuPrice {
    /// Its public On-Demand price is the only one.
    OneTier,
    /// A tariff, by number.
    Tiers(u32),
    /// It has several, and they are not known.
    Unknown,
}

/// A quantity that is free each month, of the usage of its SKUs together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// How much; `None` where the family has not used it up, so that no group can.
    pub quantity: Option<Quantity>,
}

/// What tells prices of a month apart: one that changes within it has other public rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct PriceKey {
    sku: TextId,
    public_rate: TextId,
    currency: TextId,
    unit: TextId,
}

impl PriceKey {
    fn of(cube: &Cube, class: &ChargeClass) -> Self {
        let listed = cube.filled(class, KeyColumn::PricingCurrency).is_some();
        let currency = if listed { KeyColumn::PricingCurrency } else { KeyColumn::Currency };
        Self {
            sku: class.text(KeyColumn::Sku),
            public_rate: class.text(KeyColumn::PublicRate),
            currency: class.text(currency),
            unit: class.text(KeyColumn::PricingUnit),
        }
    }

    /// What the price list has of it: where the public rate is that of the dearest tier, the version whose dearest tier has it, in the unit of
    /// the lines; else one of whose tiers has it, for then units are spelt otherwise too.
    fn listed<'a>(self, cube: &Cube, prices: &'a PriceList) -> Option<&'a ListPrice> {
        let by_dearest = cube.abilities.of(Feature::ListCostOfDearestTier) == Ability::Told;
        let (rate, unit) = (self.public_rate(cube), cube.text(self.unit));
        let agrees = |price: &ListPrice| match (by_dearest, rate) {
            (true, rate) => {
                rate.is_none_or(|rate| price.tiers.dearest() == rate)
                    && (unit.is_empty() || unit == price.unit)
            }
            (false, rate) => rate.is_none_or(|rate| price.tiers.all().iter().any(|tier| tier.rate == rate)),
        };
        prices.price(cube.text(self.sku), Currency::parse(cube.text(self.currency))?, agrees)
    }

    /// The public rate, where there is one.
    fn public_rate(self, cube: &Cube) -> Option<Rate> {
        let rate = cube.texts.get(self.public_rate).and_then(|rate| Rate::parse(rate).ok());
        rate.filter(|rate| !rate.is_zero())
    }
}

/// SKUs by the numbers of their texts.
type Skus = HashSet<TextId, BuildHasherDefault<TextHasher>>;

/// The tariffs and quotas of a month.
#[derive(Debug, Default)]
pub struct Tariffs {
    tariffs: Vec<Tariff>,
    by_price: TextMap<PriceKey, SkuPrice>,
    /// How many tiers the price list has.
    listed_tiers: TextMap<PriceKey, usize>,
    quotas: Vec<Quota>,
    /// By SKU; `None` where usage is free, but nobody knows how much.
    quota_by_sku: TextMap<TextId, Option<u32>>,
    /// What the operator should know of the price list.
    warnings: Vec<String>,
}

impl Tariffs {
    /// What the price list says of the month's SKUs, and of others what their lines show.
    pub fn new(cube: &Cube, prices: &PriceList, has_terms: bool) -> Self {
        let mut tariffs = Self::default();
        let skus = not_plain(cube, prices);
        let seen = Seen::new(cube, has_terms, &skus);
        let keys = keys(cube, &skus);
        let listed: TextMap<PriceKey, &ListPrice> =
            keys.iter().filter_map(|key| Some((*key, key.listed(cube, prices)?))).collect();
        tariffs.take_quotas(cube, prices, &seen, &listed);
        for key in &keys {
            let price = match listed.get(key) {
                Some(price) => tariffs.of_list(*key, price),
                None => tariffs.of_files(cube, &seen, *key),
            };
            tariffs.by_price.insert(*key, price);
        }
        let unlike = keys.iter().filter(|key| !listed.contains_key(key)).map(|key| cube.text(key.sku));
        tariffs.warn_of_unlike(unlike.filter(|sku| prices.prices.contains_key(*sku)).collect());
        tariffs
    }

    /// What the operator should know of the price list.
    pub fn warnings(&self) -> impl Iterator<Item = &String> {
        self.warnings.iter()
    }

    /// The list has these SKUs, but not as the lines do.
    fn warn_of_unlike(&mut self, skus: BTreeSet<&str>) {
        let named: Vec<String> = skus.iter().take(NAMED_MAX).map(|sku| format!("`{sku}`")).collect();
        let more = match skus.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        if !named.is_empty() {
            self.warnings.push(format!(
                "the price list has SKU {}{more} at another public rate, in another currency or unit than lines of the month: these are \
                 priced as if it were not in the list",
                named.join(", ")
            ));
        }
    }

    /// What is known of the tiers of a class's SKU.
    pub fn price(&self, cube: &Cube, class: &ChargeClass) -> SkuPrice {
        self.by_price.get(&PriceKey::of(cube, class)).copied().unwrap_or(SkuPrice::OneTier)
    }

    /// How many tiers the price list has of a class's SKU, if it has the SKU.
    pub fn listed_tiers(&self, cube: &Cube, class: &ChargeClass) -> Option<usize> {
        self.listed_tiers.get(&PriceKey::of(cube, class)).copied()
    }

    /// A tariff by its number.
    pub fn tariff(&self, number: u32) -> &Tariff {
        &self.tariffs[number as usize]
    }

    /// The quota that a SKU's usage takes part in; `Some(None)` where there is one of unknown size.
    pub fn quota(&self, sku: TextId) -> Option<Option<u32>> {
        self.quota_by_sku.get(&sku).copied()
    }

    /// A quota by its number.
    pub fn quota_terms(&self, number: u32) -> Quota {
        self.quotas[number as usize]
    }

    /// Whether a tariff of a SKU begins with usage that is free.
    pub fn begins_free(&self, cube: &Cube, class: &ChargeClass) -> bool {
        match self.price(cube, class) {
            SkuPrice::Tiers(tariff) => self.tariff(tariff).tiers.all()[0].rate.is_zero(),
            SkuPrice::OneTier | SkuPrice::Unknown => false,
        }
    }

    fn take_quotas(
        &mut self,
        cube: &Cube,
        prices: &PriceList,
        seen: &Seen,
        listed: &TextMap<PriceKey, &ListPrice>,
    ) {
        for quota in &prices.quotas {
            let number = self.add_quota(Some(quota.quantity));
            for sku in quota.skus.iter().filter_map(|sku| cube.texts.find(sku)) {
                if self.quota_by_sku.insert(sku, Some(number)).is_some() {
                    self.warnings.push(format!(
                        "the price list has several free quotas for SKU `{}`; only that of rate code `{}` is given",
                        cube.text(sku),
                        quota.rate_code
                    ));
                }
            }
        }
        let free = listed.iter().filter(|(_, price)| price.tiers.all()[0].rate.is_zero());
        let listed_free: Skus = free.map(|(key, _)| key.sku).collect();
        for (quantity, skus) in seen.quotas() {
            // What the list says of a SKU goes before what its lines show.
            let known = |sku: &&TextId| self.quota_by_sku.contains_key(*sku) || listed_free.contains(*sku);
            let skus: Vec<TextId> = skus.iter().filter(|sku| !known(sku)).copied().collect();
            let number = quantity.map(|quantity| self.add_quota(quantity));
            self.quota_by_sku.extend(skus.into_iter().map(|sku| (sku, number)));
        }
    }

    fn add_quota(&mut self, quantity: Option<Quantity>) -> u32 {
        self.quotas.push(Quota { quantity });
        // There are no more quotas than SKUs.
        u32::try_from(self.quotas.len() - 1).unwrap_or(u32::MAX)
    }

    fn add_tariff(&mut self, tiers: Tiers, source: TierSource) -> SkuPrice {
        self.tariffs.push(Tariff { tiers, source });
        SkuPrice::Tiers(u32::try_from(self.tariffs.len() - 1).unwrap_or(u32::MAX))
    }

    fn has_quota(&self, sku: TextId) -> bool {
        matches!(self.quota_by_sku.get(&sku), Some(Some(_)))
    }

    fn of_list(&mut self, key: PriceKey, price: &ListPrice) -> SkuPrice {
        self.listed_tiers.insert(key, price.tiers.all().len());
        if price.tiers.all().len() == 1 && !self.has_quota(key.sku) {
            return SkuPrice::OneTier;
        }
        self.add_tariff(price.tiers.clone(), TierSource::PriceList(price.offer))
    }

    fn of_files(&mut self, cube: &Cube, seen: &Seen, key: PriceKey) -> SkuPrice {
        let public = key.public_rate(cube);
        match (seen.tiers(key.sku, public), public) {
            (Shown::Tiers(tiers), _) => self.add_tariff(tiers, TierSource::CostFiles),
            (Shown::OneTier, Some(rate)) if self.has_quota(key.sku) => {
                self.add_tariff(Tiers::single(rate), TierSource::CostFiles)
            }
            (Shown::OneTier, _) => SkuPrice::OneTier,
            (Shown::Unclear, _) => SkuPrice::Unknown,
        }
    }
}

/// The SKUs that may have tiers or be free: those of the price list, those with free lines, and those with an On-Demand rate code that is
/// not the base one, or with two. Most SKUs are none of it, and a preview has no time to look at them twice.
fn not_plain(cube: &Cube, prices: &PriceList) -> Skus {
    let listed = prices.prices.keys().chain(prices.quotas.iter().flat_map(|quota| &quota.skus));
    let mut skus: Skus = listed.filter_map(|sku| cube.texts.find(sku)).collect();
    let (free, paid) = (cube.texts.find("0"), cube.texts.find("+"));
    let mut first_code: TextMap<TextId, TextId> = TextMap::default();
    for class in &cube.classes {
        let (sku, code) = (class.text(KeyColumn::Sku), class.text(KeyColumn::RateCode));
        let state = Some(class.text(KeyColumn::UnblendedRateState));
        if state == free {
            skus.insert(sku);
        }
        // Most classes say again what one before them has said.
        if state != paid || first_code.get(&sku) == Some(&code) {
            continue;
        }
        let mut parts = cube.text(code).split('.').skip(1);
        if parts.next() == Some(ON_DEMAND_OFFER)
            && (*first_code.entry(sku).or_insert(code) != code || parts.next() != Some(BASE_TIER))
        {
            skus.insert(sku);
        }
    }
    skus.retain(|sku| !cube.text(*sku).is_empty());
    skus
}

/// The prices of these SKUs' metered lines, in no order but each once.
fn keys(cube: &Cube, skus: &Skus) -> BTreeSet<PriceKey> {
    let of_skus = cube.classes.iter().filter(|class| skus.contains(&class.text(KeyColumn::Sku)));
    let metered = of_skus.filter(|class| line_item_type(cube, class).is_metered());
    metered.map(|class| PriceKey::of(cube, class)).collect()
}

/// What the family's lines show of a SKU's tiers.
enum Shown {
    OneTier,
    Tiers(Tiers),
    Unclear,
}

/// The family's usage by SKU and rate code, and what is free.
#[derive(Default)]
struct Seen {
    paid: TextMap<TextId, SkuSeen>,
    /// The SKUs of which some usage is charged, at whatever rate code.
    charged: Skus,
    /// By service, the tier part of the rate code and the unit; then by usage type without its region.
    free: BTreeMap<(String, String, String), BTreeMap<String, FreeSeen>>,
}

#[derive(Default)]
struct SkuSeen {
    codes: TextMap<TextId, CodeSeen>,
    /// The public rate, while all lines have one.
    public_rate: Option<TextId>,
    differ: bool,
    /// Whether a code is of another tier than the base.
    beyond_base: bool,
}

#[derive(Default)]
struct CodeSeen {
    usage: Quantity,
    lines: u64,
    /// The rate of lines that no discount touches.
    rate: Option<Rate>,
    differ: bool,
}

#[derive(Default)]
struct FreeSeen {
    usage: Quantity,
    lines: u64,
    skus: Vec<TextId>,
}

impl Seen {
    fn new(cube: &Cube, has_terms: bool, skus: &Skus) -> Self {
        let mut seen = Self::default();
        // Where the list cost is that of the tier which applied, it is the base like any other.
        // What another level charges shows a part of the family, at other rates.
        let told = |feature| cube.abilities.of(feature) == Ability::Told;
        if !told(Feature::ListCostOfDearestTier) || !told(Feature::TiersOfFamily) {
            return seen;
        }
        for class in cube.classes.iter().filter(|class| skus.contains(&class.text(KeyColumn::Sku))) {
            let kind = line_item_type(cube, class);
            let counts = kind == LineItemType::Usage
                && left_out_of_aws_cost(cube, class, kind).is_none()
                && !is_spot(cube, class, has_terms);
            if counts {
                match free_offer(cube, class) {
                    Some(Free::Always) => seen.add_free(cube, class),
                    Some(Free::Limited) => {}
                    None => seen.add_paid(cube, class),
                }
            }
        }
        seen
    }

    fn add_paid(&mut self, cube: &Cube, class: &ChargeClass) {
        let code = class.text(KeyColumn::RateCode);
        let mut parts = cube.text(code).split('.').skip(1);
        let paid = cube.value(class, KeyColumn::UnblendedRateState) == Some("+");
        if !paid {
            return;
        }
        self.charged.insert(class.text(KeyColumn::Sku));
        if parts.next() != Some(ON_DEMAND_OFFER) {
            return;
        }
        let sku = self.paid.entry(class.text(KeyColumn::Sku)).or_default();
        sku.beyond_base |= parts.next() != Some(BASE_TIER);
        let public_rate = class.text(KeyColumn::PublicRate);
        sku.differ |= *sku.public_rate.get_or_insert(public_rate) != public_rate;
        let seen = sku.codes.entry(code).or_default();
        // What cannot be added has no end that could be told.
        match seen.usage.plus(class.sum(Measure::Usage)) {
            Ok(sum) => seen.usage = sum,
            Err(_) => seen.differ = true,
        }
        seen.lines += class.lines;
        if class.sum(Measure::NetUnblended) == class.sum(Measure::Unblended) {
            match cube.texts.get(class.unblended_rate).and_then(|rate| Rate::parse(rate).ok()) {
                Some(rate) => seen.differ |= *seen.rate.get_or_insert(rate) != rate,
                None => seen.differ = true,
            }
        }
    }

    fn add_free(&mut self, cube: &Cube, class: &ChargeClass) {
        let value = |column| cube.value(class, column).unwrap_or_default();
        let tier = value(KeyColumn::RateCode).split('.').nth(2).unwrap_or_default();
        let unit = value(KeyColumn::PricingUnit);
        let of_offer = (cube.product(class).to_owned(), tier.to_owned(), unit.to_owned());
        let usage_type = without_region(value(KeyColumn::UsageType));
        let seen = self.free.entry(of_offer).or_default().entry(usage_type.to_owned()).or_default();
        seen.usage = seen.usage.plus(class.sum(Measure::Usage)).unwrap_or(seen.usage);
        seen.lines += class.lines;
        let sku = class.text(KeyColumn::Sku);
        if !seen.skus.contains(&sku) {
            seen.skus.push(sku);
        }
    }

    /// The quotas, each with its SKUs: the quantity of one that is used up, `None` for one that is not. Of unclear size: no quota.
    #[expect(clippy::option_option, reason = "a quota of unclear size, and one without an end in sight")]
    fn quotas(&self) -> Vec<(Option<Option<Quantity>>, Vec<TextId>)> {
        let mut quotas = Vec::new();
        for by_usage_type in self.free.values() {
            let apart: Vec<_> = by_usage_type.values().map(|free| (self.quantity(free), free)).collect();
            if apart.iter().all(|(quantity, _)| quantity.is_some()) {
                quotas.extend(apart.into_iter().map(|(quantity, free)| (quantity, free.skus.clone())));
                continue;
            }
            // Usage types may share one quota, as the kinds of requests of a queue do.
            let mut together = FreeSeen::default();
            for free in by_usage_type.values() {
                together.usage = together.usage.plus(free.usage).unwrap_or_default();
                together.lines += free.lines;
                together.skus.extend(&free.skus);
            }
            quotas.push((self.quantity(&together), together.skus));
        }
        quotas
    }

    #[expect(clippy::option_option, reason = "as `quotas`")]
    fn quantity(&self, free: &FreeSeen) -> Option<Option<Quantity>> {
        match free.skus.iter().any(|sku| self.charged.contains(sku)) {
            true => boundary(free.usage, free.lines).map(Some),
            false => Some(None),
        }
    }

    /// A SKU's paid tiers, the dearest first.
    fn tiers(&self, sku: TextId, public: Option<Rate>) -> Shown {
        let Some(seen) = self.paid.get(&sku) else { return Shown::OneTier };
        if seen.codes.len() == 1 && !seen.beyond_base {
            return Shown::OneTier;
        }
        let (Some(public), false) = (public, seen.differ) else { return Shown::Unclear };
        let Some(mut codes) = seen.rates(public) else { return Shown::Unclear };
        codes.sort_by_key(|(rate, _)| std::cmp::Reverse(*rate));
        if codes[0].0 != public || codes.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Shown::Unclear;
        }
        if let [_] = codes.as_slice() {
            return Shown::OneTier;
        }
        tiers(&codes).map_or(Shown::Unclear, Shown::Tiers)
    }
}

impl SkuSeen {
    /// The rate of every code; the public rate is that of the dearest, should discounts touch all lines of it.
    fn rates(&self, public: Rate) -> Option<Vec<(Rate, &CodeSeen)>> {
        let mut rates = Vec::with_capacity(self.codes.len());
        let mut without = None;
        for code in self.codes.values() {
            match code.rate {
                _ if code.differ => return None,
                Some(rate) => rates.push((rate, code)),
                None if without.is_none() => without = Some(code),
                None => return None,
            }
        }
        if let Some(code) = without {
            if rates.iter().any(|(rate, _)| *rate >= public) {
                return None;
            }
            rates.push((public, code));
        }
        Some(rates)
    }
}

/// Tiers of these rates, each as long as the family's usage of it; the last is open, for no group can leave it.
fn tiers(codes: &[(Rate, &CodeSeen)]) -> Option<Tiers> {
    let mut begin = Quantity::ZERO;
    let mut all = Vec::with_capacity(codes.len());
    for (place, (rate, code)) in codes.iter().enumerate() {
        let is_last = place + 1 == codes.len();
        let end = if is_last { None } else { Some(begin.plus(boundary(code.usage, code.lines)?).ok()?) };
        all.push(Tier { begin, end, rate: *rate });
        begin = end.unwrap_or(begin);
    }
    Tiers::new(all).ok()
}

/// The size of a tier that was left: the family's usage in it, if that is a size that AWS would choose, within what rounding each line at
/// ten decimals can make of it. Sizes are whole, and of at most three digits before their zeros or before a factor of 1,024.
fn boundary(usage: Quantity, lines: u64) -> Option<Quantity> {
    let one = Quantity::ONE.units();
    let nearest = (usage.units() + one / 2).div_euclid(one) * one;
    let close = usage.units().abs_diff(nearest) <= u128::from(lines);
    let round = |mut whole: i128| {
        while whole % 10 == 0 {
            whole /= 10;
        }
        whole < ten_to(3)
    };
    let whole = nearest / one;
    let sized = whole > 0 && (round(whole) || (whole % 1_024 == 0 && round(whole / 1_024)));
    (close && sized).then(|| Quantity::from_units(nearest).ok()).flatten()
}

/// A usage type without the region before it: `USW2-DataTransfer-Out-Bytes`, `ca-central-1-KMS-Requests`.
fn without_region(usage_type: &str) -> &str {
    let Some((prefix, rest)) = usage_type.split_once('-') else { return usage_type };
    let is_short = |prefix: &[u8]| match prefix {
        [area @ .., number] => area.len() == 3 && area.is_ascii() && number.is_ascii_digit(),
        [] => false,
    };
    let upper = prefix.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if prefix == "EU" || (upper && is_short(prefix.as_bytes())) {
        return rest;
    }
    // `xx-word-1-`: a region's code in full.
    let mut parts = usage_type.splitn(4, '-');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(area), Some(_), Some(number), Some(rest))
            if area.len() == 2 && number.len() == 1 && number.bytes().all(|b| b.is_ascii_digit()) =>
        {
            rest
        }
        _ => usage_type,
    }
}

#[cfg(test)]
mod tests {
    //! Sizes of tiers and names of usage types.

    use super::*;

    #[test]
    fn a_size_is_what_aws_would_choose() {
        let size = |usage: &str| boundary(Quantity::parse(usage).unwrap(), 3).map(|size| size.to_string());
        for whole in ["1000000", "51200", "10240", "460800", "100", "5", "750"] {
            assert_eq!(size(whole).as_deref(), Some(whole));
        }
        assert_eq!(size("51199.9999999998").as_deref(), Some("51200"));
        assert_eq!(size("51199.9999999996"), None, "farther than three lines can be rounded");
        for odd in ["46179", "0", "0.5", "-100", "1234"] {
            assert_eq!(size(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_region_is_no_part_of_a_usage_type() {
        for (usage_type, expected) in [
            ("USW2-DataTransfer-Out-Bytes", "DataTransfer-Out-Bytes"),
            ("DataTransfer-Out-Bytes", "DataTransfer-Out-Bytes"),
            ("EU-Requests-Tier1", "Requests-Tier1"),
            ("ca-central-1-KMS-Requests", "KMS-Requests"),
            ("KMS-Requests", "KMS-Requests"),
            ("Requests", "Requests"),
        ] {
            assert_eq!(without_region(usage_type), expected);
        }
    }
}
