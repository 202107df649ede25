//! What custom line items charge: flat amounts, and percentages of a group's priced classes.

use super::{PricingError, RateCard, Treatment};
use crate::book::Book;
use crate::charge_class::{Cube, KeyColumn};
use crate::class_kind::{in_words, line_item_type};
use crate::cost_line::LineItemType;
use crate::custom_line_item::{Charge, CustomLineItem, Filter, Kind, PercentageCharge};
use crate::money::{Amount, Currency, DecimalError, percentage_of};
use std::collections::BTreeMap;

/// One charge of a custom line item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemCharge {
    /// The item, by number in the book.
    pub item: usize,
    /// The class that an itemized charge stands beside, by number in the cube.
    pub class: Option<usize>,
    /// The currency of the amount.
    pub currency: Currency,
    /// What a percentage is taken of; `None` for a flat charge.
    pub base: Option<Amount>,
    /// Signed: a credit is negative, unless its base is.
    pub amount: Amount,
    /// Whether the percentage had to be rounded at twenty decimals.
    pub rounded: bool,
}

/// The charges of the items in force in the cube's period, in the order of the book.
///
/// # Errors
/// [`PricingError::TooLarge`].
pub fn item_charges(cube: &Cube, book: &Book, card: &RateCard) -> Result<Vec<ItemCharge>, PricingError> {
    let charged_by_group = charged(cube, book, card);
    let mut charges = Vec::new();
    for (number, item) in book.items.iter().enumerate().filter(|(_, item)| book.charges(item, cube.period)) {
        let charged = charged_by_group[item.billing_group].as_slice();
        let evaluation = Evaluation { cube, book, number, item };
        match &item.charge {
            Charge::Flat(_) => {
                let amount = evaluation.flat(number)?;
                charges.push(ItemCharge {
                    item: number,
                    class: None,
                    currency: item.currency.unwrap_or(book.currency),
                    base: None,
                    amount,
                    rounded: false,
                });
            }
            Charge::Computed(computed) => charges.push(ItemCharge {
                item: number,
                class: None,
                currency: computed.currency,
                base: None,
                amount: signed(item.kind, computed.amount),
                rounded: false,
            }),
            Charge::Percentage(charge) if charge.itemized => {
                let passes = |of: &&Charged| charge.of_billing_group && evaluation.passes(charge, of);
                for of in charged.iter().filter(passes) {
                    let currency = evaluation.currency(of.class);
                    charges.push(evaluation.percentage(charge, Some(of.class), currency, of.amount)?);
                }
            }
            Charge::Percentage(charge) => {
                for (currency, base) in evaluation.bases(charge, charged)? {
                    charges.push(evaluation.percentage(charge, None, currency, base)?);
                }
            }
        }
    }
    Ok(charges)
}

/// What a group is charged for a class, or for what commitments cover of it.
#[derive(Debug, Clone, Copy)]
struct Charged {
    class: usize,
    is_negation: bool,
    amount: Amount,
}

/// What every group is charged, in the order of classes; of a class first what commitments leave, then what they cover.
fn charged(cube: &Cube, book: &Book, card: &RateCard) -> Vec<Vec<Charged>> {
    let mut by_group: Vec<Vec<Charged>> = vec![Vec::new(); book.groups.len()];
    let mut covered = card.covered.iter().peekable();
    for (class, entry) in card.entries.iter().enumerate() {
        // No percentage is taken of what is passed on.
        let is_base = entry.treatment.is_on_bill() && entry.treatment != Treatment::PassedOn;
        if let Some(group) = entry.group.filter(|_| is_base) {
            let kind = line_item_type(cube, &cube.classes[class]);
            let is_negation = kind == LineItemType::SavingsPlanNegation;
            by_group[group as usize].push(Charged { class, is_negation, amount: entry.amount });
        }
        while let Some(part) = covered.next_if(|part| part.covered.class as usize == class) {
            let of_group = &mut by_group[part.group as usize];
            of_group.push(Charged { class, is_negation: false, amount: part.amount });
            if part.negated.is_some() {
                of_group.push(Charged { class, is_negation: true, amount: part.amount.negated() });
            }
        }
    }
    by_group
}

struct Evaluation<'a> {
    cube: &'a Cube,
    book: &'a Book,
    number: usize,
    item: &'a CustomLineItem,
}

impl Evaluation<'_> {
    /// The signed charge of a flat item.
    fn flat(&self, number: usize) -> Result<Amount, PricingError> {
        let item = &self.book.items[number];
        let Charge::Flat(value) = &item.charge else { return Ok(Amount::ZERO) };
        let amount = value.to_amount().map_err(|e| self.too_large(e))?;
        Ok(signed(item.kind, amount))
    }

    /// The base of a consolidated percentage, per currency: one even where there is nothing to take it of.
    fn bases(
        &self,
        charge: &PercentageCharge,
        charged: &[Charged],
    ) -> Result<BTreeMap<Currency, Amount>, PricingError> {
        let mut bases: BTreeMap<Currency, Amount> = BTreeMap::new();
        let mut add = |currency, amount| {
            let base = bases.entry(currency).or_default();
            *base = base.plus(amount)?;
            Ok(())
        };
        if charge.of_billing_group {
            for of in charged.iter().filter(|of| self.passes(charge, of)) {
                add(self.currency(of.class), of.amount).map_err(|e| self.too_large(e))?;
            }
        }
        for &item in charge.of_items.iter().filter(|&&item| self.book.items[item].is_active(self.cube.period))
        {
            let currency = self.book.items[item].currency.unwrap_or(self.book.currency);
            add(currency, self.flat(item)?).map_err(|e| self.too_large(e))?;
        }
        if bases.is_empty() {
            bases.insert(self.book.currency, Amount::ZERO);
        }
        Ok(bases)
    }

    /// Whether the item's filter lets a charge into the base.
    fn passes(&self, charge: &PercentageCharge, of: &Charged) -> bool {
        let class = &self.cube.classes[of.class];
        match &charge.filter {
            None => true,
            Some(Filter::WithoutSavingsPlanNegation) => !of.is_negation,
            Some(Filter::OnlyService(service)) => self.cube.product(class) == service,
            Some(Filter::WithoutService(service)) => self.cube.product(class) != service,
        }
    }

    fn currency(&self, class: usize) -> Currency {
        let code = self.cube.value(&self.cube.classes[class], KeyColumn::Currency);
        code.and_then(Currency::parse).unwrap_or(self.book.currency)
    }

    fn percentage(
        &self,
        charge: &PercentageCharge,
        class: Option<usize>,
        currency: Currency,
        base: Amount,
    ) -> Result<ItemCharge, PricingError> {
        let (amount, rounded) = percentage_of(base, charge.percentage).map_err(|source| match class {
            None => self.too_large(source),
            Some(class) => {
                PricingError::TooLarge { class: in_words(self.cube, &self.cube.classes[class]), source }
            }
        })?;
        let amount = signed(self.item.kind, amount);
        Ok(ItemCharge { item: self.number, class, currency, base: Some(base), amount, rounded })
    }

    fn too_large(&self, source: DecimalError) -> PricingError {
        PricingError::TooLarge { class: format!("custom line item `{}`", self.item.name), source }
    }
}

fn signed(kind: Kind, amount: Amount) -> Amount {
    match kind {
        Kind::Fee => amount,
        Kind::Credit => amount.negated(),
    }
}
