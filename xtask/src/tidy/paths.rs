//! The project stands alone: nothing in it speaks of the machine that it was made on.

use super::{Tracked, assert_none, tracked};

/// Folders of a developer's machine, written in halves, each with the one file that may name it.
const FOREIGN: &[(&str, Option<&str>)] =
    &[(concat!("..", "/shared"), Some(".ci/run")), (concat!("/wo", "rk/"), None)];

fn breaches(file: &Tracked) -> Vec<String> {
    let numbered = file.text.lines().zip(1..);
    numbered
        .flat_map(|(line, number)| {
            let found =
                FOREIGN.iter().filter(|(path, may)| line.contains(path) && *may != Some(file.path.as_str()));
            found.map(move |(path, _)| format!("{}:{number}: names `{path}`", file.path))
        })
        .collect()
}

#[test]
fn no_file_names_a_folder_outside_the_project() {
    assert_none(&tracked().iter().flat_map(breaches).collect::<Vec<_>>());
}

#[test]
fn the_rule_bites() {
    let text = concat!("cd /wo", "rk/x\nls ..", "/shared");
    let file = |path: &str| Tracked { path: path.into(), text: text.into() };
    assert_eq!(breaches(&file("a.sh")).len(), 2);
    assert_eq!(breaches(&file(".ci/run")).len(), 1);
}
