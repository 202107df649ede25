//! What the own lines of billing groups and accounts come to: the base that policies weigh and charge by.

use crate::book::Book;
use crate::charge_class::{ChargeClass, Cube, KeyColumn, Measure};
use crate::class_kind::{LeftOut, left_out_of_aws_cost, line_item_type};
use crate::cost_line::LineItemType;
use crate::fate::is_left_out;
use crate::line_filter::LineFilter;
use crate::money::{Amount, Currency, DecimalError, Quantity};
use crate::policy::CostMeasure;
use crate::rate_card::{RateCard, Treatment};
use crate::responsibility_transfer::Phase;
use std::collections::{BTreeMap, BTreeSet};

/// A priced month, as policies look at it.
pub(super) struct OwnLines<'a> {
    pub cube: &'a Cube,
    pub book: &'a Book,
    pub card: &'a RateCard,
    /// Every class, looked at once.
    lines: Vec<Line<'a>>,
    present: Present<'a>,
}

/// The groups that have a line of their own, and their accounts that have some.
pub(super) type Present<'a> = BTreeMap<usize, BTreeSet<&'a str>>;

/// Whose lines, in which currency: the group by number, the account by id.
pub(super) type Owner<'a> = (usize, &'a str, Currency);

/// A class on its way through a sum.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub number: usize,
    pub class: &'a ChargeClass,
    pub kind: LineItemType,
    pub group: Option<usize>,
    pub account: &'a str,
    pub currency: Currency,
    pub treatment: Treatment,
    /// Whether it is in nobody's AWS cost, were no policy to pass it on.
    pub left_out: Option<LeftOut>,
}

impl<'a> Line<'a> {
    fn of(cube: &'a Cube, book: &Book, card: &RateCard, number: usize) -> Self {
        let entry = &card.entries[number];
        let class = &cube.classes[number];
        let kind = line_item_type(cube, class);
        let left_out = left_out_of_aws_cost(cube, class, kind);
        Self {
            number,
            class,
            kind,
            group: entry.group.map(|group| group as usize),
            account: cube.value(class, KeyColumn::UsageAccount).unwrap_or_default(),
            currency: cube
                .value(class, KeyColumn::Currency)
                .and_then(Currency::parse)
                .unwrap_or(book.currency),
            treatment: entry.treatment,
            left_out,
        }
    }

    /// Whether it is of a type that AWS leaves out of pro forma bills.
    pub fn is_left_out(&self) -> bool {
        is_left_out(self.kind, self.left_out)
    }

    /// Whether it is a row of split cost allocation, which repeats what other rows say.
    pub fn repeats(&self) -> bool {
        self.left_out == Some(LeftOut::SplitCostAllocation)
    }

    /// Whether it is source of an allocation, hence nobody's own.
    pub const fn is_source(&self) -> bool {
        matches!(self.treatment, Treatment::Allocated(_))
    }
}

impl<'a> OwnLines<'a> {
    /// The lines of a priced month.
    pub fn new(cube: &'a Cube, book: &'a Book, card: &'a RateCard) -> Self {
        let lines: Vec<Line<'a>> =
            (0..cube.classes.len()).map(|number| Line::of(cube, book, card, number)).collect();
        let mut present = Present::new();
        let mut last = None;
        for line in lines.iter().filter(|line| !line.is_source()) {
            // Classes of one account stand together.
            let whose = line.group.map(|group| (group, line.account));
            if whose != last
                && let Some((group, account)) = whose
            {
                present.entry(group).or_default().insert(account);
            }
            last = whose;
        }
        Self { cube, book, card, lines, present }
    }

    /// Every class.
    pub fn all(&self) -> impl Iterator<Item = &Line<'a>> {
        self.lines.iter()
    }

    /// Whether a group is there in the month: that of a billing transfer only while it is in force.
    pub fn is_in_force(&self, group: usize) -> bool {
        self.book.phase(group, self.cube.period) == Phase::InForce
    }

    /// The groups that have a line of their own, and their accounts that have some.
    pub const fn present(&self) -> &Present<'a> {
        &self.present
    }

    /// What own lines cost, where filters pass them; lines that are passed on, and those that AWS leaves out, do not count.
    pub fn costs(
        &self,
        measure: CostMeasure,
        filters: &[LineFilter],
    ) -> Result<BTreeMap<Owner<'a>, Amount>, DecimalError> {
        let mut costs: BTreeMap<Owner<'a>, Amount> = BTreeMap::new();
        for line in self.all().filter(|line| !line.is_left_out() && !line.is_source()) {
            let Some(group) = line.group.filter(|_| self.passes(filters, line)) else { continue };
            let cost = match measure {
                CostMeasure::ProForma => self.pro_forma(line),
                _ => self.cost(measure, line)?.to_amount()?,
            };
            let sum = costs.entry((group, line.account, line.currency)).or_default();
            *sum = sum.plus(cost)?;
        }
        if measure == CostMeasure::ProForma {
            self.add_covered(filters, &mut costs)?;
        }
        Ok(costs)
    }

    /// What commitments cover costs what its commitment takes: its line, and what negates it.
    fn add_covered(
        &self,
        filters: &[LineFilter],
        costs: &mut BTreeMap<Owner<'a>, Amount>,
    ) -> Result<(), DecimalError> {
        for part in &self.card.covered {
            let line = &self.lines[part.covered.class as usize];
            if line.is_source() || !self.passes(filters, line) {
                continue;
            }
            let sum = costs.entry((part.group as usize, line.account, line.currency)).or_default();
            for leaf in part.lines(self.cube) {
                *sum = sum.plus(leaf.amount)?;
            }
        }
        Ok(())
    }

    fn pro_forma(&self, line: &Line<'_>) -> Amount {
        let entry = &self.card.entries[line.number];
        let counts = entry.treatment.is_on_bill() && entry.treatment != Treatment::PassedOn;
        if counts { entry.amount } else { Amount::ZERO }
    }

    /// What a line costs by a measure other than the pro forma bill; a row that repeats cost costs nothing.
    pub fn cost(&self, measure: CostMeasure, line: &Line<'_>) -> Result<Quantity, DecimalError> {
        let listed = self.cube.value(line.class, KeyColumn::PublicCostState).is_some();
        Ok(match measure {
            _ if line.repeats() => Quantity::ZERO,
            CostMeasure::Aws | CostMeasure::ProForma => line.class.sum(Measure::NetUnblended),
            CostMeasure::Public if listed => line.class.sum(Measure::PublicOnDemand),
            CostMeasure::Public | CostMeasure::Unblended => line.class.sum(Measure::Unblended),
        })
    }

    /// Whether one of some filters passes a line; of no filters, whether anything does: everything.
    pub fn passes(&self, filters: &[LineFilter], line: &Line<'_>) -> bool {
        filters.is_empty() || filters.iter().any(|filter| filter.passes(self.cube, line.class))
    }
}
