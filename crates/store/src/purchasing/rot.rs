//! Bit rot: whether orders, invoices and what was decided of them still say what was written, and whether none of them is gone.

use super::REVISIONS;
use crate::database::Store;
use crate::error::StoreError;
use crate::sql::{self, hash_of};
use crate::write::Write;
use billing::account::AccountId;
use futures_util::TryStreamExt;
use sqlx::any::AnyRow;

/// How many damaged rows are named.
const NAMED_MAX: usize = 20;

/// What is held to its hash: buyer, id, number, what it says and the hash of each row.
const HASHED: &[(&str, &str)] = &[
    (
        "revision of purchase order",
        "SELECT buyer, id, revision AS number, body, row_hash FROM purchase_order_revisions WHERE payer = $1 \
         ORDER BY buyer, id, revision",
    ),
    (
        "matched invoice",
        "SELECT buyer, invoice AS id, revision AS number, body, row_hash FROM matched_invoices WHERE payer = $1 \
         ORDER BY buyer, invoice, revision",
    ),
];

/// What was decided of invoices: a decision takes something from a balance, so that more of it is held to its hash than what it says.
const DECIDED: &str = "SELECT buyer, invoice, sequence, recorded_at_s, how, purchase_order, line, order_revision, used, flags, \
     trace, invoice_revision, row_hash FROM invoice_associations WHERE payer = $1 ORDER BY buyer, invoice, sequence";

/// What is gone, by the buyer and the id of what it was of: rows are numbered from 1 on, and no invoice is without a decision, nor the other way round.
const GONE: &[(&str, &str)] = &[
    (
        "a revision of purchase order",
        "SELECT buyer, id FROM purchase_orders o WHERE payer = $1 AND revision <> (SELECT COUNT(*) FROM purchase_order_revisions r \
         WHERE r.payer = o.payer AND r.buyer = o.buyer AND r.id = o.id) ORDER BY buyer, id",
    ),
    (
        "what was known of invoice",
        "SELECT buyer, invoice FROM matched_invoices WHERE payer = $1 GROUP BY buyer, invoice HAVING COUNT(*) <> MAX(revision) \
         UNION SELECT buyer, invoice FROM invoice_associations a WHERE payer = $1 AND NOT EXISTS (SELECT 1 FROM matched_invoices m \
         WHERE m.payer = a.payer AND m.buyer = a.buyer AND m.invoice = a.invoice AND m.revision = COALESCE(a.invoice_revision, 1)) \
         ORDER BY 1, 2",
    ),
    (
        "a decision of invoice",
        "SELECT buyer, invoice FROM invoice_associations WHERE payer = $1 GROUP BY buyer, invoice HAVING COUNT(*) <> MAX(sequence) \
         UNION SELECT buyer, invoice FROM matched_invoices m WHERE payer = $1 AND NOT EXISTS (SELECT 1 FROM invoice_associations a \
         WHERE a.payer = m.payer AND a.buyer = m.buyer AND a.invoice = m.invoice) ORDER BY 1, 2",
    ),
];

/// What the hash of a decision begins with that is of the whole of it; one without is of the line and the trace only, as they were first kept.
const WHOLE: &str = "2:";

/// What was decided of an invoice, as its row has it. Who decided and why are not of it: whoever is taken out of the desk's data is taken out of them.
pub(super) struct Decided<'a> {
    pub(super) buyer: &'a str,
    pub(super) invoice: &'a str,
    pub(super) sequence: i64,
    pub(super) recorded_at_s: i64,
    pub(super) how: &'a str,
    pub(super) order: Option<&'a str>,
    pub(super) line: Option<&'a str>,
    pub(super) order_revision: Option<i64>,
    pub(super) used: Option<&'a str>,
    pub(super) flags: &'a str,
    pub(super) trace: &'a str,
    pub(super) invoice_revision: Option<i64>,
}

impl Decided<'_> {
    /// The hash that is kept beside it.
    pub(super) fn hash(&self, payer: &AccountId) -> String {
        // No text of these is empty where there is one.
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
        let parts = [
            payer.to_string(),
            self.buyer.to_owned(),
            self.invoice.to_owned(),
            self.sequence.to_string(),
            self.recorded_at_s.to_string(),
            self.how.to_owned(),
            text(self.order),
            text(self.line),
            number(self.order_revision),
            text(self.used),
            self.flags.to_owned(),
            self.trace.to_owned(),
            number(self.invoice_revision),
        ];
        format!("{WHOLE}{}", hash_of(&parts))
    }

    /// The hash of its first form.
    fn first_hash(&self, payer: &AccountId) -> String {
        let (order, line) = (self.order.unwrap_or_default(), self.line.unwrap_or_default());
        row_hash(payer, self.buyer, self.invoice, self.sequence, &format!("{order} {line} {}", self.trace))
    }
}

