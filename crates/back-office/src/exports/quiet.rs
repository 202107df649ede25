//! Payers of whom nothing is to be delivered: every delivery that was ever made is looked through only when something may be another.

use billing::account::AccountId;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use store::{CurrentRun, Head};

/// How long it is believed that nothing is due. Definitions, views and runs are seen at once; what another server does beside them, as saying that it has put files late or being killed, after this.
const BELIEVED_MS: i64 = 10_000;

/// As of what nothing was due of each payer, and since when.
#[derive(Debug, Default)]
pub(crate) struct QuietExports(Mutex<BTreeMap<AccountId, (AsOf, i64)>>);

/// What definitions and views are written with, and the runs that periods show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AsOf {
    pub head: Head,
    pub runs: Vec<CurrentRun>,
}

impl QuietExports {
    /// Whether nothing is due, as far as that is known without looking.
    pub(super) fn holds(&self, payer: &AccountId, as_of: &AsOf, now_ms: i64) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(payer).is_some_and(|(of, since)| {
            of == as_of && (*since..since.saturating_add(BELIEVED_MS)).contains(&now_ms)
        })
    }

    /// Keeps that nothing is due, nor will be by the time alone.
    pub(super) fn note(&self, payer: &AccountId, as_of: AsOf, now_ms: i64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(payer.clone(), (as_of, now_ms));
    }
}

#[cfg(test)]
mod tests {
    //! What is believed, and how long.

    use super::*;
    use billing::period::BillingPeriod;

    #[test]
    fn nothing_is_believed_of_what_is_another_or_long_ago() {
        let (quiet, payer) = (QuietExports::default(), AccountId::parse("999999999999").unwrap());
        let as_of = AsOf { head: Head::default(), runs: Vec::new() };
        assert!(!quiet.holds(&payer, &as_of, 5));
        quiet.note(&payer, as_of.clone(), 5);
        assert!(quiet.holds(&payer, &as_of, 5) && quiet.holds(&payer, &as_of, 4 + BELIEVED_MS));
        assert!(!quiet.holds(&payer, &as_of, 5 + BELIEVED_MS));
        assert!(!quiet.holds(&payer, &as_of, 4), "a clock that was set back");
        let head = Head { revision: 1, ..Head::default() };
        assert!(!quiet.holds(&payer, &AsOf { head, ..as_of.clone() }, 5));
        let period = BillingPeriod::new(2026, 10).unwrap();
        let runs = vec![CurrentRun { period, run: "r".to_owned(), set_at_ms: 0 }];
        assert!(!quiet.holds(&payer, &AsOf { runs, ..as_of }, 5));
    }
}
