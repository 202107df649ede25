//! The rate card: for every charge class one treatment, one operation, at most one rule, and the amount.
//!
//! Plain code over some ten thousand rows: a rule change needs nothing else. `docs/pricing.md` has the same rules in
//! words and their sources. A class's amount follows from its own sums and its entry alone, but for custom tiers, where a
//! pool of classes shares one exact amount.

use crate::abilities::{self, Ability, Feature};
use crate::account::AccountId;
use crate::book::Book;
use crate::charge_class::{ChargeClass, Cube, KeyColumn, Measure, TextId, TextMap};
use crate::commitment;
use crate::cost_line::{LineItemType, is_split_operation, is_support};
use crate::money::{Amount, DecimalError, Factor, Rate, product};
use crate::pricing::{Pricing, RuleIndex, Selector};
use crate::tier_pool;
use std::collections::{BTreeMap, HashMap, HashSet};

mod item_charges;
mod line_amount;
pub use item_charges::{ItemCharge, item_charges};
pub use line_amount::{LinePrice, WRITTEN_DECIMALS_MAX, Written, written_amount};

/// The tier part of a rate code whose price is the only one, or the base one, of its SKU.
const BASE_TIER: &str = "6YS6EN2CT7";
/// The offer part of a rate code that is an On-Demand price.
const ON_DEMAND_OFFER: &str = "JRTCKXETXF";

/// What the pro forma bill does with a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// The account is in no group.
    Ungrouped,
    /// The pro forma bill leaves it out.
    Dropped(Reason),
    /// A commitment of the group: its fees, the usage it covers, the negation of that usage. No rule applies.
    AtCost,
    /// Priced on this base.
    Priced(Base),
}

/// Why a class is left out of the pro forma bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A row of split cost allocation repeats cost that other rows carry.
    SplitCostAllocation,
    /// Tax.
    Tax,
    /// A support plan.
    Support,
    /// A credit, a refund or a discount.
    CreditOrDiscount,
    /// A fee or a negation of a commitment that somebody outside the group owns.
    CommitmentOutside,
    /// A line item type that this program does not know.
    UnknownType,
}

/// What a price starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// The group's own usage, at a rule's tiers.
    CustomTiers,
    /// Spot: its unblended cost.
    Spot,
    /// Always-free usage: nothing.
    ZeroRate,
    /// A tiered SKU that no discount touches: its unblended cost.
    TieredUnblended,
    /// A tiered SKU under a discount: its public On-Demand cost, which is that of the dearest tier.
    TieredPublic,
    /// The public On-Demand cost.
    PublicOnDemand,
    /// No public cost: the unblended cost.
    FallenBack,
}

/// What is done to every line of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// The line is left out.
    Drop,
    /// The line stays at a measure of its own.
    Keep(Measure),
    /// The line is a measure of its own times a factor.
    Scale(Measure, Factor),
    /// The line is its usage at the rate of its tier pool, by number in [`RateCard::pools`].
    Rate(u32),
}

/// A class's place on the rate card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The billing group, by number in the book.
    pub group: Option<u32>,
    /// What the bill does with the class.
    pub treatment: Treatment,
    /// The rule that priced it, by number in the book.
    pub rule: Option<u32>,
    /// What that means for every line.
    pub operation: Operation,
    /// The class's pro forma amount, in its currency.
    pub amount: Amount,
}

/// The usage that one custom tier rule prices in one group.
#[derive(Debug, Clone)]
pub struct TierPool {
    /// The group, by number in the book.
    pub group: u32,
    /// The rule, by number in the book.
    pub rule: u32,
    /// The classes, by number in the cube.
    pub classes: Vec<u32>,
    /// What the whole pool costs.
    pub amount: Amount,
}

/// Every class's operation and amount, in the order of the cube.
#[derive(Debug)]
pub struct RateCard {
    /// An entry per class.
    pub entries: Vec<Entry>,
    /// The pools of custom tiers.
    pub pools: Vec<TierPool>,
    /// What the operator should know: AWS's caps exceeded, rules in doubt.
    pub warnings: Vec<String>,
    /// Accounts that joined the group with `auto_associate`.
    pub auto_associated: Vec<String>,
}

