//! The desk over a database of its own, with an engine that makes up what it answers.

#![allow(clippy::unwrap_used, reason = "a test that does not get what it asks for has failed")]

use back_office::audit::Decision;
use back_office::clock::Clock;
use back_office::desk::{BackOffice, Options};
use back_office::engine::{CostSource, Engine, EngineError, RunCharges, RunOrder, RunOutcome, RunReport};
use back_office::error::Error;
use back_office::vault::MasterKey;
use billing::account::AccountId;
use billing::invoice::aws::AwsInvoices;
use billing::period::BillingPeriod;
use query::facts::MonthFacts;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::{CurrentRun, DoneRun, NewRun, Outcome, Place, Store};
use tempfile::TempDir;

/// An engine that opens reports slowly, and counts how often; the next one not before it may.
#[derive(Default)]
struct Slow {
    opened: AtomicUsize,
    held: Mutex<()>,
    is_damaged: AtomicBool,
}

impl Engine for Slow {
    fn report(&self, _: &Path) -> Result<RunReport, EngineError> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(200));
        drop(self.held.lock());
        match self.is_damaged.load(Ordering::Relaxed) {
            true => Err(EngineError::Input(vec!["`/srv/desk/runs/x` is not as it was written".to_owned()])),
            false => Ok(RunReport::default()),
        }
    }

    fn run(&self, _: &CostSource, _: &RunOrder) -> Result<RunOutcome, EngineError> {
        Err(EngineError::Failed("nothing is priced here".to_owned()))
    }

    fn reprice(&self, _: &Path, _: &RunOrder) -> Result<Option<RunOutcome>, EngineError> {
        Ok(None)
    }

    fn facts(&self, _: &Path) -> Result<MonthFacts, EngineError> {
        Err(EngineError::Failed("no month was priced".to_owned()))
    }

    fn charges(&self, _: &Path) -> Result<RunCharges, EngineError> {
        Ok(RunCharges::default())
    }

    fn statement(&self, _: &Path, _: &str) -> Result<Option<Vec<u8>>, EngineError> {
        Ok(None)
    }

    fn manifest(&self, _: &Path) -> Result<String, EngineError> {
        Ok(String::new())
    }

    fn aws_invoices(&self, _: &Path) -> Result<AwsInvoices, EngineError> {
        Ok(AwsInvoices::default())
    }

    fn fingerprint(&self, _: &[PathBuf], _: BillingPeriod) -> Result<String, EngineError> {
        Ok(String::new())
    }

    fn periods(&self, _: &[PathBuf]) -> Result<Vec<BillingPeriod>, EngineError> {
        Ok(Vec::new())
    }
}

fn payer() -> AccountId {
    AccountId::parse("999999999999").unwrap()
}

fn october() -> BillingPeriod {
    BillingPeriod::parse("2026-10").unwrap()
}

/// A desk on SQLite with one payer; what other processes write is looked for as on PostgreSQL, where it `is_shared`.
async fn desk(is_shared: bool) -> (BackOffice, Arc<Slow>, TempDir) {
    let folder = TempDir::new().unwrap();
    let store = Store::open(&Place::Sqlite(folder.path().join("proforma.db"))).await.unwrap();
    store.migrate().await.unwrap();
    store.create_payer(&payer(), 1).await.unwrap();
    let options = Options {
        data: folder.path().to_owned(),
        clock: Clock::Machine,
        shared: is_shared,
        cost_roots: None,
        lease: Duration::from_secs(60),
        superseded_runs: 5,
        facts_bytes: 0,
        renderer: None,
    };
    let engine = Arc::new(Slow::default());
    (BackOffice::new(store, MasterKey::generate().unwrap(), engine.clone(), options), engine, folder)
}

