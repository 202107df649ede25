//! The columns that are read, and which format a file has.
//!
//! All CUR formats bind to the same names, those of CUR 2.0: the legacy CSV header `lineItem/UsageAmount` is
//! `line_item_usage_amount` by AWS's own rule. FOCUS has names of its own, which [`crate::focus`] lists. Both are a
//! [`Vocabulary`]: what stands in the places of the class key and the measures.

use crate::focus::vocabulary as focus;
use crate::limits::COLUMNS_MAX;
use billing::abilities::{Abilities, Ability, Feature};
use billing::charge_class::{KeyColumn, Measure};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub use crate::focus::vocabulary::FocusVersion;
pub use crate::vocabulary::{PRODUCT_MAP, Vocabulary};

/// A format of cost files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CostFormat {
    /// The legacy Cost and Usage Report.
    LegacyCur,
    /// CUR 2.0 of Data Exports.
    Cur2,
    /// Cost and Usage of FOCUS.
    Focus(FocusVersion),
}

impl CostFormat {
    /// Every format.
    pub const ALL: [Self; 7] = [
        Self::LegacyCur,
        Self::Cur2,
        Self::Focus(FocusVersion::V1_0),
        Self::Focus(FocusVersion::V1_1),
        Self::Focus(FocusVersion::V1_2),
        Self::Focus(FocusVersion::V1_3),
        Self::Focus(FocusVersion::V1_4),
    ];

    /// The format of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The format's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LegacyCur => "legacy CUR",
            Self::Cur2 => "CUR 2.0",
            Self::Focus(version) => version.name(),
        }
    }

    /// What the format calls its columns.
    #[must_use]
    pub const fn vocabulary(self) -> &'static Vocabulary {
        match self {
            Self::LegacyCur | Self::Cur2 => &CUR,
            Self::Focus(_) => &focus::VOCABULARY,
        }
    }
}

/// The names of CUR 2.0, and of the legacy report by AWS's rule.
const CUR: Vocabulary = Vocabulary {
    period_start: "bill_billing_period_start_date",
    usage_start: "line_item_usage_start_date",
    payer: "bill_payer_account_id",
    product_name: "product_product_name",
    necessary: &[
        "bill_billing_period_start_date",
        "bill_payer_account_id",
        "line_item_usage_account_id",
        "line_item_line_item_type",
        "line_item_product_code",
        "line_item_usage_type",
        "line_item_usage_amount",
        "line_item_unblended_cost",
        "line_item_currency_code",
    ],
    key: |column| [cur_key(column), None],
    measure: cur_measure,
};

/// The line's id, which repeats over intervals.
pub const LINE_ITEM_ID: &str = "identity_line_item_id";
/// The line's interval.
pub const TIME_INTERVAL: &str = "identity_time_interval";
/// The service's name, where it has a column of its own.
pub const SERVICE_NAME: &str = "product_servicename";

/// The column that a key column is made from; `None` for the one that the book fills.
const fn cur_key(column: KeyColumn) -> Option<&'static str> {
    match column {
        KeyColumn::UnblendedRateState => Some("line_item_unblended_rate"),
        // Made from the measure: see `scan`.
        KeyColumn::PublicCostState | KeyColumn::DimensionSet => None,
        KeyColumn::SplitFlag => Some("split_line_item_parent_resource_id"),
        other => Some(other.name()),
    }
}

/// The columns that a measure sums.
const fn cur_measure(measure: Measure) -> &'static [&'static str] {
    match measure {
        Measure::Usage => &["line_item_usage_amount"],
        Measure::NormalizedUsage => &["line_item_normalized_usage_amount"],
        Measure::Unblended => &["line_item_unblended_cost"],
        Measure::NetUnblended => &["line_item_net_unblended_cost"],
        Measure::PublicOnDemand => &["pricing_public_on_demand_cost"],
        Measure::ReservationEffective => &["reservation_effective_cost"],
        Measure::SavingsPlanEffective => &["savings_plan_savings_plan_effective_cost"],
        Measure::UnusedReservationRecurring => &["reservation_unused_recurring_fee"],
        Measure::UnusedReservationUpfront => &["reservation_unused_amortized_upfront_fee_for_billing_period"],
        Measure::SavingsPlanUsedCommitment => &["savings_plan_used_commitment"],
        Measure::SavingsPlanTotalCommitment => &["savings_plan_total_commitment_to_date"],
        Measure::AmortizedUpfront => &[
            "reservation_amortized_upfront_fee_for_billing_period",
            "savings_plan_amortized_upfront_commitment_for_billing_period",
        ],
        Measure::Blended => &["line_item_blended_cost"],
        // Made line by line of several columns: see `net_amortized`.
        Measure::NetAmortized => &[],
    }
}

