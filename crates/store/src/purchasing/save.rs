//! Writing orders, invoices and associations: rows are added, and the payer's purchasing counts up.

use super::rot::{Decided, row_hash};
use super::{DecidedRow, InvoiceRow, OrderRow};
use crate::body::Body as _;
use crate::body::purchasing::{buyer_text, write_invoice, write_order};
use crate::error::StoreError;
use crate::sql;
use crate::write::Write;
use billing::purchase_order::Settings;

impl Write {
    /// Counts a write of the payer's purchasing.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn put_purchasing_head(&mut self, revision: u64, next_number: u64) -> Result<(), StoreError> {
        let values = vec![self.payer_value(), sql::whole(revision)?.into(), sql::whole(next_number)?.into()];
        let into = "INSERT INTO purchasing_heads (payer, revision, next_number)";
        let instead = " ON CONFLICT (payer) DO UPDATE SET revision = excluded.revision, \
             next_number = excluded.next_number";
        self.put(into, values, instead).await?;
        Ok(())
    }

    /// Adds a revision of an order, which holds from then on.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`] where there is such a revision.
    pub async fn put_order(&mut self, row: &OrderRow) -> Result<(), StoreError> {
        let buyer = buyer_text(&row.order.buyer);
        let id = row.order.id.as_str();
        let revision = sql::whole(row.revision)?;
        let values = vec![
            self.payer_value(),
            buyer.into(),
            id.into(),
            sql::whole(row.number)?.into(),
            revision.into(),
            row.deleted_at_s.into(),
        ];
        let into = "INSERT INTO purchase_orders (payer, buyer, id, number, revision, deleted_at_s)";
        let instead = " ON CONFLICT (payer, buyer, id) DO UPDATE SET revision = excluded.revision, \
             deleted_at_s = excluded.deleted_at_s";
        self.put(into, values, instead).await?;
        let body = write_order(&row.order);
        let hash = row_hash(self.payer(), buyer, id, revision, &body);
        let values = vec![
            self.payer_value(),
            buyer.into(),
            id.into(),
            revision.into(),
            row.recorded_at_s.into(),
            row.recorded_by.as_str().into(),
            row.action.as_str().into(),
            body.into(),
            hash.into(),
        ];
        let into = "INSERT INTO purchase_order_revisions (payer, buyer, id, revision, recorded_at_s, recorded_by, action, \
             body, row_hash)";
        self.put(into, values, "").await?;
        Ok(())
    }

    /// Adds invoices, or further contents of some.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`] where there is such a content.
    pub async fn put_matched_invoices(&mut self, rows: &[InvoiceRow]) -> Result<(), StoreError> {
        let mut values = Vec::with_capacity(rows.len());
        for row in rows {
            let buyer = buyer_text(&row.invoice.buyer);
            let revision = sql::whole(row.revision)?;
            let body = write_invoice(&row.invoice, row.due_at_s);
            let hash = row_hash(self.payer(), buyer, &row.invoice.id, revision, &body);
            values.push(vec![
                self.payer_value(),
                buyer.into(),
                row.invoice.id.as_str().into(),
                revision.into(),
                row.recorded_at_s.into(),
                row.source.name().into(),
                body.into(),
                hash.into(),
            ]);
        }
        let into = "INSERT INTO matched_invoices (payer, buyer, invoice, revision, recorded_at_s, source, body, row_hash)";
        sql::with_rows(self.connection(), into, values, "").await?;
        Ok(())
    }

    /// Adds what was decided of invoices.
    ///
    /// # Errors
    /// [`StoreError::NotThere`] where there is no such order.
    pub async fn put_associations(&mut self, rows: &[DecidedRow]) -> Result<(), StoreError> {
        let mut values = Vec::with_capacity(rows.len());
        for DecidedRow { association: row, invoice_revision, trace } in rows {
            let buyer = buyer_text(&row.buyer);
            let sequence = sql::whole(row.sequence)?;
            let order = row.charged_to.as_ref().map(|to| to.order.to_string());
            let line = row.charged_to.as_ref().map(|to| to.line.to_string());
            let revision = row.charged_to.as_ref().map(|to| sql::whole(to.order_revision)).transpose()?;
            let (used, flags) = (row.used.map(|used| used.to_string()), sql::to_json(&row.flags)?);
            let decided = Decided {
                buyer,
                invoice: &row.invoice,
                sequence,
                recorded_at_s: row.recorded_at_s,
                how: row.how.name(),
                order: order.as_deref(),
                line: line.as_deref(),
                order_revision: revision,
                used: used.as_deref(),
                flags: &flags,
                trace,
                invoice_revision: invoice_revision.map(sql::whole).transpose()?,
            };
            let (hash, invoice_revision) = (decided.hash(self.payer()), decided.invoice_revision);
            values.push(vec![
                self.payer_value(),
                buyer.into(),
                row.invoice.as_str().into(),
                sequence.into(),
                row.recorded_at_s.into(),
                row.recorded_by.as_str().into(),
                row.how.name().into(),
                order.into(),
                line.into(),
                revision.into(),
                used.into(),
                flags.into(),
                row.reason.as_str().into(),
                trace.as_str().into(),
                hash.into(),
                invoice_revision.into(),
            ]);
        }
        let into = "INSERT INTO invoice_associations (payer, buyer, invoice, sequence, recorded_at_s, recorded_by, how, \
             purchase_order, line, order_revision, used, flags, reason, trace, row_hash, invoice_revision)";
        sql::with_rows(self.connection(), into, values, "").await?;
        Ok(())
    }

    /// Adds how invoices are matched from now on.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`] where there is such a revision.
    pub async fn put_matching_settings(
        &mut self,
        settings: &Settings,
        revision: u64,
        recorded_at_s: i64,
        recorded_by: &str,
    ) -> Result<(), StoreError> {
        let values = vec![
            self.payer_value(),
            sql::whole(revision)?.into(),
            recorded_at_s.into(),
            recorded_by.into(),
            settings.write().into(),
        ];
        let into = "INSERT INTO matching_settings (payer, revision, recorded_at_s, recorded_by, body)";
        self.put(into, values, "").await?;
        Ok(())
    }
}
