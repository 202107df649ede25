//! The commands of saved reports.

use super::desk::{DeskArguments, ListArguments};
use clap::{Args, Subcommand};
use std::path::PathBuf;

const EXAMPLES: &str = "\
A report is a question to Cost Explorer with a name: docs/saved-reports.md. Keys are dimensions of Cost Explorer (SERVICE, LINKED_ACCOUNT), tag:KEY or
cost-category:NAME; the filter is Cost Explorer's Expression as JSON.

Examples:
  proforma saved-report put 'Costs by service' --time-range LAST_3_MONTHS --group-by SERVICE --chart bar --data ./desk
  proforma saved-report put 'Weekly, team web' --time-range LAST_7_DAYS --granularity daily --group-by tag:Team --schedule monday --email web@example.com --format pdf --format xlsx --data ./desk
  proforma saved-report run 'Costs by service' --format pdf --out costs.pdf --data ./desk";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SavedReportArguments {
    #[command(subcommand)]
    pub command: SavedReportCommand,
}

#[derive(Debug, Subcommand)]
pub enum SavedReportCommand {
    /// Save a report, in place of one of the same name.
    Put(Box<PutSavedReportArguments>),
    /// List the saved reports.
    List(ListArguments),
    /// Print a saved report's settings.
    Get(OneSavedReportArguments),
    /// Make a saved report now.
    Run(RunSavedReportArguments),
    /// Delete a saved report.
    Delete(OneSavedReportArguments),
}

#[derive(Debug, Args)]
pub struct PutSavedReportArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// What it is called.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// For which days: LAST_MONTH, LAST_n_MONTHS, LAST_n_DAYS, LAST_QUARTER, MONTH_TO_DATE, QUARTER_TO_DATE, YEAR_TO_DATE, or 2026-01-01/2026-04-01, the second day not included.
    #[arg(long, value_name = "RANGE")]
    pub time_range: String,
    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
    /// The billing view, by ARN; by default your own.
    #[arg(long, value_name = "ARN")]
    pub billing_view: Option<String>,
    /// A file with Cost Explorer's Expression as JSON.
    #[arg(long, value_name = "FILE")]
    pub filter: Option<PathBuf>,
    /// What costs are told apart by; at most two.
    #[arg(long = "group-by", value_name = "KEY")]
    pub group_by: Vec<String>,
    /// How long the times are that are told apart.
    #[arg(long, value_name = "TIMES", default_value = "monthly", value_parser = ["daily", "monthly"])]
    pub granularity: String,
    /// What is summed; UnblendedCost by default.
    #[arg(long = "metric", value_name = "METRIC")]
    pub metrics: Vec<String>,
    /// The columns, in their order; all of them by default.
    #[arg(long = "column", value_name = "COLUMN")]
    pub columns: Vec<String>,
    /// Whether pages have bars.
    #[arg(long, value_name = "CHART", default_value = "none", value_parser = ["bar", "none"])]
    pub chart: String,
    /// When it goes out by itself: day-1 to day-31 of a month, monday to sunday, or after-close.
    #[arg(long, value_name = "WHEN")]
    pub schedule: Option<String>,
    /// To whom it goes.
    #[arg(long = "email", value_name = "ADDRESS")]
    pub emails: Vec<String>,
    /// As which files it goes; pdf by default.
    #[arg(long = "format", value_name = "FORMAT", value_parser = ["csv", "xlsx", "pdf", "json"])]
    pub formats: Vec<String>,
}

#[derive(Debug, Args)]
pub struct OneSavedReportArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// What it is called.
    #[arg(value_name = "NAME")]
    pub name: String,
}

#[derive(Debug, Args)]
pub struct RunSavedReportArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// What it is called.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// As which file.
    #[arg(long, value_name = "FORMAT", default_value = "csv", value_parser = ["csv", "xlsx", "pdf", "json"])]
    pub format: String,
    /// As of which day; today by default.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub as_of: Option<String>,
    /// Where it goes; standard output by default.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}
