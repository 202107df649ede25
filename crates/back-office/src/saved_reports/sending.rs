//! Saved reports that go out by themselves: looked at every minute, each sent once for the day or the close that it is due by.

use super::ReportRow;
use crate::desk::BackOffice;
use crate::error::{Answer, Error};
use crate::outbox::{self, ATTACHMENT_BYTES_MAX, Attachment, Audience, Letter, News};
use crate::transaction::Attempt;
use billing::account::AccountId;
use billing::configuration::Refusal;
use billing::invoice::Date;
use billing::period::date_text;
use billing::saved_report::Schedule;
use std::collections::BTreeSet;

/// The kind of news that a report was made.
const KIND: &str = "saved-report";

/// By what a report is due: a name for it, and the day as of which it is made.
struct Due {
    by: String,
    as_of: i32,
    /// Whether it has become due last. Whoever comes to a report later is sent this one, and not what others were sent before.
    is_last: bool,
}

impl Due {
    /// What the keys of its messages begin with.
    fn key(&self, row: &ReportRow) -> String {
        format!("saved-report:{}:{}", row.id, self.by)
    }

    /// Whether somebody was sent it, by the keys of all messages.
    fn was_sent(&self, row: &ReportRow, known: &BTreeSet<String>) -> bool {
        let begin = format!("{}|", self.key(row));
        known.range(begin.clone()..).next().is_some_and(|key| key.starts_with(&begin))
    }
}

impl BackOffice {
    /// Sends the reports of every payer that are due. What is wrong with one payer is in the way of no other.
    ///
    /// # Errors
    /// [`Error::Internal`] of the last payer whose reports could not be looked at.
    pub async fn send_saved_reports(&self) -> Answer<()> {
        let mut sent = Ok(());
        for payer in self.0.store.payers().await.map_err(Error::internal)? {
            if let Err(error) = self.send_saved_reports_of(&payer.payer).await {
                tracing::warn!(payer = %payer.payer, ?error, "the saved reports of a payer could not be sent");
                sent = Err(error);
            }
        }
        sent
    }

    async fn send_saved_reports_of(&self, payer: &AccountId) -> Answer<()> {
        let mut rows = self.saved_reports_of(payer).await?;
        rows.retain(|row| row.report.schedule.is_some());
        if rows.is_empty() {
            return Ok(());
        }
        if !self.notifications(payer).await?.tells(KIND) {
            return Ok(());
        }
        let holders = self.holders(payer).await?;
        let known: BTreeSet<String> =
            self.0.store.message_keys(payer).await.map_err(Error::internal)?.into_iter().collect();
        let mut sent = Ok(());
        for row in rows.iter().filter(|row| holders.contains(&row.report.holder)) {
            for due in self.due(payer, row).await? {
                if let Err(error) = self.send_saved_report(payer, row, &due, &known).await {
                    tracing::warn!(%payer, report = row.id, ?error, "a saved report could not be sent");
                    sent = Err(error);
                }
            }
        }
        sent
    }

    async fn due(&self, payer: &AccountId, row: &ReportRow) -> Answer<Vec<Due>> {
        let (since, since_ms) = row.report.scheduled_since;
        match row.report.schedule()? {
            None => Ok(Vec::new()),
            Some(Schedule::AfterClose) => {
                let closes = self.0.store.closes(payer).await.map_err(Error::internal)?;
                let last = closes.iter().map(|close| (close.closed_at_ms, close.period)).max();
                let own = closes.iter().filter(|close| close.closed_at_ms >= since_ms);
                let due = own.map(|close| Due {
                    by: close.period.to_string(),
                    as_of: Schedule::day_after(close.period),
                    is_last: last == Some((close.closed_at_ms, close.period)),
                });
                Ok(due.collect())
            }
            Some(schedule) => {
                let due = schedule.last_due(since, Date::of_seconds(self.now()).days());
                let due = due.map(|day| Due { by: date_text(day), as_of: day, is_last: true });
                Ok(due.into_iter().collect())
            }
        }
    }

    /// Sends a report to those of its addresses that do not have it yet.
    async fn send_saved_report(
        &self,
        payer: &AccountId,
        row: &ReportRow,
        due: &Due,
        known: &BTreeSet<String>,
    ) -> Answer<()> {
        let audience =
            &Audience { emails: row.report.emails.iter().cloned().collect(), ..Audience::default() };
        let mut news = News {
            key: due.key(row),
            kind: KIND.to_owned(),
            letter: Letter::default(),
            attachments: Vec::new(),
        };
        if !audience.has_news(&news, known) || (!due.is_last && due.was_sent(row, known)) {
            return Ok(());
        }
        let caller = row.report.holder.caller(self, payer)?;
        let mut paragraphs = Vec::new();
        let facts = match self.report_table(&caller, row, due.as_of).await {
            Ok(table) => {
                let facts = table.facts.clone();
                for format in &row.report.formats {
                    match self.made(&row.report, table.clone(), *format, due.as_of).await {
                        Ok(made) => enclose(&mut news.attachments, &mut paragraphs, made.into()),
                        // The same would come of it at every look: whoever waits for it is told, and has the others.
                        Err(Error::Refused(Refusal::Validation { message, .. })) => {
                            paragraphs.push(format!("As {} it could not be made: {message}.", format.name()));
                        }
                        Err(error) => return Err(error),
                    }
                }
                facts
            }
            // Whoever waits for it is told why it does not come.
            Err(Error::CostExplorer(refusal)) => {
                paragraphs.push(format!("It could not be made: {refusal}."));
                Vec::new()
            }
            Err(Error::Denied) => {
                paragraphs.push("It could not be made: its billing view is not there any more.".to_owned());
                Vec::new()
            }
            Err(error) => return Err(error),
        };
        paragraphs.insert(
            0,
            format!("This is the saved report {}, as of {}.", row.report.name, date_text(due.as_of)),
        );
        news.letter = Letter { title: format!("Report {}", row.report.name), paragraphs, facts };
        self.queue_report(payer, &news, audience).await
    }

    async fn queue_report(&self, payer: &AccountId, news: &News, audience: &Audience) -> Answer<()> {
        let queued = self
            .transaction(payer, |store, state| async move {
                let mut write = store.write(payer, &state.head).await?;
                let queued = outbox::queue(&mut write, news, audience).await?;
                Ok::<_, Attempt>((state.commit(write, []).await?, queued))
            })
            .await?;
        if queued > 0 {
            tracing::info!(%payer, queued, "a saved report is to be sent");
            self.0.outgoing.notify_waiters();
        }
        Ok(())
    }
}

/// Adds a file where the mail has room for it.
fn enclose(files: &mut Vec<Attachment>, paragraphs: &mut Vec<String>, file: Attachment) {
    let taken: usize = files.iter().map(|file| file.bytes.len()).sum();
    if taken + file.bytes.len() > ATTACHMENT_BYTES_MAX {
        paragraphs.push(format!(
            "`{}` is too large for a mail; it is to be had with `proforma saved-report run`.",
            file.name
        ));
    } else {
        files.push(file);
    }
}
