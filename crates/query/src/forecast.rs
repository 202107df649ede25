//! Forecasts: what the months to come will cost, from those that are over; integers throughout.
//!
//! A month counts by its first day, on which everything is that has no day of its own (fees, tax, custom line items), and by the average of its other
//! days, so that long and short months compare and the rest of a month has no fees. The **mean** of each is the average of the last three months, moved on by half
//! of the trend: the slope of the least-squares line through up to twelve months, from six months on. The full slope overshoots on what grows in
//! steps, and fewer than six months have no slope to speak of.
//!
//! The **interval** comes from how well the same method would have done: the mean absolute error of forecasting each known month from those before it,
//! or, where there are too few for that, of the months about their average. An error of a normal distribution has √(π/2) times its mean as its
//! standard deviation; it grows with the root of the months ahead, and is widened for few errors by the first term of Student's distribution,
//! `z (1 + (z² + 1) / 4n)`.
//!
//! How it does on months that are known is measured in the tests, and written in docs/cost-explorer.md.

use billing::money::{Cost, DecimalError, divide_half_away};

/// How many months a forecast is made from at least, and at most.
pub const MONTHS_MIN: usize = 3;
/// Older months say little of those to come.
pub const MONTHS_MAX: usize = 12;
/// From how many months on there is a trend.
const MONTHS_OF_TREND: usize = 6;
/// The levels of an interval, in percent, and the normal distribution's quantiles of 51 to 99 percent about the mean, times 10⁴.
pub const LEVELS: std::ops::RangeInclusive<u8> = 51..=99;
const QUANTILES: [i128; 49] = [
    6903, 7063, 7225, 7388, 7554, 7722, 7892, 8064, 8239, 8416, 8596, 8779, 8965, 9154, 9346, 9542, 9741,
    9945, 10152, 10364, 10581, 10803, 11031, 11264, 11503, 11750, 12004, 12265, 12536, 12816, 13106, 13408,
    13722, 14051, 14395, 14758, 15141, 15548, 15982, 16449, 16954, 17507, 18119, 18808, 19600, 20537, 21701,
    23263, 25758,
];
/// √(π/2) times 10⁶.
const OF_MEAN_ERROR: i128 = 1_253_314;

/// A month that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// Its number: of the next month it is one more.
    pub month: i32,
    /// How many days it has.
    pub days: i32,
    /// What it came to.
    pub sum: Cost,
    /// What of it is on its first day.
    pub first_day: Cost,
}

/// A time to come, within one month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The month's number.
    pub month: i32,
    /// How many of its days.
    pub days: i32,
    /// Whether the first day of the month is among them.
    pub has_first_day: bool,
}

/// What is forecast of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// The mean.
    pub mean: Cost,
    /// Between which sums it will be, as likely as was asked for.
    pub interval: Option<(Cost, Cost)>,
}

/// Why there is no forecast.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForecastError {
    /// There are too few months.
    #[error("a forecast needs {MONTHS_MIN} whole months with data, and there are {0}")]
    TooFew(usize),
    /// A sum is beyond what money can hold.
    #[error("a sum is {0}")]
    Decimal(#[from] DecimalError),
}

/// Forecasts times to come; the past is in order, and its last months count.
///
/// # Errors
/// [`ForecastError`].
pub fn forecast(past: &[Past], spans: &[Span], level: Option<u8>) -> Result<Vec<Forecast>, ForecastError> {
    let past = &past[past.len().saturating_sub(MONTHS_MAX)..];
    let Some(last) = past.last().filter(|_| past.len() >= MONTHS_MIN) else {
        return Err(ForecastError::TooFew(past.len()));
    };
    let is_never_negative = past.iter().all(|month| month.sum >= Cost::ZERO);
    let bounded = |units: i128| if is_never_negative { units.max(0) } else { units };
    let others = Series::of(past.iter().map(Rate::of_other_days).collect::<Result<_, _>>()?);
    let firsts = Series::of(past.iter().map(Rate::of_first_day).collect());
    let of_span = |span: &Span| {
        let of_first = i128::from(span.has_first_day);
        let of_others = i128::from(span.days) - of_first;
        let mean = bounded(others.mean(span.month) * of_others + firsts.mean(span.month) * of_first);
        let interval = level.map(|level| {
            let ahead = i128::from((span.month - last.month).max(1));
            let half =
                others.half_width(ahead, level) * of_others + firsts.half_width(ahead, level) * of_first;
            Ok::<_, ForecastError>((
                Cost::from_units(bounded(mean - half))?,
                Cost::from_units(bounded(mean + half))?,
            ))
        });
        Ok(Forecast { mean: Cost::from_units(mean)?, interval: interval.transpose()? })
    };
    spans.iter().map(of_span).collect()
}

