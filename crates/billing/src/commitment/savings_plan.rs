//! Savings Plans: so much money an hour, spent on usage at rates of the plan's own.

use super::eligible::Eligible;
use crate::money::Rate;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a Savings Plan promises and at which rates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavingsPlan {
    /// What it may be spent on.
    pub kind: PlanKind,
    /// How much may be spent in each hour, in the currency of the rates.
    pub commitment: Rate,
    /// What usage costs under it.
    pub rates: PlanRates,
}

/// The kinds of Savings Plans. The order is that in which they are applied.
///
/// Source: Savings Plans user guide, "Understanding how Savings Plans apply to your AWS usage": EC2 Instance plans go before Compute plans.
/// The others share no usage with these; their places are ours.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlanKind {
    /// EC2 instances of one family in one region.
    Ec2Instance {
        /// The family: `m5`.
        family: String,
        /// The region's code; anything else (a display name, nothing) tells nothing, then the rates alone do.
        region: String,
    },
    /// EC2, Fargate and Lambda.
    Compute,
    /// SageMaker.
    SageMaker,
    /// Any other, by AWS's name.
    Other(String),
}

impl PlanKind {
    /// Reads `savings_plan_offering_type`, with or without the final s and spaces, whatever its case: `ComputeSavingsPlans`,
    /// `EC2InstanceSavingsPlan`. Family and region (`savings_plan_instance_type_family`, `savings_plan_region`) matter to EC2 Instance
    /// plans only. Every text is a kind.
    #[must_use]
    pub fn parse(offering_type: &str, family: &str, region: &str) -> Self {
        let plain = offering_type.replace(' ', "").to_ascii_lowercase();
        let name = plain.strip_suffix('s').unwrap_or(&plain);
        match name.strip_suffix("savingsplan").unwrap_or(name) {
            "ec2instance" => Self::Ec2Instance { family: family.to_owned(), region: region.to_owned() },
            "compute" => Self::Compute,
            "sagemaker" => Self::SageMaker,
            _ => Self::Other(offering_type.to_owned()),
        }
    }
}

/// The rates of a Savings Plan: by service code, usage type and operation, per unit of usage. Plans that have the same rates can share them: a
/// copy costs nothing until it is changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlanRates(Arc<BTreeMap<String, ByUsageType>>);

/// Rates of a service: by usage type, then by operation.
type ByUsageType = BTreeMap<String, BTreeMap<String, Rate>>;

impl PlanRates {
    /// Adds a rate. A rate below 0 is none; of two rates for one usage the lower stays, in whatever order they come (ours: AWS keeps
    /// the rates of a plan for its term, so there are no two).
    pub fn add(&mut self, service: &str, usage_type: &str, operation: &str, rate: Rate) {
        if rate >= Rate::ZERO && self.get(service, usage_type, operation).is_none_or(|known| rate < known) {
            self.set(service, usage_type, operation, rate);
        }
    }

    /// Sets a rate, in place of the one that the usage had.
    pub fn set(&mut self, service: &str, usage_type: &str, operation: &str, rate: Rate) {
        let of_service = Arc::make_mut(&mut self.0).entry(service.to_owned()).or_default();
        of_service.entry(usage_type.to_owned()).or_default().insert(operation.to_owned(), rate);
    }

    /// The rate of a usage.
    #[must_use]
    pub fn get(&self, service: &str, usage_type: &str, operation: &str) -> Option<Rate> {
        self.0.get(service)?.get(usage_type)?.get(operation).copied()
    }

    /// Every rate: service code, usage type, operation, rate.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &str, Rate)> {
        self.0.iter().flat_map(|(service, of_service)| {
            of_service.iter().flat_map(move |(usage_type, of_usage_type)| {
                let operations = of_usage_type.iter();
                operations.map(move |(operation, rate)| {
                    (service.as_str(), usage_type.as_str(), operation.as_str(), *rate)
                })
            })
        })
    }
}

impl SavingsPlan {
    /// What a unit of a class's usage costs under the plan; `None` where the plan does not cover it.
    ///
    /// A plan covers what it has a rate for: the rates come from usage that it has covered, or from AWS's price list of the plan. An EC2
    /// Instance plan is held to its family and region besides.
    #[must_use]
    pub fn rate(&self, class: &Eligible<'_>) -> Option<Rate> {
        if let PlanKind::Ec2Instance { family, region } = &self.kind {
            let other_region = is_region_code(region) && !class.region.is_empty() && region != class.region;
            if class.parts().family() != Some(family.as_str()) || other_region {
                return None;
            }
        }
        self.rates.get(class.service, class.usage_type, class.operation)
    }
}

/// Whether a text is a region's code, `us-east-1`, and not its name, `US East (N. Virginia)`.
fn is_region_code(text: &str) -> bool {
    text.contains('-') && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    //! Kinds are read in every spelling; rates do not depend on the order in which they came.

    use super::*;

    #[test]
    fn kinds_are_read_in_every_spelling() {
        let kind = |text| PlanKind::parse(text, "m5", "eu-west-1");
        for text in ["EC2InstanceSavingsPlans", "EC2InstanceSavingsPlan", "EC2 Instance Savings Plans"] {
            assert_eq!(kind(text), PlanKind::Ec2Instance { family: "m5".into(), region: "eu-west-1".into() });
        }
        assert_eq!(
            ["ComputeSavingsPlans", "ComputeSavingsPlan"].map(kind),
            [PlanKind::Compute, PlanKind::Compute]
        );
        assert_eq!(
            ["SageMakerSavingsPlans", "SagemakerSavingsPlan"].map(kind),
            [PlanKind::SageMaker, PlanKind::SageMaker]
        );
        assert_eq!(kind("DatabaseSavingsPlans"), PlanKind::Other("DatabaseSavingsPlans".into()));
        assert_eq!(kind(""), PlanKind::Other(String::new()));
    }

    #[test]
    fn of_two_rates_the_lower_stays() {
        let rate = |text| Rate::parse(text).unwrap();
        let read = |rates: &[&str]| {
            let mut plan = PlanRates::default();
            for text in rates {
                plan.add("AmazonEC2", "BoxUsage:m5.large", "RunInstances", Rate::parse(text).unwrap());
            }
            plan
        };
        assert_eq!(read(&["0.07", "0.06"]), read(&["0.06", "0.07", "-1"]));
        let plan = read(&["0.07", "0.06"]);
        assert_eq!(plan.get("AmazonEC2", "BoxUsage:m5.large", "RunInstances"), Some(rate("0.06")));
        assert_eq!(plan.get("AmazonEC2", "BoxUsage:m5.large", "RunInstances:0002"), None);
        assert_eq!(plan.iter().count(), 1);
        assert_eq!(read(&["-0.01"]).iter().count(), 0);
    }
}
