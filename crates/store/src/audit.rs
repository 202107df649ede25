//! The audit log of a payer: entries are only added, each with the hash of the one before.

use crate::database::Store;
use crate::error::StoreError;
use crate::payer::AuditHead;
use crate::replacement::Replacement;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use futures_util::TryStreamExt;
use sqlx::AnyConnection;
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

impl Store {
    /// On what an action was done, once for each time, in order.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn done_on(&self, payer: &AccountId, action: &str) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT resource FROM audit WHERE payer = $1 AND action = $2 AND decision = 'done' ORDER BY sequence";
        let query = sqlx::query_scalar(sql).bind(payer.as_str()).bind(action);
        Ok(query.fetch_all(self.readers()).await?)
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

impl Write {
    /// Removes the entries from the beginning up to the first one of an instant or later, but never the last one; the number and the hash of the last
    /// entry that was removed, or `None` where none was.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn forget_audit(&mut self, before_ms: i64) -> Result<Option<(u64, String)>, StoreError> {
        let payer = self.payer().as_str().to_owned();
        let last = sql::whole(self.head.audit.sequence)?;
        let sql = "SELECT sequence, hash FROM audit WHERE payer = $1 AND sequence < $2 AND sequence < COALESCE(\
             (SELECT MIN(sequence) FROM audit later WHERE later.payer = $1 AND later.at_ms >= $3), $2) \
             ORDER BY sequence DESC LIMIT 1";
        let query = sqlx::query(sql).bind(payer.clone()).bind(last).bind(before_ms);
        let Some(row) = query.fetch_optional(self.connection()).await? else { return Ok(None) };
        let through: i64 = sql::column(&row, "sequence")?;
        let query = sqlx::query("DELETE FROM audit WHERE payer = $1 AND sequence <= $2").bind(payer);
        query.bind(through).execute(self.connection()).await?;
        Ok(Some((sql::count(&row, TABLE, "sequence")?, sql::column(&row, "hash")?)))
    }
}

/// The entries that name somebody, each as it is and as it is without the name.
pub(crate) async fn named(
    connection: &mut AnyConnection,
    payer: &AccountId,
    names: &Replacement,
) -> Result<Vec<(AuditRow, AuditRow)>, StoreError> {
    let sql = "SELECT sequence, at_ms, principal, action, resource, decision, request_id, detail, previous_hash, hash \
         FROM audit WHERE payer = $1 ORDER BY sequence";
    let mut rows = sqlx::query(sql).bind(payer.as_str().to_owned()).fetch(connection);
    let mut found = Vec::new();
    while let Some(row) = rows.try_next().await? {
        let row = audit_row(&row)?;
        let without = |text: &String| names.of(text).unwrap_or_else(|| text.clone());
        let redacted = AuditRow {
            principal: without(&row.principal),
            resource: without(&row.resource),
            // What was asked for is JSON, or a text that quotes some.
            detail: names.of_json(&row.detail, &["**"]).unwrap_or_else(|| row.detail.clone()),
            ..row.clone()
        };
        if redacted != row {
            found.push((row, redacted));
        }
    }
    Ok(found)
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
