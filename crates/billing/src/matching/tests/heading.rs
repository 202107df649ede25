//! Forecasts: the mean of the last closed months, carried on.

use super::*;
use crate::matching::forecast::{Expected, forecast_line, forecast_order, order_runs_out};

fn taken(months: &[(&str, &str)]) -> BTreeMap<BillingPeriod, Amount> {
    months.iter().map(|(period, taken)| (month(period), amount(taken))).collect()
}

#[test]
fn the_rate_is_the_mean_of_the_last_three_closed_months() {
    let line = tracked("1", LineType::All, "1000.00");
    let taken = taken(&[
        ("2025-01", "900"),
        ("2025-02", "10"),
        ("2025-03", "20"),
        ("2025-04", "30"),
        ("2025-05", "5"),
    ]);
    let found = forecast_line(&line, &taken, month("2025-05")).unwrap();
    let Some(Expected::Forecast { rate, runs_out, balance_at_end, month_above_balance }) = found.expected
    else {
        panic!("{found:?}")
    };
    // 35 is left: the open month takes 15 more, June the last 20, and July finds nothing.
    assert_eq!((rate, found.balance), (amount("20"), amount("35")));
    assert_eq!((runs_out, month_above_balance), (Some(month("2025-07")), false));
    assert_eq!(balance_at_end, amount("-120"));
    assert_eq!(
        (found.used_percent.to_string(), found.time_percent.to_string()),
        ("96.5".into(), "33.33".into())
    );
    assert_eq!(found.unused_at_expiry, None);
}

#[test]
fn below_two_closed_months_there_is_no_forecast() {
    let line = tracked("1", LineType::All, "1000.00");
    let found =
        forecast_line(&line, &taken(&[("2025-04", "30"), ("2025-05", "5")]), month("2025-05")).unwrap();
    assert_eq!(found.expected, Some(Expected::InsufficientData { months: 1 }));
    let found = forecast_line(&line, &taken(&[]), month("2025-05")).unwrap();
    assert_eq!(found.expected, Some(Expected::InsufficientData { months: 0 }));
}

#[test]
fn a_month_above_the_balance_and_an_end_without_need() {
    let line = tracked("1", LineType::All, "100.00");
    let found =
        forecast_line(&line, &taken(&[("2025-03", "45"), ("2025-04", "45")]), month("2025-05")).unwrap();
    let Some(Expected::Forecast { runs_out, month_above_balance, .. }) = found.expected else { panic!() };
    assert_eq!((runs_out, month_above_balance), (Some(month("2025-05")), true));
    let found =
        forecast_line(&line, &taken(&[("2025-11", "4"), ("2025-10", "4")]), month("2025-12")).unwrap();
    let Some(Expected::Forecast { runs_out, balance_at_end, .. }) = found.expected else { panic!() };
    assert_eq!((runs_out, balance_at_end), (None, amount("88")));
}

#[test]
fn what_is_left_at_the_end_is_unused_and_not_carried_over() {
    let line = tracked("1", LineType::All, "100.00");
    let found = forecast_line(&line, &taken(&[("2025-12", "40")]), month("2026-01")).unwrap();
    assert_eq!((found.unused_at_expiry, found.expected), (Some(amount("60")), None));
    assert_eq!(found.time_percent.to_string(), "100");
    let found = forecast_line(&line, &taken(&[("2025-12", "140")]), month("2026-01")).unwrap();
    assert_eq!((found.unused_at_expiry, found.balance), (None, amount("-40")));
}

#[test]
fn a_line_has_not_ended_before_its_last_invoice() {
    let line = tracked("1", LineType::All, "1000.00");
    let before = [("2025-09", "100"), ("2025-10", "100"), ("2025-11", "100")];
    let of = |taken: &BTreeMap<_, _>, open| forecast_line(&line, taken, month(open)).unwrap();
    // December is over and its invoice is still to come.
    let found = of(&taken(&before), "2026-01");
    let Some(Expected::Forecast { rate, runs_out, balance_at_end, .. }) = found.expected else {
        panic!("{found:?}")
    };
    assert_eq!((rate, runs_out, balance_at_end), (amount("100"), None, amount("600")));
    assert_eq!((found.unused_at_expiry, found.time_percent.to_string()), (None, "100".to_owned()));
    // It has come; or it has not for a month.
    let all: Vec<_> = before.into_iter().chain([("2025-12", "50")]).collect();
    let found = of(&taken(&all), "2026-01");
    assert_eq!((found.unused_at_expiry, found.expected), (Some(amount("650")), None));
    let found = of(&taken(&before), "2026-02");
    assert_eq!((found.unused_at_expiry, found.expected), (Some(amount("700")), None));
    // Nor has one that may take its first invoice for its last month.
    let found = of(&taken(&[]), "2026-01");
    assert_eq!(found.unused_at_expiry, None);
    assert_eq!(found.expected, Some(Expected::InsufficientData { months: 0 }));
    assert_eq!(of(&taken(&[]), "2026-02").unused_at_expiry, Some(amount("1000")));
}

#[test]
fn an_order_runs_out_with_its_first_tracked_line() {
    let lines = vec![
        tracked("1", LineType::All, "100.00"),
        tracked("2", LineType::MonthlyUsage, "60.00"),
        line("3", LineType::All),
    ];
    let order = order("A", lines);
    let months = taken(&[("2025-03", "20"), ("2025-04", "20")]);
    let of = ["1", "2", "3"].map(|name| (number(name), months.clone()));
    let found = forecast_order(&order, &of.into(), month("2025-05")).unwrap();
    assert_eq!(order_runs_out(&order, &found), Some(month("2025-06")));
}
