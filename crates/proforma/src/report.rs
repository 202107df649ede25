//! `proforma report`: a run's costs by keys of the operator's choice, from the run's folder alone.
//!
//! A report is a sum over the parts that `billing::breakdown` makes, so all reports of a run agree with its cost report.

mod bars;
mod keys;

use crate::cli::{Metric, OutputFormat, ReportArguments};
use crate::failure::{Failure, HINT_AGAIN};
use crate::pricing::Rated;
use crate::report_files::as_csv;
use crate::run_folder::{self, RunFolder};
use crate::terminal::{empty_table, print, to_json};
use billing::breakdown::{self, Days, Part, Source};
use billing::charge_class::KeyColumn;
use billing::hierarchy::Hierarchy;
use billing::money::{Cost, DecimalError};
use billing::rate_card::RateCard;
use billing::statement::{self, Statement};
use keys::Key;
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::collections::BTreeMap;

/// Prints a report.
pub fn report(arguments: &ReportArguments) -> Result<(), Failure> {
    let mut run = run_folder::open(&arguments.run)?;
    let keys = keys::parse_keys(&arguments.by, &run.book)?;
    let filters = keys::parse_filters(&arguments.filter, &run.book)?;
    let hierarchy = Hierarchy::of(&run.book, run.period);
    // A parent stands for its subtree.
    let groups = hierarchy.with_all_below(&groups(&run, &arguments.group)?);
    let by_day = keys.iter().chain(filters.iter().map(|filter| &filter.key)).any(|key| *key == Key::Day);
    let days = if by_day { run.days()? } else { None };
    if by_day && days.is_none() {
        let problem = format!("`{}` has no daily cube, so days cannot be told apart", run.path.display());
        let hint = "price the month again with `proforma run`, without --no-daily";
        return Err(Failure::input(problem).hint(hint));
    }
    let Rated { card, charges, .. } = run.rate()?;
    let coverage = run.coverage()?;
    let statements = statement::statements(&run.cube, &run.book, &card, &charges)?;
    let covered = coverage.map_or(&[][..], |coverage| &coverage.days);
    let days = days.as_deref().map(|classes| Days { classes, covered });
    let parts = breakdown::parts(&run.cube, &run.book, &card, &statements, days);
    let parts = parts.map_err(|error| Failure::input(error.to_string()).hint(HINT_AGAIN))?;
    let month = Month { run: &run, card: &card, statements: &statements, hierarchy };
    let of_groups =
        |part: &&Part| groups.is_empty() || part.group.is_some_and(|group| groups.contains(&group));
    let passes = |part: &&Part| filters.iter().all(|filter| filter.passes(&month, part));
    let chosen = parts.iter().filter(of_groups).filter(passes);
    let rows = rows(&month, &keys, arguments.metric, chosen)?;
    if rows.is_empty() {
        say!("warning: nothing of this run is in the report");
    }
    let header = header(&keys, arguments.metric);
    let text = match arguments.output {
        OutputFormat::Json => {
            let named = |row: &Row| Named(header.iter().cloned().zip(row.cells()).collect());
            to_json(&rows.iter().map(named).collect::<Vec<_>>())?
        }
        OutputFormat::Csv => csv(&header, &rows)?,
        OutputFormat::Table => table(&header, &keys, &rows, arguments.metric)?,
    };
    Ok(print(&text)?)
}

/// The numbers of the groups that are named.
fn groups(run: &RunFolder, names: &[String]) -> Result<Vec<usize>, Failure> {
    let number = |name: &String| {
        run.book.groups.iter().position(|group| group.name == *name).ok_or_else(|| {
            let known: Vec<&str> = run.book.groups.iter().map(|group| group.name.as_str()).take(10).collect();
            let more = if run.book.groups.len() > known.len() { " and others" } else { "" };
            Failure::input(format!("the run has no billing group `{name}`"))
                .hint(format!("it has {}{more}", known.join(", ")))
        })
    };
    names.iter().map(number).collect()
}

/// What values come from.
pub struct Month<'a> {
    run: &'a RunFolder,
    card: &'a RateCard,
    statements: &'a [Statement],
    hierarchy: Hierarchy,
}

impl Month<'_> {
    /// The class that a part is of, by number in the cube; custom line items are of none.
    fn class_of(&self, part: &Part) -> Option<usize> {
        match part.source {
            Source::Class(class) => Some(class),
            Source::Covered(number) | Source::Negation(number) => {
                Some(self.card.covered[number].covered.class as usize)
            }
            Source::Item(..) => None,
        }
    }

    /// The line item type that coverage gives to a part.
    fn covered_type(&self, part: &Part) -> Option<&str> {
        match part.source {
            Source::Covered(number) => Some(self.run.cube.text(self.card.covered[number].line_item_type)),
            Source::Negation(_) => Some(self.run.cube.text(self.run.cube.kinds.negation)),
            Source::Class(_) | Source::Item(..) => None,
        }
    }
}

