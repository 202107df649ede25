//! Copies: the same from either engine, into either engine.

use crate::engines::{self, Scratch, payer, with_payer};
use crate::sample::{Chance, changes};
use billing::configuration::Configuration;
use store::{Loaded, Store, StoreError};

async fn filled(store: &Store) -> Loaded {
    let head = with_payer(store).await;
    let mut configuration = Configuration::new(payer());
    let touched = changes(&mut configuration, &mut Chance::new(5), 400);
    let mut write = store.write(&payer(), &head).await.unwrap();
    write.save(&configuration, &touched, 1).await.unwrap();
    write.audit(&[crate::audit::entry(1, "")]).await.unwrap();
    let head = write.commit().await.unwrap();
    Loaded { configuration, head }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_the_same_whatever_the_engine() {
    let from = engines::sqlite().await;
    let loaded = filled(&from.store).await;
    let file = from.folder.path().join("first.backup");
    let copied = from.store.backup(&file).await.unwrap();
    assert!(copied.rows > 20, "{copied:?}");
    let mut bytes = std::fs::read(&file).unwrap();
    let targets = [engines::postgres_without_schema().await, engines::postgres().await];
    let more = [Some(engines::sqlite().await), Some(engines::sqlite_without_schema().await)];
    for Scratch { store, folder, .. } in targets.into_iter().chain(more).flatten() {
        assert_eq!(store.restore(&file).await.unwrap(), copied);
        assert_eq!(store.load(&payer()).await.unwrap().unwrap(), loaded);
        let again = folder.path().join("again.backup");
        assert_eq!(store.backup(&again).await.unwrap(), copied);
        assert!(std::fs::read(&again).unwrap() == bytes);
        let full = store.restore(&file).await.unwrap_err();
        assert!(full.to_string().contains("`payers` has rows"), "{full}");
    }
    let names: Vec<_> =
        std::fs::read_dir(from.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().contains("partial")), "{names:?}");

    let target = engines::sqlite().await;
    let refused = async |bytes: &[u8]| {
        let damaged = from.folder.path().join("damaged.backup");
        std::fs::write(&damaged, bytes).unwrap();
        target.store.restore(&damaged).await.unwrap_err()
    };
    for cut in [0, 10, bytes.len() / 2, bytes.len() - 90] {
        assert!(matches!(refused(&bytes[..cut]).await, StoreError::Backup { .. }), "cut at {cut}");
    }
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    assert!(matches!(refused(&bytes).await, StoreError::Backup { .. }));
    let newer = refused(b"{\"proforma_backup\":1,\"schema\":900}\n{\"rows\":0,\"sha256\":\"\"}\n").await;
    assert!(matches!(newer, StoreError::Backup { .. }), "{newer:?}");
    assert!(target.store.payers().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_has_one_moment() {
    let Scratch { store, folder, .. } = engines::sqlite().await;
    let mut head = filled(&store).await.head;
    let writer = tokio::spawn({
        let store = store.clone();
        async move {
            for sequence in 2..60 {
                let mut write = store.write(&payer(), &head).await.unwrap();
                let previous = head.audit.hash.clone();
                write.audit(&[crate::audit::entry(sequence, &previous)]).await.unwrap();
                head = write.commit().await.unwrap();
            }
        }
    });
    for number in 0..5 {
        let file = folder.path().join(format!("{number}.backup"));
        store.backup(&file).await.unwrap();
        let scratch = engines::sqlite().await;
        let restored = &scratch.store;
        restored.restore(&file).await.unwrap();
        let entries = restored.audit_page(&payer(), 0, 1_000).await.unwrap();
        let head = restored.head(&payer()).await.unwrap().unwrap();
        assert_eq!(entries.last().map(|entry| entry.sequence), Some(head.audit.sequence));
    }
    writer.await.unwrap();
}
