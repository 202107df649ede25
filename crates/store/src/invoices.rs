//! The operator's invoices: what is settled about them, rates of exchange, drafts, what was issued, and payments.
//!
//! What was issued is kept word for word with its hash, and no statement here changes it.

mod rot;

use crate::database::Store;
use crate::error::StoreError;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use billing::period::BillingPeriod;
use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;

/// What is settled about invoices from a period on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceSettingsRow {
    /// The billing group, by id; empty: all of the payer's.
    pub billing_group: String,
    /// The first period.
    pub from: BillingPeriod,
    /// Which of those of the period it is; the last one holds.
    pub version: u64,
    /// When it was settled, in seconds since 1970-01-01T00:00:00Z.
    pub recorded_at_s: i64,
    /// By whom.
    pub recorded_by: String,
    /// The settings, as JSON.
    pub body: String,
}

/// A rate of exchange; texts as `billing` writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeRateRow {
    /// The currency that is exchanged.
    pub from: String,
    /// The currency that results.
    pub to: String,
    /// The day.
    pub day: String,
    /// How much of `to` one of `from` is.
    pub rate: String,
    /// Who published it.
    pub source: String,
    /// When it was imported, in seconds since 1970-01-01T00:00:00Z.
    pub recorded_at_s: i64,
    /// By whom.
    pub recorded_by: String,
}

/// What has become of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DraftState {
    /// It may be issued.
    Open,
    /// It was, under this number.
    Issued(String),
    /// It was given up.
    Discarded,
}

/// An invoice that is to be issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceDraftRow {
    /// Unique among those of the payer.
    pub id: String,
    /// The billing group, by id.
    pub billing_group: String,
    /// The period that it is of.
    pub period: BillingPeriod,
    /// The currency that the period was priced in.
    pub currency: String,
    /// The run that it is made of.
    pub run: String,
    /// What it has of its own, as JSON.
    pub options: String,
    /// What has become of it.
    pub state: DraftState,
    /// When it was made, in seconds since 1970-01-01T00:00:00Z.
    pub created_at_s: i64,
    /// By whom.
    pub created_by: String,
}

/// A document that was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedInvoiceRow {
    /// Its number.
    pub number: String,
    /// Its place among the payer's documents, in the order of issue; from 1 on.
    pub place: u64,
    /// The series, by its template.
    pub series: String,
    /// Its count in the series.
    pub series_count: u64,
    /// The billing group, by id.
    pub billing_group: String,
    /// The period.
    pub period: BillingPeriod,
    /// The currency that the period was priced in.
    pub charged_in: String,
    /// The day of issue, as `YYYY-MM-DD`.
    pub issued_on: String,
    /// The invoice that it takes back of; none of an invoice.
    pub original: Option<String>,
    /// The run that it is made of.
    pub run: String,
    /// The exact amount − the invoiced one, in the document's currency.
    pub residue: String,
    /// The document, word for word.
    pub document: String,
    /// The SHA-256 of it, in hexadecimal.
    pub sha256: String,
    /// When it was issued, in milliseconds since 1970-01-01T00:00:00Z.
    pub issued_at_ms: i64,
    /// By whom.
    pub issued_by: String,
}

/// A payment of an invoice; texts as `billing` writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoicePaymentRow {
    /// The invoice.
    pub invoice: String,
    /// Which of its payments it is, from 1 on.
    pub number: u64,
    /// The day, as `YYYY-MM-DD`.
    pub paid_on: String,
    /// How much, in the document's currency.
    pub amount: String,
    /// What the bank says of it.
    pub reference: Option<String>,
    /// When it was recorded, in seconds since 1970-01-01T00:00:00Z.
    pub recorded_at_s: i64,
    /// By whom.
    pub recorded_by: String,
}

/// Which issued documents are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InvoiceFilter {
    /// Only of this billing group, by id.
    pub billing_group: Option<String>,
    /// Only of this period.
    pub period: Option<BillingPeriod>,
    /// Only what takes back of this invoice.
    pub original: Option<String>,
    /// Only this one.
    pub number: Option<String>,
}

