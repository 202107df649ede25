//! Who may ask: the principals of a payer.

use crate::database::Store;
use crate::error::StoreError;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use sqlx::any::AnyRow;
use sqlx::{Any, Executor};
use std::fmt;

const TABLE: &str = "principals";

/// Whether a principal or a key may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It may.
    Active,
    /// It may not, and may again.
    Inactive,
}

impl Standing {
    /// The name in a column.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
        }
    }

    /// What the column `status` says.
    pub(crate) fn of(row: &AnyRow, table: &'static str) -> Result<Self, StoreError> {
        let name: String = sql::column(row, "status")?;
        [Self::Active, Self::Inactive]
            .into_iter()
            .find(|standing| standing.name() == name)
            .ok_or_else(|| StoreError::damaged(table, format!("`status` is `{name}`")))
    }
}

/// A principal.
#[derive(Clone, PartialEq, Eq)]
pub struct PrincipalRow {
    /// Unique among those of the payer.
    pub name: String,
    /// What it may do.
    pub role: String,
    /// The billing groups that it may see, by id.
    pub billing_groups: Vec<String>,
    /// The accounts that it may see.
    pub accounts: Vec<String>,
    /// The hash of its password, where it may sign in.
    pub password_hash: Option<String>,
    /// Whether it may be used.
    pub standing: Standing,
    /// When it was created.
    pub created_at_ms: i64,
}

impl fmt::Debug for PrincipalRow {
    /// Without the hash of the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrincipalRow")
            .field("name", &self.name)
            .field("role", &self.role)
            .field("billing_groups", &self.billing_groups)
            .field("accounts", &self.accounts)
            .field("standing", &self.standing)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// A principal of a payer.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn principal(&self, payer: &AccountId, name: &str) -> Result<Option<PrincipalRow>, StoreError> {
        principal(self.readers(), payer, name).await
    }

    /// The principals of a payer after a name, in order, at most so many.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn principals(
        &self,
        payer: &AccountId,
        after_name: &str,
        rows_max: usize,
    ) -> Result<Vec<PrincipalRow>, StoreError> {
        let sql = "SELECT name, role, billing_groups, accounts, password_hash, status, created_at_ms FROM principals \
             WHERE payer = $1 AND name > $2 ORDER BY name LIMIT $3";
        let query = sqlx::query(sql).bind(payer.as_str()).bind(after_name).bind(sql::limit(rows_max));
        query.fetch_all(self.readers()).await?.iter().map(principal_row).collect()
    }
}

async fn principal(
    on: impl Executor<'_, Database = Any>,
    payer: &AccountId,
    name: &str,
) -> Result<Option<PrincipalRow>, StoreError> {
    let sql = "SELECT name, role, billing_groups, accounts, password_hash, status, created_at_ms FROM principals \
         WHERE payer = $1 AND name = $2";
    let row = sqlx::query(sql).bind(payer.as_str()).bind(name).fetch_optional(on).await?;
    row.as_ref().map(principal_row).transpose()
}

impl Write {
    /// A principal of the payer, as it is until the change ends.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn principal(&mut self, name: &str) -> Result<Option<PrincipalRow>, StoreError> {
        let payer = self.payer().clone();
        principal(self.connection(), &payer, name).await
    }

    /// Keeps a principal, in place of the one of the same name; when that one was created stays.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn put_principal(&mut self, row: PrincipalRow) -> Result<(), StoreError> {
        let values = vec![
            self.payer_value(),
            row.name.into(),
            row.role.into(),
            sql::to_json(&row.billing_groups)?.into(),
            sql::to_json(&row.accounts)?.into(),
            row.password_hash.into(),
            row.standing.name().into(),
            row.created_at_ms.into(),
        ];
        let into = "INSERT INTO principals (payer, name, role, billing_groups, accounts, password_hash, status, created_at_ms)";
        let instead = " ON CONFLICT (payer, name) DO UPDATE SET role = excluded.role, \
             billing_groups = excluded.billing_groups, accounts = excluded.accounts, \
             password_hash = excluded.password_hash, status = excluded.status";
        self.put(into, values, instead).await?;
        Ok(())
    }
}

/// Reads the columns of a principal.
pub(crate) fn principal_row(row: &AnyRow) -> Result<PrincipalRow, StoreError> {
    Ok(PrincipalRow {
        name: sql::column(row, "name")?,
        role: sql::column(row, "role")?,
        billing_groups: sql::json(row, TABLE, "billing_groups")?,
        accounts: sql::json(row, TABLE, "accounts")?,
        password_hash: sql::column(row, "password_hash")?,
        standing: Standing::of(row, TABLE)?,
        created_at_ms: sql::column(row, "created_at_ms")?,
    })
}
