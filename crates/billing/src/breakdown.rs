//! The month in its smallest parts, from which any report is a sum: of every charge class, day and custom line item, what is charged
//! and what AWS charges.
//!
//! What is shown of a statement's line is shared among its classes, and what is shown of a class among its days, each by the rule of
//! [`crate::money::shown`]. So every report adds up to the cost report, to the last digit, whatever it is grouped by. The amount
//! of a class's day follows from the class's operation and the day's sums; in a tier pool, where it does not, the
//! class's amount is shared among its days by their usage. A custom line item has no day.
//!
//! What commitments of a group cover is a part of its own beside what is left of the class, which keeps the whole AWS cost.

use crate::book::{Book, Reports};
use crate::charge_class::{ChargeClass, ClassId, Cube, KeyColumn, Measure};
use crate::class_kind::{LeftOut, line_item_type};
use crate::coverage::{CUT_MEASURES, CoveredOfDay, on_demand_cost};
use crate::dimension::Kind;
use crate::money::{Amount, Cost, Currency, DecimalError, Quantity, product, shown_within};
use crate::rate_card::{CoveredPart, Entry, LinePrice, RateCard};
use crate::statement::{LineKey, Statement, usage_is_shown};
use crate::tier_pool;
use std::collections::{BTreeSet, HashMap};

/// The sums of a class's lines on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayOfClass {
    /// The class.
    pub class: ClassId,
    /// The day, since 1970-01-01; `None` where lines tell none.
    pub date: Option<i32>,
    /// How many lines.
    pub lines: u64,
    /// Their usage.
    pub usage: Quantity,
    /// Their unblended cost.
    pub unblended: Quantity,
    /// Their net unblended cost, as [`Measure::NetUnblended`] has it.
    pub net_unblended: Quantity,
    /// Their public On-Demand cost.
    pub public_on_demand: Quantity,
    /// What no price starts from; `None` where the cube was written before it was kept.
    pub beyond_prices: Option<BeyondPrices>,
}

/// The sums of a class's lines on one day that are only asked for: no price starts from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BeyondPrices {
    /// Their usage in normalised units.
    pub normalized_usage: Quantity,
    /// Their amortized cost, as [`crate::amortized`] has it.
    pub amortized: Quantity,
    /// What was kept later than these; `None` where the cube was written before.
    pub blended_and_net: Option<BlendedAndNet>,
}

/// The sums of a class's lines on one day that metrics of AWS's own discounts and averages are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlendedAndNet {
    /// Their cost at the average rates of the organization.
    pub blended: Quantity,
    /// Their net amortized cost, whatever they are.
    pub net_amortized: Quantity,
}

impl DayOfClass {
    /// Whether the daily cube has a measure's sums. What covered usage took of its commitment goes by usage, at one rate per class.
    const fn has(measure: Measure) -> bool {
        use Measure::{NetUnblended, PublicOnDemand, Unblended, Usage};
        matches!(measure, Usage | Unblended | NetUnblended | PublicOnDemand)
    }

    /// The day's sum of a measure; the daily cube has those that prices start from.
    fn sum(&self, measure: Measure) -> Quantity {
        match measure {
            Measure::Usage => self.usage,
            Measure::Unblended => self.unblended,
            Measure::NetUnblended => self.net_unblended,
            Measure::PublicOnDemand => self.public_on_demand,
            _ => Quantity::ZERO,
        }
    }

    const fn sum_mut(&mut self, measure: Measure) -> Option<&mut Quantity> {
        match measure {
            Measure::Usage => Some(&mut self.usage),
            Measure::Unblended => Some(&mut self.unblended),
            Measure::NetUnblended => Some(&mut self.net_unblended),
            Measure::PublicOnDemand => Some(&mut self.public_on_demand),
            _ => None,
        }
    }
}

/// What a part of the month is a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// A class, by number in the cube: what commitments leave of it, and all of its AWS cost.
    Class(usize),
    /// What a commitment covers of a class, by number in [`RateCard::covered`].
    Covered(usize),
    /// The negation of what that costs On-Demand, by the same number.
    Negation(usize),
    /// A custom line item, by number of the statement and of the item on it.
    Item(usize, usize),
}

/// A smallest part of the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// What it is of.
    pub source: Source,
    /// The billing group, by number in the book.
    pub group: Option<usize>,
    /// The currency.
    pub currency: Currency,
    /// The day, since 1970-01-01; `None` where there is none, or days are not told apart.
    pub date: Option<i32>,
    /// What the group is charged, as shown; `None` where nothing of it is on a bill.
    pub pro_forma: Option<Cost>,
    /// What AWS charges; `None` where the cost report leaves it out.
    pub aws_cost: Option<Cost>,
    /// The usage, where it is metered.
    pub usage: Option<Quantity>,
    /// What is behind what the group is charged.
    pub charged: ChargedFor,
}

