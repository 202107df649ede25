//! Reading exported files: every row as texts by CUR 2.0's column names, a double as its shortest text.

use crate::reports::{files, number};
use crate::support::Done;
use flate2::read::GzDecoder;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::line::COLUMNS;
use testkit::oracle::Exact;

/// A row: what is filled.
pub type Row = BTreeMap<String, String>;

/// The folder of exported files in a result folder.
pub const FOLDER: &str = "pro-forma";
/// The column that sums to the statement.
pub const COST: &str = "line_item_unblended_cost";

/// The only file in a group's folder, and its rows.
#[track_caller]
pub fn rows_of(export: &Path, folder: &str) -> Vec<Row> {
    let file = file_of(export, folder);
    if file.extension().is_some_and(|ending| ending == "parquet") {
        parquet_rows(&file)
    } else {
        csv_rows(&file)
    }
}

/// The only file in a group's folder.
#[track_caller]
pub fn file_of(export: &Path, folder: &str) -> PathBuf {
    let found: Vec<PathBuf> = fs::read_dir(export.join(folder))
        .unwrap_or_else(|error| panic!("{folder}: {error}"))
        .map(|entry| entry.expect("an entry").path())
        .collect();
    let [file] = found.as_slice() else { panic!("{folder} holds {found:?}") };
    file.clone()
}

fn parquet_rows(file: &Path) -> Vec<Row> {
    let reader = SerializedFileReader::new(File::open(file).expect("a file")).expect("a Parquet file");
    let text = |field: &Field| match field {
        Field::Null => None,
        Field::Double(number) => Some(number.to_string()),
        Field::Str(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let row = |row: parquet::record::Row| {
        let columns = row.get_column_iter();
        columns.filter_map(|(name, field)| Some((name.clone(), text(field)?))).collect()
    };
    reader.get_row_iter(None).expect("rows").map(|read| row(read.expect("a row"))).collect()
}

fn csv_rows(file: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(GzDecoder::new(File::open(file).expect("a file")));
    let header: Vec<String> = reader.headers().expect("a header").iter().map(canonical).collect();
    let row = |record: csv::StringRecord| {
        let filled = header.iter().zip(record.iter()).filter(|(_, field)| !field.is_empty());
        filled.map(|(name, field)| (name.clone(), field.to_owned())).collect()
    };
    reader.records().map(|record| row(record.expect("a record"))).collect()
}

/// CUR 2.0's name of a legacy column.
fn canonical(name: &str) -> String {
    let column = COLUMNS.iter().find(|column| column.legacy_name == name);
    column.map_or(name, |column| column.name).to_owned()
}

/// A value that a row must have.
#[track_caller]
pub fn value<'a>(row: &'a Row, column: &str) -> &'a str {
    row.get(column).unwrap_or_else(|| panic!("no {column} in {row:?}"))
}

/// A number of a row, 0 where it has none.
pub fn exact(row: &Row, column: &str) -> Exact {
    row.get(column).map_or_else(Exact::default, |text| Exact::of(text))
}

/// What the rows sum to, by currency.
pub fn totals(rows: &[Row]) -> BTreeMap<String, Exact> {
    let mut totals: BTreeMap<String, Exact> = BTreeMap::new();
    for row in rows {
        *totals.entry(value(row, "line_item_currency_code").to_owned()).or_default() += &exact(row, COST);
    }
    totals
}

/// What stands behind a row that no source line stands behind.
pub fn cause(row: &Row) -> Option<&str> {
    let id = row.get("identity_line_item_id")?;
    ["customlineitem/", "residue/"].iter().any(|cause| id.starts_with(cause)).then_some(id)
}

impl Done {
    /// The folder of the files that were exported with the run.
    pub fn exports(&self) -> PathBuf {
        self.out.join(FOLDER)
    }

    /// Every exported file by name.
    pub fn exported_files(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.exports())
    }

    /// Totals of a group's statement by currency.
    pub fn statement_totals(&self, group: &str) -> BTreeMap<String, Exact> {
        let file = self.json(&format!("statements/{group}.json"));
        let statements = crate::reports::list(&file["statements"]).iter();
        let total = |one: &serde_json::Value| {
            (crate::reports::text(&one["currency"]).to_owned(), number(&one["total"]))
        };
        statements.map(total).collect()
    }

    /// `proforma export` of this run into `out`.
    pub fn export(&self, cost: &Path, out: &Path, more: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_proforma"));
        command
            .arg("export")
            .arg("--run")
            .arg(&self.out)
            .arg("--cost")
            .arg(cost)
            .arg("--out")
            .arg(out)
            .args(more);
        Self::of(command.output().expect("the program starts"), out.to_owned())
    }
}
