//! Exports of pro forma lines that somebody has defined, with every version of each, and what was delivered of them.

use crate::database::Store;
use crate::error::StoreError;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use billing::period::BillingPeriod;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use std::collections::{BTreeMap, BTreeSet};

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

    /// The last version of every export of every payer, the deleted ones among them.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn data_exports_of_all(&self) -> Result<Vec<(AccountId, DataExportRow)>, StoreError> {
        exports_of_all(&mut *self.readers().acquire().await?).await
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

    /// What was delivered, or is, of the runs that periods of a payer show: the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn current_executions(&self, payer: &AccountId) -> Result<Vec<ExecutionRow>, StoreError> {
        current_executions(&mut *self.readers().acquire().await?, payer).await
    }

    /// The exports and periods of a payer of which something was delivered, of whichever run.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn delivered_months(
        &self,
        payer: &AccountId,
    ) -> Result<BTreeSet<(String, BillingPeriod)>, StoreError> {
        delivered_months(&mut *self.readers().acquire().await?, payer).await
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

    /// The last version of every export of every payer. Until the change ends nobody else who asks for them this way goes on: what is decided by them, stays so.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn data_exports_of_all(&mut self) -> Result<Vec<(AccountId, DataExportRow)>, StoreError> {
        // Changes nothing, and holds one row, the same for everybody. Whoever has that row wants no other, so that nobody waits for each other.
        let sql = "UPDATE payers SET revision = revision WHERE payer = (SELECT MIN(payer) FROM payers)";
        sqlx::query(sql).execute(self.connection()).await?;
        exports_of_all(self.connection()).await
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

    /// What was delivered, or is, of the runs that periods of the payer show: the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn current_executions(&mut self) -> Result<Vec<ExecutionRow>, StoreError> {
        let payer = self.payer().clone();
        current_executions(self.connection(), &payer).await
    }

    /// The exports and periods of the payer of which something was delivered, of whichever run.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn delivered_months(&mut self) -> Result<BTreeSet<(String, BillingPeriod)>, StoreError> {
        let payer = self.payer().clone();
        delivered_months(self.connection(), &payer).await
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

    /// Removes deliveries that ended before an instant, of runs that no period shows any more: nothing that is due follows from them. Says how many.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn forget_executions(&mut self, before_ms: i64) -> Result<u64, StoreError> {
        let sql = "DELETE FROM export_executions WHERE payer = $1 AND ended_at_ms < $2 AND NOT EXISTS (SELECT 1 FROM current_runs shown \
             WHERE shown.payer = export_executions.payer AND shown.run = export_executions.run)";
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

async fn exports_of_all(
    connection: &mut AnyConnection,
) -> Result<Vec<(AccountId, DataExportRow)>, StoreError> {
    let sql = "SELECT * FROM data_exports WHERE version = (SELECT MAX(later.version) FROM data_exports later \
         WHERE later.payer = data_exports.payer AND later.id = data_exports.id) ORDER BY payer, id";
    let rows = sqlx::query(sql).fetch_all(connection).await?;
    rows.iter().map(|row| Ok((sql::account(row, TABLE, "payer")?, export_row(row)?))).collect()
}

async fn current_executions(
    connection: &mut AnyConnection,
    payer: &AccountId,
) -> Result<Vec<ExecutionRow>, StoreError> {
    let sql = "SELECT * FROM export_executions WHERE payer = $1 AND (ended_at_ms IS NULL OR EXISTS (SELECT 1 FROM current_runs shown \
         WHERE shown.payer = export_executions.payer AND shown.run = export_executions.run)) ORDER BY created_at_ms, id";
    let query = sqlx::query(sql).bind(payer.as_str());
    query.fetch_all(connection).await?.iter().map(execution_row).collect()
}

async fn delivered_months(
    connection: &mut AnyConnection,
    payer: &AccountId,
) -> Result<BTreeSet<(String, BillingPeriod)>, StoreError> {
    let sql = "SELECT DISTINCT export, period FROM export_executions WHERE payer = $1 AND ended_at_ms IS NOT NULL AND problem IS NULL";
    let rows = sqlx::query(sql).bind(payer.as_str()).fetch_all(connection).await?;
    let month = |row| Ok((sql::column(row, "export")?, sql::period(row, EXECUTIONS, "period")?));
    rows.iter().map(month).collect()
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
