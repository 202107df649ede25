//! How runs end, and closes that meet them: with an engine that makes nothing, so that a test can come between.

use super::{Meaning, NOT_ENDED, NoResult, TRIES_MAX};
use crate::changes::new_run;
use crate::clock::{Clock, machine_milliseconds};
use crate::desk::{BackOffice, Options, WriteRequest};
use crate::engine::{CostSource, Engine, EngineError, RunCharges, RunOrder, RunOutcome, RunReport};
use crate::error::{Answer, Error, refused};
use crate::sources::NewSource;
use crate::vault::MasterKey;
use billing::account::AccountId;
use billing::configuration::{ConflictReason, Refusal, ResourceType};
use billing::invoice::aws::AwsInvoices;
use billing::period::BillingPeriod;
use query::facts::MonthFacts;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::{CloseRow, Outcome, Place, RunRow, RunState, Store, StoreError};
use tempfile::TempDir;

/// 2026-11-10T12:00:00Z.
const NOW: i64 = 1_794_312_000;

type Act = Box<dyn FnOnce() + Send>;

/// Prices every month the same, and does what it is told when it is asked for a manifest first.
#[derive(Default)]
struct Stub {
    meanwhile: Mutex<Option<Act>>,
    report: Mutex<Option<EngineError>>,
}

impl Engine for Stub {
    fn run(&self, _: &CostSource, _: &RunOrder) -> Result<RunOutcome, EngineError> {
        Ok(RunOutcome { snapshot: String::new(), book_hash: String::new(), lines: 0, warnings: Vec::new() })
    }

    fn reprice(&self, _: &Path, _: &RunOrder) -> Result<Option<RunOutcome>, EngineError> {
        Ok(None)
    }

    fn report(&self, _: &Path) -> Result<RunReport, EngineError> {
        self.report.lock().unwrap().clone().map_or_else(|| Ok(RunReport::default()), Err)
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
        let act = self.meanwhile.lock().unwrap().take();
        act.into_iter().for_each(|act| act());
        Ok(String::new())
    }

    fn aws_invoices(&self, _: &Path) -> Result<AwsInvoices, EngineError> {
        Ok(AwsInvoices::default())
    }

    fn fingerprint(&self, _: &[PathBuf], _: BillingPeriod) -> Result<String, EngineError> {
        Ok(String::new())
    }

    fn periods(&self, _: &[PathBuf]) -> Result<Vec<BillingPeriod>, EngineError> {
        Ok(vec![september(), october()])
    }
}

fn september() -> BillingPeriod {
    BillingPeriod::parse("2026-09").unwrap()
}

fn october() -> BillingPeriod {
    september().next()
}

fn payer() -> AccountId {
    AccountId::parse("999999999999").unwrap()
}

struct Desk {
    office: BackOffice,
    engine: Arc<Stub>,
    _data: TempDir,
}

async fn desk() -> Desk {
    desk_with(Duration::from_secs(60)).await
}

async fn desk_with(lease: Duration) -> Desk {
    let data = TempDir::new().unwrap();
    let store = Store::open(&Place::Sqlite(data.path().join("proforma.db"))).await.unwrap();
    store.migrate().await.unwrap();
    store.create_payer(&payer(), 0).await.unwrap();
    let options = Options {
        data: data.path().to_owned(),
        clock: Clock::Fixed(NOW),
        shared: false,
        cost_roots: None,
        lease,
        superseded_runs: 5,
        facts_bytes: 0,
        renderer: None,
    };
    let engine = Arc::new(Stub::default());
    let office = BackOffice::new(store, MasterKey::generate().unwrap(), engine.clone(), options);
    Desk { office, engine, _data: data }
}

async fn import(office: &BackOffice, period: Option<BillingPeriod>) -> Answer<Vec<BillingPeriod>> {
    let caller = office.operator(&payer(), String::new());
    let source = NewSource {
        inputs: vec![PathBuf::from("cost")],
        price_list: None,
        period,
        is_watched: true,
        is_immutable: true,
        accept_rejects: false,
    };
    Ok(office.import(&request(&caller), source).await?.1)
}

