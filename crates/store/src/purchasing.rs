//! Purchase orders of a payer and its customers, the invoices that are matched with them, and which invoice is charged to which line.
//!
//! Nothing here is overwritten but which revision of an order holds: revisions, invoices and associations are rows that are only added. Each write counts
//! up the payer's purchasing, so that a reader knows by one row whether what it has read is still so.

mod grant;
mod rot;
mod save;

use crate::body::Body as _;
use crate::body::purchasing::{buyer_of, read_invoice, read_order};
use crate::database::Store;
use crate::error::StoreError;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use billing::money::Amount;
use billing::purchase_order::invoice::MatchInvoice;
use billing::purchase_order::{Buyer, LineNumber, PurchaseOrder, PurchaseOrderId, Settings};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, Executor};
use std::collections::BTreeMap;

pub use grant::GrantRow;

const ORDERS: &str = "purchase_orders";
const REVISIONS: &str = "purchase_order_revisions";
const INVOICES: &str = "matched_invoices";
const ASSOCIATIONS: &str = "invoice_associations";

/// An order as one of its revisions has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRow {
    /// The order.
    pub order: PurchaseOrder,
    /// Its place among all orders of the payer, in the order of creation.
    pub number: u64,
    /// Which revision of it this is, from 1 on.
    pub revision: u64,
    /// When the revision was made, in seconds since 1970-01-01T00:00:00Z.
    pub recorded_at_s: i64,
    /// Who made it.
    pub recorded_by: String,
    /// By what: the operation.
    pub action: String,
    /// When the order was deleted, in seconds since 1970-01-01T00:00:00Z.
    pub deleted_at_s: Option<i64>,
}

/// Where the matcher has an invoice from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvoiceSource {
    /// A list of AWS's invoices, or a file.
    Imported,
    /// The cost files of a run that a period shows.
    Run,
    /// The operator has issued it.
    Issued,
}

impl InvoiceSource {
    /// The name in a column.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Imported => "imported",
            Self::Run => "run",
            Self::Issued => "issued",
        }
    }

    fn of(name: &str) -> Option<Self> {
        [Self::Imported, Self::Run, Self::Issued].into_iter().find(|source| source.name() == name)
    }
}

/// An invoice as the matcher knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceRow {
    /// The invoice.
    pub invoice: MatchInvoice,
    /// When it is due, in seconds since 1970-01-01T00:00:00Z, where that is known.
    pub due_at_s: Option<i64>,
    /// Where it is from.
    pub source: InvoiceSource,
    /// Which content of it this is, from 1 on.
    pub revision: u64,
    /// When it was recorded, in seconds since 1970-01-01T00:00:00Z.
    pub recorded_at_s: i64,
}

/// How an invoice came to its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The rules of matching, when it was first known.
    Matched,
    /// Somebody has moved it.
    Moved,
    /// The rules of matching, asked once more.
    Rematched,
}

impl How {
    /// The name in a column.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Moved => "moved",
            Self::Rematched => "rematched",
        }
    }

    fn of(name: &str) -> Option<Self> {
        [Self::Matched, Self::Moved, Self::Rematched].into_iter().find(|how| how.name() == name)
    }
}

/// The line that an invoice is charged to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargedTo {
    /// The order.
    pub order: PurchaseOrderId,
    /// Its line.
    pub line: LineNumber,
    /// The revision of the order that was looked at.
    pub order_revision: u64,
}

/// What was decided of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssociationRow {
    /// Whose invoice it is.
    pub buyer: Buyer,
    /// The invoice.
    pub invoice: String,
    /// From 1 on; the highest one holds.
    pub sequence: u64,
    /// When it was decided, in seconds since 1970-01-01T00:00:00Z.
    pub recorded_at_s: i64,
    /// Who did.
    pub recorded_by: String,
    /// How.
    pub how: How,
    /// The line; `None` where it is charged to none.
    pub charged_to: Option<ChargedTo>,
    /// What it takes from the line's balance, in the order's currency; below 0 what a credit memo gives back.
    pub used: Option<Amount>,
    /// What is to be seen beside it: `OUT_OF_BALANCE`, say.
    pub flags: Vec<String>,
    /// Why, in short.
    pub reason: String,
}

