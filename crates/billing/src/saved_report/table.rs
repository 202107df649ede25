//! A report as a table: what was answered, in the columns that are wanted, with its sums and its bars. Amounts are exact; only a bar's length is not.

use crate::money::{Cost, DecimalError};
use std::collections::BTreeMap;

/// How long the longest bar is.
const FULL: i128 = 1_000;
/// How many bars there are at most: the rest is one more.
const BARS_MAX: usize = 24;
/// What has no unit.
const NO_UNIT: &str = "N/A";

/// What was answered of one time and group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The time: its first day, and the first one after it.
    pub time: (String, String),
    /// Whether it may still change.
    pub is_estimated: bool,
    /// The values of the keys.
    pub keys: Vec<String>,
    /// What was measured.
    pub values: Vec<Measured>,
}

/// A sum and its unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// How much.
    pub amount: Cost,
    /// Of what.
    pub unit: String,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What is in it.
    holds: Holds,
}

impl Column {
    /// Whether it holds amounts.
    #[must_use]
    pub const fn is_amount(&self) -> bool {
        matches!(self.holds, Holds::Amount(_))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Start,
    End,
    Estimated,
    Key(usize),
    Amount(usize),
    Unit(usize),
}

/// The columns of a report with these keys and metrics, all of them, in their order.
#[must_use]
pub fn columns(keys: &[String], metrics: &[&str]) -> Vec<Column> {
    let column = |name: &str, holds| Column { name: name.to_owned(), holds };
    let mut columns = vec![column("Start", Holds::Start), column("End", Holds::End)];
    columns.extend(keys.iter().enumerate().map(|(at, key)| column(key, Holds::Key(at))));
    for (at, metric) in metrics.iter().enumerate() {
        columns.push(column(metric, Holds::Amount(at)));
        columns.push(column(&format!("{metric} unit"), Holds::Unit(at)));
    }
    columns.push(column("Estimated", Holds::Estimated));
    columns
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// A text.
    Text(String),
    /// An amount.
    Amount(Cost),
}

/// A line of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// A cell for each column.
    pub cells: Vec<Cell>,
    /// Whether it is a sum of the others.
    pub is_sum: bool,
}

/// A bar: what it is of, how much, and how long in thousandths of the longest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// What it is of.
    pub label: String,
    /// How much, with its unit.
    pub amount: String,
    /// How long; nothing of what is below 0.
    pub length: u16,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportTable {
    /// What it is called.
    pub title: String,
    /// What it says of itself: names and values.
    pub facts: Vec<(String, String)>,
    /// The day on which it was made, as `YYYY-MM-DD`.
    pub made_on: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// The lines, the sums last: one per unit.
    pub lines: Vec<Line>,
    /// The bars of the first metric; none where no chart is wanted.
    pub bars: Vec<Bar>,
}

impl ReportTable {
    /// The lines of what was answered in some columns, and their sums: a sum for each combination of units.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn lines(answered: &[Answered], columns: &[Column]) -> Result<Vec<Line>, DecimalError> {
        let mut lines: Vec<Line> = answered.iter().map(|of| line(of, columns)).collect();
        let mut sums: BTreeMap<Vec<&str>, Vec<Cost>> = BTreeMap::new();
        for of in answered {
            let units = of.values.iter().map(|value| value.unit.as_str()).collect();
            let sum = sums.entry(units).or_insert_with(|| vec![Cost::ZERO; of.values.len()]);
            for (sum, value) in sum.iter_mut().zip(&of.values) {
                *sum = sum.plus(value.amount)?;
            }
        }
        for (units, amounts) in sums {
            let is_first = |at: usize| at == 0;
            let cells = columns.iter().enumerate().map(|(at, column)| match column.holds {
                Holds::Amount(of) => Cell::Amount(amounts.get(of).copied().unwrap_or_default()),
                Holds::Unit(of) => Cell::Text(units.get(of).copied().unwrap_or(NO_UNIT).to_owned()),
                _ if is_first(at) => Cell::Text("Total".to_owned()),
                _ => Cell::Text(String::new()),
            });
            lines.push(Line { cells: cells.collect(), is_sum: true });
        }
        Ok(lines)
    }

    /// The bars of the first metric: a bar for each time, or of one time for each group, the largest first. None where it is in several units.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn bars(answered: &[Answered]) -> Result<Vec<Bar>, DecimalError> {
        let values = || answered.iter().filter_map(|of| of.values.first());
        let Some(unit) = values().next().map(|value| value.unit.as_str()) else { return Ok(Vec::new()) };
        let is_of_one = values().all(|value| value.unit == unit || value.amount.is_zero());
        let first = answered.first().map(|of| &of.time);
        let has_times = answered.iter().any(|of| Some(&of.time) != first);
        let mut sums: Vec<(String, Cost)> = Vec::new();
        for of in answered.iter().filter(|_| is_of_one) {
            let label = if has_times { of.time.0.clone() } else { of.keys.join(", ") };
            let amount = of.values.first().map_or(Cost::ZERO, |value| value.amount);
            match sums.iter_mut().find(|(known, _)| *known == label) {
                Some((_, sum)) => *sum = sum.plus(amount)?,
                None => sums.push((label, amount)),
            }
        }
        if !has_times {
            sums.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        }
        if sums.len() > BARS_MAX {
            let rest = sums.split_off(BARS_MAX);
            let count = rest.len();
            let sum = rest.iter().try_fold(Cost::ZERO, |sum, (_, amount)| sum.plus(*amount))?;
            sums.push((format!("{count} others"), sum));
        }
        let longest = sums.iter().map(|(_, amount)| amount.units()).max().unwrap_or(0);
        let bar = |(label, amount): (String, Cost)| Bar {
            label,
            amount: format!("{amount} {unit}"),
            length: length(amount.units(), longest),
        };
        Ok(sums.into_iter().map(bar).collect())
    }
}