async fn close(office: &BackOffice, period: BillingPeriod) -> Answer<CloseRow> {
    office.close(&request(&office.operator(&payer(), String::new())), period, false).await
}

fn request(caller: &crate::authorization::Caller) -> WriteRequest<'_> {
    WriteRequest { caller, action: "proforma:Test", token: None, input: "", resource: "", period: None }
}

async fn priced(office: &BackOffice, period: BillingPeriod) {
    import(office, Some(period)).await.unwrap();
    assert!(office.work_once().await.unwrap());
}

impl Desk {
    /// What somebody else does while a month is being closed.
    fn meanwhile<F: Future<Output = ()> + Send>(&self, act: impl FnOnce(BackOffice) -> F + Send + 'static) {
        let office = self.office.clone();
        let act = move || tokio::runtime::Handle::current().block_on(act(office));
        *self.engine.meanwhile.lock().unwrap() = Some(Box::new(act));
    }

    async fn last_run(&self) -> RunRow {
        self.office.store().runs_page(&payer(), None, None, 1).await.unwrap().remove(0)
    }

    async fn closed(&self) -> Vec<String> {
        let closes = self.office.store().closes(&payer()).await.unwrap();
        closes.into_iter().map(|close| close.period.to_string()).collect()
    }
}

fn said<T: std::fmt::Debug>(answer: Answer<T>) -> String {
    let Err(Error::Refused(refusal)) = answer else { panic!("it is not refused: {answer:?}") };
    refusal.to_string()
}

fn failure(run: &RunRow) -> &str {
    let RunState::Ended { outcome: Outcome::Failed { error, .. }, .. } = &run.state else {
        panic!("it has not failed: {run:?}")
    };
    error
}

#[tokio::test]
async fn a_close_asks_again_what_is_still_to_be_priced() {
    let desk = desk().await;
    priced(&desk.office, october()).await;
    desk.meanwhile(async |office| drop(import(&office, Some(september())).await.unwrap()));
    let refusal = said(close(&desk.office, october()).await);
    assert!(refusal.contains("of 2026-09 is still to be priced"), "{refusal}");
    assert!(desk.office.work_once().await.unwrap());
    close(&desk.office, october()).await.unwrap();
    assert_eq!(desk.closed().await, ["2026-09", "2026-10"]);
}

#[tokio::test]
async fn a_close_seals_what_was_priced_meanwhile_or_nothing() {
    let desk = desk().await;
    priced(&desk.office, october()).await;
    desk.meanwhile(async |office| priced(&office, september()).await);
    let refusal = said(close(&desk.office, october()).await);
    assert_eq!(refusal, "2026-09 was priced again just now; close it again");
    close(&desk.office, october()).await.unwrap();
    assert_eq!(desk.closed().await, ["2026-09", "2026-10"]);
}

#[tokio::test]
async fn a_run_of_a_month_that_was_closed_unpriced_fails() {
    let Desk { office, .. } = &desk().await;
    priced(office, october()).await;
    close(office, october()).await.unwrap();
    let refusal = said(import(office, Some(september())).await);
    assert!(refusal.starts_with("billing period 2026-09 was closed before it was ever priced"), "{refusal}");
    assert_eq!(import(office, None).await.unwrap(), [october()]);
    office.look_at_sources().await.unwrap();
    assert!(office.store().runs_page(&payer(), Some(september()), None, 9).await.unwrap().is_empty());
    // As an older program has left it.
    let source = office.sources(&payer()).await.unwrap().remove(0).id;
    let state = office.state(&payer()).await.unwrap();
    let mut write = office.store().write(&payer(), &state.head).await.unwrap();
    write.queue_run(new_run(september(), Some(source)).unwrap()).await.unwrap();
    write.commit().await.unwrap();
    while office.work_once().await.unwrap() {}
    let runs = office.store().runs_page(&payer(), Some(september()), None, 9).await.unwrap();
    assert_eq!(failure(&runs[0]), refusal);
    assert!(office.store().current_run(&payer(), september()).await.unwrap().is_none());
}

