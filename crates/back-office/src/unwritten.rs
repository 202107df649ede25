//! What was read or refused and is not in the audit yet: kept until a batch is written, and no more of it than there is room for.

use crate::audit::Entry;
use billing::account::AccountId;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// After how many entries they are written before their time.
const MANY: usize = 10_000;
/// How many entries there may be: while the database takes none, nothing is allowed beyond them. What is just being answered may come on top.
const ENTRIES_MAX: usize = 50_000;

/// Entries of all payers that are to be written.
#[derive(Default)]
pub(crate) struct Unwritten(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    waiting: Vec<(AccountId, Entry)>,
    /// How many were taken to be written, and are not yet known to be.
    taken: usize,
}

impl Unwritten {
    /// Keeps an entry for the next batch; whether there are so many that it should be written now.
    pub fn note(&self, payer: &AccountId, entry: Entry) -> bool {
        let mut entries = self.lock();
        entries.waiting.push((payer.clone(), entry));
        entries.waiting.len() >= MANY
    }

    /// Whether there is no room for more.
    pub fn is_full(&self) -> bool {
        let entries = self.lock();
        entries.waiting.len() + entries.taken >= ENTRIES_MAX
    }

    /// Takes what there is, by payer. Each payer's part is said to be [`written`](Self::written), or [put back](Self::put_back).
    pub fn take(&self) -> BTreeMap<AccountId, Vec<Entry>> {
        let mut entries = self.lock();
        let waiting = std::mem::take(&mut entries.waiting);
        entries.taken += waiting.len();
        let mut by_payer: BTreeMap<AccountId, Vec<Entry>> = BTreeMap::new();
        for (payer, entry) in waiting {
            by_payer.entry(payer).or_default().push(entry);
        }
        by_payer
    }

    /// So many that were taken are in the audit.
    pub fn written(&self, count: usize) {
        self.lock().taken -= count;
    }

    /// Puts a payer's part back, before what has come since.
    pub fn put_back(&self, payer: &AccountId, part: Vec<Entry>) {
        let mut entries = self.lock();
        entries.taken -= part.len();
        entries.waiting.splice(..0, part.into_iter().map(|entry| (payer.clone(), entry)));
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
