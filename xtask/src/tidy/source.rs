//! What a source file may look like: its length, its first line, its words, its name.

use super::{Tracked, assert_none, tracked};

const LINES_MAX: usize = 800;

/// Names that say nothing about what a thing is.
const EMPTY_NAMES: &[&str] = &["manager", "helper", "helpers", "util", "utils", "common", "misc"];

/// Marks of unfinished work. Written in halves, so that this file does not break its own rule.
const UNFINISHED: &[&str] = &[
    concat!("to", "do!("),
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("for ", "now"),
    concat!("unimple", "mented!("),
];

fn is_source(file: &Tracked) -> bool {
    matches!(file.extension(), "rs" | "py")
}

fn too_long(file: &Tracked) -> Option<String> {
    let lines = file.text.lines().count();
    (lines > LINES_MAX).then(|| format!("{}: {lines} lines, at most {LINES_MAX}", file.path))
}

fn without_purpose(file: &Tracked) -> Option<String> {
    let says = match file.extension() {
        "rs" => file.text.starts_with("//!"),
        _ => true,
    };
    (!says).then(|| format!("{}: its first line is not a `//!` that says what the module is for", file.path))
}

fn unfinished(file: &Tracked) -> Vec<String> {
    let numbered = file.text.lines().zip(1..);
    numbered
        .flat_map(|(line, number)| {
            let found = UNFINISHED.iter().filter(move |words| has_words(line, words));
            found.map(move |words| format!("{}:{number}: `{words}`", file.path))
        })
        .collect()
}

/// Whether `words` stand in `line` and are not the inside of a longer word.
fn has_words(line: &str, words: &str) -> bool {
    line.match_indices(words).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + words.len()..].chars().next();
        let inside = |it: Option<char>| it.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !inside(before) && (words.ends_with('(') || !inside(after))
    })
}

/// Path segments and modules with a name that says nothing.
fn empty_names(file: &Tracked) -> Vec<String> {
    let segments = file.path.split('/').map(|segment| segment.split('.').next().unwrap_or_default());
    let modules = file.text.lines().filter_map(module_name);
    segments
        .chain(modules)
        .filter(|name| name.split(['_', '-']).any(|part| EMPTY_NAMES.contains(&part.to_lowercase().as_str())))
        .map(|name| format!("{}: `{name}` does not say what it is", file.path))
        .collect()
}

/// The name in a `mod name;` or `mod name {` line.
fn module_name(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub ")).unwrap_or(line);
    line.strip_prefix("mod ")?.split([';', ' ', '{']).next()
}

#[test]
fn no_source_file_is_too_long() {
    let breaches: Vec<_> = tracked().iter().filter(|file| is_source(file)).filter_map(too_long).collect();
    assert_none(&breaches);
}

#[test]
fn every_module_says_what_it_is_for() {
    let breaches: Vec<_> = tracked().iter().filter_map(without_purpose).collect();
    assert_none(&breaches);
}

#[test]
fn no_unfinished_work_is_left() {
    let breaches: Vec<_> = tracked().iter().filter(|file| is_source(file)).flat_map(unfinished).collect();
    assert_none(&breaches);
}

#[test]
fn names_say_what_things_are() {
    let breaches: Vec<_> = tracked().iter().filter(|file| is_source(file)).flat_map(empty_names).collect();
    assert_none(&breaches);
}

#[test]
fn each_rule_bites() {
    let file = |path: &str, text: &str| Tracked { path: path.into(), text: text.into() };
    assert!(too_long(&file("a.rs", &"\n".repeat(LINES_MAX))).is_none());
    assert!(too_long(&file("a.rs", &"\n".repeat(LINES_MAX + 1))).is_some());
    assert!(without_purpose(&file("a.rs", "use std::fmt;\n")).is_some());
    assert!(without_purpose(&file("a.rs", "//! What is true.\n")).is_none());
    let text = ["ok", concat!("    to", "do!()"), concat!("// works for ", "now.")].join("\n");
    assert_eq!(unfinished(&file("a.rs", &text)).len(), 2, "{text}");
    assert!(unfinished(&file("a.rs", "waits for nowhere; mastodons")).is_empty());
    assert_eq!(empty_names(&file("crates/x/src/money_util.rs", "")).len(), 1);
    assert_eq!(empty_names(&file("crates/x/src/money.rs", "pub mod helpers;\nmod commonwealth;")).len(), 1);
}
