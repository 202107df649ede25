//! The desk of a payer: its configuration as it is now, and the one way to change it.
//!
//! A write claims the payer, asks the configuration for the next one, keeps the rows, the answer under the client token, the audit entry
//! and the runs that follow, and commits; only then do readers see it. Whoever was too late reads again and tries again.

use crate::audit::{self, Decision, Entry};
use crate::authorization::Caller;
use crate::clock::{Clock, machine_milliseconds};
use crate::cost_reports::PeriodReport;
use crate::engine::Engine;
use crate::error::{Answer, Error};
use crate::index::Indexes;
use crate::vault::{MasterKey, new_resource_id};
use billing::account::AccountId;
use billing::configuration::{
    Configuration, ConflictReason, Edit, Moment, Refusal, ResourceType, Touched, ValidationReason,
};
use billing::period::BillingPeriod;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use store::{Head, Store, StoreError, TokenRow};
use tokio::sync::Notify;

/// How often a write is tried that others were faster than.
const TRIES_MAX: usize = 8;
/// After how many entries of reads they are written before their time.
const READS_MAX: usize = 10_000;
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
    pub cost_roots: Option<Vec<PathBuf>>,
    /// How many superseded runs of each period keep their files.
    pub superseded_runs: usize,
}

/// The billing desk of all payers of a database.
#[derive(Clone)]
pub struct BackOffice(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub store: Store,
    pub master: MasterKey,
    pub engine: Arc<dyn Engine>,
    pub options: Options,
    desks: tokio::sync::Mutex<BTreeMap<AccountId, Arc<PayerDesk>>>,
    /// Something may have to be priced.
    pub wake: Notify,
    /// Allowed reads that are not in the audit yet.
    pub(crate) reads: Mutex<Vec<(AccountId, Entry)>>,
    /// A batch of them is large enough.
    pub(crate) many_reads: Notify,
    pub(crate) keys: crate::principals::KnownKeys,
}

/// One payer's.
pub(crate) struct PayerDesk {
    state: RwLock<Arc<State>>,
    /// Held by the writer of this process: writers wait here instead of racing each other in the database.
    writer: tokio::sync::Mutex<()>,
    reports: RwLock<BTreeMap<BillingPeriod, Arc<PeriodReport>>>,
}

/// What is configured, and where its rows stand.
pub(crate) struct State {
    pub configuration: Configuration,
    pub head: Head,
    /// What is counted of it, when it is asked for.
    pub indexes: Indexes,
}

impl State {
    /// A state of which nothing is counted yet.
    pub fn new(configuration: Configuration, head: Head) -> Self {
        Self { configuration, head, indexes: Indexes::default() }
    }

    /// The same configuration at another head. What was counted of it goes on holding: the audit of reads makes a head every second.
    pub fn at(&self, head: Head) -> Self {
        Self { configuration: self.configuration.clone(), head, indexes: self.indexes.clone() }
    }
}

/// A write that somebody asks for.
#[derive(Debug, Clone, Copy)]
pub struct WriteRequest<'a> {
    /// Who.
    pub caller: &'a Caller,
    /// What, as IAM names it: `billingconductor:CreateBillingGroup`.
    pub action: &'a str,
    /// The client's token, where it gave one.
    pub token: Option<&'a str>,
    /// What was asked for, in one fixed form: it is compared where a token comes again, and kept in the audit.
    pub input: &'a str,
    /// On what: an ARN or an id as the client wrote it; empty for what is created.
    pub resource: &'a str,
    /// The period from which on it holds, where the operator says one.
    pub period: Option<BillingPeriod>,
}

