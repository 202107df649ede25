//! Personal data: what is kept of somebody, how it is taken out, and how long what is kept.
//!
//! Where people are named is a list of columns, `store::FIELDS`. An issued document is not in it: the law makes a business keep it as it is (docs/privacy.md).
//! Whoever is taken out gets a name that says nothing, the same everywhere, so that what somebody did stays one person's work.

use crate::audit::{Decision, Entry};
use crate::audit_chain::{ERASED, ErasedEntries, FORGOTTEN, ForgottenEntries, said};
use crate::clock::machine_milliseconds;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error, refused};
use crate::invoices::DraftOptions;
use crate::notifications::{self, NotificationSettings};
use crate::outbox::{ERASED_DOMAIN, is_address, plain, recipient_hash};
use crate::transaction::{Attempt, State};
use crate::vault::new_resource_id;
use crate::write::token_owner;
use billing::account::AccountId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{
    AuditRow, DeskSettingRow, PersonalField, PersonalRow, PrincipalRow, Replacement, StoreError, Write,
};

/// The kind of the setting that says how long what is kept.
const RETENTION: &str = "retention";
/// How many names one person may have at once.
pub const NAMES_MAX: usize = 20;
/// How short a name may be, and how long.
const NAME_CHARACTERS: std::ops::RangeInclusive<usize> = 2..=254;
/// Who acts without being anybody.
const NOBODY: [&str; 3] = ["operator", "proforma", "init"];
/// How many changed entries of the audit one entry names: it stays small enough to be read.
const ENTRIES_NAMED: usize = 1_000;
const DAY_MS: i64 = 86_400_000;

/// What is kept of somebody.
#[derive(Debug, Clone)]
pub struct PersonalData {
    /// The principals of these names.
    pub principals: Vec<PrincipalRow>,
    /// Where they are named in settings, messages and the like.
    pub rows: Vec<PersonalRow>,
    /// Where they are named in the audit.
    pub entries: Vec<AuditRow>,
}

/// What was taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// What is said instead.
    pub instead: String,
    /// How many texts of settings, messages and the like were changed.
    pub texts: u64,
    /// How many entries of the audit.
    pub entries: usize,
    /// How many principals; nobody gets in by their keys any more.
    pub principals: usize,
    /// How many filters by tags of costs still name it, as the costs do; they are for the operator to change.
    pub filters: u64,
}

/// How long what is kept, in days; what has no number is kept for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// What messages say that were sent, given up or dropped, counted from then.
    pub messages: Option<u32>,
    /// Entries of the audit.
    pub audit: Option<u32>,
    /// What settings of the desk said before they were changed, counted from then.
    pub revisions: Option<u32>,
}

impl Default for Retention {
    /// Messages are gone after three months; for the rest the operator has to know its law.
    fn default() -> Self {
        Self { messages: Some(90), audit: None, revisions: None }
    }
}

impl BackOffice {
    /// What is kept of somebody, by all of its names.
    ///
    /// # Errors
    /// [`Error::Refused`] for what is no name.
    pub async fn personal_data(&self, payer: &AccountId, names: &[String]) -> Answer<PersonalData> {
        let replacement = replacement(names, "")?;
        let store = &self.0.store;
        let mut principals = store.principals(payer, "", usize::MAX).await.map_err(Error::internal)?;
        principals.retain(|row| names.iter().any(|name| is_alike(name, &row.name)));
        Ok(PersonalData {
            principals,
            rows: store.personal_rows(payer, &replacement).await.map_err(Error::internal)?,
            entries: store.personal_entries(payer, &replacement).await.map_err(Error::internal)?,
        })
    }