/// The end of the usage; with its start it says whether a line is of one hour.
pub const USAGE_END: &str = "line_item_usage_end_date";

/// Columns of cost files by what they say, with their names in CUR 2.0; those of the legacy report become them by AWS's rule.
macro_rules! columns {
    ($(#[$about:meta])* $kind:ident { $($variant:ident $name:literal $doc:literal,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $kind { $(#[doc = $doc] $variant,)* }

        impl $kind {
            /// Every such column.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The column's name in CUR 2.0.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

// AWS writes numbers of reservations as text, and their times too.
columns! {
    /// A column that says what a commitment is: read only where commitments are re-simulated, and none is necessary.
    CommitmentColumn {
        Reservations "reservation_number_of_reservations" "How many reservations; on `RIFee` lines.",
        UnitsEach "reservation_units_per_reservation" "Unit-hours of each in the month.",
        Units "reservation_total_reserved_units" "Unit-hours of all in the month.",
        NormalizedUnitsEach "reservation_normalized_units_per_reservation" "The unit-hours of each, normalised.",
        NormalizedUnits "reservation_total_reserved_normalized_units" "The unit-hours of all, normalised.",
        ReservationZone "reservation_availability_zone" "The zone, or the region where the reservation is regional.",
        ReservationStart "reservation_start_time" "When it begins.",
        ReservationEnd "reservation_end_time" "When it ends.",
        OfferingType "savings_plan_offering_type" "The kind of Savings Plan.",
        PaymentOption "savings_plan_payment_option" "How much is paid up front.",
        PurchaseTerm "savings_plan_purchase_term" "One year or three.",
        PlanRegion "savings_plan_region" "The region of an EC2 Instance plan.",
        InstanceFamily "savings_plan_instance_type_family" "The family of an EC2 Instance plan.",
        PlanStart "savings_plan_start_time" "When it begins.",
        PlanEnd "savings_plan_end_time" "When it ends.",
        PlanRate "savings_plan_savings_plan_rate" "What a unit of covered usage costs under the plan.",
    }
}

columns! {
    /// A column that net amortized cost is made of, beside the measures of amortized cost; none is necessary.
    NetColumn {
        ReservationEffective "reservation_net_effective_cost" "What covered usage took of its reservation.",
        UnusedRecurring "reservation_net_unused_recurring_fee" "The unused part of a monthly fee.",
        UnusedUpfront "reservation_net_unused_amortized_upfront_fee_for_billing_period" "The unused part of a payment up front.",
        PlanEffective "savings_plan_net_savings_plan_effective_cost" "What covered usage took of its Savings Plan.",
        PlanRecurring "savings_plan_net_recurring_commitment_for_billing_period" "What is paid of a commitment as it goes.",
        PlanUpfront "savings_plan_net_amortized_upfront_commitment_for_billing_period" "What was paid of it up front.",
        GrossPlanRecurring "savings_plan_recurring_commitment_for_billing_period" "What is paid as it goes, before discounts.",
    }
}

/// How many columns say what commitments are.
pub const COMMITMENT_COLUMNS: usize = CommitmentColumn::ALL.len();

/// Key columns whose value a line must have.
pub const NECESSARY_VALUES: [KeyColumn; 3] =
    [KeyColumn::UsageAccount, KeyColumn::LineItemType, KeyColumn::Currency];

/// A file's format, why, and where its columns are.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The format.
    pub format: CostFormat,
    /// What gave it away.
    pub because: String,
    /// The columns as the file names them, in its order.
    pub header: Vec<String>,
    columns: BTreeMap<String, usize>,
}

impl Layout {
    /// The place of a column in the file.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        match self.format {
            CostFormat::Focus(_) => self.columns.get(&name.to_ascii_lowercase()).copied(),
            _ => self.columns.get(name).copied(),
        }
    }

    /// The place of the ids of resources.
    #[must_use]
    pub fn resource_ids(&self) -> Option<usize> {
        ["line_item_resource_id", "ResourceId"].into_iter().find_map(|column| self.column(column))
    }

    /// What the file can say of what rules match by and bases start from.
    #[must_use]
    pub fn abilities(&self) -> Abilities {
        if let CostFormat::Focus(_) = self.format {
            return focus::abilities(|name| self.column(name).is_some(), self.resource_ids().is_some());
        }
        let matched_by =
            [(KeyColumn::Operation, Feature::Operation), (KeyColumn::BillingEntity, Feature::Seller)];
        let columns = matched_by.into_iter().map(|(column, feature)| (column.name(), feature)).chain([
            ("reservation_effective_cost", Feature::ReservationEffectiveCost),
            ("savings_plan_savings_plan_effective_cost", Feature::SavingsPlanEffectiveCost),
            ("reservation_unused_recurring_fee", Feature::UnusedReservations),
            ("reservation_unused_amortized_upfront_fee_for_billing_period", Feature::UnusedReservations),
            ("savings_plan_used_commitment", Feature::UnusedSavingsPlans),
            ("savings_plan_total_commitment_to_date", Feature::UnusedSavingsPlans),
            ("line_item_blended_cost", Feature::BlendedCost),
            // What of a commitment discounts leave, its net columns say beside the gross ones.
            ("savings_plan_amortized_upfront_commitment_for_billing_period", Feature::NetSavingsPlans),
        ]);
        let columns = columns.chain(NetColumn::ALL.into_iter().map(NetColumn::needed_for));
        let absent = columns.filter(|(column, _)| self.column(column).is_none()).map(|(_, feature)| feature);
        let absent = absent.chain(self.resource_ids().is_none().then_some(Feature::Resources));
        absent.fold(Abilities::ALL_TOLD, |able, feature| able.with(feature, Ability::Absent))
    }

    /// All columns by name, and their places.
    pub fn columns(&self) -> impl Iterator<Item = (&str, usize)> {
        self.columns.iter().map(|(name, place)| (name.as_str(), *place))
    }
}

/// What a header is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// A file about something else.
    #[error(
        "not a cost file: no `lineItem/…` or `line_item_…` column, and no `BilledCost` with a `ChargeCategory`"
    )]
    NotCost,
    /// More columns than any export has.
    #[error("{0} columns; at most {COLUMNS_MAX} are read")]
    TooManyColumns(usize),
    /// Two columns of one name.
    #[error("two columns named {}", list(.0))]
    Duplicate(Vec<String>),
    /// Both spellings in one header.
    #[error("columns of two formats in one header: `{0}` and `{1}`")]
    Mixed(String, String),
    /// Columns that pricing cannot do without, all at once.
    #[error("necessary columns are missing: {}", list(.0))]
    Missing(Vec<String>),
}

