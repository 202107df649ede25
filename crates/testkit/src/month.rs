//! A random but plausible month: every line item type that AWS writes, commitments that cover accounts of other groups,
//! amounts from 1e-10 to some hundred thousand. The seed determines every byte.

mod catalogue;
mod charges;
mod usage;

#[cfg(test)]
mod tests;

use crate::amount::Amount;
use crate::calendar::{days_in, hour_of};
use crate::line::{Line, PAYER};
use crate::random::Random;
use catalogue::{Metering, Sku};

/// The types of discount rows.
pub const DISCOUNT_TYPES: [&str; 7] = [
    "EdpDiscount",
    "PrivateRateDiscount",
    "SppDiscount",
    "BundledDiscount",
    "RiVolumeDiscount",
    "DistributorDiscount",
    "Discount",
];

/// Every line item type of a month, without the unknown one.
pub const LINE_ITEM_TYPES: [&str; 19] = [
    "Usage",
    "DiscountedUsage",
    "SavingsPlanCoveredUsage",
    "SavingsPlanNegation",
    "SavingsPlanRecurringFee",
    "SavingsPlanUpfrontFee",
    "RIFee",
    "Fee",
    "Tax",
    "Credit",
    "Refund",
    "FlatRateSubscription",
    "EdpDiscount",
    "PrivateRateDiscount",
    "SppDiscount",
    "BundledDiscount",
    "RiVolumeDiscount",
    "DistributorDiscount",
    "Discount",
];

/// A type that no pricing rule knows.
pub const UNKNOWN_TYPE: &str = "QuantumSurcharge";

/// What kind of month to make up.
#[derive(Clone, Debug)]
pub struct MonthOptions {
    /// Determines everything else.
    pub seed: u64,
    /// The month.
    pub period: String,
    /// How many accounts, the payer's own included.
    pub accounts: usize,
    /// How many lines; a month with fewer than about forty cannot show every type.
    pub lines: usize,
    /// Whether lines have a net unblended cost.
    pub net_columns: bool,
    /// The currencies of the accounts, in turn.
    pub currencies: Vec<String>,
    /// Whether a few amounts exceed what a double holds to ten decimals.
    pub large_amounts: bool,
    /// Whether a line of an unknown type appears now and then.
    pub unknown_type: bool,
}

impl Default for MonthOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            period: crate::line::PERIOD.to_owned(),
            accounts: 8,
            lines: 500,
            net_columns: false,
            currencies: vec!["USD".to_owned()],
            large_amounts: false,
            unknown_type: true,
        }
    }
}

/// An account of the organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleAccount {
    /// Twelve digits.
    pub id: String,
    /// The name.
    pub name: String,
    /// The currency of its lines.
    pub currency: String,
}

/// A made-up month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleMonth {
    /// The month.
    pub period: String,
    /// The accounts; the first is the payer.
    pub accounts: Vec<SampleAccount>,
    /// The lines, in no order that means anything.
    pub lines: Vec<Line>,
}

/// What one step of the generator writes: one line, but for covered usage, which comes with its negation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    OnDemand,
    SpotTerm,
    SpotUsageType,
    SpotWithoutTerm,
    AlwaysFree,
    Tiny,
    Large,
    Marketplace,
    DiscountedUsage,
    CoveredUsage,
    SavingsPlanRecurringFee,
    SavingsPlanUpfrontFee,
    RecurringReservationFee,
    UpfrontReservationFee,
    DomainFee,
    MarketplaceFee,
    SupportFee,
    Tax,
    Credit,
    Refund,
    FlatRateSubscription,
    SplitCost,
    Unknown,
    Discount(usize),
}

