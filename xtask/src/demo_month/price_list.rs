//! What the demo's customers buy, at list prices of late 2026 or near them. The dearest paid tier is the public rate.

use testkit::amount::{Amount, amount};
use testkit::line::{BASE_TIER, ON_DEMAND_TERM};
use testkit::random::Random;

/// The offer term of usage that is free for everybody.
const FREE_TERM: &str = "A429C66SYZ";

/// A service as the columns of a cost line name it.
pub struct Service {
    pub product_code: &'static str,
    pub service_code: &'static str,
    /// The product's name.
    pub name: &'static str,
}

impl Service {
    /// The service's name: the product's but for transfer, which is a service under many products.
    pub fn service_name(&self) -> &'static str {
        if self.service_code == "AWSDataTransfer" { "AWS Data Transfer" } else { self.name }
    }
}

const fn service(product_code: &'static str, service_code: &'static str, name: &'static str) -> Service {
    Service { product_code, service_code, name }
}

pub const EC2: Service = service("AmazonEC2", "AmazonEC2", "Amazon Elastic Compute Cloud");
/// Transfer stands under the product that caused it; only the service code says what it is.
pub const EC2_TRANSFER: Service = service("AmazonEC2", "AWSDataTransfer", "Amazon Elastic Compute Cloud");
pub const S3: Service = service("AmazonS3", "AmazonS3", "Amazon Simple Storage Service");
pub const S3_TRANSFER: Service = service("AmazonS3", "AWSDataTransfer", "Amazon Simple Storage Service");
pub const RDS: Service = service("AmazonRDS", "AmazonRDS", "Amazon Relational Database Service");
pub const VPC: Service = service("AmazonVPC", "AmazonVPC", "Amazon Virtual Private Cloud");
pub const ELB: Service = service("AWSELB", "AWSELB", "Elastic Load Balancing");
pub const ECS: Service = service("AmazonECS", "AmazonECS", "Amazon Elastic Container Service");
pub const EKS: Service = service("AmazonEKS", "AmazonEKS", "Amazon Elastic Container Service for Kubernetes");
pub const LAMBDA: Service = service("AWSLambda", "AWSLambda", "AWS Lambda");
pub const DYNAMODB: Service = service("AmazonDynamoDB", "AmazonDynamoDB", "Amazon DynamoDB");
pub const ELASTICACHE: Service = service("AmazonElastiCache", "AmazonElastiCache", "Amazon ElastiCache");
pub const CLOUDFRONT: Service = service("AmazonCloudFront", "AmazonCloudFront", "Amazon CloudFront");
pub const CLOUDWATCH: Service = service("AmazonCloudWatch", "AmazonCloudWatch", "AmazonCloudWatch");
pub const CLOUDTRAIL: Service = service("AWSCloudTrail", "AWSCloudTrail", "AWS CloudTrail");
pub const CONFIG: Service = service("AWSConfig", "AWSConfig", "AWS Config");
pub const GUARDDUTY: Service = service("AmazonGuardDuty", "AmazonGuardDuty", "Amazon GuardDuty");
pub const KMS: Service = service("awskms", "awskms", "AWS Key Management Service");
pub const SECRETS: Service = service("AWSSecretsManager", "AWSSecretsManager", "AWS Secrets Manager");
pub const SQS: Service = service("AWSQueueService", "AWSQueueService", "Amazon Simple Queue Service");
pub const ROUTE53: Service = service("AmazonRoute53", "AmazonRoute53", "Amazon Route 53");
pub const REDSHIFT: Service = service("AmazonRedshift", "AmazonRedshift", "Amazon Redshift");
pub const ATHENA: Service = service("AmazonAthena", "AmazonAthena", "Amazon Athena");
pub const GLUE: Service = service("AWSGlue", "AWSGlue", "AWS Glue");
pub const BEDROCK: Service = service("AmazonBedrock", "AmazonBedrock", "Amazon Bedrock");
pub const WORKSPACES: Service = service("AmazonWorkSpaces", "AmazonWorkSpaces", "Amazon WorkSpaces");
pub const BACKUP: Service = service("AWSBackup", "AWSBackup", "AWS Backup");

