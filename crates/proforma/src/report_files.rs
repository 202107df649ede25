//! The files of a run: what is in them and how it is written.
//!
//! Decimals are strings. Every amount is one that `billing` has made to be shown, so all files agree to the last digit. Nothing here
//! depends on the clock, the machine or the number of threads: the same run again has the same bytes. Only `source.json` names places
//! outside of the run.

mod commitments_file;
mod group_rows;
mod policies_file;
mod reconciliation_file;
mod statement_file;

pub use group_rows::{GroupRow, group_rows};

use crate::coverage::Commitments;
use crate::price_list::Listed;
use crate::pricing::BookText;
use crate::publish::{COST_REPORT, Draft, REJECTED_LINES};
use anyhow::Context;
use billing::book::Book;
use billing::charge_class::Cube;
use billing::cost_report::{self, GroupTotal, Owner, Row};
use billing::derived_items::Derived;
use billing::hierarchy::Hierarchy;
use billing::margin_guard::Findings;
use billing::money::percentage_shown;
use billing::period::BillingPeriod;
use billing::rate_card::RateCard;
use billing::reconciliation::Reconciliation;
use billing::statement::Statement;
use cost_data::diagnostics::Diagnostic;
use cost_data::report::Report;
use cost_data::source_file::SOURCE_FILE;
use invoice_file::plain_text;
use serde::Serialize;

/// All that a run has found.
pub struct Results {
    pub period: BillingPeriod,
    pub book: Book,
    pub cube: Cube,
    /// The hash of the cube's file.
    pub cube_sha256: [u8; 32],
    pub card: RateCard,
    pub statements: Vec<Statement>,
    pub rows: Vec<Row>,
    pub totals: Vec<GroupTotal>,
    pub reconciliation: Reconciliation,
    pub report: Report,
    pub listed: Listed,
    pub commitments: Commitments,
    /// What the policies of the book came to.
    pub derived: Derived,
    /// What the margin guard has found.
    pub guard: Findings,
    /// The hash of what was noticed while the cost files were read; none where there were none.
    pub reading: Option<String>,
    /// The hash of the mark of the run above, where the month is what that charges.
    pub upstream: Option<String>,
    /// Custom line item charges that had to be rounded at twenty decimals.
    pub rounded_items: u64,
}

/// Writes every file of the run.
pub fn write(draft: &Draft, results: &Results) -> anyhow::Result<()> {
    let rows = report_rows(results)?;
    let report = json(&rows)?;
    draft.write(COST_REPORT, &report)?;
    draft.write("cost-report.csv", to_csv(&rows)?.as_bytes())?;
    if !Hierarchy::of(&results.book, results.period).is_flat() {
        let rows = group_rows(results)?;
        draft.write(crate::publish::BILLING_GROUPS[0], &json(&rows)?)?;
        draft.write(crate::publish::BILLING_GROUPS[1], to_csv(&rows)?.as_bytes())?;
    }
    draft.make_folder("statements")?;
    statement_file::write(draft, results)?;
    // Where an earlier run has read the files, its list of them is there already.
    if !results.report.rejects.is_empty() {
        let rows: Vec<RejectedRow<'_>> = results.report.rejects.iter().map(Into::into).collect();
        draft.write(REJECTED_LINES, to_csv(&rows)?.as_bytes())?;
    }
    if !results.book.policies.is_empty() {
        let policies = policies_file::content(&results.book, &results.derived);
        draft.write(crate::publish::POLICIES, &json(&policies)?)?;
    }
    let guard = crate::guard::content(&results.book, &results.guard);
    draft.write(crate::publish::MARGIN_GUARD, &json(&guard)?)?;
    let commitments = json(&commitments_file::content(results)?)?;
    draft.write(crate::publish::COMMITMENTS, &commitments)?;
    let mark = reconciliation_file::content(results, &Files { commitments: &commitments, report: &report })?;
    draft.write(crate::publish::MARK, &json(&mark)?)
}

