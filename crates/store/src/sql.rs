//! What every table needs: columns of a row by name, and many rows in one statement.

use crate::database::placeholders_in_order;
use crate::error::StoreError;
use billing::account::AccountId;
use billing::period::BillingPeriod;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, AssertSqlSafe, ColumnIndex, Decode, Row, Type};

/// How many parameters one statement has at most: more are not quicker.
const PARAMETERS_MAX: usize = 1_000;

/// A value of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Text(Option<String>),
    Number(Option<i64>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

/// A statement of one value list per row, `before VALUES (…), (…) after`, as often as the rows need.
pub(crate) async fn with_rows(
    connection: &mut AnyConnection,
    before: &str,
    rows: Vec<Vec<Value>>,
    after: &str,
) -> Result<u64, StoreError> {
    let Some(width) = rows.first().map(Vec::len) else { return Ok(0) };
    let mut affected = 0;
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let chunk: Vec<Vec<Value>> = rows.by_ref().take(PARAMETERS_MAX / width).collect();
        let mut sql = format!("{before} VALUES ");
        for row in 0..chunk.len() {
            let comma = if row == 0 { "" } else { "," };
            sql.push_str(&format!("{comma}({})", placeholders_in_order(connection, row * width + 1, width)));
        }
        sql.push_str(after);
        // The text is made of literals and placeholders only. Its length changes from time to time, so it is not kept as a statement.
        let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
        for value in chunk.into_iter().flatten() {
            query = match value {
                Value::Text(text) => query.bind(text),
                Value::Number(number) => query.bind(number),
            };
        }
        affected += query.execute(&mut *connection).await?.rows_affected();
    }
    Ok(affected)
}

/// A column of a row.
pub(crate) fn column<'r, T, I>(row: &'r AnyRow, index: I) -> Result<T, StoreError>
where
    T: Decode<'r, Any> + Type<Any>,
    I: ColumnIndex<AnyRow>,
{
    row.try_get(index).map_err(StoreError::Database)
}

/// A column that counts.
pub(crate) fn count(row: &AnyRow, table: &'static str, name: &str) -> Result<u64, StoreError> {
    let number: i64 = column(row, name)?;
    u64::try_from(number).map_err(|_| StoreError::damaged(table, format!("`{name}` is {number}")))
}

/// A column that is 0 or 1.
pub(crate) fn flag(row: &AnyRow, name: &str) -> Result<bool, StoreError> {
    Ok(column::<i64, _>(row, name)? != 0)
}

/// A column that is a billing period.
pub(crate) fn period(row: &AnyRow, table: &'static str, name: &str) -> Result<BillingPeriod, StoreError> {
    let text: String = column(row, name)?;
    BillingPeriod::parse(&text).map_err(|error| StoreError::damaged(table, format!("`{name}`: {error}")))
}

/// A column that is an account.
pub(crate) fn account(row: &AnyRow, table: &'static str, name: &str) -> Result<AccountId, StoreError> {
    let text: String = column(row, name)?;
    AccountId::parse(&text)
        .ok_or_else(|| StoreError::damaged(table, format!("`{name}` is `{text}`, which is no account")))
}

/// A column that is JSON.
pub(crate) fn json<T: DeserializeOwned>(
    row: &AnyRow,
    table: &'static str,
    name: &str,
) -> Result<T, StoreError> {
    let text: String = column(row, name)?;
    serde_json::from_str(&text).map_err(|error| StoreError::damaged(table, format!("`{name}`: {error}")))
}

/// The text of a column that is JSON.
pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::Unfit(format!("not to be written as JSON: {error}")))
}

/// A number as a column holds it.
pub(crate) fn whole(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Unfit(format!("the number {number} is beyond a column's")))
}

/// A number of rows to be answered, as SQL takes it.
pub(crate) fn limit(rows_max: usize) -> i64 {
    i64::try_from(rows_max).unwrap_or(i64::MAX)
}

/// The hash over the parts of a row, each with its length, so that no two rows have the same.
pub(crate) fn hash_of(parts: &[impl AsRef<str>]) -> String {
    let mut hash = Sha256::new();
    for part in parts.iter().map(AsRef::as_ref) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    to_hex(&hash.finalize())
}

/// Bytes as hexadecimal text, as columns hold hashes and secrets: the engines do not agree about bytes.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of hexadecimal text; `None` where it is none.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?);
    text.as_bytes().chunks(2).map(pair).collect()
}
