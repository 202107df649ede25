//! Savings Plans and reservations: two customers' own, two of the reseller, and the fees of each.

use super::accounts::{PAYER, account};
use super::lines::{self, DAYS, day_interval, interval, text, whole_month};
use super::price_list::{EC2, Price, RDS, Service};
use std::collections::BTreeMap;
use testkit::Line;
use testkit::amount::{Amount, ONE, amount};

const COMPUTE: Service = Service {
    product_code: "ComputeSavingsPlans",
    service_code: "ComputeSavingsPlans",
    name: "Savings Plans for AWS Compute usage",
};

/// A Savings Plan.
pub struct SavingsPlan {
    key: &'static str,
    owner: &'static str,
    id: &'static str,
    offering: &'static str,
    payment: &'static str,
    term: &'static str,
    /// The instants of its begin and end.
    in_force: (&'static str, &'static str),
    /// The region and the instance family that it is for.
    region: &'static str,
    family: Option<&'static str>,
    usage_type: &'static str,
    /// Dollars an hour.
    commitment: &'static str,
    /// What of that is billed hour by hour.
    recurring: &'static str,
    /// What it charges for an hour, by key of the price list.
    rates: &'static [(&'static str, &'static str)],
}

// Each is as large as what it covers in every hour of the real bill. Only quill's has 0.003 an hour left: in its group that
// covers an eighth of another server by day, and nothing at night.
#[rustfmt::skip]
const SAVINGS_PLANS: &[SavingsPlan] = &[
    SavingsPlan {
        key: "meadowlark", owner: "meadowlark-prod", id: "1b0c4f7e-52aa-4c1d-9f60-0d5b7c3e8a11",
        offering: "ComputeSavingsPlans", payment: "No Upfront", term: "1yr", usage_type: "ComputeSP:1yrNoUpfront",
        in_force: ("2026-02-17T00:00:00Z", "2027-02-16T23:59:59Z"), region: "Any", family: None,
        commitment: "0.5", recurring: "0.5", rates: &[("m7g.large", "0.063"), ("fargate-cpu", "0.0305")],
    },
    SavingsPlan {
        key: "larkfield", owner: PAYER, id: "c3d9e2a4-7710-4b8e-8a35-6f1e0b9d2c22",
        offering: "ComputeSavingsPlans", payment: "Partial Upfront", term: "3yr", usage_type: "ComputeSP:3yrPartialUpfront",
        in_force: ("2025-05-12T00:00:00Z", "2028-05-11T23:59:59Z"), region: "Any", family: None,
        commitment: "1.1", recurring: "0.55", rates: &[("c7g.xlarge", "0.084"), ("m7g.large", "0.046")],
    },
    SavingsPlan {
        key: "quill", owner: "quill-web", id: "e8f17a60-3c4d-4e92-b1d7-94a2c65f0d33",
        offering: "EC2InstanceSavingsPlans", payment: "All Upfront", term: "1yr", usage_type: "EUC1-EC2SP:t4g.1yrAllUpfront",
        in_force: ("2026-10-01T00:00:00Z", "2027-09-30T23:59:59Z"), region: "eu-central-1", family: Some("t4g"),
        commitment: "0.075", recurring: "0", rates: &[("eu-t4g.medium", "0.024")],
    },
];

/// A reservation of several instances.
pub struct Reservation {
    key: &'static str,
    owner: &'static str,
    arn_tail: &'static str,
    subscription: &'static str,
    service: &'static Service,
    price: &'static str,
    usage_type: &'static str,
    payment: &'static str,
    /// The instants of its begin and end.
    in_force: (&'static str, &'static str),
    count: i128,
    /// Dollars an hour for each instance, billed monthly.
    pub recurring_rate: &'static str,
    /// Dollars an hour for each instance, paid up front.
    pub upfront_rate: &'static str,
    /// Hours of the month that nothing used.
    unused_hours: i128,
    /// The day on which it was paid, where that was this month.
    paid_on: Option<i64>,
}

