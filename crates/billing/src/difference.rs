//! What changed between two priced months, and because of what.
//!
//! Charge classes are joined by their identity; each class's change is given to one cause, or exactly split between what was used and how it
//! is priced. So the parts of a row sum to its difference to the last digit.

use crate::book::Book;
use crate::charge_class::{ChargeClass, ClassId, Cube, KeyColumn, MEASURES, Measure, TextId};
use crate::custom_line_item::{Charge, CustomLineItem};
use crate::money::{Amount, Cost, Currency, DecimalError, Quantity, ten_to};
use crate::pricing::PricingRule;
use crate::rate_card::{Base, Entry, LinePrice, RateCard, Reason, Treatment};
use crate::statement::Statement;
use std::collections::{BTreeMap, HashMap};

/// A priced month.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// Its classes.
    pub cube: &'a Cube,
    /// Its book.
    pub book: &'a Book,
    /// What the book makes of each class.
    pub card: &'a RateCard,
    /// Its statements.
    pub statements: &'a [Statement],
}

/// Why an amount changed. Rules are numbers in the book of their side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The owner of the commitment has left the group: covered usage is On-Demand again, its fees and negations are gone.
    CommitmentLeft,
    /// The owner of the commitment has come into the group.
    CommitmentCame,
    /// Commitments of the group cover more of the lines, or less.
    Coverage,
    /// The bill treats the lines in another way.
    Treatment(Treatment, Treatment),
    /// Another rule prices the lines, or a rule where none did, or none where one did.
    Rule(Option<u32>, Option<u32>),
    /// The rule says something else.
    RuleChanged(u32, u32),
    /// The price starts from something else: the month shows another tier of the SKU, say.
    Base(Base, Base),
    /// Other usage or other cost of the same lines.
    Usage,
    /// Other usage that shares the tiers of this rule, or AWS's.
    TierPool(Option<u32>),
    /// Lines that only the first has.
    OnlyBefore,
    /// Lines that only the second has.
    OnlyAfter,
    /// The account is now in another group, or in none.
    MovedTo(Option<String>),
    /// The account was in another group, or in none.
    MovedFrom(Option<String>),
    /// A custom line item came.
    ItemAdded(String),
    /// A custom line item went.
    ItemRemoved(String),
    /// A custom line item says something else.
    ItemChanged(String),
    /// What a custom line item is a percentage of has changed.
    ItemBase(String),
    /// Showing the lines of the statements at ten decimals.
    Shown,
}

/// What one cause did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The cause.
    pub cause: Cause,
    /// By how much.
    pub amount: Amount,
    /// How much more usage there is, by unit, where lines came, went or changed.
    pub usage: BTreeMap<String, Quantity>,
}

/// The row of the cost report that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The group's name.
    pub group: String,
    /// The currency.
    pub currency: Currency,
    /// The product.
    pub product: String,
    /// The amount of the first cost report.
    pub before: Cost,
    /// The amount of the second.
    pub after: Cost,
    /// What made the difference; sums to it exactly.
    pub parts: Vec<Part>,
    /// Whether what showing made of it is within what it can make: a unit of the tenth decimal for each line of a statement.
    pub sound: bool,
}

type Key = (String, Currency, String);

/// Everything that changed, by group, currency and product.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn difference(before: Side<'_>, after: Side<'_>) -> Result<Vec<Row>, DecimalError> {
    let mut parts = Parts::default();
    for (one, other) in joined(before.cube, after.cube) {
        parts.add_class(before, after, one, other)?;
    }
    parts.add_items(before, after)?;
    let (shown_before, shown_after) = (shown(before)?, shown(after)?);
    let mut keys: Vec<&Key> = shown_before.keys().chain(shown_after.keys()).chain(parts.0.keys()).collect();
    keys.sort();
    keys.dedup();
    let mut rows = Vec::new();
    for key in keys {
        let (group, currency, product) = key.clone();
        let (before, lines_before) = shown_before.get(key).copied().unwrap_or_default();
        let (after, lines_after) = shown_after.get(key).copied().unwrap_or_default();
        let mut parts = parts.0.get(key).cloned().unwrap_or_default();
        parts.retain(|part| !part.amount.is_zero());
        let explained = parts.iter().try_fold(Amount::ZERO, |sum, part| sum.plus(part.amount))?;
        let rest = after.minus(before)?.to_amount()?.minus(explained)?;
        if !rest.is_zero() {
            parts.push(Part { cause: Cause::Shown, amount: rest, usage: BTreeMap::new() });
        }
        // A shown line is less than one unit of the tenth decimal from its exact amount.
        let most = (lines_before + lines_after) as u128 * ten_to(10).unsigned_abs();
        let sound = rest.is_zero() || rest.units().unsigned_abs() < most;
        if !parts.is_empty() {
            rows.push(Row { group, currency, product, before, after, parts, sound });
        }
    }
    Ok(rows)
}

