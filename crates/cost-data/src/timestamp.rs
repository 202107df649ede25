//! Instants in cost files, as seconds since 1970-01-01T00:00:00Z.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

/// Reads an instant: `2026-04-01T00:00:00.000Z`, with an offset, with a blank for the `T`, or a date alone.
///
/// Without a zone it is UTC. `None` for anything else, and outside the years 1900 to 2999.
#[must_use]
pub fn seconds(text: &str) -> Option<i64> {
    let zoned = || DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp());
    let plain =
        |format| NaiveDateTime::parse_from_str(text, format).ok().map(|time| time.and_utc().timestamp());
    let date = || {
        Some(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0)?.and_utc().timestamp())
    };
    let found = zoned()
        .or_else(|| plain("%Y-%m-%dT%H:%M:%S%.f"))
        .or_else(|| plain("%Y-%m-%d %H:%M:%S%.f"))
        .or_else(|| plain("%Y-%m-%d %H:%M:%S%.f UTC"))
        .or_else(date)?;
    plausible(found).then_some(found)
}

/// Whether an instant is one that a cost file can hold: 1900 to 2999.
#[must_use]
pub const fn plausible(seconds: i64) -> bool {
    seconds >= -2_208_988_800 && seconds < 32_503_680_000
}

#[cfg(test)]
mod tests {
    //! The forms seen in real files.

    use super::seconds;

    #[test]
    fn all_forms_of_one_instant_agree() {
        for text in [
            "2018-08-01T00:00:00Z",
            "2018-08-01T00:00:00.000Z",
            "2018-08-01T00:00:00+00:00",
            "2018-08-01T05:30:00+05:30",
            "2018-08-01 00:00:00",
            "2018-08-01",
            "2018-08-01T00:00:00",
        ] {
            assert_eq!(seconds(text), Some(1_533_081_600), "{text}");
        }
    }

    #[test]
    fn what_is_no_instant_is_none() {
        for text in [
            "",
            "2018-13-01",
            "01/08/2018",
            "2018-08-01T25:00:00Z",
            "9999-01-01T00:00:00Z",
            "0001-01-01",
            "yesterday",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
