//! How long it takes to find the purchase orders of many invoices: made orders and invoices, every trace kept, nothing stored.

use billing::matching::{Matcher, Outcome};
use billing::money::{Amount, Cost, Currency, Quantity};
use billing::period::BillingPeriod;
use billing::purchase_order::invoice::{InvoiceKind, MatchInvoice, Origin};
use billing::purchase_order::{
    Buyer, Line, LineNumber, LineType, Price, PurchaseOrder, PurchaseOrderId, Seller, Settings,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

const INVOICES: usize = 10_000;
const ORDERS: usize = 100;
const LINES: usize = 100;
const KINDS: [InvoiceKind; 5] = [
    InvoiceKind::MonthlyUsage,
    InvoiceKind::Subscription,
    InvoiceKind::MarketplaceMonthly,
    InvoiceKind::MarketplaceOutOfCycle,
    InvoiceKind::ProfessionalServicesTraining,
];

/// What the orders are like.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Lines of every type, half of them tracked, orders of several sellers, units and quarters.
    Mixed,
    /// Every line of every order may take every invoice, and tracks its balance.
    AllTracked,
}

/// Matches the invoices of both shapes and prints what each took.
#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
pub fn run(arguments: &[String]) -> Result<(), String> {
    if let Some(argument) = arguments.first() {
        return Err(format!("bench-matching takes no arguments, and `{argument}` is one"));
    }
    for (name, shape) in [("mixed", Shape::Mixed), ("all_tracked", Shape::AllTracked)] {
        let orders = (0..ORDERS).map(|number| order(shape, number)).collect::<Result<Vec<_>, _>>()?;
        let invoices = (0..INVOICES).map(invoice).collect::<Result<Vec<_>, _>>()?;
        let (started, cpu) = (Instant::now(), cpu_nanoseconds());
        let mut matcher = Matcher::new(Settings::default(), orders);
        let decisions = matcher.take_all(&invoices).map_err(|error| error.to_string())?;
        let wall = started.elapsed();
        let cpu = cpu_nanoseconds().zip(cpu).map(|(after, before)| after.saturating_sub(before));
        let found = decisions.iter().filter(|it| matches!(it.outcome, Outcome::Associated(_))).count();
        let traced: usize = decisions.iter().map(|it| it.trace.orders.len()).sum();
        println!(
            "shape={name} invoices={INVOICES} orders={ORDERS} lines={LINES} found={found} traced={traced}"
        );
        println!("{name}_wall_seconds={}.{:06}", wall.as_secs(), wall.subsec_micros());
        if let Some(cpu) = cpu {
            println!("{name}_cpu_seconds={}.{:06}", cpu / 1_000_000_000, cpu / 1_000 % 1_000_000);
        }
    }
    Ok(())
}

/// How long this process has been on a processor, where the system says it.
fn cpu_nanoseconds() -> Option<u64> {
    let told = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    told.split_whitespace().next()?.parse().ok()
}

/// A number below `most` that looks like any other, and is the same in every run.
const fn scattered(number: usize, most: usize) -> usize {
    (number.wrapping_mul(2_654_435_761) >> 7) % most
}

fn month(number: usize) -> Result<BillingPeriod, String> {
    let month = u8::try_from(number % 12 + 1).map_err(|error| error.to_string())?;
    BillingPeriod::new(2026, month).ok_or_else(|| format!("{month} is no month"))
}

fn seller(number: usize) -> Result<Seller, String> {
    let code = if number.is_multiple_of(4) { "AWS_EUROPE" } else { "AWS_INC" };
    Seller::parse(code).ok_or_else(|| format!("{code} is no seller"))
}

fn dollars() -> Result<Currency, String> {
    Currency::parse("USD").ok_or_else(|| "USD is no currency".to_owned())
}

fn order(shape: Shape, number: usize) -> Result<PurchaseOrder, String> {
    let mixed = shape == Shape::Mixed;
    let name = format!("PO-{:03}", scattered(number, 1_000) * 100 + number);
    let updated_at = i64::try_from(scattered(number, 50)).map_err(|error| error.to_string())?;
    let unit = (mixed && number.is_multiple_of(10)).then(|| format!("unit-{}", number / 10 % 3));
    let from = if mixed && !number.is_multiple_of(3) { number % 4 * 3 } else { 0 };
    let until = if mixed && !number.is_multiple_of(3) { from + 2 } else { 11 };
    Ok(PurchaseOrder {
        id: PurchaseOrderId::parse(&name).ok_or_else(|| format!("{name} is no id"))?,
        buyer: Buyer::Payer,
        description: None,
        bill_from: if mixed { BTreeSet::from([seller(number)?]) } else { [seller(0)?, seller(1)?].into() },
        tax_registration_numbers: BTreeSet::new(),
        invoice_units: unit.into_iter().collect(),
        ship_to: None,
        bill_to: None,
        payment_terms: None,
        currency: dollars()?,
        effective: month(from)?,
        expiration: month(until)?,
        contacts: Vec::new(),
        tags: BTreeMap::new(),
        suspended: mixed && number % 20 == 7,
        created_at: updated_at,
        updated_at,
        lines: (0..LINES)
            .map(|line_of| line(shape, number, line_of, (from, until)))
            .collect::<Result<_, _>>()?,
    })
}

fn line(shape: Shape, order: usize, number: usize, months: (usize, usize)) -> Result<Line, String> {
    let mixed = shape == Shape::Mixed;
    let seed = scattered(order * LINES + number, 1_000_000);
    let (from, until) = months;
    let (start, end) = if mixed { (from + seed % (until - from + 1), until) } else { months };
    let line_type = if mixed { LineType::ALL[seed / 12 % LineType::ALL.len()] } else { LineType::All };
    let worth =
        Cost::parse(&format!("{}.{:02}", 100 + seed % 20_000, seed % 100)).map_err(|it| it.to_string())?;
    let charged = line_type == LineType::MarketplaceTransaction;
    Ok(Line {
        number: LineNumber::of(number + 1),
        description: None,
        line_type,
        start: month(start)?,
        end: month(end)?,
        balance_tracking: !mixed || seed.is_multiple_of(2),
        charge: charged.then(|| format!("charge-{order}-{number}")),
        price: Price::new(worth, Quantity::ONE, None, dollars()?).map_err(|error| error.to_string())?,
    })
}

fn invoice(number: usize) -> Result<MatchInvoice, String> {
    let seed = scattered(number, 1_000_000);
    let kind = KINDS[seed % KINDS.len()];
    let charged = kind == InvoiceKind::MarketplaceOutOfCycle;
    Ok(MatchInvoice {
        id: format!("INV-{number:05}"),
        origin: Origin::Provider,
        buyer: Buyer::Payer,
        kind,
        seller: seller(seed / 5)?,
        period: month(seed / 20)?,
        total: Amount::parse(&format!("{}.{:02}", 1 + seed % 9_000, seed % 100))
            .map_err(|it| it.to_string())?,
        currency: dollars()?,
        exchange: None,
        tax_registration_number: None,
        invoice_unit: (seed / 240).is_multiple_of(5).then(|| format!("unit-{}", seed / 1_200 % 3)),
        issued_at: i64::try_from(number).map_err(|error| error.to_string())?,
        charge: charged.then(|| format!("charge-{}-{}", seed / 240 % ORDERS, seed / 7 % LINES)),
        requested: None,
        original: None,
    })
}
