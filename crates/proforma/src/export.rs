//! The line export: what it says to the exporting child, with a run and afterwards.

mod cur_rows;
mod focus_rows;
pub mod view_parts;

use crate::cli::{ExportArguments, ExportFormat, ExportLayout, READ_COST_FILES};
use crate::failure::Failure;
use crate::pricing::Rated;
use crate::publish::{CUBE, Draft, EXPORT_MARK, EXPORTS, Earlier, folder_name};
use crate::reader::{limits, reading_failed, threads};
use crate::report_files::json;
use crate::resale::needs_lines;
use crate::run_folder::{self, RunFolder};
use crate::terminal::{ReadingBar, thousands};
use anyhow::Context;
use billing::book::Book;
use billing::charge_class::{Cube, KeyColumn};
use billing::commitment;
use billing::coverage::Coverage;
use billing::custom_line_item::CustomLineItem;
use billing::hierarchy::Hierarchy;
use billing::money::{DecimalError, ten_to};
use billing::period::BillingPeriod;
use billing::rate_card::RateCard;
use billing::responsibility_transfer::Phase;
use billing::statement::{self, Statement};
use cost_data::commitment_inventory::CommitmentInventory;
use cost_data::covered_lines::{CoveredLines, CoveredLinesFile};
use cost_data::export::ExportReport;
use cost_data::export::plan::{
    ClassPlan, CoveragePlan, CoveredClass, FileFormat, GroupPlan, Layout, Plan, Total,
};
use cost_data::layout::CostFormat;
use cost_data::reading::Request;
use cost_data::report::FileReport;
use cost_data::worker::{self, ExportOrder, Limits};
use export_query::Granularity;
use focus_rows::FocusRows;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::Path;

/// Who invoices, where the book does not say: nobody has.
const ISSUER: &str = "Pro forma";

/// What the residue row is.
const RESIDUE: &str = "What rounding to fifteen digits left over in the lines of this file";

/// The cause of a custom line item's rows.
fn cause_of(item: &CustomLineItem) -> String {
    format!("customlineitem/{}", item.name)
}

/// What a custom line item's rows say that it is.
fn description_of(item: &CustomLineItem) -> &str {
    if item.description.is_empty() { &item.name } else { &item.description }
}

/// The cause of the residue row.
fn cause_of_residue(period: BillingPeriod) -> String {
    format!("residue/{period}")
}

/// The first instant of a month and the first after it, as cost files write them.
fn instants(period: BillingPeriod) -> [String; 2] {
    [period, period.next()].map(|month| format!("{month}-01T00:00:00Z"))
}

/// A priced month, as an export needs it.
pub struct Priced<'a> {
    pub cube: &'a Cube,
    pub book: &'a Book,
    pub card: &'a RateCard,
    pub statements: &'a [Statement],
    /// What commitments cover, where that was simulated.
    pub coverage: Option<&'a Coverage>,
    /// The cost files: name and SHA-256.
    pub files: Vec<(&'a str, &'a str)>,
    pub format: CostFormat,
}

impl<'a> Priced<'a> {
    /// A run's month under the prices that it was charged by.
    pub fn of(run: &'a RunFolder, card: &'a RateCard, statements: &'a [Statement]) -> Result<Self, Failure> {
        Ok(Self {
            cube: &run.cube,
            book: &run.book,
            card,
            statements,
            coverage: run.coverage()?,
            files: run.files.iter().map(|file| (file.name.as_str(), file.sha256.as_str())).collect(),
            format: run.format,
        })
    }
}

/// What to export of it.
pub struct Wanted<'a> {
    pub layout: ExportLayout,
    pub format: Option<ExportFormat>,
    /// The billing groups, by name, each with all below it; all if none is named.
    pub groups: &'a [String],
}

/// The format of a delivery's files, which have one.
pub fn format_of(files: &[FileReport]) -> CostFormat {
    files.first().map_or(CostFormat::Cur2, |file| file.format)
}

