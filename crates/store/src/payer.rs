//! The payers, and where each one's rows stand.

use crate::database::Store;
use crate::error::StoreError;
use crate::sql;
use billing::account::AccountId;
use sqlx::any::AnyRow;

/// Where a payer's audit log ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditHead {
    /// The number of the last entry; 0 where there is none.
    pub sequence: u64,
    /// Its hash; empty where there is none.
    pub hash: String,
}

/// Where a payer's rows stand: what a write must say it has read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// How often the configuration was saved.
    pub revision: u64,
    /// Where the audit log ends.
    pub audit: AuditHead,
}

/// A payer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayerRow {
    /// The account.
    pub payer: AccountId,
    /// When it was created.
    pub created_at_ms: i64,
    /// Where its rows stand.
    pub head: Head,
}

const TABLE: &str = "payers";

impl Store {
    /// Every payer, by account.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn payers(&self) -> Result<Vec<PayerRow>, StoreError> {
        let sql =
            "SELECT payer, created_at_ms, revision, audit_sequence, audit_hash FROM payers ORDER BY payer";
        sqlx::query(sql).fetch_all(self.readers()).await?.iter().map(payer_row).collect()
    }

    /// One payer; `None` where there is none of that account.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn payer(&self, payer: &AccountId) -> Result<Option<PayerRow>, StoreError> {
        let sql =
            "SELECT payer, created_at_ms, revision, audit_sequence, audit_hash FROM payers WHERE payer = $1";
        let row = sqlx::query(sql).bind(payer.as_str()).fetch_optional(self.readers()).await?;
        row.as_ref().map(payer_row).transpose()
    }

    /// Where a payer's rows stand; `None` where there is no such payer. One row is read.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn head(&self, payer: &AccountId) -> Result<Option<Head>, StoreError> {
        Ok(self.payer(payer).await?.map(|row| row.head))
    }

    /// How often a payer's configuration was saved; `None` where there is no such payer. One row is read.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn revision(&self, payer: &AccountId) -> Result<Option<u64>, StoreError> {
        Ok(self.head(payer).await?.map(|head| head.revision))
    }

    /// Creates a payer who has configured nothing.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`].
    pub async fn create_payer(&self, payer: &AccountId, now_ms: i64) -> Result<PayerRow, StoreError> {
        let sql = "INSERT INTO payers (payer, created_at_ms, revision, next_number, audit_sequence, audit_hash) \
             VALUES ($1, $2, 0, 1, 0, '')";
        sqlx::query(sql).bind(payer.as_str()).bind(now_ms).execute(self.writer()).await?;
        Ok(PayerRow { payer: payer.clone(), created_at_ms: now_ms, head: Head::default() })
    }
}

fn payer_row(row: &AnyRow) -> Result<PayerRow, StoreError> {
    let payer = sql::account(row, TABLE, "payer")?;
    Ok(PayerRow { payer, created_at_ms: sql::column(row, "created_at_ms")?, head: head_of(row)? })
}

/// Where a row of `payers` stands.
pub(crate) fn head_of(row: &AnyRow) -> Result<Head, StoreError> {
    let audit = AuditHead {
        sequence: sql::count(row, TABLE, "audit_sequence")?,
        hash: sql::column(row, "audit_hash")?,
    };
    Ok(Head { revision: sql::count(row, TABLE, "revision")?, audit })
}
