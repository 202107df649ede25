//! A change of orders, invoices and what was decided of them, as it is being made.

use super::access::order_arn;
use super::state::Purchasing;
use crate::desk::WriteRequest;
use billing::configuration::Configuration;
use billing::purchase_order::{PurchaseOrder, Settings};
use std::sync::Arc;
use store::{AssociationRow, DecidedRow, InvoiceRow, OrderRow, StoreError, Write};

/// A change that is being made: what it has put so far is seen by what comes after.
pub(crate) struct PurchaseEdit<'a> {
    /// What there is by now.
    pub next: Purchasing,
    /// What is configured.
    pub configuration: &'a Configuration,
    /// Who asks, for what and when.
    pub request: &'a WriteRequest<'a>,
    orders: Vec<OrderRow>,
    invoices: Vec<InvoiceRow>,
    associations: Vec<DecidedRow>,
    settings: Option<Settings>,
    resource: Option<String>,
}

impl<'a> PurchaseEdit<'a> {
    /// Begins a change of what is there.
    pub fn begin(
        before: &Purchasing,
        configuration: &'a Configuration,
        request: &'a WriteRequest<'a>,
    ) -> Self {
        Self {
            next: before.clone(),
            configuration,
            request,
            orders: Vec::new(),
            invoices: Vec::new(),
            associations: Vec::new(),
            settings: None,
            resource: None,
        }
    }

    /// Now, in seconds since 1970-01-01T00:00:00Z.
    pub const fn now(&self) -> i64 {
        self.request.caller.now
    }

    /// What the audit says that was changed, where that is known only now.
    pub fn resource(&self) -> Option<String> {
        self.resource.clone()
    }

    /// Keeps an order as its next revision; `deleted` where that is its last one.
    pub fn put_order(&mut self, order: PurchaseOrder, deleted: bool) -> Arc<OrderRow> {
        let key = (order.buyer.clone(), order.id.clone());
        let before = self.next.orders.get(&key);
        let number = before.map_or_else(|| self.next.next_number.max(1), |row| row.number);
        let revision = before.map_or(1, |row| row.revision + 1);
        if before.is_none() {
            self.next.next_number = number + 1;
        }
        self.resource = Some(order_arn(&self.request.caller.payer, &order.buyer, &order.id));
        let row = OrderRow {
            order,
            number,
            revision,
            recorded_at_s: self.now(),
            recorded_by: self.request.caller.principal.clone(),
            action: self.request.action.to_owned(),
            deleted_at_s: deleted.then(|| self.now()),
        };
        self.orders.push(row.clone());
        let row = Arc::new(row);
        self.next.orders.insert(key, row.clone());
        row
    }

    /// Keeps an invoice, or another content of it.
    pub fn put_invoice(&mut self, row: InvoiceRow) {
        let key = (row.invoice.buyer.clone(), row.invoice.id.clone());
        self.next.invoices.insert(key, Arc::new(row.clone()));
        self.invoices.push(row);
    }

    /// Keeps what was decided of an invoice as it is by now, with its trace as JSON.
    pub fn put_association(&mut self, row: AssociationRow, trace: String) {
        let key = (row.buyer.clone(), row.invoice.clone());
        let invoice_revision = self.next.invoices.get(&key).map(|invoice| invoice.revision);
        self.next.associations.insert(key, Arc::new(row.clone()));
        self.associations.push(DecidedRow { association: row, invoice_revision, trace });
    }

    /// Settles how invoices are matched from now on.
    pub fn put_settings(&mut self, settings: Settings) {
        self.next.settings = settings.clone();
        self.settings = Some(settings);
    }

    /// Writes the rows; what there is then.
    pub async fn keep(self, write: &mut Write) -> Result<Purchasing, StoreError> {
        let Self { mut next, request, orders, invoices, associations, settings, .. } = self;
        next.revision += 1;
        for row in &orders {
            write.put_order(row).await?;
        }
        write.put_matched_invoices(&invoices).await?;
        write.put_associations(&associations).await?;
        if let Some(settings) = settings {
            let (now, by) = (request.caller.now, request.caller.principal.as_str());
            write.put_matching_settings(&settings, next.revision, now, by).await?;
        }
        write.put_purchasing_head(next.revision, next.next_number).await?;
        Ok(next)
    }
}
