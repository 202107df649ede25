//! What commitments cover in a run: simulated inside its billing groups when it is made, kept in it, and simulated again only for a book
//! whose groups are others.

use crate::failure::{Failure, damaged};
use crate::publish::{COMMITMENTS, COVERAGE, Draft, ELIGIBLE_USAGE, as_marked, check_hash};
use anyhow::Context;
use billing::account::arn_account;
use billing::benefit::{self, Benefit};
use billing::book::Book;
use billing::charge_class::Cube;
use billing::commitment::{self, Capacity, Commitment};
use billing::coverage::{
    Coverage, CoveredPartOfLine, CoveredUsage, EligibleLine, Simulator, Utilization, as_in_the_real_bill,
    each_part, families,
};
use billing::fate::Fates;
use billing::membership::Membership;
use billing::money::DecimalError;
use billing::sharing::Sharing;
use cost_data::commitment_inventory::CommitmentInventory;
use cost_data::coverage_file;
use cost_data::covered_lines::CoveredLines;
use cost_data::eligible_usage::{EligibleUsage, NotKept, StoredEligibleUsage, hours_of};
use cost_data::hash::hex;
use cost_data::report::Report;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// How many remarks are said one by one.
const LISTED_MAX: usize = 5;

/// What a run knows of the month's commitments.
#[derive(Default)]
pub struct Commitments {
    /// What they are, as far as the cost files say; nothing where nobody asked.
    pub inventory: CommitmentInventory,
    /// What they cover; none where coverage is as in the real bill.
    pub coverage: Option<Coverage>,
    /// Why it is.
    pub why_not: Option<String>,
    /// Whether the cost files were asked what commitments are, and could say it.
    pub inventory_read: bool,
    /// The SHA-256 of the files of eligible usage and of coverage, in hexadecimal, where there are some.
    pub eligible_usage: Option<String>,
    /// The same of what is covered.
    pub covered: Option<String>,
    /// How many lines of usage that they may cover none of them does, whatever the book.
    pub lines_passed_by: u64,
    /// What the payer's commitments have saved, where that is spread over the groups.
    pub benefits: Vec<Benefit>,
    /// What an operator should know.
    pub warnings: Vec<String>,
    /// What else there is to say.
    pub notes: Vec<String>,
}

/// Simulates the commitments of a month that was read into a draft, and keeps there what they cover. The book gets the custom line items that
/// its policy of sharing makes from that.
pub fn simulate(
    cube: &Cube,
    book: &mut Book,
    report: &mut Report,
    wanted: bool,
    draft: &Draft,
) -> Result<Commitments, Failure> {
    simulate_with(cube, book, report, wanted, draft, |book, told| {
        Ok(Covered::Simulated(of_file(&draft.path(ELIGIBLE_USAGE), cube, book, told, None)?))
    })
}

/// The same of the month of an earlier run, whose eligible usage is in the draft already: what commitments cover there is taken over where the
/// billing groups are the same.
pub fn simulate_again(
    run: &KnownCoverage,
    cube: &Cube,
    book: &mut Book,
    report: &mut Report,
    draft: &Draft,
) -> Result<Commitments, Failure> {
    simulate_with(cube, book, report, true, draft, |book, told| match run.if_same(cube, book)? {
        Some((coverage, sha256)) => {
            draft.take_over(&run.path, COVERAGE)?;
            Ok(Covered::Known(coverage, sha256))
        }
        None => Ok(Covered::Simulated(run.again(cube, book, told)?)),
    })
}

/// What commitments cover: known with the hash of its file, which is in the draft, or to be written there.
enum Covered {
    Known(Coverage, String),
    Simulated(Coverage),
}

