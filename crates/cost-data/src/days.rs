//! On which day, and in which hour, of the month the usage of lines starts.

use std::ops::Range;

/// The day of a row outside the month, and of one that tells none.
pub const OTHER_DAY: u8 = 31;

/// The days on which the usage of rows starts.
#[derive(Debug, Clone, Default)]
pub struct Days {
    /// The day of every row, the month's first being 0; else [`OTHER_DAY`].
    pub of_month: Vec<u8>,
    /// The rows that start outside the month, in order, with their days since 1970-01-01.
    pub outside: Vec<(usize, i32)>,
}

impl Days {
    /// Days for rows whose instants are given one by one, in seconds.
    pub fn from_instants(instants: impl Iterator<Item = Option<i64>>, period: &Range<i64>) -> Self {
        let mut days = Self::default();
        for (row, seconds) in instants.enumerate() {
            let day = match seconds {
                // A month has 31 days at most, and plausible instants are within thousands of years.
                Some(seconds) if period.contains(&seconds) => {
                    ((seconds - period.start) / SECONDS_OF_DAY) as u8
                }
                Some(seconds) => {
                    days.outside.push((row, seconds.div_euclid(SECONDS_OF_DAY) as i32));
                    OTHER_DAY
                }
                None => OTHER_DAY,
            };
            days.of_month.push(day);
        }
        days
    }
}

/// How long a day is; UTC has no other.
pub const SECONDS_OF_DAY: i64 = 86_400;
/// How long an hour is.
pub const SECONDS_OF_HOUR: i64 = 3_600;

/// The hour of usage of the month that is not exactly one hour.
pub const OTHER_HOUR: u16 = u16::MAX;
/// The hour of usage that does not begin in the month, or does not say when: late usage of another month, now and then.
pub const OUTSIDE_HOUR: u16 = u16::MAX - 1;

/// The hour of the month, the first being 0, of usage that is exactly that hour, by the instants at which it starts and ends; else
/// [`OTHER_HOUR`] or [`OUTSIDE_HOUR`].
pub fn hour_of(start: Option<i64>, end: Option<i64>, period: &Range<i64>) -> u16 {
    let (Some(start), Some(end)) = (start, end) else { return OUTSIDE_HOUR };
    if !period.contains(&start) {
        return OUTSIDE_HOUR;
    }
    let since = start - period.start;
    let is_hour = since % SECONDS_OF_HOUR == 0 && end - start == SECONDS_OF_HOUR;
    // A month has 744 hours at most.
    if is_hour { (since / SECONDS_OF_HOUR) as u16 } else { OTHER_HOUR }
}