impl LayoutError {
    /// What to do about it.
    #[must_use]
    pub const fn way_out(&self) -> &'static str {
        match self {
            Self::NotCost => "give CUR, CUR 2.0 or FOCUS files with --cost",
            Self::TooManyColumns(_) => "leave columns out of the export",
            Self::Duplicate(_) | Self::Mixed(..) => "give the file as AWS delivered it",
            Self::Missing(_) => "add the columns to the export; AWS can deliver the month again with them",
        }
    }
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Columns that only CUR 2.0 has: maps, and names beside ids.
const CUR2_MARKS: [&str; 7] = [
    PRODUCT_MAP,
    "resource_tags",
    "cost_category",
    "discount",
    "tags",
    "bill_payer_account_name",
    "line_item_usage_account_name",
];

/// Tells the format from a file's own columns and binds them by name, case as given.
///
/// # Errors
/// [`LayoutError`], in the order of its variants.
pub fn detect(header: &[String]) -> Result<Layout, LayoutError> {
    if header.len() > COLUMNS_MAX {
        return Err(LayoutError::TooManyColumns(header.len()));
    }
    let slashed = header.iter().find(|name| name.starts_with("lineItem/"));
    let underscored = header.iter().find(|name| name.starts_with("line_item_"));
    let focus = focus::mark(header);
    if let (Some(cur), Some(focus)) = (slashed.or(underscored), focus) {
        return Err(LayoutError::Mixed(cur.clone(), focus.clone()));
    }
    if focus.is_some() {
        return detect_focus(header);
    }
    if slashed.is_none() && underscored.is_none() {
        return Err(LayoutError::NotCost);
    }
    let canonical = |name: &String| if name.contains('/') { canonical_name(name) } else { name.clone() };
    let is_net = |name: &str| NetColumn::ALL.iter().any(|column| column.name() == name);
    let (columns, duplicates) = bind(header, canonical, |name| CUR.reads(name) || is_net(name));
    if !duplicates.is_empty() {
        return Err(LayoutError::Duplicate(duplicates.into_iter().collect()));
    }
    if let (Some(slashed), Some(underscored)) = (slashed, underscored) {
        return Err(LayoutError::Mixed(slashed.clone(), underscored.clone()));
    }
    let missing: Vec<String> = (CUR.necessary.iter())
        .filter(|name| !columns.contains_key(**name))
        .map(|name| if slashed.is_some() { legacy_name(name) } else { (*name).to_owned() })
        .collect();
    if !missing.is_empty() {
        return Err(LayoutError::Missing(missing));
    }
    let mark = CUR2_MARKS.iter().find(|mark| columns.contains_key(**mark));
    let (format, because) = match (slashed, mark) {
        (Some(name), _) => (CostFormat::LegacyCur, format!("column `{name}` has a category and a slash")),
        (None, Some(mark)) => (CostFormat::Cur2, format!("column `{mark}` is only in CUR 2.0")),
        (None, None) => {
            (CostFormat::LegacyCur, "columns have underscores and none is only in CUR 2.0".to_owned())
        }
    };
    Ok(Layout { format, because, header: header.to_vec(), columns })
}

