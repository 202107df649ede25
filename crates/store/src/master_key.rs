//! What the master key has sealed: secrets of access keys, and a text by which a wrong master key is known.

use crate::database::Store;
use crate::error::StoreError;
use crate::sql;
use sqlx::any::AnyRow;
use std::fmt;

/// A secret as the master key has sealed it.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The nonce.
    pub nonce: Vec<u8>,
    /// The ciphertext.
    pub ciphertext: Vec<u8>,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(…)")
    }
}

impl Sealed {
    /// Reads what two columns hold.
    pub(crate) fn of(
        row: &AnyRow,
        table: &'static str,
        nonce: &str,
        ciphertext: &str,
    ) -> Result<Self, StoreError> {
        let bytes = |name: &str| {
            let text: String = sql::column(row, name)?;
            sql::from_hex(&text)
                .ok_or_else(|| StoreError::damaged(table, format!("`{name}` is not hexadecimal")))
        };
        Ok(Self { nonce: bytes(nonce)?, ciphertext: bytes(ciphertext)? })
    }
}

impl Store {
    /// The text that the master key has sealed; `None` before there is one.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn master_key_check(&self) -> Result<Option<Sealed>, StoreError> {
        let query = sqlx::query("SELECT nonce, ciphertext FROM master_key_check WHERE id = 1");
        let row = query.fetch_optional(self.readers()).await?;
        row.map(|row| Sealed::of(&row, "master_key_check", "nonce", "ciphertext")).transpose()
    }

    /// Keeps a text that the master key has sealed, for as long as the database lives.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`].
    pub async fn put_master_key_check(&self, sealed: &Sealed) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO master_key_check (id, nonce, ciphertext) VALUES (1, $1, $2)")
            .bind(sql::to_hex(&sealed.nonce))
            .bind(sql::to_hex(&sealed.ciphertext))
            .execute(self.writer())
            .await?;
        Ok(())
    }

    /// Every secret that is sealed, by the id of its key, of all payers.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn sealed_secrets(&self) -> Result<Vec<(String, Sealed)>, StoreError> {
        let sql =
            "SELECT access_key_id, secret_nonce, secret_ciphertext FROM access_keys ORDER BY access_key_id";
        let rows = sqlx::query(sql).fetch_all(self.readers()).await?;
        let secret = |row: &AnyRow| {
            let sealed = Sealed::of(row, "access_keys", "secret_nonce", "secret_ciphertext")?;
            Ok((sql::column(row, "access_key_id")?, sealed))
        };
        rows.iter().map(secret).collect()
    }

    /// Puts secrets that were sealed anew in the place of the old ones, and what a master key is known by: all of it, or nothing.
    ///
    /// # Errors
    /// [`StoreError::NotThere`] for a key that is not there any more.
    pub async fn reseal(&self, secrets: &[(String, Sealed)], check: &Sealed) -> Result<(), StoreError> {
        let mut transaction = self.begin_write().await?;
        for (access_key_id, sealed) in secrets {
            let sql =
                "UPDATE access_keys SET secret_nonce = $1, secret_ciphertext = $2 WHERE access_key_id = $3";
            let query = sqlx::query(sql)
                .bind(sql::to_hex(&sealed.nonce))
                .bind(sql::to_hex(&sealed.ciphertext))
                .bind(access_key_id.as_str());
            if query.execute(&mut *transaction).await?.rows_affected() == 0 {
                return Err(StoreError::NotThere(access_key_id.clone()));
            }
        }
        sqlx::query("UPDATE master_key_check SET nonce = $1, ciphertext = $2 WHERE id = 1")
            .bind(sql::to_hex(&check.nonce))
            .bind(sql::to_hex(&check.ciphertext))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await.map_err(StoreError::of_commit)
    }
}
