//! A step that fails leaves nothing, and is taken again.

use super::*;
use crate::place::Place;
use std::collections::BTreeSet;
use tempfile::TempDir;

fn step(version: i64, sql: &'static str) -> Migration {
    let kind = MigrationType::Simple;
    Migration::new(version, "step".into(), kind, sql.into_sql_str(), false)
}

#[tokio::test]
async fn a_step_that_fails_half_way_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    let store = Store::open(&Place::Sqlite(folder.path().join("x.db"))).await.unwrap();
    let first = || step(1, "CREATE TABLE a (x TEXT); INSERT INTO a VALUES ('kept')");
    let broken = Migrator::with_migrations(vec![
        first(),
        step(2, "CREATE TABLE b (x TEXT); UPDATE a SET x = 'lost'; INSERT INTO nowhere VALUES (1)"),
    ]);
    let failed = store.migrate_by(&broken, 2).await;
    assert!(matches!(failed, Err(StoreError::Migration { version: 2, .. })), "{failed:?}");
    assert_eq!(store.schema_version().await.unwrap(), 1);
    assert!(!store.tables().await.unwrap().contains(&"b".to_owned()));
    let mended = Migrator::with_migrations(vec![first(), step(2, "CREATE TABLE b (x TEXT)")]);
    assert_eq!(store.migrate_by(&mended, 2).await.unwrap(), Migrated { from: 1, to: 2 });
    let kept: String = sqlx::query_scalar("SELECT x FROM a").fetch_one(store.readers()).await.unwrap();
    assert_eq!(kept, "kept");
    let older = Migrator::with_migrations(vec![first()]);
    let refused = store.migrate_by(&older, 1).await;
    assert!(matches!(refused, Err(StoreError::NewerDatabase { database: 2, program: 1 })), "{refused:?}");
    let changed = Migrator::with_migrations(vec![
        step(1, "CREATE TABLE a (y TEXT)"),
        step(2, "CREATE TABLE b (x TEXT)"),
    ]);
    let refused = store.migrate_by(&changed, 2).await;
    assert!(matches!(refused, Err(StoreError::Migration { version: 1, .. })), "{refused:?}");
}

/// A file that is not in the list would be left out of every database.
#[test]
fn every_file_is_a_step() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
    let files: BTreeSet<String> = files.map(|name| name.into_string().unwrap()).collect();
    let listed = FILES.map(|(name, _)| format!("{name}.sql"));
    assert_eq!(files, listed.into_iter().collect());
    let numbers: Vec<u64> = STEPS.iter().map(|step| number(step.version)).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
}

#[tokio::test]
async fn sqlite_syncs_every_commit() {
    let folder = TempDir::new().unwrap();
    let store = Store::open(&Place::Sqlite(folder.path().join("x.db"))).await.unwrap();
    for pool in [store.readers(), store.writer()] {
        for (pragma, expected) in
            [("PRAGMA synchronous", 2), ("PRAGMA foreign_keys", 1), ("PRAGMA busy_timeout", 10_000)]
        {
            let value: i64 = sqlx::query_scalar(pragma).fetch_one(pool).await.unwrap();
            assert_eq!(value, expected, "{pragma}");
        }
    }
}
