//! Billing transfers: organizations whose bill an account outside of them receives and pays.

use crate::account::AccountId;
use crate::period::BillingPeriod;

/// A transfer of one organization's bill, whole months at a time.
///
/// Source: AWS Billing and Cost Management user guide, "Transfer billing management to external accounts"; the status is that of a
/// responsibility transfer in the AWS Organizations API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponsibilityTransfer {
    /// Unique among the transfers of a book; an ARN or an id may serve.
    pub name: String,
    /// The management account of the organization whose bill is transferred.
    pub source: AccountId,
    /// Who receives the bill: the book's payer, or the source of another transfer.
    pub receiver: AccountId,
    /// All accounts of the organization, the source among them.
    pub accounts: Vec<AccountId>,
    /// What AWS Organizations says of it.
    pub status: Status,
    /// The first period whose bill is transferred.
    pub start: BillingPeriod,
    /// The first period whose bill no more is; `None` goes on.
    pub end: Option<BillingPeriod>,
}

/// The status of a responsibility transfer, as the AWS Organizations API has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Invited, not yet answered.
    Requested,
    /// The invitation was refused.
    Declined,
    /// The invitation was taken back.
    Canceled,
    /// The invitation was not answered in time.
    Expired,
    /// In force from its start.
    Accepted,
    /// One side has withdrawn: in force until its end.
    Withdrawn,
}

impl Status {
    /// Every status with its name.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Requested, "REQUESTED"),
        (Self::Declined, "DECLINED"),
        (Self::Canceled, "CANCELED"),
        (Self::Expired, "EXPIRED"),
        (Self::Accepted, "ACCEPTED"),
        (Self::Withdrawn, "WITHDRAWN"),
    ];

    /// The status of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(status, of)| (of == name).then_some(status))
    }

    /// The name of the status.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find_map(|(status, name)| (status == self).then_some(name)).unwrap_or_default()
    }

    /// What a transfer of this status with the months `[start, end)` is in a period.
    #[must_use]
    pub fn phase(self, start: BillingPeriod, end: Option<BillingPeriod>, period: BillingPeriod) -> Phase {
        match self {
            Self::Declined | Self::Canceled | Self::Expired => Phase::Gone,
            _ if end.is_some_and(|end| end <= period) => Phase::Gone,
            Self::Requested => Phase::Pending,
            Self::Accepted | Self::Withdrawn if period < start => Phase::Pending,
            Self::Accepted | Self::Withdrawn => Phase::InForce,
        }
    }

    /// Whether a transfer of this status is in force between its start and its end.
    #[must_use]
    pub const fn takes_effect(self) -> bool {
        matches!(self, Self::Accepted | Self::Withdrawn)
    }
}

/// What a transfer, and the billing group that it makes, is in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not begun, or not accepted: the group has no accounts and no charges yet. AWS shows it as `PENDING`.
    Pending,
    /// In force: AWS shows the group as `ACTIVE`.
    InForce,
    /// Ended, or never to be: there is no group.
    Gone,
}

impl Phase {
    /// The status of a billing group, as AWS shows it; one that is gone has none.
    #[must_use]
    pub const fn group_status(self) -> Option<&'static str> {
        match self {
            Self::Pending => Some("PENDING"),
            Self::InForce => Some("ACTIVE"),
            Self::Gone => None,
        }
    }
}

impl ResponsibilityTransfer {
    /// What the transfer is in a period: `[start, end)`.
    #[must_use]
    pub fn phase(&self, period: BillingPeriod) -> Phase {
        self.status.phase(self.start, self.end, period)
    }

    /// Whether two transfers are in force together in some period.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let before = |one: &Self, other: &Self| one.end.is_some_and(|end| end <= other.start);
        let both = self.status.takes_effect() && other.status.takes_effect();
        both && !before(self, other) && !before(other, self)
    }
}

#[cfg(test)]
mod tests {
    //! What a transfer is, month by month.

    use super::*;

    fn transfer(status: Status, end: Option<&str>) -> ResponsibilityTransfer {
        let account = AccountId::parse("111111111111").unwrap();
        ResponsibilityTransfer {
            name: "t".to_owned(),
            source: account.clone(),
            receiver: AccountId::parse("999999999999").unwrap(),
            accounts: vec![account],
            status,
            start: BillingPeriod::parse("2026-10").unwrap(),
            end: end.map(|end| BillingPeriod::parse(end).unwrap()),
        }
    }

    #[test]
    fn a_transfer_is_in_force_from_its_start_until_its_end() {
        use Phase::{Gone, InForce, Pending};
        let months = ["2026-09", "2026-10", "2026-11", "2026-12"];
        for (status, end, expected) in [
            (Status::Accepted, None, [Pending, InForce, InForce, InForce]),
            (Status::Accepted, Some("2026-12"), [Pending, InForce, InForce, Gone]),
            (Status::Withdrawn, Some("2026-11"), [Pending, InForce, Gone, Gone]),
            (Status::Requested, None, [Pending; 4]),
            (Status::Requested, Some("2026-12"), [Pending, Pending, Pending, Gone]),
            (Status::Declined, None, [Gone; 4]),
            (Status::Canceled, None, [Gone; 4]),
            (Status::Expired, None, [Gone; 4]),
        ] {
            let transfer = transfer(status, end);
            let phases = months.map(|month| transfer.phase(BillingPeriod::parse(month).unwrap()));
            assert_eq!(phases, expected, "{status:?} until {end:?}");
        }
    }

    #[test]
    fn transfers_that_follow_each_other_do_not_overlap() {
        let (until, from) = (transfer(Status::Withdrawn, Some("2026-12")), "2026-12");
        let then = ResponsibilityTransfer {
            start: BillingPeriod::parse(from).unwrap(),
            ..transfer(Status::Accepted, None)
        };
        assert!(!until.overlaps(&then) && !then.overlaps(&until));
        assert!(until.overlaps(&transfer(Status::Accepted, None)));
        assert!(!until.overlaps(&transfer(Status::Declined, None)));
    }

    #[test]
    fn statuses_have_the_names_of_aws_organizations() {
        for (status, name) in Status::ALL {
            assert_eq!((Status::parse(name), status.name()), (Some(status), name));
        }
        assert_eq!(Status::parse("accepted"), None);
    }
}
