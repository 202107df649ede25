//! The schedules of invoices: after a close, drafts of a billing group appear by themselves, are checked, and go out at once or after somebody's approval.
//!
//! When something is due is said by `billing::invoice_schedule`. What was taken up is a row, so that each period is taken up once, by whichever server and
//! however long none was there. A server that dies in between leaves drafts, which the next one finds; issuing has a client token of the draft, so that it
//! is done once.

mod looking;
mod sending;
mod wording;

use crate::clock::{Clock, machine_milliseconds};
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error, refused};
use crate::notifications::{self, NotificationSettings};
use crate::outbox::{Audience, Channel, recipient_problem};
use billing::account::AccountId;
use billing::configuration::group_called;
use billing::invoice::preview::Warning;
use billing::invoice_schedule::{Policy, Schedule};
use billing::period::BillingPeriod;
use serde::{Deserialize, Serialize};
use store::ScheduleStepRow;

pub(crate) use wording::{INVOICE, number_in};

/// The kind of the setting.
const SETTING: &str = "invoice-schedule";
/// How many addresses a group's invoices go to at most.
pub const EMAILS_MAX: usize = 20;
/// How many days after a close is the most.
pub const DAYS_MAX: u32 = 90;

/// The schedule of a billing group, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    policy: String,
    days_after_close: u32,
    first: String,
    emails: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    accepted_warnings: Vec<String>,
}

/// The schedule of a billing group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSchedule {
    /// The group, by id.
    pub billing_group: String,
    /// What becomes of a closed period, and when.
    pub schedule: Schedule,
    /// To whom its invoices go.
    pub emails: Vec<String>,
    /// Warnings that stop no invoice of the group, by their words.
    pub accepted_warnings: Vec<String>,
    /// When it was said, in milliseconds since 1970-01-01T00:00:00Z.
    pub recorded_at_ms: i64,
}

/// What a schedule is to be. What is not said stays as the group's schedule has it.
#[derive(Debug, Clone)]
pub struct NewSchedule {
    /// The group, by ARN or id.
    pub billing_group: String,
    /// What becomes of a closed period; by hand is no schedule.
    pub policy: Policy,
    /// How many days after the close; of a group without a schedule 0.
    pub days_after_close: Option<u32>,
    /// The first period that it is for; of a group without a schedule the current one.
    pub first: Option<BillingPeriod>,
    /// To whom its invoices go; an empty list is nobody any more.
    pub emails: Option<Vec<String>>,
    /// Warnings that are to stop no invoice of the group, by their words; an empty list is none any more.
    pub accepted_warnings: Option<Vec<String>>,
}

impl GroupSchedule {
    fn of(row: &store::DeskSettingRow) -> Answer<Self> {
        let kept: Kept = serde_json::from_str(&row.body).map_err(Error::internal)?;
        let policy = Policy::parse(&kept.policy).ok_or_else(|| Error::internal(kept.policy.clone()))?;
        let first = BillingPeriod::parse(&kept.first).map_err(Error::internal)?;
        Ok(Self {
            billing_group: row.id.clone(),
            schedule: Schedule { policy, days_after_close: kept.days_after_close, first },
            emails: kept.emails,
            accepted_warnings: kept.accepted_warnings,
            recorded_at_ms: row.recorded_at_ms,
        })
    }

    /// Whether a warning leaves an invoice of the group to somebody.
    fn is_stopped_by(&self, warning: &Warning) -> bool {
        warning.stops() && !self.accepted_warnings.iter().any(|accepted| accepted == warning.code())
    }
}

impl NewSchedule {
    /// What is wrong with it: all of it.
    fn problems(&self) -> Vec<String> {
        let emails = self.emails.as_deref().unwrap_or_default();
        let mut problems: Vec<_> =
            emails.iter().filter_map(|to| recipient_problem(Channel::Email, to)).collect();
        if emails.len() > EMAILS_MAX {
            problems.push(format!("there are {} addresses; at most {EMAILS_MAX} are taken", emails.len()));
        }
        if let Some(days) = self.days_after_close.filter(|days| *days > DAYS_MAX) {
            problems.push(format!("{days} days after the close are more than {DAYS_MAX}"));
        }
        let is_unknown = |code: &&String| !Warning::STOPPING.contains(&code.as_str());
        let accepted = self.accepted_warnings.as_deref().unwrap_or_default();
        problems.extend(accepted.iter().filter(is_unknown).map(|code| {
            format!(
                "`{code}` is no warning that stops an invoice; those are {}",
                Warning::STOPPING.join(", ")
            )
        }));
        problems
    }