    /// Takes somebody out, by all of its names, in one transaction.
    ///
    /// # Errors
    /// [`Error::Refused`] for what is no name, and for the names of whoever asks.
    pub async fn erase_person(&self, request: &WriteRequest<'_>, names: &[String]) -> Answer<Erased> {
        let caller = request.caller;
        if names.iter().any(|name| is_alike(name, &caller.principal)) {
            return Err(refused(
                "nobody takes out itself: ask by another principal, or at the data directory",
            ));
        }
        let instead = &format!("erased-{}", new_resource_id().map_err(Error::internal)?);
        let replacement = &replacement(names, instead)?;
        let erased = self
            .transaction(&caller.payer, |store, state| async move {
                let mut write = store.write(&caller.payer, &state.head).await?;
                let now_ms = machine_milliseconds();
                untold(&mut write, names, now_ms).await?;
                let mut principals = 0;
                for name in names {
                    for called in write.principals_called(name).await? {
                        principals += 1;
                        if let Some(row) = write.principal(&called).await? {
                            write.forget_tokens_of(&token_owner(&row.name, row.created_at_ms)).await?;
                        }
                        write.rename_principal(&called, &nth(instead, principals)).await?;
                    }
                }
                let texts = write.erase_names(replacement, now_ms, unreadable).await.map_err(unfit)?;
                let redacted = write.redact_audit(replacement).await?;
                let (entries, filters) = (redacted.len(), write.filters_naming(replacement).await?);
                state.commit(write, erasures(request, instead, &redacted)?).await?;
                // Names of accounts are part of what readers hold.
                let state = Arc::new(State::load(&store, &caller.payer).await?);
                Ok((state, Erased { instead: instead.clone(), texts, entries, principals, filters }))
            })
            .await?;
        if erased.principals > 0 {
            self.0.keys.forget_all();
        }
        Ok(erased)
    }

    /// How long what is kept.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn retention(&self, payer: &AccountId) -> Answer<Retention> {
        let rows = self.0.store.desk_settings(payer, RETENTION).await.map_err(Error::internal)?;
        retention_of(&rows)
    }

    /// Says how long what is kept; what it says then.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn change_retention(
        &self,
        request: &WriteRequest<'_>,
        change: impl Fn(Retention) -> Retention + Sync,
    ) -> Answer<Retention> {
        let change = &change;
        self.transaction(&request.caller.payer, |store, state| async move {
            let mut write = store.write(&request.caller.payer, &state.head).await?;
            let new = change(retention_of(&write.desk_settings(RETENTION).await?)?);
            let body = serde_json::to_string(&new).map_err(Error::internal)?;
            write.put_desk_setting((RETENTION, ""), &body, machine_milliseconds()).await?;
            Ok((state.commit(write, [request.done(RETENTION)]).await?, new))
        })
        .await
    }

    /// Removes what was kept for long enough, of every payer.
    ///
    /// # Errors
    /// [`Error::Internal`]; what of the payers before was removed stays so.
    pub async fn forget_old(&self) -> Answer<()> {
        for payer in self.0.store.payers().await.map_err(Error::internal)? {
            self.forget_old_of(&payer.payer).await?;
        }
        Ok(())
    }

    /// Removes what was kept for long enough.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn forget_old_of(&self, payer: &AccountId) -> Answer<()> {
        let retention = self.retention(payer).await?;
        let now_ms = machine_milliseconds();
        let before = |days: Option<u32>| days.map(|days| now_ms - i64::from(days) * DAY_MS);
        self.transaction(payer, |store, state| async move {
            let mut write = store.write(payer, &state.head).await?;
            let mut entries = Vec::new();
            if let Some(before_ms) = before(retention.messages) {
                write.forget_messages(before_ms).await?;
            }
            if let Some(before_ms) = before(retention.revisions) {
                write.forget_desk_settings(before_ms).await?;
                write.forget_executions(before_ms).await?;
            }
            if let Some(before_ms) = before(retention.audit)
                && let Some((through, hash)) = write.forget_audit(before_ms).await?
            {
                let detail =
                    serde_json::to_string(&ForgottenEntries { through, hash }).map_err(Error::internal)?;
                entries.push(self.own_entry(payer, FORGOTTEN, detail));
            }
            Ok((state.commit(write, entries).await?, ()))
        })
        .await
    }

    /// An entry of what the desk does by itself.
    fn own_entry(&self, payer: &AccountId, action: &str, detail: String) -> Entry {
        let caller = self.operator(payer, String::new());
        let entry = Entry::now(&caller, action, "", &detail, Decision::Done);
        Entry { principal: "proforma".to_owned(), ..entry }
    }
}

