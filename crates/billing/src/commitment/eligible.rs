//! What a commitment may cover: On-Demand usage, as it would be without any commitment.

use super::{arn, usage_type::UsageType};
use crate::charge_class::{ChargeClass, Cube, KeyColumn};
use crate::class_kind::{Free, free_offer, has_terms, is_spot, left_out_of_aws_cost, line_item_type};
use crate::cost_line::LineItemType;
use crate::money::{Quantity, Rate};

/// A charge class whose usage a commitment may cover, as the simulation sees it. Absent texts are empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Eligible<'a> {
    /// The account that used it.
    pub account: &'a str,
    /// The service code, or the product code where there is none.
    pub service: &'a str,
    /// The usage type.
    pub usage_type: &'a str,
    /// The operation.
    pub operation: &'a str,
    /// The price list's key, by which a plan's price list knows the usage.
    pub sku: &'a str,
    /// The region's code.
    pub region: &'a str,
    /// The availability zone.
    pub zone: &'a str,
    /// Normalised units per unit of usage, where the cost file says so.
    pub normalization_factor: Option<Quantity>,
    /// The public On-Demand rate; `None` where there is none.
    pub public_rate: Option<Rate>,
    /// The commitment that covers the usage in the real bill.
    pub covered_by: Option<&'a str>,
}

impl<'a> Eligible<'a> {
    /// A class as the simulation sees it; `None` where no commitment can cover it: spot, Marketplace, fees, negations, everything else
    /// that meters no usage, what AWS cost leaves out, and what the Always Free Tier gives (ours).
    ///
    /// Usage that the real bill shows as covered is eligible again: it was On-Demand usage before. `month_has_terms` is
    /// [`crate::class_kind::has_terms`] of the cube.
    #[must_use]
    pub fn of(cube: &'a Cube, class: &ChargeClass, month_has_terms: bool) -> Option<Self> {
        let kind = line_item_type(cube, class);
        let marketplace = cube.value(class, KeyColumn::BillingEntity) == Some("AWS Marketplace");
        if !kind.is_metered() || marketplace || left_out_of_aws_cost(cube, class, kind).is_some() {
            return None;
        }
        let covered = kind != LineItemType::Usage;
        let free = || free_offer(cube, class) == Some(Free::Always);
        if !covered && (is_spot(cube, class, month_has_terms) || free()) {
            return None;
        }
        let text = |column| cube.value(class, column).unwrap_or_default();
        let above_zero = |column| {
            let number = cube.filled(class, column).and_then(|text| Quantity::parse(text).ok());
            number.filter(|number| *number > Quantity::ZERO)
        };
        Some(Self {
            account: text(KeyColumn::UsageAccount),
            service: cube.product(class),
            usage_type: text(KeyColumn::UsageType),
            operation: text(KeyColumn::Operation),
            sku: text(KeyColumn::Sku),
            region: text(KeyColumn::Region),
            zone: text(KeyColumn::AvailabilityZone),
            normalization_factor: above_zero(KeyColumn::NormalizationFactor),
            public_rate: above_zero(KeyColumn::PublicRate),
            covered_by: arn(cube, class).filter(|_| covered),
        })
    }

    /// The classes of a cube that a commitment may cover, by their numbers in the cube, which are in key order.
    #[must_use]
    pub fn classes(cube: &'a Cube) -> Vec<(u32, Self)> {
        let month_has_terms = has_terms(cube);
        let numbered = (0_u32..).zip(&cube.classes);
        numbered
            .filter_map(|(number, class)| Some((number, Self::of(cube, class, month_has_terms)?)))
            .collect()
    }

    /// The usage type, taken apart.
    #[must_use]
    pub fn parts(&self) -> UsageType<'a> {
        UsageType::parse(self.usage_type)
    }

    /// Normalised units per unit of usage: as the cost file says, else, for EC2, by AWS's table of sizes.
    #[must_use]
    pub fn factor(&self) -> Option<Quantity> {
        let by_size = || self.parts().normalized_units().filter(|_| self.service == "AmazonEC2");
        self.normalization_factor.or_else(by_size)
    }
}

#[cfg(test)]
mod tests {
    //! What is eligible, told from the key columns alone.

    use super::*;
    use crate::charge_class::{KEY_COLUMNS, MEASURES, TextId, Texts};
    use crate::period::BillingPeriod;
    use std::collections::BTreeMap;

