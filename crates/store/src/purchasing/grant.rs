//! What principals are narrowed to among purchase orders.

use crate::database::Store;
use crate::error::StoreError;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

const TABLE: &str = "purchase_order_grants";

/// What a principal is narrowed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRow {
    /// The principal.
    pub principal: String,
    /// The operations, by their IAM names without the service.
    pub actions: Vec<String>,
    /// The tags that an order has for it.
    pub tags: BTreeMap<String, String>,
    /// The keys that it may tag with; `None` is any.
    pub tag_keys: Option<Vec<String>>,
    /// When that was said, in seconds since 1970-01-01T00:00:00Z.
    pub recorded_at_s: i64,
    /// Who said it.
    pub recorded_by: String,
}

impl Store {
    /// What a principal is narrowed to; `None` where it is not.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn purchase_order_grant(
        &self,
        payer: &AccountId,
        principal: &str,
    ) -> Result<Option<GrantRow>, StoreError> {
        let sql = "SELECT principal, actions, tags, tag_keys, recorded_at_s, recorded_by FROM purchase_order_grants \
             WHERE payer = $1 AND principal = $2";
        let query = sqlx::query(sql).bind(payer.as_str()).bind(principal);
        query.fetch_optional(self.readers()).await?.as_ref().map(grant_row).transpose()
    }

    /// Every principal that is narrowed, by name.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn purchase_order_grants(&self, payer: &AccountId) -> Result<Vec<GrantRow>, StoreError> {
        let sql = "SELECT principal, actions, tags, tag_keys, recorded_at_s, recorded_by FROM purchase_order_grants \
             WHERE payer = $1 ORDER BY principal";
        sqlx::query(sql).bind(payer.as_str()).fetch_all(self.readers()).await?.iter().map(grant_row).collect()
    }
}

impl Write {
    /// Narrows a principal, in place of what it was narrowed to before.
    ///
    /// # Errors
    /// [`StoreError::NotThere`] where there is no such principal.
    pub async fn put_purchase_order_grant(&mut self, row: &GrantRow) -> Result<(), StoreError> {
        let values = vec![
            self.payer_value(),
            row.principal.as_str().into(),
            sql::to_json(&row.actions)?.into(),
            sql::to_json(&row.tags)?.into(),
            row.tag_keys.as_ref().map(sql::to_json).transpose()?.into(),
            row.recorded_at_s.into(),
            row.recorded_by.as_str().into(),
        ];
        let into = "INSERT INTO purchase_order_grants (payer, principal, actions, tags, tag_keys, recorded_at_s, recorded_by)";
        let instead = " ON CONFLICT (payer, principal) DO UPDATE SET actions = excluded.actions, tags = excluded.tags, \
             tag_keys = excluded.tag_keys, recorded_at_s = excluded.recorded_at_s, recorded_by = excluded.recorded_by";
        self.put(into, values, instead).await?;
        Ok(())
    }

    /// Narrows a principal no more; whether it was.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn delete_purchase_order_grant(&mut self, principal: &str) -> Result<bool, StoreError> {
        let payer = self.payer().as_str().to_owned();
        let query = sqlx::query("DELETE FROM purchase_order_grants WHERE payer = $1 AND principal = $2");
        let done = query.bind(payer).bind(principal.to_owned()).execute(self.connection()).await?;
        Ok(done.rows_affected() > 0)
    }
}

fn grant_row(row: &AnyRow) -> Result<GrantRow, StoreError> {
    let keys: Option<String> = sql::column(row, "tag_keys")?;
    let keys = keys.map(|keys| serde_json::from_str(&keys));
    Ok(GrantRow {
        principal: sql::column(row, "principal")?,
        actions: sql::json(row, TABLE, "actions")?,
        tags: sql::json(row, TABLE, "tags")?,
        tag_keys: keys
            .transpose()
            .map_err(|error| StoreError::damaged(TABLE, format!("`tag_keys`: {error}")))?,
        recorded_at_s: sql::column(row, "recorded_at_s")?,
        recorded_by: sql::column(row, "recorded_by")?,
    })
}
