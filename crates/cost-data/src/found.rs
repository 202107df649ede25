//! The files of a month, found and not yet read.

use crate::location::{Location, Version};
use crate::manifest::Manifest;

/// A file that may hold cost lines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Its place under the given root; for a file given by itself, its name.
    pub name: String,
    /// Where it is.
    pub location: Location,
    /// The size and version that were listed; only an object of a store is held to them.
    pub version: Version,
    /// Whether it was listed in a manifest or given by itself: then it must be a cost file.
    pub named: bool,
    /// What an earlier run says that it was.
    pub kept: Option<Kept>,
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

/// What an earlier run says of a file that is read again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kept {
    /// The SHA-256 that it had.
    pub sha256: String,
    /// Where it was read from then.
    pub read_from: String,
    /// The pinned copy that is read now.
    pub pinned: Option<String>,
}
