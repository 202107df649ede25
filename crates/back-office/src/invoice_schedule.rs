//! The schedules of invoices: after a close, drafts of a billing group appear by themselves, are checked, and go out at once or after somebody's approval.
//!
//! When something is due is said by `billing::invoice_schedule`. What was taken up is a row, so that each period is taken up once, by whichever server and
//! however long none was there. A server that dies in between leaves drafts, which the next one finds; issuing has a client token of the draft, so that it
//! is done once.

use crate::authorization::Caller;
use crate::clock::machine_milliseconds;
use crate::desk::{BackOffice, WriteRequest};
use crate::document_format::DocumentFormat;
use crate::error::{Answer, Error, refused};
use crate::invoices::{DraftOptions, DraftState, InvoiceDraftRow, InvoiceView, NewDraft};
use crate::notifications::{self, NotificationSettings};
use crate::outbox::{
    self, ATTACHMENT_BYTES_MAX, Attachment, Audience, Channel, Letter, News, recipient_problem,
};
use billing::account::AccountId;
use billing::configuration::group_called;
use billing::invoice_schedule::{Closed, Policy, Schedule, due};
use billing::period::BillingPeriod;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use store::{ScheduleStep, ScheduleStepRow};

/// The kind of the setting.
const SETTING: &str = "invoice-schedule";
/// How many addresses a group's invoices go to at most.
pub const EMAILS_MAX: usize = 20;
/// How many days after a close is the most.
pub const DAYS_MAX: u32 = 90;
/// How long what was refused rests.
const AGAIN_AFTER_MS: i64 = 86_400_000;

/// The schedule of a billing group, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    policy: String,
    days_after_close: u32,
    first: String,
    emails: Vec<String>,
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
}

/// What a schedule is to be.
#[derive(Debug, Clone)]
pub struct NewSchedule {
    /// The group, by ARN or id.
    pub billing_group: String,
    /// What becomes of a closed period; by hand is no schedule.
    pub policy: Policy,
    /// How many days after the close.
    pub days_after_close: u32,
    /// The first period that it is for; `None` is the current one.
    pub first: Option<BillingPeriod>,
    /// To whom its invoices go.
    pub emails: Vec<String>,
}

impl GroupSchedule {
    fn of(row: &store::DeskSettingRow) -> Answer<Self> {
        let kept: Kept = serde_json::from_str(&row.body).map_err(Error::internal)?;
        let policy = Policy::parse(&kept.policy).ok_or_else(|| Error::internal(kept.policy.clone()))?;
        let first = BillingPeriod::parse(&kept.first).map_err(Error::internal)?;
        let schedule = Schedule { policy, days_after_close: kept.days_after_close, first };
        Ok(Self { billing_group: row.id.clone(), schedule, emails: kept.emails })
    }
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

    /// Says the schedule of a group; by hand takes it away.
    ///
    /// # Errors
    /// [`Error::Refused`] for a group that there is not, or what is wrong with it, all of it.
    pub async fn set_invoice_schedule(&self, request: &WriteRequest<'_>, new: &NewSchedule) -> Answer<()> {
        let payer = &request.caller.payer;
        let mut problems: Vec<_> =
            new.emails.iter().filter_map(|to| recipient_problem(Channel::Email, to)).collect();
        if new.emails.len() > EMAILS_MAX {
            problems
                .push(format!("there are {} addresses; at most {EMAILS_MAX} are taken", new.emails.len()));
        }
        if new.days_after_close > DAYS_MAX {
            problems.push(format!("{} days after the close are more than {DAYS_MAX}", new.days_after_close));
        }
        if !problems.is_empty() {
            return Err(refused(problems.join("; ")));
        }
        let first = new.first.unwrap_or_else(|| crate::clock::Clock::period_of(request.caller.now));
        let kept = Kept {
            policy: new.policy.name().to_owned(),
            days_after_close: new.days_after_close,
            first: first.to_string(),
            emails: new.emails.clone(),
        };
        let body = match new.policy {
            Policy::Manual => String::new(),
            _ => serde_json::to_string(&kept).map_err(Error::internal)?,
        };
        let body = &body;
        self.transaction(payer, |store, state| async move {
            let group = group_called(&state.configuration, &new.billing_group, None)
                .map_err(Error::from)?
                .to_string();
            let mut write = store.write(payer, &state.head).await?;
            write.put_desk_setting((SETTING, &group), body, machine_milliseconds()).await?;
            Ok((state.commit(write, [request.done(&group)]).await?, ()))
        })
        .await
    }

