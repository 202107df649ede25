//! Metered lines: On-Demand, spot, free, Marketplace, and what commitments cover.

use super::catalogue::{Metering, Sku};
use super::{Commitment, Generator, nine_percent_off};
use crate::amount::{Amount, ONE};
use crate::line::Line;

/// What of the list price a Savings Plan and a spot price leave, in hundredths.
const SAVINGS_PLAN_SHARE: i128 = 72;
const SPOT_SHARE: i128 = 35;

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

fn hundredths(rate: Amount, share: i128) -> Amount {
    Amount(rate.0 * share / 100)
}

impl Generator {
    /// Returns metered usage of the SKU at a rate; the public cost is at list price.
    fn metered(
        &mut self,
        line_item_type: &str,
        account: usize,
        sku: &Sku,
        quantity: Amount,
        rate: Amount,
    ) -> Line {
        let mut line = self.line(line_item_type, account).of_service(sku.product.service_code);
        let product = sku.product;
        line.line_item_product_code = text(product.code);
        line.product_name = text(product.name);
        line.line_item_usage_type = Some(sku.usage_type.clone());
        line.line_item_operation = text(product.operation);
        line.line_item_line_item_description =
            Some(format!("${rate} per {} of {}", product.unit, sku.usage_type));
        line.line_item_usage_amount = Some(quantity);
        line.line_item_unblended_rate = Some(rate.to_fixed());
        line.line_item_blended_rate = Some(rate.to_fixed());
        line.line_item_unblended_cost = Some(quantity.times(rate));
        line.line_item_blended_cost = line.line_item_unblended_cost;
        line.product_sku = Some(sku.sku.clone());
        line.product_region_code = text(sku.region);
        line.product_product_family = text(product.family);
        line.product.insert("group".to_owned(), product.family.to_owned());
        line.pricing_rate_code = Some(sku.rate_code(0));
        line.pricing_term = text("OnDemand");
        line.pricing_unit = text(product.unit);
        if product.metering == Metering::Instance {
            line.product_instance_type = product.usage_type.split(':').nth(1).map(str::to_owned);
            line.line_item_availability_zone = Some(format!("{}a", sku.region));
            line.line_item_resource_id = Some(format!("i-0{}", self.random.code(16).to_lowercase()));
            line.line_item_normalization_factor = Some(Amount::whole(4));
            line.line_item_normalized_usage_amount = Some(quantity * 4);
            line.reservation_effective_cost = Some(Amount::ZERO);
            line.savings_plan_savings_plan_effective_cost = Some(Amount::ZERO);
        }
        if product.metering != Metering::Unlisted {
            line.pricing_public_on_demand_rate = Some(sku.public_rate().to_fixed());
            line.pricing_public_on_demand_cost = Some(quantity.times(sku.public_rate()));
        } else if self.random.percent(50) {
            line.pricing_public_on_demand_cost = Some(Amount::ZERO);
        }
        line
    }

    pub(super) fn add_on_demand(&mut self) {
        let (account, sku) = (self.some_account(), self.some_sku(|_| true));
        let tier = self.random.index(sku.product.rates.len());
        let quantity = sku.quantity(&mut self.random);
        let mut line = self.metered("Usage", account, &sku, quantity, Amount(sku.product.rates[tier]));
        line.pricing_rate_code = Some(sku.rate_code(tier));
        if self.random.percent(40) {
            line.line_item_net_unblended_cost = line.line_item_unblended_cost.map(nine_percent_off);
        }
        self.push(line);
    }

    pub(super) fn add_spot(&mut self, usage_type: &str, term: Option<&str>) {
        let account = self.some_account();
        let sku = loop {
            let sku = self.some_sku(|metering| metering == Metering::Instance);
            if sku.product.code == "AmazonEC2" {
                break sku;
            }
        };
        let quantity = sku.quantity(&mut self.random);
        let rate = hundredths(sku.public_rate(), SPOT_SHARE);
        let mut line = self.metered("Usage", account, &sku, quantity, rate);
        line.line_item_usage_type = Some(sku.usage_type.replace("BoxUsage", usage_type));
        line.pricing_term = term.map(str::to_owned);
        line.pricing_rate_code = None;
        self.push(line);
    }

    pub(super) fn add_always_free(&mut self) {
        let (account, sku) =
            (self.some_account(), self.some_sku(|metering| metering == Metering::FreeRequests));
        // A part of a unit: no sum of it is the size of a quota, which pricing would find out.
        let whole = sku.quantity(&mut self.random);
        let quantity = whole + Amount((whole.0 / ONE % 9_999 + 1) * (ONE / 10_000));
        let mut line = self.metered("Usage", account, &sku, quantity, Amount::ZERO);
        line.pricing_rate_code = Some(sku.free_rate_code());
        line.pricing_term = None;
        self.push(line);
    }

    /// Adds a cost of one or a few units of the last decimal.
    pub(super) fn add_tiny(&mut self) {
        let (account, sku) = (self.some_account(), self.some_sku(|metering| metering == Metering::Requests));
        let cost = Amount(self.random.between(1, 9));
        let quantity = Amount(self.random.between(1, 3));
        let mut line = self.metered("Usage", account, &sku, quantity, sku.public_rate());
        line.line_item_unblended_cost = Some(cost);
        line.line_item_blended_cost = Some(cost);
        line.pricing_public_on_demand_cost = Some(cost);
        self.push(line);
    }

