//! A random book over the accounts and the products of a sample month: rules of every scope that match something,
//! custom line items of every kind, active and not.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    BASIC_PRICING_PLAN, BillingGroup, Charge, CustomLineItem, CustomTier, Filter, PricingPlan, PricingRule,
    Rate, SampleBook, Scope,
};
use crate::amount::{Amount, ONE};
use crate::calendar::shift_period;
use crate::line::{Line, PAYER};
use crate::month::SampleMonth;
use crate::random::Random;

/// What kind of book to make up.
#[derive(Clone, Debug)]
pub struct BookOptions {
    /// Determines everything else.
    pub seed: u64,
    /// How many groups, as far as there are accounts.
    pub groups: usize,
    /// Whether plans may have custom tiers.
    pub custom_tiers: bool,
    /// Whether groups have custom line items.
    pub custom_line_items: bool,
}

impl Default for BookOptions {
    fn default() -> Self {
        Self { seed: 1, groups: 3, custom_tiers: true, custom_line_items: true }
    }
}

/// What a rule may select in the month.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Product {
    service: String,
    usage_type: String,
    operation: String,
}

struct Maker<'a> {
    random: Random,
    month: &'a SampleMonth,
    /// Metered products with their total usage.
    products: BTreeMap<Product, Amount>,
    services: Vec<String>,
    book: SampleBook,
}

impl SampleBook {
    /// Makes up a book for a month, with everything in it by default.
    pub fn of(seed: u64, month: &SampleMonth) -> Self {
        Self::generate(&BookOptions { seed, ..BookOptions::default() }, month)
    }

    /// Makes up a book for a month.
    pub fn generate(options: &BookOptions, month: &SampleMonth) -> Self {
        let mut maker = Maker::new(options.seed, month);
        let plans = ["gold", "silver", "bronze"];
        for plan in plans {
            maker.add_plan(plan, options.custom_tiers);
        }
        maker.book.pricing_plans.push(PricingPlan { name: "at-list".to_owned(), pricing_rules: Vec::new() });
        maker.add_groups(options.groups);
        if options.custom_line_items {
            for group in maker.book.billing_groups.clone() {
                maker.add_custom_line_items(&group);
            }
        }
        maker.book
    }
}

impl<'a> Maker<'a> {
    fn new(seed: u64, month: &'a SampleMonth) -> Self {
        let mut products: BTreeMap<Product, Amount> = BTreeMap::new();
        for line in &month.lines {
            if let Some(product) = product(line) {
                *products.entry(product).or_default() += line.line_item_usage_amount.unwrap_or_default();
            }
        }
        let services: BTreeSet<String> = products.keys().map(|product| product.service.clone()).collect();
        let book = SampleBook {
            payer_account_id: PAYER.to_owned(),
            currency: month.accounts[0].currency.clone(),
            accounts: month
                .accounts
                .iter()
                .map(|account| (account.id.clone(), account.name.clone()))
                .collect(),
            ..SampleBook::default()
        };
        Self {
            random: Random::new(seed ^ 0xB00C),
            month,
            products,
            services: services.into_iter().collect(),
            book,
        }
    }

    /// Returns a percentage below the limit with up to four decimals.
    fn percentage(&mut self, limit: i128) -> String {
        let units = self.random.between(0, limit * 10_000);
        let step = *self.random.pick(&[1, 100, 10_000]);
        Amount(units / step * step * (ONE / 10_000)).to_string()
    }

    fn percentage_rate(&mut self) -> Rate {
        if self.random.percent(65) {
            Rate::Markup(self.percentage(60))
        } else {
            Rate::Discount(self.percentage(40))
        }
    }