/// A tier of the organisation's monthly usage: where it begins, its rate, its code, what the description says of it.
pub struct Tier {
    pub begin: &'static str,
    pub rate: &'static str,
    code: &'static str,
    text: &'static str,
}

const fn tier(begin: &'static str, rate: &'static str, code: &'static str, text: &'static str) -> Tier {
    Tier { begin, rate, code, text }
}

/// The one price of a SKU without tiers.
const fn flat(rate: &'static str, text: &'static str) -> [Tier; 1] {
    [tier("0", rate, BASE_TIER, text)]
}

/// A price of the list.
pub struct Price {
    /// How the demo's other tables name it.
    pub key: &'static str,
    pub service: &'static Service,
    pub family: &'static str,
    pub region: &'static str,
    pub usage_type: &'static str,
    pub operation: &'static str,
    pub unit: &'static str,
    pub tiers: &'static [Tier],
}

const US: &str = "us-east-1";
const EU: &str = "eu-central-1";

macro_rules! prices {
    ($($key:literal $service:ident $family:literal $region:ident $usage:literal $operation:literal $unit:literal $tiers:expr;)*) => {
        &[$( Price {
            key: $key, service: &$service, family: $family, region: $region, usage_type: $usage,
            operation: $operation, unit: $unit, tiers: &$tiers,
        } ),*]
    };
}

const TRANSFER_US: [Tier; 4] = [
    tier("0", "0", BASE_TIER, "per GB - data transfer out under the monthly global free tier"),
    tier(
        "100",
        "0.09",
        "Q3Z75P77EN",
        "per GB - first 10 TB / month data transfer out beyond the global free tier",
    ),
    tier("10240", "0.085", "VF6T3GAUKQ", "per GB - next 40 TB / month data transfer out"),
    tier("51200", "0.07", "N9EW5UVVPA", "per GB - next 100 TB / month data transfer out"),
];
const STORAGE_US: [Tier; 2] = [
    tier("0", "0.023", "PGHJ3S3EYE", "per GB - first 50 TB / month of storage used"),
    tier("51200", "0.022", "D42MF2PVJS", "per GB - next 450 TB / month of storage used"),
];

