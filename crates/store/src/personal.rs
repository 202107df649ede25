//! Personal data: in which columns somebody may be named, and how a name is taken out of them.
//!
//! The columns are a list ([`FIELDS`]); a table that names people has its lines there, and whatever asks for somebody's data, or takes it out, goes by
//! them. Issued documents are not in the list: the law makes one keep them as they are.

mod fields;
mod filters;

pub use fields::{CATEGORY_FILTERS, FIELDS, PersonalField, TAG_FILTERS, Written};

use crate::body::purchasing::{buyer_of, read_order};
use crate::configuration;
use crate::database::Store;
use crate::error::StoreError;
use crate::replacement::Replacement;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use futures_util::TryStreamExt;
use sqlx::{AnyConnection, AssertSqlSafe};

/// What belongs to a principal, and goes with it when it gets another name: of `$3` to `$1`, of payer `$2`.
const OF_PRINCIPALS: &[&str] = &[
    "UPDATE access_keys SET principal = $1, status = 'inactive' WHERE payer = $2 AND principal = $3",
    "UPDATE purchase_order_grants SET principal = $1 WHERE payer = $2 AND principal = $3",
];

/// Where somebody is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalRow {
    /// The column, and what it is for.
    pub field: PersonalField,
    /// Which row: the values of its key.
    pub key: Vec<String>,
    /// What it says.
    pub text: String,
}

impl Store {
    /// Where somebody is named, in every column of the lists.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn personal_rows(
        &self,
        payer: &AccountId,
        names: &Replacement,
    ) -> Result<Vec<PersonalRow>, StoreError> {
        let mut transaction = self.begin_read().await?;
        let mut found = Vec::new();
        for field in FIELDS.iter().chain(CATEGORY_FILTERS).chain(TAG_FILTERS) {
            let rows = named(&mut transaction, payer, field, "1 = 1", names).await?;
            found.extend(rows.into_iter().map(|(row, _)| row));
        }
        Ok(found)
    }

    /// The entries of the audit that name somebody, in order.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn personal_entries(
        &self,
        payer: &AccountId,
        names: &Replacement,
    ) -> Result<Vec<crate::AuditRow>, StoreError> {
        let mut transaction = self.begin_read().await?;
        Ok(crate::audit::named(&mut transaction, payer, names)
            .await?
            .into_iter()
            .map(|(row, _)| row)
            .collect())
    }
}

/// The rows in which a column names somebody, of those that `which` says, each with the text without the name.
async fn named(
    connection: &mut AnyConnection,
    payer: &AccountId,
    field: &PersonalField,
    which: &str,
    names: &Replacement,
) -> Result<Vec<(PersonalRow, String)>, StoreError> {
    let key: Vec<_> = field.key.iter().map(|column| format!("CAST({column} AS TEXT)")).collect();
    let PersonalField { table, column, only, .. } = field;
    let sql = format!(
        "SELECT {column}, {} FROM {table} WHERE payer = $1 AND {column} IS NOT NULL AND {only} AND {which} ORDER BY {}",
        key.join(", "),
        field.key.join(", ")
    );
    let mut rows = sqlx::query(AssertSqlSafe(sql)).bind(payer.as_str().to_owned()).fetch(connection);
    let mut found = Vec::new();
    while let Some(row) = rows.try_next().await? {
        let text: String = sql::column(&row, 0)?;
        let Some(without) = field.without(names, &text) else { continue };
        let key = (1..=field.key.len()).map(|at| sql::column(&row, at)).collect::<Result<_, _>>()?;
        found.push((PersonalRow { field: *field, key, text }, without));
    }
    Ok(found)
}

/// A text as it is to be kept; of one that the store reads itself what is wrong with it, if anything.
fn as_kept(row: &PersonalRow, text: &str) -> Result<String, String> {
    let first_of_key = row.key.first().map_or("", String::as_str);
    match (row.field.table, row.field.column) {
        // In the order of members in which it is written: else the next save would take it for another setting.
        ("settings", _) => configuration::as_written(first_of_key, text),
        ("purchase_order_revisions", "body") => {
            buyer_of(first_of_key).and_then(|buyer| read_order(buyer, text)).map(|_| text.to_owned())
        }
        _ => Ok(text.to_owned()),
    }
}