/// In thousandths of the longest, rounded down.
fn length(units: i128, longest: i128) -> u16 {
    if units <= 0 {
        return 0;
    }
    // An amount has at most 10²⁵ units.
    u16::try_from(units * FULL / longest).unwrap_or(0)
}

fn line(of: &Answered, columns: &[Column]) -> Line {
    let cells = columns.iter().map(|column| match column.holds {
        Holds::Start => Cell::Text(of.time.0.clone()),
        Holds::End => Cell::Text(of.time.1.clone()),
        Holds::Estimated => Cell::Text(if of.is_estimated { "yes" } else { "no" }.to_owned()),
        Holds::Key(at) => Cell::Text(of.keys.get(at).cloned().unwrap_or_default()),
        Holds::Amount(at) => {
            of.values.get(at).map_or(Cell::Text(String::new()), |value| Cell::Amount(value.amount))
        }
        Holds::Unit(at) => Cell::Text(of.values.get(at).map_or(NO_UNIT, |value| &value.unit).to_owned()),
    });
    Line { cells: cells.collect(), is_sum: false }
}

#[cfg(test)]
mod tests {
    //! Lines, sums and bars.

    use super::*;

    fn answered(time: &str, key: &str, amount: &str, unit: &str) -> Answered {
        let values = vec![Measured { amount: Cost::parse(amount).unwrap(), unit: unit.to_owned() }];
        let time = (time.to_owned(), format!("{time} end"));
        Answered { time, is_estimated: false, keys: vec![key.to_owned()], values }
    }

    fn shown(lines: &[Line]) -> Vec<String> {
        let text = |cell: &Cell| match cell {
            Cell::Text(text) => text.clone(),
            Cell::Amount(amount) => amount.to_string(),
        };
        lines.iter().map(|line| line.cells.iter().map(text).collect::<Vec<_>>().join("|")).collect()
    }

    #[test]
    fn sums_are_of_one_unit_each() {
        let all = columns(&["Service".to_owned()], &["UnblendedCost"]);
        let names: Vec<&str> = all.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["Start", "End", "Service", "UnblendedCost", "UnblendedCost unit", "Estimated"]);
        let wanted = [all[2].clone(), all[3].clone(), all[4].clone()];
        let rows = [
            answered("1", "S3", "0.1", "USD"),
            answered("1", "EC2", "0.2", "USD"),
            answered("2", "S3", "7", "EUR"),
        ];
        let lines = ReportTable::lines(&rows, &wanted).unwrap();
        assert_eq!(shown(&lines), ["S3|0.1|USD", "EC2|0.2|USD", "S3|7|EUR", "Total|7|EUR", "Total|0.3|USD"]);
        assert_eq!(lines.iter().filter(|line| line.is_sum).count(), 2);
    }

    #[test]
    fn bars_are_of_times_or_of_groups() {
        let bars = |rows: &[Answered]| -> Vec<String> {
            let bars = ReportTable::bars(rows).unwrap();
            bars.iter().map(|bar| format!("{} {} {}", bar.label, bar.amount, bar.length)).collect()
        };
        let of_times = [
            answered("1", "S3", "1", "USD"),
            answered("1", "EC2", "2", "USD"),
            answered("2", "S3", "9", "USD"),
        ];
        assert_eq!(bars(&of_times), ["1 3 USD 333", "2 9 USD 1000"]);
        let of_groups = [
            answered("1", "S3", "1", "USD"),
            answered("1", "EC2", "2", "USD"),
            answered("1", "Credit", "-2", "USD"),
        ];
        assert_eq!(bars(&of_groups), ["EC2 2 USD 1000", "S3 1 USD 500", "Credit -2 USD 0"]);
        assert!(bars(&[answered("1", "S3", "1", "USD"), answered("1", "EC2", "2", "EUR")]).is_empty());
        let many: Vec<_> = (0..40).map(|key| answered("1", &format!("{key:02}"), "1", "USD")).collect();
        assert_eq!(bars(&many).last().unwrap(), "16 others 16 USD 1000");
        assert_eq!(bars(&many).len(), 25);
    }
}