/// What is in the files whose hashes are in the mark, and that were written just now.
pub struct Files<'a> {
    pub commitments: &'a [u8],
    pub report: &'a [u8],
}

/// Writes the book word for word, and the files that it names.
pub fn write_book(draft: &Draft, book: &BookText<'_>) -> anyhow::Result<()> {
    draft.write(book_file::stored_name(book.path), book.text.as_bytes())?;
    if book.files.is_empty() {
        return Ok(());
    }
    let files = serde_json::to_vec_pretty(book.files).context("a book's files are texts")?;
    draft.write(crate::publish::BOOK_FILES, &files)
}

/// Writes which cost files were read and where they are: the only file of a run that names places outside of it.
pub fn write_source(draft: &Draft, source: &impl Serialize) -> anyhow::Result<()> {
    draft.write(SOURCE_FILE, &json(source)?)
}

/// A value as indented JSON with a newline at the end.
pub fn json(value: &impl Serialize) -> anyhow::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(text)
}

/// Rows as CSV with a header. What others have named is no formula in it: a customer opens its statement in a spreadsheet.
pub fn to_csv(rows: &[impl Serialize]) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row)?;
    }
    // Serde knows the columns of a row, and the cells are known only once they are written.
    let written = writer.into_inner()?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(written.as_slice());
    let records = reader.records().collect::<Result<Vec<_>, _>>()?;
    as_csv(records.iter().map(|record| record.iter()))
}

/// Rows of cells as CSV, each as [`plain_text::cell`] has it.
pub fn as_csv<'a>(
    rows: impl IntoIterator<Item = impl IntoIterator<Item = &'a str>>,
) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.into_iter().map(|value| plain_text::cell(value).into_owned()))?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

/// A row of the cost report.
#[derive(Debug, Serialize)]
struct ReportRow<'a> {
    billing_group: Option<&'a str>,
    account_id: Option<&'a str>,
    product: &'a str,
    product_name: Option<&'a str>,
    aws_cost: String,
    pro_forma_cost: Option<String>,
    margin: Option<String>,
    margin_percentage: Option<String>,
    currency: &'a str,
}

fn report_rows(results: &Results) -> anyhow::Result<Vec<ReportRow<'_>>> {
    results.rows.iter().map(|row| report_row(results, row)).collect()
}

fn report_row<'a>(results: &'a Results, row: &'a Row) -> anyhow::Result<ReportRow<'a>> {
    let margin = row.margin()?;
    let percentage = margin.zip(row.pro_forma_cost).map(|(margin, cost)| percentage_shown(margin, cost));
    let (billing_group, account_id) = match &row.owner {
        Owner::Group(group) => (Some(results.book.groups[*group].name.as_str()), None),
        Owner::Ungrouped(account) => (None, Some(account.as_str())),
    };
    Ok(ReportRow {
        billing_group,
        account_id,
        product: &row.product,
        product_name: row.product_name.as_deref(),
        aws_cost: row.aws_cost.to_string(),
        pro_forma_cost: row.pro_forma_cost.map(|cost| cost.to_string()),
        margin: margin.map(|margin| margin.to_string()),
        margin_percentage: percentage.map(|percentage| percentage.to_string()),
        currency: row.currency.as_str(),
    })
}

/// A rejected line.
#[derive(Debug, Serialize)]
struct RejectedRow<'a> {
    file: &'a str,
    row_group: Option<usize>,
    row: Option<u64>,
    column: Option<&'a str>,
    value: Option<&'a str>,
    reason: &'a str,
}

impl<'a> From<&'a Diagnostic> for RejectedRow<'a> {
    fn from(reject: &'a Diagnostic) -> Self {
        Self {
            file: &reject.file,
            row_group: reject.row_group,
            row: reject.row,
            column: reject.column.as_deref(),
            value: reject.value.as_deref(),
            reason: &reject.reason,
        }
    }
}

/// What AWS calls a product, where the cost files say.
fn product_name(results: &Results, product: &str) -> Option<String> {
    cost_report::product_name(&results.cube, product)
}