/// What was decided of an invoice, as it is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecidedRow {
    /// The decision.
    pub association: AssociationRow,
    /// The content of the invoice that it is of.
    pub invoice_revision: Option<u64>,
    /// Its trace, as JSON.
    pub trace: String,
}

/// What a payer has of orders and invoices; of an invoice, what was decided last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PurchasingRows {
    /// How often it was written.
    pub revision: u64,
    /// The number of the next order.
    pub next_number: u64,
    /// How invoices are matched, where that was ever said.
    pub settings: Option<Settings>,
    /// The orders as they stand, deleted ones among them, in the order of creation.
    pub orders: Vec<OrderRow>,
    /// The invoices, by buyer and id.
    pub invoices: Vec<InvoiceRow>,
    /// What was decided of each, by buyer and invoice.
    pub associations: Vec<AssociationRow>,
}

impl Store {
    /// What a payer has of orders and invoices, of one moment.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where a row is not what the program has written.
    pub async fn purchasing(&self, payer: &AccountId) -> Result<PurchasingRows, StoreError> {
        let mut transaction = self.begin_read().await?;
        let rows = load(&mut transaction, payer).await?;
        transaction.commit().await?;
        Ok(rows)
    }

    /// How often a payer's purchasing was written. One row is read.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn purchasing_revision(&self, payer: &AccountId) -> Result<u64, StoreError> {
        Ok(head(self.readers(), payer).await?.0)
    }

    /// Every revision of an order, the first one first.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub async fn order_revisions(
        &self,
        payer: &AccountId,
        buyer: &Buyer,
        id: &PurchaseOrderId,
    ) -> Result<Vec<OrderRow>, StoreError> {
        let sql = "SELECT r.buyer, r.id, o.number, r.revision, r.recorded_at_s, r.recorded_by, r.action, r.body, \
             CASE WHEN r.revision = o.revision THEN o.deleted_at_s ELSE NULL END AS deleted_at_s \
             FROM purchase_order_revisions r \
             JOIN purchase_orders o ON o.payer = r.payer AND o.buyer = r.buyer AND o.id = r.id \
             WHERE r.payer = $1 AND r.buyer = $2 AND r.id = $3 ORDER BY r.revision";
        let query = sqlx::query(sql)
            .bind(payer.as_str())
            .bind(crate::body::purchasing::buyer_text(buyer))
            .bind(id.as_str());
        query.fetch_all(self.readers()).await?.iter().map(order_row).collect()
    }

    /// Everything that was ever decided of an invoice, the first one first, each with its trace as JSON.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub async fn associations_of(
        &self,
        payer: &AccountId,
        buyer: &Buyer,
        invoice: &str,
    ) -> Result<Vec<(AssociationRow, String)>, StoreError> {
        let sql = "SELECT buyer, invoice, sequence, recorded_at_s, recorded_by, how, purchase_order, line, \
             order_revision, used, flags, reason, trace FROM invoice_associations \
             WHERE payer = $1 AND buyer = $2 AND invoice = $3 ORDER BY sequence";
        let query = sqlx::query(sql)
            .bind(payer.as_str())
            .bind(crate::body::purchasing::buyer_text(buyer))
            .bind(invoice);
        let with_trace = |row: &AnyRow| Ok((association_row(row)?, sql::column::<String, _>(row, "trace")?));
        query.fetch_all(self.readers()).await?.iter().map(with_trace).collect()
    }

    /// The content of an invoice that each decision of it was of, by the decision's sequence. A decision that was made before this was kept has none.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub async fn decided_contents(
        &self,
        payer: &AccountId,
        buyer: &Buyer,
        invoice: &str,
    ) -> Result<BTreeMap<u64, InvoiceRow>, StoreError> {
        let sql = "SELECT a.sequence, m.buyer, m.invoice, m.revision, m.recorded_at_s, m.source, m.body \
             FROM invoice_associations a JOIN matched_invoices m ON m.payer = a.payer AND m.buyer = a.buyer \
             AND m.invoice = a.invoice AND m.revision = a.invoice_revision \
             WHERE a.payer = $1 AND a.buyer = $2 AND a.invoice = $3";
        let query = sqlx::query(sql)
            .bind(payer.as_str())
            .bind(crate::body::purchasing::buyer_text(buyer))
            .bind(invoice);
        let content = |row: &AnyRow| Ok((sql::count(row, ASSOCIATIONS, "sequence")?, invoice_row(row)?));
        query.fetch_all(self.readers()).await?.iter().map(content).collect()
    }

    /// Everything that was ever decided of any invoice of a payer, in the order in which it was.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub async fn association_history(&self, payer: &AccountId) -> Result<Vec<AssociationRow>, StoreError> {
        let sql = "SELECT buyer, invoice, sequence, recorded_at_s, recorded_by, how, purchase_order, line, \
             order_revision, used, flags, reason FROM invoice_associations \
             WHERE payer = $1 ORDER BY recorded_at_s, buyer, invoice, sequence";
        let query = sqlx::query(sql).bind(payer.as_str());
        query.fetch_all(self.readers()).await?.iter().map(association_row).collect()
    }
}

