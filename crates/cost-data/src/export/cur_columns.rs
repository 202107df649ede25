//! What a customer's CUR file may hold: every column AWS documents, and what becomes of it.
//!
//! An allow-list. A column that is not here is blank and listed; the operator may allow it by name in the book. Legacy
//! reports name a column per tag, cost category, discount and product attribute: [`Family`] says what becomes of those.
//!
//! Sources: AWS, CUR 2.0 table dictionary, and "pro forma cost and usage reports" in the Billing Conductor user guide. AWS does
//! not say which columns of a pro forma report change; the choices are ours and stand in `docs/exports.md`.

use super::treatment::{ClassText, Kind, Treatment, UseOf};

use Kind::{Map, Number, NumberMap, Text, Time};
use Treatment::{Ask, Blank, Class, Copied, Cost, OwnCommitment, OwnReservation, Rate, Tags, Use};

/// A column of CUR 2.0, also by its name in a legacy report.
pub type Column = (&'static str, Kind, Treatment);

/// Every column that AWS documents.
pub const COLUMNS: &[Column] = &[
    ("bill_bill_type", Text, Copied),
    ("bill_billing_entity", Text, Copied),
    ("bill_billing_period_end_date", Time, Copied),
    ("bill_billing_period_start_date", Time, Copied),
    // No invoice exists.
    ("bill_invoice_id", Text, Blank),
    ("bill_invoicing_entity", Text, Ask),
    // The payer is not in the group.
    ("bill_payer_account_id", Text, Ask),
    ("bill_payer_account_name", Text, Ask),
    ("capacity_reservation_capacity_reservation_arn", Text, OwnReservation),
    ("capacity_reservation_capacity_reservation_status", Text, OwnReservation),
    ("capacity_reservation_capacity_reservation_type", Text, OwnReservation),
    ("cost_category", Map, Ask),
    ("discount", NumberMap, Blank),
    ("discount_bundled_discount", Number, Blank),
    ("discount_total_discount", Number, Blank),
    ("identity_line_item_id", Text, Copied),
    ("identity_time_interval", Text, Copied),
    ("line_item_availability_zone", Text, Copied),
    // AWS's blended columns are averages over the whole organization.
    ("line_item_blended_cost", Number, Cost),
    ("line_item_blended_rate", Text, Rate),
    ("line_item_currency_code", Text, Copied),
    ("line_item_iam_principal", Text, Ask),
    ("line_item_legal_entity", Text, Copied),
    // AWS's text names AWS's price, and on negation lines other accounts.
    ("line_item_line_item_description", Text, Class(ClassText::Description)),
    ("line_item_line_item_type", Text, Class(ClassText::LineItemType)),
    ("line_item_net_unblended_cost", Number, Blank),
    ("line_item_net_unblended_rate", Text, Blank),
    ("line_item_normalization_factor", Number, Copied),
    ("line_item_normalized_usage_amount", Number, Copied),
    ("line_item_operation", Text, Copied),
    ("line_item_product_code", Text, Copied),
    ("line_item_resource_id", Text, Copied),
    ("line_item_tax_type", Text, Blank),
    ("line_item_unblended_cost", Number, Cost),
    ("line_item_unblended_rate", Text, Rate),
    ("line_item_usage_account_id", Text, Copied),
    ("line_item_usage_account_name", Text, Copied),
    ("line_item_usage_amount", Number, Copied),
    ("line_item_usage_end_date", Time, Copied),
    ("line_item_usage_start_date", Time, Copied),
    ("line_item_usage_type", Text, Copied),
    ("line_item_user_identifier", Text, Ask),
    ("pricing_currency", Text, Copied),
    ("pricing_lease_contract_length", Text, OwnCommitment),
    ("pricing_offering_class", Text, OwnCommitment),
    ("pricing_public_on_demand_cost", Number, Copied),
    ("pricing_public_on_demand_rate", Text, Copied),
    ("pricing_purchase_option", Text, OwnCommitment),
    // The tier is that of the whole organization.
    ("pricing_rate_code", Text, Class(ClassText::RateCode)),
    ("pricing_rate_id", Text, Blank),
    ("pricing_term", Text, Class(ClassText::PricingTerm)),
    ("pricing_unit", Text, Copied),
    ("product", Map, Copied),
    ("product_comment", Text, Copied),
    ("product_fee_code", Text, Copied),
    ("product_fee_description", Text, Copied),
    ("product_from_location", Text, Copied),
    ("product_from_location_type", Text, Copied),
    ("product_from_region_code", Text, Copied),
    ("product_instance_family", Text, Copied),
    ("product_instance_type", Text, Copied),
    ("product_instancesku", Text, Copied),
    ("product_location", Text, Copied),
    ("product_location_type", Text, Copied),
    ("product_operation", Text, Copied),
    ("product_pricing_unit", Text, Copied),
    ("product_product_family", Text, Copied),
    ("product_region_code", Text, Copied),
    ("product_servicecode", Text, Copied),
    ("product_sku", Text, Copied),
    ("product_to_location", Text, Copied),
    ("product_to_location_type", Text, Copied),
    ("product_to_region_code", Text, Copied),
    ("product_usagetype", Text, Copied),
    ("reservation_amortized_upfront_cost_for_usage", Number, OwnCommitment),
    ("reservation_amortized_upfront_fee_for_billing_period", Number, OwnCommitment),
    ("reservation_availability_zone", Text, OwnCommitment),
    ("reservation_effective_cost", Number, OwnCommitment),
    ("reservation_end_time", Text, OwnCommitment),
    ("reservation_modification_status", Text, OwnCommitment),
    ("reservation_net_amortized_upfront_cost_for_usage", Number, Blank),
    ("reservation_net_amortized_upfront_fee_for_billing_period", Number, Blank),
    ("reservation_net_effective_cost", Number, Blank),
    ("reservation_net_recurring_fee_for_usage", Number, Blank),
    ("reservation_net_unused_amortized_upfront_fee_for_billing_period", Number, Blank),
    ("reservation_net_unused_recurring_fee", Number, Blank),
    ("reservation_net_upfront_value", Number, Blank),
    ("reservation_normalized_units_per_reservation", Text, OwnCommitment),
    ("reservation_number_of_reservations", Text, OwnCommitment),
    ("reservation_recurring_fee_for_usage", Number, OwnCommitment),
    ("reservation_reservation_a_r_n", Text, OwnCommitment),
    ("reservation_start_time", Text, OwnCommitment),
    ("reservation_subscription_id", Text, OwnCommitment),
    ("reservation_total_reserved_normalized_units", Text, OwnCommitment),
    ("reservation_total_reserved_units", Text, OwnCommitment),
    ("reservation_units_per_reservation", Text, OwnCommitment),
    // In the real bill what nobody used depends on what other groups used.
    ("reservation_unused_amortized_upfront_fee_for_billing_period", Number, Use(UseOf::UnusedUpfront)),
    ("reservation_unused_normalized_unit_quantity", Number, Use(UseOf::UnusedNormalizedUnits)),
    ("reservation_unused_quantity", Number, Use(UseOf::UnusedInstances)),
    ("reservation_unused_recurring_fee", Number, Use(UseOf::UnusedRecurring)),
    ("reservation_upfront_value", Number, OwnCommitment),
    ("resource_tags", Map, Tags),
    ("savings_plan_amortized_upfront_commitment_for_billing_period", Number, OwnCommitment),
    ("savings_plan_end_time", Text, OwnCommitment),
    ("savings_plan_instance_type_family", Text, OwnCommitment),
    ("savings_plan_net_amortized_upfront_commitment_for_billing_period", Number, Blank),
    ("savings_plan_net_recurring_commitment_for_billing_period", Number, Blank),
    ("savings_plan_net_savings_plan_effective_cost", Number, Blank),
    ("savings_plan_offering_type", Text, OwnCommitment),
    ("savings_plan_payment_option", Text, OwnCommitment),
    ("savings_plan_purchase_term", Text, OwnCommitment),
    ("savings_plan_recurring_commitment_for_billing_period", Number, OwnCommitment),
    ("savings_plan_region", Text, OwnCommitment),
    ("savings_plan_savings_plan_a_r_n", Text, OwnCommitment),
    ("savings_plan_savings_plan_effective_cost", Number, OwnCommitment),
    ("savings_plan_savings_plan_rate", Number, OwnCommitment),
    ("savings_plan_start_time", Text, OwnCommitment),
    ("savings_plan_total_commitment_to_date", Number, OwnCommitment),
    ("savings_plan_used_commitment", Number, Use(UseOf::UsedCommitment)),
    ("split_line_item_actual_usage", Number, Blank),
    ("split_line_item_net_split_cost", Number, Blank),
    ("split_line_item_net_unused_cost", Number, Blank),
    ("split_line_item_parent_resource_id", Text, Blank),
    ("split_line_item_public_on_demand_split_cost", Number, Blank),
    ("split_line_item_public_on_demand_unused_cost", Number, Blank),
    ("split_line_item_reserved_usage", Number, Blank),
    ("split_line_item_split_cost", Number, Blank),
    ("split_line_item_split_usage", Number, Blank),
    ("split_line_item_split_usage_ratio", Number, Blank),
    ("split_line_item_unused_cost", Number, Blank),
    ("tags", Map, Ask),
];

/// Columns that are there because somebody in the organization has such a tag, discount or product: in legacy reports, and in
/// exports that select keys of a map. A file has one only if its own lines fill it: even its name may be another customer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `product/…`: what AWS says of the product. Copied.
    Product,
    /// `resourceTags/…`. Copied where the operator allows the key.
    Tag,
    /// `costCategory/…`, `iamPrincipal/…` and other tags. Copied where the operator allows the column.
    Named,
    /// `discount/…`. Never.
    Discount,
}

impl Family {
    /// The family of a column that [`COLUMNS`] does not have.
    pub fn of(name: &str) -> Option<Self> {
        [
            ("product", Self::Product),
            ("resource_tags", Self::Tag),
            ("cost_category", Self::Named),
            ("iam_principal", Self::Named),
            ("account_tag", Self::Named),
            ("user_attribute", Self::Named),
            ("tags", Self::Named),
            ("discount", Self::Discount),
        ]
        .into_iter()
        .find_map(|(stem, family)| name.strip_prefix(stem)?.starts_with(['_', '.']).then_some(family))
    }
}

/// Columns whose texts seldom repeat: no dictionary is kept of them.
pub const UNREPEATED: [&str; 2] = ["identity_line_item_id", "line_item_resource_id"];
