//! The facts of runs at hand: what questions about costs are answered from, kept in memory by run.
//!
//! A run never changes, so nothing here grows old; what was asked for longest ago goes when the whole takes more than it may. Facts are made when a
//! run lands, so that the first question about it need not wait.

use crate::desk::BackOffice;
use crate::error::{Answer, Error};
use billing::account::AccountId;
use billing::configuration::BillingGroupId;
use query::facts::MonthFacts;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use store::DoneRun;

/// How many of the newest periods of a payer are made ready when a server starts.
const READY_AT_START: usize = 13;

/// The facts of a run, and which of its groups is which of the desk's.
#[derive(Debug)]
pub struct FactsOfRun {
    /// The facts.
    pub facts: MonthFacts,
    groups: BTreeMap<BillingGroupId, u32>,
}

impl FactsOfRun {
    fn new(facts: MonthFacts, done: &DoneRun) -> Self {
        let number = |(name, id): (&String, &String)| {
            let number = facts.groups.iter().position(|group| group == name)?;
            Some((BillingGroupId::parse(id)?, u32::try_from(number).ok()?))
        };
        let groups = done.groups.iter().filter_map(number).collect();
        Self { facts, groups }
    }

    /// The numbers in the facts of those groups of the desk that the run has.
    #[must_use]
    pub fn numbers(&self, groups: &BTreeSet<BillingGroupId>) -> BTreeSet<u32> {
        groups.iter().filter_map(|group| self.groups.get(group).copied()).collect()
    }
}

/// The facts that are at hand.
#[derive(Debug, Default)]
pub(crate) struct KnownFacts(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    of_run: BTreeMap<String, Entry>,
    /// Counts what was asked for, so that what was longest ago is known.
    asked: u64,
    bytes: u64,
    /// Held by whoever makes the facts of a run.
    making: BTreeMap<String, Arc<tokio::sync::Mutex<()>>>,
}

#[derive(Debug)]
struct Entry {
    facts: Arc<FactsOfRun>,
    bytes: u64,
    asked: u64,
}

impl KnownFacts {
    fn get(&self, run: &str) -> Option<Arc<FactsOfRun>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.asked += 1;
        let asked = known.asked;
        let entry = known.of_run.get_mut(run)?;
        entry.asked = asked;
        Some(entry.facts.clone())
    }

    /// Whether the facts of a run are at hand.
    pub fn has(&self, run: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).of_run.contains_key(run)
    }

    /// Keeps facts; those that were asked for longest ago make room. What alone is larger than all the room is not kept.
    fn put(&self, run: &str, facts: Arc<FactsOfRun>, room: u64) {
        let bytes = u64::try_from(facts.facts.bytes()).unwrap_or(u64::MAX);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.making.remove(run);
        if bytes > room {
            return;
        }
        known.remove(run);
        while known.bytes + bytes > room {
            let oldest = known.of_run.iter().min_by_key(|(_, entry)| entry.asked);
            let Some(oldest) = oldest.map(|(run, _)| run.clone()) else { break };
            known.remove(&oldest);
        }
        known.asked += 1;
        known.bytes += bytes;
        let entry = Entry { facts, bytes, asked: known.asked };
        known.of_run.insert(run.to_owned(), entry);
    }

    /// What whoever makes the facts of a run holds.
    fn making(&self, run: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.making.entry(run.to_owned()).or_default().clone()
    }

    /// Nobody makes the facts of a run any more.
    fn made(&self, run: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).making.remove(run);
    }
}

impl Known {
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
        match &made {
            Ok(Some(facts)) => self.0.facts.put(run, facts.clone(), self.0.options.facts_bytes),
            _ => self.0.facts.made(run),
        }
        made
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
