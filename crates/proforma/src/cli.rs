//! The command line.

pub mod cost_categories;
pub mod desk;
pub mod doctor;
pub mod documents;
pub mod invoice;
pub mod invoicing;
pub mod issuing;
pub mod notify;
pub mod organization;
pub mod privacy;
pub mod purchase_orders;
pub mod saved_reports;
pub mod schedule;

use crate::reader::Children;
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
    /// Price the months of runs under another book, and print what would change. Needs no cost files and writes nothing.
    #[command(after_help = PREVIEW_EXAMPLES)]
    Preview(PreviewArguments),
    /// Print which amounts differ between two runs, by how much, and because of what.
    #[command(after_help = DIFF_EXAMPLES)]
    Diff(DiffArguments),
    /// Print the arithmetic of an amount of a run, for the operator: it shows what AWS charges.
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArguments),
    /// Print a run's costs by service, day, account or other keys; needs the run's folder only.
    #[command(after_help = REPORT_EXAMPLES)]
    Report(ReportArguments),
    /// Print billing groups for a book from the units of an AWS organization: a group for each, below that of the unit above.
    #[command(after_help = GROUPS_EXAMPLES)]
    Groups(GroupsArguments),
    /// Answer AWS's API: boto3, the AWS CLI and the AWS SDKs work with nothing changed but the endpoint URL.
    Serve(Box<desk::ServeArguments>),
    /// Begin a payer in a data directory; prints its first key and the console password, once.
    Init(desk::InitArguments),
    /// Make, list and withdraw access keys.
    Keys(Box<desk::KeysArguments>),
    /// Say which accounts the organization has.
    Accounts(desk::AccountsArguments),
    /// Read the organization of AWS, once or by itself.
    Sync(organization::SyncArguments),
    /// Say by which rules billing groups follow the organization.
    Rules(Box<organization::RulesArguments>),
    /// Register cost files and price their periods.
    Import(Box<desk::ImportArguments>),
    /// List runs, or wait for them.
    Runs(desk::RunsArguments),
    /// List billing periods: the run that each shows, when it was closed, and what was adjusted of it since.
    Periods(desk::ListArguments),
    /// Close a billing period: what it says does not change any more.
    Close(desk::CloseArguments),
    /// Purchase orders: the payer's to AWS, its customers' to it, and the invoices that are matched with them.
    Po(Box<purchase_orders::PurchaseOrderArguments>),
    /// Invoices and their documents.
    Invoice(Box<invoice::InvoiceArguments>),
    /// Move the configuration between a book file and the desk.
    Book(desk::BookArguments),
    /// List what was and is to be sent by mail and webhooks, and try again or give up.
    Outbox(notify::OutboxArguments),
    /// Say whom news goes to, and send a test.
    Notify(notify::NotifyArguments),
    /// Say when invoices of a billing group go out by themselves, and see what became of them.
    Schedule(schedule::ScheduleArguments),
    /// Save questions about costs as reports, make them, and have them sent.
    SavedReport(saved_reports::SavedReportArguments),
    /// Ask what cost categories come to once their split charges are dealt out.
    CostCategory(cost_categories::CostCategoryArguments),
    /// Print what is kept of a person, take a person out, and say how long what is kept.
    Privacy(privacy::PrivacyArguments),
    /// Read an existing AWS Billing Conductor set-up into a book.
    Adopt(desk::AdoptArguments),
    /// Hold a month here to what AWS says of it.
    Doctor(doctor::DoctorArguments),
    /// Copy a desk into a folder, while it is served.
    Backup(desk::BackupArguments),
    /// Put a backup into a new data directory.
    Restore(desk::RestoreArguments),
    /// Hold the audit, the runs and the sealed periods of a desk to their hashes.
    Verify(desk::VerifyArguments),
    /// Bring a desk's database to the form that this program knows.
    Migrate(desk::DataArguments),
    /// Read cost files for another process of this program.
    #[command(name = READ_COST_FILES, hide = true)]
    ReadCostFiles,
}