/// Why a month cannot be priced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PricingError {
    /// The list price of a line is in another currency than the bill.
    #[error(
        "{class}: billed in {currency}, but its list price is in {pricing_currency}; an amount would mix currencies. \
         Take account `{account}` out of its billing group, or price it from files in one currency"
    )]
    ListPriceCurrency {
        /// The class, in words.
        class: String,
        /// The account.
        account: String,
        /// The bill's currency.
        currency: String,
        /// The list price's currency.
        pricing_currency: String,
    },
    /// Custom tiers are in the book's currency, the line in another.
    #[error(
        "{class}: billed in {currency}, but rule `{rule}` has its tiers in the book's currency {book_currency}; an \
         amount would mix currencies"
    )]
    TierCurrency {
        /// The class, in words.
        class: String,
        /// The rule.
        rule: String,
        /// The line's currency.
        currency: String,
        /// The book's.
        book_currency: String,
    },
    /// Rules by something that the cost files do not say.
    #[error("{}", .0.join("; "))]
    NotServed(Vec<String>),
    /// A sum is beyond what money can hold.
    #[error("{class}: an amount is {source}")]
    TooLarge {
        /// The class, in words.
        class: String,
        /// The cap.
        source: DecimalError,
    },
}

/// Prices a cube under a book.
///
/// # Errors
/// [`PricingError`] for rules that the cost files cannot serve, else for the first class, in cube order, that cannot be priced.
pub fn rate_card(cube: &Cube, book: &Book) -> Result<RateCard, PricingError> {
    let verdict = abilities::verdict(cube, book);
    if !verdict.refused.is_empty() {
        return Err(PricingError::NotServed(verdict.refused));
    }
    let mut card = Pricer::new(cube, book);
    card.warnings.extend(verdict.approximate);
    for number in 0..cube.classes.len() {
        card.price_class(number)?;
    }
    card.price_pools()?;
    Ok(RateCard {
        entries: card.entries,
        pools: card.pools,
        warnings: card.warnings.into_iter().collect(),
        auto_associated: card.auto_associated,
    })
}

struct Pricer<'a> {
    cube: &'a Cube,
    book: &'a Book,
    groups: TextMap<TextId, u32>,
    /// The group of each account that the book names, whether or not the cube has lines of it.
    members: BTreeMap<&'a str, usize>,
    indexes: Vec<RuleIndex>,
    tiered_skus: HashSet<TextId>,
    /// Whether the month's lines say their pricing terms at all.
    has_terms: bool,
    entries: Vec<Entry>,
    pools: Vec<TierPool>,
    pool_numbers: HashMap<(u32, u32), u32>,
    warnings: std::collections::BTreeSet<String>,
    auto_associated: Vec<String>,
}

impl<'a> Pricer<'a> {
    fn new(cube: &'a Cube, book: &'a Book) -> Self {
        let (groups, auto_associated) = groups_by_account(cube, book);
        let has_terms = cube.classes.iter().any(|class| cube.filled(class, KeyColumn::PricingTerm).is_some());
        Self {
            cube,
            book,
            groups,
            members: book.group_by_account(),
            indexes: book.plans.iter().map(|plan| RuleIndex::new(plan, &book.rules, &cube.texts)).collect(),
            tiered_skus: tiered_skus(cube, has_terms),
            has_terms,
            entries: Vec::with_capacity(cube.classes.len()),
            pools: Vec::new(),
            pool_numbers: HashMap::new(),
            warnings: Default::default(),
            auto_associated,
        }
    }

    fn price_class(&mut self, number: usize) -> Result<(), PricingError> {
        let class = &self.cube.classes[number];
        let group = self.groups.get(&class.text(KeyColumn::UsageAccount)).copied();
        let treatment = group.map_or(Treatment::Ungrouped, |group| self.treatment(class, group));
        let mut entry =
            Entry { group, treatment, rule: None, operation: Operation::Drop, amount: Amount::ZERO };
        match (treatment, group) {
            (Treatment::AtCost, _) => {
                entry.operation = Operation::Keep(Measure::Unblended);
                entry.amount =
                    class.sum(Measure::Unblended).to_amount().map_err(|e| self.too_large(class, e))?;
            }
            (Treatment::Priced(base), Some(group)) => self.price(number, class, group, base, &mut entry)?,
            _ => {}
        }
        self.entries.push(entry);
        Ok(())
    }

