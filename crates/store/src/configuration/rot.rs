//! Bit rot: whether the settings still say what was written.

use crate::database::Store;
use crate::error::StoreError;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use futures_util::TryStreamExt;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// How many damaged rows are named.
const NAMED_MAX: usize = 20;

/// What a row of a setting says for good; only when it was superseded is noted later.
#[derive(Serialize)]
pub(super) struct Said<'a> {
    pub(super) payer: &'a str,
    pub(super) kind: &'a str,
    pub(super) id: &'a str,
    pub(super) from: &'a str,
    pub(super) to: Option<&'a str>,
    pub(super) recorded_at_s: i64,
    pub(super) revision: i64,
    pub(super) body: &'a str,
}

impl Said<'_> {
    /// The hash that is kept beside it.
    pub(super) fn hash(&self) -> Result<String, StoreError> {
        Ok(sql::to_hex(&Sha256::digest(sql::to_json(self)?)))
    }
}

impl Write {
    /// Notes the hash of a setting that was given other words: of the kind, id, first period and revision that its key has.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub(crate) async fn rehash_setting(&mut self, key: &[String]) -> Result<(), StoreError> {
        let [kind, id, from, revision] = key else { return Ok(()) };
        let revision: i64 =
            revision.parse().map_err(|_| StoreError::damaged("settings", revision.clone()))?;
        let payer = self.payer().clone();
        let sql = "SELECT to_period, recorded_at_s, body FROM settings \
             WHERE payer = $1 AND kind = $2 AND id = $3 AND from_period = $4 AND revision = $5 AND row_hash IS NOT NULL";
        let query = sqlx::query(sql).bind(payer.as_str().to_owned()).bind(kind.clone()).bind(id.clone());
        let query = query.bind(from.clone()).bind(revision);
        let Some(row) = query.fetch_optional(self.connection()).await? else { return Ok(()) };
        let (to, body): (Option<String>, String) =
            (sql::column(&row, "to_period")?, sql::column(&row, "body")?);
        let said = Said {
            payer: payer.as_str(),
            kind,
            id,
            from,
            to: to.as_deref(),
            recorded_at_s: sql::column(&row, "recorded_at_s")?,
            revision,
            body: &body,
        };
        let sql = "UPDATE settings SET row_hash = $1 \
             WHERE payer = $2 AND kind = $3 AND id = $4 AND from_period = $5 AND revision = $6";
        let query = sqlx::query(sql).bind(said.hash()?).bind(payer.as_str().to_owned()).bind(kind.clone());
        query.bind(id.clone()).bind(from.clone()).bind(revision).execute(self.connection()).await?;
        Ok(())
    }
}

impl Store {
    /// The settings of a payer, those that hold no more among them, which are not as they were written: a few of them, by name.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn rotten_settings(&self, payer: &AccountId) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT kind, id, from_period, to_period, recorded_at_s, revision, body, row_hash FROM settings \
             WHERE payer = $1 ORDER BY kind, id, from_period, revision";
        let mut rows = sqlx::query(sql).bind(payer.as_str()).fetch(self.readers());
        let mut rotten = Vec::new();
        while let Some(row) = rows.try_next().await? {
            let text = |name: &str| sql::column::<String, _>(&row, name);
            let (kind, id, from, body) = (text("kind")?, text("id")?, text("from_period")?, text("body")?);
            let to: Option<String> = sql::column(&row, "to_period")?;
            let revision = sql::column(&row, "revision")?;
            let said = Said {
                payer: payer.as_str(),
                kind: &kind,
                id: &id,
                from: &from,
                to: to.as_deref(),
                recorded_at_s: sql::column(&row, "recorded_at_s")?,
                revision,
                body: &body,
            };
            let hash: Option<String> = sql::column(&row, "row_hash")?;
            if hash.is_some_and(|hash| said.hash().is_ok_and(|is| is != hash)) && rotten.len() < NAMED_MAX {
                rotten.push(format!("setting {kind} `{id}`, revision {revision}"));
            }
        }
        Ok(rotten)
    }
}
