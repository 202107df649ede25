//! From the ranges of an offer file to tiers and quotas: all that both forms of offer files have in common.

use super::header::Header;
use super::needs::Needs;
use crate::diagnostics::{Diagnostic, excerpt};
use crate::limits::PRICE_RANGES_MAX;
use crate::number::{NumberNotes, units_of_text};
use billing::money::{Currency, Decimal, Quantity, Rate};
use billing::tiers::{Tier, Tiers};
use std::collections::{BTreeMap, BTreeSet};

/// The offer part of a rate code that is a price of On-Demand usage.
const ON_DEMAND: &str = "JRTCKXETXF";
const HINT_FETCH: &str = "fetch the file again; if it is as AWS serves it, leave it out";

/// What an offer file has of what a month needs.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Offered {
    /// What the file says of itself.
    pub header: Header,
    /// By SKU: its price in each currency.
    pub prices: BTreeMap<String, Vec<Price>>,
    /// The quotas whose members the month uses.
    pub quotas: Vec<Quota>,
    /// Quotas of trials, which are not for everybody.
    pub trials: BTreeSet<String>,
}

/// The price of a SKU in a currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    pub currency: Currency,
    pub unit: String,
    pub tiers: Tiers,
    pub rate_codes: Vec<String>,
}

/// A free quantity of several SKUs together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// The quota's own SKU.
    pub sku: String,
    pub rate_code: String,
    pub quantity: Quantity,
    pub members: BTreeSet<String>,
}

/// The On-Demand ranges of an offer file as they stand there.
#[derive(Debug, Default)]
pub struct Raw {
    /// By SKU: of the month, or of a product of no region.
    pub ranges: BTreeMap<String, Vec<RawRange>>,
    /// The products of no region, which may be quotas; whether each is a trial.
    pub regionless: BTreeMap<String, bool>,
}

/// A range of a price, in the words of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RawRange {
    pub rate_code: String,
    /// The offer term's code.
    pub term: String,
    pub unit: String,
    pub begin: Option<String>,
    pub end: Option<String>,
    /// The price per unit, by currency.
    pub prices: BTreeMap<String, String>,
    /// Of the SKUs that it applies to those of the month.
    pub members: BTreeSet<String>,
}

/// What tells a product that is in no region: its usage type begins with `Global`, or its location is `Any`.
pub fn is_regionless(usage_type: &str, location: &str) -> bool {
    usage_type.starts_with("Global") || location == "Any"
}

/// Whether a product is a trial: free for a time, to some, and nothing that a month's usage has as such.
pub fn is_trial(usage_type: &str, group: &str) -> bool {
    usage_type.to_ascii_lowercase().contains("freetrial") || group.to_ascii_lowercase().contains("trial")
}

/// The SKU that a SKU or a rate code begins with.
pub fn sku_of(code: &str) -> &str {
    code.split('.').next().unwrap_or_default()
}

/// A range with its numbers read.
struct Range<'a> {
    raw: &'a RawRange,
    begin: Quantity,
    end: Option<Quantity>,
}

impl Raw {
    /// Takes in a range of a SKU.
    ///
    /// # Errors
    /// A SKU with more ranges than any has.
    pub fn push(&mut self, sku: &str, range: RawRange) -> Result<(), String> {
        let ranges = self.ranges.entry(sku.to_owned()).or_default();
        ranges.push(range);
        match ranges.len() > PRICE_RANGES_MAX {
            true => Err(format!("SKU `{}` has more than {PRICE_RANGES_MAX} ranges", excerpt(sku))),
            false => Ok(()),
        }
    }

    /// Makes tiers and quotas of the ranges.
    ///
    /// # Errors
    /// The first SKU whose ranges are no tiers or whose numbers are none.
    pub fn offered(self, header: Header, file: &str, needs: &Needs) -> Result<Offered, Diagnostic> {
        let mut offered = Offered { header, ..Offered::default() };
        for (sku, mut ranges) in self.ranges {
            ranges.sort();
            ranges.dedup();
            let mut read =
                ranges.iter().map(|range| read_range(range, file)).collect::<Result<Vec<_>, _>>()?;
            read.sort_by(|one, other| {
                (one.begin, &one.raw.rate_code).cmp(&(other.begin, &other.raw.rate_code))
            });
            let trial = self.regionless.get(&sku).copied();
            let mut is_quota = false;
            if let Some(trial) = trial {
                let quotas = quotas_of(&sku, &read, file)?;
                is_quota = !quotas.is_empty();
                match trial {
                    true => offered.trials.extend(quotas.into_iter().map(|quota| quota.rate_code)),
                    false => offered.quotas.extend(quotas),
                }
            }
            // A quota ends, so it is no price.
            if needs.skus.contains(&sku) && !is_quota {
                let prices = prices_of(&sku, &read, file, needs)?;
                if !prices.is_empty() {
                    offered.prices.insert(sku, prices);
                }
            }
        }
        Ok(offered)
    }
}