/// What a group is charged for in a part of a class: what commitments leave of it, or what one covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChargedFor {
    /// How many lines: those of the class; what is covered of it in the month or on a day counts as one, and so does a custom line item.
    pub lines: u64,
    /// The usage, metered or not.
    pub usage: Quantity,
    /// Its public On-Demand cost.
    pub public_on_demand: Quantity,
}

/// Why a month cannot be broken down.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BreakdownError {
    /// The days are those of other lines.
    #[error("the days of charge class {0} do not add up to it")]
    OtherDays(ClassId),
    /// A sum is beyond what money can hold.
    #[error("an amount is {0}")]
    Decimal(#[from] DecimalError),
}

/// A month by day.
#[derive(Debug, Clone, Copy)]
pub struct Days<'a> {
    /// Its classes.
    pub classes: &'a [DayOfClass],
    /// What commitments cover of them, in the order of class, commitment and day; nothing where that is as in the real bill.
    pub covered: &'a [CoveredOfDay],
}

/// The parts of a month, by class and, where `days` are given, by day; then the custom line items.
///
/// # Errors
/// [`BreakdownError`].
pub fn parts(
    cube: &Cube,
    book: &Book,
    card: &RateCard,
    statements: &[Statement],
    days: Option<Days<'_>>,
) -> Result<Vec<Part>, BreakdownError> {
    let mut shown = shown_by_source(cube, book, card, statements)?;
    let ids = days.map(|_| cube.class_ids()).transpose().map_err(BreakdownError::OtherDays)?;
    let mut days_of: HashMap<ClassId, &[DayOfClass]> = HashMap::new();
    for of_class in days.into_iter().flat_map(|days| days.classes.chunk_by(|a, b| a.class == b.class)) {
        days_of.insert(of_class[0].class, of_class);
    }
    let mut covered = days.map_or(&[][..], |days| days.covered);
    let mut parts = Vec::with_capacity(days.map_or(cube.classes.len(), |days| days.classes.len()));
    for (number, entry) in card.entries.iter().enumerate() {
        let whole = whole(cube, book, card, number, shown.remove(&Source::Class(number)));
        let Some(ids) = &ids else {
            parts.push(whole);
            continue;
        };
        let class = Dated {
            id: ids[number],
            class: &cube.classes[number],
            left: card.class(cube, number),
            days: days_of.remove(&ids[number]).unwrap_or_default(),
            covered: of_class(&mut covered, number),
            first_day: first_day(cube),
        };
        class.check()?;
        class.add_days(&mut parts, whole, entry)?;
    }
    if let Some(class) = days_of.into_keys().min() {
        return Err(BreakdownError::OtherDays(class));
    }
    let by_day = days.map(|days| days.covered);
    for (number, part) in card.covered.iter().enumerate() {
        add_covered(&mut parts, cube, book, (number, part), by_day, &mut shown)?;
    }
    for (number, statement) in statements.iter().enumerate() {
        parts.extend(statement.items.iter().enumerate().map(|(item, charge)| Part {
            source: Source::Item(number, item),
            group: Some(statement.group),
            currency: statement.currency,
            date: None,
            pro_forma: Some(charge.shown),
            aws_cost: None,
            usage: None,
            charged: ChargedFor { lines: 1, ..ChargedFor::default() },
        }));
    }
    Ok(parts)
}

/// Warnings of the tags and cost categories by which a book breaks reports down and that no line of the month has.
#[must_use]
pub fn unused_by_reports(cube: &Cube, reports: &Reports) -> Vec<String> {
    let used: BTreeSet<(Kind, &str)> =
        cube.dimension_sets.values().flatten().map(|of| (of.kind, of.name.as_str())).collect();
    let categories = reports.cost_categories.iter().map(|name| (Kind::CostCategory, name.as_str()));
    let tags = reports.tags.iter().map(|name| (Kind::Tag, name.as_str()));
    let named: BTreeSet<(Kind, &str)> = categories.chain(tags).collect();
    let warning = |(kind, name): &(Kind, &str)| {
        format!("no line has the {} `{name}` that the book's `reports` name", kind.in_words())
    };
    named.difference(&used).map(warning).collect()
}

/// Takes what is covered of a class from the head of what is covered of all.
fn of_class<'a>(covered: &mut &'a [CoveredOfDay], number: usize) -> &'a [CoveredOfDay] {
    let end = covered.partition_point(|part| part.class as usize <= number);
    let (of_class, rest) = covered.split_at(end);
    *covered = rest;
    of_class
}

