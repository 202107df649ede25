//! Opening a run: what its result folder holds is enough to price the month again, without the cost files.
//!
//! A folder is believed only as far as it can be checked: the cube and the book must have the hashes that `reconciliation.json` says.
//!
//! The command line opens runs of its own version alone: another one may price them otherwise. A billing desk opens what it has kept ([`open_kept`]) by the
//! version of its format, since a closed month is invoiced long after it was priced, and cannot be priced again.

use crate::coverage::{KnownCommitments, KnownCoverage, MarkCommitments};
use crate::failure::{Failure, HINT_AGAIN, damaged};
use crate::price_list;
use crate::pricing::{Rated, rate};
use crate::publish::{BOOK_FILES, COST_REPORT, CUBE, DAILY_CUBE, MARK, as_marked, check_hash};
use billing::book::Book;
use billing::breakdown::DayOfClass;
use billing::charge_class::Cube;
use billing::coverage::{Coverage, CoveredPartOfLine};
use billing::money::{Cost, Currency};
use billing::period::BillingPeriod;
use billing::price_list::PriceList;
use billing::reconciliation::ControlTotal;
use billing::sharing::Sharing;
use book_file::BOOKS;
use cost_data::commitment_inventory::CommitmentInventory;
use cost_data::covered_lines::CoveredLines;
use cost_data::cube_file::StoredCube;
use cost_data::daily_file;
use cost_data::layout::CostFormat;
use cost_data::source_file::SOURCE_FILE;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The version of a run's files. Whoever changes what is read of them by [`open_kept`] raises it, and goes on reading the earlier ones.
pub const RUN_FORMAT: u32 = 1;

/// A run that was opened.
pub struct RunFolder {
    /// Where it is.
    pub path: PathBuf,
    /// Its month.
    pub period: BillingPeriod,
    /// The book that priced it.
    pub book: Book,
    /// The hash of what the book says for the month.
    pub book_hash: String,
    /// The identity of the set of cost files.
    pub snapshot: String,
    /// Whether the month is what a run above charges, so that there are no cost files.
    pub is_of_upstream: bool,
    /// The cost files that were read.
    pub files: Vec<CostFile>,
    /// Their format.
    pub format: CostFormat,
    /// Whether the run went on without the rows that could not be read.
    pub accepted_rejects: bool,
    /// What the run knows of AWS's price list.
    pub prices: PriceList,
    /// The hash of the file that the prices are kept in, where there is one.
    pub price_list: Option<String>,
    /// The month by charge class.
    pub cube: Cube,
    /// The hash of its file.
    pub cube_sha256: [u8; 32],
    /// The hash of what was noticed while the cost files were read, where the run has it.
    pub reading: Option<String>,
    /// The hash of the daily cube, where the run has one.
    daily_cube: Option<String>,
    commitments: KnownCommitments,
    /// Totals by currency, summed line by line when the files were read.
    pub control: BTreeMap<Currency, ControlTotal>,
    /// What the statements say in all, by billing group and currency.
    pub statement_totals: BTreeMap<(String, Currency), Cost>,
}

/// A cost file of a run.
#[derive(Debug, Clone, Deserialize)]
pub struct CostFile {
    /// Its place in the delivery.
    pub name: String,
    /// The SHA-256 of its content, in hexadecimal.
    pub sha256: String,
    /// Its format, by name.
    pub format: String,
}

impl RunFolder {
    /// Where the run's cost files are: the given places, else those that the run itself names.
    pub fn cost(&self, given: &[PathBuf]) -> Vec<PathBuf> {
        if given.is_empty() { vec![self.path.join(SOURCE_FILE)] } else { given.to_vec() }
    }

    /// The classes by day; `None` where the run has left them out.
    pub fn days(&self) -> Result<Option<Vec<DayOfClass>>, Failure> {
        let Some(expected) = &self.daily_cube else { return Ok(None) };
        let damaged = |what: String| damaged(&self.path, what);
        let (days, hash) = daily_file::read(&self.path.join(DAILY_CUBE))
            .map_err(|error| damaged(format!("`{DAILY_CUBE}` cannot be read: {error}")))?;
        check_hash(&self.path, DAILY_CUBE, &hash, expected)?;
        Ok(Some(days))
    }

    /// Whether the run has the month by day, too.
    pub const fn has_days(&self) -> bool {
        self.daily_cube.is_some()
    }

