//! How a class came to its amount, part by part.

use crate::terminal::thousands;
use crate::wording;
use billing::book::Book;
use billing::charge_class::{Cube, KeyColumn, Measure};
use billing::money::{Amount, DecimalError, Factor, Quantity};
use billing::rate_card::{Operation, RateCard, Treatment};
use serde::Serialize;

/// What a class is, and what made its amount.
#[derive(Debug, Serialize)]
pub struct Arithmetic {
    pub class_id: String,
    pub account_id: String,
    pub product: String,
    pub line_item_type: String,
    pub usage_type: String,
    pub operation: String,
    pub region: String,
    pub pricing_unit: String,
    pub lines: u64,
    pub usage_amount: String,
    /// What AWS charges for it.
    pub aws_cost: String,
    pub treatment: String,
    /// What the price starts from, why, and how much that is; none where nothing is charged.
    pub base: Option<Base>,
    pub rule: Option<Rule>,
    /// What the base is multiplied by, where it is.
    pub factor: Option<String>,
    /// The usage that shares the rule's tiers, where it has some.
    pub tier_pool: Option<TierPool>,
    pub amount: String,
    pub currency: String,
}

#[derive(Debug, Serialize)]
pub struct Base {
    pub name: &'static str,
    pub why: Option<&'static str>,
    pub amount: String,
}

#[derive(Debug, Serialize)]
pub struct Rule {
    pub name: String,
    pub scope: String,
    pub modifier: String,
}

/// The usage that one custom tier rule prices in the group.
#[derive(Debug, Serialize)]
pub struct TierPool {
    pub usage_amount: String,
    pub amount: String,
}

/// How a class of the cube is priced.
pub fn of_class(
    cube: &Cube,
    book: &Book,
    card: &RateCard,
    number: usize,
) -> Result<Arithmetic, DecimalError> {
    let (class, amount) = (&cube.classes[number], card.entries[number].amount);
    of_lines(cube, book, card, number, class.lines, |measure| class.sum(measure), amount)
}

/// How some lines of a class are priced: these measures, at this amount.
pub fn of_lines(
    cube: &Cube,
    book: &Book,
    card: &RateCard,
    number: usize,
    lines: u64,
    sum: impl Fn(Measure) -> Quantity,
    amount: Amount,
) -> Result<Arithmetic, DecimalError> {
    let (class, entry) = (&cube.classes[number], &card.entries[number]);
    let text = |column| cube.value(class, column).unwrap_or_default().to_owned();
    let rule = entry.rule.map(|rule| &book.rules[rule as usize]);
    let (measure, factor, tier_pool) = match entry.operation {
        Operation::Drop => (None, None, None),
        Operation::Keep(measure) => (Some(measure), None, None),
        Operation::Scale(measure, factor) => (Some(measure), Some(factor), None),
        Operation::Rate(pool) => (Some(Measure::Usage), None, Some(tier_pool(cube, card, pool)?)),
    };
    let why = match entry.treatment {
        Treatment::Priced(base) => wording::base_reason(base),
        _ => None,
    };
    let base = measure.map(|measure| Base {
        name: wording::measure(measure),
        why,
        amount: sum(measure).to_string(),
    });
    Ok(Arithmetic {
        class_id: cube.class_id(class).to_string(),
        account_id: text(KeyColumn::UsageAccount),
        product: cube.product(class).to_owned(),
        line_item_type: text(KeyColumn::LineItemType),
        usage_type: text(KeyColumn::UsageType),
        operation: text(KeyColumn::Operation),
        region: text(KeyColumn::Region),
        pricing_unit: text(KeyColumn::PricingUnit),
        lines,
        usage_amount: sum(Measure::Usage).to_string(),
        aws_cost: sum(Measure::NetUnblended).to_string(),
        treatment: wording::treatment(cube, class, entry.treatment),
        base,
        rule: rule.map(|rule| Rule {
            name: rule.name.clone(),
            scope: wording::scope(&rule.scope),
            modifier: wording::pricing(&rule.pricing),
        }),
        factor: factor.filter(|factor| *factor != Factor::ONE).map(|factor| factor.to_string()),
        tier_pool,
        amount: amount.to_string(),
        currency: text(KeyColumn::Currency),
    })
}

fn tier_pool(cube: &Cube, card: &RateCard, number: u32) -> Result<TierPool, DecimalError> {
    let pool = &card.pools[number as usize];
    let usage = pool.classes.iter().map(|class| cube.classes[*class as usize].sum(Measure::Usage));
    let usage = usage.into_iter().try_fold(Quantity::ZERO, |sum: Quantity, more| sum.plus(more))?;
    Ok(TierPool { usage_amount: usage.to_string(), amount: pool.amount.to_string() })
}

impl Arithmetic {
    /// What it is, as one line.
    pub fn title(&self) -> String {
        let parts = [&self.account_id, &self.line_item_type, &self.usage_type, &self.operation, &self.region];
        parts.into_iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join("  ")
    }

    /// How much and of what: lines, usage, cost.
    pub fn size(&self) -> String {
        let lines = match self.lines {
            1 => "1 line".to_owned(),
            lines => format!("{} lines", thousands(lines)),
        };
        let usage = match self.pricing_unit.as_str() {
            "" => String::new(),
            unit => format!(", {} {unit}", self.usage_amount),
        };
        format!("{lines}{usage}, AWS cost {}; class {}", self.aws_cost, self.class_id)
    }

    /// The base and what it is multiplied by, as one line.
    pub fn base_line(&self) -> Option<String> {
        let Base { name, why, amount } = self.base.as_ref()?;
        let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
        Some(match (&self.tier_pool, &self.factor) {
            (Some(pool), _) => {
                format!(
                    "{name} {amount}, of {} that share the tiers and cost {}",
                    pool.usage_amount, pool.amount
                )
            }
            (None, Some(factor)) => format!("{name} {amount} × {factor}{why}"),
            (None, None) => format!("{name} {amount}{why}"),
        })
    }

    /// The rule as one line.
    pub fn rule_line(&self) -> String {
        match &self.rule {
            Some(Rule { name, scope, modifier }) => format!("rule `{name}`: {scope}, {modifier}"),
            None => "no rule".to_owned(),
        }
    }
}