#[rustfmt::skip]
const RESERVATIONS: &[Reservation] = &[
    Reservation {
        key: "meadowlark-db", owner: "meadowlark-data", arn_tail: "rds:us-east-1:{}:ri:orders-2026", subscription: "18204417301",
        service: &RDS, price: "db.r6g.large", usage_type: "HeavyUsage:db.r6g.large", payment: "Partial Upfront",
        in_force: ("2026-10-01T00:00:00Z", "2027-09-30T23:59:59Z"),
        count: 2, recurring_rate: "0.0735", upfront_rate: "0.0725", unused_hours: 0, paid_on: Some(0),
    },
    Reservation {
        key: "larkfield-m6i", owner: PAYER, arn_tail: "ec2:eu-central-1:{}:reserved-instances/4a7d1c90-8e2b-4f35-a6c1-5b0f9d7e2e44", subscription: "17733025518",
        service: &EC2, price: "eu-m6i.xlarge", usage_type: "EUC1-HeavyUsage:m6i.xlarge", payment: "No Upfront",
        in_force: ("2026-06-03T00:00:00Z", "2027-06-02T23:59:59Z"),
        count: 3, recurring_rate: "0.1463", upfront_rate: "0", unused_hours: 744, paid_on: None,
    },
];

const HOURS: i128 = 744;
const HOURS_OF_YEAR: i128 = 8_760;

impl SavingsPlan {
    /// The plan of the key.
    ///
    /// # Panics
    /// When there is none: a mistake in one of the demo's tables.
    pub fn of(key: &str) -> &'static Self {
        let found = SAVINGS_PLANS.iter().find(|plan| plan.key == key);
        found.unwrap_or_else(|| panic!("the demo has no Savings Plan `{key}`"))
    }

    /// What the plan charges for what has the price.
    ///
    /// # Panics
    /// When the plan has no rate for it: a mistake in one of the demo's tables.
    pub fn rate(&self, price: &Price) -> Amount {
        let found = self.rates.iter().find(|(key, _)| *key == price.key);
        found.map_or_else(
            || panic!("the plan `{}` has no rate for `{}`", self.key, price.key),
            |(_, rate)| amount(rate),
        )
    }

    fn arn(&self) -> String {
        format!("arn:aws:savingsplans::{}:savingsplan/{}", account(self.owner).0, self.id)
    }

    /// Sets the columns that every line of the plan has.
    pub fn describe(&self, mut line: Line) -> Line {
        line.savings_plan_savings_plan_a_r_n = Some(self.arn());
        line.savings_plan_offering_type = text(self.offering);
        line.savings_plan_payment_option = text(self.payment);
        line.savings_plan_purchase_term = text(self.term);
        line.savings_plan_start_time = text(self.in_force.0);
        line.savings_plan_end_time = text(self.in_force.1);
        line.savings_plan_region = text(self.region);
        line.savings_plan_instance_type_family = self.family.map(str::to_owned);
        line
    }

    /// The fee of an hour; `covered` is what the plan's usage of the hour took of it.
    fn hourly_fee(&self, hour: i64, covered: Amount) -> Line {
        let (commitment, recurring) = (amount(self.commitment), amount(self.recurring));
        let line = lines::of_service("SavingsPlanRecurringFee", self.owner, &COMPUTE);
        let mut line = lines::costing(self.describe(interval(line, &(hour..hour + 1))), recurring);
        line.identity_line_item_id = Some(format!("fee{}", &self.id[..8]));
        line.line_item_usage_type = text(self.usage_type);
        line.line_item_usage_amount = Some(Amount::whole(1));
        line.line_item_line_item_description =
            Some(format!("{} {} {}", self.term, self.payment, self.offering));
        line.savings_plan_total_commitment_to_date = Some(commitment);
        line.savings_plan_used_commitment = Some(covered);
        line.savings_plan_recurring_commitment_for_billing_period = Some(recurring);
        line.savings_plan_amortized_upfront_commitment_for_billing_period = Some(commitment - recurring);
        line
    }
}

