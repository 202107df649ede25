//! A disk that is really full: nothing is written, everything is read, and once there is room again everything is written, by the same
//! store. A small file system in memory is the disk; who may not mount one does without this test.

use crate::audit::entry;
use crate::engines::{payer, with_payer};
use crate::sample::{Chance, changes};
use crate::scenario::follow_each_other;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use store::{Place, Store, StoreError};
use tempfile::TempDir;

const DISK: &str = "size=4m";
/// More than the disk holds.
const WRITES_MAX: u64 = 10_000;

/// A small disk that is gone when it is dropped.
struct Disk(TempDir);

impl Disk {
    fn mounted() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", DISK, "tmpfs"]).arg(folder.path()).output();
        mount.is_ok_and(|mount| mount.status.success()).then(|| Self(folder))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: what is open on it is closed later.
        drop(Command::new("umount").arg("-l").arg(self.0.path()).status());
    }
}

/// Takes all the room that is left.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    while file.write_all(&[1; 512]).is_ok() {}
}

async fn write_once(store: &Store) -> Result<(), StoreError> {
    let loaded = store.load(&payer()).await?.unwrap();
    let mut configuration = loaded.configuration;
    let touched = changes(&mut configuration, &mut Chance::new(loaded.head.revision + 1), 40);
    let mut write = store.write(&payer(), &loaded.head).await?;
    write.save(&configuration, &touched, 1).await?;
    write.audit(&[entry(loaded.head.audit.sequence + 1, &loaded.head.audit.hash)]).await?;
    write.commit().await.map(drop)
}

/// Writes until nothing more can be written; how often it went well.
async fn write_until_full(store: &Store) -> u64 {
    for done in 0..WRITES_MAX {
        match write_once(store).await {
            Ok(()) => {}
            Err(StoreError::Full(_)) => return done,
            Err(other) => panic!("write {done}: {other:?}"),
        }
    }
    panic!("the disk is never full");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_full_disk_is_said_and_forgotten() {
    let Some(disk) = Disk::mounted() else {
        eprintln!("no file system can be mounted here: a disk that is really full is not tested");
        return;
    };
    let store = Store::open(&Place::Sqlite(disk.0.path().join("desk.db"))).await.unwrap();
    store.migrate().await.unwrap();
    with_payer(&store).await;
    write_once(&store).await.unwrap();
    let filler = disk.0.path().join("filler");
    let mut revision = 1;
    for _ in 0..3 {
        fill(&filler);
        revision += write_until_full(&store).await;
        for _ in 0..3 {
            assert!(matches!(write_once(&store).await, Err(StoreError::Full(_))));
            let loaded = store.load(&payer()).await.unwrap().unwrap();
            assert_eq!((loaded.head.revision, loaded.head.audit.sequence), (revision, revision));
        }
        fs::remove_file(&filler).unwrap();
        for _ in 0..3 {
            write_once(&store).await.unwrap();
            revision += 1;
        }
    }
    // The database itself takes all the room.
    revision += write_until_full(&store).await;
    let loaded = store.load(&payer()).await.unwrap().unwrap();
    store.close().await;
    let again = Store::open(&Place::Sqlite(disk.0.path().join("desk.db"))).await.unwrap();
    assert_eq!(again.load(&payer()).await.unwrap().unwrap(), loaded);
    assert_eq!(loaded.head.revision, revision);
    follow_each_other(&again.audit_page(&payer(), 0, 10_000).await.unwrap());
    again.close().await;
}
