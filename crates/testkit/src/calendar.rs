//! Months and instants as AWS writes them: `2026-10` and `2026-10-01T00:00:00Z`. Text in, text out.

/// Returns the days from 1970-01-01 to a date of the Gregorian calendar.
pub fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    // Years start in March here, so that the leap day is the last of its year.
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Returns the year and the month of a period such as `2026-10`.
///
/// # Panics
/// When the text is no period.
pub fn year_and_month(period: &str) -> (i64, i64) {
    let parts =
        period.split_once('-').and_then(|(year, month)| Some((year.parse().ok()?, month.parse().ok()?)));
    parts.unwrap_or_else(|| panic!("`{period}` is no period: write `2026-10`"))
}

/// Returns the period after this one.
pub fn next_period(period: &str) -> String {
    shift_period(period, 1)
}

/// Returns the period that lies so many months later, or earlier where the number is negative.
pub fn shift_period(period: &str, months: i64) -> String {
    let (year, month) = year_and_month(period);
    let count = year * 12 + month - 1 + months;
    format!("{:04}-{:02}", count.div_euclid(12), count.rem_euclid(12) + 1)
}

/// Returns the first instant of a period.
pub fn period_start(period: &str) -> String {
    format!("{period}-01T00:00:00Z")
}

/// Returns the number of days of a period.
pub fn days_in(period: &str) -> i64 {
    let (year, month) = year_and_month(period);
    let (next_year, next_month) = year_and_month(&next_period(period));
    days_from_epoch(next_year, next_month, 1) - days_from_epoch(year, month, 1)
}

/// Returns the start of an hour, counted from the start of the period; it may be the end of the period.
pub fn hour_of(period: &str, hour: i64) -> String {
    let (day, hour_of_day) = (hour.div_euclid(24), hour.rem_euclid(24));
    if day >= days_in(period) {
        let next = next_period(period);
        return format!("{next}-{:02}T{hour_of_day:02}:00:00Z", day - days_in(period) + 1);
    }
    format!("{period}-{:02}T{hour_of_day:02}:00:00Z", day + 1)
}

/// Returns the seconds from 1970 to an instant such as `2026-10-01T00:00:00Z`.
///
/// # Panics
/// When the text is no such instant.
pub fn epoch_seconds(instant: &str) -> i64 {
    let part = |range: std::ops::Range<usize>| -> i64 {
        let digits = instant.get(range).and_then(|text| text.parse().ok());
        digits.unwrap_or_else(|| panic!("`{instant}` is no instant: write `2026-10-01T00:00:00Z`"))
    };
    let days = days_from_epoch(part(0..4), part(5..7), part(8..10));
    days * 86_400 + part(11..13) * 3_600 + part(14..16) * 60 + part(17..19)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_and_periods() {
        assert_eq!(epoch_seconds("1970-01-01T00:00:01Z"), 1);
        assert_eq!(epoch_seconds("2026-10-01T00:00:00Z"), 1_790_812_800);
        assert_eq!(days_in("2024-02"), 29);
        assert_eq!(next_period("2026-12"), "2027-01");
        assert_eq!(shift_period("2026-01", -1), "2025-12");
        assert_eq!(hour_of("2026-10", 31 * 24), "2026-11-01T00:00:00Z");
        assert_eq!(hour_of("2026-10", 25), "2026-10-02T01:00:00Z");
    }
}
