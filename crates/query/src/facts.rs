//! The facts of a month: its charge classes in columns, once as AWS charges them and once as the billing groups are charged.
//!
//! A class's days stand beside each other, so that a question picks classes and sums what is left without looking anything up. The sum of every class
//! over the month is kept, too: a question of whole months touches no days. The amounts are those of [`billing::breakdown`], whose sums are the cost
//! report to the last digit; what AWS charges is of all line types, tax and support among them, as Cost Explorer has it. Left out of that are the rows
//! of split cost allocation, which repeat what others carry and which Cost Explorer does not have.
//!
//! Charges without a day (custom line items, lines that tell none) are on the first day of the month; days outside the month on the nearest of it, so that
//! the days of a month always are the month.

mod builder;

use crate::cost_category::CategoryColumn;
use crate::dimension::{DIMENSIONS, Dimension, Key, is_same_tag};
use crate::reservations::Reserved;
use crate::values::Values;
use billing::book::Book;
use billing::breakdown::{BreakdownError, Days, Source};
use billing::charge_class::{Cube, TextId, Texts};
use billing::commitment::Commitment;
use billing::money::DecimalError;
use billing::period::BillingPeriod;
use billing::rate_card::RateCard;
use billing::statement::Statement;
use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// The cost before discounts that have columns of their own.
    UnblendedCost,
    /// What AWS invoices.
    NetUnblendedCost,
    /// The unblended cost, fees of commitments spread over what they cover.
    AmortizedCost,
    /// The same of the net cost.
    NetAmortizedCost,
    /// The cost at the average rates of an organization.
    BlendedCost,
    /// The usage, in whatever units.
    UsageQuantity,
    /// The usage in normalised units.
    NormalizedUsageAmount,
}

impl Metric {
    /// Every metric with its name.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::AmortizedCost, "AmortizedCost"),
        (Self::BlendedCost, "BlendedCost"),
        (Self::NetAmortizedCost, "NetAmortizedCost"),
        (Self::NetUnblendedCost, "NetUnblendedCost"),
        (Self::NormalizedUsageAmount, "NormalizedUsageAmount"),
        (Self::UnblendedCost, "UnblendedCost"),
        (Self::UsageQuantity, "UsageQuantity"),
    ];

    /// The metric of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(metric, of)| (of == name).then_some(metric))
    }

    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find_map(|(metric, name)| (metric == self).then_some(name)).unwrap_or_default()
    }

    /// Whether it is an amount of money.
    #[must_use]
    pub const fn is_cost(self) -> bool {
        !matches!(self, Self::UsageQuantity | Self::NormalizedUsageAmount)
    }
}

/// A month that was priced.
#[derive(Clone, Copy)]
pub struct Priced<'a> {
    /// Its classes.
    pub cube: &'a Cube,
    /// The book that priced it.
    pub book: &'a Book,
    /// What the book makes of each class.
    pub card: &'a RateCard,
    /// What its groups are charged.
    pub statements: &'a [Statement],
    /// The month by day, where it is known.
    pub days: Option<Days<'a>>,
    /// The commitments of the month, by ARN, where the cost files were asked and could say them.
    pub commitments: Option<&'a [Commitment]>,
}

/// Why a month has no facts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FactsError {
    /// What the groups are charged cannot be taken apart.
    #[error(transparent)]
    Breakdown(#[from] BreakdownError),
    /// A sum is beyond what money can hold.
    #[error("an amount is {0}")]
    Decimal(#[from] DecimalError),
}

/// What the classes of the facts are made from, in their order.
#[derive(Debug, Default)]
pub struct Sources {
    /// Of what AWS charges: the class of the cube, by number.
    pub aws: Vec<usize>,
    /// Of what groups are charged.
    pub pro_forma: Vec<Source>,
}

/// The facts of a month, under some of the cost categories that were defined. What is not of these is shared: facts under others copy no class and no text.
#[derive(Debug, Clone)]
pub struct MonthFacts {
    bare: Arc<BareFacts>,
    /// The cost categories that were defined, which go before those of the cost files.
    defined: Vec<Arc<CategoryColumn>>,
}

/// The facts of a month without cost categories that were defined.
#[derive(Debug)]
pub struct BareFacts {
    /// The month.
    pub period: BillingPeriod,
    /// The billing groups, by their names in the book that priced the month.
    pub groups: Vec<String>,
    /// The cost allocation tags that the book names, as cost files write them.
    pub tags: Vec<String>,
    /// The cost categories of the cost files that the book names.
    pub cost_categories: Vec<String>,
    /// Whether the month is known by day.
    pub has_days: bool,
    /// The reservations of the payer, in the order of their ARNs; `None` where the cost files do not say what they are.
    pub reservations: Option<Arc<[Reserved]>>,
    /// The currency of the book, which sums of nothing are in.
    pub currency: String,
    /// What AWS charges.
    pub(crate) aws: Table,
    /// What the billing groups are charged.
    pub(crate) pro_forma: Table,
    pub(crate) texts: Texts,
}

/// Whose costs a table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// What AWS charges.
    Aws,
    /// What the billing groups are charged.
    ProForma,
}

