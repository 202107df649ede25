//! Sums of a run's lines by hour and resource: the cost files are read once more, by a child, and must be those that were priced.

use super::rereading;
use crate::cli::{ExportFormat, ExportLayout, READ_COST_FILES};
use crate::export::{self, Priced, Wanted, with_coverage};
use crate::failure::{Failure, HINT_AGAIN};
use crate::pricing::Rated;
use crate::publish::CUBE;
use crate::reader::{Children, reading_failed};
use crate::resale::needs_lines;
use crate::run_folder::{self, RunFolder};
use back_office::engine::{LinesAnswered, LinesAsked};
use billing::statement;
use cost_data::covered_lines::CoveredLinesFile;
use cost_data::export::line_sums::{self, LineQuestion};
use cost_data::export::plan::{Layout, Plan};
use cost_data::layout::CostFormat;
use cost_data::worker::{self, LineSumsOrder};
use query::answer::{Costs, QueryError};
use query::facts::{self, MonthFacts};
use query::lines::{self, LineAnswer, LinePlan, LineSum, Picked, Summed, Term};
use std::collections::BTreeSet;
use std::path::Path;

/// Answers a question about the lines of a run.
pub fn lines(path: &Path, asked: &LinesAsked, children: &Children) -> Result<LinesAnswered, Failure> {
    let mut run = run_folder::open_kept(path)?;
    needs_lines(&run, "no lines that could be told by the hour or by resource")?;
    let Rated { card, charges, .. } = run.rate()?;
    let statements = statement::statements(&run.cube, &run.book, &card, &charges)?;
    let month = facts::Priced {
        cube: &run.cube,
        book: &run.book,
        card: &card,
        statements: &statements,
        days: None,
        commitments: None,
    };
    let known = MonthFacts::with_sources(month);
    let (facts, sources) = known.map_err(|error| Failure::input(error.to_string()).hint(HINT_AGAIN))?;
    let LinesAsked { scopes, categories, query } = asked;
    let facts = facts.with_categories(categories);
    let folder = children.scratch.clone().unwrap_or_else(std::env::temp_dir);
    let is_pro_forma = scopes.iter().any(|scope| scope.cost != Costs::Aws);
    let priced = is_pro_forma.then(|| Priced::of(&run, &card, &statements)).transpose()?;
    let (mut parts, mut is_hourly) = (Vec::with_capacity(scopes.len()), true);
    for scope in scopes {
        let plan = match lines::plan(&run.cube, card.covered.len(), (&facts, &sources), scope, query) {
            Ok(plan) => plan,
            Err(error) => return Ok(Err(error)),
        };
        if plan.hours.is_empty() {
            parts.push(Summed { scope, plan, sums: Vec::new() });
            continue;
        }
        let mut covered = None;
        let pricing = match (&scope.cost, &priced) {
            (Costs::ProForma(groups), Some(priced)) => {
                let (plan, file) = pricing(&run, priced, groups, &folder)?;
                covered = file;
                Some(plan)
            }
            _ => None,
        };
        let question =
            LineQuestion { accounts_seen: scope.accounts.clone(), ..question(&run, &plan, query, pricing) };
        let summed = sum(&run, question, &folder, children);
        // The child has read it.
        drop(covered);
        let summed = summed?;
        if summed.are_too_many {
            return Ok(Err(QueryError::TooManySums(run.period)));
        }
        is_hourly &= summed.is_hourly;
        parts.push(Summed { scope, plan, sums: summed.rows.into_iter().map(of_row).collect() });
    }
    let slices = lines::finish(parts, &facts, query);
    Ok(slices.map(|slices| LineAnswer { slices, is_hourly }))
}

fn of_row(row: line_sums::LineSum) -> LineSum {
    LineSum { group: row.group, time: row.time, resource: row.resource, units: row.units }
}

/// Lets a child sum the lines.
fn sum(
    run: &RunFolder,
    question: LineQuestion,
    folder: &Path,
    children: &Children,
) -> Result<line_sums::LineSums, Failure> {
    let (request, limits) = rereading(run, children)?;
    let order = LineSumsOrder { request, cube: run.path.join(CUBE), question, folder: folder.to_owned() };
    let summed = worker::sum_lines(&children.program()?, READ_COST_FILES, order, limits);
    summed.map_err(|error| reading_failed(error, run.accepted_rejects))
}

/// How the lines of some billing groups are priced: as an export prices them, one amount a line, whatever a file would leave to added rows.
fn pricing(
    run: &RunFolder,
    priced: &Priced<'_>,
    groups: &BTreeSet<u32>,
    folder: &Path,
) -> Result<(Plan, Option<CoveredLinesFile>), Failure> {
    let layout = match priced.format {
        CostFormat::LegacyCur => ExportLayout::Cur,
        CostFormat::Cur2 => ExportLayout::Cur2,
        CostFormat::Focus(_) => ExportLayout::Focus,
    };
    let wanted = Wanted { layout, format: Some(ExportFormat::Csv), groups: &[] };
    let mut plan = export::plan(priced, &wanted)?;
    plan.layout = Layout::Cur;
    plan.unused_told = false;
    for (number, group) in (0..).zip(&mut plan.groups) {
        group.added.clear();
        group.totals.clear();
        if !groups.contains(&number) {
            group.folder = None;
        }
    }
    let covered = with_coverage(&mut plan, priced, run.covered_lines()?, folder)?;
    Ok((plan, covered))
}

/// The question in the words of whoever reads the lines.
fn question(
    run: &RunFolder,
    plan: &LinePlan,
    query: &lines::LineQuery,
    pricing: Option<Plan>,
) -> LineQuestion {
    let asked =
        |picked: &Picked| line_sums::Asked { group: picked.group, takes: picked.takes, sums: picked.sums };
    let term = |term: &Term| match term {
        Term::Price => line_sums::Term::Price,
        Term::Plus(measure) => line_sums::Term::Plus(*measure as usize),
        Term::Minus(measure) => line_sums::Term::Minus(*measure as usize),
    };
    let way =
        |metrics: &Vec<Vec<Term>>| metrics.iter().map(|terms| terms.iter().map(term).collect()).collect();
    LineQuestion {
        files: run.files.iter().map(|file| file.sha256.clone()).collect(),
        hours: plan.hours.clone(),
        hours_of_time: query.times.hours(),
        tells_resources: query.tells_resources(),
        resources: plan.resources.clone(),
        accounts_seen: None,
        sums: plan.sums.iter().map(way).collect(),
        classes: plan.classes.iter().map(|picked| picked.as_ref().map(asked)).collect(),
        covered: plan.covered.iter().map(|both| both.map(|picked| picked.as_ref().map(asked))).collect(),
        pricing,
    }
}
