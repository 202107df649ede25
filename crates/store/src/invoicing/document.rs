//! Documents of which the last version holds: profiles of accounts, preferences of procurement portals. What they say is JSON, and none
//! of the store's business.

use crate::database::Store;
use crate::error::StoreError;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

const TABLE: &str = "invoicing_documents";

/// What a document is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvoicingKind {
    /// The invoice profile of an account; its id is the account.
    Profile,
    /// A preference of a procurement portal.
    PortalPreference,
}

impl InvoicingKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::PortalPreference => "portal-preference",
        }
    }
}

/// A version of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoicingDocument {
    /// Unique among those of the payer and kind.
    pub id: String,
    /// From 1 on without gaps.
    pub version: u64,
    /// When it was recorded, in seconds since 1970-01-01T00:00:00Z.
    pub recorded_at_s: i64,
    /// Whether the document ends with it.
    pub is_deleted: bool,
    /// What it says: JSON.
    pub body: String,
}

impl Store {
    /// The last version of every document of a kind that is not deleted, by id.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn invoicing_documents(
        &self,
        payer: &AccountId,
        kind: InvoicingKind,
    ) -> Result<Vec<InvoicingDocument>, StoreError> {
        let mut rows = documents(&mut *self.readers().acquire().await?, payer, kind, None).await?;
        rows.retain(|row| !row.is_deleted);
        Ok(rows)
    }

    /// The last version of a document; `None` where there is none, or it is deleted.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn invoicing_document(
        &self,
        payer: &AccountId,
        kind: InvoicingKind,
        id: &str,
    ) -> Result<Option<InvoicingDocument>, StoreError> {
        let rows = documents(&mut *self.readers().acquire().await?, payer, kind, Some(id)).await?;
        Ok(rows.into_iter().find(|row| !row.is_deleted))
    }
}

impl Write {
    /// The last version of every document of a kind, the deleted ones among them, by id.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn invoicing_documents(
        &mut self,
        kind: InvoicingKind,
    ) -> Result<Vec<InvoicingDocument>, StoreError> {
        let payer = self.payer().clone();
        documents(self.connection(), &payer, kind, None).await
    }

    /// Keeps versions of documents.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`].
    pub async fn put_invoicing_documents(
        &mut self,
        kind: InvoicingKind,
        documents: Vec<InvoicingDocument>,
    ) -> Result<(), StoreError> {
        let payer = self.payer_value();
        let values = |row: InvoicingDocument| {
            Ok(vec![
                payer.clone(),
                kind.name().into(),
                row.id.into(),
                sql::whole(row.version)?.into(),
                row.recorded_at_s.into(),
                i64::from(row.is_deleted).into(),
                row.body.into(),
            ])
        };
        let rows = documents.into_iter().map(values).collect::<Result<Vec<_>, StoreError>>()?;
        let into =
            "INSERT INTO invoicing_documents (payer, kind, id, version, recorded_at_s, is_deleted, body)";
        sql::with_rows(self.connection(), into, rows, "").await?;
        Ok(())
    }
}

/// The last version of each document of a kind, or of one.
async fn documents(
    connection: &mut AnyConnection,
    payer: &AccountId,
    kind: InvoicingKind,
    id: Option<&str>,
) -> Result<Vec<InvoicingDocument>, StoreError> {
    let sql = "SELECT id, version, recorded_at_s, is_deleted, body FROM invoicing_documents \
         WHERE payer = $1 AND kind = $2 AND ($3 IS NULL OR id = $3) \
         AND version = (SELECT MAX(later.version) FROM invoicing_documents later \
             WHERE later.payer = invoicing_documents.payer AND later.kind = invoicing_documents.kind \
             AND later.id = invoicing_documents.id) \
         ORDER BY id";
    let query = sqlx::query(sql).bind(payer.as_str()).bind(kind.name()).bind(id.map(str::to_owned));
    query.fetch_all(connection).await?.iter().map(document_row).collect()
}

fn document_row(row: &AnyRow) -> Result<InvoicingDocument, StoreError> {
    Ok(InvoicingDocument {
        id: sql::column(row, "id")?,
        version: sql::count(row, TABLE, "version")?,
        recorded_at_s: sql::column(row, "recorded_at_s")?,
        is_deleted: sql::flag(row, "is_deleted")?,
        body: sql::column(row, "body")?,
    })
}
