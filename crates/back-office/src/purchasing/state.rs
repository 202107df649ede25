//! The orders, invoices and decisions of a payer and its customers as one value.

use billing::account::AccountId;
use billing::money::{Amount, DecimalError};
use billing::purchase_order::{Buyer, LineNumber, PurchaseOrder, PurchaseOrderId, Settings};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use store::{AssociationRow, InvoiceRow, OrderRow, PurchasingRows};

/// What a payer and its customers have ordered and were invoiced.
#[derive(Debug, Clone, Default)]
pub(crate) struct Purchasing {
    /// How often it was written.
    pub revision: u64,
    pub(super) next_number: u64,
    pub settings: Settings,
    /// The orders as they stand; deleted ones among them.
    pub(super) orders: BTreeMap<(Buyer, PurchaseOrderId), Arc<OrderRow>>,
    pub invoices: BTreeMap<(Buyer, String), Arc<InvoiceRow>>,
    /// What was decided last of each invoice.
    pub associations: BTreeMap<(Buyer, String), Arc<AssociationRow>>,
}

impl Purchasing {
    pub(super) fn of(rows: PurchasingRows) -> Self {
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
        self.order_ever(buyer, id).filter(|row| row.deleted_at_s.is_none())
    }

    /// An order, also one that was deleted.
    pub fn order_ever(&self, buyer: &Buyer, id: &PurchaseOrderId) -> Option<&Arc<OrderRow>> {
        self.orders.get(&(buyer.clone(), id.clone()))
    }

    /// The orders of a buyer that were not deleted.
    pub(super) fn of_buyer(&self, buyer: &Buyer) -> Vec<PurchaseOrder> {
        self.orders().map(|row| &row.order).filter(|order| order.buyer == *buyer).cloned().collect()
    }

    /// The ids of a buyer's deleted orders.
    pub(super) fn reserved(&self, buyer: &Buyer) -> BTreeSet<PurchaseOrderId> {
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
    pub fn get(&self, payer: &AccountId, revision: u64) -> Option<Arc<Purchasing>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(payer).cloned();
        known.filter(|known| known.revision == revision)
    }

    pub fn put(&self, payer: &AccountId, purchasing: Arc<Purchasing>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(payer.clone(), purchasing);
    }
}
