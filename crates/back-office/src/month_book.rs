//! A month's book, written out of the configuration: what the API says of it, and the rest that only a book can say.

use crate::error::{Answer, Error};
use billing::book::{Draft, ItemDraft};
use billing::configuration::{BillingGroupId, Configuration, OtherSettings, Refusal, ValidationReason};
use billing::money::Cost;
use billing::period::BillingPeriod;
use book_file::Finding;
use std::collections::BTreeMap;
use std::path::Path;
use store::{AdjustmentRow, Store};

/// A book, and the texts of the files that it names.
pub(crate) type Book = (Draft, BTreeMap<String, String>);

/// The book of a period.
pub(crate) fn of_period(configuration: &Configuration, period: BillingPeriod) -> Result<Book, Refusal> {
    let (draft, files) = rest(configuration, period)?.unwrap_or_default();
    Ok((configuration.draft(period, &draft), files))
}

/// The book that a period is priced under: adjustments of closed periods are among its custom line items.
pub(crate) async fn with_adjustments(
    store: &Store,
    configuration: &Configuration,
    period: BillingPeriod,
) -> Answer<Book> {
    let (mut draft, files) = of_period(configuration, period)?;
    let posted = store.adjustments_in(&configuration.payer, period).await.map_err(Error::internal)?;
    for (number, row) in posted.into_iter().enumerate() {
        let group = row.billing_group.as_deref().and_then(BillingGroupId::parse);
        let settings = group.and_then(|group| configuration.groups.at(&group, period));
        // Who has gone is in no bill: what is still to be charged is invoiced by itself (`invoices::departed`).
        let Some((_, settings)) = settings else { continue };
        draft.custom_line_items.push(adjustment_item(
            &row,
            name_beside(&draft, &row, number + 1),
            &settings.name,
        )?);
    }
    Ok((draft, files))
}

/// What only a book can say in a period; `None` where it says nothing.
pub(crate) fn rest(configuration: &Configuration, period: BillingPeriod) -> Result<Option<Book>, Refusal> {
    let Some(OtherSettings { book, files }) = configuration.other.at(period) else { return Ok(None) };
    if book.is_empty() {
        return Ok(None);
    }
    let draft = book_file::draft(Path::new("book.toml"), book);
    let mut draft = draft.map_err(|findings| unread("book.toml", &findings))?;
    // The files were read when the book was applied: none has a mistake.
    let _ = book_file::read_weights(&mut draft, &|name| files.get(name).cloned().ok_or_else(String::new));
    Ok(Some((draft, files.clone())))
}

/// What is wrong with a book, a line each with its place.
pub(crate) fn unread(name: &str, findings: &[Finding]) -> Refusal {
    let lines: Vec<String> = findings.iter().map(|it| format!("{name}:{it}")).collect();
    Refusal::invalid(ValidationReason::Other, lines.join("\n"))
}

/// The name of an adjustment by its number in the month. Where something else has that name, it gets a second number: no other adjustment has
/// another name for that, and the same month has the same names again.
fn name_beside(draft: &Draft, row: &AdjustmentRow, number: usize) -> String {
    let own = format!("Adjustment-{}-{number}", row.period);
    let is_taken = |name: &String| {
        draft.custom_line_items.iter().any(|item| item.name == *name) || draft.names_charge(name)
    };
    let mut name = own.clone();
    let mut second = 1;
    while is_taken(&name) {
        second += 1;
        name = format!("{own}-{second}");
    }
    name
}

/// The custom line item of an adjustment, in the adjustment's currency.
fn adjustment_item(row: &AdjustmentRow, name: String, group: &str) -> Answer<ItemDraft> {
    let text = row.amount.to_string();
    let is_credit = text.starts_with('-');
    let value = Cost::parse(text.trim_start_matches('-')).map_err(Error::internal)?;
    Ok(ItemDraft {
        name,
        description: format!("Adjustment of billing period {}", row.period),
        billing_group: group.to_owned(),
        kind: if is_credit { "CREDIT" } else { "FEE" }.to_owned(),
        flat_charge_value: Some(value),
        currency: Some(row.currency.as_str().to_owned()),
        start: row.posted_in.to_string(),
        end: Some(row.posted_in.next().to_string()),
        corrects: Some(row.period.to_string()),
        ..ItemDraft::default()
    })
}
