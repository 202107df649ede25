//! What FOCUS calls the columns, and its versions.

use crate::vocabulary::Vocabulary;
use billing::abilities::{Abilities, Ability, Feature};
use billing::charge_class::{KeyColumn, Measure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The versions of the specification, told apart by the columns that each has added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum FocusVersion {
    /// 2024; what AWS exports as `FOCUS_1_0_AWS`.
    V1_0,
    /// 2024.
    V1_1,
    /// 2025; what AWS exports as `FOCUS_1_2_AWS`.
    V1_2,
    /// 2025.
    V1_3,
    /// 2026.
    V1_4,
}

/// What each version has added, the newest first. Source: the specification's column library, versions 1.0 to 1.4.
const MARKS: [(FocusVersion, &[&str]); 4] = [
    (FocusVersion::V1_4, &["CommitmentProgramEligibilityDetails", "InvoiceDetailId"]),
    (
        FocusVersion::V1_3,
        &["ServiceProviderName", "HostProviderName", "ContractApplied", "AllocatedMethodId", "AllocatedTags"],
    ),
    (FocusVersion::V1_2, &["InvoiceId", "BillingAccountType", "SubAccountType", "PricingCurrency"]),
    (
        FocusVersion::V1_1,
        &[
            "SkuMeter",
            "SkuPriceDetails",
            "ServiceSubcategory",
            "CapacityReservationId",
            "CapacityReservationStatus",
            "CommitmentDiscountQuantity",
            "CommitmentDiscountUnit",
        ],
    ),
];

impl FocusVersion {
    /// The format's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1_0 => "FOCUS 1.0",
            Self::V1_1 => "FOCUS 1.1",
            Self::V1_2 => "FOCUS 1.2",
            Self::V1_3 => "FOCUS 1.3",
            Self::V1_4 => "FOCUS 1.4",
        }
    }

    /// The version of a header, and what gave it away.
    #[must_use]
    pub fn tell(header: &[String]) -> (Self, String) {
        for (version, marks) in MARKS {
            let mark = header.iter().find(|name| marks.iter().any(|mark| mark.eq_ignore_ascii_case(name)));
            if let Some(mark) = mark {
                return (version, format!("column `{mark}` is new in it"));
            }
        }
        (Self::V1_0, "it has `BilledCost` and `ChargeCategory` and no column of a later version".to_owned())
    }
}

/// The column that makes a header one of FOCUS cost lines, in the file's own spelling. Invoice Detail, another dataset of
/// 1.4, has both columns too.
#[must_use]
pub fn mark(header: &[String]) -> Option<&String> {
    let find = |name: &str| header.iter().find(|column| column.eq_ignore_ascii_case(name));
    find("BilledCost").filter(|_| find("ChargeCategory").is_some() && find("InvoiceDetailGrain").is_none())
}

/// The columns of FOCUS in CUR's places. `super::translation` makes CUR's values of those that differ.
pub const VOCABULARY: Vocabulary = Vocabulary {
    period_start: "BillingPeriodStart",
    usage_start: "ChargePeriodStart",
    payer: "BillingAccountId",
    product_name: "ServiceName",
    necessary: &[
        "BillingPeriodStart",
        "BillingAccountId",
        "SubAccountId",
        "BillingCurrency",
        "ServiceName",
        "ChargeCategory",
        "ChargeClass",
        "PricingCategory",
        "PricingQuantity",
        "BilledCost",
        "ListCost",
        "CommitmentDiscountId",
        "CommitmentDiscountType",
        "CommitmentDiscountStatus",
    ],
    key,
    measure,
};

/// Who sells what a line is about: only AWS's lines are priced. 1.3 renames the column, 1.4 drops the old name.
pub(super) const PROVIDERS: [&str; 2] = ["ServiceProviderName", "ProviderName"];
pub(super) const FREQUENCY: &str = "ChargeFrequency";

