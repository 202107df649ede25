//! What is saved is what is loaded, and nothing that was said is overwritten.

use crate::engines::{Scratch, payer, with_payer};
use crate::on_both;
use crate::sample::{Chance, account, change, changes};
use billing::configuration::{Configuration, Touched};
use std::collections::BTreeSet;
use store::StoreError;

on_both! {
    what_is_saved_is_what_is_loaded
    what_was_said_stays
    a_write_that_is_dropped_leaves_nothing
    another_payers_configuration_is_refused
}

async fn what_is_saved_is_what_is_loaded(Scratch { store, .. }: Scratch) {
    let mut head = with_payer(&store).await;
    for seed in 1..=3 {
        let mut chance = Chance::new(seed);
        let mut configuration = store.load(&payer()).await.unwrap().unwrap().configuration;
        for round in 0..12 {
            let touched = changes(&mut configuration, &mut chance, 1 + round * 4);
            let mut write = store.write(&payer(), &head).await.unwrap();
            write.save(&configuration, &touched, 7).await.unwrap();
            head = write.commit().await.unwrap();
            let loaded = store.load(&payer()).await.unwrap().unwrap();
            assert_eq!(loaded.configuration, configuration, "seed {seed}, round {round}");
            assert_eq!(loaded.head, head);
        }
    }
    assert_eq!(store.revision(&payer()).await.unwrap(), Some(36));
}

async fn what_was_said_stays(Scratch { store, place, .. }: Scratch) {
    let mut head = with_payer(&store).await;
    let mut configuration = Configuration::new(payer());
    let mut chance = Chance::new(11);
    let mut all = Vec::new();
    for second in 1..=60 {
        let touched = BTreeSet::from([change(&mut configuration, &mut chance, second)]);
        let mut write = store.write(&payer(), &head).await.unwrap();
        write.save(&configuration, &touched, second).await.unwrap();
        head = write.commit().await.unwrap();
        let rows = crate::opening::texts(
            &place,
            "SELECT kind || '/' || id || '/' || from_period || '/' || CAST(revision AS TEXT) || '/' || body FROM settings",
        )
        .await;
        let missing: Vec<&String> = all.iter().filter(|row| !rows.contains(row)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        all = rows;
    }
    // Saved once more, nothing is new.
    let everything: BTreeSet<Touched> =
        (configuration.groups.iter().map(|(id, _)| Touched::Group(id.clone())))
            .chain(configuration.family.keys().cloned().map(Touched::Family))
            .chain([Touched::Other, Touched::FamilyIsComplete, Touched::ClosedThrough])
            .collect();
    let count =
        "SELECT CAST(COUNT(*) AS TEXT) FROM settings WHERE revision <= 60 AND superseded_revision IS NULL";
    let before = crate::opening::texts(&place, count).await;
    let mut write = store.write(&payer(), &head).await.unwrap();
    write.save(&configuration, &everything, 99).await.unwrap();
    write.commit().await.unwrap();
    assert_eq!(crate::opening::texts(&place, count).await, before);
}

async fn a_write_that_is_dropped_leaves_nothing(Scratch { store, .. }: Scratch) {
    let head = with_payer(&store).await;
    let before = store.load(&payer()).await.unwrap().unwrap();
    let mut configuration = before.configuration.clone();
    let touched = changes(&mut configuration, &mut Chance::new(3), 30);
    let mut write = store.write(&payer(), &head).await.unwrap();
    write.save(&configuration, &touched, 1).await.unwrap();
    drop(write);
    assert_eq!(store.load(&payer()).await.unwrap().unwrap(), before);
    // And the next one can write.
    let mut write = store.write(&payer(), &head).await.unwrap();
    write.save(&configuration, &touched, 1).await.unwrap();
    assert_eq!(write.commit().await.unwrap().revision, 1);
    assert_eq!(store.load(&payer()).await.unwrap().unwrap().configuration, configuration);
}

async fn another_payers_configuration_is_refused(Scratch { store, .. }: Scratch) {
    let head = with_payer(&store).await;
    let mut write = store.write(&payer(), &head).await.unwrap();
    let refused = write.save(&Configuration::new(account(2)), &BTreeSet::new(), 1).await;
    assert!(matches!(refused, Err(StoreError::Unfit(_))), "{refused:?}");
    drop(write);
    assert!(store.load(&account(2)).await.unwrap().is_none());
    assert!(matches!(store.write(&account(2), &head).await, Err(StoreError::Raced)));
    assert!(matches!(store.create_payer(&payer(), 2).await, Err(StoreError::AlreadyThere(_))));
}
