//! What a customer's FOCUS file holds: the 57 columns of FOCUS 1.2, and three of AWS's and ours.
//!
//! Every column is made from the line, from its class, or from its billing group. Sources: FOCUS 1.2, "Cost and Usage"; the
//! choices that a pro forma file asks for are ours and stand in `docs/focus-export.md`: the billing account is the group's
//! primary account, the issuer is the operator, the re-rated amount is the billed, contracted and effective cost.

use super::treatment::{AmountOf, ClassText, FocusText, GroupText, Kind, Treatment};
use Kind::{Number, Text, Time};
use Treatment::{
    AccountName, Amount, Blank, Class, ConsumedQuantity, Copied, Cost, End, Group, OwnReservation,
    PricingAmount, PricingQuantity, PricingUnitPrice, ReservationStatus, Tags, UnitPrice, Zone,
};

/// A column: name, kind, treatment, and the columns of CUR and of FOCUS files that it is made from.
pub type Column = (&'static str, Kind, Treatment, &'static str, &'static str);

const fn class(of: FocusText) -> Treatment {
    Class(ClassText::Focus(of))
}

/// Every column, in FOCUS's order, which is that of the alphabet.
pub const COLUMNS: &[Column] = &[
    ("AvailabilityZone", Text, Zone, "line_item_availability_zone", "AvailabilityZone"),
    ("BilledCost", Number, Cost, "", ""),
    ("BillingAccountId", Text, Group(GroupText::PrimaryAccount), "", ""),
    ("BillingAccountName", Text, Group(GroupText::Name), "", ""),
    ("BillingAccountType", Text, class(FocusText::BillingAccountType), "", ""),
    ("BillingCurrency", Text, class(FocusText::BillingCurrency), "", ""),
    ("BillingPeriodEnd", Time, End, "bill_billing_period_end_date", "BillingPeriodEnd"),
    ("BillingPeriodStart", Time, Copied, "bill_billing_period_start_date", "BillingPeriodStart"),
    (
        "CapacityReservationId",
        Text,
        OwnReservation,
        "capacity_reservation_capacity_reservation_arn",
        "CapacityReservationId",
    ),
    ("CapacityReservationStatus", Text, ReservationStatus, "", ""),
    ("ChargeCategory", Text, class(FocusText::ChargeCategory), "", ""),
    ("ChargeClass", Text, Blank, "", ""),
    ("ChargeDescription", Text, Class(ClassText::Description), "", ""),
    ("ChargeFrequency", Text, class(FocusText::ChargeFrequency), "", ""),
    ("ChargePeriodEnd", Time, End, "line_item_usage_end_date", "ChargePeriodEnd"),
    ("ChargePeriodStart", Time, Copied, "line_item_usage_start_date", "ChargePeriodStart"),
    ("CommitmentDiscountCategory", Text, class(FocusText::CommitmentCategory), "", ""),
    ("CommitmentDiscountId", Text, class(FocusText::CommitmentId), "", ""),
    ("CommitmentDiscountName", Text, Blank, "", ""),
    ("CommitmentDiscountQuantity", Number, Amount(AmountOf::CommitmentQuantity), "", ""),
    ("CommitmentDiscountStatus", Text, class(FocusText::CommitmentStatus), "", ""),
    ("CommitmentDiscountType", Text, class(FocusText::CommitmentType), "", ""),
    ("CommitmentDiscountUnit", Text, class(FocusText::CommitmentUnit), "", ""),
    ("ConsumedQuantity", Number, ConsumedQuantity, "line_item_usage_amount", "ConsumedQuantity"),
    ("ConsumedUnit", Text, class(FocusText::ConsumedUnit), "", ""),
    ("ContractedCost", Number, Amount(AmountOf::Contracted), "", ""),
    ("ContractedUnitPrice", Number, UnitPrice(AmountOf::Contracted), "", ""),
    ("EffectiveCost", Number, Amount(AmountOf::Effective), "", ""),
    ("InvoiceId", Text, Blank, "", ""),
    ("InvoiceIssuerName", Text, class(FocusText::InvoiceIssuer), "", ""),
    ("ListCost", Number, Amount(AmountOf::List), "", ""),
    ("ListUnitPrice", Number, UnitPrice(AmountOf::List), "", ""),
    ("PricingCategory", Text, class(FocusText::PricingCategory), "", ""),
    ("PricingCurrency", Text, class(FocusText::PricingCurrency), "", ""),
    ("PricingCurrencyContractedUnitPrice", Number, PricingUnitPrice(AmountOf::Contracted), "", ""),
    ("PricingCurrencyEffectiveCost", Number, PricingAmount(AmountOf::Effective), "", ""),
    ("PricingCurrencyListUnitPrice", Number, PricingUnitPrice(AmountOf::List), "", ""),
    ("PricingQuantity", Number, PricingQuantity, "line_item_usage_amount", "PricingQuantity"),
    ("PricingUnit", Text, class(FocusText::PricingUnit), "", ""),
    ("ProviderName", Text, class(FocusText::Provider), "", ""),
    ("PublisherName", Text, class(FocusText::Publisher), "", ""),
    ("RegionId", Text, class(FocusText::RegionId), "", ""),
    ("RegionName", Text, class(FocusText::RegionName), "", ""),
    ("ResourceId", Text, Copied, "line_item_resource_id", "ResourceId"),
    ("ResourceName", Text, Blank, "", ""),
    ("ResourceType", Text, Treatment::ResourceType, "line_item_resource_id", "ResourceId"),
    ("ServiceCategory", Text, class(FocusText::ServiceCategory), "", ""),
    ("ServiceName", Text, class(FocusText::ServiceName), "", ""),
    ("ServiceSubcategory", Text, class(FocusText::ServiceSubcategory), "", ""),
    ("SkuId", Text, class(FocusText::SkuId), "", ""),
    ("SkuMeter", Text, class(FocusText::SkuMeter), "", ""),
    ("SkuPriceDetails", Text, Blank, "", ""),
    ("SkuPriceId", Text, class(FocusText::SkuPriceId), "", ""),
    ("SubAccountId", Text, class(FocusText::SubAccountId), "", ""),
    ("SubAccountName", Text, AccountName, "line_item_usage_account_name", "SubAccountName"),
    ("SubAccountType", Text, class(FocusText::SubAccountType), "", ""),
    ("Tags", Text, Tags, "resource_tags", "Tags"),
    ("x_Operation", Text, class(FocusText::Operation), "", ""),
    ("x_ProformaCause", Text, Blank, "", ""),
    ("x_ServiceCode", Text, class(FocusText::ServiceCode), "", ""),
];
