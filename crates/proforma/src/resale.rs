//! `proforma run --upstream RUN --account ID`: a level of a chain of billing transfers prices what the level above charges it.
//!
//! The run above is opened like any other run, and priced again; what its statements charge the level (`billing::resale`) is the cost cube of this
//! run. Nothing else of the run above comes into the folder of this one, but the place of its folder in `source.json`.

use crate::cli::{ExportLayout, RunArguments};
use crate::coverage::Commitments;
use crate::failure::{Failure, damaged};
use crate::month::{self, price};
use crate::price_list::{self, Listed};
use crate::pricing::{BookText, Rated, ReadBook, read_book};
use crate::publish::{CUBE, DAILY_CUBE, Draft, MARK, as_marked};
use crate::report_files;
use crate::run_folder::{self, RunFolder};
use crate::terminal::{self, thousands};
use anyhow::Context;
use billing::account::AccountId;
use billing::book::Book;
use billing::breakdown::Days;
use billing::money::Currency;
use billing::rate_card::known_prices;
use billing::resale::{self, Above, Charged};
use billing::sharing::Sharing;
use billing::statement::{self, Statement};
use cost_data::hash::hex;
use cost_data::price_list::Needs;
use cost_data::price_list::kept::{self, PRICE_LIST_FILE};
use cost_data::report::{FileReport, Report};
use cost_data::source_file::{UpstreamRun, UpstreamSource};
use cost_data::worker::Answer;
use cost_data::{cube_file, daily_file};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Why commitments are not applied hour by hour.
const AS_CHARGED: &str =
    "the month is what a level above charges: commitments cover what they cover on its bill";
/// The way out where lines are asked for.
pub const HINT_LINES: &str = "ask the run above, whose cost files have the lines";

/// Opens the run above, prices what it charges, writes and prints.
pub fn run(arguments: &RunArguments, upstream: &Path) -> Result<(), Failure> {
    if arguments.export != ExportLayout::None {
        let problem = "a run of what a level above charges has no lines that could be exported";
        return Err(Failure::input(problem).hint("leave --export out; lines are exported by the run above"));
    }
    let ReadBook { book, text: book_text, files: book_files } = read_book(&arguments.book)?;
    let mut level = Level::open(arguments, upstream, &book)?;
    let draft = Draft::begin(&arguments.out, arguments.force, arguments.scratch.as_deref())?;
    let charged = level.charged(arguments)?;
    let listed = level.listed(arguments, &charged, &draft)?;
    let answer = level.answer(charged, &book, &draft)?;
    let (classes, shown) = (thousands(answer.cube.classes.len() as u64), upstream.display());
    say!("priced {classes} charge classes of what run `{shown}` charges account `{}`", level.account);
    answer.report.warnings.iter().for_each(|warning| say!("warning: {warning}"));
    terminal::print_price_list(&listed);
    let commitments = Commitments { why_not: Some(AS_CHARGED.to_owned()), ..Commitments::default() };
    let mut results = price(level.run.period, book, answer, listed, commitments)?;
    results.upstream = Some(as_marked(&level.mark_sha256));
    let book = BookText { path: &arguments.book, text: &book_text, files: &book_files };
    month::write(&draft, &book, &results)?;
    let run = UpstreamRun {
        run: shown.to_string(),
        reconciliation: hex(&level.mark_sha256),
        account_id: level.account.to_string(),
    };
    report_files::write_source(&draft, &UpstreamSource::new(level.run.period, run))?;
    draft.publish()?;
    Ok(terminal::print_results(&results, arguments.output)?)
}

/// A level and the run above it.
struct Level {
    account: AccountId,
    run: RunFolder,
    mark_sha256: [u8; 32],
    mark_bytes: u64,
}

impl Level {
    fn open(arguments: &RunArguments, upstream: &Path, book: &Book) -> Result<Self, Failure> {
        let text = arguments.account.as_deref().unwrap_or_default();
        let account = AccountId::parse(text).ok_or_else(|| {
            Failure::input(format!("--account: `{text}` is not an account id"))
                .hint("give the source account of a billing transfer of the run above")
        })?;
        if book.payer != account {
            let problem = format!("the book is of payer account `{}`, the level of `{account}`", book.payer);
            return Err(
                Failure::input(problem).hint("check --account, --book and the book's payer_account_id")
            );
        }
        if let policy @ (Sharing::Real | Sharing::ProRata) = book.sharing {
            let problem = format!(
                "`sharing.commitments = \"{}\"` cannot be applied to what a level above charges: its bill does not say what covered usage took \
                 of its commitment",
                policy.name()
            );
            return Err(Failure::input(problem).hint("share commitments by `members` or `keep`"));
        }
        let run = run_folder::open(upstream)?;
        let shown = upstream.display();
        if let Some(period) = arguments.period.as_ref().filter(|period| **period != run.period.to_string()) {
            let problem = format!("run `{shown}` is of {}, not of {period}", run.period);
            return Err(Failure::input(problem)
                .hint("leave --period out, or give a run of that month with --upstream"));
        }
        let same = |one: &Path, other: &Path| fs::canonicalize(one).ok().zip(fs::canonicalize(other).ok());
        if same(&arguments.out, upstream).is_some_and(|(out, upstream)| out == upstream) {
            let problem =
                format!("`{shown}` is the run above: it cannot be replaced by what is made from it");
            return Err(Failure::input(problem).hint("give another folder with --out"));
        }
        let mark =
            fs::read(upstream.join(MARK)).with_context(|| format!("cannot read `{MARK}` in `{shown}`"))?;
        let (mark_sha256, mark_bytes) = (Sha256::digest(&mark).into(), mark.len() as u64);
        let level = Self { account, run, mark_sha256, mark_bytes };
        level.check_charged()?;
        Ok(level)
    }

