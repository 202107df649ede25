//! What FOCUS asks of every row and cost files do not say: categories of services, names of regions.
//!
//! Sources: the FinOps Open Cost and Usage Specification 1.2, "Service Category" and "Service Subcategory"; AWS's list of
//! regions. A service that is not here is `Other`; a region that is not here keeps its code.

/// What a reservation is measured in.
pub const HOURS: &str = "Hours";

/// The offer and tier of a SKU's On-Demand price.
pub const ON_DEMAND: &str = "JRTCKXETXF.6YS6EN2CT7";

/// Service codes by category and subcategory.
const SERVICES: &[(&str, &str, &[&str])] = &[
    ("AI and Machine Learning", "Generative AI", &["AmazonBedrock", "AmazonBedrockService", "AmazonQ"]),
    (
        "AI and Machine Learning",
        "Machine Learning",
        &["AmazonSageMaker", "AmazonPersonalize", "AmazonForecast"],
    ),
    (
        "AI and Machine Learning",
        "Natural Language Processing",
        &["AmazonComprehend", "AmazonLex", "AmazonPolly", "AmazonTranslate", "transcribe", "AmazonTextract"],
    ),
    (
        "AI and Machine Learning",
        "Other (AI and Machine Learning)",
        &["AmazonRekognition", "MachineLearningSavingsPlans"],
    ),
    (
        "Analytics",
        "Analytics Platforms",
        &["AmazonAthena", "ElasticMapReduce", "AmazonFinSpace", "AWSLakeFormation"],
    ),
    ("Analytics", "Business Intelligence", &["AmazonQuickSight"]),
    ("Analytics", "Data Processing", &["AWSGlue", "AmazonDataZone", "datapipeline"]),
    (
        "Analytics",
        "Streaming Analytics",
        &["AmazonKinesis", "AmazonKinesisAnalytics", "AmazonKinesisFirehose", "AmazonMSK"],
    ),
    ("Analytics", "Search", &["AmazonES", "AmazonCloudSearch", "AmazonKendra"]),
    (
        "Business Applications",
        "Productivity and Collaboration",
        &["AmazonWorkSpaces", "AmazonWorkMail", "AmazonChime", "AmazonConnect"],
    ),
    ("Compute", "Virtual Machines", &["AmazonEC2", "AmazonLightsail", "AWSOutposts"]),
    ("Compute", "Containers", &["AmazonECS", "AmazonEKS", "AmazonECR", "AWSAppRunner"]),
    ("Compute", "Serverless Compute", &["AWSLambda"]),
    ("Compute", "Other (Compute)", &["ComputeSavingsPlans", "EC2InstanceSavingsPlans"]),
    ("Databases", "Relational Databases", &["AmazonRDS", "AmazonAurora", "AuroraDSQL"]),
    (
        "Databases",
        "NoSQL Databases",
        &["AmazonDynamoDB", "AmazonDAX", "AmazonDocDB", "AmazonMCS", "AmazonTimestream"],
    ),
    ("Databases", "Caching", &["AmazonElastiCache", "AmazonMemoryDB"]),
    ("Databases", "Data Warehouses", &["AmazonRedshift"]),
    ("Databases", "Other (Databases)", &["AmazonNeptune", "DatabaseSavingsPlans"]),
    (
        "Developer Tools",
        "Continuous Integration and Deployment",
        &["CodeBuild", "AWSCodePipeline", "AWSCodeDeploy", "AWSCodeArtifact"],
    ),
    (
        "Developer Tools",
        "Developer Platforms",
        &["AWSCodeCommit", "AWSXRay", "AWSAmplify", "AWSCloud9", "AmazonCodeGuru"],
    ),
    (
        "Identity",
        "Identity and Access Management",
        &["AmazonCognito", "AWSDirectoryService", "AWSIdentityCenter"],
    ),
    (
        "Integration",
        "Messaging",
        &["AWSQueueService", "AmazonSNS", "AmazonMQ", "AmazonSES", "AmazonPinpoint"],
    ),
    ("Integration", "Workflow Orchestration", &["AmazonStates", "AWSEvents", "AmazonSWF", "AmazonMWAA"]),
    ("Integration", "API Management", &["AmazonApiGateway", "AWSAppSync"]),
    (
        "Internet of Things",
        "IoT Platforms",
        &["AWSIoT", "AWSIoTAnalytics", "IngestionService", "AWSGreengrass"],
    ),
    (
        "Management and Governance",
        "Observability",
        &["AmazonCloudWatch", "AmazonGrafana", "AmazonPrometheus", "AWSCloudTrail"],
    ),
    (
        "Management and Governance",
        "Cost Management",
        &["AWSCostExplorer", "AWSBillingConductor", "AWSBudgets", "AWSComputeOptimizer"],
    ),
    ("Management and Governance", "Compliance", &["AWSConfig", "AWSAuditManager", "AWSControlTower"]),
    (
        "Management and Governance",
        "Architecture",
        &["AWSSystemsManager", "AWSServiceCatalog", "AWSCloudFormation"],
    ),
    ("Media", "Media Streaming", &["AWSElementalMediaLive", "AWSElementalMediaConvert", "AmazonIVS"]),
    (
        "Migration",
        "Data Migration",
        &["AWSDatabaseMigrationSvc", "AWSDataSync", "AWSDataTransferTerminal", "AWSTransfer"],
    ),
    ("Networking", "Content Delivery", &["AmazonCloudFront", "AWSGlobalAccelerator"]),
    ("Networking", "Network Routing", &["AmazonRoute53", "AmazonRegistrar"]),
    (
        "Networking",
        "Network Connectivity",
        &["AmazonVPC", "AWSDirectConnect", "AWSTransitGateway", "AWSELB", "AmazonVPCLattice"],
    ),
    ("Networking", "Network Infrastructure", &["AWSDataTransfer"]),
    (
        "Security",
        "Threat Detection and Response",
        &["AmazonGuardDuty", "AmazonInspectorV2", "AmazonDetective", "AmazonMacie"],
    ),
    ("Security", "Secret Management", &["awskms", "AWSSecretsManager", "CloudHSM", "AWSCertificateManager"]),
    ("Security", "Security Posture Management", &["AWSSecurityHub", "AmazonSecurityLake"]),
    ("Networking", "Network Security", &["awswaf", "AWSShield", "AWSNetworkFirewall"]),
    ("Storage", "Object Storage", &["AmazonS3", "AmazonGlacier", "AmazonS3GlacierDeepArchive"]),
    ("Storage", "File Storage", &["AmazonEFS", "AmazonFSx"]),
    ("Storage", "Backup Storage", &["AWSBackup", "AWSStorageGateway"]),
];