/// FOCUS: names are bound without regard to case, for Glue writes them in lower case.
fn detect_focus(header: &[String]) -> Result<Layout, LayoutError> {
    let lower_case = |name: &String| name.to_ascii_lowercase();
    let (columns, duplicates) = bind(header, lower_case, focus::reads);
    if !duplicates.is_empty() {
        return Err(LayoutError::Duplicate(duplicates.into_iter().collect()));
    }
    let missing = focus::missing(&columns);
    if !missing.is_empty() {
        return Err(LayoutError::Missing(missing));
    }
    let (version, because) = FocusVersion::tell(header);
    Ok(Layout { format: CostFormat::Focus(version), because, header: header.to_vec(), columns })
}

/// Each column's place by its canonical name, and the names that come twice among those that are read.
///
/// A legacy report may have two tag columns that differ only in a character the rule drops, or in case: the first is the tag.
fn bind(
    header: &[String],
    canonical: impl Fn(&String) -> String,
    is_read: impl Fn(&str) -> bool,
) -> (BTreeMap<String, usize>, BTreeSet<String>) {
    let (mut columns, mut duplicates) = (BTreeMap::new(), BTreeSet::new());
    for (place, name) in header.iter().enumerate() {
        let canonical = canonical(name);
        if is_read(&canonical) && columns.contains_key(&canonical) {
            duplicates.insert(name.clone());
        }
        columns.entry(canonical).or_insert(place);
    }
    (columns, duplicates)
}

/// AWS's rule from `lineItem/UsageAccountId` to `line_item_usage_account_id`: an underscore before every capital, and for the
/// colon of tags.
pub(crate) fn canonical_name(name: &str) -> String {
    if name.contains('/') { snake_case(name) } else { name.to_owned() }
}

/// A name in that spelling, whether or not it has a category.
pub(crate) fn snake_case(name: &str) -> String {
    let mut canonical = String::with_capacity(name.len() + 8);
    for character in name.chars() {
        if matches!(character, '/' | ':') {
            canonical.push('_');
        } else if character.is_ascii_uppercase() {
            if !canonical.is_empty() && !canonical.ends_with('_') {
                canonical.push('_');
            }
            canonical.push(character.to_ascii_lowercase());
        } else {
            canonical.push(character);
        }
    }
    canonical
}

