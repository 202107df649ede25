//! Finding the files of a month: by manifest where there is one, else every cost file of a folder.

pub mod arrivals;

use crate::diagnostics::{Diagnostic, excerpt};
use crate::found::{Delivery, Found};
use crate::limits::{FILES_MAX, MANIFEST_BYTES_MAX};
use crate::location::{Listed, Listing, Location, There};
use crate::manifest::{self, Manifest, is_manifest};
use crate::source_file::{self, SOURCE_FILE};
use billing::period::BillingPeriod;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Whether AWS has written a new version since a delivery was found: a manifest is another one, or an object of a store.
#[must_use]
pub fn has_changed(delivery: &Delivery, inputs: &[PathBuf], period: BillingPeriod) -> bool {
    let same =
        |known: &Manifest| known.location.read(MANIFEST_BYTES_MAX).is_ok_and(|bytes| bytes == known.bytes);
    let objects = delivery.files.iter().any(|file| file.location.is_object());
    // A file of this machine is open, and is asked itself.
    !delivery.manifests.iter().all(same)
        || objects && find(inputs, period).map_or(true, |now| now.files != delivery.files)
}

/// Finds the files of a period under the given paths: folders, files, or manifests.
///
/// # Errors
/// Every problem found, for example a listed file that is not there, two exports of one month, or no file at all.
pub fn find(inputs: &[PathBuf], period: BillingPeriod) -> Result<Delivery, Vec<Diagnostic>> {
    let mut delivery = Delivery::default();
    let mut problems = Vec::new();
    for input in inputs {
        if let Err(more) = find_one(input, period, &mut delivery) {
            problems.extend(more);
        }
    }
    if let [first, others @ ..] = delivery.manifests.as_slice()
        && !others.is_empty()
    {
        let names: Vec<_> = others.iter().map(|manifest| format!("`{}`", manifest.name)).collect();
        let reason = format!(
            "covers {period}, and so does {}; together they would count cost twice",
            names.join(", ")
        );
        problems.push(Diagnostic::file(&first.name, reason).hint("give one export with --cost"));
    }
    delivery.files.sort();
    problems.extend(compressed_twins(&delivery.files));
    let mut seen = BTreeSet::new();
    for file in &delivery.files {
        if !seen.insert(file.location.canonical()) {
            problems.push(
                Diagnostic::file(&file.name, "is given twice").hint("name each cost file or folder once"),
            );
        }
    }
    if delivery.files.len() > FILES_MAX {
        let reason = format!("{} files; at most {FILES_MAX} are read", delivery.files.len());
        problems.push(Diagnostic::file(&inputs[0].display().to_string(), reason));
    }
    if problems.is_empty() { Ok(delivery) } else { Err(problems) }
}

/// Files that are one CSV file, compressed and not: unpacked beside the original.
fn compressed_twins(files: &[Found]) -> Vec<Diagnostic> {
    let stem = |file: &Found| {
        let path = file.location.to_string();
        let packed = [".gz", ".zip"].iter().find_map(|end| path.strip_suffix(end));
        packed.unwrap_or(&path).trim_end_matches(".csv").to_owned()
    };
    let mut first: BTreeMap<String, &str> = BTreeMap::new();
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| !file.name.ends_with(".parquet")) {
        if let Some(other) = first.insert(stem(file), &file.name) {
            let reason = format!("is `{other}` in another packing; together they would count cost twice");
            problems.push(
                Diagnostic::file(&file.name, reason).hint("remove one of them, or give one with --cost"),
            );
        }
    }
    problems
}

