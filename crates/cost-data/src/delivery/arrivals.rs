//! What has arrived at a place, without reading it through: whether that changed, and of which months it is.

use super::{Tree, is_cost_file};
use crate::diagnostics::Diagnostic;
use crate::limits::MANIFEST_BYTES_MAX;
use crate::location::{Location, There, Version};
use crate::manifest::{self, folder_period, is_manifest};
use crate::source_file::{self, SOURCE_FILE};
use billing::period::BillingPeriod;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

/// The identity of what there is of a month: names, sizes, times of change or versions of cost files, and the manifests word for word. Equal
/// where nothing has changed since; files that are copied again are others.
///
/// # Errors
/// A place that cannot be listed, or a manifest that cannot be read.
pub fn fingerprint(inputs: &[PathBuf], period: BillingPeriod) -> Result<[u8; 32], Diagnostic> {
    let mut hash = Sha256::new();
    let mut tell = |text: &str| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    };
    let other = |name: &str| folder_period(name).is_some_and(|of| of != period);
    for input in inputs {
        let place = Location::parse(input)?;
        tell(&place.to_string());
        match place.look()? {
            There::Folder => {
                let tree = Tree::walk(place.clone())?;
                for file in tree.listing.files.iter().filter(|file| !other(&file.name)) {
                    if is_manifest(&file.name) || is_cost_file(&file.name) {
                        tell(&file.name);
                        tell(&told(&place.join(&file.name), &file.version)?);
                    }
                }
            }
            There::File(version) => tell(&told(&place, &version)?),
            There::Other | There::Nothing => tell("nothing"),
        }
    }
    Ok(hash.finalize().into())
}

/// What tells a file from another under its name: the content of a manifest, else what is known without reading it.
fn told(place: &Location, version: &Version) -> Result<String, Diagnostic> {
    if is_manifest(&place.name()) || place.name() == SOURCE_FILE {
        return Ok(String::from_utf8_lossy(&place.read(MANIFEST_BYTES_MAX)?).into_owned());
    }
    let changed = match place {
        Location::Local(path) => fs::metadata(path).and_then(|metadata| metadata.modified()).ok(),
        Location::Object(_) => None,
    };
    let changed = changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Ok(format!("{} {:?} {changed:?}", version.bytes, version.etag))
}

/// The months that there are cost files of.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Arrived {
    /// Those that manifests and folders name.
    pub periods: BTreeSet<BillingPeriod>,
    /// Places with cost files of which only their lines say the month.
    pub unnamed: Vec<PathBuf>,
}

/// Of which months there are cost files.
///
/// # Errors
/// A place that is not there or cannot be listed, or a manifest that cannot be read.
pub fn periods(inputs: &[PathBuf]) -> Result<Arrived, Diagnostic> {
    let mut arrived = Arrived::default();
    for input in inputs {
        let place = Location::parse(input)?;
        let named: Vec<Option<BillingPeriod>> = match place.look()? {
            There::Folder => of_folder(place)?,
            There::File(_) if is_manifest(&place.name()) => {
                vec![manifest::read(&place, &place.to_string())?.period]
            }
            There::File(_) if place.name() == SOURCE_FILE => {
                let first = |problems: Vec<Diagnostic>| {
                    let gone = || Diagnostic::file(&place.to_string(), "cannot be read");
                    problems.into_iter().next().unwrap_or_else(gone)
                };
                vec![BillingPeriod::parse(&source_file::read(&place).map_err(first)?.period).ok()]
            }
            There::File(_) => vec![folder_period(&place.to_string())],
            There::Other => return Err(Diagnostic::file(&place.to_string(), "is not a regular file")),
            There::Nothing => {
                return Err(Diagnostic::file(&place.to_string(), "cannot be read: it is not there"));
            }
        };
        if named.contains(&None) {
            arrived.unnamed.push(input.clone());
        }
        arrived.periods.extend(named.into_iter().flatten());
    }
    Ok(arrived)
}

/// The months of a folder's manifests, or where it has none those of its cost files; `None` of one that does not say it.
fn of_folder(place: Location) -> Result<Vec<Option<BillingPeriod>>, Diagnostic> {
    let tree = Tree::walk(place)?;
    let mut months = BTreeSet::new();
    for name in tree.names().filter(|name| is_manifest(name)) {
        let said = folder_period(name);
        let read = || manifest::read(&tree.root.join(name), name).map(|manifest| manifest.period);
        months.insert(if said.is_some() { said } else { read()? });
    }
    if months.is_empty() {
        months.extend(tree.names().filter(|name| is_cost_file(name)).map(|name| folder_period(name)));
    }
    Ok(months.into_iter().collect())
}

#[cfg(test)]
mod tests {
    //! Layouts as AWS writes them, and flat folders.

    use super::*;

    fn period(text: &str) -> BillingPeriod {
        BillingPeriod::parse(text).unwrap()
    }

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[track_caller]
    fn check(files: &[(&str, &str)], expected: &[&str], is_unnamed: bool) {
        let folder = folder(files);
        let arrived = periods(&[folder.path().to_owned()]).unwrap();
        assert_eq!(arrived.periods, expected.iter().map(|text| period(text)).collect());
        assert_eq!(arrived.unnamed.len(), usize::from(is_unnamed));
    }

    #[test]
    fn months_are_told_by_folders_and_manifests() {
        check(
            &[("data/BILLING_PERIOD=2026-10/a.parquet", ""), ("data/BILLING_PERIOD=2026-09/a.parquet", "")],
            &["2026-09", "2026-10"],
            false,
        );
        check(
            &[("cur/20261001-20261101/cur-Manifest.json", "{}"), ("cur/20261001-20261101/x/a.csv.gz", "")],
            &["2026-10"],
            false,
        );
        let manifest = r#"{"billingPeriod": {"start": "20260801T000000.000Z"}, "reportKeys": ["a.csv"]}"#;
        check(&[("cur-Manifest.json", manifest), ("a.csv", "")], &["2026-08"], false);
        check(&[("a.csv", ""), ("readme.txt", "")], &[], true);
        check(&[("readme.txt", "")], &[], false);
    }

    #[test]
    fn a_place_is_another_once_a_file_of_the_month_is() {
        let at = "data/BILLING_PERIOD=2026-10/a.parquet";
        let folder = folder(&[(at, "one"), ("data/BILLING_PERIOD=2026-09/a.parquet", "one")]);
        let now = || fingerprint(&[folder.path().to_owned()], period("2026-10")).unwrap();
        let first = now();
        assert_eq!(first, now());
        fs::write(folder.path().join("data/BILLING_PERIOD=2026-09/a.parquet"), "other").unwrap();
        fs::write(folder.path().join("readme.txt"), "other").unwrap();
        assert_eq!(first, now(), "what is of another month, or no cost file, does not count");
        fs::write(folder.path().join(at), "more").unwrap();
        assert_ne!(first, now());
        let manifest = folder.path().join("metadata/BILLING_PERIOD=2026-10/x-Manifest.json");
        fs::create_dir_all(manifest.parent().unwrap()).unwrap();
        let before = now();
        fs::write(manifest, "{}").unwrap();
        assert_ne!(before, now());
    }
}
