//! Places: a path of this machine, or an object or prefix of an object store.
//!
//! Everything that is read or written elsewhere goes through here: cost files, manifests, pinned files, results. A place can say what is
//! there, list what is below it, and be read or written whole.

pub use crate::bucket::{Kind, StoreError};

use crate::bucket::{Bucket, wait};
use crate::diagnostics::Diagnostic;
use crate::limits::{FILES_MAX, STORE_SEND_BYTES, STORE_TRANSFERS};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path as Key;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, UploadPart};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A place that may hold a file or be a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Location {
    /// A path of this machine.
    Local(PathBuf),
    /// An object of an object store, or a prefix of objects.
    Object(ObjectUrl),
}

/// `s3://bucket/key`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectUrl {
    bucket: String,
    key: Key,
}

/// What is at a place.
#[derive(Debug)]
pub enum There {
    /// Something to read.
    File(Version),
    /// Something to list; an object store has no other folders than prefixes of objects.
    Folder,
    /// A device, a pipe: nothing to read to its end.
    Other,
    /// Nothing.
    Nothing,
}

/// A file as it stood when somebody looked.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Its size.
    pub bytes: u64,
    /// What tells it from another version of the same object; no file of this machine has it.
    pub etag: Option<String>,
}

/// A file below a place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Its place below, with `/` between the parts.
    pub name: String,
    /// Its size and version.
    pub version: Version,
}

/// All that is below a place.
#[derive(Debug, Default)]
pub struct Listing {
    /// Regular files and objects, by name.
    pub files: Vec<Listed>,
    /// Links, pipes and devices, never followed, so that what is read lies below the place.
    pub others: Vec<String>,
}

const SCHEME: &str = "s3://";

