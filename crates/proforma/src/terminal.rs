//! What is printed: how far the reading is, what was read, and the groups.

use crate::cli::OutputFormat;
use crate::coverage::Commitments;
use crate::guard;
use crate::price_list::Listed;
use crate::report_files::{GroupRow, Results, group_rows, to_csv};
use anyhow::Context;
use billing::book::Book;
use billing::derived_items::Derived;
use billing::money::Amount;
use billing::rate_card::RateCard;
use billing::reconciliation::Reconciliation;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Table};
use cost_data::diagnostics::excerpt;
use cost_data::reading::Progress;
use cost_data::report::Report;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Write};
use std::ops::Range;

/// How many passed-by files and warnings are shown one by one.
const LISTED_MAX: usize = 10;

/// A progress bar on standard error, shown only on a terminal.
pub struct ReadingBar(ProgressBar);

impl ReadingBar {
    /// A bar that knows no size yet.
    pub fn new() -> Self {
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("reading {bar:32} {bytes}/{total_bytes}  {msg}");
        // The template is ours; a bar of another look would do.
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self(bar)
    }

    /// Shows how far the reading is.
    pub fn show(&self, so_far: Progress) {
        self.0.set_length(so_far.bytes_total);
        self.0.set_position(so_far.bytes_done);
        self.0.set_message(format!("{} lines", thousands(so_far.lines)));
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// Says on standard error what was read and what was noticed.
pub fn print_reading(report: &Report) {
    let mut formats: BTreeMap<String, usize> = BTreeMap::new();
    for file in &report.files {
        *formats.entry(format!("{}, as {}", file.format.name(), file.because)).or_default() += 1;
    }
    for (format, files) in formats {
        say!("read {files} file{}: {format}", if files == 1 { "" } else { "s" });
    }
    say!("read {} lines", thousands(report.lines_read));
    for other in &report.other_providers {
        let (lines, provider) = (thousands(other.lines), excerpt(&other.provider));
        let (billed, currency) = (&other.billed_cost, &other.currency);
        say!("note: {lines} lines of {provider}, {billed} {currency} billed, are not AWS's and not priced");
    }
    let notes = [
        (report.lines_passed_by, "lines of other billing periods passed by"),
        (report.lines_rejected, "lines rejected, listed in rejected-lines.csv"),
        (report.lines_usage_outside_period, "lines of the period whose usage starts outside of it, kept"),
        (report.numbers_slow_path, "large amounts read by their shortest digits"),
        (report.duplicate_lines.unwrap_or(0), "lines whose id and interval come twice, kept"),
    ];
    for (count, what) in notes.into_iter().filter(|(count, _)| *count > 0) {
        say!("note: {} {what}", thousands(count));
    }
    if report.numbers_rounded > 0 {
        let (count, residue) = (thousands(report.numbers_rounded), &report.rounding_residue);
        say!(
            "note: {count} numbers have more than ten decimals and were rounded; together they lost {residue}"
        );
    }
    print_passed_by(&report.passed_by);
    report.warnings.iter().for_each(|warning| say!("warning: {warning}"));
}

/// Says which files were left aside, and why.
fn print_passed_by(files: &[(String, String)]) {
    for (name, reason) in files.iter().take(LISTED_MAX) {
        say!("note: `{name}` was not read: {reason}");
    }
    if files.len() > LISTED_MAX {
        say!("note: {} more files were not read", files.len() - LISTED_MAX);
    }
}

/// Says on standard error what was found in the price list, if there is one.
pub fn print_price_list(listed: &Listed) {
    if listed.sha256.is_none() {
        return;
    }
    let count = |count: usize, what: &str| {
        format!("{} {what}{}", thousands(count as u64), if count == 1 { "" } else { "s" })
    };
    say!(
        "price list: {} of {} SKUs of the month's usage, {}, from {}; it lacks {}",
        thousands(listed.prices.prices.len() as u64),
        thousands(listed.skus as u64),
        count(listed.prices.quotas.len(), "free quota"),
        count(listed.prices.offers.len(), "offer"),
        count(listed.skus_lacking, "SKU"),
    );
    print_passed_by(&listed.report.ignored);
    listed.report.warnings.iter().for_each(|warning| say!("warning: {warning}"));
}

/// Says on standard error what there is to say about the month's commitments.
pub fn print_commitments(commitments: &Commitments) {
    if let Some(coverage) = &commitments.coverage {
        let (all, covering) = (coverage.commitments.len(), coverage.utilization.iter());
        let used = covering.filter(|utilization| !utilization.used.is_zero()).count();
        say!(
            "commitments: {} applied hour by hour inside the billing groups, {} of them cover usage there",
            thousands(all as u64),
            thousands(used as u64)
        );
    }
    commitments.notes.iter().for_each(|note| say!("note: {note}"));
    commitments.warnings.iter().for_each(|warning| say!("warning: {warning}"));
}

/// Warns on standard error, and prints the groups on standard output.
pub fn print_results(results: &Results, format: OutputFormat) -> anyhow::Result<()> {
    for warning in warnings(&results.card, &results.reconciliation) {
        say!("warning: {warning}");
    }
    for warning in policy_warnings(&results.book, &results.derived) {
        say!("warning: {warning}");
    }
    if let Some(sentence) = guard::sentence(&results.guard) {
        say!("{sentence}; `proforma explain --guard` lists it");
    }
    let rows = group_rows(results)?;
    let text = match format {
        OutputFormat::Json => to_json(&rows)?,
        OutputFormat::Csv => to_csv(&rows)?,
        OutputFormat::Table => format!("{}\n", table(&rows)),
    };
    print(&text).context("the result is written, but cannot be printed")
}

/// What an operator should know of the policies of a priced month.
pub fn policy_warnings(book: &Book, derived: &Derived) -> Vec<String> {
    let mut warnings = Vec::new();
    for of in &derived.allocations {
        if of.source.is_zero() && of.parts.is_empty() {
            let name = &book.policies.allocations[of.allocation].name;
            warnings.push(format!("allocation `{name}` has nothing to deal out this month"));
        }
        for part in of.parts.iter().filter(|part| part.weight < Amount::ZERO) {
            let (name, target) =
                (&book.policies.allocations[of.allocation].name, book.target_text(&part.target));
            warnings.push(format!("allocation `{name}`: {target} weighs {}, which counts as 0", part.weight));
        }
    }
    warnings
}

/// A value as the indented JSON that is printed.
pub fn to_json(value: &impl Serialize) -> anyhow::Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(value)?))
}

