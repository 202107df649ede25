//! Whether a document's taxes are likely between where its seller is and where its buyer is. What is true of whom is the operator's to know: this
//! only asks again.

use super::{Invoice, TaxCategory};
use std::fmt;

/// The countries of the European Union, as documents write them.
const UNION: [&str; 27] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT",
    "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// A tax that is unlikely between two countries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnlikelyTax {
    /// The category.
    pub category: TaxCategory,
    /// The seller's country.
    pub seller: String,
    /// The buyer's.
    pub buyer: String,
}

/// The taxes of a document that are unlikely.
#[must_use]
pub fn unlikely_taxes(document: &Invoice) -> Vec<UnlikelyTax> {
    let (seller, buyer) = (&document.seller.address.country, &document.buyer.address.country);
    let in_union = |country: &str| UNION.contains(&country);
    let is_unlikely = |category: TaxCategory| match category {
        // Who buys at home owes the tax for a few things only, and cloud services are none of them.
        TaxCategory::ReverseCharge => seller == buyer,
        TaxCategory::IntraCommunity => seller == buyer || !in_union(seller) || !in_union(buyer),
        TaxCategory::Export => seller == buyer || in_union(seller) && in_union(buyer),
        _ => false,
    };
    let mut categories: Vec<TaxCategory> = document.taxes.iter().map(|of| of.tax.category).collect();
    categories.dedup();
    let unlikely = categories.into_iter().filter(|category| is_unlikely(*category));
    unlikely.map(|category| UnlikelyTax { category, seller: seller.clone(), buyer: buyer.clone() }).collect()
}

impl fmt::Display for UnlikelyTax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { category, seller, buyer } = self;
        let meant = match category {
            TaxCategory::IntraCommunity => "from one country of the EU to another",
            TaxCategory::Export => "to a country outside of the seller's, and from the EU outside of it",
            _ => "to a buyer in another country",
        };
        write!(
            f,
            "tax category {category} is meant for supplies {meant}, and this one goes from {seller} to {buyer}; look at the tax rules, or \
             mean it"
        )
    }
}
