//! The lines, what is on the whole invoice, and its taxes as CSV: RFC 4180 in UTF-8, a header, a row each. Numbers are their exact digits.

use crate::table::{COLUMNS, Cell, rows};
use billing::invoice::Invoice;

/// The lines of an invoice as CSV.
#[must_use]
pub fn render(invoice: &Invoice) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    // Writing to memory fails only for rows of unequal length, and all have as many cells as there are columns.
    let _ = writer.write_record(COLUMNS);
    for cells in rows(invoice) {
        let cells = cells.map(|cell| match cell {
            Cell::Text(text) | Cell::Number(text) => text,
        });
        let _ = writer.write_record(cells);
    }
    writer.into_inner().unwrap_or_default()
}
