//! Writing a result folder: all of it, or nothing.
//!
//! On this machine, files are written into a folder of another name beside the target, forced to the disk, and the folder is renamed. A program
//! that is killed at any moment leaves what was there before; what it began is removed by the next run. On an object store,
//! which renames nothing, the finished folder is sent with the mark as the last file ([`store`]).

mod store;

use crate::failure::{Failure, damaged};
use anyhow::Context;
use book_file::BOOKS;
use cost_data::hash::hex;
use cost_data::location::Location;
use cost_data::price_list::kept::PRICE_LIST_FILE;
use cost_data::source_file::SOURCE_FILE;
use rustix::fs::{CWD, FlockOperation, RenameFlags, flock, renameat_with};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::thread;

/// A file that every run has: how a folder is known to be one.
pub const MARK: &str = "reconciliation.json";
/// All that a run may have beside it. A folder with anything else is not only a run, and is never replaced.
pub const OTHER_FILES: [&str; 20] = [
    COST_REPORT,
    "cost-report.csv",
    BILLING_GROUPS[0],
    BILLING_GROUPS[1],
    "statements",
    CUBE,
    DAILY_CUBE,
    COMMITMENTS,
    ELIGIBLE_USAGE,
    COVERAGE,
    REJECTED_LINES,
    READING,
    BOOKS[0],
    BOOKS[1],
    BOOK_FILES,
    POLICIES,
    MARGIN_GUARD,
    EXPORTS,
    SOURCE_FILE,
    PRICE_LIST_FILE,
];
/// The folder of exported lines in a result folder, with a folder per billing group.
pub const EXPORTS: &str = "pro-forma";
/// What an export says of itself; how a folder is known to be one. For the operator.
pub const EXPORT_MARK: &str = "export.json";
/// The name of the copies of the files that the book names, by name.
pub const BOOK_FILES: &str = "book-files.json";
/// The name of what the policies of the book came to; only where it has some.
pub const POLICIES: &str = "policies.json";
/// The name of what the margin guard has found.
pub const MARGIN_GUARD: &str = "margin-guard.json";
/// The cost report's name in a result folder.
pub const COST_REPORT: &str = "cost-report.json";
/// The names of the groups' totals with those of their subtrees, which runs have whose book has parents.
pub const BILLING_GROUPS: [&str; 2] = ["billing-groups.json", "billing-groups.csv"];
/// The cube's name in a result folder.
pub const CUBE: &str = "cost-cube.parquet";
/// The daily cube's name in a result folder.
pub const DAILY_CUBE: &str = "cost-cube-daily.parquet";
/// The name of what a run knows of commitments.
pub const COMMITMENTS: &str = "commitments.json";
/// The name of the rows that could not be read.
pub const REJECTED_LINES: &str = "rejected-lines.csv";
/// The name of what was noticed while the cost files were read: so that a run can be made of the month again without them.
pub const READING: &str = "reading.json";
/// The name of the usage that commitments may cover, line by line.
pub const ELIGIBLE_USAGE: &str = "eligible-usage.parquet";
/// The name of what they cover.
pub const COVERAGE: &str = "coverage.parquet";
/// How many results may be written into one folder at a time.
const DRAFTS_MAX: u32 = 1_000;
/// How many files are forced to the disk at once.
const SYNCS: usize = 16;
/// How long a file name may be, without its ending; file systems stop at 255 bytes.
const FILE_NAME_BYTES_MAX: usize = 200;

/// A result folder that is being written.
pub struct Draft {
    folder: PathBuf,
    target: Target,
    /// The open folder: locked for as long as this process lives, so that others know it is not abandoned.
    _lock: File,
}

/// Where the folder will be.
enum Target {
    Folder { path: PathBuf, replaces: bool },
    Store(store::Prefix),
}