/// Prints on standard output.
pub fn print(text: &str) -> io::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        // Whoever read it has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

/// What an operator should know of a priced month.
pub fn warnings(card: &RateCard, account: &Reconciliation) -> Vec<String> {
    let mut warnings = card.warnings.clone();
    for (name, (lines, cost)) in &account.unknown_line_item_types {
        warnings.push(format!(
            "line item type `{name}` is unknown: {lines} lines of {cost} are on no pro forma bill"
        ));
    }
    for rule in account.rules_without_lines.iter().take(LISTED_MAX) {
        warnings.push(format!("pricing rule `{rule}` prices no line of this month"));
    }
    if account.rules_without_lines.len() > LISTED_MAX {
        warnings.push(format!("{} more rules price no line", account.rules_without_lines.len() - LISTED_MAX));
    }
    for account in account.accounts_without_lines.iter().take(LISTED_MAX) {
        warnings.push(format!("account `{account}` of the book has no line this month"));
    }
    if account.accounts_without_lines.len() > LISTED_MAX {
        let more = account.accounts_without_lines.len() - LISTED_MAX;
        warnings
            .push(format!("{more} more accounts of the book have no line; reconciliation.json lists them"));
    }
    if account.lines.commitment_without_arn > 0 {
        let lines = thousands(account.lines.commitment_without_arn);
        warnings.push(format!(
            "{lines} lines of covered usage name no commitment: their own account counts as its owner"
        ));
    }
    if account.lines.fallen_back > 0 {
        let lines = thousands(account.lines.fallen_back);
        warnings.push(format!("{lines} lines have no public cost and are priced at their unblended cost"));
    }
    let listed = [
        (account.zero_rate.len(), "free usage of unknown quotas: 0"),
        (account.tiered_on_unblended.len(), "SKUs of unknown tiers: their unblended cost"),
        (account.tiered_on_public.len(), "SKUs of unknown tiers under a discount: the dearest tier"),
    ];
    for (count, what) in listed.into_iter().filter(|(count, _)| *count > 0) {
        let classes = if count == 1 { "1 class".to_owned() } else { format!("{count} classes") };
        warnings.push(format!("{classes} of {what}; reconciliation.json lists them, a price list may help"));
    }
    warnings
}

/// An empty table under a header, some of its columns for numbers.
pub fn empty_table(header: &[&str], numbers: Range<usize>) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY);
    table.set_header(header);
    for column in numbers {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn table(rows: &[GroupRow]) -> Table {
    let header = ["billing group", "AWS cost", "pro forma", "margin", "margin %", "currency"];
    let mut table = empty_table(&header, 1..5);
    for row in rows {
        let amount = |text: &Option<String>| text.clone().unwrap_or_default();
        table.add_row([
            row.label(),
            row.aws_cost.clone(),
            amount(&row.pro_forma_cost),
            amount(&row.margin),
            amount(&row.margin_percentage),
            row.currency.clone(),
        ]);
    }
    table
}

/// A count with its thousands set apart.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