fn wait_for<F: Future>(what: F) -> F::Output {
    tokio::runtime::Handle::current().block_on(what)
}

/// Opening the report takes three leases: nobody else may take the run over meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_is_renewed_while_its_run_ends() {
    let desk = desk_with(Duration::from_millis(400)).await;
    import(&desk.office, Some(october())).await.unwrap();
    let office = desk.office.clone();
    let held = desk.engine.report.lock().unwrap();
    let works = tokio::spawn(async move { office.work_once().await.unwrap() });
    let others = tokio::task::block_in_place(|| {
        while !matches!(wait_for(desk.last_run()).state, RunState::Running { .. }) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let store = desk.office.store();
        let others = std::iter::repeat_with(|| {
            std::thread::sleep(Duration::from_millis(50));
            wait_for(store.claim_run(&payer(), machine_milliseconds(), 60_000)).unwrap()
        });
        others.take(24).flatten().count()
    });
    drop(held);
    assert!(works.await.unwrap());
    assert_eq!(others, 0);
    assert!(desk.last_run().await.done().is_some());
}

#[tokio::test]
async fn a_run_is_tried_so_often_and_then_fails() {
    let desk = desk().await;
    let store = desk.office.store();
    *desk.engine.report.lock().unwrap() = Some(EngineError::Failed("the disk is gone".to_owned()));
    import(&desk.office, Some(october())).await.unwrap();
    for _ in 2..TRIES_MAX {
        let claimed = store.claim_run(&payer(), machine_milliseconds(), -1).await.unwrap();
        assert!(claimed.is_some());
    }
    assert!(desk.office.work_once().await.unwrap());
    assert!(matches!(desk.last_run().await.state, RunState::Running { .. }));
    store.release_claims(machine_milliseconds()).await.unwrap();
    assert!(desk.office.work_once().await.unwrap());
    assert_eq!(failure(&desk.last_run().await), NOT_ENDED);
    assert!(!desk.office.work_once().await.unwrap());
}

#[tokio::test]
async fn a_store_that_is_away_fails_no_run() {
    let store = desk().await.office.store().clone();
    store.close().await;
    let away = store.payers().await.unwrap_err();
    let internal = |error: StoreError| NoResult::Desk(Error::internal(error));
    assert!(matches!(internal(away).means(), Meaning::Away(_)));
    let stale = StoreError::StaleClaim { run: "r".to_owned(), token: 1 };
    assert!(matches!(internal(stale).means(), Meaning::TakenOver));
    let damaged = StoreError::Damaged { table: "runs", problem: "it is".to_owned() };
    assert!(matches!(internal(damaged).means(), Meaning::Again(_)));
    let others = Refusal::conflict(
        ConflictReason::WriteConflictRetry,
        &payer(),
        (ResourceType::BillingGroup, "x"),
        "others were faster",
    );
    assert!(matches!(NoResult::Desk(others.into()).means(), Meaning::Again(_)));
    assert!(matches!(NoResult::Desk(refused("no")).means(), Meaning::Failed(said) if said == "no"));
    let damaged = EngineError::Input(vec!["it is not as it was written".to_owned()]);
    let means = NoResult::Desk(Error::internal(damaged)).means();
    assert!(matches!(means, Meaning::Failed(said) if said == "it is not as it was written"));
    let full = EngineError::Disk("full".to_owned());
    assert!(matches!(NoResult::Engine(full.clone()).means(), Meaning::Again(said) if said == "full"));
    assert!(matches!(NoResult::Desk(Error::internal(full)).means(), Meaning::Again(said) if said == "full"));
}