#[rustfmt::skip]
pub const PRICES: &[Price] = prices! {
    // Compute, N. Virginia.
    "m7g.large"      EC2 "Compute Instance" US "BoxUsage:m7g.large"  "RunInstances" "Hrs" flat("0.0816", "per On Demand Linux m7g.large Instance Hour");
    "c7g.xlarge"     EC2 "Compute Instance" US "BoxUsage:c7g.xlarge" "RunInstances" "Hrs" flat("0.145", "per On Demand Linux c7g.xlarge Instance Hour");
    "r6i.2xlarge"    EC2 "Compute Instance" US "BoxUsage:r6i.2xlarge" "RunInstances" "Hrs" flat("0.504", "per On Demand Linux r6i.2xlarge Instance Hour");
    "g5.xlarge"      EC2 "Compute Instance" US "BoxUsage:g5.xlarge"  "RunInstances" "Hrs" flat("1.006", "per On Demand Linux g5.xlarge Instance Hour");
    "t3.medium"      EC2 "Compute Instance" US "BoxUsage:t3.medium"  "RunInstances" "Hrs" flat("0.0416", "per On Demand Linux t3.medium Instance Hour");
    "t3.large-win"   EC2 "Compute Instance" US "BoxUsage:t3.large"   "RunInstances:0002" "Hrs" flat("0.1108", "per On Demand Windows t3.large Instance Hour");
    "c6i.4xlarge"    EC2 "Compute Instance" US "SpotUsage:c6i.4xlarge" "RunInstances:SV014" "Hrs" flat("0.68", "per c6i.4xlarge Linux/UNIX Spot Instance-hour in US East (N. Virginia) in VPC Zone #4");
    "gp3"            EC2 "Storage" US "EBS:VolumeUsage.gp3" "CreateVolume-Gp3" "GB-Mo" flat("0.08", "per GB-month of General Purpose (gp3) provisioned storage - US East (N. Virginia)");
    "snapshot"       EC2 "Storage Snapshot" US "EBS:SnapshotUsage" "CreateSnapshot" "GB-Mo" flat("0.05", "per GB-Month of snapshot data stored - US East (N. Virginia)");
    "nat-hours"      EC2 "NAT Gateway" US "NatGateway-Hours" "NatGateway" "Hrs" flat("0.045", "per NAT Gateway Hour");
    "nat-bytes"      EC2 "NAT Gateway" US "NatGateway-Bytes" "NatGateway" "GB" flat("0.045", "per GB Data Processed by NAT Gateways");
    "address"        VPC "VPC Public IPv4 Address" US "PublicIPv4:InUseAddress" "AssociateAddressVPC" "Hrs" flat("0.005", "per In-use public IPv4 address per hour");
    "transfer-out"   EC2_TRANSFER "Data Transfer" US "DataTransfer-Out-Bytes" "RunInstances" "GB" TRANSFER_US;
    "transfer-zone"  EC2_TRANSFER "Data Transfer" US "DataTransfer-Regional-Bytes" "InterZone-In" "GB" flat("0.01", "per GB - regional data transfer - in/out/between EC2 AZs or using elastic IPs or ELB");
    "transfer-usw2"  S3_TRANSFER "Data Transfer" US "USE1-USW2-AWS-Out-Bytes" "S3-PUT-TransferOut" "GB" flat("0.02", "per GB - US East (Northern Virginia) data transfer to US West (Oregon)");
    "alb-hours"      ELB "Load Balancer-Application" US "LoadBalancerUsage" "LoadBalancing:Application" "Hrs" flat("0.0225", "per Application LoadBalancer-hour (or partial hour)");
    "alb-lcu"        ELB "Load Balancer-Application" US "LCUUsage" "LoadBalancing:Application" "LCU-Hrs" flat("0.008", "per used Application load balancer capacity unit-hour (or partial hour)");
    "fargate-cpu"    ECS "Compute" US "Fargate-vCPU-Hours:perCPU" "FargateTask" "hours" flat("0.04048", "per AWS Fargate - vCPU - US East (N. Virginia)");
    "fargate-memory" ECS "Compute" US "Fargate-GB-Hours" "FargateTask" "hours" flat("0.004445", "per AWS Fargate - Memory - US East (N. Virginia)");
    "eks"            EKS "Compute" US "AmazonEKS-Hours:perCluster" "CreateOperation" "Hours" flat("0.1", "per Amazon EKS cluster hour in US East (N. Virginia)");
    "lambda-time"    LAMBDA "Serverless" US "Lambda-GB-Second-ARM" "Invoke" "Lambda-GB-Second" [
        tier("0", "0", BASE_TIER, "AWS Lambda - Compute Free Tier - 400,000 GB-Seconds - US East (Northern Virginia)"),
        tier("400000", "0.0000133334", "9KPTVCJUK5", "per AWS Lambda - Total Compute (ARM) - US East (Northern Virginia)"),
    ];
    "lambda-calls"   LAMBDA "Serverless" US "Request-ARM" "Invoke" "Requests" [
        tier("0", "0", "SB2VSFF4TP", "AWS Lambda - Requests Free Tier - 1,000,000 Requests - US East (Northern Virginia)"),
        tier("1000000", "0.0000002", "VXGXCWQKTY", "per AWS Lambda - Total Requests (ARM) - US East (Northern Virginia)"),
    ];
    // Storage, databases, queues.
    "s3"             S3 "Storage" US "TimedStorage-ByteHrs" "StandardStorage" "GB-Mo" STORAGE_US;
    "s3-instant"     S3 "Storage" US "TimedStorage-GIR-ByteHrs" "GlacierInstantRetrievalStorage" "GB-Mo" flat("0.004", "per GB-Month of storage used in Glacier Instant Retrieval");
    "s3-put"         S3 "API Request" US "Requests-Tier1" "PutObject" "Requests" flat("0.000005", "per PUT, COPY, POST, or LIST request");
    "s3-get"         S3 "API Request" US "Requests-Tier2" "GetObject" "Requests" flat("0.0000004", "per GET and all other requests");
    "db.r6g.large"   RDS "Database Instance" US "InstanceUsage:db.r6g.large" "CreateDBInstance:0014" "Hrs" flat("0.225", "per RDS db.r6g.large Single-AZ instance hour (or partial hour) running PostgreSQL");
    "db.m6g.large"   RDS "Database Instance" US "Multi-AZUsage:db.m6g.large" "CreateDBInstance:0014" "Hrs" flat("0.318", "per RDS db.m6g.large Multi-AZ instance hour (or partial hour) running PostgreSQL");
    "rds-gp3"        RDS "Database Storage" US "RDS:GP3-Storage" "CreateDBInstance:0014" "GB-Mo" flat("0.115", "per GB-month of provisioned gp3 storage running PostgreSQL");
    "dynamo-read"    DYNAMODB "Amazon DynamoDB PayPerRequest Throughput" US "ReadRequestUnits" "PayPerRequestThroughput" "ReadRequestUnits" flat("0.000000125", "per read request unit (N. Virginia)");
    "dynamo-write"   DYNAMODB "Amazon DynamoDB PayPerRequest Throughput" US "WriteRequestUnits" "PayPerRequestThroughput" "WriteRequestUnits" flat("0.000000625", "per write request unit (N. Virginia)");
    "dynamo-storage" DYNAMODB "Database Storage" US "TimedStorage-ByteHrs" "StandardStorage" "GB-Mo" [
        tier("0", "0", "G2A93NZ7DT", "per GB-Month of storage for first 25 free GB-Months"),
        tier("25", "0.25", BASE_TIER, "per GB-Month of storage used beyond first free 25 GB-Months"),
    ];
    "cache"          ELASTICACHE "Cache Instance" US "NodeUsage:cache.r7g.large" "CreateCacheCluster:0002" "Hrs" flat("0.219", "per R7g Large Cache node-hour (or partial hour) running Redis");
    "sqs"            SQS "API Request" US "Requests-Tier1" "SendMessage" "Requests" [
        tier("0", "0", "SB2VSFF4TP", "per Amazon SQS Requests in Tier1 for the first 1,000,000 Requests"),
        tier("1000000", "0.0000004", "VXGXCWQKTY", "per Amazon SQS Requests in Tier1 in US East (N. Virginia)"),
    ];
    // Watching and guarding.
    "metrics"        CLOUDWATCH "Metric" US "CW:MetricMonitorUsage" "MetricStorage" "Metrics" flat("0.3", "per metric-month for the first 10,000 metrics");
    "logs"           CLOUDWATCH "Data Payload" US "DataProcessing-Bytes" "PutLogEvents" "GB" [
        tier("0", "0", "G2A93NZ7DT", "per GB log data ingested in the monthly free tier of 5 GB"),
        tier("5", "0.5", BASE_TIER, "per GB custom log data ingested in Standard log class - US East (Northern Virginia)"),
    ];
    "trail"          CLOUDTRAIL "Management Tools - AWS CloudTrail Data Events Recorded" US "DataEventsRecorded" "None" "Events" flat("0.000001", "per data event recorded in US East (N.Virginia) region");
    "config"         CONFIG "Management Tools - AWS Config" US "ConfigurationItemRecorded" "None" "ConfigurationItemRecorded" flat("0.003", "per Configuration Item recorded in US East (N. Virginia)");
    "guard"          GUARDDUTY "Amazon GuardDuty - CloudTrail Events" US "USE1-PaidEventsAnalyzed" "CloudTrailEventsAnalyzed" "Events" flat("0.000004", "per event - CloudTrail events analyzed in US East (N. Virginia)");
    "keys"           KMS "Encryption Key" US "us-east-1-KMS-Keys" "Unknown" "Keys" flat("1", "per customer managed KMS key version in US East (N. Virginia)");
    "key-requests"   KMS "API Request" US "us-east-1-KMS-Requests" "Decrypt" "Requests" flat("0.000003", "per KMS request in US East (N. Virginia)");
    "secrets"        SECRETS "Secret" US "USE1-AWSSecretsManager-Secrets" "None" "Secrets" flat("0.4", "per Secret");
    // Analytics.
    "ra3.xlplus"     REDSHIFT "Compute Instance" US "Node:ra3.xlplus" "RunComputeNode:0001" "Hrs" flat("1.086", "per Redshift RA3.XLPLUS Compute Node-hour (or partial hour)");
    "redshift-store" REDSHIFT "Redshift Managed Storage" US "RMS:ra3.xlplus" "RMS:0001" "GB-Mo" flat("0.024", "per GB-Mo of Redshift Managed Storage");
    "athena"         ATHENA "Athena Queries" US "USE1-DataScannedInTB" "ExecuteDDLDMLQuery" "Terabytes" flat("5", "per Terabytes for DataScannedInTB in US East (N. Virginia)");
    "glue"           GLUE "AWS Glue" US "USE1-ETL-Flex-DPU-Hour" "FlexJobrun" "DPU-Hour" flat("0.29", "per Data Processing Unit-Hour for AWS Glue Flex job");
    "tokens-in"      BEDROCK "Amazon Bedrock" US "USE1-NovaPro-input-tokens" "InvokeModelInference" "1K tokens" flat("0.0008", "per 1K input tokens for Nova Pro in US East (N. Virginia)");
    "tokens-out"     BEDROCK "Amazon Bedrock" US "USE1-NovaPro-output-tokens" "InvokeModelInference" "1K tokens" flat("0.0032", "per 1K output tokens for Nova Pro in US East (N. Virginia)");
    // The edge.
    "edge-us"        CLOUDFRONT "Data Transfer" US "US-DataTransfer-Out-Bytes" "GET" "GB" flat("0.085", "per GB - first 10 TB / month data transfer out - United States");
    "edge-eu"        CLOUDFRONT "Data Transfer" EU "EU-DataTransfer-Out-Bytes" "GET" "GB" flat("0.085", "per GB - first 10 TB / month data transfer out - Europe");
    "edge-requests"  CLOUDFRONT "Request" US "US-Requests-Tier2-HTTPS" "GET" "Requests" flat("0.000001", "per HTTPS request - United States");
    "zone"           ROUTE53 "DNS Zone" US "HostedZone" "HostedZone" "HostedZone" flat("0.5", "per Hosted Zone for the first 25 Hosted Zones");
    "dns"            ROUTE53 "DNS Query" US "DNS-Queries" "A" "Queries" flat("0.0000004", "per query for the first 1 Billion queries");
    // Frankfurt.
    "eu-t4g.medium"  EC2 "Compute Instance" EU "EUC1-BoxUsage:t4g.medium" "RunInstances" "Hrs" flat("0.0384", "per On Demand Linux t4g.medium Instance Hour");
    "eu-m6i.xlarge"  EC2 "Compute Instance" EU "EUC1-BoxUsage:m6i.xlarge" "RunInstances" "Hrs" flat("0.23", "per On Demand Linux m6i.xlarge Instance Hour");
    "eu-gp3"         EC2 "Storage" EU "EUC1-EBS:VolumeUsage.gp3" "CreateVolume-Gp3" "GB-Mo" flat("0.0952", "per GB-month of General Purpose (gp3) provisioned storage - EU (Frankfurt)");
    "eu-transfer"    EC2_TRANSFER "Data Transfer" EU "EUC1-DataTransfer-Out-Bytes" "RunInstances" "GB" [
        tier("0", "0.09", "Q3Z75P77EN", "per GB - first 10 TB / month data transfer out beyond the global free tier"),
    ];
    "eu-s3"          S3 "Storage" EU "EUC1-TimedStorage-ByteHrs" "StandardStorage" "GB-Mo" [
        tier("0", "0.0245", "PGHJ3S3EYE", "per GB - first 50 TB / month of storage used"),
    ];
    "eu-s3-deep"     S3 "Storage" EU "EUC1-TimedStorage-GDA-ByteHrs" "DeepArchiveStorage" "GB-Mo" flat("0.0018", "per GB-Month of storage used in Glacier Deep Archive");
    "eu-s3-get"      S3 "API Request" EU "EUC1-Requests-Tier2" "GetObject" "Requests" flat("0.00000043", "per GET and all other requests");
    "eu-db"          RDS "Database Instance" EU "EUC1-InstanceUsage:db.t4g.medium" "CreateDBInstance:0002" "Hrs" flat("0.076", "per RDS db.t4g.medium Single-AZ instance hour (or partial hour) running MySQL");
    "eu-db-storage"  RDS "Database Storage" EU "EUC1-RDS:GP3-Storage" "CreateDBInstance:0002" "GB-Mo" flat("0.137", "per GB-month of provisioned gp3 storage running MySQL");
    "eu-backup"      BACKUP "AWS Backup Storage" EU "EUC1-WarmStorage-ByteHrs-EBS" "Storage" "GB-Month" flat("0.054", "per GB-Month of warm EBS backup storage in EU (Frankfurt)");
    "eu-workspace"   WORKSPACES "Enterprise Applications" EU "EUC1-AW-HW-3" "None" "Month" flat("41", "per Standard Windows desktop with 80 GB root and 50 GB user volume");
    "eu-guard"       GUARDDUTY "Amazon GuardDuty - CloudTrail Events" EU "EUC1-PaidEventsAnalyzed" "CloudTrailEventsAnalyzed" "Events" flat("0.0000046", "per event - CloudTrail events analyzed in EU (Frankfurt)");
};