/// The page of an issued document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedPageRow {
    /// The document's number.
    pub invoice: String,
    /// Of the page's bytes, in hexadecimal.
    pub sha256: String,
    /// The bytes, in base64.
    pub pdf: String,
}

const ISSUED: &str = "number, place, series, series_count, billing_group, period, charged_in, issued_on, original, run, residue, document, \
     sha256, issued_at_ms, issued_by";

impl Store {
    /// What is settled about the invoices of a payer and its billing groups, the earlier first.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn invoice_settings(&self, payer: &AccountId) -> Result<Vec<InvoiceSettingsRow>, StoreError> {
        let sql = "SELECT billing_group, from_period, version, recorded_at_s, recorded_by, body FROM invoice_settings \
             WHERE payer = $1 ORDER BY billing_group, from_period, version";
        let rows = sqlx::query(sql).bind(payer.as_str()).fetch_all(self.readers()).await?;
        rows.iter().map(settings_row).collect()
    }

    /// The rates of exchange that a payer has imported, by day.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn exchange_rates(&self, payer: &AccountId) -> Result<Vec<ExchangeRateRow>, StoreError> {
        let sql = "SELECT from_currency, to_currency, day, rate, source, recorded_at_s, recorded_by FROM exchange_rates \
             WHERE payer = $1 ORDER BY day, from_currency, to_currency";
        let rows = sqlx::query(sql).bind(payer.as_str()).fetch_all(self.readers()).await?;
        rows.iter().map(rate_row).collect()
    }

    /// The drafts of a payer, the earlier first.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn invoice_drafts(&self, payer: &AccountId) -> Result<Vec<InvoiceDraftRow>, StoreError> {
        let sql = "SELECT id, billing_group, period, currency, run, options, state, invoice, created_at_s, created_by \
             FROM invoice_drafts WHERE payer = $1 ORDER BY period, created_at_s, id";
        let rows = sqlx::query(sql).bind(payer.as_str()).fetch_all(self.readers()).await?;
        rows.iter().map(draft_row).collect()
    }

    /// A draft of a payer.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn invoice_draft(
        &self,
        payer: &AccountId,
        id: &str,
    ) -> Result<Option<InvoiceDraftRow>, StoreError> {
        let sql = "SELECT id, billing_group, period, currency, run, options, state, invoice, created_at_s, created_by \
             FROM invoice_drafts WHERE payer = $1 AND id = $2";
        let row = sqlx::query(sql).bind(payer.as_str()).bind(id).fetch_optional(self.readers()).await?;
        row.as_ref().map(draft_row).transpose()
    }

    /// Documents of a payer in the order of issue, after a place; each is held to its hash.
    ///
    /// # Errors
    /// [`StoreError`] of the database; of a document that is not the one that was issued.
    pub async fn issued_invoices(
        &self,
        payer: &AccountId,
        filter: &InvoiceFilter,
        after_place: u64,
        rows_max: usize,
    ) -> Result<Vec<IssuedInvoiceRow>, StoreError> {
        let sql = format!(
            "SELECT {ISSUED} FROM issued_invoices WHERE payer = $1 AND place > $2 \
             AND ($3 = '' OR billing_group = $3) AND ($4 = '' OR period = $4) AND ($5 = '' OR original = $5) \
             AND ($6 = '' OR number = $6) ORDER BY place LIMIT $7"
        );
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        // The text is made of literals only.
        let query = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(payer.as_str())
            .bind(sql::whole(after_place)?)
            .bind(text(&filter.billing_group))
            .bind(filter.period.map(|period| period.to_string()).unwrap_or_default())
            .bind(text(&filter.original))
            .bind(text(&filter.number))
            .bind(sql::limit(rows_max));
        query.fetch_all(self.readers()).await?.iter().map(issued_row).collect()
    }

    /// The last document of a payer, of one series where it is named.
    ///
    /// # Errors
    /// As of [`issued_invoices`](Self::issued_invoices).
    pub async fn last_issued_invoice(
        &self,
        payer: &AccountId,
        series: Option<&str>,
    ) -> Result<Option<IssuedInvoiceRow>, StoreError> {
        let sql = format!(
            "SELECT {ISSUED} FROM issued_invoices WHERE payer = $1 AND ($2 = '' OR series = $2) ORDER BY place DESC LIMIT 1"
        );
        // The text is made of literals only.
        let query =
            sqlx::query(sqlx::AssertSqlSafe(sql)).bind(payer.as_str()).bind(series.unwrap_or_default());
        query.fetch_optional(self.readers()).await?.as_ref().map(issued_row).transpose()
    }

    /// The page of a document as it was issued; `None` of one that was issued before pages were kept.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn issued_page(
        &self,
        payer: &AccountId,
        invoice: &str,
    ) -> Result<Option<IssuedPageRow>, StoreError> {
        let sql = "SELECT invoice, sha256, pdf FROM issued_pages WHERE payer = $1 AND invoice = $2";
        let row = sqlx::query(sql).bind(payer.as_str()).bind(invoice).fetch_optional(self.readers()).await?;
        let page = |row: AnyRow| {
            Ok(IssuedPageRow {
                invoice: sql::column(&row, "invoice")?,
                sha256: sql::column(&row, "sha256")?,
                pdf: sql::column(&row, "pdf")?,
            })
        };
        row.map(page).transpose()
    }

    /// The payments of a payer's invoices, of one of them where it is named, in the order in which they were recorded.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn invoice_payments(
        &self,
        payer: &AccountId,
        invoice: Option<&str>,
    ) -> Result<Vec<InvoicePaymentRow>, StoreError> {
        let sql = "SELECT invoice, number, paid_on, amount, reference, recorded_at_s, recorded_by FROM invoice_payments \
             WHERE payer = $1 AND ($2 = '' OR invoice = $2) ORDER BY invoice, number";
        let query = sqlx::query(sql).bind(payer.as_str()).bind(invoice.unwrap_or_default());
        query.fetch_all(self.readers()).await?.iter().map(payment_row).collect()
    }
}