    /// Takes up what is due by the schedules of every payer. What is wrong with one payer is in the way of no other.
    ///
    /// # Errors
    /// [`Error::Internal`] of the last payer whose schedules could not be looked at.
    pub async fn run_schedules(&self) -> Answer<()> {
        let mut ran = Ok(());
        for payer in self.0.store.payers().await.map_err(Error::internal)? {
            if let Err(error) = self.run_schedules_of(&payer.payer).await {
                tracing::warn!(payer = %payer.payer, ?error, "the schedules of a payer could not be looked at");
                ran = Err(error);
            }
        }
        ran
    }

    async fn run_schedules_of(&self, payer: &AccountId) -> Answer<()> {
        let schedules = self.invoice_schedules(payer).await?;
        if schedules.is_empty() {
            return Ok(());
        }
        let closes = self.0.store.closes(payer).await.map_err(Error::internal)?;
        let closed: Vec<Closed> =
            closes.iter().map(|close| (close.period, close.closed_at_ms / 1_000)).collect();
        let steps = self.schedule_steps(payer).await?;
        let now_ms = machine_milliseconds();
        for of in &schedules {
            let own = || steps.iter().filter(|step| step.billing_group == of.billing_group);
            // What was refused is due again a day later.
            let rests = |step: &&ScheduleStepRow| {
                step.step != ScheduleStep::Failed || now_ms < step.at_ms.saturating_add(AGAIN_AFTER_MS)
            };
            let taken_up: BTreeSet<_> = own().filter(rests).map(|step| step.period).collect();
            // Closes are stamped by the machine's clock.
            for period in due(&of.schedule, &closed, &taken_up, now_ms / 1_000) {
                self.take_up(payer, of, period).await?;
            }
            for step in own().filter(|step| step.step == ScheduleStep::Drafted) {
                self.send_approved(payer, of, step.period).await?;
            }
        }
        Ok(())
    }

    /// Takes a period of a group up: drafts, checks, and where nothing is to be asked, issues.
    async fn take_up(&self, payer: &AccountId, of: &GroupSchedule, period: BillingPeriod) -> Answer<()> {
        let caller = self.schedule_caller(payer);
        match self.drafted(&caller, of, period).await {
            Ok(drafts) if drafts.is_empty() => {
                self.note_step(
                    payer,
                    of,
                    period,
                    (ScheduleStep::Skipped, "there is nothing to be invoiced"),
                    &[],
                )
                .await
            }
            Ok(drafts) => self.checked(&caller, of, period, &drafts).await,
            Err(error) => self.note_failed(payer, of, period, error).await,
        }
    }

    /// The drafts of a period of a group: those that are there, or new ones.
    async fn drafted(
        &self,
        caller: &Caller,
        of: &GroupSchedule,
        period: BillingPeriod,
    ) -> Answer<Vec<InvoiceDraftRow>> {
        let there = self.drafts_of(&caller.payer, of, period).await?;
        if !there.is_empty() {
            return Ok(there);
        }
        let new =
            NewDraft { billing_group: of.billing_group.clone(), period, options: DraftOptions::default() };
        let input = format!("{} {period}", of.billing_group);
        self.draft_invoice(&request(caller, "proforma:DraftInvoice", None, &input), &new).await?;
        self.drafts_of(&caller.payer, of, period).await
    }

    async fn drafts_of(
        &self,
        payer: &AccountId,
        of: &GroupSchedule,
        period: BillingPeriod,
    ) -> Answer<Vec<InvoiceDraftRow>> {
        let drafts = self.invoice_drafts(payer).await?;
        let is_of = |draft: &InvoiceDraftRow| {
            draft.billing_group == of.billing_group
                && draft.period == period
                && draft.state != DraftState::Discarded
        };
        Ok(drafts.into_iter().filter(is_of).collect())
    }

