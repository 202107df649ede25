//! Where a line's balance is heading: the mean of its last closed months, carried on. Deterministic, and simple enough to be explained.

use crate::money::{Amount, DecimalError, Percentage, divide_half_away};
use crate::period::BillingPeriod;
use crate::purchase_order::{Line, PurchaseOrder};
use std::collections::BTreeMap;

/// Closed months that the rate is the mean of.
pub const MONTHS_OF_RATE: usize = 3;
/// Closed months below which there is no forecast.
pub const MONTHS_NEEDED: usize = 2;

/// What is expected of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// It has too few closed months.
    InsufficientData {
        /// How many it has.
        months: usize,
    },
    /// It is carried on.
    Forecast {
        /// What invoices take a month, in the order's currency: the mean of the last closed months, rounded half away from zero at twenty decimals.
        rate: Amount,
        /// The first month in which what is taken exceeds the balance; `None` where it lasts to the line's end.
        runs_out: Option<BillingPeriod>,
        /// The balance after the line's end month, in the order's currency.
        balance_at_end: Amount,
        /// Whether the month that is open takes more than what is left.
        month_above_balance: bool,
    },
}

/// A line's balance through time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineForecast {
    /// What it is worth, in the order's currency.
    pub value: Amount,
    /// What is left, in the order's currency.
    pub balance: Amount,
    /// What invoices took less what memos gave back, by billing period.
    pub burn_down: BTreeMap<BillingPeriod, Amount>,
    /// How much of the value is used, in percent; for showing.
    pub used_percent: Percentage,
    /// How many of the line's months are over, in percent; for showing.
    pub time_percent: Percentage,
    /// What is left unused once the line has ended: it is not carried over.
    pub unused_at_expiry: Option<Amount>,
    /// What is expected; `None` of a line that has ended.
    pub expected: Option<Expected>,
}

/// What is expected of a line. `taken` is what invoices took less what memos gave back, by billing period, in the order's currency; `open` is the
/// first billing period that is not over. A line has ended once the invoice of its last month is there, or has not come for a month.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn forecast_line(
    line: &Line,
    taken: &BTreeMap<BillingPeriod, Amount>,
    open: BillingPeriod,
) -> Result<LineForecast, DecimalError> {
    let value = line.price.value().total;
    let used = taken.values().try_fold(Amount::ZERO, |sum, taken| sum.plus(*taken))?;
    let balance = value.minus(used)?;
    let without_invoices = first_without_invoices(line, taken, open);
    let ended = line.end < without_invoices;
    let over = months_between(line.start, open).clamp(0, line.months());
    Ok(LineForecast {
        value,
        balance,
        burn_down: taken.clone(),
        used_percent: percent(used, value),
        time_percent: percent_of_counts(over, line.months()),
        unused_at_expiry: (ended && balance > Amount::ZERO).then_some(balance),
        expected: if ended { None } else { Some(expected(line, taken, balance, without_invoices)?) },
    })
}

/// What is expected of every line of an order, in the lines' order; `taken` is by line, as in [`forecast_line`].
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn forecast_order(
    order: &PurchaseOrder,
    taken: &BTreeMap<crate::purchase_order::LineNumber, BTreeMap<BillingPeriod, Amount>>,
    open: BillingPeriod,
) -> Result<Vec<LineForecast>, DecimalError> {
    let nothing = BTreeMap::new();
    let of = |line: &Line| forecast_line(line, taken.get(&line.number).unwrap_or(&nothing), open);
    order.lines.iter().map(of).collect()
}

/// The last month for which the whole order has a balance: the earliest month in which a tracked line runs out.
#[must_use]
pub fn order_runs_out(order: &PurchaseOrder, lines: &[LineForecast]) -> Option<BillingPeriod> {
    let tracked = order.lines.iter().zip(lines).filter(|(line, _)| line.balance_tracking);
    let months = tracked.filter_map(|(_, forecast)| match forecast.expected {
        Some(Expected::Forecast { runs_out, .. }) => runs_out,
        _ => None,
    });
    months.min()
}

