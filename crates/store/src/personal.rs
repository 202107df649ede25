//! Personal data: in which columns somebody may be named, and how a name is taken out of them.
//!
//! The columns are a list ([`FIELDS`]); a table that names people has its lines there, and whatever asks for somebody's data, or takes it out, goes by
//! them. Issued documents are not in the list: the law makes one keep them as they are.

use crate::database::Store;
use crate::error::StoreError;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use futures_util::TryStreamExt;
use sqlx::{AnyConnection, AssertSqlSafe};

/// A column in which somebody may be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonalField {
    /// The table; each has a column `payer`.
    pub table: &'static str,
    /// The columns by which a row is found, beside the payer. They name nobody.
    pub key: &'static [&'static str],
    /// The column. What of its text names somebody is replaced, the rest stays.
    pub column: &'static str,
    /// Which rows of the table, as SQL says it.
    pub only: &'static str,
    /// What the column is for, in words for whoever asks for its data.
    pub what: &'static str,
}

const fn field(
    table: &'static str,
    key: &'static [&'static str],
    column: &'static str,
    what: &'static str,
) -> PersonalField {
    PersonalField { table, key, column, only: "1 = 1", what }
}

const SETTING: &[&str] = &["kind", "id", "from_period", "revision"];
const INVOICE_SETTING: &[&str] = &["billing_group", "from_period", "version"];
const RATE: &[&str] = &["from_currency", "to_currency", "day"];
const ORDER: &[&str] = &["buyer", "id", "revision"];
const ASSOCIATION: &[&str] = &["buyer", "invoice", "sequence"];
const DESK_SETTING: &[&str] = &["kind", "id", "revision"];

/// Every column in which somebody may be named, but for the principals and the audit, whose rows are bound to others: see
/// [`Write::rename_principal`] and [`Write::redact_audit`].
pub const FIELDS: &[PersonalField] = &[
    field("outbox", &["id"], "recipient", "whom a message went to"),
    field("outbox", &["id"], "dedupe_key", "whom a message went to, as a hash"),
    field("outbox", &["id"], "subject", "what a message is about"),
    field("outbox", &["id"], "body", "what a message says"),
    field("outbox", &["id"], "last_error", "what a mail server has said of a message"),
    field("desk_settings", DESK_SETTING, "body", "whom news goes to, and what it was before"),
    // What an account is called: names of groups, plans and rules are on what they have priced.
    PersonalField {
        only: "kind = 'family_account'",
        ..field("settings", SETTING, "body", "names and addresses of accounts, and what they were before")
    },
    field(
        "invoice_settings",
        INVOICE_SETTING,
        "body",
        "sellers, buyers and their contacts, for invoices to come",
    ),
    field("invoice_settings", INVOICE_SETTING, "recorded_by", "who has settled how invoices are made"),
    field("exchange_rates", RATE, "recorded_by", "who has imported a rate of exchange"),
    field("invoice_drafts", &["id"], "created_by", "who has drafted an invoice"),
    field("closes", &["period"], "closed_by", "who has closed a period"),
    field(
        "purchase_order_revisions",
        ORDER,
        "body",
        "contacts and addresses of purchase orders, and what they were before",
    ),
    field("purchase_order_revisions", ORDER, "recorded_by", "who has changed a purchase order"),
    field(
        "invoice_associations",
        ASSOCIATION,
        "recorded_by",
        "who has decided which purchase order an invoice is charged to",
    ),
    field("invoice_associations", ASSOCIATION, "reason", "why somebody has decided so"),
    field("matching_settings", &["revision"], "recorded_by", "who has said how invoices are matched"),
    field("purchase_order_grants", &["principal"], "recorded_by", "who has narrowed what somebody may order"),
];

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

/// Texts that name somebody, each with what is said instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement(Vec<(String, String)>);

impl Replacement {
    /// Replaces each of some texts by another; none of them is empty.
    #[must_use]
    pub fn new(pairs: Vec<(String, String)>) -> Self {
        let mut all: Vec<(String, String)> = Vec::new();
        for (name, instead) in pairs.into_iter().filter(|(name, _)| !name.is_empty()) {
            // Texts stand in JSON as JSON writes them.
            let within = serde_json::Value::from(name.as_str()).to_string();
            let within = within.trim_matches('"').to_owned();
            if within != name {
                all.push((within, instead.clone()));
            }
            all.push((name, instead));
        }
        Self(all)
    }

    /// A text without the names; `None` where it has none of them. Letters are compared without regard to case, and a name within a longer word is none.
    #[must_use]
    pub fn of(&self, text: &str) -> Option<String> {
        let mut replaced: Option<String> = None;
        for (name, instead) in &self.0 {
            let from = replaced.as_deref().unwrap_or(text);
            if let Some(without) = without(from, name, instead) {
                replaced = Some(without);
            }
        }
        replaced
    }
}

