//! The month in its smallest parts, from which any report is a sum: of every charge class, day and custom line item, what is charged
//! and what AWS charges.
//!
//! What is shown of a statement's line is shared among its classes, and what is shown of a class among its days, each by the rule of
//! [`crate::money::shown`]. So every report adds up to the cost report, to the last digit, whatever it is grouped by. The amount
//! of a class's day follows from the class's operation and the day's sums; in a tier pool, where it does not, the
//! class's amount is shared among its days by their usage. A custom line item has no day.

use crate::book::Book;
use crate::charge_class::{ChargeClass, ClassId, Cube, KeyColumn, Measure};
use crate::money::{Amount, Cost, Currency, DecimalError, Quantity, product, shown_within};
use crate::rate_card::{Entry, LinePrice, RateCard, Reason, left_out_of_aws_cost, line_item_type};
use crate::statement::{LineKey, Statement, usage_is_shown};
use crate::tier_pool;
use std::collections::HashMap;

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
}

/// What a part of the month is a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A class, by number in the cube.
    Class(usize),
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

/// The parts of a month, by class and, where `days` are given, by day; then the custom line items.
///
/// # Errors
/// [`BreakdownError`].
pub fn parts(
    cube: &Cube,
    book: &Book,
    card: &RateCard,
    statements: &[Statement],
    days: Option<&[DayOfClass]>,
) -> Result<Vec<Part>, BreakdownError> {
    let shown = shown_by_class(cube, book, card, statements)?;
    let ids = days.map(|_| cube.class_ids()).transpose().map_err(BreakdownError::OtherDays)?;
    let mut days_of: HashMap<ClassId, &[DayOfClass]> = HashMap::new();
    for of_class in days.into_iter().flat_map(|days| days.chunk_by(|a, b| a.class == b.class)) {
        days_of.insert(of_class[0].class, of_class);
    }
    let mut parts = Vec::with_capacity(days.map_or(cube.classes.len(), <[DayOfClass]>::len));
    for (number, (class, entry)) in cube.classes.iter().zip(&card.entries).enumerate() {
        let whole = whole(cube, book, number, entry, shown[number]);
        match &ids {
            None => parts.push(whole),
            Some(ids) => {
                let days = days_of.remove(&ids[number]).unwrap_or_default();
                add_days(&mut parts, whole, class, entry, ids[number], days)?;
            }
        }
    }
    if let Some(class) = days_of.into_keys().min() {
        return Err(BreakdownError::OtherDays(class));
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
        }));
    }
    Ok(parts)
}

/// What is shown of every class; `None` where it is on no bill.
fn shown_by_class(
    cube: &Cube,
    book: &Book,
    card: &RateCard,
    statements: &[Statement],
) -> Result<Vec<Option<Cost>>, DecimalError> {
    let mut lines: HashMap<(usize, Currency, LineKey), (Cost, Vec<usize>)> = HashMap::new();
    for statement in statements {
        for line in &statement.lines {
            lines.insert((statement.group, statement.currency, line.key), (line.shown, Vec::new()));
        }
    }
    for (number, (class, entry)) in cube.classes.iter().zip(&card.entries).enumerate() {
        if let Some(group) = entry.group.filter(|_| entry.treatment.is_on_bill()) {
            let key =
                (group as usize, currency(cube, book, class), LineKey::of(cube, class, entry.operation));
            // Every class that is charged is on a line of its group's statement.
            lines.entry(key).or_default().1.push(number);
        }
    }
    let mut shown = vec![None; cube.classes.len()];
    for (total, classes) in lines.into_values() {
        let amounts: Vec<Amount> = classes.iter().map(|class| card.entries[*class].amount).collect();
        for (class, part) in classes.into_iter().zip(shown_within(total, &amounts)?) {
            shown[class] = Some(part);
        }
    }
    Ok(shown)
}

fn currency(cube: &Cube, book: &Book, class: &ChargeClass) -> Currency {
    cube.value(class, KeyColumn::Currency).and_then(Currency::parse).unwrap_or(book.currency)
}

/// A class as one part.
fn whole(cube: &Cube, book: &Book, number: usize, entry: &Entry, shown: Option<Cost>) -> Part {
    let class = &cube.classes[number];
    let kind = line_item_type(cube, class);
    let left_out = left_out_of_aws_cost(cube, class, kind);
    let repeats = left_out == Some(Reason::SplitCostAllocation);
    Part {
        source: Source::Class(number),
        group: entry.group.map(|group| group as usize),
        currency: currency(cube, book, class),
        date: None,
        pro_forma: shown,
        aws_cost: left_out.is_none().then(|| class.sum(Measure::NetUnblended)),
        usage: (usage_is_shown(kind) && !repeats).then(|| class.sum(Measure::Usage)),
    }
}

/// Adds a class day by day.
fn add_days(
    parts: &mut Vec<Part>,
    whole: Part,
    class: &ChargeClass,
    entry: &Entry,
    id: ClassId,
    days: &[DayOfClass],
) -> Result<(), BreakdownError> {
    for measure in [Measure::Usage, Measure::Unblended, Measure::NetUnblended, Measure::PublicOnDemand] {
        let sum = days.iter().try_fold(Quantity::ZERO, |sum, day| sum.plus(day.sum(measure)))?;
        if sum != class.sum(measure) {
            return Err(BreakdownError::OtherDays(id));
        }
    }
    if days.iter().map(|day| day.lines).sum::<u64>() != class.lines {
        return Err(BreakdownError::OtherDays(id));
    }
    let amounts = match LinePrice::of(class, entry) {
        _ if whole.pro_forma.is_none() => vec![Amount::ZERO; days.len()],
        Some(LinePrice::Scale(measure, factor)) if DayOfClass::has(measure) => {
            days.iter().map(|day| product(day.sum(measure), factor)).collect::<Result<_, _>>()?
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
            amounts
        }
        _ => {
            let usage: Vec<Quantity> = days.iter().map(|day| day.usage).collect();
            tier_pool::share(entry.amount, &usage)?
        }
    };
    let shown = whole.pro_forma.map(|total| shown_within(total, &amounts)).transpose()?;
    parts.extend(days.iter().enumerate().map(|(at, day)| Part {
        date: day.date,
        pro_forma: shown.as_ref().map(|shown| shown[at]),
        aws_cost: whole.aws_cost.map(|_| day.net_unblended),
        usage: whole.usage.map(|_| day.usage),
        ..whole
    }));
    Ok(())
}