impl Write {
    /// How often the payer's purchasing was written, until the change ends.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn purchasing_revision(&mut self) -> Result<u64, StoreError> {
        let payer = self.payer().clone();
        Ok(head(self.connection(), &payer).await?.0)
    }

    /// What the payer has of orders and invoices, until the change ends.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub async fn purchasing(&mut self) -> Result<PurchasingRows, StoreError> {
        let payer = self.payer().clone();
        load(self.connection(), &payer).await
    }
}

/// How often it was written, and the number of the next order.
async fn head(on: impl Executor<'_, Database = Any>, payer: &AccountId) -> Result<(u64, u64), StoreError> {
    const TABLE: &str = "purchasing_heads";
    let sql = "SELECT revision, next_number FROM purchasing_heads WHERE payer = $1";
    let row = sqlx::query(sql).bind(payer.as_str()).fetch_optional(on).await?;
    let Some(row) = row else { return Ok((0, 1)) };
    Ok((sql::count(&row, TABLE, "revision")?, sql::count(&row, TABLE, "next_number")?))
}

async fn load(on: &mut AnyConnection, payer: &AccountId) -> Result<PurchasingRows, StoreError> {
    let (revision, next_number) = head(&mut *on, payer).await?;
    let sql = "SELECT body FROM matching_settings WHERE payer = $1 ORDER BY revision DESC LIMIT 1";
    let settings = sqlx::query(sql).bind(payer.as_str()).fetch_optional(&mut *on).await?;
    let settings = settings.map(|row| {
        let body: String = sql::column(&row, "body")?;
        Settings::read(&body).map_err(|problem| StoreError::damaged("matching_settings", problem))
    });
    let sql = "SELECT o.buyer, o.id, o.number, o.revision, o.deleted_at_s, r.recorded_at_s, r.recorded_by, r.action, r.body \
         FROM purchase_orders o JOIN purchase_order_revisions r \
         ON r.payer = o.payer AND r.buyer = o.buyer AND r.id = o.id AND r.revision = o.revision \
         WHERE o.payer = $1 ORDER BY o.number";
    let orders = sqlx::query(sql).bind(payer.as_str()).fetch_all(&mut *on).await?;
    let sql = "SELECT buyer, invoice, revision, recorded_at_s, source, body FROM matched_invoices \
         WHERE payer = $1 ORDER BY buyer, invoice, revision";
    let invoices = sqlx::query(sql).bind(payer.as_str()).fetch_all(&mut *on).await?;
    let sql = "SELECT buyer, invoice, sequence, recorded_at_s, recorded_by, how, purchase_order, line, order_revision, \
         used, flags, reason FROM invoice_associations WHERE payer = $1 ORDER BY buyer, invoice, sequence";
    let associations = sqlx::query(sql).bind(payer.as_str()).fetch_all(&mut *on).await?;
    let invoices: Vec<_> = invoices.iter().map(invoice_row).collect::<Result<_, _>>()?;
    let associations: Vec<_> = associations.iter().map(association_row).collect::<Result<_, _>>()?;
    Ok(PurchasingRows {
        revision,
        next_number,
        settings: settings.transpose()?,
        orders: orders.iter().map(order_row).collect::<Result<_, _>>()?,
        invoices: last_of_each(invoices, |a, b| {
            (&a.invoice.buyer, &a.invoice.id) == (&b.invoice.buyer, &b.invoice.id)
        }),
        associations: last_of_each(associations, |a, b| (&a.buyer, &a.invoice) == (&b.buyer, &b.invoice)),
    })
}

