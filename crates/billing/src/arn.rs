//! Amazon Resource Names: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`.

use crate::account::AccountId;

/// The partitions whose resources a desk may have: everywhere, China, the US government.
const PARTITIONS: [&str; 3] = ["aws", "aws-cn", "aws-us-gov"];

/// The parts of an ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arn<'a> {
    /// The service: `billing`.
    pub service: &'a str,
    /// The region; empty of what is in none.
    pub region: &'a str,
    /// Whose it is.
    pub account: &'a str,
    /// The rest, which the service names as it likes.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Reads an ARN of any service.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next();
        let (scheme, partition) = (next()?, next()?);
        let (service, region, account, resource) = (next()?, next()?, next()?, next()?);
        let is_arn = scheme == "arn" && PARTITIONS.contains(&partition) && !service.is_empty();
        is_arn.then_some(Self { service, region, account, resource })
    }

    /// What a service's ARN names of an account; `None` where it is another service's or account's, or of a region.
    #[must_use]
    pub fn resource(text: &'a str, service: &str, account: &AccountId) -> Option<&'a str> {
        let arn = Self::parse(text)?;
        let is_of = arn.service == service && arn.region.is_empty() && arn.account == account.as_str();
        is_of.then_some(arn.resource)
    }
}

#[cfg(test)]
mod tests {
    //! What is an ARN, and whose.

    use super::*;

    #[test]
    fn every_partition_of_a_desk_is_read_alike() {
        let account = AccountId::parse("999999999999").unwrap();
        for partition in PARTITIONS {
            let text = format!("arn:{partition}:ce::999999999999:costcategory/a:b");
            assert_eq!(Arn::resource(&text, "ce", &account), Some("costcategory/a:b"), "{text}");
        }
        for text in [
            "arn:aws:ce::999999999998:costcategory/a",
            "arn:aws:budgets::999999999999:costcategory/a",
            "arn:aws:ce:us-east-1:999999999999:costcategory/a",
            "arn:awsome:ce::999999999999:costcategory/a",
            "arn:aws-:ce::999999999999:costcategory/a",
            "arn::ce::999999999999:costcategory/a",
            "arn:aws:ce::999999999999",
            "costcategory/a",
            "",
        ] {
            assert_eq!(Arn::resource(text, "ce", &account), None, "{text}");
        }
    }

    #[test]
    fn a_region_is_told() {
        let arn = Arn::parse("arn:aws-cn:bcm-data-exports:cn-north-1:999999999999:export/e-1").unwrap();
        assert_eq!((arn.region, arn.resource), ("cn-north-1", "export/e-1"));
    }
}
