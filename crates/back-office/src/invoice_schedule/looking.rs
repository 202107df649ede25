//! The look at the schedules, every minute: what is due is taken up, and what somebody has issued of a period is sent, however its step came about.
//!
//! Several servers may look at once. Whatever one of them decides, it decides of the step that it has seen: [`BackOffice::note_step`] keeps nothing where
//! another was quicker. What is refused because another was quicker is looked at once more, as it stands then.

use super::sending::Sent;
use super::wording::{failed, waiting};
use super::{GroupSchedule, audience, told};
use crate::authorization::Caller;
use crate::clock::machine_milliseconds;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error, refused};
use crate::invoices::{DraftOptions, DraftState, InvoiceDraftRow, InvoiceView, NewDraft};
use crate::notifications::{self, NotificationSettings};
use crate::outbox::{self, News};
use billing::account::AccountId;
use billing::configuration::Refusal;
use billing::invoice_schedule::{Closed, Policy, due};
use billing::period::BillingPeriod;
use std::collections::BTreeSet;
use store::{ScheduleStep, ScheduleStepRow};

/// How long what was refused rests.
const AGAIN_AFTER_MS: i64 = 86_400_000;
/// How often a period is looked at once more because another server is at it.
const TRIES_MAX: usize = 4;
/// What stands in the detail of a step before the numbers of what was sent while the step itself goes on.
const SENT: &str = "; issued and sent: ";

/// What of a period of a group is drafted and not given up, and issued and not taken back.
#[derive(Debug, Default)]
struct Standing {
    open: Vec<InvoiceDraftRow>,
    issued: Vec<InvoiceView>,
}

/// What a period of a group has come to, and what is to be told of it.
#[derive(Clone)]
pub(super) struct Outcome {
    pub step: ScheduleStep,
    /// The numbers of invoices or drafts, or why there are none; of a step that goes on, behind [`SENT`] the numbers of what was sent meanwhile.
    pub detail: String,
    /// What is told, and whether the customer is told, too.
    pub news: Vec<(News, bool)>,
}

impl Outcome {
    fn skipped(why: &str) -> Self {
        Self { step: ScheduleStep::Skipped, detail: why.to_owned(), news: Vec::new() }
    }
}

/// The group and period that are looked at, and how far they were when the look began.
struct Looked<'a> {
    of: &'a GroupSchedule,
    period: BillingPeriod,
    before: Option<&'a ScheduleStepRow>,
}