/// A problem with a range, at its rate code.
fn at(file: &str, range: &RawRange, value: &str, reason: impl Into<String>) -> Diagnostic {
    let (column, value) = (Some(excerpt(&range.rate_code)), Some(excerpt(value)));
    Diagnostic { column, value, ..Diagnostic::file(file, reason) }.hint(HINT_FETCH)
}

/// A number as it is: nothing of a price is rounded.
fn exact<const SCALE: u32>(text: &str, range: &RawRange, file: &str) -> Result<Decimal<SCALE>, Diagnostic> {
    let mut notes = NumberNotes::default();
    let units = units_of_text(text, &mut notes).map_err(|error| at(file, range, text, error.to_string()))?;
    if notes.rounded > 0 {
        return Err(at(file, range, text, "a number with more than ten decimals; prices are not rounded"));
    }
    Decimal::from_units(units).map_err(|error| at(file, range, text, error.to_string()))
}

fn read_range<'a>(raw: &'a RawRange, file: &str) -> Result<Range<'a>, Diagnostic> {
    let quantity = |text: &str| exact::<10>(text, raw, file);
    let begin = raw.begin.as_deref().filter(|text| !text.is_empty()).map_or(Ok(Quantity::ZERO), quantity)?;
    let end = raw.end.as_deref().filter(|text| !text.is_empty() && !text.eq_ignore_ascii_case("inf"));
    Ok(Range { raw, begin, end: end.map(quantity).transpose()? })
}

/// The free quantities among the ranges of a product of no region.
fn quotas_of(sku: &str, ranges: &[Range<'_>], file: &str) -> Result<Vec<Quota>, Diagnostic> {
    let mut quotas = Vec::new();
    for Range { raw, begin, end } in ranges {
        let Some(end) = end else { continue };
        let mut free = !raw.prices.is_empty();
        for price in raw.prices.values() {
            free &= exact::<10>(price, raw, file)?.is_zero();
        }
        let quantity =
            end.minus(*begin).map_err(|error| at(file, raw, &end.to_string(), error.to_string()))?;
        if free && quantity > Quantity::ZERO && !raw.members.is_empty() {
            let (rate_code, members) = (raw.rate_code.clone(), raw.members.clone());
            quotas.push(Quota { sku: sku.to_owned(), rate_code, quantity, members });
        }
    }
    Ok(quotas)
}

/// The tiers of a SKU in each of the month's currencies.
fn prices_of(sku: &str, ranges: &[Range<'_>], file: &str, needs: &Needs) -> Result<Vec<Price>, Diagnostic> {
    let mut prices = Vec::new();
    for currency in &needs.currencies {
        let Some(code) = Currency::parse(currency) else { continue };
        let of_currency: Vec<_> =
            ranges.iter().filter(|range| range.raw.prices.contains_key(currency)).collect();
        // A free range may be an offer of its own; but an offer that begins at 0 is a price by itself.
        let on_demand: Vec<_> =
            of_currency.iter().copied().filter(|range| range.raw.term == ON_DEMAND).collect();
        let whole = on_demand.first().is_some_and(|range| range.begin.is_zero());
        let ranges = if whole { on_demand } else { of_currency };
        let Some(first) = ranges.first() else { continue };
        let mut tiers = Vec::with_capacity(ranges.len());
        for Range { raw, begin, end } in &ranges {
            if raw.unit != first.raw.unit {
                let reason =
                    format!("another unit than the `{}` of the range before", excerpt(&first.raw.unit));
                return Err(at(file, raw, &raw.unit, reason));
            }
            let rate: Rate = exact(raw.prices.get(currency).map_or("", String::as_str), raw, file)?;
            tiers.push(Tier { begin: *begin, end: *end, rate });
        }
        let tiers = Tiers::new(tiers).map_err(|mistake| {
            let codes: Vec<_> =
                ranges.iter().map(|range| format!("`{}`", excerpt(&range.raw.rate_code))).collect();
            let reason = format!("the ranges {} are no tiers: {mistake}", codes.join(", "));
            Diagnostic { column: Some(excerpt(sku)), ..Diagnostic::file(file, reason) }.hint(HINT_FETCH)
        })?;
        let rate_codes = ranges.iter().map(|range| range.raw.rate_code.clone()).collect();
        prices.push(Price { currency: code, unit: first.raw.unit.clone(), tiers, rate_codes });
    }
    Ok(prices)
}
