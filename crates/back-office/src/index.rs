//! What listings ask of a configuration again and again, counted once per configuration and period.

use billing::account::AccountId;
use billing::configuration::{
    AssociationSizes, BillingGroupId, Configuration, CustomLineItemId, ItemSettings, PricingRuleId,
    plans_per_rule,
};
use billing::period::BillingPeriod;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// How many periods of one configuration are remembered.
const PERIODS_MAX: usize = 24;

/// What is counted of a period.
#[derive(Debug)]
pub struct PeriodIndex {
    sizes: BTreeMap<BillingGroupId, u64>,
    group_of: BTreeMap<AccountId, BillingGroupId>,
    plans_per_rule: HashMap<PricingRuleId, usize>,
    associations: AssociationSizes,
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
        let (mut sizes, mut group_of) = (BTreeMap::new(), BTreeMap::new());
        let associations = configuration.associations(period);
        for (account, group, _) in associations.accounts() {
            if let Some(group) = group {
                group_of.insert(account.clone(), group.clone());
            }
        }
        for (id, ..) in configuration.groups_after(0, period) {
            for account in associations.members(id) {
                group_of.insert((*account).clone(), id.clone());
            }
            sizes.insert(id.clone(), associations.size(id) as u64);
        }
        Self {
            sizes,
            group_of,
            plans_per_rule: plans_per_rule(configuration, period),
            associations: AssociationSizes::new(configuration, period),
        }
    }

    /// What is associated with a custom line item: of a percentage what it is taken of, of a flat item the percentages.
    #[must_use]
    pub fn association_size(&self, id: &CustomLineItemId, item: &ItemSettings) -> u64 {
        self.associations.of(id, item) as u64
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
        self.plans_per_rule.get(rule).copied().unwrap_or_default() as u64
    }
}
