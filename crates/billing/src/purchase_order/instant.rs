//! Instants as text: `YYYY-MM-DDTHH:MM:SSZ`.

use crate::period::{BillingPeriod, date_text};

/// Seconds since 1970-01-01T00:00:00Z of a text `YYYY-MM-DDTHH:MM:SSZ`; a date alone is its first second. `None` for anything else.
#[must_use]
pub fn parse_instant(text: &str) -> Option<i64> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, time.strip_suffix('Z')?),
        None => (text, "00:00:00"),
    };
    let number = |text: &str, digits: usize| {
        (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse::<i64>().ok())?
    };
    let month = BillingPeriod::parse(date.get(..7)?).ok()?;
    let day = number(date.get(7..)?.strip_prefix('-')?, 2)?;
    let days = (month.end_seconds() - month.start_seconds()) / 86_400;
    let mut parts = time.split(':');
    let mut next = |most: i64| number(parts.next()?, 2).filter(|value| *value <= most);
    let (hour, minute, second) = (next(23)?, next(59)?, next(59)?);
    let whole = parts.next().is_none() && (1..=days).contains(&day);
    whole.then(|| month.start_seconds() + (day - 1) * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// An instant, in seconds since 1970-01-01T00:00:00Z, as `YYYY-MM-DDTHH:MM:SSZ`.
#[must_use]
pub fn instant_text(seconds: i64) -> String {
    let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let day = date_text(i32::try_from(day).unwrap_or(i32::MAX));
    format!("{day}T{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60)
}

/// The month that has an instant, in seconds since 1970-01-01T00:00:00Z; `None` outside the years 1 to 9999.
#[must_use]
pub fn month_of(seconds: i64) -> Option<BillingPeriod> {
    instant_text(seconds).get(..7).and_then(|month| BillingPeriod::parse(month).ok())
}
