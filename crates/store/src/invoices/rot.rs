//! Bit rot: whether what is recorded of issued documents, and of payments, still says what was written, and whether pages that were kept are there.
//!
//! Who has issued a document or recorded a payment, and what a bank says of one, are in no hash: whoever is taken out of the desk's data is taken out of
//! them.

use super::{ISSUED, InvoicePaymentRow, IssuedInvoiceRow, issued_row, payment_row};
use crate::database::Store;
use crate::error::StoreError;
use crate::sql::{self, hash_of};
use billing::account::AccountId;
use futures_util::TryStreamExt;
use sqlx::AssertSqlSafe;

/// How many damaged rows are named.
const NAMED_MAX: usize = 20;

/// The hash over what a document's row says for good, and the page that was kept with it.
pub(super) fn issued_hash(payer: &AccountId, row: &IssuedInvoiceRow, page_sha256: Option<&str>) -> String {
    let parts = [
        payer.to_string(),
        row.number.clone(),
        row.place.to_string(),
        row.series.clone(),
        row.series_count.to_string(),
        row.billing_group.clone(),
        row.period.to_string(),
        row.charged_in.clone(),
        row.issued_on.clone(),
        row.original.clone().unwrap_or_default(),
        row.run.clone(),
        row.residue.clone(),
        row.sha256.clone(),
        row.issued_at_ms.to_string(),
        page_sha256.unwrap_or_default().to_owned(),
    ];
    hash_of(&parts)
}

/// The hash over what a payment's row says for good.
pub(super) fn payment_hash(payer: &AccountId, row: &InvoicePaymentRow) -> String {
    let (number, recorded_at_s) = (row.number.to_string(), row.recorded_at_s.to_string());
    hash_of(&[payer.as_str(), &row.invoice, &number, &row.paid_on, &row.amount, &recorded_at_s])
}

impl Store {
    /// What of a payer's issued documents, their pages and payments is not as it was recorded: a few of them, by name.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn rotten_invoices(&self, payer: &AccountId) -> Result<Vec<String>, StoreError> {
        let mut rotten = self.rotten_issued(payer).await?;
        rotten.extend(self.rotten_payments(payer).await?);
        rotten.truncate(NAMED_MAX);
        Ok(rotten)
    }

    async fn rotten_issued(&self, payer: &AccountId) -> Result<Vec<String>, StoreError> {
        let sql = format!(
            "SELECT {ISSUED}, page_sha256, row_hash, (SELECT p.sha256 FROM issued_pages p WHERE p.payer = issued_invoices.payer \
             AND p.invoice = issued_invoices.number) AS kept_sha256 FROM issued_invoices WHERE payer = $1 ORDER BY place"
        );
        let mut rows = sqlx::query(AssertSqlSafe(sql)).bind(payer.as_str()).fetch(self.readers());
        let mut rotten = Vec::new();
        while let Some(row) = rows.try_next().await? {
            let issued = issued_row(&row)?;
            let some = |name: &str| sql::column::<Option<String>, _>(&row, name);
            let page = some("page_sha256")?;
            // What was issued before this was kept has none.
            let Some(hash) = some("row_hash")? else { continue };
            if issued_hash(payer, &issued, page.as_deref()) != hash {
                rotten.push(format!("what is recorded of document `{}`", issued.number));
            }
            if some("kept_sha256")? != page {
                rotten.push(format!("the page of document `{}`", issued.number));
            }
        }
        Ok(rotten)
    }

    async fn rotten_payments(&self, payer: &AccountId) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT invoice, number, paid_on, amount, reference, recorded_at_s, recorded_by, row_hash FROM invoice_payments \
             WHERE payer = $1 ORDER BY invoice, number";
        let mut rows = sqlx::query(sql).bind(payer.as_str()).fetch(self.readers());
        let mut rotten = Vec::new();
        while let Some(row) = rows.try_next().await? {
            let payment = payment_row(&row)?;
            let hash: Option<String> = sql::column(&row, "row_hash")?;
            if hash.is_some_and(|hash| hash != payment_hash(payer, &payment)) {
                rotten.push(format!("payment {} of invoice `{}`", payment.number, payment.invoice));
            }
        }
        Ok(rotten)
    }
}
