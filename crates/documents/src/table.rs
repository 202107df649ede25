//! The lines of an invoice as a table, for CSV and for spreadsheets.

use crate::plain_text::unlike_a_formula;
use billing::invoice::{Invoice, Line};

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// A text that no spreadsheet takes for a formula.
    Text(String),
    /// Plain decimal digits.
    Number(String),
}

/// The names of the columns. A later version adds columns at the end only.
pub const COLUMNS: [&str; 19] = [
    "invoice",
    "kind",
    "issued",
    "currency",
    "line",
    "name",
    "description",
    "account",
    "period_from",
    "period_to",
    "quantity",
    "unit_code",
    "price",
    "net",
    "tax_category",
    "tax_rate",
    "purchase_order",
    "purchase_order_line",
    "corrects_invoice",
];

/// The cells of a line, a cell for each of [`COLUMNS`].
pub fn row(invoice: &Invoice, line: &Line) -> [Cell; 19] {
    let text = |text: &str| Cell::Text(unlike_a_formula(text).into_owned());
    let optional = |it: &Option<String>| text(it.as_deref().unwrap_or_default());
    let period = line.period.unwrap_or(invoice.period);
    [
        text(&invoice.number),
        text(invoice.kind.code()),
        text(&invoice.issued.to_string()),
        text(invoice.currency.as_str()),
        text(&line.id),
        text(&line.name),
        optional(&line.description),
        optional(&line.account),
        text(&period.from.to_string()),
        text(&period.to.to_string()),
        Cell::Number(line.quantity.to_string()),
        text(&line.unit_code),
        Cell::Number(line.price.to_string()),
        Cell::Number(line.net.to_string()),
        text(line.tax.category.code()),
        Cell::Number(line.tax.rate.to_string()),
        optional(&invoice.purchase_order),
        optional(&line.purchase_order_line),
        text(invoice.preceding.as_ref().map_or("", |it| &it.number)),
    ]
}
