//! Whether the audit is as it was written: each entry has the hash of the one before, and of itself.
//!
//! Two things change it by right, and say so in later entries of the same chain: the names of a person are taken out (the entry that says so has what each
//! changed entry now says, by its hash), and entries that are too old are removed from its beginning (the entry that says so has the hash that the rest
//! goes on from). Whoever changes anything else is found, and so is whoever changes those entries.

use crate::audit::{Decision, chained, entry_of};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::AuditRow;

/// What an entry is called that names were taken out by.
pub(crate) const ERASED: &str = "proforma:ErasePersonalData";
/// What an entry is called that old ones were removed by.
pub(crate) const FORGOTTEN: &str = "proforma:ForgetAuditEvents";

/// What an entry of [`ERASED`] says.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct ErasedEntries {
    /// What is said in place of the names.
    pub instead: String,
    /// The changed entries, by number, each with the hash over what it now says.
    pub entries: BTreeMap<u64, String>,
}

/// What an entry of [`FORGOTTEN`] says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct ForgottenEntries {
    /// The last entry that was removed.
    pub through: u64,
    /// Its hash.
    pub hash: String,
}

/// What an entry says, by a hash that is the entry's own unless names were taken out of it since; `None` where its decision is no word of ours.
#[must_use]
pub(crate) fn said(row: &AuditRow) -> Option<String> {
    entry_of(row).map(|entry| chained(&row.previous_hash, row.sequence, &entry))
}

/// A chain that is followed, entry by entry.
#[derive(Debug, Default)]
pub struct Chain {
    first: Option<(u64, String)>,
    last: Option<(u64, String)>,
    broken: Option<u64>,
    /// Entries that are not what their hash is of, with what they say.
    unlike: BTreeMap<u64, String>,
    /// What entries say by right.
    by_right: BTreeMap<u64, String>,
    forgotten: Option<ForgottenEntries>,
}

impl Chain {
    /// Goes on with the next entry.
    pub fn add(&mut self, row: &AuditRow) {
        if self.broken.is_some() {
            return;
        }
        let follows = match &self.last {
            Some((sequence, hash)) => row.sequence == sequence + 1 && row.previous_hash == *hash,
            None => {
                self.first = Some((row.sequence, row.previous_hash.clone()));
                true
            }
        };
        let Some(said) = said(row).filter(|_| follows) else {
            self.broken = Some(row.sequence);
            return;
        };
        if said != row.hash {
            self.unlike.insert(row.sequence, said);
        }
        if row.decision == Decision::Done.name() && row.action == ERASED {
            let erased: ErasedEntries = serde_json::from_str(&row.detail).unwrap_or_default();
            self.by_right.extend(erased.entries);
        }
        if row.decision == Decision::Done.name() && row.action == FORGOTTEN {
            self.forgotten = serde_json::from_str(&row.detail).ok();
        }
        self.last = Some((row.sequence, row.hash.clone()));
    }

    /// What is wrong with the whole of it, if anything; `head` is the hash of the last entry.
    #[must_use]
    pub fn problem(&self, head: &str) -> Option<String> {
        let begins_by_right = match &self.first {
            None => true,
            Some((1, previous)) => previous.is_empty(),
            Some((first, previous)) => {
                self.forgotten.as_ref().is_some_and(|of| of.through + 1 == *first && of.hash == *previous)
            }
        };
        if let (false, Some((first, _))) = (begins_by_right, &self.first) {
            return Some(format!("entries are missing at the beginning of the audit, before {first}"));
        }
        // What was said by right after a break is not known.
        if let Some(sequence) = self.broken {
            return Some(not_as_written(sequence));
        }
        let changed = self.unlike.iter().find(|(sequence, said)| self.by_right.get(sequence) != Some(said));
        if let Some((sequence, _)) = changed {
            return Some(not_as_written(*sequence));
        }
        let (after, last) = self.last.as_ref().map_or((0, ""), |(sequence, hash)| (*sequence, hash.as_str()));
        (last != head).then(|| format!("entries are missing at the end of the audit, after {after}"))
    }
}

fn not_as_written(sequence: u64) -> String {
    format!("entry {sequence} of the audit is not as it was written")
}

#[cfg(test)]
mod tests {
    //! What may be missing or changed, and what may not.

    use super::*;
    use crate::audit::{Entry, rows};
    use store::AuditHead;

    fn entry(action: &str, detail: String) -> Entry {
        Entry {
            at_ms: 1,
            principal: "ann".to_owned(),
            action: action.to_owned(),
            resource: String::new(),
            decision: Decision::Done,
            request_id: String::new(),
            detail,
        }
    }

    fn problem(rows: &[AuditRow]) -> Option<String> {
        let mut chain = Chain::default();
        rows.iter().for_each(|row| chain.add(row));
        chain.problem(&rows.last().unwrap().hash)
    }

    fn more(audit: &mut Vec<AuditRow>, entries: Vec<Entry>) {
        let head = audit.last().map(|row| AuditHead { sequence: row.sequence, hash: row.hash.clone() });
        audit.extend(rows(&head.unwrap_or_default(), entries));
    }

    #[test]
    fn what_was_taken_out_by_right_is_no_problem() {
        let mut audit = Vec::new();
        more(&mut audit, (0..4).map(|n| entry("a", n.to_string())).collect());
        assert_eq!(problem(&audit), None);
        audit[1].principal = "erased-1".to_owned();
        assert_eq!(problem(&audit).as_deref(), Some("entry 2 of the audit is not as it was written"));
        let entries = BTreeMap::from([(2, said(&audit[1]).unwrap())]);
        let detail =
            serde_json::to_string(&ErasedEntries { instead: "erased-1".to_owned(), entries }).unwrap();
        more(&mut audit, vec![entry(ERASED, detail)]);
        assert_eq!(problem(&audit), None);
        let mut other = audit.clone();
        other[1].detail = "other".to_owned();
        assert_eq!(problem(&other).as_deref(), Some("entry 2 of the audit is not as it was written"));
        let mut other = audit.clone();
        other[4].detail = other[4].detail.replace("erased-1", "erased-2");
        assert_eq!(problem(&other).as_deref(), Some("entry 5 of the audit is not as it was written"));
        let mut other = audit;
        other.remove(2);
        assert_eq!(problem(&other).as_deref(), Some("entry 4 of the audit is not as it was written"));
    }

    #[test]
    fn what_was_removed_by_right_is_no_problem() {
        let mut audit = Vec::new();
        more(&mut audit, (0..4).map(|n| entry("a", n.to_string())).collect());
        assert_eq!(
            problem(&audit[2..]).as_deref(),
            Some("entries are missing at the beginning of the audit, before 3")
        );
        let forgotten = ForgottenEntries { through: 2, hash: audit[1].hash.clone() };
        more(&mut audit, vec![entry(FORGOTTEN, serde_json::to_string(&forgotten).unwrap())]);
        assert_eq!(problem(&audit[2..]), None);
        assert_eq!(
            problem(&audit[3..]).as_deref(),
            Some("entries are missing at the beginning of the audit, before 4")
        );
        let mut chain = Chain::default();
        audit[2..4].iter().for_each(|row| chain.add(row));
        assert!(chain.problem(&audit[4].hash).is_some());
    }
}
