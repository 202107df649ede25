//! The keys that were asked for a moment ago, so that not every request asks the database, and when keys were last used.

use crate::authorization::{Role, Scope};
use billing::account::AccountId;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How long a key that was looked up is taken as it was: a key that is deactivated is refused after this time.
const KNOWN_FOR: Duration = Duration::from_millis(900);
/// How many keys are remembered.
const KNOWN_MAX: usize = 4_096;

/// A key that a request names, with what is needed to check its signature and to let it do something.
#[derive(Debug, Clone)]
pub struct KnownKey {
    /// The payer whose data the key is for.
    pub payer: AccountId,
    /// Whose key it is.
    pub principal: String,
    /// When the principal was created, in milliseconds since 1970-01-01T00:00:00Z.
    pub principal_since_ms: i64,
    /// Its role.
    pub role: Role,
    /// What it may see.
    pub scope: Scope,
    /// The secret.
    pub secret: Zeroizing<String>,
    /// Whether key and principal may be used.
    pub is_active: bool,
}

/// Keys by id. An id that does not exist is remembered too: asking for it costs no more than for others.
#[derive(Default)]
pub(crate) struct KnownKeys {
    known: Mutex<BTreeMap<String, (Instant, Option<KnownKey>)>>,
    used: Mutex<BTreeMap<String, i64>>,
}

impl KnownKeys {
    /// What was found of an id a moment ago; the inner `None` where there was no such key.
    pub fn get(&self, access_key_id: &str) -> Option<Option<KnownKey>> {
        let known = lock(&self.known);
        known.get(access_key_id).filter(|(at, _)| at.elapsed() < KNOWN_FOR).map(|(_, key)| key.clone())
    }

    /// Remembers a key, or that there is none, while there is room.
    pub fn remember(&self, access_key_id: &str, key: Option<KnownKey>) {
        let mut known = lock(&self.known);
        if known.len() >= KNOWN_MAX {
            known.retain(|_, (at, _)| at.elapsed() < KNOWN_FOR);
        }
        if known.len() < KNOWN_MAX {
            known.insert(access_key_id.to_owned(), (Instant::now(), key));
        }
    }

    /// Forgets a key that was changed.
    pub fn forget(&self, access_key_id: &str) {
        lock(&self.known).remove(access_key_id);
    }

    /// Forgets all of them.
    pub fn forget_all(&self) {
        lock(&self.known).clear();
    }

    /// Notes that a key was used, in milliseconds since 1970-01-01T00:00:00Z.
    pub fn note_used(&self, access_key_id: &str, at_ms: i64) {
        lock(&self.used).insert(access_key_id.to_owned(), at_ms);
    }

    /// The keys that were used since this was asked last.
    pub fn take_used(&self) -> Vec<(String, i64)> {
        std::mem::take(&mut *lock(&self.used)).into_iter().collect()
    }

    /// Puts back what could not be written; what came since is later.
    pub fn put_back_used(&self, used: Vec<(String, i64)>) {
        let mut since = lock(&self.used);
        for (access_key_id, at_ms) in used {
            since.entry(access_key_id).or_insert(at_ms);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
