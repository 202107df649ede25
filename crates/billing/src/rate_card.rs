//! The rate card: for every charge class one treatment, one operation, at most one rule, and the amount.
//!
//! Plain code over some ten thousand rows: a rule change needs nothing else. `docs/pricing.md` has the same rules in
//! words and their sources. A class's amount follows from its own sums and its entry alone, but for custom tiers, where a
//! pool of classes shares one exact amount.

use crate::abilities::{Ability, Feature};
use crate::book::Book;
use crate::charge_class::{ChargeClass, Cube, KeyColumn, Measure};
use crate::class_kind::{
    Free, LeftOut, free_offer, has_terms, in_words, is_spot, left_out_of_aws_cost, line_item_type,
};
use crate::commitment;
use crate::cost_line::LineItemType;
use crate::coverage::{self, Coverage, Remainders};
use crate::fate::{Fate, Fates, TwoPolicies};
use crate::membership::{Clash, Membership};
use crate::money::{Amount, DecimalError, Factor, Rate, product, times};
use crate::price_list::PriceList;
use crate::pricing::{Pricing, RuleIndex, Selector};
use crate::sharing::Sharing;
use crate::tiers::Tiers;
use std::collections::HashMap;

mod covered;
mod item_charges;
mod line_amount;
mod pools;
mod served;
mod tariffs;
mod told_apart;
pub use covered::CoveredPart;
pub use item_charges::{ItemCharge, item_charges};
pub use line_amount::{LinePrice, WRITTEN_DECIMALS_MAX, Written, unused, written_amount};
pub use pools::TierPool;
pub use tariffs::{TierSource, known_prices};

use pools::{Pools, SkuOfGroup};
use tariffs::{SkuPrice, Tariffs};

/// What the pro forma bill does with a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// The account is in no group.
    Ungrouped,
    /// The pro forma bill leaves it out.
    Dropped(Reason),
    /// Commitments of the group cover all of it: see [`RateCard::covered`].
    Covered,
    /// As it is invoiced to the level above: of a group that passes its bill through. No rule applies.
    AsInvoiced,
    /// A commitment of the group: its fees, the usage it covers, the negation of that usage. No rule applies.
    AtCost,
    /// Usage under a commitment of whomever, where these are shared as on the real bill: what it took of the commitment. No rule applies.
    AtEffectiveCost,
    /// The fee of a commitment that is shared so: what nobody has used of it.
    UnusedPart,
    /// On the bill as AWS charges it, net: the book passes it on. No rule applies.
    PassedOn,
    /// The source of an allocation, by number in the book: on no bill.
    Allocated(u32),
    /// Priced on this base.
    Priced(Base),
}

impl Treatment {
    /// Whether the pro forma bill has the class.
    #[must_use]
    pub const fn is_on_bill(self) -> bool {
        !matches!(self, Self::Ungrouped | Self::Dropped(_) | Self::Covered | Self::Allocated(_))
    }
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
    /// A negation of the real bill, where the group's own coverage was simulated.
    Simulated,
    /// A payment up front or a negation, where covered usage has its effective cost instead.
    PaidByEffectiveCost,
    /// A line item type that this program does not know.
    UnknownType,
}

impl From<LeftOut> for Reason {
    fn from(reason: LeftOut) -> Self {
        match reason {
            LeftOut::SplitCostAllocation => Self::SplitCostAllocation,
            LeftOut::Tax => Self::Tax,
            LeftOut::Support => Self::Support,
        }
    }
}

/// What a price starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// The group's own usage, at a rule's tiers.
    CustomTiers,
    /// Spot: its unblended cost.
    Spot,
    /// The group's own usage, at AWS's tiers, what an Always Free quota covers at nothing.
    GroupTiers,
    /// Always-free usage of a quota that is not known: nothing.
    ZeroRate,
    /// A SKU whose tiers are not known, and that no discount touches: its unblended cost.
    TieredUnblended,
    /// A SKU whose tiers are not known, under a discount: its public On-Demand cost, which is that of the dearest tier.
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
    /// The line stays at what nobody has used of its commitment.
    KeepUnused,
    /// The line is a measure of its own times a factor.
    Scale(Measure, Factor),
    /// The line is its usage at the rate of its tier pool, by number in [`RateCard::pools`].
    Rate(u32),
}

