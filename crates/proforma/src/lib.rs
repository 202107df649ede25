//! `proforma`: a self-hosted billing conductor.
//!
//! Cost files and a book in, pro forma bills out. This crate parses the command line, starts the reading child, and writes what `billing`
//! computes; it knows no price. [`engine`] does the same for a billing desk, without a terminal.

/// Says a line on standard error; nobody listening is no reason to fail.
macro_rules! say {
    ($($arguments:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($arguments)*);
    }};
}

mod cli;
mod coverage;
mod desk;
mod diff;
pub mod engine;
mod explain;
mod export;
mod failure;
mod group_tree;
mod groups;
mod guard;
mod invoice;
mod month;
mod outgoing;
mod preview;
mod price_list;
mod pricing;
mod publish;
mod reader;
mod reading_file;
mod report;
mod report_files;
mod resale;
mod run;
mod run_folder;
mod terminal;
mod wording;

use clap::Parser;
use cli::invoice::InvoiceCommand;
use cli::{Cli, Command};
use std::process::ExitCode;

/// Does what the command line asks for.
#[must_use]
pub fn program() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Export(arguments) => export::export(&arguments),
        Command::Preview(arguments) => preview::preview(&arguments),
        Command::Diff(arguments) => diff::diff(&arguments),
        Command::Explain(arguments) => explain::explain(&arguments),
        Command::Report(arguments) => report::report(&arguments),
        Command::Groups(arguments) => groups::groups(&arguments),
        Command::Serve(arguments) => desk::serve(&arguments),
        Command::Init(arguments) => desk::init(&arguments),
        Command::Keys(arguments) => desk::keys(&arguments),
        Command::Accounts(arguments) => desk::accounts(&arguments),
        Command::Sync(arguments) => desk::sync(&arguments),
        Command::Rules(arguments) => desk::rules(&arguments),
        Command::Import(arguments) => desk::import(&arguments),
        Command::Runs(arguments) => desk::runs(&arguments),
        Command::Periods(arguments) => desk::periods(&arguments),
        Command::Close(arguments) => desk::close(&arguments),
        Command::Po(arguments) => desk::po(&arguments),
        Command::Invoice(arguments) => match arguments.command {
            InvoiceCommand::Aws(arguments) => invoice::aws(&arguments),
            InvoiceCommand::OfAws(command) => desk::invoicing(&command),
            InvoiceCommand::Render(arguments) => invoice::render(&arguments),
            InvoiceCommand::Own(command) => desk::own_invoices(&command),
        },
        Command::Book(arguments) => desk::book(&arguments),
        Command::Outbox(arguments) => desk::outbox(&arguments),
        Command::Notify(arguments) => desk::notify(&arguments),
        Command::Schedule(arguments) => desk::schedule(&arguments),
        Command::SavedReport(arguments) => desk::saved_report(&arguments),
        Command::CostCategory(arguments) => desk::cost_category(&arguments),
        Command::Privacy(arguments) => desk::privacy(&arguments),
        Command::Adopt(arguments) => desk::adopt(&arguments),
        Command::Doctor(arguments) => desk::doctor(&arguments),
        Command::Backup(arguments) => desk::backup(&arguments),
        Command::Restore(arguments) => desk::restore(&arguments),
        Command::Verify(arguments) => desk::verify(&arguments),
        Command::Migrate(arguments) => desk::migrate(&arguments),
        Command::ReadCostFiles => {
            cost_data::worker::serve(std::io::stdin(), std::io::stdout()).map_err(Into::into)
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
