//! Purchase orders and the invoices that are matched with them: the operator's orders to AWS, and each customer's orders to the operator.
//!
//! They change no price, so they are no part of the configuration. What a payer has of them is one immutable value, read when the database has another one; a
//! write makes the next one within the payer's transaction, as every other write does: with its client token, its audit entry, and nothing overwritten.

mod access;
mod edit;
pub mod invoice_files;
mod issued_invoices;
mod limits;
pub mod matching;
pub mod order_files;
pub mod orders;
pub mod outlook;
mod run_invoices;
mod trace;

use crate::desk::{BackOffice, WriteRequest, repeated};
use crate::error::{Answer, Error};
use crate::hash::sha256;
use crate::transaction::Attempt;
use billing::account::AccountId;
use billing::money::{Amount, DecimalError};
use billing::purchase_order::{Buyer, LineNumber, PurchaseOrder, PurchaseOrderId, Settings};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use store::{AssociationRow, InvoiceRow, OrderRow, PurchasingRows, TokenRow, Write};

pub use access::{RETIRED_ACTIONS, order_arn};
pub(crate) use edit::PurchaseEdit;
pub use limits::{Limits, NewLimits};

/// What a payer and its customers have ordered and were invoiced.
#[derive(Debug, Clone, Default)]
pub(crate) struct Purchasing {
    /// How often it was written.
    pub revision: u64,
    next_number: u64,
    pub settings: Settings,
    /// The orders as they stand; deleted ones among them.
    orders: BTreeMap<(Buyer, PurchaseOrderId), Arc<OrderRow>>,
    pub invoices: BTreeMap<(Buyer, String), Arc<InvoiceRow>>,
    /// What was decided last of each invoice.
    pub associations: BTreeMap<(Buyer, String), Arc<AssociationRow>>,
}

impl Purchasing {
    fn of(rows: PurchasingRows) -> Self {
        let order = |row: OrderRow| ((row.order.buyer.clone(), row.order.id.clone()), Arc::new(row));
        let invoice = |row: InvoiceRow| ((row.invoice.buyer.clone(), row.invoice.id.clone()), Arc::new(row));
        let association = |row: AssociationRow| ((row.buyer.clone(), row.invoice.clone()), Arc::new(row));
        Self {
            revision: rows.revision,
            next_number: rows.next_number,
            settings: rows.settings.unwrap_or_default(),
            orders: rows.orders.into_iter().map(order).collect(),
            invoices: rows.invoices.into_iter().map(invoice).collect(),
            associations: rows.associations.into_iter().map(association).collect(),
        }
    }

    /// The orders that were not deleted.
    pub fn orders(&self) -> impl Iterator<Item = &Arc<OrderRow>> {
        self.orders.values().filter(|row| row.deleted_at_s.is_none())
    }

    /// An order that was not deleted.
    pub fn order(&self, buyer: &Buyer, id: &PurchaseOrderId) -> Option<&Arc<OrderRow>> {
        self.orders.get(&(buyer.clone(), id.clone())).filter(|row| row.deleted_at_s.is_none())
    }

    /// The orders of a buyer that were not deleted.
    fn of_buyer(&self, buyer: &Buyer) -> Vec<PurchaseOrder> {
        self.orders().map(|row| &row.order).filter(|order| order.buyer == *buyer).cloned().collect()
    }

    /// The ids of a buyer's deleted orders.
    fn reserved(&self, buyer: &Buyer) -> BTreeSet<PurchaseOrderId> {
        let deleted = self.orders.values().filter(|row| row.deleted_at_s.is_some());
        deleted.filter(|row| row.order.buyer == *buyer).map(|row| row.order.id.clone()).collect()
    }

    /// What is charged to an order at present.
    pub fn charged_to<'a>(
        &'a self,
        order: &'a PurchaseOrder,
    ) -> impl Iterator<Item = (&'a Arc<AssociationRow>, &'a LineNumber)> {
        self.associations.values().filter_map(move |row| {
            let to = row.charged_to.as_ref().filter(|to| row.buyer == order.buyer && to.order == order.id)?;
            Some((row, &to.line))
        })
    }

    /// What invoices have used of each line of an order, less credit memos, in the order's currency. A line that is no more is among them.
    pub fn used(&self, order: &PurchaseOrder) -> Result<BTreeMap<LineNumber, Amount>, DecimalError> {
        let mut used: BTreeMap<LineNumber, Amount> = BTreeMap::new();
        for (row, line) in self.charged_to(order) {
            let sum = used.entry(line.clone()).or_default();
            *sum = sum.plus(row.used.unwrap_or_default())?;
        }
        Ok(used)
    }
}

/// What was read last of each payer.
#[derive(Default)]
pub(crate) struct KnownPurchasing(Mutex<BTreeMap<AccountId, Arc<Purchasing>>>);

impl KnownPurchasing {
    fn get(&self, payer: &AccountId, revision: u64) -> Option<Arc<Purchasing>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(payer).cloned();
        known.filter(|known| known.revision == revision)
    }

    fn put(&self, payer: &AccountId, purchasing: Arc<Purchasing>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(payer.clone(), purchasing);
    }
}

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

    /// The same within a change, when nobody else writes.
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
        let (operation, input_hash, token_of) = (&operation, &sha256(request.input), &token_of(request));
        let (made, next) = self
            .transaction(payer, |store, state| async move {
                if let Some(token) = request.token
                    && let Some(earlier) = store.token(payer, token_of, token).await?
                {
                    return Ok((state, (repeated(&earlier, input_hash)?, None)));
                }
                let mut write = store.write(payer, &state.head).await?;
                let before = self.purchasing_within(&mut write).await?;
                let mut edit = PurchaseEdit::begin(&before, &state.configuration, request);
                let made = operation(&mut edit)?;
                let resource = edit.resource().unwrap_or_else(|| request.resource.to_owned());
                let next = edit.keep(&mut write).await?;
                if let Some(token) = request.token {
                    let row = TokenRow {
                        operation: token_of.clone(),
                        token: token.to_owned(),
                        input_hash: input_hash.clone(),
                        outcome: serde_json::to_string(&made).map_err(Error::internal)?,
                        created_at_ms: request.caller.now.saturating_mul(1_000),
                    };
                    write.put_token(row).await?;
                }
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

/// Under what a client token is kept: those of a customer are its own, so that none is told what another one's request has made.
fn token_of(request: &WriteRequest<'_>) -> String {
    match request.caller.scope {
        crate::authorization::Scope::Payer => request.action.to_owned(),
        crate::authorization::Scope::Groups { .. } => {
            format!("{} {}", request.action, request.caller.principal)
        }
    }
}
