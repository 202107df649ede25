//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// The hidden command that the reading child is started with.
pub const READ_COST_FILES: &str = "read-cost-files";

/// A self-hosted billing conductor: AWS cost files in, pro forma bills out.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Price a month of cost files under a book, and write statements, the cost report and the reconciliation.
    #[command(after_help = RUN_EXAMPLES)]
    Run(Box<RunArguments>),
    /// Read cost files for another process of this program.
    #[command(name = READ_COST_FILES, hide = true)]
    ReadCostFiles,
}

const RUN_EXAMPLES: &str = "\
Examples:
  proforma run --cost ./cur --book book.toml --period 2026-10 --out ./october
  proforma run --cost ./cur/cur2-Manifest.json --book book.toml --period 2026-10 --out ./october --force --output json
  proforma run --cost s3://billing/cur --book book.toml --period 2026-10 --out s3://billing/pro-forma/2026-10 --pin ./pins
  proforma run --cost ./october/source.json --book new-prices.toml --period 2026-10 --out ./october-again

Exit status: 0 done, 2 the input is not right (nothing was written), 1 anything else.";

#[derive(Debug, Args)]
pub struct RunArguments {
    /// Folders, cost files or manifests to read: CUR or CUR 2.0, as AWS delivers them; or the source.json of a run, to read
    /// what it has read. Paths, or s3://bucket/key.
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub cost: Vec<PathBuf>,
    /// The book: accounts, billing groups, pricing, custom line items; TOML or JSON.
    #[arg(long, value_name = "FILE")]
    pub book: PathBuf,
    /// The billing period, for example 2026-10.
    #[arg(long, value_name = "YYYY-MM")]
    pub period: String,
    /// Where to write, a folder or s3://bucket/prefix; must be absent or empty, or with --force an earlier run.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Keep the cost files in this folder or under this s3://bucket/prefix, named by their SHA-256.
    #[arg(long, value_name = "DIR")]
    pub pin: Option<PathBuf>,
    /// The folder for what is read from and written to object stores, while that takes; by default that of the system.
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
    /// How many threads read; all processors by default.
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Replace an earlier run in DIR.
    #[arg(long)]
    pub force: bool,
    /// Go on without the rows that cannot be read, and list them in rejected-lines.csv.
    #[arg(long)]
    pub accept_rejects: bool,
    /// Look for lines that come twice in the delivery; takes 16 bytes of memory a line.
    #[arg(long)]
    pub check_line_ids: bool,
    /// Memory that the process which reads the cost files may ask for; by default 1 GiB and 192 MiB a thread.
    #[arg(long, value_name = "MIB")]
    pub worker_memory: Option<u64>,
    /// CPU time that the process which reads the cost files may take; by default it follows their size.
    #[arg(long, value_name = "SECONDS")]
    pub worker_cpu: Option<u64>,
    /// What to print on standard output.
    #[arg(long, value_enum, default_value_t = OutputFormat::Table, value_name = "FORMAT")]
    pub output: OutputFormat,
    /// Print what parts of the work took on standard error.
    #[arg(long, hide = true)]
    pub timings: bool,
}

/// A format of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// A table for reading.
    Table,
    /// JSON.
    Json,
    /// CSV.
    Csv,
}
