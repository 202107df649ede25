//! The desk of a payer: its configuration as it is now, and the one way to change it.
//!
//! A write claims the payer, asks the configuration for the next one, keeps the rows, the answer under the client token, the audit entry
//! and the runs that follow, and commits; only then do readers see it. Whoever was too late reads again and tries again.

use crate::audit::{Decision, Entry};
use crate::authorization::Caller;
use crate::budgets::LookedAtBudgets;
use crate::clock::Clock;
use crate::cost_categories::KnownDefinitions;
use crate::cost_explorer::lines::KnownLines;
use crate::cost_roots::CostRoot;
use crate::document_format::Renderer;
use crate::engine::{Engine, EngineError};
use crate::error::{Answer, Error, refused};
use crate::exports::{ExportBucket, Places, QuietExports};
use crate::facts::KnownFacts;
use crate::index::PeriodIndex;
use crate::known_keys::KnownKeys;
use crate::known_runs::{InvoicesOfRuns, KnownCharges};
use crate::notices::looked::Looked;
use crate::organization::FollowedAsOf;
use crate::purchasing::state::KnownPurchasing;
use crate::transaction::{Attempt, PayerDesk, State};
use crate::unwritten::Unwritten;
use crate::vault::MasterKey;
use crate::write::Edited;
use billing::account::AccountId;
use billing::configuration::{Configuration, Edit, Refusal};
use billing::period::BillingPeriod;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use store::Store;
use tokio::sync::{Notify, OnceCell};
use tokio::task::{JoinError, JoinSet};

pub use crate::write::WriteRequest;

/// How far behind the audit of reads is at most, on the whole.
const AUDIT_AFTER: std::time::Duration = std::time::Duration::from_millis(800);

/// How a desk is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder of cost files that are kept and of runs.
    pub data: PathBuf,
    /// The billing clock.
    pub clock: Clock,
    /// Whether other processes may write to the database too, so that each request asks whether somebody has.
    pub shared: bool,
    /// Where cost files may be that a request names; `None` allows any place: the operator's own command line.
    pub cost_roots: Option<Vec<CostRoot>>,
    /// How long a worker has a run before another may take it; it says four times as often that it still works.
    pub lease: std::time::Duration,
    /// How many superseded runs of each period keep their files.
    pub superseded_runs: usize,
    /// How much memory the facts may take that questions about costs are answered from; with 0 each question reads its runs.
    pub facts_bytes: u64,
    /// What makes documents of issued invoices, where somebody does.
    pub renderer: Option<Renderer>,
    /// Where exports may be delivered to.
    pub export_buckets: Vec<ExportBucket>,
}

/// The billing desk of all payers of a database.
#[derive(Clone)]
pub struct BackOffice(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub store: Store,
    pub master: MasterKey,
    pub engine: Arc<dyn Engine>,
    pub options: Options,
    /// The desk of each payer that was asked for; whoever asks while it is loaded waits for that payer alone.
    desks: Mutex<BTreeMap<AccountId, Arc<OnceCell<Arc<PayerDesk>>>>>,
    /// Something may have to be priced.
    pub wake: Notify,
    /// As of what each payer's notices were looked at last.
    pub(crate) looked: Looked,
    /// As of what billing groups have followed the organization last.
    pub(crate) followed: FollowedAsOf,
    /// As of what each payer's budgets were looked at last.
    pub(crate) looked_at_budgets: LookedAtBudgets,
    /// As of what nothing was to be delivered of each payer.
    pub(crate) quiet_exports: QuietExports,
    /// Who looks where places of exports lead.
    pub(crate) places: Places,
    /// Costs may have changed, or what is planned of them.
    pub costs_changed: Notify,
    /// Something may have to be sent.
    pub outgoing: Notify,
    /// What was read or refused and is not in the audit yet.
    unwritten: Unwritten,
    /// A batch of it is large enough.
    many_unwritten: Notify,
    pub(crate) keys: KnownKeys,
    /// What the run charges that was invoiced last.
    pub(crate) charges: KnownCharges,
    /// What was read last of each payer's orders and invoices.
    pub(crate) purchasing: KnownPurchasing,
    pub(crate) aws_invoices: InvoicesOfRuns,
    /// What questions about costs are answered from.
    pub(crate) facts: KnownFacts,
    /// What was read last of each payer's cost categories.
    pub(crate) cost_categories: KnownDefinitions,
    /// What was answered last from lines.
    pub(crate) lines: KnownLines,
}

/// A configuration as it was when it was asked for.
pub struct Current(Arc<State>);

impl Deref for Current {
    type Target = Configuration;

    fn deref(&self) -> &Configuration {
        &self.0.configuration
    }
}

