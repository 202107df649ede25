//! Runs: what is to be made of a snapshot, who is making it, what came of it, and which one a period shows.
//!
//! A run is claimed for a while. Whoever claims it gets a token that is larger than every one before; a worker that was away until its claim
//! had passed to somebody else has an old one, and what it has made is refused.

use crate::database::Store;
use crate::error::StoreError;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use billing::period::BillingPeriod;
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{Any, Executor};
use std::collections::BTreeMap;

const TABLE: &str = "runs";

/// Where a run was asked for after another one of its period.
const LATER: &str = "later.payer = runs.payer AND later.period = runs.period \
     AND (later.created_at_ms > runs.created_at_ms OR (later.created_at_ms = runs.created_at_ms AND later.id > runs.id))";

/// How often a claim looks again when others are quicker.
const CLAIM_ATTEMPTS_MAX: usize = 64;

/// A run that is to be queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// Unique among those of the payer.
    pub id: String,
    /// The period.
    pub period: BillingPeriod,
    /// The source whose cost files are to be read; `None` prices the month of the last run again.
    pub reads: Option<String>,
    /// When it was asked for.
    pub created_at_ms: i64,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// What was asked for.
    pub asked: NewRun,
    /// How far it is.
    pub state: RunState,
    /// When its files were removed, where they were: nothing has shown it any more for a while.
    pub files_removed_at_ms: Option<i64>,
}

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunState {
    /// Nobody has begun it.
    Queued,
    /// Somebody has claimed it.
    Running {
        /// When it was claimed.
        started_at_ms: i64,
        /// Until when the claim holds.
        claim_expires_at_ms: i64,
    },
    /// It has ended.
    Ended {
        /// When it was claimed.
        started_at_ms: i64,
        /// When it ended.
        finished_at_ms: i64,
        /// What came of it.
        outcome: Outcome,
    },
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Results.
    Done(Box<DoneRun>),
    /// None.
    Failed {
        /// Why.
        error: String,
        /// What else the operator should know.
        warnings: Vec<String>,
    },
    /// Nothing that matters had changed since the run that the period shows.
    Unchanged,
}

/// What a run has made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoneRun {
    /// The identity of the set of cost files.
    pub snapshot: String,
    /// The source that they are of.
    pub source: String,
    /// The hash of the book.
    pub book_hash: String,
    /// The revision of the configuration that the book was made of.
    pub configuration_revision: u64,
    /// How many cost lines there are.
    pub line_count: u64,
    /// Where the results are in the data plane: a path in the data directory.
    pub folder: String,
    /// The hash over all of its files.
    pub manifest: String,
    /// The billing groups of the results: their ids by the names that they have there.
    pub groups: BTreeMap<String, String>,
    /// What the operator should know.
    pub warnings: Vec<String>,
}

impl RunRow {
    /// What the run has made; `None` where it has made nothing, or not yet.
    #[must_use]
    pub fn done(&self) -> Option<&DoneRun> {
        match &self.state {
            RunState::Ended { outcome: Outcome::Done(done), .. } => Some(done),
            _ => None,
        }
    }
}

/// A run that the caller is to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The run.
    pub run: RunRow,
    /// What proves that the caller has it.
    pub token: u64,
}

/// Which run a period shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentRun {
    /// The period.
    pub period: BillingPeriod,
    /// The run.
    pub run: String,
    /// Since when.
    pub set_at_ms: i64,
}