    /// Whether the month by day has all that this version keeps of days.
    pub fn days_are_newest(&self) -> Result<bool, Failure> {
        let unread = |error: &dyn std::fmt::Display| {
            damaged(&self.path, format!("`{DAILY_CUBE}` cannot be read: {error}"))
        };
        daily_file::is_newest(&self.path.join(DAILY_CUBE)).map_err(|error| unread(&error))
    }

    /// What the month's commitments are, where the cost files were asked and could say it.
    pub fn inventory(&self) -> Result<Option<&CommitmentInventory>, Failure> {
        self.commitments.inventory(&self.path)
    }

    /// The month, and apart from it what the run knows of coverage.
    pub fn into_parts(self) -> (ReadCube, PriceList, KnownCoverage) {
        let cube = (self.cube, self.control, self.cube_sha256);
        (cube, self.prices, self.commitments.of_folder(self.path))
    }

    /// Prices the month again; the book gets the custom line items that its policies make.
    pub fn rate(&mut self) -> Result<Rated, Failure> {
        let coverage = self.commitments.of_run(&self.path, &self.cube)?;
        rate(&self.cube, &mut self.book, &self.prices, coverage)
    }

    /// Whether commitments were applied inside the run's billing groups.
    pub const fn is_simulated(&self) -> bool {
        self.commitments.is_simulated()
    }

    /// What commitments cover in the run; none where that is as in the real bill.
    pub fn coverage(&self) -> Result<Option<&Coverage>, Failure> {
        self.commitments.of_run(&self.path, &self.cube)
    }

    /// What commitments cover under another book, and what an operator should know of that.
    pub fn coverage_under(&self, book: &Book) -> Result<(Option<Cow<'_, Coverage>>, Vec<String>), Failure> {
        self.commitments.under(&self.path, &self.cube, book)
    }

    /// Which parts of some rows are covered in the run; rows are known by their file and the rows before them.
    pub fn parts_of_rows(&self, rows: &BTreeSet<(u32, u64)>) -> Result<Vec<CoveredPartOfLine>, Failure> {
        self.commitments.parts_of_rows(&self.path, &self.cube, &self.book, rows)
    }

    /// What the commitments of a simulated run are, and which parts of which lines they cover.
    pub fn covered_lines(&self) -> Result<Option<(CommitmentInventory, CoveredLines)>, Failure> {
        self.commitments.lines(&self.path, &self.cube, &self.book)
    }

    /// A book with the custom line items that its policy of sharing makes from the run's month.
    pub fn with_benefits<'b>(
        &self,
        book: &'b Book,
        coverage: Option<&Coverage>,
    ) -> Result<Cow<'b, Book>, Failure> {
        let mut book = Cow::Borrowed(book);
        if book.sharing == Sharing::ProRata {
            self.commitments.add_benefits(&self.path, &self.cube, book.to_mut(), coverage)?;
        }
        Ok(book)
    }

    /// What the cost report says that a product costs a billing group; 0 where it has no row.
    pub fn reported(&self, group: &str, product: &str, currency: Currency) -> Result<Cost, Failure> {
        let path = self.path.join(COST_REPORT);
        let read = || -> anyhow::Result<Vec<ReportRow>> { Ok(serde_json::from_slice(&fs::read(&path)?)?) };
        let rows = read().map_err(|error| {
            Failure::input(format!("`{}` cannot be read: {error}", path.display())).hint(HINT_AGAIN)
        })?;
        let row = rows.into_iter().find(|row| {
            row.billing_group.as_deref() == Some(group)
                && row.product == product
                && row.currency == currency.as_str()
        });
        let cost = row.and_then(|row| row.pro_forma_cost).unwrap_or_else(|| "0".to_owned());
        Cost::parse(&cost).map_err(|error| {
            Failure::input(format!("`{}`: `{cost}` is {error}", path.display())).hint(HINT_AGAIN)
        })
    }
}

/// What is needed of a row of `cost-report.json`.
#[derive(Deserialize)]
pub struct ReportRow {
    pub billing_group: Option<String>,
    pub product: String,
    pub product_name: Option<String>,
    pub currency: String,
    pub aws_cost: String,
    pub pro_forma_cost: Option<String>,
}

/// The cost report of a run, with what says whose it is.
pub struct Reported {
    pub period: BillingPeriod,
    /// The book that priced it.
    pub book: Book,
    pub rows: Vec<ReportRow>,
    /// The statements, by billing group and currency.
    pub statements: Vec<(String, String)>,
    /// Accounts that joined a group by themselves.
    pub auto_associated: Vec<String>,
    /// The hash of what was noticed while the cost files were read, where the run has it.
    pub reading: Option<String>,
}

