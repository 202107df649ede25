//! Tier pools: usage that fills tiers together has one exact amount, which its classes share.
//!
//! A pool of custom tiers is a group and a rule; a pool of AWS's tiers is a group and a SKU. A free quota goes over the pools of all
//! its SKUs in the group.

use super::tariffs::{Tariffs, TierSource};
use crate::charge_class::{ChargeClass, Cube, KeyColumn, TextId};
use crate::money::{Amount, DecimalError, Quantity, Rate, product};
use crate::tier_pool;
use crate::tiers::Tiers;
use std::collections::{BTreeMap, HashMap};

/// Usage that fills tiers together.
#[derive(Debug, Clone)]
pub struct TierPool {
    /// The group, by number in the book.
    pub group: u32,
    /// Where the tiers are from.
    pub source: TierSource,
    /// The tiers.
    pub tiers: Tiers,
    /// The classes, by number in the cube.
    pub classes: Vec<u32>,
    /// All usage that fills the tiers: that of the classes, but where the price has changed within the month and other classes have
    /// another.
    pub usage: Quantity,
    /// What of it an Always Free quota covers.
    pub free: Quantity,
    /// The rule that has switched the free tier off.
    pub switched_off_by: Option<u32>,
    /// What the classes cost, before any percentage.
    pub amount: Amount,
}

/// What classes have of their pools' amounts.
type Shares = Vec<(u32, Amount)>;

/// The pools that a quota goes over, by the texts of SKU and currency: an order that is the same for every reading of the month.
type Takers<'a> = BTreeMap<[&'a str; 2], &'a Vec<u32>>;

/// The pools in the making: which class fills which tiers.
#[derive(Debug, Default)]
pub(super) struct Pools {
    pools: Vec<TierPool>,
    numbers: HashMap<PoolKey, u32>,
    /// The pools of a group's SKU: one, or one for each price of the month.
    by_sku: BTreeMap<SkuOfGroup, Vec<u32>>,
    /// All pools of a SKU that has several, by each of them.
    together: HashMap<u32, Vec<u32>>,
}

/// What fills tiers together: a group's usage of a SKU that is billed in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SkuOfGroup {
    group: u32,
    sku: TextId,
    currency: TextId,
}

