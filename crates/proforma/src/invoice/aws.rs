//! `proforma invoice aws`: AWS's own invoices out of a run, and what differs from AWS's list.

use super::summaries;
use crate::cli::OutputFormat;
use crate::cli::invoice::AwsInvoicesArguments;
use crate::failure::{Failure, HINT_AGAIN};
use crate::report_files::to_csv;
use crate::run_folder;
use crate::terminal::{empty_table, print, to_json};
use billing::invoice::aws::{AwsInvoice, AwsInvoices, Difference, reconcile, reconstruct};
use billing::money::{Cost, DecimalError};
use serde::Serialize;
use std::collections::BTreeSet;

/// The exit status where something differs from the list.
const DIFFERS: u8 = 3;

/// Prints the invoices, or the differences.
pub fn aws(arguments: &AwsInvoicesArguments) -> Result<(), Failure> {
    let run = run_folder::open(&arguments.run)?;
    let too_large =
        |error: DecimalError| Failure::input(format!("a sum of invoices is {error}")).hint(HINT_AGAIN);
    let found = reconstruct(&run.cube, run.book.currency).map_err(too_large)?;
    let Some(list) = &arguments.against else {
        return print_invoices(&found, arguments.output).map_err(Into::into);
    };
    let tolerance = Cost::parse(&arguments.tolerance).ok().filter(|tolerance| *tolerance >= Cost::ZERO);
    let tolerance = tolerance.ok_or_else(|| {
        let given = &arguments.tolerance;
        Failure::input(format!("--tolerance: `{given}` is no amount of 0 or above")).hint("write it as 0.01")
    })?;
    let list = summaries::read(list)?;
    let differences = reconcile(run.period, &found.invoices, &list, tolerance).map_err(too_large)?;
    print_differences(&differences, arguments.output)?;
    if differences.is_empty() { Ok(()) } else { Err(Failure::Said(DIFFERS)) }
}

/// An invoice as it is printed. Amounts are exact.
#[derive(Serialize)]
struct InvoiceRow<'a> {
    invoice_id: Option<&'a str>,
    kind: &'static str,
    bill_type: String,
    billing_entity: String,
    invoicing_entity: String,
    seller: Option<&'a str>,
    billing_period: String,
    currency: &'a str,
    charges: String,
    discounts: String,
    credits: String,
    refunds: String,
    tax: String,
    total: String,
    accounts: usize,
    lines: u64,
}

impl<'a> InvoiceRow<'a> {
    fn of(invoice: &'a AwsInvoice) -> Result<Self, DecimalError> {
        let list = |names: &BTreeSet<String>| names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let sums = &invoice.sums;
        Ok(Self {
            invoice_id: invoice.id.as_deref(),
            kind: if invoice.id.is_some() { invoice.kind.code() } else { "NOT_INVOICED" },
            bill_type: list(&invoice.bill_types),
            billing_entity: list(&invoice.billing_entities),
            invoicing_entity: list(&invoice.invoicing_entities),
            seller: invoice.seller(),
            billing_period: invoice.period.to_string(),
            currency: invoice.currency.as_str(),
            charges: sums.charges.to_string(),
            discounts: sums.discounts.to_string(),
            credits: sums.credits.to_string(),
            refunds: sums.refunds.to_string(),
            tax: sums.tax.to_string(),
            total: sums.total()?.to_string(),
            accounts: invoice.accounts.len(),
            lines: invoice.lines,
        })
    }
}

fn print_invoices(found: &AwsInvoices, format: OutputFormat) -> anyhow::Result<()> {
    let all = found.invoices.iter().chain(&found.not_invoiced);
    let rows: Vec<InvoiceRow<'_>> = all.map(InvoiceRow::of).collect::<Result<_, _>>()?;
    for (currency, amount) in found.repeated.iter().filter(|(_, amount)| !amount.is_zero()) {
        say!("note: rows of split cost allocation repeat {amount} {currency}, which is on no invoice");
    }
    let text = match format {
        OutputFormat::Json => to_json(&rows)?,
        OutputFormat::Csv => to_csv(&rows)?,
        OutputFormat::Table => {
            let header = ["invoice", "kind", "seller", "before tax", "tax", "total", "currency"];
            let mut table = empty_table(&header, 3..6);
            for (row, of) in rows.iter().zip(found.invoices.iter().chain(&found.not_invoiced)) {
                table.add_row([
                    row.invoice_id.unwrap_or("not yet").to_owned(),
                    row.kind.to_owned(),
                    row.seller.unwrap_or_default().to_owned(),
                    of.sums.before_tax()?.to_string(),
                    row.tax.clone(),
                    row.total.clone(),
                    row.currency.to_owned(),
                ]);
            }
            format!("{table}\n")
        }
    };
    Ok(print(&text)?)
}

/// A difference as it is printed.
#[derive(Serialize)]
struct DifferenceRow<'a> {
    invoice_id: &'a str,
    difference: &'static str,
    cost_files: &'a str,
    list: &'a str,
}

fn print_differences(differences: &[Difference], format: OutputFormat) -> anyhow::Result<()> {
    let rows: Vec<DifferenceRow<'_>> = differences
        .iter()
        .map(|of| DifferenceRow {
            invoice_id: &of.id,
            difference: of.kind.code(),
            cost_files: &of.cost_files,
            list: &of.list,
        })
        .collect();
    let text = match format {
        OutputFormat::Json => to_json(&rows)?,
        OutputFormat::Csv => to_csv(&rows)?,
        OutputFormat::Table if rows.is_empty() => "the cost files and the list agree\n".to_owned(),
        OutputFormat::Table => differences.iter().map(|of| format!("{of}\n")).collect(),
    };
    Ok(print(&text)?)
}
