//! What the tax of a document asks of its charges and its parties: of those that stand on it, and of nothing that comes to 0.

use super::charges::{Charge, Charges};
use super::date::Date;
use super::party::is_blank;
use super::tax::TaxCategory;
use super::terms::{ComposeError, LinesBy, Settings};
use crate::money::{Amount, DecimalError};
use crate::period::BillingPeriod;
use std::collections::BTreeMap;

/// What decides of which line and which tax a charge is: account, product, custom line item, and the period in which it was supplied.
type LineKey<'a> = (&'a str, &'a str, Option<&'a str>, BillingPeriod);

fn line_key<'c>(settings: &Settings, period: BillingPeriod, leaf: &'c Charge) -> LineKey<'c> {
    let account = if settings.lines == LinesBy::AccountAndService { leaf.account.as_str() } else { "" };
    let item = leaf.item.as_ref().map(|item| item.name.as_str());
    (account, leaf.product.as_str(), item, leaf.supplied_in(period))
}

/// The charges without those that come to 0: they are on no line, so nobody needs to know their tax. Where all of them do, one that has a tax
/// stays: the document has a line, and its tax is that.
pub(super) fn without_nothing(settings: &Settings, period: BillingPeriod, charges: &Charges) -> Charges {
    let mut sums: BTreeMap<LineKey<'_>, Result<Amount, DecimalError>> = BTreeMap::new();
    for leaf in &charges.leaves {
        let sum = sums.entry(line_key(settings, period, leaf)).or_insert(Ok(Amount::ZERO));
        *sum = sum.and_then(|sum| sum.plus(leaf.amount));
    }
    // A sum that is too large is refused where lines are summed.
    let is_something = |leaf: &&Charge| {
        sums.get(&line_key(settings, period, leaf)).is_some_and(|sum| *sum != Ok(Amount::ZERO))
    };
    let mut leaves: Vec<Charge> = charges.leaves.iter().filter(is_something).cloned().collect();
    if leaves.is_empty() {
        let has_tax = |leaf: &&Charge| {
            let (_, product, item, supplied) = line_key(settings, period, leaf);
            let profile = settings.tax.as_ref();
            profile.is_some_and(|profile| profile.rule_of(item, product, Date::last_of(supplied)).is_ok())
        };
        leaves.extend(charges.leaves.iter().find(has_tax).or(charges.leaves.first()).cloned());
    }
    Charges { currency: charges.currency, leaves }
}

/// What is missing for the categories of a document, and whether they may stand together.
pub(super) fn category_problems(settings: &Settings, mut categories: Vec<TaxCategory>) -> Vec<ComposeError> {
    categories.sort_unstable();
    categories.dedup();
    let mut problems: Vec<ComposeError> =
        categories.iter().flat_map(|category| id_problems(settings, *category)).collect();
    if let (Some(TaxCategory::OutsideScope), [other, _, ..]) = (categories.last(), categories.as_slice()) {
        problems.push(ComposeError::OutsideScopeBeside(*other));
    }
    problems
}

/// The ids that a category wants of seller and buyer; a seller has one that says who it is on every document (BR-CO-26).
fn id_problems(settings: &Settings, category: TaxCategory) -> Vec<ComposeError> {
    use TaxCategory::{Exempt, Export, IntraCommunity, OutsideScope, ReverseCharge, Standard, Zero};
    let (seller, buyer) = (&settings.seller, &settings.buyer);
    let is_registered = seller.tax_registrations.iter().any(|of| !is_blank(&of.id));
    let of_seller = match category {
        Standard | Zero | Exempt | ReverseCharge if !is_registered => {
            Some("a VAT id or another tax registration")
        }
        Standard | Zero | Exempt | ReverseCharge if seller.vat_id().is_none() && !seller.has_company_id() => {
            Some("a VAT id, or a company id beside another tax registration,")
        }
        IntraCommunity | Export if seller.vat_id().is_none() => Some("a VAT id"),
        // BR-O-02: a VAT id does not stay on the document.
        OutsideScope if !seller.has_company_id() => Some("a company id, for its documents name no VAT id,"),
        Standard | Zero | Exempt | ReverseCharge | IntraCommunity | Export | OutsideScope => None,
    };
    let of_buyer = match category {
        ReverseCharge if buyer.vat_id().is_none() && !buyer.has_company_id() => {
            Some("a VAT id or a company id")
        }
        IntraCommunity if buyer.vat_id().is_none() => Some("a VAT id"),
        _ => None,
    };
    let missing = |whose, what| ComposeError::TaxId { category, whose, what };
    let of_both = [("seller", of_seller), ("buyer", of_buyer)];
    of_both.into_iter().filter_map(|(whose, what)| Some(missing(whose, what?))).collect()
}