impl Draft {
    /// Begins a folder that will be `target`, which must be absent, empty, or with `force` an earlier run. What goes to an object
    /// store is made in `scratch`.
    pub fn begin(target: &Path, force: bool, scratch: Option<&Path>) -> Result<Self, Failure> {
        // An export into a run may have been killed there.
        let abandoned = |name: &OsString| name.to_string_lossy().starts_with(&partial(OsStr::new(EXPORTS)));
        let known = |name: &OsString| {
            name == MARK || OTHER_FILES.iter().any(|other| name == other) || abandoned(name)
        };
        Self::begin_as(target, &Earlier { what: "run", mark: MARK, known: &known }, force, scratch)
    }

    /// Begins a folder that will be `target`, which must be absent, empty, or with `force` what it was earlier.
    pub fn begin_as(
        target: &Path,
        earlier: &Earlier<'_>,
        force: bool,
        scratch: Option<&Path>,
    ) -> Result<Self, Failure> {
        match Location::parse(target).map_err(|problem| Failure::input(problem.to_string()))? {
            Location::Local(target) => Self::begin_folder(&target, earlier, force),
            location => {
                let prefix = store::Prefix::check(location, earlier, force)?;
                let scratch = scratch.map_or_else(std::env::temp_dir, Path::to_owned);
                let scratch =
                    absolute(&scratch).with_context(|| format!("cannot resolve `{}`", scratch.display()))?;
                Self::beside(&scratch, "proforma", Target::Store(prefix))
            }
        }
    }

    fn begin_folder(target: &Path, earlier: &Earlier<'_>, force: bool) -> Result<Self, Failure> {
        let replaces = check_target(target, earlier, force)?;
        let target = absolute(target).with_context(|| format!("cannot resolve `{}`", target.display()))?;
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(Failure::input(format!("`{}` cannot be a result folder", target.display())));
        };
        let target_of = Target::Folder { path: target.clone(), replaces };
        Self::beside(parent, &name.to_string_lossy(), target_of)
    }

    /// Makes a folder for the draft that is nobody else's.
    fn beside(parent: &Path, name: &str, target: Target) -> Result<Self, Failure> {
        make_folders(parent).with_context(|| format!("cannot make `{}`", parent.display()))?;
        let prefix = partial(OsStr::new(name));
        remove_abandoned(parent, &prefix);
        for number in 0..DRAFTS_MAX {
            let folder = parent.join(format!("{prefix}{number}"));
            match new_folder(&folder, &target) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                made => made.with_context(|| format!("cannot make `{}`", folder.display()))?,
            }
            // Another run may take a folder for abandoned before it is locked; then the next number is tried.
            if let Some(_lock) = lock(&folder) {
                return Ok(Self { folder, target, _lock });
            }
        }
        Err(Failure::input(format!("{DRAFTS_MAX} results are being written in `{}`", parent.display())))
    }

    /// Where to write a file of the result.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes a folder in the result.
    pub fn make_folder(&self, name: &str) -> anyhow::Result<()> {
        let path = self.path(name);
        fs::create_dir(&path).with_context(|| format!("cannot make `{}`", path.display()))
    }

    /// Writes a file of the result.
    pub fn write(&self, name: &str, content: &[u8]) -> anyhow::Result<()> {
        let path = self.path(name);
        fs::write(&path, content).with_context(|| format!("cannot write `{}`", path.display()))
    }

    /// Takes a file of an earlier result over, which neither ever changes: under one more name where the disk can, else as a copy.
    pub fn take_over(&self, earlier: &Path, name: &str) -> anyhow::Result<()> {
        let (from, to) = (earlier.join(name), self.path(name));
        if fs::hard_link(&from, &to).is_err() {
            fs::copy(&from, &to).with_context(|| format!("cannot copy `{}`", from.display()))?;
        }
        Ok(())
    }

    /// Makes the result visible: on the disk by forcing everything to it and giving the folder its name, on a store by sending it.
    pub fn publish(self) -> anyhow::Result<()> {
        let (path, replaces) = match &self.target {
            Target::Store(prefix) => return prefix.send(&self.folder),
            Target::Folder { path, replaces } => (path, *replaces),
        };
        sync_tree(&self.folder)
            .with_context(|| format!("cannot force `{}` to the disk", self.folder.display()))?;
        let parent = path.parent().unwrap_or(Path::new("/"));
        if replaces {
            renameat_with(CWD, &self.folder, CWD, path, RenameFlags::EXCHANGE)
                .with_context(|| format!("cannot replace `{}`", path.display()))?;
        } else {
            // An empty folder gives way to the new one.
            fs::rename(&self.folder, path)
                .with_context(|| format!("cannot name the result `{}`", path.display()))?;
        }
        File::open(parent)
            .and_then(|folder| folder.sync_all())
            .with_context(|| format!("`{}` is written, but cannot be forced to the disk", path.display()))
    }
}

