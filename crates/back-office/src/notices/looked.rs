//! As of what notices were looked at last, so that nothing is asked again that has not changed.

use billing::account::AccountId;
use billing::period::BillingPeriod;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// As of what each payer's notices were looked at last. While nothing of it changes, nothing new is due.
#[derive(Debug, Default)]
pub(crate) struct Looked(Mutex<BTreeMap<AccountId, AsOf>>);

/// What notices follow from: the revision of the payer's orders, that of whom they go to, the day, and the first period that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AsOf {
    pub purchasing: u64,
    pub settings: u64,
    pub day: i64,
    pub open: BillingPeriod,
}

impl Looked {
    pub fn has(&self, payer: &AccountId, as_of: &AsOf) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(payer) == Some(as_of)
    }

    pub fn note(&self, payer: &AccountId, as_of: AsOf) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(payer.clone(), as_of);
    }
}