    /// What the bill does with a class; of a priced class, the base it has where no custom tier prices it.
    fn treatment(&self, class: &ChargeClass, group: u32) -> Treatment {
        let cube = self.cube;
        let kind = line_item_type(cube, class);
        if let Some(reason) = left_out_of_aws_cost(cube, class, kind) {
            return Treatment::Dropped(reason);
        }
        let owned = || self.group_of_owner(commitment::owner(cube, class)) == Some(group);
        match kind {
            LineItemType::Credit | LineItemType::Refund | LineItemType::Discount => {
                Treatment::Dropped(Reason::CreditOrDiscount)
            }
            LineItemType::Tax => Treatment::Dropped(Reason::Tax),
            LineItemType::Unknown => Treatment::Dropped(Reason::UnknownType),
            LineItemType::Usage => Treatment::Priced(self.usage_base(class)),
            LineItemType::DiscountedUsage | LineItemType::SavingsPlanCoveredUsage if !owned() => {
                Treatment::Priced(self.listed_base(class))
            }
            LineItemType::Fee if commitment::arn(cube, class).is_none() => {
                Treatment::Priced(self.listed_base(class))
            }
            LineItemType::FlatRateSubscription => Treatment::Priced(self.listed_base(class)),
            _ if owned() => Treatment::AtCost,
            _ => Treatment::Dropped(Reason::CommitmentOutside),
        }
    }

    /// The group of a commitment's owner, who may have no line of its own this month.
    fn group_of_owner(&self, owner: &str) -> Option<u32> {
        let by_lines = self.cube.texts.find(owner).and_then(|owner| self.groups.get(&owner).copied());
        by_lines.or_else(|| self.members.get(owner).and_then(|group| u32::try_from(*group).ok()))
    }

    /// The base of On-Demand, spot and free usage.
    fn usage_base(&self, class: &ChargeClass) -> Base {
        let cube = self.cube;
        let state = cube.value(class, KeyColumn::UnblendedRateState);
        if is_spot(cube, class, self.has_terms) {
            return Base::Spot;
        }
        let listed = cube.filled(class, KeyColumn::PublicRate).is_some_and(|rate| rate != "0");
        if state == Some("0") && listed {
            return Base::ZeroRate;
        }
        let discounted = class.sum(Measure::NetUnblended) != class.sum(Measure::Unblended);
        match self.listed_base(class) {
            Base::PublicOnDemand if self.tiered_skus.contains(&class.text(KeyColumn::Sku)) => {
                if discounted {
                    Base::TieredPublic
                } else {
                    Base::TieredUnblended
                }
            }
            base => base,
        }
    }

    fn listed_base(&self, class: &ChargeClass) -> Base {
        match self.cube.value(class, KeyColumn::PublicCostState) {
            Some(_) => Base::PublicOnDemand,
            None => Base::FallenBack,
        }
    }

    fn price(
        &mut self,
        number: usize,
        class: &ChargeClass,
        group: u32,
        base: Base,
        entry: &mut Entry,
    ) -> Result<(), PricingError> {
        let kind = line_item_type(self.cube, class);
        let service = class.text(KeyColumn::ServiceCode);
        let filled = self.cube.texts.get(service).is_some_and(|text| !text.is_empty());
        let selector = Selector {
            service: if filled { service } else { class.text(KeyColumn::ProductCode) },
            usage_type: class.text(KeyColumn::UsageType),
            operation: class.text(KeyColumn::Operation),
            billing_entity: class.text(KeyColumn::BillingEntity),
            takes_tiers: kind.is_metered() && base != Base::Spot,
        };
        let plan = self.book.groups[group as usize].pricing_plan;
        let rule = plan.and_then(|plan| self.indexes[plan].resolve(selector));
        entry.rule = rule.and_then(|rule| u32::try_from(rule).ok());
        let pricing = rule.map(|rule| &self.book.rules[rule].pricing);
        if let (Some(Pricing::CustomTiers(_)), Some(rule)) = (pricing, entry.rule) {
            entry.treatment = Treatment::Priced(Base::CustomTiers);
            entry.operation = Operation::Rate(self.join_pool(number, class, group, rule)?);
            return Ok(());
        }
        let factor = pricing.and_then(Pricing::factor).unwrap_or(Factor::ONE);
        let measure = match base {
            Base::ZeroRate => {
                entry.operation = Operation::Scale(Measure::Unblended, Factor::ZERO);
                return Ok(());
            }
            Base::PublicOnDemand | Base::TieredPublic => {
                self.one_currency(class)?;
                Measure::PublicOnDemand
            }
            _ => Measure::Unblended,
        };
        entry.operation = Operation::Scale(measure, factor);
        entry.amount = product(class.sum(measure), factor).map_err(|e| self.too_large(class, e))?;
        Ok(())
    }

