//! `proforma preview`: what another book would make of a run's month, from its cube alone.

use crate::cli::{OutputFormat, PreviewArguments};
use crate::failure::Failure;
use crate::report_files::to_csv;
use crate::run::{check_payer, not_priced, read_book};
use crate::run_folder::{self, RunFolder};
use crate::terminal::{empty_table, print, print_warnings, to_json};
use anyhow::anyhow;
use billing::book::Book;
use billing::charge_class::Cube;
use billing::money::{Cost, Currency, DecimalError, percentage_shown};
use billing::rate_card::{RateCard, item_charges, rate_card};
use billing::reconciliation::{Reconciliation, reconcile};
use billing::statement::{self, Statement};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// Prices the month under both books, side by side, and prints the difference.
pub fn preview(arguments: &PreviewArguments) -> Result<(), Failure> {
    let started = Instant::now();
    // A large book takes as long to parse as a part of the cube to decode.
    let (draft, run) = std::thread::scope(|scope| {
        let draft = scope.spawn(|| read_book(&arguments.book));
        let run = run_folder::open(&arguments.run);
        (draft.join(), run)
    });
    let (draft, _) = draft.map_err(|_| anyhow!("the book could not be read"))??;
    let run = run?;
    let opened = started.elapsed();
    check_payer(&draft, &run.cube)?;
    let by_product = arguments.by_product;
    let (before, after) = std::thread::scope(|scope| {
        let before = scope.spawn(|| before(&run, by_product));
        let after = after(&run, &draft, by_product);
        (before.join(), after)
    });
    let (card, account, after) = after?;
    let before = before.map_err(|_| anyhow!("the run's own book could not be priced"))??;
    print_warnings(&card, &account);
    let rows = rows(&run.book, &draft, &before, &after)?;
    let text = match arguments.output {
        OutputFormat::Json => to_json(&rows)?,
        OutputFormat::Csv => to_csv(&rows)?,
        OutputFormat::Table => format!("{}\n", table(&rows, by_product)),
    };
    print(&text)?;
    if arguments.timings {
        for (part, time) in [("opening", opened), ("pricing", started.elapsed() - opened)] {
            say!("timing {part}_wall_seconds={}.{:06}", time.as_secs(), time.subsec_micros());
        }
    }
    Ok(())
}

/// Pro forma amounts, as shown, by group, currency and product; one product without a name where groups are not taken apart.
type Amounts = BTreeMap<(String, Currency, String), Cost>;

/// What the run itself has charged. It has kept its totals; what it charged for a product is worked out again.
fn before(run: &RunFolder, by_product: bool) -> Result<Amounts, Failure> {
    if by_product {
        let card = rate_card(&run.cube, &run.book).map_err(not_priced)?;
        return amounts_of(&run.cube, &run.book, &card, true);
    }
    let totals = run.statement_totals.iter();
    Ok(totals.map(|((group, currency), total)| ((group.clone(), *currency, String::new()), *total)).collect())
}

/// What a run would charge under another book, and what it would say of that.
fn after(
    run: &RunFolder,
    draft: &Book,
    by_product: bool,
) -> Result<(RateCard, Reconciliation, Amounts), Failure> {
    let card = rate_card(&run.cube, draft).map_err(not_priced)?;
    let (account, amounts) = std::thread::scope(|scope| {
        let account = scope.spawn(|| reconcile(&run.cube, draft, &card, &[], &run.control));
        let amounts = amounts_of(&run.cube, draft, &card, by_product);
        (account.join(), amounts)
    });
    let account = account.map_err(|_| anyhow!("the month could not be reconciled"))??;
    Ok((card, account, amounts?))
}

fn amounts_of(cube: &Cube, book: &Book, card: &RateCard, by_product: bool) -> Result<Amounts, Failure> {
    let charges = item_charges(cube, book, card).map_err(not_priced)?;
    let name = |group: usize| book.groups[group].name.clone();
    let mut amounts = Amounts::new();
    if by_product {
        for statement in statement::statements(cube, book, card, &charges)? {
            let group = name(statement.group);
            if statement.lines.is_empty() && statement.items.is_empty() {
                amounts.insert((group.clone(), statement.currency, String::new()), Cost::ZERO);
            }
            amounts.extend(of_statement(cube, &statement, &group)?);
        }
    } else {
        let totals = statement::totals(cube, book, card, &charges)?;
        amounts.extend(
            totals.iter().map(|total| ((name(total.group), total.currency, String::new()), total.shown)),
        );
    }
    Ok(amounts)
}