fn simulate_with(
    cube: &Cube,
    book: &mut Book,
    report: &mut Report,
    wanted: bool,
    draft: &Draft,
    coverage: impl FnOnce(&Book, &[Commitment]) -> Result<Covered, Failure>,
) -> Result<Commitments, Failure> {
    check_known(book, if wanted { None } else { Some(NO_SIMULATION) })?;
    if let Some(EligibleUsage::NotKept(reason @ NotKept::Focus)) = &report.eligible_usage {
        check_known(book, Some(&reason.to_string()))?;
    }
    let inventory = report.commitments.take();
    let mut commitments = Commitments {
        inventory_read: inventory.is_some(),
        inventory: inventory.unwrap_or_default(),
        ..Commitments::default()
    };
    match &report.eligible_usage {
        Some(EligibleUsage::Kept { sha256, passed_by, .. }) => {
            commitments.eligible_usage = Some(sha256.clone());
            commitments.lines_passed_by = *passed_by;
        }
        Some(EligibleUsage::NotKept(reason)) => {
            commitments.why_not = Some(reason.to_string());
            if *reason != NotKept::NoCommitment && has_commitments(cube) && book.sharing.simulates() {
                commitments.warnings.push(format!("{NOT_SIMULATED}: {reason}"));
            }
        }
        None => commitments.why_not = Some(NO_SIMULATION.to_owned()),
    }
    let told = commitments.inventory.commitments();
    if !book.sharing.simulates() && commitments.why_not.is_none() {
        commitments.why_not = Some(AS_SHARED.to_owned());
    }
    if commitments.eligible_usage.is_some() && commitments.why_not.is_none() {
        let (coverage, sha256) = match coverage(book, &told)? {
            Covered::Known(coverage, sha256) => (coverage, sha256),
            Covered::Simulated(coverage) => {
                let written = coverage_file::write(&draft.path(COVERAGE), cube, &coverage.days);
                let sha256 = hex(&written.with_context(|| format!("cannot write `{COVERAGE}`"))?);
                (coverage, sha256)
            }
        };
        commitments.covered = Some(sha256);
        commitments.coverage = Some(coverage);
        commitments.warnings.extend(passed_by(commitments.lines_passed_by));
        commitments.remark();
    }
    if commitments.coverage.is_some() || book.sharing == Sharing::ProRata {
        commitments.warnings.extend(untold(cube, book, &commitments.inventory, &told));
    }
    commitments.benefits = add_benefits(book, cube, &told, commitments.coverage.as_ref())?;
    Ok(commitments)
}

/// What is said of usage that commitments may cover and never do.
fn passed_by(lines: u64) -> Option<String> {
    let warning = format!(
        "{lines} lines of usage that commitments may cover begin in another month, do not say when, or have amounts beyond any hour's: no \
         commitment covers them"
    );
    (lines > 0).then_some(warning)
}

/// What is said where the real bill decides what is covered.
const NOT_SIMULATED: &str = "commitments are not simulated and cover what they cover in the real bill";
/// Why a run has not kept the usage that they may cover.
const NO_SIMULATION: &str = "`--no-simulation` was given";
const AS_SHARED: &str = "the book shares commitments as in the real bill";

/// Whether the month has any commitment.
fn has_commitments(cube: &Cube) -> bool {
    cube.classes.iter().any(|class| commitment::arn(cube, class).is_some())
}

impl Commitments {
    /// Notes what the cost files leave open.
    fn remark(&mut self) {
        let about = |remark: &cost_data::commitment_inventory::Remark| match remark.arn.as_str() {
            "" => remark.text.clone(),
            arn => format!("`{arn}`: {}", remark.text),
        };
        let remarks = self.inventory.remarks.iter().map(about).collect();
        say_some(&mut self.notes, remarks, "remarks on commitments");
        let conflicts = self.inventory.conflicts.iter().map(|conflict| {
            let (lowest, [one, other]) = (&conflict.lowest, &conflict.plans);
            format!(
                "usage type `{}` has the plan rates {} and {} (`{one}`, `{other}`): the lower is used",
                lowest.usage_type, lowest.rate, conflict.highest
            )
        });
        say_some(&mut self.notes, conflicts.collect(), "usage types have several plan rates");
    }
}

