//! The statement: the pro forma bill of one billing group in one currency.
//!
//! It holds what the customer may see and nothing else: no AWS cost, no margin, no other account. The leaves (lines and
//! custom line items) carry their exact amount and the one that is shown; every total here and in the
//! cost report is a sum of the shown amounts, so all surfaces agree to the last digit.

use crate::book::Book;
use crate::charge_class::{ChargeClass, Cube, KeyColumn, Measure, TextId, TextMap};
use crate::class_kind::line_item_type;
use crate::cost_line::LineItemType;
use crate::custom_line_item::{self, Charge, Kind};
use crate::money::{Amount, Cost, Currency, DecimalError, Quantity, shown};
use crate::rate_card::{CoveredPart, ItemCharge, Operation, RateCard};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A billing group's pro forma bill in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The group, by number in the book.
    pub group: usize,
    /// The currency of every amount.
    pub currency: Currency,
    /// The priced lines, summed by what the customer can tell apart, in the order of their keys.
    pub lines: Vec<StatementLine>,
    /// The custom line items, in the order of the book.
    pub items: Vec<StatementItem>,
    /// The exact total.
    pub total: Amount,
    /// The total as shown: the sum of all shown amounts.
    pub total_shown: Cost,
}

/// What a statement line is about, by numbers of the cube's texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LineKey {
    /// The member account.
    pub account: TextId,
    /// The service code, else the product code.
    pub product: TextId,
    /// The usage type.
    pub usage_type: TextId,
    /// The operation.
    pub operation: TextId,
    /// The region.
    pub region: TextId,
    /// The line item type in the group's own terms: usage that an outside commitment covers is `Usage`.
    pub line_item_type: TextId,
    /// The pricing unit.
    pub unit: TextId,
}

/// Whether a statement shows the usage of a kind of line.
#[must_use]
pub fn usage_is_shown(kind: LineItemType) -> bool {
    kind.is_metered() || kind == LineItemType::FlatRateSubscription
}

impl LineKey {
    /// The line of a statement that a class is on.
    #[must_use]
    pub fn of(cube: &Cube, class: &ChargeClass, operation: Operation) -> Self {
        let on_demand_again = line_item_type(cube, class).is_metered()
            && !matches!(operation, Operation::Keep(_) | Operation::KeepUnused);
        let kind = if on_demand_again { cube.kinds.usage } else { class.text(KeyColumn::LineItemType) };
        Self::of_kind(cube, class, kind)
    }

    /// The line of a statement that a class is on under a line item type.
    fn of_kind(cube: &Cube, class: &ChargeClass, line_item_type: TextId) -> Self {
        // To a customer an empty text and none are one thing.
        let filled = |id| if cube.text(id).is_empty() { TextId::NULL } else { id };
        let text = |column| filled(class.text(column));
        Self {
            account: text(KeyColumn::UsageAccount),
            product: filled(cube.product_id(class)),
            usage_type: text(KeyColumn::UsageType),
            operation: text(KeyColumn::Operation),
            region: text(KeyColumn::Region),
            line_item_type: filled(line_item_type),
            unit: text(KeyColumn::PricingUnit),
        }
    }

    /// The texts, in the order by which lines are sorted.
    fn texts<'a>(&self, cube: &'a Cube) -> [&'a str; 7] {
        let Self { account, product, usage_type, operation, region, line_item_type, unit } = *self;
        [account, product, usage_type, operation, region, line_item_type, unit].map(|id| cube.text(id))
    }
}

/// What covered usage adds to a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CoveredLeaf {
    /// The line.
    pub key: LineKey,
    /// The usage, of what is covered; none of its negation.
    pub usage: Option<Quantity>,
    /// The exact amount.
    pub amount: Amount,
}

impl CoveredPart {
    /// The class that is covered, as the cube has it.
    #[must_use]
    pub fn class<'a>(&self, cube: &'a Cube) -> &'a ChargeClass {
        &cube.classes[self.covered.class as usize]
    }

    /// The covered usage, and the negation of its cost where a Savings Plan covers it.
    pub(crate) fn lines(&self, cube: &Cube) -> impl Iterator<Item = CoveredLeaf> {
        let key = |kind| LineKey::of_kind(cube, self.class(cube), kind);
        let usage = Some(self.covered.usage());
        let covered = CoveredLeaf { key: key(self.line_item_type), usage, amount: self.amount };
        let negation = self.negated.map(|_| CoveredLeaf {
            key: key(cube.kinds.negation),
            usage: None,
            amount: self.amount.negated(),
        });
        [Some(covered), negation].into_iter().flatten()
    }
}