/// The share of each item in a thousand; what is rare in real months is rare here.
const ITEMS: &[(Item, u64)] = &[
    (Item::OnDemand, 560),
    (Item::CoveredUsage, 90),
    (Item::DiscountedUsage, 70),
    (Item::AlwaysFree, 50),
    (Item::Marketplace, 30),
    (Item::SpotTerm, 12),
    (Item::SpotUsageType, 20),
    (Item::SpotWithoutTerm, 12),
    (Item::Tiny, 15),
    // Only the first round writes them: they would drown all else.
    (Item::Large, 0),
    (Item::SavingsPlanRecurringFee, 25),
    (Item::SavingsPlanUpfrontFee, 2),
    (Item::RecurringReservationFee, 10),
    (Item::UpfrontReservationFee, 3),
    (Item::DomainFee, 5),
    (Item::MarketplaceFee, 5),
    (Item::SupportFee, 3),
    (Item::Tax, 20),
    (Item::Credit, 15),
    (Item::Refund, 4),
    (Item::FlatRateSubscription, 4),
    (Item::SplitCost, 10),
    (Item::Unknown, 1),
    (Item::Discount(0), 15),
    (Item::Discount(1), 5),
    (Item::Discount(2), 4),
    (Item::Discount(3), 3),
    (Item::Discount(4), 2),
    (Item::Discount(5), 1),
    (Item::Discount(6), 1),
];

/// A Savings Plan or a reservation.
struct Commitment {
    arn: String,
    owner: usize,
}

struct Generator {
    random: Random,
    options: MonthOptions,
    accounts: Vec<SampleAccount>,
    skus: Vec<Sku>,
    savings_plans: Vec<Commitment>,
    reservations: Vec<Commitment>,
    lines: Vec<Line>,
}

impl SampleMonth {
    /// Makes up a month: one of every item first, then as chance has it.
    pub fn generate(options: &MonthOptions) -> Self {
        let mut generator = Generator::new(options.clone());
        for (item, _) in ITEMS {
            generator.add(*item);
        }
        let total = ITEMS.iter().map(|(_, weight)| weight).sum();
        while generator.lines.len() < options.lines {
            let mut place = generator.random.below(total);
            let chosen = ITEMS.iter().find(|(_, weight)| {
                let is_here = place < *weight;
                place = place.saturating_sub(*weight);
                is_here
            });
            let item = chosen.map_or(Item::OnDemand, |(item, _)| *item);
            // The last line stands alone: no pair fits any more.
            let is_last = generator.lines.len() + 1 == options.lines;
            generator.add(if is_last && item == Item::CoveredUsage { Item::OnDemand } else { item });
        }
        generator.lines.truncate(options.lines);
        generator.random.shuffle(&mut generator.lines);
        Self { period: options.period.clone(), accounts: generator.accounts, lines: generator.lines }
    }

    /// Makes up a month of this many lines from a seed, all else by default.
    pub fn of(seed: u64, lines: usize) -> Self {
        Self::generate(&MonthOptions { seed, lines, ..MonthOptions::default() })
    }
}

impl Generator {
    fn new(options: MonthOptions) -> Self {
        let mut random = Random::new(options.seed);
        let accounts = sample_accounts(&options, &mut random);
        let mut commitment = |service: &str, resource: &str| {
            let (owner, id) = (random.index(accounts.len()), random.code(8).to_lowercase());
            let region = if service == "savingsplans" { "" } else { "us-east-1" };
            let arn = format!(
                "arn:aws:{service}:{region}:{}:{resource}/{id}-2222-3333-4444-55555555",
                accounts[owner].id
            );
            Commitment { arn, owner }
        };
        let savings_plans = (0..3).map(|_| commitment("savingsplans", "savingsplan")).collect();
        let reservations = (0..3).map(|_| commitment("ec2", "reserved-instances")).collect();
        let skus = catalogue::skus();
        Self { random, options, accounts, skus, savings_plans, reservations, lines: Vec::new() }
    }