/// The plan of an export.
///
/// # Errors
/// Columns that these cost files do not have.
pub fn plan(priced: &Priced<'_>, wanted: &Wanted<'_>) -> Result<Plan, Failure> {
    let (cube, book) = (priced.cube, priced.book);
    let layout = layout(wanted.layout, priced.format)?;
    let chosen = chosen(book, cube.period, wanted.groups)?;
    let as_parquet = || priced.files.iter().any(|(name, _)| name.ends_with(".parquet"));
    let format = match wanted.format {
        Some(ExportFormat::Parquet) => FileFormat::Parquet,
        Some(ExportFormat::Csv) => FileFormat::Csv,
        None if as_parquet() => FileFormat::Parquet,
        None => FileFormat::Csv,
    };
    let classes = priced.card.entries.iter().enumerate();
    let issuer = book.exports.invoice_issuer.clone().unwrap_or_else(|| ISSUER.to_owned());
    let groups = (0..book.groups.len()).map(|number| group_plan(priced, &chosen, layout, (number, &issuer)));
    Ok(Plan {
        layout,
        format,
        file_name: format!("pro-forma-{}", cube.period),
        allowed_columns: book.exports.columns.clone(),
        allowed_tags: book.exports.tags.clone(),
        files: priced.files.iter().map(|(_, sha256)| (*sha256).to_owned()).collect(),
        accounts: accounts(cube, book, priced.card),
        unused_told: matches!(priced.format, CostFormat::Focus(_)),
        account_names: (book.account_names.iter())
            .map(|(account, name)| (account.to_string(), name.clone()))
            .collect(),
        groups: groups.collect::<Result<_, _>>()?,
        issuer: issuer.clone(),
        classes: classes
            .map(|(number, entry)| ClassPlan::new(priced.card.class(cube, number), entry))
            .collect(),
        coverage: None,
        query: None,
        granularity: Granularity::Hourly,
        left_out: Vec::new(),
        view: None,
    })
}

/// The numbers of the groups that are named and of all below them; all groups if none is named. A group whose billing transfer is not in force
/// has no lines and no file.
fn chosen(book: &Book, period: BillingPeriod, names: &[String]) -> Result<BTreeSet<usize>, Failure> {
    let is_in_force = |group: &usize| book.phase(*group, period) == Phase::InForce;
    if names.is_empty() {
        return Ok((0..book.groups.len()).filter(is_in_force).collect());
    }
    let number = |name: &String| {
        let Some(number) = book.groups.iter().position(|group| group.name == *name) else {
            return Err(Failure::input(format!("the book has no billing group `{name}`"))
                .hint("give the name of a billing group with --group"));
        };
        if is_in_force(&number) {
            return Ok(number);
        }
        let transfer = book.groups[number].transfer.map_or("", |transfer| &book.transfers[transfer].name);
        let problem = format!(
            "billing group `{name}` has nothing to export: its billing transfer `{transfer}` is not in force in {period}"
        );
        Err(Failure::input(problem).hint("leave it out, or export a month in which the transfer is in force"))
    };
    let named = names.iter().map(number).collect::<Result<Vec<_>, _>>()?;
    Ok(Hierarchy::of(book, period).with_all_below(&named))
}

/// What an export needs of a simulation: what commitments are, and which parts of which lines they cover.
pub type Simulated = (CommitmentInventory, CoveredLines);

/// Says in a plan what commitments cover. The lines go to the child through a file in `folder`, which is gone when what is given back is.
pub fn with_coverage(
    plan: &mut Plan,
    priced: &Priced<'_>,
    simulated: Option<Simulated>,
    folder: &Path,
) -> Result<Option<CoveredLinesFile>, Failure> {
    let Some((inventory, lines)) = simulated else { return Ok(None) };
    let file = lines
        .write(folder, priced.cube, inventory.commitments().len())
        .with_context(|| format!("cannot write into `{}` which lines are covered", folder.display()))?;
    let covered = priced.card.covered.iter().map(|part| CoveredClass {
        class: part.covered.class,
        commitment: part.covered.commitment,
        usage: part.covered.usage().units(),
    });
    plan.coverage = Some(CoveragePlan {
        inventory,
        lines: file.place(),
        file_names: priced.files.iter().map(|(name, _)| (*name).to_owned()).collect(),
        covered: covered.collect(),
    });
    Ok(Some(file))
}

/// What a billing group's file is to hold beside its lines.
fn group_plan(
    priced: &Priced<'_>,
    chosen: &BTreeSet<usize>,
    layout: Layout,
    (number, issuer): (usize, &str),
) -> Result<GroupPlan, DecimalError> {
    let (period, book) = (priced.cube.period, priced.book);
    let group = &book.groups[number];
    let rows = FocusRows { priced, group, number, issuer };
    let mut plan = GroupPlan {
        folder: chosen.contains(&number).then(|| folder_name(&group.name)),
        name: group.name.clone(),
        primary_account: group.primary_account.to_string(),
        added: Vec::new(),
        totals: Vec::new(),
    };
    for statement in priced.statements.iter().filter(|statement| statement.group == number) {
        let currency = statement.currency;
        let residue = match layout {
            Layout::Cur => {
                plan.added.extend(cur_rows::items(period, book, statement));
                cur_rows::residue(period, book, group, currency)
            }
            Layout::Focus => {
                plan.added.extend(rows.items(statement));
                plan.added.extend(rows.commitments(currency)?);
                rows.residue(currency)
            }
        };
        plan.totals.push(Total { amount: statement.total_shown.units() * ten_to(10), residue });
    }
    Ok(plan)
}