/// Charges of one kind in one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementLine {
    /// What it is about.
    pub key: LineKey,
    /// The usage, in the unit; `None` where nothing is metered.
    pub usage: Option<Quantity>,
    /// The exact amount.
    pub amount: Amount,
    /// The amount as shown.
    pub shown: Cost,
}

/// A custom line item's charge on one account and product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementItem {
    /// The item, by number in the book.
    pub item: usize,
    /// The account that carries it.
    pub account: String,
    /// The product it is shown under.
    pub product: String,
    /// `Fee`, `Credit`, `Proforma_Fee` or `Proforma_Credit`, as AWS writes them.
    pub line_item_type: &'static str,
    /// The exact amount, signed.
    pub amount: Amount,
    /// The amount as shown.
    pub shown: Cost,
}

/// The statements of all billing groups, in the order of the book and of currencies.
///
/// A group without any charge has one statement of 0 in the book's currency.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn statements(
    cube: &Cube,
    book: &Book,
    card: &RateCard,
    charges: &[ItemCharge],
) -> Result<Vec<Statement>, DecimalError> {
    let mut leaves: BTreeMap<(usize, Currency), Leaves> = BTreeMap::new();
    for group in book.groups_of(cube.period) {
        leaves.insert((group, book.currency), Leaves::default());
    }
    for (class, entry) in card.entries.iter().enumerate() {
        if let Some(group) = entry.group.filter(|_| entry.treatment.is_on_bill()) {
            let currency = cube.value(&cube.classes[class], KeyColumn::Currency).and_then(Currency::parse);
            let key = (group as usize, currency.unwrap_or(book.currency));
            let class = card.class(cube, class);
            leaves.entry(key).or_default().add_class(cube, class, entry.operation, entry.amount)?;
        }
    }
    for part in &card.covered {
        let currency = cube.value(part.class(cube), KeyColumn::Currency).and_then(Currency::parse);
        let key = (part.group as usize, currency.unwrap_or(book.currency));
        leaves.entry(key).or_default().add_covered(cube, part)?;
    }
    for charge in charges {
        let key = (book.items[charge.item].billing_group, charge.currency);
        leaves.entry(key).or_default().add_charge(cube, book, charge)?;
    }
    let used: Vec<usize> =
        leaves.iter().filter(|(_, l)| !l.is_empty()).map(|((group, _), _)| *group).collect();
    leaves
        .into_iter()
        .filter(|((group, _), leaves)| !leaves.is_empty() || !used.contains(group))
        .map(|((group, currency), leaves)| leaves.into_statement(cube, group, currency))
        .collect()
}

/// A billing group's total in one currency: what [`statements`] says of it, without the lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// The group, by number in the book.
    pub group: usize,
    /// The currency.
    pub currency: Currency,
    /// The exact total.
    pub amount: Amount,
    /// The total as shown.
    pub shown: Cost,
}

/// The totals of the statements that [`statements`] makes, in the same order, many times faster.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn totals(
    cube: &Cube,
    book: &Book,
    card: &RateCard,
    charges: &[ItemCharge],
) -> Result<Vec<Total>, DecimalError> {
    let mut by_code: TextMap<(usize, TextId), Amount> = TextMap::default();
    for (class, entry) in cube.classes.iter().zip(&card.entries) {
        if let Some(group) = entry.group.filter(|_| entry.treatment.is_on_bill()) {
            let sum = by_code.entry((group as usize, class.text(KeyColumn::Currency))).or_default();
            *sum = sum.plus(entry.amount)?;
        }
    }
    for part in &card.covered {
        // Covered usage costs nothing, or is negated; but it is on the bill.
        by_code.entry((part.group as usize, part.class(cube).text(KeyColumn::Currency))).or_default();
    }
    let mut sums: BTreeMap<(usize, Currency), Amount> = BTreeMap::new();
    let of_classes = by_code.into_iter().map(|((group, code), amount)| {
        let currency = cube.texts.get(code).and_then(Currency::parse);
        ((group, currency.unwrap_or(book.currency)), amount)
    });
    let of_items = charges
        .iter()
        .map(|charge| ((book.items[charge.item].billing_group, charge.currency), charge.amount));
    for (key, amount) in of_classes.chain(of_items) {
        let sum = sums.entry(key).or_default();
        *sum = sum.plus(amount)?;
    }
    let charged: BTreeSet<usize> = sums.keys().map(|(group, _)| *group).collect();
    let empty = book.groups_of(cube.period).filter(|group| !charged.contains(group));
    sums.extend(empty.map(|group| ((group, book.currency), Amount::ZERO)).collect::<Vec<_>>());
    let total =
        |((group, currency), amount)| Ok(Total { group, currency, amount, shown: shown(&[amount])?.0 });
    sums.into_iter().map(total).collect()
}