/// The first day of the cube's month, since 1970-01-01.
fn first_day(cube: &Cube) -> i32 {
    // Within the years that a billing period has.
    i32::try_from(cube.period.start_seconds() / 86_400).unwrap_or(0)
}

/// What a line of a statement sums, with its exact amounts.
type Sources = Vec<(Source, Amount)>;

/// What is shown of every class and of what is covered, where it is on a bill.
fn shown_by_source(
    cube: &Cube,
    book: &Book,
    card: &RateCard,
    statements: &[Statement],
) -> Result<HashMap<Source, Cost>, DecimalError> {
    let mut lines: HashMap<(usize, Currency, LineKey), (Cost, Sources)> = HashMap::new();
    for statement in statements {
        for line in &statement.lines {
            lines.insert((statement.group, statement.currency, line.key), (line.shown, Vec::new()));
        }
    }
    // Every class that is charged is on a line of its group's statement.
    let mut add = |group: u32, class: &ChargeClass, key: LineKey, source: Source, amount: Amount| {
        let line = lines.entry((group as usize, currency(cube, book, class), key)).or_default();
        line.1.push((source, amount));
    };
    for (number, (class, entry)) in cube.classes.iter().zip(&card.entries).enumerate() {
        if let Some(group) = entry.group.filter(|_| entry.treatment.is_on_bill()) {
            let key = LineKey::of(cube, class, entry.operation);
            add(group, class, key, Source::Class(number), entry.amount);
        }
    }
    for (number, part) in card.covered.iter().enumerate() {
        for (line, source) in part.lines(cube).zip([Source::Covered(number), Source::Negation(number)]) {
            add(part.group, part.class(cube), line.key, source, line.amount);
        }
    }
    let mut shown = HashMap::with_capacity(cube.classes.len() + card.covered.len());
    for (total, sources) in lines.into_values() {
        let amounts: Vec<Amount> = sources.iter().map(|(_, amount)| *amount).collect();
        let parts = shown_within(total, &amounts)?;
        shown.extend(sources.into_iter().map(|(source, _)| source).zip(parts));
    }
    Ok(shown)
}

fn currency(cube: &Cube, book: &Book, class: &ChargeClass) -> Currency {
    cube.value(class, KeyColumn::Currency).and_then(Currency::parse).unwrap_or(book.currency)
}

/// A class as one part: what commitments leave of it, and its AWS cost.
fn whole(cube: &Cube, book: &Book, card: &RateCard, number: usize, shown: Option<Cost>) -> Part {
    let class = &cube.classes[number];
    let kind = line_item_type(cube, class);
    let left_out = card.entries[number].left_out_of_aws_cost(cube, class);
    let repeats = left_out == Some(LeftOut::SplitCostAllocation);
    let left = card.class(cube, number);
    let usage = || left.sum(Measure::Usage);
    Part {
        source: Source::Class(number),
        group: card.entries[number].group.map(|group| group as usize),
        currency: currency(cube, book, class),
        date: None,
        pro_forma: shown,
        aws_cost: left_out.is_none().then(|| class.sum(Measure::NetUnblended)),
        usage: (usage_is_shown(kind) && !repeats).then(usage),
        charged: ChargedFor {
            lines: class.lines,
            usage: usage(),
            public_on_demand: left.sum(Measure::PublicOnDemand),
        },
    }
}

/// Adds what a commitment covers of a class and its negation, day by day where these are known.
fn add_covered(
    parts: &mut Vec<Part>,
    cube: &Cube,
    book: &Book,
    (number, of_month): (usize, &CoveredPart),
    by_day: Option<&[CoveredOfDay]>,
    shown: &mut HashMap<Source, Cost>,
) -> Result<(), BreakdownError> {
    let key = (of_month.covered.class, of_month.covered.commitment);
    let days = by_day.map_or(std::slice::from_ref(&of_month.covered), |covered| {
        let begin = covered.partition_point(|part| (part.class, part.commitment) < key);
        let end = covered.partition_point(|part| (part.class, part.commitment) <= key);
        &covered[begin..end]
    });
    let cost = |day: &CoveredOfDay| match of_month.negated {
        Some(_) => on_demand_cost(cube, day).to_amount(),
        None => Ok(Amount::ZERO),
    };
    let costs: Vec<Amount> = days.iter().map(cost).collect::<Result<_, _>>()?;
    for (source, costs) in [
        (Source::Covered(number), costs.clone()),
        (Source::Negation(number), costs.into_iter().map(Amount::negated).collect()),
    ] {
        let Some(total) = shown.remove(&source) else { continue };
        let shown = shown_within(total, &costs)?;
        parts.extend(days.iter().zip(shown).map(|(day, shown)| Part {
            source,
            group: Some(of_month.group as usize),
            currency: currency(cube, book, of_month.class(cube)),
            date: by_day.map(|_| date_of(cube, day)),
            pro_forma: Some(shown),
            aws_cost: None,
            usage: matches!(source, Source::Covered(_)).then(|| day.usage()),
            charged: match source {
                Source::Covered(_) => ChargedFor {
                    lines: 1,
                    usage: day.usage(),
                    public_on_demand: day.measure(Measure::PublicOnDemand),
                },
                _ => ChargedFor { lines: 1, ..ChargedFor::default() },
            },
        }));
    }
    Ok(())
}

