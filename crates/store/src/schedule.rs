//! How far the schedules of invoices have come: what was taken up of which billing group's period, and what came of it.

use crate::database::Store;
use crate::error::StoreError;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use billing::period::BillingPeriod;
use sqlx::any::AnyRow;

const TABLE: &str = "schedule_steps";

/// How far a period's invoices are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScheduleStep {
    /// Drafts are there; somebody is to issue them.
    Drafted,
    /// They were issued, and sent.
    Issued,
    /// There was nothing to be invoiced.
    Skipped,
    /// Something refused it; it is tried again.
    Failed,
}

impl ScheduleStep {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Drafted, "drafted"),
        (Self::Issued, "issued"),
        (Self::Skipped, "skipped"),
        (Self::Failed, "failed"),
    ];

    /// The name in a column.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find_map(|(step, name)| (step == self).then_some(name)).unwrap_or_default()
    }
}

/// What became of a period of a billing group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleStepRow {
    /// The group, by id.
    pub billing_group: String,
    /// The period.
    pub period: BillingPeriod,
    /// How far it is.
    pub step: ScheduleStep,
    /// The numbers of invoices, or why there are none.
    pub detail: String,
    /// Since when, in milliseconds since 1970-01-01T00:00:00Z.
    pub at_ms: i64,
}

impl Store {
    /// How far the schedules of a payer's groups are, by group and period.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn schedule_steps(&self, payer: &AccountId) -> Result<Vec<ScheduleStepRow>, StoreError> {
        let sql = "SELECT billing_group, period, step, detail, at_ms FROM schedule_steps \
             WHERE payer = $1 ORDER BY billing_group, period";
        let query = sqlx::query(sql).bind(payer.as_str());
        query.fetch_all(self.readers()).await?.iter().map(step_row).collect()
    }
}

impl Write {
    /// How far a period of a group is, until the change ends.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn schedule_step(
        &mut self,
        billing_group: &str,
        period: BillingPeriod,
    ) -> Result<Option<ScheduleStepRow>, StoreError> {
        let sql = "SELECT billing_group, period, step, detail, at_ms FROM schedule_steps \
             WHERE payer = $1 AND billing_group = $2 AND period = $3";
        let query = sqlx::query(sql).bind(self.payer().as_str().to_owned());
        let query = query.bind(billing_group.to_owned()).bind(period.to_string());
        query.fetch_optional(self.connection()).await?.as_ref().map(step_row).transpose()
    }

    /// Notes how far a period of a group is, in place of what was noted before.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn put_schedule_step(&mut self, row: &ScheduleStepRow) -> Result<(), StoreError> {
        let values = vec![
            self.payer_value(),
            row.billing_group.as_str().into(),
            row.period.to_string().into(),
            row.step.name().into(),
            row.detail.as_str().into(),
            row.at_ms.into(),
        ];
        let into = "INSERT INTO schedule_steps (payer, billing_group, period, step, detail, at_ms)";
        let instead = " ON CONFLICT (payer, billing_group, period) \
             DO UPDATE SET step = excluded.step, detail = excluded.detail, at_ms = excluded.at_ms";
        self.put(into, values, instead).await?;
        Ok(())
    }
}

fn step_row(row: &AnyRow) -> Result<ScheduleStepRow, StoreError> {
    let name: String = sql::column(row, "step")?;
    let step = ScheduleStep::ALL.into_iter().find_map(|(step, of)| (of == name).then_some(step));
    Ok(ScheduleStepRow {
        billing_group: sql::column(row, "billing_group")?,
        period: sql::period(row, TABLE, "period")?,
        step: step.ok_or_else(|| StoreError::damaged(TABLE, format!("`step` is `{name}`")))?,
        detail: sql::column(row, "detail")?,
        at_ms: sql::column(row, "at_ms")?,
    })
}