/// What the cost report says, and how many shown amounts that sums.
fn shown(side: Side<'_>) -> Result<BTreeMap<Key, (Cost, usize)>, DecimalError> {
    let mut rows: BTreeMap<Key, (Cost, usize)> = BTreeMap::new();
    for statement in side.statements {
        let group = &side.book.groups[statement.group].name;
        let lines = statement.lines.iter().map(|line| (side.cube.text(line.key.product), line.shown));
        let items = statement.items.iter().map(|item| (item.product.as_str(), item.shown));
        for (product, shown) in lines.chain(items) {
            let row = rows.entry((group.clone(), statement.currency, product.to_owned())).or_default();
            *row = (row.0.plus(shown)?, row.1 + 1);
        }
    }
    Ok(rows)
}

/// The classes of two cubes side by side, by number. What one has alone is tried again without the invoice: a month that becomes
/// final has other invoice ids on the same lines, and so has another month.
fn joined(one: &Cube, other: &Cube) -> Vec<(Option<usize>, Option<usize>)> {
    let mut of_other: HashMap<ClassId, usize> =
        other.classes.iter().enumerate().map(|(number, class)| (other.class_id(class), number)).collect();
    let mut pairs = Vec::with_capacity(one.classes.len());
    let mut alone = Vec::new();
    for (number, class) in one.classes.iter().enumerate() {
        match of_other.remove(&one.class_id(class)) {
            Some(same) => pairs.push((Some(number), Some(same))),
            None => alone.push(number),
        }
    }
    let mut other_alone: Vec<usize> = of_other.into_values().collect();
    other_alone.sort_unstable();
    let known = |cube: &Cube, numbers: &[usize]| {
        let mut by_id: HashMap<ClassId, Vec<usize>> = HashMap::new();
        for number in numbers {
            by_id.entry(id_without_invoice(cube, &cube.classes[*number])).or_default().push(*number);
        }
        by_id
    };
    let mut of_other = known(other, &other_alone);
    for (id, numbers) in known(one, &alone) {
        match (numbers.as_slice(), of_other.get(&id).map(Vec::as_slice)) {
            ([number], Some([same])) => {
                pairs.push((Some(*number), Some(*same)));
                of_other.remove(&id);
            }
            _ => pairs.extend(numbers.into_iter().map(|number| (Some(number), None))),
        }
    }
    pairs.extend(of_other.into_values().flatten().map(|number| (None, Some(number))));
    pairs.sort_unstable();
    pairs
}

fn id_without_invoice(cube: &Cube, class: &ChargeClass) -> ClassId {
    let mut key = class.key;
    key[KeyColumn::InvoiceId as usize] = TextId::NULL;
    ClassId::of(key.into_iter().map(|id| cube.texts.get(id)))
}

#[derive(Default)]
struct Parts(BTreeMap<Key, Vec<Part>>);

/// A class as one side has it.
#[derive(Clone, Copy)]
struct Placed<'a> {
    side: Side<'a>,
    /// What commitments leave of it.
    class: &'a ChargeClass,
    /// All of its lines.
    whole: &'a ChargeClass,
    entry: &'a Entry,
    group: Option<&'a str>,
}

impl<'a> Placed<'a> {
    fn new(side: Side<'a>, number: usize) -> Self {
        let (class, entry) = (side.card.class(side.cube, number), &side.card.entries[number]);
        let group = entry.group.map(|group| side.book.groups[group as usize].name.as_str());
        Self { side, class, whole: &side.cube.classes[number], entry, group }
    }

