//! A result under a prefix of an object store: there whole, or without its mark.
//!
//! A store renames nothing and replaces no two objects at once. So the mark goes first and comes last: a reader that finds it
//! finds the whole run, and a run that is broken off leaves no mark. An earlier run is gone once its replacement has begun.

use super::{Earlier, is_replaced};
use crate::failure::Failure;
use anyhow::{Context, anyhow};
use cost_data::diagnostics::Diagnostic;
use cost_data::location::{Listed, Location, ObjectUrl, StoreError};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::path::Path;

/// A prefix that is empty, or an earlier result that may be replaced.
pub struct Prefix {
    location: Location,
    mark: String,
    replaces: bool,
}

impl Prefix {
    /// Looks whether a result may be written there.
    pub fn check(location: Location, earlier: &Earlier<'_>, force: bool) -> Result<Self, Failure> {
        let refused = |problem: Diagnostic| Failure::input(problem.to_string());
        if location.name().is_empty() {
            let problem = format!("`{location}` is a whole bucket");
            return Err(Failure::input(problem).hint("give a prefix of it with --out: s3://bucket/prefix"));
        }
        let there = location.list().map_err(refused)?.files;
        let first = |file: &Listed| file.name.split('/').next().unwrap_or_default().into();
        let names: BTreeSet<OsString> = there.iter().map(first).collect();
        let replaces = is_replaced(&location.to_string(), &names, earlier, force)?;
        Ok(Self { location, mark: earlier.mark.to_owned(), replaces })
    }

    /// Sends a finished folder, the mark last.
    pub fn send(&self, folder: &Path) -> anyhow::Result<()> {
        let place = Location::Local(folder.to_owned());
        let listed = place.list().map_err(|problem| anyhow!("{problem}"))?;
        let mut names: Vec<String> = listed.files.into_iter().map(|file| file.name).collect();
        names.sort_by_key(|name| *name == self.mark);
        if self.replaces {
            self.remove_earlier().with_context(|| {
                format!(
                    "the earlier run at `{}` cannot be replaced; without its mark it counts as none",
                    self.location
                )
            })?;
        }
        for (number, name) in names.iter().enumerate() {
            if let Err(error) = self.send_file(folder, name) {
                let left = match self.take_back(&names[..=number]) {
                    0 => "what was sent is removed again".to_owned(),
                    left => format!("{left} files that were sent cannot be removed"),
                };
                let (place, files) = (&self.location, names.len());
                return Err(error.context(format!(
                    "the result is not published at `{place}`: of {files} files {number} were sent, the mark not; {left}"
                )));
            }
        }
        Ok(())
    }

    /// The mark first, so that nobody takes what is left for a run.
    fn remove_earlier(&self) -> anyhow::Result<()> {
        self.remove(&self.mark)?;
        let earlier = self.location.list().map_err(|problem| anyhow!("{problem}"))?;
        earlier.files.iter().try_for_each(|file| self.remove(&file.name))
    }

    fn send_file(&self, folder: &Path, name: &str) -> anyhow::Result<()> {
        let path = folder.join(name);
        let mut file = File::open(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let bytes = file.metadata()?.len();
        let place = self.location.join(name);
        object(&place)?.put(&mut file, bytes, false).map_err(|error| said(&place, &error))
    }

    fn remove(&self, name: &str) -> anyhow::Result<()> {
        let place = self.location.join(name);
        object(&place)?.delete().map_err(|error| said(&place, &error))
    }

    /// Removes what was sent; how many files stay.
    fn take_back(&self, names: &[String]) -> usize {
        names.iter().filter(|name| self.remove(name).is_err()).count()
    }
}

fn object(place: &Location) -> anyhow::Result<&ObjectUrl> {
    match place {
        Location::Object(object) => Ok(object),
        Location::Local(path) => Err(anyhow!("`{}` is not on an object store", path.display())),
    }
}

fn said(place: &Location, error: &StoreError) -> anyhow::Error {
    anyhow!("{}", place.problem(error))
}
