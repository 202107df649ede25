//! Saved reports: a question about costs with a name, answered as a table whenever somebody asks, or sent by itself.
//!
//! A report is a setting of the desk; each change is kept. It belongs to a [`Holder`](crate::holder::Holder), out of whose view of the costs it is answered.

mod making;
mod sending;

pub use making::{MadeReport, ReportFormat};

use crate::authorization::Caller;
use crate::clock::machine_milliseconds;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Declined, Error};
use crate::holder::Holder;
use crate::kept_filter::KeptFilter;
use crate::outbox::{Channel, plain, recipient_problem};
use crate::transaction::Attempt;
use crate::vault::new_resource_id;
use billing::account::AccountId;
use billing::invoice::Date;
use billing::saved_report::{Schedule, TimeRange, columns};
use query::dimension::{Dimension, Key};
use query::facts::Metric;
use query::question::Granularity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use store::{DeskSettingRow, Write};

/// The kind of the setting.
pub(crate) const SETTING: &str = "saved-report";
/// How many reports a holder has at most.
pub const REPORTS_MAX: usize = 500;
/// How many addresses a report goes to at most.
pub const EMAILS_MAX: usize = 20;
/// How long a name may be, in characters.
const NAME_MAX: usize = 100;

/// A report as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptReport {
    /// Its name, unique among those of its holder.
    pub name: String,
    /// Whose it is.
    pub holder: Holder,
    /// What its holder says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The ARN of the billing view; `None` is the holder's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
    /// Which lines; all of them where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<KeptFilter>,
    /// What they are told apart by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group_by: Vec<KeptKey>,
    /// `DAILY` or `MONTHLY`.
    pub granularity: String,
    /// What is summed, by name.
    pub metrics: Vec<String>,
    /// Which columns, in which order; all of them where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Whether there are bars.
    #[serde(default)]
    pub has_chart: bool,
    /// For which days.
    pub time_range: String,
    /// When it goes out by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// To whom.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<String>,
    /// As which files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formats: Vec<ReportFormat>,
    /// Since when it has its schedule: the day at the desk's clock, and milliseconds at the machine's.
    pub scheduled_since: (i32, i64),
    /// When it was made, in seconds since 1970-01-01T00:00:00Z at the desk's clock.
    pub created_at_s: i64,
    /// When it was changed last.
    pub updated_at_s: i64,
}

/// What lines are told apart by, as Cost Explorer says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct KeptKey {
    /// `DIMENSION`, `TAG` or `COST_CATEGORY`.
    pub r#type: String,
    /// Which one.
    pub key: String,
}

impl KeptKey {
    /// A key, to be kept.
    #[must_use]
    pub fn of(key: &Key) -> Self {
        let (r#type, key) = match key {
            Key::Dimension(dimension) => ("DIMENSION", dimension.name()),
            Key::Tag(key) => ("TAG", key.as_str()),
            Key::CostCategory(name) => ("COST_CATEGORY", name.as_str()),
        };
        Self { r#type: r#type.to_owned(), key: key.to_owned() }
    }

    pub(crate) fn key(&self) -> Answer<Key> {
        let damaged = || Error::internal(format!("a report's key: {self:?}"));
        Ok(match self.r#type.as_str() {
            "DIMENSION" => Key::Dimension(Dimension::parse(&self.key).ok_or_else(damaged)?),
            "TAG" => Key::Tag(self.key.clone()),
            "COST_CATEGORY" => Key::CostCategory(self.key.clone()),
            _ => return Err(damaged()),
        })
    }
}

impl KeptReport {
    fn granularity(&self) -> Answer<Granularity> {
        match self.granularity.as_str() {
            "DAILY" => Ok(Granularity::Daily),
            "MONTHLY" => Ok(Granularity::Monthly),
            other => Err(invalid(format!("Granularity: `{other}` is not kept; ask for DAILY or MONTHLY"))),
        }
    }

    fn time_range(&self) -> Answer<TimeRange> {
        TimeRange::parse(&self.time_range).map_err(|error| invalid(format!("TimeRange: {error}")))
    }