impl Whose {
    pub const BOTH: [Self; 2] = [Self::Aws, Self::ProForma];
}

impl Deref for MonthFacts {
    type Target = BareFacts;

    fn deref(&self) -> &BareFacts {
        &self.bare
    }
}

impl From<BareFacts> for MonthFacts {
    fn from(bare: BareFacts) -> Self {
        Self { bare: Arc::new(bare), defined: Vec::new() }
    }
}

/// Classes in columns.
#[derive(Debug, Default)]
pub struct Table {
    /// By dimension and class, the value.
    pub(crate) dimensions: [Vec<TextId>; DIMENSIONS],
    /// By tag of the book and class.
    pub(crate) tags: Vec<Vec<TextId>>,
    /// By cost category of the book and class.
    pub(crate) cost_categories: Vec<Vec<TextId>>,
    /// The billing group of each class, by number in the facts; `u32::MAX` of none.
    pub(crate) group: Vec<u32>,
    /// The currency of each class.
    pub(crate) currency: Vec<TextId>,
    /// The unit of its usage.
    pub(crate) unit: Vec<TextId>,
    /// Where the days of each class begin, and where the last one's end.
    pub(crate) first_row: Vec<u32>,
    /// The day of each row: 0 is the first of the month.
    pub(crate) day: Vec<u8>,
    /// What is measured, by metric.
    pub(crate) measures: Vec<(Metric, Measured)>,
    /// What is not, and why.
    pub(crate) missing: Vec<(Metric, Missing)>,
}

/// Why the payer's month has no such metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The cost files do not have its column.
    Column,
    /// They do not have a column of what usage took of commitments, or of what is left of these.
    Commitments,
    /// The month is what a level above charges, which tells nothing of commitments.
    OfLevel,
    /// The run was made before it was kept.
    EarlierRun,
}

/// One metric of a table.
#[derive(Debug)]
pub(crate) struct Measured {
    /// The sum of each class over the month.
    pub months: Values,
    /// The same by row; `None` where it is not known by day.
    pub days: Option<Values>,
}

impl Table {
    /// How many classes there are.
    pub(crate) const fn len(&self) -> usize {
        self.group.len()
    }

    /// The rows of a class.
    pub(crate) fn rows(&self, class: usize) -> std::ops::Range<usize> {
        self.first_row[class] as usize..self.first_row[class + 1] as usize
    }

    /// Why it does not have a metric; `None` where no table of its kind has it.
    pub(crate) fn why_missing(&self, metric: Metric) -> Option<Missing> {
        self.missing.iter().find_map(|(of, missing)| (*of == metric).then_some(*missing))
    }

    /// A metric, where the table has it.
    pub(crate) fn measured(&self, metric: Metric) -> Option<&Measured> {
        self.measures.iter().find_map(|(of, measured)| (*of == metric).then_some(measured))
    }
}

impl MonthFacts {
    /// The facts of a month that was priced.
    ///
    /// # Errors
    /// [`FactsError`].
    pub fn of(month: Priced<'_>) -> Result<Self, FactsError> {
        Ok(builder::facts(month)?.0)
    }

    /// The same with what each class of the facts is made from.
    ///
    /// # Errors
    /// [`FactsError`].
    pub fn with_sources(month: Priced<'_>) -> Result<(Self, Sources), FactsError> {
        builder::facts(month)
    }

