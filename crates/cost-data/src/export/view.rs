//! The file of a view: of each of its parts the rows that it has, one part after the other.
//!
//! Which classes and days a part has was decided where questions about costs are answered. Rows of a group are collected once, each with its class and its day behind its columns; a part takes of
//! them what it has, so that what two parts have is written twice and collected once. What the written amounts of a part differ from what it sums to is a row of its own, as in a group's file.

use super::collect::Collector;
use super::granularity::{Summed, Summing};
use super::group_rows::{Chunk, Column, Numbering, cut};
use super::line_sums::hour_of;
use super::output::Output;
use super::plan::{AddedRow, PartPlan, Plan};
use super::segment::{Segment, put_words};
use super::selection::{CHUNK_ROWS, Selection};
use super::treatment::Kind;
use super::{ExportedFile, Rows, Whole, WriteError, Written, added_segment, residues};
use billing::charge_class::{ChargeClass, Cube, KeyColumn};
use billing::money::Amount;
use export_query::Granularity;
use foldhash::fast::FixedState;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::Path;

/// The folder of a view's file.
const FOLDER: &str = "view";
/// Months have fewer days.
const DAYS: u64 = 32;

/// A class and a day of the month.
pub type PlaceOfRow = u64;
/// What rows of a class and day are billed.
pub type OfDay = HashMap<PlaceOfRow, Amount, FixedState>;

/// The place of a row of a class that began at an instant of the month.
pub fn place_of(class: usize, month: &Range<i64>, start: Option<i64>) -> PlaceOfRow {
    class as u64 * DAYS + u64::from(hour_of(month, start) / 24)
}

/// The class of a place: of the cube, or one that is made of what commitments cover.
pub fn class_of<'c>(
    place: PlaceOfRow,
    cube: &'c Cube,
    collector: &'c Collector<'_>,
) -> Option<&'c ChargeClass> {
    let number = usize::try_from(place / DAYS).ok()?;
    let made = || Some(&collector.covering()?.made.get(number.checked_sub(cube.classes.len())?)?.class);
    cube.classes.get(number).or_else(made)
}

/// Puts the places of rows behind the columns of their groups, of which each ends at a row.
pub fn put_places(places: &[PlaceOfRow], ends: impl Iterator<Item = usize>, contents: &mut [Vec<u8>]) {
    let mut from = 0;
    for (end, content) in ends.zip(contents) {
        put_words(places[from..end].iter().map(|place| Some(*place)), content);
        from = end;
    }
}

/// Which rows a part takes.
pub struct Takes {
    /// By class.
    classes: Vec<bool>,
    days: Range<u64>,
}

impl Takes {
    fn new(part: &PartPlan, plan: &Plan, cube: &Cube, collector: &Collector<'_>) -> Self {
        let made = collector.covering().map_or(0, |covering| covering.made.len());
        let mut classes = vec![false; cube.classes.len() + made];
        let mut take = |class: usize| {
            if let Some(takes) = classes.get_mut(class) {
                *takes = true;
            }
        };
        part.classes.iter().for_each(|class| take(*class as usize));
        if let Some((coverage, covering)) = plan.coverage.as_ref().zip(collector.covering()) {
            for (covered, is_negation) in &part.covered {
                let of = coverage.covered.get(*covered as usize);
                let pair = of.and_then(|of| covering.pair(of.class as usize, of.commitment));
                match (pair, is_negation) {
                    (Some(pair), false) => take(pair.covered),
                    (Some(pair), true) => pair.negation.into_iter().for_each(&mut take),
                    (None, _) => {}
                }
            }
        }
        Self { classes, days: u64::from(part.days.start)..u64::from(part.days.end) }
    }

    /// Whether a row is taken; those without a source line are the part's own.
    pub fn has(&self, place: Option<PlaceOfRow>) -> bool {
        place.is_none_or(|place| {
            let class = usize::try_from(place / DAYS).ok().and_then(|class| self.classes.get(class));
            class == Some(&true) && self.days.contains(&(place % DAYS))
        })
    }

    /// What the rows that are taken sum to, by currency.
    fn written(
        &self,
        of_days: &OfDay,
        cube: &Cube,
        collector: &Collector<'_>,
    ) -> Result<BTreeMap<String, Amount>, WriteError> {
        let mut sums: BTreeMap<String, Amount> = BTreeMap::new();
        for (place, amount) in of_days.iter().filter(|(place, _)| self.has(Some(**place))) {
            let class = class_of(*place, cube, collector);
            let currency = class.and_then(|class| cube.value(class, KeyColumn::Currency)).unwrap_or_default();
            let sum = sums.entry(currency.to_owned()).or_default();
            *sum = sum.plus(*amount)?;
        }
        Ok(sums)
    }
}

/// A part on its way into the file.
struct Part {
    segments: Vec<Segment>,
    takes: Takes,
}

