//! Lines that are no usage: fees, taxes, credits, discounts.

use super::usage::describe_plan;
use super::{Generator, UNKNOWN_TYPE};
use crate::amount::{Amount, ONE};
use crate::calendar::{next_period, period_start};
use crate::line::Line;

/// The services that credits and discounts stand under.
const SERVICES: [(&str, &str); 3] = [
    ("AmazonEC2", "Amazon Elastic Compute Cloud"),
    ("AmazonS3", "Amazon Simple Storage Service"),
    ("AmazonRDS", "Amazon Relational Database Service"),
];

impl Generator {
    /// Returns a charge for the whole month.
    fn charge(&mut self, line_item_type: &str, account: usize, service: &str, cost: Amount) -> Line {
        let (start, end) =
            (period_start(&self.options.period), period_start(&next_period(&self.options.period)));
        let mut line = self.line(line_item_type, account).of_service(service).during(&start, &end);
        line.line_item_unblended_cost = Some(cost);
        line.line_item_blended_cost = Some(cost);
        line.line_item_usage_amount = Some(Amount::whole(1));
        line.line_item_line_item_description = Some(format!("{line_item_type} for {service}"));
        line.pricing_public_on_demand_cost = Some(Amount::ZERO);
        line
    }

    fn some_cost(&mut self, whole_max: i128) -> Amount {
        Amount(self.random.between(1, whole_max * ONE))
    }

    pub(super) fn add_savings_plan_fee(&mut self, line_item_type: &str) {
        let plan = self.random.index(self.savings_plans.len());
        let owner = self.savings_plans[plan].owner;
        let is_upfront = line_item_type == "SavingsPlanUpfrontFee";
        let cost = self.some_cost(if is_upfront { 20_000 } else { 30 });
        let mut line = self.charge(line_item_type, owner, "ComputeSavingsPlans", cost);
        line.product_name = Some("Savings Plans for AWS Compute usage".to_owned());
        line.line_item_usage_type = Some("ComputeSP:1yrPartialUpfront".to_owned());
        describe_plan(&mut line, &self.savings_plans[plan]);
        if is_upfront {
            line.bill_bill_type = Some("Purchase".to_owned());
        } else {
            line.savings_plan_total_commitment_to_date = Some(cost * 2);
            line.savings_plan_used_commitment = Some(Amount(self.random.between(0, cost.0 * 2)));
            line.savings_plan_recurring_commitment_for_billing_period = Some(cost);
            line.savings_plan_amortized_upfront_commitment_for_billing_period = Some(cost);
        }
        self.push(line);
    }

    /// Adds the monthly fee (`RIFee`) or the upfront payment (`Fee`) of a reservation.
    pub(super) fn add_reservation_fee(&mut self, line_item_type: &str) {
        let reservation = self.random.index(self.reservations.len());
        let owner = self.reservations[reservation].owner;
        let cost = self.some_cost(if line_item_type == "Fee" { 9_000 } else { 400 });
        let mut line = self.charge(line_item_type, owner, "AmazonEC2", cost);
        line.product_name = Some("Amazon Elastic Compute Cloud".to_owned());
        line.line_item_usage_type = Some("HeavyUsage:m5.large".to_owned());
        line.line_item_operation = Some("RunInstances".to_owned());
        line.reservation_reservation_a_r_n = Some(self.reservations[reservation].arn.clone());
        line.reservation_subscription_id = Some("1234567890".to_owned());
        line.pricing_term = Some("Reserved".to_owned());
        if line_item_type == "Fee" {
            line.bill_bill_type = Some("Purchase".to_owned());
        } else {
            line.line_item_usage_amount = Some(Amount::whole(744));
            line.reservation_amortized_upfront_fee_for_billing_period = Some(cost);
            line.reservation_unused_recurring_fee = Some(Amount(cost.0 / 7));
            line.reservation_unused_amortized_upfront_fee_for_billing_period = Some(Amount(cost.0 / 9));
        }
        self.push(line);
    }

    /// Adds a one-off fee of an AWS service.
    pub(super) fn add_fee(&mut self, service: &str, name: &str, whole_max: i128) {
        let (account, cost) = (self.some_account(), self.some_cost(whole_max));
        let mut line = self.charge("Fee", account, service, cost);
        line.product_name = Some(name.to_owned());
        self.push(line);
    }

    pub(super) fn add_marketplace_fee(&mut self) {
        let (account, cost) = (self.some_account(), self.some_cost(12_000));
        let mut line =
            self.charge("Fee", account, "5t6y7u8i9o0p1a2s3d4f", cost).of_billing_entity("AWS Marketplace");
        line.product_servicecode = None;
        line.product_name = Some("Sample Data Platform".to_owned());
        line.bill_bill_type = Some("Purchase".to_owned());
        line.pricing_public_on_demand_cost = None;
        self.push(line);
    }

    pub(super) fn add_tax(&mut self) {
        let (account, cost) = (self.some_account(), self.some_cost(500));
        let (service, name) = *self.random.pick(&SERVICES);
        let mut line = self.charge("Tax", account, service, cost);
        line.product_servicecode = None;
        line.product_name = Some(name.to_owned());
        line.line_item_tax_type = Some("VAT".to_owned());
        line.pricing_public_on_demand_cost = None;
        self.push(line);
    }

    pub(super) fn add_credit(&mut self, line_item_type: &str) {
        let (account, cost) = (self.some_account(), self.some_cost(80));
        let (service, name) = *self.random.pick(&SERVICES);
        let mut line = self.charge(line_item_type, account, service, -cost);
        line.product_name = Some(name.to_owned());
        line.line_item_usage_amount = Some(Amount::ZERO);
        if line_item_type == "Refund" {
            line.bill_bill_type = Some("Refund".to_owned());
        }
        self.push(line);
    }

    /// Adds a discount row; beside net columns, its own net cost is 0, for the net of the usage holds it already.
    pub(super) fn add_discount(&mut self, line_item_type: &str) {
        let (account, cost) = (self.some_account(), self.some_cost(40));
        let (service, name) = *self.random.pick(&SERVICES);
        let mut line = self.charge(line_item_type, account, service, -cost);
        line.product_name = Some(name.to_owned());
        line.line_item_blended_cost = None;
        line.line_item_usage_amount = Some(Amount::ZERO);
        line.line_item_net_unblended_cost = Some(Amount::ZERO);
        self.push(line);
    }

    pub(super) fn add_flat_rate(&mut self) {
        let (account, cost) = (self.some_account(), self.some_cost(200));
        let mut line = self.charge("FlatRateSubscription", account, "AmazonCloudFront", cost);
        line.product_name = Some("Amazon CloudFront".to_owned());
        line.line_item_usage_type = Some("FlatRate-Pro".to_owned());
        self.push(line);
    }

    pub(super) fn add_unknown(&mut self) {
        let (account, cost) = (self.some_account(), self.some_cost(10));
        let line = self.charge(UNKNOWN_TYPE, account, "AmazonBraket", cost);
        self.push(line);
    }
}