fn date_of(cube: &Cube, day: &CoveredOfDay) -> i32 {
    first_day(cube).saturating_add_unsigned(day.day)
}

/// A class by day.
struct Dated<'a> {
    id: ClassId,
    class: &'a ChargeClass,
    /// What commitments leave of it.
    left: &'a ChargeClass,
    days: &'a [DayOfClass],
    covered: &'a [CoveredOfDay],
    /// The month's first day, since 1970-01-01.
    first_day: i32,
}

impl Dated<'_> {
    /// Whether the days are those of the class.
    fn check(&self) -> Result<(), BreakdownError> {
        for measure in [Measure::Usage, Measure::Unblended, Measure::NetUnblended, Measure::PublicOnDemand] {
            let sum = self.days.iter().try_fold(Quantity::ZERO, |sum, day| sum.plus(day.sum(measure)))?;
            if sum != self.class.sum(measure) {
                return Err(BreakdownError::OtherDays(self.id));
            }
        }
        match self.days.iter().map(|day| day.lines).sum::<u64>() == self.class.lines {
            true => Ok(()),
            false => Err(BreakdownError::OtherDays(self.id)),
        }
    }

    /// What commitments leave of each day.
    fn left_by_day(&self) -> Result<Vec<DayOfClass>, BreakdownError> {
        let mut left = self.days.to_vec();
        for part in self.covered {
            let date = Some(self.first_day.saturating_add_unsigned(part.day));
            let day = left.iter_mut().find(|day| day.date == date);
            let day = day.ok_or(BreakdownError::OtherDays(self.id))?;
            for (measure, taken) in CUT_MEASURES.into_iter().zip(part.measures) {
                if let Some(sum) = day.sum_mut(measure) {
                    *sum = sum.minus(taken)?;
                }
            }
        }
        Ok(left)
    }

    fn add_days(&self, parts: &mut Vec<Part>, whole: Part, entry: &Entry) -> Result<(), BreakdownError> {
        let left = self.left_by_day()?;
        let amounts = amounts_by_day(self.left, entry, &left, whole.pro_forma.is_some())?;
        let shown = whole.pro_forma.map(|total| shown_within(total, &amounts)).transpose()?;
        parts.extend(self.days.iter().zip(left).enumerate().map(|(at, (day, left))| Part {
            date: day.date,
            pro_forma: shown.as_ref().map(|shown| shown[at]),
            aws_cost: whole.aws_cost.map(|_| day.net_unblended),
            usage: whole.usage.map(|_| left.usage),
            charged: ChargedFor {
                lines: day.lines,
                usage: left.usage,
                public_on_demand: left.public_on_demand,
            },
            ..whole
        }));
        Ok(())
    }
}

/// What each day of a class costs.
fn amounts_by_day(
    class: &ChargeClass,
    entry: &Entry,
    days: &[DayOfClass],
    on_bill: bool,
) -> Result<Vec<Amount>, DecimalError> {
    match LinePrice::of(class, entry) {
        _ if !on_bill => Ok(vec![Amount::ZERO; days.len()]),
        Some(LinePrice::Scale(measure, factor)) if DayOfClass::has(measure) => {
            days.iter().map(|day| product(day.sum(measure), factor)).collect()
        }
        Some(LinePrice::Share(..) | LinePrice::Scale(..) | LinePrice::Unused)
            if !class.sum(Measure::Usage).is_zero() =>
        {
            // By usage, signs and all: what covered usage took of its commitment has one rate in a class.
            let price = LinePrice::Share(entry.amount, class.sum(Measure::Usage));
            let mut amounts: Vec<Amount> =
                days.iter().map(|day| price.amount(|_| day.usage)).collect::<Result<_, _>>()?;
            let sum = amounts.iter().try_fold(Amount::ZERO, |sum, amount| sum.plus(*amount))?;
            // What rounding at twenty decimals leaves stands on the first day.
            if let Some(first) = amounts.first_mut() {
                *first = first.plus(entry.amount.minus(sum)?)?;
            }
            Ok(amounts)
        }
        _ => {
            let usage: Vec<Quantity> = days.iter().map(|day| day.usage).collect();
            tier_pool::share(entry.amount, &usage)
        }
    }
}
