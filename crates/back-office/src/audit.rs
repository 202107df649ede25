//! The audit: who did what, and what was refused. Entries of a payer are chained by their hashes, so that none can be changed, taken out, put in
//! or moved without every later hash being wrong.

use crate::authorization::Caller;
use crate::clock::machine_milliseconds;
use crate::hash::{hex, sha256};
use sha2::{Digest, Sha256};
use store::AuditHead;

pub use store::AuditRow;

/// Whether somebody was let do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It was done.
    Done,
    /// It may not do that.
    Denied,
    /// It may, but the configuration refuses it.
    Refused,
    /// It was read.
    Read,
}

impl Decision {
    /// The word for it in the audit.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Denied => "denied",
            Self::Refused => "refused",
            Self::Read => "read",
        }
    }
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When, by the machine's clock, in milliseconds since 1970-01-01T00:00:00Z.
    pub at_ms: i64,
    /// Who, and by which key.
    pub principal: String,
    /// What, as IAM names it: `billingconductor:CreateBillingGroup`.
    pub action: String,
    /// On what: an ARN, or nothing.
    pub resource: String,
    /// What came of it.
    pub decision: Decision,
    /// The request.
    pub request_id: String,
    /// What was asked for, of a write; no secret.
    pub detail: String,
}

impl Entry {
    /// The entry of what a caller asks for, at its own time.
    pub(crate) fn now(
        caller: &Caller,
        action: &str,
        resource: &str,
        detail: &str,
        decision: Decision,
    ) -> Self {
        let principal = match caller.access_key_id.as_str() {
            "" => caller.principal.clone(),
            key => format!("{} ({key})", caller.principal),
        };
        Self {
            at_ms: machine_milliseconds(),
            principal,
            action: action.to_owned(),
            resource: resource.to_owned(),
            decision,
            request_id: caller.request_id.clone(),
            detail: detail.to_owned(),
        }
    }
}

/// The hash of an entry that follows the one of a hash, the first one that of no text: over all of its fields, each with its length, so that no two entries look alike.
#[must_use]
pub fn chained(previous: &str, sequence: u64, entry: &Entry) -> String {
    let Entry { at_ms, principal, action, resource, decision, request_id, detail } = entry;
    let (sequence, at) = (sequence.to_string(), at_ms.to_string());
    let fields = [previous, &sequence, &at, principal, action, resource, decision.name(), request_id, detail];
    let mut hash = Sha256::new();
    for field in fields {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field.as_bytes());
    }
    hex(&hash.finalize())
}

/// The SHA-256 of a text, as an entry names what is too long for it.
#[must_use]
pub fn digest(text: &str) -> String {
    format!("sha256:{}", sha256(text))
}

/// The rows of entries that follow a head, chained to it.
pub(crate) fn rows(head: &AuditHead, entries: impl IntoIterator<Item = Entry>) -> Vec<AuditRow> {
    let mut last = head.clone();
    let row = |entry: Entry| {
        let sequence = last.sequence + 1;
        let hash = chained(&last.hash, sequence, &entry);
        let previous_hash = std::mem::replace(&mut last, AuditHead { sequence, hash: hash.clone() }).hash;
        let Entry { at_ms, principal, action, resource, decision, request_id, detail } = entry;
        let decision = decision.name().to_owned();
        AuditRow {
            sequence,
            at_ms,
            principal,
            action,
            resource,
            decision,
            request_id,
            detail,
            previous_hash,
            hash,
        }
    };
    entries.into_iter().map(row).collect()
}

/// The entry that a row keeps; `None` where its decision is no word of ours.
#[must_use]
pub fn entry_of(row: &AuditRow) -> Option<Entry> {
    let words = [Decision::Done, Decision::Denied, Decision::Refused, Decision::Read];
    Some(Entry {
        at_ms: row.at_ms,
        principal: row.principal.clone(),
        action: row.action.clone(),
        resource: row.resource.clone(),
        decision: words.into_iter().find(|word| word.name() == row.decision)?,
        request_id: row.request_id.clone(),
        detail: row.detail.clone(),
    })
}

#[cfg(test)]
mod tests {
    //! Entries that differ have hashes that differ.

    use super::*;

    #[test]
    fn no_field_can_be_moved_into_another() {
        let entry = |principal: &str, action: &str| Entry {
            at_ms: 1,
            principal: principal.to_owned(),
            action: action.to_owned(),
            resource: String::new(),
            decision: Decision::Done,
            request_id: String::new(),
            detail: String::new(),
        };
        let one = chained("", 1, &entry("ab", "c"));
        assert_ne!(one, chained("", 1, &entry("a", "bc")));
        assert_ne!(one, chained("", 2, &entry("ab", "c")));
        assert_ne!(one, chained(&one, 1, &entry("ab", "c")));
        assert_eq!(one.len(), 64);
    }
}
