//! Settings and charges that documents are made of in tests.

use crate::invoice::charges::{Charge, Charges};
use crate::invoice::compose::{Composed, compose};
use crate::invoice::exchange::RateTable;
use crate::invoice::tax_profile::{TaxProfile, TaxRule};
use crate::invoice::terms::{ComposeError, Extras, LinesBy, RateDay, Settings};
use crate::invoice::{Address, Date, Exchange, Invoiced, Party, SchemedId, Tax, TaxCategory};
use crate::money::{Amount, Currency, Percentage, Rate};
use crate::period::BillingPeriod;

pub fn day(text: &str) -> Date {
    Date::parse(text).unwrap()
}

pub fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

pub fn money(code: &str, text: &str) -> Invoiced {
    Invoiced::parse(currency(code), text).unwrap()
}

pub fn rule(products: &[&str], category: &str, rate: &str) -> TaxRule {
    TaxRule {
        products: products.iter().map(|of| (*of).to_owned()).collect(),
        items: Vec::new(),
        tax: Tax { category: TaxCategory::parse(category).unwrap(), rate: Percentage::parse(rate).unwrap() },
        exemption_reason: None,
        exemption_code: None,
        from: day("2026-01-01"),
        until: None,
    }
}

pub fn party(name: &str, country: &str) -> Party {
    Party {
        legal_name: name.to_owned(),
        address: Address {
            lines: vec!["Hauptstr. 1".to_owned()],
            country: country.to_owned(),
            ..Address::default()
        },
        tax_registrations: vec![SchemedId { scheme: "VAT".to_owned(), id: format!("{country}123456789") }],
        ..Party::default()
    }
}

pub fn settings(rules: &[TaxRule]) -> Settings {
    Settings {
        seller: party("Reseller GmbH", "DE"),
        buyer: party("Acme SA", "FR"),
        buyer_reference: None,
        contract: None,
        tax: Some(TaxProfile { rules: rules.to_vec() }),
        currency: None,
        tax_currency: None,
        rate_day: RateDay::PeriodEnd,
        lines: LinesBy::Service,
        line_name: None,
        due_days: 30,
        payment_terms: None,
        payable_step: None,
        payment: None,
        notes: Vec::new(),
        language: "en".to_owned(),
    }
}

/// Charges in USD: account, product, amount.
pub fn charges(leaves: &[(&str, &str, &str)]) -> Charges {
    let leaf = |(account, product, amount): &(&str, &str, &str)| Charge {
        account: (*account).to_owned(),
        account_name: Some(format!("account {account}")),
        product: (*product).to_owned(),
        product_name: product
            .strip_prefix("Amazon")
            .map_or_else(|| (*product).to_owned(), |of| format!("Amazon {of}")),
        item: None,
        amount: Amount::parse(amount).unwrap(),
    };
    Charges { currency: currency("USD"), leaves: leaves.iter().map(leaf).collect() }
}

pub fn october() -> BillingPeriod {
    BillingPeriod::new(2026, 10).unwrap()
}

pub fn rates() -> RateTable {
    let mut table = RateTable::default();
    for (from, to, rate) in [("USD", "EUR", "0.8543"), ("EUR", "PLN", "4.2561")] {
        table
            .add(Exchange {
                from: currency(from),
                to: currency(to),
                rate: Rate::parse(rate).unwrap(),
                source: "ECB".to_owned(),
                date: day("2026-10-30"),
            })
            .unwrap();
    }
    table
}

pub fn composed(
    settings: &Settings,
    extras: &Extras,
    charges: &Charges,
) -> Result<Composed, Vec<ComposeError>> {
    compose(settings, extras, october(), charges, &rates(), day("2026-11-03"))
}

/// Numbers without a pattern, the same in every run.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}