/// The legacy spelling of a necessary column, for messages.
fn legacy_name(name: &str) -> String {
    let (category, rest) = match name.strip_prefix("line_item_") {
        Some(rest) => ("lineItem", rest),
        None => name.split_once('_').unwrap_or((name, "")),
    };
    let camel = rest.split('_').map(|word| word[..1].to_uppercase() + &word[1..]);
    format!("{category}/{}", camel.collect::<String>())
}

#[cfg(test)]
mod tests {
    //! The format comes from the columns.

    use super::*;

    fn header(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    fn legacy() -> Vec<String> {
        CUR.necessary.iter().map(|name| legacy_name(name)).collect()
    }

    #[test]
    fn legacy_names_become_cur_2_names() {
        for (legacy, canonical) in [
            ("lineItem/UsageAccountId", "line_item_usage_account_id"),
            ("reservation/ReservationARN", "reservation_reservation_a_r_n"),
            ("savingsPlan/SavingsPlanARN", "savings_plan_savings_plan_a_r_n"),
            ("pricing/publicOnDemandCost", "pricing_public_on_demand_cost"),
            ("product/servicecode", "product_servicecode"),
            ("product/ProductName", "product_product_name"),
            ("bill/BillingPeriodStartDate", "bill_billing_period_start_date"),
            ("reservation/UnitsPerReservation", CommitmentColumn::UnitsEach.name()),
            ("reservation/AvailabilityZone", CommitmentColumn::ReservationZone.name()),
            ("savingsPlan/InstanceTypeFamily", CommitmentColumn::InstanceFamily.name()),
            ("savingsPlan/SavingsPlanRate", CommitmentColumn::PlanRate.name()),
            ("reservation/NetEffectiveCost", NetColumn::ReservationEffective.name()),
            ("savingsPlan/NetSavingsPlanEffectiveCost", NetColumn::PlanEffective.name()),
        ] {
            assert_eq!(canonical_name(legacy), canonical);
        }
    }

    #[test]
    fn formats_are_told_apart() {
        assert_eq!(detect(&legacy()).unwrap().format, CostFormat::LegacyCur);
        let mut cur2 = header(CUR.necessary);
        assert_eq!(detect(&cur2).unwrap().format, CostFormat::LegacyCur);
        cur2.push("resource_tags".to_owned());
        let layout = detect(&cur2).unwrap();
        assert_eq!(
            (layout.format, layout.because.as_str()),
            (CostFormat::Cur2, "column `resource_tags` is only in CUR 2.0")
        );
    }

    #[test]
    fn all_missing_columns_are_named_in_the_files_own_spelling() {
        let error =
            detect(&header(&["lineItem/UsageAmount", "bill/PayerAccountId"])).unwrap_err().to_string();
        assert!(error.contains("`bill/BillingPeriodStartDate`, `lineItem/UsageAccountId`"), "{error}");
        assert_eq!(error.matches('`').count(), 14, "{error}");
    }

    #[test]
    fn other_headers_are_refused_by_what_they_are() {
        assert_eq!(detect(&header(&["a", "b"])).unwrap_err(), LayoutError::NotCost);
        let both = detect(&header(&["BilledCost", "ChargeCategory", "line_item_x"])).unwrap_err();
        assert!(matches!(both, LayoutError::Mixed(..)));
        let twice =
            detect(&[header(CUR.necessary), header(&["line_item_usage_amount"])].concat()).unwrap_err();
        assert!(matches!(twice, LayoutError::Duplicate(_)));
        let mixed = detect(&[header(CUR.necessary), header(&["lineItem/Foo"])].concat()).unwrap_err();
        assert!(matches!(mixed, LayoutError::Mixed(..)));
        let many = detect(&vec!["line_item_x".to_owned(); COLUMNS_MAX + 1]).unwrap_err();
        assert!(matches!(many, LayoutError::TooManyColumns(_)));
    }
}