impl Drop for Draft {
    /// Removes what was not published, or the run that was replaced; after a plain publish there is nothing here.
    fn drop(&mut self) {
        // A folder that cannot be removed now is removed by the next run.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Makes a folder and those above it that are not there, each with its name forced to the disk: what is in it would be lost with the name.
fn make_folders(folder: &Path) -> io::Result<()> {
    let is_there = |error: &io::Error| error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir();
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty());
    match fs::create_dir(folder) {
        Err(error) if is_there(&error) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound && above.is_some() => {
            above.map_or(Ok(()), make_folders)?;
            fs::create_dir(folder).or_else(|error| if is_there(&error) { Ok(()) } else { Err(error) })?;
        }
        made => made?,
    }
    sync(above.unwrap_or(Path::new(".")))
}

/// A draft beside its target is as open as any folder there; one in a scratch folder is for its owner alone.
fn new_folder(folder: &Path, target: &Target) -> io::Result<()> {
    let mode = match target {
        Target::Folder { .. } => 0o777,
        Target::Store(_) => 0o700,
    };
    DirBuilder::new().mode(mode).create(folder)
}

/// What may stand where a folder is written, and be replaced.
pub struct Earlier<'a> {
    /// What it is called.
    pub what: &'a str,
    /// A file that it has.
    pub mark: &'a str,
    /// Whether a name is one of its own. A folder with any other is never replaced.
    pub known: &'a dyn Fn(&OsString) -> bool,
}

/// Whether an earlier result is replaced.
fn check_target(target: &Path, earlier: &Earlier<'_>, force: bool) -> Result<bool, Failure> {
    let shown = target.display().to_string();
    let entries = match fs::read_dir(target) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Failure::input(format!("`{shown}` cannot be a result folder: {error}"))),
    };
    let names = entries.flatten().map(|entry| entry.file_name()).collect();
    is_replaced(&shown, &names, earlier, force)
}

/// Whether a place with these names in it is an earlier result that may be replaced; an empty place is none.
fn is_replaced(
    shown: &str,
    names: &BTreeSet<OsString>,
    earlier: &Earlier<'_>,
    force: bool,
) -> Result<bool, Failure> {
    if names.is_empty() {
        return Ok(false);
    }
    let what = earlier.what;
    if !names.iter().any(|name| name == earlier.mark) {
        let problem = format!("`{shown}` is not empty and is not an earlier {what}");
        return Err(Failure::input(problem).hint("give an absent or empty folder with --out"));
    }
    if let Some(foreign) = names.iter().find(|name| !(earlier.known)(name)) {
        let problem = format!("`{shown}` holds `{}`, which no {what} has", foreign.to_string_lossy());
        return Err(
            Failure::input(problem).hint("give another folder with --out; --force replaces a whole folder")
        );
    }
    if !force {
        let problem = format!("`{shown}` holds an earlier {what}");
        return Err(
            Failure::input(problem).hint("add --force to replace it, or give another folder with --out")
        );
    }
    Ok(true)
}

/// How the names begin of folders that will be of this name.
fn partial(name: &OsStr) -> String {
    format!(".{}.partial-", name.to_string_lossy())
}

