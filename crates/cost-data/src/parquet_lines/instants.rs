//! Instants of a Parquet column: the days and the hours that rows belong to.

use crate::codes::Codes;
use crate::days::{Days, OTHER_DAY, OTHER_HOUR, OUTSIDE_HOUR, SECONDS_OF_DAY, SECONDS_OF_HOUR, hour_of};
use crate::timestamp;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Int32Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};
use std::ops::Range;

/// The days of rows by their instants.
pub fn days(array: &ArrayRef, period: &Range<i64>) -> Days {
    if let Some(of_month) = days_of_month(array, period) {
        return Days { of_month, outside: Vec::new() };
    }
    let mut instants = Vec::with_capacity(array.len());
    each_instant(array, |_, instant| instants.push(instant.ok()));
    Days::from_instants(instants.into_iter(), period)
}

/// The days of a timestamp column whose rows are all within the month, as those of almost every batch are.
fn days_of_month(array: &ArrayRef, period: &Range<i64>) -> Option<Vec<u8>> {
    let (units, per_second) = timestamps(array).filter(|_| array.null_count() == 0)?;
    let first = period.start.saturating_mul(per_second);
    let span = (period.end - period.start).saturating_mul(per_second) as u64;
    let day = Quotient::by(SECONDS_OF_DAY as u64 * per_second as u64);
    let of_month: Vec<u8> = units
        .iter()
        .map(|unit| {
            let since = unit.wrapping_sub(first) as u64;
            if since < span { day.of(since) as u8 } else { OTHER_DAY }
        })
        .collect();
    (!of_month.contains(&OTHER_DAY)).then_some(of_month)
}

/// The quotient by the length of a day or an hour, by multiplication: a division would cost more than all else that is done to an
/// instant.
///
/// With `length = 2ˢ × odd` and `factor = ⌈2⁷⁰ ÷ odd⌉`, the product errs by less than `n × odd ÷ 2⁷⁰` within n lengths: less than
/// `1 ÷ odd`, so the quotient is exact, because `n × odd²` is below 2⁷⁰ for 31 days and for 744 hours, even of nanoseconds.
struct Quotient {
    shift: u32,
    factor: u64,
}

impl Quotient {
    fn by(length: u64) -> Self {
        let shift = length.trailing_zeros();
        let factor = (1_u128 << 70).div_ceil(u128::from(length >> shift));
        // The odd part of an hour's length is 225 or more, so the factor is below 2⁶³.
        Self { shift, factor: u64::try_from(factor).unwrap_or(u64::MAX) }
    }

    #[inline]
    fn of(&self, since: u64) -> u16 {
        ((u128::from(since >> self.shift) * u128::from(self.factor)) >> 70) as u16
    }
}

/// The hours of rows by the instants at which their usage starts and ends: see [`hour_of`].
pub fn hours(start: &ArrayRef, end: &ArrayRef, period: &Range<i64>) -> Vec<u16> {
    if let Some(hours) = hours_of_month(start, end, period) {
        return hours;
    }
    let instants = |array| {
        let mut instants = Vec::with_capacity(start.len());
        each_instant(array, |_, instant| instants.push(instant.ok()));
        instants
    };
    let (starts, ends) = (instants(start), instants(end));
    starts.into_iter().zip(ends).map(|(start, end)| hour_of(start, end, period)).collect()
}

/// The hours of two timestamp columns of one unit without nulls, as almost every batch has them. Without branches.
fn hours_of_month(start: &ArrayRef, end: &ArrayRef, period: &Range<i64>) -> Option<Vec<u16>> {
    let ((starts, per_second), (ends, of_end)) = (timestamps(start)?, timestamps(end)?);
    if per_second != of_end || start.null_count() > 0 || end.null_count() > 0 {
        return None;
    }
    let first = period.start.saturating_mul(per_second);
    let span = (period.end - period.start).saturating_mul(per_second) as u64;
    let length = SECONDS_OF_HOUR as u64 * per_second as u64;
    let quotient = Quotient::by(length);
    let hour = |(start, end): (&i64, &i64)| {
        let since = start.wrapping_sub(first) as u64;
        let hour = quotient.of(since.min(span));
        let whole = u64::from(hour) * length == since;
        let is_hour = whole & (end.wrapping_sub(*start) as u64 == length);
        let within = if is_hour { hour } else { OTHER_HOUR };
        if since < span { within } else { OUTSIDE_HOUR }
    };
    Some(starts.iter().zip(ends).map(hour).collect())
}

/// Whether every row of a timestamp column has an instant of the period, as almost every batch has.
pub fn all_within(array: &ArrayRef, period: &Range<i64>) -> bool {
    let Some((units, per_second)) = timestamps(array) else { return false };
    let (first, end) = (period.start.saturating_mul(per_second), period.end.saturating_mul(per_second));
    array.null_count() == 0 && units.iter().fold(true, |all, unit| all & (*unit >= first) & (*unit < end))
}