/// A service's category and subcategory.
pub fn service_category(code: &str) -> (&'static str, &'static str) {
    let found = SERVICES.iter().find(|(_, _, codes)| codes.contains(&code));
    found.map_or(("Other", "Other (Other)"), |(category, subcategory, _)| (category, subcategory))
}

const REGIONS: &[(&str, &str)] = &[
    ("af-south-1", "Africa (Cape Town)"),
    ("ap-east-1", "Asia Pacific (Hong Kong)"),
    ("ap-northeast-1", "Asia Pacific (Tokyo)"),
    ("ap-northeast-2", "Asia Pacific (Seoul)"),
    ("ap-northeast-3", "Asia Pacific (Osaka)"),
    ("ap-south-1", "Asia Pacific (Mumbai)"),
    ("ap-south-2", "Asia Pacific (Hyderabad)"),
    ("ap-southeast-1", "Asia Pacific (Singapore)"),
    ("ap-southeast-2", "Asia Pacific (Sydney)"),
    ("ap-southeast-3", "Asia Pacific (Jakarta)"),
    ("ap-southeast-4", "Asia Pacific (Melbourne)"),
    ("ap-southeast-5", "Asia Pacific (Malaysia)"),
    ("ap-southeast-7", "Asia Pacific (Thailand)"),
    ("ca-central-1", "Canada (Central)"),
    ("ca-west-1", "Canada West (Calgary)"),
    ("cn-north-1", "China (Beijing)"),
    ("cn-northwest-1", "China (Ningxia)"),
    ("eu-central-1", "EU (Frankfurt)"),
    ("eu-central-2", "Europe (Zurich)"),
    ("eu-north-1", "EU (Stockholm)"),
    ("eu-south-1", "EU (Milan)"),
    ("eu-south-2", "Europe (Spain)"),
    ("eu-west-1", "EU (Ireland)"),
    ("eu-west-2", "EU (London)"),
    ("eu-west-3", "EU (Paris)"),
    ("il-central-1", "Israel (Tel Aviv)"),
    ("me-central-1", "Middle East (UAE)"),
    ("me-south-1", "Middle East (Bahrain)"),
    ("mx-central-1", "Mexico (Central)"),
    ("sa-east-1", "South America (Sao Paulo)"),
    ("us-east-1", "US East (N. Virginia)"),
    ("us-east-2", "US East (Ohio)"),
    ("us-gov-east-1", "AWS GovCloud (US-East)"),
    ("us-gov-west-1", "AWS GovCloud (US-West)"),
    ("us-west-1", "US West (N. California)"),
    ("us-west-2", "US West (Oregon)"),
];

/// A region's name.
pub fn region_name(code: &str) -> &str {
    REGIONS.binary_search_by_key(&code, |(region, _)| region).map_or(code, |place| REGIONS[place].1)
}

/// What a resource is that neither its ARN nor its id tells.
const ANY_RESOURCE: &str = "resource";

/// What a resource is, from its ARN or id: `instance` of `arn:aws:ec2:…:instance/i-1`, `volume` of `vol-1`.
pub fn resource_type(id: &str) -> &str {
    let Some(arn) = id.strip_prefix("arn:") else {
        let known = [
            ("i-", "instance"),
            ("vol-", "volume"),
            ("snap-", "snapshot"),
            ("nat-", "natgateway"),
            ("eni-", "network-interface"),
        ];
        let of_prefix = known.iter().find(|(prefix, _)| id.starts_with(prefix));
        return of_prefix.map_or(ANY_RESOURCE, |(_, kind)| kind);
    };
    let mut fields = arn.splitn(5, ':').skip(1);
    let (Some(service), Some(resource)) = (fields.next(), fields.nth(2)) else { return ANY_RESOURCE };
    match resource.split_once(['/', ':']) {
        Some((kind, _)) if !kind.is_empty() => kind,
        None if service == "s3" => "bucket",
        None if service == "sqs" => "queue",
        None if service == "sns" => "topic",
        _ => ANY_RESOURCE,
    }
}

#[cfg(test)]
mod tests {
    //! The tables can be searched.

    use super::*;

    #[test]
    fn regions_and_resources_have_names() {
        assert!(REGIONS.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(region_name("eu-west-1"), "EU (Ireland)");
        assert_eq!(region_name("xx-1"), "xx-1");
        for (id, kind) in [
            ("arn:aws:ec2:us-east-1:111111111111:instance/i-1", "instance"),
            ("arn:aws:s3:::bucket-name", "bucket"),
            ("arn:aws:lambda:us-east-1:111111111111:function:name", "function"),
            ("vol-01", "volume"),
            ("my-bucket", ANY_RESOURCE),
        ] {
            assert_eq!(resource_type(id), kind, "{id}");
        }
    }
}