impl Statement {
    /// What is charged under each product, as shown.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn by_product<'a>(&'a self, cube: &'a Cube) -> Result<BTreeMap<&'a str, Cost>, DecimalError> {
        let lines = self.lines.iter().map(|line| (cube.text(line.key.product), line.shown));
        let items = self.items.iter().map(|item| (item.product.as_str(), item.shown));
        let mut charges: BTreeMap<&str, Cost> = BTreeMap::new();
        for (product, shown) in lines.chain(items) {
            let sum = charges.entry(product).or_default();
            *sum = sum.plus(shown)?;
        }
        Ok(charges)
    }
}

#[derive(Default)]
struct Leaves {
    lines: HashMap<LineKey, (Option<Quantity>, Amount)>,
    items: BTreeMap<(usize, String, String), Amount>,
    item_types: BTreeMap<usize, &'static str>,
}

impl Leaves {
    fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.items.is_empty()
    }

    fn add_class(
        &mut self,
        cube: &Cube,
        class: &ChargeClass,
        operation: Operation,
        amount: Amount,
    ) -> Result<(), DecimalError> {
        let usage = usage_is_shown(line_item_type(cube, class)).then(|| class.sum(Measure::Usage));
        self.add_line(LineKey::of(cube, class, operation), usage, amount)
    }

    /// Adds what a commitment covers of a class: its usage, and the negation of its cost.
    fn add_covered(&mut self, cube: &Cube, part: &CoveredPart) -> Result<(), DecimalError> {
        for line in part.lines(cube) {
            self.add_line(line.key, line.usage, line.amount)?;
        }
        Ok(())
    }

    fn add_line(
        &mut self,
        key: LineKey,
        usage: Option<Quantity>,
        amount: Amount,
    ) -> Result<(), DecimalError> {
        let leaf = self.lines.entry(key).or_insert((usage.map(|_| Quantity::ZERO), Amount::ZERO));
        leaf.0 = match (leaf.0, usage) {
            (Some(sum), Some(more)) => Some(sum.plus(more)?),
            (sum, _) => sum,
        };
        leaf.1 = leaf.1.plus(amount)?;
        Ok(())
    }

    fn add_charge(&mut self, cube: &Cube, book: &Book, charge: &ItemCharge) -> Result<(), DecimalError> {
        let item = &book.items[charge.item];
        let (account, product) = match charge.class.map(|class| &cube.classes[class]) {
            Some(class) => {
                (cube.value(class, KeyColumn::UsageAccount).unwrap_or_default(), cube.product(class))
            }
            None => {
                let product = item.presentation_service.as_deref().unwrap_or(custom_line_item::PRODUCT);
                (item.account.as_str(), product)
            }
        };
        let itemized = matches!(&item.charge, Charge::Percentage(charge) if charge.itemized);
        let under_other_product = itemized || item.presentation_service.is_some();
        self.item_types.insert(
            charge.item,
            match (item.kind, under_other_product) {
                (Kind::Fee, false) => "Fee",
                (Kind::Credit, false) => "Credit",
                (Kind::Fee, true) => "Proforma_Fee",
                (Kind::Credit, true) => "Proforma_Credit",
            },
        );
        let sum = self.items.entry((charge.item, account.to_owned(), product.to_owned())).or_default();
        *sum = sum.plus(charge.amount)?;
        Ok(())
    }

    fn into_statement(
        self,
        cube: &Cube,
        group: usize,
        currency: Currency,
    ) -> Result<Statement, DecimalError> {
        let mut lines: Vec<_> = self.lines.into_iter().collect();
        lines.sort_by_cached_key(|(key, _)| key.texts(cube));
        let amounts: Vec<Amount> =
            lines.iter().map(|(_, (_, amount))| *amount).chain(self.items.values().copied()).collect();
        let total = amounts.iter().try_fold(Amount::ZERO, |sum, more| sum.plus(*more))?;
        let (total_shown, parts) = shown(&amounts)?;
        let mut parts = parts.into_iter();
        let lines = (lines.into_iter().zip(parts.by_ref()))
            .map(|((key, (usage, amount)), shown)| StatementLine { key, usage, amount, shown })
            .collect();
        let item_types = self.item_types;
        let items = (self.items.into_iter().zip(parts))
            .map(|(((item, account, product), amount), shown)| {
                let line_item_type = item_types.get(&item).copied().unwrap_or("Fee");
                StatementItem { item, account, product, line_item_type, amount, shown }
            })
            .collect();
        Ok(Statement { group, currency, lines, items, total, total_shown })
    }
}
