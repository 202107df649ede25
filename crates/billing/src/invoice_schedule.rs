//! When invoices of a billing group go out by themselves: what is due, of how things stand. Pure; each period is taken up once.
//!
//! Nothing is due before a period is closed, since a draft of an open one would change. What was due while nobody looked is due still, the oldest period
//! first, and once: whoever takes a period up writes that down.

use crate::period::BillingPeriod;
use std::collections::BTreeSet;

/// A day, in seconds.
const DAY: i64 = 86_400;

/// What becomes of a closed period by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Policy {
    /// Nothing.
    Manual,
    /// A draft, which somebody issues.
    AfterApproval,
    /// An invoice; where the checks warn of something, a draft.
    Automatic,
}

impl Policy {
    /// Every policy with its name.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Manual, "MANUAL"), (Self::AfterApproval, "AFTER_APPROVAL"), (Self::Automatic, "AUTOMATIC")];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Manual => "MANUAL",
            Self::AfterApproval => "AFTER_APPROVAL",
            Self::Automatic => "AUTOMATIC",
        }
    }

    /// The policy with a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(policy, of)| (of == name).then_some(policy))
    }
}

/// The schedule of a billing group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// What becomes of a closed period.
    pub policy: Policy,
    /// How many days after the close.
    pub days_after_close: u32,
    /// The first period that it is for: what was closed before somebody thought of a schedule is not invoiced by it.
    pub first: BillingPeriod,
}

/// A period that was closed, and when, in seconds since 1970-01-01T00:00:00Z.
pub type Closed = (BillingPeriod, i64);

/// The periods that are to be taken up by `now`, in seconds since 1970-01-01T00:00:00Z, the oldest first. `taken_up` are those that were.
#[must_use]
pub fn due(
    schedule: &Schedule,
    closed: &[Closed],
    taken_up: &BTreeSet<BillingPeriod>,
    now: i64,
) -> Vec<BillingPeriod> {
    if schedule.policy == Policy::Manual {
        return Vec::new();
    }
    let wait = i64::from(schedule.days_after_close) * DAY;
    let is_due = |(period, at): &&Closed| {
        schedule.first <= *period && at.saturating_add(wait) <= now && !taken_up.contains(period)
    };
    let due: BTreeSet<BillingPeriod> = closed.iter().filter(is_due).map(|(period, _)| *period).collect();
    due.into_iter().collect()
}

#[cfg(test)]
mod tests {
    //! What is due when.

    use super::*;

    fn month(text: &str) -> BillingPeriod {
        BillingPeriod::parse(text).unwrap()
    }

    fn days_due(policy: Policy, taken_up: &[&str], day: i64) -> Vec<String> {
        let schedule = Schedule { policy, days_after_close: 3, first: month("2026-09") };
        // Closed in another order than they lie in.
        let closed =
            [(month("2026-10"), 10 * DAY), (month("2026-08"), 10 * DAY), (month("2026-09"), 10 * DAY)];
        let taken_up = taken_up.iter().map(|text| month(text)).collect();
        due(&schedule, &closed, &taken_up, day * DAY).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_closed_period_is_due_once_some_days_later() {
        assert!(days_due(Policy::Automatic, &[], 12).is_empty());
        assert_eq!(days_due(Policy::Automatic, &[], 13), ["2026-09", "2026-10"]);
        // However long nobody has looked.
        assert_eq!(days_due(Policy::AfterApproval, &[], 400), ["2026-09", "2026-10"]);
        assert_eq!(days_due(Policy::Automatic, &["2026-09"], 13), ["2026-10"]);
        assert!(days_due(Policy::Automatic, &["2026-09", "2026-10"], 400).is_empty());
        assert!(days_due(Policy::Manual, &[], 400).is_empty());
    }

    #[test]
    fn a_policy_is_read_as_it_is_written() {
        for (policy, name) in Policy::ALL {
            assert_eq!((policy.name(), Policy::parse(name)), (name, Some(policy)));
        }
        assert_eq!(Policy::parse("automatic"), None);
    }
}
