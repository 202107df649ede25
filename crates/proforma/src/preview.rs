//! `proforma preview`: what another book would make of the months of some runs, from their cubes alone.

mod rows;

use crate::cli::{OutputFormat, PreviewArguments};
use crate::failure::Failure;
use crate::guard;
use crate::pricing::{Rated, rate, read_book};
use crate::report_files::to_csv;
use crate::run_folder::{self, RunFolder};
use crate::terminal::{policy_warnings, print, to_json, warnings};
use anyhow::anyhow;
use billing::book::Book;
use billing::charge_class::Cube;
use billing::margin_guard::findings;
use billing::money::{Cost, Currency, DecimalError};
use billing::reconciliation::reconcile;
use billing::statement::{self, Statement};
use rows::{Month, Side};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

/// Prices each month before and after, side by side, and prints the differences.
pub fn preview(arguments: &PreviewArguments) -> Result<(), Failure> {
    let started = Instant::now();
    let folders = run_folder::by_month(&arguments.run)?;
    // A large book takes as long to parse as a part of the cube to decode.
    let (books, first) = thread::scope(|scope| {
        let books = scope.spawn(|| Books::read(&arguments.book));
        let first = folders.first().map(|folder| run_folder::open(folder));
        (books.join(), first)
    });
    let books = books.map_err(|_| anyhow!("a book could not be read"))??;
    let mut first = first.transpose()?;
    let mut pricing = Duration::ZERO;
    let mut months = Vec::with_capacity(folders.len());
    // One month after the other: a large one's cube takes hundreds of megabytes.
    for folder in &folders {
        let run = first.take().map_or_else(|| run_folder::open(folder), Ok)?;
        let opened = Instant::now();
        books.check_payer(&run)?;
        months.push(compared(&run, &books, arguments)?);
        pricing += opened.elapsed();
    }
    let rows = rows::all(months)?;
    let text = match arguments.output {
        OutputFormat::Json => to_json(&rows)?,
        OutputFormat::Csv => to_csv(&rows)?,
        OutputFormat::Table => {
            format!("{}\n", rows::table(&rows, folders.len() > 1, arguments.by_product))
        }
    };
    print(&text)?;
    if arguments.timings {
        for (part, time) in [("opening", started.elapsed().saturating_sub(pricing)), ("pricing", pricing)] {
            say!("timing {part}_wall_seconds={}.{:06}", time.as_secs(), time.subsec_micros());
        }
    }
    Ok(())
}

/// What is compared.
struct Books {
    /// The book before; `None` where it is every run's own.
    first: Option<Draft>,
    /// The book after.
    second: Draft,
}

/// A book and the name of its file.
struct Draft {
    name: String,
    book: Book,
}

impl Books {
    fn read(paths: &[PathBuf]) -> Result<Self, Failure> {
        let draft = |path: &PathBuf| -> Result<Draft, Failure> {
            Ok(Draft { name: path.display().to_string(), book: read_book(path)?.book })
        };
        match paths {
            [second] => Ok(Self { first: None, second: draft(second)? }),
            [first, second] => Ok(Self { first: Some(draft(first)?), second: draft(second)? }),
            _ => {
                let hint =
                    "give one to compare with what the runs have charged, or two to compare with each other";
                Err(Failure::input(format!("{} books are given", paths.len())).hint(hint))
            }
        }
    }

    /// Whether the books may price a run: they are of one payer.
    fn check_payer(&self, run: &RunFolder) -> Result<(), Failure> {
        let of_run = &run.book.payer;
        let Some(Draft { name, book }) =
            self.first.iter().chain([&self.second]).find(|draft| draft.book.payer != *of_run)
        else {
            return Ok(());
        };
        let (folder, payer) = (run.path.display(), &book.payer);
        let problem = format!("run `{folder}` is of payer account `{of_run}`, book `{name}` of `{payer}`");
        Err(Failure::input(problem).hint("check --run, --book and the book's payer_account_id"))
    }
}