/// Makes a run that October shows from then on.
async fn show(desk: &BackOffice, id: &str) {
    let (store, payer) = (desk.store(), payer());
    let mut write = store.write(&payer, &store.head(&payer).await.unwrap().unwrap()).await.unwrap();
    let run = NewRun { id: id.to_owned(), period: october(), reads: None, created_at_ms: 1 };
    write.queue_run(run).await.unwrap();
    let head = write.commit().await.unwrap();
    let claim = store.claim_run(&payer, 1, 60_000).await.unwrap().unwrap();
    let done = DoneRun {
        snapshot: String::new(),
        source: String::new(),
        book_hash: String::new(),
        configuration_revision: 0,
        line_count: 0,
        folder: id.to_owned(),
        manifest: String::new(),
        groups: BTreeMap::new(),
        warnings: Vec::new(),
    };
    let mut write = store.write(&payer, &head).await.unwrap();
    write.finish_run(id, claim.token, &Outcome::Done(Box::new(done)), 2).await.unwrap();
    let current = CurrentRun { period: october(), run: id.to_owned(), set_at_ms: 2 };
    write.set_current_run(current).await.unwrap();
    write.commit().await.unwrap();
}

/// Asks for the report of October from many sides at once; the run that each is shown.
async fn asked_at_once(desk: &BackOffice) -> Vec<String> {
    let ask = |desk: BackOffice| async move {
        desk.cost_report(&payer(), october()).await.unwrap().map(|report| report.run.clone())
    };
    let asked: Vec<_> = (0..20).map(|_| tokio::spawn(ask(desk.clone()))).collect();
    let mut shown = Vec::new();
    for asked in asked {
        shown.push(asked.await.unwrap().unwrap());
    }
    shown.dedup();
    shown
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_is_opened_once_for_all_who_ask() {
    for is_shared in [false, true] {
        let (desk, engine, _folder) = desk(is_shared).await;
        assert!(desk.cost_report(&payer(), october()).await.unwrap().is_none());
        show(&desk, "first").await;
        assert_eq!(asked_at_once(&desk).await, ["first"]);
        assert_eq!(engine.opened.load(Ordering::Relaxed), 1);
        if is_shared {
            // Another server has published a run since.
            show(&desk, "second").await;
            assert_eq!(asked_at_once(&desk).await, ["second"]);
            assert_eq!(engine.opened.load(Ordering::Relaxed), 2);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_run_is_for_the_log_and_not_for_who_asks() {
    let (desk, engine, _folder) = desk(false).await;
    show(&desk, "first").await;
    engine.is_damaged.store(true, Ordering::Relaxed);
    let asked = desk.cost_report(&payer(), october()).await;
    let Err(Error::Internal(cause)) = asked else { panic!("it is told to who asks") };
    assert!(format!("{cause:?}").contains("/srv/desk"), "{cause:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_that_may_be_old_by_now_is_not_shown_again() {
    let (desk, engine, _folder) = desk(false).await;
    show(&desk, "first").await;
    let asked = {
        let _held = engine.held.lock().unwrap();
        let asks = desk.clone();
        let asked = tokio::spawn(async move { asks.cost_report(&payer(), october()).await.is_ok() });
        while engine.opened.load(Ordering::Relaxed) == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        // Whether a newer run is shown by now cannot be asked.
        let store = desk.store().clone();
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(store.close()));
        asked
    };
    assert!(!asked.await.unwrap());
    assert!(desk.cost_report(&payer(), october()).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_audited_is_not_allowed_beyond_a_bound() {
    const MORE_THAN_ENOUGH: usize = 1_000_000;
    let (desk, _, folder) = desk(false).await;
    let caller = desk.operator(&payer(), "request".to_owned());
    let read = || async {
        desk.authorize(&caller, "billingconductor", "ListBillingGroups").await?;
        desk.note(&caller, "billingconductor:ListBillingGroups", "", Decision::Read);
        Ok::<_, Error>(())
    };
    read().await.unwrap();
    desk.flush_reads().await.unwrap();
    desk.store().close().await;
    let mut count = 0;
    while count < MORE_THAN_ENOUGH && read().await.is_ok() {
        count += 1;
        if count % 20_000 == 0 {
            // What is tried in vain counts on.
            assert!(desk.flush_reads().await.is_err());
        }
    }
    assert!((1_000..100_000).contains(&count), "{count}");
    assert!(matches!(read().await, Err(Error::Unavailable(_))));
    // Another payer has room of its own.
    let other = desk.operator(&AccountId::parse("888888888888").unwrap(), "request".to_owned());
    desk.authorize(&other, "billingconductor", "ListBillingGroups").await.unwrap();
    drop(folder);
}