fn find_one(input: &Path, period: BillingPeriod, delivery: &mut Delivery) -> Result<(), Vec<Diagnostic>> {
    let place = Location::parse(input).map_err(|problem| vec![problem])?;
    let shown = place.to_string();
    let name = place.name();
    match place.look().map_err(|problem| vec![problem])? {
        There::Folder => Tree::walk(place).map_err(|problem| vec![problem])?.choose(period, delivery),
        There::File(_) if is_manifest(&name) => by_manifest_file(&place, &name, period, delivery),
        There::File(_) if name == SOURCE_FILE => {
            let snapshot = source_file::read(&place)?.deliver(period)?;
            delivery.files.extend(snapshot.files);
            delivery.passed_by.extend(snapshot.passed_by);
            Ok(())
        }
        There::File(version) => {
            delivery.files.push(Found { name, location: place, version, named: true, kept: None });
            Ok(())
        }
        There::Other => Err(vec![Diagnostic::file(&shown, "is not a regular file")]),
        There::Nothing => {
            let hint = "give a folder, a cost file or a manifest with --cost, of this machine or as s3://bucket/prefix";
            Err(vec![Diagnostic::file(&shown, "cannot be read: it is not there").hint(hint)])
        }
    }
}

/// A manifest given by itself: its keys are looked for under its folder and those above it, as far up as a key reaches.
fn by_manifest_file(
    place: &Location,
    name: &str,
    period: BillingPeriod,
    delivery: &mut Delivery,
) -> Result<(), Vec<Diagnostic>> {
    let absolute = place.canonical();
    let manifest = manifest::read(place, &absolute.to_string()).map_err(|problem| vec![problem])?;
    let manifest = Manifest { name: name.to_owned(), ..manifest };
    if let Some(other) = manifest.period.filter(|of| *of != period) {
        let reason = format!("is the manifest of {other}, not of {period}");
        return Err(vec![Diagnostic::file(name, reason).hint("check --period")]);
    }
    let depth = manifest.keys.iter().map(|key| key.split('/').count()).max().unwrap_or(0);
    let mut problems = Vec::new();
    for root in absolute.above().into_iter().take(depth) {
        let tree = Tree::walk(root).map_err(|problem| vec![problem]);
        match tree.and_then(|tree| tree.listed(&manifest)) {
            Ok(files) => {
                delivery.files.extend(files);
                delivery.manifests.push(manifest);
                return Ok(());
            }
            // What is wrong beside the manifest says more than what is wrong further up.
            Err(more) if problems.is_empty() => problems = more,
            Err(_) => {}
        }
    }
    Err(problems)
}

/// All files below a root, results of this program left out.
struct Tree {
    root: Location,
    listing: Listing,
    results: BTreeSet<String>,
}

impl Tree {
    fn walk(root: Location) -> Result<Self, Diagnostic> {
        let mut listing = root.list()?;
        let results = results(&listing);
        let of_result = |name: &str| folders_of(name).any(|folder| results.contains(folder));
        listing.files.retain(|file| !of_result(&file.name));
        listing.others.retain(|name| !of_result(name));
        Ok(Self { root, listing, results })
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        self.listing.files.iter().map(|file| &file.name)
    }

    fn found(&self, file: &Listed, named: bool) -> Found {
        let (name, version) = (file.name.clone(), file.version.clone());
        Found { location: self.root.join(&name), name, version, named, kept: None }
    }

    fn choose(&self, period: BillingPeriod, delivery: &mut Delivery) -> Result<(), Vec<Diagnostic>> {
        let is_folder = |name: &String| matches!(self.root.join(name).look(), Ok(There::Folder));
        for name in self.listing.others.iter().filter(|name| is_cost_file(name) || is_folder(name)) {
            let reason = "is a link, a pipe or a device, which are not followed in a folder";
            delivery.passed_by.push((name.clone(), reason.to_owned()));
        }
        for name in &self.results {
            delivery.passed_by.push((name.clone(), "is a result of this program".to_owned()));
        }
        let names: Vec<&String> = self.names().filter(|name| is_manifest(name)).collect();
        if names.is_empty() {
            return self.bare_folder(delivery);
        }
        let mut manifests = Vec::new();
        for name in names {
            manifests.push(manifest::read(&self.root.join(name), name).map_err(|problem| vec![problem])?);
        }
        let manifest = self.newest(manifests, period)?;
        let files = self.listed(&manifest)?;
        let listed: BTreeSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
        for name in self.names().filter(|name| is_cost_file(name) && !listed.contains(name.as_str())) {
            delivery.passed_by.push((name.clone(), format!("not in the manifest `{}`", manifest.name)));
        }
        delivery.files.extend(files);
        delivery.manifests.push(manifest);
        Ok(())
    }