/// The hash that is kept beside what a row says for good.
pub(super) fn row_hash(payer: &AccountId, buyer: &str, id: &str, number: i64, body: &str) -> String {
    hash_of(&[payer.as_str(), buyer, id, &number.to_string(), body])
}

impl Store {
    /// Revisions, invoices and associations of a payer that are not as they were written: a few of them, by name.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn rotten_purchasing(&self, payer: &AccountId) -> Result<Vec<String>, StoreError> {
        let mut rotten = Vec::new();
        for (what, sql) in HASHED {
            let mut rows = sqlx::query(*sql).bind(payer.as_str()).fetch(self.readers());
            while let Some(row) = rows.try_next().await? {
                let text = |name: &str| sql::column::<String, _>(&row, name);
                let (id, number) = (text("id")?, sql::column(&row, "number")?);
                if row_hash(payer, &text("buyer")?, &id, number, &text("body")?) != text("row_hash")? {
                    rotten.push(format!("{what} `{id}`, number {number}"));
                }
            }
        }
        let mut rows = sqlx::query(DECIDED).bind(payer.as_str()).fetch(self.readers());
        while let Some(row) = rows.try_next().await? {
            rotten.extend(rotten_decision(payer, &row)?);
        }
        rotten.truncate(NAMED_MAX);
        Ok(rotten)
    }

    /// Of which orders and invoices of a payer rows are gone, or numbered otherwise: a few of them, by name.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn gone_purchasing(&self, payer: &AccountId) -> Result<Vec<String>, StoreError> {
        let mut gone = Vec::new();
        for (what, sql) in GONE {
            for row in sqlx::query(*sql).bind(payer.as_str()).fetch_all(self.readers()).await? {
                let id: String = sql::column(&row, 1)?;
                gone.push(format!("{what} `{id}`"));
            }
        }
        gone.truncate(NAMED_MAX);
        Ok(gone)
    }
}

/// The name of a decision that is not as it was written.
fn rotten_decision(payer: &AccountId, row: &AnyRow) -> Result<Option<String>, StoreError> {
    let text = |name: &str| sql::column::<String, _>(row, name);
    let some = |name: &str| sql::column::<Option<String>, _>(row, name);
    let (buyer, invoice, how, flags, trace) =
        (text("buyer")?, text("invoice")?, text("how")?, text("flags")?, text("trace")?);
    let (order, line, used) = (some("purchase_order")?, some("line")?, some("used")?);
    let decided = Decided {
        buyer: &buyer,
        invoice: &invoice,
        sequence: sql::column(row, "sequence")?,
        recorded_at_s: sql::column(row, "recorded_at_s")?,
        how: &how,
        order: order.as_deref(),
        line: line.as_deref(),
        order_revision: sql::column(row, "order_revision")?,
        used: used.as_deref(),
        flags: &flags,
        trace: &trace,
        invoice_revision: sql::column(row, "invoice_revision")?,
    };
    let hash = text("row_hash")?;
    let is_whole =
        if hash.starts_with(WHOLE) { hash == decided.hash(payer) } else { hash == decided.first_hash(payer) };
    Ok((!is_whole).then(|| format!("association of invoice `{invoice}`, number {}", decided.sequence)))
}

impl Write {
    /// Notes the hash of a revision of an order that was given other words, and that the payer's purchasing is not what it was.
    pub(crate) async fn rehash_order(&mut self, key: &[String]) -> Result<(), StoreError> {
        let [buyer, id, revision] = key else { return Ok(()) };
        let number: i64 = revision.parse().map_err(|_| StoreError::damaged(REVISIONS, revision.clone()))?;
        let payer = self.payer().clone();
        let sql = "SELECT body FROM purchase_order_revisions WHERE payer = $1 AND buyer = $2 AND id = $3 AND revision = $4";
        let query = sqlx::query_scalar(sql).bind(payer.as_str().to_owned()).bind(buyer.clone());
        let body: String = query.bind(id.clone()).bind(number).fetch_one(self.connection()).await?;
        let sql = "UPDATE purchase_order_revisions SET row_hash = $1 \
             WHERE payer = $2 AND buyer = $3 AND id = $4 AND revision = $5";
        let query = sqlx::query(sql).bind(row_hash(&payer, buyer, id, number, &body));
        let query = query.bind(payer.as_str().to_owned()).bind(buyer.clone()).bind(id.clone()).bind(number);
        query.execute(self.connection()).await?;
        let sql = "UPDATE purchasing_heads SET revision = revision + 1 WHERE payer = $1";
        sqlx::query(sql).bind(payer.as_str().to_owned()).execute(self.connection()).await?;
        Ok(())
    }
}
