//! The columns of FOCUS as AWS exports them, made of lines that [`crate::focus::as_told`] gives.

use std::collections::BTreeMap;

use super::cell::{Cell, FieldKind};
use super::{FocusVersion, Packing};
use crate::amount::Amount;
use crate::line::Line;

/// How FOCUS files are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FocusForm {
    /// The table that AWS exports.
    pub version: FocusVersion,
    /// How CSV is packed; `None` is Parquet.
    pub csv: Option<Packing>,
    /// Whether names are in lower case, as Glue has them.
    pub lower_case: bool,
}

/// A column: its name, what it holds, in which of the two tables it is, its value.
pub(super) type FocusColumn = (&'static str, FieldKind, In, fn(&Line) -> Cell<'_>);

/// In which of AWS's tables a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum In {
    Both,
    Only(FocusVersion),
}

use FieldKind::{Map, Number, Text, Time};
use In::{Both, Only};

const NEW: In = Only(FocusVersion::V1_2);
const OLD: In = Only(FocusVersion::V1_0);

/// The 43 columns of 1.0, the 14 that 1.2 has added, and AWS's own.
pub(super) const COLUMNS: &[FocusColumn] = &[
    ("AvailabilityZone", Text, Both, |line| text(&line.line_item_availability_zone)),
    ("BilledCost", Number, Both, |line| Cell::Number(line.line_item_unblended_cost)),
    ("BillingAccountId", Text, Both, |line| text(&line.bill_payer_account_id)),
    ("BillingAccountName", Text, Both, |line| text(&line.bill_payer_account_name)),
    ("BillingAccountType", Text, NEW, |_| said("Management Account")),
    ("BillingCurrency", Text, Both, |line| text(&line.line_item_currency_code)),
    ("BillingPeriodEnd", Time, Both, |line| text(&line.bill_billing_period_end_date)),
    ("BillingPeriodStart", Time, Both, |line| text(&line.bill_billing_period_start_date)),
    ("CapacityReservationId", Text, NEW, |_| NOTHING),
    ("CapacityReservationStatus", Text, NEW, |_| NOTHING),
    ("ChargeCategory", Text, Both, |line| said(category(line))),
    ("ChargeClass", Text, Both, |_| NOTHING),
    ("ChargeDescription", Text, Both, |line| text(&line.line_item_line_item_description)),
    ("ChargeFrequency", Text, Both, |line| said(frequency(line))),
    ("ChargePeriodEnd", Time, Both, |line| text(&line.line_item_usage_end_date)),
    ("ChargePeriodStart", Time, Both, |line| text(&line.line_item_usage_start_date)),
    ("CommitmentDiscountCategory", Text, Both, |line| {
        commitment(line).map_or(NOTHING, |(_, kind)| said(if kind == PLAN { "Spend" } else { "Usage" }))
    }),
    ("CommitmentDiscountId", Text, Both, |line| commitment(line).map_or(NOTHING, |(arn, _)| said(arn))),
    ("CommitmentDiscountName", Text, Both, |_| NOTHING),
    ("CommitmentDiscountQuantity", Number, NEW, |_| Cell::Number(None)),
    ("CommitmentDiscountStatus", Text, Both, |line| status(line).map_or(NOTHING, said)),
    ("CommitmentDiscountType", Text, Both, |line| commitment(line).map_or(NOTHING, |(_, kind)| said(kind))),
    ("CommitmentDiscountUnit", Text, NEW, |_| NOTHING),
    ("ConsumedQuantity", Number, Both, |line| {
        Cell::Number(line.line_item_usage_amount.filter(|_| category(line) == "Usage"))
    }),
    ("ConsumedUnit", Text, Both, |line| text(&line.pricing_unit)),
    ("ContractedCost", Number, Both, |line| Cell::Number(line.line_item_unblended_cost)),
    ("ContractedUnitPrice", Number, Both, |line| rate(&line.line_item_unblended_rate)),
    ("EffectiveCost", Number, Both, |line| Cell::Number(effective_cost(line))),
    ("InvoiceId", Text, NEW, |line| text(&line.bill_invoice_id)),
    ("InvoiceIssuerName", Text, Both, |line| text(&line.bill_invoicing_entity)),
    ("ListCost", Number, Both, |line| Cell::Number(line.pricing_public_on_demand_cost)),
    ("ListUnitPrice", Number, Both, |line| rate(&line.pricing_public_on_demand_rate)),
    ("PricingCategory", Text, Both, |line| pricing_category(line).map_or(NOTHING, said)),
    ("PricingCurrency", Text, NEW, |line| text(&line.line_item_currency_code)),
    ("PricingCurrencyContractedUnitPrice", Number, NEW, |line| rate(&line.line_item_unblended_rate)),
    ("PricingCurrencyEffectiveCost", Number, NEW, |line| Cell::Number(effective_cost(line))),
    ("PricingCurrencyListUnitPrice", Number, NEW, |line| rate(&line.pricing_public_on_demand_rate)),
    ("PricingQuantity", Number, Both, |line| Cell::Number(line.line_item_usage_amount)),
    ("PricingUnit", Text, Both, |line| text(&line.pricing_unit)),
    ("ProviderName", Text, Both, |_| said("AWS")),
    ("PublisherName", Text, Both, |line| text(&line.line_item_legal_entity)),
    ("RegionId", Text, Both, |line| text(&line.product_region_code)),
    ("RegionName", Text, Both, |line| text(&line.product_region_code)),
    ("ResourceId", Text, Both, |line| text(&line.line_item_resource_id)),
    ("ResourceName", Text, Both, |_| NOTHING),
    ("ResourceType", Text, Both, |_| NOTHING),
    ("ServiceCategory", Text, Both, |_| said("Other")),
    ("ServiceName", Text, Both, |line| text(&line.product_name)),
    ("ServiceSubcategory", Text, NEW, |_| said("Other (Other)")),
    ("SkuId", Text, Both, |line| text(&line.product_sku)),
    ("SkuMeter", Text, NEW, |line| text(&line.line_item_usage_type)),
    ("SkuPriceDetails", Map, NEW, |line| Cell::Map(borrowed(&line.product))),
    ("SkuPriceId", Text, Both, |line| text(&line.pricing_rate_code)),
    ("SubAccountId", Text, Both, |line| text(&line.line_item_usage_account_id)),
    ("SubAccountName", Text, Both, |line| text(&line.line_item_usage_account_name)),
    ("SubAccountType", Text, NEW, |_| said("Member Account")),
    ("Tags", Map, Both, |line| Cell::Map(borrowed(&line.resource_tags))),
    ("x_CostCategories", Map, OLD, |_| Cell::Map(BTreeMap::new())),
    ("x_Discounts", Map, Both, |_| Cell::Map(BTreeMap::new())),
    ("x_Operation", Text, Both, |line| text(&line.line_item_operation)),
    ("x_ServiceCode", Text, Both, |line| text(&line.line_item_product_code)),
    ("x_UsageType", Text, OLD, |line| text(&line.line_item_usage_type)),
];

