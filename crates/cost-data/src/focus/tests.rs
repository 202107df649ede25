//! Versions are told from columns, in any case of letters.

use super::vocabulary::{FocusVersion, VOCABULARY};
use crate::layout::{self, CostFormat, LayoutError};
use billing::abilities::{Ability, Feature};

fn header(names: &[&str]) -> Vec<String> {
    VOCABULARY.necessary.iter().chain(names).map(ToString::to_string).collect()
}

fn told(names: &[&str]) -> (CostFormat, String) {
    let layout = layout::detect(&header(names)).unwrap();
    (layout.format, layout.because)
}

#[test]
fn each_version_is_told_by_a_column_that_it_added() {
    for (names, version, mark) in [
        (&["ProviderName"][..], FocusVersion::V1_0, "no column of a later version"),
        (&["ProviderName", "SkuMeter"], FocusVersion::V1_1, "`SkuMeter` is new in it"),
        (&["ProviderName", "SkuMeter", "InvoiceId"], FocusVersion::V1_2, "`InvoiceId`"),
        (&["ProviderName", "InvoiceId", "ServiceProviderName"], FocusVersion::V1_3, "`ServiceProviderName`"),
        (&["ServiceProviderName", "InvoiceDetailId"], FocusVersion::V1_4, "`InvoiceDetailId`"),
    ] {
        let (format, because) = told(names);
        assert_eq!(format, CostFormat::Focus(version));
        assert!(because.contains(mark), "{because}");
    }
}

#[test]
fn the_case_of_letters_does_not_matter() {
    let lower: Vec<String> =
        header(&["ProviderName", "InvoiceId"]).iter().map(|n| n.to_lowercase()).collect();
    let layout = layout::detect(&lower).unwrap();
    assert_eq!(layout.format, CostFormat::Focus(FocusVersion::V1_2));
    assert_eq!(layout.column("BilledCost"), lower.iter().position(|name| name == "billedcost"));
    let twice = [lower, vec!["BilledCost".to_owned()]].concat();
    assert_eq!(layout::detect(&twice).unwrap_err(), LayoutError::Duplicate(vec!["BilledCost".to_owned()]));
}

#[test]
fn all_missing_columns_are_named_the_provider_too() {
    let error = layout::detect(&["BilledCost", "ChargeCategory"].map(str::to_owned)).unwrap_err().to_string();
    assert!(error.contains("missing: `BillingPeriodStart`, `BillingAccountId`"), "{error}");
    assert!(error.ends_with("`CommitmentDiscountStatus`, `ProviderName`"), "{error}");
}

#[test]
fn other_datasets_of_focus_are_no_cost_lines() {
    let detail = ["BilledCost", "ChargeCategory", "InvoiceDetailId", "InvoiceDetailGrain"].map(str::to_owned);
    assert_eq!(layout::detect(&detail).unwrap_err(), LayoutError::NotCost);
}

#[test]
fn a_file_is_able_to_what_its_columns_say() {
    let of = |names: &[&str]| {
        let abilities = layout::detect(&header(names)).unwrap().abilities();
        [Feature::ServiceCode, Feature::UsageType, Feature::Operation, Feature::Seller, Feature::Negation]
            .map(|feature| abilities.of(feature))
    };
    use Ability::{Absent, Derived, Told};
    let aws = ["ProviderName", "PublisherName", "x_ServiceCode", "x_UsageType", "x_Operation"];
    assert_eq!(of(&aws), [Told, Told, Told, Derived, Absent]);
    assert_eq!(of(&["ProviderName", "SkuMeter"]), [Derived, Derived, Absent, Absent, Absent]);
    assert_eq!(of(&["ProviderName"]), [Derived, Absent, Absent, Absent, Absent]);
}