const fn key(column: KeyColumn) -> [Option<&'static str>; 2] {
    match column {
        KeyColumn::UsageAccount => [Some("SubAccountId"), None],
        KeyColumn::ProductCode => [Some("x_ServiceCode"), Some("ServiceName")],
        KeyColumn::UsageType => [Some("x_UsageType"), Some("SkuMeter")],
        KeyColumn::Operation => [Some("x_Operation"), None],
        KeyColumn::LineItemType => [Some("ChargeCategory"), None],
        KeyColumn::Sku => [Some("SkuId"), None],
        KeyColumn::Region => [Some("RegionId"), None],
        KeyColumn::PricingUnit => [Some("PricingUnit"), None],
        KeyColumn::PricingTerm => [Some("PricingCategory"), None],
        KeyColumn::RateCode => [Some("SkuPriceId"), None],
        KeyColumn::PublicRate => [Some("ListUnitPrice"), None],
        KeyColumn::UnblendedRateState => [Some("ContractedUnitPrice"), None],
        KeyColumn::SavingsPlanArn => [Some("CommitmentDiscountId"), None],
        KeyColumn::AvailabilityZone => [Some("AvailabilityZone"), None],
        KeyColumn::Description => [Some("ChargeDescription"), None],
        KeyColumn::BillingEntity | KeyColumn::LegalEntity => {
            [Some("PublisherName"), Some("HostProviderName")]
        }
        KeyColumn::InvoicingEntity => [Some("InvoiceIssuerName"), None],
        KeyColumn::InvoiceId => [Some("InvoiceId"), None],
        KeyColumn::Currency => [Some("BillingCurrency"), None],
        // The list cost of FOCUS is in the billing currency, whatever currency the price list has: nothing to check.
        KeyColumn::PricingCurrency => [None, None],
        // FOCUS has one code per service; the product code stands for both. Allocated rows of 1.3 replace the row that they
        // split, so that none repeats cost.
        KeyColumn::ServiceCode
        | KeyColumn::PublicCostState
        | KeyColumn::ReservationArn
        | KeyColumn::NormalizationFactor
        | KeyColumn::SplitFlag
        | KeyColumn::BillType
        | KeyColumn::DimensionSet => [None, None],
    }
}

const fn measure(measure: Measure) -> &'static [&'static str] {
    match measure {
        // What a list price is a price of: the consumed quantity has other units and is null on purchases.
        Measure::Usage => &["PricingQuantity"],
        Measure::Unblended => &["BilledCost"],
        Measure::PublicOnDemand => &["ListCost"],
        // Of covered usage; `super::translation` gives the cost of reservations and of what was unused to their own measures.
        Measure::SavingsPlanEffective => &["EffectiveCost"],
        _ => &[],
    }
}

/// Whether a column, in lower case, is looked at.
#[must_use]
pub fn reads(lower_case: &str) -> bool {
    let is = |name: &&str| name.eq_ignore_ascii_case(lower_case);
    let keys = KeyColumn::ALL.iter().flat_map(|column| key(*column)).flatten();
    let measures = Measure::ALL.iter().flat_map(|of| measure(*of)).copied();
    let others = [VOCABULARY.usage_start, FREQUENCY].into_iter().chain(PROVIDERS);
    let all = keys.chain(measures).chain(others).chain(VOCABULARY.necessary.iter().copied());
    all.into_iter().any(|name| is(&name))
}

/// The necessary columns that a file does not have.
#[must_use]
pub fn missing(columns: &BTreeMap<String, usize>) -> Vec<String> {
    let has = |name: &str| columns.contains_key(&name.to_ascii_lowercase());
    let absent = VOCABULARY.necessary.iter().filter(|name| !has(name)).map(ToString::to_string);
    let provider = (!PROVIDERS.iter().any(|name| has(name))).then(|| PROVIDERS[1].to_owned());
    absent.chain(provider).collect()
}

/// What a file can say of what rules match and bases start from.
#[must_use]
pub fn abilities(has: impl Fn(&str) -> bool, has_resources: bool) -> Abilities {
    let pick = |told: bool, derived: bool| match (told, derived) {
        (true, _) => Ability::Told,
        (false, true) => Ability::Derived,
        (false, false) => Ability::Absent,
    };
    Abilities::ALL_TOLD
        .with(Feature::ServiceCode, pick(has("x_ServiceCode"), true))
        .with(Feature::UsageType, pick(has("x_UsageType"), has("SkuMeter")))
        .with(Feature::Operation, pick(has("x_Operation"), false))
        .with(Feature::Seller, pick(false, has("PublisherName") || has("HostProviderName")))
        .with(Feature::Negation, Ability::Absent)
        .with(Feature::ListCostOfDearestTier, Ability::Absent)
        // Its billed and effective costs are net already, and no rate is an average.
        .with(Feature::BlendedCost, Ability::Absent)
        .with(Feature::NetReservations, Ability::Absent)
        .with(Feature::NetSavingsPlans, Ability::Absent)
        // `Tags` and `x_CostCategories` are not read.
        .with(Feature::Tags, Ability::Absent)
        .with(Feature::CostCategories, Ability::Absent)
        .with(Feature::Resources, pick(has_resources, false))
}
