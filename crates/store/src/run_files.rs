//! The files of runs: which are needed for good, which only for a while, and which are no more.
//!
//! A run is never removed. Its files may be, where no period shows it, no closed period is sealed with it and no adjustment was made by it: the
//! statement that says so is the one that looks, so that nothing that is shown can lose its files.

use crate::database::Store;
use crate::error::StoreError;
use crate::run::{DoneRun, run_row};
use crate::sql;
use billing::account::AccountId;
use billing::period::BillingPeriod;
use std::collections::BTreeSet;

const TABLE: &str = "runs";
/// Where a period shows a run, is sealed with it, or was adjusted by it.
const NEEDED: &str = "(EXISTS (SELECT 1 FROM current_runs shown WHERE shown.payer = runs.payer AND shown.run = runs.id) \
     OR EXISTS (SELECT 1 FROM closes WHERE closes.payer = runs.payer AND closes.run = runs.id) \
     OR EXISTS (SELECT 1 FROM adjustments made WHERE made.payer = runs.payer AND made.run = runs.id))";

/// A run whose files are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFiles {
    /// The run.
    pub run: String,
    /// Its period.
    pub period: BillingPeriod,
    /// What it has made.
    pub done: DoneRun,
    /// Whether its files must stay: a period shows it or is sealed with it, or an adjustment is from it.
    pub is_needed: bool,
}

impl Store {
    /// The runs of a payer that have made something whose files were not removed: by period, of each the latest first.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn runs_with_files(&self, payer: &AccountId) -> Result<Vec<RunFiles>, StoreError> {
        let sql = format!(
            "SELECT runs.*, CASE WHEN {NEEDED} THEN 'yes' ELSE 'no' END AS is_needed FROM runs \
             WHERE payer = $1 AND state = 'done' AND files_removed_at_ms IS NULL \
             ORDER BY period, finished_at_ms DESC, created_at_ms DESC, id DESC"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(payer.as_str());
        let mut found = Vec::new();
        for row in query.fetch_all(self.readers()).await? {
            let run = run_row(&row)?;
            let Some(done) = run.done().cloned() else {
                return Err(StoreError::damaged(
                    TABLE,
                    format!("run `{}` is done without a result", run.asked.id),
                ));
            };
            let is_needed: String = sql::column(&row, "is_needed")?;
            found.push(RunFiles {
                run: run.asked.id,
                period: run.asked.period,
                done,
                is_needed: is_needed == "yes",
            });
        }
        Ok(found)
    }

    /// The runs of a payer that somebody has begun, whether or not the claim still holds: their folders may be about to be named.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn begun_runs(&self, payer: &AccountId) -> Result<BTreeSet<String>, StoreError> {
        let query = sqlx::query_scalar("SELECT id FROM runs WHERE payer = $1 AND state = 'running'");
        Ok(query.bind(payer.as_str()).fetch_all(self.readers()).await?.into_iter().collect())
    }

    /// Notes that the files of a run are removed, if nothing needs them; `false` where something does, or they were removed before.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn note_files_removed(
        &self,
        payer: &AccountId,
        run: &str,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let sql = format!(
            "UPDATE runs SET files_removed_at_ms = $1 \
             WHERE payer = $2 AND id = $3 AND state = 'done' AND files_removed_at_ms IS NULL AND NOT {NEEDED}"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(now_ms).bind(payer.as_str()).bind(run);
        Ok(query.execute(self.writer()).await?.rows_affected() == 1)
    }

    /// How many runs of a payer have lost their files.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn runs_without_files(&self, payer: &AccountId) -> Result<u64, StoreError> {
        let sql = "SELECT COUNT(*) FROM runs WHERE payer = $1 AND files_removed_at_ms IS NOT NULL";
        let count: i64 = sqlx::query_scalar(sql).bind(payer.as_str()).fetch_one(self.readers()).await?;
        Ok(u64::try_from(count).unwrap_or_default())
    }
}