fn of_statement(cube: &Cube, statement: &Statement, group: &str) -> Result<Amounts, DecimalError> {
    let row = |(product, amount): (&str, Cost)| {
        ((group.to_owned(), statement.currency, product.to_owned()), amount)
    };
    Ok(statement.by_product(cube)?.into_iter().map(row).collect())
}

/// A line of what is printed.
#[derive(Debug, Serialize)]
struct Row {
    /// `group`, `product` or `total`.
    kind: &'static str,
    billing_group: Option<String>,
    product: Option<String>,
    before: Option<String>,
    after: Option<String>,
    difference: String,
    difference_percentage: Option<String>,
    currency: String,
    /// Where one of the books does not have the group: which one has it.
    only_in: Option<&'static str>,
}

/// Each group's place where two books are shown: in the order of the first, what only the second has after that.
pub fn group_order<'a>(first: &'a Book, second: &'a Book) -> BTreeMap<&'a str, usize> {
    let mut order = BTreeMap::new();
    for (place, group) in first.groups.iter().chain(&second.groups).enumerate() {
        order.entry(group.name.as_str()).or_insert(place);
    }
    order
}

/// The groups in the draft's order, those that only the run has after them, and the totals.
fn rows(old: &Book, draft: &Book, before: &Amounts, after: &Amounts) -> Result<Vec<Row>, DecimalError> {
    let order = group_order(draft, old);
    let names = |book: &Book| book.groups.iter().map(|group| group.name.clone()).collect();
    let (old_names, draft_names): (BTreeSet<String>, BTreeSet<String>) = (names(old), names(draft));
    let mut keys: Vec<_> = before.keys().chain(after.keys()).collect::<BTreeSet<_>>().into_iter().collect();
    keys.sort_by_key(|(group, ..)| order.get(group.as_str()));
    let mut rows = Vec::with_capacity(keys.len());
    let mut totals: BTreeMap<Currency, [Cost; 2]> = BTreeMap::new();
    for key in keys {
        let (group, currency, product) = key;
        let amounts = [before.get(key).copied(), after.get(key).copied()];
        let total = totals.entry(*currency).or_default();
        for (sum, amount) in total.iter_mut().zip(amounts) {
            *sum = sum.plus(amount.unwrap_or_default())?;
        }
        let only_in = match (old_names.contains(group), draft_names.contains(group)) {
            (true, false) => Some("run"),
            (false, true) => Some("draft"),
            _ => None,
        };
        let product = (!product.is_empty()).then(|| product.clone());
        let kind = if product.is_some() { "product" } else { "group" };
        rows.push(Row { product, only_in, ..row(kind, Some(group.clone()), *currency, amounts)? });
    }
    for (currency, sums) in totals {
        rows.push(row("total", None, currency, sums.map(Some))?);
    }
    Ok(rows)
}

fn row(
    kind: &'static str,
    billing_group: Option<String>,
    currency: Currency,
    [before, after]: [Option<Cost>; 2],
) -> Result<Row, DecimalError> {
    let base = before.unwrap_or_default();
    let difference = after.unwrap_or_default().minus(base)?;
    let percentage = (!base.is_zero() || difference.is_zero()).then(|| percentage_shown(difference, base));
    Ok(Row {
        kind,
        billing_group,
        product: None,
        before: before.map(|amount| amount.to_string()),
        after: after.map(|amount| amount.to_string()),
        difference: difference.to_string(),
        difference_percentage: percentage.map(|percentage| percentage.to_string()),
        currency: currency.to_string(),
        only_in: None,
    })
}

fn table(rows: &[Row], by_product: bool) -> comfy_table::Table {
    let mut header = vec!["billing group", "before", "after", "difference", "%", "currency", ""];
    if by_product {
        header.insert(1, "product");
    }
    let first = if by_product { 2 } else { 1 };
    let mut table = empty_table(&header, first..first + 4);
    for row in rows {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let mut cells = vec![row.billing_group.clone().unwrap_or_else(|| "(total)".to_owned())];
        if by_product {
            cells.push(text(&row.product));
        }
        let only_in = row.only_in.map(|book| format!("only in the {book}")).unwrap_or_default();
        let amounts = [text(&row.before), text(&row.after), row.difference.clone()];
        cells.extend(amounts.into_iter().chain([text(&row.difference_percentage)]));
        cells.extend([row.currency.clone(), only_in]);
        table.add_row(cells);
    }
    table
}