impl Store {
    /// A run of a payer.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn run(&self, payer: &AccountId, id: &str) -> Result<Option<RunRow>, StoreError> {
        let query = sqlx::query("SELECT * FROM runs WHERE payer = $1 AND id = $2");
        let row = query.bind(payer.as_str()).bind(id).fetch_optional(self.readers()).await?;
        row.as_ref().map(run_row).transpose()
    }

    /// The runs of a payer in a period, or in all of them, from the latest on, at most so many; `before` is the last run of the page before.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn runs_page(
        &self,
        payer: &AccountId,
        period: Option<BillingPeriod>,
        before: Option<&NewRun>,
        rows_max: usize,
    ) -> Result<Vec<RunRow>, StoreError> {
        let sql = "SELECT * FROM runs WHERE payer = $1 AND ($2 = '' OR period = $2) \
             AND (created_at_ms < $3 OR (created_at_ms = $3 AND id < $4)) \
             ORDER BY created_at_ms DESC, id DESC LIMIT $5";
        let query = sqlx::query(sql)
            .bind(payer.as_str())
            .bind(period.map_or_else(String::new, |period| period.to_string()))
            .bind(before.map_or(i64::MAX, |run| run.created_at_ms))
            .bind(before.map_or("", |run| run.id.as_str()))
            .bind(sql::limit(rows_max));
        query.fetch_all(self.readers()).await?.iter().map(run_row).collect()
    }

    /// The runs of a payer that are still to end: those that nobody has begun, and those that somebody has.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn runs_to_come(&self, payer: &AccountId) -> Result<Vec<RunRow>, StoreError> {
        runs_to_come(self.readers(), payer).await
    }

    /// Of each period of a payer whose last run has failed, as far as its runs have ended, that run; by period.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn failed_runs(&self, payer: &AccountId) -> Result<Vec<RunRow>, StoreError> {
        failed_runs(self.readers(), payer).await
    }

    /// Claims the first run of a payer that nobody has begun, or whose claim has passed; `None` where there is nothing to do.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn claim_run(
        &self,
        payer: &AccountId,
        now_ms: i64,
        lease_ms: i64,
    ) -> Result<Option<Claim>, StoreError> {
        // One run of a period at a time: of two, the one that knows less might end last.
        let free = "(state = 'queued' OR (state = 'running' AND claim_expires_at_ms <= $2)) AND NOT EXISTS (\
             SELECT 1 FROM runs busy WHERE busy.payer = runs.payer AND busy.period = runs.period AND busy.id <> runs.id \
             AND busy.state = 'running' AND busy.claim_expires_at_ms > $2)";
        let first = format!(
            "SELECT id FROM runs WHERE payer = $1 AND state IN ('queued', 'running') AND {free} \
             ORDER BY created_at_ms, id LIMIT 1"
        );
        let claim = format!(
            "UPDATE runs SET state = 'running', claim_token = claim_token + 1, claim_expires_at_ms = $4, \
             started_at_ms = $2 WHERE payer = $1 AND id = $3 AND {free} RETURNING *"
        );
        for _ in 0..CLAIM_ATTEMPTS_MAX {
            let query =
                sqlx::query_scalar(sqlx::AssertSqlSafe(first.as_str())).bind(payer.as_str()).bind(now_ms);
            let found: Option<String> = query.fetch_optional(self.readers()).await?;
            let Some(id) = found else { return Ok(None) };
            let query = sqlx::query(sqlx::AssertSqlSafe(claim.as_str()))
                .bind(payer.as_str())
                .bind(now_ms)
                .bind(id)
                .bind(now_ms.saturating_add(lease_ms));
            // To the end of the answer: SQLite commits after the row, and only the end says whether it could.
            let claimed = query.fetch_all(self.writer()).await?;
            // Nothing is claimed where somebody else was quicker with this run: there may be another one.
            if let Some(row) = claimed.first() {
                let token = sql::count(row, TABLE, "claim_token")?;
                return Ok(Some(Claim { run: run_row(row)?, token }));
            }
        }
        Ok(None)
    }

    /// Claims a run for longer.
    ///
    /// # Errors
    /// [`StoreError::StaleClaim`].
    pub async fn extend_claim(
        &self,
        payer: &AccountId,
        run: &str,
        token: u64,
        expires_at_ms: i64,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE runs SET claim_expires_at_ms = $1 \
             WHERE payer = $2 AND id = $3 AND claim_token = $4 AND state = 'running'";
        let query = sqlx::query(sql).bind(expires_at_ms).bind(payer.as_str()).bind(run);
        let done = query.bind(sql::whole(token)?).execute(self.writer()).await?;
        still_claimed(done.rows_affected(), run, token)
    }

    /// Lets every claim pass: for a program that knows that nobody else works on the database.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn release_claims(&self, now_ms: i64) -> Result<u64, StoreError> {
        let sql =
            "UPDATE runs SET claim_expires_at_ms = $1 WHERE state = 'running' AND claim_expires_at_ms > $1";
        Ok(sqlx::query(sql).bind(now_ms).execute(self.writer()).await?.rows_affected())
    }

    /// The run that each period of a payer shows, by period.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn current_runs(&self, payer: &AccountId) -> Result<Vec<CurrentRun>, StoreError> {
        current_runs(self.readers(), payer).await
    }

    /// The run that a period of a payer shows.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn current_run(
        &self,
        payer: &AccountId,
        period: BillingPeriod,
    ) -> Result<Option<CurrentRun>, StoreError> {
        let query =
            sqlx::query("SELECT period, run, set_at_ms FROM current_runs WHERE payer = $1 AND period = $2");
        let row = query.bind(payer.as_str()).bind(period.to_string()).fetch_optional(self.readers()).await?;
        row.as_ref().map(current_run).transpose()
    }
}

