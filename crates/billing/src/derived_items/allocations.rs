//! Allocations of shared costs: sources, parts that sum to them exactly, and the charges that these are.

use super::lines::OwnLines;
use super::weights::{Recipient, Weights, recipients};
use super::{Allocated, Derived, Part, Place, PolicyError, Told, item};
use crate::charge_class::{KeyColumn, Measure};
use crate::custom_line_item::{Origin, PRODUCT};
use crate::fate::{Fate, Source};
use crate::membership::Membership;
use crate::money::{Amount, Cost, Currency, DecimalError, Percentage};
use crate::policy::{CostAllocation, EmptyBase, SourceCost, Target};
use crate::rate_card::unused;
use crate::tier_pool;
use std::collections::BTreeMap;

/// The sources of all allocations, by number, currency and product.
type Sources = BTreeMap<(usize, Currency, String), Cost>;

/// Makes the allocations in force, step by step.
pub(super) fn make(own: &OwnLines<'_>, derived: &mut Derived) -> Result<(), PolicyError> {
    let policies = &own.book.policies.allocations;
    let mut order: Vec<usize> =
        (0..policies.len()).filter(|number| policies[*number].in_force.contains(own.cube.period)).collect();
    if order.is_empty() {
        return Ok(());
    }
    order.sort_by_key(|number| (policies[*number].step, policies[*number].name.as_str()));
    let membership = Membership::new(own.cube, own.book);
    let mut sources = sources(own)?;
    for step in order.chunk_by(|one, other| policies[*one].step == policies[*other].step) {
        // What the allocations of a step feed counts from the next step on: they do not see each other.
        let mut fed = Sources::new();
        for number in step {
            let allocation = Allocation { own, number: *number, of: &policies[*number] };
            allocation.make(&membership, &sources, &mut fed, derived)?;
        }
        for (source, more) in fed {
            let of = &policies[source.0];
            let sum = sources.entry(source).or_default();
            *sum = sum.plus(more).map_err(|error| too_large(of, error))?;
        }
    }
    Ok(())
}

/// What the lines of the sources come to.
fn sources(own: &OwnLines<'_>) -> Result<Sources, PolicyError> {
    let mut sources = Sources::new();
    for line in own.all() {
        let Some(Fate::Source(source)) = own.fates().of_class(line.number) else { continue };
        let of = &own.book.policies.allocations[source.allocation];
        let add = |sources: &mut Sources| -> Result<(), DecimalError> {
            let cost = cost(own, of, source, line.number)?;
            let product = own.cube.product(line.class).to_owned();
            let sum = sources.entry((source.allocation, line.currency, product)).or_default();
            *sum = sum.plus(cost)?;
            Ok(())
        };
        add(&mut sources).map_err(|error| too_large(of, error))?;
    }
    Ok(sources)
}

/// What a class of a source amounts to.
fn cost(
    own: &OwnLines<'_>,
    of: &CostAllocation,
    source: Source,
    number: usize,
) -> Result<Cost, DecimalError> {
    let class = &own.cube.classes[number];
    let listed = own.cube.value(class, KeyColumn::PublicCostState).is_some();
    match of.cost {
        _ if source.unused => unused(|measure| class.sum(measure)),
        SourceCost::Public if listed => Ok(class.sum(Measure::PublicOnDemand)),
        SourceCost::Aws | SourceCost::Public => Ok(class.sum(Measure::NetUnblended)),
    }
}

fn too_large(of: &CostAllocation, source: DecimalError) -> PolicyError {
    PolicyError::TooLarge { what: format!("allocation `{}`", of.name), source }
}

struct Allocation<'a> {
    own: &'a OwnLines<'a>,
    number: usize,
    of: &'a CostAllocation,
}

/// A source as it is dealt out: of one product, or of all.
struct Whole<'a> {
    currency: Currency,
    /// The product that is a charge of its own.
    product: Option<&'a str>,
    amount: Cost,
}