fn absolute(path: &Path) -> io::Result<PathBuf> {
    // An existing path is resolved, so that `.` and links have a name to rename.
    fs::canonicalize(path).or_else(|_| std::path::absolute(path))
}

/// Removes what runs left behind that were killed: folders that nobody has locked.
fn remove_abandoned(parent: &Path, prefix: &str) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let number = name.strip_prefix(prefix).and_then(|number| number.parse::<u32>().ok());
        if number.is_some()
            && let Some(_lock) = lock(&entry.path())
        {
            // In the way of nobody if it cannot be removed.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// A folder, open and locked; `None` where somebody else has locked it.
fn lock(folder: &Path) -> Option<File> {
    let open = File::open(folder).ok()?;
    flock(&open, FlockOperation::NonBlockingLockExclusive).ok()?;
    Some(open)
}

/// Forces a folder and all that is in it to the disk, the files before the folders that name them.
fn sync_tree(folder: &Path) -> io::Result<()> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    let mut next = 0;
    while let Some(folder) = folders.get(next).cloned() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
        next += 1;
    }
    // Each waits for the disk, which takes many at once: a run has two files for every billing group.
    let share = files.len().div_ceil(SYNCS).max(1);
    thread::scope(|scope| {
        let threads: Vec<_> =
            files.chunks(share).map(|files| scope.spawn(|| files.iter().try_for_each(sync))).collect();
        let panicked = |_| Err(io::Error::other("a thread failed"));
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(panicked))
    })?;
    folders.iter().rev().try_for_each(sync)
}

/// Forces a file or the names in a folder to the disk.
fn sync(path: impl AsRef<Path>) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// A hash as the mark has it.
pub fn as_marked(hash: &[u8]) -> String {
    format!("sha256:{}", hex(hash))
}

/// Whether a file of a run has the hash that the run's mark says.
pub fn check_hash(folder: &Path, name: &str, hash: &[u8], expected: &str) -> Result<(), Failure> {
    match as_marked(hash) == expected {
        true => Ok(()),
        false => Err(damaged(folder, format!("`{name}` is damaged, or of another run"))),
    }
}

/// A billing group's folder among the exported files.
pub fn folder_name(group: &str) -> String {
    // One name there is taken.
    if group == EXPORT_MARK { group.replace('.', "%2E") } else { file_name(group) }
}

/// A name as a file name: what a file system or a shell could mistake is percent-encoded, and a name too long for a file
/// system ends in its hash.
pub fn file_name(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for (place, character) in name.chars().enumerate() {
        let plain = character.is_alphanumeric() || matches!(character, '-' | '_' | '+' | '=' | '@' | '.');
        if plain && !(place == 0 && character == '.') {
            encoded.push(character);
        } else {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    if encoded.len() <= FILE_NAME_BYTES_MAX {
        return encoded;
    }
    let hash = hex(&Sha256::digest(name)[..8]);
    let mut end = FILE_NAME_BYTES_MAX - hash.len() - 1;
    while !encoded.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}-{hash}", &encoded[..end])
}

#[cfg(test)]
mod tests {
    //! File names of any group name.

    use super::file_name;

    #[test]
    fn names_cannot_leave_their_folder() {
        for (name, expected) in
            [("acme", "acme"), ("..", "%2E."), ("a/b", "a%2Fb"), ("ÄB c", "ÄB%20c"), ("a%2Fb", "a%252Fb")]
        {
            assert_eq!(file_name(name), expected);
        }
    }

    #[test]
    fn long_names_fit_and_stay_apart() {
        let (one, other) = ("木".repeat(300), "木".repeat(301));
        assert!(file_name(&one).len() <= 200 && file_name(&one).starts_with("木木"));
        assert_ne!(file_name(&one), file_name(&other));
        assert_eq!(file_name(&"a".repeat(200)), "a".repeat(200));
    }
}
