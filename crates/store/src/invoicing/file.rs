//! Files that belong to an invoice: where their bytes are is the data directory's business.

use crate::database::Store;
use crate::error::StoreError;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

const TABLE: &str = "invoice_files";

/// A file of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceFileRow {
    /// The invoice.
    pub invoice_id: String,
    /// `INVOICE`, or the type of a supplemental document by its name in the API.
    pub kind: String,
    /// Which of its kind; empty of the invoice itself.
    pub document_id: String,
    /// From 1 on without gaps.
    pub version: u64,
    /// Of its bytes, in hexadecimal.
    pub sha256: String,
    /// How many bytes it has.
    pub size_bytes: u64,
    /// Such as `application/pdf`.
    pub media_type: String,
    /// When it was attached, in seconds since 1970-01-01T00:00:00Z.
    pub attached_at_s: i64,
    /// By whom.
    pub attached_by: String,
}

impl Store {
    /// The files that hold of an invoice: the invoice itself first, the others by kind and id.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn invoice_files(
        &self,
        payer: &AccountId,
        invoice_id: &str,
    ) -> Result<Vec<InvoiceFileRow>, StoreError> {
        let rows = files(&mut *self.readers().acquire().await?, payer, Some(invoice_id)).await?;
        let (of_invoice, others): (Vec<_>, _) = rows.into_iter().partition(|row| row.kind == "INVOICE");
        Ok(of_invoice.into_iter().chain(others).collect())
    }

    /// Every file of a payer that holds.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn all_invoice_files(&self, payer: &AccountId) -> Result<Vec<InvoiceFileRow>, StoreError> {
        files(&mut *self.readers().acquire().await?, payer, None).await
    }
}

impl Write {
    /// The files that hold of an invoice of the payer.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn invoice_files(&mut self, invoice_id: &str) -> Result<Vec<InvoiceFileRow>, StoreError> {
        let payer = self.payer().clone();
        files(self.connection(), &payer, Some(invoice_id)).await
    }

    /// Keeps a file of an invoice.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`].
    pub async fn put_invoice_file(&mut self, row: InvoiceFileRow) -> Result<(), StoreError> {
        let values = vec![
            self.payer_value(),
            row.invoice_id.into(),
            row.kind.into(),
            row.document_id.into(),
            sql::whole(row.version)?.into(),
            row.sha256.into(),
            sql::whole(row.size_bytes)?.into(),
            row.media_type.into(),
            row.attached_at_s.into(),
            row.attached_by.into(),
        ];
        let into = "INSERT INTO invoice_files (payer, invoice_id, kind, document_id, version, sha256, size_bytes, media_type, \
             attached_at_s, attached_by)";
        self.put(into, values, "").await?;
        Ok(())
    }
}

/// The last version of each file of an invoice, or of all.
async fn files(
    connection: &mut AnyConnection,
    payer: &AccountId,
    invoice_id: Option<&str>,
) -> Result<Vec<InvoiceFileRow>, StoreError> {
    let sql = "SELECT invoice_id, kind, document_id, version, sha256, size_bytes, media_type, attached_at_s, attached_by \
         FROM invoice_files WHERE payer = $1 AND ($2 IS NULL OR invoice_id = $2) \
         AND version = (SELECT MAX(later.version) FROM invoice_files later \
             WHERE later.payer = invoice_files.payer AND later.invoice_id = invoice_files.invoice_id \
             AND later.kind = invoice_files.kind AND later.document_id = invoice_files.document_id) \
         ORDER BY invoice_id, kind, document_id";
    let query = sqlx::query(sql).bind(payer.as_str()).bind(invoice_id.map(str::to_owned));
    query.fetch_all(connection).await?.iter().map(file_row).collect()
}

fn file_row(row: &AnyRow) -> Result<InvoiceFileRow, StoreError> {
    Ok(InvoiceFileRow {
        invoice_id: sql::column(row, "invoice_id")?,
        kind: sql::column(row, "kind")?,
        document_id: sql::column(row, "document_id")?,
        version: sql::count(row, TABLE, "version")?,
        sha256: sql::column(row, "sha256")?,
        size_bytes: sql::count(row, TABLE, "size_bytes")?,
        media_type: sql::column(row, "media_type")?,
        attached_at_s: sql::column(row, "attached_at_s")?,
        attached_by: sql::column(row, "attached_by")?,
    })
}
