//! Instants, as flags have them.

use crate::failure::Failure;
use billing::instant::parse_instant;

/// An instant of RFC 3339 in UTC, in seconds since 1970-01-01T00:00:00Z; a date alone says too little.
pub fn instant(text: &str) -> Result<i64, Failure> {
    let found = parse_instant(text).filter(|_| text.ends_with('Z'));
    found.ok_or_else(|| {
        Failure::input(format!("`{text}` is no instant")).hint("write it as 2026-11-10T12:00:00Z, in UTC")
    })
}

#[cfg(test)]
mod tests {
    //! Instants.

    use super::instant;

    #[test]
    fn an_instant_is_read_to_the_second() {
        assert_eq!(instant("1970-01-01T00:00:01Z").unwrap(), 1);
        assert_eq!(instant("2026-11-10T12:00:00Z").unwrap(), 1_794_312_000);
        for text in [
            "2026-11-31T00:00:00Z",
            "2026-11-10 12:00:00Z",
            "2026-11-10T24:00:00Z",
            "2026-11-10T12:00Z",
            "2026-11-10",
            "",
        ] {
            assert!(instant(text).is_err(), "{text}");
        }
    }
}