    fn add_plan(&mut self, plan: &str, custom_tiers: bool) {
        let mut rules: Vec<(Scope, Rate)> = Vec::new();
        if self.random.percent(80) {
            rules.push((Scope::Global, self.percentage_rate()));
        }
        for entity in ["AWS", "AWS Marketplace"] {
            if self.random.percent(45) {
                rules.push((Scope::BillingEntity(entity.to_owned()), self.percentage_rate()));
            }
        }
        let mut services = self.services.clone();
        self.random.shuffle(&mut services);
        services.truncate(2);
        for service in services {
            rules.push((Scope::Service(service), self.percentage_rate()));
        }
        rules.extend(self.sku_rules(custom_tiers));
        if self.random.percent(30) {
            rules.push((Scope::Global, Rate::FreeTier(true)));
        }
        let names: Vec<String> = (1..=rules.len()).map(|number| format!("{plan}-rule-{number}")).collect();
        let named = names.iter().zip(rules).map(|(name, (scope, rate))| PricingRule {
            name: name.clone(),
            scope,
            rate,
        });
        self.book.pricing_rules.extend(named);
        self.book.pricing_plans.push(PricingPlan { name: plan.to_owned(), pricing_rules: names });
    }

    /// Returns rules for a few usage types. Each usage type has either percentages or tiers, never both: what happens
    /// then is no business of a random book.
    fn sku_rules(&mut self, custom_tiers: bool) -> Vec<(Scope, Rate)> {
        let mut products: Vec<(Product, Amount)> =
            self.products.iter().map(|(product, usage)| (product.clone(), *usage)).collect();
        self.random.shuffle(&mut products);
        let mut seen = BTreeSet::new();
        products.retain(|(product, _)| seen.insert((product.service.clone(), product.usage_type.clone())));
        let mut rules = Vec::new();
        for (index, (product, usage)) in products.into_iter().take(6).enumerate() {
            let scope = |operation| Scope::Sku {
                service: product.service.clone(),
                usage_type: product.usage_type.clone(),
                operation,
            };
            match index {
                0 | 1 if custom_tiers => rules.push((scope(None), self.custom_tiers(usage))),
                2 => rules.push((scope(None), self.percentage_rate())),
                3 => rules.push((scope(Some(product.operation.clone())), self.percentage_rate())),
                4 => {
                    rules.push((scope(None), self.percentage_rate()));
                    rules.push((scope(Some(product.operation.clone())), self.percentage_rate()));
                }
                _ => {}
            }
        }
        rules
    }

    /// Returns one to three tiers whose borders lie within the usage of the month.
    fn custom_tiers(&mut self, usage: Amount) -> Rate {
        let count = self.random.between(1, 3);
        let step = Amount((usage.0 / 4).max(1));
        let tier = |index: i128, rate: Amount| CustomTier {
            begin: (step * index).to_string(),
            end: (index + 1 < count).then(|| (step * (index + 1)).to_string()),
            rate: rate.to_string(),
        };
        Rate::CustomTiers(
            (0..count).map(|index| tier(index, Amount(self.random.between(1, ONE / 5)))).collect(),
        )
    }

    /// Gives every group an account, leaves some accounts alone and spreads the rest.
    fn add_groups(&mut self, groups: usize) {
        let mut accounts: Vec<String> =
            self.month.accounts.iter().map(|account| account.id.clone()).collect();
        self.random.shuffle(&mut accounts);
        // The payer may be a member, but no primary account.
        let groups = groups.min(accounts.len().saturating_sub(1));
        let last = accounts.len() - 1;
        if let Some(payer) = accounts.iter().take(groups).position(|account| account == PAYER) {
            accounts.swap(payer, last);
        }
        let mut members: Vec<Vec<String>> = vec![Vec::new(); groups];
        for (index, account) in accounts.into_iter().enumerate() {
            if index < groups {
                members[index].push(account);
            } else if index > groups && self.random.percent(75) {
                // The account at `groups` stays ungrouped in every book.
                members[self.random.index(groups)].push(account);
            }
        }
        for (index, accounts) in members.into_iter().enumerate() {
            let plans = ["gold", "silver", "bronze", "gold", "at-list", BASIC_PRICING_PLAN];
            let plan = if index == 0 { "gold" } else { *self.random.pick(&plans) };
            self.book.billing_groups.push(BillingGroup {
                name: format!("group-{}", index + 1),
                primary_account_id: accounts[0].clone(),
                accounts,
                pricing_plan: plan.to_owned(),
            });
        }
    }

