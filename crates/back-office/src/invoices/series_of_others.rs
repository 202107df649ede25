//! Whose series of numbers is whose: a seller's numbers have no gap and are unique, whichever payer's customers it invoices.
//!
//! Within a payer a series is one seller's: were its numbers given to two, those of each would have gaps. Each payer of a desk counts its own series:
//! where two payers have one and the same seller, their series have to differ. This refuses the document that would be the first one of another seller
//! in a series, the second one of a number, or the first one of a series that another payer counts.

use super::listing::view;
use crate::error::{Answer, Error, refused};
use billing::account::AccountId;
use billing::invoice::{Invoice, Party};
use store::{InvoiceFilter, IssuedInvoiceRow, Store};

/// Refuses where the series has documents of another seller, or where another payer of the desk has documents of the same seller under the same series,
/// or one under the same number.
///
/// # Errors
/// [`Error::Refused`], which does not say whose payer it is: the payers of a desk may be strangers.
pub(super) async fn held_by_none(
    store: &Store,
    payer: &AccountId,
    series: &str,
    document: &Invoice,
) -> Answer<()> {
    let last = store.last_issued_invoice(payer, Some(series)).await.map_err(Error::internal)?;
    if let Some(row) = last
        && !is_of(&row, &document.seller)?
    {
        let (number, seller) = (&row.number, &document.seller.legal_name);
        return Err(refused(format!(
            "series `{series}` numbers the documents of another seller, as `{number}`: with those of `{seller}` among them, the numbers of each would \
             have gaps; set a `series` of its own for `{seller}`, such as one with another prefix"
        )));
    }
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

/// Whether a document is of a seller: of its name, its company id, or one of its tax registrations.
fn is_of(row: &IssuedInvoiceRow, seller: &Party) -> Answer<bool> {
    let (document, _) = view(row)?;
    let name = |party: &Party| party.legal_name.trim().to_lowercase();
    let other = &document.seller;
    Ok(name(other) == name(seller)
        || other.company_id.is_some() && other.company_id == seller.company_id
        || other.tax_registrations.iter().any(|id| seller.tax_registrations.contains(id)))
}