    /// The list price of a class must be in the currency of its bill.
    fn one_currency(&self, class: &ChargeClass) -> Result<(), PricingError> {
        let (cube, currency) = (self.cube, self.cube.value(class, KeyColumn::Currency));
        match cube.filled(class, KeyColumn::PricingCurrency) {
            Some(pricing_currency) if Some(pricing_currency) != currency => {
                Err(PricingError::ListPriceCurrency {
                    class: in_words(cube, class),
                    account: cube.value(class, KeyColumn::UsageAccount).unwrap_or_default().to_owned(),
                    currency: currency.unwrap_or_default().to_owned(),
                    pricing_currency: pricing_currency.to_owned(),
                })
            }
            _ => Ok(()),
        }
    }

    fn join_pool(
        &mut self,
        number: usize,
        class: &ChargeClass,
        group: u32,
        rule: u32,
    ) -> Result<u32, PricingError> {
        let (cube, book) = (self.cube, self.book);
        let name = &book.rules[rule as usize].name;
        let currency = cube.value(class, KeyColumn::Currency).unwrap_or_default();
        if currency != book.currency.as_str() {
            return Err(PricingError::TierCurrency {
                class: in_words(cube, class),
                rule: name.clone(),
                currency: currency.to_owned(),
                book_currency: book.currency.to_string(),
            });
        }
        let list_rate = cube.value(class, KeyColumn::PublicRate).and_then(|rate| Rate::parse(rate).ok());
        if let (Some(list), Pricing::CustomTiers(tiers)) = (list_rate, &book.rules[rule as usize].pricing)
            && tiers.tiers().iter().any(|tier| !list.is_zero() && tier.rate.units() > 2 * list.units())
        {
            let warning =
                format!("rule `{name}` has a rate above twice the list rate {list}, which AWS would refuse");
            self.warnings.insert(warning);
        }
        let next = u32::try_from(self.pools.len()).unwrap_or(u32::MAX);
        let pool = *self.pool_numbers.entry((group, rule)).or_insert(next);
        if pool == next {
            self.pools.push(TierPool { group, rule, classes: Vec::new(), amount: Amount::ZERO });
        }
        self.pools[pool as usize].classes.push(u32::try_from(number).unwrap_or(u32::MAX));
        Ok(pool)
    }

    /// Prices each pool as a whole and gives its classes their shares.
    fn price_pools(&mut self) -> Result<(), PricingError> {
        for pool in &mut self.pools {
            let Pricing::CustomTiers(tiers) = &self.book.rules[pool.rule as usize].pricing else { continue };
            let usage: Vec<_> = pool
                .classes
                .iter()
                .map(|&class| self.cube.classes[class as usize].sum(Measure::Usage))
                .collect();
            let first = &self.cube.classes[pool.classes[0] as usize];
            let priced = usage
                .iter()
                .try_fold(Rate::ZERO, |sum, more| sum.plus(*more))
                .and_then(|quantity| tiers.price(quantity))
                .and_then(|amount| Ok((amount, tier_pool::share(amount, &usage)?)));
            let (amount, shares) = priced
                .map_err(|source| PricingError::TooLarge { class: in_words(self.cube, first), source })?;
            pool.amount = amount;
            for (&class, share) in pool.classes.iter().zip(shares) {
                self.entries[class as usize].amount = share;
            }
        }
        Ok(())
    }

    fn too_large(&self, class: &ChargeClass, source: DecimalError) -> PricingError {
        PricingError::TooLarge { class: in_words(self.cube, class), source }
    }
}

