//! The connections to the database, and how the two engines begin a transaction.

use crate::error::StoreError;
use crate::place::Place;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{Any, AnyConnection, AnyPool, Connection, Executor, Transaction};
use std::str::FromStr;
use std::time::Duration;

/// How long a caller waits for a connection, or for the one that writes to SQLite.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// After how long a connection to PostgreSQL is made anew.
const IDLE_MAX: Duration = Duration::from_secs(600);
/// How many connections read a file of SQLite at once.
const SQLITE_READERS_MAX: u32 = 4;
/// How many connections one process has to PostgreSQL.
const POSTGRES_CONNECTIONS_MAX: u32 = 10;

/// What a connection to SQLite is told first. With `synchronous=NORMAL` a power loss takes back commits that were acknowledged.
const SQLITE_PRAGMAS: &str = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA foreign_keys = ON;";

/// What a connection to PostgreSQL is told first: whoever wants rows that somebody holds is told so instead of waiting for good, and whoever holds
/// some and stands still loses them.
const POSTGRES_SETTINGS: &str = "SELECT set_config('lock_timeout', '10s', false), \
     set_config('idle_in_transaction_session_timeout', '60s', false)";
/// What one that migrates is told: whoever comes at the same time waits until the other one has, however long that takes.
const POSTGRES_PATIENCE: &str = "SELECT set_config('lock_timeout', '0', false)";

/// The two engines; what they do not share is told apart in this file only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// A database. A clone is another handle of the same one.
#[derive(Debug, Clone)]
pub struct Store {
    engine: Engine,
    readers: AnyPool,
    /// SQLite has one writer: callers wait for its one connection in the order in which they came.
    writer: AnyPool,
}

