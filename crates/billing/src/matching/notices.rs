//! What somebody should be told: a pure function of how things stand, each notice with a key that is sent once.
//!
//! AWS writes to an order's contacts when a line's balance falls below 75 %, and before the order expires. The rest is ours: other thresholds, out of
//! balance, invoices without an order, forecasts, an order that is needed next month.
//!
//! Source: AWS Billing user guide, "Enabling purchase order notifications".

use super::forecast::{Expected, LineForecast};
use super::{NoOrder, Outcome};
use crate::money::{Amount, DecimalError, Percentage, percentage_of};
use crate::period::BillingPeriod;
use crate::purchase_order::invoice::{InvoiceId, InvoiceKind};
use crate::purchase_order::{
    Buyer, Line, LineNumber, PurchaseOrder, PurchaseOrderId, Settings, Status, month_of,
};
use std::collections::{BTreeMap, BTreeSet};

/// A day, in seconds.
const DAY: i64 = 86_400;
/// How many days after an order's last one it is still told of.
const MISSED_DAYS: i64 = 31;

/// How much of a line's value is left when its contacts are told; the higher one comes first when a balance falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Threshold {
    /// The balance is 0 or less.
    UsedUp,
    /// The balance is below this percentage of the line's value.
    Below(Percentage),
}

/// A line's balance at a moment: after every change, in the order in which they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalanceStep {
    /// What is left of the line, in the order's currency.
    pub balance: Amount,
    /// What the line is worth, in the order's currency.
    pub value: Amount,
}

/// How an order and its lines stand.
#[derive(Debug, Clone)]
pub struct OrderState<'a> {
    /// The order.
    pub order: &'a PurchaseOrder,
    /// The balances of each line since it was created, the first one being its value.
    pub balances: BTreeMap<LineNumber, Vec<BalanceStep>>,
    /// What is expected of each line.
    pub forecasts: BTreeMap<LineNumber, LineForecast>,
}

/// An invoice that was decided.
#[derive(Debug, Clone)]
pub struct InvoiceState<'a> {
    /// The invoice.
    pub invoice: &'a InvoiceId,
    /// Who is to pay it.
    pub buyer: &'a Buyer,
    /// What it charges.
    pub kind: InvoiceKind,
    /// The billing period that it is for.
    pub period: BillingPeriod,
    /// What was decided.
    pub outcome: &'a Outcome,
    /// Who issued it.
    pub seller: &'a crate::purchase_order::Seller,
}

/// When an order's expiry is announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ahead {
    /// Two months before.
    TwoMonths,
    /// One month before.
    OneMonth,
    /// Seven days before.
    SevenDays,
    /// On the day.
    Today,
}

/// What somebody is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// A line's balance crossed a threshold.
    Balance {
        /// The line.
        line: LineNumber,
        /// Which threshold.
        threshold: Threshold,
        /// What is left, in the order's currency.
        balance: Amount,
        /// What the line is worth, in the order's currency.
        value: Amount,
    },
    /// An order expires.
    Expiry {
        /// How far ahead that is.
        ahead: Ahead,
        /// Its last month.
        expiration: BillingPeriod,
    },
    /// An invoice was associated although no balance covered it, or is held for that.
    OutOfBalance {
        /// The invoice.
        invoice: InvoiceId,
        /// The line.
        line: LineNumber,
        /// Whether it is held.
        held: bool,
    },
    /// An invoice carries no order.
    WithoutOrder {
        /// The invoice.
        invoice: InvoiceId,
        /// Why.
        reason: NoOrder,
    },
    /// A line is expected to run out before it ends.
    RunsOut {
        /// The line.
        line: LineNumber,
        /// In which month.
        month: BillingPeriod,
    },
    /// What is expected of the open month is above what is left of the line.
    MonthAboveBalance {
        /// The line.
        line: LineNumber,
        /// The month.
        month: BillingPeriod,
    },
    /// Invoices of a kind came in the last three months, and no active order has a line for the next one.
    NeededNextMonth {
        /// The kind.
        kind: InvoiceKind,
        /// Who issues them.
        seller: crate::purchase_order::Seller,
        /// The month without a line.
        month: BillingPeriod,
    },
}

/// A notice that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The same for the same notice whenever it is computed: sent once.
    pub key: String,
    /// Whose orders it is about.
    pub buyer: Buyer,
    /// The order that it is about; its contacts are told.
    pub order: Option<PurchaseOrderId>,
    /// What is told.
    pub news: News,
}

