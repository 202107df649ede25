//! One change of a payer's rows: all of it, or nothing.

use crate::database::Store;
use crate::error::StoreError;
use crate::payer::Head;
use crate::sql::{self, Value};
use billing::account::AccountId;
use sqlx::{Any, AnyConnection, Transaction};

/// A change of a payer's rows that is being made. [`commit`](Write::commit) keeps it; dropping it leaves nothing.
///
/// After an error the change can only be dropped. Until it ends, nothing else writes to a database of SQLite: whoever has one must not call
/// what writes by itself, such as [`Store::claim_run`], and wait for it. Nor what reads by itself, on PostgreSQL: as many changes as there are
/// connections would each wait for one more. What a change has to know, it reads by its own methods.
#[derive(Debug)]
pub struct Write {
    transaction: Transaction<'static, Any>,
    payer: AccountId,
    /// Where the payer's rows will stand.
    pub(crate) head: Head,
    /// The number of the next resource, once a configuration was saved.
    pub(crate) next_number: Option<i64>,
}

impl Store {
    /// Begins a change of the rows of a payer, as of what the caller has read. Nobody else changes them until it ends.
    ///
    /// # Errors
    /// [`StoreError::Raced`] where they are not what the caller has read, or there is no such payer.
    pub async fn write(&self, payer: &AccountId, at: &Head) -> Result<Write, StoreError> {
        let mut transaction = self.begin_write().await?;
        // Changes nothing, and holds the row: on PostgreSQL another writer waits here, and then finds another revision.
        let sql = "UPDATE payers SET revision = revision \
             WHERE payer = $1 AND revision = $2 AND audit_sequence = $3 AND audit_hash = $4";
        let claimed = sqlx::query(sql)
            .bind(payer.as_str())
            .bind(sql::whole(at.revision)?)
            .bind(sql::whole(at.audit.sequence)?)
            .bind(at.audit.hash.as_str())
            .execute(&mut *transaction)
            .await?;
        match claimed.rows_affected() {
            0 => Err(StoreError::Raced),
            _ => Ok(Write { transaction, payer: payer.clone(), head: at.clone(), next_number: None }),
        }
    }
}

impl Write {
    /// The payer whose rows are changed.
    #[must_use]
    pub const fn payer(&self) -> &AccountId {
        &self.payer
    }

    /// Where the payer's rows will stand: what the next entry of the audit log follows.
    #[must_use]
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// Keeps the change; where the payer's rows stand then.
    ///
    /// # Errors
    /// [`StoreError::OutcomeUnknown`] where the connection was cut, or the disk failed, while it was kept.
    pub async fn commit(mut self) -> Result<Head, StoreError> {
        let sql = "UPDATE payers SET revision = $1, audit_sequence = $2, audit_hash = $3, \
             next_number = COALESCE($4, next_number) WHERE payer = $5";
        sqlx::query(sql)
            .bind(sql::whole(self.head.revision)?)
            .bind(sql::whole(self.head.audit.sequence)?)
            .bind(self.head.audit.hash.as_str())
            .bind(self.next_number)
            .bind(self.payer.as_str())
            .execute(&mut *self.transaction)
            .await?;
        self.transaction.commit().await.map_err(StoreError::of_commit)?;
        Ok(self.head)
    }

    /// The connection that the change is made on.
    pub(crate) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.transaction
    }

    /// Writes one row: `before VALUES (…) after`.
    pub(crate) async fn put(
        &mut self,
        before: &str,
        row: Vec<Value>,
        after: &str,
    ) -> Result<u64, StoreError> {
        sql::with_rows(self.connection(), before, vec![row], after).await
    }

    /// The payer as a value of a row.
    pub(crate) fn payer_value(&self) -> Value {
        self.payer.as_str().into()
    }
}