    fn rule(&self) -> Option<&'a PricingRule> {
        self.entry.rule.map(|rule| &self.side.book.rules[rule as usize])
    }

    /// What the lines are charged at, if the bill has them.
    fn price(&self) -> Option<LinePrice> {
        LinePrice::of(self.class, self.entry)
    }

    /// What the group pays; 0 where the bill does not have the lines.
    fn amount(&self) -> Amount {
        self.price().map_or(Amount::ZERO, |_| self.entry.amount)
    }

    /// What other sums of the same lines would cost here; `None` where that depends on a tier pool.
    fn amount_of(&self, sums: &[Quantity; MEASURES]) -> Result<Option<Amount>, DecimalError> {
        match self.price() {
            None => Ok(Some(Amount::ZERO)),
            Some(LinePrice::Share(..)) => Ok(None),
            Some(price) => price.amount(|measure| sums[measure as usize]).map(Some),
        }
    }

    /// Why lines cost something else although nothing of their own has changed.
    fn pool(&self) -> Cause {
        match self.entry.treatment {
            Treatment::Priced(Base::CustomTiers) => Cause::TierPool(self.entry.rule),
            Treatment::Priced(Base::GroupTiers) => Cause::TierPool(None),
            _ => Cause::Usage,
        }
    }

    fn usage(&self) -> (String, Quantity) {
        let unit = self.side.cube.value(self.class, KeyColumn::PricingUnit).unwrap_or_default();
        (unit.to_owned(), self.whole.sum(Measure::Usage))
    }
}

impl Parts {
    fn add(
        &mut self,
        at: Placed<'_>,
        cause: Cause,
        amount: Amount,
        usage: Option<(String, Quantity)>,
    ) -> Result<(), DecimalError> {
        let Some(group) = at.group else { return Ok(()) };
        let cube = at.side.cube;
        let currency = cube.value(at.class, KeyColumn::Currency).and_then(Currency::parse);
        let currency = currency.unwrap_or(at.side.book.currency);
        let part = self.part((group.to_owned(), currency, cube.product(at.class).to_owned()), cause);
        part.amount = part.amount.plus(amount)?;
        if let Some((unit, more)) = usage.filter(|(_, more)| !more.is_zero()) {
            let sum = part.usage.entry(unit).or_default();
            *sum = sum.plus(more)?;
        }
        Ok(())
    }

    /// A cause's part of a row; there are few.
    fn part(&mut self, key: Key, cause: Cause) -> &mut Part {
        let parts = self.0.entry(key).or_default();
        let place = parts.iter().position(|part| part.cause == cause).unwrap_or_else(|| {
            parts.push(Part { cause, amount: Amount::ZERO, usage: BTreeMap::new() });
            parts.len() - 1
        });
        &mut parts[place]
    }

    fn add_class(
        &mut self,
        before: Side<'_>,
        after: Side<'_>,
        one: Option<usize>,
        other: Option<usize>,
    ) -> Result<(), DecimalError> {
        let (one, other) = (one.map(|n| Placed::new(before, n)), other.map(|n| Placed::new(after, n)));
        let usage_gone = |one: Placed<'_>| {
            let (unit, usage) = one.usage();
            Some((unit, usage.negated()))
        };
        match (one, other) {
            (Some(one), None) => self.add(one, Cause::OnlyBefore, one.amount().negated(), usage_gone(one)),
            (None, Some(other)) => self.add(other, Cause::OnlyAfter, other.amount(), Some(other.usage())),
            (Some(one), Some(other)) if one.group != other.group => {
                let (from, to) = (one.group.map(ToOwned::to_owned), other.group.map(ToOwned::to_owned));
                self.add(one, Cause::MovedTo(to), one.amount().negated(), usage_gone(one))?;
                self.add(other, Cause::MovedFrom(from), other.amount(), Some(other.usage()))
            }
            (Some(one), Some(other)) => self.add_changed(one, other),
            (None, None) => Ok(()),
        }
    }

    /// A class that both sides have in one group.
    fn add_changed(&mut self, one: Placed<'_>, other: Placed<'_>) -> Result<(), DecimalError> {
        let (was, is) = (one.amount(), other.amount());
        if was == is {
            return Ok(());
        }
        let whole = is.minus(was)?;
        let left = |of: Placed<'_>| of.class.sum(Measure::Usage);
        let usage = Some((other.usage().0, left(other).minus(left(one))?));
        let same_sums = one.class.sums == other.class.sums;
        let of_sums = if one.whole.sums == other.whole.sums { Cause::Coverage } else { Cause::Usage };
        let Some(decision) = decision(one, other) else {
            return self.add(other, if same_sums { other.pool() } else { of_sums }, whole, usage);
        };
        if same_sums || decision == Cause::Coverage {
            return self.add(other, decision, whole, None);
        }
        // Both changed: first the usage at the old price, then the price; or the other way where the old price has tiers.
        let old_price_of_new = one.amount_of(&other.class.sums)?;
        let (of_usage, of_decision) = match (old_price_of_new, other.amount_of(&one.class.sums)?) {
            (Some(between), _) => (between.minus(was)?, is.minus(between)?),
            (None, Some(between)) => (is.minus(between)?, between.minus(was)?),
            (None, None) => (Amount::ZERO, whole),
        };
        self.add(other, of_sums, of_usage, usage)?;
        self.add(other, decision, of_decision, None)
    }

    fn add_items(&mut self, before: Side<'_>, after: Side<'_>) -> Result<(), DecimalError> {
        let (mut old, mut new) = (item_amounts(before)?, item_amounts(after)?);
        let (items_before, items_after) = (Items::new(before), Items::new(after));
        let keys: Vec<(Key, String)> = old.keys().chain(new.keys()).cloned().collect();
        for key in keys {
            let (was, is) = (old.remove(&key).unwrap_or_default(), new.remove(&key).unwrap_or_default());
            let (row, name) = key;
            let cause = match (items_before.of_row(&row, &name), items_after.of_row(&row, &name)) {
                (None, _) => Cause::ItemAdded(name),
                (_, None) => Cause::ItemRemoved(name),
                (Some(one), Some(other)) if before.book.same_item(one, after.book, other) => {
                    Cause::ItemBase(name)
                }
                _ => Cause::ItemChanged(name),
            };
            let part = self.part(row, cause);
            part.amount = part.amount.plus(is.minus(was)?)?;
        }
        Ok(())
    }
}

