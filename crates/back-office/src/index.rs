//! What listings ask of a configuration again and again, counted once per configuration and period.

use billing::account::AccountId;
use billing::configuration::{
    AssociatedValue, BillingGroupId, ChargeSettings, Configuration, CustomLineItemId, ItemSettings,
    PricingRuleId,
};
use billing::period::BillingPeriod;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// How many periods of one configuration are remembered.
const PERIODS_MAX: usize = 24;

/// What is counted of a period.
#[derive(Debug, Default)]
pub struct PeriodIndex {
    sizes: BTreeMap<BillingGroupId, u64>,
    group_of: BTreeMap<AccountId, BillingGroupId>,
    plans_of_rule: HashMap<PricingRuleId, u64>,
    percentages_of_item: HashMap<CustomLineItemId, u64>,
}

/// The indexes of one configuration; a clone is the same ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Indexes(Arc<Mutex<BTreeMap<BillingPeriod, Arc<PeriodIndex>>>>);

impl Indexes {
    pub fn of(&self, configuration: &Configuration, period: BillingPeriod) -> Arc<PeriodIndex> {
        let mut indexes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = indexes.get(&period) {
            return index.clone();
        }
        if indexes.len() >= PERIODS_MAX {
            indexes.clear();
        }
        let index = Arc::new(PeriodIndex::new(configuration, period));
        indexes.insert(period, index.clone());
        index
    }
}

impl PeriodIndex {
    fn new(configuration: &Configuration, period: BillingPeriod) -> Self {
        let mut index = Self::default();
        let associations = configuration.associations(period);
        for (account, group, _) in associations.accounts() {
            if let Some(group) = group {
                index.group_of.insert(account.clone(), group.clone());
            }
        }
        for (id, ..) in configuration.groups_after(0, period) {
            for account in associations.members(id) {
                index.group_of.insert((*account).clone(), id.clone());
            }
            index.sizes.insert(id.clone(), associations.size(id) as u64);
        }
        for (.., plan) in configuration.plans.in_period(period) {
            for rule in &plan.rules {
                *index.plans_of_rule.entry(rule.clone()).or_default() += 1;
            }
        }
        for (.., item) in configuration.items.in_period(period) {
            let ChargeSettings::Percentage { of, .. } = &item.charge else { continue };
            for value in of {
                if let AssociatedValue::Item(flat) = value {
                    *index.percentages_of_item.entry(flat.clone()).or_default() += 1;
                }
            }
        }
        index
    }

    /// What is associated with a custom line item: of a percentage what it is taken of, of a flat item the percentages.
    #[must_use]
    pub fn association_size(&self, id: &CustomLineItemId, item: &ItemSettings) -> u64 {
        match &item.charge {
            ChargeSettings::Percentage { of, .. } => of.len() as u64,
            ChargeSettings::Flat(_) => self.percentages_of_item.get(id).copied().unwrap_or_default(),
        }
    }

    /// How many accounts a group has.
    #[must_use]
    pub fn size(&self, group: &BillingGroupId) -> u64 {
        self.sizes.get(group).copied().unwrap_or_default()
    }

    /// How many of some accounts a group has.
    #[must_use]
    pub fn size_of(&self, group: &BillingGroupId, accounts: &BTreeSet<AccountId>) -> u64 {
        accounts.iter().filter(|account| self.group_of.get(*account) == Some(group)).count() as u64
    }

    /// How many pricing plans hold a rule.
    #[must_use]
    pub fn plans_of_rule(&self, rule: &PricingRuleId) -> u64 {
        self.plans_of_rule.get(rule).copied().unwrap_or_default()
    }
}
