//! The audit: who did what, and what was refused. Entries of a payer are chained by their hashes, so that none can be changed, taken out, put in
//! or moved without every later hash being wrong.

use sha2::{Digest, Sha256};

/// The hash that the first entry of a payer follows.
pub const FIRST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

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
    /// Who.
    pub principal: String,
    /// By which key; empty at the operator's command line.
    pub access_key_id: String,
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

/// The hash of an entry that follows another: over all of its fields, each with its length, so that no two entries look alike.
#[must_use]
pub fn chained(previous: &str, sequence: u64, entry: &Entry) -> String {
    let Entry { at_ms, principal, access_key_id, action, resource, decision, request_id, detail } = entry;
    let (sequence, at) = (sequence.to_string(), at_ms.to_string());
    let fields = [
        previous,
        &sequence,
        &at,
        principal,
        access_key_id,
        action,
        resource,
        decision.name(),
        request_id,
        detail,
    ];
    let mut hash = Sha256::new();
    for field in fields {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
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
            access_key_id: String::new(),
            action: action.to_owned(),
            resource: String::new(),
            decision: Decision::Done,
            request_id: String::new(),
            detail: String::new(),
        };
        let one = chained(FIRST, 1, &entry("ab", "c"));
        assert_ne!(one, chained(FIRST, 1, &entry("a", "bc")));
        assert_ne!(one, chained(FIRST, 2, &entry("ab", "c")));
        assert_ne!(one, chained(&one, 1, &entry("ab", "c")));
        assert_eq!(one.len(), 64);
    }
}
