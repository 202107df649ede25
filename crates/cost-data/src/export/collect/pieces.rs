//! Lines that commitments cover, cut into rows: the covered parts in the order in which they were covered, each with its negation after it
//! where a Savings Plan covers it, and what is left.

use super::{CollectError, Collector, Measures};
use crate::batch::Batch;
use billing::charge_class::Measure;
use billing::commitment::EffectiveCost;
use billing::coverage::{CUT_MEASURES, CoveredPartOfLine, Cut, CutMeasures};
use billing::money::Quantity;
use std::collections::HashMap;

/// What a row has of its line.
#[derive(Debug, Clone, Copy)]
pub struct Piece {
    measures: CutMeasures,
    /// Whether that is all of it.
    pub whole: bool,
    /// Which of the line's rows it is.
    pub part: PartOfLine,
    /// What covered usage has cost.
    pub effective: Option<EffectiveCost>,
}

/// A row of a line that is several rows. Covered parts are counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartOfLine {
    Covered(u32),
    Negation(u32),
    Rest,
}

impl PartOfLine {
    /// The id of the row, made from its line's: the first row keeps it.
    pub fn id(self, of_line: &str) -> String {
        match self {
            Self::Covered(1) => of_line.to_owned(),
            Self::Covered(number) => format!("{of_line}/covered-{number}"),
            Self::Negation(number) => format!("{of_line}/negation-{number}"),
            Self::Rest => format!("{of_line}/rest"),
        }
    }
}

impl Piece {
    /// What the row has of a measure that is cut.
    pub fn measure(&self, measure: Measure) -> Option<Quantity> {
        CUT_MEASURES.iter().position(|of| *of == measure).map(|place| self.measures[place])
    }
}

/// The pieces of a batch, by row of the batch and place among the rows of its line.
#[derive(Default)]
pub struct Pieces(HashMap<(usize, u32), Piece>);

impl Pieces {
    /// The pieces of rows in this order; nothing where no row is one.
    pub fn ordered(mut self, rows: impl Iterator<Item = (usize, u32)>) -> Vec<Option<Piece>> {
        if self.0.is_empty() {
            return Vec::new();
        }
        rows.map(|place| self.0.remove(&place)).collect()
    }
}

impl Collector<'_> {
    /// The covered parts of the lines of a batch.
    pub(super) fn covered_parts(&self, batch: &Batch) -> Result<Vec<CoveredPartOfLine>, CollectError> {
        let Some(covering) = self.covering else { return Ok(Vec::new()) };
        let rows = batch.row_of_file..batch.row_of_file + batch.rows as u64;
        Ok(covering.parts(batch.place.file, rows)?)
    }

    /// Cuts a line; gives the classes of its rows in their order. The last is the line's own where something is left.
    pub(super) fn cut(
        &self,
        batch: &Batch,
        (row, class): (usize, usize),
        parts: &[CoveredPartOfLine],
        pieces: &mut Pieces,
    ) -> Result<Vec<usize>, CollectError> {
        let refused = || CollectError::NotCovered(batch.row_of_file + row as u64 + 1);
        let covering = self.covering.ok_or_else(refused)?;
        let measures = Measures::of(batch);
        let whole = CUT_MEASURES.map(|of| Quantity::from_units(measures.units(of, row)).unwrap_or_default());
        let (mut cut, mut classes) = (Cut::new(whole), Vec::new());
        let mut add = |class, piece| {
            // A line has a few rows.
            pieces.0.insert((row, classes.len() as u32), piece);
            classes.push(class);
        };
        for (number, part) in (1..).zip(parts) {
            let pair = covering.pair(class, part.commitment).ok_or_else(refused)?;
            let made = covering.made(self.cube, pair.covered).ok_or_else(refused)?;
            if part.usage > cut.left() {
                return Err(refused());
            }
            let measures = cut.take(part.usage)?;
            let whole = part.usage == whole[0];
            let effective = Some(covering.effective_cost(made, part.usage)?);
            add(pair.covered, Piece { measures, whole, part: PartOfLine::Covered(number), effective });
            if let Some(negation) = pair.negation {
                let part = PartOfLine::Negation(number);
                add(negation, Piece { measures, whole, part, effective: None });
            }
        }
        let left = cut.left();
        if left > Quantity::ZERO {
            let measures = cut.take(left)?;
            add(class, Piece { measures, whole: false, part: PartOfLine::Rest, effective: None });
        }
        Ok(classes)
    }
}