impl Allocation<'_> {
    fn make(
        &self,
        membership: &Membership<'_>,
        sources: &Sources,
        fed: &mut Sources,
        derived: &mut Derived,
    ) -> Result<(), PolicyError> {
        let recipients = recipients(self.own, membership, self.of)?;
        let weights = Weights::of(self.own, self.of, &recipients)?;
        let mut by_currency: BTreeMap<Currency, Vec<(String, Cost)>> = BTreeMap::new();
        for ((number, currency, product), amount) in sources.iter() {
            if *number == self.number {
                by_currency.entry(*currency).or_default().push((product.clone(), *amount));
            }
        }
        let begun = derived.allocations.len();
        for (currency, products) in by_currency {
            let source = |number: usize, currency: Currency| source_of(sources, number, currency);
            let weigh = |recipient: &Recipient| weights.weight(recipient, currency, source);
            let measured = recipients.iter().map(weigh).collect::<Result<Vec<_>, _>>();
            let measured = measured.map_err(|error| too_large(self.of, error))?;
            self.deal_out(&recipients, &measured, currency, &products, fed, derived)?;
        }
        if derived.allocations.len() == begun {
            derived.allocations.push(self.account(Cost::ZERO, self.own.book.currency));
        }
        Ok(())
    }

    /// Deals out a source in one currency.
    fn deal_out(
        &self,
        recipients: &[Recipient],
        measured: &[Amount],
        currency: Currency,
        products: &[(String, Cost)],
        fed: &mut Sources,
        derived: &mut Derived,
    ) -> Result<(), PolicyError> {
        let total = products.iter().try_fold(Cost::ZERO, |sum, (_, amount)| sum.plus(*amount));
        let total = total.map_err(|error| too_large(self.of, error))?;
        if total.is_zero() && (!self.of.itemized || products.iter().all(|(_, amount)| amount.is_zero())) {
            return Ok(());
        }
        let mut account = self.account(total, currency);
        let Some(weights) = self.base(recipients, measured, (total, currency), &mut account)? else {
            account.kept = total;
            derived.allocations.push(account);
            return Ok(());
        };
        let sum = weights.iter().try_fold(Amount::ZERO, |sum, weight| sum.plus(*weight));
        let sum = sum.map_err(|error| too_large(self.of, error))?;
        account.parts = (recipients.iter().zip(measured).zip(&weights))
            .map(|((recipient, measured), weight)| Part {
                target: recipient.target.clone(),
                weight: *measured,
                share: share(*weight, sum),
                amount: Cost::ZERO,
            })
            .collect();
        let whole = |product, amount| Whole { currency, product, amount };
        let wholes: Vec<Whole<'_>> = match self.of.itemized {
            true => products.iter().map(|(product, amount)| whole(Some(product.as_str()), *amount)).collect(),
            false => vec![whole(None, total)],
        };
        for whole in wholes {
            let parts = tier_pool::share_quantity(whole.amount, &weights);
            let parts = parts.map_err(|error| too_large(self.of, error))?;
            for ((recipient, amount), part) in recipients.iter().zip(parts).zip(&mut account.parts) {
                part.amount = part.amount.plus(amount).map_err(|error| too_large(self.of, error))?;
                self.give(recipient, &whole, part.share, amount, fed, derived)?;
            }
        }
        derived.allocations.push(account);
        Ok(())
    }

    /// A source of which nobody has anything yet.
    fn account(&self, source: Cost, currency: Currency) -> Allocated {
        let (allocation, parts, empty_base, kept) = (self.number, Vec::new(), false, Cost::ZERO);
        Allocated { allocation, currency, source, parts, empty_base, kept }
    }

    /// What everybody's part is in proportion to; nothing where there is nothing to weigh by and the payer keeps the source.
    fn base(
        &self,
        recipients: &[Recipient],
        measured: &[Amount],
        (source_cost, currency): (Cost, Currency),
        account: &mut Allocated,
    ) -> Result<Option<Vec<Amount>>, PolicyError> {
        let weights: Vec<Amount> = measured.iter().map(|weight| (*weight).max(Amount::ZERO)).collect();
        if weights.iter().any(|weight| !weight.is_zero()) {
            return Ok(Some(weights));
        }
        account.empty_base = true;
        match self.of.empty_base {
            EmptyBase::Even if !recipients.is_empty() => Ok(Some(vec![Amount::ONE; recipients.len()])),
            EmptyBase::Fail => {
                let allocation = self.of.name.clone();
                Err(PolicyError::EmptyBase { allocation, source_cost, currency })
            }
            EmptyBase::Even | EmptyBase::Payer => Ok(None),
        }
    }

    /// Gives a part to who has it: as more source, or as a charge; the payer's part is nobody's charge.
    fn give(
        &self,
        recipient: &Recipient,
        whole: &Whole<'_>,
        share: Percentage,
        amount: Cost,
        fed: &mut Sources,
        derived: &mut Derived,
    ) -> Result<(), PolicyError> {
        let failed = |error| too_large(self.of, error);
        if let Target::Allocation(number) = recipient.target {
            let product = whole.product.unwrap_or(PRODUCT).to_owned();
            let sum = fed.entry((number, whole.currency, product)).or_default();
            *sum = sum.plus(amount).map_err(failed)?;
        }
        let Some(group) = recipient.group else { return Ok(()) };
        let of_group = &self.own.book.groups[group];
        let mut name = self.of.name.clone();
        let account = match &recipient.target {
            Target::Account(account) => {
                name = format!("{name}, {account}");
                account
            }
            _ => &of_group.primary_account,
        };
        if let Some(product) = whole.product {
            name = format!("{name}, {product}");
        }
        let product = whole.product.map(ToOwned::to_owned);
        let service =
            product.as_ref().filter(|product| *product != PRODUCT).or(self.of.presentation_service.as_ref());
        let place = Place { origin: Origin::Allocation(self.number), group, account, service };
        let about = self.of.description.as_ref().unwrap_or(&self.of.name);
        let told = Told::to_all(format!("{about}: {share} % of {} {}", whole.amount, whole.currency));
        let amount = (amount.to_amount().map_err(failed)?, whole.currency);
        derived.items.extend(item(self.own, place, name, told, amount));
        Ok(())
    }
}

/// What an allocation's source comes to by now.
fn source_of(sources: &Sources, number: usize, currency: Currency) -> Result<Cost, DecimalError> {
    let of = sources.iter().filter(|((of, in_currency, _), _)| *of == number && *in_currency == currency);
    of.map(|(_, amount)| *amount).try_fold(Cost::ZERO, Cost::plus)
}

/// A weight in percent of all, half away from zero at four decimals.
fn share(weight: Amount, sum: Amount) -> Percentage {
    const WHOLE: u128 = (100 * Percentage::ONE.units()).unsigned_abs();
    let units =
        tier_pool::proportion_rounded(WHOLE, weight.units().unsigned_abs(), sum.units().unsigned_abs());
    i128::try_from(units).ok().and_then(|units| Percentage::from_units(units).ok()).unwrap_or_default()
}