impl Location {
    /// A place as it was given: `s3://bucket/key`, or a path.
    ///
    /// # Errors
    /// A URL of another scheme, or without a bucket, or with a key that no file has.
    pub fn parse(given: &Path) -> Result<Self, Diagnostic> {
        let shown = given.display().to_string();
        let Some((scheme, rest)) = shown.split_once("://") else { return Ok(Self::Local(given.to_owned())) };
        if scheme != "s3" {
            let reason = format!("`{scheme}://` locations are not read by this version");
            return Err(Diagnostic::file(&shown, reason)
                .hint("copy the delivery to a folder, or to a store that speaks S3, and name that"));
        }
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(Diagnostic::file(&shown, "names no bucket").hint("write s3://bucket/prefix"));
        }
        let key = Key::parse(key.trim_end_matches('/')).map_err(|error| {
            Diagnostic::file(&shown, format!("is no key that can be used: {error}"))
                .hint("write s3://bucket/prefix, with one slash between the parts")
        })?;
        Ok(Self::Object(ObjectUrl { bucket: bucket.to_owned(), key }))
    }

    /// Whether it is on an object store.
    #[must_use]
    pub fn is_object(&self) -> bool {
        matches!(self, Self::Object(_))
    }

    /// The last part of its name.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Local(path) => path.file_name().map(|name| name.to_string_lossy().into_owned()),
            Self::Object(object) => object.key.filename().map(ToOwned::to_owned),
        }
        .unwrap_or_default()
    }

    /// The place of this name below.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        match self {
            Self::Local(path) => Self::Local(path.join(name)),
            Self::Object(ObjectUrl { bucket, key }) => {
                let key = match key.as_ref().is_empty() {
                    true => name.to_owned(),
                    false => format!("{key}/{name}"),
                };
                // As it is; only what no key may hold is encoded.
                let key = Key::parse(&key).unwrap_or_else(|_| Key::from(key));
                Self::Object(ObjectUrl { bucket: bucket.clone(), key })
            }
        }
    }

    /// The places above, the nearest first.
    #[must_use]
    pub fn above(&self) -> Vec<Self> {
        match self {
            Self::Local(path) => path.ancestors().skip(1).map(|path| Self::Local(path.to_owned())).collect(),
            Self::Object(object) => {
                let keys = std::iter::successors(object.key.parent(), Key::parent);
                keys.map(|key| Self::Object(ObjectUrl { key, ..object.clone() })).collect()
            }
        }
    }

    /// The same place under the one name that it always has.
    #[must_use]
    pub fn canonical(&self) -> Self {
        match self {
            Self::Local(path) => Self::Local(fs::canonicalize(path).unwrap_or_else(|_| path.clone())),
            Self::Object(_) => self.clone(),
        }
    }

    /// What is there.
    ///
    /// # Errors
    /// A place that cannot be looked at.
    pub fn look(&self) -> Result<There, Diagnostic> {
        match self {
            Self::Local(path) => match fs::metadata(path) {
                Ok(metadata) if metadata.is_dir() => Ok(There::Folder),
                Ok(metadata) if metadata.is_file() => {
                    Ok(There::File(Version { bytes: metadata.len(), etag: None }))
                }
                Ok(_) => Ok(There::Other),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(There::Nothing),
                Err(error) => Err(self.unreadable(&error)),
            },
            Self::Object(object) => object.look().map_err(|error| self.problem(&error)),
        }
    }

    /// All files below, at most `10 * FILES_MAX`; what is hidden stays so.
    ///
    /// # Errors
    /// A folder or prefix that cannot be listed, or holds too much.
    pub fn list(&self) -> Result<Listing, Diagnostic> {
        let mut listing = match self {
            Self::Local(path) => list_folder(path)?,
            Self::Object(object) => {
                let files = object.list().map_err(|error| self.problem(&error))?;
                Listing { files, others: Vec::new() }
            }
        };
        if listing.files.len() + listing.others.len() > LISTED_MAX {
            return Err(too_many(self));
        }
        listing.files.sort();
        listing.others.sort();
        Ok(listing)
    }

    /// The content, of at most so many bytes.
    ///
    /// # Errors
    /// A file that cannot be read, or is larger.
    pub fn read(&self, bytes_max: u64) -> Result<Vec<u8>, Diagnostic> {
        let bytes = match self {
            Self::Local(path) => {
                let mut bytes = Vec::new();
                File::open(path)
                    .and_then(|file| file.take(bytes_max + 1).read_to_end(&mut bytes))
                    .map_err(|error| self.unreadable(&error))?;
                bytes
            }
            Self::Object(object) => object.read(bytes_max).map_err(|error| self.problem(&error))?,
        };
        match bytes.len() as u64 > bytes_max {
            true => Err(Diagnostic::file(&self.to_string(), format!("larger than {bytes_max} bytes"))),
            false => Ok(bytes),
        }
    }

    /// Its first bytes, at most so many; of a file that is so large as was listed.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn head(&self, bytes_max: u64, version: &Version) -> Result<Vec<u8>, Diagnostic> {
        let wanted = bytes_max.min(version.bytes);
        match self {
            Self::Local(path) => {
                let mut bytes = Vec::new();
                File::open(path)
                    .and_then(|file| file.take(wanted).read_to_end(&mut bytes))
                    .map_err(|error| self.unreadable(&error))?;
                Ok(bytes)
            }
            // A store refuses to give the first bytes of nothing.
            Self::Object(_) if wanted == 0 => Ok(Vec::new()),
            Self::Object(object) => object.head(wanted).map_err(|error| self.problem(&error)),
        }
    }

    /// The size of all files at and below it.
    ///
    /// # Errors
    /// An object store that cannot be asked.
    pub fn bytes_below(&self) -> Result<u64, Diagnostic> {
        match self {
            Self::Local(path) => Ok(folder_bytes(path, 0)),
            Self::Object(_) => match self.look()? {
                There::File(version) => Ok(version.bytes),
                There::Folder => Ok(self.list()?.files.iter().map(|file| file.version.bytes).sum()),
                There::Other | There::Nothing => Ok(0),
            },
        }
    }

    /// What an error of an object store says about this place.
    #[must_use]
    pub fn problem(&self, error: &StoreError) -> Diagnostic {
        let problem = Diagnostic::file(&self.to_string(), error.reason.clone());
        if error.hint.is_empty() { problem } else { problem.hint(error.hint) }
    }

    fn unreadable(&self, error: &io::Error) -> Diagnostic {
        Diagnostic::file(&self.to_string(), format!("cannot be read: {error}"))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => path.display().fmt(f),
            Self::Object(ObjectUrl { bucket, key }) => write!(f, "{SCHEME}{bucket}/{key}"),
        }
    }
}

