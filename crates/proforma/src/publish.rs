//! Writing a result folder: all of it, or nothing.
//!
//! Files are written into a folder of another name beside the target, forced to the disk, and the folder is renamed. A program
//! that is killed at any moment leaves what was there before; what it began is removed by the next run.

use crate::failure::Failure;
use anyhow::Context;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// A file that every run has: how a folder is known to be one.
pub const MARK: &str = "reconciliation.json";

/// A result folder that is being written.
pub struct Draft {
    target: PathBuf,
    folder: PathBuf,
    replaces: bool,
}

impl Draft {
    /// Begins a folder that will be `target`, which must be absent, empty, or with `force` an earlier run.
    pub fn begin(target: &Path, force: bool) -> Result<Self, Failure> {
        let replaces = check_target(target, force)?;
        let target = absolute(target).with_context(|| format!("cannot resolve `{}`", target.display()))?;
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(Failure::input(format!("`{}` cannot be a result folder", target.display())));
        };
        fs::create_dir_all(parent).with_context(|| format!("cannot make `{}`", parent.display()))?;
        let prefix = format!(".{}.partial-", name.to_string_lossy());
        remove_abandoned(parent, &prefix);
        let folder = parent.join(format!("{prefix}{}", std::process::id()));
        fs::create_dir(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
        Ok(Self { target, folder, replaces })
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

    /// Forces everything to the disk and gives the folder its name.
    pub fn publish(self) -> anyhow::Result<()> {
        sync_tree(&self.folder)
            .with_context(|| format!("cannot force `{}` to the disk", self.folder.display()))?;
        let parent = self.target.parent().unwrap_or(Path::new("/"));
        if self.replaces {
            renameat_with(CWD, &self.folder, CWD, &self.target, RenameFlags::EXCHANGE)
                .with_context(|| format!("cannot replace `{}`", self.target.display()))?;
        } else {
            // An empty folder gives way to the new one.
            fs::rename(&self.folder, &self.target)
                .with_context(|| format!("cannot name the result `{}`", self.target.display()))?;
        }
        File::open(parent).and_then(|folder| folder.sync_all()).with_context(|| {
            format!("`{}` is written, but cannot be forced to the disk", self.target.display())
        })
    }
}

impl Drop for Draft {
    /// Removes what was not published, or the run that was replaced; after a plain publish there is nothing here.
    fn drop(&mut self) {
        // A folder that cannot be removed now is removed by the next run.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Whether an earlier run is replaced.
fn check_target(target: &Path, force: bool) -> Result<bool, Failure> {
    let shown = target.display();
    let entries = match fs::read_dir(target) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Failure::input(format!("`{shown}` cannot be a result folder: {error}"))),
    };
    let names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    if names.is_empty() {
        return Ok(false);
    }
    if !names.iter().any(|name| name == MARK) {
        let problem = format!("`{shown}` is not empty and is not an earlier run");
        return Err(Failure::input(problem).hint("give an absent or empty folder with --out"));
    }
    if !force {
        let problem = format!("`{shown}` holds an earlier run");
        return Err(
            Failure::input(problem).hint("add --force to replace it, or give another folder with --out")
        );
    }
    Ok(true)
}

fn absolute(path: &Path) -> io::Result<PathBuf> {
    // An existing path is resolved, so that `.` and links have a name to rename.
    fs::canonicalize(path).or_else(|_| std::path::absolute(path))
}

/// Removes what runs left behind that were killed.
fn remove_abandoned(parent: &Path, prefix: &str) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix(prefix).and_then(|id| id.parse::<u32>().ok());
        if process.is_some_and(|id| !Path::new(&format!("/proc/{id}")).exists()) {
            // In the way of nobody if it cannot be removed.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Forces a folder and all that is in it to the disk.
fn sync_tree(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { sync_tree(&path)? } else { File::open(&path)?.sync_all()? }
    }
    File::open(folder)?.sync_all()
}

/// A name as a file name: what a file system or a shell could mistake is percent-encoded.
pub fn file_name(name: &str) -> String {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'+' | b'=' | b'@' | b'.');
    let mut encoded = String::with_capacity(name.len());
    for (place, byte) in name.bytes().enumerate() {
        if plain(byte) && !(place == 0 && byte == b'.') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    //! File names of any group name.

    use super::file_name;

    #[test]
    fn names_cannot_leave_their_folder() {
        for (name, expected) in [
            ("acme", "acme"),
            ("..", "%2E."),
            ("a/b", "a%2Fb"),
            ("ÄB c", "%C3%84B%20c"),
            ("a%2Fb", "a%252Fb"),
        ] {
            assert_eq!(file_name(name), expected);
        }
    }
}