    /// A month of one On-Demand class with these columns changed, and a class that says its pricing term.
    fn month(changes: &[(KeyColumn, &str)]) -> Cube {
        use KeyColumn as K;
        let mut texts = Texts::default();
        let on_demand = [
            (K::UsageAccount, "111111111111"),
            (K::ServiceCode, "AmazonEC2"),
            (K::ProductCode, "AmazonEC2"),
            (K::UsageType, "BoxUsage:m5.large"),
            (K::Operation, "RunInstances"),
            (K::LineItemType, "Usage"),
            (K::Sku, "SKU"),
            (K::Region, "us-east-1"),
            (K::PricingTerm, "OnDemand"),
            (K::PublicRate, "0.096"),
            (K::UnblendedRateState, "+"),
            (K::AvailabilityZone, "us-east-1a"),
            (K::NormalizationFactor, "4"),
            (K::BillingEntity, "AWS"),
        ];
        let mut class = |columns: &[(KeyColumn, &str)]| {
            let mut key = [TextId::NULL; KEY_COLUMNS];
            for (column, value) in columns {
                key[*column as usize] = if value.is_empty() { TextId::NULL } else { texts.intern(value) };
            }
            let sums = [Quantity::ZERO; MEASURES];
            ChargeClass { key, lines: 1, lines_without_net: 0, unblended_rate: TextId::NULL, sums }
        };
        let changed: Vec<_> = on_demand.iter().chain(changes).copied().collect();
        let classes = vec![class(&changed), class(&[(K::UsageAccount, "9"), (K::PricingTerm, "OnDemand")])];
        Cube::new(BillingPeriod::new(2026, 10).unwrap(), None, texts, classes, BTreeMap::new())
    }

    #[track_caller]
    fn check(changes: &[(KeyColumn, &str)], eligible: bool) {
        assert_eq!(!Eligible::classes(&month(changes)).is_empty(), eligible, "{changes:?}");
    }

    #[test]
    fn on_demand_usage_is_eligible_and_covered_usage_again() {
        let cube = month(&[]);
        let expected = Eligible {
            account: "111111111111",
            service: "AmazonEC2",
            usage_type: "BoxUsage:m5.large",
            operation: "RunInstances",
            sku: "SKU",
            region: "us-east-1",
            zone: "us-east-1a",
            normalization_factor: Quantity::parse("4").ok(),
            public_rate: Rate::parse("0.096").ok(),
            covered_by: None,
        };
        assert_eq!(Eligible::classes(&cube), [(0, expected)]);
        use KeyColumn as K;
        for (kind, column) in
            [("DiscountedUsage", K::ReservationArn), ("SavingsPlanCoveredUsage", K::SavingsPlanArn)]
        {
            let cube = month(&[(K::LineItemType, kind), (column, "arn"), (K::UnblendedRateState, "0")]);
            let covered = Eligible { covered_by: Some("arn"), ..expected };
            assert_eq!(Eligible::classes(&cube), [(0, covered)], "{kind}");
        }
    }

    #[test]
    fn what_no_commitment_can_cover() {
        use KeyColumn as K;
        check(&[(K::PricingTerm, "Spot")], false);
        check(&[(K::PricingTerm, "")], false);
        check(&[(K::BillingEntity, "AWS Marketplace")], false);
        check(&[(K::SplitFlag, "split")], false);
        check(&[(K::UnblendedRateState, "0")], false);
        check(
            &[(K::UnblendedRateState, "0"), (K::Description, "$0.00 per hour under monthly free tier")],
            true,
        );
        for kind in
            ["Fee", "RIFee", "SavingsPlanNegation", "SavingsPlanRecurringFee", "Tax", "Credit", "EdpDiscount"]
        {
            check(&[(K::LineItemType, kind)], false);
        }
    }

    #[test]
    fn a_factor_that_is_not_told_follows_from_the_size() {
        use KeyColumn as K;
        let factor = |changes: &[(KeyColumn, &str)]| {
            let cube = month(changes);
            Eligible::classes(&cube)[0].1.factor().map(|factor| factor.to_string())
        };
        assert_eq!(factor(&[(K::NormalizationFactor, "8")]).as_deref(), Some("8"));
        assert_eq!(factor(&[(K::NormalizationFactor, "0")]).as_deref(), Some("4"));
        assert_eq!(factor(&[(K::NormalizationFactor, ""), (K::ServiceCode, "AmazonRDS")]), None);
    }
}
