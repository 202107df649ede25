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
    /// Write the priced lines of a run, one file per billing group, from the cost files that it has read.
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(ExportArguments),
    /// Price a run's month under another book, and print what would change. Needs no cost files and writes nothing.
    #[command(after_help = PREVIEW_EXAMPLES)]
    Preview(PreviewArguments),
    /// Print which amounts differ between two runs, by how much, and because of what.
    #[command(after_help = DIFF_EXAMPLES)]
    Diff(DiffArguments),
    /// Print the arithmetic of an amount of a run, for the operator: it shows what AWS charges.
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArguments),
    /// Read cost files for another process of this program.
    #[command(name = READ_COST_FILES, hide = true)]
    ReadCostFiles,
}

const RUN_EXAMPLES: &str = "\
Examples:
  proforma run --cost ./cur --book book.toml --period 2026-10 --out ./october
  proforma run --cost ./cur/cur2-Manifest.json --book book.toml --period 2026-10 --out ./october --force --output json

Exit status: 0 done, 2 the input is not right (nothing was written), 1 anything else.";

#[derive(Debug, Args)]
pub struct RunArguments {
    /// Folders, cost files or manifests to read: CUR, CUR 2.0 or FOCUS, as AWS delivers them.
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub cost: Vec<PathBuf>,
    /// The book: accounts, billing groups, pricing, custom line items; TOML or JSON.
    #[arg(long, value_name = "FILE")]
    pub book: PathBuf,
    /// The billing period, for example 2026-10.
    #[arg(long, value_name = "YYYY-MM")]
    pub period: String,
    /// Where to write; must be absent or empty, or with --force an earlier run.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
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
    /// Also write every billing group's lines into pro-forma/<billing group>/, in these columns.
    #[arg(long, value_enum, default_value_t = ExportLayout::None, value_name = "COLUMNS")]
    pub export: ExportLayout,
    /// How the exported files are written; as the cost files are by default.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub export_format: Option<ExportFormat>,
    /// What to print on standard output.
    #[arg(long, value_enum, default_value_t = OutputFormat::Table, value_name = "FORMAT")]
    pub output: OutputFormat,
    /// Print what parts of the work took on standard error.
    #[arg(long, hide = true)]
    pub timings: bool,
}

/// The columns of exported files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportLayout {
    /// Those of the legacy Cost and Usage Report, from cost files that are one.
    Cur,
    /// Those of CUR 2.0, from cost files that are CUR 2.0.
    Cur2,
    /// FOCUS 1.2, from any cost files.
    Focus,
    /// No export.
    None,
}

/// How exported files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// Parquet, compressed by snappy.
    Parquet,
    /// CSV, compressed by gzip.
    Csv,
}

const EXPORT_EXAMPLES: &str = "\
Examples:
  proforma export --run ./october --export cur2
  proforma export --run ./october --group acme --cost ./cur --out ./for-acme

The cost files must be those that the run has priced: every one is checked by its SHA-256.

Exit status: 0 done, 2 the input is not right (nothing was written), 1 anything else.";

#[derive(Debug, Args)]
pub struct ExportArguments {
    /// The run: a folder that `proforma run` has written.
    #[arg(long, value_name = "DIR")]
    pub run: PathBuf,
    /// Only these billing groups.
    #[arg(long, value_name = "NAME")]
    pub group: Vec<String>,
    /// Where the cost files are; where the run has read them by default.
    #[arg(long, num_args = 1.., value_name = "PATH")]
    pub cost: Vec<PathBuf>,
    /// The columns; those of the cost files by default.
    #[arg(long, value_enum, value_name = "COLUMNS")]
    pub export: Option<ExportLayout>,
    /// How the files are written; as the cost files are by default.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub export_format: Option<ExportFormat>,
    /// Where to write; by default pro-forma in the run's folder.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace an earlier export.
    #[arg(long)]
    pub force: bool,
    /// How many threads read; all processors by default.
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Memory that the process which reads the cost files may ask for.
    #[arg(long, value_name = "MIB")]
    pub worker_memory: Option<u64>,
    /// CPU time that the process which reads the cost files may take; by default it follows their size.
    #[arg(long, value_name = "SECONDS")]
    pub worker_cpu: Option<u64>,
}

