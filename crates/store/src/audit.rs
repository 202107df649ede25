//! The audit log of a payer: entries are only added, each with the hash of the one before.

use crate::database::Store;
use crate::error::StoreError;
use crate::payer::AuditHead;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use sqlx::any::AnyRow;

const TABLE: &str = "audit";

/// An entry of the audit log. How it is hashed is not the store's business; that it follows the one before is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its number, from 1 on without gaps.
    pub sequence: u64,
    /// When it happened.
    pub at_ms: i64,
    /// Who did it.
    pub principal: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub resource: String,
    /// Whether it was allowed.
    pub decision: String,
    /// The request.
    pub request_id: String,
    /// What else there is to say: before, after, why.
    pub detail: String,
    /// The hash of the entry before; empty of the first one.
    pub previous_hash: String,
    /// The hash of this entry.
    pub hash: String,
}

impl Store {
    /// The entries after a number, in order, at most so many.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn audit_page(
        &self,
        payer: &AccountId,
        after_sequence: u64,
        rows_max: usize,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let sql = "SELECT sequence, at_ms, principal, action, resource, decision, request_id, detail, previous_hash, hash \
             FROM audit WHERE payer = $1 AND sequence > $2 ORDER BY sequence LIMIT $3";
        let query = sqlx::query(sql)
            .bind(payer.as_str())
            .bind(sql::whole(after_sequence)?)
            .bind(sql::limit(rows_max));
        query.fetch_all(self.readers()).await?.iter().map(audit_row).collect()
    }
}

impl Write {
    /// Adds entries to the audit log.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] where they do not follow the log's last one, and each other.
    pub async fn audit(&mut self, rows: &[AuditRow]) -> Result<(), StoreError> {
        let mut values = Vec::with_capacity(rows.len());
        for row in rows {
            let last = &self.head.audit;
            if row.sequence != last.sequence + 1 || row.previous_hash != last.hash {
                return Err(StoreError::Unfit(format!(
                    "entry {} of the audit log does not follow entry {}, which is the last one",
                    row.sequence, last.sequence
                )));
            }
            self.head.audit = AuditHead { sequence: row.sequence, hash: row.hash.clone() };
            values.push(vec![
                self.payer_value(),
                sql::whole(row.sequence)?.into(),
                row.at_ms.into(),
                row.principal.as_str().into(),
                row.action.as_str().into(),
                row.resource.as_str().into(),
                row.decision.as_str().into(),
                row.request_id.as_str().into(),
                row.detail.as_str().into(),
                row.previous_hash.as_str().into(),
                row.hash.as_str().into(),
            ]);
        }
        let into = "INSERT INTO audit (payer, sequence, at_ms, principal, action, resource, decision, request_id, \
             detail, previous_hash, hash)";
        sql::with_rows(self.connection(), into, values, "").await?;
        Ok(())
    }
}

fn audit_row(row: &AnyRow) -> Result<AuditRow, StoreError> {
    Ok(AuditRow {
        sequence: sql::count(row, TABLE, "sequence")?,
        at_ms: sql::column(row, "at_ms")?,
        principal: sql::column(row, "principal")?,
        action: sql::column(row, "action")?,
        resource: sql::column(row, "resource")?,
        decision: sql::column(row, "decision")?,
        request_id: sql::column(row, "request_id")?,
        detail: sql::column(row, "detail")?,
        previous_hash: sql::column(row, "previous_hash")?,
        hash: sql::column(row, "hash")?,
    })
}
