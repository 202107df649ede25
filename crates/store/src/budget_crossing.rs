//! When thresholds of budgets were crossed: what was noted of a notification in a period, change after change. Nothing is overwritten.

use crate::database::Store;
use crate::error::StoreError;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use billing::budget::State;
use sqlx::any::AnyRow;
use sqlx::{Any, Executor};

const TABLE: &str = "budget_crossings";
/// What was noted last of each notification and period.
const LATEST: &str = "SELECT budget, notification, period, sequence, state, amount, at_ms FROM budget_crossings latest WHERE payer = $1 \
     AND NOT EXISTS (SELECT 1 FROM budget_crossings later WHERE later.payer = latest.payer AND later.budget = latest.budget \
     AND later.notification = latest.notification AND later.period = latest.period AND later.sequence > latest.sequence) \
     ORDER BY budget, notification, period";

/// That a notification's state has changed within a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetCrossingRow {
    /// The budget, by id.
    pub budget: String,
    /// The notification, by what it says.
    pub notification: String,
    /// The first day of the period, as `YYYY-MM-DD`.
    pub period: String,
    /// From 1 on, within the period.
    pub sequence: u64,
    /// What it is since then.
    pub state: State,
    /// The amount that has done it.
    pub amount: String,
    /// When it was noted, in milliseconds since 1970-01-01T00:00:00Z.
    pub at_ms: i64,
}

impl Store {
    /// What was noted last of each notification and period of a payer's budgets.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn budget_crossings(&self, payer: &AccountId) -> Result<Vec<BudgetCrossingRow>, StoreError> {
        latest(self.readers(), payer).await
    }
}

impl Write {
    /// What was noted last of each notification and period of the payer's budgets, until the change ends.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn budget_crossings(&mut self) -> Result<Vec<BudgetCrossingRow>, StoreError> {
        let payer = self.payer().clone();
        latest(self.connection(), &payer).await
    }

    /// Notes a change of a notification's state.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`] where another one has its sequence.
    pub async fn put_budget_crossing(&mut self, row: BudgetCrossingRow) -> Result<(), StoreError> {
        let values = vec![
            self.payer_value(),
            row.budget.into(),
            row.notification.into(),
            row.period.into(),
            sql::whole(row.sequence)?.into(),
            row.state.name().into(),
            row.amount.into(),
            row.at_ms.into(),
        ];
        let into = "INSERT INTO budget_crossings (payer, budget, notification, period, sequence, state, amount, at_ms)";
        self.put(into, values, "").await?;
        Ok(())
    }
}

async fn latest(
    on: impl Executor<'_, Database = Any>,
    payer: &AccountId,
) -> Result<Vec<BudgetCrossingRow>, StoreError> {
    let rows = sqlx::query(LATEST).bind(payer.as_str().to_owned()).fetch_all(on).await?;
    rows.iter().map(crossing_row).collect()
}

fn crossing_row(row: &AnyRow) -> Result<BudgetCrossingRow, StoreError> {
    let state: String = sql::column(row, "state")?;
    Ok(BudgetCrossingRow {
        budget: sql::column(row, "budget")?,
        notification: sql::column(row, "notification")?,
        period: sql::column(row, "period")?,
        sequence: sql::count(row, TABLE, "sequence")?,
        state: State::parse(&state)
            .ok_or_else(|| StoreError::damaged(TABLE, format!("`state` is `{state}`")))?,
        amount: sql::column(row, "amount")?,
        at_ms: sql::column(row, "at_ms")?,
    })
}