    /// What is kept of it: what it does not say as the schedule that there is has it, which the group's periods and customer are known to.
    fn kept(&self, before: Option<&GroupSchedule>, current: BillingPeriod) -> Kept {
        let first = self.first.or(before.map(|of| of.schedule.first)).unwrap_or(current);
        let days_after_close = self.days_after_close.or(before.map(|of| of.schedule.days_after_close));
        let list = |said: &Option<Vec<String>>, before: Option<&Vec<String>>| {
            said.as_ref().or(before).cloned().unwrap_or_default()
        };
        Kept {
            policy: self.policy.name().to_owned(),
            days_after_close: days_after_close.unwrap_or_default(),
            first: first.to_string(),
            emails: list(&self.emails, before.map(|of| &of.emails)),
            accepted_warnings: list(&self.accepted_warnings, before.map(|of| &of.accepted_warnings)),
        }
    }
}

/// To whom the invoices of a schedule go: the customer's addresses, and whom the payer has named.
fn audience(settings: &NotificationSettings, emails: &[String]) -> Audience {
    let mut audience = told(settings, INVOICE);
    audience.emails.extend(emails.iter().cloned());
    audience
}

/// Whom the payer has named, for a kind of news.
fn told(settings: &NotificationSettings, kind: &str) -> Audience {
    if settings.tells(kind) { settings.audience([]) } else { Audience::default() }
}

impl BackOffice {
    /// The schedules of a payer's groups, by group.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn invoice_schedules(&self, payer: &AccountId) -> Answer<Vec<GroupSchedule>> {
        let rows = self.0.store.desk_settings(payer, SETTING).await.map_err(Error::internal)?;
        rows.iter().map(GroupSchedule::of).collect()
    }

    /// How far the schedules of a payer's groups have come, by group and period.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn schedule_steps(&self, payer: &AccountId) -> Answer<Vec<ScheduleStepRow>> {
        self.0.store.schedule_steps(payer).await.map_err(Error::internal)
    }

    /// Says the schedule of a group, or what of it is to be other than it is; by hand takes it away.
    ///
    /// # Errors
    /// [`Error::Refused`] for a group that there is not, or what is wrong with it, all of it; and for invoices that would go out to nobody.
    pub async fn set_invoice_schedule(&self, request: &WriteRequest<'_>, new: &NewSchedule) -> Answer<()> {
        let payer = &request.caller.payer;
        let problems = new.problems();
        if !problems.is_empty() {
            return Err(refused(problems.join("; ")));
        }
        let current = Clock::period_of(request.caller.now);
        self.transaction(payer, |store, state| async move {
            let group = group_called(&state.configuration, &new.billing_group, None)
                .map_err(Error::from)?
                .to_string();
            let mut write = store.write(payer, &state.head).await?;
            let settings = NotificationSettings::of(&write.desk_settings(notifications::SETTING).await?)?;
            let rows = write.desk_settings(SETTING).await?;
            let before = rows.iter().find(|row| row.id == group).map(GroupSchedule::of).transpose()?;
            let kept = new.kept(before.as_ref(), current);
            if new.policy == Policy::Automatic && audience(&settings, &kept.emails).is_empty() {
                return Err(refused(format!(
                    "invoices of billing group `{}` would go out and nobody would be told; name an address with `--email` (`Emails`), or one for all \
                     of the payer's news with `proforma notify settings --email`",
                    new.billing_group
                ))
                .into());
            }
            let body = match new.policy {
                Policy::Manual => String::new(),
                _ => serde_json::to_string(&kept).map_err(Error::internal)?,
            };
            write.put_desk_setting((SETTING, &group), &body, machine_milliseconds()).await?;
            Ok((state.commit(write, [request.done(&group)]).await?, ()))
        })
        .await
    }
}
