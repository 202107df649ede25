//! Snapshots: which cost files a period had.

use crate::database::Store;
use crate::error::StoreError;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use billing::period::BillingPeriod;
use sqlx::any::AnyRow;

const TABLE: &str = "snapshots";

/// The cost files of a period, as they were found once. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRow {
    /// The period.
    pub period: BillingPeriod,
    /// A hash of its files' hashes.
    pub id: String,
    /// The source that had them.
    pub source: String,
    /// When it was found first.
    pub registered_at_ms: i64,
    /// How many lines the files have.
    pub line_count: u64,
    /// The files with their hashes, and what else there is to say, as JSON.
    pub detail: String,
}

impl Store {
    /// A snapshot of a payer.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn snapshot(
        &self,
        payer: &AccountId,
        period: BillingPeriod,
        id: &str,
    ) -> Result<Option<SnapshotRow>, StoreError> {
        let sql = "SELECT period, id, source, registered_at_ms, line_count, detail FROM snapshots \
             WHERE payer = $1 AND period = $2 AND id = $3";
        let query = sqlx::query(sql).bind(payer.as_str()).bind(period.to_string()).bind(id);
        query.fetch_optional(self.readers()).await?.as_ref().map(snapshot_row).transpose()
    }

    /// The snapshots of a payer in a period, or in all of them; by period, then in the order in which they were found.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn snapshots(
        &self,
        payer: &AccountId,
        period: Option<BillingPeriod>,
    ) -> Result<Vec<SnapshotRow>, StoreError> {
        let sql = "SELECT period, id, source, registered_at_ms, line_count, detail FROM snapshots \
             WHERE payer = $1 AND ($2 = '' OR period = $2) ORDER BY period, registered_at_ms, id";
        let period = period.map_or_else(String::new, |period| period.to_string());
        let query = sqlx::query(sql).bind(payer.as_str()).bind(period);
        query.fetch_all(self.readers()).await?.iter().map(snapshot_row).collect()
    }
}

impl Write {
    /// Registers a snapshot; `false` where it is there already, which changes nothing.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn put_snapshot(&mut self, row: SnapshotRow) -> Result<bool, StoreError> {
        let values = vec![
            self.payer_value(),
            row.period.to_string().into(),
            row.id.into(),
            row.source.into(),
            row.registered_at_ms.into(),
            sql::whole(row.line_count)?.into(),
            row.detail.into(),
        ];
        let into = "INSERT INTO snapshots (payer, period, id, source, registered_at_ms, line_count, detail)";
        Ok(self.put(into, values, " ON CONFLICT (payer, period, id) DO NOTHING").await? > 0)
    }
}

fn snapshot_row(row: &AnyRow) -> Result<SnapshotRow, StoreError> {
    Ok(SnapshotRow {
        period: sql::period(row, TABLE, "period")?,
        id: sql::column(row, "id")?,
        source: sql::column(row, "source")?,
        registered_at_ms: sql::column(row, "registered_at_ms")?,
        line_count: sql::count(row, TABLE, "line_count")?,
        detail: sql::column(row, "detail")?,
    })
}