/// A timestamp column's values, and how many make a second.
fn timestamps(array: &ArrayRef) -> Option<(&[i64], i64)> {
    Some(match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => (array.as_primitive::<TimestampSecondType>().values(), 1),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            (array.as_primitive::<TimestampMillisecondType>().values(), 1_000)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            (array.as_primitive::<TimestampMicrosecondType>().values(), 1_000_000)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            (array.as_primitive::<TimestampNanosecondType>().values(), 1_000_000_000)
        }
        _ => return None,
    })
}

/// Gives every row's instant in seconds, or what stands there instead.
pub fn each_instant(array: &ArrayRef, mut give: impl FnMut(usize, Result<i64, String>)) {
    let Some((units, per_second)) = timestamps(array) else {
        each_other_instant(array, give);
        return;
    };
    // Instants repeat in runs or alternate among few: one division per change.
    let mut last = (i64::MIN, 0);
    for (row, &unit) in units.iter().enumerate() {
        if unit != last.0 {
            last = (unit, unit.div_euclid(per_second));
        }
        give(row, checked(array, row, last.1));
    }
}

/// The same for columns of dates or of text.
fn each_other_instant(array: &ArrayRef, mut give: impl FnMut(usize, Result<i64, String>)) {
    if let Some(days) = array.as_primitive_opt::<Date32Type>() {
        let seconds = |row: usize| i64::from(days.value(row)) * 86_400;
        (0..array.len()).for_each(|row| give(row, checked(array, row, seconds(row))));
        return;
    }
    let Some(codes) = array.as_dictionary_opt::<Int32Type>().and_then(Codes::from_dictionary) else { return };
    let seconds: Vec<Option<i64>> = codes.values.iter().map(|text| timestamp::seconds(text?)).collect();
    for row in 0..array.len() {
        let read =
            codes.is_valid(row).then(|| seconds[usize::try_from(codes.keys[row]).unwrap_or(0)]).flatten();
        give(row, read.ok_or_else(|| codes.text(row).unwrap_or("").to_owned()));
    }
}

fn checked(array: &ArrayRef, row: usize, seconds: i64) -> Result<i64, String> {
    if array.is_null(row) {
        return Err(String::new());
    }
    if timestamp::plausible(seconds) { Ok(seconds) } else { Err(format!("{seconds} seconds")) }
}

#[cfg(test)]
mod tests {
    //! Days and hours are exact in every unit of time.

    use super::*;
    use arrow_array::{TimestampMillisecondArray, TimestampSecondArray};
    use std::sync::Arc;

    #[test]
    fn quotients_are_those_that_a_division_gives() {
        for per_second in [1, 1_000, 1_000_000, 1_000_000_000_u64] {
            for (seconds, count) in [(86_400, 31), (3_600, 744)] {
                let length = seconds * per_second;
                let quotient = Quotient::by(length);
                for number in 0..count {
                    for since in [number * length, number * length + 1, (number + 1) * length - 1] {
                        assert_eq!(u64::from(quotient.of(since)), since / length, "{since} by {length}");
                    }
                }
            }
        }
    }

    #[test]
    fn an_hour_is_exactly_one_and_inside_the_month() {
        type Pick = fn(&(i64, i64, u16)) -> i64;
        let october = 1_790_812_800..1_793_491_200;
        let cases = [
            (0, 3_600, 0),
            // The hour in which clocks are changed in Europe is an hour like any other: all instants are UTC.
            (24 * 24 * 3_600 + 3_600, 24 * 24 * 3_600 + 7_200, 577),
            (743 * 3_600, 744 * 3_600, 743),
            (744 * 3_600, 745 * 3_600, OUTSIDE_HOUR),
            (-3_600, 0, OUTSIDE_HOUR),
            (0, 86_400, OTHER_HOUR),
            (0, 3_599, OTHER_HOUR),
            (1_800, 5_400, OTHER_HOUR),
            (3_600, 3_600, OTHER_HOUR),
            (3_600, 0, OTHER_HOUR),
        ];
        let column =
            |pick: Pick, per_second| cases.iter().map(move |case| (october.start + pick(case)) * per_second);
        let milliseconds =
            |pick| -> ArrayRef { Arc::new(TimestampMillisecondArray::from_iter_values(column(pick, 1_000))) };
        let seconds =
            |pick| -> ArrayRef { Arc::new(TimestampSecondArray::from_iter_values(column(pick, 1))) };
        let expected: Vec<u16> = cases.iter().map(|case| case.2).collect();
        let (start, end): (Pick, Pick) = (|case| case.0, |case| case.1);
        assert_eq!(hours(&milliseconds(start), &milliseconds(end), &october), expected);
        assert_eq!(hours(&seconds(start), &seconds(end), &october), expected);
        assert_eq!(hours(&seconds(start), &milliseconds(end), &october), expected, "two units");
        let text = |column: &ArrayRef| -> ArrayRef {
            let seconds = column.as_primitive::<TimestampSecondType>().values().iter();
            let texts: Vec<String> = seconds
                .map(|seconds| {
                    chrono::DateTime::from_timestamp(*seconds, 0)
                        .unwrap()
                        .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
                })
                .collect();
            let array: arrow_array::DictionaryArray<Int32Type> = texts.iter().map(String::as_str).collect();
            Arc::new(array)
        };
        assert_eq!(hours(&text(&seconds(start)), &text(&seconds(end)), &october), expected, "text");
    }
}
