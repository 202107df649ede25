//! Savings Plans and reservations: two customers' own, two of the reseller, and the fees of each.

use super::accounts::{PAYER, account};
use super::lines::{self, DAYS, day_interval, text, whole_month};
use super::price_list::{EC2, Price, RDS, Service};
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
    usage_type: &'static str,
    /// Dollars an hour.
    commitment: &'static str,
    /// What of that is billed hour by hour.
    recurring: &'static str,
    /// What the plan leaves of a list price, in thousandths.
    share: i128,
}

#[rustfmt::skip]
const SAVINGS_PLANS: &[SavingsPlan] = &[
    SavingsPlan {
        key: "meadowlark", owner: "meadowlark-prod", id: "1b0c4f7e-52aa-4c1d-9f60-0d5b7c3e8a11",
        offering: "ComputeSavingsPlans", payment: "No Upfront", term: "1yr", usage_type: "ComputeSP:1yrNoUpfront",
        commitment: "0.5", recurring: "0.5", share: 730,
    },
    SavingsPlan {
        key: "larkfield", owner: PAYER, id: "c3d9e2a4-7710-4b8e-8a35-6f1e0b9d2c22",
        offering: "ComputeSavingsPlans", payment: "Partial Upfront", term: "3yr", usage_type: "ComputeSP:3yrPartialUpfront",
        commitment: "1.1", recurring: "0.55", share: 520,
    },
    SavingsPlan {
        key: "quill", owner: "quill-web", id: "e8f17a60-3c4d-4e92-b1d7-94a2c65f0d33",
        offering: "EC2InstanceSavingsPlans", payment: "All Upfront", term: "1yr", usage_type: "EUC1-EC2SP:t4g.1yrAllUpfront",
        commitment: "0.075", recurring: "0", share: 640,
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
        count: 2, recurring_rate: "0.0735", upfront_rate: "0.0725", unused_hours: 0, paid_on: Some(0),
    },
    Reservation {
        key: "larkfield-m6i", owner: PAYER, arn_tail: "ec2:eu-central-1:{}:reserved-instances/4a7d1c90-8e2b-4f35-a6c1-5b0f9d7e2e44", subscription: "17733025518",
        service: &EC2, price: "eu-m6i.xlarge", usage_type: "EUC1-HeavyUsage:m6i.xlarge", payment: "No Upfront",
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

    /// What the plan makes of a list price.
    pub fn rate(&self, price: &Price) -> Amount {
        Amount(price.public_rate().0 * self.share / 1_000)
    }

    /// Sets the columns that every line of the plan has.
    pub fn describe(&self, mut line: Line) -> Line {
        line.savings_plan_savings_plan_a_r_n =
            Some(format!("arn:aws:savingsplans::{}:savingsplan/{}", account(self.owner).0, self.id));
        line.savings_plan_offering_type = text(self.offering);
        line.savings_plan_payment_option = text(self.payment);
        line.savings_plan_purchase_term = text(self.term);
        line
    }

    /// The fee of a day; `covered` is what the plan's usage of the day took of it.
    fn daily_fee(&self, day: i64, covered: Amount) -> Line {
        let (commitment, recurring) = (amount(self.commitment) * 24, amount(self.recurring) * 24);
        let line = lines::of_service("SavingsPlanRecurringFee", self.owner, &COMPUTE);
        let mut line = lines::costing(self.describe(day_interval(line, day)), recurring);
        line.identity_line_item_id = Some(format!("fee{}", &self.id[..8]));
        line.line_item_usage_type = text(self.usage_type);
        line.line_item_usage_amount = Some(Amount::whole(24));
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
    let mut fees = Vec::new();
    for plan in SAVINGS_PLANS {
        let arn = plan.describe(Line::default()).savings_plan_savings_plan_a_r_n;
        for day in 0..DAYS {
            let start = day_interval(Line::default(), day).line_item_usage_start_date;
            let is_covered = |line: &&Line| {
                line.savings_plan_savings_plan_a_r_n == arn && line.line_item_usage_start_date == start
            };
            let covered = usage.iter().filter(is_covered);
            let used = covered.filter_map(|line| line.savings_plan_savings_plan_effective_cost).sum();
            fees.push(plan.daily_fee(day, used));
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
