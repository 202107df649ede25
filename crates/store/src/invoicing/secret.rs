//! Secrets of procurement portals, as the master key has sealed them.

use crate::database::Store;
use crate::error::StoreError;
use crate::master_key::Sealed;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use sqlx::any::AnyRow;

const SQL: &str = "SELECT secret_nonce, secret_ciphertext FROM portal_secrets WHERE payer = $1 AND id = $2";

impl Store {
    /// A secret; `None` where there is none.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn portal_secret(&self, payer: &AccountId, id: &str) -> Result<Option<Sealed>, StoreError> {
        let query = sqlx::query(SQL).bind(payer.as_str()).bind(id);
        sealed(query.fetch_optional(self.readers()).await?)
    }
}

impl Write {
    /// A secret of the payer; `None` where there is none.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn portal_secret(&mut self, id: &str) -> Result<Option<Sealed>, StoreError> {
        let query = sqlx::query(SQL).bind(self.payer().as_str().to_owned()).bind(id);
        sealed(query.fetch_optional(self.connection()).await?)
    }

    /// Keeps a secret, in place of the one of the same id.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn put_portal_secret(&mut self, id: &str, secret: &Sealed) -> Result<(), StoreError> {
        let values = vec![
            self.payer_value(),
            id.into(),
            sql::to_hex(&secret.nonce).into(),
            sql::to_hex(&secret.ciphertext).into(),
        ];
        let into = "INSERT INTO portal_secrets (payer, id, secret_nonce, secret_ciphertext)";
        let instead = " ON CONFLICT (payer, id) DO UPDATE SET secret_nonce = excluded.secret_nonce, \
             secret_ciphertext = excluded.secret_ciphertext";
        self.put(into, values, instead).await?;
        Ok(())
    }

    /// Removes a secret, where there is one.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn remove_portal_secret(&mut self, id: &str) -> Result<(), StoreError> {
        let query = sqlx::query("DELETE FROM portal_secrets WHERE payer = $1 AND id = $2")
            .bind(self.payer().as_str().to_owned())
            .bind(id);
        query.execute(self.connection()).await?;
        Ok(())
    }
}

fn sealed(row: Option<AnyRow>) -> Result<Option<Sealed>, StoreError> {
    row.map(|row| Sealed::of(&row, "portal_secrets", "secret_nonce", "secret_ciphertext")).transpose()
}