    fn bare_folder(&self, delivery: &mut Delivery) -> Result<(), Vec<Diagnostic>> {
        let cost_files = self.listing.files.iter().filter(|file| is_cost_file(&file.name));
        let before = delivery.files.len();
        delivery.files.extend(cost_files.map(|file| self.found(file, false)));
        if delivery.files.len() == before {
            let problem = Diagnostic::file(
                &self.root.to_string(),
                "has no manifest and no .csv, .gz, .zip or .parquet file",
            );
            return Err(vec![problem.hint("give the folder that AWS delivers to, with --cost")]);
        }
        Ok(())
    }

    /// The current manifest of the period: one export, its newest version.
    fn newest(&self, manifests: Vec<Manifest>, period: BillingPeriod) -> Result<Manifest, Vec<Diagnostic>> {
        let root = self.root.to_string();
        let periods: BTreeSet<String> =
            manifests.iter().filter_map(|m| m.period).map(|p| p.to_string()).collect();
        let mut exports: BTreeMap<String, Vec<Manifest>> = BTreeMap::new();
        for manifest in manifests.into_iter().filter(|manifest| manifest.period.is_none_or(|of| of == period))
        {
            exports.entry(manifest.report.clone()).or_default().push(manifest);
        }
        if exports.len() > 1 {
            let names: Vec<_> = exports.values().map(|found| format!("`{}`", found[0].name)).collect();
            let reason = format!(
                "several exports cover {period}: {}; together they would count cost twice",
                names.join(", ")
            );
            return Err(vec![Diagnostic::file(&root, reason).hint("give one manifest with --cost")]);
        }
        let Some((_, found)) = exports.pop_first() else {
            let there = periods.into_iter().collect::<Vec<_>>().join(", ");
            let reason = format!("has no manifest for {period}, only for {there}");
            return Err(vec![
                Diagnostic::file(&root, reason).hint("check --period, or give the data files themselves"),
            ]);
        };
        newest_version(found).map_err(|names| {
            let reason = format!(
                "several versions of {period} and nothing says which is current: {}",
                names.join(", ")
            );
            vec![Diagnostic::file(&root, reason).hint("give one manifest with --cost")]
        })
    }

    /// The files that a manifest lists.
    fn listed(&self, manifest: &Manifest) -> Result<Vec<Found>, Vec<Diagnostic>> {
        let mut by_name: BTreeMap<&str, Vec<&Listed>> = BTreeMap::new();
        for file in &self.listing.files {
            by_name.entry(file.name.rsplit('/').next().unwrap_or(&file.name)).or_default().push(file);
        }
        let (mut files, mut problems) = (BTreeSet::new(), Vec::new());
        for key in &manifest.keys {
            let last = key.rsplit('/').next().unwrap_or(key);
            let candidates = by_name.get(last).map_or(&[][..], Vec::as_slice);
            let problem = |reason: &str| Diagnostic {
                value: Some(excerpt(key)),
                ..Diagnostic::file(&manifest.name, reason)
            };
            match best_match(key, &manifest.version, candidates) {
                Match::One(file) => {
                    if !files.insert(self.found(file, true)) {
                        problems.push(problem("listed twice"));
                    }
                }
                Match::None => problems
                    .push(problem("listed in the manifest, but not there").hint("copy the whole delivery")),
                Match::Several => {
                    problems.push(problem("listed in the manifest, but could be several files here"))
                }
            }
        }
        if problems.is_empty() { Ok(files.into_iter().collect()) } else { Err(problems) }
    }
}