/// Every notice that is due by `now`, the balances by `thresholds`; `now` is in seconds since 1970-01-01T00:00:00Z. Keys are unique; what was sent is known by them.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn due(
    orders: &[OrderState<'_>],
    invoices: &[InvoiceState<'_>],
    settings: &Settings,
    thresholds: &BTreeSet<Threshold>,
    now: i64,
) -> Result<Vec<Notice>, DecimalError> {
    let mut notices = Vec::new();
    for state in orders {
        balances(state, thresholds, now, &mut notices)?;
        expiry(state.order, now, &mut notices);
        forecasts(state, now, &mut notices);
    }
    for state in invoices {
        notices.extend(of_invoice(state));
    }
    notices.extend(needed(orders, invoices, settings, now));
    Ok(notices)
}

/// The beginning of a key: whose order.
fn of(buyer: &Buyer) -> String {
    match buyer {
        Buyer::Payer => "payer".to_owned(),
        Buyer::BillingGroup(group) => format!("group:{}", group.as_str()),
    }
}

fn notice(order: &PurchaseOrder, key: &str, news: News) -> Notice {
    let key = format!("{}/{}/{key}", of(&order.buyer), order.id);
    Notice { key, buyer: order.buyer.clone(), order: Some(order.id.clone()), news }
}

/// Thresholds of the lines that track their balances, of active orders. Each fires once per crossing, and again after the balance has risen above it; of
/// several that one step has crossed the lowest is told, which says it all.
fn balances(
    state: &OrderState<'_>,
    thresholds: &BTreeSet<Threshold>,
    now: i64,
    notices: &mut Vec<Notice>,
) -> Result<(), DecimalError> {
    if state.order.status(now) != Status::Active {
        return Ok(());
    }
    for line in state.order.lines.iter().filter(|line| line.balance_tracking) {
        let Some(steps) = state.balances.get(&line.number) else { continue };
        let Some(BalanceStep { balance, value }) = steps.last() else { continue };
        let mut of_lower = BTreeSet::new();
        // From the lowest on.
        for threshold in thresholds {
            let (crossings, is_below) = crossings(steps, *threshold)?;
            if is_below && crossings.last().is_some_and(|last| !of_lower.contains(last)) {
                let name = threshold_name(*threshold);
                let key = format!("line:{}/balance:{name}/{}", line.number, crossings.len());
                let (balance, value) = (*balance, *value);
                let news = News::Balance { line: line.number.clone(), threshold: *threshold, balance, value };
                notices.push(notice(state.order, &key, news));
            }
            of_lower.extend(crossings);
        }
    }
    Ok(())
}

fn threshold_name(threshold: Threshold) -> String {
    match threshold {
        Threshold::Below(percent) => percent.to_string(),
        Threshold::UsedUp => "used-up".to_owned(),
    }
}

/// The steps by which the balance has fallen below the threshold, and whether it is there now. What is true from the first step on is a crossing as well,
/// except of a line that is worth nothing.
fn crossings(steps: &[BalanceStep], threshold: Threshold) -> Result<(Vec<usize>, bool), DecimalError> {
    let (mut crossings, mut is_below) = (Vec::new(), false);
    for (at, step) in steps.iter().enumerate() {
        let below = match threshold {
            Threshold::UsedUp => step.balance <= Amount::ZERO && (at > 0 || step.value > Amount::ZERO),
            Threshold::Below(percent) => {
                let (bound, _) = percentage_of(step.value, percent)?;
                step.balance < bound
            }
        };
        if below && !is_below {
            crossings.push(at);
        }
        is_below = below;
    }
    Ok((crossings, is_below))
}

/// Two months, one month and seven days ahead and on the day: of those dates that lie after the order's creation. An order that is expired already
/// is told of by the last date that was reached, so that what was missed while nobody looked comes once.
fn expiry(order: &PurchaseOrder, now: i64, notices: &mut Vec<Notice>) {
    if order.suspended {
        return;
    }
    // The day is the last one of the expiration month; months before it, it is clamped to the month's end.
    let last_day = |month: BillingPeriod| month.end_seconds() - DAY;
    let before = |month: BillingPeriod| month.previous().unwrap_or(month);
    let month = order.expiration;
    let dates = [
        (Ahead::TwoMonths, last_day(before(before(month)))),
        (Ahead::OneMonth, last_day(before(month))),
        (Ahead::SevenDays, last_day(month) - 7 * DAY),
        (Ahead::Today, last_day(month)),
    ];
    let is_old = dates[3].1 + MISSED_DAYS * DAY < now;
    let mut reached =
        dates.into_iter().filter(|(_, date)| order.created_at < *date && *date <= now && !is_old);
    if let Some((ahead, _)) = reached.next_back() {
        let key = format!("expiry:{}/{}", order.expiration, ahead.name());
        notices.push(notice(order, &key, News::Expiry { ahead, expiration: order.expiration }));
    }
}

impl Ahead {
    /// The name in keys and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TwoMonths => "TWO_MONTHS",
            Self::OneMonth => "ONE_MONTH",
            Self::SevenDays => "SEVEN_DAYS",
            Self::Today => "TODAY",
        }
    }
}