/// The commitments of billing groups of which the cost files tell too little, and those of the payer that can therefore not be spread.
fn untold(cube: &Cube, book: &Book, inventory: &CommitmentInventory, told: &[Commitment]) -> Vec<String> {
    let membership = Membership::new(cube, book);
    let real = as_in_the_real_bill(cube, told, &membership);
    let of = |wanted: &dyn Fn(&str) -> bool, what: &str, more: &str| {
        let remarks = inventory.untold.iter().filter(|remark| wanted(&remark.arn));
        let said = remarks.map(|remark| format!("`{}` {what}: {}", remark.arn, remark.text)).collect();
        let mut warnings = Vec::new();
        say_some(&mut warnings, said, more);
        warnings
    };
    let what = "covers what it covers in the real bill";
    let mut warnings = of(&|arn| real.contains(arn), what, "commitments cover what they cover there");
    // One that covers nothing of its group there would vanish without a word.
    let of_group =
        |arn: &str| arn_account(arn).is_some_and(|owner| membership.group_of_owner(owner).is_some());
    let nothing = |arn: &str| of_group(arn) && !real.contains(arn);
    warnings.extend(of(&nothing, "covers nothing in its billing group", "commitments cover nothing there"));
    if book.sharing == Sharing::ProRata {
        let of_payer = |arn: &str| arn_account(arn) == Some(book.payer.as_str());
        let what = "has no benefit that could be spread";
        warnings.extend(of(&of_payer, what, "commitments of the payer have none"));
    }
    warnings
}

/// Adds to a book the custom line items that its policy of sharing makes from a month, and gives what they come from.
///
/// # Errors
/// What cannot be shared so.
pub fn add_benefits(
    book: &mut Book,
    cube: &Cube,
    told: &[Commitment],
    coverage: Option<&Coverage>,
) -> Result<Vec<Benefit>, Failure> {
    if book.sharing == Sharing::ProRata && benefit::is_in_another_currency(cube, book) {
        let problem = format!(
            "`sharing.commitments = \"pro_rata\"`: the month's commitments are not billed in the book's currency {}",
            book.currency
        );
        return Err(Failure::input(problem).hint("set the book's currency to that of the bill"));
    }
    let fates = match book.sharing {
        Sharing::ProRata => fates(cube, book, &Membership::new(cube, book))?,
        _ => Fates::default(),
    };
    let benefits = benefit::benefits(cube, book, (told, &fates), coverage).map_err(too_large)?;
    book.items.extend(benefit::items(cube, book, told, &benefits).map_err(too_large)?);
    Ok(benefits)
}

/// Refuses to share pro rata where it is not known what commitments are.
fn check_known(book: &Book, why_not_known: Option<&str>) -> Result<(), Failure> {
    match why_not_known.filter(|_| book.sharing == Sharing::ProRata) {
        Some(why) => Err(Failure::input(format!(
            "`sharing.commitments = \"pro_rata\"` cannot be applied: {why}"
        ))
        .hint(
            "share commitments by `members`, `real` or `keep`, or price CUR files without --no-simulation",
        )),
        None => Ok(()),
    }
}

/// Adds the first of some sentences, and how many more there are.
fn say_some(to: &mut Vec<String>, sentences: Vec<String>, what: &str) {
    let more = sentences.len().saturating_sub(LISTED_MAX);
    to.extend(sentences.into_iter().take(LISTED_MAX));
    if more > 0 {
        to.push(format!("{more} more {what}; commitments.json lists them"));
    }
}

/// Simulates from a file of eligible usage, whose hash is checked where one is expected.
pub fn of_file(
    path: &Path,
    cube: &Cube,
    book: &Book,
    commitments: &[Commitment],
    expected: Option<&str>,
) -> Result<Coverage, Failure> {
    simulate_file(path, cube, book, commitments, expected, |_, _, _| Ok(()))
}

