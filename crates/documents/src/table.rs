//! What an invoice comes to as a table, for CSV and for spreadsheets: its lines, what is on the whole of it, and its taxes.
//!
//! Each row says in `row` what it is. `net` sums to the invoice before tax, `tax_amount` to its tax, and `due` to what is due.

use crate::plain_text::unlike_a_formula;
use billing::invoice::{Adjustment, AdjustmentKind, Invoice, Invoiced, Line, TaxSubtotal};

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// A text that no spreadsheet takes for a formula.
    Text(String),
    /// Plain decimal digits.
    Number(String),
}

/// How many columns there are.
pub const WIDTH: usize = 22;

/// The names of the columns. A later version adds columns at the end only.
pub const COLUMNS: [&str; WIDTH] = [
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
    "row",
    "tax_amount",
    "due",
];

/// What a row is about, beside what all rows of an invoice have.
#[derive(Default)]
struct About<'a> {
    row: &'static str,
    line: Option<&'a Line>,
    name: &'a str,
    description: &'a str,
    tax: Option<billing::invoice::Tax>,
    net: Option<Invoiced>,
    tax_amount: Option<Invoiced>,
    due: Option<Invoiced>,
}

/// The rows: lines, allowances (below 0) and charges, taxes, and what was paid before or rounded, where there is any.
pub fn rows(invoice: &Invoice) -> impl Iterator<Item = [Cell; WIDTH]> {
    let lines = invoice.lines.iter().map(of_line);
    let adjustments = invoice.adjustments.iter().map(of_adjustment);
    let taxes = invoice.taxes.iter().map(of_tax);
    let ending = [("prepaid", invoice.totals.prepaid.negated()), ("rounding", invoice.totals.rounding)];
    let ending = ending.into_iter().filter(|(_, amount)| amount.units() != 0);
    let ending = ending.map(|(row, due)| About { row, due: Some(due), ..About::default() });
    lines.chain(adjustments).chain(taxes).chain(ending).map(|about| cells(invoice, &about))
}

/// How many rows there are.
pub fn row_count(invoice: &Invoice) -> usize {
    // Both that an ending may have are counted, for a sheet has room for them.
    invoice.lines.len() + invoice.adjustments.len() + invoice.taxes.len() + 2
}

fn of_line(line: &Line) -> About<'_> {
    About {
        row: "line",
        line: Some(line),
        name: &line.name,
        description: line.description.as_deref().unwrap_or_default(),
        tax: Some(line.tax),
        net: Some(line.net),
        tax_amount: None,
        due: Some(line.net),
    }
}

fn of_adjustment(adjustment: &Adjustment) -> About<'_> {
    let (row, net) = match adjustment.kind {
        AdjustmentKind::Allowance => ("allowance", adjustment.amount.negated()),
        AdjustmentKind::Charge => ("charge", adjustment.amount),
    };
    let (net, due) = (Some(net), Some(net));
    About { row, name: &adjustment.reason, tax: Some(adjustment.tax), net, due, ..About::default() }
}

fn of_tax(tax: &TaxSubtotal) -> About<'_> {
    About {
        row: "tax",
        description: tax.exemption_reason.as_deref().unwrap_or_default(),
        tax: Some(tax.tax),
        tax_amount: Some(tax.amount),
        due: Some(tax.amount),
        ..About::default()
    }
}

/// The cells of a row, a cell for each of [`COLUMNS`].
fn cells(invoice: &Invoice, about: &About<'_>) -> [Cell; WIDTH] {
    let text = |text: &str| Cell::Text(unlike_a_formula(text).into_owned());
    let optional = |it: Option<&String>| text(it.map_or("", String::as_str));
    let number = |it: Option<String>| it.map_or_else(|| Cell::Text(String::new()), Cell::Number);
    let amount = |it: Option<Invoiced>| number(it.map(|amount| amount.to_string()));
    let line = about.line;
    let period = line.and_then(|line| line.period).unwrap_or(invoice.period);
    [
        text(&invoice.number),
        text(invoice.kind.code()),
        text(&invoice.issued.to_string()),
        text(invoice.currency.as_str()),
        text(line.map_or("", |line| &line.id)),
        text(about.name),
        text(about.description),
        optional(line.and_then(|line| line.account.as_ref())),
        text(&period.from.to_string()),
        text(&period.to.to_string()),
        number(line.map(|line| line.quantity.to_string())),
        text(line.map_or("", |line| &line.unit_code)),
        number(line.map(|line| line.price.to_string())),
        amount(about.net),
        text(about.tax.map_or("", |tax| tax.category.code())),
        number(about.tax.map(|tax| tax.rate.to_string())),
        optional(invoice.purchase_order.as_ref()),
        optional(line.and_then(|line| line.purchase_order_line.as_ref())),
        text(invoice.preceding.as_ref().map_or("", |it| &it.number)),
        text(about.row),
        amount(about.tax_amount),
        amount(about.due),
    ]
}

#[cfg(test)]
mod tests {
    //! No cell of a row is a formula, whatever stands before its sign.

    use super::*;

    #[test]
    fn no_cell_of_a_row_is_a_formula() {
        let sample = include_bytes!("../../../fixtures/invoices/standard.json");
        let mut invoice = invoice_file::document::read(sample).unwrap();
        for mark in ["\u{200e}", "\u{ad}", "\u{feff}", "\u{202e}", " \u{200f} ", ""] {
            for sign in ['=', '+', '-', '@'] {
                let text = format!("{mark}{sign}HYPERLINK(\"https://example.com\")");
                invoice.lines[0].name.clone_from(&text);
                invoice.lines[0].description = Some(text.clone());
                invoice.purchase_order = Some(text.clone());
                invoice.adjustments[0].reason = text;
                for cell in rows(&invoice).flatten() {
                    let Cell::Text(cell) = cell else { continue };
                    assert!(!cell.trim_start().starts_with(['=', '+', '-', '@']), "{cell:?}");
                }
            }
        }
    }
}
