//! What was read or refused and is not in the audit yet: kept until a batch is written, and no more of it than there is room for.

use crate::audit::Entry;
use billing::account::AccountId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// After how many entries of a payer they are written before their time.
const MANY: usize = 10_000;
/// How many entries of a payer there may be: while the database takes none, nothing is allowed beyond them. What is just being answered may come
/// on top.
const ENTRIES_MAX: usize = 50_000;

/// Entries that are to be written, by payer: where the audit of one takes nothing, the others' goes on. A clone is another handle of the same.
#[derive(Clone, Default)]
pub(crate) struct Unwritten(Arc<Mutex<BTreeMap<AccountId, OfPayer>>>);

#[derive(Default)]
struct OfPayer {
    waiting: Vec<Entry>,
    /// How many were taken to be written, and are not yet known to be.
    taken: usize,
}

impl Unwritten {
    /// Keeps an entry for the next batch; whether there are so many that it should be written now.
    pub fn note(&self, payer: &AccountId, entry: Entry) -> bool {
        let mut entries = self.lock();
        let of_payer = entries.entry(payer.clone()).or_default();
        of_payer.waiting.push(entry);
        of_payer.taken == 0 && of_payer.waiting.len() >= MANY
    }

    /// Whether there is no room for more of a payer.
    pub fn is_full(&self, payer: &AccountId) -> bool {
        self.lock().get(payer).is_some_and(|of| of.waiting.len() + of.taken >= ENTRIES_MAX)
    }

    /// Takes what there is of the payers of whom nothing is being written just now.
    pub fn take(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        for (payer, of_payer) in self.lock().iter_mut() {
            if of_payer.taken == 0 && !of_payer.waiting.is_empty() {
                let entries = std::mem::take(&mut of_payer.waiting);
                of_payer.taken = entries.len();
                parts.push(Part { of: self.clone(), payer: payer.clone(), entries });
            }
        }
        parts
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<AccountId, OfPayer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was taken of a payer. Unless it is said to be [`written`](Self::written), it goes back when it is dropped, before what has come since.
pub(crate) struct Part {
    of: Unwritten,
    pub payer: AccountId,
    pub entries: Vec<Entry>,
}

impl Part {
    /// It is in the audit.
    pub fn written(mut self) {
        self.entries.clear();
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let mut entries = self.of.lock();
        let of_payer = entries.entry(self.payer.clone()).or_default();
        of_payer.taken = 0;
        of_payer.waiting.splice(..0, self.entries.drain(..));
    }
}