impl Write {
    /// Settles something about invoices.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`] for a version that is there.
    pub async fn put_invoice_settings(&mut self, row: InvoiceSettingsRow) -> Result<(), StoreError> {
        let values = vec![
            self.payer_value(),
            row.billing_group.into(),
            row.from.to_string().into(),
            sql::whole(row.version)?.into(),
            row.recorded_at_s.into(),
            row.recorded_by.into(),
            row.body.into(),
        ];
        let into = "INSERT INTO invoice_settings (payer, billing_group, from_period, version, recorded_at_s, recorded_by, body)";
        self.put(into, values, "").await?;
        Ok(())
    }

    /// Keeps rates of exchange.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`] for a pair and day that has a rate.
    pub async fn put_exchange_rates(&mut self, rows: Vec<ExchangeRateRow>) -> Result<(), StoreError> {
        self.put_rates(rows, "").await
    }

    /// Keeps other rates of exchange in place of those of the same pairs and days.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn correct_exchange_rates(&mut self, rows: Vec<ExchangeRateRow>) -> Result<(), StoreError> {
        let instead = " ON CONFLICT (payer, from_currency, to_currency, day) DO UPDATE SET rate = excluded.rate, \
             source = excluded.source, recorded_at_s = excluded.recorded_at_s, recorded_by = excluded.recorded_by";
        self.put_rates(rows, instead).await
    }

    async fn put_rates(&mut self, rows: Vec<ExchangeRateRow>, instead: &str) -> Result<(), StoreError> {
        let payer = self.payer_value();
        let values = |row: ExchangeRateRow| {
            vec![
                payer.clone(),
                row.from.into(),
                row.to.into(),
                row.day.into(),
                row.rate.into(),
                row.source.into(),
                row.recorded_at_s.into(),
                row.recorded_by.into(),
            ]
        };
        let values = rows.into_iter().map(values).collect();
        let into = "INSERT INTO exchange_rates (payer, from_currency, to_currency, day, rate, source, recorded_at_s, recorded_by)";
        sql::with_rows(self.connection(), into, values, instead).await?;
        Ok(())
    }

    /// Keeps a draft, or what has become of it.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`] where another draft of the same charges is open.
    pub async fn put_invoice_draft(&mut self, row: InvoiceDraftRow) -> Result<(), StoreError> {
        let (state, invoice) = match row.state {
            DraftState::Open => ("open", None),
            DraftState::Issued(number) => ("issued", Some(number)),
            DraftState::Discarded => ("discarded", None),
        };
        let values = vec![
            self.payer_value(),
            row.id.into(),
            row.billing_group.into(),
            row.period.to_string().into(),
            row.currency.into(),
            row.run.into(),
            row.options.into(),
            state.into(),
            invoice.into(),
            row.created_at_s.into(),
            row.created_by.into(),
        ];
        let into = "INSERT INTO invoice_drafts (payer, id, billing_group, period, currency, run, options, state, invoice, \
             created_at_s, created_by)";
        let instead =
            " ON CONFLICT (payer, id) DO UPDATE SET state = excluded.state, invoice = excluded.invoice";
        self.put(into, values, instead).await?;
        Ok(())
    }

    /// Keeps a document that is issued, once, under its number, and its page as it looks then.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`] where the number was given, or the place is taken.
    pub async fn put_issued_invoice(
        &mut self,
        row: IssuedInvoiceRow,
        page: Option<IssuedPageRow>,
    ) -> Result<(), StoreError> {
        let page_sha256 = page.as_ref().map(|page| page.sha256.clone());
        let row_hash = rot::issued_hash(self.payer(), &row, page_sha256.as_deref());
        let kind = if row.original.is_some() { "credit_note" } else { "invoice" };
        let values = vec![
            self.payer_value(),
            row.number.into(),
            sql::whole(row.place)?.into(),
            row.series.into(),
            sql::whole(row.series_count)?.into(),
            row.billing_group.into(),
            row.period.to_string().into(),
            kind.into(),
            row.charged_in.into(),
            row.issued_on.into(),
            row.original.into(),
            row.run.into(),
            row.residue.into(),
            row.document.into(),
            row.sha256.into(),
            row.issued_at_ms.into(),
            row.issued_by.into(),
            page_sha256.into(),
            row_hash.into(),
        ];
        let into = "INSERT INTO issued_invoices (payer, number, place, series, series_count, billing_group, period, kind, charged_in, \
             issued_on, original, run, residue, document, sha256, issued_at_ms, issued_by, page_sha256, row_hash)";
        self.put(into, values, "").await?;
        if let Some(page) = page {
            let values = vec![self.payer_value(), page.invoice.into(), page.sha256.into(), page.pdf.into()];
            self.put("INSERT INTO issued_pages (payer, invoice, sha256, pdf)", values, "").await?;
        }
        Ok(())
    }

    /// Records a payment.
    ///
    /// # Errors
    /// [`StoreError::NotThere`] where there is no such invoice.
    pub async fn put_invoice_payment(&mut self, row: InvoicePaymentRow) -> Result<(), StoreError> {
        let row_hash = rot::payment_hash(self.payer(), &row);
        let values = vec![
            self.payer_value(),
            row.invoice.into(),
            sql::whole(row.number)?.into(),
            row.paid_on.into(),
            row.amount.into(),
            row.reference.into(),
            row.recorded_at_s.into(),
            row.recorded_by.into(),
            row_hash.into(),
        ];
        let into = "INSERT INTO invoice_payments (payer, invoice, number, paid_on, amount, reference, recorded_at_s, recorded_by, row_hash)";
        self.put(into, values, "").await?;
        Ok(())
    }
}

