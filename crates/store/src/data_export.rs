//! Exports of pro forma lines that somebody has defined, with every version of each, and what was delivered of them.

use crate::database::Store;
use crate::error::StoreError;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use billing::period::BillingPeriod;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

const TABLE: &str = "data_exports";
const EXECUTIONS: &str = "export_executions";

/// A version of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataExportRow {
    /// The last part of its ARN.
    pub id: String,
    /// From 1 on without gaps.
    pub version: u64,
    /// The version that what is delivered follows from.
    pub definition: u64,
    /// When it was recorded, in seconds since 1970-01-01T00:00:00Z.
    pub recorded_at_s: i64,
    /// When the export was made.
    pub created_at_s: i64,
    /// Whether the export ends with it.
    pub is_deleted: bool,
    /// Whether it is a report of `cur`.
    pub is_report: bool,
    /// What it is called.
    pub name: String,
    /// What is to be delivered, as JSON.
    pub body: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// A version of an export of a payer that has a place: what is defined now, or was, with something put to where that says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedExport {
    /// The payer.
    pub payer: AccountId,
    /// The version.
    pub row: DataExportRow,
    /// Whether it is here for what was put: the export may deliver elsewhere by now, or not be there any more.
    pub has_put: bool,
}

/// A delivery of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionRow {
    /// The export.
    pub export: String,
    /// Unique among those of the export.
    pub id: String,
    /// The version of the export that it follows from.
    pub definition: u64,
    /// The period.
    pub period: BillingPeriod,
    /// The run whose lines are delivered.
    pub run: String,
    /// How far it is, as the API calls that.
    pub status: String,
    /// Why it has failed, as the API calls that.
    pub reason: Option<String>,
    /// Why it has failed, in words.
    pub problem: Option<String>,
    /// What was to be delivered, as JSON.
    pub body: String,
    /// When it was begun, in milliseconds since 1970-01-01T00:00:00Z.
    pub created_at_ms: i64,
    /// When something was said of it last.
    pub updated_at_ms: i64,
    /// When it ended; `None` while somebody works on it.
    pub ended_at_ms: Option<i64>,
    /// Until when whoever works on it has it.
    pub claim_expires_at_ms: Option<i64>,
}

impl Store {
    /// The last version of every export of a payer, the deleted ones among them, by id.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn data_exports(&self, payer: &AccountId) -> Result<Vec<DataExportRow>, StoreError> {
        exports(&mut *self.readers().acquire().await?, payer).await
    }

    /// What every payer's exports deliver to, or have.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn placed_exports_of_all(&self) -> Result<Vec<PlacedExport>, StoreError> {
        placed_exports_of_all(&mut *self.readers().acquire().await?).await
    }

    /// The deliveries of an export, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn executions(&self, payer: &AccountId, export: &str) -> Result<Vec<ExecutionRow>, StoreError> {
        let sql = "SELECT * FROM export_executions WHERE payer = $1 AND export = $2 ORDER BY created_at_ms DESC, id DESC";
        let query = sqlx::query(sql).bind(payer.as_str()).bind(export.to_owned());
        query.fetch_all(self.readers()).await?.iter().map(execution_row).collect()
    }

    /// What was delivered, or is, of the runs that periods of a payer show; and of each month of each export, of whichever runs, what was delivered well last and all that ended since: the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn current_executions(&self, payer: &AccountId) -> Result<Vec<ExecutionRow>, StoreError> {
        current_executions(&mut *self.readers().acquire().await?, payer).await
    }

    /// Says until when whoever works on a delivery has it; `false` where it has ended, or was given to somebody else.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn extend_execution(
        &self,
        payer: &AccountId,
        (export, id): (&str, &str),
        until_ms: i64,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE export_executions SET claim_expires_at_ms = $1 \
             WHERE payer = $2 AND export = $3 AND id = $4 AND ended_at_ms IS NULL";
        let query = sqlx::query(sql).bind(until_ms).bind(payer.as_str()).bind(export.to_owned());
        Ok(query.bind(id.to_owned()).execute(self.writer()).await?.rows_affected() == 1)
    }
}