impl Store {
    /// Connects to a database, and makes the file of SQLite where there is none. Does not migrate.
    ///
    /// # Errors
    /// [`StoreError::Open`].
    pub async fn open(place: &Place) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let failed = |problem: String| StoreError::Open { place: place.to_string(), problem };
        let options =
            AnyConnectOptions::from_str(&place.url()?).map_err(|error| failed(error.to_string()))?;
        // A pool would ask again and again for as long as a caller may wait; whoever opens wants to know now.
        let mut first =
            AnyConnection::connect_with(&options).await.map_err(|error| failed(error.to_string()))?;
        if matches!(place, Place::Sqlite(_)) {
            // SQLite opens any file; only who reads from it is told that it is no database, or a damaged one.
            let read = first.execute("PRAGMA busy_timeout = 10000; SELECT COUNT(*) FROM sqlite_master").await;
            read.map_err(|error| failed(error.to_string()))?;
        }
        first.close().await.map_err(|error| failed(error.to_string()))?;
        let (engine, readers_max) = match place {
            Place::Sqlite(_) => (Engine::Sqlite, SQLITE_READERS_MAX),
            Place::Postgres(_) => (Engine::Postgres, POSTGRES_CONNECTIONS_MAX),
        };
        let idle_max = (engine == Engine::Postgres).then_some(IDLE_MAX);
        // The first connection turns the file to WAL, before others ask for it at once.
        let connect = async |connections_max| {
            AnyPoolOptions::new()
                .max_connections(connections_max)
                .acquire_timeout(WAIT_MAX)
                // While a database of SQLite is in use it is open, and its log is there: a process that is killed is told by that.
                .idle_timeout(idle_max)
                .max_lifetime(idle_max)
                .after_connect(move |connection, _| Box::pin(begin_session(engine, connection)))
                .after_release(move |connection, _| Box::pin(is_of_use(engine, connection)))
                .connect_with(options.clone())
                .await
                .map_err(|error| failed(error.to_string()))
        };
        let (writer, readers) = match engine {
            Engine::Sqlite => (connect(1).await?, connect(readers_max).await?),
            Engine::Postgres => {
                let pool = connect(readers_max).await?;
                (pool.clone(), pool)
            }
        };
        let store = Self { engine, readers, writer };
        store.check_encoding().await.map_err(failed)?;
        Ok(store)
    }

    /// Text is UTF-8; another encoding of PostgreSQL refuses some of it, years later.
    async fn check_encoding(&self) -> Result<(), String> {
        if self.engine == Engine::Sqlite {
            return Ok(());
        }
        let asked = sqlx::query_scalar("SELECT current_setting('server_encoding')");
        let encoding: String = asked.fetch_one(&self.readers).await.map_err(|error| error.to_string())?;
        match encoding.as_str() {
            "UTF8" => Ok(()),
            other => Err(format!("its encoding is {other}; create the database with ENCODING 'UTF8'")),
        }
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.readers).await?;
        Ok(())
    }

    /// What SQLite finds wrong with its file, page by page. PostgreSQL looks after its own.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn broken_pages(&self) -> Result<Vec<String>, StoreError> {
        if !self.is_file() {
            return Ok(Vec::new());
        }
        let found: Vec<String> =
            sqlx::query_scalar("PRAGMA integrity_check(20)").fetch_all(&self.readers).await?;
        Ok(found.into_iter().filter(|line| line != "ok").collect())
    }

    /// The tables of SQLite's file with rows that are of something which is not there, such as of no payer: nobody reads those. PostgreSQL looks after its own.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn lost_rows(&self) -> Result<Vec<String>, StoreError> {
        if !self.is_file() {
            return Ok(Vec::new());
        }
        let sql = "SELECT \"table\" || ' has rows of `' || parent || '` that are not there: ' || COUNT(*) \
             FROM pragma_foreign_key_check GROUP BY \"table\", parent";
        Ok(sqlx::query_scalar(sql).fetch_all(&self.readers).await?)
    }

    /// Whether the database is a file that nobody else looks after.
    pub(crate) fn is_file(&self) -> bool {
        self.engine == Engine::Sqlite
    }

    /// Closes every connection, once those that are in use are given back.
    pub async fn close(&self) {
        self.writer.close().await;
        self.readers.close().await;
    }

    /// The connections for single reads.
    pub(crate) const fn readers(&self) -> &AnyPool {
        &self.readers
    }

    /// The connections for single writes.
    pub(crate) const fn writer(&self) -> &AnyPool {
        &self.writer
    }

    /// Begins a transaction that writes. Dropping it takes everything back.
    pub(crate) async fn begin_write(&self) -> Result<Transaction<'static, Any>, StoreError> {
        let statement = match self.engine {
            // A deferred transaction that turns to writing fails where another process has written since.
            Engine::Sqlite => "BEGIN IMMEDIATE",
            Engine::Postgres => "BEGIN",
        };
        Ok(self.writer.begin_with(statement).await?)
    }

    /// Begins a transaction whose reads all see the same moment.
    pub(crate) async fn begin_read(&self) -> Result<Transaction<'static, Any>, StoreError> {
        let statement = match self.engine {
            Engine::Sqlite => "BEGIN",
            Engine::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        Ok(self.readers.begin_with(statement).await?)
    }

    /// A connection that waits for whoever holds what it wants. It is no use for anything but migrating: close it then.
    pub(crate) async fn patient(&self) -> Result<AnyConnection, StoreError> {
        let mut connection = self.writer.acquire().await?.detach();
        if self.engine == Engine::Postgres {
            connection.execute(POSTGRES_PATIENCE).await?;
        }
        Ok(connection)
    }

    /// The tables that there are.
    pub(crate) async fn tables(&self) -> Result<Vec<String>, StoreError> {
        let sql = match self.engine {
            Engine::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table'",
            Engine::Postgres => {
                "SELECT CAST(tablename AS TEXT) FROM pg_catalog.pg_tables WHERE schemaname = current_schema()"
            }
        };
        Ok(sqlx::query_scalar(sql).fetch_all(&self.readers).await?)
    }
}

/// `$first, …`, so many of them.
pub(crate) fn placeholders(first: usize, count: usize) -> String {
    (first..first + count).map(|number| format!("${number}")).collect::<Vec<_>>().join(",")
}

/// The placeholders of a statement that has them in the order of its values and nowhere twice, from a number on. SQLite takes `$1` for a
/// name, and looks each one up among all of them; `?` is the next one.
pub(crate) fn placeholders_in_order(connection: &AnyConnection, first: usize, count: usize) -> String {
    match connection.backend_name() {
        "SQLite" => vec!["?"; count].join(","),
        _ => placeholders(first, count),
    }
}

async fn begin_session(engine: Engine, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let settings = match engine {
        Engine::Sqlite => SQLITE_PRAGMAS,
        Engine::Postgres => POSTGRES_SETTINGS,
    };
    connection.execute(settings).await?;
    Ok(())
}

/// Whether a connection that is given back can be used again.
///
/// Where a commit fails, SQLite has rolled back by itself; the driver rolls back once more, is told that there is nothing to roll back, and
/// takes the transaction for one that goes on. The one connection that writes would refuse everything until the program ends.
async fn is_of_use(engine: Engine, connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    if engine == Engine::Sqlite {
        // What was dropped is rolled back before the answer.
        connection.ping().await?;
        return Ok(!connection.is_in_transaction());
    }
    Ok(true)
}
