//! The hash over all files of a run: what a closed period is sealed with.

use super::every;
use crate::failure::Failure;
use anyhow::Context;
use cost_data::hash::hex;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// The hash over names and contents, whatever the order of the files in their folders.
pub fn manifest(run: &Path) -> Result<String, Failure> {
    let mut files = Vec::new();
    below(run, Path::new(""), &mut files).with_context(|| format!("cannot list `{}`", run.display()))?;
    files.sort();
    let hashes = every(&files, |name| {
        let path = run.join(name);
        Ok(sha256(&path).with_context(|| format!("cannot read `{}`", path.display()))?)
    })?;
    let mut all = Sha256::new();
    for (name, hash) in files.iter().zip(hashes) {
        all.update(name.to_string_lossy().as_bytes());
        all.update(b"\0");
        all.update(hash);
    }
    Ok(hex(&all.finalize()))
}

/// The SHA-256 of a file, in hexadecimal.
pub fn file_sha256(path: &Path) -> io::Result<String> {
    Ok(hex(&sha256(path)?))
}

fn sha256(path: &Path) -> io::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    io::copy(&mut File::open(path)?, &mut Hashing(&mut hash))?;
    Ok(hash.finalize().into())
}

fn below(root: &Path, within: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(within))? {
        let entry = entry?;
        let name = within.join(entry.file_name());
        if entry.file_type()?.is_dir() { below(root, &name, files)? } else { files.push(name) }
    }
    Ok(())
}

/// A writer that hashes what it is given.
struct Hashing<'a>(&'a mut Sha256);

impl io::Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
