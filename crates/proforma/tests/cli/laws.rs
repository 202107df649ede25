//! The laws of pricing, on made-up months: nothing is lost, every amount has its cause, and what means the same costs the same.
//!
//! A seed determines month, book and files. A failing case prints its seed; `PROFORMA_SEED` makes it the first one.

mod agreement;
mod below_account;
mod breakdowns;
mod equal_books;
mod equal_files;
mod exports;
mod focus_months;
mod hierarchies;
mod policies;
mod questions;

use crate::support::{Done, Run};
use testkit::book::BookOptions;
use testkit::calendar::shift_period;
use testkit::random::Random;
use testkit::write::{CostType, Delivery, Order};
use testkit::{Form, Line, MonthOptions, SampleBook, SampleMonth, WriteOptions, write_month};

/// The month of all cases.
const PERIOD: &str = "2026-10";

/// The seeds of a test: so many from the first on.
fn seeds(count: u64) -> impl Iterator<Item = u64> {
    let given = std::env::var("PROFORMA_SEED").ok();
    let first = given.map_or(1, |seed| seed.parse().expect("PROFORMA_SEED is a number"));
    (0..count).map(move |number| first + number)
}

/// A month, its book, and how its files are written.
struct Case {
    seed: u64,
    month: SampleMonth,
    book: SampleBook,
    options: WriteOptions,
    /// More arguments of its runs.
    more: Vec<&'static str>,
}

impl Case {
    /// The case of a seed, with lines of the month before among its lines.
    fn of(seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0xCA5E);
        let is_in_two_currencies = random.percent(25);
        let currencies: &[&str] = if is_in_two_currencies { &["USD", "EUR"] } else { &["USD"] };
        let options = MonthOptions {
            seed,
            period: PERIOD.to_owned(),
            accounts: 4 + random.index(9),
            lines: 300 + random.index(200),
            net_columns: random.percent(50),
            currencies: currencies.iter().map(ToString::to_string).collect(),
            large_amounts: random.percent(25),
            unknown_type: random.percent(50),
        };
        let mut month = SampleMonth::generate(&options);
        // Custom tiers are in one currency: a line in another is refused.
        let book = BookOptions { seed, custom_tiers: !is_in_two_currencies, ..BookOptions::default() };
        let book = SampleBook::generate(&book, &month);
        let before = MonthOptions { period: shift_period(PERIOD, -1), lines: 20, ..options.clone() };
        month.lines.extend(SampleMonth::generate(&before).lines.into_iter().take(random.index(20)));
        let options = write_options(&mut random, options.large_amounts);
        Self { seed, month, book, options, more: Vec::new() }
    }

    /// A case whose amounts fit every type that files have, so that only the files may differ.
    fn of_plain_amounts(seed: u64) -> Self {
        (0..)
            .map(|step| Self::of(seed + 1_000_000 * step))
            .find(|case| !case.has_large_amounts())
            .expect("one")
    }

    /// The case as billed: with the coverage of the real bill.
    fn billed(mut self) -> Self {
        self.more.push(AS_BILLED);
        self
    }

    fn has_large_amounts(&self) -> bool {
        self.month.lines.iter().any(|line| line.unblended_cost() > testkit::Amount::whole(225_000))
    }

    /// Prices other lines under the same book.
    fn run_of(&self, lines: &[Line]) -> Done {
        run_with(&self.book, lines, &self.options, &self.more)
    }

    /// Prices the same lines under another book.
    fn run_under(&self, book: &SampleBook) -> Done {
        run_with(book, &self.month.lines, &self.options, &self.more)
    }

    fn run(&self) -> Done {
        self.run_of(&self.month.lines)
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("PROFORMA_SEED={} repeats this case", self.seed);
        }
    }
}

/// Files of any form; amounts beyond what a double holds to ten decimals come as decimals.
fn write_options(random: &mut Random, large_amounts: bool) -> WriteOptions {
    let form = *random.pick(&Form::ALL);
    let costs = [CostType::Double, CostType::Decimal(38, 10), CostType::Text];
    let deliveries = [Delivery::Loose, Delivery::Overwrite, Delivery::KeepVersions { with_older: true }];
    WriteOptions {
        delivery: *random.pick(&deliveries),
        files: 1 + random.index(4),
        order: Order::Shuffled(random.draw()),
        costs: if large_amounts { CostType::Decimal(38, 10) } else { *random.pick(&costs) },
        row_group_rows: 50 + random.index(200),
        ..WriteOptions::new(form, PERIOD)
    }
}

/// Commitments cover what they cover in the real bill, as the second pricer has it.
const AS_BILLED: &str = "--no-simulation";

fn run(book: &SampleBook, lines: &[Line], options: &WriteOptions) -> Done {
    run_with(book, lines, options, &[])
}

fn run_with(book: &SampleBook, lines: &[Line], options: &WriteOptions, more: &[&str]) -> Done {
    let run = Run::new(PERIOD, &book.to_toml(), |cost| drop(write_month(cost, lines, options)));
    run.with(&["--output", "json"]).with(more).go().succeeded()
}