/// What decided otherwise about a class, the weightiest first.
fn decision(one: Placed<'_>, other: Placed<'_>) -> Option<Cause> {
    let (was, is) = (one.entry.treatment, other.entry.treatment);
    let kind = |treatment| matches!(treatment, Treatment::Priced(_));
    if kind(was) != kind(is) || (!kind(was) && was != is) {
        const OUTSIDE: Treatment = Treatment::Dropped(Reason::CommitmentOutside);
        const SIMULATED: Treatment = Treatment::Dropped(Reason::Simulated);
        return Some(match (was, is) {
            (Treatment::Covered | SIMULATED, _) | (_, Treatment::Covered | SIMULATED) => Cause::Coverage,
            (Treatment::AtCost, Treatment::Priced(_) | OUTSIDE) => Cause::CommitmentLeft,
            (Treatment::Priced(_) | OUTSIDE, Treatment::AtCost) => Cause::CommitmentCame,
            _ => Cause::Treatment(was, is),
        });
    }
    match (one.rule(), other.rule(), one.entry.rule, other.entry.rule) {
        (Some(old), Some(new), Some(was), Some(is)) if old.name == new.name => {
            if old.pricing != new.pricing {
                return Some(Cause::RuleChanged(was, is));
            }
        }
        (None, None, ..) => {}
        (.., was, is) => return Some(Cause::Rule(was, is)),
    }
    match (was, is) {
        (Treatment::Priced(was), Treatment::Priced(is)) if was != is => Some(Cause::Base(was, is)),
        _ => None,
    }
}

/// What each item charges in each row.
fn item_amounts(side: Side<'_>) -> Result<BTreeMap<(Key, String), Amount>, DecimalError> {
    let mut amounts: BTreeMap<(Key, String), Amount> = BTreeMap::new();
    for statement in side.statements {
        let group = &side.book.groups[statement.group].name;
        for item in &statement.items {
            let row = (group.clone(), statement.currency, item.product.clone());
            let sum = amounts.entry((row, side.book.items[item.item].name.clone())).or_default();
            *sum = sum.plus(item.amount)?;
        }
    }
    Ok(amounts)
}

/// The items in force in the month, by group, name and currency: of what a policy makes, items of several currencies have one name.
/// Items that the book lists are of no currency of their own, unless it names one.
struct Items<'a>(HashMap<(&'a str, &'a str, Option<Currency>), &'a CustomLineItem>);

impl<'a> Items<'a> {
    fn new(side: Side<'a>) -> Self {
        let in_force = side.book.items.iter().filter(|item| item.is_active(side.cube.period));
        let keyed = in_force.map(|item| {
            let currency = match &item.charge {
                Charge::Computed(of) => Some(of.currency),
                Charge::Flat(_) | Charge::Percentage(_) => item.currency,
            };
            let group = side.book.groups[item.billing_group].name.as_str();
            ((group, item.name.as_str(), currency), item)
        });
        Self(keyed.collect())
    }

    /// The item of a name that has a charge in a row, or would have one there.
    fn of_row(&self, (group, currency, _): &Key, name: &str) -> Option<&'a CustomLineItem> {
        let of = |currency| self.0.get(&(group.as_str(), name, currency)).copied();
        of(Some(*currency)).or_else(|| of(None))
    }
}
