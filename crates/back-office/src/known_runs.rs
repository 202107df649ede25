//! What was read of runs a moment ago, so that not every request reads their folders. A run never changes, so nothing here grows old.

use crate::engine::RunCharges;
use billing::account::AccountId;
use billing::invoice::aws::AwsInvoices;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How many runs' invoices are kept at hand: some years of a few payers.
const RUNS_MAX: usize = 256;

/// The invoices of runs by folder.
#[derive(Debug, Default)]
pub(crate) struct InvoicesOfRuns(Mutex<BTreeMap<String, Arc<AwsInvoices>>>);

impl InvoicesOfRuns {
    pub fn get(&self, folder: &str) -> Option<Arc<AwsInvoices>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(folder).cloned()
    }

    pub fn put(&self, folder: String, invoices: Arc<AwsInvoices>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= RUNS_MAX {
            known.clear();
        }
        known.insert(folder, invoices);
    }
}

/// What the run charges that was asked for last: a month's invoices are made one after the other.
#[derive(Default)]
pub(crate) struct KnownCharges(Mutex<Option<(AccountId, String, Arc<RunCharges>)>>);

impl KnownCharges {
    pub fn get(&self, payer: &AccountId, run: &str) -> Option<Arc<RunCharges>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().filter(|(of, id, _)| of == payer && id == run).map(|(_, _, charges)| charges.clone())
    }

    pub fn put(&self, payer: &AccountId, run: &str, charges: Arc<RunCharges>) {
        let known = (payer.clone(), run.to_owned(), charges);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
    }
}