/// A month under both books, side by side. Says what a run would warn of; of which month and book, where there are several.
fn compared(run: &RunFolder, books: &Books, arguments: &PreviewArguments) -> Result<Month, Failure> {
    let by_product = arguments.by_product;
    let about = |draft: &Draft| {
        let month = (arguments.run.len() > 1).then(|| run.period.to_string());
        let book = books.first.as_ref().map(|_| draft.name.clone());
        month.into_iter().chain(book).collect::<Vec<_>>().join(": ")
    };
    let under = |draft: &Draft| {
        let priced = priced(run, &draft.book, by_product);
        priced.map_err(|failure| failure.about(&about(draft)))
    };
    let (before, after) = thread::scope(|scope| {
        let before = scope.spawn(|| books.first.as_ref().map_or_else(|| charged(run, by_product), under));
        let after = under(&books.second);
        (before.join(), after)
    });
    let before = before.map_err(|_| anyhow!("a month could not be priced"))??;
    let after = after?;
    let first = books.first.as_ref().unwrap_or(&books.second);
    for (priced, draft) in [(&before, first), (&after, &books.second)] {
        let about = about(draft);
        let colon = if about.is_empty() { "" } else { ": " };
        priced.warnings.iter().for_each(|warning| say!("warning: {about}{colon}{warning}"));
        priced.guard.iter().for_each(|sentence| say!("{about}{colon}{sentence}"));
    }
    let (names, book) = match &books.first {
        Some(first) => (["first", "second"], &first.book),
        None => (["run", "draft"], &run.book),
    };
    let before = Side { name: names[0], book, amounts: before.amounts };
    let after = Side { name: names[1], book: &books.second.book, amounts: after.amounts };
    Ok(Month::new(run.period, &before, &after)?)
}

/// Pro forma amounts, as shown, by group, currency and product; one product without a name where groups are not taken apart.
type Amounts = BTreeMap<(String, Currency, String), Cost>;

/// A month under a book.
struct Priced {
    amounts: Amounts,
    warnings: Vec<String>,
    /// What the margin guard says.
    guard: Option<String>,
}

/// What the run itself has charged; it has warned then. It has kept its totals; what it charged for a product is worked out again.
fn charged(run: &RunFolder, by_product: bool) -> Result<Priced, Failure> {
    let amounts = if by_product {
        let mut book = run.book.clone();
        let rated = rate(&run.cube, &mut book, &run.prices, run.coverage()?)?;
        amounts_of(&run.cube, &book, &rated, true)?
    } else {
        let totals = run.statement_totals.iter();
        totals.map(|((group, currency), total)| ((group.clone(), *currency, String::new()), *total)).collect()
    };
    Ok(Priced { amounts, warnings: Vec::new(), guard: None })
}

/// What a run would charge under a book, and warn of.
fn priced(run: &RunFolder, book: &Book, by_product: bool) -> Result<Priced, Failure> {
    let (coverage, mut said) = run.coverage_under(book)?;
    let mut book = run.with_benefits(book, coverage.as_deref())?.into_owned();
    let rated = rate(&run.cube, &mut book, &run.prices, coverage.as_deref())?;
    let (book, card) = (&book, &rated.card);
    let (account, amounts, findings) = thread::scope(|scope| {
        let account = scope.spawn(|| reconcile(&run.cube, book, card, &[], &run.control));
        let amounts = amounts_of(&run.cube, book, &rated, by_product);
        let findings = findings(&run.cube, book, card, &rated.charges, &rated.derived);
        (account.join(), amounts, findings)
    });
    let account = account.map_err(|_| anyhow!("a month could not be reconciled"))??;
    said.extend(warnings(card, &account));
    said.extend(policy_warnings(book, &rated.derived));
    Ok(Priced { amounts: amounts?, warnings: said, guard: guard::sentence(&findings?) })
}

fn amounts_of(cube: &Cube, book: &Book, rated: &Rated, by_product: bool) -> Result<Amounts, Failure> {
    let Rated { card, charges, .. } = rated;
    let name = |group: usize| book.groups[group].name.clone();
    let mut amounts = Amounts::new();
    if by_product {
        for statement in statement::statements(cube, book, card, charges)? {
            let group = name(statement.group);
            if statement.lines.is_empty() && statement.items.is_empty() {
                amounts.insert((group.clone(), statement.currency, String::new()), Cost::ZERO);
            }
            amounts.extend(of_statement(cube, &statement, &group)?);
        }
    } else {
        let totals = statement::totals(cube, book, card, charges)?;
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
