//! The files of a delivery, each opened once.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::Refusal;
use crate::fetch::{Arriving, Fetching};
use crate::found::{Delivery, Found};
use crate::hash::hex;
use crate::location::Location;
use crate::source::Source;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The open files of a delivery, in its order; objects of a store are on their way while this lives.
pub struct Sources {
    files: Vec<(Found, Result<Source, String>)>,
    objects: Vec<Arc<Arriving>>,
    _fetching: Fetching,
}

impl Sources {
    /// Opens every file; `scratch` is the folder that objects are kept in while they are read.
    pub fn open(delivery: &Delivery, scratch: Option<&Path>) -> Self {
        let scratch = scratch.map_or_else(std::env::temp_dir, PathBuf::from);
        let mut objects = Vec::new();
        let mut open = |found: &Found| match &found.location {
            Location::Local(path) => Source::open(path),
            Location::Object(object) => {
                let arriving = Arriving::new(object, found.version.clone(), &scratch).map_err(|error| {
                    let folder = scratch.display();
                    format!("cannot be fetched into the folder `{folder}` (--scratch names another): {error}")
                })?;
                objects.push(Arc::new(arriving));
                Ok(Source::arriving(Arc::clone(&objects[objects.len() - 1])))
            }
        };
        let files = delivery.files.iter().map(|found| (found.clone(), open(found))).collect();
        Self { files, _fetching: Fetching::begin(objects.clone()), objects }
    }

    /// The files with what there is to read of them.
    pub fn iter(&self) -> impl Iterator<Item = &(Found, Result<Source, String>)> {
        self.files.iter()
    }

    /// Whether a file is not what it was when it was opened.
    pub fn have_changed(&self) -> bool {
        self.iter().any(|(_, source)| source.as_ref().is_ok_and(Source::has_changed))
    }

    /// An outcome of reading, or what is behind its failure: an object that could not be fetched, a file that is another one by now.
    pub fn explained<T>(&self, outcome: Result<T, Refusal>) -> Result<T, Refusal> {
        let unfetched: Vec<Diagnostic> = self.objects.iter().filter_map(|object| object.failure()).collect();
        if !unfetched.is_empty() {
            return Err(unfetched.into());
        }
        outcome.map_err(|refusal| {
            let changed = self.changed_since_kept();
            if changed.is_empty() { refusal } else { changed.into() }
        })
    }

    /// The files of a snapshot that are not what they were when it was made.
    fn changed_since_kept(&self) -> Vec<Diagnostic> {
        let changed = |(found, source): &(Found, Result<Source, String>)| {
            let (kept, source) = (found.kept.as_ref()?, source.as_ref().ok()?);
            let hash = source.sha256(|| false).ok()??;
            (hex(&hash) != kept.sha256).then(|| kept.changed(found))
        };
        self.iter().filter_map(changed).collect()
    }
}
