//! What the sample accounts buy: a small price list with the cases that pricing tells apart.

use crate::amount::Amount;
use crate::line::{BASE_TIER, ON_DEMAND_TERM};
use crate::random::Random;

/// How a product is metered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Metering {
    /// Whole hours, mostly; reservations, Savings Plans and spot exist.
    Instance,
    /// Fractions with many decimals.
    Fraction,
    /// Whole requests at tiny rates.
    Requests,
    /// Fractions in volume tiers.
    Tiered,
    /// Requests that may be always free.
    FreeRequests,
    /// Fractions without a public price.
    Unlisted,
}

/// A kind of product: sold in every region at the same price, to keep numbers readable.
pub(super) struct Product {
    pub code: &'static str,
    pub service_code: &'static str,
    pub name: &'static str,
    pub family: &'static str,
    pub usage_type: &'static str,
    pub operation: &'static str,
    pub unit: &'static str,
    pub metering: Metering,
    /// The rates of the tiers in units of 1e-10, the dearest first.
    pub rates: &'static [i128],
}

/// A product in a region.
#[derive(Clone)]
pub(super) struct Sku {
    pub product: &'static Product,
    pub sku: String,
    pub region: &'static str,
    pub usage_type: String,
}

/// Region codes and the prefixes of their usage types.
const REGIONS: &[(&str, &str)] = &[("us-east-1", ""), ("us-west-2", "USW2-"), ("eu-central-1", "EUC1-")];

/// The tiers of volume prices.
const TIERS: [&str; 3] = ["PGHJ3S3EYE", "D42MF2PVJS", "VXGXCWQKTY"];

const EC2: &str = "Amazon Elastic Compute Cloud";
const S3: &str = "Amazon Simple Storage Service";

macro_rules! product {
    ($metering:ident, $code:literal, $service:literal, $name:expr, $family:literal, $usage:literal, $op:literal, $unit:literal, $rates:expr) => {
        Product {
            code: $code,
            service_code: $service,
            name: $name,
            family: $family,
            usage_type: $usage,
            operation: $op,
            unit: $unit,
            metering: Metering::$metering,
            rates: &$rates,
        }
    };
}

#[rustfmt::skip]
const PRODUCTS: &[Product] = &[
    product!(Instance, "AmazonEC2", "AmazonEC2", EC2, "Compute Instance", "BoxUsage:m5.large", "RunInstances", "Hrs", [960_000_000]),
    product!(Instance, "AmazonEC2", "AmazonEC2", EC2, "Compute Instance", "BoxUsage:t3.micro", "RunInstances", "Hrs", [104_000_000]),
    product!(Instance, "AmazonEC2", "AmazonEC2", EC2, "Compute Instance", "BoxUsage:c5.4xlarge", "RunInstances:0002", "Hrs", [14_160_000_000]),
    product!(Instance, "AmazonRDS", "AmazonRDS", "Amazon Relational Database Service", "Database Instance", "InstanceUsage:db.r5.large", "CreateDBInstance:0014", "Hrs", [2_500_000_000]),
    product!(Fraction, "AmazonEC2", "AmazonEC2", EC2, "Storage", "EBS:VolumeUsage.gp3", "CreateVolume-Gp3", "GB-Mo", [800_000_000]),
    product!(Fraction, "AmazonEC2", "AmazonEC2", EC2, "NAT Gateway", "NatGateway-Bytes", "NatGateway", "GB", [450_000_000]),
    product!(Fraction, "AWSELB", "AWSELB", "Elastic Load Balancing", "Load Balancer-Application", "LCUUsage", "LoadBalancing:Application", "LCU-Hrs", [80_000_000]),
    product!(Fraction, "AmazonBedrock", "AmazonBedrock", "Amazon Bedrock", "Amazon Bedrock", "Claude-input-tokens", "Usage", "1K tokens", [30_000_000]),
    product!(Requests, "AmazonS3", "AmazonS3", S3, "API Request", "Requests-Tier2", "GetObject", "Requests", [4_000]),
    product!(Requests, "awskms", "awskms", "AWS Key Management Service", "API Request", "KMS-Requests", "Decrypt", "Requests", [30_000]),
    product!(Requests, "AmazonDynamoDB", "AmazonDynamoDB", "Amazon DynamoDB", "Amazon DynamoDB PayPerRequest Throughput", "ReadRequestUnits", "PayPerRequestThroughput", "ReadRequestUnits", [1_250]),
    product!(Tiered, "AmazonS3", "AmazonS3", S3, "Storage", "TimedStorage-ByteHrs", "StandardStorage", "GB-Mo", [230_000_000, 220_000_000, 210_000_000]),
    product!(Tiered, "AmazonEC2", "AWSDataTransfer", EC2, "Data Transfer", "DataTransfer-Out-Bytes", "RunInstances", "GB", [900_000_000, 850_000_000, 700_000_000]),
    product!(Fraction, "AmazonEC2", "AWSDataTransfer", EC2, "Data Transfer", "USE2-AWS-Out-Bytes", "InterZone-Out", "GB", [200_000_000]),
    product!(FreeRequests, "AWSLambda", "AWSLambda", "AWS Lambda", "Serverless", "Lambda-GB-Second", "Invoke", "Lambda-GB-Second", [166_667]),
    product!(FreeRequests, "AWSQueueService", "AWSQueueService", "Amazon Simple Queue Service", "API Request", "Requests-Tier1", "SendMessage", "Requests", [4_000]),
    product!(Unlisted, "AmazonConnect", "AmazonConnect", "Amazon Connect", "Contact Center Telecom", "US-did-inbound-mins", "did-inbound", "minutes", [22_000_000]),
];

/// Returns every product in every region.
pub(super) fn skus() -> Vec<Sku> {
    // The price list is the same for every seed: only what is bought differs.
    let mut codes = Random::new(1);
    let mut skus = Vec::new();
    for product in PRODUCTS {
        for (region, prefix) in REGIONS {
            let usage_type = format!("{prefix}{}", product.usage_type);
            skus.push(Sku { product, sku: codes.code(16), region, usage_type });
        }
    }
    skus
}

impl Sku {
    /// Returns the public rate: the dearest of the tiers, as AWS shows it on every row.
    pub fn public_rate(&self) -> Amount {
        Amount(self.product.rates[0])
    }

    /// Returns the On-Demand rate code of a tier.
    pub fn rate_code(&self, tier: usize) -> String {
        let tier = if self.product.metering == Metering::Tiered { TIERS[tier] } else { BASE_TIER };
        format!("{}.{ON_DEMAND_TERM}.{tier}", self.sku)
    }

    /// Returns the rate code of always-free usage.
    pub fn free_rate_code(&self) -> String {
        format!("{}.A429C66SYZ.{BASE_TIER}", self.sku)
    }

    /// Returns a plausible quantity.
    pub fn quantity(&self, random: &mut Random) -> Amount {
        match self.product.metering {
            Metering::Instance if random.percent(80) => Amount::whole(random.between(1, 24)),
            // Seconds as a part of an hour: ten decimals that never end.
            Metering::Instance => Amount(random.between(1, 86_400) * 10_000_000_000 / 3_600),
            Metering::Requests | Metering::FreeRequests => Amount::whole(random.between(1, 2_000_000)),
            Metering::Tiered => Amount(random.between(1, 900_000_000_000_000)),
            Metering::Fraction | Metering::Unlisted => Amount(random.between(1, 9_000_000_000_000)),
        }
    }
}