const GROUPS_EXAMPLES: &str = "\
The file has a row or an object per account: account_id, account_name, organizational_unit (a path from the root on, as
Root/Prod/Team A), and status where it is known. Other columns are passed by. It is the file of `proforma sync organization --file`.

Examples:
  proforma groups --organization accounts.csv --payer 999999999999
  proforma groups --organization accounts.csv --payer 999999999999 --root Root/Customers --pricing-plan gold >> book.toml

Exit status: 0 done, 2 the input is not right, 1 anything else.";

#[derive(Debug, Args)]
pub struct GroupsArguments {
    /// The accounts of the organization with their units, CSV or JSON.
    #[arg(long, value_name = "FILE")]
    pub organization: PathBuf,
    /// The payer (management) account: it is in no group and never a primary account.
    #[arg(long, value_name = "ACCOUNT_ID")]
    pub payer: Option<String>,
    /// The pricing plan of all groups; public prices by default.
    #[arg(long, value_name = "NAME", default_value = billing::book::BASIC_PRICING_PLAN)]
    pub pricing_plan: String,
    /// Only the units below this one, as Root/Customers; by default the organization's root.
    #[arg(long, value_name = "PATH")]
    pub root: Option<String>,
}

const REPORT_EXAMPLES: &str = "\
Keys: group, parent, root, service, day, account, region, usage-type, operation, line-item-type, tag:KEY, cost-category:NAME.

Examples:
  proforma report --run ./october --by service
  proforma report --run ./october --by day --filter service=AmazonEC2,AmazonS3 --filter account!=111122223333
  proforma report --run ./october --by account,day --metric aws-cost --group acme --output csv";

const RUN_EXAMPLES: &str = "\
Examples:
  proforma run --cost ./cur --book book.toml --period 2026-10 --out ./october
  proforma run --cost ./cur/cur2-Manifest.json --book book.toml --period 2026-10 --out ./october --force --output json
  proforma run --cost s3://billing/cur --book book.toml --period 2026-10 --out s3://billing/pro-forma/2026-10 --pin ./pins
  proforma run --cost ./cur --book book.toml --period 2026-10 --out ./october --price-list ./offers/v1.0/aws
  proforma run --upstream ./october --account 456456456456 --book seller.toml --out ./october-seller
  proforma run --cost ./october/source.json --book new-prices.toml --period 2026-10 --out ./october-again

Exit status: 0 done, 2 the input is not right (nothing was written), 1 anything else.";

#[derive(Debug, Args)]
pub struct RunArguments {
    /// Folders, cost files or manifests to read: CUR, CUR 2.0 or FOCUS, as AWS delivers them; or the source.json of a run, to read
    /// what it has read. Paths, or s3://bucket/key.
    #[arg(long, required_unless_present = "upstream", num_args = 1.., value_name = "PATH")]
    pub cost: Vec<PathBuf>,
    /// In place of cost files: a run of the level above in a chain of billing transfers. What it charges --account is what is priced.
    #[arg(
        long,
        value_name = "RUN",
        requires = "account",
        conflicts_with_all = ["cost", "pin", "accept_rejects", "check_line_ids", "no_simulation"]
    )]
    pub upstream: Option<PathBuf>,
    /// The account that receives the bill of the run above: the source account of a billing transfer there, and the payer of the book.
    #[arg(long, value_name = "ACCOUNT_ID", requires = "upstream")]
    pub account: Option<String>,
    /// The book: accounts, billing groups, pricing, custom line items; TOML or JSON.
    #[arg(long, value_name = "FILE")]
    pub book: PathBuf,
    /// AWS's price list: folders of offer files as the bulk API serves them, or offer files (JSON, CSV); paths, or s3://bucket/key.
    /// What the month needs of it is kept in the run.
    #[arg(long, num_args = 1.., value_name = "PATH")]
    pub price_list: Vec<PathBuf>,
    /// The billing period, for example 2026-10; with --upstream that of the run above.
    #[arg(long, required_unless_present = "upstream", value_name = "YYYY-MM")]
    pub period: Option<String>,
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
    /// Leave the daily cube out: reading is a little faster, and `proforma report` cannot tell days apart.
    #[arg(long)]
    pub no_daily: bool,
    /// Leave commitments on the usage that they cover in the real bill, rather than apply them hour by hour inside each billing group:
    /// reading is faster.
    #[arg(long)]
    pub no_simulation: bool,
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