/// The newest of several manifests of one export and month; their names where that cannot be told.
///
/// Legacy reports keep the newest version's manifest beside the assembly folders, so the highest in the tree is it. Data Exports that
/// create new files put each version into a folder that begins with its time.
fn newest_version(mut found: Vec<Manifest>) -> Result<Manifest, Vec<String>> {
    let depth = |manifest: &Manifest| manifest.name.matches('/').count();
    let highest = found.iter().map(depth).min().unwrap_or(0);
    found.retain(|manifest| depth(manifest) == highest);
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let versions: BTreeSet<&str> = found.iter().map(|manifest| manifest.version.as_str()).collect();
    let folder = |manifest: &Manifest| manifest.name.rsplit('/').nth(1).unwrap_or_default().to_owned();
    let timed = |folder: &str| {
        folder.len() > 16
            && folder.starts_with("20")
            && folder.bytes().take(8).all(|b| b.is_ascii_digit() || b == b'-')
    };
    let told =
        found.len() == 1 || versions.len() == 1 || found.iter().all(|manifest| timed(&folder(manifest)));
    if !told {
        return Err(found.into_iter().map(|manifest| format!("`{}`", manifest.name)).collect());
    }
    found.pop().ok_or_else(Vec::new)
}

enum Match<'a> {
    None,
    One(&'a Listed),
    Several,
}

/// The file whose path shares the longest end with a key.
///
/// A file of an old version has the same name in another folder: where the key names its version, the shared end must hold
/// it, unless the file's whole path is shared. The name alone is no proof.
fn best_match<'a>(key: &str, version: &str, candidates: &[&'a Listed]) -> Match<'a> {
    let shared = |name: &str| key.rsplit('/').zip(name.rsplit('/')).take_while(|(a, b)| a == b).count();
    let of_version =
        (!version.is_empty()).then(|| key.rsplit('/').position(|part| part.contains(version))).flatten();
    let fits = |file: &&&'a Listed| {
        let shared = shared(&file.name);
        let more_than_the_name = shared > 1 && of_version.is_none_or(|place| shared > place);
        shared == file.name.split('/').count() || more_than_the_name
    };
    let fitting: Vec<_> = candidates.iter().filter(fits).map(|file| (shared(&file.name), *file)).collect();
    let Some((longest, file)) = fitting.iter().max_by_key(|(shared, _)| *shared).copied() else {
        return Match::None;
    };
    match fitting.iter().filter(|(shared, _)| *shared == longest).count() {
        1 => Match::One(file),
        _ => Match::Several,
    }
}

/// The folders that are results of this program: what it wrote is not what AWS delivered.
fn results(listing: &Listing) -> BTreeSet<String> {
    let with = |mark: &str| -> BTreeSet<String> {
        let names = listing.files.iter().filter_map(|file| file.name.strip_suffix(mark)?.strip_suffix('/'));
        names.map(ToOwned::to_owned).collect()
    };
    let runs = &with("reconciliation.json") & &with("cost-cube.parquet");
    // An export may lie apart from its run, with a folder per billing group.
    let exports = with("export.json").into_iter().filter(|folder| {
        let of_group =
            |name: &str| name.strip_prefix(folder.as_str()).is_some_and(|rest| rest.contains("/pro-forma-"));
        listing.files.iter().any(|file| of_group(&file.name))
    });
    runs.iter().cloned().chain(exports).collect()
}

/// The folders that a file lies in, the innermost first.
fn folders_of(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(name.rsplit_once('/'), |(folder, _)| folder.rsplit_once('/'))
        .map(|(folder, _)| folder)
}

/// Whether a file may hold cost lines, by the end of its name.
fn is_cost_file(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".csv", ".gz", ".zip", ".parquet"].iter().any(|end| name.ends_with(end))
}