async fn runs_to_come(
    on: impl Executor<'_, Database = Any>,
    payer: &AccountId,
) -> Result<Vec<RunRow>, StoreError> {
    let sql =
        "SELECT * FROM runs WHERE payer = $1 AND state IN ('queued', 'running') ORDER BY created_at_ms, id";
    sqlx::query(sql).bind(payer.as_str()).fetch_all(on).await?.iter().map(run_row).collect()
}

async fn failed_runs(
    on: impl Executor<'_, Database = Any>,
    payer: &AccountId,
) -> Result<Vec<RunRow>, StoreError> {
    let sql = format!(
        "SELECT * FROM runs WHERE payer = $1 AND state = 'failed' AND NOT EXISTS (SELECT 1 FROM runs later \
         WHERE {LATER} AND later.state IN ('done', 'unchanged', 'failed')) ORDER BY period"
    );
    let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(payer.as_str());
    query.fetch_all(on).await?.iter().map(run_row).collect()
}

async fn current_runs(
    on: impl Executor<'_, Database = Any>,
    payer: &AccountId,
) -> Result<Vec<CurrentRun>, StoreError> {
    let sql = "SELECT period, run, set_at_ms FROM current_runs WHERE payer = $1 ORDER BY period";
    sqlx::query(sql).bind(payer.as_str()).fetch_all(on).await?.iter().map(current_run).collect()
}

impl Write {
    /// The run that each period of the payer shows, by period, until the change ends.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn current_runs(&mut self) -> Result<Vec<CurrentRun>, StoreError> {
        let payer = self.payer().clone();
        current_runs(self.connection(), &payer).await
    }

    /// The runs of the payer that are still to end, until the change ends.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn runs_to_come(&mut self) -> Result<Vec<RunRow>, StoreError> {
        let payer = self.payer().clone();
        runs_to_come(self.connection(), &payer).await
    }

    /// Of each period whose last run has failed, as far as its runs have ended, that run, until the change ends.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn failed_runs(&mut self) -> Result<Vec<RunRow>, StoreError> {
        let payer = self.payer().clone();
        failed_runs(self.connection(), &payer).await
    }

    /// Of each period in which the last cost files that were to be read could not be, the run that says so: none of its period was made
    /// later, or is still to read files, and its source is still registered.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn failed_readings(&mut self) -> Result<Vec<RunRow>, StoreError> {
        let sql = format!(
            "SELECT * FROM runs WHERE payer = $1 AND state = 'failed' AND reads IS NOT NULL \
             AND EXISTS (SELECT 1 FROM sources WHERE sources.payer = runs.payer AND sources.id = runs.reads) \
             AND NOT EXISTS (SELECT 1 FROM runs later WHERE {LATER} AND (later.reads IS NOT NULL OR later.state = 'done')) \
             ORDER BY period"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(self.payer().as_str().to_owned());
        query.fetch_all(self.connection()).await?.iter().map(run_row).collect()
    }

    /// Queues a run. What is queued of a period is one run: one that is to read files takes the place of one that is not.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn queue_run(&mut self, run: NewRun) -> Result<(), StoreError> {
        let values = vec![
            self.payer_value(),
            run.id.into(),
            run.period.to_string().into(),
            run.reads.into(),
            "queued".into(),
            "[]".into(),
            run.created_at_ms.into(),
            0.into(),
        ];
        let into = "INSERT INTO runs (payer, id, period, reads, state, warnings, created_at_ms, claim_token)";
        let instead = " ON CONFLICT (payer, period) WHERE state = 'queued' \
             DO UPDATE SET reads = COALESCE(excluded.reads, runs.reads)";
        self.put(into, values, instead).await?;
        Ok(())
    }

    /// Ends a run that the caller has claimed. What is queued behind one that could not read its files is to read them.
    ///
    /// # Errors
    /// [`StoreError::StaleClaim`] where somebody else has claimed it since, or it has ended.
    pub async fn finish_run(
        &mut self,
        run: &str,
        token: u64,
        outcome: &Outcome,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let (state, result, warnings, error) = match outcome {
            Outcome::Done(done) => ("done", Some(sql::to_json(done)?), &done.warnings, None),
            Outcome::Failed { error, warnings } => ("failed", None, warnings, Some(error)),
            Outcome::Unchanged => ("unchanged", None, &Vec::new(), None),
        };
        let sql = "UPDATE runs SET state = $1, result = $2, warnings = $3, error = $4, finished_at_ms = $5, \
             claim_expires_at_ms = NULL WHERE payer = $6 AND id = $7 AND claim_token = $8 AND state = 'running'";
        let query = sqlx::query(sql)
            .bind(state)
            .bind(result)
            .bind(sql::to_json(warnings)?)
            .bind(error.cloned())
            .bind(now_ms)
            .bind(self.payer().as_str().to_owned())
            .bind(run)
            .bind(sql::whole(token)?);
        let done = query.execute(self.connection()).await?;
        still_claimed(done.rows_affected(), run, token)?;
        if matches!(outcome, Outcome::Failed { .. }) {
            let sql = "UPDATE runs SET reads = (SELECT sources.id FROM runs ended JOIN sources \
                 ON sources.payer = ended.payer AND sources.id = ended.reads WHERE ended.payer = $1 AND ended.id = $2) \
                 WHERE payer = $1 AND state = 'queued' AND reads IS NULL \
                 AND period = (SELECT ended.period FROM runs ended WHERE ended.payer = $1 AND ended.id = $2)";
            let query = sqlx::query(sql).bind(self.payer().as_str().to_owned()).bind(run);
            query.execute(self.connection()).await?;
        }
        Ok(())
    }

    /// Shows a run in its period.
    ///
    /// # Errors
    /// [`StoreError::NotThere`] where the payer has no such run in the period.
    pub async fn set_current_run(&mut self, current: CurrentRun) -> Result<(), StoreError> {
        let values = vec![
            self.payer_value(),
            current.period.to_string().into(),
            current.run.into(),
            current.set_at_ms.into(),
        ];
        let into = "INSERT INTO current_runs (payer, period, run, set_at_ms)";
        let instead =
            " ON CONFLICT (payer, period) DO UPDATE SET run = excluded.run, set_at_ms = excluded.set_at_ms";
        self.put(into, values, instead).await?;
        Ok(())
    }
}

