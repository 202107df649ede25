//! A copy of every row as text, the same whatever the engine: what a backup is, and how a database moves from one engine to the other.
//!
//! A file of lines. The first one says what it is, the last one how many rows there are and the SHA-256 of every line before; each other line
//! is a row, as a JSON list after the name of its table. A copy is made at one moment while others write, and put back into an empty database.

mod tables;

use crate::database::Store;
use crate::error::StoreError;
use crate::sql::{self, Value};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use tables::{TABLES, TableShape, Type};

/// How many rows are put back in one statement.
const ROWS_MAX: usize = 500;

/// How much was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The schema of the rows.
    pub schema: u64,
    /// How many rows.
    pub rows: u64,
    /// The SHA-256 of the rows, in hexadecimal.
    pub sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct First {
    proforma_backup: u64,
    schema: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Last {
    rows: u64,
    sha256: String,
}

/// The form of the file.
const FORM: u64 = 1;

impl Store {
    /// Copies every row to a file: complete under its name, or not there.
    ///
    /// # Errors
    /// [`StoreError::Backup`] where the file cannot be written, or the database has another schema than the program.
    pub async fn backup(&self, to: &Path) -> Result<Copied, StoreError> {
        let failed = |problem: String| StoreError::Backup { path: to.to_owned(), problem };
        let schema = self.schema_version().await?;
        if schema != Self::program_schema() {
            return Err(failed(format!(
                "the database has schema {schema}, this program copies schema {}; migrate it first",
                Self::program_schema()
            )));
        }
        let mut partial = to.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let io = |error: std::io::Error| failed(error.to_string());
        let mut lines = Lines { file: BufWriter::new(create(&partial).map_err(io)?), hash: Sha256::new() };
        let mut transaction = self.begin_read().await?;
        let mut rows = 0;
        lines.add(&sql::to_json(&First { proforma_backup: FORM, schema })?).map_err(io)?;
        for table in TABLES {
            let sql = format!(
                "SELECT {} FROM {} ORDER BY {}",
                table.column_list(schema),
                table.name,
                table.key.join(", ")
            );
            let mut found = sqlx::query(AssertSqlSafe(sql)).fetch(&mut *transaction);
            while let Some(row) = found.try_next().await? {
                lines.add(&line_of(table, &row)?).map_err(io)?;
                rows += 1;
            }
        }
        transaction.commit().await?;
        let sha256 = sql::to_hex(&lines.hash.clone().finalize());
        lines.add(&sql::to_json(&Last { rows, sha256: sha256.clone() })?).map_err(io)?;
        let file = lines.file.into_inner().map_err(|error| io(error.into_error()))?;
        let target = to.to_owned();
        tokio::task::spawn_blocking(move || publish(&file, &partial, &target))
            .await
            .map_err(|error| failed(error.to_string()))?
            .map_err(io)?;
        Ok(Copied { schema, rows, sha256 })
    }

    /// Puts a copy back into an empty database: all of it, or nothing. An older copy is put back by its schema, and migrated then.
    ///
    /// # Errors
    /// [`StoreError::Backup`] where the file is not whole, or the database has rows; [`StoreError::NewerDatabase`] of a newer copy.
    pub async fn restore(&self, from: &Path) -> Result<Copied, StoreError> {
        let failed = |problem: String| StoreError::Backup { path: from.to_owned(), problem };
        let copied = check(from)?;
        if copied.schema > Self::program_schema() {
            return Err(StoreError::NewerDatabase {
                database: copied.schema,
                program: Self::program_schema(),
            });
        }
        let there = self.schema_version().await?;
        if there > copied.schema {
            return Err(failed(format!(
                "it has schema {}, the database {there} already; put it back into a database without tables",
                copied.schema
            )));
        }
        self.migrate_to(copied.schema).await?;
        // An older schema does not have all of them yet.
        let tables = self.tables().await?;
        let mut transaction = self.begin_write().await?;
        for table in TABLES.iter().filter(|table| tables.iter().any(|name| name == table.name)) {
            let sql = format!("SELECT 1 FROM {} LIMIT 1", table.name);
            if sqlx::query(AssertSqlSafe(sql)).fetch_optional(&mut *transaction).await?.is_some() {
                return Err(failed(format!("`{}` has rows; put it back into an empty database", table.name)));
            }
        }
        let mut pending: Option<(&TableShape, Vec<Vec<Value>>)> = None;
        for line in lines_of(from)?.skip(1) {
            let line = line.map_err(|error| failed(error.to_string()))?;
            if !line.starts_with('[') {
                break;
            }
            let (table, row) = row_of(&line, copied.schema).map_err(failed)?;
            match &mut pending {
                Some((of, rows)) if of.name == table.name && rows.len() < ROWS_MAX => rows.push(row),
                _ => {
                    flush(&mut transaction, pending.take(), copied.schema).await?;
                    pending = Some((table, vec![row]));
                }
            }
        }
        flush(&mut transaction, pending, copied.schema).await?;
        transaction.commit().await.map_err(StoreError::of_commit)?;
        self.migrate().await?;
        Ok(copied)
    }
}

impl Store {
    /// The tables of the program's schema that cannot be read: one that nothing else is read of would be missed by whoever looks at rows. None of a
    /// database of another schema, which has other tables.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn unreadable_tables(&self) -> Result<Vec<String>, StoreError> {
        let schema = self.schema_version().await?;
        let mut unreadable = Vec::new();
        if schema != Self::program_schema() {
            return Ok(unreadable);
        }
        for table in TABLES {
            let sql = format!("SELECT {} FROM {} LIMIT 1", table.column_list(schema), table.name);
            if let Err(error) = sqlx::query(AssertSqlSafe(sql)).fetch_optional(self.readers()).await {
                unreadable.push(format!("table `{}` cannot be read: {error}", table.name));
            }
        }
        Ok(unreadable)
    }
}

