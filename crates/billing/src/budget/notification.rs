//! When somebody is to be told of a budget.

use crate::money::{Cost, ten_to};
use std::fmt;

/// What is compared with the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NotificationKind {
    /// What was spent in the period so far.
    Actual,
    /// What is expected to be spent by its end.
    Forecasted,
}

/// How it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Comparison {
    /// It is above.
    GreaterThan,
    /// It is below.
    LessThan,
    /// It is the same, to the last digit.
    EqualTo,
}

/// What the threshold is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ThresholdKind {
    /// So many percent of what is planned.
    Percentage,
    /// An amount.
    AbsoluteValue,
}

macro_rules! named {
    ($type:ident $($variant:ident $name:literal)*) => {
        impl $type {
            /// What has a name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }

            /// The name in the API.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

named! { NotificationKind Actual "ACTUAL" Forecasted "FORECASTED" }
named! { Comparison GreaterThan "GREATER_THAN" LessThan "LESS_THAN" EqualTo "EQUAL_TO" }
named! { ThresholdKind Percentage "PERCENTAGE" AbsoluteValue "ABSOLUTE_VALUE" }
named! { State Ok "OK" Alarm "ALARM" }

/// When somebody is to be told. A budget has no two that are the same, so that it is its own name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Notification {
    /// What is compared with the threshold.
    pub kind: NotificationKind,
    /// How.
    pub comparison: Comparison,
    /// The threshold.
    pub threshold: Cost,
    /// What it is.
    pub of: ThresholdKind,
}

/// Whether a threshold is crossed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is not.
    Ok,
    /// It is.
    Alarm,
}

impl Notification {
    /// Whether an amount has crossed the threshold of what is planned. Exact: nothing is divided.
    #[must_use]
    pub fn state(&self, amount: Cost, limit: Cost) -> State {
        let (amount, threshold) = match self.of {
            ThresholdKind::AbsoluteValue => (amount.units(), self.threshold.units()),
            // An amount has at most 10²⁵ units. A threshold beyond all numbers is reached by none.
            ThresholdKind::Percentage => (
                amount.units() * 100 * ten_to(10),
                self.threshold.units().checked_mul(limit.units()).unwrap_or(i128::MAX),
            ),
        };
        let is_crossed = match self.comparison {
            Comparison::GreaterThan => amount > threshold,
            Comparison::LessThan => amount < threshold,
            Comparison::EqualTo => amount == threshold,
        };
        if is_crossed { State::Alarm } else { State::Ok }
    }
}

impl fmt::Display for Notification {
    /// As keys have it: `ACTUAL/GREATER_THAN/80/PERCENTAGE`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, comparison, of) = (self.kind.name(), self.comparison.name(), self.of.name());
        write!(f, "{kind}/{comparison}/{}/{of}", self.threshold)
    }
}

/// What is to be noted of a state, if anything, after what was noted last in the same period: somebody is told each time that it is an alarm. That a period
/// has begun below its thresholds is not worth a note.
#[must_use]
pub fn changed(noted: Option<State>, now: State) -> Option<State> {
    (noted.unwrap_or(State::Ok) != now).then_some(now)
}

#[cfg(test)]
mod tests {
    //! Thresholds, to the last digit.

    use super::*;

    fn cost(text: &str) -> Cost {
        Cost::parse(text).unwrap()
    }

    fn notification(comparison: Comparison, threshold: &str, of: ThresholdKind) -> Notification {
        Notification { kind: NotificationKind::Actual, comparison, threshold: cost(threshold), of }
    }

    #[test]
    fn a_threshold_is_crossed_to_the_last_digit() {
        use Comparison::{EqualTo, GreaterThan, LessThan};
        use ThresholdKind::{AbsoluteValue, Percentage};
        for (comparison, threshold, of, amount, limit, is_crossed) in [
            (GreaterThan, "80", Percentage, "160", "200", false),
            (GreaterThan, "80", Percentage, "160.0000000001", "200", true),
            (GreaterThan, "33.3333333333", Percentage, "0.6666666666", "2", false),
            (GreaterThan, "33.3333333333", Percentage, "0.6666666667", "2", true),
            (LessThan, "80", Percentage, "159.9999999999", "200", true),
            (EqualTo, "80", Percentage, "160", "200", true),
            (EqualTo, "80", Percentage, "160.0000000001", "200", false),
            (GreaterThan, "150", AbsoluteValue, "150.0000000001", "200", true),
            (GreaterThan, "150", AbsoluteValue, "150", "200", false),
            (LessThan, "0", AbsoluteValue, "-0.0000000001", "200", true),
            // Beyond what a product holds.
            (GreaterThan, "15000000000000", Percentage, "1000000000000000", "1000000000000000", false),
        ] {
            let expected = if is_crossed { State::Alarm } else { State::Ok };
            let state = notification(comparison, threshold, of).state(cost(amount), cost(limit));
            assert_eq!(state, expected, "{comparison:?} {threshold} {of:?} {amount}");
        }
    }

    #[test]
    fn what_is_noted_is_a_crossing() {
        for (noted, now, expected) in [
            (None, State::Ok, None),
            (None, State::Alarm, Some(State::Alarm)),
            (Some(State::Alarm), State::Alarm, None),
            (Some(State::Alarm), State::Ok, Some(State::Ok)),
            (Some(State::Ok), State::Alarm, Some(State::Alarm)),
            (Some(State::Ok), State::Ok, None),
        ] {
            assert_eq!(changed(noted, now), expected);
        }
    }

    #[test]
    fn a_notification_is_its_own_name() {
        let one = notification(Comparison::GreaterThan, "80.50", ThresholdKind::Percentage);
        assert_eq!(one.to_string(), "ACTUAL/GREATER_THAN/80.5/PERCENTAGE");
        assert_eq!(Comparison::parse("EQUAL_TO").map(Comparison::name), Some("EQUAL_TO"));
        assert_eq!(State::parse("UNKNOWN"), None);
    }
}
