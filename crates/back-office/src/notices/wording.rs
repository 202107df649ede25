//! A notice in words: a title for a mail's subject, sentences, and facts for a table. Names come as they are: whoever sends it escapes them.

use crate::outbox::{Letter, News};
use billing::matching::NoOrder;
use billing::matching::notices::{Ahead, News as Due, Notice, Threshold};
use billing::money::Amount;
use billing::purchase_order::{Buyer, LineNumber, PurchaseOrder};

/// What is told of a notice; `order` is the one that it is about.
pub(super) fn news(notice: &Notice, order: Option<&PurchaseOrder>) -> News {
    let (kind, title, sentence) = said(notice);
    let mut facts = Vec::new();
    let mut fact = |name: &str, value: String| facts.push((name.to_owned(), value));
    if let Some(order) = order {
        fact("Purchase order", order.id.to_string());
        if let Some(description) = &order.description {
            fact("Description", description.clone());
        }
        fact("Billing periods", format!("{} to {}", order.effective, order.expiration));
    }
    if let Buyer::BillingGroup(group) = &notice.buyer {
        fact("Billing group", group.as_str().to_owned());
    }
    let amount = |amount: &Amount| match order {
        Some(order) => format!("{amount} {}", order.currency),
        None => amount.to_string(),
    };
    if let Due::Balance { line, balance, value, .. } = &notice.news {
        fact("Line", line_of(order, line));
        fact("Balance", amount(balance));
        fact("Value of the line", amount(value));
    }
    News {
        key: notice.key.clone(),
        kind: kind.to_owned(),
        letter: Letter { title, paragraphs: vec![sentence], facts },
        attachments: Vec::new(),
    }
}

/// A line by its number and description.
fn line_of(order: Option<&PurchaseOrder>, number: &LineNumber) -> String {
    let line = order.and_then(|order| order.line(number));
    match line.and_then(|line| line.description.as_deref()) {
        Some(description) => format!("{number}: {description}"),
        None => number.to_string(),
    }
}

/// The kind of a notice, its title and its sentence.
fn said(notice: &Notice) -> (&'static str, String, String) {
    let order = notice.order.as_ref().map_or_else(String::new, ToString::to_string);
    match &notice.news {
        Due::Balance { line, threshold: Threshold::UsedUp, .. } => (
            "balance-low",
            format!("Purchase order {order}: line {line} is used up"),
            format!(
                "Nothing is left of line {line} of purchase order {order}. Invoices that it takes from now on are out of balance: raise its amount, or add another line."
            ),
        ),
        Due::Balance { line, threshold: Threshold::Below(percent), .. } => (
            "balance-low",
            format!("Purchase order {order}: line {line} is below {percent} %"),
            format!(
                "What is left of line {line} of purchase order {order} has fallen below {percent} % of its value."
            ),
        ),
        Due::Expiry { ahead, expiration } => expiry(&order, *ahead, &expiration.to_string()),
        Due::OutOfBalance { invoice, line, held: false } => (
            "out-of-balance",
            format!("Purchase order {order}: invoice {invoice} is out of balance"),
            format!(
                "Invoice {invoice} was charged to line {line} of purchase order {order}, although no balance covered it. Raise the line's amount, or move the invoice."
            ),
        ),
        Due::OutOfBalance { invoice, line, held: true } => (
            "out-of-balance",
            format!("Purchase order {order}: invoice {invoice} is held"),
            format!(
                "No balance covers invoice {invoice}. It waits for somebody to decide; it would be charged to line {line} of purchase order {order}."
            ),
        ),
        Due::WithoutOrder { invoice, reason } => (
            "invoice-without-purchase-order",
            format!("Invoice {invoice} has no purchase order"),
            format!("Invoice {invoice} has found no purchase order: {}.", why(*reason)),
        ),
        Due::RunsOut { line, month } => (
            "forecast-exhaustion",
            format!("Purchase order {order}: line {line} is expected to run out in {month}"),
            format!(
                "At the mean of its last months, line {line} of purchase order {order} runs out in {month}, before it ends."
            ),
        ),
        Due::MonthAboveBalance { line, month } => (
            "forecast-above-balance",
            format!("Purchase order {order}: line {line} is expected to run out this month"),
            format!(
                "{month} is expected to cost more than what is left of line {line} of purchase order {order}."
            ),
        ),
        Due::NeededNextMonth { kind, seller, month } => (
            "purchase-order-needed",
            format!("A purchase order is needed for {month}"),
            format!(
                "Invoices of {seller} came in the last three months ({kind}), and no active purchase order has a line for the next one, in {month}."
            ),
        ),
    }
}

fn expiry(order: &str, ahead: Ahead, expiration: &str) -> (&'static str, String, String) {
    let (when, sentence) = match ahead {
        Ahead::TwoMonths => ("expires in two months", "expires in two months"),
        Ahead::OneMonth => ("expires in one month", "expires in one month"),
        Ahead::SevenDays => ("expires in seven days", "expires in seven days"),
        Ahead::Today => ("expires today", "expires today, or has expired"),
    };
    (
        "expiry",
        format!("Purchase order {order} {when}"),
        format!(
            "Purchase order {order} {sentence}: the last billing period that it may be used for is {expiration}. Extend it, or add another one."
        ),
    )
}

/// Why an invoice has no order, as the end of a sentence.
const fn why(reason: NoOrder) -> &'static str {
    match reason {
        NoOrder::NoOrders => "there is none",
        NoOrder::NoOrderEligible => "none was for its seller, period, currency and tax registration",
        NoOrder::NoLineEligible => "no line was for what it charges",
        NoOrder::NoBalance => "no line had enough left, and such invoices are left without one",
        NoOrder::NoOriginal => "a credit memo follows its original, and this one names none",
        NoOrder::OriginalWithoutOrder => "a credit memo follows its original, which has none",
        NoOrder::RequestedSuspended => "the one that the buyer asked for is suspended",
        NoOrder::RequestedUnknown => "the one that the buyer asked for does not exist",
        NoOrder::RequestedLimit => "the one that the buyer asked for would go beyond a limit",
        NoOrder::RequestedDeleted => "the one that the buyer asked for was deleted",
    }
}
