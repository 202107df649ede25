//! Billing views that somebody has made, with every version of each.

use crate::database::Store;
use crate::error::StoreError;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

const TABLE: &str = "billing_views";

/// A version of a billing view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillingViewRow {
    /// The last part of its id.
    pub id: String,
    /// From 1 on without gaps.
    pub version: u64,
    /// When it was recorded, in seconds since 1970-01-01T00:00:00Z.
    pub recorded_at_s: i64,
    /// When the view was made.
    pub created_at_s: i64,
    /// Whether the view ends with it.
    pub is_deleted: bool,
    /// What the view is called.
    pub name: String,
    /// What the operator says of it.
    pub description: Option<String>,
    /// The views that it is made of, by their ARNs.
    pub source_views: Vec<String>,
    /// By what it narrows them, as JSON.
    pub filter: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Store {
    /// The last version of every billing view of a payer, the deleted ones among them, by id.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn billing_views(&self, payer: &AccountId) -> Result<Vec<BillingViewRow>, StoreError> {
        views(&mut *self.readers().acquire().await?, payer).await
    }
}

impl Write {
    /// The last version of every billing view of the payer, the deleted ones among them, by id.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn billing_views(&mut self) -> Result<Vec<BillingViewRow>, StoreError> {
        let payer = self.payer().clone();
        views(self.connection(), &payer).await
    }

    /// Keeps a version of a billing view.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`].
    pub async fn put_billing_view(&mut self, row: BillingViewRow) -> Result<(), StoreError> {
        let values = vec![
            self.payer_value(),
            row.id.into(),
            sql::whole(row.version)?.into(),
            row.recorded_at_s.into(),
            row.created_at_s.into(),
            i64::from(row.is_deleted).into(),
            row.name.into(),
            row.description.into(),
            sql::to_json(&row.source_views)?.into(),
            row.filter.into(),
            sql::to_json(&row.tags)?.into(),
        ];
        let into = "INSERT INTO billing_views (payer, id, version, recorded_at_s, created_at_s, is_deleted, name, description, \
             source_views, filter, tags)";
        self.put(into, values, "").await?;
        Ok(())
    }
}

async fn views(connection: &mut AnyConnection, payer: &AccountId) -> Result<Vec<BillingViewRow>, StoreError> {
    let sql = "SELECT * FROM billing_views WHERE payer = $1 AND version = (SELECT MAX(later.version) FROM billing_views later \
         WHERE later.payer = billing_views.payer AND later.id = billing_views.id) ORDER BY id";
    let query = sqlx::query(sql).bind(payer.as_str());
    query.fetch_all(connection).await?.iter().map(view_row).collect()
}

fn view_row(row: &AnyRow) -> Result<BillingViewRow, StoreError> {
    Ok(BillingViewRow {
        id: sql::column(row, "id")?,
        version: sql::count(row, TABLE, "version")?,
        recorded_at_s: sql::column(row, "recorded_at_s")?,
        created_at_s: sql::column(row, "created_at_s")?,
        is_deleted: sql::flag(row, "is_deleted")?,
        name: sql::column(row, "name")?,
        description: sql::column(row, "description")?,
        source_views: sql::json(row, TABLE, "source_views")?,
        filter: sql::column(row, "filter")?,
        tags: sql::json(row, TABLE, "tags")?,
    })
}
