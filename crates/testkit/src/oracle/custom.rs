//! The section "Custom line items".

use std::collections::BTreeMap;

use super::{CurrencyBill, Entry, Exact, row};
use crate::book::{Charge, CustomLineItem, Filter, SampleBook};

/// The product of a charge that names none.
const CONDUCTOR: &str = "AWSBillingConductor";
/// The decimals of money.
const MONEY_DECIMALS: u32 = 20;

/// What a custom line item charges in one currency, signed.
#[derive(Clone, Debug, Default)]
pub struct CustomCharge {
    /// Without any rounding.
    pub exact: Exact,
    /// With the 20 decimals of money: half away from zero where the exact charge does not fit.
    pub amount: Exact,
    /// By the product under which it stands; the parts of an itemized charge are not rounded.
    pub by_product: BTreeMap<String, Exact>,
    /// False where charges per class need more decimals than money has, so that the sum depends on the classes.
    pub is_certain: bool,
}

/// Adds the charges of all active items.
pub(super) fn add_charges(
    bill: &mut CurrencyBill,
    entries: &[Entry],
    book: &SampleBook,
    period: &str,
    currency: &str,
) {
    for item in book.custom_line_items.iter().filter(|item| is_active(item, period)) {
        let in_book_currency = currency == book.currency;
        if !bill.groups.contains_key(&item.billing_group) {
            continue;
        }
        let charge = match &item.charge {
            Charge::Flat(_) if !in_book_currency => continue,
            Charge::Flat(value) => consolidated(item, signed(item, Exact::of(value))),
            Charge::Percentage { value, associated_values, is_itemized } => {
                let whole_group = vec!["billing_group".to_owned()];
                let associated = associated_values.as_ref().unwrap_or(&whole_group);
                let flat = flat_base(associated, book, period, in_book_currency);
                let has_group = associated.iter().any(|name| name == "billing_group");
                let base: Vec<&Entry> =
                    entries.iter().filter(|entry| has_group && counts(item, entry)).collect();
                let percentage = signed(item, Exact::of(value));
                if *is_itemized {
                    itemized(item, &base, &flat, &percentage)
                } else {
                    let group_base: Exact = base.iter().map(|entry| &entry.amount).sum();
                    consolidated(item, (group_base + &flat).percent(&percentage))
                }
            }
        };
        bill.groups.entry(item.billing_group.clone()).or_default().pro_forma_cost += &charge.amount;
        for (product, amount) in &charge.by_product {
            row(bill, &item.billing_group, product).pro_forma_cost += amount;
        }
        bill.custom_line_items.insert(item.name.clone(), charge);
    }
}

fn is_active(item: &CustomLineItem, period: &str) -> bool {
    item.start.as_str() <= period && item.end.as_deref().is_none_or(|end| period < end)
}

fn signed(item: &CustomLineItem, value: Exact) -> Exact {
    if item.is_credit { -value } else { value }
}

/// The signed sum of the active flat items that the list names.
fn flat_base(associated: &[String], book: &SampleBook, period: &str, in_book_currency: bool) -> Exact {
    let mut base = Exact::default();
    for item in book.custom_line_items.iter().filter(|item| in_book_currency && is_active(item, period)) {
        if let Charge::Flat(value) = &item.charge
            && associated.contains(&item.name)
        {
            base += &signed(item, Exact::of(value));
        }
    }
    base
}

/// Whether an entry is in the base of an item: of its group, and past its filter.
fn counts(item: &CustomLineItem, entry: &Entry) -> bool {
    let passes = match &item.filter {
        None => true,
        Some(Filter::WithoutSavingsPlanNegation) => !entry.is_negation,
        Some(Filter::Service(service)) => entry.product == *service,
        Some(Filter::OtherServices(service)) => entry.product != *service,
    };
    entry.group == item.billing_group && passes
}

fn consolidated(item: &CustomLineItem, exact: Exact) -> CustomCharge {
    let product = item.presentation_service.clone().unwrap_or_else(|| CONDUCTOR.to_owned());
    let amount = exact.rounded(MONEY_DECIMALS);
    CustomCharge { exact, by_product: BTreeMap::from([(product, amount.clone())]), amount, is_certain: true }
}

fn itemized(item: &CustomLineItem, base: &[&Entry], flat: &Exact, percentage: &Exact) -> CustomCharge {
    let mut charge = CustomCharge { is_certain: true, ..CustomCharge::default() };
    if !flat.is_zero() {
        charge = consolidated(item, flat.percent(percentage));
    }
    for entry in base {
        let part = entry.amount.percent(percentage);
        let fits = part.rounded(MONEY_DECIMALS) == part && (!entry.is_pool || part.is_zero());
        charge.is_certain &= fits;
        charge.exact += &part;
        *charge.by_product.entry(entry.product.clone()).or_default() += &part;
    }
    charge.amount = charge.exact.rounded(MONEY_DECIMALS);
    charge
}
