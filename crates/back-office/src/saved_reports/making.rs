//! A saved report as it is made: asked, laid out as a table, and written in a format.

use super::{KeptReport, ReportRow, invalid};
use crate::authorization::Caller;
use crate::cost_explorer::Question;
use crate::desk::BackOffice;
use crate::error::{Answer, Error, refused};
use crate::hash::hex;
use crate::outbox::Attachment;
use billing::invoice::Date;
use billing::period::date_text;
use billing::saved_report::{Answered, Cell, Line, Measured, ReportTable};
use query::question::{Query, Slice};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// As which file a report is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ReportFormat {
    /// Comma-separated values.
    Csv,
    /// A spreadsheet.
    Xlsx,
    /// Pages.
    Pdf,
    /// For programs.
    Json,
}

impl ReportFormat {
    /// Every format with its name, the ending of its files, and what these are.
    pub const ALL: [(Self, &'static str, &'static str, &'static str); 4] = [
        (Self::Csv, "CSV", "csv", "text/csv"),
        (Self::Xlsx, "XLSX", "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (Self::Pdf, "PDF", "pdf", "application/pdf"),
        (Self::Json, "JSON", "json", "application/json"),
    ];

    /// The format of a name.
    ///
    /// # Errors
    /// [`crate::error::Declined::Invalid`].
    pub fn named(name: &str) -> Answer<Self> {
        let found = Self::ALL.into_iter().find_map(|(format, of, ..)| (of == name).then_some(format));
        found.ok_or_else(|| invalid(format!("Format: `{name}` is none; a report is CSV, XLSX, PDF or JSON")))
    }

    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().1
    }

    fn row(self) -> (Self, &'static str, &'static str, &'static str) {
        Self::ALL.into_iter().find(|(format, ..)| *format == self).unwrap_or(Self::ALL[0])
    }
}

/// A report that was made.
#[derive(Debug, Clone)]
pub struct MadeReport {
    /// What it is called where it is saved.
    pub name: String,
    /// What it is.
    pub media_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Their SHA-256, in hexadecimal.
    pub sha256: String,
}

impl From<MadeReport> for Attachment {
    fn from(made: MadeReport) -> Self {
        Self { name: made.name, media_type: made.media_type.to_owned(), bytes: made.bytes }
    }
}

impl BackOffice {
    /// Makes a report of the caller's as of a day, counted since 1970-01-01; by default today's.
    ///
    /// # Errors
    /// What Cost Explorer refuses, as data that are not there; [`Error::Refused`] where the program makes no such files.
    pub async fn run_saved_report(
        &self,
        caller: &Caller,
        name: &str,
        format: ReportFormat,
        as_of: Option<i32>,
    ) -> Answer<MadeReport> {
        let row = self.saved_report(caller, name).await?;
        let today = as_of.unwrap_or_else(|| Date::of_seconds(caller.now).days());
        let table = self.report_table(caller, &row, today).await?;
        self.made(&row.report, table, format, today).await
    }

    /// A report as a table, as of a day.
    pub(super) async fn report_table(
        &self,
        caller: &Caller,
        row: &ReportRow,
        today: i32,
    ) -> Answer<ReportTable> {
        let report = &row.report;
        let days = report.time_range()?.days(today);
        let query = Query {
            days: days.clone(),
            granularity: report.granularity()?,
            filter: report.filter.as_ref().map(|filter| filter.expression()).transpose()?,
            group_by: report.group_by.iter().map(|of| of.key()).collect::<Answer<_>>()?,
            metrics: report.metrics()?,
        };
        let question = Question { billing_view: report.view.clone(), query };
        let slices = self.cost_and_usage(caller, &question).await?.slices;
        let answered: Vec<Answered> = slices.into_iter().flat_map(answered).collect();
        let columns = report.columns()?;
        let mut facts = vec![(
            "Period".to_owned(),
            format!("{} to {} ({})", date_text(days.start), date_text(days.end - 1), report.time_range),
        )];
        facts.extend(report.description.clone().map(|text| ("About".to_owned(), text)));
        facts.extend(report.view.clone().map(|view| ("Billing view".to_owned(), view)));
        if let Some(filter) = &report.filter {
            facts.push(("Filter".to_owned(), serde_json::to_string(filter).map_err(Error::internal)?));
        }
        Ok(ReportTable {
            title: report.name.clone(),
            facts,
            made_on: date_text(today),
            lines: ReportTable::lines(&answered, &columns).map_err(Error::internal)?,
            bars: match report.has_chart {
                true => ReportTable::bars(&answered).map_err(Error::internal)?,
                false => Vec::new(),
            },
            columns,
        })
    }

