//! Finding the files of a month: by manifest where there is one, else every cost file of a folder.

use crate::diagnostics::{Diagnostic, excerpt};
use crate::limits::FILES_MAX;
use crate::manifest::{self, Manifest, is_manifest};
use billing::period::BillingPeriod;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A file that may hold cost lines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Its place under the given root; for a file given by itself, its name.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Whether it was listed in a manifest or given by itself: then it must be a cost file.
    pub named: bool,
}

/// The files of a month, as they stood at one moment.
#[derive(Debug, Default)]
pub struct Delivery {
    /// The files to read, by name.
    pub files: Vec<Found>,
    /// The manifests that listed them.
    pub manifests: Vec<Manifest>,
    /// What was there and is not read, and why.
    pub passed_by: Vec<(String, String)>,
}

impl Delivery {
    /// A manifest that is not what it was when the delivery was found: AWS has written a new version meanwhile.
    #[must_use]
    pub fn changed_manifest(&self) -> Option<&Manifest> {
        self.manifests.iter().find(|known| manifest::bytes(&known.path).ok().as_ref() != Some(&known.bytes))
    }
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
    let paths: Vec<_> =
        delivery.files.iter().map(|file| fs::canonicalize(&file.path).unwrap_or_default()).collect();
    let mut seen = BTreeSet::new();
    for (file, path) in delivery.files.iter().zip(paths) {
        if !seen.insert(path) {
            problems.push(
                Diagnostic::file(&file.name, "is given twice").hint("name each cost file or folder once"),
            );
        }
    }
    if delivery.files.len() > FILES_MAX {
        let reason = format!("{} files; at most {FILES_MAX} are read", delivery.files.len());
        problems.push(Diagnostic::file(&display(&inputs[0]), reason));
    }
    if problems.is_empty() { Ok(delivery) } else { Err(problems) }
}

