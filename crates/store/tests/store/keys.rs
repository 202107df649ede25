//! Principals, access keys and the master key's check.

use crate::engines::{Scratch, payer, with_payer};
use crate::on_both;
use crate::sample::account;
use std::time::Duration;
use store::{AccessKeyRow, Head, PrincipalRow, Sealed, Standing, Store, StoreError};

on_both! {
    a_key_is_found_with_its_principal
    the_check_of_the_master_key_is_kept_once
    secrets_are_sealed_anew_all_or_none
    nobody_reads_the_old_check_while_secrets_are_sealed_anew
}

fn principal(name: &str) -> PrincipalRow {
    PrincipalRow {
        name: name.to_owned(),
        role: "customer".to_owned(),
        billing_groups: vec!["000000000007".to_owned()],
        accounts: vec![],
        password_hash: Some("$argon2id$secret".to_owned()),
        standing: Standing::Active,
        created_at_ms: 3,
    }
}

fn sealed() -> Sealed {
    Sealed { nonce: vec![0, 255, 16], ciphertext: (0..=255).collect() }
}

fn key(id: &str, principal: &str) -> AccessKeyRow {
    AccessKeyRow {
        access_key_id: id.to_owned(),
        principal: principal.to_owned(),
        secret: sealed(),
        standing: Standing::Active,
        created_at_ms: 4,
        last_used_at_ms: None,
    }
}

async fn a_key_is_found_with_its_principal(Scratch { store, .. }: Scratch) {
    let head = with_payer(&store).await;
    let mut write = store.write(&payer(), &head).await.unwrap();
    for name in ["b", "a", "c"] {
        write.put_principal(principal(name)).await.unwrap();
    }
    write.put_key(key("AKIA1", "a")).await.unwrap();
    write.put_key(key("AKIA2", "a")).await.unwrap();
    write
        .put_principal(PrincipalRow { role: "viewer".to_owned(), created_at_ms: 99, ..principal("b") })
        .await
        .unwrap();
    write.commit().await.unwrap();

    let found = store.find_key("AKIA1").await.unwrap().unwrap();
    assert_eq!((found.payer, found.key, found.principal), (payer(), key("AKIA1", "a"), principal("a")));
    assert_eq!(store.find_key("AKIA9").await.unwrap(), None);
    let changed = PrincipalRow { role: "viewer".to_owned(), ..principal("b") };
    assert_eq!(store.principals(&payer(), "a", 1).await.unwrap(), std::slice::from_ref(&changed));
    assert_eq!(store.principals(&payer(), "", 9).await.unwrap(), [principal("a"), changed, principal("c")]);
    assert_eq!(store.principal(&account(2), "a").await.unwrap(), None);
    assert!(!format!("{:?} {:?}", principal("a"), sealed()).contains("secret"));

    let uses = [("AKIA2", 5), ("AKIA1", 7), ("AKIA1", 6), ("AKIA9", 1)].map(|(id, at)| (id.to_owned(), at));
    store.note_key_used(&uses).await.unwrap();
    let last_used =
        |keys: Vec<AccessKeyRow>| keys.into_iter().map(|key| key.last_used_at_ms).collect::<Vec<_>>();
    assert_eq!(last_used(store.keys(&payer(), "a").await.unwrap()), [Some(7), Some(5)]);

    let mut write = store.write(&payer(), &head).await.unwrap();
    assert!(write.set_key_standing("AKIA1", Standing::Inactive).await.unwrap());
    assert!(write.remove_key("AKIA2").await.unwrap());
    assert!(!write.remove_key("AKIA2").await.unwrap());
    write.commit().await.unwrap();
    assert_eq!(store.find_key("AKIA1").await.unwrap().unwrap().key.standing, Standing::Inactive);
    assert_eq!(store.find_key("AKIA2").await.unwrap(), None);

    let mut write = store.write(&payer(), &head).await.unwrap();
    assert!(matches!(write.put_key(key("AKIA3", "nobody")).await, Err(StoreError::NotThere(_))));
    drop(write);
    // Ids are unique among those of all payers.
    let other = store.create_payer(&account(2), 1).await.unwrap();
    let mut write = store.write(&account(2), &other.head).await.unwrap();
    write.put_principal(principal("a")).await.unwrap();
    assert!(!write.set_key_standing("AKIA1", Standing::Active).await.unwrap());
    assert!(matches!(write.put_key(key("AKIA1", "a")).await, Err(StoreError::AlreadyThere(_))));
}

async fn the_check_of_the_master_key_is_kept_once(Scratch { store, .. }: Scratch) {
    assert_eq!(store.master_key_check().await.unwrap(), None);
    store.put_master_key_check(&sealed()).await.unwrap();
    assert!(matches!(store.put_master_key_check(&sealed()).await, Err(StoreError::AlreadyThere(_))));
    assert_eq!(store.master_key_check().await.unwrap(), Some(sealed()));
}

fn sealed_anew() -> Sealed {
    Sealed { nonce: vec![1, 2, 3], ciphertext: vec![4, 5] }
}

async fn with_key(store: &Store) -> Head {
    let head = with_payer(store).await;
    store.put_master_key_check(&sealed()).await.unwrap();
    let mut write = store.write(&payer(), &head).await.unwrap();
    write.put_principal(principal("a")).await.unwrap();
    write.put_key(key("AKIA1", "a")).await.unwrap();
    write.commit().await.unwrap()
}

async fn secrets_are_sealed_anew_all_or_none(Scratch { store, .. }: Scratch) {
    with_key(&store).await;
    let held = store.begin_reseal().await.unwrap();
    assert_eq!((&held.check, &held.secrets), (&Some(sealed()), &vec![("AKIA1".to_owned(), sealed())]));
    drop(held);
    let secret = async || store.find_key("AKIA1").await.unwrap().unwrap().key.secret;
    assert_eq!((secret().await, store.master_key_check().await.unwrap()), (sealed(), Some(sealed())));
    let held = store.begin_reseal().await.unwrap();
    held.commit(&[("AKIA1".to_owned(), sealed_anew())], &sealed_anew()).await.unwrap();
    assert_eq!(
        (secret().await, store.master_key_check().await.unwrap()),
        (sealed_anew(), Some(sealed_anew()))
    );
}

/// A change that seals a secret sees the check that holds when it is kept, not the one before.
async fn nobody_reads_the_old_check_while_secrets_are_sealed_anew(Scratch { store, .. }: Scratch) {
    let head = with_key(&store).await;
    let held = store.begin_reseal().await.unwrap();
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.write(&payer(), &head).await.unwrap().master_key_check().await.unwrap() }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!waiting.is_finished());
    held.commit(&[], &sealed_anew()).await.unwrap();
    assert_eq!(waiting.await.unwrap(), Some(sealed_anew()));
}
