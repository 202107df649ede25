//! Who gets the benefit of commitments that are bought centrally: a policy of the operator's, beyond AWS.

/// How a billing group takes part in commitments, in the book `[sharing] commitments`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sharing {
    /// AWS's behaviour: members' commitments cover members' usage, first the owner's; all others vanish and what they covered is On-Demand
    /// again. Source: Billing Conductor user guide.
    #[default]
    Members,
    /// As in the real bill: usage stays under the commitment that covered it, whoever owns that. Nothing is simulated. Ours.
    Real,
    /// As [`Self::Keep`]; besides, what the payer's own commitments have saved is spread over all groups by their eligible usage. Ours; AWS
    /// has a sample that does so with custom line items.
    ProRata,
    /// As [`Self::Members`], but the payer's own commitments cover nothing in any group, not even in one that has the payer as a member:
    /// the payer keeps their benefit. Ours.
    Keep,
}

impl Sharing {
    /// Every policy.
    pub const ALL: [Self; 4] = [Self::Members, Self::Real, Self::ProRata, Self::Keep];

    /// The policy's name in the book.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Real => "real",
            Self::ProRata => "pro_rata",
            Self::Keep => "keep",
        }
    }

    /// Whether commitments are applied anew inside billing groups under the policy, and do not stay where the real bill has them.
    #[must_use]
    pub const fn simulates(self) -> bool {
        !matches!(self, Self::Real)
    }

    /// Reads a name; exact.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name() == name)
    }
}

#[cfg(test)]
mod tests {
    //! Names that read back.

    use super::*;

    #[test]
    fn policies_have_names() {
        for policy in Sharing::ALL {
            assert_eq!(Sharing::parse(policy.name()), Some(policy));
        }
        assert_eq!(Sharing::parse("Members"), None);
        assert_eq!(Sharing::default(), Sharing::Members);
    }
}