    fn schedule(&self) -> Answer<Option<Schedule>> {
        let Some(text) = &self.schedule else { return Ok(None) };
        let schedule = Schedule::parse(text).ok_or_else(|| {
            invalid(format!(
                "Schedule: `{text}` is none; a report goes out on a day of the month (DAY_1 to DAY_31), of the week (MONDAY to SUNDAY), or AFTER_CLOSE"
            ))
        })?;
        Ok(Some(schedule))
    }

    fn metrics(&self) -> Answer<Vec<Metric>> {
        let metric = |name: &String| Metric::parse(name).ok_or_else(|| Error::internal(name.clone()));
        self.metrics.iter().map(metric).collect()
    }

    /// The columns that are wanted.
    fn columns(&self) -> Answer<Vec<billing::saved_report::Column>> {
        let keys: Vec<String> = self.group_by.iter().map(|of| of.key.clone()).collect();
        let metrics: Vec<&str> = self.metrics.iter().map(String::as_str).collect();
        let all = columns(&keys, &metrics);
        if self.columns.is_empty() {
            return Ok(all);
        }
        let mut wanted = Vec::with_capacity(self.columns.len());
        for name in &self.columns {
            let column = all.iter().find(|column| column.name == *name).ok_or_else(|| {
                let known: Vec<&str> = all.iter().map(|column| column.name.as_str()).collect();
                invalid(format!(
                    "Columns: the report has no column `{}`; it has {}",
                    plain(name),
                    known.join(", ")
                ))
            })?;
            if wanted.contains(column) {
                return Err(invalid(format!("Columns: `{}` stands there twice", plain(name))));
            }
            wanted.push(column.clone());
        }
        Ok(wanted)
    }

    /// A tag may be called like a dimension, or like what every report has: of two columns of one name, programs would read one.
    fn check_names_of_columns(&self) -> Answer<()> {
        let keys: Vec<String> = self.group_by.iter().map(|of| of.key.clone()).collect();
        let metrics: Vec<&str> = self.metrics.iter().map(String::as_str).collect();
        let mut names = BTreeSet::new();
        match columns(&keys, &metrics).into_iter().find(|column| !names.insert(column.name.clone())) {
            None => Ok(()),
            Some(column) => Err(invalid(format!(
                "GroupBy: two columns of the report would be called `{}`; group by one of them alone",
                plain(&column.name)
            ))),
        }
    }

    /// Holds a report to what can be answered and sent: all that its own words say.
    fn check(&self) -> Answer<()> {
        let count = self.name.chars().count();
        if count == 0 || count > NAME_MAX || plain(&self.name) != self.name {
            return Err(invalid(format!(
                "Name: `{}` is no name of a report; it takes 1 to {NAME_MAX} characters in a line, none of them a blank at either end",
                plain(&self.name)
            )));
        }
        self.granularity()?;
        self.time_range()?;
        self.columns()?;
        self.check_names_of_columns()?;
        let problems: Vec<String> =
            self.emails.iter().filter_map(|to| recipient_problem(Channel::Email, to)).collect();
        if !problems.is_empty() {
            return Err(invalid(format!("Emails: {}", problems.join("; "))));
        }
        if self.emails.len() > EMAILS_MAX {
            let count = self.emails.len();
            return Err(invalid(format!(
                "Emails: there are {count} addresses; at most {EMAILS_MAX} are taken"
            )));
        }
        match (self.schedule()?, self.emails.is_empty()) {
            (Some(_), true) => Err(invalid(format!(
                "Schedule: report `{}` would go out to nobody; give it Emails, or leave Schedule out",
                self.name
            ))),
            (None, false) => Err(invalid(format!(
                "Emails: report `{}` would never go out; give it a Schedule, or leave Emails out",
                self.name
            ))),
            _ => Ok(()),
        }
    }
}

/// A report, and what it is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRow {
    /// Its id: another report of the same name has another one.
    pub id: String,
    /// What it is.
    pub report: KeptReport,
}