    fn add_custom_line_items(&mut self, group: &BillingGroup) {
        let flats = self.random.between(1, 3);
        let mut flat_names = Vec::new();
        for number in 1..=flats {
            let cents = self.random.between(0, 50_000);
            let mut item = self.item(
                group,
                &format!("flat-{number}"),
                Charge::Flat(format!("{}.{:02}", cents / 100, cents % 100)),
            );
            item.presentation_service = self.maybe_service();
            flat_names.push(item.name.clone());
            self.book.custom_line_items.push(item);
        }
        let has_tiers =
            self.book.rules_of(group).iter().any(|rule| matches!(rule.rate, Rate::CustomTiers(_)));
        for number in 1..=self.random.between(2, 5) {
            // A charge per class must fit the decimals of money, or its sum depends on what a class is.
            let is_itemized = !has_tiers && self.random.percent(35);
            let charge = if is_itemized {
                let percentage = Amount(self.random.between(0, 3_000) * (ONE / 100)).to_string();
                Charge::Percentage { value: percentage, associated_values: None, is_itemized }
            } else {
                let associated_values = self.associated_values(&flat_names);
                Charge::Percentage { value: self.percentage(30), associated_values, is_itemized }
            };
            let mut item = self.item(group, &format!("percentage-{number}"), charge);
            item.presentation_service = if is_itemized { None } else { self.maybe_service() };
            item.filter = self.maybe_filter();
            self.book.custom_line_items.push(item);
        }
    }

    fn item(&mut self, group: &BillingGroup, name: &str, charge: Charge) -> CustomLineItem {
        let period = &self.month.period;
        let (start, end) = match self.random.below(10) {
            0 => (shift_period(period, 1), None),
            1 => (shift_period(period, -2), Some(period.clone())),
            2 | 3 => (period.clone(), Some(shift_period(period, 1))),
            4 => (shift_period(period, -12), Some(shift_period(period, 3))),
            _ => (shift_period(period, -1), None),
        };
        let account = self.random.pick(&group.accounts).clone();
        CustomLineItem {
            name: format!("{}-{name}", group.name),
            description: format!("{name} of {}", group.name),
            billing_group: group.name.clone(),
            is_credit: self.random.percent(35),
            charge,
            filter: None,
            presentation_service: None,
            start,
            end,
            account_id: self.random.percent(40).then_some(account),
        }
    }

    fn associated_values(&mut self, flat_names: &[String]) -> Option<Vec<String>> {
        let flat = self.random.pick(flat_names).clone();
        match self.random.below(6) {
            0 => Some(Vec::new()),
            1 => Some(vec![flat]),
            2 => Some(vec!["billing_group".to_owned(), flat]),
            3 => Some(vec!["billing_group".to_owned()]),
            _ => None,
        }
    }

    fn maybe_service(&mut self) -> Option<String> {
        self.random.percent(30).then(|| self.random.pick(&self.services).clone())
    }

    fn maybe_filter(&mut self) -> Option<Filter> {
        let service = self.random.pick(&self.services).clone();
        match self.random.below(6) {
            0 => Some(Filter::WithoutSavingsPlanNegation),
            1 => Some(Filter::Service(service)),
            2 => Some(Filter::OtherServices(service)),
            _ => None,
        }
    }
}

/// Metered lines with a SKU are what SKU rules are for.
fn product(line: &Line) -> Option<Product> {
    line.product_sku.as_ref()?;
    Some(Product {
        service: line.product_servicecode.clone()?,
        usage_type: line.line_item_usage_type.clone()?,
        operation: line.line_item_operation.clone()?,
    })
}