fn forecasts(state: &OrderState<'_>, now: i64, notices: &mut Vec<Notice>) {
    if state.order.status(now) != Status::Active {
        return;
    }
    for line in state.order.lines.iter().filter(|line| line.balance_tracking) {
        let expected = state.forecasts.get(&line.number).and_then(|forecast| forecast.expected.as_ref());
        let Some(Expected::Forecast { runs_out, month_above_balance, .. }) = expected else { continue };
        let Some(month) = *runs_out else { continue };
        let number = &line.number;
        if *month_above_balance {
            let news = News::MonthAboveBalance { line: number.clone(), month };
            notices.push(notice(state.order, &format!("line:{number}/month-above-balance:{month}"), news));
        } else if month < line.end {
            let news = News::RunsOut { line: number.clone(), month };
            notices.push(notice(state.order, &format!("line:{number}/runs-out:{month}"), news));
        }
    }
}

fn of_invoice(state: &InvoiceState<'_>) -> Option<Notice> {
    let invoice = state.invoice.clone();
    let (order, name, news) = match state.outcome {
        Outcome::None(reason) => (None, "without-order", News::WithoutOrder { invoice, reason: *reason }),
        Outcome::Associated(taking) if !taking.out_of_balance => return None,
        Outcome::Associated(taking) | Outcome::Held(taking) => {
            let held = matches!(state.outcome, Outcome::Held(_));
            let line = taking.place.line.clone();
            let name = if held { "held" } else { "out-of-balance" };
            (Some(taking.place.order.clone()), name, News::OutOfBalance { invoice, line, held })
        }
    };
    let key = format!("{}/invoice:{}/{name}", of(state.buyer), state.invoice);
    Some(Notice { key, buyer: state.buyer.clone(), order, news })
}

/// Kinds of invoices of the last three months for which no active order has a line next month.
fn needed(
    orders: &[OrderState<'_>],
    invoices: &[InvoiceState<'_>],
    settings: &Settings,
    now: i64,
) -> Vec<Notice> {
    let Some(month) = month_of(now) else { return Vec::new() };
    let next = month.next();
    let first = (0..3).fold(month, |month, _| month.previous().unwrap_or(month));
    let recent = invoices.iter().filter(|it| first <= it.period && it.period <= month);
    let recent = recent.filter(|it| it.kind != InvoiceKind::CreditMemo);
    let kinds: BTreeSet<_> = recent.map(|it| (it.buyer, it.kind, it.seller)).collect();
    let mut found = Vec::new();
    for (buyer, kind, seller) in kinds {
        let takes = |line: &Line| {
            let usage_ordered = settings.marketplace_transaction_for_usage;
            super::rank(line.line_type, kind, usage_ordered).is_some()
                && settings.has_type(seller, line.line_type)
                && line.has_period(next)
        };
        let serves = |order: &PurchaseOrder| {
            order.buyer == *buyer
                && !order.suspended
                && order.effective <= next
                && next <= order.expiration
                && order.bills_from(seller)
                && order.lines.iter().any(takes)
        };
        if orders.iter().any(|state| serves(state.order)) {
            continue;
        }
        let key = format!("{}/needed:{}:{seller}:{next}", of(buyer), kind.name());
        let news = News::NeededNextMonth { kind, seller: seller.clone(), month: next };
        found.push(Notice { key, buyer: buyer.clone(), order: None, news });
    }
    found
}
