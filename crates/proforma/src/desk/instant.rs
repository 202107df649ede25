//! Instants, as flags have them.

use crate::failure::Failure;
use billing::period::BillingPeriod;

/// An instant of RFC 3339 in UTC, in seconds since 1970-01-01T00:00:00Z.
pub fn instant(text: &str) -> Result<i64, Failure> {
    let refused =
        || Failure::input(format!("`{text}` is no instant")).hint("write it as 2026-11-10T12:00:00Z, in UTC");
    let (date, time) = text.strip_suffix('Z').and_then(|text| text.split_once('T')).ok_or_else(refused)?;
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<i64>().ok()).flatten()
    };
    let parts = |text: &str, by: char| text.split(by).map(number).collect::<Option<Vec<i64>>>();
    let (Some(date), Some(time)) = (parts(date, '-'), parts(time, ':')) else { return Err(refused()) };
    let ([year, month, day], [hour, minute, second]) = (date.as_slice(), time.as_slice()) else {
        return Err(refused());
    };
    let month = u16::try_from(*year).ok().zip(u8::try_from(*month).ok());
    let month = month.and_then(|(year, month)| BillingPeriod::new(year, month)).ok_or_else(refused)?;
    let in_day = (0..24).contains(hour) && (0..60).contains(minute) && (0..60).contains(second);
    let at = month.start_seconds() + (day - 1) * 86_400 + hour * 3_600 + minute * 60 + second;
    (in_day && *day >= 1 && at < month.end_seconds()).then_some(at).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    //! Instants.

    use super::instant;

    #[test]
    fn an_instant_is_read_to_the_second() {
        assert_eq!(instant("1970-01-01T00:00:01Z").unwrap(), 1);
        assert_eq!(instant("2026-11-10T12:00:00Z").unwrap(), 1_794_312_000);
        for text in
            ["2026-11-31T00:00:00Z", "2026-11-10 12:00:00Z", "2026-11-10T24:00:00Z", "2026-11-10T12:00Z", ""]
        {
            assert!(instant(text).is_err(), "{text}");
        }
    }
}