const NOTHING: Cell<'static> = Cell::Text(None);
const PLAN: &str = "Savings Plan";
const RESERVATION: &str = "Reserved Instance";

fn text(value: &Option<String>) -> Cell<'_> {
    Cell::Text(value.as_deref())
}

fn said(value: &str) -> Cell<'_> {
    Cell::Text(Some(value))
}

fn rate(value: &Option<String>) -> Cell<'_> {
    Cell::Number(value.as_deref().and_then(|text| text.parse::<Amount>().ok()))
}

fn borrowed(map: &BTreeMap<String, String>) -> BTreeMap<&str, &str> {
    map.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

fn kind(line: &Line) -> &str {
    line.line_item_line_item_type.as_deref().unwrap_or_default()
}

/// A row of what a commitment left unused, which has the type of its fee.
fn is_unused(line: &Line) -> bool {
    line.savings_plan_total_commitment_to_date.is_some() || line.reservation_unused_recurring_fee.is_some()
}

fn category(line: &Line) -> &str {
    match kind(line) {
        _ if is_unused(line) => "Usage",
        "Usage" | "SavingsPlanCoveredUsage" | "DiscountedUsage" => "Usage",
        "Fee" | "RIFee" | "SavingsPlanRecurringFee" | "SavingsPlanUpfrontFee" => "Purchase",
        "Refund" => "Adjustment",
        // `QuantumSurcharge (One-Time, negative)`: the category and what else it is.
        other => other.split(" (").next().unwrap_or(other),
    }
}

fn pricing_category(line: &Line) -> Option<&'static str> {
    match kind(line) {
        _ if is_unused(line) => Some("Committed"),
        "SavingsPlanCoveredUsage" | "DiscountedUsage" => Some("Committed"),
        committed if committed.starts_with("Usage (Committed") => Some("Committed"),
        "Usage" if line.pricing_term.as_deref() == Some("Spot") => Some("Dynamic"),
        "Usage" | "Fee" | "RIFee" | "SavingsPlanRecurringFee" | "SavingsPlanUpfrontFee" => Some("Standard"),
        _ => None,
    }
}

fn status(line: &Line) -> Option<&'static str> {
    match pricing_category(line) {
        Some("Committed") if is_unused(line) => Some("Unused"),
        Some("Committed") => Some("Used"),
        _ => None,
    }
}

fn frequency(line: &Line) -> &'static str {
    match (category(line), kind(line)) {
        ("Usage", _) => "Usage-Based",
        (_, "RIFee" | "SavingsPlanRecurringFee") => "Recurring",
        _ => "One-Time",
    }
}

fn commitment(line: &Line) -> Option<(&str, &'static str)> {
    let plan = line.savings_plan_savings_plan_a_r_n.as_deref().map(|arn| (arn, PLAN));
    plan.or(line.reservation_reservation_a_r_n.as_deref().map(|arn| (arn, RESERVATION)))
}

fn effective_cost(line: &Line) -> Option<Amount> {
    match kind(line) {
        "SavingsPlanCoveredUsage" => line.savings_plan_savings_plan_effective_cost,
        "DiscountedUsage" => line.reservation_effective_cost,
        _ if is_unused(line) => {
            line.savings_plan_total_commitment_to_date.or(line.reservation_unused_recurring_fee)
        }
        "RIFee" | "SavingsPlanRecurringFee" | "SavingsPlanUpfrontFee" => Some(Amount::ZERO),
        _ => line.line_item_unblended_cost,
    }
}