impl Price {
    /// The price of the key.
    ///
    /// # Panics
    /// When there is none: a mistake in one of the demo's tables.
    pub fn of(key: &str) -> &'static Self {
        let found = PRICES.iter().find(|price| price.key == key);
        found.unwrap_or_else(|| panic!("the demo's price list has no `{key}`"))
    }

    /// The SKU: of AWS's form, made from the key.
    pub fn sku(&self) -> String {
        let seed = self.key.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(131).wrapping_add(byte.into()));
        Random::new(seed).code(16)
    }

    /// The rate that AWS shows as public on every line of the SKU.
    pub fn public_rate(&self) -> Amount {
        self.tiers.iter().map(|tier| amount(tier.rate)).max().unwrap_or_default()
    }

    /// The instance type and its normalisation factor, where a reservation could cover the usage.
    pub fn instance(&self) -> Option<(&'static str, Amount)> {
        let (_, instance) = self.usage_type.split_once(':').filter(|_| self.family.ends_with("Instance"))?;
        let size = instance.rsplit('.').next()?;
        let factor = match size {
            "medium" => "2",
            "large" => "4",
            "xlarge" | "xlplus" => "8",
            "2xlarge" => "16",
            "4xlarge" => "32",
            _ => panic!("the demo's price list has an instance of unknown size, `{instance}`"),
        };
        Some((instance, amount(factor)))
    }

    /// The part of the organisation's usage that lies in each tier, where `before` was used up before it.
    pub fn cut(&self, before: Amount, quantity: Amount) -> Vec<(&'static Tier, Amount)> {
        let after = before + quantity;
        let mut ends: Vec<Amount> = self.tiers.iter().skip(1).map(|tier| amount(tier.begin)).collect();
        ends.push(after.max(before));
        let mut parts = Vec::new();
        for (tier, end) in self.tiers.iter().zip(ends) {
            let part = end.min(after) - amount(tier.begin).max(before);
            if part > Amount::ZERO {
                parts.push((tier, part));
            }
        }
        parts
    }
}

impl Tier {
    /// Whether the tier is free for everybody.
    pub fn is_free(&self) -> bool {
        self.rate == "0"
    }

    /// The rate code of the tier for a SKU.
    pub fn rate_code(&self, sku: &str) -> String {
        let term = if self.is_free() { FREE_TERM } else { ON_DEMAND_TERM };
        let code = if self.is_free() { BASE_TIER } else { self.code };
        format!("{sku}.{term}.{code}")
    }

    /// What the line says: the rate, and what it is for.
    pub fn description(&self) -> String {
        if self.is_free() && !self.text.starts_with("per") {
            return self.text.to_owned();
        }
        format!("${} {}", amount(self.rate).to_fixed().trim_end_matches('0').trim_end_matches('.'), self.text)
    }
}
