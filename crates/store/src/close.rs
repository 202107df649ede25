//! Closed periods, and the adjustments that what came later has made.

use crate::database::Store;
use crate::error::StoreError;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use billing::money::{Amount, Currency};
use billing::period::BillingPeriod;
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Executor};

/// A period that is closed: which run it has, for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseRow {
    /// The period.
    pub period: BillingPeriod,
    /// Its run.
    pub run: String,
    /// The hash of the list of the run's files and their hashes.
    pub manifest_hash: String,
    /// When it was closed.
    pub closed_at_ms: i64,
    /// By whom.
    pub closed_by: String,
}

/// What a closed period would have been charged more, or less, charged in an open one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdjustmentRow {
    /// Unique among those of the payer.
    pub id: String,
    /// The closed period that it is about.
    pub period: BillingPeriod,
    /// The period whose bill has it.
    pub posted_in: BillingPeriod,
    /// The run that has found it.
    pub run: String,
    /// The billing group, by id; `None` is what no group has.
    pub billing_group: Option<String>,
    /// The currency.
    pub currency: Currency,
    /// How much.
    pub amount: Amount,
    /// How it comes about.
    pub detail: String,
    /// When it was posted.
    pub created_at_ms: i64,
}

impl Store {
    /// The closed periods of a payer, in order.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn closes(&self, payer: &AccountId) -> Result<Vec<CloseRow>, StoreError> {
        closes(self.readers(), payer).await
    }

    /// The adjustments that are about a closed period, in the order in which they were posted.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn adjustments_of(
        &self,
        payer: &AccountId,
        period: BillingPeriod,
    ) -> Result<Vec<AdjustmentRow>, StoreError> {
        adjustments(self.readers(), payer, PeriodColumn::About, period).await
    }

    /// The adjustments that a period's bill has, in the order in which they were posted.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn adjustments_in(
        &self,
        payer: &AccountId,
        posted_in: BillingPeriod,
    ) -> Result<Vec<AdjustmentRow>, StoreError> {
        adjustments(self.readers(), payer, PeriodColumn::PostedIn, posted_in).await
    }
}

async fn closes(
    on: impl Executor<'_, Database = Any>,
    payer: &AccountId,
) -> Result<Vec<CloseRow>, StoreError> {
    let sql = "SELECT period, run, manifest_hash, closed_at_ms, closed_by FROM closes WHERE payer = $1 ORDER BY period";
    sqlx::query(sql).bind(payer.as_str()).fetch_all(on).await?.iter().map(close_row).collect()
}

/// Which period of an adjustment is asked for.
#[derive(Clone, Copy)]
enum PeriodColumn {
    /// The one that it is about.
    About,
    /// The one whose bill has it.
    PostedIn,
}

async fn adjustments(
    on: impl Executor<'_, Database = Any>,
    payer: &AccountId,
    of: PeriodColumn,
    period: BillingPeriod,
) -> Result<Vec<AdjustmentRow>, StoreError> {
    let column = match of {
        PeriodColumn::About => "period",
        PeriodColumn::PostedIn => "posted_in",
    };
    let sql = format!(
        "SELECT id, period, posted_in, run, billing_group, currency, amount, detail, created_at_ms \
         FROM adjustments WHERE payer = $1 AND {column} = $2 ORDER BY created_at_ms, id"
    );
    // The text is made of literals only.
    let query = sqlx::query(AssertSqlSafe(sql)).bind(payer.as_str()).bind(period.to_string());
    query.fetch_all(on).await?.iter().map(adjustment_row).collect()
}

impl Write {
    /// The closed periods of the payer, by period, until the change ends.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn closes(&mut self) -> Result<Vec<CloseRow>, StoreError> {
        let payer = self.payer().clone();
        closes(self.connection(), &payer).await
    }

    /// The adjustments that are about a closed period of the payer, in the order in which they were posted, until the change ends.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn adjustments_of(&mut self, period: BillingPeriod) -> Result<Vec<AdjustmentRow>, StoreError> {
        let payer = self.payer().clone();
        adjustments(self.connection(), &payer, PeriodColumn::About, period).await
    }

    /// The adjustments that a period's bill has, in the order in which they were posted, until the change ends.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn adjustments_in(
        &mut self,
        posted_in: BillingPeriod,
    ) -> Result<Vec<AdjustmentRow>, StoreError> {
        let payer = self.payer().clone();
        adjustments(self.connection(), &payer, PeriodColumn::PostedIn, posted_in).await
    }

    /// Closes a period.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`]; [`StoreError::NotThere`] where the payer has no such run.
    pub async fn put_close(&mut self, row: CloseRow) -> Result<(), StoreError> {
        let values = vec![
            self.payer_value(),
            row.period.to_string().into(),
            row.run.into(),
            row.manifest_hash.into(),
            row.closed_at_ms.into(),
            row.closed_by.into(),
        ];
        let into = "INSERT INTO closes (payer, period, run, manifest_hash, closed_at_ms, closed_by)";
        self.put(into, values, "").await?;
        Ok(())
    }

    /// Posts adjustments of closed periods.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`]; [`StoreError::NotThere`] where a period is not closed, or the payer has no such run.
    pub async fn put_adjustments(&mut self, rows: Vec<AdjustmentRow>) -> Result<(), StoreError> {
        let payer = self.payer_value();
        let values = |row: AdjustmentRow| {
            vec![
                payer.clone(),
                row.id.into(),
                row.period.to_string().into(),
                row.posted_in.to_string().into(),
                row.run.into(),
                row.billing_group.into(),
                row.currency.as_str().into(),
                row.amount.to_string().into(),
                row.detail.into(),
                row.created_at_ms.into(),
            ]
        };
        let values = rows.into_iter().map(values).collect();
        let into = "INSERT INTO adjustments (payer, id, period, posted_in, run, billing_group, currency, amount, detail, \
             created_at_ms)";
        sql::with_rows(self.connection(), into, values, "").await?;
        Ok(())
    }
}

fn close_row(row: &AnyRow) -> Result<CloseRow, StoreError> {
    Ok(CloseRow {
        period: sql::period(row, "closes", "period")?,
        run: sql::column(row, "run")?,
        manifest_hash: sql::column(row, "manifest_hash")?,
        closed_at_ms: sql::column(row, "closed_at_ms")?,
        closed_by: sql::column(row, "closed_by")?,
    })
}

fn adjustment_row(row: &AnyRow) -> Result<AdjustmentRow, StoreError> {
    const TABLE: &str = "adjustments";
    let (currency, amount): (String, String) = (sql::column(row, "currency")?, sql::column(row, "amount")?);
    Ok(AdjustmentRow {
        id: sql::column(row, "id")?,
        period: sql::period(row, TABLE, "period")?,
        posted_in: sql::period(row, TABLE, "posted_in")?,
        run: sql::column(row, "run")?,
        billing_group: sql::column(row, "billing_group")?,
        currency: Currency::parse(&currency)
            .ok_or_else(|| StoreError::damaged(TABLE, format!("`currency` is `{currency}`")))?,
        amount: Amount::parse(&amount)
            .map_err(|error| StoreError::damaged(TABLE, format!("`amount` is `{amount}`: {error}")))?,
        detail: sql::column(row, "detail")?,
        created_at_ms: sql::column(row, "created_at_ms")?,
    })
}
