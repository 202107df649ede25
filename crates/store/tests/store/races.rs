//! Many writers: each is first or is told; and a commit whose outcome nobody knows says so.

use crate::engines::{Scratch, payer, postgres, with_payer};
use crate::on_both;
use billing::account::AccountId;
use billing::configuration::{FamilyAccount, Touched};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{Head, Store, StoreError};

const TASKS: u64 = 8;
const WRITES: u64 = 50;

on_both! {
    no_write_is_lost
    who_comes_second_is_told
}

async fn no_write_is_lost(Scratch { store, .. }: Scratch) {
    with_payer(&store).await;
    let tasks: Vec<_> = (0..TASKS).map(|task| tokio::spawn(add_accounts(store.clone(), task))).collect();
    for task in tasks {
        task.await.unwrap();
    }
    let loaded = store.load(&payer()).await.unwrap().unwrap();
    assert_eq!(loaded.head.revision, TASKS * WRITES);
    assert_eq!(loaded.configuration.family.len(), usize::try_from(TASKS * WRITES).unwrap());
}

/// Adds accounts, each as long as it takes.
async fn add_accounts(store: Store, task: u64) {
    for number in 0..WRITES {
        let account = AccountId::parse(&format!("{:012}", task * 1000 + number)).unwrap();
        while let Err(error) = add_account(&store, &account).await {
            assert!(matches!(error, StoreError::Raced), "{error}");
        }
    }
}

async fn add_account(store: &Store, account: &AccountId) -> Result<Head, StoreError> {
    // What the cache of a server does: the configuration is read where the revision is another.
    let loaded = store.load(&payer()).await?.unwrap();
    let mut configuration = loaded.configuration;
    Arc::make_mut(&mut configuration.family).insert(account.clone(), FamilyAccount::default());
    let mut write = store.write(&payer(), &loaded.head).await?;
    write.save(&configuration, &BTreeSet::from([Touched::Family(account.clone())]), 1).await?;
    write.commit().await
}

async fn who_comes_second_is_told(Scratch { store, .. }: Scratch) {
    let head = with_payer(&store).await;
    let first = add_account(&store, &AccountId::parse("1").unwrap()).await.unwrap();
    assert!(matches!(store.write(&payer(), &head).await, Err(StoreError::Raced)));
    assert!(store.write(&payer(), &first).await.is_ok());
    // One that waits while the other is still writing.
    let write = store.write(&payer(), &first).await.unwrap();
    let waiting = tokio::spawn({
        let (store, first) = (store.clone(), first.clone());
        async move { store.write(&payer(), &first).await.map(drop) }
    });
    let mut write = write;
    write
        .save(&store.load(&payer()).await.unwrap().unwrap().configuration, &BTreeSet::new(), 1)
        .await
        .unwrap();
    write.commit().await.unwrap();
    assert!(matches!(waiting.await.unwrap(), Err(StoreError::Raced)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_was_cut_off_has_an_unknown_outcome() {
    let Some(Scratch { store, place, .. }) = postgres().await else { return };
    let head = with_payer(&store).await;
    let write = store.write(&payer(), &head).await.unwrap();
    // While the answer to COMMIT is on its way, the server ends the connection: here a trigger does, at the last moment.
    drop(write);
    crate::opening::tamper(
        &place,
        "CREATE FUNCTION cut_off() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'; \
         CREATE CONSTRAINT TRIGGER cut_off AFTER INSERT ON audit DEFERRABLE INITIALLY DEFERRED \
         FOR EACH ROW EXECUTE FUNCTION cut_off()",
    )
    .await;
    let mut write = store.write(&payer(), &head).await.unwrap();
    write.audit(&[crate::audit::entry(1, "")]).await.unwrap();
    let cut_off = write.commit().await;
    assert!(matches!(cut_off, Err(StoreError::OutcomeUnknown(_))), "{cut_off:?}");
    // The store goes on by another connection.
    assert_eq!(store.head(&payer()).await.unwrap(), Some(head));
}