/// A class's place on the rate card: what becomes of it, or of what commitments leave of it.
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

/// Every class's operation and amount, in the order of the cube.
#[derive(Debug)]
pub struct RateCard {
    /// An entry per class.
    pub entries: Vec<Entry>,
    /// What commitments of billing groups cover, in the order of class and commitment: at cost, on the bill beside the entries.
    pub covered: Vec<CoveredPart>,
    /// What is left of classes that are covered in part; their entries are about that.
    pub remainders: Remainders,
    /// Whether coverage was simulated, and not taken from the real bill.
    pub simulated: bool,
    /// The pools of tiers.
    pub pools: Vec<TierPool>,
    /// What the operator should know: AWS's caps exceeded, rules in doubt.
    pub warnings: Vec<String>,
    /// Accounts that joined the group with `auto_associate`.
    pub auto_associated: Vec<String>,
    /// Which policy of the book has which class.
    pub fates: Fates,
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
    /// Two policies have one line.
    #[error(transparent)]
    TwoPolicies(#[from] TwoPolicies),
    /// Rules by something that the cost files do not say.
    #[error("{}", .0.join("; "))]
    NotServed(Vec<String>),
    /// Lines that two billing groups select.
    #[error("{class}: both {first} and {second} select these lines; narrow one of them")]
    TwoGroups {
        /// The class, in words.
        class: String,
        /// The one group, with its filter.
        first: String,
        /// The other.
        second: String,
    },
    /// A sum is beyond what money can hold.
    #[error("{class}: an amount is {source}")]
    TooLarge {
        /// The class, in words.
        class: String,
        /// The cap.
        source: DecimalError,
    },
}

/// Prices a cube under a book, with what is known of AWS's price list in its month and of what commitments cover; without coverage, that
/// is as in the real bill.
///
/// # Errors
/// [`PricingError`] for rules that the cost files cannot serve, else for the first class, in cube order, that cannot be priced.
pub fn rate_card(
    cube: &Cube,
    book: &Book,
    prices: &PriceList,
    coverage: Option<&Coverage>,
) -> Result<RateCard, PricingError> {
    let verdict = served::verdict(cube, book);
    let told_apart = told_apart::verdict(cube, book);
    let refused: Vec<String> = verdict.refused.into_iter().chain(told_apart.refused).collect();
    if !refused.is_empty() {
        return Err(PricingError::NotServed(refused));
    }
    let membership = Membership::new(cube, book);
    if let Some(Clash { class, groups: [first, second] }) = membership.clash().cloned() {
        return Err(PricingError::TwoGroups { class, first, second });
    }
    let fates = Fates::of(cube, book, &membership)?;
    let coverage = coverage.filter(|_| book.sharing.simulates());
    let (covered, remainders) = covered::take(cube, &membership, coverage)?;
    let mut card = Pricer::new(cube, book, prices, (&membership, &fates), coverage, &remainders);
    card.warnings.extend(verdict.approximate);
    card.warnings.extend(told_apart.warnings);
    card.warnings.extend(told_apart::in_vain(cube, book, &membership));
    for number in 0..cube.classes.len() {
        card.price_class(number)?;
    }
    card.warnings.extend(card.tariffs.warnings().cloned());
    let pools = card.price_pools()?;
    let Pricer { entries, warnings, .. } = card;
    Ok(RateCard {
        entries,
        covered,
        remainders,
        simulated: coverage.is_some(),
        pools,
        warnings: warnings.into_iter().collect(),
        auto_associated: membership.auto_associated,
        fates,
    })
}

impl Entry {
    /// Whether and why a class with this entry is in no account's AWS cost. Tax and support that are passed on are cost like any other.
    #[must_use]
    pub fn left_out_of_aws_cost(&self, cube: &Cube, class: &ChargeClass) -> Option<LeftOut> {
        // What is on a bill, or dealt out by an allocation, is cost that somebody bears, tax and support too.
        if self.treatment.is_on_bill() || matches!(self.treatment, Treatment::Allocated(_)) {
            return None;
        }
        left_out_of_aws_cost(cube, class, line_item_type(cube, class))
    }
}

impl RateCard {
    /// A class as its entry prices it: what commitments leave of it.
    #[must_use]
    pub fn class<'a>(&'a self, cube: &'a Cube, number: usize) -> &'a ChargeClass {
        left_of(cube, &self.remainders, number)
    }
}

fn left_of<'a>(cube: &'a Cube, remainders: &'a Remainders, number: usize) -> &'a ChargeClass {
    cut(remainders, number).unwrap_or(&cube.classes[number])
}

/// What is left of a class from which something was taken.
fn cut(remainders: &Remainders, number: usize) -> Option<&ChargeClass> {
    u32::try_from(number).ok().and_then(|number| remainders.get(&number))
}

struct Pricer<'a> {
    cube: &'a Cube,
    book: &'a Book,
    membership: &'a Membership<'a>,
    fates: &'a Fates,
    coverage: Option<&'a Coverage>,
    remainders: &'a Remainders,
    indexes: Vec<RuleIndex>,
    tariffs: Tariffs,
    /// Whether the month's lines say their pricing terms at all.
    has_terms: bool,
    entries: Vec<Entry>,
    pools: Pools,
    /// What classes of pools are multiplied by, where that is not 1.
    factors: HashMap<u32, Factor>,
    warnings: std::collections::BTreeSet<String>,
}

