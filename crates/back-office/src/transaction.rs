//! A payer's desk: its state, as readers see it, and the transactions that change it, one after the other.

use crate::audit::{self, Entry};
use crate::cost_reports::PeriodReport;
use crate::error::{Answer, Error};
use crate::index::Indexes;
use billing::account::AccountId;
use billing::configuration::{Configuration, ConflictReason, Refusal, ResourceType};
use billing::period::BillingPeriod;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use store::{Head, Store, StoreError, Write};
use tokio::sync::{Mutex, MutexGuard};

/// How often a transaction is tried that others were faster than.
const TRIES_MAX: usize = 8;
/// How long a writer waits for those before it. Where one of them waits for rows that somebody holds, the others' requests do not pile up.
const WRITER_WAIT_MAX: Duration = Duration::from_secs(30);

/// What is configured, and where its rows stand.
pub(crate) struct State {
    pub configuration: Configuration,
    pub head: Head,
    /// What is counted of it, when it is asked for.
    pub indexes: Indexes,
}

impl State {
    /// What a payer has configured, as the database has it.
    pub async fn load(store: &Store, payer: &AccountId) -> Answer<Self> {
        let loaded = store.load(payer).await.map_err(Error::internal)?;
        let loaded = loaded.ok_or_else(|| Error::internal(format!("there is no payer {payer}")))?;
        Ok(Self { configuration: loaded.configuration, head: loaded.head, indexes: Indexes::default() })
    }

    /// Commits rows that are no settings, and the entries that say who wrote them. What was counted of the configuration goes on holding: the
    /// audit of reads makes a head every second.
    pub async fn commit(
        &self,
        mut write: Write,
        entries: impl IntoIterator<Item = Entry>,
    ) -> Result<Arc<Self>, StoreError> {
        write.audit(&audit::rows(&self.head.audit, entries)).await?;
        let head = write.commit().await?;
        let (configuration, indexes) = (self.configuration.clone(), self.indexes.clone());
        Ok(Arc::new(Self { configuration, head, indexes }))
    }

    /// Commits the rows of the next configuration, and the entries that say who made it so.
    pub async fn commit_next(
        &self,
        configuration: Configuration,
        mut write: Write,
        entries: impl IntoIterator<Item = Entry>,
    ) -> Result<Arc<Self>, StoreError> {
        write.audit(&audit::rows(&self.head.audit, entries)).await?;
        let head = write.commit().await?;
        Ok(Arc::new(Self { configuration, head, indexes: Indexes::default() }))
    }
}

/// Why an attempt came to nothing.
pub(crate) enum Attempt {
    /// The store says so: perhaps somebody was faster.
    Store(StoreError),
    /// It is the answer.
    Answer(Error),
}

impl From<StoreError> for Attempt {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Error> for Attempt {
    fn from(error: Error) -> Self {
        Self::Answer(error)
    }
}

impl From<Attempt> for Error {
    fn from(attempt: Attempt) -> Self {
        match attempt {
            Attempt::Store(error) => Self::internal(error),
            Attempt::Answer(error) => error,
        }
    }
}

/// One payer's desk.
pub(crate) struct PayerDesk {
    payer: AccountId,
    store: Store,
    /// Whether other processes write too.
    is_shared: bool,
    state: RwLock<Arc<State>>,
    /// Held by the writer of this process: writers wait here instead of racing each other in the database.
    writer: Mutex<()>,
    reports: RwLock<BTreeMap<BillingPeriod, Arc<PeriodReport>>>,
    /// Held by whoever opens the report of a period.
    opening: std::sync::Mutex<BTreeMap<BillingPeriod, Arc<Mutex<()>>>>,
}

impl PayerDesk {
    /// The desk of a payer of a database.
    pub async fn open(store: Store, payer: AccountId, is_shared: bool) -> Answer<Self> {
        let state = Arc::new(State::load(&store, &payer).await?);
        Ok(Self {
            payer,
            store,
            is_shared,
            state: RwLock::new(state),
            writer: Mutex::default(),
            reports: RwLock::default(),
            opening: std::sync::Mutex::default(),
        })
    }