fn still_claimed(rows: u64, run: &str, token: u64) -> Result<(), StoreError> {
    if rows == 0 {
        return Err(StoreError::StaleClaim { run: run.to_owned(), token });
    }
    Ok(())
}

pub(crate) fn run_row(row: &AnyRow) -> Result<RunRow, StoreError> {
    let asked = NewRun {
        id: sql::column(row, "id")?,
        period: sql::period(row, TABLE, "period")?,
        reads: sql::column(row, "reads")?,
        created_at_ms: sql::column(row, "created_at_ms")?,
    };
    let state = run_state(row, &asked.id)?;
    let files_removed_at_ms = sql::column(row, "files_removed_at_ms")?;
    Ok(RunRow { asked, state, files_removed_at_ms })
}

fn run_state(row: &AnyRow, id: &str) -> Result<RunState, StoreError> {
    let damaged = |problem: &str| StoreError::damaged(TABLE, format!("run `{id}` {problem}"));
    let instant = |name: &str| {
        let at_ms: Option<i64> = sql::column(row, name)?;
        at_ms.ok_or_else(|| damaged(&format!("has no `{name}`")))
    };
    let said = |name: &str| {
        let text: Option<String> = sql::column(row, name)?;
        text.ok_or_else(|| damaged(&format!("has no `{name}`")))
    };
    let state: String = sql::column(row, "state")?;
    let outcome = match state.as_str() {
        "queued" => return Ok(RunState::Queued),
        "running" => {
            return Ok(RunState::Running {
                started_at_ms: instant("started_at_ms")?,
                claim_expires_at_ms: instant("claim_expires_at_ms")?,
            });
        }
        "done" => Outcome::Done(Box::new(sql::json(row, TABLE, "result")?)),
        "unchanged" => Outcome::Unchanged,
        "failed" => Outcome::Failed { error: said("error")?, warnings: sql::json(row, TABLE, "warnings")? },
        other => return Err(damaged(&format!("is `{other}`"))),
    };
    Ok(RunState::Ended {
        started_at_ms: instant("started_at_ms")?,
        finished_at_ms: instant("finished_at_ms")?,
        outcome,
    })
}

fn current_run(row: &AnyRow) -> Result<CurrentRun, StoreError> {
    Ok(CurrentRun {
        period: sql::period(row, "current_runs", "period")?,
        run: sql::column(row, "run")?,
        set_at_ms: sql::column(row, "set_at_ms")?,
    })
}