/// Writes the one file of a view.
pub(super) fn write(
    whole: &Whole,
    collector: &Collector<'_>,
    (plan, parts): (&Plan, &[PartPlan]),
    cube: &Cube,
    folder: &Path,
    numbering: &mut Numbering<'_>,
) -> Result<ExportedFile, WriteError> {
    let mut added_rows = 0;
    let mut residue: BTreeMap<String, Amount> = BTreeMap::new();
    let mut of_parts = Vec::with_capacity(parts.len());
    for part in parts {
        let takes = Takes::new(part, plan, cube, collector);
        let (group, lines) = (part.group, whole.of_group(part.group));
        let summing = Summing { collector, plan, cube, segments: lines, group, takes: Some(&takes), folder };
        let Summed { mut segments, written } = match plan.granularity {
            Granularity::Hourly => {
                Summed { segments: lines.to_vec(), written: takes.written(&whole.of_days, cube, collector)? }
            }
            Granularity::Daily | Granularity::Monthly => summing.summed(numbering)?,
        };
        let left = residues(&written, &part.added, &part.totals)?;
        for row in &left {
            let sum = residue.entry(row.currency.clone()).or_default();
            *sum = sum.plus(Amount::from_units(row.amount)?)?;
        }
        let added: Vec<AddedRow> = part.added.iter().cloned().chain(left).collect();
        added_rows += added.len() as u64;
        segments.extend(added_segment(collector, part.group, &added)?);
        of_parts.push(Part { segments, takes });
    }
    let outputs = collector.outputs();
    let selection = match &plan.query {
        Some(query) => Selection::new(query, outputs),
        None => {
            let filled = filled(collector, &of_parts, numbering)?;
            let is_written = |place: usize, output: &Output| {
                (!output.only_if_filled || filled[place]) && !plan.left_out.contains(&output.key)
            };
            Selection::of_columns(outputs, is_written)
        }
    };
    let folder = folder.join(FOLDER);
    fs::create_dir(&folder)?;
    let name = format!("{}.{}", plan.file_name, plan.format.ending());
    let file = File::create_new(folder.join(&name))?;
    let chunks = of_parts.iter().flat_map(|part| {
        cut(&part.segments, CHUNK_ROWS).into_iter().map(move |pieces| (pieces, Some(&part.takes)))
    });
    let of_file = Rows { segments: &[], collector, format: plan.format };
    let Written { rows, bytes, columns } = of_file.write_selected(file, selection, chunks, numbering)?;
    let residue = residue.into_iter().filter(|(_, sum)| !sum.is_zero());
    Ok(ExportedFile {
        group: parts.first().map_or(0, |part| part.group as usize),
        name: format!("{FOLDER}/{name}"),
        rows,
        added_rows,
        further_rows: 0,
        bytes,
        residue: residue.map(|(currency, sum)| (currency, sum.to_string())).collect(),
        columns,
    })
}

/// Which of the outputs that are written only if filled have a value in a row that is taken. A group's other rows say nothing of that: even the name of a column may be of an account that the view does not
/// have. Rows are read for it once more, until all are found.
fn filled(
    collector: &Collector<'_>,
    parts: &[Part],
    numbering: &mut Numbering<'_>,
) -> Result<Vec<bool>, WriteError> {
    let outputs = collector.outputs();
    let mut filled = vec![false; outputs.len()];
    let is_open = |filled: &[bool], place: usize| outputs[place].only_if_filled && !filled[place];
    for part in parts {
        for pieces in cut(&part.segments, CHUNK_ROWS) {
            if !(0..outputs.len()).any(|place| is_open(&filled, place)) {
                return Ok(filled);
            }
            let chunk = Chunk::read(&collector.scratch, &pieces)?;
            let taken = of_chunk(&chunk, (outputs, &part.takes), numbering, |place| is_open(&filled, place));
            let lost = || io::Error::other("the scratch file does not hold what was written");
            taken.ok_or_else(lost)?.into_iter().for_each(|place| filled[place] = true);
        }
    }
    Ok(filled)
}

/// The outputs, of those that are asked for, that a row of a chunk fills which is taken; `None` where the scratch file does not hold what was written.
fn of_chunk<'c, 't: 'c>(
    chunk: &'c Chunk,
    (outputs, takes): (&[Output], &Takes),
    numbering: &mut Numbering<'t>,
    is_asked: impl Fn(usize) -> bool,
) -> Option<Vec<usize>> {
    let mut columns = chunk.columns();
    let mut asked: Vec<(usize, Vec<bool>)> = Vec::new();
    for (place, output) in outputs.iter().enumerate() {
        let is_text = !matches!(output.kind, Kind::Number | Kind::Time);
        let column = columns.take(numbering, is_text)?;
        if is_asked(place) {
            let there = match column {
                Column::Texts { places, .. } => places.iter().map(Option::is_some).collect(),
                Column::Words(words) => words.iter().map(Option::is_some).collect(),
            };
            asked.push((place, there));
        }
    }
    let Column::Words(places) = columns.take(numbering, false)? else { return None };
    // Rows without a source line are ours.
    let is_taken = |row: usize| places[row].is_some() && takes.has(places[row]);
    asked.retain(|(_, there)| there.iter().enumerate().any(|(row, there)| *there && is_taken(row)));
    Some(asked.into_iter().map(|(place, _)| place).collect())
}

#[cfg(test)]
mod tests {
    //! Which rows a part takes.

    use super::*;

    #[test]
    fn a_part_takes_its_classes_on_its_days() {
        let month = 0..31 * 86_400;
        let takes = Takes { classes: vec![false, true], days: 2..4 };
        let has = |class, start| takes.has(Some(place_of(class, &month, start)));
        assert!(has(1, Some(2 * 86_400)) && has(1, Some(4 * 86_400 - 1)));
        assert!(!has(1, Some(4 * 86_400)) && !has(1, None) && !has(0, Some(2 * 86_400)));
        assert!(!has(7, Some(2 * 86_400)), "a class that is not there");
        assert!(takes.has(None), "rows without a source line are the part's own");
        // What begins outside of the month is on the nearest of its days.
        assert_eq!(place_of(0, &month, Some(-5)), 0);
        assert_eq!(place_of(0, &month, Some(40 * 86_400)), 30);
    }
}
