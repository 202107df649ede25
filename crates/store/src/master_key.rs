//! What the master key has sealed: secrets of access keys, and a text by which a wrong master key is known.

use crate::database::Store;
use crate::error::StoreError;
use crate::sql;
use crate::write::Write;
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, Transaction};
use std::fmt;

const CHECK: &str = "SELECT nonce, ciphertext FROM master_key_check WHERE id = 1";

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

/// How the names of portal secrets begin; ids of access keys have no colon.
const PORTAL: &str = "portal:";

/// The name that a secret of a procurement portal is sealed to.
#[must_use]
pub fn portal_secret_name(payer: &str, id: &str) -> String {
    format!("{PORTAL}{payer}:{id}")
}

/// The payer and the id of such a name.
fn portal_secret_of(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(PORTAL)?.split_once(':')
}

impl Store {
    /// The text that the master key has sealed; `None` before there is one.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn master_key_check(&self) -> Result<Option<Sealed>, StoreError> {
        let row = sqlx::query(CHECK).fetch_optional(self.readers()).await?;
        row.map(|row| Sealed::of(&row, "master_key_check", "nonce", "ciphertext")).transpose()
    }

    /// Keeps a text that the first master key of a database has sealed.
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

    /// Begins to put secrets in the place of all that are kept. Until it ends nobody else seals one, in whichever process.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn begin_reseal(&self) -> Result<Reseal, StoreError> {
        let mut transaction = self.begin_write().await?;
        let check = held_check(&mut transaction).await?;
        let sql =
            "SELECT access_key_id, secret_nonce, secret_ciphertext FROM access_keys ORDER BY access_key_id";
        let rows = sqlx::query(sql).fetch_all(&mut *transaction).await?;
        let secret = |row: &AnyRow| {
            let sealed = Sealed::of(row, "access_keys", "secret_nonce", "secret_ciphertext")?;
            Ok((sql::column(row, "access_key_id")?, sealed))
        };
        let mut secrets = rows.iter().map(secret).collect::<Result<Vec<_>, StoreError>>()?;
        let sql = "SELECT payer, id, secret_nonce, secret_ciphertext FROM portal_secrets ORDER BY payer, id";
        for row in sqlx::query(sql).fetch_all(&mut *transaction).await? {
            let (payer, id): (String, String) = (sql::column(&row, "payer")?, sql::column(&row, "id")?);
            let sealed = Sealed::of(&row, "portal_secrets", "secret_nonce", "secret_ciphertext")?;
            secrets.push((portal_secret_name(&payer, &id), sealed));
        }
        Ok(Reseal { transaction, check, secrets })
    }
}

/// All secrets, held while they are sealed anew. Dropping it leaves them as they are.
#[derive(Debug)]
pub struct Reseal {
    transaction: Transaction<'static, Any>,
    /// What the master key is known by under which they are sealed; `None` before there is one.
    pub check: Option<Sealed>,
    /// Every secret of all payers by the name that it is sealed to: the id of an access key, or [`portal_secret_name`].
    pub secrets: Vec<(String, Sealed)>,
}

impl Reseal {
    /// Keeps secrets that were sealed anew, and what their master key is known by: all of it, or nothing.
    ///
    /// # Errors
    /// [`StoreError::OutcomeUnknown`] where the connection was cut, or the disk failed, while it was kept.
    pub async fn commit(mut self, secrets: &[(String, Sealed)], check: &Sealed) -> Result<(), StoreError> {
        for (name, sealed) in secrets {
            let (payer, id, sql) = match portal_secret_of(name) {
                Some((payer, id)) => (
                    payer,
                    id,
                    "UPDATE portal_secrets SET secret_nonce = $1, secret_ciphertext = $2 WHERE id = $3 AND payer = $4",
                ),
                None => (
                    "",
                    name.as_str(),
                    "UPDATE access_keys SET secret_nonce = $1, secret_ciphertext = $2 WHERE access_key_id = $3 AND $4 = ''",
                ),
            };
            // What was deleted meanwhile has no secret any more.
            sqlx::query(sql)
                .bind(sql::to_hex(&sealed.nonce))
                .bind(sql::to_hex(&sealed.ciphertext))
                .bind(id)
                .bind(payer)
                .execute(&mut *self.transaction)
                .await?;
        }
        sqlx::query("UPDATE master_key_check SET nonce = $1, ciphertext = $2 WHERE id = 1")
            .bind(sql::to_hex(&check.nonce))
            .bind(sql::to_hex(&check.ciphertext))
            .execute(&mut *self.transaction)
            .await?;
        self.transaction.commit().await.map_err(StoreError::of_commit)
    }
}

impl Write {
    /// What the master key is known by under which secrets are sealed. It stays so until this change ends.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn master_key_check(&mut self) -> Result<Option<Sealed>, StoreError> {
        held_check(self.connection()).await
    }
}

/// The check, whose row is held until the transaction ends: on PostgreSQL another one waits here, and then finds what was committed.
async fn held_check(connection: &mut AnyConnection) -> Result<Option<Sealed>, StoreError> {
    sqlx::query("UPDATE master_key_check SET id = id WHERE id = 1").execute(&mut *connection).await?;
    let query = sqlx::query(CHECK).fetch_optional(connection);
    query.await?.map(|row| Sealed::of(&row, "master_key_check", "nonce", "ciphertext")).transpose()
}
