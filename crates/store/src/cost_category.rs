//! Cost categories that somebody has defined, with every version of each.

use crate::database::Store;
use crate::error::StoreError;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use billing::period::BillingPeriod;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

const TABLE: &str = "cost_categories";

/// A version of a cost category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CostCategoryRow {
    /// The last part of its ARN.
    pub id: String,
    /// From 1 on without gaps.
    pub version: u64,
    /// When it was recorded, in seconds since 1970-01-01T00:00:00Z.
    pub recorded_at_s: i64,
    /// When the cost category was made.
    pub created_at_s: i64,
    /// Whether the cost category ends with it.
    pub is_deleted: bool,
    /// The first month that it holds for.
    pub effective_from: BillingPeriod,
    /// What the cost category is called.
    pub name: String,
    /// Its rules, as JSON.
    pub body: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Store {
    /// Every version of every cost category of a payer, by id and version.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn cost_categories(&self, payer: &AccountId) -> Result<Vec<CostCategoryRow>, StoreError> {
        rows(&mut *self.readers().acquire().await?, payer).await
    }
}

impl Write {
    /// Every version of every cost category of the payer, by id and version, until the change ends.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn cost_categories(&mut self) -> Result<Vec<CostCategoryRow>, StoreError> {
        let payer = self.payer().clone();
        rows(self.connection(), &payer).await
    }

    /// Keeps a version of a cost category.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`].
    pub async fn put_cost_category(&mut self, row: CostCategoryRow) -> Result<(), StoreError> {
        let values = vec![
            self.payer_value(),
            row.id.into(),
            sql::whole(row.version)?.into(),
            row.recorded_at_s.into(),
            row.created_at_s.into(),
            i64::from(row.is_deleted).into(),
            row.effective_from.to_string().into(),
            row.name.into(),
            row.body.into(),
            sql::to_json(&row.tags)?.into(),
        ];
        let into = "INSERT INTO cost_categories (payer, id, version, recorded_at_s, created_at_s, is_deleted, effective_from, name, body, tags)";
        self.put(into, values, "").await?;
        Ok(())
    }
}

async fn rows(connection: &mut AnyConnection, payer: &AccountId) -> Result<Vec<CostCategoryRow>, StoreError> {
    let query = sqlx::query("SELECT * FROM cost_categories WHERE payer = $1 ORDER BY id, version");
    query.bind(payer.as_str()).fetch_all(connection).await?.iter().map(category_row).collect()
}

fn category_row(row: &AnyRow) -> Result<CostCategoryRow, StoreError> {
    Ok(CostCategoryRow {
        id: sql::column(row, "id")?,
        version: sql::count(row, TABLE, "version")?,
        recorded_at_s: sql::column(row, "recorded_at_s")?,
        created_at_s: sql::column(row, "created_at_s")?,
        is_deleted: sql::flag(row, "is_deleted")?,
        effective_from: sql::period(row, TABLE, "effective_from")?,
        name: sql::column(row, "name")?,
        body: sql::column(row, "body")?,
        tags: sql::json(row, TABLE, "tags")?,
    })
}
