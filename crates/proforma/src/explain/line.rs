//! A line item: every row of its id in the cost files, priced again from the row.

use super::arithmetic::{self, Arithmetic, Covered, Lines};
use super::product::class_text;
use crate::cli::{ExplainArguments, READ_COST_FILES, TextFormat};
use crate::failure::Failure;
use crate::publish::CUBE;
use crate::reader::{limits, reading_failed};
use crate::resale::needs_lines;
use crate::run_folder::RunFolder;
use crate::terminal::{print, to_json};
use anyhow::{Context, anyhow};
use billing::charge_class::Measure;
use billing::class_kind::has_terms;
use billing::commitment::Eligible;
use billing::coverage::{CUT_MEASURES, Coverage, CoveredOfDay, CoveredPartOfLine, Cut};
use billing::money::{Amount, Quantity, product};
use billing::rate_card::{CoveredPart, LinePrice, RateCard, written_amount};
use cost_data::layout::CostFormat;
use cost_data::reading::{FoundLine, LineSearch};
use cost_data::worker;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How much more memory the child needs per byte of the cube file, which it holds beside the cost files.
const CUBE_BYTES_FACTOR: u64 = 32;

/// A row of the line.
#[derive(Debug, Serialize)]
struct Row {
    file: String,
    row_group: Option<usize>,
    row: u64,
    interval: Option<String>,
    /// What the file says, by column.
    values: BTreeMap<String, String>,
    /// The sums that the row adds to its class, those that are not 0.
    measures: BTreeMap<&'static str, String>,
    /// Why the run has not summed the row.
    unsummed: Option<String>,
    billing_group: Option<String>,
    arithmetic: Option<Arithmetic>,
    /// The amount as an exported file holds it.
    exported_amount: Option<String>,
}

/// Finds the rows and explains each.
pub fn explain(arguments: &ExplainArguments, run: &mut RunFolder, id: &str) -> Result<(), Failure> {
    needs_lines(run, "no line that could be explained; a product can be, with --group and --product")?;
    if let CostFormat::Focus(_) = run.format {
        return Err(Failure::input(format!("the lines of {} files have no ids", run.format.name()))
            .hint("explain a product with --group and --product"));
    }
    let found = find(arguments, run, id)?;
    if found.is_empty() {
        let interval = arguments.interval.as_ref().map(|interval| format!(" and interval `{interval}`"));
        let problem =
            format!("no row of the run's cost files has line item id `{id}`{}", interval.unwrap_or_default());
        return Err(Failure::input(problem).hint("AWS gives new ids with every delivery"));
    }
    let card = run.rate()?.card;
    let run = &*run;
    let coverage = run.coverage()?;
    let covered = Covering::of(run, coverage, &found)?;
    let rows =
        found.into_iter().map(|line| row(run, &card, &covered, line)).collect::<anyhow::Result<Vec<_>>>()?;
    match arguments.output {
        TextFormat::Json => print(&to_json(&rows)?)?,
        TextFormat::Text => print(&text(run, id, &rows))?,
    }
    Ok(())
}

/// Lets a child find the rows: cost files are untrusted.
fn find(arguments: &ExplainArguments, run: &RunFolder, id: &str) -> Result<Vec<FoundLine>, Failure> {
    let cube = run.path.join(CUBE);
    let inputs = run.cost(&arguments.cost);
    let mut limits = limits(&inputs, 1, None, None)?;
    let cube_bytes = std::fs::metadata(&cube).map_or(0, |metadata| metadata.len());
    limits.memory_bytes = limits.memory_bytes.saturating_add(cube_bytes.saturating_mul(CUBE_BYTES_FACTOR));
    let search = LineSearch {
        inputs,
        period: run.period.to_string(),
        files: run.files.iter().map(|file| (file.name.clone(), file.sha256.clone())).collect(),
        cube,
        id: id.to_owned(),
        interval: arguments.interval.clone(),
        scratch: arguments.scratch.clone(),
        dimensions: (&run.cube.dimensions).into(),
    };
    let program = std::env::current_exe().context("cannot find this program to start its reading child")?;
    worker::find_line(&program, READ_COST_FILES, search, limits).map_err(|error| reading_failed(error, true))
}

/// What commitments of the run cover of rows that were found.
struct Covering<'a> {
    coverage: Option<&'a Coverage>,
    /// The run's files by name: their numbers.
    files: HashMap<&'a str, u32>,
    parts: Vec<CoveredPartOfLine>,
}

impl<'a> Covering<'a> {
    fn of(run: &'a RunFolder, coverage: Option<&'a Coverage>, found: &[FoundLine]) -> Result<Self, Failure> {
        let files = (0..).zip(&run.files).map(|(number, file)| (file.name.as_str(), number)).collect();
        let mut covering = Self { coverage, files, parts: Vec::new() };
        // Most lines are of usage that nothing covers.
        let is_covered = |line: &FoundLine| {
            line.class.is_some_and(|class| {
                let days = coverage.map_or(&[][..], |coverage| &coverage.days);
                days.binary_search_by(|part| (part.class as usize).cmp(&class)).is_ok()
            })
        };
        let rows = found.iter().filter(|line| is_covered(line)).filter_map(|line| covering.place(line));
        let rows: BTreeSet<(u32, u64)> = rows.collect();
        if !rows.is_empty() {
            covering.parts = run.parts_of_rows(&rows)?;
        }
        Ok(covering)
    }

