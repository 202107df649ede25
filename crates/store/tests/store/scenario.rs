//! What a payer does in one go, step by step, and what the database shows after each step.

use crate::audit::entry;
use crate::engines::payer;
use crate::sample::{Chance, changes, done_run};
use billing::period::BillingPeriod;
use store::{
    AuditRow, CloseRow, CurrentRun, Loaded, NewRun, Outcome, Place, RunState, SourceRow, Store, StoreError,
    TokenRow, Write,
};

/// How many steps there are.
pub const STEPS: usize = 12;
const MIGRATE: usize = 0;
const CREATE: usize = 1;
const QUEUE: usize = 3;
const CLAIM: usize = 4;
const FINISH: usize = 6;
/// Closing writes what is in the log back to the file, and removes the log.
const REOPEN: [usize; 2] = [7, STEPS - 1];
/// A change of many rows.
const LARGE: usize = 8;
const SOURCE: usize = 9;
const CLOSE_PERIOD: usize = 10;

const OPERATION: &str = "Step";
const LEASE_MS: i64 = 1_000;
/// When every claim has passed, however late it was made.
const LATE_MS: i64 = 1_000_000;

/// The database of somebody who goes through the steps.
pub struct Desk {
    pub store: Store,
    place: Place,
    claim: Option<u64>,
}

/// What a database shows, without what depends on how often somebody has tried.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    schema: u64,
    loaded: Option<Loaded>,
    entries: Vec<AuditRow>,
    tokens: Vec<Option<TokenRow>>,
    runs: Vec<(String, &'static str)>,
    current: Vec<CurrentRun>,
    sources: Vec<SourceRow>,
    closes: Vec<CloseRow>,
}

fn period() -> BillingPeriod {
    BillingPeriod::parse("2026-10").unwrap()
}

fn token_of(step: usize) -> TokenRow {
    let text = step.to_string();
    TokenRow {
        operation: OPERATION.to_owned(),
        token: text.clone(),
        input_hash: text.clone(),
        outcome: text,
        created_at_ms: 5,
    }
}

impl Desk {
    pub async fn open(place: &Place) -> Result<Self, StoreError> {
        Ok(Self { store: Store::open(place).await?, place: place.clone(), claim: None })
    }

    /// Goes a step that was not gone yet.
    pub async fn go(&mut self, step: usize) -> Result<(), StoreError> {
        match step {
            MIGRATE => self.store.migrate().await.map(drop),
            CREATE => self.store.create_payer(&payer(), 1).await.map(drop),
            CLAIM => self.claim(LEASE_MS).await,
            _ if REOPEN.contains(&step) => {
                self.store.close().await;
                self.store = Store::open(&self.place).await?;
                Ok(())
            }
            _ => self.write(step).await,
        }
    }

    /// Whether a step that did not end well was gone.
    pub async fn is_gone(&mut self, step: usize) -> Result<bool, StoreError> {
        match step {
            MIGRATE => Ok(false),
            CREATE => Ok(self.store.payer(&payer()).await?.is_some()),
            // Somebody whose claim was not answered claims again when it has passed.
            CLAIM => Ok(self.claim(LATE_MS).await.is_ok() && self.claim.is_some()),
            _ if REOPEN.contains(&step) => Ok(false),
            _ => {
                let found = self.store.token(&payer(), OPERATION, &step.to_string()).await?;
                Ok(found.inspect(|found| assert_eq!(*found, token_of(step))).is_some())
            }
        }
    }

    async fn claim(&mut self, now_ms: i64) -> Result<(), StoreError> {
        let claim = self.store.claim_run(&payer(), now_ms, LEASE_MS).await?;
        self.claim = claim.map(|claim| claim.token).or(self.claim);
        Ok(())
    }

    async fn write(&mut self, step: usize) -> Result<(), StoreError> {
        if step == FINISH && self.claim.is_none() {
            self.claim(2 * LATE_MS).await?;
        }
        let Loaded { mut configuration, head } = self.store.load(&payer()).await?.unwrap();
        let count = if step == LARGE { 600 } else { 5 };
        let mut chance = Chance::new(u64::try_from(step).unwrap());
        let touched = changes(&mut configuration, &mut chance, count);
        let mut write = self.store.write(&payer(), &head).await?;
        write.save(&configuration, &touched, 1).await?;
        write.audit(&[entry(head.audit.sequence + 1, &head.audit.hash)]).await?;
        write.put_token(token_of(step)).await?;
        self.more(step, &mut write).await?;
        write.commit().await.map(drop)
    }

