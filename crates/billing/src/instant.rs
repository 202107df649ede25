//! Instants as text.

use crate::invoice::Date;
use crate::period::{BillingPeriod, date_text};

const DAY: i64 = 86_400;
/// How long a date is: `YYYY-MM-DD`.
const DATE: usize = 10;
/// How long an instant is that we write: `YYYY-MM-DDTHH:MM:SSZ`.
const INSTANT: usize = 20;

/// Seconds since 1970-01-01T00:00:00Z of a text `YYYY-MM-DDTHH:MM:SSZ`; a date alone is its first second. `None` for anything else.
#[must_use]
pub fn parse_instant(text: &str) -> Option<i64> {
    let is_ours = match text.len() {
        DATE => true,
        INSTANT => text.as_bytes()[DATE] == b'T' && text.ends_with('Z'),
        _ => false,
    };
    is_ours.then(|| printed_instant(text))?
}

/// Seconds since 1970-01-01T00:00:00Z of an instant as other programs print it: a date, perhaps a time after `T` or a blank, perhaps an offset.
/// Without an offset it is UTC. Parts of a second are left out. `None` for anything else.
#[must_use]
pub fn printed_instant(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(DATE)?;
    let midnight = i64::from(Date::parse(date).ok()?.days()) * DAY;
    if rest.is_empty() {
        return Some(midnight);
    }
    let rest = rest.strip_prefix(['T', ' '])?;
    let (time, offset) = match (rest.strip_suffix('Z'), rest.rfind(['+', '-'])) {
        (Some(time), _) => (time, 0),
        (None, None) => (rest, 0),
        (None, Some(at)) => {
            let (time, offset) = rest.split_at(at);
            let seconds = of_day(&offset[1..])?;
            (time, if offset.starts_with('-') { -seconds } else { seconds })
        }
    };
    Some(midnight + of_day(time)? - offset)
}

/// The seconds of hours, minutes and perhaps seconds, which may have parts.
fn of_day(text: &str) -> Option<i64> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = |text: &str, most: i64| {
        let is_number = text.len() == 2 && digits(text);
        is_number.then(|| text.parse().ok()).flatten().filter(|value| *value <= most)
    };
    let mut parts = text.splitn(3, ':');
    let hour = number(parts.next()?, 23)?;
    let minute = number(parts.next()?, 59)?;
    let second = match parts.next().map(|second| second.split_once('.').unwrap_or((second, "0"))) {
        None => 0,
        Some((second, part)) if digits(part) => number(second, 59)?,
        Some(_) => return None,
    };
    Some(hour * 3_600 + minute * 60 + second)
}

/// An instant, in seconds since 1970-01-01T00:00:00Z, as `YYYY-MM-DDTHH:MM:SSZ`.
#[must_use]
pub fn instant_text(seconds: i64) -> String {
    let (day, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let nearest = if day < 0 { i32::MIN } else { i32::MAX };
    let day = date_text(i32::try_from(day).unwrap_or(nearest));
    format!("{day}T{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60)
}

/// The month that has an instant, in seconds since 1970-01-01T00:00:00Z; `None` outside the years 1 to 9999.
#[must_use]
pub fn month_of(seconds: i64) -> Option<BillingPeriod> {
    instant_text(seconds).get(..7).and_then(|month| BillingPeriod::parse(month).ok())
}

#[cfg(test)]
mod tests {
    //! One reader, of what we write and of what others print.

    use super::*;

    const AT: i64 = 1_793_577_600;

    #[test]
    fn instants_are_those_that_clients_print() {
        for text in [
            "2026-11-02T00:00:00Z",
            "2026-11-02",
            "2026-11-02T00:00Z",
            "2026-11-02 00:00:00+00:00",
            "2026-11-02T01:30:00.123+01:30",
            "2026-11-01T19:00:00-05:00",
            "2026-11-01T19:00:00.999-05:00",
            "2026-11-02 00:00:00",
        ] {
            assert_eq!(printed_instant(text), Some(AT), "{text}");
        }
        for text in [
            "2026-11-31",
            "2026-11-00",
            "2026-+1-02",
            "2026-11-02T24:00:00Z",
            "2026-11-02T00:00:00.Z",
            "2026-11-02T00:00.5Z",
            "2026-11-02T00:00:00+",
            "2026-11-02T00:00:00+24:00",
            "2026-11-02T00:00:00 CET",
            "2.11.2026",
            "é026-11-02",
            "",
        ] {
            assert_eq!(printed_instant(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_to_us_has_one_form() {
        for text in ["2026-11-02", "2026-11-02T00:00:00Z"] {
            assert_eq!(parse_instant(text), Some(AT), "{text}");
        }
        for text in
            ["2026-11-02 00:00:00Z", "2026-11-02T01:00+01:00", "2026-11-02T00:00Z", "2026-11-02T00:00:00"]
        {
            assert_eq!(parse_instant(text), None, "{text}");
        }
        assert_eq!(instant_text(AT + 45_296), "2026-11-02T12:34:56Z");
    }

    #[test]
    fn instants_beyond_all_months_are_still_text() {
        assert_eq!(month_of(AT), BillingPeriod::new(2026, 11));
        for beyond in [i64::MIN, i64::MAX] {
            assert_eq!(month_of(beyond), None, "{}", instant_text(beyond));
        }
    }
}