/// Lets a simulation of a file of eligible usage say of every hour and class which lines it has, and what covers them.
fn simulate_file(
    path: &Path,
    cube: &Cube,
    book: &Book,
    commitments: &[Commitment],
    expected: Option<&str>,
    mut covered: impl FnMut(u32, &[EligibleLine], &[CoveredUsage]) -> Result<(), DecimalError>,
) -> Result<Coverage, Failure> {
    let folder = path.parent().unwrap_or(path);
    let unread = |error: &dyn std::fmt::Display| {
        damaged(folder, format!("`{ELIGIBLE_USAGE}` cannot be read: {error}"))
    };
    let stored = StoredEligibleUsage::open(path, cube).map_err(|error| unread(&error))?;
    if let Some(expected) = expected {
        check_hash(folder, ELIGIBLE_USAGE, &stored.sha256().map_err(|error| unread(&error))?, expected)?;
    }
    let membership = Membership::new(cube, book);
    let fates = fates(cube, book, &membership)?;
    let mut simulator =
        Simulator::new(cube, commitments, (&membership, &fates), hours_of(cube.period)).map_err(too_large)?;
    let mut hours = stored.hours().map_err(|error| unread(&error))?;
    let mut lines = Vec::new();
    while let Some(hour) = hours.next_hour(&mut lines).map_err(|error| unread(&error))? {
        let mut kept = Ok(());
        let give = |lines: &[EligibleLine], uses: &[CoveredUsage]| {
            if kept.is_ok() {
                kept = covered(hour, lines, uses);
            }
        };
        simulator.add_hour(hour, &lines, give).and(kept).map_err(too_large)?;
    }
    simulator.finish().map_err(too_large)
}

/// Which parts of which lines are covered, as a simulation of this file of eligible usage says.
pub fn lines_of_file(
    path: &Path,
    cube: &Cube,
    book: &Book,
    commitments: &[Commitment],
    expected: Option<&str>,
) -> Result<CoveredLines, Failure> {
    let mut covered = CoveredLines::default();
    simulate_file(path, cube, book, commitments, expected, |hour, lines, uses| {
        covered.add(hour, lines, uses)
    })?;
    Ok(covered)
}

/// Which policy of the book has which class.
fn fates(cube: &Cube, book: &Book, membership: &Membership<'_>) -> Result<Fates, Failure> {
    Fates::of(cube, book, membership).map_err(|error| Failure::input(error.to_string()))
}

fn too_large(error: DecimalError) -> Failure {
    Failure::input(format!("what commitments cover cannot be summed: an amount is {error}"))
}

/// What `reconciliation.json` says of the files about commitments.
#[derive(Deserialize)]
pub struct MarkCommitments {
    sha256: String,
    simulated: bool,
    eligible_usage: Option<String>,
    coverage: Option<String>,
}

/// What is needed of `commitments.json`.
#[derive(Deserialize)]
struct Kept {
    why_not: Option<String>,
    inventory_read: bool,
    lines_passed_by: u64,
    families: String,
    commitments: Vec<KeptUtilization>,
    inventory: CommitmentInventory,
}

#[derive(Deserialize)]
struct KeptUtilization {
    used: String,
    unused: String,
}

/// What commitments cover in a run, for another that is made from it.
pub struct KnownCoverage {
    /// Where the run is.
    pub path: PathBuf,
    commitments: KnownCommitments,
}

impl KnownCoverage {
    /// With the SHA-256 of its file, where they cover the same under another book that simulates.
    pub fn if_same(&self, cube: &Cube, book: &Book) -> Result<Option<(Coverage, String)>, Failure> {
        self.commitments.if_same(&self.path, cube, book)
    }

    /// Under another book, by a simulation of its own.
    pub fn again(&self, cube: &Cube, book: &Book, told: &[Commitment]) -> Result<Coverage, Failure> {
        self.commitments.again(&self.path, cube, book, told)
    }
}

/// What commitments cover in a run that was opened, read when somebody asks.
pub struct KnownCommitments {
    mark: MarkCommitments,
    kept: OnceLock<Kept>,
    coverage: OnceLock<Coverage>,
}

impl KnownCommitments {
    /// By what the run's mark says.
    pub const fn new(mark: MarkCommitments) -> Self {
        Self { mark, kept: OnceLock::new(), coverage: OnceLock::new() }
    }

