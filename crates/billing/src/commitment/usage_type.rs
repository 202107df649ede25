//! A usage type taken apart: `USW2-BoxUsage:m5.large` is a region, a mark and an instance type.

use crate::money::{Quantity, ten_to};

/// The parts of a usage type.
///
/// AWS documents no grammar; this is what its price lists and cost files hold. The region comes first, if at all, and may have several
/// parts (`USW2-LAX1-`); then the mark, which may hold hyphens of its own (`Multi-AZUsage`); then, after a colon, the instance type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsageType<'a> {
    /// The region's short name: `USW2`. Empty for us-east-1, which some services write as `USE1`: both are read as empty.
    pub region_prefix: &'a str,
    /// What is metered: `BoxUsage`, `HeavyUsage`, `InstanceUsage`, `NodeUsage`, `Fargate-vCPU-Hours`.
    pub mark: &'a str,
    /// The instance type: `m5.large`, `db.r5.xlarge`; a family alone for dedicated hosts (`HostUsage:m5`).
    pub instance: Option<&'a str>,
}

impl<'a> UsageType<'a> {
    /// Takes a usage type apart. Every text has parts: what has no region and no colon is a mark.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        let (rest, instance) = match text.split_once(':') {
            Some((rest, instance)) => (rest, Some(instance).filter(|instance| !instance.is_empty())),
            None => (text, None),
        };
        let mut begin = 0;
        while let Some((part, _)) = rest[begin..].split_once('-').filter(|(part, _)| is_region(part)) {
            begin += part.len() + 1;
        }
        let region_prefix = rest[..begin].trim_end_matches('-');
        let region_prefix = if region_prefix == "USE1" { "" } else { region_prefix };
        Self { region_prefix, mark: &rest[begin..], instance: instance.map(plain_instance) }
    }

    /// The instance family: `m5`, `db.r5`, `cache.r6g`, `ml.c5`.
    #[must_use]
    pub fn family(&self) -> Option<&'a str> {
        self.instance.map(|instance| instance.split_at(family_length(instance)).0)
    }

    /// The size within the family: `large`; of `db.r5.large.tpc2.mem2x`, `large.tpc2.mem2x`.
    #[must_use]
    pub fn size(&self) -> Option<&'a str> {
        let instance = self.instance?;
        instance[family_length(instance)..].strip_prefix('.').filter(|size| !size.is_empty())
    }

    /// The normalised units of an hour of this size, as AWS tabulates them for EC2: nano 0.25, micro 0.5, small 1, medium 2, large 4,
    /// xlarge 8, and N × 8 for Nxlarge. `None` for sizes that the table does not have, `metal` among them.
    ///
    /// Source: EC2 user guide, "How Reserved Instance discounts are applied", table of normalization factors.
    #[must_use]
    pub fn normalized_units(&self) -> Option<Quantity> {
        let hundredths = match self.size()? {
            "nano" => 25,
            "micro" => 50,
            "small" => 100,
            "medium" => 200,
            "large" => 400,
            size => {
                let times = size.strip_suffix("xlarge")?;
                // `u16`: beyond any instance, and never more than a quantity holds.
                800 * i128::from(if times.is_empty() { 1 } else { times.parse::<u16>().ok()? })
            }
        };
        Quantity::from_units(hundredths * ten_to(8)).ok()
    }
}

/// Whether a part of a usage type names a region: `EU`, `US`, or letters and then digits in capitals: `USW2`, `APN1`, `LAX1`.
fn is_region(part: &str) -> bool {
    let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
    let capitals = (2..=4).contains(&letters.len()) && letters.bytes().all(|b| b.is_ascii_uppercase());
    capitals && ((1..=2).contains(&(part.len() - letters.len())) || matches!(part, "EU" | "US"))
}

/// OpenSearch names its instance types with a suffix on fees and without one on usage.
fn plain_instance(instance: &str) -> &str {
    let plain = instance.strip_suffix(".search").or_else(|| instance.strip_suffix(".elasticsearch"));
    plain.unwrap_or(instance)
}

/// How much of an instance type is its family: the first part, or two where the first one names a service.
fn family_length(instance: &str) -> usize {
    let service = ["db.", "cache.", "ml."].iter().find(|service| instance.starts_with(**service));
    let begin = service.map_or(0, |service| service.len());
    instance[begin..].find('.').map_or(instance.len(), |dot| begin + dot)
}

#[cfg(test)]
mod tests {
    //! Usage types as cost files have them.

    use super::*;

    #[track_caller]
    fn check(text: &str, parts: (&str, &str, Option<&str>, Option<&str>)) {
        let usage_type = UsageType::parse(text);
        let read = (usage_type.region_prefix, usage_type.mark, usage_type.family(), usage_type.size());
        assert_eq!(read, parts, "{text}");
    }

    #[test]
    fn a_usage_type_has_a_region_a_mark_and_an_instance_type() {
        check("USW2-BoxUsage:m5.large", ("USW2", "BoxUsage", Some("m5"), Some("large")));
        check("BoxUsage:u-6tb1.112xlarge", ("", "BoxUsage", Some("u-6tb1"), Some("112xlarge")));
        check("USE1-HeavyUsage:db.r7g.large", ("", "HeavyUsage", Some("db.r7g"), Some("large")));
        check("EU-Multi-AZUsage:db.m5.2xlarge", ("EU", "Multi-AZUsage", Some("db.m5"), Some("2xlarge")));
        check("Multi-AZUsage:db.m5.large", ("", "Multi-AZUsage", Some("db.m5"), Some("large")));
        check("USW2-LAX1-BoxUsage:t3.medium", ("USW2-LAX1", "BoxUsage", Some("t3"), Some("medium")));
        check("APS3-NodeUsage:cache.r6g.large", ("APS3", "NodeUsage", Some("cache.r6g"), Some("large")));
        check("HeavyUsage:r5.large.search", ("", "HeavyUsage", Some("r5"), Some("large")));
        check("EUW1-HostUsage:m5", ("EUW1", "HostUsage", Some("m5"), None));
        check("USE2-Train:ml.c5.xlarge", ("USE2", "Train", Some("ml.c5"), Some("xlarge")));
        check("APN1-Fargate-GB-Hours", ("APN1", "Fargate-GB-Hours", None, None));
        check("Lambda-GB-Second", ("", "Lambda-GB-Second", None, None));
        check("BoxUsage", ("", "BoxUsage", None, None));
        check("", ("", "", None, None));
        check(":", ("", "", None, None));
    }

    #[test]
    fn sizes_count_in_normalised_units() {
        let units = |size: &str| {
            let text = format!("BoxUsage:m5.{size}");
            UsageType::parse(&text).normalized_units().map(|units| units.to_string())
        };
        let sizes = ["nano", "micro", "small", "medium", "large", "xlarge", "2xlarge", "112xlarge"];
        let table = ["0.25", "0.5", "1", "2", "4", "8", "16", "896"];
        assert_eq!(sizes.map(units), table.map(|units| Some(units.to_owned())));
        assert_eq!(["metal", "99999xlarge", "-1xlarge"].map(units), [None, None, None]);
    }
}
