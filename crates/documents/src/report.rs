//! A saved report as a document: its lines with their sums as CSV, as a spreadsheet, and as pages with its bars. Computes nothing.

use crate::design::Design;
use crate::plain_text::unlike_a_formula;
use crate::table::Cell;
use crate::{Error, pdf, xlsx};
use billing::saved_report::{self, ReportTable};

/// What a report is made into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportFormat {
    /// RFC 4180, in UTF-8.
    Csv,
    /// Office Open XML.
    Xlsx,
    /// PDF/A-3a.
    Pdf,
}

/// A report in a format. The same report gives the same bytes.
///
/// # Errors
/// [`Error::TooManyRows`], [`Error::NoGlyph`] of a page.
pub fn render(report: &ReportTable, design: &Design, format: ReportFormat) -> Result<Vec<u8>, Error> {
    match format {
        ReportFormat::Csv => Ok(csv(report)),
        ReportFormat::Xlsx => spreadsheet(report),
        ReportFormat::Pdf => pdf::render_report(report, design),
    }
}

/// Names that others have given steer no spreadsheet; amounts are their exact digits.
fn cell(cell: &saved_report::Cell) -> Cell {
    match cell {
        saved_report::Cell::Text(text) => Cell::Text(unlike_a_formula(text).into_owned()),
        saved_report::Cell::Amount(amount) => Cell::Number(amount.to_string()),
    }
}

fn csv(report: &ReportTable) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    // Writing to memory fails only for rows of unequal length, and all have as many cells as there are columns.
    let _ =
        writer.write_record(report.columns.iter().map(|column| unlike_a_formula(&column.name).into_owned()));
    for line in &report.lines {
        let _ = writer.write_record(line.cells.iter().map(|of| match cell(of) {
            Cell::Text(text) | Cell::Number(text) => text,
        }));
    }
    writer.into_inner().unwrap_or_default()
}

fn spreadsheet(report: &ReportTable) -> Result<Vec<u8>, Error> {
    if report.lines.len() >= xlsx::ROWS_MAX {
        return Err(Error::TooManyRows { rows: report.lines.len(), max: xlsx::ROWS_MAX - 1 });
    }
    let head = report.columns.iter().map(|column| {
        let name = unlike_a_formula(&column.name).into_owned();
        (name, if column.is_amount() { xlsx::NARROW } else { xlsx::MIDDLE })
    });
    let rows = report.lines.iter().map(|line| (line.cells.iter().map(cell).collect(), line.is_sum));
    Ok(xlsx::file("Report", head.collect(), rows))
}

#[cfg(test)]
mod tests {
    //! A report in every format.

    use super::*;
    use billing::money::Cost;
    use billing::saved_report::{Answered, Measured, columns};

    fn report() -> ReportTable {
        let value = |amount: &str| Measured { amount: Cost::parse(amount).unwrap(), unit: "USD".to_owned() };
        let answered = |time: &str, key: &str, amount| Answered {
            time: (time.to_owned(), "2026-11-01".to_owned()),
            is_estimated: true,
            keys: vec![key.to_owned()],
            values: vec![value(amount)],
        };
        let rows = [
            answered("2026-10-01", "=cmd|' /C calc'!A0", "0.1234567891"),
            answered("2026-10-01", "Amazon S3", "12345678901234.5"),
        ];
        let columns = columns(&["Service".to_owned()], &["UnblendedCost"]);
        ReportTable {
            title: "Costs by service".to_owned(),
            facts: vec![("View".to_owned(), "primary".to_owned())],
            made_on: "2026-11-01".to_owned(),
            lines: ReportTable::lines(&rows, &columns).unwrap(),
            bars: ReportTable::bars(&rows).unwrap(),
            columns,
        }
    }

    #[test]
    fn cells_steer_no_spreadsheet_and_numbers_are_exact() {
        let bytes = render(&report(), &Design::default(), ReportFormat::Csv).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let expected = "Start,End,Service,UnblendedCost,UnblendedCost unit,Estimated\r\n\
            2026-10-01,2026-11-01,'=cmd|' /C calc'!A0,0.1234567891,USD,yes\r\n\
            2026-10-01,2026-11-01,Amazon S3,12345678901234.5,USD,yes\r\n\
            Total,,,12345678901234.6234567891,USD,\r\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn the_same_report_has_the_same_bytes() {
        for (format, begins) in [(ReportFormat::Xlsx, &b"PK"[..]), (ReportFormat::Pdf, b"%PDF-")] {
            let bytes = render(&report(), &Design::default(), format).unwrap();
            assert!(bytes.starts_with(begins), "{format:?}");
            assert_eq!(bytes, render(&report(), &Design::default(), format).unwrap());
        }
    }

    #[test]
    fn a_long_report_goes_on_from_page_to_page() {
        let mut long = report();
        let line = long.lines[0].clone();
        long.lines = vec![line; 500];
        long.facts.push(("Filter".to_owned(), "x ".repeat(2_000)));
        assert!(render(&long, &Design::default(), ReportFormat::Pdf).unwrap().len() > 20_000);
    }
}
