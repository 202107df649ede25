//! How a class came to its amount, part by part.

use crate::terminal::thousands;
use crate::wording;
use billing::book::Book;
use billing::charge_class::{Cube, KeyColumn, Measure};
use billing::coverage::Coverage;
use billing::money::{Amount, DecimalError, Factor, Quantity};
use billing::rate_card::{CoveredPart, Operation, RateCard, TierSource, Treatment, unused};
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
    /// The usage that shares tiers, where the class has some.
    pub tier_pool: Option<TierPool>,
    /// What that costs, without what is covered.
    pub amount: String,
    /// What commitments of the group cover of the class.
    pub covered: Vec<Covered>,
    pub currency: String,
}

/// Usage that a commitment of the group covers: at cost, and where a Savings Plan covers it, negated.
#[derive(Debug, Serialize)]
pub struct Covered {
    pub line_item_type: String,
    pub commitment: String,
    pub owner_account_id: String,
    pub usage_amount: String,
    pub amount: String,
    pub negation: Option<String>,
    /// What it took of the commitment, whose fee pays for it.
    pub effective_cost: String,
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

/// The group's usage that fills tiers together.
#[derive(Debug, Serialize)]
pub struct TierPool {
    /// `rule`, `price list` or `cost files`: where the tiers are known from.
    pub source: &'static str,
    pub tiers: String,
    pub usage_amount: String,
    /// What of the usage an Always Free quota covers.
    pub free_amount: String,
    /// The rule that has switched the free tier off.
    pub free_tier_switched_off_by: Option<String>,
    /// What the usage costs before any percentage.
    pub amount: String,
}

/// How a class of the cube is priced.
pub fn of_class(
    cube: &Cube,
    book: &Book,
    card: &RateCard,
    coverage: Option<&Coverage>,
    number: usize,
) -> Result<Arithmetic, DecimalError> {
    let (class, left) = (&cube.classes[number], card.class(cube, number));
    let lines = Lines {
        count: class.lines,
        whole: |measure| class.sum(measure),
        left: |measure| left.sum(measure),
        amount: card.entries[number].amount,
    };
    let mut arithmetic = of_lines(cube, book, card, number, lines)?;
    let begin = card.covered.partition_point(|part| (part.covered.class as usize) < number);
    let of_class = card.covered[begin..].iter().take_while(|part| part.covered.class as usize == number);
    if let Some(coverage) = coverage {
        arithmetic.covered = of_class.map(|part| covered(cube, coverage, part)).collect::<Result<_, _>>()?;
    }
    Ok(arithmetic)
}

/// Some lines of a class.
pub struct Lines<W, L> {
    /// How many.
    pub count: u64,
    /// Their measures.
    pub whole: W,
    /// What commitments leave of these.
    pub left: L,
    /// What that costs.
    pub amount: Amount,
}

/// How some lines of a class are priced.
pub fn of_lines(
    cube: &Cube,
    book: &Book,
    card: &RateCard,
    number: usize,
    lines: Lines<impl Fn(Measure) -> Quantity, impl Fn(Measure) -> Quantity>,
) -> Result<Arithmetic, DecimalError> {
    let Lines { count, whole, left, amount } = lines;
    let (class, entry) = (&cube.classes[number], &card.entries[number]);
    let text = |column| cube.value(class, column).unwrap_or_default().to_owned();
    let rule = entry.rule.map(|rule| &book.rules[rule as usize]);
    let (measure, factor, tier_pool) = match entry.operation {
        Operation::Drop => (None, None, None),
        Operation::KeepUnused => (None, None, None),
        Operation::Keep(measure) => (Some(measure), None, None),
        Operation::Scale(measure, factor) => (Some(measure), Some(factor), None),
        Operation::Rate(pool) => (
            Some(Measure::Usage),
            rule.and_then(|rule| rule.pricing.factor()),
            Some(tier_pool(book, card, pool)),
        ),
    };
    let why = match entry.treatment {
        Treatment::Priced(base) => wording::base_reason(base),
        _ => None,
    };
    let base = match (measure, entry.operation) {
        (Some(measure), _) => {
            Some(Base { name: wording::measure(measure), why, amount: left(measure).to_string() })
        }
        (None, Operation::KeepUnused) => {
            Some(Base { name: "unused part", why, amount: unused(&left)?.to_string() })
        }
        (None, _) => None,
    };
    Ok(Arithmetic {
        class_id: cube.class_id(class).to_string(),
        account_id: text(KeyColumn::UsageAccount),
        product: cube.product(class).to_owned(),
        line_item_type: text(KeyColumn::LineItemType),
        usage_type: text(KeyColumn::UsageType),
        operation: text(KeyColumn::Operation),
        region: text(KeyColumn::Region),
        pricing_unit: text(KeyColumn::PricingUnit),
        lines: count,
        usage_amount: whole(Measure::Usage).to_string(),
        aws_cost: whole(Measure::NetUnblended).to_string(),
        treatment: wording::treatment(cube, class, entry.treatment, card.simulated),
        base,
        rule: rule.map(|rule| Rule {
            name: rule.name.clone(),
            scope: wording::scope(&rule.scope),
            modifier: wording::pricing(&rule.pricing),
        }),
        factor: factor.filter(|factor| *factor != Factor::ONE).map(|factor| factor.to_string()),
        tier_pool,
        amount: amount.to_string(),
        covered: Vec::new(),
        currency: text(KeyColumn::Currency),
    })
}

/// What a commitment of the group covers of a class, or of a line.
pub fn covered(cube: &Cube, coverage: &Coverage, part: &CoveredPart) -> Result<Covered, DecimalError> {
    let commitment = &coverage.commitments[part.covered.commitment as usize];
    let effective = coverage.effective_cost(&part.covered)?;
    Ok(Covered {
        line_item_type: cube.text(part.line_item_type).to_owned(),
        commitment: commitment.arn.clone(),
        owner_account_id: commitment.owner.clone(),
        usage_amount: part.covered.usage().to_string(),
        amount: part.amount.to_string(),
        negation: part.negated.map(|_| part.amount.negated().to_string()),
        effective_cost: effective.recurring.plus(effective.upfront)?.to_string(),
    })
}

fn tier_pool(book: &Book, card: &RateCard, number: u32) -> TierPool {
    let pool = &card.pools[number as usize];
    TierPool {
        source: match pool.source {
            TierSource::Rule(_) => "rule",
            TierSource::PriceList(_) => "price list",
            TierSource::CostFiles => "cost files",
        },
        tiers: wording::tiers(&pool.tiers),
        usage_amount: pool.usage.to_string(),
        free_amount: pool.free.to_string(),
        free_tier_switched_off_by: pool.switched_off_by.map(|rule| book.rules[rule as usize].name.clone()),
        amount: pool.amount.to_string(),
    }
}

impl TierPool {
    /// What shares the tiers, and at what they cost.
    fn in_words(&self) -> String {
        let tiers = match self.source {
            "rule" => "the tiers".to_owned(),
            source => format!("AWS's tiers ({}, from the {source})", self.tiers),
        };
        let free = match (&*self.free_amount, &self.free_tier_switched_off_by) {
            ("0", None) => String::new(),
            (free, None) => format!(", {free} of it free,"),
            (_, Some(rule)) => format!(", none of it free by rule `{rule}`,"),
        };
        format!("of {} that share {tiers}{free} and cost {}", self.usage_amount, self.amount)
    }
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
            (Some(pool), Some(factor)) => format!("{name} {amount}, {}; × {factor}", pool.in_words()),
            (Some(pool), None) => format!("{name} {amount}, {}", pool.in_words()),
            (None, Some(factor)) => format!("{name} {amount} × {factor}{why}"),
            (None, None) => format!("{name} {amount}{why}"),
        })
    }

    /// What is covered, a line for each commitment.
    pub fn covered_lines(&self) -> impl Iterator<Item = String> + '_ {
        self.covered.iter().map(|part| {
            let Covered { commitment, usage_amount, amount, negation, effective_cost, .. } = part;
            let unit = &self.pricing_unit;
            let cost = match negation {
                Some(negation) => format!("{amount} and its negation {negation}"),
                None => amount.clone(),
            };
            format!("{usage_amount} {unit} covered by `{commitment}`: {cost}; the fee pays {effective_cost} for it")
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