impl BackOffice {
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
        let drafts = self.invoice_drafts(payer).await?;
        let now_ms = machine_milliseconds();
        for of in &schedules {
            let own = || steps.iter().filter(|step| step.billing_group == of.billing_group);
            // Closes are stamped by the machine's clock.
            let taken_up: BTreeSet<_> =
                own().filter(|step| !is_due_again(step, of, now_ms)).map(|step| step.period).collect();
            for period in due(&of.schedule, &closed, &taken_up, now_ms / 1_000) {
                let before = own().find(|step| step.period == period);
                self.look(payer, &Looked { of, period, before }, true).await?;
            }
            for step in own().filter(|step| taken_up.contains(&step.period) && has_moved(step, &drafts)) {
                self.look(payer, &Looked { of, period: step.period, before: Some(step) }, false).await?;
            }
        }
        Ok(())
    }

    /// Looks at a period of a group, and notes what it has come to. What is wrong with it is in the way of no other.
    async fn look(&self, payer: &AccountId, at: &Looked<'_>, is_due: bool) -> Answer<()> {
        let caller = self.schedule_caller(payer);
        let looked = if is_due { self.taken_up(&caller, at).await } else { self.moved(&caller, at).await };
        let noted = match looked {
            Ok(Some(outcome)) => self.note_step(payer, at, &outcome).await,
            Ok(None) => Ok(()),
            Err(error) if passes(&error) => Err(error),
            Err(error) => {
                let refused = self.refused_and_sent(&caller, at, refusal(at, error)).await;
                self.note_step(payer, at, &refused).await
            }
        };
        match noted {
            // Without the database no other group fares better.
            Err(Error::Internal(error)) if error.is_unanswered() => Err(Error::Internal(error)),
            Err(error) => {
                let (period, group) = (at.period, &at.of.billing_group);
                tracing::warn!(%payer, %period, billing_group = group, ?error, "a schedule is looked at again in a minute");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Takes a period of a group up: drafts, checks, and where nothing is to be asked, issues and sends.
    async fn taken_up(&self, caller: &Caller, at: &Looked<'_>) -> Answer<Option<Outcome>> {
        let mut tries = 0;
        loop {
            let there = self.drafts_of(&caller.payer, at).await?;
            let brought_on = self.brought_on(caller, at).await;
            tries += 1;
            match brought_on {
                // Another server, or somebody, was perhaps quicker with a draft.
                Err(Error::Refused(_) | Error::Declined(_))
                    if tries < TRIES_MAX && self.drafts_of(&caller.payer, at).await? != there => {}
                ended => return ended.map(Some),
            }
        }
    }

    async fn brought_on(&self, caller: &Caller, at: &Looked<'_>) -> Answer<Outcome> {
        let Looked { of, period, .. } = *at;
        let mut standing = self.standing_at(caller, at).await?;
        if standing.open.is_empty() && standing.issued.is_empty() {
            let new = NewDraft {
                billing_group: of.billing_group.clone(),
                period,
                currency: None,
                options: DraftOptions::default(),
            };
            let input = format!("{} {period}", of.billing_group);
            self.draft_invoice(&request(caller, "proforma:DraftInvoice", None, &input), &new).await?;
            standing = self.standing_at(caller, at).await?;
        }
        if standing.open.is_empty() {
            return match standing.issued.is_empty() {
                true => Ok(Outcome::skipped("there is nothing to be invoiced")),
                false => self.sent_out(caller, of, &standing.issued).await,
            };
        }
        let mut warnings = Vec::new();
        for draft in &standing.open {
            let asked = request(caller, "proforma:PreviewInvoice", None, &draft.id);
            warnings.extend(self.preview_invoice(&asked, &draft.id, None).await?.warnings);
        }
        if of.schedule.policy != Policy::Automatic || warnings.iter().any(|of_it| of.is_stopped_by(of_it)) {
            let ids: Vec<_> = standing.open.iter().map(|draft| draft.id.as_str()).collect();
            let warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
            let news = vec![(waiting(of, period, &ids, &warnings), false)];
            let drafted = Outcome { step: ScheduleStep::Drafted, detail: ids.join(" "), news };
            return self.and_sent(caller, of, &standing.issued, drafted).await;
        }
        self.issued_and_sent(caller, at, &standing.open).await
    }

    async fn issued_and_sent(
        &self,
        caller: &Caller,
        at: &Looked<'_>,
        open: &[InvoiceDraftRow],
    ) -> Answer<Outcome> {
        let settings = self.notifications(&caller.payer).await?;
        if audience(&settings, &at.of.emails).is_empty() {
            return Err(nobody_is_left(at.of));
        }
        // What is wrong with one is in the way of no other: they are of different currencies.
        let mut done = Ok(());
        for draft in open {
            let token = format!("schedule-{}", draft.id);
            let asked = request(caller, "proforma:IssueInvoice", Some(&token), &draft.id);
            match self.issue_invoice(&asked, &draft.id, None).await {
                Err(error) if passes(&error) => return Err(error),
                issued => done = done.and(issued.map(|_| ())),
            }
        }
        done?;
        let standing = self.standing_at(caller, at).await?;
        self.sent_out(caller, at.of, &standing.issued).await
    }

    /// What a period that was taken up has come to since, if anything: somebody has issued its drafts, given them up, or drafted anew. What is issued is
    /// sent whatever else of the period is still open: its customer owes it by a day.
    async fn moved(&self, caller: &Caller, at: &Looked<'_>) -> Answer<Option<Outcome>> {
        let Some(before) = at.before else { return Ok(None) };
        let Standing { open, issued } = self.standing_at(caller, at).await?;
        // What could not be sent is tried again when it is due: here only what was issued since.
        let is_new =
            |view: &InvoiceView| before.step != ScheduleStep::Failed || view.row.issued_at_ms > before.at_ms;
        let is_unsent = issued.iter().any(|view| is_new(view) && !is_sent(before, &view.row.number));
        if open.is_empty() {
            return match before.step {
                ScheduleStep::Drafted if issued.is_empty() => Ok(Some(Outcome::skipped(
                    "its drafts were discarded, or what was issued of them was taken back",
                ))),
                step if is_unsent || step == ScheduleStep::Drafted => {
                    self.sent_out(caller, at.of, &issued).await.map(Some)
                }
                _ => Ok(None),
            };
        }
        let on = going_on(before, &open);
        match on.step == before.step && !is_unsent {
            true => Ok(None),
            false => self.and_sent(caller, at.of, &issued, on).await.map(Some),
        }
    }

    /// What a period has come to, with the mails of what is issued of it.
    async fn and_sent(
        &self,
        caller: &Caller,
        of: &GroupSchedule,
        issued: &[InvoiceView],
        mut outcome: Outcome,
    ) -> Answer<Outcome> {
        if issued.is_empty() {
            return Ok(outcome);
        }
        let sent = self.sent_out(caller, of, issued).await?;
        outcome.detail = match outcome.step {
            ScheduleStep::Issued => sent.detail,
            _ => format!("{}{SENT}{}", outcome.detail, sent.detail),
        };
        outcome.news.extend(sent.news);
        Ok(outcome)
    }

    /// What was refused, with the mails of what is issued of the period all the same, where they can be sent.
    async fn refused_and_sent(&self, caller: &Caller, at: &Looked<'_>, refused: Outcome) -> Outcome {
        let Ok(Standing { issued, .. }) = self.standing_at(caller, at).await else { return refused };
        let alone = refused.clone();
        self.and_sent(caller, at.of, &issued, refused).await.unwrap_or(alone)
    }

    async fn sent_out(&self, caller: &Caller, of: &GroupSchedule, issued: &[InvoiceView]) -> Answer<Outcome> {
        let settings = self.notifications(&caller.payer).await?;
        // Who issues by hand may mean to send by hand, too; addresses that were given and are gone are another thing.
        let is_to_be_sent = of.schedule.policy == Policy::Automatic || !of.emails.is_empty();
        if is_to_be_sent && audience(&settings, &of.emails).is_empty() {
            return Err(nobody_is_left(of));
        }
        let Sent { numbers, news } = self.letters(caller, of, issued).await?;
        let news = news.into_iter().map(|of_it| (of_it, true)).collect();
        Ok(Outcome { step: ScheduleStep::Issued, detail: numbers.join(" "), news })
    }

    async fn standing_at(&self, caller: &Caller, at: &Looked<'_>) -> Answer<Standing> {
        let mut standing = Standing::default();
        for draft in self.drafts_of(&caller.payer, at).await? {
            match &draft.state {
                DraftState::Open => standing.open.push(draft),
                DraftState::Issued(number) => {
                    let view = self.invoice(caller, number).await?;
                    if !view.is_cancelled() {
                        standing.issued.push(view);
                    }
                }
                DraftState::Discarded => {}
            }
        }
        Ok(standing)
    }

    async fn drafts_of(&self, payer: &AccountId, at: &Looked<'_>) -> Answer<Vec<InvoiceDraftRow>> {
        let mut drafts = self.invoice_drafts(payer).await?;
        drafts.retain(|draft| {
            draft.billing_group == at.of.billing_group
                && draft.period == at.period
                && draft.state != DraftState::Discarded
        });
        Ok(drafts)
    }

    /// Notes how far a period is, and queues what is told of it, in one transaction; nothing where another server has noted something since it was looked
    /// at. What is for the customer goes to the customer's addresses too.
    async fn note_step(&self, payer: &AccountId, at: &Looked<'_>, outcome: &Outcome) -> Answer<()> {
        let Looked { of, period, before } = *at;
        let row = &ScheduleStepRow {
            billing_group: of.billing_group.clone(),
            period,
            step: outcome.step,
            detail: outcome.detail.clone(),
            at_ms: machine_milliseconds(),
        };
        let is_noted = self
            .transaction(payer, |store, state| async move {
                let mut write = store.write(payer, &state.head).await?;
                if write.schedule_step(&of.billing_group, period).await?.as_ref() != before {
                    return Ok((state, false));
                }
                write.put_schedule_step(row).await?;
                let settings = NotificationSettings::of(&write.desk_settings(notifications::SETTING).await?)?;
                for (news, is_for_customer) in &outcome.news {
                    let told = match is_for_customer {
                        true => audience(&settings, &of.emails),
                        false => told(&settings, &news.kind),
                    };
                    outbox::queue(&mut write, news, &told).await?;
                }
                Ok((state.commit(write, []).await?, true))
            })
            .await?;
        if is_noted {
            let (step, detail) = (row.step.name(), &row.detail);
            tracing::info!(%payer, %period, billing_group = of.billing_group, step, detail, "a schedule was taken up");
            self.0.outgoing.notify_waiters();
        }
        Ok(())
    }

    fn schedule_caller(&self, payer: &AccountId) -> Caller {
        Caller { principal: "proforma".to_owned(), ..self.operator(payer, String::new()) }
    }
}

/// Whether what was refused is due again: a day later, or since somebody has said the schedule anew.
fn is_due_again(step: &ScheduleStepRow, of: &GroupSchedule, now_ms: i64) -> bool {
    let again = step.at_ms.saturating_add(AGAIN_AFTER_MS) <= now_ms || step.at_ms < of.recorded_at_ms;
    step.step == ScheduleStep::Failed && again
}

/// Whether the drafts of a period may say other than its step does. Most steps are of periods that are done with: they cost one look at a list.
fn has_moved(step: &ScheduleStepRow, drafts: &[InvoiceDraftRow]) -> bool {
    let own = || {
        drafts.iter().filter(|draft| draft.billing_group == step.billing_group && draft.period == step.period)
    };
    let is_unsent =
        || own().any(|draft| matches!(&draft.state, DraftState::Issued(number) if !is_sent(step, number)));
    match step.step {
        ScheduleStep::Drafted => is_unsent() || !own().any(|draft| draft.state == DraftState::Open),
        ScheduleStep::Skipped => own().any(|draft| draft.state != DraftState::Discarded),
        ScheduleStep::Issued | ScheduleStep::Failed => is_unsent(),
    }
}

/// Whether a step says that an invoice was sent.
fn is_sent(step: &ScheduleStepRow, number: &str) -> bool {
    let numbers = match step.step {
        ScheduleStep::Issued => step.detail.as_str(),
        _ => step.detail.rsplit_once(SENT).map_or("", |(_, numbers)| numbers),
    };
    numbers.split(' ').any(|sent| sent == number)
}

/// The step of a period with open drafts: as it was, but what was skipped is drafted.
fn going_on(before: &ScheduleStepRow, open: &[InvoiceDraftRow]) -> Outcome {
    let said = before.detail.rsplit_once(SENT).map_or(before.detail.as_str(), |(said, _)| said);
    let ids: Vec<&str> = open.iter().map(|draft| draft.id.as_str()).collect();
    let (step, detail) = match before.step {
        ScheduleStep::Skipped | ScheduleStep::Drafted => (ScheduleStep::Drafted, ids.join(" ")),
        step => (step, said.to_owned()),
    };
    Outcome { step, detail, news: Vec::new() }
}

/// Whether what is wrong may be gone in a minute: nothing is noted of it.
fn passes(error: &Error) -> bool {
    match error {
        Error::Internal(error) => error.is_unanswered(),
        Error::Unavailable(_) | Error::Refused(Refusal::Conflict { .. }) => true,
        _ => false,
    }
}

fn nobody_is_left(of: &GroupSchedule) -> Error {
    tracing::warn!(billing_group = of.billing_group, "nobody is left to whom invoices of a schedule go");
    refused(
        "nobody is left to whom the invoice would go; name an address with `proforma schedule set --email`, or one for all of the payer's news with \
         `proforma notify settings --email`",
    )
}

/// What is noted where a period could not go on. What is wrong inside is for the log.
fn refusal(at: &Looked<'_>, error: Error) -> Outcome {
    let why = match error {
        Error::Refused(refusal) => refusal.to_string(),
        Error::Declined(declined) => declined.message(),
        error => {
            let (period, group) = (at.period, &at.of.billing_group);
            tracing::error!(%period, billing_group = group, ?error, "a schedule could not go on");
            "the server has met an error of its own, which its log names".to_owned()
        }
    };
    let news = vec![(failed(at.of, at.period, &why), false)];
    Outcome { step: ScheduleStep::Failed, detail: why, news }
}

fn request<'a>(
    caller: &'a Caller,
    action: &'a str,
    token: Option<&'a str>,
    input: &'a str,
) -> WriteRequest<'a> {
    WriteRequest { caller, action, token, input, resource: "", period: None }
}