/// A text with every occurrence of a name replaced; `None` where there is none.
fn without(text: &str, name: &str, instead: &str) -> Option<String> {
    let (mut out, mut rest, mut before, mut is_found) = (String::new(), text, None, false);
    while let Some(first) = rest.chars().next() {
        if let Some(after) = stripped(rest, name)
            && !before.is_some_and(is_of_name)
            && !goes_on(after)
        {
            out.push_str(instead);
            before = name.chars().next_back();
            rest = after;
            is_found = true;
            continue;
        }
        out.push(first);
        before = Some(first);
        rest = rest.get(first.len_utf8()..).unwrap_or_default();
    }
    is_found.then_some(out)
}

/// What comes after a name at the beginning of a text, whatever the case of its letters.
fn stripped<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let mut chars = text.chars();
    for wanted in name.chars() {
        let is_it = chars.next().is_some_and(|c| c == wanted || c.to_lowercase().eq(wanted.to_lowercase()));
        if !is_it {
            return None;
        }
    }
    Some(chars.as_str())
}

const fn is_sign(c: char) -> bool {
    matches!(c, '_' | '%' | '+' | '-' | '@')
}

/// Whether a character before a name makes it the end of a longer one.
fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || is_sign(c) || c == '.'
}

/// Whether a name goes on with what comes after it: a full stop that ends a sentence does not.
fn goes_on(after: &str) -> bool {
    let mut chars = after.chars();
    match chars.next() {
        Some('.') => chars.next().is_some_and(char::is_alphanumeric),
        Some(c) => c.is_alphanumeric() || is_sign(c),
        None => false,
    }
}

impl Store {
    /// Where somebody is named, in every column of the list.
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
        for field in FIELDS {
            found.extend(named(&mut transaction, payer, field, names).await?.into_iter().map(|(row, _)| row));
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

/// The rows in which a column names somebody, each with the text without the name.
async fn named(
    connection: &mut AnyConnection,
    payer: &AccountId,
    field: &PersonalField,
    names: &Replacement,
) -> Result<Vec<(PersonalRow, String)>, StoreError> {
    let key: Vec<_> = field.key.iter().map(|column| format!("CAST({column} AS TEXT)")).collect();
    let PersonalField { table, column, only, .. } = field;
    let sql = format!(
        "SELECT {column}, {} FROM {table} WHERE payer = $1 AND {column} IS NOT NULL AND {only} ORDER BY {}",
        key.join(", "),
        field.key.join(", ")
    );
    let mut rows = sqlx::query(AssertSqlSafe(sql)).bind(payer.as_str().to_owned()).fetch(connection);
    let mut found = Vec::new();
    while let Some(row) = rows.try_next().await? {
        let text: String = sql::column(&row, 0)?;
        let Some(without) = names.of(&text) else { continue };
        let key = (1..=field.key.len()).map(|at| sql::column(&row, at)).collect::<Result<_, _>>()?;
        found.push((PersonalRow { field: *field, key, text }, without));
    }
    Ok(found)
}

impl Write {
    /// Takes names out of every column of the list; says how many texts were changed. Messages that are still to go to one of them are dropped.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn erase_names(&mut self, names: &Replacement, now_ms: i64) -> Result<u64, StoreError> {
        let payer = self.payer().clone();
        let (mut changed, mut has_changed_settings) = (0, false);
        for field in FIELDS {
            for (row, without) in named(self.connection(), &payer, field, names).await? {
                if field.table == "outbox" && field.column == "recipient" {
                    self.drop_message(row.key.first().map_or("", String::as_str), now_ms).await?;
                }
                self.replace(&row, without).await?;
                changed += 1;
                has_changed_settings |= field.table == "settings";
            }
        }
        if has_changed_settings {
            // Whoever holds the configuration reads it again.
            self.head.revision += 1;
        }
        Ok(changed)
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
mod tests {
    //! Which texts name somebody.

    use super::*;

    #[test]
    fn a_name_is_a_whole_one() {
        let names = |name: &str| Replacement::new(vec![(name.to_owned(), "erased-1".to_owned())]);
        let ann = names("ann@example.com");
        for (text, expected) in [
            ("ann@example.com", Some("erased-1")),
            ("to ANN@Example.com.", Some("to erased-1.")),
            ("[\"ann@example.com\",\"b@example.com\"]", Some("[\"erased-1\",\"b@example.com\"]")),
            ("ann@example.com,ann@example.com", Some("erased-1,erased-1")),
            ("joann@example.com", None),
            ("jo.ann@example.com", None),
            ("ann@example.com.au", None),
            ("ann@example.community", None),
            ("ann", None),
            ("", None),
        ] {
            assert_eq!(ann.of(text).as_deref(), expected, "{text}");
        }
        assert_eq!(names("ann").of("ann (AKIA) and annual").as_deref(), Some("erased-1 (AKIA) and annual"));
        let quoted = names("Zoë \"Zo\" O'Hara");
        assert_eq!(quoted.of(r#"{"Name":"zoë \"Zo\" O'Hara"}"#).as_deref(), Some(r#"{"Name":"erased-1"}"#));
        assert_eq!(Replacement::new(vec![(String::new(), "x".to_owned())]).of("a"), None);
    }
}
