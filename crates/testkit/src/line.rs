//! One cost line with the columns of CUR 2.0 that pricing, reading or a document looks at.
//!
//! The table below is the only list of columns: it makes the fields of [`Line`] and the headers of every written form.

use std::collections::BTreeMap;

use crate::amount::{Amount, amount};
use crate::calendar::{next_period, period_start};

/// The management account of all sample data.
pub const PAYER: &str = "999999999999";
/// The month of lines that name no other.
pub const PERIOD: &str = "2026-10";
/// The offer term of On-Demand rate codes.
pub const ON_DEMAND_TERM: &str = "JRTCKXETXF";
/// The tier of a rate code that has only one.
pub const BASE_TIER: &str = "6YS6EN2CT7";

/// What a column holds; it decides the column's type in Parquet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text, rates included: AWS delivers those as text.
    Text,
    /// An instant such as `2026-10-01T00:00:00Z`.
    Time,
    /// A number; AWS delivers it as a double.
    Number,
}

/// The value of one column of one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Text or an instant.
    Text(Option<&'a str>),
    /// A number.
    Number(Option<Amount>),
}

/// One column: its names, its kind and how to read it off a line.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The name in CUR 2.0 and in legacy Parquet.
    pub name: &'static str,
    /// The name in legacy CSV; empty where the legacy report has no such column.
    pub legacy_name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Reads it.
    pub value: fn(&Line) -> Value<'_>,
}

macro_rules! columns {
    (@type Number) => { Option<Amount> };
    (@type $other:ident) => { Option<String> };
    (@value Number, $line:ident, $field:ident) => { Value::Number($line.$field) };
    (@value $other:ident, $line:ident, $field:ident) => { Value::Text($line.$field.as_deref()) };
    ($( $kind:ident $field:ident $legacy:literal ),* $(,)?) => {
        /// One cost line; `None` is a null.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Line {
            $(
                #[doc = concat!("Column `", stringify!($field), "`.")]
                pub $field: columns!(@type $kind),
            )*
            /// The product's display name: in the `product` map of CUR 2.0, a column of its own in legacy reports.
            pub product_name: Option<String>,
            /// Product attributes without a column of their own, named as in the `product` map.
            pub product: BTreeMap<String, String>,
            /// Tags, named as in the `resource_tags` map: `user_project`, `aws_created_by`.
            pub resource_tags: BTreeMap<String, String>,
            /// Cost categories by name; files have the column only where a line has some.
            pub cost_category: BTreeMap<String, String>,
        }

        /// All columns but the maps, in the order in which they are written.
        pub const COLUMNS: &[Column] = &[
            $( Column {
                name: stringify!($field),
                legacy_name: $legacy,
                kind: Kind::$kind,
                value: |line| columns!(@value $kind, line, $field),
            } ),*
        ];
    };
}