fn settings_row(row: &AnyRow) -> Result<InvoiceSettingsRow, StoreError> {
    const TABLE: &str = "invoice_settings";
    Ok(InvoiceSettingsRow {
        billing_group: sql::column(row, "billing_group")?,
        from: sql::period(row, TABLE, "from_period")?,
        version: sql::count(row, TABLE, "version")?,
        recorded_at_s: sql::column(row, "recorded_at_s")?,
        recorded_by: sql::column(row, "recorded_by")?,
        body: sql::column(row, "body")?,
    })
}

fn rate_row(row: &AnyRow) -> Result<ExchangeRateRow, StoreError> {
    Ok(ExchangeRateRow {
        from: sql::column(row, "from_currency")?,
        to: sql::column(row, "to_currency")?,
        day: sql::column(row, "day")?,
        rate: sql::column(row, "rate")?,
        source: sql::column(row, "source")?,
        recorded_at_s: sql::column(row, "recorded_at_s")?,
        recorded_by: sql::column(row, "recorded_by")?,
    })
}

fn draft_row(row: &AnyRow) -> Result<InvoiceDraftRow, StoreError> {
    const TABLE: &str = "invoice_drafts";
    let (state, invoice): (String, Option<String>) =
        (sql::column(row, "state")?, sql::column(row, "invoice")?);
    let state = match (state.as_str(), invoice) {
        ("open", None) => DraftState::Open,
        ("issued", Some(number)) => DraftState::Issued(number),
        ("discarded", None) => DraftState::Discarded,
        _ => return Err(StoreError::damaged(TABLE, format!("`state` is `{state}`"))),
    };
    Ok(InvoiceDraftRow {
        id: sql::column(row, "id")?,
        billing_group: sql::column(row, "billing_group")?,
        period: sql::period(row, TABLE, "period")?,
        currency: sql::column(row, "currency")?,
        run: sql::column(row, "run")?,
        options: sql::column(row, "options")?,
        state,
        created_at_s: sql::column(row, "created_at_s")?,
        created_by: sql::column(row, "created_by")?,
    })
}