    /// Checks drafts, and issues them where that is the policy and nothing is to be asked.
    async fn checked(
        &self,
        caller: &Caller,
        of: &GroupSchedule,
        period: BillingPeriod,
        drafts: &[InvoiceDraftRow],
    ) -> Answer<()> {
        let payer = &caller.payer;
        let mut warnings = Vec::new();
        for draft in drafts.iter().filter(|draft| draft.state == DraftState::Open) {
            let asked = request(caller, "proforma:PreviewInvoice", None, &draft.id);
            match self.preview_invoice(&asked, &draft.id, None).await {
                Ok(preview) => warnings.extend(preview.warnings.iter().map(ToString::to_string)),
                Err(error) => return self.note_failed(payer, of, period, error).await,
            }
        }
        if of.schedule.policy != Policy::Automatic || !warnings.is_empty() {
            let ids: Vec<_> = drafts.iter().map(|draft| draft.id.as_str()).collect();
            let news = waiting(of, period, &ids, &warnings);
            return self
                .note_step(payer, of, period, (ScheduleStep::Drafted, &ids.join(" ")), &[(news, false)])
                .await;
        }
        for draft in drafts.iter().filter(|draft| draft.state == DraftState::Open) {
            let token = format!("schedule-{}", draft.id);
            let asked = request(caller, "proforma:IssueInvoice", Some(&token), &draft.id);
            if let Err(error) = self.issue_invoice(&asked, &draft.id, None).await {
                return self.note_failed(payer, of, period, error).await;
            }
        }
        self.send_approved(payer, of, period).await
    }

    /// Sends the invoices of a period, once all of its drafts were issued.
    async fn send_approved(
        &self,
        payer: &AccountId,
        of: &GroupSchedule,
        period: BillingPeriod,
    ) -> Answer<()> {
        let drafts = self.drafts_of(payer, of, period).await?;
        let numbers = drafts.iter().map(|draft| match &draft.state {
            DraftState::Issued(number) => Some(number.clone()),
            _ => None,
        });
        let Some(numbers) = numbers.collect::<Option<Vec<_>>>() else { return Ok(()) };
        if numbers.is_empty() {
            let none = (ScheduleStep::Skipped, "its drafts were discarded");
            return self.note_step(payer, of, period, none, &[]).await;
        }
        let caller = self.schedule_caller(payer);
        let mut news = Vec::new();
        for number in &numbers {
            let view = self.invoice(&caller, number).await?;
            let files = match self.0.options.renderer {
                Some(_) => match self.invoice_document(&caller, number, DocumentFormat::Pdf).await {
                    // So large a file no mail server takes; the mail says that the invoice is there.
                    Ok(document) if document.bytes.len() > ATTACHMENT_BYTES_MAX => Vec::new(),
                    Ok(document) => vec![document.into()],
                    Err(error) => return self.note_failed(payer, of, period, error).await,
                },
                None => Vec::new(),
            };
            news.push((issued(of, &view, files), true));
        }
        self.note_step(payer, of, period, (ScheduleStep::Issued, &numbers.join(" ")), &news).await
    }

    async fn note_failed(
        &self,
        payer: &AccountId,
        of: &GroupSchedule,
        period: BillingPeriod,
        error: Error,
    ) -> Answer<()> {
        let why = match error {
            Error::Refused(refusal) => refusal.to_string(),
            Error::Declined(declined) => declined.message(),
            // The database is away, say: it is looked at again in a minute.
            other => return Err(other),
        };
        let news = failed(of, period, &why);
        self.note_step(payer, of, period, (ScheduleStep::Failed, &why), &[(news, false)]).await
    }

