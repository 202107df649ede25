//! Where a payer's cost files come from.

use crate::database::Store;
use crate::error::StoreError;
use crate::sql::{self, Value};
use crate::write::Write;
use billing::account::AccountId;
use billing::period::BillingPeriod;
use sqlx::any::AnyRow;

/// A place that cost files are delivered to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRow {
    /// Unique among those of the payer.
    pub id: String,
    /// The folders, files or object-store addresses.
    pub inputs: Vec<String>,
    /// The price list that goes with them.
    pub price_list: Option<String>,
    /// Whether it is looked at from time to time.
    pub is_watched: bool,
    /// Whether the operator has said that its files never change.
    pub is_immutable: bool,
    /// Whether rows that cannot be read are left out.
    pub accepts_rejects: bool,
    /// Only this period of what the place has.
    pub period: Option<BillingPeriod>,
    /// What was found there last, in short.
    pub fingerprint: Option<String>,
    /// When it was looked at last.
    pub checked_at_ms: Option<i64>,
    /// What was wrong then.
    pub problem: Option<String>,
    /// When it was created.
    pub created_at_ms: i64,
    /// Whether a key has registered it, so that it is read below the cost roots of the payer only.
    pub is_confined: bool,
}

impl Store {
    /// The sources of a payer, by id.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn sources(&self, payer: &AccountId) -> Result<Vec<SourceRow>, StoreError> {
        let sql = "SELECT id, inputs, price_list, is_watched, is_immutable, accepts_rejects, period, fingerprint, checked_at_ms, problem, \
             created_at_ms, is_confined FROM sources WHERE payer = $1 ORDER BY id";
        let query = sqlx::query(sql).bind(payer.as_str());
        query.fetch_all(self.readers()).await?.iter().map(source_row).collect()
    }

    /// A source of a payer.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn source(&self, payer: &AccountId, id: &str) -> Result<Option<SourceRow>, StoreError> {
        let sql = "SELECT id, inputs, price_list, is_watched, is_immutable, accepts_rejects, period, fingerprint, checked_at_ms, problem, \
             created_at_ms, is_confined FROM sources WHERE payer = $1 AND id = $2";
        let row = sqlx::query(sql).bind(payer.as_str()).bind(id).fetch_optional(self.readers()).await?;
        row.as_ref().map(source_row).transpose()
    }

    /// Notes what was found at a source; without a fingerprint the last one stays.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn note_source_checked(
        &self,
        payer: &AccountId,
        id: &str,
        found: Result<&str, &str>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE sources SET checked_at_ms = $1, fingerprint = COALESCE($2, fingerprint), problem = $3 \
             WHERE payer = $4 AND id = $5";
        sqlx::query(sql)
            .bind(now_ms)
            .bind(found.ok().map(str::to_owned))
            .bind(found.err().map(str::to_owned))
            .bind(payer.as_str())
            .bind(id)
            .execute(self.writer())
            .await?;
        Ok(())
    }
}

impl Write {
    /// Keeps a source, in place of the one of the same id; when that one was created stays.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn put_source(&mut self, row: SourceRow) -> Result<(), StoreError> {
        let values = vec![
            self.payer_value(),
            row.id.into(),
            sql::to_json(&row.inputs)?.into(),
            row.price_list.into(),
            i64::from(row.is_watched).into(),
            i64::from(row.is_immutable).into(),
            i64::from(row.accepts_rejects).into(),
            row.period.map(|period| period.to_string()).into(),
            row.fingerprint.into(),
            Value::Number(row.checked_at_ms),
            row.problem.into(),
            row.created_at_ms.into(),
            i64::from(row.is_confined).into(),
        ];
        let into = "INSERT INTO sources (payer, id, inputs, price_list, is_watched, is_immutable, accepts_rejects, period, fingerprint, \
             checked_at_ms, problem, created_at_ms, is_confined)";
        let instead = " ON CONFLICT (payer, id) DO UPDATE SET inputs = excluded.inputs, \
             price_list = excluded.price_list, is_watched = excluded.is_watched, is_immutable = excluded.is_immutable, \
             accepts_rejects = excluded.accepts_rejects, period = excluded.period, \
             fingerprint = excluded.fingerprint, checked_at_ms = excluded.checked_at_ms, problem = excluded.problem, \
             is_confined = excluded.is_confined";
        self.put(into, values, instead).await?;
        Ok(())
    }

    /// Removes a source; `false` where the payer has no such source.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn remove_source(&mut self, id: &str) -> Result<bool, StoreError> {
        let query = sqlx::query("DELETE FROM sources WHERE payer = $1 AND id = $2")
            .bind(self.payer().as_str().to_owned())
            .bind(id);
        Ok(query.execute(self.connection()).await?.rows_affected() > 0)
    }
}

fn source_row(row: &AnyRow) -> Result<SourceRow, StoreError> {
    Ok(SourceRow {
        id: sql::column(row, "id")?,
        inputs: sql::json(row, "sources", "inputs")?,
        price_list: sql::column(row, "price_list")?,
        is_watched: sql::flag(row, "is_watched")?,
        is_immutable: sql::flag(row, "is_immutable")?,
        accepts_rejects: sql::flag(row, "accepts_rejects")?,
        period: only_period(row)?,
        fingerprint: sql::column(row, "fingerprint")?,
        checked_at_ms: sql::column(row, "checked_at_ms")?,
        problem: sql::column(row, "problem")?,
        created_at_ms: sql::column(row, "created_at_ms")?,
        is_confined: sql::flag(row, "is_confined")?,
    })
}

fn only_period(row: &AnyRow) -> Result<Option<BillingPeriod>, StoreError> {
    let text: Option<String> = sql::column(row, "period")?;
    let period = text.map(|text| BillingPeriod::parse(&text));
    period.transpose().map_err(|error| StoreError::damaged("sources", error.to_string()))
}
