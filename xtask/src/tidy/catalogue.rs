//! `tests/catalogue.toml` lists what can go wrong and what happens then. A case of a finished part has a test,
//! and every test it names exists.

use super::{assert_none, root, tracked};
use std::collections::{BTreeMap, BTreeSet};

/// Cases that cannot arise, or not all of them, before a later part of the program exists.
const LATER: &[&str] = &["A33", "B24", "C-9", "C-20"];

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    parts: BTreeMap<String, Part>,
    cases: Vec<Case>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    title: String,
    /// The letters that the ids of its cases start with.
    ids: String,
    finished: bool,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    case: String,
    expected: String,
    tests: Vec<String>,
    /// What the case waits for.
    later: Option<String>,
}

fn catalogue() -> Catalogue {
    let text = std::fs::read_to_string(root().join("tests/catalogue.toml")).expect("the catalogue is there");
    toml::from_str(&text).expect("the catalogue has the shape of `Catalogue`")
}

impl Catalogue {
    fn part_of(&self, id: &str) -> Option<&Part> {
        let letters = id.split(|c: char| !c.is_ascii_alphabetic()).next()?;
        self.parts.values().find(|part| part.ids == letters)
    }
}

fn breaches(catalogue: &Catalogue, functions: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for case in &catalogue.cases {
        let id = &case.id;
        if !seen.insert(id) {
            found.push(format!("{id} stands twice"));
        }
        if case.case.is_empty() || case.expected.is_empty() {
            found.push(format!("{id} does not say what happens, or what is expected"));
        }
        let Some(part) = catalogue.part_of(id) else {
            found.push(format!("{id} belongs to no part"));
            continue;
        };
        if case.later.is_some() && !LATER.contains(&id.as_str()) {
            found.push(format!("{id} may not wait: see LATER in xtask/src/tidy/catalogue.rs"));
        }
        if part.finished && case.tests.is_empty() && case.later.is_none() {
            found.push(format!("{id} has no test, and part `{}` is called finished", part.title));
        }
        let missing = case.tests.iter().filter(|test| !functions.contains(*test));
        found.extend(missing.map(|test| format!("{id} names the test `{test}`, which no source file has")));
    }
    found
}

/// The names of all functions of the source files, Rust and Python.
fn functions() -> BTreeSet<String> {
    let sources = tracked().into_iter().filter(|file| matches!(file.extension(), "rs" | "py"));
    sources.flat_map(|file| file.text.lines().filter_map(function_name).collect::<Vec<_>>()).collect()
}

/// The name in a line that starts a function, whatever stands before `fn`.
fn function_name(line: &str) -> Option<String> {
    let code = line.trim_start();
    let at_start = code.strip_prefix("def ").or_else(|| code.strip_prefix("async def "));
    let rest =
        at_start.or_else(|| code.strip_prefix("fn ")).or_else(|| code.split_once(" fn ").map(|it| it.1))?;
    let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!code.starts_with("//") && !name.is_empty()).then_some(name)
}

#[test]
fn every_case_of_a_finished_part_has_a_test() {
    assert_none(&breaches(&catalogue(), &functions()));
}

#[test]
fn each_rule_bites() {
    let text = r#"
        [parts.A]
        title = "Files"
        ids = "A"
        finished = true
        [[cases]]
        id = "A1"
        case = "cut"
        expected = "refused"
        tests = ["a_cut_file_is_refused"]
        [[cases]]
        id = "A2"
        case = "flipped"
        expected = "refused"
        tests = []
        [[cases]]
        id = "A3"
        case = "bomb"
        expected = "refused"
        tests = []
        later = "needs patience"
        [[cases]]
        id = "A33"
        case = "gap in a price list"
        expected = "refused"
        tests = []
        later = "needs a price list"
    "#;
    let catalogue: Catalogue = toml::from_str(text).expect("the catalogue is TOML");
    let found = breaches(&catalogue, &BTreeSet::new());
    assert_eq!(found.len(), 3, "{found:?}");
    let functions = BTreeSet::from(["a_cut_file_is_refused".to_string()]);
    let found = breaches(&catalogue, &functions);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("A2 has no test") && found[1].starts_with("A3 may not wait"), "{found:?}");
}

#[test]
fn functions_are_found_in_both_languages() {
    for line in [
        "fn one() {",
        "    pub(crate) fn one() {",
        "def one():",
        "    async def one(x):",
        "pub const fn one<T>()",
    ] {
        assert_eq!(function_name(line).as_deref(), Some("one"), "{line}");
    }
    for line in ["// a fn one() in words", "let one = 1;"] {
        assert_eq!(function_name(line), None, "{line}");
    }
}