impl RunArguments {
    /// What the processes that read are, and what they may take.
    pub fn children(&self) -> Children {
        Children {
            program: None,
            threads: self.threads,
            memory_mebibytes: self.worker_memory,
            cpu_seconds: self.worker_cpu,
            scratch: self.scratch.clone(),
        }
    }
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
    /// Only these billing groups and those below them, each in files of its own.
    #[arg(long, value_name = "NAME")]
    pub group: Vec<String>,
    /// Where the cost files are; where the run has pinned or read them by default.
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
    /// The folder for what is read from and written to object stores, while that takes; by default that of the system.
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
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
  proforma preview --run ./august ./september ./october --book draft.toml
  proforma preview --run ./october --book one.toml --book other.toml

Amounts are pro forma: before is what the run has charged, after is what `proforma run` would give under the draft. With two books,
before is the first on the run's month, and after the second.

Exit status: 0 done, 2 the input is not right, 1 anything else.";

#[derive(Debug, Args)]
pub struct PreviewArguments {
    /// The runs: folders that `proforma run` has written, one of each month.
    #[arg(long, required = true, num_args = 1.., value_name = "DIR")]
    pub run: Vec<PathBuf>,
    /// The book to try, TOML or JSON; or two books, to compare them with each other.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub book: Vec<PathBuf>,
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
#[command(group(clap::ArgGroup::new("what").required(true).args(["group", "line", "guard"])))]
pub struct ExplainArguments {
    /// The run: a folder that `proforma run` has written.
    #[arg(long, value_name = "DIR")]
    pub run: PathBuf,
    /// The billing group; what is below it is not explained with it.
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
    /// Where the cost files of the run are; where it has pinned or read them by default.
    #[arg(long, num_args = 1.., value_name = "PATH", requires = "line")]
    pub cost: Vec<PathBuf>,
    /// The folder for what is read from object stores, while that takes; by default that of the system.
    #[arg(long, value_name = "DIR", requires = "line")]
    pub scratch: Option<PathBuf>,
    /// What may cost money without anybody noticing: accounts in no billing group, credits that nobody received, what is below cost.
    #[arg(long, conflicts_with_all = ["group", "line", "product", "usage_type", "account", "cost"])]
    pub guard: bool,
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

#[derive(Debug, Args)]
pub struct ReportArguments {
    /// The run: a folder that `proforma run` has written.
    #[arg(long, value_name = "DIR")]
    pub run: PathBuf,
    /// What to break the costs down by: keys, separated by commas.
    #[arg(long, required = true, value_delimiter = ',', value_name = "KEY,…")]
    pub by: Vec<String>,
    /// Only what has one of these values: `KEY=VALUE,…`, or `KEY!=VALUE,…` for all but these; may be given several times.
    #[arg(long, value_name = "KEY=VALUE,…")]
    pub filter: Vec<String>,
    /// What to add up.
    #[arg(long, value_enum, default_value_t = Metric::ProForma, value_name = "METRIC")]
    pub metric: Metric,
    /// Only these billing groups and those below them.
    #[arg(long, num_args = 1.., value_name = "NAME")]
    pub group: Vec<String>,
    /// What to print on standard output.
    #[arg(long, value_enum, default_value_t = OutputFormat::Table, value_name = "FORMAT")]
    pub output: OutputFormat,
}

/// What a report adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Metric {
    /// What billing groups are charged.
    ProForma,
    /// What AWS charges: net unblended cost without tax and support.
    AwsCost,
    /// Pro forma cost less AWS cost, of billing groups.
    Margin,
    /// Usage, by pricing unit.
    Usage,
}

impl Metric {
    /// The name of the column.
    pub const fn column(self) -> &'static str {
        match self {
            Self::ProForma => "pro_forma_cost",
            Self::AwsCost => "aws_cost",
            Self::Margin => "margin",
            Self::Usage => "usage_amount",
        }
    }
}

#[cfg(test)]
mod tests;