/// Opens a run's cost report, which must have the hash that the run's mark says; the cube is not read.
///
/// # Errors
/// As [`open_kept`].
pub fn reported(path: &Path) -> Result<Reported, Failure> {
    let mark = read_mark(path, Written::InThisFormat)?;
    let period = BillingPeriod::parse(&mark.period).map_err(|error| damaged(path, error.to_string()))?;
    let book = read_book(path).map_err(|what| damaged(path, what))?;
    check_book(path, &mark, &book, period)?;
    let unread =
        |error: &dyn std::fmt::Display| damaged(path, format!("`{COST_REPORT}` cannot be read: {error}"));
    let text = fs::read(path.join(COST_REPORT)).map_err(|error| unread(&error))?;
    check_hash(path, COST_REPORT, &Sha256::digest(&text), &mark.cost_report)?;
    let rows = serde_json::from_slice(&text).map_err(|error| unread(&error))?;
    let statements = mark.statements.into_iter().map(|of| (of.billing_group, of.currency)).collect();
    let auto_associated = mark.auto_associated_accounts;
    Ok(Reported { period, book, rows, statements, auto_associated, reading: mark.reading })
}

/// Whether the copy of the book is what priced the run. What another version takes into a book's hash is not known here.
fn check_book(path: &Path, mark: &Mark, book: &Book, period: BillingPeriod) -> Result<String, Failure> {
    let hash = as_marked(&book.hash(period));
    match hash == mark.book || mark.program_version != THIS_VERSION {
        true => Ok(hash),
        false => Err(damaged(path, "its book is not the one that priced it".to_owned())),
    }
}

/// What is needed of `reconciliation.json`.
#[derive(Deserialize)]
struct Mark {
    program_version: String,
    period: String,
    payer_account_id: String,
    snapshot: String,
    #[serde(default)]
    upstream: Option<serde::de::IgnoredAny>,
    book: String,
    cost_cube: String,
    #[serde(default)]
    cost_cube_daily: Option<String>,
    #[serde(default)]
    price_list: Option<MarkPriceList>,
    commitments: MarkCommitments,
    #[serde(default)]
    reading: Option<String>,
    cost_report: String,
    #[serde(default)]
    auto_associated_accounts: Vec<String>,
    currencies: BTreeMap<String, MarkCurrency>,
    statements: Vec<MarkStatement>,
    files: Vec<CostFile>,
    lines: MarkLines,
}

#[derive(Deserialize)]
struct MarkPriceList {
    sha256: String,
}

#[derive(Deserialize)]
struct MarkCurrency {
    pro_forma_total: String,
}

#[derive(Deserialize)]
struct MarkStatement {
    billing_group: String,
    total: String,
    currency: String,
}

#[derive(Deserialize)]
struct MarkLines {
    rejected: u64,
}

/// What every version's file says.
#[derive(Deserialize)]
struct Version {
    program_version: String,
    /// The first version of the format did not say so.
    #[serde(default = "first_format")]
    run_format: u32,
}

const fn first_format() -> u32 {
    1
}

const THIS_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Which runs are opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    /// Those that this version of the program has written.
    ByThisVersion,
    /// Those whose files this version reads, whichever has written them.
    InThisFormat,
}

/// Runs in the order of their months.
///
/// # Errors
/// Folders that are no runs, two runs of one month, runs of two payers.
pub fn by_month(folders: &[PathBuf]) -> Result<Vec<&Path>, Failure> {
    // Whatever one run alone is, opening it says so.
    if let [folder] = folders {
        return Ok(vec![folder]);
    }
    let mut months: BTreeMap<String, &Path> = BTreeMap::new();
    let mut first: Option<(&Path, String)> = None;
    for folder in folders {
        let Mark { period, payer_account_id: payer, .. } = read_mark(folder, Written::ByThisVersion)?;
        let shown = folder.display();
        let (known, payer_known) = first.get_or_insert_with(|| (folder, payer.clone()));
        if payer != *payer_known {
            let known = known.display();
            let problem =
                format!("run `{known}` is of payer account `{payer_known}`, run `{shown}` of `{payer}`");
            return Err(Failure::input(problem).hint("give runs of one payer with --run"));
        }
        if let Some(other) = months.insert(period.clone(), folder) {
            let problem = format!("`{}` and `{shown}` are two runs of {period}", other.display());
            return Err(Failure::input(problem).hint("give one run of each month with --run"));
        }
    }
    Ok(months.into_values().collect())
}

