//! As of what notices were looked at last, so that nothing is asked again that has not changed.

use billing::account::AccountId;
use billing::period::BillingPeriod;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// The keys of the messages that are to be told as things stand.
pub(crate) type Due = Arc<BTreeSet<String>>;

/// As of what each payer's notices were looked at last. While nothing of it changes, nothing new is due.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    told: Mutex<BTreeMap<AccountId, AsOf>>,
    due: Mutex<BTreeMap<AccountId, (AsOf, Due)>>,
}

/// What notices follow from: the revision of the payer's orders, that of whom they go to, the day, and the first period that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AsOf {
    pub purchasing: u64,
    pub settings: u64,
    pub day: i64,
    pub open: BillingPeriod,
}

impl Looked {
    /// Whether what was due as of then was told.
    pub fn has(&self, payer: &AccountId, as_of: &AsOf) -> bool {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).get(payer) == Some(as_of)
    }

    pub fn note(&self, payer: &AccountId, as_of: AsOf) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(payer.clone(), as_of);
    }

    /// What was due as of then, where it is known.
    pub fn due(&self, payer: &AccountId, as_of: &AsOf) -> Option<Due> {
        let known = self.due.lock().unwrap_or_else(PoisonError::into_inner).get(payer).cloned();
        known.filter(|(known, _)| known == as_of).map(|(_, due)| due)
    }

    pub fn note_due(&self, payer: &AccountId, as_of: AsOf, due: Due) {
        self.due.lock().unwrap_or_else(PoisonError::into_inner).insert(payer.clone(), (as_of, due));
    }
}