/// Files that are one CSV file, compressed and not: unpacked beside the original.
fn compressed_twins(files: &[Found]) -> Vec<Diagnostic> {
    let stem = |file: &Found| {
        let path = file.path.to_string_lossy().into_owned();
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

fn display(path: &Path) -> String {
    path.display().to_string()
}

fn find_one(input: &Path, period: BillingPeriod, delivery: &mut Delivery) -> Result<(), Vec<Diagnostic>> {
    let shown = display(input);
    if let Some((scheme, _)) = shown.split_once("://") {
        let reason = format!("`{scheme}://` locations are not read by this version");
        return Err(vec![
            Diagnostic::file(&shown, reason).hint("copy the delivery to a folder and name that"),
        ]);
    }
    let metadata = fs::metadata(input).map_err(|error| {
        let hint = "give a folder, a cost file or a manifest with --cost";
        vec![Diagnostic::file(&shown, format!("cannot be read: {error}")).hint(hint)]
    })?;
    let file_name = input.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if metadata.is_dir() {
        let tree = Tree::walk(input)?;
        return tree.choose(period, delivery);
    }
    if !metadata.is_file() {
        return Err(vec![Diagnostic::file(&shown, "is not a regular file")]);
    }
    if is_manifest(&file_name) {
        return by_manifest_file(input, &file_name, period, delivery);
    }
    delivery.files.push(Found { name: file_name, path: input.to_owned(), named: true });
    Ok(())
}

/// A manifest given by itself: its keys are looked for under its folder and those above it, as far up as a key reaches.
fn by_manifest_file(
    path: &Path,
    name: &str,
    period: BillingPeriod,
    delivery: &mut Delivery,
) -> Result<(), Vec<Diagnostic>> {
    let absolute = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let manifest = manifest::read(path, &absolute.to_string_lossy()).map_err(|problem| vec![problem])?;
    let manifest = Manifest { name: name.to_owned(), ..manifest };
    if let Some(other) = manifest.period.filter(|of| *of != period) {
        let reason = format!("is the manifest of {other}, not of {period}");
        return Err(vec![Diagnostic::file(name, reason).hint("check --period")]);
    }
    let depth = manifest.keys.iter().map(|key| key.split('/').count()).max().unwrap_or(0);
    let mut problems = Vec::new();
    for root in absolute.ancestors().skip(1).take(depth) {
        let listed = Tree::walk(root).and_then(|tree| tree.listed(&manifest));
        match listed {
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

/// All files below a root.
struct Tree {
    root: PathBuf,
    files: Vec<String>,
    /// Links, pipes and devices, never followed, so that what is read lies below the root; and results of this program.
    others: Vec<String>,
}

impl Tree {
    fn walk(root: &Path) -> Result<Self, Vec<Diagnostic>> {
        let (mut files, mut others) = (Vec::new(), Vec::new());
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            let failed = |error: std::io::Error| {
                vec![Diagnostic::file(&display(&folder), format!("cannot be read: {error}"))]
            };
            for entry in fs::read_dir(&folder).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let kind = entry.file_type().map_err(failed)?;
                let hidden = entry.file_name().to_string_lossy().starts_with('.');
                if kind.is_dir() && !hidden && !is_run(&entry.path()) {
                    folders.push(entry.path());
                } else if !hidden {
                    let path = entry.path();
                    let name = path.strip_prefix(root).unwrap_or(&path);
                    let list = if kind.is_file() { &mut files } else { &mut others };
                    list.push(name.to_string_lossy().into_owned());
                }
                if files.len() + others.len() + folders.len() > 10 * FILES_MAX {
                    let reason = format!("more than {} files and folders", 10 * FILES_MAX);
                    return Err(vec![
                        Diagnostic::file(&display(root), reason).hint("name the report's own folder"),
                    ]);
                }
            }
        }
        files.sort();
        others.sort();
        Ok(Self { root: root.to_owned(), files, others })
    }

    fn choose(&self, period: BillingPeriod, delivery: &mut Delivery) -> Result<(), Vec<Diagnostic>> {
        let is_folder = |name: &String| self.root.join(name).is_dir();
        for name in self.others.iter().filter(|name| is_cost_file(name) || is_folder(name)) {
            let reason = match is_run(&self.root.join(name)) {
                true => "is a result of this program",
                false => "is a link, a pipe or a device, which are not followed in a folder",
            };
            delivery.passed_by.push((name.clone(), reason.to_owned()));
        }
        let names: Vec<&String> = self.files.iter().filter(|name| is_manifest(name)).collect();
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
        for name in self.files.iter().filter(|name| is_cost_file(name) && !listed.contains(name.as_str())) {
            delivery.passed_by.push((name.clone(), format!("not in the manifest `{}`", manifest.name)));
        }
        delivery.files.extend(files);
        delivery.manifests.push(manifest);
        Ok(())
    }

    fn bare_folder(&self, delivery: &mut Delivery) -> Result<(), Vec<Diagnostic>> {
        let cost_files = self.files.iter().filter(|name| is_cost_file(name));
        let before = delivery.files.len();
        delivery.files.extend(cost_files.map(|name| Found {
            name: name.clone(),
            path: self.root.join(name),
            named: false,
        }));
        if delivery.files.len() == before {
            let problem = Diagnostic::file(
                &display(&self.root),
                "has no manifest and no .csv, .gz, .zip or .parquet file",
            );
            return Err(vec![problem.hint("give the folder that AWS delivers to, with --cost")]);
        }
        Ok(())
    }

    /// The current manifest of the period: one export, its newest version.
    fn newest(&self, manifests: Vec<Manifest>, period: BillingPeriod) -> Result<Manifest, Vec<Diagnostic>> {
        let root = display(&self.root);
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
        let mut by_name: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
        for name in &self.files {
            by_name.entry(name.rsplit('/').next().unwrap_or(name)).or_default().push(name);
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
                Match::One(name) => {
                    let found = Found { name: name.to_owned(), path: self.root.join(name), named: true };
                    if !files.insert(found) {
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
    One(&'a str),
    Several,
}

/// The file whose path shares the longest end with a key.
///
/// A file of an old version has the same name in another folder: where the key names its version, the shared end must hold
/// it, unless the file's whole path is shared. The name alone is no proof.
fn best_match<'a>(key: &str, version: &str, candidates: &[&'a String]) -> Match<'a> {
    let shared = |name: &str| key.rsplit('/').zip(name.rsplit('/')).take_while(|(a, b)| a == b).count();
    let of_version =
        (!version.is_empty()).then(|| key.rsplit('/').position(|part| part.contains(version))).flatten();
    let fits = |name: &&&String| {
        let shared = shared(name);
        let more_than_the_name = shared > 1 && of_version.is_none_or(|place| shared > place);
        shared == name.split('/').count() || more_than_the_name
    };
    let fitting: Vec<_> = candidates.iter().filter(fits).map(|name| (shared(name), name.as_str())).collect();
    let Some((longest, name)) = fitting.iter().max_by_key(|(shared, _)| *shared).copied() else {
        return Match::None;
    };
    match fitting.iter().filter(|(shared, _)| *shared == longest).count() {
        1 => Match::One(name),
        _ => Match::Several,
    }
}

/// Whether a folder is a result of this program: what it wrote is not what AWS delivered.
fn is_run(folder: &Path) -> bool {
    folder.join("reconciliation.json").is_file() && folder.join("cost-cube.parquet").is_file()
}

/// Whether a file may hold cost lines, by the end of its name.
fn is_cost_file(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".csv", ".gz", ".zip", ".parquet"].iter().any(|end| name.ends_with(end))
}
