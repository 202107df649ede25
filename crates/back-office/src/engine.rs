//! The port to whatever reads and prices cost files: what the desk orders of it, and what it answers.
//!
//! Every call blocks and may take minutes; the job runner calls it off the threads that answer requests. A result folder is published whole or
//! not at all, and never changes afterwards, so that its path may be handed out as long as a run's row names it.

use billing::account::AccountId;
use billing::book::Draft;
use billing::invoice::aws::AwsInvoices;
use billing::invoice::charges::Charges;
use billing::margin_guard::Findings;
use billing::money::{Cost, Currency};
use billing::period::BillingPeriod;
use export_query::{Granularity, Query};
use query::answer::{QueryError, Scope};
use query::cost_category::CostCategory;
use query::facts::MonthFacts;
use query::lines::{LineAnswer, LineQuery};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What is to be priced.
#[derive(Debug, Clone)]
pub struct RunOrder {
    /// The month.
    pub period: BillingPeriod,
    /// The configuration as it stands for the month.
    pub book: Draft,
    /// The texts of the files that the book names, by name.
    pub book_files: BTreeMap<String, String>,
    /// The folder that the run will be; it does not exist yet.
    pub out: PathBuf,
}

/// Where cost files are, and how they are read.
#[derive(Debug, Clone, Default)]
pub struct CostSource {
    /// Folders, files or places on object stores, as `proforma run --cost` takes them.
    pub inputs: Vec<PathBuf>,
    /// AWS's price list, as `proforma run --price-list` takes it.
    pub price_list: Option<PathBuf>,
    /// The folder where files that are read are kept by their hash; `None` where the source never changes what it has.
    pub pin: Option<PathBuf>,
    /// Whether rows that cannot be read are left out instead of refusing the files.
    pub accept_rejects: bool,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOutcome {
    /// The identity of the set of cost files, in hexadecimal.
    pub snapshot: String,
    /// The hash of what the book says for the month.
    pub book_hash: String,
    /// How many cost lines were read, when the files were.
    pub lines: u64,
    /// What an operator should know, a sentence each.
    pub warnings: Vec<String>,
}

/// The cost report of a run: what a cost report is asked for, ready to be answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunReport {
    /// One row per billing group, currency and product: groups by name, in the order of the names.
    pub rows: Vec<ReportRow>,
    /// What each account of a group is charged, product by product: the same pro forma, taken apart by account.
    pub charges: Vec<AccountCharge>,
    /// The accounts that the cost files name, those in no group among them.
    pub accounts: Vec<AccountId>,
    /// The accounts of them that no group has.
    pub ungrouped: Vec<AccountId>,
}

/// What a billing group is charged for a product, and what AWS charges for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRow {
    /// The group's name in the run's book.
    pub billing_group: String,
    /// The currency.
    pub currency: Currency,
    /// The product: a name as AWS writes it, else its code; empty for the row that says that a group has no charges.
    pub product: String,
    /// What AWS charges.
    pub aws_cost: Cost,
    /// What the group is charged, as shown: at most ten decimals.
    pub pro_forma_cost: Cost,
}

/// What an account is charged for a product, as its group's statement says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountCharge {
    /// The group's name in the run's book.
    pub billing_group: String,
    /// The account.
    pub account: AccountId,
    /// The currency.
    pub currency: Currency,
    /// The product, as in [`ReportRow::product`].
    pub product: String,
    /// What is charged, as shown.
    pub pro_forma_cost: Cost,
}

/// What a run charges, exactly: what invoices are made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunCharges {
    /// The billing groups of the run's book, in its order.
    pub groups: Vec<GroupCharges>,
    /// What in the month may cost the operator money; groups are named by their places in `groups`.
    pub findings: Findings,
}

/// What a billing group is charged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupCharges {
    /// The group's name in the run's book.
    pub billing_group: String,
    /// Its charges, one entry per currency.
    pub charges: Vec<Charges>,
}

/// Lines of a run that are to be exported.
#[derive(Debug, Clone)]
pub struct LinesOrder {
    /// Whose lines.
    pub of: LinesOf,
    /// Which columns and rows.
    pub lines: Lines,
    /// Whether the file is Parquet, or else CSV with gzip.
    pub is_parquet: bool,
    /// A folder for the file, which is there and empty.
    pub folder: PathBuf,
}

/// Whose lines are exported.
#[derive(Debug, Clone)]
pub enum LinesOf {
    /// Those of a billing group, by its name in the run's book.
    BillingGroup(String),
    /// Those of a custom view: what its parts have, one after the other.
    View {
        /// The parts; billing groups are numbered as in the run's facts.
        scopes: Vec<Scope>,
        /// The cost categories that were defined.
        categories: Vec<CostCategory>,
    },
}

/// Which columns and rows are exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lines {
    /// Those that a query takes of a table.
    Query(Query),
    /// All of a legacy report, with or without the column of resources.
    LegacyReport {
        /// Whether it has the column.
        with_resources: bool,
        /// Which lines are one row.
        granularity: Granularity,
    },
}

/// Lines that were exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedLines {
    /// The file.
    pub file: PathBuf,
    /// How many rows it has.
    pub rows: u64,
    /// Its columns in order, each with what kind of value it holds, as AWS's manifests call that.
    pub columns: Vec<(String, String)>,
}