/// A class as a person would name it.
#[must_use]
pub fn in_words(cube: &Cube, class: &ChargeClass) -> String {
    let value = |column| cube.value(class, column).unwrap_or("-");
    format!(
        "account `{}`, product `{}`, usage type `{}`, operation `{}`, {}",
        value(KeyColumn::UsageAccount),
        cube.product(class),
        value(KeyColumn::UsageType),
        value(KeyColumn::Operation),
        value(KeyColumn::LineItemType),
    )
}

/// The line item type of a class.
#[must_use]
pub fn line_item_type(cube: &Cube, class: &ChargeClass) -> LineItemType {
    cube.value(class, KeyColumn::LineItemType).map_or(LineItemType::Unknown, LineItemType::parse)
}

/// Whether and why a class is in no account's AWS cost: repeated cost, tax and support.
#[must_use]
pub fn left_out_of_aws_cost(cube: &Cube, class: &ChargeClass, kind: LineItemType) -> Option<Reason> {
    let split_operation = cube.value(class, KeyColumn::Operation).is_some_and(is_split_operation);
    if split_operation || cube.value(class, KeyColumn::SplitFlag).is_some() {
        return Some(Reason::SplitCostAllocation);
    }
    if kind == LineItemType::Tax {
        return Some(Reason::Tax);
    }
    cube.value(class, KeyColumn::ProductCode).is_some_and(is_support).then_some(Reason::Support)
}

/// Spot usage: said by the term or the usage type, or paid instance usage without a term where other lines have one.
fn is_spot(cube: &Cube, class: &ChargeClass, has_terms: bool) -> bool {
    let term = cube.filled(class, KeyColumn::PricingTerm);
    let usage_type = cube.value(class, KeyColumn::UsageType).unwrap_or_default();
    let paid = cube.value(class, KeyColumn::UnblendedRateState) == Some("+");
    let without_term = has_terms && term.is_none() && paid && usage_type.contains("BoxUsage");
    term == Some("Spot") || usage_type.contains("SpotUsage") || without_term
}

/// The group of every account of the cube, and the accounts that joined one by `auto_associate`.
fn groups_by_account(cube: &Cube, book: &Book) -> (TextMap<TextId, u32>, Vec<String>) {
    let named = book.group_by_account();
    let automatic = book.auto_associating_group().and_then(|group| u32::try_from(group).ok());
    let mut groups = TextMap::default();
    let mut joined = Vec::new();
    for (account, id) in cube.accounts() {
        let named = named.get(account).and_then(|group| u32::try_from(*group).ok());
        let joins = named.is_none() && account != book.payer.as_str() && AccountId::parse(account).is_some();
        if let Some(group) = named.or(automatic.filter(|_| joins)) {
            groups.insert(id, group);
            if named.is_none() {
                joined.push(account.to_owned());
            }
        }
    }
    (groups, joined)
}

/// The SKUs with volume tiers, as far as the month shows them: two On-Demand rate codes, or one of another tier than the base.
/// None where the list cost is that of the tier which applied: it is the base like any other.
fn tiered_skus(cube: &Cube, has_terms: bool) -> HashSet<TextId> {
    let mut first_code: TextMap<TextId, TextId> = TextMap::default();
    let mut tiered = HashSet::new();
    if cube.abilities.of(Feature::ListCostOfDearestTier) != Ability::Told {
        return tiered;
    }
    for class in &cube.classes {
        let (sku, code) = (class.text(KeyColumn::Sku), class.text(KeyColumn::RateCode));
        // Most classes say again what one before them has said.
        if first_code.get(&sku) == Some(&code) {
            continue;
        }
        let Some(text) = cube.texts.get(code) else { continue };
        let paid = cube.value(class, KeyColumn::UnblendedRateState) == Some("+");
        let mut parts = text.split('.').skip(1);
        if !paid || is_spot(cube, class, has_terms) || parts.next() != Some(ON_DEMAND_OFFER) {
            continue;
        }
        if *first_code.entry(sku).or_insert(code) != code || parts.next() != Some(BASE_TIER) {
            tiered.insert(sku);
        }
    }
    tiered
}