    /// Whether the run above charges the level anything.
    fn check_charged(&self) -> Result<(), Failure> {
        let (book, period) = (&self.run.book, self.run.period);
        if !resale::groups_of_level(book, period, &self.account).is_empty() {
            return Ok(());
        }
        let problem = format!(
            "run `{}` charges account `{}` nothing in {period}: no billing group there is of a billing transfer in force whose source it is, or \
             that passes through it",
            self.run.path.display(),
            self.account
        );
        let levels: Vec<String> =
            resale::levels(book, period).into_iter().map(|account| format!("`{account}`")).collect();
        Err(Failure::input(problem).hint(match levels.as_slice() {
            [] => "the run has no billing group with a responsibility_transfer in force".to_owned(),
            levels => format!("it charges {}", levels.join(", ")),
        }))
    }

    /// What the level is charged, from the run above priced once more.
    fn charged(&mut self, arguments: &RunArguments) -> Result<Charged, Failure> {
        let Rated { card, charges, .. } = self.run.rate()?;
        let RunFolder { cube, book, path, .. } = &self.run;
        let coverage = self.run.coverage()?;
        let statements = statement::statements(cube, book, &card, &charges)?;
        self.check_totals(&statements)?;
        let classes = if arguments.no_daily { None } else { self.run.days()? };
        let covered = coverage.map_or(&[][..], |coverage| &coverage.days);
        let days = classes.as_deref().map(|classes| Days { classes, covered });
        let above = Above { cube, book, card: &card, statements: &statements, coverage, days };
        resale::charged(above, &self.account).map_err(|error| damaged(path, error.to_string()))
    }

    /// The statements must be those that the run above has written.
    fn check_totals(&self, statements: &[Statement]) -> Result<(), Failure> {
        let key = |statement: &Statement| -> (String, Currency) {
            (self.run.book.groups[statement.group].name.clone(), statement.currency)
        };
        let totals: BTreeMap<_, _> = statements.iter().map(|of| (key(of), of.total_shown)).collect();
        match totals == self.run.statement_totals {
            true => Ok(()),
            false => {
                Err(damaged(&self.run.path, "its statements are not those that follow from it".to_owned()))
            }
        }
    }

    /// The public prices of the level's SKUs: of the price list that is given, else what the run above knows.
    fn listed(&self, arguments: &RunArguments, charged: &Charged, draft: &Draft) -> Result<Listed, Failure> {
        if !arguments.price_list.is_empty() {
            return price_list::read(&arguments.price_list, &arguments.children(), &charged.cube, draft);
        }
        let prices = known_prices(&self.run.cube, &self.run.prices, &resale::skus(&charged.cube));
        if prices.prices.is_empty() && prices.quotas.is_empty() {
            return Ok(Listed::default());
        }
        let bytes = kept::bytes(&prices)?;
        draft.write(PRICE_LIST_FILE, &bytes)?;
        let skus = Needs::of(&charged.cube).skus.len();
        Ok(Listed {
            skus,
            skus_lacking: skus.saturating_sub(prices.prices.len()),
            sha256: Some(hex(&Sha256::digest(&bytes))),
            prices,
            ..Listed::default()
        })
    }

    /// Writes the level's cubes into the draft; from here on they are like any others.
    fn answer(&self, charged: Charged, book: &Book, draft: &Draft) -> Result<Answer, Failure> {
        let Charged { cube, control, days } = charged;
        let path = draft.path(CUBE);
        cube_file::write(&path, &cube, &control).with_context(|| format!("cannot write `{CUBE}`"))?;
        let written = fs::read(&path).with_context(|| format!("cannot read `{CUBE}` again"))?;
        let daily = |days| daily_file::write_days(&draft.path(DAILY_CUBE), days, cube.period);
        let daily = days.as_deref().map(daily).transpose();
        let daily_sha256 =
            daily.with_context(|| format!("cannot write `{DAILY_CUBE}`"))?.map(|hash| hex(&hash));
        let asked = book.reports.tags.iter().chain(&book.reports.cost_categories);
        let warnings = asked.map(|name| {
            format!("`reports`: no line has `{name}`: the level above hands no tags and cost categories down")
        });
        let file = FileReport {
            name: MARK.to_owned(),
            sha256: hex(&self.mark_sha256),
            bytes: self.mark_bytes,
            format: self.run.format,
            because: "what the run above charges".to_owned(),
            read_from: self.run.path.join(MARK).display().to_string(),
            pinned: None,
        };
        let report = Report {
            files: vec![file],
            lines_read: cube.classes.iter().map(|class| class.lines).sum(),
            rounding_residue: "0".to_owned(),
            daily_sha256,
            warnings: warnings.collect(),
            ..Report::default()
        };
        Ok(Answer { cube, control, cube_sha256: Sha256::digest(&written).into(), report })
    }
}

/// Refuses what needs lines of a run that has none.
pub fn needs_lines(run: &RunFolder, what: &str) -> Result<(), Failure> {
    match run.is_of_upstream {
        false => Ok(()),
        true => {
            let problem = format!(
                "run `{}` is made from what a run above charges account `{}`: it has no cost files, and {what}",
                run.path.display(),
                run.book.payer
            );
            Err(Failure::input(problem).hint(HINT_LINES))
        }
    }
}