fn issued_row(row: &AnyRow) -> Result<IssuedInvoiceRow, StoreError> {
    const TABLE: &str = "issued_invoices";
    let (number, document): (String, String) = (sql::column(row, "number")?, sql::column(row, "document")?);
    let sha256: String = sql::column(row, "sha256")?;
    if sql::to_hex(&Sha256::digest(&document)) != sha256 {
        return Err(StoreError::damaged(
            TABLE,
            format!("document `{number}` is not the one that was issued"),
        ));
    }
    Ok(IssuedInvoiceRow {
        number,
        place: sql::count(row, TABLE, "place")?,
        series: sql::column(row, "series")?,
        series_count: sql::count(row, TABLE, "series_count")?,
        billing_group: sql::column(row, "billing_group")?,
        period: sql::period(row, TABLE, "period")?,
        charged_in: sql::column(row, "charged_in")?,
        issued_on: sql::column(row, "issued_on")?,
        original: sql::column(row, "original")?,
        run: sql::column(row, "run")?,
        residue: sql::column(row, "residue")?,
        document,
        sha256,
        issued_at_ms: sql::column(row, "issued_at_ms")?,
        issued_by: sql::column(row, "issued_by")?,
    })
}

fn payment_row(row: &AnyRow) -> Result<InvoicePaymentRow, StoreError> {
    Ok(InvoicePaymentRow {
        invoice: sql::column(row, "invoice")?,
        number: sql::count(row, "invoice_payments", "number")?,
        paid_on: sql::column(row, "paid_on")?,
        amount: sql::column(row, "amount")?,
        reference: sql::column(row, "reference")?,
        recorded_at_s: sql::column(row, "recorded_at_s")?,
        recorded_by: sql::column(row, "recorded_by")?,
    })
}