/// What is forecast by itself, with how far it was off.
struct Series {
    rates: Vec<Rate>,
    error: i128,
    errors: i128,
}

impl Series {
    fn of(rates: Vec<Rate>) -> Self {
        let (error, errors) = mean_error(&rates);
        Self { rates, error, errors }
    }

    fn mean(&self, month: i32) -> i128 {
        mean_of(&self.rates, month)
    }

    fn half_width(&self, months_ahead: i128, level: u8) -> i128 {
        half_width(self.error, self.errors, months_ahead, level)
    }
}

/// What a day of a month comes to, in units of 10⁻¹⁰.
#[derive(Clone, Copy)]
struct Rate {
    month: i128,
    units: i128,
}

impl Rate {
    fn of_first_day(past: &Past) -> Self {
        Self { month: i128::from(past.month), units: past.first_day.units() }
    }

    /// The average of the days after the first one.
    fn of_other_days(past: &Past) -> Result<Self, DecimalError> {
        let others = past.sum.minus(past.first_day)?;
        let units = divide_half_away(others.units(), i128::from((past.days - 1).max(1))).0;
        Ok(Self { month: i128::from(past.month), units })
    }
}

/// The mean of a day of a month, from at least three months.
fn mean_of(rates: &[Rate], month: i32) -> i128 {
    let recent = &rates[rates.len() - MONTHS_MIN..];
    let count = i128::try_from(recent.len()).unwrap_or(1);
    let level: i128 = recent.iter().map(|rate| rate.units).sum();
    let (slope, scale) = slope(rates);
    // Half of the slope, from the middle of the recent months on.
    let ahead = count * i128::from(month) - recent.iter().map(|rate| rate.month).sum::<i128>();
    divide_half_away(2 * scale * level + slope * ahead, 2 * scale * count).0
}

/// The slope of the line through months as a fraction; 0 of too few.
fn slope(rates: &[Rate]) -> (i128, i128) {
    if rates.len() < MONTHS_OF_TREND {
        return (0, 1);
    }
    let count = i128::try_from(rates.len()).unwrap_or(1);
    let first = rates[0].month;
    let sum = |of: &dyn Fn(&Rate) -> i128| rates.iter().map(of).sum::<i128>();
    let x = sum(&|rate| rate.month - first);
    let y = sum(&|rate| rate.units);
    let xy = sum(&|rate| (rate.month - first) * rate.units);
    let xx = sum(&|rate| (rate.month - first).pow(2));
    (count * xy - x * y, (count * xx - x * x).max(1))
}

/// The mean absolute error of a day, and of how many errors it is the mean.
fn mean_error(rates: &[Rate]) -> (i128, i128) {
    let of_method = (MONTHS_MIN..rates.len()).map(|place| {
        let month = i32::try_from(rates[place].month).unwrap_or(i32::MAX);
        (rates[place].units - mean_of(&rates[..place], month)).abs()
    });
    let mut errors: Vec<i128> = of_method.collect();
    if errors.len() < MONTHS_MIN {
        let count = i128::try_from(rates.len()).unwrap_or(1);
        let average = divide_half_away(rates.iter().map(|rate| rate.units).sum(), count).0;
        errors = rates.iter().map(|rate| (rate.units - average).abs()).collect();
    }
    let count = i128::try_from(errors.len()).unwrap_or(1);
    (divide_half_away(errors.iter().sum(), count).0, count)
}

/// Half the width of the interval of a day.
fn half_width(error: i128, count: i128, months_ahead: i128, level: u8) -> i128 {
    let place = usize::from(level.clamp(*LEVELS.start(), *LEVELS.end()) - LEVELS.start());
    let z = QUANTILES[place];
    // z is in 10⁻⁴: z (1 + (z² + 1) / 4n) in 10⁻⁴, too.
    let wide = z + z * (z * z + 100_000_000) / (4 * count * 100_000_000);
    let root = i128::try_from((months_ahead.unsigned_abs() * 1_000_000).isqrt()).unwrap_or(i128::MAX);
    let deviation = divide_half_away(error * OF_MEAN_ERROR, 1_000_000).0;
    divide_half_away(divide_half_away(deviation * wide, 10_000).0 * root, 1_000).0
}