/// Opens a run.
///
/// # Errors
/// A folder that is no run, is of another version, or is not what the run wrote.
pub fn open(path: &Path) -> Result<RunFolder, Failure> {
    opened(path, read_mark(path, Written::ByThisVersion)?)
}

/// Opens a run that a billing desk has kept, whichever version of this program has written it.
///
/// # Errors
/// A folder that is no run, is of another format, or is not what the run wrote.
pub fn open_kept(path: &Path) -> Result<RunFolder, Failure> {
    opened(path, read_mark(path, Written::InThisFormat)?)
}

fn opened(path: &Path, mark: Mark) -> Result<RunFolder, Failure> {
    let damaged = |what: String| damaged(path, what);
    let period = BillingPeriod::parse(&mark.period).map_err(|error| damaged(error.to_string()))?;
    // The book is parsed while the cube is read.
    let (stored, book) = std::thread::scope(|scope| {
        let book = scope.spawn(|| read_book(path));
        let stored = read_cube(path, &mark.cost_cube);
        (stored, book.join())
    });
    let (cube, control, cube_sha256) = stored.map_err(damaged)?;
    let mut book = book.map_err(|_| damaged("its book cannot be read".to_owned()))?.map_err(damaged)?;
    let book_hash = check_book(path, &mark, &book, period)?;
    if cube.period != period {
        return Err(damaged(format!("`{CUBE}` is of {}", cube.period)));
    }
    let price_list = mark.price_list.as_ref().map(|kept| kept.sha256.as_str());
    let prices = price_list::open(path, price_list).map_err(damaged)?;
    let statement_totals = statement_totals(&mark, &book).map_err(damaged)?;
    let is_of_upstream = mark.upstream.is_some();
    let Mark {
        snapshot, files, lines, cost_cube_daily: daily_cube, price_list, commitments, reading, ..
    } = mark;
    let format = files.first().and_then(|file| CostFormat::parse(&file.format));
    let format = format.ok_or_else(|| damaged("its cost files are of no known format".to_owned()))?;
    let commitments = KnownCommitments::new(commitments);
    if book.sharing == Sharing::ProRata {
        let coverage = commitments.of_run(path, &cube)?;
        commitments.add_benefits(path, &cube, &mut book, coverage)?;
    }
    Ok(RunFolder {
        path: path.to_owned(),
        period,
        book,
        book_hash,
        snapshot,
        is_of_upstream,
        files,
        format,
        accepted_rejects: lines.rejected > 0,
        prices,
        price_list: price_list.map(|kept| kept.sha256),
        cube,
        cube_sha256,
        reading,
        daily_cube,
        commitments,
        control,
        statement_totals,
    })
}

/// The statements' totals, which are believed where every billing group of the book has some, and where they sum to the reconciliation.
fn statement_totals(mark: &Mark, book: &Book) -> Result<BTreeMap<(String, Currency), Cost>, String> {
    let amount = |text: &str| Cost::parse(text).map_err(|error| format!("`{MARK}`: `{text}` is {error}"));
    let period = BillingPeriod::parse(&mark.period).map_err(|error| error.to_string())?;
    let mut missing: BTreeSet<&str> =
        book.groups_of(period).map(|group| book.groups[group].name.as_str()).collect();
    let mut sums: BTreeMap<&str, Cost> = BTreeMap::new();
    let mut totals = BTreeMap::new();
    for MarkStatement { billing_group, total, currency } in &mark.statements {
        let total = amount(total)?;
        let code = Currency::parse(currency).ok_or_else(|| format!("`{MARK}`: currency `{currency}`"))?;
        let sum = sums.entry(currency).or_default();
        *sum = sum.plus(total).map_err(|error| format!("`{MARK}`: a sum is {error}"))?;
        missing.remove(billing_group.as_str());
        if totals.insert((billing_group.clone(), code), total).is_some() {
            return Err(format!("`{MARK}` has two statements of `{billing_group}` in {currency}"));
        }
    }
    if let Some(group) = missing.first() {
        return Err(format!("`{MARK}` has no statement of billing group `{group}`"));
    }
    for (currency, MarkCurrency { pro_forma_total }) in &mark.currencies {
        let sum = sums.remove(currency.as_str()).unwrap_or_default();
        if sum != amount(pro_forma_total)? {
            return Err(format!(
                "`{MARK}`: its statements sum to {sum} {currency}, not to {pro_forma_total}"
            ));
        }
    }
    Ok(totals)
}

