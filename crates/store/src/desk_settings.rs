//! How a payer wants its desk run where no price depends on it: whom to notify, how long to keep what, when invoices go out.
//!
//! Nothing is overwritten: each change is a row of its own, and the one of the highest revision holds. What a body says is the desk's business.

use crate::database::Store;
use crate::error::StoreError;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use sqlx::any::AnyRow;
use sqlx::{Any, Executor};

const TABLE: &str = "desk_settings";
/// A setting as it now is: nothing of a higher revision is there.
const LATEST: &str = "SELECT id, revision, recorded_at_ms, body FROM desk_settings latest WHERE payer = $1 AND kind = $2 \
     AND NOT EXISTS (SELECT 1 FROM desk_settings later WHERE later.payer = latest.payer AND later.kind = latest.kind \
     AND later.id = latest.id AND later.revision > latest.revision) ORDER BY id";

/// A setting as it now is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskSettingRow {
    /// Of what it is a setting: a billing group, say; empty where there is one of its kind.
    pub id: String,
    /// How often it was changed, from 1 on.
    pub revision: u64,
    /// When it was said, in milliseconds since 1970-01-01T00:00:00Z.
    pub recorded_at_ms: i64,
    /// What it says, as JSON; never empty.
    pub body: String,
}

impl Store {
    /// The settings of a kind, by id, without those that were removed.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn desk_settings(
        &self,
        payer: &AccountId,
        kind: &str,
    ) -> Result<Vec<DeskSettingRow>, StoreError> {
        latest(self.readers(), payer, kind).await
    }
}

impl Store {
    /// What a setting has said, change after change, as far as it is kept; those that said that there is none are left out.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn desk_setting_revisions(
        &self,
        payer: &AccountId,
        (kind, id): (&str, &str),
    ) -> Result<Vec<DeskSettingRow>, StoreError> {
        let sql = "SELECT id, revision, recorded_at_ms, body FROM desk_settings \
             WHERE payer = $1 AND kind = $2 AND id = $3 AND body <> '' ORDER BY revision";
        let query = sqlx::query(sql).bind(payer.as_str().to_owned());
        let query = query.bind(kind.to_owned()).bind(id.to_owned());
        query.fetch_all(self.readers()).await?.iter().map(setting_row).collect()
    }
}

impl Write {
    /// The settings of a kind, by id, until the change ends.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn desk_settings(&mut self, kind: &str) -> Result<Vec<DeskSettingRow>, StoreError> {
        let payer = self.payer().clone();
        latest(self.connection(), &payer, kind).await
    }

    /// Says a setting, or with an empty body that there is none any more.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn put_desk_setting(
        &mut self,
        (kind, id): (&str, &str),
        body: &str,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO desk_settings (payer, kind, id, revision, recorded_at_ms, body) \
             SELECT $1, $2, $3, COALESCE(MAX(revision), 0) + 1, $4, $5 FROM desk_settings \
             WHERE payer = $1 AND kind = $2 AND id = $3";
        sqlx::query(sql)
            .bind(self.payer().as_str().to_owned())
            .bind(kind.to_owned())
            .bind(id.to_owned())
            .bind(now_ms)
            .bind(body.to_owned())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Removes what settings said that were changed before an instant; says how many. What holds now stays.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn forget_desk_settings(&mut self, before_ms: i64) -> Result<u64, StoreError> {
        let sql = "DELETE FROM desk_settings WHERE payer = $1 AND EXISTS (SELECT 1 FROM desk_settings later \
             WHERE later.payer = desk_settings.payer AND later.kind = desk_settings.kind AND later.id = desk_settings.id \
             AND later.revision > desk_settings.revision AND later.recorded_at_ms < $2)";
        let query = sqlx::query(sql).bind(self.payer().as_str().to_owned()).bind(before_ms);
        Ok(query.execute(self.connection()).await?.rows_affected())
    }
}

async fn latest(
    on: impl Executor<'_, Database = Any>,
    payer: &AccountId,
    kind: &str,
) -> Result<Vec<DeskSettingRow>, StoreError> {
    let rows =
        sqlx::query(LATEST).bind(payer.as_str().to_owned()).bind(kind.to_owned()).fetch_all(on).await?;
    let there = rows.iter().map(setting_row).collect::<Result<Vec<_>, _>>()?;
    Ok(there.into_iter().filter(|row| !row.body.is_empty()).collect())
}

fn setting_row(row: &AnyRow) -> Result<DeskSettingRow, StoreError> {
    Ok(DeskSettingRow {
        id: sql::column(row, "id")?,
        revision: sql::count(row, TABLE, "revision")?,
        recorded_at_ms: sql::column(row, "recorded_at_ms")?,
        body: sql::column(row, "body")?,
    })
}
