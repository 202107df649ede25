//! The operator's own documents as invoices that are matched: asked about before they are issued, kept in the transaction that issues them.

use super::edit::PurchaseEdit;
use super::matching::{InvoiceSource, NewInvoice, keep_decision, matcher};
use super::state::Purchasing;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, refused};
use crate::transaction::{Attempt, State};
use billing::account::AccountId;
use billing::matching::Decision;
use billing::purchase_order::Buyer;
use billing::purchase_order::invoice::MatchInvoice;
use std::sync::Arc;
use store::{How, InvoiceRow, Write};

impl Purchasing {
    /// What the rules say of an invoice that is not there yet. Nothing is kept.
    pub fn decide(&self, invoice: &MatchInvoice) -> Answer<Decision> {
        matcher(self, |_| false)?.decide(invoice).map_err(|error| refused(error.to_string()))
    }

    /// Whether a buyer has orders here.
    pub fn has_orders(&self, buyer: &Buyer) -> bool {
        self.orders().any(|row| row.order.buyer == *buyer)
    }
}

impl PurchaseEdit<'_> {
    /// Matches a document that is being issued: it is known from now on, with what was decided of it.
    ///
    /// # Errors
    /// [`Error::Refused`](crate::error::Error::Refused) where an invoice is known under its number, wherever it is from.
    pub fn put_issued(&mut self, new: &NewInvoice) -> Answer<Decision> {
        let invoice = &new.invoice;
        let known = self.next.invoices.iter().find(|((_, id), _)| *id == invoice.id);
        if let Some((_, row)) = known {
            let id = &invoice.id;
            let why = match row.source {
                InvoiceSource::Issued => format!("number `{id}` was given by another series"),
                InvoiceSource::Imported | InvoiceSource::Run => {
                    format!("an invoice `{id}` was imported to be matched with purchase orders")
                }
            };
            return Err(refused(format!("{why}; set a series whose numbers are others")));
        }
        let decision = self.next.decide(invoice)?;
        self.put_invoice(InvoiceRow {
            invoice: invoice.clone(),
            due_at_s: new.due_at_s,
            source: InvoiceSource::Issued,
            revision: 1,
            recorded_at_s: self.now(),
        });
        keep_decision(self, invoice, &decision, How::Matched)?;
        Ok(decision)
    }
}

impl BackOffice {
    /// Makes a change of orders, invoices or what was decided of them as a part of a write that changes other things, too. What is there then is to be
    /// told to [`purchased`](Self::purchased) when the write is committed.
    pub(crate) async fn purchase_within<T>(
        &self,
        write: &mut Write,
        state: &State,
        request: &WriteRequest<'_>,
        operation: impl FnOnce(&mut PurchaseEdit<'_>) -> Answer<T> + Send,
    ) -> Result<(T, Arc<Purchasing>), Attempt> {
        let before = self.purchasing_within(write).await?;
        let mut edit = PurchaseEdit::begin(&before, &state.configuration, request);
        let made = operation(&mut edit)?;
        let next = edit.keep(write).await?;
        Ok((made, Arc::new(next)))
    }

    /// What a committed write has left.
    pub(crate) fn purchased(&self, payer: &AccountId, next: Option<Arc<Purchasing>>) {
        if let Some(next) = next {
            self.0.purchasing.put(payer, next);
        }
    }
}