/// Whether a run was written by this version of the program; another's is opened by nobody.
///
/// # Errors
/// A folder that is no run.
pub fn is_of_this_version(path: &Path) -> Result<bool, Failure> {
    let unread = |error: &dyn std::fmt::Display| {
        Failure::input(format!("`{}` is not a run: {error}", path.display())).hint(HINT_AGAIN)
    };
    let text = fs::read(path.join(MARK)).map_err(|error| unread(&error))?;
    let version: Version = serde_json::from_slice(&text).map_err(|error| unread(&error))?;
    Ok(version.program_version == THIS_VERSION && serde_json::from_slice::<Mark>(&text).is_ok())
}

fn read_mark(path: &Path, written: Written) -> Result<Mark, Failure> {
    let shown = path.display();
    let hint = "give a folder that `proforma run … --out DIR` has written";
    if path.to_string_lossy().contains("://") {
        let problem = format!("`{shown}` is on an object store, where runs are not opened");
        return Err(Failure::input(problem).hint("copy the run to a folder and name that"));
    }
    let text = fs::read(path.join(MARK)).map_err(|error| {
        let why = match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory if path.is_dir() => format!("it has no `{MARK}`"),
            ErrorKind::NotFound => "it does not exist".to_owned(),
            ErrorKind::NotADirectory => "it is not a folder".to_owned(),
            _ => error.to_string(),
        };
        Failure::input(format!("`{shown}` is not a run: {why}")).hint(hint)
    })?;
    let Ok(Version { program_version, run_format }) = serde_json::from_slice(&text) else {
        return Err(
            Failure::input(format!("`{shown}` is not a run: its `{MARK}` is another program's")).hint(hint)
        );
    };
    let refused = |problem: String| Failure::input(problem).hint(HINT_AGAIN);
    if written == Written::ByThisVersion && program_version != THIS_VERSION {
        return Err(refused(format!(
            "`{shown}` was written by version {program_version} of this program, which is version {THIS_VERSION}"
        )));
    }
    if run_format > RUN_FORMAT {
        let problem = format!(
            "`{shown}` was written by version {program_version} of this program in format {run_format} of a run, of which version {THIS_VERSION} \
             knows {RUN_FORMAT}"
        );
        return Err(Failure::input(problem).hint(format!("use version {program_version} or a later one")));
    }
    serde_json::from_slice(&text)
        .map_err(|_| refused(format!("`{shown}` was written by an earlier build of this program")))
}

/// The copy of the book. It was checked when the run was made, and its warnings were said then.
fn read_book(path: &Path) -> Result<Book, String> {
    let name = BOOKS.iter().find(|name| path.join(name).is_file()).ok_or("it has no copy of the book")?;
    let text = fs::read_to_string(path.join(name)).map_err(|error| format!("`{name}`: {error}"))?;
    let files = || -> anyhow::Result<BTreeMap<String, String>> {
        Ok(serde_json::from_slice(&fs::read(path.join(BOOK_FILES))?)?)
    };
    // Whether they are what priced the run, the book's hash says, which has them in it.
    let kept = |file: &str| match files() {
        Ok(mut files) => files.remove(file).ok_or_else(|| format!("`{BOOK_FILES}` has no `{file}`")),
        Err(error) => Err(format!("`{BOOK_FILES}`: {error}")),
    };
    let parsed = book_file::parse(Path::new(name), &text, &kept);
    parsed.map(|parsed| parsed.book).map_err(|mistakes| {
        format!("`{name}`:{}", mistakes.first().map(ToString::to_string).unwrap_or_default())
    })
}

/// A cube, its control totals, and the hash of its file.
pub type ReadCube = (Cube, BTreeMap<Currency, ControlTotal>, [u8; 32]);

fn read_cube(path: &Path, expected: &str) -> Result<ReadCube, String> {
    let stored =
        StoredCube::open(&path.join(CUBE)).map_err(|error| format!("`{CUBE}` cannot be read: {error}"))?;
    // The same bytes are hashed and decoded, side by side: somebody waits. What is not as written is not used.
    let (hash, cube) = std::thread::scope(|scope| {
        let hash = scope.spawn(|| stored.sha256());
        let cube = stored.read();
        (hash.join(), cube)
    });
    match hash {
        Ok(hash) if as_marked(&hash) == expected => match cube {
            Ok((cube, control)) => Ok((cube, control, hash)),
            Err(error) => Err(format!("`{CUBE}`: {error}")),
        },
        _ => Err(format!("`{CUBE}` is damaged, or of another run")),
    }
}
