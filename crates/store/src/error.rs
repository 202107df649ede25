//! Why the store did not do what it was asked.

use std::path::PathBuf;

/// Why the store did not do what it was asked. Unless a variant says otherwise, nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be opened.
    #[error("database `{place}` cannot be opened: {problem}")]
    Open {
        /// The database, without a password.
        place: String,
        /// Why.
        problem: String,
    },
    /// A newer program has migrated the database.
    #[error(
        "the database has schema {database}, this program knows up to {program}; use the program that migrated it, or a newer one"
    )]
    NewerDatabase {
        /// The schema of the database.
        database: u64,
        /// The last schema that this program knows.
        program: u64,
    },
    /// A migration failed; those before it are done.
    #[error("schema {version} could not be reached: {problem}")]
    Migration {
        /// The schema that was not reached.
        version: u64,
        /// Why.
        problem: String,
    },
    /// Somebody else has written since the caller read. Read again, decide again, write again.
    #[error("somebody else has changed the payer's rows in the meantime; read them again")]
    Raced,
    /// A run was claimed by somebody else since; what the caller has made of it does not count.
    #[error("run `{run}` is no more claimed by token {token}")]
    StaleClaim {
        /// The run.
        run: String,
        /// The token that the caller has.
        token: u64,
    },
    /// There already is such a row.
    #[error("there already is such a row: {0}")]
    AlreadyThere(String),
    /// Something that a row names is not there.
    #[error("a row names something that is not there: {0}")]
    NotThere(String),
    /// The connection was cut, or the disk failed, during the commit: it may or may not have happened. The client token tells.
    #[error("whether the change was kept is not known: {0}")]
    OutcomeUnknown(#[source] sqlx::Error),
    /// The database does not answer, or not in time.
    #[error("the database does not answer: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// The disk of the database is full.
    #[error("the disk of the database is full: {0}")]
    Full(#[source] sqlx::Error),
    /// A row is not what the program has written.
    #[error("a row of `{table}` is damaged: {problem}")]
    Damaged {
        /// The table.
        table: &'static str,
        /// Which row, and what is wrong with it.
        problem: String,
    },
    /// What is to be written does not fit the rows that are there.
    #[error("{0}")]
    Unfit(String),
    /// A backup cannot be written or read.
    #[error("backup `{}`: {problem}", path.display())]
    Backup {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// Anything else that the database says.
    #[error("the database refuses: {0}")]
    Database(#[source] sqlx::Error),
}

impl StoreError {
    /// Whether the database is away, or takes nothing: whoever asks again later may get another answer, and nothing is wrong with what is asked.
    #[must_use]
    pub const fn is_away(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::OutcomeUnknown(_) | Self::Full(_))
    }

    /// A row that cannot be read.
    pub(crate) fn damaged(table: &'static str, problem: impl Into<String>) -> Self {
        Self::Damaged { table, problem: problem.into() }
    }

    /// What an error of a commit means.
    pub(crate) fn of_commit(error: sqlx::Error) -> Self {
        match Self::from(error) {
            // A serialization failure, a constraint or a full disk is an answer: the transaction was rolled back.
            known @ (Self::Raced | Self::AlreadyThere(_) | Self::NotThere(_) | Self::Full(_)) => known,
            Self::Unavailable(error) | Self::Database(error) => Self::OutcomeUnknown(error),
            other => other,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        let database = match &error {
            E::Database(database) => database,
            E::Io(_) | E::Tls(_) | E::Protocol(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed => {
                return Self::Unavailable(error);
            }
            _ => return Self::Database(error),
        };
        if database.is_unique_violation() {
            return Self::AlreadyThere(database.message().to_owned());
        }
        if database.is_foreign_key_violation() {
            return Self::NotThere(database.message().to_owned());
        }
        match database.code().as_deref().map_or(Answer::Other, Answer::of) {
            Answer::Raced => Self::Raced,
            Answer::Full => Self::Full(error),
            Answer::Away => Self::Unavailable(error),
            Answer::Other => Self::Database(error),
        }
    }
}

/// What an error code asks for.
enum Answer {
    Raced,
    Full,
    Away,
    Other,
}

impl Answer {
    /// Codes of PostgreSQL have five characters; those of SQLite are numbers below 10,000 whose low byte is the kind.
    fn of(code: &str) -> Self {
        if code.len() < 5 {
            return match code.parse::<u32>().map(|code| code & 0xff) {
                // SQLITE_BUSY, SQLITE_LOCKED
                Ok(5 | 6) => Self::Away,
                // SQLITE_FULL
                Ok(13) => Self::Full,
                _ => Self::Other,
            };
        }
        match code {
            // serialization_failure, deadlock_detected
            "40001" | "40P01" => Self::Raced,
            // disk_full
            "53100" => Self::Full,
            // too_many_connections, admin_shutdown, crash_shutdown, cannot_connect_now
            "53300" | "57P01" | "57P02" | "57P03" => Self::Away,
            // lock_not_available, idle_in_transaction_session_timeout
            "55P03" | "25P03" => Self::Away,
            // connection exceptions
            _ if code.starts_with("08") => Self::Away,
            _ => Self::Other,
        }
    }
}