impl<'a> Pricer<'a> {
    fn new(
        cube: &'a Cube,
        book: &'a Book,
        prices: &PriceList,
        (membership, fates): (&'a Membership<'a>, &'a Fates),
        coverage: Option<&'a Coverage>,
        remainders: &'a Remainders,
    ) -> Self {
        let has_terms = has_terms(cube);
        Self {
            cube,
            book,
            membership,
            fates,
            coverage,
            remainders,
            indexes: book.plans.iter().map(|plan| RuleIndex::new(plan, &book.rules, &cube.texts)).collect(),
            tariffs: Tariffs::new(cube, prices, has_terms),
            has_terms,
            entries: Vec::with_capacity(cube.classes.len()),
            pools: Pools::default(),
            factors: HashMap::new(),
            warnings: Default::default(),
        }
    }

    fn price_class(&mut self, number: usize) -> Result<(), PricingError> {
        let cut = cut(self.remainders, number);
        let class = cut.unwrap_or(&self.cube.classes[number]);
        let group = self.membership.group(class);
        let treatment = match group {
            _ if self.fates.is_source(number) => self.allocated(number),
            None => Treatment::Ungrouped,
            Some(_) if self.fates.of_class(number) == Some(Fate::Kept) => Treatment::PassedOn,
            Some(_) if cut.is_some_and(coverage::is_nothing) => Treatment::Covered,
            Some(group) => self.treatment(class, group),
        };
        let mut entry =
            Entry { group, treatment, rule: None, operation: Operation::Drop, amount: Amount::ZERO };
        entry.operation = match treatment {
            Treatment::Ungrouped
            | Treatment::Dropped(_)
            | Treatment::Covered
            | Treatment::Allocated(_)
            | Treatment::Priced(_) => Operation::Drop,
            Treatment::AsInvoiced | Treatment::PassedOn => Operation::Keep(Measure::NetUnblended),
            Treatment::AtCost => Operation::Keep(Measure::Unblended),
            Treatment::AtEffectiveCost => Operation::Keep(effective_cost(line_item_type(self.cube, class))),
            Treatment::UnusedPart => Operation::KeepUnused,
        };
        match (treatment, group) {
            (Treatment::Priced(base), Some(group)) => self.price(number, class, group, base, &mut entry)?,
            _ => {
                if let Some(price) = LinePrice::of(class, &entry) {
                    let amount = price.amount(|measure| class.sum(measure));
                    entry.amount = amount.map_err(|error| self.too_large(class, error))?;
                }
            }
        }
        self.entries.push(entry);
        Ok(())
    }

    fn allocated(&self, number: usize) -> Treatment {
        match self.fates.of_class(number) {
            Some(Fate::Source(source)) => {
                Treatment::Allocated(u32::try_from(source.allocation).unwrap_or(u32::MAX))
            }
            _ => Treatment::Ungrouped,
        }
    }

    /// What the bill does with a class; of a priced class, the base it has where no custom tier prices it.
    fn treatment(&self, class: &ChargeClass, group: u32) -> Treatment {
        let cube = self.cube;
        let kind = line_item_type(cube, class);
        let left_out = left_out_of_aws_cost(cube, class, kind);
        if self.book.passes_through(group) && left_out != Some(LeftOut::SplitCostAllocation) {
            return Treatment::AsInvoiced;
        }
        if let Some(reason) = left_out {
            return Treatment::Dropped(reason.into());
        }
        if self.book.sharing == Sharing::Real
            && let Some(treatment) = as_on_the_real_bill(kind, commitment::arn(cube, class))
        {
            return treatment;
        }
        let owned = || self.membership.owns(class, group);
        match kind {
            LineItemType::Credit | LineItemType::Refund | LineItemType::Discount => {
                Treatment::Dropped(Reason::CreditOrDiscount)
            }
            LineItemType::Tax => Treatment::Dropped(Reason::Tax),
            LineItemType::Unknown => Treatment::Dropped(Reason::UnknownType),
            LineItemType::Usage => Treatment::Priced(self.usage_base(class, group)),
            LineItemType::DiscountedUsage | LineItemType::SavingsPlanCoveredUsage
                if self.is_simulated(class) || !owned() =>
            {
                Treatment::Priced(self.tiered_base(class))
            }
            LineItemType::SavingsPlanNegation if self.is_simulated(class) && owned() => {
                Treatment::Dropped(Reason::Simulated)
            }
            LineItemType::Fee if commitment::arn(cube, class).is_none() => {
                Treatment::Priced(self.listed_base(class))
            }
            LineItemType::FlatRateSubscription => Treatment::Priced(self.listed_base(class)),
            _ if owned() => Treatment::AtCost,
            _ => Treatment::Dropped(Reason::CommitmentOutside),
        }
    }

    /// Whether the commitment of a class was simulated, so that its real coverage counts for nothing.
    fn is_simulated(&self, class: &ChargeClass) -> bool {
        let arn = || commitment::arn(self.cube, class);
        self.coverage.is_some_and(|coverage| arn().is_some_and(|arn| coverage.simulates(arn)))
    }

    /// The base of On-Demand, spot and free usage.
    fn usage_base(&self, class: &ChargeClass, group: u32) -> Base {
        if is_spot(self.cube, class, self.has_terms) {
            return Base::Spot;
        }
        match free_offer(self.cube, class) {
            Some(Free::Always) => {}
            // Without the offer its usage has the first paid price, which is the public one.
            Some(Free::Limited) => return self.listed_base(class),
            None => return self.tiered_base(class),
        }
        let has_quota = matches!(self.tariffs.quota(class.text(KeyColumn::Sku)), Some(Some(_)));
        let is_known = has_quota || self.tariffs.begins_free(self.cube, class);
        match self.tiered_base(class) {
            Base::GroupTiers if is_known => Base::GroupTiers,
            base if self.switched_off(class, group).is_some() => base,
            _ => Base::ZeroRate,
        }
    }

    /// The base of what would cost its public On-Demand price, had the SKU no tiers.
    fn tiered_base(&self, class: &ChargeClass) -> Base {
        let discounted = class.sum(Measure::NetUnblended) != class.sum(Measure::Unblended);
        // Where the list cost is that of the tier which applied, that of free usage is 0.
        let by_applied_tier = self.cube.abilities.of(Feature::ListCostOfDearestTier) != Ability::Told;
        let price = match self.tariffs.price(self.cube, class) {
            SkuPrice::Tiers(_) if !by_applied_tier && !is_usage_at_its_rate(self.cube, class) => {
                SkuPrice::Unknown
            }
            price => price,
        };
        match (self.listed_base(class), price) {
            (Base::PublicOnDemand, SkuPrice::Tiers(_)) => Base::GroupTiers,
            (Base::FallenBack, SkuPrice::Tiers(_)) if by_applied_tier => Base::GroupTiers,
            (Base::PublicOnDemand, SkuPrice::Unknown) if !self.is_plain_usage(class) => Base::PublicOnDemand,
            (Base::PublicOnDemand, SkuPrice::Unknown) if discounted => Base::TieredPublic,
            (Base::PublicOnDemand, SkuPrice::Unknown) => Base::TieredUnblended,
            (base, _) => base,
        }
    }

    /// Whether a class's own unblended cost is what On-Demand usage costs.
    fn is_plain_usage(&self, class: &ChargeClass) -> bool {
        line_item_type(self.cube, class) == LineItemType::Usage && free_offer(self.cube, class).is_none()
    }

    /// The rule that has switched the free tier of a class's service off.
    fn switched_off(&self, class: &ChargeClass, group: u32) -> Option<u32> {
        let plan = self.book.groups[group as usize].pricing_plan.own()?;
        let rule = self.indexes[plan].free_tier(self.cube.product_id(class))?;
        let off = matches!(self.book.rules[rule].pricing, Pricing::FreeTier { activated: false });
        u32::try_from(rule).ok().filter(|_| off)
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
        let plan = self.book.groups[group as usize].pricing_plan.own();
        let rule = plan.and_then(|plan| self.indexes[plan].resolve(selector));
        entry.rule = rule.and_then(|rule| u32::try_from(rule).ok());
        let pricing = rule.map(|rule| &self.book.rules[rule].pricing);
        if let (Some(Pricing::CustomTiers(tiers)), Some(rule)) = (pricing, entry.rule) {
            entry.treatment = Treatment::Priced(Base::CustomTiers);
            entry.operation = Operation::Rate(self.join_rule(number, group, rule, tiers.tiers())?);
            return Ok(());
        }
        let factor = pricing.and_then(Pricing::factor).unwrap_or(Factor::ONE);
        if let (Base::GroupTiers, SkuPrice::Tiers(tariff)) = (base, self.tariffs.price(self.cube, class)) {
            self.one_currency(class)?;
            let off = self.switched_off(class, group);
            let pool = self.pools.join_sku(number, SkuOfGroup::new(class, group), tariff, &self.tariffs, off);
            entry.operation = Operation::Rate(pool);
            if factor != Factor::ONE {
                self.factors.insert(u32::try_from(number).unwrap_or(u32::MAX), factor);
            }
            return Ok(());
        }
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

    fn join_rule(
        &mut self,
        number: usize,
        group: u32,
        rule: u32,
        tiers: &Tiers,
    ) -> Result<u32, PricingError> {
        let (cube, book) = (self.cube, self.book);
        let (class, name) = (&cube.classes[number], &book.rules[rule as usize].name);
        let currency = cube.value(class, KeyColumn::Currency).unwrap_or_default();
        if currency != book.currency.as_str() {
            return Err(PricingError::TierCurrency {
                class: in_words(cube, class),
                rule: name.clone(),
                currency: currency.to_owned(),
                book_currency: book.currency.to_string(),
            });
        }
        self.check_limits(class, name, tiers);
        Ok(self.pools.join_rule(number, group, rule, tiers))
    }

    /// What AWS would refuse of custom tiers (user guide, "Creating pricing rules"): said, not refused.
    fn check_limits(&mut self, class: &ChargeClass, rule: &str, tiers: &Tiers) {
        let list = self.cube.value(class, KeyColumn::PublicRate).and_then(|rate| Rate::parse(rate).ok());
        if let Some(list) = list.filter(|list| !list.is_zero())
            && tiers.dearest().units() > 2 * list.units()
        {
            self.warnings.insert(format!(
                "rule `{rule}` has a rate above twice the list rate {list}, which AWS would refuse"
            ));
        }
        if let Some(ranges) = self.tariffs.listed_tiers(self.cube, class)
            && tiers.all().len() > ranges
        {
            let (own, sku) = (tiers.all().len(), self.cube.value(class, KeyColumn::Sku).unwrap_or("-"));
            self.warnings.insert(format!(
                "rule `{rule}` has {own} tiers, more than the {ranges} of SKU `{sku}` in the price list, which AWS would refuse"
            ));
        }
    }

    /// Prices each pool as a whole and gives its classes their shares, times their own factors.
    fn price_pools(&mut self) -> Result<Vec<TierPool>, PricingError> {
        let pools = std::mem::take(&mut self.pools);
        let too_large = |class: u32, source| PricingError::TooLarge {
            class: in_words(self.cube, &self.cube.classes[class as usize]),
            source,
        };
        let usage = |class: &u32| left_of(self.cube, self.remainders, *class as usize).sum(Measure::Usage);
        let priced = pools.price(self.cube, &self.tariffs, usage);
        let (pools, amounts) = priced.map_err(|(class, error)| too_large(class, error))?;
        for (class, amount) in amounts {
            let factor = self.factors.get(&class).copied().unwrap_or(Factor::ONE);
            let (amount, _) = times(amount, factor).map_err(|error| too_large(class, error))?;
            self.entries[class as usize].amount = amount;
        }
        Ok(pools)
    }

    fn too_large(&self, class: &ChargeClass, source: DecimalError) -> PricingError {
        PricingError::TooLarge { class: in_words(self.cube, class), source }
    }
}

/// Whether a class's public cost is its usage at its public rate, within what rounding each line can make of it. Something else is charged
/// where it is not, a minimum perhaps, and tiers of usage do not say how much.
fn is_usage_at_its_rate(cube: &Cube, class: &ChargeClass) -> bool {
    let Some(rate) = cube.filled(class, KeyColumn::PublicRate).and_then(|rate| Rate::parse(rate).ok()) else {
        return !class.sum(Measure::Usage).is_zero() || class.sum(Measure::PublicOnDemand).is_zero();
    };
    let (cost, usage) = (class.sum(Measure::PublicOnDemand), class.sum(Measure::Usage));
    let apart = product(usage, rate).and_then(|product| cost.to_amount()?.minus(product));
    // 10⁻⁸ for each line: AWS rounds the quantity and the cost of a line on its own.
    apart.is_ok_and(|apart| apart.units().unsigned_abs() <= u128::from(class.lines) * 1_000_000_000_000)
}

/// What becomes of a line of a commitment where all are shared as on the real bill: covered usage pays its part, whoever owns the
/// commitment, and the owner pays the rest.
fn as_on_the_real_bill(kind: LineItemType, arn: Option<&str>) -> Option<Treatment> {
    use LineItemType as Kind;
    Some(match kind {
        Kind::DiscountedUsage | Kind::SavingsPlanCoveredUsage => Treatment::AtEffectiveCost,
        Kind::RiFee | Kind::SavingsPlanRecurringFee => Treatment::UnusedPart,
        Kind::SavingsPlanNegation | Kind::SavingsPlanUpfrontFee => {
            Treatment::Dropped(Reason::PaidByEffectiveCost)
        }
        Kind::Fee if arn.is_some() => Treatment::Dropped(Reason::PaidByEffectiveCost),
        _ => return None,
    })
}

/// The measure of what covered usage took of its commitment.
const fn effective_cost(kind: LineItemType) -> Measure {
    match kind {
        LineItemType::DiscountedUsage => Measure::ReservationEffective,
        _ => Measure::SavingsPlanEffective,
    }
}