fn layout(wanted: ExportLayout, files: CostFormat) -> Result<Layout, Failure> {
    let refused = |wanted: &str| {
        let problem = format!("{wanted} cannot be exported from {} files", files.name());
        Err(Failure::input(problem).hint("export the columns that the cost files have, or --export focus"))
    };
    match (wanted, files) {
        (ExportLayout::Cur, CostFormat::LegacyCur) | (ExportLayout::Cur2, CostFormat::Cur2) => {
            Ok(Layout::Cur)
        }
        (ExportLayout::Cur, _) => refused("legacy CUR"),
        (ExportLayout::Cur2, _) => refused("CUR 2.0"),
        (ExportLayout::Focus | ExportLayout::None, _) => Ok(Layout::Focus),
    }
}

/// Every account that the month or the book names, and the billing groups whose files may name it: the group that it is a member of, and
/// those that have lines of it. So what a file may say follows from its own group's members and lines, whoever else has lines of an account.
fn accounts(cube: &Cube, book: &Book, card: &RateCard) -> Vec<(String, Vec<u32>)> {
    let mut groups: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    let mut note = |account, group: Option<u32>| groups.entry(account).or_default().extend(group);
    note(book.payer.as_str(), None);
    book.account_names.keys().for_each(|account| note(account.as_str(), None));
    let of_month = book.group_by_account(cube.period);
    of_month.iter().for_each(|(account, group)| note(account, u32::try_from(*group).ok()));
    // Whoever is in no group this month is nobody's to read about.
    let of_groups = book.groups.iter().flat_map(|group| &group.accounts);
    let of_transfers = book.transfers.iter().flat_map(|transfer| &transfer.accounts);
    of_groups.chain(of_transfers).for_each(|account| note(account.as_str(), None));
    for (class, entry) in cube.classes.iter().zip(&card.entries) {
        note(cube.value(class, KeyColumn::UsageAccount).unwrap_or_default(), entry.group);
        note(commitment::owner(cube, class), None);
    }
    groups.into_iter().map(|(account, groups)| (account.to_owned(), groups.into_iter().collect())).collect()
}

/// Exports with a run, into its draft.
pub fn with_run(
    draft: &Draft,
    (request, limits): (&Request, Limits),
    priced: &Priced<'_>,
    wanted: &Wanted<'_>,
    simulated: Option<Simulated>,
) -> Result<ExportReport, Failure> {
    let mut plan = plan(priced, wanted)?;
    draft.make_folder(EXPORTS)?;
    let folder = draft.path(EXPORTS);
    let _covered = with_coverage(&mut plan, priced, simulated, &folder)?;
    into_folder(&folder, request, limits, plan, &draft.path(CUBE))
}

/// Lets a child export into a folder, and writes beside the files what they are.
fn into_folder(
    folder: &Path,
    request: &Request,
    limits: Limits,
    plan: Plan,
    cube: &Path,
) -> Result<ExportReport, Failure> {
    let program = std::env::current_exe().context("cannot find this program to start its exporting child")?;
    let groups: Vec<String> = plan.groups.iter().map(|group| group.name.clone()).collect();
    let order =
        ExportOrder { request: request.clone(), cube: cube.to_owned(), plan, folder: folder.to_owned() };
    let bar = ReadingBar::new();
    let exported = worker::export(&program, READ_COST_FILES, order, limits, &mut |so_far| bar.show(so_far));
    bar.finish();
    let report = exported.map_err(|error| reading_failed(error, request.accept_rejects))?;
    write_mark(folder, &report, &groups)?;
    Ok(report)
}

/// What `export.json` says.
#[derive(Serialize)]
struct Mark<'a> {
    files: Vec<MarkFile<'a>>,
    columns: BTreeMap<&'a str, &'a str>,
    unknown_columns: &'a [String],
    values_withheld: u64,
}

#[derive(Serialize)]
struct MarkFile<'a> {
    billing_group: &'a str,
    file: &'a str,
    rows: u64,
    added_rows: u64,
    #[serde(skip_serializing_if = "is_zero")]
    further_rows: u64,
    bytes: u64,
    residue: &'a BTreeMap<String, String>,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn write_mark(folder: &Path, report: &ExportReport, groups: &[String]) -> anyhow::Result<()> {
    let files = report.files.iter().map(|file| MarkFile {
        billing_group: &groups[file.group],
        file: &file.name,
        rows: file.rows,
        added_rows: file.added_rows,
        further_rows: file.further_rows,
        bytes: file.bytes,
        residue: &file.residue,
    });
    let mark = Mark {
        files: files.collect(),
        columns: report.columns.iter().map(|(name, treated)| (name.as_str(), treated.as_str())).collect(),
        unknown_columns: &report.unknown_columns,
        values_withheld: report.values_withheld,
    };
    let path = folder.join(EXPORT_MARK);
    fs::write(&path, json(&mark)?).with_context(|| format!("cannot write `{}`", path.display()))
}

