//! From an edit to rows.

use super::Kind;
use super::kept::{Kept, SettingRow, kept};
use super::rot::Said;
use crate::database::placeholders;
use crate::error::StoreError;
use crate::sql::{self, Value};
use crate::write::Write;
use billing::configuration::{Configuration, Touched};
use sqlx::AssertSqlSafe;
use std::collections::{BTreeMap, BTreeSet};

/// How many keys are asked for, or marked, in one statement.
const KEYS_MAX: usize = 500;

impl Write {
    /// Saves what an edit has changed, as the next revision. `now_s` is kept with what does not say itself when it was said.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] where it is the configuration of another payer.
    pub async fn save(
        &mut self,
        next: &Configuration,
        touched: &BTreeSet<Touched>,
        now_s: i64,
    ) -> Result<(), StoreError> {
        if next.payer != *self.payer() {
            return Err(StoreError::Unfit(format!(
                "the configuration is of payer {}, the change of payer {}",
                next.payer,
                self.payer()
            )));
        }
        self.head.revision += 1;
        self.next_number = Some(sql::whole(next.next_number)?);
        let mut by_kind: BTreeMap<Kind, Vec<Kept>> = BTreeMap::new();
        for key in touched {
            let kept = kept(next, key, now_s);
            by_kind.entry(kept.kind).or_default().push(kept);
        }
        for (kind, keys) in by_kind {
            for keys in keys.chunks(KEYS_MAX) {
                self.put_resources(kind, keys).await?;
                self.put_settings(kind, keys).await?;
            }
        }
        Ok(())
    }

    async fn put_resources(&mut self, kind: Kind, keys: &[Kept]) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        for key in keys {
            let Some(resource) = &key.resource else { continue };
            rows.push(vec![
                self.payer_value(),
                kind.name().into(),
                key.id.as_str().into(),
                sql::whole(resource.number)?.into(),
                resource.created_at_s.into(),
                resource.modified_at_s.into(),
                sql::to_json(&resource.tags)?.into(),
            ]);
        }
        let into = "INSERT INTO resources (payer, kind, id, number, created_at_s, modified_at_s, tags)";
        let instead = " ON CONFLICT (payer, kind, id) DO UPDATE SET number = excluded.number, \
             created_at_s = excluded.created_at_s, modified_at_s = excluded.modified_at_s, tags = excluded.tags";
        sql::with_rows(self.connection(), into, rows, instead).await?;
        Ok(())
    }

    async fn put_settings(&mut self, kind: Kind, keys: &[Kept]) -> Result<(), StoreError> {
        let mut live = self.live(kind, keys).await?;
        let revision = sql::whole(self.head.revision)?;
        let mut fresh: Vec<Vec<Value>> = Vec::new();
        for key in keys {
            for row in &key.settings {
                let there = (key.id.clone(), row.from.clone());
                if live.get(&there).is_some_and(|live| says_the_same(live, row)) {
                    live.remove(&there);
                    continue;
                }
                let said = Said {
                    payer: self.payer().as_str(),
                    kind: kind.name(),
                    id: &key.id,
                    from: &row.from,
                    to: row.to.as_deref(),
                    recorded_at_s: row.recorded_at_s,
                    revision,
                    body: &row.body,
                };
                let row_hash = said.hash()?;
                fresh.push(vec![
                    self.payer_value(),
                    kind.name().into(),
                    key.id.as_str().into(),
                    row.from.as_str().into(),
                    row.to.clone().into(),
                    row.recorded_at_s.into(),
                    revision.into(),
                    row.body.as_str().into(),
                    row_hash.into(),
                ]);
            }
        }
        // What is still in `live` holds no more, or not so.
        self.supersede(kind, live.into_keys().collect()).await?;
        let into = "INSERT INTO settings (payer, kind, id, from_period, to_period, recorded_at_s, revision, body, row_hash)";
        sql::with_rows(self.connection(), into, fresh, "").await?;
        Ok(())
    }

    /// The rows that hold, of some keys, by id and first period.
    async fn live(
        &mut self,
        kind: Kind,
        keys: &[Kept],
    ) -> Result<BTreeMap<(String, String), SettingRow>, StoreError> {
        let sql = format!(
            "SELECT id, from_period, to_period, recorded_at_s, body FROM settings \
             WHERE payer = $1 AND kind = $2 AND superseded_revision IS NULL AND id IN ({})",
            placeholders(3, keys.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql))
            .persistent(false)
            .bind(self.payer().as_str().to_owned())
            .bind(kind.name());
        for key in keys {
            query = query.bind(key.id.clone());
        }
        let mut live = BTreeMap::new();
        for row in query.fetch_all(self.connection()).await? {
            let setting = SettingRow {
                from: sql::column(&row, "from_period")?,
                to: sql::column(&row, "to_period")?,
                recorded_at_s: sql::column(&row, "recorded_at_s")?,
                body: sql::column(&row, "body")?,
            };
            live.insert((sql::column(&row, "id")?, setting.from.clone()), setting);
        }
        Ok(live)
    }

    /// Marks rows as holding no more.
    async fn supersede(&mut self, kind: Kind, keys: Vec<(String, String)>) -> Result<(), StoreError> {
        let revision = sql::whole(self.head.revision)?;
        for keys in keys.chunks(KEYS_MAX) {
            // The ids are for the index, on both engines; the pairs tell which rows of an id.
            let sql = format!(
                "UPDATE settings SET superseded_revision = $1 WHERE payer = $2 AND kind = $3 \
                 AND superseded_revision IS NULL AND id IN ({}) AND id || ' ' || from_period IN ({})",
                placeholders(4, keys.len()),
                placeholders(4 + keys.len(), keys.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(sql))
                .persistent(false)
                .bind(revision)
                .bind(self.payer().as_str().to_owned())
                .bind(kind.name());
            for (id, _) in keys {
                query = query.bind(id.clone());
            }
            for (id, from) in keys {
                query = query.bind(format!("{id} {from}"));
            }
            query.execute(self.connection()).await?;
        }
        Ok(())
    }
}

/// Whether two rows of one key and first period are one; what has no periods is not said anew by being saved again.
fn says_the_same(live: &SettingRow, row: &SettingRow) -> bool {
    live == row || live.from.is_empty() && live.body == row.body
}