    /// With the folder that they stand in.
    pub const fn of_folder(self, path: PathBuf) -> KnownCoverage {
        KnownCoverage { path, commitments: self }
    }

    /// Whether the run has simulated them.
    pub const fn is_simulated(&self) -> bool {
        self.mark.simulated
    }

    /// What commitments cover in the run itself.
    pub fn of_run(&self, folder: &Path, cube: &Cube) -> Result<Option<&Coverage>, Failure> {
        let Some(expected) = self.mark.coverage.as_ref().filter(|_| self.mark.simulated) else {
            return Ok(None);
        };
        if let Some(known) = self.coverage.get() {
            return Ok(Some(known));
        }
        let kept = self.kept(folder)?;
        let commitments = kept.inventory.commitments();
        let (days, hash) = coverage_file::read(&folder.join(COVERAGE), cube, commitments.len())
            .map_err(|error| damaged(folder, format!("`{COVERAGE}` cannot be read: {error}")))?;
        check_hash(folder, COVERAGE, &hash, expected)?;
        let utilization = kept.commitments.iter().map(KeptUtilization::read).collect::<Result<Vec<_>, _>>();
        let utilization =
            utilization.map_err(|error| damaged(folder, format!("`{COMMITMENTS}`: an amount is {error}")))?;
        Ok(Some(self.coverage.get_or_init(|| Coverage { commitments, utilization, days })))
    }

    /// Adds to a book that shares pro rata what that makes from the run's month.
    pub fn add_benefits(
        &self,
        folder: &Path,
        cube: &Cube,
        book: &mut Book,
        coverage: Option<&Coverage>,
    ) -> Result<(), Failure> {
        let kept = self.kept(folder)?;
        check_known(book, kept.why_not.as_deref().filter(|_| !kept.inventory_read))?;
        add_benefits(book, cube, &kept.inventory.commitments(), coverage)?;
        Ok(())
    }

    /// Whether the run has simulated what it would under another book, because the billing groups are the same.
    fn are_same(&self, folder: &Path, cube: &Cube, book: &Book) -> Result<bool, Failure> {
        let membership = Membership::new(cube, book);
        let families = as_marked(&families(cube, &membership, &fates(cube, book, &membership)?));
        Ok(self.mark.simulated && families == self.kept(folder)?.families)
    }

    /// What commitments cover in the run, with the SHA-256 of its file, where they cover the same under another book that simulates.
    pub fn if_same(
        &self,
        folder: &Path,
        cube: &Cube,
        book: &Book,
    ) -> Result<Option<(Coverage, String)>, Failure> {
        let sha256 = self.mark.coverage.as_deref().and_then(|hash| hash.strip_prefix("sha256:"));
        let Some(sha256) = sha256.filter(|_| self.mark.simulated) else { return Ok(None) };
        if !self.are_same(folder, cube, book)? {
            return Ok(None);
        }
        Ok(self.of_run(folder, cube)?.map(|coverage| (coverage.clone(), sha256.to_owned())))
    }

    /// What commitments cover under another book, by a simulation of its own.
    pub fn again(
        &self,
        folder: &Path,
        cube: &Cube,
        book: &Book,
        told: &[Commitment],
    ) -> Result<Coverage, Failure> {
        of_file(&folder.join(ELIGIBLE_USAGE), cube, book, told, self.mark.eligible_usage.as_deref())
    }

    /// What the commitments of the month are, where the cost files were asked and could say it.
    pub fn inventory(&self, folder: &Path) -> Result<Option<&CommitmentInventory>, Failure> {
        let kept = self.kept(folder)?;
        Ok(kept.inventory_read.then_some(&kept.inventory))
    }