impl WriteRequest<'_> {
    /// The entry that says that it was done, of what it made or changed.
    pub(crate) fn done(&self, resource: &str) -> Entry {
        entry(self.caller, self.action, resource, self.input, Decision::Done)
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
            desks: tokio::sync::Mutex::default(),
            wake: Notify::new(),
            reads: Mutex::default(),
            many_reads: Notify::new(),
            keys: crate::principals::KnownKeys::default(),
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

    /// A payer's desk, loaded when it is asked for first.
    pub(crate) async fn desk(&self, payer: &AccountId) -> Answer<Arc<PayerDesk>> {
        let mut desks = self.0.desks.lock().await;
        if let Some(desk) = desks.get(payer) {
            return Ok(desk.clone());
        }
        let state = load(&self.0.store, payer).await?;
        let desk = Arc::new(PayerDesk {
            state: RwLock::new(Arc::new(state)),
            writer: tokio::sync::Mutex::default(),
            reports: RwLock::default(),
        });
        desks.insert(payer.clone(), desk.clone());
        Ok(desk)
    }

    /// What a payer has configured, as of this moment.
    pub(crate) async fn state(&self, payer: &AccountId) -> Answer<Arc<State>> {
        let desk = self.desk(payer).await?;
        if self.0.options.shared {
            let known = desk.state().head.revision;
            let revision = self.0.store.revision(payer).await.map_err(Error::internal)?;
            if revision.is_some_and(|revision| revision != known) {
                let _writer = desk.writer.lock().await;
                desk.put(load(&self.0.store, payer).await?);
            }
        }
        Ok(desk.state())
    }

    /// Allows an operation or denies it. A denial is in the audit before it is answered; what is allowed to be read is, a second later.
    ///
    /// # Errors
    /// [`Error::Denied`].
    pub async fn authorize(&self, caller: &Caller, service: &str, operation: &str) -> Answer<()> {
        if caller.may(service, operation) {
            return Ok(());
        }
        let action = format!("{service}:{operation}");
        let request =
            WriteRequest { caller, action: &action, token: None, input: "", resource: "", period: None };
        self.write_audit(&request, Decision::Denied).await?;
        Err(Error::Denied)
    }

    /// Notes that something was read, or that a write was refused, for the next batch of the audit.
    pub fn note(&self, caller: &Caller, action: &str, resource: &str, decision: Decision) {
        let entry = entry(caller, action, resource, "", decision);
        let mut reads = self.0.reads.lock().unwrap_or_else(PoisonError::into_inner);
        reads.push((caller.payer.clone(), entry));
        if reads.len() >= READS_MAX {
            self.0.many_reads.notify_one();
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

    /// Writes the reads that are noted into the audit, and when keys were last used.
    ///
    /// # Errors
    /// [`Error::Internal`]; then they are kept for the next time.
    pub async fn flush_reads(&self) -> Answer<()> {
        let noted = std::mem::take(&mut *self.0.reads.lock().unwrap_or_else(PoisonError::into_inner));
        let mut by_payer: BTreeMap<AccountId, Vec<Entry>> = BTreeMap::new();
        for (payer, entry) in noted {
            by_payer.entry(payer).or_default().push(entry);
        }
        let mut failed = None;
        for (payer, entries) in by_payer {
            if let Err(error) = self.append_audit(&payer, entries.clone()).await {
                let mut reads = self.0.reads.lock().unwrap_or_else(PoisonError::into_inner);
                reads.extend(entries.into_iter().map(|entry| (payer.clone(), entry)));
                failed = Some(error);
            }
        }
        let used = self.take_used();
        if !used.is_empty() {
            self.0.store.note_key_used(&used).await.map_err(Error::internal)?;
        }
        failed.map_or(Ok(()), Err)
    }

    /// Writes them every second until `stop`, and once more then.
    pub async fn keep_audit(&self, mut stop: tokio::sync::watch::Receiver<bool>) {
        loop {
            let stopped = tokio::select! {
                _ = stop.changed() => true,
                () = self.0.many_reads.notified() => false,
                () = tokio::time::sleep(AUDIT_AFTER) => false,
            };
            if let Err(error) = self.flush_reads().await {
                tracing::error!(?error, "reads could not be written into the audit; they are kept");
            }
            if stopped || *stop.borrow() {
                return;
            }
        }
    }

    /// Writes an entry of the audit that stands alone.
    pub(crate) async fn write_audit(&self, request: &WriteRequest<'_>, decision: Decision) -> Answer<()> {
        let entry = entry(request.caller, request.action, request.resource, request.input, decision);
        self.append_audit(&request.caller.payer, vec![entry]).await
    }

    /// Appends entries to a payer's audit.
    pub(crate) async fn append_audit(&self, payer: &AccountId, entries: Vec<Entry>) -> Answer<()> {
        let entries = &entries;
        self.transaction(payer, |store, state| async move {
            let mut write = store.write(payer, &state.head).await?;
            write.audit(&audit::rows(&state.head.audit, entries.iter().cloned())).await?;
            let head = write.commit().await?;
            Ok((state.at(head), ()))
        })
        .await
    }

    /// Runs a transaction on a payer's rows until nobody is in its way; what it returns is what readers see from then on.
    pub(crate) async fn transaction<T, F: Future<Output = Result<(State, T), Attempt>> + Send>(
        &self,
        payer: &AccountId,
        attempt: impl Fn(Store, Arc<State>) -> F,
    ) -> Answer<T> {
        let desk = self.desk(payer).await?;
        let _writer = desk.writer.lock().await;
        for _ in 0..TRIES_MAX {
            match attempt(self.0.store.clone(), desk.state()).await {
                Ok((state, outcome)) => {
                    desk.put(state);
                    return Ok(outcome);
                }
                Err(Attempt::Store(StoreError::Raced)) => desk.put(load(&self.0.store, payer).await?),
                Err(Attempt::Store(error)) => {
                    // Whether it was kept may not be known: what is served next is what the database has.
                    if let Ok(state) = load(&self.0.store, payer).await {
                        desk.put(state);
                    }
                    return Err(Error::internal(error));
                }
                Err(Attempt::Answer(error)) => return Err(error),
            }
        }
        let message = "others were writing at the same time; send the request again";
        let of = (ResourceType::BillingGroup, payer.as_str());
        Err(Refusal::conflict(ConflictReason::WriteConflictRetry, payer, of, message).into())
    }

    /// Makes a change of the configuration: all that it says in one transaction, once per client token.
    pub async fn write<T: Serialize + DeserializeOwned + Send>(
        &self,
        request: &WriteRequest<'_>,
        operation: impl Fn(&mut Edit<'_>) -> Result<T, Refusal> + Sync,
    ) -> Answer<T> {
        let payer = &request.caller.payer;
        let (operation, input_hash) = (&operation, &hash_of(request.input));
        let made = self
            .transaction(payer, |store, state| async move {
                if let Some(token) = request.token
                    && let Some(earlier) = store.token(payer, request.action, token).await?
                {
                    return Ok((state.at(state.head.clone()), repeated(&earlier, input_hash)?));
                }
                let (next, touched, outcome) = edited(&state, request, operation)?;
                let mut write = store.write(payer, &state.head).await?;
                write.save(&next, &touched, request.caller.now).await?;
                let outcome_text = serde_json::to_string(&outcome).map_err(Error::internal)?;
                if let Some(token) = request.token {
                    let row = TokenRow {
                        operation: request.action.to_owned(),
                        token: token.to_owned(),
                        input_hash: input_hash.clone(),
                        outcome: outcome_text.clone(),
                        created_at_ms: machine_milliseconds(),
                    };
                    write.put_token(row).await?;
                }
                let resource = if request.resource.is_empty() { &outcome_text } else { request.resource };
                write.audit(&audit::rows(&state.head.audit, [request.done(resource)])).await?;
                let changed = crate::runs::changed_periods(&state.configuration, &next, &touched, request);
                crate::runs::queue(&store, &mut write, payer, &changed).await?;
                let head = write.commit().await?;
                Ok((State::new(next, head), outcome))
            })
            .await;
        match made {
            Ok(outcome) => {
                self.0.wake.notify_one();
                Ok(outcome)
            }
            Err(error) => {
                if matches!(error, Error::Refused(_) | Error::Denied) {
                    self.note(request.caller, request.action, request.resource, Decision::Refused);
                }
                Err(error)
            }
        }
    }
}

impl PayerDesk {
    /// What is configured now.
    pub fn state(&self) -> Arc<State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The report that a period shows, as far as it was opened.
    pub fn shown(&self, period: BillingPeriod) -> Option<Arc<PeriodReport>> {
        self.reports.read().unwrap_or_else(PoisonError::into_inner).get(&period).cloned()
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

    fn put(&self, state: State) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
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

/// What a payer has configured, as the database has it.
async fn load(store: &Store, payer: &AccountId) -> Answer<State> {
    let loaded = store.load(payer).await.map_err(Error::internal)?;
    let loaded = loaded.ok_or_else(|| Error::internal(format!("there is no payer {payer}")))?;
    Ok(State::new(loaded.configuration, loaded.head))
}

/// The next configuration, what differs in it, and what the operation answers.
fn edited<T>(
    state: &State,
    request: &WriteRequest<'_>,
    operation: impl Fn(&mut Edit<'_>) -> Result<T, Refusal>,
) -> Answer<(Configuration, BTreeSet<Touched>, T)> {
    // A system that has random bytes once goes on having them.
    let first = new_resource_id().map_err(Error::internal)?;
    let mut fresh = || new_resource_id().unwrap_or_else(|_| first.clone());
    let current = Clock::period_of(request.caller.now);
    let period = request.period.unwrap_or(current);
    let moment = Moment { now: request.caller.now, current, period };
    let mut edit = Edit::begin(&state.configuration, moment, &mut fresh)?;
    let outcome = operation(&mut edit)?;
    let (next, touched) = edit.finish();
    Ok((next, touched, outcome))
}

/// The answer of the first request with a token; another request with the same one is refused.
fn repeated<T: DeserializeOwned>(earlier: &TokenRow, input_hash: &str) -> Answer<T> {
    if earlier.input_hash != input_hash {
        let message =
            "the client token was used before with another input; give each request a token of its own";
        return Err(Error::invalid(ValidationReason::Other, message));
    }
    serde_json::from_str(&earlier.outcome).map_err(Error::internal)
}

fn entry(caller: &Caller, action: &str, resource: &str, detail: &str, decision: Decision) -> Entry {
    let principal = match caller.access_key_id.as_str() {
        "" => caller.principal.clone(),
        key => format!("{} ({key})", caller.principal),
    };
    Entry {
        at_ms: machine_milliseconds(),
        principal,
        action: action.to_owned(),
        resource: resource.to_owned(),
        decision,
        request_id: caller.request_id.clone(),
        detail: detail.to_owned(),
    }
}

pub(crate) fn hash_of(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