columns! {
    Text identity_line_item_id "identity/LineItemId",
    Text identity_time_interval "identity/TimeInterval",
    Text bill_invoice_id "bill/InvoiceId",
    Text bill_invoicing_entity "bill/InvoicingEntity",
    Text bill_billing_entity "bill/BillingEntity",
    Text bill_bill_type "bill/BillType",
    Text bill_payer_account_id "bill/PayerAccountId",
    Text bill_payer_account_name "",
    Time bill_billing_period_start_date "bill/BillingPeriodStartDate",
    Time bill_billing_period_end_date "bill/BillingPeriodEndDate",
    Text line_item_usage_account_id "lineItem/UsageAccountId",
    Text line_item_usage_account_name "",
    Text line_item_line_item_type "lineItem/LineItemType",
    Time line_item_usage_start_date "lineItem/UsageStartDate",
    Time line_item_usage_end_date "lineItem/UsageEndDate",
    Text line_item_product_code "lineItem/ProductCode",
    Text line_item_usage_type "lineItem/UsageType",
    Text line_item_operation "lineItem/Operation",
    Text line_item_availability_zone "lineItem/AvailabilityZone",
    Text line_item_resource_id "lineItem/ResourceId",
    Number line_item_usage_amount "lineItem/UsageAmount",
    Number line_item_normalization_factor "lineItem/NormalizationFactor",
    Number line_item_normalized_usage_amount "lineItem/NormalizedUsageAmount",
    Text line_item_currency_code "lineItem/CurrencyCode",
    Text line_item_unblended_rate "lineItem/UnblendedRate",
    Number line_item_unblended_cost "lineItem/UnblendedCost",
    Text line_item_blended_rate "lineItem/BlendedRate",
    Number line_item_blended_cost "lineItem/BlendedCost",
    Text line_item_line_item_description "lineItem/LineItemDescription",
    Text line_item_tax_type "lineItem/TaxType",
    Text line_item_net_unblended_rate "lineItem/NetUnblendedRate",
    Number line_item_net_unblended_cost "lineItem/NetUnblendedCost",
    Text line_item_legal_entity "lineItem/LegalEntity",
    Text product_sku "product/sku",
    Text product_servicecode "product/servicecode",
    Text product_region_code "product/regionCode",
    Text product_product_family "product/productFamily",
    Text product_instance_type "product/instanceType",
    Text pricing_lease_contract_length "pricing/LeaseContractLength",
    Text pricing_offering_class "pricing/OfferingClass",
    Text pricing_purchase_option "pricing/PurchaseOption",
    Text pricing_rate_code "pricing/RateCode",
    Text pricing_currency "pricing/currency",
    Number pricing_public_on_demand_cost "pricing/publicOnDemandCost",
    Text pricing_public_on_demand_rate "pricing/publicOnDemandRate",
    Text pricing_term "pricing/term",
    Text pricing_unit "pricing/unit",
    Number reservation_amortized_upfront_cost_for_usage "reservation/AmortizedUpfrontCostForUsage",
    Number reservation_amortized_upfront_fee_for_billing_period "reservation/AmortizedUpfrontFeeForBillingPeriod",
    Text reservation_availability_zone "reservation/AvailabilityZone",
    Number reservation_effective_cost "reservation/EffectiveCost",
    Text reservation_end_time "reservation/EndTime",
    Text reservation_normalized_units_per_reservation "reservation/NormalizedUnitsPerReservation",
    Text reservation_number_of_reservations "reservation/NumberOfReservations",
    Number reservation_recurring_fee_for_usage "reservation/RecurringFeeForUsage",
    Text reservation_reservation_a_r_n "reservation/ReservationARN",
    Text reservation_start_time "reservation/StartTime",
    Text reservation_subscription_id "reservation/SubscriptionId",
    Text reservation_total_reserved_normalized_units "reservation/TotalReservedNormalizedUnits",
    Text reservation_total_reserved_units "reservation/TotalReservedUnits",
    Text reservation_units_per_reservation "reservation/UnitsPerReservation",
    Number reservation_unused_amortized_upfront_fee_for_billing_period "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod",
    Number reservation_unused_recurring_fee "reservation/UnusedRecurringFee",
    Number savings_plan_amortized_upfront_commitment_for_billing_period "savingsPlan/AmortizedUpfrontCommitmentForBillingPeriod",
    Text savings_plan_end_time "savingsPlan/EndTime",
    Text savings_plan_instance_type_family "savingsPlan/InstanceTypeFamily",
    Text savings_plan_offering_type "savingsPlan/OfferingType",
    Text savings_plan_payment_option "savingsPlan/PaymentOption",
    Text savings_plan_purchase_term "savingsPlan/PurchaseTerm",
    Number savings_plan_recurring_commitment_for_billing_period "savingsPlan/RecurringCommitmentForBillingPeriod",
    Text savings_plan_region "savingsPlan/Region",
    Text savings_plan_savings_plan_a_r_n "savingsPlan/SavingsPlanARN",
    Number savings_plan_savings_plan_effective_cost "savingsPlan/SavingsPlanEffectiveCost",
    Number savings_plan_savings_plan_rate "savingsPlan/SavingsPlanRate",
    Text savings_plan_start_time "savingsPlan/StartTime",
    Number savings_plan_total_commitment_to_date "savingsPlan/TotalCommitmentToDate",
    Number savings_plan_used_commitment "savingsPlan/UsedCommitment",
    Text split_line_item_parent_resource_id "splitLineItem/ParentResourceId",
    Number split_line_item_split_usage "splitLineItem/SplitUsage",
    Number split_line_item_split_cost "splitLineItem/SplitCost",
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

/// Returns the ARN of the one Savings Plan that an account owns in short tests.
pub fn savings_plan_arn(owner: &str) -> String {
    format!("arn:aws:savingsplans::{owner}:savingsplan/11111111-2222-3333-4444-555555555555")
}

/// Returns the ARN of the one reservation that an account owns in short tests.
pub fn reservation_arn(owner: &str) -> String {
    format!("arn:aws:ec2:us-east-1:{owner}:reserved-instances/11111111-2222-3333-4444-555555555555")
}

impl Line {
    /// Returns a line of the type that has nothing but what every line has: payer, period, currency, seller, account.
    pub fn new(line_item_type: &str, account: &str) -> Self {
        let line = Self {
            identity_line_item_id: text("line"),
            bill_bill_type: text("Anniversary"),
            bill_billing_entity: text("AWS"),
            bill_invoicing_entity: text("Amazon Web Services, Inc."),
            bill_payer_account_id: text(PAYER),
            line_item_usage_account_id: text(account),
            line_item_line_item_type: text(line_item_type),
            line_item_currency_code: text("USD"),
            line_item_legal_entity: text("Amazon Web Services, Inc."),
            pricing_currency: text("USD"),
            ..Self::default()
        };
        line.in_period(PERIOD)
    }

    /// Returns On-Demand usage of one unit at list price.
    ///
    /// # Panics
    /// When the cost is no decimal of at most ten places, like all the functions here that take a number as text.
    pub fn usage(account: &str, service: &str, usage_type: &str, cost: &str) -> Self {
        let line = Self {
            line_item_usage_type: text(usage_type),
            pricing_term: text("OnDemand"),
            pricing_unit: text("Hrs"),
            ..Self::new("Usage", account)
        };
        line.of_service(service).amounting(cost).at_public_cost(cost).using("1")
    }

    /// Returns usage that a Savings Plan of the owner covers.
    pub fn covered_usage(account: &str, owner: &str, service: &str, usage_type: &str, cost: &str) -> Self {
        let line = Self::usage(account, service, usage_type, cost).of_type("SavingsPlanCoveredUsage");
        line.of_savings_plan(owner)
    }

    /// Returns the negation of [`Line::covered_usage`]; the cost is the one of the covered usage.
    pub fn negation(account: &str, owner: &str, service: &str, usage_type: &str, cost: &str) -> Self {
        let line = Self::usage(account, service, usage_type, cost).of_type("SavingsPlanNegation");
        let negative = line.line_item_unblended_cost.map(|cost| -cost);
        let mut line = line.of_savings_plan(owner);
        line.line_item_unblended_cost = negative;
        line.pricing_public_on_demand_cost = None;
        line
    }

    /// Returns usage that a reservation of the owner covers: free, with its list price beside.
    pub fn discounted_usage(
        account: &str,
        owner: &str,
        service: &str,
        usage_type: &str,
        public_cost: &str,
    ) -> Self {
        let line = Self {
            line_item_unblended_cost: Some(Amount::ZERO),
            line_item_blended_cost: Some(Amount::ZERO),
            line_item_unblended_rate: text("0.0000000000"),
            pricing_term: text("Reserved"),
            ..Self::usage(account, service, usage_type, public_cost).of_type("DiscountedUsage")
        };
        line.of_reservation(owner)
    }

    /// Returns a line that is a charge or a discount and no usage: `Fee`, `Tax`, `Credit`, `RIFee` and their like.
    pub fn charge(line_item_type: &str, account: &str, service: &str, cost: &str) -> Self {
        Self::new(line_item_type, account).of_service(service).amounting(cost).using("1")
    }

    /// Changes the line item type.
    pub fn of_type(mut self, line_item_type: &str) -> Self {
        self.line_item_line_item_type = text(line_item_type);
        self
    }

    /// Sets the product code and the service code.
    pub fn of_service(mut self, service: &str) -> Self {
        self.line_item_product_code = text(service);
        self.product_servicecode = text(service);
        self
    }

    /// Sets a tag, named as in the `resource_tags` map.
    pub fn tagged(mut self, key: &str, value: &str) -> Self {
        self.resource_tags.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Sets a cost category.
    pub fn in_category(mut self, name: &str, value: &str) -> Self {
        self.cost_category.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Sets the resource.
    pub fn of_resource(mut self, id: &str) -> Self {
        self.line_item_resource_id = text(id);
        self
    }

    /// Sets the operation.
    pub fn of_operation(mut self, operation: &str) -> Self {
        self.line_item_operation = text(operation);
        self
    }

    /// Sets the seller: `AWS`, `AWS Marketplace`, `AISPL`.
    pub fn of_billing_entity(mut self, billing_entity: &str) -> Self {
        self.bill_billing_entity = text(billing_entity);
        self
    }

    /// Sets the Savings Plan to the one of the owner.
    pub fn of_savings_plan(mut self, owner: &str) -> Self {
        self.savings_plan_savings_plan_a_r_n = Some(savings_plan_arn(owner));
        self
    }

    /// Sets the reservation to the one of the owner.
    pub fn of_reservation(mut self, owner: &str) -> Self {
        self.reservation_reservation_a_r_n = Some(reservation_arn(owner));
        self
    }

    /// Sets the SKU and an On-Demand rate code of the tier.
    pub fn of_sku(mut self, sku: &str, tier: &str) -> Self {
        self.product_sku = text(sku);
        self.pricing_rate_code = Some(format!("{sku}.{ON_DEMAND_TERM}.{tier}"));
        self
    }

    /// Sets unblended and blended cost.
    pub fn amounting(mut self, cost: &str) -> Self {
        self.line_item_unblended_cost = Some(amount(cost));
        self.line_item_blended_cost = Some(amount(cost));
        self
    }

    /// Sets the net unblended cost.
    pub fn netting(mut self, cost: &str) -> Self {
        self.line_item_net_unblended_cost = Some(amount(cost));
        self
    }

    /// Sets the public On-Demand cost.
    pub fn at_public_cost(mut self, cost: &str) -> Self {
        self.pricing_public_on_demand_cost = Some(amount(cost));
        self
    }

    /// Sets the unblended and the public rate, as decimal text.
    pub fn at_rates(mut self, unblended: &str, public: &str) -> Self {
        self.line_item_unblended_rate = Some(amount(unblended).to_fixed());
        self.pricing_public_on_demand_rate = Some(amount(public).to_fixed());
        self
    }

    /// Sets the usage amount.
    pub fn using(mut self, quantity: &str) -> Self {
        self.line_item_usage_amount = Some(amount(quantity));
        self
    }

    /// Sets the currency.
    pub fn in_currency(mut self, currency: &str) -> Self {
        self.line_item_currency_code = text(currency);
        self.pricing_currency = text(currency);
        self
    }

    /// Moves the line to another month: the whole month becomes its interval.
    pub fn in_period(mut self, period: &str) -> Self {
        let (start, end) = (period_start(period), period_start(&next_period(period)));
        self.bill_billing_period_start_date = Some(start.clone());
        self.bill_billing_period_end_date = Some(end.clone());
        self.during(&start, &end)
    }

    /// Sets the interval of the usage, within the month of the line.
    pub fn during(mut self, start: &str, end: &str) -> Self {
        self.identity_time_interval = Some(format!("{start}/{end}"));
        self.line_item_usage_start_date = text(start);
        self.line_item_usage_end_date = text(end);
        self
    }

    /// Returns the unblended cost, 0 where there is none.
    pub fn unblended_cost(&self) -> Amount {
        self.line_item_unblended_cost.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_and_the_fields_are_one() {
        let line = Line::usage("111111111111", "AmazonEC2", "BoxUsage:m5.large", "1.5");
        let of = |name: &str| {
            COLUMNS.iter().find(|column| column.name == name).map(|column| (column.value)(&line))
        };
        assert_eq!(of("line_item_unblended_cost"), Some(Value::Number(Some(amount("1.5")))));
        assert_eq!(of("line_item_product_code"), Some(Value::Text(Some("AmazonEC2"))));
        assert_eq!(of("line_item_operation"), Some(Value::Text(None)));
        assert_eq!(of("bill_billing_period_end_date"), Some(Value::Text(Some("2026-11-01T00:00:00Z"))));
    }

    #[test]
    fn commitments_name_their_owner() {
        let line = Line::negation("111111111111", "222222222222", "AmazonEC2", "BoxUsage:c5.large", "30");
        assert_eq!(line.unblended_cost(), amount("-30"));
        let owner = line.savings_plan_savings_plan_a_r_n.as_deref().and_then(|arn| arn.split(':').nth(4));
        assert_eq!(owner, Some("222222222222"));
    }
}