const PREVIEW_EXAMPLES: &str = "\
Examples:
  proforma preview --run ./october --book draft.toml
  proforma preview --run ./october --book draft.toml --by-product --output csv

Amounts are pro forma: before is the run, after is what `proforma run` would give under the draft.

Exit status: 0 done, 2 the input is not right, 1 anything else.";

#[derive(Debug, Args)]
pub struct PreviewArguments {
    /// The run: a folder that `proforma run` has written.
    #[arg(long, value_name = "DIR")]
    pub run: PathBuf,
    /// The book to try: TOML or JSON.
    #[arg(long, value_name = "FILE")]
    pub book: PathBuf,
    /// A row for every product of every billing group.
    #[arg(long)]
    pub by_product: bool,
    /// What to print on standard output.
    #[arg(long, value_enum, default_value_t = OutputFormat::Table, value_name = "FORMAT")]
    pub output: OutputFormat,
    /// Print what parts of the work took on standard error.
    #[arg(long, hide = true)]
    pub timings: bool,
}

const DIFF_EXAMPLES: &str = "\
Examples:
  proforma diff ./october-draft ./october
  proforma diff ./october ./october-again --output json

A row is a product of a billing group; its parts sum to its difference exactly.

Exit status: 0 done, 2 the input is not right, 1 anything else.";

#[derive(Debug, Args)]
pub struct DiffArguments {
    /// The run before: a folder that `proforma run` has written.
    #[arg(value_name = "RUN_A")]
    pub before: PathBuf,
    /// The run after.
    #[arg(value_name = "RUN_B")]
    pub after: PathBuf,
    /// What to print on standard output.
    #[arg(long, value_enum, default_value_t = OutputFormat::Table, value_name = "FORMAT")]
    pub output: OutputFormat,
}

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  proforma explain --run ./october --group acme --product AmazonS3
  proforma explain --run ./october --group acme --product AmazonEC2 --account 111111111111 --output json
  proforma explain --run ./october --line 5wbg3i7vbmgbhh2sd6 --cost ./cur

A product is explained from the run alone. A line is found in the cost files, which must be those that the run read.
For the operator, not for customers: it shows AWS cost and names other accounts' commitments.

Exit status: 0 done, 2 the input is not right, 1 anything else.";

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["group", "line"])))]
pub struct ExplainArguments {
    /// The run: a folder that `proforma run` has written.
    #[arg(long, value_name = "DIR")]
    pub run: PathBuf,
    /// The billing group.
    #[arg(long, value_name = "NAME", requires = "product")]
    pub group: Option<String>,
    /// The product, as the cost report names it.
    #[arg(long, value_name = "PRODUCT", requires = "group")]
    pub product: Option<String>,
    /// Only this usage type.
    #[arg(long, value_name = "USAGE_TYPE", requires = "group")]
    pub usage_type: Option<String>,
    /// Only this account.
    #[arg(long, value_name = "ACCOUNT_ID", requires = "group")]
    pub account: Option<String>,
    /// A line item id of the cost files; ids repeat over intervals, and every row is explained.
    #[arg(long, value_name = "LINE_ITEM_ID")]
    pub line: Option<String>,
    /// Only the row of this interval, for example 2026-10-01T00:00:00Z/2026-10-02T00:00:00Z.
    #[arg(long, value_name = "INTERVAL", requires = "line")]
    pub interval: Option<String>,
    /// Where the cost files of the run are.
    #[arg(long, num_args = 1.., value_name = "PATH", requires = "line")]
    pub cost: Vec<PathBuf>,
    /// What to print on standard output.
    #[arg(long, value_enum, default_value_t = TextFormat::Text, value_name = "FORMAT")]
    pub output: TextFormat,
}

/// A format of what is printed for reading from top to bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TextFormat {
    /// Text for reading.
    Text,
    /// JSON.
    Json,
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