/// Says on standard error what was exported and what was noticed.
pub fn print(report: &ExportReport) {
    let rows: u64 = report.files.iter().map(|file| file.rows).sum();
    let (files, rows) = (thousands(report.files.len() as u64), thousands(rows));
    say!("exported {rows} rows into {files} file{}", if report.files.len() == 1 { "" } else { "s" });
    if report.values_withheld > 0 {
        let count = thousands(report.values_withheld);
        say!("note: {count} values name an account outside of their billing group and were left blank");
    }
    for column in &report.allowed_in_vain {
        say!(
            "warning: the book's `exports` allow the column `{column}`, which no cost file has or no customer's file may hold"
        );
    }
    if !report.unknown_columns.is_empty() {
        let list = report.unknown_columns.join("`, `");
        say!(
            "note: unknown columns were left blank: `{list}`; `[exports] columns` of the book can allow them"
        );
    }
}

/// `proforma export`: the lines of a run, afterwards.
pub fn export(arguments: &ExportArguments) -> Result<(), Failure> {
    if arguments.export == Some(ExportLayout::None) {
        return Err(Failure::input("`--export none` exports nothing").hint("leave it out, or name columns"));
    }
    let mut run = run_folder::open(&arguments.run)?;
    needs_lines(&run, "no lines that could be exported")?;
    let Rated { card, charges, .. } = run.rate()?;
    let statements = statement::statements(&run.cube, &run.book, &card, &charges)?;
    let priced = Priced::of(&run, &card, &statements)?;
    let own = match run.format {
        CostFormat::LegacyCur => ExportLayout::Cur,
        CostFormat::Cur2 => ExportLayout::Cur2,
        CostFormat::Focus(_) => ExportLayout::Focus,
    };
    let layout = arguments.export.unwrap_or(own);
    let wanted = Wanted { layout, format: arguments.export_format, groups: &arguments.group };
    let mut plan = plan(&priced, &wanted)?;
    let target = arguments.out.clone().unwrap_or_else(|| run.path.join(EXPORTS));
    let folders = earlier_folders(&target);
    let asked: BTreeSet<&str> = plan.groups.iter().filter_map(|group| group.folder.as_deref()).collect();
    let lost: Vec<&str> =
        folders.iter().map(String::as_str).filter(|folder| !asked.contains(folder)).collect();
    if !lost.is_empty() && !arguments.group.is_empty() {
        let problem = format!(
            "the export in `{}` also has `{}`, which --force would remove",
            target.display(),
            lost.join("`, `")
        );
        return Err(Failure::input(problem).hint("give another folder with --out, or export all groups"));
    }
    let known = |name: &OsString| name == EXPORT_MARK || folders.iter().any(|folder| name == folder.as_str());
    let earlier = Earlier { what: "export", mark: EXPORT_MARK, known: &known };
    let draft = Draft::begin_as(&target, &earlier, arguments.force, arguments.scratch.as_deref())?;
    let request = request(arguments, &run);
    let limits = limits(&request.inputs, request.threads, arguments.worker_memory, arguments.worker_cpu)?;
    let covered = with_coverage(&mut plan, &priced, run.covered_lines()?, &draft.path(""))?;
    let report = into_folder(&draft.path(""), &request, limits, plan, &run.path.join(CUBE))?;
    drop(covered);
    draft.publish()?;
    print(&report);
    Ok(())
}

fn request(arguments: &ExportArguments, run: &RunFolder) -> Request {
    Request {
        threads: threads(arguments.threads),
        accept_rejects: run.accepted_rejects,
        scratch: arguments.scratch.clone(),
        dimensions: (&run.cube.dimensions).into(),
        ..Request::new(run.cost(&arguments.cost), run.period.to_string())
    }
}

/// The billing groups' folders of an export that is there.
fn earlier_folders(target: &Path) -> BTreeSet<String> {
    let read = || -> Option<BTreeSet<String>> {
        let mark: serde_json::Value =
            serde_json::from_slice(&fs::read(target.join(EXPORT_MARK)).ok()?).ok()?;
        let files = mark.get("files")?.as_array()?;
        let folder =
            |file: &serde_json::Value| Some(file.get("file")?.as_str()?.split_once('/')?.0.to_owned());
        Some(files.iter().filter_map(folder).collect())
    };
    read().unwrap_or_default()
}
