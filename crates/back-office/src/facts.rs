//! The facts of runs at hand: what questions about costs are answered from, kept in memory by run.
//!
//! A run never changes, so nothing here grows old; what was asked for longest ago goes when the whole takes more than it may. Facts are made when a
//! run lands, so that the first question about it need not wait.

use crate::cost_categories::OfMonth;
use crate::desk::BackOffice;
use crate::error::{Answer, Error};
use billing::account::AccountId;
use billing::configuration::BillingGroupId;
use query::cost_category::CostCategory;
use query::facts::MonthFacts;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use store::DoneRun;

/// Applies cost categories to facts, on a thread that may take its time.
async fn apply(
    facts: Arc<FactsOfRun>,
    categories: Vec<CostCategory>,
    known_by: String,
) -> Answer<Arc<FactsOfRun>> {
    let applied = tokio::task::spawn_blocking(move || facts.under(&categories, known_by)).await;
    applied.map(Arc::new).map_err(Error::internal)
}

/// How many of the newest periods of a payer are made ready when a server starts.
const READY_AT_START: usize = 13;

/// The facts of a run, and which of its groups is which of the desk's.
#[derive(Debug)]
pub struct FactsOfRun {
    /// The facts.
    pub facts: MonthFacts,
    groups: BTreeMap<BillingGroupId, u32>,
    /// The cost categories that they are under.
    categories: Arc<[CostCategory]>,
    /// What these are known by; empty where they are under none.
    categories_known_by: String,
}

impl FactsOfRun {
    fn new(facts: MonthFacts, done: &DoneRun) -> Self {
        let number = |(name, id): (&String, &String)| {
            let number = facts.groups.iter().position(|group| group == name)?;
            Some((BillingGroupId::parse(id)?, u32::try_from(number).ok()?))
        };
        let groups = done.groups.iter().filter_map(number).collect();
        Self { facts, groups, categories: Arc::default(), categories_known_by: String::new() }
    }

    /// The same under other cost categories.
    fn under(&self, categories: &[CostCategory], known_by: String) -> Self {
        let facts = self.facts.with_categories(categories);
        let (groups, categories) = (self.groups.clone(), categories.into());
        Self { facts, groups, categories, categories_known_by: known_by }
    }

    /// The cost categories that were defined.
    pub(crate) fn categories(&self) -> Arc<[CostCategory]> {
        self.categories.clone()
    }

    /// What the cost categories that were defined are known by: while it is the same, so are they.
    pub(crate) fn categories_known_by(&self) -> Option<String> {
        Some(self.categories_known_by.clone()).filter(|known_by| !known_by.is_empty())
    }

    /// The numbers in the facts of those groups of the desk that the run has.
    #[must_use]
    pub fn numbers(&self, groups: &BTreeSet<BillingGroupId>) -> BTreeSet<u32> {
        groups.iter().filter_map(|group| self.groups.get(group).copied()).collect()
    }
}

/// The facts that are at hand.
#[derive(Debug, Default)]
pub(crate) struct KnownFacts {
    known: Mutex<Recent<FactsOfRun>>,
    /// Held by whoever makes the facts of a run.
    making: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl KnownFacts {
    fn get(&self, run: &str) -> Option<Arc<FactsOfRun>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(run)
    }

    /// Whether the facts of a run are at hand.
    pub fn has(&self, run: &str) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).of_run.contains_key(run)
    }

    fn put(&self, run: &str, facts: Arc<FactsOfRun>, room: u64) {
        let bytes = u64::try_from(facts.facts.bytes()).unwrap_or(u64::MAX);
        self.known.lock().unwrap_or_else(PoisonError::into_inner).put(run, facts, bytes, room);
    }

    /// What whoever makes the facts of a run holds.
    fn making(&self, run: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        making.entry(run.to_owned()).or_default().clone()
    }

    /// Nobody makes the facts of a run any more.
    fn made(&self, run: &str) {
        self.making.lock().unwrap_or_else(PoisonError::into_inner).remove(run);
    }
}

/// What is kept by run, as far as there is room.
#[derive(Debug)]
pub(crate) struct Recent<T> {
    of_run: BTreeMap<String, Entry<T>>,
    /// Counts what was asked for, so that what was longest ago is known.
    asked: u64,
    bytes: u64,
}

#[derive(Debug)]
struct Entry<T> {
    kept: Arc<T>,
    bytes: u64,
    asked: u64,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self { of_run: BTreeMap::new(), asked: 0, bytes: 0 }
    }
}

impl<T> Recent<T> {
    pub fn get(&mut self, run: &str) -> Option<Arc<T>> {
        self.asked += 1;
        let entry = self.of_run.get_mut(run)?;
        entry.asked = self.asked;
        Some(entry.kept.clone())
    }

    /// Keeps something of so many bytes; what was asked for longest ago makes room. What alone is larger than all the room is not kept.
    pub fn put(&mut self, run: &str, kept: Arc<T>, bytes: u64, room: u64) {
        if bytes > room {
            return;
        }
        self.remove(run);
        while self.bytes + bytes > room {
            let oldest = self.of_run.iter().min_by_key(|(_, entry)| entry.asked);
            let Some(oldest) = oldest.map(|(run, _)| run.clone()) else { break };
            self.remove(&oldest);
        }
        self.asked += 1;
        self.bytes += bytes;
        self.of_run.insert(run.to_owned(), Entry { kept, bytes, asked: self.asked });
    }