impl ReportRow {
    fn of(row: &DeskSettingRow) -> Answer<Self> {
        let report = serde_json::from_str(&row.body).map_err(Error::internal)?;
        Ok(Self { id: row.id.clone(), report })
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Declined::invalid(message).into()
}

/// There is no such report, or none of the caller's.
fn not_found(name: &str) -> Error {
    invalid(format!("there is no saved report `{}`; `proforma saved-report list` names them", plain(name)))
}

/// Those of a holder, by name.
fn of_holder(mut rows: Vec<ReportRow>, holder: &Holder) -> Vec<ReportRow> {
    rows.retain(|row| row.report.holder == *holder);
    rows.sort_by(|one, other| one.report.name.cmp(&other.report.name));
    rows
}

async fn own_reports(write: &mut Write, holder: &Holder) -> Result<Vec<ReportRow>, Attempt> {
    let rows = write.desk_settings(SETTING).await?;
    Ok(of_holder(rows.iter().map(ReportRow::of).collect::<Answer<_>>()?, holder))
}

impl BackOffice {
    /// The caller's reports, by name.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn saved_reports(&self, caller: &Caller) -> Answer<Vec<ReportRow>> {
        Ok(of_holder(self.saved_reports_of(&caller.payer).await?, &Holder::of(caller)))
    }

    /// Every report of a payer, whoever keeps it.
    pub(crate) async fn saved_reports_of(&self, payer: &AccountId) -> Answer<Vec<ReportRow>> {
        let rows = self.0.store.desk_settings(payer, SETTING).await.map_err(Error::internal)?;
        rows.iter().map(ReportRow::of).collect()
    }

    /// A report of the caller's.
    ///
    /// # Errors
    /// [`Declined::Invalid`] where the caller has none of the name.
    pub async fn saved_report(&self, caller: &Caller, name: &str) -> Answer<ReportRow> {
        let found = self.saved_reports(caller).await?.into_iter().find(|row| row.report.name == name);
        found.ok_or_else(|| not_found(name))
    }

    /// Saves a report, in place of the caller's of the same name.
    ///
    /// # Errors
    /// [`Declined`] with what is wrong with it; [`Error::Denied`] for a billing view that the caller does not see.
    pub async fn put_saved_report(&self, request: &WriteRequest<'_>, new: &KeptReport) -> Answer<()> {
        new.check()?;
        self.billing_view(request.caller, new.view.as_deref()).await?;
        let now = request.caller.now;
        self.once(request, |mut write, _| async move {
            let own = own_reports(&mut write, &new.holder).await?;
            let before = own.iter().find(|row| row.report.name == new.name);
            if before.is_none() && own.len() >= REPORTS_MAX {
                let message =
                    format!("there are {} saved reports, which is the most; delete some first", own.len());
                return Err(Error::from(Declined::invalid(message)).into());
            }
            let id = match before {
                Some(row) => row.id.clone(),
                None => new_resource_id().map_err(Error::internal)?,
            };
            let now_ms = machine_milliseconds();
            let mut report = new.clone();
            report.scheduled_since = match before.filter(|row| row.report.schedule == new.schedule) {
                Some(row) => row.report.scheduled_since,
                None => (Date::of_seconds(now).days(), now_ms),
            };
            report.created_at_s = before.map_or(now, |row| row.report.created_at_s);
            report.updated_at_s = now;
            let body = serde_json::to_string(&report).map_err(Error::internal)?;
            write.put_desk_setting((SETTING, &id), &body, now_ms).await?;
            Ok((write, ()))
        })
        .await
    }

    /// Deletes a report of the caller's.
    ///
    /// # Errors
    /// [`Declined::Invalid`] where the caller has none of the name.
    pub async fn delete_saved_report(&self, request: &WriteRequest<'_>, name: &str) -> Answer<()> {
        let holder = &Holder::of(request.caller);
        self.once(request, |mut write, _| async move {
            let own = own_reports(&mut write, holder).await?;
            let row = own.into_iter().find(|row| row.report.name == name).ok_or_else(|| not_found(name))?;
            write.put_desk_setting((SETTING, &row.id), "", machine_milliseconds()).await?;
            Ok((write, ()))
        })
        .await
    }
}
