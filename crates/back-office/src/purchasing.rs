//! Purchase orders and the invoices that are matched with them: the operator's orders to AWS, and each customer's orders to the operator.
//!
//! They change no price, so they are no part of the configuration. What a payer has of them is one immutable value, read when the database has another one; a
//! write makes the next one within the payer's transaction, as every other write does: with its client token, its audit entry, and nothing overwritten.

mod access;
mod edit;
mod expected;
pub mod invoice_files;
mod issued_invoices;
mod limits;
pub mod matching;
mod moving;
pub mod order_files;
pub mod orders;
pub mod outlook;
mod rematching;
mod run_invoices;
pub(crate) mod state;
mod taking;
pub mod three_way;
mod trace;

use crate::authorization::Caller;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error};
use crate::transaction::Attempt;
use billing::account::AccountId;
use billing::purchase_order::Buyer;
use billing::purchase_order::invoice::MatchInvoice;
use serde::Serialize;
use serde::de::DeserializeOwned;
use state::Purchasing;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::{AssociationRow, InvoiceRow, Write};

pub(crate) use access::Rights;
pub use access::{RETIRED_ACTIONS, order_arn};
pub(crate) use edit::PurchaseEdit;
pub use limits::{Limits, NewLimits};

impl BackOffice {
    /// What a payer and its customers have ordered and were invoiced, as of this moment.
    pub(crate) async fn purchasing(&self, payer: &AccountId) -> Answer<Arc<Purchasing>> {
        let store = &self.0.store;
        let revision = store.purchasing_revision(payer).await.map_err(Error::internal)?;
        if let Some(known) = self.0.purchasing.get(payer, revision) {
            return Ok(known);
        }
        let rows = store.purchasing(payer).await.map_err(Error::internal)?;
        let read = Arc::new(Purchasing::of(rows));
        self.0.purchasing.put(payer, read.clone());
        Ok(read)
    }

    /// The ids of the orders that AWS's invoices of a payer are charged to, by the invoices' ids: what `PurchaseOrderNumber` of AWS's invoicing service is.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn order_numbers(&self, payer: &AccountId) -> Answer<BTreeMap<String, String>> {
        let purchasing = self.purchasing(payer).await?;
        let of_payer = purchasing.associations.values().filter(|row| row.buyer == Buyer::Payer);
        let number = |row: &Arc<AssociationRow>| {
            Some((row.invoice.clone(), row.charged_to.as_ref()?.order.to_string()))
        };
        Ok(of_payer.filter_map(number).collect())
    }

    /// The ids of the payer's own orders that may not be named to a caller, whatever names them.
    pub(crate) async fn unseen_orders(&self, caller: &Caller) -> Answer<BTreeSet<String>> {
        let sight = self.order_sight(caller).await?;
        let purchasing = self.purchasing(&caller.payer).await?;
        let of_payer = purchasing.orders.values().map(|row| &row.order).filter(|of| of.buyer == Buyer::Payer);
        Ok(of_payer.filter(|order| !sight.names(order)).map(|order| order.id.to_string()).collect())
    }

    /// The content of an invoice that each decision of it was of, by the decision's sequence.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn decided_contents(
        &self,
        payer: &AccountId,
        invoice: &InvoiceRow,
    ) -> Answer<BTreeMap<u64, InvoiceRow>> {
        let MatchInvoice { buyer, id, .. } = &invoice.invoice;
        self.0.store.decided_contents(payer, buyer, id).await.map_err(Error::internal)
    }

    /// What a payer and its customers have ordered and were invoiced, within a change, when nobody else writes.
    async fn purchasing_within(&self, write: &mut Write) -> Result<Arc<Purchasing>, Attempt> {
        let payer = write.payer().clone();
        let revision = write.purchasing_revision().await?;
        match self.0.purchasing.get(&payer, revision) {
            Some(known) => Ok(known),
            None => Ok(Arc::new(Purchasing::of(write.purchasing().await?))),
        }
    }

    /// Makes a change of orders, invoices or what was decided of them: all of it in one transaction, once per client token.
    pub(crate) async fn purchase<T: Serialize + DeserializeOwned + Send>(
        &self,
        request: &WriteRequest<'_>,
        operation: impl Fn(&mut PurchaseEdit<'_>) -> Answer<T> + Sync,
    ) -> Answer<T> {
        let payer = &request.caller.payer;
        let operation = &operation;
        let (made, next) = self
            .transaction(payer, |store, state| async move {
                if let Some(answer) = request.answered(&store).await? {
                    return Ok((state, (answer, None)));
                }
                let mut write = store.write(payer, &state.head).await?;
                let before = self.purchasing_within(&mut write).await?;
                let mut edit = PurchaseEdit::begin(&before, &state.configuration, request);
                let made = operation(&mut edit)?;
                let resource = edit.resource().unwrap_or_else(|| request.resource.to_owned());
                let next = edit.keep(&mut write).await?;
                let outcome = serde_json::to_string(&made).map_err(Error::internal)?;
                request.keep_answer(&mut write, &outcome).await?;
                let state = state.commit(write, [request.done(&resource)]).await?;
                Ok((state, (made, Some(next))))
            })
            .await?;
        if let Some(next) = next {
            self.0.purchasing.put(payer, Arc::new(next));
        }
        Ok(made)
    }
}
