//! A new dependency is a decision: each direct one has a line in `docs/decisions/`.

use super::{assert_none, root, tracked};
use std::collections::BTreeMap;

#[derive(serde::Deserialize)]
struct Manifest {
    workspace: Workspace,
}

#[derive(serde::Deserialize)]
struct Workspace {
    dependencies: BTreeMap<String, toml::Value>,
}

#[test]
fn every_dependency_has_a_decision() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("the workspace has a manifest");
    let manifest: Manifest = toml::from_str(&manifest).expect("the manifest is TOML");
    let records: Vec<_> = tracked()
        .into_iter()
        .filter(|file| file.path.starts_with("docs/decisions/"))
        .map(|file| file.text)
        .collect();
    let ours = |value: &toml::Value| value.get("path").is_some();
    let breaches: Vec<_> = manifest
        .workspace
        .dependencies
        .iter()
        .filter(|(name, value)| {
            !ours(value) && !records.iter().any(|text| text.contains(&format!("`{name}`")))
        })
        .map(|(name, _)| format!("dependency `{name}` has no line in docs/decisions/"))
        .collect();
    assert_none(&breaches);
}