    /// What commitments cover under another book: what they cover in the run where its billing groups are the same, else simulated again. Also
    /// what an operator should know where neither can be done.
    pub fn under(
        &self,
        folder: &Path,
        cube: &Cube,
        book: &Book,
    ) -> Result<(Option<Cow<'_, Coverage>>, Vec<String>), Failure> {
        if !book.sharing.simulates() {
            return Ok((None, Vec::new()));
        }
        let kept = self.kept(folder)?;
        if self.are_same(folder, cube, book)? {
            let coverage = self.of_run(folder, cube)?;
            let told = coverage.map_or(&[][..], |coverage| &coverage.commitments);
            let mut warnings: Vec<String> = passed_by(kept.lines_passed_by).into_iter().collect();
            warnings.extend(untold(cube, book, &kept.inventory, told));
            return Ok((coverage.map(Cow::Borrowed), warnings));
        }
        let Some(expected) = &self.mark.eligible_usage else {
            let why = kept.why_not.as_ref().filter(|_| has_commitments(cube));
            let said = why.map(|why| format!("{NOT_SIMULATED}: {why}"));
            let mut said: Vec<String> = said.into_iter().collect();
            if book.sharing == Sharing::ProRata {
                said.extend(untold(cube, book, &kept.inventory, &kept.inventory.commitments()));
            }
            return Ok((None, said));
        };
        let commitments = kept.inventory.commitments();
        let coverage = of_file(&folder.join(ELIGIBLE_USAGE), cube, book, &commitments, Some(expected))?;
        let mut warnings: Vec<String> = passed_by(kept.lines_passed_by).into_iter().collect();
        warnings.extend(untold(cube, book, &kept.inventory, &commitments));
        Ok((Some(Cow::Owned(coverage)), warnings))
    }

    /// Which parts of some rows are covered in a simulated run; rows are known by their file and the rows before them.
    pub fn parts_of_rows(
        &self,
        folder: &Path,
        cube: &Cube,
        book: &Book,
        rows: &BTreeSet<(u32, u64)>,
    ) -> Result<Vec<CoveredPartOfLine>, Failure> {
        let Some(expected) = self.mark.eligible_usage.as_deref().filter(|_| self.mark.simulated) else {
            return Ok(Vec::new());
        };
        let commitments = self.kept(folder)?.inventory.commitments();
        let mut parts = Vec::new();
        let path = folder.join(ELIGIBLE_USAGE);
        simulate_file(&path, cube, book, &commitments, Some(expected), |_, lines, covered| {
            if !lines.iter().any(|line| rows.contains(&(line.file, line.row))) {
                return Ok(());
            }
            each_part(lines, covered, |part| {
                parts.extend(Some(part).filter(|part| rows.contains(&(part.file, part.row))));
            })
        })?;
        Ok(parts)
    }

    /// What the commitments of a simulated run are, and which parts of which lines they cover.
    pub fn lines(
        &self,
        folder: &Path,
        cube: &Cube,
        book: &Book,
    ) -> Result<Option<(CommitmentInventory, CoveredLines)>, Failure> {
        let Some(expected) = self.mark.eligible_usage.as_deref().filter(|_| self.mark.simulated) else {
            return Ok(None);
        };
        let inventory = self.kept(folder)?.inventory.clone();
        let path = folder.join(ELIGIBLE_USAGE);
        let lines = lines_of_file(&path, cube, book, &inventory.commitments(), Some(expected))?;
        Ok(Some((inventory, lines)))
    }

    /// What `commitments.json` says, read once.
    fn kept(&self, folder: &Path) -> Result<&Kept, Failure> {
        if let Some(kept) = self.kept.get() {
            return Ok(kept);
        }
        let unread = |error: &dyn std::fmt::Display| {
            damaged(folder, format!("`{COMMITMENTS}` cannot be read: {error}"))
        };
        let text = std::fs::read(folder.join(COMMITMENTS)).map_err(|error| unread(&error))?;
        check_hash(folder, COMMITMENTS, &Sha256::digest(&text), &self.mark.sha256)?;
        let kept = serde_json::from_slice(&text).map_err(|error| unread(&error))?;
        Ok(self.kept.get_or_init(|| kept))
    }
}

impl KeptUtilization {
    fn read(&self) -> Result<Utilization, DecimalError> {
        Ok(Utilization { used: Capacity::parse(&self.used)?, unused: Capacity::parse(&self.unused)? })
    }
}