impl Write {
    /// Takes names out of every column of the list; says how many texts were changed. Messages that are still to go to one of them are dropped. `problem`
    /// says what is wrong with a text of a column, if anything: nothing is left behind that cannot be read any more.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] for a text that would not be what it has to be; [`StoreError`] of the database.
    pub async fn erase_names(
        &mut self,
        names: &Replacement,
        now_ms: i64,
        problem: impl Fn(&PersonalField, &str) -> Option<String>,
    ) -> Result<u64, StoreError> {
        let payer = self.payer().clone();
        let (mut changed, mut has_changed_settings) = (0, false);
        let said = filters::said_by_rules(self.connection(), &payer).await?;
        let of_rules = names.clone().in_texts(said);
        let superseded =
            |field: &PersonalField| filters::in_force(field.table).map(|it| format!("NOT ({it})"));
        let everywhere = || "1 = 1".to_owned();
        // What decides nothing any more is replaced, whatever it compared with.
        let of_history = CATEGORY_FILTERS.iter().chain(TAG_FILTERS);
        let of_history = of_history.filter_map(|field| Some((field, superseded(field)?, names)));
        let fields = FIELDS.iter().map(|field| (field, everywhere(), names));
        let following = CATEGORY_FILTERS.iter().map(|field| (field, everywhere(), &of_rules));
        for (field, which, names) in fields.chain(of_history).chain(following) {
            for (row, without) in named(self.connection(), &payer, field, &which, names).await? {
                if field.table == "outbox" && field.column == "recipient" {
                    self.drop_message(row.key.first().map_or("", String::as_str), now_ms).await?;
                }
                let is_damaged = |text: &str| as_kept(&row, text).err().or_else(|| problem(field, text));
                // What nobody could read before is no worse for it.
                if let Some(problem) = is_damaged(&without).filter(|_| is_damaged(&row.text).is_none()) {
                    let PersonalField { table, column, .. } = field;
                    let key = row.key.join(" ");
                    return Err(StoreError::Unfit(format!(
                        "`{column}` of `{table}` `{key}` would not be whole: {problem}"
                    )));
                }
                let kept = as_kept(&row, &without).unwrap_or(without);
                self.replace(&row, kept).await?;
                changed += 1;
                has_changed_settings |= matches!(field.table, "settings" | "resources");
            }
        }
        if has_changed_settings {
            // Whoever holds the configuration reads it again.
            self.head.revision += 1;
        }
        Ok(changed)
    }

    /// How many filters by what cost files say name somebody. They stay as they are: see [`TAG_FILTERS`] and [`CATEGORY_FILTERS`].
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn filters_naming(&mut self, names: &Replacement) -> Result<u64, StoreError> {
        let (payer, mut found) = (self.payer().clone(), 0);
        for field in CATEGORY_FILTERS.iter().chain(TAG_FILTERS) {
            let which = filters::in_force(field.table).unwrap_or("1 = 1");
            found += named(self.connection(), &payer, field, which, names).await?.len() as u64;
        }
        Ok(found)
    }

    async fn replace(&mut self, row: &PersonalRow, without: String) -> Result<(), StoreError> {
        let PersonalField { table, column, key, .. } = row.field;
        let is_it: Vec<_> =
            key.iter().zip(3..).map(|(column, place)| format!("CAST({column} AS TEXT) = ${place}")).collect();
        let sql = format!("UPDATE {table} SET {column} = $1 WHERE payer = $2 AND {}", is_it.join(" AND "));
        let payer = self.payer().as_str().to_owned();
        let mut query = sqlx::query(AssertSqlSafe(sql)).bind(without).bind(payer);
        for value in &row.key {
            query = query.bind(value.clone());
        }
        query.execute(self.connection()).await?;
        match (table, column) {
            ("settings", _) => self.rehash_setting(&row.key).await,
            ("purchase_order_revisions", "body") => self.rehash_order(&row.key).await,
            _ => Ok(()),
        }
    }

    /// The principals that are called so, whatever the case of the letters.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn principals_called(&mut self, name: &str) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT name FROM principals WHERE payer = $1 ORDER BY name";
        let query = sqlx::query_scalar(sql).bind(self.payer().as_str().to_owned());
        let mut names: Vec<String> = query.fetch_all(self.connection()).await?;
        names.retain(|of| of.to_lowercase() == name.to_lowercase());
        Ok(names)
    }

    /// Gives a principal another name, which nobody has, and lets nobody in by its keys any more; `false` where there is no such principal.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`] where somebody has the name.
    pub async fn rename_principal(&mut self, name: &str, instead: &str) -> Result<bool, StoreError> {
        let Some(row) = self.principal(name).await? else { return Ok(false) };
        let payer = self.payer().as_str().to_owned();
        let renamed = crate::PrincipalRow {
            name: instead.to_owned(),
            password_hash: None,
            standing: crate::Standing::Inactive,
            ..row
        };
        self.put_principal(renamed).await?;
        for reference in OF_PRINCIPALS {
            let query =
                sqlx::query(*reference).bind(instead.to_owned()).bind(payer.clone()).bind(name.to_owned());
            query.execute(self.connection()).await?;
        }
        let query = sqlx::query("DELETE FROM principals WHERE payer = $1 AND name = $2").bind(payer);
        query.bind(name.to_owned()).execute(self.connection()).await?;
        Ok(true)
    }

    /// Takes names out of the audit. The hashes of the entries stay, and so does the chain; what such an entry says is not what its hash is of any more, so
    /// whoever does this writes down what it now says. The entries as they are then.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn redact_audit(&mut self, names: &Replacement) -> Result<Vec<crate::AuditRow>, StoreError> {
        let payer = self.payer().clone();
        let found = crate::audit::named(self.connection(), &payer, names).await?;
        let mut redacted = Vec::with_capacity(found.len());
        for (_, row) in found {
            let sql = "UPDATE audit SET principal = $1, resource = $2, detail = $3 WHERE payer = $4 AND sequence = $5";
            sqlx::query(sql)
                .bind(row.principal.clone())
                .bind(row.resource.clone())
                .bind(row.detail.clone())
                .bind(payer.as_str().to_owned())
                .bind(sql::whole(row.sequence)?)
                .execute(self.connection())
                .await?;
            redacted.push(row);
        }
        Ok(redacted)
    }
}

#[cfg(test)]
mod tests;
