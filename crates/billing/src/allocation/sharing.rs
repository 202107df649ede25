//! Who gets the benefit of commitments that are bought centrally: a policy of the operator's, beyond AWS.

use crate::money::{Amount, DecimalError, Quantity};
use crate::tier_pool::share;

/// How a billing group takes part in commitments, in the book `[sharing] commitments`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sharing {
    /// AWS's behaviour: members' commitments cover members' usage, first the owner's; all others vanish and what they covered is On-Demand
    /// again. Source: Billing Conductor user guide.
    #[default]
    Members,
    /// As in the real bill: usage stays under the commitment that covered it, whoever owns that. Nothing is simulated. Ours.
    Real,
    /// As [`Self::Members`]; besides, the benefit of the payer's own commitments is spread over all groups by their eligible usage:
    /// [`spread`]. Ours; AWS has a sample that does so with custom line items.
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

    /// Reads a name; exact.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name() == name)
    }
}

/// Spreads a benefit over groups in proportion to their eligible usage, the parts summing to it exactly; `None` where no group has any, so
/// that the payer keeps it. A negative benefit (fees that were not earned back) spreads the same way.
///
/// One of the named roundings: each part is cut at twenty decimals, and the units that are then missing go to the largest remainders,
/// ties to the earlier group. Usage below 0 weighs nothing. The weights must be in one unit, normalised units or money at list prices.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn spread(benefit: Amount, eligible_usage: &[Quantity]) -> Result<Option<Vec<Amount>>, DecimalError> {
    let weights: Vec<Quantity> = eligible_usage.iter().map(|usage| (*usage).max(Quantity::ZERO)).collect();
    if weights.iter().all(|weight| weight.is_zero()) {
        return Ok(None);
    }
    share(benefit, &weights).map(Some)
}

#[cfg(test)]
mod tests {
    //! AWS's own figures, and names that read back.

    use super::*;

    fn parts(benefit: &str, weights: &[&str]) -> Option<Vec<Amount>> {
        let weights: Vec<Quantity> = weights.iter().map(|weight| Quantity::parse(weight).unwrap()).collect();
        spread(Amount::parse(benefit).unwrap(), &weights).unwrap()
    }

    /// The parts at ten decimals, cut.
    #[track_caller]
    fn check(benefit: &str, weights: &[&str], expected: [&str; 2]) {
        let parts = parts(benefit, weights).unwrap();
        let sum = parts.iter().try_fold(Amount::ZERO, |sum, part| sum.plus(*part)).unwrap();
        assert_eq!(sum, Amount::parse(benefit).unwrap(), "the parts of {benefit}");
        let at_ten = |part: &Amount| {
            let (units, _) = crate::money::divide_half_away(part.units(), crate::money::ten_to(10));
            Quantity::from_units(units).unwrap().to_string()
        };
        assert_eq!(parts.iter().map(at_ten).collect::<Vec<_>>(), expected, "{benefit}");
    }

    #[test]
    fn net_savings_of_awss_sample_are_spread_by_7_and_11_eighteenths() {
        let weights = ["7", "11"];
        check("3.1864834368", &weights, ["1.2391880032", "1.9472954336"]);
        check("2.6912000232", &weights, ["1.0465777868", "1.6446222364"]);
        // The sample's doubles: 1.3174041197333335 and 2.070206473866667, 0.1919272702666667 and 0.3015999961333334.
        check("3.3876105936", &weights, ["1.3174041197", "2.0702064739"]);
        check("0.4935272664", &weights, ["0.1919272703", "0.3015999961"]);
        check("-3.1864834368", &weights, ["-1.2391880032", "-1.9472954336"]);
    }

    #[test]
    fn a_benefit_without_usage_stays_with_the_payer() {
        assert_eq!(parts("1", &["0", "-3"]), None);
        assert_eq!(parts("1", &[]), None);
        check("1", &["-3", "5"], ["0", "1"]);
    }

    #[test]
    fn policies_have_names() {
        for policy in Sharing::ALL {
            assert_eq!(Sharing::parse(policy.name()), Some(policy));
        }
        assert_eq!(Sharing::parse("Members"), None);
        assert_eq!(Sharing::default(), Sharing::Members);
    }
}
