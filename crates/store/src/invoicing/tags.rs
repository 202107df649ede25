//! Tags of what `invoicing` keeps.

use crate::database::Store;
use crate::error::StoreError;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use sqlx::AnyConnection;
use std::collections::BTreeMap;

const TABLE: &str = "invoicing_tags";

impl Store {
    /// The tags of a resource, by key; none where it has none.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn invoicing_tags(
        &self,
        payer: &AccountId,
        resource: &str,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        tags(&mut *self.readers().acquire().await?, payer, resource).await
    }
}

impl Write {
    /// The tags of a resource of the payer, by key; none where it has none.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn invoicing_tags(&mut self, resource: &str) -> Result<BTreeMap<String, String>, StoreError> {
        let payer = self.payer().clone();
        tags(self.connection(), &payer, resource).await
    }

    /// Keeps the tags of a resource, in place of those that it had.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn put_invoicing_tags(
        &mut self,
        resource: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<(), StoreError> {
        let values = vec![self.payer_value(), resource.into(), sql::to_json(tags)?.into()];
        let into = "INSERT INTO invoicing_tags (payer, resource, tags)";
        self.put(into, values, " ON CONFLICT (payer, resource) DO UPDATE SET tags = excluded.tags").await?;
        Ok(())
    }
}

async fn tags(
    connection: &mut AnyConnection,
    payer: &AccountId,
    resource: &str,
) -> Result<BTreeMap<String, String>, StoreError> {
    let query = sqlx::query("SELECT tags FROM invoicing_tags WHERE payer = $1 AND resource = $2");
    let row = query.bind(payer.as_str()).bind(resource.to_owned()).fetch_optional(connection).await?;
    row.map_or_else(|| Ok(BTreeMap::new()), |row| sql::json(&row, TABLE, "tags"))
}
