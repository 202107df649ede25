//! What is told of invoices that go out by their schedule.

use super::GroupSchedule;
use crate::invoices::InvoiceView;
use crate::outbox::{Attachment, Letter, News};
use billing::period::BillingPeriod;

/// The kind of news that an invoice has gone out.
pub(crate) const INVOICE: &str = "invoice";
/// What stands in the key of such news before the number.
const ISSUED: &str = ":issued:";

fn key(of: &GroupSchedule, period: BillingPeriod, what: &str) -> String {
    format!("schedule:{}:{period}:{what}", of.billing_group)
}

/// The number of the invoice that news with this key is of.
pub(crate) fn number_in(key: &str) -> Option<&str> {
    key.split_once(ISSUED).map(|(_, number)| number)
}

fn facts(of: &GroupSchedule, period: BillingPeriod) -> Vec<(String, String)> {
    vec![
        ("Billing group".to_owned(), of.billing_group.clone()),
        ("Billing period".to_owned(), period.to_string()),
    ]
}

/// Drafts wait for somebody.
pub(super) fn waiting(of: &GroupSchedule, period: BillingPeriod, ids: &[&str], warnings: &[String]) -> News {
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

/// The schedule could not go on.
pub(super) fn failed(of: &GroupSchedule, period: BillingPeriod, why: &str) -> News {
    News {
        key: key(of, period, &format!("failed:{}", crate::hash::sha256(why).get(..16).unwrap_or_default())),
        kind: "schedule".to_owned(),
        letter: Letter {
            title: format!("Invoices of {period} could not go on"),
            paragraphs: vec![
                format!("{why}."),
                format!(
                    "It is tried again in a day, or within a minute after `proforma schedule set {} --policy {}`, which leaves the rest of the schedule as it is. \
                     What is drafted and issued by hand meanwhile is sent all the same.",
                    of.billing_group,
                    of.schedule.policy.name().to_lowercase().replace('_', "-"),
                ),
            ],
            facts: facts(of, period),
        },
        attachments: Vec::new(),
    }
}

/// What goes with the mail of an invoice, and what is too large for it.
#[derive(Debug, Clone, Default)]
pub(super) struct Enclosed {
    pub files: Vec<Attachment>,
    /// What is not there, and where it is to be had, a sentence each.
    pub left_out: Vec<String>,
}

/// An invoice has gone out.
pub(super) fn issued(of: &GroupSchedule, view: &InvoiceView, enclosed: Enclosed) -> News {
    let document = &view.document;
    let number = &document.number;
    let mut paragraphs = vec![format!("Invoice {number} of {} is issued.", document.seller.legal_name)];
    if !enclosed.files.is_empty() {
        let names: Vec<&str> = enclosed.files.iter().map(|file| file.name.as_str()).collect();
        paragraphs.push(format!("What is attached: {}.", names.join(", ")));
    }
    paragraphs.extend(enclosed.left_out);
    let mut facts = vec![
        ("Invoice".to_owned(), number.clone()),
        ("Billing period".to_owned(), view.row.period.to_string()),
        ("Total".to_owned(), format!("{} {}", document.totals.due, document.currency)),
    ];
    facts.extend(document.due.map(|due| ("Due".to_owned(), due.to_string())));
    facts.extend(document.purchase_order.iter().map(|order| ("Purchase order".to_owned(), order.clone())));
    News {
        key: format!("schedule:{}:{}{ISSUED}{number}", of.billing_group, view.row.period),
        kind: INVOICE.to_owned(),
        letter: Letter { title: format!("Invoice {number}"), paragraphs, facts },
        attachments: enclosed.files,
    }
}
