//! What is told of a budget whose threshold was crossed.

use super::spend::BudgetStanding;
use super::{BudgetRow, BudgetType};
use crate::outbox::{Letter, News};
use billing::budget::{Comparison, Notification, NotificationKind, ThresholdKind};
use billing::period::date_text;
use store::BudgetCrossingRow;

/// The kind of news that a threshold was crossed.
pub(super) const KIND: &str = "budget";

/// A threshold was crossed.
pub(super) fn news(
    row: &BudgetRow,
    notification: &Notification,
    standing: &BudgetStanding,
    crossing: &BudgetCrossingRow,
) -> News {
    let budget = &row.budget;
    let unit = &budget.unit;
    let noun = if budget.kind == BudgetType::Cost { "cost" } else { "usage" };
    let which = match notification.kind {
        NotificationKind::Actual => "actual",
        NotificationKind::Forecasted => "forecasted",
    };
    let how = match notification.comparison {
        Comparison::GreaterThan => "above",
        Comparison::LessThan => "below",
        Comparison::EqualTo => "equal to",
    };
    let limit = format!("{} {unit}", standing.limit);
    let threshold = match notification.of {
        ThresholdKind::Percentage => format!("{} % of {limit}", notification.threshold),
        ThresholdKind::AbsoluteValue => format!("{} {unit}", notification.threshold),
    };
    let amount = |amount| format!("{amount} {unit}");
    let mut facts = vec![
        ("Budget".to_owned(), budget.name.clone()),
        ("Period".to_owned(), period(standing)),
        ("Budgeted".to_owned(), limit),
        ("Threshold".to_owned(), format!("{how} {threshold}")),
        (format!("Actual {noun}"), amount(standing.actual)),
    ];
    facts.extend(standing.forecast.map(|forecast| (format!("Forecasted {noun}"), amount(forecast))));
    News {
        key: format!(
            "budget:{}:{}:{}:{}",
            crossing.budget, crossing.notification, crossing.period, crossing.sequence
        ),
        kind: KIND.to_owned(),
        letter: Letter {
            title: format!("Budget {}: {which} {noun} is {how} {threshold}", budget.name),
            paragraphs: vec![format!(
                "The {which} {noun} of budget {} is {} {unit} in the period {}, which is {how} its threshold of {threshold}.",
                budget.name,
                crossing.amount,
                period(standing)
            )],
            facts,
        },
        attachments: Vec::new(),
    }
}

/// A period by its first and its last day.
fn period(standing: &BudgetStanding) -> String {
    let (first, last) = (date_text(standing.period.start), date_text(standing.period.end - 1));
    if first == last { first } else { format!("{first} to {last}") }
}