    /// The same facts under some cost categories, in place of those that they may have been under. One that cost files have, too, goes before theirs.
    #[must_use]
    pub fn under(&self, columns: impl IntoIterator<Item = Arc<CategoryColumn>>) -> Self {
        Self { bare: self.bare.clone(), defined: columns.into_iter().collect() }
    }

    /// The cost categories that were defined and that these facts are under.
    pub(crate) fn columns(&self) -> &[Arc<CategoryColumn>] {
        &self.defined
    }

    /// The names of all cost categories, those of cost files and those that these facts are under.
    #[must_use]
    pub fn cost_category_names(&self) -> BTreeSet<&str> {
        let defined = self.defined.iter().map(|column| column.name.as_str());
        self.cost_categories.iter().map(String::as_str).chain(defined).collect()
    }

    /// A table.
    pub(crate) fn table(&self, whose: Whose) -> &Table {
        match whose {
            Whose::Aws => &self.aws,
            Whose::ProForma => &self.pro_forma,
        }
    }

    /// What a cost category that was defined makes of the classes.
    fn defined(&self, key: &Key) -> Option<&CategoryColumn> {
        let Key::CostCategory(name) = key else { return None };
        self.defined.iter().find(|column| column.name == *name).map(AsRef::as_ref)
    }

    /// The values of a key by class, as numbers of its texts; `None` of a tag or cost category that is not kept.
    pub(crate) fn column(&self, whose: Whose, key: &Key) -> Option<&[TextId]> {
        if let Some(column) = self.defined(key) {
            return Some(column.of(whose));
        }
        let table = self.table(whose);
        let (columns, at) = match key {
            Key::Dimension(dimension) => return Some(&table.dimensions[*dimension as usize]),
            Key::Tag(key) => {
                let exact = self.tags.iter().position(|tag| tag == key);
                let found = exact.or_else(|| self.tags.iter().position(|tag| is_same_tag(tag, key)));
                (&table.tags, found)
            }
            Key::CostCategory(name) => {
                (&table.cost_categories, self.cost_categories.iter().position(|kept| kept == name))
            }
        };
        at.map(|at| columns[at].as_slice())
    }

    /// The texts that the values of a key are numbers of.
    pub(crate) fn texts_of(&self, key: &Key) -> &Texts {
        self.defined(key).map_or(&self.texts, |column| &column.texts)
    }

    /// A value of a key as it is shown.
    pub(crate) fn shown(&self, key: &Key, value: TextId) -> String {
        let text = self.texts_of(key).get(value);
        match key {
            Key::Dimension(dimension) => text.unwrap_or(dimension.absent()).to_owned(),
            Key::Tag(name) | Key::CostCategory(name) => format!("{name}${}", text.unwrap_or_default()),
        }
    }

    /// What it takes in memory, in bytes, without cost categories that were defined: [`CategoryColumn::bytes`].
    #[must_use]
    pub fn bytes(&self) -> usize {
        let mut columns = BTreeSet::new();
        let mut bytes = size_of::<BareFacts>();
        for table in [&self.aws, &self.pro_forma] {
            let keys = DIMENSIONS + table.tags.len() + table.cost_categories.len() + 4;
            bytes += table.len() * keys * size_of::<TextId>() + table.day.len();
            let values = table.measures.iter().flat_map(|(_, of)| [Some(&of.months), of.days.as_ref()]);
            // Columns that are shared count once.
            columns.extend(values.flatten().map(Values::bytes));
        }
        bytes += columns.into_iter().map(|(_, bytes)| bytes).sum::<usize>();
        bytes += self.reservations.iter().flat_map(|of| of.iter()).map(Reserved::bytes).sum::<usize>();
        bytes + bytes_of(&self.texts)
    }
}

/// What texts take in memory: each is kept twice, with its place.
pub(crate) fn bytes_of(texts: &Texts) -> usize {
    let texts = (1..=texts.len()).filter_map(|id| texts.get(TextId(u32::try_from(id).ok()?)));
    texts.map(|text| 2 * (text.len() + 24)).sum()
}

/// The dimensions of a class of the cube in the order of [`Dimension::ALL`].
pub(crate) type DimensionValues<'a> = [Option<&'a str>; DIMENSIONS];

/// Sets a dimension among those of a class.
pub(crate) const fn set<'a>(values: &mut DimensionValues<'a>, dimension: Dimension, value: Option<&'a str>) {
    values[dimension as usize] = value;
}