impl Write {
    /// The last version of every export of the payer, the deleted ones among them, by id.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn data_exports(&mut self) -> Result<Vec<DataExportRow>, StoreError> {
        let payer = self.payer().clone();
        exports(self.connection(), &payer).await
    }

    /// What every payer's exports deliver to, or have. Until the change ends nobody else who asks for it this way goes on: what is decided by it, stays so.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn placed_exports_of_all(&mut self) -> Result<Vec<PlacedExport>, StoreError> {
        // Changes nothing, and holds one row, the same for everybody. Whoever has that row wants no other, so that nobody waits for each other.
        let sql = "UPDATE payers SET revision = revision WHERE payer = (SELECT MIN(payer) FROM payers)";
        sqlx::query(sql).execute(self.connection()).await?;
        placed_exports_of_all(self.connection()).await
    }

    /// Keeps a version of an export.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`].
    pub async fn put_data_export(&mut self, row: DataExportRow) -> Result<(), StoreError> {
        let values = vec![
            self.payer_value(),
            row.id.into(),
            sql::whole(row.version)?.into(),
            sql::whole(row.definition)?.into(),
            row.recorded_at_s.into(),
            row.created_at_s.into(),
            i64::from(row.is_deleted).into(),
            kind(row.is_report).into(),
            row.name.into(),
            row.body.into(),
            sql::to_json(&row.tags)?.into(),
        ];
        let into = "INSERT INTO data_exports (payer, id, version, definition, recorded_at_s, created_at_s, is_deleted, kind, name, body, tags)";
        self.put(into, values, "").await?;
        Ok(())
    }

    /// What was delivered, or is, of the runs that periods of the payer show; and of each month of each export, of whichever runs, what was delivered well last and all that ended since: the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn current_executions(&mut self) -> Result<Vec<ExecutionRow>, StoreError> {
        let payer = self.payer().clone();
        current_executions(self.connection(), &payer).await
    }

    /// Keeps a delivery, in place of what was said of it before; one that has ended stays as it is.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn put_execution(&mut self, row: &ExecutionRow) -> Result<bool, StoreError> {
        let values = vec![
            self.payer_value(),
            row.export.as_str().into(),
            row.id.as_str().into(),
            sql::whole(row.definition)?.into(),
            row.period.to_string().into(),
            row.run.as_str().into(),
            row.status.as_str().into(),
            row.reason.clone().into(),
            row.problem.clone().into(),
            row.body.as_str().into(),
            row.created_at_ms.into(),
            row.updated_at_ms.into(),
            row.ended_at_ms.into(),
            row.claim_expires_at_ms.into(),
        ];
        let into = "INSERT INTO export_executions (payer, export, id, definition, period, run, status, reason, problem, body, \
             created_at_ms, updated_at_ms, ended_at_ms, claim_expires_at_ms)";
        let instead = " ON CONFLICT (payer, export, id) DO UPDATE SET status = excluded.status, reason = excluded.reason, \
             problem = excluded.problem, updated_at_ms = excluded.updated_at_ms, ended_at_ms = excluded.ended_at_ms, \
             claim_expires_at_ms = excluded.claim_expires_at_ms WHERE export_executions.ended_at_ms IS NULL";
        Ok(self.put(into, values, instead).await? == 1)
    }

    /// Removes deliveries that ended before an instant, of runs that no period shows any more. Of each month of each definition the last one that went well stays: what is due follows from it, and whose the
    /// place is that it lies in. Says how many.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn forget_executions(&mut self, before_ms: i64) -> Result<u64, StoreError> {
        let sql = "DELETE FROM export_executions WHERE payer = $1 AND ended_at_ms < $2 AND NOT EXISTS (SELECT 1 FROM current_runs shown \
             WHERE shown.payer = export_executions.payer AND shown.run = export_executions.run) \
             AND (problem IS NOT NULL OR EXISTS (SELECT 1 FROM export_executions later WHERE later.payer = export_executions.payer \
             AND later.export = export_executions.export AND later.period = export_executions.period AND later.definition = export_executions.definition \
             AND later.problem IS NULL AND (later.ended_at_ms > export_executions.ended_at_ms \
             OR (later.ended_at_ms = export_executions.ended_at_ms AND later.id > export_executions.id))))";
        let query = sqlx::query(sql).bind(self.payer().as_str().to_owned()).bind(before_ms);
        Ok(query.execute(self.connection()).await?.rows_affected())
    }
}

