//! Opening and migrating: once, again, and not with an older program.

use crate::engines::{self, Scratch, payer};
use crate::on_both;
use sqlx::any::AnyPoolOptions;
use store::{Migrated, Place, Store, StoreError};

on_both! {
    migrating_again_changes_nothing
    a_newer_database_is_refused
    a_step_that_was_changed_is_refused
    it_answers
}

/// What a query answers, past the store.
pub async fn texts(place: &Place, sql: &'static str) -> Vec<String> {
    let pool = raw(place).await;
    let found = sqlx::query_scalar(sql).fetch_all(&pool).await.unwrap();
    pool.close().await;
    found
}

/// Does something to a database, past the store.
pub async fn tamper(place: &Place, sql: &'static str) {
    let pool = raw(place).await;
    sqlx::raw_sql(sql).execute(&pool).await.unwrap();
    pool.close().await;
}

async fn raw(place: &Place) -> sqlx::AnyPool {
    let url = match place {
        Place::Postgres(url) => url.clone(),
        Place::Sqlite(file) => {
            let file = file.to_str().unwrap();
            format!("sqlite://{}", file.replace('%', "%25").replace('?', "%3F").replace(' ', "%20"))
        }
    };
    AnyPoolOptions::new().max_connections(1).connect(&url).await.unwrap()
}

async fn migrating_again_changes_nothing(Scratch { store, place, .. }: Scratch) {
    let program = Store::program_schema();
    assert_eq!(store.schema_version().await.unwrap(), program);
    assert_eq!(store.migrate().await.unwrap(), Migrated { from: program, to: program });
    store.create_payer(&payer(), 5).await.unwrap();
    store.close().await;
    let store = Store::open(&place).await.unwrap();
    assert_eq!(store.migrate().await.unwrap(), Migrated { from: program, to: program });
    assert_eq!(store.payers().await.unwrap()[0].created_at_ms, 5);
}

async fn a_newer_database_is_refused(Scratch { store, place, .. }: Scratch) {
    tamper(
        &place,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         SELECT 9000, 'tomorrow', success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1",
    )
    .await;
    let refused = store.migrate().await;
    assert!(matches!(refused, Err(StoreError::NewerDatabase { database: 9000, .. })), "{refused:?}");
}

async fn a_step_that_was_changed_is_refused(Scratch { store, place, .. }: Scratch) {
    tamper(
        &place,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         SELECT -1, 'other', success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1",
    )
    .await;
    let refused = store.migrate().await;
    assert!(matches!(refused, Err(StoreError::Migration { .. })), "{refused:?}");
}

async fn it_answers(Scratch { store, place, .. }: Scratch) {
    store.ping().await.unwrap();
    store.close().await;
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
    assert!(!format!("{store:?} {place:?}").contains("postgres@"));
}

#[tokio::test]
async fn there_is_no_schema_at_first() {
    let sqlite = engines::sqlite_without_schema().await;
    for Scratch { store, .. } in
        [Some(sqlite), engines::postgres_without_schema().await].into_iter().flatten()
    {
        assert_eq!(store.schema_version().await.unwrap(), 0);
        assert_eq!(store.migrate().await.unwrap(), Migrated { from: 0, to: Store::program_schema() });
    }
}

#[tokio::test]
async fn sqlite_has_a_write_ahead_log() {
    let scratch = engines::sqlite().await;
    assert_eq!(texts(&scratch.place, "PRAGMA journal_mode").await, ["wal"]);
}

#[tokio::test]
async fn a_place_that_is_not_there_is_named() {
    let nowhere = Place::Sqlite("/nowhere/at/all/proforma.db".into());
    let refused = Store::open(&nowhere).await.unwrap_err();
    assert!(refused.to_string().contains("`/nowhere/at/all/proforma.db` cannot be opened"), "{refused}");
    let folder = tempfile::TempDir::new().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "this is no database, however long it may be. ".repeat(100)).unwrap();
    assert!(matches!(Store::open(&Place::Sqlite(text)).await, Err(StoreError::Open { .. })));
    let refused =
        Store::open(&Place::Postgres("postgres://a:s3cret@localhost/x?host=/nowhere".to_owned())).await;
    let refused = format!("{:?}", refused.unwrap_err());
    assert!(refused.contains("postgres://localhost/x") && !refused.contains("s3cret"), "{refused}");
}

#[tokio::test]
async fn another_encoding_is_refused() {
    let Some(place) = engines::postgres_database("ENCODING 'LATIN1' LOCALE 'C'").await else { return };
    let refused = Store::open(&place).await.unwrap_err();
    assert!(refused.to_string().contains("LATIN1"), "{refused}");
}
