//! The rules of the house that a compiler does not know, each as a test over the tracked files.
//!
//! A rule is a function from text to the list of its breaches, so that a test can show that it bites.
//! Reading order: which crate may name which, what a source file may hold, which cases have a test, which
//! dependencies have a reason.

mod catalogue;
mod database_clock;
mod decisions;
mod edges;
mod floats;
mod paths;
mod source;

use std::path::{Path, PathBuf};
use std::process::Command;

/// One tracked file: its path from the root of the repository, with `/`, and its text.
pub struct Tracked {
    pub path: String,
    pub text: String,
}

impl Tracked {
    /// The extension without its dot; empty where there is none.
    pub fn extension(&self) -> &str {
        Path::new(&self.path).extension().and_then(|it| it.to_str()).unwrap_or_default()
    }
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the root").to_path_buf()
}

/// Every text file that is tracked, or new and not ignored. Binary files are left out.
pub fn tracked() -> Vec<Tracked> {
    let root = root();
    let output = Command::new("git")
        // A checkout may belong to another user than the one who runs the tests.
        .args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(&root)
        .output()
        .expect("git lists the files");
    assert!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).expect("paths are UTF-8");
    let mut paths: Vec<&str> = names.split_terminator('\0').collect();
    paths.sort_unstable();
    paths.dedup();
    paths
        .into_iter()
        .filter_map(|path| {
            let text = String::from_utf8(std::fs::read(root.join(path)).ok()?).ok()?;
            Some(Tracked { path: path.to_string(), text })
        })
        .collect()
}

/// Fails with every breach on a line of its own.
#[track_caller]
pub fn assert_none(breaches: &[String]) {
    assert!(breaches.is_empty(), "{} breaches:\n  {}", breaches.len(), breaches.join("\n  "));
}