    /// A table in a format.
    pub(super) async fn made(
        &self,
        report: &KeptReport,
        table: ReportTable,
        format: ReportFormat,
        today: i32,
    ) -> Answer<MadeReport> {
        let days = report.time_range()?.days(today);
        let (_, _, ending, media_type) = format.row();
        let period = format!("{}-to-{}", date_text(days.start), date_text(days.end - 1));
        let name = format!("{}-{period}.{ending}", file_name(&report.name));
        let bytes = match format {
            ReportFormat::Json => as_json(&table)?,
            _ => {
                let renderer = self.0.options.renderer.clone();
                let renderer =
                    renderer.ok_or_else(|| refused("this program makes no documents; ask for JSON"))?;
                let made = tokio::task::spawn_blocking(move || renderer.report(&table, format)).await;
                made.map_err(Error::internal)?.map_err(refused)?
            }
        };
        let sha256 = hex(&Sha256::digest(&bytes));
        Ok(MadeReport { name, media_type, bytes, sha256 })
    }
}

/// What was answered of a time, group by group.
fn answered(slice: Slice) -> impl Iterator<Item = Answered> {
    let time = (date_text(slice.days.start), date_text(slice.days.end));
    let is_estimated = slice.estimated;
    slice.rows.into_iter().map(move |row| Answered {
        time: time.clone(),
        is_estimated,
        keys: row.keys,
        values: row.values.into_iter().map(|of| Measured { amount: of.amount, unit: of.unit }).collect(),
    })
}

/// A table for programs: amounts are strings with every digit.
fn as_json(table: &ReportTable) -> Answer<Vec<u8>> {
    let line = |line: &Line| -> Value {
        let cells = table.columns.iter().zip(&line.cells).map(|(column, cell)| {
            let text = match cell {
                Cell::Text(text) => text.clone(),
                Cell::Amount(amount) => amount.to_string(),
            };
            (column.name.clone(), Value::String(text))
        });
        Value::Object(cells.collect())
    };
    let of_kind = |is_sum: bool| -> Vec<Value> {
        table.lines.iter().filter(|of| of.is_sum == is_sum).map(line).collect()
    };
    let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let report = json!({
        "Name": table.title,
        "MadeOn": table.made_on,
        "Facts": table.facts.iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect::<Vec<_>>(),
        "Columns": columns,
        "Lines": of_kind(false),
        "Totals": of_kind(true),
    });
    serde_json::to_vec(&report).map_err(Error::internal)
}

/// A name as files have it: letters and digits, joined by `-`.
fn file_name(name: &str) -> String {
    let mut file = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            _ if letter.is_ascii_alphanumeric() => file.push(letter.to_ascii_lowercase()),
            _ if !file.ends_with('-') => file.push('-'),
            _ => {}
        }
    }
    let file = file.trim_matches('-');
    if file.is_empty() { "report".to_owned() } else { file.to_owned() }
}

#[cfg(test)]
mod tests {
    //! Names of files.

    use super::*;

    #[test]
    fn a_file_has_a_plain_name() {
        for (name, expected) in [
            ("Costs by service", "costs-by-service"),
            ("../../etc/passwd", "etc-passwd"),
            ("ÄÖ", "report"),
            ("a  -  b!", "a-b"),
        ] {
            assert_eq!(file_name(name), expected);
        }
    }
}
