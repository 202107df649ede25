//! Summaries of AWS's invoices, as AWS has told them. What they say is JSON, and none of the store's business.

use crate::database::{Store, placeholders};
use crate::error::StoreError;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use billing::period::BillingPeriod;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;
use std::collections::{BTreeMap, BTreeSet};

const TABLE: &str = "invoice_summaries";
/// How many invoices are looked up in one statement.
const INVOICES_MAX: usize = 500;

/// The summary of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceSummaryRow {
    /// The invoice.
    pub invoice_id: String,
    /// From 1 on without gaps.
    pub version: u64,
    /// When it was recorded, in seconds since 1970-01-01T00:00:00Z.
    pub recorded_at_s: i64,
    /// Whose invoice it is.
    pub account: AccountId,
    /// The month that it is for, where it is for one.
    pub period: Option<BillingPeriod>,
    /// What AWS says of it: JSON.
    pub body: String,
}

/// Which summaries are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SummariesOf<'a> {
    /// That of one invoice.
    Invoice(&'a str),
    /// Those of an account.
    Account(&'a AccountId),
    /// Those of a month.
    Period(BillingPeriod),
}

impl Store {
    /// The last version of summaries, by invoice.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn invoice_summaries(
        &self,
        payer: &AccountId,
        of: SummariesOf<'_>,
    ) -> Result<Vec<InvoiceSummaryRow>, StoreError> {
        let (column, value) = match of {
            SummariesOf::Invoice(id) => ("invoice_id", id.to_owned()),
            SummariesOf::Account(account) => ("account", account.to_string()),
            SummariesOf::Period(period) => ("billing_period", period.to_string()),
        };
        let sql = format!(
            "SELECT invoice_id, version, recorded_at_s, account, billing_period, body FROM invoice_summaries \
             WHERE payer = $1 AND {column} = $2 AND version = (SELECT MAX(later.version) FROM invoice_summaries later \
                 WHERE later.payer = invoice_summaries.payer AND later.invoice_id = invoice_summaries.invoice_id)"
        );
        let query = sqlx::query(AssertSqlSafe(sql)).bind(payer.as_str()).bind(value);
        let rows = query.fetch_all(self.readers()).await?;
        let mut rows = rows.iter().map(summary_row).collect::<Result<Vec<_>, _>>()?;
        rows.sort_by(|one, other| one.invoice_id.cmp(&other.invoice_id));
        Ok(rows)
    }
}

impl Store {
    /// Which of these invoices have a summary.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn known_invoice_summaries(
        &self,
        payer: &AccountId,
        invoices: &[&str],
    ) -> Result<BTreeSet<String>, StoreError> {
        let mut known = BTreeSet::new();
        for chunk in invoices.chunks(INVOICES_MAX) {
            let sql = format!(
                "SELECT DISTINCT invoice_id FROM invoice_summaries WHERE payer = $1 AND invoice_id IN ({})",
                placeholders(2, chunk.len())
            );
            let mut query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(payer.as_str());
            for invoice in chunk {
                query = query.bind(*invoice);
            }
            known.extend::<Vec<String>>(query.fetch_all(self.readers()).await?);
        }
        Ok(known)
    }
}

impl Write {
    /// The last version of the summaries of invoices, by invoice: its number and its body.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn last_invoice_summaries(
        &mut self,
        invoices: &[&str],
    ) -> Result<BTreeMap<String, (u64, String)>, StoreError> {
        let payer = self.payer().as_str().to_owned();
        let mut last: BTreeMap<String, (u64, String)> = BTreeMap::new();
        for chunk in invoices.chunks(INVOICES_MAX) {
            let sql = format!(
                "SELECT invoice_id, version, body FROM invoice_summaries WHERE payer = $1 AND invoice_id IN ({})",
                placeholders(2, chunk.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(sql)).bind(payer.as_str());
            for invoice in chunk {
                query = query.bind(*invoice);
            }
            for row in query.fetch_all(self.connection()).await? {
                let (version, body) = (sql::count(&row, TABLE, "version")?, sql::column(&row, "body")?);
                let known = last.entry(sql::column(&row, "invoice_id")?).or_default();
                if known.0 < version {
                    *known = (version, body);
                }
            }
        }
        Ok(last)
    }

    /// Keeps summaries.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`].
    pub async fn put_invoice_summaries(&mut self, rows: Vec<InvoiceSummaryRow>) -> Result<(), StoreError> {
        let payer = self.payer_value();
        let values = |row: InvoiceSummaryRow| {
            Ok(vec![
                payer.clone(),
                row.invoice_id.into(),
                sql::whole(row.version)?.into(),
                row.recorded_at_s.into(),
                row.account.as_str().into(),
                row.period.map(|period| period.to_string()).into(),
                row.body.into(),
            ])
        };
        let rows = rows.into_iter().map(values).collect::<Result<Vec<_>, StoreError>>()?;
        let into = "INSERT INTO invoice_summaries (payer, invoice_id, version, recorded_at_s, account, billing_period, body)";
        sql::with_rows(self.connection(), into, rows, "").await?;
        Ok(())
    }
}

fn summary_row(row: &AnyRow) -> Result<InvoiceSummaryRow, StoreError> {
    let period: Option<String> = sql::column(row, "billing_period")?;
    let period = period.map(|text| BillingPeriod::parse(&text)).transpose();
    Ok(InvoiceSummaryRow {
        invoice_id: sql::column(row, "invoice_id")?,
        version: sql::count(row, TABLE, "version")?,
        recorded_at_s: sql::column(row, "recorded_at_s")?,
        account: sql::account(row, TABLE, "account")?,
        period: period.map_err(|error| StoreError::damaged(TABLE, error.to_string()))?,
        body: sql::column(row, "body")?,
    })
}
