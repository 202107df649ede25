//! Files that hold a secret.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// That a file with a secret can be read by those whom the bits of `mask` are; nothing is said of a file that is not there.
pub fn open_to_others(path: &Path, mask: u32) -> Option<String> {
    let mode = fs::metadata(path).ok()?.permissions().mode();
    let shown = path.display();
    (mode & mask != 0)
        .then(|| format!("`{shown}` can be read by others (mode {:o}); chmod 600 {shown}", mode & 0o777))
}