    /// Notes how far a period is, and queues what is told of it, in one transaction. What is for the customer goes to the customer's addresses too.
    async fn note_step(
        &self,
        payer: &AccountId,
        of: &GroupSchedule,
        period: BillingPeriod,
        (step, detail): (ScheduleStep, &str),
        news: &[(News, bool)],
    ) -> Answer<()> {
        let row = &ScheduleStepRow {
            billing_group: of.billing_group.clone(),
            period,
            step,
            detail: detail.to_owned(),
            at_ms: machine_milliseconds(),
        };
        tracing::info!(%payer, %period, billing_group = of.billing_group, step = step.name(), "a schedule was taken up");
        self.transaction(payer, |store, state| async move {
            let mut write = store.write(payer, &state.head).await?;
            write.put_schedule_step(row).await?;
            let settings = NotificationSettings::of(&write.desk_settings(notifications::SETTING).await?)?;
            for (news, is_for_customer) in news {
                let mut audience = match settings.tells(&news.kind) {
                    true => settings.audience([]),
                    false => Audience::default(),
                };
                if *is_for_customer {
                    audience.emails.extend(of.emails.iter().cloned());
                }
                outbox::queue(&mut write, news, &audience).await?;
            }
            Ok((state.commit(write, []).await?, ()))
        })
        .await?;
        self.0.outgoing.notify_waiters();
        Ok(())
    }

    fn schedule_caller(&self, payer: &AccountId) -> Caller {
        Caller { principal: "proforma".to_owned(), ..self.operator(payer, String::new()) }
    }
}

fn request<'a>(
    caller: &'a Caller,
    action: &'a str,
    token: Option<&'a str>,
    input: &'a str,
) -> WriteRequest<'a> {
    WriteRequest { caller, action, token, input, resource: "", period: None }
}

fn key(of: &GroupSchedule, period: BillingPeriod, what: &str) -> String {
    format!("schedule:{}:{period}:{what}", of.billing_group)
}

fn facts(of: &GroupSchedule, period: BillingPeriod) -> Vec<(String, String)> {
    vec![
        ("Billing group".to_owned(), of.billing_group.clone()),
        ("Billing period".to_owned(), period.to_string()),
    ]
}

fn waiting(of: &GroupSchedule, period: BillingPeriod, ids: &[&str], warnings: &[String]) -> News {
    let mut paragraphs = vec![format!(
        "Drafts of the invoices of {period} are there: {}. Look at them with `proforma invoice preview`, and issue them with `proforma invoice issue`; they are sent then.",
        ids.join(", ")
    )];
    paragraphs.extend(warnings.iter().map(|warning| format!("Warning: {warning}.")));
    News {
        key: key(of, period, "waiting"),
        kind: "invoice-draft".to_owned(),
        letter: Letter {
            title: format!("Invoices of {period} wait for approval"),
            paragraphs,
            facts: facts(of, period),
        },
        attachments: Vec::new(),
    }
}

fn failed(of: &GroupSchedule, period: BillingPeriod, why: &str) -> News {
    News {
        key: key(of, period, &format!("failed:{}", crate::hash::sha256(why).get(..16).unwrap_or_default())),
        kind: "schedule".to_owned(),
        letter: Letter {
            title: format!("Invoices of {period} could not go on"),
            paragraphs: vec![
                format!("{why}."),
                "It is tried again in a day; `proforma invoice draft` tries it now.".to_owned(),
            ],
            facts: facts(of, period),
        },
        attachments: Vec::new(),
    }
}

fn issued(of: &GroupSchedule, view: &InvoiceView, attachments: Vec<Attachment>) -> News {
    let document = &view.document;
    let number = &document.number;
    let mut sentence = format!("Invoice {number} of {} is issued", document.seller.legal_name);
    if !attachments.is_empty() {
        sentence.push_str(", and is attached");
    }
    let mut facts = vec![
        ("Invoice".to_owned(), number.clone()),
        ("Billing period".to_owned(), view.row.period.to_string()),
        ("Total".to_owned(), format!("{} {}", document.totals.due, document.currency)),
    ];
    facts.extend(document.due.map(|due| ("Due".to_owned(), due.to_string())));
    facts.extend(document.purchase_order.iter().map(|order| ("Purchase order".to_owned(), order.clone())));
    News {
        key: key(of, view.row.period, &format!("issued:{number}")),
        kind: "invoice".to_owned(),
        letter: Letter {
            title: format!("Invoice {number}"),
            paragraphs: vec![format!("{sentence}.")],
            facts,
        },
        attachments,
    }
}