    /// What a step changes beside the configuration.
    async fn more(&self, step: usize, write: &mut Write) -> Result<(), StoreError> {
        match step {
            QUEUE => {
                let (id, reads) = ("r1".to_owned(), Some("cur".to_owned()));
                write.queue_run(NewRun { id, period: period(), reads, created_at_ms: 3 }).await
            }
            FINISH => {
                let done = Outcome::Done(Box::new(done_run()));
                write.finish_run("r1", self.claim.unwrap_or_default(), &done, 7).await?;
                let (run, set_at_ms) = ("r1".to_owned(), 7);
                write.set_current_run(CurrentRun { period: period(), run, set_at_ms }).await
            }
            SOURCE => write.put_source(source()).await,
            CLOSE_PERIOD => {
                let (run, manifest_hash, closed_by) = ("r1".to_owned(), "m".to_owned(), "ops".to_owned());
                let (period, closed_at_ms) = (period(), 9);
                write.put_close(CloseRow { period, run, manifest_hash, closed_at_ms, closed_by }).await
            }
            _ => Ok(()),
        }
    }

    /// A run that is being made can be claimed once its claim has passed, by a larger token, and only once.
    pub async fn claims_again(&mut self) {
        if self.store.schema_version().await.unwrap() < Store::program_schema() {
            return;
        }
        let runs = self.store.runs_page(&payer(), None, None, 10).await.unwrap();
        if runs.iter().any(|run| matches!(run.state, RunState::Running { .. })) {
            let claim = self.store.claim_run(&payer(), LATE_MS, LEASE_MS).await.unwrap().unwrap();
            assert!(self.claim.is_none_or(|before| before < claim.token) && claim.token > 1);
            assert_eq!(self.store.claim_run(&payer(), LATE_MS, LEASE_MS).await.unwrap(), None);
            self.claim = Some(claim.token);
        }
    }

    /// Everything that the database shows.
    pub async fn see(&self) -> Result<Seen, StoreError> {
        let store = &self.store;
        let schema = store.schema_version().await?;
        // A migration that took some of its steps has nothing in its tables yet: the next start takes the others.
        if schema < Store::program_schema() {
            return Ok(Seen::default());
        }
        let mut tokens = Vec::new();
        for step in 0..STEPS {
            tokens.push(store.token(&payer(), OPERATION, &step.to_string()).await?);
        }
        let runs = store.runs_page(&payer(), None, None, 10).await?;
        let entries = store.audit_page(&payer(), 0, 1_000).await?;
        follow_each_other(&entries);
        Ok(Seen {
            schema,
            loaded: store.load(&payer()).await?,
            entries,
            tokens,
            runs: runs.into_iter().map(|run| (run.asked.id, state(&run.state))).collect(),
            current: store.current_runs(&payer()).await?,
            sources: store.sources(&payer()).await?,
            closes: store.closes(&payer()).await?,
        })
    }
}

/// Each entry has the number and the hash that follow the one before.
pub fn follow_each_other(entries: &[AuditRow]) {
    let mut previous = String::new();
    for (number, row) in (1..).zip(entries) {
        assert_eq!((row.sequence, &row.previous_hash), (number, &previous));
        previous.clone_from(&row.hash);
    }
}

fn source() -> SourceRow {
    SourceRow {
        id: "cur".to_owned(),
        inputs: vec!["/data".to_owned()],
        price_list: None,
        is_watched: true,
        is_immutable: false,
        accepts_rejects: false,
        period: None,
        fingerprint: None,
        checked_at_ms: None,
        problem: None,
        created_at_ms: 2,
        is_confined: false,
    }
}

const fn state(state: &RunState) -> &'static str {
    match state {
        RunState::Queued => "queued",
        RunState::Running { .. } => "running",
        RunState::Ended { .. } => "ended",
    }
}

/// What a database shows before each step, and after the last.
pub async fn states(place: &Place) -> Vec<Seen> {
    let mut desk = Desk::open(place).await.unwrap();
    let mut states = vec![desk.see().await.unwrap()];
    for step in 0..STEPS {
        desk.go(step).await.unwrap();
        states.push(desk.see().await.unwrap());
    }
    states
}
