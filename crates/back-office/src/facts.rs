//! The facts of runs at hand: what questions about costs are answered from, kept in memory by run.
//!
//! A run never changes, so nothing here grows old; what was asked for longest ago goes when the whole takes more than it may. Facts are made when a
//! run lands, so that the first question about it need not wait.

use crate::cost_categories::Needed;
use crate::desk::BackOffice;
use crate::error::{Answer, Error};
use crate::turns::Turns;
use billing::account::AccountId;
use billing::configuration::BillingGroupId;
use query::cost_category::CategoryColumn;
use query::facts::MonthFacts;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::DoneRun;

/// How many of the newest periods of a payer are made ready when a server starts.
const READY_AT_START: usize = 13;

/// The facts of a run, and which of its groups is which of the desk's.
#[derive(Debug)]
pub struct FactsOfRun {
    /// The facts, under no cost category that was defined.
    pub facts: MonthFacts,
    groups: BTreeMap<BillingGroupId, u32>,
    /// What cost categories make of them, by name: made when a question needs it first, and made again once it is another.
    columns: Mutex<BTreeMap<String, KnownColumn>>,
}

/// What a cost category makes of the facts, and what that is known by.
#[derive(Debug, Clone)]
struct KnownColumn {
    known_by: String,
    column: Arc<CategoryColumn>,
}

impl FactsOfRun {
    fn new(facts: MonthFacts, done: &DoneRun) -> Self {
        let number = |(name, id): (&String, &String)| {
            let number = facts.groups.iter().position(|group| group == name)?;
            Some((BillingGroupId::parse(id)?, u32::try_from(number).ok()?))
        };
        let groups = done.groups.iter().filter_map(number).collect();
        Self { facts, groups, columns: Mutex::default() }
    }

    fn columns(&self) -> MutexGuard<'_, BTreeMap<String, KnownColumn>> {
        self.columns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The columns that are known of some cost categories, as far as all before them are.
    fn known_columns(&self, needed: &[Needed<'_>]) -> Vec<Arc<CategoryColumn>> {
        let columns = self.columns();
        let known = |of: &Needed<'_>| columns.get(of.name).filter(|column| column.known_by == of.known_by);
        needed.iter().map_while(|of| known(of).map(|column| column.column.clone())).collect()
    }

    /// What it takes in memory, in bytes.
    fn bytes(&self) -> u64 {
        let columns = self.columns().values().map(|of| of.column.bytes() + of.known_by.len()).sum::<usize>();
        u64::try_from(self.facts.bytes() + columns).unwrap_or(u64::MAX)
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
    making: Turns,
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
        let bytes = facts.bytes();
        self.known.lock().unwrap_or_else(PoisonError::into_inner).put(run, facts, bytes, room);
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
        self.remove(run);
        if bytes > room {
            return;
        }
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
        let _making = self.0.facts.making.of(run).await;
        if let Some(known) = self.0.facts.get(run) {
            return Ok(Some(known));
        }
        let made = self.make_facts(payer, run).await;
        if let Ok(Some(facts)) = &made {
            self.0.facts.put(run, facts.clone(), self.0.options.facts_bytes);
        }
        made
    }

    /// The same, and under those cost categories of its month that a question needs: each is applied when it is asked for first, and again once it is another.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub(crate) async fn facts_under(
        &self,
        payer: &AccountId,
        run: &str,
        needed: &[Needed<'_>],
    ) -> Answer<Option<(Arc<FactsOfRun>, MonthFacts)>> {
        let Some(facts) = self.facts_of_run(payer, run).await? else { return Ok(None) };
        let known = facts.known_columns(needed);
        if known.len() == needed.len() {
            let under = facts.facts.under(known);
            return Ok(Some((facts, under)));
        }
        let _making = self.0.facts.making.of(run).await;
        // Perhaps somebody was faster; where there is no room for facts, none are known.
        let facts = self.0.facts.get(run).unwrap_or(facts);
        let mut columns = facts.known_columns(needed);
        let missing = needed[columns.len()..].iter();
        let missing =
            missing.map(|of| Ok((of.known_by.clone(), of.category()?))).collect::<Answer<Vec<_>>>()?;
        let bare = facts.clone();
        let made = tokio::task::spawn_blocking(move || {
            for (known_by, category) in missing {
                let under = bare.facts.under(columns.iter().cloned());
                let column = Arc::new(under.categorize(&category));
                columns.push(column.clone());
                bare.columns().insert(category.name, KnownColumn { known_by, column });
            }
            columns
        });
        let columns = made.await.map_err(Error::internal)?;
        self.0.facts.put(run, facts.clone(), self.0.options.facts_bytes);
        let under = facts.facts.under(columns);
        Ok(Some((facts, under)))
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
        // What has grown beyond all room is not kept as what it was.
        put(&mut recent, "all", 101);
        assert_eq!((runs(&recent), recent.bytes), (Vec::new(), 0));
    }
}