    fn remove(&mut self, run: &str) {
        if let Some(entry) = self.of_run.remove(run) {
            self.bytes -= entry.bytes;
        }
    }
}

impl BackOffice {
    /// The facts of a run, made when they are asked for first, by one for all who ask meanwhile.
    ///
    /// # Errors
    /// [`Error::Internal`] where the run's folder is not as it was written.
    pub(crate) async fn facts_of_run(&self, payer: &AccountId, run: &str) -> Answer<Option<Arc<FactsOfRun>>> {
        if let Some(known) = self.0.facts.get(run) {
            return Ok(Some(known));
        }
        let making = self.0.facts.making(run);
        let _making = making.lock().await;
        if let Some(known) = self.0.facts.get(run) {
            return Ok(Some(known));
        }
        let made = self.make_facts(payer, run).await;
        if let Ok(Some(facts)) = &made {
            self.0.facts.put(run, facts.clone(), self.0.options.facts_bytes);
        }
        self.0.facts.made(run);
        made
    }

    /// The same under the cost categories of its month, which are applied when they are asked for first, and again where they are others.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub(crate) async fn facts_under(
        &self,
        payer: &AccountId,
        run: &str,
        categories: &OfMonth<'_>,
    ) -> Answer<Option<Arc<FactsOfRun>>> {
        let is_under = |facts: &FactsOfRun| facts.categories_known_by == categories.known_by;
        let Some(bare) = self.facts_of_run(payer, run).await? else { return Ok(None) };
        if is_under(&bare) {
            return Ok(Some(bare));
        }
        let making = self.0.facts.making(run);
        let applied = async {
            let _making = making.lock().await;
            // Perhaps somebody was faster; where there is no room for facts, none are known.
            let facts = self.0.facts.get(run).unwrap_or(bare);
            if is_under(&facts) {
                return Ok(Some(facts));
            }
            let applied = apply(facts, categories.categories()?, categories.known_by.clone()).await?;
            self.0.facts.put(run, applied.clone(), self.0.options.facts_bytes);
            Ok(Some(applied))
        };
        let applied = applied.await;
        self.0.facts.made(run);
        applied
    }

    async fn make_facts(&self, payer: &AccountId, run: &str) -> Answer<Option<Arc<FactsOfRun>>> {
        let _reading = self.reading().await?;
        let row = self.0.store.run(payer, run).await.map_err(Error::internal)?;
        let Some(done) = row.and_then(|row| row.done().cloned()) else { return Ok(None) };
        let folder = self.folder(&done.folder);
        let facts = self.ask_of_runs(move |engine| engine.facts(&folder)).await?;
        Ok(Some(Arc::new(FactsOfRun::new(facts, &done))))
    }

    /// Has the facts of a run made, without waiting for them; where none are kept, none are made.
    pub(crate) fn make_facts_ready(&self, payer: &AccountId, runs: Vec<String>) {
        if self.0.options.facts_bytes == 0 {
            return;
        }
        let (desk, payer) = (self.clone(), payer.clone());
        tokio::spawn(async move {
            for run in runs {
                if let Err(error) = desk.facts_of_run(&payer, &run).await {
                    tracing::warn!(
                        ?error,
                        run,
                        "the facts of a run could not be made ready; whoever asks first waits"
                    );
                }
            }
        });
    }

    /// Has the facts of the newest periods of every payer made.
    pub(crate) async fn make_all_facts_ready(&self) -> Answer<()> {
        for payer in self.0.store.payers().await.map_err(Error::internal)? {
            let mut current = self.0.store.current_runs(&payer.payer).await.map_err(Error::internal)?;
            current.sort_by_key(|current| std::cmp::Reverse(current.period));
            let runs = current.into_iter().take(READY_AT_START).map(|current| current.run).collect();
            self.make_facts_ready(&payer.payer, runs);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    //! What is kept, and what goes.

    use super::*;

    #[test]
    fn what_was_asked_for_longest_ago_makes_room() {
        let mut recent = Recent::default();
        let put = |recent: &mut Recent<()>, run, bytes| recent.put(run, Arc::new(()), bytes, 100);
        put(&mut recent, "one", 50);
        put(&mut recent, "two", 50);
        assert!(recent.get("one").is_some());
        put(&mut recent, "three", 50);
        let runs = |recent: &Recent<()>| recent.of_run.keys().cloned().collect::<Vec<_>>();
        assert_eq!(runs(&recent), ["one", "three"]);
        // The same run again takes no more room, and what fits nowhere is not kept.
        put(&mut recent, "three", 40);
        put(&mut recent, "four", 101);
        assert_eq!((runs(&recent), recent.bytes), (vec!["one".to_owned(), "three".to_owned()], 90));
        put(&mut recent, "all", 100);
        assert_eq!((runs(&recent), recent.bytes), (vec!["all".to_owned()], 100));
    }
}
