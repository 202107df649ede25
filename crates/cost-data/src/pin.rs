//! Pinned cost files: kept by content, so that a month can be read again after AWS has written over it.
//!
//! A pinned file is named by its SHA-256 and the ending of the original. It is written once: under another name first, forced to the disk,
//! renamed; on an object store by one conditional put. What is there already is left alone if it is what its name says, and
//! refused if not. Every reading of a pinned file verifies its hash (`source_file`).

use crate::diagnostics::Diagnostic;
use crate::hash::hex;
use crate::location::{Kind, Location, ObjectUrl, There};
use crate::source::Source;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

/// Endings that say how a file is read; the longest first.
const ENDINGS: [&str; 6] = [".csv.gz", ".csv.zip", ".parquet", ".csv", ".gz", ".zip"];
const COPY_BUFFER_BYTES: usize = 1 << 20;

/// The name of a pinned file.
#[must_use]
pub fn pinned_name(name: &str, sha256: &str) -> String {
    let name = name.to_ascii_lowercase();
    let ending = ENDINGS.iter().find(|ending| name.ends_with(*ending)).unwrap_or(&"");
    format!("{sha256}{ending}")
}

/// What to say about a pinned file whose content is not what its name says.
#[must_use]
pub fn not_its_name(place: &str) -> Diagnostic {
    Diagnostic::file(place, "is pinned, but its content has another SHA-256 than its name says")
        .hint("somebody has changed it: remove it, and pin the file again from where AWS delivered it")
}

/// The folder or prefix that files are pinned in; a folder is made.
pub(crate) fn folder(given: &Path) -> Result<Location, Diagnostic> {
    let pins = Location::parse(given)?;
    if let Location::Local(folder) = &pins {
        let failed =
            |error| Diagnostic::file(&pins.to_string(), format!("cannot be made for --pin: {error}"));
        fs::create_dir_all(folder).map_err(failed)?;
    }
    Ok(pins.canonical())
}

/// Keeps a file, which has this hash, in a folder or under a prefix; gives the place of the copy.
pub(crate) fn keep(source: &Source, name: &str, sha256: &str, pins: &Location) -> Result<String, Diagnostic> {
    let place = pins.join(&pinned_name(name, sha256));
    let shown = place.to_string();
    match &place {
        Location::Local(path) => {
            let failed = |error: io::Error| Diagnostic::file(&shown, format!("cannot be pinned: {error}"));
            match place.look()? {
                There::Nothing => write(source, sha256, path, name).map_err(failed)?,
                _ => verify(path, sha256, &shown)?,
            }
        }
        Location::Object(object) => match place.look()? {
            There::File(version) if version.bytes == source.bytes() => {}
            There::File(_) => return Err(not_its_name(&shown)),
            _ => send(source, sha256, object, name)?,
        },
    }
    Ok(shown)
}

/// Forces the names of new files in a folder to the disk.
pub(crate) fn finish(pins: &Location) -> Result<(), Diagnostic> {
    let Location::Local(folder) = pins else { return Ok(()) };
    let forced = File::open(folder).and_then(|folder| folder.sync_all());
    forced.map_err(|error| {
        Diagnostic::file(&pins.to_string(), format!("cannot be forced to the disk: {error}"))
    })
}

fn verify(path: &Path, sha256: &str, shown: &str) -> Result<(), Diagnostic> {
    let unreadable = |reason: String| Diagnostic::file(shown, reason);
    let there = Source::open(path).map_err(unreadable)?;
    let hash = there.sha256(|| false).map_err(|error| unreadable(format!("cannot be read: {error}")))?;
    match hash.is_some_and(|hash| hex(&hash) == sha256) {
        true => Ok(()),
        false => Err(not_its_name(shown)),
    }
}

fn write(source: &Source, sha256: &str, path: &Path, name: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let draft = folder.join(format!(".{sha256}.partial-{}", std::process::id()));
    let written = (|| {
        let mut file = File::create(&draft)?;
        let mut content = Hashed { content: source.reader(), hash: Sha256::new() };
        let mut buffer = vec![0; COPY_BUFFER_BYTES];
        loop {
            match content.read(&mut buffer)? {
                0 => break,
                count => file.write_all(&buffer[..count])?,
            }
        }
        if hex(&content.hash.finalize()) != sha256 {
            return Err(io::Error::other(format!("`{name}` changed while it was pinned; run again")));
        }
        file.sync_all()?;
        fs::rename(&draft, path)
    })();
    if written.is_err() {
        // Nobody mistakes it for a pinned file if it cannot be removed.
        let _ = fs::remove_file(&draft);
    }
    written
}

fn send(source: &Source, sha256: &str, object: &ObjectUrl, name: &str) -> Result<(), Diagnostic> {
    let place = Location::Object(object.clone());
    let mut content = Hashed { content: source.reader(), hash: Sha256::new() };
    match object.put(&mut content, source.bytes(), true) {
        // Somebody was quicker with the same content.
        Err(error) if error.kind == Kind::Exists => return Ok(()),
        sent => sent.map_err(|error| place.problem(&error))?,
    }
    if hex(&content.hash.finalize()) == sha256 {
        return Ok(());
    }
    object.delete().map_err(|error| place.problem(&error))?;
    Err(Diagnostic::file(name, "changed while it was pinned").hint("run again"))
}

/// A reader that hashes what goes through it.
struct Hashed<R> {
    content: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}