const LISTED_MAX: usize = 10 * FILES_MAX;

fn too_many(place: &Location) -> Diagnostic {
    Diagnostic::file(&place.to_string(), format!("more than {LISTED_MAX} files and folders"))
        .hint("name the report's own folder")
}

fn list_folder(root: &Path) -> Result<Listing, Diagnostic> {
    let mut listing = Listing::default();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = |error: io::Error| Location::Local(folder.clone()).unreadable(&error);
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            let path = entry.path();
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                let bytes = entry.metadata().map_or(0, |metadata| metadata.len());
                listing.files.push(Listed { name, version: Version { bytes, etag: None } });
            } else {
                listing.others.push(name);
            }
            if listing.files.len() + listing.others.len() + folders.len() > LISTED_MAX {
                return Err(too_many(&Location::Local(root.to_owned())));
            }
        }
    }
    Ok(listing)
}

/// The size of a file, or of all files below a folder.
fn folder_bytes(path: &Path, depth: usize) -> u64 {
    let Ok(metadata) = fs::symlink_metadata(path) else { return 0 };
    if !metadata.is_dir() || depth > 16 {
        return fs::metadata(path).map_or(0, |metadata| metadata.len());
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| folder_bytes(&entry.path(), depth + 1)).sum()
}

impl ObjectUrl {
    /// The client of its bucket.
    pub(crate) fn bucket(&self) -> Result<Arc<Bucket>, StoreError> {
        Bucket::of(&self.bucket)
    }

    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    fn look(&self) -> Result<There, StoreError> {
        let bucket = self.bucket()?;
        if !self.key.as_ref().is_empty() {
            match wait(bucket.client.head(&self.key))?.map_err(|error| bucket.explain(&error)) {
                Ok(meta) => return Ok(There::File(version(&meta))),
                // The answer to a HEAD has no text: whether the bucket is there, the listing says.
                Err(StoreError { kind: Kind::Missing, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let first = wait(async { bucket.client.list(Some(&self.key)).next().await })?;
        match first.transpose().map_err(|error| bucket.explain(&error))? {
            Some(_) => Ok(There::Folder),
            None => Ok(There::Nothing),
        }
    }

    fn list(&self) -> Result<Vec<Listed>, StoreError> {
        let bucket = self.bucket()?;
        let below = self.key.as_ref().len() + usize::from(!self.key.as_ref().is_empty());
        let listed = |meta: ObjectMeta| Listed {
            name: meta.location.as_ref().get(below..).unwrap_or_default().to_owned(),
            version: version(&meta),
        };
        let hidden = |file: &Listed| file.name.split('/').any(|part| part.starts_with('.'));
        // One more than allowed, so that the caller sees that there are more.
        let files = bucket.client.list(Some(&self.key)).take(LISTED_MAX + 1).map_ok(listed);
        let files: Vec<Listed> = wait(files.try_collect())?.map_err(|error| bucket.explain(&error))?;
        Ok(files.into_iter().filter(|file| !hidden(file)).collect())
    }

    fn read(&self, bytes_max: u64) -> Result<Vec<u8>, StoreError> {
        let bucket = self.bucket()?;
        let read = wait(async {
            let mut bytes = Vec::new();
            let mut chunks = bucket.client.get(&self.key).await?.into_stream();
            while let Some(chunk) = chunks.next().await {
                bytes.extend_from_slice(&chunk?);
                if bytes.len() as u64 > bytes_max {
                    break;
                }
            }
            Ok(bytes)
        });
        read?.map_err(|error| bucket.explain(&error))
    }

    fn head(&self, bytes: u64) -> Result<Vec<u8>, StoreError> {
        let bucket = self.bucket()?;
        let head = wait(bucket.client.get_range(&self.key, 0..bytes))?;
        head.map(|bytes| bytes.to_vec()).map_err(|error| bucket.explain(&error))
    }
}

fn version(meta: &ObjectMeta) -> Version {
    Version { bytes: meta.size, etag: meta.e_tag.clone() }
}

/// Writing to object stores; a file of this machine is written by whoever knows what must be forced to the disk and when.
impl ObjectUrl {
    /// Puts so many bytes in this place. With `create`, an object that is there already is left as it is, and [`Kind::Exists`].
    ///
    /// # Errors
    /// [`StoreError`]; nothing is there then that was not there before.
    pub fn put(&self, content: &mut dyn Read, bytes: u64, create: bool) -> Result<(), StoreError> {
        let bucket = self.bucket()?;
        if bytes <= STORE_SEND_BYTES as u64 {
            let buffer: Bytes = next_part(content, STORE_SEND_BYTES).map_err(|error| unsent(&error))?.into();
            let put = |mode| {
                let payload = PutPayload::from(buffer.clone());
                let put = bucket.client.put_opts(&self.key, payload, PutOptions::from(mode));
                wait(put)?.map(drop).map_err(|error| bucket.explain(&error))
            };
            return match put(if create { PutMode::Create } else { PutMode::Overwrite }) {
                // A store that knows no conditions: what is created is named by its content, so it can only be the same.
                Err(StoreError { kind: Kind::Unsupported, .. }) if create => put(PutMode::Overwrite),
                done => done,
            };
        }
        if create && matches!(self.look()?, There::File(_)) {
            return Err(StoreError {
                kind: Kind::Exists,
                ..StoreError::refused("is there already".into(), "")
            });
        }
        wait(self.put_parts(&bucket, content, bytes))?
    }

    async fn put_parts(&self, bucket: &Bucket, content: &mut dyn Read, bytes: u64) -> Result<(), StoreError> {
        // A store takes ten thousand parts.
        let part = STORE_SEND_BYTES.max(usize::try_from(bytes / 9_000).unwrap_or(usize::MAX));
        let explain = |error| bucket.explain(&error);
        let mut upload = bucket.client.put_multipart(&self.key).await.map_err(explain)?;
        let parts = std::iter::from_fn(|| match next_part(content, part) {
            Ok(buffer) if buffer.is_empty() => None,
            Ok(buffer) => Some(Ok(upload.put_part(buffer.into()))),
            Err(error) => Some(Err(unsent(&error))),
        });
        let send = |part: UploadPart| async { part.await.map_err(explain) };
        let sent = futures_util::stream::iter(parts).try_for_each_concurrent(STORE_TRANSFERS, send).await;
        let done = match sent {
            Ok(()) => upload.complete().await.map(drop).map_err(explain),
            Err(error) => Err(error),
        };
        if done.is_err() {
            // Parts that cannot be taken back now are for the bucket's own rule about unfinished uploads.
            let _ = upload.abort().await;
        }
        done
    }

    /// Removes an object; one that is not there is no error.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn delete(&self) -> Result<(), StoreError> {
        let bucket = self.bucket()?;
        match wait(bucket.client.delete(&self.key))?.map_err(|error| bucket.explain(&error)) {
            Err(error) if error.kind != Kind::Missing => Err(error),
            _ => Ok(()),
        }
    }
}

impl From<ObjectUrl> for Location {
    fn from(object: ObjectUrl) -> Self {
        Self::Object(object)
    }
}

fn unsent(error: &io::Error) -> StoreError {
    StoreError::refused(format!("cannot be sent: {error}"), "")
}

fn next_part(content: &mut dyn Read, bytes: usize) -> io::Result<Vec<u8>> {
    let mut buffer = Vec::with_capacity(bytes);
    content.take(bytes as u64).read_to_end(&mut buffer)?;
    Ok(buffer)
}