    /// What is configured now.
    pub fn state(&self) -> Arc<State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is configured now, by whichever process.
    pub async fn newest(&self) -> Answer<Arc<State>> {
        if self.is_behind().await? {
            let _writer = self.writer().await?;
            // Whoever waited here at the same time has perhaps read it already.
            self.catch_up().await?;
        }
        Ok(self.state())
    }

    /// The turn of one writer.
    async fn writer(&self) -> Answer<MutexGuard<'_, ()>> {
        let turn = tokio::time::timeout(WRITER_WAIT_MAX, self.writer.lock()).await;
        turn.map_err(|_| Error::Unavailable("others are writing at the same time; try again"))
    }

    /// Whether another process has written what this one has not read.
    async fn is_behind(&self) -> Answer<bool> {
        if !self.is_shared {
            return Ok(false);
        }
        let revision = self.store.revision(&self.payer).await.map_err(Error::internal)?;
        Ok(revision.is_some_and(|revision| revision != self.state().head.revision))
    }

    /// Reads it; the caller is the desk's writer.
    async fn catch_up(&self) -> Answer<()> {
        if self.is_behind().await? { self.reload().await } else { Ok(()) }
    }

    /// Runs a transaction until nobody is in its way; the state that it returns is what readers see from then on.
    pub async fn transaction<T, F: Future<Output = Result<(Arc<State>, T), Attempt>> + Send>(
        &self,
        attempt: impl Fn(Store, Arc<State>) -> F,
    ) -> Answer<T> {
        let _writer = self.writer().await?;
        // What another server has made may be named here: a refusal must not come from what was true before.
        self.catch_up().await?;
        for _ in 0..TRIES_MAX {
            match attempt(self.store.clone(), self.state()).await {
                Ok((state, outcome)) => {
                    self.put(state);
                    return Ok(outcome);
                }
                Err(Attempt::Store(StoreError::Raced)) => self.reload().await?,
                Err(Attempt::Store(error)) => {
                    // Whether it was kept may not be known: what is served next is what the database has, as far as it answers.
                    let _ = self.reload().await;
                    return Err(Error::internal(error));
                }
                Err(Attempt::Answer(error)) => return Err(error),
            }
        }
        let message = "others were writing at the same time; send the request again";
        let of = (ResourceType::BillingGroup, self.payer.as_str());
        Err(Refusal::conflict(ConflictReason::WriteConflictRetry, &self.payer, of, message).into())
    }

    /// The report that a period shows, as far as it was opened.
    pub fn shown(&self, period: BillingPeriod) -> Option<Arc<PeriodReport>> {
        self.reports.read().unwrap_or_else(PoisonError::into_inner).get(&period).cloned()
    }

    /// What whoever opens the report of a period holds, of a period that has one.
    pub fn opening(&self, period: BillingPeriod) -> Arc<Mutex<()>> {
        self.opening.lock().unwrap_or_else(PoisonError::into_inner).entry(period).or_default().clone()
    }

    /// Shows a report in its period.
    pub fn show(&self, period: BillingPeriod, report: PeriodReport) -> Arc<PeriodReport> {
        let report = Arc::new(report);
        let mut reports = self.reports.write().unwrap_or_else(PoisonError::into_inner);
        reports.insert(period, report.clone());
        report
    }

    /// Forgets the report that a period shows: it is opened when it is asked for again.
    pub fn forget(&self, period: BillingPeriod) {
        self.reports.write().unwrap_or_else(PoisonError::into_inner).remove(&period);
    }

    async fn reload(&self) -> Answer<()> {
        self.put(Arc::new(State::load(&self.store, &self.payer).await?));
        Ok(())
    }

    fn put(&self, state: Arc<State>) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
    }
}
