//! What UBL and Factur-X have in common: what EN 16931 wants of every e-invoice, and how it writes amounts.

use crate::Error;
use billing::invoice::amount::minor_digits;
use billing::invoice::party::is_blank;
use billing::invoice::soundness::problems;
use billing::invoice::{Invoice, Kind, TaxCategory};
use billing::money::Currency;

/// The format's name, for messages.
pub const UBL: &str = "Peppol BIS Billing 3.0 (UBL)";
pub const FACTUR_X: &str = "Factur-X (EN 16931)";

/// Holds an invoice to what either format needs to be written at all. Arithmetic is the invoice's own affair.
///
/// # Errors
/// [`Error::EInvoice`] with what is missing.
pub fn check(invoice: &Invoice, format: &'static str) -> Result<(), Error> {
    let refused = |reason: String| Err(Error::EInvoice { number: invoice.number.clone(), format, reason });
    if let Some(currency) = finer_than_cents(invoice) {
        return refused(format!(
            "EN 16931 has amounts of two decimals, and {currency} has more; send the PDF, which is then one without Factur-X"
        ));
    }
    if invoice.lines.is_empty() {
        return refused("it has no line".to_owned());
    }
    // What every validator refuses is refused here, where it can be mended.
    if let Some(problem) = problems(invoice).first() {
        return refused(problem.to_string());
    }
    for subtotal in &invoice.taxes {
        let said = subtotal.exemption_reason.is_some() || subtotal.exemption_code.is_some();
        if subtotal.tax.category.needs_reason() && !said {
            let category = subtotal.tax.category;
            return refused(format!(
                "tax category {category} needs a reason for the exemption; set it in the tax profile"
            ));
        }
    }
    Ok(())
}

/// The first currency of the document whose amounts have more than the two decimals of EN 16931 (BR-DEC-*).
pub fn finer_than_cents(invoice: &Invoice) -> Option<Currency> {
    let mut currencies =
        std::iter::once(invoice.currency).chain(invoice.tax_currency.as_ref().map(|tax| tax.currency));
    currencies.find(|currency| minor_digits(*currency).is_some_and(|digits| digits > 2))
}

/// Whether the document is outside the scope of the tax: then no VAT id may stand in it (BR-O-02).
pub fn outside_scope(invoice: &Invoice) -> bool {
    invoice.taxes.iter().any(|subtotal| subtotal.tax.category == TaxCategory::OutsideScope)
}

/// Whether it says to which country the supply goes (BR-IC-12).
pub fn within_community(invoice: &Invoice) -> bool {
    invoice.taxes.iter().any(|subtotal| subtotal.tax.category == TaxCategory::IntraCommunity)
}

/// A text in which something can be seen.
pub fn said(text: Option<&String>) -> Option<&String> {
    text.filter(|text| !is_blank(text))
}

/// Whether it is a credit note.
pub fn is_credit_note(invoice: &Invoice) -> bool {
    invoice.kind == Kind::CreditNote
}

/// The notes as one: Peppol allows one only (`PEPPOL-EN16931-R002`).
pub fn note(invoice: &Invoice) -> String {
    invoice.notes.join("\n")
}
