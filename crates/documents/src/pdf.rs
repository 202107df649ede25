//! The invoice as a page: PDF/A-3a, tagged (PDF/UA-1), with the same invoice as Factur-X in it.

mod canvas;
mod drawing;
mod factur_x_metadata;
mod invoice_page;
mod report_page;
mod sheet;
mod table;

use crate::design::Design;
use crate::e_invoice::finer_than_cents;
use crate::plain_text::printable;
use crate::wording::Wording;
use crate::{Error, factur_x};
use billing::invoice::{Date, Invoice};
use billing::saved_report::ReportTable;

/// The name that Factur-X gives the XML in the PDF.
const FACTUR_X_FILE: &str = "factur-x.xml";

/// The invoice as PDF. Same invoice and design, same bytes. In a currency of three decimals it has no Factur-X in it: EN 16931 has two.
///
/// # Errors
/// [`Error::NoGlyph`] for a text that no font can show, [`Error::EInvoice`] where EN 16931 wants
/// something that the invoice does not have.
pub fn render(invoice: &Invoice, design: &Design) -> Result<Vec<u8>, Error> {
    // EN 16931 cannot say such amounts; everything else that it misses is the invoice's fault.
    let xml = match finer_than_cents(invoice) {
        Some(_) => None,
        None => Some(factur_x::render(invoice)?),
    };
    let wording = Wording::new(&invoice.language, &design.texts);
    let laid_out = invoice_page::lay_out(invoice, design, &wording)?;
    let title = format!("{} {}", wording.word(invoice_page::title(invoice.kind)), printable(&invoice.number));
    let seller = printable(&invoice.seller.legal_name);
    let about = drawing::About {
        title: &title,
        author: &seller,
        subject: &format!("{title}, {seller}"),
        language: &invoice.language,
        id: &format!("{seller}\n{title}\n{}", invoice.issued),
        date: invoice.issued,
    };
    let is_factur_x = xml.is_some();
    let attachment = xml.map(|bytes| drawing::Attachment {
        name: FACTUR_X_FILE,
        description: "This invoice as structured data: Factur-X, profile EN 16931",
        bytes,
    });
    let logo = design.logo.as_ref().map(|logo| &logo.image);
    let pdf = drawing::draw(&laid_out.canvas, laid_out.structure, logo, &about, attachment)?;
    if is_factur_x { factur_x_metadata::declare(pdf, FACTUR_X_FILE) } else { Ok(pdf) }
}

/// A saved report as PDF, in the operator's colour, paper and fonts. Same report and design, same bytes.
///
/// # Errors
/// [`Error::NoGlyph`] for a text that no font can show.
pub fn render_report(report: &ReportTable, design: &Design) -> Result<Vec<u8>, Error> {
    const LANGUAGE: &str = "en";
    let wording = Wording::new(LANGUAGE, &design.texts);
    let laid_out = report_page::lay_out(report, design, &wording)?;
    let title = printable(&report.title);
    let about = drawing::About {
        title: &title,
        author: "Proforma",
        subject: &title,
        language: LANGUAGE,
        id: &format!("{title}\n{}", report.made_on),
        date: Date::parse(&report.made_on).unwrap_or_else(|_| Date::of_seconds(0)),
    };
    drawing::draw(&laid_out.canvas, laid_out.structure, None, &about, None)
}
