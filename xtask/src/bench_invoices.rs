//! How long it takes to issue and render a month's invoices: made charges, numbers of one series, a page of each, nothing stored.

use billing::invoice::charges::{Charge, Charges};
use billing::invoice::compose::compose;
use billing::invoice::exchange::RateTable;
use billing::invoice::terms::{Extras, OrderReference};
use billing::invoice::{Date, Invoice};
use billing::money::{Amount, Currency};
use billing::period::BillingPeriod;
use documents::{Design, Format, render};
use std::time::{Duration, Instant};

const INVOICES: usize = 300;
const LINES: usize = 60;
const ACCOUNTS: usize = 4;
const SETTINGS: &str = r#"{
    "seller": { "legal_name": "Northwind Cloud GmbH",
                "address": { "lines": ["Hafenstr. 1"], "postal_code": "20457", "city": "Hamburg", "country": "DE" },
                "tax_registrations": [{ "scheme": "VAT", "id": "DE123456789" }] },
    "buyer": { "legal_name": "Acme SA",
               "address": { "lines": ["1 rue de Lille"], "postal_code": "75007", "city": "Paris", "country": "FR" },
               "tax_registrations": [{ "scheme": "VAT", "id": "FR12345678901" }] },
    "tax": [{ "category": "S", "rate": "19", "from": "2026-01-01" }],
    "lines": "account_and_service",
    "series": { "template": "INV-{year}-{number:5}" },
    "due_days": 14,
    "notes": ["Thank you."]
}"#;

/// Issues and renders the invoices, and prints what both took.
#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
pub fn run(arguments: &[String]) -> Result<(), String> {
    if let Some(argument) = arguments.first() {
        return Err(format!("bench-invoices takes no arguments, and `{argument}` is one"));
    }
    let charges = (0..INVOICES).map(charges).collect::<Result<Vec<_>, _>>()?;
    let (started, design) = (Instant::now(), Design::default());
    let issued = issue(&charges)?;
    let issuing = started.elapsed();
    let mut bytes = 0;
    for text in &issued {
        // What a desk renders is what it has kept.
        let invoice = invoice_file::document::read(text).map_err(|error| error.to_string())?;
        bytes += render(&invoice, &design, Format::Pdf).map_err(|error| error.to_string())?.len();
    }
    println!("invoices={INVOICES} lines={LINES} pdf_bytes={bytes}");
    println!("issuing_wall_seconds={}", seconds(issuing));
    println!("wall_seconds={}", seconds(started.elapsed()));
    Ok(())
}

fn seconds(duration: Duration) -> String {
    format!("{}.{:06}", duration.as_secs(), duration.subsec_micros())
}

/// The documents as a desk keeps them, numbered without a gap.
fn issue(charges: &[Charges]) -> Result<Vec<Vec<u8>>, String> {
    let settings = invoice_file::settings::read(SETTINGS, dollars()?).map_err(|error| error.to_string())?;
    let series = settings.series.ok_or("the settings have no series")?;
    let period = BillingPeriod::new(2026, 10).ok_or("2026-10 is no month")?;
    let day = Date::parse("2026-11-03").map_err(|error| error.to_string())?;
    let (mut last, mut issued) = (None, Vec::new());
    for of in charges {
        let order = OrderReference { number: "PO-4711".to_owned(), line: Some("1".to_owned()) };
        let extras = Extras { purchase_order: Some(order), ..Extras::default() };
        let composed = compose(&settings.compose, &extras, period, of, &RateTable::default(), day);
        let composed = composed
            .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
        let (next, number) = series.next(last, day).map_err(|error| error.to_string())?;
        last = Some(next);
        let invoice: Invoice = composed.numbered(number);
        if invoice.lines.len() != LINES {
            return Err(format!("an invoice has {} lines and not {LINES}", invoice.lines.len()));
        }
        issued.push(invoice_file::document::render(&invoice));
    }
    Ok(issued)
}

fn dollars() -> Result<Currency, String> {
    Currency::parse("USD").ok_or_else(|| "USD is no currency".to_owned())
}

/// What a customer is charged: a product after the other in each of its accounts.
fn charges(customer: usize) -> Result<Charges, String> {
    let leaves = (0..LINES).map(|line| {
        let cents = (customer * LINES + line) * 7_919 % 1_000_000 + 1;
        Ok::<_, String>(Charge {
            account: format!("{:012}", customer * ACCOUNTS + line / (LINES / ACCOUNTS)),
            account_name: None,
            product: format!("Service{}", line % (LINES / ACCOUNTS)),
            product_name: format!("Amazon Elastic Service {}", line % (LINES / ACCOUNTS)),
            item: None,
            amount: Amount::parse(&format!("{}.{:02}125", cents / 100, cents % 100))
                .map_err(|error| error.to_string())?,
        })
    });
    Ok(Charges { currency: dollars()?, leaves: leaves.collect::<Result<_, _>>()? })
}