/// Whether two names are the same, whatever the case of their letters.
fn is_alike(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// What is wrong with a text of a column that others than the store read.
#[must_use]
pub fn unreadable(field: &PersonalField, text: &str) -> Option<String> {
    match (field.table, field.column) {
        ("invoice_settings", "body") => {
            invoice_file::settings::check(text).err().map(|error| error.to_string())
        }
        ("invoice_drafts", "options") if !text.is_empty() => {
            serde_json::from_str::<DraftOptions>(text).err().map(|error| error.to_string())
        }
        _ => None,
    }
}

/// Why nothing is erased: what would be left could not be read.
fn unfit(error: StoreError) -> Attempt {
    match error {
        StoreError::Unfit(problem) => {
            refused(format!("{problem}; change it so that it does without the name, then erase again")).into()
        }
        error => error.into(),
    }
}

fn retention_of(rows: &[DeskSettingRow]) -> Answer<Retention> {
    let said = rows.first().map(|row| serde_json::from_str(&row.body)).transpose();
    Ok(said.map_err(Error::internal)?.unwrap_or_default())
}

/// What is said in place of each name, and of the hash of each address.
fn replacement(names: &[String], instead: &str) -> Answer<Replacement> {
    if names.is_empty() || names.len() > NAMES_MAX {
        return Err(refused(format!("a person has 1 to {NAMES_MAX} names; {} were given", names.len())));
    }
    let (mut pairs, mut recipients, mut addresses) = (Vec::new(), Vec::new(), 0);
    for name in names {
        let shown = plain(name);
        if !NAME_CHARACTERS.contains(&name.chars().count()) || !could_be_a_person(name) || shown != *name {
            let (least, most) = (NAME_CHARACTERS.start(), NAME_CHARACTERS.end());
            return Err(refused(format!(
                "`{shown}` is no name of a person: it takes {least} to {most} characters in a line, a letter among them, or a telephone number from `+` on"
            )));
        }
        if NOBODY.contains(&name.to_lowercase().as_str()) {
            return Err(refused(format!(
                "`{shown}` is what the desk itself is called in the audit, not a person"
            )));
        }
        if is_address(name) {
            addresses += 1;
            // Two addresses stay two: each was told the same news once.
            let other = format!("{}@{ERASED_DOMAIN}", nth(instead, addresses));
            recipients.push((recipient_hash(name), recipient_hash(&other)));
            pairs.push((name.clone(), other));
        } else {
            pairs.push((name.clone(), instead.to_owned()));
        }
    }
    Ok(Replacement::new(pairs).with_recipients(recipients))
}

/// What is said in place of the n-th of several that have to stay apart.
fn nth(instead: &str, n: usize) -> String {
    if n == 1 { instead.to_owned() } else { format!("{instead}-{n}") }
}

/// Whether a text may be what somebody is called, or called at: numbers of accounts and amounts are not.
fn could_be_a_person(name: &str) -> bool {
    name.chars().any(char::is_alphabetic) || name.starts_with('+')
}

/// Tells the persons of some addresses nothing any more.
async fn untold(write: &mut Write, names: &[String], now_ms: i64) -> Result<(), Attempt> {
    let mut settings = NotificationSettings::of(&write.desk_settings(notifications::SETTING).await?)?;
    let before = settings.emails.len();
    settings.emails.retain(|to| !names.iter().any(|name| is_alike(name, to)));
    if settings.emails.len() < before {
        let body = serde_json::to_string(&settings).map_err(Error::internal)?;
        write.put_desk_setting((notifications::SETTING, ""), &body, now_ms).await?;
    }
    Ok(())
}

/// The entries that say that names were taken out, and what the changed entries now say; who it was is in none of them.
fn erasures(request: &WriteRequest<'_>, instead: &str, redacted: &[AuditRow]) -> Answer<Vec<Entry>> {
    let mut changed = redacted.iter().filter_map(|row| Some((row.sequence, said(row)?))).peekable();
    let mut entries = Vec::new();
    while entries.is_empty() || changed.peek().is_some() {
        let some: BTreeMap<u64, String> = changed.by_ref().take(ENTRIES_NAMED).collect();
        let detail = ErasedEntries { instead: instead.to_owned(), entries: some };
        let detail = serde_json::to_string(&detail).map_err(Error::internal)?;
        entries.push(Entry { action: ERASED.to_owned(), detail, ..request.done(instead) });
    }
    Ok(entries)
}