#[cfg(test)]
mod tests {
    //! The method on months that are known.

    use super::*;

    fn months(sums: &[i64]) -> Vec<Past> {
        let past = |(month, sum): (usize, &i64)| Past {
            month: i32::try_from(month).unwrap(),
            days: 30,
            sum: Cost::from_units(i128::from(*sum) * 10_i128.pow(10)).unwrap(),
            first_day: Cost::from_units(i128::from(*sum) * 10_i128.pow(10) / 30).unwrap(),
        };
        sums.iter().enumerate().map(past).collect()
    }

    fn next(sums: &[i64], level: Option<u8>) -> Forecast {
        let span = Span { month: i32::try_from(sums.len()).unwrap(), days: 30, has_first_day: true };
        forecast(&months(sums), &[span], level).unwrap()[0]
    }

    #[test]
    fn what_stays_the_same_is_forecast_as_it_is() {
        let same = next(&[300, 300, 300, 300], Some(99));
        let expected = Cost::parse("300").unwrap();
        assert_eq!(same, Forecast { mean: expected, interval: Some((expected, expected)) });
        let half =
            forecast(&months(&[300, 300, 300]), &[Span { month: 3, days: 15, has_first_day: false }], None)
                .unwrap();
        assert_eq!(half, [Forecast { mean: Cost::parse("150").unwrap(), interval: None }]);
    }

    #[test]
    fn a_fee_on_the_first_day_is_of_no_other_day() {
        let past = months(&[390, 390, 390]);
        let past: Vec<Past> =
            past.iter().map(|of| Past { first_day: Cost::parse("100").unwrap(), ..*of }).collect();
        let of = |days, has_first_day| {
            forecast(&past, &[Span { month: 3, days, has_first_day }], Some(80)).unwrap()[0].mean.to_string()
        };
        assert_eq!([of(30, true), of(1, true), of(10, true), of(10, false)], ["390", "100", "190", "100"]);
    }

    #[test]
    fn three_months_are_enough_and_two_are_not() {
        assert_eq!(next(&[300, 330, 360], None).mean, Cost::parse("330").unwrap());
        assert_eq!(forecast(&months(&[1, 2]), &[], None), Err(ForecastError::TooFew(2)));
    }

    #[test]
    fn a_trend_counts_half_from_six_months_on() {
        // The recent months average 540, two months before the next one; 30 a month, half of it.
        assert_eq!(next(&[420, 450, 480, 510, 540, 570], None).mean, Cost::parse("570").unwrap());
    }

    #[test]
    fn a_higher_level_is_wider_and_nothing_is_below_what_never_was() {
        let of = |level| next(&[100, 300, 90, 280, 110], Some(level)).interval.unwrap();
        let (at_80, at_99) = (of(80), of(99));
        assert!(at_99.0 <= at_80.0 && at_80.1 < at_99.1 && at_99.0 >= Cost::ZERO);
    }

    /// Every month of twenty-four from those before it, for payers that grow, swing with the season and jump, each with noise.
    #[test]
    fn on_known_months_it_errs_as_the_documentation_says() {
        let mut state = 88_172_645_463_325_252_u64;
        let mut noise = |most: i64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            i64::try_from(state % (2 * most as u64 + 1)).unwrap() - most
        };
        let season = [0, 2, 5, 6, 4, 1, -2, -5, -6, -4, -1, 0];
        let (mut error, mut total, mut within, mut count) = (0_i128, 0_i128, 0, 0);
        for payer in 0..200_i64 {
            let growth = payer % 5;
            let sums: Vec<i64> = (0..24_i64)
                .map(|month| {
                    let seasonal = season[usize::try_from(month % 12).unwrap()] * (payer % 3) * 10_000;
                    let jump = if payer % 7 == 0 && month >= 15 { 300_000 } else { 0 };
                    1_000_000 + growth * 10_000 * month + seasonal + jump + noise(40_000)
                })
                .collect();
            for known in 6..sums.len() {
                let Forecast { mean, interval } = next(&sums[..known], Some(80));
                let actual = months(&sums)[known].sum;
                error += (actual.units() - mean.units()).abs();
                total += actual.units();
                let (low, high) = interval.unwrap();
                within += i32::from(low <= actual && actual <= high);
                count += 1;
            }
        }
        let per_mille = error * 1_000 / total;
        let within = within * 100 / count;
        assert!((20..=50).contains(&per_mille), "an error of {per_mille} per mille");
        assert!((74..=92).contains(&within), "{within} of 100 within the interval of 80");
    }
}