    /// Adds a cost that doubles hold to ten decimals, or by choice a few that they do not.
    pub(super) fn add_large(&mut self) {
        let (count, low, high) =
            if self.options.large_amounts { (3, 300_000, 9_000_000) } else { (1, 100_000, 200_000) };
        for _ in 0..count {
            let (account, sku) =
                (self.some_account(), self.some_sku(|metering| metering == Metering::Fraction));
            let cost = Amount(self.random.between(low * ONE, high * ONE));
            let quantity = Amount::whole(self.random.between(1_000, 1_000_000));
            let mut line = self.metered("Usage", account, &sku, quantity, sku.public_rate());
            line.line_item_unblended_cost = Some(cost);
            line.line_item_blended_cost = Some(cost);
            line.line_item_unblended_rate = None;
            line.pricing_public_on_demand_cost = Some(cost + Amount(self.random.between(0, ONE)));
            self.push(line);
        }
    }

    pub(super) fn add_marketplace(&mut self) {
        let account = self.some_account();
        let mut line = self.line("Usage", account).of_billing_entity("AWS Marketplace");
        let quantity = Amount::whole(self.random.between(1, 700));
        let rate = Amount(self.random.between(1, 3_000_000_000));
        let product_code = *self.random.pick(&["1a2b3c4d5e6f7g8h9i0j", "9z8y7x6w5v4u3t2s1r0q"]);
        line.line_item_product_code = text(product_code);
        line.product_name = text("Sample Observability");
        line.line_item_usage_type = text("MP:Units-Usage");
        line.line_item_operation = text("Hourly");
        line.line_item_legal_entity = text("Sample Software, Inc.");
        line.line_item_usage_amount = Some(quantity);
        line.line_item_unblended_rate = Some(rate.to_fixed());
        line.line_item_unblended_cost = Some(quantity.times(rate));
        line.line_item_blended_cost = line.line_item_unblended_cost;
        line.pricing_unit = text("Units");
        if self.random.percent(50) {
            line.pricing_public_on_demand_cost = Some(Amount::ZERO);
        }
        self.push(line);
    }

    pub(super) fn add_discounted_usage(&mut self) {
        let (account, sku) = (self.some_account(), self.some_sku(|metering| metering == Metering::Instance));
        let quantity = sku.quantity(&mut self.random);
        let mut line = self.metered("DiscountedUsage", account, &sku, quantity, Amount::ZERO);
        let recurring = quantity.times(hundredths(sku.public_rate(), 40));
        let upfront = quantity.times(hundredths(sku.public_rate(), 20));
        line.pricing_term = text("Reserved");
        line.pricing_rate_code = Some(format!("{}.6QCMYABX3D.6YS6EN2CT7", sku.sku));
        line.pricing_lease_contract_length = text("1yr");
        line.pricing_offering_class = text("standard");
        line.pricing_purchase_option = text("Partial Upfront");
        line.reservation_recurring_fee_for_usage = Some(recurring);
        line.reservation_amortized_upfront_cost_for_usage = Some(upfront);
        line.reservation_effective_cost = Some(recurring + upfront);
        let commitment = self.random.index(self.reservations.len());
        // One in twenty has no ARN: its own account then counts as the owner.
        if self.random.percent(95) {
            line.reservation_reservation_a_r_n = Some(self.reservations[commitment].arn.clone());
        }
        self.push(line);
    }

    /// Adds covered usage and its negation.
    pub(super) fn add_covered_usage(&mut self) {
        let (account, sku) = (self.some_account(), self.some_sku(|metering| metering == Metering::Instance));
        let quantity = sku.quantity(&mut self.random);
        let plan = self.random.index(self.savings_plans.len());
        let mut covered = self.metered("SavingsPlanCoveredUsage", account, &sku, quantity, sku.public_rate());
        describe_plan(&mut covered, &self.savings_plans[plan]);
        let rate = hundredths(sku.public_rate(), SAVINGS_PLAN_SHARE);
        covered.savings_plan_savings_plan_rate = Some(rate);
        covered.savings_plan_savings_plan_effective_cost = Some(quantity.times(rate));
        let mut negation = covered.clone().of_type("SavingsPlanNegation");
        negation.identity_line_item_id = Some(self.random.code(52).to_lowercase());
        negation.line_item_resource_id = None;
        negation.line_item_unblended_cost = Some(-covered.unblended_cost());
        negation.line_item_blended_cost = negation.line_item_unblended_cost;
        negation.pricing_public_on_demand_cost = None;
        negation.pricing_rate_code = None;
        negation.savings_plan_savings_plan_rate = Some(Amount::ZERO);
        negation.savings_plan_savings_plan_effective_cost = Some(Amount::ZERO);
        self.push(covered);
        self.push(negation);
    }

    /// Adds a row that repeats the cost of an instance for one of its containers.
    pub(super) fn add_split_cost(&mut self) {
        let (account, sku) = (self.some_account(), self.some_sku(|metering| metering == Metering::Instance));
        let quantity = sku.quantity(&mut self.random);
        let mut line = self.metered("Usage", account, &sku, quantity, sku.public_rate());
        line.split_line_item_split_usage = Some(quantity);
        line.split_line_item_split_cost = line.line_item_unblended_cost;
        if self.random.percent(50) {
            line.split_line_item_parent_resource_id = text("i-0123456789abcdef0");
        } else {
            let operation = *self.random.pick(&["EKSPod-EC2", "ECSTask-EC2"]);
            line.line_item_operation = text(operation);
        }
        self.push(line);
    }
}

/// Sets the columns that every line of a Savings Plan has.
pub(super) fn describe_plan(line: &mut Line, plan: &Commitment) {
    line.savings_plan_savings_plan_a_r_n = Some(plan.arn.clone());
    line.savings_plan_offering_type = text("ComputeSavingsPlans");
    line.savings_plan_payment_option = text("Partial Upfront");
    line.savings_plan_purchase_term = text("1yr");
}