async fn flush(
    transaction: &mut Transaction<'static, Any>,
    rows: Option<(&TableShape, Vec<Vec<Value>>)>,
    schema: u64,
) -> Result<(), StoreError> {
    let Some((table, rows)) = rows else { return Ok(()) };
    let into = format!("INSERT INTO {} ({})", table.name, table.column_list(schema));
    sql::with_rows(&mut *transaction, &into, rows, "").await?;
    Ok(())
}

/// A file that is written line by line, with the hash of its lines.
struct Lines {
    file: BufWriter<File>,
    hash: Sha256,
}

impl Lines {
    fn add(&mut self, line: &str) -> std::io::Result<()> {
        let line = format!("{line}\n");
        self.hash.update(&line);
        self.file.write_all(line.as_bytes())
    }
}

/// A file that only its owner reads: it has hashes of passwords, and sealed secrets.
fn create(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Gives a file that is whole its name, for good.
fn publish(file: &File, partial: &Path, target: &Path) -> std::io::Result<()> {
    file.sync_all()?;
    std::fs::rename(partial, target)?;
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

fn lines_of(path: &Path) -> Result<impl Iterator<Item = std::io::Result<String>>, StoreError> {
    let file = File::open(path)
        .map_err(|error| StoreError::Backup { path: path.to_owned(), problem: error.to_string() })?;
    Ok(BufReader::new(file).lines())
}

/// Reads a whole file against the hash in its last line.
fn check(path: &Path) -> Result<Copied, StoreError> {
    let failed = |problem: String| StoreError::Backup { path: path.to_owned(), problem };
    let mut lines = lines_of(path)?;
    let first = lines.next().transpose().map_err(|error| failed(error.to_string()))?.unwrap_or_default();
    let First { proforma_backup, schema } =
        serde_json::from_str(&first).map_err(|_| failed("it is no backup".to_owned()))?;
    if proforma_backup != FORM {
        return Err(failed(format!("it has form {proforma_backup}, this program reads form {FORM}")));
    }
    let mut hash = Sha256::new_with_prefix(format!("{first}\n"));
    let mut rows = 0;
    while let Some(line) = lines.next().transpose().map_err(|error| failed(error.to_string()))? {
        if line.starts_with('[') {
            hash.update(format!("{line}\n"));
            rows += 1;
            continue;
        }
        let last: Last = serde_json::from_str(&line).map_err(|_| failed("it is damaged".to_owned()))?;
        let sha256 = sql::to_hex(&hash.finalize());
        if last.sha256 != sha256 || last.rows != rows || lines.next().is_some() {
            return Err(failed("it is damaged: its rows do not have the hash that it names".to_owned()));
        }
        return Ok(Copied { schema, rows, sha256 });
    }
    Err(failed("it is cut off: its last line is missing".to_owned()))
}

fn line_of(table: &TableShape, row: &AnyRow) -> Result<String, StoreError> {
    let mut values = vec![serde_json::Value::from(table.name)];
    for (place, (_, kind)) in table.columns.iter().enumerate() {
        values.push(match kind {
            Type::Text => sql::column::<Option<String>, _>(row, place)?.into(),
            Type::Number => sql::column::<Option<i64>, _>(row, place)?.into(),
        });
    }
    sql::to_json(&values)
}

fn row_of(line: &str, schema: u64) -> Result<(&'static TableShape, Vec<Value>), String> {
    let values: Vec<serde_json::Value> = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let mut values = values.into_iter();
    let name = values.next().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default();
    let table = TABLES.iter().find(|table| table.name == name);
    let table = table.ok_or_else(|| format!("this program knows no table `{name}`"))?;
    let columns = table.columns_in(schema);
    if values.len() != columns.len() {
        return Err(format!("a row of `{name}` has {} columns", values.len()));
    }
    let value = |((column, kind), value): (&(&str, Type), serde_json::Value)| match (kind, value) {
        (Type::Text, serde_json::Value::Null) => Ok(Value::Text(None)),
        (Type::Number, serde_json::Value::Null) => Ok(Value::Number(None)),
        (Type::Text, serde_json::Value::String(text)) => Ok(text.into()),
        (Type::Number, serde_json::Value::Number(number)) if number.is_i64() => Ok(number.as_i64().into()),
        (_, value) => Err(format!("`{name}.{column}` is {value}")),
    };
    Ok((table, columns.iter().zip(values).map(value).collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests;