    fn place(&self, line: &FoundLine) -> Option<(u32, u64)> {
        Some((*self.files.get(line.file.as_str())?, line.row_of_file))
    }

    /// Takes what is covered of a row from its measures; gives the parts.
    fn take(
        &self,
        run: &RunFolder,
        (group, class): (u32, usize),
        line: &FoundLine,
        measures: &mut [Quantity],
    ) -> anyhow::Result<Vec<Covered>> {
        let (Some(coverage), Some(place)) = (self.coverage, self.place(line)) else { return Ok(Vec::new()) };
        let mut parts = self.parts.iter().filter(|part| (part.file, part.row) == place).peekable();
        if parts.peek().is_none() {
            return Ok(Vec::new());
        }
        let mut cut = Cut::new(CUT_MEASURES.map(|measure| measures[measure as usize]));
        let number = u32::try_from(class)?;
        let eligible = Eligible::of(&run.cube, &run.cube.classes[class], has_terms(&run.cube));
        let mut all = Vec::new();
        for part in parts {
            let of_line = cut.take(part.usage)?;
            for (measure, taken) in CUT_MEASURES.into_iter().zip(of_line) {
                measures[measure as usize] = measures[measure as usize].minus(taken)?;
            }
            let commitment = &coverage.commitments[part.commitment as usize];
            let takes = eligible.as_ref().and_then(|eligible| commitment.takes(eligible));
            let taken = product(part.usage, takes.unwrap_or_default())?;
            let covered =
                CoveredOfDay { class: number, commitment: part.commitment, day: 0, measures: of_line, taken };
            let part = CoveredPart::new(&run.cube, &coverage.commitments, group, covered)?;
            all.push(arithmetic::covered(&run.cube, coverage, &part)?);
        }
        Ok(all)
    }
}

fn row(run: &RunFolder, card: &RateCard, covering: &Covering<'_>, line: FoundLine) -> anyhow::Result<Row> {
    let (cube, book) = (&run.cube, &run.book);
    let measures = line.measures.iter().map(|text| Quantity::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let measure = |measure: Measure| measures[measure as usize];
    let entry = line.class.map(|number| card.entries.get(number).map(|entry| (number, entry)));
    let entry = entry.map(|entry| entry.ok_or_else(|| anyhow!("a row is of a class that the cube has not")));
    let (mut arithmetic, mut exported_amount, mut billing_group) = (None, None, None);
    if let Some((number, entry)) = entry.transpose()? {
        let mut left = measures.clone();
        let covered = match entry.group {
            Some(group) => covering.take(run, (group, number), &line, &mut left)?,
            None => Vec::new(),
        };
        let left = |measure: Measure| left[measure as usize];
        let price = LinePrice::of(card.class(cube, number), entry);
        let amount = price.map(|price| price.amount(left)).transpose()?;
        exported_amount = amount.map(|amount| written_amount(amount).amount().to_string());
        let amount = amount.unwrap_or(Amount::ZERO);
        let lines = Lines { count: 1, whole: measure, left, amount };
        arithmetic = Some(Arithmetic { covered, ..arithmetic::of_lines(cube, book, card, number, lines)? });
        billing_group = entry.group.map(|group| book.groups[group as usize].name.clone());
    }
    let FoundLine { file, row_group, row, interval, unsummed, values, .. } = line;
    let named = Measure::ALL.into_iter().map(|of| (of.name(), measure(of)));
    let measures =
        named.filter(|(_, sum)| !sum.is_zero()).map(|(name, sum)| (name, sum.to_string())).collect();
    Ok(Row {
        file,
        row_group,
        row,
        interval,
        values,
        measures,
        unsummed,
        billing_group,
        arithmetic,
        exported_amount,
    })
}

fn text(run: &RunFolder, id: &str, rows: &[Row]) -> String {
    let count = if rows.len() == 1 { "1 row".to_owned() } else { format!("{} rows", rows.len()) };
    let mut text = format!("line item {id}, {}: {count}\n", run.period);
    for row in rows {
        let group = row.row_group.map(|group| format!("row group {group}, ")).unwrap_or_default();
        let interval = row.interval.as_deref().unwrap_or("no interval");
        text += &format!("\n  {}, {group}row {}, {interval}\n", row.file, row.row);
        let measures = row.measures.iter().map(|(name, sum)| format!("{name} {sum}"));
        let measures: Vec<String> = measures.collect();
        text += &format!(
            "    the file says: {}\n",
            if measures.is_empty() { "all amounts are 0".to_owned() } else { measures.join(", ") }
        );
        match (&row.unsummed, &row.arithmetic) {
            (Some(why), _) => text += &format!("    not in the run: {why}\n"),
            (None, Some(arithmetic)) => {
                let group = row.billing_group.as_ref().map(|group| format!("    billing group {group}\n"));
                text += &group.unwrap_or_default();
                class_text(arithmetic).lines().for_each(|line| text += &format!("  {line}\n"));
            }
            (None, None) => {}
        }
        if let Some(exported) = &row.exported_amount {
            text += &format!("      exported as {exported}\n");
        }
    }
    text
}