/// One line of a report.
struct Row {
    /// The values of the keys; `None` where a part has none.
    values: Vec<Option<String>>,
    total: Cost,
    /// The currency, or the unit of the usage.
    unit: Option<String>,
}

impl Row {
    fn cells(&self) -> Vec<Option<String>> {
        self.values.iter().cloned().chain([Some(self.total.to_string()), self.unit.clone()]).collect()
    }
}

/// The rows in the order of their keys; where the one key is not the day, the largest first.
fn rows<'a>(
    month: &Month<'_>,
    keys: &[Key],
    metric: Metric,
    parts: impl Iterator<Item = &'a Part>,
) -> Result<Vec<Row>, DecimalError> {
    let mut sums: BTreeMap<(Vec<Option<String>>, Option<String>), Cost> = BTreeMap::new();
    for part in parts {
        let Some(value) = value(metric, part)? else { continue };
        let values = keys.iter().map(|key| key.value(month, part)).collect();
        let sum = sums.entry((values, unit(month, metric, part))).or_default();
        *sum = sum.plus(value)?;
    }
    let row = |((values, unit), total)| Row { values, total, unit };
    let mut rows: Vec<Row> = sums.into_iter().map(row).collect();
    if keys.len() == 1 && keys[0] != Key::Day {
        rows.sort_by_key(|row| std::cmp::Reverse(row.total));
    }
    Ok(rows)
}

/// What a part adds to a metric; `None` where it has no place in it.
fn value(metric: Metric, part: &Part) -> Result<Option<Cost>, DecimalError> {
    Ok(match metric {
        Metric::ProForma => part.pro_forma,
        Metric::AwsCost => part.aws_cost,
        Metric::Usage => part.usage,
        Metric::Margin if part.group.is_none() || part.pro_forma.or(part.aws_cost).is_none() => None,
        Metric::Margin => Some(part.pro_forma.unwrap_or_default().minus(part.aws_cost.unwrap_or_default())?),
    })
}

/// What the metric of a part is measured in.
fn unit(month: &Month<'_>, metric: Metric, part: &Part) -> Option<String> {
    match (metric, month.class_of(part)) {
        (Metric::Usage, Some(class)) => {
            let cube = &month.run.cube;
            cube.filled(&cube.classes[class], KeyColumn::PricingUnit).map(ToOwned::to_owned)
        }
        _ => Some(part.currency.to_string()),
    }
}

fn header(keys: &[Key], metric: Metric) -> Vec<String> {
    let unit = if metric == Metric::Usage { "pricing_unit" } else { "currency" };
    keys.iter().map(Key::column).chain([metric.column(), unit].map(ToOwned::to_owned)).collect()
}

/// A row as a map in the order of the header.
struct Named(Vec<(String, Option<String>)>);

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        self.0.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
        map.end()
    }
}

fn csv(header: &[String], rows: &[Row]) -> anyhow::Result<String> {
    let cells = rows.iter().map(|row| row.cells().into_iter().map(Option::unwrap_or_default).collect());
    let all: Vec<Vec<String>> = std::iter::once(header.to_vec()).chain(cells).collect();
    as_csv(all.iter().map(|row| row.iter().map(String::as_str)))
}

/// The table, with bars where rows are few enough to compare: by one key, or by day.
fn table(header: &[String], keys: &[Key], rows: &[Row], metric: Metric) -> Result<String, DecimalError> {
    let names: Vec<String> = header.iter().map(|name| name.replace('_', " ")).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.cells().into_iter().map(|cell| cell.unwrap_or_else(|| "–".to_owned())).collect())
        .collect();
    let bars = (keys.len() == 1 || keys.contains(&Key::Day)).then(|| {
        let widths = (0..names.len()).map(|column| {
            let cells = cells.iter().map(|cells| cells[column].chars().count());
            cells.chain([names[column].chars().count()]).max().unwrap_or(0)
        });
        let totals: Vec<Cost> = rows.iter().map(|row| row.total).collect();
        bars::bars(&totals, bars::width_beside(widths))
    });
    if bars.is_some() {
        names.push("");
    }
    let mut table = empty_table(&names, keys.len()..keys.len() + 1);
    for (row, cells) in cells.into_iter().enumerate() {
        table.add_row(cells.into_iter().chain(bars.iter().map(|bars| bars[row].clone())));
    }
    let mut text = format!("{table}\n");
    if metric != Metric::Usage {
        let mut totals: BTreeMap<&str, Cost> = BTreeMap::new();
        for row in rows {
            let total = totals.entry(row.unit.as_deref().unwrap_or_default()).or_default();
            *total = total.plus(row.total)?;
        }
        for (currency, total) in totals {
            text.push_str(&format!("total {total} {currency}\n"));
        }
    }
    Ok(text)
}