/// The last one of the rows of each key; rows of a key stand together.
fn last_of_each<T>(rows: Vec<T>, is_same: impl Fn(&T, &T) -> bool) -> Vec<T> {
    let mut last: Vec<T> = Vec::with_capacity(rows.len());
    for row in rows {
        match last.last_mut() {
            Some(before) if is_same(before, &row) => *before = row,
            _ => last.push(row),
        }
    }
    last
}

fn buyer(row: &AnyRow, table: &'static str) -> Result<Buyer, StoreError> {
    let text: String = sql::column(row, "buyer")?;
    buyer_of(&text).map_err(|problem| StoreError::damaged(table, problem))
}

fn order_row(row: &AnyRow) -> Result<OrderRow, StoreError> {
    let (id, body): (String, String) = (sql::column(row, "id")?, sql::column(row, "body")?);
    let revision = sql::count(row, REVISIONS, "revision")?;
    let order = read_order(buyer(row, ORDERS)?, &body).map_err(|problem| {
        StoreError::damaged(REVISIONS, format!("purchase order `{id}`, revision {revision}: {problem}"))
    })?;
    Ok(OrderRow {
        order,
        number: sql::count(row, ORDERS, "number")?,
        revision,
        recorded_at_s: sql::column(row, "recorded_at_s")?,
        recorded_by: sql::column(row, "recorded_by")?,
        action: sql::column(row, "action")?,
        deleted_at_s: sql::column(row, "deleted_at_s")?,
    })
}

fn invoice_row(row: &AnyRow) -> Result<InvoiceRow, StoreError> {
    let (id, body): (String, String) = (sql::column(row, "invoice")?, sql::column(row, "body")?);
    let source: String = sql::column(row, "source")?;
    let damaged = |problem: String| StoreError::damaged(INVOICES, format!("invoice `{id}`: {problem}"));
    let (invoice, due_at_s) = read_invoice(&id, buyer(row, INVOICES)?, &body).map_err(damaged)?;
    Ok(InvoiceRow {
        invoice,
        due_at_s,
        source: InvoiceSource::of(&source).ok_or_else(|| damaged(format!("`source` is `{source}`")))?,
        revision: sql::count(row, INVOICES, "revision")?,
        recorded_at_s: sql::column(row, "recorded_at_s")?,
    })
}

fn association_row(row: &AnyRow) -> Result<AssociationRow, StoreError> {
    let (invoice, how): (String, String) = (sql::column(row, "invoice")?, sql::column(row, "how")?);
    let damaged =
        |problem: String| StoreError::damaged(ASSOCIATIONS, format!("invoice `{invoice}`: {problem}"));
    let used: Option<String> = sql::column(row, "used")?;
    let amount = |text: String| Amount::parse(&text).map_err(|error| damaged(format!("`{text}`: {error}")));
    let order: Option<String> = sql::column(row, "purchase_order")?;
    let charged_to = |order: String| {
        let line: String = sql::column(row, "line")?;
        let parsed = PurchaseOrderId::parse(&order).zip(LineNumber::parse(&line));
        let (order, line) = parsed.ok_or_else(|| damaged(format!("line `{line}` of `{order}`")))?;
        Ok::<_, StoreError>(ChargedTo {
            order,
            line,
            order_revision: sql::count(row, ASSOCIATIONS, "order_revision")?,
        })
    };
    Ok(AssociationRow {
        buyer: buyer(row, ASSOCIATIONS)?,
        sequence: sql::count(row, ASSOCIATIONS, "sequence")?,
        recorded_at_s: sql::column(row, "recorded_at_s")?,
        recorded_by: sql::column(row, "recorded_by")?,
        how: How::of(&how).ok_or_else(|| damaged(format!("`how` is `{how}`")))?,
        charged_to: order.map(charged_to).transpose()?,
        used: used.map(amount).transpose()?,
        flags: sql::json(row, ASSOCIATIONS, "flags")?,
        reason: sql::column(row, "reason")?,
        invoice: invoice.clone(),
    })
}
