//! Access keys: the one thing that is looked up before the payer is known.

use crate::database::Store;
use crate::error::StoreError;
use crate::master_key::Sealed;
use crate::principal::{PrincipalRow, Standing, principal_row};
use crate::sql::{self, Value};
use crate::write::Write;
use billing::account::AccountId;
use sqlx::any::AnyRow;
use sqlx::{Any, Executor};

const TABLE: &str = "access_keys";

/// An access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKeyRow {
    /// Unique among those of all payers.
    pub access_key_id: String,
    /// Whose it is.
    pub principal: String,
    /// Its secret, sealed.
    pub secret: Sealed,
    /// Whether it may be used.
    pub standing: Standing,
    /// When it was created.
    pub created_at_ms: i64,
    /// When it was last used, as far as it was noted.
    pub last_used_at_ms: Option<i64>,
}

/// An access key, and who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundKey {
    /// The payer.
    pub payer: AccountId,
    /// The key.
    pub key: AccessKeyRow,
    /// Its principal.
    pub principal: PrincipalRow,
}

impl Store {
    /// The access key of an id, whoever the payer is.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn find_key(&self, access_key_id: &str) -> Result<Option<FoundKey>, StoreError> {
        let sql = "SELECT access_key_id, payer, principal, secret_nonce, secret_ciphertext, status, created_at_ms, \
             last_used_at_ms FROM access_keys WHERE access_key_id = $1";
        let mut transaction = self.begin_read().await?;
        let found = sqlx::query(sql).bind(access_key_id).fetch_optional(&mut *transaction).await?;
        let Some(row) = found else { return Ok(None) };
        let (payer, key) = (sql::account(&row, TABLE, "payer")?, key_row(&row)?);
        let sql = "SELECT name, role, billing_groups, accounts, password_hash, status, created_at_ms FROM principals \
             WHERE payer = $1 AND name = $2";
        let query = sqlx::query(sql).bind(payer.as_str()).bind(key.principal.as_str());
        let principal = principal_row(&query.fetch_one(&mut *transaction).await?)?;
        transaction.commit().await?;
        Ok(Some(FoundKey { payer, key, principal }))
    }

    /// The access keys of a principal, in the order in which they were created.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn keys(&self, payer: &AccountId, principal: &str) -> Result<Vec<AccessKeyRow>, StoreError> {
        keys(self.readers(), payer, principal).await
    }

    /// Notes when keys were last used; an earlier instant than the one that is noted changes nothing.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn note_key_used(&self, used: &[(String, i64)]) -> Result<(), StoreError> {
        let mut transaction = self.begin_write().await?;
        // In the order of the ids, so that two processes do not wait for each other.
        let mut used: Vec<&(String, i64)> = used.iter().collect();
        used.sort();
        let sql = "UPDATE access_keys SET last_used_at_ms = $1 \
             WHERE access_key_id = $2 AND (last_used_at_ms IS NULL OR last_used_at_ms < $1)";
        for (access_key_id, at_ms) in used {
            sqlx::query(sql).bind(*at_ms).bind(access_key_id.as_str()).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

async fn keys(
    on: impl Executor<'_, Database = Any>,
    payer: &AccountId,
    principal: &str,
) -> Result<Vec<AccessKeyRow>, StoreError> {
    let sql = "SELECT access_key_id, principal, secret_nonce, secret_ciphertext, status, created_at_ms, \
         last_used_at_ms FROM access_keys WHERE payer = $1 AND principal = $2 ORDER BY created_at_ms, access_key_id";
    let query = sqlx::query(sql).bind(payer.as_str()).bind(principal);
    query.fetch_all(on).await?.iter().map(key_row).collect()
}

impl Write {
    /// The access keys of a principal of the payer, as they are until the change ends, in the order in which they were created.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn keys(&mut self, principal: &str) -> Result<Vec<AccessKeyRow>, StoreError> {
        let payer = self.payer().clone();
        keys(self.connection(), &payer, principal).await
    }

    /// Keeps a new access key.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`]; [`StoreError::NotThere`] where the payer has no such principal.
    pub async fn put_key(&mut self, row: AccessKeyRow) -> Result<(), StoreError> {
        let values = vec![
            row.access_key_id.into(),
            self.payer_value(),
            row.principal.into(),
            sql::to_hex(&row.secret.nonce).into(),
            sql::to_hex(&row.secret.ciphertext).into(),
            row.standing.name().into(),
            row.created_at_ms.into(),
            Value::Number(row.last_used_at_ms),
        ];
        let into = "INSERT INTO access_keys (access_key_id, payer, principal, secret_nonce, secret_ciphertext, status, \
             created_at_ms, last_used_at_ms)";
        self.put(into, values, "").await?;
        Ok(())
    }

    /// Says whether a key of the payer may be used; `false` where the payer has no such key.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn set_key_standing(
        &mut self,
        access_key_id: &str,
        standing: Standing,
    ) -> Result<bool, StoreError> {
        let query = sqlx::query("UPDATE access_keys SET status = $1 WHERE payer = $2 AND access_key_id = $3")
            .bind(standing.name())
            .bind(self.payer().as_str().to_owned())
            .bind(access_key_id);
        Ok(query.execute(self.connection()).await?.rows_affected() > 0)
    }

    /// Removes a key of the payer; `false` where the payer has no such key.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn remove_key(&mut self, access_key_id: &str) -> Result<bool, StoreError> {
        let query = sqlx::query("DELETE FROM access_keys WHERE payer = $1 AND access_key_id = $2")
            .bind(self.payer().as_str().to_owned())
            .bind(access_key_id);
        Ok(query.execute(self.connection()).await?.rows_affected() > 0)
    }
}

fn key_row(row: &AnyRow) -> Result<AccessKeyRow, StoreError> {
    Ok(AccessKeyRow {
        access_key_id: sql::column(row, "access_key_id")?,
        principal: sql::column(row, "principal")?,
        secret: Sealed::of(row, TABLE, "secret_nonce", "secret_ciphertext")?,
        standing: Standing::of(row, TABLE)?,
        created_at_ms: sql::column(row, "created_at_ms")?,
        last_used_at_ms: sql::column(row, "last_used_at_ms")?,
    })
}
