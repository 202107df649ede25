//! The schema, step by step: forward only, each step in a transaction of its own.

use crate::database::Store;
use crate::error::StoreError;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, Connection as _, Executor, SqlSafeStr as _};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// A step: the name of its file, and its text. The macro of sqlx does the same, and would have both databases built twice for it.
macro_rules! step {
    ($name:literal) => {
        ($name, include_str!(concat!("../migrations/", $name, ".sql")))
    };
}

/// The files of steps, each named by its number and what it brings. A text that was released never changes.
const FILES: [(&str, &str); 15] = [
    step!("0001_control_plane"),
    step!("0002_run_files"),
    step!("0003_confined_sources"),
    step!("0004_purchase_orders"),
    step!("0005_invoicing"),
    step!("0006_outbox"),
    step!("0007_invoices"),
    step!("0008_decided_contents"),
    step!("0009_unsure_messages"),
    step!("0010_issued_pages"),
    step!("0011_hashed_documents"),
    step!("0012_billing_views"),
    step!("0013_data_exports"),
    step!("0014_budgets"),
    step!("0015_cost_categories"),
];

/// Every step that this program knows.
static STEPS: LazyLock<Migrator> = LazyLock::new(|| {
    let step = |(name, text): (&'static str, &'static str)| {
        let (version, description) = name.split_once('_').unwrap_or((name, ""));
        let (version, description) = (version.parse().unwrap_or_default(), description.replace('_', " "));
        Migration::new(version, description.into(), MigrationType::Simple, text.into_sql_str(), false)
    };
    Migrator::with_migrations(FILES.map(step).to_vec())
});

/// From which schema to which a database was migrated; 0 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// The schema that was found.
    pub from: u64,
    /// The schema that there is now.
    pub to: u64,
}

impl Store {
    /// The schema that this program writes.
    #[must_use]
    pub fn program_schema() -> u64 {
        STEPS.iter().map(|step| number(step.version)).max().unwrap_or_default()
    }

    /// The schema of the database; 0 where it has none.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn schema_version(&self) -> Result<u64, StoreError> {
        if !self.tables().await?.iter().any(|table| table == STEPS.table_name.as_ref()) {
            return Ok(0);
        }
        let sql = "SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations WHERE success";
        let version: i64 = sqlx::query_scalar(sql).fetch_one(self.readers()).await?;
        Ok(number(version))
    }

    /// What the steps made in a file of SQLite and the file does not say any more, by name. PostgreSQL looks after its own.
    ///
    /// Rows are read by the columns that the program knows; a column whose name or type has rotted is read by nobody.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn changed_schema(&self) -> Result<Vec<String>, StoreError> {
        if !self.is_file() {
            return Ok(Vec::new());
        }
        let version = i64::try_from(self.schema_version().await?).unwrap_or(i64::MAX);
        let mut fresh = AnyConnection::connect("sqlite::memory:").await?;
        STEPS.run_to(version, &mut fresh).await.map_err(sqlx::Error::from)?;
        let found: BTreeSet<_> = schema(self.readers()).await?.into_iter().collect();
        let made = schema(&mut fresh).await?;
        let changed = made.into_iter().filter(|part| !found.contains(part));
        Ok(changed.map(|(name, _)| format!("the schema's {name} is not as it was made")).collect())
    }

    /// Brings the schema of the database to that of the program.
    ///
    /// # Errors
    /// [`StoreError::NewerDatabase`], [`StoreError::Migration`].
    pub async fn migrate(&self) -> Result<Migrated, StoreError> {
        self.migrate_to(Self::program_schema()).await
    }

    /// Brings the schema to one that the program knows.
    pub(crate) async fn migrate_to(&self, target: u64) -> Result<Migrated, StoreError> {
        self.migrate_by(&STEPS, target).await
    }

    /// Takes the steps of a list up to a schema.
    async fn migrate_by(&self, steps: &Migrator, target: u64) -> Result<Migrated, StoreError> {
        let from = self.schema_version().await?;
        let program = steps.iter().map(|step| number(step.version)).max().unwrap_or_default();
        if from > program {
            return Err(StoreError::NewerDatabase { database: from, program });
        }
        let last = i64::try_from(target).unwrap_or(i64::MAX);
        let mut connection = self.patient().await?;
        let migrated = steps.run_to(last, &mut connection).await;
        // What was migrated is kept, whether or not the connection says goodbye.
        let _ = connection.close().await;
        migrated.map_err(|error| match error {
            MigrateError::ExecuteMigration(error, version) => {
                StoreError::Migration { version: number(version), problem: error.to_string() }
            }
            MigrateError::VersionMismatch(version) => StoreError::Migration {
                version: number(version),
                problem: "the database was migrated by another text of this step; use the program that did"
                    .to_owned(),
            },
            other => StoreError::Migration { version: from + 1, problem: other.to_string() },
        })?;
        Ok(Migrated { from, to: self.schema_version().await? })
    }
}

/// What a database of SQLite says of its tables and indexes: each one's name, and everything of it. Rotten text need not be UTF-8.
async fn schema(
    database: impl Executor<'_, Database = sqlx::Any>,
) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    let sql = "SELECT CAST(type || ' ' || name AS BLOB), CAST(tbl_name || ' ' || COALESCE(sql, '') AS BLOB) FROM sqlite_master";
    let parts: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(sql).fetch_all(database).await?;
    Ok(parts.into_iter().map(|(name, text)| (String::from_utf8_lossy(&name).into_owned(), text)).collect())
}

fn number(version: i64) -> u64 {
    u64::try_from(version).unwrap_or_default()
}

#[cfg(test)]
mod tests;