    fn add(&mut self, item: Item) {
        match item {
            Item::OnDemand => self.add_on_demand(),
            Item::SpotTerm => self.add_spot("BoxUsage", Some("Spot")),
            Item::SpotUsageType => self.add_spot("SpotUsage", None),
            Item::SpotWithoutTerm => self.add_spot("BoxUsage", None),
            Item::AlwaysFree => self.add_always_free(),
            Item::Tiny => self.add_tiny(),
            Item::Large => self.add_large(),
            Item::Marketplace => self.add_marketplace(),
            Item::DiscountedUsage => self.add_discounted_usage(),
            Item::CoveredUsage => self.add_covered_usage(),
            Item::SavingsPlanRecurringFee => self.add_savings_plan_fee("SavingsPlanRecurringFee"),
            Item::SavingsPlanUpfrontFee => self.add_savings_plan_fee("SavingsPlanUpfrontFee"),
            Item::RecurringReservationFee => self.add_reservation_fee("RIFee"),
            Item::UpfrontReservationFee => self.add_reservation_fee("Fee"),
            Item::DomainFee => self.add_fee("AmazonRegistrar", "Amazon Registrar", 14),
            Item::MarketplaceFee => self.add_marketplace_fee(),
            Item::SupportFee => self.add_fee("AWSSupportBusiness", "AWS Support (Business)", 100),
            Item::Tax => self.add_tax(),
            Item::Credit => self.add_credit("Credit"),
            Item::Refund => self.add_credit("Refund"),
            Item::FlatRateSubscription => self.add_flat_rate(),
            Item::SplitCost => self.add_split_cost(),
            Item::Unknown if self.options.unknown_type => self.add_unknown(),
            Item::Unknown => {}
            Item::Discount(index) => self.add_discount(DISCOUNT_TYPES[index]),
        }
    }

    fn some_account(&mut self) -> usize {
        self.random.index(self.accounts.len())
    }

    fn some_sku(&mut self, fits: fn(Metering) -> bool) -> Sku {
        let fitting: Vec<&Sku> = self.skus.iter().filter(|sku| fits(sku.product.metering)).collect();
        (*self.random.pick(&fitting)).clone()
    }

    /// Returns what all lines of an account have; the hour is one of the month.
    fn line(&mut self, line_item_type: &str, account: usize) -> Line {
        let hours = u64::try_from(days_in(&self.options.period) * 24).expect("a month has hours");
        let hour = i64::try_from(self.random.below(hours)).expect("a month is short");
        let period = self.options.period.clone();
        let owner = &self.accounts[account];
        let line = Line::new(line_item_type, &owner.id).in_period(&period).in_currency(&owner.currency);
        let mut line = line.during(&hour_of(&period, hour), &hour_of(&period, hour + 1));
        line.bill_payer_account_name = Some(self.accounts[0].name.clone());
        line.line_item_usage_account_name = Some(self.accounts[account].name.clone());
        line.identity_line_item_id = Some(self.random.code(52).to_lowercase());
        if self.random.percent(40) {
            let project = *self.random.pick(&["web", "data", "shop, \"beta\"", "büro"]);
            line.resource_tags.insert("user_project".to_owned(), project.to_owned());
            line.resource_tags.insert(
                "aws_created_by".to_owned(),
                format!("Root:{}", line.identity_line_item_id.as_deref().map_or("", |id| &id[..6])),
            );
        }
        line
    }

    /// Adds a finished line. The net cost equals the unblended cost unless the line has its own.
    fn push(&mut self, mut line: Line) {
        if !self.options.net_columns {
            line.line_item_net_unblended_cost = None;
        } else if line.line_item_net_unblended_cost.is_none() {
            line.line_item_net_unblended_cost = line.line_item_unblended_cost;
        }
        self.lines.push(line);
    }
}

fn sample_accounts(options: &MonthOptions, random: &mut Random) -> Vec<SampleAccount> {
    let account = |index: usize| {
        // Every third id starts with zeros, which a reader must keep.
        let digits = random.below(1_000_000);
        let id = match index {
            0 => PAYER.to_owned(),
            _ if index % 3 == 1 => format!("0000{digits:06}{:02}", index % 100),
            _ => format!("{:04}{digits:06}{:02}", 1000 + index, index % 100),
        };
        let currency = options.currencies.get(index % options.currencies.len().max(1));
        SampleAccount {
            id,
            name: if index == 0 { "payer".to_owned() } else { format!("account-{index}") },
            currency: currency.cloned().unwrap_or_else(|| "USD".to_owned()),
        }
    };
    (0..options.accounts.max(1)).map(account).collect()
}

fn nine_percent_off(cost: Amount) -> Amount {
    cost - cost.times(Amount(900_000_000))
}