impl BackOffice {
    /// Opens the desk over a migrated database.
    #[must_use]
    pub fn new(store: Store, master: MasterKey, engine: Arc<dyn Engine>, options: Options) -> Self {
        Self(Arc::new(Inner {
            store,
            master,
            engine,
            options,
            desks: Mutex::default(),
            wake: Notify::new(),
            looked: Looked::default(),
            followed: FollowedAsOf::default(),
            looked_at_budgets: LookedAtBudgets::default(),
            quiet_exports: QuietExports::default(),
            places: Places::default(),
            costs_changed: Notify::new(),
            outgoing: Notify::new(),
            unwritten: Unwritten::default(),
            many_unwritten: Notify::new(),
            keys: KnownKeys::default(),
            charges: KnownCharges::default(),
            purchasing: KnownPurchasing::default(),
            aws_invoices: InvoicesOfRuns::default(),
            facts: KnownFacts::default(),
            cost_categories: KnownDefinitions::default(),
            lines: KnownLines::default(),
        }))
    }

    /// Now, at the desk's clock.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.0.options.clock.now()
    }

    /// The store, for what looks after it.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The folder of a run, from its name in the data directory: the directory may be restored elsewhere.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.0.options.data.join(name)
    }

    /// Asks the engine something, off the threads that answer requests.
    pub(crate) async fn engine<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let engine = self.0.engine.clone();
        let asked = tokio::task::spawn_blocking(move || ask(engine.as_ref())).await;
        asked.map_err(|error| EngineError::Failed(error.to_string()))?
    }

    /// Asks the engine about what a request itself names: what is wrong with that is the answer.
    pub(crate) async fn ask_engine<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> Answer<T> {
        self.engine(ask).await.map_err(|error| match error {
            EngineError::Input(problems) => refused(problems.join("; ")),
            error @ (EngineError::Disk(_) | EngineError::Failed(_)) => Error::internal(error),
        })
    }

    /// Asks the engine about what the desk itself has written. Whatever is wrong with that is for the log: the sentence has the server's paths,
    /// and who asks has named none.
    pub(crate) async fn ask_of_runs<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> Answer<T> {
        self.engine(ask).await.map_err(Error::internal)
    }

    /// A payer's desk, loaded when it is asked for first.
    pub(crate) async fn desk(&self, payer: &AccountId) -> Answer<Arc<PayerDesk>> {
        let cell = {
            let mut desks = self.0.desks.lock().unwrap_or_else(PoisonError::into_inner);
            desks.entry(payer.clone()).or_default().clone()
        };
        let open = || PayerDesk::open(self.0.store.clone(), payer.clone(), self.0.options.shared);
        let desk = cell.get_or_try_init(|| async { open().await.map(Arc::new) }).await?;
        Ok(desk.clone())
    }

    /// What a payer has configured, as of this moment.
    pub(crate) async fn state(&self, payer: &AccountId) -> Answer<Arc<State>> {
        self.desk(payer).await?.newest().await
    }

    /// What a payer has configured now.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn current(&self, payer: &AccountId) -> Answer<Current> {
        Ok(Current(self.state(payer).await?))
    }

    /// What a payer has configured now, and what is counted of a period of it.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn indexed(
        &self,
        payer: &AccountId,
        period: BillingPeriod,
    ) -> Answer<(Current, Arc<PeriodIndex>)> {
        let state = self.state(payer).await?;
        let index = state.indexes.of(&state.configuration, period);
        Ok((Current(state), index))
    }

    /// Allows an operation or denies it. A denial is in the audit before it is answered; what is allowed to be read is, a second later, and
    /// where the audit has been taking nothing for so long that there is no room for more, nothing is allowed.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Unavailable`].
    pub async fn authorize(&self, caller: &Caller, service: &str, operation: &str) -> Answer<()> {
        if !caller.may(service, operation) {
            return Err(self.deny(caller, &format!("{service}:{operation}"), "").await);
        }
        if self.0.unwritten.is_full(&caller.payer) {
            return Err(Error::Unavailable("the audit cannot be written now; try again"));
        }
        Ok(())
    }

    /// Puts a denial into the audit, before it is answered; what is to be answered.
    pub async fn deny(&self, caller: &Caller, action: &str, resource: &str) -> Error {
        let entry = Entry::now(caller, action, resource, "", Decision::Denied);
        self.append_audit(&caller.payer, vec![entry]).await.err().unwrap_or(Error::Denied)
    }

    /// Notes that something was read, or refused, for the next batch of the audit.
    pub fn note(&self, caller: &Caller, action: &str, resource: &str, decision: Decision) {
        let entry = Entry::now(caller, action, resource, "", decision);
        if self.0.unwritten.note(&caller.payer, entry) {
            self.0.many_unwritten.notify_one();
        }
    }

    /// A page of a payer's audit, after an entry.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn audit_page(
        &self,
        payer: &AccountId,
        after: u64,
        most: usize,
    ) -> Answer<Vec<store::AuditRow>> {
        self.0.store.audit_page(payer, after, most).await.map_err(Error::internal)
    }

    /// Writes what is noted into the audit, and when keys were last used; each payer's by itself, so that one whose rows are held is in the way of
    /// no other. What another call is writing just now is not waited for.
    ///
    /// # Errors
    /// [`Error::Internal`]; then they are kept for the next time.
    pub async fn flush_reads(&self) -> Answer<()> {
        let mut writing = JoinSet::new();
        for part in self.0.unwritten.take() {
            let desk = self.clone();
            writing.spawn(async move {
                desk.append_audit(&part.payer, part.entries.clone()).await?;
                part.written();
                Ok(())
            });
        }
        let mut flushed = self.flush_used_keys().await;
        while let Some(written) = writing.join_next().await {
            if let Err(error) = written.unwrap_or_else(|panicked| Err(Error::internal(panicked))) {
                flushed = Err(error);
            }
        }
        flushed
    }

    async fn flush_used_keys(&self) -> Answer<()> {
        let used = self.0.keys.take_used();
        if used.is_empty() {
            return Ok(());
        }
        let noted = self.0.store.note_key_used(&used).await;
        noted.map_err(|error| {
            self.0.keys.put_back_used(used);
            Error::internal(error)
        })
    }

    /// Writes it every second until `stop`, and once more then.
    pub async fn keep_audit(&self, mut stop: tokio::sync::watch::Receiver<bool>) {
        let (mut has_failed, mut flushing) = (false, JoinSet::new());
        loop {
            let stopped = tokio::select! {
                _ = stop.changed() => true,
                // A database that takes nothing is not asked again for every read.
                () = self.0.many_unwritten.notified(), if !has_failed => false,
                () = tokio::time::sleep(AUDIT_AFTER) => false,
            };
            let is_last = stopped || *stop.borrow();
            // One that waits for the rows of a payer does not keep the next one from the others'.
            let desk = self.clone();
            flushing.spawn(async move { desk.flush_reads().await });
            if is_last {
                while let Some(flushed) = flushing.join_next().await {
                    is_failed(flushed);
                }
                // What has come while a payer's part was written.
                is_failed(Ok(self.flush_reads().await));
                return;
            }
            // Most have ended when the next one begins.
            while let Some(flushed) = flushing.try_join_next() {
                has_failed = is_failed(flushed);
            }
        }
    }

    /// Appends entries to a payer's audit.
    async fn append_audit(&self, payer: &AccountId, entries: Vec<Entry>) -> Answer<()> {
        let entries = &entries;
        self.transaction(payer, |store, state| async move {
            let write = store.write(payer, &state.head).await?;
            Ok((state.commit(write, entries.iter().cloned()).await?, ()))
        })
        .await
    }

    /// Runs a transaction on a payer's rows until nobody is in its way; what it returns is what readers see from then on.
    pub(crate) async fn transaction<T, F: Future<Output = Result<(Arc<State>, T), Attempt>> + Send>(
        &self,
        payer: &AccountId,
        attempt: impl Fn(Store, Arc<State>) -> F,
    ) -> Answer<T> {
        self.desk(payer).await?.transaction(attempt).await
    }

    /// Makes a change of the configuration: all that it says in one transaction, once per client token.
    pub async fn write<T: Serialize + DeserializeOwned + Send>(
        &self,
        request: &WriteRequest<'_>,
        operation: impl Fn(&mut Edit<'_>) -> Result<T, Refusal> + Sync,
    ) -> Answer<T> {
        self.write_with(request, |edit| Ok((operation(edit)?, ())), |()| Vec::new()).await
    }

    /// Makes a change of the configuration as [`write`](Self::write) does, with entries of what followed from it.
    pub(crate) async fn write_with<T: Serialize + DeserializeOwned + Send, W: Send>(
        &self,
        request: &WriteRequest<'_>,
        operation: impl Fn(&mut Edit<'_>) -> Result<(T, W), Refusal> + Sync,
        entries: impl Fn(&W) -> Vec<Entry> + Sync,
    ) -> Answer<T> {
        let payer = &request.caller.payer;
        let (operation, entries) = (&operation, &entries);
        let made = self
            .transaction(payer, |store, state| async move {
                if let Some(answer) = request.answered(&store).await? {
                    return Ok((state, answer));
                }
                let Edited { next, touched, outcome: (answer, followed) } =
                    request.edit(&state.configuration, operation)?;
                let mut write = store.write(payer, &state.head).await?;
                let outcome = serde_json::to_string(&answer).map_err(Error::internal)?;
                request.keep_answer(&mut write, &outcome).await?;
                let followed = entries(&followed);
                let edited = Edited { next, touched, outcome: answer };
                let resource = if request.resource.is_empty() { &outcome } else { request.resource };
                edited.commit_with((&state, write), request, resource, followed).await
            })
            .await;
        if made.is_ok() {
            self.0.wake.notify_one();
        }
        made
    }
}

/// Whether what was to be written into the audit was not; says so.
fn is_failed(flushed: Result<Answer<()>, JoinError>) -> bool {
    let error = match flushed {
        Ok(Ok(())) => return false,
        Ok(Err(error)) => error,
        Err(panicked) => Error::internal(panicked),
    };
    tracing::error!(?error, "reads could not be written into the audit; they are kept");
    true
}