impl SkuOfGroup {
    /// Where a class of a group belongs.
    pub fn new(class: &ChargeClass, group: u32) -> Self {
        Self { group, sku: class.text(KeyColumn::Sku), currency: class.text(KeyColumn::Currency) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum PoolKey {
    Rule { group: u32, rule: u32 },
    Tariff { group: u32, tariff: u32 },
}

impl Pools {
    /// Puts a class into the pool of a rule's own tiers.
    pub fn join_rule(&mut self, class: usize, group: u32, rule: u32, tiers: &Tiers) -> u32 {
        let key = PoolKey::Rule { group, rule };
        self.join(class, key, group, || (TierSource::Rule(rule), tiers.clone(), None))
    }

    /// Puts a class into the pool of its SKU.
    pub fn join_sku(
        &mut self,
        class: usize,
        of: SkuOfGroup,
        tariff: u32,
        tariffs: &Tariffs,
        switched_off_by: Option<u32>,
    ) -> u32 {
        let of_sku = tariffs.tariff(tariff);
        let key = PoolKey::Tariff { group: of.group, tariff };
        let pool = self.join(class, key, of.group, || (of_sku.source, of_sku.tiers.clone(), switched_off_by));
        let pools = self.by_sku.entry(of).or_default();
        if !pools.contains(&pool) {
            pools.push(pool);
        }
        pool
    }

    fn join(
        &mut self,
        class: usize,
        key: PoolKey,
        group: u32,
        terms: impl FnOnce() -> (TierSource, Tiers, Option<u32>),
    ) -> u32 {
        // There are no more pools and no more classes than u32 holds.
        let next = u32::try_from(self.pools.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            let (source, tiers, switched_off_by) = terms();
            let (classes, amount) = (Vec::new(), Amount::ZERO);
            let (usage, free) = (Quantity::ZERO, Quantity::ZERO);
            self.pools.push(TierPool { group, source, tiers, classes, usage, free, switched_off_by, amount });
        }
        self.pools[number as usize].classes.push(u32::try_from(class).unwrap_or(u32::MAX));
        number
    }

    /// Prices every pool as a whole, by the usage that each class has in it; gives the pools, and what each class has of its own.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`], and a class of the pool.
    pub fn price(
        mut self,
        cube: &Cube,
        tariffs: &Tariffs,
        usage: impl Fn(&u32) -> Quantity,
    ) -> Result<(Vec<TierPool>, Shares), (u32, DecimalError)> {
        for pool in &mut self.pools {
            pool.usage = sum(pool.classes.iter().map(&usage)).map_err(|error| (pool.classes[0], error))?;
        }
        self.fill_together().map_err(|(pool, error)| (self.pools[pool as usize].classes[0], error))?;
        self.give_quotas(cube, tariffs)
            .map_err(|(pool, error)| (self.pools[pool as usize].classes[0], error))?;
        let mut amounts = Vec::new();
        for number in 0..self.pools.len() {
            let own = self.shares(number, &usage).map_err(|error| (self.pools[number].classes[0], error))?;
            let pool = &mut self.pools[number];
            pool.amount = own
                .iter()
                .try_fold(Amount::ZERO, |sum, (_, more)| sum.plus(*more))
                .map_err(|e| (own[0].0, e))?;
            amounts.extend(own);
        }
        Ok((self.pools, amounts))
    }

    /// Where a SKU had several prices in the month, its usage fills the tiers of all of them.
    fn fill_together(&mut self) -> Result<(), (u32, DecimalError)> {
        for pools in self.by_sku.values().filter(|pools| pools.len() > 1) {
            let whole = sum(pools.iter().map(|pool| self.pools[*pool as usize].usage));
            let whole = whole.map_err(|error| (pools[0], error))?;
            for pool in pools {
                self.pools[*pool as usize].usage = whole;
                self.together.insert(*pool, pools.clone());
            }
        }
        Ok(())
    }

    /// Gives each group its free quotas: what they cover goes to the SKUs in proportion to their usage.
    fn give_quotas(&mut self, cube: &Cube, tariffs: &Tariffs) -> Result<(), (u32, DecimalError)> {
        let mut takers: BTreeMap<(u32, u32), Takers<'_>> = BTreeMap::new();
        for (of, pools) in &self.by_sku {
            if let Some(Some(quota)) = tariffs.quota(of.sku) {
                let texts = [of.sku, of.currency].map(|id| cube.text(id));
                takers.entry((of.group, quota)).or_default().insert(texts, pools);
            }
        }
        for ((_, quota), skus) in takers {
            let skus: Vec<&Vec<u32>> = skus.into_values().collect();
            let usage: Vec<Quantity> =
                skus.iter().map(|pools| self.pools[pools[0] as usize].usage.max(Quantity::ZERO)).collect();
            let failed = |error| (skus[0][0], error);
            let whole = sum(usage.iter().copied()).map_err(failed)?;
            let free = tariffs.quota_terms(quota).quantity.map_or(whole, |quantity| quantity.min(whole));
            let parts = tier_pool::share_quantity(free, &usage).map_err(failed)?;
            for (pools, free) in skus.into_iter().zip(parts) {
                pools.iter().for_each(|pool| self.pools[*pool as usize].free = free);
            }
        }
        Ok(())
    }

    /// What each class of a pool costs: its part, by usage, of what all usage costs at the pool's tiers.
    fn shares(&self, number: usize, usage: impl Fn(&u32) -> Quantity) -> Result<Shares, DecimalError> {
        let pool = &self.pools[number];
        let amount = pool.price()?;
        let together = u32::try_from(number).ok().and_then(|number| self.together.get(&number));
        let mut classes: Vec<u32> = match together {
            Some(pools) => {
                pools.iter().flat_map(|pool| &self.pools[*pool as usize].classes).copied().collect()
            }
            None => pool.classes.clone(),
        };
        classes.sort_unstable();
        let weights: Vec<Quantity> = classes.iter().map(usage).collect();
        let shares = tier_pool::share(amount, &weights)?;
        // Classes join in the order of the cube.
        let own =
            |(class, _): &(u32, Amount)| together.is_none() || pool.classes.binary_search(class).is_ok();
        Ok(classes.into_iter().zip(shares).filter(own).collect())
    }
}

impl TierPool {
    /// What all usage of the pool costs: what is free at nothing, or at the first paid rate once the free tier is off; the rest at the tiers.
    fn price(&self) -> Result<Amount, DecimalError> {
        let paid = self.usage.minus(self.free)?;
        if self.switched_off_by.is_none() {
            return self.tiers.price(paid);
        }
        let first_paid: Rate = self.tiers.first_paid().unwrap_or_default();
        self.tiers.without_free().price(paid)?.plus(product(self.free, first_paid)?)
    }
}

fn sum(quantities: impl IntoIterator<Item = Quantity>) -> Result<Quantity, DecimalError> {
    quantities.into_iter().try_fold(Quantity::ZERO, |sum, more| sum.plus(more))
}
