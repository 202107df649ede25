//! The tables of a copy are those of the schema.

use super::*;
use crate::place::Place;
use tempfile::TempDir;

#[tokio::test]
async fn every_table_is_copied_whole() {
    let folder = TempDir::new().unwrap();
    let store = Store::open(&Place::Sqlite(folder.path().join("x.db"))).await.unwrap();
    store.migrate().await.unwrap();
    let mut tables = store.tables().await.unwrap();
    tables.retain(|table| table != "_sqlx_migrations");
    tables.sort();
    let mut ours: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
    ours.sort_unstable();
    assert_eq!(tables, ours);
    for table in TABLES {
        let sql = "SELECT name || ' ' || type FROM pragma_table_info($1) ORDER BY cid";
        let columns: Vec<String> =
            sqlx::query_scalar(sql).bind(table.name).fetch_all(store.readers()).await.unwrap();
        let named = |(name, kind): &(&str, Type)| match kind {
            Type::Text => format!("{name} TEXT"),
            Type::Number => format!("{name} BIGINT"),
        };
        assert_eq!(columns, table.columns.iter().map(named).collect::<Vec<_>>(), "{}", table.name);
    }
}
