//! Offer files in JSON, read as a stream: whatever their size, only what the month needs is kept.

use super::header::Fields;
use super::needs::Needs;
use super::ranges::{Offered, Raw, RawRange, is_regionless, is_trial, sku_of};
use crate::diagnostics::Diagnostic;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

/// Reads an offer file.
///
/// # Errors
/// A file that is damaged, is no offer, or whose prices are none.
pub fn read(text: impl Read, file: &str, needs: &Needs) -> Result<Offered, Diagnostic> {
    let mut offer =
        Offer { needs, fields: Fields::default(), raw: Raw::default(), products: false, terms: false };
    let mut deserializer = serde_json::Deserializer::from_reader(text);
    let whole = Top(&mut offer).deserialize(&mut deserializer).and_then(|()| deserializer.end());
    let hint = "fetch the file again";
    whole.map_err(|error| Diagnostic::file(file, format!("is damaged: {error}")).hint(hint))?;
    if !(offer.products && offer.terms) {
        return Err(Diagnostic::file(file, "is no offer file: it lacks products or terms").hint(hint));
    }
    let Offer { fields, mut raw, .. } = offer;
    let header = fields.checked().map_err(|reason| Diagnostic::file(file, reason).hint(hint))?;
    // Terms that came before the products had to be kept until it was known which are of no region.
    let regionless = &raw.regionless;
    raw.ranges.retain(|sku, _| needs.skus.contains(sku) || regionless.contains_key(sku));
    raw.offered(header, file, needs)
}

struct Offer<'a> {
    needs: &'a Needs,
    fields: Fields,
    raw: Raw,
    products: bool,
    terms: bool,
}

#[derive(Deserialize)]
struct Product {
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Default, Deserialize)]
struct Attributes {
    #[serde(default)]
    usagetype: Option<String>,
    #[serde(default)]
    location: Option<String>,
    #[serde(default)]
    group: Option<String>,
}

#[derive(Deserialize)]
struct Term {
    #[serde(rename = "offerTermCode", default)]
    code: Option<String>,
    #[serde(rename = "priceDimensions", default)]
    dimensions: BTreeMap<String, Dimension>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dimension {
    #[serde(default)]
    rate_code: Option<String>,
    #[serde(default)]
    begin_range: Option<String>,
    #[serde(default)]
    end_range: Option<String>,
    #[serde(default)]
    unit: Option<String>,
    #[serde(default)]
    price_per_unit: BTreeMap<String, String>,
    #[serde(default)]
    applies_to: Option<Vec<String>>,
}

/// An object of an offer file, of which each entry is handled and forgotten before the next one is read.
macro_rules! object {
    ($name:ident, |$offer:ident, $map:ident, $key:ident| $handle:expr) => {
        struct $name<'a, 'b>(&'a mut Offer<'b>);

        impl<'de> DeserializeSeed<'de> for $name<'_, '_> {
            type Value = ();

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
                deserializer.deserialize_map(self)
            }
        }

        impl<'de> Visitor<'de> for $name<'_, '_> {
            type Value = ();

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut $map: A) -> Result<(), A::Error> {
                let $offer = self.0;
                while let Some($key) = $map.next_key::<String>()? {
                    $handle
                }
                Ok(())
            }
        }
    };
}

object!(Top, |offer, map, key| match key.as_str() {
    "offerCode" => offer.fields.service = Some(map.next_value()?),
    "version" => offer.fields.version = Some(map.next_value()?),
    "publicationDate" => offer.fields.published = Some(map.next_value()?),
    "products" => {
        map.next_value_seed(Products(offer))?;
        offer.products = true;
    }
    "terms" => {
        map.next_value_seed(Terms(offer))?;
        offer.terms = true;
    }
    _ => drop(map.next_value::<IgnoredAny>()?),
});

object!(Products, |offer, map, sku| offer.product(sku, map.next_value()?));

object!(Terms, |offer, map, kind| match kind.as_str() {
    "OnDemand" => map.next_value_seed(OnDemand(offer))?,
    _ => drop(map.next_value::<IgnoredAny>()?),
});

object!(OnDemand, |offer, map, sku| if offer.needs_terms(&sku) {
    for term in map.next_value::<BTreeMap<String, Term>>()?.into_values() {
        offer.term(&sku, term).map_err(A::Error::custom)?;
    }
} else {
    map.next_value::<IgnoredAny>()?;
});

impl Offer<'_> {
    fn product(&mut self, sku: String, product: Product) {
        let Attributes { usagetype, location, group } = product.attributes;
        let [usage_type, location, group] = [usagetype, location, group].map(Option::unwrap_or_default);
        if is_regionless(&usage_type, &location) {
            self.raw.regionless.insert(sku, is_trial(&usage_type, &group));
        }
    }

    /// Whether the terms of a SKU may be needed.
    fn needs_terms(&self, sku: &str) -> bool {
        !self.products || self.needs.skus.contains(sku) || self.raw.regionless.contains_key(sku)
    }

    fn term(&mut self, sku: &str, term: Term) -> Result<(), String> {
        for (code, dimension) in term.dimensions {
            let rate_code = dimension.rate_code.unwrap_or(code);
            let applies_to = dimension.applies_to.unwrap_or_default();
            let members = applies_to.iter().map(|code| sku_of(code));
            let members = members.filter(|sku| self.needs.skus.contains(*sku)).map(str::to_owned).collect();
            let range = RawRange {
                term: term
                    .code
                    .clone()
                    .unwrap_or_else(|| rate_code.split('.').nth(1).unwrap_or_default().to_owned()),
                rate_code,
                unit: dimension.unit.unwrap_or_default(),
                begin: dimension.begin_range,
                end: dimension.end_range,
                prices: dimension.price_per_unit,
                members,
            };
            if self.needs.skus.contains(sku) || !range.members.is_empty() {
                self.raw.push(sku, range)?;
            }
        }
        Ok(())
    }
}