impl Reservation {
    /// The reservation of the key.
    ///
    /// # Panics
    /// When there is none: a mistake in one of the demo's tables.
    pub fn of(key: &str) -> &'static Self {
        let found = RESERVATIONS.iter().find(|reservation| reservation.key == key);
        found.unwrap_or_else(|| panic!("the demo has no reservation `{key}`"))
    }

    /// Sets the columns that every line of the reservation has.
    pub fn describe(&self, mut line: Line) -> Line {
        let tail = self.arn_tail.replace("{}", account(self.owner).0);
        line.reservation_reservation_a_r_n = Some(format!("arn:aws:{tail}"));
        line.reservation_subscription_id = text(self.subscription);
        line.pricing_lease_contract_length = text("1yr");
        line.pricing_offering_class = text("standard");
        line.pricing_purchase_option = text(self.payment);
        line.reservation_start_time = text(self.in_force.0);
        line.reservation_end_time = text(self.in_force.1);
        line
    }

    fn fee(&self, line_item_type: &str, cost: Amount) -> Line {
        let price = Price::of(self.price);
        let mut line = lines::of_service(line_item_type, self.owner, self.service);
        line = lines::costing(self.describe(whole_month(line)), cost);
        line.line_item_usage_type = text(self.usage_type);
        line.line_item_operation = text(price.operation);
        line.product_sku = Some(price.sku());
        line.product_region_code = text(price.region);
        line.pricing_term = text("Reserved");
        line
    }

    fn monthly_fee(&self) -> Line {
        let hours = self.count * HOURS;
        let (recurring, upfront) = (amount(self.recurring_rate), amount(self.upfront_rate));
        let mut line = self.fee("RIFee", recurring * hours);
        line.identity_line_item_id = Some(format!("rifee{}", self.subscription));
        line.line_item_usage_amount = Some(Amount::whole(hours));
        line.line_item_line_item_description =
            Some(format!("USD {recurring} hourly fee per {} instance", self.usage_type));
        line.pricing_unit = text("Hrs");
        let (_, factor) = Price::of(self.price).instance().expect("reservations are for instances");
        line.line_item_normalization_factor = Some(factor);
        line.line_item_normalized_usage_amount = Some(factor * hours);
        // Where it is the region, the reservation holds for every zone.
        line.reservation_availability_zone = text(Price::of(self.price).region);
        line.reservation_number_of_reservations = Some(self.count.to_string());
        line.reservation_units_per_reservation = Some(HOURS.to_string());
        line.reservation_total_reserved_units = Some(hours.to_string());
        line.reservation_normalized_units_per_reservation = Some((factor * HOURS).to_string());
        line.reservation_total_reserved_normalized_units = Some((factor * hours).to_string());
        line.reservation_amortized_upfront_fee_for_billing_period = Some(upfront * hours);
        line.reservation_unused_recurring_fee = Some(recurring * self.unused_hours);
        line.reservation_unused_amortized_upfront_fee_for_billing_period = Some(upfront * self.unused_hours);
        line
    }

    fn payment(&self, day: i64) -> Line {
        let cost = amount(self.upfront_rate) * (self.count * HOURS_OF_YEAR);
        let mut line = lines::purchased(day_interval(self.fee("Fee", cost), day));
        line.identity_line_item_id = Some(format!("buy{}", self.subscription));
        line.line_item_usage_amount = Some(Amount::whole(self.count));
        line.line_item_line_item_description = Some(format!(
            "Sign up charge for subscription: {}, planId: {}",
            self.subscription,
            &self.subscription[5..]
        ));
        line
    }
}

/// The fees of all commitments; `usage` holds what they cover.
pub fn fee_lines(usage: &[Line]) -> Vec<Line> {
    let mut covered: BTreeMap<[Option<&str>; 2], Amount> = BTreeMap::new();
    for line in usage {
        let whose = [&line.savings_plan_savings_plan_a_r_n, &line.line_item_usage_start_date];
        *covered.entry(whose.map(Option::as_deref)).or_default() +=
            line.savings_plan_savings_plan_effective_cost.unwrap_or_default();
    }
    let mut fees = Vec::new();
    for plan in SAVINGS_PLANS {
        let arn = plan.arn();
        for hour in 0..DAYS * 24 {
            let start = interval(Line::default(), &(hour..hour + 1)).line_item_usage_start_date;
            let used = covered.get(&[Some(arn.as_str()), start.as_deref()]);
            fees.push(plan.hourly_fee(hour, used.copied().unwrap_or_default()));
        }
    }
    let plan = SavingsPlan::of("quill");
    let upfront = amount(plan.commitment) * HOURS_OF_YEAR;
    let line = lines::of_service("SavingsPlanUpfrontFee", plan.owner, &COMPUTE);
    let mut line = lines::costing(plan.describe(lines::purchased(day_interval(line, 0))), upfront);
    line.identity_line_item_id = text("buye8f17a60");
    line.line_item_usage_type = text(plan.usage_type);
    line.line_item_usage_amount = Some(Amount(ONE));
    line.line_item_line_item_description =
        Some(format!("{} {} {}: payment for the whole term", plan.term, plan.payment, plan.offering));
    fees.push(line);
    fees.extend(RESERVATIONS.iter().map(Reservation::monthly_fee));
    fees.extend(RESERVATIONS.iter().filter_map(|it| it.paid_on.map(|day| it.payment(day))));
    fees
}