#[cfg(test)]
mod tests {
    //! When a step is looked at again, and what it says was sent.

    use super::*;

    fn period() -> BillingPeriod {
        BillingPeriod::parse("2026-10").unwrap()
    }

    fn step(step: ScheduleStep, detail: &str) -> ScheduleStepRow {
        let (billing_group, detail) = ("1".to_owned(), detail.to_owned());
        ScheduleStepRow { billing_group, period: period(), step, detail, at_ms: 0 }
    }

    fn draft(id: &str, state: DraftState) -> InvoiceDraftRow {
        InvoiceDraftRow {
            id: id.to_owned(),
            billing_group: "1".to_owned(),
            period: period(),
            currency: "USD".to_owned(),
            run: String::new(),
            options: String::new(),
            state,
            created_at_s: 0,
            created_by: String::new(),
        }
    }

    #[test]
    fn what_is_issued_moves_a_step_until_it_is_sent() {
        let open = || draft("b", DraftState::Open);
        let half = [draft("a", DraftState::Issued("INV-1".to_owned())), open()];
        assert!(!has_moved(&step(ScheduleStep::Drafted, "a b"), &[draft("a", DraftState::Open), open()]));
        for (state, before, after) in [
            (ScheduleStep::Drafted, "a b", "b; issued and sent: INV-1"),
            (ScheduleStep::Failed, "it has INV-1", "it has INV-1; issued and sent: INV-1"),
            (ScheduleStep::Issued, "INV-10", "INV-10 INV-1"),
        ] {
            assert!(has_moved(&step(state, before), &half), "{before}");
            assert!(!has_moved(&step(state, after), &half), "{after}");
        }
        // The rest was given up: the step is done.
        let given_up =
            [draft("a", DraftState::Issued("INV-1".to_owned())), draft("b", DraftState::Discarded)];
        assert!(has_moved(&step(ScheduleStep::Drafted, "b; issued and sent: INV-1"), &given_up));
    }

    #[test]
    fn a_step_with_open_drafts_goes_on() {
        let open = [draft("b", DraftState::Open)];
        for (before, detail, after, says) in [
            (ScheduleStep::Drafted, "a b; issued and sent: INV-1", ScheduleStep::Drafted, "b"),
            (ScheduleStep::Skipped, "nothing", ScheduleStep::Drafted, "b"),
            (ScheduleStep::Failed, "no series; issued and sent: INV-1", ScheduleStep::Failed, "no series"),
            (ScheduleStep::Issued, "INV-1", ScheduleStep::Issued, "INV-1"),
        ] {
            let on = going_on(&step(before, detail), &open);
            assert_eq!((on.step, on.detail.as_str()), (after, says));
        }
    }
}