fn expected(
    line: &Line,
    taken: &BTreeMap<BillingPeriod, Amount>,
    balance: Amount,
    open: BillingPeriod,
) -> Result<Expected, DecimalError> {
    // A line is as old as its first invoice: months before it say nothing of the rate, months without one after it do.
    let first = taken.keys().next().copied().unwrap_or(open);
    let mut closed = Vec::new();
    let mut month = open.previous();
    while let Some(period) = month.filter(|period| *period >= first && closed.len() < MONTHS_OF_RATE) {
        closed.push(taken.get(&period).copied().unwrap_or_default());
        month = period.previous();
    }
    if closed.len() < MONTHS_NEEDED {
        return Ok(Expected::InsufficientData { months: closed.len() });
    }
    let sum = closed.iter().try_fold(Amount::ZERO, |sum, taken| sum.plus(*taken))?;
    let count = i128::try_from(closed.len()).map_err(|_| DecimalError::TooLarge)?;
    let rate = Amount::from_units(divide_half_away(sum.units(), count).0)?;
    // What the open month has taken already is in the balance; the rest of its rate is still to come.
    let of_open = taken.get(&open).copied().unwrap_or_default();
    let coming = rate.minus(of_open)?.max(Amount::ZERO);
    let is_running = line.start <= open;
    let left = balance.minus(if is_running { coming } else { Amount::ZERO })?;
    let month_above_balance = is_running && left < Amount::ZERO;
    let next = if is_running { open.next() } else { line.start };
    let months = i128::from(months_between(next, line.end) + 1).max(0);
    let after = months_until_below(left, rate).filter(|after| *after <= months);
    let runs_out = match month_above_balance {
        true => Some(open),
        false => after.and_then(|after| nth_month(next, after - 1)),
    };
    let spent = rate.units().saturating_mul(months);
    let balance_at_end = saturated(left.units().saturating_sub(spent));
    Ok(Expected::Forecast { rate, runs_out, balance_at_end, month_above_balance })
}

/// The first month whose invoices are still to come: the month that is over last has no invoice for days, and counts as open until it has one. One month
/// only: a line that is charged no more shows that a month later.
fn first_without_invoices(
    line: &Line,
    taken: &BTreeMap<BillingPeriod, Amount>,
    open: BillingPeriod,
) -> BillingPeriod {
    let last = open.previous().filter(|last| line.has_period(*last) && !taken.contains_key(last));
    last.unwrap_or(open)
}

/// In which month from now on, counted from 1, a balance that loses so much each month is below 0; `None` where it never is.
fn months_until_below(left: Amount, rate: Amount) -> Option<i128> {
    if left.minus(rate).is_ok_and(|left| left < Amount::ZERO) {
        return Some(1);
    }
    (rate > Amount::ZERO && left >= Amount::ZERO).then(|| left.units() / rate.units() + 1)
}

/// The month that is so many after another.
fn nth_month(from: BillingPeriod, months: i128) -> Option<BillingPeriod> {
    let index = i128::from(from.year()) * 12 + i128::from(from.month()) - 1 + months;
    BillingPeriod::new(u16::try_from(index / 12).ok()?, u8::try_from(index % 12 + 1).ok()?)
}

/// An amount, or the last one that there is in its direction: a line that ends in thousands of years owes no exact sum.
fn saturated(units: i128) -> Amount {
    let most = crate::money::UNITS_MAX * crate::money::ten_to(20);
    Amount::from_units(units.clamp(-most, most)).unwrap_or_default()
}

/// How many months lie from one to before another; below 0 where the other comes first.
fn months_between(from: BillingPeriod, to: BillingPeriod) -> i32 {
    let index = |period: BillingPeriod| i32::from(period.year()) * 12 + i32::from(period.month());
    index(to) - index(from)
}

/// `part / whole` in percent, half away from zero at two decimals; 0 of a whole of 0. For showing only.
fn percent(part: Amount, whole: Amount) -> Percentage {
    if whole <= Amount::ZERO {
        return Percentage::ZERO;
    }
    // Amounts have up to 10³⁵ units: a hundredth of a percent needs ten thousand times the part, so both lose ten decimals first.
    let step = crate::money::ten_to(10);
    let (part, whole) = (part.units() / step, (whole.units() / step).max(1));
    let hundredths = part.checked_mul(10_000).map_or(0, |part| divide_half_away(part, whole).0);
    Percentage::from_units(hundredths * 100).unwrap_or_default()
}

fn percent_of_counts(part: i32, whole: i32) -> Percentage {
    let hundredths = divide_half_away(i128::from(part) * 10_000, i128::from(whole.max(1))).0;
    Percentage::from_units(hundredths * 100).unwrap_or_default()
}
