//! Series of numbers across the payers of one desk: a seller's numbers are unique, whichever payer's customers it invoices.
//!
//! Each payer counts its own series. Where two payers have one and the same seller, their series have to differ, and this refuses the document that
//! would be the second one of a number, or the first one of a series that another payer counts.

use super::listing::view;
use crate::error::{Answer, Error, refused};
use billing::account::AccountId;
use billing::invoice::{Invoice, Party};
use store::{InvoiceFilter, IssuedInvoiceRow, Store};

/// Refuses where another payer of the desk has documents of the same seller under the same series, or one under the same number.
///
/// # Errors
/// [`Error::Refused`], which does not say whose payer it is: the payers of a desk may be strangers.
pub(super) async fn held_by_none(
    store: &Store,
    payer: &AccountId,
    series: &str,
    document: &Invoice,
) -> Answer<()> {
    let payers = store.payers().await.map_err(Error::internal)?;
    for other in payers.iter().map(|row| &row.payer).filter(|other| *other != payer) {
        let last = store.last_issued_invoice(other, Some(series)).await.map_err(Error::internal)?;
        if last.map(|row| is_of(&row, &document.seller)).transpose()?.unwrap_or(false) {
            return Err(refused(format!(
                "series `{series}` is counted for another payer of this desk under the same seller, `{}`: its numbers would be given twice; \
                 set a `series` of its own here, such as one with another prefix",
                document.seller.legal_name
            )));
        }
        let filter = InvoiceFilter { number: Some(document.number.clone()), ..InvoiceFilter::default() };
        let same = store.issued_invoices(other, &filter, 0, 1).await.map_err(Error::internal)?;
        for row in same {
            if is_of(&row, &document.seller)? {
                return Err(refused(format!(
                    "number `{}` was given for another payer of this desk under the same seller, `{}`; set a `series` whose numbers are others",
                    document.number, document.seller.legal_name
                )));
            }
        }
    }
    Ok(())
}

/// Whether a document is of a seller: of its name, or of one of its tax registrations.
fn is_of(row: &IssuedInvoiceRow, seller: &Party) -> Answer<bool> {
    let (document, _) = view(row)?;
    let name = |party: &Party| party.legal_name.trim().to_lowercase();
    let other = &document.seller;
    Ok(name(other) == name(seller)
        || other.tax_registrations.iter().any(|id| seller.tax_registrations.contains(id)))
}
