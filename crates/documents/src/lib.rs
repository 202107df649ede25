//! An issued invoice as a document: what it looks like, never what it says.
//!
//! One [`Invoice`] makes them all: a page that is also an e-invoice (PDF/A-3 with Factur-X in it, `pdf`), UBL for Peppol (`ubl`),
//! the Factur-X XML alone (`factur_x`), its lines as a table (`csv`, `xlsx`), and its data for a template of the operator's own ([`invoice_file::document`]).
//! Nothing is computed here but sums carried from page to page: amounts are shown as they were issued. The same invoice gives the same
//! bytes; no clock, font or locale of the machine is asked.

mod wording;
mod xml;

pub mod design;

mod csv;
mod table;
mod xlsx;

mod colour;
mod measure;
mod typesetting;

mod e_invoice;
mod factur_x;
mod peppol_countries;
mod ubl;

mod pdf;

mod report;

pub use design::Design;
pub use invoice_file::format::DocumentFormat as Format;
pub use report::{ReportFormat, render as render_report};

use billing::invoice::Invoice;
use invoice_file::{document, plain_text};

#[cfg(test)]
mod tests;

/// Why there is no document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A colour cannot be read.
    #[error("`{0}` is not a colour; write it as #1a2b3c")]
    Colour(String),
    /// A size of paper that there is not.
    #[error("`{0}` is not a paper; there are `a4` and `letter`")]
    UnknownPaper(String),
    /// A word that documents do not say.
    #[error("`{0}` is not a word of the documents; docs/documents.md lists them")]
    UnknownWord(String),
    /// A word that says nothing.
    #[error("the word `{0}` is empty; write it, or leave it out for the built-in one")]
    EmptyWord(String),
    /// A word without the numbers that stand in it.
    #[error("the word `{key}` is `{text}`; it needs {missing}, where the number stands")]
    WordWithoutNumber {
        /// The word's key.
        key: &'static str,
        /// What the operator says.
        text: String,
        /// The place that is missing, as `{page}`.
        missing: &'static str,
    },
    /// A logo cannot be used.
    #[error("the logo cannot be used: {reason}; give a PNG or JPEG picture")]
    Logo {
        /// What is wrong with it.
        reason: String,
    },
    /// A font, or the folder of fonts, cannot be used.
    #[error("the fonts at `{path}` cannot be used: {reason}")]
    Fonts {
        /// The folder or the file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No font has a character of a text.
    #[error(
        "no font has the character `{character}` (U+{:04X}) of `{text}`; put a font that has it into the font folder",
        u32::from(*.character)
    )]
    NoGlyph {
        /// The character.
        character: char,
        /// The text that it is in, its first 60 characters.
        text: String,
    },
    /// The validator of PDF/A and PDF/UA refuses the document.
    #[error("the document would not be PDF/A-3a and PDF/UA-1: {0}")]
    Pdf(String),
    /// An e-invoice needs something that the invoice does not have.
    #[error("invoice `{number}` cannot be {format}: {reason}")]
    EInvoice {
        /// The invoice.
        number: String,
        /// The format.
        format: &'static str,
        /// What is missing, and where to give it.
        reason: String,
    },
    /// A spreadsheet cannot hold so many rows.
    #[error(
        "the report has {rows} rows, more than the {max} that a spreadsheet holds; take CSV, or ask for less"
    )]
    TooManyRows {
        /// How many.
        rows: usize,
        /// How many there may be.
        max: usize,
    },
    /// A spreadsheet cannot hold so many lines.
    #[error("invoice `{number}` has {lines} rows, more than the {max} that a spreadsheet holds; take CSV")]
    TooManyLines {
        /// The invoice.
        number: String,
        /// How many.
        lines: usize,
        /// How many there may be.
        max: usize,
    },
}

/// An invoice in a format.
///
/// # Errors
/// [`Error`]: a text that no font can show, or, of an e-invoice, something that its rules want and the invoice does not have.
pub fn render(invoice: &Invoice, design: &Design, format: Format) -> Result<Vec<u8>, Error> {
    match format {
        Format::Pdf => pdf::render(invoice, design),
        Format::Ubl => ubl::render(invoice),
        Format::FacturX => factur_x::render(invoice),
        Format::Csv => Ok(csv::render(invoice)),
        Format::Xlsx => xlsx::render(invoice),
        Format::Json => Ok(document::render(invoice)),
    }
}