/// A question about lines of a run, and what of the run is seen.
#[derive(Debug, Clone)]
pub struct LinesAsked {
    /// The parts of what is seen, which are summed; billing groups are numbered as in the run's facts.
    pub scopes: Vec<Scope>,
    /// The cost categories that were defined.
    pub categories: Vec<CostCategory>,
    /// What is asked.
    pub query: LineQuery,
}

/// Its answer, or why there is none.
pub type LinesAnswered = Result<LineAnswer, QueryError>;

/// A file that is put somewhere.
#[derive(Debug, Clone)]
pub struct PutFile {
    /// Its name below the place, with `/` between the parts.
    pub name: String,
    /// What it holds.
    pub content: Content,
}

/// What a file holds.
#[derive(Debug, Clone)]
pub enum Content {
    /// What another file does.
    File(PathBuf),
    /// These bytes.
    Bytes(Vec<u8>),
}

/// Why there is no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The input is at fault: cost files, price list or book. A sentence each, with the way out.
    #[error("{}", .0.join("; "))]
    Input(Vec<String>),
    /// The disk is full or has failed: the same may go well when it is back.
    #[error("{0}")]
    Disk(String),
    /// The machine or the program is at fault.
    #[error("{0}")]
    Failed(String),
}

/// Reads and prices months.
pub trait Engine: Send + Sync + 'static {
    /// Reads cost files, prices the month and publishes its result folder.
    ///
    /// # Errors
    /// [`EngineError`]; then there is no folder.
    fn run(&self, source: &CostSource, order: &RunOrder) -> Result<RunOutcome, EngineError>;

    /// Prices the month of an earlier run under another book without reading the cost files: the same bytes as [`run`](Engine::run) would write
    /// from the same snapshot. `None` where the book tells lines apart that the earlier run has summed: then the files must be read.
    ///
    /// # Errors
    /// [`EngineError`]; then there is no folder.
    fn reprice(&self, earlier: &Path, order: &RunOrder) -> Result<Option<RunOutcome>, EngineError>;

    /// Opens the cost report of a run, after holding the run's files to their hashes.
    ///
    /// # Errors
    /// [`EngineError`] where the folder is not a whole run of this program.
    fn report(&self, run: &Path) -> Result<RunReport, EngineError>;

    /// Prices the month of a run once more for what its billing groups are charged, exactly: a report only has what is shown.
    ///
    /// # Errors
    /// [`EngineError`] where the folder is not a whole run of this program.
    fn charges(&self, run: &Path) -> Result<RunCharges, EngineError>;

    /// The facts of a run: its month in columns, what AWS charges and what the groups are charged, by day; what questions about costs are answered from.
    ///
    /// # Errors
    /// [`EngineError`] where the folder is not a whole run of this program.
    fn facts(&self, run: &Path) -> Result<MonthFacts, EngineError>;

    /// The statement of a billing group of a run, as the run's folder has it: CSV that the customer may see. `None` where the run has none of the group.
    ///
    /// # Errors
    /// [`EngineError`] where it is there and cannot be read.
    fn statement(&self, run: &Path, billing_group: &str) -> Result<Option<Vec<u8>>, EngineError>;

    /// The hash over the names and contents of all files of a run's folder, in hexadecimal: what a closed period is sealed with.
    ///
    /// # Errors
    /// [`EngineError`] where a file cannot be read.
    fn manifest(&self, run: &Path) -> Result<String, EngineError>;

    /// AWS's own invoices of a run's month, as its cost files tell them.
    ///
    /// # Errors
    /// [`EngineError`] where the folder is not a whole run of this program.
    fn aws_invoices(&self, run: &Path) -> Result<AwsInvoices, EngineError>;

    /// The identity of the cost files at a place, without reading them through: equal where nothing has changed since. What `--watch` asks.
    ///
    /// # Errors
    /// [`EngineError`] where the place cannot be listed.
    fn fingerprint(&self, inputs: &[PathBuf], period: BillingPeriod) -> Result<String, EngineError>;

    /// The months that a place has cost files of.
    ///
    /// # Errors
    /// [`EngineError`] where the place cannot be listed.
    fn periods(&self, inputs: &[PathBuf]) -> Result<Vec<BillingPeriod>, EngineError>;

    /// Exports lines of a billing group of a run, reading the run's cost files once more: they must be those that were priced.
    ///
    /// # Errors
    /// [`EngineError`]; then nothing is said of what is in the folder.
    fn export_lines(&self, _run: &Path, _order: &LinesOrder) -> Result<ExportedLines, EngineError> {
        Err(EngineError::Failed("this engine exports no lines".to_owned()))
    }

    /// Answers a question about lines of a run, reading the run's cost files once more: they must be those that were priced.
    ///
    /// # Errors
    /// [`EngineError::Input`] where the files are gone, or are others.
    fn lines(&self, _run: &Path, _asked: &LinesAsked) -> Result<LinesAnswered, EngineError> {
        Err(EngineError::Failed("this engine reads no lines".to_owned()))
    }

    /// Puts files below a place, a folder or `s3://bucket/prefix`, one after the other: each is there whole or not at all, and the next one is begun when it is. Then removes what is
    /// outdated, where it is there.
    ///
    /// # Errors
    /// [`EngineError`]; the files before the one that failed are there.
    fn put(&self, _place: &Path, _files: &[PutFile], _outdated: &[String]) -> Result<(), EngineError> {
        Err(EngineError::Failed("this engine puts no files anywhere".to_owned()))
    }
}
