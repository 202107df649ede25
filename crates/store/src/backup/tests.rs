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

/// A copy of the first schema: its runs have a column less.
#[tokio::test]
async fn an_older_copy_is_put_back_and_migrated() {
    let folder = TempDir::new().unwrap();
    let rows = [
        r#"["payers","111111111111",1,0,1,0,""]"#,
        r#"["runs","111111111111","r1","2026-10",null,"unchanged",null,"[]",null,1,2,3,1,null]"#,
    ];
    let text = |rows: &[&str]| {
        let lines = format!("{{\"proforma_backup\":1,\"schema\":1}}\n{}\n", rows.join("\n"));
        let sha256 = sql::to_hex(&Sha256::digest(&lines));
        format!("{lines}{{\"rows\":{},\"sha256\":\"{sha256}\"}}\n", rows.len())
    };
    let file = folder.path().join("older.backup");
    std::fs::write(&file, text(&rows)).unwrap();
    let store = Store::open(&Place::Sqlite(folder.path().join("x.db"))).await.unwrap();
    assert_eq!(store.restore(&file).await.unwrap().schema, 1);
    assert_eq!(store.schema_version().await.unwrap(), Store::program_schema());
    let payer = billing::account::AccountId::parse("111111111111").unwrap();
    assert_eq!(store.run(&payer, "r1").await.unwrap().unwrap().files_removed_at_ms, None);
    let newer = text(&[rows[0], &rows[1].replace("null]", "null,7]")]);
    std::fs::write(&file, newer).unwrap();
    let store = Store::open(&Place::Sqlite(folder.path().join("y.db"))).await.unwrap();
    let refused = store.restore(&file).await.unwrap_err().to_string();
    assert!(refused.contains("a row of `runs` has 14 columns"), "{refused}");
}
