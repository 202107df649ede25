//! What is sent of a period's invoices: each in a mail of its own, with its PDF, the group's statement and its cost report.

use super::GroupSchedule;
use super::wording::{Enclosed, issued};
use crate::authorization::Caller;
use crate::cost_reports::charged_as_csv;
use crate::desk::BackOffice;
use crate::document_format::DocumentFormat;
use crate::error::{Answer, Error};
use crate::invoices::InvoiceView;
use crate::outbox::{ATTACHMENT_BYTES_MAX, Attachment, News};
use billing::configuration::BillingGroupId;

/// The numbers of invoices, and what is told of each.
pub(super) struct Sent {
    pub numbers: Vec<String>,
    pub news: Vec<News>,
}

const CSV: &str = "text/csv";

impl BackOffice {
    /// The mails of some invoices of one period of a group.
    pub(super) async fn letters(
        &self,
        caller: &Caller,
        of: &GroupSchedule,
        invoices: &[InvoiceView],
    ) -> Answer<Sent> {
        let mut sent = Sent { numbers: Vec::new(), news: Vec::new() };
        for view in invoices {
            let number = &view.row.number;
            let mut enclosed = Enclosed::default();
            if self.0.options.renderer.is_some() {
                let pdf = self.invoice_document(caller, number, DocumentFormat::Pdf).await?;
                enclose(&mut enclosed, pdf.into(), "with `GetInvoiceDocument`");
            }
            let period = view.row.period;
            if let Some(bytes) = self.statement(caller, view).await? {
                let file = csv(format!("statement-{period}.csv"), bytes);
                enclose(&mut enclosed, file, "from the sender");
            }
            if let Some(bytes) = self.charged(caller, view).await? {
                let file = csv(format!("cost-report-{period}.csv"), bytes);
                enclose(&mut enclosed, file, "with `GetBillingGroupCostReport`");
            }
            sent.news.push(issued(of, view, enclosed));
            sent.numbers.push(number.clone());
        }
        Ok(sent)
    }

    /// The statement of an invoice's billing group, as the invoice's run has it; `None` where the run has none of it.
    async fn statement(&self, caller: &Caller, view: &InvoiceView) -> Answer<Option<Vec<u8>>> {
        let _reading = self.reading().await?;
        let row = self.0.store.run(&caller.payer, &view.row.run).await.map_err(Error::internal)?;
        let Some(done) = row.and_then(|row| row.done().cloned()) else { return Ok(None) };
        let named = done.groups.iter().find(|(_, id)| **id == view.row.billing_group);
        let Some((name, _)) = named else { return Ok(None) };
        let (folder, name) = (self.folder(&done.folder), name.clone());
        self.ask_of_runs(move |engine| engine.statement(&folder, &name)).await
    }

    /// What the group is charged by product, without what only the operator sees; `None` where it has no charges.
    async fn charged(&self, caller: &Caller, view: &InvoiceView) -> Answer<Option<Vec<u8>>> {
        let Some(group) = BillingGroupId::parse(&view.row.billing_group) else { return Ok(None) };
        let report = self.cost_report(&caller.payer, view.row.period).await?;
        Ok(report.and_then(|report| charged_as_csv(&report.of_group(&group, &caller.scope))))
    }
}

fn csv(name: String, bytes: Vec<u8>) -> Attachment {
    Attachment { name, media_type: CSV.to_owned(), bytes }
}

/// Adds a file where the mail has room for it: mail servers take no larger ones.
fn enclose(enclosed: &mut Enclosed, file: Attachment, elsewhere: &str) {
    let taken: usize = enclosed.files.iter().map(|file| file.bytes.len()).sum();
    if taken + file.bytes.len() > ATTACHMENT_BYTES_MAX {
        enclosed
            .left_out
            .push(format!("`{}` is too large for a mail; it is to be had {elsewhere}.", file.name));
    } else {
        enclosed.files.push(file);
    }
}

#[cfg(test)]
mod tests {
    //! What a mail has room for.

    use super::*;

    #[test]
    fn what_a_mail_has_no_room_for_is_named() {
        let mut enclosed = Enclosed::default();
        for (name, bytes) in [("a", ATTACHMENT_BYTES_MAX - 10), ("b", 11), ("c", 10)] {
            enclose(&mut enclosed, csv(name.to_owned(), vec![0; bytes]), "elsewhere");
        }
        let names: Vec<_> = enclosed.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["a", "c"]);
        assert_eq!(enclosed.left_out, ["`b` is too large for a mail; it is to be had elsewhere."]);
    }
}
