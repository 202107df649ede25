//! The smallest cost files, to be broken one thing at a time: three lines of one account, as CSV and as Parquet.

use crate::support::{Done, Run};
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

/// The month of every small file.
pub const PERIOD: &str = "2026-10";

/// A book with one group that pays list prices.
pub const BOOK: &str = r#"
payer_account_id = "999999999999"
currency = "USD"

[[billing_groups]]
name = "acme"
primary_account_id = "111111111111"
accounts = ["111111111111"]
pricing_plan = "BasicPricingPlan"
"#;

/// The necessary columns and the values of a line that costs 1.
pub const COLUMNS: [(&str, &str); 9] = [
    ("bill_billing_period_start_date", "2026-10-01T00:00:00Z"),
    ("bill_payer_account_id", "999999999999"),
    ("line_item_usage_account_id", "111111111111"),
    ("line_item_line_item_type", "Usage"),
    ("line_item_product_code", "AmazonEC2"),
    ("line_item_usage_type", "BoxUsage:m5.large"),
    ("line_item_usage_amount", "1"),
    ("line_item_unblended_cost", "1"),
    ("line_item_currency_code", "USD"),
];

/// The cost column, which most tests break.
pub const COST: &str = "line_item_unblended_cost";

/// The column that decides the month of a line.
pub const PERIOD_START: &str = "bill_billing_period_start_date";

/// A run over one file of this name and content.
pub fn run_of_file(name: &str, content: impl AsRef<[u8]>) -> Run {
    Run::new(PERIOD, BOOK, |folder| fs::write(folder.join(name), content).expect("a cost file"))
}

/// A run over lines that differ in one column.
pub fn run_of_values(column: &str, values: &[&str]) -> Run {
    run_of_file("lines.csv", csv(column, values))
}

/// The header of a CSV file, without the end of its line.
pub fn header() -> String {
    COLUMNS.map(|(name, _)| name).join(",")
}

/// A CSV file with a line for each value of one column. A column of another name comes last.
pub fn csv(column: &str, values: &[&str]) -> String {
    let extra = COLUMNS.iter().all(|(name, _)| *name != column);
    let mut text = header();
    if extra {
        text.push(',');
        text.push_str(column);
    }
    for value in values {
        text.push('\n');
        let quoted = format!("\"{}\"", value.replace('"', "\"\""));
        let fields = COLUMNS.map(|(name, usual)| if name == column { quoted.as_str() } else { usual });
        text.push_str(&fields.join(","));
        if extra {
            text.push(',');
            text.push_str(&quoted);
        }
    }
    text.push('\n');
    text
}

/// The usual columns of a Parquet file of some lines: each costs 1.
pub fn columns(rows: usize) -> Vec<(String, ArrayRef)> {
    let column = |(name, value): (&str, &str)| {
        let number = value.len() == 1;
        let array: ArrayRef = match number {
            true => Arc::new(Float64Array::from_iter_values(vec![1.into(); rows])),
            false => Arc::new(StringArray::from(vec![value; rows])),
        };
        (name.to_owned(), array)
    };
    COLUMNS.map(column).into()
}

/// The usual columns with some replaced or added.
pub fn columns_with(rows: usize, others: Vec<(&str, ArrayRef)>) -> Vec<(String, ArrayRef)> {
    let mut all = columns(rows);
    for (name, array) in others {
        match all.iter_mut().find(|(known, _)| known == name) {
            Some(column) => column.1 = array,
            None => all.push((name.to_owned(), array)),
        }
    }
    all
}

/// The bytes of a Parquet file.
pub fn parquet(columns: Vec<(String, ArrayRef)>, properties: WriterProperties) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).expect("a writer");
    writer.write(&batch).expect("lines are written");
    writer.into_inner().expect("a footer is written")
}

/// A run over one Parquet file in which a column is replaced or added.
pub fn run_of_column(name: &str, array: ArrayRef) -> Run {
    let columns = columns_with(array.len(), vec![(name, array)]);
    run_of_file("lines.parquet", parquet(columns, WriterProperties::default()))
}

/// A pipe that nobody writes into.
pub fn make_pipe(path: &Path) {
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).expect("a pipe");
}

/// A file with nothing in it but its size.
pub fn make_sparse(path: &Path, start: &str, bytes: u64) {
    fs::write(path, start).expect("a file");
    File::options().write(true).open(path).and_then(|file| file.set_len(bytes)).expect("a sparse file");
}

impl Done {
    /// The run, which must have succeeded with this total of the cost files in dollars.
    #[track_caller]
    pub fn totals(self, dollars: &str) -> Self {
        let done = self.succeeded();
        let found = done.json("reconciliation.json")["currencies"]["USD"]["cost_files_total"].clone();
        assert_eq!(found, dollars, "{}", done.stderr);
        done
    }

    /// A number of the reconciliation, by part and name.
    #[track_caller]
    pub fn count(&self, part: &str, name: &str) -> u64 {
        self.json("reconciliation.json")[part][name].as_u64().expect("a count")
    }

    /// What the program said, which must have these words.
    #[track_caller]
    pub fn said(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "no `{word}` in:\n{}", self.stderr);
        }
        self
    }
}