const fn kind(is_report: bool) -> &'static str {
    if is_report { "report" } else { "export" }
}

async fn exports(
    connection: &mut AnyConnection,
    payer: &AccountId,
) -> Result<Vec<DataExportRow>, StoreError> {
    let sql = "SELECT * FROM data_exports WHERE payer = $1 AND version = (SELECT MAX(later.version) FROM data_exports later \
         WHERE later.payer = data_exports.payer AND later.id = data_exports.id) ORDER BY id";
    let query = sqlx::query(sql).bind(payer.as_str());
    query.fetch_all(connection).await?.iter().map(export_row).collect()
}

async fn placed_exports_of_all(connection: &mut AnyConnection) -> Result<Vec<PlacedExport>, StoreError> {
    let there = "SELECT * FROM data_exports WHERE is_deleted = 0 AND version = (SELECT MAX(later.version) FROM data_exports later \
         WHERE later.payer = data_exports.payer AND later.id = data_exports.id) ORDER BY payer, id";
    // What was about to be put may have been.
    let put = "SELECT * FROM data_exports WHERE EXISTS (SELECT 1 FROM export_executions put WHERE put.payer = data_exports.payer \
         AND put.export = data_exports.id AND put.definition = data_exports.version AND put.status LIKE 'DELIVERY_%') ORDER BY payer, id, version";
    let mut all = Vec::new();
    for (sql, has_put) in [(there, false), (put, true)] {
        for row in &sqlx::query(sql).fetch_all(&mut *connection).await? {
            all.push(PlacedExport {
                payer: sql::account(row, TABLE, "payer")?,
                row: export_row(row)?,
                has_put,
            });
        }
    }
    Ok(all)
}

async fn current_executions(
    connection: &mut AnyConnection,
    payer: &AccountId,
) -> Result<Vec<ExecutionRow>, StoreError> {
    let sql = "SELECT one.* FROM export_executions one LEFT JOIN (SELECT export, period, MAX(ended_at_ms) AS at_ms FROM export_executions \
         WHERE payer = $1 AND problem IS NULL GROUP BY export, period) well ON well.export = one.export AND well.period = one.period \
         WHERE one.payer = $2 AND (one.ended_at_ms IS NULL OR one.ended_at_ms >= well.at_ms OR EXISTS (SELECT 1 FROM current_runs shown \
         WHERE shown.payer = one.payer AND shown.run = one.run)) ORDER BY one.created_at_ms, one.id";
    let query = sqlx::query(sql).bind(payer.as_str()).bind(payer.as_str());
    query.fetch_all(connection).await?.iter().map(execution_row).collect()
}

fn export_row(row: &AnyRow) -> Result<DataExportRow, StoreError> {
    let of: String = sql::column(row, "kind")?;
    Ok(DataExportRow {
        id: sql::column(row, "id")?,
        version: sql::count(row, TABLE, "version")?,
        definition: sql::count(row, TABLE, "definition")?,
        recorded_at_s: sql::column(row, "recorded_at_s")?,
        created_at_s: sql::column(row, "created_at_s")?,
        is_deleted: sql::flag(row, "is_deleted")?,
        is_report: of == kind(true),
        name: sql::column(row, "name")?,
        body: sql::column(row, "body")?,
        tags: sql::json(row, TABLE, "tags")?,
    })
}

fn execution_row(row: &AnyRow) -> Result<ExecutionRow, StoreError> {
    Ok(ExecutionRow {
        export: sql::column(row, "export")?,
        id: sql::column(row, "id")?,
        definition: sql::count(row, EXECUTIONS, "definition")?,
        period: sql::period(row, EXECUTIONS, "period")?,
        run: sql::column(row, "run")?,
        status: sql::column(row, "status")?,
        reason: sql::column(row, "reason")?,
        problem: sql::column(row, "problem")?,
        body: sql::column(row, "body")?,
        created_at_ms: sql::column(row, "created_at_ms")?,
        updated_at_ms: sql::column(row, "updated_at_ms")?,
        ended_at_ms: sql::column(row, "ended_at_ms")?,
        claim_expires_at_ms: sql::column(row, "claim_expires_at_ms")?,
    })
}
